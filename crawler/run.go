package crawler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/page"
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
	// expected is how many vacancies a site must have had for an answer of
	// none to be a fault.
	expected = 5
)

// A Runner makes the runs of one source.
type Runner struct {
	Source    Source
	Memory    Memory
	Sink      Sink
	Transport *Polite
	Holder    string // names this process for the lease
	Now       func() time.Time
	Logger    *slog.Logger
	Metrics   *Metrics
	// Progress is told what a run does, for people who watch. May be nil.
	Progress func(Progress)

	// owed is what the site asked for and could not be stored yet.
	owed *State
	// unread holds adverts whose pages could not be had, by reference.
	unread map[string]unread
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
	if err := run.number(); err != nil {
		return run.end(err)
	}
	for n := run.first; ; n++ {
		listing, err := run.list(n)
		if err != nil {
			return run.end(err)
		}
		todo, err := run.unknown(listing)
		if err != nil {
			return run.end(err)
		}
		if err := run.handOn(todo); err != nil {
			return run.end(err)
		}
		done := run.reached(n, listing)
		if w.Tier == Sweep {
			// A sweep goes on from here after a restart or at the next tick.
			if err := run.bookmark(n, listing, done); err != nil {
				return run.end(err)
			}
		}
		run.complete = done
		if done || w.Tier == Hot && n >= hotPages || run.cut(n) {
			break
		}
	}
	// Last: if anything above failed, the next tick looks at it again. A run
	// that gave up on the adverts has listed all the same, so that each of
	// them is known to wait.
	return run.end(run.gaveUp)
}

// a run in progress.
type run struct {
	*Runner
	ctx      context.Context
	work     Work
	st       State
	before   State // as the run began
	until    time.Time
	rep      Report
	first    int // page
	fresh    int // the first page that no earlier slice has read
	fetch    *fetcher
	known    int       // known entries in a row
	newest   time.Time // the latest posting time seen
	oldest   time.Time // the earliest posting time of the last page
	failures int       // of the site at adverts, in a row
	odd      int       // adverts that could not be read, in a row
	gaveUp   error     // why no more adverts are asked for
	accepted bool      // something was handed on
	complete bool
}

func (r *Runner) begin(ctx context.Context, w Work, st State, until time.Time) *run {
	now := r.Now()
	st.Runs++
	run := &run{Runner: r, ctx: ctx, work: w, st: st, before: st, until: until, first: 1,
		rep: Report{ID: fmt.Sprintf("%s-%d", r.Source.Name, st.Runs), Source: r.Source.Name, Tier: w.Tier, Feed: FeedXML,
			Started: now.UTC(), Baseline: st.Baseline != nil}}
	if w.Tier == Sweep {
		if run.st.Cursor == nil {
			run.st.Cursor = &Cursor{Page: 1, Started: now.UTC()}
		}
		// Rows move up when others close: two pages back, none is missed.
		run.fresh = run.st.Cursor.Page
		run.first = max(1, run.fresh-2)
	}
	r.Transport.SetGate(st.Gate)
	run.fetch = newFetcher(ctx, r.Source, r.Transport)
	return run
}

// number stores that the run has begun.
func (r *run) number() error {
	if err := r.Memory.Mark(r.ctx, r.Source.Name, r.st); err != nil {
		return fmt.Errorf("number the run: %w", err)
	}
	return nil
}

