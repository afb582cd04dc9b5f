package specialty

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

//go:embed specialty-synonyms.tsv
var synonymsFile string

//go:embed specialty-traps.tsv
var trapsFile string

//go:embed prose-words.tsv
var proseFile string

//go:embed employer-words.tsv
var employersFile string

// An alias is a word or phrase that names a specialty.
type alias struct {
	text      string
	specialty int      // index into the taxonomy
	cased     []string // the words in capitals, when the rule asks for them
	mixed     bool     // capitals tell nothing where everything is in capitals
	strength  strength
	general   bool // names the whole group
}

type strength uint8

const (
	weak      strength = iota
	titleOnly          // strong in a title or department, weak elsewhere
	strong
)

type lists struct {
	aliases []alias
	trie    words.Trie // of aliases
	traps   words.Trie
	about   words.Trie
	// dictionary holds the words of aliases and traps.
	dictionary dictionary
	// employers are words of an employer's name that tell its one field.
	employers      words.Trie
	employerFields []int // by value in employers

	negation, rotation, cue, unit, copula, home, person, clause, want, article map[string]bool
}

var load = sync.OnceValue(func() *lists {
	l := new(lists)
	for _, row := range words.Rows(synonymsFile, 5) {
		a := alias{text: row[0], specialty: taxonomy().index[row[1]], mixed: row[2] == "mixed"}
		if row[2] == "caps" || row[2] == "mixed" {
			for _, t := range words.Tokens(row[0]) {
				a.cased = append(a.cased, t.Cased)
			}
		}
		kind, rest, _ := strings.Cut(row[3], ",")
		a.general = rest == "general"
		switch kind {
		case "strong":
			a.strength = strong
		case "title":
			a.strength = titleOnly
		}
		phrase := words.Split(row[0])
		l.trie.Add(phrase, len(l.aliases))
		l.dictionary.add(phrase)
		l.aliases = append(l.aliases, a)
	}
	for i, row := range words.Rows(trapsFile, 2) {
		phrase := words.Split(row[0])
		l.traps.Add(phrase, i)
		l.dictionary.add(phrase)
	}
	for i, row := range words.Rows(employersFile, 2) {
		l.employers.Add(words.Split(row[0]), i)
		l.employerFields = append(l.employerFields, taxonomy().index[row[1]])
	}
	sets := map[string]*map[string]bool{
		"negation": &l.negation, "rotation": &l.rotation, "cue": &l.cue, "unit": &l.unit,
		"copula": &l.copula, "home": &l.home, "person": &l.person,
		"clause": &l.clause, "want": &l.want, "article": &l.article,
	}
	for i, row := range words.Rows(proseFile, 2) {
		if row[0] == "about" {
			l.about.Add(words.Split(row[1]), i)
			continue
		}
		set := sets[row[0]]
		if *set == nil {
			*set = make(map[string]bool)
		}
		(*set)[words.Normalise(row[1])] = true
	}
	return l
})

// written reports whether tokens are spelt as the rule of the alias demands.
func (a *alias) written(tokens []words.Token, shouted bool) bool {
	if a.mixed && shouted {
		return false
	}
	for i, c := range a.cased {
		if tokens[i].Cased != c && tokens[i].Cased != c+"s" {
			return false
		}
	}
	return true
}

// has reports whether the word at i, alone or with the one before it, is in
// the set.
func has(set map[string]bool, tokens []words.Token, i int) bool {
	if set[tokens[i].Word] {
		return true
	}
	return i > 0 && tokens[i].Break == words.NoBreak && set[tokens[i-1].Word+" "+tokens[i].Word]
}

// containsPhrase reports whether a phrase of the trie stands in tokens.
func containsPhrase(trie *words.Trie, tokens []words.Token) bool {
	for i := range tokens {
		if n, _ := trie.Longest(tokens, i, every); n > 0 {
			return true
		}
	}
	return false
}

func every(int, int) bool { return true }
