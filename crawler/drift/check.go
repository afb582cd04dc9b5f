package drift

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/role"
)

const (
	// Dates of live adverts lie in this many days from today. Single adverts
	// do not, nor do whole pages at the far end of a sweep.
	closingFrom, closingTo = -1, 180
	postedFrom, postedTo   = -90, 1
	// mostText bounds what is kept of a value.
	mostText = 200
)

// optional are the fields that some entries state and some do not. How many
// do is learned, never assumed: a card shows what the XML answer does not.
var optional = []struct {
	name string
	has  func(v *vacancy.Vacancy) bool
}{
	{"salary", func(v *vacancy.Vacancy) bool { return v.Salary != nil }},
	{"amount", func(v *vacancy.Vacancy) bool { return v.Salary != nil && v.Salary.Max > 0 }},
	{"place", func(v *vacancy.Vacancy) bool { return len(v.Locations) > 0 }},
	{"postcode", func(v *vacancy.Vacancy) bool {
		return slices.ContainsFunc(v.Locations, func(l vacancy.Location) bool { return l.Postcode != "" })
	}},
	{"contract", func(v *vacancy.Vacancy) bool { return v.Contract != "" }},
	{"known contract", func(v *vacancy.Vacancy) bool { return slices.Contains(vacancy.Contracts(), v.Contract) }},
	{"pattern", func(v *vacancy.Vacancy) bool { return len(v.WorkingPatterns) > 0 }},
	{"summary", func(v *vacancy.Vacancy) bool { return v.Text.Summary != "" }},
	{"closing date", func(v *vacancy.Vacancy) bool { return !v.Closing.IsZero() }},
	{"posting time", timed},
}

// timed reports whether v was posted at a time of the day. Midnight is what a
// day without a time turns into.
func timed(v *vacancy.Vacancy) bool {
	if v.Posted.IsZero() || v.Posted.DayOnly {
		return false
	}
	h, m, s := v.Posted.Time.In(vacancy.London()).Clock()
	return h != 0 || m != 0 || s != 0
}

// A Check gathers what the entries of one run's pages state, and judges it at
// the end. It holds a few counts, whatever the number of entries.
type Check struct {
	learned Learned
	feed    Feed
	name    string
	now     time.Time
	today   vacancy.Day
	from    int

	items int
	lacks map[string]int // entries without a required field, by reason
	have  map[string]int // entries with an optional one, by name

	past, far     int // closing dates before and after where they belong
	old, ahead    int // posting dates
	together      int // closing on the day of posting
	backwards     int // closing before it
	same, crossed int
	straight      int

	columns map[string]*vote
	known   int // entries of vacancies that are remembered
	agreed  int // of those, the ones that say what they said before
	front   frontCheck
}

// New begins the check of a run over one feed at the given time.
func New(l Learned, feed string, now time.Time) *Check {
	c := &Check{learned: l, feed: l.Feeds[feed].clean(), name: feed, now: now, today: vacancy.LondonDay(now), from: 1,
		lacks: map[string]int{}, have: map[string]int{}, columns: map[string]*vote{}}
	c.front.before = c.feed.Front
	return c
}

// From says with which page the run begins, 1 unless told, and returns c. The
// last pages of a sweep hold adverts that have stood for months or do for
// years: only where the first page is among those read can old posting dates
// and far closing dates be a fault.
func (c *Check) From(page int) *Check {
	c.from = page
	return c
}

// Add takes in one entry. Entries are added in the order of the pages, known
// ones as well as new ones, before anything but the listing is merged in.
func (c *Check) Add(v *vacancy.Vacancy) {
	if v == nil {
		return
	}
	c.items++
	c.required(page.DefectReference, v.Reference == "")
	c.required(page.DefectTitle, v.Title == "")
	c.required(page.DefectEmployer, v.Employer == "")
	c.required(page.DefectPosted, v.Posted.IsZero())
	c.required(page.DefectClosing, v.Closing.IsZero())
	for _, o := range optional {
		if o.has(v) {
			c.have[o.name]++
		}
	}
	c.dates(v)
	c.names(v)
	c.column("reference", v.Reference)
	c.column("title", v.Title)
	c.column("employer", v.Employer)
	c.column("closing date", v.Closing.String())
	if timed(v) {
		// Days alone are no column: all of a page may be of one day.
		c.column("posting time", v.Posted.Time.UTC().Format(time.RFC3339Nano))
	}
	if v.Salary != nil && v.Salary.Max > 0 {
		c.column("salary", v.Salary.Text)
	}
	if len(v.Locations) > 0 {
		c.column("place", v.Locations[0].String())
	}
	c.front.add(v)
}

// Known says how many of the entries so far are of vacancies that are
// remembered, and how many of these say what they said before.
func (c *Check) Known(entries, agreed int) { c.known, c.agreed = entries, agreed }

// oneValueIsWrong reports whether a column that says the same everywhere is a
// fault of the reader. No board names one title or reference throughout; but an
// employer may open its own board, or post three hundred vacancies that close
// on one day. That is told from a wrong selector by the vacancies that are
// known: read by the same selector, they would not say what they said before.
// Where nothing was learned yet, a small board may be anything.
func (c *Check) oneValueIsWrong(column string, entries int) bool {
	const most = 500 // more than these are a large board's, and differ
	if column == "reference" || column == "title" {
		return true
	}
	acquitted := c.agreed >= 3 && 2*c.agreed > c.known
	return !acquitted && (c.feed.Items > 0 || entries > most)
}

