package web

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestStopPage(t *testing.T) {
	f := newFixture(t, nil)
	w := do(f.handler, "GET", f.path, "")
	if w.Code != http.StatusOK {
		t.Errorf("got %d, want 200", w.Code)
	}
	checkHeaders(t, w.Header())
	if got := w.Header().Get("X-Robots-Tag"); got != "noindex" {
		t.Errorf("got X-Robots-Tag %q, want noindex", got)
	}
	page := w.Body.String()
	checkPage(t, page)
	checkGolden(t, "stop.html", page)
	if strings.Count(page, "<button") != 1 || strings.Count(page, "<form") != 1 {
		t.Error("want one form with one button")
	}
	if strings.Contains(page, strings.TrimPrefix(f.path, "/u/")) {
		t.Error("the token stands in the page; it belongs in its address only")
	}
}

// TestNoGetChangesAnything is for the scanners of mail, which open every link.
func TestNoGetChangesAnything(t *testing.T) {
	f := newFixture(t, nil)
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"} {
		for _, path := range []string{f.path, f.path + "?List-Unsubscribe=One-Click", f.path + "/", "/"} {
			do(f.handler, method, path, "List-Unsubscribe=One-Click")
		}
	}
	if f.searches.stops != 0 {
		t.Errorf("a search was stopped %d times without a POST", f.searches.stops)
	}
}

func TestMethods(t *testing.T) {
	f := newFixture(t, nil)
	server := httptest.NewServer(f.handler)
	defer server.Close()
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "PUT": 405, "DELETE": 405, "PATCH": 405, "OPTIONS": 405} {
		r, err := http.NewRequest(method, server.URL+f.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", method, resp.StatusCode, want)
		}
		checkHeaders(t, resp.Header)
		if method == "HEAD" && (len(body) > 0 || resp.ContentLength <= 0) {
			t.Errorf("HEAD: got %d bytes and a length of %d", len(body), resp.ContentLength)
		}
		if want == 405 && resp.Header.Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("%s: got Allow %q", method, resp.Header.Get("Allow"))
		}
	}
}

// TestStop posts as people, mail programs and careless clients do.
func TestStop(t *testing.T) {
	var form bytes.Buffer
	mw := multipart.NewWriter(&form)
	if err := mw.WriteField("List-Unsubscribe", "One-Click"); err != nil {
		t.Fatal(err)
	}
	mw.Close()
	const urlencoded = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		name, body string
		header     []string
	}{
		{"button", "", []string{"Content-Type", urlencoded, "Sec-Fetch-Site", "same-origin"}},
		{"one click", "List-Unsubscribe=One-Click", []string{"Content-Type", urlencoded}},
		{"one click, multipart", form.String(), []string{"Content-Type", mw.FormDataContentType()}},
		{"from a web mailer", "List-Unsubscribe=One-Click", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://mail.example.com"}},
		{"from a page without origin", "", []string{"Origin", "null"}},
		{"no type, no body", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, nil)
			for i := range 2 { // the second time is as good as the first
				w := do(f.handler, "POST", f.path, test.body, test.header...)
				if w.Code != http.StatusOK || w.Header().Get("Location") != "" {
					t.Fatalf("time %d: got %d, to %q, want 200 and no redirect", i+1, w.Code, w.Header().Get("Location"))
				}
				checkHeaders(t, w.Header())
				checkPage(t, w.Body.String())
				if !strings.Contains(w.Body.String(), "<h1>The search is stopped</h1>") {
					t.Errorf("time %d: the page does not say that the search is stopped", i+1)
				}
			}
			if !f.searches.ended["s1"] {
				t.Error("the search goes on")
			}
			page := do(f.handler, "GET", f.path, "").Body.String()
			checkPage(t, page)
			if !strings.Contains(page, "This search has ended") || strings.Contains(page, "<button") {
				t.Error("the page still offers to stop what has ended")
			}
		})
	}
}

