package enginetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/store/engine"
)

func testSlots(t *testing.T, e engine.Engine) {
	// The same names in another slot are other keys.
	for _, s := range []string{slot, other} {
		if err := e.Update(t.Context(), s, func(tx engine.Tx) error {
			tx.HSet("{"+s+"}:h", "f", []byte(s))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	get := &engine.HGet{Key: key("h"), Field: "f"}
	read(t, e, get)
	same(t, "value", string(get.Val), slot)

	const foreign = "{" + other + "}:h"
	for _, k := range []string{foreign, "h", "", "{et:00", "{et:0}:h", "{et:000}:h", "x{et:00}:h", "{" + slot + "}:commits", key(strings.Repeat("k", engine.MaxName))} {
		for name, write := range map[string]func(engine.Tx){
			"HSet": func(tx engine.Tx) { tx.HSet(k, "f", nil) },
			"HDel": func(tx engine.Tx) { tx.HDel(k, "f") },
			"ZAdd": func(tx engine.Tx) { tx.ZAdd(k, engine.Z{Member: "m"}) },
			"ZRem": func(tx engine.Tx) { tx.ZRem(k, "m") },
			"Del":  func(tx engine.Tx) { tx.Del(k) },
		} {
			err := e.Update(t.Context(), slot, func(tx engine.Tx) error {
				tx.HSet(key("h"), "f", []byte("spoilt"))
				write(tx)
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), "key ") {
				t.Errorf("%s of key %.20q in slot %s: got error %v, want one about the key", name, k, slot, err)
			}
		}
		if err := e.Read(t.Context(), slot, &engine.HGet{Key: k, Field: "f"}); err == nil {
			t.Errorf("read of key %.20q in slot %s: got no error", k, slot)
		}
		if err := e.Update(t.Context(), slot, func(tx engine.Tx) error {
			_ = tx.Read(&engine.HGet{Key: k, Field: "f"})
			return nil // The error is the engine's, whatever the step makes of it.
		}); err == nil {
			t.Errorf("read in a step of key %.20q in slot %s: got no error", k, slot)
		}
	}
	read(t, e, get)
	same(t, "value after all that", string(get.Val), slot)

	for _, s := range []string{"", "a}b", "{a", strings.Repeat("s", engine.MaxName)} {
		if err := e.Update(t.Context(), s, func(engine.Tx) error { return nil }); err == nil {
			t.Errorf("slot %.20q was taken", s)
		}
		if err := e.Read(t.Context(), s); err == nil {
			t.Errorf("slot %.20q was read", s)
		}
	}
	if n := e.Slots(); n < 1 {
		t.Errorf("%d slots", n)
	}
	if err := e.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
}

func testMisuse(t *testing.T, e engine.Engine) {
	update(t, e, func(tx engine.Tx) {
		tx.HSet(key("h"), "f", []byte("v"))
		tx.ZAdd(key("z"), engine.Z{Member: "m"})
	})
	long := strings.Repeat("n", engine.MaxName+1)
	for name, fn := range map[string]func(engine.Tx) error{
		"score that is no number": func(tx engine.Tx) error { tx.ZAdd(key("z"), engine.Z{Member: "x", Score: math.NaN()}); return nil },
		"long field":              func(tx engine.Tx) error { tx.HSet(key("h"), long, nil); return nil },
		"long member":             func(tx engine.Tx) error { tx.ZAdd(key("z"), engine.Z{Member: long}); return nil },
		"large value":             func(tx engine.Tx) error { tx.HSet(key("h"), "g", make([]byte, engine.MaxValue+1)); return nil },
		"one key as both kinds": func(tx engine.Tx) error {
			tx.HSet(key("b"), "f", nil)
			tx.ZAdd(key("b"), engine.Z{Member: "m"})
			return nil
		},
		"read as one, written as other": func(tx engine.Tx) error {
			err := tx.Read(&engine.ZCard{Key: key("b")})
			tx.HSet(key("b"), "f", nil)
			return err
		},
		"hash read as a set":    func(tx engine.Tx) error { _ = tx.Read(&engine.ZCard{Key: key("h")}); return nil },
		"set read as a hash":    func(tx engine.Tx) error { _ = tx.Read(&engine.HGet{Key: key("z"), Field: "f"}); return nil },
		"bound no number":       func(tx engine.Tx) error { return tx.Read(&engine.ZRange{Key: key("z"), Min: math.NaN()}) },
		"count bound no number": func(tx engine.Tx) error { return tx.Read(&engine.ZCount{Key: key("z"), Max: math.NaN()}) },
		"negative limit":        func(tx engine.Tx) error { return tx.Read(&engine.ZRange{Key: key("z"), Limit: -1}) },
		"negative offset":       func(tx engine.Tx) error { return tx.Read(&engine.ZRange{Key: key("z"), Offset: -1}) },
		"hash written as a set": func(tx engine.Tx) error { tx.ZAdd(key("h"), engine.Z{Member: "m"}); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			err := e.Update(t.Context(), slot, func(tx engine.Tx) error {
				if name != "hash written as a set" { // Redis does the rest of that one.
					tx.HSet(key("h"), "f", []byte("spoilt"))
				}
				return fn(tx)
			})
			if err == nil {
				t.Error("got no error")
			}
		})
	}
	get, card, size := &engine.HGet{Key: key("h"), Field: "f"}, &engine.ZCard{Key: key("z")}, &engine.HLen{Key: key("h")}
	read(t, e, get, card, size)
	same(t, "value", string(get.Val), "v")
	same(t, "sizes", []int{card.N, size.N}, []int{1, 1})
	if err := e.Read(t.Context(), slot, &engine.ZCard{Key: key("h")}); err == nil {
		t.Error("a hash was read as a set")
	}
}

func testPanic(t *testing.T, e engine.Engine) {
	cause := errors.New("cause")
	for _, v := range []any{"boom", cause} {
		err := e.Update(t.Context(), slot, func(tx engine.Tx) error {
			tx.HSet(key("h"), "f", nil)
			panic(v)
		})
		var p *engine.PanicError
		if !errors.As(err, &p) || p.Value != v || len(p.Stack) == 0 {
			t.Fatalf("got %v, want a PanicError of %v with its stack", err, v)
		}
		if errors.Is(err, cause) != (v == any(cause)) {
			t.Errorf("panic with %v: errors.Is(err, cause) is %v", v, errors.Is(err, cause))
		}
	}
	size := &engine.HLen{Key: key("h")}
	read(t, e, size)
	same(t, "fields after a panic", size.N, 0)
	if _, err := increment(t.Context(), e); err != nil {
		t.Errorf("the next step: %v", err)
	}
}

// testStepErrors runs failing and good steps next to each other, so that on
// bbolt they share commits.
func testStepErrors(t *testing.T, e engine.Engine) {
	const workers, each = 8, 12
	stop := errors.New("stop")
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				f := fmt.Sprintf("%d-%d", w, i)
				err := e.Update(t.Context(), slot, func(tx engine.Tx) error {
					tx.HSet(key("h"), f, nil)
					switch w % 4 {
					case 0:
						return stop
					case 1:
						panic(stop)
					case 2:
						tx.HSet("elsewhere", f, nil)
					}
					return nil
				})
				if good := w%4 == 3; good != (err == nil) || w%4 < 2 && !errors.Is(err, stop) {
					t.Errorf("step %s: got error %v", f, err)
				}
			}
		})
	}
	wg.Wait()
	got := scanAll(t, e, key("h"), 0, func() {})
	if len(got) != workers/4*each {
		t.Errorf("got %d fields, want those of the good steps, %d", len(got), workers/4*each)
	}
	for f := range got {
		if f[0] != '3' && f[0] != '7' {
			t.Errorf("field %s of a failed step was kept", f)
		}
	}
}

