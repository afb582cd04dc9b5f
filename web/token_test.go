package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func key(c string) []byte { return []byte(strings.Repeat(c, 32)) }

func newTokens(t testing.TB, keys ...[]byte) *Tokens {
	t.Helper()
	tokens, err := NewTokens(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func TestTokens(t *testing.T) {
	tokens := newTokens(t, key("k"))
	for _, id := range []string{"s1", "band-4_oncology", "ward é", strings.Repeat("x", maxID)} {
		token := tokens.Stop(id)
		if got, err := tokens.Search(token); err != nil || got != id {
			t.Errorf("Search(Stop(%q)): got %q, %v", id, got, err)
		}
		if strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("token %q needs escaping in an address", token)
		}
	}
	if a, b := tokens.Stop("s1"), tokens.Stop("s1"); a != b {
		t.Errorf("two tokens of one search: %q and %q", a, b)
	}
}

func TestTokensRefused(t *testing.T) {
	tokens := newTokens(t, key("k"))
	good := tokens.Stop("s-1") // 25 bytes, which leave spare bits
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	// The last character has spare bits: another one decodes to the same.
	spare := good[:len(good)-1] + string(good[len(good)-1]+1)
	if b, err := base64.RawURLEncoding.DecodeString(spare); err != nil || string(b) != string(raw) {
		t.Fatalf("%q is no second spelling of %q", spare, good)
	}
	sign := func(b ...byte) string {
		k := &tokens.keys[0]
		return base64.RawURLEncoding.EncodeToString(append(b, k.mac(b)...))
	}
	kid := string(tokens.keys[0].id[:])
	for name, token := range map[string]string{
		"empty":           "",
		"rubbish":         "not a token",
		"wrong kind":      tokens.sign('m', "s1"),
		"other version":   sign([]byte("\x02u" + kid + "s1")...),
		"other key id":    sign([]byte("\x01u" + "abcd" + "s1")...),
		"no id":           tokens.Stop(""),
		"id too long":     tokens.Stop(strings.Repeat("x", maxID+1)),
		"other key":       newTokens(t, key("o")).Stop("s1"),
		"a line end":      good[:10] + "\n" + good[10:],
		"padding":         good + "=",
		"spare bits":      spare,
		"standard base64": base64.StdEncoding.EncodeToString(raw),
		"only a MAC":      sign(),
	} {
		if id, err := tokens.Search(token); !errors.Is(err, ErrToken) || id != "" {
			t.Errorf("%s: got %q, %v, want ErrToken", name, id, err)
		}
	}
	for n := range len(good) {
		if _, err := tokens.Search(good[:n]); err == nil {
			t.Errorf("cut to %d characters it is still good", n)
		}
	}
	for bit := range 8 * len(raw) {
		b := []byte(string(raw))
		b[bit/8] ^= 1 << (bit % 8)
		if _, err := tokens.Search(base64.RawURLEncoding.EncodeToString(b)); err == nil {
			t.Errorf("with bit %d flipped it is still good", bit)
		}
	}
}

// TestTokensKeyChange checks that links in old mails work as long as the old
// key stays in the list, wherever it stands, and no longer.
func TestTokensKeyChange(t *testing.T) {
	old := newTokens(t, key("o")).Stop("s1")
	both := newTokens(t, key("n"), key("x"), key("o"))
	if id, err := both.Search(old); err != nil || id != "s1" {
		t.Errorf("the old token: got %q, %v", id, err)
	}
	if got, want := both.Stop("s1"), newTokens(t, key("n")).Stop("s1"); got != want {
		t.Error("the first key does not sign")
	}
	if _, err := newTokens(t, key("n")).Search(old); !errors.Is(err, ErrToken) {
		t.Errorf("without the old key: got %v, want ErrToken", err)
	}
	// The caller's bytes are its own.
	k := key("k")
	tokens := newTokens(t, k)
	want := tokens.Stop("s1")
	clear(k)
	if got := tokens.Stop("s1"); got != want {
		t.Error("a key changed with the caller's bytes")
	}
}

func TestNewTokensErrors(t *testing.T) {
	for _, test := range []struct {
		keys [][]byte
		want string
	}{
		{nil, "keys for tokens: give at least one"},
		{[][]byte{key("a"), []byte("short")}, "key 2 for tokens has 5 bytes: give at least 32"},
		{[][]byte{key("a"), key("b"), key("a")}, "keys 1 and 3 for tokens are the same"},
	} {
		if _, err := NewTokens(test.keys...); err == nil || err.Error() != test.want {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

func TestTokensDoNotPrintKeys(t *testing.T) {
	tokens := newTokens(t, key("k"))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, tokens); got != "<tokens>" {
			t.Errorf("%s: got %q", verb, got)
		}
	}
}

func FuzzTokensSearch(f *testing.F) {
	tokens := newTokens(f, key("k"))
	f.Add(tokens.Stop("s1"))
	f.Add(tokens.Stop("")[:20])
	f.Add("AXUAAAAA")
	f.Add("\r\n")
	f.Fuzz(func(t *testing.T, token string) {
		id, err := tokens.Search(token)
		if err != nil {
			if id != "" || !errors.Is(err, ErrToken) {
				t.Fatalf("got %q with %v", id, err)
			}
			return
		}
		// What is accepted was made by Stop, in its only spelling.
		if tokens.Stop(id) != token {
			t.Fatalf("%q was accepted for %q", token, id)
		}
	})
}
