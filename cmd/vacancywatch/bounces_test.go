package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/bounce"
	"github.com/vacancywatch/vacancywatch/alerts/mailbox"
	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// signedMail are a channel that signs and the bounces of its mails, with their
// files in dir.
func signedMail(t *testing.T, dir, port string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"dkim.pem":       pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
		"bounces.secret": []byte("canary-secret-0123456789\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf(`
channels: [{name: mail, email: {host: 127.0.0.1, port: %s, tls: none, from: "a@vacancywatch.example", dkim: {selector: s1, domain: vacancywatch.example, key_file: dkim.pem}}}]
bounces: {domain: bounces.vacancywatch.example, secret_file: bounces.secret, listen: "127.0.0.1:0"}
`, port)
}

// A reader calls a mail spam. The report comes in over SMTP, to the envelope
// sender of the mail, and he gets no other mail, though another reader does.
func TestComplaintStopsMail(t *testing.T) {
	box, err := mailbox.New(mailbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- box.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended; <-ended })
	server := httptest.NewUnstartedServer(nil)
	site := simulator.New(simulator.Options{Seed: 3, Now: time.Now, Live: -1, Quiet: true, MinGap: -1, BaseURL: "http://" + server.Listener.Addr().String()})
	server.Config.Handler = site
	server.Start()
	t.Cleanup(server.Close)
	_, port, _ := strings.Cut(box.SMTPAddr(), ":")
	dir := t.TempDir()
	cfg, err := config.Parse([]byte(signedMail(t, dir, port)+fmt.Sprintf(`
sources: [{site: nhs-jobs, base: %q, spacing: 1ms, poll_min: 1s, first_run: announce}]
searches:
- {id: jo, bands: [%[2]s], internal: true, unstated: {band: true}, notify: [{channel: mail, to: canary.reader@reader.example}]}
- {id: sam, bands: [%[2]s], internal: true, unstated: {band: true}, notify: [{channel: mail, to: sam@reader.example}]}
`, server.URL, strings.Join(vacancy.Bands(), ", "))), dir)
	if err != nil {
		t.Fatal(err)
	}
	log := new(bytes.Buffer)
	a, err := newApp(t.Context(), cfg, newLogger(log, config.Log{Level: "debug"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.close() })
	once := func() {
		t.Helper()
		if err := a.once(&env{ctx: t.Context(), stdout: log, stderr: log}); err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
	}
	got := func() map[string]string { // envelope sender by reader
		out := map[string]string{}
		for _, m := range box.Mails() {
			out[m.To] = m.From
		}
		return out
	}
	site.Publish(*demoSecretary(0, time.Now()))
	once()
	sender := got()["canary.reader@reader.example"]
	if !strings.HasPrefix(sender, "b+") || !strings.HasSuffix(sender, "@bounces.vacancywatch.example") || sender == got()["sam@reader.example"] {
		t.Fatalf("envelope senders %v", got())
	}

	l, err := net.Listen("tcp", cfg.Bounces.Listen)
	if err != nil {
		t.Fatal(err)
	}
	go func() { ended <- a.serveBounces(ctx, l) }()
	report := "Content-Type: multipart/report; report-type=feedback-report; boundary=x\r\n\r\n--x\r\n" +
		"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nOriginal-Rcpt-To: canary.reader@reader.example\r\n--x--\r\n"
	forged := "b+" + strings.Repeat("a", 45) + "@bounces.vacancywatch.example"
	if err := smtp.SendMail(l.Addr().String(), nil, "loop@example.net", []string{forged}, []byte(report)); err == nil || !strings.Contains(err.Error(), "550") {
		t.Errorf("a forged recipient: got %v, want 550", err)
	}
	if err := smtp.SendMail(l.Addr().String(), nil, "loop@example.net", []string{sender}, []byte(report)); err != nil {
		t.Fatal(err)
	}
	s, ok, err := a.deliverer.Suppressions.Suppressed(t.Context(), "Canary.Reader@reader.example", time.Now())
	if err != nil || !ok || s.Reason != bounce.Complained || !s.Until.IsZero() {
		t.Errorf("suppression: %+v, %v, %v", s, ok, err)
	}

	before := len(box.Mails())
	site.Publish(*demoSecretary(1, time.Now()))
	once()
	mails := box.Mails()[before:]
	if len(mails) != 1 || mails[0].To != "sam@reader.example" {
		t.Errorf("%d mails came after the complaint, want one to the other reader", len(mails))
	}
	if !strings.Contains(log.String(), "reason=complaint") {
		t.Errorf("the log does not say why a mail was dropped:\n%s", log)
	}
	if strings.Contains(log.String(), "canary") || strings.Contains(log.String(), sender) {
		t.Errorf("the log holds an address or a secret:\n%s", log)
	}
	families, err := a.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range families {
		for _, m := range f.Metric {
			found = found || f.GetName() == "vacancywatch_suppressed_addresses" && m.Label[0].GetValue() == "complained" && m.Gauge.GetValue() == 1
		}
	}
	if !found {
		t.Error("no metric counts the suppressed address")
	}
}

// Check signs a sample, and says what must be arranged elsewhere.
func TestCheckMail(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "vw.yaml")
	if err := os.WriteFile(file, []byte("sources: [{base: \"http://127.0.0.1:1\"}]\n"+signedMail(t, dir, "2525")), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, diag bytes.Buffer
	if code := run(t.Context(), []string{"check", "--config", file}, nil, &out, &diag); code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, &out, &diag)
	}
	for _, want := range []string{"channel mail: dkim: a sample was signed and verified. Publish this TXT record:\ns1._domainkey.vacancywatch.example\tv=DKIM1; k=rsa; p=MII",
		"bounces: mail for bounces.vacancywatch.example must come to 127.0.0.1:0. Give feedback loops this address: f+", "ok, 1 sources, 1 channels, 0 searches"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("check does not say %q:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String()+diag.String(), "canary") {
		t.Error("check prints a secret")
	}
	if err := os.Remove(filepath.Join(dir, "dkim.pem")); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), []string{"check", "--config", file}, nil, &out, &diag); code != 2 || !strings.Contains(diag.String(), "dkim: read key_file: ") {
		t.Errorf("without the key: exit code %d\n%s", code, &diag)
	}
}
