package crawler

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/polite"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

const (
	// rereadEvery passes between two runs that read pages once more,
	// rereadBatch pages each: they fit a slice.
	rereadEvery, rereadBatch = 20 * time.Minute, 20
	// fillANight bounds the pages of silent vacancies that are read a night,
	// for their bands.
	fillANight = 300
	// putOff is how long a page that could not be read is left alone.
	putOff = 24 * time.Hour
)

// Fill is how far the pages of vacancies that were taken in silence have been
// read: in a baseline only their listing is.
type Fill struct {
	Epoch string      `json:"epoch"`
	Night vacancy.Day `json:"night"`
	Read  int         `json:"read"`            // this night
	After string      `json:"after,omitempty"` // where to go on
	Done  bool        `json:"done,omitempty"`
}

// reread reads once more the pages of vacancies that somebody was told of a
// week ago: what only a page states changes without the listing's notice.
// With time to spare at night it reads some of those that were never read.
func (r *run) reread() error {
	records, err := r.Memory.Rereads(r.ctx, r.Source.Name, r.Now(), rereadBatch)
	if err != nil {
		return fmt.Errorf("look which pages are to be read again: %w", err)
	}
	if len(records) < rereadBatch && night(r.Now()) {
		more, err := r.unfilled(rereadBatch - len(records))
		if err != nil {
			return err
		}
		records = append(records, more...)
	}
	for i := range records {
		if i > 0 && !r.Now().Before(r.until) {
			break
		}
		if err := r.readAgain(&records[i], i+1, len(records)); err != nil {
			return err
		}
	}
	r.complete = true
	return nil
}

// night reports whether the site is quiet, and its sweep over.
func night(t time.Time) bool {
	h := t.In(vacancy.London()).Hour()
	return h >= canaryHour && h < 6
}

// unfilled returns silent vacancies whose pages were never read, those posted
// last first. Which of them are read is noted before they are: a page that
// stops the process is not met again.
func (r *run) unfilled(limit int) ([]vacancy.Record, error) {
	f := Fill{Epoch: r.st.Epoch}
	if r.st.Fill != nil && r.st.Fill.Epoch == r.st.Epoch {
		f = *r.st.Fill
	}
	if tonight := vacancy.LondonDay(r.Now()); f.Night != tonight {
		f.Night, f.Read = tonight, 0
	}
	limit = min(limit, fillANight-f.Read)
	if f.Done || limit <= 0 {
		return nil, nil
	}
	records, next, err := r.Memory.Silent(r.ctx, r.Source.Name, time.Time{}, limit, f.After)
	if err != nil {
		return nil, fmt.Errorf("look which pages were never read: %w", err)
	}
	today := vacancy.LondonDay(r.Now())
	records = slices.DeleteFunc(records, func(rec vacancy.Record) bool {
		return !rec.Vacancy.PageUnread || !rec.Vacancy.Open(today)
	})
	f.Read += len(records)
	f.After, f.Done = next, next == ""
	r.st.Fill = &f
	return records, r.number()
}

// readAgain reads the page of a vacancy and hands on what it says now. A page
// that cannot be read says nothing about its vacancy: it is left for a day.
func (r *run) readAgain(rec *vacancy.Record, n, of int) error {
	if err := r.renew(); err != nil {
		return err
	}
	s := vacancy.Sighting{Vacancy: rec.Vacancy.Clone(), At: r.Now().UTC(), Epoch: r.st.Epoch}
	r.report(Progress{Step: "advert", Advert: n, Of: of, Vacancy: &s.Vacancy})
	p, err := r.get(rec.Vacancy.URL, "text/html")
	var v vacancy.Vacancy
	if err == nil {
		if v, err = r.Source.Site.ReadAdvert(p); err != nil {
			r.Metrics.advertDefect()
		}
	}
	if err == nil && !v.Open(vacancy.LondonDay(r.Now())) {
		// The page of an advert that has left may stay, with a date in the
		// past: it proves nothing, and a listing is what moves a date.
		err = page.Layoutf("an old page: it closed on %s", v.Closing)
	}
	var status *polite.StatusError
	switch {
	case err == nil:
		s.Vacancy.Merge(&v)
		s.Vacancy.Derive()
		r.rep.Read++
		return r.accept([]vacancy.Sighting{s})
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case errors.Is(err, page.ErrLayout), errors.Is(err, polite.ErrHost), errors.Is(err, polite.ErrTooLarge),
		errors.As(err, &status) && status.Code >= 400 && status.Code < 500 && status.Code != 403 && status.Code != 429 && status.RetryAfter.IsZero():
		r.rep.Unread++
		if err := r.Memory.PutOff(r.ctx, rec.Vacancy.Key(), r.Now().Add(putOff)); err != nil {
			return fmt.Errorf("put off an unreadable page: %w", err)
		}
		return nil
	}
	return fmt.Errorf("read advert %s again: %w", rec.Vacancy.Reference, err)
}
