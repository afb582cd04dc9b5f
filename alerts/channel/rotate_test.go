package channel_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// verifiedBy sends a message and returns which of the secrets verify it.
func verifiedBy(t *testing.T, file string, at time.Time, secrets ...string) []bool {
	t.Helper()
	var got []bool
	url := hookServer(t, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		for _, s := range secrets {
			wh, err := standardwebhooks.NewWebhook(s)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, wh.VerifyIgnoringTimestamp(body, r.Header) == nil)
		}
	})
	hook := newWebhook(t, url, func(c *channel.WebhookConfig) { c.Secret, c.SecretFile = channel.Secret{}, file })
	m := hookMessage(t, hook, "rotated")
	m.At = at
	if r := hook.Send(t.Context(), m); r.Outcome != channel.Done {
		t.Fatalf("got %+v", r)
	}
	return got
}

func secretIn(t *testing.T, file string) string {
	t.Helper()
	s, err := channel.ReadSecret(file)
	if err != nil {
		t.Fatal(err)
	}
	return s.Reveal()
}

func TestRotate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ward.secret")
	first := "whsec_" + keyText
	if err := os.WriteFile(file, []byte(first+"\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC)
	until, err := channel.Rotate(file, now)
	if err != nil || !until.Equal(now.Add(24*time.Hour)) {
		t.Fatalf("until %v, %v", until, err)
	}
	second := secretIn(t, file)
	if second == first {
		t.Fatal("the secret is the old one")
	}
	if runtime.GOOS != "windows" {
		for _, f := range []string{file, file + ".old"} {
			if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("%s: %v, %v, want the mode of the secret", f, info.Mode(), err)
			}
		}
	}
	for _, tt := range []struct {
		after time.Duration
		old   bool
	}{{0, true}, {24*time.Hour - time.Second, true}, {24 * time.Hour, false}} {
		got := verifiedBy(t, file, now.Add(tt.after), first, second)
		if got[0] != tt.old || !got[1] {
			t.Errorf("after %v the old one verifies: %v, the new one: %v", tt.after, got[0], got[1])
		}
	}
	var open *channel.RotationError
	if _, err := channel.Rotate(file, now.Add(23*time.Hour)); !errors.As(err, &open) || !open.Until.Equal(until) {
		t.Errorf("a second rotation: %v", err)
	}
	if secretIn(t, file) != second {
		t.Error("a refused rotation changed the secret")
	}
	if _, err := channel.Rotate(file, now.Add(24*time.Hour)); err != nil {
		t.Errorf("a rotation after the first has ended: %v", err)
	}
	if secretIn(t, file) == second {
		t.Error("the second rotation changed nothing")
	}
	if leftover, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".secret*")); err != nil || len(leftover) > 0 {
		t.Errorf("files are left: %v, %v", leftover, err)
	}
}

// A webhook that runs signs with a rotation from the next message on, and goes
// on with what it had where the files cannot be read.
func TestRotateWhileRunning(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ward.secret")
	first := "whsec_" + keyText
	if err := os.WriteFile(file, []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	var signatures int
	var good []bool
	secrets := []string{first}
	url := hookServer(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		signatures = len(strings.Fields(r.Header.Get("webhook-signature")))
		good = nil
		for _, s := range secrets {
			wh, _ := standardwebhooks.NewWebhook(s)
			good = append(good, wh.Verify(body, r.Header) == nil)
		}
	})
	hook := newWebhook(t, url, func(c *channel.WebhookConfig) { c.Secret, c.SecretFile = channel.Secret{}, file })
	send := func(what string, want int) {
		t.Helper()
		if r := hook.Send(t.Context(), hookMessage(t, hook, what)); r.Outcome != channel.Done || signatures != want {
			t.Errorf("%s: %+v with %d signatures, want %d", what, r, signatures, want)
		}
		for i, ok := range good {
			if !ok {
				t.Errorf("%s: secret %d does not verify", what, i)
			}
		}
	}
	send("before", 1)
	if _, err := channel.Rotate(file, time.Now()); err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, secretIn(t, file))
	send("after", 2)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	send("without the file", 2)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	send("with an empty file", 2)
}

