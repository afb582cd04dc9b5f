package simulator

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/markup"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

const htmlType = "text/html; charset=utf-8"

// ServeHTTP implements http.Handler.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel() // From here on the request is not being answered any more.
	a := s.handle(ctx, r)
	if r.Method == http.MethodHead {
		a.body = nil
	}
	s.deliver(ctx, cancel, w, a)
}

// handle brings the state up to date, judges the request and makes the answer.
func (s *Site) handle(ctx context.Context, r *http.Request) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.opts.Now())
	now := s.opts.Manners()
	kind := kindOf(r.URL.Path)
	s.judge(r, kind, now)
	faults := s.strike(kind)
	a := s.replacement(r, kind, faults, now)
	if a == nil {
		a = s.answer(r, kind, faults)
	}
	s.wire(a, faults, now)
	s.remember(kind, a, now)
	s.laws.running = append(s.laws.running, ctx)
	s.log = append(s.log, Request{Time: s.now, Manners: now, Method: r.Method, URL: r.URL.RequestURI(), Kind: kind,
		Status: a.status, Bytes: len(a.body), Fault: a.fault})
	return a
}

func kindOf(path string) string {
	switch {
	case path == "/robots.txt":
		return kindRobots
	case path == "/api/v1/search_xml":
		return kindXML
	case path == "/candidate/search/results":
		return kindListing
	case strings.HasPrefix(path, "/candidate/jobadvert/") && len(path) > len("/candidate/jobadvert/"):
		return kindAdvert
	case path == "/candidate/search/locale/cy", path == "/candidate/search/locale/en":
		return kindLocale
	case path == "/candidate/auth/login":
		return kindLogin
	}
	return kindUnknown
}

// token is the _csrf of the next page: another each time, yet the same for the
// same requests.
func (s *Site) token() string {
	d := world.NewDice(s.opts.Seed, world.Hash("csrf"), uint64(len(s.log)))
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	b := make([]byte, 36)
	for i := range b {
		b[i] = letters[d.Intn(len(letters))]
	}
	b[8] = '-'
	return string(b)
}

// replacement is the answer of a fault that stands in for the page, or nil.
func (s *Site) replacement(r *http.Request, kind string, faults []*Fault, now time.Time) *answer {
	for _, f := range faults {
		if status := f.status(); status != 0 {
			a := page(status, markup.Refused(fmt.Sprintf("%d %s", status, http.StatusText(status))))
			if wait, _ := f.retryAfter(); f.Args["retry-after"] != "" {
				said := strconv.Itoa(int(wait.Seconds()))
				if strings.HasPrefix(f.Args["retry-after"], "date:") {
					// A date has whole seconds: the wait ends with the next.
					until := now.Add(wait + time.Second - 1).Truncate(time.Second)
					wait, said = until.Sub(now), until.UTC().Format(http.TimeFormat)
				}
				a.retryAfter = wait
				a.header = http.Header{"Retry-After": {said}}
			}
			return a
		}
		switch f.Kind {
		case "html", "soft404":
			return s.retired()
		case "login":
			return redirect("/candidate/auth/login?returnTo=%2Fcandidate%2Fsearch")
		case "elsewhere":
			return redirect("https://maintenance.example/")
		case "loop":
			return redirect(r.URL.RequestURI())
		case "forbid":
			if kind == kindRobots {
				return &answer{status: 200, contentType: "text/plain; charset=utf-8", body: []byte("User-agent: *\nDisallow: /\n"), forbids: true}
			}
		case "silent":
			switch kind {
			case kindXML:
				feed := markup.Feed{Silent: true, Drift: drift(faults)}
				return &answer{status: 200, contentType: xmlType, body: feed.XML()}
			case kindListing:
				results := markup.Results{Token: s.token(), Drift: drift(faults)}
				return page(200, results.Silent())
			}
		}
	}
	return nil
}

// wire notes what the faults do on the way, and which they were.
func (s *Site) wire(a *answer, faults []*Fault, now time.Time) {
	if a.header == nil {
		a.header = http.Header{}
	}
	var names []string
	for _, f := range faults {
		names = append(names, f.String())
		switch f.Kind {
		case "slow":
			a.slow = f.length()
		case "drip":
			a.drip = f.length()
		case "cut", "cut-unsized", "truncated", "refused":
			a.cut = f.Kind
		case "huge":
			a.body = append(a.body[:len(a.body):len(a.body)], bytes.Repeat([]byte{' '}, f.number()<<20)...)
		case "skew":
			now = now.Add(f.length())
		}
	}
	a.header.Set("Date", now.UTC().Format(http.TimeFormat))
	a.fault = strings.Join(names, ",")
}

func (s *Site) answer(r *http.Request, kind string, faults []*Fault) *answer {
	switch kind {
	case kindXML:
		return s.xml(r, faults)
	case kindListing:
		return s.listing(r, faults)
	case kindAdvert:
		return s.advert(strings.TrimPrefix(r.URL.Path, "/candidate/jobadvert/"), faults)
	case kindLocale:
		return redirect("/candidate/search")
	case kindLogin:
		return page(200, markup.Login(s.token()))
	}
	if r.URL.Path == "/api/v1/search" {
		return jsonError(http.StatusForbidden, "Forbidden")
	}
	return s.retired()
}

func page(status int, body []byte) *answer {
	return &answer{status: status, contentType: htmlType, body: body}
}

func (s *Site) retired() *answer { return page(200, markup.Retired(s.token())) }

func redirect(to string) *answer {
	a := page(http.StatusFound, markup.Refused("302 Found"))
	a.header = http.Header{"Location": {to}}
	return a
}

func jsonError(status int, message string) *answer {
	return &answer{status: status, contentType: "application/json", body: markup.JSONError(status, message)}
}

// params returns the parameters of an address in their order.
func params(rawQuery string) []markup.Param {
	var out []markup.Param
	for part := range strings.SplitSeq(rawQuery, "&") {
		name, value, _ := strings.Cut(part, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 == nil && err2 == nil && n != "" {
			out = append(out, markup.Param{Name: n, Value: v})
		}
	}
	return out
}
