package nhsjobs

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

func readAdvertString(t *testing.T, body string) vacancy.Vacancy {
	t.Helper()
	v, err := ReadAdvert(page.Page{URL: AdvertURL("", "C9901-26-0150"), ContentType: "text/html;charset=utf-8", Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestReadAdvertByLabel holds that the headings give all that the ids give.
func TestReadAdvertByLabel(t *testing.T) {
	for _, name := range []string{"seed", "doctor"} {
		url := AdvertURL("", "C9259-26-0123")
		ids := fixture{"advert-" + name + "-ids.html", url, 0, KindAdvert}.read(t).Vacancies[0]
		labels := fixture{"advert-" + name + "-labels.html", url, 0, KindAdvert}.read(t).Vacancies[0]
		if diff := cmp.Diff(ids, labels); diff != "" {
			t.Errorf("%s (-ids +labels):\n%s", name, diff)
		}
	}
}

// TestReadAdvertSingleID removes one id at a time: nothing may be lost.
func TestReadAdvertSingleID(t *testing.T) {
	for _, f := range fixtures {
		if f.kind != KindAdvert {
			continue
		}
		want := f.read(t).Vacancies[0]
		body := string(load(t, f.file, f.url).Body)
		for _, m := range regexp.MustCompile(` id="[a-z_0-9-]+"`).FindAllString(body, -1) {
			// An address is read by its ids or by its lines, not by both.
			if strings.Contains(m, "address_line") || strings.Contains(m, "town") || strings.Contains(m, "county") ||
				strings.Contains(m, "postcode") || strings.Contains(m, "skill") {
				continue
			}
			got, err := ReadAdvert(page.Page{URL: f.url, Body: []byte(strings.ReplaceAll(body, m, ""))})
			if err != nil {
				t.Errorf("%s without%s: %v", f.file, m, err)
				continue
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s without%s (-want +got):\n%s", f.file, m, diff)
			}
		}
	}
}

func TestReadAdvertReference(t *testing.T) {
	tests := []struct{ url, reference, employers string }{
		{"", "259-7758849SBH-A", ""},
		{"file.html", "259-7758849SBH-A", ""},
		{"https://www.jobs.nhs.uk/candidate/search/results?page=1", "259-7758849SBH-A", ""},
		{"https://www.jobs.nhs.uk/candidate/jobadvert/C9259-26-0123", "C9259-26-0123", "259-7758849SBH-A"},
		{"https://beta.jobs.nhs.uk/candidate/jobadvert/C9259-26-0123?keyword=a&page=2", "C9259-26-0123", "259-7758849SBH-A"},
		{"https://www.jobs.nhs.uk/candidate/jobadvert/259-7758849SBH-A", "259-7758849SBH-A", ""},
	}
	for _, tt := range tests {
		v, err := ReadAdvert(load(t, "advert-seed-ids.html", tt.url))
		if err != nil || v.Reference != tt.reference || v.EmployerReference != tt.employers || v.URL != AdvertURL("", tt.reference) {
			t.Errorf("%q: reference %q and %q, link %q, %v; want %q and %q", tt.url, v.Reference, v.EmployerReference, v.URL, err, tt.reference, tt.employers)
		}
	}
}

// TestReadAdvertNeeds takes away what makes a page an advert.
func TestReadAdvertNeeds(t *testing.T) {
	const (
		head    = `<h1 id="heading">Porter</h1>`
		who     = `<span id="employer_name">Norhaven</span>`
		closing = `<p id="closing_date">The closing date is 1 May 2026</p>`
		ref     = `<h3>Reference number</h3><p>C9901-26-0150</p>`
		details = `<h2>Details</h2><h3>Date posted</h3><p>1 April 2026</p>`
	)
	url := AdvertURL("", "C9901-26-0150")
	tests := []struct {
		name, body, url string
		ok              bool
	}{
		{"all", who + head + closing + details + ref, url, true},
		{"closing date", who + head + closing, url, true},
		{"reference", who + head + ref, url, true},
		{"details", who + head + details, url, true},
		{"neither", who + head, url, false},
		{"no title", who + closing + details + ref, url, false},
		{"no employer", head + closing, url, false},
		{"empty employer", `<span id="employer_name"> </span>` + head + closing, url, false},
		{"employer above the title", "<p>Norhaven</p><h1>Porter</h1>" + details + ref, url, true},
		{"a line above the title of a notice", "<p>Back</p><h1>Closed</h1><p>The closing date is 1 May 2026</p>", url, false},
		{"no reference at all", who + head + closing, "", false},
		{"a search", who + head + closing + `<li data-test="search-result"></li>`, url, false},
	}
	for _, tt := range tests {
		v, err := ReadAdvert(page.Page{URL: tt.url, Body: []byte(tt.body)})
		if tt.ok && (err != nil || v.Title != "Porter" || v.Employer != "Norhaven") {
			t.Errorf("%s: %q of %q, %v", tt.name, v.Title, v.Employer, err)
		}
		if !tt.ok && !errors.Is(err, page.ErrLayout) {
			t.Errorf("%s: %+v, %v; want an unknown layout", tt.name, v, err)
		}
	}
}

func TestReadAdvertFields(t *testing.T) {
	advert := func(more string) string {
		return `<span id="employer_name">Norhaven</span><h1 id="heading">Porter</h1><p id="closing_date">The closing date is 1 May 2026</p>` + more
	}
	tests := []struct {
		name, body string
		check      func(v vacancy.Vacancy) any
		want       any
	}{
		{"band in the scheme", advert(`<p id="payscheme-type">Band 7</p>`), func(v vacancy.Vacancy) any { return v.Band + " " + v.BandFrom }, "7 printed"},
		{"band by label", advert(`<h3>Band</h3><p>Band 8a</p><h3>Salary</h3>`), func(v vacancy.Vacancy) any { return v.Band + " " + v.BandFrom }, "8a printed"},
		{"two bands", advert(`<p id="payscheme-band">Band 5/6</p>`), func(v vacancy.Vacancy) any { return v.AllBands() }, []string{"5", "6"}},
		{"blank band", advert(`<h3>Band</h3><p id="payscheme-band"> </p><h3>Salary</h3><p>Band 6</p>`), func(v vacancy.Vacancy) any { return v.Band + v.BandFrom }, ""},
		{"salary over two lines", advert("<h3>Salary</h3>\n<p id=\"fixed_salary\">&pound;30,000 a year\n   pro rata</p>"), func(v vacancy.Vacancy) any { return v.Salary.Text }, "£30,000 a year pro rata"},
		{"negotiable", advert(`<p id="negotiable_salary">Negotiable</p>`), func(v vacancy.Vacancy) any { return v.Salary.Negotiable }, true},
		{"no salary", advert(""), func(v vacancy.Vacancy) any { return v.Salary == nil }, true},
		{"patterns one a line", advert(`<h3 id="working_pattern_heading">Working pattern</h3><p>Full-time</p><p>Part-time</p><h3>Contract</h3>`),
			func(v vacancy.Vacancy) any { return v.WorkingPatterns }, []string{"Full time", "Part time"}},
		{"no sponsorship", advert(""), func(v vacancy.Vacancy) any { return v.Sponsorship }, vacancy.NotOffered},
		{"sponsorship in prose", advert(`<h3>Job summary</h3><p id="job_overview">Certificate of Sponsorship</p>`), func(v vacancy.Vacancy) any { return v.Sponsorship }, vacancy.NotOffered},
		{"sponsorship by label", advert(`<h3>Certificate of Sponsorship</h3><p>Welcome.</p>`), func(v vacancy.Vacancy) any { return v.Sponsorship }, vacancy.Offered},
		{"check by id", advert(`<div id="dbs-container"></div>`), func(v vacancy.Vacancy) any { return v.DBSRequired }, true},
		{"no check", advert(""), func(v vacancy.Vacancy) any { return v.DBSRequired }, false},
		{"labels in prose", advert(`<h3>Job summary</h3><p id="job_overview">Band</p><p>Band 9</p><h3>Band</h3><p id="payscheme-band">Band 3</p>`),
			func(v vacancy.Vacancy) any { return v.Band }, "3"},
		{"the seat is no place of work", advert(`<p id="employer_town_c">Leeds</p><p id="employer_postcode_e">LS1 3EX</p>`), func(v vacancy.Vacancy) any { return len(v.Locations) }, 0},
		{"of the seat the postcode", advert(`<p id="employer_town_c">Leeds</p><p id="employer_postcode_e">ls13ex</p>`), func(v vacancy.Vacancy) any { return v.EmployerPostcode }, "LS1 3EX"},
		{"a seat that is no postcode", advert(`<p id="employer_postcode_e">call Jo Example</p>`), func(v vacancy.Vacancy) any { return v.EmployerPostcode }, ""},
		{"the seat by label", advert(`<h2>Employer details</h2><h3>Employer name</h3><p>Norhaven</p><h3>Address</h3><p>1 High Street</p><p>Leeds, LS1 3EX</p><br><h3>Employer's website</h3><p>BD1 1AA</p>`),
			func(v vacancy.Vacancy) any { return v.EmployerPostcode }, "LS1 3EX"},
		{"an address that is not the employer's", advert(`<h2>Employer details</h2><h3>Employer name</h3><p>Norhaven</p><h2>Employer contact details</h2><h3>Address</h3><p>LS1 3EX</p>`),
			func(v vacancy.Vacancy) any { return v.EmployerPostcode }, ""},
		{"the place of work is no seat", advert(`<p id="employer_town">Leeds</p><p id="employer_postcode">LS1 3EX</p>`), func(v vacancy.Vacancy) any { return v.EmployerPostcode }, ""},
		{"a list of places in the town", advert(`<p id="employer_address_line_1">Anchor House</p><p id="employer_town">Derby DE22 3NE and Burton</p><p id="employer_postcode">DE13 0RB</p>`),
			func(v vacancy.Vacancy) any { return v.PlaceText() }, "Anchor House, Derby DE22 3NE; Burton DE13 0RB"},
		{"text in the outer paragraph", advert(`<h3>Job summary</h3><p id="job_overview">One<p>Two</p><p>Three</p></p><div><h3>About us</h3>Four</div>`),
			func(v vacancy.Vacancy) any { return v.Text.Summary }, "One\nTwo\nThree"},
		{"heading inside the next div", advert(`<h3>Job summary</h3><p id="job_overview"><p>One</p><div><div><h2>Details</h2><p>Two</p></div></div>`),
			func(v vacancy.Vacancy) any { return v.Text.Summary }, "One"},
		{"scripts", advert(`<p id="job_overview">One<script>two()</script><style>p{}</style></p>`), func(v vacancy.Vacancy) any { return v.Text.Summary }, "One"},
		{"bad bytes", advert("<p id=\"job_overview\">One \xff two</p>"), func(v vacancy.Vacancy) any { return v.Text.Summary }, "One \ufffd two"},
		{"contact in the title", strings.Replace(advert(""), "Porter", "Porter - call 0113 496 0000", 1), func(v vacancy.Vacancy) any { return v.Title }, "Porter - call"},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.check(readAdvertString(t, tt.body))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestPlacesByLabel(t *testing.T) {
	tests := []struct {
		name, lines string
		want        []vacancy.Location
	}{
		{"whole", "<p>City Hospital</p><p>London</p><p>London</p><p>EC1A 7BE</p>",
			[]vacancy.Location{{Site: "City Hospital", Town: "London", County: "London", Postcode: "EC1A 7BE"}}},
		{"divs and a country", "<div>City Hospital</div><div>Leeds</div><div></div><div>LS13EX</div><div>United Kingdom</div>",
			[]vacancy.Location{{Site: "City Hospital", Town: "Leeds", Postcode: "LS1 3EX"}}},
		{"line breaks", "<p>City Hospital<br>Mill Lane<br>Leeds<br>West Yorkshire<br>LS1 3EX</p>",
			[]vacancy.Location{{Site: "City Hospital, Mill Lane", Town: "Leeds", County: "West Yorkshire", Postcode: "LS1 3EX"}}},
		{"town alone", "<p>Leeds</p><p>LS1 3EX</p>", []vacancy.Location{{Town: "Leeds", Postcode: "LS1 3EX"}}},
		{"postcode behind the town", "<p>City Hospital</p><p>Leeds LS1 3EX</p>", []vacancy.Location{{Site: "City Hospital", Town: "Leeds", Postcode: "LS1 3EX"}}},
		{"two, divided by postcodes", "<p>A House</p><p>Leeds</p><p>LS1 3EX</p><p>B House</p><p>Otley</p><p>LS21 1AA</p>",
			[]vacancy.Location{{Site: "A House", Town: "Leeds", Postcode: "LS1 3EX"}, {Site: "B House", Town: "Otley", Postcode: "LS21 1AA"}}},
		{"two, divided by a gap", "<p>Leeds</p><br><p>Otley</p><br>", []vacancy.Location{{Town: "Leeds"}, {Town: "Otley"}}},
		{"nothing", "<br>", nil},
	}
	for _, tt := range tests {
		body := `<span id="employer_name">Norhaven</span><h1 id="heading">Porter</h1><h3>Date posted</h3><p>1 May 2026</p><h3>Job locations</h3>` + tt.lines + `<h2>Job description</h2><p>Leeds LS1 3EX</p>`
		if diff := cmp.Diff(tt.want, readAdvertString(t, body).Locations); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestSeed holds that both seed fixtures give every value that must be read
// from the seed advert.
func TestSeed(t *testing.T) {
	raw, err := os.ReadFile("../../../shared/seed-advert.expected.json")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the expected values of the seed advert are not beside this checkout")
	}
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Title, Employer, Reference, Band, Contract, Duration, Posted, Closing, Specialty string
		PayScheme                                                                        string `json:"pay_scheme"`
		Salary                                                                           struct {
			Min, Max             vacancy.Money
			Unit, Currency, Text string
		}
		WorkingPattern []string `json:"working_pattern"`
		Locations      []struct{ Site, Town, County, Postcode string }
		Sponsorship    bool `json:"sponsorship_welcome"`
		DBS            bool `json:"dbs_required"`
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"advert-seed-ids.html", "advert-seed-labels.html"} {
		for _, url := range []string{"", AdvertURL("", "C9259-26-0123")} {
			v, err := ReadAdvert(load(t, file, url))
			if err != nil {
				t.Fatal(err)
			}
			v.Derive()
			check := func(field string, got, want any) {
				t.Helper()
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s at %q: %s (-want +got):\n%s", file, url, field, diff)
				}
			}
			printed := v.EmployerReference
			if url == "" {
				printed = v.Reference
			}
			check("title", v.Title, want.Title)
			check("employer", v.Employer, want.Employer)
			check("reference", printed, want.Reference)
			check("pay scheme", v.PayScheme, want.PayScheme)
			check("bands", v.AllBands(), []string{want.Band})
			check("salary", *v.Salary, vacancy.Salary{Min: want.Salary.Min, Max: want.Salary.Max, Unit: want.Salary.Unit, Text: want.Salary.Text})
			check("contract", v.Contract, want.Contract)
			check("duration", v.Duration, want.Duration)
			check("posted", v.Posted.Day().String(), want.Posted)
			check("closing", v.Closing.String(), want.Closing)
			check("sponsorship", v.Sponsorship == vacancy.Offered, want.Sponsorship)
			check("check of convictions", v.DBSRequired, want.DBS)
			check("number of patterns", len(v.WorkingPatterns), len(want.WorkingPattern))
			for i, p := range want.WorkingPattern {
				check("pattern", vacancy.Fold(v.WorkingPatterns[i]), vacancy.Fold(p))
			}
			check("number of places", len(v.Locations), len(want.Locations))
			for i, l := range want.Locations {
				got := v.Locations[i]
				check("place", []string{got.Site, got.Town, got.County, got.Postcode}, []string{l.Site, l.Town, l.County, l.Postcode})
			}
			var specialties []string
			for _, s := range v.Specialties {
				specialties = append(specialties, s.ID)
			}
			check("specialties", specialties, []string{want.Specialty})
		}
	}
}
