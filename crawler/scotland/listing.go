package scotland

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Ids and classes of the fragment of cards.
const (
	idTotal   = "totalMatchRecords"   // a hidden input: results in all
	idCurrent = "totalCurrentRecords" // a hidden input: cards shown
	classCard = "job-card"
	classLink = "job-row__details" // holds the link with the title
	classFact = "jobdetailsitem"
)

// A fact of a card is found by its label, which says what it means, and else
// by its class: the classes are Jobtrain's, made for schools, and name other
// things than they hold. "department" is the job family, "shift" the
// department.
type fact struct{ label, class string }

var (
	factReference  = fact{"job reference", "jobreference"}
	factSalary     = fact{"salary", "salary"}
	factClosing    = fact{"closing date", "closingdate"}
	factFamily     = fact{"job family", "department"}
	factLocation   = fact{"location", "location"}
	factContract   = fact{"employment type", "employmenttype"}
	factHours      = fact{"hours per week", "hours"}
	factPosted     = fact{"live date", "livedate"}
	factEmployer   = fact{"employer (nhs board)", "school"}
	factDepartment = fact{"department", "shift"}
)

// labels are all that a fact is known to be called.
var labels = []fact{factReference, factSalary, factClosing, factFamily, factLocation, factContract, factHours,
	factPosted, factEmployer, factDepartment}

// ReadListing reads page n of the listing, counted from 1; 0 if the number is
// not known. A page is known by its total; it counts as empty only where that
// is 0. A total with no cards under it is page.ErrLayout, but for a page that
// is asked for beyond the last one, which says no more than that it is last.
//
// The page states no number of its own. A page that is not the one asked for
// shows where the number of its cards does not fit the total: a full page where
// the last one is due.
//
// Days of posting are compared with the London day of fetched, if that is
// given: one still to come is set to it and counted.
func ReadListing(p page.Page, n int, fetched time.Time) (page.Listing, error) {
	doc, err := parse(p)
	if err != nil {
		return page.Listing{}, err
	}
	r := reader{listing: page.Listing{Total: -1}}
	if !fetched.IsZero() {
		r.today = vacancy.LondonDay(fetched)
	}
	stated := false
	if total, ok := count(doc, idTotal); ok {
		r.listing.Total, stated = total, true
	}
	cards := 0
	for d := range doc.Descendants() {
		if d.Type == html.ElementNode && hasClass(d, classCard) {
			cards++
			r.card(d)
		}
	}
	l := &r.listing
	before := (max(n, 1) - 1) * PageSize
	switch {
	case cards == 0 && !stated:
		return page.Listing{}, page.Layoutf("neither cards nor a total")
	case cards == 0 && l.Total == 0:
		l.Empty, l.Last = true, true
		return *l, nil
	case cards == 0 && n > 1 && before >= l.Total:
		l.Pages, l.Last = pages(l.Total), true
		return *l, nil
	case cards == 0:
		return page.Listing{}, page.Layoutf("a listing that states results and shows none")
	}
	r.judge(n, cards)
	if shown, ok := count(doc, idCurrent); ok && shown != cards && (n <= 0 || shown != before+cards) {
		// The page counts its own cards, alone or with those before them.
		r.defect(page.DefectShort)
	}
	return *l, nil
}

// judge compares the number of cards with the total.
func (r *reader) judge(n, cards int) {
	l := &r.listing
	if l.Total < cards {
		// None, or one that cannot be: only a page that is not full can then
		// be known for the last.
		r.defect(page.DefectTotal)
		l.Last = cards < PageSize
		return
	}
	l.Pages = pages(l.Total)
	if n <= 0 {
		l.Last = l.Pages == 1
		return
	}
	l.Last = n >= l.Pages
	due := min(PageSize, l.Total-(n-1)*PageSize)
	switch {
	case cards > due:
		r.defect(page.DefectPage)
	case cards < due:
		r.defect(page.DefectShort)
	}
}

func pages(total int) int { return (total + PageSize - 1) / PageSize }

// count reads the number in a hidden input.
func count(doc *html.Node, id string) (int, bool) {
	in := first(doc, byID(id))
	if in == nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.ReplaceAll(strings.TrimSpace(attr(in, "value")), ",", ""))
	return n, err == nil && n >= 0 && n < 1e8
}

// reader gathers the entries of a page and its defects.
type reader struct {
	listing page.Listing
	today   vacancy.Day // zero if not known
	last    vacancy.Moment
}

func (r *reader) defect(reason string) {
	if !slices.Contains(r.listing.Defects, reason) {
		r.listing.Defects = append(r.listing.Defects, reason)
	}
}

