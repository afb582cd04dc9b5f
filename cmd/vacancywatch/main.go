// Command vacancywatch watches NHS job listings and tells people of new
// vacancies first, once, and with the reason. See README.md.
//
// Results go to standard output, diagnostics to standard error. It exits with
// 0 when done, 1 when something failed, 2 for wrong usage or configuration.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // the daemon runs where there is no zone data, and needs London

	"github.com/alecthomas/kong"
	_ "golang.org/x/crypto/x509roots/fallback" // the same for certificates

	"github.com/vacancywatch/vacancywatch/config"
)

func main() {
	// Variables of the environment that would change colly behind our back.
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "COLLY_") {
			os.Unsetenv(name)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// cli is the command line. It is stable: scripts lean on it.
type cli struct {
	Demo       demoCmd       `cmd:"" help:"Everything on this machine: a pretend NHS Jobs, embedded state, a mailbox to look into, a page. Needs nothing installed."`
	Serve      serveCmd      `cmd:"" help:"The daemon."`
	Once       onceCmd       `cmd:"" help:"One pass over each source, deliver what is due, exit."`
	Check      checkCmd      `cmd:"" help:"Say what is wrong with a configuration."`
	Read       readCmd       `cmd:"" help:"Read saved pages to vacancies, one JSON a line."`
	Match      matchCmd      `cmd:"" help:"Match vacancies (JSON lines) against searches, with reasons."`
	Preview    previewCmd    `cmd:"" help:"Say what searches would have found in the last 30 days, and how many alerts to expect."`
	Import     importCmd     `cmd:"" help:"Take in data that the program does not carry."`
	Export     exportCmd     `cmd:"" help:"Write what is remembered: vacancies, events or searches."`
	Webhook    webhookCmd    `cmd:"" help:"Look after the endpoint of a webhook or chat channel."`
	Crawl      crawlCmd      `cmd:"" help:"Look after a source."`
	Outbox     outboxCmd     `cmd:"" help:"See the messages that are not sent yet, and mend those that were given up."`
	Subscriber subscriberCmd `cmd:"" help:"Hand out or forget what is kept of a person who subscribed."`
	Links      linksCmd      `cmd:"" help:"Look after the links in mails."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

// env is what a command works with besides its flags.
type env struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// A usageError is a wrong command line or configuration: exit code 2.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// run is the program; tests call it too.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("vacancywatch"), kong.UsageOnError(), kong.Writers(stdout, stderr),
		kong.Description("Watches NHS job listings and tells people of new vacancies first, once, and with the reason. Not a service of the NHS."),
		kong.Exit(func(code int) { exited = code }))
	if err != nil {
		fmt.Fprintf(stderr, "vacancywatch: %v\n", err)
		return 2
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(stderr, "vacancywatch: %v\n", err)
		return 2
	}
	err = k.Run(&env{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr})
	var faults *config.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &faults):
		fmt.Fprintln(stderr, faults)
		return 2
	case errors.As(err, new(usageError)):
		fmt.Fprintf(stderr, "vacancywatch: %v\n", err)
		return 2
	default:
		fmt.Fprintf(stderr, "vacancywatch: %v\n", err)
		return 1
	}
}

// version is what the build knows of itself.
func version() (version, revision, goversion string) {
	version = "devel"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, "", ""
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		version = v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return version, revision, info.GoVersion
}

type versionCmd struct{}

func (versionCmd) Run(e *env) error {
	v, rev, goversion := version()
	_, err := fmt.Fprintln(e.stdout, strings.TrimSpace("vacancywatch "+v+" "+rev+" "+goversion))
	return err
}

// newLogger writes to w as the configuration asks. What is logged is made of
// types that redact themselves; no text of an address comes near it.
func newLogger(w io.Writer, l config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		level = slog.LevelInfo // Unreachable: the configuration was checked.
	}
	opts := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
