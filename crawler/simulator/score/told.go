package score

import (
	"cmp"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// topDepth is how far back a posting time may lie for the advert to stand at
// the top of the listing all the same; dayDepth for it to be within the last
// day during a whole Rules.Deep.
const (
	topDepth = 10 * time.Minute
	dayDepth = 22 * time.Hour
)

// backdated is from when an advert counts as back-dated in the figures.
const backdated = time.Minute

type scorer struct {
	*Input
	fig    Figures
	byRef  map[string]*life
	lives  []*life           // in the order of becoming visible
	family map[*life][]*life // by root
	begins time.Time         // when the first silence has ended
}

// life is an advert with what was told of it, in the order of arrival, each
// message once.
type life struct {
	*simulator.Record
	alerts []Alert
	first  int // index in alerts of the first notice, -1 for none
	root   *life
}

// left is when it left first; zero where it has not.
func (l *life) left() time.Time {
	if len(l.Left) == 0 {
		return time.Time{}
	}
	return l.Left[0].At
}

// toldAt is when it was first told; false if it was not.
func (l *life) toldAt() (time.Time, bool) {
	if l.first < 0 {
		return time.Time{}, false
	}
	return l.alerts[l.first].At, true
}

// posted is the posting time that it appeared with.
func (l *life) posted() time.Time { return l.Versions[0].Advert.Posted }

func notice(k vacancy.Kind) bool { return k == vacancy.New || k == vacancy.Readvertised }

func newScorer(in *Input) *scorer {
	s := &scorer{Input: in, byRef: map[string]*life{}, family: map[*life][]*life{}, begins: in.From}
	if len(in.Silences) > 0 {
		s.begins = in.Silences[0].To
	}
	s.fig = Figures{Days: in.To.Sub(s.begins).Hours() / 24, Events: map[string]*Tally{}, Requests: map[string]int{}}
	for _, k := range EventKinds() {
		s.fig.Events[k] = &Tally{}
	}
	for i := range in.Truth {
		l := &life{Record: &in.Truth[i], first: -1}
		s.byRef[l.Reference] = l
		s.lives = append(s.lives, l)
	}
	for _, l := range s.lives {
		l.root = l
		for at, n := l, 0; at.Parent != "" && n < len(s.lives); n++ {
			parent := s.byRef[at.Parent]
			if parent == nil {
				break
			}
			l.root, at = parent, parent
		}
		s.family[l.root] = append(s.family[l.root], l)
	}
	s.arrivals()
	return s
}

// arrivals gives each advert its alerts. A message that came again under its
// ID is counted and left out.
func (s *scorer) arrivals() {
	sorted := slices.Clone(s.Alerts)
	slices.SortStableFunc(sorted, func(a, b Alert) int { return a.At.Compare(b.At) })
	type message struct{ id, ref string }
	seen := map[message]time.Time{}
	for _, a := range sorted {
		m := message{a.ID, a.Reference}
		if before, ok := seen[m]; ok {
			if slices.ContainsFunc(s.Kills, func(k time.Time) bool { return !k.Before(before) && !k.After(a.At) }) {
				s.fig.Repeated++
			} else {
				s.fig.Resent++
			}
			continue
		}
		seen[m] = a.At
		l := s.byRef[a.Reference]
		if l == nil || l.Visible.After(a.At) {
			s.fig.Unknown = append(s.fig.Unknown, a.Reference)
			continue
		}
		if l.first < 0 && notice(a.Kind) {
			l.first = len(l.alerts)
		}
		l.alerts = append(l.alerts, a)
	}
}

// told finds what was missed, late and told twice.
func (s *scorer) told() {
	for _, l := range s.lives {
		at, told := l.toldAt()
		s.twice(l)
		if !l.Visible.After(s.From) {
			// What came back after it had left may be new to us.
			if told && !s.cameBack(l, at) {
				s.fig.Old = append(s.fig.Old, l.Reference)
			}
			continue
		}
		limit := max(s.Rules.Within, s.reach(l))
		if !told && s.excused(l, limit) {
			continue
		}
		wait := at.Sub(l.Visible)
		if !told || wait > limit {
			s.fig.Missed = append(s.fig.Missed, l.Reference)
		}
		if !told || wait > s.Rules.Late {
			s.fig.Late++
			if !isBackdated(l) {
				s.fig.LateFresh++
			}
		}
		if l.Visible.Before(s.begins) {
			continue // told in the silence, and its wait was that of the silence
		}
		s.fig.Adverts++
		switch {
		case !told:
		case isBackdated(l):
			s.fig.back = append(s.fig.back, wait)
		default:
			s.fig.fresh = append(s.fig.fresh, wait)
		}
	}
	s.fig.quantiles()
}

func isBackdated(l *life) bool { return l.Visible.Sub(l.posted()) > backdated }

// reach is how long the watcher may take to look where the advert stands.
func (s *scorer) reach(l *life) time.Duration {
	switch depth := l.Visible.Sub(l.posted()); {
	case depth <= topDepth:
		return s.Rules.Poll
	case depth <= dayDepth:
		return s.Rules.Deep
	}
	return s.Rules.Sweep
}

// excused reports whether an advert that was not told need not have been, and
// counts why.
func (s *scorer) excused(l *life, limit time.Duration) bool {
	// One vacancy, listed twice or once for each of its sites: it is enough
	// that the other one was told.
	for _, o := range s.beside(l) {
		if at, told := o.toldAt(); told && !at.After(l.Visible.Add(limit)) {
			return true
		}
	}
	if slices.ContainsFunc(s.Silences, func(q Span) bool { return l.Visible.Before(q.To) && !l.posted().After(q.From) }) {
		s.fig.Silent++
		return true
	}
	if left := l.left(); !left.IsZero() && left.Sub(l.Visible) < s.reach(l) {
		s.fig.Fleeting++
		return true
	}
	if l.Visible.Add(limit).After(s.To) {
		s.fig.Pending++
		return true
	}
	return false
}

// beside returns the other adverts that are the same vacancy as l, listed twice
// or once for each site.
func (s *scorer) beside(l *life) []*life {
	same := func(o *life) bool { return o.Relation == simulator.Twin || o.Relation == simulator.Sibling }
	var out []*life
	for _, o := range s.family[l.root] {
		switch {
		case o == l:
		case same(l) && l.Parent == o.Reference, same(o) && o.Parent == l.Reference, same(l) && same(o) && l.Parent == o.Parent:
			out = append(out, o)
		}
	}
	return out
}

// cameBack reports whether an advert returned after the watch began and before
// it was told.
func (s *scorer) cameBack(l *life, told time.Time) bool {
	return slices.ContainsFunc(l.Versions, func(v simulator.Version) bool {
		return v.Event == "reopened" && v.At.After(s.From) && !v.At.After(told)
	})
}

// twice finds what was told twice: two first notices, or the same content
// again with nothing having happened in between.
func (s *scorer) twice(l *life) {
	for i, a := range l.alerts {
		for _, b := range l.alerts[:i] {
			switch {
			case notice(a.Kind) && notice(b.Kind):
			case a.Kind != b.Kind || a.Closing != b.Closing || !slices.Equal(a.Fields, b.Fields):
				continue
			case s.happened(l, b.At, a.At):
				continue
			}
			s.fig.Twice = append(s.fig.Twice, l.Reference)
			return
		}
	}
}

// happened reports whether anything happened to an advert between two times.
func (s *scorer) happened(l *life, from, to time.Time) bool {
	in := func(t time.Time) bool { return t.After(from) && !t.After(to) }
	return slices.ContainsFunc(l.Versions, func(v simulator.Version) bool { return in(v.At) }) ||
		slices.ContainsFunc(l.Left, func(x simulator.Left) bool { return in(x.At) })
}

// quantiles are by the nearest rank.
func quantiles(ds []time.Duration) Quantiles {
	if len(ds) == 0 {
		return Quantiles{}
	}
	slices.SortFunc(ds, func(a, b time.Duration) int { return cmp.Compare(a, b) })
	rank := func(percent int) time.Duration { return ds[max((len(ds)*percent+99)/100, 1)-1] }
	return Quantiles{N: len(ds), P50: rank(50), P95: rank(95), P99: rank(99), Max: ds[len(ds)-1]}
}
