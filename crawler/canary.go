package crawler

import (
	"fmt"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/drift"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// canaryHour is the London hour of the canary: after the sweep.
const canaryHour = 4

// canary reads the first page of the listing in both feeds, one beside the
// other, and the vacancies that have stood longest on the board by name. It is
// the only look that notices values that are plausible and wrong.
func (r *run) canary() error {
	site := &r.Source.Site
	var pages [2]page.Listing
	for i := range pages {
		feed := &site.Feeds[i]
		l, err := r.listFeed(feed, 1)
		if err != nil {
			return err
		}
		r.rep.Pages++
		r.rep.Listed += len(l.Vacancies)
		if len(l.Defects) > 0 {
			r.defect(l.Defects...)
		}
		pages[i] = l
	}
	cmp := drift.Compare(pages[0].Vacancies, pages[1].Vacancies)
	for _, d := range cmp.Defects() {
		r.defect(d.Reason)
		r.Logger.Error("the two listings of the site disagree", "source", r.Source.Name, "detail", d.Detail)
	}
	if !cmp.Conclusive() {
		return nil // so much was posted in between: tried again in an hour
	}
	if err := r.oldest(); err != nil {
		return err
	}
	r.complete = true
	r.Metrics.canary(r.Source.Name, len(r.rep.Defects) == 0)
	return nil
}

// oldest asks by name for vacancies that were on the last page of the last
// sweep, and compares what they say now with what is remembered.
func (r *run) oldest() error {
	if !r.probes() || len(r.st.Oldest) == 0 {
		return nil
	}
	keys := make([]vacancy.Key, len(r.st.Oldest))
	for i, ref := range r.st.Oldest {
		keys[i] = vacancy.Key{Source: r.Source.Name, Reference: ref}
	}
	records, err := r.Memory.Records(r.ctx, keys)
	if err != nil {
		return fmt.Errorf("look up the canaries: %w", err)
	}
	for _, k := range keys {
		rec, ok := records[k]
		if !ok || rec.Closed != "" {
			continue
		}
		found, v, err := r.lookFor(k.Reference)
		if err != nil {
			return err
		}
		switch {
		case found != probeFound:
			continue // it may have left since
		case v.Title != rec.Vacancy.Title:
			r.differs(&k, "title", rec.Vacancy.Title, v.Title)
		case !v.Closing.IsZero() && v.Closing != rec.Vacancy.Closing:
			r.differs(&k, "closing", rec.Vacancy.Closing.String(), v.Closing.String())
		}
	}
	return nil
}

func (r *run) differs(k *vacancy.Key, field, known, says string) {
	r.defect(drift.DefectCanary)
	r.Logger.Error("a vacancy known for long says something else in the other listing", "source", k.Source,
		"reference", k.Reference, "field", field, "known", known, "says", says)
}

// canaryDue reports whether the London day's canary is due.
func canaryDue(now time.Time, st *State, src *Source) bool {
	if len(src.Site.Feeds) < 2 || st.HTMLForbidden || st.Fallback != nil {
		return false
	}
	day := vacancy.LondonDay(now)
	hour := time.Date(day.Year, day.Month, day.Day, canaryHour, 0, 0, 0, vacancy.London())
	return !now.Before(hour) && st.LastGood[Canary].Before(hour) && now.Sub(st.LastAttempt[Canary]) >= canaryAgain
}
