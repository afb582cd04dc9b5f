package main

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/score"
)

const inboxName = "inbox"

// An inbox is the far side of every alert. It keeps what arrives in order, and
// is all that the scorer sees of the daemon.
type inbox struct {
	mu     sync.Mutex
	alerts []score.Alert
}

func (b *inbox) arrived() []score.Alert {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.alerts)
}

// mortalChannel brings the alerts of a process to the inbox while it lives.
type mortalChannel struct {
	*inbox
	life *life
}

var _ channel.Channel = mortalChannel{}

func (mortalChannel) Kind() string                    { return "webhook" }
func (mortalChannel) Destination(string) string       { return inboxName }
func (mortalChannel) Limit() time.Duration            { return time.Second }
func (mortalChannel) Delay(int) (time.Duration, bool) { return time.Minute, true }

// Render words an alert as the scorer reads it.
func (mortalChannel) Render(a message.Alert, _ string) ([]byte, error) {
	var out []score.Alert
	for i := range a.Items {
		e := &a.Items[i].Event
		told := score.Alert{ID: a.ID, Reference: e.Vacancy.Reference, Kind: e.Kind, Reason: e.Reason,
			Related: e.Related, Relation: e.Relation, Closing: e.Vacancy.Closing.String()}
		for _, c := range e.Changes {
			if c.Field == "closing" {
				told.Closing = c.After
				continue
			}
			told.Fields = append(told.Fields, c.Field)
		}
		out = append(out, told)
	}
	return json.Marshal(out)
}

// Send puts the alerts of a message into the inbox.
func (c mortalChannel) Send(_ context.Context, m channel.Message) channel.Result {
	if c.life.dead.Load() {
		return channel.Result{Outcome: channel.Unknown, Reason: channel.ReasonStopped}
	}
	var told []score.Alert
	if err := json.Unmarshal(m.Body, &told); err != nil {
		return channel.Result{Outcome: channel.Bury, Reason: channel.ReasonContent}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range told {
		a.At = m.At
		c.alerts = append(c.alerts, a)
	}
	return channel.Result{Outcome: channel.Done}
}
