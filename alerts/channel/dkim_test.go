package channel_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/channel/channeltest"
	"github.com/vacancywatch/vacancywatch/alerts/mailbox"
	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// keyFile writes a private key as PEM.
func keyFile(t *testing.T, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// rsaKey is made once: that takes a while.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func signing(t *testing.T) func(*channel.EmailConfig) {
	file := keyFile(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey()))
	return func(c *channel.EmailConfig) {
		c.DKIM = &channel.DKIMConfig{Selector: "alerts2026", Domain: "watch.example.org", KeyFile: file}
	}
}

// verify checks the signatures of a mail as a receiver does, with the record
// that CheckDKIM says is to be published.
func verify(t *testing.T, e *channel.Email, raw []byte) ([]*dkim.Verification, error) {
	t.Helper()
	name, text, signed, err := e.CheckDKIM()
	if err != nil || !signed {
		t.Fatalf("check: signed %v, %v", signed, err)
	}
	return dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: func(domain string) ([]string, error) {
		if domain != name {
			return nil, fmt.Errorf("there is no record %s", domain)
		}
		return []string{text}, nil
	}})
}

func verifies(t *testing.T, e *channel.Email, raw []byte) bool {
	t.Helper()
	found, err := verify(t, e, raw)
	return err == nil && len(found) == 1 && found[0].Err == nil
}

// everyKind are alerts of each form of subject, with titles that try every way
// out of a header.
func everyKind() map[string]message.Alert {
	out := map[string]message.Alert{}
	for _, title := range []string{"Medical Secretary", channeltest.Hostile, strings.Repeat("Clinical Nurse Specialist – ", 20), strings.Repeat("Über", 300), ".\r\n.\r\nQUIT"} {
		for _, kind := range vacancy.Kinds() {
			a := channeltest.Alert("dkim " + string(kind) + title)
			a.Items[0].Event.Kind, a.Items[0].Event.Vacancy.Title = kind, title
			out[string(kind)+" "+title] = a
		}
		a := channeltest.Alert("dkim digest" + title)
		a.Digest = true
		it := a.Items[0]
		it.Event.Vacancy.Title = title
		for range 49 {
			a.Items = append(a.Items, it)
		}
		out["digest "+title] = a
	}
	return out
}

// The signature holds over the bytes that arrive, for every mail that there
// can be, and covers what must not be changed on the way.
func TestDKIM(t *testing.T) {
	box, _ := newMailbox(t, mailbox.Options{})
	email := newEmail(t, box.SMTPAddr(), signing(t))
	n := 0
	for name, a := range everyKind() {
		body, err := email.Render(a, reader)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		for range 2 { // every attempt has the same bytes, so the same signature
			if r := email.Send(t.Context(), channel.Message{ID: a.ID, To: reader, Body: body, At: a.At}); r.Outcome != channel.Done {
				t.Fatalf("%q: %+v", name, r)
			}
			got := box.Mails()[n]
			n++
			if !bytes.Equal(got.Raw, body) {
				t.Fatalf("%q: the far side has other bytes than were stored", name)
			}
			found, err := verify(t, email, got.Raw)
			if err != nil || len(found) != 1 || found[0].Err != nil {
				t.Fatalf("%q: %v, %+v\n%s", name, err, found, got.Raw)
			}
			want := &dkim.Verification{Domain: "watch.example.org", Identifier: "@watch.example.org", Time: found[0].Time,
				HeaderKeys: []string{"From", "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
					"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"}}
			if diff := cmp.Diff(want, found[0]); diff != "" {
				t.Errorf("%q: signature (-want +got):\n%s", name, diff)
			}
		}
		for i, line := range bytes.Split(body, []byte("\r\n")) {
			if len(line) > 998 || bytes.ContainsAny(line, "\r\n") {
				t.Errorf("%q: line %d has %d bytes, or a bare line break", name, i, len(line))
			}
		}
	}
}

