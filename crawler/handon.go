package crawler

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/polite"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// todo is an entry of a listing that has to be handed on.
type todo struct {
	v    vacancy.Vacancy
	need vacancy.Need
	// again is set where all but the page was handed on before.
	again bool
}

// unknown leaves out the entries that say nothing new, and notes that they
// were listed.
func (r *run) unknown(l *page.Listing) ([]todo, error) {
	for i := range l.Vacancies {
		v := &l.Vacancies[i]
		v.Source = r.Source.Name
		v.URL = r.Source.Site.AdvertURL(r.Source.Base, v.Reference)
		v.PageUnread = true
		r.drift.Add(v)
	}
	needs, err := r.Memory.Needs(r.ctx, r.Source.Name, r.rep.Feed, l.Vacancies, r.Now())
	if err != nil {
		return nil, fmt.Errorf("look up the listed vacancies: %w", err)
	}
	var out []todo
	var known []string
	r.oldestAt, r.latest = time.Time{}, vacancy.Day{}
	for i, v := range l.Vacancies {
		r.notePosted(&v, needs[i])
		again := needs[i] == vacancy.NeedPage && r.lacksPage(&v)
		waits := r.waits[v.Reference]
		if needs[i] >= vacancy.NeedPage && !again && !waits {
			r.known = 0
		} else {
			r.known++
		}
		if needs[i] == vacancy.NeedAccept || needs[i] == vacancy.NeedChanged {
			r.changed++
		}
		if needs[i] != vacancy.NeedNew {
			r.listedKnown++
			known = append(known, v.Reference)
		} else if !waits {
			r.rep.Unseen++
		}
		if waits {
			continue
		}
		if needs[i] != vacancy.NeedNothing && !(again && !r.rereads()) {
			out = append(out, todo{v, needs[i], again})
		}
		r.Metrics.sighting(r.Source.Name, needs[i])
	}
	if err := r.Memory.Touch(r.ctx, r.Source.Name, known, r.Now()); err != nil {
		return nil, fmt.Errorf("note what was listed: %w", err)
	}
	return out, nil
}

// notePosted notes when an entry was posted.
func (r *run) notePosted(v *vacancy.Vacancy, need vacancy.Need) {
	if v.Posted.IsZero() {
		return
	}
	if d := v.Posted.Day(); r.latest.Before(d) {
		r.latest = d
	}
	if v.Posted.DayOnly {
		return
	}
	t := v.Posted.Time
	if t.After(r.newestAt) {
		r.newestAt = t
	}
	if r.oldestAt.IsZero() || t.Before(r.oldestAt) {
		r.oldestAt = t
	}
	if need == vacancy.NeedNew {
		r.posted = append(r.posted, t)
		if r.seeds != nil {
			r.seeds.posted = append(r.seeds.posted, t)
		}
	}
}

// inOrder returns the oldest posting first, so that a run that is cut has left
// the newest, which the next one meets first; what failed before comes after
// what did not. A row that moved between two pages is there once.
func (r *run) inOrder(todos []todo) []todo {
	seen := map[string]bool{}
	todos = slices.DeleteFunc(todos, func(t todo) bool {
		twice := seen[t.v.Reference]
		seen[t.v.Reference] = true
		return twice
	})
	slices.SortStableFunc(todos, func(a, b todo) int {
		return cmp.Or(cmp.Compare(r.unread[a.v.Reference].failed, r.unread[b.v.Reference].failed), a.v.Posted.Compare(b.v.Posted))
	})
	return todos
}

