package channel_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/channel/channeltest"
)

func hookServer(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func hookMessage(t *testing.T, w *channel.Webhook, id string) channel.Message {
	t.Helper()
	body, err := w.Render(channeltest.Alert(id), "")
	if err != nil {
		t.Fatal(err)
	}
	return channel.Message{ID: id, Body: body, Try: 1, At: time.Now()}
}

// TestWebhookSignature lets the public library of Standard Webhooks check
// what we sign, with either of two secrets.
func TestWebhookSignature(t *testing.T) {
	secret := func(n int) string {
		return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", n)))
	}
	for name, secrets := range map[string][]string{"24 bytes": {secret(24)}, "64 bytes": {secret(64)}, "rotation": {secret(24), secret(32)}} {
		calls := 0
		url := hookServer(t, func(w http.ResponseWriter, r *http.Request) {
			calls++
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			for _, s := range secrets {
				wh, err := standardwebhooks.NewWebhook(s)
				if err != nil {
					t.Fatal(err)
				}
				if err := wh.Verify(body, r.Header); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if wh.Verify(append(body, ' '), r.Header) == nil {
					t.Errorf("%s: a changed body verifies", name)
				}
			}
			if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: %s with %s", name, r.Method, r.Header.Get("Content-Type"))
			}
		})
		hook := newWebhook(t, url, func(c *channel.WebhookConfig) {
			c.Secret = channel.NewSecret(secrets[0])
			if len(secrets) > 1 {
				c.OldSecret = channel.NewSecret(secrets[1])
			}
		})
		if r := hook.Send(t.Context(), hookMessage(t, hook, "signed")); r.Outcome != channel.Done || calls != 1 {
			t.Errorf("%s: got %+v after %d calls", name, r, calls)
		}
	}
}

// TestWebhookAttempts: id and body stay, timestamp and signature are new.
func TestWebhookAttempts(t *testing.T) {
	type call struct{ id, stamp, signature, body string }
	var calls []call
	url := hookServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		calls = append(calls, call{r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), r.Header.Get("webhook-signature"), string(body)})
	})
	hook := newWebhook(t, url, nil)
	m := hookMessage(t, hook, "search|nhs-jobs/C9000-26-0123|new|1|hook")
	first := time.Date(2026, 6, 24, 8, 22, 0, 0, time.UTC)
	for _, m.At = range []time.Time{first, first.Add(5 * time.Minute)} {
		if r := hook.Send(t.Context(), m); r.Outcome != channel.Done {
			t.Fatalf("got %+v", r)
		}
	}
	a, b := calls[0], calls[1]
	if a.id != b.id || a.body != b.body || a.id != "msg_"+channel.Token(m.ID) {
		t.Errorf("id or body changed: %q and %q", a.id, b.id)
	}
	if a.stamp != "1782289320" || b.stamp != "1782289620" || a.signature == b.signature {
		t.Errorf("timestamps %s and %s, signatures equal: %v", a.stamp, b.stamp, a.signature == b.signature)
	}
	if a.body != string(m.Body) {
		t.Error("other bytes were sent than stored")
	}
}

func TestWebhookAnswers(t *testing.T) {
	at := time.Date(2026, 6, 24, 8, 22, 0, 0, time.UTC)
	for _, tt := range []struct {
		status     int
		retryAfter string
		want       channel.Result
	}{
		{200, "", channel.Result{Outcome: channel.Done}},
		{204, "", channel.Result{Outcome: channel.Done}},
		{299, "", channel.Result{Outcome: channel.Done}},
		{301, "", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRefused}},
		{307, "", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRefused}},
		{400, "", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRefused}},
		{401, "", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRefused}},
		{403, "", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRefused}},
		{404, "7", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRefused}},
		{410, "", channel.Result{Outcome: channel.Bury, Reason: channel.ReasonRejected}},
		{429, "", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRateLimited}},
		{429, "120", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRateLimited, After: 2 * time.Minute}},
		{429, "0", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRateLimited, After: time.Second}},
		{429, "999999999999999999999999", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRateLimited, After: 24 * time.Hour}},
		{429, "-5", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRateLimited}},
		{429, "soon", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonRateLimited}},
		{503, "Wed, 24 Jun 2026 08:32:00 GMT", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonServer, After: 10 * time.Minute}},
		{503, "Wed, 24 Jun 2026 08:12:00 GMT", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonServer, After: time.Second}},
		{503, "Wed, 24 Jun 2037 08:12:00 GMT", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonServer, After: 24 * time.Hour}},
		{500, "7", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonServer}},
		{599, "", channel.Result{Outcome: channel.Retry, Reason: channel.ReasonServer}},
	} {
		calls := 0
		url := hookServer(t, func(w http.ResponseWriter, r *http.Request) {
			calls++
			if tt.retryAfter != "" {
				w.Header().Set("Retry-After", tt.retryAfter)
			}
			w.Header().Set("Location", "/canary")
			w.WriteHeader(tt.status)
		})
		hook := newWebhook(t, url, nil)
		m := hookMessage(t, hook, "answers")
		m.At = at
		tt.want.Detail = fmt.Sprintf("status %d", tt.status)
		if diff := cmp.Diff(tt.want, hook.Send(t.Context(), m)); diff != "" {
			t.Errorf("%d, Retry-After %q (-want +got):\n%s", tt.status, tt.retryAfter, diff)
		}
		if calls != 1 {
			t.Errorf("%d: %d calls, want one: no redirect is followed", tt.status, calls)
		}
	}
}

