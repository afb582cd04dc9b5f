package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/role"
	"github.com/vacancywatch/vacancywatch/vacancy/specialty"
	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// matchDay is the day of all matching, and posting times lie before it.
var matchDay = vacancy.Day{Year: 2026, Month: time.June, Day: 10}

// matchVacancies returns adverts of the simulated service as a crawl reads
// them, with all that is derived from them.
func matchVacancies(w *world.World, first, n int) []*vacancy.Vacancy {
	posted := time.Date(2026, time.June, 8, 9, 0, 0, 0, time.UTC)
	out := make([]*vacancy.Vacancy, n)
	for i := range out {
		out[i] = asVacancy(w.Make(uint64(first+i), posted, 14+i%14), first+i)
	}
	return out
}

func asVacancy(a *world.Advert, n int) *vacancy.Vacancy {
	text := a.Texts()
	var wanted []string
	for _, c := range text.Criteria {
		wanted = append(append(wanted, c.Essential...), c.Desirable...)
	}
	paragraphs := func(p []string) string { return strings.Join(p, "\n\n") }
	v := vacancy.Vacancy{
		Source: "nhs-jobs", Reference: fmt.Sprintf("%s-26-%04d", a.Account, n), Title: strings.TrimSpace(a.Title), Employer: a.Employer,
		PayScheme: a.PayScheme, Contract: vacancy.ParseContract(a.Contract), Duration: a.Duration,
		Sponsorship: vacancy.NotOffered,
		Text:        vacancy.Text{Summary: paragraphs(text.Summary), Duties: paragraphs(text.Duties), Description: paragraphs(text.Description), Requirements: paragraphs(wanted)},
		Posted:      vacancy.AtTime(a.Posted),
	}
	if a.Band != "" {
		v.Band, v.BandFrom = a.Band, vacancy.FromPrinted
	} else if grade, ok := vacancy.ParseBandName(a.Grade); ok {
		v.Band, v.BandFrom = grade, vacancy.FromFilter
	}
	if a.Sponsorship {
		v.Sponsorship = vacancy.Offered
	}
	for _, g := range role.StaffGroups() {
		if g.Filter == a.StaffGroup {
			v.StaffGroup = g.Code
		}
	}
	for _, p := range a.Patterns {
		v.WorkingPatterns = append(v.WorkingPatterns, vacancy.ParsePattern(p))
	}
	for _, s := range a.Sites {
		v.Locations = append(v.Locations, vacancy.Location{Site: s.Name, Town: s.Town, County: s.County, Postcode: s.Postcode})
	}
	v.Salary = &vacancy.Salary{Text: a.Salary.Text, Negotiable: a.Salary.Max == 0, Unit: a.Salary.Unit,
		Min: vacancy.Money(a.Salary.Min * 100), Max: vacancy.Money(a.Salary.Max * 100)}
	if d, err := time.Parse(time.DateOnly, string(a.Closing)); err == nil {
		v.Closing = vacancy.DayOf(d, time.UTC)
	}
	v.Derive()
	return &v
}

// A crowd invents the people who save searches. Each has an advert of the
// simulated service in mind and asks for some of what it says, near one of the
// towns, the larger ones more often. So what is asked for hangs together, and
// is as unevenly popular as what is offered. The same number always gives the
// same search.
type crowd struct {
	seed   uint64
	models []*vacancy.Vacancy
	towns  []world.Town
	sums   []int // running weights of towns
	words  []string
}

