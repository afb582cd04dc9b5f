package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// keepCommits is how many nonces of past commits a slot keeps. A lost reply can
// be cleared up as long as fewer steps than that were committed since.
const keepCommits = 1024

// A verdict says what became of one attempt at a step.
type verdict int

const (
	settled  verdict = iota // committed, or failed for good
	conflict                // another process was faster; nothing is stored
	again                   // the server could not be used; nothing is stored
	lost                    // the commit was sent, the answer did not come
)

// Update implements [Engine]: WATCH the slot's list of commits, let fn read,
// then MULTI, a new nonce, the writes, EXEC.
func (r *Redis) Update(ctx context.Context, slot string, fn func(Tx) error) error {
	if err := checkSlot(slot); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	unlock, err := r.lock(ctx, slot)
	if err != nil {
		return fmt.Errorf("update slot %s: %w", slot, err)
	}
	defer unlock()

	var trouble time.Time // since when the server cannot be used
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("update slot %s: %w", slot, err)
		}
		v, sent, err := r.attempt(ctx, slot, fn)
		switch v {
		case settled:
			return err
		case conflict:
			trouble = time.Time{}
		case again:
			if trouble.IsZero() {
				trouble, n = time.Now(), 0
			}
			if time.Since(trouble) > r.patience {
				return err
			}
			r.lookAgain(ctx)
		case lost:
			committed, rerr := r.resolve(ctx, slot, sent)
			if rerr != nil {
				return fmt.Errorf("update slot %s: %w: %w; then %w", slot, ErrUnknown, r.clean(err), r.clean(rerr))
			}
			if committed {
				return nil
			}
			trouble, n = time.Time{}, 0
		}
		pause(ctx, n, !trouble.IsZero())
	}
}

// lookAgain makes a Cluster client learn of a new master at once.
func (r *Redis) lookAgain(ctx context.Context) {
	if r.cluster != nil {
		r.cluster.ReloadState(ctx)
	}
}

// pause waits 0.5 to 20 ms, or to 200 ms when the server is down; the more, the
// greater n; or until ctx ends. The spread keeps processes from colliding again.
func pause(ctx context.Context, n int, down bool) {
	const least = 500 * time.Microsecond
	most := 20 * time.Millisecond
	if down {
		most = 200 * time.Millisecond
	}
	span := min(least<<min(n, 10), most-least)
	timer := time.NewTimer(least + mrand.N(span))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// A commit identifies one EXEC that was sent.
type commit struct {
	nonce string
	after string // the newest nonce when it was prepared, "" if there was none
}

// attempt runs the step once. Only after the verdict lost does the commit mean
// anything, and only after settled is err an answer for the caller.
func (r *Redis) attempt(ctx context.Context, slot string, fn func(Tx) error) (v verdict, sent commit, err error) {
	node, err := r.node(ctx, slot)
	if err != nil {
		return r.failed(ctx, slot, err)
	}
	// Watch without keys only pins a connection; the WATCH goes out below,
	// together with the question for the newest nonce.
	inner := node.Watch(ctx, func(tx *redis.Tx) error {
		v, sent, err = r.pinned(ctx, tx, slot, fn)
		return nil
	})
	if inner != nil {
		return r.failed(ctx, slot, inner)
	}
	return v, sent, err
}

func (r *Redis) pinned(ctx context.Context, tx *redis.Tx, slot string, fn func(Tx) error) (verdict, commit, error) {
	key := commitsKey(slot)
	pipe := tx.Pipeline()
	watch := pipe.Do(ctx, "watch", key)
	newest := pipe.LIndex(ctx, key, 0)
	_, _ = pipe.Exec(ctx)
	if err := watch.Err(); err != nil {
		return r.failed(ctx, slot, err)
	}
	if err := orNil(newest.Err()); err != nil {
		return r.failed(ctx, slot, err)
	}
	// Deferred, so that a step which leaves by runtime.Goexit does not return a
	// connection that still watches. EXEC ends a WATCH by itself.
	watching := true
	defer func() {
		if watching {
			short, cancel := withGrace(ctx)
			defer cancel()
			_ = tx.Unwatch(short).Err()
		}
	}()

	t := &redisTx{buffer: buffer{slot: slot}, r: r, ctx: ctx, tx: tx}
	err := runStep(fn, t)
	t.over = true
	switch {
	case t.readErr != nil:
		return r.failed(ctx, slot, t.readErr)
	case err == nil && t.err != nil:
		err = t.err
	case err == nil && ctx.Err() != nil:
		err = fmt.Errorf("update slot %s: %w", slot, ctx.Err())
	}

	if err != nil || len(t.ops) == 0 {
		if t.asked <= 1 {
			return settled, commit{}, err
		}
		// fn's answer rests on several reads. Make sure that they belong
		// together, as they do when a step commits.
		watching = false
		_, vErr := tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.LIndex(ctx, key, 0)
			return nil
		})
		if vErr = orNil(vErr); vErr != nil && ctx.Err() == nil {
			return r.failed(ctx, slot, vErr)
		}
		return settled, commit{}, err
	}

	watching = false
	return r.commit(ctx, tx, slot, t.ops, commit{nonce: rand.Text()[:16], after: newest.Val()})
}

