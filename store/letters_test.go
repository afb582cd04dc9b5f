package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// outbox lists letters, "state reason detail" by ID.
func (r *rig) outbox(q store.LetterQuery) map[string]string {
	r.t.Helper()
	ls, more, err := r.store.Letters(r.t.Context(), q, r.now)
	if err != nil || more {
		r.t.Fatalf("letters: more %v, %v", more, err)
	}
	out := map[string]string{}
	for _, l := range ls {
		out[l.Message.ID] = string(l.State)
		if l.Message.Reason != "" {
			out[l.Message.ID] += " " + l.Message.Reason
		}
		if l.Message.Detail != "" {
			out[l.Message.ID] += " " + l.Message.Detail
		}
	}
	return out
}

// only is the ID of the one letter in a state.
func (r *rig) only(state store.LetterState) string {
	r.t.Helper()
	ls := r.outbox(store.LetterQuery{State: state})
	for id := range ls {
		if len(ls) == 1 {
			return id
		}
	}
	r.t.Fatalf("letters %v, want one that is %s", r.outbox(store.LetterQuery{}), state)
	return ""
}

func (r *rig) replay(id string, want store.Mending) {
	r.t.Helper()
	if _, got, err := r.store.Replay(r.t.Context(), id, r.now); got != want || err != nil {
		r.t.Fatalf("replay %s: %q, %v, want %q", id, got, err, want)
	}
}

func (r *rig) discard(id string, intoDigest bool, want store.Mending) {
	r.t.Helper()
	if _, got, err := r.store.Discard(r.t.Context(), id, intoDigest, r.now); got != want || err != nil {
		r.t.Fatalf("discard %s: %q, %v, want %q", id, got, err, want)
	}
}

// spoil writes over a stored value, and returns what was there. It fails the
// test where nothing was.
func (r *rig) spoil(hash, field string, with []byte) (was []byte) {
	r.t.Helper()
	r.inSlots(func(slot string, tx engine.Tx) {
		h := &engine.HGet{Key: "{" + slot + "}:" + hash, Field: field}
		if err := tx.Read(h); err == nil && h.OK {
			was = h.Val
			tx.HSet(h.Key, field, with)
		}
	})
	if was == nil {
		r.t.Fatalf("%s holds no %s", hash, field)
	}
	return was
}

var rubbish = []byte(`{"id":`)

// nothingLeft expects that nothing of any message is left but tombstones.
func (r *rig) nothingLeft() {
	r.t.Helper()
	r.inSlots(func(slot string, tx engine.Tx) {
		for _, hash := range []string{"msg", "body", "digopen"} {
			n := &engine.HLen{Key: "{" + slot + "}:" + hash}
			if err := tx.Read(n); err != nil || n.N != 0 {
				r.t.Errorf("%s of %s holds %d, %v", hash, slot, n.N, err)
			}
		}
		for _, set := range []string{"buried", "damaged", "digdue", "due:mail", "due:hook"} {
			n := &engine.ZCard{Key: "{" + slot + "}:" + set}
			if err := tx.Read(n); err != nil || n.N != 0 {
				r.t.Errorf("%s of %s holds %d, %v", set, slot, n.N, err)
			}
		}
	})
}

