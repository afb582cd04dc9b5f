package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// chunk is how many messages one step of the store takes: 5,000 hold up other
// clients of a Redis for 20 ms (measured), 2,000 do not.
const chunk = 2000

// A Dispatcher takes over what a crawl has seen, and queues what follows.
type Dispatcher struct {
	Log      Log
	Searches Searches
	Now      func() time.Time
	Logger   *slog.Logger
	Metrics  *Metrics
	// Queued is called after messages were queued, so that they need not wait
	// for the next look at the outbox. May be nil.
	Queued func()
	// Told is called with each event that is new to the store, and the
	// matches it made. May be nil.
	Told func(e *vacancy.Event, matches []Match)
}

// A Match is a search that wants to hear of an event.
type Match struct {
	Search   *vacancy.Search
	Outcomes []vacancy.Outcome
}

// Accept decides what each sighting means and stores it together with the
// messages that follow. Once it returns nil, all is kept; after an error it
// may be given the same sightings again. The events it made are returned.
func (d *Dispatcher) Accept(ctx context.Context, sightings []vacancy.Sighting) ([]vacancy.Event, error) {
	searches, err := d.Searches.Active(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the saved searches: %w", err)
	}
	keys := make([]vacancy.Key, len(sightings))
	for i := range sightings {
		keys[i] = sightings[i].Vacancy.Key()
	}
	records, err := d.Log.Records(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("look up %d vacancies: %w", len(keys), err)
	}
	var all []vacancy.Event
	for i := range sightings {
		s := &sightings[i]
		events, err := d.acceptOne(ctx, s, records, searches)
		if err != nil {
			return all, fmt.Errorf("accept %s: %w", s.Vacancy.Key(), err)
		}
		all = append(all, events...)
	}
	return all, nil
}

