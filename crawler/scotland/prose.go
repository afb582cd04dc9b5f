package scotland

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// The text of an advert is the board's own, and so are its headings. They are
// read for what they announce: blocks about the employer and about the contact
// are dropped whole, what the applicant must bring goes to the requirements,
// and everything else is the description.
var (
	aboutRE = regexp.MustCompile(`(?i)^(?:about\b|who we are|our (?:values|board|benefits|commitment)|why (?:join|work|choose|nhs|us)\b|` +
		`what (?:we|you)(?:(?:['’]ll| will)? (?:offer|get)|(?:['’]ll| will) (?:receive|enjoy))|benefits\b|living in\b|additional information|equality|nhs scotland is)`)
	// aboutJobRE is what begins like that and is about the job all the same.
	aboutJobRE = regexp.MustCompile(`(?i)^about (?:the|this|your) (?:role|job|post|team|service|department|ward|unit|vacancy|position)\b`)
	contactRE  = regexp.MustCompile(`(?i)\b(?:contact|enquir\w+|find(?:ing)? out more|further (?:information|details)|more information|informal|` +
		`discuss|questions|speak to|get in touch|how to apply)\b`)
	requireRE = regexp.MustCompile(`(?i)\b(?:person specification|need you to bring|you will need|you['’]ll need|essential|desirable|requirements?|` +
		`qualifications?|skills|experience|knowledge|what we are looking for|who we are looking for)\b`)
)

// A line of a text. A heading announces the lines up to the next one.
type line struct {
	text    string
	heading bool
}

// proseOf reads the text of an advert: the description in the structured data,
// or else the largest block of the class that the page sets it in.
func proseOf(doc *html.Node, post posting) vacancy.Text {
	var lines []line
	if post.Description != "" {
		if body, err := html.Parse(strings.NewReader(post.Description)); err == nil {
			lines = linesOf(body)
		}
	}
	if len(lines) == 0 {
		size := 0
		for d := range doc.Descendants() {
			if d.Type != html.ElementNode || !hasClass(d, classProse) {
				continue
			}
			if n := len(textOf(d, nil)); n > size {
				size, lines = n, linesOf(d)
			}
		}
	}
	var role, require, contact []string
	into := &role
	for _, l := range lines {
		if l.heading {
			switch {
			case aboutRE.MatchString(l.text) && !aboutJobRE.MatchString(l.text):
				into = nil
			case contactRE.MatchString(l.text):
				into = &contact
			case requireRE.MatchString(l.text):
				into = &require
			default:
				into = &role
			}
			continue
		}
		if into != nil {
			*into = append(*into, l.text)
		}
	}
	// The block of the contact is where the names stand that the rest of the
	// text may repeat.
	names := namesIn(strings.Join(contact, "\n"))
	description, requirements := strings.Join(role, "\n"), strings.Join(require, "\n")
	names = append(names, namesIn(description+"\n"+requirements)...)
	return vacancy.Text{Description: redact(description, names), Requirements: redact(requirements, names)}
}

// linesOf reads the lines of a block, each of its paragraphs and list items
// one. A paragraph that is bold from end to end is a heading, as employers
// write them.
func linesOf(n *html.Node) []line {
	var out []line
	var text, bold strings.Builder
	heading := false
	flush := func() {
		if s := squeeze(text.String()); s != "" {
			strong := len(s) < 80 && s == squeeze(bold.String()) && !strings.HasSuffix(s, ".")
			out = append(out, line{s, heading || strong})
		}
		text.Reset()
		bold.Reset()
	}
	var walk func(n *html.Node, strong bool)
	walk = func(n *html.Node, strong bool) {
		for c := range n.ChildNodes() {
			switch {
			case c.Type == html.TextNode:
				text.WriteString(c.Data)
				if strong {
					bold.WriteString(c.Data)
				}
			case c.Type != html.ElementNode:
			case c.DataAtom == atom.Script || c.DataAtom == atom.Style:
			case c.DataAtom == atom.Br:
				flush()
			case isHeading(c):
				flush()
				heading = true
				walk(c, strong)
				flush()
				heading = false
			case isBlock(c):
				flush()
				walk(c, strong)
				flush()
			default:
				walk(c, strong || c.DataAtom == atom.Strong || c.DataAtom == atom.B)
			}
		}
	}
	walk(n, false)
	flush()
	return out
}

func isHeading(n *html.Node) bool {
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return true
	}
	return false
}

func isBlock(n *html.Node) bool {
	switch n.DataAtom {
	case atom.P, atom.Div, atom.Li, atom.Ul, atom.Ol, atom.Table, atom.Tbody, atom.Tr, atom.Td, atom.Th, atom.Section,
		atom.Article, atom.Blockquote, atom.Body, atom.Html, atom.Head, atom.Dl, atom.Dt, atom.Dd, atom.Hr, atom.Pre:
		return true
	}
	return false
}
