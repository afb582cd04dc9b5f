package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// noon is a Tuesday in summer, 13:00 in London.
var noon = time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC)

// A rig is both halves of alerts over a real store, with a far side that has
// laws and a clock that is set by hand.
type rig struct {
	t       *testing.T
	eng     engine.Engine
	store   *store.Store
	now     time.Time
	far     *far
	sink    *alerts.Dispatcher
	deliver *alerts.Deliverer
}

func newRig(t *testing.T, eng engine.Engine, searches ...vacancy.Search) *rig {
	t.Helper()
	r := &rig{t: t, eng: eng, now: noon, far: newFar(t)}
	r.open()
	r.provision(searches...)
	return r
}

// open makes the program's parts anew over the same state, as a restart does.
func (r *rig) open() {
	r.t.Helper()
	s, err := store.Open(r.t.Context(), r.eng, store.Options{Holder: "rig"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.store = s
	clock := func() time.Time { return r.now }
	m := alerts.NewMetrics(prometheus.NewRegistry())
	log := slog.New(slog.DiscardHandler)
	r.sink = &alerts.Dispatcher{Log: s, Searches: alerts.NewCatalogue(s, log, m), Now: clock, Logger: log, Metrics: m}
	r.deliver = &alerts.Deliverer{Outbox: s, Searches: s, Now: clock, Logger: log, Metrics: m,
		Channels: map[string]channel.Channel{"mail": r.far, "hook": r.far}}
}

func (r *rig) provision(searches ...vacancy.Search) {
	r.t.Helper()
	for i := range searches {
		if err := searches[i].Prepare(); err != nil {
			r.t.Fatal(err)
		}
	}
	if _, err := r.store.Provision(r.t.Context(), searches, r.now); err != nil {
		r.t.Fatal(err)
	}
}

// see hands over vacancies as a crawl would.
func (r *rig) see(vs ...vacancy.Vacancy) []vacancy.Event {
	r.t.Helper()
	ss := make([]vacancy.Sighting, len(vs))
	for i := range vs {
		ss[i] = vacancy.Sighting{Vacancy: vs[i], At: r.now, Feed: "xml", Listed: vacancy.ListedFacts(&vs[i])}
	}
	events, err := r.sink.Accept(r.t.Context(), ss)
	if err != nil {
		r.t.Fatal(err)
	}
	return events
}

// pass delivers until nothing more ends.
func (r *rig) pass() {
	r.t.Helper()
	for {
		n, err := r.deliver.Pass(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// later turns the clock on and delivers.
func (r *rig) later(d time.Duration) {
	r.t.Helper()
	r.now = r.now.Add(d)
	r.pass()
}

func (r *rig) counts() store.Counts {
	r.t.Helper()
	c, err := r.store.Counts(r.t.Context(), r.now)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// vac is a vacancy of band 5 in Leeds that closes in two weeks.
func vac(n int) vacancy.Vacancy {
	v := vacancy.Vacancy{
		Source: "nhs-jobs", Reference: fmt.Sprintf("C9001-26-%04d", n), Title: fmt.Sprintf("Staff Nurse %d", n),
		Employer: "Aire NHS Trust", Band: "5", BandFrom: vacancy.FromPrinted, PayScheme: "Agenda for change",
		Locations: []vacancy.Location{vacancy.ParseLocation("Leeds LS1 3EX")},
		Posted:    vacancy.AtTime(noon.Add(-time.Minute)), Closing: vacancy.Day{Year: 2026, Month: 7, Day: 28},
	}
	v.Derive()
	return v
}

// band5 is a search that all of them meet.
func band5(id, subscriber string, notify ...vacancy.Notify) vacancy.Search {
	return vacancy.Search{ID: id, Name: id, Subscriber: subscriber, Bands: []string{"5"}, Notify: notify}
}

func mailTo(who string) vacancy.Notify {
	return vacancy.Notify{Channel: "mail", To: vacancy.Address(who + "@reader.example")}
}

func dailyTo(who string, hour int) vacancy.Notify {
	n := mailTo(who)
	n.Rhythm, n.Hour = vacancy.Daily, hour
	return n
}

var hook = vacancy.Notify{Channel: "hook"}

// A far is the far side of every channel. It accepts unless it is told to
// answer otherwise, and fails the test where a law is broken: one ID has one
// body, and one destination gets one message at a time.
type far struct {
	t *testing.T

	mu     sync.Mutex
	bodies map[string]string
	busy   map[string]bool
	got    []string // "ID to ADDRESS"
	count  map[string]int
	answer func(m channel.Message) (channel.Result, bool)
}

func newFar(t *testing.T) *far {
	return &far{t: t, bodies: map[string]string{}, busy: map[string]bool{}, count: map[string]int{}}
}

func (f *far) Kind() string                 { return "email" }
func (f *far) Destination(to string) string { return "far" }
func (f *far) Limit() time.Duration         { return 10 * time.Second }
func (f *far) Delay(n int) (time.Duration, bool) {
	return time.Duration(n) * time.Minute, n < 4
}

// Render words an alert as one line an item, with a mark that is another at
// every rendering: bytes that were not kept would show.
func (f *far) Render(a message.Alert, to string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "%d to %s for %s", len(f.bodies), to, a.Search.ID)
	for _, s := range a.Also {
		fmt.Fprintf(&b, " and %s", s.ID)
	}
	if a.LastOf > 0 {
		fmt.Fprintf(&b, "\tthe last of %d before %s", a.LastOf, a.NextMail.Format(time.RFC3339))
	}
	if !a.Missed.From.IsZero() {
		fmt.Fprintf(&b, "\tmissed from %s to %s", a.Missed.From.Format(time.RFC3339), a.Missed.To.Format(time.RFC3339))
	}
	for _, it := range a.Items {
		fmt.Fprintf(&b, "\n%s %s", it.Event.Kind, it.Event.Vacancy.Reference)
	}
	return []byte(b.String()), nil
}

func (f *far) Send(_ context.Context, m channel.Message) channel.Result {
	f.mu.Lock()
	defer f.mu.Unlock()
	if was, ok := f.bodies[m.ID]; ok && was != string(m.Body) {
		f.t.Errorf("message %s was sent with two bodies:\n%s\n%s", m.ID, was, m.Body)
	}
	f.bodies[m.ID] = string(m.Body)
	if f.answer != nil {
		if r, ok := f.answer(m); ok {
			if r.Outcome == channel.Done || r.Outcome == channel.Unknown {
				f.accept(m)
			}
			return r
		}
	}
	f.accept(m)
	return channel.Result{Outcome: channel.Done}
}

func (f *far) accept(m channel.Message) {
	f.got = append(f.got, m.ID)
	f.count[m.ID]++
}

// told returns the lines of what was accepted: one for each item.
func (f *far) told() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, id := range f.got {
		lines := strings.Split(f.bodies[id], "\n")
		head, _, _ := strings.Cut(lines[0], "\t")
		_, who, _ := strings.Cut(head, " to ")
		for _, l := range lines[1:] {
			out = append(out, l+" to "+who)
		}
	}
	return out
}
