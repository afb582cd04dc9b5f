package web

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vacancywatch/vacancywatch/crawler"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// noon is a time in working hours: the limit of freshness is 15 minutes.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const hostile = `</p></title><script>alert(1)</script><b title="x" style='color:red'>` + "\u202e\x00'&amp;"

func working() Status {
	run := func(tier crawler.Tier, minutes, pages, found int, took time.Duration) crawler.Report {
		return crawler.Report{ID: "7", Source: "nhs-jobs", Tier: tier, Feed: crawler.FeedXML, Verdict: crawler.OK,
			Started: noon.Add(-time.Duration(minutes) * time.Minute), Took: took, Pages: pages, New: found, Total: 11820}
	}
	return Status{
		Version: "1.4.0", Now: noon, Engine: EngineEmbedded,
		Live: 11815, Known: 20411, Queued: 3, Due: 1, OldestDue: noon.Add(-20 * time.Second), Digests: 14, Searches: 132,
		Sources: []SourceStatus{{
			Name: "nhs-jobs", Host: "www.jobs.nhs.uk", Live: 11815, Taken: 812, Limit: 9000, Feeds: []string{crawler.FeedXML, crawler.FeedHTML},
			By: map[string]int{"hot": 195, "advert": 402, "sweep": 119, "probe": 61, "reread": 35},
			State: crawler.State{
				Epoch: "e1", NextHot: noon.Add(4 * time.Minute), Total: 11820, Runs: 4711,
				LastGood: map[crawler.Tier]time.Time{
					crawler.Hot: noon.Add(-3 * time.Minute), crawler.Deep: noon.Add(-41 * time.Minute), crawler.Sweep: noon.Add(-8 * time.Hour)},
			},
			Reports: []crawler.Report{
				run(crawler.Hot, 3, 1, 4, 6400*time.Millisecond),
				run(crawler.Hot, 11, 2, 17, 52*time.Second),
				run(crawler.Deep, 42, 6, 1, 65*time.Second),
				night(run(crawler.Canary, 7*60+55, 2, 0, 9*time.Second)),
				night(run(crawler.Probe, 7*60+58, 0, 0, 41*time.Second)),
				night(run(crawler.Sweep, 8*60, 119, 0, 4*time.Minute+12*time.Second)),
			},
		}},
	}
}

// night is a run of last night, with what it has counted.
func night(r crawler.Report) crawler.Report {
	switch r.Tier {
	case crawler.Sweep:
		r.Expected, r.FirstTotal, r.Unique, r.Absent = 119, 11822, 11811, 12
	case crawler.Probe:
		r.Probes, r.Closed = 14, 9
	}
	return r
}