// commit sends the writes.
func (r *Redis) commit(ctx context.Context, tx *redis.Tx, slot string, ops []op, sent commit) (verdict, commit, error) {
	ctx, cancel := withGrace(ctx)
	defer cancel()

	pipe := tx.TxPipeline()
	push := pipe.LPush(ctx, commitsKey(slot), sent.nonce)
	pipe.LTrim(ctx, commitsKey(slot), 0, keepCommits-1)
	for _, o := range ops {
		tell(ctx, pipe, o)
	}
	cmds, err := pipe.Exec(ctx)
	switch {
	case err == nil:
		return settled, sent, nil
	case errors.Is(err, redis.TxFailedErr):
		return conflict, sent, err
	case !isReply(err):
		return lost, sent, err
	case redis.HasErrorPrefix(err, "EXECABORT"):
		// Nothing was run. Why is in the answer to one of the commands.
		for _, c := range cmds {
			if isReply(c.Err()) && !redis.HasErrorPrefix(c.Err(), "EXECABORT") {
				err = c.Err()
				break
			}
		}
		return r.failed(ctx, slot, err)
	case push.Err() == nil && push.Val() > 0:
		// Redis ran the transaction and does not roll back. Only a key of
		// another kind, made behind the engine's back or by a caller that
		// breaks its contract, leads here.
		return settled, sent, fmt.Errorf("commit to slot %s: %w: part of it was refused: %w", slot, ErrUnknown, r.clean(err))
	}
	return lost, sent, err
}

// failed is the result of an attempt that has committed nothing because of err,
// which came from the client.
func (r *Redis) failed(ctx context.Context, slot string, err error) (verdict, commit, error) {
	v := r.judgeReply(ctx, err)
	if ctx.Err() != nil {
		err = ctx.Err() // What the client makes of it may be a mere timeout.
	}
	return v, commit{}, fmt.Errorf("update slot %s: %w", slot, r.clean(err))
}

// resolve finds out whether a commit whose answer was lost took place, and makes
// sure that if it has not, it never will: it changes the list that the lost
// transaction watches. It goes on until it knows, or ctx and a grace are over.
func (r *Redis) resolve(ctx context.Context, slot string, sent commit) (committed bool, err error) {
	ctx, cancel := withGrace(ctx)
	defer cancel()
	for n := 0; ; n++ {
		var known bool
		if known, committed, err = r.lookUp(ctx, slot, sent); known {
			return committed, err
		}
		if ctx.Err() != nil {
			return false, errors.Join(ctx.Err(), err)
		}
		if errors.Is(r.clean(err), ErrClosed) {
			return false, err
		}
		r.lookAgain(ctx)
		pause(ctx, n, true)
	}
}

