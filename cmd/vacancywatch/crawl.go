package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/web"
)

// crawlCmd are a person's decisions about a source. With a daemon running they
// go through its admin address.
type crawlCmd struct {
	Resume  resumeCmd  `cmd:"" help:"Go on with a source that the site refused, or that was paused. Look first why it was refused."`
	Pause   pauseCmd   `cmd:"" help:"Ask nothing of a site until the source is resumed. What is queued is delivered."`
	Accept  acceptCmd  `cmd:"" help:"Take for granted what looked like damage: end a flood without telling anybody; believe a board that has shrunk, or lists that are filled in otherwise than before."`
	Release releaseCmd `cmd:"" help:"End a flood, and tell what came in it to those whose searches match."`
}

// decideFlags are those of every decision.
type decideFlags struct {
	Config string `required:"" type:"path" help:"The configuration file."`
	Source string `arg:"" help:"The name of the source."`
	DryRun bool   `help:"Say what would be done, and do nothing."`
}

type (
	resumeCmd  struct{ decideFlags }
	pauseCmd   struct{ decideFlags }
	acceptCmd  struct{ decideFlags }
	releaseCmd struct {
		decideFlags
		PostedSince string `help:"Only what was posted since then: 2026-11-01 (midnight in London) or 2026-11-01T09:00:00Z. The rest stays untold."`
	}
)

func (c *resumeCmd) Run(e *env) error  { return c.decide(e, web.ActionResume, "") }
func (c *pauseCmd) Run(e *env) error   { return c.decide(e, web.ActionPause, "") }
func (c *acceptCmd) Run(e *env) error  { return c.decide(e, web.ActionAccept, "") }
func (c *releaseCmd) Run(e *env) error { return c.decide(e, web.ActionRelease, c.PostedSince) }

// decide carries the decision out, or has the daemon that uses the state do it.
func (c *decideFlags) decide(e *env, action, postedSince string) error {
	cfg, log, err := loadConfig(c.Config, e)
	if err != nil {
		return err
	}
	var names []string
	known := false
	for i := range cfg.Sources {
		names = append(names, cfg.Sources[i].Name)
		known = known || cfg.Sources[i].Name == c.Source
	}
	if !known {
		return usageError{fmt.Errorf("there is no source %q in the configuration: it has %s", c.Source, strings.Join(names, ", "))}
	}
	if _, err := parseSince("posted-since", postedSince); err != nil {
		return usageError{err}
	}
	d := web.Decision{Action: action, Source: c.Source, PostedSince: postedSince, DryRun: c.DryRun}
	said, err := decideHere(e.ctx, cfg, log, d)
	if inUse(err) {
		said, err = decideThere(e, cfg, d, err)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.stdout, said)
	return err
}

func decideHere(ctx context.Context, cfg *config.Config, log *slog.Logger, d web.Decision) (string, error) {
	a, err := newOperator(ctx, cfg, log)
	if err != nil {
		return "", err
	}
	said, err := a.decide(ctx, d)
	return said, errors.Join(err, a.close())
}

// decideThere asks the daemon that uses the state, whose admin address the
// configuration names. Used is why it is not decided here.
func decideThere(e *env, cfg *config.Config, d web.Decision, used error) (string, error) {
	form := url.Values{"dry_run": {strconv.FormatBool(d.DryRun)}}
	if d.PostedSince != "" {
		form.Set("posted_since", d.PostedSince)
	}
	return askDaemon(e, cfg, "/-/crawl/"+url.PathEscape(d.Action)+"/"+url.PathEscape(d.Source), form, d.Action, used)
}

// askDaemon posts a decision to the admin address of the daemon that uses the
// state.
func askDaemon(e *env, cfg *config.Config, path string, form url.Values, action string, used error) (string, error) {
	said, err := ask(e, cfg, question{method: http.MethodPost, path: path, form: form, header: web.DecideHeader, sign: action,
		most: 64 << 10, used: used, patience: ", which may have to end a run first"})
	return strings.TrimSpace(string(said)), err
}

// adminURL is where a daemon that listens at an address is asked from this
// machine; "" where it cannot be.
func adminURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || port == "" || port == "0" {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
