package simulator

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
)

// secretary has the facts of a band 4 medical secretary in oncology.
func secretary() Advert {
	return Advert{
		Printed: "901-7758849SBH-A", Title: "Medical Secretary/Patient Care Co-ordinator", Employer: "Tarnmere NHS Trust", Account: "C9901",
		PayScheme: "Agenda for change", Band: "4", Salary: Salary{Min: 33094, Max: 36195, Unit: "year", Text: "per annum inc"},
		Contract: "Fixed-Term", Duration: "18 months", Patterns: []string{"full-time"},
		Sites:  []Place{{Name: "St Osmund's Hospital", Town: "London", County: "London", Postcode: "EC1A 7BE"}},
		Posted: date("2026-02-27", 9), Closing: "2026-03-13", Sponsorship: true, DBS: true,
		Summary: []string{"A Band 4 secretary is wanted by our Medical Oncology Service.", "The post is new & full-time."},
		Duties:  []string{"Type letters."}, About: []string{"We have a cardiology service."}, Description: []string{"Palliative care is near."},
		Criteria: []Criteria{{Heading: "Experience", Essential: []string{"Audio typing"}, Desirable: []string{"The NHS"}}},
		Contact:  Contact{Role: "Service Manager", Name: "Jo Example", Email: "jo.example@nhs.example"}, ContactInSummary: true,
	}
}

func TestAdvertByID(t *testing.T) {
	s, _ := open(Options{Quiet: true, Live: -1, Start: at("2026-03-01T09:00:00Z")})
	d := document(t, s, "/candidate/jobadvert/"+s.Publish(secretary())+"?keyword=anything")
	for id, want := range map[string]string{
		"heading": "Medical Secretary/Patient Care Co-ordinator", "employer_name": "Tarnmere NHS Trust",
		"closing_date": "The closing date is 13 March 2026", "date_posted": "27 February 2026",
		"payscheme-type": "Agenda for change", "payscheme-band": "Band 4", "range_salary": "£33,094 to £36,195 a year per annum inc",
		"contract_type": "Fixed term", "contract_duration": "18 months", "trac-job-reference": "901-7758849SBH-A",
		"employer_address_line_1": "St Osmund's Hospital", "employer_town": "London", "employer_county": "London", "employer_postcode": "EC1A 7BE",
		"contact_details_name": "Jo Example", "contact_details_email": "jo.example@nhs.example",
		"essential_skill_1_criteria_1": "Audio typing", "desirable_skill_1_criteria_1": "The NHS",
	} {
		if got := squash(d.Find("#" + id).First().Text()); got != want {
			t.Errorf("#%s: got %q, want %q", id, got, want)
		}
	}
	if got := squash(d.Find("#working_pattern_heading").First().Next().Text()); got != "Full-time" {
		t.Errorf("working pattern %q", got)
	}
	if got := squash(d.Find("title").Text()); got != "Job Advert" {
		t.Errorf("title %q", got)
	}
	for _, id := range []string{"date_posted", "payscheme-band", "dbs-container", "tier-two-sponsorship", "employer_name_details", "job_description_large"} {
		if n := d.Find("[id='" + id + "']").Length(); n != 2 {
			t.Errorf("#%s stands %d times, want twice", id, n)
		}
	}
	if first := d.Find("p").First(); first.Closest("#cookie-banner").Length() != 1 {
		t.Errorf("the first paragraph is %q, not the cookie banner's", first.Text())
	}
	// The nested p closes the outer one: the texts are not within their ids.
	if got := d.Find("#job_overview").Text(); strings.Contains(got, "full-time") {
		t.Errorf("#job_overview holds the second paragraph: %q", got)
	}
	if body := d.Text(); !strings.Contains(body, "please get in touch with Jo Example, jo.example@nhs.example") {
		t.Error("the summary does not name the contact")
	}
}

// headings returns h1 to h3 of a page with the text until the next.
func headings(d *goquery.Document) (names []string, first map[string]string) {
	first = map[string]string{}
	d.Find("main h1, main h2, main h3").Each(func(_ int, h *goquery.Selection) {
		name := squash(h.Text())
		names = append(names, name)
		if _, ok := first[name]; !ok {
			lines := h.NextUntil("h1, h2, h3").Map(func(_ int, e *goquery.Selection) string { return e.Text() })
			first[name] = squash(strings.Join(lines, " "))
		}
	})
	return names, first
}

