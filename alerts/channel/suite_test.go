package channel_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/channel/channeltest"
	"github.com/vacancywatch/vacancywatch/alerts/mailbox"
)

const (
	reader    = "canary.reader@example.net"
	hookToken = "canary-token-in-the-path"
	// keyText is the base64 of 32 bytes.
	keyText = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
)

func newMailbox(t *testing.T, o mailbox.Options) (box *mailbox.Mailbox, stop func()) {
	t.Helper()
	box, err := mailbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- box.Run(ctx) }()
	var stopped bool
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run the mailbox: %v", err)
		}
	}
	t.Cleanup(stop)
	return box, stop
}

func newEmail(t *testing.T, addr string, edit func(*channel.EmailConfig)) *channel.Email {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	cfg := channel.EmailConfig{Host: host, From: "Vacancy alerts <alerts@watch.example.org>", TLS: channel.TLSNone}
	if cfg.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(&cfg)
	}
	e, err := channel.NewEmail(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

func TestEmailSuite(t *testing.T) {
	channeltest.Suite(t, func(t *testing.T) channeltest.Far {
		password := channel.NewSecret("canary-password")
		box, stop := newMailbox(t, mailbox.Options{Username: "canary-login", Password: password})
		email := newEmail(t, box.SMTPAddr(), func(c *channel.EmailConfig) {
			c.Username, c.Password = "canary-login", password
		})
		return channeltest.Far{
			Channel: email, To: reader, BadTo: `"toni> ORCPT=admin@x"@example.net`,
			Canaries: []string{"canary"},
			Set: func(a channeltest.Answer) bool {
				box.ClearFaults()
				switch a {
				case channeltest.Accept:
				case channeltest.Busy:
					box.AddMailFault(mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 451})
				case channeltest.Slow:
					box.AddMailFault(mailbox.MailFault{Stage: mailbox.AtMail, Code: 421})
				case channeltest.Gone:
					box.AddMailFault(mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 550, Enhanced: [3]int{5, 1, 1}})
				case channeltest.Hang:
					box.AddMailFault(mailbox.MailFault{Stage: mailbox.AtRcpt, Delay: 10 * time.Second})
				case channeltest.CutDone:
					box.AddMailFault(mailbox.MailFault{Stage: mailbox.AtDot, Cut: true})
				case channeltest.Down:
					stop()
				default:
					return false
				}
				return true
			},
			Accepted: func() []string {
				var ids []string
				for _, m := range box.Mails() {
					ids = append(ids, m.MessageID)
				}
				return ids
			},
		}
	})
}

// serveHook serves a mailbox's webhooks at a URL with a token in its path.
func serveHook(t *testing.T, box *mailbox.Mailbox) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { box.Handler().ServeHTTP(w, r) }))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	return s
}

func newWebhook(t *testing.T, url string, edit func(*channel.WebhookConfig)) *channel.Webhook {
	t.Helper()
	u, err := channel.ParseHookURL(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg := channel.WebhookConfig{URL: u, Secret: channel.NewSecret("whsec_" + keyText), AllowHTTP: true,
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if edit != nil {
		edit(&cfg)
	}
	w, err := channel.NewWebhook(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return w
}

func TestWebhookSuite(t *testing.T) {
	channeltest.Suite(t, func(t *testing.T) channeltest.Far {
		box, _ := newMailbox(t, mailbox.Options{Secrets: map[string]channel.Secret{hookToken: channel.NewSecret("whsec_" + keyText)}})
		server := serveHook(t, box)
		hook := newWebhook(t, server.URL+"/hook/"+hookToken, nil)
		return channeltest.Far{
			Channel: hook,
			Canaries: []string{hookToken, keyText, strings.TrimPrefix(server.URL, "http://"), "whsec_",
				"0123456789abcdef", "48 49 50 51", "30313233"}, // the key itself, in bytes and in hex
			Set: func(a channeltest.Answer) bool {
				box.ClearFaults()
				switch a {
				case channeltest.Accept:
				case channeltest.Busy:
					box.AddHookFault(mailbox.HookFault{Status: 500})
				case channeltest.Slow:
					box.AddHookFault(mailbox.HookFault{Status: 429, RetryAfter: "7"})
				case channeltest.Refuse:
					box.AddHookFault(mailbox.HookFault{Status: 404})
				case channeltest.Gone:
					box.AddHookFault(mailbox.HookFault{Status: 410})
				case channeltest.Hang:
					box.AddHookFault(mailbox.HookFault{Status: 500, Delay: 10 * time.Second})
				case channeltest.CutDone:
					box.AddHookFault(mailbox.HookFault{Cut: true})
				case channeltest.Down:
					server.Close()
				default:
					return false
				}
				return true
			},
			Accepted: func() []string {
				var ids []string
				for _, h := range box.Hooks() {
					if !h.Verified {
						t.Errorf("webhook %s was not verified", h.ID)
					}
					ids = append(ids, h.ID)
				}
				return ids
			},
		}
	})
}
