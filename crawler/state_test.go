package crawler_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler"
)

// What the site asked for outlives a store that fails, and one that forgets.
func TestMannersOutliveTheStore(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"xml 429 retry-after=7200 count=1", "xml 403 count=1", "advert 403 count=1"} {
		for _, lost := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, lost %v", script, lost), func(t *testing.T) {
				bubble(t, 20, func(t *testing.T, r *rig) {
					r.baseline()
					r.publish()
					r.faults(script)
					marks := 0
					r.mem.fault = func(_ int, name string) (error, error) {
						if name != "Mark" {
							return nil, nil
						}
						if marks++; marks == 1 {
							return nil, nil // the number of the run
						}
						if lost {
							if marks == 2 {
								r.mem.empty()
							}
							return nil, nil
						}
						if marks < 6 {
							return errFault, nil
						}
						return nil, nil
					}
					before := len(r.site.Requests())
					r.run(crawler.Hot)
					struck := len(r.site.Requests())
					if struck == before {
						t.Fatal("nothing was asked")
					}
					for end := time.Now().Add(time.Hour); time.Now().Before(end); {
						time.Sleep(time.Minute)
						_ = r.runner.Tick(t.Context()) // The store fails now and then.
					}
					after := r.asked("any", struck)
					if strings.HasPrefix(script, "advert") {
						after = r.asked("advert", struck)
					}
					if after > 0 {
						t.Errorf("%d requests after %s", after, script)
					}
					if st := r.state(); st.Gate.IsZero() && st.Stopped == "" && !st.HTMLForbidden {
						t.Errorf("not stored in the end: %+v", st)
					}
				})
			})
		}
	}
}

// A person who resumes the source while a run goes on has the last word, but
// for what the run has learned since.
func TestResumedWithinARun(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]crawler.State{"": {}, "xml 403": {Stopped: crawler.StoppedForbidden}} {
		bubble(t, 20, func(t *testing.T, r *rig) {
			r.baseline()
			st := r.state()
			st.HTMLForbidden = true
			if err := r.mem.Mark(t.Context(), r.src.Name, st); err != nil {
				t.Fatal(err)
			}
			r.faults(script)
			resumed := false
			r.mem.fault = func(_ int, name string) (error, error) {
				if name != "Take" || resumed {
					return nil, nil
				}
				resumed = true
				st := r.mem.read(r.src.Name)
				st.HTMLForbidden = false
				st.Runs++
				r.mem.write(r.src.Name, st)
				return nil, nil
			}
			r.run(crawler.Hot)
			if _, _, err := r.runner.Enter(t.Context()); err != nil {
				t.Fatal(err)
			}
			if st := r.state(); !resumed || st.HTMLForbidden || st.Stopped != want.Stopped {
				t.Errorf("%q: resumed %v, then stopped %q, pages forbidden %v", script, resumed, st.Stopped, st.HTMLForbidden)
			}
		})
	}
}

// A restart asks no faster than the process before it, and forgets nothing.
func TestRestart(t *testing.T) {
	t.Parallel()
	bubble(t, 200, func(t *testing.T, r *rig) {
		r.baseline()
		ref := r.publish()
		for i := range 20 { // The wire sees that each keeps its distance.
			r.start(fmt.Sprint("process ", i))
			r.mem.lose0()
			r.tick()
		}
		r.pass(10 * time.Minute)
		if diff := cmp.Diff([]string{ref}, r.mem.heard("all")); diff != "" {
			t.Errorf("told (-want +got)\n%s", diff)
		}
		if n := r.asked("xml", 0); n > 12 {
			t.Errorf("%d listings", n)
		}
	})
}

// lose0 frees the lease, as a process that ends well does.
func (m *memory) lose0() { m.mu.Lock(); m.holder, m.until = "", time.Time{}; m.mu.Unlock() }

