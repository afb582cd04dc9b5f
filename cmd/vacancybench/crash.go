package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/mailbox"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

type crashCmd struct {
	State   string        `enum:"embedded,redis" default:"embedded" help:"embedded, or redis: a redis-server of its own, with every write synced."`
	Kills   int           `default:"200" help:"How many times the daemon is killed."`
	Seed    uint64        `default:"1" help:"Decides the instants and the adverts."`
	Live    int           `default:"120" help:"Adverts that are there before the daemon."`
	Longest time.Duration `default:"1500ms" help:"The latest instant of a kill, counted from the start of the daemon."`
	Drain   time.Duration `default:"5m" help:"How long the last, unharmed daemon may take to deliver the rest."`
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
	kills               []time.Time
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
		if err := s.life(ctx); err != nil {
			return fmt.Errorf("life %d: %w", i+1, err)
		}
		if (i+1)%50 == 0 {
			fmt.Fprintf(out, "%d kills, %d adverts posted, %d messages accepted\n", i+1, len(s.posted), s.journal.len())
		}
	}
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
	secret := channel.NewSecret("whsec_Y3Jhc2gtc3VpdGUtc2VjcmV0LW9uLWxvb3BiYWNrISE=")
	s.box, err = mailbox.New(mailbox.Options{Secrets: map[string]channel.Secret{"hook": secret}, Journal: s.journal, Keep: 1 << 20})
	if err != nil {
		return err
	}
	boxListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	// A little time between taking a message and answering: the instant in
	// which a death doubles it must be hit, not avoided.
	s.box.AddMailFault(mailbox.MailFault{Stage: mailbox.AtDot, Delay: 10 * time.Millisecond})
	s.box.AddHookFault(mailbox.HookFault{Delay: 10 * time.Millisecond})
	serve(ctx, g, siteListener, s.site)
	serve(ctx, g, boxListener, s.box.Handler())
	g.Go(func() error { return s.box.Run(ctx) })

	redis := ""
	if s.State == "redis" {
		url, err := startRedis(ctx, g, s.dir)
		if err != nil {
			return err
		}
		redis = "redis: {url: " + url + "}\n"
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
  - {name: hook, webhook: {url: "http://%s/hook/hook", secret_file: hook.secret, allow: ["127.0.0.0/8"], allow_http: true}}
searches:
  - {id: a, subscriber: a, bands: [6], notify: [{channel: mail, to: a@reader.example}, {channel: hook}]}
  - {id: b, subscriber: b, bands: [6], notify: [{channel: mail, to: b@reader.example}]}
  - {id: c, subscriber: a, keywords: practitioner, notify: [{channel: mail, to: a@reader.example}]}
`, redis, base, port, boxListener.Addr()), 0o600)
}

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
func (s *crash) life(ctx context.Context) error {
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
	timer := time.NewTimer(time.Duration(s.dice.Int64N(int64(s.Longest))))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		<-died
		return ctx.Err()
	case err := <-died:
		return fmt.Errorf("the daemon ended by itself: %v; its log ends with\n%s", err, s.tail())
	case <-timer.C:
	}
	if err := cmd.Process.Kill(); err != nil {
		return err
	}
	<-died
	s.kills = append(s.kills, time.Now())
	return nil
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

// score compares what the far sides accepted with what was posted.
func (s *crash) score(out io.Writer) error {
	type told struct{ ref, to string }
	ids := map[told][]string{}
	unverified := 0
	for _, m := range s.box.Mails() {
		for _, ref := range s.posted {
			if strings.Contains(m.Text, "/"+ref) {
				ids[told{ref, m.To}] = append(ids[told{ref, m.To}], m.MessageID)
			}
		}
	}
	for _, h := range s.box.Hooks() {
		if !h.Verified {
			unverified++
		}
		var body struct {
			Data struct {
				Vacancy struct{ Reference string }
			}
		}
		if err := json.Unmarshal(h.Body, &body); err != nil {
			return fmt.Errorf("a webhook's body is no JSON: %w", err)
		}
		t := told{body.Data.Vacancy.Reference, "hook"}
		ids[t] = append(ids[t], h.ID)
	}
	lost, inside, outside := 0, 0, 0
	for _, ref := range s.posted {
		for _, to := range []string{"a@reader.example", "b@reader.example", "hook"} {
			got := ids[told{ref, to}]
			delete(ids, told{ref, to})
			switch {
			case len(got) == 0:
				lost++
				fmt.Fprintf(out, "LOST    %s to %s\n", ref, to)
			case len(got) > 1:
				if slices.ContainsFunc(got, func(id string) bool { return id != got[0] }) || !s.explained(got[0], len(got)) {
					outside++
					fmt.Fprintf(out, "DOUBLED %s to %s: %v\n", ref, to, got)
				} else {
					inside++
				}
			}
		}
	}
	stray := len(ids)
	engine := s.State
	fmt.Fprintf(out, "\nvacancybench crash --state %s --kills %d --seed %d\n", engine, s.Kills, s.Seed)
	fmt.Fprintf(out, "%-44s %d\n", "kills", len(s.kills))
	fmt.Fprintf(out, "%-44s %d\n", "adverts posted after the baseline", len(s.posted))
	fmt.Fprintf(out, "%-44s %d\n", "messages due", perAdvert*len(s.posted))
	fmt.Fprintf(out, "%-44s %d\n", "messages accepted", s.journal.len())
	fmt.Fprintf(out, "%-44s %d\n", "lost", lost)
	fmt.Fprintf(out, "%-44s %d\n", "doubled, same id, a kill between (unavoidable)", inside)
	fmt.Fprintf(out, "%-44s %d\n", "doubled otherwise", outside)
	fmt.Fprintf(out, "%-44s %d\n", "told of what was there before", stray)
	fmt.Fprintf(out, "%-44s %d\n", "webhooks with a bad signature", unverified)
	if lost+outside+stray+unverified > 0 {
		return errors.New("a promise was broken")
	}
	return nil
}

// explained reports whether a kill lies between every two deliveries of a
// message: the process died between the far side's answer and the settling.
func (s *crash) explained(id string, times int) bool {
	at := s.journal.times(id)
	if len(at) != times {
		return false
	}
	for i := 1; i < len(at); i++ {
		if !slices.ContainsFunc(s.kills, func(k time.Time) bool { return k.After(at[i-1]) && k.Before(at[i]) }) {
			return false
		}
	}
	return true
}

// tail is the end of the daemon's log.
func (s *crash) tail() []byte {
	b, err := os.ReadFile(s.log.Name())
	if err != nil {
		return nil
	}
	return b[max(0, len(b)-2000):]
}

// journal is what the far sides accepted, line by line.
type journal struct {
	mu      sync.Mutex
	entries []mailbox.Entry
	ids     map[string]bool
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range bytes.Lines(b) {
		var e mailbox.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return 0, err
		}
		if j.ids == nil {
			j.ids = map[string]bool{}
		}
		j.entries = append(j.entries, e)
		j.ids[e.ID] = true
	}
	return len(b), nil
}

func (j *journal) len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries)
}

func (j *journal) distinct() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.ids)
}

func (j *journal) times(id string) []time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []time.Time
	for _, e := range j.entries {
		if e.ID == id {
			out = append(out, e.At)
		}
	}
	return out
}
