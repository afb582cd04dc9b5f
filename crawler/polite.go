package crawler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// minSpacing is the least spacing for a host that is not this machine. It
	// stands in the code so that no configuration can go below it.
	minSpacing = time.Second
	// longWait is how long a request may wait inside a run. Beyond it the
	// transport fails at once and the planner waits instead.
	longWait = 30 * time.Second
	// attemptTime bounds one request, its body included.
	attemptTime = 20 * time.Second
	// maxBody is the largest answer that is read. Beyond it the answer is an
	// error: a body cut in silence looks like a page with fewer vacancies.
	maxBody = 4 << 20
)

var (
	// ErrRobots means that robots.txt forbids the address.
	ErrRobots = errors.New("forbidden by robots.txt")
	// ErrBudget means that the day's requests of this kind are used up.
	ErrBudget = errors.New("the day's budget of requests is used up")
	// ErrTooLarge means that an answer was larger than what is read.
	ErrTooLarge = fmt.Errorf("answer is larger than %d MiB", maxBody>>20)
	// ErrHost means that an address leads to another host than the source's.
	ErrHost = errors.New("address is not on the source's host")
	// errCount means that a request could not be counted, and was not made.
	errCount = errors.New("count the request")
)

// A GateError means that nothing may be asked before Until.
type GateError struct{ Until time.Time }

func (e *GateError) Error() string {
	return "no request before " + e.Until.UTC().Format(time.RFC3339)
}

// A StatusError is an answer that is no page.
type StatusError struct {
	Code int
	// RetryAfter is the time the site asks to wait for, zero if it does not.
	RetryAfter time.Time
}

func (e *StatusError) Error() string { return fmt.Sprintf("the site answered %d", e.Code) }

// IsLoopback reports whether a host is this machine.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// Polite is the transport under the crawl of one source. Everything that
// leaves for the site passes it, redirects and robots.txt included: it spaces
// the requests, heeds gates, robots.txt and the budget, and bounds the time
// and size of an answer.
type Polite struct {
	base    http.RoundTripper
	source  Source
	host    string
	spacing time.Duration
	now     func() time.Time
	// take counts a request against the budget.
	take    func(ctx context.Context, kind string) (bool, error)
	metrics *Metrics

	mu     sync.Mutex
	next   time.Time // the earliest slot of the next request
	gate   time.Time
	robots robots
	cache  cache
}

// NewPolite returns the transport of a source. A full spacing passes before
// its first request, so that a daemon that is restarted again and again asks
// no faster than one that runs.
func NewPolite(base http.RoundTripper, src Source, now func() time.Time, take func(context.Context, string) (bool, error), m *Metrics) (*Polite, error) {
	u, err := url.Parse(src.Base)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("source %s: %q is not an address such as https://www.jobs.nhs.uk", src.Name, src.Base)
	}
	spacing := src.Spacing
	if !IsLoopback(u.Hostname()) {
		spacing = max(spacing, minSpacing)
	}
	return &Polite{base: base, source: src, host: u.Host, spacing: spacing, now: now, take: take, metrics: m,
		next: now().Add(spacing)}, nil
}

// NewBase returns the connection under a Polite transport: one a host.
func NewBase() http.RoundTripper {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: attemptTime,
		MaxConnsPerHost:       1,
		MaxIdleConnsPerHost:   1,
		IdleConnTimeout:       90 * time.Second,
		ForceAttemptHTTP2:     true,
	}
}

// SetGate keeps all requests back until then; the zero time opens the gate.
func (p *Polite) SetGate(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gate = until
}

// gated is the time that SetGate last gave.
func (p *Polite) gated() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gate
}

// RoundTrip implements http.RoundTripper.
func (p *Polite) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != p.host {
		return nil, ErrHost
	}
	kind := p.source.Site.kindOf(req.URL)
	if kind == KindRobots {
		// colly asks for it with every new collector, and without a context.
		return p.robots.response(req), nil
	}
	if err := p.loadRobots(req.Context()); err != nil {
		return nil, err
	}
	if !p.robots.allows(p.source.UserAgent, req.URL) {
		return nil, ErrRobots
	}
	if kind == KindAdvert {
		return p.ask(req, kind) // read once: keeping it would only push out a listing
	}
	req = p.cache.condition(req)
	res, err := p.ask(req, kind)
	if err != nil {
		return nil, err
	}
	return p.cache.keep(req, res), nil
}

