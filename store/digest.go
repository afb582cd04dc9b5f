package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// maxParts bounds the parts of one day's digest. A window that reached it
// waits for the next day.
const maxParts = 100

// digestName names the digest of a search at a destination.
func digestName(search, dest string) string { return search + "|" + dest }

func digestKey(slot, name string) string { return slotKey(slot, "dig:"+name) }

// putDigestItem keeps an event for the digest whose window ends at due.
func putDigestItem(tx engine.Tx, slot, name, event string, due time.Time) {
	tx.ZAdd(digestKey(slot, name), engine.Z{Member: event, Score: ms(due)})
	tx.ZAdd(slotKey(slot, "digdue"), engine.Z{Member: name, Score: ms(due)})
}

// OpenDigests makes a message of every digest whose window has ended. A window
// whose message has been settled, because an item came late or there were more
// than one mail holds, gets a further part.
func (s *Store) OpenDigests(ctx context.Context, now time.Time) (opened int, err error) {
	done := map[string]bool{}
	for _, slot := range s.allSlots() {
		due := &engine.ZRange{Key: slotKey(slot, "digdue"), Min: never, Max: ms(now), Limit: 1000}
		if err := s.eng.Read(ctx, slot, due); err != nil {
			return opened, err
		}
		for _, z := range due.Zs {
			if done[z.Member] {
				continue
			}
			done[z.Member] = true
			search, dest, _ := strings.Cut(z.Member, "|")
			made, err := s.openDigest(ctx, search, dest, fromMS(z.Score), now)
			if err != nil {
				return opened, fmt.Errorf("open the digest of search %s: %w", search, err)
			}
			if made {
				opened++
			}
		}
	}
	return opened, nil
}

func (s *Store) openDigest(ctx context.Context, search, dest string, window, now time.Time) (made bool, err error) {
	slot := s.slotOf(search)
	day := vacancy.LondonDay(window).String()
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		made = false
		ids := make([]string, maxParts)
		for i := range ids {
			ids[i] = alerts.DigestID(search, fmt.Sprintf("%s.%d", day, i+1), dest)
		}
		msgs := &engine.HMGet{Key: slotKey(slot, "msg"), Fields: ids}
		tombs := &engine.ZMScore{Key: slotKey(slot, "tomb"), Members: ids}
		if err := tx.Read(msgs, tombs); err != nil {
			return err
		}
		for i, id := range ids {
			if tombs.OK[i] {
				continue
			}
			if msgs.Vals[i] != nil {
				m, err := decodeMessage(msgs.Vals[i])
				if err != nil {
					return err
				}
				if m.Buried {
					continue // its items are its own; later ones get a part of theirs
				}
				return nil // on its way
			}
			m := alerts.Message{ID: id, Search: search, Dest: dest, Window: fmt.Sprintf("%s.%d", day, i+1), Created: now.UTC()}
			putMessage(tx, slot, &m)
			tx.ZAdd(slotKey(slot, "due"), engine.Z{Member: id, Score: ms(now)})
			made = true
			return nil
		}
		return nil
	})
	return made, err
}

// Gather returns the items that wait for a digest. What an earlier attempt of
// this message held is among them; what another message told is forgotten.
func (s *Store) Gather(ctx context.Context, c *alerts.Claim) ([]alerts.DigestItem, error) {
	name := digestName(c.Message.Search, c.Message.Dest)
	var out []alerts.DigestItem
	for _, slot := range s.allSlots() {
		peek := &engine.ZCard{Key: digestKey(slot, name)}
		if err := s.eng.Read(ctx, slot, peek); err != nil {
			return nil, err
		}
		if peek.N == 0 {
			continue
		}
		var items []alerts.DigestItem
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			items = nil
			var err error
			items, err = s.gatherSlot(tx, slot, name, c)
			return err
		})
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
	}
	return out, nil
}

// gatherLimit is how many items of one slot a digest looks at: more than one
// mail holds, so that the soonest to close are among them.
const gatherLimit = 1000

func (s *Store) gatherSlot(tx engine.Tx, slot, name string, c *alerts.Claim) ([]alerts.DigestItem, error) {
	waiting := &engine.ZRange{Key: digestKey(slot, name), Min: never, Max: forever, Limit: gatherLimit}
	if err := tx.Read(waiting); err != nil {
		return nil, err
	}
	ids := members(waiting.Zs)
	events, records, err := s.eventsWithRecords(slot, ids, tx.Read)
	if err != nil {
		return nil, err
	}
	var out []alerts.DigestItem
	for i, id := range ids {
		if events[i] == nil || records[i] == nil {
			dropDigestItem(tx, slot, name, id)
			continue
		}
		key := records[i].Vacancy.Key()
		mark := &engine.HGet{Key: toldKey(slot, key), Field: digestMark(c, events[i])}
		if err := tx.Read(mark); err != nil {
			return nil, err
		}
		if mark.OK && string(mark.Val) != c.Message.ID {
			dropDigestItem(tx, slot, name, id)
			continue
		}
		out = append(out, alerts.DigestItem{Event: *events[i], Record: *records[i], Held: mark.OK})
	}
	return out, nil
}

