package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

func keyOf(n int) vacancy.Key { return vacancy.Key{Source: "nhs-jobs", Reference: fmt.Sprint("R", n)} }

func keysOf(ns ...int) []vacancy.Key {
	var out []vacancy.Key
	for _, n := range ns {
		out = append(out, keyOf(n))
	}
	return out
}

// Kin returns who was noted before under a name, newest first, and gives the
// same when the batch is repeated.
func TestKin(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		s := open(t, eng, "")
		kin := func(named ...alerts.Named) [][]vacancy.Key {
			t.Helper()
			got, err := s.Kin(t.Context(), named, noon)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		same := func(what string, got [][]vacancy.Key, want ...[]vacancy.Key) {
			t.Helper()
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		a := alerts.Named{Key: keyOf(1), Names: []string{"x", "y"}}
		b := alerts.Named{Key: keyOf(2), Names: []string{"y", "z"}}
		c := alerts.Named{Key: keyOf(3), Names: []string{"z", "x"}}
		none := alerts.Named{Key: keyOf(4)}
		for _, what := range []string{"a batch", "the same batch again"} {
			same(what, kin(a, b, c, none), nil, keysOf(1), keysOf(2, 1), nil)
		}
		same("apart", kin(c), keysOf(2, 1))
		same("the first of all", kin(a), nil)
		same("under two names, of which one is new", kin(alerts.Named{Key: keyOf(1), Names: []string{"x", "z"}}), keysOf(3, 2))
		same("another name", kin(alerts.Named{Key: keyOf(5), Names: []string{"X"}}), nil)
		same("twice in a batch", kin(alerts.Named{Key: keyOf(6), Names: []string{"w"}}, alerts.Named{Key: keyOf(6), Names: []string{"w"}}), nil, nil)
		same("nobody", kin())

		// Of a name that many share the newest are kept.
		for n := range 30 {
			kin(alerts.Named{Key: keyOf(100 + n), Names: []string{"many"}})
		}
		got := kin(alerts.Named{Key: keyOf(200), Names: []string{"many"}})
		if len(got[0]) != 20 || got[0][0] != keyOf(129) || got[0][19] != keyOf(110) {
			t.Errorf("of 30 under a name: %v", got[0])
		}
	})
}

// A name goes 490 days after the last vacancy was noted under it.
func TestPruneKin(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		s := open(t, eng, "")
		kin := func(n int, name string, at time.Time) []vacancy.Key {
			t.Helper()
			got, err := s.Kin(t.Context(), []alerts.Named{{Key: keyOf(n), Names: []string{name}}}, at)
			if err != nil {
				t.Fatal(err)
			}
			return got[0]
		}
		later := noon.AddDate(0, 0, 300)
		kin(1, "old", noon)
		kin(1, "used again", noon)
		kin(2, "used again", later)
		now := noon.AddDate(0, 0, 491)
		if err := s.Prune(t.Context(), noon.AddDate(0, 0, 489)); err != nil {
			t.Fatal(err)
		}
		if got := kin(2, "old", noon); len(got) != 1 {
			t.Errorf("after 489 days there are %v, want one", got)
		}
		if err := s.Prune(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if got := kin(3, "old", now); len(got) != 0 {
			t.Errorf("after 491 days there are still %v", got)
		}
		if got := kin(3, "used again", now); len(got) != 2 {
			t.Errorf("of a name that was used since there are %v, want two", got)
		}
	})
}

// numbered is a vacancy with a number of its employer's.
func numbered(n int, ref string) vacancy.Vacancy {
	v := vac(n)
	v.Title, v.EmployerReference = "Ward Clerk", ref
	v.Derive()
	return v
}

// record returns what the store holds of a vacancy.
func (r *rig) record(v vacancy.Vacancy) vacancy.Record {
	r.t.Helper()
	records, err := r.store.Records(r.t.Context(), []vacancy.Key{v.Key()})
	if err != nil {
		r.t.Fatal(err)
	}
	return records[v.Key()]
}

// expire turns the clock to a day after all of vac have closed.
func (r *rig) expire() {
	r.t.Helper()
	r.now = noon.AddDate(0, 0, 20)
	if _, err := r.store.Expire(r.t.Context(), vacancy.LondonDay(r.now), r.now); err != nil {
		r.t.Fatal(err)
	}
}

// afresh is a vacancy that is posted when the first ones have closed.
func afresh(v vacancy.Vacancy) vacancy.Vacancy {
	v.Closing, v.Posted = v.Closing.Add(20), vacancy.AtTime(noon.AddDate(0, 0, 20))
	return v
}

