package chat

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// telegramText is the cap of a message, in characters. Telegram counts them
// without the markup, we with it, so that the hundred entities that a message
// may have are never reached either.
const telegramText = 4096

var (
	telegramToken = regexp.MustCompile(`^[0-9]{1,20}:[A-Za-z0-9_-]{20,100}$`)
	telegramChat  = regexp.MustCompile(`^(-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31})$`)
)

// NewTelegram makes the channel to a chat of Telegram. It calls nobody.
//
// A chat that is not found (400) or whose reader has blocked the bot (403)
// buries a message; a token that is not taken (401, 404) is the operator's to
// mend, so the message is tried again.
func NewTelegram(cfg TelegramConfig) (*Chat, error) {
	fail := func(err error) (*Chat, error) { return nil, fmt.Errorf("telegram: %w", err) }
	token, err := read("token", "the token of a bot, digits, a colon and letters", telegramToken, cfg.Token, cfg.TokenFile)
	if err != nil {
		return fail(err)
	}
	if !telegramChat.MatchString(cfg.ChatID) {
		return fail(errors.New("chat_id is neither the number of a chat nor the @name of a channel"))
	}
	root, err := cfg.root(cfg.URL, "https://api.telegram.org")
	if err != nil {
		return fail(err)
	}
	u, err := channel.ParseHookURL(root + "/bot" + token.Reveal() + "/sendMessage")
	if err != nil {
		return fail(err)
	}
	s := service{kind: "telegram", write: telegramBody(cfg.ChatID), waitInBody: true, final: map[int]string{
		400: channel.ReasonRejected, 403: channel.ReasonRejected, 413: channel.ReasonContent,
	}}
	return s.chat(u, channel.Secret{}, cfg.ChatID, cfg.Guard), nil
}

type telegramMessage struct {
	ChatID    string `json:"chat_id"`
	Text      string `json:"text"`
	ParseMode string `json:"parse_mode"`
	Preview   struct {
		Disabled bool `json:"is_disabled"`
	} `json:"link_preview_options"`
}

func telegramBody(chat string) writer {
	return func(d draft) (any, bool) {
		m := telegramMessage{ChatID: chat, ParseMode: "HTML", Text: pages(d, telegramLines)}
		m.Preview.Disabled = true
		return m, units(m.Text) <= telegramText
	}
}

// pages joins a draft into one text: head, vacancies and foot, each behind an
// empty line.
func pages(d draft, lines func([]line) string) string {
	parts := []string{lines(append([]line{{{text: d.heading, strong: true}}}, d.head...))}
	for _, it := range d.items {
		parts = append(parts, lines(it))
	}
	if d.more != nil {
		parts = append(parts, lines([]line{d.more}))
	}
	if len(d.foot) > 0 {
		parts = append(parts, lines(d.foot))
	}
	return strings.Join(parts, "\n\n")
}

var telegramEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func telegramLines(lines []line) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		var b strings.Builder
		for _, r := range l {
			text := telegramEscape.Replace(r.text)
			if r.url != "" {
				text = `<a href="` + telegramEscape.Replace(r.url) + `">` + text + "</a>"
			}
			if r.strong {
				text = "<b>" + text + "</b>"
			}
			b.WriteString(text)
		}
		out[i] = b.String()
	}
	return strings.Join(out, "\n")
}
