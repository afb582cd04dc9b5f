package words

// A Trie finds the phrases of a word list in a text, word by word. Build it
// with Add, then share it freely: looking changes nothing.
type Trie struct {
	root trieNode
}

type trieNode struct {
	next   map[string]*trieNode
	values []int
}

// Add files value under a phrase. Several values may share one phrase. An
// empty phrase is ignored.
func (t *Trie) Add(phrase []string, value int) {
	if len(phrase) == 0 {
		return
	}
	n := &t.root
	for _, w := range phrase {
		if n.next == nil {
			n.next = make(map[string]*trieNode)
		}
		child := n.next[w]
		if child == nil {
			child = new(trieNode)
			n.next[w] = child
		}
		n = child
	}
	n.values = append(n.values, value)
}

// Longest returns the values of the longest phrase that begins at token i and
// for which accept holds, with its length in words; zero when there is none.
// Values that are not accepted are left out, and a phrase without accepted
// values gives way to a shorter one. A phrase never spans a sentence.
func (t *Trie) Longest(tokens []Token, i int, accept func(length, value int) bool) (length int, values []int) {
	var ends [16]*trieNode // nodes with values, by length; phrases are short
	deepest := 0
	n := &t.root
	for k := 0; i+k < len(tokens) && k+1 < len(ends); k++ {
		if k > 0 && tokens[i+k].Break != NoBreak {
			break
		}
		n = n.next[tokens[i+k].Word]
		if n == nil {
			break
		}
		if len(n.values) > 0 {
			deepest = k + 1
			ends[deepest] = n
		}
	}
	for length = deepest; length > 0; length-- {
		if ends[length] == nil {
			continue
		}
		for _, v := range ends[length].values {
			if accept(length, v) {
				values = append(values, v)
			}
		}
		if len(values) > 0 {
			return length, values
		}
	}
	return 0, nil
}
