package vacancy

import "strings"

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

// isKnown reports whether s is one of list, in any spelling.
func isKnown(s string, list []string) bool {
	for _, k := range list {
		if fold(k) == fold(s) {
			return true
		}
	}
	return false
}
