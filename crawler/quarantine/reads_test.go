package quarantine

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler/nhsjobs"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

var update = flag.Bool("update", false, "rewrite the quarantine file in testdata")

// A reading is what every reader makes of a page.
type reading struct {
	Kind         nhsjobs.Kind
	API, Listing page.Listing
	Advert       vacancy.Vacancy
	Text         vacancy.Text
	Errs         [4]string
}

func readingOf(p page.Page) reading {
	var r reading
	var errs [4]error
	r.Kind, errs[0] = nhsjobs.Detect(p)
	r.API, errs[1] = nhsjobs.ReadAPI(p, 1, start)
	r.Listing, errs[2] = nhsjobs.ReadListing(p, 1)
	r.Advert, errs[3] = nhsjobs.ReadAdvert(p)
	r.Text = r.Advert.Text
	for i, err := range errs {
		if err != nil {
			r.Errs[i] = err.Error()
		}
	}
	return r
}

// checkReading holds what is read from the kept page against what was read
// from the page as it came.
func checkReading(t *testing.T, f *Folder, name string, p page.Page) {
	t.Helper()
	file, err := f.Keep(p, Entry{Source: "nhs-jobs"})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := Read(filepath.Join(f.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(readingOf(p), readingOf(got)); diff != "" {
		t.Errorf("%s (-as it came +as kept):\n%s", name, diff)
	}
	text := strings.ReplaceAll(strings.ToLower(string(got.Body)), noMail, "")
	for _, planted := range []string{"@", "01632 960", "0113 496", "020 7946", "_csrf\" value=\"c"} {
		if strings.Contains(text, planted) {
			t.Errorf("%s: %q is left", name, planted)
		}
	}
}

// TestReadsAsBefore keeps good and bad pages of all kinds, and reads the same
// from them.
func TestReadsAsBefore(t *testing.T) {
	f, _ := open(t)
	files, err := filepath.Glob("../nhsjobs/testdata/*")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil || strings.HasSuffix(file, ".json") && !strings.Contains(file, "bad-") {
			continue
		}
		checkReading(t, f, file, page.Page{URL: nhsjobs.ListingURL("", 1), Body: body})
	}

	for _, fault := range []string{"", "html", "soft404", "silent", "nothing", "login", "total", "short=3", "duplicate", "page-one", "wrong=employer",
		"rename=search-result-job-title", "no-ids", "missing=title", "missing=closing", "missing=employer", "missing=reference", "swap=names", "swap=dates",
		"commas", "root=vacancies", "element=contact", "truncated", "503"} {
		site := simulator.New(simulator.Options{Seed: 11, Now: func() time.Time { return start }, Live: 130, Quiet: true, MinGap: -1})
		adverts, err := nhsjobs.ReadListing(get(site, nhsjobs.ListingURL("", 1)), 1)
		if err != nil || len(adverts.Vacancies) == 0 {
			t.Fatalf("the simulator's listing: %v", err)
		}
		if fault != "" {
			faults, err := simulator.ParseFaults(strings.NewReader("any " + fault))
			if err != nil {
				t.Fatal(err)
			}
			if err := site.SetFaults(faults...); err != nil {
				t.Fatal(err)
			}
		}
		addresses := []string{nhsjobs.APIURL("", 1), nhsjobs.APIURL("", 900), nhsjobs.ListingURL("", 1), "https://www.jobs.nhs.uk/none"}
		for _, v := range adverts.Vacancies[:1] {
			addresses = append(addresses, v.URL)
		}
		for _, address := range addresses {
			checkReading(t, f, fault+" "+address, get(site, address))
		}
	}
}

func get(site http.Handler, address string) page.Page {
	w := httptest.NewRecorder()
	site.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
	return page.Page{URL: address, Status: w.Code, ContentType: w.Header().Get("Content-Type"), Body: w.Body.Bytes()}
}

// TestGolden reads a file as it was written when the format was made: what is
// in a folder must stay readable.
func TestGolden(t *testing.T) {
	const golden = "testdata/listing.page.gz"
	body, err := os.ReadFile("../nhsjobs/testdata/listing-defects.html")
	if err != nil {
		t.Fatal(err)
	}
	p := page.Page{URL: nhsjobs.ListingURL("", 8), Status: 200, ContentType: "text/html;charset=UTF-8", Body: body}
	l, err := nhsjobs.ReadListing(p, 8)
	if err != nil || len(l.Defects) == 0 {
		t.Fatalf("the fixture has the defects %q, %v", l.Defects, err)
	}
	if *update {
		data, err := encode(p, Entry{Source: "nhs-jobs", Run: "17", Tier: "sweep", Feed: "html", Defects: l.Defects,
			Header: http.Header{"Date": {"Wed, 09 Sep 2026 16:00:00 GMT"}}, Fingerprint: "html-0123456789abcdef", At: start})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, entry, err := Read(golden)
	if err != nil {
		t.Fatal(err)
	}
	want := Entry{Source: "nhs-jobs", Run: "17", Tier: "sweep", Feed: "html", Defects: l.Defects,
		Header: http.Header{"Date": {"Wed, 09 Sep 2026 16:00:00 GMT"}}, Fingerprint: "html-0123456789abcdef", At: start}
	if diff := cmp.Diff(want, entry); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
	now, err := nhsjobs.ReadListing(got, 8)
	if diff := cmp.Diff(l, now); err != nil || diff != "" {
		t.Errorf("%v (-as it came +as kept):\n%s", err, diff)
	}
}
