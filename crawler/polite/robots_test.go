package polite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What each answer to robots.txt allows, and what is said of it.
func TestRobots(t *testing.T) {
	const ours, theirs = "User-agent: vacancywatch\n", "User-agent: *\n"
	half := func(req *http.Request) *http.Response {
		if req.URL.Path != robotsPath {
			return nil
		}
		res := reply(200, "text/plain", "")
		res.Body = io.NopCloser(io.MultiReader(strings.NewReader(theirs), broken{}))
		return res
	}
	never := func(req *http.Request) *http.Response {
		if req.URL.Path != robotsPath {
			return nil
		}
		<-req.Context().Done()
		return refused()
	}
	for _, test := range []struct {
		name   string
		answer func(*http.Request) *http.Response
		want   string // what comes of /list: a page, forbidden, or failed
		rules  []bool // what the observer is told
	}{
		{"rules", robotsTxt(200, "text/plain", theirs+"Disallow: /list\n"), "forbidden", []bool{true}},
		{"rules without a type", robotsTxt(200, "", theirs+"Disallow: /list\n"), "forbidden", []bool{true}},
		{"rules of an odd type", robotsTxt(200, "text/plain; charset=", theirs+"Disallow: /list\n"), "forbidden", []bool{true}},
		{"of elsewhere", robotsTxt(200, "text/plain", theirs+"Disallow: /once\n"), "a page", []bool{true}},
		{"for us", robotsTxt(200, "text/plain", ours+"Disallow: /\n"), "forbidden", []bool{true}},
		{"for us, and others", robotsTxt(200, "text/plain", theirs+"Disallow: /\n\n"+ours+"Disallow: /once\n"), "a page", []bool{true}},
		{"for others", robotsTxt(200, "text/plain", "User-agent: other\nDisallow: /\n"), "a page", []bool{true}},
		{"by query", robotsTxt(200, "text/plain", theirs+"Disallow: /*page=\n"), "forbidden", []bool{true}},
		{"empty", robotsTxt(200, "text/plain", ""), "a page", []bool{true}},
		{"HTML", robotsTxt(200, "text/html; charset=utf-8", "<!DOCTYPE html>"), "a page", []bool{false}},
		{"HTML by its type alone", robotsTxt(200, "text/html", theirs+"Disallow: /list\n"), "a page", []bool{false}},
		{"HTML by its look alone", robotsTxt(200, "text/plain", "\n <html>"), "a page", []bool{false}},
		{"HTML behind a byte order mark", robotsTxt(200, "text/plain", "\ufeff<html>"), "a page", []bool{false}},
		{"nothing", robotsTxt(204, "text/plain", theirs+"Disallow: /\n"), "a page", []bool{false}},
		{"not found", robotsTxt(404, "text/plain", theirs+"Disallow: /\n"), "a page", []bool{false}},
		{"gone", robotsTxt(410, "", ""), "a page", []bool{false}},
		{"forbidden", robotsTxt(403, "", ""), "a page", []bool{false}},
		{"unauthorised", robotsTxt(401, "", ""), "a page", []bool{false}},
		{"timed out there", robotsTxt(408, "", ""), "failed", nil},
		{"too many requests", robotsTxt(429, "", ""), "failed", nil},
		{"an error", robotsTxt(500, "text/html", "<html>"), "failed", nil},
		{"out of service", robotsTxt(503, "text/plain", theirs+"Allow: /\n"), "failed", nil},
		{"rules without an agent", robotsTxt(200, "text/plain", "Disallow: /once\n"), "failed", nil},
		{"a delay that is none", robotsTxt(200, "text/plain", theirs+"Crawl-delay: soon\n"), "failed", nil},
		{"half an answer", half, "failed", nil},
		{"no answer", never, "failed", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t, 2*time.Second)
				w.answer = test.answer
				p, seen := polite(t, w, nil)
				for range 2 { // the second time as the first
					_, err := get(t.Context(), p, "/list?page=1")
					got := "failed"
					switch {
					case err == nil:
						got = "a page"
					case errors.Is(err, ErrRobots):
						got = "forbidden"
					}
					if got != test.want {
						t.Errorf("%s (%v), want %s", got, err, test.want)
					}
				}
				if diff := cmp.Diff(test.rules, seen.rules); diff != "" {
					t.Errorf("observed (-want +got)\n%s", diff)
				}
				asked := 0
				for _, s := range w.sent {
					if s.path == robotsPath {
						asked++
						if s.header.Get("User-Agent") != p.opts.UserAgent {
							t.Errorf("asked in the name of %q", s.header.Get("User-Agent"))
						}
					}
				}
				if want := 1; test.want != "failed" && asked != want || test.want == "failed" && (asked != 2 || len(w.sent) != 2) {
					t.Errorf("asked for %v", w.paths())
				}
			})
		})
	}
}

