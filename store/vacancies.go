package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Records returns what is remembered of the given vacancies.
func (s *Store) Records(ctx context.Context, keys []vacancy.Key) (map[vacancy.Key]vacancy.Record, error) {
	out := make(map[vacancy.Key]vacancy.Record, len(keys))
	var mu sync.Mutex
	err := s.bySlot(ctx, keys, func(slot string, keys []vacancy.Key) error {
		r := &engine.HMGet{Key: slotKey(slot, "vac"), Fields: names(keys)}
		if err := s.eng.Read(ctx, slot, r); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for i, b := range r.Vals {
			rec, err := decodeRecord(b)
			if err != nil {
				return fmt.Errorf("%s: %w", keys[i], err)
			}
			if rec != nil {
				out[keys[i]] = *rec
			}
		}
		return nil
	})
	return out, err
}

// bySlot runs f for the keys of each slot, the slots in parallel.
func (s *Store) bySlot(ctx context.Context, keys []vacancy.Key, f func(slot string, keys []vacancy.Key) error) error {
	groups := map[string][]vacancy.Key{}
	for _, k := range keys {
		slot := s.vacancySlot(k)
		groups[slot] = append(groups[slot], k)
	}
	var g errgroup.Group
	g.SetLimit(8)
	for slot, keys := range groups {
		g.Go(func() error { return f(slot, keys) })
	}
	return g.Wait()
}

func names(keys []vacancy.Key) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.String()
	}
	return out
}

// liveScore orders live vacancies by the day they close; those without a
// closing date never close by date.
func liveScore(v *vacancy.Vacancy) float64 {
	if v.Closing.IsZero() {
		return forever
	}
	return ms(v.Closing.UTC())
}

func toldKey(slot string, k vacancy.Key) string { return slotKey(slot, "told:"+k.String()) }

// Accept writes a record, its events and its messages in one atomic step, and
// with them when the vacancy was listed and when its page is to be read again.
func (s *Store) Accept(ctx context.Context, a *alerts.Acceptance) (queued int, err error) {
	slot, id := s.vacancySlot(a.Key), a.Key.String()
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		queued = 0
		epoch := &engine.HGet{Key: slotKey(slot, "epoch"), Field: a.Key.Source}
		old := &engine.HGet{Key: slotKey(slot, "vac"), Field: id}
		seq := &engine.HGet{Key: slotKey(slot, "seq"), Field: "seq"}
		seen := &engine.ZScore{Key: slotKey(slot, "seen"), Member: id}
		wish := &engine.ZScore{Key: slotKey(slot, "reread"), Member: id}
		marks := &engine.HLen{Key: toldKey(slot, a.Key)}
		if err := tx.Read(epoch, old, seq, seen, wish, marks); err != nil {
			return err
		}
		if a.Epoch != "" && string(epoch.Val) != a.Epoch {
			return errStateLost
		}
		before, err := decodeRecord(old.Val)
		if err != nil {
			return err
		}
		if before == nil && a.Revision != 0 || before != nil && before.Revision != a.Revision {
			return alerts.ErrChanged
		}
		next, err := parseSeq(seq)
		if err != nil {
			return err
		}
		rec := a.Record
		rec.Revision = a.Revision + 1
		putRecord(tx, slot, a.Key, before, &rec)
		isNext := listedBefore(seen.Score, seen.OK, a.Listed)
		if rec.Closed == "" && !a.Listed.IsZero() && isNext {
			tx.ZAdd(slotKey(slot, "seen"), engine.Z{Member: id, Score: ms(a.Listed)})
		}
		for i := range a.Events {
			next++
			a.Events[i].Seq = next
			putEvent(tx, slot, &a.Events[i])
		}
		if len(a.Events) > 0 {
			tx.HSet(slotKey(slot, "seq"), "seq", []byte(strconv.FormatUint(next, 10)))
		}
		for _, e := range a.Pending {
			tx.ZAdd(slotKey(slot, "todo"), engine.Z{Member: e, Score: ms(eventTime(a))})
		}
		q, err := s.enqueue(tx, slot, a.Key, a.Queue)
		if err != nil {
			return err
		}
		queued = q.queued
		switch {
		case rec.Closed != "": // putRecord has ended every wish
		case !a.Reread.IsZero() && (q.kept > 0 || marks.N > 0):
			tx.ZAdd(slotKey(slot, "reread"), engine.Z{Member: id, Score: ms(a.Reread)})
		case a.PageRead && wish.OK && (isNext || wish.Score <= ms(a.Listed)):
			// A sighting no later than the last one is that one, repeated after
			// its reply was lost: it would end the wish that it made itself.
			tx.ZRem(slotKey(slot, "reread"), id)
		}
		return nil
	})
	return queued, err
}

