package rate

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const least, most = 2 * time.Minute, 30 * time.Minute

func TestSpacingOfThePrior(t *testing.T) {
	for _, test := range []struct {
		name        string
		now         string // London is an hour ahead
		polls       int
		least, most time.Duration
		want        time.Duration
	}{
		{"weekday at work", "2026-09-01T09:00:00Z", 200, least, most, 3*time.Minute + 53*time.Second},
		{"weekday evening", "2026-09-01T18:10:00Z", 200, least, most, 6*time.Minute + 8*time.Second},
		{"weekday night", "2026-09-01T01:00:00Z", 200, least, most, 12*time.Minute + 16*time.Second},
		{"into the morning", "2026-09-01T05:50:00Z", 200, least, most, 12 * time.Minute},
		{"into the morning with the widest jitter only", "2026-09-01T05:46:00Z", 200, least, most, 12 * time.Minute},
		{"weekend", "2026-09-05T11:00:00Z", 200, least, most, 13*time.Minute + 42*time.Second},
		{"into Monday", "2026-09-07T05:54:00Z", 24, least, most, 12 * time.Minute},
		{"from Friday into the night", "2026-09-04T18:59:00Z", 24, least, most, 12 * time.Minute},
		{"few polls at work", "2026-09-01T11:00:00Z", 24, least, most, 12 * time.Minute},
		{"few polls at night", "2026-09-01T01:00:00Z", 24, least, most, 30 * time.Minute},
		{"few polls, into the morning", "2026-09-01T05:30:00Z", 24, least, most, 12 * time.Minute},
		{"as many polls as there can be", "2026-09-01T11:00:00Z", 1440, least, most, 2 * time.Minute},
		{"and at night", "2026-09-01T01:00:00Z", 1440, least, most, 2 * time.Minute},
		// Ten hours at two minutes leave the rest to the others.
		{"work at its least", "2026-09-01T11:00:00Z", 500, least, most, 2 * time.Minute},
		{"the rest makes up for it", "2026-09-01T01:00:00Z", 500, least, most, 3*time.Minute + 47*time.Second},
		{"the operator's most", "2026-09-01T01:00:00Z", 200, least, 5 * time.Minute, 5 * time.Minute},
		{"the promise before the operator's least", "2026-09-01T11:00:00Z", 24, time.Hour, 2 * time.Hour, 12 * time.Minute},
		{"no polls", "2026-09-01T01:00:00Z", 0, least, most, 30 * time.Minute},
		{"polls below nothing, no bounds", "2026-09-01T01:00:00Z", -5, -1, 0, time.Second},
		{"bounds that overflow", "2026-09-05T01:00:00Z", 1, math.MaxInt64, math.MaxInt64, 24 * time.Hour},
		{"the clocks go back", "2026-10-25T00:30:00Z", 200, least, most, 13*time.Minute + 42*time.Second},
		{"back at work", "2026-10-26T08:00:00Z", 200, least, most, 3*time.Minute + 53*time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (Learned{}).Spacing(at(test.now), test.polls, test.least, test.most); got.Round(time.Second) != test.want {
				t.Errorf("every %s, want %s", got, test.want)
			}
			if next := (Learned{}).Next(at(test.now), test.polls, test.least, test.most); next.Sub(at(test.now)).Round(time.Second) != test.want {
				t.Errorf("without lumps the next is at %s, want %s after %s", next, test.want, test.now)
			}
		})
	}
}

// rhythms are what there may be to space polls by.
func rhythms() map[string]Learned {
	all := map[string]Learned{"the prior": {}}
	begin := at("2026-06-01T00:00:00+01:00")
	for _, weekday := range []float64{20, 1000} {
		b := office(weekday, 4)
		all[fmt.Sprint(weekday, " a weekday")] = learn(Learned{}, b, begin, begin.AddDate(0, 0, 28), 7*time.Minute)
		b.lump, b.minute = .5, 37
		all[fmt.Sprint(weekday, " a weekday, in lumps")] = learn(Learned{}, b, begin, begin.AddDate(0, 0, 28), 7*time.Minute)
	}
	return all
}

// A week brings the polls that were asked for, where the bounds allow them:
// the promise alone takes 87 a weekday, and 30 minutes take 48 of a Sunday.
func TestPollsPerDay(t *testing.T) {
	for name, l := range rhythms() {
		for _, polls := range []int{110, 200, 650} {
			for _, begin := range []string{"2026-09-07T00:00:00+01:00", "2026-03-23T00:00:00Z", "2026-10-19T00:00:00+01:00"} {
				made, from := 0, at(begin)
				for now := from; now.Before(from.Add(7 * 24 * time.Hour)); now = now.Add(l.Spacing(now, polls, least, most)) {
					made++
				}
				near(t, fmt.Sprintf("%s, polls in the week of %s", name, begin), float64(made), float64(7*polls), .03)
			}
		}
	}
}

