package store_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// changes takes over what changed, by id: whether it is in force.
func changes(t *testing.T, s *store.Store, since alerts.Mark) (map[string]bool, alerts.Mark) {
	t.Helper()
	got := map[string]bool{}
	next, err := s.Changed(t.Context(), since, func(c alerts.Change) {
		if c.Err != nil {
			t.Errorf("search %s: %v", c.ID, c.Err)
		}
		got[c.ID] = c.Search != nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, next
}

// Every change of a search is taken over once by each process, whoever made it
// and however it was made.
func TestChangedSearches(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")), band5("b", "jo", mailTo("jo")), band5("c", "al", hook))
		other, err := store.Open(t.Context(), eng, store.Options{Holder: "other"})
		if err != nil {
			t.Fatal(err)
		}
		want := func(step string, got, want map[string]bool) {
			t.Helper()
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: changes (-want +got):\n%s", step, diff)
			}
		}
		got, mark := changes(t, other, nil)
		want("at first", got, map[string]bool{"a": true, "b": true, "c": true})
		got, mark = changes(t, other, mark)
		want("nothing", got, nil)

		r.provision(band5("a", "jo", mailTo("jo")), band5("b", "jo", mailTo("jo")), band5("c", "al", hook))
		got, mark = changes(t, other, mark)
		want("provisioned as they were", got, nil)

		changed := band5("a", "jo", mailTo("jo"))
		changed.Bands = []string{"6"}
		r.provision(changed, band5("b", "jo", mailTo("jo")), band5("d", "al", hook))
		got, mark = changes(t, other, mark)
		want("one changed, one removed, one added", got, map[string]bool{"a": true, "c": false, "d": true})

		for range 2 {
			if _, err := r.store.EndSearch(t.Context(), "b", store.EndedByReader, r.now); err != nil {
				t.Fatal(err)
			}
		}
		got, mark = changes(t, other, mark)
		want("one ended", got, map[string]bool{"b": false})
		got, _ = changes(t, other, nil)
		want("anew", got, map[string]bool{"a": true, "d": true})

		found, err := other.Find(t.Context(), []string{"a", "b", "c", "d", "e"})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, s := range found {
			ids = append(ids, s.ID)
		}
		slices.Sort(ids)
		if diff := cmp.Diff([]string{"a", "d"}, ids); diff != "" {
			t.Errorf("in force (-want +got):\n%s", diff)
		}

		// Who is too far behind is told so, and who is not goes on.
		r.store.KeepChanges(1)
		late := mark
		for i := range 40 {
			changed.Bands = []string{fmt.Sprint(2 + i%2)}
			more := band5("e", "jo", mailTo("jo"))
			more.Bands = changed.Bands
			r.provision(changed, more, band5("d", "al", hook))
		}
		if _, err := other.Changed(t.Context(), late, func(alerts.Change) {}); !errors.Is(err, alerts.ErrBehind) && eng.Slots() == 1 {
			t.Errorf("Changed after many changes: %v, want ErrBehind", err)
		}
		if _, err := other.Changed(t.Context(), mark[:0], func(alerts.Change) {}); !errors.Is(err, alerts.ErrBehind) {
			t.Errorf("Changed with the mark of another state: %v, want ErrBehind", err)
		}
		c := alerts.NewCatalogue(other, slog.New(slog.DiscardHandler), alerts.NewMetrics(prometheus.NewRegistry()))
		for range 30 {
			r.provision(band5("a", "jo", mailTo("jo")), band5("e", "jo", mailTo("jo")))
			if n, err := c.Len(t.Context()); err != nil || n != 2 {
				t.Fatalf("%d searches in force, %v; want 2", n, err)
			}
			r.provision(band5("a", "jo", mailTo("jo")), band5("e", "jo", mailTo("jo")), band5("f", "jo", hook), band5("g", "jo", hook))
		}
	})
}

// The samples of a few calls hold every search.
func TestSample(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		var searches []vacancy.Search
		for i := range 60 {
			searches = append(searches, band5(fmt.Sprint("s", i), "jo", hook))
		}
		r := newRig(t, eng, searches...)
		seen := map[string]bool{}
		for range 40 {
			sample, err := r.store.Sample(t.Context(), 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range sample {
				seen[s.ID] = true
			}
		}
		if len(seen) != 60 {
			t.Errorf("%d of 60 searches were in a sample", len(seen))
		}
	})
}

// Through the index and the store, the same searches hear of a vacancy as by
// the definition of a match, while searches come, change and go.
func TestToldAsDefined(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		dice := rand.New(rand.NewPCG(1, 2))
		one := func(of ...string) string { return of[dice.IntN(len(of))] }
		random := func(id int) vacancy.Search {
			s := vacancy.Search{ID: fmt.Sprint("s", id), Subscriber: fmt.Sprint("jo", id), Bands: []string{one("4", "5", "6")}, Notify: []vacancy.Notify{hook}}
			if dice.IntN(2) == 0 {
				s.Keywords = one("nurse", "\"staff nurse\"", "NOT theatre", "title:theatre")
			}
			if dice.IntN(3) == 0 {
				s.Employers = []string{one("C9001", "C9002")}
			}
			return s
		}
		searches := map[int]vacancy.Search{}
		r := newRig(t, eng)
		told := map[string]bool{}
		r.sink.Told = func(_ *vacancy.Event, matches []alerts.Match) {
			for _, m := range matches {
				told[m.Search.ID] = true
			}
		}
		for n := range 40 {
			for range 3 {
				id := dice.IntN(30)
				if dice.IntN(4) == 0 {
					delete(searches, id)
				} else {
					searches[id] = random(id)
				}
			}
			var all []vacancy.Search
			for _, s := range searches {
				all = append(all, s)
			}
			r.provision(all...)
			v := vac(n)
			v.Band, v.Title = one("4", "5", "6"), one("Staff Nurse", "Theatre Nurse", "Porter")
			v.Reference = fmt.Sprintf("%s-26-%04d", one("C9001", "C9002"), n)
			v.Derive()
			want := map[string]bool{}
			for i := range all {
				if vacancy.Matches(&all[i], &v, vacancy.LondonDay(r.now)) {
					want[all[i].ID] = true
				}
			}
			clear(told)
			r.see(v)
			if diff := cmp.Diff(want, told); diff != "" {
				t.Fatalf("vacancy %d: told (-want +got):\n%s", n, diff)
			}
		}
	})
}
