package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

const (
	// lookEvery is how often the outbox is looked at without being asked to:
	// another process, or a digest's hour, may make something due meanwhile.
	lookEvery = 5 * time.Second
	// againAfter is how long a destination rests after the store failed it.
	againAfter = time.Second
	// parallel is how many destinations are sent to at a time. Half of them at
	// most may be slow or failing ones: those wait for each other, and nobody
	// waits for them.
	parallel = 128
)

// Run delivers until ctx ends. An attempt that is under way then is finished,
// and what was claimed beside is given back.
func (d *Deliverer) Run(ctx context.Context) error {
	d.init()
	var beside sync.WaitGroup
	beside.Go(func() { d.openDigests(ctx) })
	beside.Go(func() { d.watchEndpoints(ctx) })
	_, _ = d.turns(ctx, false)
	beside.Wait()
	return nil
}

// Pass sends what is due, once, and waits for its end. It returns how many
// messages it ended; one that stays due does not count. What a destination
// that is paused is to get stays for another pass.
func (d *Deliverer) Pass(ctx context.Context) (ended int, err error) {
	d.init()
	_, opening := d.Outbox.OpenDigests(ctx, d.Now())
	if opening != nil {
		// Whatever is wrong with a digest, it keeps back no other message.
		opening = fmt.Errorf("open digests: %w", opening)
	}
	seeing := d.seeEndpoints(ctx)
	d.verifyPending(ctx)
	ended, err = d.turns(ctx, true)
	return ended, errors.Join(opening, seeing, err)
}

// openDigests makes messages of digests when their hour has come. It is a loop
// of its own, for there may be very many of them at eight.
func (d *Deliverer) openDigests(ctx context.Context) {
	for ctx.Err() == nil {
		opened, err := d.Outbox.OpenDigests(ctx, d.Now())
		if err != nil && ctx.Err() == nil {
			d.Logger.Warn("not every digest could be opened, will be tried again", "err", err)
		}
		if opened > 0 {
			d.Wake()
		}
		rest(ctx, d.open, lookEvery)
	}
}

// rest waits for the end of ctx, of a while, or for a wink.
func rest(ctx context.Context, wink <-chan struct{}, while time.Duration) {
	t := time.NewTimer(while)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-wink:
	case <-t.C:
	}
}

// A turn is what one destination was given at a time: a small claim, sent one
// message after another. After it the others come first.
type turn struct {
	to       *destination
	channels []string
	look     int // of the round, from which it was given
	took     time.Duration
	ended    int
	more     bool      // it claimed all that it wanted, so there may be more
	next     time.Time // when the earliest of what it has put off is due; zero if nothing is
	err      error
}

// A round is the view of the outbox from which turns are given.
type round struct {
	due    map[string]time.Time       // by channel: when its earliest message is due
	looked time.Time                  // when that was read
	looks  int                        // how often it was
	rests  map[*destination]time.Time // until when the store has failed a destination
}

// turns gives every destination with something due its turn, round robin, many
// at a time. It returns when ctx has ended and every turn has; with once, also
// when nothing is due to a destination that is not paused.
func (d *Deliverer) turns(ctx context.Context, once bool) (ended int, err error) {
	results := make(chan turn)
	r := round{rests: map[*destination]time.Time{}}
	running, stop := 0, ctx.Done()
	var errs []error
	failed := func(what string, err error) {
		if once {
			errs = append(errs, err)
		} else if ctx.Err() == nil {
			d.Logger.Warn(what, "err", err)
		}
	}
	for look := true; ; {
		if look && ctx.Err() == nil {
			if err := r.look(ctx, d); err != nil {
				failed("the outbox could not be looked at, will be tried again", err)
			}
			look = false
		}
		for ctx.Err() == nil && running < parallel {
			to, channels := d.pick(&r)
			if to == nil {
				break
			}
			running++
			t := turn{to: to, channels: channels, look: r.looks}
			go func() {
				d.take(ctx, &t)
				results <- t
			}()
		}
		if running == 0 && (once || ctx.Err() != nil) {
			return ended, errors.Join(errs...)
		}
		idle := time.Hour
		if ctx.Err() == nil {
			idle = d.wait(&r, running < parallel)
		}
		timer := time.NewTimer(idle)
		select {
		case t := <-results:
			running--
			ended += t.ended
			if t.err != nil {
				failed("delivery failed, will be tried again", t.err)
			}
			d.after(&r, t, once)
		case <-d.wake:
			look = true
		case <-timer.C:
			look = d.Now().Sub(r.looked) >= lookEvery
		case <-stop:
			stop = nil // what is under way is waited for
		}
		timer.Stop()
	}
}

