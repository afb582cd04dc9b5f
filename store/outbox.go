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

// claimSlot claims in one slot. What is set aside takes nobody's place.
func (s *Store) claimSlot(ctx context.Context, slot string, channels []string, now time.Time, lease time.Duration, limit int) ([]alerts.Claim, error) {
	var all []alerts.Claim
	for {
		out, aside, err := s.claimStep(ctx, slot, channels, now, lease, limit-len(all))
		if err != nil && len(all) == 0 {
			return nil, err
		}
		// What was claimed before an error is sent; the next Claim meets it.
		if all = append(all, out...); err != nil || aside == 0 || len(all) == limit {
			return all, nil
		}
	}
}

func (s *Store) claimStep(ctx context.Context, slot string, channels []string, now time.Time, lease time.Duration, limit int) (claims []alerts.Claim, aside int, err error) {
	until := now.Add(lease)
	var out []alerts.Claim
	var damage []Damage
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		out, damage = nil, nil
		firsts, looks := heads(slot, channels, ms(now), limit)
		if err := tx.Read(looks...); err != nil {
			return err
		}
		due := earliest(firsts, limit)
		if len(due) == 0 {
			return nil
		}
		ids := members(due)
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
				setAside(tx, slot, id, nil, DamagedMessage, now)
				damage = append(damage, Damage{DamagedMessage, id})
				continue
			}
			if m == nil {
				dropDue(tx, slot, id) // Unreachable: both change in one step.
				continue
			}
			m.Doubtful = m.Doubtful || m.Claimed // an attempt of a claim that lapsed may have arrived
			body, err := unsqueeze(bodies.Vals[i])
			if err != nil {
				setAside(tx, slot, id, m, DamagedBytes, now)
				damage = append(damage, Damage{DamagedBytes, id})
				continue
			}
			m.Token++
			m.Tries++
			m.Claimed, m.Holder = true, s.holder
			putMessage(tx, slot, m)
			putDue(tx, slot, id, until)
			if len(body) == 0 {
				body = nil
			}
			if m.Event != "" {
				events, at = append(events, m.Event), append(at, len(out))
			}
			out = append(out, alerts.Claim{Message: *m, Due: fromMS(due[i].Score), At: now, Until: until, Body: body})
		}
		if len(events) == 0 {
			return nil
		}
		es, rs, faults, err := s.eventsWithRecords(slot, events, tx.Read)
		if err != nil {
			return err
		}
		for i, c := range at {
			out[c].Event, out[c].Record = es[i], rs[i]
			if faults[i] != "" {
				m := out[c].Message
				m.Tries-- // none is made
				setAside(tx, slot, m.ID, &m, faults[i], now)
				damage = append(damage, Damage{faults[i], m.ID})
				out[c].Until = time.Time{}
			}
		}
		out = slices.DeleteFunc(out, func(c alerts.Claim) bool { return c.Until.IsZero() })
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	s.tell(damage...)
	return out, len(damage), nil
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
	settled := c.Message
	if c.Message.Event == "" {
		switch {
		case how == alerts.SettleDrop:
			err = s.giveBack(ctx, c, alerts.Deferred(reason), due)
		case how == alerts.SettleBury && c.Body == nil:
			err = s.fillLetter(ctx, c)
		}
		if err != nil {
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
		settled = *m
		switch how {
		case alerts.SettleRelease:
			m.Tries--
			fallthrough
		case alerts.SettleRetry, alerts.SettleUnknown:
			m.Doubtful = m.Doubtful || how == alerts.SettleUnknown
			if how != alerts.SettleRelease {
				m.Note(now, how, reason, detail)
			}
			putMessage(tx, slot, m)
			putDue(tx, slot, m.ID, due)
		case alerts.SettleBury:
			m.Buried = true
			m.Note(now, how, reason, detail)
			putMessage(tx, slot, m)
			dropDue(tx, slot, m.ID)
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
			ended := reason == alerts.DropEnded || reason == alerts.DropComplaint
			next := now
			if reason == alerts.DropSuppressed || reason == alerts.DropPaused {
				next = due // else it would be opened and dropped again at once
			}
			_ = s.afterDigest(ctx, &settled, how == alerts.SettleDrop, ended, next)
		}
	}
	return ok, err
}

// endMessage drops a message and leaves the tombstone that keeps it from being
// queued again.
func (s *Store) endMessage(tx engine.Tx, slot string, m *alerts.Message, now time.Time) {
	tx.HDel(slotKey(slot, "msg"), m.ID)
	tx.HDel(slotKey(slot, "body"), m.ID)
	dropDue(tx, slot, m.ID)
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
	case alerts.Deferred(reason):
		name := digestName(m.Search, m.Dest)
		window := &engine.ZScore{Key: slotKey(slot, "digdue"), Member: name}
		if err := tx.Read(window); err != nil {
			return err
		}
		putDigestItem(tx, slot, name, m.Event, m.AsNew, due, window)
	case reason == alerts.DropEnded && len(m.Also) > 0:
		next := alerts.Message{ID: alerts.InstantID(m.Also[0], m.Event, m.Dest), Search: m.Also[0], Also: m.Also[1:],
			Subscriber: m.Subscriber, Dest: m.Dest, Event: m.Event, Told: m.Told, AsNew: m.AsNew, Created: m.Created}
		putMessage(tx, slot, &next)
		putDue(tx, slot, next.ID, now)
		tx.HSet(toldKey(slot, key), m.Told, []byte(next.ID))
		return nil
	}
	tx.HDel(toldKey(slot, key), m.Told)
	return nil
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
			// What cannot be read is for Claim to set aside: it must not keep the
			// program from starting.
			if m, err := decodeMessage(b); err == nil && m.Claimed && m.Holder == s.holder {
				ids = append(ids, id)
			}
			return nil
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
				m.Claimed, m.Holder, m.Doubtful = false, "", true
				m.Token++ // whoever held it holds it no more
				putMessage(tx, slot, m)
				putDue(tx, slot, id, now)
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
