package store

import (
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
)

// What is stored can be damaged: by a disk, by a hand, by another program. One
// value that cannot be read must not stand in the way of the others, nor get
// lost in silence. A message that cannot be sent for it is set aside as a
// damaged letter, with whatever is left of it, for an operator to mend.

// A Damage is one thing stored that cannot be read. It says nothing of what the
// thing holds, for that may be a mail address.
type Damage struct {
	What string // one of DamageKinds
	ID   string // of the message, or where there is none of the event
}

// What can be damaged: a closed list.
const (
	DamagedMessage = "message" // a message of the outbox
	DamagedBytes   = "bytes"   // the rendered bytes of one
	DamagedEvent   = "event"   // the event that a message tells of
	DamagedRecord  = "record"  // the vacancy of that event
)

// DamageKinds returns everything that can be damaged.
func DamageKinds() []string {
	return []string{DamagedMessage, DamagedBytes, DamagedEvent, DamagedRecord}
}

// reasonDamaged is the reason of a letter that was set aside for damage; its
// detail is the kind.
const reasonDamaged = "damaged"

// tell hands on what damage was met.
func (s *Store) tell(ds ...Damage) {
	if s.damaged == nil {
		return
	}
	for _, d := range ds {
		s.damaged(d)
	}
}

// tellOnce hands on what is met again and again, for it stays where it is.
func (s *Store) tellOnce(d Damage) {
	s.mu.Lock()
	known := s.told[d]
	if s.told == nil {
		s.told = map[Damage]bool{}
	}
	s.told[d] = true
	s.mu.Unlock()
	if !known {
		s.tell(d)
	}
}

// setAside takes a message out of its lane, to be kept for an operator; m is
// what could be read of it, nil for nothing.
func setAside(tx engine.Tx, slot, id string, m *alerts.Message, what string, now time.Time) {
	if m != nil {
		m.Claimed, m.Holder, m.Buried, m.Reason, m.Detail = false, "", true, reasonDamaged, what
		putMessage(tx, slot, m)
	}
	dropDue(tx, slot, id)
	tx.ZAdd(slotKey(slot, "damaged"), engine.Z{Member: id, Score: ms(now)})
}

// itemLetter is the letter that an item of a digest becomes which cannot be
// told with the others.
func itemLetter(c *alerts.Claim, event, mark string, asNew bool) *alerts.Message {
	d := &c.Message
	return &alerts.Message{ID: alerts.InstantID(d.Search, event, d.Dest), Search: d.Search, Subscriber: d.Subscriber,
		Dest: d.Dest, Event: event, Told: mark, AsNew: asNew, Created: c.At.UTC()}
}
