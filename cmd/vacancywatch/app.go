package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/bounce"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/crawler"
	manners "github.com/vacancywatch/vacancywatch/crawler/polite" // tests of this package have a function polite
	"github.com/vacancywatch/vacancywatch/crawler/quarantine"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer/onspd"
	"github.com/vacancywatch/vacancywatch/web"
)

// An app is the daemon put together: everything that can fail has been built.
type app struct {
	cfg      *config.Config
	file     string // the configuration's; "" where it came from none
	log      *slog.Logger
	folder   *store.Folder
	store    *store.Store
	embedded *engine.Bolt // nil with Redis
	registry *prometheus.Registry
	tokens   *web.Tokens

	channels   map[string]channel.Channel
	catalogue  *alerts.Catalogue
	dispatcher *alerts.Dispatcher
	deliverer  *alerts.Deliverer
	bounces    *bounce.Desk
	people     *store.Subscribers
	signUps    *prometheus.CounterVec // by outcome
	left       *prometheus.CounterVec // by reason
	schedule   *crawler.Schedule
	quarantine *quarantine.Folder // nil where it cannot be opened
	postcodes  *onspd.File        // nil where none were imported
	places     *gazetteer.Gazetteer
	started    time.Time
	lastPrune  time.Time

	outboxMetrics *outboxMetrics // nil in a command
	lastReconcile time.Time
	clockTold     time.Time       // when it was last said that two clocks differ
	stopping      <-chan struct{} // closed once the process was asked to end
}

// newApp wires the daemon. Whoever gets it closes it.
func newApp(ctx context.Context, cfg *config.Config, log *slog.Logger) (a *app, err error) {
	a = &app{cfg: cfg, log: log, registry: prometheus.NewRegistry(), started: time.Now()}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if err := a.openStore(ctx); err != nil {
		return a, err
	}
	a.openPostcodes()
	searches := cfg.VacancySearches(a.places)
	stopped, err := a.store.Provision(ctx, searches, time.Now())
	if err != nil {
		return a, fmt.Errorf("bring the searches of the configuration into the state: %w", err)
	}
	for _, id := range stopped {
		log.Warn("a search of the configuration was stopped by its reader and stays stopped: take it out of the file, or give it another id", "search", id)
	}
	for i := range searches {
		for _, advice := range searches[i].Advise() {
			log.Info("a search of the configuration may not be what was meant", "search", searches[i].ID, "advice", advice)
		}
	}
	a.channels = map[string]channel.Channel{}
	for i := range cfg.Channels {
		ch, err := cfg.Channels[i].New(cfg)
		if err != nil {
			return a, fmt.Errorf("channel %s: %w", cfg.Channels[i].Name, err)
		}
		a.channels[cfg.Channels[i].Name] = ch
	}
	keys, err := a.store.SigningKeys(ctx, "links")
	if err != nil {
		return a, fmt.Errorf("read the keys that sign links: %w", err)
	}
	if a.tokens, err = web.NewTokens(keys...); err != nil {
		return a, err
	}
	a.registerBuild()
	if err := a.wire(); err != nil {
		return a, err
	}
	if err := a.wireBounces(ctx); err != nil {
		return a, err
	}
	if err := a.wirePeople(ctx); err != nil {
		return a, err
	}
	for _, r := range a.schedule.Runners {
		if r.Source.Site.Experimental {
			log.Warn("the site of this source is experimental: nobody has compared what is read with its real pages", "source", r.Source.Name)
		}
	}
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&stateCollector{app: a})
	return a, nil
}

// newOperator wires what a person's decision about a source needs. Unlike a
// daemon's start it brings no search of the configuration into the state.
func newOperator(ctx context.Context, cfg *config.Config, log *slog.Logger) (*app, error) {
	a := &app{cfg: cfg, log: log, registry: prometheus.NewRegistry(), started: time.Now()}
	err := a.openStore(ctx)
	if err == nil {
		err = a.wire()
	}
	if err != nil {
		a.close()
	}
	return a, err
}

// A folderError says that the data folder could not be taken, most likely for
// another process has it.
type folderError struct{ err error }