// eventTime is when the matching of an acceptance began, near enough for the
// question whether it was interrupted.
func eventTime(a *alerts.Acceptance) time.Time {
	for i := range a.Queue {
		if !a.Queue[i].Digest {
			return a.Queue[i].Due
		}
	}
	if len(a.Events) > 0 {
		return a.Events[0].At
	}
	return time.Time{}
}

func parseSeq(r *engine.HGet) (uint64, error) {
	if !r.OK {
		return 0, nil
	}
	n, err := strconv.ParseUint(string(r.Val), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the stored sequence number is damaged: %w", err)
	}
	return n, nil
}

// putRecord writes a record and the sets that order it. Before is what was
// stored of it, nil for nothing.
func putRecord(tx engine.Tx, slot string, k vacancy.Key, before, r *vacancy.Record) {
	id := k.String()
	switch {
	case r.Silent && r.Closed == "":
		tx.ZAdd(slotKey(slot, "silent"), engine.Z{Member: id, Score: silentScore(r)})
	case before != nil && before.Silent:
		tx.ZRem(slotKey(slot, "silent"), id)
	}
	tx.HSet(slotKey(slot, "vac"), id, encode(r))
	tx.HDel(slotKey(slot, "unread"), id)
	if r.Closed == "" {
		tx.ZAdd(slotKey(slot, "live"), engine.Z{Member: id, Score: liveScore(&r.Vacancy)})
		tx.ZRem(slotKey(slot, "gone"), id)
		return
	}
	tx.ZRem(slotKey(slot, "live"), id)
	tx.ZRem(slotKey(slot, "seen"), id)
	tx.ZRem(slotKey(slot, "reread"), id)
	tx.ZAdd(slotKey(slot, "gone"), engine.Z{Member: id, Score: ms(r.ClosedAt)})
}

func putEvent(tx engine.Tx, slot string, e *vacancy.Event) {
	id := e.ID()
	tx.HSet(slotKey(slot, "evt"), id, encode(e))
	tx.ZAdd(slotKey(slot, "log"), engine.Z{Member: id, Score: float64(e.Seq)})
}

// Enqueue adds messages to the outbox.
func (s *Store) Enqueue(ctx context.Context, key vacancy.Key, queue []alerts.Queued, done []string) (queued int, err error) {
	slot := s.vacancySlot(key)
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		q, err := s.enqueue(tx, slot, key, queue)
		queued = q.queued
		if err != nil {
			return err
		}
		if len(done) > 0 {
			tx.ZRem(slotKey(slot, "todo"), done...)
		}
		return nil
	})
	return queued, err
}

// enqueued is what became of some messages.
type enqueued struct {
	queued int // written now
	kept   int // written now or before: somebody is told, or will be
}

// enqueue writes the messages that are neither queued, told nor settled yet.
func (s *Store) enqueue(tx engine.Tx, slot string, key vacancy.Key, queue []alerts.Queued) (n enqueued, err error) {
	if len(queue) == 0 {
		return n, nil
	}
	ids, marks := make([]string, len(queue)), make([]string, len(queue))
	for i := range queue {
		ids[i], marks[i] = queue[i].ID, queue[i].Told
	}
	msgs := &engine.HMGet{Key: slotKey(slot, "msg"), Fields: ids}
	tombs := &engine.ZMScore{Key: slotKey(slot, "tomb"), Members: ids}
	told := &engine.HMGet{Key: toldKey(slot, key), Fields: marks}
	waiting, digests := readDigests(slot, queue)
	if err := tx.Read(append(digests, msgs, tombs, told)...); err != nil {
		return n, err
	}
	marked, listed := map[string]bool{}, map[string]bool{}
	for i := range queue {
		q := &queue[i]
		if msgs.Vals[i] != nil || told.Vals[i] != nil || marked[q.Told] {
			n.kept++
			continue
		}
		if tombs.OK[i] {
			continue // dropped: a message that was sent has left its mark
		}
		n.kept++
		if q.Digest {
			// The mark is set when the digest is rendered: until then an
			// instant alert of another search may tell it first.
			if w := waiting[i]; !w.item.OK {
				putDigestItem(tx, slot, digestName(q.Search, q.Dest), q.Event, q.AsNew, q.Due, w.window)
				n.queued++
			}
			continue
		}
		n.queued++
		marked[q.Told] = true
		m := alerts.Message{ID: q.ID, Search: q.Search, Also: q.Also, Subscriber: q.Subscriber, Dest: q.Dest,
			Event: q.Event, Told: q.Told, AsNew: q.AsNew, Created: q.Due.UTC()}
		putMessage(tx, slot, &m)
		if ch := channelOf(q.ID); !listed[ch] {
			listed[ch] = true
			putLane(tx, slot, ch)
		}
		putDue(tx, slot, q.ID, q.Due)
		tx.HSet(toldKey(slot, key), q.Told, []byte(q.ID))
	}
	return n, nil
}

