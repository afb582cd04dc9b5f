package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// RedisOptions says where Redis (6.2 or newer) or Valkey is. Exactly one of
// URL, SentinelAddrs and ClusterAddrs is set.
type RedisOptions struct {
	// URL is redis://user:password@host:port/db, rediss:// for TLS, or
	// unix://user:password@/path/to/socket?db=1.
	URL string

	// SentinelAddrs are host:port of Sentinels, which know where the master
	// called MasterName is.
	SentinelAddrs    []string
	MasterName       string
	SentinelUsername string
	SentinelPassword string

	// ClusterAddrs are host:port of some nodes of a Redis Cluster.
	ClusterAddrs []string

	// Username and Password are for the servers; where set, they win over
	// those in URL. DB is for Sentinel; a Cluster has only 0.
	Username, Password string
	DB                 int

	// TLS, if not nil, is how to connect, to Sentinels too. With rediss:// it
	// may be left nil.
	TLS *tls.Config

	// PoolSize is how many connections to keep to a server. Defaults to 10
	// for each CPU, on a Cluster 5.
	PoolSize int

	// Patience is how long a step or read that cannot reach the server, or
	// meets one that is loading or failing over, is tried again before it
	// fails. Defaults to 10 seconds, which outlasts a failover with common
	// settings. The context of the call may end it sooner.
	Patience time.Duration
}

// Timeouts of one exchange with a server. Trying again is the engine's.
const (
	dialTimeout = 2 * time.Second
	ioTimeout   = 3 * time.Second

	// clusterReload is short because the client does not look for the new
	// master of a slot by itself when the old one refuses connections.
	clusterReload = 2 * time.Second
)

// Redis is an [Engine] on Redis or Valkey: standalone, under Sentinel, or a
// Cluster. Hashes and sorted sets are Redis's own and can be read with
// redis-cli; change nothing there while a daemon runs, for only steps take
// notice of each other.
type Redis struct {
	single   *redis.Client        // nil on a Cluster
	cluster  *redis.ClusterClient // nil elsewhere
	patience time.Duration
	secrets  []string

	mu    sync.Mutex
	locks map[string]*slotLock
}

var _ Engine = (*Redis)(nil)

// A slotLock keeps the steps of this process on one slot from conflicting with
// each other, which costs round trips.
type slotLock struct {
	held  chan struct{}
	users int // holding or waiting; the last one removes the lock
}

