package crawler_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler"
)

// Answers of the site to a listing: what each makes of the run, of the state,
// and of the tries. None of them ever reads as "no vacancies".
func TestListingFaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		script  string
		verdict string
		tries   int           // requests that follow
		least   time.Duration // the gate is shut at least
		most    time.Duration // and at most
		stopped string
	}{
		{"xml 429 retry-after=300", crawler.Aborted, 1, 300 * time.Second, 300 * time.Second, ""},
		{"xml 429 retry-after=date:300", crawler.Aborted, 1, 300 * time.Second, 302 * time.Second, ""},
		{"xml 503 retry-after=3600", crawler.Aborted, 1, time.Hour, time.Hour, ""},
		{"xml 429 retry-after=21601", crawler.Aborted, 1, 21601 * time.Second, 21601 * time.Second, crawler.StoppedGated},
		{"xml 429", crawler.Aborted, 1, 15 * time.Minute, 15 * time.Minute, ""},
		{"xml 403", crawler.Aborted, 1, 0, 0, crawler.StoppedForbidden},
		{"xml 404", crawler.Aborted, 1, 0, time.Minute, ""},
		{"xml 400", crawler.Aborted, 1, 0, time.Minute, ""},
		{"xml 500", crawler.Aborted, 3, 0, time.Minute, ""},
		{"xml 503", crawler.Aborted, 3, 0, time.Minute, ""},
		{"xml 408", crawler.Aborted, 3, 0, time.Minute, ""},
		{"xml cut", crawler.Aborted, 3, 0, time.Minute, ""},
		{"xml cut-unsized", crawler.Aborted, 3, 0, time.Minute, ""},
		{"xml truncated", crawler.Aborted, 3, 0, time.Minute, ""},
		{"xml slow=1h", crawler.Aborted, 3, 0, time.Minute, ""},
		{"xml drip=2s", crawler.Aborted, 3, 0, time.Minute, ""},
		{"xml html", crawler.Quarantined, 1, 0, time.Minute, ""},
		{"xml soft404", crawler.Quarantined, 1, 0, time.Minute, ""},
		{"xml silent", crawler.Quarantined, 1, 0, time.Minute, ""},
		{"xml nothing", crawler.Quarantined, 1, 0, time.Minute, ""},
		{"xml login", crawler.Quarantined, 1, 0, time.Minute, ""},
		{"xml elsewhere", crawler.Quarantined, 1, 0, time.Minute, ""},
		{"xml root=vacancies", crawler.Quarantined, 1, 0, time.Minute, ""},
		{"xml short=3", crawler.Quarantined, 1, 0, 0, ""},
		{"xml missing=employer", crawler.Quarantined, 1, 0, 0, ""},
	} {
		t.Run(test.script, func(t *testing.T) {
			live := 20
			if strings.HasPrefix(test.script, "xml short") {
				live = 130 // only a last page may be short
			}
			bubble(t, live, func(t *testing.T, r *rig) {
				r.baseline()
				ref := r.publish()
				time.Sleep(time.Hour)
				before, requests := r.state(), len(r.site.Requests())
				r.faults(test.script)
				st, rep := r.run(crawler.Hot)
				now := time.Now()
				if rep.Verdict != test.verdict || (rep.Err == "") != (test.least == test.most && test.most == 0 && test.stopped == "") {
					t.Errorf("verdict %s (%s), want %s", rep.Verdict, rep.Err, test.verdict)
				}
				if rep.Verdict == crawler.Quarantined && len(rep.Defects) == 0 {
					t.Error("quarantined without a defect")
				}
				if n := r.asked("xml", requests); n != test.tries {
					t.Errorf("%d requests, want %d", n, test.tries)
				}
				if !st.Watermark.Equal(before.Watermark) || !st.LastGood[crawler.Hot].Equal(before.LastGood[crawler.Hot]) {
					t.Errorf("the run counts as good: %+v", st)
				}
				if shut := st.Gate.Sub(now); shut > test.most || shut < test.least && test.least > 0 {
					t.Errorf("the gate is shut for %s, want %s to %s", shut, test.least, test.most)
				}
				if st.Stopped != test.stopped || rep.Err != "" && st.Total != before.Total {
					t.Errorf("stopped %q, want %q; total %d", st.Stopped, test.stopped, st.Total)
				}
				r.counts(1, "crawl_runs_total", "tier", "hot", "outcome", test.verdict)

				// While the gate is shut nothing is asked, and after it all is well.
				requests = len(r.site.Requests())
				for time.Until(st.Gate) > time.Minute {
					r.pass(time.Minute)
				}
				if n := len(r.site.Requests()) - requests; test.least > 0 && n > 0 {
					t.Errorf("%d requests behind a shut gate", n)
				}
				r.faults("")
				r.pass(40 * time.Minute)
				if test.stopped != "" {
					if n := len(r.site.Requests()) - requests; n > 0 {
						t.Errorf("%d requests of a stopped source", n)
					}
					r.counts(1, "source_stopped", "reason", test.stopped)
					return
				}
				if diff := cmp.Diff([]string{ref}, r.mem.heard("all")); diff != "" {
					t.Errorf("told (-want +got)\n%s", diff)
				}
				if good := r.state().LastGood[crawler.Hot]; time.Since(good) > 15*time.Minute {
					t.Errorf("no good run since %v", good)
				}
				r.complete()
			})
		})
	}
}

