package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/web"
)

// webhookCmd looks after the endpoints of channels that are no mail relays.
type webhookCmd struct {
	Test   webhookTestCmd   `cmd:"" help:"Send the endpoint a message that tells of nothing, by the way of every alert, and say how it answers."`
	Verify webhookVerifyCmd `cmd:"" help:"Ask the endpoint to echo a challenge now, and put it on again if it was disabled."`
	Rotate webhookRotateCmd `cmd:"" help:"Write a new secret into the secret_file of a webhook. The one before signs beside it for 24 hours."`
}

// webhookFlags are those of every command about an endpoint.
type webhookFlags struct {
	Config string `required:"" type:"path" help:"The configuration file."`
	Name   string `arg:"" help:"The name of the channel."`
}

type (
	webhookTestCmd   struct{ webhookFlags }
	webhookVerifyCmd struct{ webhookFlags }
	webhookRotateCmd struct{ webhookFlags }
)

// open reads the configuration and makes the channel that is meant. It calls
// nobody.
func (f *webhookFlags) open(e *env) (*config.Config, *slog.Logger, channel.Channel, error) {
	cfg, log, err := loadConfig(f.Config, e)
	if err != nil {
		return nil, nil, nil, err
	}
	var names []string
	for i := range cfg.Channels {
		if cfg.Channels[i].Name != f.Name {
			names = append(names, cfg.Channels[i].Name)
			continue
		}
		ch, err := cfg.Channels[i].New(cfg)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("channel %s: %w", f.Name, err)
		}
		if ch.Kind() == "email" {
			return nil, nil, nil, usageError{fmt.Errorf("channel %s goes to a mail relay: it has no endpoint", f.Name)}
		}
		return cfg, log, ch, nil
	}
	return nil, nil, nil, usageError{fmt.Errorf("there is no channel %q in the configuration: it has %s", f.Name, strings.Join(names, ", "))}
}

// refusedWords say how an endpoint answered, in words of ours alone.
func refusedWords(r channel.Result) string {
	if r.Detail == "" {
		return r.Reason
	}
	return fmt.Sprintf("%s (%s)", r.Detail, r.Reason)
}

func (c *webhookTestCmd) Run(e *env) error {
	_, _, ch, err := c.open(e)
	if err != nil {
		return err
	}
	t, ok := ch.(channel.Tester)
	if !ok {
		return usageError{fmt.Errorf("channel %s is a %s, which cannot be sent a test", c.Name, ch.Kind())}
	}
	r := t.Test(e.ctx, time.Now())
	if r.Outcome != channel.Done {
		return fmt.Errorf("channel %s did not take the test: %s", c.Name, refusedWords(r))
	}
	_, err = fmt.Fprintf(e.stdout, "%s: the endpoint took the test: %s\n", c.Name, r.Detail)
	return err
}

func (c *webhookRotateCmd) Run(e *env) error {
	cfg, _, _, err := c.open(e)
	if err != nil {
		return err
	}
	var hook *channel.WebhookConfig
	for i := range cfg.Channels {
		if cfg.Channels[i].Name == c.Name {
			hook = cfg.Channels[i].Webhook
		}
	}
	switch {
	case hook == nil:
		return usageError{fmt.Errorf("channel %s is no webhook: it has no secret that signs", c.Name)}
	case hook.SecretFile == "":
		return usageError{fmt.Errorf("channel %s has its secret from the environment: put it into a secret_file, or replace it yourself and give the one before as old_secret_file for a day", c.Name)}
	case hook.OldSecretFile != "":
		return usageError{fmt.Errorf("channel %s has an old_secret_file, so a rotation by hand is open: take that out of the configuration first", c.Name)}
	}
	file := hook.SecretFile
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(c.Config), file)
	}
	until, err := channel.Rotate(file, time.Now())
	if err != nil {
		return fmt.Errorf("channel %s: %w", c.Name, err)
	}
	_, err = fmt.Fprintf(e.stdout, "%s: a new secret is in %s. Until %s the one before signs beside it: give the receiver the new one by then.\n",
		c.Name, file, until.Format(time.RFC3339))
	return err
}

// verifyAction is the name of the decision in the answer of a daemon.
const verifyAction = "verify"

func (c *webhookVerifyCmd) Run(e *env) error {
	cfg, log, ch, err := c.open(e)
	if err != nil {
		return err
	}
	said, err := verifyHere(e.ctx, cfg, log, c.Name, ch)
	if inUse(err) {
		said, err = askDaemon(e, cfg, "/-/webhook/"+verifyAction+"/"+url.PathEscape(c.Name), url.Values{}, verifyAction, err)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.stdout, said)
	return err
}

func verifyHere(ctx context.Context, cfg *config.Config, log *slog.Logger, name string, ch channel.Channel) (string, error) {
	a := &app{cfg: cfg, log: log, started: time.Now(), channels: map[string]channel.Channel{name: ch}}
	if err := a.openStore(ctx); err != nil {
		return "", errors.Join(err, a.close())
	}
	said, err := a.verify(ctx, name)
	return said, errors.Join(err, a.close())
}

// verify asks an endpoint to show that it expects us, and says what came of it.
func (a *app) verify(ctx context.Context, name string) (string, error) {
	ch := a.channels[name]
	if ch == nil || ch.Kind() == "email" {
		return "", &web.Refusal{Code: http.StatusNotFound, Text: fmt.Sprintf("the configuration that is in force has no channel %q with an endpoint", name)}
	}
	r, err := alerts.Enable(ctx, a.store, name, ch, time.Now())
	switch {
	case err != nil:
		return "", err
	case r.Outcome != channel.Done:
		return "", &web.Refusal{Code: http.StatusBadGateway,
			Text: fmt.Sprintf("the endpoint of channel %s did not answer as it should, and nothing was changed: %s", name, refusedWords(r))}
	}
	a.log.Info("a person had an endpoint verified", "channel", name)
	return name + ": the endpoint has answered and is on. What was given up while it was disabled waits to be replayed.", nil
}

// withWebhooks adds what `webhook verify` asks of a running daemon to the admin
// pages.
func (a *app) withWebhooks(admin http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", admin)
	mux.HandleFunc("POST /-/webhook/"+verifyAction+"/{channel}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(web.DecideHeader, verifyAction)
		// A browser says so on every POST, whoever made it send one.
		if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
			http.Error(w, "This is for the command line: vacancywatch webhook verify. Nothing was changed.", http.StatusForbidden)
			return
		}
		said, err := a.verify(r.Context(), r.PathValue("channel"))
		refusal, refused := errors.AsType[*web.Refusal](err)
		switch {
		case refused:
			http.Error(w, refusal.Text, refusal.Code)
		case err != nil:
			a.log.Error("an endpoint could not be verified", "channel", r.PathValue("channel"), "err", err)
			http.Error(w, "It could not be done, the log of the daemon says why.", http.StatusInternalServerError)
		default:
			fmt.Fprintln(w, said)
		}
	})
	return mux
}