// list reads one page of the listing and checks that it is what was asked for.
func (r *run) list(n int) (page.Listing, error) {
	if err := r.renew(); err != nil {
		return page.Listing{}, err
	}
	var listing page.Listing
	address := r.Source.Site.APIURL(r.Source.Base, n)
	err := r.getRetrying(address, "application/xml", func(p page.Page, fetched time.Time) (err error) {
		listing, err = r.Source.Site.ReadAPI(p, n, fetched)
		return err
	})
	if err == nil && n == 1 && listing.Empty && r.st.Total > expected {
		// In an outage a search may well find nothing, in so many words.
		err = siteError{page.Layoutf("the listing says that there is nothing, where %d were", r.st.Total)}
	}
	beyond := listing.Pages > 0 && n > listing.Pages
	if err == nil && len(listing.Vacancies) == 0 && !listing.Empty && !beyond {
		err = siteError{page.Layoutf("the listing holds no entry and does not say that there is none")}
	}
	if err != nil {
		if errors.Is(err, page.ErrLayout) || errors.Is(err, ErrHost) {
			r.rep.Defects = append(r.rep.Defects, page.DefectLayout)
			r.Metrics.layout(r.rep.Feed)
		}
		r.Transport.cache.forget(address)
		return page.Listing{}, fmt.Errorf("list page %d: %w", n, err)
	}
	if len(listing.Defects) > 0 {
		r.Transport.cache.forget(address)
	}
	r.rep.Pages++
	r.rep.Listed += len(listing.Vacancies)
	r.rep.Defects = append(r.rep.Defects, listing.Defects...)
	r.Metrics.page(r.Source.Name, r.rep.Feed, r.work.Tier, listing)
	if listing.Total >= 0 {
		r.rep.Total = listing.Total
	}
	r.report(Progress{Step: "listing", Page: n, Pages: listing.Pages, Listed: len(listing.Vacancies)})
	return listing, nil
}

// todo is an entry of a listing that has to be handed on.
type todo struct {
	v    vacancy.Vacancy
	need vacancy.Need
	// again is set where all but the page was handed on before.
	again bool
}

// unknown leaves out the entries that say nothing new, and notes that they
// were listed. The oldest posting comes first, so that a run that is cut has
// left the newest, which the next one meets first; what failed before comes
// after what did not.
func (r *run) unknown(l page.Listing) ([]todo, error) {
	for i := range l.Vacancies {
		v := &l.Vacancies[i]
		v.Source = r.Source.Name
		v.URL = r.Source.Site.AdvertURL(r.Source.Base, v.Reference)
		v.PageUnread = true
	}
	needs, err := r.Memory.Needs(r.ctx, r.Source.Name, r.rep.Feed, l.Vacancies)
	if err != nil {
		return nil, fmt.Errorf("look up the listed vacancies: %w", err)
	}
	var out []todo
	var known []string
	r.oldest = time.Time{}
	for i, v := range l.Vacancies {
		if t := v.Posted.Time; !v.Posted.IsZero() && !v.Posted.DayOnly {
			if t.After(r.newest) {
				r.newest = t
			}
			if r.oldest.IsZero() || t.Before(r.oldest) {
				r.oldest = t
			}
		}
		again := needs[i] == vacancy.NeedPage && r.lacksPage(&v)
		if needs[i] == vacancy.NeedPage && !again {
			r.known = 0
		} else {
			r.known++
			known = append(known, v.Reference)
		}
		if needs[i] != vacancy.NeedNothing && !(again && !r.rereads()) {
			out = append(out, todo{v, needs[i], again})
		}
		r.Metrics.sighting(r.Source.Name, needs[i])
	}
	if err := r.Memory.Touch(r.ctx, r.Source.Name, known, r.Now()); err != nil {
		return nil, fmt.Errorf("note what was listed: %w", err)
	}
	slices.SortStableFunc(out, func(a, b todo) int {
		return cmp.Or(cmp.Compare(r.unread[a.v.Reference].failed, r.unread[b.v.Reference].failed), a.v.Posted.Compare(b.v.Posted))
	})
	return out, nil
}

