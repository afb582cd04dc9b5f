package alerts

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// atATime is how many searches are in memory at a time, whatever the number
// that a vacancy meets.
const atATime = 1000

// match returns who is told of the events of one vacancy, and, where somebody
// wants to know, who matched each. Of the searches of one subscriber that a
// vacancy meets, one leads and tells of the others: an instant one before a
// digest, then the oldest. Before is the record as it was, nil where that is
// not known; link ties the vacancy to another.
func (d *Dispatcher) match(ctx context.Context, events []vacancy.Event, before *vacancy.Record, link vacancy.Link) ([]telling, [][]Match, error) {
	now := d.Now()
	today := vacancy.LondonDay(now)
	var queue []telling
	matches := make([][]Match, len(events))
	isNew := slices.ContainsFunc(events, func(e vacancy.Event) bool { return announces(e.Kind) })
	asNew := map[reader]bool{} // who hears of the vacancy for the first time
	for i := range events {
		e := &events[i]
		a, err := d.audience(ctx, e, before, link, today)
		if err != nil {
			return nil, nil, err
		}
		// The matching of the vacancy as new goes on beside this event.
		a.late = a.late && !isNew
		candidates, err := d.candidates(ctx, e, &a)
		if err != nil {
			return nil, nil, err
		}
		all := make([]telling, 0, len(candidates))
		meets := vacancy.NewMatcher(&e.Vacancy, today)
		for ids := range slices.Chunk(candidates, atATime) {
			searches, err := d.Searches.find(ctx, ids)
			if err != nil {
				return nil, nil, err
			}
			for _, s := range searches {
				if !s.Wants(e.Kind) && !(a.late && s.Wants(vacancy.New)) {
					continue
				}
				passes, matched := meets.Matches(s), false
				for _, n := range s.Notify {
					r := reader{s.Subscriber, Dest(n)}
					tell, first := a.tell(s, r, passes)
					if !tell || first && asNew[r] {
						continue
					}
					matched = true
					due, digest := When(n, now)
					t := telling{event: int32(i), search: s.ID, created: s.Created.UnixMicro(), reader: r, due: due.UnixMicro(), digest: digest, asNew: first}
					all = append(all, t)
				}
				if matched && d.Told != nil {
					matches[i] = append(matches[i], Match{s, vacancy.Explain(s, &e.Vacancy, today)})
				}
			}
		}
		all = lead(all)
		if queue == nil {
			queue = all // without a copy: it may be large
		} else {
			queue = append(queue, all...)
		}
		for _, t := range all {
			if t.asNew {
				asNew[t.reader] = true
			}
		}
	}
	return queue, matches, nil
}

// candidates returns the searches that may have to hear of an event: those
// that its vacancy meets, and those that told of it before.
func (d *Dispatcher) candidates(ctx context.Context, e *vacancy.Event, a *audience) ([]string, error) {
	if a.onlyTold && !a.late && len(a.told) == 0 {
		return nil, nil
	}
	ids, err := d.Searches.Match(ctx, &e.Vacancy, a.today)
	if err != nil {
		return nil, err
	}
	for _, searches := range a.told {
		for id := range searches {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
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
