package web

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Texts of an advert are cut at these lengths, in characters. An honest one is
// far shorter.
const (
	maxTitle = 200
	maxWords = 300
)

// tidy makes one line of a text of an advert: without what cannot be seen, so
// that no reader of a page, a feed or a calendar is steered by it, and cut.
func tidy(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	n := 0
	for at := range s {
		if n++; n > most {
			return strings.TrimSpace(s[:at]) + "…"
		}
	}
	return s
}

func titleOf(v *vacancy.Vacancy) string {
	if t := tidy(v.Title, maxTitle); t != "" {
		return t
	}
	return "Vacancy " + tidy(v.Reference, maxWords)
}

// webAddress returns an address that may stand in a link, else "".
func webAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(s) > 2000 || u.User != nil {
		return ""
	}
	return u.String()
}

// vacancyPath is the path of a vacancy's page, from the top of the site.
func vacancyPath(k vacancy.Key) string {
	return "v/" + url.PathEscape(k.Source) + "/" + url.PathEscape(k.Reference)
}

// factsOf are the facts of a vacancy that an alert carries, but for its title,
// its employer and its closing date. The advert's text is not among them.
func factsOf(v *vacancy.Vacancy) []fact {
	var out []fact
	add := func(name, value string) {
		if value = tidy(value, maxWords); value != "" {
			out = append(out, fact{Name: name, Value: value})
		}
	}
	add("Where", v.PlaceText())
	add("Band", bandWords(v))
	add("Salary", v.Salary.String())
	contract := v.Contract
	if contract != "" && v.Duration != "" {
		contract += ", "
	}
	add("Contract", contract+v.Duration)
	add("Working pattern", strings.Join(v.WorkingPatterns, ", "))
	add("Sponsorship", v.Sponsorship)
	add("Posted", v.Posted.Day().Human())
	add("Reference", v.Reference)
	add("Employer’s reference", v.EmployerReference)
	return out
}

// bandWords is the band, or what is known of its absence.
func bandWords(v *vacancy.Vacancy) string {
	bands := v.AllBands()
	switch {
	case len(bands) == 0 && v.PageUnread:
		return "not known, the advert’s page could not be read"
	case len(bands) == 0:
		return "not stated"
	}
	s := vacancy.Search{Bands: bands}
	words := upper(s.Describe())
	if v.BandFrom == vacancy.FromTitle {
		words += " (from the title)"
	}
	return words
}

// fieldWords is the name of a field that changed.
func fieldWords(field string) string {
	switch field {
	case "closing":
		return "Closing date"
	case "working_patterns":
		return "Working pattern"
	case "locations":
		return "Where"
	}
	return upper(tidy(strings.ReplaceAll(field, "_", " "), maxWords))
}

// valueWords is one side of a change.
func valueWords(field, value string) string {
	if field == "closing" {
		if d, err := vacancy.ParseDay(value); err == nil {
			return d.Human()
		}
	}
	if value = tidy(value, maxWords); value == "" {
		return "not stated"
	}
	return value
}

// closingMove returns what a change says of the closing date.
func closingMove(changes []vacancy.Change) (before, after vacancy.Day) {
	for _, c := range changes {
		if c.Field == "closing" {
			// A day that cannot be read is none.
			_ = before.UnmarshalText([]byte(c.Before))
			_ = after.UnmarshalText([]byte(c.After))
		}
	}
	return before, after
}

// happenedWords says in a few words what happened to a vacancy.
func happenedWords(kind vacancy.Kind, reason string, changes []vacancy.Change) string {
	before, after := closingMove(changes)
	switch kind {
	case vacancy.New:
		return "First seen"
	case vacancy.Amended:
		return "Changed"
	case vacancy.ClosingMoved:
		switch {
		case after.IsZero():
			return "Closing date moved"
		case before.IsZero():
			return "Closing date now " + after.Human()
		case after.Before(before):
			return "Closing date brought forward to " + after.Human()
		}
		return "Closing date extended to " + after.Human()
	case vacancy.Closed:
		switch reason {
		case vacancy.Early:
			return "Closed early"
		case vacancy.Withdrawn:
			return "Withdrawn"
		}
		return "Closed, its closing date had passed"
	case vacancy.Reopened:
		if !after.IsZero() {
			return "Open again, until " + after.Human()
		}
		return "Open again"
	case vacancy.Readvertised:
		return "First seen, advertised again"
	}
	return "Something changed"
}

// momentWords is a time in London, with its day.
func momentWords(t time.Time) string {
	return t.In(vacancy.London()).Format("2 January 2006, 15:04")
}

// closesWords is the closing date of an open vacancy, with the days left.
func closesWords(closing, today vacancy.Day) string {
	switch left := today.DaysUntil(closing); {
	case closing.IsZero():
		return "No closing date stated"
	case left < 0:
		return "Closed on " + closing.Human()
	case left == 0:
		return "Closes today, " + closing.Human()
	case left == 1:
		return "Closes tomorrow, " + closing.Human()
	default:
		return fmt.Sprintf("Closes %s, %d days left", closing.Human(), left)
	}
}

// overWords says how a vacancy ended.
func overWords(reason string, closing vacancy.Day, at time.Time) string {
	day := vacancy.LondonDay(at).Human()
	switch {
	case reason == vacancy.Withdrawn:
		return "Withdrawn on " + day
	case reason == vacancy.Early && !closing.IsZero():
		return "Closed early on " + day + ", the closing date was " + closing.Human()
	case reason == vacancy.Early:
		return "Closed early on " + day
	case !closing.IsZero():
		return "Closed on " + closing.Human()
	}
	return "Closed on " + day
}
