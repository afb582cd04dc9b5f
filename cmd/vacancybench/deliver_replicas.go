package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// tokenOf is the name under which a search's alert of an event arrives.
func tokenOf(s *vacancy.Search, event string) string {
	return channel.Token(alerts.InstantID(s.ID, event, alerts.Dest(s.Notify[0])))
}

// replicas lets one, two and three deliverers share the outbox of one Redis,
// each with a connection, a state and channels of its own.
func (r *deliverRun) replicas(ctx context.Context, states []string) error {
	if !slices.Contains(states, "redis") {
		fmt.Fprintln(r.out, "\nreplicas are left out: they share a Redis")
		return nil
	}
	rows := [][]string{{"replicas", "messages", "s", "a second", "shares", "lost", "again"}}
	for n := 1; n <= 3; n++ {
		row, err := r.share(ctx, n)
		if err != nil {
			return fmt.Errorf("%d replicas: %w", n, err)
		}
		rows = append(rows, row)
	}
	fmt.Fprintf(r.out, "\nreplicas of one Redis, in one process, half of the messages by mail and half to %d endpoints\n\n", farSides)
	align(r.out, rows)
	return nil
}

func (r *deliverRun) share(ctx context.Context, n int) (row []string, err error) {
	far, err := r.newFarSide()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, far.Close()) }()
	searches := append(benchSearches("readers", ofEach/2, mailChannel), benchSearches("machines", ofEach/2, hookChannels(farSides)...)...)
	for i := range searches {
		searches[i].Employers = []string{"shared"}
	}
	s, err := r.newStage(ctx, "redis", searches)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	vacancies := max(1, 2*r.Messages/ofEach)
	want := vacancies * ofEach
	if _, err := s.sight(ctx, "shared", vacancies); err != nil {
		return nil, err
	}
	far.expect(want, false)
	d := newDelivery(want)
	shares := make([]atomic.Int64, n)
	var endpoints []int
	for i := range farSides {
		endpoints = append(endpoints, i)
	}
	var deliverers []*alerts.Deliverer
	for i := range n {
		st, _, err := s.open(ctx, "", fmt.Sprint("replica-", i))
		if err != nil {
			return nil, err
		}
		open, err := far.channels(&far.secure.relay, r.secret, endpoints...)
		if err != nil {
			return nil, err
		}
		defer closeChannels(open) // what is closed here has been delivered to
		deliverers = append(deliverers, s.deliverFrom(st, open, func(m *alerts.Message, how alerts.Settlement) {
			if how == alerts.SettleDone {
				shares[i].Add(1)
			}
			d.settled(m, how)
		}))
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	began := time.Now()
	var g errgroup.Group
	for _, deliverer := range deliverers {
		g.Go(func() error { return deliverer.Run(running) })
	}
	err = d.wait(ctx)
	took := time.Since(began)
	stop()
	if err := errors.Join(err, g.Wait()); err != nil {
		return nil, err
	}
	came, again := far.counts()
	r.promise(came == want, "%d replicas: %d of %d messages arrived", n, came, want)
	r.promise(again == 0, "%d replicas: %d messages arrived again", n, again)
	var parts []string
	for i := range shares {
		parts = append(parts, fmt.Sprint(shares[i].Load()))
	}
	for what, times := range d.other {
		fmt.Fprintf(r.out, "%d replicas: %d times %s\n", n, times, what)
	}
	return []string{fmt.Sprint(n), fmt.Sprint(want), fmt.Sprintf("%.1f", took.Seconds()), fmt.Sprintf("%.0f", float64(want)/took.Seconds()),
		strings.Join(parts, " + "), fmt.Sprint(want - came), fmt.Sprint(again)}, nil
}
