package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// An end is an endpoint of its own: it takes its time, answers as it is told,
// and fails the test where it is given two messages at a time.
type end struct {
	*far
	name, kind string

	mu     sync.Mutex
	takes  time.Duration
	result channel.Result // of the attempts; Done where it is zero
	busy   bool
	tries  []time.Duration // since the beginning
	last   string          // ID of the last message
	begun  time.Time

	wants, echoes bool // a challenge
	asked         int
}

func newEnd(r *rig, name string) *end {
	return &end{far: r.far, name: name, kind: "webhook", begun: time.Now()}
}

func (e *end) Kind() string              { return e.kind }
func (e *end) Destination(string) string { return e.name }

func (e *end) Send(ctx context.Context, m channel.Message) channel.Result {
	e.mu.Lock()
	if e.busy {
		e.t.Errorf("%s was given message %s while it was busy", e.name, m.ID)
	}
	e.busy = true
	e.tries = append(e.tries, time.Since(e.begun))
	e.last = m.ID
	takes := e.takes
	e.mu.Unlock()
	time.Sleep(takes)
	e.mu.Lock()
	e.busy = false
	r := e.result
	e.mu.Unlock()
	if r.Outcome == "" || r.Outcome == channel.Done {
		return e.far.Send(ctx, m)
	}
	return r
}

func (e *end) answer(r channel.Result, takes time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.result, e.takes = r, takes
}

// times returns when it was tried, and forgets it.
func (e *end) times() []time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := e.tries
	e.tries = nil
	return out
}

var (
	dead     = channel.Result{Outcome: channel.Retry, Reason: channel.ReasonNetwork}
	dripping = channel.Result{Outcome: channel.Unknown, Reason: channel.ReasonTimeout}
	refusing = channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRefused, Detail: "status 500"}
	down     = channel.Result{Outcome: channel.Release, Reason: channel.ReasonNetwork}
)

// toHook is a search that tells one channel.
func toHook(id, channel string) vacancy.Search {
	return band5(id, id, vacancy.Notify{Channel: channel})
}

// However many endpoints are dead or drip, and whatever waits for them, the one
// that is well hears of each vacancy at once. There are more of them than have
// their turn at a time, so it may wait for them once: before it shows how they
// are.
func TestDeadEndpointsDelayNobody(t *testing.T) {
	const many = 150
	for name, ill := range map[string]channel.Result{"dead": dead, "dripping": dripping, "refusing": refusing} {
		t.Run(name, func(t *testing.T) {
			searches := []vacancy.Search{toHook("well", "well")}
			for i := range many {
				searches = append(searches, toHook(fmt.Sprintf("ill%d", i), fmt.Sprintf("ill%d", i)))
			}
			bubbled(t, searches, func(t *testing.T, r *rig, _ engine.Engine) {
				r.sink.Queued = r.deliver.Wake
				well := newEnd(r, "well")
				r.deliver.Channels = map[string]channel.Channel{"well": well}
				for i := range many {
					e := newEnd(r, fmt.Sprintf("ill%d", i))
					e.answer(ill, 15*time.Second)
					r.deliver.Channels[e.name] = e
				}
				stop := r.run()
				r.see(vac(99))
				time.Sleep(31 * time.Second)
				if got := well.times(); len(got) != 1 || got[0] > 15*time.Second {
					t.Errorf("the first vacancy was told at %v", got)
				}
				for i := range 10 {
					at := time.Since(well.begun)
					r.see(vac(i))
					time.Sleep(7 * time.Second)
					if got := well.times(); !slices.Equal(got, []time.Duration{at}) {
						t.Errorf("vacancy %d was told at %v, want %v", i, got, at)
					}
				}
				stop()
			})
		})
	}
}

// One vacancy that is told to very many by a slow relay delays neither another
// destination nor what is told to few by it.
func TestFanOutDelaysNobody(t *testing.T) {
	const many = 600
	var searches []vacancy.Search
	for i := range many {
		searches = append(searches, band5(fmt.Sprintf("s%d", i), fmt.Sprintf("r%d", i), mailTo(fmt.Sprintf("r%d", i))))
	}
	searches = append(searches, vacancy.Search{ID: "six", Subscriber: "six", Bands: []string{"6"}, Notify: []vacancy.Notify{hook}})
	bubbled(t, searches, func(t *testing.T, r *rig, _ engine.Engine) {
		r.sink.Queued = r.deliver.Wake
		relay, e := newEnd(r, "relay"), newEnd(r, "hook")
		relay.kind = "email"
		relay.answer(channel.Result{}, time.Second)
		r.deliver.Channels = map[string]channel.Channel{"mail": relay, "hook": e}
		r.see(vac(1))
		stop := r.run()
		for i := range 5 {
			time.Sleep(10 * time.Second)
			at := time.Since(e.begun)
			v := vac(100 + i)
			v.Band = "6"
			r.see(v)
			time.Sleep(time.Millisecond)
			if got := e.times(); !slices.Equal(got, []time.Duration{at}) {
				t.Errorf("told at %v beside the fan-out, want %v", got, at)
			}
		}
		time.Sleep(many * time.Second)
		stop()
		if got := len(relay.times()); got != many {
			t.Errorf("%d mails were sent, want %d", got, many)
		}
	})
}

