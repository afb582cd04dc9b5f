// Package polite is the transport under a crawl. Everything that leaves for a
// host passes it, redirects and robots.txt included: it makes one request at a
// time and keeps them apart, heeds robots.txt, the host's gate and a budget,
// bounds the time and the size of an answer, and asks for a page that it has
// only whether it has changed.
//
//	polite.go  the transport: what a request passes on its way out
//	host.go    the pace at which a host is asked, one for all who ask it
//	robots.go  robots.txt: rules and Crawl-delay
//	answer.go  what comes back: limits, Retry-After, the class of an answer
//	cache.go   answers that are kept for conditional requests
//
// It knows no site, no page and no vacancy, follows no redirect but that of
// robots.txt, and tries nothing again: what an answer means is for its caller
// to say. It never asks a public host more often than once a second, whatever
// it is told.
package polite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// attemptTime bounds one request, its body included.
const attemptTime = 20 * time.Second

var (
	// ErrRobots means that robots.txt forbids the address.
	ErrRobots = errors.New("forbidden by robots.txt")
	// ErrBudget means that the day's requests of this kind are used up.
	ErrBudget = errors.New("the day's budget of requests is used up")
	// ErrHost means that an address is of another origin than the transport's.
	ErrHost = errors.New("address is not on the host that is crawled")
	// ErrCount means that a request could not be counted, and was not made.
	ErrCount = errors.New("count the request")
	// ErrTimeout means that an answer was not there, whole, in time.
	ErrTimeout = fmt.Errorf("no whole answer within %s", attemptTime)
)

// Options say whom a Transport asks, and how.
type Options struct {
	// Base makes the requests; see NewBase.
	Base http.RoundTripper
	// Host is the pace of the host, shared with whoever else asks it. Without
	// one the transport keeps a pace of its own.
	Host *Host
	// Origin is the scheme and host that are asked, such as
	// https://www.jobs.nhs.uk. Nothing else is.
	Origin string
	// UserAgent is the name under which robots.txt is asked for and obeyed.
	UserAgent string
	// Spacing is the least time between two requests. A public host is left a
	// second at least, and as long as the Crawl-delay of its robots.txt.
	Spacing time.Duration
	// Kind tells from its address alone what a request asks for, so that a
	// redirect is counted as what it leads to. It is a label value, and what
	// the budget goes by.
	Kind func(*url.URL) string
	// Uncached names the kinds of which no answer is kept. May be nil.
	Uncached func(kind string) bool
	// Now is the clock, as time.Now.
	Now func() time.Time
	// Take counts a request against the budget, just before it leaves. False
	// means that none is left.
	Take func(ctx context.Context, kind string) (bool, error)
	// Observer is told what happens.
	Observer Observer
}

// An Observer is told what a Transport does, for metrics and log. Its methods
// must not block, for they are called while the next request waits.
type Observer interface {
	// Request is told of each request once its answer was read or has failed:
	// the class of the answer, one of RequestCodes, and the time to its header.
	Request(kind, code string, took time.Duration)
	// Bytes is told of the bytes of answers, as decoded, as they are read.
	Bytes(kind string, n int)
	// Throttled is told how long a request waited for its turn.
	Throttled(wait time.Duration)
	// ClockDifference is told of the host's clock minus ours.
	ClockDifference(d time.Duration)
	// RobotsRules is told whether the host has a robots.txt with rules,
	// whenever it has answered.
	RobotsRules(rules bool)
	// CrawlDelay is told of a pause that robots.txt asks for, and of the one
	// that is kept: a host that asks for more than a minute wants no crawler,
	// and a person should leave it in peace.
	CrawlDelay(asked, kept time.Duration)
}

// A Transport makes the requests of one crawl, politely.
type Transport struct {
	opts   Options
	origin *url.URL
	host   *Host
	pace   *pace // what this transport asks of the host's pace
	robots robots
	cache  cache

	mu    sync.Mutex
	clock time.Duration
}

// New returns a transport. A full spacing passes before its first request, so
// that a process that is restarted again and again asks no faster than one
// that runs. It lives as long as its Host does.
func New(opts Options) (*Transport, error) {
	u, err := url.Parse(opts.Origin)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%q is not a scheme and a host such as https://www.jobs.nhs.uk", opts.Origin)
	}
	if opts.Host == nil {
		opts.Host = newHost()
	}
	p := &pace{spacing: opts.Spacing}
	if !IsLoopback(u.Hostname()) {
		p.spacing = max(p.spacing, minSpacing)
	}
	opts.Host.join(p, opts.Now())
	return &Transport{opts: opts, origin: &url.URL{Scheme: u.Scheme, Host: u.Host}, host: opts.Host, pace: p,
		robots: robots{asking: make(chan struct{}, 1)}}, nil
}