func (e folderError) Error() string { return e.err.Error() }
func (e folderError) Unwrap() error { return e.err }

// openStore opens the state: Redis where one is configured, else the embedded
// file.
func (a *app) openStore(ctx context.Context) (err error) {
	if a.folder, err = store.OpenFolder(a.cfg.Data); err != nil {
		return folderError{err}
	}
	var eng engine.Engine
	if a.cfg.Redis != nil {
		eng, err = a.openRedis(ctx)
	} else {
		a.embedded, err = engine.OpenBolt(a.folder.StateFile(), engine.BoltOptions{
			Warn: func(s string) { a.log.Error(s) },
		})
		eng = a.embedded
	}
	if err != nil {
		return err
	}
	a.store, err = store.Open(ctx, eng, store.Options{Stamp: a.folder.StampFile(), Holder: a.folder.Holder, Damaged: a.noteDamage})
	if err != nil {
		return errors.Join(err, eng.Close())
	}
	n, err := a.store.Reclaim(ctx, time.Now())
	if err != nil {
		return fmt.Errorf("take back what was being sent: %w", err)
	}
	if n > 0 {
		a.log.Warn("the last process died while it was sending: these messages are sent again, under their old ids", "messages", n)
	}
	return nil
}

func (a *app) openRedis(ctx context.Context) (engine.Engine, error) {
	opts, err := a.cfg.Redis.Options()
	if err != nil {
		return nil, err
	}
	r, err := engine.OpenRedis(ctx, opts)
	if err != nil {
		return nil, err
	}
	warnings, err := r.Check(ctx)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	for _, w := range warnings {
		a.log.Warn(w)
	}
	return r, nil
}

func (a *app) registerBuild() {
	v, rev, goversion := version()
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "vacancywatch_build_info", Help: "The build; always 1."},
		[]string{"version", "revision", "goversion"})
	g.WithLabelValues(v, rev, goversion).Set(1)
	a.registry.MustRegister(g)
}

func (a *app) wire() error {
	a.wireAlerts()
	return a.wireCrawl()
}

func (a *app) wireAlerts() {
	metrics := alerts.NewMetrics(a.registry)
	a.outboxMetrics = newOutboxMetrics(a.registry)
	a.deliverer = &alerts.Deliverer{
		Outbox: a.store, Searches: a.store, Channels: a.channels, PageURL: a.cfg.Listen.PublicURL,
		Now: time.Now, Logger: a.log, Metrics: metrics, Endpoints: a.store, Rates: map[string]float64{},
	}
	for i := range a.cfg.Channels {
		a.deliverer.Rates[a.cfg.Channels[i].Name] = a.cfg.Channels[i].Rate
	}
	if a.cfg.Listen.PublicURL != "" {
		a.deliverer.StopURL = func(search string) string { return a.cfg.Listen.PublicURL + "/u/" + a.tokens.Stop(search) }
	}
	a.catalogue = alerts.NewCatalogue(a.store, a.log, metrics)
	a.dispatcher = &alerts.Dispatcher{
		Log: a.store, Searches: a.catalogue, Now: time.Now, Logger: a.log, Metrics: metrics, Queued: a.deliverer.Wake,
	}
}

func (a *app) wireCrawl() error {
	sources := make([]crawler.Source, 0, len(a.cfg.Sources))
	v, _, _ := version()
	tick := crawler.DefaultTick
	for i := range a.cfg.Sources {
		src := a.cfg.Sources[i].Source(a.cfg.Contact.UserAgent(v))
		sources = append(sources, src)
		tick = min(tick, max(src.HotMin, time.Second).Truncate(time.Second))
	}
	kept, err := quarantine.Open(a.quarantineDir(), time.Now)
	if err != nil {
		a.log.Error("pages that are not what they should be cannot be kept", "err", err)
	} else {
		a.quarantine = kept
	}
	metrics := crawler.NewMetrics(a.registry, sources)
	a.schedule = &crawler.Schedule{Tick: tick, Metrics: metrics, Upkeep: a.upkeep}
	// Sources of one host share its pace, and their requests its connection.
	var hosts manners.Hosts
	base := manners.NewBase()
	for _, src := range sources {
		transport, err := src.Transport(manners.Options{Base: base, Host: hosts.Of(src.Base), Now: time.Now,
			Take: crawler.Budget(a.store, src, time.Now), Observer: metrics.Observer(src.Name, a.log)})
		if err != nil {
			return err
		}
		r := &crawler.Runner{
			Source: src, Memory: a.store, Sink: a.sink(), Transport: transport, Holder: a.folder.Holder,
			Now: time.Now, Logger: a.log, Metrics: metrics,
		}
		if a.quarantine != nil { // else it would be a Keeper that is not nil
			r.Quarantine = a.quarantine
		}
		a.schedule.Runners = append(a.schedule.Runners, r)
	}
	return nil
}

