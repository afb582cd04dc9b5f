package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/vacancywatch/vacancywatch/store/engine"
)

func openBolt(t *testing.T, path string, o engine.BoltOptions) *engine.Bolt {
	t.Helper()
	b, err := engine.OpenBolt(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// warnings collects what an engine warns of.
type warnings struct {
	mu  sync.Mutex
	all []string
}

func (w *warnings) add(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, s)
}

func (w *warnings) want(t *testing.T, words ...string) {
	t.Helper()
	text := strings.Join(w.all, "\n")
	for _, s := range words {
		if !strings.Contains(text, s) {
			t.Errorf("warnings lack %q: %s", s, text)
		}
	}
	if len(words) == 0 && text != "" {
		t.Errorf("got warnings: %s", text)
	}
}

func set(t *testing.T, e engine.Engine, field, val string) {
	t.Helper()
	if err := e.Update(t.Context(), slot, func(tx engine.Tx) error {
		tx.HSet("{t:00}:h", field, []byte(val))
		tx.ZAdd("{t:00}:z", engine.Z{Member: field, Score: float64(len(val))})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func value(t *testing.T, e engine.Engine, field string) string {
	t.Helper()
	get := &engine.HGet{Key: "{t:00}:h", Field: field}
	if err := e.Read(t.Context(), slot, get); err != nil {
		t.Fatal(err)
	}
	return string(get.Val)
}

func TestBoltReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "state.db")
	var w warnings
	b := openBolt(t, path, engine.BoltOptions{Warn: w.add})
	set(t, b, "f", "v")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if got := value(t, openBolt(t, path, engine.BoltOptions{Warn: w.add}), "f"); got != "v" {
		t.Errorf("got %q", got)
	}
	w.want(t)
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want && runtime.GOOS != "windows" {
			t.Errorf("%s: got mode %v, error %v, want %v", name, info.Mode(), err, want)
		}
	}
}

func TestBoltIsLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	b := openBolt(t, path, engine.BoltOptions{})
	_, err := engine.OpenBolt(path, engine.BoltOptions{LockTimeout: 20 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "another vacancywatch is using") {
		t.Errorf("got %v", err)
	}
	set(t, b, "f", "the first still works")
}

func TestBoltCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(file, "state.db"), t.TempDir()} {
		if b, err := engine.OpenBolt(path, engine.BoltOptions{}); err == nil {
			t.Errorf("%s was opened", path)
			_ = b.Close()
		} else if errors.Is(err, engine.ErrDamaged) {
			t.Errorf("%s: taken for damaged: %v", path, err)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the file in the way: %v", err)
	}
}

// Files that are sound but not ours are refused, not moved aside.
func TestBoltForeign(t *testing.T) {
	for name, bucket := range map[string]string{"another program's": "users", "of a later version": "meta"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			db, err := bolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Update(func(tx *bolt.Tx) error {
				b, err := tx.CreateBucket([]byte(bucket))
				if err != nil {
					return err
				}
				return b.Put([]byte("format"), []byte("99"))
			}); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := engine.OpenBolt(path, engine.BoltOptions{}); err == nil || errors.Is(err, engine.ErrDamaged) {
				t.Errorf("got %v, want a plain refusal", err)
			}
			if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
				t.Errorf("files were made or moved: %v", left)
			}
		})
	}
}

// damages are ways to spoil a file.
var damages = map[string]func([]byte) []byte{
	"no bbolt at all":  func([]byte) []byte { return bytes.Repeat([]byte("garbage\n"), 4096) },
	"short":            func([]byte) []byte { return []byte("x") },
	"cut in its data":  func(b []byte) []byte { return b[:6*os.Getpagesize()] },
	"cut to two pages": func(b []byte) []byte { return b[:2*os.Getpagesize()] },
	"metas zeroed":     func(b []byte) []byte { clear(b[:2*os.Getpagesize()]); return b },
	"data zeroed":      func(b []byte) []byte { clear(b[2*os.Getpagesize():]); return b },
	"data of noise": func(b []byte) []byte {
		r := rand.NewChaCha8([32]byte{1})
		_, _ = r.Read(b[2*os.Getpagesize():])
		return b
	},
}