// A destination that is down is tried once at a time, after a pause that
// doubles to five minutes, each time with another message; nothing fails for
// it, and when it is up again everything goes out.
func TestPauseIsHalfOpen(t *testing.T) {
	bubbled(t, []vacancy.Search{band5("a", "jo", mailTo("jo"))}, func(t *testing.T, r *rig, _ engine.Engine) {
		relay := newEnd(r, "relay")
		relay.kind = "email"
		relay.answer(down, 0)
		r.deliver.Channels = map[string]channel.Channel{"mail": relay}
		for i := range 60 {
			r.see(vac(i))
		}
		stop := r.run()
		time.Sleep(20*time.Minute + time.Second)
		var want []time.Duration
		at, step := time.Duration(0), 5*time.Second
		for at <= 20*time.Minute {
			want = append(want, at)
			at += step
			step = min(2*step, 5*time.Minute)
		}
		if diff := cmp.Diff(want, relay.times()); diff != "" {
			t.Errorf("tried at (-want +got):\n%s", diff)
		}
		relay.answer(channel.Result{}, 0)
		time.Sleep(6 * time.Minute)
		stop()
		if got := relay.times(); len(got) != 60 || got[0] != at {
			t.Errorf("%d attempts once it was up, the first at %v, want 60 from %v on", len(got), got[0], at)
		}
		if c, err := r.store.Counts(t.Context(), time.Now()); err != nil || c.Queued+c.Buried != 0 {
			t.Errorf("counts %+v, %v, want nothing left", c, err)
		}
	})
}

// What a destination asks for in a 429 holds for every message that waits.
func TestRetryAfter(t *testing.T) {
	bubbled(t, []vacancy.Search{toHook("a", "hook")}, func(t *testing.T, r *rig, _ engine.Engine) {
		e := newEnd(r, "hook")
		e.answer(channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRateLimited, After: 40 * time.Minute}, 0)
		r.deliver.Channels = map[string]channel.Channel{"hook": e}
		for i := range 5 {
			r.see(vac(i))
		}
		stop := r.run()
		time.Sleep(39 * time.Minute)
		if got := e.times(); !slices.Equal(got, []time.Duration{0}) {
			t.Errorf("tried at %v, want once", got)
		}
		e.answer(channel.Result{}, 0)
		time.Sleep(2 * time.Minute)
		stop()
		got := e.times()
		if len(got) != 5 || got[0] != 40*time.Minute || got[4] > 40*time.Minute+5*time.Second {
			t.Errorf("tried at %v, want five times when it had asked for", got)
		}
	})
}

// An endpoint that refuses message after message is spared like a dead one; a
// relay is not, for it refuses readers.
func TestRefusalsInARow(t *testing.T) {
	for kind, want := range map[string]int{"webhook": 6, "email": 40} {
		bubbled(t, []vacancy.Search{toHook("a", "hook")}, func(t *testing.T, r *rig, _ engine.Engine) {
			e := newEnd(r, "hook")
			e.kind = kind
			e.answer(refusing, 0)
			r.deliver.Channels = map[string]channel.Channel{"hook": e}
			for i := range 40 {
				r.see(vac(i))
			}
			stop := r.run()
			time.Sleep(6 * time.Second)
			stop()
			if got := e.times(); len(got) != want {
				t.Errorf("%s: %d attempts in 6 s, want %d: %v", kind, len(got), want, got)
			}
		})
	}
}

// A rate is kept from the first message on, and never held against a claim.
func TestRate(t *testing.T) {
	for rate, every := range map[float64]time.Duration{4: 250 * time.Millisecond, 0.02: 50 * time.Second} {
		bubbled(t, []vacancy.Search{toHook("a", "hook")}, func(t *testing.T, r *rig, _ engine.Engine) {
			e := newEnd(r, "hook")
			r.deliver.Channels, r.deliver.Rates = map[string]channel.Channel{"hook": e}, map[string]float64{"hook": rate}
			const n = 70
			var want []time.Duration
			for i := range n {
				r.see(vac(i))
				want = append(want, time.Duration(i)*every)
			}
			stop := r.run()
			time.Sleep(n * every)
			stop()
			if diff := cmp.Diff(want, e.times()); diff != "" {
				t.Errorf("rate %v: sent at (-want +got):\n%s", rate, diff)
			}
			r.deliver.Channels = nil
		})
	}
}

// Two channels to one destination share its turns.
func TestOneDestinationOfTwoChannels(t *testing.T) {
	bubbled(t, []vacancy.Search{toHook("a", "one"), toHook("b", "two")}, func(t *testing.T, r *rig, _ engine.Engine) {
		e := newEnd(r, "same")
		e.answer(channel.Result{}, time.Second)
		r.deliver.Channels = map[string]channel.Channel{"one": e, "two": e}
		for i := range 6 {
			r.see(vac(i))
		}
		stop := r.run()
		time.Sleep(12500 * time.Millisecond)
		stop()
		if got := len(e.times()); got != 12 {
			t.Errorf("%d messages in 12 s, want 12, one after another", got)
		}
	})
}

