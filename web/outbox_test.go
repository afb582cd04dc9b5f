package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An ordering admin notes what it was asked of the outbox.
type ordering struct {
	asked []OutboxOrder
	err   error
	log   strings.Builder
}

func (o *ordering) handler() http.Handler {
	opts := adminOptions()
	opts.Logger = slog.New(slog.NewTextHandler(&o.log, nil))
	opts.Outbox = func(ctx context.Context, order OutboxOrder) (OutboxAnswer, error) {
		if _, ok := ctx.Deadline(); !ok {
			return OutboxAnswer{}, errors.New("an order without end")
		}
		o.asked = append(o.asked, order)
		return OutboxAnswer{Letters: []Letter{{ID: "a|b", State: "buried"}}, More: true, Results: []LetterResult{{ID: "a|b", Done: true, Said: "done"}}}, o.err
	}
	return Admin(opts)
}

func TestOutbox(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name, method, path, kind, body string
		header                         []string
		code                           int
		want                           *OutboxOrder // nil where nobody must be asked
		says                           string
	}{
		{name: "list", method: "GET", path: "/-/outbox/list", code: 200, want: &OutboxOrder{Action: "list"}, says: `"more": true`},
		{name: "list some", method: "GET", path: "/-/outbox/list?state=buried&channel=mail&reason=rejected&limit=5", code: 200,
			want: &OutboxOrder{Action: "list", State: "buried", Channel: "mail", Reason: "rejected", Limit: 5}},
		{name: "show", method: "GET", path: "/-/outbox/show?id=a%7Cdigest+2026-07-15.1%7Cmail%230a", code: 200, want: &OutboxOrder{Action: "show", IDs: []string{"a|digest 2026-07-15.1|mail#0a"}}},
		{name: "replay", method: "POST", path: "/-/outbox/replay", kind: form, body: "id=a&id=b", code: 200, want: &OutboxOrder{Action: "replay", IDs: []string{"a", "b"}}, says: `"said": "done"`},
		{name: "replay all", method: "POST", path: "/-/outbox/replay", kind: form + "; charset=utf-8", body: "all_buried=true&channel=ward", code: 200,
			want: &OutboxOrder{Action: "replay", AllBuried: true, Channel: "ward"}},
		{name: "discard", method: "POST", path: "/-/outbox/discard", kind: form, body: "id=a&into_digest=true", code: 200, want: &OutboxOrder{Action: "discard", IDs: []string{"a"}, IntoDigest: true}},
		{name: "no GET changes anything", method: "GET", path: "/-/outbox/replay?id=a", code: 405, says: "POST"},
		{name: "a list is no change", method: "POST", path: "/-/outbox/list", code: 405, says: "GET"},
		{name: "no such action", method: "POST", path: "/-/outbox/purge", code: 404, says: "use list, show, replay, discard"},
		{name: "misspelt field", method: "POST", path: "/-/outbox/replay", kind: form, body: "all_buried=true&chanel=ward", code: 400, says: "Nothing was changed."},
		{name: "given twice", method: "POST", path: "/-/outbox/replay", kind: form, body: "channel=a&channel=b&all_buried=true", code: 400, says: "given twice"},
		{name: "half a yes", method: "POST", path: "/-/outbox/discard", kind: form, body: "id=a&into_digest=perhaps", code: 400, says: "true or false"},
		{name: "half a number", method: "GET", path: "/-/outbox/list?limit=0", code: 400, says: "limit"},
		{name: "another type", method: "POST", path: "/-/outbox/replay", kind: "application/json", body: "{}", code: 400, says: "give a form"},
		{name: "too large", method: "POST", path: "/-/outbox/replay", kind: form, body: "id=" + strings.Repeat("x", maxOrder), code: 413},
		{name: "a browser", method: "POST", path: "/-/outbox/replay", header: []string{"Sec-Fetch-Site", "same-origin"}, code: 403, says: "vacancywatch outbox replay"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := &ordering{}
			header := tt.header
			if tt.kind != "" {
				header = append(header, "Content-Type", tt.kind)
			}
			w := do(o.handler(), tt.method, tt.path, tt.body, header...)
			if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("got %d %q, want %d, %q", w.Code, w.Body, tt.code, tt.says)
			}
			var want []OutboxOrder
			if tt.want != nil {
				want = append(want, *tt.want)
			}
			if diff := cmp.Diff(want, o.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			if got := w.Header().Get(OutboxHeader); (got == "") != (tt.name == "no such action") {
				t.Errorf("%s is %q", OutboxHeader, got)
			}
			checkHeaders(t, w.Header())
		})
	}
}

// A refusal is told in its words; any other error is for the log.
func TestOutboxErrors(t *testing.T) {
	o := &ordering{err: &Refusal{404, "there is no message x"}}
	if w := do(o.handler(), "GET", "/-/outbox/show?id=x", ""); w.Code != 404 || w.Body.String() != "there is no message x\n" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	o = &ordering{err: errStore}
	w := do(o.handler(), "POST", "/-/outbox/replay", "")
	if w.Code != 500 || strings.Contains(w.Body.String(), "10.0.0.7") || !strings.Contains(o.log.String(), "10.0.0.7") {
		t.Errorf("got %d %q, log %s", w.Code, w.Body, &o.log)
	}
	if w := do(Admin(adminOptions()), "POST", "/-/outbox/replay", ""); w.Code != http.StatusNotFound {
		t.Errorf("where there is no outbox: got %d, want 404", w.Code)
	}
	if w := do(newFixture(t, nil).handler, "GET", "/-/outbox/list", ""); w.Code != http.StatusNotFound {
		t.Errorf("on the pages for people: got %d", w.Code)
	}
}

// Whatever a command asks for arrives as it was, and whatever else is in a form
// is refused and changes nothing.
func FuzzOutbox(f *testing.F) {
	f.Add("id=a%7Cb&into_digest=true")
	f.Add("all_buried=1&reason=disabled&limit=7&state=buried")
	f.Add("%")
	f.Fuzz(func(t *testing.T, body string) {
		o := &ordering{}
		w := do(o.handler(), "POST", "/-/outbox/replay", body, "Content-Type", "application/x-www-form-urlencoded")
		if (w.Code == 200) != (len(o.asked) == 1) || w.Code != 200 && w.Code != 400 {
			t.Fatalf("got %d, asked %v", w.Code, o.asked)
		}
		if w.Code != 200 {
			return
		}
		var answer OutboxAnswer
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Error(err)
		}
		sent := o.asked[0]
		do(o.handler(), "POST", "/-/outbox/replay", sent.Form().Encode(), "Content-Type", "application/x-www-form-urlencoded")
		if diff := cmp.Diff(sent, o.asked[1], cmp.Transformer("ids", func(ids []string) string { return strings.Join(ids, "\x00") })); diff != "" {
			t.Errorf("sent again (-want +got):\n%s", diff)
		}
	})
}
