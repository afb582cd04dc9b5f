package vacancy

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// A Forecast tells what a search would have found among the vacancies of some
// days, and so what to expect of it. It sends nothing and marks nothing.
type Forecast struct {
	From Day `json:"from"`
	To   Day `json:"to"`
	Days int `json:"days"`
	// Seen is how many vacancies came up in these days, Matches how many of
	// them the search matches.
	Seen    int `json:"seen"`
	Matches int `json:"matches"`
	// Newest are the last of the matches, at most ten, newest first.
	Newest []*Vacancy `json:"-"`
	// PerWeek is the mean; four weeks of five stay between Low and High.
	PerWeek float64 `json:"per_week"`
	Low     int     `json:"low"`
	High    int     `json:"high"`
	// Words is a sentence about what to expect.
	Words string `json:"words"`
	// Loosenings are what would add most, best first; those that add nothing
	// are left out.
	Loosenings []Loosening `json:"loosenings,omitempty"`
	// Warnings are sentences for whoever saves the search.
	Warnings []string `json:"warnings,omitempty"`
}

// A Loosening is one change of a search and what it would have added.
type Loosening struct {
	Criterion string `json:"criterion"`
	// Change is the change in words: "search 5 miles further".
	Change string `json:"change"`
	Adds   int    `json:"adds"`
	// Search is the search with the change, prepared; it may hold addresses.
	Search Search `json:"-"`
}

// newestShown is how many matches a forecast shows.
const newestShown = 10

// widePercent is the share of everything from which a search is called wide.
const widePercent = 5

// Preview runs a prepared search over vacancies, in any order, and counts
// those that came up from one day to another, both included: by the day of
// posting, or else of being first seen. Each is matched as on the day on which
// it came up. Vacancies of other days are passed over.
//
// A loosening is counted alone; what two of them add together is not their
// sum. Nothing that the search leaves out is loosened.
func Preview(s *Search, vacancies iter.Seq[*Vacancy], from, to Day) Forecast {
	return PreviewEach(s, vacancies, from, to, func(*Vacancy, Day) {})
}

// PreviewEach is Preview, and calls matched for each vacancy that the search
// matches, with the day on which it came up. To ask again with Matches would
// cost as much as the preview.
func PreviewEach(s *Search, vacancies iter.Seq[*Vacancy], from, to Day, matched func(*Vacancy, Day)) Forecast {
	f := Forecast{From: from, To: to, Days: max(from.DaysUntil(to)+1, 1)}
	loose := s.loosenings()
	by := make([][]int, len(criteria)) // loosenings of each criterion
	for i := range loose {
		c := slices.IndexFunc(criteria, func(c criterion) bool { return c.Name == loose[i].Criterion })
		by[c] = append(by[c], i)
	}
	for v := range vacancies {
		day := v.appeared()
		if day.IsZero() || day.Before(from) || to.Before(day) {
			continue
		}
		f.Seen++
		doc := sync.OnceValue(v.doc) // it costs more than the rest
		failed, one := soleFailureIn(s, v, day, doc)
		switch {
		case one:
			c := &criteria[failed]
			test := c.test
			if c.Name == "keywords" && len(by[failed]) > 0 {
				test = func(s *Search, v *Vacancy, _ Day) verdict { return testKeywordsIn(s, v, doc) }
			}
			for _, i := range by[failed] {
				l := &loose[i]
				if !c.used(&l.Search) || l.Search.rule(c, test(&l.Search, v, day)).pass {
					l.Adds++
				}
			}
		case failed < 0:
			f.Matches++
			f.show(v, day)
			matched(v, day)
		}
	}
	f.expect(s)
	f.Loosenings = slices.DeleteFunc(loose, func(l Loosening) bool { return l.Adds == 0 })
	slices.SortStableFunc(f.Loosenings, func(a, b Loosening) int { return b.Adds - a.Adds })
	return f
}

// show keeps the newest matches.
func (f *Forecast) show(v *Vacancy, day Day) {
	at := len(f.Newest)
	for at > 0 && f.Newest[at-1].appeared().Before(day) {
		at--
	}
	if at == newestShown {
		return
	}
	f.Newest = slices.Insert(f.Newest, at, v)
	f.Newest = f.Newest[:min(len(f.Newest), newestShown)]
}

// expect turns counts into what to expect.
func (f *Forecast) expect(s *Search) {
	weeks := float64(f.Days) / 7
	f.PerWeek = float64(f.Matches) / weeks
	f.Low, f.High = weekRange(f.Matches, weeks)
	days := "the last " + count(f.Days, "day")
	switch {
	case f.Seen == 0:
		f.Words = "We have no vacancies of " + days + " to compare with, so we cannot say how many alerts to expect."
	case f.Matches == 0:
		f.Words = fmt.Sprintf("None of %s matched: expect few alerts, in most weeks none.", days)
	default:
		f.Words = fmt.Sprintf("%s matched in %s: expect %s.", vacancies(f.Matches), days, f.rate())
	}
	if f.Days < 14 && f.Matches > 0 {
		f.Words += " That is a guess from few days."
	}
	if len(s.Kinds) > 0 && !s.Wants(New) {
		f.Warnings = append(f.Warnings, "These are new vacancies; the search does not ask to hear of new ones, so fewer alerts will come.")
	}
	switch {
	case f.Seen > 0 && f.Matches == 0:
		f.Warnings = append(f.Warnings, "Nothing matched in "+days+".")
	case f.Seen >= 100 && f.Matches*100 >= f.Seen*widePercent:
		f.Warnings = append(f.Warnings, fmt.Sprintf("The search matches %d %% of all vacancies: many alerts, few of them for you.", f.Matches*100/f.Seen))
	}
}

