// Package world invents the health service that the simulator advertises:
// employers, sites, roles, pay and prose. Everything follows from a seed, so
// the same seed always gives the same adverts. Employers and people are made
// up and their addresses end in .example; towns, postcode sectors and Agenda
// for Change pay are real. It knows nothing of pages, requests or time: it
// answers what an advert posted at a given time says.
//
//   - advert.go: the facts of an advert
//   - employers.go, towns.go, people.go: who and where
//   - roles.go, specialties.go, pay.go: what is offered
//   - make.go: from an employer and a seed to an advert
//   - prose.go: the texts of an advert, rendered on demand
package world

import (
	"hash/fnv"
	"math"
)

// A World holds the employers that one seed gives.
type World struct {
	seed      uint64
	employers []*Employer
	weights   []int // running sums of the employers' weights
	accounts  map[string]*Employer
}

// New returns the world of the seed.
func New(seed uint64) *World {
	w := &World{seed: seed, accounts: map[string]*Employer{}}
	w.employers = employers(seed)
	sum := 0
	for _, e := range w.employers {
		sum += e.weight
		w.weights = append(w.weights, sum)
		w.accounts[e.Account] = e
	}
	return w
}

// Employers returns all employers. The caller must not change them.
func (w *World) Employers() []*Employer { return w.employers }

// Employer returns the employer of an account, or nil.
func (w *World) Employer(account string) *Employer { return w.accounts[account] }

// Dice is a small generator of random numbers (splitmix64). It is fixed here
// rather than taken from a library so that a seed keeps its meaning.
type Dice struct{ state uint64 }

// NewDice returns dice whose throws follow from the parts.
func NewDice(parts ...uint64) *Dice { return &Dice{state: Mix(parts...)} }

// Uint64 returns the next 64 random bits.
func (d *Dice) Uint64() uint64 {
	d.state += 0x9e3779b97f4a7c15
	return scramble(d.state)
}

// Intn returns a number from 0 to n-1; n must be positive.
func (d *Dice) Intn(n int) int { return int(d.Uint64() % uint64(n)) }

// Between returns a number from low to high, both included.
func (d *Dice) Between(low, high int) int { return low + d.Intn(high-low+1) }

// Float returns a number in [0, 1).
func (d *Dice) Float() float64 { return float64(d.Uint64()>>11) / (1 << 53) }

// Chance reports true with probability p.
func (d *Dice) Chance(p float64) bool { return d.Float() < p }

// Exp returns an exponentially distributed number with the given mean.
func (d *Dice) Exp(mean float64) float64 { return -mean * math.Log(1-d.Float()) }

// Poisson returns a Poisson distributed number with the given mean.
func (d *Dice) Poisson(mean float64) int {
	// Sums of exponentials are exact and quick enough for the hundreds that
	// an hour of the busiest day brings.
	n, sum := 0, d.Exp(1)
	for sum < mean {
		n++
		sum += d.Exp(1)
	}
	return n
}

// Pick returns one of xs, which must not be empty.
func Pick[T any](d *Dice, xs []T) T { return xs[d.Intn(len(xs))] }

// Mix makes one number of several, each of which matters.
func Mix(parts ...uint64) uint64 {
	h := uint64(0x8445d61a4e774912)
	for _, p := range parts {
		h = scramble(h ^ scramble(p+0x9e3779b97f4a7c15))
	}
	return h
}

// Hash makes a number of a text, for Mix.
func Hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

func scramble(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
