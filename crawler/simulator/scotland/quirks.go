package scotland

import (
	"cmp"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// Quirks are the ways in which nobody knows how the real site behaves. The
// zero value is the most obliging site.
type Quirks struct {
	// Closed is what the address of an advert answers that is not live.
	Closed Closed
	// RepeatLast answers a page beyond the last one with the last one, instead
	// of with the totals and no cards.
	RepeatLast bool
	// Cumulative counts in totalCurrentRecords all cards so far, instead of
	// those of the page.
	Cumulative bool
	// NoStructured leaves the structured data off advert pages, NoHooks the
	// test hooks. Never both.
	NoStructured, NoHooks bool
	// Badge marks adverts of the last two days with "NEW" inside the link.
	Badge bool
	// LowerCase writes jobid for JobId in links.
	LowerCase bool
	// RawBreaks leaves line breaks inside the strings of structured data.
	RawBreaks bool
	// Robots is the body of robots.txt; there is none where it is empty.
	Robots string
	// Order of the cards.
	Order Order
}

// Closed is what a closed advert's address answers.
type Closed int

// Answers for a closed advert.
const (
	Gone     Closed = iota // 404
	Notice                 // 200 and a notice
	Leftover               // 200 and the advert as it was
	ToSearch               // a redirect to the search page
)

// Order of the cards.
type Order int

// Orders of the cards. The crawl needs the first.
const (
	NewestFirst Order = iota
	ByClosing
)

func (o Order) compare(a, b Advert) int {
	if o == ByClosing {
		return cmp.Compare(a.Closing, b.Closing)
	}
	return cmp.Compare(b.Live, a.Live)
}

// QuirksOf returns the quirks of a seed. The order is newest first for every
// seed: a site in another order cannot be crawled in ours, and a test of that
// asks for it. Seed 0 has none.
func QuirksOf(seed uint64) Quirks {
	if seed == 0 {
		return Quirks{}
	}
	d := world.NewDice(seed, world.Hash("scotland quirks"))
	q := Quirks{
		Closed:     Closed(d.Intn(4)),
		RepeatLast: d.Chance(0.3),
		Cumulative: d.Chance(0.3),
		Badge:      d.Chance(0.5),
		LowerCase:  d.Chance(0.3),
		RawBreaks:  d.Chance(0.3),
	}
	switch d.Intn(6) {
	case 0:
		q.NoStructured = true
	case 1:
		q.NoHooks = true
	}
	if d.Chance(0.5) {
		q.Robots = "User-agent: *\nDisallow: /Account/\nDisallow: /Apply/\n"
	}
	return q
}
