package vacancy

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Rhythm is when the matches of a search are told.
type Rhythm string

// The rhythms. A webhook is always instant.
const (
	Instant Rhythm = "instant" // within minutes
	Hourly  Rhythm = "hourly"  // at the full hour
	Daily   Rhythm = "daily"   // at Hour
	Weekly  Rhythm = "weekly"  // on Day, at Hour
)

// Notify is one way in which a search tells its matches.
type Notify struct {
	// Channel is the configured name of a channel.
	Channel string `json:"channel"`
	// To is the mail address for a channel that sends to people.
	To Address `json:"to,omitempty"`
	// Key names the reader in the ids of messages, in the place of a digest of
	// the address: those who may ask to be forgotten have one. May be empty.
	Key string `json:"key,omitempty"`
	// Paused is until when the reader is told nothing. What is matched until
	// then comes at its end, in one mail. Zero is no pause.
	Paused time.Time `json:"paused,omitzero"`
	// Rhythm is Instant where empty.
	Rhythm Rhythm `json:"rhythm,omitempty"`
	// Hour is the London hour of a daily or weekly digest.
	Hour int `json:"hour,omitempty"`
	// Day is the day of a weekly digest, as Weekdays has it.
	Day string `json:"day,omitempty"`
	// Quiet are hours in which no mail is sent. What is matched then comes at
	// their end, in one mail.
	Quiet Quiet `json:"quiet,omitzero"`
	// DailyCap is how many single mails the reader gets in a day in London;
	// what is over comes in one mail later. 0 is no cap.
	DailyCap int `json:"daily_cap,omitempty"`
	// RemindDays is how many days before its closing date the reader is
	// reminded, once, of a vacancy that he was told of. 0 is never.
	RemindDays int `json:"remind_days,omitempty"`
}

// ClosingSoon is the kind under which a reader is reminded of a vacancy. It is
// no event: it stands in no log, and no search asks for it.
const ClosingSoon Kind = "closing_soon"

// Quiet is a part of the day by the clock in London, from one full hour to
// another, perhaps over midnight. The zero value is none.
type Quiet struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// IsZero reports whether there are no quiet hours.
func (q Quiet) IsZero() bool { return q == Quiet{} }

// Hours is how long the quiet hours last by the clock.
func (q Quiet) Hours() int { return (q.To - q.From + 24) % 24 }

// Weekdays returns the days of a week as Notify.Day names them.
func Weekdays() []string {
	return []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
}

// MaxRemindDays is the most that Notify.RemindDays may be.
const MaxRemindDays = 14

const (
	maxQuiet    = 12 // hours
	maxDailyCap = 100
)

// Check returns an error that names all that is wrong with when n tells.
func (n *Notify) Check() error {
	var out []string
	bad := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	hour := func(name string, h int) bool {
		ok := h >= 0 && h <= 23 && h != 1
		if !ok {
			bad("%s %d: give 0 to 23, but not 1, which comes twice one night a year and not at all another", name, h)
		}
		return ok
	}
	digest := n.Rhythm == Daily || n.Rhythm == Weekly
	switch n.Rhythm {
	case "", Instant, Hourly, Daily, Weekly:
	default:
		bad("rhythm %q is unknown: use instant, hourly, daily or weekly", string(n.Rhythm))
	}
	if digest {
		hour("hour", n.Hour)
	}
	if n.Day != "" && n.Rhythm != Weekly {
		bad("day is for rhythm: weekly")
	} else if n.Rhythm == Weekly && !slices.Contains(Weekdays(), n.Day) {
		bad("day %q: give one of %s", n.Day, strings.Join(Weekdays(), ", "))
	}
	if q := n.Quiet; !q.IsZero() {
		from, to := hour("quiet: from", q.From), hour("quiet: to", q.To)
		if from && to && (q.Hours() > maxQuiet || q.Hours() == 0) {
			bad("quiet: from %d to %d: give at least an hour and at most %d", q.From, q.To, maxQuiet)
		}
		if digest {
			bad("quiet is for rhythm: instant or hourly; one that is %s comes at its own hour", n.Rhythm)
		}
	}
	if n.DailyCap < 0 || n.DailyCap > maxDailyCap {
		bad("daily_cap %d: give 1 to %d, or 0 for no cap", n.DailyCap, maxDailyCap)
	} else if n.DailyCap > 0 && n.Rhythm != "" && n.Rhythm != Instant {
		bad("daily_cap is for rhythm: instant")
	}
	if n.RemindDays < 0 || n.RemindDays > MaxRemindDays {
		bad("remind_days %d: give 1 to %d, or 0 for no reminder", n.RemindDays, MaxRemindDays)
	}
	if len(out) == 0 {
		return nil
	}
	return errors.New(strings.Join(out, "; "))
}

// An Address is a mail address. It prints as <address> so that no log and no
// error can carry it; the channel that sends reads it with Reveal.
type Address string

func (a Address) String() string { return "<address>" }

// Format prints <address> for every verb, also for one that is no verb of a
// string.
func (a Address) Format(f fmt.State, _ rune) { fmt.Fprint(f, "<address>") }

// LogValue keeps the address out of structured logs.
func (a Address) LogValue() slog.Value { return slog.StringValue("<address>") }

// Reveal returns the address itself, for the envelope of a message.
func (a Address) Reveal() string { return string(a) }