// By Next alone, with the widest jitter to either side, no look in working
// hours is older than 15 minutes at any minute of a week.
func TestNextKeepsThePromise(t *testing.T) {
	for name, l := range rhythms() {
		for _, polls := range []int{1, 24, 96, 200} {
			for _, jitter := range []time.Duration{JitterShare, -JitterShare} {
				from := at("2026-08-31T00:00:00Z")
				last, next := from, from
				for now := from; now.Before(from.Add(7 * 24 * time.Hour)); now = now.Add(time.Minute) {
					if Working(now) && now.Sub(last) > 15*time.Minute || now.Sub(last) > 45*time.Minute {
						t.Fatalf("%s, %d polls: %s since the last one at %s", name, polls, now.Sub(last), now)
					}
					if !next.After(now) {
						d := l.Next(now, polls, least, most).Sub(now)
						last, next = now, now.Add(d+d/jitter)
					}
				}
			}
		}
	}
}

// Whatever was learned and is asked for, Next and Spacing keep their bounds,
// and more polls never make spacings longer.
func TestBounds(t *testing.T) {
	lumped := slices.Collect(func(yield func(Learned) bool) {
		for _, l := range rhythms() {
			if !yield(l) {
				return
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.OneOf(rapid.SampledFrom(lumped), anyLearned()).Draw(t, "learned")
		now := anyTime().Draw(t, "now")
		low := time.Duration(rapid.Int64Range(int64(time.Second), int64(12*time.Minute)).Draw(t, "least"))
		high := time.Duration(rapid.Int64Range(int64(low), int64(24*time.Hour)).Draw(t, "most"))
		polls := rapid.IntRange(0, 3000).Draw(t, "polls")
		d, next := l.Spacing(now, polls, low, high), l.Next(now, polls, low, high).Sub(now)
		for what, d := range map[string]time.Duration{"spacing": d, "next": next} {
			if d < low || d > high || d > 12*time.Minute && (Working(now) || Working(now.Add(d+d/JitterShare))) {
				t.Fatalf("%s of %s, from %s, want %s to %s", what, d, now, low, high)
			}
		}
		if next > d+d/2+1 || next < d/2-1 {
			t.Fatalf("a spacing of %s became %s", d, next)
		}
		// With other polls the reach into the morning may begin elsewhere.
		if closer := l.Spacing(now, polls+1+polls/50, low, high); closer > d && d != 12*time.Minute {
			t.Fatalf("more polls, and a spacing of %s instead of %s", closer, d)
		}
	})
}

// Where adverts come in lumps half of them are seen sooner when the polls are
// moved, for hardly more requests.
func TestNextMeetsTheLump(t *testing.T) {
	begin := at("2026-06-01T00:00:00+01:00")
	for _, test := range []struct {
		polls        int
		sooner, cost float64 // the median delay and the requests, at most, of those unmoved
	}{
		{96, .75, 1.08}, {130, .8, 1.05}, {200, .85, 1.03}, {400, 1.08, 1.01},
	} {
		for _, minute := range []float64{3, 37} {
			t.Run(fmt.Sprintf("%d polls, minute %g", test.polls, minute), func(t *testing.T) {
				var made, median [2]float64
				for moved := range 2 {
					b := office(1000, 9)
					b.lump, b.minute = .5, minute
					l := learn(Learned{}, b, begin, begin.AddDate(0, 0, 14), 5*time.Minute)
					_, delays := watch(l, b, begin.AddDate(0, 0, 14), begin.AddDate(0, 0, 35), func(l Learned, now time.Time) time.Duration {
						made[moved]++
						d := l.Spacing(now, test.polls, least, most)
						if moved == 1 {
							d = l.Next(now, test.polls, least, most).Sub(now)
						}
						return d + time.Duration((2*b.rand.Float64()-1)*float64(d)/JitterShare)
					})
					slices.Sort(delays)
					median[moved] = delays[len(delays)/2].Minutes()
				}
				t.Logf("polls a day %.1f, moved %.1f; median %.2f min, moved %.2f", made[0]/21, made[1]/21, median[0], median[1])
				if median[1] > test.sooner*median[0] {
					t.Errorf("the median delay went from %.2f min to %.2f, want %.0f %% at most", median[0], median[1], 100*test.sooner)
				}
				if made[1] > test.cost*made[0] {
					t.Errorf("polls went from %.0f to %.0f, want %.0f %% at most", made[0], made[1], 100*test.cost)
				}
			})
		}
	}
}

// A poll is placed three minutes behind a lump, where the spacing allows it.
func TestPlace(t *testing.T) {
	// One lump, at a quarter past.
	var l Learned
	for h := at("2026-09-01T00:00:00Z"); h.Before(at("2026-09-04T00:00:00Z")); h = h.Add(time.Hour) {
		l = l.Observe(h, h.Add(time.Hour), slices.Repeat([]time.Time{h.Add(15*time.Minute + 30*time.Second)}, 10))
	}
	if c := l.lumps.centres(); len(c) != 1 || c[0] != 15*time.Minute+30*time.Second {
		t.Fatalf("lumps at %v", c)
	}
	for _, test := range []struct {
		name, now string
		d         time.Duration
		want      time.Duration
		low, high time.Duration
	}{
		{"a little later", "2026-09-05T10:09:00Z", 9 * time.Minute, 9*time.Minute + 30*time.Second, least, most},
		{"a little sooner", "2026-09-05T10:09:00Z", 10 * time.Minute, 9*time.Minute + 30*time.Second, least, most},
		{"a third of the spacing behind it", "2026-09-05T10:12:00Z", 6 * time.Minute, 5*time.Minute + 30*time.Second, least, most},
		{"in two steps", "2026-09-05T10:00:00Z", 9 * time.Minute, 9*time.Minute + 15*time.Second, least, most},
		{"too far ahead", "2026-09-05T10:20:00Z", 9 * time.Minute, 9 * time.Minute, least, most},
		{"too near by the spacing", "2026-09-05T10:15:00Z", 9 * time.Minute, 9 * time.Minute, least, most},
		{"too near by the least", "2026-09-05T10:14:00Z", 9 * time.Minute, 9 * time.Minute, 5 * time.Minute, most},
		{"too near in two steps, too far in one", "2026-09-05T10:04:30Z", 9 * time.Minute, 9 * time.Minute, 8 * time.Minute, most},
		{"polls closer than lumps are wide", "2026-09-05T10:14:00Z", 2 * time.Minute, 2 * time.Minute, least, most},
		{"in two of the most, and not quite", "2026-09-05T10:00:00Z", 9 * time.Minute, 9 * time.Minute, least, 9 * time.Minute},
		{"in three, where two are too few", "2026-09-05T09:58:00Z", 9 * time.Minute, 6*time.Minute + 50*time.Second, least, 9 * time.Minute},
		{"a minute before it, for the most", "2026-09-05T10:09:00Z", 9 * time.Minute, 9 * time.Minute, least, 9 * time.Minute},
		{"once an hour", "2026-09-05T10:18:30Z", 50 * time.Minute, time.Hour, least, 2 * time.Hour},
		{"into the morning", "2026-09-07T05:50:00Z", 12 * time.Minute, 12 * time.Minute, least, most},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := l.place(at(test.now), test.d, test.low, test.high); got != test.want {
				t.Errorf("in %s, want %s", got, test.want)
			}
		})
	}
}

