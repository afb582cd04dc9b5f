package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// onAll runs a story on every engine at hand.
func onAll(t *testing.T, story func(t *testing.T, eng engine.Engine)) {
	enginetest.All(t, func(t *testing.T, open enginetest.Open) { story(t, open(t)) })
}

func (r *rig) wantTold(want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.far.told(), cmpopts.EquateEmpty(), cmpopts.SortSlices(strings.Compare)); diff != "" {
		r.t.Errorf("told (-want +got):\n%s", diff)
	}
}

// A vacancy is told once to each reader at each destination, whatever number
// of searches it meets and however often it is seen.
func TestToldOnce(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng,
			band5("a", "jo", mailTo("jo"), hook),
			band5("b", "jo", mailTo("jo")),
			band5("c", "sam", mailTo("sam")),
			vacancy.Search{ID: "d", Bands: []string{"6"}, Notify: []vacancy.Notify{mailTo("jo")}},
		)
		r.see(vac(1))
		r.see(vac(1))
		r.pass()
		r.see(vac(1))
		r.open() // a restart
		r.see(vac(1))
		r.pass()
		r.wantTold(
			"new C9001-26-0001 to jo@reader.example for a and b",
			"new C9001-26-0001 to  for a",
			"new C9001-26-0001 to sam@reader.example for c",
		)
		if c := r.counts(); c.Queued != 0 || c.Live != 1 {
			t.Errorf("counts %+v, want nothing queued and 1 live", c)
		}
	})
}

// An instant search leads a digest of the same reader; the digest then leaves
// the vacancy out.
func TestInstantGoesBeforeDigest(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)), band5("b", "jo", mailTo("jo")))
		r.see(vac(1))
		r.pass()
		r.later(24 * time.Hour)
		r.wantTold("new C9001-26-0001 to jo@reader.example for b and a")
	})
}

// Two digests of one reader tell a vacancy once, whichever comes first.
func TestTwoDigests(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 9)), band5("b", "jo", dailyTo("jo", 8)))
		r.see(vac(1))
		for range 48 {
			r.later(time.Hour)
		}
		r.wantTold("new C9001-26-0001 to jo@reader.example for b")
		if c := r.counts(); c.Digests != 0 || c.Queued != 0 {
			t.Errorf("counts %+v, want nothing left", c)
		}
	})
}

// A digest is told at its hour in London, holds what is still open, soonest
// closing date first, and comes in parts where it holds more than a mail does.
func TestDigest(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		var want []string
		for i := 1; i <= 60; i++ {
			v := vac(i)
			if i == 60 {
				v.Closing = vacancy.Day{Year: 2026, Month: 7, Day: 14} // over by the morning
			} else {
				want = append(want, fmt.Sprintf("new %s to jo@reader.example for a", v.Reference))
			}
			r.see(v)
		}
		r.pass()
		r.wantTold()
		r.now = time.Date(2026, 7, 15, 6, 59, 59, 0, time.UTC)
		r.pass()
		r.wantTold()
		r.later(2 * time.Second) // 08:00:01 British Summer Time
		r.wantTold(want...)
		if len(r.far.got) != 2 {
			t.Errorf("the digest came in %d parts, want 2 of at most 50", len(r.far.got))
		}
		// What comes later waits for the next day.
		r.see(vac(61))
		r.later(23 * time.Hour)
		r.wantTold(want...)
		r.later(2 * time.Hour)
		r.wantTold(append(want, "new C9001-26-0061 to jo@reader.example for a")...)
		if c := r.counts(); c.Digests != 0 || c.Queued != 0 {
			t.Errorf("counts %+v, want nothing left", c)
		}
	})
}

// An item that came in while its window's digest was already settled gets a
// part of its own, and is not lost until the next day or for ever.
func TestLateItem(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		r.see(vac(1))
		late := vac(2)
		before := alerts.Acceptance{Key: late.Key(), Record: vacancy.Record{Vacancy: late, Version: 1},
			Events: []vacancy.Event{{Kind: vacancy.New, Version: 1, At: r.now, Vacancy: late}}}
		e := &before.Events[0]
		dest := alerts.Dest(dailyTo("jo", 8))
		before.Queue = []alerts.Queued{{Event: e.ID(), Search: "a", Subscriber: "jo", Dest: dest,
			Told: alerts.ToldMark("jo", dest, e), Digest: true, Due: alerts.NextWindow(r.now, 8)}}
		r.now = time.Date(2026, 7, 15, 7, 0, 1, 0, time.UTC)
		r.pass() // the digest of the morning goes out
		// A step that was decided before eight o'clock is stored after it.
		if _, err := r.store.Accept(t.Context(), &before); err != nil {
			t.Fatal(err)
		}
		r.later(10 * time.Second)
		r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0002 to jo@reader.example for a")
	})
}

