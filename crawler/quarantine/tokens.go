package quarantine

import (
	"bytes"
	"slices"
	"strings"
)

// secretNames are parts of the names of what lets somebody in.
var secretNames = []string{"csrf", "xsrf", "token", "sessid", "session", "nonce", "secret", "passw", "apikey", "api_key", "api-key",
	"authoriz", "authoris", "oauth", "signature", "viewstate", "verification"}

// isSecret reports whether a name is that of a token.
func isSecret(name []byte) bool {
	if len(name) < 3 || len(name) > 64 {
		return false
	}
	s := strings.ToLower(string(name))
	return s == "sid" || slices.ContainsFunc(secretNames, func(part string) bool { return strings.Contains(s, part) })
}

// secrets finds tokens: the values of elements with such a name, what stands behind such a name and a sign that it is meant (name=value,
// "name":"value", <name>value), and what looks random, in an address sooner
// than elsewhere.
func secrets(b []byte) []span {
	out := append(fields(b), named(b)...)
	slices.SortStableFunc(out, func(a, b span) int { return a.from - b.from })
	return out
}

// fields finds the values of elements with a secret's name, as those of hidden
// inputs, whichever attribute comes first.
func fields(b []byte) []span {
	var out []span
	for i := 0; i < len(b); {
		j := bytes.IndexByte(b[i:], '<')
		if j < 0 {
			break
		}
		i += j + 1
		if i == len(b) || b[i]|0x20 < 'a' || b[i]|0x20 > 'z' {
			continue
		}
		var values []span
		secret := false
		for i < len(b) && b[i] != '>' && b[i] != '<' {
			var name, value span
			name, value, i = attribute(b, i)
			if value.to == value.from {
				continue
			}
			text := b[value.from:value.to]
			switch strings.ToLower(string(b[name.from:name.to])) {
			case "name", "id", "property", "http-equiv":
				secret = secret || isSecret(text)
			case "type":
				secret = secret || bytes.EqualFold(text, []byte("password"))
			case "value", "content":
				value.with = noToken
				values = append(values, value)
			}
		}
		if secret {
			out = append(out, values...)
		}
	}
	return out
}

// attribute reads an attribute at or behind b[i] and where it ends. Both spans
// are empty where there is none.
func attribute(b []byte, i int) (name, value span, end int) {
	for i < len(b) && (isBlank(b[i]) || b[i] == '/') {
		i++
	}
	name.from = i
	for i < len(b) && !isBlank(b[i]) && b[i] != '=' && b[i] != '>' && b[i] != '<' && b[i] != '/' {
		i++
	}
	name.to = i
	for i < len(b) && isBlank(b[i]) {
		i++
	}
	if i >= len(b) || b[i] != '=' {
		return name, span{}, i
	}
	i++
	for i < len(b) && isBlank(b[i]) {
		i++
	}
	if i < len(b) && (b[i] == '"' || b[i] == '\'') {
		n := bytes.IndexByte(b[i+1:], b[i])
		if n < 0 {
			n = len(b) - i - 1 // As a browser takes it.
		}
		return name, span{from: i + 1, to: i + 1 + n}, min(len(b), i+n+2)
	}
	value.from = i
	for i < len(b) && !isBlank(b[i]) && b[i] != '>' && b[i] != '<' {
		i++
	}
	value.to = i
	return name, value, i
}

func isBlank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// named finds what stands behind the name of a secret, and what looks random.
func named(b []byte) []span {
	var out []span
	for i := 0; i < len(b); {
		if b[i] == '=' {
			// A value in an address or an attribute.
			from := i + 1
			if from < len(b) && (b[from] == '"' || b[from] == '\'') {
				from++
			}
			to := valueEnd(b, from)
			if structural(b[max(0, i-12):i]) {
				i = max(to, i+1)
				continue
			}
			if random(b[from:to], 20) {
				out = append(out, span{from, to, noToken})
				i = to
				continue
			}
		}
		if !isToken(b[i]) {
			i++
			continue
		}
		from := i
		for i < len(b) && isToken(b[i]) {
			i++
		}
		if isSecret(b[from:i]) {
			if s, ok := assigned(b, from, i); ok {
				out = append(out, s)
				i = s.to
			}
		} else if random(b[from:i], 32) {
			out = append(out, span{from, i, noToken})
		}
	}
	return out
}

// structural reports whether b ends with the name of an attribute by which
// readers find their way: what it holds is the site's and stays.
func structural(b []byte) bool {
	for _, name := range []string{"id", "class", "data-test"} {
		if rest, ok := bytes.CutSuffix(b, []byte(name)); ok && len(rest) > 0 && isBlank(rest[len(rest)-1]) {
			return true
		}
	}
	return false
}

// isToken reports whether c is a part of a name or of a plain token.
func isToken(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c == '-'
}

// valueEnd returns the end of the value at b[i]. An equals sign ends it, or a
// row of them would be looked through once for each.
func valueEnd(b []byte, i int) int {
	for i < len(b) && (isToken(b[i]) || bytes.IndexByte([]byte(".~+/%$!*"), b[i]) >= 0) {
		i++
	}
	return i
}

// assigned returns the value that follows a name at b[from:to], if it is one.
// In prose, "session: Wednesday", a value has a digit at least.
func assigned(b []byte, from, to int) (span, bool) {
	i := to
	sign, sure := false, false
	element := from > 0 && b[from-1] == '<'
	for k := 0; k < 8 && i < len(b); k++ {
		r, n := charAt(b, i)
		switch {
		case r == '=':
			sign, sure = true, true
		case r == ':':
			sign = true
		case r == '"' || r == '\'':
			sure = true
		case r == '>' && element:
			sign, sure = true, true
		case r == ' ' || r == '\\':
		default:
			k = 8
			continue
		}
		i += n
	}
	for _, scheme := range []string{"Bearer ", "Basic "} {
		if sign && len(b) > i+len(scheme) && bytes.EqualFold(b[i:i+len(scheme)], []byte(scheme)) {
			i, sure = i+len(scheme), true
		}
	}
	end := valueEnd(b, i)
	value := b[i:end]
	if !sign || len(value) < 6 || !sure && !bytes.ContainsAny(value, "0123456789") {
		return span{}, false
	}
	return span{i, end, noToken}, true
}

// random reports whether a part of s looks made by chance: so long at least,
// and changing often between digits, small letters and capitals.
func random(s []byte, least int) bool {
	for len(s) >= least {
		n := 0
		changes, last := 0, byte(0)
		for n < len(s) && isToken(s[n]) {
			kind := byte(0)
			switch c := s[n]; {
			case '0' <= c && c <= '9':
				kind = 1
			case 'a' <= c && c <= 'z':
				kind = 2
			case 'A' <= c && c <= 'Z':
				kind = 3
			}
			if kind != 0 && last != 0 && kind != last {
				changes++
			}
			n, last = n+1, kind
		}
		if n >= least && changes*6 >= n {
			return true
		}
		if n == len(s) {
			return false
		}
		step := n + 1
		if s[n] == '%' {
			step = min(len(s), n+3) // The two behind it are no part of a word.
		}
		s = s[step:]
	}
	return false
}
