package crawler_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vacancywatch/vacancywatch/crawler"
)

// scheduled runs a schedule in the background until the returned function is
// called, which waits for its end.
func scheduled(t *testing.T, s *crawler.Schedule) (stop func() time.Duration) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return func() time.Duration {
		begin := time.Now()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the schedule ended with %v", err)
		}
		return time.Since(begin)
	}
}

// A day of the schedule, by the clock: what is told and how fast, and that it
// ends at once.
func TestSchedule(t *testing.T) {
	t.Parallel()
	bubble(t, 20, func(t *testing.T, r *rig) {
		s := &crawler.Schedule{Runners: []*crawler.Runner{r.runner}, Metrics: r.metrics}
		stop := scheduled(t, s)
		time.Sleep(10 * time.Minute)
		ref := r.publish()
		time.Sleep(14*time.Minute + 30*time.Second)
		if got := r.mem.heard("all"); len(got) != 1 || got[0] != ref {
			t.Errorf("told of %v within a quarter of an hour, want %s", got, ref)
		}
		if since := time.Since(s.Alive()); since > time.Minute {
			t.Errorf("the last sign of life is %s old", since)
		}
		if took := stop(); took != 0 {
			t.Errorf("ended after %s", took)
		}
		// The first tick comes at once, and one each minute.
		r.counts(25, "cron_runs_total", "outcome", "ok")
		r.counts(0, "cron_skipped_total")
	})
}

// The end is prompt in the middle of a run, too, and what it did is kept.
func TestScheduleEndsWithinARun(t *testing.T) {
	t.Parallel()
	bubble(t, 450, func(t *testing.T, r *rig) {
		stop := scheduled(t, &crawler.Schedule{Runners: []*crawler.Runner{r.runner}, Metrics: r.metrics})
		time.Sleep(8 * time.Second)
		if took := stop(); took != 0 {
			t.Errorf("ended after %s", took)
		}
		if st := r.state(); st.Cursor == nil || st.Cursor.Page != 3 || st.Backoff != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// A panic stops neither what comes after it nor the next tick.
func TestSchedulePanics(t *testing.T) {
	t.Parallel()
	bubble(t, 15, func(t *testing.T, r *rig) {
		bad := *r.runner
		bad.Source.Name = "bad"
		bad.Memory = nil // A nil interface panics when it is called.
		var upkeep atomic.Int32
		stop := scheduled(t, &crawler.Schedule{Runners: []*crawler.Runner{&bad, r.runner}, Metrics: r.metrics,
			Upkeep: func(context.Context) error {
				if upkeep.Add(1); upkeep.Load() == 1 {
					panic("once")
				}
				return errors.New("out of order")
			}})
		time.Sleep(5*time.Minute + 30*time.Second)
		stop()
		if st := r.state(); st.Baseline != nil || st.LastGood[crawler.Hot].IsZero() {
			t.Errorf("the other source was not crawled: %+v", st)
		}
		if n := upkeep.Load(); n != 6 {
			t.Errorf("upkeep ran %d times, want 6", n)
		}
		r.counts(6, "cron_runs_total", "outcome", "panic")
		r.counts(0, "cron_runs_total", "outcome", "ok")
		r.counts(7, "cron_panics_total")
		if !strings.Contains(r.log.String(), "upkeep failed") || !strings.Contains(r.log.String(), "tick panicked") {
			t.Error("the log does not say so")
		}
	})
}

// A tick that falls into a running one is left out and counted, the first one
// included.
func TestScheduleSkips(t *testing.T) {
	t.Parallel()
	bubble(t, 15, func(t *testing.T, r *rig) {
		running, most := 0, 0
		stop := scheduled(t, &crawler.Schedule{Runners: []*crawler.Runner{r.runner}, Metrics: r.metrics,
			Upkeep: func(ctx context.Context) error {
				running++
				most = max(most, running)
				defer func() { running-- }()
				select {
				case <-ctx.Done():
				case <-time.After(150 * time.Second):
				}
				return nil
			}})
		time.Sleep(9*time.Minute + 30*time.Second)
		if took := stop(); took != 0 {
			t.Errorf("ended after %s", took)
		}
		if most != 1 {
			t.Errorf("%d at once", most)
		}
		// Begun at 0, 3, 6 and 9 minutes; the others fell into them.
		r.counts(6, "cron_skipped_total")
	})
}

// What a person decides waits for the end of a run, and the next step for the
// decision. Who does not wait that long has changed nothing.
func TestScheduleDo(t *testing.T) {
	t.Parallel()
	bubble(t, 15, func(t *testing.T, r *rig) {
		busy := 0 // of those who have the turn alone
		var done atomic.Int32
		alone := func(d time.Duration) func(context.Context) error {
			return func(context.Context) error {
				if busy++; busy != 1 {
					t.Errorf("%d at once", busy)
				}
				time.Sleep(d)
				busy--
				done.Add(1)
				return nil
			}
		}
		s := &crawler.Schedule{Runners: []*crawler.Runner{r.runner}, Metrics: r.metrics, Upkeep: alone(40 * time.Second)}
		failed := errors.New("failed")
		if err := s.Do(t.Context(), func(context.Context) error { return failed }); err != failed {
			t.Errorf("before the schedule runs: %v, want %v", err, failed)
		}
		stop := scheduled(t, s)
		time.Sleep(2*time.Minute + 30*time.Second) // in the upkeep of the third tick
		before := done.Load()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if err := s.Do(ctx, alone(0)); !errors.Is(err, context.DeadlineExceeded) || done.Load() != before {
			t.Errorf("without waiting: %v, %d done", err, done.Load()-before)
		}
		cancel()
		begun := time.Now()
		if err := s.Do(t.Context(), alone(time.Minute)); err != nil || done.Load() != before+2 {
			t.Errorf("%v, %d done, want the upkeep and then what was asked", err, done.Load()-before)
		}
		if took := time.Since(begun); took < 61*time.Second || took > 70*time.Second {
			t.Errorf("took %s, want the rest of the upkeep and a minute", took)
		}
		func() {
			defer func() { recover() }()
			s.Do(t.Context(), func(context.Context) error { panic("once") })
		}()
		time.Sleep(2 * time.Minute)
		stop()
		if err := s.Do(ctx, alone(0)); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the end of its context: %v", err)
		}
		if done.Load() < before+4 {
			t.Errorf("%d done: the schedule did not go on after a panic", done.Load()-before)
		}
	})
}

func TestScheduleTick(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 10, nil)
		for _, tick := range []time.Duration{time.Millisecond, 1500 * time.Millisecond, -time.Minute} {
			s := &crawler.Schedule{Tick: tick, Metrics: r.metrics}
			if err := s.Run(t.Context()); err == nil {
				t.Errorf("a tick of %s is taken", tick)
			}
		}
		n := 0
		stop := scheduled(t, &crawler.Schedule{Runners: []*crawler.Runner{r.runner}, Tick: 10 * time.Second, Metrics: r.metrics,
			Upkeep: func(context.Context) error { n++; return nil }})
		time.Sleep(65 * time.Second)
		stop()
		if n < 6 || n > 7 {
			t.Errorf("%d ticks of 10 s in 65 s", n)
		}
	})
}

