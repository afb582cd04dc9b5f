package channel_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/channel/channeltest"
	"github.com/vacancywatch/vacancywatch/alerts/mailbox"
)

func mailTo(t *testing.T, e *channel.Email, id string) channel.Message {
	t.Helper()
	body, err := e.Render(channeltest.Alert(id), reader)
	if err != nil {
		t.Fatal(err)
	}
	return channel.Message{ID: id, To: reader, Body: body, Try: 1, At: time.Now()}
}

// TestEmailClasses is the table of answers, through a real SMTP server. What a
// real server does not do is in relay_test.go.
func TestEmailClasses(t *testing.T) {
	box, _ := newMailbox(t, mailbox.Options{})
	for _, tt := range []struct {
		name    string
		fault   mailbox.MailFault
		outcome channel.Outcome
		reason  string
		detail  string
	}{
		{"accepted", mailbox.MailFault{}, channel.Done, "", "accepted"},
		{"no such mailbox", mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 550, Enhanced: [3]int{5, 1, 1}}, channel.Bury, channel.ReasonRejected, "RCPT: 550 5.1.1"},
		{"no such mailbox, no enhanced code", mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 550}, channel.Bury, channel.ReasonRejected, "RCPT: 550"},
		{"greylisted", mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 451, Enhanced: [3]int{4, 7, 1}}, channel.Retry, channel.ReasonServer, "RCPT: 451 4.7.1"},
		{"full", mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 452}, channel.Retry, channel.ReasonServer, "RCPT: 452"},
		{"relaying denied", mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 550, Enhanced: [3]int{5, 7, 1}}, channel.Bury, channel.ReasonPolicy, "RCPT: 550 5.7.1"},
		{"content", mailbox.MailFault{Stage: mailbox.AtDot, Code: 554}, channel.Bury, channel.ReasonContent, "end of DATA: 554"},
		{"DMARC", mailbox.MailFault{Stage: mailbox.AtDot, Code: 550, Enhanced: [3]int{5, 7, 26}}, channel.Bury, channel.ReasonPolicy, "end of DATA: 550 5.7.26"},
		{"busy after data", mailbox.MailFault{Stage: mailbox.AtDot, Code: 451}, channel.Retry, channel.ReasonServer, "end of DATA: 451"},
		{"421 after data", mailbox.MailFault{Stage: mailbox.AtDot, Code: 421}, channel.Retry, channel.ReasonRateLimited, "end of DATA: 421"},
		{"421 to MAIL once", mailbox.MailFault{Stage: mailbox.AtMail, Code: 421, Times: 1}, channel.Done, "", "accepted"},
		{"421 to MAIL twice", mailbox.MailFault{Stage: mailbox.AtMail, Code: 421, Times: 2}, channel.Release, channel.ReasonRateLimited, "MAIL: 421"},
		{"sender refused", mailbox.MailFault{Stage: mailbox.AtMail, Code: 550, Enhanced: [3]int{5, 7, 1}}, channel.Release, channel.ReasonPolicy, "MAIL: 550 5.7.1"},
		{"relay out of room", mailbox.MailFault{Stage: mailbox.AtMail, Code: 452}, channel.Retry, channel.ReasonServer, "MAIL: 452"},
		{"login wanted", mailbox.MailFault{Stage: mailbox.AtMail, Code: 530, Enhanced: [3]int{5, 7, 0}}, channel.Release, channel.ReasonAuth, "MAIL: 530 5.7.0"},
		{"cut at RCPT", mailbox.MailFault{Stage: mailbox.AtRcpt, Cut: true}, channel.Release, channel.ReasonNetwork, "RCPT: no answer"},
		{"cut after the dot", mailbox.MailFault{Stage: mailbox.AtDot, Cut: true}, channel.Unknown, channel.ReasonNetwork, "end of DATA: no answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			email := newEmail(t, box.SMTPAddr(), nil)
			m := mailTo(t, email, "classes "+tt.name)
			box.ClearFaults()
			if tt.fault.Stage != "" {
				box.AddMailFault(tt.fault)
			}
			got := email.Send(t.Context(), m)
			if diff := cmp.Diff(channel.Result{Outcome: tt.outcome, Reason: tt.reason, Detail: tt.detail}, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			// The next mail is not harmed.
			box.ClearFaults()
			if r := email.Send(t.Context(), m); r.Outcome != channel.Done {
				t.Errorf("the next attempt: %+v", r)
			}
		})
	}
}

