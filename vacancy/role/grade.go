package role

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

//go:embed medical-grades.tsv
var gradesFile string

// Grades of doctors and dentists, as saved searches and NHS Jobs know them.
const (
	Foundation      = "foundation"
	Registrar       = "registrar"
	SpecialtyDoctor = "specialty-doctor"
	Specialist      = "specialist"
	Consultant      = "consultant"
	DoctorOther     = "doctor-other"
)

type gradeAlias struct {
	grade  string
	rank   int
	scheme bool
	caps   []string
}

type gradeList struct {
	aliases []gradeAlias
	trie    words.Trie
}

var grades = sync.OnceValue(func() *gradeList {
	l := new(gradeList)
	for _, row := range words.Rows(gradesFile, 4) {
		rank, err := strconv.Atoi(row[1])
		if err != nil {
			panic("medical-grades.tsv: rank " + row[1]) // Unreachable: a test reads the file.
		}
		for text := range strings.SplitSeq(row[3], ", ") {
			a := gradeAlias{grade: row[0], rank: rank, scheme: row[2] == "scheme"}
			switch {
			case row[2] == "caps":
				a.caps = []string{text}
			case strings.Contains(text, " ") && strings.ToUpper(text) == text:
				a.caps = strings.Fields(text) // "ST 3", but not "St 3"
			}
			l.trie.Add(words.Split(text), len(l.aliases))
			l.aliases = append(l.aliases, a)
		}
	}
	return l
})

// MedicalGrade returns the grade that the title of a doctor's or dentist's
// vacancy names. medicalScheme says that the vacancy is known to be one, by
// the pay scheme "Hospital medical and dental staff" or staff group 01; without
// it only words that no other profession uses are taken, and "specialist",
// "F1" or "doctor" say nothing. Do not ask for vacancies that are known to be
// under another pay scheme.
//
// "Consultant" and "specialist" are doctors only without a word of another
// profession in the title. Postcodes ("ST4 6QG") and wards ("Ward F2") are no
// grades. When several grades are named, employment outside training
// ("Clinical Fellow (ST3+)") goes first, then the order of the title.
func MedicalGrade(title string, medicalScheme bool) (grade, why string, ok bool) {
	l := grades()
	tokens := words.Tokens(title)
	other := otherProfession(tokens)
	best, bestAt, bestLength := -1, 0, 0
	for i := 0; i < len(tokens); {
		n, values := l.trie.Longest(tokens, i, func(n, v int) bool {
			a := &l.aliases[v]
			switch {
			case a.scheme && !medicalScheme:
				return false
			case other && (a.grade == Consultant || a.grade == Specialist):
				return false
			case other && !medicalScheme && a.grade == DoctorOther && (n == 1 || a.rank == 1):
				return false // "GP Receptionist", "Pharmacist Clinical Fellow"
			case elsewhere(tokens, i, n):
				return false
			}
			return inCapitals(tokens[i:i+n], a.caps)
		})
		if n == 0 {
			i++
			continue
		}
		if best < 0 || l.aliases[values[0]].rank < l.aliases[best].rank {
			best, bestAt, bestLength = values[0], i, n
		}
		i += n
	}
	if best < 0 {
		return "", "", false
	}
	return l.aliases[best].grade, evidence(title, tokens[bestAt:bestAt+bestLength]), true
}

// elsewhere reports whether tokens that look like a grade are the outward
// half of a postcode, or the name of a ward.
func elsewhere(tokens []words.Token, i, n int) bool {
	last := tokens[i+n-1].Word
	if c := last[len(last)-1]; c < '0' || c > '9' {
		return false
	}
	next := ""
	if i+n < len(tokens) {
		next = tokens[i+n].Word
	}
	if len(next) == 3 && next[0] >= '0' && next[0] <= '9' && next[1] > '9' && next[2] > '9' {
		return true
	}
	if len(last) > 2 {
		return false // wards are named by a letter and a digit
	}
	return next == "ward" || i > 0 && tokens[i-1].Word == "ward"
}

// VSM reports whether a title names very senior management: "VSM" in
// capitals, or the words themselves. A director is none by name.
func VSM(title string) (why string, ok bool) {
	tokens := words.Tokens(title)
	for i, t := range tokens {
		if t.Cased == "VSM" {
			return evidence(title, tokens[i:i+1]), true
		}
		if t.Word == "very" && i+2 < len(tokens) && tokens[i+1].Word == "senior" && tokens[i+2].Word == "manager" {
			return evidence(title, tokens[i:i+3]), true
		}
	}
	return "", false
}
