package crawler_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/crawler/polite"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

const (
	base    = "https://www.jobs.nhs.uk"
	spacing = 2 * time.Second
)

// morning is a Tuesday, nine o'clock in London.
var morning = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// A rig is a crawl of a simulated site in a bubble of fake time. When the test
// ends it has broken no law of manners, or the test fails.
type rig struct {
	t       *testing.T
	site    *simulator.Site
	mem     *memory
	src     crawler.Source
	runner  *crawler.Runner
	reg     *prometheus.Registry
	metrics *crawler.Metrics
	log     *bytes.Buffer
	wire    *wire

	published int
}

// bubble runs a test on a site with so many adverts and no life of its own.
func bubble(t *testing.T, live int, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(morning))
		test(t, newRig(t, live, nil))
	})
}

func newRig(t *testing.T, live int, change func(*simulator.Options)) *rig {
	if live == 0 {
		live = -1
	}
	opts := simulator.Options{Seed: 7, Now: time.Now, Live: live, Quiet: true,
		Quirks: simulator.Quirks{WelshMonths: "none", Closed: "404"}}
	if change != nil {
		change(&opts)
	}
	site := simulator.New(opts)
	nhs, ok := crawler.SiteByName("nhs-jobs")
	if !ok {
		t.Fatal("nhs-jobs is no site")
	}
	r := &rig{t: t, site: site, mem: newMemory(t), wire: &wire{next: site.Transport()},
		src: crawler.Source{Name: "nhs-jobs", Site: nhs, Base: base, UserAgent: "vacancywatch/test (+https://watch.example; ops@watch.example)",
			PollsPerDay: 200, HotMin: 2 * time.Minute, HotMax: 30 * time.Minute, SweepHour: 3, Spacing: spacing, Budget: 4000}}
	r.start("first")
	t.Cleanup(func() {
		for _, law := range site.Broken() {
			t.Error("broken law:", law)
		}
		r.wire.check(t)
		if t.Failed() {
			t.Log(r.log.String())
		}
	})
	return r
}

