package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// TestMatchSuite measures a small world: every contender gives the same
// answers, and none of the figures is missing.
func TestMatchSuite(t *testing.T) {
	c := &matchCmd{Searches: 3000, Vacancies: 30, Changes: 500, Plain: 4, Seed: 7}
	f, err := c.measure(t.Context(), c.Searches)
	if err != nil {
		t.Fatal(err)
	}
	if f.Wrong != 0 || f.Compared != 64 {
		t.Errorf("%d wrong answers of %d compared, want none of 64", f.Wrong, f.Compared)
	}
	if f.Matches < 5 {
		t.Errorf("%.1f matches a vacancy: the searches ask for what nobody offers", f.Matches)
	}
	var out bytes.Buffer
	f.print(&out)
	for _, name := range []string{"plain loop", "scan of records", "bit sets", "index", "ideal", "add: ", "wrong answers: 0"} {
		if !strings.Contains(out.String(), name) {
			t.Errorf("the table has no %q:\n%s", name, &out)
		}
	}
	out.Reset()
	if err := c.stored(t.Context(), c.Searches, &out); err != nil || !strings.Contains(out.String(), "through the store, 3000 searches") || strings.Contains(out.String(), "fetched 0 ") {
		t.Errorf("through the store: %v\n%s", err, &out)
	}
	for _, e := range f.Engines {
		if e.Mean <= 0 || e.Ideal <= 0 {
			t.Errorf("%s: %+v", e.Name, *e)
		}
	}
}

func TestMatchHolds(t *testing.T) {
	good := func() *matchFigures {
		return &matchFigures{Engines: []*contender{{Name: "index", Ideal: 4, Candidates: 2.9, Bytes: 160}}, AddP99: 19.9, Pause: 100}
	}
	var out bytes.Buffer
	if err := good().holds(&out); err != nil {
		t.Errorf("figures within their limits: %v\n%s", err, &out)
	}
	for name, spoil := range map[string]func(*matchFigures){
		"wrong answers":    func(f *matchFigures) { f.Wrong = 1 },
		"times the ideal":  func(f *matchFigures) { f.Engines[0].Ideal = 4.1 },
		"candidates":       func(f *matchFigures) { f.Engines[0].Candidates = 3 },
		"bytes a search":   func(f *matchFigures) { f.Engines[0].Bytes = 161 },
		"to add a search":  func(f *matchFigures) { f.AddP99 = 20 },
		"searches changed": func(f *matchFigures) { f.Pause, f.Control = 150, 20 },
	} {
		f := good()
		spoil(f)
		out.Reset()
		if err := f.holds(&out); err == nil || !strings.Contains(out.String(), name) || strings.Count(out.String(), "BROKEN") != 1 {
			t.Errorf("%s: %v, %s", name, err, &out)
		}
	}
}

// TestCrowd shows that a number always gives the same search, and that the
// people of the crowd ask for everything that one can ask for.
func TestCrowd(t *testing.T) {
	models := matchVacancies(world.New(7), 0, 300)
	a, b := newCrowd(7, models), newCrowd(7, models)
	used := map[string]int{}
	for n := range 2000 {
		s := a.search(n)
		if n < 50 {
			if diff := cmp.Diff(s.Describe(), b.search(n).Describe()); diff != "" {
				t.Errorf("search %d (-first +second):\n%s", n, diff)
			}
		}
		for name, uses := range map[string]bool{
			"place": len(s.Places) > 0, "places": len(s.Places) > 1, "band": len(s.Bands) > 0, "specialty": len(s.Specialties) > 0,
			"group": len(s.Specialties) > 3, "keywords": s.Query() != nil, "employer": len(s.Employers) > 0, "left out": len(s.NotEmployers) > 0,
			"contract": len(s.Contracts) > 0, "months": s.MinMonths > 0, "pattern": len(s.Patterns) > 0, "salary": s.MinSalary > 0,
			"sponsorship": s.Sponsorship, "days": s.DaysLeft > 0, "staff group": len(s.StaffGroups) > 0,
		} {
			if uses {
				used[name]++
			}
		}
	}
	if len(used) != 15 {
		t.Errorf("only these are asked for: %v", used)
	}
}

// TestMatchVacancies shows that the adverts state what searches ask for.
func TestMatchVacancies(t *testing.T) {
	stated := map[string]int{}
	for _, v := range matchVacancies(world.New(7), 0, 300) {
		for name, is := range map[string]bool{
			"band": v.Band != "", "staff group": v.StaffGroup != "", "specialty": len(v.Specialties) > 0, "salary": v.Salary.Max > 0 && v.Salary.Unit == vacancy.PerYear,
			"contract": v.Contract != "", "pattern": len(v.WorkingPatterns) > 0, "point": len(v.Points()) > 0, "region": len(v.Locations) > 0 && v.Locations[0].Region != "",
			"closing": !v.Closing.IsZero(), "text": v.Text.Summary != "" && v.Text.Requirements != "",
		} {
			if is {
				stated[name]++
			}
		}
	}
	for name, n := range stated {
		if n < 60 {
			t.Errorf("%d of 300 state %s", n, name)
		}
	}
	if len(stated) != 10 {
		t.Errorf("only these are stated: %v", stated)
	}
}
