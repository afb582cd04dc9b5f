package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web/preview"
)

// A board of vacancies for tests: open ones in Leeds, a day apart.
type shelf struct {
	mu      sync.Mutex
	records []vacancy.Record
	reads   int
	err     error
	hold    chan struct{} // reading waits for it, if it is not nil
}

func (s *shelf) Recent(ctx context.Context, _ time.Time, f func(vacancy.Record) error) error {
	s.mu.Lock()
	s.reads++
	s.mu.Unlock()
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, r := range s.records {
		if err := f(r); err != nil {
			return err
		}
	}
	return s.err
}

// nurses are n vacancies as of now.
func nurses(n int, now time.Time) []vacancy.Record {
	var out []vacancy.Record
	for i := range n {
		at := now.Add(-time.Duration(i) * 24 * time.Hour)
		v := vacancy.Vacancy{Source: "nhs-jobs", Reference: fmt.Sprintf("C9001-26-%04d", i), Title: fmt.Sprintf("Staff Nurse %d", i),
			URL: fmt.Sprintf("https://www.jobs.nhs.uk/candidate/jobadvert/C9001-26-%04d", i), Employer: "Aire NHS Trust", Band: "5", BandFrom: vacancy.FromPrinted,
			Contract: "Fixed term", Duration: "12 months", Locations: []vacancy.Location{vacancy.ParseLocation("Leeds LS1 3EX")},
			Posted: vacancy.AtTime(at), FirstSeen: at, Closing: vacancy.LondonDay(now).Add(i)}
		v.Derive()
		out = append(out, vacancy.Record{Vacancy: v})
	}
	return out
}

func searching(t *testing.T, src *shelf) *fixture {
	return newFixture(t, func(o *PublicOptions) { o.Previews = src })
}

// The page as people meet it: empty, with an answer, and with faults.
func TestSearchPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon)) // the clock of the bubble, for dates that stay
		records := nurses(12, time.Now())
		records[3].Vacancy.Closing = vacancy.LondonDay(time.Now())
		f := searching(t, &shelf{records: append(records, nurses(45, time.Now())[44])})
		for _, tt := range []struct {
			golden, query, title string
			code                 int
			says                 []string
		}{
			{"search-empty.html", "", "Try a search", 200, []string{"Nothing is saved or sent"}},
			{"search-found.html", "near=York&miles=20&band=5&keywords=nurse&contract=Fixed+term", "What this search finds", 200,
				[]string{"Search 5 miles further: 12 more", "None in the last 30 days."}},
			{"search-faults.html", "near=Leedz&miles=x&keywords=(nurse&min_months=9&max_months=banana", "Error: Try a search", 400,
				[]string{`<a href="#near">&#34;Leedz&#34; is not a place we know`, `<a href="#keywords">&#34;(&#34; is never closed`, `aria-invalid="true"`}},
			{"", "near=Leeds&band=5", "What this search finds", 200, []string{"12 of 12 new vacancies", "13 of 13 open vacancies",
				"Closes today", "Closes 26 November 2026 (2 days left)", `<a href="https://www.jobs.nhs.uk/candidate/jobadvert/C9001-26-0000">Staff Nurse 0</a>`,
				"near: Leeds, miles: 10", "Fixed term, 12 months"}},
		} {
			w := do(f.handler, "GET", "/search"+map[bool]string{true: "?"}[tt.query != ""]+tt.query, "")
			page := w.Body.String()
			if w.Code != tt.code || !strings.Contains(page, "<title>"+tt.title+" – ") {
				t.Errorf("%s: got %d", tt.query, w.Code)
			}
			checkHeaders(t, w.Header())
			checkPage(t, page)
			for _, says := range tt.says {
				if !strings.Contains(page, says) {
					t.Errorf("%s: the page does not say %q", tt.query, says)
				}
			}
			if tt.golden != "" {
				checkGolden(t, tt.golden, page)
			}
		}
		time.Sleep(time.Hour) // the board is forgotten
	})
}

