package alerts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mail(edit func(*vacancy.Notify)) vacancy.Notify {
	n := vacancy.Notify{Channel: "mail", To: "jo@reader.example"}
	edit(&n)
	return n
}

var (
	instant = mail(func(*vacancy.Notify) {})
	night   = mail(func(n *vacancy.Notify) { n.Quiet = vacancy.Quiet{From: 22, To: 7} })
	hourly  = mail(func(n *vacancy.Notify) { n.Rhythm = vacancy.Hourly })
	resting = mail(func(n *vacancy.Notify) { n.Rhythm, n.Quiet = vacancy.Hourly, vacancy.Quiet{From: 22, To: 7} })
	daily   = mail(func(n *vacancy.Notify) { n.Rhythm, n.Hour = vacancy.Daily, 8 })
	sundays = mail(func(n *vacancy.Notify) { n.Rhythm, n.Hour, n.Day = vacancy.Weekly, 8, "sunday" })
)

// The clocks go forward on 29 March 2026 and back on 25 October, both Sundays.
func TestWhen(t *testing.T) {
	early := mail(func(n *vacancy.Notify) { n.Quiet = vacancy.Quiet{From: 0, To: 2} })
	noon := mail(func(n *vacancy.Notify) { n.Quiet = vacancy.Quiet{From: 12, To: 14} })
	program := vacancy.Notify{Channel: "hook", Quiet: vacancy.Quiet{From: 22, To: 7}}
	monday := mail(func(n *vacancy.Notify) { n.Rhythm, n.Hour, n.Day = vacancy.Weekly, 0, "monday" })
	for _, tt := range []struct {
		name      string
		n         vacancy.Notify
		now, want string // "" for at once
	}{
		{"instant", instant, "2026-07-14T23:00:00Z", ""},
		{"webhook in the night", program, "2026-07-14T23:00:00Z", ""},
		{"before quiet", night, "2026-07-14T20:59:59Z", ""},
		{"quiet begins", night, "2026-07-14T21:00:00Z", "2026-07-15T06:00:00Z"},
		{"after midnight", night, "2026-07-14T23:30:00Z", "2026-07-15T06:00:00Z"},
		{"last second", night, "2026-07-15T05:59:59Z", "2026-07-15T06:00:00Z"},
		{"quiet ends", night, "2026-07-15T06:00:00Z", ""},
		{"winter", night, "2026-01-14T21:59:59Z", ""},
		{"winter night", night, "2026-01-14T22:00:00Z", "2026-01-15T07:00:00Z"},
		{"by day", noon, "2026-01-14T13:00:00Z", "2026-01-14T14:00:00Z"},
		{"by day, over", noon, "2026-01-14T14:00:00Z", ""},
		{"quiet, short night", night, "2026-03-28T23:00:00Z", "2026-03-29T06:00:00Z"},
		{"quiet, long night", night, "2026-10-24T22:00:00Z", "2026-10-25T07:00:00Z"},
		{"to two, short night", early, "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"},
		{"to two, after it", early, "2026-03-29T01:00:00Z", ""},
		{"to two, long night", early, "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z"}, // the first 01:30
		{"to two, again", early, "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"},      // the second
		{"to two, long after", early, "2026-10-25T02:00:00Z", ""},

		{"hourly", hourly, "2026-07-14T12:00:00Z", "2026-07-14T13:00:00Z"},
		{"hourly, late", hourly, "2026-07-14T12:59:59Z", "2026-07-14T13:00:00Z"},
		{"hourly, first one", hourly, "2026-10-25T00:10:00Z", "2026-10-25T01:00:00Z"},
		{"hourly, second one", hourly, "2026-10-25T01:10:00Z", "2026-10-25T02:00:00Z"},
		{"hourly, missing one", hourly, "2026-03-29T00:10:00Z", "2026-03-29T01:00:00Z"},
		{"hourly to quiet", resting, "2026-07-14T20:10:00Z", "2026-07-15T06:00:00Z"},
		{"hourly in quiet", resting, "2026-07-15T03:10:00Z", "2026-07-15T06:00:00Z"},
		{"hourly at its end", resting, "2026-07-15T05:10:00Z", "2026-07-15T06:00:00Z"},
		{"hourly after it", resting, "2026-07-15T06:00:00Z", "2026-07-15T07:00:00Z"},

		{"daily", daily, "2026-07-14T06:59:59Z", "2026-07-14T07:00:00Z"},
		{"daily at the hour", daily, "2026-07-14T07:00:00Z", "2026-07-15T07:00:00Z"},
		{"daily to summer", daily, "2026-03-28T12:00:00Z", "2026-03-29T07:00:00Z"},
		{"daily to winter", daily, "2026-10-24T12:00:00Z", "2026-10-25T08:00:00Z"},

		{"weekly to summer", sundays, "2026-03-23T12:00:00Z", "2026-03-29T07:00:00Z"},
		{"weekly to winter", sundays, "2026-10-19T12:00:00Z", "2026-10-25T08:00:00Z"},
		{"weekly on its day", sundays, "2026-10-25T07:59:59Z", "2026-10-25T08:00:00Z"},
		{"weekly at the hour", sundays, "2026-10-25T08:00:00Z", "2026-11-01T08:00:00Z"},
		{"weekly at midnight", monday, "2026-07-12T22:30:00Z", "2026-07-12T23:00:00Z"}, // London's Monday, UTC's Sunday
	} {
		due, digest := When(tt.n, at(t, tt.now))
		got := ""
		if digest {
			got = due.Format(time.RFC3339)
		} else if !due.Equal(at(t, tt.now)) {
			t.Errorf("%s: at once is %s, want now", tt.name, due)
		}
		if got != tt.want {
			t.Errorf("%s: matched at %s it is told at %q, want %q", tt.name, tt.now, got, tt.want)
		}
	}
}

