package crawler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/drift"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/polite"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

const (
	// hotPages bounds a hot run: beyond it a sweep is the better means.
	hotPages = 20
	// margin is how far below the watermark a hot run looks at least: a
	// posting may become visible a little after its time.
	margin = 10 * time.Minute
	// leaseTerm is how long the right to crawl is held without a step. One
	// request may take a minute, with its waits and a redirect.
	leaseTerm = 2 * time.Minute
)

// A Runner makes the runs of one source.
type Runner struct {
	Source    Source
	Memory    Memory
	Sink      Sink
	Transport *polite.Transport
	Holder    string // names this process for the lease
	Now       func() time.Time
	Logger    *slog.Logger
	Metrics   *Metrics
	// Quarantine keeps pages that were not what they should be. May be nil.
	Quarantine Keeper
	// Progress is told what a run does, for people who watch. May be nil.
	Progress func(Progress)

	// owed is what the site asked for and could not be stored yet.
	owed *State
	// unread holds adverts whose pages could not be had, by reference.
	unread map[string]unread
	// pending is what the last runs have listed and had no time to hand on.
	pending pending
	// seeds are the posting times that a first sweep has met.
	seeds *seeds
}

// Progress is a step of a run.
type Progress struct {
	Source, Step string // listing, advert, accepted
	Tier         Tier
	Page, Pages  int
	Listed       int
	Advert, Of   int // n-th of so many adverts of this page
	Vacancy      *vacancy.Vacancy
	Events       []vacancy.Event
	Baseline     bool
}

// Run makes one run, from the first page to the mark. It returns the state
// after it, which is stored, and its report.
//
// A run may be cut at any point, by an error or by the end of the process:
// what was accepted is kept, and the next run does the rest. A run that was
// cut, or met a page that was not what it should be, never moves the
// watermark and never counts as success.
func (r *Runner) Run(ctx context.Context, w Work, st State, until time.Time) (State, Report) {
	run := r.begin(ctx, w, st, until)
	// First: with this run's number stored, a process that was paused cannot
	// write its older state over what this run will store.
	err := run.number()
	if err == nil {
		switch w.Tier {
		case Sweep:
			err = run.sweep()
		case Probe:
			err = run.probe()
		case Canary:
			err = run.canary()
		case Reread:
			err = run.reread()
		default:
			err = run.newest()
		}
	}
	return run.end(err)
}

// a run in progress.
type run struct {
	*Runner
	ctx    context.Context
	work   Work
	st     State
	before State // as the run began
	until  time.Time
	feed   *Feed
	rep    Report
	fetch  *fetcher
	drift  *drift.Check
	waits  map[string]bool // references left by the last run
	mark   time.Time       // what was posted until then is known, or waits

	known int // known entries in a row
	// listedKnown counts the known entries, changed those of them that say
	// something else than before.
	listedKnown, changed int
	refs                 map[string]bool // of the last page
	renewed              time.Time       // the lease
	newestAt             time.Time       // the latest posting time seen
	oldestAt             time.Time       // the earliest posting time of the last page
	latest               vacancy.Day
	posted               []time.Time // of the unknown entries
	failures             int         // of the site at adverts, in a row
	odd                  int         // adverts that could not be read, in a row
	gaveUp               error       // why no more adverts are asked for
	accepted             bool        // something was handed on
	complete             bool
	// listingFailed is set where it was the listing that could not be had,
	// and not an advert.
	listingFailed bool
}

func (r *Runner) begin(ctx context.Context, w Work, st State, until time.Time) *run {
	now := r.Now()
	st.Runs++
	feed := st.feedFor(w.Tier, &r.Source.Site)
	run := &run{Runner: r, ctx: withClass(ctx, w.Tier.class()), work: w, st: st, before: st, until: until, feed: feed,
		waits: map[string]bool{}, mark: st.Watermark,
		drift: drift.New(st.Drift, feed.Name, now),
		rep: Report{ID: fmt.Sprintf("%s-%d", r.Source.Name, st.Runs), Source: r.Source.Name, Tier: w.Tier, Feed: feed.Name,
			Started: now.UTC(), Baseline: st.Baseline != nil}}
	if w.Tier == Sweep && !st.Cursor.goesOn(feed, now) {
		run.st.Cursor = &Cursor{Page: 1, Started: now.UTC(), Feed: feed.Name}
	}
	r.Transport.SetGate(st.Gate)
	run.fetch = newFetcher(run.ctx, r.Source, r.Transport)
	return run
}

// number stores that the run has begun, or how far it has come.
func (r *run) number() error {
	if err := r.Memory.Mark(r.ctx, r.Source.Name, r.st); err != nil {
		return fmt.Errorf("number the run: %w", err)
	}
	return nil
}

