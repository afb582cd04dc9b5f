// Package scotland reads the pages of NHS Scotland's vacancies,
// apply.jobs.scot.nhs.uk, a site that Jobtrain runs: the fragment of cards that
// its search page loads, and its advert pages. It also knows their addresses.
//
// It is experimental. Nobody of this project has asked the live site: what is
// known, and how surely, stands in facts.md beside this file, with what a
// person has to look at before the first real crawl. Two of those decide
// whether the crawl works at all: the order of the cards, which nothing asks
// for and the crawl takes for newest first, and whether the site refuses
// programs with a 403.
//
// Reading is pure: a page goes in, vacancies come out. The package makes no
// request, reads no clock and writes no log. It never takes a page that it
// does not know for one without vacancies: such a page is page.ErrLayout, and
// only a total of 0 is empty. It never keeps the contact of an advert, nor
// what the advert says about the employer.
//
// The layout is:
//
//	listing.go     a page of cards, by the labels of their facts
//	advert.go      an advert: its structured data and its test hooks
//	structured.go  the schema.org JobPosting on a page
//	prose.go       an advert's text: which headings are the job's
//	redact.go      addresses, numbers and names of contacts
//	document.go    what a page is made of
package scotland

import (
	"net/url"
	"path"
	"strconv"
	"strings"
)

const (
	// DefaultBase is the address of the site.
	DefaultBase = "https://apply.jobs.scot.nhs.uk"
	// ListingPath is the path of the listing.
	ListingPath = "/Home/_JobCard"
	// PageSize is how many cards a full page holds.
	PageSize = 12
	// Accept is what a request for a page of either kind asks for.
	Accept = "text/html"
	// DayOnly says that posting dates are days, here and on the advert.
	DayOnly = true

	advertPath = "/Job/JobDetail"
	referenceQ = "JobId"
)

// filters are the parameters that the site's own search page sends empty when
// nothing is chosen. They are sent as well: what the site does without them is
// known from fewer sources.
const filters = "&what=&Miles=&Salary=&LocationId=&Regions=&DivisionIds=&ClientCategory=&Departments=" +
	"&SchoolLocationId=&JobLevels=&SchoolSubjectId=&JobTypeIds=&lat=&long=&EmploymentType=&postedDate="

// ListingURL is the address of the n-th page of the whole board, counted from
// 1. The site counts in cards to skip. No parameter for the order is known.
func ListingURL(base string, n int) string {
	return site(base) + ListingPath + "?Skip=" + strconv.Itoa((max(n, 1)-1)*PageSize) + filters
}

// AdvertURL is the address of the advert with a reference.
func AdvertURL(base, reference string) string {
	return site(base) + advertPath + "?" + referenceQ + "=" + url.QueryEscape(reference)
}

func site(base string) string {
	if base == "" {
		base = DefaultBase
	}
	return strings.TrimRight(base, "/")
}

// ValidReference reports whether s has the shape of a reference in this site's
// addresses: a number of four to nine digits, such as 256437. The "Job
// reference" printed on an advert, PS246039, is another: the board's own.
func ValidReference(s string) bool {
	return len(s) >= 4 && len(s) <= 9 && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}

// usable reports whether a reference can serve as one: a word that is safe in
// an address and in a key. Its shape is another question.
func usable(ref string) bool {
	if ref == "" || len(ref) > 64 {
		return false
	}
	for _, c := range ref {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// referenceIn returns the reference in the address of an advert, absolute or
// not, and "" for another address. The site writes the parameter in several
// cases, and adds others that mean nothing here.
func referenceIn(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || !strings.EqualFold(path.Base(u.Path), path.Base(advertPath)) {
		return ""
	}
	for key, values := range u.Query() {
		if strings.EqualFold(key, referenceQ) && len(values) == 1 && usable(values[0]) {
			return values[0]
		}
	}
	return ""
}
