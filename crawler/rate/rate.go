// Package rate learns how many adverts a source brings at each hour of
// London's week and at which minutes of the hour, and says from it when to
// look next, how many adverts to expect, and when none, or very many, are not
// to be believed.
//
// It is arithmetic: it reads no clock, draws no random numbers and never
// fails. What it knows lives in one small value, Learned, which is kept as
// JSON with the state of the source. A Learned that was never fed, or that
// was stored and came back damaged, is the prior, never an error: spacing and
// guards then work as for a board of about a thousand adverts a weekday.
//
//   - rate.go, clock.go: the estimate, and its sums over London's clock
//   - observe.go, lump.go: what one look at the source teaches
//   - next.go: when to look again
//   - guard.go: what is not to be believed
//   - json.go: how it is stored
package rate

import "time"

// Learned is what is known of a source's rhythm. The zero value is the prior
// alone. It is a value: methods return a new one and change nothing. It can
// be compared with ==, and encoding/json reads and writes it.
type Learned struct {
	// seconds is how long each hour of London's week was looked at, and found
	// how many adverts were posted meanwhile, in hundredths. Both fade
	// together, so that their ratio is a rate.
	seconds, found [week]int64
	lumps          lumps
}

const (
	// hundredth is the unit of counts: whole numbers come back from JSON as
	// they were, and are short.
	hundredth = 100
	// most of anything that is counted, so that no sum overflows.
	mostCount = 10_000_000 * hundredth

	// priorWeekday is the number of adverts a weekday until more is known.
	priorWeekday = 1000.0

	// Pseudo-counts: how many adverts it takes to believe the adverts as much
	// as what was assumed before them. The scale of the source is believed
	// first, so that a source a fiftieth of the size is known by the second
	// day; then the hour of the day, over all weekdays or both days of the
	// weekend; then the hour of the week. Each is the prior of the next.
	pseudoScale, pseudoHour, pseudoBucket = 2.0, 2.0, 8.0
)

// prior is the assumed rate in an hour of the week, relative to the busiest:
// working hours, with nights and weekends at about a tenth.
func prior(h int) float64 {
	if h >= saturday {
		return 0.08
	}
	switch hour := h % 24; {
	case hour >= 8 && hour < 18:
		return 1
	case hour == 7 || hour == 18 || hour == 19:
		return 0.4
	default:
		return 0.1
	}
}

// busiest is the prior's rate in the working hours of a weekday, an hour.
var busiest = func() float64 {
	sum := 0.0
	for h := range 24 {
		sum += prior(h)
	}
	return priorWeekday / sum
}()

// rates estimates the adverts an hour for each hour of the week. All are
// positive and finite: every step is the mean of a gamma distribution whose
// prior has a positive mean.
func (l *Learned) rates() (rates [week]float64) {
	var found, hours [2][24]float64 // by weekday or weekend, and hour
	count, assumed := pseudoScale, pseudoScale
	for h := range week {
		end, hour := 0, h%24
		if h >= saturday {
			end = 1
		}
		f, e := l.bucket(h)
		found[end][hour] += f
		hours[end][hour] += e
		count += f
		assumed += e * busiest * prior(h)
	}
	scale := busiest * count / assumed
	for h := range week {
		end, hour := 0, h%24
		if h >= saturday {
			end = 1
		}
		mean := posterior(pseudoHour, scale*prior(h), found[end][hour], hours[end][hour])
		f, e := l.bucket(h)
		rates[h] = posterior(pseudoBucket, mean, f, e)
	}
	return rates
}

// posterior is the rate after found adverts in so many hours, where a rate of
// mean was assumed with the weight of pseudo adverts.
func posterior(pseudo, mean, found, hours float64) float64 {
	return (pseudo + found) / (pseudo/mean + hours)
}

// bucket is what was found in an hour of the week, and in how many hours.
func (l *Learned) bucket(h int) (found, hours float64) {
	return float64(l.found[h]) / hundredth, float64(l.seconds[h]) / hour
}

// Expected is the number of new adverts that from to to should bring, by
// their posting times. It is 0 where to is not after from. Times count in
// whole seconds. A span of any length costs about the same.
func (l Learned) Expected(from, to time.Time) float64 {
	rates := l.rates()
	return newCurve(&rates, &l.lumps).between(unix(from), unix(to))
}
