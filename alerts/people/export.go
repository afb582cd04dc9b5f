package people

import (
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// An Export is all that is kept of a person, as that person gets it.
type Export struct {
	Subscriber
	// Suppressed says why the address gets no mail, since when and until when.
	Suppressed *Suppressed `json:"suppressed,omitempty"`
	// Past are searches that have ended, Waiting such as wait for a confirmation.
	Past    []PastSearch     `json:"past_searches,omitempty"`
	Waiting []vacancy.Search `json:"waiting_for_confirmation,omitempty"`
	// Messages are those on their way, or kept for an operator.
	Messages []OwnMessage `json:"messages,omitempty"`
}

// Suppressed is why an address gets no mail.
type Suppressed struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until,omitzero"`
}

// A PastSearch has ended.
type PastSearch struct {
	Search  vacancy.Search `json:"search"`
	Reason  string         `json:"reason"`
	EndedAt time.Time      `json:"ended_at"`
}

// An OwnMessage is a message to a person.
type OwnMessage struct {
	Created time.Time `json:"created"`
	Search  string    `json:"search"`
	What    string    `json:"what"` // an event, a digest's window, a notice
}
