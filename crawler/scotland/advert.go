package scotland

import (
	"cmp"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/role"
)

// Test hooks of an advert page. The closing and live dates stand in a span
// inside theirs.
const (
	hookReference  = "span-reference"
	hookSalary     = "span-salary"
	hookClosing    = "div-vacancies-close-date"
	hookPosted     = "div-vacancies-live-date"
	hookFamily     = "span-vacancies-department"
	hookLocation   = "span-vacancies-location-name"
	hookContract   = "span-vacancies-employment-type"
	hookHours      = "span-sub-vacancies-hours"
	hookEmployer   = "span-vacancies-school"
	hookDepartment = "span-vacancies-shift-pattern"

	classProse = "jt-opensans-regular"
)

// ReadAdvert reads an advert page: its structured data, which the site keeps
// for search engines, and its test hooks. Where one of the two is gone the
// other will do. The reference is the one in the page's address, or the one
// that the page itself gives as its address.
//
// The structured data names NHS Scotland as the employer of every advert;
// that is no employer, and is left out: the card has the board. The contact
// and what is said about the employer are not kept.
//
// Whatever is not plainly an advert is page.ErrLayout. It does not say that a
// vacancy is closed: what the address of a closed advert answers is not known.
func ReadAdvert(p page.Page) (vacancy.Vacancy, error) {
	doc, err := parse(p)
	if err != nil {
		return vacancy.Vacancy{}, err
	}
	own := cmp.Or(referenceIn(p.URL), ownReference(doc))
	post, found, err := postingOn(doc, own)
	if err != nil {
		return vacancy.Vacancy{}, err
	}
	hook := func(name string) string { return textOf(first(doc, byHook(name)), nil) }
	dated := func(name string) string {
		if d := first(doc, byHook(name)); d != nil {
			return textOf(orSelf(first(d, byTag(atom.Span)), d), nil)
		}
		return ""
	}
	if !found && first(doc, byID(idTotal)) != nil {
		return vacancy.Vacancy{}, page.Layoutf("a listing where an advert is due")
	}
	v := vacancy.Vacancy{Schema: vacancy.Schema, Reference: cmp.Or(own, referenceIn(post.URL))}
	if v.Reference == "" {
		return vacancy.Vacancy{}, page.Layoutf("no address to take a reference from")
	}
	v.URL = AdvertURL(DefaultBase, v.Reference)
	printed := hook(hookReference)
	v.Title, v.EmployerReference = title(cmp.Or(post.Title, textOf(first(doc, byTag(atom.H1)), isBadge)), printed)
	v.Employer = strike(cmp.Or(hook(hookEmployer), post.employer()))
	v.Closing = firstDay(dated(hookClosing), post.ValidThrough)
	posted := firstDay(dated(hookPosted), post.DatePosted)
	v.Posted = vacancy.OnDay(posted)
	switch {
	case v.Title == "":
		return vacancy.Vacancy{}, page.Layoutf("no advert: the page has no title")
	case !found && (v.Employer == "" || printed == "" && v.Closing.IsZero() && posted.IsZero()):
		return vacancy.Vacancy{}, page.Layoutf("no advert: neither structured data nor its hooks")
	}
	setPay(&v, cmp.Or(hook(hookSalary), post.BaseSalary), hook(hookFamily))
	v.Contract = vacancy.ParseContract(strike(cmp.Or(hook(hookContract), post.EmploymentType)))
	v.WorkingPatterns = patterns(hook(hookHours))
	v.Locations = place(post, hook(hookLocation))
	v.Text = proseOf(doc, post)
	v.Text.Summary = department(hook(hookDepartment))
	return v, nil
}

// ownReference is the reference that a page gives as its own address, for one
// that was saved without it.
func ownReference(doc *html.Node) string {
	if n := first(doc, func(n *html.Node) bool { return n.DataAtom == atom.Link && attr(n, "rel") == "canonical" }); n != nil {
		return referenceIn(attr(n, "href"))
	}
	if n := first(doc, func(n *html.Node) bool { return n.DataAtom == atom.Meta && attr(n, "property") == "og:url" }); n != nil {
		return referenceIn(attr(n, "content"))
	}
	return ""
}

