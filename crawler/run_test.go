package crawler_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/rate"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// The first look at a site takes what is there in silence, over several
// ticks; what is posted meanwhile is told.
func TestBaseline(t *testing.T) {
	t.Parallel()
	bubble(t, 3000, func(t *testing.T, r *rig) {
		r.tick()
		st := r.state()
		if st.Baseline == nil || st.Baseline.Reason != crawler.FirstRun || st.Cursor == nil || st.Cursor.Page < 20 || st.Last.Verdict != crawler.Partial {
			t.Fatalf("after one slice: %+v, %+v", st, st.Last)
		}
		if len(st.LastGood) > 0 || !st.Watermark.IsZero() {
			t.Errorf("a slice counts as success: %+v", st)
		}
		ref := r.publish()
		r.baseline()
		r.complete()
		if diff := cmp.Diff([]string{ref}, r.mem.heard("all")); diff != "" {
			t.Errorf("told (-want +got)\n%s", diff)
		}
		if n := r.asked("advert", 0); n != 1 {
			t.Errorf("%d adverts were read, want the new one", n)
		}
		// 30 pages, two of them again in the second slice, one hot, two deep
		// (180 a day), and what more the rhythm of ticks brings.
		if n := r.asked("xml", 0); n > 40 {
			t.Errorf("%d pages were listed", n)
		}
		if st := r.state(); st.Watermark.Before(morning) || st.Cursor != nil {
			t.Errorf("after the baseline: %+v", st)
		}
	})
}

// A process may end at any page of the baseline, with or without a last word.
func TestBaselineRestart(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{false, true} {
		for page := 1; page <= 6; page++ {
			if testing.Short() && page%2 == 0 {
				continue
			}
			t.Run(fmt.Sprintf("page %d, killed %v", page, killed), func(t *testing.T) {
				bubble(t, 520, func(t *testing.T, r *rig) {
					ctx, cancel := context.WithCancel(t.Context())
					r.runner.Progress = func(p crawler.Progress) {
						if p.Step == "listing" && p.Page == page {
							cancel()
							if killed {
								r.mem.fault = func(int, string) (error, error) { return errFault, nil }
							}
						}
					}
					if err := r.runner.Tick(ctx); err != nil {
						t.Fatal(err)
					}
					r.mem.fault = nil
					if st := r.state(); st.Baseline == nil || st.Cursor == nil || st.Cursor.Page != page {
						t.Fatalf("cut at page %d: %+v", page, st.Cursor)
					}
					before := len(r.site.Requests())
					r.start("second")
					r.baseline()
					r.complete()
					if got := r.mem.heard("all"); len(got) > 0 {
						t.Errorf("told of %v", got)
					}
					first := r.wire.sent[before+1].url // after robots.txt
					if want := r.src.Site.Feeds[0].URL("", max(1, page-1)); base+first != want {
						t.Errorf("went on with %s, want %s", first, want)
					}
				})
			})
		}
	}
}

// A sweep gets on even where each page takes longer than a slice, and where
// other runs have used the slice up.
func TestSweepNeverGoesBack(t *testing.T) {
	t.Parallel()
	bubble(t, 1000, func(t *testing.T, r *rig) {
		r.faults("xml slow=18s")
		last := 0
		for range 10 {
			r.pass(time.Minute)
			st := r.state()
			if st.Cursor == nil {
				break
			}
			if st.Cursor.Page <= last {
				t.Fatalf("from page %d to page %d", last, st.Cursor.Page)
			}
			last = st.Cursor.Page
		}
		if r.state().Baseline != nil {
			t.Errorf("not through after ten minutes, page %d", last)
		}
		r.complete()

		before := r.state()
		st, rep := r.runner.Run(t.Context(), crawler.Work{Tier: crawler.Sweep}, before, time.Now())
		if rep.Verdict != crawler.Partial || st.Cursor.Page != 2 {
			t.Errorf("a sweep without time: %s, page %d", rep.Verdict, st.Cursor.Page)
		}
		st, _ = r.runner.Run(t.Context(), crawler.Work{Tier: crawler.Sweep}, st, time.Now())
		if st.Cursor.Page != 3 {
			t.Errorf("and again: page %d", st.Cursor.Page)
		}
	})
}

