package crawler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/robfig/cron/v3"
)

// DefaultTick is how often the planner looks what is due.
const DefaultTick = time.Minute

// A Schedule looks at each tick what is due for each source, and runs it.
type Schedule struct {
	Runners []*Runner
	// Tick is the time between two looks; a whole number of seconds.
	Tick    time.Duration
	Metrics *Metrics
	// Upkeep is called once a tick after the runs. May be nil.
	Upkeep func(context.Context) error

	progress atomic.Int64 // unix seconds of the last sign of life
	once     sync.Once    // makes busy
	busy     chan struct{}
}

// Run ticks until ctx ends, and returns when the last run has ended. The first
// tick comes at once.
//
// cron skips a tick that falls into a running one, and the job recovers from
// its own panic inside of that: the other way round one panic would keep the
// job from ever running again.
func (s *Schedule) Run(ctx context.Context) error {
	tick := s.Tick
	if tick == 0 {
		tick = DefaultTick
	}
	if tick < time.Second || tick%time.Second != 0 {
		return fmt.Errorf("tick of %s: give whole seconds", tick)
	}
	for _, r := range s.Runners {
		// A page full of new adverts, on a slow site, takes longer than a
		// schedule may be silent: each step of a run is a sign of life.
		told := r.Progress
		r.Progress = func(p Progress) {
			s.alive()
			if told != nil {
				told(p)
			}
		}
	}
	skips := skipCounter{s.Metrics}
	c := cron.New(cron.WithLocation(time.UTC), cron.WithLogger(skips), cron.WithChain(cron.SkipIfStillRunning(skips)))
	spec := "@every " + tick.String()
	if tick == time.Minute {
		spec = "* * * * *"
	}
	id, err := c.AddFunc(spec, func() { s.tick(ctx) })
	if err != nil {
		return fmt.Errorf("schedule %q: %w", spec, err)
	}
	// Through the entry's own job, so that the first tick, too, is one that
	// the next ones wait for.
	first := make(chan struct{})
	go func() {
		defer close(first)
		c.Entry(id).WrappedJob.Run()
	}()
	c.Start()
	<-ctx.Done()
	<-c.Stop().Done()
	<-first
	return nil
}

func (s *Schedule) alive() {
	now := time.Now()
	s.progress.Store(now.Unix())
	s.Metrics.tick(now)
}

// Alive is the time of the last sign of life of the schedule.
func (s *Schedule) Alive() time.Time { return time.Unix(s.progress.Load(), 0) }

func (s *Schedule) tick(ctx context.Context) {
	s.alive()
	whole := true
	for _, r := range s.Runners {
		whole = s.step(ctx, r.Logger.With("source", r.Source.Name), "tick", r.Tick) && whole
	}
	if s.Upkeep != nil && len(s.Runners) > 0 {
		whole = s.step(ctx, s.Runners[0].Logger, "upkeep", s.Upkeep) && whole
	}
	s.Metrics.ticked(whole)
}

// Do does what must not meet a run, such as what a person decides about a
// source: between two steps of a tick, which wait for its end. Where its turn
// has not come by the end of ctx, nothing is done and the error is that of ctx.
// It works as well where the schedule does not run.
func (s *Schedule) Do(ctx context.Context, do func(context.Context) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	return do(ctx)
}

// enter waits for the turn of a step. Who has waited longest comes first, so
// that a tick of many steps lets others in between.
func (s *Schedule) enter(ctx context.Context) error {
	s.once.Do(func() { s.busy = make(chan struct{}, 1) })
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Schedule) leave() { <-s.busy }

// step is one part of a tick. It reports false after a panic, which is kept
// from the parts after it.
func (s *Schedule) step(ctx context.Context, log *slog.Logger, what string, do func(context.Context) error) (whole bool) {
	if s.enter(ctx) != nil {
		return true // the process ends
	}
	defer s.leave()
	defer func() {
		if v := recover(); v != nil {
			whole = false
			s.Metrics.panicked()
			log.Error(what+" panicked; the next one runs all the same", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
		s.alive()
	}()
	if err := do(ctx); err != nil && ctx.Err() == nil {
		log.Warn(what+" failed, will be tried again", "err", err)
	}
	return true
}

// Tick makes the runs of a source that are due now.
func (r *Runner) Tick(ctx context.Context) error {
	st, ok, err := r.Enter(ctx)
	if err != nil || !ok {
		return err
	}
	until := r.Now().Add(slice)
	for _, w := range Due(r.Now(), &st, &r.Source) {
		if ctx.Err() != nil || !r.Now().Before(until) || st.Stopped != "" || st.Gate.After(r.Now()) {
			return nil
		}
		after, rep := r.Run(ctx, w, st, until)
		if rep.Verdict == Aborted || after.Epoch != st.Epoch {
			return nil // the next tick looks at it afresh
		}
		st = after
	}
	return nil
}

// Enter takes the right to crawl and returns the state of the source, begun
// where there is none. It reports false where another process crawls.
func (r *Runner) Enter(ctx context.Context) (State, bool, error) {
	ok, err := r.Memory.Hold(ctx, r.Holder, r.Now(), leaseTerm)
	if err != nil {
		return State{}, false, fmt.Errorf("take the lease: %w", err)
	}
	r.Metrics.lead(ok)
	if !ok {
		return State{}, false, nil
	}
	st, err := r.Memory.State(ctx, r.Source.Name)
	if err != nil {
		return State{}, false, fmt.Errorf("read the state: %w", err)
	}
	if st.Epoch == "" {
		reason := FirstRun
		if st.Lost {
			reason = LostState
			r.Logger.Error("the stored state of the source is gone or older than it was: beginning again with a silent baseline",
				"source", r.Source.Name)
		}
		if st, err = r.anew(ctx, reason, st); err != nil {
			return State{}, false, err
		}
	}
	if r.owed != nil {
		if st, err = r.heed(ctx, st, r.owed); err != nil {
			return State{}, false, err
		}
	}
	r.Metrics.restore(&r.Source, &st, r.Now())
	return st, true, nil
}

// Once makes one pass over the source, however soon the next one would be due:
// the whole baseline where there is none yet, else a hot run. The site's gates
// and stops hold for it as well.
func (r *Runner) Once(ctx context.Context) (Report, error) {
	st, ok, err := r.Enter(ctx)
	if err != nil {
		return Report{}, err
	}
	if !ok {
		return Report{}, errors.New("another process is crawling with this state")
	}
	if st.Stopped != "" {
		return Report{}, fmt.Errorf("the source is stopped (%s): a person has to resume it", st.Stopped)
	}
	w := Work{Hot}
	if st.Baseline != nil {
		w = Work{Sweep}
	}
	_, rep := r.Run(ctx, w, st, r.Now().Add(24*time.Hour))
	if rep.Verdict != OK {
		return rep, fmt.Errorf("run ended %s: %s", rep.Verdict, rep.Err)
	}
	return rep, nil
}

// skipCounter is a cron logger that counts skipped ticks: cron tells of them
// in no other way.
type skipCounter struct{ m *Metrics }

func (s skipCounter) Info(msg string, _ ...any) {
	if msg == "skip" {
		s.m.skipped()
	}
}
func (s skipCounter) Error(error, string, ...any) {}
