package chat_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/channel/channeltest"
	"github.com/vacancywatch/vacancywatch/alerts/channel/chat"
	"github.com/vacancywatch/vacancywatch/alerts/message"
)

func canaries(server string) []string {
	host := server[strings.Index(server, "//")+2:]
	return []string{"canary", host, token, access, "Bearer", fmt.Sprintf("%x", "canary")}
}

func TestSuite(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			channeltest.Suite(t, func(t *testing.T) channeltest.Far {
				s := newService(t, kind, false)
				return channeltest.Far{
					Channel: newChat(t, kind, s.URL), Canaries: canaries(s.URL),
					Set: func(a channeltest.Answer) bool {
						switch a {
						case channeltest.Accept:
							s.set(nil)
						case channeltest.Busy:
							s.set(status(502))
						case channeltest.Slow:
							s.set(status(429))
						case channeltest.Refuse:
							s.set(status(401))
						case channeltest.Gone:
							s.set(status(410))
						case channeltest.Hang:
							s.set(hang)
						case channeltest.CutDone:
							s.set(cut)
						case channeltest.Down:
							s.Close()
						}
						return true
					},
					Accepted: func() []string {
						s.mu.Lock()
						defer s.mu.Unlock()
						return slices.Clone(s.ids)
					},
				}
			})
		})
	}
}

// What an answer means is told by its status, and the wait by the header or,
// where the service does so, by the body.
func TestAnswers(t *testing.T) {
	at := time.Date(2026, 6, 24, 8, 22, 0, 0, time.UTC)
	retry := func(reason string, after time.Duration) channel.Result {
		return channel.Result{Outcome: channel.Retry, Reason: reason, After: after}
	}
	bury := func(reason string) channel.Result { return channel.Result{Outcome: channel.Bury, Reason: reason} }
	const telegram429 = `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}`
	for _, tt := range []struct {
		kind         string
		status       int
		header, body string
		want         channel.Result
	}{
		{"slack", 400, "", "invalid_payload", bury(channel.ReasonContent)},
		{"slack", 403, "", "action_prohibited", retry(channel.ReasonRefused, 0)},
		{"slack", 404, "", "no_service", retry(channel.ReasonRefused, 0)},
		{"slack", 410, "", "channel_is_archived", bury(channel.ReasonRejected)},
		{"slack", 429, "30", `{"retry_after": 99}`, retry(channel.ReasonRateLimited, 30*time.Second)},
		{"teams", 400, "", "", retry(channel.ReasonRefused, 0)},
		{"teams", 413, "", "", bury(channel.ReasonContent)},
		{"teams", 429, "5", "", retry(channel.ReasonRateLimited, 5*time.Second)},
		{"discord", 204, "", "", channel.Result{Outcome: channel.Done}},
		{"discord", 400, "", `{"code": 50035}`, bury(channel.ReasonContent)},
		{"discord", 404, "", `{"code": 10015}`, bury(channel.ReasonRejected)},
		{"discord", 429, "", `{"message": "x", "retry_after": 2.5, "global": false}`, retry(channel.ReasonRateLimited, 2500*time.Millisecond)},
		{"discord", 429, "4", `{"retry_after": 2.5}`, retry(channel.ReasonRateLimited, 4*time.Second)},
		{"discord", 429, "1", `{"retry_after": 0.004}`, retry(channel.ReasonRateLimited, time.Second)},
		{"discord", 429, "", `{"retry_after": 1e300}`, retry(channel.ReasonRateLimited, 24*time.Hour)},
		{"discord", 429, "", `{"retry_after": -1}`, retry(channel.ReasonRateLimited, 0)},
		{"discord", 429, "", `{"retry_after": "soon"}`, retry(channel.ReasonRateLimited, 0)},
		{"discord", 429, "3", `<html>canary`, retry(channel.ReasonRateLimited, 3*time.Second)},
		{"telegram", 400, "", `{"ok":false,"description":"Bad Request: chat not found"}`, bury(channel.ReasonRejected)},
		{"telegram", 403, "", `{"ok":false,"description":"Forbidden: bot was blocked by the user"}`, bury(channel.ReasonRejected)},
		{"telegram", 401, "", "", retry(channel.ReasonRefused, 0)},
		{"telegram", 404, "", "", retry(channel.ReasonRefused, 0)},
		{"telegram", 429, "", telegram429, retry(channel.ReasonRateLimited, 7*time.Second)},
		{"telegram", 200, "", "canary, not JSON", channel.Result{Outcome: channel.Done}},
		{"ntfy", 400, "", "", bury(channel.ReasonContent)},
		{"ntfy", 403, "", "", retry(channel.ReasonRefused, 0)},
		{"ntfy", 429, "", "", retry(channel.ReasonRateLimited, 0)},
		{"ntfy", 413, "", "", bury(channel.ReasonContent)},
		{"ntfy", 503, "60", "", retry(channel.ReasonServer, time.Minute)},
		{"ntfy", 302, "", "", retry(channel.ReasonRefused, 0)},
	} {
		s := newService(t, tt.kind, false)
		s.set(func(w http.ResponseWriter, _ *http.Request, _ func()) {
			w.Header().Set("Location", "/canary")
			if tt.header != "" {
				w.Header().Set("Retry-After", tt.header)
			}
			w.WriteHeader(tt.status)
			if tt.status != http.StatusNoContent {
				fmt.Fprint(w, tt.body)
			}
		})
		c := newChat(t, tt.kind, s.URL)
		tt.want.Detail = fmt.Sprintf("status %d", tt.status)
		if diff := cmp.Diff(tt.want, c.Send(t.Context(), channel.Message{ID: "x", Body: []byte("[]"), At: at})); diff != "" {
			t.Errorf("%s %d %q %s (-want +got):\n%s", tt.kind, tt.status, tt.header, tt.body, diff)
		}
	}
}

