package drift_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/drift"
	"github.com/vacancywatch/vacancywatch/crawler/nhsjobs"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A board is a simulated site with the clock that moves it.
type board struct {
	t    *testing.T
	site *simulator.Site
	now  time.Time
}

// open makes a board on a Tuesday morning in London unless told otherwise.
func open(t *testing.T, o simulator.Options) *board {
	t.Helper()
	b := &board{t: t, now: o.Start}
	if b.now.IsZero() {
		b.now = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	}
	o.Now = func() time.Time { return b.now }
	o.MinGap = -1
	b.site = simulator.New(o)
	return b
}

func (b *board) faults(fs ...simulator.Fault) {
	b.t.Helper()
	if err := b.site.SetFaults(fs...); err != nil {
		b.t.Fatal(err)
	}
}

// body asks for page n of a feed.
func (b *board) body(feed string, n int) page.Page {
	b.t.Helper()
	address := nhsjobs.APIURL("", n)
	if feed == "html" {
		address = nhsjobs.ListingURL("", n)
	}
	w := httptest.NewRecorder()
	b.site.ServeHTTP(w, httptest.NewRequest("GET", address, nil))
	return page.Page{URL: address, Status: w.Code, ContentType: w.Header().Get("Content-Type"), Body: w.Body.Bytes()}
}

// list reads page n of a feed.
func (b *board) list(feed string, n int) page.Listing {
	b.t.Helper()
	p := b.body(feed, n)
	l, err := nhsjobs.ReadAPI(p, n, b.now)
	if feed == "html" {
		l, err = nhsjobs.ReadListing(p, n)
	}
	if err != nil {
		b.t.Fatalf("%s page %d: %v", feed, n, err)
	}
	return l
}

// run reads the pages of a feed from first to last, or to the board's end.
func (b *board) run(feed string, first, last int) (vs []vacancy.Vacancy, ended bool) {
	b.t.Helper()
	for n := first; n <= last; n++ {
		l := b.list(feed, n)
		vs = append(vs, l.Vacancies...)
		if l.Last || l.Empty {
			return vs, true
		}
	}
	return vs, false
}

func checked(l drift.Learned, feed string, now time.Time, first int, vs []vacancy.Vacancy) *drift.Check {
	c := drift.New(l, feed, now).From(first)
	for i := range vs {
		c.Add(&vs[i])
	}
	return c
}

// A watch crawls a board and fails the test at every alarm.
type watch struct {
	*board
	learned drift.Learned
	runs    int
	entries int
}

func (w *watch) take(what, feed string, first int, vs []vacancy.Vacancy) {
	w.t.Helper()
	w.runs++
	w.entries += len(vs)
	c := checked(w.learned, feed, w.now, first, vs)
	for _, d := range c.Defects() {
		w.t.Errorf("%s %s of %d entries at %s: false alarm: %s", feed, what, len(vs), w.now.Format(time.DateTime), d)
	}
	if first == 1 && w.learned.Front(feed).Stale(vs, w.now) {
		w.t.Errorf("%s %s at %s: false alarm: stale", feed, what, w.now.Format(time.DateTime))
	}
	w.learned = c.Learned()
}

func (w *watch) hot() {
	w.t.Helper()
	vs, _ := w.run("xml", 1, 1)
	w.take("hot run", "xml", 1, vs)
}

// sweep reads the whole board in slices, as runs of fifty seconds do.
func (w *watch) sweep(feed string, slice int) {
	w.t.Helper()
	for first := 1; ; first += slice {
		vs, ended := w.run(feed, first, first+slice-1)
		w.take("sweep", feed, first, vs)
		if ended {
			return
		}
		w.now = w.now.Add(time.Minute)
	}
}

func TestNoFalseAlarm(t *testing.T) {
	days, seeds := 2, []uint64{1, 2, 3}
	if testing.Short() {
		days, seeds = 1, seeds[:1]
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			// Sunday to Tuesday: few postings, then the Monday's surge, and two
			// nights with their mass closing.
			w := &watch{board: open(t, simulator.Options{Seed: seed, Live: 1000,
				Start: time.Date(2026, 9, 6, 8, 0, 0, 0, time.UTC),
				Quirks: simulator.Quirks{Optional: []string{"missing", "shown"}[seed%2],
					WelshMonths: "many", SalaryUnit: []string{"no", "yes"}[seed/2%2]}})}
			w.sweep("xml", 1000)
			for end := w.now.AddDate(0, 0, days); w.now.Before(end); {
				w.hot()
				switch h, m, _ := w.now.Clock(); {
				case m >= 15:
				case h == 2:
					w.sweep("xml", 12)
				case h == 12:
					w.sweep("html", 60)
				case h%3 == 0:
					vs, _ := w.run("html", 1, 1) // ten cards
					w.take("hot run", "html", 1, vs)
					vs, _ = w.run("html", 1, 8)
					w.take("hot run", "html", 1, vs)
				}
				w.now = w.now.Add(15 * time.Minute)
			}
			if w.runs < 100*days {
				t.Fatalf("only %d runs", w.runs)
			}
			t.Logf("%d runs, %d entries", w.runs, w.entries)
		})
	}
}

