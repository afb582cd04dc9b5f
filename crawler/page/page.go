// Package page holds what the crawl and the readers of a site have in common:
// a fetched page, and what a listing says. It knows no site and makes no
// request.
package page

import (
	"errors"
	"fmt"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// ErrLayout means that a page is none that its reader knows. It says nothing
// about vacancies: neither that there are none nor that one is gone.
var ErrLayout = errors.New("unknown layout")

// Layoutf returns an error that wraps ErrLayout and says what was missed.
func Layoutf(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrLayout}, args...)...)
}

// A Page is an answer of a site, as fetched. Status 200 proves nothing: NHS
// Jobs answers unknown paths with 200 and a notice.
type Page struct {
	URL         string
	Status      int
	ContentType string
	Body        []byte
}

// A Listing is one page of results.
type Listing struct {
	// Vacancies hold what the listing states, in the order of the page.
	// Source, FirstSeen and what only an advert page tells are not filled in.
	Vacancies []vacancy.Vacancy
	// Total is the number of results that the page states, -1 if it does not.
	Total int
	// Pages is the number of pages that the page states, 0 if it does not.
	Pages int
	// Number is the number of this page that the page states, 0 if it does not.
	Number int
	// Empty is set where the page says in so many words that nothing was found.
	Empty bool
	// Last is set where the page shows that no page comes after it.
	Last bool
	// Defects are breaches of what a good page holds. A run with a defect is
	// quarantined: it moves no watermark and closes nothing. Each is one of
	// the Defect constants.
	Defects []string
	// Clamped counts posting times that were impossible or ambiguous and were
	// set to the time of fetching.
	Clamped int
}

// Reasons of defects: a closed list, for they are label values of a metric.
const (
	DefectReference = "reference" // an entry without a reference of known shape
	DefectTitle     = "title"     // an entry without a title
	DefectEmployer  = "employer"  // an entry without an employer
	DefectPosted    = "posted"    // an entry without a readable posting date
	DefectClosing   = "closing"   // a closing date that cannot be read
	DefectTotal     = "total"     // no readable total
	DefectOrder     = "order"     // posting times rise though newest first was asked
	DefectShort     = "short"     // fewer entries than a full page, and not the last
	DefectPage      = "page"      // another page than the one asked for
	DefectLayout    = "layout"    // not a page of this kind at all
)

// Defects returns every reason of a defect.
func Defects() []string {
	return []string{DefectReference, DefectTitle, DefectEmployer, DefectPosted, DefectClosing, DefectTotal,
		DefectOrder, DefectShort, DefectPage, DefectLayout}
}
