package index

import (
	"context"
	"slices"
)

// fanout is how much larger a segment is than the one after it, at least.
const fanout = 8

// Run builds segments from what was added, whenever there is enough of it,
// until ctx ends. Without it, or calls of Compact, answers stay right and grow
// slower.
func (ix *Index) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ix.due:
			ix.merge(false)
		}
	}
}

// Compact builds one segment from all searches, in about 2 µs each, which
// makes the index as fast and as small as it gets. Matching and changes go on
// meanwhile; for as long, the searches take up twice their memory.
func (ix *Index) Compact() { ix.merge(true) }

// merge builds a segment from the full tails and those segments that are not
// much larger, or from everything.
func (ix *Index) merge(all bool) {
	ix.compact.Lock()
	defer ix.compact.Unlock()

	ix.mu.Lock()
	if all {
		ix.shut()
	}
	now := ix.state.Load()
	full := now.tails[:len(now.tails)-1]
	ix.merging = true
	keep := now.keep(full, all)
	ix.mu.Unlock()

	var sources []source
	used := map[any]bool{}
	for _, s := range now.segments[keep:] {
		sources = append(sources, s.source())
		used[s] = true
	}
	for _, t := range full {
		sources = append(sources, t.source())
		used[t] = true
	}
	if len(sources) == 0 {
		ix.mu.Lock()
		ix.merging, ix.carry = false, nil
		ix.mu.Unlock()
		return
	}
	built := build(sources, ix.shares.snapshot())

	ix.mu.Lock()
	defer ix.mu.Unlock()
	for _, r := range ix.carry {
		if used[r.from] {
			built.remove(r.id)
		}
	}
	ix.merging, ix.carry = false, nil
	later := ix.state.Load()
	segments := slices.Clone(later.segments[:keep])
	if len(built.records) > 0 {
		segments = append(segments, built)
	}
	ix.state.Store(&state{segments, slices.Clone(later.tails[len(full):])})
}

// shut ends the open tail, if there is anything in it.
func (ix *Index) shut() {
	now := ix.state.Load()
	last := now.tails[len(now.tails)-1]
	if last.count.Load() == 0 {
		return
	}
	next := newTail()
	last.next.Store(next)
	ix.state.Store(&state{now.segments, append(slices.Clone(now.tails), next)})
}

// keep returns how many of the segments stay as they are.
func (now *state) keep(full []*tail, all bool) int {
	if all {
		return 0
	}
	n := 0
	for _, t := range full {
		n += len(t.byID)
	}
	keep := len(now.segments)
	for keep > 0 {
		s := now.segments[keep-1]
		live := len(s.ends) - s.gone
		// A fifth of it being gone is reason enough.
		if live > fanout*n && s.gone*5 < len(s.ends) {
			break
		}
		n += live
		keep--
	}
	return keep
}
