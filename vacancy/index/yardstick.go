package index

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
