// Package chat brings alerts to chat rooms and telephones: Slack, Teams,
// Discord, Telegram and ntfy. A service is one file with the shape of its
// message, its caps and its way of escaping; the request itself, the guard
// against private addresses and the meaning of an answer are those of the
// webhook channel.
//
// An advert's text is a stranger's. Whatever it holds, a message is valid JSON
// within the caps of the service, and has no link but ours and no mention at
// all: see inert, and the escaping of each service. A message that would be too
// long tells of fewer vacancies and says how many more there are; it never
// ends in half a sentence.
//
// The caps are those that the services document. None of this was tried
// against the real services.
//
// No service knows a message by an ID, so one whose answer was lost may be
// shown twice. The ID is sent as the header webhook-id, for a receiver of one's
// own in between.
package chat

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/message"
)

// A Chat is the channel to one room of a service.
type Chat struct {
	service
	url         channel.HookURL
	auth        channel.Secret // the value of Authorization, none where zero
	destination string
	client      *http.Client
}

var _ channel.Tester = (*Chat)(nil)

// A service is what the kinds differ in.
type service struct {
	kind string
	// write makes the body of a message; see fit.
	write writer
	// final holds the statuses that are the service's last word.
	final map[int]string
	// waitInBody says that the JSON of a 429 tells how long to wait.
	waitInBody bool
}

func (s service) chat(url channel.HookURL, auth channel.Secret, room string, g Guard) *Chat {
	return &Chat{service: s, url: url, auth: auth, client: channel.Client(g.Allow, g.AllowHTTP),
		destination: s.kind + "-" + channel.Token(url.Reveal() + "\x00" + room)[:10]}
}

// Format prints the destination for every verb, and no URL or token.
func (c *Chat) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.destination) }

// Kind is the name of the service: slack, teams, discord, telegram or ntfy.
func (c *Chat) Kind() string { return c.kind }

// Destination names the room by a digest of its URL: the same for every
// channel that writes there, and no way back to it.
func (c *Chat) Destination(string) string { return c.destination }

// Render makes the body. For Telegram and ntfy the room stands in it.
func (c *Chat) Render(a message.Alert, _ string) ([]byte, error) {
	b, err := fit(message.NewPlain(a), c.write)
	if err != nil {
		return nil, fmt.Errorf("write for %s: %w", c.kind, err)
	}
	return b, nil
}

// Limit is 15 seconds.
func (c *Chat) Limit() time.Duration { return channel.PostLimit }

// Delay is that of webhooks: eight attempts within 27 hours and 35 minutes.
func (c *Chat) Delay(n int) (time.Duration, bool) { return channel.PostDelay(n) }

// Close lets go of connections that are kept.
func (c *Chat) Close() error {
	c.client.CloseIdleConnections()
	return nil
}

// Send posts the stored body once, see channel.Post. Answers are classed by
// their status alone, for the words of an answer are the far side's.
func (c *Chat) Send(ctx context.Context, m channel.Message) channel.Result {
	at := m.At
	if at.IsZero() {
		at = time.Now()
	}
	header := http.Header{}
	header.Set("webhook-id", "msg_"+channel.Token(m.ID))
	if !c.auth.IsZero() {
		header.Set("Authorization", c.auth.Reveal())
	}
	return channel.Post{URL: c.url, Header: header, Body: m.Body, At: at, Final: c.final, WaitInBody: c.waitInBody}.Send(ctx, c.client)
}

// Test sends a message that says that it is a test.
func (c *Chat) Test(ctx context.Context, at time.Time) channel.Result {
	body, _ := c.write(draft{heading: "A test of vacancywatch", head: []line{plain("Vacancies can be told here. Nothing needs to be done.")}})
	b, err := encode(body)
	if err != nil {
		// Unreachable: bodies are texts and lists.
		return channel.Result{Outcome: channel.Bury, Reason: channel.ReasonRender, Detail: "the test cannot be made"}
	}
	return c.Send(ctx, channel.Message{ID: "endpoint.test|" + at.UTC().Format(time.RFC3339Nano), Body: b, Try: 1, At: at})
}
