package message

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

// page is what a reader finds in an HTML mail.
type page struct {
	words     string   // its text, with single spaces
	links     []string // addresses in order
	linkTexts []string
	tags      map[string]int
	attrs     []string // name=value of every attribute
}

func readPage(t *testing.T, b []byte) page {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	p := page{tags: map[string]int{}}
	var words []string
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "title" {
			words = append(words, n.Data)
		}
		if n.Type == html.ElementNode {
			p.tags[n.Data]++
			for _, a := range n.Attr {
				p.attrs = append(p.attrs, a.Key+"="+a.Val)
				if a.Key == "href" {
					p.links = append(p.links, a.Val)
					if n.FirstChild != nil {
						p.linkTexts = append(p.linkTexts, n.FirstChild.Data)
					}
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(doc)
	p.words = strings.Join(strings.Fields(strings.Join(words, " ")), " ")
	return p
}

var address = regexp.MustCompile(`https?://\S+`)

// TestBothPartsSayTheSame compares the two parts of a mail: every fact that
// the view holds stands in both, and the same links in the same order.
func TestBothPartsSayTheSame(t *testing.T) {
	for name, a := range examples() {
		asHTML, err := HTML(a)
		if err != nil {
			t.Fatal(err)
		}
		asText, err := Text(a)
		if err != nil {
			t.Fatal(err)
		}
		p := readPage(t, asHTML)
		text := strings.Join(strings.Fields(string(asText)), " ")
		links := address.FindAllString(string(asText), -1)
		if diff := cmp.Diff(links, p.links); diff != "" {
			t.Errorf("%s: links differ (-text +HTML):\n%s", name, diff)
		}
		v := newView(&a)
		facts := []string{v.Heading, v.Search, v.Words, v.More, "independent service", "not part of the NHS",
			"Contains OS data © Crown copyright", "Royal Mail"}
		facts = append(facts, v.Also...)
		facts = append(facts, v.Notices...)
		for _, it := range v.Items {
			facts = append(facts, it.Closing, it.Title, it.Note, it.Posted)
			for _, f := range it.Facts {
				facts = append(facts, f.String())
			}
			for _, c := range it.Changes {
				facts = append(facts, c.Field+": was "+c.Before+", now "+c.After)
			}
			for _, o := range it.Others {
				facts = append(facts, o.Before+o.Reference+o.After)
			}
			if o := it.Related; o != nil {
				facts = append(facts, o.Before+o.Reference+o.After)
			}
			facts = append(facts, it.Why...)
			facts = append(facts, it.Unknown...)
		}
		for _, f := range facts {
			if !strings.Contains(text, f) {
				t.Errorf("%s: the text lacks %q", name, f)
			}
			if !strings.Contains(p.words, f) {
				t.Errorf("%s: the page lacks %q", name, f)
			}
		}
	}
}

func TestFactsOfAnAlert(t *testing.T) {
	b, err := Text(example())
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	order := []string{
		"A new vacancy", "For your search: Secretary near E1",
		"Closes 8 July 2026, 14 days left",
		"Medical Secretary/Patient Pathway Co-ordinator", "https://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0123",
		"Employer: Marlowe Vale NHS Foundation Trust",
		"Where: Marlowe General Hospital, London E1 4AA, 1.2 miles from E1 6",
		"\nBand 4\n", "Salary: £33,094 to £36,195 a year inc", "Contract: Fixed term, 18 months",
		"Working pattern: Full time, Flexible working", "Reference: 900-7758849SBH-A",
		"Why: 1.2 miles from E1 6 (Marlowe General Hospital, London E1 4AA) · Band 4",
		"Could not be checked: sponsorship not known, the advert page has not been read",
		"posted 09:14, alerted 09:22",
		"search Secretary near E1: band 4, within 10 miles of E1 6.", "It also meets your searches: Anything in London.",
		"Stop this search: https://watch.example.org/u/c3RvcA",
	}
	for _, want := range order {
		before, after, ok := strings.Cut(text, want)
		if !ok {
			t.Fatalf("after what was read already there is no %q in\n%s", want, text)
		}
		_, text = before, after
	}
	for name, want := range map[string][]string{
		"moved":   {"The closing date has moved.", "Closing date: was 1 July 2026, now 8 July 2026"},
		"amended": {"Salary: was £30,000 a year, now £33,094 to £36,195 a year", "Working pattern: was Full time, now Full time, Flexible working"},
		"closed early": {"No longer listed by NHS Jobs since 24 June 2026, before its closing date: filled or withdrawn; from outside both look alike.",
			"Closed early, the closing date was 8 July 2026"},
		"readvertised":     {"Looks like C9000-26-0042 advertised again (same employer reference 900-7758849SBH-A):\nhttps://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0042\n"},
		"again, told late": {"A new vacancy", "Looks like C9000-26-0042 advertised again (same title, place and terms):\n"},
		"again, of what":   {"\nAdvertised again.\n"},
		"twin":             {"Also listed as C9000-26-0042 (same employer reference 900-7758849SBH-A):\nhttps://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0042\n"},
		"sibling":          {"One of several sites: also C9000-26-0042 (same title and text, another place):\n"},
		"elsewhere":        {"Also listed as C9000-26-0042\n\n"},
		"digest":           {"15 new vacancies", "And 12 more vacancies.", "See them all: https://watch.example.org/"},
		"sites": {"2 new vacancies", "Also listed as C9000-26-0125:\nhttps://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0125\n",
			"One of several sites: also C9000-26-0126 (Leeds LS1 3EX):\n", "One of several sites: also C9000-26-0127:\n"},
		"bare": {"No closing date stated", "band not known: the advert page could not be read"},
	} {
		b, err := Text(examples()[name])
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(b), w) {
				t.Errorf("%s lacks %q:\n%s", name, w, b)
			}
		}
	}
}

// TestPage holds the laws of an HTML mail: the traps of html/template, no
// image, no script, a link whose text is the title.
func TestPage(t *testing.T) {
	for name, a := range examples() {
		b, err := HTML(a)
		if err != nil {
			t.Fatal(err)
		}
		s := string(b)
		if strings.Contains(s, "ZgotmplZ") {
			t.Errorf("%s: html/template refused a value", name)
		}
		if strings.Count(s, "<!--[if mso]>") != 2 || strings.Count(s, "<![endif]-->") != 2 {
			t.Errorf("%s: the comments for Outlook are gone", name)
		}
		p := readPage(t, b)
		for _, tag := range []string{"img", "script", "iframe", "form", "object", "link", "base"} {
			if p.tags[tag] != 0 {
				t.Errorf("%s: the page has <%s>", name, tag)
			}
		}
		if p.tags["h1"] != 1 || p.tags["h2"] != min(len(a.Items), MaxItems) {
			t.Errorf("%s: %d h1 and %d h2, want 1 and %d", name, p.tags["h1"], p.tags["h2"], len(a.Items))
		}
		for _, want := range []string{"lang=en", "role=article", "role=presentation", "name=color-scheme", "name=supported-color-schemes"} {
			if !slices.Contains(p.attrs, want) {
				t.Errorf("%s: no attribute %s", name, want)
			}
		}
		for _, l := range p.links {
			if !strings.HasPrefix(l, "https://") {
				t.Errorf("%s: link to %q", name, l)
			}
		}
		if len(p.links) > 0 && !strings.Contains(s, "color:#005eb8") {
			t.Errorf("%s: links have no colour", name)
		}
		for _, c := range []string{"#212b32", "#4c6272", "#6cb4ff", "#f0f4f5", "#15191c", "prefers-color-scheme: dark", "max-width:580px", "font-size:19px"} {
			if !strings.Contains(s, c) {
				t.Errorf("%s: the page lacks %s", name, c)
			}
		}
	}
	p := readPage(t, must(HTML(example())))
	if p.links[0] != "https://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0123" || p.linkTexts[0] != "Medical Secretary/Patient Pathway Co-ordinator" {
		t.Errorf("the first link is %q to %q, want the title to the advert", p.linkTexts[0], p.links[0])
	}
}

func TestHostileText(t *testing.T) {
	a := examples()["hostile"]
	asHTML, asText := string(must(HTML(a))), string(must(Text(a)))
	for part, s := range map[string]string{"HTML": asHTML, "text": asText} {
		if strings.ContainsAny(s, "\r\x00\u2028\u202e") {
			t.Errorf("%s: a control character came through", part)
		}
		if strings.Contains(s, "\nBcc:") {
			t.Errorf("%s: a line break came through", part)
		}
		if strings.Contains(s, "javascript:") || strings.Contains(s, "/u/x>") {
			t.Errorf("%s: a bad link came through", part)
		}
	}
	if strings.Contains(asHTML, "<script") {
		t.Error("markup of the title came through")
	}
}

// TestSize: 50 vacancies must stay well under the 102 kB at which Gmail clips.
func TestSize(t *testing.T) {
	a := digest(MaxItems+7, 5)
	b := must(HTML(a))
	if len(b) > 80_000 {
		t.Errorf("%d vacancies make %d bytes of HTML", MaxItems, len(b))
	}
	p := readPage(t, b)
	if p.tags["h2"] != MaxItems || !strings.Contains(p.words, "And 12 more vacancies.") {
		t.Errorf("%d vacancies are listed, want %d and 12 more", p.tags["h2"], MaxItems)
	}
}

func TestPure(t *testing.T) {
	for name, a := range examples() {
		for part, render := range map[string]func(Alert) ([]byte, error){"HTML": HTML, "text": Text} {
			if diff := cmp.Diff(string(must(render(a))), string(must(render(a)))); diff != "" {
				t.Errorf("%s: two renders of the %s differ:\n%s", name, part, diff)
			}
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
