package engine

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// errOver is what a Tx answers once its step has returned.
var errOver = errors.New("transaction used after its step returned")

// An op is one buffered write. names are fields, members or keys; vals goes
// with names in a set, scores in an add.
type op struct {
	verb   verb
	key    string
	names  []string
	vals   [][]byte
	scores []float64
}

type verb byte

const (
	hset verb = iota
	hdel
	zadd
	zrem
	del
)

// kind is the kind of key the verb works on, 0 for either.
func (v verb) kind() kind {
	switch v {
	case hset, hdel:
		return hash
	case zadd, zrem:
		return sortedSet
	}
	return 0
}

// mostNames bounds the names in one op, to within twice, so that none becomes a
// command longer than a server takes.
const mostNames = 10_000

// A buffer collects the writes of one step for both engines. It holds what is
// wrong with any of them in err, since the methods of a Tx return nothing.
type buffer struct {
	slot  string
	ops   []op
	items int // names in all ops
	kinds map[string]kind
	err   error
}

// use checks that key may be used as kind in this step.
func (b *buffer) use(key string, k kind) bool {
	if b.err != nil {
		return false
	}
	if err := checkKey(b.slot, key); err != nil {
		b.err = err
		return false
	}
	if had, ok := b.kinds[key]; ok && had != k {
		b.err = wrongKind(key, k, had)
		return false
	}
	if b.kinds == nil {
		b.kinds = make(map[string]kind)
	}
	b.kinds[key] = k
	return true
}

func wrongKind(key string, want, got kind) error {
	return fmt.Errorf("key %q used as a %v: it is a %v", clip(key), want, got)
}

// last returns the op to add to: the last one if it is of the same verb and
// key, else a new one.
func (b *buffer) last(v verb, key string) *op {
	if n := len(b.ops); n > 0 {
		if o := &b.ops[n-1]; o.verb == v && o.key == key && len(o.names) < mostNames {
			return o
		}
	}
	b.ops = append(b.ops, op{verb: v, key: key})
	return &b.ops[len(b.ops)-1]
}

func (b *buffer) name(o *op, name string) {
	if len(name) > MaxName && b.err == nil {
		b.err = fmt.Errorf("name %q in %q: longer than %d bytes", clip(name), clip(o.key), MaxName)
	}
	o.names = append(o.names, name)
	b.items++
}

// HSet implements [Tx].
func (b *buffer) HSet(key, field string, val []byte) {
	if !b.use(key, hash) {
		return
	}
	if len(val) > MaxValue {
		b.err = fmt.Errorf("field %q of %q: %d bytes, more than %d", clip(field), clip(key), len(val), MaxValue)
		return
	}
	o := b.last(hset, key)
	b.name(o, field)
	o.vals = append(o.vals, append([]byte{}, val...)) // never nil: bbolt would take that for absent
}

// HDel implements [Tx].
func (b *buffer) HDel(key string, fields ...string) { b.remove(hdel, key, fields) }

// ZAdd implements [Tx].
func (b *buffer) ZAdd(key string, zs ...Z) {
	if len(zs) == 0 || !b.use(key, sortedSet) {
		return
	}
	for _, z := range zs {
		if math.IsNaN(z.Score) {
			b.err = fmt.Errorf("member %q of %q: its score is not a number", clip(z.Member), clip(key))
			return
		}
		if z.Score == 0 {
			z.Score = 0 // −0 is not kept apart from 0.
		}
		o := b.last(zadd, key)
		b.name(o, z.Member)
		o.scores = append(o.scores, z.Score)
	}
}

// ZRem implements [Tx].
func (b *buffer) ZRem(key string, members ...string) { b.remove(zrem, key, members) }

func (b *buffer) remove(v verb, key string, names []string) {
	if len(names) == 0 || !b.use(key, v.kind()) {
		return
	}
	for chunk := range slices.Chunk(names, mostNames) {
		o := b.last(v, key)
		for _, name := range chunk {
			b.name(o, name)
		}
	}
}

// Del implements [Tx].
func (b *buffer) Del(keys ...string) {
	for _, key := range keys {
		if b.err != nil {
			return
		}
		if b.err = checkKey(b.slot, key); b.err != nil {
			return
		}
		delete(b.kinds, key) // It may come back as the other kind.
		b.ops = append(b.ops, op{verb: del, key: key})
		b.items++
	}
}

// reading notes what a batch of reads takes its keys to be, checks it, and
// clears the answers.
func (b *buffer) reading(reads []Read) error {
	if err := prepare(b.slot, reads); err != nil {
		b.err = err
		return err
	}
	for _, r := range reads {
		if key, k, _ := r.about(); !b.use(key, k) {
			return b.err
		}
	}
	return nil
}
