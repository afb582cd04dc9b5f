package enginetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/store/engine"
)

// slot is where the suite works; other is one it must not reach from there.
const slot, other = "et:00", "et:01"

func key(name string) string { return "{" + slot + "}:" + name }

// Test holds an engine to its contract.
func Test(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, engine.Engine)
	}{
		{"a step is applied whole or not at all", testAtomic},
		{"steps do not interleave", testIsolation},
		{"a step sees the state before its writes", testReadsBeforeWrites},
		{"writes are applied in order", testWriteOrder},
		{"empty is not absent", testEmptyAndAbsent},
		{"any bytes", testBinary},
		{"sorted sets", testRanges},
		{"scores", testScores},
		{"scan", testScan},
		{"large batches", testLarge},
		{"deletions", testDeletions},
		{"slots", testSlots},
		{"misuse", testMisuse},
		{"panic", testPanic},
		{"errors of a step", testStepErrors},
		{"context", testContext},
		{"transaction used too late", testLate},
		{"goexit", testGoexit},
		{"reads are of one moment", testReadMoment},
		{"like a map", testModel},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
	t.Run("close", func(t *testing.T) { testClose(t, open(t)) })
}

func update(t *testing.T, e engine.Engine, fn func(engine.Tx)) {
	t.Helper()
	if err := e.Update(t.Context(), slot, func(tx engine.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatalf("update: %v", err)
	}
}

func read(t *testing.T, e engine.Engine, reads ...engine.Read) {
	t.Helper()
	if err := e.Read(t.Context(), slot, reads...); err != nil {
		t.Fatalf("read: %v", err)
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func all(key string) *engine.ZRange {
	return &engine.ZRange{Key: key, Min: math.Inf(-1), Max: math.Inf(1)}
}

func testAtomic(t *testing.T, e engine.Engine) {
	update(t, e, func(tx engine.Tx) { tx.HSet(key("h"), "kept", []byte("1")) })
	stop := errors.New("stop")
	err := e.Update(t.Context(), slot, func(tx engine.Tx) error {
		tx.HSet(key("h"), "kept", []byte("2"))
		tx.HSet(key("h"), "more", []byte("2"))
		tx.ZAdd(key("z"), engine.Z{Member: "m", Score: 1})
		tx.Del(key("h"))
		return stop
	})
	if !errors.Is(err, stop) {
		t.Errorf("got error %v, want the step's own", err)
	}
	get, card := &engine.HGet{Key: key("h"), Field: "kept"}, &engine.ZCard{Key: key("z")}
	n := &engine.HLen{Key: key("h")}
	read(t, e, get, card, n)
	if string(get.Val) != "1" || card.N != 0 || n.N != 1 {
		t.Errorf("after a failed step: got %q, %d members, %d fields, want \"1\", 0, 1", get.Val, card.N, n.N)
	}
}

// increment adds one to a counter and notes the addition in a sorted set.
func increment(ctx context.Context, e engine.Engine) (ran int, err error) {
	err = e.Update(ctx, slot, func(tx engine.Tx) error {
		ran++
		get := &engine.HGet{Key: key("count"), Field: "n"}
		if err := tx.Read(get); err != nil {
			return err
		}
		n, _ := strconv.Atoi(string(get.Val))
		n++
		tx.HSet(key("count"), "n", []byte(strconv.Itoa(n)))
		tx.ZAdd(key("counted"), engine.Z{Member: strconv.Itoa(n), Score: float64(n)})
		return nil
	})
	return ran, err
}

func testIsolation(t *testing.T, e engine.Engine) {
	const workers, each = 8, 25
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				if _, err := increment(t.Context(), e); err != nil {
					t.Errorf("increment: %v", err)
				}
			}
		})
	}
	wg.Wait()
	get, card := &engine.HGet{Key: key("count"), Field: "n"}, &engine.ZCard{Key: key("counted")}
	read(t, e, get, card)
	if want := workers * each; string(get.Val) != strconv.Itoa(want) || card.N != want {
		t.Errorf("got count %s and %d members, want %d of both", get.Val, card.N, want)
	}
}

func testReadsBeforeWrites(t *testing.T, e engine.Engine) {
	update(t, e, func(tx engine.Tx) {
		tx.HSet(key("h"), "f", []byte("old"))
		tx.ZAdd(key("z"), engine.Z{Member: "m", Score: 1})
	})
	get, zs := &engine.HGet{Key: key("h"), Field: "f"}, all(key("z"))
	if err := e.Update(t.Context(), slot, func(tx engine.Tx) error {
		tx.HSet(key("h"), "f", []byte("new"))
		tx.ZAdd(key("z"), engine.Z{Member: "n", Score: 2})
		return tx.Read(get, zs)
	}); err != nil {
		t.Fatal(err)
	}
	same(t, "field within the step", string(get.Val), "old")
	same(t, "set within the step", zs.Zs, []engine.Z{{Member: "m", Score: 1}})
	read(t, e, get, zs)
	same(t, "field after it", string(get.Val), "new")
	same(t, "set after it", zs.Zs, []engine.Z{{Member: "m", Score: 1}, {Member: "n", Score: 2}})
}

