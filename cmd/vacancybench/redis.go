package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A redisServer is a redis-server of a suite's own, on loopback, with its
// files in a folder and every write synced.
type redisServer struct {
	url  string
	addr string
	args []string
	path string

	mu     sync.Mutex
	cmd    *exec.Cmd
	ended  chan struct{}
	killed bool // it was meant to end
}

// startRedis starts a redis-server on a free loopback port. It ends with ctx,
// and if it ends by itself so does the group.
func startRedis(ctx context.Context, g *errgroup.Group, dir string) (*redisServer, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errors.New("there is no redis-server on the PATH: install one (Debian: apt-get install redis-server)")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	r := &redisServer{url: "redis://" + addr + "/0", addr: addr, path: path, args: []string{
		"--bind", "127.0.0.1", "--port", port, "--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
		"--maxmemory-policy", "noeviction", "--logfile", filepath.Join(dir, "redis.log")}}
	return r, r.start(ctx, g)
}

// start starts it, again after kill, and returns when it answers.
func (r *redisServer) start(ctx context.Context, g *errgroup.Group) error {
	cmd := exec.CommandContext(ctx, r.path, r.args...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start redis-server: %w", err)
	}
	ended := make(chan struct{})
	r.mu.Lock()
	r.cmd, r.ended, r.killed = cmd, ended, false
	r.mu.Unlock()
	g.Go(func() error {
		err := cmd.Wait()
		close(ended)
		r.mu.Lock()
		defer r.mu.Unlock()
		if ctx.Err() == nil && !r.killed {
			return fmt.Errorf("redis-server ended: %v", err)
		}
		return nil
	})
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := r.ping()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("redis-server does not answer: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// ping returns nil once it has read its files and serves.
func (r *redisServer) ping() error {
	c, err := net.DialTimeout("tcp", r.addr, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprint(c, "PING\r\n")
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "+PONG") {
		err = errors.New(strings.TrimSpace(line))
	}
	return err
}

// kill ends it as the loss of its machine's power would, the disk apart.
func (r *redisServer) kill() error {
	r.mu.Lock()
	r.killed = true
	cmd, ended := r.cmd, r.ended
	r.mu.Unlock()
	err := cmd.Process.Kill()
	<-ended
	return err
}

// down reports whether it was killed and not started since.
func (r *redisServer) down() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.killed
}
