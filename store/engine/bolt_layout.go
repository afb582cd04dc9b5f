package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"

	bolt "go.etcd.io/bbolt"
)

// Each key is one bucket at the top of the file.
//
//	"h" + key    "f" + field                    → value
//	"z" + key    "m" + member                   → score, 8 bytes
//	             "s" + score, 8 bytes + member  → nothing
//	"meta"       "format"                       → "1"
//
// Scores are written so that their bytes sort as their numbers do. The bucket's
// sequence, which bbolt keeps in the bucket's header, holds the number of fields
// or members, so that counting costs nothing. A bucket goes with its last entry.
const (
	fieldPrefix  = 'f'
	memberPrefix = 'm'
	scorePrefix  = 's'
)

var (
	metaBucket = []byte("meta")
	formatKey  = []byte("format")
	format     = []byte("1")
)

func bucketName(k kind, key string) []byte { return prefixed(byte(k), key) }

func prefixed(p byte, s string) []byte {
	out := make([]byte, 0, 1+len(s))
	return append(append(out, p), s...)
}

// sortable turns a score into a number that sorts like it.
func sortable(score float64) uint64 {
	bits := math.Float64bits(score)
	if bits>>63 == 1 {
		return ^bits
	}
	return bits | 1<<63
}

func unsortable(u uint64) float64 {
	if u>>63 == 1 {
		return math.Float64frombits(u &^ (1 << 63))
	}
	return math.Float64frombits(^u)
}

// scoreKey begins the entries of a score; with a member it is one.
func scoreKey(u uint64, member string) []byte {
	out := make([]byte, 9, 9+len(member))
	out[0] = scorePrefix
	binary.BigEndian.PutUint64(out[1:], u)
	return append(out, member...)
}

// readScore takes a score out of an entry.
func readScore(b []byte) (uint64, error) {
	if len(b) < 8 {
		return 0, fmt.Errorf("%w: a score of %d bytes", ErrDamaged, len(b))
	}
	return binary.BigEndian.Uint64(b), nil
}

