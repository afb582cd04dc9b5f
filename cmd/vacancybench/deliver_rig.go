package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A deliverStage is the alerting half of the daemon over a state of its own:
// saved searches, dispatcher, outbox. What delivers from it is added by the
// parts of the suite.
type deliverStage struct {
	state      string
	dir        string
	redis      *redisServer // nil where the state is embedded
	store      *store.Store
	meter      *meter
	log        *slog.Logger
	metrics    *alerts.Metrics
	dispatcher *alerts.Dispatcher
	deliverer  *alerts.Deliverer // told when something is queued; nil where nobody is
	world      *world.World
	made       atomic.Int64 // vacancies

	more []io.Closer
	end  context.CancelFunc
	wait *errgroup.Group
}

// newStage opens an empty state and saves searches in it.
func (r *deliverRun) newStage(ctx context.Context, state string, searches []vacancy.Search) (s *deliverStage, err error) {
	dir, err := os.MkdirTemp(r.dir, "stage-")
	if err != nil {
		return nil, err
	}
	// The daemon writes a line a message; here it is made and thrown away.
	s = &deliverStage{state: state, dir: dir, log: slog.New(slog.NewJSONHandler(io.Discard, nil)), world: world.New(r.Seed)}
	ctx, s.end = context.WithCancel(ctx)
	s.wait, ctx = errgroup.WithContext(ctx)
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open the %s state: %w", state, err), s.Close())
		}
	}()
	if state == "redis" {
		if s.redis, err = startRedis(ctx, s.wait, dir); err != nil {
			return s, err
		}
	}
	if s.store, s.meter, err = s.open(ctx, dir, "bench-1"); err != nil {
		return s, err
	}
	if _, err := s.store.Provision(ctx, searches, time.Now()); err != nil {
		return s, err
	}
	s.metrics = alerts.NewMetrics(prometheus.NewRegistry())
	catalogue := alerts.NewCatalogue(s.store, s.log, s.metrics)
	if n, err := catalogue.Len(ctx); err != nil || n != len(searches) {
		return s, fmt.Errorf("%d of %d searches are in force: %w", n, len(searches), err)
	}
	s.dispatcher = &alerts.Dispatcher{Log: s.store, Searches: catalogue, Now: time.Now, Logger: s.log, Metrics: s.metrics,
		Queued: func() {
			if s.deliverer != nil {
				s.deliverer.Wake()
			}
		}}
	return s, nil
}

// open opens the state, as one process of the daemon does.
func (s *deliverStage) open(ctx context.Context, dir, holder string) (*store.Store, *meter, error) {
	var eng engine.Engine
	var err error
	if s.redis != nil {
		eng, err = engine.OpenRedis(ctx, engine.RedisOptions{URL: s.redis.url})
	} else {
		eng, err = engine.OpenBolt(filepath.Join(dir, "state"), engine.BoltOptions{})
	}
	if err != nil {
		return nil, nil, err
	}
	m := &meter{}
	st, err := store.Open(ctx, meteredEngine{eng, m}, store.Options{Holder: holder})
	if err != nil {
		return nil, nil, errors.Join(err, eng.Close())
	}
	s.more = append(s.more, st)
	return st, m, nil
}

func (s *deliverStage) Close() error {
	var errs []error
	for _, c := range s.more {
		errs = append(errs, c.Close())
	}
	s.end()
	return errors.Join(append(errs, s.wait.Wait(), os.RemoveAll(s.dir))...)
}

// A meter counts the steps of a store and the time that they take, all
// goroutines together.
type meter struct{ updates, reads, updating, reading atomic.Int64 }

// steps is what a meter shows.
type steps struct{ updates, reads, updating, reading float64 } // ns

func (m *meter) read() steps {
	return steps{float64(m.updates.Load()), float64(m.reads.Load()), float64(m.updating.Load()), float64(m.reading.Load())}
}

// since is the difference to an earlier reading, a message.
func (s steps) since(was steps, messages int) steps {
	n := float64(messages)
	return steps{(s.updates - was.updates) / n, (s.reads - was.reads) / n, (s.updating - was.updating) / n, (s.reading - was.reading) / n}
}

// meteredEngine is an engine whose steps are counted.
type meteredEngine struct {
	engine.Engine
	*meter
}

func (m meteredEngine) Update(ctx context.Context, slot string, fn func(engine.Tx) error) error {
	began := time.Now()
	defer func() { m.updating.Add(int64(time.Since(began))) }()
	m.updates.Add(1)
	return m.Engine.Update(ctx, slot, fn)
}

func (m meteredEngine) Read(ctx context.Context, slot string, reads ...engine.Read) error {
	began := time.Now()
	defer func() { m.reading.Add(int64(time.Since(began))) }()
	m.reads.Add(1)
	return m.Engine.Read(ctx, slot, reads...)
}

