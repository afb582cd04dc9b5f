package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/people"
	"github.com/vacancywatch/vacancywatch/store/engine"
)

// A limit counts exactly: it keeps when the last ones were let through, so that
// in no stretch of its length there are more than it allows. It lies in the
// store, and so holds over restarts and replicas.

// mailLimit names what counts the mails to an address.
func mailLimit(hash string) string { return "mail " + hash }

// takeOne lets one through a limit, or reports false. It writes either way.
func takeOne(tx engine.Tx, slot, name string, most int, per time.Duration, now time.Time) (bool, error) {
	r := &engine.HGet{Key: slotKey(slot, "limit"), Field: name}
	if err := tx.Read(r); err != nil {
		return false, err
	}
	var at []int64
	if r.OK {
		if err := decode(r.Val, &at); err != nil {
			return false, err
		}
	}
	recent := at[:0:0]
	for _, t := range at {
		if now.UnixMilli()-t < per.Milliseconds() {
			recent = append(recent, t)
		}
	}
	ok := len(recent) < most
	if ok {
		recent = append(recent, now.UnixMilli())
	}
	tx.HSet(slotKey(slot, "limit"), name, encode(recent))
	tx.ZAdd(slotKey(slot, "limitend"), engine.Z{Member: name, Score: ms(now.Add(per))})
	return ok, nil
}

func dropLimits(tx engine.Tx, slot string, names []string) {
	tx.HDel(slotKey(slot, "limit"), names...)
	tx.ZRem(slotKey(slot, "limitend"), names...)
}

// Allow lets a request of a network through that sends a mail, or says with
// people.ErrLimited that there were too many: from there, or with all reported
// true from everywhere together. The network is kept by a keyed hash.
func (p *Subscribers) Allow(ctx context.Context, network string, now time.Time) (all bool, err error) {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte("network\x00" + network))
	for _, l := range []struct {
		name string
		most int
	}{{"net " + hex.EncodeToString(mac.Sum(nil)[:16]), people.PerNetwork}, {"all", people.InAll}} {
		ok, slot := false, p.s.slotOf(l.name)
		err := p.s.eng.Update(ctx, slot, func(tx engine.Tx) (err error) {
			ok, err = takeOne(tx, slot, l.name, l.most, time.Hour, now)
			return err
		})
		if err != nil {
			return false, err
		}
		if !ok {
			return l.name == "all", people.ErrLimited
		}
	}
	return false, nil
}
