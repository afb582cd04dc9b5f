package polite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const site = "https://site.example"

// A wire is the host at the far end. It answers in the site's place, and fails
// the test where two requests come too close or at the same time.
type wire struct {
	t      testing.TB
	least  time.Duration
	answer func(*http.Request) *http.Response // nil, or for nil: a page

	mu     sync.Mutex
	sent   []sent
	flying context.Context // of the request under way
}

type sent struct {
	at     time.Time
	path   string
	header http.Header
}

// newWire returns the end of a host that is asked no more often than that.
func newWire(t testing.TB, least time.Duration) *wire { return &wire{t: t, least: least} }

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	now := time.Now()
	if n := len(w.sent); n > 0 {
		if gap := now.Sub(w.sent[n-1].at); gap < w.least {
			w.t.Errorf("%s came %s after %s, want %s", req.URL, gap, w.sent[n-1].path, w.least)
		}
	}
	// A connection whose request was given up is free as well.
	if w.flying != nil && w.flying.Err() == nil {
		w.t.Errorf("%s came while another request was under way", req.URL)
	}
	w.sent = append(w.sent, sent{now, req.URL.RequestURI(), req.Header.Clone()})
	w.flying = req.Context()
	w.mu.Unlock()
	var res *http.Response
	if w.answer != nil {
		res = w.answer(req)
	}
	if res == nil {
		if req.URL.Path == robotsPath {
			res = reply(404, "text/html", "<html>")
		} else {
			res = reply(200, "text/html", "a page")
		}
	}
	res.Request = req
	if res.StatusCode == 0 {
		w.landed()
		return nil, errors.New("connection refused")
	}
	res.Body = &landing{res.Body, w}
	return res, nil
}

func (w *wire) landed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flying = nil
}

func (w *wire) paths() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, s := range w.sent {
		out = append(out, s.path)
	}
	return out
}

// gap is the time between the last two requests.
func (w *wire) gap() time.Duration {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.sent)
	if n < 2 {
		w.t.Fatalf("only %d requests", n)
	}
	return w.sent[n-1].at.Sub(w.sent[n-2].at)
}

type landing struct {
	io.ReadCloser
	wire *wire
}

func (l *landing) Close() error {
	defer l.wire.landed()
	return l.ReadCloser.Close()
}

// drip is a body that gives a byte at a time until its request ends.
type drip struct {
	ctx   context.Context
	every time.Duration
}

func (d drip) Read(b []byte) (int, error) {
	timer := time.NewTimer(d.every)
	defer timer.Stop()
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-timer.C:
		return copy(b, "x"), nil
	}
}

// broken is a body whose connection breaks.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func reply(code int, kind, body string, header ...string) *http.Response {
	res := &http.Response{Status: fmt.Sprint(code), StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	if kind != "" {
		res.Header.Set("Content-Type", kind)
	}
	for i := 0; i < len(header); i += 2 {
		res.Header.Set(header[i], header[i+1])
	}
	return res
}

// refused is an answer that does not come.
func refused() *http.Response { return &http.Response{} }

// robotsTxt answers robots.txt alone.
func robotsTxt(code int, kind, body string) func(*http.Request) *http.Response {
	return func(req *http.Request) *http.Response {
		if req.URL.Path != robotsPath {
			return nil
		}
		return reply(code, kind, body)
	}
}

// A tally is an Observer that keeps what it is told.
type tally struct {
	mu       sync.Mutex
	requests map[string]int // kind and class
	bytes    int
	waited   time.Duration
	clock    time.Duration
	rules    []bool
	delays   [][2]time.Duration
}

func (o *tally) Request(kind, code string, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.requests == nil {
		o.requests = map[string]int{}
	}
	o.requests[kind+" "+code]++
}

func (o *tally) Bytes(_ string, n int)           { o.mu.Lock(); defer o.mu.Unlock(); o.bytes += n }
func (o *tally) Throttled(d time.Duration)       { o.mu.Lock(); defer o.mu.Unlock(); o.waited += d }
func (o *tally) ClockDifference(d time.Duration) { o.mu.Lock(); defer o.mu.Unlock(); o.clock = d }
func (o *tally) RobotsRules(rules bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rules = append(o.rules, rules)
}
func (o *tally) CrawlDelay(asked, kept time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.delays = append(o.delays, [2]time.Duration{asked, kept})
}

// kindOf is "robots", "once" for what is not kept, else "page".
func kindOf(u *url.URL) string {
	switch {
	case u.Path == robotsPath:
		return "robots"
	case strings.HasPrefix(u.Path, "/once"):
		return "once"
	default:
		return "page"
	}
}

// polite returns a transport to the wire, changed as the test likes.
func polite(t testing.TB, w http.RoundTripper, change func(*Options)) (*Transport, *tally) {
	t.Helper()
	seen := &tally{}
	opts := Options{Base: w, Origin: site, UserAgent: "vacancywatch/1 (+https://watch.example)", Spacing: 2 * time.Second,
		Kind: kindOf, Uncached: func(kind string) bool { return kind == "once" }, Now: time.Now,
		Take: func(context.Context, string) (bool, error) { return true, nil }, Observer: seen}
	if change != nil {
		change(&opts)
	}
	p, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return p, seen
}

// get asks for a path and reads the answer.
func get(ctx context.Context, p *Transport, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.opts.Origin+path, nil)
	if err != nil {
		return "", err
	}
	res, err := p.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}
