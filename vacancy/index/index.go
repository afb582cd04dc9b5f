// Package index answers which of many saved searches a vacancy meets, without
// asking each of them. What a match is stays decided by vacancy.Matches; the
// index gives the same answers, some thousand times as fast at a million
// searches, and can be asked to prove it (see Check).
//
// It holds a search in some 80 bytes, its id included, and keeps no reference
// to it, but where a search asks for what the compact form cannot say; that
// one is kept and asked as it is. The index knows nothing of kinds of event,
// of who is told, or of where searches are stored, and starts no goroutine.
//
// How it works:
//
//   - A search becomes a record of 36 bytes (record.go, compile.go): a
//     signature with a bit for every value of a closed list that it accepts,
//     "not stated" among them; circles; numbers for the rest. A vacancy is
//     read into the same numbers once (reading.go, terms.go).
//   - A record is filed once under something that a vacancy must have to meet
//     it: the rarest word, phrase, set of specialties or employer, or nothing
//     (build.go, segment.go, shares.go). Within a file, records stand by place, in
//     blocks of 16 with a summary: the union of signatures and the rectangle
//     round all circles. A vacancy opens the files that it fires, skips most
//     blocks by their summary, and verifies what is left (match.go).
//   - Files do not change. New searches stand in a tail that every vacancy
//     looks through (tail.go); Compact merges tails into segments of growing
//     size (merge.go). A removal is a mark. Matching takes no lock that
//     anything slow holds.
package index

import (
	"sync"
	"sync/atomic"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// An Index holds searches by their ids. All methods may be called at any time
// from any goroutine.
type Index struct {
	dictionary *dictionary
	shares     shares
	readings   sync.Pool // of *Reading

	state atomic.Pointer[state]
	step  atomic.Uint64 // counts additions
	looks atomic.Uint64 // counts vacancies

	mu      sync.Mutex // held while searches are added and removed
	size    int
	merging bool
	carry   []removal // removals during a merge
	due     chan struct{}

	compact sync.Mutex // held while segments are merged
}

// state is what there is to look through. It is replaced, never changed.
type state struct {
	segments []*segment // the largest first
	tails    []*tail    // the last one is open
}

// A removal is a search that was removed from a segment or a tail.
type removal struct {
	from any
	id   string
}

// New returns an empty index.
func New() *Index {
	ix := &Index{dictionary: newDictionary(), due: make(chan struct{}, 1)}
	ix.readings.New = func() any { return &Reading{copies: map[hit]struct{}{}} }
	ix.state.Store(&state{tails: []*tail{newTail()}})
	return ix
}

// Add adds a search, which must be prepared (see vacancy.Search.Prepare) and
// must not be changed afterwards. It takes the place of one with the same id.
func (ix *Index) Add(s *vacancy.Search) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	open := ix.open()
	where, old := ix.find(s.ID)
	inTail, _ := where.(*tail)
	var was uint32
	if inTail != nil {
		was = inTail.take(s.ID)
	}
	// The new form before the old one goes: see MatchReading.
	open.add(s, ix.dictionary, ix.step.Add(1))
	switch where := where.(type) {
	case *tail:
		where.mark(was)
	case *segment:
		where.remove(s.ID)
	}
	if !old {
		ix.size++
		return
	}
	ix.note(where, s.ID)
}

// open returns the tail that takes searches.
func (ix *Index) open() *tail {
	now := ix.state.Load()
	last := now.tails[len(now.tails)-1]
	if !last.full() {
		return last
	}
	next := newTail()
	// Known to whoever matches already before anything stands in it.
	last.next.Store(next)
	ix.state.Store(&state{now.segments, append(now.tails[:len(now.tails):len(now.tails)], next)})
	select {
	case ix.due <- struct{}{}:
	default:
	}
	return next
}

// find returns the segment or tail that holds a search.
func (ix *Index) find(id string) (any, bool) {
	now := ix.state.Load()
	for _, t := range now.tails {
		if _, ok := t.byID[id]; ok {
			return t, true
		}
	}
	for _, s := range now.segments {
		if _, ok := s.find(id); ok {
			return s, true
		}
	}
	return nil, false
}

// Remove removes the search of an id, and reports whether there was one.
func (ix *Index) Remove(id string) bool {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	where, ok := ix.find(id)
	if !ok {
		return false
	}
	switch where := where.(type) {
	case *tail:
		where.mark(where.take(id))
	case *segment:
		where.remove(id)
	}
	ix.note(where, id)
	ix.size--
	return true
}

// note keeps a removal for the segment that is being built from where it was.
func (ix *Index) note(where any, id string) {
	if ix.merging {
		ix.carry = append(ix.carry, removal{where, id})
	}
}

// Len is how many searches there are.
func (ix *Index) Len() int {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return ix.size
}

// Learn counts the words, specialties, bands and staff groups of a vacancy, as
// Match does with one in four. What is built after some hundred of them is
// fast; without any, answers are the same and slower.
func (ix *Index) Learn(v *vacancy.Vacancy, today vacancy.Day) {
	f := ix.readings.Get().(*Reading)
	defer ix.readings.Put(f)
	f.read(ix.dictionary, v, today)
	ix.shares.learn(f)
	f.v, f.doc = nil, nil
}
