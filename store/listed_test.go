package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

func (r *rig) touch(at time.Time, vs ...vacancy.Vacancy) {
	r.t.Helper()
	for _, v := range vs {
		if err := r.store.Touch(r.t.Context(), v.Source, []string{v.Reference}, at); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) absent(since, now time.Time, limit int) crawler.Absence {
	r.t.Helper()
	a, err := r.store.Absent(r.t.Context(), "nhs-jobs", since, now, limit)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// inSlots changes the state behind the store's back, as another program would.
func (r *rig) inSlots(f func(slot string, tx engine.Tx)) {
	r.t.Helper()
	for i := range r.eng.Slots() {
		slot := fmt.Sprintf("vw:%02d", i)
		err := r.eng.Update(r.t.Context(), slot, func(tx engine.Tx) error { f(slot, tx); return nil })
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

// setOf is what a set of vacancies holds, over all slots.
func (r *rig) setOf(name string) map[string]time.Time {
	r.t.Helper()
	out := map[string]time.Time{}
	for i := range r.eng.Slots() {
		slot := fmt.Sprintf("vw:%02d", i)
		z := &engine.ZRange{Key: "{" + slot + "}:" + name, Min: 0, Max: 1e15}
		if err := r.eng.Read(r.t.Context(), slot, z); err != nil {
			r.t.Fatal(err)
		}
		for _, z := range z.Zs {
			out[z.Member] = time.UnixMilli(int64(z.Score)).UTC()
		}
	}
	return out
}

func ref(n int) string { return vac(n).Reference }

// closing is a vacancy that closes on a day of July.
func closing(n, day int) vacancy.Vacancy {
	v := vac(n)
	v.Closing.Day = day
	return v
}

// What no run has listed since is absent, the soonest to close first; what is
// over by its date, closed, or of another source is not counted at all.
func TestAbsent(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng)
		endless := vac(5)
		endless.Closing = vacancy.Day{}
		other, like := vac(6), vac(7)
		other.Source, like.Source = "nhs", "nhs-jobs-2"
		r.see(closing(1, 30), closing(2, 20), closing(3, 25), closing(4, 15), endless, other, like, closing(8, 20))
		night := noon.AddDate(0, 0, 1)
		if got, want := r.absent(noon, noon, 9), (crawler.Absence{Live: 6}); !cmp.Equal(got, want) {
			t.Errorf("at once (-want +got):\n%s", cmp.Diff(want, got))
		}
		r.touch(night, closing(3, 25), other)
		a := r.absent(night, night, 9)
		want := crawler.Absence{Live: 6, Absent: 5, References: []string{ref(4), ref(2), ref(8), ref(1), ref(5)}}
		if diff := cmp.Diff(want, a); diff != "" {
			t.Errorf("after a night (-want +got):\n%s", diff)
		}
		if a := r.absent(night.Add(time.Millisecond), night, 2); a.Absent != 6 || !slices.Equal(a.References, []string{ref(4), ref(2)}) {
			t.Errorf("since later, at most 2: %+v", a)
		}
		if a := r.absent(night, night, 0); a.Absent != 5 || a.References != nil {
			t.Errorf("none asked for: %+v", a)
		}
		// At midnight in London after the 15th the fourth is over, closed or not.
		for _, tt := range []struct {
			at   time.Time
			live int
		}{
			{time.Date(2026, 7, 15, 22, 59, 59, 0, time.UTC), 6},
			{time.Date(2026, 7, 15, 23, 0, 0, 0, time.UTC), 5},
		} {
			if a := r.absent(night, tt.at, 9); a.Live != tt.live || a.Absent != tt.live-1 {
				t.Errorf("at %s: %+v, want %d live", tt.at, a, tt.live)
			}
		}
		key := vac(2)
		if _, err := r.sink.Close(t.Context(), []vacancy.Key{key.Key()}, vacancy.Early, night, ""); err != nil {
			t.Fatal(err)
		}
		if a := r.absent(night, night, 9); a.Live != 5 || a.Absent != 4 || slices.Contains(a.References, ref(2)) {
			t.Errorf("after one was closed: %+v", a)
		}
		if n, err := r.store.Live(t.Context(), "nhs-jobs"); err != nil || n != 5 {
			t.Errorf("live %d, %v, want 5: what Expire has not closed yet is among them", n, err)
		}
		if n, err := r.store.Live(t.Context(), "nowhere"); err != nil || n != 0 {
			t.Errorf("live of an unknown source: %d, %v", n, err)
		}
	})
}

// Of what an older program accepted it is not known when it was listed. Nothing
// is concluded of it before another sweep has not listed it.
func TestAbsentWithoutListing(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng)
		r.see(vac(1), vac(2), vac(3))
		other := vac(4)
		other.Source = "elsewhere"
		r.see(other)
		r.inSlots(func(slot string, tx engine.Tx) { tx.Del("{" + slot + "}:seen") })
		first, second := noon.AddDate(0, 0, 1), noon.AddDate(0, 0, 2)
		r.touch(first, vac(1))
		if diff := cmp.Diff(crawler.Absence{Live: 1}, r.absent(first, first.Add(time.Hour), 9)); diff != "" {
			t.Errorf("the first sweep (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(crawler.Absence{Live: 3}, r.absent(first, first.Add(time.Hour), 9)); diff != "" {
			t.Errorf("asked again (-want +got):\n%s", diff)
		}
		r.touch(second, vac(1), vac(2))
		if a := r.absent(second, second, 9); a.Absent != 1 || !slices.Equal(a.References, []string{ref(3)}) {
			t.Errorf("the second sweep: %+v, want the third alone absent", a)
		}
		if _, ok := r.setOf("seen")[other.Key().String()]; ok {
			t.Error("a vacancy of another source was noted")
		}
	})
}

