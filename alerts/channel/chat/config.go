package chat

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// Guard is what may be called beside public addresses on ports 443 and 8443.
type Guard struct {
	// Allow lists networks (10.1.0.0/16) that may be called though they are
	// not public: a server of your own. They are reached on every port.
	Allow []netip.Prefix `yaml:"allow" json:"allow,omitempty"`
	// AllowHTTP lets the address be http, and port 80. The message and the
	// secret can then be read on their way. Off by default.
	AllowHTTP bool `yaml:"allow_http" json:"allow_http,omitempty"`
}

func (g Guard) check(u channel.HookURL) error {
	if !g.AllowHTTP && !strings.HasPrefix(u.Reveal(), "https:") {
		return errors.New("the url is not https: use https, or set allow_http if the way there is your own")
	}
	return nil
}

// HookConfig is a room of Slack, Teams or Discord, which is written to at an
// address that nobody else must know.
type HookConfig struct {
	// URLFile names the file with the address that the service gave out: an
	// incoming webhook of Slack, the "when a webhook request is received" of a
	// Teams workflow, a webhook of a Discord channel. Whoever knows the address
	// can write there, so it stands in a file of its own.
	URLFile string `yaml:"url_file" json:"url_file"`
	Guard   `yaml:",inline"`

	// URL is the address itself, for callers that do not keep it in a file.
	URL channel.Secret `yaml:"-" json:"-"`
}

func (cfg HookConfig) hookURL() (channel.HookURL, error) {
	text, err := channel.Pick("url", cfg.URL, cfg.URLFile)
	if err != nil {
		return channel.HookURL{}, err
	}
	if text.IsZero() {
		return channel.HookURL{}, errors.New("there is no url_file: the address is a secret, so it stands in a file of its own")
	}
	u, err := channel.ParseHookURL(text.Reveal())
	if err != nil {
		return channel.HookURL{}, fmt.Errorf("url_file: %w", err)
	}
	return u, cfg.check(u)
}

// hook makes the channel of a service that is written to at a secret address.
func hook(s service, cfg HookConfig, edit func(channel.HookURL) (channel.HookURL, error)) (*Chat, error) {
	u, err := cfg.hookURL()
	if err == nil && edit != nil {
		u, err = edit(u)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.kind, err)
	}
	return s.chat(u, channel.Secret{}, "", cfg.Guard), nil
}

// TelegramConfig is a chat that a bot of yours may write to.
type TelegramConfig struct {
	// TokenFile names the file with the bot's token, 123456:ABC….
	TokenFile string `yaml:"token_file" json:"token_file"`
	// ChatID is the number of a chat (that of a group is negative) or the
	// @name of a public channel.
	ChatID string `yaml:"chat_id" json:"chat_id"`
	// URL is the root of the Bot API, for a Bot API server of your own.
	// Defaults to https://api.telegram.org.
	URL   channel.HookURL `yaml:"url" json:"url,omitempty"`
	Guard `yaml:",inline"`

	// Token is the token itself, for callers that do not keep it in a file.
	Token channel.Secret `yaml:"-" json:"-"`
}

// NtfyConfig is a topic of an ntfy server.
type NtfyConfig struct {
	// URL is the root of the server. Defaults to https://ntfy.sh.
	URL channel.HookURL `yaml:"url" json:"url,omitempty"`
	// TopicFile names the file with the name of the topic. Where topics are
	// open to all, as on ntfy.sh, the name is all that keeps others out.
	TopicFile string `yaml:"topic_file" json:"topic_file"`
	// TokenFile names the file with an access token, tk_…, where the topic
	// asks for one.
	TokenFile string `yaml:"token_file" json:"token_file,omitempty"`
	Guard     `yaml:",inline"`

	// Topic and Token are these themselves, for callers that do not keep them
	// in files.
	Topic channel.Secret `yaml:"-" json:"-"`
	Token channel.Secret `yaml:"-" json:"-"`
}

// read returns a secret of a given shape; a missing one is an error that says
// what it should be.
func read(name, shape string, re *regexp.Regexp, s channel.Secret, file string) (channel.Secret, error) {
	s, err := channel.Pick(name, s, file)
	if err != nil {
		return s, err
	}
	if s.IsZero() {
		return s, fmt.Errorf("there is no %s_file: it holds %s", name, shape)
	}
	if !re.MatchString(s.Reveal()) {
		return channel.Secret{}, fmt.Errorf("the %s is not %s", name, shape)
	}
	return s, nil
}

// root returns the address of a server, or the default.
func (g Guard) root(u channel.HookURL, or string) (string, error) {
	if u.IsZero() {
		return or, nil
	}
	if strings.ContainsAny(u.Reveal(), "?#") {
		return "", errors.New("the url is not the root of a server: leave out everything from ? on")
	}
	return strings.TrimRight(u.Reveal(), "/"), g.check(u)
}
