package crawler_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
)

func TestRobots(t *testing.T) {
	t.Parallel()
	text := func(body string) func(*http.Request) *http.Response {
		return func(req *http.Request) *http.Response {
			if req.URL.Path != "/robots.txt" {
				return nil
			}
			return response(200, "text/plain", body)
		}
	}
	status := func(code int) func(*http.Request) *http.Response {
		return func(req *http.Request) *http.Response {
			if req.URL.Path != "/robots.txt" {
				return nil
			}
			return response(code, "text/html", "<html>")
		}
	}
	for _, test := range []struct {
		name   string
		answer func(*http.Request) *http.Response
		xml    bool // listings are asked for
		advert bool
		state  crawler.State
	}{
		{"a notice in HTML, as on the site", nil, true, true, crawler.State{}},
		{"no such file", status(404), true, true, crawler.State{}},
		{"empty", text(""), true, true, crawler.State{}},
		{"rules for others", text("User-agent: other\nDisallow: /\n"), true, true, crawler.State{}},
		{"all forbidden", text("User-agent: *\nDisallow: /\n"), false, false, crawler.State{Stopped: crawler.StoppedRobots}},
		{"we are forbidden", text("User-agent: vacancywatch\nDisallow: /\n"), false, false, crawler.State{Stopped: crawler.StoppedRobots}},
		{"the API forbidden", text("User-agent: *\nDisallow: /api/\n"), false, false, crawler.State{Stopped: crawler.StoppedRobots}},
		{"by its query", text("User-agent: *\nDisallow: /*externalOnly\n"), false, false, crawler.State{Stopped: crawler.StoppedRobots}},
		{"adverts forbidden", text("User-agent: *\nDisallow: /candidate/\n"), true, false, crawler.State{HTMLForbidden: true}},
		{"an error", status(500), false, false, crawler.State{}},
		{"rules without an agent", text("Disallow: /api/\n"), false, false, crawler.State{}},
		{"a cut answer", func(req *http.Request) *http.Response {
			if req.URL.Path != "/robots.txt" {
				return nil
			}
			res := response(200, "text/plain", "")
			res.Body = io.NopCloser(io.MultiReader(strings.NewReader("User-agent: *\n"), broken{}))
			return res
		}, false, false, crawler.State{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, 20, func(t *testing.T, r *rig) {
				r.src.Announce = true
				r.start("first")
				r.wire.answer = test.answer
				r.pass(30 * time.Minute)
				asked := map[bool]int{}
				for _, u := range r.wire.urls() {
					if u != "/robots.txt" {
						asked[strings.HasPrefix(u, "/api/")]++
					}
				}
				if asked[true] > 0 != test.xml || asked[false] > 0 != test.advert {
					t.Errorf("%d listings and %d adverts asked for, want any: %v, %v", asked[true], asked[false], test.xml, test.advert)
				}
				if st := r.state(); st.Stopped != test.state.Stopped || st.HTMLForbidden != test.state.HTMLForbidden {
					t.Errorf("stopped %q, pages forbidden %v", st.Stopped, st.HTMLForbidden)
				}
				if test.xml {
					r.complete()
				}
			})
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// The site's robots.txt is read once a day; rules that appear are heeded.
func TestRobotsAppear(t *testing.T) {
	t.Parallel()
	bubble(t, 20, func(t *testing.T, r *rig) {
		r.baseline()
		r.faults("robots forbid")
		r.pass(23 * time.Hour)
		if n := r.asked("robots", 0); n != 1 {
			t.Errorf("robots.txt was asked for %d times", n)
		}
		r.pass(2 * time.Hour)
		if st := r.state(); st.Stopped != crawler.StoppedRobots {
			t.Errorf("%+v", st)
		}
		requests := len(r.site.Requests())
		r.start("restarted")
		r.pass(2 * time.Hour)
		if n := len(r.site.Requests()) - requests; n != 0 {
			t.Errorf("%d requests of a stopped source", n)
		}
	})
}
