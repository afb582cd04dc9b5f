// Package score compares what a watcher told with what happened on the
// simulated site. It reads the site's own truth, the site's log of requests
// and the alerts that arrived at their destination, and nothing that the
// watcher says of itself: no metric, no log, no state. Where the figures and
// the watcher's metrics disagree, the metrics are wrong.
//
//   - score.go: what goes in and what comes out
//   - told.go: which adverts had to be told, and when they were
//   - events.go: what happened to them later, kind by kind
//   - requests.go: what the site was asked
//
// The rules for what had to be told, so that a figure of 0 means something:
//
//   - An advert that was visible when the watch began is old: telling it as new
//     is a fault.
//   - One that became visible while the watcher looked in silence (Input.Silences)
//     is due only if it was also posted after that silence began; one that is
//     back-dated to before it cannot be told from an old one.
//   - All others are due, also those that left within 24 hours, unless they left
//     before the watcher had to look where they stood: within Rules.Poll at the
//     top of the listing, within Rules.Deep where they were back-dated by up
//     to a day, within Rules.Sweep further down. Those are fleeting: counted,
//     and no fault.
//   - One that becomes visible so late that its time has not come by the end is
//     pending, if it has not been told.
//   - A twin (the same vacancy listed twice at a time) and a sibling (one vacancy,
//     listed once for each of its sites) are due only where nobody was told of
//     the other.
package score