// errTrimmed says that the slot's list does not reach back to a commit.
var errTrimmed = errors.New("the slot's record of commits does not reach back that far")

func (r *Redis) lookUp(ctx context.Context, slot string, sent commit) (known, committed bool, err error) {
	node, err := r.node(ctx, slot)
	if err != nil {
		return false, false, err
	}
	key := commitsKey(slot)
	err = node.Watch(ctx, func(tx *redis.Tx) error {
		nonces, err := tx.LRange(ctx, key, 0, -1).Result()
		if err != nil {
			return err
		}
		if slices.Contains(nonces, sent.nonce) {
			known, committed = true, true
			return nil
		}
		// The list still holds what was newest before the commit, so the commit
		// cannot have been pushed out of it.
		if sent.after == "" && len(nonces) >= keepCommits || sent.after != "" && !slices.Contains(nonces, sent.after) {
			known = true
			return errTrimmed
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.LPush(ctx, key, "fence-"+rand.Text()[:10])
			p.LTrim(ctx, key, 0, keepCommits-1)
			return nil
		})
		known = err == nil
		return err
	}, key)
	return known, committed, err
}

// judgeReply says whether a step that has committed nothing may be tried again
// after err.
func (r *Redis) judgeReply(ctx context.Context, err error) verdict {
	switch {
	case errors.Is(err, redis.TxFailedErr):
		return conflict
	case ctx.Err() != nil, errors.Is(err, redis.ErrClosed), errors.Is(err, ErrClosed), errors.Is(err, errCursor):
		return settled
	case !isReply(err):
		return again
	}
	for _, passing := range []string{"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN",
		"MOVED", "ASK", "NOREPLICAS", "UNBLOCKED", "max number of clients"} {
		if redis.HasErrorPrefix(err, passing) {
			return again
		}
	}
	return settled
}

// redisTx is a step on Redis under way.
type redisTx struct {
	buffer
	r       *Redis
	ctx     context.Context
	tx      *redis.Tx
	asked   int // reads so far
	readErr error
	over    bool
}

// Read implements [Tx].
func (t *redisTx) Read(reads ...Read) error {
	if t.over {
		return errOver
	}
	if t.readErr != nil {
		return t.readErr
	}
	if err := t.reading(reads); err != nil {
		return err
	}
	t.asked += len(reads)
	pipe := t.tx.Pipeline()
	t.readErr = t.r.clean(run(t.ctx, pipe, reads))
	return t.readErr
}

// run sends the reads through a pipeline and fills them in.
func run(ctx context.Context, pipe redis.Pipeliner, reads []Read) error {
	answers := make([]func() error, len(reads))
	for i, read := range reads {
		answers[i] = ask(ctx, pipe, read)
	}
	if pipe.Len() > 0 {
		if _, err := pipe.Exec(ctx); err != nil && (!isReply(err) || errors.Is(err, redis.TxFailedErr)) {
			return fmt.Errorf("read: %w", err)
		}
	}
	for i, answer := range answers {
		if err := answer(); err != nil {
			key, _, _ := reads[i].about()
			return fmt.Errorf("read %q: %w", clip(key), err)
		}
	}
	return nil
}

// Read implements [Engine]. Several reads go out as one transaction.
func (r *Redis) Read(ctx context.Context, slot string, reads ...Read) error {
	if err := checkSlot(slot); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if err := prepare(slot, reads); err != nil {
		return err
	}
	start := time.Now()
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read slot %s: %w", slot, err)
		}
		node, err := r.node(ctx, slot)
		if err == nil {
			pipe := node.Pipeline()
			if len(reads) > 1 {
				pipe = node.TxPipeline()
			}
			err = run(ctx, pipe, reads)
		}
		if err == nil {
			return nil
		}
		if r.judgeReply(ctx, err) == settled || time.Since(start) > r.patience {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return fmt.Errorf("slot %s: %w", slot, r.clean(err))
		}
		r.lookAgain(ctx)
		pause(ctx, n, true)
	}
}