// TestMassClosing is the night on which most of what stands first closes.
func TestMassClosing(t *testing.T) {
	w := &watch{board: open(t, simulator.Options{Seed: 5, Live: 400, Quiet: true})}
	for i := range 30 {
		w.now = w.now.Add(time.Minute)
		w.site.Publish(simulator.Advert{Title: fmt.Sprint("Lamp Keeper ", i), Employer: fmt.Sprint("Employer ", i),
			Account: fmt.Sprintf("C99%02d", i), Contract: "Permanent", Closing: "2026-09-02",
			Sites: []simulator.Place{{Town: "Leeds", Postcode: "LS9 7TF"}}})
	}
	w.hot()
	w.now = time.Date(2026, 9, 2, 22, 58, 0, 0, time.UTC) // 23:58 in London
	w.hot()
	for range 4 {
		w.now = w.now.Add(time.Minute)
		w.hot()
	}
	if l := w.list("xml", 1); slices.ContainsFunc(l.Vacancies, func(v vacancy.Vacancy) bool { return strings.HasPrefix(v.Title, "Lamp Keeper ") }) {
		t.Fatal("the vacancies have not closed: nothing was tested")
	}
}

// taught is a board that has been watched for a day, in both feeds.
func taught(t *testing.T, seed uint64) *watch {
	t.Helper()
	w := &watch{board: open(t, simulator.Options{Seed: seed, Live: 600})}
	w.sweep("xml", 1000)
	w.sweep("html", 20)
	for range 6 {
		w.now = w.now.Add(4 * time.Hour)
		w.hot()
		vs, _ := w.run("html", 1, 6)
		w.take("hot run", "html", 1, vs)
	}
	return w
}

// TestDriftOfTheSite breaks the markup itself, and reads what comes of it with
// the real readers.
func TestDriftOfTheSite(t *testing.T) {
	w := taught(t, 7)
	for _, tt := range []struct {
		kind, value string
		feeds       string
		want        string
	}{
		{"missing", "salary", "xml html", drift.DefectRate},
		{"missing", "place", "xml html", drift.DefectRate},
		{"missing", "contract", "xml html", drift.DefectRate},
		{"missing", "pattern", "html", drift.DefectRate},
		{"missing", "title", "xml", page.DefectTitle},
		{"missing", "employer", "xml html", page.DefectEmployer},
		{"missing", "posted", "xml html", page.DefectPosted},
		{"missing", "closing", "xml html", page.DefectClosing},
		{"swap", "names", "xml html", drift.DefectSwapped},
		{"swap", "dates", "xml html", drift.DefectDates},
		{"rename", "search-result-salary", "html", drift.DefectRate},
		{"rename", "search-result-jobType", "html", drift.DefectRate},
	} {
		for feed := range strings.FieldsSeq(tt.feeds) {
			w.faults(simulator.Fault{Kind: tt.kind, Value: tt.value})
			vs, _ := w.run(feed, 1, map[string]int{"xml": 1, "html": 6}[feed])
			got := drift.Reasons(checked(w.learned, feed, w.now, 1, vs).Defects())
			if !slices.Contains(got, tt.want) {
				t.Errorf("%s=%s in %s: got defects %q, want %s among them", tt.kind, tt.value, feed, got, tt.want)
			}
		}
	}
	w.faults()
	w.hot()
}

// TestHarmlessDrift changes what the readers do not lean on.
func TestHarmlessDrift(t *testing.T) {
	w := taught(t, 8)
	for _, f := range []simulator.Fault{{Kind: "quotes"}, {Kind: "commas"}, {Kind: "element"}, {Kind: "root"}} {
		w.faults(f)
		w.hot()
		vs, _ := w.run("html", 1, 6)
		w.take(f.Kind, "html", 1, vs)
	}
}

