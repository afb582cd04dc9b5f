package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// everything is a search of a subscriber that asks for every kind of event.
func everything(id, who string) vacancy.Search {
	s := band5(id, who, mailTo(who))
	s.Kinds = vacancy.Kinds()
	return s
}

// ids names events, for a test to compare.
func ids(events []vacancy.Event) []string {
	var out []string
	for i := range events {
		out = append(out, events[i].ID())
	}
	return out
}

func (r *rig) wantEvents(what string, got []vacancy.Event, err error, want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, ids(got), cmpopts.EquateEmpty()); diff != "" || err != nil {
		r.t.Errorf("%s: %v, events (-want +got):\n%s", what, err, diff)
	}
}

// Who was told of a vacancy, and asks for it, hears that it was closed early,
// once. What is unknown or closed already is left alone.
func TestClose(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		late := everything("c", "kim")
		late.DaysLeft = 30 // is never told of it
		r := newRig(t, eng, everything("a", "jo"), band5("b", "sam", mailTo("sam")), late)
		one, two, unknown := vac(1), vac(2), vac(9)
		r.see(one, two)
		r.pass()
		r.now = r.now.Add(time.Hour)
		keys := []vacancy.Key{one.Key(), unknown.Key(), one.Key()}
		events, err := r.sink.Close(t.Context(), keys, vacancy.Early, r.now, "")
		r.wantEvents("closing", events, err, "nhs-jobs/C9001-26-0001|closed|2")
		if len(events) == 1 && (events[0].Reason != vacancy.Early || !events[0].At.Equal(r.now)) {
			t.Errorf("closed for %q at %s", events[0].Reason, events[0].At)
		}
		events, err = r.sink.Close(t.Context(), keys, vacancy.Early, r.now, "")
		r.wantEvents("closing again", events, err)
		r.pass()
		r.wantTold(
			"new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0001 to sam@reader.example for b",
			"new C9001-26-0002 to jo@reader.example for a", "new C9001-26-0002 to sam@reader.example for b",
			"closed C9001-26-0001 to jo@reader.example for a",
		)
		if c := r.counts(); c.Live != 1 {
			t.Errorf("%d are live, want the other one", c.Live)
		}
	})
}

// A run whose state was lost meanwhile closes nothing.
func TestCloseInAnotherLife(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, everything("a", "jo"))
		v := vac(1)
		r.see(v)
		events, err := r.sink.Close(t.Context(), []vacancy.Key{v.Key()}, vacancy.Early, r.now, "an earlier life")
		if !errors.Is(err, alerts.ErrStateLost) || !errors.Is(err, crawler.ErrStateLost) || len(events) != 0 {
			t.Errorf("closed %v, %v, want the state to be lost", ids(events), err)
		}
		if r.record(v).Closed != "" {
			t.Error("it was closed all the same")
		}
	})
}

// A meddler does something to the store just before a step is stored, once.
type meddler struct {
	alerts.Log
	meddle func()
}

func (m *meddler) Accept(ctx context.Context, a *alerts.Acceptance) (int, error) {
	if do := m.meddle; do != nil {
		m.meddle = nil
		do()
	}
	return m.Log.Accept(ctx, a)
}

// What was decided on an old record is decided again: a vacancy that expired in
// between is not closed twice, and one whose date moved keeps that date.
func TestChangedMeanwhile(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, everything("a", "jo"))
		one, two := vac(1), vac(2)
		r.see(one, two)
		m := &meddler{Log: r.store}
		r.sink.Log = m
		close := func(v vacancy.Vacancy) ([]vacancy.Event, error) {
			return r.sink.Close(t.Context(), []vacancy.Key{v.Key()}, vacancy.Early, r.now, "")
		}
		m.meddle = func() {
			moved := two
			moved.Closing = moved.Closing.Add(3)
			r.see(moved)
		}
		events, err := close(two)
		r.wantEvents("moved meanwhile", events, err, "nhs-jobs/C9001-26-0002|closed|3")
		if got, want := r.record(two).Vacancy.Closing, two.Closing.Add(3); got != want {
			t.Errorf("it closes on %v, want %v", got, want)
		}
		r.now = noon.AddDate(0, 0, 20)
		m.meddle = r.expire
		events, err = close(one)
		r.wantEvents("expired meanwhile", events, err)
		if got := r.record(one).Closed; got != vacancy.Expired {
			t.Errorf("closed as %q, want as expired", got)
		}
	})
}

