package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

func storyOf(events []vacancy.Event) (out []string) {
	for i := range events {
		e := &events[i]
		line := fmt.Sprint(e.Kind, " ", e.Version)
		for _, c := range e.Changes {
			line += fmt.Sprintf(" %s: %s to %s", c.Field, c.Before, c.After)
		}
		out = append(out, line)
	}
	return out
}

// The story of a vacancy comes whole, in its order, with those tied to it.
func TestHistory(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng)
		first, two := vac(1), vac(2)
		first.EmployerReference, first.Closing = "259-7758849SBH-A", vacancy.LondonDay(noon).Add(2)
		r.see(first, two)
		r.now = r.now.Add(time.Hour)
		moved := first
		moved.Closing, moved.Title = first.Closing.Add(3), "Staff Nurse, nights"
		r.see(moved)
		r.now = r.now.Add(7 * 24 * time.Hour)
		if _, err := r.store.Expire(t.Context(), vacancy.LondonDay(r.now), r.now); err != nil {
			t.Fatal(err)
		}
		r.now = r.now.Add(24 * time.Hour)
		again := vac(9)
		again.EmployerReference, again.Title, again.Closing = "259-7758849SBH-B", moved.Title, vacancy.LondonDay(r.now).Add(9)
		r.see(again)

		rec, events, kin, err := r.store.History(t.Context(), first.Key())
		if err != nil || rec == nil {
			t.Fatal(rec, err)
		}
		want := []string{"new 1", "closing_moved 2 closing: 2026-07-16 to 2026-07-19", "amended 3 title: Staff Nurse 1 to Staff Nurse, nights", "closed 4"}
		if diff := cmp.Diff(want, storyOf(events)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if len(kin) != 1 || kin[0].Vacancy.Reference != again.Reference || kin[0].Link.Kind != vacancy.LinkReadvert {
			t.Errorf("tied to the first: %+v", kin)
		}
		_, events, kin, err = r.store.History(t.Context(), again.Key())
		if err != nil || len(events) != 1 || events[0].Kind != vacancy.Readvertised || len(kin) != 1 || kin[0].Vacancy.Reference != first.Reference {
			t.Errorf("of the later one: %v, %d tied, %v", storyOf(events), len(kin), err)
		}
		if _, _, kin, err = r.store.History(t.Context(), two.Key()); err != nil || len(kin) != 0 {
			t.Errorf("one that stands alone has %d tied to it, %v", len(kin), err)
		}
		rec, events, kin, err = r.store.History(t.Context(), vacancy.Key{Source: "nhs-jobs", Reference: "nobody|new|1"})
		if rec != nil || events != nil || kin != nil || err != nil {
			t.Errorf("of an unknown one: %v, %v, %v, %v", rec, events, kin, err)
		}

		moves, err := r.store.Moves(t.Context(), map[vacancy.Key]int{first.Key(): 4, again.Key(): 1, two.Key(): 7})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[vacancy.Key]int{first.Key(): 2}, moves); diff != "" {
			t.Errorf("moves (-want +got):\n%s", diff)
		}
	})
}

// Happened reads the newest first, and stops long before the beginning.
func TestHappened(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng)
		const days = 6
		var since time.Time
		want := map[string]bool{}
		for day := range days {
			var batch []vacancy.Vacancy
			for n := range 300 {
				batch = append(batch, vac(day*300+n))
			}
			if day == days-2 {
				since = r.now
			}
			for _, e := range r.see(batch...) {
				if !since.IsZero() {
					want[e.ID()] = true
				}
			}
			r.now = r.now.Add(24 * time.Hour)
		}
		got := map[string]bool{}
		err := r.store.Happened(t.Context(), since, func(e vacancy.Event) error {
			if got[e.ID()] {
				t.Errorf("%s comes twice", e.ID())
			}
			got[e.ID()] = true
			return nil
		})
		if err != nil || len(want) != 600 {
			t.Fatal(len(want), err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		stop := errors.New("enough")
		if err := r.store.Happened(t.Context(), since, func(vacancy.Event) error { return stop }); err != stop {
			t.Errorf("the error of the callback: got %v", err)
		}
	})
}
