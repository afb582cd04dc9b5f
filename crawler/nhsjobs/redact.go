package nhsjobs

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	// askRE marks a sentence that invites questions.
	askRE = regexp.MustCompile(`(?i)\b(?:please|further|informal|information|details|discuss(?:ion)?|enquir\w+|quer(?:y|ies)|questions?|visits?|chat|contact:|interested|talk|more)\b`)
	// preambleRE matches what is left of such a sentence and says nothing.
	preambleRE = regexp.MustCompile(`(?i)^(?:for|if|should|to|any|all|alternatively|or|and|further|informal)\b[^.]*[,:]?$`)
	honorific  = regexp.MustCompile(`^(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Professor|Sister|Matron|Rev)\.?\s`)
	// properRE matches a run of words as a person's name is written.
	properRE = regexp.MustCompile(`(?:\b(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Professor)\.?\s+)?\p{Lu}[\p{L}'’-]+(?:\s+\p{Lu}\.?)?(?:\s+\p{Lu}[\p{L}'’-]+){0,2}`)
)

// posts are words that a name does not hold: "Service Manager" and "Medical
// Oncology" are written like a name.
var posts = wordSet(`administration administrator advisor assistant associate board booking breast business cancer care centre
	chief children clinic clinical community consultant coordinator co-ordinator department deputy developer development
	digital director division emergency endocrinology executive general group head health healthcare hospital hospitals
	hr human imaging infirmary information inpatient lead lecturer librarian manager maternity matron medical medicine
	mental midwife national nhs north nurse nursing occupational office officer oncology operations outpatient
	paediatric paediatrics partnership patient people pharmacist pharmacy physiotherapist practice primary principal
	professional programme project psychologist public radiographer recruitment research resources resourcing school
	secretary senior service services sister south specialist staff staffing surgery surgical talent team theatre
	therapist therapy training trust unit university ward west east`)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

// strike takes addresses and telephone numbers out of a short text.
func strike(s string) string {
	if !contactIn(s) {
		return s
	}
	for contactIn(s) {
		s = unContact(s, " , ")
	}
	return strings.Trim(squeeze(strings.ReplaceAll(s, " ,", "")), " ,:;-–")
}

// redact takes contacts out of an employer's text: addresses and telephone
// numbers with the clause that leads to them ("please contact Jo Example on
// ..."), names in the lines beside one, and the given names wherever they
// stand. The text is kept for matching alone, so a sentence too many taken
// out does less harm than a name left in.
func redact(text string, names []*person) string {
	lines := strings.Split(text, "\n")
	drop := make([]bool, len(lines))
	for i, l := range lines {
		if !contactIn(l) {
			continue
		}
		for _, step := range []int{-1, 1} {
			for j, n := i+step, 0; j >= 0 && j < len(lines) && n < 3 && len(lines[j]) < 60; j, n = j+step, n+1 {
				if s := strings.TrimRight(lines[j], " ,:;.-"); isName(s) {
					drop[j] = true
				}
			}
		}
	}
	var out []string
	for i, l := range lines {
		if drop[i] {
			continue
		}
		var kept []string
		for _, s := range sentences(l) {
			if s = redactSentence(s); s != "" {
				kept = append(kept, s)
			}
		}
		if l = strike(strings.Join(kept, " ")); l != "" {
			out = append(out, l)
		}
	}
	text = strings.Join(out, "\n")
	// A number may be parted by a line break, and taking a name out may bring
	// the halves of another contact together: until nothing more is found.
	for before := ""; before != text; {
		before = text
		text = strikeAcross(text)
		for _, name := range names {
			text = strikeName(text, name)
		}
	}
	return text
}

// strikeAcross takes out the addresses and numbers that reach over the end of
// a line.
func strikeAcross(text string) string {
	if !contactIn(text) {
		return text
	}
	for contactIn(text) {
		text = unContact(text, "\n,\n")
	}
	return tidyLines(text)
}

