package crawler

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestRetryAfter(t *testing.T) {
	now := at("2026-09-01T12:00:00Z")
	for _, test := range []struct {
		said, date string
		want       time.Duration // 0: nothing was said
	}{
		{"120", "", 2 * time.Minute},
		{" 120 ", "", 2 * time.Minute},
		{"86400", "", 24 * time.Hour},
		{"9999999", "", 7 * 24 * time.Hour},
		{"99999999999999999999999", "", 7 * 24 * time.Hour},
		{"-5", "", 0},
		{"1.5", "", 0},
		{"soon", "", 0},
		{"", "", 0},
		{"Tue, 01 Sep 2026 12:10:00 GMT", "", 10 * time.Minute},
		{"Tue, 01 Sep 2026 11:50:00 GMT", "", 0},
		// The site's clock is an hour behind ours: what it calls ten past is ours to add.
		{"Tue, 01 Sep 2026 11:10:00 GMT", "Tue, 01 Sep 2026 11:00:00 GMT", 10 * time.Minute},
		// It is an hour ahead: the later reading holds.
		{"Tue, 01 Sep 2026 13:10:00 GMT", "Tue, 01 Sep 2026 13:00:00 GMT", 70 * time.Minute},
		{"120", "Tue, 01 Sep 2026 11:00:00 GMT", 2 * time.Minute},
	} {
		h := http.Header{"Retry-After": {test.said}, "Date": {test.date}}
		got := retryAfter(h, now)
		if test.want == 0 && !got.IsZero() || test.want > 0 && got.Sub(now) != test.want {
			t.Errorf("%q at %q: %v, want %s from now", test.said, test.date, got, test.want)
		}
	}
	if got := retryAfter(http.Header{"Retry-After": {"0"}}, now); !got.Equal(now) {
		t.Errorf("0 seconds: %v", got)
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120", "")
	f.Add("Tue, 01 Sep 2026 12:10:00 GMT", "Tue, 01 Sep 2026 12:00:00 GMT")
	now := at("2026-09-01T12:00:00Z")
	f.Fuzz(func(t *testing.T, said, date string) {
		if got := retryAfter(http.Header{"Retry-After": {said}, "Date": {date}}, now); !got.IsZero() && got.Before(now) {
			t.Errorf("%q: %v is over", said, got)
		}
	})
}

// whole is a transport that answers with one body.
type whole struct{ kind, body string }

func (w whole) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {w.kind}}, Request: req, Body: io.NopCloser(strings.NewReader(w.body))}, nil
}

// Whatever robots.txt holds: no panic, and what cannot be read is no
// permission, at the first request or at the next.
func FuzzRobots(f *testing.F) {
	f.Add("text/plain", "User-agent: *\nDisallow: /\n")
	f.Add("text/plain", "Disallow: /api/\n")
	f.Add("text/html", "<html>")
	f.Add("", "User-agent: *\nCrawl-delay: x\nDisallow: /*$\n")
	src := Source{Name: "s", Site: sites["nhs-jobs"], Base: "http://localhost", UserAgent: "vacancywatch/1"}
	m := NewMetrics(prometheus.NewRegistry(), []Source{src})
	f.Fuzz(func(t *testing.T, kind, body string) {
		now := at("2026-09-01T12:00:00Z")
		p, err := NewPolite(whole{kind, body}, src, func() time.Time { return now },
			func(context.Context, string) (bool, error) { return true, nil }, m)
		if err != nil {
			t.Fatal(err)
		}
		first, second := p.loadRobots(t.Context()), p.loadRobots(t.Context())
		if (first == nil) != (second == nil) {
			t.Errorf("%q: first %v, then %v", body, first, second)
		}
		if first == nil {
			p.robots.allows(src.UserAgent, &url.URL{Path: "/api/v1/search_xml", RawQuery: "page=1"})
		}
	})
}

func TestKindOf(t *testing.T) {
	for path, want := range map[string]string{
		"/robots.txt":                       KindRobots,
		"/api/v1/search_xml?page=1":         KindXML,
		"/candidate/search/results?page=1":  KindHTML,
		"/candidate/jobadvert/C9259-26-012": KindAdvert,
		"/candidate/auth/login":             KindAdvert, // of what may be forbidden on its own
	} {
		u, err := url.Parse("https://www.jobs.nhs.uk" + path)
		if err != nil {
			t.Fatal(err)
		}
		if got := sites["nhs-jobs"].kindOf(u); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}

func TestCodeOf(t *testing.T) {
	for _, test := range []struct {
		status int
		err    error
		want   string
	}{
		{200, nil, "ok"}, {206, nil, "ok"}, {302, nil, "redirect"}, {304, nil, "not_modified"}, {400, nil, "client_error"}, {403, nil, "forbidden"},
		{404, nil, "not_found"}, {410, nil, "not_found"}, {429, nil, "rate_limited"}, {500, nil, "server_error"},
		{0, errTimeout, "timeout"}, {0, context.DeadlineExceeded, "timeout"}, {0, io.ErrUnexpectedEOF, "cut"}, {200, ErrTooLarge, "cut"},
		{0, errors.New("connection refused"), "network"},
	} {
		if got := codeOf(test.status, test.err); got != test.want {
			t.Errorf("%d, %v: %s, want %s", test.status, test.err, got, test.want)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "127.8.0.1": true, "::1": true,
		"www.jobs.nhs.uk": false, "localhost.example": false, "10.0.0.1": false, "": false} {
		if got := IsLoopback(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

// The cache is bounded, and an advert is not kept at all.
func TestCacheBound(t *testing.T) {
	var c cache
	for i := range 100 {
		c.put(string(rune('a'+i)), cachedPage{etag: "x"})
	}
	if len(c.pages) != cachedPages || len(c.order) != cachedPages {
		t.Errorf("%d pages, %d in order", len(c.pages), len(c.order))
	}
	c.forget(c.order[3])
	c.forget("nothing")
	if len(c.pages) != cachedPages-1 || len(c.order) != cachedPages-1 {
		t.Errorf("after one was forgotten: %d pages, %d in order", len(c.pages), len(c.order))
	}
}
