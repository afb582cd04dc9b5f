package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// savedSearch is a search with its state.
type savedSearch struct {
	Search vacancy.Search `json:"search"`
	// Ended is why and when the search stopped telling anything; it stays as
	// long as the search is in the configuration file, so that what a reader
	// stopped is not started again by the next restart.
	Ended   string    `json:"ended,omitempty"`
	EndedAt time.Time `json:"ended_at,omitzero"`
}

// Reasons why a search has ended.
const (
	EndedByReader = "unsubscribed" // on the page or by one-click
)

// Provision makes the searches of the configuration file those of the store:
// new ones are added, changed ones replaced, and provisioned ones that are no
// longer in the file removed. Searches that people saved themselves are left
// alone. It returns the ids of those that their reader has stopped, which stay
// stopped.
func (s *Store) Provision(ctx context.Context, searches []vacancy.Search, now time.Time) (stopped []string, err error) {
	want := map[string]bool{}
	for i := range searches {
		want[searches[i].ID] = true
	}
	var gone []string
	for _, slot := range s.allSlots() {
		err := s.scan(ctx, slot, slotKey(slot, "search"), func(id string, b []byte) error {
			var saved savedSearch
			if decode(b, &saved) != nil {
				return nil // damaged: whoever takes over changes says so
			}
			if saved.Search.Provisioned && !want[id] {
				gone = append(gone, id)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, id := range gone {
		slot := s.slotOf(id)
		err := s.eng.Update(ctx, slot, func(tx engine.Tx) error {
			tx.HDel(slotKey(slot, "search"), id)
			return s.noteChanges(tx, slot, []string{id})
		})
		if err != nil {
			return nil, fmt.Errorf("remove search %s: %w", id, err)
		}
	}
	bySlot := map[string][]*vacancy.Search{}
	for i := range searches {
		slot := s.slotOf(searches[i].ID)
		bySlot[slot] = append(bySlot[slot], &searches[i])
	}
	for slot, all := range bySlot {
		for part := range slices.Chunk(all, searchBatch) {
			ended, err := s.provision(ctx, slot, part, now)
			if err != nil {
				return nil, err
			}
			stopped = append(stopped, ended...)
		}
	}
	slices.Sort(stopped)
	return stopped, nil
}

// searchBatch is how many searches are read or written in one step.
const searchBatch = 500

// provision saves searches of one slot as the file has them, and returns those
// that their reader has stopped.
func (s *Store) provision(ctx context.Context, slot string, searches []*vacancy.Search, now time.Time) (stopped []string, err error) {
	before := &engine.HMGet{Key: slotKey(slot, "search")}
	for _, search := range searches {
		before.Fields = append(before.Fields, search.ID)
	}
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		stopped = nil
		if err := tx.Read(before); err != nil {
			return err
		}
		var changed []string
		for i, search := range searches {
			saved := savedSearch{Search: *search}
			saved.Search.Provisioned, saved.Search.Created = true, now.UTC()
			if old := before.Vals[i]; old != nil {
				var was savedSearch
				if err := decode(old, &was); err != nil {
					return fmt.Errorf("provision search %s: %w", search.ID, err)
				}
				if !was.Search.Provisioned {
					return fmt.Errorf("provision search %s: a search of this id was saved by a person: give the one in the file another id", search.ID)
				}
				saved.Search.Created = was.Search.Created
				saved.Ended, saved.EndedAt = was.Ended, was.EndedAt
			}
			if saved.Ended != "" {
				stopped = append(stopped, search.ID)
			}
			b := encode(saved)
			if bytes.Equal(b, before.Vals[i]) {
				continue // as at most starts of a daemon
			}
			tx.HSet(slotKey(slot, "search"), search.ID, b)
			changed = append(changed, search.ID)
		}
		return s.noteChanges(tx, slot, changed)
	})
	return stopped, err
}

// EndSearch stops a search for good. It reports false where there is none of
// that id. Ending it twice is the same as once.
func (s *Store) EndSearch(ctx context.Context, id, reason string, now time.Time) (found bool, err error) {
	slot := s.slotOf(id)
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		found = false
		r := &engine.HGet{Key: slotKey(slot, "search"), Field: id}
		if err := tx.Read(r); err != nil {
			return err
		}
		if !r.OK {
			return nil
		}
		found = true
		var saved savedSearch
		if err := decode(r.Val, &saved); err != nil {
			return err
		}
		if saved.Ended != "" {
			return nil
		}
		if !saved.Search.Provisioned && saved.Search.Subscriber != "" {
			return s.endFromLink(tx, slot, id, saved.Search.Subscriber, reason, now)
		}
		saved.Ended, saved.EndedAt = reason, now.UTC()
		tx.HSet(slotKey(slot, "search"), id, encode(saved))
		return s.noteChanges(tx, slot, []string{id})
	})
	return found, err
}

// Saved returns a search whether it is active or has ended, with the reason
// of its end.
func (s *Store) Saved(ctx context.Context, id string) (search vacancy.Search, ended string, found bool, err error) {
	slot := s.slotOf(id)
	r := &engine.HGet{Key: slotKey(slot, "search"), Field: id}
	if err := s.eng.Read(ctx, slot, r); err != nil || !r.OK {
		return vacancy.Search{}, "", false, err
	}
	var saved savedSearch
	if err := decode(r.Val, &saved); err != nil {
		return vacancy.Search{}, "", false, fmt.Errorf("search %s: %w", id, err)
	}
	_ = saved.Search.Prepare() // for Describe; what is saved was prepared before
	return saved.Search, saved.Ended, true, nil
}