func TestEmailLogin(t *testing.T) {
	box, _ := newMailbox(t, mailbox.Options{Username: "alerts", Password: channel.NewSecret("right")})
	for password, want := range map[string]channel.Result{
		"right": {Outcome: channel.Done, Detail: "accepted"},
		"wrong": {Outcome: channel.Release, Reason: channel.ReasonAuth, Detail: "connect: 535 5.7.8"},
		"":      {Outcome: channel.Release, Reason: channel.ReasonAuth, Detail: "MAIL: 502 5.7.0"},
	} {
		email := newEmail(t, box.SMTPAddr(), func(c *channel.EmailConfig) {
			if password != "" {
				c.Username, c.Password = "alerts", channel.NewSecret(password)
			}
		})
		got := email.Send(t.Context(), mailTo(t, email, "login"))
		if password == "" {
			// This server says 502 where others say 530; either way it is about us.
			if got.Outcome != channel.Release {
				t.Errorf("without login: got %+v, want release", got)
			}
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("password %q (-want +got):\n%s", password, diff)
		}
	}
	// A relay that has no login at all.
	open, _ := newMailbox(t, mailbox.Options{})
	email := newEmail(t, open.SMTPAddr(), func(c *channel.EmailConfig) { c.Username, c.Password = "alerts", channel.NewSecret("right") })
	if got := email.Send(t.Context(), mailTo(t, email, "login")); got.Outcome != channel.Release || got.Reason != channel.ReasonAuth {
		t.Errorf("relay without login: got %+v, want release for auth", got)
	}
}