func testContext(t *testing.T, e engine.Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Update(ctx, slot, func(tx engine.Tx) error { tx.HSet(key("h"), "before", nil); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("update with a cancelled context: got %v", err)
	}
	if err := e.Read(ctx, slot, &engine.HLen{Key: key("h")}); !errors.Is(err, context.Canceled) {
		t.Errorf("read with a cancelled context: got %v", err)
	}
	if err := e.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ping with a cancelled context: got %v", err)
	}

	for name, reads := range map[string]bool{"without a read": false, "before a read": true} {
		ctx, cancel := context.WithCancel(t.Context())
		err := e.Update(ctx, slot, func(tx engine.Tx) error {
			cancel()
			tx.HSet(key("h"), "during", nil)
			if reads {
				return tx.Read(&engine.HLen{Key: key("h")})
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled in the step, %s: got %v", name, err)
		}
	}

	// One that waits behind another step on its slot can be cancelled.
	inside, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		var once sync.Once
		if err := e.Update(t.Context(), slot, func(tx engine.Tx) error {
			once.Do(func() { close(inside) })
			<-leave
			return nil
		}); err != nil {
			t.Errorf("the step in front: %v", err)
		}
	})
	<-inside
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := e.Update(ctx, slot, func(tx engine.Tx) error { tx.HSet(key("h"), "waiting", nil); return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("update behind another with a short context: got %v", err)
	}
	close(leave)
	wg.Wait()

	size := &engine.HLen{Key: key("h")}
	read(t, e, size)
	same(t, "fields after nothing but cancelled steps", size.N, 0)
	if _, err := increment(t.Context(), e); err != nil {
		t.Errorf("the next step: %v", err)
	}
}

func testLate(t *testing.T, e engine.Engine) {
	var kept engine.Tx
	update(t, e, func(tx engine.Tx) { kept = tx; tx.HSet(key("h"), "f", nil) })
	kept.HSet(key("h"), "late", nil)
	if err := kept.Read(&engine.HLen{Key: key("h")}); err == nil {
		t.Error("a transaction could be read after its step")
	}
	size := &engine.HLen{Key: key("h")}
	read(t, e, size)
	same(t, "fields", size.N, 1)
}

// testGoexit ends goroutines inside their steps, as a failing test does, next
// to others that go on.
func testGoexit(t *testing.T, e engine.Engine) {
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			_ = e.Update(t.Context(), slot, func(tx engine.Tx) error {
				tx.HSet(key("h"), fmt.Sprint(w), nil)
				if w%2 == 0 {
					runtime.Goexit()
				}
				return nil
			})
		})
	}
	wg.Wait()
	if _, err := increment(t.Context(), e); err != nil {
		t.Errorf("the next step: %v", err)
	}
	got := scanAll(t, e, key("h"), 0, func() {})
	for w := 0; w < 8; w += 2 {
		if _, ok := got[fmt.Sprint(w)]; ok {
			t.Errorf("step %d left, and was committed", w)
		}
	}
}

