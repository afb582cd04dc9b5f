// Package alerts brings the events of vacancies to the people whose saved
// searches match them. It decides what is told, to whom and when; it knows
// nothing of where vacancies come from.
//
// The way of an alert:
//
//	Dispatcher.Accept   sightings ─▶ events ─▶ matches ─▶ outbox, in one atomic step
//	Deliverer.Run       claim what is due ─▶ check again ─▶ render once ─▶ send ─▶ settle
//
// A crash anywhere repeats a step. A match is queued at most once, by the key
// of its message and by a told mark for each reader; a message is rendered
// once, and every attempt sends the stored bytes under the same ID. Only a
// crash between the far side's answer and the settling sends a message twice,
// and then with the same ID and body.
package alerts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// ErrChanged is returned by Log.Accept where the record was written by
// somebody else since it was read. Nothing was stored; decide again.
var ErrChanged = errors.New("vacancy changed meanwhile")

// ErrStateLost is returned where the state of a source is not the one in which
// the run began: it was emptied or replaced. Nothing was stored. Whoever sees
// it must not go on: to a store without memory everything is new.
var ErrStateLost = errors.New("stored state of the source was lost or replaced")

// A Log remembers vacancies, their events and the messages that follow. It is
// one of the two faces of the store; each method is atomic, and safe to
// repeat after an error.
type Log interface {
	// Records returns what is remembered of the given vacancies.
	Records(ctx context.Context, keys []vacancy.Key) (map[vacancy.Key]vacancy.Record, error)
	// Accept writes a record, its events and its messages in one step, unless
	// the record is no longer at a.Revision (ErrChanged) or the state is not
	// of a.Epoch (ErrStateLost). It gives the events their Seq. A message
	// that is already queued, told or settled is left out. Once it returns
	// nil, everything in a is kept.
	Accept(ctx context.Context, a *Acceptance) (queued int, err error)
	// Enqueue adds messages of events that were accepted as Pending; the
	// matching of those named in done has ended with it.
	Enqueue(ctx context.Context, key vacancy.Key, queue []Queued, done []string) (queued int, err error)
	// Unmatched returns events whose matching was begun before the given time
	// and not ended: the process died between two chunks. They carry the
	// vacancy as it is now, with its text.
	Unmatched(ctx context.Context, before time.Time) ([]vacancy.Event, error)
	// Told returns who has been told of a vacancy: by told mark, the ID of
	// the message.
	Told(ctx context.Context, key vacancy.Key) (map[string]string, error)
	// Kin notes vacancies under their names, and returns for each the others
	// that were noted under one of them before it: of each name at most 20, the
	// newest first. It is a step of its own, and repeating it changes nothing:
	// a vacancy keeps the place that it was noted at first.
	Kin(ctx context.Context, named []Named, at time.Time) ([][]vacancy.Key, error)
}

// Named is a vacancy and the names under which its relatives find it, see
// vacancy.KinNames.
type Named struct {
	Key   vacancy.Key
	Names []string
}

// An Acceptance is what one sighting made of one vacancy.
type Acceptance struct {
	Key      vacancy.Key
	Epoch    string // "" where the sighting belongs to no run
	Revision uint64 // of the record that was decided on; 0 where there was none
	Record   vacancy.Record
	Events   []vacancy.Event
	Queue    []Queued
	// Pending are the events of which further messages follow by Enqueue.
	Pending []string
	// Listed is when a listing showed the vacancy; zero where none did.
	Listed time.Time
	// Reread is when its page is to be read once more, if somebody is or was
	// told of it; zero where that is not asked for. PageRead says that the
	// page was read just now, which ends an older wish.
	Reread   time.Time
	PageRead bool
}

// Queued is a message to be put in the outbox, or for a digest an item to be
// kept for the next one.
type Queued struct {
	ID         string // key of the message; for a digest item unused
	Event      string // Event.ID
	Search     string // the search that leads
	Also       []string
	Subscriber string
	Dest       string // see Dest
	// Told is the mark that makes sure that a reader hears of an event once.
	Told   string
	Due    time.Time
	Digest bool // Due is then when the digest's window ends
	// AsNew tells the event as if the vacancy were new: the search did not
	// match it before.
	AsNew bool
}

