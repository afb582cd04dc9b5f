package vacancy

import (
	"regexp"
	"strconv"
	"strings"
)

// Contracts returns the contract types of NHS Jobs as this program spells
// them. The site spells them in three ways: "Fixed-Term" on a card,
// "Fixed term" on an advert, "fixed-term" in a query.
func Contracts() []string {
	return []string{"Permanent", "Fixed term", "Apprenticeship", "Voluntary", "Locum", "Training",
		"Secondment", "Honorary", "Bank", "NHS Reservist"}
}

// WorkingPatterns returns the working patterns of NHS Jobs.
func WorkingPatterns() []string {
	return []string{"Full time", "Part time", "Job share", "Flexible working", "Home or remote working",
		"Compressed hours", "Term time hours", "Annualised hours"}
}

// fold makes one spelling of many: case, hyphens and spaces do not count.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '‐', '‑', '–', '_', '\n', '\t', '\r', '\u00a0':
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// Fold returns s without case, hyphens and spaces, so that "Fixed-Term" and
// "fixed term" are one word.
func Fold(s string) string { return fold(s) }

// ParseContract returns the known spelling of a contract type, or the text as
// printed where it is none.
func ParseContract(s string) string { return known(s, Contracts(), nil) }

// patternAliases are other names of working patterns, folded.
var patternAliases = map[string]string{
	"remoteworking": "Home or remote working", "homeworking": "Home or remote working",
	"homeorremoteworking": "Home or remote working", "termtime": "Term time hours",
}

// ParsePattern returns the known spelling of one working pattern, or the text
// as printed where it is none.
func ParsePattern(s string) string { return known(s, WorkingPatterns(), patternAliases) }

// ParsePatterns reads a list of working patterns joined with commas.
func ParsePatterns(s string) []string {
	var out []string
	for p := range strings.SplitSeq(s, ",") {
		if p = ParsePattern(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

func known(s string, list []string, aliases map[string]string) string {
	s = strings.Join(strings.Fields(s), " ")
	f := fold(s)
	for _, k := range list {
		if fold(k) == f {
			return k
		}
	}
	if a, ok := aliases[f]; ok {
		return a
	}
	return s
}

// A Length is how long a contract lasts, in days. A year counts 52 weeks and a
// month a twelfth of it, so that 12 months, 52 weeks and a year are the same.
type Length struct {
	From, To int
}

const daysPerYear = 52 * 7

// MonthsInDays is a number of months as a Length counts them.
func MonthsInDays(months int) int { return months * daysPerYear / 12 }

// openEnded is the To of "at least 6 months".
const openEnded = 100 * daysPerYear

var numberWords = map[string]int{
	"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
	"eleven": 11, "twelve": 12, "eighteen": 18, "twenty four": 24, "twenty-four": 24, "thirty six": 36, "thirty-six": 36,
}

const numberRE = `(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|eighteen|twenty[ -]four|thirty[ -]six)`

var (
	lengthRE = regexp.MustCompile(`(?:^|[^\d.,a-z])` + numberRE + `(?:\s*(?:-|–|—|to|or)\s*` + numberRE + `)?\s*-?(day|week|wk|month|mth|year|yr)s?\b`)
	// furtherRE is the rest of "2 years and 6 months".
	furtherRE = regexp.MustCompile(`^(?:\s|,|and|&)*` + numberRE + `\s*-?(day|week|wk|month|mth)s?\b`)
	atMostRE  = regexp.MustCompile(`(?:up to|maximum(?: of)?|max|no more than|not more than)\W*$`)
	atLeastRE = regexp.MustCompile(`(?:at least|minimum(?: of)?|min|no less than)\W*$`)
)

// ParseLength reads the duration of a contract as adverts print it: "18
// months", "1 year", "6-12 months", "up to two years", "1 year 6 months". It
// is false for text that gives no length, such as a date or "maternity cover".
func ParseLength(text string) (Length, bool) {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	m := lengthRE.FindStringSubmatchIndex(text)
	if m == nil {
		return Length{}, false
	}
	part := func(g int) string {
		if m[g] < 0 {
			return ""
		}
		return text[m[g]:m[g+1]]
	}
	from, unit := number(part(2)), part(6)
	to := from
	if second := part(4); second != "" {
		to = number(second)
	}
	l := Length{inDays(min(from, to), unit), inDays(max(from, to), unit)}
	if f := furtherRE.FindStringSubmatch(text[m[1]:]); f != nil && from == to && inDays(1, f[2]) < inDays(1, unit) {
		more := inDays(number(f[1]), f[2])
		l.From, l.To = l.From+more, l.To+more
	}
	switch before := text[:m[2]]; {
	case l.To == 0:
		return Length{}, false
	case atMostRE.MatchString(before):
		l.From = 0
	case atLeastRE.MatchString(before):
		l.To = openEnded
	}
	return l, true
}

func number(s string) int {
	if n, ok := numberWords[s]; ok {
		return n
	}
	n, _ := strconv.Atoi(s) // the expression lets only short numbers through
	return n
}

func inDays(n int, unit string) int {
	switch unit {
	case "day":
		return n
	case "week", "wk":
		return 7 * n
	case "month", "mth":
		return MonthsInDays(n)
	}
	return n * daysPerYear
}
