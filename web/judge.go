package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/crawler/drift"
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
	// Commands are what operators may type.
	Commands []command
}

// A command is a line to be typed, and what it is for.
type command struct{ What, Line string }

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
		fs = append(fs, finding{fault, "No website is being watched.", "Operator: add a source to the configuration.", nil})
	}
	for i := range st.Sources {
		fs = append(fs, st.Sources[i].judge(st.Now, st.Config)...)
	}
	if late := st.Now.Sub(st.OldestDue); st.Due > 0 && !st.OldestDue.IsZero() && late > dueNotice {
		f := finding{notice, fmt.Sprintf("%s, the oldest for %s.", count(st.Due, "alert is waiting to be sent", "alerts are waiting to be sent"), span(late)),
			"Nothing yet. They are sent in their order.", nil}
		if late > dueFault {
			f.Level, f.Do = fault, "Operator: see in the log why alerts are not accepted by the mail server or the webhook. They are kept and sent later."
		}
		fs = append(fs, f)
	}
	if st.Buried > 0 {
		fs = append(fs, finding{notice, count(st.Buried, "alert could not be delivered and was given up.", "alerts could not be delivered and were given up."),
			"Operator: see in the log why. They are kept for 30 days.", nil})
	}
	slices.SortStableFunc(fs, func(a, b finding) int { return cmp.Compare(b.Level, a.Level) })
	return fs
}

// judge names what is wrong with a source. A source that is stopped, paused or
// in its first look is not called late as well.
func (s *SourceStatus) judge(now time.Time, config string) []finding {
	st := &s.State
	crawl := func(what, action string, flags ...string) command {
		return command{what, crawlCommand(action, s.Name, config, flags...)}
	}
	resume := []command{crawl("Go on", ActionResume)}
	switch {
	case st.Stopped != "":
		what, do := stoppedWords(st.Stopped)
		return []finding{{fault, s.Name + " is stopped: " + what, do, resume}}
	case st.Paused:
		return []finding{{fault, s.Name + " is paused: a person has asked us to ask nothing of the website. Nothing new is found there until it is resumed.",
			"Operator: resume the source when the reason is gone.", resume}}
	}
	var fs []finding
	if st.Gate.After(now) {
		fs = append(fs, finding{notice, fmt.Sprintf("%s: we ask the website nothing until %s, because it asked us to wait or did not answer well.", s.Name, clock(now, st.Gate)), nothingToDo, nil})
	}
	if st.HTMLForbidden {
		fs = append(fs, finding{notice, s.Name + ": the website refuses the pages of its adverts. Alerts go out with what its list of vacancies states: without band and specialty.",
			"Operator: find out why the website refuses us before the source is resumed.", resume})
	}
	if s.Limit > 0 && s.Taken >= s.Limit*9/10 {
		what := "nearly all of today's requests to the website are used."
		if s.Taken >= s.Limit {
			what = "all of today's requests to the website are used."
		}
		fs = append(fs, finding{notice, s.Name + ": " + what, "Nothing. The count begins again at midnight UTC. Operator: if it happens often, see what uses them up.", nil})
	}
	if f := st.Fallback; f != nil {
		fs = append(fs, finding{notice, fmt.Sprintf("%s: since %s we read the website's pages for people, because its list for programs cannot be read. New vacancies may be found later than usual.", s.Name, clock(now, f.Since)),
			"Nothing. The list for programs is tried every 30 minutes, and used again after two good tries. Operator: see in the log what is wrong with it.", nil})
	}
	if n := len(st.Suspects); n > 0 {
		fs = append(fs, finding{notice, fmt.Sprintf("%s: the last %s of the whole website listed far fewer vacancies than before: %s instead of %s. Until that is clear none is called closed for not being listed.",
			s.Name, countFew(n, "reading", "readings"), thousands(st.Suspects[n-1].Unique), usualWords(st.Sweeps)),
			"Operator: look at the website. If it has really shrunk, accept that; if not, it is a fault of the website or of ours, and mends when that does.",
			[]command{crawl("It has really shrunk", ActionAccept)}})
	}
	switch {
	case st.Baseline != nil && st.Baseline.Reason == crawler.Flood:
		fs = append(fs, finding{fault, fmt.Sprintf("%s: since %s far more vacancies are unknown to us than can be new. They are noted and nobody is told of them, until a person decides. What was posted after that is told as usual.", s.Name, clock(now, st.Baseline.Since)),
			"Operator: look at the website. Perhaps it has given its vacancies new references, and nobody wants to hear of them again; perhaps they are new.",
			[]command{crawl("See how many would be told, and to how many readers", ActionRelease, "--dry-run"),
				crawl("Tell them", ActionRelease), crawl("Never tell them", ActionAccept)}})
	case st.Baseline != nil:
		f := finding{notice, s.Name + ": this is our first look at the website. What is there already is noted and told to nobody; alerts begin after it.", nothingToDo, nil}
		if st.Baseline.Reason == crawler.LostState {
			f = finding{fault, s.Name + ": what we knew of this website was lost, so we look at all of it again. Until that is done nobody is told of anything.",
				"Operator: find out why the stored state is gone. The look goes on by itself.", nil}
		}
		if since := now.Sub(st.Baseline.Since); since > baselineWithin {
			f.Level = fault
			f.What += fmt.Sprintf(" It began %s ago and should have ended by now.", span(since))
			f.Do = "Operator: see in the last runs below and in the log what holds it up."
		}
		fs = append(fs, f)
		return append(fs, s.lastRuns(config)...)
	}
	fs = append(fs, s.lateness(now)...)
	return append(fs, s.lastRuns(config)...)
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
			fs = append(fs, finding{fault, s.Name + ": the newest vacancies could not be read since the first look ended, " + span(now.Sub(since)) + " ago.", check, nil})
		} else if since.IsZero() {
			fs = append(fs, finding{notice, s.Name + ": we have not looked at this website yet.", "Nothing. The first look begins within a minute or two.", nil})
		}
	case staleClock:
		fs = append(fs, finding{fault, s.Name + ": the last look lies in the future, so a clock is wrong.", "Operator: set the clock of this machine, and of every other one that runs this service.", nil})
	case staleLate:
		age := now.Sub(f.LastGood)
		l := notice
		if age > crawler.FreshnessLimit(now)+lateGrace {
			l = fault
		}
		fs = append(fs, finding{l, fmt.Sprintf("%s: the newest vacancies were last read %s ago. At this time of day it should be less than %s.", s.Name, span(age), span(crawler.FreshnessLimit(now))), check, nil})
	}
	if at := good[crawler.Deep]; !at.IsZero() && now.Sub(at) > deepWithin {
		fs = append(fs, finding{notice, fmt.Sprintf("%s: the vacancies of the last 24 hours were last read %s ago, it should be about one hour. Those that were posted late may be missing.", s.Name, span(now.Sub(at))), check, nil})
	}
	if at := good[crawler.Sweep]; !at.IsZero() && now.Sub(at) > sweepWithin {
		fs = append(fs, finding{notice, fmt.Sprintf("%s: the whole website was last read %s ago, it should be once a day. Vacancies that closed early may still be shown as open.", s.Name, span(now.Sub(at))), check, nil})
	}
	return fs
}