func (c *Check) required(reason string, lacks bool) {
	if lacks {
		c.lacks[reason]++
	}
}

func (c *Check) dates(v *vacancy.Vacancy) {
	if !v.Closing.IsZero() {
		switch n := c.today.DaysUntil(v.Closing); {
		case n < closingFrom:
			c.past++
		case n > closingTo:
			c.far++
		}
	}
	if v.Posted.IsZero() {
		return
	}
	switch n := c.today.DaysUntil(v.Posted.Day()); {
	case n < postedFrom:
		c.old++
	case n > postedTo:
		c.ahead++
	}
	if v.Closing.IsZero() {
		return
	}
	switch n := v.Posted.Day().DaysUntil(v.Closing); {
	case n == 0:
		c.together++
	case n < 0:
		c.backwards++
	}
}

func (c *Check) names(v *vacancy.Vacancy) {
	if v.Title == "" || v.Employer == "" {
		return
	}
	if vacancy.Fold(v.Title) == vacancy.Fold(v.Employer) {
		c.same++
		return
	}
	// An employer is not named like a profession: of 117 real titles 69 name
	// one, of their employers none.
	_, title := role.Find(v.Title)
	_, employer := role.Find(v.Employer)
	switch {
	case title && !employer:
		c.straight++
	case employer && !title:
		c.crossed++
	}
}

func (c *Check) column(name, value string) {
	if value == "" {
		return
	}
	col := c.columns[name]
	if col == nil {
		col = &vote{}
		c.columns[name] = col
	}
	col.add(value)
}

// A vote finds whether one value holds nearly all of a column, in constant
// space (the majority vote of Boyer and Moore).
type vote struct {
	value      string
	lead, cast int
}

func (o *vote) add(value string) {
	if len(value) > mostText {
		value = value[:mostText]
	}
	o.cast++
	switch {
	case o.lead == 0:
		o.value, o.lead = value, 1
	case o.value == value:
		o.lead++
	default:
		o.lead--
	}
}

// won reports whether one value holds nearly all: at 98 % it surely does, at
// less than 96 % it surely does not.
func (o *vote) won() bool { return o.cast >= enough && 25*o.lead >= 24*o.cast }

// Defects returns what is wrong with the run, in an order that does not
// change; nil for a good one, and for one without entries (see Zero).
func (c *Check) Defects() []Defect {
	var out []Defect
	add := func(reason, format string, args ...any) {
		out = append(out, Defect{reason, fmt.Sprintf(format, args...)})
	}
	n := c.items

	// Required fields: all of them. Closing dates are the exception, for a
	// card without one has been seen, and one site has many such: beside this
	// bound they are held to the learned rate.
	for _, reason := range []string{page.DefectReference, page.DefectTitle, page.DefectEmployer, page.DefectPosted} {
		if c.lacks[reason] > 0 {
			add(reason, "%d of %d entries are without", c.lacks[reason], n)
		}
	}
	if lacks := c.lacks[page.DefectClosing]; lacks > max(2, n/4) {
		add(page.DefectClosing, "%d of %d entries are without", lacks, n)
	}

	for _, o := range optional {
		if rate, ok := c.feed.Rates[o.name]; ok && short(c.have[o.name], n, rate, c.feed.Items) {
			add(DefectRate, "%s: %d of %d entries have one, %.1f %% were learned", o.name, c.have[o.name], n, 100*rate)
		}
	}

	// What no live advert has, but in twos and threes around midnight.
	few, half := max(2, n/5), max(4, n/2)
	if c.past > few {
		add(DefectDates, "%d of %d closing dates are past", c.past, n)
	}
	if c.ahead > few {
		add(DefectDates, "%d of %d posting dates are to come", c.ahead, n)
	}
	if c.backwards > few {
		add(DefectDates, "%d of %d closing dates lie before the posting date", c.backwards, n)
	}
	if n >= 10 && c.together > max(4, n/3) {
		add(DefectDates, "%d of %d closing dates are those of posting", c.together, n)
	}
	// What many have, when an employer posts all its rolling adverts at once.
	if c.from <= 1 && n >= 10 {
		if c.far > half {
			add(DefectDates, "%d of %d closing dates are more than %d days ahead", c.far, n, closingTo)
		}
		if c.old > half {
			add(DefectDates, "%d of %d posting dates are more than %d days old", c.old, n, -postedFrom)
		}
	}

	for _, name := range slices.Sorted(maps.Keys(c.columns)) {
		if o := c.columns[name]; o.won() && c.oneValueIsWrong(name, o.cast) {
			add(DefectOneValue, "%s: one value in nearly all of %d entries", name, o.cast)
		}
	}
	if c.same > few {
		add(DefectSwapped, "%d of %d titles are the employer's name", c.same, n)
	}
	if c.crossed >= 5 && c.crossed > c.straight {
		add(DefectSwapped, "%d employers and %d titles are named like a profession", c.crossed, c.straight)
	}
	if d, ok := c.front.defect(c.now); ok {
		out = append(out, d)
	}
	return out
}

// Learned returns what is learned with this run added. It is to be stored
// only if the run was good, or it would learn what is wrong.
func (c *Check) Learned() Learned {
	out := Learned{Feeds: maps.Clone(c.learned.Feeds)}
	if c.items == 0 {
		return out
	}
	f := c.feed.learn(c.now, c.items, c.have)
	if c.from <= 1 {
		f.Front = c.front.next(c.now)
	}
	if out.Feeds == nil {
		out.Feeds = map[string]Feed{}
	}
	out.Feeds[c.name] = f
	return out
}
