package enginetest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/vacancywatch/vacancywatch/store/engine"
)

func testRanges(t *testing.T, e engine.Engine) {
	inf := math.Inf(1)
	zs := []engine.Z{
		{Member: "low", Score: -inf}, {Member: "neg", Score: -2.5}, {Member: "near", Score: -0.1},
		{Member: "a", Score: 0}, {Member: "a\x00", Score: 0}, {Member: "aa", Score: 0}, {Member: "b", Score: 0},
		{Member: "tiny", Score: 5e-324}, {Member: "half", Score: 0.5}, {Member: "big", Score: 1 << 53},
		{Member: "\xff", Score: 1e300}, {Member: "top", Score: inf}, {Member: "top2", Score: inf},
	}
	update(t, e, func(tx engine.Tx) {
		for i := range zs { // out of order
			tx.ZAdd(key("z"), zs[(i*5)%len(zs)])
		}
	})
	for _, c := range []struct {
		lo, hi        float64
		offset, limit int
	}{
		{-inf, inf, 0, 0},
		{-inf, inf, 0, 3},
		{-inf, inf, 4, 2},
		{-inf, inf, 4, 0},
		{-inf, inf, 99, 5},
		{0, 0, 0, 0},
		{math.Copysign(0, -1), math.Copysign(0, -1), 0, 0},
		{0, 0, 1, 2},
		{-2.5, 0.5, 0, 0},
		{-2.4999, 0.4999, 0, 0},
		{-inf, -inf, 0, 0},
		{inf, inf, 0, 0},
		{inf, inf, 1, 1},
		{1 << 53, 1e300, 0, 0},
		{5, 4, 0, 0},
		{7, 8, 0, 0},
		{-inf, 0, 0, 1},
	} {
		var want []engine.Z
		for _, z := range zs {
			if z.Score >= c.lo && z.Score <= c.hi {
				want = append(want, z)
			}
		}
		n := len(want)
		down := slices.Clone(want)
		slices.Reverse(down)
		cut := func(zs []engine.Z) []engine.Z {
			zs = zs[min(c.offset, len(zs)):]
			if c.limit > 0 {
				zs = zs[:min(c.limit, len(zs))]
			}
			if len(zs) == 0 {
				return nil
			}
			return zs
		}
		r := &engine.ZRange{Key: key("z"), Min: c.lo, Max: c.hi, Offset: c.offset, Limit: c.limit}
		rev := &engine.ZRange{Key: key("z"), Min: c.lo, Max: c.hi, Offset: c.offset, Limit: c.limit, Reverse: true}
		count := &engine.ZCount{Key: key("z"), Min: c.lo, Max: c.hi}
		read(t, e, r, rev, count)
		name := fmt.Sprintf("%v to %v, offset %d, limit %d", c.lo, c.hi, c.offset, c.limit)
		same(t, name, r.Zs, cut(want))
		same(t, name+", reverse", rev.Zs, cut(down))
		same(t, name+", count", count.N, n)
	}
}

func testScores(t *testing.T, e engine.Engine) {
	scores := []float64{0, 1, -1, 0.1, 1.0 / 3, 1e-300, -1e300, 1234567890.123456, 1 << 53, -(1 << 53), 1<<53 - 1,
		math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1)}
	members := make([]string, len(scores))
	update(t, e, func(tx engine.Tx) {
		for i, s := range scores {
			members[i] = fmt.Sprint("m", i)
			tx.ZAdd(key("z"), engine.Z{Member: members[i], Score: 42})
			tx.ZAdd(key("z"), engine.Z{Member: members[i], Score: s})
		}
		tx.ZAdd(key("z"), engine.Z{Member: "minus", Score: math.Copysign(0, -1)})
	})
	many, card, minus := &engine.ZMScore{Key: key("z"), Members: members}, &engine.ZCard{Key: key("z")}, &engine.ZScore{Key: key("z"), Member: "minus"}
	read(t, e, many, card, minus)
	same(t, "scores", many.Scores, scores)
	same(t, "members", card.N, len(scores)+1)
	if !minus.OK || minus.Score != 0 || math.Signbit(minus.Score) {
		t.Errorf("minus zero came back as %v, %v, want 0, true", minus.Score, minus.OK)
	}
	for i, s := range scores {
		one := &engine.ZScore{Key: key("z"), Member: members[i]}
		read(t, e, one)
		same(t, fmt.Sprint("score of ", members[i]), one.Score, s)
	}
	// A member that moves is found at its new place only.
	update(t, e, func(tx engine.Tx) { tx.ZAdd(key("z"), engine.Z{Member: "m1", Score: 77}) })
	at1, at77 := &engine.ZRange{Key: key("z"), Min: 1, Max: 1}, &engine.ZRange{Key: key("z"), Min: 77, Max: 77}
	read(t, e, at1, at77)
	same(t, "old place", len(at1.Zs), 0)
	same(t, "new place", at77.Zs, []engine.Z{{Member: "m1", Score: 77}})
}