// OpenRedis returns an engine on the Redis that o names, once it has answered.
// Errors never contain a password.
func OpenRedis(ctx context.Context, o RedisOptions) (*Redis, error) {
	r := &Redis{patience: o.Patience, locks: make(map[string]*slotLock)}
	if r.patience <= 0 {
		r.patience = 10 * time.Second
	}
	set := 0
	for _, is := range []bool{o.URL != "", len(o.SentinelAddrs) > 0, len(o.ClusterAddrs) > 0} {
		if is {
			set++
		}
	}
	if set != 1 {
		return nil, errors.New("open Redis: give exactly one of a URL, Sentinel addresses and Cluster addresses")
	}
	r.keepSecret(o.Password, o.SentinelPassword)
	// The client logs what a server answers, by itself and to standard error,
	// with a password in it if the server repeats one. All of that comes back
	// as errors, too. The setting is the client's and is global.
	redis.SetLogger(silent{})

	quiet := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch {
	case o.URL != "":
		u, err := parseURL(o.URL)
		if err != nil {
			return nil, fmt.Errorf("open Redis: %w", err)
		}
		r.keepSecret(u.Password)
		if o.Username != "" {
			u.Username = o.Username
		}
		if o.Password != "" {
			u.Password = o.Password
		}
		if o.TLS != nil {
			u.TLSConfig = o.TLS
		}
		if o.PoolSize > 0 {
			u.PoolSize = o.PoolSize
		}
		u.MaxRetries, u.DialerRetries, u.PipelinePoolSize = -1, 1, -1
		u.DialTimeout, u.ReadTimeout, u.WriteTimeout = dialTimeout, ioTimeout, ioTimeout
		u.ContextTimeoutEnabled, u.MaintNotificationsConfig = true, quiet
		r.single = redis.NewClient(u)
	case len(o.SentinelAddrs) > 0:
		if o.MasterName == "" {
			return nil, errors.New("open Redis: Sentinel addresses need the name of the master")
		}
		r.single = redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: o.MasterName, SentinelAddrs: o.SentinelAddrs,
			SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword,
			Username: o.Username, Password: o.Password, DB: o.DB, TLSConfig: o.TLS, PoolSize: o.PoolSize,
			MaxRetries: -1, DialerRetries: 1, PipelinePoolSize: -1,
			DialTimeout: dialTimeout, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
			ContextTimeoutEnabled: true, // It never asks for maintenance notifications.
		})
	default:
		r.cluster = redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: o.ClusterAddrs, Username: o.Username, Password: o.Password, TLSConfig: o.TLS, PoolSize: o.PoolSize,
			MaxRetries: -1, DialerRetries: 1, PipelinePoolSize: -1,
			DialTimeout: dialTimeout, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
			ContextTimeoutEnabled: true, MaintNotificationsConfig: quiet,
			ClusterStateReloadInterval: clusterReload,
		})
	}
	if err := r.Ping(ctx); err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("open Redis: %w", err)
	}
	return r, nil
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// parseURL reads a URL without ever repeating any of it: an unescaped character
// in a password moves pieces of the password into what the parser complains of.
func parseURL(raw string) (*redis.Options, error) {
	for _, scheme := range []string{"redis://", "rediss://", "unix://"} {
		if !strings.HasPrefix(raw, scheme) {
			continue
		}
		o, err := redis.ParseURL(raw)
		if err != nil || strings.Contains(raw, "#") { // It would cut off the host.
			return nil, errors.New("the URL cannot be read; write it as redis://user:password@host:port/db, " +
				"with special characters in user and password percent-encoded")
		}
		return o, nil
	}
	return nil, errors.New("the URL must begin with redis://, rediss:// or unix://")
}

func (r *Redis) keepSecret(secrets ...string) {
	for _, s := range secrets {
		if s != "" {
			r.secrets = append(r.secrets, s)
		}
	}
}

// clean makes an error of the client fit to be shown: a server that does not
// know AUTH repeats the password in its answer.
func (r *Redis) clean(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, redis.ErrClosed) {
		return ErrClosed
	}
	text := err.Error()
	for _, s := range r.secrets {
		text = strings.ReplaceAll(text, s, "<secret>")
	}
	if text != err.Error() {
		return errors.New(text) // Not wrapped: the original has the secret.
	}
	return err
}

// Slots implements [Engine].
func (r *Redis) Slots() int { return 16 }

// Ping implements [Engine]. On a Cluster it asks every master.
func (r *Redis) Ping(ctx context.Context) error {
	err := r.eachServer(ctx, func(ctx context.Context, c *redis.Client) error {
		return c.Ping(ctx).Err()
	})
	return r.clean(err)
}

// eachServer calls fn for the server, or for each master of a Cluster.
func (r *Redis) eachServer(ctx context.Context, fn func(context.Context, *redis.Client) error) error {
	if r.cluster != nil {
		return r.cluster.ForEachMaster(ctx, fn)
	}
	return fn(ctx, r.single)
}

// node returns the client of the server that holds the slot.
func (r *Redis) node(ctx context.Context, slot string) (*redis.Client, error) {
	if r.cluster != nil {
		return r.cluster.MasterForKey(ctx, commitsKey(slot))
	}
	return r.single, nil
}

// Close implements [Engine].
func (r *Redis) Close() error {
	var err error
	if r.cluster != nil {
		err = r.cluster.Close()
	} else {
		err = r.single.Close()
	}
	if err = r.clean(err); errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}

// lock waits for the slot's lock in this process.
func (r *Redis) lock(ctx context.Context, slot string) (unlock func(), err error) {
	r.mu.Lock()
	l := r.locks[slot]
	if l == nil {
		l = &slotLock{held: make(chan struct{}, 1)}
		r.locks[slot] = l
	}
	l.users++
	r.mu.Unlock()

	leave := func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(r.locks, slot)
		}
	}
	select {
	case l.held <- struct{}{}:
		return func() { <-l.held; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