// Unmatched returns events whose matching was interrupted. Those that cannot be
// read are left out and wait: see Reconcile.
func (s *Store) Unmatched(ctx context.Context, before time.Time) ([]vacancy.Event, error) {
	var out []vacancy.Event
	for _, slot := range s.allSlots() {
		todo := &engine.ZRange{Key: slotKey(slot, "todo"), Min: never, Max: ms(before), Limit: 1000}
		if err := s.eng.Read(ctx, slot, todo); err != nil {
			return nil, err
		}
		if len(todo.Zs) == 0 {
			continue
		}
		ids := members(todo.Zs)
		events, records, faults, err := s.eventsWithRecords(slot, ids, func(r ...engine.Read) error { return s.eng.Read(ctx, slot, r...) })
		if err != nil {
			return nil, err
		}
		for i := range ids {
			e, r := events[i], records[i]
			if faults[i] != "" {
				s.tellOnce(Damage{faults[i], ids[i]})
				continue
			}
			if r == nil {
				continue
			}
			if e == nil {
				// The first event of a vacancy that began in silence.
				e = &vacancy.Event{Kind: vacancy.New, Version: 1, At: r.Vacancy.FirstSeen}
			}
			e.Vacancy = r.Vacancy
			e.Vacancy.Text = r.Text
			out = append(out, *e)
		}
	}
	return out, nil
}

// eventsWithRecords reads events and the records of their vacancies, nil
// where they are gone. Faults names what of each cannot be read, "" for
// nothing: one that is damaged must not keep the others.
func (s *Store) eventsWithRecords(slot string, ids []string, read func(...engine.Read) error) (events []*vacancy.Event, records []*vacancy.Record, faults []string, err error) {
	if distinct := slices.Compact(slices.Sorted(slices.Values(ids))); len(distinct) < len(ids) {
		// One event fans out to many messages, and all of them share it.
		es, rs, fs, err := s.eventsWithRecords(slot, distinct, read)
		if err != nil {
			return nil, nil, nil, err
		}
		for _, id := range ids {
			at, _ := slices.BinarySearch(distinct, id)
			events, records, faults = append(events, es[at]), append(records, rs[at]), append(faults, fs[at])
		}
		return events, records, faults, nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = eventVacancy(id)
	}
	evt := &engine.HMGet{Key: slotKey(slot, "evt"), Fields: ids}
	vac := &engine.HMGet{Key: slotKey(slot, "vac"), Fields: keys}
	if err := read(evt, vac); err != nil {
		return nil, nil, nil, err
	}
	events, records, faults = make([]*vacancy.Event, len(ids)), make([]*vacancy.Record, len(ids)), make([]string, len(ids))
	for i := range ids {
		var bad error
		if records[i], bad = decodeRecord(vac.Vals[i]); bad != nil {
			records[i], faults[i] = nil, DamagedRecord
		}
		if evt.Vals[i] == nil {
			continue
		}
		events[i] = new(vacancy.Event)
		if decode(evt.Vals[i], events[i]) != nil {
			events[i], faults[i] = nil, DamagedEvent
		}
	}
	return events, records, faults, nil
}

// Told returns the told marks of a vacancy and their messages.
func (s *Store) Told(ctx context.Context, key vacancy.Key) (map[string]string, error) {
	slot := s.vacancySlot(key)
	out := map[string]string{}
	err := s.scan(ctx, slot, toldKey(slot, key), func(mark string, id []byte) error {
		out[mark] = string(id)
		return nil
	})
	return out, err
}

// scan calls f for every field of a hash, perhaps twice for some.
func (s *Store) scan(ctx context.Context, slot, key string, f func(field string, val []byte) error) error {
	r := &engine.HScan{Key: key, Count: 500}
	for {
		if err := s.eng.Read(ctx, slot, r); err != nil {
			return err
		}
		for _, p := range r.Pairs {
			if err := f(p.Field, p.Val); err != nil {
				return err
			}
		}
		if r.Next == "" {
			return nil
		}
		r.Cursor = r.Next
	}
}

func members(zs []engine.Z) []string {
	out := make([]string, len(zs))
	for i, z := range zs {
		out[i] = z.Member
	}
	return out
}
