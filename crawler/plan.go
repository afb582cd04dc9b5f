package crawler

import (
	"math/rand/v2"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

const (
	// deepAgain, sweepAgain and canaryAgain pass after an attempt that was
	// not good. A sweep that was only cut goes on from its cursor at the next
	// tick; one that has not listed what it should is made again after an
	// hour, then after twice as long each time.
	deepAgain, sweepAgain, canaryAgain = 15 * time.Minute, 30 * time.Minute, time.Hour
	sweepAgainLast                     = 8 * time.Hour
	// deepLeast and deepMost bound the time between two good ones.
	deepLeast, deepMost = 20 * time.Minute, 6 * time.Hour
	// deepReach is how far back a deep run looks, by posting time.
	deepReach = 24 * time.Hour
	// slice bounds one run, so that a long sweep delays a hot run by one
	// slice at most and every tick finds the planner free.
	slice = 50 * time.Second
	// OpenAfter is how many failures in a row open the circuit: then nothing
	// is asked but the first page.
	OpenAfter = 5
)

// Work is a run that is due.
type Work struct {
	Tier Tier
}

// Due says what is to be done now, most urgent first. It is pure: it reads
// neither clock nor randomness, so that restarts, clock changes and a host
// that slept change nothing but the time.
func Due(now time.Time, st *State, src *Source) []Work {
	if st.Stopped != "" || st.Paused || st.Gate.After(now) {
		return nil
	}
	// At the tick nearest to its time: to wait for the one after it would cost
	// every poll half a tick.
	hot := !st.NextHot.After(now.Add(min(DefaultTick/2, src.HotMin/4)))
	if st.Baseline != nil && st.Baseline.Reason != Flood {
		// Nothing is known yet: only the whole board will do.
		if st.Cursor.due(now) || st.Cursor == nil && now.Sub(st.LastAttempt[Sweep]) >= st.sweepWait() {
			return []Work{{Sweep}}
		}
		return nil
	}
	var due []Work
	if hot {
		due = append(due, Work{Hot})
	}
	if st.Failures >= OpenAfter {
		return due // the circuit is open: the first page shows whether it may be closed
	}
	if st.Fallback != nil && now.Sub(st.LastAttempt[Trial]) >= trialEvery && now.Sub(st.Fallback.Since) >= trialEvery {
		due = append(due, Work{Trial})
	}
	if now.Sub(st.LastGood[Deep]) >= st.deepEvery(now, src) && now.Sub(st.LastAttempt[Deep]) >= deepAgain {
		due = append(due, Work{Deep})
	}
	if st.Cursor.due(now) || st.Cursor == nil && sweepDue(now, st, src) {
		due = append(due, Work{Sweep})
	}
	if st.Probing != nil && !st.Probing.NotBefore.After(now) {
		due = append(due, Work{Probe})
	}
	if canaryDue(now, st, src) {
		due = append(due, Work{Canary})
	}
	if now.Sub(st.LastAttempt[Reread]) >= rereadEvery && !st.HTMLForbidden && st.Baseline == nil {
		due = append(due, Work{Reread})
	}
	return due
}

// deepEvery is the time between two deep runs: what is back-dated is entered
// when people work, as everything is.
func (st *State) deepEvery(now time.Time, src *Source) time.Duration {
	return st.Rate.Every(now, st.feedFor(Deep, &src.Site).DeepADay, deepLeast, deepMost)
}

// due reports whether there is an unfinished sweep that may go on.
func (c *Cursor) due(now time.Time) bool { return c != nil && !c.NotBefore.After(now) }

// sweepWait is the time between two attempts at a sweep.
func (st *State) sweepWait() time.Duration {
	if st.SweepFails == 0 {
		return sweepAgain
	}
	return min(time.Hour<<min(st.SweepFails-1, 10), sweepAgainLast)
}

// sweepDue reports whether the London day's sweep is due: from the sweep hour
// on, if it has not been made since then. None begins around midnight, where
// mass closings shift the rows under it.
func sweepDue(now time.Time, st *State, src *Source) bool {
	local := now.In(vacancy.London())
	minute := local.Hour()*60 + local.Minute()
	if minute >= 23*60+30 || minute < 30 {
		return false
	}
	day := vacancy.LondonDay(now)
	hour := time.Date(day.Year, day.Month, day.Day, src.SweepHour, 0, 0, 0, vacancy.London())
	if now.Before(hour) {
		return false
	}
	return st.LastGood[Sweep].Before(hour) && now.Sub(st.LastAttempt[Sweep]) >= st.sweepWait()
}

// working reports whether the stricter promise of freshness is in force:
// weekdays from 7 to 20 in London.
func working(t time.Time) bool {
	local := t.In(vacancy.London())
	d, h := local.Weekday(), local.Hour()
	return d != time.Saturday && d != time.Sunday && h >= 7 && h < 20
}

// FreshnessLimit is the age of the last good hot run beyond which the promise
// of freshness is broken.
func FreshnessLimit(now time.Time) time.Duration {
	if working(now) {
		return 15 * time.Minute
	}
	return 45 * time.Minute
}

// jitterShare is the part of a spacing by which it is varied to either side.
const jitterShare = 10

// jitter spreads d by a tenth to either side, so that many daemons do not ask
// in step.
func jitter(d time.Duration) time.Duration {
	return d + time.Duration((2*rand.Float64()-1)*float64(d)/jitterShare)
}
