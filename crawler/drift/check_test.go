package drift_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vacancywatch/vacancywatch/crawler/drift"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

var noon = time.Date(2026, 9, 1, 11, 0, 0, 0, time.UTC)

// entries are n vacancies, newest first, each a minute older than the one
// before, in the manner of the XML answer.
func entries(n int) []vacancy.Vacancy {
	titles := []string{"Staff Nurse", "Medical Secretary", "Ward Clerk", "Estates Officer", "Physiotherapist", "Porter"}
	employers := []string{"Tarnmere NHS Trust", "Whinwick Surgery", "Brockholt Hospice", "Garthleigh Healthcare NHS Trust"}
	vs := make([]vacancy.Vacancy, n)
	for i := range vs {
		vs[i] = vacancy.Vacancy{
			Reference: fmt.Sprintf("C9%03d-26-%04d", i%7, i), Title: fmt.Sprintf("%s, ward %d", titles[i%len(titles)], i%11),
			Employer: employers[i%len(employers)], Salary: vacancy.ParseSalary(fmt.Sprintf("£%d.00 to £%d.00", 24000+100*i, 30000+100*i)),
			Contract: []string{"Permanent", "Permanent", "Fixed term"}[i%3], Text: vacancy.Text{Summary: "We need you."},
			Posted: vacancy.AtTime(noon.Add(-time.Duration(i+1) * time.Minute)), Closing: vacancy.LondonDay(noon).Add(7 + i%20),
			Locations: []vacancy.Location{vacancy.ParseLocation(fmt.Sprintf("Town %d, LS%d 7TF", i%9, i%9+1))},
		}
	}
	return vs
}

func clone(vs []vacancy.Vacancy) []vacancy.Vacancy {
	out := make([]vacancy.Vacancy, len(vs))
	for i := range vs {
		out[i] = vs[i].Clone()
	}
	return out
}

func mutated(vs []vacancy.Vacancy, change func(i int, v *vacancy.Vacancy)) []vacancy.Vacancy {
	out := clone(vs)
	for i := range out {
		change(i, &out[i])
	}
	return out
}

