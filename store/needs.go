package store

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Needs tells what each listed vacancy asks for.
func (s *Store) Needs(ctx context.Context, source, feed string, listed []vacancy.Vacancy, at time.Time) ([]vacancy.Need, error) {
	keys := make([]vacancy.Key, len(listed))
	for i := range listed {
		keys[i] = vacancy.Key{Source: source, Reference: listed[i].Reference}
	}
	var mu sync.Mutex
	known := make(map[vacancy.Key]*vacancy.Record, len(keys))
	err := s.bySlot(ctx, keys, func(slot string, keys []vacancy.Key) error {
		r := &engine.HMGet{Key: slotKey(slot, "vac"), Fields: names(keys)}
		if err := s.eng.Read(ctx, slot, r); err != nil {
			return err
		}
		for i, b := range r.Vals {
			rec, err := s.glances.of(keys[i], b)
			if err != nil {
				return fmt.Errorf("%s: %w", keys[i], err)
			}
			mu.Lock()
			known[keys[i]] = rec
			mu.Unlock()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]vacancy.Need, len(listed))
	for i := range listed {
		out[i] = known[keys[i]].Needs(feed, &listed[i], at)
	}
	return out, nil
}

// glances keep of the records that were looked at last what their needs are
// told by, as long as their stored bytes are the same. Poll after poll meets
// the same few hundred vacancies: to take each of them apart again was a
// quarter of a crawl's work.
type glances struct {
	mu   sync.Mutex
	seed maphash.Seed
	kept map[vacancy.Key]glance
}

// mostGlances bounds what is kept: what a deep run meets in a day, at under a
// kilobyte each.
const mostGlances = 4096

type glance struct {
	sum uint64 // of the stored bytes
	rec *vacancy.Record
}

func newGlances() *glances {
	return &glances{seed: maphash.MakeSeed(), kept: map[vacancy.Key]glance{}}
}

// of returns what needs are told by, nil for no record. It is shared, and not
// to be changed.
func (g *glances) of(k vacancy.Key, stored []byte) (*vacancy.Record, error) {
	if stored == nil {
		return nil, nil
	}
	sum := maphash.Bytes(g.seed, stored)
	g.mu.Lock()
	last, ok := g.kept[k]
	g.mu.Unlock()
	if ok && last.sum == sum {
		return last.rec, nil
	}
	full, err := decodeRecord(stored)
	if err != nil {
		return nil, err
	}
	rec := &vacancy.Record{Listed: full.Listed, Silent: full.Silent, Closed: full.Closed, ClosedAt: full.ClosedAt,
		Relisted: full.Relisted, Vacancy: vacancy.Vacancy{Closing: full.Vacancy.Closing, PageUnread: full.Vacancy.PageUnread}}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.kept) >= mostGlances {
		clear(g.kept)
	}
	g.kept[k] = glance{sum, rec}
	return rec, nil
}
