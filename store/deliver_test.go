package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// slow is a far side that takes its time. It fails the test where it is given
// two messages at a time, or one after it was told to stop.
type slow struct {
	*far
	name  string
	takes time.Duration
	brisk int // so many messages at the beginning take no time

	mu     sync.Mutex
	busy   bool
	begun  []time.Time
	closed bool
}

func (s *slow) Destination(string) string { return s.name }

func (s *slow) Send(ctx context.Context, m channel.Message) channel.Result {
	s.mu.Lock()
	if s.busy {
		s.t.Errorf("%s was given message %s while it was busy", s.name, m.ID)
	}
	if s.closed {
		s.t.Errorf("%s was given message %s after the end", s.name, m.ID)
	}
	s.busy = true
	s.begun = append(s.begun, time.Now())
	takes := s.takes
	if len(s.begun) <= s.brisk {
		takes = 0
	}
	s.mu.Unlock()
	time.Sleep(takes)
	s.mu.Lock()
	s.busy = false
	s.mu.Unlock()
	return s.far.Send(ctx, m)
}

// bubbled runs a test of the loop in fake time, over an engine that was opened
// outside. The clock begins at the first instant of the year 2000.
func bubbled(t *testing.T, searches []vacancy.Search, test func(t *testing.T, r *rig, eng engine.Engine)) {
	eng := enginetest.OpenBolt(t)
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, eng: eng, now: time.Now(), far: newFar(t)}
		r.open()
		r.provision(searches...)
		r.sink.Now, r.deliver.Now = time.Now, time.Now
		test(t, r, eng)
	})
}

// run starts the loop and returns what stops it and waits for its end.
func (r *rig) run() (stop func()) {
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.deliver.Run(ctx) }()
	return func() {
		r.t.Helper()
		cancel()
		if err := <-ended; err != nil {
			r.t.Errorf("the loop ended with %v", err)
		}
	}
}

// An attempt that is under way when the daemon stops is finished and settled;
// what has not begun is given back, due at once and with no try charged.
func TestShutdown(t *testing.T) {
	bubbled(t, []vacancy.Search{band5("a", "jo", mailTo("jo"))}, func(t *testing.T, r *rig, eng engine.Engine) {
		s := &slow{far: r.far, name: "relay", takes: 8 * time.Second}
		r.deliver.Channels = map[string]channel.Channel{"mail": s}
		r.see(vac(1), vac(2), vac(3))
		stop := r.run()
		time.Sleep(time.Second)
		stop()
		if got := time.Since(r.now); got != 8*time.Second {
			t.Errorf("it took %s to stop, want the rest of the attempt", got)
		}
		s.closed = true
		if len(r.far.told()) != 1 {
			t.Errorf("told %v, want the one under way", r.far.told())
		}
		claims, err := r.store.Claim(t.Context(), time.Now(), time.Minute, 10)
		if err != nil || len(claims) != 2 {
			t.Fatalf("%d left to claim, %v, want 2 at once", len(claims), err)
		}
		for _, c := range claims {
			if c.Message.Tries != 1 {
				t.Errorf("message %s is at try %d, want 1", c.Message.ID, c.Message.Tries)
			}
		}
	})
}