// As long as robots.txt cannot be had everything is forbidden; then it is what
// it says. It is asked for once a day, and rules that appear are heeded.
func TestRobotsChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, 2*time.Second)
		p, seen := polite(t, w, nil)
		for _, step := range []struct {
			after  time.Duration
			answer func(*http.Request) *http.Response
			want   error // nil: a page
			failed bool
			asked  bool // for robots.txt
		}{
			{0, robotsTxt(500, "", ""), nil, true, true},
			{time.Minute, robotsTxt(200, "text/html", "<html>"), nil, false, true},
			{23 * time.Hour, robotsTxt(500, "", ""), nil, false, false},
			{time.Hour, robotsTxt(500, "", ""), nil, true, true},
			{time.Minute, robotsTxt(200, "text/plain", "User-agent: *\nDisallow: /\n"), ErrRobots, false, true},
			{time.Minute, robotsTxt(404, "", ""), ErrRobots, false, false},
			{24 * time.Hour, robotsTxt(503, "", ""), nil, true, true},
			{time.Minute, robotsTxt(404, "", ""), nil, false, true},
		} {
			time.Sleep(step.after)
			w.answer = step.answer
			before := len(w.paths())
			_, err := get(t.Context(), p, "/list")
			switch {
			case step.failed:
				if err == nil || errors.Is(err, ErrRobots) {
					t.Errorf("%v, want a failure", err)
				}
			case !errors.Is(err, step.want):
				t.Errorf("%v, want %v", err, step.want)
			}
			asked := false
			for _, path := range w.paths()[before:] {
				asked = asked || path == robotsPath
			}
			if asked != step.asked {
				t.Errorf("asked for %v", w.paths()[before:])
			}
		}
		if diff := cmp.Diff([]bool{false, true, false}, seen.rules); diff != "" {
			t.Errorf("observed (-want +got)\n%s", diff)
		}
	})
}

// Requests that come while robots.txt is asked for wait for its answer, each no
// longer than it likes, and it is asked for once.
func TestRobotsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, 2*time.Second)
		w.answer = func(req *http.Request) *http.Response {
			if req.URL.Path != robotsPath {
				return nil
			}
			time.Sleep(10 * time.Second)
			return reply(404, "", "")
		}
		p, _ := polite(t, w, nil)
		go func() {
			if _, err := get(t.Context(), p, "/first"); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := get(ctx, p, "/second"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the context's own", err)
		}
		if _, err := get(t.Context(), p, "/third"); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{robotsPath, "/first", "/third"}, w.paths()); diff != "" {
			t.Errorf("asked for (-want +got)\n%s", diff)
		}
	})
}

// Whoever asks for robots.txt through the transport gets what is known of it.
func TestRobotsFromMemory(t *testing.T) {
	const text = "User-agent: *\nDisallow: /other\n"
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, 2*time.Second)
		w.answer = robotsTxt(200, "text/plain", text)
		p, _ := polite(t, w, nil)
		for _, want := range []string{"", text} {
			if got, err := get(t.Context(), p, robotsPath); got != want || err != nil {
				t.Errorf("%q, %v, want %q", got, err, want)
			}
			if _, err := get(t.Context(), p, "/list"); err != nil {
				t.Error(err)
			}
		}
		if diff := cmp.Diff([]string{robotsPath, "/list", "/list"}, w.paths()); diff != "" {
			t.Errorf("asked for (-want +got)\n%s", diff)
		}
	})
}

