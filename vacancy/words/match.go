package words

import "strings"

// Match reports whether a document satisfies the query, and why, in words
// that can be shown: `"secretary" in the title` when it does, and when it
// does not, which word is missing or which excluded word was found. A word
// matches itself after normalisation, whole; a phrase needs its words side by
// side within one block.
func (q *Query) Match(d *Doc) (ok bool, evidence string) {
	r := q.root.match(d)
	switch {
	case !r.ok:
		return false, r.fault
	case len(r.found) > 0:
		return true, strings.Join(r.found, ", ")
	}
	return true, strings.Join(r.absent, ", ")
}

// A result says how a node fared: with ok, what was found and what was
// rightly absent; without, one sentence about what was wrong.
type result struct {
	ok            bool
	found, absent []string
	fault         string
}

func (n *Node) match(d *Doc) result {
	switch n.Op {
	case Term:
		in := ""
		if n.Title {
			in = Title
		}
		if block, _, ok := d.Find(n.Words, in); ok {
			return result{ok: true, found: []string{quoted(n) + " in the " + d.Blocks[block].Name}}
		}
		if n.Title {
			return result{fault: quoted(n) + " is not in the title"}
		}
		return result{fault: quoted(n) + " is missing"}

	case Not:
		kid := n.Kids[0]
		r := kid.match(d)
		switch {
		case r.ok:
			return result{fault: strings.Join(append(r.found, r.absent...), ", ") + ", which is excluded"}
		case kid.Op == Term && !kid.Title:
			return result{ok: true, absent: []string{"no " + quoted(kid)}}
		}
		return result{ok: true, absent: []string{r.fault}}

	case Or:
		var faults []string
		for _, k := range n.Kids {
			r := k.match(d)
			if r.ok {
				return r
			}
			faults = append(faults, r.fault)
		}
		if s, ok := n.allTerms(); ok {
			return result{fault: "none of " + s + " is there"}
		}
		return result{fault: strings.Join(faults, ", and ")}
	}

	all := result{ok: true}
	for _, k := range n.Kids {
		r := k.match(d)
		if !r.ok {
			return r
		}
		all.found = append(all.found, r.found...)
		all.absent = append(all.absent, r.absent...)
	}
	return all
}

// allTerms lists the kids of a node when all are plain terms.
func (n *Node) allTerms() (string, bool) {
	var parts []string
	for _, k := range n.Kids {
		if k.Op != Term || k.Title {
			return "", false
		}
		parts = append(parts, quoted(k))
	}
	return strings.Join(parts, ", "), true
}

func quoted(n *Node) string { return `"` + n.Text + `"` }
