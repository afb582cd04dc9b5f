package message

import (
	"fmt"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// allClosing reports whether all items are reminders.
func allClosing(a *Alert) bool {
	for i := range a.Items {
		if a.Items[i].Event.Kind != vacancy.ClosingSoon {
			return false
		}
	}
	return true
}

// notices are what is to be said of a message itself, before its vacancies.
func notices(a *Alert) []string {
	var out []string
	if m := a.Missed; !m.From.IsZero() {
		out = append(out, "This comes late. It is what waited for you while we were not running, from "+
			momentText(m.From)+" to "+momentText(m.To)+".")
	}
	if a.LastOf > 0 {
		out = append(out, fmt.Sprintf("This is the last of %s that you get today. What else we find comes in one mail, on %s.",
			count(a.LastOf, "single mail", "single mails"), momentText(a.NextMail)))
	}
	return out
}

// momentText is a time as people in London say it: "Tuesday 24 November 08:00".
func momentText(t time.Time) string { return t.In(vacancy.London()).Format("Monday 2 January 15:04") }
