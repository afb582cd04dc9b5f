package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// digestName names the digest of a search at a destination.
func digestName(search, dest string) string { return search + "|" + dest }

func digestKey(slot, name string) string { return slotKey(slot, "dig:"+name) }

func asNewKey(slot, name string) string { return slotKey(slot, "dignew:"+name) }

// putDigestItem keeps an event for the digest whose window ends at due. window
// is what the digest waits for already: a window that has ended, and is not
// opened yet, is not moved to the next day by what came after it.
func putDigestItem(tx engine.Tx, slot, name, event string, asNew bool, due time.Time, window *engine.ZScore) {
	if asNew {
		tx.HSet(asNewKey(slot, name), event, []byte("1"))
	}
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

func dropDigestItem(tx engine.Tx, slot, name string, events ...string) {
	tx.ZRem(digestKey(slot, name), events...)
	tx.HDel(asNewKey(slot, name), events...)
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

// HoldItems marks items as told by a digest that is about to be rendered. It
// returns those that another message has told meanwhile, or that the reader was
// told of under another reference: all of them where the claim is no longer held.
func (s *Store) HoldItems(ctx context.Context, c *alerts.Claim, items []alerts.DigestItem) (taken []string, err error) {
	twins, err := s.passTwins(ctx, c, items)
	if err != nil {
		return nil, err
	}
	items = slices.DeleteFunc(slices.Clone(items), func(it alerts.DigestItem) bool { return slices.Contains(twins, it.Event.ID()) })
	taken = twins
	bySlot := map[string][]string{}
	for i := range items {
		id := items[i].Event.ID()
		slot := s.slotOf(eventVacancy(id))
		bySlot[slot] = append(bySlot[slot], id)
	}
	// Which marks are set, and under whose name, is stored before the first of
	// them, so that whatever becomes of the digest they can be found again.
	own, ok := s.messageSlot(&c.Message), false
	err = s.eng.Update(ctx, own, func(tx engine.Tx) error {
		var m *alerts.Message
		m, ok, err = held(tx, own, c)
		if err != nil || !ok {
			return err
		}
		m.Subscriber = c.Message.Subscriber
		m.Items, m.ItemsAsNew = nil, nil
		for i := range items {
			m.Items = append(m.Items, items[i].Event.ID())
			if items[i].AsNew {
				m.ItemsAsNew = append(m.ItemsAsNew, items[i].Event.ID())
			}
		}
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
	own := s.messageSlot(&c.Message)
	r := &engine.HGet{Key: slotKey(own, "msg"), Field: c.Message.ID}
	if err := s.eng.Read(ctx, own, r); err != nil {
		return err
	}
	m, err := decodeMessage(r.Val)
	if err != nil || m == nil || m.Token != c.Message.Token || !m.Claimed {
		return err // another's by now, with its marks
	}
	return s.giveBackItems(ctx, m, expired, due)
}

func (s *Store) giveBackItems(ctx context.Context, m *alerts.Message, expired bool, due time.Time) error {
	name := digestName(m.Search, m.Dest)
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
					putDigestItem(tx, slot, name, ids[i], slices.Contains(m.ItemsAsNew, ids[i]), due, window)
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