// scanAll follows a scan, calling between after each part.
func scanAll(t *testing.T, e engine.Engine, k string, count int, between func()) map[string]string {
	t.Helper()
	got := map[string]string{}
	s := &engine.HScan{Key: k, Count: count}
	for range 10_000 {
		read(t, e, s)
		for _, p := range s.Pairs {
			got[p.Field] = string(p.Val)
		}
		if s.Next == "" {
			return got
		}
		s.Cursor = s.Next
		between()
	}
	t.Fatal("the scan does not end")
	return nil
}

func testScan(t *testing.T, e engine.Engine) {
	const fields = 1500
	want := map[string]string{}
	update(t, e, func(tx engine.Tx) {
		for i := range fields {
			f, v := fmt.Sprintf("f%04d", i), fmt.Sprint("v", i)
			want[f] = v
			tx.HSet(key("h"), f, []byte(v))
		}
		tx.HSet(key("h"), "", []byte("empty"))
	})
	want[""] = "empty"
	for _, count := range []int{0, 1, 7, 5000} {
		same(t, fmt.Sprint("all fields, by ", count), scanAll(t, e, key("h"), count, func() {}), want)
	}
	// Fields that come and go meanwhile do not hide the others.
	n := 0
	got := scanAll(t, e, key("h"), 50, func() {
		if n++; n > 40 {
			return
		}
		update(t, e, func(tx engine.Tx) {
			for i := range 50 {
				tx.HSet(key("h"), fmt.Sprintf("new%d-%d", n, i), nil)
			}
			tx.HDel(key("h"), fmt.Sprintf("f%04d", n*3))
		})
	})
	for i := range fields {
		f := fmt.Sprintf("f%04d", i)
		if _, ok := got[f]; !ok && (i%3 != 0 || i > 3*40) {
			t.Errorf("field %s was there throughout, and missed", f)
		}
	}
	for _, bad := range []string{"x", "-1"} {
		if err := e.Read(t.Context(), slot, &engine.HScan{Key: key("h"), Cursor: bad}); err == nil {
			t.Errorf("cursor %q was taken", bad)
		}
	}
}

