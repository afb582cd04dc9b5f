package config

import (
	"strings"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/channel/chat"
)

// Chats are the kinds of channel that write into a chat. Exactly one kind of a
// channel is given.
type Chats struct {
	Slack    *chat.HookConfig     `yaml:"slack"`
	Teams    *chat.HookConfig     `yaml:"teams"`
	Discord  *chat.HookConfig     `yaml:"discord"`
	Telegram *chat.TelegramConfig `yaml:"telegram"`
	Ntfy     *chat.NtfyConfig     `yaml:"ntfy"`
}

// given returns the kinds of a channel that the file names.
func (ch *Channel) given() []string {
	is := map[string]bool{"email": ch.Email != nil, "webhook": ch.Webhook != nil, "slack": ch.Slack != nil, "teams": ch.Teams != nil,
		"discord": ch.Discord != nil, "telegram": ch.Telegram != nil, "ntfy": ch.Ntfy != nil}
	var kinds []string
	for _, k := range channel.Kinds() {
		if is[k] {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// kind is what a channel is, as far as can be told of a faulty one.
func (ch *Channel) kind() string {
	if kinds := ch.given(); len(kinds) > 0 {
		return kinds[0]
	}
	return "webhook"
}

func kindWords() string {
	kinds := channel.Kinds()
	return strings.Join(kinds[:len(kinds)-1], ", ") + " and " + kinds[len(kinds)-1]
}

// chat makes a channel that is neither email nor webhook.
func (ch *Channel) chat(c *Config) (channel.Channel, error) {
	switch {
	case ch.Telegram != nil:
		cfg := *ch.Telegram
		cfg.TokenFile = c.path(cfg.TokenFile)
		cfg.Token = secretFromEnv("TOKEN", ch.Name)
		return nilOnError(chat.NewTelegram(cfg))
	case ch.Ntfy != nil:
		cfg := *ch.Ntfy
		cfg.TopicFile, cfg.TokenFile = c.path(cfg.TopicFile), c.path(cfg.TokenFile)
		cfg.Topic, cfg.Token = secretFromEnv("TOPIC", ch.Name), secretFromEnv("TOKEN", ch.Name)
		return nilOnError(chat.NewNtfy(cfg))
	}
	hook := func(cfg chat.HookConfig) chat.HookConfig {
		cfg.URLFile = c.path(cfg.URLFile)
		cfg.URL = secretFromEnv("URL", ch.Name)
		return cfg
	}
	switch {
	case ch.Slack != nil:
		return nilOnError(chat.NewSlack(hook(*ch.Slack)))
	case ch.Teams != nil:
		return nilOnError(chat.NewTeams(hook(*ch.Teams)))
	}
	return nilOnError(chat.NewDiscord(hook(*ch.Discord)))
}
