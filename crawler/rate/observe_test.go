package rate

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What of a look counts, in seconds by the hour of the week; Monday 00:00 is
// the hour 0. All looks are from nothing.
func TestLookedAt(t *testing.T) {
	sunday := func(hours map[int]int64) map[int]int64 {
		all := map[int]int64{}
		for h := range 24 {
			all[144+h] = 3600
		}
		for h, n := range hours {
			if all[144+h] = n; n == 0 {
				delete(all, 144+h)
			}
		}
		return all
	}
	hours := func(n int64) map[int]int64 {
		all := map[int]int64{}
		for h := range week {
			all[h] = n
		}
		return all
	}
	for _, test := range []struct {
		name, from, to string
		want           map[int]int64
	}{
		{"within an hour", "2026-09-01T09:10:00+01:00", "2026-09-01T09:14:30+01:00", map[int]int64{33: 270}},
		{"into the next", "2026-09-01T09:58:00+01:00", "2026-09-01T10:02:00+01:00", map[int]int64{33: 120, 34: 120}},
		{"after an outage", "2026-09-06T22:30:00+01:00", "2026-09-07T02:06:00+01:00", map[int]int64{166: 1800, 167: 3600, 0: 3600, 1: 3600, 2: 360}},
		{"parts of a second", "2026-09-01T09:10:00.9+01:00", "2026-09-01T09:10:02.1+01:00", map[int]int64{33: 2}},
		{"the clocks go forward", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z", sunday(map[int]int64{1: 0})},
		{"the clocks go back", "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z", sunday(map[int]int64{1: 7200})},
		{"the hour that comes twice", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", map[int]int64{145: 3600}},
		{"a week", "2026-09-01T09:00:00+01:00", "2026-09-08T09:00:00+01:00", hours(3600)},
		{"half a year", "2026-03-01T09:00:00+01:00", "2026-09-08T09:00:00+01:00", hours(3600)},
		{"nothing", "2026-09-01T09:10:00Z", "2026-09-01T09:10:00Z", nil},
		{"backwards", "2026-09-01T10:10:00Z", "2026-09-01T09:10:00Z", nil},
		{"since nothing is known", "0001-01-01T00:00:00Z", "2026-09-01T09:10:00Z", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := Learned{}.Observe(at(test.from), at(test.to), nil)
			got := map[int]int64{}
			for h, n := range l.seconds {
				if n > 0 {
					got[h] = n
				}
			}
			if test.want == nil {
				test.want = map[int]int64{}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("looked at (-want +got)\n%s", diff)
			}
		})
	}
}

// Which posting times count, and where: a look from 10:58 to 11:03 on a
// Tuesday.
func TestPosted(t *testing.T) {
	from, to := at("2026-09-01T10:58:00+01:00"), at("2026-09-01T11:03:00+01:00")
	for _, test := range []struct {
		name, posted string
		hour, slot   int // -1 for nowhere
	}{
		{"in it", "2026-09-01T10:59:00+01:00", 34, 11},
		{"in its next hour", "2026-09-01T11:00:00+01:00", 35, 0},
		{"at its end", "2026-09-01T11:03:00+01:00", 35, 0},
		{"shown late, so visible after its beginning", "2026-09-01T10:49:00+01:00", 34, 11},
		{"by a clock that is ahead", "2026-09-01T11:07:00+01:00", 35, 1},
		{"dated back by a quarter of an hour", "2026-09-01T10:43:00+01:00", -1, -1},
		{"dated back by a day", "2026-08-31T11:01:00+01:00", -1, -1},
		{"dated an hour ahead", "2026-09-01T12:01:00+01:00", -1, -1},
		{"without a date", "0001-01-01T00:00:00Z", -1, -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := Learned{}.Observe(from, to, []time.Time{at(test.posted)})
			if h := slices.Index(l.found[:], hundredth); h != test.hour {
				t.Errorf("counted in hour %d, want %d", h, test.hour)
			}
			if s := slices.Index(l.lumps.found[:], hundredth); s != test.slot {
				t.Errorf("counted in slot %d, want %d", s, test.slot)
			}
		})
	}
}

// Of what came in an outage longer than a week only the last week counts.
func TestPostedInALongOutage(t *testing.T) {
	to := at("2026-09-01T11:00:00+01:00")
	var posted []time.Time
	for h := range 30 * 24 {
		posted = append(posted, to.Add(-time.Duration(h)*time.Hour-30*time.Minute))
	}
	l := Learned{}.Observe(to.AddDate(0, 0, -30), to, posted)
	sum := int64(0)
	for _, n := range l.found {
		sum += n
	}
	if sum != week*hundredth {
		t.Errorf("%d hundredths counted, want %d", sum, week*hundredth)
	}
}

// It makes no difference in which order posting times are given, and whether
// a time is looked at once or in many looks. Nothing that is given is changed.
func TestLooksInPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := anyLearned().Draw(t, "learned")
		from := anyTime().Draw(t, "from").UTC().Truncate(24 * time.Hour)
		var cuts, posted []int
		for range rapid.IntRange(0, 20).Draw(t, "cuts") {
			cuts = append(cuts, rapid.IntRange(1, day-1).Draw(t, "cut"))
		}
		slices.Sort(cuts)
		for range rapid.IntRange(0, 40).Draw(t, "adverts") {
			posted = append(posted, rapid.IntRange(1, day-1).Draw(t, "posted"))
		}
		times := make([]time.Time, len(posted))
		for i, p := range posted {
			times[i] = from.Add(time.Duration(p) * time.Second)
		}
		given := slices.Clone(times)
		whole := before.Observe(from, from.Add(day*time.Second-1), times)
		if !slices.Equal(given, times) {
			t.Fatal("the posting times were moved")
		}

		pieces, last := before, from
		for _, cut := range append(cuts, day) {
			next := from.Add(time.Duration(cut) * time.Second)
			if cut == day {
				next = next.Add(-1) // the lumps fade when the next day begins
			}
			var part []time.Time
			for _, p := range times {
				if p.After(last) && !p.After(next) {
					part = append(part, p)
				}
			}
			pieces, last = pieces.Observe(last, next, part), next
		}
		if pieces != whole {
			t.Fatalf("in pieces and at once differ:\n%v\n%v", pieces, whole)
		}
	})
}
