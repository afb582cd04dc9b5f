package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A digest tells what its search matches only now as new, as an instant alert
// does, also when it comes a day late.
func TestMatchesOnlyNowInADigest(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		seven := vacancy.Search{ID: "b", Subscriber: "sam", Bands: []string{"7"}, Notify: []vacancy.Notify{dailyTo("sam", 8)}}
		capped := vacancy.Search{ID: "c", Subscriber: "kim", Bands: []string{"7"}, Notify: []vacancy.Notify{cappedTo("kim", 1)}}
		r := newRig(t, eng, seven, capped)
		v, first := vac(1), vac(2)
		first.Band = "7"
		r.see(first)
		r.see(v)
		r.pass()
		v.Band = "7"
		r.later(time.Hour)
		r.see(v)
		r.pass()
		r.far.answer = answer(channel.Release, channel.ReasonNetwork)
		r.to(summer(15, 8, 0)) // and that digest expires
		r.later(25 * time.Hour)
		r.far.answer = nil
		r.to(summer(17, 8, 0))
		r.later(time.Hour)
		if got := r.told("C9001-26-0001"); len(got) != 2 || !strings.HasPrefix(got[0], "new ") || !strings.HasPrefix(got[1], "new ") {
			t.Errorf("told %v, want it new to both", got)
		}
		for _, id := range r.fieldsOf("dignew:b|" + alerts.Dest(mailTo("sam"))) {
			t.Errorf("left of it: %s", id)
		}
	})
}

// One vacancy under two references is told once, whichever of a reader's
// searches tells it first, and in whatever rhythm.
func TestTwinsOverDigests(t *testing.T) {
	six := func(id string, n vacancy.Notify) vacancy.Search {
		return vacancy.Search{ID: id, Subscriber: "jo", Bands: []string{"6"}, Notify: []vacancy.Notify{n}}
	}
	one, two := numbered(1, "900-7758849"), numbered(2, "900-7758849")
	two.Band = "6"
	for name, tt := range map[string]struct {
		searches []vacancy.Search
		want     string
	}{
		"the second at once, the first later":        {[]vacancy.Search{band5("a", "jo", dailyTo("jo", 8)), six("b", mailTo("jo"))}, "0002 to jo for b"},
		"both in digests, the second first":          {[]vacancy.Search{band5("a", "jo", dailyTo("jo", 9)), six("b", dailyTo("jo", 8))}, "0002 to jo for b"},
		"both in digests, the first first":           {[]vacancy.Search{band5("a", "jo", dailyTo("jo", 8)), six("b", dailyTo("jo", 9))}, "0001 to jo for a"},
		"the first at once":                          {[]vacancy.Search{band5("a", "jo", mailTo("jo")), six("b", dailyTo("jo", 9))}, "0001 to jo for a"},
		"two readers":                                {[]vacancy.Search{band5("a", "sam", dailyTo("jo", 8)), six("b", mailTo("jo"))}, "0002 to jo for b\n0001 to jo for a"},
		"one search, one entry with the other in it": {[]vacancy.Search{{ID: "c", Subscriber: "jo", Bands: []string{"5", "6"}, Notify: []vacancy.Notify{dailyTo("jo", 8)}}}, "0001 to jo for c"},
	} {
		t.Run(name, func(t *testing.T) {
			onAll(t, func(t *testing.T, eng engine.Engine) {
				r := newRig(t, eng, tt.searches...)
				r.see(one)
				r.see(two)
				for range 48 {
					r.later(time.Hour)
				}
				if got := strings.Join(r.letters(), "\n"); got != tt.want {
					t.Errorf("letters:\n%s\nwant:\n%s", got, tt.want)
				}
				if c := r.counts(); c.Digests != 0 || c.Queued != 0 {
					t.Errorf("counts %+v, want nothing left", c)
				}
			})
		})
	}
}

// What one digest holds and has not told yet is left out of another, and is
// not lost should the first one's search end.
func TestHeldItemIsNotLost(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)), band5("b", "jo", dailyTo("jo", 8)))
		r.far.answer = answer(channel.Retry, channel.ReasonServer)
		r.see(vac(1))
		r.now = eight
		r.pass()
		waits := r.counts()
		if waits.Queued != 1 {
			t.Fatalf("%d on their way, want one that holds the item", waits.Queued)
		}
		holder := "a"
		for _, id := range r.fieldsOf("digopen") {
			holder = id[:1]
		}
		r.far.answer = nil
		if _, err := r.store.EndSearch(t.Context(), holder, store.EndedByReader, r.now); err != nil {
			t.Fatal(err)
		}
		for range 26 {
			r.later(time.Hour)
		}
		other := map[string]string{"a": "b", "b": "a"}[holder]
		r.wantLetters("0001 to jo for " + other)
		if c := r.counts(); c.Digests != 0 || c.Queued != 0 {
			t.Errorf("counts %+v, want nothing left", c)
		}
	})
}

// A mail that may have arrived is not told again in a digest after its day: it
// is tried under its own ID until its tries are used up, and then kept. One
// that has surely not arrived goes into the next digest.
func TestDoubtfulMail(t *testing.T) {
	for name, outcome := range map[string]channel.Outcome{"unknown": channel.Unknown, "lapsed": channel.Release} {
		t.Run(name, func(t *testing.T) {
			onAll(t, func(t *testing.T, eng engine.Engine) {
				r := newRig(t, eng, band5("a", "jo", mailTo("jo")), band5("b", "sam", dailyTo("sam", 8)))
				r.far.answer = answer(outcome, channel.ReasonTimeout)
				r.see(vac(1))
				r.pass()
				r.now = eight
				r.pass()
				if name == "lapsed" { // the process dies while it sends
					r.now = r.now.Add(time.Hour)
					if cs, err := r.store.Claim(t.Context(), r.now, time.Minute, 10); err != nil || len(cs) != 2 {
						t.Fatalf("claims %v, %v", cs, err)
					}
					r.open()
					if n, err := r.store.Reclaim(t.Context(), r.now); n != 2 || err != nil {
						t.Fatalf("reclaimed %d, %v", n, err)
					}
				}
				r.later(48 * time.Hour) // nothing is tried for two days
				for range 30 {
					r.later(time.Hour)
				}
				if name == "lapsed" {
					r.far.answer = nil
					r.later(time.Hour)
				}
				if ids := len(r.far.bodies); ids != 2 {
					t.Errorf("it was told under %d names, want one to each reader: %v", ids, r.letters())
				}
				c := r.counts()
				if want := map[string]int{"unknown": 2, "lapsed": 0}[name]; c.Buried != want || c.Queued != 0 {
					t.Errorf("counts %+v, want %d kept and none on its way", c, want)
				}
			})
		})
	}
}
