// Package specialty finds the specialty of a vacancy in its words, such as
// oncology in "join our Medical Oncology Service". It is deterministic, knows
// no statistics and explains every result.
//
// How a text is read:
//
//  1. Normalise (package words), mend a fault in a long word of the title, and
//     strike out the phrases of specialty-traps.tsv: "maternity cover" is no
//     midwifery.
//  2. Look up the aliases of specialty-synonyms.tsv, longest first:
//     "psychiatric intensive care" is no critical care.
//  3. Score by place: department 12; title 10, a weak alias 4; the lead of the
//     summary ("in our X team") 5; the rest of the summary 2, and 1 for each
//     further alias, at most 4; duties and description 1 a sentence, at most 2.
//     Other blocks of an advert count nothing and are not asked for. The name
//     of an employer with one field only, 5, where none of title, department
//     and lead names that field.
//  4. Judge the sentence: three names divide its weight, a paragraph with four,
//     or about the employer, counts nothing, and neither does what follows a
//     negation. Names of a rotation are kept whole, but only as inferred.
//  5. For administration and estates a specialty needs title, department,
//     lead or employer.
//  6. 8 points and 60 % of the best are stated, at most three; 5 to 7 points
//     with 2 ahead of the next are inferred. Professions and fields are
//     compared each among themselves: a physiotherapist may well work in
//     stroke.
//
// Special cases do not belong into the code: a wrong result is cured by a line
// of a word list with a test, or by a general rule.
//
// Layout: taxonomy.go the specialties; lists.go the word lists; spelling.go faults
// in titles; passage.go reading a text; classify.go scoring; explain.go evidence.
package specialty

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// Confidences of a finding.
const (
	Stated   = "stated"
	Inferred = "inferred"
)

// An Input is what the classifier looks at. Leave out prose about the
// employer and the person specification.
type Input struct {
	Title       string
	Employer    string // counts only where it has but one field: a surgery, a hospice
	Department  string // a field that holds the department only; often absent
	Summary     string
	Duties      string
	Description string
	StaffGroup  string // NHS staff group code; "" when unknown
}

// A Finding is a specialty that the vacancy states or implies.
type Finding struct {
	ID         string
	Confidence string // Stated or Inferred
	Evidence   string // short, for people: "summary: Medical Oncology Service"
	Score      int
}

// Points of each place.
const (
	departmentPoints = 12
	titlePoints      = 10
	weakPoints       = 4
	leadPoints       = 5
	summaryPoints    = 2 // 1 for each further alias
	summaryMost      = 4
	bodyMost         = 2 // 1 a sentence
	employerPoints   = 5

	statedFrom   = 8
	inferredFrom = 5
	aheadBy      = 2
	sharePercent = 60
	mostFindings = 3
)

// Classify returns the specialties of a vacancy, best first. None is a good
// answer: most administrative adverts have no specialty.
func Classify(in Input) []Finding {
	var findings []Finding
	for _, t := range judge(in) {
		if t.verdict == "" {
			continue
		}
		findings = append(findings, Finding{
			ID:         taxonomy().list[t.specialty].ID,
			Confidence: t.verdict,
			Evidence:   t.evidence(),
			Score:      t.score(),
		})
	}
	return findings
}

// A tally is the score of one specialty. Points are in thousandths.
type tally struct {
	specialty int

	title, department, lead, employer, summary, body int

	titleWord      string // as written
	departmentWord string
	leadQuote      string // "join our Medical Oncology Service"
	leadName       string // "Medical Oncology Service"
	summaryAliases []string
	summaryWord    string // as written
	employerName   string
	bodyWord       string
	bodyName       string // block of bodyWord

	exact   bool // an anchor is no general alias
	general bool // an anchor is a general alias
	settled bool // an anchor is outside a rotation
	rotates bool // an anchor is in a rotation
	yields  bool // gives way to a more exact specialty
	verdict string
}

func (t *tally) anchored() bool { return t.title+t.department+t.lead+t.employer > 0 }

// score is in points, rounded.
func (t *tally) score() int {
	return (t.title + t.department + t.lead + t.employer + t.summary + t.body + 500) / 1000
}

type tallies map[int]*tally

func (ts tallies) of(h *hit) *tally {
	t := ts[h.alias.specialty]
	if t == nil {
		t = &tally{specialty: h.alias.specialty}
		ts[h.alias.specialty] = t
	}
	return t
}

// anchor notes by what kind of hit the tally has its title, department or lead.
func (t *tally) anchor(h *hit, s *sentence) {
	if h.alias.general {
		t.general = true
	} else {
		t.exact = true
	}
	if s.rotation && !taxonomy().list[t.specialty].profession {
		t.rotates = true
	} else {
		t.settled = true
	}
}

// judge scores every specialty that is named anywhere, best first, and gives
// its verdict.
func judge(in Input) []*tally {
	ts := tallies{}
	ts.scoreTitle(readTitle(in.Title))
	ts.scoreDepartment(read(in.Department))
	ts.scoreSummary(read(in.Summary))
	ts.scoreBody("duties", read(in.Duties))
	ts.scoreBody("description", read(in.Description))
	ts.scoreEmployer(in.Employer)
	if in.StaffGroup == "08" || in.StaffGroup == "09" {
		for _, t := range ts {
			if !t.anchored() {
				t.summary, t.body = 0, 0
			}
		}
	}
	list := make([]*tally, 0, len(ts))
	for _, t := range ts {
		t.yields = ts.overshadowed(t)
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b *tally) int {
		return cmp.Or(cmp.Compare(b.score(), a.score()), cmp.Compare(a.specialty, b.specialty))
	})
	decide(list)
	return list
}

