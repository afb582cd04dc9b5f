package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// eight is 08:00:01 in London of the day after noon.
var eight = time.Date(2026, 7, 15, 7, 0, 1, 0, time.UTC)

// A window that has ended, and was not opened yet, is not put off to the next
// day by what comes in meanwhile.
func TestWindowStays(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		r.see(vac(1))
		r.now = eight
		for i := 2; i < 20; i++ { // in every slot
			r.see(vac(i))
		}
		r.pass()
		r.wantTold("new C9001-26-0001 to jo@reader.example for a")
		r.later(24 * time.Hour)
		if got := r.far.told(); len(got) != 19 {
			t.Errorf("told %d a day later, want all: %v", len(got), got)
		}
	})
}

// An item that waits already is not queued again by a step that is repeated,
// even after the hour of its digest.
func TestItemQueuedOnce(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		v := vac(1)
		e := r.see(v)[0]
		dest := alerts.Dest(dailyTo("jo", 8))
		q := alerts.Queued{Event: e.ID(), Search: "a", Subscriber: "jo", Dest: dest,
			Told: alerts.ToldMark("jo", dest, &e), Digest: true, Due: alerts.NextWindow(eight, 8)}
		r.now = eight
		for range 2 {
			n, err := r.store.Enqueue(t.Context(), v.Key(), []alerts.Queued{q}, nil)
			if n != 0 || err != nil {
				t.Errorf("queued %d, %v, want nothing", n, err)
			}
		}
		r.pass()
		r.wantTold("new C9001-26-0001 to jo@reader.example for a")
	})
}

// The hour of a digest is London's, also in the nights when the clocks change.
func TestDigestHour(t *testing.T) {
	for _, tt := range []struct{ name, before, hour string }{
		{"to summer time", "2026-03-28T12:00:00Z", "2026-03-29T07:00:00Z"},
		{"to winter time", "2026-10-24T12:00:00Z", "2026-10-25T08:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at := func(s string) time.Time {
				v, err := time.Parse(time.RFC3339, s)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			r := newRig(t, enginetest.OpenBolt(t), band5("a", "jo", dailyTo("jo", 8)))
			r.now = at(tt.before)
			v := vac(1)
			v.Closing = vacancy.LondonDay(r.now).Add(20)
			r.see(v)
			r.now = at(tt.hour).Add(-time.Second)
			r.pass()
			r.wantTold()
			r.later(time.Second)
			r.wantTold("new C9001-26-0001 to jo@reader.example for a")
		})
	}
}

// A digest that cannot be sent ends after a day. What it was to tell goes into
// the next one, together with what came in meanwhile, and without what closed.
func TestDigestExpires(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		r.far.answer = answer(channel.Release, channel.ReasonAuth)
		short := vac(2)
		short.Closing = vacancy.LondonDay(eight)
		r.see(vac(1), short)
		r.now = eight
		r.pass()
		for i := range 30 {
			r.later(time.Hour)
			if i == 10 {
				r.see(vac(3))
			}
		}
		r.wantTold()
		r.far.answer = nil
		for range 30 {
			r.later(time.Hour)
		}
		r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0003 to jo@reader.example for a")
		if c := r.counts(); c.Digests != 0 || c.Queued != 0 {
			t.Errorf("counts %+v, want nothing left", c)
		}
	})
}

// While a digest is on its way no second one is made: it would forget what the
// first one holds.
func TestOneDigestAtATime(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		r.see(vac(1))
		r.now = eight
		for i := range 3 {
			n, err := r.store.OpenDigests(t.Context(), r.now)
			if want := max(0, 1-i); n != want || err != nil {
				t.Errorf("opened %d, %v, want %d", n, err, want)
			}
		}
		r.see(vac(2))
		r.now = r.now.Add(24 * time.Hour)
		if n, err := r.store.OpenDigests(t.Context(), r.now); n != 0 || err != nil {
			t.Errorf("opened %d the next day, %v, want none beside the first", n, err)
		}
	})
}

// A digest whose claim lapsed marks nothing as told.
func TestStaleDigest(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		ctx, v := t.Context(), vac(1)
		r.see(v)
		r.now = eight
		if _, err := r.store.OpenDigests(ctx, r.now); err != nil {
			t.Fatal(err)
		}
		claim := func() *alerts.Claim {
			t.Helper()
			cs, err := r.store.Claim(ctx, r.now, time.Minute, 10)
			if err != nil || len(cs) != 1 {
				t.Fatalf("claims %v, %v, want 1", cs, err)
			}
			cs[0].Message.Subscriber = "jo"
			return &cs[0]
		}
		stale := claim()
		items, err := r.store.Gather(ctx, stale)
		if err != nil || len(items) != 1 {
			t.Fatalf("gathered %v, %v", items, err)
		}
		r.now = r.now.Add(2 * time.Minute)
		claim()
		taken, err := r.store.HoldItems(ctx, stale, items)
		if err != nil || len(taken) != 1 {
			t.Errorf("a lapsed claim held items: taken %v, %v", taken, err)
		}
		// Nor does it give back what the other holds.
		if held, err := r.store.Settle(ctx, stale, alerts.SettleDrop, alerts.DropEnded, "", r.now, r.now); held || err != nil {
			t.Errorf("a lapsed claim was settled: %v, %v", held, err)
		}
		if told, err := r.store.Told(ctx, v.Key()); err != nil || len(told) != 0 {
			t.Errorf("told %v, %v, want nothing", told, err)
		}
	})
}

// A search is stopped after its digest was worded and before it arrived. What
// it held goes to the reader's other digest, whichever step fails on the way.
func TestEndedDigestGivesBack(t *testing.T) {
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprintf("done=%v", done), func(t *testing.T) {
			for at := 1; ; at++ {
				f := &faulty{Engine: enginetest.OpenMiniredis(t)} // many slots, many steps
				r := newRig(t, f, band5("a", "jo", dailyTo("jo", 8)), band5("b", "jo", dailyTo("jo", 9)))
				r.far.answer = answer(channel.Retry, channel.ReasonServer)
				r.see(vac(1))
				r.now = eight
				r.pass()
				if _, err := r.store.EndSearch(t.Context(), "a", store.EndedByReader, r.now); err != nil {
					t.Fatal(err)
				}
				r.far.answer = nil
				f.arm(at, done)
				for range 40 {
					r.now = r.now.Add(5 * time.Minute)
					for range 3 {
						_, _ = r.deliver.Pass(t.Context()) // one that fails is made again
					}
				}
				fired := f.calls.Load() >= int64(at)
				f.arm(0, false)
				r.wantTold("new C9001-26-0001 to jo@reader.example for b")
				if c := r.counts(); c.Digests != 0 || c.Queued != 0 {
					t.Errorf("counts %+v, want nothing left", c)
				}
				if t.Failed() {
					t.Fatalf("at step %d", at)
				}
				if !fired {
					if at < 8 {
						t.Errorf("only %d steps were tried: the story is not whole", at-1)
					}
					return
				}
			}
		})
	}
}
