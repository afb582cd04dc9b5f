package engine_test

import (
	"context"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
)

// The checks at the start, on a real server that is set up in several ways.
func TestRedisCheck(t *testing.T) {
	if os.Getenv("REDIS_URL") != "" {
		t.Skip("would change the settings of the server at REDIS_URL")
	}
	addr := enginetest.Redis(t)
	o, err := redis.ParseURL(addr)
	if err != nil {
		t.Fatal(err)
	}
	admin := redis.NewClient(o)
	defer admin.Close()
	do := func(t *testing.T, command string) {
		t.Helper()
		var args []any
		for _, word := range strings.Fields(command) {
			args = append(args, word)
		}
		if err := admin.Do(context.Background(), args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, before, after string
		user                bool
		warn, err           string
	}{
		{name: "as it should be"},
		{name: "evicting", before: "config set maxmemory-policy allkeys-lru", after: "config set maxmemory-policy noeviction", err: "allkeys-lru"},
		{name: "every second", before: "config set appendfsync everysec", after: "config set appendfsync always", warn: "appendfsync is everysec"},
		{name: "no append-only file", before: "config set appendonly no", after: "config set appendonly yes", warn: "no append-only file"},
		{name: "a replica", before: "replicaof 127.0.0.1 1", after: "replicaof no one", err: "it is a replica"},
		{name: "no right to CONFIG", before: "acl setuser app on >hunter2 ~* +@all -config", user: true, warn: "appendfsync cannot be read"},
		{name: "no right to INFO", before: "acl setuser app on >hunter2 ~* +@all -info", user: true, warn: "maxmemory-policy cannot be read"},
		{name: "no right to transactions", before: "acl setuser app on >hunter2 ~* +@all -multi", user: true, err: "try a transaction"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.before != "" {
				do(t, c.before)
			}
			if c.after != "" {
				defer do(t, c.after)
			}
			u, err := url.Parse(addr)
			if err != nil {
				t.Fatal(err)
			}
			if c.user {
				u.User = url.UserPassword("app", "hunter2")
			}
			warn, err := openRedis(t, engine.RedisOptions{URL: u.String()}).Check(t.Context())
			if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got error %v, want %q", err, c.err)
			}
			text := strings.Join(warn, "\n")
			if (text != "") != (c.warn != "") || !strings.Contains(text, c.warn) {
				t.Errorf("got warnings %q, want %q", text, c.warn)
			}
		})
	}
}

// A server that tells nothing of itself is warned about, and one that is not
// there is an error.
func TestRedisCheckMiniredis(t *testing.T) {
	m := miniredis.RunT(t)
	r := openRedis(t, engine.RedisOptions{URL: "redis://" + m.Addr()})
	warn, err := r.Check(t.Context())
	if err != nil || len(warn) != 3 {
		t.Errorf("got %q, %v, want three warnings", warn, err)
	}
	m.Close()
	if _, err := r.Check(t.Context()); err == nil {
		t.Error("no server: got no error")
	}
}