func testWriteOrder(t *testing.T, e engine.Engine) {
	val := []byte("first")
	update(t, e, func(tx engine.Tx) {
		tx.HSet(key("h"), "gone", val)
		tx.HSet(key("h"), "stays", val)
		tx.HDel(key("h"), "gone", "stays")
		tx.HSet(key("h"), "stays", val)
		tx.HSet(key("h"), "twice", []byte("a"))
		tx.HSet(key("h"), "twice", []byte("b"))
		copy(val, "other") // What was written is not changed by this.
		tx.ZAdd(key("z"), engine.Z{Member: "gone", Score: 1}, engine.Z{Member: "twice", Score: 1}, engine.Z{Member: "twice", Score: 2})
		tx.ZRem(key("z"), "gone", "never")
		tx.ZAdd(key("dropped"), engine.Z{Member: "m"})
		tx.Del(key("dropped"), key("never"))
		tx.HSet(key("again"), "a", nil)
		tx.Del(key("again"))
		tx.HSet(key("again"), "b", nil)
	})
	h, zs := &engine.HMGet{Key: key("h"), Fields: []string{"gone", "stays", "twice"}}, all(key("z"))
	dropped, again := &engine.ZCard{Key: key("dropped")}, &engine.HScan{Key: key("again")}
	read(t, e, h, zs, dropped, again)
	same(t, "hash", h.Vals, [][]byte{nil, []byte("first"), []byte("b")})
	same(t, "set", zs.Zs, []engine.Z{{Member: "twice", Score: 2}})
	same(t, "dropped set", dropped.N, 0)
	same(t, "hash made again", again.Pairs, []engine.Pair{{Field: "b", Val: []byte{}}})
}

func testEmptyAndAbsent(t *testing.T, e engine.Engine) {
	update(t, e, func(tx engine.Tx) {
		tx.HSet(key("h"), "empty", nil)
		tx.HSet(key("h"), "", []byte("of no name"))
		tx.ZAdd(key("z"), engine.Z{Member: "zero", Score: 0}, engine.Z{Member: "", Score: 5})
	})
	full, none := &engine.HGet{Key: key("h"), Field: "empty"}, &engine.HGet{Key: key("h"), Field: "absent"}
	many := &engine.HMGet{Key: key("h"), Fields: []string{"absent", "empty", "", "empty"}}
	zero, lost := &engine.ZScore{Key: key("z"), Member: "zero"}, &engine.ZScore{Key: key("z"), Member: "absent", Score: 7, OK: true}
	scores := &engine.ZMScore{Key: key("z"), Members: []string{"absent", "zero", ""}}
	read(t, e, full, none, many, zero, lost, scores)
	same(t, "empty value", *full, engine.HGet{Key: key("h"), Field: "empty", Val: []byte{}, OK: true})
	same(t, "absent value", *none, engine.HGet{Key: key("h"), Field: "absent"})
	same(t, "several", many.Vals, [][]byte{nil, {}, []byte("of no name"), {}})
	same(t, "score zero", *zero, engine.ZScore{Key: key("z"), Member: "zero", OK: true})
	same(t, "no score, over an old answer", *lost, engine.ZScore{Key: key("z"), Member: "absent"})
	same(t, "scores", scores.Scores, []float64{0, 0, 5})
	same(t, "scores there", scores.OK, []bool{false, true, true})

	// The same questions about keys that do not exist.
	none = &engine.HGet{Key: key("no"), Field: "f"}
	many, scores = &engine.HMGet{Key: key("no"), Fields: []string{"f", "g"}}, &engine.ZMScore{Key: key("no2"), Members: []string{"m"}}
	size, scan := &engine.HLen{Key: key("no")}, &engine.HScan{Key: key("no")}
	zs, card, count := all(key("no2")), &engine.ZCard{Key: key("no2")}, &engine.ZCount{Key: key("no2"), Max: 9}
	read(t, e, none, many, scores, size, scan, zs, card, count)
	same(t, "no hash", none.OK, false)
	same(t, "no hash, several", many.Vals, [][]byte{nil, nil})
	same(t, "no set", scores.OK, []bool{false})
	same(t, "sizes", []int{size.N, card.N, count.N}, []int{0, 0, 0})
	same(t, "entries", []int{len(scan.Pairs), len(zs.Zs)}, []int{0, 0})
	same(t, "end of scan", scan.Next, "")

	read(t, e) // No question is no error.
	update(t, e, func(tx engine.Tx) {
		tx.HDel(key("h"))
		tx.ZAdd(key("z"))
		tx.ZRem(key("z"))
		tx.Del()
	})
}

func testBinary(t *testing.T, e engine.Engine) {
	names := []string{"\x00", "\x00\x00", "\xff\xfe", "a\r\nb", "*1\r\n$4\r\nQUIT\r\n", "s\x80\x00\x00\x00\x00\x00\x00\x00", "{x}", "naïve", strings.Repeat("n", engine.MaxName)}
	k, z := key("h\x00\xff\r\n"), key("z\x00\xff\r\n")
	update(t, e, func(tx engine.Tx) {
		for i, n := range names {
			tx.HSet(k, n, []byte(n+"\x00"))
			tx.ZAdd(z, engine.Z{Member: n, Score: float64(i)})
		}
	})
	get, zs, scan := &engine.HMGet{Key: k, Fields: names}, all(z), &engine.HScan{Key: k, Count: 1000}
	read(t, e, get, zs, scan)
	for i, n := range names {
		same(t, fmt.Sprintf("value of %q", n), string(get.Vals[i]), n+"\x00")
		same(t, fmt.Sprintf("member %d", i), zs.Zs[i], engine.Z{Member: n, Score: float64(i)})
	}
	got := map[string]string{}
	for _, p := range scan.Pairs {
		got[p.Field] = string(p.Val)
	}
	for _, n := range names {
		same(t, fmt.Sprintf("scanned %q", n), got[n], n+"\x00")
	}
	update(t, e, func(tx engine.Tx) { tx.ZRem(z, names[1:]...); tx.HDel(k, names[1:]...) })
	size, card := &engine.HLen{Key: k}, &engine.ZCard{Key: z}
	read(t, e, size, card)
	same(t, "left", []int{size.N, card.N}, []int{1, 1})
}
