package preview

import (
	"iter"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A Known is a vacancy on a board, with what is remembered of its life.
type Known struct {
	Vacancy *vacancy.Vacancy
	// Version counts what happened to it, from 1.
	Version  int
	Open     bool
	Closed   string // why it is closed; "" where its date alone has passed
	ClosedAt time.Time
	Link     vacancy.Link
}

// Changed reports whether more happened to it than that it came up.
func (k *Known) Changed() bool { return k.Version > 1 || k.Link.Reference != "" }

// AsOf is when the board was read.
func (b *Board) AsOf() time.Time { return b.at }

// Known yields every vacancy of the board: those that are open, and those that
// have closed in the last 30 days. One that is listed twice at a time is left
// out the second time. The texts of adverts are in it, for matching only.
func (b *Board) Known() iter.Seq[*Known] {
	return func(yield func(*Known) bool) {
		for _, part := range [][]entry{b.entries, b.left} {
			for i := range part {
				if !yield(&part[i].record) {
					return
				}
			}
		}
	}
}
