package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

func open(t *testing.T, eng engine.Engine, stamp string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), eng, store.Options{Stamp: stamp, Holder: "me"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// State that is gone, or behind what this machine has seen, is lost, and a
// source that was never crawled is not.
func TestLostState(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		ctx, stamp := t.Context(), filepath.Join(t.TempDir(), "stamp.json")
		s := open(t, eng, stamp)
		st, err := s.State(ctx, "nhs-jobs")
		if err != nil || st.Epoch != "" || st.Lost {
			t.Fatalf("a new source: %+v, %v", st, err)
		}
		st, err = s.Begin(ctx, "nhs-jobs", crawler.FirstRun, noon)
		if err != nil || st.Epoch == "" || st.Baseline == nil || st.Baseline.Reason != crawler.FirstRun {
			t.Fatalf("begun: %+v, %v", st, err)
		}
		st.Runs += 5
		if err := s.Mark(ctx, "nhs-jobs", st); err != nil {
			t.Fatal(err)
		}
		if got, err := open(t, eng, stamp).State(ctx, "nhs-jobs"); err != nil || got.Lost || got.Epoch != st.Epoch {
			t.Errorf("after a restart: %+v, %v", got, err)
		}
		// The same machine over another, empty store.
		empty := open(t, enginetest.OpenBolt(t), stamp)
		got, err := empty.State(ctx, "nhs-jobs")
		if err != nil || !got.Lost || got.Epoch != "" {
			t.Errorf("over an emptied store: %+v, %v, want it lost", got, err)
		}
		if err := empty.Mark(ctx, "nhs-jobs", st); !errors.Is(err, crawler.ErrStateLost) {
			t.Errorf("a mark over an emptied store: %v, want ErrStateLost", err)
		}
		fresh, err := empty.Begin(ctx, "nhs-jobs", crawler.LostState, noon)
		if err != nil || fresh.Epoch == st.Epoch {
			t.Errorf("begun again: %+v, %v", fresh, err)
		}
	})
}

// A sighting of a run that began in another life of the state is refused, with
// nothing stored: to a store without memory everything is new.
func TestEpoch(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		st, err := r.store.Begin(t.Context(), "nhs-jobs", crawler.FirstRun, noon)
		if err != nil {
			t.Fatal(err)
		}
		v := vac(1)
		s := vacancy.Sighting{Vacancy: v, At: noon, Feed: "xml", Listed: vacancy.ListedFacts(&v), Epoch: st.Epoch}
		if _, err := r.store.Begin(t.Context(), "nhs-jobs", crawler.LostState, noon); err != nil {
			t.Fatal(err)
		}
		_, err = r.sink.Accept(t.Context(), []vacancy.Sighting{s})
		if !errors.Is(err, crawler.ErrStateLost) || !errors.Is(err, alerts.ErrStateLost) {
			t.Errorf("got %v, want ErrStateLost of both halves", err)
		}
		if c := r.counts(); c.Known != 0 || c.Queued != 0 {
			t.Errorf("counts %+v, want nothing stored", c)
		}
	})
}

// Two who decided on the same record: the second decides again.
func TestConcurrentAccept(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng)
		v := vac(1)
		a := alerts.Acceptance{Key: v.Key(), Record: vacancy.Record{Vacancy: v, Version: 1}}
		if _, err := r.store.Accept(t.Context(), &a); err != nil {
			t.Fatal(err)
		}
		if _, err := r.store.Accept(t.Context(), &a); !errors.Is(err, alerts.ErrChanged) {
			t.Errorf("got %v, want ErrChanged", err)
		}
	})
}

// One process crawls at a time; a lease that ended is another's, and who wakes
// up late writes over nothing.
func TestLease(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		s, ctx := open(t, eng, ""), t.Context()
		hold := func(who string, at time.Time) bool {
			t.Helper()
			ok, err := s.Hold(ctx, who, at, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		if !hold("a", noon) || hold("b", noon.Add(59*time.Second)) || !hold("a", noon.Add(50*time.Second)) {
			t.Error("the lease is not the first holder's alone")
		}
		st, err := s.Begin(ctx, "nhs-jobs", crawler.FirstRun, noon)
		if err != nil {
			t.Fatal(err)
		}
		late := st
		late.Runs++
		if !hold("b", noon.Add(3*time.Minute)) {
			t.Error("a lease that ended could not be taken")
		}
		st.Runs += 2
		st.Total = 7
		if err := s.Mark(ctx, "nhs-jobs", st); err != nil {
			t.Fatal(err)
		}
		if err := s.Mark(ctx, "nhs-jobs", late); err == nil {
			t.Error("a run that was overtaken could be marked")
		}
		if got, err := s.State(ctx, "nhs-jobs"); err != nil || got.Total != 7 {
			t.Errorf("state %+v, %v: the late writer wrote over it", got, err)
		}
		if err := s.Yield(ctx, "a"); err != nil || hold("a", noon.Add(3*time.Minute)) {
			t.Errorf("who does not hold the lease gave it back: %v", err)
		}
		if err := s.Yield(ctx, "b"); err != nil || !hold("a", noon.Add(3*time.Minute)) {
			t.Errorf("the lease was not given back: %v", err)
		}
	})
}

