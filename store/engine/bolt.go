package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Bounds on the steps that share a commit: beyond them the others wait for the
// next one, so that no step waits long for its neighbours.
const (
	mostSteps = 256
	mostItems = 5000
)

// BoltOptions says how to open a [Bolt].
type BoltOptions struct {
	// Warn is told, in a sentence, what an operator must know: that a file was
	// found damaged, where it was moved, and what took its place. May be nil.
	Warn func(string)

	// Copies is a glob pattern of files made by [Bolt.Copy], from which the
	// newest good one is restored when the file is damaged. Defaults to the
	// path followed by ".copy*".
	Copies string

	// LockTimeout is how long to wait for another process to let go of the
	// file. Defaults to one second.
	LockTimeout time.Duration
}

// Bolt is an [Engine] on one bbolt file, which one process holds at a time.
//
// Steps that wait while another one commits share the next commit: they run one
// after the other, each on its caller's goroutine, each seeing what those before
// it wrote; one that fails adds nothing. Only when the commit itself fails do all
// of them fail.
type Bolt struct {
	path   string
	db     *bolt.DB
	file   *os.File      // the file of db, to let go of it when db no longer can
	writer chan struct{} // full while someone leads a commit

	mu     sync.Mutex
	queue  []*step
	closed bool
	broken error // wraps ErrDamaged; set once
}

var _ Engine = (*Bolt)(nil)

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

// usable is called with mu held.
func (b *Bolt) usable() error {
	if b.closed {
		return ErrClosed
	}
	return b.broken
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

// whole returns nil unless the file turned out to be damaged.
func (b *Bolt) whole() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.broken
}

// commit commits and says what a failure leaves behind.
func (b *Bolt) commit(tx *bolt.Tx) error {
	id := tx.ID()
	err := b.guard(tx.Commit)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrDamaged):
		return fmt.Errorf("commit to %s: %w: %w", b.path, ErrUnknown, err)
	}
	// bbolt writes the data first and then one page that makes it valid. If
	// the failure came after that, the step is in the file but may not
	// outlast a loss of power.
	var visible bool
	if seen := b.guard(func() error {
		return b.db.View(func(now *bolt.Tx) error {
			visible = now.ID() >= id
			return nil
		})
	}); seen != nil || visible {
		b.breakDown(fmt.Errorf("%s: %w: an earlier commit failed half-way; open it again", b.path, ErrDamaged))
		return fmt.Errorf("commit to %s: %w: %w", b.path, ErrUnknown, err)
	}
	return fmt.Errorf("commit to %s: %w", b.path, err)
}

// guard calls f, which works on the file, and turns what bbolt does on a damaged
// one, a panic or a fault of the memory map, into an error. After that the
// engine is of no more use.
func (b *Bolt) guard(f func() error) error {
	err := guarded(f)
	if errors.Is(err, ErrDamaged) {
		err = fmt.Errorf("%s: %w", b.path, err)
		b.breakDown(err)
	}
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

func guarded(f func() error) (err error) {
	// A page beyond the end of a truncated file is a fault, not a panic.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, v)
		}
	}()
	return f()
}

func (b *Bolt) breakDown(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken == nil {
		b.broken = err
	}
}

// view runs f, which only reads, in a transaction of its own.
func (b *Bolt) view(f func(*bolt.Tx) error) error {
	b.mu.Lock()
	err := b.usable()
	b.mu.Unlock()
	if err != nil {
		return err
	}
	return b.guard(func() error { return b.db.View(f) })
}

// Read implements [Engine].
func (b *Bolt) Read(ctx context.Context, slot string, reads ...Read) error {
	if err := checkSlot(slot); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if err := prepare(slot, reads); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("read slot %s: %w", slot, err)
	}
	err := b.view(func(tx *bolt.Tx) error { return answer(ctx, tx, reads) })
	if err != nil {
		return fmt.Errorf("read slot %s: %w", slot, err)
	}
	return nil
}

// Slots implements [Engine].
func (b *Bolt) Slots() int { return 1 }

// Ping implements [Engine].
func (b *Bolt) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ping %s: %w", b.path, err)
	}
	if err := b.view(func(*bolt.Tx) error { return nil }); err != nil {
		return fmt.Errorf("ping %s: %w", b.path, err)
	}
	return nil
}

// Close implements [Engine].
func (b *Bolt) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	broken := b.broken
	b.mu.Unlock()

	// Steps that joined before run to their end: each has a caller who will
	// lead if nobody else does, and the last leader leaves the queue empty.
	for {
		b.writer <- struct{}{}
		if b.idle() {
			break
		}
		<-b.writer
	}
	defer func() { <-b.writer }()
	closed := make(chan error, 1)
	go func() { closed <- guarded(b.db.Close) }()
	var err error
	if broken == nil {
		err = <-closed
	} else {
		// bbolt may have left its own locks taken when it failed. Then the
		// file stays locked, for other processes too, until this one ends.
		select {
		case err = <-closed:
		case <-time.After(time.Second):
			err = b.file.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("close %s: %w", b.path, err)
	}
	return nil
}

// idle reports whether no step waits.
func (b *Bolt) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.queue {
		if s.state.Load() == waiting {
			return false
		}
	}
	return true
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
