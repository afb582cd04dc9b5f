package rate

import (
	"math"
	"time"
)

const (
	// JitterShare is the part of a spacing by which the caller may vary it to
	// either side. Spacing and Next allow for it where they keep a promise.
	JitterShare = 10

	// promised is the longest spacing under which, with jitter and the time a
	// run takes, no age of the last look in working hours passes 15 minutes.
	promised = 12 * time.Minute
	// longest bounds every spacing.
	longest = 24 * time.Hour

	// afterLump is how long after a lump a poll is best: its adverts take a
	// moment to come, and to become visible. Where polls are less than three
	// times as far apart a third of the spacing is waited instead, or the
	// next poll by chance would come sooner; below leastAfter no poll is moved.
	afterLump, leastAfter = 3 * time.Minute, time.Minute
	// lookAhead is how many spacings before a lump the polls begin to be
	// moved: two are shifted a little rather than one a lot.
	lookAhead = 3
)

// Working reports whether the stricter promise of freshness is in force:
// weekdays from 7 to 20 in London.
func Working(t time.Time) bool { return workingHour(hourAt(t)) }

func workingHour(h int) bool { return h < saturday && h%24 >= 7 && h%24 < 20 }

// Next is when a source looked at now is best looked at again, after Spacing,
// or at a time nearby that lies right behind an hourly lump of adverts, where
// one has been learned. The bounds of Spacing hold for it as well: least, most,
// and 12 minutes where the stricter promise is in force. The caller adds the
// jitter: a tenth of the time from now at most, either way.
func (l Learned) Next(now time.Time, polls int, least, most time.Duration) time.Time {
	least, most = bounds(least, most)
	return now.Add(l.place(now, l.Spacing(now, polls, least, most), least, most))
}

// place moves a poll d from now for the next lump. The time until a poll
// behind the lump is divided into whole spacings, as near to d as can be: so
// it takes hardly more polls to meet the lump than to miss it.
func (l *Learned) place(now time.Time, d, least, most time.Duration) time.Duration {
	wait := min(afterLump, d/3)
	centres := l.lumps.centres()
	if wait < leastAfter || len(centres) == 0 {
		return d
	}
	// A lump behind which a poll would come sooner than this was just met.
	soonest := max(least, d/2)
	past := time.Duration(unix(now)%hour) * time.Second
	to := time.Duration(math.MaxInt64)
	for _, c := range centres {
		after := (c + wait - past - soonest) % time.Hour
		if after < 0 {
			after += time.Hour
		}
		to = min(to, soonest+after)
	}
	if to > lookAhead*d {
		return d
	}
	if Working(now) {
		most = min(most, promised)
	}
	n := max(time.Duration(math.Round(float64(to)/float64(d))), 1)
	if to-n*most > wait/2 {
		n = (to + most - 1) / most
	}
	moved := min(to/n, most)
	if moved < least || moved > promised && reaches(now, moved) {
		return d
	}
	return moved
}

// Spacing is the time from a look now to the next one, for so many polls a
// day, on the average of a week. For a fixed number of polls the mean delay is
// least where the spacing goes with one over the square root of the rate: so a
// weekday takes polls that a weekend has no use for. Hours in which that would
// be less than least or more than most are held there, and the others make up
// for it, as far as they can. Least is at least a second, most at most a day
// and outranks least.
//
// In working hours, and where the spacing would reach from the night into
// them, it is 12 minutes at most, whatever the polls and least: the promise of
// 15 minutes cannot be held otherwise.
func (l Learned) Spacing(now time.Time, polls int, least, most time.Duration) time.Duration {
	least, most = bounds(least, most)
	d := spacings(l.rates(), polls, least, most, true)[hourAt(now)]
	if d > promised && reaches(now, d) {
		return promised
	}
	return d
}

// Every is the time between two of so many longer looks a day, by the same
// rule and without that promise.
func (l Learned) Every(now time.Time, looks int, least, most time.Duration) time.Duration {
	least, most = bounds(least, most)
	return spacings(l.rates(), looks, least, most, false)[hourAt(now)]
}

// reaches reports whether a spacing of d from now, with its jitter and the
// minute until the tick that heeds it, begins or ends in working hours.
func reaches(now time.Time, d time.Duration) bool {
	return Working(now) || Working(now.Add(d+d/JitterShare+time.Minute))
}

func bounds(least, most time.Duration) (time.Duration, time.Duration) {
	most = min(max(most, time.Second), longest)
	return min(max(least, time.Second), most), most
}

// spacings finds the spacing in each hour of the week: a factor over the square
// root of the rate, within bounds, with the factor that brings so many polls a
// day.
func spacings(rates [week]float64, polls int, least, most time.Duration, promise bool) (ds [week]time.Duration) {
	var low, high [week]time.Duration
	var root [week]float64
	small, large := math.Inf(1), 0.0
	for i, r := range rates {
		high[i] = most
		if promise && workingHour(i) {
			high[i] = min(most, promised)
		}
		low[i] = min(least, high[i])
		root[i] = math.Sqrt(r)
		small, large = min(small, root[i]*low[i].Seconds()), max(large, root[i]*high[i].Seconds())
	}
	// The number of polls falls from the most the bounds allow to the least
	// while the factor grows from small to large. Halving the range forty
	// times leaves nothing of it.
	for range 40 {
		factor, sum := (small+large)/2, 0.0
		for i := range week {
			sum += hour / min(max(factor/root[i], low[i].Seconds()), high[i].Seconds())
		}
		if sum > 7*float64(polls) {
			small = factor
		} else {
			large = factor
		}
	}
	for i := range week {
		ds[i] = min(max(time.Duration(large/root[i]*float64(time.Second)), low[i]), high[i])
	}
	return ds
}
