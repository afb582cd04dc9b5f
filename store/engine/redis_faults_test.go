package engine_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/vacancywatch/vacancywatch/store/engine"
)

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
	refuse   atomic.Bool   // end every new connection
	arrived  chan struct{} // a late commit was run by the server
}

func newProxy(t *testing.T, upstream string, choose func() fault) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, upstream: upstream, choose: choose, arrived: make(chan struct{}, 1)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
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
	ended := make(chan struct{}) // by the server
	go func() {
		defer close(ended)
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
			// The server ends the connection once it has done what it got.
			_ = server.(*net.TCPConn).CloseWrite()
			<-ended
			select {
			case p.arrived <- struct{}{}:
			default: // Nobody waits for them.
			}
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
		"the commit is late":   {pass, pass, late},
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
		p, via := through(t, addr, func() fault {
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
			<-p.arrived // The late commit had the time to do harm.
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
