package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web"
)

// shutdownTime is how long running requests may take to end.
const shutdownTime = 10 * time.Second

type serveCmd struct {
	Config string `required:"" type:"path" help:"The configuration file."`
}

func (c *serveCmd) Run(e *env) error {
	cfg, log, err := loadConfig(c.Config, e)
	if err != nil {
		return err
	}
	a, err := newApp(e.ctx, cfg, log)
	if err != nil {
		return err
	}
	a.file = c.Config
	err = a.serve(e.ctx)
	return errors.Join(err, a.close())
}

// serve runs everything until ctx ends.
func (a *app) serve(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	a.stopping = ctx.Done()
	for _, s := range []struct {
		name, addr string
		handler    http.Handler
	}{{"admin", a.cfg.Listen.Admin, a.admin()}, {"public", a.cfg.Listen.Public, a.public()}} {
		if s.addr == "off" {
			continue
		}
		l, err := net.Listen("tcp", s.addr)
		if err != nil {
			return fmt.Errorf("listen.%s: %w", s.name, err)
		}
		a.log.Info("listening", "server", s.name, "address", "http://"+l.Addr().String())
		g.Go(func() error { return serveHTTP(ctx, l, s.handler) })
	}
	if a.cfg.Bounces != nil {
		l, err := net.Listen("tcp", a.cfg.Bounces.Listen)
		if err != nil {
			return fmt.Errorf("bounces.listen: %w", err)
		}
		a.log.Info("listening", "server", "bounces", "address", l.Addr().String())
		g.Go(func() error { return a.serveBounces(ctx, l) })
	}
	if err := a.learn(ctx); err != nil {
		return err
	}
	g.Go(func() error { return a.catalogue.Run(ctx) })
	g.Go(func() error { return a.schedule.Run(ctx) })
	g.Go(func() error { return a.deliverer.Run(ctx) })
	err := g.Wait()
	a.log.Info("stopped")
	return err
}

// learn shows the catalogue of searches what vacancies are like. It makes the
// matching of a million searches fast, and changes no answer.
func (a *app) learn(ctx context.Context) error {
	const enough = 500
	n, full := 0, errors.New("seen enough")
	err := a.store.Vacancies(ctx, func(r vacancy.Record) error {
		if r.Closed != "" || r.Vacancy.PageUnread {
			return nil
		}
		v := r.Vacancy
		v.Text = r.Text
		a.catalogue.Learn(&v, vacancy.LondonDay(a.started))
		if n++; n == enough {
			return full
		}
		return nil
	})
	if err != nil && !errors.Is(err, full) {
		return fmt.Errorf("look at the vacancies: %w", err)
	}
	return a.catalogue.Refresh(ctx)
}

// serveHTTP serves until ctx ends, and returns when what was being answered has
// been, so that nobody finds the state closed.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := web.NewServer("", h)
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		srv.Shutdown(end)
	})
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-ended
	return nil
}

func (a *app) admin() http.Handler {
	return a.withWebhooks(web.Admin(web.AdminOptions{
		Gatherer: a.registry, Status: a.fullStatus, Alive: a.schedule.Alive, Started: a.started,
		Ready: a.ready, Decide: a.decideWhileServing, Outbox: a.outbox, Previews: a.store, Logger: a.log,
	}))
}

// ready is whether work may be sent here.
func (a *app) ready(ctx context.Context) error {
	select {
	case <-a.stopping:
		return web.ErrStopping
	default:
		return a.store.Ping(ctx)
	}
}

func (a *app) public() http.Handler {
	return web.Public(web.PublicOptions{
		Status: a.status, Tokens: a.tokens, Lookup: a.lookup, Stop: a.stop, Logger: a.log,
		Previews: a.store, Places: a.places, Subscribe: a.subscribe(), Records: a.store, Feeds: a.feeds(),
		HTTPS: strings.HasPrefix(a.cfg.Listen.PublicURL, "https://"),
	})
}

type onceCmd struct {
	Config string `required:"" type:"path" help:"The configuration file."`
}

func (c *onceCmd) Run(e *env) error {
	cfg, log, err := loadConfig(c.Config, e)
	if err != nil {
		return err
	}
	a, err := newApp(e.ctx, cfg, log)
	if err != nil {
		return err
	}
	return errors.Join(a.once(e), a.close())
}

// once makes one pass over each source and delivers what is due. What fails is
// said; it stays queued, and the next pass goes on with it.
func (a *app) once(e *env) error {
	var errs []error
	for _, r := range a.schedule.Runners {
		rep, err := a.onceOver(e.ctx, r)
		if err != nil {
			errs = append(errs, fmt.Errorf("source %s: %w", r.Source.Name, err))
		}
		fmt.Fprintf(e.stdout, "%s: %s, %d pages, %d listed, %d adverts read, %d new%s\n",
			r.Source.Name, orNone(rep.Verdict), rep.Pages, rep.Listed, rep.Read, rep.New, baselineNote(rep.Baseline))
	}
	if err := a.upkeep(e.ctx); err != nil {
		errs = append(errs, err)
	}
	for e.ctx.Err() == nil {
		ended, err := a.deliverer.Pass(e.ctx)
		if err != nil {
			errs = append(errs, err)
			break
		}
		if ended == 0 {
			break
		}
	}
	counts, err := a.store.Counts(e.ctx, time.Now())
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	fmt.Fprintf(e.stdout, "live %d, queued %d, given up %d\n", counts.Live, counts.Queued, counts.Buried)
	return errors.Join(errs...)
}

// onceOver makes one pass over a source, but over none that a person paused.
func (a *app) onceOver(ctx context.Context, r *crawler.Runner) (crawler.Report, error) {
	st, err := a.store.State(ctx, r.Source.Name)
	switch {
	case err != nil:
		return crawler.Report{}, fmt.Errorf("read the state: %w", err)
	case st.Paused:
		return crawler.Report{}, fmt.Errorf("it is paused: `vacancywatch crawl resume %s` goes on with it", r.Source.Name)
	}
	return r.Once(ctx)
}

func orNone(verdict string) string {
	if verdict == "" {
		return "not run"
	}
	return verdict
}

func baselineNote(b bool) string {
	if b {
		return " (silent baseline: what was there before is told to nobody)"
	}
	return ""
}

type checkCmd struct {
	Config string `required:"" type:"path" help:"The configuration file."`
}

func (c *checkCmd) Run(e *env) error {
	cfg, _, err := loadConfig(c.Config, e)
	if err != nil {
		return err
	}
	for i := range cfg.Sources {
		if s := &cfg.Sources[i]; s.Experimental {
			fmt.Fprintf(e.stdout, "source %s: %s, experimental: nobody has compared what is read with the real pages\n", s.Name, s.Site)
		}
	}
	file, places, err := withPostcodes(postcodesFile(cfg))
	switch {
	case err != nil:
		fmt.Fprintf(e.stdout, "postcodes: warning: %v; without them places are known by their sector alone\n", err)
	case file != nil:
		defer file.Close()
		fmt.Fprintf(e.stdout, "postcodes: %s\n", infoWords(file.Info()))
	}
	for _, s := range cfg.VacancySearches(places) {
		fmt.Fprintf(e.stdout, "search %s: %s\n", s.ID, s.Describe())
		for _, advice := range s.Advise() {
			fmt.Fprintf(e.stdout, "search %s: warning: %s\n", s.ID, advice)
		}
	}
	if err := checkMail(e.stdout, cfg); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s: ok, %d sources, %d channels, %d searches\n", c.Config, len(cfg.Sources), len(cfg.Channels), len(cfg.Searches))
	return nil
}
