package score

import (
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// events compares what happened to adverts after they were told with what was
// told of it.
func (s *scorer) events() {
	for _, l := range s.lives {
		s.moves(l)
		s.amendments(l)
		s.closings(l)
		s.reopenings(l)
		s.relations(l)
	}
	for i := range s.Stored {
		a := &s.Stored[i]
		l := s.byRef[a.Reference]
		switch {
		case l == nil || a.Kind != vacancy.Closed || !liveSince(l, a.At):
		case a.Reason == vacancy.Expired:
			s.fig.DateMoved++
		default:
			s.fig.FalseStored = append(s.fig.FalseStored, a.Reference)
		}
	}
}

// ends is when version i stopped to be what a listing showed: with the next
// version or when the advert left.
func ends(l *life, i int, never time.Time) time.Time {
	end := never
	if i+1 < len(l.Versions) {
		end = l.Versions[i+1].At
	}
	for _, x := range l.Left {
		if !x.At.Before(l.Versions[i].At) && x.At.Before(end) {
			end = x.At
		}
	}
	return end
}

// stays is how long what version i changed can be seen: until same reports a
// version that no longer has it, or the advert leaves.
func stays(l *life, i int, never time.Time, same func(*simulator.Advert) bool) time.Time {
	for ; ; i++ {
		end := ends(l, i, never)
		if i+1 == len(l.Versions) || end.Before(l.Versions[i+1].At) || !same(l.Versions[i+1].Advert) {
			return end
		}
	}
}

// live reports whether an advert is on the site at t.
func live(l *life, t time.Time) bool {
	on := !l.Visible.After(t)
	for _, x := range l.Left {
		if x.At.After(t) {
			break
		}
		on = slices.ContainsFunc(l.Versions, func(v simulator.Version) bool {
			return v.Event == "reopened" && !v.At.Before(x.At) && !v.At.After(t)
		})
	}
	return on
}

// liveSince reports whether an advert is on the site at t, and has been for
// longer than a message is under way.
func liveSince(l *life, t time.Time) bool {
	return live(l, t) && live(l, t.Add(-10*time.Minute))
}

// slack is how long after its end a change may still be told: a run reads it,
// and the message is under way.
const slack = 2 * time.Hour

// find returns the index of an alert that fits in a span of time, or -1.
func (l *life) find(from, to time.Time, fits func(*Alert) bool) int {
	for i := range l.alerts {
		a := &l.alerts[i]
		if !a.At.Before(from) && !a.At.After(to) && fits(a) {
			return i
		}
	}
	return -1
}

// count enters one thing that happened: whether it was due, and told.
func (t *Tally) count(due, told bool, ref string) {
	switch {
	case due && told:
		t.Due++
		t.Right++
	case due:
		t.Due++
		t.miss(ref)
	case told:
		t.Early++
	}
}

// known reports whether the advert had been told before t, so that what
// happens then is due.
func (l *life) known(t time.Time) bool {
	at, told := l.toldAt()
	return told && at.Before(t)
}

// lastTold is the closing date that was told last before t: one that moved and
// moved back unseen is as it was.
func (l *life) lastTold(t time.Time) string {
	last := ""
	for i := range l.alerts {
		if a := &l.alerts[i]; a.At.Before(t) {
			last = a.Closing
		}
	}
	return last
}

// moves: another closing date is due where it stays for Rules.Change. Where
// the advert was taken for expired meanwhile, that it is open again tells it
// as well.
func (s *scorer) moves(l *life) {
	t := s.fig.Events[Moved]
	fits := func(day simulator.Day) func(*Alert) bool {
		return func(a *Alert) bool {
			return (a.Kind == vacancy.ClosingMoved || a.Kind == vacancy.Reopened || notice(a.Kind)) && a.Closing == string(day)
		}
	}
	for i := 1; i < len(l.Versions); i++ {
		v := l.Versions[i]
		day := v.Advert.Closing
		if day == l.Versions[i-1].Advert.Closing || v.Event == "reopened" {
			continue
		}
		end := stays(l, i, s.To, func(a *simulator.Advert) bool { return a.Closing == day })
		told := l.find(v.At, end.Add(slack), fits(day)) >= 0
		t.count(l.known(v.At) && l.lastTold(v.At) != string(day) && end.Sub(v.At) >= s.Rules.Change, told, l.Reference)
	}
	for i := range l.alerts {
		if a := &l.alerts[i]; a.Kind == vacancy.ClosingMoved && !s.showed(l, a.At, func(x *simulator.Advert) bool { return string(x.Closing) == a.Closing }) {
			t.wrong(l.Reference)
		}
	}
}

// showed reports whether an alert tells what was shown shortly before it, and
// had been otherwise at some time before that.
func (s *scorer) showed(l *life, at time.Time, has func(*simulator.Advert) bool) bool {
	for i := 1; i < len(l.Versions); i++ {
		v := l.Versions[i]
		if v.At.After(at) || !has(v.Advert) || !ends(l, i, s.To.Add(time.Hour)).Add(slack).After(at) {
			continue
		}
		if slices.ContainsFunc(l.Versions[:i], func(o simulator.Version) bool { return !has(o.Advert) }) {
			return true
		}
	}
	return false
}

// fields returns the fields in which two versions differ, as an alert names
// them. Texts and contacts are told to nobody.
func fields(a, b *simulator.Advert) []string {
	var out []string
	add := func(differs bool, name string) {
		if differs {
			out = append(out, name)
		}
	}
	add(a.Title != b.Title, "title")
	add(a.Employer != b.Employer, "employer")
	add(a.Band != b.Band, "band")
	add(a.Salary != b.Salary, "salary")
	add(a.Contract != b.Contract, "contract")
	add(a.Duration != b.Duration, "duration")
	add(!slices.Equal(a.Patterns, b.Patterns), "working_patterns")
	add(!slices.Equal(a.Sites, b.Sites), "locations")
	return out
}

// listed are the fields that the listing of the API shows.
var listed = []string{"title", "employer", "salary", "contract", "locations"}

// amendments: a changed field is due where a listing shows it and it stays for
// Rules.Change; where only the page shows it, where it changed before the
// page is read again.
func (s *scorer) amendments(l *life) {
	changes := map[string]int{} // by field, until each alert
	for i := 1; i < len(l.Versions); i++ {
		v := l.Versions[i]
		changed := fields(l.Versions[i-1].Advert, v.Advert)
		if len(changed) == 0 {
			continue
		}
		end := stays(l, i, s.To, func(a *simulator.Advert) bool { return len(fields(v.Advert, a)) == 0 })
		names := func(a *Alert) bool {
			return a.Kind == vacancy.Amended && slices.ContainsFunc(a.Fields, func(f string) bool { return slices.Contains(changed, f) })
		}
		told := l.find(v.At, end.Add(slack), names) >= 0
		if slices.ContainsFunc(changed, func(f string) bool { return slices.Contains(listed, f) }) {
			s.fig.Events[Amended].count(l.known(v.At) && end.Sub(v.At) >= s.Rules.Change, told, l.Reference)
			continue
		}
		at, _ := l.toldAt()
		again := at.Add(s.Rules.Reread)
		due := l.known(v.At) && !v.At.After(again) && !end.Before(again.Add(s.Rules.RereadWithin))
		s.fig.Events[PageOnly].count(due, told, l.Reference)
	}
	for i := range l.alerts {
		a := &l.alerts[i]
		if a.Kind != vacancy.Amended {
			continue
		}
		for _, f := range a.Fields {
			changes[f]++
			if f != "closing" && changes[f] > changed(l, f, a.At) {
				kind := PageOnly
				if slices.Contains(listed, f) {
					kind = Amended
				}
				s.fig.Events[kind].wrong(l.Reference + " " + f)
			}
		}
	}
}

// changed counts how often a field has changed until t.
func changed(l *life, field string, t time.Time) int {
	n := 0
	for i := 1; i < len(l.Versions); i++ {
		if v := l.Versions[i]; !v.At.After(t) && slices.Contains(fields(l.Versions[i-1].Advert, v.Advert), field) {
			n++
		}
	}
	return n
}

// closings: an advert that left early is due where it stays away for
// Rules.Early and its date is still ahead then. That an advert has expired is
// told to nobody.
func (s *scorer) closings(l *life) {
	early := func(a *Alert) bool { return a.Kind == vacancy.Closed && a.Reason != vacancy.Expired }
	for _, x := range l.Left {
		if x.Why != simulator.Early {
			continue
		}
		back := s.To
		for _, v := range l.Versions {
			if v.Event == "reopened" && v.At.After(x.At) && v.At.Before(back) {
				back = v.At
			}
		}
		over := l.at(x.At).Closing.Add(1).At(0, 0)
		told := l.find(x.At, back.Add(slack), early) >= 0
		due := x.At.Add(s.Rules.Early)
		s.fig.Events[LeftEarly].count(l.known(x.At) && !back.Before(due) && !over.Before(due), told, l.Reference)
	}
	for i := range l.alerts {
		a := &l.alerts[i]
		switch {
		case a.Kind != vacancy.Closed:
		case a.Reason == vacancy.Expired:
			s.fig.Events[ExpiredTold].wrong(l.Reference)
		case liveSince(l, a.At):
			s.fig.Events[LeftEarly].wrong(l.Reference)
			s.fig.FalseClosed = append(s.fig.FalseClosed, l.Reference)
		}
	}
}

// at is the version in force at t.
func (l *life) at(t time.Time) *simulator.Advert {
	a := l.Versions[0].Advert
	for _, v := range l.Versions {
		if !v.At.After(t) {
			a = v.Advert
		}
	}
	return a
}

// reopenings: an advert that came back is due where it stays for
// Rules.Reopened. Where nobody had noticed that it was gone, its new closing
// date tells it; where nobody had been told of it, it is told as new.
func (s *scorer) reopenings(l *life) {
	t := s.fig.Events[Reopened]
	for i, v := range l.Versions {
		if v.Event != "reopened" {
			continue
		}
		end := stays(l, i, s.To, func(a *simulator.Advert) bool { return a.Closing == v.Advert.Closing })
		told := l.find(v.At, end.Add(slack), func(a *Alert) bool {
			return a.Kind == vacancy.Reopened || notice(a.Kind) || a.Kind == vacancy.ClosingMoved && a.Closing == string(v.Advert.Closing)
		}) >= 0
		// With the date it had before, its going and coming may have passed
		// unseen, and nothing is different.
		same := i > 0 && l.Versions[i-1].Advert.Closing == v.Advert.Closing
		t.count(l.known(v.At) && !same && end.Sub(v.At) >= s.Rules.Reopened, told, l.Reference)
	}
	for i := range l.alerts {
		a := &l.alerts[i]
		if a.Kind != vacancy.Reopened {
			continue
		}
		// A date that was moved on its last day is seen after the advert was
		// taken for expired.
		if !s.showed(l, a.At, func(x *simulator.Advert) bool { return string(x.Closing) == a.Closing }) && !reopenedBefore(l, a.At) {
			t.wrong(l.Reference)
		}
	}
}

func reopenedBefore(l *life, t time.Time) bool {
	return slices.ContainsFunc(l.Versions, func(v simulator.Version) bool { return v.Event == "reopened" && !v.At.After(t) })
}

// relations: how an advert is tied to others, told with its first notice.
func (s *scorer) relations(l *life) {
	first := Alert{}
	at, told := l.toldAt()
	if told {
		first = l.alerts[l.first]
	}
	kin := func() bool {
		o := s.byRef[first.Related]
		return o != nil && o.root == l.root
	}
	watched := func(o *life) bool { // Seen while the watch lasted, if only in silence.
		return o != nil && (len(o.Left) == 0 || o.Left[0].At.After(s.From))
	}
	parent := s.byRef[l.Parent]
	if l.Visible.After(s.From) && watched(parent) {
		switch l.Relation {
		case simulator.Readvert:
			if told {
				s.fig.Events[Readvert].count(true, first.Kind == vacancy.Readvertised && kin(), l.Reference)
			}
		case simulator.Twin, simulator.Sibling:
			t := s.fig.Events[l.Relation]
			before := slices.ContainsFunc(s.beside(l), func(o *life) bool {
				when, ok := o.toldAt()
				return ok && (!told || !when.After(at))
			})
			if before {
				t.count(true, !told || first.Relation != "" && kin(), l.Reference)
			}
		}
	}
	switch {
	case !told || first.Related == "":
	case kin():
	case first.Kind == vacancy.Readvertised:
		s.fig.Events[Readvert].wrong(l.Reference + " as " + first.Related)
	case strings.HasPrefix(first.Relation, simulator.Twin):
		s.fig.Events[Twin].wrong(l.Reference + " as " + first.Related)
	default:
		s.fig.Events[Sibling].wrong(l.Reference + " as " + first.Related)
	}
}
