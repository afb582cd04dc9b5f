package config

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/bounce"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// write puts files into a folder and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestBounces(t *testing.T) {
	dir := write(t, map[string]string{"good": "canary-0123456789\n", "short": "canary\n", "empty": ""})
	mail := "channels: [{name: m, email: {host: 127.0.0.1, tls: none, from: a@example.org, bounce_to: b@example.org}}]\n"
	for name, tt := range map[string]struct{ in, env, want string }{
		"good":             {"bounces: {domain: bounces.example.org, secret_file: good}\n", "", ""},
		"environment":      {"bounces: {domain: bounces.example.org}\n", "canary-of-the-environment", ""},
		"both":             {"bounces: {domain: bounces.example.org, secret_file: good}\n", "canary-of-the-environment", "bounces: secret is given twice: give secret_file or VACANCYWATCH_BOUNCES_SECRET, not both"},
		"no secret":        {"bounces: {domain: bounces.example.org}\n", "", "bounces: secret_file is missing"},
		"empty secret":     {"bounces: {domain: bounces.example.org, secret_file: empty}\n", "", "bounces: read a secret: "},
		"short secret":     {"bounces: {domain: bounces.example.org, secret_file: short}\n", "", "bounces: the secret is too short: give 16 characters or more, at random"},
		"no domain":        {"bounces: {secret_file: good}\n", "", "bounces: domain is not a domain: give one such as bounces.example.org"},
		"an address":       {"bounces: {domain: b@example.org, secret_file: good}\n", "", "bounces: domain is not a domain"},
		"listen":           {"bounces: {domain: bounces.example.org, secret_file: good, listen: 2526}\n", "", `bounces.listen: "2526" is not an address such as 127.0.0.1:2526`},
		"secret in itself": {"bounces: {domain: bounces.example.org, secret: canary-0123456789}\n", "", `unknown field "secret"`},
		"two places":       {mail + "bounces: {domain: bounces.example.org, secret_file: good}\n", "", "channels[0] (m): bounce_to and the section bounces exclude each other"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("VACANCYWATCH_BOUNCES_SECRET", tt.env)
			c, err := Parse([]byte(local+tt.in), dir)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "canary") {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			s, err := c.Bounces.Signer()
			if err != nil {
				t.Fatal(err)
			}
			now := time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC)
			if got, err := s.Parse(s.Sender(bounce.ID{1}, now), now); err != nil || got.Token.ID != (bounce.ID{1}) {
				t.Errorf("a sender of its own: %+v, %v", got, err)
			}
			if c.Bounces.Listen != "127.0.0.1:2526" || c.Bounces.LMTP {
				t.Errorf("defaults: %+v", c.Bounces)
			}
		})
	}
}

// The key of a channel that signs is found beside the file, and the section can
// be read more than once.
func TestDKIM(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	dir := write(t, map[string]string{"dkim.pem": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))})
	in := local + "channels: [{name: m, email: {host: 127.0.0.1, tls: none, from: a@example.org, dkim: {selector: s1, domain: example.org, key_file: dkim.pem}}}]\n"
	c, err := Parse([]byte(in), dir)
	if err != nil {
		t.Fatal(err)
	}
	ch, err := c.Channels[0].New(c)
	if err != nil {
		t.Fatal(err)
	}
	if name, _, signed, err := ch.(*channel.Email).CheckDKIM(); name != "s1._domainkey.example.org" || !signed || err != nil {
		t.Errorf("got %q, signed %v, %v", name, signed, err)
	}
	if _, err := Parse([]byte(in), t.TempDir()); err == nil || !strings.Contains(err.Error(), "channels[0] (m): email: dkim: read key_file: ") {
		t.Errorf("without the file: %v", err)
	}
}
