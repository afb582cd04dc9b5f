package chat_test

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A shown is what a reader of a service sees of a message.
type shown struct {
	text  string
	links []string
}

// The services read a body as their documentation says, and find fault with
// what it does not allow.
var readers = map[string]func(body []byte) (shown, error){
	"slack": readSlack, "teams": readTeams, "discord": readDiscord, "telegram": readTelegram, "ntfy": readNtfy,
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }

func strict(body []byte, into any) error {
	if !utf8.Valid(body) {
		return fmt.Errorf("the body is not UTF-8")
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

var slackTwins = strings.NewReplacer("∗", "*", "ˍ", "_", "∼", "~", "ˋ", "`", "∣", "|")

func readSlack(body []byte) (shown, error) {
	type words struct {
		Type, Text string
		Verbatim   bool
	}
	var m struct {
		Text        string
		UnfurlLinks *bool `json:"unfurl_links"`
		UnfurlMedia *bool `json:"unfurl_media"`
		Blocks      []struct {
			Type     string
			Text     *words
			Elements []words
		}
	}
	if err := strict(body, &m); err != nil {
		return shown{}, err
	}
	if len(m.Blocks) == 0 || len(m.Blocks) > 50 || m.Text == "" || len(m.Text) > 4000 || strings.ContainsAny(m.Text, "<>*_~`") {
		return shown{}, fmt.Errorf("%d blocks, text %q", len(m.Blocks), m.Text)
	}
	var s shown
	for i, b := range m.Blocks {
		all := b.Elements
		if b.Text != nil {
			all = append(all, *b.Text)
		}
		switch {
		case b.Type == "header" && i == 0 && b.Text != nil && b.Text.Type == "plain_text" && units(b.Text.Text) <= 150:
			s.text += b.Text.Text + "\n"
			continue
		case b.Type == "divider" && len(all) == 0:
		case b.Type == "section" && b.Text != nil && b.Text.Type == "mrkdwn", b.Type == "context" && len(b.Elements) > 0 && len(b.Elements) <= 10:
		default:
			return s, fmt.Errorf("block %d is %+v", i, b)
		}
		for _, w := range all {
			if w.Text == "" || units(w.Text) > 3000 || !w.Verbatim {
				return s, fmt.Errorf("block %d has %d characters, verbatim %v", i, units(w.Text), w.Verbatim)
			}
			rest := w.Text
			for rest != "" {
				at := strings.IndexAny(rest, "<>*_~`")
				if at < 0 {
					s.text += slackTwins.Replace(html.UnescapeString(rest))
					break
				}
				s.text += slackTwins.Replace(html.UnescapeString(rest[:at]))
				switch rest[at] {
				case '<':
					inside, after, ok := strings.Cut(rest[at+1:], ">")
					url, label, link := strings.Cut(inside, "|")
					if !ok || !link || strings.ContainsAny(label, "<|*_~`") || strings.ContainsAny(url, " !@#`*") && !strings.HasPrefix(url, "http") {
						return s, fmt.Errorf("markup <%s>", inside)
					}
					s.links = append(s.links, html.UnescapeString(url))
					s.text += slackTwins.Replace(html.UnescapeString(label))
					rest = after
				case '*':
					// Ours stands round a whole line.
					if before := rest[:at]; before != "" && !strings.HasSuffix(before, "\n") && !strings.HasPrefix(rest[at+1:], "\n") && rest[at+1:] != "" {
						return s, fmt.Errorf("markup * in %q", rest)
					}
					rest = rest[at+1:]
				default:
					return s, fmt.Errorf("markup %c in %q", rest[at], w.Text)
				}
			}
			for _, l := range strings.Split(w.Text, "\n") {
				if strings.HasPrefix(l, "&gt;") {
					return s, fmt.Errorf("a line is a quotation: %q", l)
				}
			}
			s.text += "\n"
		}
	}
	return s, nil
}

func readTeams(body []byte) (shown, error) {
	type action struct{ Type, Title, URL string }
	var m struct {
		Type        string
		Attachments []struct {
			ContentType string          `json:"contentType"`
			ContentURL  json.RawMessage `json:"contentUrl"`
			Content     struct {
				Schema        string `json:"$schema"`
				Type, Version string
				Body          []struct {
					Type    string
					Inlines []struct {
						Type, Text, Size, Weight string
						IsSubtle                 bool `json:"isSubtle"`
						SelectAction             *action
					}
					Spacing   string
					Separator bool
				}
				Actions []action
				Teams   struct{ Width string } `json:"msteams"`
			}
		}
	}
	if err := strict(body, &m); err != nil {
		return shown{}, err
	}
	if len(body) > 28_000 || m.Type != "message" || len(m.Attachments) != 1 {
		return shown{}, fmt.Errorf("%d bytes, type %q, %d attachments", len(body), m.Type, len(m.Attachments))
	}
	a := m.Attachments[0]
	if a.ContentType != "application/vnd.microsoft.card.adaptive" || string(a.ContentURL) != "null" || a.Content.Type != "AdaptiveCard" ||
		a.Content.Version != "1.2" || !strings.HasSuffix(a.Content.Schema, "/adaptive-card.json") || a.Content.Teams.Width != "Full" || len(a.Content.Actions) > 6 {
		return shown{}, fmt.Errorf("card %+v", a)
	}
	var s shown
	for _, e := range a.Content.Body {
		if e.Type != "RichTextBlock" || len(e.Inlines) == 0 || !slices.Contains([]string{"", "None", "Medium"}, e.Spacing) {
			return s, fmt.Errorf("element %+v", e)
		}
		for _, r := range e.Inlines {
			if r.Type != "TextRun" || r.Text == "" || !slices.Contains([]string{"", "Bolder"}, r.Weight) || !slices.Contains([]string{"", "Large"}, r.Size) {
				return s, fmt.Errorf("inline %+v", r)
			}
			s.text += r.Text
			if r.SelectAction != nil {
				a.Content.Actions = append(a.Content.Actions, *r.SelectAction)
			}
		}
		s.text += "\n"
	}
	for _, act := range a.Content.Actions {
		if act.Type != "Action.OpenUrl" {
			return s, fmt.Errorf("action %+v", act)
		}
		s.links = append(s.links, act.URL)
	}
	return s, nil
}

func readDiscord(body []byte) (shown, error) {
	var m struct {
		Content  string
		Embeds   []struct{ Description string }
		Mentions *struct{ Parse []string } `json:"allowed_mentions"`
	}
	if err := strict(body, &m); err != nil {
		return shown{}, err
	}
	if m.Mentions == nil || m.Mentions.Parse == nil || len(m.Mentions.Parse) != 0 {
		return shown{}, fmt.Errorf("mentions are allowed: %+v", m.Mentions)
	}
	if units(m.Content) > 2000 || len(m.Embeds) > 10 {
		return shown{}, fmt.Errorf("content of %d, %d embeds", units(m.Content), len(m.Embeds))
	}
	s, total := shown{}, 0
	texts := []string{m.Content}
	for _, e := range m.Embeds {
		if e.Description == "" || units(e.Description) > 4096 {
			return s, fmt.Errorf("description of %d", units(e.Description))
		}
		total += units(e.Description)
		texts = append(texts, e.Description)
	}
	if total > 6000 {
		return s, fmt.Errorf("embeds of %d", total)
	}
	for _, text := range texts {
		if err := discordMarkdown(text, &s); err != nil {
			return s, err
		}
		s.text += "\n"
	}
	return s, nil
}

// discordMarkdown reads the Markdown that we write: escapes, ** and links.
// Any other mark of ASCII that stands without a backslash is a fault.
func discordMarkdown(text string, s *shown) error {
	strong, inLink := false, false
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\\':
			if i++; i == len(text) || text[i] >= 0x80 || strings.IndexByte(punctuation, text[i]) < 0 {
				return fmt.Errorf("a backslash escapes nothing in %q", text)
			}
			s.text += text[i : i+1]
			i++
		case strings.HasPrefix(text[i:], "**"):
			strong, i = !strong, i+2
		case c == '[' && !inLink:
			inLink, i = true, i+1
		case c == ']' && inLink && strings.HasPrefix(text[i:], "]("):
			url, _, ok := strings.Cut(text[i+2:], ")")
			if !ok || strings.ContainsAny(url, "( <>\n\\") {
				return fmt.Errorf("link %q", url)
			}
			s.links = append(s.links, url)
			inLink, i = false, i+2+len(url)+1
		case strings.IndexByte(punctuation, c) >= 0:
			return fmt.Errorf("%c stands unescaped in %q", c, text)
		default:
			if c == '\n' && (strong || inLink) {
				return fmt.Errorf("markup goes over a line in %q", text)
			}
			s.text += text[i : i+1]
			i++
		}
	}
	if strong || inLink {
		return fmt.Errorf("markup does not end in %q", text)
	}
	return nil
}

