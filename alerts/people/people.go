// Package people is what is known of those who subscribe themselves: the nouns
// and their limits, and the mails that are no alerts. It stores and sends
// nothing; package store keeps it, package web shows it.
//
// The life of a subscriber:
//
//	sign-up   a wish is kept, and a mail asks for confirmation: nothing that the
//	          stranger typed stands in it
//	confirm   the wish becomes a search; from then on it is matched
//	manage    change, pause, stop, export, erase, by a link in each mail
//	end       the last search ended: what is kept is forgotten 28 days later
//
// The answer to a sign-up is the same for every address, whoever it belongs to.
package people

import (
	"encoding/json"
	"errors"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Limits of what one person may have and ask for.
const (
	// MaxSearches is how many searches a person may have in force.
	MaxSearches = 20
	// MailsPerDay is how many mails that are no alerts an address gets in 24
	// hours, whoever asks for them.
	MailsPerDay = 3
	// PerNetwork is how many sign-ups an hour one network may make, and InAll how
	// many everybody together.
	PerNetwork, InAll = 5, 200
	// MaxPause is for how long a search can be paused.
	MaxPause = 183 * 24 * time.Hour
)

// How long is kept what is kept of a person.
const (
	// KeepWish is for how long a sign-up can be confirmed.
	KeepWish = 7 * 24 * time.Hour
	// KeepEnded is for how long a person is remembered after the last search
	// has ended, and an ended search itself.
	KeepEnded = 28 * 24 * time.Hour
	// AskAfter is how long after the last sign of life a person is asked whether
	// the searches are still wanted, and EndAfter how long after that they end.
	AskAfter = 365 * 24 * time.Hour
	EndAfter = 30 * 24 * time.Hour
	// KeepLimit is how long at most a limit remembers whom it counts, by a keyed
	// hash.
	KeepLimit = 24 * time.Hour
)

// Wording is the version of the words to which a person consents on the page
// that confirms. A change of their meaning changes it.
const Wording = "2026-11-25"

// What may go wrong with what a person asks for.
var (
	// ErrGone: there is no such wish, search or person any more.
	ErrGone = errors.New("it is not there any more")
	// ErrFull: the person has as many searches as may be.
	ErrFull = errors.New("there are as many searches as one person may have")
	// ErrSame: the person has an equal search.
	ErrSame = errors.New("there is an equal search already")
	// ErrSuppressed: the address gets no mail.
	ErrSuppressed = errors.New("the address gets no mail")
	// ErrLimited: too much was asked for in too short a time.
	ErrLimited = errors.New("asked for too often")
)

// A State is where a subscriber stands.
type State string

// The states.
const (
	Pending State = "pending" // has signed up and not confirmed
	Active  State = "active"
	Ended   State = "ended" // has no search in force
)

// States returns every state.
func States() []State { return []State{Pending, Active, Ended} }

// Reasons why a search has ended: a closed list.
const (
	ByReader = "unsubscribed"
	ByExpiry = "expired" // nobody said that they are still wanted
)

// A SignUp is what somebody, perhaps a stranger, asks for in the name of an
// address.
type SignUp struct {
	Address vacancy.Address
	// Search has the criteria; its ID and whom it tells are not looked at.
	Search vacancy.Search
	// Notify is when it tells; Channel is where.
	Notify vacancy.Notify
}

// A Wish is a search that waits for its confirmation.
type Wish struct {
	ID     string
	Search vacancy.Search // prepared
	Asked  time.Time
	// Done is set of one that was confirmed.
	Done       bool
	Subscriber string
	Generation uint32
}

// A Consent is when and to what a person agreed.
type Consent struct {
	At      time.Time `json:"at"`
	Wording string    `json:"wording"`
	// Origin is the page on which it was given.
	Origin string `json:"origin"`
}

// A Subscriber is a person who subscribes himself.
type Subscriber struct {
	ID      string          `json:"id"`
	Address vacancy.Address `json:"address"`
	State   State           `json:"state"`
	// Generation rises where the links to the person's page are revoked.
	Generation uint32    `json:"generation"`
	Created    time.Time `json:"created"`
	Consent    *Consent  `json:"consent,omitempty"`
	// Seen is the last sign of life: a confirmation, or a change on the page.
	Seen time.Time `json:"seen,omitzero"`
	// Asked is when the person was asked whether the searches are still wanted,
	// since that sign of life.
	Asked   time.Time `json:"asked,omitzero"`
	EndedAt time.Time `json:"ended_at,omitzero"`
	// Searches are those in force, oldest first.
	Searches []vacancy.Search `json:"searches,omitempty"`
}

// CheckAddress reads a mail address as a person types it. It takes what every
// mail server takes, and no more: no name, no quotes, no comment, ASCII only.
// The fault is a sentence for that person, "" where there is none, and does not
// repeat what was typed.
func CheckAddress(typed string) (a vacancy.Address, fault string) {
	const format = "Enter an email address in the correct format, like name@example.com."
	t := strings.TrimSpace(typed)
	local, domain, ok := strings.Cut(t, "@")
	switch {
	case t == "":
		return "", "Enter your email address."
	case len(t) > 254 || len(local) > 64:
		return "", "The email address is too long. Enter a shorter one."
	case !ok || local == "" || domain == "" || strings.Contains(domain, "@"):
		return "", format
	}
	for _, c := range []byte(t) {
		if c <= ' ' || c > '~' || strings.IndexByte("\"<>()[],;:\\`|", c) >= 0 {
			return "", "The email address holds a character that we cannot send to. Enter it without spaces, quotes and brackets."
		}
	}
	if p, err := mail.ParseAddress(t); err != nil || p.Address != t || p.Name != "" || !domainOK(domain) {
		return "", format
	}
	return vacancy.Address(t), ""
}

// domainOK reports whether a domain has two labels or more, none of them odd.
func domainOK(domain string) bool {
	labels := strings.Split(domain, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, c := range []byte(l) {
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-') {
				return false
			}
		}
	}
	return len(labels) >= 2
}

// Same reports whether two prepared searches ask for the same vacancies,
// whatever they are called and whomever they tell.
func Same(a, b *vacancy.Search) bool { return criteria(a) == criteria(b) }

func criteria(s *vacancy.Search) string {
	c := s.Clone()
	c.ID, c.Name, c.Subscriber, c.Notify, c.Provisioned, c.Created = "", "", "", nil, false, time.Time{}
	for _, list := range []*[]string{&c.Bands, &c.StaffGroups, &c.Specialties, &c.Employers, &c.NotEmployers, &c.Contracts, &c.Patterns} {
		slices.Sort(*list)
	}
	slices.Sort(c.Kinds)
	slices.SortFunc(c.Places, func(a, b vacancy.Place) int { return strings.Compare(placeKey(&a), placeKey(&b)) })
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // Unreachable: a search is plain data.
	}
	return string(b)
}

func placeKey(p *vacancy.Place) string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // Unreachable: a place is plain data.
	}
	return string(b)
}
