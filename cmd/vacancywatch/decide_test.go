package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/quarantine"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web"
)

// flooded puts the source into a flood, in which so many vacancies came.
func flooded(t *testing.T, a *app, n int) (since time.Time) {
	t.Helper()
	since = time.Now().Add(-time.Minute).UTC()
	st, err := a.store.State(t.Context(), "nhs-jobs")
	if err != nil {
		t.Fatal(err)
	}
	st.Baseline = &crawler.Baseline{Reason: crawler.Flood, Since: since}
	st.Suspects = []crawler.SweepRecord{{Unique: 7}}
	st.Runs++
	if err := a.store.Mark(t.Context(), "nhs-jobs", st); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		at := since.Add(time.Second)
		v := vacancy.Vacancy{Source: "nhs-jobs", Reference: fmt.Sprintf("C9001-26-%04d", i), Title: "Staff Nurse", Employer: "Invented NHS Trust",
			Posted: vacancy.AtTime(since.Add(-time.Duration(i) * time.Hour)), Closing: vacancy.LondonDay(at).Add(14), PageUnread: i%2 == 0}
		v.Derive()
		_, err := a.dispatcher.Accept(t.Context(), []vacancy.Sighting{{Vacancy: v, At: at, Feed: "xml", Listed: vacancy.ListedFacts(&v),
			Baseline: true, BaselineSince: since, Epoch: st.Epoch}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return since
}

// eventsOf counts those that a test's vacancies have made.
func eventsOf(t *testing.T, a *app) map[string]int {
	t.Helper()
	out := map[string]int{}
	err := a.store.Events(t.Context(), time.Time{}, func(e vacancy.Event) error {
		if strings.HasPrefix(e.Vacancy.Reference, "C9001-26-") {
			out[e.Vacancy.Reference]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A release that dies is given again: each vacancy is told once, and the flood
// ends last.
func TestReleaseIsRepeated(t *testing.T) {
	a, box, log := crawled(t, nil)
	flooded(t, a, 250)
	release := web.Decision{Action: web.ActionRelease, Source: "nhs-jobs"}
	for died := range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		told := 0
		a.dispatcher.Told = func(*vacancy.Event, []alerts.Match) {
			if told++; told == 60 {
				cancel()
			}
		}
		if said, err := a.decide(ctx, release); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %q, %v, want it to end with its context", said, err)
		}
		st, err := a.store.State(t.Context(), "nhs-jobs")
		if _, ok := st.Flooded(); !ok || err != nil {
			t.Fatalf("the flood is over before all is told: %+v, %v", st, err)
		}
		if n := len(eventsOf(t, a)); n != 60*(died+1) {
			t.Fatalf("%d told after %d deaths", n, died+1)
		}
		cancel()
	}
	a.dispatcher.Told = nil
	said, err := a.decide(t.Context(), release)
	if err != nil || !strings.HasPrefix(said, "Released 130 vacancies of nhs-jobs, for 1 reader whose searches match.\nAdverts of these not read yet: 65.") {
		t.Errorf("got %q, %v", said, err)
	}
	events := eventsOf(t, a)
	for ref, n := range events {
		if n != 1 {
			t.Errorf("%s made %d events", ref, n)
		}
	}
	if len(events) != 250 {
		t.Errorf("%d were told, want 250", len(events))
	}
	st, err := a.store.State(t.Context(), "nhs-jobs")
	if err != nil || st.Baseline != nil || len(st.Suspects) != 1 {
		t.Errorf("after it: %+v, %v; want no flood, and a board that nobody has accepted", st, err)
	}
	for range 10 {
		if _, err := a.deliverer.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(box.Mails()); n != 250 {
		t.Errorf("%d mails, want 250", n)
	}
	if strings.Contains(log.String(), "canary.reader") {
		t.Error("the log holds a reader's address")
	}
}

// Only what was posted since a time is told where that is asked for; a dry run
// changes nothing and says the same.
func TestReleasePostedSince(t *testing.T) {
	a, _, _ := crawled(t, nil)
	since := flooded(t, a, 20)
	d := web.Decision{Action: web.ActionRelease, Source: "nhs-jobs", PostedSince: since.Add(-4*time.Hour - time.Minute).Format(time.RFC3339), DryRun: true}
	would, err := a.decide(t.Context(), d)
	if err != nil || len(eventsOf(t, a)) != 0 {
		t.Fatalf("%v; a dry run has told %v", err, eventsOf(t, a))
	}
	d.DryRun = false
	said, err := a.decide(t.Context(), d)
	if err != nil || would != "Nothing was changed; without --dry-run it would say:\n"+said {
		t.Errorf("%v\nit would say %q\nit said       %q", err, would, said)
	}
	for _, want := range []string{"Released 5 vacancies", "for 1 reader ", "not read yet: 3.", ": 15 vacancies.", "is over"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q: %q", want, said)
		}
	}
	events := eventsOf(t, a)
	if len(events) != 5 || events["C9001-26-0004"] != 1 {
		t.Errorf("told %v, want the five that were posted last", events)
	}
	if said, err := a.decide(t.Context(), d); err != nil || said != "nhs-jobs is in no flood: there is nothing to release." {
		t.Errorf("given again: %q, %v", said, err)
	}
}

func TestTallyTakes(t *testing.T) {
	at := time.Date(2026, 7, 1, 23, 30, 0, 0, time.UTC) // half past midnight of the 2nd in London
	day := func(d int) vacancy.Moment { return vacancy.OnDay(vacancy.Day{Year: 2026, Month: 7, Day: d}) }
	for name, tt := range map[string]struct {
		posted vacancy.Moment
		want   bool
	}{
		"then": {vacancy.AtTime(at), true}, "before": {vacancy.AtTime(at.Add(-time.Second)), false},
		"the day before": {day(1), false}, "that day": {day(2), true}, "not known": {vacancy.Moment{}, false},
	} {
		if got := (&tally{since: at}).takes(&vacancy.Vacancy{Posted: tt.posted}); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
		if !(&tally{}).takes(&vacancy.Vacancy{Posted: tt.posted}) {
			t.Errorf("%s: left out though nothing is asked for", name)
		}
	}
}

// What is accepted in silence is told to nobody, and what a baseline and a
// shrunken board were is said.
func TestAccept(t *testing.T) {
	a, _, _ := crawled(t, []*world.Advert{demoSecretary(0, time.Now())})
	flooded(t, a, 3)
	said, err := a.decide(t.Context(), web.Decision{Action: web.ActionAccept, Source: "nhs-jobs"})
	for _, want := range []string{"The flood of nhs-jobs", "Nobody is told of what came in it: 3 vacancies.", "That nhs-jobs lists 7 vacancies, and not ", "is learned anew"} {
		if err != nil || !strings.Contains(said, want) {
			t.Errorf("%v; it does not say %q: %q", err, want, said)
		}
	}
	if n := len(eventsOf(t, a)); n != 0 {
		t.Errorf("%d were told", n)
	}
	st, err := a.store.State(t.Context(), "nhs-jobs")
	if err != nil || st.Baseline != nil || len(st.Suspects) > 0 {
		t.Errorf("after it: %+v, %v", st, err)
	}
	st.Baseline = &crawler.Baseline{Reason: crawler.FirstRun, Since: time.Now()}
	st.Runs++
	if err := a.store.Mark(t.Context(), "nhs-jobs", st); err != nil {
		t.Fatal(err)
	}
	if said, err := a.decide(t.Context(), web.Decision{Action: web.ActionRelease, Source: "nhs-jobs"}); err != nil || !strings.Contains(said, "is in its first look, and not in a flood") {
		t.Errorf("got %q, %v", said, err)
	}
	if said, err := a.decide(t.Context(), web.Decision{Action: web.ActionAccept, Source: "nhs-jobs", DryRun: true}); err != nil || !strings.Contains(said, "is ended before it was complete") {
		t.Errorf("got %q, %v", said, err)
	}
}

func TestDecideRefuses(t *testing.T) {
	a, _, _ := crawled(t, nil)
	for _, tt := range []struct {
		d    web.Decision
		code int
		want string
	}{
		{web.Decision{Action: "pause", Source: "nhs"}, http.StatusNotFound, `there is no source "nhs" in the configuration: it has nhs-jobs`},
		{web.Decision{Action: "purge", Source: "nhs-jobs"}, http.StatusNotFound, `there is no action "purge"`},
		{web.Decision{Action: "release", Source: "nhs-jobs", PostedSince: "soon"}, http.StatusBadRequest, `--posted-since "soon": give a day`},
		{web.Decision{Action: "pause", Source: "nhs-jobs", PostedSince: "2026-11-01"}, http.StatusBadRequest, "is for release alone"},
	} {
		said, err := a.decide(t.Context(), tt.d)
		var refusal *web.Refusal
		if !errors.As(err, &refusal) || refusal.Code != tt.code || !strings.Contains(refusal.Text, tt.want) {
			t.Errorf("%+v: got %q, %v, want %d %q", tt.d, said, err, tt.code, tt.want)
		}
	}
	// While another process has the right to crawl, nothing is changed.
	if err := a.store.Yield(t.Context(), a.folder.Holder); err != nil {
		t.Fatal(err)
	}
	if ok, err := a.store.Hold(t.Context(), "another", time.Now(), time.Minute); err != nil || !ok {
		t.Fatal(ok, err)
	}
	flooded(t, a, 1)
	for _, action := range web.Actions() {
		if action == web.ActionResume {
			continue // there is nothing to resume, whoever crawls
		}
		said, err := a.decide(t.Context(), web.Decision{Action: action, Source: "nhs-jobs"})
		var refusal *web.Refusal
		if !errors.As(err, &refusal) || refusal.Code != http.StatusConflict || !inUse(err) {
			t.Errorf("%s: got %q, %v, want a conflict", action, said, err)
		}
	}
	st, err := a.store.State(t.Context(), "nhs-jobs")
	if _, ok := st.Flooded(); !ok || st.Paused || err != nil || len(eventsOf(t, a)) > 0 {
		t.Errorf("something was changed: %+v, %v", st, err)
	}
}

// A decision waits for the end of a run, and changes nothing where its caller
// does not.
func TestDecideWaits(t *testing.T) {
	a, _, _ := crawled(t, nil)
	running, end, ended := make(chan bool), make(chan bool), make(chan error)
	go func() {
		ended <- a.schedule.Do(t.Context(), func(context.Context) error { close(running); <-end; return nil })
	}()
	<-running
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	pause := web.Decision{Action: web.ActionPause, Source: "nhs-jobs"}
	if said, err := a.decide(ctx, pause); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %q, %v", said, err)
	}
	if st, err := a.store.State(t.Context(), "nhs-jobs"); err != nil || st.Paused {
		t.Errorf("paused all the same: %+v, %v", st, err)
	}
	close(end)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := a.decide(t.Context(), pause); err != nil {
		t.Error(err)
	}
	if st, err := a.store.State(t.Context(), "nhs-jobs"); err != nil || !st.Paused {
		t.Errorf("not paused: %+v, %v", st, err)
	}
}

func TestAdminURL(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:9464": "http://127.0.0.1:9464", ":9464": "http://localhost:9464", "0.0.0.0:9464": "http://localhost:9464",
		"[::]:9464": "http://localhost:9464", "[::1]:9464": "http://[::1]:9464", "ops.example:80": "http://ops.example:80",
		"off": "", "127.0.0.1:0": "", "127.0.0.1:": "",
	} {
		if got := adminURL(listen); got != want {
			t.Errorf("%s: got %q, want %q", listen, got, want)
		}
	}
}

// While the clocks differ nothing is closed by its date, each look is counted,
// and the log says so once an hour.
func TestClosingWaitsForTheClock(t *testing.T) {
	for name, tt := range map[string]struct {
		fault string
		skips float64
	}{"agree": {"any skew=90s", 0}, "fast": {"any skew=10m", 3}, "slow": {"any skew=-10m", 3}} {
		t.Run(name, func(t *testing.T) {
			a, _, log := crawledWith(t, []*world.Advert{demoSecretary(0, time.Now())}, tt.fault)
			today := vacancy.LondonDay(time.Now())
			v := vacancy.Vacancy{Source: "nhs-jobs", Reference: "C9001-26-0001", Title: "Staff Nurse", Employer: "Invented NHS Trust", Closing: today.Add(-1)}
			v.Derive()
			if _, err := a.dispatcher.Accept(t.Context(), []vacancy.Sighting{{Vacancy: v, At: time.Now().AddDate(0, 0, -9), Feed: "xml", Listed: vacancy.ListedFacts(&v), Baseline: true}}); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if err := a.upkeep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			records, err := a.store.Records(t.Context(), []vacancy.Key{v.Key()})
			if err != nil {
				t.Fatal(err)
			}
			if closed := records[v.Key()].Closed != ""; closed != (tt.skips == 0) {
				t.Errorf("closed: %v", closed)
			}
			// Once more by the pass that has crawled.
			want := tt.skips
			if want > 0 {
				want++
			}
			if got := metric(t, a, "vacancywatch_closing_skipped_total", "clock"); got != want {
				t.Errorf("counted %v times, want %v", got, want)
			}
			if n := strings.Count(log.String(), "the site's clock and ours differ"); n != int(min(want, 1)) {
				t.Errorf("the log says so %d times", n)
			}
		})
	}
}

// metric is the value of the series with the label value.
func metric(t *testing.T, a *app, name, label string) float64 {
	t.Helper()
	families, err := a.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() != name {
				continue
			}
			if label == "" && len(m.Label) == 0 {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
			for _, l := range m.Label {
				if l.GetValue() == label {
					return m.GetGauge().GetValue() + m.GetCounter().GetValue()
				}
			}
		}
	}
	t.Fatalf("there is no %s with %q", name, label)
	return 0
}

// A page that is not what it should be is kept below the data folder, counted,
// and named on the status page for operators.
func TestQuarantine(t *testing.T) {
	a, _, _ := crawled(t, nil)
	if got := metric(t, a, "vacancywatch_quarantine_pages", ""); got != 0 {
		t.Errorf("%v pages kept at the start", got)
	}
	name, err := a.schedule.Runners[0].Quarantine.Keep(page.Page{URL: "http://127.0.0.1:1/x", Status: 200, Body: []byte("<html>")},
		quarantine.Entry{Source: "nhs-jobs", Tier: "hot", Defects: []string{"layout"}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(a.cfg.Data, "quarantine", name)
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	if got := metric(t, a, "vacancywatch_quarantine_pages", ""); got != 1 {
		t.Errorf("%v pages kept, want 1", got)
	}
	a.file = "/etc/vw.yaml"
	st, err := a.fullStatus(t.Context())
	if err != nil || len(st.Kept) != 1 || st.Kept[0].File != file || st.Config != "/etc/vw.yaml" {
		t.Errorf("%+v, %v", st.Kept, err)
	}
	if st, err := a.status(t.Context()); err != nil || len(st.Kept) != 0 || st.Config != "" {
		t.Errorf("people are shown %+v, %v", st, err)
	}
}