// Each offer of a looser search finds as many more as it says.
func TestLooserLinks(t *testing.T) {
	records := nurses(12, time.Now())
	for i := range records {
		records[i].Vacancy.Band = []string{"5", "6", "7"}[i%3]
	}
	f := searching(t, &shelf{records: records})
	ask := func(query string) *preview.Answer {
		w := do(f.handler, "GET", "/api/v1/preview?"+query, "")
		var a preview.Answer
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != 200 {
			t.Fatalf("%s: got %d %s, %v", query, w.Code, w.Body, err)
		}
		return &a
	}
	for _, query := range []string{"near=Leeds&band=6", "near=Leeds&band=5&max_months=6", "near=York&miles=15&band=5&band=6&band=7&remote=1"} {
		a := ask(query)
		if len(a.Loosenings) == 0 {
			t.Errorf("%s: nothing looser is offered", query)
		}
		for _, l := range a.Loosenings {
			if got := ask(l.Query).Forecast.Matches - a.Forecast.Matches; got != l.Adds {
				t.Errorf("%s: %q adds %d, said were %d", query, l.Change, got, l.Adds)
			}
		}
	}
}

// Whatever is put into the fields, and whatever an advert says, is shown as
// text.
func TestHostileForm(t *testing.T) {
	records := nurses(3, time.Now())
	v := &records[0].Vacancy
	v.Title, v.Employer, v.Reference, v.Contract, v.Duration = hostile, hostile, "C9001-26-x", hostile, hostile
	v.Salary = &vacancy.Salary{Text: hostile}
	v.Locations[0].Site, v.Locations[0].Town = hostile, hostile
	v.Specialties = []vacancy.Specialty{{ID: "oncology", Confidence: "stated", Evidence: "title: " + hostile}}
	for i, u := range []string{"javascript:alert(1)", "data:text/html,<script>alert(1)</script>", `https://x.example/"><script>alert(1)</script>`} {
		records[i].Vacancy.URL = u
	}
	f := searching(t, &shelf{records: records})
	empty := do(f.handler, "GET", "/search", "").Body.String()
	fields := map[string]bool{}
	doc, err := html.Parse(strings.NewReader(empty))
	if err != nil {
		t.Fatal(err)
	}
	walk(doc, func(n *html.Node) {
		if name, ok := attr(n, "name"); ok && n.Data != "meta" {
			fields[name] = true
		}
	})
	if len(fields) < 20 {
		t.Fatalf("the form has %d fields", len(fields))
	}
	attacks := []string{hostile, `"><script>alert(1)</script>`, `' onfocus=alert(1) autofocus='`, "</textarea><script>alert(1)</script>", "\xff\xfe\xc0\xaf",
		"javascript:alert(1)", "{{.}}", "-1", "1e309", strings.Repeat("9", 3000), strings.Repeat("é", 1500), strings.Repeat("(", 400), strings.Repeat("a OR ", 200), "a\r\nSet-Cookie: x=1"}
	check := func(query string) {
		t.Helper()
		w := do(f.handler, "GET", "/search?"+query, "")
		page := w.Body.String()
		if w.Code != 200 && w.Code != 400 {
			t.Errorf("%.80s: got %d", query, w.Code)
		}
		checkHeaders(t, w.Header())
		checkPage(t, page)
		if strings.Contains(page, "alert(1)</script>") || strings.Contains(page, "\u202e") && !strings.Contains(page, "id=\"results\"") {
			t.Errorf("%.80s: the page holds markup of the visitor", query)
		}
		j := do(f.handler, "GET", "/api/v1/preview?"+query, "")
		if !json.Valid(j.Body.Bytes()) || strings.Contains(j.Body.String(), "<script>") || j.Code != w.Code {
			t.Errorf("%.80s: as JSON got %d, page %d: %.200s", query, j.Code, w.Code, j.Body)
		}
		checkHeaders(t, j.Header())
	}
	for field := range fields {
		for _, attack := range attacks {
			check(url.Values{field: {attack}, "sponsorship": {"1"}}.Encode())
		}
		check(url.Values{field: {"1", "2", "1", "Leeds"}, "sponsorship": {"1"}}.Encode())
	}
	// Adverts, in an answer.
	for _, query := range []string{"near=Leeds&unstated=place", "specialty=oncology&unstated=specialty", "min_months=1&max_months=120", "keywords=nurse+OR+script"} {
		check(query)
	}
	page := do(f.handler, "GET", "/search?specialty=oncology&unstated=specialty", "").Body.String()
	if !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Error("the hostile advert is not among the matches: the test shows nothing")
	}
	for _, scheme := range []string{`href="javascript:`, `href="data:`} {
		if strings.Contains(page, scheme) {
			t.Errorf("a link to %s", scheme)
		}
	}
	// Names of parameters, and queries that are none.
	for _, query := range []string{"%3Cscript%3E=1&band=5", "near=%ZZ", "a;b", "&&&", "=x", strings.Repeat("band=5&", 1700), "near=" + strings.Repeat("x", preview.MaxQuery)} {
		w := do(f.handler, "GET", "/search?"+query, "")
		checkPage(t, w.Body.String())
		if w.Code != 200 && w.Code != 400 {
			t.Errorf("%.40s: got %d", query, w.Code)
		}
		if j := do(f.handler, "GET", "/api/v1/preview?"+query, ""); !json.Valid(j.Body.Bytes()) || j.Code != 400 && j.Code != 200 {
			t.Errorf("%.40s: as JSON got %d", query, j.Code)
		}
	}
}

