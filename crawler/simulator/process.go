package simulator

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// Why an advert left.
const (
	Expired = "expired" // its closing date passed
	Early   = "early"   // by hand, with the date still ahead
)

// How an advert is related to another.
const (
	Readvert = "readvert" // the same vacancy again, under a new reference
	Sibling  = "sibling"  // one vacancy, posted once for each site
	Twin     = "twin"     // one vacancy, posted twice by mistake, while both are live
)

// event is something that will happen. Events of one moment happen in the
// order in which they were planned.
type event struct {
	at    time.Time
	order uint64
	do    func()
}

// queue is a heap of events.
type queue []event

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].order < q[j].order
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func (s *Site) plan(at time.Time, do func()) {
	s.order++
	heap.Push(&s.queue, event{at, s.order, do})
}

// hourly draws the adverts of one hour and plans the drawing of the next.
func (s *Site) hourly(hour time.Time) {
	for _, f := range s.arrivals(hour, s.opts.PerWeekday) {
		if f.visible.After(s.opts.Start) {
			s.plan(f.visible, func() { s.arrive(f) })
		}
	}
	next := hour.Add(time.Hour)
	s.plan(next, func() { s.hourly(next) })
}

// populate fills the board as it is at the start: all that was posted in the
// weeks before and has not left, and the last of what has.
func (s *Site) populate() {
	const keptClosed = 1500
	if s.opts.Live < 0 {
		return
	}
	// The rate that leaves as many as asked for is found by trying: the share
	// that is still live depends on weekends and holidays.
	var live, closed []fate
	for rate := float64(s.opts.Live) / 10; len(live) < s.opts.Live; rate *= max(1.02, 1.02*float64(s.opts.Live)/float64(len(live)+1)) {
		live, closed = s.past(rate)
	}
	// Which of the surplus is dropped has nothing to do with its age.
	slices.SortFunc(live, func(a, b fate) int { return cmp.Compare(world.Mix(a.seed), world.Mix(b.seed)) })
	live = live[:s.opts.Live]
	all := append(live, closed[max(0, len(closed)-keptClosed):]...)
	slices.SortStableFunc(all, func(a, b fate) int { return cmp.Or(a.visible.Compare(b.visible), cmp.Compare(a.seed, b.seed)) })
	for _, f := range all {
		f.siblings = 0 // The number of live adverts is as asked for.
		s.arrive(f)
	}
}

// past draws the weeks before the start at a rate, and tells what is still
// live from what has closed.
func (s *Site) past(perWeekday float64) (live, closed []fate) {
	const weeks = 9 // The longest run is 60 days.
	start := s.opts.Start
	hour := start.Truncate(time.Hour).Add(-weeks * 7 * 24 * time.Hour)
	for ; !hour.After(start); hour = hour.Add(time.Hour) {
		for _, f := range s.arrivals(hour, perWeekday) {
			switch {
			case f.visible.After(start):
			case f.ends().After(start):
				live = append(live, f)
			default:
				closed = append(closed, f)
			}
		}
	}
	return live, closed
}

// arrive makes an advert visible and plans its life. For one that arrived
// before the start, what is past has happened if it is its end, else not.
func (s *Site) arrive(f fate) {
	a := s.world.Make(f.seed, f.posted, f.days)
	e := s.board.post(f.visible, a, false)
	if f.seed%13 == 0 && f.siblings == 0 {
		s.board.skip(a.Account, a.Posted)
	}
	s.live(e, f)
	for i := range f.siblings {
		if b := s.sibling(a, i+1); b != nil {
			twin := s.board.post(f.visible, b, false)
			twin.parent, twin.relation = a.Reference, Sibling
			s.closeOn(twin, b.Closing)
		}
	}
}

// live plans what the fate has in store.
func (s *Site) live(e *entry, f fate) {
	start := s.opts.Start
	if end := f.ends(); !end.After(start) {
		why := Expired
		if !f.early.IsZero() {
			why = Early
		}
		s.board.leave(e, end, why)
	} else if s.opts.Quiet {
		return
	} else {
		s.closeOn(e, e.now().Closing)
	}
	if s.opts.Quiet {
		return
	}
	when := func(at time.Time, do func()) {
		if at.After(start) {
			s.plan(at, do)
		}
	}
	when(f.early, func() {
		if e.live {
			s.board.leave(e, s.now, Early)
		}
	})
	d := world.NewDice(f.seed, world.Hash("life"))
	when(f.moved, func() {
		if e.live {
			s.moveClosing(e, s.otherClosing(d, e, f.later))
		}
	})
	when(f.twin, func() {
		if e.live && e.now().Printed != "" {
			s.double(e)
		}
	})
	when(f.amended, func() {
		if e.live {
			s.board.change(e, s.now, "amended", amended(d, e.now()))
		}
	})
	when(f.resorted, func() {
		if e.live {
			a := *e.now()
			a.Posted = s.now
			s.board.change(e, s.now, "re-sorted", &a)
		}
	})
	if f.reopened {
		when(f.ends().Add(time.Duration(d.Between(6, 72))*time.Hour), func() {
			if !e.live {
				s.reopen(e, world.DayOf(s.now).Add(d.Between(3, 14)))
			}
		})
	}
	if f.readvert != 0 {
		when(f.ends().Add(time.Duration(f.readvert*24*60+d.Intn(600))*time.Minute), func() { s.readvertise(d, e) })
	}
}

