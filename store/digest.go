package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// maxParts bounds the parts of a search's digest in a day. What is left then
// waits for the next day.
const maxParts = 100

// digestName names the digest of a search at a destination.
func digestName(search, dest string) string { return search + "|" + dest }

func digestKey(slot, name string) string { return slotKey(slot, "dig:"+name) }

// putDigestItem keeps an event for the digest whose window ends at due. window
// is what the digest waits for already: a window that has ended, and is not
// opened yet, is not moved to the next day by what came after it.
func putDigestItem(tx engine.Tx, slot, name, event string, due time.Time, window *engine.ZScore) {
	tx.ZAdd(digestKey(slot, name), engine.Z{Member: event, Score: ms(due)})
	if !window.OK || ms(due) < window.Score {
		tx.ZAdd(slotKey(slot, "digdue"), engine.Z{Member: name, Score: ms(due)})
	}
}

// waiting is what a digest holds before an item is added to it.
type waiting struct{ item, window *engine.ZScore }

// readDigests returns the reads that tell, for each digest item of a queue,
// whether it waits already, and until when its digest does.
func readDigests(slot string, queue []alerts.Queued) ([]waiting, []engine.Read) {
	out := make([]waiting, len(queue))
	var reads []engine.Read
	for i := range queue {
		if q := &queue[i]; q.Digest {
			name := digestName(q.Search, q.Dest)
			out[i] = waiting{&engine.ZScore{Key: digestKey(slot, name), Member: q.Event},
				&engine.ZScore{Key: slotKey(slot, "digdue"), Member: name}}
			reads = append(reads, out[i].item, out[i].window)
		}
	}
	return out, reads
}

// OpenDigests makes a message of every digest whose window has ended, unless
// an earlier one of it is still on its way. A window whose message has been
// settled, because an item came late or there were more than one mail holds,
// gets a further part. One digest that cannot be opened does not keep the
// others.
func (s *Store) OpenDigests(ctx context.Context, now time.Time) (opened int, err error) {
	done := map[string]bool{}
	var errs []error
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
			made, err := s.openDigest(ctx, search, dest, now)
			if err != nil {
				errs = append(errs, fmt.Errorf("open the digest of search %s: %w", search, err))
			}
			if made {
				opened++
			}
		}
	}
	return opened, errors.Join(errs...)
}