// Nothing is sent under a claim that could lapse on the way: it is given back
// and claimed anew. Two processes on one store show it, for the other takes
// whatever lapses. The far side is brisk at first, so that much is claimed.
func TestClaimsNearTheirEnd(t *testing.T) {
	bubbled(t, []vacancy.Search{band5("a", "jo", mailTo("jo"))}, func(t *testing.T, r *rig, eng engine.Engine) {
		s := &slow{far: r.far, name: "relay", takes: 9 * time.Second, brisk: 70}
		r.deliver.Channels = map[string]channel.Channel{"mail": s}
		const n = 100 // the last 30 take four minutes and a half, which is many leases
		for i := range n {
			r.see(vac(i))
		}
		stop := r.run()
		// The other process: it claims whatever is due to it, once a second.
		other, err := store.Open(t.Context(), eng, store.Options{Holder: "other"})
		if err != nil {
			t.Fatal(err)
		}
		lapsed, most := 0, 0
		for range 400 {
			time.Sleep(time.Second)
			claims, err := other.Claim(t.Context(), time.Now(), time.Minute, n)
			if err != nil {
				t.Fatal(err)
			}
			most = max(most, len(claims))
			for i := range claims {
				if claims[i].Message.Doubtful {
					lapsed++
				}
				// What waits is for the first to claim.
				if _, err := other.Settle(t.Context(), &claims[i], alerts.SettleRelease, "", "", time.Now(), claims[i].Due); err != nil {
					t.Fatal(err)
				}
			}
		}
		stop()
		if lapsed != 0 {
			t.Errorf("%d claims lapsed while their messages were sent or waited", lapsed)
		}
		if most >= 30 {
			t.Errorf("%d of the last 30 could be claimed at once: nothing was held to lapse", most)
		}
		for id, times := range r.far.count {
			if times != 1 {
				t.Errorf("message %s was sent %d times", id, times)
			}
		}
		if len(r.far.count) != n {
			t.Errorf("%d messages were sent, want %d", len(r.far.count), n)
		}
	})
}

// unsettled is an outbox whose settlings fail for a while, in both forms.
type unsettled struct {
	*store.Store
	fails int
	done  bool
}

func (u *unsettled) Settle(ctx context.Context, c *alerts.Claim, s alerts.Settlement, reason, detail string, now, due time.Time) (bool, error) {
	if u.fails == 0 {
		return u.Store.Settle(ctx, c, s, reason, detail, now, due)
	}
	u.fails--
	if u.done {
		if _, err := u.Store.Settle(ctx, c, s, reason, detail, now, due); err != nil {
			return false, err
		}
	}
	return false, errBroken
}

// What the far side has answered is settled in the end, and not sent again.
func TestSettlingFails(t *testing.T) {
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprintf("done=%v", done), func(t *testing.T) {
			bubbled(t, []vacancy.Search{band5("a", "jo", mailTo("jo"))}, func(t *testing.T, r *rig, _ engine.Engine) {
				r.deliver.Outbox = &unsettled{r.store, 8, done}
				r.see(vac(1))
				stop := r.run()
				time.Sleep(10 * time.Minute)
				stop()
				r.wantTold("new C9001-26-0001 to jo@reader.example for a")
				c, err := r.store.Counts(t.Context(), time.Now())
				if err != nil || c.Queued != 0 {
					t.Errorf("counts %+v, %v, want nothing queued", c, err)
				}
			})
		})
	}
}

// A store that takes no settling for longer than a claim lasts costs a second
// sending: under the same ID and with the same bytes, which far checks.
func TestSettlingFailsForLong(t *testing.T) {
	bubbled(t, []vacancy.Search{band5("a", "jo", mailTo("jo"))}, func(t *testing.T, r *rig, _ engine.Engine) {
		r.deliver.Outbox = &unsettled{r.store, 25, false}
		r.see(vac(1))
		stop := r.run()
		time.Sleep(time.Hour)
		stop()
		if len(r.far.count) != 1 {
			t.Errorf("sent %v, want one message", r.far.count)
		}
		for id, times := range r.far.count {
			if times != 2 {
				t.Errorf("message %s was sent %d times, want 2", id, times)
			}
		}
	})
}

// What queues a message wakes the loop, which else looks every few seconds.
func TestWake(t *testing.T) {
	bubbled(t, []vacancy.Search{band5("a", "jo", mailTo("jo"))}, func(t *testing.T, r *rig, _ engine.Engine) {
		r.sink.Queued = r.deliver.Wake
		s := &slow{far: r.far, name: "relay"}
		r.deliver.Channels = map[string]channel.Channel{"mail": s}
		stop := r.run()
		time.Sleep(time.Second)
		at := time.Now()
		r.see(vac(1))
		time.Sleep(time.Minute)
		stop()
		if len(s.begun) != 1 || !s.begun[0].Equal(at) {
			t.Errorf("sent at %v, want %v", s.begun, at)
		}
	})
}