// mutations are readers gone wrong, with a defect that each must have.
var mutations = []struct {
	name   string
	change func(i int, v *vacancy.Vacancy)
	want   string
	only   string // feed
}{
	{"salary gone", func(_ int, v *vacancy.Vacancy) { v.Salary = nil }, drift.DefectRate, ""},
	{"salary gone from half of the cards", func(i int, v *vacancy.Vacancy) {
		if i%2 == 0 {
			v.Salary = nil
		}
	}, drift.DefectRate, ""},
	{"salary without amounts", func(_ int, v *vacancy.Vacancy) { v.Salary = vacancy.ParseSalary("Salary") }, drift.DefectRate, ""},
	{"one salary", func(_ int, v *vacancy.Vacancy) { v.Salary = vacancy.ParseSalary("£20,000 a year") }, drift.DefectOneValue, ""},
	{"places gone", func(_ int, v *vacancy.Vacancy) { v.Locations = nil }, drift.DefectRate, ""},
	{"places without postcodes", func(_ int, v *vacancy.Vacancy) { v.Locations = []vacancy.Location{{Town: v.Title}} }, drift.DefectRate, ""},
	{"one place", func(_ int, v *vacancy.Vacancy) {
		v.Locations = []vacancy.Location{{Town: "Leeds", Postcode: "LS9 7TF"}}
	}, drift.DefectOneValue, ""},
	{"contract gone", func(_ int, v *vacancy.Vacancy) { v.Contract = "" }, drift.DefectRate, ""},
	{"contract is another column", func(_ int, v *vacancy.Vacancy) { v.Contract = "Full time" }, drift.DefectRate, ""},
	{"patterns gone", func(_ int, v *vacancy.Vacancy) { v.WorkingPatterns = nil }, drift.DefectRate, "html"},
	{"summary gone", func(_ int, v *vacancy.Vacancy) { v.Text.Summary = "" }, drift.DefectRate, "xml"},
	{"posting times become days", func(_ int, v *vacancy.Vacancy) { v.Posted = vacancy.OnDay(v.Posted.Day()) }, drift.DefectRate, "xml"},
	{"posting times at midnight", func(_ int, v *vacancy.Vacancy) {
		v.Posted = vacancy.AtTime(v.Posted.Day().StartIn(vacancy.London()))
	}, drift.DefectRate, "xml"},
	{"one posting time", func(_ int, v *vacancy.Vacancy) { v.Posted = vacancy.AtTime(noon.Add(-time.Second)) }, drift.DefectOneValue, ""},
	{"all dates a year ago", func(_ int, v *vacancy.Vacancy) { v.Posted, v.Closing = shift(v.Posted, -365), v.Closing.Add(-365) }, drift.DefectDates, ""},
	{"all dates in a year", func(_ int, v *vacancy.Vacancy) { v.Posted, v.Closing = shift(v.Posted, 365), v.Closing.Add(365) }, drift.DefectDates, ""},
	{"posting dates a year ago", func(_ int, v *vacancy.Vacancy) { v.Posted = shift(v.Posted, -365) }, drift.DefectDates, ""},
	{"closing dates in a year", func(_ int, v *vacancy.Vacancy) { v.Closing = v.Closing.Add(365) }, drift.DefectDates, ""},
	{"closing dates a day late", func(_ int, v *vacancy.Vacancy) { v.Closing = v.Closing.Add(1) }, drift.DefectChanged, ""},
	{"posting times an hour late", func(_ int, v *vacancy.Vacancy) { v.Posted.Time = v.Posted.Time.Add(time.Hour) }, drift.DefectChanged, "xml"},
	{"posting dates two months ago", func(_ int, v *vacancy.Vacancy) { v.Posted = shift(v.Posted, -60) }, drift.DefectChanged, ""},
	{"posted on the closing date", func(_ int, v *vacancy.Vacancy) { v.Posted = vacancy.OnDay(v.Closing) }, drift.DefectDates, ""},
	{"closing on the posting date", func(_ int, v *vacancy.Vacancy) { v.Closing = v.Posted.Day() }, drift.DefectDates, ""},
	{"dates swapped", func(_ int, v *vacancy.Vacancy) {
		v.Posted, v.Closing = vacancy.OnDay(v.Closing), v.Posted.Day()
	}, drift.DefectDates, ""},
	{"one closing date", func(_ int, v *vacancy.Vacancy) { v.Closing = vacancy.LondonDay(noon).Add(9) }, drift.DefectOneValue, ""},
	{"closing dates gone", func(_ int, v *vacancy.Vacancy) { v.Closing = vacancy.Day{} }, page.DefectClosing, ""},
	{"one title", func(_ int, v *vacancy.Vacancy) { v.Title = "Save this job" }, drift.DefectOneValue, ""},
	{"one title but for a few", func(i int, v *vacancy.Vacancy) {
		if i%100 != 50 {
			v.Title = "Save this job"
		}
	}, drift.DefectOneValue, ""},
	{"one employer", func(_ int, v *vacancy.Vacancy) { v.Employer = "NHS" }, drift.DefectOneValue, ""},
	{"one reference", func(_ int, v *vacancy.Vacancy) { v.Reference = "C9000-26-0001" }, drift.DefectOneValue, ""},
	{"title and employer swapped", func(_ int, v *vacancy.Vacancy) { v.Title, v.Employer = v.Employer, v.Title }, drift.DefectSwapped, ""},
	{"employer in both", func(_ int, v *vacancy.Vacancy) { v.Title = strings.ToUpper(v.Employer) }, drift.DefectSwapped, ""},
	{"titles in both", func(_ int, v *vacancy.Vacancy) { v.Employer = v.Title }, drift.DefectSwapped, ""},
	{"titles cut off", func(_ int, v *vacancy.Vacancy) { v.Title = v.Title[:3] }, drift.DefectChanged, ""},
	{"one title gone", func(i int, v *vacancy.Vacancy) {
		if i == 3 {
			v.Title = ""
		}
	}, page.DefectTitle, ""},
	{"one employer gone", func(i int, v *vacancy.Vacancy) {
		if i == 3 {
			v.Employer = ""
		}
	}, page.DefectEmployer, ""},
	{"one posting date gone", func(i int, v *vacancy.Vacancy) {
		if i == 3 {
			v.Posted = vacancy.Moment{}
		}
	}, page.DefectPosted, ""},
	{"one reference gone", func(i int, v *vacancy.Vacancy) {
		if i == 3 {
			v.Reference = ""
		}
	}, page.DefectReference, ""},
}

