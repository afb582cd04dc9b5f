package engine_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
)

const slot, counter = "t:00", "{t:00}:count"

func openRedis(t *testing.T, o engine.RedisOptions) *engine.Redis {
	t.Helper()
	r, err := engine.OpenRedis(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// eachRedis runs a test on miniredis and on a real server.
func eachRedis(t *testing.T, run func(t *testing.T, addr string)) {
	t.Run("miniredis", func(t *testing.T) { run(t, "redis://"+miniredis.RunT(t).Addr()) })
	t.Run("redis", func(t *testing.T) { run(t, enginetest.Redis(t)) })
}

// add is a step that adds one to the counter, and is not idempotent.
func add(tx engine.Tx) error {
	get := &engine.HGet{Key: counter, Field: "n"}
	if err := tx.Read(get); err != nil {
		return err
	}
	n, _ := strconv.Atoi(string(get.Val))
	tx.HSet(counter, "n", []byte(strconv.Itoa(n+1)))
	return nil
}

func count(t *testing.T, e engine.Engine) int {
	t.Helper()
	get := &engine.HGet{Key: counter, Field: "n"}
	if err := e.Read(t.Context(), slot, get); err != nil {
		t.Fatal(err)
	}
	n, _ := strconv.Atoi(string(get.Val))
	return n
}

// A step that another process overtakes is run again, on what that one left.
func TestRedisRunsAStepAgain(t *testing.T) {
	eachRedis(t, func(t *testing.T, addr string) {
		mine, theirs := openRedis(t, engine.RedisOptions{URL: addr}), openRedis(t, engine.RedisOptions{URL: addr})
		const overtaken = 5
		runs := 0
		if err := mine.Update(t.Context(), slot, func(tx engine.Tx) error {
			if runs++; runs <= overtaken {
				if err := theirs.Update(t.Context(), slot, add); err != nil {
					t.Error(err)
				}
			}
			return add(tx)
		}); err != nil {
			t.Fatal(err)
		}
		// Overtaken before its read the step sees the others' write, but its
		// WATCH is older than that.
		if n := count(t, mine); n != overtaken+1 || runs != overtaken+1 {
			t.Errorf("got count %d after %d runs, want %d of both", n, runs, overtaken+1)
		}
	})
}

// What a step reads in several batches belongs together even if it writes
// nothing.
func TestRedisStepWithoutWritesIsIsolated(t *testing.T) {
	eachRedis(t, func(t *testing.T, addr string) {
		mine, theirs := openRedis(t, engine.RedisOptions{URL: addr}), openRedis(t, engine.RedisOptions{URL: addr})
		stop := errors.New("stop")
		for _, end := range []error{nil, stop} {
			a, b := &engine.HGet{Key: counter, Field: "n"}, &engine.HGet{Key: counter, Field: "n"}
			runs := 0
			if err := mine.Update(t.Context(), slot, func(tx engine.Tx) error {
				runs++
				if err := tx.Read(a); err != nil {
					return err
				}
				if runs == 1 {
					if err := theirs.Update(t.Context(), slot, add); err != nil {
						t.Error(err)
					}
				}
				if err := tx.Read(b); err != nil {
					return err
				}
				return end
			}); !errors.Is(err, end) {
				t.Fatalf("got %v, want %v", err, end)
			}
			if string(a.Val) != string(b.Val) || runs != 2 {
				t.Errorf("read %q, then %q, in %d runs: want the same in 2", a.Val, b.Val, runs)
			}
		}
	})
}

func TestRedisProcessesTogether(t *testing.T) {
	eachRedis(t, func(t *testing.T, addr string) {
		const processes, workers, each = 3, 2, 20
		var wg sync.WaitGroup
		for range processes {
			r := openRedis(t, engine.RedisOptions{URL: addr})
			for range workers {
				wg.Go(func() {
					for range each {
						if err := r.Update(t.Context(), slot, add); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		wg.Wait()
		if n := count(t, openRedis(t, engine.RedisOptions{URL: addr})); n != processes*workers*each {
			t.Errorf("got %d, want %d", n, processes*workers*each)
		}
	})
}

func TestRedisUnreachable(t *testing.T) {
	m := miniredis.RunT(t)
	r := openRedis(t, engine.RedisOptions{URL: "redis://" + m.Addr()})
	hasty := openRedis(t, engine.RedisOptions{URL: "redis://" + m.Addr(), Patience: 50 * time.Millisecond})
	m.Close()
	if err := hasty.Update(t.Context(), slot, add); err == nil || errors.Is(err, engine.ErrUnknown) {
		t.Errorf("update without a server: got %v, want a plain error", err)
	}
	if err := hasty.Read(t.Context(), slot, &engine.HLen{Key: counter}); err == nil {
		t.Error("read without a server: got no error")
	}
	if err := m.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := r.Update(t.Context(), slot, add); err != nil {
		t.Errorf("update with the server back: %v", err)
	}
	runs := 0
	if err := r.Update(t.Context(), slot, func(tx engine.Tx) error {
		if runs++; runs == 1 {
			m.SetError("LOADING Redis is loading the dataset in memory")
			time.AfterFunc(5*time.Millisecond, func() { m.SetError("") })
		}
		_ = add(tx) // An error of reading is the engine's, not the step's.
		return nil
	}); err != nil || runs < 2 {
		t.Errorf("update of a server that was loading: got %v after %d runs", err, runs)
	}
	m.SetError("OOM command not allowed when used memory > 'maxmemory'")
	if err := r.Update(t.Context(), slot, add); err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("update of a full server: got %v, want its own error", err)
	}
	m.SetError("")
	if n := count(t, r); n != 2 {
		t.Errorf("got %d, want 2", n)
	}
}

// No error shows a password, whatever is wrong.
func TestRedisErrorsHideSecrets(t *testing.T) {
	const secret = "hunter2-swordfish"
	// A server that repeats what it does not understand.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for in := bufio.NewReader(c); ; {
					line, err := in.ReadString('\n')
					if err != nil {
						return
					}
					var n int
					_, _ = fmt.Sscanf(line, "*%d", &n)
					var words []string
					for range n {
						var size int
						head, _ := in.ReadString('\n')
						_, _ = fmt.Sscanf(head, "$%d", &size)
						word := make([]byte, size+2)
						if _, err := io.ReadFull(in, word); err != nil {
							return
						}
						words = append(words, string(word[:size]))
					}
					fmt.Fprintf(c, "-ERR unknown command, with args beginning with: %s\r\n", strings.Join(words, " "))
				}
			}()
		}
	}()
	echo := l.Addr().String()
	for name, o := range map[string]engine.RedisOptions{
		"a server that repeats it":     {URL: "redis://user:" + secret + "@" + echo},
		"in the options":               {URL: "redis://" + echo, Username: "user", Password: secret},
		"Sentinel":                     {SentinelAddrs: []string{echo}, MasterName: "m", SentinelUsername: "u", SentinelPassword: secret, Password: secret},
		"Cluster":                      {ClusterAddrs: []string{echo}, Username: "u", Password: secret},
		"nobody there":                 {URL: "redis://user:" + secret + "@127.0.0.1:1"},
		"a slash in it":                {URL: "redis://127.0.0.1:/" + secret + "@127.0.0.1:1"},
		"a hash in it":                 {URL: "redis://127.0.0.1:#" + secret + "@127.0.0.1:1"},
		"a percent in it":              {URL: "redis://user:%zz" + secret + "@127.0.0.1:1"},
		"no scheme":                    {URL: "user:" + secret + "@127.0.0.1:1"},
		"another scheme":               {URL: "http://user:" + secret + "@127.0.0.1:1"},
		"an option that is none":       {URL: "redis://user:" + secret + "@127.0.0.1:1/0?password=" + secret},
		"a database that is no number": {URL: "redis://127.0.0.1:1/" + secret},
		"two of a kind":                {URL: "redis://user:" + secret + "@127.0.0.1:1", ClusterAddrs: []string{echo}},
		"no master":                    {SentinelAddrs: []string{echo}, Password: secret},
		"nothing":                      {Password: secret},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := engine.OpenRedis(ctx, o)
			if err == nil {
				t.Fatal("got no error")
			}
			if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, secret) {
				t.Errorf("the secret is in %s", text)
			}
		})
	}
}
