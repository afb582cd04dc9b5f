package crawler_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// night lets the time pass until the London night's sweep and what follows it
// are over. The daemon sleeps meanwhile, but for an hour in the morning.
func (r *rig) night() {
	r.t.Helper()
	now := time.Now().In(vacancy.London())
	three := time.Date(now.Year(), now.Month(), now.Day(), 3, 0, 0, 0, vacancy.London())
	if !three.After(now) {
		three = three.AddDate(0, 0, 1)
	}
	time.Sleep(time.Until(three.Add(-2 * time.Minute)))
	r.pass(25 * time.Minute)
}

// longLived publishes adverts that close long after the test.
func (r *rig) longLived(n int) (refs []string) {
	for i := range n {
		a := nurse(i)
		a.Closing = simulator.Day(fmt.Sprintf("2026-10-%02d", 1+i%28))
		a.Posted = time.Now().Add(-time.Duration(i+1) * 11 * time.Minute)
		refs = append(refs, r.site.Publish(a))
	}
	return refs
}

func (r *rig) closed() []string {
	r.mem.mu.Lock()
	defer r.mem.mu.Unlock()
	var out []string
	for i := range r.mem.events {
		if e := &r.mem.events[i]; e.Kind == vacancy.Closed {
			out = append(out, e.Vacancy.Reference+" "+e.Reason)
		}
	}
	slices.Sort(out)
	return out
}

// A vacancy that leaves before its closing date is told to be gone once two
// nights and a look by name agree, and what is there is never.
func TestClosedEarly(t *testing.T) {
	t.Parallel()
	bubble(t, 0, func(t *testing.T, r *rig) {
		refs := r.longLived(330)
		r.baseline()
		r.night()
		gone := []string{refs[3], refs[120], refs[329]}
		for _, ref := range gone {
			if err := r.site.CloseEarly(ref); err != nil {
				t.Fatal(err)
			}
		}
		r.night()
		if got := r.closed(); len(got) > 0 {
			t.Fatalf("after one night: closed %v", got)
		}
		requests := len(r.site.Requests())
		r.night()
		want := []string{refs[3] + " early", refs[120] + " early", refs[329] + " early"}
		slices.Sort(want)
		if diff := cmp.Diff(want, r.closed()); diff != "" {
			t.Errorf("closed (-want +got)\n%s", diff)
		}
		// Three and two controls by name.
		if n := r.asked("listing", requests); n != 5 {
			t.Errorf("%d listing pages asked for, want 5", n)
		}
		r.counts(3, "vacancies_closed_total", "reason", vacancy.Early)
		r.counts(3, "probes_total", "result", "gone")
		if st := r.state(); st.Probing != nil {
			t.Errorf("still looking: %+v", st.Probing)
		}
		r.night()
		if got := r.closed(); len(got) != 3 {
			t.Errorf("closed again: %v", got)
		}
	})
}

// One that comes back is reopened by its second listing, not by its first.
func TestReopened(t *testing.T) {
	t.Parallel()
	bubble(t, 0, func(t *testing.T, r *rig) {
		r.longLived(130)
		r.baseline()
		ref := r.publish()
		r.pass(15 * time.Minute)
		if err := r.site.MoveClosing(ref, "2026-10-20"); err != nil {
			t.Fatal(err)
		}
		r.pass(15 * time.Minute)
		if err := r.site.CloseEarly(ref); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			r.night()
		}
		if rec := r.record(ref); rec.Closed != vacancy.Early {
			t.Fatalf("closed %q", rec.Closed)
		}
		if err := r.site.Reopen(ref, "2026-10-25"); err != nil {
			t.Fatal(err)
		}
		r.run(crawler.Sweep)
		time.Sleep(5 * time.Minute)
		r.run(crawler.Sweep)
		if rec := r.record(ref); rec.Closed == "" {
			t.Error("reopened within ten minutes")
		}
		time.Sleep(5 * time.Minute)
		r.run(crawler.Sweep)
		want := []vacancy.Kind{vacancy.New, vacancy.ClosingMoved, vacancy.Closed, vacancy.Reopened}
		if diff := cmp.Diff(want, r.mem.kinds(ref)); diff != "" {
			t.Errorf("events (-want +got)\n%s", diff)
		}
	})
}