func shift(m vacancy.Moment, days int) vacancy.Moment {
	m.Time = m.Time.AddDate(0, 0, days)
	return m
}

// TestMutations breaks readers over the pages of a simulated board: of one
// page of the API, of six pages of cards, and of a whole board.
func TestMutations(t *testing.T) {
	w := taught(t, 11)
	for _, size := range []struct {
		feed  string
		pages int
	}{{"xml", 1}, {"xml", 1000}, {"html", 6}} {
		vs, _ := w.run(size.feed, 1, size.pages)
		if ds := checked(w.learned, size.feed, w.now, 1, vs).Defects(); ds != nil {
			t.Fatalf("%d entries of %s: false alarm: %q", len(vs), size.feed, ds)
		}
		for _, m := range mutations {
			if m.only != "" && m.only != size.feed || m.name == "one posting time" && size.feed == "html" {
				continue
			}
			ds := checked(w.learned, size.feed, w.now, 1, mutated(vs, m.change)).Defects()
			if !slices.Contains(drift.Reasons(ds), m.want) {
				t.Errorf("%s in %d entries of %s: got defects %q, want %s among them", m.name, len(vs), size.feed, ds, m.want)
			}
		}
	}
}

// TestWithoutLessons shows what is caught at the very first run over a large
// board.
func TestWithoutLessons(t *testing.T) {
	vs := entries(600)
	if ds := checked(drift.Learned{}, "xml", noon, 1, vs).Defects(); ds != nil {
		t.Fatalf("false alarm: %q", ds)
	}
	for _, m := range mutations {
		ds := drift.Reasons(checked(drift.Learned{}, "xml", noon, 1, mutated(vs, m.change)).Defects())
		caught := slices.Contains(ds, m.want)
		if learned := m.want == drift.DefectRate || m.want == drift.DefectChanged; caught == learned {
			t.Errorf("%s: got %q, want %s: %v", m.name, ds, m.want, !learned)
		}
	}
}

// TestOneDay is a board on which everything closes on one day: a small one at
// its first run, and a large one where the vacancies that are known say so too.
func TestOneDay(t *testing.T) {
	vs := mutated(entries(100), func(_ int, v *vacancy.Vacancy) { v.Closing = vacancy.LondonDay(noon).Add(9) })
	small := checked(drift.Learned{}, "xml", noon, 1, vs)
	if ds := small.Defects(); ds != nil {
		t.Errorf("first run over a small board: false alarm: %q", ds)
	}
	learned := checked(drift.Learned{}, "xml", noon, 1, entries(100)).Learned()
	for _, tt := range []struct {
		name          string
		known, agreed int
		wrong         bool
	}{
		{"none known", 0, 0, true},
		{"two known", 2, 2, true},
		{"three known agree", 3, 3, false},
		{"most known agree", 40, 30, false},
		{"most known differ", 40, 4, true},
	} {
		c := checked(learned, "xml", noon, 1, vs)
		c.Known(tt.known, tt.agreed)
		if got := slices.Contains(drift.Reasons(c.Defects()), drift.DefectOneValue); got != tt.wrong {
			t.Errorf("%s: one closing date is a defect: %v, want %v", tt.name, got, tt.wrong)
		}
	}
}