func TestPreviewJSON(t *testing.T) {
	f := searching(t, &shelf{records: nurses(4, time.Now())})
	w := do(f.handler, "GET", "/api/v1/preview?near=Leeds&band=5&band=6", "")
	var a struct {
		Search   string
		Forecast struct{ Matches, Seen int }
		OpenNow  int `json:"open_now"`
		Newest   []struct {
			Vacancy struct{ Reference string }
			Why     string
		}
		Config string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("got %d, %v", w.Code, err)
	}
	if a.Search != "band 5 or 6, within 10 miles of Leeds" || a.Forecast.Matches != 4 || a.Forecast.Seen != 4 || a.OpenNow != 4 || len(a.Newest) != 4 ||
		a.Newest[0].Vacancy.Reference != "C9001-26-0000" || !strings.Contains(a.Newest[0].Why, "Band 5") || !strings.Contains(a.Config, `bands: ["5", "6"]`) {
		t.Errorf("got %+v", a)
	}
	w = do(f.handler, "GET", "/api/v1/preview?bands=5&keywords=(x", "")
	want := `{"title":"The search has faults","status":400,"errors":[` +
		`{"field":"keywords","detail":"\"(\" is never closed: put \")\" at the end of its group (at position 1)."},{"field":"bands","detail":"There is no such parameter."}]}`
	var got, wanted any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, got); diff != "" || w.Code != 400 || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d (-want +got):\n%s", w.Code, diff)
	}
}

// Those who are too many are sent away, soon, and what they filled in stays.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		tr := newTrial(&shelf{records: nurses(1, time.Now())}, nil)
		p := &public{site: newSite(nil, ""), o: PublicOptions{}, trial: tr}
		mux := http.NewServeMux()
		mux.HandleFunc("GET /search", p.searchPage)
		mux.HandleFunc("GET /api/v1/preview", p.previewJSON)
		f.handler = p.guard(mux)
		if w := do(f.handler, "GET", "/search?band=5", ""); w.Code != 200 {
			t.Fatalf("got %d", w.Code)
		}
		for range mostPreviews() {
			tr.running <- struct{}{} // previews that do not end
		}
		start := time.Now()
		w := do(f.handler, "GET", "/search?band=6", "")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != strconv.Itoa(tryAgain) || time.Since(start) != waitPreview {
			t.Errorf("got %d after %s", w.Code, time.Since(start))
		}
		checkPage(t, w.Body.String())
		if !strings.Contains(w.Body.String(), `value="6" checked`) {
			t.Error("what was filled in is gone")
		}
		for range mostWaiting {
			tr.waiting <- struct{}{}
		}
		start = time.Now()
		w = do(f.handler, "GET", "/api/v1/preview?band=6", "")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Content-Type") != "application/problem+json" || time.Since(start) > 0 {
			t.Errorf("beyond those that wait: got %d after %s", w.Code, time.Since(start))
		}
		for range mostWaiting {
			<-tr.waiting
		}
		<-tr.running
		if w := do(f.handler, "GET", "/search?band=6", ""); w.Code != 200 || len(tr.waiting) != 0 || len(tr.running) != mostPreviews()-1 {
			t.Errorf("once one has ended: got %d, %d wait, %d run", w.Code, len(tr.waiting), len(tr.running))
		}
		time.Sleep(time.Hour)
	})
}

