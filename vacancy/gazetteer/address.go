package gazetteer

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Address is one place of work as an advert writes it.
type Address struct {
	Name     string // a town, a hospital with its street, "TBC"; whatever is written
	County   string // a county or region behind the postcode
	Postcode string // whole and canonical; an outward code where that is the whole text
}

// Addresses parts a text about places of work at its whole postcodes, one
// address for each of them:
//
//	"Derby DE22 3NE and Burton DE13 0RB"  two, each behind its name
//	"DE22 3NE Derby; DE13 0RB Burton"     two, each before its name
//	"EC1A 7BE / E1 1BB"                   two without a name
//	"Ipswich IP4 5PD (and nearby)"        one, "Ipswich (and nearby)"
//	"Wolverhampton, WV10 0QP, UK"         one, the country is left out
//	"Leeds LS9 7TF, West Yorkshire"       one, with a county
//	"Level 2, North Wing, Truro TR1 3LJ"  one
//
// A text without a postcode is one address as well, with its name alone. An
// empty text is none. Names are not looked up: which places a text means that
// offers several names is for [NamedPlaces].
func Addresses(text string) []Address { return Default().addresses(text) }

// FindPostcodes returns the whole postcodes of a text, as [Addresses] finds
// them, each once.
func FindPostcodes(text string) []string {
	var out []string
	for _, f := range Default().postcodes(tidy(text)) {
		if !slices.Contains(out, f.code) {
			out = append(out, f.code)
		}
	}
	return out
}

func (g *Gazetteer) addresses(text string) []Address {
	text = withoutSentence(tidy(text))
	found := g.postcodes(text)
	if len(found) == 0 {
		rest, code, _ := g.splitPostcode(text)
		if rest == "" && code == "" {
			return nil
		}
		return []Address{{Name: rest, Postcode: code}}
	}
	// Before each postcode its name, behind it a tail: what stands between two
	// belongs to the second, but for a remark in brackets and what a semicolon
	// or a bar parts from it.
	names, tails := make([]string, len(found)), make([]string, len(found))
	at := 0
	for i, f := range found {
		names[i] = strings.TrimPrefix(text[at:f.start], ")") // that of the postcode before
		if i > 0 {
			tails[i-1], names[i] = tailOf(names[i])
		}
		at = f.end
	}
	tails[len(found)-1] = strings.TrimPrefix(text[at:], ")")
	if last := len(found) - 1; last > 0 && withoutJoint(names[0]) == "" && tails[0] == "" && withoutJoint(withoutCountry(tails[last])) != "" {
		// Each name follows its postcode.
		tails = append(names[1:], tails[last])
		names = make([]string, len(found))
	}
	var out []Address
	for i, f := range found {
		a := Address{Name: withoutLabel(withoutJoint(names[i])), Postcode: f.code}
		a.takeTail(tails[i])
		k := slices.IndexFunc(out, func(o Address) bool { return o.Postcode == a.Postcode })
		switch {
		case k < 0:
			out = append(out, a)
		case out[k].Name == "":
			out[k].Name = a.Name // one postcode, printed twice
		}
	}
	return out
}

// tailOf parts the text between two postcodes into what belongs to the first
// and what belongs to the second.
func tailOf(s string) (tail, name string) {
	if i := strings.IndexAny(s, ";|•\n"); i >= 0 {
		_, size := utf8.DecodeRuneInString(s[i:])
		return s[:i], s[i+size:]
	}
	if m := remark.FindString(s); m != "" {
		return m, s[len(m):]
	}
	return "", leadingCountry.ReplaceAllString(s, "")
}

// takeTail adds what stands behind the postcode: a county, a remark, an
// alternative ("or Swansea"), the rest of a name, or the whole name.
func (a *Address) takeTail(tail string) {
	tail = strings.TrimSpace(withoutCountry(tail))
	name := withoutJoint(tail)
	isArea := false
	if len(name) <= longestName {
		_, isArea = FindArea(name)
	}
	switch {
	case name == "":
	case a.Name == "":
		a.Name = name
	case alternative.MatchString(tail), strings.HasPrefix(tail, "("):
		a.Name += " " + tail
	case isArea:
		a.County = name
	default:
		a.Name += ", " + name
	}
	a.Name = trimSite(a.Name)
}