func TestBoltDamaged(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			b := openBolt(t, path, engine.BoltOptions{})
			set(t, b, "f", "old")
			if err := b.Copy(path + ".copy1"); err != nil {
				t.Fatal(err)
			}
			set(t, b, "f", "good")
			if err := b.Copy(path + ".copy2"); err != nil {
				t.Fatal(err)
			}
			for i := range 200 {
				set(t, b, fmt.Sprint("f", i), strings.Repeat("x", 300))
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			// A copy that was spoilt as well, and is newer.
			spoilt, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			spoilt = damage(spoilt)
			for _, file := range []string{path, path + ".copy3"} {
				if err := os.WriteFile(file, bytes.Clone(spoilt), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for i, file := range []string{".copy1", ".copy2", ".copy3"} {
				when := time.Date(2026, 3, 1, i, 0, 0, 0, time.UTC)
				if err := os.Chtimes(path+file, when, when); err != nil {
					t.Fatal(err)
				}
			}

			var w warnings
			b = openBolt(t, path, engine.BoltOptions{Warn: w.add})
			if got := value(t, b, "f"); got != "good" {
				t.Errorf("got %q from the newest good copy", got)
			}
			set(t, b, "f", "goes on")
			w.want(t, path+".copy3 of the state file cannot be used", "was damaged", path+".copy2 of 2026-03-01T01:00:00Z was restored")
			aside, _ := filepath.Glob(path + ".damaged-*Z")
			if len(aside) != 1 {
				t.Fatalf("moved aside: %v, want one file", aside)
			}
			if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, spoilt) {
				t.Errorf("the damaged file was not kept as it was: %v", err)
			}
		})
	}
}

func TestBoltDamagedWithoutCopies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state [1]*.db") // A path is no pattern.
	if err := os.WriteFile(path, []byte("not a state file"), 0o600); err != nil {
		t.Fatal(err)
	}
	var w warnings
	b := openBolt(t, path, engine.BoltOptions{Warn: w.add})
	w.want(t, "was damaged", "There is no good copy")
	set(t, b, "f", "v")
}

// Whatever the bytes of a file are, opening it neither crashes nor takes the
// daemon's place: it opens, or fails with an error.
func FuzzOpenBolt(f *testing.F) {
	seed := filepath.Join(f.TempDir(), "seed.db")
	b, err := engine.OpenBolt(seed, engine.BoltOptions{})
	if err != nil {
		f.Fatal(err)
	}
	if err := b.Update(f.Context(), slot, func(tx engine.Tx) error {
		for i := range 40 {
			tx.HSet("{t:00}:h", fmt.Sprint(i), bytes.Repeat([]byte("v"), 100))
			tx.ZAdd("{t:00}:z", engine.Z{Member: fmt.Sprint(i), Score: float64(i)})
		}
		return nil
	}); err != nil {
		f.Fatal(err)
	}
	if err := b.Close(); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(seed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), []byte{0})
	f.Add(uint32(os.Getpagesize()+16), []byte{0xed, 0xda, 0x0c, 0xff})
	f.Add(uint32(3*os.Getpagesize()+8), []byte{2, 0, 255, 255})
	f.Add(uint32(4*os.Getpagesize()+8), []byte{1, 0, 3, 0})
	f.Add(uint32(5*os.Getpagesize()), bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, at uint32, over []byte) {
		spoilt := bytes.Clone(good)
		copy(spoilt[int(at)%len(spoilt):], over)
		path := filepath.Join(t.TempDir(), "state.db")
		if err := os.WriteFile(path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := engine.OpenBolt(path, engine.BoltOptions{})
		if err != nil {
			return
		}
		_ = b.Read(t.Context(), slot, &engine.HScan{Key: "{t:00}:h"}, &engine.ZRange{Key: "{t:00}:z", Max: 99})
		_ = b.Update(t.Context(), slot, add)
		_ = b.Close()
	})
}

