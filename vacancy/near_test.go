package vacancy

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestNear(t *testing.T) {
	five, fifty := near(t, "E1 6AN", 5), near(t, "E1 6AN", 50)
	for _, tt := range []struct {
		name   string
		search Search
		edit   func(*Vacancy)
		want   string // criterion: reason; change
	}{
		{"it matches", Search{Bands: []string{"4"}}, nil, ""},
		{"two fail", Search{Bands: []string{"5"}, MinSalary: 36500}, nil, ""},

		{"too far", Search{Places: []Place{five}}, placed("Croydon CR7 7YE"),
			"place: 3.8 miles too far from E1 6 (Croydon CR7 7YE); search within 9 miles of E1 6 instead of 5"},
		{"much too far", Search{Places: []Place{five}}, placed("Leeds LS1 3EX"), ""},
		{"a quarter of the radius", Search{Places: []Place{fifty}}, placed("Northampton NN1 5BD"),
			"place: 10.5 miles too far from E1 6 (Northampton NN1 5BD); search within 61 miles of E1 6 instead of 50"},
		{"the place that misses least", Search{Places: []Place{near(t, "Leeds", 20), five}}, placed("Croydon CR7 7YE"),
			"place: 3.8 miles too far from E1 6 (Croydon CR7 7YE); search within 9 miles of E1 6 instead of 5"},
		{"another county", Search{Places: []Place{near(t, "Kent", 0)}}, placed("Croydon CR7 7YE"), ""},
		{"from home", Search{Places: []Place{five}}, placed("Remote LS1 3EX"),
			"place: work from home, which your search does not ask for; accept work from home as well"},
		{"no place", Search{Places: []Place{five}}, placed(), "place: no place stated; accept adverts whose place is not known"},

		{"next band", Search{Bands: []string{"5"}}, nil, "band: Band 4, you asked for band 5; also search band 4"},
		{"next band up", Search{Bands: []string{"8a"}}, func(v *Vacancy) { v.Band = "8b" }, "band: Band 8b, you asked for band 8a; also search band 8b"},
		{"two bands off", Search{Bands: []string{"6"}}, nil, ""},
		{"a grade is no step", Search{Bands: []string{"9"}}, func(v *Vacancy) { v.Band = Consultant }, ""},
		{"no band", Search{Bands: []string{"5"}}, func(v *Vacancy) { v.Band = "" }, "band: no band stated; accept adverts that do not state a band"},
		{"only adverts without a band", Search{Bands: []string{"unstated"}}, nil, ""},

		{"inferred", Search{Specialties: []string{"oncology"}, StatedOnly: true}, func(v *Vacancy) { v.Specialties[0].Confidence = "inferred" },
			"specialty: Oncology (medical and clinical) is only guessed from the text, you asked for adverts that state it; accept specialties that are only guessed from the text"},
		{"no specialty", Search{Specialties: []string{"oncology"}, StatedOnly: true}, func(v *Vacancy) { v.Specialties = nil },
			"specialty: no specialty named; accept adverts that name no specialty"},
		{"another specialty", Search{Specialties: []string{"cardiology"}}, nil, ""},

		{"not in the title", Search{Keywords: "title:letters"}, nil,
			`keywords: "letters" is not in the title; look for "letters" anywhere in the advert, not only in the title`},
		{"no such word", Search{Keywords: "porter"}, nil, ""},
		{"excluded", Search{Keywords: "secretary NOT letters"}, nil, ""},
		{"employer left out", Search{Bands: []string{"4"}, NotEmployers: []string{"C9001"}}, nil, ""},
		{"internal", Search{Bands: []string{"4"}}, titled("Clerk - Internal Applicants Only"), ""},

		{"too short", Search{MinMonths: 12}, lasting("9 months"), "duration: for 9 months, 3 months shorter than you asked; ask for at least 9 months"},
		{"a little too short", Search{MinMonths: 3}, lasting("12 weeks"), "duration: for 12 weeks, 7 days shorter than you asked; ask for at least 2 months"},
		{"much too short", Search{MinMonths: 12}, lasting("8 months"), ""},
		{"too long", Search{MaxMonths: 6}, lasting("8 months"), "duration: for 8 months, 2 months longer than you asked; ask for at most 8 months"},
		{"permanent", Search{MaxMonths: 6}, func(v *Vacancy) { v.Contract = "Permanent" }, ""},

		{"£400 below", Search{MinSalary: 36595}, nil, "min_salary: £400 below the £36,595 a year you asked for; ask for at least £36,100 a year"},
		{"far below", Search{MinSalary: 38200}, nil, ""},
		{"too soon", Search{DaysLeft: 13, Bands: []string{"4"}}, nil, "days_left: closes 2 days too soon, on 13 March 2026; ask for at least 11 days left"},
		{"much too soon", Search{DaysLeft: 15, Bands: []string{"4"}}, nil, ""},
		{"closes today", Search{DaysLeft: 1, Bands: []string{"4"}}, closes(today), "days_left: closes 1 day too soon, on 2 March 2026; ask for no days left"},
		{"over", Search{DaysLeft: 1, Bands: []string{"4"}}, closes(today.Add(-1)), ""},
		{"sponsorship", Search{Sponsorship: true}, func(v *Vacancy) { v.Sponsorship = NotOffered }, ""},
		{"sponsorship unknown", Search{Sponsorship: true}, func(v *Vacancy) { v.Sponsorship = "" },
			"sponsorship: sponsorship not known, the advert page has not been read; accept adverts of which sponsorship is not known"},
		{"contract", Search{Contracts: []string{"Bank"}}, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, v := prepared(t, tt.search), seed()
			if tt.edit != nil {
				tt.edit(&v)
			}
			before := s.Clone()
			m, ok := Near(s, &v, today)
			got := ""
			if ok {
				got = fmt.Sprintf("%s: %s; %s", m.Criterion, m.Reason, m.Change)
				if !Matches(&m.Search, &v, today) {
					t.Errorf("the loosened search does not match: %+v", m.Search)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, *s, cmpopts.IgnoreUnexported(Search{})); diff != "" {
				t.Errorf("the search itself was changed (-want +got):\n%s", diff)
			}
		})
	}
}