func TestAdvertByHeadings(t *testing.T) {
	s, _ := open(Options{Quiet: true, Live: -1, Start: at("2026-03-01T09:00:00Z")})
	a := secretary()
	a.HeadingsOnly = true
	d := document(t, s, "/candidate/jobadvert/"+s.Publish(a))
	if n := d.Find("main [id]").Length(); n != 0 {
		t.Errorf("%d ids are left", n)
	}
	names, text := headings(d)
	want := []string{"Medical Secretary/Patient Care Co-ordinator", "Job summary", "Main duties of the job", "About us", "Details", "Date posted",
		"Pay scheme", "Band", "Salary", "Contract", "Duration", "Working pattern", "Reference number", "Job locations",
		"Job description", "Job responsibilities", "Person Specification", "Experience", "Job description"}
	if d := cmp.Diff(want, names[:len(want)]); d != "" {
		t.Errorf("headings (-want +got)\n%s", d)
	}
	for name, want := range map[string]string{"Band": "Band 4", "Salary": "£33,094 to £36,195 a year per annum inc", "Duration": "18 months",
		"Reference number": "901-7758849SBH-A", "Job locations": "St Osmund's Hospital London London EC1A 7BE", "Contract": "Fixed term"} {
		if text[name] != want {
			t.Errorf("%s: got %q, want %q", name, text[name], want)
		}
	}
}

func TestAdvertVariants(t *testing.T) {
	s, c := open(Options{Quiet: true, Live: -1, Quirks: Quirks{WelshMonths: "none"}})
	for name, v := range map[string]struct {
		change func(a *Advert)
		id     string
		want   string
	}{
		"no band":      {func(a *Advert) { a.PayScheme, a.Band = "Other", "" }, "payscheme-band", ""},
		"fixed":        {func(a *Advert) { a.Salary.Max = a.Salary.Min }, "fixed_salary", "£32,073 a year per annum"},
		"pence":        {func(a *Advert) { a.Salary = Salary{Min: 16.5, Max: 18, Unit: "hour"} }, "range_salary", "£16.50 to £18 an hour"},
		"negotiable":   {func(a *Advert) { a.Salary = Salary{Text: "Depends on experience"} }, "negotiable_salary", "Depends on experience"},
		"own number":   {func(a *Advert) { a.Reference = "C9901-2418" }, "job_reference_number", "C9901-2418"},
		"welsh":        {func(a *Advert) { a.Welsh = true }, "closing_date", "The closing date is 15 Medi 2026"},
		"leading zero": {func(a *Advert) { a.Closing = "2026-10-01" }, "closing_date", "The closing date is 01 October 2026"},
		"second site": {func(a *Advert) { a.Sites = append(a.Sites, Place{Town: "Hull", Postcode: "HU1 2AB"}) },
			"employer_town_1", "Hull"},
	} {
		a := nurse()
		v.change(&a)
		d := document(t, s, "/candidate/jobadvert/"+s.Publish(a))
		if got := squash(d.Find("#" + v.id).First().Text()); got != v.want {
			t.Errorf("%s: #%s is %q, want %q", name, v.id, got, v.want)
		}
		if d.Find("#dbs-container, #tier-two-sponsorship").Length() != 0 {
			t.Errorf("%s: checks that are not needed", name)
		}
		c.pass(1)
	}
}

func TestClosedAdverts(t *testing.T) {
	for quirk, want := range map[string]struct {
		code int
		text string
	}{
		"soft404": {200, "Service Domain Information"}, "404": {404, "404 Not Found"},
		"page": {200, "The closing date is 31 August 2026"}, "redirect": {302, ""},
	} {
		s, _ := open(Options{Quiet: true, Live: -1, Quirks: Quirks{Closed: quirk, WelshMonths: "none"}})
		ref := s.Publish(nurse())
		if err := s.CloseEarly(ref); err != nil {
			t.Fatal(err)
		}
		if w := get(s, "/candidate/jobadvert/"+ref); w.Code != want.code || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: closed: %d\n%s", quirk, w.Code, w.Body)
		}
		if w := get(s, "/candidate/jobadvert/C9901-26-9999"); strings.Contains(w.Body.String(), `id="heading"`) {
			t.Errorf("%s: an advert that never was has a page", quirk)
		}
	}
}

func TestWelshMonthsComeAndGo(t *testing.T) {
	s, c := open(Options{Live: 60, Quiet: true, Quirks: Quirks{WelshMonths: "many"}})
	ref := func() (welsh int) {
		for _, e := range s.board.all {
			if e.live && strings.Contains(get(s, "/candidate/jobadvert/"+e.now().Reference).Body.String(), " Medi 2026") {
				welsh++
			}
		}
		return welsh
	}
	sum, least := 0, 60
	for range 4 {
		n := ref()
		sum, least = sum+n, min(least, n)
		c.pass(24 * 60 * 60 * 1e9)
	}
	if sum == 0 || least == 60 {
		t.Errorf("%d pages with Welsh months in four days, at least %d a day", sum, least)
	}
}
