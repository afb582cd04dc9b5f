package vacancy

import (
	"slices"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// An Outcome is what one criterion of a search says of one vacancy.
type Outcome struct {
	Criterion string `json:"criterion"`
	Pass      bool   `json:"pass"`
	// Stated is false where the advert does not state the fact, and the rule
	// for unstated facts decided.
	Stated bool `json:"stated"`
	// Reason is a sentence for a person, without the criterion's name.
	Reason string `json:"reason"`
	// Miles is the distance to the nearest place, for the place criterion.
	Miles float64 `json:"miles,omitempty"`
}

// A Criterion is one thing a search can ask for.
type Criterion struct {
	Name string
	// UnstatedPasses is whether an advert that does not state the fact passes,
	// unless the search turns that round.
	UnstatedPasses bool
}

// Criteria names the criteria of a search in the order of an explanation, and
// whether an advert that does not state the fact passes by default:
//
//	place            fails   no site, or none whose place is known, and the employer's seat is not there either
//	band             fails   no band or grade; a search for BandUnstated asks for just these
//	staff_group      passes  told by neither the crawl nor the role in the title
//	specialty        fails   none named in title, summary or duties; with StatedOnly, only inferred
//	keywords         fails   words that may stand on an advert page which could not be read
//	employer         fails   no employer's name and no account; left-out employers never pass
//	contract         passes
//	duration         passes  no length of time in the text; a permanent contract states that it has no end
//	working_pattern  passes
//	min_salary       passes  no yearly figure and no band of the national pay scales, see YearlyTop
//	sponsorship      fails   the advert page has not been read; one without the section does not offer it
//	days_left        passes  no closing date
//	internal         passes  always stated: a title that does not say so is open to everybody
func Criteria() []Criterion {
	out := make([]Criterion, len(criteria))
	for i := range criteria {
		out[i] = criteria[i].Criterion
	}
	return out
}

// A criterion decides by test alone; reason only puts the decision into words.
type criterion struct {
	Criterion
	used   func(*Search) bool
	test   func(*Search, *Vacancy, Day) verdict
	reason func(*Search, *Vacancy, Day, verdict) string
}

// A verdict is an outcome without words. Pass means nothing where the fact is
// not stated.
type verdict struct{ pass, stated bool }

var (
	yes      = verdict{pass: true, stated: true}
	no       = verdict{stated: true}
	unstated = verdict{}
)

func stated(pass bool) verdict { return verdict{pass, true} }

// criteria is in the order of an explanation.
var criteria = []criterion{
	{Criterion{"place", false}, func(s *Search) bool { return len(s.Places) > 0 }, testPlace, sayPlace},
	{Criterion{"band", false}, func(s *Search) bool { return len(s.Bands) > 0 }, testBand, sayBand},
	{Criterion{"staff_group", true}, func(s *Search) bool { return len(s.StaffGroups) > 0 }, testStaffGroup, sayStaffGroup},
	{Criterion{"specialty", false}, func(s *Search) bool { return len(s.Specialties) > 0 }, testSpecialty, saySpecialty},
	{Criterion{"keywords", false}, func(s *Search) bool { return s.query != nil }, testKeywords, sayKeywords},
	{Criterion{"employer", false}, func(s *Search) bool { return len(s.Employers)+len(s.NotEmployers) > 0 }, testEmployer, sayEmployer},
	{Criterion{"contract", true}, func(s *Search) bool { return len(s.Contracts) > 0 }, testContract, sayContract},
	{Criterion{"duration", true}, func(s *Search) bool { return s.MinMonths+s.MaxMonths > 0 }, testDuration, sayDuration},
	{Criterion{"working_pattern", true}, func(s *Search) bool { return len(s.Patterns) > 0 }, testPattern, sayPattern},
	{Criterion{"min_salary", true}, func(s *Search) bool { return s.MinSalary > 0 }, testSalary, saySalary},
	{Criterion{"sponsorship", false}, func(s *Search) bool { return s.Sponsorship }, testSponsorship, saySponsorship},
	{Criterion{"days_left", true}, func(s *Search) bool { return s.DaysLeft > 0 }, testDaysLeft, sayDaysLeft},
	{Criterion{internal, true}, func(s *Search) bool { return !s.Internal }, testInternal, sayInternal},
}

const (
	internal = "internal"
	keywords = "keywords"
)

// byCost are the indices of criteria from cheap to dear: to look for words,
// the advert has to be cut into them.
var byCost = func() []int {
	order := []string{"band", "sponsorship", "staff_group", "contract", "working_pattern", "employer", "min_salary", "days_left",
		"specialty", "duration", internal, "place", "keywords"}
	out := make([]int, len(order))
	for i, name := range order {
		out[i] = slices.IndexFunc(criteria, func(c criterion) bool { return c.Name == name })
	}
	return out
}()

// judge decides, with the rule for what is not stated.
func (c *criterion) judge(s *Search, v *Vacancy, today Day) verdict {
	return s.rule(c, c.test(s, v, today))
}

// rule settles a verdict on what is not stated.
func (s *Search) rule(c *criterion, r verdict) verdict {
	if !r.stated {
		r.pass = s.passesUnstated(c.Criterion)
	}
	return r
}

func (s *Search) passesUnstated(c Criterion) bool {
	if c.Name == "band" && slices.Contains(s.Bands, BandUnstated) {
		return true
	}
	if flipped, ok := s.Unstated[c.Name]; ok {
		return flipped
	}
	return c.UnstatedPasses
}

// Matches is the definition of a match: every outcome of Explain passes.
// Whatever is faster must agree with it. today is the London day.
func Matches(s *Search, v *Vacancy, today Day) bool {
	m := Matcher{v: v, today: today}
	return m.Matches(s)
}

// A Matcher compares many searches with one vacancy, and cuts its advert into
// words once. The vacancy must not change meanwhile. It is not for several
// goroutines.
type Matcher struct {
	v     *Vacancy
	today Day
	words *words.Doc
}

// NewMatcher returns a Matcher for a vacancy on a London day.
func NewMatcher(v *Vacancy, today Day) *Matcher { return &Matcher{v: v, today: today} }

// Matches is Matches for the vacancy.
func (m *Matcher) Matches(s *Search) bool {
	for _, i := range byCost {
		c := &criteria[i]
		if !c.used(s) {
			continue
		}
		test := c.test
		if c.Name == keywords {
			test = m.testKeywords
		}
		if !s.rule(c, test(s, m.v, m.today)).pass {
			return false
		}
	}
	return true
}

func (m *Matcher) testKeywords(s *Search, v *Vacancy, _ Day) verdict {
	return testKeywordsIn(s, v, m.doc)
}

func (m *Matcher) doc() *words.Doc {
	if m.words == nil {
		m.words = m.v.doc()
	}
	return m.words
}

// Explain returns an outcome for each criterion that the search uses, in the
// order of Criteria.
func Explain(s *Search, v *Vacancy, today Day) []Outcome {
	var out []Outcome
	for i := range criteria {
		c := &criteria[i]
		if !c.used(s) {
			continue
		}
		r := c.judge(s, v, today)
		// "Open to external applicants" is worth a line only when it fails.
		if c.Name == internal && r.pass {
			continue
		}
		o := Outcome{Criterion: c.Name, Pass: r.pass, Stated: r.stated, Reason: c.reason(s, v, today, r)}
		if c.Name == "place" {
			o.Miles = nearestMiles(s, v)
		}
		out = append(out, o)
	}
	return out
}

// Why is the line that an alert carries: the reasons of a match in one line.
func Why(outcomes []Outcome) string {
	parts := make([]string, 0, len(outcomes))
	for _, o := range outcomes {
		parts = append(parts, o.Reason)
	}
	return strings.Join(parts, " · ")
}

func testPlace(s *Search, v *Vacancy, _ Day) verdict {
	f := fitPlaces(s.Places, v)
	switch {
	case f.home, f.area != nil, f.in.place != nil:
		return yes
	case f.known:
		return no
	}
	return unstated
}

func testBand(s *Search, v *Vacancy, _ Day) verdict {
	if v.Band == "" {
		return unstated
	}
	return stated(slices.Contains(s.Bands, v.Band) ||
		slices.ContainsFunc(v.AlsoBands, func(b string) bool { return slices.Contains(s.Bands, b) }))
}

func testStaffGroup(s *Search, v *Vacancy, _ Day) verdict {
	if v.StaffGroup == "" {
		return unstated
	}
	return stated(slices.Contains(s.StaffGroups, v.StaffGroup))
}

func testSpecialty(s *Search, v *Vacancy, _ Day) verdict {
	any := false
	for i := range v.Specialties {
		sp := &v.Specialties[i]
		if s.StatedOnly && sp.Confidence != "stated" {
			continue
		}
		if slices.Contains(s.Specialties, sp.ID) {
			return yes
		}
		any = true
	}
	return verdict{stated: any}
}

func testKeywords(s *Search, v *Vacancy, _ Day) verdict { return testKeywordsIn(s, v, v.doc) }

// testKeywordsIn cuts the advert into words only if they may be there.
func testKeywordsIn(s *Search, v *Vacancy, doc func() *words.Doc) verdict {
	ok := s.query.Possible(v.Title, v.Text.Summary, v.Text.Duties, v.Text.Description, v.Text.Requirements)
	if ok {
		ok, _ = s.query.Match(doc())
	}
	if !ok && v.PageUnread {
		// The words may stand on the page that could not be read.
		return unstated
	}
	return stated(ok)
}

func (v *Vacancy) doc() *words.Doc {
	return words.NewDoc(
		words.Field{Name: words.Title, Text: v.Title},
		words.Field{Name: words.Summary, Text: v.Text.Summary},
		words.Field{Name: words.Duties, Text: v.Text.Duties},
		words.Field{Name: words.Description, Text: v.Text.Description},
		words.Field{Name: words.PersonSpec, Text: v.Text.Requirements},
	)
}

func testEmployer(s *Search, v *Vacancy, _ Day) verdict {
	switch {
	case v.employedBy(s.NotEmployers):
		return no
	case len(s.Employers) == 0 || v.employedBy(s.Employers):
		return yes
	case v.Employer == "":
		return unstated
	}
	return no
}

// employedBy reports whether a list of accounts and names holds the employer.
func (v *Vacancy) employedBy(list []string) bool {
	if len(list) == 0 {
		return false
	}
	account, name := v.Account(), fold(v.Employer)
	return slices.ContainsFunc(list, func(e string) bool { return e != "" && (e == account || fold(e) == name) })
}

func testContract(s *Search, v *Vacancy, _ Day) verdict {
	if v.Contract == "" {
		return unstated
	}
	contract := fold(v.Contract)
	return stated(slices.ContainsFunc(s.Contracts, func(c string) bool { return fold(c) == contract }))
}

// testDuration compares generously: of "6 to 12 months" the longer end with
// what is asked for at least, and the shorter with the most.
func testDuration(s *Search, v *Vacancy, _ Day) verdict {
	if fold(v.Contract) == "permanent" {
		return stated(s.MaxMonths == 0)
	}
	l, ok := ParseLength(v.Duration)
	if !ok {
		return unstated
	}
	return stated(l.To >= MonthsInDays(s.MinMonths) && (s.MaxMonths == 0 || l.From <= MonthsInDays(s.MaxMonths)))
}

func testPattern(s *Search, v *Vacancy, _ Day) verdict {
	if len(v.WorkingPatterns) == 0 {
		return unstated
	}
	return stated(slices.ContainsFunc(v.WorkingPatterns, func(p string) bool { return slices.Contains(s.Patterns, p) }))
}

func testSalary(s *Search, v *Vacancy, today Day) verdict {
	top, _, ok := v.YearlyTop(today)
	if !ok {
		return unstated
	}
	return stated(top >= Money(s.MinSalary)*100)
}

func testSponsorship(_ *Search, v *Vacancy, _ Day) verdict {
	switch v.Sponsorship {
	case Offered:
		return yes
	case NotOffered:
		return no
	}
	return unstated
}

func testDaysLeft(s *Search, v *Vacancy, today Day) verdict {
	if v.Closing.IsZero() {
		return unstated
	}
	return stated(today.DaysUntil(v.Closing) >= s.DaysLeft)
}

func testInternal(_ *Search, v *Vacancy, _ Day) verdict {
	title := strings.ToLower(v.Title)
	return stated(!strings.Contains(title, "internal applicant") && !strings.Contains(title, "internal only") &&
		!strings.Contains(title, "internal candidates"))
}
