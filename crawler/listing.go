package crawler

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/drift"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/polite"
	"github.com/vacancywatch/vacancywatch/crawler/quarantine"
)

// Reasons of defects beside those of packages page and drift.
const (
	DefectIncomplete = "incomplete" // a sweep has not listed what the site says there is
	DefectControl    = "control"    // a vacancy that is there is not found by its reference
	DefectSilence    = "silence"    // nothing new for longer than can be
)

// Defects returns every reason why a run may be quarantined.
func Defects() []string {
	return slices.Concat(page.Defects(), drift.Defects(), []string{DefectIncomplete, DefectControl, DefectSilence})
}

// A Keeper keeps suspicious pages for a person to look at.
type Keeper interface {
	Keep(p page.Page, e quarantine.Entry) (file string, err error)
}

// list reads one page of the run's listing and checks that it is what was
// asked for.
func (r *run) list(n int) (page.Listing, error) {
	l, err := r.listFeed(r.feed, n)
	if err != nil {
		return page.Listing{}, err
	}
	r.rep.Pages++
	r.rep.Listed += len(l.Vacancies)
	r.Metrics.page(r.Source.Name, r.rep.Feed, r.work.Tier, l)
	r.rep.Defects = append(r.rep.Defects, l.Defects...) // counted with the page
	if l.Total >= 0 {
		r.rep.Total = l.Total
	}
	r.rep.Expected = max(r.rep.Expected, l.Pages)
	if r.repeats(&l) {
		r.defect(page.DefectPage)
	}
	r.report(Progress{Step: "listing", Page: n, Pages: l.Pages, Listed: len(l.Vacancies)})
	return l, nil
}

// listFeed reads one page of a feed.
func (r *run) listFeed(feed *Feed, n int) (page.Listing, error) {
	if err := r.renew(); err != nil {
		return page.Listing{}, err
	}
	var l page.Listing
	var last page.Page
	address := feed.URL(r.Source.Base, n)
	err := r.getRetrying(address, feed.Accept, func(p page.Page, fetched time.Time) (err error) {
		last = p
		l, err = feed.Read(p, n, fetched)
		return err
	})
	if err == nil && n == 1 && l.Empty && drift.Zero(l.Total, len(l.Vacancies), r.st.Total) {
		// In an outage a search may well find nothing, in so many words.
		err = siteError{page.Layoutf("the listing says that there is nothing, where %d were", r.st.Total)}
	}
	beyond := l.Pages > 0 && n > l.Pages
	if err == nil && len(l.Vacancies) == 0 && !l.Empty && !beyond {
		err = siteError{page.Layoutf("the listing holds no entry and does not say that there is none")}
	}
	if err != nil {
		if errors.Is(err, page.ErrLayout) || errors.Is(err, polite.ErrHost) {
			r.defect(page.DefectLayout)
			r.keep(last, page.DefectLayout, err)
		}
		r.Transport.Forget(address)
		r.listingFailed = true
		return page.Listing{}, fmt.Errorf("list page %d: %w", n, err)
	}
	if len(l.Defects) > 0 {
		r.keep(last, l.Defects[0], nil)
		r.Transport.Forget(address)
	}
	if n == 1 && r.st.Drift.Front(feed.Name).Stale(l.Vacancies, r.Now()) {
		r.defect(drift.DefectStale)
		r.keep(last, drift.DefectStale, nil)
		r.Transport.Forget(address)
		r.listingFailed = true
		return page.Listing{}, siteError{errStale}
	}
	return l, nil
}

// errStale means that a page shows the board as it was.
var errStale = errors.New("the first page is an old one: it lacks what the last run has seen there")

// defect notes that the run has met what should not be: it is quarantined.
func (r *run) defect(reasons ...string) {
	r.rep.Defects = append(r.rep.Defects, reasons...)
	for _, reason := range reasons {
		r.Metrics.defect(r.rep.Feed, reason)
	}
}

// keep puts a page into quarantine, for a person to look at.
func (r *run) keep(p page.Page, reason string, cause error) {
	if r.Quarantine == nil || p.Status == 0 {
		return
	}
	e := quarantine.Entry{Source: r.Source.Name, Run: r.rep.ID, Tier: string(r.work.Tier), Feed: r.rep.Feed,
		Defects: []string{reason}, At: r.Now().UTC(), Fingerprint: drift.Fingerprint(p.Body, p.ContentType)}
	if cause != nil {
		e.Err = cause.Error()
	}
	file, err := r.Quarantine.Keep(p, e)
	if err != nil {
		r.Logger.Warn("a suspicious page could not be kept", "source", r.Source.Name, "run", r.rep.ID, "err", err)
		return
	}
	r.Logger.Warn("a suspicious page was kept: `vacancywatch read` reads it again", "source", r.Source.Name, "run", r.rep.ID,
		"reason", reason, "file", file)
}

const (
	// So many known vacancies of a run, and so large a part of them, do not
	// change at once: after days without a look it is one in thirty.
	changedLeast, changedPart = 10, 5
)

// drifted reports whether the entries of the run, taken together, cannot be
// what the site means to say, and notes why.
func (r *run) drifted() bool {
	r.drift.Known(r.listedKnown, r.listedKnown-r.changed)
	found := r.drift.Defects()
	if r.changed > max(changedLeast, r.listedKnown/changedPart) && r.st.Baseline == nil && !r.st.Believe {
		found = append(found, drift.Defect{Reason: drift.DefectChanged,
			Detail: fmt.Sprintf("%d of %d known vacancies say something else than before", r.changed, r.listedKnown)})
	}
	for _, d := range found {
		r.defect(d.Reason)
		r.Logger.Error("the entries of the listing are not what they were: nothing of them is believed", "source", r.Source.Name,
			"run", r.rep.ID, "feed", r.rep.Feed, "reason", d.Reason, "detail", d.Detail)
	}
	return len(found) > 0
}

// repeats reports whether a page shows the rows of the one before it: then the
// site does not go on, whatever page is asked for.
func (r *run) repeats(l *page.Listing) bool {
	refs := make(map[string]bool, len(l.Vacancies))
	repeated := len(r.refs) > 0 && len(l.Vacancies) > 0
	for i := range l.Vacancies {
		ref := l.Vacancies[i].Reference
		refs[ref] = true
		repeated = repeated && r.refs[ref]
	}
	r.refs = refs
	return repeated
}