func TestWorking(t *testing.T) {
	for now, want := range map[string]bool{
		"2026-09-01T06:59:59+01:00": false, "2026-09-01T07:00:00+01:00": true, "2026-09-01T19:59:59+01:00": true, "2026-09-01T20:00:00+01:00": false,
		"2026-01-05T06:59:00Z": false, "2026-01-05T07:00:00Z": true, "2026-09-05T12:00:00Z": false, "2026-09-06T12:00:00Z": false, "2026-10-26T07:00:00Z": true,
	} {
		if got := Working(at(now)); got != want {
			t.Errorf("at %s: %v, want %v", now, got, want)
		}
	}
}

// Longer looks follow the same rule, and no promise holds them to 12 minutes.
func TestEvery(t *testing.T) {
	for name, l := range rhythms() {
		made, from := 0, at("2026-09-07T00:00:00+01:00")
		work, night := l.Every(at("2026-09-08T10:00:00Z"), 18, 10*time.Minute, 6*time.Hour), l.Every(at("2026-09-08T01:00:00Z"), 18, 10*time.Minute, 6*time.Hour)
		if work < promised || night < 2*work {
			t.Errorf("%s: every %s at work, every %s at night", name, work, night)
		}
		for now := from; now.Before(from.Add(7 * 24 * time.Hour)); now = now.Add(l.Every(now, 18, 10*time.Minute, 6*time.Hour)) {
			made++
		}
		near(t, name+", looks in a week", float64(made), 7*18, .1)
	}
}
