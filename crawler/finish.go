package crawler

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/polite"
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
	if r.rep.Total > 0 && r.rep.Verdict != Quarantined {
		st.Total = r.rep.Total
	}
	if r.rep.Unseen > 0 {
		st.LastNew = now
	}
	if err == nil && len(r.rep.Defects) == 0 && r.work.Tier.lists() {
		st.Drift = r.drift.Learned()
	}
	if err == nil && r.rep.Pages > 0 {
		st.Failures = 0 // it answers: whether it can be believed is another question
	}
	switch {
	case r.rep.Verdict == OK:
		r.succeed(now)
	case err != nil:
		r.fail(err, now)
	}
	r.weighFeeds(err, now)
	switch {
	case r.work.Tier == Sweep && r.rep.Verdict == Quarantined && (r.complete || err != nil || st.Cursor.Defect):
		st.Cursor = nil // the next one begins with its first page
	case r.work.Tier == Hot && r.rep.Verdict == Partial && r.rep.Pages >= hotPages && st.Cursor == nil &&
		now.Sub(st.LastAttempt[Sweep]) >= st.sweepWait():
		// More was missed than a hot run can find: the whole board is read.
		st.Cursor = &Cursor{Page: 1, Started: now, Feed: r.feed.Name}
	case r.work.Tier == Sweep && errors.Is(err, polite.ErrBudget) && st.Cursor != nil:
		// Each try would take from what is left for the hot runs.
		c := *st.Cursor
		c.NotBefore = now.Add(sweepAgain)
		st.Cursor = &c
	}
	switch {
	case len(r.pending.todos) > 0:
		st.NextHot = now
	case r.work.Tier == Hot && st.NextHot.Equal(r.before.NextHot):
		st.NextHot = r.nextHot(err, now)
	}
	r.store(err, now)
	r.Metrics.run(&r.rep)
	r.log()
	return *st, r.rep
}

// nextHot is when the next hot run is due: at the next tick where this one was
// cut, and as soon as manners allow where it found a page full of new
// vacancies or failed by our own doing.
func (r *run) nextHot(err error, now time.Time) time.Time {
	switch {
	case r.rep.Verdict == Partial && r.rep.Pages < hotPages:
		return now
	case r.rep.New >= r.feed.Size || err != nil && r.ours(err):
		return now.Add(r.Source.HotMin)
	}
	next := r.st.Rate.Next(now, r.Source.PollsPerDay, r.Source.HotMin, r.Source.HotMax)
	return now.Add(jitter(next.Sub(now)))
}

// store stores the state after the run.
func (r *run) store(err error, now time.Time) {
	if errors.Is(err, errLeaseLost) {
		return // it is for the process that crawls now to say what is
	}
	st := &r.st
	if rep := r.rep; rep.Tier != Reread || rep.Read+rep.Unread > 0 || rep.Err != "" {
		st.Last = &rep // a look that found nothing to do is not worth a line
	}
	// The process may be stopping: what the run has done is stored all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), endTime)
	defer cancel()
	merr := r.Memory.Mark(ctx, r.Source.Name, *st)
	if merr != nil && err == nil {
		r.rep.Verdict, r.rep.Err = Aborted, merr.Error()
	}
	switch {
	case errors.Is(merr, ErrStateLost), errors.Is(err, ErrStateLost):
		// To a memory that has forgotten everything is new: begin in silence.
		r.Logger.Error("the stored state of the source is gone or was replaced: beginning again with a silent baseline",
			"source", r.Source.Name)
		fresh, berr := r.anew(ctx, LostState, *st)
		if berr != nil {
			r.Logger.Error("baseline could not be begun, will be tried again", "source", r.Source.Name, "err", berr)
		}
		*st = fresh
	case merr != nil:
		r.Logger.Error("the end of the run could not be stored, the run will be repeated", "source", r.Source.Name, "err", merr)
		r.owed = r.learned()
		return // what is not stored is not shown either
	default:
		r.owed = nil
	}
	r.Metrics.restore(&r.Source, st, now)
}

// learned is what the site asked for in this run. What it asked for before may
// have been settled by a person meanwhile.
func (r *run) learned() *State {
	var s State
	if !r.st.Gate.Equal(r.before.Gate) {
		s.Gate, s.Backoff = r.st.Gate, r.st.Backoff
	}
	if r.before.Stopped == "" {
		s.Stopped = r.st.Stopped
	}
	s.HTMLForbidden = r.st.HTMLForbidden && !r.before.HTMLForbidden
	return &s
}

// anew begins a baseline. What the site asked for outlives the state.
func (r *Runner) anew(ctx context.Context, reason string, before State) (State, error) {
	if g := r.Transport.Gated(); g.After(before.Gate) {
		before.Gate = g
	}
	r.unread, r.pending = nil, pending{}
	st, err := r.Memory.Begin(ctx, r.Source.Name, reason, r.Now())
	if err != nil {
		r.owed = &before
		return st.heeding(&before), fmt.Errorf("begin a baseline: %w", err)
	}
	return r.heed(ctx, st, &before)
}

