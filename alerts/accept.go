package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// rereadAfter is how long after somebody was told of a vacancy its page is read
// once more: what only the page states changes without the listing's notice.
const rereadAfter = 7 * 24 * time.Hour

// Accept decides what each sighting means and stores it together with the
// messages that follow. Once it returns nil, all is kept; after an error it
// may be given the same sightings again. The events it made are returned.
func (d *Dispatcher) Accept(ctx context.Context, sightings []vacancy.Sighting) ([]vacancy.Event, error) {
	keys := make([]vacancy.Key, len(sightings))
	for i := range sightings {
		keys[i] = sightings[i].Vacancy.Key()
	}
	b, err := d.begin(ctx, keys)
	if err != nil {
		return nil, err
	}
	kin, err := b.findKin(ctx, sightings)
	if err != nil {
		return nil, err
	}
	var all []vacancy.Event
	for i := range sightings {
		s := sightings[i]
		// Now, for a relative may stand in this very batch.
		s.Link = b.link(&s, kin[i])
		events, err := b.write(ctx, keys[i], func(before *vacancy.Record) (Acceptance, []vacancy.Event, bool) {
			after, events, again := before.See(&s)
			told := events
			if again {
				// The page of a vacancy announced on its listing alone has
				// been read: match its first event again, under its old name.
				// After the new ones, whose marks are their own.
				told = append(slices.Clone(events), after.First(s.At))
			}
			a := Acceptance{Epoch: s.Epoch, Record: after, Events: events, Listed: s.At, PageRead: !s.Vacancy.PageUnread}
			if s.Feed == "" {
				a.Listed = time.Time{} // its page was read, which shows nothing about the listing
			}
			return a, told, true
		}, s.At)
		if err != nil {
			return all, fmt.Errorf("accept %s: %w", keys[i], err)
		}
		all = append(all, events...)
	}
	return all, nil
}

// Close ends vacancies for a reason, one of those of a Closed event, and tells
// those who were told of them and ask for it. What is unknown or closed already
// is left alone. Epoch is that of the run that found them gone.
func (d *Dispatcher) Close(ctx context.Context, keys []vacancy.Key, reason string, at time.Time, epoch string) ([]vacancy.Event, error) {
	return d.change(ctx, keys, "close", at, func(before *vacancy.Record) (Acceptance, bool) {
		after, event, ok := before.Close(reason, at)
		return Acceptance{Epoch: epoch, Record: after, Events: []vacancy.Event{event}}, ok
	})
}

// Release makes vacancies that were taken in silence new to everybody whose
// search they meet. What is unknown, closed or was told of is left alone.
func (d *Dispatcher) Release(ctx context.Context, keys []vacancy.Key, at time.Time) ([]vacancy.Event, error) {
	return d.change(ctx, keys, "release", at, func(before *vacancy.Record) (Acceptance, bool) {
		after, event, ok := before.Release(at)
		return Acceptance{Record: after, Events: []vacancy.Event{event}}, ok
	})
}

// change does one thing to each of some known vacancies.
func (d *Dispatcher) change(ctx context.Context, keys []vacancy.Key, what string, at time.Time, decide func(before *vacancy.Record) (Acceptance, bool)) ([]vacancy.Event, error) {
	b, err := d.begin(ctx, keys)
	if err != nil {
		return nil, err
	}
	var all []vacancy.Event
	for _, key := range keys {
		events, err := b.write(ctx, key, func(before *vacancy.Record) (Acceptance, []vacancy.Event, bool) {
			if before == nil {
				return Acceptance{}, nil, false
			}
			a, ok := decide(before)
			return a, a.Events, ok
		}, at)
		if err != nil {
			return all, fmt.Errorf("%s %s: %w", what, key, err)
		}
		all = append(all, events...)
	}
	return all, nil
}

// A batch is what the writing of some vacancies shares: the records as this
// process last knew them.
type batch struct {
	*Dispatcher
	records map[vacancy.Key]vacancy.Record
}

func (d *Dispatcher) begin(ctx context.Context, keys []vacancy.Key) (*batch, error) {
	if err := d.Searches.Refresh(ctx); err != nil {
		return nil, err
	}
	records, err := d.Log.Records(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("look up %d vacancies: %w", len(keys), err)
	}
	return &batch{d, records}, nil
}

// record returns what is known of a vacancy; nil for nothing.
func (b *batch) record(key vacancy.Key) *vacancy.Record {
	if r, ok := b.records[key]; ok {
		return &r
	}
	return nil
}

// write decides on one vacancy and stores that with the messages that follow,
// until nobody else has written it in between. Decide gives the acceptance and
// the events to be told, which may be more than its own; false where there is
// nothing to do. At is when all this happens.
func (b *batch) write(ctx context.Context, key vacancy.Key, decide func(before *vacancy.Record) (a Acceptance, told []vacancy.Event, ok bool), at time.Time) ([]vacancy.Event, error) {
	for {
		before := b.record(key)
		a, told, ok := decide(before)
		if !ok {
			return nil, nil
		}
		a.Key = key
		if before != nil {
			a.Revision = before.Revision
		}
		queue, matches, err := b.match(ctx, told, before, a.Record.Link)
		if err != nil {
			return nil, err
		}
		if anyTold(told, len(a.Events), queue) {
			a.Reread = at.Add(rereadAfter).UTC()
		}
		err = b.commit(ctx, &a, told, queue)
		if errors.Is(err, ErrChanged) {
			// Another writer was here between the look and the step.
			fresh, err := b.Log.Records(ctx, []vacancy.Key{key})
			if err != nil {
				return nil, err
			}
			delete(b.records, key)
			if r, ok := fresh[key]; ok {
				b.records[key] = r
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		// The same reference may come twice in one batch.
		a.Record.Revision = a.Revision + 1
		b.records[key] = a.Record
		b.report(told, matches, a.Events)
		return a.Events, nil
	}
}

// anyTold reports whether anybody is told of an announcement among the
// events, of which the first own are new. One that is matched again may have
// been told when it was made; the log knows.
func anyTold(events []vacancy.Event, own int, queue []telling) bool {
	for i := range events {
		if announces(events[i].Kind) && (i >= own || slices.ContainsFunc(queue, func(t telling) bool { return int(t.event) == i })) {
			return true
		}
	}
	return false
}