func (d *Dispatcher) acceptOne(ctx context.Context, s *vacancy.Sighting, records map[vacancy.Key]vacancy.Record, searches []*vacancy.Search) ([]vacancy.Event, error) {
	key := s.Vacancy.Key()
	for {
		var before *vacancy.Record
		if r, ok := records[key]; ok {
			before = &r
		}
		after, events, again := before.See(s)
		a := Acceptance{Key: key, Epoch: s.Epoch, Record: after, Events: events}
		if before != nil {
			a.Revision = before.Revision
		}
		told := events
		if again {
			// The page of a vacancy announced on its listing alone has been
			// read: match its first event again, under its old name. After
			// the new ones, whose marks are their own.
			first := vacancy.Event{Kind: vacancy.New, Version: 1, At: s.At, Vacancy: after.Vacancy}
			first.Vacancy.Text = after.Text
			told = append(slices.Clone(events), first)
		}
		queue, matches, err := d.match(ctx, told, before, searches)
		if err != nil {
			return nil, err
		}
		_, err = d.commit(ctx, &a, queue)
		if errors.Is(err, ErrChanged) {
			// Another writer was here between the look and the step.
			fresh, err := d.Log.Records(ctx, []vacancy.Key{key})
			if err != nil {
				return nil, err
			}
			delete(records, key)
			if r, ok := fresh[key]; ok {
				records[key] = r
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		// The same reference may come twice in one batch.
		after.Revision = a.Revision + 1
		records[key] = after
		d.report(told, matches, events)
		return events, nil
	}
}

// commit stores an acceptance and its messages, in chunks where they are many.
func (d *Dispatcher) commit(ctx context.Context, a *Acceptance, queue []Queued) (int, error) {
	first := queue[:min(len(queue), chunk)]
	rest := queue[len(first):]
	a.Queue, a.Pending = first, eventsOf(rest)
	queued, err := d.Log.Accept(ctx, a)
	if err != nil {
		return 0, err
	}
	if len(rest) > 0 {
		n, err := d.enqueue(ctx, a.Key, rest)
		if queued += n; err != nil {
			// The record and its events are kept, and marked as not matched
			// to the end: Recover does the rest.
			d.Logger.Warn("queueing interrupted, will be finished later", "vacancy", a.Key.String(), "err", err)
		}
	}
	if queued > 0 && d.Queued != nil {
		d.Queued()
	}
	return queued, nil
}

// enqueue adds the messages in chunks and ends the matching of their events
// with the last one.
func (d *Dispatcher) enqueue(ctx context.Context, key vacancy.Key, rest []Queued) (int, error) {
	queued, events := 0, eventsOf(rest)
	for len(rest) > 0 {
		part := rest[:min(len(rest), chunk)]
		rest = rest[len(part):]
		var done []string
		if len(rest) == 0 {
			done = events
		}
		n, err := d.Log.Enqueue(ctx, key, part, done)
		if err != nil {
			return queued, err
		}
		queued += n
	}
	return queued, nil
}

func eventsOf(queue []Queued) []string {
	var out []string
	for i := range queue {
		if !slices.Contains(out, queue[i].Event) {
			out = append(out, queue[i].Event)
		}
	}
	return out
}

// Recover finishes the matching of events that a crash interrupted between
// two chunks. What was queued before is not queued again.
func (d *Dispatcher) Recover(ctx context.Context) error {
	events, err := d.Log.Unmatched(ctx, d.Now().Add(-2*time.Minute))
	if err != nil {
		return fmt.Errorf("look for interrupted matching: %w", err)
	}
	if len(events) == 0 {
		return nil
	}
	searches, err := d.Searches.Active(ctx)
	if err != nil {
		return fmt.Errorf("load the saved searches: %w", err)
	}
	for i := range events {
		e := &events[i]
		queue, _, err := d.match(ctx, []vacancy.Event{*e}, nil, searches)
		if err != nil {
			return err
		}
		if len(queue) == 0 {
			// The searches that matched have ended since.
			_, err = d.Log.Enqueue(ctx, e.Vacancy.Key(), nil, []string{e.ID()})
		} else {
			_, err = d.enqueue(ctx, e.Vacancy.Key(), queue)
		}
		if err != nil {
			return fmt.Errorf("finish the matching of %s: %w", e.ID(), err)
		}
		d.Logger.Info("finished an interrupted matching", "event", e.ID(), "messages", len(queue))
	}
	return nil
}

// match returns the messages that the events of one vacancy make, and who
// matched each. Of the searches of one subscriber that a vacancy meets, one
// leads and tells of the others: an instant one before a digest, then the
// oldest. Before is the record as it was, nil where that is not known.
func (d *Dispatcher) match(ctx context.Context, events []vacancy.Event, before *vacancy.Record, searches []*vacancy.Search) ([]Queued, [][]Match, error) {
	now := d.Now()
	today := vacancy.LondonDay(now)
	var queue []Queued
	matches := make([][]Match, len(events))
	isNew := slices.ContainsFunc(events, func(e vacancy.Event) bool { return e.Kind == vacancy.New })
	asNew := map[reader]bool{} // who hears of the vacancy for the first time
	for i := range events {
		e := &events[i]
		var all []Queued
		a, err := d.audience(ctx, e, before, today)
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
	// late lets those hear of the vacancy, as new, whose search did not match
	// it before the event.
	late   bool
	kind   vacancy.Kind
	before *vacancy.Record
	today  vacancy.Day
}

// audience returns who may hear of an event:
//
//	new, readvertised     whose search matches
//	amended, reopened     whose search matches and asks for it; else as new,
//	                      who was not told and is matched only now
//	closing moved         who was told; else as new, as above
//	closed                who was told
//	closed: expired       nobody, for everybody knows the date
func (d *Dispatcher) audience(ctx context.Context, e *vacancy.Event, before *vacancy.Record, today vacancy.Day) (audience, error) {
	a := audience{kind: e.Kind, before: before, today: today}
	switch {
	case e.Kind == vacancy.New || e.Kind == vacancy.Readvertised:
		return a, nil
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
	marks, err := d.Log.Told(ctx, e.Vacancy.Key())
	if err != nil {
		return a, fmt.Errorf("look up who was told of %s: %w", e.Vacancy.Key(), err)
	}
	a.told = map[reader]map[string]bool{}
	for mark, message := range marks {
		r, ok := readerOf(mark)
		if !ok {
			continue
		}
		search, _, _ := strings.Cut(message, "|")
		if a.told[r] == nil {
			a.told[r] = map[string]bool{}
		}
		a.told[r][search] = true
	}
	return a, nil
}

// tell reports whether a reader hears of the event through a search, and
// whether as new.
func (a *audience) tell(s *vacancy.Search, r reader, passes bool) (tell, first bool) {
	heard := a.told[r] != nil
	switch {
	case a.onlyTold && heard:
		// Whoever was told of a vacancy hears of its new closing date even
		// if, with it, too few days are left for the search.
		return s.Wants(a.kind) && (passes || a.told[r][s.ID]), false
	case !a.onlyTold && (!a.late || s.Wants(a.kind)):
		return passes, false
	}
	return passes && a.late && !heard && s.Wants(vacancy.New) && !a.matchedBefore(s), a.late
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

// report counts and passes on what was stored.
func (d *Dispatcher) report(told []vacancy.Event, matches [][]Match, events []vacancy.Event) {
	d.Metrics.Observe(events)
	for i := range told {
		if d.Told != nil && (i < len(events) || len(matches[i]) > 0) {
			d.Told(&told[i], matches[i])
		}
	}
}