// A digest that died after it had marked its items, and before its bytes were
// stored, tells them, even if by then others close sooner.
func TestDigestDiesHalfMade(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		var want []string
		add := func(n int, closing int) {
			v := vac(n)
			v.Closing = vacancy.Day{Year: 2026, Month: 7, Day: closing}
			want = append(want, fmt.Sprintf("new %s to jo@reader.example for a", v.Reference))
			r.see(v)
		}
		for i := 1; i <= 55; i++ {
			add(i, 28)
		}
		r.now = time.Date(2026, 7, 15, 7, 0, 1, 0, time.UTC)
		ctx := t.Context()
		if _, err := r.store.OpenDigests(ctx, r.now); err != nil {
			t.Fatal(err)
		}
		cs, err := r.store.Claim(ctx, r.now, time.Minute, 1)
		if err != nil || len(cs) != 1 {
			t.Fatalf("claims %v, %v", cs, err)
		}
		cs[0].Message.Subscriber = "jo"
		items, err := r.store.Gather(ctx, &cs[0])
		if err != nil || len(items) != 55 {
			t.Fatalf("gathered %d, %v", len(items), err)
		}
		if taken, err := r.store.HoldItems(ctx, &cs[0], items[:50]); err != nil || len(taken) != 0 {
			t.Fatalf("taken %v, %v", taken, err)
		}
		for i := 100; i < 120; i++ {
			add(i, 20)
		}
		r.later(2 * time.Minute) // the lease ends
		r.later(24 * time.Hour)  // and what came after eight has its turn
		r.wantTold(want...)
	})
}

// An advert that changes so that a search matches it only now is told to it as
// new; who was told before, and whose search matched before, hears nothing.
func TestMatchesOnlyNow(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		seven := vacancy.Search{ID: "b", Subscriber: "sam", Bands: []string{"7"}, Notify: []vacancy.Notify{mailTo("sam")}}
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")), seven)
		v := vac(1)
		r.see(v)
		r.pass()
		v.Band = "7"
		r.now = r.now.Add(time.Hour)
		r.see(v)
		r.see(v)
		r.pass()
		r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0001 to sam@reader.example for b")
	})
}

// The hour of a digest is London's on both nights when the clocks change.
func TestNextWindow(t *testing.T) {
	for _, tt := range []struct {
		now  string
		hour int
		want string
	}{
		{"2026-03-28T12:00:00Z", 8, "2026-03-29T07:00:00Z"}, // to summer time in the night
		{"2026-10-24T12:00:00Z", 8, "2026-10-25T08:00:00Z"}, // and back
		{"2026-07-14T07:00:00Z", 8, "2026-07-15T07:00:00Z"}, // at the hour itself: the next day
		{"2026-07-14T06:59:59Z", 8, "2026-07-14T07:00:00Z"},
		{"2026-01-01T00:00:00Z", 0, "2026-01-02T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := alerts.NextWindow(now, tt.hour).Format(time.RFC3339); got != tt.want {
			t.Errorf("after %s at %d: got %s, want %s", tt.now, tt.hour, got, tt.want)
		}
	}
}

// Who was told hears of a moved closing date, again for each new one, even if
// with it too few days are left for the search. Nobody else does.
func TestClosingMoved(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		a := band5("a", "jo", mailTo("jo"))
		a.DaysLeft = 7
		late := band5("b", "sam", mailTo("sam"))
		late.DaysLeft = 30 // was never told
		r := newRig(t, eng, a, late)
		v := vac(1)
		r.see(v)
		r.pass()
		v.Closing = v.Closing.Add(-12)
		r.now = r.now.Add(time.Hour)
		r.see(v)
		r.see(v)
		r.pass()
		v.Closing = v.Closing.Add(5)
		r.now = r.now.Add(time.Hour)
		r.see(v)
		r.pass()
		r.wantTold(
			"new C9001-26-0001 to jo@reader.example for a",
			"closing_moved C9001-26-0001 to jo@reader.example for a",
			"closing_moved C9001-26-0001 to jo@reader.example for a",
		)
	})
}