// Whatever is changed or added under way breaks the signature.
func TestDKIMBreaks(t *testing.T) {
	email := newEmail(t, "127.0.0.1:2525", signing(t))
	body, err := email.Render(channeltest.Alert("dkim"), reader)
	if err != nil {
		t.Fatal(err)
	}
	if !verifies(t, email, body) {
		t.Fatal("the mail as it is does not verify")
	}
	top := func(field string) []byte { return append([]byte(field+"\r\n"), body...) }
	if !verifies(t, email, top("Received: from relay.example.net by mx.example.net; Tue, 14 Jul 2026 12:00:00 +0000")) {
		t.Error("a line that every relay adds breaks the signature")
	}
	for name, changed := range map[string][]byte{
		"second From":             top("From: evil@example.net"),
		"another reader":          bytes.Replace(body, []byte("\r\nTo: <canary"), []byte("\r\nTo: <xanary"), 1),
		"another link to stop":    bytes.Replace(body, []byte("/u/c3RvcA>"), []byte("/u/c3RvcB>"), 1),
		"no one-click":            bytes.Replace(body, []byte("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click"), nil, 1),
		"another subject":         bytes.Replace(body, []byte("\r\nSubject: Marlowe"), []byte("\r\nSubject: Morlowe"), 1),
		"another word in the end": bytes.Replace(body, []byte("Medical Secretary</a>"), []byte("Musical Secretary</a>"), 1),
		"another list":            bytes.Replace(body, []byte("\r\nList-Id: <s-"), []byte("\r\nList-Id: <t-"), 1),
	} {
		if bytes.Equal(changed, body) {
			t.Errorf("%s: nothing was changed\n%s", name, body)
		} else if verifies(t, email, changed) {
			t.Errorf("%s: still verifies", name)
		}
	}
	// A mail that lacks a field cannot be given one.
	a := channeltest.Alert("dkim")
	a.StopURL = ""
	if body, err = email.Render(a, reader); err != nil || !verifies(t, email, body) {
		t.Fatalf("a mail without a link does not verify: %v", err)
	}
	if verifies(t, email, append([]byte("List-Unsubscribe: <https://evil.example/>\r\n"), body...)) {
		t.Error("a link to stop was added, and the mail still verifies")
	}
}

