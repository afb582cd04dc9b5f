package channel

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
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
	// "vacancywatch webhook rotate" replaces it; the one before signs beside it
	// for 24 hours, from the same folder.
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
	// Verify asks a URL that is new or has changed to echo a challenge before
	// it is told anything, for one with a typing error is somebody else's. It
	// is sent {"type":"endpoint.verify","timestamp":"…","challenge":"…"}, signed as
	// always, and must answer 2xx within the hour with the challenge as its
	// body, or with {"challenge":"…"}. Off by default: an operator who writes
	// the file answers for the URL in it, and most receivers cannot do that.
	Verify bool `yaml:"verify" json:"verify,omitempty"`

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
	verify bool
}

var (
	_ Tester   = (*Webhook)(nil)
	_ Verifier = (*Webhook)(nil)
)

// NewWebhook checks cfg and reads its secrets. It calls nobody.
func NewWebhook(cfg WebhookConfig) (*Webhook, error) {
	if cfg.URL.IsZero() {
		return nil, errors.New("webhook: there is no url")
	}
	if !strings.HasPrefix(cfg.URL.Reveal(), "https:") && !cfg.AllowHTTP {
		return nil, errors.New("webhook: the url is not https: use https, or set allow_http if the way there is your own")
	}
	secret, err := Pick("secret", cfg.Secret, cfg.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	if secret.IsZero() {
		return nil, errors.New("webhook: there is no secret_file: without a secret the receiver cannot tell us from others")
	}
	old, err := Pick("old_secret", cfg.OldSecret, cfg.OldSecretFile)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	var others [][]byte
	if !old.IsZero() {
		key, err := signingKey(old)
		if err != nil {
			return nil, fmt.Errorf("webhook: %w", err)
		}
		others = [][]byte{key}
	}
	key, err := signingKey(secret)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	sign := newSigner(func(time.Time) [][]byte { return append([][]byte{key}, others...) })
	if cfg.SecretFile != "" {
		if sign, err = fileSigner(cfg.SecretFile, others); err != nil {
			return nil, fmt.Errorf("webhook: %w", err)
		}
	}
	return &Webhook{url: cfg.URL, sign: sign, client: Client(cfg.Allow, cfg.AllowHTTP),
		verify: cfg.Verify}, nil
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
func (w *Webhook) Limit() time.Duration { return PostLimit }

// Delay is 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 10 h.
func (w *Webhook) Delay(n int) (time.Duration, bool) { return PostDelay(n) }

// Close lets go of connections that are kept.
func (w *Webhook) Close() error {
	w.client.CloseIdleConnections()
	return nil
}

// Send posts the stored body once, see Post. Id and body are those of every
// attempt, timestamp and signature are made anew, for receivers refuse old
// ones.
func (w *Webhook) Send(ctx context.Context, m Message) Result {
	return w.post(ctx, m, nil)
}

// Test sends endpoint.test, which tells of nothing.
func (w *Webhook) Test(ctx context.Context, at time.Time) Result {
	return w.post(ctx, Message{ID: "endpoint.test|" + at.UTC().Format(time.RFC3339Nano), Body: endpointBody("endpoint.test", "", at), At: at}, nil)
}

// Verifies reports whether the endpoint is to echo a challenge.
func (w *Webhook) Verifies() bool { return w.verify }

// Verify sends endpoint.verify, and wants its challenge back.
func (w *Webhook) Verify(ctx context.Context, challenge string, at time.Time) Result {
	m := Message{ID: "endpoint.verify|" + challenge, Body: endpointBody("endpoint.verify", challenge, at), At: at}
	return w.post(ctx, m, func(body []byte) bool { return echoes(body, challenge) })
}

// endpointBody is a message about the endpoint itself.
func endpointBody(kind, challenge string, at time.Time) []byte {
	b, err := json.Marshal(struct {
		Type      string `json:"type"`
		Timestamp string `json:"timestamp"`
		Challenge string `json:"challenge,omitempty"`
	}{kind, at.UTC().Format(time.RFC3339), challenge})
	if err != nil {
		panic(err) // Unreachable: three strings.
	}
	return b
}

// echoes reports whether an answer is the challenge, or JSON that holds it. What
// was sent is no answer: a server that sends back whatever it gets expects
// nobody.
func echoes(body []byte, challenge string) bool {
	body = bytes.TrimSpace(body)
	if string(body) == challenge {
		return true
	}
	var answer struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	return json.Unmarshal(body, &answer) == nil && answer.Challenge == challenge && answer.Type == ""
}

func (w *Webhook) post(ctx context.Context, m Message, echoed func([]byte) bool) Result {
	at := m.At
	if at.IsZero() {
		at = time.Now()
	}
	id := "msg_" + Token(m.ID)
	stamp := strconv.FormatInt(at.Unix(), 10)
	header := http.Header{}
	header.Set("webhook-id", id)
	header.Set("webhook-timestamp", stamp)
	header.Set("webhook-signature", w.sign(id, stamp, m.Body, at))
	return Post{URL: w.url, Header: header, Body: m.Body, At: at, Echoed: echoed}.Send(ctx, w.client)
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
type signer func(id, stamp string, body []byte, at time.Time) string

// fileSigner signs with the secret in a file as it is at each message, so that
// a rotation needs no restart. A file that cannot be read any more changes
// nothing.
func fileSigner(file string, others [][]byte) (signer, error) {
	last, err := fileKeys(file, others, time.Now())
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	return newSigner(func(at time.Time) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		if keys, err := fileKeys(file, others, at); err == nil {
			last = keys
		}
		return last
	}), nil
}

// newSigner signs with every key: a v1 for each, divided by spaces.
func newSigner(current func(at time.Time) [][]byte) signer {
	return func(id, stamp string, body []byte, at time.Time) string {
		keys := current(at)
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
