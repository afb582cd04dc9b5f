package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

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
	g.Go(func() error { return a.schedule.Run(ctx) })
	g.Go(func() error { return a.deliverer.Run(ctx) })
	err := g.Wait()
	a.log.Info("stopped")
	return err
}

func serveHTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := web.NewServer("", h)
	stop := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		srv.Shutdown(end)
	})
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (a *app) admin() http.Handler {
	return web.Admin(web.AdminOptions{
		Gatherer: a.registry, Status: a.status, Alive: a.schedule.Alive, Started: a.started,
		Ready: a.ready, Logger: a.log,
	})
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
		rep, err := r.Once(e.ctx)
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
	for _, s := range cfg.VacancySearches() {
		fmt.Fprintf(e.stdout, "search %s: %s\n", s.ID, s.Describe())
	}
	fmt.Fprintf(e.stdout, "%s: ok, %d sources, %d channels, %d searches\n", c.Config, len(cfg.Sources), len(cfg.Channels), len(cfg.Searches))
	return nil
}

type crawlCmd struct {
	Resume resumeCmd `cmd:"" help:"Go on with a source that was stopped because the site refused it."`
}

type resumeCmd struct {
	Config string `required:"" type:"path" help:"The configuration file."`
	Source string `arg:"" help:"The name of the source."`
}

// Run lifts a stop. A person decides it, after having looked why the site
// refused, so nothing else lifts it.
func (c *resumeCmd) Run(e *env) error {
	cfg, log, err := loadConfig(c.Config, e)
	if err != nil {
		return err
	}
	a, err := newApp(e.ctx, cfg, log)
	if err != nil {
		return err
	}
	return errors.Join(a.resume(e, c.Source), a.close())
}

func (a *app) resume(e *env, source string) error {
	for _, r := range a.schedule.Runners {
		if r.Source.Name != source {
			continue
		}
		st, err := a.store.State(e.ctx, source)
		if err != nil {
			return err
		}
		if st.Epoch == "" || st.Stopped == "" && !st.HTMLForbidden {
			fmt.Fprintf(e.stdout, "%s is not stopped\n", source)
			return nil
		}
		st.Stopped, st.HTMLForbidden, st.Gate, st.Backoff = "", false, time.Time{}, 0
		st.Runs++
		if err := a.store.Mark(e.ctx, source, st); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s goes on at the next tick\n", source)
		return nil
	}
	return usageError{fmt.Errorf("there is no source %q in the configuration", source)}
}
