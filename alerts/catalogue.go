package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/index"
)

const (
	// checkOneIn is how many vacancies are matched for one with which the
	// index is compared with the definition, over checkOver searches.
	checkOneIn, checkOver = 100, 10000
	// compactEvery makes the index as small and fast as it gets once a day.
	compactEvery = 24 * time.Hour
)

// ErrBehind is returned by Searches.Changed where the changes since a mark are
// no longer known: all searches have to be read anew.
var ErrBehind = errors.New("changes of searches are no longer listed")

// A Mark is how far somebody has taken over the changes of searches. What is
// in it is the store's affair; nil is before everything.
type Mark []uint64

// A Change is a search as it is now.
type Change struct {
	ID string
	// Search is nil where it is no longer in force, or cannot be used: then
	// Err says why.
	Search *vacancy.Search
	Err    error
}

// Searches gives the saved searches, prepared. They are shared and not to be
// changed.
type Searches interface {
	// Search returns a search that is in force; false where it is unknown or
	// has ended.
	Search(ctx context.Context, id string) (*vacancy.Search, bool, error)
	// Find returns those of the given searches that are in force, in no order.
	Find(ctx context.Context, ids []string) ([]*vacancy.Search, error)
	// Changed calls each with what has changed since the mark, some perhaps
	// twice, and returns the mark from which to go on. With a nil mark these
	// are all that are in force. It returns ErrBehind where the mark is too
	// old.
	Changed(ctx context.Context, since Mark, each func(Change)) (Mark, error)
	// Sample returns about n searches in force, other ones at each call.
	Sample(ctx context.Context, n int) ([]*vacancy.Search, error)
}

// A Catalogue answers which saved searches a vacancy meets, without asking
// each of them. It holds an index of them, takes over what changes in the
// store, and compares itself with the definition of a match on a sample.
type Catalogue struct {
	searches Searches
	log      *slog.Logger
	metrics  *Metrics
	renewed  chan struct{}

	mu    sync.Mutex // held while changes are taken over
	mark  Mark
	index *index.Index
	looks int
}

// NewCatalogue returns a catalogue that is filled when it is first used.
func NewCatalogue(s Searches, log *slog.Logger, m *Metrics) *Catalogue {
	return &Catalogue{searches: s, log: log, metrics: m, renewed: make(chan struct{}, 1), index: index.New()}
}

// Run keeps the index compact until ctx ends. Without it answers are the same
// and, past some ten thousand searches, slower.
func (c *Catalogue) Run(ctx context.Context) error {
	daily := time.NewTicker(compactEvery)
	defer daily.Stop()
	for ctx.Err() == nil {
		merging, cancel := context.WithCancel(ctx)
		var g sync.WaitGroup
		ix := c.current()
		g.Go(func() {
			_ = ix.Run(merging) // ends with its context, and never otherwise
		})
		for wait := true; wait; {
			select {
			case <-ctx.Done():
				wait = false
			case <-c.renewed:
				wait = false
			case <-daily.C:
				ix.Compact()
			}
		}
		cancel()
		g.Wait()
	}
	return nil
}

func (c *Catalogue) current() *index.Index {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.index
}

// Len is how many searches are in force.
func (c *Catalogue) Len(ctx context.Context) (int, error) {
	if err := c.Refresh(ctx); err != nil {
		return 0, err
	}
	return c.current().Len(), nil
}

// Learn tells the index what vacancies are like, which makes it faster. It is
// for some hundred of them, before the first use.
func (c *Catalogue) Learn(v *vacancy.Vacancy, today vacancy.Day) { c.current().Learn(v, today) }

// Refresh takes over what has changed, whoever changed it.
func (c *Catalogue) Refresh(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.mark == nil
	next, err := c.searches.Changed(ctx, c.mark, func(ch Change) { c.take(c.index, ch) })
	if errors.Is(err, ErrBehind) {
		fresh := index.New()
		next, err = c.searches.Changed(ctx, nil, func(ch Change) { c.take(fresh, ch) })
		if err == nil {
			c.index, first = fresh, true
			select {
			case c.renewed <- struct{}{}:
			default:
			}
		}
	}
	if err != nil {
		// What was taken over is right; the mark stays, and it is done again.
		return fmt.Errorf("load the saved searches: %w", err)
	}
	c.mark = next
	if first {
		c.index.Compact()
	}
	return nil
}