func TestDKIMConfig(t *testing.T) {
	key := x509.MarshalPKCS1PrivateKey(rsaKey())
	pkcs8, err := x509.MarshalPKCS8PrivateKey(rsaKey())
	if err != nil {
		t.Fatal(err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	_, curve, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ed, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	noPEM := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(noPEM, []byte("canary-key"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := keyFile(t, "RSA PRIVATE KEY", key)
	for _, tt := range []struct {
		name string
		cfg  channel.DKIMConfig
		want string
	}{
		{"PKCS 1", channel.DKIMConfig{Selector: "a", Domain: "example.org", KeyFile: good}, ""},
		{"PKCS 8", channel.DKIMConfig{Selector: "a.b-1", Domain: "Example.org", KeyFile: keyFile(t, "PRIVATE KEY", pkcs8)}, ""},
		{"domain below", channel.DKIMConfig{Selector: "a", Domain: "mail.watch.example.org", KeyFile: good}, ""},
		{"no selector", channel.DKIMConfig{Domain: "example.org", KeyFile: good}, "dkim: selector is not one"},
		{"bad selector", channel.DKIMConfig{Selector: "a;b", Domain: "example.org", KeyFile: good}, "dkim: selector is not one"},
		{"no domain", channel.DKIMConfig{Selector: "a", KeyFile: good}, "dkim: domain is not a domain"},
		{"other domain", channel.DKIMConfig{Selector: "a", Domain: "ample.org", KeyFile: good}, "dkim: domain has nothing to do with that of from"},
		{"no key", channel.DKIMConfig{Selector: "a", Domain: "example.org"}, "dkim: key_file is missing"},
		{"absent", channel.DKIMConfig{Selector: "a", Domain: "example.org", KeyFile: "absent.pem"}, "dkim: read key_file: open absent.pem"},
		{"no PEM", channel.DKIMConfig{Selector: "a", Domain: "example.org", KeyFile: noPEM}, "holds no key in PEM"},
		{"public key", channel.DKIMConfig{Selector: "a", Domain: "example.org", KeyFile: keyFile(t, "PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey))}, "holds no private RSA key"},
		{"damaged", channel.DKIMConfig{Selector: "a", Domain: "example.org", KeyFile: keyFile(t, "RSA PRIVATE KEY", key[:100])}, "holds no private RSA key"},
		{"Ed25519", channel.DKIMConfig{Selector: "a", Domain: "example.org", KeyFile: keyFile(t, "PRIVATE KEY", ed)}, "holds no private RSA key"},
		{"short", channel.DKIMConfig{Selector: "a", Domain: "example.org", KeyFile: keyFile(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(short))}, "the key has 1024 bits: make one of 2048 or more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := channel.NewEmail(channel.EmailConfig{Host: "smtp.example.org", From: "alerts@watch.example.org", DKIM: &tt.cfg})
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "canary") {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			name, text, signed, err := e.CheckDKIM()
			if err != nil || !signed {
				t.Fatalf("check: signed %v, %v", signed, err)
			}
			want := strings.ToLower(tt.cfg.Selector + "._domainkey." + tt.cfg.Domain)
			if name != want || !strings.HasPrefix(text, "v=DKIM1; k=rsa; p=MII") {
				t.Errorf("record %s %q, want %s", name, text, want)
			}
			if s := fmt.Sprintf("%v %+v %#v", e, e, e); strings.Contains(s, rsaKey().D.String()) {
				t.Error("the key is printed")
			}
		})
	}
	email := newEmail(t, "127.0.0.1:2525", nil)
	if _, _, signed, err := email.CheckDKIM(); signed || err != nil {
		t.Errorf("without dkim: signed %v, %v", signed, err)
	}
}

// returns notes what it is told.
type returns struct {
	sender   string
	rejected []string
	at       []time.Time
}

func (r *returns) Sender(to string, at time.Time) string { return r.sender }
func (r *returns) Rejected(ctx context.Context, to string, at time.Time) {
	if ctx.Err() == nil {
		r.rejected, r.at = append(r.rejected, to), append(r.at, at)
	}
}

// An answer counts against an address only where it is about the address.
func TestRejectedAddresses(t *testing.T) {
	box, _ := newMailbox(t, mailbox.Options{})
	at := time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		fault  mailbox.MailFault
		counts bool
		reason string
	}{
		{"550 5.1.1", mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 550, Enhanced: [3]int{5, 1, 1}}, true, channel.ReasonRejected},
		{"550", mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 550}, true, channel.ReasonRejected},
		{"553", mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 553, Enhanced: [3]int{5, 1, 3}}, true, channel.ReasonRejected},
		{"550 5.7.1", mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 550, Enhanced: [3]int{5, 7, 1}}, false, channel.ReasonPolicy},
		{"554", mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 554}, false, channel.ReasonContent},
		{"501", mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 501}, false, channel.ReasonContent},
		{"451", mailbox.MailFault{Stage: mailbox.AtRcpt, Code: 451}, false, channel.ReasonServer},
		{"550 at the end", mailbox.MailFault{Stage: mailbox.AtDot, Code: 550}, false, channel.ReasonContent},
		{"554 at the end", mailbox.MailFault{Stage: mailbox.AtDot, Code: 554}, false, channel.ReasonContent},
		{"550 to MAIL", mailbox.MailFault{Stage: mailbox.AtMail, Code: 550}, false, channel.ReasonPolicy},
		{"cut at RCPT", mailbox.MailFault{Stage: mailbox.AtRcpt, Cut: true}, false, channel.ReasonNetwork},
		{"accepted", mailbox.MailFault{}, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := new(returns)
			email := newEmail(t, box.SMTPAddr(), nil)
			email.ReturnTo(r)
			m := mailTo(t, email, "rejected "+tt.name)
			m.At = at
			box.ClearFaults()
			if tt.fault.Stage != "" {
				box.AddMailFault(tt.fault)
			}
			if got := email.Send(t.Context(), m); got.Reason != tt.reason {
				t.Errorf("got %+v, want reason %q", got, tt.reason)
			}
			want := new(returns)
			if tt.counts {
				want.rejected, want.at = []string{reader}, []time.Time{at}
			}
			if diff := cmp.Diff(want, r, cmp.AllowUnexported(returns{})); diff != "" {
				t.Errorf("counted (-want +got):\n%s", diff)
			}
		})
	}
}