import (
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// An Alert is one message about one vacancy, as it arrived.
type Alert struct {
	// ID is the message's own: the same over repeated deliveries of one message.
	ID        string
	Reference string
	// Kind, Reason, Related and Relation are those of vacancy.Event.
	Kind     vacancy.Kind
	Reason   string
	Related  string
	Relation string
	// Closing is the closing date that was told, such as 2026-03-13.
	Closing string
	// Fields are the names of the fields that the alert says have changed.
	Fields []string
	At     time.Time
}

// A Span of time, from From until before To.
type Span struct{ From, To time.Time }

// Rules are the limits against which is scored. A zero field takes its
// default.
type Rules struct {
	// Poll is the longest time between two looks at the top of the listing:
	// 35 minutes. Deep is that between two looks at the last day: 80 minutes.
	// Sweep is that between two looks at everything: 25 h 30 min, for one day
	// of the year has 25 hours.
	Poll, Deep, Sweep time.Duration
	// Within is when an advert must have been told: 24 hours after it became
	// visible, or Sweep where only a sweep can find it.
	Within time.Duration
	// Late is from when one counts as found late: 3 hours.
	Late time.Duration
	// Change is how long a change must last to be due: it is seen by the next
	// sweep. Defaults to Sweep and an hour.
	Change time.Duration
	// Early is how long after an advert left early it must be told, if it does
	// not come back: two sweeps, and the questions after them. Reopened is
	// the same for one that came back: it must be listed twice. Both default
	// to twice Sweep and three hours.
	Early, Reopened time.Duration
	// Reread is when an advert's page is read again after it was told, to see
	// changes that no listing shows: 7 days, and another for doing it.
	Reread, RereadWithin time.Duration
}

func (r Rules) settled() Rules {
	set := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	set(&r.Poll, 35*time.Minute)
	set(&r.Deep, 80*time.Minute)
	set(&r.Sweep, 25*time.Hour+30*time.Minute)
	set(&r.Within, 24*time.Hour)
	set(&r.Late, 3*time.Hour)
	set(&r.Change, r.Sweep+time.Hour)
	set(&r.Early, 2*r.Sweep+3*time.Hour)
	set(&r.Reopened, 2*r.Sweep+3*time.Hour)
	set(&r.Reread, 7*24*time.Hour)
	set(&r.RereadWithin, 36*time.Hour)
	return r
}

// Input is what is scored.
type Input struct {
	Truth  []simulator.Record
	Alerts []Alert
	// Stored are closings that the watcher wrote down and tells nobody. They
	// are looked at for false ones alone; nil where there is nothing to see.
	Stored   []Alert
	Requests []simulator.Request
	Broken   []string
	// From is when the watch began, To when it ended.
	From, To time.Time
	// Silences are the spans in which the watcher took in what was there
	// without telling it: the first look, and each one after its state was lost.
	Silences []Span
	// Kills are when the watcher was killed: a message that comes again under
	// its ID, with a kill in between, could not be avoided.
	Kills []time.Time
	// Budget is how many requests a UTC day may bring; 0 for any number.
	Budget int
	Rules  Rules
}

// Figures are the result. The slices name adverts, for people to look into.
type Figures struct {
	Days float64 // from the end of the first silence
	// Adverts became visible in that time and had to be told, or were told.
	Adverts int
	// Missed were not told within Rules.Within.
	Missed []string
	// Late were told later than Rules.Late, the missed ones included;
	// LateFresh are those of them that were not back-dated.
	Late, LateFresh int
	// Fleeting left before they had to be seen, and were not told. Pending
	// came too late to be due. Silent fell into a silence.
	Fleeting, Pending, Silent int
	// Old were there before the watch and were told as new. Unknown are told
	// and have never been on the site.
	Old, Unknown []string
	// FalseClosed were told to be closed early while they were live,
	// FalseStored were written down so and told to nobody. DateMoved were
	// written down as expired while live: their date had moved, unseen.
	FalseClosed, FalseStored []string
	DateMoved                int
	// Twice were told the same thing in two messages. Resent counts messages
	// that came again under their ID without a kill in between, Repeated
	// those with one.
	Twice            []string
	Resent, Repeated int
	// Events are tallies by kind.
	Events map[string]*Tally
	// Wait is from visible to told: of all, of those not back-dated, and of
	// the back-dated.
	Wait, WaitFresh, WaitBackdated Quantiles
	// Requests are those after the first silence, by kind.
	Requests map[string]int
	// BusiestMinute is the most requests in any 60 s, BusiestDay in any UTC
	// day; ShortestGap is between the beginnings of two requests.
	BusiestMinute, BusiestDay int
	ShortestGap               time.Duration
	Bytes                     int64
	// Overruns are the days whose budget was passed.
	Overruns []string
	// Broken are the site's laws that were broken.
	Broken []string

	fresh, back []time.Duration // what the quantiles are of
}

// Kinds of event in Figures.Events.
const (
	Moved       = "closing moved"
	Amended     = "amended (listing)"
	PageOnly    = "amended (page only)"
	LeftEarly   = "closed early"
	Reopened    = "reopened"
	Readvert    = "readvertised"
	Twin        = "twin"
	Sibling     = "sibling"
	ExpiredTold = "expired, told"
)

// EventKinds returns every kind, in the order of a report.
func EventKinds() []string {
	return []string{Moved, Amended, PageOnly, LeftEarly, Reopened, Readvert, Twin, Sibling, ExpiredTold}
}

// A Tally compares the events of one kind with the truth.
type Tally struct {
	Due    int // happened, to an advert that was told, and lasted long enough
	Right  int // of those, told as they were
	Missed int // of those, not told
	Early  int // told though not yet due, and right
	Wrong  int // told, and did not happen
	// Examples name the first few of Missed and Wrong.
	Examples []string
}

const examples = 5

func (t *Tally) miss(ref string) {
	t.Missed++
	t.example("missed " + ref)
}

func (t *Tally) wrong(ref string) {
	t.Wrong++
	t.example("wrong " + ref)
}

func (t *Tally) example(s string) {
	if len(t.Examples) < examples {
		t.Examples = append(t.Examples, s)
	}
}

// Quantiles of a duration.
type Quantiles struct {
	N                  int
	P50, P95, P99, Max time.Duration
}

// Score compares.
func Score(in Input) Figures {
	in.Rules = in.Rules.settled()
	s := newScorer(&in)
	s.told()
	s.events()
	s.asked()
	s.fig.Broken = in.Broken
	return s.fig
}

// ListingPerNew is how many listing requests, sweeps included, one new advert
// cost.
func (f *Figures) ListingPerNew() float64 { return f.PerNew(KindListing, KindHTML) }

// PerNew is how many requests of the kinds one new advert cost.
func (f *Figures) PerNew(kinds ...string) float64 {
	n := 0
	for _, k := range kinds {
		n += f.Requests[k]
	}
	if f.Adverts == 0 {
		return 0
	}
	return float64(n) / float64(f.Adverts)
}

// PerDay is how many requests of a kind a day brought.
func (f *Figures) PerDay(kind string) float64 {
	if f.Days == 0 {
		return 0
	}
	return float64(f.Requests[kind]) / f.Days
}

// Merge returns the figures of several runs as those of one.
func Merge(fs ...Figures) Figures {
	var m Figures
	m.Events, m.Requests = map[string]*Tally{}, map[string]int{}
	for _, k := range EventKinds() {
		m.Events[k] = &Tally{}
	}
	for i := range fs {
		f := &fs[i]
		m.Days += f.Days
		m.Adverts += f.Adverts
		m.Missed = append(m.Missed, f.Missed...)
		m.Late, m.LateFresh = m.Late+f.Late, m.LateFresh+f.LateFresh
		m.Fleeting, m.Pending, m.Silent = m.Fleeting+f.Fleeting, m.Pending+f.Pending, m.Silent+f.Silent
		m.Old, m.Unknown = append(m.Old, f.Old...), append(m.Unknown, f.Unknown...)
		m.FalseClosed, m.FalseStored = append(m.FalseClosed, f.FalseClosed...), append(m.FalseStored, f.FalseStored...)
		m.DateMoved += f.DateMoved
		m.Twice = append(m.Twice, f.Twice...)
		m.Resent, m.Repeated = m.Resent+f.Resent, m.Repeated+f.Repeated
		for k, t := range f.Events {
			m.Events[k].add(t)
		}
		for k, n := range f.Requests {
			m.Requests[k] += n
		}
		m.BusiestMinute, m.BusiestDay = max(m.BusiestMinute, f.BusiestMinute), max(m.BusiestDay, f.BusiestDay)
		if f.ShortestGap > 0 && (m.ShortestGap == 0 || f.ShortestGap < m.ShortestGap) {
			m.ShortestGap = f.ShortestGap
		}
		m.Bytes += f.Bytes
		m.Overruns, m.Broken = append(m.Overruns, f.Overruns...), append(m.Broken, f.Broken...)
		m.fresh, m.back = append(m.fresh, f.fresh...), append(m.back, f.back...)
	}
	m.quantiles()
	return m
}

func (f *Figures) quantiles() {
	f.Wait = quantiles(slices.Concat(f.fresh, f.back))
	f.WaitFresh, f.WaitBackdated = quantiles(f.fresh), quantiles(f.back)
}

func (t *Tally) add(o *Tally) {
	t.Due, t.Right, t.Missed = t.Due+o.Due, t.Right+o.Right, t.Missed+o.Missed
	t.Early, t.Wrong = t.Early+o.Early, t.Wrong+o.Wrong
	for _, s := range o.Examples {
		t.example(s)
	}
}
