package index

import (
	"math/bits"
	"slices"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// A Reading is a vacancy as the index sees it on a day: what each criterion
// makes of it, in numbers. It may be matched again and again, by one
// goroutine at a time.
//
// What a criterion means is not decided here. The vacancy is shown to
// vacancy.Matches with searches that ask for a single value, and the answers
// are noted; so those rules stand in one place. Circles, keywords and
// employers have too many values for that; they are read as Matches reads
// them.
type Reading struct {
	v     *vacancy.Vacancy
	today vacancy.Day
	doc   *words.Doc

	dictionary *dictionary

	sig    sig
	need   sig   // the bits of groups of which the vacancy has one bit: a search must have them all
	either []sig // those of the other groups: it must have one of each
	area   uint16
	sites  []site

	pay, days             uint32 // the highest that passes
	payStated, daysStated bool
	longest, shortest     uint32 // the highest MinMonths and the lowest MaxMonths that pass
	monthsStated          bool

	specialties, statedSpecialties [setWords]uint32
	noSpecialty, noneStated        bool

	areas []verdict // by number, as far as they were asked for

	terms    []uint32 // that the text holds, each once
	held     []uint64 // the same as bits
	allTerms uint32   // terms that the dictionary held when the text was read
	size     uint32   // of the dictionary then
	unread   bool     // the page: that a word is missing says nothing
	named    bool     // the employer

	employer, account uint32

	hits   []hit
	copies map[hit]struct{} // hits of searches that are filed in several places
	work   Work
}

// A site is a place of work that has a point.
type site struct {
	e, n   int32
	ke, kn int16 // in units of 1,024 metres, as the summaries of blocks are
}

// Read reads a vacancy. The vacancy must not change while the reading is used.
func (ix *Index) Read(v *vacancy.Vacancy, today vacancy.Day) *Reading {
	f := &Reading{copies: map[hit]struct{}{}}
	f.read(ix.dictionary, v, today)
	return f
}

func (f *Reading) read(d *dictionary, v *vacancy.Vacancy, today vacancy.Day) {
	f.v, f.today, f.doc = v, today, v.Doc()
	f.unread, f.named = v.PageUnread, v.Employer != ""
	f.readLists()
	f.readNumbers()
	f.readSpecialties()
	f.readPlaces()
	f.dictionary = d
	f.readTerms()
}

// A verdict is what one criterion makes of a vacancy.
type verdict struct{ asked, pass, stated bool }

// ask returns what the only criterion of a search makes of the vacancy.
func (f *Reading) ask(criterion string, s vacancy.Search) verdict {
	s.Internal = criterion != "internal"
	rule := flips[criterion]
	s.Unstated = rule[0]
	if vacancy.Matches(&s, f.v, f.today) {
		return verdict{true, true, true}
	}
	s.Unstated = rule[1]
	return verdict{asked: true, stated: !vacancy.Matches(&s, f.v, f.today)}
}

// flips are, by criterion, the two rules for adverts that do not state a fact.
var flips = func() map[string][2]map[string]bool {
	out := map[string][2]map[string]bool{}
	for _, c := range vacancy.Criteria() {
		out[c.Name] = [2]map[string]bool{{c.Name: false}, {c.Name: true}}
	}
	return out
}()

func (f *Reading) readLists() {
	l := closedLists()
	f.sig, f.need, f.either = sig{}, sig{}, f.either[:0]
	for i := range l.groups {
		g := &l.groups[i]
		any := false
		for k, value := range g.values {
			got := f.ask(g.criterion, g.probe(value))
			if !got.stated {
				f.sig.set(g.unstatedBit())
				any = true
				break
			}
			if got.pass {
				f.sig.set(g.first + k)
				any = true
			}
		}
		if !any {
			f.sig.set(g.otherBit())
		}
		mine := sig{f.sig.lo & g.mask.lo, f.sig.hi & g.mask.hi}
		if bits.OnesCount32(mine.lo)+bits.OnesCount32(mine.hi) == 1 {
			f.need = f.need.or(mine)
		} else {
			f.either = append(f.either, mine)
		}
	}
}

// accepts reports whether the signature of a search, or that of a block, has a
// bit in common with that of the vacancy in every group.
func (f *Reading) accepts(s sig) bool {
	if s.lo&f.need.lo != f.need.lo || s.hi&f.need.hi != f.need.hi {
		return false
	}
	for _, g := range f.either {
		if s.lo&g.lo|s.hi&g.hi == 0 {
			return false
		}
	}
	return true
}

func (f *Reading) readNumbers() {
	guess := 0
	if top, _, ok := f.v.YearlyTop(f.today); ok {
		guess = int(top / 100)
	}
	f.pay, f.payStated = f.most("min_salary", payMask, guess, func(n int) vacancy.Search { return vacancy.Search{MinSalary: n} })
	guess = 0
	if !f.v.Closing.IsZero() {
		guess = f.today.DaysUntil(f.v.Closing)
	}
	f.days, f.daysStated = f.most("days_left", dayMask, guess, func(n int) vacancy.Search { return vacancy.Search{DaysLeft: n} })
	f.longest, f.monthsStated = f.most("duration", mostMonths, mostMonths, func(n int) vacancy.Search { return vacancy.Search{MinMonths: n} })
	if !f.monthsStated {
		return
	}
	// The other way round: the lowest that passes.
	up, _ := f.most("duration", mostMonths, 0, func(n int) vacancy.Search { return vacancy.Search{MaxMonths: mostMonths + 1 - n} })
	f.shortest = mostMonths + 1 - up
}

// most returns the highest number from 1 to limit that passes, 0 for none.
// Guess is where it probably is.
func (f *Reading) most(criterion string, limit, guess int, search func(int) vacancy.Search) (most uint32, stated bool) {
	first := f.ask(criterion, search(1))
	if !first.pass {
		return 0, first.stated
	}
	passes := func(n int) bool { return f.ask(criterion, search(n)).pass }
	guess = min(max(guess, 1), limit)
	low, high := 1, limit+1 // low passes, high does not
	if passes(guess) {
		low = guess
		if guess < limit && !passes(guess+1) {
			high = guess + 1
		}
	} else {
		high = guess
	}
	for high-low > 1 {
		if mid := (low + high) / 2; passes(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return uint32(low), true
}

func (f *Reading) readSpecialties() {
	l := closedLists()
	f.specialties, f.statedSpecialties = [setWords]uint32{}, [setWords]uint32{}
	// Any other specialty would do: one that is there could not tell whether
	// there are none.
	other := ""
	for id := range l.specialties {
		if !slices.ContainsFunc(f.v.Specialties, func(s vacancy.Specialty) bool { return s.ID == id }) {
			other = id
			break
		}
	}
	for _, stated := range []bool{false, true} {
		set, none := &f.specialties, &f.noSpecialty
		if stated {
			set, none = &f.statedSpecialties, &f.noneStated
		}
		for _, sp := range f.v.Specialties {
			n, ok := l.specialties[sp.ID]
			if !ok || n >= 32*setWords {
				continue
			}
			if f.ask("specialty", vacancy.Search{Specialties: []string{sp.ID}, StatedOnly: stated}).pass {
				set[n/32] |= 1 << (n % 32)
			}
		}
		*none = !f.ask("specialty", vacancy.Search{Specialties: []string{other}, StatedOnly: stated}).stated
	}
}

func (f *Reading) readPlaces() {
	f.area, f.sites, f.areas = 0, f.sites[:0], f.areas[:0]
	place := func(p vacancy.Place) verdict { return f.ask("place", vacancy.Search{Places: []vacancy.Place{p}}) }
	for region, n := range closedLists().regions {
		got := place(vacancy.Place{Region: region})
		if got.pass {
			f.area |= 1 << n
		}
		// One that the employer's seat lies in passes, while of the others
		// nothing is known.
		if got.stated && !got.pass {
			f.area |= regionBit
		}
	}
	home := place(vacancy.Place{Remote: true})
	if home.pass {
		f.area |= remoteBit
	}
	if home.stated {
		f.area |= homeBit
	}
	if place(vacancy.Place{Lat: 54, Lon: -3, Miles: 1}).stated {
		f.area |= pointBit
	}
	for _, p := range f.v.Points() {
		e, n := p.Project()
		f.sites = append(f.sites, newSite(int32(e), int32(n)))
	}
}

// lies reports whether the vacancy lies in an area, and whether that can be
// told. There are hundreds of areas, and few are asked for.
func (f *Reading) lies(area uint32) (in, known bool) {
	for len(f.areas) <= int(area) {
		f.areas = append(f.areas, verdict{})
	}
	got := &f.areas[area]
	if !got.asked {
		name := f.dictionary.areaName(area)
		*got = f.ask("place", vacancy.Search{Places: []vacancy.Place{{Area: name}}})
	}
	return got.pass, got.stated
}

func newSite(e, n int32) site { return site{e, n, coarse(e), coarse(n)} }

// coarse is a coordinate in units of 1,024 metres, rounded down. What is too
// far away for its type stays at the edge; order is kept.
func coarse(metres int32) int16 { return int16(min(max(metres>>10, -1<<15), 1<<15-1)) }

// readTerms looks up which terms of the dictionary the vacancy holds. It is
// done again where a search came in with terms that were not known then.
func (f *Reading) readTerms() {
	d := f.dictionary
	for _, t := range f.terms {
		f.held[t/64] = 0
	}
	f.terms = f.terms[:0]
	d.mu.RLock()
	defer d.mu.RUnlock()
	f.allTerms, f.size = d.terms, d.terms+uint32(len(d.names))
	if n := int(d.terms)/64 + 1; n > len(f.held) {
		f.held = append(f.held, make([]uint64, n-len(f.held)+n/8)...)
	}
	d.read(f.doc, func(t uint32) {
		if !f.has(t) {
			f.held[t/64] |= 1 << (t % 64)
			f.terms = append(f.terms, t)
		}
	})
	f.employer = d.names[vacancy.Fold(f.v.Employer)]
	f.account = 0
	if a := f.v.Account(); a != "" {
		f.account = d.names[vacancy.Fold(a)]
	}
}

// has reports whether the text holds a term.
func (f *Reading) has(t uint32) bool {
	return int(t/64) < len(f.held) && f.held[t/64]>>(t%64)&1 != 0
}
