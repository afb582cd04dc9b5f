package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A LetterState is where a message of the outbox stands.
type LetterState string

// The states.
const (
	LetterDue     LetterState = "due"     // may be claimed now
	LetterWaiting LetterState = "waiting" // due later
	LetterClaimed LetterState = "claimed" // somebody is sending it
	LetterBuried  LetterState = "buried"  // given up, kept for an operator
	LetterDamaged LetterState = "damaged" // cannot be read, kept for an operator
)

// LetterStates returns every state.
func LetterStates() []LetterState {
	return []LetterState{LetterDue, LetterWaiting, LetterClaimed, LetterBuried, LetterDamaged}
}

// A Letter is a message of the outbox as an operator sees it.
type Letter struct {
	// Message is what is stored, or where that cannot be read what its ID says.
	Message  alerts.Message
	Readable bool
	State    LetterState
	// At is when it is due, when its claim ends, or when it was set aside.
	At time.Time
	// Bytes is the size of what was rendered; 0 while nothing was.
	Bytes int
}

// A LetterQuery asks for letters. Empty fields ask for all.
type LetterQuery struct {
	State   LetterState
	Channel string
	Reason  string // of the last failure
	Limit   int    // 0 for all
}

// A spot is where a message was found.
type spot struct {
	slot, id string
	state    LetterState // waiting for all that lies in a lane
	score    float64
}

// Letters returns the messages of the outbox that are asked for, the earliest
// first, and whether there are more.
func (s *Store) Letters(ctx context.Context, q LetterQuery, now time.Time) (found []Letter, more bool, err error) {
	var all []spot
	for _, slot := range s.allSlots() {
		ps, err := s.spots(ctx, slot, q)
		if err != nil {
			return nil, false, err
		}
		all = append(all, ps...)
	}
	slices.SortStableFunc(all, func(a, b spot) int { return cmp.Or(cmp.Compare(a.score, b.score), strings.Compare(a.id, b.id)) })
	for part := range slices.Chunk(all, batch) {
		letters, err := s.open(ctx, part, now)
		if err != nil {
			return nil, false, err
		}
		for _, l := range letters {
			if q.State != "" && l.State != q.State || q.Reason != "" && l.Message.Reason != q.Reason {
				continue
			}
			if q.Limit > 0 && len(found) == q.Limit {
				return found, true, nil
			}
			found = append(found, l)
		}
	}
	return found, false, nil
}

// spots returns where the messages of a slot lie that a query may mean.
func (s *Store) spots(ctx context.Context, slot string, q LetterQuery) ([]spot, error) {
	sets := map[string]LetterState{}
	if q.State == "" || q.State == LetterBuried || q.State == LetterDamaged {
		sets[slotKey(slot, "buried")], sets[slotKey(slot, "damaged")] = LetterBuried, LetterDamaged
	}
	if q.State != LetterBuried && q.State != LetterDamaged {
		channels, err := s.lanes(ctx, slot)
		if err != nil {
			return nil, err
		}
		for _, ch := range channels {
			sets[laneKey(slot, ch)] = LetterWaiting
		}
	}
	var out []spot
	for key, state := range sets {
		r := &engine.ZRange{Key: key, Min: never, Max: forever}
		if err := s.eng.Read(ctx, slot, r); err != nil {
			return nil, err
		}
		for _, z := range r.Zs {
			if q.Channel == "" || channelOf(z.Member) == q.Channel {
				out = append(out, spot{slot, z.Member, state, z.Score})
			}
		}
	}
	return out, nil
}

// open reads the letters at some places. What was settled meanwhile is left out.
func (s *Store) open(ctx context.Context, at []spot, now time.Time) ([]Letter, error) {
	bySlot := map[string][]int{}
	for i := range at {
		bySlot[at[i].slot] = append(bySlot[at[i].slot], i)
	}
	letters := make([]*Letter, len(at))
	for slot, is := range bySlot {
		msgs, bodies := &engine.HMGet{Key: slotKey(slot, "msg")}, &engine.HMGet{Key: slotKey(slot, "body")}
		for _, i := range is {
			msgs.Fields, bodies.Fields = append(msgs.Fields, at[i].id), append(bodies.Fields, at[i].id)
		}
		if err := s.eng.Read(ctx, slot, msgs, bodies); err != nil {
			return nil, err
		}
		for j, i := range is {
			if msgs.Vals[j] != nil {
				letters[i] = openLetter(at[i], msgs.Vals[j], bodies.Vals[j], now)
			}
		}
	}
	var out []Letter
	for _, l := range letters {
		if l != nil {
			out = append(out, *l)
		}
	}
	return out, nil
}

func openLetter(p spot, msg, body []byte, now time.Time) *Letter {
	l := &Letter{State: p.state, At: fromMS(p.score)}
	if m, err := decodeMessage(msg); err == nil {
		l.Message, l.Readable = *m, true
	} else {
		l.Message, _ = alerts.ParseID(p.id)
		l.Message.ID, l.Message.Reason, l.Message.Detail = p.id, reasonDamaged, DamagedMessage
	}
	if b, err := unsqueeze(body); err == nil {
		l.Bytes = len(b)
	}
	if p.state == LetterWaiting {
		switch {
		case !l.At.After(now):
			l.State = LetterDue
		case l.Message.Claimed:
			l.State = LetterClaimed
		}
	}
	return l
}

