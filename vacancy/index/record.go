package index

import "github.com/vacancywatch/vacancywatch/vacancy/words"

// A record is a search in 36 bytes. What does not fit stands in the arena of
// the piece of the index that holds the record, at an offset kept here.
type record struct {
	sig  sig
	e, n int32 // the first place with a point, see gazetteer.Point.Project
	// pay is the minimum salary in pounds (20 bits), then the days left
	// (9 bits), then marks.
	pay uint32
	// area are the regions wanted, and what kinds of place there are. It is 0
	// for a search without places.
	area  uint16
	miles uint8
	flags uint8
	// spec is 0 for no specialty, one specialty from 1, or with farBit the
	// offset of a set.
	spec uint32
	// words is 0 for no keywords, one term, or with farBit the offset of a
	// program.
	words uint32
	// more is the offset of an extra, 0 for none. In a record of a whole search
	// it is the number of that search.
	more uint32
}

const farBit = 1 << 31

// Marks of record.pay above salary and days.
const (
	payBits = 20
	dayBits = 9
	payMask = 1<<payBits - 1
	dayMask = 1<<dayBits - 1

	// copied marks a search that is filed in several places, filedAgain all
	// of them but the first.
	copied     = 1 << 29
	filedAgain = 1 << 30
	// morePlaces says that the extra holds points or areas.
	morePlaces = 1 << 31
)

// Flags of a record: for which criteria an advert passes that does not state
// the fact, as far as the signature does not say so.
const (
	unstatedPlace = 1 << iota
	unstatedSpecialty
	unstatedKeywords
	unstatedEmployer
	unstatedSalary
	unstatedDays
	// statedOnly leaves inferred specialties out.
	statedOnly
	// whole marks a search that a record cannot say: it is kept as it is, and
	// vacancy.Matches decides.
	whole
)

// Bits of an area above those of the regions.
const (
	remoteBit = 1 << (iota + 12)
	// Kinds of place. A search: it names such a place. An advert: it says
	// enough to tell whether it lies there.
	pointBit
	regionBit
	homeBit // work from home and nothing else

	areaMask = remoteBit - 1 | remoteBit
	kinds    = pointBit | regionBit | homeBit
	// anywhere stands in the summary of a block: some of its searches may pass
	// whatever the regions and points are.
	anywhere = homeBit
)

// A sig is a signature: a bit for each value of the closed lists, in groups.
// That of a search holds the values it accepts, "not stated" among them; that
// of an advert what it states.
type sig struct{ lo, hi uint32 }

func (a sig) or(b sig) sig { return sig{a.lo | b.lo, a.hi | b.hi} }

func (a *sig) set(bit int) {
	if bit < 32 {
		a.lo |= 1 << bit
	} else {
		a.hi |= 1 << (bit - 32)
	}
}

func (a sig) has(bit int) bool {
	if bit < 32 {
		return a.lo>>bit&1 != 0
	}
	return a.hi>>(bit-32)&1 != 0
}

// verify reports whether the search meets what was read of the vacancy,
// signature and place apart. It is vacancy.Matches, in numbers.
func (r *record) verify(f *Reading, arena []uint32) bool {
	if want := r.pay & payMask; want != 0 {
		if !f.payStated {
			if r.flags&unstatedSalary == 0 {
				return false
			}
		} else if want > f.pay {
			return false
		}
	}
	if want := r.pay >> payBits & dayMask; want != 0 {
		if !f.daysStated {
			if r.flags&unstatedDays == 0 {
				return false
			}
		} else if want > f.days {
			return false
		}
	}
	if r.spec != 0 && !r.specialty(f, arena) {
		return false
	}
	if r.words != 0 && !r.keywords(f, arena) {
		return false
	}
	return r.more == 0 || r.rest(f, arena)
}

// within reports whether the place criterion is met.
func (r *record) within(f *Reading, arena []uint32) bool {
	if r.area == 0 && r.pay&morePlaces == 0 || r.area&f.area&areaMask != 0 {
		return true
	}
	if r.area&pointBit != 0 {
		for i := range f.sites {
			if f.sites[i].in(r.e, r.n, r.miles) {
				return true
			}
		}
	}
	known := r.area&f.area&kinds != 0
	if r.pay&morePlaces != 0 {
		x := extraAt(arena, r.more)
		for p := x.points; len(p) > 0; p = p[3:] {
			for i := range f.sites {
				if f.sites[i].in(int32(p[0]), int32(p[1]), uint8(p[2])) {
					return true
				}
			}
		}
		for _, a := range x.areas {
			in, said := f.lies(a)
			if in {
				return true
			}
			known = known || said
		}
	}
	return !known && r.flags&unstatedPlace != 0
}

// anywhere reports whether points and regions of a vacancy do not tell that
// the place criterion fails.
func (r *record) anywhere(arena []uint32) bool {
	return r.area == 0 || r.flags&unstatedPlace != 0 || r.pay&morePlaces != 0 && len(extraAt(arena, r.more).areas) > 0
}

