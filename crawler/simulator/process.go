package simulator

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
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

// fate is what a seed has in store for an advert. Shares are those of our fact
// sheet where it has some, else assumed. It depends on nothing but the seed
// and the moment, so that no request can change it.
type fate struct {
	seed     uint64
	visible  time.Time
	posted   time.Time // earlier than visible where back-dated
	days     int       // from posting to closing
	early    time.Time // zero: not closed by hand
	moved    time.Time // zero: the closing date stays
	later    bool      // moved to a later date, else to an earlier one
	amended  time.Time
	resorted time.Time
	reopened bool // after it has left
	readvert int  // days after it has left; 0: never; negative: days before
	siblings int  // further adverts for other sites
}

func newFate(seed uint64, at time.Time) fate {
	d := world.NewDice(seed, world.Hash("fate"))
	f := fate{seed: seed, visible: at, posted: at}
	if d.Chance(.02) {
		hours := min(d.Exp(8), 72)
		f.posted = at.Add(-time.Duration(hours * float64(time.Hour))).Truncate(time.Millisecond)
	}
	f.days = days(d)
	for !f.closes().After(at) { // Late on a day of zero days, or back-dated past the end.
		f.days++
	}
	within := func(low, high float64) time.Time {
		part := low + (high-low)*d.Float()
		return at.Add(time.Duration(part * float64(f.closes().Sub(at)))).Truncate(time.Second)
	}
	if d.Chance(.05) {
		f.early = within(.2, .9)
	}
	if d.Chance(.06) {
		f.moved, f.later = within(.2, .95), d.Chance(4.0/7)
	}
	if d.Chance(.05) {
		f.amended = within(.05, .9)
	}
	if d.Chance(.01) {
		f.resorted = within(.1, .9)
	}
	f.reopened = d.Chance(.015)
	if !f.reopened && d.Chance(.06) {
		f.readvert = d.Between(14, 60)
		if d.Chance(.1) {
			f.readvert = -d.Between(1, 5)
		}
	}
	if d.Chance(.03) {
		f.siblings = d.Between(1, 2)
	}
	return f
}

// days draws how long an advert runs: two weeks by habit.
func days(d *world.Dice) int {
	switch n := d.Intn(100); {
	case n < 1:
		return 0
	case n < 16:
		return 7
	case n < 36:
		return d.Between(8, 13)
	case n < 66:
		return 14
	case n < 85:
		return d.Between(15, 21)
	case n < 98:
		return d.Between(22, 30)
	default:
		return d.Between(31, 60)
	}
}

// closes returns when the advert leaves if nothing comes between.
func (f *fate) closes() time.Time { return closingTime(world.DayOf(f.posted).Add(f.days)) }

// closingTime is the end of a closing date: 23:59 in London.
func closingTime(d Day) time.Time { return d.At(23, 59) }

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

// Shares of a weekday's adverts by London's hour: office hours, little else.
var byHour = [24]float64{1, .4, .3, .3, .3, .8, 2, 6, 8, 10, 10, 9.5, 8, 8.5, 9, 8.5, 7, 5, 2, 1.2, 1, .7, .5, .5}

// arrivals draws the adverts that one hour brings, in order of time.
func (s *Site) arrivals(hour time.Time, perWeekday float64) []fate {
	local := hour.In(world.London())
	sum := 0.0
	for _, w := range byHour {
		sum += w
	}
	mean := perWeekday * byHour[local.Hour()] / sum
	switch {
	case local.Weekday() == time.Saturday || local.Weekday() == time.Sunday || bankHoliday(local):
		mean *= .08
	case local.Weekday() == time.Monday:
		mean *= 1.15
	}
	d := world.NewDice(s.opts.Seed, uint64(hour.Unix()), world.Hash("hour"))
	lump := world.NewDice(s.opts.Seed, world.Hash("lump")).Between(2, 40) // the partners' minute, the same every hour
	var fs []fate
	for range d.Poisson(mean) {
		offset := time.Duration(d.Intn(3_600_000)) * time.Millisecond
		if d.Chance(.5) {
			offset = time.Duration(lump)*time.Minute + time.Duration(d.Intn(60_000))*time.Millisecond
		}
		if local.Hour() == 0 && d.Chance(.8) {
			offset = 0 // Scheduled for midnight.
		}
		fs = append(fs, newFate(d.Uint64(), hour.Add(offset)))
	}
	slices.SortStableFunc(fs, func(a, b fate) int { return a.visible.Compare(b.visible) })
	return fs
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

// ends returns when the advert leaves for the first time, leaving out moves.
func (f *fate) ends() time.Time {
	if !f.early.IsZero() {
		return f.early
	}
	return f.closes()
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

// bankHoliday reports whether the day is one in England.
func bankHoliday(t time.Time) bool {
	easter := easterSunday(t.Year(), t.Location())
	days := int(math.Round(time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, t.Location()).Sub(easter).Hours() / 24))
	monday := t.Weekday() == time.Monday
	switch {
	case days == -2 || days == 1:
		return true
	case t.Month() == time.May && monday && (t.Day() <= 7 || t.Day() > 24):
		return true
	case t.Month() == time.August && monday && t.Day() > 24:
		return true
	case t.Month() == time.January:
		return t.Day() == 1 || monday && (t.Day() == 2 || t.Day() == 3)
	case t.Month() == time.December:
		return t.Day() == 25 || t.Day() == 26 || (t.Day() == 27 || t.Day() == 28) && (monday || t.Weekday() == time.Tuesday)
	}
	return false
}

// easterSunday returns noon of Easter Sunday (the Gregorian computus).
func easterSunday(year int, loc *time.Location) time.Time {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(year, time.Month(n/31), n%31+1, 12, 0, 0, 0, loc)
}