func lasting(text string) func(*Vacancy) { return func(v *Vacancy) { v.Duration = text } }

// TestNearMatches holds that a near miss fails by one criterion, that the
// loosened search can be saved, matches, and still matches what matched.
func TestNearMatches(t *testing.T) {
	leeds := near(t, "Leeds", 5)
	places := []Place{near(t, "E1 6AN", 3), leeds, {Name: "London", Region: "London"}}
	found := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		whole, v := drawSearch(t, places), drawVacancy(t)
		// With every criterion hardly anything fails by one alone.
		s := Search{ID: "test", Internal: true, Unstated: whole.Unstated, DaysLeft: whole.DaysLeft}
		switch rapid.IntRange(0, 5).Draw(t, "criterion") {
		case 0:
			s.Places = whole.Places
		case 1:
			s.Bands = whole.Bands
		case 2:
			s.Keywords = whole.Keywords
		case 3:
			s.MinMonths, s.MaxMonths = whole.MinMonths, whole.MaxMonths
		case 4:
			s.MinSalary, s.Contracts = whole.MinSalary, whole.Contracts
		case 5:
			s.Specialties, s.StatedOnly = whole.Specialties, whole.StatedOnly
		}
		if s.Prepare() != nil {
			return
		}
		failed := slices.DeleteFunc(Explain(&s, &v, today), func(o Outcome) bool { return o.Pass })
		m, ok := Near(&s, &v, today)
		if !ok {
			return
		}
		found[m.Criterion]++
		if len(failed) != 1 || failed[0].Criterion != m.Criterion {
			t.Fatalf("near by %s, but there fail %+v", m.Criterion, failed)
		}
		if !Matches(&m.Search, &v, today) {
			t.Fatalf("%s: %q, but %+v does not match: %+v", m.Criterion, m.Change, m.Search, Explain(&m.Search, &v, today))
		}
		again := m.Search.Clone()
		if err := again.Prepare(); err != nil {
			t.Fatalf("the loosened search cannot be saved: %v", err)
		}
		if diff := cmp.Diff(again, m.Search, cmpopts.IgnoreUnexported(Search{})); diff != "" {
			t.Fatalf("preparing the loosened search changes it:\n%s", diff)
		}
		if other := drawVacancy(t); Matches(&s, &other, today) && !Matches(&m.Search, &other, today) {
			t.Fatalf("%q loses a vacancy that matched: %+v", m.Change, other)
		}
	})
	if len(found) < 4 {
		t.Errorf("only near by %v: the worlds are too poor to test anything", found)
	}
}
