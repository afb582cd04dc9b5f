package main

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web"
)

const (
	// shownReports are read for the page for people. manyReports hold the last
	// night: a day brings some three hundred.
	shownReports, manyReports = 10, 500
)

// status is what the status page shows to people.
func (a *app) status(ctx context.Context) (web.Status, error) { return a.statusWith(ctx, shownReports) }

// fullStatus is what it shows to operators.
func (a *app) fullStatus(ctx context.Context) (web.Status, error) {
	st, err := a.statusWith(ctx, manyReports)
	if err != nil || a.quarantine == nil {
		return st, err
	}
	st.Config = a.file
	kept, err := a.quarantine.List()
	if err != nil {
		a.log.Warn("not all that is in quarantine can be shown", "err", err)
	}
	for i := range kept {
		k := &kept[i]
		st.Kept = append(st.Kept, web.KeptPage{File: filepath.Join(a.quarantineDir(), k.Name), Source: k.Source, At: k.At, Tier: k.Tier,
			Defects: k.Defects, Bytes: k.Size})
	}
	return st, nil
}

func (a *app) statusWith(ctx context.Context, reports int) (web.Status, error) {
	now := time.Now()
	v, _, _ := version()
	counts, err := a.store.Counts(ctx, now)
	if err != nil {
		return web.Status{}, err
	}
	searches, err := a.catalogue.Len(ctx)
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
		Buried: counts.Buried, Damaged: counts.Damaged, Digests: counts.Digests, OldestDue: counts.OldestDue, Searches: searches, Engine: "embedded",
	}
	if a.embedded == nil {
		st.Engine = "redis"
	}
	for _, r := range a.schedule.Runners {
		s, err := a.sourceStatus(ctx, r, now, reports)
		if err != nil {
			return web.Status{}, err
		}
		s.Live = live[s.Name]
		st.Sources = append(st.Sources, s)
	}
	return st, nil
}

func (a *app) sourceStatus(ctx context.Context, r *crawler.Runner, now time.Time, reports int) (web.SourceStatus, error) {
	src := &r.Source
	s := web.SourceStatus{Name: src.Name, Host: src.Base, Experimental: src.Site.Experimental, Limit: src.Budget}
	if u, err := url.Parse(src.Base); err == nil {
		s.Host = u.Host
	}
	for i := range src.Site.Feeds {
		s.Feeds = append(s.Feeds, src.Site.Feeds[i].Name)
	}
	var err error
	if s.State, err = a.store.State(ctx, src.Name); err != nil {
		return s, err
	}
	if s.Reports, err = a.store.Reports(ctx, src.Name, reports); err != nil {
		return s, err
	}
	if s.By, err = a.store.Taken(ctx, src.Name, vacancy.DayOf(now, time.UTC)); err != nil {
		return s, err
	}
	for _, n := range s.By {
		s.Taken += n
	}
	return s, nil
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
	descKept     = prometheus.NewDesc("vacancywatch_quarantine_pages", "Pages that were not what they should be, kept to be looked at.", nil, nil)
	descSearches = prometheus.NewDesc("vacancywatch_searches", "Saved searches that are in force.", nil, nil)
)

func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descUp, descLive, descKnown, descDepth, descOldest, descLeft, descKept, descSearches} {
		ch <- d
	}
}

func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if c.app.quarantine != nil {
		files, _ := c.app.quarantine.Stats()
		gauge(descKept, float64(files))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	st, err := c.app.statusWith(ctx, 1)
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
	gauge(descDepth, float64(st.Damaged), "damaged")
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
