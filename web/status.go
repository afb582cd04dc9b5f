package web

import (
	"net/http"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
)

// Status is what the status page is made of. It holds no personal data and
// nothing of what searches ask for.
type Status struct {
	Version string
	Now     time.Time
	Sources []SourceStatus

	Live      int       // vacancies that are open
	Known     int       // vacancies that are remembered, closed ones included
	Queued    int       // alerts in the outbox that are not given up
	Due       int       // of them, due now
	OldestDue time.Time // when the first of those fell due; zero if none is
	Buried    int       // alerts that were given up
	Digests   int       // digests that wait for their hour

	Searches int    // searches in force
	Engine   string // where the state is: EngineRedis or EngineEmbedded
}

// Engines.
const (
	EngineRedis    = "redis"
	EngineEmbedded = "embedded"
)

// SourceStatus is the status of one source.
type SourceStatus struct {
	Name string
	Host string // of the website
	// State is what the crawl remembers, Reports its last runs, newest first.
	State   crawler.State
	Reports []crawler.Report
	Live    int // vacancies of the source that are open
	// Taken and Limit are the requests of this UTC day, and how many it may
	// bring; a Limit of 0 is not shown.
	Taken, Limit int
}

// Reasons why a source is not fresh: a closed list, for machines.
const (
	staleStopped  = "stopped"  // only a person may resume it
	staleBaseline = "baseline" // the first look tells nobody of anything
	staleNever    = "never"    // no hot run was good yet
	staleLate     = "late"     // the last good one is too long ago
	staleClock    = "clock"    // it is in the future: a clock was turned
)

// clockSlack is how far apart the clocks of two replicas may be.
const clockSlack = time.Minute

// freshness says whether the promise to a source's readers is held.
type freshness struct {
	Source string `json:"source"`
	Fresh  bool   `json:"fresh"`
	Reason string `json:"reason,omitempty"`
	// Age is the time since the last good hot run, absent if there was none.
	Age      *float64  `json:"age_seconds,omitempty"`
	Limit    float64   `json:"limit_seconds"`
	LastGood time.Time `json:"last_good,omitzero"`
}

func (s *SourceStatus) freshness(now time.Time) freshness {
	limit := crawler.FreshnessLimit(now)
	last := s.State.LastGood[crawler.Hot]
	f := freshness{Source: s.Name, Limit: limit.Seconds(), LastGood: last.UTC()}
	age := now.Sub(last)
	if !last.IsZero() {
		seconds := age.Seconds()
		f.Age = &seconds
	}
	switch {
	case s.State.Stopped != "":
		f.Reason = staleStopped
	case s.State.Baseline != nil:
		f.Reason = staleBaseline
	case last.IsZero():
		f.Reason = staleNever
	case age < -clockSlack:
		f.Reason = staleClock
	case age > limit:
		f.Reason = staleLate
	default:
		f.Fresh = true
	}
	return f
}

// showStatus answers with the status page, or with what can be said without a
// status.
func (s *site) showStatus(w http.ResponseWriter, r *http.Request, st Status, err error) {
	if err != nil {
		s.log.Error("the status could not be read", "err", err)
		w.Header().Set("Retry-After", "60")
		s.page(w, r, http.StatusServiceUnavailable, "message", "Not working", message{"Not working: we cannot see how things are",
			[]string{"The program runs but cannot read its own records. Alerts may be late.",
				"If you run this service: see in the log why the store cannot be read."}})
		return
	}
	v := newStatusView(&st)
	s.page(w, r, http.StatusOK, "status", v.Label, v)
}
