package web

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// ErrToken is returned for a token that is not ours, whatever is wrong with
// it. What exactly is wrong helps only those who make them up.
var ErrToken = errors.New("token is not valid")

const (
	tokenVersion = 1
	// kindStop stops a search. A token of one kind is never good for another.
	kindStop = 'u'
	// kindConfirm confirms a sign-up, kindManage leads to a person's own page.
	// Both expire.
	kindConfirm = 's'
	kindManage  = 'm'
	// kindFeed and kindCalendar show what a search finds. They are worth nothing
	// once the generation of whoever saved it is another.
	kindFeed     = 'f'
	kindCalendar = 'c'

	keyIDSize  = 4
	macSize    = 16
	headSize   = 2 + keyIDSize
	expirySize = 8   // when it expires, in seconds, and a generation
	maxID      = 300 // bytes
	minKeySize = 32
)

// Tokens makes and checks the tokens in links. A token is the base64url of
//
//	version (1) | kind (1) | key id (4) | id of the search | HMAC-SHA256 of all before it, cut to 16
//
// It holds no address. One that stops a search does not expire: a mail of last
// year still does it. Whoever has it may stop or pause that search, and those of
// the same person. One that expires has, before the id,
//
//	when it expires, in seconds since 1970 (4) | generation (4)
type Tokens struct {
	keys []tokenKey // the first one signs
}

type tokenKey struct {
	id     [keyIDSize]byte
	secret []byte
}

// NewTokens takes the key that signs, and after it older ones that are still
// good for checking. A key has at least 32 bytes. Keys are told apart by a
// digest of themselves, so their order may change at will.
func NewTokens(keys ...[]byte) (*Tokens, error) {
	if len(keys) == 0 {
		return nil, errors.New("keys for tokens: give at least one")
	}
	t := &Tokens{}
	for i, secret := range keys {
		if len(secret) < minKeySize {
			return nil, fmt.Errorf("key %d for tokens has %d bytes: give at least %d", i+1, len(secret), minKeySize)
		}
		k := tokenKey{secret: bytes.Clone(secret)}
		copy(k.id[:], k.mac([]byte("id of this key")))
		for j, other := range t.keys {
			if other.id == k.id {
				return nil, fmt.Errorf("keys %d and %d for tokens are the same", j+1, i+1)
			}
		}
		t.keys = append(t.keys, k)
	}
	return t, nil
}

// mac signs under a name of its own, so that a key that is also used elsewhere
// makes no token there.
func (k *tokenKey) mac(signed []byte) []byte {
	h := hmac.New(sha256.New, k.secret)
	h.Write([]byte("vacancywatch link\x00"))
	h.Write(signed)
	return h.Sum(nil)[:macSize]
}

// Stop returns the token that stops a search, for the path /u/{token}. An
// empty id, or one of more than 300 bytes, gives a token that is not valid.
func (t *Tokens) Stop(search string) string { return t.sign(kindStop, search) }

func (t *Tokens) sign(kind byte, id string) string {
	k := &t.keys[0]
	b := make([]byte, 0, headSize+len(id)+macSize)
	b = append(b, tokenVersion, kind)
	b = append(b, k.id[:]...)
	b = append(b, id...)
	b = append(b, k.mac(b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Search returns the id of the search that a token of Stop is for, or
// ErrToken.
func (t *Tokens) Search(token string) (string, error) { return t.read(kindStop, token) }

// read returns what a token of a kind is for.
func (t *Tokens) read(kind byte, token string) (string, error) {
	if len(token) > base64.RawURLEncoding.EncodedLen(headSize+maxID+macSize) {
		return "", ErrToken
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	// The decoder passes over line ends and spare bits; one token has one
	// spelling.
	if err != nil || base64.RawURLEncoding.EncodeToString(b) != token {
		return "", ErrToken
	}
	if len(b) <= headSize+macSize || b[0] != tokenVersion || b[1] != kind {
		return "", ErrToken
	}
	signed, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	for i := range t.keys {
		k := &t.keys[i]
		if bytes.Equal(k.id[:], b[2:headSize]) && hmac.Equal(k.mac(signed), mac) {
			return string(signed[headSize:]), nil
		}
	}
	return "", ErrToken
}

// Confirm returns the token that confirms a sign-up, for the path /s/{token}.
func (t *Tokens) Confirm(wish string, expires time.Time) string {
	return t.sign(kindConfirm, expiring(expires, 0)+wish)
}

// Wish returns the sign-up that a token of Confirm is for, or ErrToken.
func (t *Tokens) Wish(token string, now time.Time) (string, error) {
	id, _, err := t.readExpiring(kindConfirm, token, now)
	return id, err
}

// Manage returns the token of a person's own page, for the path /m/{token}. It
// is worth nothing once the person's generation is another.
func (t *Tokens) Manage(person string, generation uint32, expires time.Time) string {
	return t.sign(kindManage, expiring(expires, generation)+person)
}

// Person returns the person and the generation that a token of Manage is for,
// or ErrToken. The caller compares the generation.
func (t *Tokens) Person(token string, now time.Time) (person string, generation uint32, err error) {
	return t.readExpiring(kindManage, token, now)
}

func expiring(expires time.Time, generation uint32) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(expires.Unix()))
	return string(binary.BigEndian.AppendUint32(b, generation))
}

func (t *Tokens) readExpiring(kind byte, token string, now time.Time) (id string, generation uint32, err error) {
	s, err := t.read(kind, token)
	if err != nil {
		return "", 0, err
	}
	if len(s) <= expirySize || now.Unix() >= int64(binary.BigEndian.Uint32([]byte(s[:4]))) {
		return "", 0, ErrToken
	}
	return s[expirySize:], binary.BigEndian.Uint32([]byte(s[4:expirySize])), nil
}

// String keeps the keys out of logs.
func (t *Tokens) String() string { return "<tokens>" }

// GoString keeps the keys out of logs.
func (t *Tokens) GoString() string { return "<tokens>" }