func (s *site) in(e, n int32, miles uint8) bool {
	de, dn := int64(s.e)-int64(e), int64(s.n)-int64(n)
	r := int64(radii[miles])
	return de*de+dn*dn <= r*r
}

func (r *record) specialty(f *Reading, arena []uint32) bool {
	set, none := f.specialties, f.noSpecialty
	if r.flags&statedOnly != 0 {
		set, none = f.statedSpecialties, f.noneStated
	}
	if none {
		return r.flags&unstatedSpecialty != 0
	}
	if r.spec&farBit == 0 {
		n := r.spec - 1
		return set[n/32]>>(n%32)&1 != 0
	}
	want := arena[r.spec&^farBit:]
	for i := range set {
		if set[i]&want[i] != 0 {
			return true
		}
	}
	return false
}

func (r *record) keywords(f *Reading, arena []uint32) bool {
	ok := false
	if r.words&farBit == 0 {
		ok = f.has(r.words)
	} else {
		ok, _ = f.eval(arena[r.words&^farBit:])
	}
	return ok || f.unread && r.flags&unstatedKeywords != 0
}

// Operators of a keyword program, in the upper bits of a word. The rest is
// the term, or the number of operands, which follow. Each program begins with
// its length.
const (
	opShift = 28
	opTerm  = uint32(words.Term) << opShift
	opAnd   = uint32(words.And) << opShift
	opOr    = uint32(words.Or) << opShift
	opNot   = uint32(words.Not) << opShift
	opMask  = uint32(0xf) << opShift
)

// eval runs a program that begins with its length.
func (f *Reading) eval(program []uint32) (bool, int) { return f.run(program, 1) }

func (f *Reading) run(program []uint32, at int) (bool, int) {
	op := program[at]
	arg := int(op &^ opMask)
	at++
	switch op & opMask {
	case opTerm:
		return f.has(uint32(arg)), at
	case opNot:
		ok, next := f.run(program, at)
		return !ok, next
	case opOr:
		any := false
		for range arg {
			var ok bool
			ok, at = f.run(program, at)
			any = any || ok
		}
		return any, at
	}
	all := true
	for range arg {
		var ok bool
		ok, at = f.run(program, at)
		all = all && ok
	}
	return all, at
}

// An extra is what few searches have: several places, areas, employers, and
// for how long a contract lasts. Its head counts what follows.
type extra struct {
	months  uint32   // 0 for none
	points  []uint32 // three words each: east, north, miles
	areas   []uint32 // numbers of the dictionary
	in, out []uint32 // employers, see employerEntry
	words   int      // of all of it
}

// Parts of months.
const (
	monthBits      = 8
	monthMask      = 1<<monthBits - 1
	monthsUnstated = 1 << (2 * monthBits)
	monthsAsked    = 1 << (2*monthBits + 1) // so that it is never 0
)

// Limits of the counts in the head of an extra.
const (
	mostPlaces    = 15
	mostEmployers = 1<<10 - 1
)

func (x *extra) append(arena []uint32) []uint32 {
	head := uint32(len(x.points)/3) | uint32(len(x.areas))<<4 | uint32(len(x.in))<<8 | uint32(len(x.out))<<18
	if x.months != 0 {
		head |= 1 << 28
	}
	arena = append(arena, head)
	if x.months != 0 {
		arena = append(arena, x.months)
	}
	for _, part := range [][]uint32{x.points, x.areas, x.in, x.out} {
		arena = append(arena, part...)
	}
	return arena
}

func extraAt(arena []uint32, more uint32) (x extra) {
	head, rest := arena[more], arena[more+1:]
	from := len(rest)
	take := func(n int) (part []uint32) {
		part, rest = rest[:n], rest[n:]
		return part
	}
	if head>>28 != 0 {
		x.months = take(1)[0]
	}
	x.points = take(3 * int(head&0xf))
	x.areas = take(int(head >> 4 & 0xf))
	x.in = take(int(head >> 8 & mostEmployers))
	x.out = take(int(head >> 18 & mostEmployers))
	x.words = 1 + from - len(rest)
	return x
}

// rest decides on employers and months.
func (r *record) rest(f *Reading, arena []uint32) bool {
	x := extraAt(arena, r.more)
	if f.employs(x.out) || len(x.in) > 0 && !f.employs(x.in) && (f.named || r.flags&unstatedEmployer == 0) {
		return false
	}
	if x.months == 0 {
		return true
	}
	if !f.monthsStated {
		return x.months&monthsUnstated != 0
	}
	least, most := x.months&monthMask, x.months>>monthBits&monthMask
	return least <= f.longest && (most == 0 || most >= f.shortest)
}

// isAccount marks an entry of a list of employers, a number of a folded name,
// as the code of an account.
const isAccount = 1

func (f *Reading) employs(list []uint32) bool {
	for _, e := range list {
		if e>>1 == f.employer && f.employer != 0 || e&isAccount != 0 && e>>1 == f.account && f.account != 0 {
			return true
		}
	}
	return false
}
