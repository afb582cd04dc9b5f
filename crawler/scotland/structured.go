package scotland

import (
	"encoding/json"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/vacancywatch/vacancywatch/crawler/page"
)

// A posting is the schema.org JobPosting of an advert, as far as it is read.
type posting struct {
	Title          string
	DatePosted     string
	ValidThrough   string
	EmploymentType string
	BaseSalary     string
	URL            string
	Description    string // HTML
	Organisation   string
	JobLocation    struct {
		Address struct{ Locality, Region, Postcode string }
	}
}

// employer is the organisation where it is one: the site gives its own name
// for every advert.
func (p posting) employer() string {
	if strings.EqualFold(strings.ReplaceAll(p.Organisation, " ", ""), "nhsscotland") {
		return ""
	}
	return p.Organisation
}

// postingOn finds the JobPosting of a page. Of several it is the one whose
// address holds the reference; one that names another reference is none of
// this page's, and the page is not what was asked for.
func postingOn(doc *html.Node, reference string) (p posting, found bool, err error) {
	var all []posting
	for d := range doc.Descendants() {
		if d.DataAtom == atom.Script && strings.EqualFold(strings.TrimSpace(attr(d, "type")), "application/ld+json") && d.FirstChild != nil {
			all = append(all, postingsIn(d.FirstChild.Data)...)
		}
	}
	for _, p := range all {
		if named := referenceIn(p.URL); named != "" && named == reference {
			return p, true, nil
		}
	}
	switch {
	case len(all) == 0:
		return posting{}, false, nil
	case len(all) > 1:
		return posting{}, false, page.Layoutf("%d job postings on a page, and none of them by its address", len(all))
	}
	if named := referenceIn(all[0].URL); named != "" && reference != "" {
		return posting{}, false, page.Layoutf("the page is the advert %s, not %s", named, reference)
	}
	return all[0], true, nil
}

// postingsIn returns the postings in a block of structured data: the object
// itself, one of a list, or one of a graph. A block that is no JSON holds none.
func postingsIn(block string) []posting {
	// Texts pasted into the site may bring raw line breaks and tabs into a
	// string, where JSON forbids them and everywhere else they mean nothing.
	block = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, block)
	var v any
	if json.Unmarshal([]byte(block), &v) != nil {
		return nil
	}
	var out []posting
	collect(v, &out, 3)
	return out
}

func collect(v any, out *[]posting, depth int) {
	if depth == 0 {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			collect(e, out, depth-1)
		}
	case map[string]any:
		if kind, ok := v["@type"].(string); ok && strings.EqualFold(kind, "JobPosting") {
			*out = append(*out, postingOf(v))
			return
		}
		collect(v["@graph"], out, depth-1)
	}
}

func postingOf(m map[string]any) posting {
	p := posting{
		Title: plain(m, "title"), DatePosted: plain(m, "datePosted"), ValidThrough: plain(m, "validThrough"),
		EmploymentType: plain(m, "employmentType"), BaseSalary: plain(m, "baseSalary"), URL: plain(m, "url"),
		Organisation: plain(inside(m, "hiringOrganization"), "name"),
	}
	// Once escaped like the others, and HTML beneath.
	p.Description, _ = m["description"].(string)
	if !strings.Contains(p.Description, "<") {
		p.Description = html.UnescapeString(p.Description)
	}
	address := inside(inside(m, "jobLocation"), "address")
	a := &p.JobLocation.Address
	a.Locality, a.Region, a.Postcode = plain(address, "addressLocality"), plain(address, "addressRegion"), plain(address, "postalCode")
	return p
}

// inside is an object in another, or in the first place of a list.
func inside(m map[string]any, key string) map[string]any {
	v := m[key]
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	o, _ := v.(map[string]any)
	return o
}

// plain is a text in an object. The site escapes texts as HTML within JSON:
// "&#xA3;33,247". What is no text, such as a salary by parts, is not read.
func plain(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return squeeze(html.UnescapeString(s))
}
