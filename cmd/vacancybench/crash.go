package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/mailbox"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

type crashCmd struct {
	State   string        `enum:"embedded,redis" default:"embedded" help:"embedded, or redis: a redis-server of its own, with every write synced."`
	Kills   int           `default:"200" help:"How many lives of the daemon end by a kill."`
	Redis   bool          `name:"redis-too" help:"Kill the Redis as well: in half of the lives, alone or together with the daemon."`
	Faults  bool          `help:"Let the far sides fail too, in every twelfth life: refuse for now, hang up, accept and hang up."`
	Seed    uint64        `default:"1" help:"Decides the instants and the adverts."`
	Live    int           `default:"120" help:"Adverts that are there before the daemon."`
	Longest time.Duration `default:"1500ms" help:"The latest instant of a kill, counted from the start of the daemon."`
	Drain   time.Duration `default:"10m" help:"How long the last, unharmed daemon may take to deliver the rest."`
	Daemon  string        `type:"path" help:"The vacancywatch to kill; built from this module by default."`
	Keep    bool          `help:"Keep the folder with the state and the daemon's log."`
}

// crash is a running suite.
type crash struct {
	crashCmd
	dir, daemon, config string
	dice                *rand.Rand
	world               *world.World
	site                *simulator.Site
	box                 *mailbox.Mailbox
	journal             *journal
	log                 *os.File
	redis               *redisServer // nil where the state is embedded
	kills               []time.Time  // of the daemon
	redisKills, faults  int
	posted              []string // references posted after the baseline
}

// Run kills the daemon again and again. Each life finds new adverts posted
// since, crawls them, matches them and delivers; the far sides write down what
// they accepted before they answer. Only that journal and the simulator's
// truth are believed.
func (c *crashCmd) Run(e *env) (err error) {
	dir, err := os.MkdirTemp("", "vacancybench-crash-")
	if err != nil {
		return err
	}
	if c.Keep {
		fmt.Fprintf(e.stdout, "state and log are kept in %s\n", dir)
	} else {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	s := &crash{crashCmd: *c, dir: dir, dice: rand.New(rand.NewPCG(c.Seed, 1)), world: world.New(c.Seed), journal: &journal{}}
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	started := time.Now()
	err = s.run(ctx, g, e.stdout)
	cancel()
	if gerr := g.Wait(); !errors.Is(gerr, context.Canceled) {
		err = errors.Join(err, gerr)
	}
	fmt.Fprintf(e.stdout, "took %s\n", time.Since(started).Round(time.Second))
	return err
}

func (s *crash) run(ctx context.Context, g *errgroup.Group, out io.Writer) error {
	if err := s.prepare(ctx, g); err != nil {
		return err
	}
	defer s.log.Close()
	if b, err := s.command(ctx, "once").CombinedOutput(); err != nil {
		return fmt.Errorf("baseline: %w\n%s", err, b)
	}
	if n := s.journal.len(); n > 0 {
		return fmt.Errorf("the baseline told %d messages, want none", n)
	}
	for i := range s.Kills {
		if s.Faults {
			s.misbehave(i)
		}
		if err := s.life(ctx, g); err != nil {
			return fmt.Errorf("life %d: %w", i+1, err)
		}
		if (i+1)%50 == 0 {
			fmt.Fprintf(out, "%d kills, %d adverts posted, %d messages accepted\n", i+1, len(s.posted), s.journal.len())
		}
	}
	s.behave()
	if err := s.drain(ctx); err != nil {
		return err
	}
	return s.score(out)
}

// prepare starts the far sides and writes the daemon's configuration.
func (s *crash) prepare(ctx context.Context, g *errgroup.Group) (err error) {
	if s.daemon = s.Daemon; s.daemon == "" {
		s.daemon = filepath.Join(s.dir, "vacancywatch")
		build := exec.CommandContext(ctx, "go", "build", "-o", s.daemon, "github.com/vacancywatch/vacancywatch/cmd/vacancywatch")
		if b, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build the daemon: %w\n%s", err, b)
		}
	}
	if s.log, err = os.Create(filepath.Join(s.dir, "daemon.log")); err != nil {
		return err
	}
	siteListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	base := "http://" + siteListener.Addr().String()
	s.site = simulator.New(simulator.Options{Seed: s.Seed, Now: time.Now, Live: s.Live, Quiet: true, MinGap: -1, BaseURL: base})
	secret := channel.NewSecret(hookSecret)
	s.box, err = mailbox.New(mailbox.Options{Secrets: map[string]channel.Secret{"hook": secret}, Journal: s.journal, Keep: 1 << 20})
	if err != nil {
		return err
	}
	boxListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.behave()
	serve(ctx, g, siteListener, s.site)
	serve(ctx, g, boxListener, s.box.Handler())
	g.Go(func() error { return s.box.Run(ctx) })

	redis := ""
	if s.State == "redis" {
		if s.redis, err = startRedis(ctx, g, s.dir); err != nil {
			return err
		}
		redis = "redis: {url: " + s.redis.url + "}\n"
	} else if s.Redis {
		return errors.New("--redis-too needs --state redis")
	}
	if err := os.WriteFile(filepath.Join(s.dir, "hook.secret"), []byte(secret.Reveal()), 0o600); err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(s.box.SMTPAddr())
	s.config = filepath.Join(s.dir, "crash.yaml")
	return os.WriteFile(s.config, fmt.Appendf(nil, `%slisten: {admin: "off", public: "off"}
sources: [{site: nhs-jobs, base: %q, spacing: 5ms, poll_min: 1s, poll_max: 1s, requests_per_day: 1000000}]
channels:
  - {name: mail, email: {host: 127.0.0.1, port: %s, tls: none, from: "Crash <alerts@vacancywatch.example>"}}
  - {name: hook, webhook: {url: "http://%s/hook/hook", secret_file: hook.secret, verify: false, allow: ["127.0.0.0/8"], allow_http: true}}
searches:
  - {id: a, subscriber: a, bands: [6], notify: [{channel: mail, to: a@reader.example, daily_cap: 0}, {channel: hook}]}
  - {id: b, subscriber: b, bands: [6], notify: [{channel: mail, to: b@reader.example, daily_cap: 0}]}
  - {id: c, subscriber: a, keywords: practitioner, notify: [{channel: mail, to: a@reader.example, daily_cap: 0}]}
`, redis, base, port, boxListener.Addr()), 0o600)
}

