package simulator

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLaws(t *testing.T) {
	for name, c := range map[string]struct {
		faults string
		client func(s *Site, c *clock)
		want   []string // ends of the broken laws
	}{
		"good manners": {"any 429 count=1 retry-after=5", func(s *Site, c *clock) {
			for _, path := range []string{"/robots.txt", newestXML, newestHTML, "/candidate/jobadvert/C9901-26-0001?x=1", "/candidate/search/locale/cy"} {
				get(s, path)
				c.pass(5 * time.Second)
			}
		}, nil},
		"too close": {"", func(s *Site, c *clock) {
			get(s, newestXML)
			c.pass(999 * time.Millisecond)
			get(s, newestXML)
			c.pass(time.Second)
			get(s, newestXML)
		}, []string{"only 999ms after the last request, not 1s"}},
		"a path": {"", func(s *Site, _ *clock) { get(s, "/sitemap.xml") }, []string{"nobody links to this path"}},
		"a host": {"", func(s *Site, _ *clock) {
			r := request(newestXML)
			r.Host = "www.jobs.example:443"
			record(s, r)
		}, []string{"the host www.jobs.example is not NHS Jobs"}},
		"loopback is a host": {"", func(s *Site, c *clock) {
			for _, host := range []string{"127.0.0.1:8090", "localhost", "[::1]:8090", "[::1]", "beta.jobs.nhs.uk"} {
				r := request(newestXML)
				r.Host = host
				record(s, r)
				c.pass(time.Second)
			}
		}, nil},
		"internal": {"", func(s *Site, c *clock) {
			get(s, newestXML+"&internalOnly=true")
			c.pass(time.Second)
			record(s, requestPost("/candidate/search/results", "internalOnly=true"))
			c.pass(time.Second)
			record(s, requestPost("/candidate/search/results", "internalOnly="))
		}, []string{"internalOnly asks for internal adverts", "internalOnly asks for internal adverts"}},
		"after 403 from the API": {"xml 403 count=1", func(s *Site, c *clock) {
			for _, path := range []string{newestXML, "/robots.txt", newestHTML} {
				get(s, path)
				c.pass(time.Minute)
			}
			s.Resume()
			get(s, newestXML)
		}, []string{"after a 403 from the API"}},
		"after 403 from the pages": {"advert 403 count=1", func(s *Site, c *clock) {
			for _, path := range []string{"/candidate/jobadvert/C1", newestXML, newestHTML} {
				get(s, path)
				c.pass(time.Minute)
			}
		}, []string{"after a 403 from the pages"}},
		"robots": {"robots forbid count=1", func(s *Site, c *clock) {
			for _, path := range []string{"/robots.txt", newestXML, "/robots.txt", newestXML} {
				get(s, path)
				c.pass(time.Minute)
			}
		}, []string{"robots.txt forbids it"}},
	} {
		s, clock := open(Options{Quiet: true, Live: 10, MinGap: time.Second, Faults: script(t, c.faults)})
		c.client(s, clock)
		got := s.Broken()
		if len(got) != len(c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
			continue
		}
		for i := range got {
			if !strings.HasSuffix(got[i], ": "+c.want[i]) {
				t.Errorf("%s: got %q, want %q", name, got[i], c.want[i])
			}
		}
	}
}

func TestTwoAtOnce(t *testing.T) {
	var s *Site
	inner := 0
	sleep := func(context.Context, time.Duration) error {
		if inner++; inner == 1 {
			get(s, newestHTML) // While the first is being answered.
		}
		return nil
	}
	s, _ = open(Options{Quiet: true, Live: 10, Sleep: sleep, Faults: script(t, "xml slow=1s")})
	get(s, newestXML)
	get(s, newestHTML)
	if got := s.Broken(); len(got) != 1 || !strings.HasSuffix(got[0], "a second request while another is being answered") {
		t.Errorf("got %q", got)
	}
}

func TestBrokenLawsAreBounded(t *testing.T) {
	s, _ := open(Options{Quiet: true, Live: -1})
	for range maxBroken + 7 {
		get(s, "/feed")
	}
	got := s.Broken()
	if len(got) != maxBroken+1 || got[maxBroken] != "and 7 more" {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
}

func TestMannersHaveTheirOwnClock(t *testing.T) {
	real := at("2026-09-01T08:00:00Z")
	c := &clock{real}
	s := New(Options{Live: -1, Quiet: true, Now: c.now, Manners: func() time.Time { return real }})
	get(s, newestXML)
	c.pass(time.Hour) // The site's clock runs fast; the client did not wait.
	real = real.Add(100 * time.Millisecond)
	if w := get(s, newestXML); w.Header().Get("Date") != "Tue, 01 Sep 2026 08:00:00 GMT" {
		t.Errorf("the Date is %s", w.Header().Get("Date"))
	}
	if len(s.Broken()) != 1 {
		t.Errorf("got %q", s.Broken())
	}
}

func TestTheLog(t *testing.T) {
	s, c := open(Options{Quiet: true, Live: 10, Faults: script(t, "listing 503\nany skew=1m")})
	for _, path := range []string{"/robots.txt", newestXML, newestHTML, "/candidate/jobadvert/C9901-26-0001?a=b", "/x", "/candidate/auth/login", "/candidate/jobadvert/"} {
		get(s, path)
		c.pass(time.Second)
	}
	var got []string
	for _, r := range s.Requests() {
		got = append(got, r.Kind+" "+r.Fault)
		if r.Bytes == 0 || r.Method != "GET" || r.Status == 0 || !r.Time.Equal(r.Manners) {
			t.Errorf("odd line %+v", r)
		}
	}
	want := []string{"robots skew=1m", "xml skew=1m", "listing 503,skew=1m", "advert skew=1m", "unknown skew=1m", "login skew=1m", "unknown skew=1m"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
