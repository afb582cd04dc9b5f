package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
)

// Scores sort by their bytes as by their value, and come back unchanged.
func FuzzSortable(f *testing.F) {
	for _, x := range []float64{0, 1, -1, 0.5, math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64} {
		f.Add(x, -x)
		f.Add(x, 1.0)
	}
	f.Fuzz(func(t *testing.T, x, y float64) {
		if math.IsNaN(x) || math.IsNaN(y) {
			return
		}
		if got := unsortable(sortable(x)); got != x {
			t.Errorf("%v came back as %v", x, got)
		}
		if x == 0 && y == 0 {
			return // −0 and 0 are made one before they get here.
		}
		if (x < y) != (sortable(x) < sortable(y)) || (x > y) != (sortable(x) > sortable(y)) {
			t.Errorf("%v and %v sort otherwise as bytes", x, y)
		}
	})
}

func TestJudge(t *testing.T) {
	good := "# Server\r\nredis_version:7.0.15\r\nrole:master\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n"
	for _, c := range []struct {
		name, info, fsync string
		warn              []string // words of each warning
		err               string
	}{
		{name: "as it should be", info: good, fsync: "always"},
		{name: "Valkey", info: strings.Replace(good, "7.0.15", "7.2.4\r\nvalkey_version:8.0.1", 1), fsync: "always"},
		{name: "6.2", info: strings.Replace(good, "7.0.15", "6.2.0", 1), fsync: "always"},
		{name: "6.0", info: strings.Replace(good, "7.0.15", "6.0.16", 1), fsync: "always", err: "version 6.0.16 is too old"},
		{name: "version of letters", info: strings.Replace(good, "7.0.15", "unstable", 1), fsync: "always", err: "too old"},
		{name: "10", info: strings.Replace(good, "7.0.15", "10", 1), fsync: "always"},
		{name: "evicts all", info: strings.Replace(good, "noeviction", "allkeys-lru", 1), fsync: "always", err: "maxmemory-policy is allkeys-lru"},
		{name: "evicts some", info: strings.Replace(good, "noeviction", "volatile-ttl", 1), fsync: "always", err: "set it to noeviction"},
		{name: "replica", info: strings.Replace(good, "role:master", "role:slave", 1), fsync: "always", err: "it is a replica"},
		{name: "every second", info: good, fsync: "everysec", warn: []string{"can lose the last second of writes"}},
		{name: "no CONFIG", info: good, warn: []string{"appendfsync cannot be read"}},
		{name: "no append-only file", info: strings.Replace(good, "aof_enabled:1", "aof_enabled:0", 1), fsync: "always",
			warn: []string{"everything since its last snapshot"}},
		{name: "says nothing", warn: []string{"version cannot be read", "maxmemory-policy cannot be read", "append-only file cannot be read"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			warn, err := judge(parseInfo(c.info), c.fsync)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(warn) != len(c.warn) {
				t.Fatalf("got warnings %q, want %d", warn, len(c.warn))
			}
			for i := range warn {
				if !strings.Contains(warn[i], c.warn[i]) {
					t.Errorf("got warning %q, want %q in it", warn[i], c.warn[i])
				}
			}
		})
	}
}

// No text a server sends is too strange to judge, and none is judged good by
// accident.
func FuzzJudge(f *testing.F) {
	f.Add("redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n", "always")
	f.Add("redis_version:7\nmaxmemory_policy:\n:\n#:", "")
	f.Fuzz(func(t *testing.T, text, fsync string) {
		info := parseInfo(text)
		warn, err := judge(info, fsync)
		if err == nil && len(warn) == 0 && (info["maxmemory_policy"] != "noeviction" || info["aof_enabled"] != "1" || fsync != "always") {
			t.Errorf("judged good: %q, %q", text, fsync)
		}
	})
}

