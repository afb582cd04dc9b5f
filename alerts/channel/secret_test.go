package channel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrintsNothing prints secrets in every way there is: as themselves, as
// exported and as unexported fields.
func TestPrintsNothing(t *testing.T) {
	const canary = "canary"
	u, err := ParseHookURL("https://example.org/" + canary)
	if err != nil {
		t.Fatal(err)
	}
	s := NewSecret(canary)
	if s.Reveal() != canary || u.Reveal() != "https://example.org/"+canary {
		t.Fatalf("reveal: got %q and %q", s.Reveal(), u.Reveal())
	}
	type open struct {
		S Secret
		U HookURL
		P *Secret
	}
	type hidden struct {
		s Secret
		u HookURL
		m map[string]any
	}
	for _, v := range []any{s, u, &s, &u, open{s, u, &s}, &open{s, u, &s}, hidden{s, u, map[string]any{"x": s}}, &hidden{s, u, nil},
		[]Secret{s}, map[string]HookURL{"x": u}, WebhookConfig{URL: u, Secret: s, OldSecret: s}, EmailConfig{Password: s}} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%e", "%U", "%20s", "%T"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		b, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
		}
		out.Write(b)
		for _, leak := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprint([]byte(canary))} {
			if strings.Contains(out.String(), leak) {
				t.Errorf("%T prints %q in\n%s", v, leak, out.String())
			}
		}
	}
	if got := fmt.Sprintf("%v %s %d|%v|", s, u, s, Secret{}); got != "<secret> <url> <secret>||" {
		t.Errorf("got %q", got)
	}
}

func TestReadSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	s, err := ReadSecret(write("good", "canary \r\n"))
	if err != nil || s.Reveal() != "canary " {
		t.Errorf("got %q, %v", s.Reveal(), err)
	}
	for _, file := range []string{write("empty", "\n"), filepath.Join(dir, "absent")} {
		if _, err := ReadSecret(file); err == nil {
			t.Errorf("%s: no error", filepath.Base(file))
		}
	}
	if _, err := Pick("password", s, write("second", "x")); err == nil || !strings.Contains(err.Error(), "password is given twice") {
		t.Errorf("given twice: got %v", err)
	}
}

func TestParseHookURL(t *testing.T) {
	for _, bad := range []string{"", "canary", "ftp://canary.example.org/", "https://", "https://canary:pw@example.org/", "https://example.org/#canary",
		"https://exa mple.org/canary", "http://[::1canary/", "javascript:canary", "https:///canary"} {
		var h HookURL
		err := h.UnmarshalText([]byte(bad))
		if err == nil {
			t.Errorf("%q was read", bad)
			continue
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("the error repeats the address: %v", err)
		}
	}
	var h HookURL
	if err := h.UnmarshalText([]byte(" https://example.org/hook?x=1 \n")); err != nil || h.Reveal() != "https://example.org/hook?x=1" {
		t.Errorf("got %q, %v", h.Reveal(), err)
	}
}
