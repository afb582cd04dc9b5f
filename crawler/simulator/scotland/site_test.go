package scotland

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 10, 6, 11, 0, 0, 0, time.UTC)

// a clock that a test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func serve(t *testing.T, o Options) (*Site, *clock, func(path string) (int, string)) {
	t.Helper()
	c := &clock{noon}
	o.Now = c.now
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s, c, func(path string) (int, string) {
		t.Helper()
		res, err := client.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
}

var nurse = Advert{Title: "Staff Nurse", Board: "NHS Glenmarl", Closing: "2026-10-08"}

// TestLife follows one advert from its publishing to the end of its last day.
func TestLife(t *testing.T) {
	s, c, get := serve(t, Options{})
	total := func(want string) {
		t.Helper()
		if _, body := get("/Home/_JobCard?Skip=0"); !strings.Contains(body, `id="totalMatchRecords" value="`+want+`"`) {
			t.Errorf("want a total of %s, got %s", want, body)
		}
	}
	total("0")
	ref, err := s.Publish(nurse)
	if err != nil {
		t.Fatal(err)
	}
	total("1")
	if _, body := get("/Job/JobDetail?jobid=" + ref); !strings.Contains(body, "<h1>Staff Nurse</h1>") {
		t.Errorf("the advert is not served: %s", body)
	}
	c.t = c.t.Add(time.Hour)
	if err := s.Amend(ref, func(a *Advert) { a.Closing, a.Reference = "2026-10-09", "1" }); err != nil {
		t.Fatal(err)
	}
	if _, body := get("/Home/_JobCard?Skip=0"); !strings.Contains(body, "09/10/2026") {
		t.Errorf("the amended closing date is not served: %s", body)
	}
	// 22:59 UTC is the last minute of the day in London, 23:00 the first of the next.
	c.t = time.Date(2026, 10, 9, 22, 59, 0, 0, time.UTC)
	total("1")
	c.t = c.t.Add(time.Minute)
	total("0")
	if code, _ := get("/Job/JobDetail?JobId=" + ref); code != http.StatusNotFound {
		t.Errorf("a closed advert: got status %d, want 404", code)
	}
	truth := s.Truth()
	if len(truth) != 1 || !truth[0].Gone.IsZero() || len(truth[0].Versions) != 2 || !truth[0].Visible.Equal(noon) ||
		truth[0].Versions[1].Advert.Closing != "2026-10-09" || truth[0].Versions[1].Advert.Reference != ref {
		t.Errorf("the truth is %+v", truth)
	}
	if err := s.Withdraw(ref); err == nil {
		t.Error("an advert that has closed was withdrawn")
	}
	if err := s.Amend(ref, func(*Advert) {}); err == nil {
		t.Error("an advert that has closed was amended")
	}
	if n := len(s.Requests()); n != 7 {
		t.Errorf("%d requests in the log, want 7", n)
	}
}

func TestWithdraw(t *testing.T) {
	s, _, get := serve(t, Options{Adverts: []Advert{nurse, nurse}})
	if err := s.Withdraw("250001"); err != nil {
		t.Fatal(err)
	}
	_, body := get("/Home/_JobCard?Skip=0")
	if strings.Contains(body, "250001") || !strings.Contains(body, "250002") {
		t.Errorf("the board after a withdrawal: %s", body)
	}
	if truth := s.Truth(); truth[0].Gone.IsZero() || !truth[1].Gone.IsZero() {
		t.Errorf("the truth is %+v", truth)
	}
}

func TestPublishRefuses(t *testing.T) {
	s, _, _ := serve(t, Options{Adverts: []Advert{nurse}})
	for name, a := range map[string]Advert{
		"no title":        {Board: "NHS Glenmarl"},
		"no board":        {Title: "Staff Nurse"},
		"no day":          {Title: "Staff Nurse", Board: "NHS Glenmarl", Closing: "8 October"},
		"reference taken": {Title: "Staff Nurse", Board: "NHS Glenmarl", Reference: "250001"},
	} {
		if _, err := s.Publish(a); err == nil {
			t.Errorf("%s: published", name)
		}
	}
	if _, err := New(Options{Adverts: []Advert{{}}}); err == nil {
		t.Error("a site with an advert that says nothing")
	}
}

