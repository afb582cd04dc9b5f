package nhsjobs

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// An outline is a page as a person scrolls through it: its headings and lines
// in document order, whatever encloses them.
//
// The order is what can be relied on. The site puts paragraphs into
// paragraphs, which a parser takes apart, so that the element with a field's
// id is often empty and the text follows it; and the heading that ends a text
// may stand inside the next div. Cutting the outline at every h1, h2 and h3
// is right for all of that.
type outline struct {
	items []item
	ids   []string              // in document order, each once
	byID  map[string]*html.Node // the first of each id, for blocks come twice
	at    map[*html.Node]int    // where in items an element with an id begins
	buf   strings.Builder
}

type item struct {
	kind itemKind
	text string
}

type itemKind int

const (
	isLine    itemKind = iota // text; empty for a paragraph that holds none
	isHeading                 // h2 or h3
	isTitle                   // h1: a heading too
	isGap                     // a line break that stands alone
)

func (it item) cuts() bool { return it.kind == isHeading || it.kind == isTitle }

func outlineOf(doc *html.Node) *outline {
	o := &outline{byID: map[string]*html.Node{}, at: map[*html.Node]int{}}
	for n := range doc.Descendants() {
		if id := attr(n, "id"); id != "" && o.byID[id] == nil {
			o.byID[id], o.ids = n, append(o.ids, id)
		}
	}
	o.walk(doc, false)
	o.flush()
	return o
}

func (o *outline) walk(n *html.Node, pre bool) {
	switch n.Type {
	case html.TextNode:
		s := n.Data
		if !pre {
			o.buf.WriteString(s)
			return
		}
		for i, l := range strings.Split(s, "\n") {
			if i > 0 {
				o.flush()
			}
			o.buf.WriteString(l)
		}
		return
	case html.ElementNode:
		if furniture(n) {
			return
		}
	}
	block := n.Type == html.ElementNode && isBlock(n)
	if block {
		o.flush()
	}
	if id := attr(n, "id"); id != "" && o.byID[id] == n {
		o.at[n] = len(o.items)
	}
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3:
		kind := isHeading
		if n.DataAtom == atom.H1 {
			kind = isTitle
		}
		o.items = append(o.items, item{kind, textOf(n)})
		return
	case atom.Br:
		if squeeze(o.buf.String()) == "" {
			o.items = append(o.items, item{kind: isGap})
		}
		o.flush()
		return
	case atom.P, atom.Div:
		if n.FirstChild == nil || n.FirstChild == n.LastChild && n.FirstChild.Type == html.TextNode && strings.TrimSpace(n.FirstChild.Data) == "" {
			o.items = append(o.items, item{kind: isLine})
			return
		}
	}
	pre = pre || n.DataAtom == atom.Pre || strings.Contains(strings.ReplaceAll(attr(n, "style"), " ", ""), "white-space:pre")
	for c := range n.ChildNodes() {
		o.walk(c, pre)
	}
	if block {
		o.flush()
	}
}

func (o *outline) flush() {
	if s := squeeze(o.buf.String()); s != "" {
		o.items = append(o.items, item{isLine, s})
	}
	o.buf.Reset()
}

// furniture is what is on every page and no part of an advert.
func furniture(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Head, atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Svg, atom.Iframe, atom.Nav,
		atom.Button, atom.Select, atom.Textarea:
		return true
	case atom.Header, atom.Footer:
		role := attr(n, "role")
		return role == "banner" || role == "contentinfo"
	}
	return attr(n, "id") == "cookie-banner"
}

func isBlock(n *html.Node) bool {
	switch n.DataAtom {
	case atom.A, atom.Abbr, atom.B, atom.Bdi, atom.Bdo, atom.Cite, atom.Code, atom.Em, atom.Font, atom.I, atom.Mark,
		atom.Q, atom.S, atom.Small, atom.Span, atom.Strong, atom.Sub, atom.Sup, atom.Time, atom.U, atom.Br, atom.Wbr:
		return false
	}
	return true
}

// lines returns what follows position i up to the next heading, empty lines
// and gaps included.
func (o *outline) lines(i int) []item {
	j := i
	for j < len(o.items) && !o.items[j].cuts() {
		j++
	}
	return o.items[i:j]
}

// under returns the position behind the first heading that is one of labels
// and has a text below it; behind the first of them if none has; -1 without
// any. Headings are compared whole, for their words occur in prose as well.
func (o *outline) under(labels ...string) int {
	empty := -1
	for _, want := range labels {
		for i, it := range o.items {
			if !it.cuts() || label(it.text) != want {
				continue
			}
			if joined(o.lines(i+1), " ") != "" {
				return i + 1
			}
			if empty < 0 {
				empty = i + 1
			}
		}
	}
	return empty
}

// label makes a heading comparable.
func label(s string) string {
	s = strings.ReplaceAll(strings.ToLower(squeeze(s)), "’", "'")
	return strings.TrimRight(s, " :")
}

// value is the text of a field in one line: of the first of ids that has one,
// else of what stands under its label.
func (o *outline) value(ids []string, labels ...string) string {
	for _, id := range ids {
		if n := o.byID[id]; n != nil {
			if s := textOf(n); s != "" {
				return s
			}
		}
	}
	if i := o.under(labels...); i >= 0 {
		return joined(o.lines(i), " ")
	}
	return ""
}

// prose is an employer's text, a paragraph a line.
func (o *outline) prose(id string, labels ...string) string {
	if n := o.byID[id]; n != nil {
		if i, ok := o.at[n]; ok {
			if s := joined(o.lines(i), "\n"); s != "" {
				return s
			}
		}
	}
	if i := o.under(labels...); i >= 0 {
		return joined(o.lines(i), "\n")
	}
	return ""
}

// joined joins the lines that hold text.
func joined(items []item, sep string) string {
	var out []string
	for _, it := range items {
		if it.text != "" {
			out = append(out, it.text)
		}
	}
	return strings.Join(out, sep)
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// first returns the first element below n, in document order, that match
// holds for; nil without one.
func first(n *html.Node, match func(*html.Node) bool) *html.Node {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && match(d) {
			return d
		}
	}
	return nil
}

// hook matches an element by its data-test attribute, which the site's own
// tests lean on.
func hook(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return attr(n, "data-test") == name }
}

// rawText is the text of n as it stands, white space and all.
func rawText(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		switch {
		case d.Type == html.TextNode && d.Parent.DataAtom != atom.Script && d.Parent.DataAtom != atom.Style:
			b.WriteString(d.Data)
		case d.DataAtom == atom.Br:
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// textOf is the text of n in one line.
func textOf(n *html.Node) string { return squeeze(rawText(n)) }

// ownText is the text of n without that of the elements in it.
func ownText(n *html.Node) string {
	var b strings.Builder
	for c := range n.ChildNodes() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return squeeze(b.String())
}
