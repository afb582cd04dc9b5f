package alerts

import (
	"context"
	"time"
)

// An EndpointState says whether an endpoint is sent to.
type EndpointState string

// The states of an endpoint.
const (
	EndpointOn EndpointState = "on"
	// EndpointPending: it has not answered the challenge yet. What is for it
	// waits.
	EndpointPending EndpointState = "pending"
	// EndpointDisabled: it is not sent to until a person has looked at it. What
	// is for it is kept, as a message that was given up is.
	EndpointDisabled EndpointState = "disabled"
)

// EndpointStates returns every state.
func EndpointStates() []EndpointState {
	return []EndpointState{EndpointOn, EndpointPending, EndpointDisabled}
}

// Why an endpoint is disabled: a closed list.
const (
	DisabledGone       = "gone"       // it said so itself
	DisabledFailing    = "failing"    // it has taken nothing for long
	DisabledUnverified = "unverified" // it did not answer the challenge in time
)

const (
	// disableAfter is for how long an endpoint may take nothing, and
	// disableTries after how many attempts at least, before it is disabled.
	disableAfter = 5 * 24 * time.Hour
	disableTries = 10
	// verifyWithin is how long an endpoint has to answer its challenge.
	verifyWithin = time.Hour
)

// warnAt are the parts of disableAfter, in percent, at which it is said that an
// endpoint will be disabled.
var warnAt = [...]int{50, 70, 90}

// Health is how the endpoint of a channel does. It is kept in the store, so
// that a restart forgets nothing. The zero value is an endpoint that nobody has
// seen.
type Health struct {
	// Destination names the endpoint by a digest of its address; a channel
	// that is given another one begins anew.
	Destination string        `json:"destination"`
	State       EndpointState `json:"state"`
	Since       time.Time     `json:"since"` // of the state
	// Reason says why it is disabled.
	Reason string `json:"reason,omitempty"`
	// Challenge is what a pending endpoint is to answer.
	Challenge string `json:"challenge,omitempty"`
	// Verified is when it did; zero where it was not asked to.
	Verified time.Time `json:"verified,omitzero"`
	// Success is when it took a message last, to about a minute.
	Success time.Time `json:"success,omitzero"`
	// Failing is when the first attempt failed after that, and Failures how
	// many have; zero where the last one succeeded.
	Failing  time.Time `json:"failing,omitzero"`
	Failures int       `json:"failures,omitempty"`
	// Warned is the last of the warnings that were given, in percent.
	Warned int `json:"warned,omitempty"`
}

// Endpoints keep the health of the endpoints, by the name of their channel.
type Endpoints interface {
	// Endpoints returns what is known of each.
	Endpoints(ctx context.Context) (map[string]Health, error)
	// ChangeEndpoint applies change to one of them, in an atomic step, and
	// returns what it is then. change may be called several times.
	ChangeEndpoint(ctx context.Context, channel string, change func(Health) Health) (Health, error)
}

func (h Health) to(s EndpointState, now time.Time) Health {
	h.State, h.Since, h.Reason, h.Challenge = s, stored(now), "", ""
	return h
}

// stored is a time as it is read back.
func stored(t time.Time) time.Time { return t.UTC().Round(0) }

// begin is what a program's start makes of an endpoint. One that is new or has
// another address is asked to answer a challenge first, where that is wished
// for; one that was to answer and need no longer is on.
func (h Health) begin(destination string, verify bool, challenge string, now time.Time) Health {
	if h.Destination != destination {
		h = Health{Destination: destination}.to(EndpointOn, now)
		if verify {
			h = h.to(EndpointPending, now)
			h.Challenge = challenge
		}
		return h
	}
	if !verify && (h.State == EndpointPending || h.Reason == DisabledUnverified) {
		return h.to(EndpointOn, now)
	}
	return h
}

// verified is an endpoint that has answered: whatever was wrong is forgotten.
func (h Health) verified(destination string, now time.Time) Health {
	after := Health{Destination: destination, Success: h.Success, Verified: stored(now)}
	return after.to(EndpointOn, now)
}

// expired disables a pending endpoint whose time to answer is over.
func (h Health) expired(now time.Time) Health {
	if h.State != EndpointPending || now.Before(h.Since.Add(verifyWithin)) {
		return h
	}
	return h.disabled(DisabledUnverified, now)
}

func (h Health) disabled(reason string, now time.Time) Health {
	if h.State == EndpointDisabled {
		return h
	}
	h = h.to(EndpointDisabled, now)
	h.Reason = reason
	return h
}

// succeeded is an endpoint that has taken a message.
func (h Health) succeeded(now time.Time) Health {
	h.Success, h.Failing, h.Failures, h.Warned = stored(now), time.Time{}, 0, 0
	return h
}

// failed is an endpoint that has not taken a message.
func (h Health) failed(now time.Time) Health {
	if h.Failing.IsZero() {
		h.Failing = stored(now)
	}
	h.Failures++
	for _, percent := range warnAt {
		if h.share(now)*100 >= float64(percent) {
			h.Warned = max(h.Warned, percent)
		}
	}
	if h.share(now) >= 1 && h.Failures >= disableTries {
		return h.disabled(DisabledFailing, now)
	}
	return h
}

// share is which part of the time is over after which the endpoint is disabled.
func (h Health) share(now time.Time) float64 {
	if h.State != EndpointOn || h.Failing.IsZero() {
		return 0
	}
	return max(0, float64(now.Sub(h.Failing))/float64(disableAfter))
}

// DisabledAt is when an endpoint that goes on failing is disabled; zero where
// it is not failing.
func (h Health) DisabledAt() time.Time {
	if h.Failing.IsZero() {
		return time.Time{}
	}
	return h.Failing.Add(disableAfter)
}
