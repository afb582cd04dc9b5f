package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
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

	// NoSync leaves it to the operating system when what was committed reaches
	// the disk. A process that dies loses nothing by it, a machine may lose
	// everything: it is for benchmarks, whose file nobody needs afterwards.
	NoSync bool
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

// whole returns nil unless the file turned out to be damaged.
func (b *Bolt) whole() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.broken
}

// usable is called with mu held.
func (b *Bolt) usable() error {
	if b.closed {
		return ErrClosed
	}
	return b.broken
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
