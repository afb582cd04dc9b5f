package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/metrics"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// fan is what a fan-out came to.
type fan struct {
	queue, deliver time.Duration // from the sighting
	before         uint64        // bytes of the heap
	queueing       growth
	delivering     growth
	beside, behind []time.Duration
	came, again    int
	want           int
	other          map[string]int
}

// fanouts lets one vacancy go out to everybody, by mail and by webhook.
func (r *deliverRun) fanouts(ctx context.Context, states []string) error {
	rows := [][]string{{"one vacancy to many", "state", "queued s", "delivered s", "a second", "heap MiB", "more, queueing", "in use", "delivering", "in use",
		"others: p50 ms", "p99", "same channel: p50 ms", "p99", "lost", "again"}}
	for _, state := range states {
		for _, by := range []struct {
			name     string
			channels []string
		}{
			{"mail", []string{mailChannel}},
			{fmt.Sprintf("webhook, %d endpoints", farSides), hookChannels(farSides)},
		} {
			f, err := r.fanOut(ctx, state, by.channels)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", by.name, state, err)
			}
			rows = append(rows, f.row(fmt.Sprintf("%d, %s", r.Fanout, by.name), state))
			r.promise(f.came == f.want, "fan-out by %s, %s: %d of %d messages arrived", by.name, state, f.came, f.want)
			r.promise(f.again == 0, "fan-out by %s, %s: %d messages arrived again", by.name, state, f.again)
			most := max(f.queueing.heap, f.delivering.heap)
			r.promiseSpeed(most <= mostGrowth<<20, "fan-out by %s, %s: the heap grew by %.0f MiB, not at most %d", by.name, state, mib(most), mostGrowth)
			for what, n := range f.other {
				fmt.Fprintf(r.out, "fan-out by %s, %s: %d times %s\n", by.name, state, n, what)
			}
		}
	}
	fmt.Fprintf(r.out, "\nheap: what was held before, and the most beyond it, with what is not yet collected; in use: what a collection found of that\n"+
		"others: from the sighting of another vacancy in the middle of it to the alert at an endpoint of its own; same channel: by the busy one\n\n")
	align(r.out, rows)
	return nil
}

func mib(bytes uint64) float64 { return float64(bytes) / (1 << 20) }

func (f *fan) row(name, state string) []string {
	lost := f.want - f.came
	row := []string{name, state, fmt.Sprintf("%.1f", f.queue.Seconds()), fmt.Sprintf("%.1f", f.deliver.Seconds()),
		fmt.Sprintf("%.0f", float64(f.want)/f.deliver.Seconds()), fmt.Sprintf("%.0f", mib(f.before)), fmt.Sprintf("%.0f", mib(f.queueing.heap)), fmt.Sprintf("%.0f", mib(f.queueing.live)),
		fmt.Sprintf("%.0f", mib(f.delivering.heap)), fmt.Sprintf("%.0f", mib(f.delivering.live))}
	for _, times := range [][]time.Duration{f.beside, f.behind} {
		p50, p99 := quantiles(times)
		row = append(row, fmt.Sprintf("%.0f", p50/1e3), fmt.Sprintf("%.0f", p99/1e3))
	}
	return append(row, fmt.Sprint(lost), fmt.Sprint(f.again))
}

// bystanderEvery is how often another vacancy is seen during a fan-out.
const bystanderEvery = 200 * time.Millisecond

