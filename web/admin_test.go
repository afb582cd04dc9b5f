package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/vacancywatch/vacancywatch/crawler"
)

func adminOptions() AdminOptions {
	return AdminOptions{
		Gatherer: prometheus.NewRegistry(),
		Alive:    time.Now,
		Started:  time.Now(),
		Ready:    func(context.Context) error { return nil },
		Status:   func(context.Context) (Status, error) { return working(), nil },
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	runs := promauto.With(reg).NewCounter(prometheus.CounterOpts{Name: "vacancywatch_test_total", Help: "A test."})
	runs.(prometheus.ExemplarAdder).AddWithExemplar(3, prometheus.Labels{"run_id": "r7"})
	var log strings.Builder
	o := adminOptions()
	o.Gatherer, o.Logger = reg, slog.New(slog.NewTextHandler(&log, nil))
	h := Admin(o)

	if got := do(h, "GET", "/metrics", "").Body.String(); !strings.Contains(got, "\nvacancywatch_test_total 3\n") {
		t.Errorf("the plain format: got %q", got)
	}
	w := do(h, "GET", "/metrics", "", "Accept", "application/openmetrics-text; version=1.0.0")
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "application/openmetrics-text") {
		t.Errorf("got the type %q", w.Header().Get("Content-Type"))
	}
	if got := w.Body.String(); !strings.Contains(got, `run_id="r7"`) || !strings.HasSuffix(got, "# EOF\n") {
		t.Errorf("no exemplar, or no end: %q", got)
	}

	// A collector that cannot reach the store leaves the others alone.
	reg.MustRegister(brokenCollector{prometheus.NewDesc("vacancywatch_broken", "Broken.", nil, nil)})
	w = do(h, "GET", "/metrics", "")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "\nvacancywatch_test_total 3\n") {
		t.Errorf("with a broken collector: got %d %q", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), errStore.Error()) {
		t.Errorf("the log does not say that metrics are incomplete: %s", log.String())
	}
}

type brokenCollector struct{ desc *prometheus.Desc }

func (c brokenCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }
func (c brokenCollector) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(c.desc, errStore)
}

func TestHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := adminOptions()
		alive := time.Unix(0, 0) // as it is before the first tick
		o.Alive = func() time.Time { return alive }
		// Neither of these counts.
		o.Ready = func(context.Context) error { return errStore }
		o.Status = func(context.Context) (Status, error) { return Status{}, errStore }
		h := Admin(o)
		check := func(when string, want int) {
			t.Helper()
			if w := do(h, "GET", "/-/healthy", ""); w.Code != want {
				t.Errorf("%s: got %d %q, want %d", when, w.Code, w.Body, want)
			}
		}
		check("just started", 200)
		time.Sleep(aliveWithin)
		check("at the end of the grace", 200)
		time.Sleep(time.Second)
		check("no tick yet", 503)
		alive = time.Now()
		check("after a tick", 200)
		time.Sleep(aliveWithin + time.Second)
		check("five minutes without a tick", 503)
		if got, want := do(h, "GET", "/-/healthy", "").Body.String(), "Not healthy: the schedule has shown no sign of life for 5 minutes.\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		o.Alive = nil
		h = Admin(o)
		check("without a schedule", 200)
	})
}

func TestReady(t *testing.T) {
	for _, test := range []struct {
		name  string
		ready func(context.Context) error
		code  int
		want  string
	}{
		{"ready", func(context.Context) error { return nil }, 200, "Ready: the store answers.\n"},
		{"error", func(context.Context) error { return errStore }, 503, "Not ready: the store cannot be used. The log says why.\n"},
		{"stopping", func(context.Context) error { return errors.Join(ErrStopping, errStore) }, 503, "Not ready: the program is stopping.\n"},
		{"heeds its time", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, 503, "Not ready: the store did not answer within a second.\n"},
		{"does not heed it", func(context.Context) error { time.Sleep(time.Minute); return nil }, 503, "Not ready: the store did not answer within a second.\n"},
		{"panic", func(context.Context) error { panic("x") }, 503, "Not ready: the store cannot be used. The log says why.\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				o := adminOptions()
				o.Ready, o.Logger = test.ready, slog.New(slog.NewTextHandler(&log, nil))
				began := time.Now()
				w := do(Admin(o), "GET", "/-/ready", "")
				if w.Code != test.code || w.Body.String() != test.want {
					t.Errorf("got %d %q, want %d %q", w.Code, w.Body, test.code, test.want)
				}
				if d := time.Since(began); d > readyWithin {
					t.Errorf("it took %s", d)
				}
				if logged := log.Len() > 0; logged != (test.code == 503 && test.name != "stopping") {
					t.Errorf("the log holds %q", log.String())
				}
				time.Sleep(time.Hour) // what was asked ends in the end
			})
		})
	}
}

