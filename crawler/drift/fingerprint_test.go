package drift_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/drift"
)

const card = `<li class="c" data-test="search-result"><h2 id="job-title-1"><a href="/x" data-test="title">Nurse</a></h2><p>Leeds<br>York</p></li>`

func TestFingerprint(t *testing.T) {
	page := "<html><body><ul id=list>" + card + "</ul></body></html>"
	same := map[string]string{
		"texts":           strings.ReplaceAll(page, "Nurse", "Porter &amp; <!-- x --> clerk"),
		"addresses":       strings.ReplaceAll(page, "/x", "/y"),
		"classes":         strings.ReplaceAll(page, `class="c"`, `class="d e"`),
		"counts":          strings.ReplaceAll(page, card, card+strings.ReplaceAll(card, "job-title-1", "job-title-12")),
		"case and quotes": strings.ReplaceAll(strings.ReplaceAll(page, "<li", "<LI"), `"`, `'`),
		"paragraphs":      strings.ReplaceAll(page, "<p>Leeds", "<p>Leeds<p>Hull<p>"),
		"breaks":          strings.ReplaceAll(page, "<br>", "<br/><br><br />"),
		"stray ends":      strings.ReplaceAll(page, "</h2>", "</h2></i></b>"),
	}
	other := map[string]string{
		"a hook":     strings.ReplaceAll(page, `data-test="title"`, `data-test="name"`),
		"an id":      strings.ReplaceAll(page, "id=list", "id=lists"),
		"no id":      strings.ReplaceAll(page, " id=list", ""),
		"a tag":      strings.ReplaceAll(strings.ReplaceAll(page, "<ul", "<ol"), "</ul", "</ol"),
		"a new tag":  strings.ReplaceAll(page, "<p>", "<p><b>new</b>"),
		"one less":   strings.ReplaceAll(page, "<br>", ""),
		"other nest": strings.ReplaceAll(page, "<h2", "<div><h2"),
	}
	const html = "text/html; charset=utf-8"
	want := drift.Fingerprint([]byte(page), html)
	if !strings.HasPrefix(want, "html-") || len(want) != len("html-")+16 {
		t.Errorf("got the fingerprint %q", want)
	}
	for name, body := range same {
		if got := drift.Fingerprint([]byte(body), html); got != want {
			t.Errorf("%s: got %s, want %s as before", name, got, want)
		}
	}
	for name, body := range other {
		if got := drift.Fingerprint([]byte(body), html); got == want {
			t.Errorf("%s: got %s as before, want another", name, got)
		}
	}
}

func TestFingerprintByType(t *testing.T) {
	const xml = `<nhsJobs><vacancyDetails><id>1</id><title>Nurse</title></vacancyDetails><totalResults>1</totalResults></nhsJobs>`
	want := drift.Fingerprint([]byte(xml), "application/xml;charset=UTF-8")
	if !strings.HasPrefix(want, "xml-") {
		t.Fatalf("got %q", want)
	}
	inFeed := func(s string) string { return strings.ReplaceAll(xml, "Nurse", s) }
	for _, tt := range []struct{ body, contentType, want string }{
		{inFeed("a&#11;b &nbsp; \x00 \xff"), "", want}, {inFeed("<![CDATA[<b>]]>"), "", want}, {inFeed("<!-- <b> -->"), "", want},
		{strings.ReplaceAll(xml, "<title>Nurse</title>", "<title/>"), "", want},
		{xml, "", want}, {xml, "text/xml", want}, {"\xef\xbb\xbf" + xml, "", want},
		{`<?xml version="1.0" encoding="ISO-8859-1"?>` + xml, "application/atom+xml", want},
		{strings.ReplaceAll(xml, "<title>", "<title lang='en' id=''>"), "", want},
		{"", "", ""}, {"", "text/html", ""}, {`{"status":406}`, "application/json", ""}, {"just words", "text/plain", ""}, {"<", "", ""},
	} {
		if got := drift.Fingerprint([]byte(tt.body), tt.contentType); got != tt.want {
			t.Errorf("%q as %q: got %q, want %q", tt.body, tt.contentType, got, tt.want)
		}
	}
	if got := drift.Fingerprint([]byte("<p>x"), ""); !strings.HasPrefix(got, "html-") {
		t.Errorf("HTML without a type: got %q", got)
	}
	if got := drift.Fingerprint([]byte(xml), "text/html"); !strings.HasPrefix(got, "html-") {
		t.Errorf("what is said to be HTML: got %q", got)
	}
	if half := drift.Fingerprint([]byte(xml[:len(xml)/2]), ""); half == want || half == "" {
		t.Errorf("half of it: got %q", half)
	}
}

