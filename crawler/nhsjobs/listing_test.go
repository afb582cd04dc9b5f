package nhsjobs

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler/page"
)

func TestReadListingPages(t *testing.T) {
	all := []string{page.DefectTitle, page.DefectEmployer, page.DefectClosing, page.DefectPosted, page.DefectReference, page.DefectOrder,
		page.DefectTotal, page.DefectPage, page.DefectShort}
	tests := []struct {
		file    string
		number  int
		entries int
		want    page.Listing
	}{
		{"listing-first.html", 1, 10, page.Listing{Total: 2041, Pages: 205, Number: 1}},
		{"listing-first.html", 0, 10, page.Listing{Total: 2041, Pages: 205, Number: 1}},
		{"listing-first.html", 2, 10, page.Listing{Total: 2041, Pages: 205, Number: 1, Defects: []string{page.DefectPage}}},
		{"listing-saved.html", 3, 10, page.Listing{Total: 2041, Pages: 205, Number: 3}},
		{"listing-last.html", 205, 3, page.Listing{Total: 2043, Pages: 205, Number: 205, Last: true}},
		{"listing-one.html", 1, 1, page.Listing{Total: 1, Last: true}},
		{"listing-none.html", 1, 0, page.Listing{Empty: true, Last: true}},
		{"listing-defects.html", 8, 3, page.Listing{Total: -1, Pages: 9, Number: 7, Defects: all}},
	}
	for _, tt := range tests {
		l, err := ReadListing(load(t, tt.file, ListingURL("", tt.number)), tt.number)
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		if len(l.Vacancies) != tt.entries {
			t.Errorf("%s: %d vacancies, want %d", tt.file, len(l.Vacancies), tt.entries)
		}
		if diff := cmp.Diff(tt.want, stripped(l)); diff != "" {
			t.Errorf("%s as page %d (-want +got):\n%s", tt.file, tt.number, diff)
		}
	}
}

// TestReadListingDrift changes the page as the site may one day.
func TestReadListingDrift(t *testing.T) {
	tests := []struct {
		name, old, new string
		count          int // of replacements, -1 for all
		entries        int
		defects        []string
		last           bool
	}{
		{"double quotes", `'search-result-query'`, `"search-result-query"`, 1, 10, nil, false},
		{"heading without hook", `data-test='search-result-query'`, ``, 1, 10, nil, false},
		{"heading without id", `id="search-results-heading"`, ``, 1, 10, nil, false},
		{"heading gone", `<h1 data-test='search-result-query' id="search-results-heading"`, `<h1`, 1, 10, []string{page.DefectTotal}, false},
		{"Welsh heading", "2041 jobs found", "Canfuwyd 2041 o swyddi", -1, 10, []string{page.DefectTotal}, false},
		{"total too small", "2041 jobs found", "9 jobs found", -1, 10, []string{page.DefectTotal}, false},
		{"next link renamed", "search-next-page", "search-next", 1, 10, []string{page.DefectTotal}, false},
		{"title hook renamed", "search-result-job-title", "result-title", -1, 10, []string{page.DefectTitle}, false},
		{"one title hook renamed", "search-result-job-title", "result-title", 1, 10, []string{page.DefectTitle}, false},
		{"location hook renamed", "search-result-location", "result-location", -1, 10, []string{page.DefectEmployer}, false},
		{"posted renamed", "search-result-publicationDate", "posted", -1, 10, []string{page.DefectPosted}, false},
		{"links of two adverts", "/candidate/search/save-job/C9901-26-0123", "/candidate/search/save-job/C9901-26-0124", 1, 10, []string{page.DefectReference}, false},
		{"save link renamed", "search-result-save-job", "save", -1, 10, nil, false},
		{"save link elsewhere", "/candidate/search/save-job/", "/candidate/keep/", -1, 10, nil, false},
		{"a card lost", `data-test="search-result"`, `data-test="advertisement"`, 1, 9, []string{page.DefectShort}, false},
		{"facts not strong", "strong", "b", -1, 10, nil, false},
		{"closing date lost", `data-test="search-result-closingDate"`, ``, -1, 10, nil, false},
		{"salary lost", `data-test="search-result-salary"`, ``, -1, 10, nil, false},
	}
	whole := string(load(t, "listing-first.html", "").Body)
	for _, tt := range tests {
		body := strings.Replace(whole, tt.old, tt.new, tt.count)
		if body == whole {
			t.Errorf("%s: nothing was replaced", tt.name)
		}
		l, err := ReadListing(page.Page{URL: ListingURL("", 1), Body: []byte(body)}, 1)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if len(l.Vacancies) != tt.entries || l.Last != tt.last {
			t.Errorf("%s: %d vacancies, last %t; want %d, %t", tt.name, len(l.Vacancies), l.Last, tt.entries, tt.last)
		}
		if diff := cmp.Diff(tt.defects, l.Defects); diff != "" {
			t.Errorf("%s: defects (-want +got):\n%s", tt.name, diff)
		}
		for i, v := range l.Vacancies {
			if v.Reference == "" {
				t.Errorf("%s: card %d has no reference", tt.name, i)
			}
		}
	}
	body := strings.ReplaceAll(whole, `data-test="search-result"`, ``)
	if _, err := ReadListing(page.Page{Body: []byte(body)}, 1); !errors.Is(err, page.ErrLayout) {
		t.Errorf("cards without their hook: %v, want an unknown layout", err)
	}
}

// TestReadListingEmpty takes apart what makes a page empty.
func TestReadListingEmpty(t *testing.T) {
	const heading = `<h1 data-test="search-result-query" id="search-results-heading">`
	tests := []struct {
		name, body string
		empty      bool
	}{
		{"heading alone", heading + "No result found for X</h1>", true},
		{"element alone", `<h3 id="no-result-title">-</h3>`, true},
		{"heading of none", heading + "0 jobs found</h1>", true},
		{"words alone", "<h1>No result found</h1><p>No result found</p>", false},
		{"searched for", heading + "12 jobs found for No result found</h1>", false},
		{"empty list", `<ul class="nhsuk-list search-results"></ul>`, false},
	}
	for _, tt := range tests {
		l, err := ReadListing(page.Page{Body: []byte(tt.body)}, 1)
		if tt.empty {
			if err != nil || !l.Empty || !l.Last || l.Total != 0 || l.Defects != nil {
				t.Errorf("%s: %+v, %v; want an empty page", tt.name, l, err)
			}
		} else if !errors.Is(err, page.ErrLayout) {
			t.Errorf("%s: %+v, %v; want an unknown layout", tt.name, l, err)
		}
	}
	// The words in a title do not make a page with results empty.
	if l := (fixture{"listing-first.html", "", 1, KindListing}).read(t); l.Empty || !strings.Contains(l.Vacancies[0].Title, "No result found") {
		t.Errorf("a title that says that nothing was found: %+v", stripped(l))
	}
}
