package rate

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"

	"pgregory.net/rapid"
)

// The prior by itself, on ordinary days and on those of 23 and 25 hours.
func TestExpectedOfThePrior(t *testing.T) {
	const peak = 1000 / 12.3 // ten hours, three at 0.4 and eleven at 0.1
	for _, test := range []struct {
		name, from, to string
		want           float64
	}{
		{"a weekday", "2026-09-01T00:00:00+01:00", "2026-09-02T00:00:00+01:00", 1000},
		{"a week", "2026-09-01T10:17:00+01:00", "2026-09-08T10:17:00+01:00", 5000 + 48*.08*peak},
		{"sixty days of summer", "2026-06-01T00:00:00+01:00", "2026-07-31T00:00:00+01:00", 44*1000 + 16*24*.08*peak},
		{"a working hour", "2026-09-01T09:00:00+01:00", "2026-09-01T10:00:00+01:00", peak},
		{"a part of one", "2026-09-01T09:07:00+01:00", "2026-09-01T09:10:00+01:00", peak / 20},
		{"from one into another", "2026-09-01T07:45:00+01:00", "2026-09-01T08:15:00+01:00", peak * (.4 + 1) / 4},
		{"summer's hours are London's", "2026-09-01T07:00:00Z", "2026-09-01T08:00:00Z", peak},
		{"so are winter's", "2026-12-01T07:00:00Z", "2026-12-01T08:00:00Z", .4 * peak},
		{"from Sunday into Monday", "2026-09-06T23:30:00+01:00", "2026-09-07T00:30:00+01:00", peak * .09},
		{"the clocks go forward", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00+01:00", 23 * .08 * peak},
		{"the Monday after", "2026-03-30T00:00:00+01:00", "2026-03-31T00:00:00+01:00", 1000},
		{"the clocks go back", "2026-10-25T00:00:00+01:00", "2026-10-26T00:00:00Z", 25 * .08 * peak},
		{"that Monday", "2026-10-26T00:00:00Z", "2026-10-27T00:00:00Z", 1000},
		{"nothing", "2026-09-01T09:00:00Z", "2026-09-01T09:00:00Z", 0},
		{"backwards", "2026-09-01T10:00:00Z", "2026-09-01T09:00:00Z", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (Learned{}).Expected(at(test.from), at(test.to)); math.Abs(got-test.want) > 1e-6 {
				t.Errorf("got %.9g, want %.9g", got, test.want)
			}
		})
	}
}

// Boards of every size are learned from the prior: the scale within a day or
// two, the hours within weeks.
func TestLearn(t *testing.T) {
	begin, week := at("2026-06-01T00:00:00+01:00"), at("2026-09-07T00:00:00+01:00")
	for _, test := range []struct {
		weekday     float64
		days        int
		total, hour float64 // how far off the week, and on average an hour, may be
	}{
		{20, 1, .95, .95}, {20, 3, .35, .5}, {20, 28, .15, .3},
		{100, 3, .2, .3}, {100, 28, .06, .17},
		{1000, 1, .25, .25}, {1000, 7, .04, .13}, {1000, 28, .02, .06},
		{3000, 3, .1, .13}, {3000, 28, .01, .04},
	} {
		t.Run(fmt.Sprintf("%g a weekday, %d days", test.weekday, test.days), func(t *testing.T) {
			for seed := range uint64(4) {
				b := office(test.weekday, seed)
				l := learn(Learned{}, b, begin, begin.AddDate(0, 0, test.days), 7*time.Minute)
				off, total := 0.0, b.expected(week, week.AddDate(0, 0, 7))
				for h := week; h.Before(week.AddDate(0, 0, 7)); h = h.Add(time.Hour) {
					off += math.Abs(l.Expected(h, h.Add(time.Hour)) - b.rate(h))
				}
				near(t, "adverts a week", l.Expected(week, week.AddDate(0, 0, 7)), total, test.total)
				if off > total*test.hour {
					t.Errorf("the hours are off by %.1f %% on average, want %.0f %% at most", 100*off/total, 100*test.hour)
				}
			}
		})
	}
}

// What a board was like fades: four weeks after it has doubled, half of the
// difference is learned, and most of it after twelve.
func TestForget(t *testing.T) {
	begin := at("2026-01-05T00:00:00Z")
	l := learn(Learned{}, office(300, 1), begin, begin.AddDate(0, 0, 70), 13*time.Minute)
	now := begin.AddDate(0, 0, 70)
	near(t, "before", l.Expected(now, now.AddDate(0, 0, 7)), 300*5.31, .03)
	doubled := office(600, 2)
	l = learn(l, doubled, now, now.AddDate(0, 0, 28), 13*time.Minute)
	near(t, "after four weeks", l.Expected(now, now.AddDate(0, 0, 7)), 450*5.31, .05)
	l = learn(l, doubled, now.AddDate(0, 0, 28), now.AddDate(0, 0, 84), 13*time.Minute)
	near(t, "after twelve weeks", l.Expected(now, now.AddDate(0, 0, 7)), 562*5.31, .05)
}