// A crash between the two files leaves one secret in both; then the rotation
// goes on.
func TestRotateAfterCrash(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ward.secret")
	first := "whsec_" + keyText
	now := time.Now()
	for name, text := range map[string]string{file: first + "\n", file + ".old": first + "\n" + now.Add(time.Hour).UTC().Format(time.RFC3339) + "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := verifiedBy(t, file, now, first); !got[0] {
		t.Error("the secret does not verify")
	}
	if _, err := channel.Rotate(file, now); err != nil {
		t.Error(err)
	}
	if secretIn(t, file) == first {
		t.Error("nothing was rotated")
	}
}

func TestRotateRefuses(t *testing.T) {
	for name, files := range map[string][2]string{
		"no file":               {"", ""},
		"no secret":             {"canary", ""},
		"a damaged old one":     {"whsec_" + keyText, "whsec_canary"},
		"an old one of no time": {"whsec_" + keyText, "whsec_canary\ncanary\n"},
		"an old one of nothing": {"whsec_" + keyText, "\n2026-07-14T12:00:00Z\n"},
	} {
		file := filepath.Join(t.TempDir(), "ward.secret")
		for i, suffix := range []string{"", ".old"} {
			if files[i] == "" {
				continue
			}
			if err := os.WriteFile(file+suffix, []byte(files[i]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := channel.Rotate(file, time.Now())
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v", name, err)
		}
		if files[0] != "" && secretIn(t, file) != files[0] {
			t.Errorf("%s: the secret was changed", name)
		}
	}
}

// The challenge is echoed as it is or in JSON. What was sent is no echo.
func TestWebhookVerify(t *testing.T) {
	const challenge = "c2hhbGwtd2UtYmVnaW4"
	var body []byte
	for _, tt := range []struct {
		name   string
		status int
		answer func() string
		want   channel.Outcome
	}{
		{"as it is", 200, func() string { return challenge }, channel.Done},
		{"with white space", 202, func() string { return " " + challenge + "\n" }, channel.Done},
		{"in JSON", 200, func() string { return `{"challenge": "` + challenge + `", "more": 1}` }, channel.Done},
		{"nothing", 204, func() string { return "" }, channel.Retry},
		{"another", 200, func() string { return challenge + "x" }, channel.Retry},
		{"somewhere in a page", 200, func() string { return "<p>" + challenge + "</p>" }, channel.Retry},
		{"all that was sent", 200, func() string { return string(body) }, channel.Retry},
		{"with an error", 500, func() string { return challenge }, channel.Retry},
		{"with a redirect", 302, func() string { return challenge }, channel.Retry},
		{"gone", 410, func() string { return challenge }, channel.Bury},
	} {
		url := hookServer(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ = io.ReadAll(r.Body)
			wh, err := standardwebhooks.NewWebhook("whsec_" + keyText)
			if err != nil {
				t.Fatal(err)
			}
			if err := wh.Verify(body, r.Header); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.answer())
		})
		hook := newWebhook(t, url, nil)
		r := hook.Verify(t.Context(), challenge, time.Now())
		if r.Outcome != tt.want || strings.Contains(r.Detail+r.Reason, challenge) {
			t.Errorf("%s: got %+v, want %s", tt.name, r, tt.want)
		}
		if want := `{"type":"endpoint.verify","timestamp":"`; !strings.HasPrefix(string(body), want) || !strings.Contains(string(body), challenge) {
			t.Errorf("%s: it was sent %s", tt.name, body)
		}
	}
}

func TestWebhookTest(t *testing.T) {
	var body []byte
	status := 200
	url := hookServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(status)
	})
	hook := newWebhook(t, url, nil)
	at := time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC)
	if r := hook.Test(t.Context(), at); r.Outcome != channel.Done {
		t.Errorf("got %+v", r)
	}
	if want := `{"type":"endpoint.test","timestamp":"2026-07-14T12:00:00Z"}`; string(body) != want {
		t.Errorf("it was sent %s, want %s", body, want)
	}
	status = 404
	if r := hook.Test(t.Context(), at); r.Outcome != channel.Retry || r.Detail != "status 404" {
		t.Errorf("got %+v", r)
	}
	for _, want := range []bool{true, false} {
		if got := newWebhook(t, url, func(c *channel.WebhookConfig) { c.Verify = want }).Verifies(); got != want {
			t.Errorf("Verifies() = %v, want %v", got, want)
		}
	}
}