// A vacancy announced on its listing alone is matched again once its page has
// been read; who heard of it before does not hear twice.
func TestPageReadLater(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		leeds, err := vacancy.NewPlace("Leeds", 10)
		if err != nil {
			t.Fatal(err)
		}
		r := newRig(t, eng,
			vacancy.Search{ID: "leeds", Subscriber: "jo", Places: []vacancy.Place{leeds}, Notify: []vacancy.Notify{mailTo("jo")}},
			band5("five", "sam", mailTo("sam")),
		)
		unread := vac(1)
		unread.Band, unread.BandFrom, unread.PageUnread = "", "", true
		r.see(unread)
		r.pass()
		r.wantTold("new C9001-26-0001 to jo@reader.example for leeds")
		r.now = r.now.Add(time.Hour)
		r.see(vac(1))
		r.pass()
		r.wantTold("new C9001-26-0001 to jo@reader.example for leeds", "new C9001-26-0001 to sam@reader.example for five")
	})
}

func answer(o channel.Outcome, reason string) func(channel.Message) (channel.Result, bool) {
	return func(channel.Message) (channel.Result, bool) { return channel.Result{Outcome: o, Reason: reason}, true }
}

// What comes of an attempt decides when the next one is.
func TestAttempts(t *testing.T) {
	for name, tt := range map[string]struct {
		answer  func(channel.Message) (channel.Result, bool)
		wait    time.Duration // no further attempt before
		then    time.Duration // but one by then
		tries   int           // counted, after the second attempt
		buried  bool
		attempt int // attempts until then
	}{
		"retry":    {answer(channel.Retry, channel.ReasonServer), 47 * time.Second, 73 * time.Second, 2, false, 2},
		"unknown":  {answer(channel.Unknown, channel.ReasonTimeout), 47 * time.Second, 73 * time.Second, 2, false, 2},
		"release":  {answer(channel.Release, channel.ReasonAuth), 4 * time.Second, 6 * time.Second, 0, false, 2},
		"rejected": {answer(channel.Bury, channel.ReasonRejected), time.Hour, 30 * 24 * time.Hour, 1, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, enginetest.OpenBolt(t), band5("a", "jo", mailTo("jo")))
			attempts := 0
			r.far.answer = func(m channel.Message) (channel.Result, bool) {
				attempts++
				return tt.answer(m)
			}
			r.see(vac(1))
			r.pass()
			if attempts != 1 {
				t.Fatalf("%d attempts at once, want 1", attempts)
			}
			r.later(tt.wait)
			if attempts != 1 {
				t.Errorf("%d attempts after %s, want no second one", attempts, tt.wait)
			}
			r.now = noon.Add(tt.then)
			if tt.buried {
				r.now = noon.Add(time.Hour)
			}
			r.pass()
			if attempts != tt.attempt {
				t.Errorf("%d attempts after %s, want %d", attempts, tt.then, tt.attempt)
			}
			var buried []alerts.Message
			if err := r.store.Buried(t.Context(), func(m alerts.Message) error { buried = append(buried, m); return nil }); err != nil {
				t.Fatal(err)
			}
			if (len(buried) == 1) != tt.buried {
				t.Errorf("buried: %+v, want one: %v", buried, tt.buried)
			}
			if tt.buried && buried[0].Reason != channel.ReasonRejected {
				t.Errorf("buried for %q", buried[0].Reason)
			}
		})
	}
}

// When tries are used up a message is kept for an operator, and it is not told
// again by another sighting.
func TestTriesUsedUp(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		r.far.answer = answer(channel.Retry, channel.ReasonServer)
		r.see(vac(1))
		for range 10 {
			r.later(10 * time.Minute)
		}
		r.far.answer = nil
		r.see(vac(1))
		r.later(time.Hour)
		r.wantTold()
		if c := r.counts(); c.Buried != 1 || c.Queued != 0 {
			t.Errorf("counts %+v, want 1 buried", c)
		}
	})
}

