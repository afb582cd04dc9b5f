package index

import (
	"reflect"
	"slices"
	"sync"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/role"
	"github.com/vacancywatch/vacancywatch/vacancy/specialty"
	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// A group is a criterion over a closed list. Its bits of a signature are one
// for each value, one for "not stated", and one for every other value, which
// no search can ask for.
type group struct {
	criterion string
	first     int
	values    []string
	// wanted returns what a search asks for, probe a search that asks for one
	// value and nothing else.
	wanted func(*vacancy.Search) []string
	probe  func(value string) vacancy.Search
	mask   sig
}

func (g *group) unstatedBit() int { return g.first + len(g.values) }
func (g *group) otherBit() int    { return g.first + len(g.values) + 1 }

// lists are the closed lists by number.
type lists struct {
	groups      []group
	regions     map[string]int
	specialties map[string]uint32
	criteria    map[string]bool // whether "not stated" passes by default
}

// closedLists returns the lists, which are part of the program.
var closedLists = sync.OnceValue(func() *lists {
	l := &lists{regions: map[string]int{}, specialties: map[string]uint32{}, criteria: map[string]bool{}}
	var staff []string
	for _, g := range role.StaffGroups() {
		staff = append(staff, g.Code)
	}
	l.groups = []group{
		{criterion: "band", values: vacancy.Bands(),
			wanted: func(s *vacancy.Search) []string { return s.Bands },
			probe:  func(v string) vacancy.Search { return vacancy.Search{Bands: []string{v}} }},
		{criterion: "staff_group", values: staff,
			wanted: func(s *vacancy.Search) []string { return s.StaffGroups },
			probe:  func(v string) vacancy.Search { return vacancy.Search{StaffGroups: []string{v}} }},
		{criterion: "contract", values: vacancy.Contracts(),
			wanted: func(s *vacancy.Search) []string { return s.Contracts },
			probe:  func(v string) vacancy.Search { return vacancy.Search{Contracts: []string{v}} }},
		{criterion: "working_pattern", values: vacancy.WorkingPatterns(),
			wanted: func(s *vacancy.Search) []string { return s.Patterns },
			probe:  func(v string) vacancy.Search { return vacancy.Search{Patterns: []string{v}} }},
		{criterion: "sponsorship", values: []string{vacancy.Offered},
			wanted: func(s *vacancy.Search) []string {
				if s.Sponsorship {
					return []string{vacancy.Offered}
				}
				return nil
			},
			probe: func(string) vacancy.Search { return vacancy.Search{Sponsorship: true} }},
		{criterion: "internal", values: []string{"open"},
			wanted: func(s *vacancy.Search) []string {
				if !s.Internal {
					return []string{"open"}
				}
				return nil
			},
			probe: func(string) vacancy.Search { return vacancy.Search{} }},
	}
	next := 0
	for i := range l.groups {
		g := &l.groups[i]
		g.first = next
		next = g.otherBit() + 1
		for b := g.first; b < next; b++ {
			g.mask.set(b)
		}
	}
	if next > 64 {
		// Unreachable until a list grows: a test holds them to 64 bits.
		panic("index: the closed lists need more than 64 bits")
	}
	for i, r := range gazetteer.Regions() {
		l.regions[r] = i
	}
	for i, s := range specialty.All() {
		l.specialties[s.ID] = uint32(i)
	}
	for _, c := range vacancy.Criteria() {
		l.criteria[c.Name] = c.UnstatedPasses
	}
	return l
})

// mostMonths is the longest duration that can be asked for.
const mostMonths = 120

// setWords is how many words a set of specialties has.
const setWords = 4

// The fields that a record can say, or that matching does not look at. A
// search that uses another one is kept whole, so that a criterion that is new
// to the program is answered rightly before it is answered fast.
var (
	sayableSearch = []string{"ID", "Name", "Subscriber", "Places", "Bands", "StaffGroups", "Specialties", "StatedOnly",
		"Keywords", "Employers", "NotEmployers", "Contracts", "MinMonths", "MaxMonths", "Patterns", "MinSalary", "Sponsorship", "DaysLeft",
		"Internal", "Unstated", "Kinds", "Notify", "Created", "Provisioned", "query"}
	sayablePlace = []string{"Name", "Lat", "Lon", "Miles", "Region", "Area", "Remote"}
)

var (
	otherSearchFields = sync.OnceValue(func() []int { return fieldsBut(reflect.TypeFor[vacancy.Search](), sayableSearch) })
	otherPlaceFields  = sync.OnceValue(func() []int { return fieldsBut(reflect.TypeFor[vacancy.Place](), sayablePlace) })
)

func fieldsBut(t reflect.Type, names []string) []int {
	var out []int
	for i := range t.NumField() {
		if !slices.Contains(names, t.Field(i).Name) {
			out = append(out, i)
		}
	}
	return out
}

func usesAny(v reflect.Value, fields []int) bool {
	return slices.ContainsFunc(fields, func(i int) bool { return !v.Field(i).IsZero() })
}

// sayable reports whether a record can say the search.
func (l *lists) sayable(s *vacancy.Search) bool {
	if usesAny(reflect.ValueOf(s).Elem(), otherSearchFields()) {
		return false
	}
	for i := range s.Places {
		p := &s.Places[i]
		if usesAny(reflect.ValueOf(p).Elem(), otherPlaceFields()) || p.Miles < 0 || p.Miles > 255 {
			return false
		}
		if _, ok := l.regions[p.Region]; p.Region != "" && !ok || p.Region != "" && p.Area != "" {
			return false
		}
	}
	for _, g := range l.groups[:4] {
		for _, v := range g.wanted(s) {
			if !slices.Contains(g.values, v) && (g.criterion != "band" || v != vacancy.BandUnstated) {
				return false
			}
		}
	}
	for _, id := range s.Specialties {
		if _, ok := l.specialties[id]; !ok {
			return false
		}
	}
	return s.MinSalary >= 0 && s.MinSalary <= payMask && s.DaysLeft >= 0 && s.DaysLeft <= dayMask &&
		s.MinMonths >= 0 && s.MinMonths <= mostMonths && s.MaxMonths >= 0 && s.MaxMonths <= mostMonths &&
		len(s.Employers) <= mostEmployers && len(s.NotEmployers) <= mostEmployers && len(s.Places) <= mostPlaces &&
		len(l.specialties) <= 32*setWords
}

// passes reports whether an advert that does not state the fact passes.
func (l *lists) passes(s *vacancy.Search, criterion string) bool {
	if flipped, ok := s.Unstated[criterion]; ok {
		return flipped
	}
	return l.criteria[criterion]
}

// compile makes a record of a search. What does not fit is appended to arena,
// whose offset 0 is taken.
func compile(s *vacancy.Search, d *dictionary, arena []uint32) (record, []uint32) {
	l := closedLists()
	if !l.sayable(s) {
		return record{sig: sig{^uint32(0), ^uint32(0)}, flags: whole}, arena
	}
	var r record
	for i := range l.groups {
		g := &l.groups[i]
		wanted := g.wanted(s)
		if len(wanted) == 0 {
			r.sig = r.sig.or(g.mask)
			continue
		}
		for _, v := range wanted {
			if v == vacancy.BandUnstated {
				r.sig.set(g.unstatedBit())
				continue
			}
			r.sig.set(g.first + slices.Index(g.values, v))
		}
		if l.passes(s, g.criterion) {
			r.sig.set(g.unstatedBit())
		}
	}
	for _, f := range []struct {
		criterion string
		flag      uint8
	}{
		{"place", unstatedPlace}, {"specialty", unstatedSpecialty}, {"keywords", unstatedKeywords},
		{"employer", unstatedEmployer}, {"min_salary", unstatedSalary}, {"days_left", unstatedDays},
	} {
		if l.passes(s, f.criterion) {
			r.flags |= f.flag
		}
	}
	if s.StatedOnly {
		r.flags |= statedOnly
	}
	r.pay = uint32(s.MinSalary) | uint32(s.DaysLeft)<<payBits
	var x extra
	r.places(l, s, d, &x)
	arena = r.specialties(l, s, arena)
	if q := s.Query(); q != nil {
		if root := q.Root(); root.Op == words.Term {
			r.words = d.term(root.Words, root.Title)
		} else {
			r.words = uint32(len(arena)) | farBit
			arena = append(arena, 0)
			arena = program(root, d, arena)
			at := r.words &^ farBit
			arena[at] = uint32(len(arena)) - at - 1
		}
	}
	if s.MinMonths+s.MaxMonths > 0 {
		x.months = uint32(s.MinMonths) | uint32(s.MaxMonths)<<monthBits | monthsAsked
		if l.passes(s, "duration") {
			x.months |= monthsUnstated
		}
	}
	for _, e := range s.Employers {
		x.in = append(x.in, employerEntry(d, e))
	}
	for _, e := range s.NotEmployers {
		x.out = append(x.out, employerEntry(d, e))
	}
	if x.months != 0 || len(x.points)+len(x.areas)+len(x.in)+len(x.out) > 0 {
		r.more = uint32(len(arena))
		arena = x.append(arena)
	}
	return r, arena
}

// places notes regions, work from home and the first point in the record,
// the others in the extra.
func (r *record) places(l *lists, s *vacancy.Search, d *dictionary, x *extra) {
	for _, p := range s.Places {
		if p.Remote {
			r.area |= remoteBit
		}
		at := gazetteer.Point{Lat: p.Lat, Lon: p.Lon}
		switch {
		case p.Region != "":
			r.area |= regionBit | 1<<l.regions[p.Region]
			continue
		case p.Area != "":
			x.areas = append(x.areas, d.area(p.Area))
			r.pay |= morePlaces
			continue
		case at.IsZero():
			r.area |= homeBit
			continue
		}
		e, n := at.Project()
		if r.area&pointBit == 0 {
			r.area |= pointBit
			r.e, r.n, r.miles = int32(e), int32(n), uint8(p.Miles)
			continue
		}
		x.points = append(x.points, uint32(e), uint32(n), uint32(p.Miles))
		r.pay |= morePlaces
	}
}

func (r *record) specialties(l *lists, s *vacancy.Search, arena []uint32) []uint32 {
	switch len(s.Specialties) {
	case 0:
	case 1:
		r.spec = l.specialties[s.Specialties[0]] + 1
	default:
		r.spec = uint32(len(arena)) | farBit
		var set [setWords]uint32
		for _, id := range s.Specialties {
			n := l.specialties[id]
			set[n/32] |= 1 << (n % 32)
		}
		arena = append(arena, set[:]...)
	}
	return arena
}

func program(n *words.Node, d *dictionary, arena []uint32) []uint32 {
	if n.Op == words.Term {
		return append(arena, opTerm|d.term(n.Words, n.Title))
	}
	arena = append(arena, uint32(n.Op)<<opShift|uint32(len(n.Kids)))
	for _, k := range n.Kids {
		arena = program(k, d, arena)
	}
	return arena
}

func employerEntry(d *dictionary, e string) uint32 {
	entry := d.name(vacancy.Fold(e)) << 1
	if len(e) == 5 && vacancy.ValidReference(e+"-0") {
		entry |= isAccount
	}
	return entry
}

// radii are miles in metres, see gazetteer.Radius.
var radii = func() (out [256]uint32) {
	for i := range out {
		out[i] = uint32(gazetteer.Radius(i))
	}
	return out
}()
