package index

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"runtime"
	"slices"
	"strings"
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

// source is where a segment's builder finds searches.
type source struct {
	records []record
	arena   []uint32
	whole   []*vacancy.Search
	id      func(record int) string
	live    func(record int) bool
}

// A filing is a search on its way into a segment.
type filing struct {
	key         fileKey
	order       uint64
	src, record uint32
}

// builder puts a segment together.
type builder struct {
	seg     *segment
	sources []source
	filings []filing
	costs   *costs
	sets    map[[setWords]uint32]uint32
	names   int // length of all ids
	steps   int // for yield
	keys    []fileKey
	terms   []uint32
}

func build(sources []source, c *costs) *segment {
	b := &builder{
		seg: &segment{arena: make([]uint32, 1), files: map[fileKey]span{}, seed: maphash.MakeSeed()}, sources: sources, costs: c,
		sets: map[[setWords]uint32]uint32{},
	}
	n := 0
	for i := range sources {
		n += len(sources[i].records)
	}
	b.filings = make([]filing, 0, n+n/8)
	live := 0
	for si := range sources {
		src := &sources[si]
		for ri := range src.records {
			if src.records[ri].pay&filedAgain != 0 {
				continue
			}
			if src.live(ri) {
				live++
				b.yield()
				b.names += len(src.id(ri))
				b.file(si, ri)
			}
		}
	}
	slices.SortFunc(b.filings, func(x, y filing) int {
		b.yield()
		return cmp.Or(cmp.Compare(x.key.kind, y.key.kind), cmp.Compare(x.key.id, y.key.id), cmp.Compare(x.order, y.order),
			cmp.Compare(x.src, y.src), cmp.Compare(x.record, y.record))
	})
	b.write(live)
	b.summarise(b.filings)
	b.seg.index()
	return b.seg
}

// yield lets others go on every now and then. Where there are fewer
// processors than workers, the runtime would let a build keep one for 10 ms at
// a stretch, twenty times as long as a vacancy takes to match.
func (b *builder) yield() {
	if b.steps++; b.steps%1024 == 0 {
		runtime.Gosched()
	}
}

// file decides what a search is filed under: the cheapest of what a vacancy
// must have to meet it.
func (b *builder) file(si, ri int) {
	src := &b.sources[si]
	r := &src.records[ri]
	b.keys = append(b.keys[:0], fileKey{underRest, 0})
	best := b.restCost(r)
	if r.flags&whole != 0 {
		best = 0
	}
	if terms, cost, ok := b.keywords(r, src.arena); ok && cost < best {
		best = cost
		b.keys = b.keys[:0]
		for _, t := range terms {
			b.keys = append(b.keys, fileKey{underTerm, t})
		}
	}
	if cost, ok := b.specialties(r, src.arena); ok && cost < best {
		best = cost
		b.keys = append(b.keys[:0], fileKey{underSet, b.set(r, src.arena)})
	}
	if list, cost, ok := b.employers(r, src.arena); ok && cost < best {
		b.keys = b.keys[:0]
		for _, e := range list {
			b.keys = append(b.keys, fileKey{underEmployer, e >> 1})
		}
	}
	slices.SortFunc(b.keys, func(x, y fileKey) int { return cmp.Compare(x.id, y.id) })
	for _, k := range slices.Compact(b.keys) {
		b.filings = append(b.filings, filing{k, b.order(r, src.arena, k.kind), uint32(si), uint32(ri)})
	}
}

// restCost is the share of vacancies that look at the search where it is filed
// under nothing: there, records are sorted by band and staff group.
func (b *builder) restCost(r *record) float32 {
	cost := float32(1)
	for _, g := range closedLists().groups[:2] {
		sum := float32(0)
		for bit := g.first; bit <= g.otherBit(); bit++ {
			if r.sig.has(bit) {
				sum += b.costs.bits[bit]
			}
		}
		cost *= min(sum, 1)
	}
	return cost
}

// againCost is what every further copy of a search costs in memory, in terms
// of shares.
const againCost = .01