const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

var tagRE = regexp.MustCompile(`^<(?:(/?)b|a href="([^"<>]*)"|(/a))>`)

func readTelegram(body []byte) (shown, error) {
	var m struct {
		ChatID    string `json:"chat_id"`
		Text      string
		ParseMode string `json:"parse_mode"`
		Preview   struct {
			Disabled bool `json:"is_disabled"`
		} `json:"link_preview_options"`
	}
	if err := strict(body, &m); err != nil {
		return shown{}, err
	}
	if m.ChatID != "-1009876543210" || m.ParseMode != "HTML" || !m.Preview.Disabled || m.Text == "" || units(m.Text) > 4096 {
		return shown{}, fmt.Errorf("chat %q, mode %q, text of %d", m.ChatID, m.ParseMode, units(m.Text))
	}
	var s shown
	var open []string
	entities := 0
	for rest := m.Text; rest != ""; {
		if rest[0] != '<' {
			end := strings.IndexByte(rest, '<')
			if end < 0 {
				end = len(rest)
			}
			if strings.ContainsAny(rest[:end], ">\"") || regexp.MustCompile(`&(?:[^lgaq]|$)`).MatchString(rest[:end]) {
				return s, fmt.Errorf("text %q is not escaped", rest[:end])
			}
			s.text += html.UnescapeString(rest[:end])
			rest = rest[end:]
			continue
		}
		tag := tagRE.FindStringSubmatch(rest)
		if tag == nil {
			return s, fmt.Errorf("tag at %.40q", rest)
		}
		name := "b"
		if tag[2] != "" || tag[3] != "" {
			name = "a"
		}
		if tag[1] == "/" || tag[3] != "" {
			if len(open) == 0 || open[len(open)-1] != name {
				return s, fmt.Errorf("tags are not balanced at %.40q", rest)
			}
			open = open[:len(open)-1]
		} else {
			open = append(open, name)
			entities++
		}
		if tag[2] != "" {
			s.links = append(s.links, html.UnescapeString(tag[2]))
		}
		rest = rest[len(tag[0]):]
	}
	if len(open) > 0 || entities > 100 {
		return s, fmt.Errorf("%d tags are open, %d entities", len(open), entities)
	}
	return s, nil
}

func readNtfy(body []byte) (shown, error) {
	var m struct {
		Topic, Title, Message, Click string
		Actions                      []struct{ Action, Label, URL string }
	}
	if err := strict(body, &m); err != nil {
		return shown{}, err
	}
	if m.Topic != "canary-topic" || m.Title == "" || m.Message == "" || len(body) > 4096 || len(m.Actions) > 3 {
		return shown{}, fmt.Errorf("%d bytes, %+v", len(body), m)
	}
	s := shown{text: m.Title + "\n"}
	for _, l := range strings.Split(m.Message, "\n") {
		if strings.HasPrefix(l, "https://") && !strings.Contains(l, " ") {
			s.links = append(s.links, l)
			continue
		}
		s.text += l + "\n"
	}
	if m.Click != "" {
		s.links = append(s.links, m.Click)
	}
	for _, a := range m.Actions {
		if a.Action != "view" || a.Label == "" {
			return s, fmt.Errorf("action %+v", a)
		}
		s.links = append(s.links, a.URL)
	}
	return s, nil
}