// card reads one card. One that cannot be told from others is left out; one
// that lacks its title or employer is kept, for its advert may have them.
func (r *reader) card(card *html.Node) {
	link := cardLink(card)
	ref, marked := referenceIn(attr(orSelf(link, card), "href")), attr(card, "data-jobid")
	if marked != "" && ref != "" && marked != ref {
		// The card names two adverts: which one this is, is not known.
		r.defect(page.DefectReference)
	}
	if ref == "" && usable(marked) {
		ref = marked
	}
	if !ValidReference(ref) {
		r.defect(page.DefectReference)
	}
	facts := factsOf(card)
	v := vacancy.Vacancy{Schema: vacancy.Schema, Reference: ref, PageUnread: true}
	v.Title, v.EmployerReference = title(textOf(link, isBadge), facts.get(factReference))
	v.Employer = strike(facts.get(factEmployer))
	if v.Title == "" {
		r.defect(page.DefectTitle)
	}
	if v.Employer == "" {
		r.defect(page.DefectEmployer)
	}
	v.Closing = r.closing(facts.get(factClosing))
	v.Posted = r.posted(facts.get(factPosted))
	if !usable(ref) {
		return
	}
	v.URL = AdvertURL(DefaultBase, ref)
	setPay(&v, facts.get(factSalary), facts.get(factFamily))
	v.Contract = vacancy.ParseContract(strike(facts.get(factContract)))
	v.WorkingPatterns = patterns(facts.get(factHours))
	v.Locations = place(posting{}, facts.get(factLocation))
	v.Text.Summary = department(facts.get(factDepartment))
	r.listing.Vacancies = append(r.listing.Vacancies, v)
}

// closing reads a closing date. An advert may have none; one that is there
// and cannot be read is a defect.
func (r *reader) closing(text string) vacancy.Day {
	if text == "" {
		return vacancy.Day{}
	}
	d, ok := day(text)
	if !ok {
		r.defect(page.DefectClosing)
	}
	return d
}

// posted reads the day on which an advert went live, and checks that the days
// do not rise down the page.
func (r *reader) posted(text string) vacancy.Moment {
	d, ok := day(text)
	if !ok || d.IsZero() {
		r.defect(page.DefectPosted)
		return vacancy.Moment{}
	}
	if !r.today.IsZero() && r.today.Before(d) {
		r.listing.Clamped++
		return vacancy.OnDay(r.today)
	}
	m := vacancy.OnDay(d)
	if !r.last.IsZero() && m.Compare(r.last) > 0 {
		r.defect(page.DefectOrder)
	}
	r.last = m
	return m
}

// cardLink finds the link to the advert: the one with the title where several
// lead there.
func cardLink(card *html.Node) *html.Node {
	leads := func(n *html.Node) bool { return n.DataAtom == atom.A && referenceIn(attr(n, "href")) != "" }
	if d := first(card, byClass(classLink)); d != nil {
		if a := first(d, leads); a != nil {
			return a
		}
	}
	return first(card, leads)
}

func orSelf(n, self *html.Node) *html.Node { return cmp.Or(n, self) }

// isBadge matches the mark of a new advert, which may stand inside the link
// and is no part of the title.
func isBadge(n *html.Node) bool { return strings.EqualFold(textOf(n, nil), "new") }

// facts of a card, by label in lower case and by class.
type facts map[string]string

func factsOf(card *html.Node) facts {
	out := facts{}
	set := func(key, value string) {
		if _, ok := out[key]; !ok {
			out[key] = value
		}
	}
	for d := range card.Descendants() {
		if d.Type != html.ElementNode || !hasClass(d, classFact) {
			continue
		}
		strong := first(d, byTag(atom.Strong))
		value := textOf(d, func(n *html.Node) bool { return n == strong })
		label := strings.ToLower(strings.TrimRight(textOf(strong, nil), " :"))
		if label != "" {
			set(label, value)
		}
		// A class says what a fact is only where its label does not.
		if !slices.ContainsFunc(labels, func(f fact) bool { return f.label == label }) {
			for c := range strings.FieldsSeq(attr(d, "class")) {
				set("."+c, value)
			}
		}
	}
	return out
}

func (f facts) get(which fact) string {
	return cmp.Or(f[which.label], f["."+which.class])
}

var dayRE = regexp.MustCompile(`^(\d{1,2})/(\d{1,2})/(\d{4})\b`)

// day reads a day as a card prints it, 20/10/2026, as structured data does,
// 2026-10-20T00:00, or with the month's name. The year 1 is how Jobtrain
// writes that there is none: it gives the zero day, and is readable.
func day(text string) (vacancy.Day, bool) {
	text = squeeze(text)
	if strings.HasPrefix(text, "01/01/0001") || strings.HasPrefix(text, "0001-01-01") {
		return vacancy.Day{}, true
	}
	if m := dayRE.FindStringSubmatch(text); m != nil {
		text = m[3] + "-" + twoDigits(m[2]) + "-" + twoDigits(m[1])
	} else if date, _, ok := strings.Cut(text, "T"); ok && len(date) == len(time.DateOnly) {
		text = date
	}
	d, err := vacancy.ParseDay(text)
	return d, err == nil
}

func twoDigits(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}
