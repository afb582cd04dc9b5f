package channel

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/message"
)

// WebhookConfig is one endpoint that is told of vacancies by HTTP POST, signed
// as Standard Webhooks 1.0.0 says.
type WebhookConfig struct {
	// URL is the endpoint, https. It counts as a secret and is never logged.
	URL HookURL `yaml:"url" json:"url"`
	// SecretFile names the file with the signing secret: whsec_ and the base64
	// of 24 to 64 random bytes. The receiver checks the signature with it.
	SecretFile string `yaml:"secret_file" json:"secret_file"`
	// OldSecretFile names the secret that is being replaced. While it is given,
	// both sign, and a receiver may check with either.
	OldSecretFile string `yaml:"old_secret_file" json:"old_secret_file,omitempty"`
	// Allow lists networks (10.1.0.0/16) that may be called though they are
	// not public: receivers of your own. They are reached on every port. By
	// default only public addresses on ports 443 and 8443 are.
	Allow []netip.Prefix `yaml:"allow" json:"allow,omitempty"`
	// AllowHTTP lets the URL be http, and port 80. The message is then signed
	// but can be read on its way. Off by default.
	AllowHTTP bool `yaml:"allow_http" json:"allow_http,omitempty"`

	// Secret and OldSecret are the secrets themselves, for callers that do not
	// keep them in files.
	Secret    Secret `yaml:"-" json:"-"`
	OldSecret Secret `yaml:"-" json:"-"`
}

// A Webhook is the channel to one endpoint.
type Webhook struct {
	url    HookURL
	sign   signer
	client *http.Client
}

var _ Channel = (*Webhook)(nil)

// maxAnswer is how much of an answer is read, so that the connection can be
// used again. Nothing of it is kept.
const maxAnswer = 16 << 10

// maxRetryAfter bounds what an endpoint may ask us to wait.
const maxRetryAfter = 24 * time.Hour

// hookDelays are the waits after the first, second, … failed attempt: eight
// attempts within 27 hours and 35 minutes.
var hookDelays = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
	5 * time.Hour, 10 * time.Hour, 10 * time.Hour}

// NewWebhook checks cfg and reads its secrets. It calls nobody.
func NewWebhook(cfg WebhookConfig) (*Webhook, error) {
	if cfg.URL.IsZero() {
		return nil, errors.New("webhook: there is no url")
	}
	if !strings.HasPrefix(cfg.URL.Reveal(), "https:") && !cfg.AllowHTTP {
		return nil, errors.New("webhook: the url is not https: use https, or set allow_http if the way there is your own")
	}
	secret, err := pick("secret", cfg.Secret, cfg.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	if secret.IsZero() {
		return nil, errors.New("webhook: there is no secret_file: without a secret the receiver cannot tell us from others")
	}
	old, err := pick("old_secret", cfg.OldSecret, cfg.OldSecretFile)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	var keys [][]byte
	for _, s := range []Secret{secret, old} {
		if s.IsZero() {
			continue
		}
		key, err := signingKey(s)
		if err != nil {
			return nil, fmt.Errorf("webhook: %w", err)
		}
		keys = append(keys, key)
	}
	return &Webhook{url: cfg.URL, sign: newSigner(keys), client: Client(cfg.Allow, cfg.AllowHTTP)}, nil
}

// Format prints the destination for every verb, and neither URL nor keys.
func (w *Webhook) Format(f fmt.State, _ rune) { fmt.Fprint(f, "webhook ", w.Destination("")) }

// Kind is "webhook".
func (w *Webhook) Kind() string { return "webhook" }

// Destination names the endpoint by a digest of its URL: the same for every
// channel that calls it, and no way back to it.
func (w *Webhook) Destination(string) string { return "hook-" + Token(w.url.Reveal())[:10] }

// Render makes the body. It is told of one vacancy at a time.
func (w *Webhook) Render(a message.Alert, _ string) ([]byte, error) { return message.WebhookBody(a) }

// Limit is 15 seconds.
func (w *Webhook) Limit() time.Duration { return hookTimeout }

// Delay is 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 10 h.
func (w *Webhook) Delay(n int) (time.Duration, bool) {
	if n < 1 || n > len(hookDelays) {
		return 0, false
	}
	return hookDelays[n-1], true
}

// Close lets go of connections that are kept.
func (w *Webhook) Close() error {
	w.client.CloseIdleConnections()
	return nil
}

// Send posts the stored body once. Id and body are those of every attempt,
// timestamp and signature are made anew, for receivers refuse old ones.
//
//	2xx                    done
//	410                    bury: the endpoint is gone
//	429, 503               retry, after what the endpoint asks (1 s to 24 h)
//	other answers          retry: deploys cause 400, 401, 403 and 404 too,
//	                       and a redirect is not followed
//	not reached, blocked   retry
//	no or half an answer   unknown: the endpoint may have taken it
func (w *Webhook) Send(ctx context.Context, m Message) Result {
	at := m.At
	if at.IsZero() {
		at = time.Now()
	}
	// Whatever was written may have arrived. The flag is set from the
	// transport's own goroutine.
	var wrote atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }}
	inner, cancel := context.WithTimeout(httptrace.WithClientTrace(ctx, trace), hookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(inner, http.MethodPost, w.url.Reveal(), bytes.NewReader(m.Body))
	if err != nil {
		// Unreachable: the URL was parsed before. Its error would hold the URL.
		return Result{Outcome: Bury, Reason: ReasonRender, Detail: "the request cannot be made"}
	}
	id := "msg_" + Token(m.ID)
	stamp := strconv.FormatInt(at.Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "vacancywatch")
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", stamp)
	req.Header.Set("webhook-signature", w.sign(id, stamp, m.Body))

	resp, err := w.client.Do(req)
	if err != nil {
		return hookFailure(ctx, err, wrote.Load())
	}
	defer resp.Body.Close()
	// The status decides; a body that breaks off changes nothing.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	return hookAnswer(resp, at)
}