func testLarge(t *testing.T, e engine.Engine) {
	const items = 5000
	members := make([]string, items)
	zs := make([]engine.Z, items)
	for i := range members {
		members[i] = fmt.Sprintf("m%05d", i)
		zs[i] = engine.Z{Member: members[i], Score: float64(i / 10)}
	}
	big := make([]byte, 1<<20)
	update(t, e, func(tx engine.Tx) {
		for i, m := range members {
			tx.HSet(key("h"), m, fmt.Append(nil, i))
		}
		tx.ZAdd(key("z"), zs...)
		tx.HSet(key("big"), "v", big)
	})
	size, card, ranged := &engine.HLen{Key: key("h")}, &engine.ZCard{Key: key("z")}, all(key("z"))
	vals, scores := &engine.HMGet{Key: key("h"), Fields: members}, &engine.ZMScore{Key: key("z"), Members: members}
	get := &engine.HGet{Key: key("big"), Field: "v"}
	read(t, e, size, card, ranged, vals, scores, get)
	same(t, "sizes", []int{size.N, card.N, len(get.Val)}, []int{items, items, len(big)})
	same(t, "set", ranged.Zs, zs)
	for i := range members {
		if string(vals.Vals[i]) != fmt.Sprint(i) || scores.Scores[i] != float64(i/10) || !scores.OK[i] {
			t.Fatalf("item %d: got %q, %v, %v", i, vals.Vals[i], scores.Scores[i], scores.OK[i])
		}
	}
	// Many questions in one step, then most of it removed.
	reads := make([]engine.Read, 500)
	for i := range reads {
		reads[i] = &engine.HGet{Key: key("h"), Field: members[i*10]}
	}
	update(t, e, func(tx engine.Tx) {
		if err := tx.Read(reads...); err != nil {
			t.Errorf("read in the step: %v", err)
		}
		tx.HDel(key("h"), members[1:]...)
		tx.ZRem(key("z"), members[:items-1]...)
	})
	for i, r := range reads {
		same(t, "value in the step", string(r.(*engine.HGet).Val), fmt.Sprint(i*10))
	}
	read(t, e, size, card, ranged)
	same(t, "sizes", []int{size.N, card.N}, []int{1, 1})
	same(t, "set", ranged.Zs, zs[items-1:])
}

func testDeletions(t *testing.T, e engine.Engine) {
	fill := func(tx engine.Tx) {
		tx.HSet(key("h"), "a", []byte("1"))
		tx.HSet(key("h"), "b", []byte("2"))
		tx.ZAdd(key("z"), engine.Z{Member: "a", Score: 1}, engine.Z{Member: "b", Score: 2})
	}
	state := func() string {
		h, n, z, c := &engine.HMGet{Key: key("h"), Fields: []string{"a", "b"}}, &engine.HLen{Key: key("h")}, all(key("z")), &engine.ZCard{Key: key("z")}
		read(t, e, h, n, z, c)
		return fmt.Sprintf("%s %d %v %d", h.Vals, n.N, z.Zs, c.N)
	}
	for _, c := range []struct {
		name string
		do   func(engine.Tx)
		want string
	}{
		{"nothing that is there", func(tx engine.Tx) { tx.HDel(key("h"), "x"); tx.ZRem(key("z"), "x"); tx.Del(key("x")) }, "[1 2] 2 [{a 1} {b 2}] 2"},
		{"one of each", func(tx engine.Tx) { tx.HDel(key("h"), "a", "a"); tx.ZRem(key("z"), "b", "b") }, "[ 2] 1 [{a 1}] 1"},
		{"the last", func(tx engine.Tx) { tx.HDel(key("h"), "b"); tx.ZRem(key("z"), "a") }, "[ ] 0 [] 0"},
		{"from nothing", func(tx engine.Tx) { tx.HDel(key("h"), "b"); tx.ZRem(key("z"), "a") }, "[ ] 0 [] 0"},
		{"back again", fill, "[1 2] 2 [{a 1} {b 2}] 2"},
		{"whole keys", func(tx engine.Tx) { tx.Del(key("h"), key("z")) }, "[ ] 0 [] 0"},
		{"as the other kind", func(tx engine.Tx) {
			tx.HSet(key("k"), "f", nil)
			tx.Del(key("k"))
			tx.ZAdd(key("k"), engine.Z{Member: "m"})
		}, "[ ] 0 [] 0"},
	} {
		if c.name == "nothing that is there" {
			update(t, e, fill)
		}
		update(t, e, c.do)
		same(t, c.name, state(), c.want)
	}
	// An emptied key may come back as the other kind.
	update(t, e, func(tx engine.Tx) { tx.ZRem(key("k"), "m") })
	update(t, e, func(tx engine.Tx) { tx.HSet(key("k"), "f", []byte("v")) })
	get := &engine.HGet{Key: key("k"), Field: "f"}
	read(t, e, get)
	same(t, "emptied set come back as a hash", string(get.Val), "v")
}
