package vacancy

import (
	"fmt"
	"slices"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// A Miss is a vacancy that one criterion alone, and narrowly, keeps from a
// search.
type Miss struct {
	Criterion string `json:"criterion"`
	// Reason says by how much it misses: "3.8 miles too far from E1 6".
	Reason string `json:"reason"`
	// Change is the smallest change of the search that lets the vacancy in,
	// in words: "search within 9 miles of E1 6 instead of 5".
	Change string `json:"change"`
	// Search is the search with that change, prepared. It may hold mail
	// addresses and so stays out of what is shown.
	Search Search `json:"-"`
}

// How narrow a miss is, at most.
const (
	nearMiles  = 5 // too far, or a quarter of the radius if that is more
	nearDays   = 3 // too soon
	nearMonths = 3 // too short or too long
	nearPay    = 5 // per cent below
)

// Near returns how a vacancy narrowly misses a search; it is false where the
// vacancy matches, where several criteria fail, and where the one that fails
// is not close:
//
//	place         at most 5 miles too far, or a quarter of the radius; or work from home
//	band          the next band up or down
//	specialty     inferred where it was to be stated
//	keywords      a title: word elsewhere in the advert; a phrase whose words stand apart
//	duration      at most 3 months too short or too long, not for a permanent contract
//	min_salary    at most 5 % below
//	days_left     closes at most 3 days too soon, and is still open
//	any           the advert does not state the fact, and the search asks that it does
//
// What the search leaves out, words and employers and adverts for internal
// applicants, never comes near. The vacancy matches Miss.Search.
func Near(s *Search, v *Vacancy, today Day) (Miss, bool) {
	failed, ok := soleFailure(s, v, today)
	if !ok {
		return Miss{}, false
	}
	c := &criteria[failed]
	r := c.judge(s, v, today)
	m := Miss{Criterion: c.Name, Search: s.Clone()}
	if r.stated {
		ease := map[string]func(*Miss, *Search, *Vacancy, Day) bool{
			"place": easePlace, "band": easeBand, "keywords": easeKeywords, "duration": easeDuration,
			"min_salary": easeSalary, "days_left": easeDaysLeft,
		}[c.Name]
		if ease == nil || !ease(&m, s, v, today) {
			return Miss{}, false
		}
		return m, true
	}
	m.Reason = c.reason(s, v, today, r)
	if c.Name == "specialty" && s.StatedOnly {
		m.Search.StatedOnly = false
		if c.judge(&m.Search, v, today).pass {
			m.Change = "accept specialties that are only guessed from the text"
			return m, true
		}
		m.Search.StatedOnly = true
	}
	m.Search.acceptUnstated(c.Name)
	m.Change = unstatedWords(c.Name)
	return m, true
}

// soleFailure returns the index of the one criterion that fails.
func soleFailure(s *Search, v *Vacancy, today Day) (failed int, ok bool) {
	return soleFailureIn(s, v, today, v.doc)
}

// soleFailureIn is soleFailure for whoever may need the words of v again.
func soleFailureIn(s *Search, v *Vacancy, today Day, doc func() *words.Doc) (failed int, ok bool) {
	failed = -1
	for _, i := range byCost {
		c := &criteria[i]
		if !c.used(s) {
			continue
		}
		test := c.test
		if c.Name == "keywords" {
			test = func(s *Search, v *Vacancy, _ Day) verdict { return testKeywordsIn(s, v, doc) }
		}
		if !s.rule(c, test(s, v, today)).pass {
			if failed >= 0 {
				return 0, false
			}
			failed = i
		}
	}
	return failed, failed >= 0
}

// acceptUnstated lets adverts pass that do not state the fact.
func (s *Search) acceptUnstated(criterion string) {
	if s.Unstated == nil {
		s.Unstated = map[string]bool{}
	}
	s.Unstated[criterion] = true
}

// unstatedWords says what acceptUnstated does.
func unstatedWords(criterion string) string {
	switch criterion {
	case "place":
		return "accept adverts whose place is not known"
	case "keywords":
		return "accept adverts whose page could not be read"
	case "sponsorship":
		return "accept adverts of which sponsorship is not known"
	case "specialty":
		return "accept adverts that name no specialty"
	}
	for name, words := range map[string]string{
		"band": "a band", "staff_group": "a staff group", "employer": "an employer", "contract": "a contract", "duration": "a duration",
		"working_pattern": "a working pattern", "min_salary": "yearly pay", "days_left": "a closing date",
	} {
		if name == criterion {
			return "accept adverts that do not state " + words
		}
	}
	return "accept adverts that do not say" // Unreachable: every other criterion is always stated.
}

func easePlace(m *Miss, s *Search, v *Vacancy, _ Day) bool {
	f := fitPlaces(s.Places, v)
	if f.remote {
		m.Reason, m.Change = "work from home, which your search does not ask for", "accept work from home as well"
		m.Search.Places[0].Remote = true
		return true
	}
	if f.off.place == nil {
		return false
	}
	// Of several circles the nearest one that can be widened far enough.
	best := -1
	var need int
	for i := range s.Places {
		p := &s.Places[i]
		if p.whole() || p.centre().IsZero() {
			continue
		}
		off := fitPlaces(s.Places[i:i+1], v).off
		if off.place == nil {
			continue
		}
		miles, ok := gazetteer.MilesToReach(off.metres2)
		if !ok || miles > maxMiles || off.over() > max(nearMiles, float64(p.Miles)/4) {
			continue
		}
		if best < 0 || miles-p.Miles < need-s.Places[best].Miles {
			best, need = i, miles
			m.Reason = fmt.Sprintf("%s too far from %s (%s)", milesText(off.over()), p.Name, off.where())
		}
	}
	if best < 0 {
		return false
	}
	p := &m.Search.Places[best]
	m.Change = fmt.Sprintf("search within %s of %s instead of %d", count(need, "mile"), p.Name, p.Miles)
	p.Miles = need
	return true
}

// easeBand lets in the next band: to a nurse in band 5, band 6 is the next
// step. Grades of doctors are different work and no ladder.
func easeBand(m *Miss, s *Search, v *Vacancy, _ Day) bool {
	for _, b := range v.AllBands() {
		if nextBand(s.Bands, b) {
			m.Reason = fmt.Sprintf("%s, you asked for %s", bandText([]string{b}, v.BandFrom), bandWords(s.Bands))
			m.Change = "also search " + bandWords([]string{b})
			m.Search.Bands = prepareBands(append(m.Search.Bands, b), func(string, ...any) {})
			return true
		}
	}
	return false
}

// nextBand reports whether b stands beside one of the bands on the ladder.
func nextBand(bands []string, b string) bool {
	i := slices.Index(ladder, b)
	return i >= 0 && (i > 0 && slices.Contains(bands, ladder[i-1]) || i+1 < len(ladder) && slices.Contains(bands, ladder[i+1]))
}

func easeKeywords(m *Miss, s *Search, v *Vacancy, _ Day) bool {
	q, change, ok := s.query.Nearly(v.doc())
	if !ok || !m.Search.setKeywords(q.String()) {
		return false
	}
	_, m.Reason = s.query.Match(v.doc())
	m.Change = "look for " + change
	return true
}

// setKeywords gives a search another expression. It is false for one that is
// too long to be saved.
func (s *Search) setKeywords(expression string) bool {
	probe := Search{ID: "probe", Keywords: expression, Sponsorship: true}
	if probe.Prepare() != nil {
		return false
	}
	s.Keywords, s.query = expression, probe.query
	return true
}

func easeDuration(m *Miss, s *Search, v *Vacancy, _ Day) bool {
	l, ok := ParseLength(v.Duration)
	if !ok || fold(v.Contract) == "permanent" {
		return false
	}
	short, long := MonthsInDays(s.MinMonths)-l.To, 0
	if s.MaxMonths > 0 {
		long = l.From - MonthsInDays(s.MaxMonths)
	}
	most := MonthsInDays(nearMonths)
	text := "for " + clip(v.Duration, 60)
	switch {
	case short > 0 && short <= most:
		months := s.MinMonths
		for months > 0 && MonthsInDays(months) > l.To {
			months--
		}
		m.Search.MinMonths = months
		m.Reason = fmt.Sprintf("%s, %s shorter than you asked", text, lengthText(short))
		m.Change = "ask for at least " + count(months, "month")
		if months == 0 {
			m.Change = "ask for no least duration"
		}
		return true
	case short <= 0 && long > 0 && long <= most:
		months := s.MaxMonths
		for MonthsInDays(months) < l.From {
			months++
		}
		m.Search.MaxMonths = months
		m.Reason = fmt.Sprintf("%s, %s longer than you asked", text, lengthText(long))
		m.Change = "ask for at most " + count(months, "month")
		return true
	}
	return false
}

// lengthText is a number of days for people.
func lengthText(days int) string {
	if months := (days*12 + daysPerYear/2) / daysPerYear; months > 0 {
		return count(months, "month")
	}
	return count(days, "day")
}

func easeSalary(m *Miss, s *Search, v *Vacancy, today Day) bool {
	top, _, _ := v.YearlyTop(today)
	want := Money(s.MinSalary) * 100
	if (want-top)*100 > want*nearPay {
		return false
	}
	m.Reason = fmt.Sprintf("%s below the %s a year you asked for", want-top, want)
	// Down to whole hundreds, as people write it.
	m.Search.MinSalary = int(top/100) / 100 * 100
	m.Change = fmt.Sprintf("ask for at least %s a year", Money(m.Search.MinSalary)*100)
	if m.Search.MinSalary == 0 {
		m.Change = "ask for no least salary"
	}
	return true
}

func easeDaysLeft(m *Miss, s *Search, v *Vacancy, today Day) bool {
	left := today.DaysUntil(v.Closing)
	if left < 0 || s.DaysLeft-left > nearDays {
		return false
	}
	m.Reason = fmt.Sprintf("closes %s too soon, on %s", count(s.DaysLeft-left, "day"), v.Closing.Human())
	m.Search.DaysLeft = left
	m.Change = "ask for at least " + count(left, "day") + " left"
	if left == 0 {
		m.Change = "ask for no days left"
	}
	return true
}