func TestFresh(t *testing.T) {
	hot := func(ago time.Duration) func(*Status) {
		return func(st *Status) { st.Sources[0].State.LastGood[crawler.Hot] = st.Now.Add(-ago) }
	}
	for _, test := range []struct {
		name   string
		change func(*Status)
		code   int
		reason string
	}{
		{"fresh", func(*Status) {}, 200, ""},
		{"at the limit", hot(15 * time.Minute), 200, ""},
		{"late", hot(15*time.Minute + time.Second), 503, "late"},
		{"never", func(st *Status) { st.Sources[0].State.LastGood = nil }, 503, "never"},
		{"at night the limit is wider", func(st *Status) {
			st.Now = time.Date(2026, 11, 24, 23, 0, 0, 0, time.UTC)
			hot(40 * time.Minute)(st)
		}, 200, ""},
		{"stopped", func(st *Status) { st.Sources[0].State.Stopped = crawler.StoppedRobots }, 503, "stopped"},
		{"paused", func(st *Status) { st.Sources[0].State.Paused = true }, 503, "paused"},
		{"baseline", func(st *Status) { st.Sources[0].State.Baseline = &crawler.Baseline{Reason: crawler.FirstRun} }, 503, "baseline"},
		{"waiting, but in time", func(st *Status) { st.Sources[0].State.Gate = st.Now.Add(time.Hour) }, 200, ""},
		{"clocks of two machines", hot(-30 * time.Second), 200, ""},
		{"clock", hot(-time.Hour), 503, "clock"},
	} {
		t.Run(test.name, func(t *testing.T) {
			st := working()
			test.change(&st)
			o := adminOptions()
			o.Status = func(context.Context) (Status, error) { return st, nil }
			w := do(Admin(o), "GET", "/-/fresh", "")
			var got struct {
				Fresh   bool
				Sources []freshness
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatalf("%v in %s", err, w.Body)
			}
			if w.Code != test.code || got.Fresh != (test.code == 200) || len(got.Sources) != 1 || got.Sources[0].Reason != test.reason {
				t.Errorf("got %d %s, want %d, reason %q", w.Code, w.Body, test.code, test.reason)
			}
		})
	}
}

func TestFreshJSON(t *testing.T) {
	status, err := troubled(), error(nil)
	o := adminOptions()
	o.Status = func(context.Context) (Status, error) { return status, err }
	h := Admin(o)
	w := do(h, "GET", "/-/fresh", "")
	want := `{
  "fresh": false,
  "sources": [
    {
      "source": "nhs-jobs",
      "fresh": false,
      "reason": "late",
      "age_seconds": 3120,
      "limit_seconds": 900,
      "last_good": "2026-11-24T11:08:00Z"
    },
    {
      "source": "trust-board",
      "fresh": false,
      "reason": "stopped",
      "limit_seconds": 900
    }
  ]
}
`
	if diff := cmp.Diff(want, w.Body.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got the type %q", w.Header().Get("Content-Type"))
	}
	checkHeaders(t, w.Header())

	status.Sources = nil
	if w := do(h, "GET", "/-/fresh", ""); w.Code != 503 {
		t.Errorf("without sources: got %d: to watch nothing is not to be fresh", w.Code)
	}
	err = errStore
	w = do(h, "GET", "/-/fresh", "")
	if w.Code != 503 || strings.Contains(w.Body.String(), "10.0.0.7") || !strings.Contains(w.Body.String(), `"fresh": false`) {
		t.Errorf("with a store that fails: got %d %s", w.Code, w.Body)
	}
}

func TestAdminPages(t *testing.T) {
	h := Admin(adminOptions())
	for _, path := range []string{"/", "/status"} {
		w := do(h, "GET", path, "")
		if w.Code != 200 || w.Header().Get("X-Robots-Tag") != "noindex" {
			t.Errorf("%s: got %d, X-Robots-Tag %q", path, w.Code, w.Header().Get("X-Robots-Tag"))
		}
		checkPage(t, w.Body.String())
	}
	for _, path := range []string{"/", "/status", "/metrics", "/-/healthy", "/-/ready", "/-/fresh"} {
		w := do(h, "GET", path, "")
		checkHeaders(t, w.Header())
		if w := do(h, "POST", path, ""); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: got %d, want 405", path, w.Code)
		}
	}
	if w := do(h, "GET", "/u/x", ""); w.Code != http.StatusNotFound {
		t.Errorf("a page for people on the operators' side: got %d, want 404", w.Code)
	}
	o := adminOptions()
	o.Status = func(context.Context) (Status, error) { return Status{}, errStore }
	w := do(Admin(o), "GET", "/status", "")
	if w.Code != 503 || !strings.Contains(w.Body.String(), "Not working") || strings.Contains(w.Body.String(), "10.0.0.7") {
		t.Errorf("with a store that fails: got %d %s", w.Code, w.Body)
	}
	checkPage(t, w.Body.String())
}