func TestStalePageOfTheSite(t *testing.T) {
	w := taught(t, 9) // until 8:00 on Wednesday
	for range 8 {
		w.now = w.now.Add(time.Hour)
		w.faults()
		w.hot()
		vs, _ := w.run("html", 1, 2)
		w.take("hot run", "html", 1, vs)
		for _, feed := range []string{"xml", "html"} {
			for _, age := range []string{"1h", "24h"} {
				w.faults(simulator.Fault{Kind: "stale", Value: age})
				l := w.list(feed, 1)
				stale := w.learned.Front(feed).Stale(l.Vacancies, w.now)
				// A card says the day alone: an old page of the same day cannot
				// be told where more has come since than a front holds.
				sure := feed == "xml" || age == "24h"
				if sure && !stale {
					t.Errorf("%s of %s before %s is not stale", feed, age, w.now.Format(time.DateTime))
				}
			}
		}
	}
}

func TestCanaryOfTheSite(t *testing.T) {
	compared, conclusive := 0, 0
	for seed := range uint64(3) {
		b := open(t, simulator.Options{Seed: 20 + seed, Live: 500})
		for i := range 40 {
			b.now = b.now.Add(37 * time.Minute)
			first, second := "xml", "html"
			if i%2 == 1 {
				first, second = second, first
			}
			x := b.list(first, 1).Vacancies
			b.now = b.now.Add(20 * time.Second)
			y := b.list(second, 1).Vacancies
			c := drift.Compare(x, y)
			compared++
			if c.Conclusive() {
				conclusive++
			}
			if ds := c.Defects(); len(ds) > 0 {
				t.Errorf("seed %d at %s: false alarm: %q", 20+seed, b.now.Format(time.DateTime), ds)
			}
		}
	}
	if conclusive < compared*8/10 {
		t.Errorf("only %d of %d comparisons say anything", conclusive, compared)
	}
	t.Logf("%d of %d conclusive", conclusive, compared)

	// One feed drifts, the other does not.
	b := open(t, simulator.Options{Seed: 30, Live: 800, Quiet: true})
	for _, swap := range []string{"names", "dates"} {
		x := b.list("xml", 1).Vacancies
		b.faults(simulator.Fault{Kind: "swap", Value: swap, Match: "listing"})
		y := b.list("html", 1).Vacancies
		b.faults()
		if ds := drift.Compare(x, y).Defects(); len(ds) < 2 {
			t.Errorf("swapped %s: got %q, want two fields", swap, ds)
		}
	}
}

func TestFingerprintOfTheSite(t *testing.T) {
	prints := map[string]map[string]bool{"xml": {}, "html": {}}
	for seed := range uint64(4) {
		b := open(t, simulator.Options{Seed: 40 + seed, Live: 700, Quirks: simulator.Quirks{Optional: "shown", Nesting: "flat"}})
		for feed, pages := range map[string]int{"xml": 6, "html": 12} {
			for n := 2; n <= pages; n++ {
				p := b.body(feed, n)
				prints[feed][drift.Fingerprint(p.Body, p.ContentType)] = true
			}
		}
	}
	for feed, set := range prints {
		if len(set) != 1 {
			t.Errorf("pages of %s have %d fingerprints, want one: %v", feed, len(set), set)
		}
	}
	b := open(t, simulator.Options{Seed: 40, Live: 700, Quirks: simulator.Quirks{Optional: "shown", Nesting: "flat"}})
	for _, f := range []simulator.Fault{{Kind: "rename", Value: "search-result-salary"}, {Kind: "missing", Value: "place"},
		{Kind: "element", Value: "sponsored"}, {Kind: "root", Value: "nhsSearch"}, {Kind: "soft404"}} {
		b.faults(f)
		for feed, set := range prints {
			if feed == "html" && (f.Kind == "element" || f.Kind == "root") || feed == "xml" && f.Kind == "rename" {
				continue // a drift of the other feed
			}
			p := b.body(feed, 2)
			if got := drift.Fingerprint(p.Body, p.ContentType); set[got] {
				t.Errorf("%s: %s leaves the fingerprint %s as it was", feed, f, got)
			}
		}
	}
	b.faults(simulator.Fault{Kind: "quotes"}, simulator.Fault{Kind: "commas"})
	if p := b.body("html", 2); !prints["html"][drift.Fingerprint(p.Body, p.ContentType)] {
		t.Error("quotes and commas change the fingerprint")
	}
}
