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

	"github.com/vacancywatch/vacancywatch/alerts/bounce"
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
	// Closing returns the live vacancies that close from one day to another.
	Closing(ctx context.Context, from, to vacancy.Day) ([]Closing, error)
	// Delivered reports whether a message that told of a vacancy had been sent
	// before a time.
	Delivered(ctx context.Context, key vacancy.Key, message string, before time.Time) (bool, error)
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
	// Notice is what a message says that is no alert (see NoticeID); "" for
	// alerts. Search then names what it is about.
	Notice string `json:"notice,omitempty"`
	// Told is the mark that the message holds, to be freed when it is dropped.
	Told string `json:"told,omitempty"`
	// AsNew has the event told as if the vacancy were new.
	AsNew bool `json:"as_new,omitempty"`
	// Window names the digest by when it was made (see Window) and its part:
	// "2026-11-24.1", or for an hourly one "2026-11-24T08.1".
	Window string `json:"window,omitempty"`
	// Missed is when the window of a digest ended that was missed.
	Missed time.Time `json:"missed,omitzero"`
	// Doubtful is set where an attempt may have arrived: its answer was lost,
	// or its claim was. Such a message is told under no other ID.
	Doubtful bool `json:"doubtful,omitempty"`
	// Items are the events that the digest holds to tell of, and once it is
	// rendered those that it tells of; ItemsAsNew are those of them that it
	// tells as if their vacancies were new.
	Items      []string  `json:"items,omitempty"`
	ItemsAsNew []string  `json:"items_as_new,omitempty"`
	Created    time.Time `json:"created"`
	// Replayed is when an operator last let a message go that had been given
	// up; its life begins anew then.
	Replayed time.Time `json:"replayed,omitzero"`
	Token    uint64    `json:"token,omitempty"`
	Tries    int       `json:"tries,omitempty"`
	Claimed  bool      `json:"claimed,omitempty"`
	Holder   string    `json:"holder,omitempty"` // of the claim
	// Attempts are the last ones that failed, the newest last.
	Attempts []Attempt `json:"attempts,omitempty"`
	// Buried is set of what waits for an operator. Reason and Detail tell of the
	// last failure.
	Buried bool   `json:"buried,omitempty"`
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// An Attempt to send a message has failed, or its answer was lost.
type Attempt struct {
	At      time.Time  `json:"at"` // when it was settled
	Try     int        `json:"try"`
	Outcome Settlement `json:"outcome"`
	Reason  string     `json:"reason,omitempty"`
	Detail  string     `json:"detail,omitempty"`
}

// maxAttempts is how many attempts of a message are remembered: more than any
// channel makes in the life of one, but for mails.
const maxAttempts = 12

// Note adds an attempt to those of the message. It is kept with what the
// settling writes anyway: a log of its own could fail, and fail the settling of
// what has been sent. That an attempt is being made is known before it is, from
// Tries and Claimed.
func (m *Message) Note(at time.Time, outcome Settlement, reason, detail string) {
	a := Attempt{At: stored(at), Try: m.Tries, Outcome: outcome, Reason: reason, Detail: detail}
	m.Attempts = append(m.Attempts[max(0, len(m.Attempts)+1-maxAttempts):], a)
}

// Channel returns the name of the channel in the message's destination.
func (m *Message) Channel() string {
	name, _, _ := strings.Cut(m.Dest, "#")
	return name
}

// A Claim is a message that this process may send until Until.
type Claim struct {
	Message Message
	// Due is when the message was due, or its last lease ended; once it is
	// settled to be tried again, when that is.
	Due   time.Time
	At    time.Time // when it was claimed
	Until time.Time
	Body  []byte // nil until the message has been rendered
	// Event and Record are those of an instant alert; nil where they have
	// been forgotten.
	Event  *vacancy.Event
	Record *vacancy.Record
	// Next is when the window ends of the digest that follows this one. Whoever
	// gathers a digest sets it.
	Next time.Time
}

// A DigestItem is one event waiting for a digest.
type DigestItem struct {
	Event  vacancy.Event
	Record vacancy.Record
	// Held is set where an earlier attempt of the same digest has marked the
	// item as told: then it has to tell it.
	Held bool
	// AsNew tells the event as if the vacancy were new.
	AsNew bool
}

// Announces reports whether an item tells of its vacancy for the first time.
func (it *DigestItem) Announces() bool { return it.AsNew || announces(it.Event.Kind) }

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
	// DropSuppressed: the address is dead, for a while. Its items go into the
	// next digest, and from that into the next, until it is suppressed no more.
	DropSuppressed = "suppressed"
	// DropComplaint: the reader called our mail spam. His items are forgotten,
	// for there will be no next mail.
	DropComplaint = "complaint"
	// DropCapped: the reader has got his single mails of the day. DropQuiet: it
	// came to its turn in quiet hours. Both go into the next digest.
	DropCapped = "capped"
	DropQuiet  = "quiet"
	// DropPaused: the reader has paused the search. It goes into the digest at
	// the end of the pause.
	DropPaused = "paused"
)