// TestRealLife is what boards do, and no run may be quarantined for.
func TestRealLife(t *testing.T) {
	one := func(i int, v *vacancy.Vacancy, of int) bool { return i%of == 1 }
	today := vacancy.LondonDay(noon)
	for _, tt := range []struct {
		name   string
		n      int
		from   int
		change func(i int, v *vacancy.Vacancy)
	}{
		{"forty rolling adverts of one employer", 100, 1, func(i int, v *vacancy.Vacancy) {
			if i < 40 {
				v.Employer, v.Closing, v.Posted = "Tarnmere NHS Trust", today.Add(400), vacancy.AtTime(noon)
			}
		}},
		{"ninety vacancies of one employer with one title", 100, 1, func(i int, v *vacancy.Vacancy) {
			if i < 90 {
				v.Employer, v.Title, v.Closing = "Tarnmere NHS Trust", "Staff Nurse", today.Add(14)
				v.Locations = []vacancy.Location{{Town: "Leeds", Postcode: "LS9 7TF"}}
			}
		}},
		{"a tenth without salary", 100, 1, func(i int, v *vacancy.Vacancy) {
			if i >= 50 && i < 60 {
				v.Salary = nil
			}
		}},
		{"single cards without closing date", 100, 1, func(i int, v *vacancy.Vacancy) {
			if one(i, v, 40) {
				v.Closing = vacancy.Day{}
			}
		}},
		{"adverts of zero days", 100, 1, func(i int, v *vacancy.Vacancy) {
			if one(i, v, 10) {
				v.Closing = today
			}
		}},
		{"a page of one day", 100, 1, func(_ int, v *vacancy.Vacancy) { v.Posted = vacancy.OnDay(today) }},
		{"the end of a sweep", 100, 40, func(i int, v *vacancy.Vacancy) {
			v.Posted, v.Closing = shift(v.Posted, -200-i), today.Add(100+3*i)
		}},
		{"ten cards, three of them rolling", 10, 1, func(i int, v *vacancy.Vacancy) {
			if i < 3 {
				v.Closing = today.Add(300)
			}
		}},
		{"three rolling adverts and nothing else", 3, 1, func(_ int, v *vacancy.Vacancy) { v.Closing = today.Add(300) }},
		{"a small board of one employer", 40, 1, func(_ int, v *vacancy.Vacancy) {
			v.Employer, v.Title, v.Salary, v.Locations = "Tarnmere NHS Trust", "Porter", nil, nil
		}},
		{"just after midnight", 100, 1, func(i int, v *vacancy.Vacancy) {
			if one(i, v, 6) {
				v.Closing = today.Add(-1)
			}
		}},
		{"an employer named like a profession", 100, 1, func(i int, v *vacancy.Vacancy) {
			if i < 30 {
				v.Employer, v.Title = "Nurse Plus", "Join our team"
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			learned := checked(drift.Learned{}, "html", noon.Add(-7*time.Hour), 1, mutated(entries(2000), func(i int, v *vacancy.Vacancy) {
				v.Posted = vacancy.OnDay(v.Posted.Day()) // no posting times to miss
			})).Learned()
			vs := mutated(entries(tt.n), tt.change)
			if ds := checked(learned, "html", noon, tt.from, vs).Defects(); ds != nil {
				t.Errorf("false alarm: %q", ds)
			}
		})
	}
}

func TestSmallRuns(t *testing.T) {
	learned := checked(drift.Learned{}, "html", noon, 1, entries(2000)).Learned()
	ds := checked(learned, "html", noon, 1, mutated(entries(49), func(_ int, v *vacancy.Vacancy) { v.Salary = nil })).Defects()
	if ds != nil {
		t.Errorf("49 entries without salary: got %q, want nothing: they are too few", ds)
	}
	ds = checked(learned, "html", noon, 1, mutated(entries(50), func(_ int, v *vacancy.Vacancy) { v.Salary = nil })).Defects()
	want := []drift.Defect{
		{Reason: drift.DefectRate, Detail: "salary: 0 of 50 entries have one, 100.0 % were learned"},
		{Reason: drift.DefectRate, Detail: "amount: 0 of 50 entries have one, 100.0 % were learned"},
	}
	if diff := cmp.Diff(want, ds); diff != "" {
		t.Errorf("50 entries without salary (-want +got):\n%s", diff)
	}
	if ds := checked(learned, "html", noon, 1, nil).Defects(); ds != nil {
		t.Errorf("no entries: got %q", ds)
	}
	c := drift.New(learned, "html", noon)
	c.Add(nil)
	if diff := cmp.Diff(learned, c.Learned()); diff != "" {
		t.Errorf("no entries teach something (-want +got):\n%s", diff)
	}
	// Ten cards are enough for what no board does.
	for _, m := range mutations {
		if m.want == drift.DefectDates || m.want == drift.DefectSwapped || m.want == page.DefectClosing {
			if ds := drift.Reasons(checked(drift.Learned{}, "html", noon, 1, mutated(entries(10), m.change)).Defects()); !slices.Contains(ds, m.want) {
				t.Errorf("%s in ten cards: got %q, want %s among them", m.name, ds, m.want)
			}
		}
	}
}

// TestLearning tells how fast lessons are learned and forgotten.
func TestLearning(t *testing.T) {
	bare := mutated(entries(100), func(_ int, v *vacancy.Vacancy) { v.Salary = nil })
	learned := checked(drift.Learned{}, "xml", noon, 1, entries(2000)).Learned()
	rate := func() float64 { return learned.Feeds["xml"].Rates["salary"] }
	if rate() != 1 || learned.Feeds["xml"].Items != 2000 {
		t.Fatalf("2000 entries teach %v", learned.Feeds["xml"])
	}
	// A morning of hot runs lists much the same entries again and again.
	now := noon
	for range 60 {
		now = now.Add(5 * time.Minute)
		learned = checked(learned, "xml", now, 1, bare).Learned()
	}
	if r := rate(); r < .94 || r > .98 {
		t.Errorf("after five hours without salary the rate is %v, want about 0.96", r)
	}
	// A month of them, had they passed for good, is another board.
	for range 30 * 24 {
		now = now.Add(time.Hour)
		learned = checked(learned, "xml", now, 1, bare).Learned()
	}
	if r := rate(); r > .1 {
		t.Errorf("after a month without salary the rate is %v", r)
	}
	// A clock that went back teaches nothing, and breaks nothing.
	before := rate()
	learned = checked(learned, "xml", noon, 1, entries(100)).Learned()
	if rate() != before || learned.Feeds["xml"].At.Before(now) {
		t.Errorf("a run in the past changes the rate from %v to %v, the time from %v to %v", before, rate(), now, learned.Feeds["xml"].At)
	}
	// What one feed teaches says nothing of the other, nor of one forgotten.
	for _, l := range []drift.Learned{learned, learned.Without("xml")} {
		if ds := checked(l, "html", noon, 1, bare).Defects(); ds != nil {
			t.Errorf("the lessons of one feed judge the other: %q", ds)
		}
	}
	if w := learned.Without("xml"); len(w.Feeds) != 0 || len(learned.Feeds) != 1 {
		t.Errorf("Without leaves %d feeds, and %d where it took it from", len(w.Feeds), len(learned.Feeds))
	}
}

// TestLearnedIsAValue holds a Check to changing nothing that it was given.
func TestLearnedIsAValue(t *testing.T) {
	l := checked(drift.Learned{}, "xml", noon, 1, entries(100)).Learned()
	before, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	c := checked(l, "xml", noon.Add(time.Hour), 1, mutated(entries(100), func(_ int, v *vacancy.Vacancy) { v.Salary = nil }))
	c.Defects()
	if diff := cmp.Diff(c.Learned(), c.Learned()); diff != "" {
		t.Errorf("asked twice, it has learned twice:\n%s", diff)
	}
	after, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Errorf("what was given has changed from\n%s to\n%s", before, after)
	}
	var back drift.Learned
	if err := json.Unmarshal(before, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(l, back); diff != "" {
		t.Errorf("not the same when read again (-want +got):\n%s", diff)
	}
	if len(before) > 3000 {
		t.Errorf("what a feed teaches takes %d bytes of the state", len(before))
	}
}

func TestDamagedLessons(t *testing.T) {
	for _, s := range []string{
		`null`, `7`, `[]`, `"x"`, `{"feeds":7}`, `{"feeds":{"xml":7}}`, `{"feeds":{"xml":{"items":"many"}}}`,
		`{"feeds":{"xml":{"items":-5,"rates":{"salary":1}}}}`, `{"feeds":{"xml":{"items":1e308,"rates":{"salary":1e308,"place":-1}}}}`,
		`{"feeds":{"xml":{"at":"9999-12-31T23:59:59Z","items":500,"rates":{"salary":1,"unheard of":0.5}}}}`,
		`{"feeds":{"xml":{"items":500,"rates":null,"front":{"at":"0001-01-01T00:00:00Z","entries":[{"r":""},{},null]}}}}`,
		`{"feeds":{"1":{},"2":{},"3":{},"4":{},"5":{},"6":{},"7":{},"8":{},"9":{}}}`,
	} {
		var l drift.Learned
		if err := json.Unmarshal([]byte(s), &l); err != nil {
			t.Errorf("%s: %v", s, err)
		}
		sound(t, l)
	}
	// A literal can hold what JSON cannot.
	sound(t, drift.Learned{Feeds: map[string]drift.Feed{"xml": {Items: math.NaN(), Rates: map[string]float64{"salary": math.NaN()}}}})
	sound(t, drift.Learned{Feeds: map[string]drift.Feed{"xml": {Items: math.Inf(1), Rates: map[string]float64{"salary": math.Inf(-1)}}}})
	sound(t, drift.Learned{Feeds: map[string]drift.Feed{"xml": {Items: 400, Rates: map[string]float64{"salary": math.NaN(), "place": .5}}}})
}

// sound fails the test if a good run does not make good lessons of l.
func sound(t interface {
	Helper()
	Fatalf(string, ...any)
}, l drift.Learned) {
	t.Helper()
	c := checked(l, "xml", noon, 1, entries(60))
	for _, d := range c.Defects() {
		if d.Detail == "" || strings.Contains(d.Detail, "NaN") {
			t.Fatalf("defect %q", d)
		}
	}
	got := c.Learned()
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatalf("store: %v", err)
	}
	var back drift.Learned
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatalf("read again: %v", err)
	}
	for name, f := range back.Feeds {
		if !(f.Items >= 0 && f.Items <= 10000) {
			t.Fatalf("%s rests on %v entries", name, f.Items)
		}
		for field, r := range f.Rates {
			if !(r >= 0 && r <= 1) {
				t.Fatalf("the rate of %s is %v", field, r)
			}
		}
	}
}

