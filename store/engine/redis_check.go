package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Check looks whether the servers are fit to keep state, to be called once at
// the start. An error is a reason not to run: a version before 6.2, a policy
// that evicts keys (each one a repeated alert), a replica, no right to use
// transactions. A warning is a sentence for the operator that says what can be
// lost. Servers that refuse CONFIG or INFO, as managed ones may, are warned
// about, not refused.
func (r *Redis) Check(ctx context.Context) (warnings []string, err error) {
	err = r.eachServer(ctx, func(ctx context.Context, c *redis.Client) error {
		w, err := checkServer(ctx, c)
		if err != nil {
			return fmt.Errorf("redis at %s: %w", c.Options().Addr, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, s := range w {
			warnings = append(warnings, fmt.Sprintf("Redis at %s: %s", c.Options().Addr, s))
		}
		return nil
	})
	if err != nil {
		return nil, r.clean(err)
	}
	return warnings, nil
}

func checkServer(ctx context.Context, c *redis.Client) ([]string, error) {
	// An account without the right to MULTI would have the commands of a step
	// run one by one, so this must fail before any step is tried.
	if _, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Ping(ctx)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("try a transaction: %w", err)
	}
	info, err := c.Info(ctx).Result()
	if err != nil && !isReply(err) {
		return nil, fmt.Errorf("ask for INFO: %w", err)
	}
	fsync := ""
	config, err := c.ConfigGet(ctx, "appendfsync").Result()
	if err != nil && !isReply(err) {
		return nil, fmt.Errorf("ask for appendfsync: %w", err)
	}
	if err == nil {
		fsync = config["appendfsync"]
	}
	return judge(parseInfo(info), fsync)
}

// isReply tells an answer of the server, such as a refusal, from a failure to
// get one.
func isReply(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}

// parseInfo reads the "name:value" lines of an INFO.
func parseInfo(text string) map[string]string {
	info := make(map[string]string)
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if ok && !strings.HasPrefix(name, "#") {
			info[name] = value
		}
	}
	return info
}

// judge turns what a server says of itself into warnings or a refusal. fsync is
// "" if the server would not tell.
func judge(info map[string]string, fsync string) ([]string, error) {
	var warnings []string

	switch version := info["redis_version"]; {
	case version == "":
		warnings = append(warnings, "its version cannot be read; it must be 6.2 or newer, or Valkey")
	case !atLeast(version, 6, 2):
		return nil, fmt.Errorf("version %s is too old: 6.2 or newer is needed", version)
	}

	if info["role"] == "slave" {
		return nil, errors.New("it is a replica, which takes no writes: name its master, or the Sentinels")
	}

	switch policy := info["maxmemory_policy"]; policy {
	case "noeviction":
	case "":
		warnings = append(warnings, "its maxmemory-policy cannot be read; unless that is noeviction, "+
			"a server short of memory throws away what it remembers, and old adverts are told again as new")
	default:
		return nil, fmt.Errorf("maxmemory-policy is %s: a server short of memory would throw away what it remembers, "+
			"and old adverts would be told again as new; set it to noeviction", policy)
	}

	switch info["aof_enabled"] {
	case "1":
		switch fsync {
		case "always":
		case "":
			warnings = append(warnings, "its appendfsync cannot be read; unless that is always, a crash of the server "+
				"can lose the last seconds of writes: adverts of that time may be told twice, and alerts queued then may be lost "+
				"if their adverts were already remembered elsewhere")
		default:
			warnings = append(warnings, fmt.Sprintf("appendfsync is %s: a crash of the server can lose the last second of writes, "+
				"more when its disk is slow: alerts already sent may be sent again, and saved searches changed then may be as before; "+
				"set it to always", fsync))
		}
	case "0":
		warnings = append(warnings, "it has no append-only file: a crash or restart of the server can lose everything since its last snapshot, "+
			"or all there is: remembered adverts, queued alerts, saved searches; set appendonly yes and appendfsync always")
	default:
		warnings = append(warnings, "whether it keeps an append-only file cannot be read; without one, "+
			"a crash of the server can lose remembered adverts, queued alerts and saved searches")
	}
	return warnings, nil
}

// atLeast reports whether a version such as "7.0.15" is major.minor or newer.
// What cannot be read counts as old.
func atLeast(version string, major, minor int) bool {
	a, rest, _ := strings.Cut(version, ".")
	b, _, _ := strings.Cut(rest, ".")
	x, err := strconv.Atoi(a)
	if err != nil {
		return false
	}
	y, err := strconv.Atoi(b)
	if err != nil {
		y = 0
	}
	return x > major || x == major && y >= minor
}
