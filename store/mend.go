package store

import (
	"context"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A Mending is what came of an operator's wish to replay or discard a letter.
type Mending string

// What came of it.
const (
	MendDone     Mending = "done"
	MendReworded Mending = "reworded" // replayed; its bytes could not be read, so they are made anew
	MendRebuilt  Mending = "rebuilt"  // replayed; it could not be read, and was made again from its ID
	MendUnknown  Mending = "unknown"  // there is no such message
	MendSettled  Mending = "settled"  // it was delivered or dropped
	MendClaimed  Mending = "claimed"  // somebody is sending it: nothing was changed
	MendDamaged  Mending = "damaged"  // its event or vacancy still cannot be read: nothing was changed
)

// Replay lets a message go again that was given up or set aside, or that waits:
// under the same ID, with the same bytes where they were rendered, and with its
// tries and its life begun anew. It returns its ID. Replaying twice is the same
// as once.
func (s *Store) Replay(ctx context.Context, id string, now time.Time) (string, Mending, error) {
	p, settled, err := s.find(ctx, id)
	if err != nil || p == nil {
		return id, gone(settled), err
	}
	slot, id := p.slot, p.id
	again, err := s.rebuilt(ctx, *p, now)
	if err != nil {
		return id, "", err
	}
	var how Mending
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		m, at, body, err := readLetter(tx, slot, id)
		switch {
		case err != nil:
			return err
		case at == nil:
			how = MendSettled // meanwhile
			return nil
		case m == nil:
			how = MendRebuilt
			if again != nil {
				made := *again
				m = &made
			}
		default:
			how = MendDone
		}
		if m == nil || m.Claimed && at.Score > ms(now) {
			how = MendClaimed // or it was damaged after the look: whoever asks again sees
			return nil
		}
		if m.Event != "" {
			_, _, faults, err := s.eventsWithRecords(slot, []string{m.Event}, tx.Read)
			if err != nil {
				return err
			}
			if faults[0] != "" {
				how = MendDamaged
				return nil
			}
		}
		if _, err := unsqueeze(body); err != nil {
			how = MendReworded
			tx.HDel(slotKey(slot, "body"), id)
		}
		m.Claimed, m.Holder, m.Buried, m.Reason, m.Detail = false, "", false, "", ""
		m.Tries, m.Replayed = 0, now.UTC()
		m.Token++ // whoever held it holds it no more
		putMessage(tx, slot, m)
		tx.ZRem(slotKey(slot, "buried"), id)
		tx.ZRem(slotKey(slot, "damaged"), id)
		putLane(tx, slot, m.Channel())
		putDue(tx, slot, id, now)
		return nil
	})
	return id, how, err
}

// Discard ends a message that is not to be sent, as a drop does: its tombstone
// keeps it from being queued again, and its told marks are freed. What waits in
// a digest of the same reader is then told there. What the message alone was to
// tell is given up with it, unless the next digest of its search is to have it:
// an address that takes no mail would else bury that digest, too.
func (s *Store) Discard(ctx context.Context, id string, intoDigest bool, now time.Time) (string, Mending, error) {
	p, settled, err := s.find(ctx, id)
	if err != nil || p == nil {
		return id, gone(settled), err
	}
	slot, id := p.slot, p.id
	again, err := s.rebuilt(ctx, *p, now)
	if err != nil {
		return id, "", err
	}
	seen := again
	if seen == nil {
		r := &engine.HGet{Key: slotKey(slot, "msg"), Field: id}
		if err := s.eng.Read(ctx, slot, r); err != nil {
			return id, "", err
		}
		if seen, err = decodeMessage(r.Val); err != nil || seen == nil {
			return id, MendSettled, err
		}
	}
	if seen.Claimed && p.score > ms(now) {
		return id, MendClaimed, nil
	}
	due, err := s.nextDigest(ctx, seen, now)
	if err != nil {
		return id, "", err
	}
	reason := ""
	if intoDigest {
		reason = alerts.DropExpired
	}
	if seen.Event == "" {
		// Before the end, and repeated with it, as a drop does: see giveBack.
		if err := s.giveBackItems(ctx, seen, intoDigest, due); err != nil {
			return id, "", err
		}
	}
	var how Mending
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		m, at, _, err := readLetter(tx, slot, id)
		switch {
		case err != nil:
			return err
		case at == nil:
			how = MendSettled
			return nil
		case m != nil && m.Token != seen.Token:
			how = MendClaimed // since the look
			return nil
		case m == nil:
			m = seen
		}
		how = MendDone
		s.endMessage(tx, slot, m, now)
		tx.ZRem(slotKey(slot, "buried"), id)
		tx.ZRem(slotKey(slot, "damaged"), id)
		if m.Event != "" {
			return s.freeMark(tx, slot, m, reason, now, due)
		}
		return nil
	})
	if err == nil && how == MendDone && seen.Event == "" {
		_ = s.afterDigest(ctx, seen, true, false, now) // as after Settle
	}
	return id, how, err
}

