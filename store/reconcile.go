package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
)

// After how long what should have gone on counts as stuck.
const (
	stuckUnclaimed = 15 * time.Minute
	stuckDigest    = 15 * time.Minute
	stuckUnmatched = time.Hour
	stuckWaiting   = 3 * time.Hour
)

// What can be stuck: a closed list.
const (
	StuckLapsed    = "lapsed"    // a claim ended a quarter of an hour ago, and nobody has claimed again
	StuckUnclaimed = "unclaimed" // due for a quarter of an hour, and nobody claims it
	StuckWaiting   = "waiting"   // made, or replayed, three hours ago, and neither sent nor given up
	StuckUnmatched = "unmatched" // an event whose matching was begun an hour ago
	StuckDigest    = "digest"    // a digest whose window ended a quarter of an hour ago, and that was not made
	StuckStray     = "stray"     // a message that lay in no list, so that nobody would have claimed it
)

// StuckKinds returns everything that can be stuck.
func StuckKinds() []string {
	return []string{StuckLapsed, StuckUnclaimed, StuckWaiting, StuckUnmatched, StuckDigest, StuckStray}
}

// Stuck is what has not gone on, by kind.
type Stuck struct {
	N map[string]int
	// Some are a few of each: ids of messages or events, names of digests.
	Some map[string][]string
}

const someStuck = 3

func (k *Stuck) add(kind, id string) {
	k.N[kind]++
	if len(k.Some[kind]) < someStuck {
		k.Some[kind] = append(k.Some[kind], id)
	}
}

// Reconcile looks for what has not gone on as it should, and puts right what it
// can: a stray message is due again, or listed where it was set aside; a
// missing digest is made; an event to be matched whose vacancy is remembered no
// more is forgotten. Doing it twice is the same as once. What waits is counted
// and left alone: a lapsed claim is due by itself, an interrupted matching is
// for alerts.Dispatcher.Recover.
func (s *Store) Reconcile(ctx context.Context, now time.Time) (Stuck, error) {
	k := Stuck{N: map[string]int{}, Some: map[string][]string{}}
	for _, slot := range s.allSlots() {
		if err := s.reconcileMessages(ctx, slot, now, &k); err != nil {
			return k, fmt.Errorf("look through the messages of %s: %w", slot, err)
		}
		if err := s.reconcileMatching(ctx, slot, now, &k); err != nil {
			return k, fmt.Errorf("look through the unmatched events of %s: %w", slot, err)
		}
	}
	if err := s.reconcileDigests(ctx, now, &k); err != nil {
		return k, fmt.Errorf("look through the digests: %w", err)
	}
	return k, nil
}

func (s *Store) reconcileMessages(ctx context.Context, slot string, now time.Time, k *Stuck) error {
	if _, err := s.lanes(ctx, slot); err != nil { // which brings into lanes what an older program wrote
		return err
	}
	seen := map[string]bool{} // a scan may repeat a field
	var ids []string
	var msgs []*alerts.Message
	look := func() error {
		defer func() { ids, msgs = ids[:0], msgs[:0] }()
		return s.reconcileBatch(ctx, slot, ids, msgs, now, k)
	}
	err := s.scan(ctx, slot, slotKey(slot, "msg"), func(id string, b []byte) error {
		if seen[id] {
			return nil
		}
		seen[id] = true
		m, err := decodeMessage(b)
		if err != nil {
			m = nil // set aside once it is claimed
		}
		if ids, msgs = append(ids, id), append(msgs, m); len(ids) < batch {
			return nil
		}
		return look()
	})
	if err == nil && len(ids) > 0 {
		err = look()
	}
	return err
}

func (s *Store) reconcileBatch(ctx context.Context, slot string, ids []string, msgs []*alerts.Message, now time.Time, k *Stuck) error {
	lanes := make([]*engine.ZScore, len(ids))
	aside := []*engine.ZMScore{{Key: slotKey(slot, "buried"), Members: ids}, {Key: slotKey(slot, "damaged"), Members: ids}}
	looks := []engine.Read{aside[0], aside[1]}
	for i, id := range ids {
		lanes[i] = &engine.ZScore{Key: laneKey(slot, channelOf(id)), Member: id}
		looks = append(looks, lanes[i])
	}
	if err := s.eng.Read(ctx, slot, looks...); err != nil {
		return err
	}
	for i, id := range ids {
		switch m := msgs[i]; {
		case aside[0].OK[i] || aside[1].OK[i]:
		case !lanes[i].OK:
			mended, err := s.mendStray(ctx, slot, id, now)
			if err != nil {
				return err
			}
			if mended {
				k.add(StuckStray, id)
			}
		case m == nil:
		default:
			late := lanes[i].Score <= ms(now.Add(-stuckUnclaimed))
			if late && m.Claimed {
				k.add(StuckLapsed, id)
			} else if late {
				k.add(StuckUnclaimed, id)
			}
			if m.Begun().Before(now.Add(-stuckWaiting)) {
				k.add(StuckWaiting, id)
			}
		}
	}
	return nil
}

