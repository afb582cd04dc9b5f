package nhsjobs

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// fetched is when the fixtures were fetched, as far as a reader is concerned.
var fetched = time.Date(2026, 9, 9, 16, 0, 0, 0, time.UTC)

// A fixture is a page in the site's markup with invented employers and
// people; only the seed adverts carry the facts of a real one.
type fixture struct {
	file, url string
	number    int // of the page
	kind      Kind
}

var fixtures = []fixture{
	{"api-page.xml", APIURL("", 1), 1, KindAPI},
	{"api-clocks.xml", "", 1, KindAPI},
	{"api-defects.xml", APIURL("", 1), 1, KindAPI},
	{"api-empty.xml", APIURL("", 1), 1, KindAPI},
	{"listing-first.html", ListingURL("", 1), 1, KindListing},
	{"listing-saved.html", "", 0, KindListing},
	{"listing-last.html", ListingURL("", 205), 205, KindListing},
	{"listing-one.html", ListingURL("", 1), 1, KindListing},
	{"listing-none.html", ListingURL("", 1), 1, KindListing},
	{"listing-defects.html", ListingURL("", 8), 8, KindListing},
	{"advert-seed-ids.html", "https://beta.jobs.nhs.uk/candidate/jobadvert/C9259-26-0123?language=en", 0, KindAdvert},
	{"advert-seed-labels.html", "", 0, KindAdvert},
	{"advert-doctor-ids.html", "/candidate/jobadvert/C9901-26-0150", 0, KindAdvert},
	{"advert-doctor-labels.html", AdvertURL("", "C9901-26-0150"), 0, KindAdvert},
	{"advert-hospice.html", "", 0, KindAdvert},
}

// planted are the contacts in the fixtures: nothing of them may be read.
var planted = []string{"jo example", "jo planted", "ada planted", "jo.", "ada.", "@", "0113", "496 0", "ext 4567", "020 7946", "press.office"}

func load(t testing.TB, file, url string) page.Page {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return page.Page{URL: url, Status: 200, Body: body}
}

// read reads a fixture. An advert is a listing of one.
func (f fixture) read(t testing.TB) page.Listing {
	t.Helper()
	p := load(t, f.file, f.url)
	var l page.Listing
	var err error
	switch f.kind {
	case KindAPI:
		l, err = ReadAPI(p, f.number, fetched)
	case KindListing:
		l, err = ReadListing(p, f.number)
	default:
		var v vacancy.Vacancy
		v, err = ReadAdvert(p)
		l.Vacancies = []vacancy.Vacancy{v}
	}
	if err != nil {
		t.Fatalf("read %s: %v", f.file, err)
	}
	return l
}

