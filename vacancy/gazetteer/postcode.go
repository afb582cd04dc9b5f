package gazetteer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A postcode is "GL3 4AW" or its beginning: the sector "GL3 4", the outward
// code "GL3".
type postcode struct {
	outward string
	sector  string // "4", or empty
	unit    string // "AW", or empty
}

func (p postcode) String() string {
	if p.sector == "" {
		return p.outward
	}
	return p.outward + " " + p.sector + p.unit
}

// NormalisePostcode returns a whole postcode in its canonical spelling, in
// capitals and with one space before its last three characters. It is false
// if s is anything else, a sector or an outward code included.
//
// A postcode counts by its shape and by its area, the letters in front, which
// must exist. Whether the Royal Mail has given it out is not looked at.
func NormalisePostcode(s string) (string, bool) {
	p, ok := Default().parse(s)
	if !ok || p.unit == "" {
		return "", false
	}
	return p.String(), true
}

// parse reads s as a whole postcode, a sector or an outward code, with any
// spacing and case and nothing beside it. What can be read in two ways:
//
//	E16    the outward code, for it exists
//	E1 6   the sector
//	GL34   the sector GL3 4, for there is no outward code GL34
//	E1 OAA E1 0AA: a letter O where only a digit can stand
func (g *Gazetteer) parse(s string) (postcode, bool) {
	var buf [7]byte
	n, gap := 0, 0 // characters, and those before the last gap
	for _, r := range strings.TrimSpace(s) {
		switch {
		case unicode.IsSpace(r) || r == '-':
			gap = n
			continue
		case 'a' <= r && r <= 'z':
			r -= 'a' - 'A'
		case 'A' <= r && r <= 'Z' || '0' <= r && r <= '9':
		default:
			return postcode{}, false
		}
		if n == len(buf) {
			return postcode{}, false
		}
		buf[n] = byte(r)
		n++
	}
	if n < 2 {
		return postcode{}, false
	}
	if n >= 5 {
		inward := buf[n-3 : n]
		digit := inward[0]
		if digit == 'O' {
			digit = '0'
		}
		if out := string(buf[:n-3]); isInward(string(digit)+string(inward[1:])) && g.isOutward(out) {
			return postcode{outward: out, sector: string(digit), unit: string(inward[1:])}, true
		}
	}
	whole := string(buf[:n])
	head, last := whole[:n-1], whole[n-1:]
	isSector := isDigit(last[0]) && g.isOutward(head)
	isOutward := g.isOutward(whole)
	switch {
	case isSector && (gap == n-1 || !isOutward || !g.holds(whole) && g.holds(head+" "+last)):
		return postcode{outward: head, sector: last}, true
	case isOutward:
		return postcode{outward: whole}, true
	}
	return postcode{}, false
}

// holds reports whether a sector or an outward code is in the tables.
func (g *Gazetteer) holds(text string) bool {
	_, _, ok := g.lookup(text)
	return ok
}

// lookup returns the point of a sector or an outward code and its region.
func (g *Gazetteer) lookup(text string) (Point, string, bool) {
	outward, _, isSector := strings.Cut(text, " ")
	codes := g.outcodes
	if isSector {
		codes = g.sectors
	}
	if c, ok := find(codes, text); ok {
		region, _ := g.regionOf(outward)
		return c.point(), region, true
	}
	if g.imported != nil {
		return g.imported.Lookup(text)
	}
	return Point{}, "", false
}

// isOutward reports whether s has the shape of an outward code of an area
// that exists: A9, A99, A9A, AA9, AA99 or AA9A, and the old NPT.
func (g *Gazetteer) isOutward(s string) bool {
	area := letters(s)
	if _, ok := g.areas[area]; !ok {
		return false
	}
	rest := s[len(area):]
	switch len(rest) {
	case 0:
		return len(area) == 3
	case 1:
		return len(area) <= 2 && isDigit(rest[0])
	case 2:
		return len(area) <= 2 && isDigit(rest[0]) && (isDigit(rest[1]) || isCapital(rest[1]))
	}
	return false
}

