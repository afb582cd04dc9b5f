package alerts

import (
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

const (
	// claimMost is how many messages of a destination are claimed at a time,
	// where it has shown that it takes them quickly.
	claimMost = 50
	// briskTurn and slowTurn are how long a turn takes after which the next one
	// claims twice, or half as many.
	briskTurn, slowTurn = 2 * time.Second, 10 * time.Second
	// refusals in a row, of different messages, are how many make a destination
	// that answers pause as one that does not.
	refusals = 5
	// shortPause and longPause bound how long a destination is not tried.
	shortPause, longPause = 5 * time.Second, 5 * time.Minute
)

// A destination is what messages are sent to one at a time and what fails
// together: a relay, an endpoint. What is kept of it here is a courtesy of this
// process, not state: the schedule of each message lies in the store, and a
// restart costs a destination that is down one attempt.
//
// It is the circuit breaker, too. Closed, it claims more with every turn that
// went well. A failure opens it: nothing is claimed until the pause is over,
// which doubles from 5 s to 5 min, and what was claimed beside is given back.
// Then it is half-open: the next turn claims a single message, whose outcome
// closes it, or opens it for longer.
type destination struct {
	name string
	busy bool
	// turn is the number of its last turn: who waits longest comes first.
	turn int
	// size is how many messages its next turn claims.
	size int
	// until is the end of its pause, step the length of that, and refused how
	// many attempts it has refused in a row.
	until   time.Time
	step    time.Duration
	refused int
	// slow is set where its last turn was, and wary where its next one may be:
	// such ones share half of the turns.
	slow, wary bool
	// pace is the least time between two messages, and free when the next one
	// may leave.
	pace time.Duration
	free time.Time
}

// of returns the destination of a channel, made at its first mention. The
// caller holds d.mu.
func (d *Deliverer) of(name string) *destination {
	ch := d.Channels[name]
	key := name // a channel that is not configured is nobody else's
	if ch != nil {
		key = "\x00" + ch.Destination("")
	}
	to := d.destinations[key]
	if to == nil {
		to = &destination{name: key, size: 1}
		d.destinations[key] = to
	}
	if rate := d.Rates[name]; rate > 0 {
		// Of two channels to one destination the slower one counts.
		to.pace = max(to.pace, time.Duration(float64(time.Second)/rate))
	}
	return to
}

// ready is when a destination may be given its next turn.
func (to *destination) ready() time.Time {
	if to.free.After(to.until) {
		return to.free
	}
	return to.until
}

// suspect reports whether a turn of the destination may take long.
func (to *destination) suspect() bool { return to.slow || to.step > 0 || to.refused > 0 }

// wants is how many messages the next turn claims: no more than the pace lets
// go before their claims grow old.
func (to *destination) wants() int {
	n := to.size
	if to.pace > 0 {
		n = min(n, max(1, int(slowTurn/to.pace)))
	}
	return n
}

// ended takes note of a turn that took so long. It failed where the store did,
// or where it left the destination paused.
func (to *destination) ended(took time.Duration, failed bool) {
	to.busy = false
	to.slow = took > briskTurn && to.pace == 0
	switch {
	case failed:
		to.size = 1 // half-open, once the pause is over
	case took > slowTurn:
		to.size = max(1, to.size/2)
	case took < briskTurn || to.pace > 0:
		to.size = min(2*to.size, claimMost)
	}
}

// pause keeps a destination from being tried for a while that doubles, or for
// as long as it asks.
func (to *destination) pause(now time.Time, asked time.Duration) {
	to.step = min(max(2*to.step, shortPause), longPause)
	to.until = now.Add(max(to.step, asked))
}

// note draws its conclusions from an attempt at a channel of the destination.
func (to *destination) note(ch channel.Channel, r channel.Result, now time.Time) {
	switch {
	case r.Outcome == channel.Done:
		to.step, to.until, to.refused = 0, time.Time{}, 0
	case r.Reason == channel.ReasonStopped:
		// It was us.
	case r.Outcome == channel.Release:
		to.pause(now, r.After)
	case r.Outcome == channel.Bury:
		// It says something of the message, and that somebody is there.
		to.step, to.until = 0, time.Time{}
	case r.Reason == channel.ReasonNetwork, r.Reason == channel.ReasonTimeout, r.Reason == channel.ReasonRateLimited,
		r.After > 0:
		to.pause(now, r.After)
	case tracked(ch):
		// A relay refuses one reader's mail and takes the next; an endpoint
		// that refuses some in a row refuses them all.
		if to.refused++; to.refused >= refusals {
			to.pause(now, 0)
		}
	}
}
