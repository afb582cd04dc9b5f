package nhsjobs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// addFixtures adds every fixture to the seeds of a fuzz target.
func addFixtures(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*ml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"status":406}`))
}

func checkListing(t *testing.T, l page.Listing, err error) {
	t.Helper()
	if err != nil {
		if len(l.Vacancies) > 0 {
			t.Fatalf("%d vacancies and the error %v", len(l.Vacancies), err)
		}
		return
	}
	if l.Empty && (len(l.Vacancies) > 0 || l.Total != 0) {
		t.Fatalf("an empty page with %d vacancies, total %d", len(l.Vacancies), l.Total)
	}
	for _, d := range l.Defects {
		if !slices.Contains(page.Defects(), d) {
			t.Fatalf("unknown defect %q", d)
		}
	}
	for _, v := range l.Vacancies {
		checkVacancy(t, v, len(l.Defects) == 0)
	}
}

func checkVacancy(t *testing.T, v vacancy.Vacancy, whole bool) {
	t.Helper()
	if !usable(v.Reference) || v.URL != AdvertURL("", v.Reference) || whole && (v.Title == "" || v.Employer == "") {
		t.Fatalf("vacancy %q of %q with reference %q at %q", v.Title, v.Employer, v.Reference, v.URL)
	}
	for _, s := range []string{v.Title, v.Duration, v.Text.Summary, v.Text.Duties, v.Text.Description, v.Text.Requirements, v.Salary.String()} {
		if contactIn(s) {
			t.Fatalf("a contact is left in %q", s)
		}
	}
}

func FuzzReadAPI(f *testing.F) {
	addFixtures(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		l, err := ReadAPI(page.Page{URL: APIURL("", 1), Body: body}, 1, fetched)
		checkListing(t, l, err)
	})
}

func FuzzReadListing(f *testing.F) {
	addFixtures(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		l, err := ReadListing(page.Page{URL: ListingURL("", 1), Body: body}, 1)
		if err != nil && !errors.Is(err, page.ErrLayout) {
			t.Fatal(err)
		}
		checkListing(t, l, err)
	})
}

func FuzzReadAdvert(f *testing.F) {
	addFixtures(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := ReadAdvert(page.Page{Body: body})
		if err != nil {
			if !errors.Is(err, page.ErrLayout) {
				t.Fatal(err)
			}
			return
		}
		checkVacancy(t, v, false)
		if kind, err := Detect(page.Page{Body: body}); kind != KindAdvert {
			t.Fatalf("an advert is detected as %q, %v", kind, err)
		}
	})
}

func FuzzDetect(f *testing.F) {
	addFixtures(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		kind, err := Detect(page.Page{Body: body})
		if (err == nil) == (kind == "") || err != nil && !errors.Is(err, page.ErrLayout) {
			t.Fatalf("Detect = %q, %v", kind, err)
		}
	})
}