// The budget of a day outlives a restart and is counted by class; a clock that
// is turned back brings no second one.
func TestBudget(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		monday := vacancy.Day{Year: 2026, Month: 7, Day: 13}
		tuesday := monday.Add(1)
		request := func(day vacancy.Day, class string, limit int) bool {
			t.Helper()
			return take(t, open(t, eng, ""), day, class, limit)
		}
		taken := func(day vacancy.Day) map[string]int {
			t.Helper()
			got, err := open(t, eng, "").Taken(t.Context(), "nhs-jobs", day)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		got := []bool{request(monday, "sweep", 3), request(monday, "hot", 3), request(monday, "sweep", 3), request(monday, "sweep", 3),
			request(monday, "hot", 4), request(monday, "hot", 4)}
		if diff := cmp.Diff([]bool{true, true, true, false, true, false}, got); diff != "" {
			t.Errorf("allowed on Monday (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]int{"sweep": 2, "hot": 2}, taken(monday)); diff != "" {
			t.Errorf("taken on Monday (-want +got):\n%s", diff)
		}
		if len(taken(tuesday)) != 0 || !request(tuesday, "hot", 1) || request(monday, "hot", 1) {
			t.Error("Tuesday has no budget of its own, or the clock turned back brought one")
		}
		if request(tuesday, "hot", 1) {
			t.Error("the clock turned back and on again brought a second budget")
		}
		if diff := cmp.Diff(map[string]int{"hot": 1}, taken(monday)); diff != "" {
			t.Errorf("taken once the clock was turned back (-want +got):\n%s", diff)
		}
		// A clock that was wrong by years does not use up the days until then.
		far := vacancy.Day{Year: 2031, Month: 1, Day: 1}
		if !request(far, "hot", 1) || request(tuesday, "hot", 1) || !request(tuesday.Add(1), "hot", 1) {
			t.Error("a clock that was wrong brought a second budget, or took tomorrow's")
		}
	})
}

