package crawler_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A memory is a Memory and a Sink that behave: what they are told they keep,
// as JSON where the store does, and what may not be they report to the test.
// What is new is decided by vacancy.Record, as in the store.
type memory struct {
	t  testing.TB
	mu sync.Mutex

	state   map[string]string // source → State as JSON
	records map[vacancy.Key]vacancy.Record
	told    map[string]bool // search|vacancy: marks of the store
	unread  map[vacancy.Key]time.Time
	touched map[string]time.Time
	holder  string
	until   time.Time
	spent   map[vacancy.Day]map[string]int
	putOff  map[vacancy.Key]time.Time
	epochs  int
	reports []crawler.Report
	stamp   uint64 // survives what is lost, like the file beside the store

	// The world outside: what was sent stays sent, whatever is lost.
	inbox  map[string]int // search|reference → messages
	events []vacancy.Event
	again  []string

	calls int
	// fault may fail the n-th call, before it does anything or after it has.
	fault func(n int, name string) (before, after error)
	take  func(context.Context) // what counting a request costs
}

func newMemory(t testing.TB) *memory {
	m := &memory{t: t, inbox: map[string]int{}, spent: map[vacancy.Day]map[string]int{}, putOff: map[vacancy.Key]time.Time{}}
	m.empty()
	return m
}

var (
	_ crawler.Memory = (*memory)(nil)
	_ crawler.Sink   = (*memory)(nil)

	errFault = errors.New("the store is out of reach")
)

// empty is what a flush of the store leaves.
func (m *memory) empty() {
	m.state, m.told = map[string]string{}, map[string]bool{}
	m.records, m.unread, m.touched = map[vacancy.Key]vacancy.Record{}, map[vacancy.Key]time.Time{}, map[string]time.Time{}
	m.holder, m.until = "", time.Time{}
}

// lose empties the store while somebody uses it.
func (m *memory) lose() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.empty()
}