// unopened is an outbox that cannot make digests.
type unopened struct{ *store.Store }

func (unopened) OpenDigests(context.Context, time.Time) (int, error) { return 0, errBroken }

// A digest that cannot be made keeps back no other message, and is told of.
func TestDigestsBroken(t *testing.T) {
	r := newRig(t, enginetest.OpenBolt(t), band5("a", "jo", mailTo("jo")))
	r.deliver.Outbox = unopened{r.store}
	r.see(vac(1))
	if n, err := r.deliver.Pass(t.Context()); n != 1 || err == nil || !strings.Contains(err.Error(), "open digests") {
		t.Errorf("ended %d, %v, want 1 and the error", n, err)
	}
	r.wantTold("new C9001-26-0001 to jo@reader.example for a")
}

// unkept is an outbox that cannot keep bytes, nor gather, for a while.
type unkept struct {
	*store.Store
	fails int
}

func (u *unkept) Keep(ctx context.Context, c *alerts.Claim, body []byte, items []string) (bool, error) {
	if u.fails--; u.fails >= 0 {
		return false, errBroken
	}
	return u.Store.Keep(ctx, c, body, items)
}

func (u *unkept) Gather(ctx context.Context, c *alerts.Claim) ([]alerts.DigestItem, error) {
	if u.fails--; u.fails >= 0 {
		return nil, errBroken
	}
	return u.Store.Gather(ctx, c)
}

// A store that hiccups while a message is worded delays it; it buries nothing.
func TestKeepingFails(t *testing.T) {
	r := newRig(t, enginetest.OpenBolt(t), band5("a", "jo", mailTo("jo")), band5("b", "sam", dailyTo("sam", 8)))
	u := &unkept{r.store, 2}
	r.deliver.Outbox = u
	r.see(vac(1))
	for range 5 {
		r.later(time.Minute)
	}
	u.fails = 2
	r.now = eight
	for range 5 {
		r.later(time.Minute)
	}
	r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0001 to sam@reader.example for b")
	if c := r.counts(); c.Buried != 0 {
		t.Errorf("counts %+v, want nothing buried", c)
	}
}

// A message for a channel that is not configured waits for it, unless nobody
// wants it any more.
func TestUnconfiguredChannel(t *testing.T) {
	r := newRig(t, enginetest.OpenBolt(t), band5("a", "jo", mailTo("jo")), band5("b", "sam", hook))
	all := r.deliver.Channels
	r.deliver.Channels = nil
	r.see(vac(1))
	r.pass()
	if _, err := r.store.EndSearch(t.Context(), "a", store.EndedByReader, r.now); err != nil {
		t.Fatal(err)
	}
	r.later(time.Hour)
	if c := r.counts(); c.Queued != 1 {
		t.Errorf("%d queued, want the one whose search goes on", c.Queued)
	}
	r.deliver.Channels = all
	r.later(time.Hour)
	r.wantTold("new C9001-26-0001 to  for b")
}

// What has left the site before its closing date is not told as open.
func TestClosedEarly(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")), band5("b", "sam", dailyTo("sam", 8)))
		v := vac(1)
		r.see(v)
		recs, err := r.store.Records(t.Context(), []vacancy.Key{v.Key()})
		if err != nil {
			t.Fatal(err)
		}
		rec := recs[v.Key()]
		a := alerts.Acceptance{Key: v.Key(), Revision: rec.Revision, Record: rec}
		a.Record.Closed, a.Record.ClosedAt = vacancy.Early, r.now
		if _, err := r.store.Accept(t.Context(), &a); err != nil {
			t.Fatal(err)
		}
		r.pass()
		r.now = eight
		r.pass()
		r.wantTold()
		if c := r.counts(); c.Queued != 0 || c.Digests != 0 {
			t.Errorf("counts %+v, want nothing left", c)
		}
	})
}
