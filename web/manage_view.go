package web

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/people"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web/preview"
)

// manageView is a person's own page.
type manageView struct {
	Done       string // what was just done, a sentence
	Suppressed string // why the address gets no mail, a sentence
	Searches   []ownSearch
	// AnyPaused and AnyRunning say which of the two is offered for all.
	AnyPaused, AnyRunning bool
	Most                  int
}

// ownSearch is one search of a person.
type ownSearch struct {
	N     int
	Words string
	Facts []fact
	// Query is what leads to what can be done with it, "&search=…".
	Query  template.URL
	Paused bool
	// Editable is false for a search that the form cannot say.
	Editable bool
}

// doneWords are what is said after a form.
var doneWords = map[string]string{
	"edit":   "The search is changed.",
	"when":   "When you are told is changed.",
	"pause":  "Paused. You get nothing until then, and it goes on by itself.",
	"resume": "It goes on. What is still open of what we found meanwhile is on its way to you.",
	"delete": "The search is deleted. You get no more alerts for it.",
	"keep":   "Your alerts go on.",
	"all":    "All your searches are stopped.",
}

func newManageView(v visit, suppressed *people.Suppressed, done string) *manageView {
	out := &manageView{Done: doneWords[done], Most: people.MaxSearches}
	if s := suppressed; s != nil {
		switch {
		case s.Until.IsZero():
			out.Suppressed = "You get no mail at all: on " + dayWords(s.Since) + " somebody marked a mail of ours to your address as spam. Whoever runs this service can lift that."
		default:
			out.Suppressed = "You get no mail until " + dayWords(s.Until) + ": our mails to your address came back several times. Then we try again, with what is still open."
		}
	}
	for i := range v.person.Searches {
		s := &v.person.Searches[i]
		own := ownSearch{N: i + 1, Words: s.Describe(), Query: template.URL("&" + url.Values{"search": {s.ID}}.Encode())}
		_, own.Editable = preview.Query(s)
		own.Facts = []fact{{Name: "Mails", Value: often(s.Notify)}, {Name: "Since", Value: dayWords(s.Created)}}
		if until := paused(s, v.now); !until.IsZero() {
			own.Paused, out.AnyPaused = true, true
			own.Facts = append(own.Facts, fact{Name: "Paused", Value: "until " + dayWords(until)})
		} else {
			out.AnyRunning = true
		}
		out.Searches = append(out.Searches, own)
	}
	return out
}

// paused is until when a search is paused, zero where it is not.
func paused(s *vacancy.Search, now time.Time) time.Time {
	for _, n := range s.Notify {
		if now.Before(n.Paused) {
			return n.Paused
		}
	}
	return time.Time{}
}

// dayWords is a day in London: "24 November 2026".
func dayWords(t time.Time) string { return vacancy.LondonDay(t).Human() }

// often says when a search tells.
func often(all []vacancy.Notify) string {
	if len(all) == 0 {
		return "none"
	}
	n := all[0]
	var out string
	switch n.Rhythm {
	case vacancy.Hourly:
		out = "at most one an hour"
	case vacancy.Daily:
		out = "one a day, at " + clockWords(n.Hour)
	case vacancy.Weekly:
		out = "one a week, on " + upper(n.Day) + " at " + clockWords(n.Hour)
	default:
		out = "as soon as we find something"
		if n.DailyCap > 0 {
			out += fmt.Sprintf(", at most %d a day and the rest in one", n.DailyCap)
		}
	}
	if !n.Quiet.IsZero() {
		out += fmt.Sprintf("; none from %s to %s", clockWords(n.Quiet.From), clockWords(n.Quiet.To))
	}
	if n.RemindDays > 0 {
		out += fmt.Sprintf("; a reminder %s before a vacancy closes", count(n.RemindDays, "day", "days"))
	}
	return out
}

func clockWords(hour int) string { return fmt.Sprintf("%02d:00", hour) }

// A pauseView asks until when to pause.
type pauseView struct {
	Words   string // of the one search, "" for all
	Choices choices
}

func newPauseView(v visit) *pauseView {
	out := &pauseView{Choices: pauseChoices("")}
	if v.search != nil {
		out.Words = v.search.Describe()
	}
	return out
}

type pauseFor struct {
	value, label string
	days         int
}

