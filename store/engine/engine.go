// Package engine keeps hashes and sorted sets and changes them in small,
// atomic, isolated steps. It is the floor under package store: the store's
// rules are written once, over [Engine], and run unchanged on Redis ([Redis],
// for production) and on one bbolt file ([Bolt], for a machine without Redis).
// An engine holds no rules of its own: it never decides what is new, never
// expires anything, never reads a clock for anything that is stored, and never
// looks into a value.
//
// # Keys
//
// Everything lies in slots, named by the caller. Every key begins with its
// slot in braces, as in "{vw:07}:out", which on a Redis Cluster keeps the
// slot's keys on one node. One step touches one slot. A key is a hash or a
// sorted set for as long as it exists; it appears with its first entry and is
// gone with its last. The key "{slot}:commits" belongs to the engine.
//
// # What a crash does
//
//   - A step is seen whole or not at all, by every reader, after every crash.
//   - After nil, the step is as durable as the medium promises. bbolt: synced
//     to the disk. Redis with appendonly and appendfsync always: the same;
//     with everysec, a crash of the server loses a second or more of
//     acknowledged steps; without an append-only file, everything since the
//     last snapshot. A failover to a replica loses what it had not received.
//     [Redis.Check] says at the start which of these holds.
//   - After an error nothing of the step is stored, now or later, except after
//     [ErrUnknown], when it may be.
//   - A reply lost after the commit was sent is not guessed at. Every commit
//     to Redis pushes a nonce onto the slot's commits key, in the same
//     transaction; the engine looks its nonce up and either finds it, or
//     pushes one of its own, which makes the lost transaction fail should it
//     arrive late. Only then does it run the step again.
//   - A bbolt file that cannot be read is moved aside at the start, never
//     deleted, and replaced by the newest good copy.
//
// Steps should stay idempotent or guarded by a token all the same: the process
// that made one may die before it hears the answer.
package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
)

var (
	// ErrUnknown says that a step was sent to be committed and that it could
	// not be learned, before the context ended, whether it was.
	ErrUnknown = errors.New("outcome of the step unknown")

	// ErrClosed says that the engine was closed.
	ErrClosed = errors.New("engine closed")

	// ErrDamaged says that the file under a [Bolt] turned out to be
	// unreadable. Opening it again moves it aside and restores a copy.
	ErrDamaged = errors.New("state file damaged")
)

// Limits on what is stored, the same on every engine.
const (
	MaxName  = 16 << 10 // bytes in a key, field or member
	MaxValue = 64 << 20 // bytes in the value of a field
)

// An Engine stores hashes and sorted sets. Its methods may be called by many
// goroutines at once. No method may be called from inside a step.
type Engine interface {
	// Update runs fn as one atomic, isolated step on one slot: what fn read is
	// still so when its writes are applied, or fn is run again.
	//
	// fn may therefore run several times, and must reset its results at its
	// start; whatever must be the same each time, such as a token, is made
	// outside. If fn returns an error, or panics (then the error is a
	// *[PanicError]), nothing is written and Update returns that error. An
	// error of [Tx.Read] belongs to the engine, which runs fn again or returns
	// it, whatever fn made of it.
	//
	// After nil, everything fn wrote is as durable as the engine promises.
	// After an error nothing of it is or will be stored, except after
	// ErrUnknown. The end of ctx stops the waiting and the repeating; once a
	// commit is on its way Update takes up to a second more to learn what
	// became of it.
	Update(ctx context.Context, slot string, fn func(Tx) error) error

	// Read fills in the results of reads, all on keys of one slot, as they
	// stand at one moment. After an error the results mean nothing.
	Read(ctx context.Context, slot string, reads ...Read) error

	// Slots is the number of slots over which a store should spread what it
	// keeps: 16 on Redis, where steps on different slots do not wait for each
	// other, and 1 on bbolt, where steps on one slot share a commit.
	Slots() int

	// Ping returns nil if the engine can be reached and read.
	Ping(ctx context.Context) error

	// Close waits for running steps on bbolt, interrupts them on Redis, and
	// releases what the engine holds. After it every method returns ErrClosed.
	Close() error
}

// A Tx is what a step works with. It must not be used by two goroutines, nor
// after the step has returned.
//
// Writes are kept in memory until the step returns and then applied together,
// in the order of the calls. Reads, on every engine, see the state before the
// step's own writes. A write that cannot be (a key of another slot, a score
// that is no number, a name over its limit) makes the whole step fail.
type Tx interface {
	// Read fills in the results of reads. A batch is one round trip.
	Read(reads ...Read) error

	// HSet sets a field of a hash. An empty value is not an absent one. The
	// value is copied.
	HSet(key, field string, val []byte)

	// HDel removes fields of a hash; absent ones are no error.
	HDel(key string, fields ...string)

	// ZAdd adds members to a sorted set or moves them to a new score.
	ZAdd(key string, zs ...Z)

	// ZRem removes members of a sorted set; absent ones are no error.
	ZRem(key string, members ...string)

	// Del removes whole keys of either kind; absent ones are no error.
	Del(keys ...string)
}

// Z is one member of a sorted set. Scores are any float64 but NaN.
type Z struct {
	Member string
	Score  float64
}

// A PanicError is what [Engine.Update] returns when its step panicked.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // of the goroutine that panicked
}

func (e *PanicError) Error() string { return fmt.Sprintf("step panicked: %v", e.Value) }

// Unwrap returns the value of the panic if that was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// runStep runs fn and turns a panic into an error.
func runStep(fn func(Tx) error, tx Tx) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return fn(tx)
}

// commitsKey names the list of a slot's last commits, which is the engine's.
func commitsKey(slot string) string { return "{" + slot + "}:commits" }

// checkSlot returns an error unless slot can be a hash tag of Redis.
func checkSlot(slot string) error {
	if slot == "" || strings.ContainsAny(slot, "{}") || len(slot) > MaxName/2 {
		return fmt.Errorf("slot %q: must be neither empty nor long, and have no braces", clip(slot))
	}
	return nil
}

// checkKey returns an error unless key lies in slot and is the caller's to use.
func checkKey(slot, key string) error {
	switch {
	case len(key) < len(slot)+2 || key[0] != '{' || key[1:1+len(slot)] != slot || key[1+len(slot)] != '}':
		return fmt.Errorf("key %q is not in slot %q: it must begin with %q", clip(key), slot, "{"+slot+"}")
	case len(key) > MaxName:
		return fmt.Errorf("key %q: longer than %d bytes", clip(key), MaxName)
	case key == commitsKey(slot):
		return fmt.Errorf("key %q is reserved for the engine", key)
	}
	return nil
}

// clip keeps a name in an error text short.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// grace is how long Update may go on, after its context has ended, to learn
// what became of a commit it has sent.
const grace = time.Second

// withGrace returns a context that ends grace after ctx does.
func withGrace(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	undo := func() {}
	if end, ok := ctx.Deadline(); ok {
		// The client heeds deadlines while it waits for a reply, but not a
		// cancellation, so the deadline must be passed on as one.
		longer, undo = context.WithDeadline(longer, end.Add(grace))
	}
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(longer, func() { timer.Stop() })
	})
	return longer, func() { stop(); undo(); cancel() }
}
