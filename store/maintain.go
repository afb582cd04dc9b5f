package store

import (
	"context"
	"fmt"
	"time"

	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// batch is how much one step of the upkeep changes.
const batch = 500

// Expire closes vacancies whose closing date lies before today, in London. No
// request is needed: the date is the site's own word.
func (s *Store) Expire(ctx context.Context, today vacancy.Day, now time.Time) ([]vacancy.Event, error) {
	var out []vacancy.Event
	for _, slot := range s.allSlots() {
		for {
			events, more, err := s.expireSlot(ctx, slot, today, now)
			if err != nil {
				return out, fmt.Errorf("close expired vacancies: %w", err)
			}
			if out = append(out, events...); !more {
				break
			}
		}
	}
	return out, nil
}

func (s *Store) expireSlot(ctx context.Context, slot string, today vacancy.Day, now time.Time) (events []vacancy.Event, more bool, err error) {
	over := &engine.ZRange{Key: slotKey(slot, "live"), Min: never, Max: ms(today.UTC()) - 1, Limit: batch}
	if err := s.eng.Read(ctx, slot, over); err != nil || len(over.Zs) == 0 {
		return nil, false, err
	}
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		events = nil
		ids := members(over.Zs)
		vac := &engine.HMGet{Key: slotKey(slot, "vac"), Fields: ids}
		seq := &engine.HGet{Key: slotKey(slot, "seq"), Field: "seq"}
		if err := tx.Read(vac, seq); err != nil {
			return err
		}
		next, err := parseSeq(seq)
		if err != nil {
			return err
		}
		for i, id := range ids {
			r, err := decodeRecord(vac.Vals[i])
			if err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			if r == nil {
				tx.ZRem(slotKey(slot, "live"), id) // Unreachable: both are written in one step.
				continue
			}
			after, e, ok := r.Expire(today, now)
			if !ok {
				continue // its date has moved since the look
			}
			next++
			e.Seq = next
			after.Revision++
			putRecord(tx, slot, after.Vacancy.Key(), &after)
			putEvent(tx, slot, &e)
			events = append(events, e)
		}
		if len(events) > 0 {
			tx.HSet(slotKey(slot, "seq"), "seq", fmt.Appendf(nil, "%d", next))
		}
		return nil
	})
	return events, len(over.Zs) == batch && len(events) > 0, err
}

// Prune removes what has outlived its lifetime, as keys.go states it.
func (s *Store) Prune(ctx context.Context, now time.Time) error {
	for _, slot := range s.allSlots() {
		for _, p := range []struct {
			set  string
			keep time.Duration
			drop func(engine.Tx, string, []string) error
		}{
			{"tomb", keepTomb, nil},
			{"buried", keepBuried, dropMessages},
			{"gone", keepTold, s.dropTold},
			{"gone", keepClosed, dropVacancies},
		} {
			if err := s.pruneSet(ctx, slot, p.set, now.Add(-p.keep), p.drop); err != nil {
				return fmt.Errorf("prune %s of %s: %w", p.set, slot, err)
			}
		}
		if err := s.pruneEvents(ctx, slot, now.Add(-keepEvents)); err != nil {
			return fmt.Errorf("prune events of %s: %w", slot, err)
		}
	}
	return s.pruneRuns(ctx, now.Add(-keepRuns))
}

func (s *Store) pruneSet(ctx context.Context, slot, set string, before time.Time, drop func(engine.Tx, string, []string) error) error {
	key := slotKey(slot, set)
	from := never
	for {
		old := &engine.ZRange{Key: key, Min: from, Max: ms(before), Limit: batch}
		if err := s.eng.Read(ctx, slot, old); err != nil || len(old.Zs) == 0 {
			return err
		}
		ids := members(old.Zs)
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			// Look again: it may have been reopened or replayed meanwhile.
			now := &engine.ZMScore{Key: key, Members: ids}
			if err := tx.Read(now); err != nil {
				return err
			}
			var still []string
			for i, id := range ids {
				if now.OK[i] && now.Scores[i] <= ms(before) {
					still = append(still, id)
				}
			}
			if len(still) == 0 {
				return nil
			}
			if drop == nil {
				tx.ZRem(key, still...)
				return nil
			}
			return drop(tx, slot, still)
		})
		if err != nil {
			return err
		}
		if len(old.Zs) < batch {
			return nil
		}
		if last := old.Zs[len(old.Zs)-1].Score; last > from {
			from = last
		} else {
			return nil // a whole batch of one instant: the next round goes on
		}
	}
}

func dropMessages(tx engine.Tx, slot string, ids []string) error {
	tx.HDel(slotKey(slot, "msg"), ids...)
	tx.HDel(slotKey(slot, "body"), ids...)
	tx.ZRem(slotKey(slot, "buried"), ids...)
	return nil
}

func (s *Store) dropTold(tx engine.Tx, slot string, ids []string) error {
	for _, id := range ids {
		tx.Del(slotKey(slot, "told:"+id))
	}
	return nil
}

func dropVacancies(tx engine.Tx, slot string, ids []string) error {
	tx.HDel(slotKey(slot, "vac"), ids...)
	tx.ZRem(slotKey(slot, "gone"), ids...)
	return nil
}

// pruneEvents drops events from the start of the log, for it is in order.
func (s *Store) pruneEvents(ctx context.Context, slot string, before time.Time) error {
	for {
		first := &engine.ZRange{Key: slotKey(slot, "log"), Min: never, Max: forever, Limit: batch}
		if err := s.eng.Read(ctx, slot, first); err != nil || len(first.Zs) == 0 {
			return err
		}
		ids := members(first.Zs)
		evt := &engine.HMGet{Key: slotKey(slot, "evt"), Fields: ids}
		if err := s.eng.Read(ctx, slot, evt); err != nil {
			return err
		}
		n := 0
		for n < len(ids) {
			var e vacancy.Event
			if evt.Vals[n] != nil {
				if err := decode(evt.Vals[n], &e); err != nil {
					return err
				}
				if !e.At.Before(before) {
					break
				}
			}
			n++
		}
		if n == 0 {
			return nil
		}
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			tx.HDel(slotKey(slot, "evt"), ids[:n]...)
			tx.ZRem(slotKey(slot, "log"), ids[:n]...)
			return nil
		})
		if err != nil || n < batch {
			return err
		}
	}
}

func (s *Store) pruneRuns(ctx context.Context, before time.Time) error {
	var sources []string
	err := s.scan(ctx, metaSlot, metaKey("sources"), func(source string, _ []byte) error {
		sources = append(sources, source)
		return nil
	})
	if err != nil {
		return err
	}
	for _, source := range sources {
		key := metaKey("runs:" + source)
		old := &engine.ZRange{Key: key, Min: never, Max: ms(before), Limit: 5000}
		if err := s.eng.Read(ctx, metaSlot, old); err != nil {
			return err
		}
		if len(old.Zs) == 0 {
			continue
		}
		err := s.eng.Update(ctx, metaSlot, func(tx engine.Tx) error {
			tx.ZRem(key, members(old.Zs)...)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