// What changed since a message was queued is looked at before it is sent.
func TestRecheck(t *testing.T) {
	t.Run("search ended", func(t *testing.T) {
		onAll(t, func(t *testing.T, eng engine.Engine) {
			r := newRig(t, eng, band5("a", "jo", mailTo("jo")), band5("b", "sam", dailyTo("sam", 8)))
			r.see(vac(1))
			for _, id := range []string{"a", "b", "a"} { // twice is as once
				if found, err := r.store.EndSearch(t.Context(), id, "unsubscribed", r.now); !found || err != nil {
					t.Fatalf("end search %s: %v, %v", id, found, err)
				}
			}
			r.later(24 * time.Hour)
			r.see(vac(2))
			r.later(24 * time.Hour)
			r.wantTold()
			if c := r.counts(); c.Queued != 0 || c.Digests != 0 {
				t.Errorf("counts %+v, want nothing left", c)
			}
			// A restart brings the same file: what a reader stopped stays stopped.
			stopped, err := r.store.Provision(t.Context(), []vacancy.Search{band5("a", "jo", mailTo("jo"))}, r.now)
			if err != nil || !slices.Equal(stopped, []string{"a"}) {
				t.Errorf("stopped %v, %v, want [a]", stopped, err)
			}
			r.see(vac(3))
			r.pass()
			r.wantTold()
		})
	})
	t.Run("the leading search ended", func(t *testing.T) {
		onAll(t, func(t *testing.T, eng engine.Engine) {
			r := newRig(t, eng, band5("a", "jo", mailTo("jo")), band5("b", "jo", mailTo("jo")), band5("c", "jo", mailTo("jo")))
			r.see(vac(1))
			if _, err := r.store.EndSearch(t.Context(), "a", "unsubscribed", r.now); err != nil {
				t.Fatal(err)
			}
			r.pass()
			r.see(vac(1))
			r.pass()
			r.wantTold("new C9001-26-0001 to jo@reader.example for b and c")
		})
	})
	t.Run("one of two digests ended", func(t *testing.T) {
		onAll(t, func(t *testing.T, eng engine.Engine) {
			r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)), band5("b", "jo", dailyTo("jo", 9)))
			r.see(vac(1))
			if _, err := r.store.EndSearch(t.Context(), "a", "unsubscribed", r.now); err != nil {
				t.Fatal(err)
			}
			for range 48 {
				r.later(time.Hour)
			}
			r.wantTold("new C9001-26-0001 to jo@reader.example for b")
		})
	})
	t.Run("vacancy closed", func(t *testing.T) {
		onAll(t, func(t *testing.T, eng engine.Engine) {
			r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
			r.far.answer = answer(channel.Release, channel.ReasonNetwork)
			v := vac(1)
			v.Closing = vacancy.LondonDay(noon)
			r.see(v)
			r.pass()
			r.far.answer = nil
			r.now = time.Date(2026, 7, 14, 23, 0, 0, 0, time.UTC) // midnight in London
			r.pass()
			r.wantTold()
		})
	})
	t.Run("too late for a mail", func(t *testing.T) {
		onAll(t, func(t *testing.T, eng engine.Engine) {
			r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
			r.far.answer = answer(channel.Release, channel.ReasonNetwork)
			r.see(vac(1))
			r.pass()
			r.far.answer = nil
			// The message has expired, its item has not: it goes into the
			// next digest.
			r.later(25 * time.Hour)
			r.wantTold()
			r.now = time.Date(2026, 7, 16, 7, 0, 1, 0, time.UTC)
			r.pass()
			r.wantTold("new C9001-26-0001 to jo@reader.example for a")
		})
	})
}

