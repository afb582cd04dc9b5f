package simulator

import (
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// clock is a clock that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time          { return c.t }
func (c *clock) pass(d time.Duration)    { c.t = c.t.Add(d) }
func at(s string) time.Time              { t, _ := time.Parse(time.RFC3339, s); return t }
func date(s string, hours int) time.Time { return Day(s).At(hours, 0) }

// open makes a small site and its clock; a Tuesday morning unless told.
func open(o Options) (*Site, *clock) {
	c := &clock{at("2026-09-01T08:00:00Z")}
	if !o.Start.IsZero() {
		c.t = o.Start
	}
	o.Now = c.now
	if o.Live == 0 {
		o.Live = 300
	}
	if o.MinGap == 0 {
		o.MinGap = -1
	}
	return New(o), c
}

func get(s *Site, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "https://www.jobs.nhs.uk"+path, nil))
	return w
}

func document(t *testing.T, s *Site, path string) *goquery.Document {
	t.Helper()
	w := get(s, path)
	if w.Code != 200 {
		t.Fatalf("GET %s: status %d", path, w.Code)
	}
	d, err := goquery.NewDocumentFromReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// feed is an answer of the API, read without any code of this package.
type feed struct {
	XMLName xml.Name
	Rows    []struct {
		ID          int64    `xml:"id"`
		Reference   string   `xml:"reference"`
		Title       string   `xml:"title"`
		Description string   `xml:"description"`
		Employer    string   `xml:"employer"`
		Type        string   `xml:"type"`
		Salary      string   `xml:"salary"`
		CloseDate   string   `xml:"closeDate"`
		PostDate    string   `xml:"postDate"`
		URL         string   `xml:"url"`
		Location    []string `xml:"locations>location"`
		Nested      []string `xml:"locations>locations"`
	} `xml:"vacancyDetails"`
	TotalPages   string `xml:"totalPages"`
	TotalResults string `xml:"totalResults"`
}

func (f *feed) refs() []string {
	var refs []string
	for _, r := range f.Rows {
		refs = append(refs, r.Reference)
	}
	return refs
}

func apiFeed(t *testing.T, s *Site, query string) feed {
	t.Helper()
	w := get(s, "/api/v1/search_xml?"+query)
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/xml") {
		t.Fatalf("GET %s: status %d, %s", query, w.Code, w.Header().Get("Content-Type"))
	}
	var f feed
	if err := xml.Unmarshal(w.Body.Bytes(), &f); err != nil {
		t.Fatalf("%v in\n%s", err, w.Body)
	}
	return f
}

// cards returns the references on a page of results.
func cards(d *goquery.Document) []string {
	return d.Find(`li[data-test="search-result"]`).Map(func(_ int, c *goquery.Selection) string {
		href, _ := c.Find(`a[data-test="search-result-job-title"]`).Attr("href")
		path, _, _ := strings.Cut(href, "?")
		return path[strings.LastIndex(path, "/")+1:]
	})
}

func squash(s string) string { return strings.Join(strings.Fields(s), " ") }

// nurse is an advert for stories.
func nurse() Advert {
	return Advert{Title: "Staff Nurse", Employer: "Tarnmere NHS Trust", Account: "C9901", PayScheme: "Agenda for change", Band: "5",
		StaffGroup: "NURSING_AND_MIDWIFERY_REGD", Salary: Salary{Min: 32073, Max: 39043, Unit: "year", Text: "per annum"},
		Contract: "Permanent", Patterns: []string{"full-time", "part-time"}, Closing: "2026-09-15",
		Sites:   []Place{{Name: "Tarnmere General", Town: "Leeds", County: "West Yorkshire", Postcode: "LS9 7TF"}},
		Summary: []string{"We need a nurse for our Renal Service & its dialysis unit."},
		Duties:  []string{"Care."}, About: []string{"We have a haematology service."}, Description: []string{"Kindness."},
		Contact: Contact{Role: "Matron", Name: "Jo Example", Email: "jo.example@nhs.example", Phone: "01632 960123"}}
}

func request(path string) *http.Request {
	return httptest.NewRequest("GET", "https://www.jobs.nhs.uk"+path, nil)
}

func requestPost(path, form string) *http.Request {
	r := httptest.NewRequest("POST", "https://www.jobs.nhs.uk"+path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func record(s *Site, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}
