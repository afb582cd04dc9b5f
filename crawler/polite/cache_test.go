package polite

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The cache is bounded: the oldest goes first.
func TestCacheBound(t *testing.T) {
	var c cache
	for i := range 100 {
		c.put(string(rune('a'+i)), cachedPage{etag: "x"})
	}
	if len(c.pages) != cachedPages || len(c.order) != cachedPages {
		t.Errorf("%d pages, %d in order", len(c.pages), len(c.order))
	}
	c.forget(c.order[3])
	c.forget("nothing")
	if len(c.pages) != cachedPages-1 || len(c.order) != cachedPages-1 {
		t.Errorf("after one was forgotten: %d pages, %d in order", len(c.pages), len(c.order))
	}
}

// "Not modified" is the answer that is kept. What was not read whole, or is of
// a kind that is not kept, or was forgotten, is asked for afresh.
func TestNotModified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, 2*time.Second)
		version, cut := "1", false
		w.answer = func(req *http.Request) *http.Response {
			if req.URL.Path == robotsPath {
				return nil
			}
			if req.Header.Get("If-None-Match") == version || req.Header.Get("If-Modified-Since") == "day "+version {
				return reply(304, "text/other", "", "Content-Encoding", "gzip")
			}
			res := reply(200, "text/html", "version "+version, "ETag", version)
			if strings.HasPrefix(req.URL.Path, "/dated") {
				res = reply(200, "text/html", "version "+version, "Last-Modified", "day "+version)
			}
			if cut {
				res.Body = io.NopCloser(io.MultiReader(strings.NewReader("ver"), broken{}))
			}
			return res
		}
		p, seen := polite(t, w, nil)
		for _, step := range []struct {
			path, want, code string
			do               func()
		}{
			{"/list", "version 1", "page ok", nil},
			{"/list", "version 1", "page not_modified", nil},
			{"/list", "version 1", "page not_modified", nil},
			{"/dated", "version 1", "page ok", nil},
			{"/dated", "version 1", "page not_modified", nil},
			{"/list", "version 1", "page ok", func() { p.Forget(site + "/list") }},
			{"/list", "", "page cut", func() { version, cut = "2", true }},
			{"/list", "version 2", "page ok", func() { cut = false }},
			{"/list", "version 2", "page not_modified", nil},
			{"/once", "version 2", "once ok", nil},
			{"/once", "version 2", "once ok", nil},
		} {
			if step.do != nil {
				step.do()
			}
			seen.requests = nil
			got, err := get(t.Context(), p, step.path)
			if got != step.want && err == nil || (err == nil) != (step.want != "") {
				t.Errorf("%s: %q, %v, want %q", step.path, got, err, step.want)
			}
			delete(seen.requests, "robots not_found")
			if diff := cmp.Diff(map[string]int{step.code: 1}, seen.requests); diff != "" {
				t.Errorf("%s (-want +got)\n%s", step.path, diff)
			}
		}
	})
}

// A kept answer has the type of the page and no trace of the short answer.
func TestNotModifiedHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, 2*time.Second)
		w.answer = func(req *http.Request) *http.Response {
			if req.Header.Get("If-None-Match") != "" {
				return reply(304, "text/other", "", "Content-Encoding", "gzip")
			}
			return reply(200, "text/html", "a page", "ETag", "1")
		}
		p, _ := polite(t, w, nil)
		if _, err := get(t.Context(), p, "/list"); err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site+"/list", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := p.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/html" || res.Header.Get("Content-Encoding") != "" || res.ContentLength != 6 {
			t.Errorf("%d, %v, %d bytes", res.StatusCode, res.Header, res.ContentLength)
		}
		if len(req.Header) > 0 {
			t.Errorf("the caller's request was changed: %v", req.Header)
		}
	})
}
