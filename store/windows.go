package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// maxParts bounds the parts of a search's digest in a day. What is left then
// waits for the next day.
const maxParts = 100

// windowsAtATime is how many ended windows of a slot are looked at in one pass.
const windowsAtATime = 1000

// OpenDigests makes a message of every digest whose window has ended, unless
// an earlier one of it is still on its way. A window whose message has been
// settled, because an item came late or there were more than one mail holds,
// gets a further part. Windows that were missed become one digest, which says
// so. One digest that cannot be opened does not keep the others.
func (s *Store) OpenDigests(ctx context.Context, now time.Time) (opened int, err error) {
	ended := map[string]time.Time{} // by digest: when the first of its windows did
	var names []string
	for _, slot := range s.allSlots() {
		due := &engine.ZRange{Key: slotKey(slot, "digdue"), Min: never, Max: ms(now), Limit: windowsAtATime}
		if err := s.eng.Read(ctx, slot, due); err != nil {
			return 0, err
		}
		for _, z := range due.Zs {
			end, ok := ended[z.Member]
			if !ok {
				names = append(names, z.Member)
			}
			if at := fromMS(z.Score); !ok || at.Before(end) {
				ended[z.Member] = at
			}
		}
	}
	var errs []error
	for _, name := range names {
		search, dest, _ := strings.Cut(name, "|")
		made, err := s.openDigest(ctx, search, dest, ended[name], now)
		if err != nil {
			errs = append(errs, fmt.Errorf("open the digest of search %s: %w", search, err))
		}
		if made {
			opened++
		}
	}
	return opened, errors.Join(errs...)
}

// openDigest makes the next message of a digest. There is one at a time: two
// would each forget the items that the other holds.
func (s *Store) openDigest(ctx context.Context, search, dest string, end, now time.Time) (made bool, err error) {
	slot, name := s.slotOf(search), digestName(search, dest)
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		made = false
		last := &engine.HGet{Key: slotKey(slot, "digopen"), Field: name}
		saved := &engine.HGet{Key: slotKey(slot, "search"), Field: search}
		if err := tx.Read(last, saved); err != nil {
			return err
		}
		window := alerts.Window(rhythmOf(saved, dest), now)
		if last.OK {
			r := &engine.HGet{Key: slotKey(slot, "msg"), Field: string(last.Val)}
			if err := tx.Read(r); err != nil {
				return err
			}
			// One that cannot be read is set aside when its turn comes.
			if m, err := decodeMessage(r.Val); err == nil && m != nil && !m.Buried {
				return nil // on its way
			}
		}
		ids := make([]string, maxParts)
		for i := range ids {
			ids[i] = alerts.DigestID(search, fmt.Sprintf("%s.%d", window, i+1), dest)
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
				continue // buried with its items; later ones get a part of theirs
			}
			m := alerts.Message{ID: id, Search: search, Dest: dest, Window: fmt.Sprintf("%s.%d", window, i+1), Created: now.UTC()}
			if alerts.Missed(end, now) {
				m.Missed = end.UTC()
			}
			putMessage(tx, slot, &m)
			tx.HSet(slotKey(slot, "digopen"), name, []byte(id))
			putLane(tx, slot, m.Channel())
			putDue(tx, slot, id, now)
			made = true
			return nil
		}
		return nil
	})
	return made, err
}

// rhythmOf is the rhythm in which a stored search tells a destination; "" where
// it does not, or is no more: then its digest is dropped when its turn comes.
func rhythmOf(r *engine.HGet, dest string) vacancy.Rhythm {
	var saved savedSearch
	if !r.OK || decode(r.Val, &saved) != nil {
		return ""
	}
	for _, n := range saved.Search.Notify {
		if alerts.Dest(n) == dest {
			return n.Rhythm
		}
	}
	return ""
}

// afterDigest clears what a settled digest told, and gives what is left to the
// next part; of a search that has ended nothing is left. It is repeated by
// whoever opens the digest again, so a crash before it leaves only work.
func (s *Store) afterDigest(ctx context.Context, m *alerts.Message, dropped, ended bool, now time.Time) error {
	name := digestName(m.Search, m.Dest)
	if !dropped {
		if err := s.clearItems(ctx, name, m.Items); err != nil {
			return err
		}
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
				tx.Del(digestKey(slot, name), asNewKey(slot, name))
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