// A state that is emptied or replaced under a run is begun anew, in silence.
func TestLostState(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"listing", "advert", "accepted"} {
		t.Run(step, func(t *testing.T) {
			bubble(t, 20, func(t *testing.T, r *rig) {
				r.baseline()
				first := r.publish()
				time.Sleep(time.Minute)
				lost := false
				r.runner.Progress = func(p crawler.Progress) {
					if p.Step == step && !lost {
						lost = true
						r.mem.lose()
					}
				}
				st, rep := r.run(crawler.Hot)
				if !lost || rep.Verdict != crawler.Aborted || st.Baseline == nil || st.Baseline.Reason != crawler.LostState {
					t.Fatalf("%+v: %+v", rep, st)
				}
				time.Sleep(time.Second)
				later := r.publish()
				r.counts(1, "baseline_active", "reason", crawler.LostState)
				r.tick()
				r.baseline()
				r.complete()
				want := []string{later}
				if step == "accepted" {
					want = []string{first, later}
				}
				slices.Sort(want)
				if diff := cmp.Diff(want, r.mem.heard("all")); diff != "" {
					t.Errorf("told (-want +got)\n%s", diff)
				}
			})
		})
	}
}

// A state lost between two ticks is found out by its number of runs.
func TestLostBetweenTicks(t *testing.T) {
	t.Parallel()
	bubble(t, 20, func(t *testing.T, r *rig) {
		r.src.Announce = true // holds for a first run only
		r.start("first")
		r.mem.stamp = 1 // another process has crawled here before
		r.baseline()
		r.complete()
		if got := r.mem.heard("all"); len(got) > 0 {
			t.Errorf("told of %d", len(got))
		}
		if n := r.asked("advert", 0); n != 0 {
			t.Errorf("%d adverts were read in a baseline", n)
		}
		r.counts(0, "baseline_active", "reason", crawler.LostState)
		r.mem.lose()
		r.tick()
		if st := r.state(); st.Baseline == nil && st.LastGood[crawler.Sweep].IsZero() {
			t.Errorf("%+v", st)
		}
		if got := r.mem.heard("all"); len(got) > 0 {
			t.Errorf("told of %d", len(got))
		}
	})
}

// A process that was paused has lost the lease: it writes nothing over what
// the other one stored, whether it notices or not.
func TestLeaseTakenOver(t *testing.T) {
	t.Parallel()
	for _, returned := range []bool{false, true} {
		t.Run(fmt.Sprint("given back ", returned), func(t *testing.T) {
			bubble(t, 20, func(t *testing.T, r *rig) {
				r.baseline()
				r.publish()
				time.Sleep(time.Minute)
				var newer crawler.State
				r.runner.Progress = func(p crawler.Progress) {
					if p.Step != "listing" || !newer.Gate.IsZero() {
						return
					}
					// The machine sleeps; another process makes a run.
					time.Sleep(time.Hour)
					st, err := r.mem.State(t.Context(), "nhs-jobs")
					if err != nil {
						t.Fatal(err)
					}
					st.Runs++
					st.Gate = time.Now().Add(10 * time.Minute).UTC()
					if err := r.mem.Mark(t.Context(), "nhs-jobs", st); err != nil {
						t.Fatal(err)
					}
					newer = st
					r.mem.mu.Lock()
					r.mem.holder, r.mem.until = "another", time.Now().Add(time.Minute)
					if returned {
						r.mem.until = time.Now()
					}
					r.mem.mu.Unlock()
				}
				_, rep := r.run(crawler.Hot)
				if rep.Verdict != crawler.Aborted {
					t.Errorf("%+v", rep)
				}
				if got := r.state(); !got.Gate.Equal(newer.Gate) || got.Runs != newer.Runs {
					t.Errorf("the newer state was written over: gate %v, run %d, want %v, %d", got.Gate, got.Runs, newer.Gate, newer.Runs)
				}
			})
		})
	}
}

// Two processes on one memory: one crawls.
func TestStandby(t *testing.T) {
	t.Parallel()
	bubble(t, 20, func(t *testing.T, r *rig) {
		r.baseline()
		one := r.runner
		r.start("standby")
		before := len(r.site.Requests())
		if _, ok, err := r.runner.Enter(t.Context()); ok || err != nil {
			t.Errorf("the standby crawls: %v, %v", ok, err)
		}
		if _, err := r.runner.Once(t.Context()); err == nil {
			t.Error("once crawls beside another process")
		}
		if n := len(r.site.Requests()); n != before {
			t.Errorf("%d requests of a standby", n-before)
		}
		r.counts(0, "leader")
		time.Sleep(3 * time.Minute) // The other one has gone.
		if _, ok, err := r.runner.Enter(t.Context()); !ok || err != nil {
			t.Errorf("the standby does not take over: %v, %v", ok, err)
		}
		if _, ok, _ := one.Enter(t.Context()); ok {
			t.Error("both hold the lease")
		}
	})
}
