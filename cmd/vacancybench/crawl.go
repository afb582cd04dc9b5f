package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/score"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// tuningSeeds are those on which the crawl may be tuned: figures that are
// printed for others come from later ones.
const tuningSeeds = 100

// memory is how much of it is used before garbage is collected more often.
const memory = 2 << 30

type crawlCmd struct {
	Days       int     `default:"56" help:"Simulated days. A change of the clocks falls in their middle."`
	Seeds      int     `default:"5" help:"How many worlds."`
	FirstSeed  uint64  `default:"101" help:"The first world. Those up to 100 are for tuning, and their figures for nobody else."`
	Live       int     `default:"12000" help:"Adverts live at the start."`
	PerWeekday float64 `default:"1150" help:"New adverts on a weekday."`
	Faults     bool    `help:"Let one thing after another go wrong, for a few days each, in place of the long runs."`
	Only       string  `placeholder:"NAME" help:"Of the faults only those whose name contains this."`
	Baselines  bool    `help:"Watch the same worlds with the usual strategies too."`
	JSON       string  `type:"path" placeholder:"FILE" help:"Write the figures as JSON too."`
	Profile    string  `type:"path" placeholder:"FILE" help:"Write a profile of the processor's time."`
	Log        string  `type:"path" placeholder:"FILE" help:"Write the daemon's log of the first world, or of each fault, here."`
}

// Run crawls simulated worlds under virtual time, with the program's own code,
// and scores what arrived against what happened.
func (c *crawlCmd) Run(e *env) (err error) {
	if c.Days < 2 || c.Seeds < 1 || c.Live < 1 || c.PerWeekday <= 0 {
		return errors.New("give at least 2 days, one seed, one live advert and one posting")
	}
	dir, err := os.MkdirTemp("", "vacancybench-crawl-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// Less often, while there is memory: it saves a fifth of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(1000))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(memory))
	logs, err := openLog(c.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, logs.Close()) }()
	if c.Profile != "" {
		f, err := os.Create(c.Profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	started := time.Now()
	c.header(e.stdout)
	var result any
	if c.Faults {
		result, err = c.faults(e, dir, logs)
	} else {
		result, err = c.watch(e, dir, logs)
	}
	fmt.Fprintf(e.stdout, "took %s\n", time.Since(started).Round(time.Second))
	if c.JSON == "" || result == nil {
		return err
	}
	b, jerr := json.MarshalIndent(result, "", "\t")
	if jerr == nil {
		jerr = os.WriteFile(c.JSON, append(b, '\n'), 0o644)
	}
	return errors.Join(err, jerr)
}

func (c *crawlCmd) header(w io.Writer) {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				version = s.Value[:min(12, len(s.Value))]
			}
		}
	}
	kind := "seeds that nothing was tuned on"
	if c.FirstSeed <= tuningSeeds {
		kind = "seeds for tuning: these figures are not for publication"
	}
	fmt.Fprintf(w, "vacancybench crawl, version %s, %s\n", version, runtime.Version())
	if c.Faults {
		fmt.Fprintf(w, "faults one after another, seed %d (%s), %d live, %.0f posted on a weekday\n\n", c.FirstSeed, kind, c.Live, c.PerWeekday)
		return
	}
	fmt.Fprintf(w, "%d days, seeds %d to %d (%s), %d live, %.0f posted on a weekday, no faults\n\n",
		c.Days, c.FirstSeed, c.FirstSeed+uint64(c.Seeds)-1, kind, c.Live, c.PerWeekday)
}

// changes of the clocks in London, in turn by seed.
var changes = []time.Time{time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)}

// begin is when the watch of a world begins, so that a change of the clocks
// lies in the middle.
func (c *crawlCmd) begin(seed uint64) time.Time {
	day := changes[seed%2].Truncate(24 * time.Hour)
	return day.AddDate(0, 0, -c.Days/2).Add(9 * time.Hour)
}

func (c *crawlCmd) options(seed uint64) simulator.Options {
	return simulator.Options{Seed: seed, Now: time.Now, Live: c.Live, PerWeekday: c.PerWeekday}
}

// watched is what became of one world.
type watched struct {
	Seed    uint64
	Figures score.Figures
	Naive   map[string]score.Figures `json:",omitempty"`
	err     error
}

// watch makes the long runs.
func (c *crawlCmd) watch(e *env, dir string, logs *logFile) (any, error) {
	worlds := make([]watched, c.Seeds)
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range worlds {
		w := &worlds[i]
		w.Seed = c.FirstSeed + uint64(i)
		g.Go(func() error {
			bubble(func() {
				log := slog.New(slog.DiscardHandler)
				if i == 0 {
					log = logs.logger()
				}
				w.Figures, w.err = c.long(e.ctx, w.Seed, filepath.Join(dir, fmt.Sprint(w.Seed)), log)
			})
			if w.err == nil && c.Baselines {
				w.Naive, w.err = c.naive(e.ctx, w.Seed)
			}
			return w.err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	c.table(e.stdout, worlds)
	all := make([]score.Figures, len(worlds))
	for i := range worlds {
		all[i] = worlds[i].Figures
	}
	return worlds, holds(e.stdout, score.Merge(all...))
}

// long watches one world for all of its days. It runs in a bubble.
func (c *crawlCmd) long(ctx context.Context, seed uint64, dir string, log *slog.Logger) (score.Figures, error) {
	begin := c.begin(seed)
	time.Sleep(time.Until(begin))
	d := newDaemon(dir, simulator.New(c.options(seed)), log)
	if err := d.start(); err != nil {
		return score.Figures{}, err
	}
	end := begin.AddDate(0, 0, c.Days)
	for time.Now().Before(end) && ctx.Err() == nil {
		time.Sleep(min(time.Hour, time.Until(end)))
	}
	in, err := d.evidence(ctx, begin)
	if err = errors.Join(err, d.stop(), ctx.Err()); err != nil {
		return score.Figures{}, err
	}
	return score.Score(in), nil
}

// evidence is what the scorer may see: the site's truth and log, what arrived,
// and the closings that were written down and told to nobody.
func (d *daemon) evidence(ctx context.Context, begin time.Time) (score.Input, error) {
	in := score.Input{Alerts: d.inbox.arrived(), Truth: d.site.Truth(), Requests: d.site.Requests(), Broken: d.site.Broken(),
		From: begin, To: time.Now(), Silences: slices.Clone(d.silences), Kills: d.kills, Budget: requestBudget}
	for i := range in.Silences {
		if in.Silences[i].To.IsZero() {
			in.Silences[i].To = in.To
		}
	}
	err := d.store.Events(ctx, time.Time{}, func(e vacancy.Event) error {
		if e.Kind == vacancy.Closed {
			in.Stored = append(in.Stored, score.Alert{Reference: e.Vacancy.Reference, Kind: e.Kind, Reason: e.Reason, At: e.At})
		}
		return nil
	})
	return in, err
}

// bubble runs f with a clock of its own, which stands while anything in it
// works and jumps ahead when all wait. Package synctest gives such clocks to
// tests alone, hence the test that is none; nothing of it is used.
func bubble(f func()) { synctest.Test(new(testing.T), func(*testing.T) { f() }) }

// logFile takes logs of several bubbles; nothing without a name.
type logFile struct{ f *os.File }

func openLog(name string) (*logFile, error) {
	if name == "" {
		return &logFile{}, nil
	}
	f, err := os.Create(name)
	return &logFile{f}, err
}

func (l *logFile) logger() *slog.Logger {
	if l.f == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(l.f, nil))
}

func (l *logFile) Close() error {
	if l.f == nil {
		return nil
	}
	return l.f.Close()
}
