package crawler_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// While the XML cannot be read the HTML listing takes its place, and gives it
// back; nothing is missed, and nobody hears of anything twice.
func TestFallback(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"xml 500", "xml html", "xml root=vacancies", "xml cut", "xml refused", "xml login"} {
		t.Run(script, func(t *testing.T) {
			bubble(t, 0, func(t *testing.T, r *rig) {
				r.longLived(130)
				r.baseline()
				r.faults(script)
				r.pass(25 * time.Minute)
				if st := r.state(); st.Fallback != nil {
					t.Fatal("fell back within half an hour")
				}
				ref := r.publish()
				r.pass(3 * time.Hour)
				if st := r.state(); st.Fallback == nil || time.Since(st.LastGood[crawler.Hot]) > 15*time.Minute {
					t.Fatalf("not fallen back: %+v", st)
				}
				r.counts(1, "feed_fallback_total")
				r.counts(1, "feed_in_use", "feed", crawler.FeedHTML)
				if diff := cmp.Diff([]string{ref}, r.mem.heard("all")); diff != "" {
					t.Errorf("told in fallback (-want +got)\n%s", diff)
				}
				if v := r.record(ref).Vacancy; v.Band != "5" || v.PageUnread {
					t.Errorf("%+v", v)
				}
				requests := len(r.site.Requests())
				r.pass(2 * time.Hour)
				if n := r.asked("xml", requests); n < 3 || n > 5 {
					t.Errorf("the XML was tried %d times in two hours, want 4", n)
				}
				r.faults("")
				r.pass(70 * time.Minute)
				if st := r.state(); st.Fallback != nil || st.Failing != nil {
					t.Errorf("not back: %+v", st.Fallback)
				}
				r.counts(1, "feed_in_use", "feed", crawler.FeedXML)
				requests = len(r.site.Requests())
				second := r.publish()
				r.pass(20 * time.Minute)
				if n := r.asked("listing", requests); n > 0 {
					t.Errorf("%d HTML pages listed after the return", n)
				}
				if n := len(r.mem.heard("all")); n != 2 || r.record(second) == nil {
					t.Errorf("told of %v", r.mem.heard("all"))
				}
				if got := r.closed(); len(got) > 0 {
					t.Errorf("closed %v", got)
				}
				for _, ref := range []string{ref, second} {
					if diff := cmp.Diff([]vacancy.Kind{vacancy.New}, r.mem.kinds(ref)); diff != "" {
						t.Errorf("events of %s (-want +got)\n%s", ref, diff)
					}
				}
			})
		})
	}
}

// A refusal of the XML is a refusal: nobody goes round it.
func TestNoFallbackFromARefusal(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"xml 403", "xml 429", "xml 503 retry-after=600", "robots forbid"} {
		t.Run(script, func(t *testing.T) {
			bubble(t, 40, func(t *testing.T, r *rig) {
				r.baseline()
				if script == "robots forbid" {
					time.Sleep(25 * time.Hour) // it is asked for once a day
				}
				requests := len(r.site.Requests())
				r.faults(script)
				r.pass(6 * time.Hour)
				if n := r.asked("listing", requests); n > 0 || r.state().Fallback != nil {
					t.Errorf("%d HTML pages listed: %+v", n, r.state().Fallback)
				}
			})
		})
	}
}

// The sweep of the second feed has ten times the pages and goes on from slice
// to slice, beside hot runs.
func TestFallbackSweep(t *testing.T) {
	t.Parallel()
	bubble(t, 0, func(t *testing.T, r *rig) {
		r.longLived(450)
		r.baseline()
		st := r.state()
		st.Fallback = &crawler.Fallback{Since: time.Now()}
		if err := r.mem.Mark(t.Context(), r.src.Name, st); err != nil {
			t.Fatal(err)
		}
		r.faults("xml 500")
		r.night()
		st = r.state()
		if len(st.Sweeps) != 2 || st.Sweeps[1].Unique != 450 || st.Sweeps[1].Feed != crawler.FeedHTML {
			t.Errorf("sweeps: %+v, cursor %+v", st.Sweeps, st.Cursor)
		}
		if got := r.mem.heard("all"); len(got) > 0 {
			t.Errorf("told of %v", got)
		}
	})
}

