package store

import (
	"context"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Closing returns the live vacancies that close from one day to another.
func (s *Store) Closing(ctx context.Context, from, to vacancy.Day) ([]alerts.Closing, error) {
	var out []alerts.Closing
	for _, slot := range s.allSlots() {
		live := &engine.ZRange{Key: slotKey(slot, "live"), Min: ms(from.UTC()), Max: ms(to.UTC())}
		if err := s.eng.Read(ctx, slot, live); err != nil {
			return nil, err
		}
		for _, z := range live.Zs {
			key, err := vacancy.ParseKey(z.Member)
			if err != nil {
				return nil, err
			}
			out = append(out, alerts.Closing{Key: key, Day: vacancy.DayOf(fromMS(z.Score), time.UTC)})
		}
	}
	return out, nil
}

// Delivered reports whether a message that holds a told mark of a vacancy had
// been sent before a time. One that is neither on its way nor among the
// tombstones was sent so long ago that its tombstone is gone.
func (s *Store) Delivered(ctx context.Context, key vacancy.Key, message string, before time.Time) (bool, error) {
	slot := s.vacancySlot(key)
	if search, rest, _ := strings.Cut(message, "|"); alerts.IsDigestID(rest) {
		slot = s.slotOf(search)
	}
	msg := &engine.HGet{Key: slotKey(slot, "msg"), Field: message}
	tomb := &engine.ZScore{Key: slotKey(slot, "tomb"), Member: message}
	if err := s.eng.Read(ctx, slot, msg, tomb); err != nil {
		return false, err
	}
	return !msg.OK && (!tomb.OK || tomb.Score < ms(before)), nil
}
