package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
)

// What waits to be sent lies in lanes, one a channel: a hundred thousand
// messages of one channel stand in nobody's way but each other's. Which lanes a
// slot has is listed beside them, in the same step that fills the first of each.

// laneKey names the due set of a channel's messages.
func laneKey(slot, channel string) string { return slotKey(slot, "due:"+channel) }

// channelOf is the channel of a message: its ID ends with where it goes.
func channelOf(id string) string {
	m := alerts.Message{Dest: id[strings.LastIndexByte(id, '|')+1:]}
	return m.Channel()
}

// putDue sets when a message is due, in a lane that the slot has already.
func putDue(tx engine.Tx, slot, id string, at time.Time) {
	tx.ZAdd(laneKey(slot, channelOf(id)), engine.Z{Member: id, Score: ms(at)})
}

// putLane lists a channel's lane. Whoever puts a message that is new to the slot
// does it in the same step; twice does no harm.
func putLane(tx engine.Tx, slot, channel string) {
	tx.HSet(slotKey(slot, "lanes"), channel, nil)
}

// dropDue takes a message out of its lane.
func dropDue(tx engine.Tx, slot, id string) {
	tx.ZRem(laneKey(slot, channelOf(id)), id)
}

// sortStep is how many messages of an older program one step brings into lanes.
const sortStep = 1000

// sortLanes brings into lanes what lies in the one due set of a slot that
// programs before there were lanes wrote, and still write beside this one.
func (s *Store) sortLanes(ctx context.Context, slot string) error {
	for {
		n := 0
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			old := &engine.ZRange{Key: slotKey(slot, "due"), Min: never, Max: forever, Limit: sortStep}
			if err := tx.Read(old); err != nil {
				return err
			}
			n = len(old.Zs)
			listed := map[string]bool{}
			for _, z := range old.Zs {
				if ch := channelOf(z.Member); !listed[ch] {
					listed[ch] = true
					putLane(tx, slot, ch)
				}
				putDue(tx, slot, z.Member, fromMS(z.Score))
			}
			if n > 0 {
				tx.ZRem(slotKey(slot, "due"), members(old.Zs)...)
			}
			return nil
		})
		if err != nil || n < sortStep {
			return err
		}
	}
}

// lanes returns the channels of which a slot has, or has had, messages.
func (s *Store) lanes(ctx context.Context, slot string) ([]string, error) {
	old := &engine.ZRange{Key: slotKey(slot, "due"), Min: never, Max: forever, Limit: 1}
	listed := &engine.HScan{Key: slotKey(slot, "lanes"), Count: 500}
	if err := s.eng.Read(ctx, slot, old, listed); err != nil {
		return nil, err
	}
	if len(old.Zs) > 0 {
		if err := s.sortLanes(ctx, slot); err != nil {
			return nil, err
		}
		return s.lanes(ctx, slot)
	}
	var out []string
	for {
		for _, p := range listed.Pairs {
			out = append(out, p.Field)
		}
		if listed.Next == "" {
			break
		}
		listed.Cursor = listed.Next
		if err := s.eng.Read(ctx, slot, listed); err != nil {
			return nil, err
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil // a scan may repeat a field
}

// heads returns the reads of the first messages of some lanes.
func heads(slot string, channels []string, until float64, limit int) ([]*engine.ZRange, []engine.Read) {
	firsts := make([]*engine.ZRange, len(channels))
	reads := make([]engine.Read, len(channels))
	for i, ch := range channels {
		firsts[i] = &engine.ZRange{Key: laneKey(slot, ch), Min: never, Max: until, Limit: limit}
		reads[i] = firsts[i]
	}
	return firsts, reads
}

// earliest returns the first messages of several lanes together.
func earliest(lanes []*engine.ZRange, limit int) []engine.Z {
	if len(lanes) == 1 {
		return lanes[0].Zs
	}
	var out []engine.Z
	for _, l := range lanes {
		out = append(out, l.Zs...)
	}
	slices.SortStableFunc(out, func(a, b engine.Z) int { return cmp.Compare(a.Score, b.Score) })
	return out[:min(len(out), limit)]
}

// Due returns, for each channel with messages in the outbox, when the earliest
// of them falls due, or its lease ends.
func (s *Store) Due(ctx context.Context) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	for _, slot := range s.allSlots() {
		channels, err := s.lanes(ctx, slot)
		if err != nil {
			return nil, err
		}
		if len(channels) == 0 {
			continue
		}
		firsts, reads := heads(slot, channels, forever, 1)
		if err := s.eng.Read(ctx, slot, reads...); err != nil {
			return nil, err
		}
		for i, ch := range channels {
			if len(firsts[i].Zs) == 0 {
				continue
			}
			at := fromMS(firsts[i].Zs[0].Score)
			if was, ok := out[ch]; !ok || at.Before(was) {
				out[ch] = at
			}
		}
	}
	return out, nil
}

// Claim hands out messages of some channels that are due; without channels,
// those of any. A claimed message is due again when its lease ends, so that
// nothing has to look after claims that lapsed.
func (s *Store) Claim(ctx context.Context, now time.Time, lease time.Duration, limit int, channels ...string) ([]alerts.Claim, error) {
	s.mu.Lock()
	first := s.turn
	s.turn++ // so that no slot is always last
	s.mu.Unlock()
	var out []alerts.Claim
	for i := 0; i < s.slots && len(out) < limit; i++ {
		slot := slotName((first + i) % s.slots)
		claims, err := s.claimFrom(ctx, slot, channels, now, lease, limit-len(out))
		if err != nil {
			// What was claimed so far is sent; the next Claim meets the error.
			if len(out) > 0 {
				return out, nil
			}
			return nil, err
		}
		out = append(out, claims...)
	}
	return out, nil
}

// claimFrom looks into the lanes of a slot first: most have nothing due, and a
// look costs less than a step.
func (s *Store) claimFrom(ctx context.Context, slot string, channels []string, now time.Time, lease time.Duration, limit int) ([]alerts.Claim, error) {
	if len(channels) == 0 {
		var err error
		if channels, err = s.lanes(ctx, slot); err != nil || len(channels) == 0 {
			return nil, err
		}
	}
	firsts, reads := heads(slot, channels, ms(now), 1)
	if err := s.eng.Read(ctx, slot, reads...); err != nil {
		return nil, err
	}
	if len(earliest(firsts, 1)) == 0 {
		return nil, nil
	}
	return s.claimSlot(ctx, slot, channels, now, lease, limit)
}

// A laneCount is how much lies in a lane.
type laneCount struct {
	all   *engine.ZCard
	due   *engine.ZCount
	first *engine.ZRange
}

type laneCounts []laneCount

// countLanes returns what reads the numbers of some lanes.
func countLanes(slot string, channels []string, now time.Time) laneCounts {
	out := make(laneCounts, len(channels))
	for i, ch := range channels {
		key := laneKey(slot, ch)
		out[i] = laneCount{&engine.ZCard{Key: key}, &engine.ZCount{Key: key, Min: never, Max: ms(now)},
			&engine.ZRange{Key: key, Min: never, Max: ms(now), Limit: 1}}
	}
	return out
}

func (cs laneCounts) reads() []engine.Read {
	var out []engine.Read
	for _, c := range cs {
		out = append(out, c.all, c.due, c.first)
	}
	return out
}
