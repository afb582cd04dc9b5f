package alerts

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// askAfter are the waits between the challenges that are sent to an endpoint,
// all within the hour that it has to answer.
var askAfter = [...]time.Duration{time.Minute, 4 * time.Minute, 10 * time.Minute, 15 * time.Minute, 25 * time.Minute}

// successEvery is how exactly it is kept when an endpoint took a message last.
const successEvery = time.Minute

// tracked reports whether the health of a channel's endpoint is kept: that of
// a relay is our own operator's to see to, and it is never given up.
func tracked(ch channel.Channel) bool { return ch != nil && ch.Kind() != "email" }

// NewChallenge is what an endpoint is to echo: 32 random bytes, as text.
func NewChallenge() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // It never fails.
	return base64.RawURLEncoding.EncodeToString(b)
}

// verifier returns the channel's way to ask its endpoint for an echo; nil where
// it has none, or its configuration does without.
func verifier(ch channel.Channel) channel.Verifier {
	v, ok := ch.(channel.Verifier)
	if !ok || !v.Verifies() {
		return nil
	}
	return v
}

// Enable asks the endpoint of a channel to take a message that is no alert, and
// puts it on where it does: to echo a challenge, or where it need not, to take
// a test. Nothing changes where it does not.
func Enable(ctx context.Context, e Endpoints, name string, ch channel.Channel, now time.Time) (channel.Result, error) {
	r := channel.Result{Outcome: channel.Done}
	if v := verifier(ch); v != nil {
		r = v.Verify(ctx, NewChallenge(), now)
	} else if t, ok := ch.(channel.Tester); ok {
		r = t.Test(ctx, now)
	}
	if r.Outcome != channel.Done {
		return r, nil
	}
	_, err := e.ChangeEndpoint(ctx, name, func(h Health) Health { return h.verified(ch.Destination(""), now) })
	if err != nil {
		return r, fmt.Errorf("note that the endpoint has answered: %w", err)
	}
	return r, nil
}

// watchEndpoints keeps an eye on the endpoints until ctx ends. Each is asked
// beside the others, so that one that drips keeps back none.
func (d *Deliverer) watchEndpoints(ctx context.Context) {
	for ctx.Err() == nil {
		if err := d.seeEndpoints(ctx); err != nil && ctx.Err() == nil {
			d.Logger.Warn("how the endpoints do could not be read, will be tried again", "err", err)
		}
		d.verifyPending(ctx)
		d.measure()
		rest(ctx, nil, lookEvery)
	}
}

// seeEndpoints reads how the endpoints do, and takes note of new and changed
// ones.
func (d *Deliverer) seeEndpoints(ctx context.Context) error {
	if d.Endpoints == nil {
		return nil
	}
	all, err := d.Endpoints.Endpoints(ctx)
	if err != nil {
		return fmt.Errorf("read how the endpoints do: %w", err)
	}
	now := d.Now()
	for name, ch := range d.Channels {
		if !tracked(ch) {
			continue
		}
		challenge := NewChallenge()
		change := func(h Health) Health {
			return h.begin(ch.Destination(""), verifier(ch) != nil, challenge, now).expired(now)
		}
		h, before := all[name], all[name]
		if change(h) != h {
			if h, err = d.Endpoints.ChangeEndpoint(ctx, name, change); err != nil {
				return fmt.Errorf("note how the endpoint of channel %s does: %w", name, err)
			}
		}
		d.remember(name, h)
		d.tell(name, ch, before, h)
	}
	return nil
}

// remember keeps what is known of an endpoint, and looks at the outbox where
// that lets something go.
func (d *Deliverer) remember(name string, h Health) {
	d.mu.Lock()
	was := d.health[name]
	d.health[name] = h
	d.mu.Unlock()
	if was.State != h.State {
		wink(d.wake)
	}
}

// waits reports whether nothing may be sent to a channel yet: its endpoint has
// not answered its challenge, or it is not known whether it has. The caller
// holds d.mu.
func (d *Deliverer) waits(name string) bool {
	if d.Endpoints == nil || !tracked(d.Channels[name]) {
		return false
	}
	s := d.health[name].State
	return s != EndpointOn && s != EndpointDisabled
}

func (d *Deliverer) disabled(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.health[name].State == EndpointDisabled
}

// verifyPending asks the endpoints that have not answered their challenge, when
// it is time to, and waits for them.
func (d *Deliverer) verifyPending(ctx context.Context) {
	now := d.Now()
	var all sync.WaitGroup
	d.mu.Lock()
	for name, h := range d.health {
		v := verifier(d.Channels[name])
		if h.State != EndpointPending || v == nil || d.askAt[h.Challenge].After(now) {
			continue
		}
		n := d.asked[h.Challenge]
		d.asked[h.Challenge] = n + 1
		d.askAt[h.Challenge] = now.Add(askAfter[min(n, len(askAfter)-1)])
		all.Go(func() { d.ask(ctx, name, v, h) })
	}
	d.mu.Unlock()
	all.Wait()
}

