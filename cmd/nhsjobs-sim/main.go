// Command nhsjobs-sim serves an invented NHS Jobs on a port, for tests and
// demonstrations: see package simulator. Its clock begins at the present and
// may run fast. It listens on loopback unless told otherwise.
//
// At its end, on SIGINT or SIGTERM, it writes the truth and prints the laws of
// manners that its clients broke; if there are any, it exits with 1.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/vacancywatch/vacancywatch/crawler/simulator"
)

type flags struct {
	Listen     string        `default:"127.0.0.1:8090" placeholder:"ADDR" help:"Address to listen on; port 0 takes a free one."`
	Seed       uint64        `default:"1" help:"Seed of adverts, events and unknown behaviour."`
	Speed      float64       `default:"1" help:"How fast the site's clock runs."`
	Faults     string        `placeholder:"SCRIPT" help:"File of faults, one a line: 'xml 503 after=10 count=5'."`
	Truth      string        `placeholder:"FILE" help:"File for the truth, as JSON lines, written at the end."`
	Live       int           `default:"12000" help:"Adverts live at the start; 0 for none."`
	PerWeekday float64       `default:"1000" help:"New adverts on a weekday."`
	MinGap     time.Duration `default:"1s" help:"Requests closer than this break a law; 0 for no such law."`
	Quiet      bool          `help:"Nothing is posted, changed or closed but through /-/sim/."`
	Public     bool          `help:"Allow an address that is not loopback."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Exit codes.
const (
	done   = 0
	failed = 1
	usage  = 2
)

// run serves until ctx ends and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var f flags
	exit := -1
	parser, err := kong.New(&f, kong.Name("nhsjobs-sim"), kong.Description("A pretend NHS Jobs."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }))
	if err != nil {
		fmt.Fprintln(stderr, "nhsjobs-sim:", err) // Unreachable: the flags are fixed, and tested.
		return failed
	}
	_, err = parser.Parse(args)
	if exit >= 0 {
		return exit // --help
	}
	var options simulator.Options
	if err == nil {
		options, err = f.options()
	}
	if err != nil {
		fmt.Fprintln(stderr, "nhsjobs-sim:", err)
		return usage
	}
	if err := serve(ctx, f, options, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "nhsjobs-sim:", err)
		return failed
	}
	return done
}

// options checks the flags and makes the site's options of them.
func (f *flags) options() (simulator.Options, error) {
	host, _, err := net.SplitHostPort(f.Listen)
	if err != nil {
		return simulator.Options{}, fmt.Errorf("--listen: %w", err)
	}
	if ip := net.ParseIP(host); !f.Public && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return simulator.Options{}, fmt.Errorf("--listen: %s is not loopback; say --public if that is meant", f.Listen)
	}
	if f.Speed <= 0 || f.PerWeekday <= 0 {
		return simulator.Options{}, errors.New("--speed and --per-weekday must be positive")
	}
	start := time.Now()
	o := simulator.Options{Seed: f.Seed, Start: start, Live: f.Live, PerWeekday: f.PerWeekday, MinGap: f.MinGap, Quiet: f.Quiet,
		Now:     func() time.Time { return start.Add(time.Duration(float64(time.Since(start)) * f.Speed)) },
		Manners: time.Now, // A client's pauses are real ones.
	}
	if f.Live == 0 {
		o.Live = -1
	}
	if f.MinGap == 0 {
		o.MinGap = -1
	}
	if f.Faults != "" {
		script, err := os.Open(f.Faults)
		if err != nil {
			return o, fmt.Errorf("--faults: %w", err)
		}
		defer script.Close()
		if o.Faults, err = simulator.ParseFaults(script); err != nil {
			return o, fmt.Errorf("--faults: %s: %w", f.Faults, err)
		}
	}
	return o, nil
}

// errBroken says that the client broke laws, which have been printed.
var errBroken = errors.New("the client broke laws of manners")

func serve(ctx context.Context, f flags, o simulator.Options, stdout, stderr io.Writer) error {
	listener, err := net.Listen("tcp", f.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	site := simulator.New(o)
	mux := http.NewServeMux()
	mux.Handle("/-/sim/", control(site))
	mux.Handle("/", site)
	// The base context ends with ctx, so that answers that dawdle let go.
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	fmt.Fprintf(stdout, "listening on http://%s\n", listener.Addr())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(patience); err != nil {
		server.Close() // A client that holds on is not waited for.
	}
	if f.Truth != "" {
		if err := writeTruth(site, f.Truth); err != nil {
			return err
		}
	}
	broken := site.Broken()
	for _, b := range broken {
		fmt.Fprintln(stderr, b)
	}
	if len(broken) > 0 {
		return errBroken
	}
	return nil
}

func writeTruth(site *simulator.Site, name string) error {
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("--truth: %w", err)
	}
	if err := site.WriteTruth(file); err != nil {
		file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("--truth: %w", err)
	}
	return nil
}