// What was given up is replayed under its old ID, with the bytes that it was
// refused with, however old it is; and it has all its tries again.
func TestReplay(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")), band5("b", "sam", hook))
		r.far.answer = answer(channel.Bury, channel.ReasonRejected)
		e := r.see(vac(1))[0]
		r.pass()
		id := alerts.InstantID("a", e.ID(), alerts.Dest(mailTo("jo")))
		hookID := alerts.InstantID("b", e.ID(), "hook")
		want := map[string]string{id: "buried rejected", hookID: "buried rejected"}
		if diff := cmp.Diff(want, r.outbox(store.LetterQuery{State: store.LetterBuried})); diff != "" {
			t.Errorf("buried (-want +got):\n%s", diff)
		}
		if got := r.outbox(store.LetterQuery{Channel: "hook", Reason: "rejected"}); len(got) != 1 || got[hookID] == "" {
			t.Errorf("of the channel hook: %v", got)
		}
		if got := r.outbox(store.LetterQuery{State: store.LetterDue}); len(got) != 0 {
			t.Errorf("due: %v", got)
		}
		if ls, more, err := r.store.Letters(t.Context(), store.LetterQuery{Limit: 1}, r.now); len(ls) != 1 || !more || err != nil {
			t.Errorf("limited: %d, more %v, %v", len(ls), more, err)
		}
		l, _, found, err := r.store.Letter(t.Context(), channel.Token(id), r.now)
		if err != nil || !found || l.Message.ID != id || l.Bytes == 0 || l.Message.Tries != 1 || !l.At.Equal(noon) {
			t.Errorf("by its token: %+v, %v, %v", l, found, err)
		}
		r.later(72 * time.Hour) // longer than a mail lives

		r.replay(id, store.MendDone)
		r.replay(channel.Token(id), store.MendDone) // twice is as once
		if got := r.outbox(store.LetterQuery{State: store.LetterDue})[id]; got != "due" {
			t.Errorf("after the replay it is %q", got)
		}
		r.far.answer = answer(channel.Retry, channel.ReasonServer)
		for range 3 { // the fourth try is the last
			r.later(5 * time.Minute)
		}
		l, _, found, err = r.store.Letter(t.Context(), id, r.now)
		if err != nil || !found || l.State != store.LetterWaiting || l.Message.Tries != 3 {
			t.Errorf("after three tries: %+v, %v, %v", l, found, err)
		}
		r.far.answer = nil
		r.later(time.Hour)
		r.wantTold("new C9001-26-0001 to jo@reader.example for a")
		r.replay(id, store.MendSettled)
		r.discard(id, false, store.MendSettled)
		r.replay("a|nhs-jobs/none|new|1|mail#000000000000", store.MendUnknown)
		for _, id := range []string{"", "|", "nonsense", "a|b", "a|b|c", "a||mail"} {
			r.replay(id, store.MendUnknown)
		}
		if _, settled, found, err := r.store.Letter(t.Context(), id, r.now); found || settled.IsZero() || err != nil {
			t.Errorf("of what was delivered: %v, %v, %v, want its time", settled, found, err)
		}
		r.replay(hookID, store.MendDone)
		r.pass()
		r.nothingLeft()
		if n := r.far.count[id]; n != 1 {
			t.Errorf("it arrived %d times", n)
		}
	})
}

// What is being sent is nobody's to mend; once its claim has lapsed it is.
func TestMendClaimed(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		r.see(vac(1))
		cs, err := r.store.Claim(t.Context(), r.now, time.Minute, 9)
		if err != nil || len(cs) != 1 {
			t.Fatalf("claims %v, %v", cs, err)
		}
		id := r.only(store.LetterClaimed)
		r.replay(id, store.MendClaimed)
		r.discard(id, false, store.MendClaimed)
		r.now = r.now.Add(2 * time.Minute)
		r.replay(id, store.MendDone)
		if held, err := r.store.Settle(t.Context(), &cs[0], alerts.SettleBury, "", "", r.now, r.now); held || err != nil {
			t.Errorf("the lapsed claim was settled: %v, %v", held, err)
		}
		r.pass()
		r.wantTold("new C9001-26-0001 to jo@reader.example for a")
	})
}

// What is discarded is told by nobody, however often its vacancy is seen; or it
// is left to the next digest.
func TestDiscard(t *testing.T) {
	for _, into := range []bool{false, true} {
		t.Run(fmt.Sprintf("into digest=%v", into), func(t *testing.T) {
			onAll(t, func(t *testing.T, eng engine.Engine) {
				r := newRig(t, eng, band5("a", "jo", mailTo("jo")), band5("b", "sam", dailyTo("sam", 8)))
				r.far.answer = answer(channel.Bury, channel.ReasonPolicy)
				v := vac(1)
				r.see(v)
				r.pass()
				r.discard(r.only(store.LetterBuried), into, store.MendDone)
				r.now = eight
				r.pass() // sam's, and jo's from 08:00 on where there is one
				for id := range r.outbox(store.LetterQuery{State: store.LetterBuried}) {
					r.discard(id, into, store.MendDone)
				}
				if told, err := r.store.Told(t.Context(), v.Key()); err != nil || len(told) != 0 {
					t.Errorf("marks %v, %v, want none", told, err)
				}
				r.far.answer = nil
				r.see(v)
				for range 30 {
					r.later(time.Hour)
				}
				if into {
					r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0001 to sam@reader.example for b")
				} else {
					r.wantTold()
				}
				r.nothingLeft()
			})
		})
	}
}

