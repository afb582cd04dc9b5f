package rate

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// A board posts adverts like an imagined site: by the hour of the week, part
// of them in an hourly lump.
type board struct {
	weekday float64     // adverts a weekday
	byHour  [24]float64 // relative
	byDay   [7]float64  // Monday is 0, relative to a weekday
	quiet   vacancy.Day // the first of some bank holidays
	days    int         // so many; they are quieter than a Sunday by a third
	lump    float64     // part of the adverts that come
	minute  float64     // within a minute from here
	rand    *rand.Rand  // seeded
	_       struct{}    // named fields only
}

// office is the rhythm of an office: not the prior's.
func office(weekday float64, seed uint64) *board {
	return &board{weekday: weekday, rand: rand.New(rand.NewPCG(seed, 1)),
		byHour: [24]float64{1, .4, .3, .3, .3, .8, 2, 6, 8, 10, 10, 9.5, 8, 8.5, 9, 8.5, 7, 5, 2, 1.2, 1, .7, .5, .5},
		byDay:  [7]float64{1.15, 1, 1, 1, 1, .08, .08}}
}

// rate is the true rate in the hour of t.
func (b *board) rate(t time.Time) float64 {
	local, sum := t.In(vacancy.London()), 0.0
	for _, w := range b.byHour {
		sum += w
	}
	mean := b.weekday * b.byHour[local.Hour()] / sum
	if b.days > 0 {
		first := b.quiet.StartIn(vacancy.London())
		if !local.Before(first) && local.Before(first.AddDate(0, 0, b.days)) {
			return mean * b.byDay[6] * 2 / 3
		}
	}
	return mean * b.byDay[(int(local.Weekday())+6)%7]
}

// expected is the true mean between two full hours.
func (b *board) expected(from, to time.Time) (sum float64) {
	for ; from.Before(to); from = from.Add(time.Hour) {
		sum += b.rate(from)
	}
	return sum
}

// post draws the adverts between two full hours, in order of time.
func (b *board) post(from, to time.Time) (posted []time.Time) {
	for h := from; h.Before(to); h = h.Add(time.Hour) {
		mean := b.rate(h)
		for x := b.rand.ExpFloat64(); x < mean; x += b.rand.ExpFloat64() {
			offset := b.rand.Float64() * 60
			if b.rand.Float64() < b.lump {
				offset = b.minute + b.rand.Float64()
			}
			posted = append(posted, h.Add(time.Duration(offset*float64(time.Minute))))
		}
	}
	slices.SortFunc(posted, time.Time.Compare)
	return posted
}

// learn looks at the board at intervals from from to to.
func learn(l Learned, b *board, from, to time.Time, every time.Duration) Learned {
	l, _ = watch(l, b, from, to, func(Learned, time.Time) time.Duration { return every })
	return l
}

// watch looks at the board at the intervals asked for, and returns the delays
// with which its adverts were seen.
func watch(l Learned, b *board, from, to time.Time, next func(Learned, time.Time) time.Duration) (Learned, []time.Duration) {
	posted := b.post(from, to)
	var delays []time.Duration
	for now := from; now.Before(to); {
		then := now.Add(next(l, now))
		n := 0
		for n < len(posted) && !posted[n].After(then) {
			delays = append(delays, then.Sub(posted[n]))
			n++
		}
		l = l.Observe(now, then, posted[:n])
		now, posted = then, posted[n:]
	}
	return l, delays
}

// near checks a figure to within a share of what is wanted.
func near(t *testing.T, what string, got, want, share float64) {
	t.Helper()
	if !(got >= want*(1-share) && got <= want*(1+share)) {
		t.Errorf("%s: got %.4g, want %.4g within %.0f %%", what, got, want, share*100)
	}
}
