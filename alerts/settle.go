package alerts

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// conclude turns what came of an attempt into a settlement.
func (d *Deliverer) conclude(ctx context.Context, c *Claim, ch channel.Channel, to *destination, r channel.Result) (Settlement, error) {
	m, now := &c.Message, d.Now()
	settle := func(s Settlement, due time.Time) (Settlement, error) {
		return d.settle(ctx, c, ch, s, r.Reason, r.Detail, due)
	}
	d.mu.Lock()
	to.note(ch, r, now)
	paused := to.until
	d.mu.Unlock()
	switch r.Outcome {
	case channel.Done:
		d.Metrics.latency(ch.Kind(), c, now)
		return settle(SettleDone, now)
	case channel.Bury:
		return settle(SettleBury, now)
	case channel.Release:
		if r.Reason == channel.ReasonStopped {
			return settle(SettleRelease, c.Due)
		}
		// Behind the others: the next try is made with another message.
		return settle(SettleRelease, paused)
	}
	delay, ok := ch.Delay(m.Tries)
	if !ok {
		return settle(SettleBury, now)
	}
	delay = time.Duration(float64(delay) * (0.8 + 0.4*rand.Float64()))
	if r.After > 0 {
		delay = r.After
	}
	if r.Outcome == channel.Unknown {
		return settle(SettleUnknown, now.Add(delay))
	}
	return settle(SettleRetry, now.Add(delay))
}

// settle ends the claim. What the far side has answered must not be forgotten
// because the daemon stops or the store hiccups, so it is tried until the
// claim would lapse.
func (d *Deliverer) settle(ctx context.Context, c *Claim, ch channel.Channel, s Settlement, reason, detail string, due time.Time) (Settlement, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(c.Until.Sub(d.Now()), 5*time.Second))
	defer cancel()
	wait := 50 * time.Millisecond
	for {
		held, err := d.Outbox.Settle(ctx, c, s, reason, detail, d.Now(), due)
		if err == nil {
			c.Due = due
			d.settled(c, ch, s, reason, detail, due, held)
			return s, nil
		}
		select {
		case <-ctx.Done():
			return s, fmt.Errorf("settle %s as %s: %w", c.Message.ID, s, err)
		case <-time.After(wait):
			wait = min(2*wait, 5*time.Second)
		}
	}
}

func (d *Deliverer) settled(c *Claim, ch channel.Channel, s Settlement, reason, detail string, due time.Time, held bool) {
	kind := "other"
	if ch != nil {
		kind = ch.Kind()
	}
	log := d.Logger.With("message", c.Message.ID, "channel", kind, "try", c.Message.Tries, "outcome", string(s))
	switch {
	case !held:
		log.Warn("claim had lapsed before it was settled")
		return
	case s == SettleDone:
		log.Info("delivered")
	case s == SettleDrop:
		log.Info("dropped", "reason", reason)
	case s == SettleBury:
		log.Error("given up, kept for an operator", "reason", reason, "detail", detail)
	default:
		log.Warn("will be tried again", "reason", reason, "detail", detail, "next", due.UTC().Format(time.RFC3339))
	}
	if ch != nil {
		d.Metrics.settled(kind, s, reason, max(1, len(c.Message.Items)))
	}
	if c.Message.Event == "" {
		wink(d.open) // what is left of a digest gets its next part
	}
	if d.Sent != nil {
		d.Sent(&c.Message, s)
	}
}

// paused reports whether a destination is not to be tried now.
func (d *Deliverer) paused(to *destination) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return to.until.After(d.Now())
}