// redactSentence takes the clause out that names a contact.
func redactSentence(s string) string {
	if from := contactAt(s); from < len(s) {
		if cue := cueIn(s[:from]); cue != nil {
			return beforeCue(s[:cue[0]])
		}
		// Without such words the sentence is a line about a person, but for a
		// text that nobody parted into sentences.
		if from <= 160 {
			return ""
		}
		if runs := properRE.FindAllStringIndex(s[:from], -1); runs != nil {
			if run := runs[len(runs)-1]; from-run[0] < 80 {
				from = run[0]
			}
		}
		return strings.TrimRight(s[:from], " ,:;(–-")
	}
	// A name without an address: "please contact Jo Example for a visit".
	cue := cueIn(s)
	if cue == nil || !askRE.MatchString(s) {
		return s
	}
	for _, run := range properRE.FindAllStringIndex(s[cue[1]:], -1) {
		if isName(s[cue[1]+run[0] : cue[1]+run[1]]) {
			return beforeCue(s[:cue[0]])
		}
	}
	return s
}

func beforeCue(s string) string {
	s = strings.TrimSpace(s)
	if preambleRE.MatchString(s) && (askRE.MatchString(s) || strings.Count(s, " ") < 3) {
		return ""
	}
	return strings.TrimRight(s, " ,:;(–-•·")
}

// isName reports whether s is written as a person's name: two to four words
// with capitals that name no post, or one with a title before it.
func isName(s string) bool {
	s = squeeze(s)
	least := 2
	if t := honorific.FindString(s); t != "" {
		s, least = s[len(t):], 1
	}
	words := strings.Fields(s)
	if len(words) < least || len(words) > 4 {
		return false
	}
	for _, w := range words {
		r, _ := utf8.DecodeRuneInString(w)
		if !unicode.IsUpper(r) || posts[strings.ToLower(strings.Trim(w, ".,"))] {
			return false
		}
		if strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !strings.ContainsRune(".'’-", r) }) {
			return false
		}
	}
	return true
}

// sentences parts a line after the full stops, question and exclamation marks
// that are followed by a capital, and at bullets. Titles and initials end no
// sentence.
func sentences(l string) []string {
	var out []string
	start := 0
	add := func(end int) {
		if s := strings.TrimSpace(l[start:end]); s != "" {
			out = append(out, s)
		}
		start = end
	}
	for i, r := range l {
		switch r {
		case '•', '·':
			add(i)
		case '.', '!', '?':
			rest := strings.TrimLeft(l[i+1:], " ")
			next, _ := utf8.DecodeRuneInString(rest)
			word := l[strings.LastIndexAny(l[:i], " (")+1 : i]
			if len(rest) < len(l)-i-1 && unicode.IsUpper(next) && len(word) > 1 && !honorific.MatchString(word+" ") && !strings.EqualFold(word, "tel") {
				add(i + 1)
			}
		}
	}
	add(len(l))
	return out
}

// contactNames returns the names in the contact block of an advert, so that
// they can be struck out of its texts.
func (o *outline) contactNames() []string {
	var found []string
	if n := o.byID["contact_details_name"]; n != nil {
		found = append(found, textOf(n))
	}
	if i := o.under("employer contact details"); i >= 0 {
		for _, it := range o.lines(i) {
			found = append(found, it.text)
		}
	}
	found = slices.DeleteFunc(found, func(s string) bool { return !isName(s) })
	slices.Sort(found)
	return slices.Compact(found)
}

// strikeName takes a name out of a text, in any case, as a whole.
func strikeName(text string, name *person) string {
	re := name.in(text)
	if re == nil || !re.MatchString(text) {
		return text
	}
	for re.MatchString(text) {
		text = re.ReplaceAllString(text, "$1$2")
	}
	return tidyLines(text)
}

// tidyLines drops what is left of lines of which something was taken out.
func tidyLines(text string) string {
	var out []string
	for l := range strings.SplitSeq(text, "\n") {
		if l = strings.TrimLeft(squeeze(l), " ,;:"); l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}