// heed stores a state with what the site asked for, where that is not in it.
func (r *Runner) heed(ctx context.Context, st State, asked *State) (State, error) {
	heeding := st.heeding(asked)
	if heeding.manners() != st.manners() {
		if err := r.Memory.Mark(ctx, r.Source.Name, heeding); err != nil {
			r.owed = asked
			return heeding, fmt.Errorf("store what the site asked for: %w", err)
		}
	}
	r.owed = nil
	return heeding, nil
}

// heeding returns the state with what the site asked for according to either.
func (s State) heeding(o *State) State {
	if o.Gate.After(s.Gate) {
		s.Gate = o.Gate
	}
	s.Backoff = max(s.Backoff, o.Backoff)
	if s.Stopped == "" {
		s.Stopped = o.Stopped
	}
	s.HTMLForbidden = s.HTMLForbidden || o.HTMLForbidden
	return s
}

// manners are the part of a state that is a promise to the site.
type manners struct {
	gate      int64
	backoff   time.Duration
	stopped   string
	forbidden bool
}

func (s State) manners() manners {
	return manners{s.Gate.UnixMilli(), s.Backoff, s.Stopped, s.HTMLForbidden}
}

// ours reports whether a run failed by no doing of the site.
func (r *run) ours(err error) bool {
	return r.ctx.Err() != nil || !errors.As(err, new(siteError))
}

func (r *run) verdict(err error) string {
	switch {
	case len(r.rep.Defects) > 0 || r.st.Cursor != nil && r.work.Tier == Sweep && r.st.Cursor.Defect:
		return Quarantined
	case errors.Is(err, polite.ErrBudget) && r.rep.Pages == 0 && r.rep.Events == 0:
		return Skipped
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
	before := st.lastGood()
	st.Backoff, st.Failures, st.Gate = 0, 0, time.Time{}
	st.LastGood = with(st.LastGood, r.work.Tier, now)
	newest := r.newestAt
	switch r.work.Tier {
	case Sweep:
		// A sweep of many slices has read its first page long ago.
		newest = st.Cursor.Newest
		if r.feed == st.feedFor(Deep, &r.Source.Site) && st.Cursor.Started.After(st.LastGood[Deep]) {
			// It has seen all that a deep run would have.
			st.LastGood = with(st.LastGood, Deep, st.Cursor.Started)
		}
		st.Cursor, st.Believe = nil, false
		if st.Baseline != nil && st.Baseline.Reason != Flood {
			st.Baseline = nil
		}
	case Hot:
		if !before.IsZero() && !r.feed.DayOnly && st.Baseline == nil {
			st.Rate = st.Rate.Observe(before, now, r.posted)
		}
	}
	if newest.After(now) {
		newest = now // a time still to come would hide what is posted until then
	}
	if newest.After(st.Watermark) {
		st.Watermark = newest
	}
}

// lastGood is when the newest pages were last listed to the known ones.
func (st *State) lastGood() time.Time {
	at := st.LastGood[Hot]
	for _, t := range []Tier{Deep, Sweep, Trial} {
		if st.LastGood[t].After(at) {
			at = st.LastGood[t]
		}
	}
	return at
}

// fail closes the gate, or stops the source, as the site's answer asks.
func (r *run) fail(err error, now time.Time) {
	st := &r.st
	var status *polite.StatusError
	var gate *polite.GateError
	switch {
	case errors.As(err, &gate):
		st.Gate = gate.Until.UTC()
		return // the transport keeps it by itself, and opens it when it may
	case errors.Is(err, errRefused):
		// Its pages are not asked for again: nothing else has to follow.
	case errors.Is(err, polite.ErrRobots):
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
	case r.ours(err), errors.Is(err, polite.ErrBudget), errors.Is(err, errPages):
		// Nothing that leaving the site in peace would cure.
	case r.work.Tier == Trial:
		// The feed in use is not to suffer from the one that fails.
	default:
		st.Failures++
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

// errRefused means that the site refuses its pages for people, but not the
// feed that is read.
var errRefused = errors.New("the site refuses its pages")

// refused notes where an answer says that the site's pages for people are not
// for us. They are not asked for again until a person says so; what is found
// in the other feed goes out with what that states.
func (r *run) refused(err error) error {
	var status *polite.StatusError
	if !errors.Is(err, polite.ErrRobots) && !(errors.As(err, &status) && status.Code == http.StatusForbidden) {
		return err
	}
	if r.Source.Site.Feeds[0].Name == FeedHTML {
		return err // there is nothing else: the source is stopped
	}
	if !r.st.HTMLForbidden {
		r.st.HTMLForbidden, r.st.Fallback = true, nil
		r.Logger.Error("the site refuses its pages: vacancies go out with what the listing states, until a person resumes the source",
			"source", r.Source.Name, "err", err)
	}
	return fmt.Errorf("%w: %w", errRefused, err)
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