// isInward reports whether s has the shape of the last three characters of a
// postcode, whose letters are never C, I, K, M, O or V.
func isInward(s string) bool {
	return len(s) == 3 && isDigit(s[0]) &&
		isCapital(s[1]) && isCapital(s[2]) && !strings.ContainsAny(s[1:], "CIKMOV")
}

func isDigit(b byte) bool   { return '0' <= b && b <= '9' }
func isCapital(b byte) bool { return 'A' <= b && b <= 'Z' }

// letters returns the letters with which a code begins, its area.
func letters(s string) string {
	n := 0
	for n < len(s) && isCapital(s[n]) {
		n++
	}
	return s[:n]
}

// areaSentence stands on NHS Jobs before the postcode of an advert that gives
// an area and no address.
const areaSentence = "the area below is where the role is located"

// SplitPostcode parts the postcode of a site from what stands before it, or
// behind it where nothing stands before: "Brockworth GL34AW" gives "Brockworth"
// and "GL3 4AW". The postcode comes back in its canonical spelling; the rest
// without the punctuation and brackets that held it, without the country, and
// without the sentence of NHS Jobs that introduces an area. Of several
// postcodes the last counts; [Addresses] gives them all.
//
//	"London, NW1 2PG"    "London", "NW1 2PG"
//	"NW1 2PG, UK"        "", "NW1 2PG"
//	"B5 4TD"             "", "B5 4TD"
//	"NP20"               "", "NP20": an outward code only as the whole text
//	"Band B5", "Ward A1" no postcode, ok is false
//	"Floor B1 2nd"       no postcode: an ordinal number
//
// Without a postcode, rest is the text, as tidied, and ok is false.
func SplitPostcode(s string) (rest, postcode string, ok bool) {
	return Default().splitPostcode(s)
}

func (g *Gazetteer) splitPostcode(s string) (rest, code string, ok bool) {
	text := withoutSentence(trimSite(s))
	if p, whole := g.parse(text); whole {
		if p.unit != "" || p.sector == "" && (g.holds(p.outward) || !g.hasPoints(p.outward)) {
			return "", p.String(), true
		}
	}
	all := g.postcodes(text)
	if len(all) == 0 {
		return text, "", false
	}
	last := all[len(all)-1]
	if rest = withoutLabel(trimSite(text[:last.start])); rest == "" {
		rest = trimSite(withoutCountry(text[last.end:]))
	}
	return rest, last.code, true
}

// hasPoints reports whether the area of an outward code is one of the tables'.
func (g *Gazetteer) hasPoints(outward string) bool {
	area := letters(outward)
	for _, a := range areasWithoutPoints {
		if a == area {
			return false
		}
	}
	return true
}

// Offshore reports whether a postcode is one of the Channel Islands or the
// Isle of Man, where no place has a point or a region.
func Offshore(postcode string) bool {
	g := Default()
	p, ok := g.parse(postcode)
	return ok && !g.hasPoints(p.outward) && letters(p.outward) != "BT"
}

// isOrdinal reports whether an inward part is rather a number such as "2nd".
// In capitals it is taken for a postcode.
func isOrdinal(s string) bool {
	switch s[1:] {
	case "st", "nd", "rd", "th":
		return true
	}
	return false
}

// trimSite takes away white space and the punctuation in which lists leave a
// site's name, and brackets without their partner or about the whole.
func trimSite(s string) string {
	for {
		s = strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;:-–—/", r) })
		open, shut := strings.Count(s, "("), strings.Count(s, ")")
		switch {
		case strings.HasPrefix(s, "(") && (open > shut || open == 1 && strings.HasSuffix(s, ")")):
			s = s[1:]
		case strings.HasSuffix(s, ")") && open < shut, strings.HasSuffix(s, "("):
			s = s[:len(s)-1]
		case strings.HasPrefix(s, ")"):
			s = s[1:]
		default:
			return s
		}
	}
}

// lastWord parts the last word of s from what stands before it. Words end at
// white space and at the punctuation that may stand beside a postcode.
func lastWord(s string) (before, word string) {
	isEdge := func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;:()-–—/", r) }
	s = strings.TrimRightFunc(s, isEdge)
	i := strings.LastIndexFunc(s, isEdge)
	if i < 0 {
		return "", s
	}
	_, size := utf8.DecodeRuneInString(s[i:])
	return s[:i], s[i+size:]
}
