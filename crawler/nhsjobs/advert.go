package nhsjobs

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// labels are the headings of an advert that are the site's own. Where ids are
// gone they tell the fields apart; all other headings are the employer's.
var labels = map[string]bool{
	"job summary": true, "main duties of the job": true, "about us": true, "details": true, "date posted": true,
	"pay scheme": true, "band": true, "grade": true, "salary": true, "contract": true, "duration": true,
	"working pattern": true, "reference number": true, "job location": true, "job locations": true,
	"job description": true, "job responsibilities": true, "person specification": true,
	"disclosure and barring service check": true, "certificate of sponsorship": true, "uk registration": true,
	"additional information": true, "employer details": true, "employer name": true, "address": true,
	"employer's website": true, "employer contact details": true, "supporting documents": true, "privacy notice": true,
}

var (
	closingRE = regexp.MustCompile(`(?i)^the closing date is\s`)
	skillRE   = regexp.MustCompile(`^(?:skill_category_\d+|(?:essential|desirable)_skill_\d+_criteria_\d+)$`)
)

// ReadAdvert reads an advert page. Its reference is the one in the page's
// address if that is an advert's, else the printed one; a printed one that
// differs is the employer's reference.
//
// Fields are found by their ids, and by their headings where ids are gone.
// Most blocks come twice, for phones and for desktops: the first copy counts.
// The block about the employer and the contact are not kept, of the employer's
// address only the postcode, and addresses,
// telephone numbers and names of contacts are struck out of the texts.
//
// Whatever is not plainly an advert is page.ErrLayout: a page without title,
// employer and at least one of printed reference, closing date and details.
// So is the notice under an address that is no longer in use; it does not
// say that a vacancy is closed.
func ReadAdvert(p page.Page) (vacancy.Vacancy, error) {
	doc, err := parseHTML(p)
	if err != nil {
		return vacancy.Vacancy{}, err
	}
	return readAdvert(p, doc)
}

func readAdvert(p page.Page, doc *html.Node) (vacancy.Vacancy, error) {
	if isListing(doc) {
		return vacancy.Vacancy{}, page.Layoutf("a listing where an advert is due")
	}
	o := outlineOf(doc)
	contact := people(o.contactNames()...)

	v := vacancy.Vacancy{Schema: vacancy.Schema}
	var printed string
	var err error
	if v.Title, v.Employer, printed, v.Closing, err = o.identity(); err != nil {
		return vacancy.Vacancy{}, err
	}
	v.Reference = referenceIn(p.URL, advertPath)
	if v.Reference == "" {
		v.Reference = printed
	}
	if !usable(v.Reference) {
		return vacancy.Vacancy{}, page.Layoutf("an advert without a reference, and no address to take it from")
	}
	if printed != v.Reference {
		v.EmployerReference = printed
	}
	v.URL = AdvertURL(DefaultBase, v.Reference)

	if d, err := vacancy.ParseDay(o.value([]string{"date_posted"}, "date posted")); err == nil {
		v.Posted = vacancy.OnDay(d)
	}
	v.PayScheme = o.value([]string{"payscheme-type"}, "pay scheme")
	bands := vacancy.ParseBand(o.value([]string{"payscheme-band"}, "band", "grade"))
	if bands == nil {
		// One source has seen the band in the place of the scheme.
		bands = vacancy.ParseBand(v.PayScheme)
	}
	if bands != nil {
		v.Band, v.BandFrom = bands[0], vacancy.FromPrinted
		v.AlsoBands = append(v.AlsoBands, bands[1:]...) // nil for a single band
	}
	v.Salary = vacancy.ParseSalary(strike(o.value([]string{"range_salary", "fixed_salary", "negotiable_salary"}, "salary")))
	v.Contract = vacancy.ParseContract(o.value([]string{"contract_type"}, "contract"))
	v.Duration = strike(o.value([]string{"contract_duration"}, "duration"))
	v.WorkingPatterns = o.patterns()
	v.Locations = o.places()
	v.EmployerPostcode = o.seat()
	v.Sponsorship = vacancy.NotOffered
	if o.has("tier-two-sponsorship", "certificate of sponsorship") {
		v.Sponsorship = vacancy.Offered
	}
	v.DBSRequired = o.has("dbs-container", "disclosure and barring service check")
	v.Text = vacancy.Text{
		Summary:      redact(o.prose("job_overview", "job summary"), contact),
		Duties:       redact(o.prose("job_description", "main duties of the job"), contact),
		Description:  redact(o.prose("job_description_large", "job responsibilities", "job description"), contact),
		Requirements: redact(o.specification(), contact),
	}
	return v, nil
}