// pauses are how long a pause may be, in days.
var pauses = []pauseFor{{"7", "One week", 7}, {"14", "Two weeks", 14}, {"28", "Four weeks", 28}, {"84", "Twelve weeks", 84}, {"date", "Until a day that I choose", 0}}

func pauseChoices(chosen string) choices {
	c := choices{ID: "pause", Legend: "For how long?"}
	for i, p := range pauses {
		id := "pause"
		if i > 0 {
			id += "-" + p.value
		}
		c.Options = append(c.Options, option{ID: id, Name: "pause", Value: p.value, Label: p.label, Checked: p.value == chosen})
	}
	return c
}

// pauseUntil reads the end of a pause: a day, at the hour of digests. The fault
// is a sentence.
func pauseUntil(form url.Values, now time.Time) (until time.Time, fault string) {
	today := vacancy.LondonDay(now)
	value := form.Get("pause")
	i := slices.IndexFunc(pauses, func(p pauseFor) bool { return p.value == value })
	if i < 0 {
		return until, "Choose for how long."
	}
	day := today.Add(pauses[i].days)
	if value == "date" {
		typed := strings.TrimSpace(form.Get("until"))
		t, err := time.Parse("2006-01-02", typed)
		if err != nil {
			t, err = time.Parse("2/1/2006", typed)
		}
		if err != nil {
			return until, "Enter the day as in 24/11/2026."
		}
		day = vacancy.DayOf(t, time.UTC)
	}
	if left := today.DaysUntil(day); left < 1 || left > int(people.MaxPause.Hours()/24) {
		return until, "Choose a day after today, within the next six months."
	}
	return time.Date(day.Year, day.Month, day.Day, firstHour, 0, 0, 0, vacancy.London()).UTC(), ""
}

// A whenView asks when a search tells.
type whenView struct {
	Errors []preview.Fault
	Words  string
	Rhythm choices
	Hour   choices
	Day    choices
	From   choices
	To     choices
	Cap    input
	Remind input
}

const (
	fieldRhythm, fieldHour, fieldDay = "rhythm", "hour", "day"
	fieldFrom, fieldTo               = "quiet_from", "quiet_to"
	fieldCap, fieldRemind            = "daily_cap", "remind_days"
)

func newWhenView(s *vacancy.Search) *whenView {
	form := url.Values{}
	if len(s.Notify) > 0 {
		n := s.Notify[0]
		form.Set(fieldRhythm, string(n.Rhythm))
		form.Set(fieldHour, strconv.Itoa(n.Hour))
		form.Set(fieldDay, n.Day)
		if !n.Quiet.IsZero() {
			form.Set(fieldFrom, strconv.Itoa(n.Quiet.From))
			form.Set(fieldTo, strconv.Itoa(n.Quiet.To))
		}
		for field, v := range map[string]int{fieldCap: n.DailyCap, fieldRemind: n.RemindDays} {
			if v > 0 {
				form.Set(field, strconv.Itoa(v))
			}
		}
		if n.Rhythm == vacancy.Instant || n.Rhythm == "" || n.Rhythm == vacancy.Hourly {
			form.Set(fieldHour, strconv.Itoa(firstHour))
		}
	}
	return whenForm(s, form)
}