// checkKinds returns an error if ops use a key as what it is not. It is a pass
// of its own so that a step at fault leaves no trace in a commit it shares.
func checkKinds(tx *bolt.Tx, ops []op) error {
	deleted := map[string]bool{}
	for _, o := range ops {
		k := o.verb.kind()
		switch {
		case k == 0:
			deleted[o.key] = true
		case deleted[o.key]:
		default:
			if err := checkKind(tx, o.key, k); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkKind(tx *bolt.Tx, key string, want kind) error {
	other := hash
	if want == hash {
		other = sortedSet
	}
	if tx.Bucket(bucketName(other, key)) != nil {
		return wrongKind(key, want, other)
	}
	return nil
}

// apply writes ops in their order. Its errors are the file's.
func apply(tx *bolt.Tx, ops []op) error {
	for _, o := range ops {
		if err := applyOp(tx, o); err != nil {
			return fmt.Errorf("write %q: %w", clip(o.key), err)
		}
	}
	return nil
}

func applyOp(tx *bolt.Tx, o op) error {
	if o.verb == del {
		for _, k := range []kind{hash, sortedSet} {
			if name := bucketName(k, o.key); tx.Bucket(name) != nil {
				if err := tx.DeleteBucket(name); err != nil {
					return err
				}
			}
		}
		return nil
	}

	name := bucketName(o.verb.kind(), o.key)
	bucket := tx.Bucket(name)
	if bucket == nil {
		if o.verb == hdel || o.verb == zrem {
			return nil
		}
		var err error
		if bucket, err = tx.CreateBucket(name); err != nil {
			return err
		}
	}
	before := bucket.Sequence()
	n := before
	for i, entry := range o.names {
		var change int
		var err error
		switch o.verb {
		case hset:
			change, err = setField(bucket, entry, o.vals[i])
		case hdel:
			change, err = deleteField(bucket, entry)
		case zadd:
			change, err = setMember(bucket, entry, o.scores[i])
		case zrem:
			change, err = deleteMember(bucket, entry)
		}
		if err != nil {
			return err
		}
		n += uint64(change)
	}
	switch n {
	case 0:
		return tx.DeleteBucket(name)
	case before:
		return nil
	}
	return bucket.SetSequence(n)
}

func setField(b *bolt.Bucket, field string, val []byte) (int, error) {
	key, change := prefixed(fieldPrefix, field), 0
	if b.Get(key) == nil {
		change = 1
	}
	return change, b.Put(key, val)
}

func deleteField(b *bolt.Bucket, field string) (int, error) {
	key := prefixed(fieldPrefix, field)
	if b.Get(key) == nil {
		return 0, nil
	}
	return -1, b.Delete(key)
}

func setMember(b *bolt.Bucket, member string, score float64) (int, error) {
	key, change := prefixed(memberPrefix, member), 1
	u := sortable(score)
	if raw := b.Get(key); raw != nil {
		old, err := readScore(raw)
		if err != nil || old == u {
			return 0, err
		}
		if err := b.Delete(scoreKey(old, member)); err != nil {
			return 0, err
		}
		change = 0
	}
	if err := b.Put(scoreKey(u, member), []byte{}); err != nil {
		return 0, err
	}
	return change, b.Put(key, binary.BigEndian.AppendUint64(nil, u))
}

func deleteMember(b *bolt.Bucket, member string) (int, error) {
	key := prefixed(memberPrefix, member)
	raw := b.Get(key)
	if raw == nil {
		return 0, nil
	}
	u, err := readScore(raw)
	if err != nil {
		return 0, err
	}
	if err := b.Delete(scoreKey(u, member)); err != nil {
		return 0, err
	}
	return -1, b.Delete(key)
}

// answer fills in reads.
func answer(ctx context.Context, tx *bolt.Tx, reads []Read) error {
	for _, read := range reads {
		if err := ctx.Err(); err != nil {
			return err
		}
		key, k, _ := read.about()
		if err := checkKind(tx, key, k); err != nil {
			return err
		}
		b := tx.Bucket(bucketName(k, key))
		if b == nil {
			absent(read)
			continue
		}
		if err := answerOne(b, read); err != nil {
			return fmt.Errorf("read %q: %w", clip(key), err)
		}
	}
	return nil
}

// absent gives the answers about a key that is not there their lengths.
func absent(read Read) {
	switch r := read.(type) {
	case *HMGet:
		if len(r.Fields) > 0 {
			r.Vals = make([][]byte, len(r.Fields))
		}
	case *ZMScore:
		if len(r.Members) > 0 {
			r.Scores, r.OK = make([]float64, len(r.Members)), make([]bool, len(r.Members))
		}
	}
}

func answerOne(b *bolt.Bucket, read Read) error {
	switch r := read.(type) {
	case *HGet:
		r.Val = copied(b.Get(prefixed(fieldPrefix, r.Field)))
		r.OK = r.Val != nil
	case *HMGet:
		absent(r)
		for i, f := range r.Fields {
			r.Vals[i] = copied(b.Get(prefixed(fieldPrefix, f)))
		}
	case *HLen:
		r.N = int(b.Sequence())
	case *HScan:
		return scan(b, r)
	case *ZScore:
		return member(b, r.Member, &r.Score, &r.OK)
	case *ZMScore:
		absent(r)
		for i, m := range r.Members {
			if err := member(b, m, &r.Scores[i], &r.OK[i]); err != nil {
				return err
			}
		}
	case *ZRange:
		skip := r.Offset
		return within(b, r.Min, r.Max, r.Reverse, func(score float64, member []byte) bool {
			if skip > 0 {
				skip--
				return true
			}
			r.Zs = append(r.Zs, Z{Member: string(member), Score: score})
			return r.Limit == 0 || len(r.Zs) < r.Limit
		})
	case *ZCard:
		r.N = int(b.Sequence())
	case *ZCount:
		if math.IsInf(r.Min, -1) && math.IsInf(r.Max, 1) {
			r.N = int(b.Sequence())
			return nil
		}
		return within(b, r.Min, r.Max, false, func(float64, []byte) bool {
			r.N++
			return true
		})
	}
	return nil
}

// copied copies a value out of the file's memory, keeping nil apart from empty.
func copied(val []byte) []byte {
	if val == nil {
		return nil
	}
	return append([]byte{}, val...)
}

func member(b *bolt.Bucket, name string, score *float64, ok *bool) error {
	raw := b.Get(prefixed(memberPrefix, name))
	if raw == nil {
		return nil
	}
	u, err := readScore(raw)
	if err != nil {
		return err
	}
	*score, *ok = unsortable(u), true
	return nil
}

// scan continues after the field in the cursor, which needs not be there any
// more. Cursors begin with the prefix of a field, so that none is empty.
func scan(b *bolt.Bucket, r *HScan) error {
	from := []byte{fieldPrefix}
	if r.Cursor != "" {
		if r.Cursor[0] != fieldPrefix {
			return errCursor
		}
		from = []byte(r.Cursor)
	}
	c := b.Cursor()
	k, v := c.Seek(from)
	if r.Cursor != "" && bytes.Equal(k, from) {
		k, v = c.Next()
	}
	for ; k != nil && k[0] == fieldPrefix; k, v = c.Next() {
		if len(r.Pairs) == r.count() {
			r.Next = string(prefixed(fieldPrefix, r.Pairs[len(r.Pairs)-1].Field))
			return nil
		}
		r.Pairs = append(r.Pairs, Pair{Field: string(k[1:]), Val: copied(v)})
	}
	return nil
}

// within calls yield for the members with lo ≤ score ≤ hi in order, until it
// returns false.
func within(b *bolt.Bucket, lo, hi float64, reverse bool, yield func(score float64, member []byte) bool) error {
	if lo == 0 {
		lo = 0 // −0 sorts below the 0 that is stored.
	}
	if hi == 0 {
		hi = 0
	}
	least, most := sortable(lo), sortable(hi)
	c := b.Cursor()
	var k []byte
	step := c.Next
	if reverse {
		step = c.Prev
		// The first entry above, or the end of the bucket. Even that of +Inf
		// has a next number, since NaN sorts above it.
		if k, _ = c.Seek(scoreKey(most+1, "")); k == nil {
			k, _ = c.Last()
		} else {
			k, _ = c.Prev()
		}
	} else {
		k, _ = c.Seek(scoreKey(least, ""))
	}
	for ; len(k) > 0 && k[0] == scorePrefix; k, _ = step() {
		u, err := readScore(k[1:])
		if err != nil {
			return err
		}
		if u < least || u > most || !yield(unsortable(u), k[9:]) {
			return nil
		}
	}
	return nil
}