func (b *builder) keywords(r *record, arena []uint32) (terms []uint32, cost float32, ok bool) {
	if r.words == 0 || r.flags&unstatedKeywords != 0 {
		return nil, 0, false
	}
	b.terms = b.terms[:0]
	if r.words&farBit == 0 {
		b.terms = append(b.terms, r.words)
		return b.terms, b.costs.term(r.words), true
	}
	from, to, cost, ok, _ := b.needed(arena[r.words&^farBit:], 1)
	return b.terms[from:to], cost, ok
}

// needed returns terms one of which a text must hold to meet a program, as a
// range of b.terms; none where it may hold none.
func (b *builder) needed(program []uint32, at int) (from, to int, cost float32, ok bool, next int) {
	op, arg := program[at]&opMask, int(program[at]&^opMask)
	at++
	from = len(b.terms)
	switch op {
	case opTerm:
		b.terms = append(b.terms, uint32(arg))
		return from, len(b.terms), b.costs.term(uint32(arg)), true, at
	case opNot:
		_, _, _, _, at = b.needed(program, at)
		b.terms = b.terms[:from]
		return from, from, 0, false, at
	case opOr:
		ok = true
		for range arg {
			var c float32
			var kid bool
			_, _, c, kid, at = b.needed(program, at)
			ok = ok && kid
			cost += c + againCost
		}
		if !ok {
			b.terms = b.terms[:from]
		}
		return from, len(b.terms), cost - againCost, ok, at
	}
	to = from
	for range arg {
		f, t, c, kid, n := b.needed(program, at)
		at = n
		if kid && (!ok || c < cost) {
			copy(b.terms[from:], b.terms[f:t])
			to, cost, ok = from+t-f, c, true
		}
		b.terms = b.terms[:to]
	}
	return from, to, cost, ok, at
}

func (b *builder) specialties(r *record, arena []uint32) (cost float32, ok bool) {
	if r.spec == 0 || r.flags&unstatedSpecialty != 0 {
		return 0, false
	}
	for w, set := range specialtySet(r, arena) {
		for ; set != 0; set &= set - 1 {
			cost += b.costs.special[w*32+bits.TrailingZeros32(set)]
		}
	}
	return cost, true
}

func specialtySet(r *record, arena []uint32) (set [setWords]uint32) {
	if r.spec&farBit == 0 {
		n := r.spec - 1
		set[n/32] = 1 << (n % 32)
		return set
	}
	copy(set[:], arena[r.spec&^farBit:])
	return set
}

// set returns the offset of a search's set of specialties, each different one
// being kept once.
func (b *builder) set(r *record, arena []uint32) uint32 {
	set := specialtySet(r, arena)
	at, ok := b.sets[set]
	if !ok {
		at = uint32(len(b.seg.arena))
		b.seg.arena = append(b.seg.arena, set[:]...)
		b.sets[set] = at
	}
	return at
}

func (b *builder) employers(r *record, arena []uint32) (list []uint32, cost float32, ok bool) {
	if r.more == 0 || r.flags&(unstatedEmployer|whole) != 0 {
		return nil, 0, false
	}
	list = extraAt(arena, r.more).in
	return list, float32(len(list))*(employerShare+againCost) - againCost, len(list) > 0
}

// order is where a record stands in its file: near those that are met by the
// same vacancies.
func (b *builder) order(r *record, arena []uint32, kind fileKind) uint64 {
	place := morton(uint32(int64(r.e)+1<<20)>>12, uint32(int64(r.n)+1<<23)>>12)
	closed := b.closed(r)
	switch class := r.pay & morePlaces >> 31; {
	case r.anywhere(arena):
		return closed
	case r.area&pointBit == 0:
		return 1<<62 | uint64(r.area)<<32 | closed
	case kind == underRest:
		return 1<<63 | uint64(class)<<62 | closed>>2<<32 | place
	default:
		return 1<<63 | uint64(class)<<62 | place<<30 | closed>>2
	}
}

// anywhere reports whether points and regions of a vacancy do not tell that
// the place criterion fails.
func (r *record) anywhere(arena []uint32) bool {
	return r.area == 0 || r.flags&unstatedPlace != 0 || r.pay&morePlaces != 0 && len(extraAt(arena, r.more).areas) > 0
}

