package alerts

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// match returns the messages that the events of one vacancy make, and who
// matched each. Of the searches of one subscriber that a vacancy meets, one
// leads and tells of the others: an instant one before a digest, then the
// oldest. Before is the record as it was, nil where that is not known; link ties
// the vacancy to another.
func (d *Dispatcher) match(ctx context.Context, events []vacancy.Event, before *vacancy.Record, link vacancy.Link, searches []*vacancy.Search) ([]Queued, [][]Match, error) {
	now := d.Now()
	today := vacancy.LondonDay(now)
	var queue []Queued
	matches := make([][]Match, len(events))
	isNew := slices.ContainsFunc(events, func(e vacancy.Event) bool { return announces(e.Kind) })
	asNew := map[reader]bool{} // who hears of the vacancy for the first time
	for i := range events {
		e := &events[i]
		if !slices.ContainsFunc(searches, func(s *vacancy.Search) bool { return s.Wants(e.Kind) || s.Wants(vacancy.New) }) {
			continue
		}
		var all []Queued
		a, err := d.audience(ctx, e, before, link, today)
		if err != nil {
			return nil, nil, err
		}
		// The matching of the vacancy as new goes on beside this event.
		a.late = a.late && !isNew
		for _, s := range searches {
			if !s.Wants(e.Kind) && !(a.late && s.Wants(vacancy.New)) {
				continue
			}
			outcomes := vacancy.Explain(s, &e.Vacancy, today)
			matched := false
			for _, n := range s.Notify {
				dest := Dest(n)
				r := reader{s.Subscriber, dest}
				tell, first := a.tell(s, r, pass(outcomes))
				if !tell || first && asNew[r] {
					continue
				}
				matched = true
				q := Queued{
					ID:    InstantID(s.ID, e.ID(), dest),
					Event: e.ID(), Search: s.ID, Subscriber: s.Subscriber, Dest: dest,
					Told: ToldMark(s.Subscriber, dest, e), Due: now, AsNew: first,
				}
				if n.Rhythm == vacancy.Daily {
					q.Digest, q.Due = true, NextWindow(now, n.Hour)
				}
				all = append(all, q)
			}
			if matched {
				matches[i] = append(matches[i], Match{s, outcomes})
			}
		}
		all = lead(all)
		queue = append(queue, all...)
		for _, q := range all {
			if q.AsNew {
				asNew[reader{q.Subscriber, q.Dest}] = true
			}
		}
	}
	return queue, matches, nil
}

// A reader is a subscriber at one destination: who is told of a thing once.
type reader struct{ subscriber, dest string }

// An audience is who may hear of an event.
type audience struct {
	// told holds, where somebody's having been told matters, the searches
	// that told each reader of the vacancy.
	told map[reader]map[string]bool
	// onlyTold keeps the event from everybody else.
	onlyTold bool
	// twin are those who were told of the same vacancy under another
	// reference: to them it is not new.
	twin map[reader]map[string]bool
	// late lets those hear of the vacancy, as new, whose search did not match
	// it before the event.
	late   bool
	kind   vacancy.Kind
	before *vacancy.Record
	today  vacancy.Day
}

// announces reports whether events of a kind tell of a vacancy for the first
// time.
func announces(k vacancy.Kind) bool { return k == vacancy.New || k == vacancy.Readvertised }

// audience returns who may hear of an event:
//
//	new, readvertised     whose search matches
//	amended, reopened     whose search matches and asks for it; else as new,
//	                      who was not told and is matched only now
//	closing moved         who was told; else as new, as above
//	closed                who was told
//	closed: expired       nobody, for everybody knows the date
//
// A vacancy that is listed twice is new to nobody who was told of it under its
// other reference.
func (d *Dispatcher) audience(ctx context.Context, e *vacancy.Event, before *vacancy.Record, link vacancy.Link, today vacancy.Day) (audience, error) {
	a := audience{kind: e.Kind, before: before, today: today}
	switch {
	case announces(e.Kind):
	case e.Reason == vacancy.Expired:
		a.onlyTold = true
		return a, nil
	case e.Kind == vacancy.Closed:
		a.onlyTold = true
	case e.Kind == vacancy.ClosingMoved:
		a.onlyTold, a.late = true, true
	default:
		a.late = true
	}
	var err error
	if link.Kind == vacancy.LinkTwin {
		if a.twin, err = d.toldOfTwins(ctx, e.Vacancy.Source, link); err != nil {
			return a, err
		}
	}
	if !announces(e.Kind) {
		a.told, err = d.toldOf(ctx, e.Vacancy.Key())
	}
	return a, err
}

