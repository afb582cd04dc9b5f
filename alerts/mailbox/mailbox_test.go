package mailbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

func start(t *testing.T, o Options) *Mailbox {
	t.Helper()
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return m
}

const example = "From: a@example.org\r\nTo: b@example.org\r\nSubject: =?UTF-8?q?Caf=C3=A9?=\r\n <script>alert(1)</script>\r\nMessage-ID: <one@example.org>\r\n" +
	"Content-Type: multipart/alternative; boundary=x\r\n\r\n" +
	"--x\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nplain =C3=A9 </pre><script>\r\n" +
	"--x\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGh0bWw+PGhlYWQ+PC9oZWFkPjxiPmh0bWw8L2I+PC9odG1sPg==\r\n--x--\r\n"

// sendPlain hands a mail over with go-smtp's own client, not with our channel.
func sendPlain(m *Mailbox, auth sasl.Client, body string, to ...string) error {
	c, err := smtp.Dial(m.SMTPAddr())
	if err != nil {
		return err
	}
	defer c.Close()
	if auth != nil {
		if err := c.Auth(auth); err != nil {
			return err
		}
	}
	return c.SendMail("a@example.org", to, strings.NewReader(body))
}

func TestMails(t *testing.T) {
	var journal bytes.Buffer
	at := time.Date(2026, 6, 24, 8, 22, 0, 0, time.UTC)
	m := start(t, Options{Journal: &journal, Now: func() time.Time { return at }})
	if err := sendPlain(m, nil, example, "b@example.org", "c@example.org"); err != nil {
		t.Fatal(err)
	}
	got := m.Mails()
	if len(got) != 2 {
		t.Fatalf("%d mails, want one for each recipient", len(got))
	}
	want := Mail{
		N: 1, From: "a@example.org", To: "b@example.org", Subject: "Café <script>alert(1)</script>", MessageID: "one@example.org",
		Text: "plain é </pre><script>", HTML: "<html><head></head><b>html</b></html>", Raw: []byte(example), At: at,
		Header: []Field{{"From", "a@example.org"}, {"To", "b@example.org"}, {"Subject", "=?UTF-8?q?Caf=C3=A9?= <script>alert(1)</script>"},
			{"Message-ID", "<one@example.org>"}, {"Content-Type", "multipart/alternative; boundary=x"}},
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("mail (-want +got):\n%s", diff)
	}
	if got[0].Get("message-id") != "<one@example.org>" || got[0].Get("absent") != "" {
		t.Errorf("header: %q and %q", got[0].Get("message-id"), got[0].Get("absent"))
	}
	if diff := cmp.Diff(map[string]int{"one@example.org": 2}, m.MailCounts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	wantJournal := `{"kind":"mail","id":"one@example.org","to":"b@example.org","at":"2026-06-24T08:22:00Z"}
{"kind":"mail","id":"one@example.org","to":"c@example.org","at":"2026-06-24T08:22:00Z"}
`
	if diff := cmp.Diff(wantJournal, journal.String()); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
}

func TestKeep(t *testing.T) {
	m := start(t, Options{Keep: 2})
	for i := range 5 {
		if err := sendPlain(m, nil, fmt.Sprintf("Message-ID: <%d@x>\r\n\r\nx\r\n", i), "b@example.org"); err != nil {
			t.Fatal(err)
		}
	}
	got := m.Mails()
	if len(got) != 2 || got[0].N != 4 || got[1].MessageID != "4@x" || len(m.MailCounts()) != 5 {
		t.Errorf("%d mails are kept, the first is number %d; %d are counted", len(got), got[0].N, len(m.MailCounts()))
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("full") }

// What the journal does not hold is not accepted, or a crash suite would take
// a message for lost that the sender was told is safe.
func TestJournalFirst(t *testing.T) {
	m := start(t, Options{Journal: brokenWriter{}})
	var se *smtp.SMTPError
	if err := sendPlain(m, nil, example, "b@example.org"); !errors.As(err, &se) || se.Code != 451 {
		t.Errorf("mail: got %v, want 451", err)
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("POST", "/hook/x", strings.NewReader("{}")))
	if w.Code != 500 {
		t.Errorf("webhook: status %d, want 500", w.Code)
	}
	if len(m.Mails())+len(m.Hooks()) != 0 {
		t.Error("something was kept that the journal does not hold")
	}
}

func TestLogin(t *testing.T) {
	m := start(t, Options{Username: "u", Password: channel.NewSecret("p")})
	if err := sendPlain(m, nil, example, "b@example.org"); err == nil {
		t.Error("a mail was taken without login")
	}
	if err := sendPlain(m, sasl.NewPlainClient("", "u", "wrong"), example, "b@example.org"); err == nil {
		t.Error("a mail was taken with a wrong password")
	}
	if err := sendPlain(m, sasl.NewPlainClient("", "u", "p"), example, "b@example.org"); err != nil {
		t.Error(err)
	}
}

func TestMailFaults(t *testing.T) {
	m := start(t, Options{})
	for _, at := range []Stage{AtMail, AtRcpt, AtDot} {
		m.AddMailFault(MailFault{Stage: at, Code: 451, Enhanced: [3]int{4, 3, 2}, Times: 1})
		var se *smtp.SMTPError
		if err := sendPlain(m, nil, example, "b@example.org"); !errors.As(err, &se) || se.Code != 451 || se.EnhancedCode != (smtp.EnhancedCode{4, 3, 2}) {
			t.Errorf("%s: got %v, want 451 4.3.2", at, err)
		}
		if n := len(m.Mails()); n != 0 {
			t.Errorf("%s: %d mails were kept", at, n)
		}
	}
	// Used up, so the next one arrives; then a cut that has the mail.
	if err := sendPlain(m, nil, example, "b@example.org"); err != nil {
		t.Error(err)
	}
	m.AddMailFault(MailFault{Stage: AtDot, Cut: true})
	for range 2 {
		var se *smtp.SMTPError
		if err := sendPlain(m, nil, example, "b@example.org"); err == nil || errors.As(err, &se) {
			t.Errorf("cut: got %v, want a broken connection", err)
		}
	}
	if n := len(m.Mails()); n != 3 {
		t.Errorf("%d mails, want 3: a cut after the dot has the mail", n)
	}
	m.ClearFaults()
	m.AddMailFault(MailFault{Stage: AtDot, Delay: 30 * time.Millisecond})
	begin := time.Now()
	if err := sendPlain(m, nil, example, "b@example.org"); err != nil || time.Since(begin) < 30*time.Millisecond {
		t.Errorf("delay: %v after %v", err, time.Since(begin))
	}
}

// post signs as the public library does and posts to the handler.
func post(t *testing.T, m *Mailbox, url, secret, id string, at time.Time) (*http.Response, error) {
	t.Helper()
	body := []byte(`{"type":"vacancy.new","data":{"title":"<b>"}}`)
	r, err := http.NewRequest("POST", url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := wh.Sign(id, at, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", fmt.Sprint(at.Unix()))
	r.Header.Set("webhook-signature", sig)
	return http.DefaultClient.Do(r)
}

func TestHooks(t *testing.T) {
	const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	var journal bytes.Buffer
	now := time.Date(2026, 6, 24, 8, 22, 0, 0, time.UTC)
	m := start(t, Options{Journal: &journal, Now: func() time.Time { return now }, Secrets: map[string]channel.Secret{"ward": channel.NewSecret(secret)}})
	s := httptest.NewServer(m.Handler())
	defer s.Close()
	status := func(want int) func(*http.Response, error) {
		return func(r *http.Response, err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
				return
			}
			r.Body.Close()
			if r.StatusCode != want {
				t.Errorf("status %d, want %d", r.StatusCode, want)
			}
		}
	}
	status(204)(post(t, m, s.URL+"/hook/ward", secret, "msg_1", now))
	status(401)(post(t, m, s.URL+"/hook/ward", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "msg_2", now))
	status(401)(post(t, m, s.URL+"/hook/ward", secret, "msg_3", now.Add(-6*time.Minute)))
	status(401)(post(t, m, s.URL+"/hook/ward", secret, "msg_3", now.Add(6*time.Minute)))
	status(204)(post(t, m, s.URL+"/hook/other", secret, "msg_4", now))
	got := m.Hooks()
	if len(got) != 2 || !got[0].Verified || got[1].Verified || got[0].Type != "vacancy.new" || got[0].Name != "ward" || got[0].ID != "msg_1" {
		t.Errorf("got %+v", got)
	}
	m.AddHookFault(HookFault{Status: 503, RetryAfter: "7", Times: 1})
	m.AddHookFault(HookFault{Cut: true, Times: 1})
	r, err := post(t, m, s.URL+"/hook/ward", secret, "msg_5", now)
	if err == nil && r.Header.Get("Retry-After") != "7" {
		t.Errorf("Retry-After %q", r.Header.Get("Retry-After"))
	}
	status(503)(r, err)
	if r, err := post(t, m, s.URL+"/hook/ward", secret, "msg_5", now); err == nil {
		r.Body.Close()
		t.Error("a cut endpoint answered")
	}
	status(204)(post(t, m, s.URL+"/hook/ward", secret, "msg_5", now))
	if diff := cmp.Diff(map[string]int{"msg_1": 1, "msg_4": 1, "msg_5": 2}, m.HookCounts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	var last Entry
	lines := strings.Split(strings.TrimSpace(journal.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last != (Entry{Kind: "hook", ID: "msg_5", To: "ward", At: now}) || len(lines) != 4 {
		t.Errorf("journal has %d lines, the last is %+v, %v", len(lines), last, err)
	}
}

func TestPages(t *testing.T) {
	m := start(t, Options{})
	s := httptest.NewServer(http.StripPrefix("/mailbox", m.Handler()))
	defer s.Close()
	get := func(path string) (int, string, http.Header) {
		t.Helper()
		r, err := http.Get(s.URL + "/mailbox" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(b), r.Header
	}
	if _, body, _ := get("/"); !strings.Contains(body, "No mail yet") {
		t.Errorf("the empty page says %s", body)
	}
	if err := sendPlain(m, nil, example, "b@example.org"); err != nil {
		t.Fatal(err)
	}
	r, err := post(t, m, s.URL+"/mailbox/hook/ward", "whsec_MDEy", "msg_1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	for path, want := range map[string]string{
		"/":            "Café &lt;script&gt;alert(1)&lt;/script&gt;",
		"/mail/1":      "plain é &lt;/pre&gt;&lt;script&gt;",
		"/mail/1/html": `<head><base target="_blank"></head><b>html</b>`,
		"/mail/1/text": "plain é </pre><script>",
		"/mail/1/raw":  example,
		"/hooks/1":     "&#34;title&#34;: &#34;&lt;b&gt;&#34;",
		"/style.css":   "prefers-color-scheme",
	} {
		code, body, h := get(path)
		if code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: status %d, want %q in\n%s", path, code, want, body)
		}
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if strings.HasPrefix(path, "/mail/1/") && !strings.Contains(h.Get("Content-Security-Policy"), "; sandbox allow-popups ") {
			t.Errorf("%s: no sandbox", path)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Type") == "" {
			t.Errorf("%s: header %v", path, h)
		}
		if strings.HasPrefix(h.Get("Content-Type"), "text/html") && !strings.HasSuffix(path, "/html") && strings.Contains(body, "<script") {
			t.Errorf("%s: the mail's markup came through", path)
		}
	}
	for _, path := range []string{"/mail/2", "/mail/x", "/mail/1/x", "/hooks/9", "/mail/2/html", "/nothing"} {
		if code, _, _ := get(path); code != 404 {
			t.Errorf("%s: status %d, want 404", path, code)
		}
	}
}

func TestNew(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:25", "rubbish"} {
		if _, err := New(Options{SMTPAddr: addr}); err == nil {
			t.Errorf("%s was opened: mails of a demo are for this machine only", addr)
		}
	}
	m, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{SMTPAddr: m.SMTPAddr()}); err == nil {
		t.Error("one port was opened twice")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Run(ctx); err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", m.SMTPAddr()); err == nil {
		c.Close()
		t.Error("the port is open after Run has ended")
	}
}

func FuzzReadMail(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n"))
	f.Add([]byte("Message-ID:0\r0"))
	f.Add([]byte(" folded first\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := readMail(raw)
		if !bytes.Equal(m.Raw, raw) {
			t.Error("the bytes were changed")
		}
		if strings.ContainsAny(m.MessageID, "\r\n") {
			t.Errorf("Message-ID %q", m.MessageID)
		}
	})
}