// Every series of a closed list is there from the start, at zero; what tells
// when something last happened is not.
func TestMetricsAtStart(t *testing.T) {
	t.Parallel()
	bubble(t, 20, func(t *testing.T, r *rig) {
		for _, tier := range crawler.Tiers() {
			for _, v := range crawler.Verdicts() {
				r.counts(0, "crawl_runs_total", "source", "nhs-jobs", "feed", crawler.FeedXML, "tier", string(tier), "outcome", v)
			}
			r.counts(0, "crawl_pages_total", "tier", string(tier))
			r.counts(0, "crawl_duration_seconds", "tier", string(tier))
			r.counts(0, "vacancies_found_total", "tier", string(tier))
			for _, name := range []string{"crawl_last_success_timestamp_seconds", "crawl_last_attempt_timestamp_seconds"} {
				if v, ok := r.value(name, "tier", string(tier)); ok {
					t.Errorf("%s of %s is %v before there was one", name, tier, v)
				}
			}
		}
		for _, kind := range crawler.RequestKinds() {
			for _, code := range []string{"ok", "not_modified", "redirect", "forbidden", "not_found", "client_error", "rate_limited",
				"server_error", "timeout", "cut", "network"} {
				r.counts(0, "http_requests_total", "kind", kind, "code", code)
			}
			r.counts(0, "http_response_bytes_total", "kind", kind)
		}
		for _, result := range []string{"known", "noted", "moved", "page", "amended", "new"} {
			r.counts(0, "sightings_total", "result", result)
		}
		for _, reason := range crawler.StopReasons() {
			r.counts(0, "source_stopped", "reason", reason)
		}
		for _, reason := range []string{crawler.FirstRun, crawler.LostState} {
			r.counts(0, "baseline_active", "reason", reason)
		}
		for _, reason := range []string{"timeout", "server_error", "network"} {
			r.counts(0, "http_retries_total", "reason", reason)
		}
		for _, reason := range []string{"reference", "title", "employer", "posted", "closing", "total", "order", "short", "page", "layout"} {
			r.counts(0, "page_defects_total", "feed", crawler.FeedXML, "reason", reason)
		}
		r.counts(0, "page_defects_total", "feed", crawler.FeedHTML, "reason", "layout")
		r.counts(0, "cron_skipped_total")
		r.counts(0, "cron_panics_total")
		r.counts(0, "http_backoff_until_timestamp_seconds")
		r.counts(0, "post_time_clamped_total")
		r.counts(4000, "request_budget_per_day")
		before, err := r.reg.Gather()
		if err != nil {
			t.Fatal(err)
		}

		// A morning of all sorts makes no series that was not there, but those
		// that tell when.
		r.baseline()
		r.publish()
		r.faults("xml 500 count=1\nxml cut after=2 count=1\nadvert 404 count=1\nxml html after=6 count=1")
		r.pass(time.Hour)
		series := map[string]int{}
		for _, f := range before {
			series[f.GetName()] = len(f.GetMetric())
		}
		after, err := r.reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range after {
			if n, ok := series[f.GetName()]; ok && n != len(f.GetMetric()) {
				t.Errorf("%s has %d series, had %d", f.GetName(), len(f.GetMetric()), n)
			}
		}
	})
}

