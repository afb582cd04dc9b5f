package words

import "slices"

// Never returns the words for which no advert can satisfy the query, such as
// "nurse" in `"staff nurse" NOT nurse`, and reports whether there are any. It
// finds what people write by mistake, a word that is both asked for and
// excluded; it is no full proof.
func (q *Query) Never() (word string, never bool) {
	return q.root.clash(nil, nil)
}

// clash looks for an excluded term inside a wanted one. Want and not are the
// terms that stand beside n under AND.
func (n *Node) clash(want, not []*Node) (string, bool) {
	kids := []*Node{n}
	if n.Op == And {
		kids = n.Kids
	}
	want, not = slices.Clone(want), slices.Clone(not)
	for _, k := range kids {
		switch {
		case k.Op == Term:
			want = append(want, k)
		case k.Op == Not && k.Kids[0].Op == Term:
			not = append(not, k.Kids[0])
		case k.Op == Not && k.Kids[0].Op == Or:
			// None of several is excluded one by one.
			for _, o := range k.Kids[0].Kids {
				if o.Op == Term {
					not = append(not, o)
				}
			}
		}
	}
	for _, w := range want {
		for _, x := range not {
			if w.holds(x) {
				return x.Text, true
			}
		}
	}
	for _, k := range kids {
		if k.Op != Or {
			continue
		}
		word, all := "", true
		for _, branch := range k.Kids {
			w, never := branch.clash(want, not)
			if all = all && never; !all {
				break
			}
			word = w
		}
		if all {
			return word, true
		}
	}
	return "", false
}

// holds reports whether a text with the wanted term w always has x as well.
func (w *Node) holds(x *Node) bool {
	if x.Title && !w.Title {
		return false
	}
	for i := 0; i+len(x.Words) <= len(w.Words); i++ {
		if slices.Equal(w.Words[i:i+len(x.Words)], x.Words) {
			return true
		}
	}
	return false
}

// Nearly returns the query with its one unmet term made easier, for an advert
// that misses it narrowly: a title: word that stands elsewhere, or a phrase
// whose words stand apart. Change says what was eased. It is false when the
// query is met, when more is missing, or when an excluded word is in the way:
// what somebody excludes is never let in.
func (q *Query) Nearly(d *Doc) (eased *Query, change string, ok bool) {
	kids := q.conjuncts()
	miss := -1
	for i, k := range kids {
		if k.match(d).ok {
			continue
		}
		if miss >= 0 || k.Op != Term {
			return nil, "", false
		}
		miss = i
	}
	if miss < 0 {
		return nil, "", false
	}
	term := kids[miss]
	with := func(terms ...*Node) *Query {
		return allOf(slices.Concat(kids[:miss], terms, kids[miss+1:]))
	}
	if term.Title {
		anywhere := *term
		anywhere.Title = false
		if anywhere.match(d).ok {
			return with(&anywhere), quoted(term) + " anywhere in the advert, not only in the title", true
		}
	}
	if len(term.Words) < 2 {
		return nil, "", false
	}
	apart := make([]*Node, len(term.Words))
	for i, w := range term.Words {
		// In quotes, for the word may be an operator.
		apart[i] = &Node{Op: Term, Words: []string{w}, Text: w, Title: term.Title, Quoted: true}
		if !apart[i].match(d).ok {
			return nil, "", false
		}
	}
	return with(apart...), "the words of " + quoted(term) + " without standing side by side", true
}

// A Relaxed query asks for less than the one that it was made from.
type Relaxed struct {
	Query *Query // nil where nothing is left to look for
	// Dropped are the words that are no longer asked for, as written.
	Dropped string
}

// Relax returns the query once without each of the things that it asks for.
// Excluded words stay in all of them.
func (q *Query) Relax() []Relaxed {
	kids := q.conjuncts()
	var out []Relaxed
	for i, k := range kids {
		if k.empty() {
			continue // an exclusion
		}
		r := Relaxed{Dropped: (&Query{root: k}).String()}
		if rest := slices.Concat(kids[:i], kids[i+1:]); len(rest) > 0 {
			r.Query = allOf(rest)
		}
		out = append(out, r)
	}
	return out
}

// conjuncts returns what must all be met.
func (q *Query) conjuncts() []*Node {
	if q.root.Op == And {
		return q.root.Kids
	}
	return []*Node{q.root}
}

// allOf makes a query of nodes that must all be met.
func allOf(nodes []*Node) *Query { return &Query{root: group(And, nodes)} }

// Excludes reports whether the query has a word that an advert must not hold.
func (q *Query) Excludes() bool { return q.root.excludes() }

func (n *Node) excludes() bool {
	return n.Op == Not || slices.ContainsFunc(n.Kids, (*Node).excludes)
}