// openDigest makes the next message of a digest. There is one at a time: two
// would each forget the items that the other holds.
func (s *Store) openDigest(ctx context.Context, search, dest string, now time.Time) (made bool, err error) {
	slot, name := s.slotOf(search), digestName(search, dest)
	day := vacancy.LondonDay(now).String()
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		made = false
		last := &engine.HGet{Key: slotKey(slot, "digopen"), Field: name}
		if err := tx.Read(last); err != nil {
			return err
		}
		if last.OK {
			r := &engine.HGet{Key: slotKey(slot, "msg"), Field: string(last.Val)}
			if err := tx.Read(r); err != nil {
				return err
			}
			if m, err := decodeMessage(r.Val); err != nil || m != nil && !m.Buried {
				return err // on its way
			}
		}
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
				continue // buried with its items; later ones get a part of theirs
			}
			m := alerts.Message{ID: id, Search: search, Dest: dest, Window: fmt.Sprintf("%s.%d", day, i+1), Created: now.UTC()}
			putMessage(tx, slot, &m)
			tx.HSet(slotKey(slot, "digopen"), name, []byte(id))
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
	if len(ids) == 0 {
		return nil, nil
	}
	events, records, err := s.eventsWithRecords(slot, ids, tx.Read)
	if err != nil {
		return nil, err
	}
	marks := readMarks(slot, c.Message.Subscriber, c.Message.Dest, ids)
	if err := tx.Read(reads(marks)...); err != nil {
		return nil, err
	}
	var out []alerts.DigestItem
	for i, id := range ids {
		if events[i] == nil || records[i] == nil {
			dropDigestItem(tx, slot, name, id)
			continue
		}
		mark := marks[i]
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

// readMarks returns the reads of a reader's told marks, one an event.
func readMarks(slot, subscriber, dest string, events []string) []*engine.HGet {
	out := make([]*engine.HGet, len(events))
	for i, id := range events {
		key, e := splitEvent(id)
		out[i] = &engine.HGet{Key: slotKey(slot, "told:"+key), Field: alerts.ToldMark(subscriber, dest, &e)}
	}
	return out
}

func reads(gets []*engine.HGet) []engine.Read {
	out := make([]engine.Read, len(gets))
	for i, g := range gets {
		out[i] = g
	}
	return out
}

// splitEvent takes an event's id apart: its vacancy, its kind and version.
func splitEvent(id string) (string, vacancy.Event) {
	key, rest, _ := strings.Cut(id, "|")
	kind, version, _ := strings.Cut(rest, "|")
	n, _ := strconv.Atoi(version) // the id was made of a number
	return key, vacancy.Event{Kind: vacancy.Kind(kind), Version: n}
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
// returns those that another message has told meanwhile, which are all of them
// where the claim is no longer held.
func (s *Store) HoldItems(ctx context.Context, c *alerts.Claim, items []alerts.DigestItem) (taken []string, err error) {
	bySlot := map[string][]string{}
	for i := range items {
		id := items[i].Event.ID()
		slot := s.slotOf(eventVacancy(id))
		bySlot[slot] = append(bySlot[slot], id)
	}
	// Under whose name the marks are set is stored before the first of them,
	// so that whatever becomes of the digest they can be found again.
	own, ok := s.messageSlot(&c.Message), false
	err = s.eng.Update(ctx, own, func(tx engine.Tx) error {
		var m *alerts.Message
		m, ok, err = held(tx, own, c)
		if err != nil || !ok || m.Subscriber == c.Message.Subscriber {
			return err
		}
		m.Subscriber = c.Message.Subscriber
		putMessage(tx, own, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for slot, ids := range bySlot {
		var lost []string
		if !ok {
			taken = append(taken, ids...)
			continue
		}
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			lost = nil
			marks := readMarks(slot, c.Message.Subscriber, c.Message.Dest, ids)
			if err := tx.Read(reads(marks)...); err != nil {
				return err
			}
			for i, mark := range marks {
				if mark.OK && string(mark.Val) != c.Message.ID {
					lost = append(lost, ids[i])
					continue
				}
				tx.HSet(mark.Key, mark.Field, []byte(c.Message.ID))
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

// giveBack lets others tell what a digest held and, being dropped, does not.
// It goes before the drop, and is repeated with it: after the drop nobody
// would know of the marks. What only expired waits for the next window.
func (s *Store) giveBack(ctx context.Context, c *alerts.Claim, expired bool, due time.Time) error {
	own, name := s.messageSlot(&c.Message), digestName(c.Message.Search, c.Message.Dest)
	r := &engine.HGet{Key: slotKey(own, "msg"), Field: c.Message.ID}
	if err := s.eng.Read(ctx, own, r); err != nil {
		return err
	}
	m, err := decodeMessage(r.Val)
	if err != nil || m == nil || m.Token != c.Message.Token || !m.Claimed {
		return err // another's by now, with its marks
	}
	for _, slot := range s.allSlots() {
		listed := &engine.ZRange{Key: digestKey(slot, name), Min: never, Max: forever, Limit: gatherLimit}
		if err := s.eng.Read(ctx, slot, listed); err != nil {
			return err
		}
		ids := members(listed.Zs)
		for _, id := range m.Items {
			if s.slotOf(eventVacancy(id)) == slot && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			continue
		}
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			marks := readMarks(slot, m.Subscriber, m.Dest, ids)
			window := &engine.ZScore{Key: slotKey(slot, "digdue"), Member: name}
			if err := tx.Read(append(reads(marks), window)...); err != nil {
				return err
			}
			for i, mark := range marks {
				if string(mark.Val) != m.ID {
					continue
				}
				tx.HDel(mark.Key, mark.Field)
				if expired {
					putDigestItem(tx, slot, name, ids[i], due, window)
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
