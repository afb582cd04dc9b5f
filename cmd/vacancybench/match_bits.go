package main

import (
	"fmt"
	"math/bits"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/index"
	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// bitSets is the usual way to find stored queries, done well: for each value
// of each criterion the set of searches that accept it, as a plane of bits
// where it is large and a list where it is not. A vacancy joins the sets of its
// values within a criterion, meets those of all criteria, and verifies what is
// left. It is built once and does not change.
type bitSets struct {
	refs   []index.Ref
	planes map[string][]uint64
	lists  map[string][]uint32

	either [][]uint64 // one a criterion; scratch
	dirty  []uint32   // words of either that lists have set
}

// bitCell is the side of a map cell in metres.
const bitCell = 16_000

func newBitSets() *bitSets {
	return &bitSets{planes: map[string][]uint64{}, lists: map[string][]uint32{}}
}

func (b *bitSets) add(s *vacancy.Search, ref index.Ref) {
	n := uint32(len(b.refs))
	b.refs = append(b.refs, ref)
	set := func(key string) {
		if l := b.lists[key]; len(l) == 0 || l[len(l)-1] != n {
			b.lists[key] = append(l, n)
		}
	}
	criterion := func(name string, wanted []string, unstated bool) {
		if len(wanted) == 0 {
			set(name)
		}
		for _, w := range wanted {
			set(name + ":" + w)
		}
		if flipped, ok := s.Unstated[name]; ok {
			unstated = flipped
		}
		if unstated && len(wanted) > 0 {
			set(name + ":")
		}
	}
	criterion("band", s.Bands, false)
	criterion("staff_group", s.StaffGroups, true)
	criterion("specialty", s.Specialties, false)
	criterion("contract", s.Contracts, true)
	criterion("working_pattern", s.Patterns, true)
	var sponsorship []string
	if s.Sponsorship {
		sponsorship = []string{vacancy.Offered}
	}
	criterion("sponsorship", sponsorship, false)
	var keys []string
	if s.Query() != nil {
		keys = bitWords(s.Query().Root())
	}
	criterion("keywords", keys, false)
	places := len(s.Places) == 0
	for _, p := range s.Places {
		places = places || p.Area != "" || p.Remote
	}
	if places || s.Unstated["place"] {
		set("place")
		return
	}
	for _, p := range s.Places {
		if p.Region != "" {
			set("place:" + p.Region)
			continue
		}
		e, n := gazetteer.Point{Lat: p.Lat, Lon: p.Lon}.Project()
		r := gazetteer.Radius(p.Miles)
		for x := (e - r) / bitCell; x <= (e+r)/bitCell; x++ {
			for y := (n - r) / bitCell; y <= (n+r)/bitCell; y++ {
				set(bitCellKey(x, y))
			}
		}
	}
}

func bitCellKey(x, y int64) string { return fmt.Sprintf("place:%d,%d", x, y) }

// bitWords returns words one of which a text must hold; none where it need not.
func bitWords(n *words.Node) []string {
	switch n.Op {
	case words.Term:
		return n.Words[:1]
	case words.And:
		for _, k := range n.Kids {
			if w := bitWords(k); len(w) > 0 {
				return w
			}
		}
	case words.Or:
		var all []string
		for _, k := range n.Kids {
			w := bitWords(k)
			if len(w) == 0 {
				return nil
			}
			all = append(all, w...)
		}
		return all
	}
	return nil
}

// finish turns the long lists into planes.
func (b *bitSets) finish() {
	for key, list := range b.lists {
		if len(list)*32 < len(b.refs) {
			continue
		}
		p := make([]uint64, len(b.refs)/64+1)
		for _, n := range list {
			p[n/64] |= 1 << (n % 64)
		}
		b.planes[key] = p
		delete(b.lists, key)
	}
}

// keys returns, for each criterion, the sets whose searches may accept it.
func (b *bitSets) keys(v *vacancy.Vacancy) [][]string {
	one := func(name string, values ...string) []string {
		keys := []string{name}
		for _, v := range values {
			keys = append(keys, name+":"+v)
		}
		if len(values) == 0 {
			keys = append(keys, name+":")
		}
		return keys
	}
	bands := v.AllBands()
	var specialties []string
	for _, s := range v.Specialties {
		specialties = append(specialties, s.ID)
	}
	text := []string{"keywords"}
	for w := range v.Doc().Words {
		text = append(text, "keywords:"+w)
	}
	places := []string{"place"}
	for _, l := range v.Locations {
		places = append(places, "place:"+l.Region)
	}
	for _, p := range v.Points() {
		e, n := p.Project()
		places = append(places, bitCellKey(e/bitCell, n/bitCell))
	}
	contract := one("contract")
	if v.Contract != "" {
		contract = one("contract", v.Contract)
	}
	staff := one("staff_group")
	if v.StaffGroup != "" {
		staff = one("staff_group", v.StaffGroup)
	}
	return [][]string{places, one("band", bands...), one("specialty", specialties...), text, staff, contract,
		one("working_pattern", v.WorkingPatterns...), one("sponsorship", v.Sponsorship)}
}

// match verifies those whose bit is set in every criterion.
func (b *bitSets) match(f *index.Reading, keys [][]string, yield func(id string)) (candidates int) {
	planes := make([][][]uint64, len(keys))
	for len(b.either) < len(keys) {
		b.either = append(b.either, make([]uint64, len(b.refs)/64+1))
	}
	for i, names := range keys {
		for _, name := range names {
			if p, ok := b.planes[name]; ok {
				planes[i] = append(planes[i], p)
			}
			for _, n := range b.lists[name] {
				b.either[i][n/64] |= 1 << (n % 64)
				b.dirty = append(b.dirty, n/64)
			}
		}
	}
	for w := range len(b.refs)/64 + 1 {
		left := ^uint64(0)
		for i := range planes {
			any := b.either[i][w]
			for _, p := range planes[i] {
				any |= p[w]
			}
			if left &= any; left == 0 {
				break
			}
		}
		for ; left != 0; left &= left - 1 {
			n := w*64 + bits.TrailingZeros64(left)
			if n >= len(b.refs) {
				break
			}
			candidates++
			if id, ok := f.Verify(b.refs[n]); ok {
				yield(id)
			}
		}
	}
	for _, w := range b.dirty {
		for i := range keys {
			b.either[i][w] = 0
		}
	}
	b.dirty = b.dirty[:0]
	return candidates
}

// bytes is the memory of the sets, without the records that they lead to.
func (b *bitSets) bytes() int {
	n := 0
	for _, p := range b.planes {
		n += 8 * cap(p)
	}
	for _, l := range b.lists {
		n += 4 * cap(l)
	}
	return n
}
