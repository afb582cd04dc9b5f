package crawler

import (
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/drift"
)

// What a person decides about a source. Each returns the state after it and
// whether anything changed; nothing else lifts a stop, a pause or a flood.

// Resume goes on with a source that the site refused, or that was paused. The
// person has looked why.
func (st State) Resume() (State, bool) {
	changed := st.Stopped != "" || st.HTMLForbidden || st.Paused
	st.Stopped, st.HTMLForbidden, st.Paused = "", false, false
	st.Gate, st.Backoff, st.Failures = time.Time{}, 0, 0
	return st, changed
}

// Pause asks nothing of a source until it is resumed.
func (st State) Pause() (State, bool) {
	changed := !st.Paused
	st.Paused = true
	return st, changed
}

// Accept takes for granted what looked like damage: the end of a flood or of
// any other baseline, in silence; a board that has shrunk; a listing that is
// filled in otherwise than it was.
func (st State) Accept() (State, bool) {
	changed := st.Baseline != nil || len(st.Suspects) > 0 || len(st.Drift.Feeds) > 0
	if st.Baseline != nil {
		st.Baseline, st.Cursor = nil, nil
	}
	if len(st.Suspects) > 0 {
		// What they saw is the measure from now on.
		st.Sweeps, st.Suspects, st.SweepFails = st.Suspects, nil, 0
	}
	// A listing may look otherwise from now on.
	st.Drift, st.Believe = drift.Learned{}, true
	return st, changed
}

// Flooded reports whether the source waits for a person to say whether an
// unheard-of number of new vacancies is to be told, and since when.
func (st *State) Flooded() (since time.Time, ok bool) {
	if st.Baseline == nil || st.Baseline.Reason != Flood {
		return time.Time{}, false
	}
	return st.Baseline.Since, true
}