// closeOn plans the end of a closing date. If the date is another by then, or
// the advert has left, nothing happens.
func (s *Site) closeOn(e *entry, day Day) {
	if at := closingTime(day); at.After(s.now) {
		s.plan(at, func() {
			if e.live && e.now().Closing == day {
				s.board.leave(e, s.now, Expired)
			}
		})
	}
}

// otherClosing returns a later closing date, or an earlier one from today on.
func (s *Site) otherClosing(d *world.Dice, e *entry, later bool) Day {
	day, today := e.now().Closing, world.DayOf(s.now)
	if later || day <= today {
		return day.Add(d.Between(2, 14))
	}
	for day = day.Add(-d.Between(1, 6)); day < today; {
		day = day.Add(1)
	}
	return day
}

func (s *Site) moveClosing(e *entry, day Day) {
	a := *e.now()
	a.Closing = day
	s.board.change(e, s.now, "closing moved", &a)
	s.closeOn(e, day)
}

func (s *Site) reopen(e *entry, day Day) {
	a := *e.now()
	a.Closing = day
	if s.quirks.Reopened == "new" {
		a.Posted = s.now
	}
	s.board.change(e, s.now, "reopened", &a)
	s.board.list(e)
	s.closeOn(e, day)
}

// amended changes what employers can: never title, band or salary.
func amended(d *world.Dice, old *Advert) *Advert {
	a := old.Clone()
	switch d.Intn(4) {
	case 0:
		a.Summary = append(a.Texts().Summary, "Please note that the date of interviews has changed.")
	case 1:
		a.Patterns = []string{"full-time", "part-time", "job-share"}
	case 2:
		a.Contract, a.Duration = "Fixed-Term", "12 months"
	default:
		a.Contact.Name, a.Contact.Email = "Sam Sampleton", "sam.sampleton@nhs.example"
	}
	return a
}

// readvertise posts the vacancy again under a new reference, often with a word
// to those who applied before and the next letter of the employer's number.
func (s *Site) readvertise(d *world.Dice, e *entry) {
	old := e.now()
	a := old.Clone()
	a.Reference, a.Posted = "", s.now
	a.Closing = world.DayOf(s.now).Add(max(1, days(d)))
	a.Printed = nextPrinted(old.Printed)
	switch {
	case e.live: // The old one is open: it is posted again to correct it.
		a.Salary.Text = strings.TrimSpace("corrected " + a.Salary.Text)
	case d.Chance(.4):
		a.Summary = append([]string{"Previous applicants need not apply."}, a.Texts().Summary...)
	}
	again := s.board.post(s.now, a, false)
	again.parent, again.relation = old.Reference, Readvert
	s.closeOn(again, a.Closing)
}

// double posts an advert that is live once more, as it stands: only its own
// reference and posting time are others.
func (s *Site) double(e *entry) {
	old := e.now()
	a := old.Clone()
	a.Reference, a.Posted = "", s.now
	twin := s.board.post(s.now, a, false)
	twin.parent, twin.relation = old.Reference, Twin
	s.closeOn(twin, a.Closing)
}

// nextPrinted returns the employer's number of the next run: its next letter.
func nextPrinted(p string) string {
	n := len(p)
	switch {
	case p == "":
		return ""
	case n > 2 && p[n-2] == '-' && p[n-1] >= 'A' && p[n-1] < 'Z':
		return p[:n-1] + string(rune(p[n-1]+1))
	}
	return p + "-A"
}

// sibling returns the same vacancy at another site of its employer, with the
// next reference and the same texts; nil where there is no such site.
func (s *Site) sibling(a *Advert, n int) *Advert {
	e := s.world.Employer(a.Account)
	for i := range e.Sites {
		if e.Sites[i] == a.Sites[0] && i+n < len(e.Sites) {
			b := a.Clone()
			b.Reference, b.Sites = "", e.Sites[i+n:i+n+1:i+n+1]
			if a.Printed != "" {
				b.Printed = fmt.Sprintf("%s-%d", a.Printed, n+1)
			}
			x := a.Texts()
			b.Summary, b.Duties, b.About, b.Description, b.Criteria = x.Summary, x.Duties, x.About, x.Description, x.Criteria
			return b
		}
	}
	return nil
}
