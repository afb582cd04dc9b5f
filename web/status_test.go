package web

import (
	"context"
	js "encoding/json"
	"html"
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
		"working": working(), "troubled": troubled(), "first-look": firstLook(), "decisions": decisions(), "hostile": hostileStatus(), "empty": {},
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
		{"paused", source(func(s *SourceStatus) { s.State.Paused = true }), fault, "nhs-jobs is paused"},
		{"flood", source(func(s *SourceStatus) {
			s.State.Baseline = &crawler.Baseline{Reason: crawler.Flood, Since: noon.Add(-9 * time.Hour)}
		}), fault, "since 03:00 far more vacancies are unknown to us than can be new"},
		{"fallback", source(func(s *SourceStatus) { s.State.Fallback = &crawler.Fallback{Since: noon.Add(-time.Hour)} }), notice, "since 11:00 we read the website's pages for people"},
		{"shrunk", source(func(s *SourceStatus) {
			s.State.Sweeps, s.State.Suspects = []crawler.SweepRecord{{Unique: 11811}}, []crawler.SweepRecord{{Unique: 8090}}
		}), notice, "the last reading of the whole website listed far fewer vacancies than before: 8,090 instead of 11,811"},
		{"blast", source(func(s *SourceStatus) { s.Reports[5].Guard = crawler.GuardBlast }), notice, "more than half of the open vacancies were missing"},
		{"drift", source(func(s *SourceStatus) {
			s.Reports[0].Verdict, s.Reports[0].Defects = crawler.Quarantined, []string{"rate"}
		}), notice, "a page was not what it should be"},
		{"canary", source(func(s *SourceStatus) { s.Reports[3].Verdict = crawler.Quarantined }), notice, "the two lists of the website do not say the same"},
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

// Operators are shown the commands, and people are not.
func TestCommands(t *testing.T) {
	st := decisions()
	o := adminOptions()
	o.Status = func(context.Context) (Status, error) { return st, nil }
	page := html.UnescapeString(do(Admin(o), "GET", "/status", "").Body.String())
	var json statusAnswer
	answer := do(Admin(o), "GET", "/status.json", "")
	if err := js.Unmarshal(answer.Body.Bytes(), &json); err != nil || answer.Code != 200 {
		t.Fatalf("%d, %v", answer.Code, err)
	}
	var commands []string
	for _, f := range json.Findings {
		commands = append(commands, f.Commands...)
	}
	config := ` --config '/etc/vacancywatch/it'\''s ours.yaml'`
	want := []string{
		"vacancywatch crawl release nhs-jobs" + config + " --dry-run", "vacancywatch crawl release nhs-jobs" + config,
		"vacancywatch crawl accept nhs-jobs" + config, "vacancywatch crawl resume nhs-scotland" + config,
		"vacancywatch crawl resume trust-board" + config, "vacancywatch crawl accept nhs-jobs" + config,
	}
	if diff := cmp.Diff(want, commands); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	for _, c := range append(commands, "vacancywatch read /var/lib/vacancywatch/quarantine/") {
		if !strings.Contains(page, "<code>"+c) {
			t.Errorf("the page does not hold %q", c)
		}
	}
	f := newFixture(t, func(o *PublicOptions) { o.Status = func(context.Context) (Status, error) { return st, nil } })
	people := do(f.handler, "GET", "/", "").Body.String()
	checkPage(t, people)
	for _, no := range []string{"vacancywatch crawl", "quarantine", "/etc/", "<h3>"} {
		if strings.Contains(people, no) {
			t.Errorf("people are shown %q", no)
		}
	}
}

// The status for programs says what the page says, whatever is in it, and no
// error.
func TestStatusJSON(t *testing.T) {
	st, err := decisions(), error(nil)
	for i := range st.Sources[0].Reports {
		st.Sources[0].Reports[i].Err = "read advert C9000-26-0001: canary secret"
	}
	o := adminOptions()
	o.Status = func(context.Context) (Status, error) { return st, err }
	h := Admin(o)
	w := do(h, "GET", "/status.json", "")
	checkHeaders(t, w.Header())
	checkGolden(t, "status-decisions.json", w.Body.String())
	if strings.Contains(w.Body.String(), "secret") {
		t.Error("the error of a run is shown")
	}
	for accept, want := range map[string]string{
		"": "text/html; charset=utf-8", "*/*": "text/html; charset=utf-8", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": "text/html; charset=utf-8",
		"application/json": "application/json", "application/json, text/plain;q=0.5": "application/json", "text/html, application/json": "text/html; charset=utf-8",
	} {
		if got := do(h, "GET", "/status", "", "Accept", accept).Header().Get("Content-Type"); got != want {
			t.Errorf("Accept %q: got %s, want %s", accept, got, want)
		}
	}
	for name, s := range map[string]Status{"hostile": hostileStatus(), "empty": {}, "first look": firstLook()} {
		st = s
		if w := do(h, "GET", "/status.json", ""); w.Code != 200 || !js.Valid(w.Body.Bytes()) || strings.Contains(w.Body.String(), ": null") {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
	}
	err = errStore
	if w := do(h, "GET", "/status.json", ""); w.Code != 503 || strings.Contains(w.Body.String(), "10.0.0.7") || !js.Valid(w.Body.Bytes()) {
		t.Errorf("with a store that fails: got %d %s", w.Code, w.Body)
	}
}

func TestLastSweep(t *testing.T) {
	st := working()
	s := &st.Sources[0]
	sw, ok := s.lastSweep()
	want := sweepStatus{Ended: noon.Add(-8*time.Hour + 4*time.Minute + 12*time.Second), Feed: "xml", Verdict: crawler.OK, Unique: 11811, Total: 11822,
		Coverage: 11811.0 / 11822, Absent: 12}
	if diff := cmp.Diff(want, sw); diff != "" || !ok || s.closedEarly() != 9 {
		t.Errorf("closed early %d; (-want +got):\n%s", s.closedEarly(), diff)
	}
	// A part of a sweep is no end of one. What is no longer among the reports
	// the state still knows.
	s.Reports = s.Reports[:1]
	s.Reports[0].Tier, s.Reports[0].Verdict = crawler.Sweep, crawler.Partial
	if sw, ok := s.lastSweep(); ok {
		t.Errorf("got %+v of a part", sw)
	}
	s.State.Sweeps = []crawler.SweepRecord{{Unique: 1, Total: 2}, {Unique: 90, Total: 100, Feed: "html"}}
	want = sweepStatus{Ended: noon.Add(-8 * time.Hour), Feed: "html", Verdict: crawler.OK, Unique: 90, Total: 100, Coverage: 0.9}
	if sw, _ := s.lastSweep(); !cmp.Equal(want, sw) || s.closedEarly() != 0 {
		t.Errorf("got %+v, closed early %d", sw, s.closedEarly())
	}
}

func TestCircuit(t *testing.T) {
	for _, tt := range []struct {
		failures int
		gate     time.Duration
		want     string
	}{{0, time.Hour, circuitClosed}, {4, time.Hour, circuitClosed}, {5, time.Hour, circuitOpen}, {5, -time.Second, circuitHalfOpen}} {
		s := SourceStatus{State: crawler.State{Failures: tt.failures, Gate: noon.Add(tt.gate)}}
		if got := s.circuit(noon); got != tt.want {
			t.Errorf("%d failures, gate in %s: got %s, want %s", tt.failures, tt.gate, got, tt.want)
		}
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
		defectWords([]string{"layout", "layout", "order"}), defectWords([]string{"a", "b", "a", "c", "d"}), countFew(1, "reading", "readings"), countFew(2, "reading", "readings"),
		pagesWords(&crawler.Report{Tier: crawler.Sweep, Pages: 119, Expected: 121}), pagesWords(&crawler.Report{Tier: crawler.Hot, Pages: 3, Expected: 121}),
		pagesWords(&crawler.Report{Tier: crawler.Probe, Probes: 18}), pagesWords(&crawler.Report{Tier: crawler.Reread, Read: 1}),
		shellWord("x"), shellWord(""), shellWord("a b"), shellWord("it's"),
	}
	want := []string{
		"0 seconds", "0 seconds", "1 second", "59 seconds", "1 minute", "119 minutes", "2 hours",
		"47 hours", "2 days",
		"0.0 s", "1.2 s", "59 s", "3 min 7 s",
		"0", "999", "1,000", "1,234,567", "-1,000",
		"just now", "1 minute ago", "in 1 minute",
		"23:30", "2 July, 00:30", "1 July 2025, 23:30",
		"Redis", "other",
		"layout, order", "a, b, c, and 1 more", "reading", "2 readings",
		"119 of 121", "3", "18 by name", "1 advert", "x", "''", "'a b'", `'it'\''s'`,
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
	for _, guard := range crawler.Guards() {
		if strings.Contains(guardWords(guard), "("+guard+")") {
			t.Errorf("guard %q has no words", guard)
		}
	}
	for _, reason := range crawler.StopReasons() {
		if what, _ := stoppedWords(reason); strings.Contains(what, "("+reason+")") {
			t.Errorf("the reason %q of a stop has no words", reason)
		}
	}
}
