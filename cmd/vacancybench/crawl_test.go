package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/score"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// small is a world that is watched in a second or two.
var small = crawlCmd{Days: 2, Seeds: 1, FirstSeed: 7, Live: 300, PerWeekday: 300}

// The daemon of the suite is the program's own: what appears in a small world
// is told, once, and with manners. How soon, and for how many requests, is for
// large worlds to say.
func TestCrawl(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector makes a day take a minute")
	}
	var f score.Figures
	bubble(func() {
		var err error
		if f, err = small.long(t.Context(), 7, t.TempDir(), slog.New(slog.DiscardHandler)); err != nil {
			t.Error(err)
		}
	})
	for _, b := range breaches(f) {
		if b.of != frugal {
			t.Error(b.text)
		}
	}
	if f.Adverts < 30 || f.Wait.N != f.Adverts || f.Wait.P50 <= 0 || f.Wait.P50 > 15*time.Minute || f.Requests[score.KindAdvert] < f.Adverts {
		t.Errorf("%d adverts, waited %+v, asked %v", f.Adverts, f.Wait, f.Requests)
	}
}

// The usual ways miss what is known of them: adverts that are back-dated, and
// with page 1 alone, those that a lump has pushed off it.
func TestNaive(t *testing.T) {
	c := small
	c.PerWeekday, c.Days = 1150, 4 // from a Friday to a Monday
	got, err := c.naive(t.Context(), 8)
	if err != nil {
		t.Fatal(err)
	}
	page1, until, ten, sixty := got["page 1, HTML"], got["until known, HTML"], got["10 known, HTML"], got["60 known, XML"]
	if page1.Adverts == 0 || page1.LateFresh*5 < page1.Adverts {
		t.Errorf("page 1 alone told %d of %d late or never, want a fifth at least", page1.LateFresh, page1.Adverts)
	}
	// One that was sorted to the top again ends the poll before what is below.
	if until.LateFresh <= ten.LateFresh {
		t.Errorf("until known told %d late, 10 known %d", until.LateFresh, ten.LateFresh)
	}
	for name, f := range map[string]score.Figures{"10 known": ten, "60 known": sixty} {
		if f.LateFresh > f.Adverts/100 || f.Late <= f.LateFresh || len(f.Old) > 0 || len(f.Twice) > 0 {
			t.Errorf("%s: %d late, %d of them not back-dated, of %d; %d old, %d twice", name, f.Late, f.LateFresh, f.Adverts, len(f.Old), len(f.Twice))
		}
	}
	if a, b := page1.Requests[score.KindHTML], ten.Requests[score.KindHTML]; a < 150 || b <= a || sixty.Requests[score.KindListing] < 150 {
		t.Errorf("page 1 asked %d times, 10 known %d times, 60 known %v", a, b, sixty.Requests)
	}
}

func TestSuffer(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector makes a day take a minute")
	}
	run := func(name string, from, until time.Duration) (o outcome) {
		for _, x := range troubles {
			if x.name == name {
				x.from, x.until, x.days = from, until, 1
				bubble(func() { o = small.suffer(t.Context(), x, t.TempDir(), slog.New(slog.DiscardHandler)) })
				if o.err != nil || len(o.Broken) > 0 {
					t.Errorf("%s: %v, broken %q", name, o.err, o.Broken)
				}
				return o
			}
		}
		t.Fatalf("no trouble is called %q", name)
		return o
	}
	o := run("outage of 3 h, 503", 4*hour, 7*hour)
	if o.Noticed <= 0 || o.Noticed > 15*time.Minute || o.Recovered <= 0 || o.Recovered > time.Hour || o.Verdicts["aborted"] == 0 || o.Alarmed <= 0 {
		t.Errorf("outage: noticed after %s, alarm after %s, recovered after %s, %v", o.Noticed, o.Alarmed, o.Recovered, o.Verdicts)
	}
	o = run("killed between steps", 2*hour, 22*hour)
	if o.Kills < 3 || o.Figures.Adverts == 0 {
		t.Errorf("killed %d times, %d adverts", o.Kills, o.Figures.Adverts)
	}
	o = run("host asleep 3 h", 4*hour, 7*hour)
	if o.Verdicts["ok"] > 1 || len(o.Verdicts) > 1 || o.Recovered < 0 || o.Recovered > 5*time.Minute || o.CaughtUp < 0 {
		t.Errorf("asleep: %v runs, recovered after %s, caught up after %s", o.Verdicts, o.Recovered, o.CaughtUp)
	}
}