func FuzzLearned(f *testing.F) {
	good, err := json.Marshal(checked(drift.Learned{}, "xml", noon, 1, entries(100)).Learned())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"feeds":{"xml":{"items":1e308,"rates":{"salary":0.5},"front":{"entries":[{"r":"C9000-26-0001","c":"2026-02-30"}]}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var l drift.Learned
		if json.Unmarshal(b, &l) == nil {
			sound(t, l)
			l.Front("xml").Stale(entries(20), noon)
		}
	})
}

// TestAnyRun feeds runs of any make: no panic, nothing but reasons of the
// closed lists, and lessons that can be stored.
func TestAnyRun(t *testing.T) {
	reasons := append(drift.Defects(), page.Defects()...)
	rapid.Check(t, func(t *rapid.T) {
		var l drift.Learned
		now := noon
		for range rapid.IntRange(1, 4).Draw(t, "runs") {
			n := rapid.SampledFrom([]int{0, 1, 3, 10, 49, 50, 100}).Draw(t, "entries")
			m := rapid.SampledFrom(mutations).Draw(t, "mutation")
			vs := entries(n)
			if rapid.Bool().Draw(t, "mutated") {
				vs = mutated(vs, m.change)
			}
			now = now.Add(time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "passed")))
			c := checked(l, "xml", now, rapid.IntRange(0, 3).Draw(t, "from"), vs)
			for _, d := range c.Defects() {
				if !slices.Contains(reasons, d.Reason) || d.Detail == "" || strings.Contains(d.String(), "%!") {
					t.Fatalf("defect %q", d)
				}
			}
			l.Front("xml").Stale(vs, now)
			l = c.Learned()
			sound(t, l)
		}
	})
}

