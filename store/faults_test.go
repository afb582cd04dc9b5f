package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

func (f *faulty) Update(ctx context.Context, slot string, fn func(engine.Tx) error) error {
	if f.calls.Add(1) != f.at {
		return f.Engine.Update(ctx, slot, fn)
	}
	if !f.done {
		return errBroken
	}
	if err := f.Engine.Update(ctx, slot, fn); err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", engine.ErrUnknown, errBroken)
}

// Every step of the store fails once, in both forms: failed, and failed but
// done. Whoever called repeats what it did, as the program does. The law:
// nothing is lost, and nothing is told twice, not even here, for a settling
// that failed is repeated as a settling.
func TestEveryStepFails(t *testing.T) {
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprintf("done=%v", done), func(t *testing.T) {
			steps := 0
			for at := 1; ; at++ {
				if !failsAt(t, at, done) {
					break
				}
				if steps = at; t.Failed() {
					t.Fatalf("at step %d", at)
				}
			}
			if steps < 15 {
				t.Errorf("only %d steps were tried: the story is not whole", steps)
			}
		})
	}
}

// failsAt plays the story with step at failing; it reports false where the
// story has fewer steps.
func failsAt(t *testing.T, at int, done bool) bool {
	f := &faulty{Engine: enginetest.OpenBolt(t)}
	r := newRig(t, f, band5("a", "jo", mailTo("jo"), hook), band5("b", "sam", dailyTo("sam", 8)))
	f.arm(at, done)
	again := func(do func() error) {
		t.Helper()
		for range 3 {
			if do() == nil {
				return
			}
		}
		t.Fatal("it fails again and again")
	}
	accept := func(v vacancy.Vacancy) {
		t.Helper()
		again(func() error {
			_, err := r.sink.Accept(t.Context(), []vacancy.Sighting{{Vacancy: v, At: r.now, Feed: "xml", Listed: vacancy.ListedFacts(&v)}})
			return err
		})
	}
	deliver := func() {
		t.Helper()
		for range 6 {
			// A pass that fails leaves its claims to lapse.
			if _, err := r.deliver.Pass(t.Context()); err != nil {
				r.now = r.now.Add(5 * time.Minute)
			}
		}
	}
	v := vac(1)
	accept(v)
	deliver()
	v.Closing = v.Closing.Add(3)
	accept(v)
	deliver()
	r.now = time.Date(2026, 7, 15, 7, 0, 1, 0, time.UTC)
	deliver()
	r.later(time.Hour)
	fired := f.calls.Load() >= int64(at)
	f.arm(0, false)

	want := []string{
		"new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0001 to  for a",
		"closing_moved C9001-26-0001 to jo@reader.example for a", "closing_moved C9001-26-0001 to  for a",
		"new C9001-26-0001 to sam@reader.example for b",
	}
	r.wantTold(want...)
	events := []string{}
	err := r.store.Events(t.Context(), time.Time{}, func(e vacancy.Event) error {
		events = append(events, string(e.Kind))
		return nil
	})
	if got := strings.Join(events, " "); err != nil || got != "new closing_moved" {
		t.Errorf("the log holds %q, %v, want each event once", got, err)
	}
	return fired
}

// Every step of the crawl's side fails once, failed and failed but done, and
// whoever called repeats what it did. The law: what was listed is not absent,
// what was not is; the page wished for is read once and then no more; and
// nothing taken in silence is lost.
func TestEveryCrawlStepFails(t *testing.T) {
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprintf("done=%v", done), func(t *testing.T) {
			steps := 0
			for at := 1; crawlFailsAt(t, at, done); at++ {
				if steps = at; t.Failed() {
					t.Fatalf("at step %d", at)
				}
			}
			if steps < 15 {
				t.Errorf("only %d steps were tried: the story is not whole", steps)
			}
		})
	}
}