// take puts one change into an index. A search that cannot be used must not
// keep the others.
func (c *Catalogue) take(ix *index.Index, ch Change) {
	if ch.Search != nil {
		ix.Add(ch.Search)
		return
	}
	ix.Remove(ch.ID)
	if ch.Err != nil {
		c.log.Error("a saved search is left out", "search", ch.ID, "err", ch.Err)
	}
}

// Match returns the ids of the searches that the vacancy meets on the London
// day, as far as Refresh has taken them over.
func (c *Catalogue) Match(ctx context.Context, v *vacancy.Vacancy, today vacancy.Day) ([]string, error) {
	c.mu.Lock()
	ix := c.index
	c.looks++
	check := c.looks%checkOneIn == 1
	c.mu.Unlock()
	met := collect(ix, v, today)
	if !check {
		return met, nil
	}
	more, err := c.check(ctx, ix, v, today)
	return append(met, more...), err
}

func collect(ix *index.Index, v *vacancy.Vacancy, today vacancy.Day) (met []string) {
	ix.Match(v, today, func(id string) bool {
		met = append(met, id)
		return true
	})
	return met
}

// check compares the index with the definition over a sample of searches. It
// returns those that the index has overlooked, so that nobody misses the
// vacancy, and files them anew.
func (c *Catalogue) check(ctx context.Context, ix *index.Index, v *vacancy.Vacancy, today vacancy.Day) (overlooked []string, err error) {
	sample, err := c.searches.Sample(ctx, checkOver)
	if err != nil {
		return nil, fmt.Errorf("take a sample of the saved searches: %w", err)
	}
	differ := ix.Check(v, today, sample)
	if len(differ) > 0 {
		// They may have changed since the index took them over.
		if err := c.Refresh(ctx); err != nil {
			return nil, err
		}
		ids := make([]string, len(differ))
		for i := range differ {
			ids[i] = differ[i].ID
		}
		if sample, err = c.searches.Find(ctx, ids); err != nil {
			return nil, fmt.Errorf("look up saved searches: %w", err)
		}
		differ = c.current().Check(v, today, sample)
	}
	c.metrics.checked(len(differ))
	for _, d := range differ {
		c.log.Error("the index of saved searches and the definition of a match differ; the definition is followed",
			"search", d.ID, "vacancy", v.Key().String(), "matches", d.Matches, "held", d.Held)
		if d.Matches {
			overlooked = append(overlooked, d.ID)
		}
	}
	for _, s := range sample {
		if slices.Contains(overlooked, s.ID) {
			c.current().Add(s)
		}
	}
	return overlooked, nil
}

// Meeting returns the searches that the vacancy meets on the London day, oldest
// first. It is for those who ask what would be told; nothing is told of it.
func (c *Catalogue) Meeting(ctx context.Context, v *vacancy.Vacancy, today vacancy.Day) ([]*vacancy.Search, error) {
	if err := c.Refresh(ctx); err != nil {
		return nil, err
	}
	return c.find(ctx, collect(c.current(), v, today))
}

// find returns searches by their ids, oldest first.
func (c *Catalogue) find(ctx context.Context, ids []string) ([]*vacancy.Search, error) {
	found, err := c.searches.Find(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("look up %d saved searches: %w", len(ids), err)
	}
	slices.SortFunc(found, func(a, b *vacancy.Search) int { return older(a.Created, a.ID, b.Created, b.ID) })
	return found, nil
}

// older orders searches by when they were made.
func older(a time.Time, aID string, b time.Time, bID string) int {
	if n := a.Compare(b); n != 0 {
		return n
	}
	return strings.Compare(aID, bID)
}