// mendStray lists a message that is in no list. None of our steps leaves one: a
// hand did, or a program that is not ours.
func (s *Store) mendStray(ctx context.Context, slot, id string, now time.Time) (mended bool, err error) {
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		mended = false
		msg := &engine.HGet{Key: slotKey(slot, "msg"), Field: id}
		in := []*engine.ZScore{{Key: laneKey(slot, channelOf(id)), Member: id}, {Key: slotKey(slot, "due"), Member: id},
			{Key: slotKey(slot, "buried"), Member: id}, {Key: slotKey(slot, "damaged"), Member: id}}
		if err := tx.Read(msg, in[0], in[1], in[2], in[3]); err != nil {
			return err
		}
		if !msg.OK || slices.ContainsFunc(in, func(z *engine.ZScore) bool { return z.OK }) {
			return nil
		}
		mended = true
		m, err := decodeMessage(msg.Val)
		_, named := alerts.ParseID(id)
		switch {
		case err != nil || !named:
			tx.ZAdd(slotKey(slot, "damaged"), engine.Z{Member: id, Score: ms(now)})
		case m.Buried && m.Reason == reasonDamaged:
			tx.ZAdd(slotKey(slot, "damaged"), engine.Z{Member: id, Score: ms(now)})
		case m.Buried:
			tx.ZAdd(slotKey(slot, "buried"), engine.Z{Member: id, Score: ms(now)})
		default:
			putLane(tx, slot, m.Channel())
			putDue(tx, slot, id, now)
		}
		return nil
	})
	return mended, err
}

func (s *Store) reconcileMatching(ctx context.Context, slot string, now time.Time, k *Stuck) error {
	todo := &engine.ZRange{Key: slotKey(slot, "todo"), Min: never, Max: ms(now.Add(-stuckUnmatched))}
	if err := s.eng.Read(ctx, slot, todo); err != nil {
		return err
	}
	for part := range slices.Chunk(todo.Zs, batch) {
		ids := members(part)
		var gone []string
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			gone = nil
			vac := &engine.HMGet{Key: slotKey(slot, "vac")}
			for _, id := range ids {
				vac.Fields = append(vac.Fields, eventVacancy(id))
			}
			if err := tx.Read(vac); err != nil {
				return err
			}
			for i, id := range ids {
				if vac.Vals[i] == nil {
					gone = append(gone, id)
				}
			}
			if len(gone) > 0 {
				tx.ZRem(slotKey(slot, "todo"), gone...)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, id := range ids {
			if !slices.Contains(gone, id) {
				k.add(StuckUnmatched, id)
			}
		}
	}
	return nil
}

// reconcileDigests makes the digests that should have been made. Their items
// stay listed until they are told, however long that takes, so no window of any
// week is out of its reach.
func (s *Store) reconcileDigests(ctx context.Context, now time.Time, k *Stuck) error {
	ended := map[string]time.Time{}
	for _, slot := range s.allSlots() {
		due := &engine.ZRange{Key: slotKey(slot, "digdue"), Min: never, Max: ms(now.Add(-stuckDigest))}
		if err := s.eng.Read(ctx, slot, due); err != nil {
			return err
		}
		for _, z := range due.Zs {
			if end, ok := ended[z.Member]; !ok || fromMS(z.Score).Before(end) {
				ended[z.Member] = fromMS(z.Score)
			}
		}
	}
	for name, end := range ended {
		search, dest, _ := strings.Cut(name, "|")
		made, err := s.openDigest(ctx, search, dest, end, now)
		if err != nil {
			return fmt.Errorf("open the digest of search %s: %w", search, err)
		}
		if made {
			k.add(StuckDigest, name)
		}
	}
	return nil
}