// look reads what is due.
func (r *round) look(ctx context.Context, d *Deliverer) error {
	r.looked = d.Now()
	r.looks++
	due, err := d.Outbox.Due(ctx)
	if err != nil {
		return fmt.Errorf("look at the outbox: %w", err)
	}
	r.due = due
	return nil
}

// pick chooses who has its turn next, and marks it as busy: of those with
// something due the one that waits longest. nil where there is none.
func (d *Deliverer) pick(r *round) (*destination, []string) {
	now := d.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	wary := 0
	for _, to := range d.destinations {
		if to.busy && to.wary {
			wary++
		}
	}
	var best *destination
	var channels []string
	for ch, due := range r.due {
		to := d.of(ch)
		if to.busy || due.After(now) || to.ready().After(now) || r.rests[to].After(now) || d.waits(ch) {
			continue
		}
		// The store knows of an endpoint that failed before a restart.
		to.wary = to.suspect() || d.health[ch].Failures > 0
		if to.wary && wary >= parallel/2 {
			continue
		}
		if best == to {
			channels = append(channels, ch)
		} else if best == nil || to.turn < best.turn || to.turn == best.turn && to.name < best.name {
			best, channels = to, []string{ch}
		}
	}
	if best != nil {
		best.busy = true
		d.given++
		best.turn = d.given
		slices.Sort(channels)
	}
	return best, channels
}

// wait is how long nothing can be done but wait for the end of a turn.
func (d *Deliverer) wait(r *round, free bool) time.Duration {
	now := d.Now()
	next := r.looked.Add(lookEvery)
	if free {
		d.mu.Lock()
		for ch, due := range r.due {
			to := d.of(ch)
			if to.busy || d.waits(ch) {
				continue
			}
			for _, t := range []time.Time{to.ready(), r.rests[to]} {
				if t.After(due) {
					due = t
				}
			}
			if due.After(now) && due.Before(next) {
				next = due
			}
		}
		d.mu.Unlock()
	}
	return max(next.Sub(now), time.Millisecond)
}

// take is a turn: a few messages of a destination are claimed and sent.
func (d *Deliverer) take(ctx context.Context, t *turn) {
	d.mu.Lock()
	want := t.to.wants()
	d.mu.Unlock()
	begun := d.Now()
	claims, err := d.Outbox.Claim(ctx, begun, d.lease(), want, t.channels...)
	if err != nil {
		t.err = fmt.Errorf("claim messages: %w", err)
	}
	t.more = len(claims) == want
	for i := range claims {
		c := &claims[i]
		d.keepPace(ctx, t.to)
		s, err := d.deliver(ctx, c, t.to)
		if err != nil {
			// What is claimed beside lapses, should the store go on failing.
			t.err = err
			break
		}
		switch s {
		case SettleRetry, SettleUnknown, SettleRelease:
			if t.next.IsZero() || c.Due.Before(t.next) {
				t.next = c.Due
			}
		}
		if s != SettleRelease {
			t.ended++
		}
		claims[i] = Claim{} // its bytes are needed no more
	}
	t.took = d.Now().Sub(begun)
}

// keepPace waits until the next message may leave.
func (d *Deliverer) keepPace(ctx context.Context, to *destination) {
	now := d.Now()
	d.mu.Lock()
	pace, free := to.pace, to.free
	if pace > 0 {
		to.free = now.Add(pace)
		if free.After(now) {
			to.free = free.Add(pace)
		}
	}
	d.mu.Unlock()
	if pace > 0 && free.After(now) {
		rest(ctx, nil, free.Sub(now))
	}
}

// after draws the conclusions of a turn.
func (d *Deliverer) after(r *round, t turn, once bool) {
	now := d.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	t.to.ended(t.took, t.err != nil || t.to.until.After(now))
	if t.err != nil {
		r.rests[t.to] = now.Add(againAfter)
		if once {
			r.rests[t.to] = now.Add(24 * time.Hour) // the caller goes on
		}
		return
	}
	if t.more || t.look != r.looks {
		return // presumed due still: a claim of nothing tells
	}
	for _, ch := range t.channels {
		if t.next.IsZero() {
			delete(r.due, ch)
		} else {
			r.due[ch] = t.next
		}
	}
	// Behind what was due may wait what an earlier turn has put off.
	if soon := now.Add(againAfter - lookEvery); soon.Before(r.looked) {
		r.looked = soon
	}
}

// lease is longer than twice the longest attempt of any channel.
func (d *Deliverer) lease() time.Duration {
	longest := channel.PostLimit
	for _, c := range d.Channels {
		longest = max(longest, c.Limit())
	}
	return 2*longest + 30*time.Second
}