// A file that is cut under a running engine ends in errors, not in a crash.
func TestBoltDamagedWhileOpen(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file cannot be cut there")
	}
	path := filepath.Join(t.TempDir(), "state.db")
	b := openBolt(t, path, engine.BoltOptions{})
	for i := range 100 {
		set(t, b, fmt.Sprint(i), strings.Repeat("x", 1000))
	}
	if err := os.Truncate(path, int64(2*os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	if err := b.Read(t.Context(), slot, &engine.HScan{Key: "{t:00}:h"}); !errors.Is(err, engine.ErrDamaged) {
		t.Errorf("read: got %v, want ErrDamaged", err)
	}
	if err := b.Update(t.Context(), slot, add); !errors.Is(err, engine.ErrDamaged) {
		t.Errorf("update: got %v, want ErrDamaged", err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	var w warnings
	set(t, openBolt(t, path, engine.BoltOptions{Warn: w.add}), "f", "v")
	w.want(t, "was damaged", "There is no good copy")
}

func TestBoltCopyWhileWriting(t *testing.T) {
	dir := t.TempDir()
	b := openBolt(t, filepath.Join(dir, "state.db"), engine.BoltOptions{})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				// Both fields always agree.
				if err := b.Update(t.Context(), slot, func(tx engine.Tx) error {
					v := strconv.AppendInt(nil, rand.Int64(), 10)
					tx.HSet("{t:00}:h", "a", v)
					tx.HSet("{t:00}:h", "b", v)
					return nil
				}); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	for i := range 5 {
		path := filepath.Join(dir, "copies", "state.db")
		if err := b.Copy(path); err != nil {
			t.Fatal(err)
		}
		c := openBolt(t, path, engine.BoltOptions{})
		if x, y := value(t, c, "a"), value(t, c, "b"); x != y {
			t.Errorf("copy %d: %s and %s are not of one moment", i, x, y)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
	if left, _ := os.ReadDir(filepath.Join(dir, "copies")); len(left) != 1 {
		t.Errorf("left in the folder of copies: %v", left)
	}
	if err := b.Copy(filepath.Join(dir, "state.db", "no folder")); err == nil {
		t.Error("a copy under a file: got no error")
	}
}

func TestBoltCompacts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	b := openBolt(t, path, engine.BoltOptions{})
	set(t, b, "f", "v")
	set(t, b, "empty", "")
	if err := b.Update(t.Context(), slot, func(tx engine.Tx) error {
		for i := range 3 {
			tx.HSet("{t:00}:big", fmt.Sprint(i), make([]byte, 25<<20))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := b.Update(t.Context(), slot, func(tx engine.Tx) error { tx.Del("{t:00}:big"); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	var w warnings
	b = openBolt(t, path, engine.BoltOptions{Warn: w.add})
	w.want(t)
	if info, err := os.Stat(path); err != nil || info.Size() > 1<<20 {
		t.Errorf("got a file of %d bytes, error %v", info.Size(), err)
	}
	n, zs := &engine.HLen{Key: "{t:00}:h"}, &engine.ZCard{Key: "{t:00}:z"}
	get := &engine.HGet{Key: "{t:00}:h", Field: "empty"}
	if err := b.Read(t.Context(), slot, n, zs, get); err != nil {
		t.Fatal(err)
	}
	if got := value(t, b, "f"); got != "v" || n.N != 2 || zs.N != 2 || !get.OK {
		t.Errorf("after compaction: got %q, %d fields, %d members, empty value there: %v", got, n.N, zs.N, get.OK)
	}
	// The new file is the one that is written and locked.
	set(t, b, "g", "w")
	if _, err := engine.OpenBolt(path, engine.BoltOptions{LockTimeout: 10 * time.Millisecond}); err == nil {
		t.Error("the compacted file is not locked")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if got := value(t, openBolt(t, path, engine.BoltOptions{Warn: w.add}), "g"); got != "w" {
		t.Errorf("after another opening: got %q", got)
	}
}
