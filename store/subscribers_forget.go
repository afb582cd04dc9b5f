package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/people"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Export returns all that is kept of a person.
func (p *Subscribers) Export(ctx context.Context, id string, now time.Time) (people.Export, error) {
	person, err := p.Person(ctx, id)
	if err != nil {
		return people.Export{}, err
	}
	out := people.Export{Subscriber: person}
	slot := p.s.slotOf(id)
	r := &engine.HGet{Key: slotKey(slot, "sub"), Field: id}
	if err := p.s.eng.Read(ctx, slot, r); err != nil {
		return people.Export{}, err
	}
	if !r.OK {
		return people.Export{}, people.ErrGone
	}
	var sub subscriber
	if err := decode(r.Val, &sub); err != nil {
		return people.Export{}, fmt.Errorf("subscriber %s: %w", id, err)
	}
	past := &engine.HMGet{Key: slotKey(slot, "search"), Fields: sub.Past}
	wishes := &engine.HMGet{Key: slotKey(slot, "wish"), Fields: sub.Wishes}
	if err := p.s.eng.Read(ctx, slot, past, wishes); err != nil {
		return people.Export{}, err
	}
	for _, b := range past.Vals {
		var saved savedSearch
		if b != nil && decode(b, &saved) == nil {
			out.Past = append(out.Past, people.PastSearch{Search: saved.Search, Reason: saved.Ended, EndedAt: saved.EndedAt})
		}
	}
	for _, b := range wishes.Vals {
		var w wish
		if b != nil && decode(b, &w) == nil && w.Made == "" {
			out.Waiting = append(out.Waiting, w.Search)
		}
	}
	if out.Suppressed, err = p.Suppressed(ctx, person.Address, now); err != nil {
		return people.Export{}, err
	}
	own := owned(map[string]*subscriber{id: &sub})
	for _, slot := range p.s.allSlots() {
		err := p.s.scan(ctx, slot, slotKey(slot, "msg"), func(msg string, b []byte) error {
			if m := messageOr(msg, b); own(m) {
				out.Messages = append(out.Messages, people.OwnMessage{Created: m.Created, Search: m.Search, What: strings.TrimSpace(m.Event + m.Window + m.Notice)})
			}
			return nil
		})
		if err != nil {
			return people.Export{}, err
		}
	}
	return out, nil
}

// Suppressed returns why an address gets no mail now; nil where it does.
func (p *Subscribers) Suppressed(ctx context.Context, a vacancy.Address, now time.Time) (*people.Suppressed, error) {
	s, ok, err := p.list.Suppressed(ctx, a, now)
	if err != nil || !ok {
		return nil, err
	}
	return &people.Suppressed{Reason: string(s.Reason), Since: s.Since, Until: s.Until}, nil
}

// Find returns the id of the person who has an address.
func (p *Subscribers) Find(ctx context.Context, a vacancy.Address) (id string, found bool, err error) {
	hash := p.list.ID(a).String()
	slot := p.s.slotOf(hash)
	r := &engine.HGet{Key: slotKey(slot, "subaddr"), Field: hash}
	err = p.s.eng.Read(ctx, slot, r)
	return string(r.Val), r.OK, err
}

// Erase forgets a person: the address, the searches, and what is on its way. At
// most the hash of a suppressed address is left. What the messages of the past
// left behind, ids that lead to nobody, goes by its own time. Erasing twice is
// the same as once.
func (p *Subscribers) Erase(ctx context.Context, id string, now time.Time) error {
	return p.s.forget(ctx, []string{id}, func(*subscriber) bool { return true }, now)
}

// forget forgets people, where still is true of what is stored. It strikes the
// address and all that is matched first; a crash after that is made up for by
// Prune, for the person's lifetime has ended.
func (s *Store) forget(ctx context.Context, ids []string, still func(*subscriber) bool, now time.Time) error {
	gone := map[string]*subscriber{}
	for _, id := range ids {
		sub, err := s.strike(ctx, id, still, now)
		if err != nil {
			return fmt.Errorf("forget subscriber %s: %w", id, err)
		}
		if sub != nil {
			gone[id] = sub
		}
	}
	if len(gone) == 0 {
		return nil
	}
	own := owned(gone)
	for _, slot := range s.allSlots() {
		if err := s.scrub(ctx, slot, gone, own); err != nil {
			return fmt.Errorf("take what belongs to nobody any more out of %s: %w", slot, err)
		}
	}
	for id := range gone {
		slot := s.slotOf(id)
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			tx.HDel(slotKey(slot, "sub"), id)
			tx.ZRem(slotKey(slot, "subend"), id)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// strike forgets all of a person that lies in the person's slot, and leaves
// what is needed to find the rest. It returns nil where there is nothing.
func (s *Store) strike(ctx context.Context, id string, still func(*subscriber) bool, now time.Time) (left *subscriber, err error) {
	slot := s.slotOf(id)
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		left = nil
		r := &engine.HGet{Key: slotKey(slot, "sub"), Field: id}
		if err := tx.Read(r); err != nil {
			return err
		}
		if !r.OK {
			tx.ZRem(slotKey(slot, "subend"), id)
			return nil
		}
		sub := new(subscriber)
		if err := decode(r.Val, sub); err != nil {
			return err
		}
		if sub.Erasing {
			left = sub
			return nil
		}
		if !still(sub) {
			return nil
		}
		index := &engine.HGet{Key: slotKey(slot, "subaddr"), Field: sub.Hash}
		searches := &engine.HMGet{Key: slotKey(slot, "search"), Fields: append(slices.Clone(sub.InForce), sub.Past...)}
		if err := tx.Read(index, searches); err != nil {
			return err
		}
		left = &subscriber{Subscriber: people.Subscriber{ID: id, State: people.Ended}, InForce: searches.Fields, Wishes: sub.Wishes,
			Erasing: true, Digests: sub.Digests}
		for i, b := range searches.Vals {
			var saved savedSearch
			if b == nil || decode(b, &saved) != nil {
				continue
			}
			for _, n := range saved.Search.Notify {
				left.Digests = append(left.Digests, digestName(searches.Fields[i], alerts.Dest(n)))
			}
		}
		if string(index.Val) == id {
			tx.HDel(index.Key, sub.Hash)
		}
		tx.HDel(slotKey(slot, "search"), searches.Fields...)
		tx.ZRem(slotKey(slot, "searchend"), searches.Fields...)
		tx.HDel(slotKey(slot, "wish"), sub.Wishes...)
		tx.ZRem(slotKey(slot, "wishend"), sub.Wishes...)
		dropLimits(tx, slot, []string{mailLimit(sub.Hash)})
		putSubscriber(tx, slot, left)
		tx.ZAdd(slotKey(slot, "subend"), engine.Z{Member: id, Score: ms(now)})
		return s.noteChanges(tx, slot, searches.Fields)
	})
	if left != nil {
		s.prepared.forget(left.InForce)
	}
	return left, err
}