// A digest that was given up keeps its items, and keeps nobody waiting: the
// next day's tells what came meanwhile, and its replay what it held itself.
func TestBuriedDigest(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		r.far.answer = answer(channel.Bury, channel.ReasonContent)
		for i := range 60 { // two parts
			r.see(vac(i))
		}
		r.now = eight
		r.pass()
		if c := r.counts(); c.Buried != 2 || c.Queued != 0 {
			t.Fatalf("counts %+v, want both parts buried", c)
		}
		r.far.answer = nil
		r.see(vac(100))
		r.later(24 * time.Hour)
		r.wantTold("new C9001-26-0100 to jo@reader.example for a")
		for id := range r.outbox(store.LetterQuery{State: store.LetterBuried}) {
			r.replay(id, store.MendDone)
		}
		r.pass()
		if got := r.far.told(); len(got) != 61 || len(slices.Compact(slices.Sorted(slices.Values(got)))) != 61 {
			t.Errorf("told %d: %v, want each of 61 once", len(got), got)
		}
		r.nothingLeft()
	})
}

// wordless cannot word anything for a while.
type wordless struct {
	*far
	mute bool
}

func (w *wordless) Render(a message.Alert, to string) ([]byte, error) {
	if w.mute {
		return nil, errBroken
	}
	return w.far.Render(a, to)
}

// A digest that cannot be worded takes its items along. No other one loses
// them, or tells them; its replay does.
func TestWordlessDigest(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		w := &wordless{r.far, true}
		r.deliver.Channels = map[string]channel.Channel{"mail": w}
		r.see(vac(1), vac(2))
		r.now = eight
		r.pass()
		id := r.only(store.LetterBuried)
		if l, _, _, err := r.store.Letter(t.Context(), id, r.now); err != nil || len(l.Message.Items) != 2 || l.Bytes != 0 {
			t.Errorf("letter %+v, %v, want two items and no bytes", l, err)
		}
		w.mute = false
		r.see(vac(3))
		r.later(24 * time.Hour)
		r.wantTold("new C9001-26-0003 to jo@reader.example for a")
		r.see(vac(4)) // for the day after
		r.replay(id, store.MendDone)
		r.pass()
		r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0002 to jo@reader.example for a", "new C9001-26-0003 to jo@reader.example for a")
		r.later(24 * time.Hour)
		if got := r.far.told(); len(got) != 4 {
			t.Errorf("told %v, want all four, once", got)
		}
		r.nothingLeft()
	})
}

// A digest that is given up before its items were gathered, for its endpoint is
// disabled, takes them along as well: no flood of empty parts follows it.
func TestDigestBuriedUnopened(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		for i := range 70 {
			v := vac(i)
			v.Closing = v.Closing.Add(i)
			r.see(v)
		}
		r.now = eight
		parts := 0
		for range 20 {
			if _, err := r.store.OpenDigests(t.Context(), r.now); err != nil {
				t.Fatal(err)
			}
			cs, err := r.store.Claim(t.Context(), r.now, time.Minute, 9)
			if err != nil {
				t.Fatal(err)
			}
			parts += len(cs)
			for i := range cs {
				if ok, err := r.store.Settle(t.Context(), &cs[i], alerts.SettleBury, channel.ReasonDisabled, "", r.now, r.now); !ok || err != nil {
					t.Fatalf("bury: %v, %v", ok, err)
				}
			}
		}
		if c := r.counts(); parts != 2 || c.Buried != 2 || c.Digests != 0 {
			t.Fatalf("%d parts, counts %+v, want two parts with all that waited", parts, c)
		}
		for id := range r.outbox(store.LetterQuery{State: store.LetterBuried, Reason: channel.ReasonDisabled}) {
			r.replay(id, store.MendDone)
		}
		r.pass()
		if got := r.far.told(); len(got) != 70 || len(slices.Compact(slices.Sorted(slices.Values(got)))) != 70 {
			t.Errorf("told %d, want each of 70 once", len(got))
		}
		r.nothingLeft()
	})
}