// identity reads what makes a page an advert.
func (o *outline) identity() (title, employer, printed string, closing vacancy.Day, err error) {
	closing, dated := o.closing()
	printed = o.value([]string{"trac-job-reference", "job_reference_number"}, "reference number")
	if !usable(printed) {
		printed = ""
	}
	details := o.has("date_posted", "date posted") || o.has("contract_type", "details")
	title, before := o.heading()
	employer = o.value([]string{"employer_name", "employer_name_details"}, "employer name")
	if employer == "" && printed != "" && details {
		// Without ids nothing says that the line above the title is the
		// employer, so the page must be an advert beyond doubt.
		employer = before
	}
	switch {
	case title == "":
		err = page.Layoutf("no advert: the page has no title")
	case employer == "":
		err = page.Layoutf("no advert: the page names no employer")
	case printed == "" && !dated && !details:
		err = page.Layoutf("no advert: neither reference, closing date nor details")
	}
	return strike(title), employer, printed, closing, err
}

// heading returns the title and the line directly above it.
func (o *outline) heading() (text, before string) {
	n := o.byID["heading"]
	if n != nil {
		text = textOf(n)
	}
	for _, it := range o.items {
		if it.kind == isTitle && it.text != "" && (text == "" || text == it.text) {
			return it.text, before
		}
		if it.kind == isLine && it.text != "" {
			before = it.text
		}
	}
	return text, ""
}

// closing reads the closing date. It stands in a sentence under the title,
// which has an id but no label.
func (o *outline) closing() (d vacancy.Day, ok bool) {
	text := o.value([]string{"closing_date"})
	for i := 0; text == "" && i < len(o.items); i++ {
		it := o.items[i]
		if it.cuts() && labels[label(it.text)] {
			break
		}
		if it.kind == isLine && closingRE.MatchString(it.text) {
			text = it.text
		}
	}
	d, err := vacancy.ParseDay(text)
	return d, err == nil
}

// has reports whether an element or a heading is there: some blocks say all
// by being there.
func (o *outline) has(id, heading string) bool {
	return o.byID[id] != nil || o.under(heading) >= 0
}

// patterns reads the working patterns, one a line or joined with commas.
func (o *outline) patterns() []string {
	if n := o.byID["working_pattern_heading"]; n != nil {
		if i, ok := o.at[n]; ok && i < len(o.items) && o.items[i].cuts() {
			return vacancy.ParsePatterns(joined(o.lines(i+1), ","))
		}
	}
	if i := o.under("working pattern"); i >= 0 {
		return vacancy.ParsePatterns(joined(o.lines(i), ","))
	}
	return nil
}

// specification reads the person specification: by ids, each but once, else
// all that stands under its heading. The headings in it are the employer's,
// so only one of the site's ends it.
func (o *outline) specification() string {
	var out []string
	for _, id := range o.ids {
		if skillRE.MatchString(id) {
			out = append(out, textOf(o.byID[id]))
		}
	}
	if len(out) > 0 {
		return strings.Join(out, "\n")
	}
	i := o.under("person specification")
	if i < 0 {
		return ""
	}
	for _, it := range o.items[i:] {
		if it.cuts() && labels[label(it.text)] {
			break
		}
		if it.text != "" && it.text != "Essential" && it.text != "Desirable" {
			out = append(out, it.text)
		}
	}
	return strings.Join(out, "\n")
}