// anyTime is a time around the changes of the clocks, or any at all.
func anyTime() *rapid.Generator[time.Time] {
	changes := []int64{at("2026-03-29T01:00:00Z").Unix(), at("2026-10-25T01:00:00Z").Unix(), at("2026-12-25T00:00:00Z").Unix()}
	return rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.SampledFrom(changes).Draw(t, "change")+rapid.Int64Range(-10*day, 10*day).Draw(t, "after"), 0)
	})
}

// anyLearned is what some weeks of looks of all lengths have taught.
func anyLearned() *rapid.Generator[Learned] {
	return rapid.Custom(func(t *rapid.T) Learned {
		var l Learned
		now := anyTime().Draw(t, "begin")
		for range rapid.IntRange(0, 20).Draw(t, "looks") {
			next := now.Add(time.Duration(rapid.Int64Range(1, 3*day).Draw(t, "look")) * time.Second)
			var posted []time.Time
			lump := rapid.Int64Range(0, hour-1).Draw(t, "lump")
			for range rapid.IntRange(0, 60).Draw(t, "adverts") {
				p := now.Add(time.Duration(rapid.Int64Range(-2*late, int64(next.Sub(now)/time.Second)+2*late).Draw(t, "posted")) * time.Second)
				if rapid.Bool().Draw(t, "in the lump") {
					p = p.Truncate(time.Hour).Add(time.Duration(lump) * time.Second)
				}
				posted = append(posted, p)
			}
			l, now = l.Observe(now, next, posted), next
		}
		return l
	})
}

// Expected is a sum: parts add up to the whole, more time never brings less,
// and it is what adding up minute by minute gives.
func TestExpectedAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, from := anyLearned().Draw(t, "learned"), anyTime().Draw(t, "from").Truncate(time.Minute)
		first := time.Duration(rapid.IntRange(0, 5000).Draw(t, "first")) * time.Minute
		second := time.Duration(rapid.IntRange(0, 5000).Draw(t, "second")) * time.Minute
		a, b := l.Expected(from, from.Add(first)), l.Expected(from.Add(first), from.Add(first+second))
		whole := l.Expected(from, from.Add(first+second))
		if a < 0 || b < 0 || first > 0 && a == 0 || whole < a || math.Abs(a+b-whole) > 1e-9*(1+whole) {
			t.Fatalf("%g and %g add up to %g", a, b, whole)
		}
		sum, rates, shares := 0.0, l.rates(), l.lumps.shares()
		for now := from; now.Before(from.Add(first)); now = now.Add(time.Minute) {
			sum += rates[hourAt(now)] * shares[now.UTC().Minute()/5] / 5
		}
		if math.Abs(sum-a) > 1e-6*(1+a) {
			t.Fatalf("got %g, minute by minute %g", a, sum)
		}
	})
}

// Times of any year are taken, and cost no more than a moment.
func TestTimesOfAnyYear(t *testing.T) {
	now := at("2026-09-01T09:00:00Z")
	for _, odd := range []time.Time{{}, time.Unix(math.MinInt64, 0), time.Unix(math.MaxInt64, 0), time.Unix(1<<40, 0), now.AddDate(5000, 0, 0)} {
		for _, span := range [][2]time.Time{{odd, now}, {now, odd}, {odd, odd}} {
			l := Learned{}.Observe(span[0], span[1], []time.Time{odd, now})
			if e := l.Expected(span[0], span[1]); !(e >= 0) || math.IsInf(e, 0) {
				t.Errorf("from %s to %s: %g adverts", span[0], span[1], e)
			}
			l.Silence(span[0], span[1], 0)
			l.Flood(span[0], span[1], 301)
			if d := l.Spacing(odd, 200, 2*time.Minute, 30*time.Minute); d < 2*time.Minute || d > 30*time.Minute {
				t.Errorf("at %s: a spacing of %s", odd, d)
			}
			l.Next(odd, 200, 2*time.Minute, 30*time.Minute)
		}
	}
}

// The offsets of London's clocks and the times at which they change, hour by
// hour, in years that the zone data lists and in those it has a rule for.
func TestOffset(t *testing.T) {
	for _, year := range []int{1970, 1972, 1999, 2026, 2040, 2041, 2100, 2241} {
		from := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		for until, last, now := from.Unix(), int64(-1), from; now.Before(from.AddDate(1, 0, 1)); now = now.Add(time.Hour) {
			_, want := now.In(vacancy.London()).Zone()
			ahead, end := offset(now.Unix())
			if ahead != int64(want) || end <= now.Unix() || last >= 0 && ahead != last && now.Unix() < until {
				t.Fatalf("%s: %d ahead until %d, want %d ahead; before it was %d ahead until %d", now, ahead, end, want, last, until)
			}
			last, until = ahead, end
		}
	}
}
