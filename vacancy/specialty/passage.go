package specialty

import (
	"strings"
	"unicode/utf8"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// A hit is the name of a specialty in a text.
type hit struct {
	alias    *alias
	from, to int // tokens
	sentence int
	// lead is the tokens from the cue to the unit of a lead ("join our X
	// team"), zero when the hit is in none.
	leadFrom, leadTo int
}

// A sentence is a run of tokens and what is said of all of it.
type sentence struct {
	from, to  int
	paragraph int
	names     int  // how many different specialties; see countNames
	rotation  bool // names places of a rotation
	about     bool // speaks of the employer
}

// A passage is a text with the specialties it names. Hits that a trap strikes
// out or a negation excludes are not among them.
type passage struct {
	text      string
	tokens    []words.Token
	hits      []hit
	sentences []sentence
	silent    []bool // paragraphs that count nothing
}

// read finds the specialties in a text: traps first, then the longest alias
// at each word.
func read(text string) *passage { return readTokens(text, words.Tokens(text)) }

// readTitle reads a title, and forgives a fault of spelling.
func readTitle(text string) *passage {
	return readTokens(text, load().dictionary.mendAll(words.Tokens(text)))
}

func readTokens(text string, tokens []words.Token) *passage {
	l := load()
	p := &passage{text: text, tokens: tokens}
	struck := p.strike(&l.traps)
	p.cut()
	for n := range p.sentences {
		s := &p.sentences[n]
		here := p.tokens[s.from:s.to]
		shouted := words.Shouted(p.quote(s.from, s.to))
		s.about = containsPhrase(&l.about, here)
		for i := s.from; i < s.to; {
			s.rotation = s.rotation || l.rotation[p.tokens[i].Word]
			length, values := l.trie.Longest(p.tokens, i, func(n, v int) bool {
				for k := i; k < i+n; k++ {
					if struck[k] {
						return false
					}
				}
				return l.aliases[v].written(p.tokens[i:i+n], shouted)
			})
			if length == 0 {
				i++
				continue
			}
			if !p.negated(l, struck, s.from, i) {
				p.add(l, n, i, length, values)
			}
			i += length
		}
	}
	p.countNames()
	return p
}

// add records the aliases of one place, one for each specialty.
func (p *passage) add(l *lists, sentence, at, length int, values []int) {
	first := len(p.hits)
next:
	for _, v := range values {
		a := &l.aliases[v]
		for k := first; k < len(p.hits); k++ {
			if h := &p.hits[k]; h.alias.specialty == a.specialty {
				if a.strength > h.alias.strength {
					h.alias = a
				}
				continue next
			}
		}
		p.hits = append(p.hits, hit{alias: a, from: at, to: at + length, sentence: sentence})
	}
}

// strike marks the tokens of traps.
func (p *passage) strike(traps *words.Trie) []bool {
	struck := make([]bool, len(p.tokens))
	for i := 0; i < len(p.tokens); {
		n, _ := traps.Longest(p.tokens, i, every)
		for k := i; k < i+n; k++ {
			struck[k] = true
		}
		i += max(n, 1)
	}
	return struck
}

// cut divides the tokens into sentences.
func (p *passage) cut() {
	paragraph := 0
	for i, t := range p.tokens {
		if i == 0 || t.Break != words.NoBreak {
			if t.Break == words.ParagraphBreak {
				paragraph++
			}
			p.sentences = append(p.sentences, sentence{from: i, to: i, paragraph: paragraph})
		}
		p.sentences[len(p.sentences)-1].to = i + 1
	}
	p.silent = make([]bool, paragraph+1)
}

// negated reports whether a negation stands within the four words before
// token i of a sentence. A dash, colon, semicolon or bracket ends its reach.
func (p *passage) negated(l *lists, struck []bool, from, i int) bool {
	for k := i - 1; k >= max(from, i-4); k-- {
		gap := p.text[p.tokens[k].End:max(p.tokens[k].End, p.tokens[k+1].Start)]
		if strings.ContainsAny(gap, "–—:;()") || strings.Contains(gap, " - ") {
			return false
		}
		if !struck[k] && has(l.negation, p.tokens[:i], k) {
			return true
		}
	}
	return false
}

// countNames counts the specialties of each sentence and silences paragraphs
// that speak of the employer or list four or more.
//
// Professions and fields are counted apart and the larger number taken:
// "physiotherapist in our stroke and rehabilitation team" names two fields,
// not three of a kind.
func (p *passage) countNames() {
	type set map[int]bool
	fields, professions := set{}, set{}
	paragraph := make([]set, len(p.silent))
	next := 0
	for n := range p.sentences {
		s := &p.sentences[n]
		clear(fields)
		clear(professions)
		for last := -1; next < len(p.hits) && p.hits[next].sentence == n; next++ {
			h := &p.hits[next]
			if h.from == last {
				continue // an alias of two specialties is one name
			}
			last = h.from
			if taxonomy().list[h.alias.specialty].profession {
				professions[h.alias.specialty] = true
			} else {
				fields[h.alias.specialty] = true
			}
			if paragraph[s.paragraph] == nil {
				paragraph[s.paragraph] = set{}
			}
			paragraph[s.paragraph][h.alias.specialty] = true
		}
		s.names = max(len(fields), len(professions))
		if s.about || len(paragraph[s.paragraph]) >= 4 {
			p.silent[s.paragraph] = true
		}
	}
}

// counts reports whether a hit outside the title has weight: strong aliases
// have, others only beside a strong one of the same specialty in the same
// sentence.
func (p *passage) counts(h *hit) bool {
	if h.alias.strength == strong {
		return true
	}
	for i := range p.hits {
		o := &p.hits[i]
		if o.sentence == h.sentence && o.alias.specialty == h.alias.specialty && o.alias.strength == strong {
			return true
		}
	}
	return false
}

// share is the part of a point, in thousandths, that a hit in a sentence
// keeps: a sentence that names three or more specialties divides its weight,
// one about a rotation does not.
func (s *sentence) share() int {
	if s.names < 3 || s.rotation {
		return 1000
	}
	return 1000 / s.names
}

// quote returns the text of tokens on one line.
func (p *passage) quote(from, to int) string {
	if from >= to {
		return ""
	}
	s := strings.Join(strings.Fields(p.text[p.tokens[from].Start:p.tokens[to-1].End]), " ")
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "?")
	}
	return s
}

