package polite

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

const (
	robotsPath = "/robots.txt"
	// robotsEvery is how long an answer to robots.txt holds.
	robotsEvery = 24 * time.Hour
	// robotsHops bounds the redirects of robots.txt, all on its host: the
	// number of RFC 9309.
	robotsHops = 5
	// maxDelay is the longest Crawl-delay that is kept. At more than a minute
	// a site of some thousand pages cannot be read in a day.
	maxDelay = time.Minute
)

// robots is what a host's robots.txt says.
//
//	text of status 200                  its rules, and its Crawl-delay
//	text that cannot be read as rules   everything is forbidden
//	HTML of status 200                  no rules
//	any other 2xx, any other 4xx        no rules
//	a redirect on the host              as what it leads to
//	a redirect elsewhere, or the sixth  no rules
//	408, 429, 5xx, no or half an answer everything is forbidden, and the next
//	                                    request asks again
//
// No rules are not consent: budget and spacing hold all the same.
type robots struct {
	asking  chan struct{} // holds whoever asks for it; the others wait
	mu      sync.Mutex
	fetched time.Time
	rules   *robotstxt.RobotsData // nil: none
	body    []byte
}

// loadRobots asks for robots.txt where the last answer is too old. As long as
// it cannot be had because the host is failing, everything is forbidden.
func (t *Transport) loadRobots(ctx context.Context) error {
	select {
	case t.robots.asking <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-t.robots.asking }()
	if t.robots.holds(t.opts.Now()) {
		return nil
	}
	body, err := t.askRobots(ctx)
	if err != nil {
		return err
	}
	var rules *robotstxt.RobotsData
	if body != nil {
		// What cannot be read is no permission, neither for this request nor
		// for the next.
		if rules, err = robotstxt.FromBytes(body); err != nil {
			return fmt.Errorf("read robots.txt: %w", err)
		}
	}
	t.robots.set(rules, body, t.opts.Now())
	t.opts.Observer.RobotsRules(rules != nil)
	t.heedDelay(rules)
	return nil
}

// askRobots returns the text of robots.txt, nil where there is none. Only an
// answer that says either is no error.
func (t *Transport) askRobots(ctx context.Context) ([]byte, error) {
	at := &url.URL{Scheme: t.origin.Scheme, Host: t.origin.Host, Path: robotsPath}
	kind := t.opts.Kind(at)
	for hop := 0; ; hop++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
		if err != nil {
			return nil, fmt.Errorf("ask for robots.txt: %w", err)
		}
		req.Header.Set("User-Agent", t.opts.UserAgent)
		res, err := t.ask(req, kind)
		var status *StatusError
		switch {
		case errors.As(err, &status) && missing(status.Code):
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("ask for robots.txt: %w", err)
		}
		next := redirect(at, res)
		if next == nil || hop == robotsHops || next.Host != t.origin.Host || next.Scheme != t.origin.Scheme {
			return robotsText(res)
		}
		res.Body.Close()
		at = next
	}
}

// missing reports whether a status says that there is no robots.txt, and not
// that it cannot be had now.
func missing(status int) bool {
	return status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests
}

// redirect is where an answer leads, nil if it is none that leads anywhere.
func redirect(from *url.URL, res *http.Response) *url.URL {
	switch res.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	said := res.Header.Get("Location")
	if said == "" {
		return nil
	}
	to, err := from.Parse(said)
	if err != nil {
		return nil
	}
	return to
}

// robotsText returns the text of an answer, nil where it is no text.
func robotsText(res *http.Response) ([]byte, error) {
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 512<<10))
	if err != nil {
		return nil, fmt.Errorf("read robots.txt: %w", err)
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind != "" && kind != "text/plain" || looksHTML(body) {
		return nil, nil
	}
	return body, nil
}

func looksHTML(b []byte) bool {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff")))
	return len(b) > 0 && b[0] == '<'
}

// heedDelay keeps the pause that the rules ask of us for, up to maxDelay.
func (t *Transport) heedDelay(rules *robotstxt.RobotsData) {
	var asked, kept time.Duration
	if rules != nil {
		asked = rules.FindGroup(t.opts.UserAgent).CrawlDelay
	}
	if asked < 0 {
		asked = 1<<63 - 1 // more seconds than a Duration holds
	}
	kept = min(asked, maxDelay)
	t.host.change(func() { t.pace.delay = kept })
	if asked > 0 {
		t.opts.Observer.CrawlDelay(asked, kept)
	}
}

// holds reports whether the last answer is good still.
func (r *robots) holds(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.fetched.IsZero() && now.Sub(r.fetched) < robotsEvery
}

func (r *robots) set(rules *robotstxt.RobotsData, body []byte, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fetched, r.rules, r.body = now, rules, body
}

func (r *robots) allows(agent string, u *url.URL) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rules == nil || r.rules.TestAgent(u.RequestURI(), agent)
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
