package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// span is a time span in words that are exact enough for a person.
func span(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return count(int(d/time.Second), "second", "seconds")
	case d < 2*time.Hour:
		return count(int(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return count(int(d/time.Hour), "hour", "hours")
	default:
		return count(int(d/(24*time.Hour)), "day", "days")
	}
}

// took is the duration of a run: short, for a column.
func took(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	default:
		return fmt.Sprintf("%d min %d s", int(d/time.Minute), int(d%time.Minute/time.Second))
	}
}

// clock is a time in London, with its day where that is not today.
func clock(now, t time.Time) string {
	now, t = now.In(vacancy.London()), t.In(vacancy.London())
	switch {
	case now.YearDay() == t.YearDay() && now.Year() == t.Year():
		return t.Format("15:04")
	case now.Year() == t.Year():
		return t.Format("2 January, 15:04")
	default:
		return t.Format("2 January 2006, 15:04")
	}
}

// ago tells how far a time is from now, to either side.
func ago(now, t time.Time) string {
	switch d := now.Sub(t); {
	case d >= time.Second:
		return span(d) + " ago"
	case d > -time.Second:
		return "just now"
	default:
		return "in " + span(-d)
	}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

func thousands(n int) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func tierWords(t crawler.Tier) string {
	switch t {
	case crawler.Hot:
		return "Newest"
	case crawler.Deep:
		return "Last 24 hours"
	case crawler.Sweep:
		return "Whole website"
	default:
		return string(t)
	}
}

func tierObject(t crawler.Tier) string {
	switch t {
	case crawler.Hot:
		return "the newest vacancies"
	case crawler.Deep:
		return "the vacancies of the last 24 hours"
	case crawler.Sweep:
		return "the whole website"
	default:
		return string(t)
	}
}

func verdictWords(r *crawler.Report) string {
	var s string
	switch r.Verdict {
	case crawler.OK:
		s = "Complete"
	case crawler.Partial:
		s = "Part done, goes on"
	case crawler.Aborted:
		s = "Failed, is tried again"
	case crawler.Quarantined:
		s = "Page not as it should be"
	case crawler.Skipped:
		s = "Not begun"
	default:
		s = r.Verdict
	}
	if len(r.Defects) > 0 {
		s += " (" + strings.Join(r.Defects[:min(len(r.Defects), 3)], ", ") + ")"
	}
	return s
}

func engineWords(engine string) string {
	switch engine {
	case EngineRedis:
		return "Redis"
	case EngineEmbedded:
		return "a file on this machine"
	default:
		return engine
	}
}
