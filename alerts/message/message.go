// Package message makes the words of an alert: the mail as HTML and as text,
// the body of a webhook. It is pure: the same Alert gives the same words. It
// never holds advert text or a contact, only facts, reasons and links.
package message

import (
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// MaxItems is how many vacancies one message lists; the rest is a number.
const MaxItems = 50

// An Alert is one message to one destination, before it is put into words.
type Alert struct {
	// ID is the message's own name, the same over all attempts. It holds no
	// address.
	ID string
	// Search is the search that leads: the message belongs to it.
	Search vacancy.Search
	// Also are other searches of the same subscriber that the vacancy meets.
	Also []vacancy.Search
	// Digest is set for a message that gathers the matches of a window.
	Digest bool
	Items  []Item // at most MaxItems, soonest closing date first
	More   int    // how many were left out
	// At is when the message was made.
	At time.Time
	// Missed is set for a digest that comes late, for nothing was running when
	// it was due: from then to when it was made.
	Missed Span
	// LastOf is set for the last of so many single mails that the reader gets
	// in a day. What is over comes at NextMail.
	LastOf   int
	NextMail time.Time
	// StopURL is the page that ends the search, "" where no page is served.
	// It is https for a public service.
	StopURL string
	// ManageURL is the page on which the reader changes and pauses his searches,
	// "" where he has none.
	ManageURL string
	// PageURL is the public page of this service, "" where there is none.
	PageURL string
}

// A Span is a time between two; none where From is zero.
type Span struct{ From, To time.Time }

// An Item is one vacancy in a message.
type Item struct {
	Event    vacancy.Event
	Outcomes []vacancy.Outcome
	// RelatedWhy says what the vacancy has in common with Event.Related.
	RelatedWhy string
	// Others are further adverts of the same post that are told with it.
	Others []Other
}

// An Other is a further advert of a post, and how it is tied to the one that
// is told: LinkTwin or LinkSibling.
type Other struct {
	Relation string
	Vacancy  vacancy.Vacancy
}

// Why is the reason of the match in one line.
func (i Item) Why() string { return vacancy.Why(i.Outcomes) }
