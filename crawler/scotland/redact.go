package scotland

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Contacts are taken out by the sentence, not by the word: a text is kept for
// matching alone, and a sentence too many taken out does less harm than a name
// left in.
var (
	// mailRE matches a mail address, also one whose sign is written out.
	mailRE = regexp.MustCompile(`(?i)[\p{L}\d._%+'’-]+\s?(?:@|\(at\)|\[at\])\s?[\p{L}\d][\p{L}\d.-]*`)
	// phoneRE matches a telephone number with its code, and a bare extension
	// or bleep behind its word.
	phoneRE = regexp.MustCompile(`(?i)(?:\+\s?\d|\b00|\b0)(?:[\s.()-]{0,3}\d){8,12}|\b(?:ext(?:ension|n)?|bleep|pager|tel|mob|mobile|telephone|phone)\b[\s.:]*(?:(?:number|no)[\s.:]*)?\d{3,}`)
	// cueRE opens what leads to a person.
	cueRE = regexp.MustCompile(`(?i)\b(?:contact|get in touch|call|ring|telephone|phone|e-?mail|speak (?:to|with)|talk to|reach|liaise|enquir\w+|quer(?:y|ies)|discuss(?:ion)?s?|addressed to|tel|mob(?:ile)?|visits?|questions)\b`)
	// runRE matches words that are written as a name is.
	runRE = regexp.MustCompile(`(?:\p{Lu}[\p{L}'’-]*\.?)(?:\s+\p{Lu}[\p{L}'’-]*\.?)*`)
	// titledRE matches a person who is called by a title.
	titledRE = regexp.MustCompile(`\b(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Professor)\.?(?:\s+\p{Lu}[\p{L}'’-]*\.?){1,3}`)
	titleRE  = regexp.MustCompile(`^(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Professor)\.?$`)
)

const (
	// cueReach is how far behind a cue a name is looked for, in bytes.
	cueReach = 80
	// namesMost is how many persons an advert may call contacts: a text of
	// thousands is none of an advert's, and must not cost minutes.
	namesMost = 50
)

// offices are words that a name does not hold: "Charge Nurse" is written as a
// name is.
var offices = wordSet(`a an and at i if in it of on or please the this to we you your our for all any further informal
	administrator advanced advisor allied assistant associate board care centre charge chief child children clinic clinical
	college community consultant contact coordinator department deputy director division email emergency enquiries general
	gp group head health healthcare hospital house hr human infirmary information integrated job joint lead lecturer manager
	matron medical medicine mental midwife national nhs nurse nursing occupational office officer partnership pharmacist
	pharmacy physiotherapist practice practitioner primary principal professor public radiographer recruitment research
	resources royal scotland scottish secretary senior service services social specialist staff support surgery tel
	telephone team therapist therapy training trust unit university ward work`)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

func contactIn(s string) bool { return mailRE.MatchString(s) || phoneRE.MatchString(s) }

// contacts are the places of addresses and numbers in a text.
func contacts(s string) [][]int {
	return append(mailRE.FindAllStringIndex(s, -1), phoneRE.FindAllStringIndex(s, -1)...)
}

// strike takes addresses and numbers out of a short text.
func strike(s string) string {
	for s = squeeze(s); contactIn(s); s = squeeze(s) {
		s = phoneRE.ReplaceAllString(mailRE.ReplaceAllString(s, " "), " ")
	}
	return strings.Trim(s, " ,:;-–")
}

// redact takes out of a text, line by line, the sentences with an address or a
// number, those that lead to a named person, and every place of the given
// names. What is struck may bring the halves of another contact together, so
// it goes on until nothing more is found.
func redact(text string, names []string) string {
	for before := text + " "; before != text; {
		before = text
		text = strikeContacts(text)
		for _, name := range names {
			text = strikeName(text, name)
		}
	}
	return text
}

// A sentence of a text, by its place and line.
type sentence struct{ from, to, line int }

