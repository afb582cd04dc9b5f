// Package channel brings a rendered message to the far side: by mail to a
// relay, by webhook to an endpoint (and, in channel/chat, to a chat). It
// decides how a message looks and what an answer means; it knows nothing of
// searches, of the outbox or of when to try again.
//
// No error, log or metric made here holds a mail address, a secret, or the
// URL of an endpoint.
package channel

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/message"
)

// A Channel is one configured way to tell somebody something.
type Channel interface {
	// Kind is one of Kinds: a label value.
	Kind() string
	// Destination names, for a given address ("" where the channel has none),
	// what is sent to one at a time and fails together: a relay, an endpoint.
	Destination(to string) string
	// Render makes the bytes of a message, once. They are stored, and every
	// attempt sends the same ones.
	Render(a message.Alert, to string) ([]byte, error)
	// Send makes one attempt, in at most Limit. It never panics and never
	// retries by itself.
	Send(ctx context.Context, m Message) Result
	// Limit bounds an attempt; the lease of a claim must be longer.
	Limit() time.Duration
	// Delay is the time to wait after the n-th failed attempt, counted from
	// 1, before the next one, without jitter; false when tries are used up.
	Delay(n int) (time.Duration, bool)
}

// A Tester's far side can be sent a message that is no alert, by the way that
// every alert goes.
type Tester interface {
	Channel
	Test(ctx context.Context, at time.Time) Result
}

// A Verifier's far side can show that it expects us: an address with a typing
// error is somebody else's.
type Verifier interface {
	Channel
	// Verifies reports whether it is to be asked at all.
	Verifies() bool
	// Verify sends a challenge; Done means that it was echoed.
	Verify(ctx context.Context, challenge string, at time.Time) Result
}

// Kinds returns every kind of channel: a closed list.
func Kinds() []string {
	return []string{"email", "webhook", "slack", "teams", "discord", "telegram", "ntfy"}
}

// A Message is what is sent: stored bytes under an ID that stays the same over
// all attempts.
type Message struct {
	ID   string // stable: becomes Message-ID and webhook-id
	To   string // mail address, "" for a channel without one
	Body []byte
	Try  int // counted from 1
	// At is the time of the attempt.
	At time.Time
}

// An Outcome is what an attempt came to.
type Outcome string

// The outcomes of an attempt.
const (
	Done    Outcome = "done"    // the far side has accepted the message
	Retry   Outcome = "retry"   // refused for now
	Unknown Outcome = "unknown" // the answer was lost: it may have arrived
	Release Outcome = "release" // our own side or the relay is at fault: no try is charged
	Bury    Outcome = "bury"    // refused for good
)

// A Result says what came of an attempt.
type Result struct {
	Outcome Outcome
	// Reason is one of Reasons: a label value.
	Reason string
	// Detail is for the log of attempts: a status or a reply code and words
	// of our own, never of the far side.
	Detail string
	// After is how long the far side asks to wait; 0 if it does not.
	After time.Duration
}

// Reasons of a failed attempt: a closed list.
const (
	ReasonNetwork     = "network"      // not reached, refused, cut, TLS
	ReasonTimeout     = "timeout"      // no answer in time
	ReasonRateLimited = "rate_limited" // asked to slow down
	ReasonServer      = "server_error" // 4xx of mail, 5xx of HTTP
	ReasonRefused     = "refused"      // 3xx or 4xx of HTTP: answered, but not taken
	ReasonRejected    = "rejected"     // refused for good: no such mailbox, endpoint gone
	ReasonContent     = "content"      // refused for its content or our name: says nothing of the address
	ReasonPolicy      = "policy"       // refused because of the sender
	ReasonAuth        = "auth"         // the relay does not take our login
	ReasonBlocked     = "blocked"      // an address that we do not call
	ReasonRender      = "render"       // the message cannot be made
	ReasonStopped     = "stopped"      // we stopped the attempt ourselves
	ReasonDisabled    = "disabled"     // the endpoint is disabled: nothing was tried
)

// Reasons returns every reason.
func Reasons() []string {
	return []string{ReasonNetwork, ReasonTimeout, ReasonRateLimited, ReasonServer, ReasonRefused, ReasonRejected,
		ReasonContent, ReasonPolicy, ReasonAuth, ReasonBlocked, ReasonRender, ReasonStopped, ReasonDisabled}
}

// Token is the name of a message in the world, made of its ID: 24 characters
// of a to z and 2 to 7. It is the same for the same ID and tells nothing of
// it. The Message-ID of a mail is Token@domain, a webhook-id msg_Token.
func Token(id string) string {
	sum := sha256.Sum256([]byte(id))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:15]))
}
