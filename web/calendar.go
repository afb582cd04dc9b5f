package web

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web/preview"
)

// mostDates of a calendar: those that close first, then those that closed last.
const mostDates = 500

// dates are the vacancies that a search matches and that have a closing date:
// open ones, and those that have closed in the last 30 days. They are matched as
// on the day on which they came up: a search for those with a fortnight left is
// not to lose them when their date draws near.
func dates(ctx context.Context, sh *showing) ([]*preview.Known, error) {
	var out []*preview.Known
	i := 0
	for k := range sh.board.Known() {
		if i++; i%64 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		day := vacancy.LondonDay(k.Vacancy.FirstSeen)
		if k.Vacancy.FirstSeen.IsZero() {
			day = k.Vacancy.Posted.Day()
		}
		if !k.Vacancy.Closing.IsZero() && vacancy.Matches(sh.search, k.Vacancy, day) {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b *preview.Known) int {
		byDate := a.Vacancy.Closing.UTC().Compare(b.Vacancy.Closing.UTC())
		switch {
		case a.Open != b.Open && a.Open:
			return -1
		case a.Open != b.Open:
			return 1
		case !a.Open:
			byDate = -byDate
		}
		return cmp.Or(byDate, cmp.Compare(a.Vacancy.Reference, b.Vacancy.Reference), cmp.Compare(a.Vacancy.Source, b.Vacancy.Source))
	})
	return out[:min(len(out), mostDates)], nil
}

// makeCalendar writes a calendar by RFC 5545: an event on each closing date,
// all day, without alarms and without making anybody busy. A vacancy has one
// event, whose sequence rises by one when its date moves, when it closes, and
// when it opens again.
func (p *public) makeCalendar(ctx context.Context, sh *showing) ([]byte, error) {
	known, err := dates(ctx, sh)
	if err != nil {
		return nil, err
	}
	happened, err := p.news.since(ctx, sh.board)
	if err != nil {
		return nil, err
	}
	versions := map[vacancy.Key]int{}
	for _, k := range known {
		if k.Version > 1 {
			versions[k.Vacancy.Key()] = k.Version
		}
	}
	moves, err := p.news.records.Moves(ctx, versions)
	if err != nil {
		return nil, err
	}
	cal := ics.NewCalendar()
	cal.SetProductId("-//vacancywatch//closing dates//EN")
	cal.SetMethod(ics.MethodPublish)
	cal.SetName("Closing dates: " + tidy(sh.search.Describe(), maxWords))
	cal.SetRefreshInterval("PT1H", ics.WithValue("DURATION"))
	cal.SetXPublishedTTL("PT1H")
	seen := map[string]bool{}
	for _, k := range known {
		v := k.Vacancy
		uid := tidy(v.Reference, maxKeyPart) + "@" + p.o.Feeds.host()
		if seen[uid] {
			continue // two crawls of one website find the same advert
		}
		seen[uid] = true
		e := cal.AddEvent(uid)
		at := revised(k, happened[v.Key()])
		e.SetDtStampTime(at)
		e.SetModifiedAt(at)
		e.SetSequence(moves[v.Key()])
		e.SetAllDayStartAt(v.Closing.UTC())
		e.SetAllDayEndAt(v.Closing.Add(1).UTC())
		e.SetTimeTransparency(ics.TransparencyTransparent)
		e.SetStatus(ics.ObjectStatusConfirmed)
		summary := titleOf(v)
		if employer := tidy(v.Employer, maxWords); employer != "" {
			summary += ", " + employer
		}
		switch k.Closed {
		case vacancy.Early, vacancy.Withdrawn:
			e.SetStatus(ics.ObjectStatusCancelled)
			summary = happenedWords(vacancy.Closed, k.Closed, nil) + ": " + summary
		default:
			summary = "Closes: " + summary
		}
		e.SetSummary(summary)
		if where := tidy(v.PlaceText(), maxWords); where != "" {
			e.SetLocation(where)
		}
		page := p.o.Feeds.URL + "/" + vacancyPath(v.Key())
		var lines []string
		for _, f := range factsOf(v) {
			lines = append(lines, f.Name+": "+f.Value)
		}
		e.SetDescription(strings.Join(append(lines, "What happened to it so far: "+page), "\n"))
		if u := webAddress(v.URL); u != "" {
			e.SetURL(u)
		} else {
			e.SetURL(page)
		}
	}
	return []byte(cal.Serialize(ics.WithNewLineWindows)), nil
}

// revised is when what a calendar says of a vacancy was last another.
func revised(k *preview.Known, happened []happening) time.Time {
	at := k.Vacancy.FirstSeen
	if k.ClosedAt.After(at) {
		at = k.ClosedAt
	}
	for i := range happened {
		if happened[i].at.After(at) {
			at = happened[i].at
		}
	}
	return at
}
