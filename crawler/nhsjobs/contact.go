package nhsjobs

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	// mailRE matches a mail address, also one with its sign written out or
	// with a space before it, and one without a top-level domain.
	mailRE = regexp.MustCompile(`(?i)[\p{L}\d._%+'’-]+(?:@[\p{L}\d][\p{L}\d.-]*|\s?(?:@|\(at\)|\[at\])\s?[\p{L}\d-]+(?:\.[\p{L}\d-]+)*\.\p{L}{2,})`)
	// phoneRE matches a telephone number of the United Kingdom, with or
	// without country code and extension, and a bare extension or bleep.
	phoneRE = regexp.MustCompile(`(?i)(?:(?:\+|\b00)\s?44[\s.()-]*(?:0[\s)]*)?[1-9](?:[\s.()-]{0,3}\d){8,9}|\(?\b0[\s.()-]{0,2}[1-9](?:[\s.()-]{0,3}\d){8,9})\b(?:[\s,]*(?:ext(?:ension|n)?\.?|x)\s*:?\s*\d{2,6}\b)?|\b(?:ext(?:ension|n)?|bleep|tel|mob|mobile|telephone|phone)\.?\s*(?:number|no\.?)?\s*:?\s*\d{3,}[\d\s]*`)

	// cueRE opens a clause that leads to a person.
	cueRE = regexp.MustCompile(`(?i)\b(?:(?:please|kindly|do|to)\s+)*(?:feel free to\s+|do not hesitate to\s+|don['’]t hesitate to\s+)?(?:get in touch|contact|call|ring|telephone|phone|e-?mail|speak (?:to|with)|talk to|reach|liaise with|enquiries(?: to)?|queries to|addressed to|tel|mob(?:ile)?)\b`)
)

// The expressions above cost some 50 ns a byte and nearly every text holds
// nothing for them. Each is therefore asked only where a look at the bytes
// finds what every match of it must hold. The looks may say yes to a text
// without a match, never no to one with a match: a test holds them against
// the expressions alone. A change of an expression is one of its look.

func contactIn(s string) bool { return mailIn(s) || phoneIn(s) }

func mailIn(s string) bool { return mayMail(s) && mailRE.MatchString(s) }

func phoneIn(s string) bool { return mayPhone(s) && phoneRE.MatchString(s) }

// contactAt is where the first contact begins, len(s) without one.
func contactAt(s string) int {
	at := len(s)
	if mayMail(s) {
		if loc := mailRE.FindStringIndex(s); loc != nil {
			at = loc[0]
		}
	}
	if mayPhone(s) {
		if loc := phoneRE.FindStringIndex(s); loc != nil {
			at = min(at, loc[0])
		}
	}
	return at
}

// unContact puts with in the place of every contact.
func unContact(s, with string) string {
	if mayMail(s) {
		s = mailRE.ReplaceAllString(s, with)
	}
	if mayPhone(s) {
		s = phoneRE.ReplaceAllString(s, with)
	}
	return s
}

// cueIn is the first match of cueRE, nil without one.
func cueIn(s string) []int {
	if !mayCue(s) {
		return nil
	}
	return cueRE.FindStringIndex(s)
}

// mayMail looks for the sign of a mail address, also written out.
func mayMail(s string) bool {
	if strings.IndexByte(s, '@') >= 0 {
		return true
	}
	for i := 0; ; i++ {
		j := strings.IndexAny(s[i:], "([")
		if j < 0 {
			return false
		}
		if i += j; len(s)-i >= 4 && s[i+1]|0x20 == 'a' && s[i+2]|0x20 == 't' && (s[i+3] == ')' || s[i+3] == ']') {
			return true
		}
	}
}

// leastDigits is the number of digits in the shortest number: 0, another that
// is not 0, and 8 more.
const leastDigits = 10

// mayPhone looks for a stretch of what numbers are written with that holds
// digits enough for one, and for three digits behind a word that announces an
// extension.
func mayPhone(s string) bool {
	digits, run := 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digits++
			run++
			if digits >= leastDigits || run == 3 && announced(s[:i-2]) {
				return true
			}
			continue
		case isSpace(c), c == '.', c == '(', c == ')', c == '-', c == '+':
		default:
			digits = 0
		}
		run = 0
	}
	return false
}

