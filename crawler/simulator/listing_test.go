package simulator

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
)

func TestEveryPageOfResults(t *testing.T) {
	for seed := range uint64(6) {
		s, _ := open(Options{Seed: seed, Live: 47, Quirks: Quirks{Optional: "shown"}})
		var all []string
		for page := 1; page <= 5; page++ {
			d := document(t, s, fmt.Sprintf("/candidate/search/results?sort=publicationDateDesc&page=%d&language=en", page))
			heading := d.Find(`h1[data-test="search-result-query"]`)
			if got := squash(heading.Text()); got != "47 jobs found" {
				t.Errorf("page %d has the heading %q", page, got)
			}
			all = append(all, cards(d)...)
			d.Find(`li[data-test="search-result"]`).Each(func(i int, c *goquery.Selection) {
				for _, hook := range []string{"salary", "publicationDate", "closingDate", "jobType", "workingPattern"} {
					if squash(c.Find(`li[data-test="search-result-`+hook+`"] strong`).Text()) == "" {
						t.Errorf("page %d, card %d: no %s", page, i, hook)
					}
				}
				if _, first := c.Find(`#first-result-title`).Attr("href"); first != (i == 0) {
					t.Errorf("page %d, card %d: first-result-title %v", page, i, first)
				}
				if n := c.Find(fmt.Sprintf("#job-title-%d", i+1)).Length(); n != 1 {
					t.Errorf("page %d: job-title-%d stands %d times", page, i+1, n)
				}
			})
			next := d.Find(`a[data-test="search-next-page"]`)
			if page == 5 != (next.Length() == 0) {
				t.Errorf("page %d has %d next links", page, next.Length())
			}
			if want := fmt.Sprintf("Page %d of 5", page+1); page < 5 && !strings.Contains(next.Text(), want) {
				t.Errorf("page %d leads to %q, want %q", page, squash(next.Text()), want)
			}
			if n := d.Find(`input[name="_csrf"]`).Length(); n < 3 {
				t.Errorf("page %d has %d tokens", page, n)
			}
		}
		if len(all) != 47 {
			t.Errorf("seed %d: %d cards, want 47", seed, len(all))
		}
		seen := map[string]bool{}
		for _, r := range all {
			if seen[r] {
				t.Errorf("%s stands twice", r)
			}
			seen[r] = true
		}
	}
}

