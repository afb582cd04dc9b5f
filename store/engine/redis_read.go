package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// ask puts a read into a pipeline and returns what fills in its answer once the
// pipeline was run.
func ask(ctx context.Context, p redis.Pipeliner, read Read) (answer func() error) {
	switch r := read.(type) {
	case *HGet:
		c := p.HGet(ctx, r.Key, r.Field)
		return func() error {
			val, err := c.Bytes()
			if err == nil {
				r.Val, r.OK = val, true
			}
			return orNil(err)
		}
	case *HMGet:
		if len(r.Fields) == 0 {
			return nothing
		}
		c := p.HMGet(ctx, r.Key, r.Fields...)
		return func() error {
			vals, err := c.Result()
			if err != nil {
				return err
			}
			r.Vals = make([][]byte, len(r.Fields))
			for i, v := range vals {
				if s, ok := v.(string); ok {
					r.Vals[i] = []byte(s)
				}
			}
			return nil
		}
	case *HLen:
		return asInt(p.HLen(ctx, r.Key), &r.N)
	case *HScan:
		return askHScan(ctx, p, r)
	case *ZScore:
		c := p.ZScore(ctx, r.Key, r.Member)
		return func() error {
			score, err := c.Result()
			if err == nil {
				r.Score, r.OK = score, true
			}
			return orNil(err)
		}
	case *ZMScore:
		return askZMScore(ctx, p, r)
	case *ZRange:
		by := &redis.ZRangeBy{Min: formatScore(r.Min), Max: formatScore(r.Max)}
		if r.Offset > 0 || r.Limit > 0 {
			by.Offset, by.Count = int64(r.Offset), int64(r.Limit)
			if r.Limit == 0 {
				by.Count = -1
			}
		}
		c := p.ZRangeByScoreWithScores
		if r.Reverse {
			c = p.ZRevRangeByScoreWithScores
		}
		got := c(ctx, r.Key, by)
		return func() error {
			zs, err := got.Result()
			if err != nil || len(zs) == 0 {
				return err
			}
			r.Zs = make([]Z, len(zs))
			for i, z := range zs {
				r.Zs[i].Member, _ = z.Member.(string)
				r.Zs[i].Score = z.Score
			}
			return nil
		}
	case *ZCard:
		return asInt(p.ZCard(ctx, r.Key), &r.N)
	case *ZCount:
		return asInt(p.ZCount(ctx, r.Key, formatScore(r.Min), formatScore(r.Max)), &r.N)
	}
	// Unreachable: Read is sealed and every kind is above.
	return func() error { return fmt.Errorf("read of unknown type %T", read) }
}

func nothing() error { return nil }

func askHScan(ctx context.Context, p redis.Pipeliner, r *HScan) func() error {
	var cursor uint64
	if r.Cursor != "" {
		var err error
		if cursor, err = strconv.ParseUint(r.Cursor, 10, 64); err != nil || cursor == 0 {
			return func() error { return errCursor }
		}
	}
	c := p.HScan(ctx, r.Key, cursor, "", int64(r.count()))
	return func() error {
		flat, next, err := c.Result()
		if err != nil {
			return err
		}
		if next != 0 {
			r.Next = strconv.FormatUint(next, 10)
		}
		for i := 0; i+1 < len(flat); i += 2 {
			r.Pairs = append(r.Pairs, Pair{Field: flat[i], Val: []byte(flat[i+1])})
		}
		return nil
	}
}

// errCursor says that a cursor was not given by this engine.
var errCursor = errors.New("cursor of a scan not understood")

// askZMScore does not use the client's ZMScore, which cannot tell an absent
// member from one with the score 0.
func askZMScore(ctx context.Context, p redis.Pipeliner, r *ZMScore) func() error {
	if len(r.Members) == 0 {
		return nothing
	}
	args := make([]any, 0, 2+len(r.Members))
	args = append(args, "zmscore", r.Key)
	for _, m := range r.Members {
		args = append(args, m)
	}
	c := redis.NewSliceCmd(ctx, args...)
	_ = p.Process(ctx, c)
	return func() error {
		vals, err := c.Result()
		if err != nil {
			return err
		}
		r.Scores, r.OK = make([]float64, len(r.Members)), make([]bool, len(r.Members))
		for i, v := range vals {
			switch v := v.(type) {
			case nil:
				continue
			case float64:
				r.Scores[i] = v
			case string: // protocol 2
				if r.Scores[i], err = strconv.ParseFloat(v, 64); err != nil {
					return fmt.Errorf("score of %q: %w", clip(r.Members[i]), err)
				}
			default:
				return fmt.Errorf("score of %q: answer of type %T", clip(r.Members[i]), v)
			}
			r.OK[i] = true
		}
		return nil
	}
}

func asInt(c *redis.IntCmd, n *int) func() error {
	return func() error {
		v, err := c.Result()
		*n = int(v)
		return err
	}
}

// orNil takes the client's error for "absent" away.
func orNil(err error) error {
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}

// tell puts a buffered write into a pipeline.
func tell(ctx context.Context, p redis.Pipeliner, o op) {
	args := make([]any, 0, 2+2*len(o.names))
	args = append(args, [...]string{hset: "hset", hdel: "hdel", zadd: "zadd", zrem: "zrem", del: "del"}[o.verb], o.key)
	for i, name := range o.names {
		switch o.verb {
		case hset:
			args = append(args, name, o.vals[i])
		case zadd:
			args = append(args, formatScore(o.scores[i]), name)
		default:
			args = append(args, name)
		}
	}
	p.Do(ctx, args...)
}

// formatScore writes a score so that Redis reads the same number back.
func formatScore(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "+inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
