package crawler_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A redirect takes its turn like any request, and at most three are followed.
func TestRedirects(t *testing.T) {
	t.Parallel()
	for _, hops := range []int{1, 3, 4} {
		bubble(t, 20, func(t *testing.T, r *rig) {
			r.baseline()
			ref := r.publish()
			r.wire.answer = func(req *http.Request) *http.Response {
				at := "/candidate/jobadvert/" + ref
				if n := len(req.URL.RawQuery); req.URL.Path == at && n < hops {
					return response(302, "text/html", "", "Location", at+"?"+strings.Repeat("x", n+1), "Set-Cookie", "session=1; Path=/")
				}
				return nil
			}
			before := len(r.wire.sent)
			_, rep := r.run(crawler.Hot) // The wire checks the distances.
			if got, want := len(r.wire.sent)-before, 2+min(hops, 3); got != want {
				t.Errorf("%d hops: %d requests, want %d", hops, got, want)
			}
			if rep.Read != 1 && hops <= 3 || rep.Unread != 1 && hops > 3 {
				t.Errorf("%d hops: %+v", hops, rep)
			}
			for _, s := range r.wire.sent {
				if s.hdr.Get("Cookie") != "" || s.hdr.Get("User-Agent") != r.src.UserAgent {
					t.Errorf("sent %q", s.hdr)
				}
			}
			spent := 0
			for _, classes := range r.mem.spent {
				spent += total(classes)
			}
			if spent != len(r.wire.sent) {
				t.Errorf("%d of %d requests counted", spent, len(r.wire.sent))
			}
		})
	}
}

// Counting a request may take its time; the next one keeps its distance from
// the request and not from its slot.
func TestSlowCounting(t *testing.T) {
	t.Parallel()
	bubble(t, 450, func(t *testing.T, r *rig) {
		n := 0
		r.mem.take = func(context.Context) {
			if n++; n%2 == 0 {
				time.Sleep(1900 * time.Millisecond)
			}
		}
		r.pass(5 * time.Minute)
		if r.state().Baseline != nil {
			t.Error("not through")
		}
	})
}

// An answer that is too large is an error, and no page with less on it.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	bubble(t, 20, func(t *testing.T, r *rig) {
		r.baseline()
		requests := len(r.wire.sent)
		r.wire.answer = func(req *http.Request) *http.Response {
			return response(200, "application/xml", "<nhsJobs><totalPages>1</totalPages><totalResults>0</totalResults></nhsJobs>"+strings.Repeat(" ", 4<<20))
		}
		before := r.state()
		st, rep := r.run(crawler.Hot)
		if rep.Verdict != crawler.Aborted || !strings.Contains(rep.Err, "larger than 4 MiB") || !st.LastGood[crawler.Hot].Equal(before.LastGood[crawler.Hot]) {
			t.Errorf("%+v", rep)
		}
		if n := len(r.wire.sent) - requests; n != 1 {
			t.Errorf("%d requests", n)
		}
		r.counts(1, "http_requests_total", "kind", crawler.KindXML, "code", "cut")
	})
}

// A body that drips ends with its attempt, after 20 s.
func TestDrip(t *testing.T) {
	t.Parallel()
	bubble(t, 20, func(t *testing.T, r *rig) {
		r.baseline()
		time.Sleep(time.Minute)
		r.faults("xml drip=3s count=1")
		begin := time.Now()
		_, rep := r.run(crawler.Hot)
		if took := time.Since(begin); rep.Verdict != crawler.OK || took != 35*time.Second {
			t.Errorf("%s after %s, want 20 s and 15 s", rep.Verdict, took)
		}
		r.counts(1, "http_requests_total", "kind", crawler.KindXML, "code", "timeout")
		r.counts(1, "http_retries_total", "reason", "timeout")
	})
}

// Cancelling ends a run at once, in each of its waits.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, script string
		after        time.Duration
	}{
		{"in the wait for its slot", "", time.Second},
		{"in a request", "xml slow=15s", 5 * time.Second},
		{"in a body", "xml drip=500ms", 5 * time.Second},
		{"between two tries", "xml 500", 9 * time.Second},
		{"in a gate", "", 20 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, 20, func(t *testing.T, r *rig) {
				r.baseline()
				r.start("again") // A new process waits for its first slot.
				r.mem.lose0()
				before := r.state()
				r.faults(test.script)
				st, _, err := r.runner.Enter(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if test.name == "in a gate" {
					st.Gate = time.Now().Add(25 * time.Second)
				}
				ctx, cancel := context.WithTimeout(t.Context(), test.after)
				defer cancel()
				begin := time.Now()
				after, rep := r.runner.Run(ctx, crawler.Work{Tier: crawler.Hot}, st, time.Now().Add(time.Minute))
				if took := time.Since(begin); took != test.after {
					t.Errorf("ended after %s, want %s", took, test.after)
				}
				if rep.Verdict != crawler.Aborted || after.Backoff != 0 || !after.LastGood[crawler.Hot].Equal(before.LastGood[crawler.Hot]) {
					t.Errorf("%+v: %+v", rep, after)
				}
				if got := r.state(); got.Runs != after.Runs || got.Last.Verdict != crawler.Aborted || time.Until(got.NextHot) > r.src.HotMin {
					t.Errorf("stored: %+v", got)
				}
			})
		})
	}
}