// Whatever the hour and the time, a window ends after now, within a day and an
// hour or a week and an hour, at its hour in London, and never in quiet hours.
func TestWhenHolds(t *testing.T) {
	london := vacancy.London()
	for _, from := range []string{"2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z"} {
		for now, end := at(t, from), at(t, from).AddDate(0, 0, 4); now.Before(end); now = now.Add(17 * time.Minute) {
			for hour := range 24 {
				if hour == 1 {
					continue
				}
				d := mail(func(n *vacancy.Notify) { n.Rhythm, n.Hour = vacancy.Daily, hour })
				w := mail(func(n *vacancy.Notify) { n.Rhythm, n.Hour, n.Day = vacancy.Weekly, hour, "sunday" })
				for n, most := range map[vacancy.Notify]time.Duration{d: 25 * time.Hour, w: 7*24*time.Hour + time.Hour} {
					due, _ := When(n, now)
					if wait := due.Sub(now); wait <= 0 || wait > most || due.In(london).Hour() != hour || due.In(london).Minute() != 0 {
						t.Fatalf("%s at %d: after %s comes %s", n.Rhythm, hour, now, due)
					}
					if n.Rhythm == vacancy.Weekly && due.In(london).Weekday() != time.Sunday {
						t.Fatalf("weekly at %d: after %s comes %s", hour, now, due)
					}
				}
				for _, r := range []vacancy.Rhythm{vacancy.Instant, vacancy.Hourly} {
					n := mail(func(n *vacancy.Notify) { n.Rhythm, n.Quiet = r, vacancy.Quiet{From: hour, To: (hour + 9) % 24} })
					if n.Quiet.To == 1 {
						continue
					}
					due, _ := When(n, now)
					if _, quiet := quietUntil(n, due); quiet || due.Before(now) || due.Sub(now) > 11*time.Hour {
						t.Fatalf("%s, quiet from %d: after %s comes %s", r, hour, now, due)
					}
				}
			}
		}
	}
}