// fanOut lets one vacancy go out to as many searches as asked for, by some
// channels, while a deliverer works as in the daemon and other vacancies are
// seen that two other readers wait for.
func (r *deliverRun) fanOut(ctx context.Context, state string, channels []string) (f *fan, err error) {
	far, err := r.newFarSide()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, far.Close()) }()
	searches := benchSearches("everybody", r.Fanout, channels...)
	beside := benchSearches("beside", 1, hookChannel(farSides))
	behind := benchSearches("behind", 1, channels[0])
	for _, s := range append(beside, behind...) {
		s.Employers = []string{"bystander"}
		searches = append(searches, s)
	}
	s, err := r.newStage(ctx, state, searches)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	searches = nil
	endpoints := []int{farSides}
	for i := range farSides {
		endpoints = append(endpoints, i)
	}
	open, err := far.channels(&far.secure.relay, r.secret, endpoints...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeChannels(open)) }()
	far.expect(r.Fanout+10_000, false)
	f = &fan{want: r.Fanout}
	d := newDelivery(r.Fanout)
	s.deliverer = s.deliverFrom(s.store, open, func(m *alerts.Message, how alerts.Settlement) {
		if m.Search != beside[0].ID && m.Search != behind[0].ID {
			d.settled(m, how)
		}
	})
	running, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error { return s.deliverer.Run(running) })
	f.before = heap()
	watch := watchHeap(f.before)

	began := time.Now()
	var others []sighted
	middle, enough := context.WithCancel(ctx)
	defer enough()
	var crowd errgroup.Group
	crowd.Go(func() (err error) {
		others, err = s.bystanders(middle)
		return err
	})
	if _, err := s.sight(ctx, "everybody", 1); err != nil {
		return nil, err
	}
	f.queue, f.queueing = time.Since(began), watch()
	watch = watchHeap(f.before)
	err = d.wait(ctx)
	f.deliver, f.delivering = time.Since(began), watch()
	enough()
	if err := errors.Join(err, crowd.Wait()); err != nil {
		return nil, err
	}

	// Those behind the crowd come last.
	f.want += 2 * len(others)
	for waited := time.Now(); time.Since(waited) < stallAfter; time.Sleep(10 * time.Millisecond) {
		if came, _ := far.counts(); came >= f.want {
			break
		}
	}
	stop()
	if err := g.Wait(); err != nil {
		return nil, err
	}
	f.came, f.again = far.counts()
	f.other = d.other
	f.beside, f.behind = far.took(others, &beside[0]), far.took(others, &behind[0])
	if len(f.beside) == 0 || len(f.behind) == 0 {
		return nil, errors.New("the fan-out was over before anything else was seen: make it larger")
	}
	return f, nil
}

// sighted is a vacancy seen in the middle of something.
type sighted struct {
	event string
	at    time.Time
}

// bystanders sees another vacancy now and again, until ctx ends.
func (s *deliverStage) bystanders(ctx context.Context) ([]sighted, error) {
	tick := time.NewTicker(bystanderEvery)
	defer tick.Stop()
	var out []sighted
	for {
		at := time.Now()
		// What was begun is ended, for both readers are waited for.
		events, err := s.sight(context.WithoutCancel(ctx), "bystander", 1)
		if err != nil {
			return nil, err
		}
		for i := range events {
			out = append(out, sighted{events[i].ID(), at})
		}
		select {
		case <-ctx.Done():
			return out, nil
		case <-tick.C:
		}
	}
}

// took is how long the alerts of vacancies to a search took.
func (a *arrivals) took(of []sighted, s *vacancy.Search) []time.Duration {
	var out []time.Duration
	for _, o := range of {
		if at, ok := a.at(tokenOf(s, o.event)); ok {
			out = append(out, at.Sub(o.at))
		}
	}
	slices.Sort(out)
	return out
}

// The heap, with what is dead and not collected yet, and what the last
// collection found in use.
var heapSamples = []string{"/memory/classes/heap/objects:bytes", "/gc/heap/live:bytes"}

// growth is by how many bytes the heap has grown at most, and what is in use
// in it.
type growth struct{ heap, live uint64 }

// watchHeap looks at the heap until the function that it returns is called,
// which says by how much it was larger than before.
func watchHeap(before uint64) (stop func() growth) {
	done := make(chan struct{})
	var most [2]uint64
	var wait sync.WaitGroup
	wait.Go(func() {
		samples := make([]metrics.Sample, len(heapSamples))
		for i, name := range heapSamples {
			samples[i].Name = name
		}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(samples)
			for i := range samples {
				most[i] = max(most[i], samples[i].Value.Uint64())
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return func() growth {
		close(done)
		wait.Wait()
		return growth{most[0] - min(before, most[0]), most[1] - min(before, most[1])}
	}
}