// An answer without end is read for 16 kB and no more.
func TestWebhookEndlessAnswer(t *testing.T) {
	gone := make(chan int, 1)
	url := hookServer(t, func(w http.ResponseWriter, r *http.Request) {
		sent := 0
		for {
			n, err := w.Write(make([]byte, 4096))
			if sent += n; err != nil {
				gone <- sent
				return
			}
			w.(http.Flusher).Flush()
		}
	})
	hook := newWebhook(t, url, nil)
	start := time.Now()
	if r := hook.Send(t.Context(), hookMessage(t, hook, "endless")); r.Outcome != channel.Done {
		t.Errorf("got %+v, want done", r)
	}
	if sent, took := <-gone, time.Since(start); took > 5*time.Second {
		t.Errorf("took %v and %d bytes", took, sent)
	}
}

// An address that is not public is not called, and it is not the endpoint's
// last word: names move.
func TestWebhookBlocked(t *testing.T) {
	url := hookServer(t, func(http.ResponseWriter, *http.Request) { t.Error("a private address was called") })
	hook := newWebhook(t, url, func(c *channel.WebhookConfig) { c.Allow = nil })
	want := channel.Result{Outcome: channel.Retry, Reason: channel.ReasonBlocked, Detail: "the address is not one that we call"}
	if diff := cmp.Diff(want, hook.Send(t.Context(), hookMessage(t, hook, "blocked"))); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

func TestWebhookConfig(t *testing.T) {
	u, err := channel.ParseHookURL("https://example.org/canary")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := channel.ParseHookURL("http://example.org/canary")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("whsec_"+keyText+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := func(n int) channel.Secret {
		return channel.NewSecret("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)))
	}
	for want, cfg := range map[string]channel.WebhookConfig{
		"":                             {URL: u, SecretFile: file, OldSecretFile: file},
		"there is no url":              {SecretFile: file},
		"the url is not https":         {URL: plain, SecretFile: file},
		"there is no secret_file":      {URL: u},
		"secret is given twice":        {URL: u, SecretFile: file, Secret: key(24)},
		"old_secret is given twice":    {URL: u, SecretFile: file, OldSecretFile: file, OldSecret: key(24)},
		"does not begin with whsec_":   {URL: u, Secret: channel.NewSecret("canary")},
		"is not base64 behind whsec_":  {URL: u, Secret: channel.NewSecret("whsec_canary!")},
		"secret is 23 bytes long":      {URL: u, Secret: key(23)},
		"secret is 65 bytes long":      {URL: u, Secret: key(65)},
		"secret is 0 bytes long":       {URL: u, Secret: channel.NewSecret("whsec_")},
		"secret is 5 bytes long":       {URL: u, Secret: key(24), OldSecret: key(5)},
		"read a secret: open absent: ": {URL: u, SecretFile: "absent"},
	} {
		_, err := channel.NewWebhook(cfg)
		switch {
		case want == "" && err != nil:
			t.Errorf("a good configuration: %v", err)
		case want == "":
		case err == nil || !strings.Contains(err.Error(), want):
			t.Errorf("got %v, want %q", err, want)
		case strings.Contains(err.Error(), "canary"):
			t.Errorf("the error repeats a value: %v", err)
		}
	}
	hook := newWebhook(t, "https://example.org/canary", nil)
	other := newWebhook(t, "https://example.org/canary2", nil)
	if d := hook.Destination(""); d == other.Destination("") || strings.Contains(d, "canary") || strings.Contains(d, "example") {
		t.Errorf("destination %q", d)
	}
}

func TestWebhookDelays(t *testing.T) {
	hook := newWebhook(t, "https://example.org/", nil)
	var got []time.Duration
	total := time.Duration(0)
	for n := 1; ; n++ {
		d, ok := hook.Delay(n)
		if !ok {
			break
		}
		got, total = append(got, d), total+d
	}
	want := []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if want := 27*time.Hour + 35*time.Minute + 5*time.Second; total != want {
		t.Errorf("in all %v, want %v", total, want)
	}
}
