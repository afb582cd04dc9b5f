package simulator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
)

const (
	newestXML  = "/api/v1/search_xml?sort=publicationDateDesc&limit=100&page=1"
	newestHTML = "/candidate/search/results?sort=publicationDateDesc&page=1"
)

func TestFaultsThatReplace(t *testing.T) {
	for _, c := range []struct {
		line, path string
		code       int
		typ, want  string
	}{
		{"xml 503", newestXML, 503, "text/html", "503 Service Unavailable"},
		{"any 403", newestHTML, 403, "text/html", "403 Forbidden"},
		{"xml 408", newestXML, 408, "text/html", "408 Request Timeout"},
		{"xml html", newestXML, 200, "text/html", "Service Domain Information"},
		{"listing soft404", newestHTML, 200, "text/html", "Service Domain Information"},
		{"listing silent", newestHTML, 200, "text/html", `<ul class="nhsuk-list search-results">`},
		{"xml silent", newestXML, 200, "application/xml", "<nhsJobs>\n</nhsJobs>\n"},
		{"robots forbid", "/robots.txt", 200, "text/plain", "Disallow: /\n"},
		{"listing nothing", newestHTML, 200, "text/html", "No result found"},
		{"xml nothing", newestXML, 200, "application/xml", "<nhsJobs>\n<totalPages>0</totalPages>\n<totalResults>0</totalResults>\n</nhsJobs>\n"},
	} {
		s, _ := open(Options{Faults: script(t, c.line)})
		w := get(s, c.path)
		if w.Code != c.code || !strings.HasPrefix(w.Header().Get("Content-Type"), c.typ) || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s\n%.300s", c.line, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if strings.Contains(c.line, "silent") && (strings.Contains(w.Body.String(), "search-result-query") || strings.Contains(w.Body.String(), "total")) {
			t.Errorf("%s: it says something", c.line)
		}
		if got := s.Requests()[0].Fault; got != strings.Fields(c.line)[1] {
			t.Errorf("%s: the log says %q", c.line, got)
		}
	}
	for kind, want := range map[string]string{"login": "/candidate/auth/login?returnTo=", "elsewhere": "https://maintenance.example/",
		"loop": newestXML} {
		s, _ := open(Options{Faults: script(t, "any "+kind)})
		if w := get(s, newestXML); w.Code != 302 || !strings.HasPrefix(w.Header().Get("Location"), want) {
			t.Errorf("%s: %d to %s", kind, w.Code, w.Header().Get("Location"))
		}
	}
}

func TestRetryAfterInBothForms(t *testing.T) {
	for form, want := range map[string]string{"120": "120", "date:120": "Tue, 01 Sep 2026 08:02:00 GMT"} {
		s, c := open(Options{Faults: script(t, "any 429 count=1 retry-after="+form)})
		if got := get(s, newestXML).Header().Get("Retry-After"); got != want {
			t.Errorf("Retry-After: %s, want %s", got, want)
		}
		c.pass(119 * time.Second)
		get(s, newestXML)
		c.pass(time.Second)
		get(s, newestXML)
		if got := s.Broken(); len(got) != 1 || !strings.HasSuffix(got[0], "1s before the time that Retry-After gave") {
			t.Errorf("%s: broken laws are %q", form, got)
		}
	}
	s, c := open(Options{Faults: script(t, "any 429 count=1")})
	if got := get(s, newestXML).Header()["Retry-After"]; got != nil {
		t.Errorf("Retry-After: %v though none is meant", got)
	}
	c.pass(time.Second)
	get(s, newestXML)
	if got := s.Broken(); len(got) != 0 {
		t.Errorf("broken laws are %q", got)
	}
}