func TestBreaches(t *testing.T) {
	good := func() score.Figures {
		f := score.Merge()
		f.Adverts, f.Requests[score.KindListing] = 100, 50
		f.Wait = score.Quantiles{N: 100, P50: 2 * time.Minute, P99: 19 * time.Minute}
		f.BusiestMinute, f.ShortestGap = 30, 2*time.Second
		return f
	}
	for name, tt := range map[string]struct {
		change func(f *score.Figures)
		want   []promise
	}{
		"none":    {func(*score.Figures) {}, nil},
		"missed":  {func(f *score.Figures) { f.Missed = []string{"a"} }, []promise{complete}},
		"old":     {func(f *score.Figures) { f.Old = []string{"a"} }, []promise{truthful}},
		"unknown": {func(f *score.Figures) { f.Unknown = []string{"a"} }, []promise{truthful}},
		"closed":  {func(f *score.Figures) { f.FalseClosed = []string{"a"} }, []promise{truthful}},
		"stored":  {func(f *score.Figures) { f.FalseStored = []string{"a"} }, []promise{truthful}},
		"twice":   {func(f *score.Figures) { f.Twice = []string{"a"} }, []promise{truthful}},
		"resent":  {func(f *score.Figures) { f.Resent = 1 }, []promise{truthful}},
		"wrong":   {func(f *score.Figures) { f.Events[score.Moved].Wrong = 1 }, []promise{truthful}},
		"overrun": {func(f *score.Figures) { f.Overruns = []string{"2026-09-01"} }, []promise{manners}},
		"law":     {func(f *score.Figures) { f.Broken = []string{"a law"} }, []promise{manners}},
		"minute":  {func(f *score.Figures) { f.BusiestMinute = 61 }, []promise{manners}},
		"gap":     {func(f *score.Figures) { f.ShortestGap = time.Second - 1 }, []promise{manners}},
		"listing": {func(f *score.Figures) { f.Requests[score.KindHTML] = 11 }, []promise{frugal}},
		"p50":     {func(f *score.Figures) { f.Wait.P50 = 4 * time.Minute }, []promise{frugal}},
		"p99":     {func(f *score.Figures) { f.Wait.P99 = 21 * time.Minute }, []promise{frugal}},
	} {
		f := good()
		tt.change(&f)
		var got []promise
		for _, b := range breaches(f) {
			got = append(got, b.of)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
		var out bytes.Buffer
		if err := holds(&out, f); (err != nil) != (len(tt.want) > 0) || strings.Contains(out.String(), "BROKEN") != (err != nil) {
			t.Errorf("%s: %v, printed %q", name, err, out.String())
		}
	}
}

func TestAlarms(t *testing.T) {
	start := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	reg := prometheus.NewRegistry()
	runs := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "vacancywatch_crawl_runs_total"}, []string{"tier", "outcome"})
	last := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "vacancywatch_crawl_last_success_timestamp_seconds"}, []string{"tier"})
	limit := prometheus.NewGauge(prometheus.GaugeOpts{Name: "vacancywatch_freshness_limit_seconds"})
	reg.MustRegister(runs, last, limit)
	limit.Set(900)
	var h history
	for minute := 0; minute < 200; minute++ {
		now := start.Add(time.Duration(minute) * time.Minute)
		if minute < 60 || minute > 120 {
			last.WithLabelValues("hot").Set(float64(now.Unix()))
		}
		if minute == 150 || minute == 152 {
			runs.WithLabelValues("hot", "quarantined").Inc()
		}
		if err := h.take(reg, now, sampleEvery); err != nil {
			t.Fatal(err)
		}
	}
	want := []raised{{Name: "CrawlStale", At: start.Add(80 * time.Minute)}, {Name: "MarkupDrift", At: start.Add(165 * time.Minute)}}
	if diff := cmp.Diff(want, h.raised); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	fresh := prometheus.NewRegistry() // a process that began anew
	again := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "vacancywatch_crawl_runs_total"}, []string{"tier", "outcome"})
	fresh.MustRegister(again)
	again.WithLabelValues("hot", "quarantined").Inc()
	if err := h.take(fresh, start.Add(210*time.Minute), sampleEvery); err != nil {
		t.Fatal(err)
	}
	if got := h.increase(2*time.Hour, drifted); got != 3 {
		t.Errorf("over a restart the counter grew by %v, want 3", got)
	}
}

// The table has a column for each world and for each of the usual ways.
func TestTable(t *testing.T) {
	table := strings.Builder{}
	c := small
	f := score.Merge()
	f.Adverts = 3
	c.table(&table, []watched{{Seed: 7, Figures: f, Naive: map[string]score.Figures{strategies[0].name: f}}})
	for _, want := range []string{"seed 7", "all", "new adverts", "vacancywatch", strategies[0].name, string(vacancy.Readvertised)} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table does not say %q:\n%s", want, table.String())
		}
	}
	for i, l := range strings.Split(table.String(), "\n") {
		if l != strings.TrimRight(l, " ") {
			t.Errorf("line %d ends with blanks", i)
		}
	}
}

func TestCrawlUsage(t *testing.T) {
	e := &env{ctx: t.Context(), stdout: &bytes.Buffer{}}
	for _, c := range []crawlCmd{{Days: 1, Seeds: 1, Live: 1, PerWeekday: 1}, {Days: 7, Live: 1, PerWeekday: 1}, {Days: 7, Seeds: 1, PerWeekday: 1},
		{Days: 7, Seeds: 1, Live: 1}} {
		if err := c.Run(e); err == nil || errors.Is(err, errBroken) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	c := small
	c.Faults, c.Only = true, "no such fault"
	if err := c.Run(e); err == nil || err.Error() != fmt.Sprintf("no fault has a name with %q", c.Only) {
		t.Errorf("got %v", err)
	}
}
