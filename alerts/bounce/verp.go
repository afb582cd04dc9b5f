package bounce

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// keepToken is how long after a mail was sent a report about it counts. Relays
// try for days, and complaints come weeks later.
const keepToken = 60 * 24 * time.Hour

// Errors of Signer.Parse.
var (
	// ErrForeign means that an address was not made by this signer.
	ErrForeign = errors.New("not an address of ours")
	// ErrExpired means that an address of ours is too old.
	ErrExpired = errors.New("an address of ours, but too old")
)

// A Signer makes the addresses to which reports come, and knows them again.
//
//	b+TOKEN@domain   the envelope sender of a mail: what comes for it is about
//	                 that mail's reader
//	f+TOKEN@domain   one address for complaints, which is given to the
//	                 feedback loops of mail providers
//
// A token is base32, so that a relay that changes its capital letters does no
// harm: 2 bytes of the day of sending, 16 of the address's ID, 10 of an
// HMAC-SHA256 over both. Replaying an old token counts the day it was made for.
type Signer struct {
	domain string
	secret channel.Secret // prints as nothing
}

const (
	bouncePart = "b+"
	reportPart = "f+"
	tokenBytes = 2 + len(ID{}) + macBytes
	macBytes   = 10
	day        = 24 * time.Hour
)

// minSecret is how short a secret may be, in characters.
const minSecret = 16

var domainRE = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?i:[a-z][a-z0-9-]{0,61}[a-z0-9])$`)

// NewSigner makes a signer for a domain whose mail comes to the intake.
func NewSigner(domain string, secret channel.Secret) (*Signer, error) {
	if len(domain) > 180 || !domainRE.MatchString(domain) {
		return nil, errors.New("domain is not a domain: give one such as bounces.example.org")
	}
	if len(secret.Reveal()) < minSecret {
		return nil, fmt.Errorf("the secret is too short: give %d characters or more, at random", minSecret)
	}
	return &Signer{strings.ToLower(domain), secret}, nil
}

// Domain is the domain of the addresses.
func (s *Signer) Domain() string { return s.domain }

// A Token is what an address of ours says.
type Token struct {
	ID ID
	// Sent is the day on which the mail was sent, at 00:00 UTC.
	Sent time.Time
}

// A Recipient is an address of ours, taken apart.
type Recipient struct {
	// Reports is the address for complaints; it has no token.
	Reports bool
	Token   Token
}

// Sender returns the envelope sender of a mail that is sent now.
func (s *Signer) Sender(id ID, now time.Time) string {
	return bouncePart + s.token(bouncePart, uint16(now.Unix()/int64(day/time.Second)), id) + "@" + s.domain
}

// Reports returns the address for complaints.
func (s *Signer) Reports() string { return reportPart + s.token(reportPart, 0, ID{}) + "@" + s.domain }

func (s *Signer) token(part string, sent uint16, id ID) string {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, tokenBytes), sent)
	b = append(b, id[:]...)
	return strings.ToLower(idText.EncodeToString(append(b, s.mac(part, b)...)))
}

func (s *Signer) mac(part string, b []byte) []byte {
	m := hmac.New(sha256.New, []byte(s.secret.Reveal()))
	m.Write([]byte("vacancywatch envelope 1\x00" + part))
	m.Write(b)
	return m.Sum(nil)[:macBytes]
}

// Parse takes an address of ours apart. No error repeats the address.
func (s *Signer) Parse(address string, now time.Time) (Recipient, error) {
	local, domain, ok := strings.Cut(strings.TrimSpace(strings.Trim(strings.TrimSpace(address), "<>")), "@")
	if !ok || !strings.EqualFold(domain, s.domain) || len(local) < len(bouncePart) {
		return Recipient{}, ErrForeign
	}
	part := strings.ToLower(local[:len(bouncePart)])
	b, err := idText.DecodeString(strings.ToUpper(local[len(bouncePart):]))
	if err != nil || len(b) != tokenBytes || part != bouncePart && part != reportPart {
		return Recipient{}, ErrForeign
	}
	body, mac := b[:tokenBytes-macBytes], b[tokenBytes-macBytes:]
	if !hmac.Equal(mac, s.mac(part, body)) {
		return Recipient{}, ErrForeign
	}
	if part == reportPart {
		return Recipient{Reports: true}, nil
	}
	t := Token{ID: ID(body[2:]), Sent: time.Unix(0, 0).UTC().Add(time.Duration(binary.BigEndian.Uint16(body)) * day)}
	if now.Sub(t.Sent) > keepToken+day {
		return Recipient{}, ErrExpired
	}
	return Recipient{Token: t}, nil
}
