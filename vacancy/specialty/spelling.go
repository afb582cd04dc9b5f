package specialty

import (
	"slices"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// A title is one line typed in a hurry, and often all that names the
// specialty, so long words in it may have one fault: "Opthalmology",
// "Peadiatric". Short words may not, for among them one letter tells a field
// from another (urology, neurology), and prose names its subject again.

// longWord is the least length of a word that may be mended.
const longWord = 9

// A dictionary holds the words of the aliases, the long ones by their first
// letter, in which faults are rare.
type dictionary struct {
	known map[string]bool
	long  map[byte][]string
}

func (d *dictionary) add(phrase []string) {
	if d.known == nil {
		d.known, d.long = map[string]bool{}, map[byte][]string{}
	}
	for _, w := range phrase {
		if d.known[w] {
			continue
		}
		d.known[w] = true
		if len(w) >= longWord {
			d.long[w[0]] = append(d.long[w[0]], w)
		}
	}
}

// mend returns the one word of the dictionary that differs from an unknown
// long word by a single fault, and otherwise the word itself.
func (d *dictionary) mend(word string) string {
	if len(word) < longWord || d.known[word] {
		return word
	}
	found := ""
	for _, w := range d.long[word[0]] {
		if len(w)-len(word) > 1 || len(word)-len(w) > 1 || edits(word, w) != 1 {
			continue
		}
		if found != "" {
			return word // It may be either.
		}
		found = w
	}
	if found == "" {
		return word
	}
	return found
}

// mendAll mends the words of a title. Where nothing is to be mended it returns
// the tokens as they are.
func (d *dictionary) mendAll(tokens []words.Token) []words.Token {
	mended := tokens
	for i, t := range tokens {
		w := d.mend(t.Word)
		if w == t.Word {
			continue
		}
		if &mended[0] == &tokens[0] {
			mended = slices.Clone(tokens)
		}
		mended[i].Word = w
	}
	return mended
}
