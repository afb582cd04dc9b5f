package crawler_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler"
)

// Every call of the store fails once, at every place of a day's work, having
// done nothing or having done all the same. Nothing is lost, and nobody is
// told twice (the memory sees to that).
func TestEveryCallFails(t *testing.T) {
	t.Parallel()
	// day is a baseline, a hot run, a deep run and an unread advert.
	day := func(t *testing.T, r *rig, tolerate bool) (told []string) {
		pass := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); {
				time.Sleep(time.Until(time.Now().Add(time.Minute).Truncate(time.Minute)))
				if err := r.runner.Tick(t.Context()); err != nil && (!tolerate || !errors.Is(err, errFault)) {
					t.Fatalf("tick: %v", err)
				}
			}
		}
		pass(time.Minute)
		// Posted while the baseline may still be going on.
		for range 2 {
			time.Sleep(time.Second)
			if ref := r.publish(); r.state().Epoch != "" {
				told = append(told, ref) // else it was there before us
			}
		}
		pass(9 * time.Minute)
		r.faults("advert 500 count=1")
		for range 2 {
			time.Sleep(time.Second)
			told = append(told, r.publish())
		}
		pass(15 * time.Minute)
		slices.Sort(told)
		return told
	}
	calls := 0
	names := map[string]bool{}
	bubble(t, 15, func(t *testing.T, r *rig) {
		r.mem.fault = func(n int, name string) (error, error) {
			calls, names[name] = n, true
			return nil, nil
		}
		want := day(t, r, false)
		if diff := cmp.Diff(want, r.mem.heard("all")); diff != "" {
			t.Fatalf("without a fault: told (-want +got)\n%s", diff)
		}
	})
	if len(names) != 12 {
		t.Errorf("the day makes calls of %v only", names)
	}
	for n := 1; n <= calls; n++ {
		for _, done := range []bool{false, true} {
			// Each call fails in one of the two ways, its neighbours in the other.
			if done != (n%2 == 0) || testing.Short() && n%4 != 0 {
				continue
			}
			var failed string
			ok := t.Run(fmt.Sprintf("%d, done %v", n, done), func(t *testing.T) {
				bubble(t, 15, func(t *testing.T, r *rig) {
					r.mem.fault = func(i int, name string) (error, error) {
						if i != n {
							return nil, nil
						}
						failed = name
						if done {
							return nil, errFault
						}
						return errFault, nil
					}
					want := day(t, r, true)
					r.complete()
					if diff := cmp.Diff(want, r.mem.heard("all")); diff != "" {
						t.Errorf("told (-want +got)\n%s", diff)
					}
					st := r.state()
					if st.Baseline != nil || time.Since(st.LastGood[crawler.Hot]) > 15*time.Minute {
						t.Errorf("not back to work: %+v", st)
					}
					if st.Backoff != 0 || !st.Gate.IsZero() {
						t.Errorf("the site was taken to have failed: gate %v", st.Gate)
					}
				})
			})
			if !ok {
				t.Logf("the call was %s", failed)
			}
		}
	}
}

// The store is away for an hour; when it is back all goes on.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	bubble(t, 20, func(t *testing.T, r *rig) {
		r.baseline()
		ref := r.publish()
		r.mem.fault = func(int, string) (error, error) { return errFault, nil }
		requests := len(r.site.Requests())
		for range 60 {
			time.Sleep(time.Minute)
			if err := r.runner.Tick(t.Context()); !errors.Is(err, errFault) {
				t.Fatalf("tick: %v", err)
			}
		}
		if n := len(r.site.Requests()) - requests; n > 0 {
			t.Errorf("%d requests without a store", n)
		}
		r.mem.fault = nil
		r.pass(5 * time.Minute)
		if diff := cmp.Diff([]string{ref}, r.mem.heard("all")); diff != "" {
			t.Errorf("told (-want +got)\n%s", diff)
		}
	})
}

// A process may be killed between any two steps: the next one loses nothing.
func TestKilled(t *testing.T) {
	t.Parallel()
	calls := 40
	if testing.Short() {
		calls = 10
	}
	for n := 1; n <= calls; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			bubble(t, 15, func(t *testing.T, r *rig) {
				r.pass(3 * time.Minute)
				var want []string
				for range 3 {
					time.Sleep(time.Second)
					want = append(want, r.publish())
				}
				slices.Sort(want)
				last := r.mem.calls + n
				r.mem.fault = func(i int, _ string) (error, error) {
					if i > last {
						return errFault, nil
					}
					return nil, nil
				}
				for range 8 {
					time.Sleep(time.Minute)
					_ = r.runner.Tick(t.Context()) // Dead from some point on.
				}
				r.mem.fault = nil
				r.start("next")
				r.pass(15 * time.Minute)
				if diff := cmp.Diff(want, r.mem.heard("all")); diff != "" {
					t.Errorf("told (-want +got)\n%s", diff)
				}
				r.complete()
			})
		})
	}
}
