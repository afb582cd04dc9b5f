package index

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

var today = vacancy.Day{Year: 2026, Month: time.March, Day: 2}

func some[T any](t *rapid.T, label string, most int, of ...T) []T {
	if rapid.IntRange(0, 2).Draw(t, label+"?") > 0 {
		return nil
	}
	return rapid.SliceOfN(rapid.SampledFrom(of), 1, most).Draw(t, label)
}

func one[T any](t *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(t, label) }

var (
	criteria  = vacancy.Criteria()
	towns     = []string{"London", "Croydon", "Leeds", "Cardiff", "Swansea", "Newport, Wales", "EC1A 7", "LS1", "BD1"}
	keywords  = []string{"nurse", "staff nurse", `"staff nurse"`, `"ward clerk"`, "title:clerk", `title:"staff nurse"`, "nurse OR clerk", "nurse NOT bank", "NOT bank nurse", "NOT (bank OR night)", "(nurse AND ward) OR title:midwife", "bank", "A&E", `nurse (ward OR clinic) -"night shift"`, `"staff nurse" OR midwife`}
	texts     = []string{"", "Staff Nurse", "Ward Clerk", "Bank Staff Nurse", "Midwife for the ward", "A&E nurse, night shift", "a clinic", "staff", "nurse", "Clerk (internal applicants only)"}
	specials  = []string{"oncology", "cardiology", "haematology", "stroke"}
	employers = []string{"C9001", "C-9001", "C9002", "Marlowe Health NHS Trust", "marlowe health", "Acorn Surgery", "A1234"}
)

// drawPlace draws a place that Prepare accepts.
func drawPlace(t *rapid.T) vacancy.Place {
	p := vacancy.Place{Name: "x", Remote: one(t, "remote", false, false, true)}
	switch one(t, "kind of place", "point", "point", "region", "area", "home") {
	case "point":
		at, err := vacancy.NewPlace(one(t, "town", towns...), one(t, "miles", 1, 5, 10, 30, 100))
		if err != nil {
			t.Fatal(err)
		}
		at.Remote = p.Remote
		return at
	case "region":
		p.Region = one(t, "region", "London", "Wales", "Yorkshire and The Humber", "Northern Ireland")
	case "area":
		p.Area = one(t, "area", "Kent", "Surrey", "Midlands (NHS region)", "England", "West Glamorgan", "West Yorkshire")
	default:
		p.Remote = true
	}
	return p
}

