// Package preview shows what a search would have found, before anybody saves
// it: matches of the last 30 days and now, alerts to expect, the newest
// vacancies with the reason, and what a looser search would add. It reads a
// search from a form and gives it back as a query and as YAML.
//
//	preview.go  a board of vacancies, and what a search finds on it
//	known.go    what else a board knows of them
//	boards.go   the board that many visitors share
//	form.go     the fields of the form; read.go: fields to a search
//	write.go    a search to fields, and to the configuration file
//
// It sends nothing, saves nothing and marks nothing, and it knows nothing of
// HTTP.
package preview

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Days is how far back a preview looks, today included.
const Days = 30

// A Source hands over what is known: every open vacancy with its text, and
// every one that has closed at or after since. An error of f ends it.
type Source interface {
	Recent(ctx context.Context, since time.Time, f func(vacancy.Record) error) error
}

// A Board is the vacancies of a moment: those that are open, and those that
// came up in the last 30 days. It is not changed after it was read, but for
// the answers that it remembers.
type Board struct {
	at      time.Time
	today   vacancy.Day
	from    vacancy.Day // the first of the days looked back to
	since   vacancy.Day // when the first of the vacancies was seen
	entries []entry
	left    []entry // came up before those days, and closed in them
	open    int

	mu      sync.Mutex
	answers map[string]*Answer
}

// mostAnswers bounds what a board remembers: some ten kilobytes each.
const mostAnswers = 256

type entry struct {
	vacancy *vacancy.Vacancy
	day     vacancy.Day // on which it came up
	open    bool
	// textless marks a vacancy whose text is not kept any more.
	textless bool
	record   Known
}