// damages collects what a store tells of.
func (r *rig) watchDamage() *[]store.Damage {
	r.t.Helper()
	var got []store.Damage
	s, err := store.Open(r.t.Context(), r.eng, store.Options{Holder: "rig", Damaged: func(d store.Damage) { got = append(got, d) }})
	if err != nil {
		r.t.Fatal(err)
	}
	r.store, r.deliver.Outbox, r.sink.Log = s, s, s
	return &got
}

// One thing that cannot be read is set aside, told of and kept; the others of
// its slot go on, and it goes too once it is mended.
func TestDamaged(t *testing.T) {
	for _, tt := range []struct {
		what, hash string
		field      func(id, event string) string
		first      store.Mending // of a replay while it is damaged
		rendered   bool
	}{
		{store.DamagedMessage, "msg", func(id, _ string) string { return id }, store.MendRebuilt, false},
		{store.DamagedMessage, "msg", func(id, _ string) string { return id }, store.MendRebuilt, true},
		{store.DamagedBytes, "body", func(id, _ string) string { return id }, store.MendReworded, true},
		{store.DamagedEvent, "evt", func(_, event string) string { return event }, store.MendDamaged, false},
		{store.DamagedRecord, "vac", func(_, event string) string { return "nhs-jobs/" + ref(1) }, store.MendDamaged, true},
	} {
		t.Run(fmt.Sprintf("%s rendered=%v", tt.what, tt.rendered), func(t *testing.T) {
			onAll(t, func(t *testing.T, eng engine.Engine) {
				r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
				got := r.watchDamage()
				e := r.see(vac(1))[0]
				id := alerts.InstantID("a", e.ID(), alerts.Dest(mailTo("jo")))
				if tt.rendered {
					r.far.answer = answer(channel.Retry, channel.ReasonServer)
					r.pass()
					r.far.answer = nil
				}
				for i := 2; i < 30; i++ { // in its slot, too
					r.see(vac(i))
				}
				bad := rubbish
				if tt.hash == "body" {
					bad = []byte{0, 0xff, 0xff}
				}
				was := r.spoil(tt.hash, tt.field(id, e.ID()), bad)
				if _, err := r.store.Reclaim(t.Context(), r.now); err != nil {
					t.Errorf("a start: %v", err)
				}
				if r.far.bodies[id] != "" && tt.what == store.DamagedBytes {
					delete(r.far.bodies, id) // it was refused, and may be worded anew
				}
				r.later(2 * time.Minute)
				if n := len(r.far.got); n != 28 {
					t.Errorf("%d of the others were told, want 28", n)
				}
				if diff := cmp.Diff([]store.Damage{{What: tt.what, ID: id}}, *got); diff != "" {
					t.Errorf("told of (-want +got):\n%s", diff)
				}
				if got := r.outbox(store.LetterQuery{State: store.LetterDamaged}); got[id] != "damaged damaged "+tt.what {
					t.Errorf("letters %v", got)
				}
				if c := r.counts(); c.Damaged != 1 || c.Queued != 0 || c.Buried != 0 {
					t.Errorf("counts %+v, want one damaged", c)
				}
				r.replay(id, tt.first)
				if tt.first == store.MendDamaged {
					r.spoil(tt.hash, tt.field(id, e.ID()), was)
					r.replay(id, store.MendDone)
				}
				r.later(time.Minute)
				if n := r.far.count[id]; n != 1 || len(r.far.got) != 29 {
					t.Errorf("it arrived %d times after the replay, of %d", n, len(r.far.got))
				}
				if told, err := r.store.Told(t.Context(), vacancy.Key{Source: "nhs-jobs", Reference: ref(1)}); err == nil && len(told) != 1 {
					t.Errorf("marks %v, want one", told)
				}
				r.nothingLeft()
			})
		})
	}
}

// A damaged message may be discarded: its mark goes with it.
func TestDiscardDamaged(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		v := vac(1)
		e := r.see(v)[0]
		id := alerts.InstantID("a", e.ID(), alerts.Dest(mailTo("jo")))
		r.spoil("msg", id, rubbish)
		r.pass()
		r.discard(id, false, store.MendDone)
		if told, err := r.store.Told(t.Context(), v.Key()); err != nil || len(told) != 0 {
			t.Errorf("marks %v, %v, want none", told, err)
		}
		r.nothingLeft()
	})
}

