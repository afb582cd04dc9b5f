package message

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
)

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// clean makes one line of s: control characters and line breaks of every kind
// become spaces, marks that turn the reading direction go.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c,
			r == 0xfeff, r == unicode.ReplacementChar:
			return -1
		case r == 0x2028, r == 0x2029, unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// clip is clean, cut to what a fact may be long.
func clip(s string) string { return cut(clean(s), maxFact) }

// cut shortens s to at most n characters, at a word where there is one behind
// the first quarter, and shows that it did.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	if n < 2 {
		return ""
	}
	end := n - 1
	for i := end; i > n/4; i-- {
		if unicode.IsSpace(r[i]) {
			end = i
			break
		}
	}
	return strings.TrimRight(string(r[:end]), " ,;:-–/(") + "…"
}

func runes(s string) int { return len([]rune(s)) }

// link returns s if it is a web address that a mail may link to, else "".
func link(s string) string {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return ""
	}
	// String escapes what a path may not hold, so that the text part shows one
	// unbroken address.
	if out := u.String(); !strings.ContainsAny(out, " \"<>") {
		return out
	}
	return ""
}