func crawlFailsAt(t *testing.T, at int, done bool) bool {
	f := &faulty{Engine: enginetest.OpenBolt(t)}
	r := newRig(t, f, band5("a", "jo", mailTo("jo")))
	again := func(do func() error) {
		t.Helper()
		for range 2 {
			if do() == nil {
				return
			}
		}
		t.Fatal("it fails again and again")
	}
	accept := func(v vacancy.Vacancy, baseline bool) {
		t.Helper()
		again(func() error {
			_, err := r.sink.Accept(t.Context(), []vacancy.Sighting{{Vacancy: v, At: r.now, Feed: "xml",
				Listed: vacancy.ListedFacts(&v), Baseline: baseline, BaselineSince: r.now}})
			return err
		})
	}
	sent := 0
	day := vacancy.Day{Year: 2026, Month: 7, Day: 14}
	request := func() {
		t.Helper()
		again(func() error {
			ok, err := r.store.Take(t.Context(), "nhs-jobs", day, "sweep", func(taken map[string]int) bool { return taken["sweep"] < 4 })
			if ok && err != nil {
				t.Error("a request was granted with an error")
			}
			if ok {
				sent++
			}
			return err
		})
	}
	// What an older program left: a vacancy taken in silence, in no list, and
	// of which it is not known when it was listed.
	r.silently(posted(1, 1))
	r.inSlots(func(slot string, tx engine.Tx) {
		tx.Del("{" + slot + "}:seen")
		tx.Del("{" + slot + "}:silent")
	})
	f.arm(at, done)
	accept(vac(2), false)
	accept(vac(3), false)
	accept(posted(4, 2), true)
	night := noon.AddDate(0, 0, 1)
	for range 3 {
		request()
	}
	again(func() error { return r.store.Touch(t.Context(), "nhs-jobs", []string{ref(2), ref(4)}, night) })
	var a crawler.Absence
	again(func() (err error) {
		a, err = r.store.Absent(t.Context(), "nhs-jobs", night, night, 9)
		return err
	})
	var silent []string
	again(func() error {
		recs, next, err := r.store.Silent(t.Context(), "nhs-jobs", time.Time{}, 9, "")
		silent = nil
		for _, rec := range recs {
			silent = append(silent, rec.Vacancy.Reference)
		}
		if next != "" {
			t.Errorf("it goes on at %q", next)
		}
		return err
	})
	r.now = noon.AddDate(0, 0, 7)
	due := r.rereads(r.now, 9)
	third := vac(3)
	again(func() error { return r.store.PutOff(t.Context(), third.Key(), r.now.Add(time.Hour)) })
	accept(vac(2), false) // read once more
	putOff := r.rereads(r.now, 9)
	later := r.rereads(r.now.Add(time.Hour), 9)
	again(func() error {
		_, err := r.sink.Close(t.Context(), []vacancy.Key{third.Key()}, vacancy.Early, r.now, "")
		return err
	})
	again(func() error { return r.store.Prune(t.Context(), r.now) })
	fired := f.calls.Load() >= int64(at)
	f.arm(0, false)

	if a.Absent != 1 || !slices.Equal(a.References, []string{ref(3)}) {
		t.Errorf("absent %+v, want the third", a)
	}
	if diff := cmp.Diff([]string{ref(1), ref(4)}, silent); diff != "" {
		t.Errorf("taken in silence (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{ref(2), ref(3)}, {}, {ref(3)}}, [][]string{due, putOff, later}); diff != "" {
		t.Errorf("to be read again: due, after one was and one was put off, later (-want +got):\n%s", diff)
	}
	if got := r.setOf("reread"); len(got) != 0 {
		t.Errorf("wishes are left: %v", got)
	}
	if taken, err := r.store.Taken(t.Context(), "nhs-jobs", day); err != nil || taken["sweep"] < sent || taken["sweep"] > 4 || sent != 3 {
		t.Errorf("%d requests were sent, %v are counted, %v", sent, taken, err)
	}
	return fired
}