// What was taken in silence is told as new when it is released, once.
func TestRelease(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		six := vac(3)
		six.Band = "6"
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")), everything("b", "sam"))
		one, two, told := vac(1), vac(2), vac(4)
		var quiet []vacancy.Sighting
		for _, v := range []vacancy.Vacancy{one, two, six} {
			quiet = append(quiet, vacancy.Sighting{Vacancy: v, At: r.now, Feed: "xml", Listed: vacancy.ListedFacts(&v), Baseline: true, BaselineSince: r.now})
		}
		if events, err := r.sink.Accept(t.Context(), quiet); err != nil || len(events) != 0 {
			t.Fatalf("baseline: %v, %v", ids(events), err)
		}
		r.see(told)
		r.pass()
		r.now = r.now.Add(time.Hour)
		unknown := vac(9)
		keys := []vacancy.Key{one.Key(), unknown.Key(), told.Key(), six.Key()}
		events, err := r.sink.Release(t.Context(), keys, r.now)
		r.wantEvents("release", events, err, "nhs-jobs/C9001-26-0001|new|1", "nhs-jobs/C9001-26-0003|new|1")
		events, err = r.sink.Release(t.Context(), keys, r.now)
		r.wantEvents("release again", events, err)
		r.pass()
		r.see(one, two)
		r.pass()
		r.wantTold(
			"new C9001-26-0004 to jo@reader.example for a", "new C9001-26-0004 to sam@reader.example for b",
			"new C9001-26-0001 to jo@reader.example for a", "new C9001-26-0001 to sam@reader.example for b",
		)
	})
}

// A recorder keeps what is accepted.
type recorder struct {
	alerts.Log
	got []alerts.Acceptance
}

func (r *recorder) Accept(ctx context.Context, a *alerts.Acceptance) (int, error) {
	r.got = append(r.got, *a)
	return r.Log.Accept(ctx, a)
}

// An acceptance says when the vacancy was listed, whether its page was read,
// and when it is to be read again: a week after somebody was told of it.
func TestAcceptanceTimes(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)))
		log := &recorder{Log: r.store}
		r.sink.Log = log
		other := vac(2)
		other.Band = "6"
		unread := vac(3)
		unread.Band, unread.BandFrom, unread.PageUnread = "", "", true
		moved := vac(1)
		moved.Closing = moved.Closing.Add(1)
		for i, v := range []vacancy.Vacancy{vac(1), other, unread, vac(3), moved} {
			r.now = noon.Add(time.Duration(i) * time.Hour)
			r.see(v)
		}
		r.now = noon.Add(5 * time.Hour)
		if _, err := r.sink.Close(t.Context(), []vacancy.Key{other.Key()}, vacancy.Early, r.now, ""); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range log.got {
			line := a.Key.Reference
			for _, f := range []struct {
				name string
				at   time.Time
			}{{"listed", a.Listed}, {"reread", a.Reread}} {
				if !f.at.IsZero() {
					line += fmt.Sprintf(" %s %s", f.name, f.at.Sub(noon))
				}
			}
			if a.PageRead {
				line += " read"
			}
			got = append(got, line)
		}
		want := []string{
			"C9001-26-0001 listed 0s reread 168h0m0s read",
			"C9001-26-0002 listed 1h0m0s read",
			"C9001-26-0003 listed 2h0m0s",
			"C9001-26-0003 listed 3h0m0s reread 171h0m0s read",
			"C9001-26-0001 listed 4h0m0s read",
			"C9001-26-0002",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("accepted (-want +got):\n%s", diff)
		}
	})
}