// The canary alone sees values that are plausible and wrong.
func TestCanary(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		script, verdict string
		up              float64
	}{
		{"", crawler.OK, 1},
		{"xml wrong=closing", crawler.Quarantined, 0},
		{"listing wrong=title", crawler.Quarantined, 0},
		{"listing soft404", crawler.Quarantined, 1}, // says nothing of the XML
	} {
		t.Run(test.script, func(t *testing.T) {
			bubble(t, 0, func(t *testing.T, r *rig) {
				r.longLived(130)
				r.baseline()
				r.faults(test.script)
				good := r.state().LastGood[crawler.Canary]
				st, rep := r.run(crawler.Canary)
				if rep.Verdict != test.verdict || st.LastGood[crawler.Canary].After(good) != (test.verdict == crawler.OK) {
					t.Errorf("%+v", rep)
				}
				r.counts(test.up, "canary_up")
				if st.Stopped != "" || len(r.closed()) > 0 {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

// Far more that is unknown than can be new is stored, and told to nobody until
// a person has spoken.
func TestFlood(t *testing.T) {
	t.Parallel()
	for _, pages := range []bool{true, false} {
		bubble(t, 0, func(t *testing.T, r *rig) {
			r.longLived(130)
			r.baseline()
			if !pages {
				st := r.state()
				st.HTMLForbidden = true
				if err := r.mem.Mark(t.Context(), r.src.Name, st); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 420 {
				a := nurse(i)
				a.Posted = time.Now().Add(-time.Duration(i) * time.Second)
				a.Closing = simulator.Day("2026-10-01")
				a.Closing = nurse(i).Closing
				r.site.Publish(a)
			}
			r.pass(10 * time.Minute)
			st := r.state()
			if st.Baseline == nil || st.Baseline.Reason != crawler.Flood {
				t.Fatalf("no flood: %+v", st)
			}
			if got := r.mem.heard("all"); len(got) > 0 {
				t.Errorf("told of %d", len(got))
			}
			r.counts(1, "baseline_active", "reason", crawler.Flood)
			r.counts(1, "operator_needed", "decision", "flood")
			r.complete()
			// What is posted from now on is new.
			late := r.publish()
			r.pass(20 * time.Minute)
			r.night() // nor does a sweep end it
			if diff := cmp.Diff([]string{late}, r.mem.heard("all")); diff != "" {
				t.Errorf("told (-want +got)\n%s", diff)
			}
			st = r.state()
			if st.Baseline == nil {
				t.Fatal("the flood ended by itself")
			}
			st, changed := st.Accept()
			if !changed || st.Baseline != nil {
				t.Fatalf("%+v", st)
			}
			st.Runs++
			if err := r.mem.Mark(t.Context(), r.src.Name, st); err != nil {
				t.Fatal(err)
			}
			r.publish()
			r.pass(20 * time.Minute)
			if n := len(r.mem.heard("all")); n != 2 {
				t.Errorf("told of %d, want 2", n)
			}
			r.counts(0, "operator_needed", "decision", "flood")
		})
	}
}

// A page that only the advert states is read once more, a week on.
func TestReread(t *testing.T) {
	t.Parallel()
	bubble(t, 0, func(t *testing.T, r *rig) {
		r.longLived(110)
		r.baseline()
		a := nurse(500)
		a.Closing = "2026-09-28"
		ref := r.site.Publish(a)
		r.pass(10 * time.Minute)
		if err := r.site.Amend(ref, func(a *simulator.Advert) { a.Band = "6" }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6*24*time.Hour + 20*time.Hour)
		r.pass(time.Hour)
		adverts := len(r.site.Requests())
		if got := r.record(ref).Vacancy.Band; got != "5" {
			t.Fatalf("band %s before a week is over", got)
		}
		r.pass(5 * time.Hour)
		if got := r.record(ref).Vacancy.Band; got != "6" {
			t.Errorf("band %s, want the amended one", got)
		}
		if n := r.asked("advert", adverts); n != 1 {
			t.Errorf("%d adverts read, want 1", n)
		}
		if diff := cmp.Diff([]vacancy.Kind{vacancy.New, vacancy.Amended}, r.mem.kinds(ref)); diff != "" {
			t.Errorf("events (-want +got)\n%s", diff)
		}
	})
}

// The pages of what was there before us are read a few a night, for their
// bands, and nobody is told.
func TestFill(t *testing.T) {
	t.Parallel()
	bubble(t, 0, func(t *testing.T, r *rig) {
		refs := r.longLived(420)
		r.baseline()
		time.Sleep(time.Until(time.Date(2026, 9, 2, 2, 30, 0, 0, time.UTC)))
		for range 2 {
			r.pass(4 * time.Hour)
			time.Sleep(20 * time.Hour)
		}
		read := 0
		for _, ref := range refs {
			if v := r.record(ref).Vacancy; !v.PageUnread && v.Band == "5" {
				read++
			}
		}
		if read < 200 || read > 300 {
			t.Errorf("%d pages read in two nights", read)
		}
		if n := r.asked("advert", 0); n != read {
			t.Errorf("%d adverts asked for, %d read", n, read)
		}
		if len(r.mem.events) > 0 {
			t.Errorf("events %v", r.mem.events)
		}
	})
}

// Values that are plausible and wrong: rows that say what their neighbours
// should are believed by nobody, and told to nobody.
func TestPlausiblyWrong(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"xml wrong=closing", "xml wrong=title", "xml wrong=employer", "xml wrong=salary"} {
		t.Run(script, func(t *testing.T) {
			bubble(t, 0, func(t *testing.T, r *rig) {
				r.longLived(250)
				r.baseline()
				r.faults(script)
				r.pass(90 * time.Minute)
				if n := len(r.mem.events); n > 0 {
					t.Errorf("%d events: %+v", n, r.mem.events[0])
				}
				if n, _ := r.value("crawl_runs_total", "tier", "hot", "outcome", crawler.Quarantined); n < 5 {
					t.Errorf("%v hot runs quarantined", n)
				}
				r.faults("")
				ref := r.publish()
				r.pass(20 * time.Minute)
				if diff := cmp.Diff([]string{ref}, r.mem.heard("all")); diff != "" || len(r.mem.events) != 1 {
					t.Errorf("%d events, told (-want +got)\n%s", len(r.mem.events), diff)
				}
			})
		})
	}
}

// Where so much has really changed at once, a person says so.
func TestAcceptChanges(t *testing.T) {
	t.Parallel()
	bubble(t, 0, func(t *testing.T, r *rig) {
		refs := r.longLived(150)
		r.baseline()
		for _, ref := range refs[:60] {
			if err := r.site.MoveClosing(ref, "2026-10-30"); err != nil {
				t.Fatal(err)
			}
		}
		if _, rep := r.run(crawler.Hot); rep.Verdict != crawler.Quarantined {
			t.Fatalf("%+v", rep)
		}
		st, _ := r.state().Accept()
		st.Runs++
		if err := r.mem.Mark(t.Context(), r.src.Name, st); err != nil {
			t.Fatal(err)
		}
		r.pass(10 * time.Minute)
		if n := len(r.mem.events); n != 60 || r.record(refs[0]).Vacancy.Closing.String() != "2026-10-30" {
			t.Errorf("%d events, want 60", n)
		}
		r.night()
		if r.state().Believe {
			t.Error("everything is believed for ever")
		}
	})
}