// benchSearches are n saved searches, of a subscriber each, that want every
// vacancy of one employer, and whose alerts go by one of the channels in turn.
func benchSearches(employer string, n int, channels ...string) []vacancy.Search {
	out := make([]vacancy.Search, n)
	for i := range out {
		id := fmt.Sprintf("%s-%d", employer, i)
		notify := vacancy.Notify{Channel: channels[i%len(channels)]}
		if notify.Channel == mailChannel {
			notify.To = vacancy.Address(fmt.Sprintf("reader%d@%s.example", i, employer))
		}
		out[i] = vacancy.Search{ID: id, Name: "all of " + employer, Subscriber: "reader of " + id, Employers: []string{employer},
			Internal: true, Notify: []vacancy.Notify{notify}}
	}
	return out
}

// The channels of the suite.
const (
	mailChannel = "mail"
	farSides    = 8 // endpoints of webhooks
)

func hookChannel(n int) string { return fmt.Sprint("hook", n) }

func hookChannels(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = hookChannel(i)
	}
	return out
}

// sight makes n vacancies of an employer and lets the dispatcher see them.
func (s *deliverStage) sight(ctx context.Context, employer string, n int) ([]vacancy.Event, error) {
	now := time.Now()
	sightings := make([]vacancy.Sighting, n)
	for i := range sightings {
		n := s.made.Add(1)
		v := asVacancy(s.world.Make(uint64(n), now.Add(-time.Hour), 21), int(n))
		v.Employer, v.FirstSeen = employer, now
		sightings[i] = vacancy.Sighting{Vacancy: *v, At: now, Feed: "xml", Listed: vacancy.ListedFacts(v)}
	}
	return s.dispatcher.Accept(ctx, sightings)
}

// queued is how many messages wait in the outbox.
func (s *deliverStage) queued(ctx context.Context) (int, error) {
	c, err := s.store.Counts(ctx, time.Now())
	return c.Queued, err
}

// A delivery is what some deliverers have to bring away.
type delivery struct {
	want  int64
	done  atomic.Int64
	all   chan struct{} // closed when all is delivered
	mu    sync.Mutex
	other map[string]int // settlements that were not for good
}

func newDelivery(want int) *delivery {
	return &delivery{want: int64(want), all: make(chan struct{}), other: map[string]int{}}
}

// settled is called by a deliverer after each attempt.
func (d *delivery) settled(m *alerts.Message, s alerts.Settlement) {
	if s == alerts.SettleDone {
		if d.done.Add(1) == d.want {
			close(d.all)
		}
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.other[string(s)+" "+m.Reason]++
}

// stallAfter is how long a delivery may stand still.
const stallAfter = time.Minute

// wait waits until all is delivered, or nothing is any more.
func (d *delivery) wait(ctx context.Context) error {
	look := time.NewTicker(stallAfter)
	defer look.Stop()
	for last := int64(-1); ; {
		select {
		case <-d.all:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
		done := d.done.Load()
		if done == last {
			d.mu.Lock()
			defer d.mu.Unlock()
			return fmt.Errorf("delivery stands still: %d of %d messages, other settlements %v", done, d.want, d.other)
		}
		last = done
	}
}

// deliverFrom makes a deliverer over a store, wired as the daemon's.
func (s *deliverStage) deliverFrom(st *store.Store, channels map[string]channel.Channel, settled func(*alerts.Message, alerts.Settlement)) *alerts.Deliverer {
	return &alerts.Deliverer{
		Outbox: st, Searches: st, Channels: channels, Now: time.Now, Logger: s.log, Metrics: s.metrics, Sent: settled,
		PageURL: "https://watch.example", StopURL: func(search string) string { return "https://watch.example/u/" + channel.Token(search) },
	}
}

// openMail opens the mail channel to a relay.
func openMail(to relay) (channel.Channel, error) {
	cfg := channel.EmailConfig{Host: to.host, Port: to.port, From: "Vacancy alerts <alerts@bench.example>", BounceTo: "b@bench.example",
		TLS: channel.TLSNone, HelloName: "bench.example"}
	if to.caFile != "" {
		cfg.TLS, cfg.CAFile = channel.TLSMandatory, to.caFile
	}
	return channel.NewEmail(cfg)
}

// openHook opens the channel to an endpoint. Its secret way over https is not
// measured: both sides would pay the same for it.
func openHook(to *hookSink, secret string) (channel.Channel, error) {
	url, err := channel.ParseHookURL(to.url)
	if err != nil {
		return nil, err
	}
	return channel.NewWebhook(channel.WebhookConfig{URL: url, Secret: channel.NewSecret(secret), AllowHTTP: true, Allow: loopbackNets()})
}

// closeChannels gives back what channels hold.
func closeChannels(channels map[string]channel.Channel) error {
	var errs []error
	for _, ch := range channels {
		if c, ok := ch.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
