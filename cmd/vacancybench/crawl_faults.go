package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/score"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A trouble is one thing that goes wrong for a while, in a world that begins
// on a Tuesday at six in the morning in UTC.
type trouble struct {
	name string
	// from and until bound it, counted from the beginning of the world; days
	// is how long the world is watched.
	from, until time.Duration
	days        int
	// script are faults of the site, without their times.
	script string
	// make does what is wrong with the daemon's side. May be nil.
	make func(ctx context.Context, d *daemon, until time.Time) error
	// large takes the whole board in place of a small one.
	large bool
	// misses says that adverts may go untold: the site does not want us, or
	// shows nothing that is true.
	misses bool
	// alarms is how many have to be raised in its first half day, when nothing
	// else has followed from it yet; zero for any number.
	alarms int
}

const hour = time.Hour

// troubles are what can go wrong.
var troubles = []trouble{
	{name: "nothing", from: 28 * hour, until: 31 * hour, days: 3},
	{name: "outage of 3 h, 503", from: 28 * hour, until: 31 * hour, days: 3, script: "any 503"},
	{name: "outage of 3 h, refused", from: 28 * hour, until: 31 * hour, days: 3, script: "any refused"},
	{name: "outage over the sweep", from: 43 * hour, until: 46 * hour, days: 3, script: "any slow=40s"},
	{name: "storms", from: 26 * hour, until: 70 * hour, days: 3,
		script: "xml 503 rate=0.03\nxml cut rate=0.02\nxml html rate=0.005\nxml slow=25s rate=0.01\nadvert 500 rate=0.1\nadvert soft404 rate=0.05\nadvert drip=3s rate=0.02"},
	{name: "429 with Retry-After", from: 28 * hour, until: 29 * hour, days: 3, script: "any 429 retry-after=1800"},
	{name: "429 without", from: 28 * hour, until: 29 * hour, days: 3, script: "any 429"},
	{name: "403 of the XML", from: 28 * hour, until: 29 * hour, days: 3, script: "xml 403", misses: true},
	{name: "403 of the pages", from: 28 * hour, until: 29 * hour, days: 3, script: "advert 403"},
	{name: "robots.txt forbids", from: 20 * hour, until: 72 * hour, days: 3, script: "robots forbid", misses: true},
	{name: "104 of 11,815", from: 40 * hour, until: 114 * hour, days: 6, script: "xml few=104", large: true, misses: true, alarms: 1},
	{name: "104 of 11,815, the total stays", from: 40 * hour, until: 114 * hour, days: 6, script: "xml depth=104", large: true, misses: true},
	{name: "total of a tenth", from: 28 * hour, until: 56 * hour, days: 4, script: "xml total=x0.1", misses: true},
	{name: "total of 104", from: 28 * hour, until: 56 * hour, days: 4, script: "xml total=104", misses: true},
	{name: "valid nothing", from: 28 * hour, until: 56 * hour, days: 4, script: "any nothing", misses: true},
	{name: "valid nothing, to probes", from: 40 * hour, until: 90 * hour, days: 5, script: "listing nothing"},
	{name: "old page 1", from: 28 * hour, until: 36 * hour, days: 3, script: "xml stale=6h"},
	{name: "page 1 for every page", from: 40 * hour, until: 70 * hour, days: 4, script: "xml page-one"},
	{name: "rows missing", from: 40 * hour, until: 70 * hour, days: 4, script: "xml short=7"},
	{name: "notice for XML", from: 28 * hour, until: 34 * hour, days: 3, script: "xml html"},
	{name: "XML drift: no posting time", from: 28 * hour, until: 34 * hour, days: 3, script: "xml missing=posted"},
	{name: "XML drift: another root", from: 28 * hour, until: 52 * hour, days: 4, script: "xml root=vacancies"},
	{name: "XML drift: columns swapped", from: 28 * hour, until: 52 * hour, days: 4, script: "xml swap=names", misses: true},
	{name: "XML plausible, wrong dates", from: 40 * hour, until: 52 * hour, days: 4, script: "xml wrong=closing"},
	{name: "XML plausible, wrong titles", from: 40 * hour, until: 52 * hour, days: 4, script: "xml wrong=title"},
	{name: "HTML drift: hook renamed", from: 28 * hour, until: 76 * hour, days: 4, script: "listing rename=search-result"},
	{name: "HTML drift: adverts without ids", from: 28 * hour, until: 52 * hour, days: 3, script: "advert no-ids"},
	{name: "clock 10 min fast", from: 28 * hour, until: 76 * hour, days: 4, script: "any skew=10m"},
	{name: "host asleep 3 h", from: 28 * hour, until: 31 * hour, days: 3, make: asleep},
	{name: "state flushed", from: 28 * hour, until: 28*hour + 10*time.Minute, days: 3, make: flushed, large: true},
	{name: "killed between steps", from: 26 * hour, until: 70 * hour, days: 3, make: killed},
}