// whenForm is the form as it is filled in.
func whenForm(s *vacancy.Search, form url.Values) *whenView {
	v := &whenView{Words: s.Describe()}
	if form.Get(fieldRhythm) == "" {
		form.Set(fieldRhythm, string(vacancy.Instant))
	}
	one := func(id, legend, none string, values, labels []string) choices {
		c := choices{ID: id, Legend: legend}
		if none != "" {
			c.Options = append(c.Options, option{ID: id, Name: id, Label: none})
		}
		for i := range values {
			o := option{ID: id + "-" + values[i], Name: id, Value: values[i], Label: labels[i], Checked: form.Get(id) == values[i]}
			if len(c.Options) == 0 {
				o.ID = id
			}
			c.Options = append(c.Options, o)
		}
		return c
	}
	var hours, clocks, days []string
	for h := range 24 {
		if h != 1 { // which is missing one night a year and comes twice another
			hours, clocks = append(hours, strconv.Itoa(h)), append(clocks, clockWords(h))
		}
	}
	for _, d := range vacancy.Weekdays() {
		days = append(days, upper(d))
	}
	v.Rhythm = one(fieldRhythm, "How often", "", []string{string(vacancy.Instant), string(vacancy.Hourly), string(vacancy.Daily), string(vacancy.Weekly)},
		[]string{"As soon as we find something", "At most one mail an hour", "One mail a day", "One mail a week"})
	v.Hour = one(fieldHour, "At", "", hours, clocks)
	v.Day = one(fieldDay, "On", "", vacancy.Weekdays(), days)
	v.From = one(fieldFrom, "No mail from", "No quiet hours", hours, clocks)
	v.To = one(fieldTo, "until", "–", hours, clocks)
	v.Cap = input{ID: fieldCap, Label: "Single mails a day, at most", Hint: "What is over comes in one mail the next morning. Empty is no limit.", Value: shown(form.Get(fieldCap)), Numeric: true, Max: 3}
	v.Remind = input{ID: fieldRemind, Label: "Days before it closes", Hint: "We remind you once of each vacancy that we told you of and that is still open. Empty is no reminder; 14 is the most.", Value: shown(form.Get(fieldRemind)), Numeric: true, Max: 2}
	return v
}

// readWhen reads the form. The view is not nil where something is wrong.
func readWhen(form url.Values, s *vacancy.Search) (vacancy.Notify, *whenView) {
	v := whenForm(s, form)
	fault := func(field, text string) { v.Errors = append(v.Errors, preview.Fault{Field: field, Text: text}) }
	number := func(in *input, least, most int) int {
		if strings.TrimSpace(in.Value) == "" {
			return 0
		}
		n, err := strconv.Atoi(strings.TrimSpace(in.Value))
		if err != nil || n < least || n > most {
			in.Error = fmt.Sprintf("Write a whole number from %d to %d, or leave it empty.", least, most)
			fault(in.ID, in.Error)
			return 0
		}
		return n
	}
	hour := func(field string) int {
		n, err := strconv.Atoi(form.Get(field))
		if err != nil {
			return -1
		}
		return n
	}
	n := vacancy.Notify{Rhythm: vacancy.Rhythm(form.Get(fieldRhythm)), RemindDays: number(&v.Remind, 1, vacancy.MaxRemindDays)}
	most := number(&v.Cap, 1, 100)
	switch n.Rhythm {
	case vacancy.Daily, vacancy.Weekly:
		n.Hour = hour(fieldHour)
		if n.Rhythm == vacancy.Weekly {
			n.Day = form.Get(fieldDay)
		}
	default:
		if n.Rhythm == vacancy.Instant {
			n.DailyCap = most
		}
		from, to := form.Get(fieldFrom), form.Get(fieldTo)
		if (from == "") != (to == "") {
			v.To.Error = "Choose both hours, or none."
		} else if from != "" {
			n.Quiet = vacancy.Quiet{From: hour(fieldFrom), To: hour(fieldTo)}
			if q := n.Quiet; q.From == q.To || q.Hours() > 12 {
				v.To.Error = "Quiet hours last 12 hours at most, and have an end."
			}
		}
		if v.To.Error != "" {
			fault(fieldTo, v.To.Error)
		}
	}
	if len(v.Errors) == 0 {
		if err := n.Check(); err != nil {
			// Only a form that is not ours gets here.
			v.Rhythm.Error = "Choose one of these."
			fault(fieldRhythm, v.Rhythm.Error)
		}
	}
	if len(v.Errors) > 0 {
		return n, v
	}
	return n, nil
}

// dataView is what is kept of a person, in words.
type dataView struct{ Facts []fact }

func newDataView(s people.Subscriber) dataView {
	v := dataView{Facts: []fact{{Name: "Email address", Value: s.Address.Reveal()}, {Name: "Signed up", Value: dayWords(s.Created)}}}
	if s.Consent != nil {
		v.Facts = append(v.Facts, fact{Name: "You agreed", Value: dayWords(s.Consent.At) + ", on " + s.Consent.Origin})
	}
	if !s.Seen.IsZero() {
		v.Facts = append(v.Facts, fact{Name: "Last change", Value: dayWords(s.Seen)})
	}
	v.Facts = append(v.Facts, fact{Name: "Searches", Value: count(len(s.Searches), "search", "searches")})
	return v
}
