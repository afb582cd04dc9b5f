package crawler

import (
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/drift"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// An aggregator of adverts once took 872 live ones for gone, because two of
// its crawls were cut short. So nothing is concluded here from one night, nor
// from a sweep that looks other than those before it, nor without asking for
// the vacancy by name.
const (
	// completeShare of the stated total must have been listed.
	completeShare = 0.995
	// dropShare of the usual number must have been listed: totals lie, too.
	dropShare = 0.70
	// blastShare of the live vacancies may be missing at most: more is a
	// damaged state, or a sweep of something else.
	blastShare = 0.50
	// keptSweeps are remembered of each sort.
	keptSweeps = 5
	// askAfter suspect nights that agree within alike, a person is asked.
	askAfter, alike = 3, 0.05
)

// Guards that keep a sweep from closing what it did not list: label values.
const (
	GuardIncomplete = "incomplete" // it has not listed what the site says there is
	GuardDrop       = "drop"       // it lists far fewer than the nights before
	GuardBlast      = "blast"      // it misses more than half of what is live
	GuardProbe      = "probe"      // asking by reference did not work
	GuardClock      = "clock"      // our clock and the site's differ
)

// Guards returns every guard.
func Guards() []string {
	return []string{GuardIncomplete, GuardDrop, GuardBlast, GuardProbe, GuardClock}
}

// A SweepRecord is what is remembered of a sweep that read every page.
type SweepRecord struct {
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
	Feed    string    `json:"feed"`
	Unique  int       `json:"unique"` // references listed
	Total   int       `json:"total"`  // as the site stated it, the larger of first and last
}

// Absence is what the memory knows of vacancies that are not listed any more.
type Absence struct {
	Live   int // live vacancies of the source
	Absent int // of them, listed by no run since
	// References are the absent ones, the soonest to close first, up to the
	// limit that was asked for.
	References []string
}

// judge tells which guard a sweep meets, "" where it is good.
func (st *State) judge(s SweepRecord) string {
	switch {
	case float64(s.Unique) < completeShare*float64(s.Total):
		return GuardIncomplete
	case float64(s.Unique) < dropShare*median(st.Sweeps), st.fell(s):
		return GuardDrop
	}
	return ""
}

// fell reports whether the stated total is a fifth below that of the night
// before.
func (st *State) fell(s SweepRecord) bool {
	if len(st.Sweeps) == 0 {
		return false
	}
	last := st.Sweeps[len(st.Sweeps)-1]
	return s.Started.Sub(last.Started) < 36*time.Hour && drift.TotalDrop(last.Total, s.Total)
}

func median(sweeps []SweepRecord) float64 {
	if len(sweeps) == 0 {
		return 0
	}
	ns := make([]int, len(sweeps))
	for i, s := range sweeps {
		ns[i] = s.Unique
	}
	slices.Sort(ns)
	mid := len(ns) / 2
	if len(ns)%2 == 1 {
		return float64(ns[mid])
	}
	return float64(ns[mid-1]+ns[mid]) / 2
}

// nightsBefore returns the start of the n-th last good sweep that was made on
// an earlier London day than t, one a day, and false where there is none.
func (st *State) nightsBefore(t time.Time, n int) (time.Time, bool) {
	day := vacancy.LondonDay(t)
	for i := len(st.Sweeps) - 1; i >= 0; i-- {
		s := st.Sweeps[i]
		if d := vacancy.LondonDay(s.Started); d.Before(day) {
			if n--; n == 0 {
				return s.Started, true
			}
			day = d
		}
	}
	return time.Time{}, false
}

// kept returns the list with one more, the oldest left out.
func kept(list []SweepRecord, s SweepRecord) []SweepRecord {
	list = append(slices.Clone(list), s)
	return list[max(0, len(list)-keptSweeps):]
}

// agree reports whether the last suspect sweeps, of different nights, say the
// same: then the board may really have shrunk, and a person is asked.
func (st *State) agree() bool {
	if len(st.Suspects) < askAfter {
		return false
	}
	last := st.Suspects[len(st.Suspects)-askAfter:]
	least, most := last[0].Unique, last[0].Unique
	for i, s := range last {
		if i > 0 && !vacancy.LondonDay(last[i-1].Started).Before(vacancy.LondonDay(s.Started)) {
			return false
		}
		least, most = min(least, s.Unique), max(most, s.Unique)
	}
	return float64(most-least) <= alike*float64(most)
}
