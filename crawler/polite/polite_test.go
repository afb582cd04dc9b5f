package polite

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNew(t *testing.T) {
	for _, origin := range []string{"", "www.site.example", "site.example:443", "ftp://site.example", "https://", "https://a b"} {
		if _, err := New(Options{Origin: origin, Now: time.Now}); err == nil {
			t.Errorf("%q is taken for an origin", origin)
		}
	}
}

// Whatever is configured, a public host is left a second; this machine is not.
func TestSpacing(t *testing.T) {
	for _, test := range []struct {
		origin        string
		spacing, want time.Duration
	}{
		{site, 0, time.Second},
		{site, -time.Hour, time.Second},
		{site, time.Millisecond, time.Second},
		{site, 3 * time.Second, 3 * time.Second},
		{site, 45 * time.Second, 45 * time.Second}, // longer than what else is waited for
		{"http://127.0.0.1:8080", 0, 0},
		{"http://localhost", 10 * time.Millisecond, 10 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWire(t, test.want)
			p, seen := polite(t, w, func(o *Options) { o.Origin, o.Spacing = test.origin, test.spacing })
			begin := time.Now()
			for range 3 {
				if _, err := get(t.Context(), p, "/list"); err != nil {
					t.Fatal(err)
				}
			}
			// The first one, robots.txt, comes a full spacing after the start.
			if got, want := time.Since(begin), 4*test.want; got != want || seen.waited != want {
				t.Errorf("%s, %s: 4 requests took %s, waited %s, want %s", test.origin, test.spacing, got, seen.waited, want)
			}
		})
	}
}

func TestOtherOrigins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, time.Second)
		p, _ := polite(t, w, nil)
		for _, address := range []string{"https://elsewhere.example/", "http://site.example/", "https://site.example:8443/", "https://site.example.evil/"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.RoundTrip(req); !errors.Is(err, ErrHost) {
				t.Errorf("%s: %v", address, err)
			}
		}
		if got := w.paths(); got != nil {
			t.Errorf("asked for %v", got)
		}
	})
}

// The budget is asked by kind, robots.txt and redirects included, and what it
// does not allow is not asked for.
func TestTake(t *testing.T) {
	away := errors.New("the store is out of reach")
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, 2*time.Second)
		w.answer = func(req *http.Request) *http.Response {
			if req.URL.Path == "/list" {
				return reply(302, "", "", "Location", "/once/1")
			}
			return nil
		}
		var kinds []string
		ok, fault := true, error(nil)
		p, seen := polite(t, w, func(o *Options) {
			o.Take = func(_ context.Context, kind string) (bool, error) {
				kinds = append(kinds, kind)
				return ok, fault
			}
		})
		client := &http.Client{Transport: p}
		res, err := client.Get(site + "/list")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		ok = false
		if _, err := get(t.Context(), p, "/once/2"); !errors.Is(err, ErrBudget) {
			t.Errorf("without a budget: %v", err)
		}
		ok, fault = true, away
		if _, err := get(t.Context(), p, "/once/2"); !errors.Is(err, ErrCount) || !errors.Is(err, away) {
			t.Errorf("a request that cannot be counted: %v", err)
		}
		fault = nil
		if _, err := get(t.Context(), p, "/once/3"); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		if diff := cmp.Diff([]string{"robots", "page", "once", "once", "once", "once"}, kinds); diff != "" {
			t.Errorf("kinds (-want +got)\n%s", diff)
		}
		if diff := cmp.Diff([]string{"/robots.txt", "/list", "/once/1", "/once/3"}, w.paths()); diff != "" {
			t.Errorf("asked for (-want +got)\n%s", diff)
		}
		want := map[string]int{"robots not_found": 1, "page redirect": 1, "once ok": 2}
		if diff := cmp.Diff(want, seen.requests); diff != "" {
			t.Errorf("observed (-want +got)\n%s", diff)
		}
	})
}

