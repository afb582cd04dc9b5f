package polite

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// minSpacing is the least spacing for a host that is not this machine. It
	// stands in the code so that no configuration can go below it.
	minSpacing = time.Second
	// longWait is how long a request may wait for its turn. Beyond it the
	// transport fails at once and its caller waits instead. A spacing that is
	// longer than that is waited for all the same.
	longWait = 30 * time.Second
)

// A GateError means that nothing may be asked before Until.
type GateError struct{ Until time.Time }

func (e *GateError) Error() string {
	return "no request before " + e.Until.UTC().Format(time.RFC3339)
}

// Hosts are the hosts that a process asks, each with its one pace. The zero
// value is ready for use.
type Hosts struct {
	mu    sync.Mutex
	hosts map[string]*Host
}

// Of returns the host of an origin, the same one each time. A public host is
// one machine to us, whatever the scheme and the port; on this machine each
// port is a host of its own.
func (h *Hosts) Of(origin string) *Host {
	name := origin
	if u, err := url.Parse(origin); err == nil && u.Host != "" {
		if name = strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")); IsLoopback(name) {
			name = strings.ToLower(u.Host)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hosts == nil {
		h.hosts = map[string]*Host{}
	}
	if h.hosts[name] == nil {
		h.hosts[name] = newHost()
	}
	return h.hosts[name]
}

// A Host is the pace at which one host is asked by all transports that share
// it: one request at a time, spaced as the most careful of them asks, and none
// while the gate of any is shut.
type Host struct {
	turn chan struct{} // holds the request whose turn it is

	mu    sync.Mutex
	last  time.Time // when a request last left
	paces []*pace
}

// pace is what one transport asks of the pace of its host.
type pace struct {
	spacing time.Duration // as configured
	delay   time.Duration // as robots.txt asks for it
	gate    time.Time
}

func newHost() *Host { return &Host{turn: make(chan struct{}, 1)} }

// join adds a transport, whose first request comes a full spacing after now.
func (h *Host) join(p *pace, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paces = append(h.paces, p)
	if now.After(h.last) {
		h.last = now
	}
}

// change changes or reads a pace of the host.
func (h *Host) change(do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	do()
}

// wait is how long the next request has to wait from now on, or the error
// where that is too long.
func (h *Host) wait(now time.Time) (time.Duration, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var spacing time.Duration
	var at time.Time
	for _, p := range h.paces {
		spacing = max(spacing, p.spacing, p.delay)
		if p.gate.After(at) {
			at = p.gate
		}
	}
	if slot := h.last.Add(spacing); slot.After(at) {
		at = slot
	}
	wait := at.Sub(now)
	if wait > max(longWait, spacing) {
		return 0, &GateError{Until: at}
	}
	return wait, nil
}

// enter waits for the turn of a request. Whoever gets nil has the host to
// itself and calls leave in the end.
func (h *Host) enter(ctx context.Context, now func() time.Time) (waited time.Duration, err error) {
	// Before the turn as well: behind a shut gate nobody queues.
	if _, err := h.wait(now()); err != nil {
		return 0, err
	}
	began := now()
	select {
	case h.turn <- struct{}{}:
	default:
		select {
		case h.turn <- struct{}{}:
			waited = now().Sub(began)
		case <-ctx.Done():
			return now().Sub(began), ctx.Err()
		}
	}
	for {
		// Afresh each time: a gate may have been shut meanwhile.
		wait, err := h.wait(now())
		if err == nil && wait <= 0 {
			err = ctx.Err()
		}
		if err != nil {
			h.leave()
			return waited, err
		}
		if wait <= 0 {
			h.asked(now())
			return waited, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			h.leave()
			return now().Sub(began), ctx.Err()
		case <-timer.C:
			waited = now().Sub(began)
		}
	}
}

// asked notes that a request leaves. Counting it may have taken a while since
// its slot: the next one keeps its distance from the request itself.
func (h *Host) asked(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.After(h.last) {
		h.last = now
	}
}

// leave gives the turn to the next request.
func (h *Host) leave() { <-h.turn }

// IsLoopback reports whether a host is this machine.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// NewBase returns what makes the requests under the transports of a process:
// one connection a host.
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
