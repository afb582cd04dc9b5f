package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/bounce"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

const (
	// bouncesToSuppress is on how many different days mails must have been sent
	// that came back before an address is given up for a while.
	bouncesToSuppress = 3
	// keepBounce is how long a day counts, and keepSuppressed for how long an
	// address that has bounced gets no mail. Then it is tried anew.
	keepBounce     = 90 * 24 * time.Hour
	keepSuppressed = 90 * 24 * time.Hour
)

// Suppressions are the addresses that get no mail, and those on their way
// there. They are kept by a keyed hash; the key lies in the state, made at the
// first use. The state alone tells nobody an address, but whoever has it can
// test whether one that he knows is there.
type Suppressions struct {
	s   *Store
	key []byte
}

var (
	_ bounce.List         = (*Suppressions)(nil)
	_ alerts.Suppressions = (*Suppressions)(nil)
)

// Suppressions returns the suppression list.
func (s *Store) Suppressions(ctx context.Context) (*Suppressions, error) {
	key, err := s.SigningKey(ctx, "suppression")
	if err != nil {
		return nil, fmt.Errorf("read the key of the suppression list: %w", err)
	}
	return &Suppressions{s, key}, nil
}

// suppressed is what is kept of an address.
type suppressed struct {
	// Days are those, in UTC, on which mails were sent that came back: not more
	// than lead to a suppression.
	Days   []vacancy.Day `json:"days,omitempty"`
	Reason bounce.Reason `json:"reason,omitempty"`
	Since  time.Time     `json:"since,omitzero"`
	Until  time.Time     `json:"until,omitzero"`
}

// holds reports whether the address gets no mail at the given time.
func (a *suppressed) holds(now time.Time) bool {
	return a.Reason == bounce.Complained || a.Reason != "" && now.Before(a.Until)
}

// ID names an address: 16 bytes of an HMAC-SHA256 over it in small letters.
func (l *Suppressions) ID(a vacancy.Address) bounce.ID {
	m := hmac.New(sha256.New, l.key)
	m.Write([]byte("address\x00" + strings.ToLower(a.Reveal())))
	return bounce.ID(m.Sum(nil))
}

// Suppressed returns why an address gets no mail now, since when and until
// when; false where it does. It is what a reader's own page shows as well.
func (l *Suppressions) Suppressed(ctx context.Context, a vacancy.Address, now time.Time) (bounce.Suppression, bool, error) {
	id := l.ID(a).String()
	slot := l.s.slotOf(id)
	r := &engine.HGet{Key: slotKey(slot, "supp"), Field: id}
	if err := l.s.eng.Read(ctx, slot, r); err != nil || !r.OK {
		return bounce.Suppression{}, false, err
	}
	var kept suppressed
	if err := decode(r.Val, &kept); err != nil {
		return bounce.Suppression{}, false, fmt.Errorf("suppression %s: %w", id, err)
	}
	if !kept.holds(now) {
		return bounce.Suppression{}, false, nil
	}
	return bounce.Suppression{Reason: kept.Reason, Since: kept.Since, Until: kept.Until}, true, nil
}

// Bounced notes that a mail of a day came back. Three different days in 90
// suppress the address for 90 more; a bounce of an address that is suppressed
// already changes nothing.
func (l *Suppressions) Bounced(ctx context.Context, id bounce.ID, sent, now time.Time) (began bool, err error) {
	day := vacancy.DayOf(sent, time.UTC)
	oldest := vacancy.DayOf(now.Add(-keepBounce), time.UTC)
	err = l.change(ctx, id, func(a *suppressed) (expires time.Time, write bool) {
		began = false
		if a.holds(now) || day.Before(oldest) || slices.Contains(a.Days, day) {
			return time.Time{}, false
		}
		a.Days = slices.DeleteFunc(a.Days, func(d vacancy.Day) bool { return d.Before(oldest) })
		a.Days = append(a.Days, day)
		a.Reason, a.Since, a.Until = "", time.Time{}, time.Time{}
		if len(a.Days) < bouncesToSuppress {
			return now.Add(keepBounce), true
		}
		began = true
		a.Days, a.Reason, a.Since, a.Until = nil, bounce.Bounced, now.UTC(), now.UTC().Add(keepSuppressed)
		return a.Until, true
	})
	return began, err
}

// Complained suppresses an address for good.
func (l *Suppressions) Complained(ctx context.Context, id bounce.ID, now time.Time) (began bool, err error) {
	err = l.change(ctx, id, func(a *suppressed) (expires time.Time, write bool) {
		if began = a.Reason != bounce.Complained; !began {
			return time.Time{}, false
		}
		*a = suppressed{Reason: bounce.Complained, Since: now.UTC()}
		return time.Time{}, true
	})
	return began, err
}

// Lift forgets what is kept of an address, so that it gets mail again: for an
// operator whose relay refused addresses that were good, and for a reader who
// asks for it. It reports whether there was anything.
func (l *Suppressions) Lift(ctx context.Context, a vacancy.Address) (found bool, err error) {
	id := l.ID(a).String()
	slot := l.s.slotOf(id)
	err = l.s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		r := &engine.HGet{Key: slotKey(slot, "supp"), Field: id}
		if err := tx.Read(r); err != nil {
			return err
		}
		if found = r.OK; found {
			dropSuppressed(tx, slot, []string{id})
		}
		return nil
	})
	return found, err
}

// Count returns how many addresses get no mail, by reason.
func (l *Suppressions) Count(ctx context.Context, now time.Time) (map[bounce.Reason]int, error) {
	out := map[bounce.Reason]int{}
	for _, slot := range l.s.allSlots() {
		seen := map[string]bool{} // a scan may repeat a field
		err := l.s.scan(ctx, slot, slotKey(slot, "supp"), func(id string, b []byte) error {
			var a suppressed
			if err := decode(b, &a); err != nil {
				return fmt.Errorf("suppression %s: %w", id, err)
			}
			if !seen[id] && a.holds(now) {
				out[a.Reason]++
			}
			seen[id] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// change changes what is kept of an address. fn may run more than once; it
// returns when that can be forgotten, zero for never.
func (l *Suppressions) change(ctx context.Context, of bounce.ID, fn func(*suppressed) (expires time.Time, write bool)) error {
	id := of.String()
	slot := l.s.slotOf(id)
	return l.s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		r := &engine.HGet{Key: slotKey(slot, "supp"), Field: id}
		if err := tx.Read(r); err != nil {
			return err
		}
		var a suppressed
		if r.OK {
			if err := decode(r.Val, &a); err != nil {
				return fmt.Errorf("suppression %s: %w", id, err)
			}
		}
		expires, write := fn(&a)
		if !write {
			return nil
		}
		tx.HSet(slotKey(slot, "supp"), id, encode(a))
		if expires.IsZero() {
			tx.ZRem(slotKey(slot, "suppend"), id)
		} else {
			tx.ZAdd(slotKey(slot, "suppend"), engine.Z{Member: id, Score: ms(expires)})
		}
		return nil
	})
}

func dropSuppressed(tx engine.Tx, slot string, ids []string) {
	tx.HDel(slotKey(slot, "supp"), ids...)
	tx.ZRem(slotKey(slot, "suppend"), ids...)
}
