package mailbox

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// maxHook is the largest webhook that is taken.
const maxHook = 1 << 20

// takeHook is POST /hook/{name}. The signature is checked with the public
// library of Standard Webhooks, not with the code that signs. A wrong one is
// answered 401 and not kept, as a real receiver does; without a secret for the
// name everything is kept.
func (m *Mailbox) takeHook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHook))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	f := m.hookFault()
	if f.Status != 0 && (f.Status < 200 || f.Status > 299) {
		if wait(r, f.Delay) {
			answer(w, f)
		}
		return
	}
	x := Hook{Name: r.PathValue("name"), ID: r.Header.Get("webhook-id"), Body: body, At: m.opt.Now()}
	var envelope struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	if err := json.Unmarshal(body, &envelope); err == nil {
		x.Type = envelope.Type
	}
	if secret := m.opt.Secrets[x.Name]; !secret.IsZero() {
		if x.Verified = verified(secret.Reveal(), body, r.Header, x.At); !x.Verified {
			http.Error(w, "the signature is wrong", http.StatusUnauthorized)
			return
		}
	}
	if x.Type == "endpoint.verify" {
		// Whoever set this box up expects what comes. It is no message.
		if wait(r, f.Delay) {
			_, _ = io.WriteString(w, envelope.Challenge)
		}
		return
	}
	if err := m.acceptHook(x, f.Cut); err != nil {
		http.Error(w, "the journal cannot be written", http.StatusInternalServerError)
		return
	}
	switch {
	case !wait(r, f.Delay):
	case f.Cut:
		panic(http.ErrAbortHandler) // the way net/http hangs up without a word
	default:
		answer(w, f)
	}
}

// verified checks the age against our own clock, which a test may set.
func verified(secret string, body []byte, h http.Header, now time.Time) bool {
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil || wh.VerifyIgnoringTimestamp(body, h) != nil {
		return false
	}
	unix, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	return err == nil && now.Sub(time.Unix(unix, 0)).Abs() <= 5*time.Minute
}

// wait reports false if the sender has gone before d passed.
func wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func answer(w http.ResponseWriter, f HookFault) {
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	if f.Location != "" {
		w.Header().Set("Location", f.Location)
	}
	if f.Status == 0 {
		f.Status = http.StatusNoContent
	}
	w.WriteHeader(f.Status)
}
