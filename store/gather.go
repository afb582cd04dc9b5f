package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// gatherLimit is how many items of one slot a digest looks at: more than one
// mail holds, so that the soonest to close are among them.
const gatherLimit = 1000

// Gather returns the items whose window had ended when the digest was claimed.
// What an earlier attempt of this message held is among them; what another
// message told is forgotten; what another one holds and has not told yet waits
// for the next window, for that one may still be dropped.
func (s *Store) Gather(ctx context.Context, c *alerts.Claim) ([]alerts.DigestItem, error) {
	name := digestName(c.Message.Search, c.Message.Dest)
	var out []alerts.DigestItem
	for _, slot := range s.allSlots() {
		peek := &engine.ZRange{Key: digestKey(slot, name), Min: never, Max: ms(c.At), Limit: gatherLimit}
		if err := s.eng.Read(ctx, slot, peek); err != nil {
			return nil, err
		}
		ids := s.withOwn(slot, members(peek.Zs), c)
		if len(ids) == 0 {
			continue
		}
		marks := readMarks(slot, c.Message.Subscriber, c.Message.Dest, ids)
		if err := s.eng.Read(ctx, slot, reads(marks)...); err != nil {
			return nil, err
		}
		over, err := s.settled(ctx, slot, c, marks)
		if err != nil {
			return nil, err
		}
		var items []alerts.DigestItem
		var damage []Damage
		err = s.eng.Update(ctx, slot, func(tx engine.Tx) (err error) {
			items, damage, err = s.gatherSlot(tx, slot, name, c, over)
			return err
		})
		if err != nil {
			return nil, err
		}
		s.tell(damage...)
		out = append(out, items...)
	}
	return out, nil
}

