package nhsjobs

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// shared reads a saved page of the real site. They may not be part of this
// repository, so the tests on them run only where they lie beside it.
func shared(t *testing.T, file string) page.Page {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("../../../shared/nhsjobs-pages", file))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the saved pages of NHS Jobs are not beside this checkout")
	}
	if err != nil {
		t.Fatal(err)
	}
	return page.Page{Body: body}
}

func TestSharedListings(t *testing.T) {
	for file, want := range map[string]page.Listing{
		"search-results-healthcare-assistant-p1.rendered-dom.html":    {Total: 8414, Pages: 842, Number: 1},
		"search-results-healthcare-assistant-p1.browser-saved-a.html": {Total: 8416, Pages: 842, Number: 1},
		"search-results-healthcare-assistant-p1.browser-saved-b.html": {Total: 8416, Pages: 842, Number: 1},
		"search-results-employer-change-grow-live-p1.raw-slices.html": {Total: 20, Pages: 2, Number: 1},
	} {
		p := shared(t, file)
		l, err := ReadListing(p, 1)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if len(l.Vacancies) != 10 {
			t.Errorf("%s: %d vacancies, want 10", file, len(l.Vacancies))
		}
		if diff := cmp.Diff(want, stripped(l)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
		for i, v := range l.Vacancies {
			if !vacancy.ValidReference(v.Reference) || v.Title == "" || v.Employer == "" || v.Salary == nil || v.Posted.IsZero() ||
				v.Closing.IsZero() || v.Contract == "" || len(v.WorkingPatterns) == 0 || len(v.Locations) == 0 {
				t.Errorf("%s: card %d lacks something: %+v", file, i+1, v)
			}
			for _, place := range v.Locations {
				if place.Postcode == "" {
					t.Errorf("%s: card %d has a place without postcode: %+v", file, i+1, place)
				}
			}
		}
		if kind, err := Detect(p); kind != KindListing {
			t.Errorf("Detect(%s) = %q, %v", file, kind, err)
		}
	}
}

func TestSharedPlaces(t *testing.T) {
	l, err := ReadListing(shared(t, "search-results-employer-change-grow-live-p1.raw-slices.html"), 1)
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	single := false
	for _, v := range l.Vacancies {
		most = max(most, len(v.Locations))
		single = single || len(v.Locations) == 1 && v.Locations[0] == vacancy.Location{Town: "Liverpool, Merseyside", Postcode: "L11 4SJ"}
	}
	if most != 3 || !single {
		t.Errorf("most places of an advert are %d, want 3; the place with a comma is one: %t", most, single)
	}
}

func TestSharedNothing(t *testing.T) {
	p := shared(t, "search-no-results-jobreference.page-source.html")
	l, err := ReadListing(p, 1)
	if diff := cmp.Diff(page.Listing{Empty: true, Last: true}, l); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if kind, err := Detect(p); kind != KindListing {
		t.Errorf("Detect = %q, %v", kind, err)
	}
}

func TestSharedAPI(t *testing.T) {
	l, err := ReadAPI(shared(t, "api-search_xml-apprenticeship-page1.xml"), 1, fetched)
	if err != nil {
		t.Fatal(err)
	}
	// Its author has left two adverts of the page, and says so.
	if diff := cmp.Diff(page.Listing{Total: 54, Pages: 2, Defects: []string{page.DefectShort}}, stripped(l)); diff != "" || len(l.Vacancies) != 2 {
		t.Fatalf("%d vacancies (-want +got):\n%s", len(l.Vacancies), diff)
	}
	v := l.Vacancies[0]
	got := []string{v.Reference, v.Posted.Time.Format("2006-01-02T15:04:05.000Z"), v.Closing.String(), v.Salary.Unit, v.Contract, v.PlaceText(), v.URL}
	want := []string{"C9309-24-0264", "2024-02-12T15:57:11.165Z", "2024-03-06", "year", "Apprenticeship", "London NW1 2PG",
		"https://www.jobs.nhs.uk/candidate/jobadvert/C9309-24-0264"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("first vacancy (-want +got):\n%s", diff)
	}
	l, err = ReadAPI(shared(t, "api-search_xml-no-results.xml"), 1, fetched)
	if diff := cmp.Diff(page.Listing{Empty: true, Last: true}, l); err != nil || diff != "" {
		t.Errorf("nothing found: %v (-want +got):\n%s", err, diff)
	}
}

func TestSharedAdvert(t *testing.T) {
	p := shared(t, "advert-E9847-26-0265.trimmed-fragment.html")
	p.URL = "https://www.jobs.nhs.uk/candidate/jobadvert/E9847-26-0265"
	got, err := ReadAdvert(p)
	if err != nil {
		t.Fatal(err)
	}
	text := got.Text
	got.Text = vacancy.Text{}
	want := vacancy.Vacancy{
		Schema: vacancy.Schema, Reference: "E9847-26-0265", EmployerReference: "847-RM-26-V945", URL: p.URL,
		Title: "Public Health Practitioner", Employer: "Spectrum Community Health CIC", PayScheme: "Agenda for change",
		Band: "7", BandFrom: vacancy.FromPrinted,
		Salary:   &vacancy.Salary{Min: 4938700, Max: 5651500, Unit: vacancy.PerYear, Text: "£49,387 to £56,515 a year per annum, pro rata for part time"},
		Contract: "Permanent", Sponsorship: vacancy.NotOffered,
		Locations: []vacancy.Location{{Site: "Navigation Walk", Town: "Wakefield", Postcode: "WF1 5RH"}},
		Posted:    vacancy.OnDay(vacancy.Day{Year: 2026, Month: 8, Day: 11}), Closing: vacancy.Day{Year: 2026, Month: 9, Day: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Each block holds its own text, and not what follows it.
	for _, b := range []struct {
		name, text, begins, ends string
		lines                    int
	}{
		{"summary", text.Summary, "Leading the development", "peer support.", 2},
		{"duties", text.Duties, "What you'll be doing\nDevelop", "interventions.", 3},
		{"description", text.Description, "About you\nSignificant", "communities.", 2},
		{"requirements", text.Requirements, "application form\nKnowledge", "registration)", 4},
	} {
		if !strings.HasPrefix(b.text, b.begins) || !strings.HasSuffix(b.text, b.ends) || strings.Count(b.text, "\n")+1 != b.lines {
			t.Errorf("%s is %q", b.name, b.text)
		}
	}
	if kind, err := Detect(p); kind != KindAdvert {
		t.Errorf("Detect = %q, %v", kind, err)
	}
}

// TestSharedCards parses what a scraper has read from 104 adverts.
func TestSharedCards(t *testing.T) {
	var cards []struct {
		Reference string
		Record    struct{ Salary, Closing, Location, Title string }
	}
	if err := json.Unmarshal(shared(t, "scraped-cards.json").Body, &cards); err != nil {
		t.Fatal(err)
	}
	welsh := 0
	for _, c := range cards {
		if !vacancy.ValidReference(c.Reference) {
			t.Errorf("the reference %q is not valid", c.Reference)
		}
		d, err := vacancy.ParseDay(c.Record.Closing)
		if err != nil || d.Year != 2026 || d.Month < 4 || d.Month > 8 {
			t.Errorf("closing date %q is %v, %v", c.Record.Closing, d, err)
		}
		if strings.Contains(c.Record.Closing, "Awst") && d.String() == "2026-08-06" {
			welsh++
		}
		s := vacancy.ParseSalary(c.Record.Salary)
		switch {
		case s == nil:
			t.Errorf("salary %q is none", c.Record.Salary)
		case s.Negotiable:
			if c.Record.Salary != "Depends on experience" {
				t.Errorf("salary %q is negotiable", c.Record.Salary)
			}
		case s.Unit != vacancy.PerYear || s.UnitInferred || s.Min < 30_000_00 || s.Max > 110_000_00:
			t.Errorf("salary %q is %+v", c.Record.Salary, s)
		}
		// One record is shifted by a column: its place is a title.
		shifted := strings.HasSuffix(c.Record.Location, "- B5")
		if got := vacancy.ParseLocation(c.Record.Location); (got.Postcode == "") != shifted {
			t.Errorf("place %q is %+v", c.Record.Location, got)
		}
		if b := vacancy.BandsInTitle(c.Record.Title); (b != nil) != strings.HasSuffix(c.Record.Title, "B5") {
			t.Errorf("title %q names bands %q", c.Record.Title, b)
		}
	}
	if len(cards) != 117 || welsh != 2 {
		t.Errorf("%d records, %d with a Welsh month; want 117 and 2", len(cards), welsh)
	}
}
