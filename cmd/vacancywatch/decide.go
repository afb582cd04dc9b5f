package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web"
)

const (
	// turnTime is how long a decision waits for the end of a run.
	turnTime = 90 * time.Second
	// decideLease is how long the right to crawl is held for a decision
	// without a step of it.
	decideLease = 2 * time.Minute
	// releaseBatch is how many vacancies are told in one step.
	releaseBatch = 100
	// countMost bounds the work of counting readers in a dry run: searches
	// that are met, a vacancy each.
	countMost = 200_000
)

// decide carries out what a person has decided about a source, and says what
// was done and what happens next. It changes the state between two runs alone,
// and only with the right to crawl: a run would else find that the state has
// gone on without it.
//
// It may be killed at any point and given again. A release tells first and ends
// the flood last: what was told before is silent no longer, and is not told
// again.
func (a *app) decide(ctx context.Context, d web.Decision) (string, error) {
	r := a.runner(d.Source)
	if r == nil {
		return "", &web.Refusal{Code: http.StatusNotFound, Text: fmt.Sprintf("there is no source %q in the configuration: it has %s", d.Source, strings.Join(a.sourceNames(), ", "))}
	}
	since, err := parseSince("posted-since", d.PostedSince)
	switch {
	case err != nil:
		return "", &web.Refusal{Code: http.StatusBadRequest, Text: err.Error()}
	case d.PostedSince != "" && d.Action != web.ActionRelease:
		return "", &web.Refusal{Code: http.StatusBadRequest, Text: "--posted-since is for release alone"}
	}
	var said string
	switch d.Action {
	case web.ActionResume:
		said, err = a.change(ctx, r, d.DryRun, crawler.State.Resume, resumeWords)
	case web.ActionPause:
		said, err = a.change(ctx, r, d.DryRun, crawler.State.Pause, pauseWords)
	case web.ActionAccept:
		said, err = a.accept(ctx, r, d.DryRun)
	case web.ActionRelease:
		said, err = a.release(ctx, r, since, d.DryRun)
	default:
		return "", &web.Refusal{Code: http.StatusNotFound, Text: fmt.Sprintf("there is no action %q", d.Action)}
	}
	if err != nil {
		return "", err
	}
	if !d.DryRun {
		a.log.Info("a person decided about a source", "source", d.Source, "action", d.Action, "answer", said)
	}
	return said, nil
}

func (a *app) runner(source string) *crawler.Runner {
	for _, r := range a.schedule.Runners {
		if r.Source.Name == source {
			return r
		}
	}
	return nil
}

func (a *app) sourceNames() []string {
	var names []string
	for _, r := range a.schedule.Runners {
		names = append(names, r.Source.Name)
	}
	return names
}

// change makes one change of the state, and says with words what it was: they
// are given the state before, and whether it changes.
func (a *app) change(ctx context.Context, r *crawler.Runner, dry bool, change func(crawler.State) (crawler.State, bool),
	words func(r *crawler.Runner, before *crawler.State, changes bool) string) (string, error) {
	st, err := a.store.State(ctx, r.Source.Name)
	if err != nil {
		return "", fmt.Errorf("read the state: %w", err)
	}
	if _, changes := change(st); !changes {
		return words(r, &st, false), nil
	} else if dry {
		return dryWords(words(r, &st, true)), nil
	}
	var said string
	err = a.inTurn(ctx, r, func(_ context.Context, st crawler.State) (crawler.State, bool, error) {
		after, changes := change(st)
		said = words(r, &st, changes)
		return after, changes, nil
	})
	return said, err
}

// inTurn gives the state of a source to decide, between two runs and with the
// right to crawl, and stores what it makes of it.
func (a *app) inTurn(ctx context.Context, r *crawler.Runner, decide func(context.Context, crawler.State) (crawler.State, bool, error)) error {
	wait, cancel := context.WithTimeout(ctx, turnTime)
	defer cancel()
	begun := false
	err := a.schedule.Do(wait, func(context.Context) error {
		begun = true
		st, ok, err := r.Enter(ctx)
		switch {
		case err != nil:
			return err
		case !ok:
			return errElsewhere()
		}
		after, changes, err := decide(ctx, st)
		if err != nil || !changes {
			return err
		}
		after.Runs++ // a run that was begun elsewhere with the state of before cannot end over it
		if err := a.store.Mark(ctx, r.Source.Name, after); err != nil {
			return fmt.Errorf("store the decision: %w", err)
		}
		return nil
	})
	if !begun && errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return &web.Refusal{Code: http.StatusServiceUnavailable,
			Text: fmt.Sprintf("a run of the crawl has not ended within %s: the state was not changed, give the command again", turnTime)}
	}
	return err
}

// errElsewhere says that another process has the right to crawl.
func errElsewhere() error {
	return &web.Refusal{Code: http.StatusConflict, Text: "another vacancywatch crawls with this state, and it is for that one to change it"}
}