// Replicas on one store share the work, and none is done twice.
func TestReplicas(t *testing.T) {
	bubbled(t, []vacancy.Search{band5("a", "jo", mailTo("jo"))}, func(t *testing.T, r *rig, eng engine.Engine) {
		const n = 200
		for i := range n {
			r.see(vac(i))
		}
		var ends []*end
		var stops []func()
		for i := range 3 {
			s, err := store.Open(t.Context(), eng, store.Options{Holder: fmt.Sprint("replica", i)})
			if err != nil {
				t.Fatal(err)
			}
			e := newEnd(r, "relay")
			e.answer(channel.Result{}, 100*time.Millisecond)
			d := &alerts.Deliverer{Outbox: s, Searches: s, Now: time.Now, Logger: r.deliver.Logger, Metrics: r.deliver.Metrics,
				Channels: map[string]channel.Channel{"mail": e}}
			ends = append(ends, e)
			other := *r
			other.deliver = d
			stops = append(stops, other.run())
		}
		time.Sleep(30 * time.Second)
		for _, stop := range stops {
			stop()
		}
		for i, e := range ends {
			if got := len(e.times()); got < n/6 {
				t.Errorf("replica %d sent %d of %d messages", i, got, n)
			}
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

// What a program wrote before there were lanes is found and sent, in its order;
// what such a program goes on writing beside this one, too.
func TestLanesOfAnOlderProgram(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo"), hook))
		for i := range 3 {
			r.see(vac(i))
			r.inSlots(func(slot string, tx engine.Tx) {
				for _, lane := range []string{"mail", "hook"} {
					key := "{" + slot + "}:due:" + lane
					all := &engine.ZRange{Key: key, Min: 0, Max: 1e18}
					if err := tx.Read(all); err != nil {
						t.Fatal(err)
					}
					tx.ZAdd("{"+slot+"}:due", all.Zs...)
					tx.Del(key, "{"+slot+"}:lanes")
				}
			})
			if c := r.counts(); c.Queued != 2*(1) || c.Due != 2 || !c.OldestDue.Equal(r.now) {
				t.Errorf("counts %+v, want two messages that are due", c)
			}
			r.later(time.Minute)
			if c := r.counts(); c.Queued != 0 {
				t.Errorf("counts %+v, want nothing left", c)
			}
		}
		if got := len(r.far.told()); got != 6 {
			t.Errorf("%d told, want 6", got)
		}
	})
}

// A message remembers how its last attempts failed, and no more than some.
func TestFailedAttempts(t *testing.T) {
	r := newRig(t, enginetest.OpenBolt(t), band5("a", "jo", hook))
	r.far.answer = func(channel.Message) (channel.Result, bool) { return refusing, true }
	r.see(vac(1))
	for range 10 {
		r.later(5 * time.Minute)
	}
	var got []alerts.Attempt
	if err := r.store.Buried(t.Context(), func(m alerts.Message) error {
		got = m.Attempts
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	attempt := func(n int, s alerts.Settlement) alerts.Attempt {
		return alerts.Attempt{At: noon.Add(time.Duration(n) * 5 * time.Minute), Try: n, Outcome: s, Reason: "refused", Detail: "status 500"}
	}
	want := []alerts.Attempt{attempt(1, alerts.SettleRetry), attempt(2, alerts.SettleRetry), attempt(3, alerts.SettleRetry), attempt(4, alerts.SettleBury)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	var m alerts.Message
	for i := range 100 {
		m.Tries = i
		m.Note(noon, alerts.SettleRetry, "", "")
	}
	if n := len(m.Attempts); n != 12 || m.Attempts[n-1].Try != 99 {
		t.Errorf("%d attempts are kept, the last one %d", n, m.Attempts[n-1].Try)
	}
}

// Where more destinations have something due than have their turn at a time,
// none has a second turn before all had a first one.
func TestRoundRobin(t *testing.T) {
	const many = 200
	var searches []vacancy.Search
	for i := range many {
		searches = append(searches, toHook(fmt.Sprint("s", i), fmt.Sprint("e", i)))
	}
	bubbled(t, searches, func(t *testing.T, r *rig, _ engine.Engine) {
		r.deliver.Channels = map[string]channel.Channel{}
		var ends []*end
		for i := range many {
			e := newEnd(r, fmt.Sprint("e", i))
			e.answer(channel.Result{}, time.Second)
			ends = append(ends, e)
			r.deliver.Channels[e.name] = e
		}
		for i := range 5 {
			r.see(vac(i))
		}
		stop := r.run()
		time.Sleep(2500 * time.Millisecond)
		for _, e := range ends {
			if n := len(e.times()); n < 1 || n > 3 {
				t.Errorf("%s had %d messages after two rounds", e.name, n)
			}
		}
		stop()
	})
}
