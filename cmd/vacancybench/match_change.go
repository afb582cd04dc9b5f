package main

import (
	"context"
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// changeAlone times additions and removals with nothing beside them.
func (r *matchRun) changeAlone() {
	searches := r.newcomers(0)
	took := make([]time.Duration, len(searches))
	runtime.GC()
	began := time.Now()
	for i, s := range searches {
		t := time.Now()
		r.ix.Add(s)
		took[i] = time.Since(t)
	}
	r.AddMean = micro(time.Since(began)) / float64(len(searches))
	r.AddP50, r.AddP99 = quantiles(took)
	for i, s := range searches {
		t := time.Now()
		r.ix.Remove(s.ID)
		took[i] = time.Since(t)
	}
	r.RemoveP50, r.RemoveP99 = quantiles(took)
}

func (r *matchRun) newcomers(lot int) []*vacancy.Search {
	out := make([]*vacancy.Search, r.cmd.Changes)
	for i := range out {
		out[i] = r.crowd.search(r.Searches + lot*r.cmd.Changes + i)
	}
	return out
}

// changeBusy adds, changes and removes searches and rebuilds the whole index,
// while one worker matches all the time.
func (r *matchRun) changeBusy(ctx context.Context) error {
	searches := r.newcomers(1)
	took := make([]time.Duration, len(searches))
	runtime.GC()
	group, groupCtx := errgroup.WithContext(ctx)
	running, stop := context.WithCancel(groupCtx)
	group.Go(func() error { return r.ix.Run(running) })
	began := time.Now()
	group.Go(func() error {
		defer stop()
		for i, s := range searches {
			t := time.Now()
			r.ix.Add(s)
			took[i] = time.Since(t)
			if i%3 == 2 {
				// It takes the place of another, so that this is a change.
				s := *searches[i-1]
				s.ID = searches[i].ID
				r.ix.Add(&s)
			}
			if i%4 == 3 {
				r.ix.Remove(searches[i-2].ID)
			}
		}
		_, r.BusyAddP99 = quantiles(took)
		began := time.Now()
		r.ix.Compact()
		r.Rebuild = time.Since(began).Seconds()
		return nil
	})
	stops := stopsOfTheWorld()
	r.Pause, r.PauseP999 = r.matchUntil(running)
	r.Stopped = stopsSince(stops)
	if err := group.Wait(); err != nil {
		return err
	}
	// The machine makes pauses of its own. So the same again for as long,
	// beside two workers that touch nothing of the index.
	running, stop = context.WithTimeout(ctx, time.Since(began))
	defer stop()
	var spinners errgroup.Group
	for range 2 {
		spinners.Go(func() error {
			for n := uint64(0); running.Err() == nil; n++ {
				_ = world.Mix(n)
			}
			return nil
		})
	}
	r.Control, _ = r.matchUntil(running)
	return spinners.Wait()
}

// matchUntil matches one vacancy after the other until ctx ends, and returns
// the longest time and that which 999 of 1,000 did not exceed, in ms.
func (r *matchRun) matchUntil(ctx context.Context) (longest, p999 float64) {
	took := make([]time.Duration, 0, 1<<20)
	for i := 0; ctx.Err() == nil; i++ {
		began := time.Now()
		r.ix.MatchReading(r.read[i%len(r.read)], func(string) bool { return true })
		took = append(took, time.Since(began))
	}
	if len(took) == 0 {
		return 0, 0
	}
	slices.Sort(took)
	return micro(took[len(took)-1]) / 1e3, micro(took[len(took)*999/1000]) / 1e3
}

// stopsOfTheWorld returns how often the runtime stopped everything, by length.
func stopsOfTheWorld() *metrics.Float64Histogram {
	sample := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(sample)
	return sample[0].Value.Float64Histogram()
}

// stopsSince returns the longest stop of the world since before, in ms.
func stopsSince(before *metrics.Float64Histogram) float64 {
	now := stopsOfTheWorld()
	for i := len(now.Counts) - 1; i >= 0; i-- {
		if now.Counts[i] > before.Counts[i] {
			return now.Buckets[i] * 1e3
		}
	}
	return 0
}
