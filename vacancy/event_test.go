package vacancy

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDiff(t *testing.T) {
	base := Vacancy{
		Title: "Ward Clerk", Employer: "Marlowe Health", Band: "5", AlsoBands: []string{"6"}, Salary: ParseSalary("£30,000 a year"),
		Contract: "Fixed term", Duration: "18 months", WorkingPatterns: []string{"Full time", "Job share"}, Closing: Day{2026, time.March, 13},
		Locations: []Location{{Site: "Marlowe General", Town: "London", Postcode: "E1 1BB"}, {Town: "Leeds", Postcode: "LS1 3EX"}},
	}
	tests := []struct {
		name string
		edit func(*Vacancy)
		want []Change
	}{
		{"nothing", func(*Vacancy) {}, nil},
		{"title", func(v *Vacancy) { v.Title = "Clerk" }, []Change{{"title", "Ward Clerk", "Clerk"}}},
		{"employer", func(v *Vacancy) { v.Employer = "Kyd Health" }, []Change{{"employer", "Marlowe Health", "Kyd Health"}}},
		{"closing", func(v *Vacancy) { v.Closing = v.Closing.Add(1) }, []Change{{"closing", "2026-03-13", "2026-03-14"}}},
		{"one band less", func(v *Vacancy) { v.AlsoBands = nil }, []Change{{"band", "5/6", "5"}}},
		{"bands in another order", func(v *Vacancy) { v.Band, v.AlsoBands = "6", []string{"5"} }, nil},
		{"salary", func(v *Vacancy) { v.Salary = ParseSalary("£31,000 a year") }, []Change{{"salary", "£30,000 a year", "£31,000 a year"}}},
		{"salary in other words", func(v *Vacancy) { v.Salary = ParseSalary("£30000.00") }, nil},
		{"contract", func(v *Vacancy) { v.Contract = "Bank" }, []Change{{"contract", "Fixed term", "Bank"}}},
		{"contract in another spelling", func(v *Vacancy) { v.Contract = "Fixed-Term" }, nil},
		{"duration", func(v *Vacancy) { v.Duration = "2 years" }, []Change{{"duration", "18 months", "2 years"}}},
		{"patterns", func(v *Vacancy) { v.WorkingPatterns = []string{"Part time"} }, []Change{{"working_patterns", "Full time, Job share", "Part time"}}},
		{"patterns in another order", func(v *Vacancy) { v.WorkingPatterns = []string{"Job share", "Full time"} }, nil},
		{"places in another order", func(v *Vacancy) { v.Locations = []Location{v.Locations[1], v.Locations[0]} }, nil},
		{"the site of a place", func(v *Vacancy) { v.Locations = []Location{{Town: "London", Postcode: "e11bb"}, v.Locations[1]} }, nil},
		{"towns without postcodes", func(v *Vacancy) { v.Locations = []Location{{Town: "leeds"}, {Town: "London"}} }, nil},
		{"another place", func(v *Vacancy) { v.Locations = []Location{{Town: "Leeds", Postcode: "LS1 3EX"}} },
			[]Change{{"locations", "Marlowe General, London E1 1BB; Leeds LS1 3EX", "Leeds LS1 3EX"}}},
		{"nothing stated", func(v *Vacancy) { *v = Vacancy{} }, nil},
	}
	for _, tt := range tests {
		v := base.Clone()
		tt.edit(&v)
		if diff := cmp.Diff(tt.want, Diff(&base, &v)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		var back []Change
		for _, c := range tt.want {
			back = append(back, Change{c.Field, c.After, c.Before})
		}
		if diff := cmp.Diff(back, Diff(&v, &base)); diff != "" {
			t.Errorf("%s, the other way round (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestEventID(t *testing.T) {
	e := Event{Kind: ClosingMoved, Version: 3, Vacancy: Vacancy{Source: "nhs-jobs", Reference: "C9001-26-0123"}}
	if got, want := e.ID(), "nhs-jobs/C9001-26-0123|closing_moved|3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKey(t *testing.T) {
	for _, k := range []Key{{"nhs-jobs", "C9001-26-0123"}, {"a", "b/c"}} {
		if got, err := ParseKey(k.String()); err != nil || got != k {
			t.Errorf("%q is read as %v, %v", k, got, err)
		}
	}
	for _, s := range []string{"", "nhs-jobs", "/C9001-26-0123", "nhs-jobs/"} {
		if k, err := ParseKey(s); err == nil {
			t.Errorf("%q is read as %v, want an error", s, k)
		}
	}
}

// golden is the shape in which a vacancy leaves the program.
const golden = `{"schema":1,"source":"nhs-jobs","reference":"C9001-26-0123","employer_reference":"900-7750001MGH-A",` +
	`"url":"https://www.jobs.nhs.uk/candidate/jobadvert/C9001-26-0123",` +
	`"title":"Medical Secretary/Patient Care Co-ordinator","employer":"Marlowe Health NHS Trust",` +
	`"pay_scheme":"Agenda for change","band":"4","band_from":"printed",` +
	`"salary":{"min":33094,"max":36195,"unit":"year","text":"£33,094 to £36,195 a year per annum inc"},` +
	`"contract":"Fixed term","duration":"18 months","working_patterns":["Full time"],` +
	`"specialties":[{"id":"oncology","confidence":"stated","evidence":"summary: Medical Oncology Service"}],` +
	`"sponsorship":"offered","locations":[{"site":"Marlowe General Hospital","town":"London","postcode":"EC1A 7BE",` +
	`"lat":51.517,"lon":-0.1}],"posted":"2026-02-27","closing":"2026-03-13","first_seen":"2026-02-27T09:22:10Z"}`

// seed is the vacancy of golden, with prose that never leaves the program.
func seed() Vacancy {
	lat, lon := 51.517, -0.1
	return Vacancy{
		Schema: Schema, Source: "nhs-jobs", Reference: "C9001-26-0123", EmployerReference: "900-7750001MGH-A",
		URL:   "https://www.jobs.nhs.uk/candidate/jobadvert/C9001-26-0123",
		Title: "Medical Secretary/Patient Care Co-ordinator", Employer: "Marlowe Health NHS Trust",
		PayScheme: "Agenda for change", Band: "4", BandFrom: FromPrinted,
		Salary:   ParseSalary("£33,094 to £36,195 a year per annum inc"),
		Contract: "Fixed term", Duration: "18 months", WorkingPatterns: []string{"Full time"},
		Specialties: []Specialty{{ID: "oncology", Confidence: "stated", Evidence: "summary: Medical Oncology Service"}},
		Sponsorship: Offered,
		Locations:   []Location{{Site: "Marlowe General Hospital", Town: "London", Postcode: "EC1A 7BE", Lat: &lat, Lon: &lon}},
		Posted:      OnDay(Day{2026, time.February, 27}), Closing: Day{2026, time.March, 13},
		FirstSeen: time.Date(2026, time.February, 27, 9, 22, 10, 0, time.UTC),
		Text:      Text{Summary: "Come and type letters."},
	}
}

func TestVacancyJSON(t *testing.T) {
	v := seed()
	b, err := json.Marshal(&v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(golden, string(b)); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	var back Vacancy
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	v.Text = Text{}
	if diff := cmp.Diff(v, back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestMomentJSON(t *testing.T) {
	for want, m := range map[string]Moment{
		`null`:                   {},
		`"2026-02-27"`:           OnDay(Day{2026, time.February, 27}),
		`"2026-06-27T22:30:00Z"`: AtTime(time.Date(2026, time.June, 27, 23, 30, 0, 0, London())),
	} {
		b, err := json.Marshal(m)
		if err != nil || string(b) != want {
			t.Errorf("got %s, %v, want %s", b, err, want)
		}
		var back Moment
		if err := json.Unmarshal(b, &back); err != nil || back != m {
			t.Errorf("%s is read as %v, %v", want, back, err)
		}
	}
	var m Moment
	for _, s := range []string{`"yesterday"`, `7`, `"2026-02-30"`} {
		if err := json.Unmarshal([]byte(s), &m); err == nil {
			t.Errorf("%s is read as %v, want an error", s, m)
		}
	}
}

func TestMerge(t *testing.T) {
	when := AtTime(noon)
	tests := []struct {
		name       string
		edit, page func(*Vacancy) // of the listing, of the page
		want       func(*Vacancy) // the listing after
	}{
		{"an empty page", nil, func(v *Vacancy) { *v = Vacancy{} }, nil},
		{"the page wins", nil, func(v *Vacancy) { v.Title, v.Closing = "Clerk", closing.Add(2) },
			func(v *Vacancy) { v.Title, v.Closing = "Clerk", closing.Add(2) }},
		{"the listing's reference stays", nil, func(v *Vacancy) { v.Reference, v.EmployerReference = "other", "9-A" },
			func(v *Vacancy) { v.EmployerReference = "9-A" }},
		{"the reference is no employer's reference", nil, func(v *Vacancy) { v.EmployerReference = "C9001-26-0123" }, nil},
		{"the exact posting time stays", posted(when), posted(OnDay(closing)), posted(when)},
		{"a posting day is taken over", nil, posted(OnDay(closing)), posted(OnDay(closing))},
		{"the longer list of places stays", sites(Location{Town: "A"}, Location{Town: "B"}), sites(Location{Site: "C"}),
			sites(Location{Town: "A"}, Location{Town: "B"})},
		{"the page's places", nil, sites(Location{Site: "C"}), sites(Location{Site: "C"})},
		{"band and text", nil, func(v *Vacancy) {
			v.Band, v.AlsoBands, v.BandFrom, v.Text.Duties = "5", []string{"6"}, FromPrinted, "Type."
		},
			func(v *Vacancy) {
				v.Band, v.AlsoBands, v.BandFrom, v.Text.Duties = "5", []string{"6"}, FromPrinted, "Type."
			}},
	}
	for _, tt := range tests {
		v, want, page := listed(), listed(), listed()
		for _, e := range []struct {
			edit func(*Vacancy)
			on   []*Vacancy
		}{{tt.edit, []*Vacancy{&v, &want}}, {tt.page, []*Vacancy{&page}}, {tt.want, []*Vacancy{&want}}} {
			for _, on := range e.on {
				if e.edit != nil {
					e.edit(on)
				}
			}
		}
		want.PageUnread = false
		v.Merge(&page)
		if diff := cmp.Diff(want, v); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