// A sweep that is not what the nights before were closes nothing, and says so
// by its verdict and by one guard.
func TestGuards(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, script string
		verdict      string // of the night's last sweep
		guard        string
		fires        float64
	}{
		{"104 of 1,150, and it says so", "xml few=104", crawler.Quarantined, crawler.GuardDrop, 1},
		{"104 of 1,150, and the total stays", "xml depth=104", crawler.Quarantined, "", 0},
		{"a total that lies", "xml total=2300", crawler.Quarantined, "", 0},
		{"a tenth of the total", "xml total=x0.1", crawler.Quarantined, crawler.GuardDrop, 1},
		{"the first page for ever", "xml page-one", crawler.Quarantined, "", 0},
		{"rows are missing", "xml short=1", crawler.Quarantined, "", 0},
		{"nothing at all", "xml nothing", crawler.Quarantined, "", 0},
		{"an outage in the middle", "xml 500 after=3", crawler.Aborted, "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, 0, func(t *testing.T, r *rig) {
				refs := r.longLived(1150)
				r.baseline()
				r.night()
				r.night()
				// One has really gone, so that there is something to conclude.
				if err := r.site.CloseEarly(refs[700]); err != nil {
					t.Fatal(err)
				}
				r.night()
				now := time.Now().In(vacancy.London())
				time.Sleep(time.Until(time.Date(now.Year(), now.Month(), now.Day()+1, 2, 59, 0, 0, vacancy.London())))
				st := r.state()
				st.NextHot = time.Now().Add(2 * time.Hour) // the sweep alone meets the fault
				st.LastGood[crawler.Deep], st.LastAttempt[crawler.Deep] = time.Now(), time.Now()
				if err := r.mem.Mark(t.Context(), r.src.Name, st); err != nil {
					t.Fatal(err)
				}
				r.faults(test.script)
				r.pass(12 * time.Minute)
				st = r.state()
				var last *crawler.Report
				for i := range r.mem.reports {
					if r.mem.reports[i].Tier == crawler.Sweep {
						last = &r.mem.reports[i]
					}
				}
				if last == nil || last.Verdict != test.verdict || last.Guard != test.guard {
					t.Errorf("the last sweep: %+v", last)
				}
				if got := r.closed(); len(got) > 0 {
					t.Errorf("closed %v", got)
				}
				sum := 0.0
				for _, g := range crawler.Guards() {
					n, _ := r.value("closing_skipped_total", "guard", g)
					sum += n
				}
				if test.guard != "" {
					r.counts(test.fires, "closing_skipped_total", "guard", test.guard)
				}
				if sum != test.fires {
					t.Errorf("%v guards fired, want %v", sum, test.fires)
				}
				if len(st.Sweeps) != 4 {
					t.Errorf("the night counts among the good ones: %+v", st.Sweeps)
				}
				// When all is well again the one that went is found to be gone,
				// and no other.
				r.faults("")
				r.night()
				r.night()
				if diff := cmp.Diff([]string{refs[700] + " early"}, r.closed()); diff != "" {
					t.Errorf("closed (-want +got)\n%s", diff)
				}
				if got := r.mem.heard("all"); len(got) > 0 {
					t.Errorf("told of %v", got)
				}
			})
		})
	}
}

// The look by name shows nothing while it does not find what is there, and a
// clock that is off tells no day to be over.
func TestProbesInDoubt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ script, guard string }{
		{"listing nothing", crawler.GuardProbe},
		{"listing soft404", crawler.GuardProbe},
		{"any skew=5m", crawler.GuardClock},
		{"listing 500", ""},
	} {
		t.Run(test.script, func(t *testing.T) {
			bubble(t, 0, func(t *testing.T, r *rig) {
				refs := r.longLived(250)
				r.baseline()
				r.night()
				if err := r.site.CloseEarly(refs[100]); err != nil {
					t.Fatal(err)
				}
				r.night()
				r.faults(test.script)
				r.night()
				if got := r.closed(); len(got) > 0 {
					t.Errorf("closed %v", got)
				}
				if test.guard != "" {
					r.counts(1, "closing_skipped_total", "guard", test.guard)
				}
				r.faults("")
				r.pass(2 * time.Hour)
				r.night()
				if diff := cmp.Diff([]string{refs[100] + " early"}, r.closed()); diff != "" {
					t.Errorf("closed (-want +got)\n%s", diff)
				}
			})
		})
	}
}

// Where the pages for people are forbidden, a third night takes the place of
// the look by name.
func TestClosedEarlyWithoutPages(t *testing.T) {
	t.Parallel()
	bubble(t, 0, func(t *testing.T, r *rig) {
		refs := r.longLived(130)
		r.baseline()
		st := r.state()
		st.HTMLForbidden = true
		if err := r.mem.Mark(t.Context(), r.src.Name, st); err != nil {
			t.Fatal(err)
		}
		r.night()
		if err := r.site.CloseEarly(refs[50]); err != nil {
			t.Fatal(err)
		}
		requests := len(r.site.Requests())
		r.night()
		r.night()
		if got := r.closed(); len(got) > 0 {
			t.Errorf("closed after two nights: %v", got)
		}
		r.night()
		if diff := cmp.Diff([]string{refs[50] + " early"}, r.closed()); diff != "" {
			t.Errorf("closed (-want +got)\n%s", diff)
		}
		if n := r.asked("listing", requests); n > 0 {
			t.Errorf("%d forbidden pages asked for", n)
		}
	})
}

// A page for whose adverts a slice is too short is read again, and what it
// showed is counted once: 120 that were overlooked are no flood.
func TestSweepCountsOnce(t *testing.T) {
	t.Parallel()
	bubble(t, 0, func(t *testing.T, r *rig) {
		r.longLived(130)
		r.baseline()
		st := r.state()
		st.NextHot = time.Now().Add(24 * time.Hour) // the sweep alone
		if err := r.mem.Mark(t.Context(), r.src.Name, st); err != nil {
			t.Fatal(err)
		}
		for i := range 120 {
			a := nurse(i)
			a.Posted = time.Now().Add(-time.Duration(i+80) * time.Hour)
			a.Closing = simulator.Day(fmt.Sprintf("2026-10-%02d", 1+i%28))
			r.site.Publish(a)
		}
		slices := 0
		for {
			var rep crawler.Report
			if st, rep = r.run(crawler.Sweep); rep.Verdict == crawler.OK {
				break
			}
			if slices++; rep.Verdict != crawler.Partial || slices > 10 || st.Baseline != nil || st.Cursor.Unseen > 120 || st.Cursor.Listed > 250 {
				t.Fatalf("%+v, cursor %+v, baseline %+v", rep, st.Cursor, st.Baseline)
			}
			time.Sleep(10 * time.Second)
		}
		if last := st.Sweeps[len(st.Sweeps)-1]; slices < 4 || last.Unique != 250 || len(r.mem.heard("all")) != 120 {
			t.Errorf("%d slices, %+v, told of %d", slices, last, len(r.mem.heard("all")))
		}
	})
}