// ask sends a challenge, and notes that it was echoed.
func (d *Deliverer) ask(ctx context.Context, name string, v channel.Verifier, h Health) {
	now := d.Now()
	r := v.Verify(ctx, h.Challenge, now)
	log := d.Logger.With("channel", name, "kind", v.Kind())
	if r.Outcome != channel.Done {
		if ctx.Err() == nil {
			log.Warn("the endpoint has not echoed its challenge: what is for it waits", "reason", r.Reason, "detail", r.Detail,
				"until", h.Since.Add(verifyWithin).UTC().Format(time.RFC3339))
		}
		return
	}
	after, err := d.Endpoints.ChangeEndpoint(ctx, name, func(now Health) Health {
		if now.State != EndpointPending || now.Challenge != h.Challenge {
			return now
		}
		return now.verified(now.Destination, d.Now())
	})
	if err != nil {
		log.Warn("that the endpoint has echoed its challenge could not be stored, it is asked again", "err", err)
		return
	}
	log.Info("the endpoint has echoed its challenge")
	d.remember(name, after)
}

// noteEndpoint takes note of an attempt. Where that fails, the next attempt
// tells as much, so nothing else may fail for it.
func (d *Deliverer) noteEndpoint(ctx context.Context, name string, ch channel.Channel, r channel.Result) {
	if d.Endpoints == nil || !tracked(ch) {
		return
	}
	now := d.Now()
	d.mu.Lock()
	known := d.health[name]
	d.mu.Unlock()
	var change func(Health) Health
	switch {
	case r.Outcome == channel.Done && known.Failures == 0 && now.Sub(known.Success) < successEvery:
		return
	case r.Outcome == channel.Done:
		change = func(h Health) Health { return h.succeeded(now) }
	case r.Outcome == channel.Bury && r.Reason == channel.ReasonRejected:
		change = func(h Health) Health { return h.disabled(DisabledGone, now) }
	case r.Outcome == channel.Retry, r.Outcome == channel.Unknown:
		change = func(h Health) Health { return h.failed(now) }
	default:
		return // it says nothing of the endpoint
	}
	// The attempt was made, whether or not the daemon is to stop.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	var before Health
	after, err := d.Endpoints.ChangeEndpoint(ctx, name, func(h Health) Health {
		before = h
		if h.Destination != ch.Destination("") {
			return h // another process has another configuration
		}
		return change(h)
	})
	if err != nil {
		d.Logger.Warn("how the endpoint does could not be stored", "channel", name, "err", err)
		return
	}
	d.remember(name, after)
	d.tell(name, ch, before, after)
}

// tell says in the log what an operator must know of an endpoint.
func (d *Deliverer) tell(name string, ch channel.Channel, before, after Health) {
	log := d.Logger.With("channel", name, "kind", ch.Kind())
	switch {
	case after.State == EndpointDisabled && before.State != EndpointDisabled:
		log.Error("the endpoint is disabled: what is for it is kept, to be replayed once `vacancywatch webhook verify "+name+"` has put it on again",
			"reason", after.Reason, "failures", after.Failures)
	case after.State == EndpointPending && before.State != EndpointPending:
		log.Info("the endpoint is new or has another address: it is asked to echo a challenge before it is told anything")
	case after.Warned > before.Warned:
		log.Warn("the endpoint takes nothing, and is disabled if it goes on so", "failing_since", after.Failing.Format(time.RFC3339),
			"failures", after.Failures, "percent", after.Warned, "disabled_at", after.DisabledAt().Format(time.RFC3339))
	}
}

// measure sets the gauges of the endpoints.
func (d *Deliverer) measure() {
	now := d.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	names := make([]string, 0, len(d.Channels))
	for name := range d.Channels {
		names = append(names, name)
	}
	slices.Sort(names)
	g := newGauges()
	counted := map[*destination]bool{}
	for _, name := range names {
		ch := d.Channels[name]
		if tracked(ch) && d.Endpoints != nil {
			h := d.health[name]
			g.endpoints[[2]string{ch.Kind(), string(h.State)}]++
			g.failing[ch.Kind()] = max(g.failing[ch.Kind()], h.share(now))
		}
		if to := d.of(name); !counted[to] && to.until.After(now) {
			counted[to] = true
			g.paused[ch.Kind()]++
		}
	}
	d.Metrics.measured(g)
}
