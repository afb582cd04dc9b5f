package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/web"
)

// What a daemon is asked about its endpoints is answered to the command line
// alone, and changes nothing where it is refused.
func TestVerifyOverHTTP(t *testing.T) {
	eng, err := engine.OpenBolt(filepath.Join(t.TempDir(), "state.db"), engine.BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), eng, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	// An address that the guard refuses, without a call.
	u, err := channel.ParseHookURL("https://127.0.0.1/canary")
	if err != nil {
		t.Fatal(err)
	}
	hook, err := channel.NewWebhook(channel.WebhookConfig{URL: u, Secret: channel.NewSecret("whsec_c3RyYW5nZXItc2VjcmV0LW9uLWxvb3BiYWNrLW9ubHkhISE=")})
	if err != nil {
		t.Fatal(err)
	}
	a := &app{log: slog.New(slog.DiscardHandler), store: st, channels: map[string]channel.Channel{"ward": hook}}
	admin := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	h := a.withWebhooks(admin)
	for _, tt := range []struct {
		name, method, path string
		header             [2]string
		code               int
		says               string
	}{
		{"a browser", "POST", "/-/webhook/verify/ward", [2]string{"Sec-Fetch-Site", "same-origin"}, 403, "Nothing was changed."},
		{"a page", "POST", "/-/webhook/verify/ward", [2]string{"Origin", "null"}, 403, "Nothing was changed."},
		{"a stranger's endpoint", "POST", "/-/webhook/verify/ward", [2]string{}, 502, "nothing was changed: the address is not one that we call"},
		{"no such channel", "POST", "/-/webhook/verify/other", [2]string{}, 404, `no channel "other"`},
		{"not a POST", "GET", "/-/webhook/verify/ward", [2]string{}, 418, ""},
		{"the other pages", "GET", "/metrics", [2]string{}, 418, ""},
	} {
		r := httptest.NewRequest(tt.method, tt.path, nil)
		if tt.header[0] != "" {
			r.Header.Set(tt.header[0], tt.header[1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.says) || strings.Contains(w.Body.String(), "canary") {
			t.Errorf("%s: %d %q, want %d %q", tt.name, w.Code, w.Body, tt.code, tt.says)
		}
		if named := w.Header().Get(web.DecideHeader) != ""; named != (tt.code != 418) {
			t.Errorf("%s: the answer is marked as a decision's: %v", tt.name, named)
		}
	}
	if all, err := st.Endpoints(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("endpoints %v, %v, want none changed", all, err)
	}
}