// A vacancy that is advertised again is told like a new one, by its own name
// and with the first, but not to a search that asks for new ones alone.
func TestReadvertised(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		onlyNew := band5("b", "sam", mailTo("sam"))
		onlyNew.Kinds = []vacancy.Kind{vacancy.New}
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")), onlyNew)
		r.see(numbered(1, "900-7758849SBH-A"))
		r.pass()
		r.expire()
		second := afresh(numbered(2, "900-7758849SBH-B"))
		events := r.see(second)
		if len(events) != 1 || events[0].Kind != vacancy.Readvertised || events[0].Related != "C9001-26-0001" || events[0].Relation != vacancy.LinkReadvert {
			t.Fatalf("events %+v, want one of readvertised", events)
		}
		r.see(second)
		r.pass()
		r.wantTold(
			"new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0001 to sam@reader.example for b",
			"readvertised C9001-26-0002 to jo@reader.example for a",
		)
		want := vacancy.Link{Kind: vacancy.LinkReadvert, Reference: "C9001-26-0001", Why: "the employer reference follows 900-7758849SBH-A", First: true}
		if diff := cmp.Diff(want, r.record(second).Link); diff != "" {
			t.Errorf("link (-want +got):\n%s", diff)
		}
	})
}

// One whose first event said that it is advertised again is matched again under
// that name when its page is read.
func TestReadvertisedPageReadLater(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		leeds, err := vacancy.NewPlace("Leeds", 10)
		if err != nil {
			t.Fatal(err)
		}
		r := newRig(t, eng,
			vacancy.Search{ID: "leeds", Subscriber: "jo", Places: []vacancy.Place{leeds}, Notify: []vacancy.Notify{mailTo("jo")}},
			band5("five", "sam", mailTo("sam")))
		first := numbered(1, "900-7758849SBH-A")
		first.Locations = nil
		first.Band = "4"
		r.see(first)
		r.expire()
		page := afresh(numbered(2, "900-7758849SBH-A"))
		listed := page
		listed.Band, listed.BandFrom, listed.PageUnread = "", "", true
		r.see(listed)
		r.now = r.now.Add(time.Hour)
		r.see(page)
		r.see(page)
		r.pass()
		r.wantTold("readvertised C9001-26-0002 to jo@reader.example for leeds", "readvertised C9001-26-0002 to sam@reader.example for five")
	})
}

// A vacancy that is listed twice is told to nobody who was told of it under its
// other reference, however it becomes known, and to others as new.
func TestTwin(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		jo, sam := band5("a", "jo", mailTo("jo")), band5("b", "sam", mailTo("sam"))
		r := newRig(t, eng, jo)
		r.see(numbered(1, "900-7758849SBH-A"))
		r.pass()
		r.provision(jo, sam)
		events := r.see(numbered(2, "900-7758849SBH-A"))
		if len(events) != 1 || events[0].Kind != vacancy.New || events[0].Related != "C9001-26-0001" || events[0].Relation != vacancy.LinkTwin {
			t.Fatalf("events %+v, want a new one with its twin", events)
		}
		r.pass()
		// A third one, whose number is known only when its page is read.
		third := numbered(3, "900-7758849SBH-A")
		listed := third
		listed.EmployerReference, listed.Band, listed.BandFrom, listed.PageUnread = "", "", "", true
		r.see(listed)
		r.see(third)
		// A fourth, which meets the searches only when it is amended.
		fourth := numbered(4, "900-7758849SBH-A")
		fourth.Band = "6"
		r.see(fourth)
		fourth.Band = "5"
		r.see(fourth)
		r.pass()
		r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0002 to sam@reader.example for b",
			"new C9001-26-0003 to sam@reader.example for b", "new C9001-26-0004 to sam@reader.example for b")
		if link := r.record(third).Link; link.Kind != vacancy.LinkTwin || link.Reference != "C9001-26-0001" || link.First {
			t.Errorf("link of the one that was read late: %+v", link)
		}
	})
}

// Two listings of one vacancy are one entry of a digest, and neither comes back.
func TestTwinInADigest(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		r.see(numbered(1, "900-7758849SBH-A"), numbered(2, "900-7758849SBH-A"), vac(3))
		for range 48 {
			r.later(time.Hour)
		}
		r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0003 to jo@reader.example for a")
		if c := r.counts(); c.Digests != 0 || c.Queued != 0 {
			t.Errorf("counts %+v, want nothing left", c)
		}
	})
}

