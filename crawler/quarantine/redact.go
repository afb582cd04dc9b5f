package quarantine

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What stands in the place of what was taken out. To a reader that knows
// addresses, numbers and names they are such still, so a page reads as before:
// a domain that cannot be, a number from the range kept for drama, and a name
// of nobody.
const (
	noMail  = "removed@mail.invalid"
	noPhone = "01632960000"
	noExt   = "000"
	noName  = "Name Removed"
	noToken = "removed"
)

// counts says how much was taken out of a body.
type counts struct {
	Mails  int `json:"mails"`
	Phones int `json:"phones"`
	Names  int `json:"names"`
	Tokens int `json:"tokens"`
}

// redact returns a copy of body, of whatever type, without addresses,
// telephone numbers, names of contacts where the markup says that they are
// such, and tokens. It works on the bytes and in one direction, so that no
// body takes longer than its length allows; what is written across tags it
// does not see.
func redact(body []byte) ([]byte, counts) {
	var n counts
	body, n.Tokens = replace(body, secrets(body))
	body, n.Names = nameless(body)
	// Numbers first: one behind an at sign would become the domain of another.
	body, n.Phones = replace(body, phones(body))
	body, n.Mails = replace(body, mails(body))
	return body, n
}

// A span is a part of a body and what takes its place.
type span struct {
	from, to int
	with     string
}

// replace returns a copy of b with the spans, which are in order, replaced,
// and how many of them were not so before.
func replace(b []byte, spans []span) ([]byte, int) {
	var out bytes.Buffer
	at, n := 0, 0
	for _, s := range spans {
		if s.from < at {
			continue // A part of what was taken out already.
		}
		if string(b[s.from:s.to]) != s.with {
			n++
		}
		out.Write(b[at:s.from])
		out.WriteString(s.with)
		at = s.to
	}
	out.Write(b[at:])
	return out.Bytes(), n
}

// mails finds mail addresses, also ones with the sign written out or with a
// space beside it.
func mails(b []byte) []span {
	var out []span
	start, gap := -1, false // of the word before, and whether a space follows it
	for i := 0; i < len(b); {
		r, n := charAt(b, i)
		sign := 0
		switch {
		case r == '@':
			sign = n
		case (r == '(' || r == '[') && len(b) >= i+n+3 && bytes.EqualFold(b[i+n:i+n+2], []byte("at")):
			if closing, m := charAt(b, i+n+2); closing == ')' || closing == ']' {
				sign = n + 2 + m
			}
		}
		switch {
		case sign > 0:
			from, end, dotted := start, 0, false
			space := 0
			if i+sign < len(b) {
				if r, n := charAt(b, i+sign); r == ' ' {
					space = n
				}
			}
			end, dotted = domain(b, i+sign+space)
			// A letter before that begins no word was taken for the end of an escape.
			touched := start >= 0 && !gap || i > 0 && isWord(rune(b[i-1]))
			if from < 0 && (touched || i > 0 && b[i-1] == '>') {
				from = i // The word before stands in a tag of its own.
			}
			if from >= 0 && end > 0 && (dotted || touched && r == '@' && space == 0) {
				out = append(out, span{from, end, noMail})
				i, start, gap = end, -1, false
				continue
			}
			start, gap = -1, false
		case isLocal(r):
			if start < 0 || gap {
				start, gap = i, false
				if r == '\'' || r == '’' {
					start = -1 // It quotes, and must stay.
				}
			}
		case r == ' ' && start >= 0 && !gap:
			gap = true
		default:
			start, gap = -1, false
		}
		i += n
	}
	return out
}

// isLocal reports whether r may stand before the sign of an address.
func isLocal(r rune) bool {
	return isWord(r) || r == '.' || r == '%' || r == '+' || r == '\'' || r == '’' || r == '-'
}

// domain returns the end of the domain that begins at b[i], without a full
// stop or hyphen behind it; 0 if there is none. It is dotted if its last part
// can be a top-level one.
func domain(b []byte, i int) (end int, dotted bool) {
	letters, dots := 0, 0
	for i < len(b) {
		r, n := charAt(b, i)
		switch {
		case r == '_' || !isWord(r) && r != '.' && r != '-':
			return end, dotted
		case end == 0 && (r == '.' || r == '-'):
			return 0, false
		case r == '.':
			dots, letters = dots+1, 0
		case r == '-' || isDigit(r):
			letters = 0
		default:
			letters++
			dotted = dotted || dots > 0 && letters >= 2
		}
		i += n
		if isWord(r) {
			end = i
		}
	}
	return end, dotted
}

// phones finds telephone numbers: of the United Kingdom in all their forms,
// those of other countries that begin with a plus sign, and extensions behind
// a word that says so.
func phones(b []byte) []span {
	var out []span
	before := rune(' ')
	for i := 0; i < len(b); {
		r, n := charAt(b, i)
		if isDigit(r) && !isDigit(before) || r == '+' {
			end, with := 0, noPhone
			if r == '+' || !isWord(before) {
				end = number(b, i)
			}
			if end == 0 && isDigit(r) {
				end, with = extension(b, i), noExt
			}
			if end > 0 {
				out = append(out, span{i, end, with})
				i, before = end, '0'
				continue
			}
		}
		// What looks like an escape may be a number behind a sign: "%0113".
		escaped := false
		for j := i + 1; j < i+n && !escaped; j++ {
			if b[j] == '0' && !isWord(rune(b[j-1])) {
				if end := number(b, j); end > 0 {
					out = append(out, span{j, end, noPhone})
					i, before, escaped = end, '0', true
				}
			}
		}
		if !escaped {
			i, before = i+n, r
		}
	}
	return out
}

