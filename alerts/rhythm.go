package alerts

import (
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

const (
	// defaultHour is when digests come of which no hour is said, in London.
	defaultHour = 8
	// together is how long what has expired at about the same time waits for
	// each other, to be told in one digest.
	together = time.Minute
	// lateAfter is how long after the end of its window a digest is opened when
	// the daemon has stood still meanwhile: else it takes seconds.
	lateAfter = time.Hour
)

// When says how a match of now is told: at once, or as an item of the digest
// whose window ends at due.
//
//	instant   now; in quiet hours, when they end
//	hourly    the next full hour; in quiet hours, when they end
//	daily     the next time that it is n.Hour in London
//	weekly    the same, on n.Day
//
// Both days on which the clocks change have each hour that is offered once:
// 1 is not offered, which is missing in spring and comes twice in autumn.
//
// While the reader has paused it, a match waits for the end of that.
func When(n vacancy.Notify, now time.Time) (due time.Time, digest bool) {
	if now.Before(n.Paused) {
		return n.Paused, true
	}
	switch n.Rhythm {
	case vacancy.Hourly:
		// London is whole hours away from UTC at any time.
		due = now.UTC().Truncate(time.Hour).Add(time.Hour)
		if until, ok := quietUntil(n, due); ok {
			due = until
		}
		return due, true
	case vacancy.Daily:
		return NextWindow(now, n.Hour), true
	case vacancy.Weekly:
		return nextWeek(now, n.Day, n.Hour), true
	}
	if until, ok := quietUntil(n, now); ok {
		return until, true
	}
	return now, false
}

// NextWindow is when the daily digest of an hour ends next after now: that
// hour in London.
func NextWindow(now time.Time, hour int) time.Time {
	day := vacancy.LondonDay(now)
	for {
		if at := clock(day, hour); at.After(now) {
			return at
		}
		day = day.Add(1)
	}
}

func nextWeek(now time.Time, weekday string, hour int) time.Time {
	day := vacancy.LondonDay(now)
	for range 8 {
		if at := clock(day, hour); at.After(now) && weekdayOf(day) == weekday {
			return at
		}
		day = day.Add(1)
	}
	return NextWindow(now, hour) // Unreachable: the day was checked with the search.
}

// clock is when it is an hour of a day in London.
func clock(day vacancy.Day, hour int) time.Time {
	return time.Date(day.Year, day.Month, day.Day, hour, 0, 0, 0, vacancy.London()).UTC()
}

func weekdayOf(day vacancy.Day) string {
	return vacancy.Weekdays()[(int(day.UTC().Weekday())+6)%7] // ours begin with Monday
}

// quietUntil returns when the quiet hours end in which a time falls; false
// where it falls into none. What goes to no address has none.
func quietUntil(n vacancy.Notify, at time.Time) (time.Time, bool) {
	q := n.Quiet
	if q.IsZero() || n.To == "" {
		return time.Time{}, false
	}
	h := at.In(vacancy.London()).Hour()
	in := h >= q.From && h < q.To
	if q.From > q.To { // over midnight
		in = h >= q.From || h < q.To
	}
	if !in {
		return time.Time{}, false
	}
	return NextWindow(at, q.To), true
}

// digestHour is the hour in London at which a reader gets what has no hour of
// its own: what was over the cap, and reminders.
func digestHour(n vacancy.Notify) int {
	switch {
	case n.Rhythm == vacancy.Daily, n.Rhythm == vacancy.Weekly:
		return n.Hour
	case !n.Quiet.IsZero():
		return n.Quiet.To
	}
	return defaultHour
}

// deferred are the reasons of a drop after which a digest tells what the
// message would have told.
var deferred = []string{DropExpired, DropSuppressed, DropCapped, DropQuiet, DropPaused}

// Deferred reports whether what a message dropped for a reason would have told
// goes into the next digest.
func Deferred(reason string) bool { return slices.Contains(deferred, reason) }

// deferTo is when the window ends of the digest that takes over what a message
// was to tell that is dropped now. What has only expired is told as soon as
// may be; who is over his cap, or gets no mail for now, gets one mail at his
// hour.
func deferTo(n vacancy.Notify, reason string, now time.Time) time.Time {
	_, digest := When(n, now)
	switch {
	case reason == DropSuppressed && n.Rhythm == vacancy.Hourly:
		return NextWindow(now, digestHour(n))
	case reason == DropExpired && !digest:
		return now.Add(together)
	}
	return nextDigest(n, now)
}

// nextDigest is when the next digest window of a notify ends, also of one that
// has digests only of what is over.
func nextDigest(n vacancy.Notify, now time.Time) time.Time {
	if due, digest := When(n, now); digest {
		return due
	}
	return NextWindow(now, digestHour(n))
}

// Begun is when the life of a message began, or began anew.
func (m *Message) Begun() time.Time {
	if m.Replayed.After(m.Created) {
		return m.Replayed
	}
	return m.Created
}

// life is how long a mail is tried: to the next window of its digest, and a
// day where it has none or a nearer one.
func life(n vacancy.Notify, m *Message) time.Duration {
	if m.Event == "" && n.Rhythm == vacancy.Weekly {
		return 7 * 24 * time.Hour
	}
	return mailLife
}

// Window names the digest of a rhythm that is made now: by the hour in UTC, or
// by the day in London.
func Window(r vacancy.Rhythm, now time.Time) string {
	if r == vacancy.Hourly {
		return now.UTC().Format("2006-01-02T15")
	}
	return vacancy.LondonDay(now).String()
}

// Missed reports whether a window that ended at a time was missed by now, for
// nothing was running that would have opened its digest.
func Missed(end, now time.Time) bool { return now.Sub(end) > lateAfter }