// lastRuns names what the newest run of each tier found wrong.
func (s *SourceStatus) lastRuns(config string) []finding {
	var fs []finding
	seen := map[crawler.Tier]bool{}
	for i := range s.Reports {
		r := &s.Reports[i]
		if seen[r.Tier] || r.Verdict == crawler.Skipped {
			continue
		}
		seen[r.Tier] = true
		switch {
		case r.Guard == crawler.GuardDrop: // the suspect readings say so
		case r.Guard != "":
			fs = append(fs, finding{notice, s.Name + ": " + guardWords(r.Guard) + ", so none was called closed for not being listed.", guardDo(r.Guard), nil})
		case r.Verdict == crawler.Quarantined && r.Tier == crawler.Canary:
			fs = append(fs, finding{notice, s.Name + ": the two lists of the website do not say the same of a vacancy. What we tell of vacancies may be wrong.",
				"Operator: the log names what differs. Compare it with the website.", nil})
		case r.Verdict == crawler.Quarantined:
			f := finding{notice, fmt.Sprintf("%s: a page was not what it should be when we read %s. Nothing was concluded from it.", s.Name, tierObject(r.Tier)),
				"Operator: if it happens again, the website may have changed its pages. The log names the fault, and the page is kept to be looked at.", nil}
			if slices.Contains(r.Defects, drift.DefectRate) || slices.Contains(r.Defects, drift.DefectChanged) {
				f.Commands = []command{{"If the list is right, and only filled in otherwise than before", crawlCommand(ActionAccept, s.Name, config)}}
			}
			fs = append(fs, f)
		case r.Verdict == crawler.Aborted:
			fs = append(fs, finding{notice, fmt.Sprintf("%s: the last attempt to read %s failed.", s.Name, tierObject(r.Tier)), "Nothing. It is tried again. Operator: the log says why.", nil})
		}
	}
	return fs
}

func stoppedWords(reason string) (what, do string) {
	const resume = " Then resume the source. Until then nothing new is found there."
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

// crawlCommand is what an operator types to decide about a source.
func crawlCommand(action, source, config string, flags ...string) string {
	if config == "" {
		config = "FILE"
	}
	words := append([]string{"vacancywatch", "crawl", action, shellWord(source), "--config", shellWord(config)}, flags...)
	return strings.Join(words, " ")
}

// shellWord is a word as a shell takes it for one.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("/._-+:@%,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func usualWords(sweeps []crawler.SweepRecord) string {
	if len(sweeps) == 0 {
		return "more"
	}
	return thousands(sweeps[len(sweeps)-1].Unique)
}
