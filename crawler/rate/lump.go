package rate

import (
	"math"
	"slices"
	"time"
)

// lumps is what is known of the minutes of the hour at which adverts come.
// Partners of a site deliver theirs by the hour, at a minute of their own.
type lumps struct {
	// found is the number of adverts by five-minute slot of the hour, in
	// hundredths; within is the sum of the seconds at which they came after
	// the slot began, in hundredths too.
	found, within [slots]int64
	// squares is the sum of the squares of what each single slot in time
	// brought, in hundredths: how far a few large batches could have led us.
	squares int64
	// last is the number of the slot in time that was counted last, since
	// 1970, and batch what it has brought so far.
	last, batch int64
}

const (
	// fadeLumps halves what is known of the lumps in four weeks, by the day.
	fadeLumps = 0.9755476142
	// mostSquares keeps sums of squares exact in JSON and in floating point.
	mostSquares = int64(1) << 52

	// A slot holds a lump if it has brought more than its twelfth by
	// lumpSigma standard deviations, where adverts of one batch count as one
	// draw: had each batch fallen into a slot at random, the variance were
	// 11/144 of squares. One batch of any size reaches 3.3, four in one slot
	// reach 6.6. With the skew of small numbers at fewestAdverts and twelve
	// slots to choose from, the chance of an error is below 1e-4.
	lumpSigma     = 6.0
	fewestAdverts = 50.0
	// lumpShare is the part of all adverts below which no poll is moved for a
	// lump, and widestLump the number of slots beyond which it is none.
	lumpShare  = 0.1
	widestLump = 3
)

// add counts an advert that was visible from a second on.
func (l *lumps) add(at int64) {
	if n := at / slot; n != l.last || l.batch == 0 {
		l.last, l.batch = n, 0
	}
	l.squares = min(l.squares+(2*l.batch+1)*hundredth, mostSquares)
	l.batch = min(l.batch+1, mostCount)
	s := at % hour / slot
	if l.found[s] < mostCount {
		l.found[s] += hundredth
		l.within[s] += at % slot * hundredth
	}
}

// fade forgets a part for each day that has passed.
func (l *lumps) fade(days int64) {
	if days == 0 {
		return
	}
	by := math.Pow(fadeLumps, float64(days))
	for s := range slots {
		l.found[s] = faded(l.found[s], by)
		l.within[s] = min(faded(l.within[s], by), (slot-1)*l.found[s])
	}
	l.squares = faded(l.squares, by*by) // weights enter a variance squared
}

// significant says which slots hold more adverts than chance explains, and
// how many adverts there are: in all, and in an ordinary slot.
func (l *lumps) significant() (in [slots]bool, all, ordinary float64) {
	for _, n := range l.found {
		all += float64(n) / hundredth
	}
	deviation := math.Sqrt(float64(l.squares) / hundredth * (slots - 1) / (slots * slots))
	if all < fewestAdverts || deviation == 0 {
		return in, all, all / slots
	}
	rest, plain := all, slots
	for s, n := range l.found {
		if got := float64(n) / hundredth; got-all/slots > lumpSigma*deviation {
			in[s] = true
			rest -= got
			plain--
		}
	}
	// Unreachable: all slots significant, for not all are above their mean.
	return in, all, rest / float64(max(plain, 1))
}

// shares is the part of an hour's adverts that each slot brings: equal parts,
// but for the lumps that are beyond doubt. The parts add up to 1.
func (l *lumps) shares() (shares [slots]float64) {
	in, all, ordinary := l.significant()
	for s := range slots {
		n := ordinary
		if in[s] {
			n = float64(l.found[s]) / hundredth
		}
		shares[s] = (n + 1) / (all + slots)
	}
	return shares
}

// centres lists the lumps worth a poll, by the time after the full hour at
// which their adverts come on average. Neighbouring slots are one lump.
func (l *lumps) centres() (centres []time.Duration) {
	in, all, ordinary := l.significant()
	first := slices.Index(in[:], false) // a lump may lie across the full hour
	if first < 0 || !slices.Contains(in[:], true) {
		return nil
	}
	var width, excess, moment float64 // of the lump being gathered
	for i := 1; i <= slots; i++ {
		s := (first + i) % slots
		if in[s] {
			n := float64(l.found[s]) / hundredth
			begin := width * slot
			excess += n - ordinary
			moment += n*begin + float64(l.within[s])/hundredth - ordinary*(begin+slot/2)
			width++
			continue
		}
		if width > 0 && width <= widestLump && excess >= lumpShare*all {
			begin := (s + slots - int(width)) % slots * slot
			centre := min(max(moment/excess, 0), width*slot)
			at := time.Duration(float64(begin)+math.Round(centre)) * time.Second
			centres = append(centres, at%time.Hour)
		}
		width, excess, moment = 0, 0, 0
	}
	return centres
}
