package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
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
			putRecord(tx, slot, after.Vacancy.Key(), r, &after)
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

// keepLooking is for how long after their lifetime told marks are looked for:
// longer than a daemon stands still. What is older goes with its vacancy.
const keepLooking = 14 * 24 * time.Hour

// Prune removes what has outlived its lifetime, as keys.go states it.
func (s *Store) Prune(ctx context.Context, now time.Time) error {
	for _, slot := range s.allSlots() {
		for _, p := range []struct {
			set      string
			from, to time.Time
			drop     func(engine.Tx, string, []string)
			stays    bool // dropping something of a member leaves it in the set
		}{
			{"tomb", time.Time{}, now.Add(-keepTomb), dropTombs, false},
			{"buried", time.Time{}, now.Add(-keepBuried), dropLetters("buried"), false},
			{"damaged", time.Time{}, now.Add(-keepBuried), dropLetters("damaged"), false},
			{"gone", now.Add(-keepTold - keepLooking), now.Add(-keepTold), dropTold, true},
			{"gone", time.Time{}, now.Add(-keepClosed), dropVacancies, false},
			{"kinold", time.Time{}, now.Add(-keepKin), dropKin, false},
			{"suppend", time.Time{}, now, dropSuppressed, false},
			{"placesend", time.Time{}, now, dropPlaces, false},
			{"wishend", time.Time{}, now, dropWishes, false},
			{"searchend", time.Time{}, now, dropSearches, false},
			{"limitend", time.Time{}, now, dropLimits, false},
		} {
			if err := s.pruneSet(ctx, slot, p.set, p.from, p.to, p.drop, p.stays); err != nil {
				return fmt.Errorf("prune %s of %s: %w", p.set, slot, err)
			}
		}
		if err := s.askToKeep(ctx, slot, now); err != nil {
			return err
		}
		for _, set := range []string{"seen", "reread", "silent"} {
			if err := s.pruneNotLive(ctx, slot, set); err != nil {
				return fmt.Errorf("prune %s of %s: %w", set, slot, err)
			}
		}
		if err := s.pruneUnread(ctx, slot, now.Add(-keepTold)); err != nil {
			return fmt.Errorf("prune unread adverts of %s: %w", slot, err)
		}
		if err := s.pruneEvents(ctx, slot, now.Add(-keepEvents)); err != nil {
			return fmt.Errorf("prune events of %s: %w", slot, err)
		}
	}
	if err := s.prunePeople(ctx, now); err != nil {
		return fmt.Errorf("prune people: %w", err)
	}
	return s.pruneRuns(ctx, now.Add(-keepRuns))
}

// pruneSet calls drop for the members of a set from one time to another, in
// batches. Many have the same time: a night's closings are one step's.
func (s *Store) pruneSet(ctx context.Context, slot, set string, from, to time.Time, drop func(engine.Tx, string, []string), stays bool) error {
	key := slotKey(slot, set)
	skip := 0
	for {
		old := &engine.ZRange{Key: key, Min: ms(from), Max: ms(to), Offset: skip, Limit: batch}
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
				if now.OK[i] && now.Scores[i] <= ms(to) {
					still = append(still, id)
				}
			}
			if len(still) > 0 {
				drop(tx, slot, still)
			}
			return nil
		})
		if err != nil || len(old.Zs) < batch {
			return err
		}
		if stays {
			skip += batch
		}
	}
}

func dropTombs(tx engine.Tx, slot string, ids []string) { tx.ZRem(slotKey(slot, "tomb"), ids...) }

// dropLetters forgets messages that were set aside, with their bytes and the
// note that they were their search's last digest.
func dropLetters(set string) func(engine.Tx, string, []string) {
	return func(tx engine.Tx, slot string, ids []string) {
		last := &engine.HMGet{Key: slotKey(slot, "digopen")}
		var of []string
		for _, id := range ids {
			if m, ok := alerts.ParseID(id); ok && m.Event == "" {
				last.Fields, of = append(last.Fields, digestName(m.Search, m.Dest)), append(of, id)
			}
		}
		if len(of) > 0 {
			if tx.Read(last) != nil {
				return // the engine makes the step again, or fails
			}
			for i, b := range last.Vals {
				if string(b) == of[i] {
					tx.HDel(last.Key, last.Fields[i])
				}
			}
		}
		tx.HDel(slotKey(slot, "msg"), ids...)
		tx.HDel(slotKey(slot, "body"), ids...)
		tx.ZRem(slotKey(slot, set), ids...)
	}
}

func dropTold(tx engine.Tx, slot string, ids []string) {
	for _, id := range ids {
		tx.Del(slotKey(slot, "told:"+id))
	}
}

func dropVacancies(tx engine.Tx, slot string, ids []string) {
	dropTold(tx, slot, ids)
	tx.HDel(slotKey(slot, "vac"), ids...)
	tx.ZRem(slotKey(slot, "gone"), ids...)
}

// pruneNotLive drops from a set of live vacancies what is live no more. Closing
// a vacancy does that itself; but for what an older program closed, which knew
// nothing of the set, nothing else would.
func (s *Store) pruneNotLive(ctx context.Context, slot, set string) error {
	all := &engine.ZRange{Key: slotKey(slot, set), Min: never, Max: forever}
	live := &engine.ZRange{Key: slotKey(slot, "live"), Min: never, Max: forever}
	if err := s.eng.Read(ctx, slot, all, live); err != nil || len(all.Zs) == 0 {
		return err
	}
	isLive := make(map[string]bool, len(live.Zs))
	for _, z := range live.Zs {
		isLive[z.Member] = true
	}
	ids := slices.DeleteFunc(members(all.Zs), func(id string) bool { return isLive[id] })
	for part := range slices.Chunk(ids, batch) {
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			// Look again: it may have been reopened meanwhile.
			now := &engine.ZMScore{Key: slotKey(slot, "live"), Members: part}
			if err := tx.Read(now); err != nil {
				return err
			}
			for i, id := range part {
				if !now.OK[i] {
					tx.ZRem(slotKey(slot, set), id)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pruneUnread forgets adverts that could not be read and were never accepted:
// they left the site before.
func (s *Store) pruneUnread(ctx context.Context, slot string, before time.Time) error {
	var old []string
	err := s.scan(ctx, slot, slotKey(slot, "unread"), func(id string, b []byte) error {
		var since time.Time
		if err := since.UnmarshalText(b); err != nil || since.Before(before) {
			old = append(old, id)
		}
		return nil
	})
	if err != nil || len(old) == 0 {
		return err
	}
	return s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		tx.HDel(slotKey(slot, "unread"), old...)
		return nil
	})
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
		for i := range ids {
			var e vacancy.Event
			if evt.Vals[i] != nil {
				if decode(evt.Vals[i], &e) != nil {
					continue // as old as its neighbours: it goes with what follows it
				}
				if !e.At.Before(before) {
					break
				}
			}
			n = i + 1
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
