package index

import (
	"math/bits"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Work is what one matching took, for those who measure.
type Work struct {
	Files      int // that were looked into
	Blocks     int // of records whose summary was looked at
	Records    int // whose signature and place were looked at, those of the tail apart
	Candidates int // of Records, those whose other criteria had to be looked at too
	Matches    int
}

// A hit is a match: a record of a segment, or of a tail.
type hit struct {
	segment *segment
	tail    *tail
	search  uint32
}

func (h hit) id() string {
	if h.tail != nil {
		return h.tail.ids[h.search]
	}
	return h.segment.id(h.search)
}

func (h hit) isRemoved() bool {
	if h.tail != nil {
		return h.tail.isRemoved(h.search)
	}
	return h.segment.isRemoved(h.search)
}

// Match calls yield with the id of every search that the vacancy meets on the
// London day, each once and in no order, until yield returns false. It agrees
// with vacancy.Matches over all searches that were in the index all the time.
// Of one that is added or removed meanwhile it is open whether it is met; one
// that is changed is met if both its forms are, and not if neither is.
func (ix *Index) Match(v *vacancy.Vacancy, today vacancy.Day, yield func(id string) bool) Work {
	f := ix.readings.Get().(*Reading)
	defer ix.readings.Put(f)
	f.read(ix.dictionary, v, today)
	if ix.looks.Add(1)%learnOneIn == 0 {
		ix.shares.learn(f)
	}
	work := ix.MatchReading(f, yield)
	f.v, f.doc = nil, nil
	return work
}

// learnOneIn is how many vacancies are matched for each that is counted.
const learnOneIn = 4

// MatchReading is Match for a vacancy that was read before.
func (ix *Index) MatchReading(f *Reading, yield func(id string) bool) Work {
	f.hits, f.work = f.hits[:0], Work{}
	start := ix.step.Load()
	now := ix.state.Load()
	if ix.dictionary.size() > f.size {
		// A search has asked for new words since the vacancy was read.
		f.readTerms()
	}
	for _, s := range now.segments {
		s.match(f)
	}
	// A search that is changed is first added in its new form to the last
	// tail, then removed in its old one. So removals are looked at before the
	// tails: whoever finds the old form gone is still to find the new one.
	f.dropRemoved(0)
	for t := now.tails[0]; t != nil; t = t.next.Load() {
		t.match(f)
	}
	f.dropRepeats(start)
	f.work.Matches = len(f.hits)
	for _, h := range f.hits {
		if !yield(h.id()) {
			break
		}
	}
	// Segments must not live on in readings that wait for use.
	clear(f.hits)
	clear(f.copies)
	return f.work
}

// match appends the searches that the vacancy meets to its hits, those that
// were removed among them.
func (s *segment) match(f *Reading) {
	for _, t := range f.terms {
		if at, ok := s.files[fileKey{underTerm, t}]; ok {
			s.scan(at, f)
		}
	}
	for w, set := range f.specialties {
		for ; set != 0; set &= set - 1 {
			n := w*32 + bits.TrailingZeros32(set)
			for _, file := range s.bySet[n] {
				// Once only, where it shares several with the vacancy.
				if file.first(f) == n {
					s.scan(file.span, f)
				}
			}
		}
	}
	for i, name := range []uint32{f.employer, f.account} {
		if name == 0 || i == 1 && name == f.employer {
			continue
		}
		if at, ok := s.files[fileKey{underEmployer, name}]; ok {
			s.scan(at, f)
		}
	}
	s.scan(s.rest, f)
}

// first is the first specialty of a set that the vacancy has.
func (file *setFile) first(f *Reading) int {
	for w, set := range file.set {
		if set &= f.specialties[w]; set != 0 {
			return w*32 + bits.TrailingZeros32(set)
		}
	}
	return -1
}

// scan looks through a file.
func (s *segment) scan(at span, f *Reading) {
	f.work.Files++
	if at.wide == 0 {
		s.scanBlocks(at.from, at.to, f)
		return
	}
	for from, w := at.from, at.wide-1; from < at.to; from, w = from+blockSize, w+1 {
		f.work.Blocks++
		if s.wide[w].mayMeet(f) {
			s.scanBlocks(from, min(from+blockSize, at.to), f)
		}
	}
}

func (s *segment) scanBlocks(from, to uint32, f *Reading) {
	f.work.Blocks += int(to - from)
	for b := from; b < to; b++ {
		if s.blocks[b].mayMeet(f) {
			s.scanRecords(s.blocks[b].from, s.blocks[b+1].from, f)
		}
	}
}

func (s *segment) scanRecords(from, to uint32, f *Reading) {
	f.work.Records += int(to - from)
	for i := from; i < to; i++ {
		r := &s.records[i]
		if !f.accepts(r.sig) || !r.within(f, s.arena) {
			continue
		}
		f.work.Candidates++
		if !s.meets(r, f) {
			continue
		}
		h := hit{segment: s, search: s.number[i]}
		if r.pay&copied != 0 {
			if _, again := f.copies[h]; again {
				continue
			}
			f.copies[h] = struct{}{}
		}
		f.hits = append(f.hits, h)
	}
}

func (s *segment) meets(r *record, f *Reading) bool {
	if r.flags&whole != 0 {
		return vacancy.Matches(s.whole[r.more], f.v, f.today)
	}
	return r.verify(f, s.arena)
}

// match appends the searches of a tail that the vacancy meets.
func (t *tail) match(f *Reading) {
	for from := uint32(0); ; {
		to := t.count.Load()
		if from == to {
			return
		}
		first := len(f.hits)
		for i := from; i < to; i++ {
			r := &t.records[i]
			if t.terms[i] > f.size {
				// It came in after the vacancy was read, and may ask for
				// words that nobody asked for then.
				f.readTerms()
			}
			if !f.accepts(r.sig) || !r.within(f, t.arena) {
				continue
			}
			if r.flags&whole != 0 {
				if !vacancy.Matches(t.whole[i], f.v, f.today) {
					continue
				}
			} else if !r.verify(f, t.arena) {
				continue
			}
			f.hits = append(f.hits, hit{tail: t, search: i})
		}
		f.dropRemoved(first)
		from = to // and once more, for what replaced those
	}
}

// dropRepeats leaves one of several forms of a search: where it came in or was
// changed since the matching began, an old form may not have been removed yet
// when that was looked at.
func (f *Reading) dropRepeats(start uint64) {
	kept := f.hits[:0]
	for _, h := range f.hits {
		if h.tail != nil && h.tail.steps[h.search] >= start && isAmong(h.id(), kept) {
			continue
		}
		kept = append(kept, h)
	}
	f.hits = kept
}

func isAmong(id string, hits []hit) bool {
	for _, h := range hits {
		if h.id() == id {
			return true
		}
	}
	return false
}

// dropRemoved leaves out hits from a number on that were removed.
func (f *Reading) dropRemoved(from int) {
	kept := f.hits[:from]
	for _, h := range f.hits[from:] {
		if !h.isRemoved() {
			kept = append(kept, h)
		}
	}
	f.hits = kept
}
