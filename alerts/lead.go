package alerts

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A telling is that a reader is to hear of an event through a search. A
// vacancy may meet a hundred thousand searches at once, so it holds no more
// than is needed to make the message of it (see expand).
type telling struct {
	search  string
	reader  reader
	created int64 // when the search was made, in microseconds
	due     int64 // likewise
	also    []string
	event   int32 // which of the events that are told together
	digest  bool
	asNew   bool
}

// lead makes one message a reader: the first instant one tells of the other
// searches too. Where all are digests each keeps the item for itself, and the
// one that is rendered first tells it: should that search end before, another
// still does. It sorts all, and reuses it.
func lead(all []telling) []telling {
	slices.SortFunc(all, func(a, b telling) int {
		return cmp.Or(strings.Compare(a.reader.subscriber, b.reader.subscriber), strings.Compare(a.reader.dest, b.reader.dest),
			cmp.Compare(a.created, b.created), strings.Compare(a.search, b.search), first(a.digest, b.digest))
	})
	// One search, one destination, both rhythms: the instant one, which
	// stands first.
	all = slices.CompactFunc(all, func(a, b telling) bool { return a.reader == b.reader && a.search == b.search })
	out := all[:0]
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].reader == all[from].reader {
			to++
		}
		group := all[from:to]
		from = to
		i := slices.IndexFunc(group, func(t telling) bool { return !t.digest })
		if i < 0 {
			out = append(out, group...)
			continue
		}
		leader := group[i]
		for _, t := range group {
			if t.search != leader.search {
				leader.also = append(leader.also, t.search)
			}
		}
		out = append(out, leader)
	}
	return out
}

// first orders false before true.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// expand makes the messages, or for a digest the items, of tellings.
func expand(told []vacancy.Event, part []telling) []Queued {
	out := make([]Queued, len(part))
	for i, t := range part {
		e := &told[t.event]
		out[i] = Queued{
			ID: InstantID(t.search, e.ID(), t.reader.dest), Event: e.ID(), Search: t.search, Also: t.also,
			Subscriber: t.reader.subscriber, Dest: t.reader.dest, Told: ToldMark(t.reader.subscriber, t.reader.dest, e),
			Due: time.UnixMicro(t.due).UTC(), Digest: t.digest, AsNew: t.asNew,
		}
	}
	return out
}
