package rate

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// How long a board that went still is believed, once it is known.
func TestSilence(t *testing.T) {
	begin := at("2026-06-01T00:00:00+01:00")
	for _, test := range []struct {
		weekday      float64
		days         int
		from         string
		least, until time.Duration // believed for the first, no longer for the second
	}{
		{1000, 28, "2026-09-01T09:00:00+01:00", 3 * time.Hour, 6 * time.Hour},
		{1000, 28, "2026-09-01T20:00:00+01:00", 14 * time.Hour, 17 * time.Hour}, // the night says little
		{1000, 28, "2026-09-05T00:00:00+01:00", 8 * time.Hour, 14 * time.Hour},
		{3000, 28, "2026-09-01T09:00:00+01:00", time.Hour, 3 * time.Hour},
		{100, 28, "2026-09-01T09:00:00+01:00", 48 * time.Hour, 120 * time.Hour},
		{20, 28, "2026-09-01T09:00:00+01:00", 11 * 24 * time.Hour, 15 * 24 * time.Hour},
		// No weekend has been seen yet: a bank holiday could be quite still.
		{1000, 3, "2026-06-05T09:00:00+01:00", 96 * time.Hour, 15 * 24 * time.Hour},
		{1000, 0, "2026-06-05T09:00:00+01:00", 11 * 24 * time.Hour, 30 * 24 * time.Hour},
	} {
		t.Run(fmt.Sprintf("%g a weekday, %d days, from %s", test.weekday, test.days, test.from), func(t *testing.T) {
			l := learn(Learned{}, office(test.weekday, 3), begin, begin.AddDate(0, 0, test.days), 7*time.Minute)
			from := at(test.from)
			if l.Silence(from, from.Add(test.least), 0) {
				t.Errorf("doubted after %s", test.least)
			}
			if !l.Silence(from, from.Add(test.until), 0) {
				t.Errorf("still believed after %s", test.until)
			}
			if l.Silence(from, from.Add(test.until), 1) || l.Silence(from, from, 0) || l.Silence(from, from.Add(-test.until), 0) || l.Silence(time.Time{}, from, 0) {
				t.Error("something found, no time at all, or no beginning is no silence")
			}
		})
	}
}

// A silence does not become more credible by lasting.
func TestSilenceLasts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, from := anyLearned().Draw(t, "learned"), anyTime().Draw(t, "from")
		silent := false
		for h := 0; h < 24*40; h += 7 {
			s := l.Silence(from, from.Add(time.Duration(h)*time.Hour), 0)
			if silent && !s {
				t.Fatalf("believed again after %d hours", h)
			}
			silent = s
		}
	})
}

// Nobody is woken by Christmas, Easter or a long weekend, nor by any week of
// an ordinary autumn, on boards of every size.
func TestHolidaysAreNoSilence(t *testing.T) {
	for _, test := range []struct {
		name string
		day  vacancy.Day
		days int
	}{
		{"Christmas", vacancy.Day{Year: 2026, Month: time.December, Day: 24}, 11},
		{"Easter", vacancy.Day{Year: 2026, Month: time.April, Day: 3}, 4},
		{"August", vacancy.Day{Year: 2026, Month: time.August, Day: 31}, 1},
		{"none", vacancy.Day{Year: 2026, Month: time.November, Day: 2}, 0},
	} {
		for _, weekday := range []float64{5, 50, 1000, 3000} {
			t.Run(fmt.Sprintf("%s, %g a weekday", test.name, weekday), func(t *testing.T) {
				for seed := range uint64(3) {
					b := office(weekday, seed)
					b.quiet, b.days = test.day, test.days
					b.lump, b.minute = .5, 20
					holiday := test.day.StartIn(vacancy.London())
					begin := holiday.AddDate(0, 0, -50)
					posted := b.post(begin, holiday.AddDate(0, 0, 14))
					last := begin
					var l Learned
					for now := begin; now.Before(holiday.AddDate(0, 0, 14)); {
						next, n := now.Add(30*time.Minute), 0
						for n < len(posted) && !posted[n].After(next) {
							n++
						}
						// It is at its least probable at the end.
						if n > 0 && l.Silence(last, now, 0) {
							t.Fatalf("seed %d: the silence from %s to %s was doubted", seed, last, now)
						}
						l = l.Observe(now, next, posted[:n])
						if n > 0 {
							last = next
						}
						now, posted = next, posted[n:]
					}
				}
			})
		}
	}
}

func TestFlood(t *testing.T) {
	begin := at("2026-06-01T00:00:00+01:00")
	l := learn(Learned{}, office(1000, 3), begin, begin.AddDate(0, 0, 28), 7*time.Minute)
	from := at("2026-09-01T00:00:00+01:00")
	day := l.Expected(from, from.AddDate(0, 0, 1))
	for _, test := range []struct {
		name   string
		span   time.Duration
		unseen int
		want   bool
	}{
		{"a poll's least", 5 * time.Minute, 300, false},
		{"above it", 5 * time.Minute, 301, true},
		{"after a day", 24 * time.Hour, int(5 * day), false},
		{"too many after a day", 24 * time.Hour, int(5*day) + 1, true},
		{"the whole board after a day", 24 * time.Hour, 12000, true},
		{"the whole board after two weeks", 14 * 24 * time.Hour, 12000, false},
		{"none", 0, 0, false},
		{"at once", 0, 301, true},
		{"backwards", -time.Hour, 301, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := l.Flood(from, from.Add(test.span), test.unseen); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
