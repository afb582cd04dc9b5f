// Package scotland is a pretend NHS Scotland vacancy site: an http.Handler that
// serves the cards, adverts and robots.txt of apply.jobs.scot.nhs.uk in the
// site's markup, with invented boards, people and prose. It stands in for the
// site in tests and demonstrations; it makes no request, and shares no code
// with the reader.
//
// One state feeds all pages, and it moves between two requests: what is
// published, amended or withdrawn shows in the next answer. The clock is handed
// in. Where the real site's behaviour is unknown the seed picks one of the
// possibilities, see Quirks, and a reader has to survive all of them. Truth
// tells what was on the board and when.
//
//	site.go    the board and its truth
//	serve.go   the answers
//	markup.go  the pages
//	quirks.go  what is not known of the real site
//	invent.go  boards, adverts and people
package scotland

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// PageSize is how many cards a page of the listing holds.
const PageSize = 12

// firstID is the reference of the first advert; they rise from there.
const firstID = 250_000

// An Advert is all that one advert says.
type Advert struct {
	// Reference is the number in the advert's address. Empty: the next one.
	Reference string
	// Printed is the board's own number, "PS246039"; InTitle puts it before
	// the title as well.
	Printed string
	InTitle bool

	Title      string
	Board      string
	Department string
	Family     string // "Nursing and Midwifery"
	// Grade stands before the amounts of the salary: "Band 5", "Consultant".
	Grade string
	// Min and Max are pounds a year; both zero where the grade says all.
	Min, Max int
	Contract string // "Permanent", "Fixed-term"
	Hours    string // "37", "Part time 22.5"

	// Location is the name of the place on the card: a town's or a hospital's.
	Location string
	Town     string
	Region   string
	Postcode string

	// Live is the day the advert goes live, Closing the last day to apply;
	// empty for none.
	Live, Closing world.Day

	Sections []Section
	Contact  world.Contact
}

// A Section is a part of an advert's text.
type Section struct {
	Heading string
	Lines   []string
	// Bullets prints the lines as a list.
	Bullets bool
}

// Clone returns a copy that shares nothing with a.
func (a *Advert) Clone() Advert {
	c := *a
	c.Sections = slices.Clone(a.Sections)
	for i := range c.Sections {
		c.Sections[i].Lines = slices.Clone(c.Sections[i].Lines)
	}
	return c
}

// Salary is the pay as the site prints it.
func (a *Advert) Salary() string {
	amounts := ""
	switch {
	case a.Max > a.Min && a.Min > 0:
		amounts = "£" + thousands(a.Min) + " - £" + thousands(a.Max)
	case a.Max > 0:
		amounts = "£" + thousands(a.Max)
	}
	switch {
	case amounts == "":
		return a.Grade
	case a.Grade == "":
		return amounts
	}
	return a.Grade + " (" + amounts + ")"
}

func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// Options of a site.
type Options struct {
	// Seed picks the quirks, unless they are given.
	Seed   uint64
	Quirks *Quirks
	// Now is the clock. Nil: time.Now.
	Now     func() time.Time
	Adverts []Advert
}

// A Site is the pretend site. Its methods may be called at any time, by
// several goroutines.
type Site struct {
	now    func() time.Time
	quirks Quirks

	mu    sync.Mutex
	lives []*Life
	byRef map[string]*Life
	next  int
	log   []Request
}

// A Life is the truth about one advert.
type Life struct {
	Reference string
	// Visible is when it was published. Gone is when it left the board before
	// its closing day; zero if it did not.
	Visible, Gone time.Time
	Versions      []Version
}

// A Version is what an advert said from a time on.
type Version struct {
	Since  time.Time
	Advert Advert
}

// A Request is one that the site answered.
type Request struct {
	Time   time.Time
	Method string
	URL    string
	Status int
}

// New returns a site with the given adverts on it.
func New(o Options) (*Site, error) {
	s := &Site{now: o.Now, byRef: map[string]*Life{}, next: firstID}
	if s.now == nil {
		s.now = time.Now
	}
	if s.quirks = QuirksOf(o.Seed); o.Quirks != nil {
		s.quirks = *o.Quirks
	}
	for _, a := range o.Adverts {
		if _, err := s.Publish(a); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Quirks returns what the site does where the real one is not known.
func (s *Site) Quirks() Quirks { return s.quirks }

// Publish puts an advert on the board and returns its reference. An advert
// without a live day goes live today.
func (s *Site) Publish(a Advert) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	a = a.Clone()
	if a.Reference == "" {
		s.next++
		a.Reference = strconv.Itoa(s.next)
	}
	if a.Live == "" {
		a.Live = world.DayOf(now)
	}
	switch {
	case a.Title == "":
		return "", errors.New("publish an advert: it has no title")
	case a.Board == "":
		return "", errors.New("publish an advert: it has no board")
	case !a.Live.Valid() || a.Closing != "" && !a.Closing.Valid():
		return "", fmt.Errorf("publish an advert: %q to %q are no days", a.Live, a.Closing)
	case s.byRef[a.Reference] != nil:
		return "", fmt.Errorf("publish an advert: the reference %s is taken", a.Reference)
	}
	l := &Life{Reference: a.Reference, Visible: now, Versions: []Version{{now, a}}}
	s.lives = append(s.lives, l)
	s.byRef[a.Reference] = l
	return a.Reference, nil
}

// Amend changes a live advert. Its reference stays.
func (s *Site) Amend(reference string, change func(*Advert)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.byRef[reference]
	if l == nil || !s.live(l) {
		return fmt.Errorf("amend %s: it is not on the board", reference)
	}
	a := l.advert().Clone()
	change(&a)
	a.Reference = reference
	l.Versions = append(l.Versions, Version{s.now(), a})
	return nil
}

// Withdraw takes a live advert off the board.
func (s *Site) Withdraw(reference string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.byRef[reference]
	if l == nil || !s.live(l) {
		return fmt.Errorf("withdraw %s: it is not on the board", reference)
	}
	l.Gone = s.now()
	return nil
}

// Truth returns every advert that was ever on the board, in the order of
// publishing.
func (s *Site) Truth() []Life {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Life, 0, len(s.lives))
	for _, l := range s.lives {
		c := *l
		c.Versions = slices.Clone(l.Versions)
		for i := range c.Versions {
			c.Versions[i].Advert = c.Versions[i].Advert.Clone()
		}
		out = append(out, c)
	}
	return out
}

// Board returns the adverts that are on the board now, in its order.
func (s *Site) Board() []Advert {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.board()
}

// Requests returns what was asked of the site so far.
func (s *Site) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

func (l *Life) advert() *Advert { return &l.Versions[len(l.Versions)-1].Advert }

// live reports whether an advert is on the board: until the end of its closing
// day, if nobody takes it off before.
func (s *Site) live(l *Life) bool {
	a := l.advert()
	return l.Gone.IsZero() && (a.Closing == "" || a.Closing >= world.DayOf(s.now()))
}

func (s *Site) board() []Advert {
	var out []Advert
	for _, l := range slices.Backward(s.lives) {
		if s.live(l) {
			out = append(out, l.advert().Clone())
		}
	}
	slices.SortStableFunc(out, s.quirks.Order.compare)
	return out
}