// A hot run finds what is new, reads its page, and moves the watermark.
func TestHot(t *testing.T) {
	t.Parallel()
	bubble(t, 400, func(t *testing.T, r *rig) {
		r.baseline()
		before := r.state()
		time.Sleep(5 * time.Minute)
		ref := r.publish()
		posted := time.Now()
		requests := len(r.site.Requests())
		st, rep := r.run(crawler.Hot)
		if rep.Verdict != crawler.OK || rep.Pages != 1 || rep.New != 1 || rep.Read != 1 || rep.Listed != 100 || rep.Total != 401 {
			t.Errorf("report: %+v", rep)
		}
		if !before.Watermark.Before(posted) || !st.Watermark.Equal(posted.Truncate(time.Millisecond)) {
			t.Errorf("watermark %v, want %v", st.Watermark, posted)
		}
		if d := time.Until(st.NextHot); d < 2*time.Minute || d > 8*time.Minute {
			t.Errorf("the next hot run is due in %v", d)
		}
		v := r.record(ref).Vacancy
		if v.Band != "5" || v.BandFrom != vacancy.FromPrinted || v.PayScheme == "" || v.PageUnread || v.Sponsorship != vacancy.NotOffered ||
			len(v.WorkingPatterns) != 2 || v.Salary == nil || v.Salary.Unit != "year" || v.Text.Summary == "" || len(v.Specialties) == 0 ||
			v.Closing.String() != "2026-09-15" || v.Posted.DayOnly || v.FirstSeen.Before(posted) || v.URL != base+"/candidate/jobadvert/"+ref {
			t.Errorf("vacancy: %+v", v)
		}
		if diff := cmp.Diff([]string{ref}, r.mem.heard("band 5")); diff != "" {
			t.Errorf("told (-want +got)\n%s", diff)
		}
		// Known now: the page alone is asked for.
		if _, rep := r.run(crawler.Hot); rep.New != 0 || rep.Read != 0 || rep.Verdict != crawler.OK {
			t.Errorf("report: %+v", rep)
		}
		if n := len(r.site.Requests()) - requests; n != 3 {
			t.Errorf("%d requests, want 3", n)
		}
		r.counts(1, "vacancies_found_total", "tier", "hot")
	})
}

// A hot run goes on until 60 known ones in a row and below the watermark.
func TestHotStops(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fresh, pages int
	}{{1, 1}, {39, 1}, {41, 2}, {150, 3}} {
		t.Run(fmt.Sprint(test.fresh), func(t *testing.T) {
			bubble(t, 500, func(t *testing.T, r *rig) {
				r.src.Site.ReadAdvert = readNothing // quick: the pages matter here
				r.start("first")
				r.baseline()
				time.Sleep(time.Minute)
				for range test.fresh {
					r.publish()
				}
				st, ok, err := r.runner.Enter(t.Context())
				if err != nil || !ok {
					t.Fatal(err)
				}
				before := st.Watermark
				st, rep := r.runner.Run(t.Context(), crawler.Work{Tier: crawler.Hot}, st, time.Now().Add(time.Hour))
				if rep.Verdict != crawler.OK || rep.Pages != test.pages || rep.New != test.fresh || !st.Watermark.After(before) {
					t.Errorf("%s after %d pages with %d new", rep.Verdict, rep.Pages, rep.New)
				}
				if due := time.Until(st.NextHot); (test.fresh >= 100) != (due == r.src.HotMin) {
					t.Errorf("the next is due in %s", due)
				}
			})
		})
	}
}

