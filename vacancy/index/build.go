package index

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"slices"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy"
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
				b.names += len(src.id(ri))
				b.file(si, ri)
			}
		}
	}
	slices.SortFunc(b.filings, func(x, y filing) int {
		return cmp.Or(cmp.Compare(x.key.kind, y.key.kind), cmp.Compare(x.key.id, y.key.id), cmp.Compare(x.order, y.order),
			cmp.Compare(x.src, y.src), cmp.Compare(x.record, y.record))
	})
	b.write(live)
	b.summarise(b.filings)
	b.seg.index()
	return b.seg
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