// SetGate keeps all requests to the host back until then; the zero time opens
// the gate. Each transport of a host has its own, and each holds for all: what
// the host asked one of them to do they all do.
func (t *Transport) SetGate(until time.Time) { t.host.change(func() { t.pace.gate = until }) }

// Gated is the time that SetGate last gave.
func (t *Transport) Gated() (until time.Time) {
	t.host.change(func() { until = t.pace.gate })
	return until
}

// Forget drops the kept answer of an address. One that could not be read must
// not be served again by "not modified" for as long as the page stays the same.
func (t *Transport) Forget(address string) { t.cache.forget(address) }

// ClockDifference is the host's clock minus ours, as its last answer showed it
// to a second or so; 0 before the first. What is concluded from the time of day
// alone should wait while they disagree.
func (t *Transport) ClockDifference() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.clock
}

// RoundTrip implements http.RoundTripper. An answer of 400 or above is a
// *StatusError. A request that would have to wait for long fails at once with
// a *GateError.
//
// A host has one request at a time: the next one waits until the body of this
// answer is closed, or its time is over.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != t.origin.Host || req.URL.Scheme != t.origin.Scheme {
		return nil, ErrHost
	}
	if req.URL.Path == robotsPath {
		// colly asks for it with every new collector, and without a context.
		return t.robots.response(req), nil
	}
	if err := t.loadRobots(req.Context()); err != nil {
		return nil, err
	}
	if !t.robots.allows(t.opts.UserAgent, req.URL) {
		return nil, ErrRobots
	}
	kind := t.opts.Kind(req.URL)
	if t.opts.Uncached != nil && t.opts.Uncached(kind) {
		return t.ask(req, kind)
	}
	req = t.cache.condition(req)
	res, err := t.ask(req, kind)
	if err != nil {
		return nil, err
	}
	return t.cache.keep(req, res), nil
}

// ask makes one request, in its turn.
func (t *Transport) ask(req *http.Request, kind string) (*http.Response, error) {
	waited, err := t.host.enter(req.Context(), t.opts.Now)
	if waited > 0 {
		t.opts.Observer.Throttled(waited)
	}
	if err != nil {
		return nil, err
	}
	leave := sync.OnceFunc(t.host.leave)
	ok, err := t.opts.Take(req.Context(), kind)
	if err != nil {
		leave()
		return nil, fmt.Errorf("%w: %w", ErrCount, err)
	}
	if !ok {
		leave()
		return nil, ErrBudget
	}
	started := t.opts.Now()
	t.host.asked(started)
	ctx, cancel := context.WithTimeout(req.Context(), attemptTime)
	// A body that nobody closes does not keep the host's turn for ever.
	stop := context.AfterFunc(ctx, leave)
	end := func() { stop(); cancel(); leave() }
	res, err := t.opts.Base.RoundTrip(req.Clone(ctx))
	took := t.opts.Now().Sub(started)
	if err != nil {
		if ctx.Err() != nil && req.Context().Err() == nil {
			err = ErrTimeout
		}
		end()
		t.opts.Observer.Request(kind, codeOf(0, err), took)
		return nil, err
	}
	t.noteClock(res.Header)
	count := func(err error) { t.opts.Observer.Request(kind, codeOf(res.StatusCode, err), took) }
	if res.StatusCode >= 400 {
		res.Body.Close()
		end()
		count(nil)
		return nil, &StatusError{Code: res.StatusCode, RetryAfter: retryAfter(res.Header, t.opts.Now())}
	}
	res.Body = &boundedBody{ReadCloser: res.Body, left: maxBody, end: end, attempt: ctx, caller: req.Context(),
		count: func(n int) { t.opts.Observer.Bytes(kind, n) }, closed: count}
	return res, nil
}

// noteClock notes how the host's clock and ours differ.
func (t *Transport) noteClock(h http.Header) {
	d, ok := clockDifference(h, t.opts.Now())
	if !ok {
		return
	}
	t.mu.Lock()
	t.clock = d
	t.mu.Unlock()
	t.opts.Observer.ClockDifference(d)
}