// Nothing sleeps for long inside a run: behind a gate that is far it fails.
func TestGate(t *testing.T) {
	t.Parallel()
	for gate, want := range map[time.Duration]string{29 * time.Second: crawler.OK, 31 * time.Second: crawler.Aborted} {
		bubble(t, 20, func(t *testing.T, r *rig) {
			r.baseline()
			time.Sleep(time.Minute)
			st := r.state()
			st.Gate = time.Now().Add(gate)
			begin := time.Now()
			after, rep := r.runner.Run(t.Context(), crawler.Work{Tier: crawler.Hot}, st, time.Now().Add(time.Minute))
			took := time.Since(begin)
			if rep.Verdict != want {
				t.Errorf("gate of %s: %+v", gate, rep)
			}
			if want == crawler.Aborted && (took != 0 || !after.Gate.Equal(st.Gate)) || want == crawler.OK && took != gate {
				t.Errorf("gate of %s: took %s, gate %v", gate, took, after.Gate)
			}
		})
	}
	// A person may open it, and then it is open.
	bubble(t, 20, func(t *testing.T, r *rig) {
		r.baseline()
		r.faults("xml 429 count=1")
		r.run(crawler.Hot)
		st := r.state()
		st.Gate = time.Time{}
		if _, rep := r.runner.Run(t.Context(), crawler.Work{Tier: crawler.Hot}, st, time.Now().Add(time.Minute)); rep.Verdict != crawler.OK {
			t.Errorf("%+v", rep)
		}
	})
}

// Variables of the environment that colly heeds change nothing.
func TestEnvironment(t *testing.T) {
	crawl := func(t *testing.T) (urls []string, records map[vacancy.Key]vacancy.Record) {
		bubble(t, 20, func(t *testing.T, r *rig) {
			r.wire.answer = func(req *http.Request) *http.Response {
				if req.URL.Path == "/robots.txt" {
					return response(200, "text/plain", "User-agent: evil\nDisallow: /\n\nUser-agent: *\nDisallow: /candidate/search\n")
				}
				return nil
			}
			r.baseline()
			r.publish()
			r.run(crawler.Hot)
			r.faults("advert 404")
			r.publish()
			r.run(crawler.Hot)
			for _, s := range r.wire.sent {
				urls = append(urls, s.url+" "+s.hdr.Get("User-Agent")+" "+s.hdr.Get("Accept"))
			}
			records = r.mem.records
		})
		return urls, records
	}
	urls, records := crawl(t)
	for name, value := range map[string]string{
		"ALLOWED_DOMAINS": "example.org", "CACHE_DIR": t.TempDir(), "DETECT_CHARSET": "yes", "DISABLE_COOKIES": "no",
		"DISALLOWED_DOMAINS": "www.jobs.nhs.uk", "IGNORE_ROBOTSTXT": "yes", "FOLLOW_REDIRECTS": "no", "MAX_BODY_SIZE": "100",
		"MAX_DEPTH": "-1", "MAX_REQUESTS": "1", "PARSE_HTTP_ERROR_RESPONSE": "yes", "TRACE_HTTP": "yes", "USER_AGENT": "evil/1.0",
	} {
		t.Setenv("COLLY_"+name, value)
	}
	gotURLs, gotRecords := crawl(t)
	if diff := cmp.Diff(urls, gotURLs); diff != "" {
		t.Errorf("requests (-without +with)\n%s", diff)
	}
	if diff := cmp.Diff(len(records), len(gotRecords)); diff != "" {
		t.Errorf("records (-without +with)\n%s", diff)
	}
	if len(urls) < 7 {
		t.Errorf("only %d requests", len(urls))
	}
}

// Not modified is the page that is kept; one that could not be read is not.
func TestNotModified(t *testing.T) {
	t.Parallel()
	bubble(t, 20, func(t *testing.T, r *rig) {
		version, served := "one", map[int]int{}
		truncated := false
		r.wire.answer = func(req *http.Request) *http.Response {
			if !strings.HasPrefix(req.URL.Path, "/api/") {
				return nil
			}
			if req.Header.Get("If-None-Match") == `"`+version+`"` {
				served[304]++
				return response(304, "text/html", "", "Content-Encoding", "gzip")
			}
			served[200]++
			res, err := r.wire.next.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return nil
			}
			res.Header.Set("ETag", `"`+version+`"`)
			if truncated {
				b, _ := io.ReadAll(res.Body)
				res.Body, res.ContentLength = io.NopCloser(strings.NewReader(string(b[:len(b)/2]))), int64(len(b)/2)
			}
			return res
		}
		r.baseline()
		served = map[int]int{}
		for range 3 {
			if _, rep := r.run(crawler.Hot); rep.Verdict != crawler.OK || rep.Listed != 20 {
				t.Errorf("%+v", rep)
			}
		}
		if diff := cmp.Diff(map[int]int{304: 3}, served); diff != "" {
			t.Errorf("answers (-want +got)\n%s", diff)
		}
		if n, _ := r.value("http_requests_total", "code", "not_modified", "kind", crawler.KindXML); n < 3 {
			t.Errorf("%v counted", n)
		}
		version, truncated = "two", true
		if _, rep := r.run(crawler.Hot); rep.Verdict != crawler.Aborted {
			t.Errorf("%+v", rep)
		}
		truncated = false
		time.Sleep(2 * time.Minute)
		st := r.state()
		st.Gate = time.Time{}
		if _, rep := r.runner.Run(t.Context(), crawler.Work{Tier: crawler.Hot}, st, time.Now().Add(time.Minute)); rep.Verdict != crawler.OK {
			t.Errorf("the page that could not be read was kept: %+v", rep)
		}
	})
}
