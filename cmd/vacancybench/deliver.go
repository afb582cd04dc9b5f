package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"
)

type deliverCmd struct {
	Messages int             `default:"2000" help:"How many messages are sent in a round, each way."`
	Rounds   int             `default:"3" help:"How often each way is measured; the middle one counts."`
	Fanout   int             `default:"100000" help:"To how many saved searches one vacancy goes out."`
	State    string          `enum:"embedded,redis,both" default:"both" help:"Where the outbox lies: embedded, redis (a server of its own, every write synced) or both."`
	Only     []string        `enum:"rates,fanout,replicas" placeholder:"PART" help:"Measure some parts alone: rates, fanout, replicas."`
	Answer   []time.Duration `default:"0s,5ms" help:"How long relay and endpoints of the suite wait before they answer; each is measured. A real one takes some milliseconds."`
	Dir      string          `type:"path" placeholder:"DIR" help:"Where the state lies, on the disk that is to be measured; by default among temporary files."`
	Quick    bool            `help:"A hundred messages or so, embedded state alone: shows that all is delivered, and judges no speed."`
	Seed     uint64          `default:"42" help:"The world."`
	Profile  string          `type:"path" placeholder:"FILE" help:"Write a profile of the processor's time."`
}

// The promises of delivery.
const (
	leastRatio = 0.8 // of the bare library's rate
	mostGrowth = 64  // MiB of heap, for a fan-out
)

// deliverRun is one run of the suite.
type deliverRun struct {
	*deliverCmd
	out    io.Writer
	dir    string
	secret string   // of the endpoints
	broken []string // promises
}

// Run measures how fast alerts leave, with the outbox that loses none, beside
// the libraries that they leave by, and what one vacancy that everybody asked
// for does to the process and to everybody else.
func (c *deliverCmd) Run(e *env) (err error) {
	if c.Quick {
		c.Messages, c.Rounds, c.Fanout, c.State, c.Answer = min(c.Messages, 100), 1, min(c.Fanout, 300), "embedded", []time.Duration{0}
	}
	if c.Messages < ofEach || c.Rounds < 1 || c.Fanout < 10 || len(c.Answer) == 0 {
		return fmt.Errorf("give at least %d messages, 1 round, a fan-out of 10 and 1 time to answer", ofEach)
	}
	if c.Profile != "" {
		f, err := os.Create(c.Profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	dir, err := os.MkdirTemp(c.Dir, "vacancybench-deliver-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := &deliverRun{deliverCmd: c, out: e.stdout, dir: dir, secret: newHookSecret()}
	fmt.Fprintf(r.out, "%s, %d processors, seed %d, all far sides on loopback\n", runtime.Version(), runtime.GOMAXPROCS(0), c.Seed)
	var states []string
	for _, s := range []string{"embedded", "redis"} {
		if c.State == s || c.State == "both" {
			states = append(states, s)
		}
	}
	if _, err := exec.LookPath("redis-server"); err != nil && c.State == "both" {
		fmt.Fprintln(r.out, "redis is left out: there is no redis-server on the PATH (Debian: apt-get install redis-server)")
		states = states[:1]
	}
	parts := []struct {
		name string
		run  func(ctx context.Context, states []string) error
	}{{"rates", r.rates}, {"fanout", r.fanouts}, {"replicas", r.replicas}}
	for _, p := range parts {
		if len(c.Only) > 0 && !strings.Contains(strings.Join(c.Only, ","), p.name) {
			continue
		}
		if err := p.run(e.ctx, states); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return r.verdict()
}

// promise notes a promise that was broken.
func (r *deliverRun) promise(kept bool, format string, a ...any) {
	if !kept {
		r.broken = append(r.broken, fmt.Sprintf(format, a...))
	}
}

// promiseSpeed is promise for what hangs on the machine and on how much is
// measured: a quick run says nothing about it.
func (r *deliverRun) promiseSpeed(kept bool, format string, a ...any) {
	r.promise(kept || r.Quick, format, a...)
}

func (r *deliverRun) verdict() error {
	fmt.Fprintln(r.out)
	for _, b := range r.broken {
		fmt.Fprintln(r.out, "BROKEN  "+b)
	}
	switch {
	case len(r.broken) > 0:
		return errBroken
	case r.Quick:
		fmt.Fprintln(r.out, "all was delivered, once; a quick run judges no speed")
	default:
		fmt.Fprintln(r.out, "every promise was held")
	}
	return nil
}