// An item that cannot be read leaves its digest, and becomes a letter of its
// own; the digest goes out with the others.
func TestDamagedItem(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		got := r.watchDamage()
		r.see(vac(1), vac(2), vac(3))
		was := r.spoil("vac", "nhs-jobs/"+ref(2), rubbish)
		r.now = eight
		r.pass()
		r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0003 to jo@reader.example for a")
		id := r.only(store.LetterDamaged)
		if diff := cmp.Diff([]store.Damage{{What: store.DamagedRecord, ID: id}}, *got); diff != "" {
			t.Errorf("told of (-want +got):\n%s", diff)
		}
		r.later(25 * time.Hour)
		r.replay(id, store.MendDamaged)
		r.spoil("vac", "nhs-jobs/"+ref(2), was)
		r.replay(id, store.MendDone)
		r.pass()
		r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0002 to jo@reader.example for a", "new C9001-26-0003 to jo@reader.example for a")
		r.nothingLeft()
	})
}

// A digest whose message cannot be read keeps its reader's next one from
// nothing, and tells what it held once it is made again.
func TestDamagedDigest(t *testing.T) {
	for _, rendered := range []bool{false, true} {
		t.Run(fmt.Sprintf("rendered=%v", rendered), func(t *testing.T) {
			onAll(t, func(t *testing.T, eng engine.Engine) {
				r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
				w := &wordless{r.far, !rendered}
				r.deliver.Channels = map[string]channel.Channel{"mail": w}
				r.far.answer = answer(channel.Bury, channel.ReasonContent)
				r.see(vac(1), vac(2))
				r.now = eight
				r.pass()
				id := r.only(store.LetterBuried)
				r.spoil("msg", id, rubbish)
				w.mute, r.far.answer = false, nil
				r.see(vac(3))
				r.later(24 * time.Hour)
				r.wantTold("new C9001-26-0003 to jo@reader.example for a")
				r.replay(id, store.MendRebuilt)
				r.later(time.Minute)
				r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0002 to jo@reader.example for a", "new C9001-26-0003 to jo@reader.example for a")
				r.nothingLeft()
			})
		})
	}
}

// An event that cannot be read keeps no other from being matched; it waits, and
// is told of once.
func TestDamagedUnmatched(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		got := r.watchDamage()
		var events []string
		for i := 1; i <= 3; i++ {
			v := vac(i)
			e := vacancy.Event{Kind: vacancy.New, Version: 1, At: r.now, Vacancy: v}
			events = append(events, e.ID())
			a := alerts.Acceptance{Key: v.Key(), Record: vacancy.Record{Vacancy: v, Version: 1}, Events: []vacancy.Event{e}, Pending: []string{e.ID()}}
			if _, err := r.store.Accept(t.Context(), &a); err != nil {
				t.Fatal(err)
			}
		}
		was := r.spoil("evt", events[1], rubbish)
		for range 2 {
			r.now = r.now.Add(10 * time.Minute)
			if err := r.sink.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.pass()
		}
		r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0003 to jo@reader.example for a")
		if diff := cmp.Diff([]store.Damage{{What: store.DamagedEvent, ID: events[1]}}, *got); diff != "" {
			t.Errorf("told of (-want +got):\n%s", diff)
		}
		r.now = r.now.Add(time.Hour)
		k, err := r.store.Reconcile(t.Context(), r.now)
		if err != nil || k.N[store.StuckUnmatched] != 1 || k.Some[store.StuckUnmatched][0] != events[1] {
			t.Errorf("stuck %+v, %v, want the event", k, err)
		}
		r.spoil("evt", events[1], was)
		if err := r.sink.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.pass()
		if got := r.far.told(); len(got) != 3 {
			t.Errorf("told %v, want all three", got)
		}
	})
}