// Redirects of robots.txt are followed on its host, each in its turn.
func TestRobotsRedirect(t *testing.T) {
	const rules = "User-agent: *\nDisallow: /list\n"
	long := map[string]string{robotsPath: "/1", "/1": "/2", "/2": "/3", "/3": "/4", "/4": "/5"}
	longer := map[string]string{robotsPath: "/1", "/1": "/2", "/2": "/3", "/3": "/4", "/4": "/5", "/5": "/6"}
	for _, test := range []struct {
		name  string
		hops  map[string]string
		code  int
		want  error
		asked int
	}{
		{"one", map[string]string{robotsPath: "/1"}, 301, ErrRobots, 2},
		{"whole address", map[string]string{robotsPath: site + "/1"}, 302, ErrRobots, 2},
		{"five", long, 308, ErrRobots, 6},
		{"six", longer, 307, nil, 6},
		{"in a circle", map[string]string{robotsPath: "/1", "/1": robotsPath}, 302, nil, 6},
		{"to another host", map[string]string{robotsPath: "https://elsewhere.example/robots.txt"}, 302, nil, 1},
		{"to another host, without a scheme", map[string]string{robotsPath: "//elsewhere.example/robots.txt"}, 302, nil, 1},
		{"to plain http", map[string]string{robotsPath: "http://site.example/robots.txt"}, 302, nil, 1},
		{"to nowhere", map[string]string{robotsPath: ""}, 302, nil, 1},
		{"to no address", map[string]string{robotsPath: "https://%zz/"}, 302, nil, 1},
		{"that is none", map[string]string{robotsPath: "/1"}, 300, nil, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t, 2*time.Second)
				w.answer = func(req *http.Request) *http.Response {
					if req.URL.Path == "/list" {
						return nil
					}
					if to, ok := test.hops[req.URL.Path]; ok {
						return reply(test.code, "text/plain", rules, "Location", to)
					}
					return reply(200, "text/plain", rules)
				}
				p, seen := polite(t, w, nil)
				if _, err := get(t.Context(), p, "/list"); !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
				asked := len(w.sent)
				if test.want == nil {
					asked-- // the page
				}
				counted := seen.requests["robots redirect"] + seen.requests["robots ok"]
				if asked != test.asked || counted != test.asked {
					t.Errorf("%d requests, %d counted, want %d: %v", asked, counted, test.asked, w.paths())
				}
				if diff := cmp.Diff([]bool{test.want != nil}, seen.rules); diff != "" {
					t.Errorf("observed (-want +got)\n%s", diff)
				}
			})
		})
	}
}

// A redirect that leads to a failure is one: everything is forbidden.
func TestRobotsRedirectFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, 2*time.Second)
		w.answer = func(req *http.Request) *http.Response {
			switch req.URL.Path {
			case robotsPath:
				return reply(302, "", "", "Location", "/1")
			case "/1":
				return reply(500, "", "")
			}
			return nil
		}
		p, seen := polite(t, w, nil)
		var status *StatusError
		if _, err := get(t.Context(), p, "/list"); !errors.As(err, &status) || status.Code != 500 {
			t.Errorf("%v, want the 500", err)
		}
		if len(seen.rules) > 0 {
			t.Errorf("observed %v", seen.rules)
		}
	})
}