// ask makes one request, in its turn.
func (p *Polite) ask(req *http.Request, kind string) (*http.Response, error) {
	if err := p.wait(req.Context()); err != nil {
		return nil, err
	}
	ok, err := p.take(req.Context(), kind)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCount, err)
	}
	if !ok {
		return nil, ErrBudget
	}
	p.leaves()
	ctx, cancel := context.WithTimeout(req.Context(), attemptTime)
	started := p.now()
	res, err := p.base.RoundTrip(req.Clone(ctx))
	if err != nil {
		cancel()
		if ctx.Err() != nil && req.Context().Err() == nil {
			err = errTimeout
		}
		p.metrics.request(p.source.Name, kind, codeOf(0, err), p.now().Sub(started))
		return nil, err
	}
	took := p.now().Sub(started)
	count := func(err error) { p.metrics.request(p.source.Name, kind, codeOf(res.StatusCode, err), took) }
	if d, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		p.metrics.clock(p.source.Name, d.Sub(p.now()))
	}
	if res.StatusCode >= 400 {
		res.Body.Close()
		cancel()
		count(nil)
		return nil, &StatusError{Code: res.StatusCode, RetryAfter: retryAfter(res.Header, p.now())}
	}
	res.Body = &boundedBody{ReadCloser: res.Body, left: maxBody, cancel: cancel, attempt: ctx, caller: req.Context(),
		count: func(n int) { p.metrics.bytes(kind, n) }, closed: count}
	return res, nil
}

var errTimeout = fmt.Errorf("no whole answer within %s", attemptTime)

// wait blocks until the request's slot, or fails at once where that is far.
func (p *Polite) wait(ctx context.Context) error {
	p.mu.Lock()
	now := p.now()
	at := now
	for _, t := range []time.Time{p.next, p.gate} {
		if t.After(at) {
			at = t
		}
	}
	if at.Sub(now) > max(longWait, p.spacing) {
		p.mu.Unlock()
		return &GateError{Until: at}
	}
	p.next = at.Add(p.spacing)
	p.mu.Unlock()
	if at.Equal(now) {
		return ctx.Err()
	}
	p.metrics.throttled(p.source.Name, at.Sub(now))
	timer := time.NewTimer(at.Sub(now))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// leaves notes that a request leaves now. Counting it may have taken a while
// since its slot: the next one keeps its distance from the request itself.
func (p *Polite) leaves() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if next := p.now().Add(p.spacing); next.After(p.next) {
		p.next = next
	}
}

// longestRetryAfter bounds the seconds that are believed. A source that was
// asked for so much quiet is stopped anyway.
const longestRetryAfter = 7 * 24 * 3600

// retryAfter reads the header in both of its forms: seconds, or a date. A date
// is the site's: where its clock and ours differ, the later reading holds.
func retryAfter(h http.Header, now time.Time) time.Time {
	said := strings.TrimSpace(h.Get("Retry-After"))
	if said != "" && strings.Trim(said, "0123456789") == "" {
		n, err := strconv.Atoi(said)
		if err != nil {
			n = longestRetryAfter // more than a number holds
		}
		return now.Add(time.Duration(min(n, longestRetryAfter)) * time.Second)
	}
	t, err := http.ParseTime(said)
	if err != nil {
		return time.Time{}
	}
	if theirs, err := http.ParseTime(h.Get("Date")); err == nil && theirs.Before(now) {
		t = t.Add(now.Sub(theirs))
	}
	if !t.After(now) {
		return time.Time{}
	}
	return t
}

// boundedBody is the body of an answer: too much of it is an error, and
// closing it ends the attempt and counts it.
type boundedBody struct {
	io.ReadCloser
	left            int
	cancel          context.CancelFunc
	attempt, caller context.Context
	count           func(int)
	closed          func(error) // told how reading ended, once
	err             error
}

func (b *boundedBody) Read(buf []byte) (int, error) {
	n, err := b.ReadCloser.Read(buf)
	b.count(n)
	if b.left -= n; b.left < 0 {
		n, err = 0, ErrTooLarge
	}
	if err != nil && err != io.EOF {
		if err != ErrTooLarge && b.attempt.Err() != nil && b.caller.Err() == nil {
			err = errTimeout
		}
		b.err = err
	}
	return n, err
}

func (b *boundedBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel()
	if b.closed != nil {
		b.closed(b.err)
		b.closed = nil
	}
	return err
}

// codeOf is the class of an answer: a label value.
func codeOf(status int, err error) string {
	switch {
	case errors.Is(err, errTimeout), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, ErrTooLarge):
		return "cut" // by the site, or by us
	case err != nil:
		return "network"
	case status == http.StatusNotModified:
		return "not_modified"
	case status < 300:
		return "ok"
	case status < 400:
		return "redirect"
	case status == http.StatusForbidden:
		return "forbidden"
	case status == http.StatusNotFound, status == http.StatusGone:
		return "not_found"
	case status == http.StatusTooManyRequests:
		return "rate_limited"
	case status < 500:
		return "client_error"
	default:
		return "server_error"
	}
}

// requestCodes returns every class of an answer.
func requestCodes() []string {
	return []string{"ok", "not_modified", "redirect", "forbidden", "not_found", "client_error", "rate_limited",
		"server_error", "timeout", "cut", "network"}
}