// withOwn adds to the items of a slot those that the digest took along when it
// was given up: since then they wait in no list.
func (s *Store) withOwn(slot string, ids []string, c *alerts.Claim) []string {
	for _, id := range c.Message.Items {
		if s.slotOf(eventVacancy(id)) == slot && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *Store) gatherSlot(tx engine.Tx, slot, name string, c *alerts.Claim, over map[string]bool) (out []alerts.DigestItem, damage []Damage, err error) {
	waiting := &engine.ZRange{Key: digestKey(slot, name), Min: never, Max: ms(c.At), Limit: gatherLimit}
	if err := tx.Read(waiting); err != nil {
		return nil, nil, err
	}
	ids := s.withOwn(slot, members(waiting.Zs), c)
	if len(ids) == 0 {
		return nil, nil, nil
	}
	events, records, faults, err := s.eventsWithRecords(slot, ids, tx.Read)
	if err != nil {
		return nil, nil, err
	}
	marks := readMarks(slot, c.Message.Subscriber, c.Message.Dest, ids)
	asNew := &engine.HMGet{Key: asNewKey(slot, name), Fields: ids}
	if err := tx.Read(append(reads(marks), asNew)...); err != nil {
		return nil, nil, err
	}
	for i, id := range ids {
		mark := marks[i]
		isNew := asNew.Vals[i] != nil || slices.Contains(c.Message.ItemsAsNew, id)
		if _, e := splitEvent(id); e.Kind == vacancy.ClosingSoon && records[i] != nil {
			e.Vacancy = records[i].Vacancy // no event of the log, so there is none to be read
			events[i] = &e
		}
		own := mark.OK && string(mark.Val) == c.Message.ID
		switch {
		case i >= len(waiting.Zs) && !own:
			// Its mark went to another message.
		case faults[i] != "" && (own || !mark.OK):
			l := itemLetter(c, id, mark.Field, isNew)
			putMessage(tx, slot, l)
			setAside(tx, slot, l.ID, l, faults[i], c.At)
			tx.HSet(mark.Key, mark.Field, []byte(l.ID))
			dropDigestItem(tx, slot, name, id)
			damage = append(damage, Damage{faults[i], l.ID})
		case events[i] == nil || records[i] == nil:
			dropDigestItem(tx, slot, name, id)
		case !mark.OK || string(mark.Val) == c.Message.ID:
			out = append(out, alerts.DigestItem{Event: *events[i], Record: *records[i], Held: mark.OK, AsNew: isNew})
		case over[string(mark.Val)]:
			dropDigestItem(tx, slot, name, id)
		default:
			postpone(tx, slot, name, id, c)
		}
	}
	return out, damage, nil
}

// postpone has an item wait for the next window. When the digest opens next is
// decided once this one is settled.
func postpone(tx engine.Tx, slot, name, event string, c *alerts.Claim) {
	next := c.Next
	if !next.After(c.At) {
		next = c.At.Add(time.Hour)
	}
	tx.ZAdd(digestKey(slot, name), engine.Z{Member: event, Score: ms(next)})
}

// settled returns which of the messages that hold marks are on their way no
// more. The marks are of vacancies of a slot; an instant alert lies there too,
// a digest with its search. What is settled stays so.
func (s *Store) settled(ctx context.Context, slot string, c *alerts.Claim, marks []*engine.HGet) (map[string]bool, error) {
	at := map[string][]string{} // by slot
	out := map[string]bool{}
	for _, mark := range marks {
		id := string(mark.Val)
		if !mark.OK || id == c.Message.ID || out[id] {
			continue
		}
		out[id] = true
		lies := slot
		if search, rest, _ := strings.Cut(id, "|"); alerts.IsDigestID(rest) {
			lies = s.slotOf(search)
		}
		at[lies] = append(at[lies], id)
	}
	for lies, ids := range at {
		r := &engine.HMGet{Key: slotKey(lies, "msg"), Fields: ids}
		if err := s.eng.Read(ctx, lies, r); err != nil {
			return nil, err
		}
		for i, id := range ids {
			m, err := decodeMessage(r.Vals[i])
			// What is buried or damaged keeps its items: it may be replayed.
			out[id] = err != nil || m == nil || m.Buried
		}
	}
	return out, nil
}

// passTwins returns the items of which the reader was told, or is about to be,
// under another reference of the vacancy. They are forgotten, or where the
// other message may still be dropped wait for the next window.
func (s *Store) passTwins(ctx context.Context, c *alerts.Claim, items []alerts.DigestItem) ([]string, error) {
	twins, err := s.twins(ctx, items)
	if err != nil {
		return nil, err
	}
	var passed []string
	for i := range items {
		id := items[i].Event.ID()
		told, over := false, false
		for _, twin := range twins[id] {
			slot := s.vacancySlot(twin.Vacancy.Key())
			marks := readMarks(slot, c.Message.Subscriber, c.Message.Dest, announcements(&twin))
			if err := s.eng.Read(ctx, slot, reads(marks)...); err != nil {
				return nil, err
			}
			settled, err := s.settled(ctx, slot, c, marks)
			if err != nil {
				return nil, err
			}
			for _, is := range settled {
				told, over = true, over || is
			}
		}
		if !told {
			continue
		}
		passed = append(passed, id)
		name, slot := digestName(c.Message.Search, c.Message.Dest), s.slotOf(eventVacancy(id))
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			if over {
				dropDigestItem(tx, slot, name, id)
			} else {
				postpone(tx, slot, name, id, c)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return passed, nil
}

// announcements are the events of a vacancy that may have told of it first.
func announcements(r *vacancy.Record) []string {
	const most = 20
	var out []string
	for v := 1; v <= min(r.Version, most); v++ {
		for _, kind := range []vacancy.Kind{vacancy.New, vacancy.Readvertised, vacancy.Amended, vacancy.ClosingMoved, vacancy.Reopened} {
			e := vacancy.Event{Kind: kind, Version: v, Vacancy: r.Vacancy}
			out = append(out, e.ID())
		}
	}
	return out
}

// twins returns, for each item that tells of a vacancy as new, its listings
// under other references: those that it is tied to, and those that were tied
// to it, whichever was there first.
func (s *Store) twins(ctx context.Context, items []alerts.DigestItem) (map[string][]vacancy.Record, error) {
	kin := map[string][]vacancy.Key{} // by item
	var keys []vacancy.Key
	for i := range items {
		r := &items[i].Record
		if !items[i].Announces() {
			continue
		}
		id := items[i].Event.ID()
		relatives, err := s.relatives(ctx, &r.Vacancy)
		if err != nil {
			return nil, err
		}
		if r.Link.Kind == vacancy.LinkTwin {
			relatives = append(relatives, vacancy.Key{Source: r.Vacancy.Source, Reference: r.Link.Reference})
		}
		kin[id] = relatives
		keys = append(keys, relatives...)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	records, err := s.Records(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := map[string][]vacancy.Record{}
	for i := range items {
		id, r := items[i].Event.ID(), &items[i].Record
		for _, key := range kin[id] {
			o, ok := records[key]
			if !ok || key == r.Vacancy.Key() || !areTwins(r, &o) || slices.ContainsFunc(out[id], func(have vacancy.Record) bool { return have.Vacancy.Key() == key }) {
				continue
			}
			out[id] = append(out[id], o)
		}
	}
	return out, nil
}

// areTwins reports whether one of two vacancies is tied to the other as its
// twin, or both are to a third.
func areTwins(a, b *vacancy.Record) bool {
	to := func(r *vacancy.Record) string {
		if r.Link.Kind != vacancy.LinkTwin {
			return ""
		}
		return r.Link.Reference
	}
	return to(a) == b.Vacancy.Reference || to(b) == a.Vacancy.Reference || to(a) != "" && to(a) == to(b)
}

// relatives returns the vacancies that are noted under a name of one, and may
// be tied to it, see Kin.
func (s *Store) relatives(ctx context.Context, v *vacancy.Vacancy) ([]vacancy.Key, error) {
	var out []vacancy.Key
	for _, name := range vacancy.KinNames(v) {
		slot := s.slotOf(name)
		r := &engine.HGet{Key: slotKey(slot, "kin"), Field: kinField(name)}
		if err := s.eng.Read(ctx, slot, r); err != nil {
			return nil, err
		}
		if !r.OK {
			continue
		}
		var ids []string
		if err := decode(r.Val, &ids); err != nil {
			return nil, err
		}
		for _, id := range ids {
			key, err := vacancy.ParseKey(id)
			if err != nil {
				return nil, err
			}
			if key != v.Key() && !slices.Contains(out, key) {
				out = append(out, key)
			}
		}
	}
	return out, nil
}
