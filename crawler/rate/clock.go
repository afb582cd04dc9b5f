package rate

import (
	"math"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

const (
	hour     = 3600           // seconds
	day      = 24 * hour      // seconds
	week     = 7 * 24         // hours, from Monday 00:00 in London
	saturday = 5 * 24         // the hour in which the weekend begins
	slots    = 12             // of an hour
	slot     = hour / slots   // seconds
	thursday = 3 * 24         // the day of the week on which Unix time begins
	latest   = int64(1) << 33 // the year 2242
)

// unix is t in whole seconds, kept within the years 1970 to 2242 so that no
// sum of two of them overflows and no loop over them is long.
func unix(t time.Time) int64 {
	if t.Year() < 1970 {
		return 0
	}
	if t.Year() > 2242 {
		return latest
	}
	return min(t.Unix(), latest)
}

// offset is how far London's clocks are ahead of UTC at a second, and the
// second from which on they are not.
func offset(at int64) (ahead, until int64) {
	t := time.Unix(at, 0).In(vacancy.London())
	_, seconds := t.Zone()
	_, end := t.ZoneBounds()
	if end.IsZero() {
		return int64(seconds), math.MaxInt64
	}
	if end.Unix() <= at {
		// In years for which the zone data has only a rule, time gives for the
		// first of January after a leap year bounds that have passed. Clocks
		// change at a full hour.
		return int64(seconds), at - at%hour + hour
	}
	return int64(seconds), end.Unix()
}

// hourOfWeek is the hour of the week at a second of London's clocks. The hour
// that is repeated in October is one hour of the week that takes two.
func hourOfWeek(local int64) int { return int((local/hour + thursday) % week) }

// hourAt is the hour of London's week in which t lies.
func hourAt(t time.Time) int {
	at := unix(t)
	ahead, _ := offset(at)
	return hourOfWeek(at + ahead)
}

// A curve is a rate by the hour of the week, ready to be summed.
type curve struct {
	rates *[week]float64
	until [week + 1]float64  // adverts from the beginning of the week to that of an hour
	share [slots + 1]float64 // of an hour's adverts until the beginning of a slot
}

func newCurve(rates *[week]float64, l *lumps) *curve {
	c := &curve{rates: rates}
	for h, r := range rates {
		c.until[h+1] = c.until[h] + r
	}
	for s, r := range l.shares() {
		c.share[s+1] = c.share[s] + r
	}
	c.share[slots] = 1
	return c
}

// between sums the curve between two seconds. Within a period of one offset
// London's weeks are all alike, so only the periods are walked through.
func (c *curve) between(from, to int64) float64 {
	sum := 0.0
	for from < to {
		ahead, until := offset(from)
		end := min(to, until)
		week1, part1 := c.sinceMonday(from + ahead)
		week2, part2 := c.sinceMonday(end + ahead)
		sum += float64(week2-week1)*c.until[week] + (part2 - part1)
		from = end
	}
	return sum
}

// sinceMonday is the number of a local second's week, and the adverts that
// the week has brought before it.
func (c *curve) sinceMonday(local int64) (number int64, adverts float64) {
	h := local/hour + thursday
	n, in := int(h%week), local%hour
	s := in / slot
	share := c.share[s] + (c.share[s+1]-c.share[s])*float64(in%slot)/slot
	return h / week, c.until[n] + c.rates[n]*share
}
