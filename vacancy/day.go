package vacancy

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Day is a calendar day. Closing dates are days in London, whatever the
// zone of the machine. The zero value means that no day is stated.
type Day struct {
	Year  int
	Month time.Month
	Day   int
}

// London returns the zone of closing days and of people: Europe/London. A
// program that may run without the system's zone data imports time/tzdata.
var London = sync.OnceValue(func() *time.Location {
	loc, err := time.LoadLocation("Europe/London")
	if err != nil {
		// A daemon that took UTC for London would close adverts an hour off
		// for half the year without anybody noticing.
		panic("vacancy: no time zone data for Europe/London: build with time/tzdata: " + err.Error())
	}
	return loc
})

// LondonDay is the day that t falls on in London.
func LondonDay(t time.Time) Day { return DayOf(t, London()) }

// DayOf is the day that t falls on in loc.
func DayOf(t time.Time, loc *time.Location) Day {
	y, m, d := t.In(loc).Date()
	return Day{y, m, d}
}

// IsZero reports whether no day is stated.
func (d Day) IsZero() bool { return d == Day{} }

// UTC is midnight UTC of the day, for arithmetic and sorting.
func (d Day) UTC() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// StartIn is the first instant of the day in loc.
func (d Day) StartIn(loc *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, loc)
}

// Add returns the day n days later.
func (d Day) Add(n int) Day {
	return DayOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC), time.UTC)
}

// Before reports whether d is earlier than o.
func (d Day) Before(o Day) bool { return d.UTC().Before(o.UTC()) }

// DaysUntil is the number of days from d to o, negative if o is earlier.
func (d Day) DaysUntil(o Day) int { return int(o.UTC().Sub(d.UTC()).Hours() / 24) }

// String is "2026-02-27"; "" for the zero value.
func (d Day) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// Human is the day as people in Britain write it, "27 February 2026".
func (d Day) Human() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d %s %d", d.Day, d.Month, d.Year)
}

// MarshalText writes String.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Day) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Day{}
		return nil
	}
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return fmt.Errorf("%q is not a day such as 2026-02-27", b)
	}
	*d = DayOf(t, time.UTC)
	return nil
}

// months holds the names that NHS Jobs prints. Welsh ones leak onto English
// pages ("06 Awst 2026"), so every reader accepts both.
var months = map[string]time.Month{
	"january": 1, "february": 2, "march": 3, "april": 4, "may": 5, "june": 6,
	"july": 7, "august": 8, "september": 9, "october": 10, "november": 11, "december": 12,
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8,
	"sep": 9, "sept": 9, "oct": 10, "nov": 11, "dec": 12,
	"ionawr": 1, "chwefror": 2, "mawrth": 3, "ebrill": 4, "mai": 5, "mehefin": 6,
	"gorffennaf": 7, "awst": 8, "medi": 9, "hydref": 10, "tachwedd": 11, "rhagfyr": 12,
}

// ParseDay reads a day as NHS Jobs prints it: "2 September 2026",
// "01 September 2026", "06 Awst 2026", "2026-09-02", with any words before it
// ("The closing date is 01 September 2026"). A day that does not exist, such
// as 31 June, is an error.
func ParseDay(s string) (Day, error) {
	words := strings.FieldsFunc(s, func(r rune) bool {
		return r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == ',' || r == '\u00a0'
	})
	for i := range words {
		// A year far off is no date of an advert but a slip of a reader, and
		// the year 1 would be taken for an absent moment.
		if t, err := time.Parse(time.DateOnly, words[i]); err == nil && t.Year() >= 1900 {
			return DayOf(t, time.UTC), nil
		}
		if i+2 >= len(words) {
			continue
		}
		month, ok := months[strings.ToLower(strings.TrimRight(words[i+1], "."))]
		if !ok {
			continue
		}
		day, err := strconv.Atoi(strings.TrimRight(strings.ToLower(words[i]), "stndrh"))
		if err != nil {
			continue
		}
		year, err := strconv.Atoi(strings.TrimRight(words[i+2], "."))
		if err != nil || year < 1900 || year > 9999 {
			continue
		}
		d := Day{year, month, day}
		if DayOf(d.UTC(), time.UTC) != d {
			return Day{}, fmt.Errorf("there is no day %q", strings.Join(words[i:i+3], " "))
		}
		return d, nil
	}
	return Day{}, fmt.Errorf("no day in %q: want one such as 2 September 2026", clip(s, 60))
}

// clip shortens s for an error message.
func clip(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
