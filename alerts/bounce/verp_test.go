package bounce

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// noon is a day in summer.
var noon = time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC)

const canarySecret = "canary-secret-0123456789"

func newSigner(t testing.TB) *Signer {
	t.Helper()
	s, err := NewSigner("Bounces.Example.org", channel.NewSecret(canarySecret))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func idOf(text string) (id ID) {
	copy(id[:], text)
	return id
}

func TestSender(t *testing.T) {
	s, id := newSigner(t), idOf("an id of address")
	sender := s.Sender(id, noon)
	local, domain, _ := strings.Cut(sender, "@")
	if len(local) > 64 || domain != "bounces.example.org" || !strings.HasPrefix(local, "b+") {
		t.Errorf("sender %q: want b+… of at most 64 characters at the domain", sender)
	}
	if sender != s.Sender(id, noon.Add(11*time.Hour)) || sender == s.Sender(id, noon.Add(12*time.Hour)) || sender == s.Sender(idOf("another"), noon) {
		t.Error("want one sender a day and address")
	}
	want := Recipient{Token: Token{ID: id, Sent: time.Date(2026, 7, 14, 0, 0, 0, 0, time.UTC)}}
	for _, a := range []string{sender, strings.ToUpper(sender), "<" + sender + ">", " <" + sender + "> "} {
		got, err := s.Parse(a, noon.Add(59*day))
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", a, got, err, want)
		}
	}
	if got, err := s.Parse(s.Reports(), noon.Add(9999*day)); err != nil || got != (Recipient{Reports: true}) {
		t.Errorf("the address for complaints: got %+v, %v", got, err)
	}
}

// Whatever is changed in an address of ours, and whatever else comes, is not
// one of ours.
func TestForgedRecipients(t *testing.T) {
	s, id := newSigner(t), idOf("an id of address")
	sender := s.Sender(id, noon)
	local, _, _ := strings.Cut(sender, "@")
	other, err := NewSigner("bounces.example.org", channel.NewSecret(canarySecret+"x"))
	if err != nil {
		t.Fatal(err)
	}
	forged := []string{"", "@", "b+@bounces.example.org", "x@bounces.example.org", local, local + "@example.org", local + "@bounces.example.org.evil.example",
		local + "a@bounces.example.org", local[:len(local)-1] + "@bounces.example.org", "f+" + local[2:] + "@bounces.example.org",
		"b+" + strings.TrimPrefix(s.Reports(), "f+"), other.Sender(id, noon), other.Reports(), "b+" + strings.Repeat("a", 45) + "@bounces.example.org",
		"b+canary.reader=example.net@bounces.example.org"}
	token := local[2:]
	for i := range token {
		for _, c := range []byte("abcdefghijklmnopqrstuvwxyz234567") {
			// The last character holds one bit of the token and four of nothing.
			if c != token[i] && i < len(token)-1 {
				forged = append(forged, "b+"+token[:i]+string(c)+token[i+1:]+"@bounces.example.org")
			}
		}
	}
	for _, a := range forged {
		if got, err := s.Parse(a, noon); !errors.Is(err, ErrForeign) || got != (Recipient{}) {
			t.Errorf("%q: got %+v, %v, want ErrForeign", a, got, err)
		}
	}
	if got, err := s.Parse(sender, noon.Add(62*day)); !errors.Is(err, ErrExpired) || got != (Recipient{}) {
		t.Errorf("two months later: got %+v, %v, want ErrExpired", got, err)
	}
}

func TestNewSigner(t *testing.T) {
	for _, tt := range []struct{ domain, secret, want string }{
		{"bounces.example.org", canarySecret, ""},
		{"bounces.example.org", "canary", "the secret is too short"},
		{"bounces.example.org", "", "the secret is too short"},
		{"", canarySecret, "domain is not a domain"},
		{"example", canarySecret, "domain is not a domain"},
		{"b@example.org", canarySecret, "domain is not a domain"},
		{"example.org\r\nX: y", canarySecret, "domain is not a domain"},
		{strings.Repeat("a.", 100) + "example.org", canarySecret, "domain is not a domain"},
	} {
		s, err := NewSigner(tt.domain, channel.NewSecret(tt.secret))
		if got := fmt.Sprint(err); tt.want == "" && err != nil || tt.want != "" && !strings.Contains(got, tt.want) {
			t.Errorf("%q, %q: got %v, want %q", tt.domain, tt.secret, err, tt.want)
		}
		if text := fmt.Sprintf("%v %+v %#v %s", s, s, s, err); strings.Contains(text, "canary") {
			t.Errorf("the secret is printed: %s", text)
		}
	}
}
