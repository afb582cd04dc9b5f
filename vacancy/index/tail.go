package index

import (
	"sync/atomic"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A tail holds the searches that came in since the last segment was built. A
// vacancy looks at all of them. One goroutine at a time adds to it, holding
// Index.mu, while any number read what was published by count.
type tail struct {
	count   atomic.Uint32
	records [tailSize]record
	ids     [tailSize]string
	steps   [tailSize]uint64 // of the index, at which it came in
	terms   [tailSize]uint32 // what the dictionary held then
	arena   []uint32         // never moves: its length is given at the start
	whole   [tailSize]*vacancy.Search
	removed [tailSize / 64]atomic.Uint64
	next    atomic.Pointer[tail] // the one that was begun when this was full

	byID map[string]uint32 // of those that are not removed; guarded by Index.mu
	used int               // of arena; guarded by Index.mu
}

// tailSize is how many searches are looked at one by one, 10 to 20 µs for a
// vacancy, before they become a segment.
const tailSize = 4096

// tailArena has room for what tailSize usual searches have beside their
// record; those that hold more fill the tail sooner. One search needs at most
// mostOfOne.
const (
	tailArena = 1 << 15
	mostOfOne = 1 << 12
)

func newTail() *tail {
	return &tail{arena: make([]uint32, tailArena+mostOfOne), byID: make(map[string]uint32, tailSize), used: 1}
}

func (t *tail) full() bool { return t.count.Load() == tailSize || t.used > tailArena }

// add puts a search at the end. The tail must not be full.
func (t *tail) add(s *vacancy.Search, d *dictionary, step uint64) {
	n := t.count.Load()
	r, arena := compile(s, d, t.arena[:t.used])
	if len(arena) > len(t.arena) {
		// Unreachable while a search is held to 64 terms, 100 places and a
		// thousand employers of each kind: see sayable.
		panic("index: a search of more than its share of memory")
	}
	t.used = len(arena)
	if r.flags&whole != 0 {
		t.whole[n] = s
		r.more = n
	}
	t.records[n], t.ids[n], t.steps[n] = r, s.ID, step
	t.terms[n] = d.size()
	t.byID[s.ID] = n
	t.count.Store(n + 1)
}

// take forgets an id, and returns where its search stands.
func (t *tail) take(id string) uint32 {
	n := t.byID[id]
	delete(t.byID, id)
	return n
}

// mark marks a search as removed.
func (t *tail) mark(n uint32) { t.removed[n/64].Or(1 << (n % 64)) }

func (t *tail) isRemoved(n uint32) bool { return t.removed[n/64].Load()>>(n%64)&1 != 0 }

func (t *tail) source() source {
	return source{t.records[:t.count.Load()], t.arena, t.whole[:],
		func(r int) string { return t.ids[r] },
		func(r int) bool { return !t.isRemoved(uint32(r)) }}
}