// A claim that lapsed is another's: whoever comes late changes nothing.
func TestStaleClaim(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		ctx := t.Context()
		r.see(vac(1))
		claim := func() alerts.Claim {
			t.Helper()
			cs, err := r.store.Claim(ctx, r.now, time.Minute, 10)
			if err != nil || len(cs) != 1 {
				t.Fatalf("claims %v, %v, want 1", cs, err)
			}
			return cs[0]
		}
		first := claim()
		if cs, err := r.store.Claim(ctx, r.now.Add(59*time.Second), time.Minute, 10); err != nil || len(cs) != 0 {
			t.Fatalf("claimed twice: %v, %v", cs, err)
		}
		r.now = r.now.Add(61 * time.Second)
		second := claim()
		if held, err := r.store.Keep(ctx, &first, []byte("x"), nil); held || err != nil {
			t.Errorf("a lapsed claim kept bytes: %v, %v", held, err)
		}
		if held, err := r.store.Settle(ctx, &first, alerts.SettleDone, "", "", r.now, r.now); held || err != nil {
			t.Errorf("a lapsed claim was settled: %v, %v", held, err)
		}
		if held, err := r.store.Settle(ctx, &second, alerts.SettleDone, "", "", r.now, r.now); !held || err != nil {
			t.Errorf("the claim could not be settled: %v, %v", held, err)
		}
		// And a second time, as after a lost reply: nothing happens.
		if held, err := r.store.Settle(ctx, &second, alerts.SettleRetry, "", "", r.now, r.now); held || err != nil {
			t.Errorf("settled twice: %v, %v", held, err)
		}
		r.later(time.Hour)
		r.wantTold()
	})
}

// After a restart what the dead process had claimed is sent at once.
func TestReclaim(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		r.see(vac(1))
		if cs, err := r.store.Claim(t.Context(), r.now, time.Hour, 10); err != nil || len(cs) != 1 {
			t.Fatalf("claims %v, %v", cs, err)
		}
		r.open()
		if n, err := r.store.Reclaim(t.Context(), r.now); n != 1 || err != nil {
			t.Fatalf("took back %d, %v, want 1", n, err)
		}
		r.pass()
		r.wantTold("new C9001-26-0001 to jo@reader.example for a")
	})
}

// A destination that is dead is tried by one message, and holds up no other.
func TestDeadDestination(t *testing.T) {
	r := newRig(t, enginetest.OpenBolt(t), band5("a", "jo", mailTo("jo")), band5("b", "sam", hook))
	r.deliver.Channels["hook"] = &slow{far: r.far, name: "hook"}
	tries := 0
	r.far.answer = func(m channel.Message) (channel.Result, bool) {
		if strings.HasSuffix(m.ID, "|hook") {
			tries++
			return channel.Result{Outcome: channel.Retry, Reason: channel.ReasonNetwork}, true
		}
		return channel.Result{}, false
	}
	for i := range 30 {
		r.see(vac(i + 1))
	}
	r.pass()
	if len(r.far.told()) != 30 {
		t.Errorf("%d mails went out beside the dead endpoint, want 30", len(r.far.told()))
	}
	if tries != 1 {
		t.Errorf("the dead endpoint was tried %d times in a row, want once", tries)
	}
	r.far.answer = nil
	for range 20 {
		r.later(time.Minute)
	}
	if len(r.far.told()) != 60 {
		t.Errorf("%d told in the end, want 60", len(r.far.told()))
	}
}

// A fan-out of more messages than one step takes is finished after a crash
// between two chunks, and nobody is told twice.
func TestInterruptedFanOut(t *testing.T) {
	f := &faulty{Engine: enginetest.OpenBolt(t)}
	var searches []vacancy.Search
	for i := range 4500 {
		searches = append(searches, band5(fmt.Sprintf("s%d", i), fmt.Sprintf("r%d", i), mailTo(fmt.Sprintf("r%d", i))))
	}
	r := newRig(t, f, searches...)
	f.arm(3, false) // the step of the second chunk, after those of Kin and of the first
	r.see(vac(1))
	if c := r.counts(); c.Queued != 2000 {
		t.Fatalf("%d queued after the crash, want the first chunk of 2000", c.Queued)
	}
	r.open()
	r.now = r.now.Add(3 * time.Minute)
	for range 2 {
		if err := r.sink.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if c := r.counts(); c.Queued != 4500 {
		t.Errorf("%d queued after the recovery, want 4500", c.Queued)
	}
}

var errBroken = errors.New("the store is broken")

// faulty fails one call of Update: before it was done, or after.
type faulty struct {
	engine.Engine
	calls atomic.Int64
	at    int64
	done  bool
}

// arm makes the at-th call from now on fail. No call may be under way.
func (f *faulty) arm(at int, done bool) {
	f.calls.Store(0)
	f.at, f.done = int64(at), done
}