// Whatever goes wrong, neither the address nor a token is told to anybody.
func TestNoSecrets(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			var out bytes.Buffer
			log := slog.New(slog.NewTextHandler(&out, nil))
			send := func(ctx context.Context, what string, c *chat.Chat, want ...channel.Outcome) {
				r := c.Send(ctx, channel.Message{ID: "x", Body: []byte("[]"), Try: 1})
				if !slices.Contains(want, r.Outcome) || !slices.Contains(channel.Reasons(), r.Reason) {
					t.Errorf("%s: got %+v, want one of %v", what, r, want)
				}
				log.Info(what, "result", r, "channel", c, "destination", c.Destination(""))
			}
			s := newService(t, kind, false)
			c := newChat(t, kind, s.URL)
			s.set(func(w http.ResponseWriter, r *http.Request, _ func()) {
				http.Redirect(w, r, "/canary", http.StatusFound)
			})
			send(t.Context(), "redirect", c, channel.Retry)
			s.set(func(w http.ResponseWriter, _ *http.Request, _ func()) {
				w.WriteHeader(http.StatusTooManyRequests)
				fmt.Fprint(w, `{"retry_after": canary`)
			})
			send(t.Context(), "bad JSON", c, channel.Retry)
			s.set(cut)
			send(t.Context(), "cut", c, channel.Unknown)
			s.set(hang)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			send(ctx, "timeout", c, channel.Unknown)
			s.Close()
			send(t.Context(), "refused", c, channel.Retry)
			// A certificate of an authority that nobody knows.
			secure := newService(t, kind, true)
			send(t.Context(), "TLS", newChat(t, kind, secure.URL), channel.Retry)
			if _, err := c.Render(message.Alert{}, ""); err != nil {
				t.Errorf("an alert about nothing: %v", err)
			}
			for _, canary := range append(canaries(s.URL), canaries(secure.URL)...) {
				if strings.Contains(out.String(), canary) {
					t.Errorf("%q is in\n%s", canary, out.String())
				}
			}
		})
	}
}

// An address that is not public is not called unless it is allowed.
func TestGuard(t *testing.T) {
	c, err := chat.NewSlack(chat.HookConfig{URL: channel.NewSecret("https://127.0.0.1/canary")})
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Send(t.Context(), channel.Message{ID: "x", Body: []byte("{}")}); r.Outcome != channel.Retry || r.Reason != channel.ReasonBlocked {
		t.Errorf("got %+v, want it blocked", r)
	}
}

// Every kind is one of the closed list of label values.
func TestKinds(t *testing.T) {
	for _, kind := range kinds {
		c := newChat(t, kind, "http://127.0.0.1:1")
		if c.Kind() != kind || !slices.Contains(channel.Kinds(), kind) {
			t.Errorf("kind %q of %q is not on the list %v", c.Kind(), kind, channel.Kinds())
		}
		other := newChat(t, kind, "http://127.0.0.1:2")
		if d := c.Destination(""); d == other.Destination("") || !strings.HasPrefix(d, kind+"-") {
			t.Errorf("destinations %q and %q", d, other.Destination(""))
		}
	}
}

