package alerts

import (
	"context"
	"fmt"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// findKin notes the vacancies of a batch that may have relatives, and returns
// for each sighting the keys of those that are known; their records are then in
// the batch. It takes two round trips, whatever the number of sightings.
//
// Looked for are the relatives of a vacancy that is unknown, and of one whose
// page has been read for the first time, for the employer's reference stands
// there alone. What is listed in a baseline and not read is only noted, so that
// what comes later finds it: too little is known of it to tie it to anything.
func (b *batch) findKin(ctx context.Context, sightings []vacancy.Sighting) ([][]vacancy.Key, error) {
	out := make([][]vacancy.Key, len(sightings))
	var named []Named
	var at []int // the sighting of each
	for i := range sightings {
		s := &sightings[i]
		before := b.record(s.Vacancy.Key())
		if before != nil && (!before.Vacancy.PageUnread || s.Vacancy.PageUnread) {
			continue
		}
		named = append(named, Named{Key: s.Vacancy.Key(), Names: vacancy.KinNames(&s.Vacancy)})
		at = append(at, i)
	}
	if len(named) == 0 {
		return out, nil
	}
	found, err := b.Log.Kin(ctx, named, sightings[at[0]].At)
	if err != nil {
		return nil, fmt.Errorf("look for relatives of %d vacancies: %w", len(named), err)
	}
	wanted := map[vacancy.Key]bool{}
	for n, i := range at {
		if s := &sightings[i]; s.Baseline && s.Vacancy.PageUnread {
			continue
		}
		out[i] = found[n]
		for _, key := range found[n] {
			if b.record(key) == nil {
				wanted[key] = true
			}
		}
	}
	if len(wanted) == 0 {
		return out, nil
	}
	keys := make([]vacancy.Key, 0, len(wanted))
	for key := range wanted {
		keys = append(keys, key)
	}
	records, err := b.Log.Records(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("look up %d relatives: %w", len(keys), err)
	}
	for key, r := range records {
		b.records[key] = r
	}
	return out, nil
}

// link ties a sighted vacancy to the closest of its relatives.
func (b *batch) link(s *vacancy.Sighting, kin []vacancy.Key) vacancy.Link {
	var others []vacancy.Record
	for _, key := range kin {
		if r := b.record(key); r != nil {
			others = append(others, *r)
		}
	}
	if len(others) == 0 {
		return vacancy.Link{}
	}
	v := s.Vacancy
	if before := b.record(v.Key()); before != nil {
		v.FirstSeen = before.Vacancy.FirstSeen
	}
	return vacancy.Relate(&v, s.At, others)
}