// announced reports whether a text ends as the words do that stand before an
// extension. No letter in these endings has a form outside of ASCII.
func announced(s string) bool {
	end := len(s)
	for end > 0 && (isSpace(s[end-1]) || s[end-1] == ':' || s[end-1] == '.') {
		end--
	}
	if end == 0 {
		return false
	}
	for _, ending := range [...]string{"ext", "ion", "extn", "eep", "tel", "mob", "ile", "one", "ber", "no"} {
		if s[end-1]|0x20 == ending[len(ending)-1] && end >= len(ending) && strings.EqualFold(s[end-len(ending):end], ending) {
			return true
		}
	}
	return false
}

// isSpace reports whether c is what \s matches.
func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' }

// cueWords are the beginnings of what every cue holds, by their first letter.
var cueWords = map[byte][]string{'a': {"addressed to"}, 'c': {"contact", "call"}, 'e': {"email", "e-mail", "enquiries"},
	'g': {"get in touch"}, 'l': {"liaise with"}, 'm': {"mob"}, 'p': {"phone"}, 'q': {"queries to"}, 'r': {"ring", "reach"},
	's': {"speak "}, 't': {"tel", "talk to"}}

// mayCue looks for a word that begins as one of a cue does. S and K have forms
// outside of ASCII that match as well: a text with one of these is a yes.
func mayCue(s string) bool {
	inWord, found := false, false
	for i := 0; i < len(s) && !found; i++ {
		c := s[i]
		was := inWord
		inWord = 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_'
		switch {
		case c == "ſ"[0]:
			found = strings.HasPrefix(s[i:], "ſ")
		case c == "\u212a"[0]:
			found = strings.HasPrefix(s[i:], "\u212a")
		case inWord && !was:
			for _, w := range cueWords[c|0x20] {
				found = found || len(s)-i >= len(w) && strings.EqualFold(s[i:i+len(w)], w)
			}
		}
	}
	return found
}

// A person is a name to be taken out of texts.
type person struct {
	words []string
	re    *regexp.Regexp // made when first needed
}

// people prepares names; a title is no part of one.
func people(names ...string) []*person {
	var out []*person
	for _, name := range names {
		out = append(out, &person{words: strings.Fields(honorific.ReplaceAllString(squeeze(name), ""))})
	}
	return out
}

// in returns the expression for a name in any case, as a whole, where a text
// may hold it; else nil.
func (p *person) in(text string) *regexp.Regexp {
	for _, w := range p.words {
		if !containsFold(text, w) {
			return nil
		}
	}
	if p.re == nil {
		quoted := make([]string, len(p.words))
		for i, w := range p.words {
			quoted[i] = regexp.QuoteMeta(w)
		}
		re, err := regexp.Compile(`(?i)(^|[^\p{L}])` + strings.Join(quoted, `\s+`) + `($|[^\p{L}])`)
		if err != nil {
			return nil // Unreachable: quoted words always compile.
		}
		p.re = re
	}
	return p.re
}

// containsFold reports whether text holds word, in any case, as (?i) sees it.
func containsFold(text, word string) bool {
	first, _ := utf8.DecodeRuneInString(word)
	for i, r := range text {
		if equalFold(r, first) && prefixFold(text[i:], word) {
			return true
		}
	}
	return word == ""
}

func prefixFold(text, word string) bool {
	for len(word) > 0 {
		if text == "" {
			return false
		}
		r, n := utf8.DecodeRuneInString(text)
		w, m := utf8.DecodeRuneInString(word)
		if !equalFold(r, w) {
			return false
		}
		text, word = text[n:], word[m:]
	}
	return true
}

// equalFold reports whether two characters are one but for their case.
func equalFold(a, b rune) bool {
	if a == b {
		return true
	}
	if a < utf8.RuneSelf && b < utf8.RuneSelf {
		return a|0x20 == b|0x20 && 'a' <= a|0x20 && a|0x20 <= 'z'
	}
	if a < utf8.RuneSelf && a|0x20 != 's' && a|0x20 != 'k' || b < utf8.RuneSelf && b|0x20 != 's' && b|0x20 != 'k' {
		return false
	}
	for r := unicode.SimpleFold(a); r != a; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return false
}