func TestGolden(t *testing.T) {
	for _, f := range fixtures {
		t.Run(f.file, func(t *testing.T) {
			l := f.read(t)
			var got bytes.Buffer
			for _, v := range l.Vacancies {
				b, err := json.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				got.Write(append(b, '\n'))
			}
			golden(t, f.file+".want.json", got.Bytes())
			if f.kind == KindAdvert {
				b, err := json.MarshalIndent(l.Vacancies[0].Text, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				golden(t, f.file+".text.json", append(b, '\n'))
			}
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// TestLaws holds what is true of every page, whatever stands on it.
func TestLaws(t *testing.T) {
	for _, f := range fixtures {
		l := f.read(t)
		for i, v := range l.Vacancies {
			if v.Reference == "" || v.Schema != vacancy.Schema {
				t.Errorf("%s %d: no reference or schema: %+v", f.file, i, v)
			}
			if v.URL != AdvertURL(DefaultBase, v.Reference) || !strings.HasPrefix(v.URL, "https://www.jobs.nhs.uk/candidate/jobadvert/") {
				t.Errorf("%s %d: the link is %q", f.file, i, v.URL)
			}
			if len(l.Defects) == 0 && (v.Title == "" || v.Employer == "") {
				t.Errorf("%s %d: no title or employer, and no defect", f.file, i)
			}
			if v.PageUnread != (f.kind != KindAdvert) {
				t.Errorf("%s %d: page unread is %t", f.file, i, v.PageUnread)
			}
			all, err := json.Marshal(struct {
				V vacancy.Vacancy
				T vacancy.Text
			}{v, v.Text})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range planted {
				if strings.Contains(strings.ToLower(string(all)), p) {
					t.Errorf("%s %d: the contact %q was read: %s", f.file, i, p, all)
				}
			}
		}
		for _, d := range l.Defects {
			if !slices.Contains(page.Defects(), d) {
				t.Errorf("%s: %q is no reason of a defect", f.file, d)
			}
		}
		kind, err := Detect(load(t, f.file, f.url))
		if err != nil || kind != f.kind {
			t.Errorf("Detect(%s) = %q, %v; want %q", f.file, kind, err, f.kind)
		}
	}
}

// TestUnknownLayout gives every reader what it must not take for its own.
func TestUnknownLayout(t *testing.T) {
	readers := map[string]func(page.Page) error{
		"api":     func(p page.Page) error { _, err := ReadAPI(p, 1, fetched); return err },
		"listing": func(p page.Page) error { _, err := ReadListing(p, 1); return err },
		"advert":  func(p page.Page) error { _, err := ReadAdvert(p); return err },
	}
	tests := []struct{ file, contentType, says string }{
		{"bad-error.json", "application/json", "JSON where"},
		{"bad-error.json", "application/xml", "JSON where"},
		{"bad-error.json", "text/html", "JSON where"},
		{"bad-error.json", "", "JSON where"},
		{"bad-notice.html", "text/html; charset=utf-8", ""},
		{"bad-notice.html", "application/xml", ""},
		{"bad-notice.html", "", ""},
		{"bad-root.xml", "application/xml", ""},
		{"bad-root.xml", "", ""},
		{"bad-text.txt", "text/plain", "neither XML nor HTML where"},
		{"bad-text.txt", "text/html", ""},
		{"bad-text.txt", "application/xml", ""},
		{"bad-silent.html", "text/html", ""},
		{"bad-no-cards.html", "text/html", ""},
		{"bad-cut.html", "text/html", ""},
		{"bad-place.html", "text/html", ""},
		{"bad-closed.html", "text/html", ""},
	}
	for _, tt := range tests {
		p := load(t, tt.file, "")
		p.ContentType = tt.contentType
		for name, read := range readers {
			err := read(p)
			if !errors.Is(err, page.ErrLayout) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s reader, %s as %q: %v, want an unknown layout that says %q", name, tt.file, tt.contentType, err, tt.says)
			}
		}
	}
	for _, body := range []string{"", " \n\t", "\xef\xbb\xbf", "<", "<!--", "<?xml", "null", "[]", "<html></html>", "<p></p>", "\x00\x01", "<nhsjobs/>"} {
		for name, read := range readers {
			if err := read(page.Page{Body: []byte(body)}); !errors.Is(err, page.ErrLayout) {
				t.Errorf("%s reader, %q: %v, want an unknown layout", name, body, err)
			}
		}
		if kind, err := Detect(page.Page{Body: []byte(body)}); !errors.Is(err, page.ErrLayout) {
			t.Errorf("Detect(%q) = %q, %v; want an unknown layout", body, kind, err)
		}
	}
	// Each reader refuses the pages of the others.
	for _, f := range fixtures {
		for name, read := range readers {
			if err := read(load(t, f.file, f.url)); Kind(name) != f.kind && !errors.Is(err, page.ErrLayout) {
				t.Errorf("%s reader, %s: %v, want an unknown layout", name, f.file, err)
			}
		}
	}
	for _, file := range []string{"bad-notice.html", "bad-closed.html", "bad-silent.html", "bad-cut.html", "bad-error.json", "bad-root.xml"} {
		if kind, err := Detect(load(t, file, "")); !errors.Is(err, page.ErrLayout) {
			t.Errorf("Detect(%s) = %q, %v; want an unknown layout", file, kind, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	tests := []struct{ got, want string }{
		{APIURL("", 3), "https://www.jobs.nhs.uk/api/v1/search_xml?externalOnly=true&limit=100&page=3&sort=publicationDateDesc"},
		{APIURL("http://127.0.0.1:8080/", 0), "http://127.0.0.1:8080/api/v1/search_xml?externalOnly=true&limit=100&page=1&sort=publicationDateDesc"},
		{ListingURL("", 2), "https://www.jobs.nhs.uk/candidate/search/results?language=en&page=2&sort=publicationDateDesc"},
		{AdvertURL("", "C9259-26-0123"), "https://www.jobs.nhs.uk/candidate/jobadvert/C9259-26-0123"},
		{AdvertURL("http://127.0.0.1:8080", "A/B c"), "http://127.0.0.1:8080/candidate/jobadvert/A%2FB%20c"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
}

func TestReferenceIn(t *testing.T) {
	for address, want := range map[string]string{
		"/candidate/jobadvert/U0080-26-0000?employer=A%20B&page=1":        "U0080-26-0000",
		"https://beta.jobs.nhs.uk/candidate/jobadvert/C9165-26-05-052a#x": "C9165-26-05-052a",
		" /candidate/jobadvert/C9259%2D26-0123 ":                          "C9259-26-0123",
		"/candidate/jobadvert/":                                           "",
		"/candidate/jobadvert/..":                                         "",
		"/candidate/jobadvert/a%2Fb":                                      "",
		"/candidate/jobadvert/a%20b":                                      "",
		"/candidate/search/save-job/U0080-26-0000":                        "",
		"/candidate/search/results?x=/candidate/jobadvert/U0080-26-0000":  "",
		"":              "",
		"http://[::1":   "",
		"advert.html":   "",
		"%zz/jobadvert": "",
	} {
		if got := referenceIn(address, advertPath); got != want {
			t.Errorf("referenceIn(%q) = %q, want %q", address, got, want)
		}
	}
}