func TestSearchWithoutStore(t *testing.T) {
	f := searching(t, &shelf{err: errStore})
	for path, kind := range map[string]string{"/search?band=5": "text/html; charset=utf-8", "/api/v1/preview?band=5": "application/problem+json"} {
		w := do(f.handler, "GET", path, "")
		if w.Code != 503 || w.Header().Get("Retry-After") != "60" || w.Header().Get("Content-Type") != kind || strings.Contains(w.Body.String(), "10.0.0.7") {
			t.Errorf("%s: got %d of type %s: %s", path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
	if !strings.Contains(f.log.String(), "10.0.0.7") {
		t.Error("the log does not say why")
	}
	if strings.Contains(f.log.String(), "band") {
		t.Errorf("the log says what was searched for: %s", f.log)
	}
	// A visitor whose patience ends first is nobody to answer.
	src := &shelf{hold: make(chan struct{})}
	f = searching(t, src)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", "/search?band=5", nil)
	w := &counting{header: http.Header{}}
	f.handler.ServeHTTP(w, r)
	close(src.hold)
	if w.n != 0 {
		t.Errorf("%d bytes for nobody", w.n)
	}
}

type counting struct {
	header http.Header
	n      int
}

func (c *counting) Header() http.Header { return c.header }
func (c *counting) WriteHeader(int)     {}
func (c *counting) Write(b []byte) (int, error) {
	c.n += len(b)
	return len(b), nil
}

// There is no page for what cannot be done, and no link to it.
func TestNoPreviews(t *testing.T) {
	f := newFixture(t, nil)
	if strings.Contains(do(f.handler, "GET", "/", "").Body.String(), "Try a search") {
		t.Error("a link leads nowhere")
	}
	if w := do(f.handler, "GET", "/search", ""); w.Code != 404 {
		t.Errorf("got %d", w.Code)
	}
	f = searching(t, &shelf{})
	page := do(f.handler, "GET", "/", "").Body.String()
	checkPage(t, page)
	if !strings.Contains(page, `<a href="search">Try a search</a>`) {
		t.Error("the status page does not lead to the search")
	}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		if w := do(f.handler, method, "/search?band=5", ""); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: got %d", method, w.Code)
		}
	}
	if w := do(f.handler, "HEAD", "/search?band=5", ""); w.Code != 200 {
		t.Errorf("HEAD: got %d", w.Code)
	}
}

func TestAdminPreviews(t *testing.T) {
	src := &shelf{records: nurses(4, time.Now())}
	o := adminOptions()
	if w := do(Admin(o), "POST", "/-/preview", "{}"); w.Code != 404 && w.Code != 405 {
		t.Errorf("without vacancies: got %d", w.Code)
	}
	o.Previews = src
	h := Admin(o)
	w := do(h, "POST", "/-/preview", `{"searches":[{"id":"a","bands":["5"]},{"id":"b","bands":["6"]}]}`)
	var reply PreviewReply
	if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil || w.Code != 200 || w.Header().Get(PreviewHeader) == "" {
		t.Fatalf("got %d %s, %v", w.Code, w.Body, err)
	}
	if len(reply.Answers) != 2 || reply.Answers[0].ID != "a" || reply.Answers[0].Forecast.Matches != 4 || reply.Answers[1].OpenNow != 0 {
		t.Errorf("got %+v", reply.Answers)
	}
	for _, tt := range []struct {
		body   string
		code   int
		header []string
	}{
		{"{", 400, nil},
		{`{"searches":[{"id":"a","bands":["10"]}]}`, 400, nil},
		{`{"searches":[{"id":"` + strings.Repeat("a", maxSearches) + `"}]}`, 400, nil},
		{`{"searches":[]}`, 200, nil},
		{`{"searches":[]}`, 403, []string{"Origin", "https://evil.example"}},
		{`{"searches":[]}`, 403, []string{"Sec-Fetch-Site", "none"}},
	} {
		if w := do(h, "POST", "/-/preview", tt.body, tt.header...); w.Code != tt.code {
			t.Errorf("%.40s %v: got %d %s, want %d", tt.body, tt.header, w.Code, w.Body, tt.code)
		}
	}
	src.err = errStore
	if w := do(h, "POST", "/-/preview", `{"searches":[]}`); w.Code != 503 || strings.Contains(w.Body.String(), "10.0.0.7") {
		t.Errorf("without a store: got %d %s", w.Code, w.Body)
	}
}
