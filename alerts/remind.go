package alerts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// remindWithin is the most days before its closing date that a reader can ask
// to be reminded of a vacancy.
const remindWithin = vacancy.MaxRemindDays

// A Closing is a live vacancy and the day on which it closes.
type Closing struct {
	Key vacancy.Key
	Day vacancy.Day
}

// Remind puts a reminder into the digest of every reader who asks for one, for
// each vacancy that he was told of and that closes in so many days. It does so
// once in a London day, and what failed half-way is repeated by the next call.
//
// It looks at the closing dates as they are on the day, so one that has moved
// moves the reminder, and a day on which nothing was running is made up for.
// A reader is reminded of a vacancy once, by a told mark of its own, whatever
// its closing date does afterwards. He is not reminded of what he was told
// within those days, for then the alert itself said when it closes.
func (d *Dispatcher) Remind(ctx context.Context) (queued int, err error) {
	now := d.Now()
	today := vacancy.LondonDay(now)
	if d.reminded == today {
		return 0, nil
	}
	closing, err := d.Log.Closing(ctx, today, today.Add(remindWithin))
	if err != nil {
		return 0, fmt.Errorf("look for vacancies that close soon: %w", err)
	}
	for _, c := range closing {
		n, err := d.remind(ctx, c, now)
		if err != nil {
			return queued, fmt.Errorf("remind of %s: %w", c.Key, err)
		}
		queued += n
	}
	d.reminded = today
	return queued, nil
}

// remind queues the reminders of one vacancy.
func (d *Dispatcher) remind(ctx context.Context, c Closing, now time.Time) (queued int, err error) {
	told, err := d.Log.Told(ctx, c.Key)
	if err != nil {
		return 0, err
	}
	messages := map[string][]string{} // by the search that told
	readers := map[string][]reader{}
	for mark, message := range told {
		r, ok := readerOf(mark)
		if !ok || strings.Contains(mark, "|"+string(vacancy.ClosingSoon)+"|") {
			continue
		}
		search, _, _ := strings.Cut(message, "|")
		messages[search], readers[search] = append(messages[search], message), append(readers[search], r)
	}
	ids := make([]string, 0, len(messages))
	for id := range messages {
		ids = append(ids, id)
	}
	slices.Sort(ids) // a reader who was told by several is reminded by the first
	e := vacancy.Event{Kind: vacancy.ClosingSoon, Vacancy: vacancy.Vacancy{Source: c.Key.Source, Reference: c.Key.Reference}}
	asked := map[reader]bool{}
	for part := range slices.Chunk(ids, atATime) {
		searches, err := d.Searches.find(ctx, part)
		if err != nil {
			return queued, err
		}
		slices.SortFunc(searches, func(a, b *vacancy.Search) int { return strings.Compare(a.ID, b.ID) })
		var queue []Queued
		for _, s := range searches {
			for i, r := range readers[s.ID] {
				n, ok := notifyFor(s, r.dest)
				left := vacancy.LondonDay(now).DaysUntil(c.Day)
				if !ok || n.RemindDays == 0 || left > n.RemindDays || asked[r] {
					continue
				}
				before := c.Day.Add(-n.RemindDays).StartIn(vacancy.London())
				if ok, err := d.Log.Delivered(ctx, c.Key, messages[s.ID][i], before); err != nil {
					return queued, err
				} else if !ok {
					continue
				}
				asked[r] = true
				queue = append(queue, Queued{ID: InstantID(s.ID, e.ID(), r.dest), Event: e.ID(), Search: s.ID, Subscriber: r.subscriber,
					Dest: r.dest, Told: ToldMark(r.subscriber, r.dest, &e), Digest: true, Due: remindAt(n, now)})
			}
		}
		for part := range slices.Chunk(queue, chunk) {
			n, err := d.Log.Enqueue(ctx, c.Key, part, nil)
			if err != nil {
				return queued, err
			}
			queued += n
		}
	}
	return queued, nil
}

// remindAt is when a reader gets the reminders of today: at his hour, or where
// that has passed now.
func remindAt(n vacancy.Notify, now time.Time) time.Time {
	at := clock(vacancy.LondonDay(now), digestHour(n))
	if at.Before(now) {
		at = now
	}
	if until, ok := quietUntil(n, at); ok {
		at = until
	}
	return at
}

// outOfDate reports whether a reminder is not to be told any more today, for
// the closing date has moved since it was queued, or nobody asks for it.
func outOfDate(it *DigestItem, n vacancy.Notify, today vacancy.Day) bool {
	closing := it.Record.Vacancy.Closing
	return it.Event.Kind == vacancy.ClosingSoon && (closing.IsZero() || today.DaysUntil(closing) > n.RemindDays)
}
