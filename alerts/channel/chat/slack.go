package chat

import (
	"strings"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// Caps of Slack. What a whole message may hold is not documented; ours is far
// under what is refused.
const (
	slackBlocks  = 50
	slackSection = 3000
	slackText    = 12000
	slackHeader  = 150
)

// NewSlack makes the channel to an incoming webhook. It calls nobody.
func NewSlack(cfg HookConfig) (*Chat, error) {
	return hook(service{kind: "slack", write: slackBody, final: map[int]string{
		400: channel.ReasonContent, 413: channel.ReasonContent,
	}}, cfg, nil)
}

type slackMessage struct {
	// Text is what a notification shows.
	Text        string       `json:"text"`
	UnfurlLinks bool         `json:"unfurl_links"`
	UnfurlMedia bool         `json:"unfurl_media"`
	Blocks      []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string       `json:"type"`
	Text     *slackWords  `json:"text,omitempty"`
	Elements []slackWords `json:"elements,omitempty"`
}

type slackWords struct {
	Type string `json:"type"`
	Text string `json:"text"`
	// Verbatim keeps Slack from making links of what looks like one.
	Verbatim bool `json:"verbatim,omitempty"`
}

func slackBody(d draft) (any, bool) {
	m := slackMessage{Text: slackEscape(d.heading), Blocks: []slackBlock{{Type: "header", Text: &slackWords{Type: "plain_text", Text: d.heading}}}}
	if len(d.items) > 0 {
		m.Text += ": " + slackEscape(d.items[0][1][0].text)
	}
	total, fits := 0, units(d.heading) <= slackHeader
	markdown := func(lines []line) *slackWords {
		text := slackLines(lines)
		total += units(text)
		fits = fits && units(text) <= slackSection
		return &slackWords{Type: "mrkdwn", Text: text, Verbatim: true}
	}
	section := func(lines []line) {
		if len(lines) > 0 {
			m.Blocks = append(m.Blocks, slackBlock{Type: "section", Text: markdown(lines)})
		}
	}
	section(d.head)
	for _, it := range d.items {
		m.Blocks = append(m.Blocks, slackBlock{Type: "divider"})
		section(it)
	}
	if d.more != nil {
		section([]line{d.more})
	}
	if len(d.foot) > 0 {
		m.Blocks = append(m.Blocks, slackBlock{Type: "context", Elements: []slackWords{*markdown(d.foot)}})
	}
	return m, fits && total <= slackText && len(m.Blocks) <= slackBlocks
}

func slackLines(lines []line) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		var b strings.Builder
		for _, r := range l {
			text := slackEscape(r.text)
			if r.url != "" {
				text = "<" + strings.ReplaceAll(r.url, "&", "&amp;") + "|" + text + ">"
			}
			if r.strong {
				text = "*" + text + "*"
			}
			b.WriteString(text)
		}
		out[i] = b.String()
	}
	return strings.Join(out, "\n")
}

// slackTwins stand for the characters for which Slack's markup has no escape;
// they look alike.
var slackTwins = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;",
	"*", "∗", "_", "ˍ", "~", "∼", "`", "ˋ", "|", "∣")

// slackEscape makes text of s. A > that begins a line would quote it.
func slackEscape(s string) string {
	if strings.HasPrefix(s, ">") {
		s = joiner + s
	}
	return slackTwins.Replace(s)
}
