package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

// The chats that the reference file shows as comments load once their secrets
// are there, and are of every kind that there is.
func TestReferenceChats(t *testing.T) {
	b, err := os.ReadFile("../deploy/vacancywatch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(b), "#  - name: team-slack\n")
	text, _, ended := strings.Cut("#  - name: team-slack\n"+text, "\n\n")
	if !found || !ended {
		t.Fatal("the file shows no chats")
	}
	dir := t.TempDir()
	for name, secret := range map[string]string{"team-slack.url": "https://hooks.example.org/a", "team-teams.url": "https://flow.example.org/b?sig=c",
		"team-discord.url": "https://discord.example.org/d", "team-telegram.token": "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ", "my-phone.topic": "topic", "my-phone.token": "tk_12345678"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Parse([]byte(local+"channels:\n"+strings.ReplaceAll("\n"+text, "\n#", "\n")+"\n"), dir)
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{"email", "webhook"}
	for i := range c.Channels {
		made, err := c.Channels[i].New(c)
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, made.Kind())
	}
	if diff := cmp.Diff(channel.Kinds(), kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

// A chat that is named as a number is the same chat.
func TestChats(t *testing.T) {
	t.Setenv("VACANCYWATCH_TOKEN_BOT", "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	t.Setenv("VACANCYWATCH_URL_SLACK", "https://hooks.example.org/canary")
	t.Setenv("VACANCYWATCH_TOPIC_PHONE", "canary-topic")
	c, err := Parse([]byte(local+`channels:
- {name: bot, telegram: {chat_id: -1001234567890}}
- {name: slack, slack: {allow: ["10.1.0.0/16"], allow_http: true}}
- {name: phone, ntfy: {url: "https://ntfy.example.org"}}
searches:
- {id: a, bands: [5], notify: [{channel: bot}, {channel: slack, rhythm: daily, hour: 7}, {channel: phone}]}
`), ".")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Channels[0].Telegram.ChatID; got != "-1001234567890" {
		t.Errorf("chat %q", got)
	}
	if g := c.Channels[1].Slack.Guard; len(g.Allow) != 1 || !g.AllowHTTP {
		t.Errorf("guard %+v", g)
	}
	want := []vacancy.Notify{{Channel: "bot", Rhythm: vacancy.Instant}, {Channel: "slack", Rhythm: vacancy.Daily, Hour: 7}, {Channel: "phone", Rhythm: vacancy.Instant}}
	if diff := cmp.Diff(want, c.VacancySearches(gazetteer.Default())[0].Notify); diff != "" {
		t.Errorf("notify (-want +got):\n%s", diff)
	}
}

func TestChatFaults(t *testing.T) {
	t.Setenv("VACANCYWATCH_URL_R", "https://hooks.example.org/canary")
	for in, want := range map[string]string{
		`{name: m, slack: {url: "https://hooks.example.org/canary"}}`: `unknown field "url"`,
		`{name: m, telegram: {token: canary, chat_id: "1"}}`:          `unknown field "token"`,
		`{name: m, ntfy: {topic: canary}}`:                            `unknown field "topic"`,
		`{name: m, slack: {}}`:                                        "channels[0] (m): slack: there is no url_file",
		`{name: m, discord: {url_file: canary}}`:                      "channels[0] (m): discord: read a secret",
		`{name: r, slack: {}, teams: {}}`:                             "channels[0] (r): give exactly one of email, webhook, slack,",
		`{name: r, slack: {url_file: x}}`:                             "channels[0] (r): slack: url is given twice",
		"{name: r, slack: {}}]\nsearches: [{id: a, bands: [5], notify: [{channel: r, to: a@example.org}]}": "notify[0]: a channel of kind slack goes to its own room: leave out to",
	} {
		_, err := Parse([]byte(local+"channels: ["+in+"]\n"), t.TempDir())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", in, err, want)
		}
	}
}
