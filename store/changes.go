package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// keepChanges is how many changes of searches a slot lists, the latest one of
// each search. Whoever is further behind reads all searches anew.
const keepChanges = 10000

// noteChanges lists changes of searches, in the step that makes them. It reads
// before it writes, so it is called once in a step.
func (s *Store) noteChanges(tx engine.Tx, slot string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	r := &engine.HGet{Key: slotKey(slot, "searchrev"), Field: "rev"}
	n := &engine.ZCard{Key: slotKey(slot, "searchlog")}
	oldest := &engine.ZRange{Key: slotKey(slot, "searchlog"), Min: never, Max: forever, Limit: len(ids)}
	if err := tx.Read(r, n, oldest); err != nil {
		return err
	}
	rev, err := revision(r)
	if err != nil {
		return err
	}
	if over := min(n.N+len(ids)-s.keepChanges, len(oldest.Zs)); over > 0 {
		tx.ZRem(slotKey(slot, "searchlog"), members(oldest.Zs[:over])...)
		tx.HSet(slotKey(slot, "searchrev"), "floor", strconv.AppendUint(nil, uint64(oldest.Zs[over-1].Score), 10))
	}
	for _, id := range ids {
		rev++
		tx.ZAdd(slotKey(slot, "searchlog"), engine.Z{Member: id, Score: float64(rev)})
	}
	tx.HSet(slotKey(slot, "searchrev"), "rev", strconv.AppendUint(nil, rev, 10))
	return nil
}

func revision(r *engine.HGet) (uint64, error) {
	if !r.OK {
		return 0, nil
	}
	n, err := strconv.ParseUint(string(r.Val), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the stored number of changes to searches is damaged: %w", err)
	}
	return n, nil
}

// Changed calls each with the searches that have changed since the mark; with
// all that are in force for a nil mark.
func (s *Store) Changed(ctx context.Context, since alerts.Mark, each func(alerts.Change)) (alerts.Mark, error) {
	slots := s.allSlots()
	if since != nil && len(since) != len(slots) {
		return nil, alerts.ErrBehind
	}
	next, floor, err := s.revisions(ctx, slots)
	if err != nil {
		return nil, err
	}
	for i, slot := range slots {
		switch {
		case since == nil:
			err = s.allSearches(ctx, slot, each)
		case since[i] < floor[i], since[i] > next[i]: // too old, or of another state
			return nil, alerts.ErrBehind
		case since[i] < next[i]:
			err = s.changedSince(ctx, slot, since[i], each)
		}
		if err != nil {
			return nil, err
		}
	}
	return next, nil
}

// revisions returns how many changes there were in each slot, and how many of
// them are no longer listed. They are read before the searches: what changes
// meanwhile is read again next time.
func (s *Store) revisions(ctx context.Context, slots []string) (now, floor alerts.Mark, err error) {
	now, floor = make(alerts.Mark, len(slots)), make(alerts.Mark, len(slots))
	var g errgroup.Group
	for i, slot := range slots {
		g.Go(func() error {
			rev := &engine.HGet{Key: slotKey(slot, "searchrev"), Field: "rev"}
			low := &engine.HGet{Key: slotKey(slot, "searchrev"), Field: "floor"}
			err := s.eng.Read(ctx, slot, rev, low)
			if err == nil {
				now[i], err = revision(rev)
			}
			if err == nil {
				floor[i], err = revision(low)
			}
			return err
		})
	}
	return now, floor, g.Wait()
}

func (s *Store) allSearches(ctx context.Context, slot string, each func(alerts.Change)) error {
	return s.scan(ctx, slot, slotKey(slot, "search"), func(id string, b []byte) error {
		if c := s.change(id, b); c.Search != nil || c.Err != nil {
			each(c)
		}
		return nil
	})
}

func (s *Store) changedSince(ctx context.Context, slot string, since uint64, each func(alerts.Change)) error {
	log := &engine.ZRange{Key: slotKey(slot, "searchlog"), Min: float64(since) + 1, Max: forever}
	if err := s.eng.Read(ctx, slot, log); err != nil {
		return err
	}
	return s.look(ctx, slot, members(log.Zs), func(id string, b []byte) { each(s.change(id, b)) })
}

// look calls f with the stored form of searches of one slot, nil where there
// is none.
func (s *Store) look(ctx context.Context, slot string, ids []string, f func(id string, b []byte)) error {
	for part := range slices.Chunk(ids, searchBatch) {
		r := &engine.HMGet{Key: slotKey(slot, "search"), Fields: part}
		if err := s.eng.Read(ctx, slot, r); err != nil {
			return err
		}
		for i, id := range part {
			f(id, r.Vals[i])
		}
	}
	return nil
}

