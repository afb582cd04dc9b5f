package simulator

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Kinds of requests.
const (
	kindXML     = "xml"
	kindListing = "listing"
	kindAdvert  = "advert"
	kindRobots  = "robots"
	kindLocale  = "locale"
	kindLogin   = "login"
	kindUnknown = "unknown"
)

// A Request is one line of the site's log.
type Request struct {
	Time    time.Time `json:"time"`    // by the site's clock
	Manners time.Time `json:"manners"` // by the clock of manners
	Method  string    `json:"method"`
	URL     string    `json:"url"` // path and query
	Kind    string    `json:"kind"`
	Status  int       `json:"status"`
	Bytes   int       `json:"bytes"`
	Fault   string    `json:"fault,omitempty"` // what went wrong, joined with commas
}

// laws remembers what the client has been told and what it broke.
type laws struct {
	broken     []string
	more       int // broken laws beyond those kept
	last       time.Time
	gate       time.Time // no request before, said a Retry-After
	stopped    bool      // a 403 from the API: no request any more
	noHTML     bool      // a 403 from the pages: none of them any more
	disallowed bool      // robots.txt was served, and forbids
	running    []context.Context
}

// maxBroken bounds what a client gone wild makes us remember.
const maxBroken = 1000

func (l *laws) broke(r *http.Request, now time.Time, format string, a ...any) {
	if len(l.broken) == maxBroken {
		l.more++
		return
	}
	l.broken = append(l.broken, fmt.Sprintf("%s %s %s: %s", now.UTC().Format(time.RFC3339), r.Method, r.URL.RequestURI(), fmt.Sprintf(format, a...)))
}

// judge holds one request against the laws, at its beginning.
func (s *Site) judge(r *http.Request, kind string, now time.Time) {
	l := &s.laws
	l.running = slices.DeleteFunc(l.running, func(c context.Context) bool { return c.Err() != nil })
	if len(l.running) > 0 {
		l.broke(r, now, "a second request while another is being answered")
	}
	if gap := now.Sub(l.last); s.opts.MinGap > 0 && !l.last.IsZero() && gap < s.opts.MinGap {
		l.broke(r, now, "only %v after the last request, not %v", gap, s.opts.MinGap)
	}
	l.last = now
	if now.Before(l.gate) {
		l.broke(r, now, "%v before the time that Retry-After gave", l.gate.Sub(now))
	}
	switch {
	case kind == kindRobots: // Always allowed.
	case l.stopped:
		l.broke(r, now, "after a 403 from the API")
	case l.noHTML && kind != kindXML:
		l.broke(r, now, "after a 403 from the pages")
	case l.disallowed:
		l.broke(r, now, "robots.txt forbids it")
	}
	if host := hostname(r.Host); !s.hosts[host] {
		l.broke(r, now, "the host %s is not NHS Jobs", host)
	}
	if kind == kindUnknown {
		l.broke(r, now, "nobody links to this path")
	}
	if asksInternal(r.URL.Query()) {
		l.broke(r, now, "internalOnly asks for internal adverts")
	}
}

// remember takes in what an answer tells the client.
func (s *Site) remember(kind string, a *answer, now time.Time) {
	l := &s.laws
	if a.retryAfter > 0 {
		l.gate = now.Add(a.retryAfter)
	}
	if a.status == http.StatusForbidden {
		l.stopped = l.stopped || kind == kindXML
		l.noHTML = l.noHTML || kind != kindXML
	}
	if kind == kindRobots {
		l.disallowed = a.forbids
	}
}

func asksInternal(q url.Values) bool {
	_, ok := q["internalOnly"]
	return ok
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

// Broken returns the laws that the client broke, in order: a second request at
// once, requests too close, an unknown host or path, internalOnly, a request
// before Retry-After, after a 403, or against robots.txt.
func (s *Site) Broken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.laws.broken)
	if s.laws.more > 0 {
		out = append(out, fmt.Sprintf("and %d more", s.laws.more))
	}
	return out
}

// Resume forgets Retry-After and 403: a person has settled it with the site.
func (s *Site) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.laws.gate, s.laws.stopped, s.laws.noHTML = time.Time{}, false, false
}

// Requests returns the log of all requests.
func (s *Site) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}
