package index

import (
	"slices"
	"strings"
	"sync"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// A dictionary numbers the terms of all keyword expressions: a word, a phrase,
// or either in the title only. An advert is read into the set of those terms
// that it holds, so that a phrase costs a search no more than a word. It also
// numbers the names of employers.
//
// It grows only: the terms of searches that have ended stay, some hundred
// bytes each, until the process ends.
type dictionary struct {
	mu    sync.RWMutex
	heads map[string]uint32 // a first word, to its node
	words map[string]uint32 // a word further on in a phrase, to its number
	edges map[edge]uint32   // a node and the word that follows, to a node
	nodes []node            // node 0 is none
	terms uint32            // the next term
	names map[string]uint32 // a folded name or account, to its number from 1
	areas []string          // by number
}

type edge struct{ node, word uint32 }

// A node is a word in its place in a phrase. Its terms end there.
type node struct {
	any, title uint32 // terms, 0 for none
	goesOn     bool
}

func newDictionary() *dictionary {
	return &dictionary{
		heads: map[string]uint32{}, words: map[string]uint32{}, edges: map[edge]uint32{},
		nodes: make([]node, 1), terms: 1, names: map[string]uint32{},
	}
}

// term returns the number of a term.
func (d *dictionary) term(phrase []string, title bool) uint32 {
	d.mu.RLock()
	t := d.find(phrase, title)
	d.mu.RUnlock()
	if t != 0 {
		return t
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.add(phrase, title)
}

func (d *dictionary) find(phrase []string, title bool) uint32 {
	at := d.heads[phrase[0]]
	for _, w := range phrase[1:] {
		number, ok := d.words[w]
		if !ok || at == 0 {
			return 0
		}
		at = d.edges[edge{at, number}]
	}
	if title {
		return d.nodes[at].title
	}
	return d.nodes[at].any
}

func (d *dictionary) add(phrase []string, title bool) uint32 {
	at, ok := d.heads[phrase[0]]
	if !ok {
		at = d.newNode()
		d.heads[strings.Clone(phrase[0])] = at
	}
	for _, w := range phrase[1:] {
		number, ok := d.words[w]
		if !ok {
			number = uint32(len(d.words)) + 1
			d.words[strings.Clone(w)] = number
		}
		next, ok := d.edges[edge{at, number}]
		if !ok {
			next = d.newNode()
			d.edges[edge{at, number}] = next
			d.nodes[at].goesOn = true
		}
		at = next
	}
	term := &d.nodes[at].any
	if title {
		term = &d.nodes[at].title
	}
	if *term == 0 {
		*term = d.terms
		d.terms++
	}
	return *term
}

func (d *dictionary) newNode() uint32 {
	d.nodes = append(d.nodes, node{})
	return uint32(len(d.nodes) - 1)
}

// name returns the number of a folded name.
func (d *dictionary) name(folded string) uint32 {
	d.mu.RLock()
	n, ok := d.names[folded]
	d.mu.RUnlock()
	if ok {
		return n
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, ok = d.names[folded]; !ok {
		n = uint32(len(d.names)) + 1
		d.names[strings.Clone(folded)] = n
	}
	return n
}

// area returns the number of an area.
func (d *dictionary) area(name string) uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := slices.Index(d.areas, name)
	if n < 0 {
		n = len(d.areas)
		d.areas = append(d.areas, strings.Clone(name))
	}
	return uint32(n)
}

// areaName returns the area of a number.
func (d *dictionary) areaName(n uint32) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.areas[n]
}

// read calls found with every term that the document holds, some of them more
// than once.
func (d *dictionary) read(doc *words.Doc, found func(term uint32)) {
	for _, b := range doc.Blocks {
		title := b.Name == words.Title
		for i, t := range b.Tokens {
			at := d.heads[t.Word]
			for k := i + 1; at != 0; k++ {
				n := &d.nodes[at]
				if n.any != 0 {
					found(n.any)
				}
				if title && n.title != 0 {
					found(n.title)
				}
				if !n.goesOn || k == len(b.Tokens) {
					break
				}
				number, ok := d.words[b.Tokens[k].Word]
				if !ok {
					break
				}
				at = d.edges[edge{at, number}]
			}
		}
	}
}

// size is how many terms and names there are.
func (d *dictionary) size() uint32 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.terms + uint32(len(d.names))
}