func dropDigestItem(tx engine.Tx, slot, name string, events ...string) {
	tx.ZRem(digestKey(slot, name), events...)
}

func digestMark(c *alerts.Claim, e *vacancy.Event) string {
	return alerts.ToldMark(c.Message.Subscriber, c.Message.Dest, e)
}

// Forget gives up items of a digest that are not to be told.
func (s *Store) Forget(ctx context.Context, c *alerts.Claim, events []string) error {
	return s.clearItems(ctx, digestName(c.Message.Search, c.Message.Dest), events)
}

func (s *Store) clearItems(ctx context.Context, name string, events []string) error {
	bySlot := map[string][]string{}
	for _, e := range events {
		slot := s.slotOf(eventVacancy(e))
		bySlot[slot] = append(bySlot[slot], e)
	}
	for slot, es := range bySlot {
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			dropDigestItem(tx, slot, name, es...)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// afterDigest clears what a settled digest told, and gives what is left to the
// next part; of a search that has ended nothing is left. It is repeated by
// whoever opens the digest again, so a crash before it leaves only work.
func (s *Store) afterDigest(ctx context.Context, m *alerts.Message, dropped, ended bool, now time.Time) error {
	name := digestName(m.Search, m.Dest)
	if dropped {
		if err := s.freeMarks(ctx, m, name); err != nil {
			return err
		}
	}
	if err := s.clearItems(ctx, name, m.Items); err != nil {
		return err
	}
	for _, slot := range s.allSlots() {
		listed := &engine.ZScore{Key: slotKey(slot, "digdue"), Member: name}
		if err := s.eng.Read(ctx, slot, listed); err != nil {
			return err
		}
		if !listed.OK {
			continue
		}
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			left := &engine.ZRange{Key: digestKey(slot, name), Min: never, Max: forever, Limit: 1}
			if err := tx.Read(left); err != nil {
				return err
			}
			if len(left.Zs) == 0 || ended {
				tx.Del(digestKey(slot, name))
				tx.ZRem(slotKey(slot, "digdue"), name)
				return nil
			}
			// Items of later windows wait for theirs, the rest of this one
			// gets its next part at once.
			tx.ZAdd(slotKey(slot, "digdue"), engine.Z{Member: name, Score: max(left.Zs[0].Score, ms(now))})
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// HoldItems marks items as told by a digest that is about to be rendered. It
// returns those that another message has told meanwhile.
func (s *Store) HoldItems(ctx context.Context, c *alerts.Claim, items []alerts.DigestItem) (taken []string, err error) {
	bySlot := map[string][]alerts.DigestItem{}
	for _, it := range items {
		slot := s.vacancySlot(it.Record.Vacancy.Key())
		bySlot[slot] = append(bySlot[slot], it)
	}
	for slot, its := range bySlot {
		var lost []string
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			lost = nil
			for i := range its {
				key := its[i].Record.Vacancy.Key()
				mark := digestMark(c, &its[i].Event)
				r := &engine.HGet{Key: toldKey(slot, key), Field: mark}
				if err := tx.Read(r); err != nil {
					return err
				}
				if r.OK && string(r.Val) != c.Message.ID {
					lost = append(lost, its[i].Event.ID())
					continue
				}
				tx.HSet(toldKey(slot, key), mark, []byte(c.Message.ID))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		taken = append(taken, lost...)
	}
	slices.Sort(taken)
	return taken, nil
}

// freeMarks lets others tell what a digest held and, being dropped, does not.
func (s *Store) freeMarks(ctx context.Context, m *alerts.Message, name string) error {
	for _, slot := range s.allSlots() {
		waiting := &engine.ZRange{Key: digestKey(slot, name), Min: never, Max: forever, Limit: gatherLimit}
		if err := s.eng.Read(ctx, slot, waiting); err != nil {
			return err
		}
		if len(waiting.Zs) == 0 {
			continue
		}
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			for _, z := range waiting.Zs {
				key, err := vacancy.ParseKey(eventVacancy(z.Member))
				if err != nil {
					continue // Unreachable: the event was made from a key.
				}
				marks := toldKey(slot, key)
				all := &engine.HScan{Key: marks, Count: 1000}
				if err := tx.Read(all); err != nil {
					return err
				}
				for _, p := range all.Pairs {
					if string(p.Val) == m.ID {
						tx.HDel(marks, p.Field)
					}
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