// call begins a call; the lock is held until the returned function has run,
// which gives the call's error.
func (m *memory) call(ctx context.Context, name string) (after func(error) error, err error) {
	m.mu.Lock()
	m.calls++
	var then error
	if m.fault != nil {
		err, then = m.fault(m.calls, name)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		m.mu.Unlock()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return func(err error) error {
		m.mu.Unlock()
		if err == nil && then != nil {
			err = fmt.Errorf("%s, though done: %w", name, then)
		}
		return err
	}, nil
}

func (m *memory) read(source string) crawler.State {
	var st crawler.State
	if s := m.state[source]; s != "" {
		if err := json.Unmarshal([]byte(s), &st); err != nil {
			m.t.Errorf("stored state: %v", err)
		}
	}
	return st
}

func (m *memory) write(source string, st crawler.State) {
	b, err := json.Marshal(st)
	if err != nil {
		m.t.Errorf("store the state: %v", err)
	}
	m.state[source] = string(b)
	if n := len(m.reports); st.Last != nil && (n == 0 || m.reports[n-1].ID != st.Last.ID) {
		m.reports = append(m.reports, *st.Last)
	}
	m.stamp = max(m.stamp, st.Runs)
}

func (m *memory) State(ctx context.Context, source string) (st crawler.State, err error) {
	after, err := m.call(ctx, "State")
	if err != nil {
		return st, err
	}
	if st = m.read(source); st.Runs < m.stamp {
		st = crawler.State{Lost: true, Stopped: st.Stopped, Gate: st.Gate}
	}
	return st, after(nil)
}

func (m *memory) Begin(ctx context.Context, source, reason string, at time.Time) (st crawler.State, err error) {
	after, err := m.call(ctx, "Begin")
	if err != nil {
		return st, err
	}
	m.epochs++
	before := m.read(source)
	st = crawler.State{Epoch: fmt.Sprint("epoch ", m.epochs), Runs: max(before.Runs, m.stamp) + 1,
		Gate: before.Gate, Stopped: before.Stopped, Backoff: before.Backoff,
		Baseline: &crawler.Baseline{Reason: reason, Since: at.UTC()}}
	m.write(source, st)
	return st, after(nil)
}

func (m *memory) Mark(ctx context.Context, source string, st crawler.State) error {
	after, err := m.call(ctx, "Mark")
	if err != nil {
		return err
	}
	before := m.read(source)
	switch {
	case before.Epoch != st.Epoch:
		return after(crawler.ErrStateLost)
	case before.Runs > st.Runs:
		return after(errors.New("the source has gone on without this run"))
	case st.Watermark.Before(before.Watermark):
		m.t.Errorf("the watermark moved back, from %v to %v", before.Watermark, st.Watermark)
	}
	m.write(source, st)
	return after(nil)
}

func (m *memory) Needs(ctx context.Context, source, feed string, listed []vacancy.Vacancy, at time.Time) ([]vacancy.Need, error) {
	after, err := m.call(ctx, "Needs")
	if err != nil {
		return nil, err
	}
	out := make([]vacancy.Need, len(listed))
	for i := range listed {
		out[i] = m.record(vacancy.Key{Source: source, Reference: listed[i].Reference}).Needs(feed, &listed[i], at)
	}
	return out, after(nil)
}

func (m *memory) record(k vacancy.Key) *vacancy.Record {
	if r, ok := m.records[k]; ok {
		return &r
	}
	return nil
}

func (m *memory) Touch(ctx context.Context, source string, references []string, at time.Time) error {
	after, err := m.call(ctx, "Touch")
	if err != nil {
		return err
	}
	for _, ref := range references {
		if m.record(vacancy.Key{Source: source, Reference: ref}) == nil {
			m.t.Errorf("touched %s, which nobody knows", ref)
		}
		m.touched[ref] = at
	}
	return after(nil)
}

func (m *memory) Unread(ctx context.Context, key vacancy.Key, at time.Time) (since time.Time, err error) {
	after, err := m.call(ctx, "Unread")
	if err != nil {
		return since, err
	}
	if _, ok := m.unread[key]; !ok {
		m.unread[key] = at
	}
	return m.unread[key], after(nil)
}

func (m *memory) Hold(ctx context.Context, holder string, now time.Time, lease time.Duration) (bool, error) {
	after, err := m.call(ctx, "Hold")
	if err != nil {
		return false, err
	}
	if m.holder != holder && m.until.After(now) {
		return false, after(nil)
	}
	m.holder, m.until = holder, now.Add(lease)
	return true, after(nil)
}

func (m *memory) Take(ctx context.Context, _ string, day vacancy.Day, class string, allows func(map[string]int) bool) (bool, error) {
	if m.take != nil {
		m.take(ctx)
	}
	after, err := m.call(ctx, "Take")
	if err != nil {
		return false, err
	}
	if m.spent[day] == nil {
		m.spent[day] = map[string]int{}
	}
	if !allows(m.spent[day]) {
		return false, after(nil)
	}
	m.spent[day][class]++
	return true, after(nil)
}

// Accept takes each sighting in a step of its own: the call may end between
// two of them.
func (m *memory) Accept(ctx context.Context, sightings []vacancy.Sighting) ([]vacancy.Event, error) {
	var all []vacancy.Event
	for i := range sightings {
		after, err := m.call(ctx, "Accept")
		if err != nil {
			return all, err
		}
		events, err := m.accept(&sightings[i])
		all = append(all, events...)
		if err := after(err); err != nil {
			return all, err
		}
	}
	return all, nil
}

func (m *memory) accept(s *vacancy.Sighting) ([]vacancy.Event, error) {
	v := &s.Vacancy
	if v.Source == "" || v.Reference == "" || !strings.HasSuffix(v.URL, v.Reference) || s.Feed != "" && s.Listed != listedAgain(s) && v.PageUnread {
		m.t.Errorf("the sighting of %s at %q lacks something", v.Key(), v.URL)
	}
	if m.read(v.Source).Epoch != s.Epoch {
		return nil, crawler.ErrStateLost
	}
	after, events, again := m.record(v.Key()).See(s)
	m.records[v.Key()] = after
	delete(m.unread, v.Key())
	if s.Feed != "" {
		m.touched[v.Reference] = s.At
	} else {
		m.putOff[v.Key()] = time.Time{} // its page was read once more
	}
	m.events = append(m.events, events...)
	for i := range events {
		if events[i].Kind == vacancy.New {
			m.announce(&events[i].Vacancy)
		}
	}
	if again {
		m.again = append(m.again, v.Reference)
		m.announce(&after.Vacancy)
	}
	return events, nil
}

func listedAgain(s *vacancy.Sighting) vacancy.Facts { return vacancy.ListedFacts(&s.Vacancy) }

// announce tells the two searches there are: one for everything, and one for
// band 5. A search is told of a vacancy once.
func (m *memory) announce(v *vacancy.Vacancy) {
	for search, matches := range map[string]bool{"all": true, "band 5": v.Band == "5"} {
		mark := search + "|" + v.Reference
		if !matches || m.told[mark] {
			continue
		}
		m.told[mark] = true
		if m.inbox[mark]++; m.inbox[mark] > 1 {
			m.t.Errorf("%s was told twice", mark)
		}
	}
}

// heard returns the references that a search was told of, in order.
func (m *memory) heard(search string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	refs := []string{}
	for _, mark := range slices.Sorted(maps.Keys(m.inbox)) {
		if s, ref, _ := strings.Cut(mark, "|"); s == search {
			refs = append(refs, ref)
		}
	}
	return refs
}

func (m *memory) kinds(ref string) []vacancy.Kind {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []vacancy.Kind
	for i := range m.events {
		if m.events[i].Vacancy.Reference == ref {
			out = append(out, m.events[i].Kind)
		}
	}
	return out
}
