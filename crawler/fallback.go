package crawler

import (
	"errors"
	"net/http"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/polite"
)

const (
	// A feed that has failed for fallbackAfter and in fallbackRuns hot runs is
	// left for the other one.
	fallbackAfter, fallbackRuns = 30 * time.Minute, 3
	// trialEvery passes between two tries of the feed that was left;
	// trialsGood good ones in a row bring it back.
	trialEvery, trialsGood = 30 * time.Minute, 2
)

// Failing is how long the first feed of a site has not been readable.
type Failing struct {
	Since time.Time `json:"since"`
	Runs  int       `json:"runs"`
}

// Fallback is the use of a site's second feed.
type Fallback struct {
	Since time.Time `json:"since"`
	Good  int       `json:"good,omitempty"` // tries of the first feed that went well, in a row
}

// feedFor is the feed that a run reads.
func (st *State) feedFor(t Tier, site *Site) *Feed {
	if st.Fallback != nil && t != Trial && len(site.Feeds) > 1 {
		return &site.Feeds[1]
	}
	return &site.Feeds[0]
}

// weighFeeds decides, after a hot run or a trial, which feed is read from now
// on. A refusal never leads to the other feed: the site has said no.
func (r *run) weighFeeds(err error, now time.Time) {
	st := &r.st
	if len(r.Source.Site.Feeds) < 2 {
		return
	}
	switch {
	case r.work.Tier == Trial && st.Fallback != nil:
		f := *st.Fallback
		if f.Good++; r.rep.Verdict != OK {
			f.Good = 0
		}
		if st.Fallback = &f; f.Good >= trialsGood {
			st.Fallback, st.Failing, st.Cursor = nil, nil, nil
			r.Logger.Warn("the first feed of the site can be read again and takes over", "source", r.Source.Name, "since", f.Since)
		}
	case r.work.Tier != Hot || st.Fallback != nil:
	case r.rep.Verdict == OK:
		st.Failing = nil
	case unreadable(r, err):
		f := Failing{Since: now, Runs: 0}
		if st.Failing != nil {
			f = *st.Failing
		}
		f.Runs++
		if st.Failing = &f; f.Runs >= fallbackRuns && now.Sub(f.Since) >= fallbackAfter && !st.HTMLForbidden {
			st.Fallback, st.Cursor = &Fallback{Since: now}, nil
			// It may be what is needed to find anything new: at once.
			st.NextHot, st.Gate, st.Backoff, st.Failures = now, time.Time{}, 0, 0
			r.Metrics.fellBack(r.Source.Name)
			r.Logger.Error("the first feed of the site cannot be read: its second one takes over, with later news",
				"source", r.Source.Name, "since", f.Since, "runs", f.Runs, "err", err)
		}
	}
}

// unreadable reports whether a run failed technically or by layout, and not
// because the site, or we, did not want it.
func unreadable(r *run, err error) bool {
	var status *polite.StatusError
	switch {
	case !r.listingFailed, errors.As(err, new(*polite.GateError)), errors.Is(err, polite.ErrRobots), errors.Is(err, polite.ErrBudget):
		return false
	case errors.As(err, &status):
		return status.Code != http.StatusForbidden && status.Code != http.StatusTooManyRequests && status.RetryAfter.IsZero()
	case errors.Is(err, page.ErrLayout):
		return true
	}
	return !r.ours(err)
}
