package simulator

import (
	"math"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// fate is what a seed has in store for an advert. Shares are those of our fact
// sheet where it has some, else assumed. It depends on nothing but the seed
// and the moment, so that no request can change it.
type fate struct {
	seed     uint64
	visible  time.Time
	posted   time.Time // earlier than visible where back-dated
	days     int       // from posting to closing
	early    time.Time // zero: not closed by hand
	moved    time.Time // zero: the closing date stays
	later    bool      // moved to a later date, else to an earlier one
	amended  time.Time
	resorted time.Time
	twin     time.Time // posted again by mistake, where the employer numbers its adverts
	reopened bool      // after it has left
	readvert int       // days after it has left; 0: never; negative: days before
	siblings int       // further adverts for other sites
}

func newFate(seed uint64, at time.Time) fate {
	d := world.NewDice(seed, world.Hash("fate"))
	f := fate{seed: seed, visible: at, posted: at}
	if d.Chance(.02) {
		hours := min(d.Exp(8), 72)
		f.posted = at.Add(-time.Duration(hours * float64(time.Hour))).Truncate(time.Millisecond)
	}
	f.days = days(d)
	for !f.closes().After(at) { // Late on a day of zero days, or back-dated past the end.
		f.days++
	}
	within := func(low, high float64) time.Time {
		part := low + (high-low)*d.Float()
		return at.Add(time.Duration(part * float64(f.closes().Sub(at)))).Truncate(time.Second)
	}
	if d.Chance(.05) {
		f.early = within(.2, .9)
	}
	if d.Chance(.06) {
		f.moved, f.later = within(.2, .95), d.Chance(4.0/7)
	}
	if d.Chance(.05) {
		f.amended = within(.05, .9)
	}
	if d.Chance(.01) {
		f.resorted = within(.1, .9)
	}
	f.reopened = d.Chance(.015)
	if !f.reopened && d.Chance(.06) {
		f.readvert = d.Between(14, 60)
		if d.Chance(.1) {
			f.readvert = -d.Between(1, 5)
		}
	}
	if d.Chance(.03) {
		f.siblings = d.Between(1, 2)
	}
	if d.Chance(.015) {
		f.twin = within(.01, .4)
	}
	return f
}

// days draws how long an advert runs: two weeks by habit.
func days(d *world.Dice) int {
	switch n := d.Intn(100); {
	case n < 1:
		return 0
	case n < 16:
		return 7
	case n < 36:
		return d.Between(8, 13)
	case n < 66:
		return 14
	case n < 85:
		return d.Between(15, 21)
	case n < 98:
		return d.Between(22, 30)
	default:
		return d.Between(31, 60)
	}
}

// closes returns when the advert leaves if nothing comes between.
func (f *fate) closes() time.Time { return closingTime(world.DayOf(f.posted).Add(f.days)) }

// closingTime is the end of a closing date: 23:59 in London.
func closingTime(d Day) time.Time { return d.At(23, 59) }

// ends returns when the advert leaves for the first time, leaving out moves.
func (f *fate) ends() time.Time {
	if !f.early.IsZero() {
		return f.early
	}
	return f.closes()
}

// Shares of a weekday's adverts by London's hour: office hours, little else.
var byHour = [24]float64{1, .4, .3, .3, .3, .8, 2, 6, 8, 10, 10, 9.5, 8, 8.5, 9, 8.5, 7, 5, 2, 1.2, 1, .7, .5, .5}

// arrivals draws the adverts that one hour brings, in order of time.
func (s *Site) arrivals(hour time.Time, perWeekday float64) []fate {
	local := hour.In(world.London())
	sum := 0.0
	for _, w := range byHour {
		sum += w
	}
	mean := perWeekday * byHour[local.Hour()] / sum
	switch {
	case local.Weekday() == time.Saturday || local.Weekday() == time.Sunday || bankHoliday(local):
		mean *= .08
	case local.Weekday() == time.Monday:
		mean *= 1.15
	}
	d := world.NewDice(s.opts.Seed, uint64(hour.Unix()), world.Hash("hour"))
	lump := world.NewDice(s.opts.Seed, world.Hash("lump")).Between(2, 40) // the partners' minute, the same every hour
	var fs []fate
	for range d.Poisson(mean) {
		offset := time.Duration(d.Intn(3_600_000)) * time.Millisecond
		if d.Chance(.5) {
			offset = time.Duration(lump)*time.Minute + time.Duration(d.Intn(60_000))*time.Millisecond
		}
		if local.Hour() == 0 && d.Chance(.8) {
			offset = 0 // Scheduled for midnight.
		}
		fs = append(fs, newFate(d.Uint64(), hour.Add(offset)))
	}
	slices.SortStableFunc(fs, func(a, b fate) int { return a.visible.Compare(b.visible) })
	return fs
}

// bankHoliday reports whether the day is one in England.
func bankHoliday(t time.Time) bool {
	easter := easterSunday(t.Year(), t.Location())
	days := int(math.Round(time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, t.Location()).Sub(easter).Hours() / 24))
	monday := t.Weekday() == time.Monday
	switch {
	case days == -2 || days == 1:
		return true
	case t.Month() == time.May && monday && (t.Day() <= 7 || t.Day() > 24):
		return true
	case t.Month() == time.August && monday && t.Day() > 24:
		return true
	case t.Month() == time.January:
		return t.Day() == 1 || monday && (t.Day() == 2 || t.Day() == 3)
	case t.Month() == time.December:
		return t.Day() == 25 || t.Day() == 26 || (t.Day() == 27 || t.Day() == 28) && (monday || t.Weekday() == time.Tuesday)
	}
	return false
}

// easterSunday returns noon of Easter Sunday (the Gregorian computus).
func easterSunday(year int, loc *time.Location) time.Time {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(year, time.Month(n/31), n%31+1, 12, 0, 0, 0, loc)
}