// DropReasons returns every reason of a drop.
func DropReasons() []string {
	return []string{DropExpired, DropEnded, DropClosed, DropEmpty, DropGone, DropSuppressed, DropComplaint, DropCapped, DropQuiet, DropPaused}
}

// An Outbox keeps messages until they are settled: the other face of the store.
type Outbox interface {
	// Claim hands out up to limit messages of the channels that are due, to be
	// settled before now + lease. After that another may claim them.
	Claim(ctx context.Context, now time.Time, lease time.Duration, limit int, channels ...string) ([]Claim, error)
	// Keep stores the bytes of a message, and for a digest its items. It
	// reports false where the claim is no longer held: the caller must stop.
	Keep(ctx context.Context, c *Claim, body []byte, items []string) (held bool, err error)
	// Settle ends a claim; it reports false where the claim was no longer
	// held, and changes nothing then. due is for retry and release; for a
	// drop by a reason that is Deferred it is when the next digest takes the
	// items; one by DropComplaint or DropEnded forgets those of a digest. A drop
	// by DropEnded hands an instant alert on to the next of Also.
	Settle(ctx context.Context, c *Claim, s Settlement, reason, detail string, now, due time.Time) (held bool, err error)
	// OpenDigests makes a message of every digest whose window has ended.
	OpenDigests(ctx context.Context, now time.Time) (opened int, err error)
	// Gather returns the items whose window had ended when the digest was
	// claimed. An item that another message told is left out and forgotten; one
	// that another message may yet tell is left out and waits until c.Next.
	Gather(ctx context.Context, c *Claim) ([]DigestItem, error)
	// HoldItems marks items as told by this digest, and returns the events that
	// another message has told since they were gathered, or that the reader was
	// told of under another reference of the vacancy: all of them where the
	// claim is no longer held.
	HoldItems(ctx context.Context, c *Claim, items []DigestItem) (taken []string, err error)
	// Forget gives up items that are not to be told any more.
	Forget(ctx context.Context, c *Claim, events []string) error
	// Place gives a single mail its place among those that its reader gets in a
	// day: 1 to most, and the same one however often it is asked for; 0 where
	// none is left.
	Place(ctx context.Context, c *Claim, day vacancy.Day, most int) (int, error)
	// Due returns, for each channel with messages, when the earliest of them
	// falls due.
	Due(ctx context.Context) (map[string]time.Time, error)
}

// Suppressions knows the addresses that get no mail.
type Suppressions interface {
	// Suppressed returns why an address gets no mail now; false where it does.
	Suppressed(ctx context.Context, a vacancy.Address, now time.Time) (bounce.Suppression, bool, error)
}

// Dest names where a notify sends to: the channel, and for one that sends to
// people the reader's key, or a digest of the address. It holds no address.
func Dest(n vacancy.Notify) string {
	if n.To == "" {
		return n.Channel
	}
	if n.Key != "" {
		return n.Channel + "#" + n.Key
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
func DigestID(search, window, dest string) string {
	return messageID(search, digestPrefix+window, dest)
}

// IsDigestID reports whether what follows the search in a message's ID is that
// of a digest: a vacancy's key begins with a source, which holds no space.
func IsDigestID(rest string) bool { return strings.HasPrefix(rest, digestPrefix) }

const digestPrefix = "digest "

// ParseID takes a message's ID apart into what it says of the message; false
// where it is no such ID.
func ParseID(id string) (m Message, ok bool) {
	first, last := strings.IndexByte(id, '|'), strings.LastIndexByte(id, '|')
	if first <= 0 || last <= first+1 || last == len(id)-1 {
		return Message{}, false
	}
	m = Message{ID: id, Search: id[:first], Dest: id[last+1:]}
	what := id[first+1 : last]
	if IsDigestID(what) {
		m.Window = strings.TrimPrefix(what, digestPrefix)
		return m, m.Window != ""
	}
	if noticeOf(what, &m) {
		return m, true
	}
	m.Event = what
	return m, strings.Count(what, "|") == 2
}

// ToldMark is the name of the mark that a reader has been told of an event. A
// search without a subscriber is its destination's own.
func ToldMark(subscriber, dest string, e *vacancy.Event) string {
	return fmt.Sprintf("%s|%s|%s|%d", subscriber, dest, e.Kind, e.Version)
}

// MarkedEvent is the inverse of ToldMark, as far as it names the event: what
// follows its vacancy in its ID.
func MarkedEvent(mark string) (string, bool) {
	i := strings.LastIndexByte(mark, '|')
	if i <= 0 {
		return "", false
	}
	j := strings.LastIndexByte(mark[:i], '|')
	return mark[j+1:], j >= 0
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
