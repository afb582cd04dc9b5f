// Package simulator is an honest NHS Jobs: a handler that behaves as the real
// site does, odd answers, moving rows and all, over a world of invented
// adverts. Tests and the demo crawl it in place of the site, which must never
// be crawled for practice. Honest means no kinder than the site: where the
// site's behaviour is not known, the seed chooses one of the possibilities
// (Quirks), and a reader must survive each.
//
// It keeps the truth: what was visible when, every version, and every request.
// A scorer compares that truth with what arrived, never with what the crawler
// says of itself. It also keeps the laws of manners, and Broken tells which
// the client broke.
//
// Nothing sleeps but the faults that are slow, and state moves only between
// two requests. The same seed, the same clock and the same requests give the
// same bytes. No code is shared with the readers of these pages.
//
//   - site.go, board.go, process.go, rhythm.go: the state, and how it moves
//   - serve.go, search.go, answer.go: from a request to an answer
//   - faults.go, script.go, deliver.go: what can go wrong
//   - laws.go, truth.go: what is remembered
//   - world: the adverts; markup: the pages
package simulator

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// The facts of an advert are those of the world.
type (
	Advert   = world.Advert
	Salary   = world.Salary
	Place    = world.Place
	Criteria = world.Criteria
	Contact  = world.Contact
	Day      = world.Day
)

// Options make a Site.
type Options struct {
	// Seed decides adverts, processes, quirks and faults of chance.
	Seed uint64
	// Now is the site's clock. Before every request the state advances to it.
	// Required.
	Now func() time.Time
	// Manners is the clock by which gaps between requests and Retry-After are
	// measured, and which the Date header shows. Defaults to Now; a site whose
	// clock runs fast takes the real one.
	Manners func() time.Time
	// Start is when the state begins, as if the site had run for weeks.
	// Defaults to Now().
	Start time.Time
	// Live is how many adverts are live at the start. Defaults to 12000;
	// negative means none.
	Live int
	// PerWeekday is how many adverts are posted on a weekday. Defaults to 1000.
	PerWeekday float64
	// Quiet stops all life of the site's own after the start: no advert is
	// posted, amended or closed but by the methods of Site. A published advert
	// still leaves on the evening of its closing date.
	Quiet bool
	// MinGap is the least time between the beginnings of two requests.
	// Defaults to 1 s; negative turns this law off.
	MinGap time.Duration
	// Faults are what goes wrong, see Fault.
	Faults []Fault
	// Quirks settles behaviour that is not known. What is left empty follows
	// from the seed.
	Quirks Quirks
	// BaseURL begins the addresses in the XML. Defaults to
	// https://beta.jobs.nhs.uk, as on the site.
	BaseURL string
	// Sleep waits for d or until ctx ends. It serves slow answers alone.
	// Defaults to a timer.
	Sleep func(ctx context.Context, d time.Duration) error
}

// A Site is the simulated site. Its methods may be called at the same time.
type Site struct {
	opts   Options
	quirks Quirks
	world  *world.World
	hosts  map[string]bool

	mu     sync.Mutex
	now    time.Time // how far the state has come
	board  *board
	queue  queue
	order  uint64 // of events that fall on the same moment
	faults []*faultState
	found  map[string][]row // searches at the board's present version
	at     uint64           // that version
	laws   laws
	log    []Request
}