// A hot run that is cut leaves the rest, moves nothing, and goes on soon.
func TestHotCut(t *testing.T) {
	t.Parallel()
	bubble(t, 500, func(t *testing.T, r *rig) {
		r.baseline()
		before := r.state()
		for range 130 {
			r.publish()
			time.Sleep(time.Second)
		}
		st, rep := r.run(crawler.Hot)
		if rep.Verdict != crawler.Partial || rep.New < 20 || !st.Watermark.Equal(before.Watermark) ||
			!st.LastGood[crawler.Hot].Equal(before.LastGood[crawler.Hot]) || time.Until(st.NextHot) > 0 {
			t.Errorf("%+v: %+v", rep, st)
		}
		for range 8 {
			st, rep = r.run(crawler.Hot)
		}
		if rep.Verdict != crawler.OK || !st.Watermark.After(before.Watermark) || len(r.mem.heard("all")) != 130 {
			t.Errorf("%+v", rep)
		}
		if n := r.asked("advert", 0); n != 130 {
			t.Errorf("%d adverts asked for, want 130", n)
		}
	})
}

// After a long absence more is new than hot runs may look for: they hand over
// to a sweep instead of listing twenty pages each time.
func TestHotHandsOverToSweep(t *testing.T) {
	t.Parallel()
	bubble(t, 300, func(t *testing.T, r *rig) {
		r.baseline()
		st := r.state()
		st.HTMLForbidden = true  // quick: the listings matter here
		st.Rate = rate.Learned{} // of a board on which so many are no flood
		if err := r.mem.Mark(t.Context(), r.src.Name, st); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		back := time.Now()
		for i := range 2300 {
			a := nurse(i)
			a.Posted = back.Add(-time.Duration(i) * 35 * time.Second)
			r.site.Publish(a)
		}
		if st, rep := r.run(crawler.Hot); rep.Verdict != crawler.Partial || rep.Pages != 20 || st.Cursor == nil {
			t.Errorf("after an absence: %+v", rep)
		}
		r.pass(12 * time.Minute)
		if st = r.state(); st.LastGood[crawler.Sweep].Before(back) || st.Cursor != nil || st.Watermark.Before(back) {
			t.Errorf("no sweep: %+v", st)
		}
		if n := len(r.mem.heard("all")); n != 2300 {
			t.Errorf("%d told, want 2300", n)
		}
		if _, rep := r.run(crawler.Hot); rep.Verdict != crawler.OK || rep.Pages != 1 {
			t.Errorf("hot runs do not settle: %+v", rep)
		}
		r.complete()
	})
}

// What appears with an earlier posting time lies below what a hot run reads.
func TestDeepFindsBackdated(t *testing.T) {
	t.Parallel()
	bubble(t, 0, func(t *testing.T, r *rig) {
		for i := range 250 {
			a := nurse(i)
			a.Posted = time.Now().Add(-time.Duration(i+1) * 2 * time.Minute)
			r.site.Publish(a)
		}
		r.baseline()
		a := nurse(1000)
		a.Posted = time.Now().Add(-6 * time.Hour)
		ref := r.site.Publish(a)
		if _, rep := r.run(crawler.Hot); rep.New != 0 || rep.Pages != 1 {
			t.Fatalf("hot: %+v", rep)
		}
		r.pass(3 * time.Hour)
		if diff := cmp.Diff([]string{ref}, r.mem.heard("all")); diff != "" {
			t.Errorf("told (-want +got)\n%s", diff)
		}
		r.counts(1, "vacancies_found_total", "tier", "deep")
	})
}

// A deep run ends below the last 24 hours, and comes once an hour.
func TestDeepReach(t *testing.T) {
	t.Parallel()
	bubble(t, 0, func(t *testing.T, r *rig) {
		for i := range 450 {
			a := nurse(i)
			a.Posted = time.Now().Add(-time.Duration(i+1) * 10 * time.Minute)
			r.site.Publish(a)
		}
		r.baseline()
		_, rep := r.run(crawler.Deep)
		if rep.Verdict != crawler.OK || rep.Pages != 1 { // 24 h are 144 of them, and page 1 was just read
			t.Errorf("%+v", rep)
		}
		time.Sleep(2 * time.Minute)
		if _, rep = r.run(crawler.Deep); rep.Verdict != crawler.OK || rep.Pages != 2 {
			t.Errorf("later: %+v", rep)
		}
		r.pass(8 * time.Hour)
		if n, _ := r.value("crawl_runs_total", "tier", "deep", "outcome", crawler.OK); n < 6 || n > 20 {
			t.Errorf("%v deep runs in eight hours", n)
		}
	})
}

