package web

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
)

// A level says how bad something is.
type level int

const (
	fine   level = iota
	notice       // somebody should look, readers are served
	fault        // readers are or soon will be served late, or not at all
)

// A finding is one thing that is not as it should be.
type finding struct {
	Level level
	What  string // in words for everybody
	Do    string // what to do, and who
}

const (
	// lateGrace is how long a look may be late before it is called a fault:
	// one that began in time may still be under way.
	lateGrace = 5 * time.Minute
	// dueNotice and dueFault are how long alerts may lie in the outbox.
	dueNotice, dueFault = 5 * time.Minute, 15 * time.Minute
	// sweepWithin and deepWithin are how old the wider looks may be.
	sweepWithin, deepWithin = 36 * time.Hour, 3 * time.Hour
	// baselineWithin is how long a first look may take: it is a few minutes at
	// the polite pace, and hours if the website fails meanwhile.
	baselineWithin = 6 * time.Hour
)

const nothingToDo = "Nothing. It goes on by itself."

// judge returns what is not as it should be, worst first.
func judge(st *Status) []finding {
	var fs []finding
	if len(st.Sources) == 0 {
		fs = append(fs, finding{fault, "No website is being watched.", "Operator: add a source to the configuration."})
	}
	for i := range st.Sources {
		fs = append(fs, st.Sources[i].judge(st.Now)...)
	}
	if late := st.Now.Sub(st.OldestDue); st.Due > 0 && !st.OldestDue.IsZero() && late > dueNotice {
		f := finding{notice, fmt.Sprintf("%s, the oldest for %s.", count(st.Due, "alert is waiting to be sent", "alerts are waiting to be sent"), span(late)),
			"Nothing yet. They are sent in their order."}
		if late > dueFault {
			f.Level, f.Do = fault, "Operator: see in the log why alerts are not accepted by the mail server or the webhook. They are kept and sent later."
		}
		fs = append(fs, f)
	}
	if st.Buried > 0 {
		fs = append(fs, finding{notice, count(st.Buried, "alert could not be delivered and was given up.", "alerts could not be delivered and were given up."),
			"Operator: see in the log why. They are kept for 30 days."})
	}
	slices.SortStableFunc(fs, func(a, b finding) int { return cmp.Compare(b.Level, a.Level) })
	return fs
}

// judge names what is wrong with a source. A source that is stopped or in its
// baseline is not called late as well.
func (s *SourceStatus) judge(now time.Time) []finding {
	st := &s.State
	if st.Stopped != "" {
		what, do := stoppedWords(st.Stopped)
		return []finding{{fault, s.Name + " is stopped: " + what, do}}
	}
	var fs []finding
	if st.Gate.After(now) {
		fs = append(fs, finding{notice, fmt.Sprintf("%s: we ask the website nothing until %s, because it asked us to wait or did not answer well.", s.Name, clock(now, st.Gate)), nothingToDo})
	}
	if st.HTMLForbidden {
		fs = append(fs, finding{notice, s.Name + ": the website refuses the pages of its adverts. Alerts go out with what its list of vacancies states: without band and specialty.",
			"Operator: find out why the website refuses us before the source is resumed."})
	}
	if s.Limit > 0 && s.Taken >= s.Limit*9/10 {
		what := "nearly all of today's requests to the website are used."
		if s.Taken >= s.Limit {
			what = "all of today's requests to the website are used."
		}
		fs = append(fs, finding{notice, s.Name + ": " + what, "Nothing. The count begins again at midnight UTC. Operator: if it happens often, see what uses them up."})
	}
	if st.Baseline != nil {
		f := finding{notice, s.Name + ": this is our first look at the website. What is there already is noted and told to nobody; alerts begin after it.", nothingToDo}
		if st.Baseline.Reason == crawler.LostState {
			f = finding{fault, s.Name + ": what we knew of this website was lost, so we look at all of it again. Until that is done nobody is told of anything.",
				"Operator: find out why the stored state is gone. The look goes on by itself."}
		}
		if since := now.Sub(st.Baseline.Since); since > baselineWithin {
			f.Level = fault
			f.What += fmt.Sprintf(" It began %s ago and should have ended by now.", span(since))
			f.Do = "Operator: see in the last runs below and in the log what holds it up."
		}
		fs = append(fs, f)
		return append(fs, s.lastRuns()...)
	}
	fs = append(fs, s.lateness(now)...)
	return append(fs, s.lastRuns()...)
}

