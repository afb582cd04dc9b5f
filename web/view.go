package web

import (
	"fmt"
	"strconv"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// shownRuns is how many runs of a source the page lists.
const shownRuns = 8

// shownKept is how many of the pages in quarantine it lists.
const shownKept = 10

// statusView is the status page as its template wants it.
type statusView struct {
	Class    string // of the panel: ok, notice or fault; its words say the same
	Label    string
	Sentence string
	AsOf     stamp
	Findings []findingView
	Sources  []sourceView
	Alerts   []fact
	Kept     []keptView
	More     string // of what is kept is not shown
	Version  string
	Engine   string
}

type findingView struct {
	Class, Label, What, Do string
	Commands               []command
}

type sourceView struct {
	ID, Name, Host string
	Class, State   string
	Experimental   bool
	Facts          []fact
	Groups         []group // for operators
	Runs           []runView
}

// A group is a list of facts with a heading.
type group struct {
	Title string
	Facts []fact
}

type keptView struct {
	At             stamp
	Source, Reason string
	Command        string
}

// A fact is one line of a list: a value in words, or a time and a remark.
type fact struct {
	Name  string
	At    *stamp
	Value string
}

// A stamp is a time for people, and for machines.
type stamp struct {
	ISO, Clock, Ago string
}

type runView struct {
	Started stamp
	Kind    string
	Result  string
	Good    bool
	Pages   string
	New     string
	Took    string
}

func (l level) class() string { return [...]string{"ok", "notice", "fault"}[l] }

// newStatusView puts a status into words; for operators with the details and
// the commands.
func newStatusView(st *Status, operators bool) *statusView {
	findings := judge(st)
	v := &statusView{Version: st.Version, Engine: engineWords(st.Engine)}
	v.AsOf = stampOf(st.Now, st.Now)
	v.AsOf.Clock = st.Now.In(vacancy.London()).Format("15:04 on 2 January 2006")
	worst := fine
	for _, f := range findings {
		worst = max(worst, f.Level)
		label := "To note"
		if f.Level == fault {
			label = "Problem"
		}
		fv := findingView{Class: f.Level.class(), Label: label, What: f.What, Do: f.Do}
		if operators {
			fv.Commands = f.Commands
		}
		v.Findings = append(v.Findings, fv)
	}
	v.Class = worst.class()
	switch worst {
	case fine:
		v.Label, v.Sentence = "Working", "New vacancies are being found, and alerts are going out."
	case notice:
		v.Label, v.Sentence = "Working, with something to note", "Vacancies are being watched. Not everything is as usual; what that means is below."
	default:
		v.Label, v.Sentence = "Not working as it should", "Alerts may be late or missing. What is wrong, and what is done about it, is below."
	}
	for i := range st.Sources {
		sv := st.Sources[i].view(st.Now, i)
		if operators {
			sv.Groups = st.Sources[i].groups(st.Now)
		}
		v.Sources = append(v.Sources, sv)
	}
	v.Alerts = alertFacts(st)
	if operators {
		v.keep(st)
	}
	return v
}

func alertFacts(st *Status) []fact {
	waiting := thousands(st.Queued)
	switch {
	case st.Due > 0 && !st.OldestDue.IsZero() && st.OldestDue.Before(st.Now):
		waiting += fmt.Sprintf(" (%s due now, the oldest for %s)", thousands(st.Due), span(st.Now.Sub(st.OldestDue)))
	case st.Due > 0:
		waiting += fmt.Sprintf(" (%s due now)", thousands(st.Due))
	case st.Queued > 0:
		waiting += " (none due yet)"
	}
	return []fact{
		{Name: "Saved searches", Value: thousands(st.Searches)},
		{Name: "Vacancies open now", Value: fmt.Sprintf("%s of %s remembered", thousands(st.Live), thousands(st.Known))},
		{Name: "Alerts waiting to be sent", Value: waiting},
		{Name: "Daily digests being collected", Value: thousands(st.Digests)},
		{Name: "Alerts given up", Value: thousands(st.Buried)},
	}
}

func (s *SourceStatus) view(now time.Time, n int) sourceView {
	v := sourceView{ID: "source-" + strconv.Itoa(n+1), Name: s.Name, Host: s.Host, Experimental: s.Experimental}
	worst := fine
	for _, f := range s.judge(now, "") {
		worst = max(worst, f.Level)
	}
	v.Class = worst.class()
	st := &s.State
	switch {
	case st.Stopped != "":
		v.State = "Stopped until a person resumes it"
	case st.Paused:
		v.State = "Paused until a person resumes it"
	case st.Baseline != nil && st.Baseline.Reason == crawler.Flood:
		v.State = "Flooded, a person must decide what is told"
	case st.Baseline != nil:
		v.State = "First look, nobody is told yet"
	case st.Gate.After(now) && worst == fault:
		v.State = "Late, waiting to ask again"
	case st.Gate.After(now):
		v.State = "Waiting to ask again"
	case worst == fault:
		v.State = "Late"
	case worst == notice:
		v.State = "Watched, with something to note"
	default:
		v.State = "Watched"
	}
	add := func(name string, at time.Time, remark string) {
		f := fact{Name: name, Value: remark}
		if !at.IsZero() {
			t := stampOf(now, at)
			f.At = &t
		}
		if f.At != nil || f.Value != "" {
			v.Facts = append(v.Facts, f)
		}
	}
	lastGood := func(name string, t crawler.Tier) {
		at, remark := st.LastGood[t], ""
		if at.IsZero() {
			remark = "not yet"
		}
		add(name, at, remark)
	}
	lastGood("Newest vacancies last read", crawler.Hot)
	lastGood("Last 24 hours last read", crawler.Deep)
	lastGood("Whole website last read", crawler.Sweep)
	if c := st.Cursor; c != nil {
		progress := fmt.Sprintf("%s so far", count(c.Listed, "vacancy", "vacancies"))
		if c.Total > 0 {
			progress = fmt.Sprintf("%s of %s so far", thousands(c.Listed), count(c.Total, "vacancy", "vacancies"))
		}
		add("Whole website being read", time.Time{}, progress)
	}
	if st.Stopped == "" && !st.Paused {
		switch {
		case st.Gate.After(now):
			add("Next look not before", st.Gate, "")
		case (st.Baseline == nil || st.Baseline.Reason == crawler.Flood) && st.NextHot.After(now):
			add("Next look", st.NextHot, "")
		}
	}
	live := thousands(s.Live)
	if st.Total > 0 {
		live += fmt.Sprintf(" (the website states %s)", thousands(st.Total))
	}
	add("Vacancies open now", time.Time{}, live)
	if s.Limit > 0 {
		add("Requests today", time.Time{}, fmt.Sprintf("%s of at most %s", thousands(s.Taken), thousands(s.Limit)))
	}
	for i := range s.Reports[:min(len(s.Reports), shownRuns)] {
		r := &s.Reports[i]
		found := thousands(r.New)
		if r.Baseline {
			found += ", not told"
		}
		v.Runs = append(v.Runs, runView{Started: stampOf(now, r.Started), Kind: tierWords(r.Tier), Result: verdictWords(r),
			Good: r.Verdict == crawler.OK, Pages: pagesWords(r), New: found, Took: took(r.Took)})
	}
	return v
}

func stampOf(now, t time.Time) stamp {
	return stamp{ISO: t.UTC().Format(time.RFC3339), Clock: clock(now, t), Ago: ago(now, t)}
}
