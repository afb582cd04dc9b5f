package vacancy

import (
	"regexp"
	"slices"
	"strings"
)

// Grades beside the bands 2 to 9 of Agenda for Change.
const (
	Foundation      = "foundation"
	Registrar       = "registrar"
	SpecialtyDoctor = "specialty-doctor"
	SpecialistGrade = "specialist"
	Consultant      = "consultant"
	DoctorOther     = "doctor-other"
	VerySenior      = "vsm"
	LocalPay        = "local" // the page states another pay scheme
)

// Bands returns every value that Vacancy.Band may have, in order of pay
// within each scheme. Agenda for Change has no band 1 any more: it is closed
// to new entrants, and an advert that prints it counts as local pay.
func Bands() []string {
	return []string{"2", "3", "4", "5", "6", "7", "8a", "8b", "8c", "8d", "9",
		Foundation, Registrar, SpecialtyDoctor, SpecialistGrade, Consultant, DoctorOther, VerySenior, LocalPay}
}

// bandAliases are names of grades in the filter of NHS Jobs that differ from
// ours, folded.
var bandAliases = map[string]string{
	"very-senior-manager": VerySenior, "foundation-doctor": Foundation, "specialty-registrar": Registrar,
	"doctor-specialist": SpecialistGrade,
}

// ParseBandName reads a band as a person writes it in a search or NHS Jobs in
// its filter: "4", "8A", "band 5", "BAND_8A", "Consultant", "Specialty doctor".
// It reports false for others.
func ParseBandName(s string) (string, bool) {
	n := strings.ToLower(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '-' || r == '_' }), "-"))
	n = strings.TrimPrefix(strings.TrimPrefix(n, "afc-"), "band-")
	if a, ok := bandAliases[n]; ok {
		n = a
	}
	return n, slices.Contains(Bands(), n)
}

var (
	// bandWord opens a list of bands, shortBand one that says only "B5".
	bandWord  = regexp.MustCompile(`(?i)\b(?:(?:afc|agenda for change)(?:\s+bands?)?|bands?)[\s:.\-–]*`)
	shortBand = regexp.MustCompile(`\bB\s?`)
	// separator stands between two bands of a list, with the "Band" or "B"
	// that may be repeated behind it.
	separator = regexp.MustCompile(`^\s*(/|,|&|\+|-|–|—|(?i:to|and|or)\b)\s*((?i:\bafc\s+bands?\s*|\bbands?\s*|\bafc\s*)|\bB\s?)?`)
	rangeRE   = regexp.MustCompile(`(?i)\b8\s*-?\s*range\s*([a-d])\b`)
	inward    = regexp.MustCompile(`^\s+\d[A-Za-z]{2}\b`)
	nextWord  = regexp.MustCompile(`^[\s\-–]*([A-Za-z]+)`)
	lastWord  = regexp.MustCompile(`([A-Za-z]+)[\s,(\-–]*$`)
	bandOneRE = regexp.MustCompile(`(?i)^(?:band\s*)?1$`)
)

// counted are words behind a number that is no band: "Band 5, 6 months",
// "Band 3 - 2 posts".
var counted = wordSet(`hour hours hr hrs month months mth mths day days week weeks wk wks year years yr yrs
	post posts position positions vacancy vacancies role roles x wte fte session sessions shift shifts night nights
	pa pas am pm bed beds bedded mile miles site sites available`)

// nearB are words beside a B5 that is a ward, a vitamin or a place.
var (
	beforeB = wordSet(`ward vitamin hepatitis hep unit room block level floor clinic wing birmingham bay building zone gate`)
	afterB  = wordSet(`ward unit deficiency wing corridor floor block`)
)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

// ParseBand reads the text printed under "Band" on an advert page, "Band 4",
// "Band 8A", "8 - Range B". Band 1 is closed, so an advert that prints it is
// on local pay. It returns nil where the text names no band.
func ParseBand(printed string) []string {
	printed = strings.Join(strings.Fields(printed), " ")
	if m := rangeRE.FindStringSubmatch(printed); m != nil {
		return []string{"8" + strings.ToLower(m[1])}
	}
	if b := BandsInTitle(printed); b != nil {
		return b
	}
	if b, ok := ParseBandName(printed); ok {
		return []string{b}
	}
	if bandOneRE.MatchString(printed) {
		return []string{LocalPay}
	}
	if printed != "" && isDigit(printed[0]) {
		return BandsInTitle("Band " + printed)
	}
	return nil
}

