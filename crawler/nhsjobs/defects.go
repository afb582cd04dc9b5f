package nhsjobs

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// defects gathers the defects of a listing, each reason once, and what is
// common to the entries of both kinds of listing.
type defects struct {
	list []string
	last vacancy.Moment
}

func (ds *defects) add(reason string) {
	if !slices.Contains(ds.list, reason) {
		ds.list = append(ds.list, reason)
	}
}

// vacancy starts the vacancy of an entry. It is false for an entry that
// cannot be told from others, which is left out; one that lacks its title or
// employer is kept, for its advert has them. A reference of unknown shape is
// kept as well: should the site change it, alerts go on while ops are told.
func (ds *defects) vacancy(ref, title, employer string) (vacancy.Vacancy, bool) {
	if !vacancy.ValidReference(ref) {
		ds.add(page.DefectReference)
	}
	if title == "" {
		ds.add(page.DefectTitle)
	}
	if employer == "" {
		ds.add(page.DefectEmployer)
	}
	if !usable(ref) {
		return vacancy.Vacancy{}, false
	}
	return vacancy.Vacancy{
		Schema:     vacancy.Schema,
		Reference:  ref,
		URL:        AdvertURL(DefaultBase, ref),
		Title:      strike(title),
		Employer:   employer,
		PageUnread: true,
	}, true
}

// closing reads a closing date. Some adverts have none; one that is there and
// cannot be read is a defect.
func (ds *defects) closing(text string) vacancy.Day {
	if text = squeeze(text); text == "" {
		return vacancy.Day{}
	}
	d, err := vacancy.ParseDay(text)
	if err != nil {
		ds.add(page.DefectClosing)
	}
	return d
}

// order checks that posting times do not rise down the page.
func (ds *defects) order(m vacancy.Moment) {
	if !ds.last.IsZero() && m.Compare(ds.last) > 0 {
		ds.add(page.DefectOrder)
	}
	ds.last = m
}

// squeeze makes one line of a text, with single spaces.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// parseCount reads a number of results or pages, "8414" or "12,972".
func parseCount(s string) (int, bool) {
	n, err := strconv.Atoi(strings.ReplaceAll(strings.TrimSpace(s), ",", ""))
	return n, err == nil && n >= 0 && n < 1e8
}
