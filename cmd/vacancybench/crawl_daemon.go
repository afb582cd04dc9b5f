package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/crawler/polite"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/score"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// sourceName is the one source of the suite.
const sourceName = "nhs-jobs"

// requestBudget is how many requests a UTC day may bring, as by default.
const requestBudget = 4000

// benchSource is the crawl as it is configured by default.
func benchSource() (crawler.Source, error) {
	site, ok := crawler.SiteByName(sourceName)
	if !ok {
		return crawler.Source{}, errors.New("nhs-jobs is no site of the crawler")
	}
	return crawler.Source{Name: sourceName, Site: site, Base: site.DefaultBase,
		UserAgent:   "vacancywatch/bench (+https://watch.example; ops@watch.example)",
		PollsPerDay: crawler.DefaultPollsPerDay, HotMin: 2 * time.Minute, HotMax: 30 * time.Minute, SweepHour: 3, Spacing: 2 * time.Second, Budget: requestBudget}, nil
}

// A daemon is the crawling and the telling half of vacancywatch over a
// simulated site: the program's own crawler, store, dispatcher and deliverer,
// wired as the program wires them. Its one saved search matches everything and
// asks for every kind of event; where the alerts would leave, an inbox keeps
// them. It lives in a bubble.
type daemon struct {
	dir  string
	site *simulator.Site
	log  *slog.Logger
	// wire is what lies between the daemon and the site.
	wire  http.RoundTripper
	inbox *inbox

	// Of one life of the process.
	life       *life
	folder     *store.Folder
	store      *store.Store
	registry   *prometheus.Registry
	runner     *crawler.Runner
	dispatcher *alerts.Dispatcher
	deliverer  *alerts.Deliverer
	lastPrune  time.Time
	wake       chan struct{}

	silences []score.Span
	kills    []time.Time
	// ticked is called after each tick. May be nil.
	ticked func(now time.Time)
	// sleep is until when the host sleeps, in nanoseconds of Unix time.
	sleep atomic.Int64
}

// A life is one process: once it has ended, however suddenly, nothing of it
// reaches the state, the site or the inbox any more.
type life struct {
	ctx  context.Context
	dead atomic.Bool
	// left counts the steps of the store down to a sudden end; negative never.
	left atomic.Int64
	end  context.CancelFunc
	wait sync.WaitGroup
}

var errDead = errors.New("the process has been killed")

// step counts one step of the store and reports whether the process is still
// there to make it.
func (l *life) step() bool {
	if l.left.Add(-1) == 0 {
		l.kill()
	}
	return !l.dead.Load()
}

func (l *life) kill() {
	l.dead.Store(true)
	l.end()
}

func newDaemon(dir string, site *simulator.Site, log *slog.Logger) *daemon {
	return &daemon{dir: dir, site: site, log: log, wire: site.Transport(), inbox: &inbox{}}
}

// start begins a life of the process. Of what was before it has the folder
// alone.
func (d *daemon) start() (err error) {
	ctx, cancel := context.WithCancel(context.Background())
	d.life = &life{ctx: ctx, end: cancel}
	d.life.left.Store(-1)
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start the daemon: %w", err), d.close())
		}
	}()
	if d.folder, err = store.OpenFolder(d.dir); err != nil {
		return err
	}
	bolt, err := engine.OpenBolt(d.folder.StateFile(), engine.BoltOptions{NoSync: true, Warn: func(s string) { d.log.Error(s) }})
	if err != nil {
		return err
	}
	if d.store, err = store.Open(ctx, mortalEngine{bolt, d.life}, store.Options{Stamp: d.folder.StampFile(), Holder: d.folder.Holder}); err != nil {
		return errors.Join(err, bolt.Close())
	}
	if _, err := d.store.Reclaim(ctx, time.Now()); err != nil {
		return err
	}
	// A search has to narrow by something: any band, or none at all.
	all := vacancy.Search{ID: "all", Name: "everything", Subscriber: "bench", Bands: vacancy.Bands(), Unstated: map[string]bool{"band": true},
		Internal: true, Kinds: vacancy.Kinds(), Notify: []vacancy.Notify{{Channel: inboxName}}}
	if err := all.Prepare(); err != nil {
		return err
	}
	if _, err := d.store.Provision(ctx, []vacancy.Search{all}, time.Now()); err != nil {
		return err
	}
	d.registry = prometheus.NewRegistry()
	src, err := benchSource()
	if err != nil {
		return err
	}
	d.wireAlerts()
	schedule, err := d.wireCrawl(src)
	if err != nil {
		return err
	}
	d.life.wait.Go(func() { d.deliver(ctx) })
	d.life.wait.Go(func() {
		if err := schedule.Run(ctx); err != nil {
			d.log.Error("the schedule ended", "err", err)
		}
	})
	return nil
}

func (d *daemon) wireAlerts() {
	metrics := alerts.NewMetrics(d.registry)
	d.wake = make(chan struct{}, 1)
	d.deliverer = &alerts.Deliverer{Outbox: d.store, Searches: d.store, Now: time.Now, Logger: d.log, Metrics: metrics,
		Channels: map[string]channel.Channel{inboxName: mortalChannel{d.inbox, d.life}}}
	d.dispatcher = &alerts.Dispatcher{Log: d.store, Searches: alerts.NewCatalogue(d.store, d.log, metrics), Now: time.Now, Logger: d.log, Metrics: metrics,
		Queued: func() {
			select {
			case d.wake <- struct{}{}:
			default:
			}
		}}
}