// The nightly sweep finds what is older than a day, and settles.
func TestSweepFindsOld(t *testing.T) {
	t.Parallel()
	bubble(t, 0, func(t *testing.T, r *rig) {
		for i := range 350 {
			a := nurse(i)
			a.Posted = time.Now().Add(-time.Duration(i+1) * 20 * time.Minute)
			r.site.Publish(a)
		}
		r.baseline()
		a := nurse(1000)
		a.Posted = time.Now().Add(-80 * time.Hour)
		ref := r.site.Publish(a)
		time.Sleep(17 * time.Hour) // asleep until two o'clock in London
		r.pass(2 * time.Hour)
		if diff := cmp.Diff([]string{ref}, r.mem.heard("all")); diff != "" {
			t.Errorf("told (-want +got)\n%s", diff)
		}
		r.counts(1, "vacancies_found_total", "tier", "sweep")
		if n, _ := r.value("crawl_runs_total", "tier", "sweep", "outcome", crawler.OK); n != 2 {
			t.Errorf("%v sweeps, want the baseline and one", n)
		}
	})
}

// The closing date moves, an advert changes, another is re-sorted.
func TestChanges(t *testing.T) {
	t.Parallel()
	bubble(t, 300, func(t *testing.T, r *rig) {
		r.baseline()
		moved, amended := r.publish(), r.publish()
		r.pass(10 * time.Minute)
		requests := r.asked("advert", 0)
		if err := r.site.MoveClosing(moved, "2026-09-22"); err != nil {
			t.Fatal(err)
		}
		if err := r.site.Amend(amended, func(a *simulator.Advert) { a.Contract = "Fixed-Term"; a.Duration = "18 months" }); err != nil {
			t.Fatal(err)
		}
		r.pass(10 * time.Minute)
		if diff := cmp.Diff([]vacancy.Kind{vacancy.New, vacancy.ClosingMoved}, r.mem.kinds(moved)); diff != "" {
			t.Errorf("moved (-want +got)\n%s", diff)
		}
		if diff := cmp.Diff([]vacancy.Kind{vacancy.New, vacancy.Amended}, r.mem.kinds(amended)); diff != "" {
			t.Errorf("amended (-want +got)\n%s", diff)
		}
		if n := r.asked("advert", 0) - requests; n != 1 {
			t.Errorf("%d adverts read, want the amended one alone", n)
		}
	})
}

// An operator may ask to hear of what the first run finds.
func TestAnnounce(t *testing.T) {
	t.Parallel()
	bubble(t, 40, func(t *testing.T, r *rig) {
		r.src.Announce = true
		r.start("first")
		r.baseline()
		if n := len(r.mem.heard("all")); n != 40 {
			t.Errorf("told of %d, want 40", n)
		}
		if n := r.asked("advert", 0); n != 40 {
			t.Errorf("%d adverts read, want 40", n)
		}
	})
}

func TestOnce(t *testing.T) {
	t.Parallel()
	bubble(t, 700, func(t *testing.T, r *rig) {
		rep, err := r.runner.Once(t.Context())
		if err != nil || rep.Tier != crawler.Sweep || rep.Pages != 7 || !rep.Baseline {
			t.Fatalf("%v: %+v", err, rep)
		}
		ref := r.publish()
		if rep, err = r.runner.Once(t.Context()); err != nil || rep.Tier != crawler.Hot || rep.New != 1 {
			t.Fatalf("%v: %+v", err, rep)
		}
		if diff := cmp.Diff([]string{ref}, r.mem.heard("all")); diff != "" {
			t.Errorf("told (-want +got)\n%s", diff)
		}
		r.faults("xml 403 count=1")
		if _, err = r.runner.Once(t.Context()); err == nil {
			t.Error("a forbidden run is no error")
		}
		if _, err = r.runner.Once(t.Context()); err == nil {
			t.Error("a stopped source is no error")
		}
	})
}

// readNothing reads an advert page as one that adds nothing.
var readNothing = func(page.Page) (vacancy.Vacancy, error) { return vacancy.Vacancy{}, nil }