// The envelope sender is what the one who takes in bounces says, and else the
// channel's own. The mail's bytes do not hold it.
func TestReturnTo(t *testing.T) {
	box, _ := newMailbox(t, mailbox.Options{})
	for sender, want := range map[string]string{"b+token@bounces.example.org": "b+token@bounces.example.org", "": "alerts@watch.example.org"} {
		email := newEmail(t, box.SMTPAddr(), nil)
		email.ReturnTo(&returns{sender: sender})
		if r := email.Send(t.Context(), mailTo(t, email, "return to "+sender)); r.Outcome != channel.Done {
			t.Fatalf("got %+v", r)
		}
		got := box.Mails()[len(box.Mails())-1]
		if got.From != want || bytes.Contains(got.Raw, []byte("bounces.example.org")) {
			t.Errorf("envelope sender %q, want %q, and nothing of it in the mail", got.From, want)
		}
	}
}

// Each form of subject, read from the raw bytes as a mail program does.
func TestSubjectForms(t *testing.T) {
	email := newEmail(t, "127.0.0.1:2525", signing(t))
	edit := func(f func(a *message.Alert)) message.Alert {
		a := channeltest.Alert("subject")
		f(&a)
		return a
	}
	kind := func(k vacancy.Kind) func(*message.Alert) {
		return func(a *message.Alert) { a.Items[0].Event.Kind = k }
	}
	for want, a := range map[string]message.Alert{
		"Marlowe Vale NHS Foundation Trust is hiring: Medical Secretary": edit(kind(vacancy.New)),
		"Marlowe Vale NHS Foundation Trust is hiring: Medical Secretary – and 2 other new vacancies": edit(func(a *message.Alert) {
			a.Digest = true
			for _, r := range []string{"C9000-26-0124", "C9000-26-0125"} {
				it := a.Items[0]
				it.Event.Vacancy.Reference = r
				a.Items = append(a.Items, it)
			}
		}),
		"Closing date now 8 July: Medical Secretary, Marlowe Vale NHS Foundation Trust": edit(kind(vacancy.ClosingMoved)),
		"Closed early: Medical Secretary, Marlowe Vale NHS Foundation Trust": edit(func(a *message.Alert) {
			a.Items[0].Event.Kind, a.Items[0].Event.Reason = vacancy.Closed, vacancy.Early
		}),
		"Open again: Medical Secretary, Marlowe Vale NHS Foundation Trust": edit(kind(vacancy.Reopened)),
	} {
		body, err := email.Render(a, reader)
		if err != nil {
			t.Fatal(err)
		}
		msg, err := mail.ReadMessage(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
		if err != nil || got != want {
			t.Errorf("subject %q, %v, want %q", got, err, want)
		}
	}
	// A title that is cut is cut at a word, and hostile ones write no header.
	for name, a := range everyKind() {
		body, err := email.Render(a, reader)
		if err != nil {
			t.Fatal(err)
		}
		msg, err := mail.ReadMessage(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
		if err != nil || len([]rune(got)) > 90 || strings.ContainsAny(got, "\r\n\u2028\x00") {
			t.Errorf("%q: subject %q, %v", name, got, err)
		}
		for field, values := range msg.Header {
			if field == "Bcc" || len(values) != 1 {
				t.Errorf("%q: header %s: %q", name, field, values)
			}
		}
		if len(msg.Header) != 12 {
			t.Errorf("%q: %d fields, want 12: %v", name, len(msg.Header), msg.Header)
		}
	}
}