// A Message is what the outbox keeps of one message.
type Message struct {
	ID         string   `json:"id"`
	Search     string   `json:"search"`
	Also       []string `json:"also,omitempty"`
	Subscriber string   `json:"subscriber,omitempty"`
	Dest       string   `json:"dest"`
	// Event is the event told of; "" for a digest.
	Event string `json:"event,omitempty"`
	// Told is the mark that the message holds, to be freed when it is dropped.
	Told string `json:"told,omitempty"`
	// AsNew has the event told as if the vacancy were new.
	AsNew bool `json:"as_new,omitempty"`
	// Window names the digest by the London day on which it was made, and its
	// part: "2026-11-24.1".
	Window string `json:"window,omitempty"`
	// Items are the events that the rendered digest tells of.
	Items   []string  `json:"items,omitempty"`
	Created time.Time `json:"created"`
	Token   uint64    `json:"token,omitempty"`
	Tries   int       `json:"tries,omitempty"`
	Claimed bool      `json:"claimed,omitempty"`
	Holder  string    `json:"holder,omitempty"` // of the claim
	// Buried, Reason and Detail tell of the last failure.
	Buried bool   `json:"buried,omitempty"`
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Channel returns the name of the channel in the message's destination.
func (m *Message) Channel() string {
	name, _, _ := strings.Cut(m.Dest, "#")
	return name
}

// A Claim is a message that this process may send until Until.
type Claim struct {
	Message Message
	Until   time.Time
	Body    []byte // nil until the message has been rendered
	// Event and Record are those of an instant alert; nil where they have
	// been forgotten.
	Event  *vacancy.Event
	Record *vacancy.Record
}

// A DigestItem is one event waiting for a digest.
type DigestItem struct {
	Event  vacancy.Event
	Record vacancy.Record
	// Held is set where an earlier attempt of the same digest has marked the
	// item as told: then it has to tell it.
	Held bool
}

// A Settlement ends a claim.
type Settlement string

// The settlements.
const (
	SettleDone    Settlement = "done"    // accepted by the far side
	SettleRetry   Settlement = "retry"   // due again later
	SettleUnknown Settlement = "unknown" // as retry: the answer was lost
	SettleRelease Settlement = "release" // due again, and the try is not counted
	SettleDrop    Settlement = "drop"    // not to be told: marks are freed, items stay
	SettleBury    Settlement = "bury"    // given up, kept for an operator
)

// Reasons of a drop: a closed list.
const (
	DropExpired = "expired" // too old to send: its item goes into the next digest
	DropEnded   = "ended"   // the search has ended
	DropClosed  = "closed"  // the vacancy has closed
	DropEmpty   = "empty"   // a digest without items
	DropGone    = "gone"    // the vacancy is remembered no more
)

// DropReasons returns every reason of a drop.
func DropReasons() []string {
	return []string{DropExpired, DropEnded, DropClosed, DropEmpty, DropGone}
}

// An Outbox keeps messages until they are settled: the other face of the store.
type Outbox interface {
	// Claim hands out up to limit messages that are due, to be settled before
	// now + lease. After that another may claim them.
	Claim(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]Claim, error)
	// Keep stores the bytes of a message, and for a digest its items. It
	// reports false where the claim is no longer held: the caller must stop.
	Keep(ctx context.Context, c *Claim, body []byte, items []string) (held bool, err error)
	// Settle ends a claim; it reports false where the claim was no longer
	// held, and changes nothing then. due is for retry and release; for a
	// drop by DropExpired it is when the next digest takes the items. A drop
	// by DropEnded hands an instant alert on to the next of Also.
	Settle(ctx context.Context, c *Claim, s Settlement, reason, detail string, now, due time.Time) (held bool, err error)
	// OpenDigests makes a message of every digest whose window has ended.
	OpenDigests(ctx context.Context, now time.Time) (opened int, err error)
	// Gather returns the items that wait for a digest. An item that another
	// message told is left out and forgotten.
	Gather(ctx context.Context, c *Claim) ([]DigestItem, error)
	// HoldItems marks items as told by this digest, and returns the events that
	// another message has told since they were gathered: all of them where the
	// claim is no longer held.
	HoldItems(ctx context.Context, c *Claim, items []DigestItem) (taken []string, err error)
	// Forget gives up items that are not to be told any more.
	Forget(ctx context.Context, c *Claim, events []string) error
	// NextDue is when the earliest message falls due; false if there is none.
	NextDue(ctx context.Context) (time.Time, bool, error)
}

// Dest names where a notify sends to: the channel, and for one that sends to
// people a digest of the address. It holds no address.
func Dest(n vacancy.Notify) string {
	if n.To == "" {
		return n.Channel
	}
	sum := sha256.Sum256([]byte("vacancywatch\x00" + strings.ToLower(n.To.Reveal())))
	return n.Channel + "#" + hex.EncodeToString(sum[:6])
}

// notifyFor returns the notify of a search that sends to dest.
func notifyFor(s *vacancy.Search, dest string) (vacancy.Notify, bool) {
	for _, n := range s.Notify {
		if Dest(n) == dest {
			return n, true
		}
	}
	return vacancy.Notify{}, false
}

// A message's ID begins with the id of its search. The rest names what is told
// and where; an instant message is search|vacancy|kind|version|dest.
func messageID(search, what, dest string) string { return search + "|" + what + "|" + dest }

// InstantID is the ID of the message that tells of one event at once.
func InstantID(search, event, dest string) string { return messageID(search, event, dest) }

// DigestID is the ID of the message of a digest's window.
func DigestID(search, window, dest string) string { return messageID(search, "digest "+window, dest) }

// ToldMark is the name of the mark that a reader has been told of an event. A
// search without a subscriber is its destination's own.
func ToldMark(subscriber, dest string, e *vacancy.Event) string {
	return fmt.Sprintf("%s|%s|%s|%d", subscriber, dest, e.Kind, e.Version)
}

// readerOf is the inverse of ToldMark, as far as it names the reader. A
// subscriber's name may hold any character.
func readerOf(mark string) (reader, bool) {
	var ok bool
	rest := mark
	for range 2 { // version and kind
		if i := strings.LastIndexByte(rest, '|'); i >= 0 {
			rest, ok = rest[:i], true
		}
	}
	i := strings.LastIndexByte(rest, '|')
	if !ok || i < 0 {
		return reader{}, false
	}
	return reader{rest[:i], rest[i+1:]}, true
}

// NextWindow is when the daily digest of an hour ends next after now: that
// hour in London.
func NextWindow(now time.Time, hour int) time.Time {
	day := vacancy.LondonDay(now)
	for {
		at := time.Date(day.Year, day.Month, day.Day, hour, 0, 0, 0, vacancy.London())
		if at.After(now) {
			return at.UTC()
		}
		day = day.Add(1)
	}
}
