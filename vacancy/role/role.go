// Package role reads job titles: which role and NHS staff group the words of
// a title name, which grade a doctor's title gives, and whether it names very
// senior management.
//
// It looks at titles only, never at pay or at the text of an advert, and says
// nothing where the words are ambiguous. Cases that shaped the rules:
//
//	Consultant Cardiologist      doctor
//	Consultant Midwife           midwife: consultant is a grade that gives way
//	GP Receptionist              administrator: GP gives way
//	Administrator to Lead Nurse  administrator: the first part of a title counts
//	PA                           nothing: associate, assistant or activity
//	CT1 2AB                      nothing: a postcode
//	St Mary's Hospital           nothing: ST needs a digit
package role

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// Codes of the NHS staff groups, from the NHS Data Dictionary.
const (
	MedicalAndDental    = "01"
	Students            = "02"
	NursingMidwifery    = "03"
	AlliedHealth        = "04"
	ScientificTechnical = "05"
	Scientists          = "06"
	ClinicalServices    = "07"
	Administrative      = "08"
	EstatesAncillary    = "09"
	Supplementary       = "10"
)

//go:embed staff-groups.tsv
var staffGroupsFile string

//go:embed role-synonyms.tsv
var rolesFile string

// A StaffGroup is one of the ten NHS staff groups.
type StaffGroup struct {
	Code   string // two digits
	Name   string
	Filter string // value of the staffGroup filter of NHS Jobs, empty for code 10
}

// StaffGroups returns the staff groups in the order of their codes.
func StaffGroups() []StaffGroup { return slices.Clone(staffGroups()) }

var staffGroups = sync.OnceValue(func() []StaffGroup {
	var list []StaffGroup
	for _, row := range words.Rows(staffGroupsFile, 3) {
		list = append(list, StaffGroup{row[0], row[1], row[2]})
	}
	return list
})

// A Role is what a title says about the work.
type Role struct {
	StaffGroup string // code of the staff group
	Name       string // such as "registered nurse"
	Evidence   string // such as `"Staff Nurse" in the title`
}

type alias struct {
	role   int
	caps   []string // the words in capitals, for aliases that need them
	yields bool
}

type roleList struct {
	roles   []Role
	aliases []alias
	trie    words.Trie
}

var roles = sync.OnceValue(func() *roleList {
	l := new(roleList)
	for i, row := range words.Rows(rolesFile, 3) {
		l.roles = append(l.roles, Role{StaffGroup: row[1], Name: row[0]})
		for text := range strings.SplitSeq(row[2], ", ") {
			text, yields := strings.CutPrefix(text, "~")
			l.trie.Add(words.Split(text), len(l.aliases))
			l.aliases = append(l.aliases, alias{i, capitals(text), yields})
		}
	}
	return l
})

// capitals returns the cased words of an alias that counts only in capitals:
// one with neither small letters nor digits. In "PA to" only "PA" must be.
func capitals(text string) []string {
	var list []string
	any := false
	for _, t := range words.Tokens(text) {
		if t.Cased == strings.ToUpper(t.Cased) && !strings.ContainsAny(t.Cased, "0123456789") && t.Cased != "D" {
			list = append(list, t.Cased)
			any = true
		} else {
			list = append(list, "")
		}
	}
	if !any {
		return nil
	}
	return list
}

// inCapitals reports whether tokens are written as an alias demands. A small
// plural s is allowed.
func inCapitals(tokens []words.Token, caps []string) bool {
	for i, c := range caps {
		if c != "" && tokens[i].Cased != c && tokens[i].Cased != c+"s" {
			return false
		}
	}
	return true
}