// asleep lets the host sleep: nothing of the process runs, and the clock goes
// on.
func asleep(_ context.Context, d *daemon, until time.Time) error {
	d.sleep.Store(until.UnixNano())
	time.Sleep(time.Until(until))
	return nil
}

// flushed empties the state.
func flushed(_ context.Context, d *daemon, _ time.Time) error {
	return errors.Join(d.stop(), d.flush(), d.start())
}

// killed kills the process at random steps of its store.
func killed(ctx context.Context, d *daemon, until time.Time) error {
	dice := rand.New(rand.NewPCG(1, uint64(until.Unix())))
	for time.Now().Before(until) && ctx.Err() == nil {
		if err := d.killIn(1+dice.Int64N(500), time.Until(until)+time.Second); err != nil {
			return err
		}
		time.Sleep(time.Duration(dice.Int64N(int64(5 * time.Minute))))
		if err := d.start(); err != nil {
			return err
		}
	}
	return nil
}

// outcome is what became of a trouble.
type outcome struct {
	Name string
	// Noticed is from its beginning to the end of the first run that was not
	// good, Alarmed to the first alarm; negative where there was none.
	Noticed, Alarmed time.Duration
	// Recovered is from its end to the end of the first good hot run, CaughtUp
	// to when the last advert was told that had become visible during it.
	Recovered, CaughtUp time.Duration
	// Verdicts count the runs from its beginning to its end.
	Verdicts map[string]int
	Alarms   []raised
	Kills    int
	Figures  score.Figures
	Broken   []string // promises

	err error
}

