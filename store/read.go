package store

import (
	"context"
	"fmt"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Vacancies calls f for every remembered vacancy. It reads page by page, so a
// vacancy written meanwhile may come in either state.
func (s *Store) Vacancies(ctx context.Context, f func(vacancy.Record) error) error {
	seen := map[string]bool{} // a scan may repeat a field
	for _, slot := range s.allSlots() {
		clear(seen)
		err := s.scan(ctx, slot, slotKey(slot, "vac"), func(id string, b []byte) error {
			if seen[id] {
				return nil
			}
			seen[id] = true
			r, err := decodeRecord(b)
			if err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			return f(*r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Events calls f for every event at or after since, each slot in its order.
func (s *Store) Events(ctx context.Context, since time.Time, f func(vacancy.Event) error) error {
	for _, slot := range s.allSlots() {
		from := 1.0
		for {
			ids := &engine.ZRange{Key: slotKey(slot, "log"), Min: from, Max: forever, Limit: batch}
			if err := s.eng.Read(ctx, slot, ids); err != nil {
				return err
			}
			if len(ids.Zs) == 0 {
				break
			}
			evt := &engine.HMGet{Key: slotKey(slot, "evt"), Fields: members(ids.Zs)}
			if err := s.eng.Read(ctx, slot, evt); err != nil {
				return err
			}
			for i, b := range evt.Vals {
				if b == nil {
					continue // pruned meanwhile
				}
				var e vacancy.Event
				if err := decode(b, &e); err != nil {
					return fmt.Errorf("event %s: %w", ids.Zs[i].Member, err)
				}
				if e.At.Before(since) {
					continue
				}
				if err := f(e); err != nil {
					return err
				}
			}
			from = ids.Zs[len(ids.Zs)-1].Score + 1
		}
	}
	return nil
}

// Searches calls f for every saved search, with the reason of its end or "".
func (s *Store) Searches(ctx context.Context, f func(search vacancy.Search, ended string) error) error {
	for _, slot := range s.allSlots() {
		err := s.scan(ctx, slot, slotKey(slot, "search"), func(id string, b []byte) error {
			var saved savedSearch
			if err := decode(b, &saved); err != nil {
				return fmt.Errorf("search %s: %w", id, err)
			}
			return f(saved.Search, saved.Ended)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Buried calls f for every message that was given up.
func (s *Store) Buried(ctx context.Context, f func(alerts.Message) error) error {
	for _, slot := range s.allSlots() {
		ids := &engine.ZRange{Key: slotKey(slot, "buried"), Min: never, Max: forever}
		if err := s.eng.Read(ctx, slot, ids); err != nil {
			return err
		}
		if len(ids.Zs) == 0 {
			continue
		}
		msgs := &engine.HMGet{Key: slotKey(slot, "msg"), Fields: members(ids.Zs)}
		if err := s.eng.Read(ctx, slot, msgs); err != nil {
			return err
		}
		for _, b := range msgs.Vals {
			m, err := decodeMessage(b)
			if err != nil || m == nil {
				continue // Letters shows it
			}
			if err := f(*m); err != nil {
				return err
			}
		}
	}
	return nil
}

// Counts are numbers of the state, for metrics and the status page.
type Counts struct {
	Live      int // vacancies that are open
	Known     int // vacancies that are remembered
	Queued    int // messages in the outbox that are not given up
	Due       int // of them, due now
	Buried    int
	Damaged   int       // messages set aside for they cannot be read
	OldestDue time.Time // of what is due now; zero if nothing is
	Digests   int       // digests with items waiting for their hour
}

// Counts returns them, at the given time.
func (s *Store) Counts(ctx context.Context, now time.Time) (Counts, error) {
	var c Counts
	oldest := forever
	digests := map[string]bool{} // one has items in many slots
	for _, slot := range s.allSlots() {
		channels, err := s.lanes(ctx, slot)
		if err != nil {
			return Counts{}, err
		}
		lanes := countLanes(slot, channels, now)
		live := &engine.ZCard{Key: slotKey(slot, "live")}
		known := &engine.HLen{Key: slotKey(slot, "vac")}
		buried := &engine.ZCard{Key: slotKey(slot, "buried")}
		damaged := &engine.ZCard{Key: slotKey(slot, "damaged")}
		waiting := &engine.ZRange{Key: slotKey(slot, "digdue"), Min: never, Max: forever}
		if err := s.eng.Read(ctx, slot, append(lanes.reads(), live, known, buried, damaged, waiting)...); err != nil {
			return Counts{}, err
		}
		c.Live += live.N
		c.Known += known.N
		for i := range lanes {
			c.Queued += lanes[i].all.N
			c.Due += lanes[i].due.N
			if first := lanes[i].first.Zs; len(first) > 0 {
				oldest = min(oldest, first[0].Score)
			}
		}
		c.Buried += buried.N
		c.Damaged += damaged.N
		for _, z := range waiting.Zs {
			digests[z.Member] = true
		}
	}
	if oldest != forever {
		c.OldestDue = fromMS(oldest)
	}
	c.Digests = len(digests)
	return c, nil
}

// LiveBySource counts the open vacancies of each source. It reads the names of
// all: some ten milliseconds for 15,000.
func (s *Store) LiveBySource(ctx context.Context) (map[string]int, error) {
	out := map[string]int{}
	for _, slot := range s.allSlots() {
		live := &engine.ZRange{Key: slotKey(slot, "live"), Min: never, Max: forever}
		if err := s.eng.Read(ctx, slot, live); err != nil {
			return nil, err
		}
		for _, z := range live.Zs {
			if key, err := vacancy.ParseKey(z.Member); err == nil {
				out[key.Source]++
			}
		}
	}
	return out, nil
}

// Live counts the open vacancies of a source, those included whose date has
// passed and which Expire has not closed yet. It reads names alone.
func (s *Store) Live(ctx context.Context, source string) (int, error) {
	all, err := s.LiveBySource(ctx)
	return all[source], err
}
