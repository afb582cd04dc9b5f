package crawler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/temoto/robotstxt"
)

// robotsEvery is how long an answer to robots.txt holds.
const robotsEvery = 24 * time.Hour

// robots is what the site's robots.txt says. NHS Jobs has none: it answers
// with an HTML notice and 200, which is no rule. That is not consent; the
// budget and the spacing hold all the same.
type robots struct {
	mu      sync.Mutex
	fetched time.Time
	group   *robotstxt.RobotsData // nil: no rules
	body    []byte
}

// loadRobots asks for robots.txt where the last answer is too old. As long as
// it cannot be had because the site is failing, everything is forbidden.
func (p *Polite) loadRobots(ctx context.Context) error {
	p.robots.mu.Lock()
	defer p.robots.mu.Unlock()
	if !p.robots.fetched.IsZero() && p.now().Sub(p.robots.fetched) < robotsEvery {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.source.Base+"/robots.txt", nil)
	if err != nil {
		return fmt.Errorf("ask for robots.txt: %w", err)
	}
	req.Header.Set("User-Agent", p.source.UserAgent)
	res, err := p.ask(req, KindRobots)
	var status *StatusError
	switch {
	case errors.As(err, &status) && status.Code < 500 && status.Code != http.StatusTooManyRequests:
		// No such file: no rules.
		p.robots.fetched, p.robots.group, p.robots.body = p.now(), nil, nil
		p.metrics.robotsRules(p.source.Name, false)
		return nil
	case err != nil:
		return fmt.Errorf("ask for robots.txt: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 512<<10))
	if err != nil {
		return fmt.Errorf("read robots.txt: %w", err)
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind != "" && kind != "text/plain" || looksHTML(body) || res.StatusCode != http.StatusOK {
		p.robots.fetched, p.robots.group, p.robots.body = p.now(), nil, nil
		p.metrics.robotsRules(p.source.Name, false)
		return nil
	}
	data, err := robotstxt.FromBytes(body)
	if err != nil {
		return fmt.Errorf("read robots.txt: %w", err)
	}
	// Only now: rules that cannot be read are no permission, neither for this
	// request nor for the next.
	p.robots.fetched, p.robots.group, p.robots.body = p.now(), data, body
	p.metrics.robotsRules(p.source.Name, true)
	return nil
}

func looksHTML(b []byte) bool {
	b = bytes.TrimSpace(b)
	return len(b) > 0 && b[0] == '<'
}

func (r *robots) allows(agent string, u *url.URL) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.group == nil || r.group.TestAgent(u.RequestURI(), agent)
}

// response answers a request for robots.txt from memory.
func (r *robots) response(req *http.Request) *http.Response {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Request: req,
		Body: io.NopCloser(bytes.NewReader(r.body)), ContentLength: int64(len(r.body)),
	}
}
