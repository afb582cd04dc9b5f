package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Recent calls f for every open vacancy, and for every one that has closed at
// or after since: among them is each that came up since then. Unlike Vacancies
// it does not read what closed before, which is most of what is remembered. It
// reads page by page, so a vacancy written meanwhile may come in either state;
// none comes twice.
func (s *Store) Recent(ctx context.Context, since time.Time, f func(vacancy.Record) error) error {
	for _, slot := range s.allSlots() {
		live := &engine.ZRange{Key: slotKey(slot, "live"), Min: never, Max: forever}
		gone := &engine.ZRange{Key: slotKey(slot, "gone"), Min: ms(since), Max: forever}
		if err := s.eng.Read(ctx, slot, live, gone); err != nil {
			return err
		}
		ids := append(members(live.Zs), members(gone.Zs)...)
		slices.Sort(ids)
		ids = slices.Compact(ids) // one may have closed between the two reads
		for len(ids) > 0 {
			n := min(len(ids), batch)
			r := &engine.HMGet{Key: slotKey(slot, "vac"), Fields: ids[:n]}
			if err := s.eng.Read(ctx, slot, r); err != nil {
				return err
			}
			for i, b := range r.Vals {
				rec, err := decodeRecord(b)
				if err != nil {
					return fmt.Errorf("%s: %w", ids[i], err)
				}
				if rec == nil {
					continue // removed meanwhile
				}
				if err := f(*rec); err != nil {
					return err
				}
			}
			ids = ids[n:]
		}
	}
	return nil
}