// handOn reads the advert of each entry and hands it over. In a baseline the
// adverts are not read: thousands of pages that nobody is told of.
func (r *run) handOn(todos []todo) error {
	var silent []vacancy.Sighting
	for i, t := range todos {
		s := r.sighting(t.v)
		if s.Baseline && !r.postedSince(t.v) || t.need == vacancy.NeedAccept {
			s.Vacancy.Derive()
			silent = append(silent, s)
			continue
		}
		ready, err := r.readAdvert(&s, t.again, i+1, len(todos))
		if err != nil {
			return err
		}
		if !ready {
			continue // tried again at the regular runs
		}
		s.Vacancy.Derive()
		if err := r.accept([]vacancy.Sighting{s}); err != nil {
			return err
		}
		r.noteHanded(&t.v, !s.Vacancy.PageUnread)
	}
	if len(silent) > 0 {
		if err := r.accept(silent); err != nil {
			return err
		}
	}
	if errors.Is(r.gaveUp, ErrBudget) {
		return r.gaveUp // nothing else is asked
	}
	return nil
}

// postedSince reports whether a vacancy was posted after the baseline began,
// and so is new to everybody.
func (r *run) postedSince(v vacancy.Vacancy) bool {
	return !v.Posted.IsZero() && !v.Posted.DayOnly && v.Posted.Time.After(r.st.Baseline.Since)
}

func (r *run) sighting(v vacancy.Vacancy) vacancy.Sighting {
	s := vacancy.Sighting{Vacancy: v, At: r.Now().UTC(), Feed: r.rep.Feed, Listed: vacancy.ListedFacts(&v), Epoch: r.st.Epoch}
	if b := r.st.Baseline; b != nil {
		s.Baseline = b.Reason != FirstRun || !r.Source.Announce
		s.BaselineSince = b.Since
	}
	return s
}

func (r *run) accept(ss []vacancy.Sighting) error {
	events, err := r.Sink.Accept(r.ctx, ss)
	for i := range events {
		if events[i].Kind == vacancy.New {
			r.rep.New++
		}
	}
	r.rep.Events += len(events)
	r.Metrics.found(r.Source.Name, r.work.Tier, events)
	if err != nil {
		return fmt.Errorf("hand on: %w", err)
	}
	r.accepted = true
	r.report(Progress{Step: "accepted", Listed: len(ss), Events: events, Vacancy: &ss[0].Vacancy})
	return nil
}

// reached reports whether the run has seen what its tier promises.
func (r *run) reached(n int, l page.Listing) bool {
	if l.Empty || l.Last || l.Pages > 0 && n >= l.Pages {
		return true
	}
	switch r.work.Tier {
	case Hot:
		inRow := r.Source.Site.APIPage * 60 / 100
		return r.known >= inRow && !r.oldest.IsZero() && r.oldest.Before(r.st.Watermark.Add(-margin))
	case Deep:
		return !r.oldest.IsZero() && r.oldest.Before(r.rep.Started.Add(-deepReach))
	default:
		return false
	}
}

// cut reports whether the deadline ends the run after page n. It never does
// before the run has got further than the one before it, for on a slow site
// none would ever end: a sweep has to pass its cursor, and the others, which
// begin with page 1 each time, to have handed something on.
func (r *run) cut(n int) bool {
	if r.Now().Before(r.until) {
		return false
	}
	if r.work.Tier == Sweep {
		return n >= r.fresh
	}
	return r.accepted
}

// bookmark stores that page n of a sweep was read.
func (r *run) bookmark(n int, l page.Listing, done bool) error {
	c := *r.st.Cursor
	c.Page, c.Listed = max(c.Page, n+1), c.Listed+len(l.Vacancies)
	c.Defect = c.Defect || len(r.rep.Defects) > 0
	if n == 1 {
		c.Total, c.Newest = l.Total, r.newest
	}
	r.st.Cursor = &c
	if done {
		return nil // end stores it, with the verdict
	}
	if err := r.Memory.Mark(r.ctx, r.Source.Name, r.st); err != nil {
		return fmt.Errorf("bookmark the sweep: %w", err)
	}
	return nil
}

// renew keeps the right to crawl while the run goes on.
func (r *run) renew() error {
	ok, err := r.Memory.Hold(r.ctx, r.Holder, r.Now(), leaseTerm)
	if err != nil {
		return fmt.Errorf("renew the lease: %w", err)
	}
	if !ok {
		return errLeaseLost
	}
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