// BandsInTitle reads the Agenda for Change bands that a title names, in
// ascending order: "Band 6", "Bands 5 and 6", "Band 5/6", "B5", "B6/7",
// "AfC 7", "Band 8a-c", "Band 8 A". A bare "Band 8" is 8a to 8d. Slash, comma,
// "and", "or" and "&" list; hyphen, dash and "to" span.
//
// These name no band: a postcode (B5 4TD), a ward (Ward B5, B5 ward), pay
// points, dental bands A to C, vitamins (B6 without more is read as a band:
// only a title that says vitamin or hepatitis is not), numbers of something
// else (Band 5, 6 months), and Band 1.
func BandsInTitle(title string) []string {
	var set []string
	for _, m := range bandWord.FindAllStringIndex(title, -1) {
		bands, _ := bandList(title[m[1]:])
		set = append(set, bands...)
	}
	if set == nil {
		for _, m := range shortBand.FindAllStringIndex(title, -1) {
			bands, n := bandList(title[m[1]:])
			if bands != nil && isShortBand(title[:m[0]], title[m[1]:], n) {
				set = append(set, bands...)
			}
		}
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// isShortBand tells a B5 that is a band from one that is not. The list stands
// in the first n bytes of list.
func isShortBand(before, list string, n int) bool {
	// B and one digit before an inward code is a Birmingham postcode.
	if inward.MatchString(list[1:]) {
		return false
	}
	if m := lastWord.FindStringSubmatch(before); m != nil && beforeB[strings.ToLower(m[1])] {
		return false
	}
	m := nextWord.FindStringSubmatch(list[n:])
	return m == nil || !afterB[strings.ToLower(m[1])]
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// ladder is the order of Agenda for Change, for spans.
var ladder = []string{"2", "3", "4", "5", "6", "7", "8a", "8b", "8c", "8d", "9"}

// bandList reads the list behind "Band", "5/6", "8a-c", "3 to 5", and returns
// its length as well; nil if s does not begin with a band.
func bandList(s string) (bands []string, length int) {
	bands, length = bandItem(s)
	for length > 0 {
		m := separator.FindStringSubmatchIndex(s[length:])
		if m == nil {
			break
		}
		sep, at := s[length+m[2]:length+m[3]], length+m[1]
		span := strings.Contains("-–—", sep) || strings.EqualFold(sep, "to")
		item, n := bandItem(s[at:])
		if n == 0 {
			spaced := s[length] == ' ' && span && !isLetter(sep[0])
			item, n = bandLetter(bands, s[at:], spaced)
		} else if m[4] < 0 {
			// Without a "Band" of its own it may count something else.
			if w := nextWord.FindStringSubmatch(s[at+n:]); w != nil && counted[strings.ToLower(w[1])] {
				break
			}
		}
		if n == 0 {
			break
		}
		if span {
			from, to := slices.Index(ladder, bands[len(bands)-1]), slices.Index(ladder, item[len(item)-1])
			if to <= from {
				break
			}
			item = ladder[from+1 : to+1]
		}
		bands, length = append(bands, item...), at+n
	}
	return bands, length
}

// bandItem reads one band at the beginning of s and returns its length; 0 if
// there is none. Letters count only after 8.
func bandItem(s string) (bands []string, length int) {
	if s == "" || s[0] < '2' || s[0] > '9' {
		return nil, 0
	}
	rest := s[1:]
	if rest != "" && isDigit(rest[0]) || len(rest) > 1 && strings.ContainsRune(".:", rune(rest[0])) && isDigit(rest[1]) {
		return nil, 0 // "Band 25", "7.5 hours", "7:30"
	}
	switch {
	case rest != "" && isLetter(rest[0]):
		letter := rest[0] | 0x20
		if letter > 'd' || len(rest) > 1 && (isLetter(rest[1]) || isDigit(rest[1])) {
			return nil, 0 // "8th"
		}
		if s[0] != '8' {
			return []string{s[:1]}, 2
		}
		return []string{"8" + string(letter)}, 2
	case s[0] != '8':
		return []string{s[:1]}, 1
	case len(rest) > 1 && rest[0] == '-' && isLetter(rest[1]) && rest[1]|0x20 <= 'd' && (len(rest) == 2 || !isLetter(rest[2]) && !isDigit(rest[2])):
		return []string{"8" + string(rest[1]|0x20)}, 3 // "8-A"
	case len(rest) > 1 && rest[0] == ' ' && isLetter(rest[1]) && rest[1]|0x20 <= 'd' &&
		(len(rest) == 2 || !isLetter(rest[2]) && !isDigit(rest[2]) && (rest[1] < 'a' || rest[2] != ' ')):
		return []string{"8" + string(rest[1]|0x20)}, 3 // "8 A", but not "8 a new post"
	}
	return []string{"8a", "8b", "8c", "8d"}, 1
}

// bandLetter reads the c of "8a-c". Spaced says that the dash before it has
// spaces, as before the name of a ward: "Band 8a - C Ward".
func bandLetter(before []string, s string, spaced bool) (bands []string, length int) {
	if s == "" || before[len(before)-1][0] != '8' || !isLetter(s[0]) || s[0]|0x20 > 'd' {
		return nil, 0
	}
	if len(s) > 1 && (isLetter(s[1]) || isDigit(s[1]) || spaced && nextWord.MatchString(s[1:])) {
		return nil, 0
	}
	return []string{"8" + string(s[0]|0x20)}, 1
}
