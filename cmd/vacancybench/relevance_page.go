package main

import (
	"fmt"
	markup "html"
	"regexp"
	"strings"

	"github.com/vacancywatch/vacancywatch/crawler/nhsjobs"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A labelledAdvert is what a labelled row prints of a vacancy.
type labelledAdvert struct {
	title, employer, text, salary, places, scheme, band string
}

// pageBlocks are the headings of an advert page that a text may hold. They are
// only written here; what each of them means is the reader's to say.
var pageBlocks = []string{
	"Job summary", "Main duties of the job", "About us", "Details", "Date posted", "Pay scheme", "Band", "Grade", "Salary",
	"Contract", "Duration", "Working pattern", "Reference number", "Job locations", "Job description",
	"Job responsibilities", "Person specification", "Disclosure and Barring Service Check", "Certificate of Sponsorship",
	"UK registration", "Additional information", "Employer details", "Employer name", "Address", "Employer's website",
	"Employer contact details", "Supporting documents", "Privacy notice",
}

// inlineHeading matches a heading that opens a block within a line: "About us: we
// are a large trust."
var inlineHeading = regexp.MustCompile(`(?i)(?:^|([.!?])\s+)(Job summary|Main duties of the job|About us|Job description|Job responsibilities|Person specification)\s*:\s+`)

// vacancy reads the advert as the crawl does: a card of the listing, then the
// advert page, then what follows from both.
func (a *labelledAdvert) vacancy() (vacancy.Vacancy, error) {
	const reference = "C0000-26-0001"
	v := vacancy.Vacancy{
		Source: "relevance", Reference: reference, Title: a.title, Employer: a.employer,
		Salary: vacancy.ParseSalary(a.salary), Locations: vacancy.ParsePlaces(a.places),
	}
	read, err := nhsjobs.ReadAdvert(page.Page{
		URL: nhsjobs.AdvertURL("", reference), Status: 200, ContentType: "text/html", Body: []byte(a.html()),
	})
	if err != nil {
		return vacancy.Vacancy{}, fmt.Errorf("read the advert %q: %w", a.title, err)
	}
	v.Merge(&read)
	v.Derive()
	return v, nil
}

// html writes the advert page. A text without headings is the job summary.
// Where it has some, each alone on its line or before a colon at the begin of
// a sentence, what stands under one is that block, as on the page: so the
// block "About us" is not looked at.
func (a *labelledAdvert) html() string {
	var b strings.Builder
	element := func(tag, id, text string) {
		if id != "" {
			id = ` id="` + id + `"`
		}
		fmt.Fprintf(&b, "<%s%s>%s</%s>\n", tag, id, strings.ReplaceAll(markup.EscapeString(text), "\n", "<br>\n"), tag)
	}
	employer := a.employer
	if employer == "" {
		employer = "An employer" // No page is without; it tells nothing that is measured.
	}
	element("span", "employer_name", employer)
	element("h1", "heading", a.title)
	element("h2", "", "Details")
	fact := func(heading, id, text string) {
		if text != "" {
			element("h3", "", heading)
			element("p", id, text)
		}
	}
	fact("Pay scheme", "payscheme-type", a.scheme)
	fact("Band", "payscheme-band", a.band)
	fact("Salary", "range_salary", a.salary)

	lines := strings.Split(inlineHeading.ReplaceAllString(a.text, "$1\n$2\n"), "\n")
	summary := false // the text has its own heading of it
	for _, line := range lines {
		summary = summary || pageBlock(line) == pageBlocks[0]
	}
	if !summary {
		element("h3", "", pageBlocks[0])
	}
	for _, line := range lines {
		switch heading := pageBlock(line); {
		case heading != "":
			element("h3", "", heading)
		default:
			element("p", "", strings.TrimSpace(line))
		}
	}
	return b.String()
}

// pageBlock returns the heading that a line is, or nothing.
func pageBlock(line string) string {
	line = strings.TrimRight(strings.TrimSpace(line), ":")
	for _, b := range pageBlocks {
		if strings.EqualFold(line, b) {
			return b
		}
	}
	return ""
}

func statedSpecialties(v *vacancy.Vacancy) []string {
	return specialtiesOf(v, func(s vacancy.Specialty) bool { return s.Confidence == "stated" })
}

func specialties(v *vacancy.Vacancy) []string {
	return specialtiesOf(v, func(vacancy.Specialty) bool { return true })
}

func specialtiesOf(v *vacancy.Vacancy, ok func(vacancy.Specialty) bool) []string {
	var ids []string
	for _, s := range v.Specialties {
		if ok(s) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

func postcodes(v *vacancy.Vacancy) []string {
	return postcodesOf(v, func(vacancy.Location) bool { return true })
}

// pointed returns the postcodes of the places that a search by miles reaches.
func pointed(v *vacancy.Vacancy) []string {
	return postcodesOf(v, func(l vacancy.Location) bool { _, ok := l.Point(); return ok })
}

func postcodesOf(v *vacancy.Vacancy, ok func(vacancy.Location) bool) []string {
	var codes []string
	for _, l := range v.Locations {
		if l.Postcode != "" && ok(l) {
			codes = append(codes, l.Postcode)
		}
	}
	return codes
}

func salaryMin(v *vacancy.Vacancy) []string {
	if v.Salary == nil || v.Salary.Min == 0 {
		return nil
	}
	return []string{v.Salary.Min.String()}
}

func salaryMax(v *vacancy.Vacancy) []string {
	if v.Salary == nil || v.Salary.Max == 0 {
		return nil
	}
	return []string{v.Salary.Max.String()}
}

func salaryUnit(v *vacancy.Vacancy) []string {
	switch {
	case v.Salary == nil || v.Salary.Max == 0:
		return nil
	case v.Salary.Unit == "":
		return []string{unknownUnit}
	}
	return []string{v.Salary.Unit}
}
