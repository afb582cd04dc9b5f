package web

import (
	"fmt"
	"slices"
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

// countFew is count where one goes without saying.
func countFew(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return count(n, one, many)
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
	case crawler.Trial:
		return "Newest, in the list for programs"
	case crawler.Probe:
		return "Missing ones, by name"
	case crawler.Canary:
		return "Both lists, compared"
	case crawler.Reread:
		return "Adverts, once more"
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
	case crawler.Trial:
		return "the newest vacancies in the list for programs"
	case crawler.Probe:
		return "the missing vacancies, by name"
	case crawler.Canary:
		return "both lists of the website side by side"
	case crawler.Reread:
		return "some adverts once more"
	default:
		return string(t)
	}
}

func verdictWords(r *crawler.Report) string {
	var s string
	switch {
	case r.Verdict == crawler.OK:
		s = "Complete"
	case r.Verdict == crawler.Partial:
		s = "Part done, goes on"
	case r.Verdict == crawler.Aborted:
		s = "Failed, is tried again"
	case r.Verdict == crawler.Quarantined && r.Tier == crawler.Canary:
		s = "They differ"
	case r.Verdict == crawler.Quarantined && r.Guard != "":
		s = "Not believed"
	case r.Verdict == crawler.Quarantined:
		s = "Page not as it should be"
	case r.Verdict == crawler.Skipped:
		s = "Not begun"
	default:
		s = r.Verdict
	}
	if len(r.Defects) > 0 {
		s += " (" + defectWords(r.Defects) + ")"
	}
	if r.Closed > 0 {
		s += ", " + thousands(r.Closed) + " closed early"
	}
	return s
}

// defectWords names the first of some defects, each once.
func defectWords(defects []string) string {
	const most = 3
	var out []string
	for _, d := range defects {
		if !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	if more := len(out) - most; more > 0 {
		out = append(out[:most], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, ", ")
}

// pagesWords is what a run has read: of a reading of the whole website also
// how much there was to be read.
func pagesWords(r *crawler.Report) string {
	switch {
	case r.Tier == crawler.Sweep && r.Expected > 0:
		return thousands(r.Pages) + " of " + thousands(r.Expected)
	case r.Tier == crawler.Probe:
		return thousands(r.Probes) + " by name"
	case r.Tier == crawler.Reread:
		return count(r.Read, "advert", "adverts")
	}
	return thousands(r.Pages)
}

func guardWords(guard string) string {
	switch guard {
	case crawler.GuardIncomplete:
		return "the last reading of the whole website did not list all the vacancies that the website says it has"
	case crawler.GuardDrop:
		return "the last reading of the whole website listed far fewer vacancies than those before"
	case crawler.GuardBlast:
		return "more than half of the open vacancies were missing in the last reading of the whole website"
	case crawler.GuardProbe:
		return "vacancies that are there were not found when we asked for them by name"
	case crawler.GuardClock:
		return "the website's clock and ours differ by more than two minutes"
	default:
		return "the last reading of the whole website was not good (" + guard + ")"
	}
}

func guardDo(guard string) string {
	switch guard {
	case crawler.GuardBlast:
		return "Operator: look at the website, and whether what we keep of it is damaged. The next reading is tomorrow night."
	case crawler.GuardProbe:
		return "Nothing. It is tried again in an hour. Operator: if it goes on, the website's search may have changed."
	case crawler.GuardClock:
		return "Operator: set the clock of this machine. If it is right, it is the website's that is wrong."
	default:
		return "Nothing. It is read again by itself. Operator: if it goes on, the log says what was counted."
	}
}

func feedWords(feed string) string {
	switch feed {
	case crawler.FeedXML:
		return "its list for programs (XML)"
	case crawler.FeedHTML:
		return "its pages for people (HTML)"
	default:
		return feed
	}
}

// classWords name the classes of work that share the requests of a day, the
// most urgent first: keys of what is stored.
var classWords = []struct{ class, words string }{
	{crawler.ClassHot, "Newest and last 24 hours"},
	{crawler.ClassAdvert, "Adverts"},
	{crawler.ClassSweep, "Whole website"},
	{crawler.ClassProbe, "Missing ones, and comparing lists"},
	{crawler.ClassReread, "Adverts once more"},
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
