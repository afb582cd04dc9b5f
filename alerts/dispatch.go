package alerts

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// chunk is how many messages one step of the store takes: 5,000 hold up other
// clients of a Redis for 20 ms (measured), 2,000 do not.
const chunk = 2000

// A Dispatcher takes over what a crawl has seen, and queues what follows.
type Dispatcher struct {
	Log      Log
	Searches *Catalogue
	Now      func() time.Time
	Logger   *slog.Logger
	Metrics  *Metrics
	// Queued is called after messages were queued, so that they need not wait
	// for the next look at the outbox. May be nil.
	Queued func()
	// Told is called with each event that is new to the store, and the
	// matches it made. May be nil.
	Told func(e *vacancy.Event, matches []Match)

	reminded vacancy.Day // see Remind
}

// A Match is a search that wants to hear of an event.
type Match struct {
	Search   *vacancy.Search
	Outcomes []vacancy.Outcome
}

// commit stores an acceptance and its messages, in chunks where they are many.
func (d *Dispatcher) commit(ctx context.Context, a *Acceptance, told []vacancy.Event, queue []telling) error {
	first := queue[:min(len(queue), chunk)]
	rest := queue[len(first):]
	a.Queue, a.Pending = expand(told, first), eventsOf(told, rest)
	queued, err := d.Log.Accept(ctx, a)
	a.Queue = nil
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		n, err := d.enqueue(ctx, a.Key, told, rest)
		if queued += n; err != nil {
			// The record and its events are kept, and marked as not matched
			// to the end: Recover does the rest.
			d.Logger.Warn("queueing interrupted, will be finished later", "vacancy", a.Key.String(), "err", err)
		}
	}
	if queued > 0 && d.Queued != nil {
		d.Queued()
	}
	return nil
}

// enqueue adds the messages in chunks and ends the matching of their events
// with the last one.
func (d *Dispatcher) enqueue(ctx context.Context, key vacancy.Key, told []vacancy.Event, rest []telling) (int, error) {
	queued, events := 0, eventsOf(told, rest)
	for len(rest) > 0 {
		part := rest[:min(len(rest), chunk)]
		rest = rest[len(part):]
		var done []string
		if len(rest) == 0 {
			done = events
		}
		n, err := d.Log.Enqueue(ctx, key, expand(told, part), done)
		if err != nil {
			return queued, err
		}
		queued += n
	}
	return queued, nil
}

// eventsOf returns the ids of the events that are told.
func eventsOf(told []vacancy.Event, queue []telling) []string {
	var out []string
	for i := range told {
		if slices.ContainsFunc(queue, func(t telling) bool { return int(t.event) == i }) {
			out = append(out, told[i].ID())
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
	if err := d.Searches.Refresh(ctx); err != nil {
		return err
	}
	keys := make([]vacancy.Key, len(events))
	for i := range events {
		keys[i] = events[i].Vacancy.Key()
	}
	records, err := d.Log.Records(ctx, keys)
	if err != nil {
		return fmt.Errorf("look up %d vacancies: %w", len(keys), err)
	}
	for i := range events {
		e := &events[i]
		told := events[i : i+1]
		queue, _, err := d.match(ctx, told, nil, records[keys[i]].Link)
		if err != nil {
			return err
		}
		if len(queue) == 0 {
			// The searches that matched have ended since.
			_, err = d.Log.Enqueue(ctx, e.Vacancy.Key(), nil, []string{e.ID()})
		} else {
			_, err = d.enqueue(ctx, e.Vacancy.Key(), told, queue)
		}
		if err != nil {
			return fmt.Errorf("finish the matching of %s: %w", e.ID(), err)
		}
		d.Logger.Info("finished an interrupted matching", "event", e.ID(), "messages", len(queue))
	}
	return nil
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
