package crawler

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	// Backoff after failures of the site: doubled from the first to the last,
	// with full jitter.
	backoffFirst, backoffLast = time.Minute, time.Hour
	// limitedFirst and limitedLast are the same for "too many requests"
	// without a time to wait for.
	limitedFirst, limitedLast = 15 * time.Minute, 6 * time.Hour
	// endTime bounds the storing of a run's end after the process was asked
	// to stop.
	endTime = 5 * time.Second
)

// Reasons of a stopped source: label values. Only a person resumes it.
const (
	StoppedForbidden = "forbidden"
	StoppedRobots    = "robots"
	StoppedGated     = "gated" // the site asked for more than 6 h of quiet
)

// StopReasons returns every reason of a stopped source.
func StopReasons() []string { return []string{StoppedForbidden, StoppedRobots, StoppedGated} }

// end judges the run, and stores the state after it.
func (r *run) end(err error) (State, Report) {
	now := r.Now().UTC()
	r.rep.Took = now.Sub(r.rep.Started)
	r.rep.Verdict = r.verdict(err)
	if err != nil {
		r.rep.Err = err.Error()
	}
	st := &r.st
	st.LastAttempt = with(st.LastAttempt, r.work.Tier, now)
	if r.rep.Total > 0 {
		st.Total = r.rep.Total
	}
	switch {
	case r.rep.Verdict == OK:
		r.succeed(now)
	case err != nil:
		r.fail(err, now)
	}
	if r.work.Tier == Hot {
		// A run that found a page full of new ones, or was cut, is due again
		// as soon as manners allow.
		d := jitter(hotSpacing(now, &r.Source))
		if r.rep.Verdict == Partial || r.rep.New >= r.Source.Site.APIPage {
			d = r.Source.HotMin
		}
		st.NextHot = now.Add(d)
	}
	rep := r.rep
	st.Last = &rep
	// The process may be stopping: what the run has done is stored all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), endTime)
	defer cancel()
	merr := r.Memory.Mark(ctx, r.Source.Name, *st)
	if errors.Is(merr, ErrStateLost) || errors.Is(err, ErrStateLost) {
		// To a memory that has forgotten everything is new: begin in silence.
		r.Logger.Error("the stored state of the source is gone or was replaced: beginning again with a silent baseline",
			"source", r.Source.Name)
		if fresh, berr := r.Memory.Begin(ctx, r.Source.Name, LostState, now); berr == nil {
			*st = fresh
		} else {
			r.Logger.Error("baseline could not be begun, will be tried again", "source", r.Source.Name, "err", berr)
		}
	} else if merr != nil {
		r.Logger.Error("the end of the run could not be stored, the run will be repeated", "source", r.Source.Name, "err", merr)
	}
	r.Metrics.run(&rep, st, now)
	r.log()
	return *st, rep
}

func (r *run) verdict(err error) string {
	switch {
	case len(r.rep.Defects) > 0 || r.st.Cursor != nil && r.work.Tier == Sweep && r.st.Cursor.Defect:
		return Quarantined
	case err != nil:
		return Aborted
	case !r.complete:
		return Partial
	default:
		return OK
	}
}

// succeed moves what only a good run may move.
func (r *run) succeed(now time.Time) {
	st := &r.st
	st.Backoff, st.Gate = 0, time.Time{}
	st.LastGood = with(st.LastGood, r.work.Tier, now)
	newest := r.newest
	if r.work.Tier == Sweep {
		// A sweep of many slices has read its first page long ago.
		newest = st.Cursor.Newest
		st.Cursor, st.Baseline = nil, nil
	}
	if newest.After(st.Watermark) {
		st.Watermark = newest
	}
}

// fail closes the gate, or stops the source, as the site's answer asks.
func (r *run) fail(err error, now time.Time) {
	st := &r.st
	if r.work.Tier == Sweep && len(r.rep.Defects) > 0 {
		st.Cursor = nil // begin the next one from its first page
	}
	var status *StatusError
	var gate *GateError
	switch {
	case errors.As(err, &gate):
		st.Gate = gate.Until.UTC()
	case errors.Is(err, ErrRobots):
		r.stop(StoppedRobots, err)
	case errors.As(err, &status) && status.Code == http.StatusForbidden:
		r.stop(StoppedForbidden, err)
	case errors.As(err, &status) && !status.RetryAfter.IsZero():
		st.Gate = status.RetryAfter.UTC()
		if st.Gate.Sub(now) > limitedLast {
			r.stop(StoppedGated, err)
		}
	case errors.As(err, &status) && status.Code == http.StatusTooManyRequests:
		st.Backoff = min(max(2*st.Backoff, limitedFirst), limitedLast)
		st.Gate = now.Add(st.Backoff)
	case errors.Is(err, errLeaseLost), errors.Is(err, ErrStateLost), errors.Is(err, ErrBudget), r.ctx.Err() != nil:
		// Not the site's doing.
	default:
		st.Backoff = min(max(2*st.Backoff, backoffFirst), backoffLast)
		if r.Source.loopback() {
			st.Backoff = min(st.Backoff, 10*r.Source.Spacing)
		}
		st.Gate = now.Add(time.Duration(rand.Float64() * float64(st.Backoff)))
	}
	r.Transport.SetGate(st.Gate)
}

func (r *run) stop(reason string, err error) {
	r.st.Stopped = reason
	r.Logger.Error("the source is stopped: nothing is asked of the site until a person resumes it",
		"source", r.Source.Name, "reason", reason, "err", err)
}

func with(m map[Tier]time.Time, t Tier, at time.Time) map[Tier]time.Time {
	m = maps.Clone(m)
	if m == nil {
		m = map[Tier]time.Time{}
	}
	m[t] = at
	return m
}

// log ends a run in one line.
func (r *run) log() {
	rep := &r.rep
	args := []any{"source", rep.Source, "run", rep.ID, "tier", string(rep.Tier), "verdict", rep.Verdict, "pages", rep.Pages,
		"listed", rep.Listed, "read", rep.Read, "unread", rep.Unread, "new", rep.New, "events", rep.Events,
		"total", rep.Total, "took", rep.Took.Round(time.Millisecond)}
	if rep.Baseline {
		args = append(args, "baseline", true)
	}
	switch {
	case rep.Verdict == Quarantined:
		r.Logger.Error("run quarantined: a page was not what it should be", append(args, "defects", rep.Defects, "err", rep.Err)...)
	case rep.Err != "":
		r.Logger.Warn("run aborted, will be tried again", append(args, "err", rep.Err)...)
	default:
		r.Logger.Info("run finished", args...)
	}
}