var (
	alternative = regexp.MustCompile(`(?i)^\s*(?:/|or\b)`)
	remark      = regexp.MustCompile(`^\s*\([^()]*\)`)
	// leadingCountry is the end of the address before.
	leadingCountry = regexp.MustCompile(`(?i)^[\s,.]*(?:england|scotland|wales|cymru|northern ireland|united kingdom|great britain|uk|gb)\s*(?:[.,;/|]|\band\b)`)
	// joint matches what joins two places of a list, at either end of a text.
	jointBefore = regexp.MustCompile(`(?i)^(?:[\s,;:/|&+•·.\-–—]+|(?:and|or|plus|also)\b)+`)
	jointBehind = regexp.MustCompile(`(?i)(?:[\s,;:/|&+•·\-–—]+|(?:\s(?:and|or|plus|also)))+$`)
	// label is what some write before a postcode.
	label = regexp.MustCompile(`(?i)[\s,;(\-–—]*\bpost\s?code\b[\s:.\-–—]*$`)
	// country ends an address: a nation behind punctuation, for South Wales is
	// none, and the kingdom behind anything.
	country = regexp.MustCompile(`(?i)(?:(?:(?:^|[,;/(\-–—])\s*(?:england|scotland|wales|cymru|northern ireland)` +
		`|(?:^|[\s,;/(\-–—])(?:united kingdom|great britain|uk|u\.k|gb))[\s).,;]*)+$`)
)

func withoutJoint(s string) string {
	return trimSite(jointBehind.ReplaceAllString(jointBefore.ReplaceAllString(s, ""), ""))
}

func withoutLabel(s string) string { return trimSite(label.ReplaceAllString(s, "")) }

// withoutCountry takes the country, or the kingdom, from the end of an address.
func withoutCountry(s string) string {
	return strings.TrimRight(country.ReplaceAllString(s, ""), " .,;")
}

// withoutSentence takes away the sentence of NHS Jobs before an area.
func withoutSentence(text string) string {
	if len(text) >= len(areaSentence) && strings.EqualFold(text[:len(areaSentence)], areaSentence) {
		return trimSite(text[len(areaSentence):])
	}
	return text
}

// tidy makes single spaces of white space and of characters that take none,
// and round brackets of square ones.
func tidy(s string) string {
	return brackets.Replace(strings.Join(strings.FieldsFunc(s, isBlank), " "))
}

var brackets = strings.NewReplacer("[", "(", "]", ")")