// What a dropped message was to tell goes where its reader expects it.
func TestDeferTo(t *testing.T) {
	for _, tt := range []struct {
		n                 vacancy.Notify
		reason, now, want string
	}{
		{instant, DropExpired, "2026-07-14T12:00:00Z", "2026-07-14T12:01:00Z"},
		{night, DropExpired, "2026-07-14T22:00:00Z", "2026-07-15T06:00:00Z"},
		{daily, DropExpired, "2026-07-14T12:00:00Z", "2026-07-15T07:00:00Z"},
		{hourly, DropExpired, "2026-07-14T12:00:00Z", "2026-07-14T13:00:00Z"},
		{sundays, DropExpired, "2026-07-14T12:00:00Z", "2026-07-19T07:00:00Z"},
		{instant, DropCapped, "2026-07-14T12:00:00Z", "2026-07-15T07:00:00Z"},
		{night, DropCapped, "2026-07-14T12:00:00Z", "2026-07-15T06:00:00Z"},
		{night, DropQuiet, "2026-07-14T21:00:00Z", "2026-07-15T06:00:00Z"},
		{instant, DropSuppressed, "2026-07-14T12:00:00Z", "2026-07-15T07:00:00Z"},
		{hourly, DropSuppressed, "2026-07-14T12:00:00Z", "2026-07-15T07:00:00Z"},
		{daily, DropSuppressed, "2026-07-14T06:00:00Z", "2026-07-14T07:00:00Z"},
		{mail(func(n *vacancy.Notify) { n.Paused = at(t, "2026-07-20T07:00:00Z") }), DropPaused, "2026-07-14T06:00:00Z", "2026-07-20T07:00:00Z"},
	} {
		if got := deferTo(tt.n, tt.reason, at(t, tt.now)).UTC().Format(time.RFC3339); got != tt.want {
			t.Errorf("%s %s at %s: got %s, want %s", tt.n.Rhythm, tt.reason, tt.now, got, tt.want)
		}
	}
	for _, reason := range DropReasons() {
		want := reason == DropExpired || reason == DropSuppressed || reason == DropCapped || reason == DropQuiet || reason == DropPaused
		if Deferred(reason) != want {
			t.Errorf("%s is deferred: %v", reason, !want)
		}
	}
}

func TestWindow(t *testing.T) {
	for _, tt := range []struct {
		r         vacancy.Rhythm
		now, want string
	}{
		{vacancy.Daily, "2026-07-14T23:30:00Z", "2026-07-15"},
		{vacancy.Weekly, "2026-01-14T23:30:00Z", "2026-01-14"},
		{"", "2026-07-14T12:00:00Z", "2026-07-14"},
		{vacancy.Hourly, "2026-10-25T00:30:00Z", "2026-10-25T00"}, // twice 01:30 in London
		{vacancy.Hourly, "2026-10-25T01:30:00Z", "2026-10-25T01"},
	} {
		if got := Window(tt.r, at(t, tt.now)); got != tt.want {
			t.Errorf("%s at %s: got %q, want %q", tt.r, tt.now, got, tt.want)
		}
	}
}

// Reminders come at the reader's hour of the day, or where that is over now,
// but never in quiet hours.
func TestRemindAt(t *testing.T) {
	for _, tt := range []struct {
		n         vacancy.Notify
		now, want string
	}{
		{instant, "2026-07-14T00:10:00Z", "2026-07-14T07:00:00Z"},
		{instant, "2026-07-14T12:10:00Z", "2026-07-14T12:10:00Z"},
		{night, "2026-07-14T00:10:00Z", "2026-07-14T06:00:00Z"},
		{night, "2026-07-14T21:10:00Z", "2026-07-15T06:00:00Z"},
		{sundays, "2026-07-14T00:10:00Z", "2026-07-14T07:00:00Z"},
		{daily, "2026-03-29T00:10:00Z", "2026-03-29T07:00:00Z"},
		{daily, "2026-10-25T00:10:00Z", "2026-10-25T08:00:00Z"},
	} {
		if got := remindAt(tt.n, at(t, tt.now)).Format(time.RFC3339); got != tt.want {
			t.Errorf("%s at %s: got %s, want %s", tt.n.Rhythm, tt.now, got, tt.want)
		}
	}
}

// A part of a digest holds so many entries, and all that stands with them.
func TestInEntries(t *testing.T) {
	var items []DigestItem
	for i := range 60 {
		items = append(items, entry(fmt.Sprintf("a%02d", i), "", ""))
	}
	items = append(items, entry("twin", vacancy.LinkTwin, "a49"), entry("other", vacancy.LinkTwin, "a50"))
	var got []string
	for _, it := range inEntries(items, message.MaxItems) {
		got = append(got, it.Event.Vacancy.Reference)
	}
	if len(got) != 51 || got[50] != "twin" {
		t.Errorf("got %s, want fifty and the twin of the fiftieth", strings.Join(got, " "))
	}
	// A twin that closes sooner than the one that it stands with brings it.
	first := append([]DigestItem{entry("early", vacancy.LinkTwin, "a59")}, items[:60]...)
	got = nil
	for _, it := range inEntries(first, 2) {
		got = append(got, it.Event.Vacancy.Reference)
	}
	if strings.Join(got, " ") != "early a00 a59" {
		t.Errorf("got %v, want early a00 a59", got)
	}
	if got := inEntries(nil, 2); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}