// What a program counted that knew no classes is counted still, and what this
// one counts is the sum that such a program goes by.
func TestBudgetWithoutClasses(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		s, day := open(t, eng, ""), vacancy.Day{Year: 2026, Month: 7, Day: 14}
		put := func(b string) {
			t.Helper()
			if err := eng.Update(t.Context(), "vw:meta", func(tx engine.Tx) error {
				tx.HSet("{vw:meta}:budget", "nhs-jobs", []byte(b))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		put(`{"day":"2026-07-14","taken":7}`)
		if take(t, s, day, "hot", 7) || !take(t, s, day, "hot", 8) {
			t.Error("what was counted without a class is not counted")
		}
		got, err := s.Taken(t.Context(), "nhs-jobs", day)
		if diff := cmp.Diff(map[string]int{"": 7, "hot": 1}, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		stored := &engine.HGet{Key: "{vw:meta}:budget", Field: "nhs-jobs"}
		if err := eng.Read(t.Context(), "vw:meta", stored); err != nil {
			t.Fatal(err)
		}
		if want := `{"day":"2026-07-14","taken":8,"by":{"":7,"hot":1}}`; string(stored.Val) != want {
			t.Errorf("stored %s, want %s", stored.Val, want)
		}
		put(`{"day":"2026-07-14","taken":`)
		if _, err := s.Taken(t.Context(), "nhs-jobs", day); err == nil {
			t.Error("a damaged budget was read")
		}
		if ok, err := s.Take(t.Context(), "nhs-jobs", day, "hot", func(map[string]int) bool { return true }); ok || err == nil {
			t.Error("a request was taken from a damaged budget")
		}
	})
}

// However many ask at once, what allows says holds.
func TestBudgetTogether(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		s, day := open(t, eng, ""), vacancy.Day{Year: 2026, Month: 7, Day: 14}
		var granted atomic.Int64
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				for range 8 {
					if take(t, s, day, "hot", 20) {
						granted.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if got, err := s.Taken(t.Context(), "nhs-jobs", day); err != nil || granted.Load() != 20 || got["hot"] != 20 {
			t.Errorf("granted %d, counted %v, %v, want 20", granted.Load(), got, err)
		}
	})
}

// A vacancy is over from midnight in London of the day after its closing date,
// which in summer is 23:00 UTC. Nobody is told; its text is dropped.
func TestExpire(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		v := vac(1)
		v.Text.Summary = "the employer's prose"
		r.see(v, vac(2))
		r.pass()
		expire := func(at time.Time) int {
			t.Helper()
			events, err := r.store.Expire(t.Context(), vacancy.LondonDay(at), at)
			if err != nil {
				t.Fatal(err)
			}
			return len(events)
		}
		if n := expire(time.Date(2026, 7, 28, 22, 59, 59, 0, time.UTC)); n != 0 {
			t.Errorf("%d closed a second before midnight in London", n)
		}
		r.now = time.Date(2026, 7, 28, 23, 0, 0, 0, time.UTC)
		if n := expire(r.now); n != 2 {
			t.Errorf("%d closed at midnight in London, want 2", n)
		}
		if n := expire(r.now); n != 0 {
			t.Errorf("%d closed again", n)
		}
		recs, err := r.store.Records(t.Context(), []vacancy.Key{v.Key()})
		if rec := recs[v.Key()]; err != nil || rec.Closed != vacancy.Expired || rec.Text != (vacancy.Text{}) {
			t.Errorf("record %+v, %v", rec, err)
		}
		told := len(r.far.told())
		// Listed again with a later date, it is open again.
		v.Closing = v.Closing.Add(10)
		if events := r.see(v); len(events) == 0 || events[0].Kind != vacancy.Reopened {
			t.Errorf("events %+v, want reopened", events)
		}
		r.pass()
		if len(r.far.told()) != told {
			t.Errorf("an end or a return was told to a search that did not ask")
		}
		if c := r.counts(); c.Live != 1 {
			t.Errorf("counts %+v, want 1 live", c)
		}
	})
}

// Everything has its time: 30 days for tombstones and told marks after the
// end, 400 days for closed vacancies and events.
func TestPrune(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		v := vac(1)
		r.see(v)
		r.pass()
		over := time.Date(2026, 7, 29, 12, 0, 0, 0, time.UTC)
		if _, err := r.store.Expire(t.Context(), vacancy.LondonDay(over), over); err != nil {
			t.Fatal(err)
		}
		state := func(at time.Time) string {
			t.Helper()
			if err := r.store.Prune(t.Context(), at); err != nil {
				t.Fatal(err)
			}
			told, err := r.store.Told(t.Context(), v.Key())
			if err != nil {
				t.Fatal(err)
			}
			events := 0
			if err := r.store.Events(t.Context(), time.Time{}, func(vacancy.Event) error { events++; return nil }); err != nil {
				t.Fatal(err)
			}
			c := r.counts()
			return fmt.Sprintf("known %d, told %d, events %d", c.Known, len(told), events)
		}
		for _, tt := range []struct {
			at   time.Time
			want string
		}{
			{over.AddDate(0, 0, 29), "known 1, told 1, events 2"},
			{over.AddDate(0, 0, 31), "known 1, told 0, events 2"},
			{over.AddDate(0, 0, 399), "known 1, told 0, events 1"},
			{over.AddDate(0, 0, 401), "known 0, told 0, events 0"},
		} {
			if got := state(tt.at); got != tt.want {
				t.Errorf("at %s: %s, want %s", tt.at.Format(time.DateOnly), got, tt.want)
			}
		}
	})
}

// A folder belongs to one process, and names it the same after a restart.
func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := store.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenFolder(dir); err == nil {
		t.Error("the folder was opened twice")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := store.OpenFolder(dir)
	if err != nil || second.Holder != first.Holder || second.Holder == "" {
		t.Errorf("after a restart the folder is %+v, %v, want the holder %q", second, err, first.Holder)
	}
	second.Close()
	if err := os.WriteFile(filepath.Join(dir, "instance"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenFolder(dir); err == nil {
		t.Error("an empty name was taken")
	}
}

// A damaged stamp is named, with what to do.
func TestDamagedStamp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stamp.json")
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), enginetest.OpenBolt(t), store.Options{Stamp: file}); err == nil {
		t.Error("no error")
	}
}
