// Package channeltest is the suite that every channel must pass: what an
// answer of the far side means, that the context is heeded, that an ID stays
// the same, and that no secret, address or URL comes out of any error, result
// or print.
//
// A channel brings a Far, its far side on loopback that can be made to fail.
package channeltest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// An Answer is what the far side does with the next attempts.
type Answer string

// The answers. A far side that has no such answer says so, see Far.
const (
	Accept  Answer = "accept"
	Busy    Answer = "busy"     // not now: 4xx of mail, 5xx of HTTP
	Slow    Answer = "slow"     // too many of us: 421, 429
	Refuse  Answer = "refuse"   // 4xx of HTTP, which deploys cause
	Gone    Answer = "gone"     // never again: 550 of a mailbox, 410
	Hang    Answer = "hang"     // no answer for longer than any test
	CutDone Answer = "cut done" // taken, but the answer is lost
	Down    Answer = "down"     // not there at all
)

// A Far is the far side of a channel under test.
type Far struct {
	Channel channel.Channel
	// To is the address to send to, "" for a channel without one.
	To string
	// BadTo is an address that the channel must refuse, "" if it has none.
	BadTo string
	// Canaries must appear in nothing that is printed: passwords, addresses,
	// URLs and parts of them.
	Canaries []string
	// Set makes the far side behave. It reports false for an answer that
	// the far side does not have.
	Set func(Answer) bool
	// Accepted returns the IDs of what the far side has taken, in order.
	Accepted func() []string
}

// want is what each answer may come to.
var want = map[Answer][]channel.Outcome{
	Accept:  {channel.Done},
	Busy:    {channel.Retry},
	Slow:    {channel.Retry, channel.Release},
	Refuse:  {channel.Retry},
	Gone:    {channel.Bury},
	CutDone: {channel.Unknown},
	Down:    {channel.Retry, channel.Release},
}

// Suite runs every test, each with a far side of its own.
func Suite(t *testing.T, newFar func(t *testing.T) Far) {
	for _, a := range []Answer{Accept, Busy, Slow, Refuse, Gone, CutDone, Down} {
		t.Run(string(a), func(t *testing.T) {
			far := newFar(t)
			m := render(t, far, "id-"+string(a))
			if !far.Set(a) {
				t.Skipf("the far side cannot be %q", a)
			}
			r := far.Channel.Send(t.Context(), m)
			if !slices.Contains(want[a], r.Outcome) {
				t.Errorf("got %+v, want one of %v", r, want[a])
			}
			check(t, far, r)
			taken := len(far.Accepted())
			if wantTaken := a == Accept || a == CutDone; wantTaken != (taken == 1) {
				t.Errorf("the far side has taken %d messages", taken)
			}
			if a == Accept {
				return
			}
			// Whatever happened, the channel works again when the far side does,
			// and the far side knows the message by the same ID.
			if !far.Set(Accept) {
				t.Fatal("the far side cannot accept")
			}
			if a == Down {
				return // its port may be another's by now
			}
			m.Try++
			if r := far.Channel.Send(t.Context(), m); r.Outcome != channel.Done {
				t.Errorf("second attempt: got %+v, want done", r)
			}
			if ids := far.Accepted(); len(slices.Compact(ids)) != 1 {
				t.Errorf("two attempts of one message arrived as %v", ids)
			}
		})
	}
	t.Run("same ID twice", func(t *testing.T) {
		far := newFar(t)
		far.Set(Accept)
		m, other := render(t, far, "id-1"), render(t, far, "id-2")
		for _, m := range []channel.Message{m, m, other} {
			if r := far.Channel.Send(t.Context(), m); r.Outcome != channel.Done || r.Reason != "" {
				t.Fatalf("got %+v, want done", r)
			}
		}
		ids := far.Accepted()
		if len(ids) != 3 || ids[0] == "" || ids[0] != ids[1] || ids[1] == ids[2] {
			t.Errorf("the far side got ids %q, want one twice and another", ids)
		}
	})
	t.Run("context ends while waiting", func(t *testing.T) {
		far := newFar(t)
		if !far.Set(Hang) {
			t.Skip("the far side cannot hang")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		r := far.Channel.Send(ctx, render(t, far, "id-hang"))
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("Send took %v after its context had ended", took)
		}
		if r.Outcome != channel.Unknown && r.Outcome != channel.Release {
			t.Errorf("got %+v, want unknown or release", r)
		}
		check(t, far, r)
	})
	t.Run("context ended before", func(t *testing.T) {
		far := newFar(t)
		far.Set(Accept)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := far.Channel.Send(ctx, render(t, far, "id-ended"))
		if r.Outcome != channel.Release || len(far.Accepted()) != 0 {
			t.Errorf("got %+v and %d messages, want release and none", r, len(far.Accepted()))
		}
		check(t, far, r)
	})
	t.Run("rubbish", func(t *testing.T) {
		far := newFar(t)
		far.Set(Accept)
		for _, m := range []channel.Message{
			{}, {ID: "a\r\nb", To: far.To, Body: []byte("\x00\r\n.\r\n")}, {ID: "x", To: "a b\r\nRCPT TO:<c@d>", Body: []byte(".")},
			{ID: strings.Repeat("x", 1<<16), To: far.To, Body: bytes.Repeat([]byte("."), 1<<16)},
		} {
			check(t, far, far.Channel.Send(t.Context(), m))
		}
	})
	t.Run("contract", func(t *testing.T) { contract(t, newFar(t)) })
	t.Run("hostile text", func(t *testing.T) {
		far := newFar(t)
		far.Set(Accept)
		a := Alert("id-hostile")
		v := &a.Items[0].Event.Vacancy
		v.Title, v.Employer, a.Search.Name = Hostile, Hostile, Hostile
		v.Title += strings.Repeat(" Hostile", 1250)
		body, err := far.Channel.Render(a, far.To)
		if err != nil {
			t.Fatal(err)
		}
		m := channel.Message{ID: a.ID, To: far.To, Body: body, Try: 1, At: time.Now()}
		if r := far.Channel.Send(t.Context(), m); r.Outcome != channel.Done {
			t.Errorf("got %+v, want done", r)
		}
		head, _, _ := bytes.Cut(body, []byte("\r\n\r\n"))
		if bytes.Contains(head, []byte("\nBcc")) || bytes.ContainsAny(body, "\x00\u2028") || !utf8.Valid(body) {
			t.Errorf("hostile text came through:\n%q", body)
		}
	})
	t.Run("bad address", func(t *testing.T) {
		far := newFar(t)
		if far.BadTo == "" {
			t.Skip("the channel has no addresses")
		}
		far.Set(Accept)
		_, err := far.Channel.Render(Alert("id-bad"), far.BadTo)
		if err == nil {
			t.Fatal("a bad address was rendered")
		}
		if strings.Contains(err.Error(), far.BadTo) {
			t.Error("the error holds the address")
		}
		leaks(t, far, err.Error())
		r := far.Channel.Send(t.Context(), channel.Message{ID: "id-bad", To: far.BadTo, Body: []byte("x"), Try: 1})
		if r.Outcome != channel.Bury {
			t.Errorf("got %+v, want bury", r)
		}
		check(t, far, r)
	})
}