func gone(settled time.Time) Mending {
	if settled.IsZero() {
		return MendUnknown
	}
	return MendSettled
}

// readLetter reads a message inside a step: m is nil where it cannot be read,
// at where it is there no more.
func readLetter(tx engine.Tx, slot, id string) (m *alerts.Message, at *engine.ZScore, body []byte, err error) {
	msg := &engine.HGet{Key: slotKey(slot, "msg"), Field: id}
	bytes := &engine.HGet{Key: slotKey(slot, "body"), Field: id}
	at = &engine.ZScore{Key: laneKey(slot, channelOf(id)), Member: id}
	if err := tx.Read(msg, bytes, at); err != nil {
		return nil, nil, nil, err
	}
	if !msg.OK {
		return nil, nil, nil, nil
	}
	if m, err = decodeMessage(msg.Val); err != nil {
		m = nil
	}
	return m, at, bytes.Val, nil
}

// nextDigest is when the next digest of a message's search ends at its
// destination.
func (s *Store) nextDigest(ctx context.Context, m *alerts.Message, now time.Time) (time.Time, error) {
	search, _, found, err := s.Saved(ctx, m.Search)
	if err != nil || !found {
		return alerts.NextWindow(now, 8), nil // it is dropped there, as ended
	}
	for _, n := range search.Notify {
		if alerts.Dest(n) == m.Dest {
			if due, digest := alerts.When(n, now); digest {
				return due, nil
			}
		}
	}
	return alerts.NextWindow(now, 8), nil
}

// rebuilt makes a message that cannot be read again from its ID, its search and
// the told marks that it holds; nil where the message can be read. What is lost
// is when it was made, how often it was tried, which other searches it names,
// and that it was to tell of its vacancy as new.
func (s *Store) rebuilt(ctx context.Context, p spot, now time.Time) (*alerts.Message, error) {
	r := &engine.HGet{Key: slotKey(p.slot, "msg"), Field: p.id}
	if err := s.eng.Read(ctx, p.slot, r); err != nil || !r.OK {
		return nil, err
	}
	if _, err := decodeMessage(r.Val); err == nil {
		return nil, nil
	}
	m, _ := alerts.ParseID(p.id)
	m.Created, m.Doubtful = now.UTC(), true // it may have been sent
	m.Token = uint64(now.UnixMilli())       // above that of any claim
	if search, _, found, err := s.Saved(ctx, m.Search); err == nil && found {
		m.Subscriber = search.Subscriber
	}
	if m.Event != "" {
		_, e := splitEvent(m.Event)
		m.Told = alerts.ToldMark(m.Subscriber, m.Dest, &e)
		return &m, nil
	}
	items, err := s.heldBy(ctx, &m)
	m.Items = items
	return &m, err
}

// heldBy returns the events that a digest has marked as its own. It looks
// through the marks of every live vacancy, which takes a second or so for
// 15,000.
func (s *Store) heldBy(ctx context.Context, m *alerts.Message) ([]string, error) {
	var out []string
	for _, slot := range s.allSlots() {
		live := &engine.ZRange{Key: slotKey(slot, "live"), Min: never, Max: forever}
		if err := s.eng.Read(ctx, slot, live); err != nil {
			return nil, err
		}
		for _, z := range live.Zs {
			key, err := vacancy.ParseKey(z.Member)
			if err != nil {
				continue
			}
			err = s.scan(ctx, slot, toldKey(slot, key), func(mark string, id []byte) error {
				if string(id) != m.ID {
					return nil
				}
				if e, ok := alerts.MarkedEvent(mark); ok {
					out = append(out, z.Member+"|"+e)
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
