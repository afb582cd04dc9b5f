package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
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

// searchCache holds the prepared searches of one revision.
type searchCache struct {
	rev    uint64
	active []*vacancy.Search
	byID   map[string]*vacancy.Search
}

// Active returns the searches in force, prepared, oldest first.
func (s *Store) Active(ctx context.Context) ([]*vacancy.Search, error) {
	c, err := s.loadSearches(ctx)
	if err != nil {
		return nil, err
	}
	return c.active, nil
}

// Search returns an active search by its id.
func (s *Store) Search(ctx context.Context, id string) (*vacancy.Search, bool, error) {
	c, err := s.loadSearches(ctx)
	if err != nil {
		return nil, false, err
	}
	got, ok := c.byID[id]
	return got, ok, nil
}

// loadSearches reads all searches where a change since the last look makes
// that necessary. One small read tells, whoever made the change.
func (s *Store) loadSearches(ctx context.Context) (*searchCache, error) {
	rev, err := s.searchRevision(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	cached := s.searches
	s.mu.Unlock()
	if cached != nil && cached.rev == rev {
		return cached, nil
	}
	c := &searchCache{rev: rev, byID: map[string]*vacancy.Search{}}
	for _, slot := range s.allSlots() {
		err := s.scan(ctx, slot, slotKey(slot, "search"), func(id string, b []byte) error {
			var saved savedSearch
			if err := decode(b, &saved); err != nil {
				return fmt.Errorf("search %s: %w", id, err)
			}
			if saved.Ended != "" || c.byID[id] != nil {
				return nil
			}
			search := saved.Search
			if err := search.Prepare(); err != nil {
				// A word list changed under it. It must not take the others
				// down; check and the start-up log name it.
				return nil
			}
			c.byID[id] = &search
			c.active = append(c.active, &search)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(c.active, func(a, b *vacancy.Search) int {
		if n := a.Created.Compare(b.Created); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.searches == nil || s.searches.rev < rev {
		s.searches = c
	}
	return c, nil
}

func (s *Store) searchRevision(ctx context.Context) (uint64, error) {
	r := &engine.HGet{Key: metaKey("searches"), Field: "rev"}
	if err := s.eng.Read(ctx, metaSlot, r); err != nil {
		return 0, err
	}
	if !r.OK {
		return 0, nil
	}
	return strconv.ParseUint(string(r.Val), 10, 64)
}

// touchSearches tells every process that searches have changed. It follows the
// change: a process that dies between leaves the others with the old search
// until the next change, and finds the new one itself at its start.
func (s *Store) touchSearches(ctx context.Context) error {
	return s.eng.Update(ctx, metaSlot, func(tx engine.Tx) error {
		r := &engine.HGet{Key: metaKey("searches"), Field: "rev"}
		if err := tx.Read(r); err != nil {
			return err
		}
		rev := uint64(0)
		if r.OK {
			var err error
			if rev, err = strconv.ParseUint(string(r.Val), 10, 64); err != nil {
				return fmt.Errorf("the stored revision of searches is damaged: %w", err)
			}
		}
		tx.HSet(metaKey("searches"), "rev", strconv.AppendUint(nil, rev+1, 10))
		return nil
	})
}

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
			if err := decode(b, &saved); err != nil {
				return fmt.Errorf("search %s: %w", id, err)
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
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("remove search %s: %w", id, err)
		}
	}
	for i := range searches {
		search := searches[i]
		search.Provisioned = true
		saved, err := s.putSearch(ctx, search, now)
		if err != nil {
			return nil, fmt.Errorf("provision search %s: %w", search.ID, err)
		}
		if saved.Ended != "" {
			stopped = append(stopped, search.ID)
		}
	}
	return stopped, s.touchSearches(ctx)
}

func (s *Store) putSearch(ctx context.Context, search vacancy.Search, now time.Time) (saved savedSearch, err error) {
	slot := s.slotOf(search.ID)
	err = s.eng.Update(ctx, slot, func(tx engine.Tx) error {
		saved = savedSearch{Search: search}
		saved.Search.Created = now.UTC()
		old := &engine.HGet{Key: slotKey(slot, "search"), Field: search.ID}
		if err := tx.Read(old); err != nil {
			return err
		}
		if old.OK {
			var before savedSearch
			if err := decode(old.Val, &before); err != nil {
				return err
			}
			if search.Provisioned && !before.Search.Provisioned {
				return errors.New("a search of this id was saved by a person: give the one in the file another id")
			}
			saved.Search.Created = before.Search.Created
			saved.Ended, saved.EndedAt = before.Ended, before.EndedAt
		}
		tx.HSet(slotKey(slot, "search"), search.ID, encode(saved))
		return nil
	})
	return saved, err
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
		saved.Ended, saved.EndedAt = reason, now.UTC()
		tx.HSet(slotKey(slot, "search"), id, encode(saved))
		return nil
	})
	if err != nil || !found {
		return found, err
	}
	return true, s.touchSearches(ctx)
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
