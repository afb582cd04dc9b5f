// Package crawler goes from a tick of the schedule to vacancy events: it
// plans, fetches politely, reads, leaves out what is known, and hands on what
// is new. It knows nothing of searches or alerts.
//
//	schedule.go  the tick, once a minute
//	plan.go      Due: what is to be done now, a pure function
//	run.go       one run, from the first page to the mark: read this first
//	listing.go   a page of the listing, and what makes it suspicious
//	handon.go    what of it is handed on, and in what order
//	advert.go    the page of one vacancy, and what is done without it
//	sweep.go     the whole board, and what it may conclude
//	absence.go   when a sweep is believed; probe.go asks by name for what is missing
//	canary.go    both listings, one beside the other; fallback.go, which is read
//	reread.go    adverts once more; budget.go, whose turn the day's requests are
//	operator.go  what a person decides
//	finish.go    what follows from how a run ended
//	fetch.go     colly
//	polite/      the transport under it: pace, gate, budget, robots, limits
//	rate/        the rate of posting, learned; drift/ what a listing looks like
//	quarantine/  suspicious pages, kept for a person
//	nhsjobs/     the pages of NHS Jobs; scotland/ those of NHS Scotland
//	simulator/   a pretend NHS Jobs
//
// Nothing here can hammer a site: every request, redirects and robots.txt
// included, passes package polite, which makes them one at a time, and a public
// host is never asked more often than once a second.
package crawler

import (
	"context"
	"errors"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/drift"
	"github.com/vacancywatch/vacancywatch/crawler/rate"
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
	// Close hands on that vacancies are gone, for a reason of vacancy.Event.
	// Those that are closed already make no event.
	Close(ctx context.Context, keys []vacancy.Key, reason string, at time.Time, epoch string) ([]vacancy.Event, error)
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
	Needs(ctx context.Context, source, feed string, listed []vacancy.Vacancy, at time.Time) ([]vacancy.Need, error)
	// Records returns what is remembered of the given vacancies.
	Records(ctx context.Context, keys []vacancy.Key) (map[vacancy.Key]vacancy.Record, error)
	// Touch notes that vacancies were listed at the given time.
	Touch(ctx context.Context, source string, references []string, at time.Time) error
	// Absent tells which live vacancies no run has listed since a time.
	Absent(ctx context.Context, source string, since, now time.Time, limit int) (Absence, error)
	// Live counts the live vacancies of a source.
	Live(ctx context.Context, source string) (int, error)
	// Rereads returns vacancies whose pages are to be read once more; PutOff
	// leaves one alone until then.
	Rereads(ctx context.Context, source string, now time.Time, limit int) ([]vacancy.Record, error)
	PutOff(ctx context.Context, key vacancy.Key, until time.Time) error
	// Silent returns live vacancies that were taken in silence and first seen
	// since a time, those posted last first. Next is where to go on with
	// after, "" at the end.
	Silent(ctx context.Context, source string, since time.Time, limit int, after string) (records []vacancy.Record, next string, err error)
	// Unread notes that an advert could not be read and returns since when.
	// Accepting the vacancy forgets it.
	Unread(ctx context.Context, key vacancy.Key, at time.Time) (since time.Time, err error)
	// Hold acquires or renews the lease on crawling. It reports false while
	// another process holds it.
	Hold(ctx context.Context, holder string, now time.Time, lease time.Duration) (bool, error)
	// Take counts a request of a class of work against a UTC day where allows
	// says so, given what each class has taken, in one step.
	Take(ctx context.Context, source string, day vacancy.Day, class string, allows func(taken map[string]int) bool) (bool, error)
}

// A Tier is a kind of run.
type Tier string

// The tiers, in the order of their urgency.
const (
	Hot    Tier = "hot"    // the newest pages, until known ones
	Trial  Tier = "trial"  // a hot run in the first feed, while the second is in use
	Deep   Tier = "deep"   // all of the last 24 hours: finds the back-dated
	Sweep  Tier = "sweep"  // every page
	Probe  Tier = "probe"  // missing vacancies, by name
	Canary Tier = "canary" // both feeds, one beside the other
	Reread Tier = "reread" // adverts, once more
)

// Tiers returns every tier.
func Tiers() []Tier { return []Tier{Hot, Trial, Deep, Sweep, Probe, Canary, Reread} }

// lists reports whether a run of the tier goes through listings.
func (t Tier) lists() bool { return t == Hot || t == Trial || t == Deep || t == Sweep }