// Counting a request may take its time; the next one keeps its distance from
// the request and not from its slot.
func TestSlowCounting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, 2*time.Second)
		n := 0
		p, _ := polite(t, w, func(o *Options) {
			o.Take = func(context.Context, string) (bool, error) {
				if n++; n%2 == 0 {
					time.Sleep(1900 * time.Millisecond)
				}
				return true, nil
			}
		})
		for range 10 {
			if _, err := get(t.Context(), p, "/list"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Answers that are no page, and what their reader and the observer learn.
func TestAnswers(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(*http.Request) *http.Response
		want   error // by errors.Is
		status StatusError
		code   string
		took   time.Duration
	}{
		{"a page", nil, nil, StatusError{}, "ok", 0},
		{"forbidden", func(*http.Request) *http.Response { return reply(403, "", "") }, nil, StatusError{Code: 403}, "forbidden", 0},
		{"asked to wait", func(*http.Request) *http.Response { return reply(429, "", "", "Retry-After", "120") }, nil,
			StatusError{Code: 429, RetryAfter: time.Now().Add(2 * time.Minute)}, "rate_limited", 0},
		{"an error", func(*http.Request) *http.Response { return reply(503, "", "") }, nil, StatusError{Code: 503}, "server_error", 0},
		{"no connection", func(*http.Request) *http.Response { return refused() }, nil, StatusError{}, "network", 0},
		{"too large", func(*http.Request) *http.Response { return reply(200, "", strings.Repeat("x", maxBody+1)) }, ErrTooLarge, StatusError{}, "cut", 0},
		{"as large as may be", func(*http.Request) *http.Response { return reply(200, "", strings.Repeat("x", maxBody)) }, nil, StatusError{}, "ok", 0},
		{"cut", func(*http.Request) *http.Response {
			res := reply(200, "", "")
			res.Body = io.NopCloser(io.MultiReader(strings.NewReader("a pa"), broken{}))
			return res
		}, io.ErrUnexpectedEOF, StatusError{}, "cut", 0},
		{"a drip", func(req *http.Request) *http.Response {
			res := reply(200, "", "")
			res.Body = io.NopCloser(drip{req.Context(), 3 * time.Second})
			return res
		}, ErrTimeout, StatusError{}, "timeout", attemptTime},
		{"no header", func(req *http.Request) *http.Response {
			<-req.Context().Done()
			return refused()
		}, ErrTimeout, StatusError{}, "timeout", attemptTime},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t, 2*time.Second)
				p, seen := polite(t, w, nil)
				if _, err := get(t.Context(), p, "/first"); err != nil {
					t.Fatal(err)
				}
				seen.requests = nil
				time.Sleep(time.Minute)
				w.answer = test.answer
				begin := time.Now()
				_, err := get(t.Context(), p, "/list")
				if took := time.Since(begin); took != test.took {
					t.Errorf("took %s, want %s", took, test.took)
				}
				var status *StatusError
				switch {
				case test.status.Code != 0:
					if !errors.As(err, &status) || status.Code != test.status.Code || test.status.RetryAfter.IsZero() != status.RetryAfter.IsZero() {
						t.Errorf("%v, want %v", err, &test.status)
					}
				case test.want != nil:
					if !errors.Is(err, test.want) {
						t.Errorf("%v, want %v", err, test.want)
					}
				case (err == nil) != (test.code == "ok"):
					t.Errorf("%v", err)
				}
				if diff := cmp.Diff(map[string]int{"page " + test.code: 1}, seen.requests); diff != "" {
					t.Errorf("observed (-want +got)\n%s", diff)
				}
				// The host is free again.
				w.answer = nil
				if _, err := get(t.Context(), p, "/list"); err != nil {
					t.Errorf("the next one: %v", err)
				}
			})
		})
	}
}

// Whoever waits heeds the request's context, in each of the waits.
func TestCancel(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(*http.Request) *http.Response
		gate   time.Duration
		after  time.Duration
		other  bool // another request has the host
	}{
		{"in the wait for its slot", nil, 0, time.Second, false},
		{"in a gate", nil, 20 * time.Second, 10 * time.Second, false},
		{"behind another request", nil, 0, 5 * time.Second, true},
		{"in a body", func(req *http.Request) *http.Response {
			res := reply(200, "", "")
			res.Body = io.NopCloser(drip{req.Context(), 300 * time.Millisecond})
			return res
		}, 0, 5 * time.Second, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t, 2*time.Second)
				p, _ := polite(t, w, nil)
				if _, err := get(t.Context(), p, "/first"); err != nil {
					t.Fatal(err)
				}
				w.answer = test.answer
				var held *http.Response
				if test.other {
					req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site+"/other", nil)
					if err != nil {
						t.Fatal(err)
					}
					if held, err = p.RoundTrip(req); err != nil {
						t.Fatal(err)
					}
				}
				if test.gate > 0 {
					p.SetGate(time.Now().Add(test.gate))
				}
				ctx, cancel := context.WithTimeout(t.Context(), test.after)
				defer cancel()
				begin := time.Now()
				if _, err := get(ctx, p, "/list"); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrTimeout) {
					t.Errorf("%v, want the context's own", err)
				}
				if took := time.Since(begin); took != test.after {
					t.Errorf("ended after %s, want %s", took, test.after)
				}
				if held != nil {
					held.Body.Close()
				}
				// Who gave up stands in nobody's way.
				w.answer = nil
				p.SetGate(time.Time{})
				begin = time.Now()
				if _, err := get(t.Context(), p, "/list"); err != nil || time.Since(begin) > 2*time.Second {
					t.Errorf("the next one: %v after %s", err, time.Since(begin))
				}
			})
		})
	}
}

// A body that nobody closes keeps the host for the time of one attempt.
func TestUnclosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, 2*time.Second)
		p, _ := polite(t, w, nil)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site+"/list", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := p.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := get(t.Context(), p, "/list"); err != nil {
			t.Error(err)
		}
		if gap := w.gap(); gap != attemptTime {
			t.Errorf("the next one came after %s, want %s", gap, attemptTime)
		}
		res.Body.Close()
		if _, err := get(t.Context(), p, "/list"); err != nil {
			t.Error(err)
		}
	})
}

func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, 2*time.Second)
		off, code := 3*time.Minute, 200
		w.answer = func(*http.Request) *http.Response {
			return reply(code, "text/html", "<html>", "Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
		}
		p, seen := polite(t, w, nil)
		if d := p.ClockDifference(); d != 0 {
			t.Errorf("before an answer: %s", d)
		}
		for _, step := range []struct {
			off  time.Duration
			code int
		}{{3 * time.Minute, 200}, {-time.Hour, 200}, {5 * time.Second, 500}} {
			off, code = step.off, step.code
			_, err := get(t.Context(), p, "/list")
			if (err == nil) != (code == 200) {
				t.Fatal(err)
			}
			if d := p.ClockDifference(); d != off || seen.clock != off {
				t.Errorf("%s, observed %s, want %s", d, seen.clock, off)
			}
		}
	})
}
