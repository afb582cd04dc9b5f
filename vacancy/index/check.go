package index

import "github.com/vacancywatch/vacancywatch/vacancy"

// A Difference is a search of which the index and the definition say
// different things.
type Difference struct {
	ID string
	// Matches is what vacancy.Matches says; the index says the contrary.
	Matches bool
	// Held is whether the index holds a search of that id at all.
	Held bool
}

// Check compares, for one vacancy, the answer of the index with that of
// vacancy.Matches over some searches, and returns where they differ. It is for
// a sample in production: 10,000 searches take some milliseconds.
//
// A search that is changed while Check runs, or that the caller knows in
// another form than the index, may differ rightly. So whoever counts
// differences asks again, with the searches as they are then, before anybody
// is woken.
func (ix *Index) Check(v *vacancy.Vacancy, today vacancy.Day, searches []*vacancy.Search) []Difference {
	met := map[string]bool{}
	ix.Match(v, today, func(id string) bool {
		met[id] = true
		return true
	})
	var out []Difference
	for _, s := range searches {
		if want := vacancy.Matches(s, v, today); want != met[s.ID] {
			out = append(out, Difference{s.ID, want, ix.Holds(s.ID)})
		}
	}
	return out
}

// Holds reports whether there is a search of that id.
func (ix *Index) Holds(id string) bool {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	_, ok := ix.find(id)
	return ok
}

// What follows is for those who measure the index against other ways of
// finding the same searches.

// A Ref is where a search stands in a segment. It is good until something is
// compacted.
type Ref struct {
	segment *segment
	record  uint32
}

// Refs calls yield with every search that stands in a segment, which after
// Compact are all, in the order in which they lie in memory.
func (ix *Index) Refs(yield func(id string, ref Ref) bool) {
	for _, s := range ix.state.Load().segments {
		for i := range s.records {
			n := s.number[i]
			if s.records[i].pay&filedAgain == 0 && !s.isRemoved(n) && !yield(s.id(n), Ref{s, uint32(i)}) {
				return
			}
		}
	}
}

// Verify tests one search in its compact form and returns its id if the
// vacancy meets it.
func (f *Reading) Verify(ref Ref) (id string, ok bool) {
	s := ref.segment
	r := &s.records[ref.record]
	if !f.accepts(r.sig) || !r.within(f, s.arena) || !s.meets(r, f) {
		return "", false
	}
	return s.id(s.number[ref.record]), true
}
