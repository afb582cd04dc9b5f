package rate

import (
	"math"
	"time"
)

const (
	// improbable is the probability below which a silence is not believed.
	improbable = 1e-6
	// quieter is the part of the rate that is counted on when nothing is
	// found: Christmas is quieter than a Sunday, and adverts come in batches,
	// of which there are fewer than of adverts.
	quieter = 0.5
	// holidays is the longest time for which a source may be as quiet as at a
	// weekend: from Christmas to the New Year, with a weekend to either side.
	holidays = 11 * day

	// A flood is more than floodTimes what was expected, and more than
	// floodLeast.
	floodTimes, floodLeast = 5, 300
)

// Silence reports whether it is improbable, below one in a million, that a
// source which is read rightly brought nothing between from and to. It is
// false where something was found.
//
// A bank holiday is as quiet as a weekend, and there are more of them than
// any list has: so each hour of a weekday counts at most as the same hour of
// the quieter day of the weekend, and of that a half. Only what lasts beyond
// eleven days is measured by half the ordinary rate. The probability is that
// of a Poisson distribution whose rate is known as well as the number of
// adverts from which it was learned allows, a negative binomial: before
// enough is learned, nothing is improbable. A board of a thousand a weekday is
// doubted after about four working hours.
func (l Learned) Silence(from, to time.Time, found int) bool {
	if found > 0 || from.IsZero() {
		return false
	}
	rates := l.rates()
	var calm [week]float64
	known, weekend := pseudoScale, pseudoScale
	for h := range week {
		f, _ := l.bucket(h)
		known += f
		if h >= saturday {
			weekend += f
		}
		hour := h % 24
		calm[h] = quieter * min(rates[h], rates[saturday+hour], rates[saturday+24+hour])
	}
	a, b := unix(from), unix(to)
	mid := min(b, a+holidays)
	expected := newCurve(&calm, &l.lumps).between(a, mid)
	longer := quieter * newCurve(&rates, &l.lumps).between(mid, b)
	return logNone(expected, weekend)+logNone(longer, known) < math.Log(improbable)
}

// logNone is the logarithm of the probability of nothing where so many are
// expected, on the evidence of so many adverts.
func logNone(expected, evidence float64) float64 {
	return -evidence * math.Log1p(expected/evidence)
}

// Flood reports whether so many unknown adverts cannot have come between from
// and to by themselves: the memory of what is known is damaged, or the site
// has changed its references. From is the time of the last good look.
func (l Learned) Flood(from, to time.Time, unseen int) bool {
	return float64(unseen) > max(floodTimes*l.Expected(from, to), floodLeast)
}