// The last listing is the latest, whoever comes to note it late; a closed
// vacancy has none; and one noted by a clock that was wrong holds nothing up.
func TestLastListing(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng)
		v := vac(1)
		r.see(v)
		want := func(what string, at time.Time) {
			t.Helper()
			if got := r.setOf("seen")[v.Key().String()]; !got.Equal(at) {
				t.Errorf("%s: listed at %s, want %s", what, got, at)
			}
		}
		want("accepted", noon)
		later := noon.Add(time.Hour)
		r.touch(later, v)
		r.touch(noon.Add(time.Minute), v)
		want("touched late", later)
		r.now = noon.Add(2 * time.Minute)
		v.Closing = v.Closing.Add(1)
		r.see(v)
		want("accepted late", later)
		r.now = later.Add(time.Minute)
		v.Closing = v.Closing.Add(1)
		r.see(v)
		want("accepted", r.now)
		if _, err := r.sink.Close(t.Context(), []vacancy.Key{v.Key()}, vacancy.Early, r.now, ""); err != nil {
			t.Fatal(err)
		}
		want("closed", time.Time{})
		r.now = r.now.Add(time.Hour)
		r.see(v) // once: an old page, perhaps
		r.touch(r.now, v)
		want("listed while closed", time.Time{})
		r.now = r.now.Add(time.Hour)
		r.see(v)
		want("reopened", r.now)

		wrong := r.now.AddDate(3, 0, 0)
		r.touch(wrong, v)
		r.touch(r.now.Add(time.Minute), v)
		want("touched after a wrong clock", r.now.Add(time.Minute))
		r.touch(wrong, v)
		r.absent(r.now, r.now.Add(time.Hour), 0)
		want("asked for after a wrong clock", r.now.Add(time.Hour))
	})
}

// A broken store is no empty one: each look says so.
func TestBrokenLooks(t *testing.T) {
	c := &cutAfterStep{Engine: enginetest.OpenBolt(t)}
	r := newRig(t, c, band5("a", "jo", mailTo("jo")))
	r.see(vac(1))
	c.cut = true
	ctx := t.Context()
	for name, look := range map[string]func() error{
		"Absent":  func() error { _, err := r.store.Absent(ctx, "nhs-jobs", noon, noon, 1); return err },
		"Live":    func() error { _, err := r.store.Live(ctx, "nhs-jobs"); return err },
		"Rereads": func() error { _, err := r.store.Rereads(ctx, "nhs-jobs", noon.AddDate(1, 0, 0), 1); return err },
		"Silent":  func() error { _, _, err := r.store.Silent(ctx, "nhs-jobs", noon, 1, ""); return err },
		"Taken":   func() error { _, err := r.store.Taken(ctx, "nhs-jobs", vacancy.LondonDay(noon)); return err },
	} {
		if err := look(); !errors.Is(err, errBroken) {
			t.Errorf("%s: got %v, want that the store is broken", name, err)
		}
	}
}

// How long the looks of a sweep take over a full board, and a request's count.
func TestFullBoard(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		s := open(t, eng, "")
		const live, step = 12_000, 1_000
		night := noon.AddDate(0, 0, 1)
		slots := eng.Slots()
		for from := 0; from < live; from += step {
			slot := fmt.Sprintf("vw:%02d", from/step%slots)
			err := eng.Update(t.Context(), slot, func(tx engine.Tx) error {
				for n := from; n < from+step; n++ {
					id, listed := fmt.Sprintf("nhs-jobs/C9001-26-%06d", n), night
					if n%10 == 0 {
						listed = noon
					}
					tx.ZAdd("{"+slot+"}:live", engine.Z{Member: id, Score: float64(night.AddDate(0, 0, n%30).UnixMilli())})
					tx.ZAdd("{"+slot+"}:seen", engine.Z{Member: id, Score: float64(listed.UnixMilli())})
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		begun := time.Now()
		a, err := s.Absent(t.Context(), "nhs-jobs", night, night, 80)
		absent := time.Since(begun)
		if err != nil || a.Live != live || a.Absent != live/10 || len(a.References) != 80 {
			t.Fatalf("%d live, %d absent, %d named, %v", a.Live, a.Absent, len(a.References), err)
		}
		begun = time.Now()
		if n, err := s.Live(t.Context(), "nhs-jobs"); err != nil || n != live {
			t.Fatalf("live %d, %v", n, err)
		}
		counted := time.Since(begun)
		const requests = 200
		begun = time.Now()
		for range requests {
			take(t, s, vacancy.LondonDay(noon), "sweep", 1_000)
		}
		t.Logf("%d live: Absent %s, Live %s; Take %s", live, absent, counted, time.Since(begun)/requests)
		if absent > 5*time.Second {
			t.Errorf("Absent took %s", absent) // far more than a busy machine explains
		}
	})
}

// take counts one request of a class, as long as less than limit were taken in all.
func take(t *testing.T, s *store.Store, day vacancy.Day, class string, limit int) bool {
	t.Helper()
	ok, err := s.Take(t.Context(), "nhs-jobs", day, class, func(taken map[string]int) bool {
		sum := 0
		for _, n := range taken {
			sum += n
		}
		return sum < limit
	})
	if err != nil {
		t.Fatal(err)
	}
	return ok
}
