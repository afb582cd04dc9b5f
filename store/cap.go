package store

import (
	"context"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// keepPlaces is how long the single mails of a reader's last day are kept: the
// longest day has 25 hours.
const keepPlaces = 48 * time.Hour

// places are the single mails that one reader gets in a day in London.
type places struct {
	Day vacancy.Day `json:"day"`
	IDs []string    `json:"ids"`
}

// Place gives a single mail its place among those that its reader gets in a
// day. The places are kept by message, so whoever asks again, after a crash or
// a lost reply, gets the same one, and none is counted twice. A message keeps
// its place should it be dropped after all: then the reader gets one mail
// fewer, and what is over comes with the digest.
func (s *Store) Place(ctx context.Context, c *alerts.Claim, day vacancy.Day, most int) (place int, err error) {
	reader := c.Message.Subscriber + "|" + c.Message.Dest
	slot := s.slotOf(reader)
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		place = 0
		r := &engine.HGet{Key: slotKey(slot, "places"), Field: reader}
		if err := tx.Read(r); err != nil {
			return err
		}
		p := places{Day: day}
		if r.OK {
			var kept places
			if err := decode(r.Val, &kept); err != nil {
				return err
			}
			// A clock that goes back over midnight opens no new day.
			if !kept.Day.Before(day) {
				p = kept
			}
		}
		if i := slices.Index(p.IDs, c.Message.ID); i >= 0 {
			place = i + 1
			return nil
		}
		if len(p.IDs) >= most {
			return nil
		}
		p.IDs = append(p.IDs, c.Message.ID)
		place = len(p.IDs)
		tx.HSet(slotKey(slot, "places"), reader, encode(p))
		tx.ZAdd(slotKey(slot, "placesend"), engine.Z{Member: reader, Score: ms(p.Day.UTC().Add(keepPlaces))})
		return nil
	})
	return place, err
}

func dropPlaces(tx engine.Tx, slot string, readers []string) {
	tx.HDel(slotKey(slot, "places"), readers...)
	tx.ZRem(slotKey(slot, "placesend"), readers...)
}