// notDoctors are words beside which "consultant" or "specialist" is a grade
// of another profession, or of none.
var notDoctors = map[string]bool{
	"midwife": true, "midwifery": true, "nurse": true, "nursing": true, "pharmacist": true,
	"psychologist": true, "therapist": true, "physiotherapist": true, "psychotherapist": true,
	"radiographer": true, "sonographer": true, "practitioner": true, "paramedic": true,
	"dietitian": true, "podiatrist": true, "orthoptist": true, "optometrist": true,
	"audiologist": true, "physiologist": true, "scientist": true, "technician": true,
	"technologist": true, "physicist": true, "biochemist": true, "toxicologist": true,
	"cytogeneticist": true, "osteopath": true, "perfusionist": true, "engineer": true, "embryologist": true,
	"orthotist": true, "prosthetist": true, "counsellor": true, "worker": true, "ahp": true,
	"secretary": true, "receptionist": true, "administrator": true, "coordinator": true,
	"manager": true, "analyst": true, "developer": true, "adviser": true, "advisor": true,
	"assistant": true, "trainer": true, "it": true, "digital": true, "hr": true,
	"recruitment": true, "recruiter": true, "management": true, "business": true, "systems": true,
	"system": true, "software": true, "data": true, "finance": true, "sales": true, "odp": true,
}

func otherProfession(tokens []words.Token) bool {
	for _, t := range tokens {
		if notDoctors[t.Word] && (t.Word != "it" || t.Cased == "IT") {
			return true
		}
	}
	return false
}

// Find returns the role that a title names. The first part of the title that
// names any counts (parts end at a comma, dash, bracket, slash, or a word such
// as "to" and "for"); in it the longest name, and of equally long ones the
// last, for English puts the profession last ("GP Receptionist").
func Find(title string) (Role, bool) {
	l := roles()
	tokens := words.Tokens(title)
	type found struct{ role, part, at, length int }
	var best found
	ok, yielding := false, true
	better := func(f found, yields bool) bool {
		switch {
		case !ok || yielding && !yields:
			return true
		case yields && !yielding || f.part != best.part:
			return false
		}
		return f.length >= best.length
	}
	parts := titleParts(title, tokens)
	other := otherProfession(tokens)
	for i := 0; i < len(tokens); {
		n, values := l.trie.Longest(tokens, i, func(n, v int) bool {
			a := &l.aliases[v]
			if other && a.yields && l.roles[a.role].StaffGroup == MedicalAndDental {
				return false
			}
			return inCapitals(tokens[i:i+n], a.caps)
		})
		if n == 0 {
			i++
			continue
		}
		a := &l.aliases[values[0]]
		if f := (found{a.role, parts[i], i, n}); better(f, a.yields) {
			best, ok, yielding = f, true, a.yields
		}
		i += n
	}
	if !ok {
		return Role{}, false
	}
	r := l.roles[best.role]
	r.Evidence = evidence(title, tokens[best.at:best.at+best.length])
	return r, true
}

// titleParts numbers the parts of a title, one number a token.
func titleParts(title string, tokens []words.Token) []int {
	parts := make([]int, len(tokens))
	part := 0
	for i, t := range tokens {
		if i > 0 {
			gap := title[tokens[i-1].End:max(tokens[i-1].End, t.Start)]
			dash := strings.ContainsAny(gap, "-–—") && strings.ContainsAny(gap, " \t\u00a0")
			if dash || strings.ContainsAny(gap, ",/:;|()[]\n") {
				part++
			}
		}
		switch t.Word {
		case "to", "for", "in", "of", "at", "with", "within", "or":
			part++
		}
		parts[i] = part
	}
	return parts
}

// evidence quotes tokens as they stand in the title.
func evidence(title string, tokens []words.Token) string {
	end := tokens[len(tokens)-1].End
	quote := title[tokens[0].Start:end]
	if strings.Count(quote, "(") > strings.Count(quote, ")") && strings.HasPrefix(title[end:], ")") {
		quote += ")" // RN(C)
	}
	quote = strings.Join(strings.Fields(quote), " ")
	if !utf8.ValidString(quote) {
		quote = strings.ToValidUTF8(quote, "?")
	}
	return `"` + quote + `" in the title`
}
