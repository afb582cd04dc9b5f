package engine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
)

// Bounds on the steps that share a commit: beyond them the others wait for the
// next one, so that no step waits long for its neighbours.
const (
	mostSteps = 256
	mostItems = 5000
)

// A step is one Update on its way through the queue.
type step struct {
	tx    *boltTx
	fn    func(Tx) error
	state atomic.Int32
	turn  chan struct{} // may run now
	ran   chan struct{} // has run
	done  chan struct{} // err is final
	err   error
}

const (
	waiting int32 = iota
	taken
	withdrawn
)

// errLeft says that a step ended its goroutine by runtime.Goexit.
var errLeft = errors.New("step did not return")

// Update implements [Engine].
func (b *Bolt) Update(ctx context.Context, slot string, fn func(Tx) error) error {
	if err := checkSlot(slot); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	s := &step{
		tx: &boltTx{buffer: buffer{slot: slot}, b: b, ctx: ctx}, fn: fn, err: errLeft,
		turn: make(chan struct{}, 1), ran: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if err := b.join(s); err != nil {
		return fmt.Errorf("update slot %s: %w", slot, err)
	}
	if ctx.Err() != nil && s.state.CompareAndSwap(waiting, withdrawn) {
		return fmt.Errorf("update slot %s: %w", slot, ctx.Err())
	}
	select {
	case <-s.turn:
		s.run()
		<-s.done
	case b.writer <- struct{}{}:
		// Nobody else leads, so nobody has taken this step. One commit may be
		// too full for it.
		func() {
			defer func() { <-b.writer }()
			for s.state.Load() == waiting {
				b.lead(s)
			}
		}()
	case <-ctx.Done():
		if s.state.CompareAndSwap(waiting, withdrawn) {
			return fmt.Errorf("update slot %s: %w", slot, ctx.Err())
		}
		<-s.turn
		s.run()
		<-s.done
	}
	return s.err
}

// join puts a step into the queue.
func (b *Bolt) join(s *step) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.usable(); err != nil {
		return err
	}
	b.queue = append(b.queue, s)
	return nil
}

// next takes the first waiting step out of the queue, nil if there is none.
func (b *Bolt) next() *step {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queue) > 0 {
		s := b.queue[0]
		b.queue[0] = nil
		b.queue = b.queue[1:]
		if s.state.CompareAndSwap(waiting, taken) {
			return s
		}
	}
	return nil
}

// run runs the step on the goroutine that brought it.
func (s *step) run() {
	defer func() {
		s.tx.over = true
		s.ran <- struct{}{}
	}()
	if s.tx.ctx.Err() != nil {
		s.err = fmt.Errorf("update slot %s: %w", s.tx.slot, s.tx.ctx.Err())
		return
	}
	err := runStep(s.fn, s.tx)
	switch {
	case s.tx.readErr != nil:
		err = s.tx.readErr
	case err == nil && s.tx.err != nil:
		err = s.tx.err
	case err == nil && s.tx.ctx.Err() != nil:
		err = fmt.Errorf("update slot %s: %w", s.tx.slot, s.tx.ctx.Err())
	}
	s.err = err
}

// lead runs waiting steps in one transaction of the file and commits it. own is
// the leader's, which may or may not get its turn. The caller holds writer.
func (b *Bolt) lead(own *step) {
	var group []*step
	var tx *bolt.Tx
	result := errLeft // what becomes of them all if own leaves by runtime.Goexit
	defer func() {
		if tx != nil {
			_ = b.guard(tx.Rollback) // Not needed, and an error, after a commit.
		}
		for _, s := range group {
			// What a step saw may have been undone with the rest, so that not
			// even its own error is worth keeping.
			if result != nil {
				s.err = fmt.Errorf("update slot %s: %w", s.tx.slot, result)
			}
			close(s.done)
		}
	}()

	begun := b.whole()
	if begun == nil {
		begun = b.guard(func() (err error) {
			tx, err = b.db.Begin(true)
			return err
		})
	}
	wrote := false
	for items := 0; len(group) < mostSteps && items < mostItems; {
		s := b.next()
		if s == nil {
			break
		}
		group = append(group, s)
		if begun != nil {
			s.fn = func(Tx) error { return begun }
		}
		s.tx.tx = tx
		if s == own {
			s.run()
		} else {
			s.turn <- struct{}{}
		}
		<-s.ran
		if broken := b.whole(); broken != nil && begun == nil {
			result = broken
			return
		}
		if s.err != nil || len(s.tx.ops) == 0 {
			continue
		}
		if s.err = b.guard(func() error { return checkKinds(tx, s.tx.ops) }); s.err != nil {
			continue
		}
		wrote = true
		items += s.tx.items
		if err := b.guard(func() error { return apply(tx, s.tx.ops) }); err != nil {
			result = err
			return
		}
	}
	if result = begun; result == nil && wrote {
		result = b.commit(tx)
	}
}

// boltTx is a step on bbolt under way.
type boltTx struct {
	buffer
	b       *Bolt
	ctx     context.Context
	tx      *bolt.Tx
	readErr error
	over    bool
}

// Read implements [Tx].
func (t *boltTx) Read(reads ...Read) error {
	if t.over {
		return errOver
	}
	if t.readErr != nil {
		return t.readErr
	}
	if err := t.reading(reads); err != nil {
		return err
	}
	if err := t.b.guard(func() error { return answer(t.ctx, t.tx, reads) }); err != nil {
		t.readErr = fmt.Errorf("update slot %s: %w", t.slot, err)
	}
	return t.readErr
}