func TestStartTLS(t *testing.T) {
	config, ca := channel.Certificate(t)
	secure, _ := newMailbox(t, mailbox.Options{TLS: config, Username: "alerts", Password: channel.NewSecret("right")})
	plain, _ := newMailbox(t, mailbox.Options{})
	for _, tt := range []struct {
		name string
		box  *mailbox.Mailbox
		edit func(*channel.EmailConfig)
		want channel.Result
	}{
		{"mandatory, trusted", secure, func(c *channel.EmailConfig) { c.TLS, c.CAFile = "", ca }, channel.Result{Outcome: channel.Done, Detail: "accepted"}},
		{"mandatory, unknown authority", secure, func(c *channel.EmailConfig) { c.TLS = "mandatory" },
			channel.Result{Outcome: channel.Release, Reason: channel.ReasonNetwork, Detail: "connect: no answer"}},
		{"mandatory, another name", secure, func(c *channel.EmailConfig) { c.TLS, c.CAFile, c.Host = "", ca, "localhost" },
			channel.Result{Outcome: channel.Release, Reason: channel.ReasonNetwork, Detail: "connect: no answer"}},
		{"mandatory, none offered", plain, func(c *channel.EmailConfig) { c.TLS, c.Username, c.Password = "", "", channel.Secret{} },
			channel.Result{Outcome: channel.Release, Reason: channel.ReasonNetwork, Detail: "connect: no answer"}},
		{"opportunistic, none offered", plain, func(c *channel.EmailConfig) { c.TLS, c.Username, c.Password = "opportunistic", "", channel.Secret{} },
			channel.Result{Outcome: channel.Done, Detail: "accepted"}},
		{"opportunistic, trusted", secure, func(c *channel.EmailConfig) { c.TLS, c.CAFile = "opportunistic", ca }, channel.Result{Outcome: channel.Done, Detail: "accepted"}},
	} {
		email := newEmail(t, tt.box.SMTPAddr(), func(c *channel.EmailConfig) {
			c.Username, c.Password = "alerts", channel.NewSecret("right")
			tt.edit(c)
		})
		if diff := cmp.Diff(tt.want, email.Send(t.Context(), mailTo(t, email, tt.name))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestMail reads a whole mail as a mail program does.
func TestMail(t *testing.T) {
	box, _ := newMailbox(t, mailbox.Options{})
	email := newEmail(t, box.SMTPAddr(), func(c *channel.EmailConfig) { c.BounceTo = "b@watch.example.org" })
	m := mailTo(t, email, "search|ref|new|1|mail")
	if r := email.Send(t.Context(), m); r.Outcome != channel.Done {
		t.Fatalf("got %+v", r)
	}
	got := box.Mails()[0]
	if !bytes.Equal(got.Raw, m.Body) {
		t.Error("the far side has other bytes than were stored")
	}
	token := channel.Token(m.ID)
	if got.From != "b+"+token+"@watch.example.org" || got.To != reader {
		t.Errorf("envelope from %q to %q", got.From, got.To)
	}
	msg, err := mail.ReadMessage(bytes.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"From": `"Vacancy alerts" <alerts@watch.example.org>`, "To": "<" + reader + ">",
		"Message-Id": "<" + token + "@watch.example.org>", "Date": "Wed, 24 Jun 2026 09:22:00 +0100",
		"Auto-Submitted": "auto-generated", "List-Id": "<s-" + channel.Token("7")[:12] + ".watch.example.org>",
		"List-Unsubscribe": "<https://watch.example.org/u/c3RvcA>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"Precedence": "", "User-Agent": "", "X-Mailer": "", "Mime-Version": "1.0",
	} {
		if got := msg.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if want := "Marlowe Vale NHS Foundation Trust is hiring: Medical Secretary"; subject != want {
		t.Errorf("subject: got %q, want %q", subject, want)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %q, %v", kind, err)
	}
	var kinds []string
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		p, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, p.Header.Get("Content-Type"))
	}
	// Plain text first: mail programs show the last part they can.
	if diff := cmp.Diff([]string{"text/plain; charset=UTF-8", "text/html; charset=UTF-8"}, kinds); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	for i, line := range bytes.Split(m.Body, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n") {
			t.Errorf("line %d: %d bytes, or a bare line break", i, len(line))
		}
	}
}

// TestOneClick: the two headers of RFC 8058 come together or not at all, and
// a hostile link cannot write a header.
func TestOneClick(t *testing.T) {
	email := newEmail(t, "127.0.0.1:2525", nil)
	for url, want := range map[string]bool{
		"https://watch.example.org/u/x": true, "http://localhost:8080/u/x": false, "": false, "mailto:x@example.org": false,
		"https://watch.example.org/u/x?a>,<mailto:evil@example.org": false, "https://watch.example.org/\r\nX-Evil: 1": false,
		"https://user:pw@watch.example.org/": false,
	} {
		a := channeltest.Alert("one-click")
		a.StopURL = url
		body, err := email.Render(a, reader)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := bytes.Cut(body, []byte("\r\n\r\n"))
		if got := bytes.Contains(head, []byte("\nList-Unsubscribe: <"+url+">")); got != want {
			t.Errorf("%q: List-Unsubscribe %v, want %v", url, got, want)
		}
		if got := bytes.Contains(head, []byte("\nList-Unsubscribe-Post: ")); got != want {
			t.Errorf("%q: List-Unsubscribe-Post %v, want %v", url, got, want)
		}
		if bytes.Contains(head, []byte("Evil")) || bytes.Contains(head, []byte("evil")) {
			t.Errorf("%q wrote into the header:\n%s", url, head)
		}
	}
}

// TestHeaderInjection puts line breaks wherever an advert or a subscriber has
// words, and looks at the raw bytes.
func TestHeaderInjection(t *testing.T) {
	email := newEmail(t, "127.0.0.1:2525", nil)
	known := map[string]bool{"Auto-Submitted": true, "Date": true, "List-Id": true, "Mime-Version": true, "Message-Id": true, "Subject": true,
		"List-Unsubscribe": true, "List-Unsubscribe-Post": true, "From": true, "To": true, "Content-Type": true}
	for _, evil := range []string{"x\r\nBcc: a@example.org", "x\nBcc: a@example.org", "x\rBcc: a@example.org", "x\r\n\r\n<script>", "\u2028Bcc: a@example.org",
		"=?UTF-8?q?=0D=0ABcc:_a@example.org?=", strings.Repeat("ü", 10_000), "\xff\xfe\r\nBcc: a"} {
		a := channeltest.Alert("evil\r\nX-Evil: 1")
		v := &a.Items[0].Event.Vacancy
		v.Title, v.Employer, v.Reference, v.URL = evil, evil, evil, evil
		a.Search.Name, a.Search.ID = evil, evil
		body, err := email.Render(a, reader)
		if err != nil {
			t.Fatalf("%q: %v", evil, err)
		}
		msg, err := mail.ReadMessage(bytes.NewReader(body))
		if err != nil {
			t.Fatalf("%q: %v", evil, err)
		}
		for name, values := range msg.Header {
			if !known[name] || len(values) != 1 {
				t.Errorf("%q: header %s: %q", evil, name, values)
			}
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
		if err != nil || strings.ContainsAny(subject, "\r\n\u2028") && !strings.Contains(evil, "=?") {
			t.Errorf("%q: subject %q, %v", evil, subject, err)
		}
		if n := len([]rune(subject)); n > 90 {
			t.Errorf("%q: subject of %d characters", evil, n)
		}
	}
}

// Dots and line breaks in stored bytes arrive as they are.
func TestStoredBytesArrive(t *testing.T) {
	box, _ := newMailbox(t, mailbox.Options{})
	email := newEmail(t, box.SMTPAddr(), nil)
	body := []byte("Message-ID: <dots@example.org>\r\n\r\n.\r\n..\r\n.hidden\r\n\r\nQUIT\r\n")
	for range 2 {
		if r := email.Send(t.Context(), channel.Message{ID: "dots", To: reader, Body: body}); r.Outcome != channel.Done {
			t.Fatalf("got %+v", r)
		}
	}
	for _, m := range box.Mails() {
		if diff := cmp.Diff(string(body), string(m.Raw)); diff != "" {
			t.Errorf("bytes differ (-stored +arrived):\n%s", diff)
		}
	}
	if n := box.MailCounts()["dots@example.org"]; n != 2 {
		t.Errorf("arrived %d times, want twice", n)
	}
}

func TestManySenders(t *testing.T) {
	box, _ := newMailbox(t, mailbox.Options{})
	email := newEmail(t, box.SMTPAddr(), nil)
	var wg sync.WaitGroup
	for i := range 30 {
		m := mailTo(t, email, fmt.Sprint("many ", i))
		wg.Go(func() {
			if r := email.Send(t.Context(), m); r.Outcome != channel.Done {
				t.Errorf("got %+v", r)
			}
		})
	}
	wg.Wait()
	counts := box.MailCounts()
	if len(counts) != 30 {
		t.Errorf("%d different mails arrived, want 30", len(counts))
	}
	for id, n := range counts {
		if n != 1 {
			t.Errorf("%s arrived %d times", id, n)
		}
	}
}

func TestEmailConfig(t *testing.T) {
	good := channel.EmailConfig{Host: "smtp.example.org", From: "Alerts <alerts@example.org>"}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("canary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, edit := range map[string]func(*channel.EmailConfig){
		"":                                  func(*channel.EmailConfig) {},
		"host is not the name of a relay":   func(c *channel.EmailConfig) { c.Host = "smtp.example.org:587" },
		"port 70000":                        func(c *channel.EmailConfig) { c.Port = 70000 },
		"from is not a sender":              func(c *channel.EmailConfig) { c.From = "canary" },
		"must not be that of the NHS":       func(c *channel.EmailConfig) { c.From = "NHS Jobs <alerts@example.org>" },
		"bounce_to is not a mail address":   func(c *channel.EmailConfig) { c.BounceTo = "canary" },
		"tls: none is for a relay on this":  func(c *channel.EmailConfig) { c.TLS = "none" },
		`tls "sometimes" is unknown`:        func(c *channel.EmailConfig) { c.TLS = "sometimes" },
		"username and password_file belong": func(c *channel.EmailConfig) { c.Username = "canary" },
		"password is given twice": func(c *channel.EmailConfig) {
			c.Username, c.Password, c.PasswordFile = "x", channel.NewSecret("canary"), password
		},
		"read ca_file":              func(c *channel.EmailConfig) { c.CAFile = "absent.pem" },
		"holds no certificate":      func(c *channel.EmailConfig) { c.CAFile = password },
		"read a secret: open absen": func(c *channel.EmailConfig) { c.Username, c.PasswordFile = "x", "absent" },
	} {
		cfg := good
		edit(&cfg)
		_, err := channel.NewEmail(cfg)
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
	cfg := good
	cfg.Username, cfg.PasswordFile = "x", password
	if _, err := channel.NewEmail(cfg); err != nil {
		t.Errorf("with a login: %v", err)
	}
}

func TestEmailDelays(t *testing.T) {
	email := newEmail(t, "127.0.0.1:2525", nil)
	var got []string
	total := time.Duration(0)
	for n := 1; ; n++ {
		d, ok := email.Delay(n)
		if !ok {
			break
		}
		got, total = append(got, d.String()), total+d
	}
	want := []string{"1m0s", "5m0s", "15m0s", "1h0m0s", "3h0m0s", "6h0m0s", "6h0m0s", "6h0m0s", "6h0m0s", "6h0m0s", "6h0m0s", "6h0m0s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if total < 24*time.Hour {
		t.Errorf("tries end after %v, before a mail expires", total)
	}
}
