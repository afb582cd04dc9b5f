package crawler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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
	// unreadFor is how long an advert page may fail before the vacancy goes
	// out with what its listing states.
	unreadFor = time.Hour
	// leaseTerm is how long the right to crawl is held without a step.
	leaseTerm = time.Minute
	// failuresInARow ends a run: the site, and not a page, is failing.
	failuresInARow = 3
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
		if done || w.Tier == Hot && n >= hotPages || !r.Now().Before(until) {
			break
		}
	}
	// Last: if anything above failed, the next tick looks at it again.
	return run.end(nil)
}

// a run in progress.
type run struct {
	*Runner
	ctx      context.Context
	work     Work
	st       State
	until    time.Time
	rep      Report
	first    int
	fetch    *fetcher
	known    int       // known entries in a row
	newest   time.Time // the latest posting time seen
	oldest   time.Time // the earliest posting time of the last page
	failures int       // of adverts, in a row
	complete bool
}

func (r *Runner) begin(ctx context.Context, w Work, st State, until time.Time) *run {
	now := r.Now()
	st.Runs++
	run := &run{Runner: r, ctx: ctx, work: w, st: st, until: until, first: 1,
		rep: Report{ID: fmt.Sprintf("%s-%d", r.Source.Name, st.Runs), Source: r.Source.Name, Tier: w.Tier, Feed: FeedXML,
			Started: now.UTC(), Baseline: st.Baseline != nil}}
	if w.Tier == Sweep {
		if run.st.Cursor == nil {
			run.st.Cursor = &Cursor{Page: 1, Started: now.UTC()}
		}
		// Rows move up when others close: two pages back, none is missed.
		run.first = max(1, run.st.Cursor.Page-2)
	}
	r.Transport.SetGate(st.Gate)
	run.fetch = newFetcher(ctx, r.Source, r.Transport)
	return run
}

// list reads one page of the listing and checks that it is what was asked for.
func (r *run) list(n int) (page.Listing, error) {
	if err := r.renew(); err != nil {
		return page.Listing{}, err
	}
	fetched := r.Now()
	p, err := r.getRetrying(r.Source.Site.APIURL(r.Source.Base, n), "application/xml")
	if err != nil {
		return page.Listing{}, fmt.Errorf("list page %d: %w", n, err)
	}
	listing, err := r.Source.Site.ReadAPI(p, n, fetched)
	if err != nil {
		r.rep.Defects = append(r.rep.Defects, page.DefectLayout)
		return page.Listing{}, fmt.Errorf("read listing page %d: %w", n, err)
	}
	r.rep.Pages++
	r.rep.Listed += len(listing.Vacancies)
	r.rep.Defects = append(r.rep.Defects, listing.Defects...)
	r.Metrics.page(r.Source.Name, r.rep.Feed, r.work.Tier, listing)
	if listing.Total >= 0 {
		r.rep.Total = listing.Total
	}
	if n == 1 && len(listing.Vacancies) == 0 && !listing.Empty {
		r.rep.Defects = append(r.rep.Defects, page.DefectLayout)
		return page.Listing{}, fmt.Errorf("listing page 1 holds no entry and does not say that there is none: %w", page.ErrLayout)
	}
	r.report(Progress{Step: "listing", Page: n, Pages: listing.Pages, Listed: len(listing.Vacancies)})
	return listing, nil
}

// todo is an entry of a listing that has to be handed on.
type todo struct {
	v    vacancy.Vacancy
	need vacancy.Need
}

// unknown leaves out the entries that say nothing new, and notes that they
// were listed. The oldest posting comes first, so that a run that is cut has
// left the newest, which the next one meets first.
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
		if needs[i] == vacancy.NeedPage {
			r.known = 0
		} else {
			r.known++
			known = append(known, v.Reference)
		}
		if needs[i] != vacancy.NeedNothing {
			out = append(out, todo{v, needs[i]})
		}
		r.Metrics.sighting(r.Source.Name, needs[i])
	}
	if err := r.Memory.Touch(r.ctx, r.Source.Name, known, r.Now()); err != nil {
		return nil, fmt.Errorf("note what was listed: %w", err)
	}
	slices.SortStableFunc(out, func(a, b todo) int { return a.v.Posted.Compare(b.v.Posted) })
	return out, nil
}