func TestConfig(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		f, err := os.CreateTemp(dir, "secret")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text + "\n"); err != nil {
			t.Fatal(err)
		}
		return f.Name()
	}
	u := func(s string) (h channel.HookURL) {
		if err := h.UnmarshalText([]byte(s)); err != nil {
			t.Fatal(err)
		}
		return h
	}
	slack := func(c chat.HookConfig) func() (*chat.Chat, error) {
		return func() (*chat.Chat, error) { return chat.NewSlack(c) }
	}
	telegram := func(c chat.TelegramConfig) func() (*chat.Chat, error) {
		return func() (*chat.Chat, error) { return chat.NewTelegram(c) }
	}
	ntfy := func(c chat.NtfyConfig) func() (*chat.Chat, error) {
		return func() (*chat.Chat, error) { return chat.NewNtfy(c) }
	}
	good := file("https://hooks.example.org/canary")
	tok, topic := file(token), file("canary-topic")
	for _, tt := range []struct {
		want string
		make func() (*chat.Chat, error)
	}{
		{"", slack(chat.HookConfig{URLFile: good})},
		{"slack: there is no url_file", slack(chat.HookConfig{})},
		{"slack: url is given twice", slack(chat.HookConfig{URLFile: good, URL: channel.NewSecret("https://canary.example.org")})},
		{"slack: url_file: the url cannot be read", slack(chat.HookConfig{URLFile: file("https://[canary")})},
		{"slack: url_file: the url is not one of https", slack(chat.HookConfig{URLFile: file("canary")})},
		{"slack: the url is not https", slack(chat.HookConfig{URLFile: file("http://hooks.example.org/canary")})},
		{"slack: read a secret: open ", slack(chat.HookConfig{URLFile: filepath.Join(dir, "absent")})},
		{"teams: there is no url_file", func() (*chat.Chat, error) { return chat.NewTeams(chat.HookConfig{}) }},
		{"discord: there is no url_file", func() (*chat.Chat, error) { return chat.NewDiscord(chat.HookConfig{}) }},
		{"", telegram(chat.TelegramConfig{TokenFile: tok, ChatID: "-1001234567890"})},
		{"", telegram(chat.TelegramConfig{TokenFile: tok, ChatID: "@ward_board"})},
		{"telegram: there is no token_file", telegram(chat.TelegramConfig{ChatID: "1"})},
		{"telegram: the token is not the token of a bot", telegram(chat.TelegramConfig{TokenFile: file("1:canary/../x"), ChatID: "1"})},
		{"telegram: chat_id is neither", telegram(chat.TelegramConfig{TokenFile: tok})},
		{"telegram: chat_id is neither", telegram(chat.TelegramConfig{TokenFile: tok, ChatID: "canary room"})},
		{"telegram: the url is not https", telegram(chat.TelegramConfig{TokenFile: tok, ChatID: "1", URL: u("http://canary.example.org")})},
		{"telegram: the url is not the root", telegram(chat.TelegramConfig{TokenFile: tok, ChatID: "1", URL: u("https://canary.example.org/?a=b")})},
		{"", ntfy(chat.NtfyConfig{TopicFile: topic})},
		{"", ntfy(chat.NtfyConfig{TopicFile: topic, TokenFile: file(access), URL: u("https://ntfy.example.org/")})},
		{"ntfy: there is no topic_file", ntfy(chat.NtfyConfig{})},
		{"ntfy: the topic is not the name", ntfy(chat.NtfyConfig{TopicFile: file("canary/topic")})},
		{"ntfy: the token is not an access token", ntfy(chat.NtfyConfig{TopicFile: topic, TokenFile: file("canary token")})},
		{"ntfy: the url is not https", ntfy(chat.NtfyConfig{TopicFile: topic, URL: u("http://canary.example.org")})},
	} {
		_, err := tt.make()
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("a good configuration: %v", err)
		case tt.want == "":
		case err == nil || !strings.Contains(err.Error(), tt.want):
			t.Errorf("got %v, want %q", err, tt.want)
		case strings.Contains(err.Error(), "canary"):
			t.Errorf("the error repeats a value: %v", err)
		}
	}
}

// A test is a message like any other, and two of them are two messages.
func TestTest(t *testing.T) {
	at := time.Date(2026, 6, 24, 8, 22, 0, 0, time.UTC)
	for _, kind := range kinds {
		s := newService(t, kind, false)
		c := newChat(t, kind, s.URL)
		for i := range 2 {
			if r := c.Test(t.Context(), at.Add(time.Duration(i))); r.Outcome != channel.Done {
				t.Errorf("%s: got %+v, want done", kind, r)
			}
		}
		if len(s.ids) != 2 || s.ids[0] == s.ids[1] {
			t.Errorf("%s: ids %q", kind, s.ids)
		}
		s.set(status(403))
		if r := c.Test(t.Context(), at); r.Outcome == channel.Done {
			t.Errorf("%s: got %+v where it is refused", kind, r)
		}
	}
}
