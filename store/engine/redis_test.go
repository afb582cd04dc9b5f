package engine_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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

// What a proxy does to an EXEC.
type fault int

const (
	pass      fault = iota
	replyLost       // the server runs it; the client's connection ends instead of the answer
	lostBoth        // the server never gets it
	late            // the client's connection ends at once, and the server gets it afterwards
)

// A proxy stands between an engine and its server and ends connections around
// EXEC.
type proxy struct {
	net.Listener
	upstream string
	choose   func() fault
	cuts     [late + 1]atomic.Int64
	refuse   atomic.Bool // end every new connection
	wg       sync.WaitGroup
}

func newProxy(t *testing.T, upstream string, choose func() fault) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, upstream: upstream, choose: choose}
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close() })
	return p
}

// serve copies both ways. A client sends a transaction as one write, so that a
// chunk which ends in EXEC is a whole one.
func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.upstream)
	if err != nil || p.refuse.Load() {
		return
	}
	defer server.Close()
	var mute atomic.Bool
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if n > 0 && !mute.Load() {
				_, _ = client.Write(buf[:n])
			}
			if err != nil || mute.Load() {
				_ = client.Close()
				if err != nil {
					return
				}
			}
		}
	}()
	buf := make([]byte, 1<<16)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		f := pass
		if bytes.HasSuffix(buf[:n], []byte("$4\r\nexec\r\n")) {
			f = p.choose()
			p.cuts[f].Add(1)
		}
		switch f {
		case lostBoth:
			return
		case replyLost:
			mute.Store(true)
		case late:
			mute.Store(true)
			_ = client.Close()
			time.Sleep(rand.N(4 * time.Millisecond)) // The network's delay, not a wait for anything.
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
		if f == late {
			// Leave the connection open until the server has answered.
			_ = server.(*net.TCPConn).CloseWrite()
			time.Sleep(5 * time.Millisecond)
			return
		}
	}
}

// through puts the proxy into the URL of a Redis.
func through(t *testing.T, addr string, choose func() fault) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(addr)
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, u.Host, choose)
	u.Host = p.Addr().String()
	return p, u.String()
}

// A counter stays exact though connections end around its commits.
func TestRedisLostReplies(t *testing.T) {
	for name, faults := range map[string][]fault{
		"the reply is lost":    {pass, replyLost},
		"the commit is lost":   {pass, lostBoth},
		"the commit is late":   {pass, late},
		"all of that, at once": {pass, pass, replyLost, lostBoth, late},
	} {
		t.Run(name, func(t *testing.T) {
			eachRedis(t, func(t *testing.T, addr string) {
				p, via := through(t, addr, func() fault { return faults[rand.IntN(len(faults))] })
				const workers, each = 3, 70
				var wg sync.WaitGroup
				for range workers {
					r := openRedis(t, engine.RedisOptions{URL: via})
					wg.Go(func() {
						for range each {
							if err := r.Update(t.Context(), slot, add); err != nil {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				t.Logf("passed, reply lost, lost, late: %d %d %d %d", p.cuts[pass].Load(), p.cuts[replyLost].Load(), p.cuts[lostBoth].Load(), p.cuts[late].Load())
				if n := count(t, openRedis(t, engine.RedisOptions{URL: addr})); n != workers*each {
					t.Errorf("got %d, want %d", n, workers*each)
				}
			})
		})
	}
}

// A step that fails after its first commit was lost on the way leaves nothing
// behind, even if that commit arrives later.
func TestRedisLateCommitOfAFailedStep(t *testing.T) {
	eachRedis(t, func(t *testing.T, addr string) {
		var done atomic.Bool
		_, via := through(t, addr, func() fault {
			if done.Swap(true) {
				return pass
			}
			return late
		})
		stop := errors.New("stop")
		for range 20 {
			done.Store(false)
			r := openRedis(t, engine.RedisOptions{URL: via})
			before, runs := count(t, r), 0
			err := r.Update(t.Context(), slot, func(tx engine.Tx) error {
				if runs++; runs > 1 {
					return stop
				}
				return add(tx)
			})
			want := before // not committed …
			if err == nil {
				want++ // … or committed, and found to be
			} else if !errors.Is(err, stop) {
				t.Fatal(err)
			}
			// The late commit takes up to 9 ms; give it the time to do harm.
			time.Sleep(12 * time.Millisecond)
			if n := count(t, r); n != want {
				t.Errorf("after error %v: got count %d, want %d", err, n, want)
			}
			_ = r.Close()
		}
	})
}

func TestRedisUnknownOutcome(t *testing.T) {
	var p *proxy
	var sent atomic.Bool
	p, via := through(t, "redis://"+miniredis.RunT(t).Addr(), func() fault {
		p.refuse.Store(true) // The server cannot be asked again.
		sent.Store(true)
		return replyLost
	})
	r := openRedis(t, engine.RedisOptions{URL: via})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := r.Update(ctx, slot, add)
	if !errors.Is(err, engine.ErrUnknown) || !sent.Load() {
		t.Errorf("got %v, want ErrUnknown", err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %v beyond a context of 100 ms", took)
	}
}

// A step cancelled while its commit is under way learns what became of it.
func TestRedisCancelledDuringCommit(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, via := through(t, "redis://"+miniredis.RunT(t).Addr(), func() fault {
		cancel()
		return replyLost
	})
	r := openRedis(t, engine.RedisOptions{URL: via})
	err := r.Update(ctx, slot, add)
	n := count(t, r)
	if (err == nil) != (n == 1) || err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v and count %d: they do not agree", err, n)
	}
}

func TestRedisUnreachable(t *testing.T) {
	m := miniredis.RunT(t)
	r := openRedis(t, engine.RedisOptions{URL: "redis://" + m.Addr(), Patience: 50 * time.Millisecond})
	m.Close()
	if err := r.Update(t.Context(), slot, add); err == nil || errors.Is(err, engine.ErrUnknown) {
		t.Errorf("update without a server: got %v, want a plain error", err)
	}
	if err := r.Read(t.Context(), slot, &engine.HLen{Key: counter}); err == nil {
		t.Error("read without a server: got no error")
	}
	if err := m.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := r.Update(t.Context(), slot, add); err != nil {
		t.Errorf("update with the server back: %v", err)
	}
	m.SetError("LOADING Redis is loading the dataset in memory")
	var loaded atomic.Bool
	time.AfterFunc(10*time.Millisecond, func() { m.SetError(""); loaded.Store(true) })
	if err := openRedisLater(t, m, &loaded).Update(t.Context(), slot, add); err != nil {
		t.Errorf("update of a server that was loading: %v", err)
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

// openRedisLater returns an engine on a server that still refuses everything.
func openRedisLater(t *testing.T, m *miniredis.Miniredis, loaded *atomic.Bool) *engine.Redis {
	t.Helper()
	for !loaded.Load() {
		if r, err := engine.OpenRedis(t.Context(), engine.RedisOptions{URL: "redis://" + m.Addr()}); err == nil {
			t.Cleanup(func() { _ = r.Close() })
			return r
		}
	}
	return openRedis(t, engine.RedisOptions{URL: "redis://" + m.Addr()})
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
