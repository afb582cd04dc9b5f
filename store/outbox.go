package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

func putMessage(tx engine.Tx, slot string, m *alerts.Message) {
	tx.HSet(slotKey(slot, "msg"), m.ID, encode(m))
}

func decodeMessage(b []byte) (*alerts.Message, error) {
	if b == nil {
		return nil, nil
	}
	m := new(alerts.Message)
	if err := decode(b, m); err != nil {
		return nil, err
	}
	return m, nil
}

// eventVacancy is the vacancy's part of an event id, source/reference.
func eventVacancy(event string) string {
	key, _, _ := strings.Cut(event, "|")
	return key
}

// messageSlot is where a message lies: an instant alert with its vacancy, a
// digest with its search.
func (s *Store) messageSlot(m *alerts.Message) string {
	if m.Event != "" {
		return s.slotOf(eventVacancy(m.Event))
	}
	return s.slotOf(m.Search)
}

// Claim hands out messages that are due. A claimed message is due again when
// its lease ends, so that nothing has to look after claims that lapsed.
func (s *Store) Claim(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]alerts.Claim, error) {
	s.mu.Lock()
	first := s.turn
	s.turn++ // so that no slot is always last
	s.mu.Unlock()
	var out []alerts.Claim
	for i := 0; i < s.slots && len(out) < limit; i++ {
		slot := slotName((first + i) % s.slots)
		due := &engine.ZRange{Key: slotKey(slot, "due"), Min: never, Max: ms(now), Limit: 1}
		err := s.eng.Read(ctx, slot, due)
		if err == nil && len(due.Zs) == 0 {
			continue
		}
		var claims []alerts.Claim
		if err == nil {
			claims, err = s.claimSlot(ctx, slot, now, lease, limit-len(out))
		}
		if err != nil {
			// What was claimed so far is sent; the next Claim meets the error.
			if len(out) > 0 {
				return out, nil
			}
			return nil, err
		}
		out = append(out, claims...)
	}
	return out, nil
}

func (s *Store) claimSlot(ctx context.Context, slot string, now time.Time, lease time.Duration, limit int) ([]alerts.Claim, error) {
	until := now.Add(lease)
	var out []alerts.Claim
	err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		out = nil
		due := &engine.ZRange{Key: slotKey(slot, "due"), Min: never, Max: ms(now), Limit: limit}
		if err := tx.Read(due); err != nil {
			return err
		}
		if len(due.Zs) == 0 {
			return nil
		}
		ids := members(due.Zs)
		msgs := &engine.HMGet{Key: slotKey(slot, "msg"), Fields: ids}
		bodies := &engine.HMGet{Key: slotKey(slot, "body"), Fields: ids}
		if err := tx.Read(msgs, bodies); err != nil {
			return err
		}
		var events []string
		var at []int // the claim that each event belongs to
		for i, id := range ids {
			m, err := decodeMessage(msgs.Vals[i])
			if err != nil {
				return fmt.Errorf("message %s: %w", id, err)
			}
			if m == nil {
				tx.ZRem(slotKey(slot, "due"), id) // Unreachable: both change in one step.
				continue
			}
			m.Token++
			m.Tries++
			m.Claimed, m.Holder = true, s.holder
			putMessage(tx, slot, m)
			tx.ZAdd(slotKey(slot, "due"), engine.Z{Member: id, Score: ms(until)})
			body, err := unsqueeze(bodies.Vals[i])
			if err != nil {
				return fmt.Errorf("message %s: %w", id, err)
			}
			if len(body) == 0 {
				body = nil
			}
			if m.Event != "" {
				events, at = append(events, m.Event), append(at, len(out))
			}
			out = append(out, alerts.Claim{Message: *m, Until: until, Body: body})
		}
		if len(events) == 0 {
			return nil
		}
		es, rs, err := s.eventsWithRecords(slot, events, tx.Read)
		if err != nil {
			return err
		}
		for i, c := range at {
			out[c].Event, out[c].Record = es[i], rs[i]
		}
		return nil
	})
	return out, err
}

// held reads the message of a claim and reports whether the claim still is
// the current one.
func held(tx engine.Tx, slot string, c *alerts.Claim) (*alerts.Message, bool, error) {
	r := &engine.HGet{Key: slotKey(slot, "msg"), Field: c.Message.ID}
	if err := tx.Read(r); err != nil {
		return nil, false, err
	}
	m, err := decodeMessage(r.Val)
	if err != nil || m == nil {
		return nil, false, err
	}
	return m, m.Token == c.Message.Token && m.Claimed, nil
}

// Keep stores the rendered bytes of a message.
func (s *Store) Keep(ctx context.Context, c *alerts.Claim, body []byte, items []string) (ok bool, err error) {
	slot := s.messageSlot(&c.Message)
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		var m *alerts.Message
		m, ok, err = held(tx, slot, c)
		if err != nil || !ok {
			return err
		}
		m.Items = items
		putMessage(tx, slot, m)
		tx.HSet(slotKey(slot, "body"), m.ID, squeeze(body))
		return nil
	})
	return ok, err
}

