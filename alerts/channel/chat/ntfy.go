package chat

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// ntfyBytes is the cap of a message. It is that of its text; we count the JSON
// round it, too.
const ntfyBytes = 4096

var (
	ntfyTopic = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	ntfyToken = regexp.MustCompile(`^[A-Za-z0-9_.-]{8,200}$`)
)

// NewNtfy makes the channel to a topic of an ntfy server. It calls nobody.
func NewNtfy(cfg NtfyConfig) (*Chat, error) {
	fail := func(err error) (*Chat, error) { return nil, fmt.Errorf("ntfy: %w", err) }
	topic, err := read("topic", "the name of a topic, 1 to 64 letters, digits, - and _", ntfyTopic, cfg.Topic, cfg.TopicFile)
	if err != nil {
		return fail(err)
	}
	var auth channel.Secret
	if cfg.TokenFile != "" || !cfg.Token.IsZero() {
		token, err := read("token", "an access token, tk_ and letters", ntfyToken, cfg.Token, cfg.TokenFile)
		if err != nil {
			return fail(err)
		}
		auth = channel.NewSecret("Bearer " + token.Reveal())
	}
	root, err := cfg.root(cfg.URL, "https://ntfy.sh")
	if err != nil {
		return fail(err)
	}
	u, err := channel.ParseHookURL(root + "/")
	if err != nil {
		return fail(err)
	}
	s := service{kind: "ntfy", write: ntfyBody(topic), final: map[int]string{
		400: channel.ReasonContent, 413: channel.ReasonContent,
	}}
	return s.chat(u, auth, topic.Reveal(), cfg.Guard), nil
}

type ntfyMessage struct {
	Topic   string       `json:"topic"`
	Title   string       `json:"title"`
	Message string       `json:"message"`
	Click   string       `json:"click,omitempty"`
	Actions []ntfyAction `json:"actions,omitempty"`
}

type ntfyAction struct {
	Action string `json:"action"`
	Label  string `json:"label"`
	URL    string `json:"url"`
}

func ntfyBody(topic channel.Secret) writer {
	return func(d draft) (any, bool) {
		m := ntfyMessage{Topic: topic.Reveal(), Title: d.heading, Click: d.advert}
		d.heading = ""
		m.Message = strings.TrimLeft(pages(d, ntfyLines), "\n")
		if d.advert != "" {
			m.Actions = append(m.Actions, ntfyAction{"view", "Open the advert", d.advert})
		}
		if d.stop != "" {
			m.Actions = append(m.Actions, ntfyAction{"view", "Stop this search", d.stop})
		}
		return m, size(m) <= ntfyBytes
	}
}

// ntfyLines is plain text: programs make links of addresses by themselves, so
// that each stands on a line of its own, behind what it belongs to.
func ntfyLines(lines []line) string {
	var out []string
	for _, l := range lines {
		text, links := "", ""
		for _, r := range l {
			text += r.text
			if r.url != "" {
				links += "\n" + r.url
			}
		}
		out = append(out, text+links)
	}
	return strings.Join(out, "\n")
}
