package chat

import (
	"net/url"
	"strings"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// Caps of Discord, in characters but for the embeds.
const (
	discordContent     = 2000
	discordDescription = 4096
	discordTotal       = 6000 // of all embeds
	discordEmbeds      = 10
)

// NewDiscord makes the channel to a webhook of a Discord channel. It calls
// nobody.
func NewDiscord(cfg HookConfig) (*Chat, error) {
	return hook(service{kind: "discord", write: discordBody, waitInBody: true, final: map[int]string{
		// A webhook that was deleted never comes back.
		400: channel.ReasonContent, 404: channel.ReasonRejected, 413: channel.ReasonContent,
	}}, cfg, discordWait)
}

// discordWait asks for an answer once the message is stored: without it
// Discord says that all is well before it has looked.
func discordWait(h channel.HookURL) (channel.HookURL, error) {
	u, err := url.Parse(h.Reveal())
	if err != nil {
		return h, nil // Unreachable: it was parsed before.
	}
	q := u.Query()
	q.Set("wait", "true")
	u.RawQuery = q.Encode()
	return channel.ParseHookURL(u.String())
}

type discordMessage struct {
	Content  string         `json:"content"`
	Embeds   []discordEmbed `json:"embeds,omitempty"`
	Mentions struct {
		Parse []string `json:"parse"`
	} `json:"allowed_mentions"`
}

type discordEmbed struct {
	Description string `json:"description"`
}

// discordBody gives each vacancy an embed, or, where there are too many, fills
// embeds with vacancies.
func discordBody(d draft) (any, bool) {
	var m discordMessage
	m.Mentions.Parse = []string{} // nobody, whatever the text says
	m.Content = discordLines(append([]line{{{text: d.heading, strong: true}}}, d.head...))
	texts := make([]string, 0, len(d.items)+1)
	for _, it := range d.items {
		texts = append(texts, discordLines(it))
	}
	foot := d.foot
	if d.more != nil {
		foot = append([]line{d.more}, foot...)
	}
	if len(foot) > 0 {
		texts = append(texts, discordLines(foot))
	}
	apart := len(texts) <= discordEmbeds
	total, fits := 0, units(m.Content) <= discordContent
	for _, text := range texts {
		last := len(m.Embeds) - 1
		if both := ""; !apart && last >= 0 {
			if both = m.Embeds[last].Description + "\n\n" + text; units(both) <= discordDescription {
				m.Embeds[last].Description = both
				continue
			}
		}
		m.Embeds = append(m.Embeds, discordEmbed{text})
	}
	for _, e := range m.Embeds {
		total += units(e.Description)
		fits = fits && units(e.Description) <= discordDescription
	}
	return m, fits && total <= discordTotal && len(m.Embeds) <= discordEmbeds
}

func discordLines(lines []line) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		var b strings.Builder
		for _, r := range l {
			text := discordEscape(r.text)
			if r.url != "" {
				text = "[" + text + "](" + r.url + ")"
			}
			if r.strong {
				text = "**" + text + "**"
			}
			b.WriteString(text)
		}
		out[i] = b.String()
	}
	return strings.Join(out, "\n")
}

// discordEscape puts a backslash before every mark of ASCII, which Markdown
// then takes as it stands.
func discordEscape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r > ' ' && r < 0x7f && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