// TestUnknown shows each way in which the site may behave where the real one is
// not known.
func TestUnknown(t *testing.T) {
	const closed, beyond = "/Job/JobDetail?JobId=250001", "/Home/_JobCard?Skip=24"
	for _, tt := range []struct {
		name   string
		quirks Quirks
		path   string
		code   int
		has    string
	}{
		{"gone", Quirks{}, closed, 404, "not found"},
		{"notice", Quirks{Closed: Notice}, closed, 200, "no longer available"},
		{"leftover", Quirks{Closed: Leftover}, closed, 200, "<h1>Staff Nurse</h1>"},
		{"to the search", Quirks{Closed: ToSearch}, closed, 302, ""},
		{"beyond", Quirks{}, beyond, 200, `id="totalCurrentRecords" value="0"`},
		{"beyond, the last again", Quirks{RepeatLast: true}, beyond, 200, `id="totalCurrentRecords" value="1"`},
		{"cumulative", Quirks{Cumulative: true}, "/Home/_JobCard?Skip=12", 200, `id="totalCurrentRecords" value="13"`},
		{"soft 404", Quirks{}, "/sitemap.xml", 200, "could not find"},
		{"no robots", Quirks{}, "/robots.txt", 404, ""},
		{"robots", Quirks{Robots: "User-agent: *\nDisallow: /Account/\n"}, "/robots.txt", 200, "Disallow: /Account/"},
		{"search page", Quirks{}, "/Home/Job", 200, "/Home/_JobCard"},
		{"skip nonsense", Quirks{}, "/Home/_JobCard?Skip=x", 200, `id="totalCurrentRecords" value="12"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			adverts := make([]Advert, 14)
			for i := range adverts {
				adverts[i] = nurse
			}
			s, _, get := serve(t, Options{Quirks: &tt.quirks, Adverts: adverts})
			if err := s.Withdraw("250001"); err != nil {
				t.Fatal(err)
			}
			if code, body := get(tt.path); code != tt.code || !strings.Contains(body, tt.has) {
				t.Errorf("got %d and %q, want %d and %q", code, body, tt.code, tt.has)
			}
		})
	}
	_, _, get := serve(t, Options{})
	if code, body := get("/Home/_JobCard"); code != 200 || strings.Contains(body, "job-card") {
		t.Errorf("an empty board: got %d and %q", code, body)
	}
}

// TestSeeds shows that a seed means the same each time, and that the seeds
// bring every quirk about.
func TestSeeds(t *testing.T) {
	closed := map[Closed]int{}
	var counts [8]int
	for seed := range uint64(60) {
		q := QuirksOf(seed)
		if q != QuirksOf(seed) {
			t.Fatalf("seed %d has different quirks each time", seed)
		}
		if q.NoHooks && q.NoStructured || q.Order != NewestFirst {
			t.Errorf("seed %d: %+v", seed, q)
		}
		closed[q.Closed]++
		for i, b := range []bool{q.RepeatLast, q.Cumulative, q.NoStructured, q.NoHooks, q.Badge, q.LowerCase, q.RawBreaks, q.Robots != ""} {
			if b {
				counts[i]++
			}
		}
	}
	if len(closed) != 4 {
		t.Errorf("answers for closed adverts: %v, want all four", closed)
	}
	for i, n := range counts {
		if n == 0 || n == 60 {
			t.Errorf("quirk %d is there in %d of 60 seeds", i, n)
		}
	}
	if diff := cmp.Diff(Invent(5, 40, "2026-10-06"), Invent(5, 40, "2026-10-06")); diff != "" {
		t.Errorf("the same seed, other adverts:\n%s", diff)
	}
	for _, a := range Invent(5, 40, "2026-10-06") {
		if a.Live > "2026-10-06" || a.Live < "2026-09-14" || a.Closing != "" && a.Closing < "2026-10-06" {
			t.Errorf("an advert from %s to %s", a.Live, a.Closing)
		}
	}
}

func TestHead(t *testing.T) {
	s, _, _ := serve(t, Options{})
	for method, want := range map[string]int{http.MethodHead: 200, http.MethodPost: 405} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(method, "/Home/_JobCard", nil))
		if w.Code != want || method == http.MethodHead && w.Body.Len() > 0 {
			t.Errorf("%s: got %d and %d bytes, want %d", method, w.Code, w.Body.Len(), want)
		}
	}
}
