package alerts

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A notice is a message of the outbox that tells of no vacancy, such as the one
// that asks a person to confirm an address. It is claimed, rendered once, sent
// and settled as every other, and so survives a crash as they do.

// Notices says what notices hold and to whom they go. It is asked anew before
// each attempt.
type Notices interface {
	// Notice words a notice. A drop that is not "" is the reason for which it is
	// not to be sent any more.
	Notice(ctx context.Context, m *Message, now time.Time) (n message.Notice, to vacancy.Address, drop string, err error)
}

const noticePrefix = "notice "

// NoticeID is the ID of a notice: what it is about, what it says, and a word
// that tells two of them apart.
func NoticeID(about, notice, word, dest string) string {
	return messageID(about, noticePrefix+notice+" "+word, dest)
}

// noticeOf reads what follows the search in the ID of a notice.
func noticeOf(what string, m *Message) bool {
	rest, ok := strings.CutPrefix(what, noticePrefix)
	notice, word, two := strings.Cut(rest, " ")
	if !ok || !two || notice == "" || word == "" {
		return false
	}
	m.Notice = notice
	return true
}

// deliverNotice is the way of a notice: the same as that of an alert, but for
// what is looked at before.
func (d *Deliverer) deliverNotice(ctx context.Context, c *Claim, ch channel.Channel, to *destination) (Settlement, error) {
	m, now := &c.Message, d.Now()
	wait := func(why string, due time.Time) (Settlement, error) {
		return d.settle(ctx, c, ch, SettleRelease, "", why, due)
	}
	if d.Notices == nil {
		return wait("nobody words notices", now.Add(10*time.Minute))
	}
	n, address, drop, err := d.Notices.Notice(ctx, m, now)
	if err != nil {
		return wait("recheck failed", now.Add(30*time.Second))
	}
	if drop == "" && d.Suppressions != nil {
		_, suppressed, err := d.Suppressions.Suppressed(ctx, address, now)
		if err != nil {
			return wait("recheck failed", now.Add(30*time.Second))
		}
		if suppressed {
			drop = DropEnded // a notice waits for nothing
		}
	}
	switch {
	case drop != "":
		return d.settle(ctx, c, ch, SettleDrop, drop, "", now)
	case ch == nil:
		return wait("channel is not configured", now.Add(10*time.Minute))
	case d.paused(to):
		return wait("destination is paused", c.Due)
	}
	if c.Body == nil {
		mailer, ok := ch.(channel.Noticer)
		if !ok {
			return d.settle(ctx, c, ch, SettleBury, channel.ReasonRender, "the channel takes no notices", now)
		}
		n.ID, n.At = m.ID, now
		body, err := mailer.RenderNotice(n, address.Reveal())
		if err != nil {
			d.Logger.Error("notice cannot be made, it is kept for an operator", "message", m.ID, "err", err)
			return d.settle(ctx, c, ch, SettleBury, channel.ReasonRender, "", now)
		}
		held, err := d.Outbox.Keep(ctx, c, body, nil)
		if err != nil {
			d.Logger.Warn("message could not be stored, will be tried again", "message", m.ID, "err", err)
			return wait("not stored", now.Add(5*time.Second))
		}
		if !held {
			return SettleRelease, nil // the claim is another's by now
		}
		c.Body = body
	}
	result := ch.Send(ctx, channel.Message{ID: m.ID, To: address.Reveal(), Body: c.Body, Try: m.Tries, At: d.Now()})
	s, err := d.conclude(ctx, c, ch, to, result)
	if err != nil {
		return s, fmt.Errorf("deliver a notice: %w", err)
	}
	return s, nil
}
