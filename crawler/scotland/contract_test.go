package scotland

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	sim "github.com/vacancywatch/vacancywatch/crawler/simulator/scotland"
)

// TestListingContract breaks what a page of the listing has to hold, one thing
// at a time.
func TestListingContract(t *testing.T) {
	s := newSite(t, sim.Options{Adverts: sim.Invent(3, 30, "2026-10-06")})
	first, last := ListingURL("", 1), ListingURL("", 3)
	replace := func(old, to string) func(string) string {
		return func(b string) string {
			if !strings.Contains(b, old) {
				t.Fatalf("the page holds no %q", old)
			}
			return strings.Replace(b, old, to, 1)
		}
	}
	cutCard := func(b string) string { return b[:strings.LastIndex(b, `<div class="card job-card"`)] }
	for _, tt := range []struct {
		name   string
		url    string
		n      int
		change func(string) string
		want   []string // defects
		layout bool
	}{
		{"good", first, 1, nil, nil, false},
		{"good last", last, 3, nil, nil, false},
		{"number not known", first, 0, nil, nil, false},
		{"no total", first, 1, replace(`id="totalMatchRecords"`, `id="x"`), []string{page.DefectTotal}, false},
		{"total is no number", first, 1, replace(`id="totalMatchRecords" value="30"`, `id="totalMatchRecords" value="many"`), []string{page.DefectTotal}, false},
		{"total too small", first, 1, replace(`id="totalMatchRecords" value="30"`, `id="totalMatchRecords" value="7"`), []string{page.DefectTotal}, false},
		{"a card is missing", first, 1, cutCard, []string{page.DefectShort}, false},
		{"a card is missing at the end", last, 3, cutCard, []string{page.DefectShort}, false},
		{"a card is not recognised", first, 1, replace("card job-card", "card jobcard"), []string{page.DefectShort}, false},
		{"an old first page for the last", first, 3, nil, []string{page.DefectPage}, false},
		{"no reference", first, 1, func(b string) string {
			return strings.NewReplacer("/Job/JobDetail?JobId=250030", "/Job/Other", ` data-jobId="250030"`, "").Replace(b)
		}, []string{page.DefectReference, page.DefectTitle}, false},
		{"two references", first, 1, replace(`data-jobId="250030"`, `data-jobId="250999"`), []string{page.DefectReference}, false},
		{"a reference of another shape", first, 1, func(b string) string { return strings.ReplaceAll(b, "250030", "AB-1") }, []string{page.DefectReference}, false},
		{"no title", first, 1, func(b string) string {
			i := strings.Index(b, "JobId=250030\">")
			j := strings.Index(b[i:], "</a>")
			return b[:i] + "JobId=250030\">" + b[i+j:]
		}, []string{page.DefectTitle}, false},
		{"no employer", first, 1, replace("Employer (NHS Board):", "Board:"), nil, false}, // found by its class
		{"no employer at all", first, 1, func(b string) string {
			return strings.Replace(strings.Replace(b, "Employer (NHS Board):", "Board:", 1), "jobdetailsitem school", "jobdetailsitem x", 1)
		}, []string{page.DefectEmployer}, false},
		{"posting date in words", first, 1, replace("06/10/2026", "last week"), []string{page.DefectPosted}, false},
		{"posting date of no month", first, 1, replace("</strong> 06/10/2026", "</strong> 06/13/2026"), []string{page.DefectPosted}, false},
		{"closing date in words", first, 1, func(b string) string {
			i := strings.Index(b, "Closing date:</strong> ") + len("Closing date:</strong> ")
			return b[:i] + "soon" + b[i+len("20/10/2026"):]
		}, []string{page.DefectClosing}, false},
		{"dates rise", first, 1, replace("Live date:</strong> 06/10/2026", "Live date:</strong> 01/08/2026"), []string{page.DefectOrder}, false},
		{"a total and no cards", first, 1, func(b string) string { return b[:strings.Index(b, "<div")] }, nil, true},
		{"no cards, no total", first, 1, func(b string) string { return "<div></div>" }, nil, true},
		{"empty body", first, 1, func(string) string { return "" }, nil, true},
		{"JSON", first, 1, func(string) string { return `{"jobs":[]}` }, nil, true},
		{"XML", first, 1, func(string) string { return `<?xml version="1.0"?><jobs/>` }, nil, true},
		{"cut off", first, 1, func(b string) string { return "<html><body>" + b }, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := get(t, s, tt.url)
			if tt.change != nil {
				p.Body = []byte(tt.change(string(p.Body)))
			}
			l, err := ReadListing(p, tt.n, fetched)
			if tt.layout {
				if !errors.Is(err, page.ErrLayout) {
					t.Fatalf("got %v, want an unknown layout", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(l.Defects)
			slices.Sort(tt.want)
			if diff := cmp.Diff(tt.want, l.Defects); diff != "" {
				t.Errorf("defects (-want +got):\n%s", diff)
			}
		})
	}
	p := get(t, s, first)
	p.ContentType = "application/json"
	if _, err := ReadListing(p, 1, fetched); !errors.Is(err, page.ErrLayout) {
		t.Errorf("another content type: got %v, want an unknown layout", err)
	}
}

func TestListingEnds(t *testing.T) {
	empty := newSite(t, sim.Options{})
	got, err := ReadListing(get(t, empty, ListingURL("", 1)), 1, fetched)
	if diff := cmp.Diff(page.Listing{Empty: true, Last: true}, got); err != nil || diff != "" {
		t.Errorf("an empty board: %v (-want +got):\n%s", err, diff)
	}
	adverts := sim.Invent(3, 30, "2026-10-06")
	beyond := newSite(t, sim.Options{Adverts: adverts})
	got, err = ReadListing(get(t, beyond, ListingURL("", 5)), 5, fetched)
	if diff := cmp.Diff(page.Listing{Total: 30, Pages: 3, Last: true}, got); err != nil || diff != "" {
		t.Errorf("beyond the last page: %v (-want +got):\n%s", err, diff)
	}
	again := newSite(t, sim.Options{Adverts: adverts, Quirks: &sim.Quirks{RepeatLast: true}})
	got, err = ReadListing(get(t, again, ListingURL("", 5)), 5, fetched)
	if err != nil || !got.Last || !slices.Contains(got.Defects, page.DefectPage) {
		t.Errorf("the last page for one beyond it: %v, %+v", err, got)
	}
	other := newSite(t, sim.Options{Adverts: adverts, Quirks: &sim.Quirks{Order: sim.ByClosing}})
	got, err = ReadListing(get(t, other, ListingURL("", 1)), 1, fetched)
	if err != nil || !slices.Contains(got.Defects, page.DefectOrder) {
		t.Errorf("cards in another order: %v, %v", err, got.Defects)
	}
	// The day after, as seen from a clock that is behind.
	got, err = ReadListing(get(t, beyond, ListingURL("", 1)), 1, fetched.AddDate(0, 0, -1))
	if err != nil || got.Clamped == 0 || len(got.Defects) > 0 || got.Vacancies[0].Posted.Day().String() != "2026-10-05" {
		t.Errorf("live dates still to come: %v, clamped %d, %v", err, got.Clamped, got.Defects)
	}
}

func TestAdvertContract(t *testing.T) {
	s := newSite(t, sim.Options{Adverts: []sim.Advert{anaesthetist}})
	bare := newSite(t, sim.Options{Adverts: []sim.Advert{anaesthetist}, Quirks: &sim.Quirks{NoStructured: true}})
	address := AdvertURL("", "256437")
	whole, hooks := string(get(t, s, address).Body), string(get(t, bare, address).Body)
	cut := func(s, from, to string) string {
		i := strings.Index(s, from)
		j := strings.Index(s[i:], to)
		if i < 0 || j < 0 {
			t.Fatalf("no %q ... %q", from, to)
		}
		return s[:i] + s[i+j+len(to):]
	}
	for _, tt := range []struct{ name, url, body string }{
		{"another advert", AdvertURL("", "256438"), whole},
		{"no address", "", hooks},
		{"no title", address, cut(hooks, "<h1>", "</h1>")},
		{"no employer", address, strings.ReplaceAll(hooks, hookEmployer, "x")},
		{"cut off", address, whole[:len(whole)-20]},
		{"a listing", address, string(get(t, s, ListingURL("", 1)).Body)},
		{"the search page", address, string(get(t, s, DefaultBase+"/Home/Job").Body)},
		{"a notice", address, string(get(t, s, DefaultBase+"/sitemap.xml").Body)},
		{"JSON", address, `{"title":"Consultant Anaesthetist"}`},
		{"nothing", address, ""},
		{"two postings without an address", address, `<html><script type="application/ld+json">[{"@type":"JobPosting","title":"A"},{"@type":"JobPosting","title":"B"}]</script></html>`},
	} {
		if v, err := ReadAdvert(page.Page{URL: tt.url, Body: []byte(tt.body)}); !errors.Is(err, page.ErrLayout) {
			t.Errorf("%s: got %v and %q, want an unknown layout", tt.name, err, v.Title)
		}
	}
	// Without its address the page tells it itself.
	for _, tt := range []struct{ name, body string }{
		{"by its structured data", whole},
		{"by its canonical link", strings.Replace(hooks, "<head>", `<head><link rel="canonical" href="/Job/JobDetail?jobid=256437">`, 1)},
		{"by its og:url", strings.Replace(hooks, "<head>", `<head><meta property="og:url" content="`+address+`">`, 1)},
		{"in a graph", `<html><script type="application/ld+json">{"@graph":[{"@type":"WebSite"},{"@type":"JobPosting","title":"Consultant Anaesthetist","url":"` + address + `"}]}</script></html>`},
	} {
		if v, err := ReadAdvert(page.Page{Body: []byte(tt.body)}); err != nil || v.Reference != "256437" || v.Title != "Consultant Anaesthetist" {
			t.Errorf("%s: got %v, %q %q", tt.name, err, v.Reference, v.Title)
		}
	}
	closed := newSite(t, sim.Options{Quirks: &sim.Quirks{Closed: sim.Notice}})
	if _, err := ReadAdvert(get(t, closed, address)); !errors.Is(err, page.ErrLayout) {
		t.Errorf("the notice for a closed advert: got %v, want an unknown layout", err)
	}
}