// What was set aside is kept for 30 days, whole; then nothing is left of it.
func TestPruneLetters(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo"), hook), band5("b", "sam", dailyTo("sam", 8)))
		r.far.answer = answer(channel.Bury, channel.ReasonRejected)
		v := vac(1)
		v.Closing = v.Closing.Add(90)
		e := r.see(v)[0]
		r.spoil("msg", alerts.InstantID("a", e.ID(), "hook"), rubbish)
		r.now = eight
		r.pass()
		done := vac(2)
		r.far.answer = nil
		r.see(done)
		r.pass() // leaves tombstones; sam's item of it stays for the next day
		r.later(25 * time.Hour)
		tombs := len(r.setOf("tomb"))
		before := r.outbox(store.LetterQuery{})
		if len(before) != 3 || tombs == 0 {
			t.Fatalf("letters %v, %d tombstones", before, tombs)
		}
		prune := func(at time.Time) {
			t.Helper()
			if err := r.store.Prune(t.Context(), at); err != nil {
				t.Fatal(err)
			}
		}
		prune(eight.AddDate(0, 0, 30).Add(-time.Minute))
		if diff := cmp.Diff(before, r.outbox(store.LetterQuery{})); diff != "" {
			t.Errorf("on the thirtieth day (-want +got):\n%s", diff)
		}
		for id, l := range before {
			if got, _, _, err := r.store.Letter(t.Context(), id, r.now); err != nil || got.Bytes == 0 && l == "buried rejected" {
				t.Errorf("%s has lost its bytes: %+v, %v", id, got, err)
			}
		}
		if got := len(r.setOf("tomb")); got != tombs {
			t.Errorf("%d tombstones on the thirtieth day, want %d", got, tombs)
		}
		told, err := r.store.Told(t.Context(), v.Key())
		if err != nil || len(told) != 3 {
			t.Errorf("marks %v, %v, want those of all letters", told, err)
		}
		prune(r.now.AddDate(0, 0, 31))
		r.nothingLeft()
		if got := r.setOf("tomb"); len(got) != 0 {
			t.Errorf("tombstones are left: %v", got)
		}
	})
}

// An event that cannot be read does not keep the old ones before and after it
// for ever.
func TestPruneDamagedEvent(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng)
		var events []string
		for i := range 40 {
			events = append(events, r.see(vac(i))[0].ID())
		}
		for _, i := range []int{0, 7, 39} {
			r.spoil("evt", events[i], rubbish)
		}
		r.now = noon.AddDate(0, 0, 390)
		fresh := r.see(vac(50))[0].ID()
		if err := r.store.Prune(t.Context(), noon.AddDate(0, 0, 401)); err != nil {
			t.Fatal(err)
		}
		left := map[string]bool{}
		r.inSlots(func(slot string, tx engine.Tx) {
			h := &engine.HScan{Key: "{" + slot + "}:evt", Count: 1000}
			if err := tx.Read(h); err != nil {
				t.Error(err)
			}
			for _, p := range h.Pairs {
				left[p.Field] = true
			}
		})
		for _, id := range events {
			if left[id] && !slices.Contains([]string{events[0], events[7], events[39]}, id) {
				t.Errorf("%s is left", id)
			}
		}
		if !left[fresh] {
			t.Error("the fresh event is gone")
		}
	})
}