// newest lists the newest pages, down to what is known, and hands on what is
// not. The listing comes first: only then can be told whether there is more
// that is new than can be, and the oldest is handed on first.
func (r *run) newest() error {
	before, err := r.takePending()
	if err != nil {
		return err
	}
	todos, listed := before.todos, error(nil)
	first := r.firstPage()
	r.drift.From(first)
	for n := first; ; n++ {
		var listing page.Listing
		var found []todo
		if listing, listed = r.list(n); listed == nil {
			found, listed = r.unknown(&listing)
		}
		if listed != nil {
			break // what was listed before is handed on all the same
		}
		todos = append(todos, found...)
		r.complete = r.reached(n, &listing)
		if r.complete || n >= hotPages || !r.Now().Before(r.until) {
			break
		}
	}
	switch {
	case listed != nil && (r.ctx.Err() != nil || errors.Is(listed, ErrStateLost) || errors.Is(listed, errLeaseLost)):
		return listed
	case listed != nil && r.rep.Pages == 0, r.drifted():
		// The site does not answer, or what it says cannot be believed.
		r.pending = before
		return listed
	}
	if err := r.flooded(r.rep.Unseen); err != nil {
		return err
	}
	rest, err := r.handOn(r.inOrder(todos))
	if len(rest) > 0 {
		if r.complete {
			before.mark = later(before.mark, r.newestAt)
		}
		before.todos = rest
		r.pending = before
		r.complete = false
	}
	if r.rep.Unseen == 0 && r.st.Baseline == nil && !r.st.LastNew.IsZero() && r.st.Rate.Silence(r.st.LastNew, r.Now(), 0) {
		r.defect(DefectSilence)
		r.Logger.Error("nothing new for longer than can be: either the listing is not what it seems, or the site stands still",
			"source", r.Source.Name, "since", r.st.LastNew, "expected", int(r.st.Rate.Expected(r.st.LastNew, r.Now())))
	}
	// Last: if anything above failed, the next tick looks at it again. A run
	// that gave up on the adverts has listed all the same, so that each of
	// them is known to wait.
	return cmp.Or(listed, err, r.gaveUp)
}

// firstPage is where a run begins. A deep run right after a good hot one need
// not read the first page again: what comes up to it from the second is the
// next hot run's to find.
func (r *run) firstPage() int {
	if r.work.Tier == Deep && !r.feed.DayOnly && r.rep.Started.Sub(r.st.LastGood[Hot]) < DefaultTick {
		return 2
	}
	return 1
}

// reached reports whether the run has seen what its tier promises.
func (r *run) reached(n int, l *page.Listing) bool {
	if l.Empty || l.Last || l.Pages > 0 && n >= l.Pages {
		return true
	}
	switch r.work.Tier {
	case Sweep:
		return false
	case Deep:
		if r.feed.DayOnly {
			return r.latest.Before(vacancy.LondonDay(r.rep.Started).Add(-1))
		}
		return !r.oldestAt.IsZero() && r.oldestAt.Before(r.rep.Started.Add(-deepReach))
	}
	if r.known < r.feed.InRow {
		return false
	}
	return r.feed.DayOnly || !r.oldestAt.IsZero() && r.oldestAt.Before(r.mark.Add(-margin))
}

// flooded enters a silent baseline where far more is unknown than can be new:
// the site has republished everything, or we have forgotten much. A person
// says whether it is to be told.
func (r *run) flooded(unseen int) error {
	since := r.st.LastGood[r.work.Tier]
	if r.work.Tier == Trial || since.IsZero() {
		since = r.st.LastGood[Sweep]
	}
	if r.st.Baseline != nil || !r.st.Rate.Flood(since, r.Now(), unseen) {
		return nil
	}
	r.st.Baseline = &Baseline{Reason: Flood, Since: r.rep.Started}
	r.rep.Baseline = true
	if err := r.Memory.Mark(r.ctx, r.Source.Name, r.st); err != nil {
		return fmt.Errorf("enter a silent baseline: %w", err)
	}
	r.Logger.Error("far more vacancies are unknown than can be new: they are stored and told to nobody until a person says `vacancywatch crawl accept` or `crawl release`",
		"source", r.Source.Name, "unknown", unseen, "expected", int(r.st.Rate.Expected(since, r.Now())))
	return nil
}

// renew keeps the right to crawl while the run goes on.
func (r *run) renew() error {
	now := r.Now()
	if now.Sub(r.renewed) < leaseTerm/4 {
		return nil
	}
	ok, err := r.Memory.Hold(r.ctx, r.Holder, now, leaseTerm)
	if err != nil {
		return fmt.Errorf("renew the lease: %w", err)
	}
	if !ok {
		return errLeaseLost
	}
	r.renewed = now
	return nil
}

var errLeaseLost = errors.New("another process has taken over the crawl")

func (r *run) report(p Progress) {
	if r.Progress == nil {
		return
	}
	p.Source, p.Tier, p.Baseline = r.Source.Name, r.work.Tier, r.rep.Baseline
	r.Progress(p)
}
