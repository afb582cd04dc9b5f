package crawler

import (
	"fmt"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/drift"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/rate"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// oldestKept are the vacancies of a sweep's end that serve as canaries.
const oldestKept = 3

// forgottenLeast is the number of vacancies below which their loss is not
// told from a night of closings.
const forgottenLeast = 100

// A Cursor is how far a sweep has come.
type Cursor struct {
	Page    int       `json:"page"` // the next one to ask for
	Started time.Time `json:"started"`
	At      time.Time `json:"at,omitzero"` // of the last page
	Feed    string    `json:"feed,omitempty"`
	// Counted is the last page that the numbers below hold. One for whose
	// adverts a slice was too short is read again, and not counted again.
	Counted int `json:"counted,omitempty"`
	Listed  int `json:"listed"`
	Total   int `json:"total"` // as stated by the first page
	Unseen  int `json:"unseen,omitempty"`
	// Waiting were listed and are not remembered yet, for their pages could
	// not be read.
	Waiting int `json:"waiting,omitempty"`
	// Over were listed though their closing dates had passed.
	Over int `json:"over,omitempty"`
	// First is the reference of the first entry, Last those of the last ones.
	First string   `json:"first,omitempty"`
	Last  []string `json:"last,omitempty"`
	// Newest is the latest posting time of the first page: what was posted
	// later is the next hot run's to find.
	Newest time.Time `json:"newest,omitzero"`
	// Defect is set where a page of this sweep was not what it should be.
	Defect bool `json:"defect,omitempty"`
	// NotBefore is when it goes on at the earliest.
	NotBefore time.Time `json:"not_before,omitzero"`
}

const (
	// A sweep goes on within cursorGap of its last slice, and up to cursorAge
	// in all: later the rows have moved by more than it goes back.
	cursorGap, cursorAge = time.Hour, 12 * time.Hour
)

// goesOn reports whether a sweep may go on from here in a feed.
func (c *Cursor) goesOn(feed *Feed, now time.Time) bool {
	return c != nil && (c.Feed == "" || c.Feed == feed.Name) &&
		(c.Listed == 0 || now.Sub(c.At) <= cursorGap && now.Sub(c.Started) <= cursorAge)
}

// sweep reads every page, and goes on where the last slice has stopped.
func (r *run) sweep() error {
	if r.st.Cursor.Listed == 0 {
		if err := r.forgotten(); err != nil {
			return err
		}
	}
	r.sow()
	// Rows move up when others close: two pages back, none is missed. At the
	// next tick one will do, for a page of rows does not close in a minute.
	fresh, back := r.st.Cursor.Page, 2
	if r.rep.Started.Sub(r.st.Cursor.At) < 2*DefaultTick {
		back = 1
	}
	first := max(1, fresh-back)
	r.drift.From(first)
	for n := first; ; n++ {
		listing, err := r.list(n)
		if err != nil {
			return err
		}
		before := r.rep.Unseen
		todos, err := r.unknown(&listing)
		if err != nil {
			return err
		}
		waiting := r.st.Cursor.Waiting
		r.bookmark(n, &listing, r.rep.Unseen-before)
		if r.drifted() {
			r.st.Cursor.Defect = true
			return nil
		}
		if err := r.flooded(r.st.Cursor.Unseen); err != nil {
			return err
		}
		rest, err := r.handOn(r.inOrder(todos))
		if err != nil {
			return err
		}
		if len(rest) > 0 {
			r.st.Cursor.Waiting = waiting
			return r.number() // this page once more
		}
		r.st.Cursor.Page = max(r.st.Cursor.Page, n+1)
		if r.reached(n, &listing) {
			// Adverts that could not be read take nothing from what was listed.
			r.complete = true
			if len(r.rep.Defects) > 0 || r.st.Cursor.Defect {
				return nil
			}
			if err := r.conclude(&listing); err != nil {
				r.complete = false
				return err
			}
			return nil
		}
		if err := r.number(); err != nil {
			return err
		}
		// On a slow site none would ever end, if a slice did not get further
		// than the one before it.
		if n >= fresh && !r.Now().Before(r.until) {
			return nil
		}
	}
}

// bookmark notes what page n of a sweep has shown. The cursor is the run's own
// copy, for the state as the run began must stay what it was.
func (r *run) bookmark(n int, l *page.Listing, unseen int) {
	c := *r.st.Cursor
	r.st.Cursor = &c
	c.At = r.Now().UTC()
	c.Defect = c.Defect || len(r.rep.Defects) > 0
	if n <= c.Counted {
		return
	}
	c.Counted = n
	c.Listed += len(l.Vacancies)
	c.Unseen += unseen
	if n == 1 {
		c.Total, c.Newest = l.Total, r.newestAt
	}
	today := vacancy.LondonDay(r.Now())
	for i := range l.Vacancies {
		v := &l.Vacancies[i]
		if !v.Open(today) {
			c.Over++
		}
		if c.First == "" {
			c.First = v.Reference
		}
		c.Last = append(slices.Clone(c.Last[max(0, len(c.Last)-oldestKept+1):]), v.Reference)
	}
}

// forgotten reports, as ErrStateLost, that much fewer vacancies are known than
// the last sweep has listed: the state was damaged, and what is missing must
// not be told as new.
func (r *run) forgotten() error {
	if len(r.st.Sweeps) == 0 || r.st.Baseline != nil {
		return nil
	}
	last := r.st.Sweeps[len(r.st.Sweeps)-1]
	live, err := r.Memory.Live(r.ctx, r.Source.Name)
	if err != nil {
		return fmt.Errorf("count what is known: %w", err)
	}
	if last.Unique > forgottenLeast && live < last.Unique/2 {
		return fmt.Errorf("%w: %d live vacancies are known, the last sweep listed %d", ErrStateLost, live, last.Unique)
	}
	return nil
}

// seeds are the posting times of a board that is looked at for the first time.
// They teach its rhythm at once: those of the last week, nearly all of which
// are still there. They are forgotten with the process, and it then learns
// slower.
type seeds struct {
	started time.Time // of the sweep
	posted  []time.Time
}

// seedSpan is how far back a board shows what was posted.
const seedSpan = 7 * 24 * time.Hour

// sow begins to collect, or goes on.
func (r *run) sow() {
	c := r.st.Cursor
	switch {
	case r.st.Baseline == nil || r.st.Rate != (rate.Learned{}):
		r.Runner.seeds = nil
	case c.Page == 1:
		r.Runner.seeds = &seeds{started: c.Started}
	case r.seeds != nil && !r.seeds.started.Equal(c.Started):
		r.Runner.seeds = nil
	}
}

// reap learns from what was collected.
func (r *run) reap() {
	if r.seeds != nil && !r.feed.DayOnly {
		r.st.Rate = r.st.Rate.Observe(r.seeds.started.Add(-seedSpan), r.seeds.started, r.seeds.posted)
	}
	r.Runner.seeds = nil
}

// conclude says what a sweep that has read its last page may mean: whether it
// was complete, and what it shows to be missing.
func (r *run) conclude(last *page.Listing) error {
	c := r.st.Cursor
	total := max(c.Total, last.Total)
	a, err := r.Memory.Absent(r.ctx, r.Source.Name, c.Started, r.Now(), 0)
	if err != nil {
		return fmt.Errorf("count what the sweep has listed: %w", err)
	}
	rec := SweepRecord{Run: r.rep.ID, Started: c.Started, Feed: r.rep.Feed, Total: total,
		Unique: a.Live - a.Absent + c.Waiting + c.Over}
	r.rep.Unique, r.rep.FirstTotal, r.rep.Total = rec.Unique, c.Total, last.Total
	r.Metrics.sweepCoverage(r.Source.Name, &rec)
	if r.rep.Guard = r.st.judge(rec); r.rep.Guard != "" {
		r.suspect(rec)
		return nil
	}
	before := r.st // the nights before this one
	r.st.Sweeps, r.st.Suspects, r.st.SweepFails, r.st.Oldest = kept(r.st.Sweeps, rec), nil, 0, c.Last
	if r.st.Baseline != nil {
		r.reap()
		return nil
	}
	nights := 1
	if !r.probes() {
		nights = 2 // without asking by name, a third night has to agree
	}
	since, ok := before.nightsBefore(c.Started, nights)
	if !ok {
		return nil
	}
	if a, err = r.Memory.Absent(r.ctx, r.Source.Name, since, r.Now(), probesANight); err != nil {
		return fmt.Errorf("look for what was not listed: %w", err)
	}
	r.rep.Absent = a.Absent
	switch {
	case a.Absent == 0:
	case float64(a.Absent) > blastShare*float64(a.Live):
		r.rep.Guard = GuardBlast
		r.Metrics.closingSkipped(r.Source.Name, GuardBlast)
		r.Logger.Error("more than half of the live vacancies are listed no more: nothing is closed; look at the site, and at the state",
			"source", r.Source.Name, "live", a.Live, "absent", a.Absent)
	case !r.probes() && r.clockIsOff():
		r.rep.Guard = GuardClock
		r.Metrics.closingSkipped(r.Source.Name, GuardClock)
	case !r.probes():
		return r.close(a.References)
	default:
		r.st.Probing = &Probing{Since: since, Sweep: r.rep.ID, Controls: [2]string{c.First, c.Last[len(c.Last)-1]}, Left: probesANight}
	}
	return nil
}

// suspect takes a sweep that is not good: it closes nothing, is no success, and
// does not count among those by which others are judged.
func (r *run) suspect(rec SweepRecord) {
	reason := DefectIncomplete
	if r.rep.Guard == GuardDrop {
		reason = drift.DefectDrop
	}
	r.defect(reason)
	r.Metrics.closingSkipped(r.Source.Name, r.rep.Guard)
	r.st.SweepFails++
	r.Logger.Error("the sweep has not listed what it should: nothing is closed", "source", r.Source.Name, "guard", r.rep.Guard,
		"listed", rec.Unique, "stated", rec.Total, "usual", median(r.st.Sweeps))
	if r.rep.Guard != GuardDrop {
		return
	}
	// One a night: a sweep that is tried again the same night says no more.
	if n := len(r.st.Suspects); n > 0 && vacancy.LondonDay(r.st.Suspects[n-1].Started) == vacancy.LondonDay(rec.Started) {
		r.st.Suspects = slices.Clone(r.st.Suspects[:n-1])
	}
	r.st.Suspects = kept(r.st.Suspects, rec)
	if r.st.agree() {
		r.Logger.Error("three nights agree that the site lists far fewer vacancies than before: if that is so, say `vacancywatch crawl accept`",
			"source", r.Source.Name, "listed", rec.Unique, "usual", median(r.st.Sweeps))
	}
}