// The same in a sweep: a bad page is never the end of it, and the next one
// begins anew, not at once.
func TestSweepFaults(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"xml html after=2 count=1", "xml short=2 after=2 count=1", "xml missing=title after=1 count=1",
		"xml silent after=2 count=1", "xml soft404 count=1", "xml 503 after=2 count=4", "xml cut after=2 count=5", "xml total=100000 count=1"} {
		t.Run(script, func(t *testing.T) {
			bubble(t, 320, func(t *testing.T, r *rig) {
				r.faults(script)
				r.pass(10 * time.Minute)
				if n := r.asked("xml", 0); n > 40 {
					t.Errorf("%d pages in ten minutes", n)
				}
				r.pass(65 * time.Minute)
				st := r.state()
				if st.Baseline != nil || st.LastGood[crawler.Sweep].IsZero() || st.Cursor != nil {
					t.Errorf("the baseline does not end: %+v", st)
				}
				r.complete()
				if got := r.mem.heard("all"); len(got) > 0 {
					t.Errorf("told of %v", got)
				}
			})
		})
	}
}

// A site that is broken for hours is asked less and less.
func TestBackoff(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		script string
		most   int
		want   time.Duration
	}{
		{"xml 429", 9, 6 * time.Hour},
		{"xml 500\nlisting 500", 280, time.Hour},
		{"xml html\nlisting soft404", 190, time.Hour},
		{"xml missing=employer", 700, 0}, // each run is read to its end
	} {
		t.Run(test.script, func(t *testing.T) {
			bubble(t, 20, func(t *testing.T, r *rig) {
				r.baseline()
				requests := len(r.site.Requests())
				r.faults(test.script)
				r.pass(24 * time.Hour)
				if n := len(r.site.Requests()) - requests; n > test.most {
					t.Errorf("%d requests in a day", n)
				}
				if st := r.state(); st.Backoff != test.want {
					t.Errorf("backoff %s, want %s", st.Backoff, test.want)
				}
				r.faults("")
				for r.state().Gate.After(time.Now()) {
					r.pass(time.Minute)
				}
				r.pass(35 * time.Minute)
				if st := r.state(); st.Backoff != 0 || time.Since(st.LastGood[crawler.Hot]) > 40*time.Minute {
					t.Errorf("not back: %+v", st)
				}
			})
		})
	}
}

// When the day's budget is used up nothing is asked, and the next day goes on.
func TestBudget(t *testing.T) {
	t.Parallel()
	bubble(t, 20, func(t *testing.T, r *rig) {
		r.src.Budget = 150 // of which 30 are kept for listings
		r.start("first")
		r.baseline()
		first := r.publish()
		for range 139 {
			time.Sleep(time.Second)
			r.publish()
		}
		r.pass(14 * time.Hour)
		if n := len(r.site.Requests()); n != 150 {
			t.Errorf("%d requests, want 150", n)
		}
		if st := r.state(); !st.Gate.IsZero() || st.Stopped != "" {
			t.Errorf("%+v", st)
		}
		if n := r.asked("advert", 0); n > 120 || n < 80 {
			t.Errorf("%d of them adverts", n)
		}
		if v := r.record(first).Vacancy; v.PageUnread {
			t.Error("the first one was not read")
		}
		// What could not be read in an hour went out without its page: the
		// first hundred of the listing.
		if n := len(r.mem.heard("all")); n != 140 {
			t.Errorf("told of %d, want 140", n)
		}
		requests := len(r.site.Requests())
		r.pass(4 * time.Hour) // past midnight UTC
		if n := len(r.site.Requests()) - requests; n == 0 || n > 150 {
			t.Errorf("%d requests on the next day", n)
		}
	})
}