func (d *daemon) wireCrawl(src crawler.Source) (*crawler.Schedule, error) {
	metrics := crawler.NewMetrics(d.registry, []crawler.Source{src})
	transport, err := src.Transport(polite.Options{Base: mortalWire{d.wire, d.life}, Now: time.Now, Take: crawler.Budget(d.store, src, time.Now),
		Observer: metrics.Observer(src.Name, d.log)})
	if err != nil {
		return nil, err
	}
	d.runner = &crawler.Runner{Source: src, Memory: noting{d.store, d}, Sink: d.dispatcher, Transport: transport, Holder: d.folder.Holder,
		Now: time.Now, Logger: d.log, Metrics: metrics}
	return &crawler.Schedule{Runners: []*crawler.Runner{d.runner}, Metrics: metrics, Upkeep: d.upkeep}, nil
}

// upkeep is what the program does after each tick.
func (d *daemon) upkeep(ctx context.Context) error {
	time.Sleep(time.Until(time.Unix(0, d.sleep.Load())))
	now := time.Now()
	closed, err := d.store.Expire(ctx, vacancy.LondonDay(now), now)
	d.dispatcher.Metrics.Observe(closed)
	if err != nil {
		return err
	}
	if err := d.dispatcher.Recover(ctx); err != nil {
		return err
	}
	if now.Sub(d.lastPrune) >= time.Hour {
		d.lastPrune = now
		if err := d.store.Prune(ctx, now); err != nil {
			return err
		}
	}
	if d.ticked != nil {
		d.ticked(now)
	}
	return nil
}

// noting is the memory of a crawl that notes when it is silent.
type noting struct {
	*store.Store
	daemon *daemon
}

func (n noting) Begin(ctx context.Context, source, reason string, at time.Time) (crawler.State, error) {
	st, err := n.Store.Begin(ctx, source, reason, at)
	if err == nil {
		n.daemon.note(&st)
	}
	return st, err
}

func (n noting) Mark(ctx context.Context, source string, st crawler.State) error {
	err := n.Store.Mark(ctx, source, st)
	if err == nil {
		n.daemon.note(&st)
	}
	return err
}

// note keeps the spans of silence, which excuse what they swallow.
func (d *daemon) note(st *crawler.State) {
	last, open := len(d.silences)-1, d.silent()
	b := st.Baseline
	if b != nil && open && d.silences[last].From.Equal(b.Since) {
		return
	}
	if open {
		d.silences[last].To = time.Now()
	}
	if b != nil {
		d.silences = append(d.silences, score.Span{From: b.Since})
	}
}

// silent reports whether the crawl takes in what is there without telling it.
func (d *daemon) silent() bool {
	last := len(d.silences) - 1
	return last >= 0 && d.silences[last].To.IsZero()
}

// deliver is the deliverer's loop. Its own looks at the outbox every few
// seconds, in case another process has queued something; here there is none,
// and most of those million looks are left out.
func (d *daemon) deliver(ctx context.Context) {
	for ctx.Err() == nil {
		ended, err := d.deliverer.Pass(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.Warn("delivery pass failed, will be tried again", "err", err)
		}
		if ended > 0 && err == nil {
			continue
		}
		rest := time.NewTimer(time.Minute)
		select {
		case <-ctx.Done():
		case <-d.wake:
		case <-rest.C:
		}
		rest.Stop()
	}
}

// stop ends the process in order.
func (d *daemon) stop() error {
	d.life.end()
	d.life.wait.Wait()
	return d.close()
}

// killIn waits for the process to die at the n-th step of its store from now,
// or within a time, and cleans up after it.
func (d *daemon) killIn(n int64, within time.Duration) error {
	d.life.left.Store(n)
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-d.life.ctx.Done():
	case <-timer.C:
		d.life.kill()
	}
	d.kills = append(d.kills, time.Now())
	d.life.wait.Wait()
	return d.close()
}

// close gives everything back, as the end of a process does.
func (d *daemon) close() error {
	d.life.end()
	var errs []error
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	if d.folder != nil {
		errs = append(errs, d.folder.Close())
	}
	d.store, d.folder = nil, nil
	return errors.Join(errs...)
}

// flush loses the state while the process is down. The stamp stays: it lies on
// the machine, and not with the state.
func (d *daemon) flush() error { return os.Remove(filepath.Join(d.dir, "state.db")) }

// mortalEngine is an engine of a process that may die between any two steps.
type mortalEngine struct {
	engine.Engine
	life *life
}

func (m mortalEngine) Update(ctx context.Context, slot string, fn func(engine.Tx) error) error {
	if !m.life.step() {
		return errDead
	}
	return m.Engine.Update(ctx, slot, fn)
}

func (m mortalEngine) Read(ctx context.Context, slot string, reads ...engine.Read) error {
	if m.life.dead.Load() {
		return errDead
	}
	return m.Engine.Read(ctx, slot, reads...)
}

// mortalWire sends nothing for a dead process.
type mortalWire struct {
	http.RoundTripper
	life *life
}

func (m mortalWire) RoundTrip(req *http.Request) (*http.Response, error) {
	if m.life.dead.Load() {
		return nil, errDead
	}
	return m.RoundTripper.RoundTrip(req)
}