// change reads the stored form of a search.
func (s *Store) change(id string, b []byte) alerts.Change {
	c := alerts.Change{ID: id}
	c.Search, c.Err = s.prepared.read(id, b)
	return c
}

// Find returns those of the searches that are in force, in no order. One that
// cannot be read is left out: whoever takes over changes has heard of it.
func (s *Store) Find(ctx context.Context, ids []string) ([]*vacancy.Search, error) {
	bySlot := map[string][]string{}
	for _, id := range ids {
		slot := s.slotOf(id)
		bySlot[slot] = append(bySlot[slot], id)
	}
	out := make([]*vacancy.Search, 0, len(ids))
	for slot, ids := range bySlot {
		err := s.look(ctx, slot, ids, func(id string, b []byte) {
			if search, err := s.prepared.read(id, b); err == nil && search != nil {
				out = append(out, search)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Search returns an active search by its id.
func (s *Store) Search(ctx context.Context, id string) (*vacancy.Search, bool, error) {
	found, err := s.Find(ctx, []string{id})
	if err != nil || len(found) == 0 {
		return nil, false, err
	}
	return found[0], true, nil
}

// Sample returns about n searches in force: call after call goes on where the
// last one ended, so that all have their turn.
func (s *Store) Sample(ctx context.Context, n int) ([]*vacancy.Search, error) {
	s.mu.Lock()
	at := s.sample
	s.mu.Unlock()
	slots := s.allSlots()
	var out []*vacancy.Search
	// Once round at most, and where that began inside a slot, its beginning.
	for turns := 0; len(out) < n && turns <= len(slots); {
		slot := slots[at.slot%len(slots)]
		r := &engine.HScan{Key: slotKey(slot, "search"), Cursor: at.cursor, Count: min(n, 1000)}
		if err := s.eng.Read(ctx, slot, r); err != nil {
			s.mu.Lock()
			s.sample = place{} // a cursor does not outlive a failover
			s.mu.Unlock()
			return nil, err
		}
		for _, p := range r.Pairs {
			if search, err := s.prepared.read(p.Field, p.Val); err == nil && search != nil {
				out = append(out, search)
			}
		}
		if at.cursor = r.Next; at.cursor == "" {
			at.slot = (at.slot + 1) % len(slots)
			turns++
		}
	}
	s.mu.Lock()
	s.sample = at
	s.mu.Unlock()
	return out, nil
}

// place is how far Sample has come.
type place struct {
	slot   int
	cursor string
}

// preparedSearches keeps what was made of the stored form of searches. It is
// right without being told of changes: it is used only where the stored form
// is the one that it was made of.
type preparedSearches struct {
	mu sync.Mutex
	of map[string]preparedSearch
}

type preparedSearch struct {
	stored []byte
	search *vacancy.Search // nil where it has ended
	err    error
}

// keepPrepared bounds them, at some two kilobytes each.
const keepPrepared = 2048

func newPreparedSearches() *preparedSearches {
	return &preparedSearches{of: map[string]preparedSearch{}}
}

// forget drops what was made of searches that nobody may keep.
func (p *preparedSearches) forget(ids []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		delete(p.of, id)
	}
}

// read returns the search in a stored form; nil where there is none, or it has
// ended.
func (p *preparedSearches) read(id string, b []byte) (*vacancy.Search, error) {
	if b == nil {
		return nil, nil
	}
	p.mu.Lock()
	kept, ok := p.of[id]
	p.mu.Unlock()
	if ok && bytes.Equal(kept.stored, b) {
		return kept.search, kept.err
	}
	kept = preparedSearch{stored: b}
	kept.search, kept.err = prepare(id, b)
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.of[id]; !ok && len(p.of) >= keepPrepared {
		for other := range p.of { // whichever comes first
			delete(p.of, other)
			break
		}
	}
	p.of[id] = kept
	return kept.search, kept.err
}

func prepare(id string, b []byte) (*vacancy.Search, error) {
	var saved savedSearch
	if err := decode(b, &saved); err != nil {
		return nil, fmt.Errorf("search %s: %w", id, err)
	}
	if saved.Ended != "" {
		return nil, nil
	}
	if err := saved.Search.Prepare(); err != nil {
		return nil, fmt.Errorf("search %s was saved by another version and cannot be used by this one: %w", id, err)
	}
	return &saved.Search, nil
}
