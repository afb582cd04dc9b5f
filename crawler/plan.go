package crawler

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

const (
	deepEvery = time.Hour
	// deepAgain and sweepAgain pass after an attempt that was not good. A
	// sweep that was only cut goes on from its cursor at the next tick.
	deepAgain, sweepAgain = 15 * time.Minute, 30 * time.Minute
	// deepReach is how far back a deep run looks, by posting time.
	deepReach = 24 * time.Hour
	// slice bounds one run, so that a long sweep delays a hot run by one
	// slice at most and every tick finds the planner free.
	slice = 50 * time.Second
)

// Work is a run that is due.
type Work struct {
	Tier Tier
}

// Due says what is to be done now, most urgent first. It is pure: it reads
// neither clock nor randomness, so that restarts, clock changes and a host
// that slept change nothing but the time.
func Due(now time.Time, st *State, src *Source) []Work {
	if st.Stopped != "" || st.Gate.After(now) {
		return nil
	}
	if st.Baseline != nil {
		// Nothing is known yet: only the whole board will do.
		if st.Cursor.due(now) || st.Cursor == nil && now.Sub(st.LastAttempt[Sweep]) >= sweepAgain {
			return []Work{{Sweep}}
		}
		return nil
	}
	var due []Work
	if !st.NextHot.After(now) {
		due = append(due, Work{Hot})
	}
	if now.Sub(st.LastGood[Deep]) >= deepEvery && now.Sub(st.LastAttempt[Deep]) >= deepAgain {
		due = append(due, Work{Deep})
	}
	if st.Cursor.due(now) || st.Cursor == nil && sweepDue(now, st, src) {
		due = append(due, Work{Sweep})
	}
	return due
}

// due reports whether there is an unfinished sweep that may go on.
func (c *Cursor) due(now time.Time) bool { return c != nil && !c.NotBefore.After(now) }

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
	return st.LastGood[Sweep].Before(hour) && now.Sub(st.LastAttempt[Sweep]) >= sweepAgain
}

// postingRate is the assumed rate of new adverts by the hour of a weekday in
// London, relative to the busiest: working hours, with nights and weekends at
// a tenth. It only spaces the polls; learning it comes later.
func postingRate(t time.Time) float64 {
	local := t.In(vacancy.London())
	if d := local.Weekday(); d == time.Saturday || d == time.Sunday {
		return 0.08
	}
	switch h := local.Hour(); {
	case h >= 8 && h < 18:
		return 1
	case h == 7 || h == 18 || h == 19:
		return 0.4
	default:
		return 0.1
	}
}

// hotSpacing is the time from one hot run to the next. For a fixed number of
// polls a day the mean delay is least where the spacing goes with one over
// the square root of the rate.
func hotSpacing(now time.Time, src *Source) time.Duration {
	sum := 0.0
	day := vacancy.LondonDay(now).StartIn(vacancy.London())
	for h := range 24 {
		sum += math.Sqrt(postingRate(day.Add(time.Duration(h) * time.Hour)))
	}
	minutes := sum * 60 / (float64(src.PollsPerDay) * math.Sqrt(postingRate(now)))
	d := time.Duration(minutes * float64(time.Minute))
	hotMax := src.HotMax
	if longest := min(max(d, src.HotMin), hotMax); working(now) || working(now.Add(longest+longest/jitterShare)) {
		// The promise of 15 minutes cannot be held with a longer spacing, nor
		// with one that reaches from the night into the morning.
		hotMax = min(hotMax, 12*time.Minute)
	}
	return min(max(d, src.HotMin), hotMax)
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
