package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A deciding admin notes what it was asked.
type deciding struct {
	asked  []Decision
	answer string
	err    error
	log    strings.Builder
}

func (d *deciding) handler() http.Handler {
	o := adminOptions()
	o.Logger = slog.New(slog.NewTextHandler(&d.log, nil))
	o.Decide = func(ctx context.Context, dec Decision) (string, error) {
		if _, ok := ctx.Deadline(); !ok {
			return "", errors.New("a decision without end")
		}
		d.asked = append(d.asked, dec)
		return d.answer, d.err
	}
	return Admin(o)
}

func TestDecide(t *testing.T) {
	const form, jsonType = "application/x-www-form-urlencoded", "application/json"
	for _, tt := range []struct {
		name, path, kind, body string
		header                 []string
		code                   int
		want                   *Decision // nil where nobody must be asked
		says                   string
	}{
		{name: "no body", path: "/-/crawl/pause/nhs-jobs", code: 200, want: &Decision{Action: "pause", Source: "nhs-jobs"}, says: "done\n"},
		{name: "form", path: "/-/crawl/release/nhs-jobs", kind: form, body: "posted_since=2026-11-01&dry_run=true", code: 200,
			want: &Decision{"release", "nhs-jobs", "2026-11-01", true}, says: "done\n"},
		{name: "JSON", path: "/-/crawl/release/nhs-jobs", kind: jsonType + "; charset=utf-8", body: `{"posted_since":"2026-11-01"}`, code: 200,
			want: &Decision{Action: "release", Source: "nhs-jobs", PostedSince: "2026-11-01"}, says: "done\n"},
		{name: "address", path: "/-/crawl/accept/nhs-jobs?dry_run=true", code: 200, want: &Decision{Action: "accept", Source: "nhs-jobs", DryRun: true}},
		{name: "no such action", path: "/-/crawl/purge/nhs-jobs", code: 404, says: "use resume, pause, accept, release"},
		{name: "misspelt field", path: "/-/crawl/release/nhs-jobs", kind: form, body: "posted-since=2026-11-01", code: 400, says: `"posted-since" is not known: use posted_since and dry_run. Nothing was changed.`},
		{name: "misspelt field in JSON", path: "/-/crawl/release/nhs-jobs", kind: jsonType, body: `{"since":"2026-11-01"}`, code: 400, says: "Nothing was changed."},
		{name: "given twice", path: "/-/crawl/release/nhs-jobs?dry_run=true", kind: form, body: "dry_run=false", code: 400, says: `"dry_run" is given twice`},
		{name: "half a yes", path: "/-/crawl/release/nhs-jobs", kind: form, body: "dry_run=yes", code: 400, says: "true or false"},
		{name: "another type", path: "/-/crawl/release/nhs-jobs", kind: "text/plain", body: "dry_run=true", code: 400, says: "give a form or JSON"},
		{name: "no type at all", path: "/-/crawl/release/nhs-jobs", kind: ";", body: "dry_run=true", code: 400, says: "content type"},
		{name: "cut JSON", path: "/-/crawl/release/nhs-jobs", kind: jsonType, body: `{"dry_run":`, code: 400},
		{name: "too large", path: "/-/crawl/release/nhs-jobs", kind: form, body: "dry_run=" + strings.Repeat("x", maxBody), code: 413},
		{name: "a page in a browser", path: "/-/crawl/pause/nhs-jobs", header: []string{"Origin", "http://127.0.0.1:9464"}, code: 403, says: "vacancywatch crawl pause"},
		{name: "a browser", path: "/-/crawl/pause/nhs-jobs", header: []string{"Sec-Fetch-Site", "same-origin"}, code: 403, says: "Nothing was changed."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &deciding{answer: "done\n"}
			header := tt.header
			if tt.kind != "" {
				header = append(header, "Content-Type", tt.kind)
			}
			w := do(d.handler(), "POST", tt.path, tt.body, header...)
			if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("got %d %q, want %d, %q", w.Code, w.Body, tt.code, tt.says)
			}
			var want []Decision
			if tt.want != nil {
				want = append(want, *tt.want)
			}
			if diff := cmp.Diff(want, d.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			if got := w.Header().Get(DecideHeader); (got == "") != (tt.name == "no such action") {
				t.Errorf("%s is %q", DecideHeader, got)
			}
			checkHeaders(t, w.Header())
		})
	}
}

// A refusal is told in its words; any other error is for the log.
func TestDecideErrors(t *testing.T) {
	d := &deciding{err: errors.Join(&Refusal{409, "another one crawls"})}
	if w := do(d.handler(), "POST", "/-/crawl/pause/nhs-jobs", ""); w.Code != 409 || w.Body.String() != "another one crawls\n" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	d = &deciding{err: errStore}
	w := do(d.handler(), "POST", "/-/crawl/pause/nhs-jobs", "")
	if w.Code != 500 || strings.Contains(w.Body.String(), "10.0.0.7") || !strings.Contains(w.Body.String(), "tried again") {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	if !strings.Contains(d.log.String(), "10.0.0.7") {
		t.Errorf("the log does not say why: %s", &d.log)
	}
	h := d.handler()
	if w := do(h, "GET", "/-/crawl/pause/nhs-jobs", ""); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: got %d, want 405", w.Code)
	}
	if w := do(Admin(adminOptions()), "POST", "/-/crawl/pause/nhs-jobs", ""); w.Code != http.StatusNotFound {
		t.Errorf("where nothing is decided: got %d, want 404", w.Code)
	}
	if w := do(newFixture(t, nil).handler, "POST", "/-/crawl/pause/nhs-jobs", ""); w.Code != http.StatusMethodNotAllowed && w.Code != http.StatusNotFound {
		t.Errorf("on the pages for people: got %d", w.Code)
	}
}

// A decision outlives the times that a page has.
func TestDecideTakesItsTime(t *testing.T) {
	o := adminOptions()
	o.Decide = func(ctx context.Context, _ Decision) (string, error) {
		select {
		case <-time.After(400 * time.Millisecond):
			return "done", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	srv := httptest.NewUnstartedServer(Admin(o))
	limits := NewServer("", nil)
	limits.ReadTimeout, limits.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	limits.Handler = srv.Config.Handler
	srv.Config = limits
	srv.Start()
	defer srv.Close()
	r, err := http.Post(srv.URL+"/-/crawl/pause/nhs-jobs", "application/x-www-form-urlencoded", strings.NewReader("dry_run=false"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != 200 {
		t.Errorf("got %s", r.Status)
	}
}

func FuzzDecide(f *testing.F) {
	f.Add("application/json", `{"posted_since":"2026-11-01","dry_run":true}`)
	f.Add("application/x-www-form-urlencoded", "posted_since=2026-11-01&dry_run=true")
	f.Add("", "%")
	f.Fuzz(func(t *testing.T, kind, body string) {
		d := &deciding{answer: "done"}
		w := do(d.handler(), "POST", "/-/crawl/release/nhs-jobs", body, "Content-Type", kind)
		if (w.Code == 200) != (len(d.asked) == 1) || w.Code != 200 && w.Code != 400 && w.Code != 413 {
			t.Errorf("got %d, asked %v", w.Code, d.asked)
		}
	})
}
