package crawler_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Where the pages are refused the vacancies go out on the listing alone, and
// no page is asked for again; what moves is still told.
func TestPagesForbidden(t *testing.T) {
	t.Parallel()
	bubble(t, 20, func(t *testing.T, r *rig) {
		r.baseline()
		r.faults("advert 403")
		first := r.publish()
		r.pass(10 * time.Minute)
		second := r.publish()
		r.pass(10 * time.Minute)
		if st := r.state(); !st.HTMLForbidden || st.Stopped != "" {
			t.Fatalf("%+v", st)
		}
		if n := r.asked("advert", 0); n != 1 {
			t.Errorf("%d adverts asked for after a 403", n)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values([]string{first, second})), r.mem.heard("all")); diff != "" {
			t.Errorf("told (-want +got)\n%s", diff)
		}
		if rec := r.record(first); !rec.Vacancy.PageUnread || rec.Vacancy.Band != "" {
			t.Errorf("%+v", rec.Vacancy)
		}
		r.counts(1, "source_stopped", "reason", crawler.StoppedForbidden)
		if err := r.site.MoveClosing(first, "2026-09-25"); err != nil {
			t.Fatal(err)
		}
		// Hundreds that lack their page are known all the same: a hot run
		// stops among them, and does not hand each of them on again.
		for range 200 {
			r.publish()
			time.Sleep(20 * time.Second)
		}
		r.pass(30 * time.Minute)
		calls := r.mem.calls
		if _, rep := r.run(crawler.Hot); rep.Pages != 1 || rep.Verdict != crawler.OK || r.mem.calls-calls > 10 {
			t.Errorf("%d pages, %d calls: %s", rep.Pages, r.mem.calls-calls, rep.Verdict)
		}
		if diff := cmp.Diff([]vacancy.Kind{vacancy.New, vacancy.ClosingMoved}, r.mem.kinds(first)); diff != "" {
			t.Errorf("moved (-want +got)\n%s", diff)
		}
		r.start("restarted")
		r.pass(30 * time.Minute)
		if n := r.asked("advert", 0); n != 1 {
			t.Errorf("%d adverts asked for after a 403", n)
		}

		// A person has settled it: the pages are read, and told once more to
		// whom the listing alone did not match.
		r.faults("")
		r.site.Resume()
		st := r.state()
		st.HTMLForbidden = false
		st.Runs++
		if err := r.mem.Mark(t.Context(), r.src.Name, st); err != nil {
			t.Fatal(err)
		}
		r.pass(2 * time.Hour)
		if !slices.Contains(r.mem.again, first) || !slices.Contains(r.mem.heard("band 5"), first) || r.record(first).Vacancy.PageUnread {
			t.Errorf("not read again: %v", r.mem.again)
		}
	})
}

// A page that cannot be read is tried again; after an hour the vacancy goes
// out without it, and once it is read it is matched again.
func TestUnread(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"advert 500", "advert 404", "advert soft404", "advert cut", "advert slow=1h", "advert elsewhere"} {
		t.Run(script, func(t *testing.T) {
			bubble(t, 20, func(t *testing.T, r *rig) {
				r.baseline()
				r.faults(script)
				ref := r.publish()
				r.pass(55 * time.Minute)
				if got := r.mem.heard("all"); len(got) > 0 {
					t.Errorf("told of %v before the hour", got)
				}
				if n := r.asked("advert", 0); n < 5 {
					t.Errorf("tried %d times in an hour", n)
				}
				if st := r.state(); time.Since(st.LastGood[crawler.Hot]) > 15*time.Minute {
					t.Errorf("one unread page keeps runs from being good: %+v", st)
				}
				r.pass(20 * time.Minute)
				if diff := cmp.Diff([]string{ref}, r.mem.heard("all")); diff != "" {
					t.Errorf("told (-want +got)\n%s", diff)
				}
				if !r.record(ref).Vacancy.PageUnread {
					t.Error("not marked as unread")
				}
				requests := r.asked("advert", 0)
				r.pass(3 * time.Hour)
				if n := r.asked("advert", 0) - requests; n < 1 || n > 9 {
					t.Errorf("tried %d times in three hours, want now and then", n)
				}
				r.faults("")
				r.pass(6*time.Hour + 10*time.Minute) // a deep run comes sooner
				if v := r.record(ref).Vacancy; v.PageUnread || v.Band != "5" {
					t.Errorf("%+v", v)
				}
				if diff := cmp.Diff([]string{ref}, r.mem.again); diff != "" {
					t.Errorf("again (-want +got)\n%s", diff)
				}
				if diff := cmp.Diff([]string{ref}, r.mem.heard("band 5")); diff != "" {
					t.Errorf("told (-want +got)\n%s", diff)
				}
			})
		})
	}
}

// A page that is broken for good keeps nobody waiting, however many there are
// of them; and while all pages fail, the site is not asked for each of them.
func TestBrokenPages(t *testing.T) {
	t.Parallel()
	for _, code := range []int{500, 404, 503} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			bubble(t, 20, func(t *testing.T, r *rig) {
				r.baseline()
				bad := map[string]bool{}
				for range 4 {
					bad["/candidate/jobadvert/"+r.publish()] = true
				}
				r.wire.answer = func(req *http.Request) *http.Response {
					if bad[req.URL.Path] {
						return response(code, "text/html", "<html>")
					}
					return nil
				}
				time.Sleep(time.Minute)
				good := r.publish()
				r.pass(3 * time.Hour)
				later := r.publish()
				r.pass(15 * time.Minute)
				if got := r.mem.heard("all"); len(got) != 6 {
					t.Errorf("told of %v", got)
				}
				for _, ref := range []string{good, later} {
					if rec := r.record(ref); rec == nil || rec.Vacancy.PageUnread {
						t.Errorf("%s was not read behind the broken ones", ref)
					}
				}
			})
		})
	}
	for _, script := range []string{"advert 500", "advert soft404"} {
		t.Run("all "+script, func(t *testing.T) {
			bubble(t, 20, func(t *testing.T, r *rig) {
				r.baseline()
				r.faults(script)
				for range 150 {
					r.publish()
					time.Sleep(10 * time.Second)
				}
				r.pass(2 * time.Hour)
				if n := len(r.mem.heard("all")); n != 150 {
					t.Errorf("told of %d, want 150", n)
				}
				if n := r.asked("advert", 0); n > 500 {
					t.Errorf("%d requests for pages that all fail", n)
				}
				r.faults("")
				r.pass(3 * time.Hour)
				if n := len(r.mem.heard("band 5")); n != 150 {
					t.Errorf("told of %d once read, want 150", n)
				}
			})
		})
	}
}
