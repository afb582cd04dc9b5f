package web

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vacancywatch/vacancywatch/crawler"
)

func statusPage(t *testing.T, st Status) string {
	t.Helper()
	o := adminOptions()
	o.Status = func(context.Context) (Status, error) { return st, nil }
	w := do(Admin(o), "GET", "/status", "")
	if w.Code != 200 {
		t.Fatalf("got %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestStatusPage(t *testing.T) {
	for name, st := range map[string]Status{
		"working": working(), "troubled": troubled(), "first-look": firstLook(), "hostile": hostileStatus(), "empty": {},
	} {
		t.Run(name, func(t *testing.T) {
			page := statusPage(t, st)
			checkPage(t, page)
			if name != "hostile" && name != "empty" {
				checkGolden(t, "status-"+name+".html", page)
			}
		})
	}
}

// TestStatusTellsNoError checks that what an error says, which may name
// addresses, is not shown.
func TestStatusTellsNoError(t *testing.T) {
	st := troubled()
	for i := range st.Sources[0].Reports {
		st.Sources[0].Reports[i].Err = "read advert C9000-26-0001: canary"
	}
	last := st.Sources[0].Reports[0]
	st.Sources[0].State.Last = &last
	if page := statusPage(t, st); strings.Contains(page, "canary") {
		t.Error("the page shows the error of a run")
	}
}

func TestJudge(t *testing.T) {
	source := func(change func(*SourceStatus)) func(*Status) {
		return func(st *Status) { change(&st.Sources[0]) }
	}
	good := func(tier crawler.Tier, ago time.Duration) func(*Status) {
		return source(func(s *SourceStatus) { s.State.LastGood[tier] = noon.Add(-ago) })
	}
	for _, test := range []struct {
		name   string
		change func(*Status)
		level  level
		want   string // in the first finding
	}{
		{"working", func(*Status) {}, fine, ""},
		{"no source", func(st *Status) { st.Sources = nil }, fault, "No website is being watched."},
		{"forbidden", source(func(s *SourceStatus) { s.State.Stopped = crawler.StoppedForbidden }), fault, "nhs-jobs is stopped: the website refuses our requests"},
		{"robots", source(func(s *SourceStatus) { s.State.Stopped = crawler.StoppedRobots }), fault, "robots.txt"},
		{"gated", source(func(s *SourceStatus) { s.State.Stopped = crawler.StoppedGated }), fault, "more than six hours"},
		{"another reason", source(func(s *SourceStatus) { s.State.Stopped = "operator" }), fault, "(operator)"},
		{"stopped and late is told once", source(func(s *SourceStatus) {
			s.State.Stopped = "operator"
			s.State.LastGood[crawler.Hot] = noon.Add(-9 * time.Hour)
			s.State.Gate = noon.Add(time.Hour)
		}), fault, "is stopped"},
		{"waiting", source(func(s *SourceStatus) { s.State.Gate = noon.Add(20 * time.Minute) }), notice, "until 12:20"},
		{"waited", source(func(s *SourceStatus) { s.State.Gate = noon }), fine, ""},
		{"adverts refused", source(func(s *SourceStatus) { s.State.HTMLForbidden = true }), notice, "without band and specialty"},
		{"budget nearly used", source(func(s *SourceStatus) { s.Taken = 8100 }), notice, "nearly all of today's"},
		{"budget used", source(func(s *SourceStatus) { s.Taken = 9000 }), notice, "all of today's"},
		{"no budget", source(func(s *SourceStatus) { s.Taken, s.Limit = 5, 0 }), fine, ""},
		{"first look", func(st *Status) { *st = firstLook() }, notice, "first look"},
		{"first look without end", func(st *Status) {
			*st = firstLook()
			st.Sources[0].State.Baseline.Since = noon.Add(-7 * time.Hour)
		}, fault, "It began 7 hours ago and should have ended by now."},
		{"state lost", func(st *Status) {
			*st = firstLook()
			st.Sources[0].State.Baseline.Reason = crawler.LostState
		}, fault, "was lost"},
		{"not looked at yet", source(func(s *SourceStatus) { s.State = crawler.State{} }), notice, "not looked at this website yet"},
		{"just after the first look", source(func(s *SourceStatus) {
			s.State.LastGood = map[crawler.Tier]time.Time{crawler.Sweep: noon.Add(-time.Minute)}
		}), fine, ""},
		{"nothing since the first look", source(func(s *SourceStatus) {
			s.State.LastGood = map[crawler.Tier]time.Time{crawler.Sweep: noon.Add(-30 * time.Minute)}
		}), fault, "since the first look ended, 30 minutes ago"},
		{"in time", good(crawler.Hot, 15*time.Minute), fine, ""},
		{"a little late", good(crawler.Hot, 19*time.Minute), notice, "last read 19 minutes ago. At this time of day it should be less than 15 minutes."},
		{"late", good(crawler.Hot, 21*time.Minute), fault, "last read 21 minutes ago"},
		{"clock", good(crawler.Hot, -time.Hour), fault, "a clock is wrong"},
		{"deep late", good(crawler.Deep, 4*time.Hour), notice, "last 24 hours were last read 4 hours ago"},
		{"sweep late", good(crawler.Sweep, 49*time.Hour), notice, "last read 2 days ago"},
		{"quarantined", source(func(s *SourceStatus) { s.Reports[2].Verdict = crawler.Quarantined }), notice, "when we read the vacancies of the last 24 hours"},
		{"aborted", source(func(s *SourceStatus) { s.Reports[0].Verdict = crawler.Aborted }), notice, "the last attempt to read the newest vacancies failed"},
		{"aborted before, good since", source(func(s *SourceStatus) { s.Reports[1].Verdict = crawler.Aborted }), fine, ""},
		{"skipped since", source(func(s *SourceStatus) {
			s.Reports[0].Verdict, s.Reports[1].Verdict = crawler.Skipped, crawler.Aborted
		}), notice, "failed"},
		{"alerts wait", func(st *Status) { st.Due, st.OldestDue = 1, noon.Add(-6*time.Minute) }, notice, "1 alert is waiting to be sent, the oldest for 6 minutes."},
		{"alerts stuck", func(st *Status) { st.Due, st.OldestDue = 1200, noon.Add(-16*time.Minute) }, fault, "1,200 alerts are waiting to be sent, the oldest for 16 minutes."},
		{"buried", func(st *Status) { st.Buried = 2 }, notice, "2 alerts could not be delivered"},
	} {
		t.Run(test.name, func(t *testing.T) {
			st := working()
			test.change(&st)
			fs := judge(&st)
			worst, first := fine, ""
			for _, f := range fs {
				worst = max(worst, f.Level)
				if f.Do == "" {
					t.Errorf("%q: nobody is told what to do", f.What)
				}
			}
			if len(fs) > 0 {
				first = fs[0].What
			}
			if worst != test.level || !strings.Contains(first, test.want) || (test.level == fine) != (len(fs) == 0) {
				t.Errorf("got level %d, %+v; want level %d, %q", worst, fs, test.level, test.want)
			}
			if strings.HasPrefix(test.name, "stopped") && len(fs) != 1 {
				t.Errorf("got %d findings, want 1: %+v", len(fs), fs)
			}
			// The words of the panel say what its colour says.
			want := []string{"Working", "Working, with something to note", "Not working as it should"}[test.level]
			if page := statusPage(t, st); !strings.Contains(page, `<p class="label">`+want+"</p>") ||
				!strings.Contains(page, "<title>"+want+" – vacancywatch</title>") {
				t.Errorf("the page does not say %q", want)
			}
		})
	}
}

func TestJudgeWorstFirst(t *testing.T) {
	st := troubled()
	fs := judge(&st)
	for i := 1; i < len(fs); i++ {
		if fs[i].Level > fs[i-1].Level {
			t.Errorf("%q stands before %q", fs[i-1].What, fs[i].What)
		}
	}
	if len(fs) < 5 {
		t.Errorf("got %d findings, want all of them: %+v", len(fs), fs)
	}
}

func TestRunsAreFew(t *testing.T) {
	st := working()
	for range 100 {
		st.Sources[0].Reports = append(st.Sources[0].Reports, st.Sources[0].Reports[0])
	}
	if got := strings.Count(statusPage(t, st), `data-label="Started"`); got != shownRuns {
		t.Errorf("the page lists %d runs, want %d", got, shownRuns)
	}
}

func TestWords(t *testing.T) {
	summer := time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC) // 23:30 in London
	got := []string{
		span(-time.Hour), span(0), span(time.Second), span(59 * time.Second), span(time.Minute), span(119 * time.Minute), span(2 * time.Hour),
		span(47 * time.Hour), span(48 * time.Hour),
		took(-1), took(1234 * time.Millisecond), took(59 * time.Second), took(3*time.Minute + 7*time.Second),
		thousands(0), thousands(999), thousands(1000), thousands(1234567), thousands(-1000),
		ago(noon, noon), ago(noon, noon.Add(-time.Minute)), ago(noon, noon.Add(time.Minute)),
		clock(summer, summer), clock(summer, summer.Add(time.Hour)), clock(summer, summer.AddDate(-1, 0, 0)),
		engineWords(EngineRedis), engineWords("other"),
	}
	want := []string{
		"0 seconds", "0 seconds", "1 second", "59 seconds", "1 minute", "119 minutes", "2 hours",
		"47 hours", "2 days",
		"0.0 s", "1.2 s", "59 s", "3 min 7 s",
		"0", "999", "1,000", "1,234,567", "-1,000",
		"just now", "1 minute ago", "in 1 minute",
		"23:30", "2 July, 00:30", "1 July 2025, 23:30",
		"Redis", "other",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, v := range crawler.Verdicts() {
		if got := verdictWords(&crawler.Report{Verdict: v}); got == v {
			t.Errorf("verdict %q has no words", v)
		}
	}
	for _, tier := range crawler.Tiers() {
		if tierWords(tier) == string(tier) || tierObject(tier) == string(tier) {
			t.Errorf("tier %q has no words", tier)
		}
	}
	for _, reason := range crawler.StopReasons() {
		if what, _ := stoppedWords(reason); strings.Contains(what, "("+reason+")") {
			t.Errorf("the reason %q of a stop has no words", reason)
		}
	}
}