// handOn reads the advert of each entry and hands it over. In a baseline the
// adverts are not read: thousands of pages that nobody is told of.
func (r *run) handOn(todos []todo) error {
	var silent []vacancy.Sighting
	for i, t := range todos {
		s := r.sighting(t.v)
		if r.rep.Baseline && !r.postedSince(t.v) && !r.Source.Announce || t.need == vacancy.NeedAccept {
			s.Vacancy.Derive()
			silent = append(silent, s)
			continue
		}
		ready, err := r.readAdvert(&s, i+1, len(todos))
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
	}
	if len(silent) > 0 {
		return r.accept(silent)
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
	r.report(Progress{Step: "accepted", Listed: len(ss), Events: events, Vacancy: &ss[0].Vacancy})
	return nil
}

// readAdvert merges the advert's page into the sighting. It reports false
// where the page could not be read and there is time to try again; after an
// hour, or where pages are forbidden, the listing alone has to do.
func (r *run) readAdvert(s *vacancy.Sighting, n, of int) (ready bool, err error) {
	if r.st.HTMLForbidden {
		return true, nil
	}
	if err := r.renew(); err != nil {
		return false, err
	}
	r.report(Progress{Step: "advert", Advert: n, Of: of, Vacancy: &s.Vacancy})
	p, err := r.fetch.get(s.Vacancy.URL, "text/html")
	if err == nil {
		var v vacancy.Vacancy
		if v, err = r.Source.Site.ReadAdvert(p); err == nil {
			s.Vacancy.Merge(&v)
			r.rep.Read++
			r.failures = 0
			return true, nil
		}
		r.Metrics.advertDefect(r.Source.Name)
	}
	var status *StatusError
	switch {
	case r.ctx.Err() != nil:
		return false, r.ctx.Err()
	case errors.As(err, new(*GateError)), errors.Is(err, ErrBudget):
		return false, fmt.Errorf("read advert %s: %w", s.Vacancy.Reference, err)
	case errors.Is(err, ErrRobots), errors.As(err, &status) && status.Code == http.StatusForbidden:
		// The pages are refused, the XML is not. Nothing is asked for again
		// until a person says so.
		r.st.HTMLForbidden = true
		r.Logger.Error("the site refuses its advert pages: vacancies go out with what the listing states, until a person resumes the source",
			"source", r.Source.Name, "err", err)
		return true, nil
	case errors.As(err, &status) && (status.Code == http.StatusTooManyRequests || status.Code == http.StatusServiceUnavailable):
		return false, fmt.Errorf("read advert %s: %w", s.Vacancy.Reference, err)
	case errors.As(err, &status) && status.Code < 500, errors.Is(err, page.ErrLayout):
		r.failures = 0 // this page, not the site
	default:
		if r.failures++; r.failures >= failuresInARow {
			return false, fmt.Errorf("read advert %s: %w", s.Vacancy.Reference, err)
		}
	}
	r.rep.Unread++
	since, merr := r.Memory.Unread(r.ctx, s.Vacancy.Key(), r.Now())
	if merr != nil {
		return false, fmt.Errorf("note the unread advert: %w", merr)
	}
	late := r.Now().Sub(since) >= unreadFor
	r.Logger.Warn("advert page could not be read", "source", r.Source.Name, "reference", s.Vacancy.Reference,
		"since", since, "on_listing_alone", late, "err", err)
	return late, nil
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

// bookmark stores that page n of a sweep was read.
func (r *run) bookmark(n int, l page.Listing, done bool) error {
	c := *r.st.Cursor
	c.Page, c.Listed = n+1, c.Listed+len(l.Vacancies)
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

// getRetrying fetches a listing page, and asks again after a failure that may
// pass: at most twice, with a wait.
func (r *run) getRetrying(address, accept string) (page.Page, error) {
	for try := 1; ; try++ {
		p, err := r.fetch.get(address, accept)
		if err == nil || try == failuresInARow || !passing(err) || r.ctx.Err() != nil {
			return p, err
		}
		wait := 15 * time.Second
		if r.Source.loopback() {
			wait = min(wait, 8*r.Source.Spacing)
		}
		r.Metrics.retry(err)
		r.Logger.Warn("listing failed, will be asked for again", "source", r.Source.Name, "try", try, "wait", wait, "err", err)
		timer := time.NewTimer(wait)
		select {
		case <-r.ctx.Done():
			timer.Stop()
			return p, r.ctx.Err()
		case <-timer.C:
		}
	}
}

// passing reports whether a failure may be gone in seconds.
func passing(err error) bool {
	var status *StatusError
	if errors.As(err, &status) {
		return status.RetryAfter.IsZero() && (status.Code == http.StatusRequestTimeout || status.Code >= 500)
	}
	return !errors.As(err, new(*GateError)) && !errors.Is(err, ErrRobots) && !errors.Is(err, ErrBudget) &&
		!errors.Is(err, ErrHost) && !errors.Is(err, ErrTooLarge)
}

func (r *run) report(p Progress) {
	if r.Progress == nil {
		return
	}
	p.Source, p.Tier, p.Baseline = r.Source.Name, r.work.Tier, r.rep.Baseline
	r.Progress(p)
}