// hookSecret signs the webhooks.
const hookSecret = "whsec_Y3Jhc2gtc3VpdGUtc2VjcmV0LW9uLWxvb3BiYWNrISE="

// perAdvert is how many messages each advert makes by that configuration: the
// searches a and c are one subscriber's and tell it once.
const perAdvert = 3

func serve(ctx context.Context, g *errgroup.Group, l net.Listener, h http.Handler) {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { srv.Close() })
	g.Go(func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}

// command is the daemon as a child that cannot outlive the suite.
func (s *crash) command(ctx context.Context, verb string) *exec.Cmd {
	return exec.CommandContext(ctx, s.daemon, verb, "--config", s.config)
}

// life posts some adverts and lets the daemon live for a random time.
func (s *crash) life(ctx context.Context, g *errgroup.Group) error {
	for range 1 + s.dice.IntN(3) {
		s.post()
	}
	cmd := s.command(ctx, "serve")
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		return err
	}
	died := make(chan error, 1)
	go func() { died <- cmd.Wait() }()
	err := s.live(ctx, g, died)
	if errors.Is(err, errWithoutRedis) {
		// It ended in order, having just begun.
		err = nil
	} else if err == nil {
		if err = cmd.Process.Kill(); errors.Is(err, os.ErrProcessDone) && s.redis != nil && s.redis.down() {
			err = nil
		}
		<-died
	}
	if err != nil {
		return err
	}
	s.kills = append(s.kills, time.Now())
	if s.redis != nil && s.redis.down() {
		return s.redis.start(ctx, g)
	}
	return nil
}

// errWithoutRedis is the end of a daemon whose Redis was killed as it opened
// its state: it says so and ends, for whoever runs it to start it again.
var errWithoutRedis = errors.New("the daemon found no Redis")

// live lets the daemon live for a random time, and perhaps its Redis die.
func (s *crash) live(ctx context.Context, g *errgroup.Group, died <-chan error) error {
	end := time.Duration(s.dice.Int64N(int64(s.Longest)))
	if !s.Redis || s.dice.IntN(2) == 0 {
		return s.wait(ctx, died, end)
	}
	at := end
	if s.dice.IntN(2) == 0 {
		at = time.Duration(s.dice.Int64N(int64(end) + 1))
	}
	if err := s.wait(ctx, died, at); err != nil {
		return err
	}
	if err := s.redis.kill(); err != nil {
		return err
	}
	s.redisKills++
	if at == end {
		return nil // both stay down together
	}
	if err := s.wait(ctx, died, time.Duration(s.dice.Int64N(int64(300*time.Millisecond)))); err != nil {
		return s.unborn(err)
	}
	if err := s.redis.start(ctx, g); err != nil {
		return err
	}
	return s.unborn(s.wait(ctx, died, end-at))
}

// unborn tells the end of a daemon that never began from that of one that
// should have lived through the loss of its Redis.
func (s *crash) unborn(err error) error {
	if err != nil && bytes.Contains(s.tail(), []byte("vacancywatch: open ")) {
		return errWithoutRedis
	}
	return err
}

// wait lets the daemon live for a while, and fails where it ends by itself.
func (s *crash) wait(ctx context.Context, died <-chan error, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		<-died
		return ctx.Err()
	case err := <-died:
		return fmt.Errorf("the daemon ended by itself: %v; its log ends with\n%s", err, s.tail())
	case <-timer.C:
		return nil
	}
}

func (s *crash) post() {
	n := len(s.posted)
	// Closing dates differ as they do on any board.
	a := s.world.Make(s.Seed<<20+uint64(n), time.Now(), 7+n%28)
	a.Posted = time.Time{}
	a.PayScheme, a.Band, a.Grade = world.AgendaForChange, "6", ""
	a.Title = fmt.Sprintf("Practitioner %d", n)
	s.posted = append(s.posted, s.site.Publish(*a))
}

// drain lets the daemon live until everything has arrived, or patience ends.
func (s *crash) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.Drain)
	defer cancel()
	cmd := s.command(ctx, "serve")
	cmd.Stdout, cmd.Stderr = s.log, s.log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	if err := cmd.Start(); err != nil {
		return err
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil && s.journal.distinct() < perAdvert*len(s.posted) {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	// What is there by now is followed by nothing, unless it is told again.
	quiet := time.NewTimer(3 * time.Second)
	defer quiet.Stop()
	select {
	case <-ctx.Done():
	case <-quiet.C:
	}
	cancel()
	if err := cmd.Wait(); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the last daemon did not stop in order: %w; its log ends with\n%s", err, s.tail())
	}
	return nil
}

// tail is the end of the daemon's log.
func (s *crash) tail() []byte {
	b, err := os.ReadFile(s.log.Name())
	if err != nil {
		return nil
	}
	return b[max(0, len(b)-2000):]
}