// testReadMoment moves a token between two keys and looks for it in both.
func testReadMoment(t *testing.T, e engine.Engine) {
	update(t, e, func(tx engine.Tx) { tx.HSet(key("a"), "token", nil) })
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			from, to := key("a"), key("b")
			if i%2 == 1 {
				from, to = to, from
			}
			if err := e.Update(t.Context(), slot, func(tx engine.Tx) error {
				tx.HDel(from, "token")
				tx.HSet(to, "token", nil)
				return nil
			}); err != nil {
				t.Errorf("move the token: %v", err)
				return
			}
		}
	})
	for range 100 {
		a, b := &engine.HLen{Key: key("a")}, &engine.HLen{Key: key("b")}
		read(t, e, a, b)
		if a.N+b.N != 1 {
			t.Errorf("a read saw %d tokens, want 1", a.N+b.N)
		}
	}
	close(stop)
	wg.Wait()
}

func testClose(t *testing.T, e engine.Engine) {
	update(t, e, func(tx engine.Tx) { tx.HSet(key("h"), "f", nil) })
	for range 2 { // A second one is no error.
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	nothing := func(engine.Tx) error { return nil }
	for name, err := range map[string]error{
		"update": e.Update(t.Context(), slot, nothing),
		"read":   e.Read(t.Context(), slot, &engine.HLen{Key: key("h")}),
		"ping":   e.Ping(t.Context()),
	} {
		if !errors.Is(err, engine.ErrClosed) {
			t.Errorf("%s after close: got %v, want ErrClosed", name, err)
		}
	}
}