func TestTheServedBytes(t *testing.T) {
	s, _ := open(Options{Quiet: true, Live: -1})
	a := nurse()
	a.Title = "Nurse "
	a.Sites = append(a.Sites, Place{Town: "CRAWLEY", Postcode: "RH10 8GN"}, Place{Town: "Grimsby, Hull, Scunthorpe and Goole", Postcode: "DN33 2BA"})
	s.Publish(a)
	page := get(s, "/candidate/search/results?employer=Tarnmere%20NHS%20Trust&made+up=1&page=1").Body.String()
	for _, want := range []string{
		strings.Repeat("\n", 33) + "<!DOCTYPE html>\n<!--[if",
		`data-test='search-result-query'`,
		"Leeds LS9 7TF, \n            \n              CRAWLEY RH10 8GN, \n            \n              Grimsby, Hull, Scunthorpe and Goole DN33 2BA\n",
		`?employer=Tarnmere%20NHS%20Trust&amp;made%20up=1&amp;page=1&amp;language=en"`,
		"Save this job: Nurse  (Reference number: C9901-26-",
		"£32,073 to £39,043\n                  \n                    a year\n",
		"Full time, Part time",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(page, "<nav class=\"nhsuk-pagination\"") {
		t.Error("a single page has a pagination")
	}
}

func TestNothingFound(t *testing.T) {
	s, _ := open(Options{})
	for _, query := range []string{"jobReference=INVALID-REF-9999", "keyword=-----", "keyword=%40%40%40%23%23%23"} {
		d := document(t, s, "/candidate/search/results?"+query)
		if got := squash(d.Find(`h1#search-results-heading`).Text()); !strings.HasPrefix(got, "No result found for ") {
			t.Errorf("%s: heading %q", query, got)
		}
		if d.Find("#no-result-title").Length() != 1 || d.Find("ul.search-results, nav.nhsuk-pagination, form[name=sortform]").Length() != 0 {
			t.Errorf("%s: not the page of nothing", query)
		}
		if d.Find(`ul.ad-job-info`).Length() == 0 {
			t.Errorf("%s: the class that misleads is missing", query)
		}
	}
	for _, place := range []string{"-----", "CV333+4DDD", "Londn"} {
		d := document(t, s, "/candidate/search/results?location="+place)
		if got := d.Find(`h2[data-test="search-result-query"]`).Text(); got != "Location not found" {
			t.Errorf("location %s: %q", place, got)
		}
	}
}

func TestBeyondTheLastPage(t *testing.T) {
	for quirk, want := range map[string]string{"nothing": "No result found", "last": "25 jobs found", "soft404": "Service Domain Information"} {
		s, _ := open(Options{Live: 25, Quirks: Quirks{Beyond: quirk}})
		if got := squash(document(t, s, "/candidate/search/results?page=9").Find("h1").Text()); !strings.HasPrefix(got, want) {
			t.Errorf("%s: heading %q, want %q", quirk, got, want)
		}
	}
}

func TestRepeatedParameters(t *testing.T) {
	s, _ := open(Options{Quirks: Quirks{Repeats: "first"}})
	if got := get(s, "/candidate/search/results?payBand=BAND_2&payBand=BAND_3").Code; got != 400 {
		t.Errorf("payBand twice: %d", got)
	}
	if got := get(s, "/candidate/search/results?staffGroup=STUDENTS&staffGroup=STUDENTS").Code; got != 200 {
		t.Errorf("staffGroup twice: %d", got)
	}
}

func TestStaffGroupsDivideTheBoard(t *testing.T) {
	s, _ := open(Options{Live: 400})
	sum := 0
	for _, g := range []string{"CLINICAL_SERVICES", "PROF_SCIENTIFIC_AND_TECHNICAL", "ADMINISTRATIVE_AND_CLERICAL", "ALLIED_HEALTH_PROF",
		"ESTATES_AND_ANCILLARY", "HEALTHCARE_SCIENTISTS", "MEDICAL_AND_DENTAL", "NURSING_AND_MIDWIFERY_REGD", "STUDENTS"} {
		var n int
		f := apiFeed(t, s, "limit=100&staffGroup="+g)
		fmt.Sscan(f.TotalResults, &n)
		sum += n
	}
	if sum != 400 {
		t.Errorf("the groups sum up to %d of 400", sum)
	}
}

func TestSearchIsLoose(t *testing.T) {
	s, _ := open(Options{Live: 2000, Quiet: true})
	a := nurse()
	a.Printed = "901-RM-26-V945"
	ref := s.Publish(a)
	count := func(query string) (n int) {
		fmt.Sscan(document(t, s, "/candidate/search/results?"+query).Find("h1").Text(), &n)
		return n
	}
	if n := count("keyword=zxqv+wqfj"); n != 2001 {
		t.Errorf("nonsense finds %d, want the whole board", n)
	}
	either, both := count("keyword=nurse"), count("keyword=nurse+records")
	if both <= either || both < 800 {
		t.Errorf("one word finds %d, two find %d: the words are not joined by or", either, both)
	}
	for _, number := range []string{ref, a.Printed} {
		if got := cards(document(t, s, "/candidate/search/results?jobReference="+number+"&keyword=porter")); !cmp.Equal(got, []string{ref}) {
			t.Errorf("jobReference=%s finds %v", number, got)
		}
	}
	if got := cards(document(t, s, "/candidate/search/results?jobReference="+strings.ToLower(ref))); len(got) != 0 {
		t.Errorf("case does not matter: %v", got)
	}
	own := cards(document(t, s, "/candidate/search/results?employer=Tarnmere+NHS+Trust"))
	if len(own) < 2 || own[0] != ref {
		t.Errorf("employer= finds %v: first its own, then others", own)
	}
	if n := count("employer=Zxqv+Wqfj"); n < 20 || n > 400 {
		t.Errorf("an employer nobody has finds %d", n)
	}
	near, far := count("location=Leeds&distance=5"), count("location=Leeds&distance=100")
	if near == 0 || near >= far || far >= 2001 {
		t.Errorf("5 miles find %d, 100 find %d", near, far)
	}
	if n := count("location=LS9+7TF"); n != 2001 {
		t.Errorf("a place without a distance finds %d, want all", n)
	}
	if n := count("payBand=BAND_5,BAND_6&payRange=30-40&contractType=Permanent&workingPattern=part-time"); n == 0 || n > 500 {
		t.Errorf("filters leave %d", n)
	}
}

func TestSortedListings(t *testing.T) {
	s, _ := open(Options{Live: 200})
	for sort, later := range map[string]func(a, b *Advert) bool{
		"publicationDateDesc": func(a, b *Advert) bool { return b.Posted.After(a.Posted) },
		"closingDate":         func(a, b *Advert) bool { return b.Closing < a.Closing },
		"salaryAsc":           func(a, b *Advert) bool { return b.Salary.Min < a.Salary.Min },
		"salaryDesc":          func(a, b *Advert) bool { return b.Salary.Max > a.Salary.Max },
	} {
		f := apiFeed(t, s, "limit=100&sort="+sort)
		if len(f.Rows) != 100 {
			t.Fatalf("%s: %d rows", sort, len(f.Rows))
		}
		for i := 1; i < 100; i++ {
			if a, b := s.board.byRef[f.Rows[i-1].Reference].now(), s.board.byRef[f.Rows[i].Reference].now(); later(a, b) {
				t.Errorf("%s: row %d stands too late", sort, i)
			}
		}
	}
	best, again := apiFeed(t, s, "limit=100"), apiFeed(t, s, "limit=100&sort=")
	newest := apiFeed(t, s, "limit=100&sort=publicationDateDesc")
	if !cmp.Equal(best.refs(), again.refs()) || cmp.Equal(best.refs(), newest.refs()) {
		t.Error("best match, the order without sort, is not one of its own")
	}
}

func TestRowsShift(t *testing.T) {
	s, c := open(Options{Live: 500, PerWeekday: 2000})
	before := cards(document(t, s, "/candidate/search/results?sort=publicationDateDesc&page=2"))
	c.pass(time.Hour)
	after := cards(document(t, s, "/candidate/search/results?sort=publicationDateDesc&page=2"))
	if cmp.Equal(before, after) {
		t.Error("an hour of posting does not move page 2")
	}
}

func TestFormsAndLocale(t *testing.T) {
	s, _ := open(Options{})
	if w := get(s, "/candidate/search/locale/cy"); w.Code != 302 || w.Header().Get("Location") == "" {
		t.Errorf("locale: %d", w.Code)
	}
	r := requestPost("/candidate/search/results", "_csrf=x&keyword=nurse&payBand=BAND_2&payBand=BAND_3&location=")
	w := record(s, r)
	if got, want := w.Header().Get("Location"), "/candidate/search/results?keyword=nurse&language=en&payBand=BAND_2%2CBAND_3"; w.Code != 302 || got != want {
		t.Errorf("the form leads to %d %s, want %s", w.Code, got, want)
	}
	for _, path := range []string{"/robots.txt", "/sitemap.xml", "/feed"} {
		w := get(s, path)
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || !strings.Contains(w.Body.String(), "Service Domain Information") {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
	}
}

var apiTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{3,9})?)?$`)

func TestAPI(t *testing.T) {
	for seed := range uint64(12) {
		s, _ := open(Options{Seed: seed, Live: 230, Quiet: true})
		f := apiFeed(t, s, "sort=publicationDateDesc&limit=400&page=1&pageSize=7")
		if len(f.Rows) != 100 || f.TotalPages != "3" || f.TotalResults != "230" || f.XMLName.Local != "nhsJobs" {
			t.Fatalf("got %d rows, %s pages, %s results in %s", len(f.Rows), f.TotalPages, f.TotalResults, f.XMLName.Local)
		}
		for _, r := range f.Rows {
			if !apiTime.MatchString(r.PostDate) || len(r.CloseDate) != 10 || r.Title == "" || r.Employer == "" || r.Type == "" || r.Salary == "" || r.ID == 0 {
				t.Errorf("odd row %+v", r)
			}
			if n := len([]rune(r.Description)); n > 153 || n == 153 && !strings.HasSuffix(r.Description, "...") {
				t.Errorf("the description is %q", r.Description)
			}
			if len(r.Location)+len(r.Nested) == 0 || len(r.Location) > 0 == (s.quirks.Nesting == "nested") {
				t.Errorf("places %v %v", r.Location, r.Nested)
			}
			if strings.Contains(r.Salary, "a year") && s.quirks.SalaryUnit == "no" {
				t.Errorf("a unit in %q", r.Salary)
			}
		}
		last := apiFeed(t, s, "sort=publicationDateDesc&limit=100&page=3")
		beyond := apiFeed(t, s, "sort=publicationDateDesc&limit=100&page=130")
		if len(last.Rows) != 30 || len(beyond.Rows) != 0 || beyond.TotalResults != "230" {
			t.Errorf("last page %d, beyond %d of %s", len(last.Rows), len(beyond.Rows), beyond.TotalResults)
		}
		if f := apiFeed(t, s, "location=Nowhere-at-all"); f.TotalResults != "0" || f.TotalPages != "0" || len(f.Rows) != 0 {
			t.Errorf("nothing found is %+v", f)
		}
		if f := apiFeed(t, s, ""); len(f.Rows) != 10 {
			t.Errorf("the default limit gives %d", len(f.Rows))
		}
	}
}

func TestAPIErrorsAreJSON(t *testing.T) {
	s, _ := open(Options{})
	for path, want := range map[string]int{
		"/api/v1/search_xml?limit=100&page=500":            400,
		"/api/v1/search_xml?limit=100&page=0":              400,
		"/api/v1/search_xml?limit=x":                       400,
		"/api/v1/search_xml?payBand=BAND_2&payBand=BAND_3": 400,
		"/api/v1/search_xml?publishedFrom=1+March":         400,
		"/api/v1/search?keyword=nurse":                     403,
	} {
		w := get(s, path)
		if w.Code != want || w.Header().Get("Content-Type") != "application/json" || !strings.HasPrefix(w.Body.String(), "{") {
			t.Errorf("%s: %d %s %s, want %d in JSON", path, w.Code, w.Header().Get("Content-Type"), w.Body, want)
		}
	}
	for accept, want := range map[string]int{"application/json": 406, "application/xml": 200, "*/*": 200, "text/html, application/xml;q=0.9": 200} {
		r := request("/api/v1/search_xml")
		r.Header.Set("Accept", accept)
		if w := record(s, r); w.Code != want {
			t.Errorf("Accept: %s gives %d, want %d", accept, w.Code, want)
		}
	}
}

func TestQuirksOfTheAPI(t *testing.T) {
	posted := nurse()
	posted.Posted = at("2026-09-01T00:30:00Z").Add(0)
	for _, c := range []struct {
		quirks Quirks
		query  string
		want   func(f feed) bool
	}{
		{Quirks{Precision: "java"}, "limit=1", func(f feed) bool { return f.Rows[0].PostDate == "2026-09-01T01:30" }},
		{Quirks{Precision: "9"}, "limit=1", func(f feed) bool { return f.Rows[0].PostDate == "2026-09-01T01:30:00.000000000" }},
		{Quirks{SalaryUnit: "no"}, "limit=1", func(f feed) bool { return f.Rows[0].Salary == "£32073.00 to £39043.00" }},
		{Quirks{SalaryUnit: "yes"}, "limit=1", func(f feed) bool { return f.Rows[0].Salary == "£32,073 to £39,043 a year" }},
		{Quirks{Nesting: "nested"}, "limit=1", func(f feed) bool { return cmp.Equal(f.Rows[0].Nested, []string{"Leeds, LS9 7TF"}) }},
		{Quirks{PublishedFrom: "from"}, "publishedFrom=2026-09-01", func(f feed) bool { return len(f.Rows) == 1 }},
		{Quirks{PublishedFrom: "after"}, "publishedFrom=2026-09-01", func(f feed) bool { return len(f.Rows) == 0 }},
		{Quirks{XMLReference: "exact"}, "jobReference=x", func(f feed) bool { return len(f.Rows) == 0 }},
		{Quirks{XMLReference: "ignored"}, "jobReference=x", func(f feed) bool { return len(f.Rows) == 1 }},
		{Quirks{PageAlone: "ignored"}, "page=2", func(f feed) bool { return len(f.Rows) == 1 }},
		{Quirks{PageAlone: "heeded"}, "page=2", func(f feed) bool { return len(f.Rows) == 0 }},
		{Quirks{URL: "www"}, "limit=1", func(f feed) bool {
			return strings.HasPrefix(f.Rows[0].URL, "https://www.jobs.nhs.uk/candidate/jobadvert/C9901-26-")
		}},
	} {
		s, _ := open(Options{Quiet: true, Live: -1, Quirks: c.quirks})
		s.Publish(posted)
		if f := apiFeed(t, s, c.query); !c.want(f) {
			t.Errorf("%+v: %s gives %+v", c.quirks, c.query, f)
		}
	}
}
