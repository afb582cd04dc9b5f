package drift_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vacancywatch/vacancywatch/crawler/drift"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

func frontOf(vs []vacancy.Vacancy, now time.Time) drift.Front {
	return checked(drift.Learned{}, "xml", now, 1, vs).Learned().Front("xml")
}

func TestStale(t *testing.T) {
	days := func(vs []vacancy.Vacancy) []vacancy.Vacancy {
		return mutated(vs, func(_ int, v *vacancy.Vacancy) { v.Posted = vacancy.OnDay(v.Posted.Day()) })
	}
	// seen are 130 vacancies, of which a page shows a hundred.
	seen := entries(130)
	closing := mutated(seen, func(i int, v *vacancy.Vacancy) {
		if i < 15 {
			v.Closing = vacancy.LondonDay(noon)
		}
	})
	lump := mutated(seen, func(i int, v *vacancy.Vacancy) {
		if i < 15 {
			v.Reference = "C9999-26-" + v.Reference[len(v.Reference)-4:]
		}
	})
	newer := func(vs []vacancy.Vacancy, n int) []vacancy.Vacancy {
		fresh := mutated(entries(n), func(_ int, v *vacancy.Vacancy) {
			v.Reference, v.Posted.Time = "U"+v.Reference[1:], v.Posted.Time.Add(10*time.Hour)
			if v.Posted.DayOnly {
				v.Posted = vacancy.OnDay(v.Posted.Day())
			}
		})
		return append(fresh, vs...)
	}
	resorted := days(seen[:10])
	resorted = append(resorted[9:10:10], days(newer(nil, 9))...)
	for _, tt := range []struct {
		name         string
		before, page []vacancy.Vacancy
		later        time.Duration
		want         bool
	}{
		{"the same page again", seen[:100], seen[:100], time.Minute, false},
		{"three newer", seen[:100], newer(seen, 3)[:100], 10 * time.Hour, false},
		{"a hundred newer", seen[:100], newer(nil, 100), 10 * time.Hour, false},
		{"older by twelve", seen[:100], seen[12:112], time.Minute, true},
		{"older by more than a front", seen[:100], seen[30:130], time.Minute, true},
		{"older by two", seen[:100], seen[2:102], time.Minute, false},
		{"the newest is withdrawn", seen[:100], seen[1:101], time.Minute, false},
		{"an employer withdraws its fifteen newest", lump[:100], lump[15:115], time.Minute, false},
		{"three withdrawn further down", seen[:100], slices.Delete(slices.Clone(seen), 3, 9)[:100], time.Minute, false},
		{"fifteen closed on their last day", closing[:100], closing[15:115], 14 * time.Hour, false},
		{"they have not closed yet, and are gone with others", closing[:100], closing[20:120], time.Minute, true},
		{"no page", seen[:100], nil, time.Minute, false},
		{"nothing known", nil, seen[:100], time.Minute, false},
		{"days: the same page again", days(seen[:10]), days(seen[:10]), time.Minute, false},
		{"days: of yesterday", days(seen[:10]), mutated(days(seen[40:50]), func(_ int, v *vacancy.Vacancy) { v.Posted = shift(v.Posted, -1) }), time.Minute, true},
		{"days: older by four of the same day", days(seen[:20]), days(seen[4:14]), time.Minute, true},
		{"days: ten newer of the same day", days(seen[:10]), days(newer(nil, 10)), time.Minute, false},
		{"days: five newer of the same day", days(seen[:10]), days(newer(seen, 5)[:10]), time.Minute, false},
		{"days: nine newer, and one sorted anew", days(seen[:10]), resorted, time.Minute, false},
	} {
		if got := frontOf(tt.before, noon).Stale(tt.page, noon.Add(tt.later)); got != tt.want {
			t.Errorf("%s: Stale = %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestFrontDoesNotGoBack: an old page that passed, for it hides too little,
// does not become the measure of the next.
func TestFrontDoesNotGoBack(t *testing.T) {
	seen := entries(130)
	l := checked(drift.Learned{}, "xml", noon, 1, seen[:100]).Learned()
	for i := range 8 {
		at := noon.Add(time.Duration(i) * time.Minute)
		page := seen[2*i : 2*i+100]
		if got, want := l.Front("xml").Stale(page, at), 2*i >= 3; got != want {
			t.Fatalf("older by %d: Stale = %v, want %v", 2*i, got, want)
		}
		if 2*i < 3 {
			l = checked(l, "xml", at, 1, page).Learned()
		}
	}
	// Those that are gone indeed are not missed for ever.
	l = checked(l, "xml", noon.Add(72*time.Hour), 1, seen[2:102]).Learned()
	if got := l.Front("xml").Entries[0].Reference; got != seen[2].Reference {
		t.Errorf("after three days the front begins with %s, want %s", got, seen[2].Reference)
	}
	// The end of a sweep is no front.
	if got := checked(l, "xml", noon.Add(73*time.Hour), 9, entries(130)[50:]).Learned().Front("xml"); got.Entries[0].Reference != seen[2].Reference {
		t.Errorf("the end of a sweep became the front, with %s", got.Entries[0].Reference)
	}
}

func TestChanged(t *testing.T) {
	later := func(n int) func(i int, v *vacancy.Vacancy) {
		return func(i int, v *vacancy.Vacancy) {
			if i < n {
				v.Closing = v.Closing.Add(1)
			}
		}
	}
	one := mutated(entries(100), func(_ int, v *vacancy.Vacancy) { v.Reference = "C9999-26-" + v.Reference[len(v.Reference)-4:] })
	for _, tt := range []struct {
		name   string
		vs     []vacancy.Vacancy
		change func(i int, v *vacancy.Vacancy)
		after  time.Duration
		want   bool
	}{
		{"all dates moved", entries(100), later(20), time.Hour, true},
		{"half of the dates moved", entries(100), later(10), time.Hour, false},
		{"one employer moves all its dates", one, later(20), time.Hour, false},
		{"long ago", entries(100), later(20), 7 * time.Hour, false},
		{"four entries", entries(4), later(4), time.Hour, false},
		{"a clock that went back", entries(100), later(20), -time.Hour, false},
	} {
		l := checked(drift.Learned{}, "xml", noon, 1, tt.vs).Learned()
		ds := checked(l, "xml", noon.Add(tt.after), 1, mutated(tt.vs, tt.change)).Defects()
		if got := slices.Contains(drift.Reasons(ds), drift.DefectChanged); got != tt.want {
			t.Errorf("%s: got %q, want it changed: %v", tt.name, ds, tt.want)
		}
	}
}

// TestStaleLaws: whatever was seen, the page itself is not stale, nor one with
// something newer, nor one that lacks entries of two employers only.
func TestStaleLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vs := entries(60)
		start := rapid.IntRange(0, 30).Draw(t, "start")
		page := vs[start:]
		f := frontOf(page, noon)
		if f.Stale(page, noon) {
			t.Fatal("a page is older than itself")
		}
		if f.Stale(vs, noon) {
			t.Fatal("a page with newer entries is stale")
		}
		gone := [2]string{rapid.SampledFrom(page).Draw(t, "one").Reference[:5], rapid.SampledFrom(page).Draw(t, "another").Reference[:5]}
		left := slices.DeleteFunc(slices.Clone(page), func(v vacancy.Vacancy) bool { return slices.Contains(gone[:], v.Reference[:5]) })
		if f.Stale(left, noon) {
			t.Fatalf("stale without the vacancies of %q", gone)
		}
		if older := rapid.IntRange(3, 29).Draw(t, "older by"); !f.Stale(page[older:], noon) {
			t.Fatalf("a page older by %d is not stale", older)
		}
	})
}
