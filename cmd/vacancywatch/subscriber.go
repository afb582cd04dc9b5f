package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/people"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// subscriberCmd is for people who ask the operator instead of their own page.
type subscriberCmd struct {
	Export subscriberExportCmd `cmd:"" help:"Write all that is kept of a person who subscribed, as JSON."`
	Erase  subscriberEraseCmd  `cmd:"" help:"Forget a person who subscribed: at most the scrambled form of a suppressed address is left."`
}

// linksCmd looks after the links in mails.
type linksCmd struct {
	Rotate linksRotateCmd `cmd:"" help:"Sign links with a new key from the next start on. Links that were sent go on to work."`
}

type subscriberFlags struct {
	Config  string `required:"" type:"path" help:"The configuration file. With embedded state the daemon must not be running."`
	Address string `arg:"" help:"The person's mail address."`
}

type (
	subscriberExportCmd struct{ subscriberFlags }
	subscriberEraseCmd  struct{ subscriberFlags }
	linksRotateCmd      struct {
		Config string `required:"" type:"path" help:"The configuration file. With embedded state the daemon must not be running; others must be started again."`
	}
)

// withState opens the state for a command, and closes it after.
func withState(e *env, file string, f func(ctx context.Context, s *store.Store) error) (err error) {
	cfg, log, err := loadConfig(file, e)
	if err != nil {
		return err
	}
	a := &app{cfg: cfg, log: log}
	defer func() { err = errors.Join(err, a.close()) }()
	if err := a.openStore(e.ctx); err != nil {
		return err
	}
	return f(e.ctx, a.store)
}

// with finds the person. No error holds the address.
func (c *subscriberFlags) with(e *env, f func(ctx context.Context, p *store.Subscribers, id string) error) error {
	return withState(e, c.Config, func(ctx context.Context, s *store.Store) error {
		p, err := s.Subscribers(ctx)
		if err != nil {
			return err
		}
		id, found, err := p.Find(ctx, vacancy.Address(c.Address))
		if err != nil {
			return err
		}
		if !found {
			return errors.New("nobody subscribed with this address: searches of the configuration file are in that file")
		}
		return f(ctx, p, id)
	})
}

func (c *subscriberExportCmd) Run(e *env) error {
	return c.with(e, func(ctx context.Context, p *store.Subscribers, id string) error {
		all, err := p.Export(ctx, id, time.Now())
		if errors.Is(err, people.ErrGone) {
			return errors.New("the person is being forgotten")
		}
		if err != nil {
			return err
		}
		enc := json.NewEncoder(e.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	})
}

func (c *subscriberEraseCmd) Run(e *env) error {
	return c.with(e, func(ctx context.Context, p *store.Subscribers, id string) error {
		if err := p.Erase(ctx, id, time.Now()); err != nil {
			return err
		}
		_, err := fmt.Fprintf(e.stdout, "subscriber %s: erased\n", id)
		return err
	})
}

func (c *linksRotateCmd) Run(e *env) error {
	return withState(e, c.Config, func(ctx context.Context, s *store.Store) error {
		if err := s.RotateSigningKey(ctx, "links", time.Now()); err != nil {
			return err
		}
		_, err := fmt.Fprintln(e.stdout, "links are signed with a new key from the next start on; those that were sent go on to work")
		return err
	})
}
