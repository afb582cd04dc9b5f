package channel

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
)

// A Secret is a password or a signing key. It prints as <secret> in every fmt
// verb, in JSON and in slog; only Reveal gives it away. The value lies behind
// a pointer to a string, of which fmt shows the address where it cannot call
// our methods: in an unexported field of some struct. (A pointer to a struct
// would be followed by some verbs.)
type Secret struct{ value *string }

// NewSecret wraps s. The empty string is no secret: see IsZero.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{&s}
}

// ReadSecret reads a secret from a file, without the newline that editors
// put at its end. An empty file is an error, for it is a mistake whenever it
// happens.
func ReadSecret(file string) (Secret, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return Secret{}, fmt.Errorf("read a secret: %w", err)
	}
	s := strings.TrimRight(string(b), "\r\n")
	if s == "" {
		return Secret{}, fmt.Errorf("read a secret: %s is empty", file)
	}
	return NewSecret(s), nil
}

// Pick returns the secret itself or the one in the file; both are an error.
func Pick(name string, s Secret, file string) (Secret, error) {
	if file == "" {
		return s, nil
	}
	if !s.IsZero() {
		return Secret{}, fmt.Errorf("%s is given twice: give it itself or %s_file, not both", name, name)
	}
	return ReadSecret(file)
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.value == nil }

// Reveal returns the secret, for the one call that needs it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return "<secret>"
}

// Format prints String for every verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// MarshalText writes String, for JSON, YAML and slog's JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue writes String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// A HookURL is the address of an endpoint. Whoever knows it can write there,
// so it prints as <url> like a Secret does.
type HookURL struct{ value *string }

// ParseHookURL reads an absolute http or https address without user, password
// or fragment. The error does not repeat it.
func ParseHookURL(s string) (HookURL, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	switch {
	case err != nil:
		// The error of url.Parse quotes the whole address.
		return HookURL{}, errors.New("the url cannot be read: give one such as https://example.org/hook")
	case u.Scheme != "https" && u.Scheme != "http":
		return HookURL{}, errors.New("the url is not one of https: give one such as https://example.org/hook")
	case u.Hostname() == "":
		return HookURL{}, errors.New("the url names no host: give one such as https://example.org/hook")
	case u.User != nil:
		return HookURL{}, errors.New("the url holds a user or password: leave them out, the signature proves who sends")
	case u.Fragment != "":
		return HookURL{}, errors.New("the url ends in a fragment (#…), which is never sent: leave it out")
	}
	text := u.String()
	return HookURL{&text}, nil
}

// IsZero reports whether there is no address.
func (h HookURL) IsZero() bool { return h.value == nil }

// Reveal returns the address, for the request.
func (h HookURL) Reveal() string {
	if h.value == nil {
		return ""
	}
	return *h.value
}

func (h HookURL) String() string {
	if h.IsZero() {
		return ""
	}
	return "<url>"
}

// Format prints String for every verb.
func (h HookURL) Format(f fmt.State, _ rune) { fmt.Fprint(f, h.String()) }

// MarshalText writes String.
func (h HookURL) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads an address as ParseHookURL does.
func (h *HookURL) UnmarshalText(b []byte) error {
	u, err := ParseHookURL(string(b))
	if err != nil {
		return err
	}
	*h = u
	return nil
}

// LogValue writes String.
func (h HookURL) LogValue() slog.Value { return slog.StringValue(h.String()) }