// TestMoreIsNeverWorse: a run in which more entries state a field is no worse
// than one in which fewer do.
func TestMoreIsNeverWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		share := rapid.IntRange(1, 100).Draw(t, "learned share")
		some := func(k, of int) func(int, *vacancy.Vacancy) {
			return func(i int, v *vacancy.Vacancy) {
				if i%of >= k {
					v.Salary = nil
				}
			}
		}
		l := checked(drift.Learned{}, "xml", noon, 2, mutated(entries(rapid.IntRange(50, 300).Draw(t, "learned from")), some(share, 100))).Learned()
		n := rapid.IntRange(50, 120).Draw(t, "entries")
		alarm := func(k int) bool {
			ds := checked(l, "xml", noon, 2, mutated(entries(n), some(k, n))).Defects()
			return slices.Contains(drift.Reasons(ds), drift.DefectRate)
		}
		k := rapid.IntRange(0, n-1).Draw(t, "with the field")
		if more := rapid.IntRange(k, n).Draw(t, "or rather"); alarm(more) && !alarm(k) {
			t.Fatalf("%d of %d are a defect, %d are not", more, n, k)
		}
		if alarm(n) {
			t.Fatalf("all of %d state the field, and that is a defect", n)
		}
	})
}

func TestZero(t *testing.T) {
	for _, tt := range []struct {
		total, listed, live int
		want                bool
	}{
		{0, 0, 6, true}, {-1, 0, 6, true}, {9000, 0, 6, true}, {0, 100, 6, true}, {0, 0, 5, false}, {0, 0, 0, false},
		{9000, 100, 9000, false}, {-1, 100, 9000, false}, {1, 1, 9000, false},
	} {
		if got := drift.Zero(tt.total, tt.listed, tt.live); got != tt.want {
			t.Errorf("Zero(%d, %d, %d) = %v, want %v", tt.total, tt.listed, tt.live, got, tt.want)
		}
	}
}

func TestTotalDrop(t *testing.T) {
	for _, tt := range []struct {
		before, now int
		want        bool
	}{
		{11815, 104, true}, {12972, 11613, false}, {100, 80, false}, {100, 79, true}, {100, 0, true}, {100, -1, false},
		{-1, 100, false}, {49, 0, false}, {50, 39, true}, {100, 1000, false}, {math.MaxInt, math.MaxInt, false}, {0, 0, false},
	} {
		if got := drift.TotalDrop(tt.before, tt.now); got != tt.want {
			t.Errorf("TotalDrop(%d, %d) = %v, want %v", tt.before, tt.now, got, tt.want)
		}
	}
}

func TestReasons(t *testing.T) {
	got := drift.Reasons([]drift.Defect{{Reason: "b"}, {Reason: "a"}, {Reason: "b", Detail: "x"}})
	if diff := cmp.Diff([]string{"b", "a"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, r := range drift.Defects() {
		if slices.Contains(page.Defects(), r) {
			t.Errorf("%q is a reason of package page as well, with another meaning", r)
		}
	}
}