func vacancies(n int) string {
	if n == 1 {
		return "1 vacancy"
	}
	return fmt.Sprintf("%d vacancies", n)
}

// rate is the number of alerts a week in words.
func (f *Forecast) rate() string {
	switch {
	case f.PerWeek < 0.75:
		return fmt.Sprintf("less than one alert a week, at most %d in one", f.High)
	case f.Low == f.High:
		return fmt.Sprintf("about %s a week", count(int(math.Round(f.PerWeek)), "alert"))
	}
	return fmt.Sprintf("about %s a week, in most weeks %d to %d", count(int(math.Round(f.PerWeek)), "alert"), f.Low, f.High)
}

// weekRange returns between which numbers four weeks of five stay, when n came
// in some weeks. It holds both the chance of a single week and that the mean
// is known from few only: n events of an unknown steady rate make the next
// week's number negative binomial. Holidays and busy seasons are not in it.
func weekRange(n int, weeks float64) (low, high int) {
	shape := float64(n) + 0.5
	stay := weeks / (weeks + 1)
	if none := math.Pow(stay, shape); none < 1e-300 || n > 500 {
		// So many are as good as normal, and the sum below would underflow.
		mean := shape / weeks
		half := 1.2816 * math.Sqrt(mean/stay)
		return int(max(mean-half, 0)), int(math.Ceil(mean + half))
	}
	p := math.Pow(stay, shape) // of none
	sum := p
	low = -1
	for k := 0; ; k++ {
		if low < 0 && sum >= 0.1 {
			low = k
		}
		if sum >= 0.9 {
			return low, k
		}
		p *= (shape + float64(k)) / float64(k+1) * (1 - stay)
		sum += p
	}
}

// loosenings returns every single change that is worth offering.
func (s *Search) loosenings() []Loosening {
	var out []Loosening
	add := func(criterion, change string, edit func(*Search) bool) {
		l := Loosening{Criterion: criterion, Change: change, Search: s.Clone()}
		if edit(&l.Search) {
			out = append(out, l)
		}
	}
	s.loosenPlaces(add)
	for _, b := range ladder {
		if !slices.Contains(s.Bands, b) && nextBand(s.Bands, b) {
			add("band", "also search "+bandWords([]string{b}), func(l *Search) bool {
				l.Bands = prepareBands(append(l.Bands, b), func(string, ...any) {})
				return true
			})
		}
	}
	if len(s.Specialties) > 0 && s.StatedOnly {
		add("specialty", "accept specialties that are only guessed from the text", func(l *Search) bool { l.StatedOnly = false; return true })
	}
	s.loosenKeywords(add)
	for _, c := range []struct {
		criterion, change string
		list              func(*Search) *[]string
	}{
		{"staff_group", "search every staff group", func(s *Search) *[]string { return &s.StaffGroups }},
		{"specialty", "search every specialty", func(s *Search) *[]string { return &s.Specialties }},
		{"contract", "accept every contract", func(s *Search) *[]string { return &s.Contracts }},
		{"working_pattern", "accept every working pattern", func(s *Search) *[]string { return &s.Patterns }},
	} {
		if len(*c.list(s)) > 0 {
			add(c.criterion, c.change, func(l *Search) bool { *c.list(l) = nil; return l.narrow() })
		}
	}
	if s.MinMonths+s.MaxMonths > 0 {
		add("duration", "accept every duration", func(l *Search) bool { l.MinMonths, l.MaxMonths = 0, 0; return l.narrow() })
	}
	if less := s.MinSalary * (100 - nearPay) / 100 / 100 * 100; less > 0 {
		add("min_salary", fmt.Sprintf("ask for at least %s a year", Money(less)*100), func(l *Search) bool { l.MinSalary = less; return true })
	}
	if s.DaysLeft > 0 {
		add("days_left", "ask for no days left", func(l *Search) bool { l.DaysLeft = 0; return true })
	}
	for i := range criteria {
		c := &criteria[i]
		if c.Name != internal && c.used(s) && !s.passesUnstated(c.Criterion) {
			add(c.Name, unstatedWords(c.Name), func(l *Search) bool { l.acceptUnstated(c.Name); return true })
		}
	}
	return out
}

func (s *Search) loosenPlaces(add func(string, string, func(*Search) bool)) {
	circle := func(p Place) bool { return !p.whole() && !p.centre().IsZero() }
	if slices.ContainsFunc(s.Places, circle) {
		for _, further := range []int{5, 10} {
			add("place", "search "+count(further, "mile")+" further", func(l *Search) bool {
				wider := false
				for i := range l.Places {
					if p := &l.Places[i]; circle(*p) && p.Miles < maxMiles {
						p.Miles, wider = min(p.Miles+further, maxMiles), true
					}
				}
				return wider
			})
		}
	}
	if len(s.Places) > 0 && !slices.ContainsFunc(s.Places, func(p Place) bool { return p.Remote }) {
		add("place", "accept work from home as well", func(l *Search) bool { l.Places[0].Remote = true; return true })
	}
}

func (s *Search) loosenKeywords(add func(string, string, func(*Search) bool)) {
	if s.query == nil {
		return
	}
	for _, r := range s.query.Relax() {
		add("keywords", "look without "+r.Dropped, func(l *Search) bool { return l.relax(r) })
	}
}

// relax leaves out words of the expression, if something to look for is left.
func (s *Search) relax(r words.Relaxed) bool {
	if r.Query == nil {
		s.Keywords, s.query = "", nil
		return s.narrow()
	}
	return s.setKeywords(r.Query.String()) && s.narrow()
}