func hookAnswer(resp *http.Response, at time.Time) Result {
	code := resp.StatusCode
	r := Result{Outcome: Retry, Reason: ReasonRefused, Detail: "status " + strconv.Itoa(code)}
	switch {
	case code >= 200 && code <= 299:
		return Result{Outcome: Done, Detail: r.Detail}
	case code == http.StatusGone:
		r.Outcome, r.Reason = Bury, ReasonRejected
	case code == http.StatusTooManyRequests:
		r.Reason, r.After = ReasonRateLimited, retryAfter(resp.Header.Get("Retry-After"), at)
	case code == http.StatusServiceUnavailable:
		r.Reason, r.After = ReasonServer, retryAfter(resp.Header.Get("Retry-After"), at)
	case code >= 500:
		r.Reason = ReasonServer
	}
	return r
}

// retryAfter reads seconds or a date; 0 where the header says neither.
func retryAfter(s string, at time.Time) time.Duration {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0
	}
	var d time.Duration
	if t, err := http.ParseTime(s); err == nil {
		d = t.Sub(at)
	} else if digits := strings.Trim(s, "0123456789") == ""; digits {
		// A number too large for an int still asks for a long wait.
		n, err := strconv.Atoi(s)
		if err != nil || n > int(maxRetryAfter/time.Second) {
			n = int(maxRetryAfter / time.Second)
		}
		d = time.Duration(n) * time.Second
	} else {
		return 0
	}
	return min(max(d, time.Second), maxRetryAfter)
}

// hookFailure classes an attempt without an answer. ctx is the caller's: when
// that has ended, it was us who gave up.
func hookFailure(ctx context.Context, err error, wrote bool) Result {
	// *url.Error prints the address; nothing of err goes into the result.
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	var ne net.Error
	timeout := errors.Is(err, context.DeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
	switch {
	case errors.Is(err, ErrBlocked):
		return Result{Outcome: Retry, Reason: ReasonBlocked, Detail: "the address is not one that we call"}
	case wrote && timeout:
		return Result{Outcome: Unknown, Reason: ReasonTimeout, Detail: "no answer in time"}
	case wrote:
		return Result{Outcome: Unknown, Reason: ReasonNetwork, Detail: "the answer was lost"}
	case ctx.Err() != nil:
		return Result{Outcome: Release, Reason: ReasonStopped, Detail: "stopped before the request was sent"}
	case timeout:
		return Result{Outcome: Retry, Reason: ReasonTimeout, Detail: "no connection in time"}
	}
	return Result{Outcome: Retry, Reason: ReasonNetwork, Detail: "no connection"}
}

// signingKey reads whsec_ and base64 of 24 to 64 bytes. The length is ours to
// check: libraries of receivers take an empty key without a word.
func signingKey(s Secret) ([]byte, error) {
	text, ok := strings.CutPrefix(s.Reveal(), "whsec_")
	if !ok {
		return nil, errors.New("the secret does not begin with whsec_")
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("the secret is not base64 behind whsec_")
	}
	if len(key) < 24 || len(key) > 64 {
		return nil, fmt.Errorf("the secret is %d bytes long: use 24 to 64 random bytes", len(key))
	}
	return key, nil
}

// A signer makes the value of webhook-signature. It is a function, so that
// the keys inside it can be printed by nobody.
type signer func(id, stamp string, body []byte) string

// newSigner signs with every key: a v1 for each, divided by spaces.
func newSigner(keys [][]byte) signer {
	return func(id, stamp string, body []byte) string {
		sigs := make([]string, len(keys))
		for i, key := range keys {
			h := hmac.New(sha256.New, key)
			io.WriteString(h, id+"."+stamp+".")
			h.Write(body)
			sigs[i] = "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
		}
		return strings.Join(sigs, " ")
	}
}