// quarantineDir is where pages are kept that were not what they should be.
func (a *app) quarantineDir() string { return filepath.Join(a.folder.Path, "quarantine") }

// upkeep is done after each tick: what is over is closed, what was interrupted
// is finished, and once an hour what has outlived its time is removed.
func (a *app) upkeep(ctx context.Context) error {
	now := time.Now()
	if !a.clockHolds(now) {
		closed, err := a.store.Expire(ctx, vacancy.LondonDay(now), now)
		a.dispatcher.Metrics.Observe(closed)
		a.schedule.Metrics.Closed(closed)
		if err != nil {
			return err
		}
	}
	if err := a.dispatcher.Recover(ctx); err != nil {
		return err
	}
	if err := a.reconcile(ctx, now); err != nil {
		return err
	}
	if now.Sub(a.lastPrune) < time.Hour {
		return nil
	}
	a.lastPrune = now
	if a.embedded != nil {
		// The copy from which a damaged file is restored.
		if err := a.embedded.Copy(a.folder.StateFile() + ".copy"); err != nil {
			a.log.Warn("the hourly copy of the state failed", "err", err)
		}
	}
	if a.quarantine != nil {
		if err := a.quarantine.Expire(); err != nil {
			a.log.Warn("old pages could not be removed from quarantine", "err", err)
		}
	}
	if _, err := a.dispatcher.Remind(ctx); err != nil {
		return err
	}
	return a.store.Prune(ctx, now)
}

// clockTellEvery is how often it is said that two clocks differ.
const clockTellEvery = time.Hour

// clockHolds reports whether nothing may be closed by its date: a site's clock
// and ours differ, so that one of them is wrong about which day it is.
func (a *app) clockHolds(now time.Time) bool {
	holds := false
	for _, r := range a.schedule.Runners {
		d := r.Transport.ClockDifference()
		if d.Abs() <= crawler.MaxClockDifference {
			continue
		}
		holds = true
		r.Metrics.ClosingSkipped(r.Source.Name, crawler.GuardClock)
		if now.Sub(a.clockTold) >= clockTellEvery {
			a.clockTold = now
			a.log.Error("the site's clock and ours differ by more than two minutes: no vacancy is closed by its date until they agree",
				"source", r.Source.Name, "difference", d)
		}
	}
	return holds
}

// close gives everything back.
func (a *app) close() error {
	var errs []error
	for _, ch := range a.channels {
		if c, ok := ch.(interface{ Close() error }); ok {
			errs = append(errs, c.Close())
		}
	}
	if a.store != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		// Another replica need not wait for the end of the lease.
		errs = append(errs, a.store.Yield(ctx, a.folder.Holder), a.store.Close())
	}
	if a.postcodes != nil {
		errs = append(errs, a.postcodes.Close())
	}
	if a.folder != nil {
		errs = append(errs, a.folder.Close())
	}
	return errors.Join(errs...)
}

// loadConfig reads the configuration and the logger that it asks for.
func loadConfig(file string, e *env) (*config.Config, *slog.Logger, error) {
	if file == "" {
		return nil, nil, usageError{errors.New("--config FILE is missing")}
	}
	cfg, err := config.Load(file)
	if err != nil {
		return nil, nil, err
	}
	return cfg, newLogger(e.stderr, cfg.Log), nil
}