// strikeContacts makes one pass of redact.
func strikeContacts(text string) string {
	all := sentences(text)
	drop := make([]bool, len(all))
	bad := contacts(text)
	for i, s := range all {
		own := text[s.from:s.to]
		drop[i] = slices.ContainsFunc(bad, func(c []int) bool { return c[0] < s.to && s.from < c[1] }) ||
			titledRE.MatchString(own) || len(cuedNames(own)) > 0
	}
	// A person's name may be a line of its own above or below the number.
	for i, s := range all {
		if drop[i] || !isName(text[s.from:s.to]) {
			continue
		}
		for j := max(0, i-3); j < min(len(all), i+4); j++ {
			if contactIn(text[all[j].from:all[j].to]) {
				drop[i] = true
			}
		}
	}
	var b strings.Builder
	last := -1
	for i, s := range all {
		if drop[i] {
			continue
		}
		switch {
		case last < 0:
		case last != s.line:
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
		b.WriteString(text[s.from:s.to])
		last = s.line
	}
	return b.String()
}

// sentences parts a text at line breaks, at bullets, and after full stops,
// question and exclamation marks that a capital follows. Titles and initials
// end no sentence.
func sentences(text string) []sentence {
	var out []sentence
	from, line := 0, 0
	add := func(to int) {
		s := text[from:to]
		left := len(s) - len(strings.TrimLeft(s, " \t\r\n•·"))
		if t := strings.TrimRight(s[left:], " \t\r\n"); t != "" {
			out = append(out, sentence{from + left, from + left + len(t), line})
		}
		from = to
	}
	for i, r := range text {
		switch r {
		case '\n':
			add(i)
			line++
		case '•', '·':
			add(i)
		case '.', '!', '?':
			rest := strings.TrimLeft(text[i+1:], " ")
			next, _ := utf8.DecodeRuneInString(rest)
			word := text[strings.LastIndexAny(text[:i], " (\n")+1 : i]
			if len(rest) < len(text)-i-1 && unicode.IsUpper(next) && len(word) > 1 && !titleRE.MatchString(word) && !strings.EqualFold(word, "tel") {
				add(i + 1)
			}
		}
	}
	add(len(text))
	return out
}

// namesIn returns the names of persons whom a text calls contacts, so that
// they can be struck out wherever they stand.
func namesIn(text string) []string {
	var out []string
	all := sentences(text)
	for i, s := range all {
		own := text[s.from:s.to]
		out = append(out, cuedNames(own)...)
		if contactIn(own) {
			out = append(out, namesOf(own)...)
			for j := max(0, i-3); j < min(len(all), i+4); j++ {
				if near := text[all[j].from:all[j].to]; isName(near) {
					out = append(out, near)
				}
			}
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), namesMost)]
}

// cuedNames are the names behind the words that lead to a person.
func cuedNames(s string) []string {
	var out []string
	for _, cue := range cueRE.FindAllStringIndex(s, -1) {
		to := min(len(s), cue[1]+cueReach)
		for to < len(s) && s[to] != ' ' {
			to++
		}
		out = append(out, namesOf(s[cue[1]:to])...)
	}
	return out
}

// namesOf are the names in a text: two or more words in a row that begin with
// a capital and are of no office.
func namesOf(s string) []string {
	var out []string
	for _, run := range runRE.FindAllString(s, -1) {
		var name []string
		flush := func() {
			if len(name) >= 2 {
				out = append(out, strings.Join(name[:min(len(name), 4)], " "))
			}
			name = nil
		}
		for w := range strings.FieldsSeq(run) {
			bare := strings.TrimRight(w, ".")
			switch {
			case titleRE.MatchString(w), offices[strings.ToLower(bare)]:
				flush()
			case len(bare) > 1 && bare == strings.ToUpper(bare):
				flush() // "CAMHS"
			default:
				name = append(name, bare)
				if len(bare) > 1 && bare != w {
					flush() // a full stop, and not behind an initial
				}
			}
		}
		flush()
	}
	return out
}

// isName reports whether a line is a name and nothing else.
func isName(s string) bool {
	s = strings.Trim(s, " ,:;.-–")
	names := namesOf(s)
	return len(names) == 1 && len(names[0]) == len(s)
}

// strikeName takes a name out of a text, in any case, as a whole.
func strikeName(text, name string) string {
	words := strings.Fields(name)
	for i, w := range words {
		words[i] = regexp.QuoteMeta(w)
	}
	re, err := regexp.Compile(`(?i)(^|[^\p{L}])` + strings.Join(words, `\.?\s+`) + `($|[^\p{L}])`)
	if err != nil {
		return text // Unreachable: quoted words always compile.
	}
	for re.MatchString(text) {
		text = re.ReplaceAllString(text, "$1$2")
	}
	return text
}
