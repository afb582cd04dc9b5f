package web

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

// walk calls f for every element below n.
func walk(n *html.Node, f func(*html.Node)) {
	if n.Type == html.ElementNode {
		f(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, f)
	}
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// checkPage holds a page to the laws of every page.
func checkPage(t *testing.T, page string) {
	t.Helper()
	if strings.Contains(page, "ZgotmplZ") {
		t.Error("the page holds ZgotmplZ: a value was refused by its place")
	}
	if strings.ContainsRune(page, 0) {
		t.Error("the page holds a NUL")
	}
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatalf("parse the page: %v", err)
	}
	seen := map[string]int{}
	ids := map[string]bool{}
	refs := map[string]bool{}
	controls, labelled := map[string]bool{}, map[string]bool{}
	forms, level := 0, 0
	walk(doc, func(n *html.Node) {
		seen[n.Data]++
		for _, a := range n.Attr {
			// A form leads to its own page, at most to a part of it.
			// The one below a search that was tried has that in its query.
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || a.Key == "action" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "subscribe?") || a.Key == "src" {
				t.Errorf("<%s> has the attribute %s=%q", n.Data, a.Key, a.Val)
			}
		}
		if id, ok := attr(n, "id"); ok {
			if ids[id] {
				t.Errorf("id %q comes twice", id)
			}
			ids[id] = true
		}
		if ref, ok := attr(n, "aria-labelledby"); ok {
			refs[ref] = true
		}
		switch n.Data {
		case "html":
			if lang, _ := attr(n, "lang"); lang != "en-GB" {
				t.Errorf("lang is %q", lang)
			}
		case "h1", "h2", "h3", "h4":
			l := int(n.Data[1] - '0')
			if l > level+1 {
				t.Errorf("<%s> follows a heading of level %d", n.Data, level)
			}
			level = l
		case "meta":
			if v, ok := attr(n, "http-equiv"); ok {
				t.Errorf("the page has <meta http-equiv=%q>", v)
			}
		case "title":
			if n.FirstChild == nil || !strings.HasSuffix(n.FirstChild.Data, " – vacancywatch") {
				t.Error("the title does not end with the name of the service")
			}
		case "a":
			href, ok := attr(n, "href")
			if !ok || n.FirstChild == nil {
				t.Error("a link without an address or without words")
			}
			if strings.HasPrefix(href, "#") {
				refs[href[1:]] = true
			}
		case "button":
			if kind, _ := attr(n, "type"); kind != "submit" || n.FirstChild == nil {
				t.Error("a button without words, or not one that submits")
			}
		case "form":
			// The one that changes nothing asks by GET, so that its answer has
			// an address.
			if method, _ := attr(n, "method"); method != "post" && method != "get" {
				t.Errorf("a form with the method %q", method)
			}
			forms++
		case "input", "textarea", "select":
			if forms == 0 {
				t.Errorf("<%s> in no form", n.Data)
			}
			if kind, _ := attr(n, "type"); kind == "hidden" {
				return
			}
			id, _ := attr(n, "id")
			controls[id] = true
			if described, ok := attr(n, "aria-describedby"); ok {
				for _, ref := range strings.Fields(described) {
					refs[ref] = true
				}
			}
		case "label":
			of, _ := attr(n, "for")
			labelled[of] = true
			refs[of] = true
		case "td":
			if label, _ := attr(n, "data-label"); label == "" {
				t.Error("a cell without the label that it has on a narrow screen")
			}
		case "th":
			if scope, _ := attr(n, "scope"); scope == "" {
				t.Error("a column heading without a scope")
			}
		}
	})
	for id := range controls {
		if id == "" || !labelled[id] {
			t.Errorf("the field %q has no label", id)
		}
	}
	for ref := range refs {
		if !ids[ref] {
			t.Errorf("there is no element with the id %q", ref)
		}
	}
	for name, want := range map[string]int{"h1": 1, "main": 1, "title": 1, "header": 1, "footer": 1, "link": 1,
		"script": 0, "style": 0, "iframe": 0, "img": 0, "b": 0} {
		if seen[name] != want {
			t.Errorf("<%s> comes %d times, want %d", name, seen[name], want)
		}
	}
	for _, want := range []string{"not part of the NHS", "Open Government Licence v3.0", `class="skip"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
}

// checkHeaders holds an answer to the headers of every answer.
func checkHeaders(t *testing.T, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "same-origin",
		"Cache-Control":           "no-store",
		"Set-Cookie":              "",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

var styleLink = regexp.MustCompile(`static/[0-9a-f]{16}\.css`)

func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	// A change of the stylesheet is no change of the page.
	got = styleLink.ReplaceAllString(got, "static/HASH.css")
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), -update rewrites it:\n%s", file, diff)
	}
}