// Reach of a lead, in words.
const (
	cueReach  = 6 // from the cue to the name
	unitReach = 4 // from the name to the unit
)

// findLeads marks the hits of leads: a cue such as "in" or "join" a few words
// before the name, and a unit such as "team" or "ward" a few words behind it.
// "Experience in a stroke unit" asks for something and leads nowhere;
// "experience in our stroke unit" does. "We are a stroke unit" and "a unit for
// people with stroke" lead too.
func (p *passage) findLeads() {
	l := load()
	for i := range p.hits {
		h := &p.hits[i]
		s := &p.sentences[h.sentence]
		if from, ok := p.cueBefore(l, s, h.from); ok {
			if to, ok := p.unitAfter(l, s, h); ok {
				h.leadFrom, h.leadTo = from, to
				continue
			}
		}
		if from, ok := p.copulaBefore(l, s, h.from); ok {
			if to, ok := p.unitAfter(l, s, h); ok && l.home[p.tokens[to-1].Word] {
				h.leadFrom, h.leadTo = from, to
				continue
			}
		}
		if from, ok := p.homeBefore(l, s, h.from); ok {
			h.leadFrom, h.leadTo = from, h.to
		}
	}
}

// copulaBefore finds the verb of "we are a busy X ward" and "ward 4 is our X
// ward". A hospital that is a centre of something speaks of the employer.
func (p *passage) copulaBefore(l *lists, s *sentence, at int) (int, bool) {
	for k := at - 1; k > max(s.from, at-cueReach); k-- {
		if l.article[p.tokens[k].Word] && l.copula[p.tokens[k-1].Word] {
			for j := s.from; j < k-1; j++ {
				if w := p.tokens[j].Word; w == "we" || l.home[w] {
					return k - 1, true
				}
			}
			return 0, false
		}
		if p.endsPhrase(l, s, k) {
			return 0, false
		}
	}
	return 0, false
}

// homeBefore finds the begin of "a service for people with X".
func (p *passage) homeBefore(l *lists, s *sentence, at int) (int, bool) {
	person := false
	for k := at - 1; k > max(s.from, at-cueReach); k-- {
		w := p.tokens[k].Word
		switch {
		case l.person[w]:
			person = true
		case w == "for":
			return max(s.from, k-2), person && l.home[p.tokens[k-1].Word]
		case w == "and", w == "or":
			return 0, false
		}
	}
	return 0, false
}

func (p *passage) cueBefore(l *lists, s *sentence, at int) (int, bool) {
	ours := false
	for k := at - 1; k >= max(s.from, at-cueReach); k-- {
		w := p.tokens[k].Word
		switch {
		case w == "our":
			ours = true
		case has(l.cue, p.tokens[:at], k):
			for j := k - 1; j >= max(s.from, k-3) && !ours; j-- {
				if l.want[p.tokens[j].Word] {
					return 0, false
				}
			}
			return k, true
		case p.endsPhrase(l, s, k):
			return k, ours && w == "of" // "the heart of our X team"
		}
	}
	return 0, false
}

// unitAfter returns the end of the unit behind a hit. A name may end in its
// unit ("cancer team"), but not be one ("in theatres").
func (p *passage) unitAfter(l *lists, s *sentence, h *hit) (int, bool) {
	to := h.to
	if h.to-h.from == 1 || !l.unit[p.tokens[to-1].Word] {
		for ; ; to++ {
			if to == s.to || to == h.to+unitReach || p.endsPhrase(l, s, to) {
				return 0, false
			}
			if l.unit[p.tokens[to].Word] {
				break
			}
		}
	}
	for to < s.to && l.unit[p.tokens[to].Word] {
		to++
	}
	return to, true
}

// endsPhrase reports whether a noun phrase ends before token k: at a word
// such as "with", and where a list goes on ("maternity and the X department").
func (p *passage) endsPhrase(l *lists, s *sentence, k int) bool {
	return l.clause[p.tokens[k].Word] ||
		p.tokens[k].Word == "and" && k+1 < s.to && l.article[p.tokens[k+1].Word]
}
