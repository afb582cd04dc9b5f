package chat_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/channel/chat"
)

// kinds are the services in a fixed order.
var kinds = []string{"slack", "teams", "discord", "telegram", "ntfy"}

// paths are where the services listen, the secrets in them.
const (
	token    = "123456789:canary-token-ABCDEFGHIJKLMNOPQRSTUVW"
	hookPath = "/services/canary/hook?key=canary-key"
	access   = "tk_canaryaccess"
)

// newChat makes a channel of a kind to a server on this machine.
func newChat(t testing.TB, kind, server string) *chat.Chat {
	t.Helper()
	g := chat.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AllowHTTP: true}
	root, err := channel.ParseHookURL(server)
	if err != nil {
		t.Fatal(err)
	}
	hooked := chat.HookConfig{URL: channel.NewSecret(server + hookPath), Guard: g}
	var c *chat.Chat
	switch kind {
	case "slack":
		c, err = chat.NewSlack(hooked)
	case "teams":
		c, err = chat.NewTeams(hooked)
	case "discord":
		c, err = chat.NewDiscord(hooked)
	case "telegram":
		c, err = chat.NewTelegram(chat.TelegramConfig{URL: root, Token: channel.NewSecret(token), ChatID: "-1009876543210", Guard: g})
	case "ntfy":
		c, err = chat.NewNtfy(chat.NtfyConfig{URL: root, Topic: channel.NewSecret("canary-topic"), Token: channel.NewSecret(access), Guard: g})
	default:
		t.Fatalf("kind %q", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// A service is the far side: it takes messages as the documentation says, and
// can be made to answer otherwise.
type service struct {
	*httptest.Server
	mu    sync.Mutex
	reply func(w http.ResponseWriter, r *http.Request, accept func())
	ids   []string
}

func newService(t *testing.T, kind string, tls bool) *service {
	t.Helper()
	s := &service{}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s with %q", kind, r.Method, r.Header.Get("Content-Type"))
		}
		wantURI := hookPath
		switch kind {
		case "discord":
			wantURI += "&wait=true"
		case "telegram":
			wantURI = "/bot" + token + "/sendMessage"
		case "ntfy":
			wantURI = "/"
			if got := r.Header.Get("Authorization"); got != "Bearer "+access {
				t.Errorf("authorization %q", got)
			}
		}
		if r.RequestURI != wantURI {
			t.Errorf("%s: asked for %q, want %q", kind, r.RequestURI, wantURI)
		}
		s.mu.Lock()
		reply := s.reply
		s.mu.Unlock()
		accept := func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.ids = append(s.ids, r.Header.Get("webhook-id"))
		}
		if reply != nil {
			reply(w, r, accept)
			return
		}
		if _, err := readers[kind](body); err != nil && len(body) > 0 && body[0] == '{' {
			t.Errorf("%s refuses the message: %v", kind, err)
		}
		accept()
		if kind == "teams" {
			w.WriteHeader(http.StatusAccepted) // a workflow answers before it posts
		}
	})
	s.Server = httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func (s *service) set(reply func(w http.ResponseWriter, r *http.Request, accept func())) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = reply
}

func status(code int) func(http.ResponseWriter, *http.Request, func()) {
	return func(w http.ResponseWriter, _ *http.Request, _ func()) { w.WriteHeader(code) }
}

// hang answers nothing until the caller gives up.
func hang(_ http.ResponseWriter, r *http.Request, _ func()) { <-r.Context().Done() }

// cut takes the message and breaks off before the answer.
func cut(_ http.ResponseWriter, _ *http.Request, accept func()) {
	accept()
	panic(http.ErrAbortHandler)
}