// owned reports of a message whether it belongs to one of some people.
func owned(gone map[string]*subscriber) func(*alerts.Message) bool {
	about := map[string]bool{}
	for id, sub := range gone {
		about[id] = true
		for _, ids := range [][]string{sub.InForce, sub.Past, sub.Wishes} {
			for _, s := range ids {
				about[s] = true
			}
		}
	}
	return func(m *alerts.Message) bool {
		_, key, _ := strings.Cut(m.Dest, "#")
		return about[m.Search] || about[m.Subscriber] || about[key]
	}
}

// messageOr reads a message, or where it is damaged what its ID says.
func messageOr(id string, b []byte) *alerts.Message {
	if m, err := decodeMessage(b); err == nil && m != nil {
		return m
	}
	m, _ := alerts.ParseID(id)
	m.ID = id
	return &m
}

// scrub takes the messages of people out of a slot, with what waits for their
// digests. Whoever is sending one may yet send it, and stores nothing of it.
func (s *Store) scrub(ctx context.Context, slot string, gone map[string]*subscriber, own func(*alerts.Message) bool) error {
	var ids []string
	err := s.scan(ctx, slot, slotKey(slot, "msg"), func(id string, b []byte) error {
		if own(messageOr(id, b)) {
			ids = append(ids, id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var names []string
	for _, sub := range gone {
		names = append(names, sub.Digests...)
	}
	for part := range slices.Chunk(ids, batch) {
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			for _, id := range part {
				tx.HDel(slotKey(slot, "msg"), id)
				tx.HDel(slotKey(slot, "body"), id)
				dropDue(tx, slot, id)
				tx.ZRem(slotKey(slot, "buried"), id)
				tx.ZRem(slotKey(slot, "damaged"), id)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for part := range slices.Chunk(names, batch) {
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			for _, name := range part {
				tx.Del(digestKey(slot, name), asNewKey(slot, name))
				tx.ZRem(slotKey(slot, "digdue"), name)
				tx.HDel(slotKey(slot, "digopen"), name)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// prunePeople forgets the people whose time is over, all of them with one look
// through the outbox.
func (s *Store) prunePeople(ctx context.Context, now time.Time) error {
	var ids []string
	for _, slot := range s.allSlots() {
		over := &engine.ZRange{Key: slotKey(slot, "subend"), Min: never, Max: ms(now), Limit: batch}
		if err := s.eng.Read(ctx, slot, over); err != nil {
			return err
		}
		ids = append(ids, members(over.Zs)...)
	}
	return s.forget(ctx, ids, func(sub *subscriber) bool {
		// Whoever has confirmed since the look stays.
		return sub.State != people.Active
	}, now)
}

func dropWishes(tx engine.Tx, slot string, ids []string) {
	tx.HDel(slotKey(slot, "wish"), ids...)
	tx.ZRem(slotKey(slot, "wishend"), ids...)
}

func dropSearches(tx engine.Tx, slot string, ids []string) {
	tx.HDel(slotKey(slot, "search"), ids...)
	tx.ZRem(slotKey(slot, "searchend"), ids...)
}

// People counts the subscribers by state.
func (p *Subscribers) People(ctx context.Context) (map[people.State]int, error) {
	out := map[people.State]int{}
	for _, slot := range p.s.allSlots() {
		seen := map[string]bool{} // a scan may repeat a field
		err := p.s.scan(ctx, slot, slotKey(slot, "sub"), func(id string, b []byte) error {
			sub, err := readSubscriber(id, b)
			if err == nil && sub != nil && !seen[id] {
				out[sub.State]++
			}
			seen[id] = true
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