// TestStopUnknown: a search that was erased sends nothing, so a mail program
// that asks to stop it has succeeded.
func TestStopUnknown(t *testing.T) {
	f := newFixture(t, nil)
	path := "/u/" + f.tokens.Stop("erased")
	for _, method := range []string{"GET", "POST"} {
		w := do(f.handler, method, path, "")
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "This search has ended") {
			t.Errorf("%s: got %d", method, w.Code)
		}
		checkPage(t, w.Body.String())
	}
}

func TestWrongToken(t *testing.T) {
	f := newFixture(t, nil)
	token := strings.TrimPrefix(f.path, "/u/")
	other := newTokens(t, key("o"))
	for name, path := range map[string]string{
		"cut":       "/u/" + token[:len(token)-4],
		"no token":  "/u/",
		"two parts": f.path + "/more",
		"wrong key": "/u/" + other.Stop("s1"),
		"wrong":     "/u/" + f.tokens.sign('m', "s1"),
		"markup":    "/u/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
		"bytes":     "/u/%00%ff%0a",
	} {
		w := do(f.handler, "GET", path, "")
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", name, w.Code)
		}
		checkHeaders(t, w.Header())
		checkPage(t, w.Body.String())
		if strings.Contains(w.Body.String(), "alert(1)") {
			t.Errorf("%s: the page repeats the token", name)
		}
		if w := do(f.handler, "POST", path, ""); w.Code != http.StatusNotFound && w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: got %d", name, w.Code)
		}
	}
	if f.searches.lookups+f.searches.stops != 0 {
		t.Error("a wrong token led to a search")
	}
	if got := do(f.handler, "POST", "/u/wrong", "").Code; got != http.StatusNotFound {
		t.Errorf("POST with a wrong token: got %d, want 404", got)
	}
	none := newFixture(t, func(o *PublicOptions) { o.Tokens = nil })
	if got := do(none.handler, "GET", f.path, "").Code; got != http.StatusNotFound {
		t.Errorf("without keys: got %d, want 404", got)
	}
}

// TestStoreFails: people get a sentence, the log gets the error, and neither
// gets the token.
func TestStoreFails(t *testing.T) {
	f := newFixture(t, nil)
	f.searches.err = errStore
	token := strings.TrimPrefix(f.path, "/u/")
	for _, method := range []string{"GET", "POST"} {
		f.log.Reset()
		w := do(f.handler, method, f.path, "")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: got %d, Retry-After %q", method, w.Code, w.Header().Get("Retry-After"))
		}
		checkPage(t, w.Body.String())
		if !strings.Contains(w.Body.String(), "in a few minutes") || strings.Contains(w.Body.String(), "10.0.0.7") {
			t.Errorf("%s: not a sentence for people: %s", method, w.Body)
		}
		if !strings.Contains(f.log.String(), errStore.Error()) {
			t.Errorf("%s: the log does not hold the error: %s", method, f.log)
		}
		if strings.Contains(f.log.String(), token) || strings.Contains(f.log.String(), "192.0.2.1") {
			t.Errorf("%s: the log holds the token or the client's address: %s", method, f.log)
		}
	}
	f.searches.err = nil
	do(f.handler, "POST", f.path, "")
	if strings.Contains(f.log.String(), token) || !strings.Contains(f.log.String(), "search=s1") {
		t.Errorf("after a stop the log holds: %s", f.log)
	}
}