// TestFingerprintHostile bounds the work on bodies made to cost much.
func TestFingerprintHostile(t *testing.T) {
	const size = 1 << 20
	for name, unit := range map[string]string{
		"deep": "<div>", "deep and closed": "<div></b>", "lone ends": "</div>", "paragraphs": "<p>", "open tags": "<", "attributes": " a=b",
		"comments": "<!--", "ids": "<i id=x>", "scripts": "<script>", "selects": "<select><option>", "entities": "&amp;", "sections": "<![CDATA[",
	} {
		for _, contentType := range []string{"text/html", "text/xml"} {
			for _, start := range []string{"<x>", "<x "} {
				body := append([]byte(start), bytes.Repeat([]byte(unit), size/len(unit))...)
				began := time.Now()
				drift.Fingerprint(body, contentType)
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("%s as %s after %s took %v", name, contentType, start, took)
				}
			}
		}
	}
	// As many paths as there is room for, each another.
	var b bytes.Buffer
	for i := range 100_000 {
		b.WriteString("<b data-test=" + strings.Repeat("x", i%50+1) + ">")
		if i%9 == 0 {
			b.WriteString("</b></b>")
		}
	}
	if got := drift.Fingerprint(b.Bytes(), "text/html"); got == "" {
		t.Error("no fingerprint of many paths")
	}
}

// TestFingerprintOfSavedPages looks at pages of the real site where they lie
// beside the checkout: three copies of one search are built alike, though
// two browsers wrote them.
func TestFingerprintOfSavedPages(t *testing.T) {
	prints := map[string]string{}
	for _, name := range []string{"rendered-dom", "browser-saved-a", "browser-saved-b"} {
		body, err := os.ReadFile(filepath.Join("../../../shared/nhsjobs-pages", "search-results-healthcare-assistant-p1."+name+".html"))
		if errors.Is(err, os.ErrNotExist) {
			t.Skip("the saved pages of NHS Jobs are not beside this checkout")
		}
		if err != nil {
			t.Fatal(err)
		}
		prints[name] = drift.Fingerprint(body, "")
	}
	if a := prints["rendered-dom"]; a != prints["browser-saved-a"] || a != prints["browser-saved-b"] {
		t.Errorf("copies of one page differ: %v", prints)
	}
}

func FuzzFingerprint(f *testing.F) {
	f.Add([]byte("<html><body>"+card+"</body></html>"), "text/html")
	f.Add([]byte("<nhsJobs><vacancyDetails><id>1</id></vacancyDetails></nhsJobs>"), "application/xml")
	f.Add([]byte(`<?xml version="1.0" encoding="x"?><a b='1'/>`), "")
	f.Add([]byte("<p><p></p></p></p><select><option><option>"), "text/html; charset=")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		got := drift.Fingerprint(body, contentType)
		kind, hash, ok := strings.Cut(got, "-")
		if got != "" && (!ok || kind != "html" && kind != "xml" || len(hash) != 16) {
			t.Fatalf("got %q", got)
		}
		if again := drift.Fingerprint(bytes.Clone(body), contentType); again != got {
			t.Fatalf("got %s, and then %s", got, again)
		}
		// Text at the end builds nothing, unless something is left open there.
		if kind == "html" && bytes.HasSuffix(body, []byte("</html>")) {
			if more := drift.Fingerprint(append(bytes.Clone(body), " text"...), contentType); more != got {
				t.Fatalf("text makes %s of %s", more, got)
			}
		}
	})
}
