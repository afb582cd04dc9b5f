package index

import (
	"hash/maphash"
	"math/bits"
	"sync/atomic"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A segment is a piece of the index that does not change, but for marks on
// searches that were removed. Its records are divided into files, those of a
// file sorted by place and cut into blocks, with a summary of each.
type segment struct {
	records []record
	number  []uint32 // of the search, by record
	blocks  []block
	wide    []block // summaries of blockSize blocks each; from means nothing
	arena   []uint32
	whole   []*vacancy.Search

	files map[fileKey]span
	bySet [32 * setWords][]setFile // of the sets of specialties with this one
	rest  span                     // of searches filed under nothing

	names   string
	ends    []uint32 // of the ids in names, by search
	table   []uint32 // search and 1, by hash of the id
	seed    maphash.Seed
	removed []atomic.Uint64 // by search
	gone    int             // how many are removed; guarded by Index.mu
}

// A span is a range of blocks. A long one has summaries of its blocks too:
// wide is the first of those, and 1.
type span struct{ from, to, wide uint32 }

// A setFile is the file of a set of specialties.
type setFile struct {
	span
	set [setWords]uint32
}

// blockSize is how many records share a summary, at most, and how many of
// those share a wide one.
const blockSize = 16

// A block is the summary of some records: no vacancy that differs from it
// meets any of them.
type block struct {
	sig                    sig
	from                   uint32 // the first record; the next block's ends it
	area                   uint16 // with anywhere
	minE, maxE, minN, maxN int16  // round all circles, see coarse
}

// A fileKey names what a search was filed under.
type fileKey struct {
	kind fileKind
	id   uint32
}

type fileKind uint32

const (
	underTerm fileKind = iota
	underEmployer
	underSet  // of specialties; id is the offset of the set in the segment's arena
	underRest // nothing that a vacancy must have
)

func (s *segment) summary(from, to int) block {
	b := emptyBlock()
	b.from = uint32(from)
	for i := from; i < to; i++ {
		r := &s.records[i]
		b.sig = b.sig.or(r.sig)
		if r.anywhere(s.arena) {
			b.area |= anywhere
		}
		b.area |= r.area & areaMask
		if r.area&pointBit == 0 {
			continue
		}
		b.circle(r.e, r.n, r.miles)
		if r.pay&morePlaces != 0 {
			for p := extraAt(s.arena, r.more).points; len(p) > 0; p = p[3:] {
				b.circle(int32(p[0]), int32(p[1]), uint8(p[2]))
			}
		}
	}
	return b
}

// emptyBlock is the summary of nothing.
func emptyBlock() block {
	return block{minE: 1<<15 - 1, minN: 1<<15 - 1, maxE: -1 << 15, maxN: -1 << 15}
}

func union(blocks []block) block {
	u := emptyBlock()
	for _, b := range blocks {
		u.sig, u.area = u.sig.or(b.sig), u.area|b.area
		u.minE, u.maxE, u.minN, u.maxN = min(u.minE, b.minE), max(u.maxE, b.maxE), min(u.minN, b.minN), max(u.maxN, b.maxN)
	}
	return u
}

func (b *block) circle(e, n int32, miles uint8) {
	r := int32(radii[miles])
	b.minE, b.maxE = min(b.minE, coarse(e-r)), max(b.maxE, coarse(e+r))
	b.minN, b.maxN = min(b.minN, coarse(n-r)), max(b.maxN, coarse(n+r))
}

// mayMeet reports whether a vacancy may meet any record of the block.
func (b *block) mayMeet(f *Reading) bool {
	if !f.accepts(b.sig) {
		return false
	}
	if b.area&(f.area&areaMask|anywhere) != 0 {
		return true
	}
	for i := range f.sites {
		s := &f.sites[i]
		if s.ke >= b.minE && s.ke <= b.maxE && s.kn >= b.minN && s.kn <= b.maxN {
			return true
		}
	}
	return false
}

// index makes the table by which a search is found by its id.
func (s *segment) index() {
	s.table = make([]uint32, len(s.ends)*4/3+1)
	for n := range s.ends {
		at := s.slot(s.id(uint32(n)))
		for s.table[at] != 0 {
			at = s.after(at)
		}
		s.table[at] = uint32(n) + 1
	}
	s.removed = make([]atomic.Uint64, len(s.ends)/64+1)
}

func (s *segment) slot(id string) int {
	high, _ := bits.Mul64(maphash.String(s.seed, id), uint64(len(s.table)))
	return int(high)
}

func (s *segment) after(slot int) int {
	if slot++; slot == len(s.table) {
		return 0
	}
	return slot
}

func (s *segment) id(search uint32) string {
	from := uint32(0)
	if search > 0 {
		from = s.ends[search-1]
	}
	return s.names[from:s.ends[search]]
}

// find returns the number of a search that is not removed.
func (s *segment) find(id string) (search uint32, ok bool) {
	for at := s.slot(id); s.table[at] != 0; at = s.after(at) {
		n := s.table[at] - 1
		if s.id(n) == id {
			return n, !s.isRemoved(n)
		}
	}
	return 0, false
}

func (s *segment) isRemoved(search uint32) bool {
	return s.removed[search/64].Load()>>(search%64)&1 != 0
}

// remove marks a search as removed, if it is here.
func (s *segment) remove(id string) bool {
	n, ok := s.find(id)
	if ok {
		s.removed[n/64].Or(1 << (n % 64))
		s.gone++
	}
	return ok
}

func (s *segment) source() source {
	return source{s.records, s.arena, s.whole,
		func(r int) string { return s.id(s.number[r]) },
		func(r int) bool { return !s.isRemoved(s.number[r]) }}
}
