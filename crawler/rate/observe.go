package rate

import (
	"slices"
	"time"
)

const (
	// Each hour of the week fades when it begins anew, by the fourth root of
	// a half: half is forgotten after it was looked at four times more. An
	// hour that was not looked at forgets nothing, for nothing newer is known.
	fadeBucket = 0.8408964152537145
	// longestLook bounds what one look can teach. Of the adverts posted
	// before that, many have closed unseen.
	longestLook = 7 * day
	// late is how far outside the look a posting time may lie: the site may
	// show an advert a few minutes after its time, and its clock may be ahead
	// of ours.
	late = 600
)

// Observe learns from a complete look, one that knows of every advert that
// became visible after from, up to to. Posted are the posting times, in any
// order, of those adverts that were unknown before it; a posting day without
// a time of day has no place among them. Looks must not overlap: from is the
// to of the one before, however long ago that was, so that time in which
// nothing could be seen is counted once it has been seen. Where nothing came
// before, from is zero and nothing is learned. Neither does a look that is
// itself in doubt, a flood or a silence, belong here.
//
// Each posting time counts at its own hour, whenever it was seen. One more
// than ten minutes outside the look, of an advert that was dated back, kept
// back or came back, counts nowhere: not at the hour it states, which may
// have been looked at weeks ago, and not at the hour of the look, in which it
// was not posted. Expected is therefore without those, some per cent.
//
// Of a look longer than a week only the last week counts.
func (l Learned) Observe(from, to time.Time, posted []time.Time) Learned {
	a, b := unix(from), unix(to)
	if from.IsZero() || a >= b {
		return l
	}
	a = max(a, b-longestLook)
	l.lookedAt(a, b)
	l.lumps.fade(b/day - a/day)
	var visible []int64
	for _, t := range posted {
		p := unix(t)
		if p <= a-late || p > b+late {
			continue
		}
		ahead, _ := offset(p)
		n := &l.found[hourOfWeek(p+ahead)]
		*n = min(*n+hundredth, mostCount)
		// A poll is placed after the lump was visible. What the last look did
		// not yet show became so after it, whatever its posting time.
		visible = append(visible, max(p, a))
	}
	slices.Sort(visible)
	for _, at := range visible {
		l.lumps.add(at)
	}
	return l
}

// lookedAt counts the seconds from a to b in their hours of the week.
func (l *Learned) lookedAt(a, b int64) {
	for a < b {
		ahead, until := offset(a)
		for end := min(b, until); a < end; {
			h := hourOfWeek(a + ahead)
			if a%hour == 0 && h != hourBefore(a) { // London's offsets are whole hours
				l.seconds[h] = faded(l.seconds[h], fadeBucket)
				l.found[h] = faded(l.found[h], fadeBucket)
			}
			next := min(end, a-a%hour+hour)
			l.seconds[h] = min(l.seconds[h]+next-a, mostSeconds)
			a = next
		}
	}
}

// hourBefore is the hour of the week that ends at a full hour.
func hourBefore(at int64) int {
	ahead, _ := offset(at - 1)
	return hourOfWeek(at - 1 + ahead)
}

// mostSeconds is more than an hour of the week can gather: one more each
// time, and 84 % of what was there, come to 6.3 hours.
const mostSeconds = 8 * hour

// faded rounds down, so that what is no longer seen is forgotten in the end.
func faded(n int64, by float64) int64 { return int64(float64(n) * by) }