// handOn reads the advert of each entry and hands it over. In a baseline the
// adverts are not read: thousands of pages that nobody is told of. It returns
// those for which the run's time was too short.
func (r *run) handOn(todos []todo) (rest []todo, err error) {
	var silent []vacancy.Sighting
	for i, t := range todos {
		s := r.sighting(t.v)
		if s.Baseline && !r.postedSince(t.v) || t.need <= vacancy.NeedAccept {
			s.Vacancy.Derive()
			silent = append(silent, s)
			continue
		}
		if r.accepted && r.gaveUp == nil && !r.Now().Before(r.until) {
			rest = append(rest, t)
			continue
		}
		ready, err := r.readAdvert(&s, t.again, i+1, len(todos))
		if err != nil {
			return nil, err
		}
		if !ready {
			r.waiting()
			continue // tried again at the regular runs
		}
		s.Vacancy.Derive()
		if err := r.accept([]vacancy.Sighting{s}); err != nil {
			return nil, err
		}
		r.noteHanded(&t.v, !s.Vacancy.PageUnread)
	}
	if len(silent) > 0 {
		if err := r.accept(silent); err != nil {
			return nil, err
		}
	}
	if errors.Is(r.gaveUp, polite.ErrBudget) {
		return rest, r.gaveUp // nothing else is asked
	}
	return rest, nil
}

// waiting counts a vacancy that a sweep has listed and that is not remembered
// yet, for its page could not be read.
func (r *run) waiting() {
	if r.work.Tier == Sweep {
		c := *r.st.Cursor
		c.Waiting++
		r.st.Cursor = &c
	}
}

// postedSince reports whether a vacancy was posted after the baseline began,
// and so is new to everybody.
func (r *run) postedSince(v vacancy.Vacancy) bool {
	return !v.Posted.IsZero() && !v.Posted.DayOnly && v.Posted.Time.After(r.st.Baseline.Since)
}

func (r *run) sighting(v vacancy.Vacancy) vacancy.Sighting {
	s := vacancy.Sighting{Vacancy: v, At: r.Now().UTC(), Feed: r.rep.Feed, Listed: vacancy.ListedFacts(&v), Epoch: r.st.Epoch}
	if b := r.st.Baseline; b != nil {
		s.Baseline = b.Reason != FirstRun || !r.Source.Announce
		s.BaselineSince = b.Since
	}
	return s
}

func (r *run) accept(ss []vacancy.Sighting) error {
	events, err := r.Sink.Accept(r.ctx, ss)
	for i := range events {
		if events[i].Kind == vacancy.New || events[i].Kind == vacancy.Readvertised {
			r.rep.New++
			r.Metrics.detected(r.Source.Name, &events[i], r.before.LastGood[Hot], r.Now())
		}
	}
	r.rep.Events += len(events)
	r.Metrics.found(r.Source.Name, r.work.Tier, events)
	if err != nil {
		return fmt.Errorf("hand on: %w", err)
	}
	r.accepted = true
	r.report(Progress{Step: "accepted", Listed: len(ss), Events: events, Vacancy: &ss[0].Vacancy})
	return nil
}

// pending is what was listed and not handed on, for the time of a run was
// over: the next one goes on with it and need not list it again. It is
// forgotten with the process, which costs a listing.
type pending struct {
	epoch, feed string
	todos       []todo
	// mark is the posting time up to which all that is new is among todos.
	mark time.Time
}

// takePending returns what the last run has left, but for what was handed on
// meanwhile.
func (r *run) takePending() (pending, error) {
	p := r.pending
	r.Runner.pending = pending{}
	if p.epoch != r.st.Epoch || p.feed != r.feed.Name || len(p.todos) == 0 {
		return pending{epoch: r.st.Epoch, feed: r.feed.Name, mark: r.st.Watermark}, nil
	}
	listed := make([]vacancy.Vacancy, len(p.todos))
	for i := range p.todos {
		listed[i] = p.todos[i].v
	}
	needs, err := r.Memory.Needs(r.ctx, r.Source.Name, p.feed, listed, r.Now())
	if err != nil {
		return p, fmt.Errorf("look up what is left to be handed on: %w", err)
	}
	left := p.todos[:0:0]
	for i, t := range p.todos {
		if t.need = needs[i]; t.need != vacancy.NeedNothing {
			left = append(left, t)
			r.waits[t.v.Reference] = true
		}
	}
	p.todos, p.mark = left, later(p.mark, r.st.Watermark)
	r.mark = p.mark
	return p, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