func isBlank(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

// A found postcode stands in text[start:end].
type found struct {
	start, end int
	code       string
}

// postcodes finds the whole postcodes of a text. One counts by its shape, as
// in [NormalisePostcode], and by standing apart from other letters and digits:
//
//	"LS9 7TF", "LS97TF", "ls9  7tf", "(LS9 7TF)", "LS9-7TF", "LeedsLS9 7TF"
//	"LS9, 7TF", "LS9 7 TF", "LS9 OTF"  only if there is such a sector, for these are
//	                                   slips; and the last two only at the end of a part
//
// No postcode are "Floor B1 2nd", "Block M1 1ST FLOOR", "Ward E1 OLD WING" and
// "Ward E1 4hr", and what Royal Mail has given to nowhere: "BFPO 61", "BF1 2AB".
func (g *Gazetteer) postcodes(text string) []found {
	words := wordsOf(text)
	var out []found
	for i := 0; i < len(words); i++ {
		w := words[i]
		one := text[w.start:w.end]
		next := ""
		if i+1 < len(words) {
			next = text[words[i+1].start:words[i+1].end]
		}
		if p, ok := g.parse(one); ok && p.unit != "" {
			if in := one[len(one)-3:]; isInwardAs(in, one[:len(one)-3], next) || in[0] == 'O' && g.isSlip(p, one, text[w.end:]) {
				out = append(out, found{w.start, w.end, p.String()})
			}
			continue
		}
		if next == "" || !g.isOutward(strings.ToUpper(one)) {
			continue
		}
		close, apart := gapBetween(text[w.end:words[i+1].start])
		if !close && !apart {
			continue
		}
		end, in, after := words[i+1].end, next, i+2
		split := len(next) == 1 && i+2 < len(words) && words[i+2].end-words[i+2].start == 2 && text[end:words[i+2].start] == " "
		if split {
			end, in, after = words[i+2].end, next+text[words[i+2].start:words[i+2].end], i+3
		}
		if len(in) != 3 {
			continue
		}
		p, ok := g.parse(one + " " + in)
		if !ok || p.unit == "" || !strings.EqualFold(p.outward, one) {
			continue
		}
		following := ""
		if after < len(words) {
			following = text[words[after].start:words[after].end]
		}
		switch {
		case in[0] == 'O' || split:
			ok = g.isSlip(p, one+in, text[end:])
		case !close:
			ok = g.holds(p.outward+" "+p.sector) && isInwardAs(in, one, following)
		default:
			ok = isInwardAs(in, one, following)
		}
		if ok {
			out = append(out, found{w.start, end, p.String()})
			i = after - 1
		}
	}
	return out
}

// isSlip reports whether a code that is written with a slip can only be meant
// as a postcode: all in capitals, of a sector that there is, no word, and at
// the end of its part of the text.
func (g *Gazetteer) isSlip(p postcode, written, rest string) bool {
	rest = strings.TrimLeft(rest, " ")
	if rest != "" && !strings.ContainsRune(",;:)/|.\n", rune(rest[0])) || strings.ToUpper(written) != written {
		return false
	}
	if (p.unit == "ST" || p.unit == "RD" || p.unit == "TH" || p.unit == "ND") && isDigit(written[len(written)-3]) {
		return false // "E1 1 ST": a street, a floor
	}
	return !notInward[written[len(written)-3:]] && g.holds(p.outward+" "+p.sector)
}

// notInward are words that an inward part with the letter O for its digit may
// be: "WARD E1 OPD" is the outpatient department.
var notInward = map[string]bool{
	"OLD": true, "OUT": true, "OFF": true, "ONE": true, "OWN": true, "OUR": true, "ODD": true, "OAK": true,
	"OPD": true, "OPS": true, "ORD": true, "OAP": true, "OBS": true, "OTS": true, "OPA": true, "OPT": true,
}

// isInwardAs reports whether three characters behind an outward code are its
// inward part and no ordinal or span of time.
func isInwardAs(in, outward, next string) bool {
	if !isDigit(in[0]) || isOrdinal(in) {
		return false
	}
	lower := strings.ToLower(in[1:])
	if outward == strings.ToUpper(outward) && in[1:] == lower && (lower == "hr" || lower == "yr" || lower == "wk") {
		return false
	}
	switch strings.ToLower(next) {
	case "floor", "level", "storey":
		return !isOrdinal(strings.ToLower(in))
	}
	return true
}

// gapBetween tells how the halves of a postcode stand apart: close with white
// space or a hyphen, apart with a comma or a stop.
func gapBetween(gap string) (close, apart bool) {
	switch strings.Join(strings.FieldsFunc(gap, isBlank), "") {
	case "":
		return gap != "", false
	case "-", "–", "—":
		return !strings.ContainsFunc(gap, isBlank), false
	case ",", ".":
		return false, true
	}
	return false, false
}

type word struct{ start, end int }

// wordsOf returns the runs of letters and digits. A capital behind two small
// letters begins another one, for a line break may have been lost there.
func wordsOf(text string) []word {
	var out []word
	start, small := -1, 0
	for i, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			if start >= 0 {
				out = append(out, word{start, i})
			}
			start, small = -1, 0
			continue
		}
		if start >= 0 && small >= 2 && unicode.IsUpper(r) {
			out = append(out, word{start, i})
			start = i
		}
		if start < 0 {
			start = i
		}
		if unicode.IsLower(r) {
			small++
		} else {
			small = 0
		}
	}
	if start >= 0 {
		out = append(out, word{start, len(text)})
	}
	return out
}
