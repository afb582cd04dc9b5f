package preview

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A slowSource takes its time and counts how often it is read.
type slowSource struct {
	mu    sync.Mutex
	reads int
	takes time.Duration
	err   error
	panic bool
}

func (s *slowSource) Recent(ctx context.Context, _ time.Time, f func(vacancy.Record) error) error {
	s.mu.Lock()
	s.reads++
	takes, err, panics := s.takes, s.err, s.panic
	s.mu.Unlock()
	if panics {
		panic("a secret")
	}
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	return err
}

func (s *slowSource) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *slowSource) wantReads(t *testing.T, want int, when string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reads != want {
		t.Errorf("%s: read %d times, want %d", when, s.reads, want)
	}
}

// However many visitors come, the source is read once a minute, and only the
// first of them waits.
func TestBoardsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &slowSource{takes: time.Second}
		bs := &Boards{Source: src, Now: time.Now}
		var g sync.WaitGroup
		for range 50 {
			g.Go(func() {
				if _, err := bs.Get(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		g.Wait()
		src.wantReads(t, 1, "fifty at once")

		for range 3 * 60 {
			time.Sleep(time.Second)
			start := time.Now()
			if _, err := bs.Get(t.Context()); err != nil {
				t.Fatal(err)
			}
			if waited := time.Since(start); waited > 0 {
				t.Fatalf("a visitor waited %s though there is a board", waited)
			}
		}
		src.wantReads(t, 4, "three minutes later")

		time.Sleep(time.Hour)
		bs.mu.Lock()
		kept := bs.board != nil
		bs.mu.Unlock()
		if kept {
			t.Error("the board is kept though nobody has come for an hour")
		}
		src.wantReads(t, 4, "an hour without visitors")
		if _, err := bs.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		src.wantReads(t, 5, "the next visitor")
	})
}

// A board that takes long to read is read less often.
func TestBoardsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &slowSource{takes: 10 * time.Second}
		bs := &Boards{Source: src, Now: time.Now}
		for range 600 {
			if _, err := bs.Get(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		src.wantReads(t, 4, "ten minutes") // at the start, and every 200 seconds
		time.Sleep(time.Hour)
	})
}

func TestBoardsFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("the store is away")
		src := &slowSource{err: broken}
		bs := &Boards{Source: src, Now: time.Now}
		for range 100 {
			if _, err := bs.Get(t.Context()); !errors.Is(err, broken) {
				t.Fatalf("got %v", err)
			}
		}
		src.wantReads(t, 1, "a hundred visitors at a broken store")
		time.Sleep(keepError)
		src.set(nil)
		if _, err := bs.Get(t.Context()); err != nil {
			t.Fatalf("once it works again: %v", err)
		}
		// A board that could not be renewed is shown until it is too old.
		src.set(broken)
		for age := time.Duration(0); age < oldest-time.Minute; age += time.Minute {
			time.Sleep(time.Minute)
			if _, err := bs.Get(t.Context()); err != nil {
				t.Fatalf("at the age of %s: %v", age, err)
			}
			synctest.Wait()
		}
		time.Sleep(2 * time.Minute)
		if _, err := bs.Get(t.Context()); !errors.Is(err, broken) {
			t.Errorf("when the board is too old: got %v", err)
		}
		time.Sleep(time.Hour)
	})
}

func TestBoardsPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bs := &Boards{Source: &slowSource{panic: true}, Now: time.Now}
		if _, err := bs.Get(t.Context()); err == nil || !strings.Contains(err.Error(), "panic of type string") || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v", err)
		}
	})
}

// A visitor who gives up does not end the reading for the others.
func TestBoardsGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &slowSource{takes: 10 * time.Second}
		bs := &Boards{Source: src, Now: time.Now}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := bs.Get(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if _, err := bs.Get(t.Context()); err != nil {
			t.Error(err)
		}
		src.wantReads(t, 1, "two visitors")
		time.Sleep(time.Hour)
	})
}