func TestBodyTooLarge(t *testing.T) {
	f := newFixture(t, nil)
	w := do(f.handler, "POST", f.path, strings.Repeat("x", maxBody+1))
	if w.Code != http.StatusRequestEntityTooLarge || f.searches.stops != 0 {
		t.Errorf("got %d and %d stops, want 413 and none", w.Code, f.searches.stops)
	}
	checkPage(t, w.Body.String())
	if w := do(f.handler, "POST", f.path, strings.Repeat("x", maxBody)); w.Code != http.StatusOK {
		t.Errorf("at the limit: got %d, want 200", w.Code)
	}
	r := httptest.NewRequest("POST", f.path, io.MultiReader(strings.NewReader("List-"), brokenBody{}))
	broken := httptest.NewRecorder()
	f.handler.ServeHTTP(broken, r)
	if broken.Code != http.StatusBadRequest {
		t.Errorf("a broken body: got %d, want 400", broken.Code)
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestCrossOrigin: only the token's own path may be posted to from elsewhere.
func TestCrossOrigin(t *testing.T) {
	f := newFixture(t, nil)
	for _, path := range []string{"/", "/m/x", f.path + "/more", "/u/"} {
		w := do(f.handler, "POST", path, "", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
		if w.Code != http.StatusForbidden {
			t.Errorf("POST %s from elsewhere: got %d, want 403", path, w.Code)
		}
		checkHeaders(t, w.Header())
		checkPage(t, w.Body.String())
	}
	if w := do(f.handler, "PUT", f.path, "", "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("PUT from elsewhere: got %d, want 403", w.Code)
	}
}

// TestStopAfterHangUp: whoever hangs up after asking has asked all the same.
func TestStopAfterHangUp(t *testing.T) {
	var got error
	f := newFixture(t, func(o *PublicOptions) {
		o.Stop = func(ctx context.Context, _ string) (bool, error) {
			if _, ok := ctx.Deadline(); !ok {
				t.Error("the call has no deadline")
			}
			got = ctx.Err()
			return true, nil
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", f.path, nil))
	if got != nil {
		t.Errorf("the stop was called off: %v", got)
	}
}

func TestHostileSearch(t *testing.T) {
	f := newFixture(t, nil)
	for _, words := range []string{hostile, "", strings.Repeat("x", 5000)} {
		f.searches.words["s1"] = words
		for _, ended := range []bool{false, true} {
			f.searches.ended["s1"] = ended
			checkPage(t, do(f.handler, "GET", f.path, "").Body.String())
		}
	}
}

func TestPublicStatus(t *testing.T) {
	f := newFixture(t, nil)
	w := do(f.handler, "GET", "/", "")
	if w.Code != http.StatusOK || w.Header().Get("X-Robots-Tag") != "" {
		t.Errorf("got %d, X-Robots-Tag %q", w.Code, w.Header().Get("X-Robots-Tag"))
	}
	checkHeaders(t, w.Header())
	checkPage(t, w.Body.String())
	if w := do(f.handler, "GET", "/nothing/here", ""); w.Code != http.StatusNotFound {
		t.Errorf("an unknown page: got %d, want 404", w.Code)
	} else {
		checkPage(t, w.Body.String())
	}
	for _, path := range []string{"/metrics", "/-/ready", "/-/fresh", "/status"} {
		if w := do(f.handler, "GET", path, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: got %d on the public side, want 404", path, w.Code)
		}
	}
}

func TestPublicStatusIsKeptForASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		var err error
		f := newFixture(t, func(o *PublicOptions) {
			o.Status = func(ctx context.Context) (Status, error) {
				calls++
				if ctx.Err() != nil {
					t.Error("the status ends with whoever asked first")
				}
				return working(), err
			}
		})
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		f.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(gone, "GET", "/", nil))
		for range 10 {
			do(f.handler, "GET", "/", "")
		}
		if calls != 1 {
			t.Errorf("%d calls for 11 visitors at once, want 1", calls)
		}
		err = errStore
		time.Sleep(keepStatus)
		for range 2 {
			w := do(f.handler, "GET", "/", "")
			if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "10.0.0.7") {
				t.Errorf("got %d: %s", w.Code, w.Body)
			}
			checkPage(t, w.Body.String())
		}
		if calls != 2 {
			t.Errorf("%d calls, want a second one for the next second", calls)
		}
		if !strings.Contains(f.log.String(), errStore.Error()) {
			t.Errorf("the log does not hold the error: %s", f.log)
		}
	})
}
