package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// mostVersions bounds how many versions of a vacancy are looked at, the newest:
// an advert that changes every day for half a year has fewer.
const mostVersions = 200

// History returns what is remembered of a vacancy, nil where that is nothing;
// its events as far back as the log goes, oldest first; and the vacancies that
// are tied to it, either way, oldest first. A vacancy that was there before the
// first run has no event of its appearing.
func (s *Store) History(ctx context.Context, key vacancy.Key) (*vacancy.Record, []vacancy.Event, []vacancy.Record, error) {
	slot := s.vacancySlot(key)
	vac := &engine.HGet{Key: slotKey(slot, "vac"), Field: key.String()}
	if err := s.eng.Read(ctx, slot, vac); err != nil {
		return nil, nil, nil, err
	}
	if !vac.OK {
		return nil, nil, nil, nil
	}
	r, err := decodeRecord(vac.Val)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", key, err)
	}
	evt := &engine.HMGet{Key: slotKey(slot, "evt"), Fields: eventIDs(key, 1, r.Version, vacancy.Kinds())}
	if err := s.eng.Read(ctx, slot, evt); err != nil {
		return nil, nil, nil, err
	}
	var events []vacancy.Event
	for i, b := range evt.Vals {
		if b == nil {
			continue
		}
		var e vacancy.Event
		if decode(b, &e) != nil {
			s.tellOnce(Damage{DamagedEvent, evt.Fields[i]})
			continue // the others are worth showing
		}
		events = append(events, e)
	}
	kin, err := s.tied(ctx, r)
	return r, events, kin, err
}

// eventIDs are the ids that the events of a vacancy may have: a version has one
// event, of a kind that its id tells.
func eventIDs(key vacancy.Key, from, to int, kinds []vacancy.Kind) []string {
	var out []string
	for n := max(from, to-mostVersions+1); n <= to; n++ {
		for _, k := range kinds {
			e := vacancy.Event{Kind: k, Version: n, Vacancy: vacancy.Vacancy{Source: key.Source, Reference: key.Reference}}
			out = append(out, e.ID())
		}
	}
	return out
}

// tied returns the vacancies that a record is tied to, or that are tied to it.
// Those are noted under the names that they share.
func (s *Store) tied(ctx context.Context, r *vacancy.Record) ([]vacancy.Record, error) {
	own := r.Vacancy.Key()
	var keys []vacancy.Key
	if r.Link.Reference != "" {
		keys = append(keys, vacancy.Key{Source: own.Source, Reference: r.Link.Reference})
	}
	for _, name := range vacancy.KinNames(&r.Vacancy) {
		slot := s.slotOf(name)
		noted := &engine.HGet{Key: slotKey(slot, "kin"), Field: kinField(name)}
		if err := s.eng.Read(ctx, slot, noted); err != nil {
			return nil, err
		}
		if !noted.OK {
			continue
		}
		var ids []string
		if err := decode(noted.Val, &ids); err != nil {
			return nil, fmt.Errorf("relatives of %s: %w", own, err)
		}
		for _, id := range ids {
			if key, err := vacancy.ParseKey(id); err == nil && key != own && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	records, err := s.Records(ctx, keys)
	if err != nil {
		return nil, err
	}
	var out []vacancy.Record
	for _, key := range keys {
		o, ok := records[key]
		if ok && key.Source == own.Source && (key.Reference == r.Link.Reference || o.Link.Reference == own.Reference) {
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b vacancy.Record) int { return a.Vacancy.FirstSeen.Compare(b.Vacancy.FirstSeen) })
	return out, nil
}

// Happened calls f for every event at or after since, each slot from its newest
// down. Unlike Events it does not read through the log from its beginning: it
// stops where a whole part of it is older, for clocks that differ a little put
// an event before its time.
func (s *Store) Happened(ctx context.Context, since time.Time, f func(vacancy.Event) error) error {
	for _, slot := range s.allSlots() {
		for to := forever; ; {
			ids := &engine.ZRange{Key: slotKey(slot, "log"), Min: never, Max: to, Reverse: true, Limit: batch}
			if err := s.eng.Read(ctx, slot, ids); err != nil {
				return err
			}
			if len(ids.Zs) == 0 {
				break
			}
			evt := &engine.HMGet{Key: slotKey(slot, "evt"), Fields: members(ids.Zs)}
			if err := s.eng.Read(ctx, slot, evt); err != nil {
				return err
			}
			older := true
			for i, b := range evt.Vals {
				if b == nil {
					continue // pruned meanwhile
				}
				var e vacancy.Event
				if decode(b, &e) != nil {
					s.tellOnce(Damage{DamagedEvent, ids.Zs[i].Member})
					continue
				}
				if e.At.Before(since) {
					continue
				}
				older = false
				if err := f(e); err != nil {
					return err
				}
			}
			if older {
				break
			}
			to = ids.Zs[len(ids.Zs)-1].Score - 1
		}
	}
	return nil
}

// Moves counts for each vacancy, up to its given version, how often its closing
// date was moved, or it closed or opened again: what a calendar calls its
// sequence. It never falls as long as the log remembers, which is for 400 days.
func (s *Store) Moves(ctx context.Context, versions map[vacancy.Key]int) (map[vacancy.Key]int, error) {
	kinds := []vacancy.Kind{vacancy.ClosingMoved, vacancy.Closed, vacancy.Reopened}
	bySlot := map[string][]string{}
	for key, n := range versions {
		slot := s.vacancySlot(key)
		bySlot[slot] = append(bySlot[slot], eventIDs(key, 2, n, kinds)...)
	}
	out := map[vacancy.Key]int{}
	for slot, ids := range bySlot {
		for part := range slices.Chunk(ids, batch) {
			there := &engine.ZMScore{Key: slotKey(slot, "log"), Members: part}
			if err := s.eng.Read(ctx, slot, there); err != nil {
				return nil, err
			}
			for i, ok := range there.OK {
				if !ok {
					continue
				}
				if key, err := vacancy.ParseKey(eventVacancy(part[i])); err == nil {
					out[key]++
				}
			}
		}
	}
	return out, nil
}