// number returns the end of the telephone number that begins at b[i], 0 if
// there is none.
func number(b []byte, i int) int {
	const most = 15 // digits of any number in the world
	plus := false
	if r, n := charAt(b, i); r == '+' {
		plus, i = true, i+n
	}
	var digits [most + 2]byte
	var ends, next [most + 2]int // behind each digit; whether a digit or letter follows at once
	k, gap := 0, 0
	for k < len(digits) && i < len(b) && gap <= 3 {
		r, n := charAt(b, i)
		switch {
		case isDigit(r):
			digits[k], ends[k] = byte(r), i+n
			if k > 0 && gap == 0 {
				next[k-1] = 1
			}
			k, gap = k+1, 0
		case r == ' ' || r == '.' || r == '(' || r == ')' || r == '-' || r == '+' && k > 0:
			gap++
		default:
			gap = 4 // No part of a number.
		}
		i += n
	}
	ds := string(digits[:k])
	// until returns the end of a number of so many digits, tried in turn.
	until := func(lengths ...int) int {
		for _, l := range lengths {
			if l <= k && next[l-1] == 0 {
				return ends[l-1]
			}
		}
		return 0
	}
	from := 0
	switch {
	case plus && strings.HasPrefix(ds, "44"):
		from = 2
	case !plus && strings.HasPrefix(ds, "0044"):
		from = 4
	case plus && k > 0 && ds[0] != '0':
		return until(15, 14, 13, 12, 11, 10, 9)
	case !plus && k > 1 && ds[0] == '0' && ds[1] != '0':
		return until(11, 10)
	default:
		return 0
	}
	if strings.HasPrefix(ds[from:], "0") {
		from++ // "+44 (0)113"
	}
	if !strings.HasPrefix(ds[from:], "0") {
		if end := until(from+10, from+9); end > 0 {
			return end
		}
	}
	return 0
}

// announcing are the words before an extension.
var announcing = []string{"ext", "extn", "extension", "bleep", "tel", "mobile", "mob", "telephone", "phone"}

// extension returns the end of the digits that begin at b[i], three at the
// least and announced by a word; 0 if there are none.
func extension(b []byte, i int) int {
	if !announced(b[max(0, i-40):i]) {
		return 0
	}
	end, digits := 0, 0
	for i < len(b) {
		r, n := charAt(b, i)
		if !isDigit(r) && (r != ' ' || digits < 3) {
			break
		}
		i += n
		if isDigit(r) {
			digits++
			end = i
		}
	}
	if digits < 3 {
		return 0
	}
	return end
}

// announced reports whether b ends with a word that announces an extension,
// and what may stand behind it: "Tel. no: ".
func announced(b []byte) bool {
	trim := func() {
		for len(b) > 0 {
			switch c := b[len(b)-1]; {
			case isBlank(c), strings.IndexByte(".:\"'=>\\", c) >= 0:
				b = b[:len(b)-1]
			case bytes.HasSuffix(b, []byte("&nbsp;")), bytes.HasSuffix(b, []byte("&#160;")):
				b = b[:len(b)-6]
			default:
				return
			}
		}
	}
	cut := func(word string) bool {
		n := len(b) - len(word)
		if n < 0 || !bytes.EqualFold(b[n:], []byte(word)) {
			return false
		}
		b = b[:n]
		return true
	}
	trim()
	if cut("number") || cut("no") {
		trim()
	}
	for _, w := range announcing {
		if cut(w) {
			r, _ := utf8.DecodeLastRune(b)
			return len(b) == 0 || !isWord(r) || isDigit(r)
		}
	}
	return false
}

// nameless takes the names of contacts out: those that stand alone in an
// element whose id says that it is the name of a contact, wherever they recur.
func nameless(b []byte) ([]byte, int) {
	const most = 8
	var names []string
	for i := 0; len(names) < 2*most; {
		j := bytes.Index(b[i:], []byte("contact"))
		if j < 0 {
			break
		}
		i += j + len("contact")
		around := b[i:min(len(b), i+200)]
		id := around[:max(0, bytes.IndexAny(around, "\"' \t\r\n<>"))]
		if !bytes.Contains(id, []byte("name")) {
			continue
		}
		if j = bytes.IndexByte(around, '>'); j < 0 {
			continue
		}
		text, _, ok := bytes.Cut(b[i+j+1:min(len(b), i+j+120)], []byte("<"))
		if name := string(bytes.TrimSpace(text)); ok && isName(name) {
			names = append(names, name)
			if title, rest, _ := strings.Cut(name, " "); isTitle(title) && isName(rest) {
				names = append(names, rest)
			}
		}
	}
	n := 0
	for _, name := range names {
		if name != noName {
			n += bytes.Count(b, []byte(name))
			b = bytes.ReplaceAll(b, []byte(name), []byte(noName))
		}
	}
	return b, n
}

// isName reports whether s is two to four words with capitals and nothing but
// letters and what stands in names.
func isName(s string) bool {
	words := strings.Split(s, " ")
	if len(words) < 2 || len(words) > 4 {
		return false
	}
	for _, w := range words {
		r, _ := utf8.DecodeRuneInString(w)
		if !unicode.IsUpper(r) || strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !strings.ContainsRune(".'’-", r) }) {
			return false
		}
	}
	return true
}

func isTitle(s string) bool {
	switch strings.TrimSuffix(s, ".") {
	case "Dr", "Mr", "Mrs", "Ms", "Miss", "Mx", "Prof", "Professor", "Sister", "Rev":
		return true
	}
	return false
}