// start is the start of a process: only the memory is the one there was.
func (r *rig) start(holder string) {
	r.t.Helper()
	r.reg = prometheus.NewRegistry()
	r.metrics = crawler.NewMetrics(r.reg, []crawler.Source{r.src})
	mem, src := r.mem, r.src
	if r.log == nil {
		r.log = &bytes.Buffer{}
	}
	logger := slog.New(slog.NewTextHandler(r.log, nil))
	transport, err := src.Transport(polite.Options{Base: r.wire, Now: time.Now, Take: crawler.Budget(mem, src, time.Now), Observer: r.metrics.Observer(src.Name, logger)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.runner = &crawler.Runner{Source: src, Memory: mem, Sink: mem, Transport: transport, Holder: holder,
		Now: time.Now, Logger: logger, Metrics: r.metrics}
}

// tick makes one tick of the schedule.
func (r *rig) tick() {
	r.t.Helper()
	if err := r.runner.Tick(r.t.Context()); err != nil {
		r.t.Fatalf("tick: %v", err)
	}
}

// pass lets time pass, with a tick each minute.
func (r *rig) pass(d time.Duration) {
	r.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(time.Until(time.Now().Add(time.Minute).Truncate(time.Minute)))
		r.tick()
	}
}

// baseline ticks until the silent first look has ended, and the first hot and
// deep runs after it.
func (r *rig) baseline() {
	r.t.Helper()
	for range 30 {
		r.pass(time.Minute)
		if st := r.state(); st.Baseline == nil && !st.LastGood[crawler.Hot].IsZero() && !st.LastGood[crawler.Deep].IsZero() {
			return
		}
	}
	r.t.Fatalf("the baseline does not end: %+v", r.state())
}

// run makes one run of a tier, whatever is due.
func (r *rig) run(tier crawler.Tier) (crawler.State, crawler.Report) {
	r.t.Helper()
	return r.runIn(r.t.Context(), tier)
}

func (r *rig) runIn(ctx context.Context, tier crawler.Tier) (crawler.State, crawler.Report) {
	r.t.Helper()
	st, ok, err := r.runner.Enter(r.t.Context())
	if err != nil || !ok {
		r.t.Fatalf("enter: %v, %v", ok, err)
	}
	return r.runner.Run(ctx, crawler.Work{Tier: tier}, st, time.Now().Add(50*time.Second))
}

func (r *rig) state() crawler.State {
	r.mem.mu.Lock()
	defer r.mem.mu.Unlock()
	return r.mem.read(r.src.Name)
}

func (r *rig) record(ref string) *vacancy.Record {
	r.mem.mu.Lock()
	defer r.mem.mu.Unlock()
	return r.mem.record(vacancy.Key{Source: r.src.Name, Reference: ref})
}

// faults sets what goes wrong from now on, as a script.
func (r *rig) faults(script string) {
	r.t.Helper()
	fs, err := simulator.ParseFaults(strings.NewReader(script))
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.site.SetFaults(fs...); err != nil {
		r.t.Fatal(err)
	}
}

// complete fails the test where a live advert is not remembered.
func (r *rig) complete() {
	r.t.Helper()
	for _, rec := range r.site.Truth() {
		if rec.Live && r.record(rec.Reference) == nil {
			r.t.Errorf("%s is live since %v and unknown", rec.Reference, rec.Visible)
		}
	}
}

// asked counts the requests of a kind since the n-th.
func (r *rig) asked(kind string, since int) int {
	n := 0
	for _, q := range r.site.Requests()[since:] {
		if q.Kind == kind || kind == "any" {
			n++
		}
	}
	return n
}

// publish puts a nurse's advert on the site.
func (r *rig) publish() string {
	r.published++
	return r.site.Publish(nurse(r.published))
}

// nurse is an advert of band 5.
func nurse(n int) simulator.Advert {
	return simulator.Advert{Title: fmt.Sprintf("Staff Nurse, Ward %d", n), Employer: [...]string{"Tarnmere NHS Trust", "Velloway NHS Trust"}[n%2], Account: [...]string{"C9901", "C9902"}[n%2], PayScheme: "Agenda for change", Band: "5",
		StaffGroup: "NURSING_AND_MIDWIFERY_REGD", Salary: simulator.Salary{Min: float64(32073 + n%9), Max: 39043, Unit: "year", Text: "per annum"},
		Contract: "Permanent", Patterns: []string{"full-time", "part-time"}, Closing: simulator.Day(fmt.Sprintf("2026-09-%d", 15+(n+13)%14)),
		Sites:   []simulator.Place{{Name: "Tarnmere General", Town: "Leeds", County: "West Yorkshire", Postcode: fmt.Sprintf("LS9 %dTF", 1+n%8)}},
		Summary: []string{"We need a nurse for our Renal Service & its dialysis unit."},
		Duties:  []string{"Care."}, About: []string{"We have a haematology service."}, Description: []string{"Kindness."},
		Contact: simulator.Contact{Role: "Matron", Name: "Jo Example", Email: "jo.example@nhs.example", Phone: "01632 960123"}}
}

// A wire is what lies between the crawl and the site. It remembers each
// request, and may answer in the site's place.
type wire struct {
	next   http.RoundTripper
	mu     sync.Mutex
	sent   []sent
	answer func(*http.Request) *http.Response // nil: the site answers
	least  time.Duration                      // between two requests; spacing where zero
}

type sent struct {
	at  time.Time
	url string
	hdr http.Header
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.sent = append(w.sent, sent{time.Now(), req.URL.RequestURI(), req.Header.Clone()})
	answer := w.answer
	w.mu.Unlock()
	if answer != nil {
		if res := answer(req); res != nil {
			res.Request = req
			return res, nil
		}
	}
	return w.next.RoundTrip(req)
}

// check fails the test where two requests were too close.
func (w *wire) check(t *testing.T) {
	least := spacing
	if w.least > 0 {
		least = w.least
	}
	for i := 1; i < len(w.sent); i++ {
		if gap := w.sent[i].at.Sub(w.sent[i-1].at); gap < least {
			t.Errorf("%s came %s after %s, not %s", w.sent[i].url, gap, w.sent[i-1].url, least)
		}
	}
}

func (w *wire) urls() []string {
	var out []string
	for _, s := range w.sent {
		out = append(out, s.url)
	}
	return out
}

func response(code int, kind, body string, header ...string) *http.Response {
	res := &http.Response{Status: fmt.Sprint(code), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
	for i := 0; i < len(header); i += 2 {
		res.Header.Set(header[i], header[i+1])
	}
	return res
}

// value reads a metric, the sum of the series that have the labels. They are
// given as name, value, ...; it is false where there is no such series.
func (r *rig) value(name string, labels ...string) (sum float64, found bool) {
	r.t.Helper()
	families, err := r.reg.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "vacancywatch_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			var have []string
			for _, l := range m.GetLabel() {
				have = append(have, l.GetName(), l.GetValue())
			}
			match := true
			for i := 0; i < len(labels); i += 2 {
				at := slices.Index(have, labels[i])
				match = match && at >= 0 && have[at+1] == labels[i+1]
			}
			if !match {
				continue
			}
			found = true
			switch {
			case m.Counter != nil:
				sum += m.GetCounter().GetValue()
			case m.Gauge != nil:
				sum += m.GetGauge().GetValue()
			default:
				sum += float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum, found
}

// counts fails the test where a metric is not what it should be.
func (r *rig) counts(want float64, name string, labels ...string) {
	r.t.Helper()
	if got, ok := r.value(name, labels...); !ok || got != want {
		r.t.Errorf("%s%q = %v (there: %v), want %v", name, labels, got, ok, want)
	}
}

// total adds up what the classes of work have taken.
func total(taken map[string]int) (n int) {
	for _, k := range taken {
		n += k
	}
	return n
}