// closed is a number by which searches for the same bands and staff groups
// stand together.
func (b *builder) closed(r *record) uint64 {
	bands := uint64(r.sig.lo) & (1<<21 - 1)
	staff := (uint64(r.sig.lo) | uint64(r.sig.hi)<<32) >> closedLists().groups[1].first & (1<<11 - 1)
	return bands<<11 | staff
}

// morton mixes the bits of two numbers, so that what is near in both is mostly
// near in the result.
func morton(x, y uint32) uint64 {
	spread := func(v uint32) uint64 {
		w := uint64(v & 0xffff)
		w = (w | w<<8) & 0x00ff00ff
		w = (w | w<<4) & 0x0f0f0f0f
		w = (w | w<<2) & 0x33333333
		return (w | w<<1) & 0x55555555
	}
	return spread(x) | spread(y)<<1
}

// write puts the records down in their order, and numbers the searches in it.
func (b *builder) write(live int) {
	s := b.seg
	s.records = make([]record, 0, len(b.filings))
	s.number = make([]uint32, 0, len(b.filings))
	s.ends = make([]uint32, 0, live)
	homes := make([][]uint32, len(b.sources)) // by source and record: the record here, and 1
	for i := range b.sources {
		homes[i] = make([]uint32, len(b.sources[i].records))
	}
	var names strings.Builder
	names.Grow(b.names)
	for _, f := range b.filings {
		b.yield()
		src := &b.sources[f.src]
		if home := homes[f.src][f.record]; home != 0 {
			s.records[home-1].pay |= copied
			r := s.records[home-1]
			r.pay |= filedAgain
			s.records = append(s.records, r)
			s.number = append(s.number, s.number[home-1])
			continue
		}
		homes[f.src][f.record] = uint32(len(s.records)) + 1
		r := src.records[f.record]
		r.pay &^= copied | filedAgain
		b.move(&r, src)
		names.WriteString(src.id(int(f.record)))
		s.records = append(s.records, r)
		s.number = append(s.number, uint32(len(s.ends)))
		s.ends = append(s.ends, uint32(names.Len()))
	}
	s.names = names.String()
	s.arena = slices.Clone(s.arena) // without the room that growing left
}

// move takes along what a record has in the arena of its source.
func (b *builder) move(r *record, src *source) {
	s := b.seg
	if r.flags&whole != 0 {
		s.whole = append(s.whole, src.whole[r.more])
		r.more = uint32(len(s.whole) - 1)
		return
	}
	if r.spec&farBit != 0 {
		r.spec = b.set(r, src.arena) | farBit
	}
	if r.words&farBit != 0 {
		from := r.words &^ farBit
		program := src.arena[from : from+1+src.arena[from]]
		r.words = uint32(len(s.arena)) | farBit
		s.arena = append(s.arena, program...)
	}
	if r.more != 0 {
		list := src.arena[r.more : int(r.more)+extraAt(src.arena, r.more).words]
		r.more = uint32(len(s.arena))
		s.arena = append(s.arena, list...)
	}
}

// summarise cuts the files into blocks.
func (b *builder) summarise(filings []filing) {
	s := b.seg
	for i := 0; i < len(filings); {
		key := filings[i].key
		from := uint32(len(s.blocks))
		for i < len(filings) && filings[i].key == key {
			to := i + 1
			for to < len(filings) && to-i < blockSize && filings[to].key == key {
				to++
			}
			s.blocks = append(s.blocks, s.summary(i, to))
			i = to
		}
		at := span{from: from, to: uint32(len(s.blocks))}
		if at.to-at.from > 2*blockSize {
			at.wide = uint32(len(s.wide)) + 1
			for blocks := range slices.Chunk(s.blocks[at.from:at.to], blockSize) {
				s.wide = append(s.wide, union(blocks))
			}
		}
		switch key.kind {
		case underRest:
			s.rest = at
		case underSet:
			file := setFile{span: at}
			copy(file.set[:], s.arena[key.id:])
			for w, set := range file.set {
				for ; set != 0; set &= set - 1 {
					n := w*32 + bits.TrailingZeros32(set)
					s.bySet[n] = append(s.bySet[n], file)
				}
			}
		default:
			s.files[key] = at
		}
	}
	// Where the last block ends.
	s.wide = slices.Clone(s.wide)
	s.blocks = slices.Clone(append(s.blocks, block{from: uint32(len(s.records))}))
}

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
