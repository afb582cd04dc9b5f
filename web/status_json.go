package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
)

// statusAnswer is the status for programs: the facts of the page, under the
// names that the state has for them.
type statusAnswer struct {
	Version  string          `json:"version,omitempty"`
	Now      time.Time       `json:"now"`
	Level    string          `json:"level"` // ok, notice or fault: the worst of the findings
	Engine   string          `json:"engine"`
	Findings []findingAnswer `json:"findings"`
	Alerts   alertAnswer     `json:"alerts"`
	Sources  []sourceAnswer  `json:"sources"`
	Kept     []KeptPage      `json:"quarantine"`
}

type findingAnswer struct {
	Level    string   `json:"level"`
	What     string   `json:"what"`
	Do       string   `json:"do"`
	Commands []string `json:"commands,omitempty"`
}

type alertAnswer struct {
	Live      int       `json:"vacancies_open"`
	Known     int       `json:"vacancies_known"`
	Queued    int       `json:"queued"`
	Due       int       `json:"due"`
	OldestDue time.Time `json:"oldest_due,omitzero"`
	Buried    int       `json:"given_up"`
	Digests   int       `json:"digests"`
	Searches  int       `json:"searches"`
}

type sourceAnswer struct {
	Name          string                     `json:"name"`
	Host          string                     `json:"host"`
	Experimental  bool                       `json:"experimental,omitempty"`
	Freshness     freshness                  `json:"freshness"`
	Feed          string                     `json:"feed,omitempty"`
	Fallback      *crawler.Fallback          `json:"fallback,omitempty"`
	Circuit       string                     `json:"circuit"`
	Failures      int                        `json:"failures,omitempty"`
	Gate          time.Time                  `json:"gate,omitzero"`
	Paused        bool                       `json:"paused,omitempty"`
	Stopped       string                     `json:"stopped,omitempty"`
	HTMLForbidden bool                       `json:"html_forbidden,omitempty"`
	Baseline      *crawler.Baseline          `json:"baseline,omitempty"`
	Cursor        *cursorAnswer              `json:"sweep_under_way,omitempty"`
	LastGood      map[crawler.Tier]time.Time `json:"last_good,omitempty"`
	NextHot       time.Time                  `json:"next_hot,omitzero"`
	Live          int                        `json:"vacancies_open"`
	Total         int                        `json:"vacancies_stated,omitempty"`
	Sweep         *sweepStatus               `json:"last_sweep,omitempty"`
	Suspects      []crawler.SweepRecord      `json:"suspect_sweeps,omitempty"`
	ClosedEarly   int                        `json:"closed_early_last_night"`
	Probing       *probingAnswer             `json:"probing,omitempty"`
	Canary        *canaryAnswer              `json:"last_canary,omitempty"`
	Requests      requestAnswer              `json:"requests_today"`
	Runs          []crawler.Report           `json:"runs"`
}

type cursorAnswer struct {
	Started time.Time `json:"started"`
	Page    int       `json:"next_page"`
	Listed  int       `json:"listed"`
	Total   int       `json:"total"`
}

type probingAnswer struct {
	Since     time.Time `json:"since"`
	Left      int       `json:"left"`
	Unclear   int       `json:"unclear"`
	Failed    int       `json:"failed"`
	NotBefore time.Time `json:"not_before,omitzero"`
}

type canaryAnswer struct {
	At      time.Time `json:"at"`
	Verdict string    `json:"verdict"`
	Defects []string  `json:"defects,omitempty"`
}

type requestAnswer struct {
	Taken int            `json:"taken"`
	Limit int            `json:"limit,omitempty"`
	By    map[string]int `json:"by_class,omitempty"`
}

// wantsJSON reports whether an Accept header names JSON, and no page before it.
func wantsJSON(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		switch kind, _, _ := strings.Cut(part, ";"); strings.ToLower(strings.TrimSpace(kind)) {
		case "application/json":
			return true
		case "text/html", "application/xhtml+xml":
			return false
		}
	}
	return false
}

func (a *admin) statusJSON(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	st, err := a.o.Status(ctx)
	code, answer := http.StatusOK, any(nil)
	if err != nil {
		a.log.Error("the status could not be read", "err", err)
		code, answer = http.StatusServiceUnavailable, map[string]string{"error": "the state cannot be read, the log says why"}
	} else {
		answer = newStatusAnswer(&st)
	}
	b, err := json.MarshalIndent(answer, "", "  ")
	if err != nil {
		// Unreachable: there are no values that JSON cannot hold.
		text(w, http.StatusInternalServerError, "The status cannot be shown.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	w.Write(append(b, '\n'))
}

func newStatusAnswer(st *Status) *statusAnswer {
	v := &statusAnswer{Version: st.Version, Now: st.Now.UTC(), Engine: st.Engine, Findings: []findingAnswer{}, Sources: []sourceAnswer{},
		Kept: st.Kept, Alerts: alertAnswer{Live: st.Live, Known: st.Known, Queued: st.Queued, Due: st.Due, OldestDue: st.OldestDue.UTC(),
			Buried: st.Buried, Digests: st.Digests, Searches: st.Searches}}
	if v.Kept == nil {
		v.Kept = []KeptPage{}
	}
	worst := fine
	for _, f := range judge(st) {
		worst = max(worst, f.Level)
		a := findingAnswer{Level: f.Level.class(), What: f.What, Do: f.Do}
		for _, c := range f.Commands {
			a.Commands = append(a.Commands, c.Line)
		}
		v.Findings = append(v.Findings, a)
	}
	v.Level = worst.class()
	for i := range st.Sources {
		v.Sources = append(v.Sources, st.Sources[i].answer(st.Now))
	}
	return v
}

func (s *SourceStatus) answer(now time.Time) sourceAnswer {
	st := &s.State
	a := sourceAnswer{Name: s.Name, Host: s.Host, Experimental: s.Experimental, Freshness: s.freshness(now), Feed: s.feed(),
		Fallback: st.Fallback, Circuit: s.circuit(now), Failures: st.Failures, Gate: st.Gate, Paused: st.Paused, Stopped: st.Stopped,
		HTMLForbidden: st.HTMLForbidden, Baseline: st.Baseline, LastGood: st.LastGood, NextHot: st.NextHot, Live: s.Live,
		Total: st.Total, Suspects: st.Suspects, ClosedEarly: s.closedEarly(), Requests: requestAnswer{s.Taken, s.Limit, s.By}, Runs: []crawler.Report{}}
	if c := st.Cursor; c != nil {
		a.Cursor = &cursorAnswer{c.Started, c.Page, c.Listed, c.Total}
	}
	if sw, ok := s.lastSweep(); ok {
		a.Sweep = &sw
	}
	if p := st.Probing; p != nil {
		a.Probing = &probingAnswer{p.Since, p.Left, len(p.Unclear), p.Failed, p.NotBefore}
	}
	if r := s.lastRun(crawler.Canary); r != nil {
		a.Canary = &canaryAnswer{r.Started.Add(r.Took), r.Verdict, r.Defects}
	}
	for _, r := range s.Reports[:min(len(s.Reports), shownRuns)] {
		r.Err = "" // it may name addresses: it is for the log
		a.Runs = append(a.Runs, r)
	}
	return a
}
