package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

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