func script(t *testing.T, lines string) []Fault {
	t.Helper()
	faults, err := ParseFaults(strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

func TestListingsThatLie(t *testing.T) {
	truth, _ := open(Options{Live: 300, Quiet: true})
	right := apiFeed(t, truth, strings.SplitN(newestXML, "?", 2)[1])
	for line, ok := range map[string]func(f feed) bool{
		"xml total=104":   func(f feed) bool { return f.TotalResults == "104" && f.TotalPages == "2" && len(f.Rows) == 100 },
		"xml total=x0.1":  func(f feed) bool { return f.TotalResults == "30" && f.TotalPages == "1" && len(f.Rows) == 100 },
		"xml few=4":       func(f feed) bool { return f.TotalResults == "4" && cmp.Equal(f.refs(), right.refs()[:4]) },
		"xml short=3":     func(f feed) bool { return f.TotalResults == "300" && cmp.Equal(f.refs(), right.refs()[:97]) },
		"xml duplicate=2": func(f feed) bool { return cmp.Equal(f.refs(), append(right.refs()[:98], right.refs()[:2]...)) },
		"xml root":        func(f feed) bool { return f.XMLName.Local == "nhsSearch" && len(f.Rows) == 100 },
		"xml missing=closing": func(f feed) bool {
			return f.Rows[5].CloseDate == "" && f.Rows[5].PostDate != ""
		},
		"xml swap=dates": func(f feed) bool { return f.Rows[5].PostDate[:10] == right.Rows[5].CloseDate },
		"xml swap=names": func(f feed) bool { return f.Rows[5].Title == right.Rows[5].Employer },
		"listing few=4":  func(f feed) bool { return f.TotalResults == "300" },
		"xml depth=42": func(f feed) bool {
			return f.TotalResults == "300" && f.TotalPages == "3" && cmp.Equal(f.refs(), right.refs()[:42])
		},
		"xml wrong": func(f feed) bool {
			return cmp.Equal(f.refs(), right.refs()) && f.Rows[5].CloseDate == right.Rows[6].CloseDate && f.Rows[99].CloseDate == right.Rows[0].CloseDate &&
				f.Rows[5].Title == right.Rows[5].Title
		},
		"xml wrong=title": func(f feed) bool {
			return f.Rows[5].Title == right.Rows[6].Title && f.Rows[5].CloseDate == right.Rows[5].CloseDate
		},
		"xml wrong=employer": func(f feed) bool { return f.Rows[5].Employer == right.Rows[6].Employer },
		"xml wrong=salary":   func(f feed) bool { return f.Rows[5].Salary == right.Rows[6].Salary },
	} {
		s, _ := open(Options{Live: 300, Quiet: true, Faults: script(t, line)})
		if f := apiFeed(t, s, strings.SplitN(newestXML, "?", 2)[1]); !ok(f) {
			t.Errorf("%s: got %d rows, %s pages, %s results; %+v", line, len(f.Rows), f.TotalPages, f.TotalResults, f.Rows[:1])
		}
	}
	s, _ := open(Options{Faults: script(t, "xml element=sponsored")})
	if body := get(s, newestXML).Body.String(); strings.Count(body, "<sponsored>true</sponsored>") != 100 {
		t.Error("no new element")
	}
}

func TestThePageThatWasNotAskedFor(t *testing.T) {
	s, _ := open(Options{Live: 300, Quiet: true, Faults: script(t, "any page-one")})
	first := apiFeed(t, s, "sort=publicationDateDesc&limit=100&page=1")
	if third := apiFeed(t, s, "sort=publicationDateDesc&limit=100&page=3"); !cmp.Equal(third.refs(), first.refs()) || third.TotalPages != "3" {
		t.Errorf("page 3 of the API shows %q", third.refs()[:3])
	}
	d := document(t, s, "/candidate/search/results?sort=publicationDateDesc&page=7")
	if got := cards(d); !cmp.Equal(got, first.refs()[:10]) {
		t.Errorf("page 7 shows %q", got)
	}
	if next := d.Find(".nhsuk-pagination__link--next").Text(); !strings.Contains(next, "Page 2 of 30") {
		t.Errorf("page 7 leads on to %q", squash(next))
	}
}

func TestPagingThatEnds(t *testing.T) {
	s, _ := open(Options{Live: 300, Quiet: true, Faults: script(t, "xml depth=104")})
	for page, want := range map[int]int{1: 100, 2: 4, 3: 0} {
		f := apiFeed(t, s, fmt.Sprint("sort=publicationDateDesc&limit=100&page=", page))
		if len(f.Rows) != want || f.TotalResults != "300" {
			t.Errorf("page %d holds %d of %s, want %d", page, len(f.Rows), f.TotalResults, want)
		}
	}
}

func TestAnOldPageOne(t *testing.T) {
	s, c := open(Options{Quiet: true})
	before := cards(document(t, s, newestHTML))
	c.pass(3 * time.Hour)
	ref := s.Publish(nurse())
	gone := before[2]
	if err := s.CloseEarly(gone); err != nil {
		t.Fatal(err)
	}
	if err := s.SetFaults(Fault{Kind: "stale", Value: "1h"}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, cards(document(t, s, newestHTML))); d != "" {
		t.Errorf("the old page is not what it was (-want +got)\n%s", d)
	}
	if err := s.SetFaults(); err != nil {
		t.Fatal(err)
	}
	if got := cards(document(t, s, newestHTML)); got[0] != ref || strings.Contains(strings.Join(got, " "), gone) {
		t.Errorf("the present page is %v", got)
	}
}

func TestMarkupDrifts(t *testing.T) {
	for line, ok := range map[string]func(body string, d *goquery.Document) bool{
		"listing rename": func(_ string, d *goquery.Document) bool {
			return d.Find(`[data-test="search-result"]`).Length() == 0 && d.Find(`[data-test="search-result-v2"]`).Length() == 10
		},
		"listing missing=salary": func(_ string, d *goquery.Document) bool {
			return d.Find(`[data-test="search-result-salary"]`).Length() == 0 && d.Find(`[data-test="search-result-closingDate"]`).Length() == 10
		},
		"listing size=20": func(_ string, d *goquery.Document) bool {
			return len(cards(d)) == 20 && strings.Contains(d.Find("nav").Text(), "Page 2 of 60")
		},
		"listing quotes": func(body string, _ *goquery.Document) bool {
			return strings.Contains(body, `data-test="search-result-query"`) && !strings.Contains(body, `data-test='`)
		},
		"listing commas": func(body string, d *goquery.Document) bool { return squash(d.Find("h1").Text()) == "1,200 jobs found" },
		"listing swap=names": func(_ string, d *goquery.Document) bool {
			return strings.Contains(d.Find(`a[data-test="search-result-job-title"]`).Text(), "Trust")
		},
	} {
		s, _ := open(Options{Live: 1200, Quirks: Quirks{Optional: "shown"}, Faults: script(t, line)})
		body := get(s, newestHTML).Body.String()
		d, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if !ok(body, d) {
			t.Errorf("%s: nothing of it on the page", line)
		}
	}
	s, _ := open(Options{Quiet: true, Live: -1, Faults: script(t, "advert no-ids")})
	if n := document(t, s, "/candidate/jobadvert/"+s.Publish(nurse())).Find("main [id]").Length(); n != 0 {
		t.Errorf("no-ids leaves %d", n)
	}
}

func TestWhenFaultsStrike(t *testing.T) {
	for line, want := range map[string]string{
		"xml 503 after=2 count=3":                         "..xxx.....",
		"xml 503 from=3s until=5s":                        "...xx.....",
		"xml 503 from=2026-09-01T08:00:08Z":               "........xx",
		"xml 503 until=2026-09-01T08:00:01Z":              "x.........",
		"listing 503":                                     "..........",
		"any 503 count=1\nxml 500 count=2":                "x55.......",
		"xml slow=1s count=2\nxml 503 after=1 count=1 # ": ".x........",
	} {
		s, c := open(Options{Faults: script(t, line), Sleep: noSleep})
		var got strings.Builder
		for range 10 {
			got.WriteString(map[int]string{200: ".", 503: "x", 500: "5"}[get(s, newestXML).Code])
			c.pass(time.Second)
		}
		if got.String() != want {
			t.Errorf("%q strikes as %s, want %s", line, got.String(), want)
		}
	}
	s, _ := open(Options{Faults: script(t, "xml 503 rate=0.3")})
	n := 0
	for range 300 {
		if get(s, "/api/v1/search_xml?limit=1").Code == 503 {
			n++
		}
	}
	if n < 60 || n > 120 {
		t.Errorf("a rate of 0.3 struck %d of 300", n)
	}
}

func noSleep(context.Context, time.Duration) error { return nil }

func TestTheWire(t *testing.T) {
	var slept []time.Duration
	remember := func(_ context.Context, d time.Duration) error { slept = append(slept, d); return nil }
	s, _ := open(Options{Sleep: remember, Faults: script(t, "xml slow=3s\nxml drip=500ms\nxml skew=-10m")})
	w := get(s, newestXML)
	if len(slept) != 21 || slept[0] != 3*time.Second || slept[20] != 500*time.Millisecond || !strings.HasSuffix(w.Body.String(), "</nhsJobs>\n") {
		t.Errorf("slept %v", slept)
	}
	if got := w.Header().Get("Date"); got != "Tue, 01 Sep 2026 07:50:00 GMT" {
		t.Errorf("the clock shows %s", got)
	}
	whole := w.Body.Len()
	for kind, want := range map[string]struct {
		length  string
		aborted bool
	}{"cut": {fmt.Sprint(whole), true}, "cut-unsized": {"", true}, "truncated": {fmt.Sprint(whole / 2), false}} {
		s, _ := open(Options{Faults: script(t, "xml "+kind)})
		var body string
		w := &writer{header: http.Header{}, body: &body}
		if aborted := breaksOff(s, w); aborted != want.aborted || len(body) != whole/2 {
			t.Errorf("%s: aborted %v after %d of %d", kind, aborted, len(body), whole)
		}
		if got := w.header.Get("Content-Length"); got != want.length {
			t.Errorf("%s: Content-Length %q, want %q", kind, got, want.length)
		}
	}
}

func TestNoAnswerAtAll(t *testing.T) {
	s, _ := open(Options{Faults: script(t, "xml refused")})
	var body string
	w := &writer{header: http.Header{}, body: &body}
	if aborted := breaksOff(s, w); !aborted || body != "" || len(w.header) != 0 {
		t.Errorf("aborted %v, with %d bytes and %v", aborted, len(body), w.header)
	}
}

func TestHugeAnswers(t *testing.T) {
	plain, _ := open(Options{})
	right := get(plain, newestXML).Body.String()
	s, _ := open(Options{Faults: script(t, "xml huge=5")})
	w := get(s, newestXML)
	if got := w.Body.Len() - len(right); got != 5<<20 || w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) || !strings.HasPrefix(w.Body.String(), right) {
		t.Errorf("%d bytes more, Content-Length %s", got, w.Header().Get("Content-Length"))
	}
}

// breaksOff reports whether the handler broke the connection.
func breaksOff(s *Site, w http.ResponseWriter) (aborted bool) {
	defer func() { aborted = recover() == http.ErrAbortHandler }()
	s.ServeHTTP(w, request(newestXML))
	return false
}

// writer keeps what was written before a handler broke off.
type writer struct {
	header http.Header
	body   *string
}

func (w *writer) Header() http.Header             { return w.header }
func (w *writer) WriteHeader(int)                 {}
func (w *writer) Write(p []byte) (n int, _ error) { *w.body += string(p); return len(p), nil }

func TestSlowAnswersEndWithTheirClient(t *testing.T) {
	gone := errors.New("gone")
	s, _ := open(Options{Faults: script(t, "xml slow=1h"), Sleep: func(context.Context, time.Duration) error { return gone }})
	if w := get(s, newestXML); w.Body.Len() != 0 {
		t.Error("an answer to nobody")
	}
}

func TestParseFaults(t *testing.T) {
	got := script(t, "# an outage\n\nxml 503 after=10 count=5 retry-after=date:60\nadvert slow=3s rate=0.1 # slow\nany short from=2h until=2026-10-25T00:00:00Z\n")
	want := []Fault{
		{Kind: "503", Match: "xml", After: 10, Count: 5, Args: map[string]string{"retry-after": "date:60"}},
		{Kind: "slow", Value: "3s", Match: "advert", Rate: .1},
		{Kind: "short", Value: "1", Match: "any", Begin: 2 * time.Hour, Until: at("2026-10-25T00:00:00Z")},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for text, want := range map[string]string{
		"xml":                        "line 1: a fault needs a kind of request and a kind of fault",
		"# x\nxml 503 now":           `line 2: "now" is not of the form key=value`,
		"xml 503 count=many":         `line 1: count=many: strconv.Atoi: parsing "many": invalid syntax`,
		"xml 503 rate=2":             "line 1: the rate 2 is not between 0 and 1",
		"xml 503 count=-1":           "line 1: after and count cannot be negative",
		"page 503":                   `line 1: "page" is no kind of request: xml, listing, advert, robots or any`,
		"xml slow":                   `line 1: slow needs a duration such as 3s, not ""`,
		"xml slow=-1s":               `line 1: slow needs a duration such as 3s, not "-1s"`,
		"xml few=0":                  `line 1: few needs a number from 1 on, not "0"`,
		"xml total=much":             `line 1: total needs a number or a factor such as x0.1, not "much"`,
		"xml missing=band":           `line 1: missing needs one of title, reference, employer, place, salary, posted, closing, contract, pattern, not "band"`,
		"xml swap=all":               `line 1: swap needs one of dates, names, not "all"`,
		"xml root=<a>":               `line 1: root needs a name, not "<a>"`,
		"xml cut=1":                  "line 1: cut takes no value",
		"xml page-one=2":             "line 1: page-one takes no value",
		"xml depth=0":                `line 1: depth needs a number from 1 on, not "0"`,
		"xml wrong=reference":        `line 1: wrong needs one of closing, title, employer, salary, not "reference"`,
		"xml 503 from=noon":          "line 1: from=noon: neither a time such as 2026-10-25T00:00:00Z nor a duration such as 2h30m",
		"xml 503 often=1":            "line 1: often=1: the keys are after, count, rate, from, until and retry-after",
		"any 429 retry-after=date:x": `line 1: retry-after needs seconds, or date: and seconds, not "date:x"`,
	} {
		if _, err := ParseFaults(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if _, err := ParseFaults(strings.NewReader("xml flood")); err == nil || !strings.HasPrefix(err.Error(), `line 1: there is no fault "flood": a status, commas, cut,`) {
		t.Errorf("got %v", err)
	}
	if _, err := ParseFaults(unreadable{}); err == nil || err.Error() != "read the script of faults: no disk" {
		t.Errorf("got %v", err)
	}
}

type unreadable struct{}

func (unreadable) Read([]byte) (int, error) { return 0, errors.New("no disk") }

func FuzzParseFaults(f *testing.F) {
	for _, seed := range []string{"xml 503 after=10 count=5", "advert slow=3s rate=0.1 # x", "any total=x0.1 from=2h", "listing missing=closing", "robots forbid", "any 429 retry-after=date:9"} {
		f.Add(seed)
	}
	s, _ := open(Options{Live: 30, Quiet: true, Sleep: noSleep})
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := ParseFaults(strings.NewReader(text))
		if err != nil {
			return
		}
		// What the script lets through, the site must survive.
		if err := s.SetFaults(faults...); err != nil {
			t.Fatalf("%q: parsed, then refused: %v", text, err)
		}
		for _, path := range []string{newestXML, newestHTML, "/robots.txt", "/candidate/jobadvert/" + s.board.all[40].now().Reference} {
			func() {
				defer func() {
					if p := recover(); p != nil && p != http.ErrAbortHandler {
						panic(p)
					}
				}()
				get(s, path)
			}()
		}
	})
}