func newCrowd(seed uint64, models []*vacancy.Vacancy) *crowd {
	c := &crowd{seed: seed, models: models}
	sum := 0
	for _, t := range world.Towns() {
		if t.Nation != "England" && t.Nation != "Wales" {
			continue
		}
		// A town's postcode sectors say roughly how many live there.
		c.towns, sum = append(c.towns, t), sum+len(t.Sectors)
		c.sums = append(c.sums, sum)
	}
	count := map[string]int{}
	for _, v := range models {
		for w := range v.Doc().Words {
			count[w]++
		}
	}
	for w := range count {
		if len(w) > 3 && count[w] < len(models)/3 { // "with" and "team" find everything
			c.words = append(c.words, w)
		}
	}
	slices.SortFunc(c.words, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	return c
}

// word returns a word of adverts, the frequent ones more often, or one that
// stands in none.
func (c *crowd) word(d *world.Dice, v *vacancy.Vacancy) string {
	switch n := d.Intn(100); {
	case n < 55:
		if title := plainWords(v.Title); len(title) > 0 {
			return world.Pick(d, title)
		}
		return "nurse"
	case n < 92:
		// As in Zipf's law, half of the uses are of a few words.
		return c.words[int(float64(len(c.words))*d.Float()*d.Float()*d.Float())]
	}
	return "rare" + strconv.Itoa(d.Intn(20_000))
}

// plainWords are the words of a title that a person would look for.
func plainWords(title string) []string {
	var out []string
	for _, w := range words.Split(title) {
		if len(w) > 2 && w != "and" && w != "the" && w != "for" && w != "not" && w[0] >= 'a' {
			out = append(out, w)
		}
	}
	return out
}

func (c *crowd) keywords(d *world.Dice, v *vacancy.Vacancy) string {
	switch n := d.Intn(100); {
	case n < 45:
		return c.word(d, v)
	case n < 62:
		if title := words.Split(v.Title); len(title) > 1 {
			i := d.Intn(len(title) - 1)
			return `"` + title[i] + " " + title[i+1] + `"`
		}
		return c.word(d, v)
	case n < 77:
		return c.word(d, v) + " " + c.word(d, v)
	case n < 90:
		return c.word(d, v) + " OR " + c.word(d, world.Pick(d, c.models))
	}
	return c.word(d, v) + " NOT " + c.word(d, world.Pick(d, c.models))
}

func (c *crowd) place(d *world.Dice) vacancy.Place {
	at, _ := slices.BinarySearch(c.sums, d.Intn(c.sums[len(c.sums)-1])+1)
	t := c.towns[at]
	miles := []int{5, 10, 10, 10, 15, 20, 20, 20, 30, 40, 50}
	return vacancy.Place{Name: t.Name, Miles: world.Pick(d, miles),
		Lat: t.Lat + (d.Float()-d.Float())*.1, Lon: t.Lon + (d.Float()-d.Float())*.15}
}

// search returns the nth search, prepared.
func (c *crowd) search(n int) *vacancy.Search {
	for try := uint64(0); ; try++ {
		d := world.NewDice(c.seed, uint64(n), try)
		s := c.invent(d)
		// As long as the ids that people's searches have.
		s.ID = fmt.Sprintf("s%09d", n)
		if s.Prepare() == nil {
			return s
		}
	}
}

func (c *crowd) invent(d *world.Dice) *vacancy.Search {
	v := world.Pick(d, c.models)
	s := &vacancy.Search{}
	switch n := d.Intn(100); {
	case n < 78:
		s.Places = append(s.Places, c.place(d))
		for d.Chance(.08) {
			s.Places = append(s.Places, c.place(d))
		}
	case n < 87:
		s.Places = append(s.Places, vacancy.Place{Region: world.Pick(d, gazetteer.Regions())})
	case n < 89:
		s.Places = append(s.Places, vacancy.Place{Area: world.Pick(d, []string{"Kent", "Essex", "Surrey", "Midlands (NHS region)", "Greater Manchester", "England"})})
	}
	if len(s.Places) > 0 && d.Chance(.05) {
		s.Places[0].Remote = true
	}
	if d.Chance(.65) {
		at := max(slices.Index(vacancy.Bands(), v.Band), 0)
		for s.Bands = append(s.Bands, vacancy.Bands()[at]); at+1 < len(vacancy.Bands()) && d.Chance(.4); {
			at++
			s.Bands = append(s.Bands, vacancy.Bands()[at])
		}
	}
	switch n := d.Intn(100); {
	case n < 58 && len(v.Specialties) > 0:
		id := world.Pick(d, v.Specialties).ID
		if sp, ok := specialty.Lookup(id); ok && n >= 50 {
			id = sp.Group
		}
		s.Specialties, s.StatedOnly = []string{id}, d.Chance(.1)
	case n < 58:
		s.Specialties = []string{world.Pick(d, specialty.All()).ID}
	}
	if d.Chance(.6) {
		s.Keywords = c.keywords(d, v)
	}
	if d.Chance(.07) {
		for s.Employers = append(s.Employers, v.Account()); d.Chance(.3); {
			s.Employers = append(s.Employers, world.Pick(d, c.models).Employer)
		}
	}
	if d.Chance(.04) {
		s.NotEmployers = []string{world.Pick(d, c.models).Account()}
	}
	if d.Chance(.35) && v.StaffGroup != "" {
		s.StaffGroups = []string{v.StaffGroup}
	}
	if d.Chance(.2) {
		s.Contracts = []string{"Permanent"}
		if d.Chance(.5) {
			s.Contracts = append(s.Contracts, "Fixed term")
		}
		if d.Chance(.1) {
			s.MinMonths = 6
		}
	}
	if d.Chance(.15) {
		s.Patterns = []string{world.Pick(d, vacancy.WorkingPatterns()[:4])}
	}
	if d.Chance(.15) {
		s.MinSalary = d.Between(22, 60) * 1000
	}
	s.Sponsorship = d.Chance(.08)
	if d.Chance(.03) {
		s.DaysLeft = d.Between(2, 10)
	}
	if d.Chance(.05) {
		s.Unstated = map[string]bool{"band": true}
	}
	return s
}