// decisions is a status in which three sources wait for a person, and much else
// is to be told to one.
func decisions() Status {
	st := working()
	st.Config = "/etc/vacancywatch/it's ours.yaml"
	s := &st.Sources[0]
	since := noon.Add(-90 * time.Minute)
	s.State.Baseline = &crawler.Baseline{Reason: crawler.Flood, Since: since}
	s.State.Fallback = &crawler.Fallback{Since: since, Good: 1}
	s.State.Failures, s.State.Gate = 5, noon.Add(10*time.Minute)
	s.State.Sweeps = []crawler.SweepRecord{{Unique: 11811, Total: 11822}}
	s.State.Suspects = []crawler.SweepRecord{{Unique: 8102, Total: 8110}, {Unique: 8090, Total: 8090}}
	s.State.Probing = &crawler.Probing{Since: noon.Add(-32 * time.Hour), Left: 61, Unclear: []string{"C9000-26-0001"}, Failed: 1, NotBefore: noon.Add(20 * time.Minute)}
	for i := range s.Reports {
		r := &s.Reports[i]
		switch r.Tier {
		case crawler.Sweep:
			r.Verdict, r.Guard, r.Defects, r.Unique, r.FirstTotal, r.Total = crawler.Quarantined, crawler.GuardDrop, []string{"drop"}, 8090, 8090, 8090
		case crawler.Probe:
			r.Verdict, r.Guard, r.Defects = crawler.Quarantined, crawler.GuardProbe, []string{"control"}
		case crawler.Canary:
			r.Verdict, r.Defects = crawler.Quarantined, []string{"canary", "canary", "title"}
		}
	}
	st.Sources = append(st.Sources,
		SourceStatus{Name: "nhs-scotland", Host: "apply.jobs.scot.nhs.uk", Experimental: true, Feeds: []string{crawler.FeedHTML}, Limit: 4000,
			State: crawler.State{Epoch: "e2", Paused: true}},
		SourceStatus{Name: "trust-board", Host: "jobs.example.org", State: crawler.State{Epoch: "e3", Stopped: crawler.StoppedRobots}})
	for i := range shownKept + 2 {
		st.Kept = append(st.Kept, KeptPage{File: fmt.Sprintf("/var/lib/vacancywatch/quarantine/20261124T0%d0000Z_nhs-jobs_layout.page.gz", i%10), Source: "nhs-jobs",
			At: noon.Add(time.Duration(i-20) * time.Hour), Tier: "hot", Defects: []string{"layout", "order", "order", "short", "total"}, Bytes: 20111})
	}
	st.Kept[0].Defects = nil
	return st
}

// troubled is a status in which much is wrong at once.
func troubled() Status {
	st := working()
	st.Buried, st.Queued, st.Due, st.OldestDue = 2, 43, 40, noon.Add(-20*time.Minute)
	s := &st.Sources[0]
	s.State.LastGood[crawler.Hot] = noon.Add(-52 * time.Minute)
	s.State.Gate = noon.Add(25 * time.Minute)
	s.State.NextHot = time.Time{}
	s.Reports[0].Verdict, s.Reports[0].Defects = crawler.Quarantined, []string{"order", "short"}
	s.Reports[1].Verdict = crawler.Partial
	st.Sources = append(st.Sources, SourceStatus{Name: "trust-board", Host: "jobs.example.org",
		State: crawler.State{Epoch: "e2", Stopped: crawler.StoppedForbidden}})
	return st
}

func firstLook() Status {
	st := working()
	st.Live, st.Known, st.Queued, st.Due, st.Digests, st.Searches, st.Engine = 5600, 5600, 0, 0, 0, 3, EngineRedis
	st.Sources[0] = SourceStatus{Name: "nhs-jobs", Host: "www.jobs.nhs.uk", Live: 5600, Taken: 57, Limit: 9000,
		State: crawler.State{Epoch: "e1", Total: 11820, Baseline: &crawler.Baseline{Reason: crawler.FirstRun, Since: noon.Add(-2 * time.Minute)},
			Cursor: &crawler.Cursor{Page: 57, Listed: 5600, Total: 11820}}}
	return st
}

// hostileStatus has markup in every text that a page could show.
func hostileStatus() Status {
	st := troubled()
	st.Version, st.Engine, st.Config = hostile, hostile, hostile
	st.Kept = []KeptPage{{File: hostile, Source: hostile, Defects: []string{hostile}}}
	for i := range st.Sources {
		s := &st.Sources[i]
		s.Name, s.Host, s.Feeds = hostile, hostile, []string{hostile}
		for j := range s.Reports {
			s.Reports[j].Tier, s.Reports[j].Verdict, s.Reports[j].Err, s.Reports[j].Guard = hostile, hostile, hostile, hostile
			s.Reports[j].Defects = []string{hostile}
		}
	}
	st.Sources[1].State.Stopped = hostile
	return st
}