// Adverts of one post for several sites are told each, with the other.
func TestSibling(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		var vs []vacancy.Vacancy
		for i, place := range []string{"Leeds LS1 3EX", "Leeds LS9 7TF"} {
			v := numbered(i+1, "")
			v.Locations = []vacancy.Location{vacancy.ParseLocation(place)}
			v.Text.Duties = "Keep the ward's papers in order, and its visitors informed."
			v.Derive()
			vs = append(vs, v)
		}
		events := r.see(vs...)
		if len(events) != 2 || events[1].Related != "C9001-26-0001" || events[1].Relation != vacancy.LinkSibling || events[1].Kind != vacancy.New {
			t.Errorf("events %+v, want the second tied to the first", events)
		}
		r.pass()
		r.wantTold("new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0002 to jo@reader.example for a")
	})
}

// A baseline is noted, so that what comes later finds it.
func TestKinOfABaseline(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		old := numbered(1, "900-7758849SBH-A")
		s := vacancy.Sighting{Vacancy: old, At: r.now, Feed: "xml", Listed: vacancy.ListedFacts(&old), Baseline: true, BaselineSince: r.now}
		s.Vacancy.PageUnread = true
		if _, err := r.sink.Accept(t.Context(), []vacancy.Sighting{s}); err != nil {
			t.Fatal(err)
		}
		r.now = r.now.Add(time.Hour)
		r.see(numbered(2, "900-7758849SBH-A"))
		if link := r.record(numbered(2, "")).Link; link.Kind != vacancy.LinkTwin {
			t.Errorf("link %+v, want a twin of the baseline", link)
		}
		r.pass()
		r.wantTold("new C9001-26-0002 to jo@reader.example for a")
	})
}

// A counting engine counts the steps and looks that reach it.
type counting struct {
	engine.Engine
	steps, looks atomic.Int64
}

func (c *counting) Update(ctx context.Context, slot string, fn func(engine.Tx) error) error {
	c.steps.Add(1)
	return c.Engine.Update(ctx, slot, fn)
}

func (c *counting) Read(ctx context.Context, slot string, reads ...engine.Read) error {
	c.looks.Add(1)
	return c.Engine.Read(ctx, slot, reads...)
}

// A page of the first sweep takes one step a vacancy, and for all its relatives
// together one a slot, beside a look at each slot for changed searches; when it is listed again, nothing is written for them.
func TestKinIsCheap(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		c := &counting{Engine: eng}
		r := newRig(t, c)
		var page []vacancy.Sighting
		for i := range 100 {
			v := vac(i)
			v.Title, v.PageUnread = fmt.Sprintf("Nurse %d", i%40), true
			page = append(page, vacancy.Sighting{Vacancy: v, At: r.now, Feed: "xml", Listed: vacancy.ListedFacts(&v), Baseline: true, BaselineSince: r.now})
		}
		r.see(vac(1000)) // loads the searches
		slots := int64(eng.Slots())
		for _, want := range []struct{ steps, looks int64 }{{100 + slots, slots}, {100, slots}} {
			c.steps.Store(0)
			c.looks.Store(0)
			if _, err := r.sink.Accept(t.Context(), page); err != nil {
				t.Fatal(err)
			}
			if steps, looks := c.steps.Load(), c.looks.Load()-slots; steps > want.steps || looks > want.looks {
				t.Errorf("%d steps and %d looks, want at most %d and %d", steps, looks, want.steps, want.looks)
			}
		}
	})
}

// Whatever step fails, before or after it was done, a vacancy that is listed
// twice is told once when the batch is repeated.
func TestTwinWhateverFails(t *testing.T) {
	for _, done := range []bool{false, true} {
		for at := 1; ; at++ {
			f := &faulty{Engine: enginetest.OpenBolt(t)}
			r := newRig(t, f, band5("a", "jo", mailTo("jo")))
			f.arm(at, done)
			var batch []vacancy.Sighting
			for n := range 2 {
				v := numbered(n+1, "900-7758849SBH-A")
				batch = append(batch, vacancy.Sighting{Vacancy: v, At: r.now, Feed: "xml", Listed: vacancy.ListedFacts(&v)})
			}
			_, err := r.sink.Accept(t.Context(), batch)
			if fired := f.calls.Load() >= int64(at); !fired {
				if at < 4 {
					t.Errorf("the story has %d steps, want one of Kin and two of Accept", at-1)
				}
				break
			} else if err == nil {
				t.Errorf("done %v, step %d: no error", done, at)
			}
			f.arm(0, false)
			if _, err := r.sink.Accept(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			r.pass()
			r.wantTold("new C9001-26-0001 to jo@reader.example for a")
		}
	}
}