// toldOf returns the readers that were told of a vacancy, and by which searches.
func (d *Dispatcher) toldOf(ctx context.Context, key vacancy.Key) (map[reader]map[string]bool, error) {
	marks, err := d.Log.Told(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("look up who was told of %s: %w", key, err)
	}
	told := map[reader]map[string]bool{}
	for mark, message := range marks {
		r, ok := readerOf(mark)
		if !ok {
			continue
		}
		search, _, _ := strings.Cut(message, "|")
		if told[r] == nil {
			told[r] = map[string]bool{}
		}
		told[r][search] = true
	}
	return told, nil
}

// toldOfTwins returns the readers that were told of a vacancy under its other
// references. A link leads to the first of them, or from one to the next.
func (d *Dispatcher) toldOfTwins(ctx context.Context, source string, link vacancy.Link) (map[reader]map[string]bool, error) {
	const most = 5
	out := map[reader]map[string]bool{}
	for range most {
		if link.Kind != vacancy.LinkTwin {
			break
		}
		key := vacancy.Key{Source: source, Reference: link.Reference}
		told, err := d.toldOf(ctx, key)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, told)
		records, err := d.Log.Records(ctx, []vacancy.Key{key})
		if err != nil {
			return nil, fmt.Errorf("look up %s: %w", key, err)
		}
		link = records[key].Link
	}
	return out, nil
}

// tell reports whether a reader hears of the event through a search, and
// whether as new.
func (a *audience) tell(s *vacancy.Search, r reader, passes bool) (tell, first bool) {
	heard := a.told[r] != nil
	switch {
	case announces(a.kind):
		return passes && a.twin[r] == nil, false
	case a.onlyTold && heard:
		// Whoever was told of a vacancy hears of its new closing date even
		// if, with it, too few days are left for the search.
		return s.Wants(a.kind) && (passes || a.told[r][s.ID]), false
	case !a.onlyTold && (!a.late || s.Wants(a.kind)):
		return passes, false
	}
	return passes && a.late && !heard && a.twin[r] == nil && s.Wants(vacancy.New) && !a.matchedBefore(s), a.late
}

// matchedBefore reports whether the search met the vacancy as it was before
// the event. A page that had not been read could not be met: what it says is
// no change, and a vacancy of the baseline stays untold. One that had closed
// counts as new to whoever was not told.
func (a *audience) matchedBefore(s *vacancy.Search) bool {
	if a.before == nil || a.kind == vacancy.Reopened {
		return false
	}
	v := a.before.Vacancy
	v.Text = a.before.Text
	return v.PageUnread || vacancy.Matches(s, &v, a.today)
}

// lead makes one message a reader: the first instant one tells of the other
// searches too. Where all are digests each keeps the item for itself, and the
// one that is rendered first tells it: should that search end before, another
// still does.
func lead(all []Queued) []Queued {
	groups := map[reader][]Queued{}
	var order []reader
	for _, q := range all {
		r := reader{q.Subscriber, q.Dest}
		if groups[r] == nil {
			order = append(order, r)
		}
		i := slices.IndexFunc(groups[r], func(o Queued) bool { return o.Search == q.Search })
		switch {
		case i < 0:
			groups[r] = append(groups[r], q)
		case groups[r][i].Digest:
			groups[r][i] = q // one search, one destination, both rhythms
		}
	}
	var out []Queued
	for _, r := range order {
		group := groups[r]
		i := slices.IndexFunc(group, func(q Queued) bool { return !q.Digest })
		if i < 0 {
			out = append(out, group...)
			continue
		}
		first := group[i]
		for _, q := range group {
			if q.Search != first.Search {
				first.Also = append(first.Also, q.Search)
			}
		}
		out = append(out, first)
	}
	return out
}

func pass(outcomes []vacancy.Outcome) bool {
	for _, o := range outcomes {
		if !o.Pass {
			return false
		}
	}
	return true
}