// drawSearch draws a search with any criteria that asks for something.
func drawSearch(t *rapid.T, id string) *vacancy.Search {
	s := vacancy.Search{
		ID:          id,
		Bands:       some(t, "bands", 3, "2", "5", "6", "8a", vacancy.Consultant, vacancy.BandUnstated),
		StaffGroups: some(t, "staff groups", 2, "01", "03", "08"),
		Specialties: some(t, "specialties", 3, append([]string{"cancer"}, specials...)...),
		StatedOnly:  rapid.Bool().Draw(t, "stated only"),
		Employers:   some(t, "employers", 2, employers...), NotEmployers: some(t, "not employers", 2, employers...),
		Contracts: some(t, "contracts", 2, "Permanent", "Fixed term", "Bank"),
		MinMonths: one(t, "min months", 0, 0, 0, 1, 6, 12, 120), MaxMonths: one(t, "max months", 0, 0, 0, 6, 12, 24, 120),
		Patterns:  some(t, "patterns", 2, "Full time", "Part time", "Job share"),
		MinSalary: one(t, "salary", 0, 0, 1, 30000, 33094, 33095, 60050, 1_000_000), Sponsorship: one(t, "sponsorship", false, false, true),
		DaysLeft: one(t, "days left", 0, 0, 1, 5, 9, 365), Internal: rapid.Bool().Draw(t, "internal"),
		Keywords: one(t, "keywords", append([]string{"", "", ""}, keywords...)...),
		Unstated: map[string]bool{},
	}
	for range one(t, "places", 0, 0, 1, 1, 2, 4) {
		s.Places = append(s.Places, drawPlace(t))
	}
	for _, c := range criteria {
		if rapid.IntRange(0, 3).Draw(t, "flip "+c.Name) == 0 {
			s.Unstated[c.Name] = rapid.Bool().Draw(t, c.Name)
		}
	}
	if s.Prepare() != nil {
		// It asks for nothing, or for what cannot be: any other will do.
		s = vacancy.Search{ID: id, Bands: []string{"5"}}
		if err := s.Prepare(); err != nil {
			t.Fatal(err)
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
		// What no record can say.
		s.Specialties = append(s.Specialties, "new-to-us")
	}
	return &s
}

func drawVacancy(t *rapid.T) *vacancy.Vacancy {
	v := vacancy.Vacancy{
		Source: "nhs-jobs", Reference: one(t, "reference", "C9001-26-0001", "C9002-26-0001", "A1234-26-0001", "odd"),
		Title: one(t, "title", texts...), Employer: one(t, "employer", "", "Marlowe Health NHS Trust", "Marlowe-Health", "Acorn Surgery", "C9002"),
		PayScheme: one(t, "scheme", "", "Agenda for change", "Other"),
		Band:      one(t, "band", "", "2", "5", "8a", vacancy.Consultant, "unheard-of"), AlsoBands: one(t, "also", nil, []string{"6"}, []string{"8a", "8b"}),
		Contract: one(t, "contract", "", "Permanent", "fixed-term", "Fixed term", "Zero hours"), Duration: one(t, "duration", "", "6 months", "6-12 months", "1 year", "up to 2 years", "a while"),
		WorkingPatterns: one(t, "patterns", nil, []string{"Full time"}, []string{"Part time", "Shifts"}, []string{"Shifts"}),
		StaffGroup:      one(t, "staff group", "", "01", "03", "08", "99"),
		Sponsorship:     one(t, "sponsorship", "", vacancy.Offered, vacancy.NotOffered),
		PageUnread:      one(t, "unread", false, false, true),
		Text: vacancy.Text{Summary: one(t, "summary", texts...), Duties: one(t, "duties", texts...),
			Description: one(t, "description", texts...), Requirements: one(t, "requirements", texts...)},
	}
	if n := one(t, "closing", -1, 0, 1, 5, 9, 400); n >= 0 {
		v.Closing = today.Add(n)
	}
	for _, place := range some(t, "sites", 3, "London EC1A 7BE", "Leeds LS1 3EX", "Croydon CR7 7YE", "Remote LS1 3EX", "Nowhere", "Across Wales CF14 1AA",
		"Swansea or Cwmbran NP44 7HF", "Cardiff / Talbot Green CF15 7QZ", "Maidstone ME14 1XX", "Belfast BT9 6AY", "") {
		l := vacancy.ParseLocation(place)
		l.County = one(t, "county", "", "", "Kent", "Surrey")
		v.Locations = append(v.Locations, l)
	}
	v.EmployerPostcode = one(t, "seat", "", "LS1 3EX", "CF14 1AA", "ME14 1XX", "BT9 6AY")
	v.Derive()
	v.Specialties, v.StaffGroup = nil, one(t, "told staff group", "", "01", "03", "08", "99")
	for _, id := range some(t, "named", 2, append([]string{"new-to-us"}, specials...)...) {
		v.Specialties = append(v.Specialties, vacancy.Specialty{ID: id, Confidence: one(t, "confidence", "stated", "inferred")})
	}
	if max := one(t, "pay", 0, 100, 33094, 33095, 60050, 2_000_000); max > 0 {
		v.Salary = &vacancy.Salary{Min: 100, Max: vacancy.Money(max)*100 + vacancy.Money(one(t, "pence", 0, 50)), Unit: one(t, "unit", vacancy.PerYear, vacancy.PerYear, vacancy.PerHour, ""),
			Negotiable: one(t, "negotiable", false, false, true)}
	}
	return &v
}

// plain is the answer by definition.
func plain(searches map[string]*vacancy.Search, v *vacancy.Vacancy) []string {
	var out []string
	for id, s := range searches {
		if vacancy.Matches(s, v, today) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

func answer(ix *Index, v *vacancy.Vacancy) []string {
	var out []string
	ix.Match(v, today, func(id string) bool {
		out = append(out, id)
		return true
	})
	slices.Sort(out)
	return out
}

// TestAgreesWithMatches lets a world of searches and vacancies go on, and
// compares every answer of the index with that of the definition.
func TestAgreesWithMatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ix := New()
		held := map[string]*vacancy.Search{}
		look := func(t *rapid.T) {
			v := drawVacancy(t)
			got, want := answer(ix, v), plain(held, v)
			if !slices.Equal(got, want) {
				for _, id := range append(got, want...) {
					if slices.Contains(got, id) != slices.Contains(want, id) {
						t.Logf("%s: %+v", id, *held[id])
					}
				}
				t.Fatalf("got %v, want %v of %d for %+v", got, want, len(held), *v)
			}
		}
		add := func(t *rapid.T) {
			s := drawSearch(t, fmt.Sprint("s", rapid.IntRange(0, 30).Draw(t, "id")))
			ix.Add(s)
			held[s.ID] = s
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": add,
			"add more": func(t *rapid.T) {
				for range 4 {
					add(t)
				}
			},
			"remove": func(t *rapid.T) {
				id := fmt.Sprint("s", rapid.IntRange(0, 30).Draw(t, "id"))
				_, there := held[id]
				if got := ix.Remove(id); got != there {
					t.Fatalf("Remove(%s) = %v, want %v", id, got, there)
				}
				delete(held, id)
			},
			"compact": func(*rapid.T) { ix.Compact() },
			"shut": func(*rapid.T) {
				ix.mu.Lock()
				ix.shut()
				ix.mu.Unlock()
			},
			"merge": func(*rapid.T) { ix.merge(false) },
			"learn": func(t *rapid.T) { ix.Learn(drawVacancy(t), today) },
			"look":  look,
			"": func(t *rapid.T) {
				if got := ix.Len(); got != len(held) {
					t.Fatalf("Len() = %d, want %d", got, len(held))
				}
				look(t)
			},
		})
	})
}
