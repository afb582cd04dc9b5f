// Package crawler goes from a tick of the schedule to vacancy events: it
// plans, fetches politely, reads, leaves out what is known, and hands on what
// is new. It knows nothing of searches or alerts.
//
//	schedule.go  the tick, once a minute
//	plan.go      Due: what is to be done now, a pure function
//	run.go       one run, from the first page to the mark: read this first
//	advert.go    the page of one vacancy, and what is done without it
//	finish.go    what follows from how a run ended
//	fetch.go     colly
//	polite.go    the transport under it: pace, gate, budget, robots, limits
//	nhsjobs/     the pages of NHS Jobs; simulator/ a pretend NHS Jobs
//
// Nothing here can hammer a site: every request, redirects and robots.txt
// included, passes one mutex that spaces them, and a public host is never
// asked more often than once a second.
package crawler

import (
	"context"
	"errors"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// ErrStateLost is returned by a Memory or a Sink whose state is not the one in
// which the run began: it was emptied or replaced by an old copy. The run
// must end, and the next one begins as if the source had never been seen.
var ErrStateLost = errors.New("stored state of the source was lost or replaced")

// A Sink takes over what a crawl has seen. Once Accept returns nil the
// sightings are the sink's to keep; after an error it may be given the same
// ones again. It returns the events that they made.
type Sink interface {
	Accept(ctx context.Context, sightings []vacancy.Sighting) ([]vacancy.Event, error)
}

// A Memory is what the crawl remembers between runs. It only saves requests
// and keeps promises; what is new is decided by the Sink.
type Memory interface {
	// State returns what is remembered of a source. A source never crawled,
	// or whose state was lost, has an empty Epoch.
	State(ctx context.Context, source string) (State, error)
	// Begin gives a source a new Epoch, in baseline for the given reason, and
	// returns its state.
	Begin(ctx context.Context, source, reason string, at time.Time) (State, error)
	// Mark stores the state after a step of a run. It returns ErrStateLost
	// where the stored state is of another epoch.
	Mark(ctx context.Context, source string, s State) error
	// Needs tells what each listed vacancy asks for.
	Needs(ctx context.Context, source, feed string, listed []vacancy.Vacancy) ([]vacancy.Need, error)
	// Touch notes that vacancies were listed at the given time.
	Touch(ctx context.Context, source string, references []string, at time.Time) error
	// Unread notes that an advert could not be read and returns since when.
	// Accepting the vacancy forgets it.
	Unread(ctx context.Context, key vacancy.Key, at time.Time) (since time.Time, err error)
	// Hold acquires or renews the lease on crawling. It reports false while
	// another process holds it.
	Hold(ctx context.Context, holder string, now time.Time, lease time.Duration) (bool, error)
	// Take counts a request against the budget of a UTC day and reports false,
	// counting nothing, where that leaves less than reserve of limit.
	Take(ctx context.Context, source string, day vacancy.Day, limit, reserve int) (bool, error)
}

// A Tier is a kind of run.
type Tier string

// The tiers, in the order of their urgency.
const (
	Hot   Tier = "hot"   // the newest pages, until known ones
	Deep  Tier = "deep"  // all of the last 24 hours: finds the back-dated
	Sweep Tier = "sweep" // every page
)

// Tiers returns every tier.
func Tiers() []Tier { return []Tier{Hot, Deep, Sweep} }

// Feeds of a site.
const (
	FeedXML  = "xml"
	FeedHTML = "html"
)

// Reasons of a baseline.
const (
	FirstRun  = "first_run"
	LostState = "lost_state"
)

// State is what is remembered of a source's crawl.
type State struct {
	// Epoch names the life of this state, from Begin until it is lost.
	Epoch string `json:"epoch"`
	// Lost is set by the Memory where a state existed that is gone.
	Lost bool `json:"-"`
	// Baseline is set until the first sweep is complete: what is found was
	// there before us and is told to nobody.
	Baseline *Baseline `json:"baseline,omitempty"`
	// Cursor is an unfinished sweep.
	Cursor *Cursor `json:"cursor,omitempty"`
	// Watermark is the posting time up to which everything was seen.
	Watermark time.Time `json:"watermark,omitzero"`
	// NextHot is when the next hot run is due, jitter included.
	NextHot     time.Time          `json:"next_hot,omitzero"`
	LastGood    map[Tier]time.Time `json:"last_good,omitempty"`
	LastAttempt map[Tier]time.Time `json:"last_attempt,omitempty"`
	// Gate keeps all requests back until then: the site asked for it.
	Gate time.Time `json:"gate,omitzero"`
	// Backoff is how long the last failure closed the gate, for doubling.
	Backoff time.Duration `json:"backoff,omitempty"`
	// Stopped is the reason why only a person may resume the source.
	Stopped string `json:"stopped,omitempty"`
	// HTMLForbidden is set where the site refuses its pages but not its XML:
	// vacancies go out on their listing alone.
	HTMLForbidden bool `json:"html_forbidden,omitempty"`
	// Runs counts runs; it only grows.
	Runs uint64 `json:"runs,omitempty"`
	// Total is the number of vacancies the site last stated.
	Total int `json:"total,omitempty"`
	// Last is the last finished run, for people.
	Last *Report `json:"last,omitempty"`
}

// Baseline is the silent first look at a source.
type Baseline struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// A Cursor is how far a sweep has come.
type Cursor struct {
	Page    int       `json:"page"` // the next one to ask for
	Started time.Time `json:"started"`
	Listed  int       `json:"listed"`
	Total   int       `json:"total"` // as stated by the first page
	// Newest is the latest posting time of the first page: what was posted
	// later is the next hot run's to find.
	Newest time.Time `json:"newest,omitzero"`
	// Defect is set where a page of this sweep was not what it should be.
	Defect bool `json:"defect,omitempty"`
	// NotBefore is when it goes on at the earliest.
	NotBefore time.Time `json:"not_before,omitzero"`
}

// Verdicts on a run: label values.
const (
	OK          = "ok"          // did what its tier promises
	Partial     = "partial"     // cut by its deadline, goes on at the next tick
	Aborted     = "aborted"     // failed; nothing is concluded
	Quarantined = "quarantined" // a page was not what it should be; nothing is concluded
	Skipped     = "skipped"     // not begun
)

// Verdicts returns every verdict.
func Verdicts() []string { return []string{OK, Partial, Aborted, Quarantined, Skipped} }

// A Report is the record of one run.
type Report struct {
	ID       string        `json:"id"`
	Source   string        `json:"source"`
	Tier     Tier          `json:"tier"`
	Feed     string        `json:"feed"`
	Verdict  string        `json:"verdict"`
	Baseline bool          `json:"baseline,omitempty"`
	Started  time.Time     `json:"started"`
	Took     time.Duration `json:"took"`
	Pages    int           `json:"pages"`  // listing pages read
	Listed   int           `json:"listed"` // entries on them
	Read     int           `json:"read"`   // advert pages read
	Unread   int           `json:"unread"` // adverts that could not be read
	New      int           `json:"new"`    // events of kind new
	Events   int           `json:"events"`
	Total    int           `json:"total,omitempty"` // as the site states it
	Defects  []string      `json:"defects,omitempty"`
	Err      string        `json:"err,omitempty"`
}