// Letter returns one message of the outbox. Where there is none, settled is
// when it was settled, and zero if that is not known. The ID may be the token
// under which the world knows the message: that of a Message-ID or webhook-id.
func (s *Store) Letter(ctx context.Context, id string, now time.Time) (l Letter, settled time.Time, found bool, err error) {
	p, settled, err := s.find(ctx, id)
	if err != nil || p == nil {
		return Letter{}, settled, false, err
	}
	ls, err := s.open(ctx, []spot{*p}, now)
	if err != nil || len(ls) == 0 {
		return Letter{}, time.Time{}, false, err
	}
	return ls[0], time.Time{}, true, nil
}

// find looks for a message, or else for its tombstone.
func (s *Store) find(ctx context.Context, id string) (at *spot, settled time.Time, err error) {
	if token := strings.TrimPrefix(id, "msg_"); !strings.Contains(id, "|") {
		for _, slot := range s.allSlots() {
			err := s.scan(ctx, slot, slotKey(slot, "msg"), func(name string, _ []byte) error {
				if channel.Token(name) == token {
					id = name
				}
				return nil
			})
			if err != nil {
				return nil, settled, err
			}
		}
	}
	m, ok := alerts.ParseID(id)
	if !ok {
		return nil, settled, nil
	}
	slot := s.messageSlot(&m)
	msg := &engine.HGet{Key: slotKey(slot, "msg"), Field: id}
	tomb := &engine.ZScore{Key: slotKey(slot, "tomb"), Member: id}
	lane := &engine.ZScore{Key: laneKey(slot, channelOf(id)), Member: id}
	old := &engine.ZScore{Key: slotKey(slot, "due"), Member: id}
	buried := &engine.ZScore{Key: slotKey(slot, "buried"), Member: id}
	damaged := &engine.ZScore{Key: slotKey(slot, "damaged"), Member: id}
	if err := s.eng.Read(ctx, slot, msg, tomb, lane, old, buried, damaged); err != nil {
		return nil, settled, err
	}
	switch {
	case !msg.OK && tomb.OK:
		return nil, fromMS(tomb.Score), nil
	case !msg.OK:
		return nil, settled, nil
	case damaged.OK:
		return &spot{slot, id, LetterDamaged, damaged.Score}, settled, nil
	case buried.OK:
		return &spot{slot, id, LetterBuried, buried.Score}, settled, nil
	case old.OK:
		return &spot{slot, id, LetterWaiting, old.Score}, settled, nil
	}
	return &spot{slot, id, LetterWaiting, lane.Score}, settled, nil
}

// fillLetter has a digest that is given up before it was rendered take its
// items along, so that its replay tells them and no other digest does. Those
// that other messages hold stay where they wait.
func (s *Store) fillLetter(ctx context.Context, c *alerts.Claim) error {
	slot := s.messageSlot(&c.Message)
	read := func(tx engine.Tx) (m *alerts.Message, err error) {
		m, ok, err := held(tx, slot, c)
		if !ok {
			m = nil
		}
		return m, err
	}
	var m *alerts.Message
	err := s.eng.Update(ctx, slot, func(tx engine.Tx) (err error) {
		m, err = read(tx)
		return err
	})
	if err != nil || m == nil {
		return err
	}
	if len(m.Items) == 0 {
		if err := s.takeItems(ctx, c); err != nil {
			return err
		}
		if err := s.eng.Update(ctx, slot, func(tx engine.Tx) (err error) { m, err = read(tx); return err }); err != nil || m == nil {
			return err
		}
	}
	own := map[string]bool{}
	bySlot := map[string][]string{}
	for _, id := range m.Items {
		at := s.slotOf(eventVacancy(id))
		bySlot[at] = append(bySlot[at], id)
	}
	for at, ids := range bySlot {
		marks := readMarks(at, m.Subscriber, m.Dest, ids)
		if err := s.eng.Read(ctx, at, reads(marks)...); err != nil {
			return err
		}
		for i := range ids {
			own[ids[i]] = string(marks[i].Val) == m.ID
		}
	}
	return s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		m, err := read(tx)
		if err != nil || m == nil {
			return err
		}
		m.Items = slices.DeleteFunc(m.Items, func(id string) bool { return !own[id] })
		putMessage(tx, slot, m)
		return nil
	})
}

// letterItems is how many items a digest takes along when it is given up: no
// more than one message tells, for the rest would be lost with it.
const letterItems = 50

// takeItems marks what waits for a digest as its own.
func (s *Store) takeItems(ctx context.Context, c *alerts.Claim) error {
	of := *c
	search, _, found, err := s.Saved(ctx, c.Message.Search)
	if err != nil || !found {
		return err
	}
	of.Message.Subscriber = search.Subscriber
	items, err := s.Gather(ctx, &of)
	if err != nil || len(items) == 0 {
		return err
	}
	slices.SortStableFunc(items, func(a, b alerts.DigestItem) int { return vacancy.ClosesBy(&a.Record.Vacancy, &b.Record.Vacancy) })
	if _, err := s.HoldItems(ctx, &of, items[:min(len(items), letterItems)]); err != nil {
		return fmt.Errorf("take the items of the digest along: %w", err)
	}
	return nil
}
