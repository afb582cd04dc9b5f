// Package words is the one way in which vacancywatch turns text into words:
// adverts, keyword searches, job titles and the embedded word lists all pass
// through [Tokens], so that what looks equal to a reader compares equal.
//
// It also holds what is built directly on words: a [Trie] that finds phrases
// of a word list, a [Doc] of named blocks of an advert, and the keyword
// [Query] language of saved searches.
//
// It never stems, never guesses a synonym and never looks at a clock, a file
// or a network. It knows nothing of vacancies.
//
// Layout: words.go tokens; fold.go accents and compatibility forms;
// variants.go the embedded spelling variants; trie.go; document.go;
// query.go the query tree and its printing; parse.go; match.go; possible.go a
// quick look ahead; loosen.go what a query could ask for less of.
package words

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Break says what lies between a token and the one before it.
type Break uint8

const (
	NoBreak        Break = iota // the same sentence goes on
	SentenceBreak               // a new sentence, line or list entry
	ParagraphBreak              // a new paragraph
)

// A Token is one word of a text.
type Token struct {
	// Word is the normalised word: lower case, without accents, possessive
	// or plural s.
	Word string
	// Cased is the word as it was written, without a possessive 's. Rules
	// about capitals look at it.
	Cased string
	// Start and End are byte offsets into the text, a possessive included,
	// so that text[Start:End] can be quoted. Words that share one spelling
	// ("healthcare" is two words) share their offsets.
	Start, End int
	// Break says what separates the token from its predecessor.
	Break Break
}

// Tokens splits a text into normalised words, in order.
//
//   - Letters and digits make words; everything else separates them, hyphens
//     and slashes included. "&" is the word "and".
//   - Accents and compatibility forms (ligatures, full-width letters,
//     superscripts) are folded, see fold.go.
//   - A possessive 's is dropped, as is an apostrophe inside a word.
//   - A final s is dropped from words of four letters or more, but not from
//     -ss, -us and -is; -ies becomes -y in words of five letters or more. The
//     s after two or more capitals goes at any length ("GPs").
//   - Spelling variants of the embedded list are replaced ("co-ordinator" and
//     "coordinator" are one word).
func Tokens(text string) []Token {
	return joinVariants(text, scan(text))
}

// Normalise returns the words of a text, joined by single spaces. It is
// idempotent: normalising its own result changes nothing.
func Normalise(text string) string {
	tokens := Tokens(text)
	var b strings.Builder
	b.Grow(len(text))
	for i, t := range tokens {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.Word)
	}
	return b.String()
}

// Split returns the words of a text as a list.
func Split(text string) []string {
	tokens := Tokens(text)
	list := make([]string, len(tokens))
	for i, t := range tokens {
		list[i] = t.Word
	}
	return list
}

// Shouted reports whether a text is written in capitals throughout, so that
// capitals tell nothing about a single word. A text of one or two short words
// ("ICU RN") is not shouted.
func Shouted(text string) bool {
	long := false
	run := 0
	for _, r := range text {
		switch {
		case unicode.IsLower(r):
			return false
		case unicode.IsUpper(r):
			run++
			long = long || run > 5
		default:
			run = 0
		}
	}
	return long
}

// scan cuts a text into single words without looking at variants.
func scan(text string) []Token {
	tokens := make([]Token, 0, len(text)/6+1)
	last := 0 // end of the token before, to judge the gap
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == '&' || r == '＆' {
			tokens = append(tokens, Token{"and", text[i : i+size], i, i + size, gap(text, tokens, last, i)})
			i += size
			last = i
			continue
		}
		if !wordRune(r) {
			i += size
			continue
		}
		end := wordEnd(text, i)
		word, cased := normaliseWord(text[i:end])
		if word != "" {
			tokens = append(tokens, Token{word, cased, i, end, gap(text, tokens, last, i)})
			last = end
		}
		i = end
	}
	return tokens
}

// wordEnd returns the end of the word that starts at i. Apostrophes count
// when a letter or digit follows; invisible marks never end a word.
func wordEnd(text string, i int) int {
	end := i
	for j := i; j < len(text); {
		r, size := utf8.DecodeRuneInString(text[j:])
		switch {
		case wordRune(r):
			end = j + size
		case ignorable(r):
		case apostrophe(r):
			next, _ := utf8.DecodeRuneInString(text[j+size:])
			if !wordRune(next) {
				return end
			}
		default:
			return end
		}
		j += size
	}
	return end
}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	if apostrophe(r) {
		return false
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || compatible(r)
}

