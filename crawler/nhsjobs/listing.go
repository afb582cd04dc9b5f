package nhsjobs

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Hooks and ids of a listing.
const (
	hookHeading = "search-result-query"
	hookCard    = "search-result"
	hookTitle   = "search-result-job-title"
	hookSave    = "search-result-save-job"
	hookPlace   = "search-result-location"
	hookNext    = "search-next-page"
	hookPrev    = "search-previous-page"
	idHeading   = "search-results-heading"
	idNothing   = "no-result-title"
)

var (
	foundRE   = regexp.MustCompile(`^(\d[\d,]*)\s+jobs?\s+found\b`)
	pageOfRE  = regexp.MustCompile(`(?i)\bpage\s+(\d[\d,]*)\s+of\s+(\d[\d,]*)`)
	savedRE   = regexp.MustCompile(`\(Reference number:\s*([^()\s]+)\s*\)\s*$`)
	nothingRE = regexp.MustCompile(`(?i)^no results? found\b`)
)

// ReadListing reads page pageNo of a listing, counted from 1; 0 if the number
// is not known. A page counts as empty only where its heading or the
// nothing-found element says so: the same words may be in a title. A list
// without a single card is page.ErrLayout, and so is the page for a place
// that the site does not know.
//
// Nothing but the data-test hooks is relied on: classes recur outside cards,
// and lists nest in lists.
func ReadListing(p page.Page, pageNo int) (page.Listing, error) {
	doc, err := parseHTML(p)
	if err != nil {
		return page.Listing{}, err
	}
	l := page.Listing{Total: -1}
	var ds defects
	saysNothing := first(doc, func(n *html.Node) bool { return attr(n, "id") == idNothing }) != nil
	if h := first(doc, func(n *html.Node) bool { return attr(n, "data-test") == hookHeading || attr(n, "id") == idHeading }); h != nil {
		text := textOf(h)
		if h.DataAtom != atom.H1 && strings.EqualFold(text, "Location not found") {
			return page.Listing{}, page.Layoutf("the site does not know the place that was asked for")
		}
		if m := foundRE.FindStringSubmatch(text); m != nil {
			if n, ok := parseCount(m[1]); ok {
				l.Total = n
			}
		}
		saysNothing = saysNothing || l.Total < 0 && nothingRE.MatchString(text)
	}

	cards := 0
	checkOrder := newestFirstAsked(p.URL)
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || attr(n, "data-test") != hookCard {
			continue
		}
		cards++
		v, ok := ds.card(n)
		if !ok {
			continue
		}
		if checkOrder && !v.Posted.IsZero() {
			ds.order(v.Posted)
		}
		l.Vacancies = append(l.Vacancies, v)
	}

	switch {
	case cards == 0 && (saysNothing || l.Total == 0):
		l.Total, l.Empty, l.Last = 0, true, true
		return l, nil
	case cards == 0 && l.Total > 0:
		return page.Listing{}, page.Layoutf("a listing that states results and shows none")
	case cards == 0:
		return page.Listing{}, page.Layoutf("no results, and nothing that says that there are none")
	}
	if l.Total < cards {
		ds.add(page.DefectTotal)
	}
	ds.paging(&l, doc, pageNo, cards)
	l.Defects = ds.list
	return l, nil
}

// paging reads where the page stands among the others. The next link says
// "Page 2 of 842", its own page's number; there is none on the last page, and
// no navigation at all around a single one.
func (ds *defects) paging(l *page.Listing, doc *html.Node, pageNo, cards int) {
	next, prev := first(doc, hook(hookNext)), first(doc, hook(hookPrev))
	if n, of, ok := pageOf(next); ok {
		l.Number, l.Pages = n-1, of
	} else if n, of, ok := pageOf(prev); ok {
		l.Number, l.Pages = n+1, of
	}
	if pageNo > 0 && l.Number > 0 && l.Number != pageNo {
		ds.add(page.DefectPage)
	}
	l.Last = next == nil
	// A total that reaches beyond a page without a next link means that the
	// link was not recognised: a sweep must not end here.
	if l.Last && pageNo > 0 && l.Total > pageNo*max(cards, ListingSize) {
		l.Last = false
		ds.add(page.DefectTotal)
	}
	if !l.Last && cards < ListingSize {
		ds.add(page.DefectShort)
	}
}

// pageOf reads "Page 2 of 842" in a link.
func pageOf(link *html.Node) (n, of int, ok bool) {
	if link == nil {
		return 0, 0, false
	}
	m := pageOfRE.FindStringSubmatch(textOf(link))
	if m == nil {
		return 0, 0, false
	}
	n, okN := parseCount(m[1])
	of, okOf := parseCount(m[2])
	return n, of, okN && okOf && n > 0
}

// card reads one result. It is false for one that names no reference.
func (ds *defects) card(card *html.Node) (vacancy.Vacancy, bool) {
	var ref, title, employer string
	if a := first(card, hook(hookTitle)); a != nil {
		title = textOf(a)
		ref = referenceIn(attr(a, "href"), advertPath)
	}
	if saved := savedReference(first(card, hook(hookSave))); saved != "" {
		if ref == "" {
			ref = saved
		}
		if ref != saved {
			// The hooks name two adverts: which one this is, is not known.
			ds.add(page.DefectReference)
		}
	}
	var places string
	if n := first(card, hook(hookPlace)); n != nil {
		if h := first(n, func(n *html.Node) bool { return n.DataAtom == atom.H3 }); h != nil {
			employer = ownText(h)
		}
		if d := first(n, func(n *html.Node) bool { return hasClass(n, "location-font-size") }); d != nil {
			places = rawText(d)
		}
	}
	v, ok := ds.vacancy(ref, title, employer)
	v.Locations = vacancy.ParsePlaces(places)
	v.Salary = vacancy.ParseSalary(fact(card, "salary"))
	v.Contract = vacancy.ParseContract(fact(card, "jobType"))
	v.WorkingPatterns = vacancy.ParsePatterns(fact(card, "workingPattern"))
	v.Closing = ds.closing(fact(card, "closingDate"))
	posted, err := vacancy.ParseDay(fact(card, "publicationDate"))
	if err != nil {
		ds.add(page.DefectPosted)
	}
	v.Posted = vacancy.OnDay(posted)
	return v, ok
}

// savedReference is the reference that the link to save a vacancy names: in
// its address, or else in its label.
func savedReference(a *html.Node) string {
	if a == nil {
		return ""
	}
	if ref := referenceIn(attr(a, "href"), savePath); ref != "" {
		return ref
	}
	if m := savedRE.FindStringSubmatch(attr(a, "aria-label")); m != nil && usable(m[1]) {
		return m[1]
	}
	return ""
}

// fact is the text of one of the facts on a card: "Salary: <strong>...". Each
// of them may be missing.
func fact(card *html.Node, name string) string {
	n := first(card, hook("search-result-"+name))
	if n == nil {
		return ""
	}
	if strong := first(n, func(n *html.Node) bool { return n.DataAtom == atom.Strong }); strong != nil {
		return textOf(strong)
	}
	_, text, _ := strings.Cut(textOf(n), ":")
	return strings.TrimSpace(text)
}

func hasClass(n *html.Node, class string) bool {
	for c := range strings.FieldsSeq(attr(n, "class")) {
		if c == class {
			return true
		}
	}
	return false
}
