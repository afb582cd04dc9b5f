package words

import (
	"bytes"
	"strings"
	"sync"
	"unicode/utf8"
)

// Possible reports, without cutting texts into words, whether a document of
// these texts might satisfy the query. False is certain; true means that
// [Query.Match] has to look. It saves nine tenths of the work where most
// adverts lack the word, for cutting costs twenty times as much as searching.
//
// It rests on this: a word of plain letters comes from text that holds it,
// with other capitals and apostrophes, and only its final y may have been
// "ies". Words that a spelling variant may stand for, and texts with letters
// beyond ASCII, are left to Match.
func (q *Query) Possible(texts ...string) bool {
	size := 0
	for _, t := range texts {
		size += len(t) + 1
	}
	plain := make([]byte, 0, size)
	for _, t := range texts {
		var ok bool
		if plain, ok = appendPlain(plain, t); !ok {
			return true
		}
		plain = append(plain, ' ')
	}
	return q.root.possible(plain)
}

func (n *Node) possible(plain []byte) bool {
	switch n.Op {
	case Term:
		for _, w := range n.Words {
			if stem, ok := stemOf(w); ok && !bytes.Contains(plain, []byte(stem)) {
				return false
			}
		}
		return true
	case Not:
		return true
	case Or:
		for _, k := range n.Kids {
			if k.possible(plain) {
				return true
			}
		}
		return false
	}
	for _, k := range n.Kids {
		if !k.possible(plain) {
			return false
		}
	}
	return true
}

// stemOf returns what text must hold for a normalised word; false where that
// cannot be said.
func stemOf(word string) (string, bool) {
	if replaced()[word] {
		return "", false
	}
	for i := range len(word) {
		if word[i] >= utf8.RuneSelf {
			return "", false
		}
	}
	return strings.TrimSuffix(word, "y"), true
}

// replaced are the words that spelling variants are turned into.
var replaced = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{"and": true} // of "&"
	for _, list := range variants() {
		for _, v := range list {
			for _, w := range v.to {
				set[w] = true
			}
		}
	}
	return set
})

// appendPlain appends a text in small letters and without apostrophes. It is
// false for a text with anything beyond ASCII but common punctuation.
func appendPlain(dst []byte, text string) ([]byte, bool) {
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c == '\'' || c == '`':
				continue
			case 'A' <= c && c <= 'Z':
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch r {
		case '’', '‘', '´':
		case '“', '”', '–', '—', '…', '•', '£', '\u00a0':
			dst = append(dst, ' ')
		default:
			return dst, false
		}
	}
	return dst, true
}