// The spacing is the larger of the configured one and the Crawl-delay of the
// rules that apply to us, up to a minute.
func TestCrawlDelay(t *testing.T) {
	const most = 1<<63 - 1
	for _, test := range []struct {
		name, text string
		want       time.Duration      // between two requests
		seen       [][2]time.Duration // asked, kept
	}{
		{"none", "User-agent: *\nDisallow: /once\n", 2 * time.Second, nil},
		{"of nought", "User-agent: *\nCrawl-delay: 0\n", 2 * time.Second, nil},
		{"shorter", "User-agent: *\nCrawl-delay: 0.5\n", 2 * time.Second, [][2]time.Duration{{500 * time.Millisecond, 500 * time.Millisecond}}},
		{"longer", "User-agent: *\nCrawl-delay: 10\n", 10 * time.Second, [][2]time.Duration{{10 * time.Second, 10 * time.Second}}},
		{"ours over that of all", "User-agent: *\nCrawl-delay: 20\n\nUser-agent: VacancyWatch\nCrawl-delay: 5.5\n", 5500 * time.Millisecond,
			[][2]time.Duration{{5500 * time.Millisecond, 5500 * time.Millisecond}}},
		{"of another", "User-agent: other\nCrawl-delay: 20\n", 2 * time.Second, nil},
		{"longer than other waits", "User-agent: *\nCrawl-delay: 45\n", 45 * time.Second, [][2]time.Duration{{45 * time.Second, 45 * time.Second}}},
		{"a minute", "User-agent: *\nCrawl-delay: 60\n", time.Minute, [][2]time.Duration{{time.Minute, time.Minute}}},
		{"more than a minute", "User-agent: *\nCrawl-delay: 61\n", time.Minute, [][2]time.Duration{{61 * time.Second, time.Minute}}},
		{"a day", "User-agent: *\nCrawl-delay: 86400\n", time.Minute, [][2]time.Duration{{24 * time.Hour, time.Minute}}},
		{"more than can be counted", "User-agent: *\nCrawl-delay: 1e300\n", time.Minute, [][2]time.Duration{{most, time.Minute}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t, test.want)
				w.answer = robotsTxt(200, "text/plain", test.text)
				p, seen := polite(t, w, nil)
				for range 3 { // from robots.txt itself on
					if _, err := get(t.Context(), p, "/list"); err != nil {
						t.Fatal(err)
					}
					if gap := w.gap(); gap != test.want {
						t.Errorf("%s between two requests, want %s", gap, test.want)
					}
				}
				if diff := cmp.Diff(test.seen, seen.delays); diff != "" {
					t.Errorf("observed (-want +got)\n%s", diff)
				}
			})
		})
	}
}

// A Crawl-delay goes when the rules go, and holds for all who ask the host.
func TestCrawlDelayShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hosts Hosts
		w := newWire(t, 2*time.Second)
		share := func(agent string) func(o *Options) {
			return func(o *Options) { o.Host, o.UserAgent = hosts.Of(o.Origin), agent }
		}
		a, _ := polite(t, w, share("first/1"))
		b, _ := polite(t, w, share("second/1"))
		gaps := func(want time.Duration) {
			t.Helper()
			for _, p := range []*Transport{a, b, a} {
				if _, err := get(t.Context(), p, "/list"); err != nil {
					t.Fatal(err)
				}
				if gap := w.gap(); gap != want {
					t.Errorf("%s between two requests, want %s", gap, want)
				}
			}
		}
		w.answer = robotsTxt(200, "text/plain", "User-agent: first\nCrawl-delay: 7\n")
		gaps(7 * time.Second)
		time.Sleep(robotsEvery)
		w.answer = robotsTxt(404, "", "")
		gaps(2 * time.Second)
	})
}

// whole is a transport that answers with one body.
type whole struct{ kind, body string }

func (w whole) RoundTrip(req *http.Request) (*http.Response, error) {
	return reply(200, w.kind, w.body), nil
}

// Whatever robots.txt holds: no panic, what cannot be read is no permission, at
// the first request or at the next, and no pause is longer than a minute.
func FuzzRobots(f *testing.F) {
	f.Add("text/plain", "User-agent: *\nDisallow: /\n")
	f.Add("text/plain", "Disallow: /api/\n")
	f.Add("text/html", "<html>")
	f.Add("", "User-agent: *\nCrawl-delay: x\nDisallow: /*$\n")
	f.Add("text/plain", "User-agent: *\nCrawl-delay: 1e300\n")
	f.Fuzz(func(t *testing.T, kind, body string) {
		if strings.ContainsAny(kind, "\r\n") {
			return // no header holds it
		}
		p, _ := polite(t, whole{kind, body}, func(o *Options) {
			o.Origin, o.Spacing = "http://localhost", 0
			o.Now = func() time.Time { return noon }
		})
		first := p.loadRobots(context.Background())
		delay := p.pace.delay
		if delay < 0 || delay > maxDelay {
			t.Errorf("%q: a pause of %s", body, delay)
		}
		p.pace.delay = 0 // the clock stands still
		second := p.loadRobots(context.Background())
		if fmt.Sprint(first) != fmt.Sprint(second) {
			t.Errorf("%q: first %v, then %v", body, first, second)
		}
		if first == nil {
			p.robots.allows(p.opts.UserAgent, &url.URL{Path: "/api/v1/search_xml", RawQuery: "page=1"})
		}
	})
}
