// Command vacancybench holds the yardsticks of vacancywatch: suites that
// measure and count what the program promises, against a named baseline or a
// truth of their own. Everything runs on loopback, is bounded in count and
// time, and stops what it started. It exits with 1 where a promise is broken.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata"

	"github.com/alecthomas/kong"
)

type cli struct {
	Crawl     crawlCmd     `cmd:"" help:"Crawl simulated weeks of the site in minutes, and score what was told against what happened."`
	Crash     crashCmd     `cmd:"" help:"Kill the daemon at random instants while it crawls and delivers, and count what was lost and what came twice."`
	Relevance relevanceCmd `cmd:"" help:"Read labelled adverts as the crawl does, and score specialty, band, place and salary against the labels."`
	Deliver   deliverCmd   `cmd:"" help:"Measure how fast alerts leave, beside the bare libraries, and what one vacancy that everybody wants does."`
	Match     matchCmd     `cmd:"" help:"Match vacancies with a million saved searches, beside a plain loop, bit sets and the ideal."`
}

// env is what a suite works with besides its flags.
type env struct {
	ctx    context.Context
	stdout io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	k := kong.Parse(&c, kong.Name("vacancybench"), kong.UsageOnError(),
		kong.Description("The yardsticks of vacancywatch."))
	if err := k.Run(&env{ctx: ctx, stdout: os.Stdout}); err != nil {
		fmt.Fprintf(os.Stderr, "vacancybench: %v\n", err)
		stop()
		os.Exit(1)
	}
}
