package web

import (
	"fmt"
	"strconv"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
)

// groups are what operators want to know of a source beside its facts.
func (s *SourceStatus) groups(now time.Time) []group {
	groups := []group{
		{"How it is read", s.readingFacts(now)},
		{"The whole website, and what is missing", s.sweepFacts(now)},
	}
	if s.Limit > 0 {
		groups = append(groups, group{"Requests since midnight UTC", s.requestFacts()})
	}
	return groups
}

// at is a fact that has a time.
func at(now, t time.Time, name, remark string) fact {
	f := fact{Name: name, Value: remark}
	if !t.IsZero() {
		s := stampOf(now, t)
		f.At = &s
		if remark != "" {
			f.Value = ": " + remark
		}
	}
	return f
}

func (s *SourceStatus) readingFacts(now time.Time) []fact {
	st := &s.State
	var fs []fact
	if feed := s.feed(); feed != "" {
		fs = append(fs, fact{Name: "Read from", Value: feedWords(feed)})
	}
	if f := st.Fallback; f != nil {
		fs = append(fs, at(now, f.Since, "Second list in use since", fmt.Sprintf("%d of 2 good tries of the first one", f.Good)))
	} else if f := st.Failing; f != nil {
		fs = append(fs, at(now, f.Since, "Not readable since", count(f.Runs, "try", "tries")+" in a row"))
	}
	words := "working"
	switch s.circuit(now) {
	case circuitOpen:
		words = fmt.Sprintf("not working, %s in a row; the first page is tried at %s", count(st.Failures, "failure", "failures"), clock(now, st.Gate))
	case circuitHalfOpen:
		words = fmt.Sprintf("not working, %s in a row; the first page is tried now", count(st.Failures, "failure", "failures"))
	default:
		switch {
		case st.Stopped != "" || st.Paused:
			words = "not in use"
		case st.Failures > 0:
			words = fmt.Sprintf("%s in a row; from %d on only the first page is tried", count(st.Failures, "failure", "failures"), crawler.OpenAfter)
		}
	}
	fs = append(fs, fact{Name: "Connection", Value: words})
	if st.HTMLForbidden {
		fs = append(fs, fact{Name: "Pages for people", Value: "refused by the website, not asked for"})
	}
	if len(s.Feeds) > 1 {
		canary := fact{Name: "Both lists last compared", Value: "not yet"}
		if r := s.lastRun(crawler.Canary); r != nil {
			words := map[string]string{crawler.OK: "they agree", crawler.Quarantined: "they do not agree (" + defectWords(r.Defects) + ")",
				crawler.Partial: "too much changed meanwhile, tried again"}[r.Verdict]
			if words == "" {
				words = "failed, tried again"
			}
			canary = at(now, r.Started.Add(r.Took), canary.Name, words)
		} else if good := st.LastGood[crawler.Canary]; !good.IsZero() {
			canary = at(now, good, canary.Name, "they agree")
		}
		fs = append(fs, canary)
	}
	return fs
}

func (s *SourceStatus) sweepFacts(now time.Time) []fact {
	st := &s.State
	sw, ok := s.lastSweep()
	if !ok {
		return []fact{{Name: "Last reading that came to an end", Value: "not yet"}}
	}
	outcome := "good"
	switch {
	case sw.Guard != "":
		outcome = guardWords(sw.Guard) + ": nothing was closed"
	case sw.Verdict == crawler.Quarantined:
		outcome = "a page was not what it should be (" + defectWords(sw.Defects) + "): nothing was closed"
	}
	fs := []fact{at(now, sw.Ended, "Last reading that came to an end", outcome)}
	if sw.Total > 0 {
		fs = append(fs, fact{Name: "Vacancies listed in it", Value: fmt.Sprintf("%s of %s that the website states (%s %%)",
			thousands(sw.Unique), thousands(sw.Total), strconv.FormatFloat(100*sw.Coverage, 'f', 1, 64))})
	}
	missing := "none"
	if sw.Absent > 0 {
		missing = thousands(sw.Absent)
	}
	fs = append(fs, fact{Name: "Missing for two nights", Value: missing})
	if p := st.Probing; p != nil {
		words := fmt.Sprintf("under way, at most %s more this night", thousands(p.Left))
		if n := len(p.Unclear); n > 0 {
			words += fmt.Sprintf("; %s without a clear answer", thousands(n))
		}
		if p.Failed > 0 {
			words += fmt.Sprintf("; the website's search has failed (%s)", count(p.Failed, "time", "times"))
		}
		if p.NotBefore.After(now) {
			words += "; goes on at " + clock(now, p.NotBefore)
		}
		fs = append(fs, fact{Name: "Asking for them by name", Value: words})
	}
	closed := "none"
	if n := s.closedEarly(); n > 0 {
		closed = thousands(n)
	}
	return append(fs, fact{Name: "Closed early since that night", Value: closed})
}

func (s *SourceStatus) requestFacts() []fact {
	var fs []fact
	rest := s.Taken
	for _, c := range classWords {
		if n, ok := s.By[c.class]; ok {
			fs = append(fs, fact{Name: c.words, Value: thousands(n)})
			rest -= n
		}
	}
	if rest > 0 {
		fs = append(fs, fact{Name: "Not known what for", Value: thousands(rest)})
	}
	return append(fs, fact{Name: "Left", Value: fmt.Sprintf("%s of %s", thousands(max(s.Limit-s.Taken, 0)), thousands(s.Limit))})
}

// keep lists what is kept in quarantine, the newest first.
func (v *statusView) keep(st *Status) {
	for i := len(st.Kept) - 1; i >= 0; i-- {
		if len(v.Kept) == shownKept {
			v.More = count(i+1, "older one is kept", "older ones are kept") + " beside them."
			break
		}
		k := &st.Kept[i]
		reason := defectWords(k.Defects)
		if reason == "" {
			reason = "not known"
		}
		v.Kept = append(v.Kept, keptView{At: stampOf(st.Now, k.At), Source: k.Source, Reason: reason, Command: "vacancywatch read " + shellWord(k.File)})
	}
}