// New returns a site as it is at Options.Start. It panics on options that make
// no site, which is a mistake of the program: a missing clock, a quirk or a
// fault that does not exist.
func New(o Options) *Site {
	if o.Now == nil {
		panic("simulator: Options.Now is required")
	}
	if o.Manners == nil {
		o.Manners = o.Now
	}
	if o.Start.IsZero() {
		o.Start = o.Now()
	}
	if o.Live == 0 {
		o.Live = 12000
	}
	if o.PerWeekday == 0 {
		o.PerWeekday = 1000
	}
	if o.MinGap == 0 {
		o.MinGap = time.Second
	}
	if o.BaseURL == "" {
		o.BaseURL = "https://beta.jobs.nhs.uk"
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	s := &Site{opts: o, quirks: o.Quirks.settled(o.Seed), world: world.New(o.Seed), now: o.Start,
		hosts: map[string]bool{"www.jobs.nhs.uk": true, "beta.jobs.nhs.uk": true, "localhost": true, "127.0.0.1": true, "::1": true}}
	if u, err := url.Parse(o.BaseURL); err == nil {
		s.hosts[u.Hostname()] = true
	}
	s.board = newBoard(o.Seed, s.world)
	if err := s.SetFaults(o.Faults...); err != nil {
		panic("simulator: " + err.Error())
	}
	s.populate()
	if !o.Quiet {
		s.hourly(o.Start.Truncate(time.Hour))
	}
	return s
}

// Quirks returns how this site behaves where the real one is not known.
func (s *Site) Quirks() Quirks { return s.quirks }

// Advance applies everything that happens until the given time. Going back is
// not possible and does nothing.
func (s *Site) Advance(to time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(to)
}

func (s *Site) advance(to time.Time) {
	for len(s.queue) > 0 && !s.queue[0].at.After(to) {
		e := heap.Pop(&s.queue).(event)
		if e.at.After(s.now) {
			s.now = e.at
		}
		e.do()
	}
	if to.After(s.now) {
		s.now = to
	}
}

// Publish puts an advert on the site now and returns its reference. An advert
// with a posting time of its own is back-dated: it appears now, deep in the
// newest-first order. Without a closing date it closes 14 days after posting;
// one whose closing date has passed stays until it is closed. Publish panics
// on an advert that cannot be; Add does not.
func (s *Site) Publish(a Advert) string {
	ref, err := s.Add(a)
	if err != nil {
		panic("simulator: publish: " + err.Error())
	}
	return ref
}

// Add is Publish for adverts from outside the program: it says what is wrong.
func (s *Site) Add(a Advert) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.opts.Now())
	if a.Posted.IsZero() {
		a.Posted = s.now
	}
	if a.Closing == "" {
		a.Closing = world.DayOf(a.Posted).Add(14)
	}
	if err := a.Check(); err != nil {
		return "", err
	}
	if s.board.byRef[a.Reference] != nil {
		return "", fmt.Errorf("the reference %s is taken", a.Reference)
	}
	e := s.board.post(s.now, a.Clone(), true)
	s.closeOn(e, a.Closing)
	return e.now().Reference, nil
}

// errUnknown says that no advert has the reference.
var errUnknown = errors.New("no such advert")

// with runs f on an advert, in the present.
func (s *Site) with(ref string, f func(*entry) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.opts.Now())
	e := s.board.byRef[ref]
	if e == nil {
		return fmt.Errorf("%s: %w", ref, errUnknown)
	}
	return f(e)
}

// Amend changes an advert under the same reference. The real site allows
// that for texts, contract, patterns and contacts, not for title, band and
// salary; here the caller decides.
func (s *Site) Amend(ref string, change func(*Advert)) error {
	return s.with(ref, func(e *entry) error {
		a := e.now().Clone()
		change(a)
		a.Reference = ref
		if err := a.Check(); err != nil {
			return fmt.Errorf("amend %s: %w", ref, err)
		}
		moved := a.Closing != e.now().Closing
		s.board.change(e, s.now, "amended", a)
		if moved {
			s.closeOn(e, a.Closing)
		}
		return nil
	})
}

// MoveClosing gives an advert another closing date.
func (s *Site) MoveClosing(ref string, day Day) error {
	if !day.Valid() {
		return fmt.Errorf("move %s: %q is not a day such as 2026-03-13", ref, day)
	}
	return s.with(ref, func(e *entry) error {
		s.moveClosing(e, day)
		return nil
	})
}

// CloseEarly takes an advert off the site while its closing date is ahead.
func (s *Site) CloseEarly(ref string) error {
	return s.with(ref, func(e *entry) error {
		if !e.live {
			return fmt.Errorf("%s is closed already", ref)
		}
		s.board.leave(e, s.now, Early)
		return nil
	})
}

// Reopen puts a closed advert back under its reference, with a new closing
// date; whether it keeps its posting time is a quirk.
func (s *Site) Reopen(ref string, day Day) error {
	if !day.Valid() {
		return fmt.Errorf("reopen %s: %q is not a day such as 2026-03-13", ref, day)
	}
	return s.with(ref, func(e *entry) error {
		if e.live {
			return fmt.Errorf("%s is still open", ref)
		}
		s.reopen(e, day)
		return nil
	})
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
