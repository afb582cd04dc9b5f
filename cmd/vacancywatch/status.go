package main

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web"
)

// status is what the status page shows.
func (a *app) status(ctx context.Context) (web.Status, error) {
	now := time.Now()
	v, _, _ := version()
	counts, err := a.store.Counts(ctx, now)
	if err != nil {
		return web.Status{}, err
	}
	searches, err := a.store.Active(ctx)
	if err != nil {
		return web.Status{}, err
	}
	live := map[string]int{}
	if len(a.schedule.Runners) == 1 {
		live[a.schedule.Runners[0].Source.Name] = counts.Live
	} else if live, err = a.store.LiveBySource(ctx); err != nil {
		return web.Status{}, err
	}
	st := web.Status{
		Version: v, Now: now, Live: counts.Live, Known: counts.Known, Queued: counts.Queued, Due: counts.Due,
		Buried: counts.Buried, Digests: counts.Digests, OldestDue: counts.OldestDue, Searches: len(searches), Engine: "embedded",
	}
	if a.embedded == nil {
		st.Engine = "redis"
	}
	for _, r := range a.schedule.Runners {
		state, err := a.store.State(ctx, r.Source.Name)
		if err != nil {
			return web.Status{}, err
		}
		reports, err := a.store.Reports(ctx, r.Source.Name, 10)
		if err != nil {
			return web.Status{}, err
		}
		taken, err := a.store.Taken(ctx, r.Source.Name, vacancy.DayOf(now, time.UTC))
		if err != nil {
			return web.Status{}, err
		}
		host := r.Source.Base
		if u, err := url.Parse(host); err == nil {
			host = u.Host
		}
		st.Sources = append(st.Sources, web.SourceStatus{
			Name: r.Source.Name, Host: host, State: state, Reports: reports, Taken: taken, Limit: r.Source.Budget,
			Live: live[r.Source.Name],
		})
	}
	return st, nil
}

// lookup describes a search for the page that stops it.
func (a *app) lookup(ctx context.Context, id string) (description string, ended, found bool, err error) {
	s, why, found, err := a.store.Saved(ctx, id)
	if err != nil || !found {
		return "", false, found, err
	}
	return strings.TrimPrefix(s.Name+": "+s.Describe(), ": "), why != "", true, nil
}

func (a *app) stop(ctx context.Context, id string) (bool, error) {
	return a.store.EndSearch(ctx, id, store.EndedByReader, time.Now())
}

// stateCollector reads the numbers of the state at each scrape. A state that
// cannot be reached shows as redis_up 0, and hides the numbers instead of
// showing old ones.
type stateCollector struct{ app *app }

var (
	descUp       = prometheus.NewDesc("vacancywatch_redis_up", "1 while the state can be reached, whichever engine keeps it.", nil, nil)
	descLive     = prometheus.NewDesc("vacancywatch_vacancies_live", "Vacancies that are open.", nil, nil)
	descKnown    = prometheus.NewDesc("vacancywatch_vacancies_known", "Vacancies that are remembered.", nil, nil)
	descDepth    = prometheus.NewDesc("vacancywatch_outbox_depth", "Messages by state.", []string{"state"}, nil)
	descOldest   = prometheus.NewDesc("vacancywatch_outbox_oldest_due_timestamp_seconds", "When the oldest message that is due fell due; now if none is.", nil, nil)
	descLeft     = prometheus.NewDesc("vacancywatch_request_budget_remaining", "Requests that this UTC day may still bring.", []string{"source"}, nil)
	descSearches = prometheus.NewDesc("vacancywatch_searches", "Saved searches that are in force.", nil, nil)
)

func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descUp, descLive, descKnown, descDepth, descOldest, descLeft, descSearches} {
		ch <- d
	}
}

func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	st, err := c.app.status(ctx)
	if err != nil {
		gauge(descUp, 0)
		return
	}
	gauge(descUp, 1)
	gauge(descLive, float64(st.Live))
	gauge(descKnown, float64(st.Known))
	gauge(descDepth, float64(st.Due), "due")
	gauge(descDepth, float64(st.Queued-st.Due), "waiting")
	gauge(descDepth, float64(st.Buried), "buried")
	gauge(descSearches, float64(st.Searches))
	oldest := st.OldestDue
	if oldest.IsZero() {
		oldest = st.Now
	}
	gauge(descOldest, float64(oldest.UnixMilli())/1000)
	for _, s := range st.Sources {
		gauge(descLeft, float64(max(s.Limit-s.Taken, 0)), s.Name)
	}
}
