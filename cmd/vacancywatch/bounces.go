package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vacancywatch/vacancywatch/alerts/bounce"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/store"
)

// wireBounces has what comes back of mails counted, and no mail sent to an
// address that is suppressed.
func (a *app) wireBounces(ctx context.Context) error {
	list, err := a.store.Suppressions(ctx)
	if err != nil {
		return err
	}
	a.bounces = &bounce.Desk{List: list, Logger: a.log, Metrics: bounce.NewMetrics(a.registry)}
	if a.cfg.Bounces != nil {
		if a.bounces.Signer, err = a.cfg.Bounces.Signer(); err != nil {
			return fmt.Errorf("bounces: %w", err)
		}
	}
	for _, ch := range a.channels {
		if e, ok := ch.(*channel.Email); ok {
			e.ReturnTo(a.bounces)
		}
	}
	a.deliverer.Suppressions = list
	a.registry.MustRegister(suppressionCollector{a, list})
	return nil
}

// serveBounces takes in what comes back until ctx ends.
func (a *app) serveBounces(ctx context.Context, l net.Listener) error {
	in := &bounce.Intake{Desk: a.bounces, LMTP: a.cfg.Bounces.LMTP, Now: time.Now}
	return in.Serve(ctx, l)
}

var suppressedDesc = prometheus.NewDesc("vacancywatch_suppressed_addresses",
	"Addresses that get no mail: bounced (for 90 days) or complained (for good).", []string{"reason"}, nil)

// A suppressionCollector counts the suppressed addresses when it is asked.
type suppressionCollector struct {
	app  *app
	list *store.Suppressions
}

func (c suppressionCollector) Describe(out chan<- *prometheus.Desc) { out <- suppressedDesc }

func (c suppressionCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts, err := c.list.Count(ctx, time.Now())
	if err != nil {
		// Left out: other metrics say that the state cannot be read.
		c.app.log.Debug("the suppressed addresses could not be counted", "err", err)
		return
	}
	for _, r := range bounce.Reasons() {
		out <- prometheus.MustNewConstMetric(suppressedDesc, prometheus.GaugeValue, float64(counts[r]), string(r))
	}
}

// checkMail signs and verifies a sample of each channel that signs, and says
// what must be arranged outside of this program.
func checkMail(w io.Writer, cfg *config.Config) error {
	var errs []error
	for i := range cfg.Channels {
		ch, err := cfg.Channels[i].New(cfg)
		if err != nil {
			return err // Unreachable: the configuration was checked.
		}
		e, ok := ch.(*channel.Email)
		if !ok {
			continue
		}
		switch name, text, signed, err := e.CheckDKIM(); {
		case err != nil:
			errs = append(errs, fmt.Errorf("channel %s: dkim: %w", cfg.Channels[i].Name, err))
		case signed:
			fmt.Fprintf(w, "channel %s: dkim: a sample was signed and verified. Publish this TXT record:\n%s\t%s\n", cfg.Channels[i].Name, name, text)
		}
	}
	if cfg.Bounces != nil {
		signer, err := cfg.Bounces.Signer()
		if err != nil {
			return err // Unreachable: the configuration was checked.
		}
		fmt.Fprintf(w, "bounces: mail for %s must come to %s. Give feedback loops this address: %s\n",
			cfg.Bounces.Domain, cfg.Bounces.Listen, signer.Reports())
	}
	return errors.Join(errs...)
}
