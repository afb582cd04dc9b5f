package quarantine

import (
	"bytes"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// entities are the named ones that hide a character of an address, a number
// or a token from who looks at the bytes alone.
var entities = map[string]rune{"commat": '@', "period": '.', "nbsp": ' ', "ensp": ' ', "emsp": ' ', "thinsp": ' ', "plus": '+',
	"lpar": '(', "rpar": ')', "lsqb": '[', "rsqb": ']', "hyphen": '-', "dash": '-', "ndash": '-', "minus": '-', "lowbar": '_',
	"quot": '"', "apos": '\'', "equals": '=', "colon": ':', "lt": '<', "gt": '>', "amp": '&'}

// charAt reads the character at b[i], however it is written: raw, as an
// entity, also one written twice over (&amp;#64;), percent-encoded, or as an
// escape of JSON. It returns the character and how many bytes it takes, 1 at
// the least. Every space and dash is one of ASCII. It looks at a dozen bytes
// at most.
func charAt(b []byte, i int) (rune, int) {
	c := b[i]
	switch {
	case c == '&':
		if r, n := entity(b[i:min(len(b), i+16)]); n > 0 {
			return plain(r), n
		}
	case c == '%':
		if bytes.HasPrefix(b[i:], []byte("%C2%A0")) || bytes.HasPrefix(b[i:], []byte("%c2%a0")) {
			return ' ', 6
		}
		if r, ok := hexAt(b, i+1, 2); ok {
			if r >= utf8.RuneSelf {
				return 'é', 3 // A part of some letter, or so it may be.
			}
			return plain(r), 3
		}
	case c == '\\' && i+1 < len(b):
		switch b[i+1] {
		case 'u':
			if r, ok := hexAt(b, i+2, 4); ok {
				return plain(r), 6
			}
		case 'n', 'r', 't', 'f':
			return ' ', 2
		case '/', '"':
			return rune(b[i+1]), 2
		}
	case c < utf8.RuneSelf:
		return plain(rune(c)), 1
	}
	r, n := utf8.DecodeRune(b[i:])
	return plain(r), n
}

// entity reads one at the start of b.
func entity(b []byte) (rune, int) {
	skip := 0
	if bytes.HasPrefix(b, []byte("&amp;")) {
		// What follows may be the rest of an entity written twice over.
		b, skip = b[4:], 4
		if r, n := entityAfter(b[1:]); n > 0 {
			return r, skip + 1 + n
		}
		return '&', 5
	}
	if r, n := entityAfter(b[1:]); n > 0 {
		return r, 1 + n
	}
	return 0, 0
}

// entityAfter reads what follows the ampersand.
func entityAfter(b []byte) (rune, int) {
	if len(b) > 1 && b[0] == '#' {
		start, base := 1, 10
		if b[1]|0x20 == 'x' {
			start, base = 2, 16
		}
		end := start
		for end < len(b) && end < start+8 && isHex(b[end]) && (base == 16 || b[end] <= '9') {
			end++
		}
		n, err := strconv.ParseUint(string(b[start:end]), base, 21)
		if err != nil {
			return 0, 0
		}
		if end < len(b) && b[end] == ';' {
			end++
		}
		return rune(n), end
	}
	end := bytes.IndexByte(b[:min(len(b), 8)], ';')
	if end < 0 {
		return 0, 0
	}
	r, ok := entities[string(b[:end])]
	if !ok {
		return 0, 0
	}
	return r, end + 1
}

func hexAt(b []byte, i, n int) (rune, bool) {
	if i+n > len(b) {
		return 0, false
	}
	var r rune
	for _, c := range b[i : i+n] {
		if !isHex(c) {
			return 0, false
		}
		d := rune(c - '0')
		if c > '9' {
			d = rune(c|0x20-'a') + 10
		}
		r = r<<4 | d
	}
	return r, true
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

// plain writes spaces and dashes of all kinds as those of ASCII.
func plain(r rune) rune {
	switch {
	case r > ' ' && r < utf8.RuneSelf:
		return r
	case unicode.IsSpace(r), r == '\u200b', r == '\u2060':
		return ' '
	case '\u2010' <= r && r <= '\u2015', r == '\u2212':
		return '-'
	}
	return r
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

func isWord(r rune) bool {
	return isDigit(r) || r == '_' || 'a' <= r|0x20 && r|0x20 <= 'z' || r >= utf8.RuneSelf && unicode.IsLetter(r)
}