func testTokens(t testing.TB) *Tokens {
	t.Helper()
	tokens, err := NewTokens([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// searches is a store of saved searches with one law: it stops only what a
// test asked it to stop, and each call is counted.
type searches struct {
	t       testing.TB
	words   map[string]string
	ended   map[string]bool
	lookups int
	stops   int
	err     error
}

func (s *searches) lookup(_ context.Context, id string) (string, bool, bool, error) {
	s.lookups++
	words, ok := s.words[id]
	return words, s.ended[id], ok, s.err
}

func (s *searches) stop(_ context.Context, id string) (bool, error) {
	s.stops++
	if s.err != nil {
		return false, s.err
	}
	if _, ok := s.words[id]; !ok {
		return false, nil
	}
	s.ended[id] = true
	return true, nil
}

type fixture struct {
	handler  http.Handler
	searches *searches
	tokens   *Tokens
	log      *strings.Builder
	path     string // of the page that stops the search s1
}

func newFixture(t *testing.T, change func(*PublicOptions)) *fixture {
	f := &fixture{tokens: testTokens(t), log: &strings.Builder{},
		searches: &searches{t: t, words: map[string]string{"s1": "band 4, within 10 miles of E1 6, oncology"}, ended: map[string]bool{}}}
	o := PublicOptions{
		Status: func(context.Context) (Status, error) { return working(), nil },
		Tokens: f.tokens, Lookup: f.searches.lookup, Stop: f.searches.stop,
		Contact: "https://watch.example.org/about",
		Logger:  slog.New(slog.NewTextHandler(f.log, nil)),
	}
	if change != nil {
		change(&o)
	}
	f.handler = Public(o)
	f.path = "/u/" + f.tokens.Stop("s1")
	return f
}

func do(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestNewServer(t *testing.T) {
	s := NewServer("127.0.0.1:0", http.NotFoundHandler())
	got := []time.Duration{s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout}
	want := []time.Duration{5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("timeouts (-want +got):\n%s", diff)
	}
	if s.Addr != "127.0.0.1:0" || s.Handler == nil || s.MaxHeaderBytes > 64<<10 {
		t.Errorf("got address %q and at most %d bytes of headers", s.Addr, s.MaxHeaderBytes)
	}
}

func TestStylesheet(t *testing.T) {
	f := newFixture(t, nil)
	admin := Admin(adminOptions())
	for name, h := range map[string]http.Handler{"public": f.handler, "admin": admin} {
		path := styleLink.FindString(do(h, "GET", "/", "").Body.String())
		w := do(h, "GET", "/"+path, "")
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/css; charset=utf-8" {
			t.Errorf("%s: got %d of type %q", name, w.Code, w.Header().Get("Content-Type"))
		}
		if got := w.Header().Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: got Cache-Control %q", name, got)
		}
		if n := w.Body.Len(); n == 0 || n > 12<<10 {
			t.Errorf("%s: the stylesheet has %d bytes, want at most 12 kB", name, n)
		}
		if w := do(h, "GET", "/static/0000000000000000.css", ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: another version of the stylesheet: got %d, want 404", name, w.Code)
		}
	}
}

// TestContrast computes the contrast of the colours by WCAG 2.2.
func TestContrast(t *testing.T) {
	css, err := os.ReadFile("style.css")
	if err != nil {
		t.Fatal(err)
	}
	var schemes []map[string]string
	for _, block := range regexp.MustCompile(`:root \{[^}]*\}`).FindAllString(string(css), -1) {
		scheme := map[string]string{"focus": "#ffeb3b", "ink": "#212b32", "button": "#00703c", "hover": "#005a30", "white": "#ffffff"}
		for _, m := range regexp.MustCompile(`--(\w+): (#[0-9a-f]{6});`).FindAllStringSubmatch(block, -1) {
			scheme[m[1]] = m[2]
		}
		schemes = append(schemes, scheme)
	}
	if len(schemes) != 2 {
		t.Fatalf("got %d colour schemes, want a light and a dark one", len(schemes))
	}
	for i, scheme := range schemes {
		pairs := [][2]string{{"ink", "focus"}, {"white", "button"}, {"white", "hover"}}
		for _, text := range []string{"text", "muted", "link", "ok", "notice", "fault"} {
			pairs = append(pairs, [2]string{text, "page"}, [2]string{text, "soft"})
		}
		for _, p := range pairs {
			a, b := luminance(t, scheme[p[0]]), luminance(t, scheme[p[1]])
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
				t.Errorf("scheme %d: %s on %s has a contrast of %.2f, want 4.5", i, p[0], p[1], ratio)
			}
		}
	}
	for _, m := range regexp.MustCompile(`#[0-9a-f]{3,6}\b`).FindAllString(string(css), -1) {
		if len(m) != 7 {
			t.Errorf("colour %s: write six digits, for this test to read it", m)
		}
	}
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil {
		t.Fatalf("colour %q: %v", colour, err)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(n>>(16-8*i)&0xff) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func TestPanic(t *testing.T) {
	f := newFixture(t, func(o *PublicOptions) {
		o.Lookup = func(context.Context, string) (string, bool, bool, error) { panic("a secret of ours") }
		o.Stop = func(context.Context, string) (bool, error) {
			var none []int
			return none[len(none)] == 0, nil
		}
	})
	for _, method := range []string{"GET", "POST"} {
		w := do(f.handler, method, f.path, "")
		if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "try again") {
			t.Errorf("%s: got %d %q", method, w.Code, w.Body)
		}
		checkHeaders(t, w.Header())
	}
	got := f.log.String()
	if !strings.Contains(got, "index out of range") || !strings.Contains(got, "panic=string") {
		t.Errorf("the log does not tell what happened: %s", got)
	}
	if strings.Contains(got, "a secret of ours") || strings.Contains(got, strings.TrimPrefix(f.path, "/u/")) || strings.Contains(got, "192.0.2.1") {
		t.Errorf("the log tells too much: %s", got)
	}

	abort := newSite(nil, "").guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("got %v: the server must see that the answer was given up", v)
		}
	}()
	do(abort, "GET", "/", "")
}

