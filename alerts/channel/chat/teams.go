package chat

import (
	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// teamsBytes is what Teams takes: about 28 kB.
const teamsBytes = 27_000

// NewTeams makes the channel to a workflow of Teams that begins with "when a
// Teams webhook request is received" and posts the card it is given. The
// workflow answers 202 before it has posted: what fails behind that is seen in
// its own history only. NewTeams calls nobody.
func NewTeams(cfg HookConfig) (*Chat, error) {
	return hook(service{kind: "teams", write: teamsBody, final: map[int]string{413: channel.ReasonContent}}, cfg, nil)
}

type teamsMessage struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string    `json:"contentType"`
	ContentURL  *string   `json:"contentUrl"` // null, as the workflow wants it
	Content     teamsCard `json:"content"`
}

type teamsCard struct {
	Schema  string         `json:"$schema"`
	Type    string         `json:"type"`
	Version string         `json:"version"`
	Body    []teamsElement `json:"body"`
	Actions []teamsAction  `json:"actions,omitempty"`
	Teams   teamsWidth     `json:"msteams"`
}

type teamsWidth struct {
	Width string `json:"width"`
}

// A teamsElement is a RichTextBlock. Unlike a TextBlock it knows no Markdown,
// so text needs no escaping: a link is a field of its own.
type teamsElement struct {
	Type      string     `json:"type"`
	Inlines   []teamsRun `json:"inlines"`
	Spacing   string     `json:"spacing,omitempty"`
	Separator bool       `json:"separator,omitempty"`
}

type teamsRun struct {
	Type   string       `json:"type"`
	Text   string       `json:"text"`
	Size   string       `json:"size,omitempty"`
	Weight string       `json:"weight,omitempty"`
	Subtle bool         `json:"isSubtle,omitempty"`
	Select *teamsAction `json:"selectAction,omitempty"`
}

type teamsAction struct {
	Type  string `json:"type"`
	Title string `json:"title,omitempty"`
	URL   string `json:"url"`
}

func teamsBody(d draft) (any, bool) {
	card := teamsCard{Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.2", Teams: teamsWidth{"Full"}}
	add := func(e teamsElement) { card.Body = append(card.Body, e) }
	add(teamsElement{Type: "RichTextBlock", Inlines: []teamsRun{{Type: "TextRun", Text: d.heading, Size: "Large", Weight: "Bolder"}}})
	block := func(lines []line, separate, subtle bool) {
		for i, l := range lines {
			e := teamsElement{Type: "RichTextBlock", Spacing: "None"}
			if i == 0 {
				e.Spacing, e.Separator = "Medium", separate
			}
			for _, r := range l {
				if r.text == "" {
					continue
				}
				t := teamsRun{Type: "TextRun", Text: r.text, Subtle: subtle}
				if r.strong {
					t.Weight = "Bolder"
				}
				if r.url != "" {
					t.Select = &teamsAction{Type: "Action.OpenUrl", URL: r.url}
				}
				e.Inlines = append(e.Inlines, t)
			}
			add(e)
		}
	}
	block(d.head, false, false)
	for _, it := range d.items {
		block(it, true, false)
	}
	if d.more != nil {
		block([]line{d.more}, true, false)
	}
	block(d.foot, true, true)
	if d.advert != "" {
		card.Actions = append(card.Actions, teamsAction{"Action.OpenUrl", "Open the advert", d.advert})
	}
	if d.stop != "" {
		card.Actions = append(card.Actions, teamsAction{"Action.OpenUrl", "Stop this search", d.stop})
	}
	m := teamsMessage{Type: "message", Attachments: []teamsAttachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: card}}}
	return m, size(m) <= teamsBytes
}
