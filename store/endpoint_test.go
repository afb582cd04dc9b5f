package store_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

func (e *end) Verifies() bool { return e.wants }

func (e *end) Verify(_ context.Context, challenge string, _ time.Time) channel.Result {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked++
	if len(challenge) != 43 {
		e.t.Errorf("the challenge is %q, want the base64 of 32 bytes", challenge)
	}
	if !e.echoes {
		return refusing
	}
	return channel.Result{Outcome: channel.Done}
}

func (e *end) set(do func(*end)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	do(e)
}

func (e *end) timesAsked() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked
}

// logged is a log that may be read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// watched is bubbled with one endpoint, and its log.
func watched(t *testing.T, test func(t *testing.T, r *rig, e *end, log *logged)) {
	bubbled(t, []vacancy.Search{toHook("a", "ward")}, func(t *testing.T, r *rig, _ engine.Engine) {
		e := newEnd(r, "hook-1")
		var log logged
		r.sink.Queued = r.deliver.Wake
		r.deliver.Channels = map[string]channel.Channel{"ward": e}
		r.deliver.Endpoints = r.store
		r.deliver.Logger = slog.New(slog.NewTextHandler(&log, nil))
		test(t, r, e, &log)
	})
}

func (r *rig) health() alerts.Health {
	r.t.Helper()
	all, err := r.store.Endpoints(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return all["ward"]
}

// again makes a new process over the same state, with the same channels.
func (r *rig) again() {
	r.t.Helper()
	was := r.deliver
	r.open()
	r.sink.Now, r.deliver.Now = time.Now, time.Now
	r.deliver.Channels, r.deliver.Endpoints, r.deliver.Logger = was.Channels, r.store, was.Logger
}

func (r *rig) wantState(want alerts.EndpointState, reason string) {
	r.t.Helper()
	if h := r.health(); h.State != want || h.Reason != reason {
		r.t.Errorf("the endpoint is %s for %q, want %s for %q", h.State, h.Reason, want, reason)
	}
}

// A new endpoint is told nothing before it has echoed its challenge; what was
// for it meanwhile waits, and is told then. One that has another address begins
// anew; a restart does not.
func TestEndpointIsVerifiedFirst(t *testing.T) {
	watched(t, func(t *testing.T, r *rig, e *end, _ *logged) {
		e.wants = true
		r.see(vac(1))
		stop := r.run()
		time.Sleep(20 * time.Minute)
		if len(e.times()) != 0 {
			t.Error("it was told before it had answered")
		}
		r.wantState(alerts.EndpointPending, "")
		if n := e.timesAsked(); n != 4 { // at 0, 1, 5 and 15 minutes
			t.Errorf("it was asked %d times, want 4", n)
		}
		e.set(func(e *end) { e.echoes = true })
		time.Sleep(11 * time.Minute)
		r.wantState(alerts.EndpointOn, "")
		if len(e.times()) != 1 {
			t.Error("what had waited was not told")
		}
		stop()

		r.again()
		e.set(func(e *end) { e.echoes, e.asked = false, 0 })
		stop = r.run()
		r.see(vac(2))
		time.Sleep(time.Minute)
		if n := e.timesAsked(); len(e.times()) != 1 || n != 0 {
			t.Errorf("after a restart it was asked %d times, want none, and told", n)
		}
		stop()

		r.again()
		e.name = "hook-2"
		stop = r.run()
		r.see(vac(3))
		time.Sleep(time.Minute)
		r.wantState(alerts.EndpointPending, "")
		if n := e.timesAsked(); len(e.times()) != 0 || n == 0 {
			t.Errorf("another address was told, or asked %d times", n)
		}
		stop()
	})
}

// An endpoint that has not answered within the hour is asked no more. What is
// for it is kept; once a person has had it verified it goes on.
func TestEndpointIsNeverVerified(t *testing.T) {
	watched(t, func(t *testing.T, r *rig, e *end, log *logged) {
		e.wants = true
		r.see(vac(1))
		stop := r.run()
		time.Sleep(2 * time.Hour)
		r.wantState(alerts.EndpointDisabled, alerts.DisabledUnverified)
		asked := e.timesAsked()
		time.Sleep(48 * time.Hour)
		if n := e.timesAsked(); n != asked || asked < 5 || len(e.times()) != 0 {
			t.Errorf("it was asked %d times within the hour and %d after", asked, n-asked)
		}
		if c := r.countsNow(); c.Buried != 1 || c.Queued != 0 {
			t.Errorf("counts %+v, want the message kept", c)
		}
		if !strings.Contains(log.String(), "level=ERROR") {
			t.Error("it was not said in the log")
		}
		if res, err := alerts.Enable(t.Context(), r.store, "ward", e, time.Now()); err != nil || res.Outcome != channel.Retry {
			t.Errorf("enabling one that does not answer: %+v, %v", res, err)
		}
		r.wantState(alerts.EndpointDisabled, alerts.DisabledUnverified)
		e.set(func(e *end) { e.echoes = true })
		if res, err := alerts.Enable(t.Context(), r.store, "ward", e, time.Now()); err != nil || res.Outcome != channel.Done {
			t.Errorf("enabling: %+v, %v", res, err)
		}
		time.Sleep(10 * time.Second)
		r.see(vac(2))
		time.Sleep(time.Second)
		if len(e.times()) != 1 {
			t.Error("it was not told once it was on again")
		}
		stop()
	})
}

func (r *rig) countsNow() (c struct{ Queued, Buried int }) {
	r.t.Helper()
	all, err := r.store.Counts(r.t.Context(), time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	c.Queued, c.Buried = all.Queued, all.Buried
	return c
}

// An endpoint that takes nothing for five days is disabled, over restarts too,
// and warned of before. From then on what is for it is kept and not tried.
func TestEndpointFailsForDays(t *testing.T) {
	watched(t, func(t *testing.T, r *rig, e *end, log *logged) {
		stop := r.run()
		r.see(vac(0))
		time.Sleep(time.Minute)
		e.answer(refusing, 0)
		failing := time.Now()
		for i := 1; i <= 5*4; i++ { // one every six hours
			if i%8 == 0 {
				stop()
				r.again()
				r.sink.Queued = r.deliver.Wake
				stop = r.run()
			}
			v := vac(i)
			v.Closing = vacancy.Day{Year: 2027, Month: 1, Day: 1}
			r.see(v)
			time.Sleep(6 * time.Hour)
			h := r.health()
			if over := time.Since(failing); over < 5*24*time.Hour-time.Hour && h.State != alerts.EndpointOn {
				t.Fatalf("it is disabled after %v", over)
			}
		}
		r.see(vac(50))
		time.Sleep(time.Minute)
		r.wantState(alerts.EndpointDisabled, alerts.DisabledFailing)
		for _, want := range []string{"percent=50", "percent=70", "percent=90"} {
			if n := strings.Count(log.String(), want); n != 1 {
				t.Errorf("%q is said %d times", want, n)
			}
		}
		e.times()
		was := r.countsNow()
		r.see(vac(51))
		time.Sleep(3 * 24 * time.Hour)
		if n := len(e.times()); n != 0 {
			t.Errorf("it was tried %d times while it was disabled", n)
		}
		if c := r.countsNow(); c.Queued != 0 || c.Buried <= was.Buried {
			t.Errorf("counts %+v after %+v, want everything kept", c, was)
		}
		stop()
	})
}

// One that says that it is gone is disabled at once.
func TestEndpointGone(t *testing.T) {
	watched(t, func(t *testing.T, r *rig, e *end, log *logged) {
		stop := r.run()
		e.answer(channel.Result{Outcome: channel.Bury, Reason: channel.ReasonRejected, Detail: "status 410"}, 0)
		r.see(vac(1))
		time.Sleep(time.Second)
		r.see(vac(2))
		time.Sleep(time.Hour)
		stop()
		r.wantState(alerts.EndpointDisabled, alerts.DisabledGone)
		if n := len(e.times()); n != 1 {
			t.Errorf("it was tried %d times, want once", n)
		}
		if c := r.countsNow(); c.Queued != 0 || c.Buried != 2 {
			t.Errorf("counts %+v, want both kept", c)
		}
		if strings.Contains(log.String(), "hook-1") {
			t.Error("the log names the destination")
		}
	})
}

// blindEndpoints cannot be changed for a while.
type blindEndpoints struct {
	*store.Store
	blind atomic.Bool
}

func (b *blindEndpoints) ChangeEndpoint(ctx context.Context, name string, change func(alerts.Health) alerts.Health) (alerts.Health, error) {
	if b.blind.Load() {
		return alerts.Health{}, errBroken
	}
	return b.Store.ChangeEndpoint(ctx, name, change)
}

// That the health of an endpoint cannot be stored fails no message, and sends
// none twice.
func TestHealthCannotBeStored(t *testing.T) {
	watched(t, func(t *testing.T, r *rig, e *end, _ *logged) {
		b := &blindEndpoints{Store: r.store}
		r.deliver.Endpoints = b
		stop := r.run()
		time.Sleep(time.Second)
		b.blind.Store(true)
		r.see(vac(1), vac(2), vac(3))
		time.Sleep(time.Hour)
		stop()
		if n := len(e.times()); n != 3 {
			t.Errorf("%d attempts for three messages", n)
		}
		if c := r.countsNow(); c.Queued+c.Buried != 0 {
			t.Errorf("counts %+v, want nothing left", c)
		}
	})
}