func ignorable(r rune) bool {
	if r < utf8.RuneSelf {
		return false
	}
	return unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r)
}

func apostrophe(r rune) bool {
	switch r {
	case '\'', '’', '‘', 'ʼ', '＇', '′', '`', '´':
		return true
	}
	return false
}

// normaliseWord folds one word and returns it beside its cased spelling.
func normaliseWord(raw string) (word, cased string) {
	plain := raw
	if stem, ok := cutPossessive(raw); ok {
		plain = stem
	}
	word = foldWord(plain)
	caps := acronymPlural(plain)
	switch {
	case keeps(word):
	case caps:
		word = strings.TrimSuffix(word, "s")
	default:
		word = singular(word)
	}
	return word, plain
}

// cutPossessive takes every 's from the end of a word.
func cutPossessive(raw string) (string, bool) {
	found := false
	for {
		if len(raw) == 0 || raw[len(raw)-1] != 's' && raw[len(raw)-1] != 'S' {
			return raw, found
		}
		stem := raw[:len(raw)-1]
		r, size := utf8.DecodeLastRuneInString(stem)
		if !apostrophe(r) || len(stem) == size {
			return raw, found
		}
		raw, found = stem[:len(stem)-size], true
	}
}

// acronymPlural reports whether a word is two or more capitals and a small s.
func acronymPlural(s string) bool {
	if len(s) < 3 || s[len(s)-1] != 's' {
		return false
	}
	for i := range len(s) - 1 {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// singular applies the plural rule to a folded word. Words with other than
// the letters a to z before the final s (codes such as "b2s") stay.
func singular(w string) string {
	n := len(w)
	if n < 4 || w[n-1] != 's' {
		return w
	}
	switch w[n-2] {
	case 's', 'u', 'i':
		return w
	}
	if w[n-2] < 'a' || w[n-2] > 'z' {
		return w
	}
	if n >= 5 && w[n-3:] == "ies" {
		return w[:n-3] + "y"
	}
	return w[:n-1]
}

// gap judges what lies between the last token and a token at start.
func gap(text string, tokens []Token, from, start int) Break {
	if len(tokens) == 0 {
		return NoBreak
	}
	s := text[from:start]
	if s == " " || s == "-" {
		return NoBreak
	}
	line := strings.IndexByte(s, '\n')
	bullet := strings.ContainsAny(s, "•●▪◦‣·*")
	if line < 0 {
		if bullet || sentenceEnd(s, tokens[len(tokens)-1]) {
			return SentenceBreak
		}
		return NoBreak
	}
	if strings.Contains(strings.Map(dropSpace, s), "\n\n") {
		return ParagraphBreak
	}
	stopped := strings.ContainsAny(s[:line], ".!?")
	if stopped && !bullet {
		return ParagraphBreak
	}
	r, _ := utf8.DecodeRuneInString(text[start:])
	if unicode.IsLower(r) && !bullet && !stopped {
		return NoBreak // a line wrapped in the middle of a sentence
	}
	return SentenceBreak
}

func dropSpace(r rune) rune {
	if r != '\n' && unicode.IsSpace(r) {
		return -1
	}
	return r
}

// sentenceEnd reports whether a gap holds a full stop that ends a sentence:
// one that is followed by space, and not the stop of an abbreviation.
func sentenceEnd(s string, before Token) bool {
	i := strings.IndexAny(s, ".!?")
	if i < 0 || i+1 >= len(s) {
		return false
	}
	if s[i] != '.' {
		return true
	}
	if strings.IndexFunc(s[i+1:], unicode.IsSpace) < 0 {
		return false
	}
	if len(before.Cased) == 1 && before.Cased[0] >= 'a' {
		return false // e.g., i.e., p.a.
	}
	switch before.Word {
	case "dr", "mr", "mrs", "ms", "st", "approx", "incl", "inc", "vs", "prof":
		return i > 0
	}
	return true
}
