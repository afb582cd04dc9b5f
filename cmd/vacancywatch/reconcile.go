package main

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/vacancywatch/vacancywatch/store"
)

// reconcileEvery is how often it is looked for what has not gone on.
const reconcileEvery = 30 * time.Minute

// outboxMetrics count what goes wrong between two attempts.
type outboxMetrics struct {
	damaged *prometheus.CounterVec
	mended  *prometheus.CounterVec
	stuck   *prometheus.GaugeVec
}

func newOutboxMetrics(reg prometheus.Registerer) *outboxMetrics {
	auto := promauto.With(reg)
	m := &outboxMetrics{
		damaged: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "vacancywatch_outbox_damaged_total", Help: "Times that something stored could not be read and was set aside, by what: it waits for an operator.",
		}, []string{"what"}),
		mended: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "vacancywatch_outbox_mended_total", Help: "What was found out of place every half hour and put right: strays (messages in no list), digests (not made in time).",
		}, []string{"what"}),
		stuck: auto.NewGaugeVec(prometheus.GaugeOpts{
			Name: "vacancywatch_outbox_stuck",
			Help: "What has not gone on, as of the last look, which comes every half hour: lapsed or unclaimed for 15 minutes, waiting for 3 hours, unmatched for an hour.",
		}, []string{"what"}),
	}
	for _, what := range store.DamageKinds() {
		m.damaged.WithLabelValues(what)
	}
	for _, what := range store.StuckKinds() {
		if isMended(what) {
			m.mended.WithLabelValues(what)
		} else {
			m.stuck.WithLabelValues(what)
		}
	}
	return m
}

// isMended reports whether Reconcile puts right what it finds of a kind.
func isMended(what string) bool { return what == store.StuckStray || what == store.StuckDigest }

// noteDamage is told of what is stored and cannot be read.
func (a *app) noteDamage(d store.Damage) {
	a.log.Error("something stored cannot be read; it is kept for an operator, and the others go on: see `vacancywatch outbox list --state damaged`",
		"what", d.What, "id", d.ID)
	if a.outboxMetrics != nil {
		a.outboxMetrics.damaged.WithLabelValues(d.What).Inc()
	}
}

// reconcile looks for what has not gone on, twice an hour.
func (a *app) reconcile(ctx context.Context, now time.Time) error {
	if now.Sub(a.lastReconcile) < reconcileEvery {
		return nil
	}
	stuck, err := a.store.Reconcile(ctx, now)
	if err != nil {
		return fmt.Errorf("look for what has not gone on: %w", err)
	}
	a.lastReconcile = now
	for _, what := range store.StuckKinds() {
		n := stuck.N[what]
		if isMended(what) {
			a.outboxMetrics.mended.WithLabelValues(what).Add(float64(n))
		} else {
			a.outboxMetrics.stuck.WithLabelValues(what).Set(float64(n))
		}
		switch {
		case n == 0:
		case isMended(what):
			a.log.Warn("something was out of place and was put right", "what", what, "number", n, "some", stuck.Some[what])
		default:
			a.log.Warn("something in the outbox does not go on", "what", what, "number", n, "some", stuck.Some[what])
		}
	}
	return nil
}