// What is counted is what happened.
func TestMetricsCount(t *testing.T) {
	t.Parallel()
	bubble(t, 250, func(t *testing.T, r *rig) {
		r.runner.Progress = func(p crawler.Progress) {
			if p.Baseline {
				r.counts(1, "baseline_active", "reason", crawler.FirstRun)
			}
		}
		r.pass(5 * time.Minute)
		r.counts(0, "baseline_active", "reason", crawler.FirstRun)
		r.counts(1, "crawl_runs_total", "tier", "sweep", "outcome", crawler.OK)
		r.counts(3, "crawl_pages_total", "tier", "sweep")
		r.counts(250, "sightings_total", "result", "new")
		r.counts(250, "site_reported_vacancies")
		r.counts(1, "leader")
		r.counts(900, "freshness_limit_seconds")
		r.counts(0, "robots_rules")
		for _, tier := range []crawler.Tier{crawler.Hot, crawler.Deep, crawler.Sweep, crawler.Canary, crawler.Reread} {
			if at, ok := r.value("crawl_last_success_timestamp_seconds", "tier", string(tier)); !ok || at < float64(morning.Unix()) {
				t.Errorf("last success of %s: %v, %v", tier, at, ok)
			}
		}
		asked := map[string]int{crawler.KindXML: r.asked("xml", 0), crawler.KindRobots: 1, crawler.KindAdvert: 0}
		for kind, n := range asked {
			r.counts(float64(n), "http_requests_total", "kind", kind, "code", "ok")
		}
		bytes := 0
		for _, q := range r.site.Requests() {
			if q.Kind == "xml" {
				bytes += q.Bytes
			}
		}
		r.counts(float64(bytes), "http_response_bytes_total", "kind", crawler.KindXML)

		r.faults("xml 500 count=1\nadvert soft404 count=1")
		r.publish()
		r.run(crawler.Hot)
		r.run(crawler.Hot)
		r.counts(1, "http_requests_total", "kind", crawler.KindXML, "code", "server_error")
		r.counts(1, "http_retries_total", "reason", "server_error")
		r.counts(1, "page_defects_total", "feed", crawler.FeedHTML, "reason", "layout")
		r.counts(1, "vacancies_found_total", "tier", "hot")

		before, _ := r.value("crawl_last_success_timestamp_seconds", "tier", "hot")
		r.faults("xml html")
		r.run(crawler.Hot)
		r.counts(1, "crawl_runs_total", "tier", "hot", "outcome", crawler.Quarantined)
		r.counts(1, "page_defects_total", "feed", crawler.FeedXML, "reason", "layout")
		r.counts(before, "crawl_last_success_timestamp_seconds", "tier", "hot")
		if until, _ := r.value("http_backoff_until_timestamp_seconds"); until < float64(time.Now().Unix()) {
			t.Errorf("backing off until %v", until)
		}

		// After a restart the state says the same.
		r.start("first")
		if _, _, err := r.runner.Enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.counts(before, "crawl_last_success_timestamp_seconds", "tier", "hot")
		r.counts(251, "site_reported_vacancies")
	})
}

// Each step of a run is a sign of life: a page of a hundred new adverts on a
// slow site takes longer than a schedule may be silent.
func TestStepsAreSignsOfLife(t *testing.T) {
	told := 0
	r := &crawler.Runner{Progress: func(crawler.Progress) { told++ }, Logger: slog.New(slog.DiscardHandler)}
	s := &crawler.Schedule{Runners: []*crawler.Runner{r}, Metrics: crawler.NewMetrics(prometheus.NewRegistry(), nil)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	before := time.Now().Add(-time.Second)
	r.Progress(crawler.Progress{Step: "advert"})
	if s.Alive().Before(before) || told != 1 {
		t.Errorf("alive at %s, told %d times, want now and once", s.Alive(), told)
	}
}