// lateness names the looks that are too long ago.
func (s *SourceStatus) lateness(now time.Time) []finding {
	good := s.State.LastGood
	check := "Operator: see in the last runs below and in the log why."
	var fs []finding
	switch f := s.freshness(now); f.Reason {
	case staleNever:
		// After a baseline the sweep is what was read last.
		if since := good[crawler.Sweep]; !since.IsZero() && now.Sub(since) > crawler.FreshnessLimit(now)+lateGrace {
			fs = append(fs, finding{fault, s.Name + ": the newest vacancies could not be read since the first look ended, " + span(now.Sub(since)) + " ago.", check})
		} else if since.IsZero() {
			fs = append(fs, finding{notice, s.Name + ": we have not looked at this website yet.", "Nothing. The first look begins within a minute or two."})
		}
	case staleClock:
		fs = append(fs, finding{fault, s.Name + ": the last look lies in the future, so a clock is wrong.", "Operator: set the clock of this machine, and of every other one that runs this service."})
	case staleLate:
		age := now.Sub(f.LastGood)
		l := notice
		if age > crawler.FreshnessLimit(now)+lateGrace {
			l = fault
		}
		fs = append(fs, finding{l, fmt.Sprintf("%s: the newest vacancies were last read %s ago. At this time of day it should be less than %s.", s.Name, span(age), span(crawler.FreshnessLimit(now))), check})
	}
	if at := good[crawler.Deep]; !at.IsZero() && now.Sub(at) > deepWithin {
		fs = append(fs, finding{notice, fmt.Sprintf("%s: the vacancies of the last 24 hours were last read %s ago, it should be about one hour. Those that were posted late may be missing.", s.Name, span(now.Sub(at))), check})
	}
	if at := good[crawler.Sweep]; !at.IsZero() && now.Sub(at) > sweepWithin {
		fs = append(fs, finding{notice, fmt.Sprintf("%s: the whole website was last read %s ago, it should be once a day. Vacancies that closed early may still be shown as open.", s.Name, span(now.Sub(at))), check})
	}
	return fs
}

// lastRuns names what the newest run of each tier found wrong.
func (s *SourceStatus) lastRuns() []finding {
	var fs []finding
	seen := map[crawler.Tier]bool{}
	for i := range s.Reports {
		r := &s.Reports[i]
		if seen[r.Tier] || r.Verdict == crawler.Skipped {
			continue
		}
		seen[r.Tier] = true
		switch r.Verdict {
		case crawler.Quarantined:
			fs = append(fs, finding{notice, fmt.Sprintf("%s: a page was not what it should be when we read %s. Nothing was concluded from it.", s.Name, tierObject(r.Tier)),
				"Operator: if it happens again, the website may have changed its pages. The log names the fault."})
		case crawler.Aborted:
			fs = append(fs, finding{notice, fmt.Sprintf("%s: the last attempt to read %s failed.", s.Name, tierObject(r.Tier)), "Nothing. It is tried again. Operator: the log says why."})
		}
	}
	return fs
}

func stoppedWords(reason string) (what, do string) {
	const resume = " Then resume the source: vacancywatch crawl resume. Until then nothing new is found there."
	switch reason {
	case crawler.StoppedForbidden:
		return "the website refuses our requests, so we ask nothing of it.", "Operator: ask those who run the website." + resume
	case crawler.StoppedRobots:
		return "the website's rules for programs (robots.txt) ask us to stay away, so we do.", "Operator: read the rules, and ask those who run the website." + resume
	case crawler.StoppedGated:
		return "the website asked us to wait for more than six hours.", "Operator: find out why, and ask less of it." + resume
	default:
		return "a person must look at it (" + reason + ").", "Operator: see in the log why it was stopped." + resume
	}
}