// class is the part of the day's requests that the tier's come from.
func (t Tier) class() string {
	switch t {
	case Sweep:
		return ClassSweep
	case Probe, Canary:
		return ClassProbe
	case Reread:
		return ClassReread
	default:
		return ClassHot
	}
}

// Feeds of a site.
const (
	FeedXML  = "xml"
	FeedHTML = "html"
)

// Reasons of a baseline.
const (
	FirstRun  = "first_run"  // the source was never looked at
	LostState = "lost_state" // what was known of it is gone
	Flood     = "flood"      // far more is unknown than can be new; a person ends it
)

// BaselineReasons returns every reason.
func BaselineReasons() []string { return []string{FirstRun, LostState, Flood} }

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
	// Failures counts those of the site in a row.
	Failures int `json:"failures,omitempty"`
	// Paused is set by a person.
	Paused bool `json:"paused,omitempty"`
	// Stopped is the reason why only a person may resume the source.
	Stopped string `json:"stopped,omitempty"`
	// HTMLForbidden is set where the site refuses its pages but not its XML:
	// vacancies go out on their listing alone.
	HTMLForbidden bool `json:"html_forbidden,omitempty"`
	// Runs counts runs; it only grows.
	Runs uint64 `json:"runs,omitempty"`
	// Total is the number of vacancies the site last stated.
	Total int `json:"total,omitempty"`
	// Rate is the learned rate of posting, Drift what listings look like.
	Rate  rate.Learned  `json:"rate,omitzero"`
	Drift drift.Learned `json:"drift,omitzero"`
	// LastNew is when something new was last found.
	LastNew time.Time `json:"last_new,omitzero"`
	// Believe is set by a person who knows that much has changed at once, and
	// ends with the next good sweep.
	Believe bool `json:"believe,omitempty"`
	// Failing and Fallback tell whether the site's first feed can be read.
	Failing  *Failing  `json:"failing,omitempty"`
	Fallback *Fallback `json:"fallback,omitempty"`
	// Sweeps are the last good ones, Suspects those that listed far less;
	// SweepFails counts those in a row that were not good.
	Sweeps     []SweepRecord `json:"sweeps,omitempty"`
	Suspects   []SweepRecord `json:"suspects,omitempty"`
	SweepFails int           `json:"sweep_fails,omitempty"`
	// Oldest are vacancies that have stood long on the board: canaries.
	Oldest []string `json:"oldest,omitempty"`
	// Fill is how far the pages of silent vacancies have been read.
	Fill *Fill `json:"fill,omitempty"`
	// Probing is the look for what two nights have missed.
	Probing *Probing `json:"probing,omitempty"`
	// Last is the last finished run, for people.
	Last *Report `json:"last,omitempty"`
}

// Baseline is the silent first look at a source.
type Baseline struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// Verdicts on a run: label values.
const (
	OK          = "ok"          // did what its tier promises
	Partial     = "partial"     // cut by its deadline, goes on at the next tick
	Aborted     = "aborted"     // failed; nothing is concluded
	Quarantined = "quarantined" // a page was not what it should be; nothing is concluded
	Skipped     = "skipped"     // due, and not begun: the day's requests are used up
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
	Pages    int           `json:"pages"`              // listing pages read
	Expected int           `json:"expected,omitempty"` // pages, as the site states
	Listed   int           `json:"listed"`             // entries on them
	Read     int           `json:"read"`               // advert pages read
	Unread   int           `json:"unread"`             // adverts that could not be read
	New      int           `json:"new"`                // events of kind new
	Events   int           `json:"events"`
	Total    int           `json:"total,omitempty"` // as the site states it, last
	// FirstTotal is what its first page states, Unique the references listed
	// by a whole sweep.
	FirstTotal int `json:"first_total,omitempty"`
	Unique     int `json:"unique,omitempty"`
	Unseen     int `json:"unseen,omitempty"` // entries that were unknown
	Absent     int `json:"absent,omitempty"` // live, and not listed for two nights
	Probes     int `json:"probes,omitempty"` // vacancies asked for by name
	Closed     int `json:"closed,omitempty"` // vacancies found to be gone
	// Guard is what kept the run from closing anything.
	Guard   string   `json:"guard,omitempty"`
	Defects []string `json:"defects,omitempty"`
	Err     string   `json:"err,omitempty"`
}