// Read reads a board. A vacancy that is listed twice at a time is left out the
// second time: it makes no second alert.
func Read(ctx context.Context, src Source, now time.Time) (*Board, error) {
	b := &Board{at: now, today: vacancy.LondonDay(now), answers: map[string]*Answer{}}
	b.from = b.today.Add(1 - Days)
	// What closed on the first day is asked for from that day's beginning.
	err := src.Recent(ctx, b.from.StartIn(vacancy.London()), func(r vacancy.Record) error {
		v := r.Vacancy
		v.Text = r.Text
		if seen := vacancy.LondonDay(v.FirstSeen); !v.FirstSeen.IsZero() && (b.since.IsZero() || seen.Before(b.since)) {
			b.since = seen
		}
		e := entry{vacancy: &v, day: appeared(&v), open: r.Closed == "" && v.Open(b.today), textless: r.Closed != "" && !v.PageUnread}
		e.record = Known{Vacancy: &v, Version: r.Version, Open: e.open, Closed: r.Closed, ClosedAt: r.ClosedAt, Link: r.Link}
		if r.Link.Kind == vacancy.LinkTwin {
			return nil
		}
		if !e.open && !b.recent(&e) {
			b.left = append(b.left, e)
			return nil
		}
		if e.open {
			b.open++
		}
		b.entries = append(b.entries, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	// Newest first, and in one order however they were stored.
	slices.SortFunc(b.entries, func(x, y entry) int {
		return cmp.Or(y.vacancy.Posted.Compare(x.vacancy.Posted), y.vacancy.FirstSeen.Compare(x.vacancy.FirstSeen),
			cmp.Compare(x.vacancy.Source, y.vacancy.Source), cmp.Compare(x.vacancy.Reference, y.vacancy.Reference))
	})
	return b, nil
}

// appeared is the day by which vacancy.Preview counts.
func appeared(v *vacancy.Vacancy) vacancy.Day {
	if d := v.Posted.Day(); !d.IsZero() || v.FirstSeen.IsZero() {
		return d
	}
	return vacancy.LondonDay(v.FirstSeen)
}

// recent reports whether an entry came up in the days looked back to.
func (b *Board) recent(e *entry) bool {
	return !e.day.IsZero() && !e.day.Before(b.from) && !b.today.Before(e.day)
}

// An Answer is what a search finds on a board.
type Answer struct {
	ID string `json:"id,omitempty"`
	// Search is the search in words.
	Search string    `json:"search"`
	AsOf   time.Time `json:"as_of"`
	// Forecast counts the vacancies of the last 30 days; its warnings and
	// loosenings are those below.
	Forecast vacancy.Forecast `json:"forecast"`
	// OpenNow of Open vacancies match today.
	OpenNow  int      `json:"open_now"`
	Open     int      `json:"open"`
	Mails    Mails    `json:"mails_per_week"`
	Warnings []string `json:"warnings"`
	// Newest are the newest matches, at most ten, newest first.
	Newest []Hit `json:"newest"`
	// Loosenings are single changes of the search, best first.
	Loosenings []Loosening `json:"loosenings"`
}

// Mails is how many mails a week a search makes, by its rhythm. They are
// counted: the hours, days and weeks of the last 30 days in which something
// matched.
type Mails struct {
	Instant float64 `json:"instant"`
	Hourly  float64 `json:"hourly"`
	Daily   float64 `json:"daily"`
	Weekly  float64 `json:"weekly"`
}

// At is how many they are at a rhythm.
func (m Mails) At(r vacancy.Rhythm) float64 {
	switch r {
	case vacancy.Hourly:
		return m.Hourly
	case vacancy.Daily:
		return m.Daily
	case vacancy.Weekly:
		return m.Weekly
	}
	return m.Instant
}

// A tally is the hours, days and weeks in which something matched. What was
// posted at a time that is not known counts as an hour of its day.
type tally struct {
	today vacancy.Day
	hours map[time.Time]bool
	days  map[vacancy.Day]bool
	weeks map[int]bool
}

func newTally(today vacancy.Day) *tally {
	return &tally{today, map[time.Time]bool{}, map[vacancy.Day]bool{}, map[int]bool{}}
}

func (t *tally) add(v *vacancy.Vacancy, day vacancy.Day) {
	at := v.Posted.Time
	if v.Posted.IsZero() {
		at = v.FirstSeen
	}
	t.hours[at.Truncate(time.Hour)] = true
	t.days[day] = true
	t.weeks[day.DaysUntil(t.today)/7] = true
}

func (t *tally) mails(perWeek float64) Mails {
	week := func(n int) float64 { return float64(n) * 7 / Days }
	return Mails{Instant: perWeek, Hourly: week(len(t.hours)), Daily: week(len(t.days)), Weekly: min(week(len(t.weeks)), 1)}
}

// A Hit is a vacancy that matched.
type Hit struct {
	Vacancy *vacancy.Vacancy `json:"vacancy"`
	Open    bool             `json:"open"`
	Why     string           `json:"why"`
	// Changed marks a vacancy of which more happened than that it came up.
	Changed bool `json:"-"`
}

// A Loosening is one change of a search and how many more it would have found
// in the last 30 days.
type Loosening struct {
	Criterion string `json:"criterion"`
	Change    string `json:"change"`
	Adds      int    `json:"adds"`
	// Query asks for the loosened search; "" where the form cannot.
	Query string `json:"query,omitempty"`
}

// Preview runs a prepared search over the board, and stops with the error of
// ctx when that ends. It sends nothing and marks nothing.
func (b *Board) Preview(ctx context.Context, s *vacancy.Search) (*Answer, error) {
	a := &Answer{ID: s.ID, Search: s.Describe(), AsOf: b.at, Open: b.open, Warnings: s.Advise(), Newest: []Hit{}, Loosenings: []Loosening{}}
	then, counted := map[*vacancy.Vacancy]bool{}, newTally(b.today)
	a.Forecast = vacancy.PreviewEach(s, b.each(ctx), b.from, b.today, func(v *vacancy.Vacancy, day vacancy.Day) {
		then[v] = true
		counted.add(v, day)
	})
	// Where neither hangs on the day, what matched then matches now.
	timeless := s.DaysLeft == 0 && s.MinSalary == 0
	textless := 0
	for i := range b.entries {
		if i%64 == 0 && ctx.Err() != nil {
			break
		}
		e := &b.entries[i]
		recent := b.recent(e)
		if recent && e.textless {
			textless++
		}
		if !e.open {
			continue
		}
		now := then[e.vacancy]
		if !recent || !timeless {
			now = vacancy.Matches(s, e.vacancy, b.today)
		}
		if now {
			a.OpenNow++
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a.Mails = counted.mails(a.Forecast.PerWeek)
	a.warn(b, s, textless)
	for _, v := range a.Forecast.Newest {
		known := b.known(v)
		a.Newest = append(a.Newest, Hit{Vacancy: v, Open: known.Open, Why: vacancy.Why(vacancy.Explain(s, v, appeared(v))), Changed: known.Changed()})
	}
	for i := range a.Forecast.Loosenings {
		l := &a.Forecast.Loosenings[i]
		query, _ := Query(&l.Search)
		a.Loosenings = append(a.Loosenings, Loosening{Criterion: l.Criterion, Change: l.Change, Adds: l.Adds, Query: query})
	}
	a.Forecast.Warnings, a.Forecast.Loosenings = nil, nil
	return a, nil
}

// each yields the vacancies of the board, newest first, until ctx ends.
func (b *Board) each(ctx context.Context) iter.Seq[*vacancy.Vacancy] {
	return func(yield func(*vacancy.Vacancy) bool) {
		for i := range b.entries {
			if i%64 == 0 && ctx.Err() != nil || !yield(b.entries[i].vacancy) {
				return
			}
		}
	}
}

func (b *Board) known(v *vacancy.Vacancy) Known {
	i := slices.IndexFunc(b.entries, func(e entry) bool { return e.vacancy == v })
	if i < 0 {
		return Known{}
	}
	return b.entries[i].record
}

// warn adds what the forecast warns of, and where the board knows too little
// for a fair count.
func (a *Answer) warn(b *Board, s *vacancy.Search, textless int) {
	a.Warnings = append(a.Warnings, a.Forecast.Warnings...)
	if b.from.Before(b.since) && a.Forecast.Seen > 0 {
		a.Warnings = append(a.Warnings, "We have been watching since "+b.since.Human()+
			" only. Of what came up before we know just what was still open then, so expect more alerts than this.")
	}
	if s.Keywords != "" && textless > 0 {
		a.Warnings = append(a.Warnings, "The text of an advert is not kept once it has closed: in those that have closed since, your words were looked for in the title alone, so expect more alerts than this.")
	}
	if a.Warnings == nil {
		a.Warnings = []string{}
	}
}

// Remembered is Preview for a search that others may ask for as well: the
// board keeps some answers. Nobody changes an answer.
func (b *Board) Remembered(ctx context.Context, s *vacancy.Search) (*Answer, error) {
	key, ok := Query(s)
	if !ok {
		return b.Preview(ctx, s)
	}
	if a := b.remembered(key); a != nil {
		return a, nil
	}
	a, err := b.Preview(ctx, s)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.answers) >= mostAnswers {
		clear(b.answers)
	}
	b.answers[key] = a
	return a, nil
}

func (b *Board) remembered(key string) *Answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.answers[key]
}
