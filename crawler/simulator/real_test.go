package simulator

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
)

// real reads a saved page of the site. They are kept beside the checkout, for
// they are not ours to publish.
func real(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "nhsjobs-pages", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the saved pages are not beside this checkout")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func parse(t *testing.T, page string) *goquery.Document {
	t.Helper()
	d, err := goquery.NewDocumentFromReader(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// skeleton lists the elements of a selection with what a reader goes by.
func skeleton(s *goquery.Selection) []string {
	return s.Find("*").Map(func(_ int, e *goquery.Selection) string {
		line := strings.Repeat(" ", e.ParentsUntilSelection(s).Length()) + goquery.NodeName(e)
		for _, attr := range []string{"class", "id", "data-test"} {
			if v, ok := e.Attr(attr); ok {
				line += " " + attr + "=" + v
			}
		}
		return line
	})
}

func TestCardsAreBuiltAsRealOnes(t *testing.T) {
	s, _ := open(Options{Quirks: Quirks{Optional: "shown"}})
	ours := document(t, s, newestHTML)
	theirs := parse(t, real(t, "search-results-employer-change-grow-live-p1.raw-slices.html"))
	for i := range 10 {
		card := func(d *goquery.Document) *goquery.Selection { return d.Find("ul.search-results > li").Eq(i) }
		if d := cmp.Diff(skeleton(card(theirs)), skeleton(card(ours))); d != "" {
			t.Fatalf("card %d (-real +ours)\n%s", i+1, d)
		}
	}
	nav := func(d *goquery.Document) []string {
		d.Find("nav.nhsuk-pagination svg").Remove() // An arrow, which says nothing.
		return skeleton(d.Find("nav.nhsuk-pagination"))
	}
	if d := cmp.Diff(nav(theirs), nav(ours)); d != "" {
		t.Errorf("pagination (-real +ours)\n%s", d)
	}
}

func TestNothingFoundAsTheRealPageSaysIt(t *testing.T) {
	theirs := parse(t, real(t, "search-no-results-jobreference.page-source.html"))
	s, _ := open(Options{})
	ours := document(t, s, "/candidate/search/results?jobReference=INVALID-REF-9999")
	for _, find := range []string{"h1#search-results-heading", "#no-result-title", "title"} {
		if got, want := squash(ours.Find(find).Text()), squash(theirs.Find(find).Text()); got != want {
			t.Errorf("%s: got %q, want %q", find, got, want)
		}
	}
	for _, find := range []string{"ul.search-results", "nav.nhsuk-pagination", "form[name=sortform]"} {
		if got, want := ours.Find(find).Length(), theirs.Find(find).Length(); got != want {
			t.Errorf("%s: got %d, want %d", find, got, want)
		}
	}
	values := func(d *goquery.Document) map[string]bool {
		m := map[string]bool{}
		d.Find("input[type=checkbox]").Each(func(_ int, e *goquery.Selection) { m[e.AttrOr("name", "")+"="+e.AttrOr("value", "")] = true })
		return m
	}
	if d := cmp.Diff(values(theirs), values(ours)); d != "" {
		t.Errorf("filters (-real +ours)\n%s", d)
	}
}

func TestAdvertsHaveTheRealIDs(t *testing.T) {
	theirs := parse(t, real(t, "advert-E9847-26-0265.trimmed-fragment.html"))
	s, _ := open(Options{Quiet: true, Live: -1, Start: at("2026-03-01T09:00:00Z")})
	a := secretary()
	a.Website = "https://www.tarnmere.example/"
	ours := document(t, s, "/candidate/jobadvert/"+s.Publish(a))
	theirs.Find("[id]").Each(func(_ int, e *goquery.Selection) {
		id := e.AttrOr("id", "")
		if id == "essential_skill_1_criteria_2" {
			return // Ours has one.
		}
		if got := ours.Find("main [id='" + id + "']").First(); got.Length() == 0 || goquery.NodeName(got) != goquery.NodeName(e) {
			t.Errorf("#%s is %s there, %q here", id, goquery.NodeName(e), goquery.NodeName(got))
		}
	})
	// The trap of nested paragraphs: what of a text is left within its id.
	for _, id := range []string{"job_overview", "about_organisation"} {
		if got := squash(theirs.Find("#" + id).Text()); got != "" {
			t.Errorf("the real #%s holds %q", id, got)
		}
	}
}

func TestTheFeedIsBuiltAsTheRealOne(t *testing.T) {
	elements := func(body string) (names []string) {
		seen := map[string]bool{}
		for d := xml.NewDecoder(strings.NewReader(body)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				return names
			}
			if err != nil {
				t.Fatal(err)
			}
			if e, ok := token.(xml.StartElement); ok && !seen[e.Name.Local] {
				seen[e.Name.Local] = true
				names = append(names, e.Name.Local)
			}
		}
	}
	s, _ := open(Options{Quirks: Quirks{Nesting: "flat"}})
	theirs := elements(real(t, "api-search_xml-apprenticeship-page1.xml"))
	if d := cmp.Diff(theirs, elements(get(s, newestXML).Body.String())); d != "" {
		t.Errorf("(-real +ours)\n%s", d)
	}
}
