package engine

import (
	"errors"
	"fmt"
	"math"
)

// A Read is one question to an engine: a pointer to one of the types below,
// with the question in its first fields and room for the answer in its last.
// Answers are the caller's to keep and change.
type Read interface {
	// about returns the key and kind asked about, or what is wrong with the
	// question.
	about() (key string, kind kind, err error)

	// reset clears the answer, which may be left from an earlier run.
	reset()
}

// HGet asks for one field of a hash.
type HGet struct {
	Key, Field string

	Val []byte
	OK  bool // the field is there
}

// HMGet asks for several fields of a hash.
type HMGet struct {
	Key    string
	Fields []string

	Vals [][]byte // in the order of Fields; nil means absent, empty is a value
}

// HLen asks for the number of fields of a hash. It costs the same however many
// there are.
type HLen struct {
	Key string

	N int
}

// HScan asks for some fields of a hash and how to go on. Following Next until
// it is "" gives every field that was there throughout, some perhaps twice;
// fields that come or go meanwhile may or may not be among them. A cursor is
// good for the engine that gave it, and on Redis only until a failover: after
// an error in the middle of a scan, begin again.
type HScan struct {
	Key    string
	Cursor string // "" to begin, else the last Next
	Count  int    // about how many to return; 0 means 100. Redis returns a small hash whole.

	Pairs []Pair
	Next  string // "" at the end
}

// Pair is a field of a hash and its value.
type Pair struct {
	Field string
	Val   []byte
}

// ZScore asks for the score of one member of a sorted set.
type ZScore struct {
	Key, Member string

	Score float64
	OK    bool // the member is there
}

// ZMScore asks for the scores of several members of a sorted set.
type ZMScore struct {
	Key     string
	Members []string

	Scores []float64 // in the order of Members; 0 where OK is false
	OK     []bool
}

// ZRange asks for the members of a sorted set with Min ≤ score ≤ Max, in the
// order of score and then of the member's bytes. Either bound may be infinite.
// Mind that the zero bounds select the score 0 and nothing else.
type ZRange struct {
	Key      string
	Min, Max float64
	Reverse  bool // from the highest down, members of one score as well
	Offset   int  // leave out so many first; the cost grows with it
	Limit    int  // at most so many; 0 means all

	Zs []Z
}

// ZCard asks for the number of members of a sorted set. It costs the same
// however many there are.
type ZCard struct {
	Key string

	N int
}

// ZCount asks for the number of members with Min ≤ score ≤ Max. On bbolt its
// cost grows with the answer, unless both bounds are infinite.
type ZCount struct {
	Key      string
	Min, Max float64

	N int
}

// kind is what a key holds.
type kind byte

const (
	hash      kind = 'h'
	sortedSet kind = 'z'
)

func (k kind) String() string {
	if k == hash {
		return "hash"
	}
	return "sorted set"
}

func (r *HGet) about() (string, kind, error)    { return r.Key, hash, nil }
func (r *HMGet) about() (string, kind, error)   { return r.Key, hash, nil }
func (r *HLen) about() (string, kind, error)    { return r.Key, hash, nil }
func (r *HScan) about() (string, kind, error)   { return r.Key, hash, nil }
func (r *ZScore) about() (string, kind, error)  { return r.Key, sortedSet, nil }
func (r *ZMScore) about() (string, kind, error) { return r.Key, sortedSet, nil }
func (r *ZCard) about() (string, kind, error)   { return r.Key, sortedSet, nil }

func (r *ZCount) about() (string, kind, error) {
	return r.Key, sortedSet, checkBounds(r.Min, r.Max)
}

func (r *ZRange) about() (string, kind, error) {
	if r.Offset < 0 || r.Limit < 0 {
		return r.Key, sortedSet, fmt.Errorf("offset %d, limit %d: must not be negative", r.Offset, r.Limit)
	}
	return r.Key, sortedSet, checkBounds(r.Min, r.Max)
}

func checkBounds(lo, hi float64) error {
	if math.IsNaN(lo) || math.IsNaN(hi) {
		return errors.New("a bound of a range is not a number")
	}
	return nil
}

func (r *HGet) reset()    { r.Val, r.OK = nil, false }
func (r *HMGet) reset()   { r.Vals = nil }
func (r *HLen) reset()    { r.N = 0 }
func (r *HScan) reset()   { r.Pairs, r.Next = nil, "" }
func (r *ZScore) reset()  { r.Score, r.OK = 0, false }
func (r *ZMScore) reset() { r.Scores, r.OK = nil, nil }
func (r *ZRange) reset()  { r.Zs = nil }
func (r *ZCard) reset()   { r.N = 0 }
func (r *ZCount) reset()  { r.N = 0 }

// count is the number of pairs a scan should return.
func (r *HScan) count() int {
	if r.Count <= 0 {
		return 100
	}
	return r.Count
}

// prepare checks reads against slot and clears their answers.
func prepare(slot string, reads []Read) error {
	for _, r := range reads {
		key, _, err := r.about()
		if err != nil {
			return fmt.Errorf("read %q: %w", clip(key), err)
		}
		if err := checkKey(slot, key); err != nil {
			return fmt.Errorf("read: %w", err)
		}
		r.reset()
	}
	return nil
}
