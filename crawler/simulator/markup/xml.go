package markup

import (
	"fmt"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// Feed is one page of the API's answer.
type Feed struct {
	Rows         []Row
	Pages, Total int
	Silent       bool   // not even the totals are said
	Precision    string // of postDate: "3", "6", "9", or "java" for as many as needed
	Unit         bool   // salaries have commas and a unit
	Nested       bool   // <locations><locations> instead of <location>
	Drift        Drift
}

// A Row is one advert of the feed.
type Row struct {
	ID      int64
	Advert  *world.Advert
	Summary string // whole; the feed cuts it
	URL     string
	Names   bool // places begin with the name of the site
}

// XML returns the answer: no declaration, no namespace, the totals last.
func (f *Feed) XML() []byte {
	b := &buffer{drift: f.Drift}
	root := "nhsJobs"
	if f.Drift.Root != "" {
		root = f.Drift.Root
	}
	b.linef("<%s>", root)
	for _, r := range f.Rows {
		f.row(b, r)
	}
	if !f.Silent {
		b.linef("<totalPages>%d</totalPages>\n<totalResults>%d</totalResults>", f.Pages, f.Total)
	}
	b.linef("</%s>", root)
	return b.Bytes()
}

func (f *Feed) row(b *buffer, r Row) {
	a := r.Advert
	title, employer := a.Title, a.Employer
	posted, closing := f.time(a.Posted), string(a.Closing)
	switch f.Drift.Swap {
	case "dates":
		posted, closing = closing+"T00:00:00.001", string(world.DayOf(a.Posted))
	case "names":
		title, employer = employer, title
	}
	element := func(field, name, text string) {
		if !b.missing(field) {
			b.linef("<%s>%s</%s>", name, xmlText(text), name)
		}
	}
	b.line("<vacancyDetails>")
	b.linef("<id>%d</id>", r.ID)
	element("reference", "reference", a.Reference)
	element("title", "title", title)
	element("", "description", cut(r.Summary))
	element("employer", "employer", employer)
	if a.Contract != "" {
		element("contract", "type", a.Contract)
	}
	element("salary", "salary", f.salary(a.Salary))
	element("closing", "closeDate", closing)
	element("posted", "postDate", posted)
	element("", "url", r.URL)
	if f.Drift.Extra != "" {
		b.linef("<%s>true</%s>", f.Drift.Extra, f.Drift.Extra)
	}
	if !b.missing("place") {
		inner := "location"
		if f.Nested {
			inner = "locations"
		}
		b.line("<locations>")
		for _, p := range a.Sites {
			b.linef("<%s>%s</%s>", inner, xmlText(feedPlace(p, r.Names)), inner)
		}
		b.line("</locations>")
	}
	b.line("</vacancyDetails>")
}

// feedPlace writes a place as the feed does, with a comma before the postcode.
func feedPlace(p world.Place, names bool) string {
	parts := []string{p.Town, p.Postcode}
	if names && p.Name != "" {
		parts = append([]string{p.Name}, parts...)
	}
	return strings.Join(parts, ", ")
}

// salary writes no unit and no commas, and always pence; some say that the
// feed has also been seen to write as the pages do.
func (f *Feed) salary(s world.Salary) string {
	figures, unit := amount(s)
	switch {
	case unit == "":
		return figures
	case f.Unit:
		return figures + " " + unit
	case s.Min == s.Max:
		return fmt.Sprintf("£%.2f", s.Min)
	}
	return fmt.Sprintf("£%.2f to £%.2f", s.Min, s.Max)
}

// time writes London's time without saying so.
func (f *Feed) time(t time.Time) string {
	t = t.In(world.London())
	switch f.Precision {
	case "6":
		return t.Format("2006-01-02T15:04:05.000000")
	case "9":
		return t.Format("2006-01-02T15:04:05.000000000")
	case "java": // LocalDateTime.toString drops what is zero, seconds included.
		switch n := t.Nanosecond(); {
		case n == 0 && t.Second() == 0:
			return t.Format("2006-01-02T15:04")
		case n == 0:
			return t.Format("2006-01-02T15:04:05")
		case n%1e6 == 0:
			return t.Format("2006-01-02T15:04:05.000")
		case n%1e3 == 0:
			return t.Format("2006-01-02T15:04:05.000000")
		}
		return t.Format("2006-01-02T15:04:05.000000000")
	}
	return t.Format("2006-01-02T15:04:05.000")
}

// cut shortens a summary to 150 characters and three dots, in mid-word.
func cut(s string) string {
	if r := []rune(s); len(r) > 150 {
		return string(r[:150]) + "..."
	}
	return s
}

// xmlText escapes as the site does: what must be, and nothing else. Characters
// that XML 1.0 cannot hold are left out.
func xmlText(s string) string {
	if plain(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return xmlEscapes.Replace(s)
}

var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// plain reports whether a text stands in XML as it is: most do.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '&' || c == '<' || c == '>' {
			return false
		}
	}
	return true
}
