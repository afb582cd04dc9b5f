package index

import (
	"math/bits"
	"sync"
)

// shares count in how many of the adverts that were looked at each term,
// specialty, band and staff group stood. They decide under what a search is
// filed, and so how fast an answer is, never what it is.
type shares struct {
	mu      sync.Mutex
	adverts int
	terms   []tally
	bits    [64]int // of signatures
	special [32 * setWords]int
}

// A tally counts from when its term became known.
type tally struct{ count, since int }

// Half of what was counted is forgotten at so many adverts, so that the
// shares are those of the last weeks.
const mostAdverts = 40_000

func (s *shares) learn(f *Reading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.terms) < int(f.allTerms) {
		s.terms = append(s.terms, tally{since: s.adverts})
	}
	s.adverts++
	for _, t := range f.terms {
		s.terms[t].count++
	}
	for b := range s.bits {
		if f.sig.has(b) {
			s.bits[b]++
		}
	}
	for w, set := range f.specialties {
		for ; set != 0; set &= set - 1 {
			s.special[w*32+bits.TrailingZeros32(set)]++
		}
	}
	if s.adverts >= mostAdverts {
		s.halve()
	}
}

func (s *shares) halve() {
	s.adverts /= 2
	for i := range s.terms {
		s.terms[i].count /= 2
		s.terms[i].since /= 2
	}
	for i := range s.bits {
		s.bits[i] /= 2
	}
	for i := range s.special {
		s.special[i] /= 2
	}
}

// snapshot returns the shares as they are now.
func (s *shares) snapshot() *costs {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A little is added to everything, so that what was not seen yet is rare
	// and not absent, and what has been counted for a short while neither.
	const weight = 10
	of := func(count, adverts int, prior float64) float32 {
		return float32((float64(count) + prior*weight) / float64(adverts+weight))
	}
	c := &costs{terms: make([]float32, len(s.terms))}
	for i, t := range s.terms {
		c.terms[i] = of(t.count, s.adverts-t.since, newTerm)
	}
	for i, n := range s.bits {
		c.bits[i] = of(n, s.adverts, .1)
	}
	for i, n := range s.special {
		c.special[i] = of(n, s.adverts, .02)
	}
	return c
}

// newTerm is the share of a term of which nothing is known.
const newTerm = .02

// costs are shares by which a piece of the index is built.
type costs struct {
	terms   []float32
	bits    [64]float32
	special [32 * setWords]float32
}

func (c *costs) term(t uint32) float32 {
	if int(t) < len(c.terms) {
		return c.terms[t]
	}
	return newTerm
}

// employer is the share of one employer among many hundred.
const employerShare = .002