// TestRoot checks that links lead to the top from any depth, for a proxy that
// strips a prefix.
func TestRoot(t *testing.T) {
	for path, want := range map[string]string{"/": "./", "/status": "./", "/u/x": "../", "/u/x%2Fy": "../", "/a/b/c": "../../"} {
		if got := root(httptest.NewRequest("GET", path, nil)); got != want {
			t.Errorf("root(%q): got %q, want %q", path, got, want)
		}
	}
	f := newFixture(t, nil)
	if page := do(f.handler, "GET", f.path, "").Body.String(); !strings.Contains(page, `href="../static/`) {
		t.Error("the page below /u/ does not find its stylesheet")
	}
}

func TestContact(t *testing.T) {
	for contact, want := range map[string]string{
		"https://watch.example.org/about": `Run by: <a href="https://watch.example.org/about">`,
		"The Ward 7 team":                 "Run by: The Ward 7 team</p>",
		"javascript:alert(1)":             "Run by: javascript:alert(1)</p>",
		hostile:                           "Run by: &lt;/p&gt;",
	} {
		f := newFixture(t, func(o *PublicOptions) { o.Contact = contact })
		page := do(f.handler, "GET", "/", "").Body.String()
		checkPage(t, page)
		if !strings.Contains(page, want) {
			t.Errorf("contact %q: the page does not hold %q", contact, want)
		}
	}
	f := newFixture(t, func(o *PublicOptions) { o.Contact = "" })
	if page := do(f.handler, "GET", "/", "").Body.String(); strings.Contains(page, "Run by") {
		t.Error("a footer says who runs this though nobody is named")
	}
}

var errStore = errors.New("dial 10.0.0.7:6379: refused")

func ExampleTokens() {
	tokens, err := NewTokens([]byte("a key of at least thirty-two bytes, kept secret"))
	if err != nil {
		fmt.Println(err)
		return
	}
	id, err := tokens.Search(tokens.Stop("band-4-oncology"))
	fmt.Println(id, err)
	// Output: band-4-oncology <nil>
}