// faults lets one thing after another go wrong.
func (c *crawlCmd) faults(e *env, dir string, logs *logFile) (any, error) {
	var chosen []trouble
	for _, t := range troubles {
		if strings.Contains(t.name, c.Only) {
			chosen = append(chosen, t)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no fault has a name with %q", c.Only)
	}
	outcomes := make([]outcome, len(chosen))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, t := range chosen {
		g.Go(func() error {
			log := logs.logger().With("fault", t.name)
			bubble(func() { outcomes[i] = c.suffer(e.ctx, t, filepath.Join(dir, fmt.Sprint(i)), log) })
			return outcomes[i].err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	rows := [][]string{{"", "noticed", "alarm", "recovered", "caught up", "ok part abor quar skip", "missed", "false", "twice", "kills", "alarms"}}
	var broken []string
	for _, o := range outcomes {
		var names, verdicts []string
		for _, a := range o.Alarms {
			names = append(names, a.Name)
		}
		for _, v := range crawler.Verdicts() {
			verdicts = append(verdicts, fmt.Sprint(o.Verdicts[v]))
		}
		rows = append(rows, []string{o.Name, span(o.Noticed), span(o.Alarmed), span(o.Recovered), span(o.CaughtUp), strings.Join(verdicts, " "),
			fmt.Sprint(len(o.Figures.Missed)), fmt.Sprint(len(o.Figures.FalseClosed) + len(o.Figures.FalseStored)),
			fmt.Sprint(len(o.Figures.Twice)), fmt.Sprint(o.Kills), cmp.Or(strings.Join(names, " "), "none")})
		for _, b := range o.Broken {
			broken = append(broken, o.Name+": "+b)
		}
	}
	align(e.stdout, rows)
	fmt.Fprintln(e.stdout)
	for _, b := range broken {
		fmt.Fprintln(e.stdout, "BROKEN  "+b)
	}
	if len(broken) > 0 {
		return outcomes, errBroken
	}
	fmt.Fprintln(e.stdout, "every promise was held")
	return outcomes, nil
}

func span(d time.Duration) string {
	if d < 0 {
		return "-"
	}
	return d.Round(time.Minute).String()
}

// A small world is enough for most troubles.
const (
	smallLive       = 1500
	smallPerWeekday = 400
	largeLive       = 11815
)

// suffer watches a world through a trouble. It runs in a bubble.
func (c *crawlCmd) suffer(ctx context.Context, t trouble, dir string, log *slog.Logger) outcome {
	begin := time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC)
	time.Sleep(time.Until(begin))
	opts := c.options(c.FirstSeed)
	opts.Live, opts.PerWeekday = min(c.Live, smallLive), min(c.PerWeekday, smallPerWeekday)
	if t.large {
		opts.Live, opts.PerWeekday = min(c.Live, largeLive), c.PerWeekday
	}
	faults, err := simulator.ParseFaults(strings.NewReader(t.script))
	if err != nil {
		return outcome{err: fmt.Errorf("%s: %w", t.name, err)}
	}
	for i := range faults {
		faults[i].Begin, faults[i].End = t.from, t.until
	}
	opts.Faults = faults
	d := newDaemon(dir, simulator.New(opts), log)
	var seen history
	d.ticked = func(now time.Time) {
		every := sampleEvery
		if d.silent() {
			every = 0 // It may be over before the next look.
		}
		if err := seen.take(d.registry, now, every); err != nil {
			log.Error("the metrics cannot be read", "err", err)
		}
	}
	o := outcome{Name: t.name, Verdicts: map[string]int{}}
	o.err = func() error {
		if err := d.start(); err != nil {
			return err
		}
		time.Sleep(t.from)
		from := time.Now()
		if t.make != nil {
			if err := t.make(ctx, d, begin.Add(t.until)); err != nil {
				return err
			}
		}
		for end := begin.AddDate(0, 0, t.days); time.Now().Before(end) && ctx.Err() == nil; {
			time.Sleep(min(time.Hour, time.Until(end)))
		}
		in, err := d.evidence(ctx, begin)
		if err != nil {
			return err
		}
		o.Figures = score.Score(in)
		reports, err := d.store.Reports(ctx, sourceName, 1<<20)
		if err != nil {
			return err
		}
		slices.Reverse(reports)
		o.measure(reports, &in, from, begin.Add(t.until))
		return nil
	}()
	o.err = errors.Join(o.err, d.stop(), ctx.Err())
	o.Alarms, o.Kills = seen.raised, len(d.kills)
	o.Alarmed = -1
	for i := range o.Alarms {
		a := &o.Alarms[i]
		if a.After = a.At.Sub(begin.Add(t.from)); a.After >= 0 && o.Alarmed < 0 {
			o.Alarmed = a.After
		}
	}
	o.judge(&t)
	return o
}

// measure times what the reports of the runs and the alerts show.
func (o *outcome) measure(reports []crawler.Report, in *score.Input, from, until time.Time) {
	o.Noticed, o.Recovered, o.CaughtUp = -1, -1, -1
	for _, r := range reports {
		ended := r.Started.Add(r.Took)
		if ended.Before(from) {
			continue
		}
		if r.Started.Before(until) {
			o.Verdicts[r.Verdict]++
		}
		if o.Noticed < 0 && r.Verdict != crawler.OK && r.Verdict != crawler.Partial {
			o.Noticed = ended.Sub(from)
		}
		if o.Recovered < 0 && !r.Started.Before(until) && r.Verdict == crawler.OK && r.Tier == crawler.Hot {
			o.Recovered = ended.Sub(until)
		}
	}
	visible := map[string]bool{}
	for i := range in.Truth {
		if v := in.Truth[i].Visible; !v.Before(from) && v.Before(until) {
			visible[in.Truth[i].Reference] = true
		}
	}
	for _, a := range in.Alerts { // in the order of their arrival
		if (a.Kind == vacancy.New || a.Kind == vacancy.Readvertised) && visible[a.Reference] {
			delete(visible, a.Reference)
			o.CaughtUp = max(o.CaughtUp, a.At.Sub(until))
		}
	}
}

// judge holds the outcome against the promises that a trouble does not lift.
func (o *outcome) judge(t *trouble) {
	for _, b := range breaches(o.Figures) {
		if b.of == manners || b.of == truthful || b.of == complete && !t.misses {
			o.Broken = append(o.Broken, b.text)
		}
	}
	n := 0
	for _, a := range o.Alarms {
		if a.After >= 0 && a.After < 12*hour {
			n++
		}
	}
	if t.alarms > 0 && n != t.alarms {
		o.Broken = append(o.Broken, fmt.Sprintf("%d alarms were raised in the first half day, not %d", n, t.alarms))
	}
}