// accept ends a baseline in silence, takes a shrunken board for granted, or
// lists that are filled in otherwise than before.
func (a *app) accept(ctx context.Context, r *crawler.Runner, dry bool) (string, error) {
	silent := 0
	words := func(r *crawler.Runner, before *crawler.State, changes bool) string {
		return acceptWords(r, before, changes, silent)
	}
	st, err := a.store.State(ctx, r.Source.Name)
	if err != nil {
		return "", fmt.Errorf("read the state: %w", err)
	}
	if flood, ok := st.Flooded(); ok {
		err := a.eachSilent(ctx, r.Source.Name, flood, func(recs []vacancy.Record) error {
			silent += len(recs)
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return a.change(ctx, r, dry, crawler.State.Accept, words)
}

// release tells what came in a flood, and ends it. The most of it is told while
// the crawl goes on beside it; what it has found meanwhile, in the end, between
// two runs.
func (a *app) release(ctx context.Context, r *crawler.Runner, since time.Time, dry bool) (string, error) {
	st, err := a.store.State(ctx, r.Source.Name)
	if err != nil {
		return "", fmt.Errorf("read the state: %w", err)
	}
	flood, ok := st.Flooded()
	if !ok {
		return noFloodWords(r, &st), nil
	}
	t := tally{since: since, readers: map[string]bool{}}
	if dry {
		if err := a.wouldTell(ctx, r.Source.Name, flood, &t); err != nil {
			return "", err
		}
		return dryWords(releaseWords(r, flood, &t)), nil
	}
	if err := a.hold(ctx); err != nil {
		return "", err
	}
	if err := a.tell(ctx, r.Source.Name, flood, &t); err != nil {
		return "", err
	}
	said := ""
	err = a.inTurn(ctx, r, func(ctx context.Context, st crawler.State) (crawler.State, bool, error) {
		if again, ok := st.Flooded(); !ok || !again.Equal(flood) {
			said = fmt.Sprintf("Released %s of %s, before somebody else ended the flood.", count(t.told, "vacancy", "vacancies"), r.Source.Name)
			return st, false, nil
		}
		t.left = 0 // they are counted again
		if err := a.tell(ctx, r.Source.Name, flood, &t); err != nil {
			return st, false, err
		}
		said = releaseWords(r, flood, &t)
		after, changes := st.Accept()
		// That something is to be told says nothing of a board that has shrunk.
		after.Sweeps, after.Suspects, after.SweepFails = st.Sweeps, st.Suspects, st.SweepFails
		return after, changes, nil
	})
	return said, err
}

// A tally is what a release has done, or would do.
type tally struct {
	since   time.Time // of posting; zero for everything
	told    int
	left    int // posted before, or at a time that is not known
	unread  int // of those told, whose adverts have not been read
	readers map[string]bool
	unsure  bool // the readers were not counted
}

// takes reports whether a vacancy is to be told.
func (t *tally) takes(v *vacancy.Vacancy) bool {
	switch {
	case t.since.IsZero():
		return true
	case v.Posted.IsZero():
		return false
	case v.Posted.DayOnly:
		return !v.Posted.Day().Before(vacancy.LondonDay(t.since))
	}
	return !v.Posted.Time.Before(t.since)
}

func (t *tally) count(s *vacancy.Search) {
	who := s.Subscriber
	if who == "" {
		who = "search " + s.ID
	}
	t.readers[who] = true
}

// tell tells of what was taken in silence since a flood began.
func (a *app) tell(ctx context.Context, source string, flood time.Time, t *tally) error {
	teller := *a.dispatcher
	teller.Told = func(e *vacancy.Event, matches []alerts.Match) {
		for _, m := range matches {
			t.count(m.Search)
		}
		if a.dispatcher.Told != nil {
			a.dispatcher.Told(e, matches)
		}
	}
	return a.eachSilent(ctx, source, flood, func(recs []vacancy.Record) error {
		if err := a.hold(ctx); err != nil {
			return err
		}
		var keys []vacancy.Key
		for i := range recs {
			v := &recs[i].Vacancy
			if !t.takes(v) {
				t.left++
				continue
			}
			keys = append(keys, v.Key())
			if v.PageUnread {
				t.unread++
			}
		}
		events, err := teller.Release(ctx, keys, time.Now())
		if t.told += len(events); err != nil {
			return fmt.Errorf("release what came in the flood, %d done: %w", t.told, err)
		}
		return nil
	})
}

// wouldTell counts what tell would do.
func (a *app) wouldTell(ctx context.Context, source string, flood time.Time, t *tally) error {
	now, met := time.Now(), 0
	return a.eachSilent(ctx, source, flood, func(recs []vacancy.Record) error {
		for i := range recs {
			_, e, ok := recs[i].Release(now)
			switch {
			case !ok:
				continue
			case !t.takes(&recs[i].Vacancy):
				t.left++
				continue
			}
			if t.told++; recs[i].Vacancy.PageUnread {
				t.unread++
			}
			if t.unsure = met > countMost; t.unsure {
				continue
			}
			searches, err := a.catalogue.Meeting(ctx, &e.Vacancy, vacancy.LondonDay(now))
			if err != nil {
				return err
			}
			met += len(searches)
			for _, s := range searches {
				if s.Wants(e.Kind) {
					t.count(s)
				}
			}
		}
		return nil
	})
}

// eachSilent hands over what was taken in silence since a flood began, in
// batches.
func (a *app) eachSilent(ctx context.Context, source string, since time.Time, do func([]vacancy.Record) error) error {
	for after := ""; ; {
		recs, next, err := a.store.Silent(ctx, source, since, releaseBatch, after)
		if err != nil {
			return err
		}
		if len(recs) > 0 {
			if err := do(recs); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		after = next
	}
}

// hold takes or keeps the right to crawl.
func (a *app) hold(ctx context.Context) error {
	ok, err := a.store.Hold(ctx, a.folder.Holder, time.Now(), decideLease)
	switch {
	case err != nil:
		return fmt.Errorf("take the lease: %w", err)
	case !ok:
		return errElsewhere()
	}
	return nil
}

// decideWhileServing is decide for a request, which ends with the daemon too.
func (a *app) decideWhileServing(ctx context.Context, d web.Decision) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-a.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return a.decide(ctx, d)
}
