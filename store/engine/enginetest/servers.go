// Package enginetest is the conformance suite of package engine, and the way
// for tests of other packages to get engines: [All] runs a test on every engine
// at hand, [Redis] gives the address of a throwaway Redis. It is imported by
// tests only. It talks to loopback and to the Redis named by REDIS_URL.
package enginetest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/vacancywatch/vacancywatch/store/engine"
)

// Open returns a new, empty engine, which is closed when t ends.
type Open = func(t *testing.T) engine.Engine

// All runs a test as a subtest on every engine: bbolt, miniredis, a real Redis
// when redis-server is on the PATH or REDIS_URL is set, and a Cluster when
// REDIS_CLUSTER_ADDRS names some of its nodes, separated by commas. What is not
// at hand is skipped, and the test says so.
func All(t *testing.T, run func(t *testing.T, open Open)) {
	t.Helper()
	t.Run("bbolt", func(t *testing.T) { run(t, OpenBolt) })
	t.Run("miniredis", func(t *testing.T) { run(t, OpenMiniredis) })
	t.Run("redis", func(t *testing.T) {
		if os.Getenv("REDIS_URL") != "" {
			run(t, func(t *testing.T) engine.Engine {
				return openRedis(t, engine.RedisOptions{URL: Redis(t)})
			})
			return
		}
		// One server for all, with a database for each engine.
		addr := serve(t)
		next := 0
		run(t, func(t *testing.T) engine.Engine {
			next++
			return openRedis(t, engine.RedisOptions{URL: fmt.Sprintf("redis://%s/%d", addr, next)})
		})
	})
	if addrs := os.Getenv("REDIS_CLUSTER_ADDRS"); addrs != "" {
		t.Run("cluster", func(t *testing.T) {
			run(t, func(t *testing.T) engine.Engine { return openCluster(t, strings.Split(addrs, ",")) })
		})
	}
}

// OpenBolt returns an engine on a bbolt file in a folder of the test.
func OpenBolt(t *testing.T) engine.Engine {
	t.Helper()
	e, err := engine.OpenBolt(filepath.Join(t.TempDir(), "state.db"), engine.BoltOptions{
		Warn: func(s string) { t.Errorf("warning at opening: %s", s) },
	})
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, e)
	return e
}

// OpenMiniredis returns an engine on a Redis that lives in the test. It is
// quick, forgets everything, and sorts its sets on every read.
func OpenMiniredis(t *testing.T) engine.Engine {
	t.Helper()
	return openRedis(t, engine.RedisOptions{URL: "redis://" + miniredis.RunT(t).Addr()})
}

func openRedis(t *testing.T, o engine.RedisOptions) engine.Engine {
	t.Helper()
	e, err := engine.OpenRedis(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, e)
	return e
}

func closeAtEnd(t *testing.T, e engine.Engine) {
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// openCluster returns an engine on a Cluster, which must be empty, and empties
// it at the end.
func openCluster(t *testing.T, addrs []string) engine.Engine {
	t.Helper()
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	flush := func() {
		if err := c.ForEachMaster(context.Background(), func(ctx context.Context, c *redis.Client) error {
			return c.FlushAll(ctx).Err()
		}); err != nil {
			t.Errorf("empty the cluster: %v", err)
		}
		_ = c.Close()
	}
	if n, err := c.DBSize(t.Context()).Result(); err != nil || n > 0 {
		_ = c.Close()
		t.Fatalf("REDIS_CLUSTER_ADDRS: want an empty cluster, found %d keys, error %v", n, err)
	}
	t.Cleanup(flush)
	return openRedis(t, engine.RedisOptions{ClusterAddrs: addrs})
}

// Redis returns the URL of an empty database on a real Redis, for this test
// alone: on the server that REDIS_URL names, or else on one it starts, with
// every write synced, and stops when the test ends. It skips the test if there
// is neither.
//
// On the server of REDIS_URL it takes the first of its databases that is empty
// and leaves the others alone, so that packages can be tested at once.
func Redis(t *testing.T) string {
	t.Helper()
	raw := os.Getenv("REDIS_URL")
	if raw == "" {
		return fmt.Sprintf("redis://%s/0", serve(t))
	}
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal("REDIS_URL cannot be read")
	}
	for range 300 {
		for db := range 16 {
			u.Path = fmt.Sprintf("/%d", db)
			if claimDB(t, u.String()) {
				return u.String()
			}
		}
		time.Sleep(100 * time.Millisecond) // Others are using them all.
	}
	t.Fatal("REDIS_URL: none of its first 16 databases is empty")
	return ""
}

// claimDB takes an empty database by leaving a key in it, and empties it at the
// end of the test. The key expires lest a killed test keep the database.
func claimDB(t *testing.T, addr string) bool {
	t.Helper()
	o, err := redis.ParseURL(addr)
	if err != nil {
		t.Fatal("REDIS_URL cannot be read")
	}
	c := redis.NewClient(o)
	const claim = "enginetest:claim"
	ctx := context.Background()
	mine, err := c.SetNX(ctx, claim, os.Getpid(), 15*time.Minute).Result()
	if err != nil || !mine {
		_ = c.Close()
		if err != nil && strings.Contains(err.Error(), "DB index is out of range") {
			return false
		}
		if err != nil {
			t.Fatalf("REDIS_URL: %v", err)
		}
		return false
	}
	if n, err := c.DBSize(ctx).Result(); err != nil || n != 1 {
		_ = c.Del(ctx, claim).Err()
		_ = c.Close()
		return false
	}
	t.Cleanup(func() {
		if err := c.FlushDB(ctx).Err(); err != nil {
			t.Errorf("empty the database of the test: %v", err)
		}
		_ = c.Close()
	})
	return true
}

// serve starts a redis-server on loopback and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"redis-server", "sh"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no real Redis: %s is not on the PATH and REDIS_URL is not set", tool)
		}
	}
	for range 5 {
		if addr := tryServe(t); addr != "" {
			return addr
		}
	}
	t.Fatal("redis-server does not start")
	return ""
}

// tryServe returns "" if the port it found free was taken meanwhile.
func tryServe(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(addr)

	// The shell kills the server once its input ends: at the end of the test,
	// or when the test process dies, however it does.
	cmd := exec.Command("sh", "-c", `redis-server "$@" & read gone; kill -9 $!; wait`, "sh",
		"--port", port, "--bind", "127.0.0.1", "--databases", "4096",
		"--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", t.TempDir())
	life, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := func() {
		_ = life.Close()
		_ = cmd.Wait()
	}
	c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, DialerRetries: 1})
	defer c.Close()
	for range 200 {
		if probe, err := net.Dial("tcp", addr); err != nil {
			time.Sleep(20 * time.Millisecond)
			continue
		} else {
			_ = probe.Close()
		}
		if info, err := c.Info(t.Context(), "server").Result(); err == nil {
			if strings.Contains(info, "tcp_port:"+port) {
				t.Cleanup(stop)
				return addr
			}
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	return ""
}