// contract checks what needs no far side.
func contract(t *testing.T, far Far) {
	c := far.Channel
	if c.Kind() == "" || c.Destination(far.To) == "" {
		t.Errorf("kind %q, destination %q", c.Kind(), c.Destination(far.To))
	}
	leaks(t, far, c.Kind(), c.Destination(far.To))
	if l := c.Limit(); l <= 0 || l > 2*time.Minute {
		t.Errorf("an attempt may take %v", l)
	}
	last := time.Duration(0)
	tries := 1
	for ; tries < 100; tries++ {
		d, ok := c.Delay(tries)
		if !ok {
			break
		}
		if d < last || d <= 0 {
			t.Errorf("the wait after attempt %d is %v, after %v before it", tries, d, last)
		}
		last = d
	}
	if tries < 3 || tries == 100 {
		t.Errorf("%d attempts are made, want a few", tries)
	}
	if _, ok := c.Delay(0); ok {
		t.Error("there is a wait after no attempt")
	}
	a := Alert("id-render")
	body, err := c.Render(a, far.To)
	if err != nil || len(body) == 0 {
		t.Errorf("render: %d bytes, %v", len(body), err)
	}
	// Whatever somebody may print of a channel holds no secret.
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "channel", c)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "channel", c)
	asJSON, err := json.Marshal(c)
	if err != nil {
		asJSON = nil // a channel need not be JSON
	}
	leaks(t, far, log.String(), string(asJSON))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		leaks(t, far, fmt.Sprintf(verb, c), fmt.Sprintf(verb, struct{ c channel.Channel }{c}))
	}
}

// check holds for every result.
func check(t *testing.T, far Far, r channel.Result) {
	t.Helper()
	if r.Outcome == "" || r.Outcome != channel.Done && !slices.Contains(channel.Reasons(), r.Reason) {
		t.Errorf("result %+v has no outcome or a reason that is not on the list", r)
	}
	if r.After < 0 || r.After > 24*time.Hour {
		t.Errorf("result %+v asks to wait too long", r)
	}
	leaks(t, far, fmt.Sprintf("%+v", r))
}

// leaks fails the test if a text holds a canary.
func leaks(t *testing.T, far Far, texts ...string) {
	t.Helper()
	for _, s := range texts {
		for _, c := range append(far.Canaries, far.To) {
			if c != "" && strings.Contains(s, c) {
				t.Errorf("%q holds %q", s, c)
			}
		}
	}
}

func render(t *testing.T, far Far, id string) channel.Message {
	t.Helper()
	body, err := far.Channel.Render(Alert(id), far.To)
	if err != nil {
		t.Fatal(err)
	}
	return channel.Message{ID: id, To: far.To, Body: body, Try: 1, At: time.Now()}
}

// Hostile is a text that tries every way out of a header, a page, a chat.
const Hostile = "Nurse\r\nBcc: everybody@example.org\r\n\r\n<script>alert(1)</script> <!channel> \u2028@everyone \x00\""

// Alert is an alert about one invented vacancy.
func Alert(id string) message.Alert {
	at := time.Date(2026, 6, 24, 8, 22, 0, 0, time.UTC)
	return message.Alert{
		ID:     id,
		Search: vacancy.Search{ID: "7", Name: "Secretary near E1", Bands: []string{"4"}},
		Items: []message.Item{{
			Event: vacancy.Event{Kind: vacancy.New, Version: 1, At: at, Vacancy: vacancy.Vacancy{
				Schema: 1, Source: "nhs-jobs", Reference: "C9000-26-0123", URL: "https://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0123",
				Title: "Medical Secretary", Employer: "Marlowe Vale NHS Foundation Trust", Band: "4", BandFrom: vacancy.FromPrinted,
				Closing: vacancy.Day{Year: 2026, Month: 7, Day: 8},
			}},
			Outcomes: []vacancy.Outcome{{Criterion: "band", Pass: true, Stated: true, Reason: "Band 4"}},
		}},
		At:      at,
		StopURL: "https://watch.example.org/u/c3RvcA",
	}
}