// Settle ends a claim.
func (s *Store) Settle(ctx context.Context, c *alerts.Claim, how alerts.Settlement, reason, detail string, now, due time.Time) (ok bool, err error) {
	slot := s.messageSlot(&c.Message)
	if how == alerts.SettleDrop && c.Message.Event == "" {
		if err := s.giveBack(ctx, c, reason == alerts.DropExpired, due); err != nil {
			return false, err
		}
	}
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		var m *alerts.Message
		m, ok, err = held(tx, slot, c)
		if err != nil || !ok {
			return err
		}
		m.Claimed, m.Holder, m.Reason, m.Detail = false, "", reason, detail
		switch how {
		case alerts.SettleRelease:
			m.Tries--
			fallthrough
		case alerts.SettleRetry, alerts.SettleUnknown:
			putMessage(tx, slot, m)
			tx.ZAdd(slotKey(slot, "due"), engine.Z{Member: m.ID, Score: ms(due)})
		case alerts.SettleBury:
			m.Buried = true
			putMessage(tx, slot, m)
			tx.ZRem(slotKey(slot, "due"), m.ID)
			tx.ZAdd(slotKey(slot, "buried"), engine.Z{Member: m.ID, Score: ms(now)})
		case alerts.SettleDone:
			s.endMessage(tx, slot, m, now)
		case alerts.SettleDrop:
			s.endMessage(tx, slot, m, now)
			if m.Event != "" {
				return s.freeMark(tx, slot, m, reason, now, due)
			}
		default:
			return fmt.Errorf("settle %s: unknown settlement %q", m.ID, how)
		}
		return nil
	})
	if err == nil && ok && c.Message.Event == "" {
		switch how {
		case alerts.SettleDone, alerts.SettleBury, alerts.SettleDrop:
			// The claim has ended, whatever becomes of this: see afterDigest.
			_ = s.afterDigest(ctx, &c.Message, how == alerts.SettleDrop, reason == alerts.DropEnded, now)
		}
	}
	return ok, err
}

// endMessage drops a message and leaves the tombstone that keeps it from being
// queued again.
func (s *Store) endMessage(tx engine.Tx, slot string, m *alerts.Message, now time.Time) {
	tx.HDel(slotKey(slot, "msg"), m.ID)
	tx.HDel(slotKey(slot, "body"), m.ID)
	tx.ZRem(slotKey(slot, "due"), m.ID)
	tx.ZAdd(slotKey(slot, "tomb"), engine.Z{Member: m.ID, Score: ms(now)})
	if m.Event == "" {
		tx.HDel(slotKey(slot, "digopen"), digestName(m.Search, m.Dest))
	}
}

// freeMark lets another message tell what this one did not. What expired
// unsent waits for the next digest of its search; what belonged to a search
// that has ended goes on under the next one that it met.
func (s *Store) freeMark(tx engine.Tx, slot string, m *alerts.Message, reason string, now, due time.Time) error {
	key, err := vacancy.ParseKey(eventVacancy(m.Event))
	if err != nil {
		return nil // Unreachable: the event was made from a key.
	}
	switch {
	case reason == alerts.DropExpired:
		name := digestName(m.Search, m.Dest)
		window := &engine.ZScore{Key: slotKey(slot, "digdue"), Member: name}
		if err := tx.Read(window); err != nil {
			return err
		}
		putDigestItem(tx, slot, name, m.Event, due, window)
	case reason == alerts.DropEnded && len(m.Also) > 0:
		next := alerts.Message{ID: alerts.InstantID(m.Also[0], m.Event, m.Dest), Search: m.Also[0], Also: m.Also[1:],
			Subscriber: m.Subscriber, Dest: m.Dest, Event: m.Event, Told: m.Told, AsNew: m.AsNew, Created: m.Created}
		putMessage(tx, slot, &next)
		tx.ZAdd(slotKey(slot, "due"), engine.Z{Member: next.ID, Score: ms(now)})
		tx.HSet(toldKey(slot, key), m.Told, []byte(next.ID))
		return nil
	}
	tx.HDel(toldKey(slot, key), m.Told)
	return nil
}

// NextDue is when the earliest message falls due, or its lease ends.
func (s *Store) NextDue(ctx context.Context) (time.Time, bool, error) {
	first := forever
	for _, slot := range s.allSlots() {
		due := &engine.ZRange{Key: slotKey(slot, "due"), Min: never, Max: forever, Limit: 1}
		if err := s.eng.Read(ctx, slot, due); err != nil {
			return time.Time{}, false, err
		}
		if len(due.Zs) > 0 {
			first = min(first, due.Zs[0].Score)
		}
	}
	if first == forever {
		return time.Time{}, false, nil
	}
	return fromMS(first), true, nil
}

// Reclaim makes due what an earlier life of this process had claimed when it
// died, instead of waiting for the leases to end. It must be called before the
// first Claim.
func (s *Store) Reclaim(ctx context.Context, now time.Time) (int, error) {
	n := 0
	if s.holder == "" {
		return 0, nil
	}
	for _, slot := range s.allSlots() {
		var ids []string
		err := s.scan(ctx, slot, slotKey(slot, "msg"), func(id string, b []byte) error {
			m, err := decodeMessage(b)
			if err == nil && m.Claimed && m.Holder == s.holder {
				ids = append(ids, id)
			}
			return err
		})
		if err != nil {
			return n, err
		}
		for _, id := range ids {
			err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
				r := &engine.HGet{Key: slotKey(slot, "msg"), Field: id}
				if err := tx.Read(r); err != nil {
					return err
				}
				m, err := decodeMessage(r.Val)
				if err != nil || m == nil || !m.Claimed || m.Holder != s.holder {
					return err
				}
				m.Claimed, m.Holder = false, ""
				m.Token++ // whoever held it holds it no more
				putMessage(tx, slot, m)
				tx.ZAdd(slotKey(slot, "due"), engine.Z{Member: id, Score: ms(now)})
				return nil
			})
			if err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}