// What does not go on is found, and put right where that can be.
func TestReconcile(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")), band5("b", "sam", dailyTo("sam", 8)))
		reconcile := func(want map[string]int) {
			t.Helper()
			k, err := r.store.Reconcile(t.Context(), r.now)
			if diff := cmp.Diff(want, k.N, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("stuck, %v (-want +got):\n%s", err, diff)
			}
		}
		reconcile(nil)
		r.see(vac(1), vac(2))
		if cs, err := r.store.Claim(t.Context(), r.now, time.Minute, 1); err != nil || len(cs) != 1 {
			t.Fatalf("claims %v, %v", cs, err)
		}
		reconcile(nil)
		r.now = noon.Add(17 * time.Minute)
		reconcile(map[string]int{store.StuckLapsed: 1, store.StuckUnclaimed: 1})
		r.now = noon.Add(4 * time.Hour)
		reconcile(map[string]int{store.StuckLapsed: 1, store.StuckUnclaimed: 1, store.StuckWaiting: 2})
		r.pass()
		reconcile(nil)

		// A standstill over the hour of a digest.
		r.now = eight.Add(20 * time.Minute)
		reconcile(map[string]int{store.StuckDigest: 1})
		reconcile(nil)
		r.pass()

		// What a hand took out of its lists.
		r.far.answer = answer(channel.Bury, channel.ReasonContent)
		r.see(vac(3))
		r.pass()
		r.see(vac(4))
		damaged := r.see(vac(5))[0]
		r.spoil("msg", alerts.InstantID("a", damaged.ID(), alerts.Dest(mailTo("jo"))), rubbish)
		r.inSlots(func(slot string, tx engine.Tx) { tx.Del("{"+slot+"}:buried", "{"+slot+"}:due:mail") })
		reconcile(map[string]int{store.StuckStray: 3})
		reconcile(nil)
		if c := r.counts(); c.Buried != 1 || c.Due != 1 || c.Damaged != 1 {
			t.Errorf("counts %+v, want one of each", c)
		}
		r.far.answer = nil
		r.pass()
		if got := r.far.told(); len(got) != 5 {
			t.Errorf("told %v, want all but those set aside", got)
		}

		// An event to be matched whose vacancy is gone is forgotten.
		r.inSlots(func(slot string, tx engine.Tx) {
			tx.ZAdd("{"+slot+"}:todo", engine.Z{Member: "nhs-jobs/gone|new|1", Score: 1e12})
		})
		reconcile(nil)
		if got := r.setOf("todo"); len(got) != 0 {
			t.Errorf("to be matched: %v", got)
		}
	})
}

// Every step of burying, listing, replaying and discarding fails once, failed
// and failed but done, and whoever called repeats what it did. The law: what
// was replayed arrives once, what was discarded never, and nothing is left.
func TestEveryMendStepFails(t *testing.T) {
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprintf("done=%v", done), func(t *testing.T) {
			for at := 1; ; at++ {
				fired := mendFailsAt(t, at, done)
				if t.Failed() {
					t.Fatalf("at step %d", at)
				}
				if !fired {
					if at < 20 {
						t.Errorf("only %d steps were tried: the story is not whole", at-1)
					}
					return
				}
			}
		})
	}
}

func mendFailsAt(t *testing.T, at int, done bool) bool {
	f := &faulty{Engine: enginetest.OpenBolt(t)}
	r := newRig(t, f, band5("a", "jo", mailTo("jo")), band5("b", "sam", dailyTo("sam", 8)), band5("c", "kim", dailyTo("kim", 8)), band5("d", "lee", mailTo("lee")))
	w := &wordless{r.far, false}
	r.deliver.Channels = map[string]channel.Channel{"mail": w}
	r.far.answer = answer(channel.Bury, channel.ReasonContent)
	v := vac(1)
	r.see(v)
	again := func(do func() error) {
		t.Helper()
		var err error
		for range 3 {
			if err = do(); err == nil {
				return
			}
		}
		t.Fatalf("it fails again and again: %v", err)
	}
	deliver := func() {
		t.Helper()
		for range 6 {
			_, _ = r.deliver.Pass(t.Context()) // one that fails leaves its claims to lapse
			r.now = r.now.Add(3 * time.Minute)
		}
	}
	f.arm(at, done)
	deliver()
	w.mute = true
	r.now = eight
	deliver()
	w.mute, r.far.answer = false, nil
	for id := range r.outbox(store.LetterQuery{State: store.LetterBuried}) {
		m, _ := alerts.ParseID(id)
		again(func() error {
			var how store.Mending
			var err error
			if m.Search == "a" || m.Search == "b" {
				_, how, err = r.store.Replay(t.Context(), id, r.now)
			} else {
				_, how, err = r.store.Discard(t.Context(), id, false, r.now)
			}
			if err == nil && how != store.MendDone && (how != store.MendSettled || m.Search == "a" || m.Search == "b") {
				err = errors.New(string(how))
			}
			return err
		})
	}
	deliver()
	r.later(time.Hour)
	fired := f.calls.Load() >= int64(at)
	f.arm(0, false)
	r.later(25 * time.Hour)
	r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0001 to sam@reader.example for b")
	r.nothingLeft()
	if told, err := r.store.Told(t.Context(), v.Key()); err != nil || len(told) != 2 {
		t.Errorf("marks %v, %v, want those of what was told", told, err)
	}
	return fired
}