// A URL that cannot be read is not repeated, not even in part.
func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"%s", "user:%s@h:1", "user:p@h:1/%s", "h?db=%s", ":%s:%s@", "[%s"} {
		f.Add("redis://", strings.ReplaceAll(s, "%s", "s3cretpassphrase"))
	}
	f.Fuzz(func(t *testing.T, scheme, rest string) {
		_, err := parseURL(scheme + rest)
		if err == nil || len(rest) < 12 {
			return
		}
		for i := range len(rest) - 11 {
			if strings.Contains(err.Error(), rest[i:i+12]) && !strings.Contains("redis:// rediss:// unix:// redis://user:password@host:port/db", rest[i:i+12]) {
				t.Errorf("the error repeats %q", rest[i:i+12])
			}
		}
	})
}

func openMini(t *testing.T) (*Redis, *miniredis.Miniredis) {
	t.Helper()
	m := miniredis.RunT(t)
	r, err := OpenRedis(t.Context(), RedisOptions{URL: "redis://" + m.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, m
}

// The list of commits is bounded, and where it does not reach back to a lost
// commit, that is said and not guessed.
func TestLookUp(t *testing.T) {
	r, m := openMini(t)
	step := func(tx Tx) error { tx.HSet("{s}:h", "f", nil); return nil }
	for range 3 {
		if err := r.Update(t.Context(), "s", step); err != nil {
			t.Fatal(err)
		}
	}
	nonces, err := m.List(commitsKey("s"))
	if err != nil || len(nonces) != 3 {
		t.Fatalf("got nonces %q, %v, want 3", nonces, err)
	}
	for _, c := range []struct {
		name      string
		sent      commit
		committed bool
		err       error
	}{
		{"committed", commit{nonce: nonces[1], after: nonces[2]}, true, nil},
		{"not committed", commit{nonce: "x", after: nonces[0]}, false, nil},
		{"not committed, as the first", commit{nonce: "x"}, false, nil},
		{"before all that is kept", commit{nonce: "x", after: "trimmed"}, false, errTrimmed},
	} {
		known, committed, err := r.lookUp(t.Context(), "s", c.sent)
		if !known || committed != c.committed || !errors.Is(err, c.err) {
			t.Errorf("%s: got %v, %v, %v, want true, %v, %v", c.name, known, committed, err, c.committed, c.err)
		}
	}
	for range keepCommits {
		if err := r.Update(t.Context(), "s", step); err != nil {
			t.Fatal(err)
		}
	}
	if nonces, _ := m.List(commitsKey("s")); len(nonces) != keepCommits {
		t.Errorf("the list of commits has %d entries, want %d", len(nonces), keepCommits)
	}
	if _, _, err := r.lookUp(t.Context(), "s", commit{nonce: "x"}); !errors.Is(err, errTrimmed) {
		t.Errorf("a commit to an empty list that was filled since: got %v, want errTrimmed", err)
	}
}

func TestLocksAreForgotten(t *testing.T) {
	r, _ := openMini(t)
	for i := range 10 {
		if err := r.Update(t.Context(), fmt.Sprint(i), func(Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.locks) != 0 {
		t.Errorf("%d locks are left", len(r.locks))
	}
}

// Waiting steps share commits, and each sees what those before it wrote.
func TestBoltSharesCommits(t *testing.T) {
	b, err := OpenBolt(filepath.Join(t.TempDir(), "state.db"), BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	const steps = 600
	var wg sync.WaitGroup
	inside, leave := make(chan struct{}), make(chan struct{})
	run := func(fn func(Tx) error) {
		wg.Go(func() {
			if err := b.Update(t.Context(), "s", fn); err != nil {
				t.Error(err)
			}
		})
	}
	run(func(Tx) error { close(inside); <-leave; return nil })
	<-inside
	start := b.db.Stats()
	for range steps {
		run(func(tx Tx) error {
			n := &HLen{Key: "{s}:h"}
			if err := tx.Read(n); err != nil {
				return err
			}
			tx.HSet("{s}:h", fmt.Sprint(n.N), nil)
			return nil
		})
	}
	for waiting := 0; waiting < steps; time.Sleep(time.Millisecond) {
		b.mu.Lock()
		waiting = len(b.queue)
		b.mu.Unlock()
	}
	close(leave)
	wg.Wait()
	n := &HLen{Key: "{s}:h"}
	if err := b.Read(t.Context(), "s", n); err != nil {
		t.Fatal(err)
	}
	if n.N != steps {
		t.Errorf("got %d fields, want %d: steps did not see each other", n.N, steps)
	}
	// A commit takes some ten writes of pages here.
	end := b.db.Stats()
	if writes := end.TxStats.GetWrite() - start.TxStats.GetWrite(); writes > steps/4 {
		t.Errorf("%d steps took %d writes", steps, writes)
	}
	if len(b.queue) != 0 {
		t.Errorf("%d steps are left in the queue", len(b.queue))
	}
}

// After a commit that failed half-way nothing is pretended: the step is unknown
// and the engine is of no more use.
func TestBoltCommitHalfWay(t *testing.T) {
	b, err := OpenBolt(filepath.Join(t.TempDir(), "state.db"), BoltOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := b.db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	// To bbolt, committing twice is an error after which the commit is there.
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := b.commit(tx); !errors.Is(err, ErrUnknown) {
		t.Errorf("commit: got %v, want ErrUnknown", err)
	}
	if err := b.Update(t.Context(), "s", func(Tx) error { return nil }); !errors.Is(err, ErrDamaged) {
		t.Errorf("update: got %v, want ErrDamaged", err)
	}
	if err := b.Ping(t.Context()); !errors.Is(err, ErrDamaged) {
		t.Errorf("ping: got %v, want ErrDamaged", err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestBufferJoinsWrites(t *testing.T) {
	b := buffer{slot: "s"}
	for i := range 3 {
		b.HSet("{s}:h", fmt.Sprint(i), nil)
	}
	b.ZAdd("{s}:z", Z{Member: "m", Score: 1})
	b.HSet("{s}:h", "later", nil)
	b.ZRem("{s}:z", make([]string, 2*mostNames+1)...)
	var got []int
	for _, o := range b.ops {
		got = append(got, len(o.names))
	}
	if diff := cmp.Diff([]int{3, 1, 1, mostNames, mostNames, 1}, got); b.err != nil || diff != "" {
		t.Errorf("names in each op (-want +got), error %v:\n%s", b.err, diff)
	}
	if b.items != 3+1+1+2*mostNames+1 {
		t.Errorf("got %d items", b.items)
	}
}

func TestWithGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, make := range map[string]func() (context.Context, context.CancelFunc){
			"cancelled": func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(time.Minute, cancel)
				return ctx, cancel
			},
			"at its deadline": func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(context.Background(), time.Minute)
			},
		} {
			ctx, cancel := make()
			longer, release := withGrace(ctx)
			start := time.Now()
			<-longer.Done()
			if took := time.Since(start); took != time.Minute+grace {
				t.Errorf("%s: ended after %v", name, took)
			}
			release()
			cancel()

			ctx, cancel = make()
			longer, release = withGrace(ctx)
			release()
			if longer.Err() == nil {
				t.Errorf("%s: released, and goes on", name)
			}
			cancel()
		}
	})
}

func TestMostlyFree(t *testing.T) {
	for _, c := range []struct {
		size, free int64
		want       bool
	}{
		{compactSize, compactSize, false},
		{compactSize + 4096, compactSize / 100 * 61, true},
		{compactSize * 10, compactSize * 6, false},
		{compactSize * 10, compactSize * 7, true},
	} {
		if got := mostlyFree(c.size, c.free); got != c.want {
			t.Errorf("%d of %d free: got %v", c.free, c.size, got)
		}
	}
}

// Every verb of a step on bbolt that meets a damaged score says so.
func TestReadScore(t *testing.T) {
	if _, err := readScore([]byte("short")); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
	if u, err := readScore(scoreKey(7, "m")[1:]); err != nil || u != 7 {
		t.Errorf("got %d, %v", u, err)
	}
	if got := globEscape(`/a[1]*?.db`); !slices.Contains([]string{`/a\[1]\*\?.db`, `/a[1]*?.db`}, got) {
		t.Errorf("got %s", got)
	}
}