// decide gives the verdicts of tallies in the order of their scores.
func decide(list []*tally) {
	var left []*tally
	for _, t := range list {
		if !t.yields {
			left = append(left, t)
		}
	}
	given := 0
	for i, t := range left {
		secondary := t.rotates && !t.settled
		switch score := t.score(); {
		case given == mostFindings:
			return
		case score >= statedFrom && !secondary && score*100 >= left[0].score()*sharePercent:
			t.verdict = Stated
		case score >= inferredFrom && (secondary || ahead(left, i)):
			t.verdict = Inferred
		default:
			continue
		}
		given++
	}
}

// ahead reports whether a tally beats all others of its kind, profession or
// field, clearly enough to be inferred.
func ahead(list []*tally, i int) bool {
	kind := taxonomy().list[list[i].specialty].profession
	for j, o := range list {
		if j != i && taxonomy().list[o.specialty].profession == kind && list[i].score()-o.score() < aheadBy {
			return false
		}
	}
	return true
}

// overshadowed reports whether a specialty is named by the general words of
// its group alone ("mental health nurse") while a more exact one of the group
// has an anchor ("memory service").
func (ts tallies) overshadowed(t *tally) bool {
	if t.exact || !t.general {
		return false
	}
	group := taxonomy().list[t.specialty].Group
	for _, o := range ts {
		if o.exact && o.score() >= inferredFrom && taxonomy().list[o.specialty].Group == group {
			return true
		}
	}
	return false
}

func (ts tallies) scoreTitle(p *passage) {
	for i := range p.hits {
		h := &p.hits[i]
		t := ts.of(h)
		points := weakPoints * 1000
		if h.alias.strength != weak {
			points = titlePoints * 1000
			t.anchor(h, &p.sentences[h.sentence])
		}
		if points > t.title {
			t.title, t.titleWord = points, p.quote(h.from, h.to)
		}
	}
}

func (ts tallies) scoreDepartment(p *passage) {
	for i := range p.hits {
		h := &p.hits[i]
		t := ts.of(h)
		points := weakPoints * 1000
		if h.alias.strength != weak {
			points = departmentPoints * 1000
			t.anchor(h, &p.sentences[h.sentence])
		}
		if points > t.department {
			t.department, t.departmentWord = points, p.quote(h.from, h.to)
		}
	}
}

// scoreSummary scores leads first. A lead counts even in a paragraph about the
// employer, if its own sentence is not; the rest of the summary does not.
func (ts tallies) scoreSummary(p *passage) {
	p.findLeads()
	led := map[int]int{} // sentence of the best lead, by specialty
	for i := range p.hits {
		h := &p.hits[i]
		s := &p.sentences[h.sentence]
		if h.leadTo == 0 || s.about || !p.counts(h) {
			continue
		}
		t := ts.of(h)
		t.anchor(h, s)
		if points := leadPoints * s.share(); points > t.lead {
			t.lead = points
			t.leadQuote = p.quote(h.leadFrom, h.leadTo)
			t.leadName = p.leadName(h)
			led[h.alias.specialty] = h.sentence
		}
	}
	for i := range p.hits {
		h := &p.hits[i]
		s := &p.sentences[h.sentence]
		if n, ok := led[h.alias.specialty]; ok && n == h.sentence {
			continue
		}
		if p.silent[s.paragraph] || !p.counts(h) {
			continue
		}
		t := ts.of(h)
		if slices.Contains(t.summaryAliases, h.alias.text) {
			continue
		}
		points := s.share()
		if len(t.summaryAliases) == 0 {
			points *= summaryPoints
			t.summaryWord = p.quote(h.from, h.to)
		}
		t.summary = min(t.summary+points, summaryMost*1000)
		t.summaryAliases = append(t.summaryAliases, h.alias.text)
	}
}

// scoreEmployer lets the name of an employer stand in for a lead: a surgery
// need not say that it is a general practice.
func (ts tallies) scoreEmployer(name string) {
	l := load()
	tokens := words.Tokens(name)
	for i := range tokens {
		n, values := l.employers.Longest(tokens, i, every)
		if n == 0 {
			continue
		}
		id := l.employerFields[values[0]]
		t := ts[id]
		if t == nil {
			t = &tally{specialty: id}
			ts[id] = t
		}
		if !t.anchored() {
			t.employer, t.employerName = employerPoints*1000, strings.Join(strings.Fields(strings.ToValidUTF8(name, "?")), " ")
			t.exact, t.settled = true, true
		}
		return
	}
}

// scoreBody scores duties or description, both of which share one limit.
func (ts tallies) scoreBody(name string, p *passage) {
	last := map[int]int{} // the last sentence that counted, plus one
	for i := range p.hits {
		h := &p.hits[i]
		s := &p.sentences[h.sentence]
		if p.silent[s.paragraph] || last[h.alias.specialty] == h.sentence+1 || !p.counts(h) {
			continue
		}
		last[h.alias.specialty] = h.sentence + 1
		t := ts.of(h)
		if t.body == 0 {
			t.bodyWord, t.bodyName = p.quote(h.from, h.to), name
		}
		t.body = min(t.body+s.share(), bodyMost*1000)
	}
}