// firstDay is the first of the texts that is a day; zero if none is.
func firstDay(texts ...string) vacancy.Day {
	for _, t := range texts {
		if d, ok := day(t); ok && !d.IsZero() {
			return d
		}
	}
	return vacancy.Day{}
}

// printedRE matches a board's own number at the beginning of a title.
var printedRE = regexp.MustCompile(`^([A-Z]{1,4}\d{4,9})\s*[-–—:]\s*`)

// title divides a title from the board's own number, which some boards put
// before it, "PS246039 - Consultant Anaesthetist", and others print elsewhere.
func title(text, printed string) (title, own string) {
	text, own = strike(text), strike(printed)
	if m := printedRE.FindStringSubmatch(text); m != nil && len(m[0]) < len(text) && (own == "" || strings.EqualFold(own, m[1])) {
		return text[len(m[0]):], m[1]
	}
	return text, own
}

// setPay reads the salary of an advert, "Band 5 (£33,247 - £41,424)" or
// "Consultant (£111,430 - £148,064)": the band or grade stands before the
// amounts. The unit is not printed. The job family tells whether a grade is a
// doctor's; of the families only that of doctors and dentists is a staff group
// of the English kind as well.
func setPay(v *vacancy.Vacancy, salary, family string) {
	salary = strike(salary)
	v.Salary = vacancy.ParseSalary(salary)
	medical := vacancy.Fold(family) == vacancy.Fold("Medical and Dental")
	if medical {
		v.StaffGroup = role.MedicalAndDental
	}
	name, _, _ := strings.Cut(salary, "£")
	bands := vacancy.ParseBand(strings.TrimRight(name, " ("))
	if grade, _, ok := role.MedicalGrade(name, medical); ok && bands == nil {
		bands = []string{grade}
	}
	if bands != nil {
		v.Band, v.BandFrom = bands[0], vacancy.FromPrinted
		v.AlsoBands = append(v.AlsoBands, bands[1:]...) // nil for a single band
	}
}

var patternRE = regexp.MustCompile(`(?i)\b(full|part)[\s-]?time\b`)

// patterns reads what the hours say in words. "37" alone says nothing: how
// many hours are full time differs by year and by profession.
func patterns(hours string) []string {
	var out []string
	for _, m := range patternRE.FindAllStringSubmatch(hours, 2) {
		p := vacancy.ParsePattern(m[1] + " time")
		if len(out) == 0 || out[0] != p {
			out = append(out, p)
		}
	}
	return out
}

// department is the department as a line of the summary: it tells the
// specialty where the title does not.
func department(name string) string {
	if name = strike(name); name == "" {
		return ""
	}
	return "Department: " + name
}

// place is where the work is done. The name of the place may be a town's or a
// hospital's; beside an address it is the hospital's. Some tenants of the
// system write the country for the town and the town for the region.
func place(post posting, name string) []vacancy.Location {
	a := post.JobLocation.Address
	l := vacancy.Location{Town: strike(a.Locality), County: strike(a.Region), Postcode: strike(a.Postcode)}
	if isCountry(l.Town) {
		l.Town, l.County = l.County, ""
	}
	if p, ok := gazetteer.NormalisePostcode(l.Postcode); ok {
		l.Postcode = p
	}
	if name = strike(name); name != "" {
		if l.Town == "" {
			named := vacancy.ParseLocation(name)
			l.Town, l.Postcode = strike(named.Town), cmp.Or(l.Postcode, named.Postcode)
		} else if !strings.EqualFold(name, l.Town) {
			l.Site = name
		}
	}
	if l == (vacancy.Location{}) {
		return nil
	}
	return []vacancy.Location{l}
}

func isCountry(s string) bool {
	switch strings.ToLower(s) {
	case "scotland", "england", "wales", "northern ireland", "united kingdom", "uk", "gb":
		return true
	}
	return false
}
