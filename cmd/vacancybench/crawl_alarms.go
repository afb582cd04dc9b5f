package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// sampleEvery is how often the metrics are looked at, as a scrape would.
const sampleEvery = 5 * time.Minute

// An alarm is a rule over the metrics of the crawl, as an operator's alert
// rules have it: what has to be true, for how long.
type alarm struct {
	name    string
	when    func(h *history) bool
	lasting time.Duration
	// by are alarms that say more: while one of them is raised, this one is
	// silent.
	by []string
}

// byCause are the causes that silence what follows from them.
var byCause = []string{"MarkupDrift", "SourceStopped"}

// A series is what the rules look at: the sum of a metric over all series with
// a label, or over all.
type series struct{ name, label, value string }

var (
	lastHot   = series{"crawl_last_success_timestamp_seconds", "tier", "hot"}
	lastSweep = series{"crawl_last_success_timestamp_seconds", "tier", "sweep"}
	fresh     = series{name: "freshness_limit_seconds"}
	expected  = series{name: "expected_new_since_last"}
	drifted   = series{"crawl_runs_total", "outcome", "quarantined"}
	canary    = series{name: "canary_up"}
	stopped   = series{name: "source_stopped"}
	needed    = series{name: "operator_needed"}
	limited   = series{"http_requests_total", "code", "rate_limited"}
	circuit   = series{"circuit_state", "state", "open"}
	fellBack  = series{name: "feed_fallback_total"}
	lostState = series{"baseline_active", "reason", "lost_state"}
	flood     = series{"baseline_active", "reason", "flood"}
	dropped   = series{"closing_skipped_total", "guard", "drop"}
	blasted   = series{"closing_skipped_total", "guard", "blast"}
	clocked   = series{"closing_skipped_total", "guard", "clock"}
	early     = series{"vacancies_closed_total", "reason", "early"}
	panics    = series{name: "cron_panics_total"}
)

var watchedSeries = []series{lastHot, lastSweep, fresh, expected, drifted, canary, stopped, needed, limited, circuit, fellBack,
	lostState, flood, dropped, blasted, clocked, early, panics}

// alarms are the rules that concern the crawl.
var alarms = []alarm{
	{"CrawlStale", func(h *history) bool {
		return h.has(lastHot) && h.seconds()-h.value(lastHot) > h.value(fresh)
	}, 5 * time.Minute, byCause},
	{"SweepIncomplete", func(h *history) bool {
		return h.has(lastSweep) && h.seconds()-h.value(lastSweep) > 36*3600
	}, 30 * time.Minute, []string{"SourceStopped"}},
	{"NoNewVacancies", func(h *history) bool { return h.value(expected) > 14 }, 75 * time.Minute, byCause},
	{"MarkupDrift", func(h *history) bool { return h.increase(30*time.Minute, drifted) >= 2 }, 10 * time.Minute, nil},
	{"CanaryDown", func(h *history) bool { return h.has(canary) && h.value(canary) == 0 }, 2 * time.Hour, nil},
	{"SourceStopped", func(h *history) bool { return h.value(stopped) > 0 }, 0, nil},
	{"OperatorNeeded", func(h *history) bool { return h.value(needed) > 0 }, 0, []string{"SourceStopped", "BaselineActive"}},
	{"RateLimited", func(h *history) bool { return h.increase(time.Hour, limited) > 3 }, 15 * time.Minute, nil},
	{"CircuitOpen", func(h *history) bool { return h.value(circuit) > 0 }, 15 * time.Minute, nil},
	{"FellBack", func(h *history) bool { return h.increase(time.Hour, fellBack) > 0 }, 0, nil},
	{"BaselineActive", func(h *history) bool { return h.value(lostState)+h.value(flood) > 0 }, 0, nil},
	{"ClosingGuardFired", func(h *history) bool {
		return h.increase(24*time.Hour, dropped)+h.increase(24*time.Hour, blasted)+h.increase(24*time.Hour, clocked) > 0
	}, 0, nil},
	{"EarlyClosingSpike", func(h *history) bool { return h.increase(24*time.Hour, early) > manyClosings }, 15 * time.Minute, nil},
	{"JobPanicking", func(h *history) bool { return h.increase(15*time.Minute, panics) > 0 }, 0, nil},
}

// manyClosings is more than a night of any of the worlds brings.
const manyClosings = 80

// A raised alarm, when it was raised, and how long after the trouble began.
type raised struct {
	Name  string
	At    time.Time
	After time.Duration
}

// history is what was scraped, and which alarms it raised.
type history struct {
	samples []sample
	since   map[string]time.Time // of alarms whose rule is true
	raised  []raised
}

type sample struct {
	at     time.Time
	values map[series]float64 // without what has no series
}

// take scrapes the metrics and judges the rules, where the last time is long
// enough ago.
func (h *history) take(reg prometheus.Gatherer, now time.Time, every time.Duration) error {
	if n := len(h.samples); n > 0 && now.Sub(h.samples[n-1].at) < every {
		return nil
	}
	families, err := reg.Gather()
	if err != nil {
		return fmt.Errorf("gather the metrics: %w", err)
	}
	s := sample{now, map[series]float64{}}
	for _, f := range families {
		for _, q := range watchedSeries {
			if f.GetName() != "vacancywatch_"+q.name {
				continue
			}
			for _, m := range f.GetMetric() {
				has := q.label == ""
				for _, l := range m.GetLabel() {
					has = has || l.GetName() == q.label && l.GetValue() == q.value
				}
				if has {
					s.values[q] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	h.samples = append(h.samples, s)
	h.samples = slices.DeleteFunc(h.samples, func(o sample) bool { return now.Sub(o.at) > 25*time.Hour })
	h.judge(now)
	return nil
}

func (h *history) judge(now time.Time) {
	if h.since == nil {
		h.since = map[string]time.Time{}
	}
	for _, a := range alarms {
		if !a.when(h) {
			delete(h.since, a.name)
			continue
		}
		if h.since[a.name].IsZero() {
			h.since[a.name] = now
		}
	}
	for _, a := range alarms {
		since, on := h.since[a.name]
		if !on || now.Sub(since) < a.lasting || slices.ContainsFunc(a.by, func(n string) bool { return !h.since[n].IsZero() }) ||
			slices.ContainsFunc(h.raised, func(r raised) bool { return r.Name == a.name }) {
			continue
		}
		h.raised = append(h.raised, raised{Name: a.name, At: now})
	}
}

func (h *history) last() *sample { return &h.samples[len(h.samples)-1] }

func (h *history) seconds() float64 { return float64(h.last().at.UnixMilli()) / 1000 }

// has reports whether a series exists; value is the value that it has.
func (h *history) has(q series) bool { _, ok := h.last().values[q]; return ok }

func (h *history) value(q series) float64 { return h.last().values[q] }

// increase is how much a counter has grown over the last d. A new process
// begins with zero.
func (h *history) increase(d time.Duration, q series) float64 {
	now := h.last().at
	sum, before, first := 0.0, 0.0, true
	for i := range h.samples {
		s := &h.samples[i]
		if now.Sub(s.at) > d {
			continue
		}
		v := s.values[q]
		switch {
		case first:
			first = false
		case v >= before:
			sum += v - before
		default:
			sum += v
		}
		before = v
	}
	return sum
}
