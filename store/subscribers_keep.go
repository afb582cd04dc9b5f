package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/people"
	"github.com/vacancywatch/vacancywatch/store/engine"
)

// Keep takes note that a person still wants the searches.
func (p *Subscribers) Keep(ctx context.Context, id string, now time.Time) error {
	return p.change(ctx, id, now, func(engine.Tx, string, *subscriber) ([]string, error) { return nil, nil })
}

// askToKeep asks the people of a slot who gave no sign of life for a year
// whether they still want their searches, and ends those of who did not say so
// for a month.
func (s *Store) askToKeep(ctx context.Context, slot string, now time.Time) error {
	over := &engine.ZRange{Key: slotKey(slot, "subask"), Min: never, Max: ms(now), Limit: batch}
	if err := s.eng.Read(ctx, slot, over); err != nil {
		return err
	}
	for _, id := range members(over.Zs) {
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			sub, err := getSubscriber(tx, slot, id)
			if err != nil {
				return err
			}
			if sub == nil || sub.State != people.Active {
				tx.ZRem(slotKey(slot, "subask"), id)
				return nil
			}
			var ended []string
			switch {
			case sub.Asked.IsZero() && now.Sub(sub.Seen) >= people.AskAfter:
				err = s.ask(tx, slot, sub, now)
			case !sub.Asked.IsZero() && now.Sub(sub.Asked) >= people.EndAfter:
				ended = slices.Clone(sub.InForce)
				err = s.endOwn(tx, slot, sub, ended, people.ByExpiry, now)
			}
			if err != nil {
				return err
			}
			putSubscriber(tx, slot, sub)
			return s.noteChanges(tx, slot, ended)
		})
		if err != nil {
			return fmt.Errorf("ask subscriber %s whether the searches are still wanted: %w", id, err)
		}
	}
	return nil
}

// ask queues the mail that asks, by the channel of the first search.
func (s *Store) ask(tx engine.Tx, slot string, sub *subscriber, now time.Time) error {
	r := &engine.HMGet{Key: slotKey(slot, "search"), Fields: sub.InForce}
	if err := tx.Read(r); err != nil {
		return err
	}
	sub.Asked = now.UTC()
	for _, b := range r.Vals {
		var saved savedSearch
		if b == nil || decode(b, &saved) != nil || len(saved.Search.Notify) == 0 {
			continue
		}
		putNotice(tx, slot, sub.ID, people.NoticeKeep, now.UTC().Format("2006-01-02"), sub.ID, saved.Search.Notify[0].Channel, now)
		return nil
	}
	return nil
}
