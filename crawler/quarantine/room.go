package quarantine

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stamp is the time in a file's name, in UTC: names in order are in the order
// of time.
const stamp = "20060102T150405.000000000Z"

// A kept is what the name of a file says.
type kept struct {
	name           string
	at             time.Time
	source, reason string
	number         int // among those of the same time, source and reason
	size           int64
}

// parseName reads a name made by nameOf; it is false for any other.
func parseName(name string) (kept, bool) {
	rest, ok := strings.CutSuffix(name, ending)
	parts := strings.Split(rest, "_")
	if !ok || len(parts) < 3 || len(parts) > 4 || safe(parts[1]) != parts[1] || safe(parts[2]) != parts[2] {
		return kept{}, false
	}
	k := kept{name: name, source: parts[1], reason: parts[2], number: 1}
	at, err := time.Parse(stamp, parts[0])
	if err != nil {
		return kept{}, false
	}
	k.at = at
	if len(parts) == 4 {
		n, err := strconv.Atoi(parts[3])
		if err != nil || n < 2 {
			return kept{}, false
		}
		k.number = n
	}
	return k, true
}

func (k kept) compare(other kept) int {
	return cmp.Or(k.at.Compare(other.at), cmp.Compare(k.number, other.number), cmp.Compare(k.name, other.name))
}

func (k kept) alike(other kept) bool { return k.source == other.source && k.reason == other.reason }

func expired(files []kept, now time.Time) []kept {
	var out []kept
	for _, k := range files {
		if now.Sub(k.at) > MaxAge {
			out = append(out, k)
		}
	}
	return out
}

// leaving chooses which of files, the oldest first, leave when own comes.
//
//   - Past its age: all.
//   - MaxAlike of own's kind: the oldest but the first, which shows how it
//     began.
//   - Too many or too large together: the oldest that is neither the first
//     nor the latest of its kind. Are there none, the oldest that is not the
//     first; and then the oldest.
//
// Own never leaves, though its page may be older than others.
func leaving(files []kept, own kept, now time.Time) []kept {
	out := expired(files, now)
	stay := slices.DeleteFunc(slices.Clone(files), func(k kept) bool { return slices.Contains(out, k) })
	stay = append(stay, own)
	slices.SortFunc(stay, kept.compare)
	drop := func(i int) {
		out = append(out, stay[i])
		stay = slices.Delete(stay, i, i+1)
	}

	// place tells where among those alike one stands.
	place := func(k kept) (first, last bool) {
		first, last = true, true
		for _, other := range stay {
			if other.alike(k) {
				first = first && other.compare(k) >= 0
				last = last && other.compare(k) <= 0
			}
		}
		return first, last
	}
	oldest := func(may func(first, last bool, k kept) bool) int {
		return slices.IndexFunc(stay, func(k kept) bool {
			first, last := place(k)
			return k != own && may(first, last, k)
		})
	}

	for {
		n, bytes := 0, int64(0)
		for _, k := range stay {
			bytes += k.size
			if k.alike(own) {
				n++
			}
		}
		i := -1
		switch {
		case n > MaxAlike:
			i = oldest(func(first, last bool, k kept) bool { return k.alike(own) && !first && !last })
		case len(stay) > MaxFiles || bytes > MaxBytes:
			for _, may := range []func(first, last bool, k kept) bool{
				func(first, last bool, _ kept) bool { return !first && !last },
				func(first, _ bool, _ kept) bool { return !first },
				func(_, _ bool, _ kept) bool { return true },
			} {
				if i = oldest(may); i >= 0 {
					break
				}
			}
		}
		if i < 0 {
			return out
		}
		drop(i)
	}
}
