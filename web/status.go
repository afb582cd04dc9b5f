package web

import (
	"net/http"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/vacancy"
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
	Damaged   int       // alerts set aside for they cannot be read
	Digests   int       // digests that wait for their hour

	Searches int    // searches in force
	Engine   string // where the state is: EngineRedis or EngineEmbedded

	// Config is the configuration file, for the commands that the page names;
	// "" where it is not known.
	Config string
	// Kept are the pages in quarantine, oldest first.
	Kept []KeptPage
}

// A KeptPage is a page that was not what it should be, kept to be looked at.
type KeptPage struct {
	File    string    `json:"file"` // as `vacancywatch read` wants it
	Source  string    `json:"source"`
	At      time.Time `json:"at"` // when it was fetched
	Tier    string    `json:"tier,omitempty"`
	Defects []string  `json:"defects,omitempty"`
	Bytes   int64     `json:"bytes"`
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
	// Experimental is set where the site is known from hearsay.
	Experimental bool
	// Feeds are the ways in which the site lists its vacancies, the best first.
	Feeds []string
	// State is what the crawl remembers, Reports its last runs, newest first.
	State   crawler.State
	Reports []crawler.Report
	Live    int // vacancies of the source that are open
	// Taken and Limit are the requests of this UTC day, and how many it may
	// bring; a Limit of 0 is not shown. By is what was taken by class of work.
	Taken, Limit int
	By           map[string]int
}

// feed is the listing that is read.
func (s *SourceStatus) feed() string {
	switch {
	case len(s.Feeds) == 0:
		return ""
	case s.State.Fallback != nil && len(s.Feeds) > 1:
		return s.Feeds[1]
	}
	return s.Feeds[0]
}

// States of the circuit between us and a website, as in the metrics.
const (
	circuitClosed   = "closed"
	circuitHalfOpen = "half_open"
	circuitOpen     = "open"
)

func (s *SourceStatus) circuit(now time.Time) string {
	switch {
	case s.State.Failures < crawler.OpenAfter:
		return circuitClosed
	case s.State.Gate.After(now):
		return circuitOpen
	}
	return circuitHalfOpen
}

// A sweepStatus is what the last whole reading of a website has shown.
type sweepStatus struct {
	Ended    time.Time `json:"ended"`
	Feed     string    `json:"feed,omitempty"`
	Verdict  string    `json:"verdict"`
	Unique   int       `json:"unique,omitempty"`
	Total    int       `json:"total,omitempty"`
	Coverage float64   `json:"coverage,omitempty"`
	Guard    string    `json:"guard,omitempty"`
	Defects  []string  `json:"defects,omitempty"`
	Absent   int       `json:"absent,omitempty"`
}

// lastSweep finds the last reading of the whole website that came to an end,
// good or not. Of one that is no longer among the last runs the state still
// knows what was counted.
func (s *SourceStatus) lastSweep() (sweepStatus, bool) {
	for i := range s.Reports {
		r := &s.Reports[i]
		if r.Tier != crawler.Sweep || r.Verdict != crawler.OK && r.Verdict != crawler.Quarantined {
			continue
		}
		sw := sweepStatus{Ended: r.Started.Add(r.Took), Feed: r.Feed, Verdict: r.Verdict, Unique: r.Unique, Guard: r.Guard,
			Defects: r.Defects, Absent: r.Absent}
		if r.Unique > 0 {
			sw.count(max(r.FirstTotal, r.Total))
		}
		return sw, true
	}
	good := s.State.LastGood[crawler.Sweep]
	if n := len(s.State.Sweeps); n > 0 && !good.IsZero() {
		last := s.State.Sweeps[n-1]
		sw := sweepStatus{Ended: good, Feed: last.Feed, Verdict: crawler.OK, Unique: last.Unique}
		sw.count(last.Total)
		return sw, true
	}
	return sweepStatus{}, false
}

func (sw *sweepStatus) count(total int) {
	if sw.Total = total; total > 0 {
		sw.Coverage = float64(sw.Unique) / float64(total)
	}
}

// lastRun is the newest run of a tier that was begun.
func (s *SourceStatus) lastRun(t crawler.Tier) *crawler.Report {
	for i := range s.Reports {
		if s.Reports[i].Tier == t && s.Reports[i].Verdict != crawler.Skipped {
			return &s.Reports[i]
		}
	}
	return nil
}

// closedEarly counts the vacancies that were found to have left before their
// closing date since the night of the last sweep began.
func (s *SourceStatus) closedEarly() int {
	n := 0
	sw, ok := s.lastSweep()
	if !ok {
		return 0
	}
	night := vacancy.LondonDay(sw.Ended).StartIn(vacancy.London())
	for i := range s.Reports {
		if !s.Reports[i].Started.Before(night) {
			n += s.Reports[i].Closed
		}
	}
	return n
}

// Reasons why a source is not fresh: a closed list, for machines.
const (
	staleStopped  = "stopped"  // only a person may resume it
	stalePaused   = "paused"   // a person has paused it
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
	case s.State.Paused:
		f.Reason = stalePaused
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
// status. Operators are shown the details, and the commands.
func (s *site) showStatus(w http.ResponseWriter, r *http.Request, st Status, operators bool, err error) {
	if err != nil {
		s.log.Error("the status could not be read", "err", err)
		w.Header().Set("Retry-After", "60")
		s.page(w, r, http.StatusServiceUnavailable, "message", "Not working", message{"Not working: we cannot see how things are",
			[]string{"The program runs but cannot read its own records. Alerts may be late.",
				"If you run this service: see in the log why the store cannot be read."}})
		return
	}
	v := newStatusView(&st, operators)
	s.page(w, r, http.StatusOK, "status", v.Label, v)
}
