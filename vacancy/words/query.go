package words

import "strings"

// Limits of a keyword expression. They keep a saved search cheap to test
// against every advert.
const (
	MaxTerms = 64
	MaxDepth = 8
)

// An Op is the kind of a node of a query.
type Op uint8

const (
	Term Op = iota // words side by side
	And            // every kid
	Or             // at least one kid
	Not            // not the one kid
)

// A Node is a part of a query. Nodes are never changed after parsing. An And
// has no And among its kids and an Or no Or, and a Not
// no Not: brackets that change nothing leave no trace.
type Node struct {
	Op    Op
	Kids  []*Node  // of And and Or at least two, of Not one
	Words []string // of a Term: normalised, at least one
	Text  string   // of a Term: as the user wrote it, without quotes
	Title bool     // of a Term: looked for in the title only
	// Quoted tells a phrase in quotes from a bare word. It matters for
	// printing only: "and" in quotes is a word, not an operator.
	Quoted bool
}

// A Query is a parsed keyword expression. It is never empty.
type Query struct {
	root  *Node
	hints []string
}

// Root returns the query's tree, for those who compile it. It must not be
// changed.
func (q *Query) Root() *Node { return q.root }

// Hints returns sentences about what the user may have meant otherwise: a
// comma that may stand for OR, a pay band among the words. They are for an
// editor to ask about; the query itself is valid.
func (q *Query) Hints() []string { return q.hints }

// String prints the query in its own language. Parsing the result gives the
// same tree.
func (q *Query) String() string {
	var b strings.Builder
	q.root.print(&b)
	return b.String()
}

func (n *Node) print(b *strings.Builder) {
	switch n.Op {
	case Term:
		if n.Title {
			b.WriteString("title:")
		}
		if n.Quoted {
			b.WriteString(`"` + n.Text + `"`)
		} else {
			b.WriteString(n.Text)
		}
	case Not:
		b.WriteString("NOT ")
		n.Kids[0].printIn(b, n.Kids[0].Op != Term)
	case And:
		for i, k := range n.Kids {
			if i > 0 {
				b.WriteByte(' ')
			}
			k.printIn(b, k.Op == Or)
		}
	case Or:
		for i, k := range n.Kids {
			if i > 0 {
				b.WriteString(" OR ")
			}
			k.printIn(b, false)
		}
	}
}

func (n *Node) printIn(b *strings.Builder, brackets bool) {
	if !brackets {
		n.print(b)
		return
	}
	b.WriteByte('(')
	n.print(b)
	b.WriteByte(')')
}

// Words says in plain English what the query asks for, such as
// "all of: nurse, oncology; none of: bank".
func (q *Query) Words() string { return q.root.words() }

func (n *Node) words() string {
	switch n.Op {
	case Term:
		return n.term()
	case Not:
		return "none of: " + n.Kids[0].inner()
	case Or:
		return "any of: " + list(n.Kids)
	}
	var wanted, excluded []*Node
	for _, k := range n.Kids {
		if k.Op == Not {
			excluded = append(excluded, k.Kids[0])
		} else {
			wanted = append(wanted, k)
		}
	}
	var parts []string
	switch len(wanted) {
	case 0:
	case 1:
		parts = append(parts, wanted[0].words())
	default:
		parts = append(parts, "all of: "+list(wanted))
	}
	if len(excluded) > 0 {
		parts = append(parts, "none of: "+list(excluded))
	}
	return strings.Join(parts, "; ")
}

func list(nodes []*Node) string {
	parts := make([]string, len(nodes))
	for i, k := range nodes {
		parts[i] = k.inner()
	}
	return strings.Join(parts, ", ")
}

// inner is words inside a list: what is no single term stands in brackets.
func (n *Node) inner() string {
	if n.Op == Term {
		return n.term()
	}
	return "(" + n.words() + ")"
}

func (n *Node) term() string {
	s := n.Text
	if len(n.Words) > 1 && n.Quoted {
		s = `"` + s + `"`
	}
	if n.Title {
		s += " in the title"
	}
	return s
}

// OnlyNot reports whether the query accepts an advert that holds none of its
// words. Such a query cannot find anything by itself: another criterion has
// to anchor the search.
func (q *Query) OnlyNot() bool { return q.root.empty() }

// empty evaluates the query for a document without words.
func (n *Node) empty() bool {
	switch n.Op {
	case Term:
		return false
	case Not:
		return !n.Kids[0].empty()
	case Or:
		for _, k := range n.Kids {
			if k.empty() {
				return true
			}
		}
		return false
	}
	for _, k := range n.Kids {
		if !k.empty() {
			return false
		}
	}
	return true
}
