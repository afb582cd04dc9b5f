package polite

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "127.8.0.1": true, "::1": true,
		"www.jobs.nhs.uk": false, "localhost.example": false, "10.0.0.1": false, "": false} {
		if got := IsLoopback(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestHosts(t *testing.T) {
	var hosts Hosts
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"https://site.example", "https://site.example", true},
		{"https://site.example", "https://Site.Example/", true},
		{"https://site.example", "http://site.example", true},
		{"https://site.example", "https://site.example:8443", true},
		{"https://site.example", "https://site.example.", true},
		{"https://site.example", "https://other.example", false},
		{"https://site.example", "https://www.site.example", false},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080", true},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8081", false},
		{"no address", "no address", true},
	} {
		if got := hosts.Of(test.a) == hosts.Of(test.b); got != test.same {
			t.Errorf("%s and %s are one host: %v", test.a, test.b, got)
		}
	}
}

// All who ask a host share its pace, the slowest of theirs, however they come
// and however long it takes to count their requests.
func TestSharedPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hosts Hosts
		w := newWire(t, 5*time.Second) // between any two requests
		slow := func(d time.Duration) func(context.Context, string) (bool, error) {
			n := 0
			return func(context.Context, string) (bool, error) {
				if n++; n%2 == 0 {
					time.Sleep(d)
				}
				return true, nil
			}
		}
		share := func(spacing, counting time.Duration) *Transport {
			p, _ := polite(t, w, func(o *Options) { o.Host, o.Spacing, o.Take = hosts.Of(o.Origin), spacing, slow(counting) })
			return p
		}
		a, b := share(2*time.Second, 4900*time.Millisecond), share(5*time.Second, 100*time.Millisecond)
		askAtOnce(t, 5, a, b, a)
		if n := len(w.paths()); n != 17 { // each transport reads robots.txt
			t.Errorf("%d requests", n)
		}
	})
}

// Without a host in common each keeps a pace of its own.
func TestOwnPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := polite(t, newWire(t, 2*time.Second), nil)
		b, _ := polite(t, newWire(t, 2*time.Second), nil)
		begin := time.Now()
		askAtOnce(t, 5, a, b)
		if took := time.Since(begin); took != 12*time.Second {
			t.Errorf("6 requests of each took %s", took)
		}
	})
}

// askAtOnce makes n requests of each transport, all of them at a time.
func askAtOnce(t *testing.T, n int, ps ...*Transport) {
	t.Helper()
	var all sync.WaitGroup
	for _, p := range ps {
		all.Go(func() {
			for range n {
				if _, err := get(t.Context(), p, "/list"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// A transport that comes later asks no sooner than a spacing after its start,
// nor after what the others asked.
func TestJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hosts Hosts
		w := newWire(t, 2*time.Second)
		share := func(o *Options) { o.Host = hosts.Of(o.Origin) }
		a, _ := polite(t, w, share)
		if _, err := get(t.Context(), a, "/list"); err != nil {
			t.Fatal(err)
		}
		b, _ := polite(t, w, share)
		if _, err := get(t.Context(), b, "/list"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		c, _ := polite(t, w, share)
		begin := time.Now()
		if _, err := get(t.Context(), c, "/list"); err != nil || time.Since(begin) != 4*time.Second {
			t.Errorf("%v after %s, want robots.txt after 2 s and the page after 4 s", err, time.Since(begin))
		}
	})
}

// A gate that one transport shuts holds for all of the host, and only that one
// opens it.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hosts Hosts
		w := newWire(t, 2*time.Second)
		share := func(o *Options) { o.Host = hosts.Of(o.Origin) }
		a, _ := polite(t, w, share)
		b, _ := polite(t, w, share)
		for _, p := range []*Transport{a, b} {
			if _, err := get(t.Context(), p, "/list"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		for _, test := range []struct {
			gate time.Duration
			open bool // it is waited for
		}{{29 * time.Second, true}, {31 * time.Second, false}, {6 * time.Hour, false}} {
			until := time.Now().Add(test.gate)
			a.SetGate(until)
			b.SetGate(time.Time{}) // b knows of nothing
			if !a.Gated().Equal(until) || !b.Gated().IsZero() {
				t.Errorf("gated until %v and %v", a.Gated(), b.Gated())
			}
			for _, p := range []*Transport{b, a} {
				begin, want := time.Now(), max(0, time.Until(until))
				_, err := get(t.Context(), p, "/list")
				took := time.Since(begin)
				var gate *GateError
				if test.open && (err != nil || took < want) {
					t.Errorf("gate of %s: %v after %s", test.gate, err, took)
				}
				if !test.open && (!errors.As(err, &gate) || !gate.Until.Equal(until) || took != 0) {
					t.Errorf("gate of %s: %v after %s", test.gate, err, took)
				}
			}
		}
		a.SetGate(time.Time{})
		if _, err := get(t.Context(), b, "/list"); err != nil {
			t.Errorf("after it was opened: %v", err)
		}
		// Of two gates the later one holds, whoever shut it.
		sooner, later := time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		for _, gates := range [][2]time.Time{{sooner, later}, {later, sooner}, {{}, later}} {
			a.SetGate(gates[0])
			b.SetGate(gates[1])
			for _, p := range []*Transport{a, b} {
				var gate *GateError
				if _, err := get(t.Context(), p, "/list"); !errors.As(err, &gate) || !gate.Until.Equal(later) {
					t.Errorf("gates %v: %v, want %v", gates, err, later)
				}
			}
		}
	})
}

func TestGateError(t *testing.T) {
	err := &GateError{Until: time.Date(2026, 9, 1, 13, 0, 0, 0, time.FixedZone("BST", 3600))}
	if got, want := err.Error(), "no request before 2026-09-01T12:00:00Z"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A gate that is shut while requests wait holds for those as well.
func TestGateWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, 2*time.Second)
		p, _ := polite(t, w, nil)
		if _, err := get(t.Context(), p, "/list"); err != nil {
			t.Fatal(err)
		}
		before := len(w.paths())
		var all sync.WaitGroup
		for range 3 { // one waits for its slot, two for their turn
			all.Go(func() {
				if _, err := get(t.Context(), p, "/list"); !errors.As(err, new(*GateError)) {
					t.Errorf("%v", err)
				}
			})
		}
		time.Sleep(time.Second)
		p.SetGate(time.Now().Add(time.Hour))
		all.Wait()
		if n := len(w.paths()) - before; n > 0 {
			t.Errorf("%d requests behind a shut gate", n)
		}
	})
}

// One connection a host, and no proxy that only the environment names.
func TestNewBase(t *testing.T) {
	base, ok := NewBase().(*http.Transport)
	if !ok || base.MaxConnsPerHost != 1 || base.Proxy != nil || base.DisableCompression {
		t.Errorf("%+v", base)
	}
}
