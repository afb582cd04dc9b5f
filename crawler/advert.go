package crawler

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/polite"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

const (
	// unreadFor is how long an advert page may fail before the vacancy goes
	// out with what its listing states.
	unreadFor = time.Hour
	// siteFailures in a row show that the site, and not a page, is failing;
	// pageFailures in a row that its pages are not what they were. Then the
	// run asks for no more adverts.
	siteFailures, pageFailures = 3, 10
	// maxUnread bounds what is kept of vacancies without a page: more than
	// are live at a time.
	maxUnread = 20_000
)

// errPages means that advert after advert cannot be read.
var errPages = errors.New("advert pages are not what they should be")

// readAdvert merges the advert's page into the sighting. It reports false
// where the page could not be read and there is time to try again; after an
// hour, or where pages are forbidden, the listing alone has to do.
//
// A run that has given up on adverts notes the others unread without asking,
// for else those behind a broken one would wait as long as it is broken.
func (r *run) readAdvert(s *vacancy.Sighting, again bool, n, of int) (ready bool, err error) {
	if r.st.HTMLForbidden {
		return !again, nil
	}
	cause, asked := r.gaveUp, r.gaveUp == nil
	if asked {
		if cause, err = r.askAdvert(s, n, of); err != nil {
			return false, fmt.Errorf("read advert %s: %w", s.Vacancy.Reference, err)
		}
	}
	switch {
	case cause == nil:
		return true, nil
	case r.st.HTMLForbidden: // since this answer
		return !again, nil
	}
	r.rep.Unread++
	if again {
		return false, nil
	}
	since, err := r.Memory.Unread(r.ctx, s.Vacancy.Key(), r.Now())
	if err != nil {
		return false, fmt.Errorf("note the unread advert: %w", err)
	}
	// Where the day's requests are used up, waiting an hour gains nothing.
	late := r.Now().Sub(since) >= unreadFor || errors.Is(cause, polite.ErrBudget)
	if !asked && !late {
		return false, nil
	}
	r.Logger.Warn("advert page could not be read", "source", r.Source.Name, "reference", s.Vacancy.Reference,
		"since", since, "on_listing_alone", late, "err", cause)
	return late, nil
}

// askAdvert fetches and reads an advert. It returns why the page could not be
// had, or an error that ends the run.
func (r *run) askAdvert(s *vacancy.Sighting, n, of int) (cause, err error) {
	if err := r.renew(); err != nil {
		return nil, err
	}
	r.report(Progress{Step: "advert", Advert: n, Of: of, Vacancy: &s.Vacancy})
	p, err := r.get(s.Vacancy.URL, "text/html")
	if err == nil {
		var v vacancy.Vacancy
		if v, err = r.Source.Site.ReadAdvert(p); err == nil {
			s.Vacancy.Merge(&v)
			r.rep.Read++
			r.failures, r.odd = 0, 0
			return nil, nil
		}
		r.Metrics.advertDefect()
		r.keep(p, page.DefectLayout, err)
	}
	err = r.refused(err)
	var status *polite.StatusError
	errors.As(err, &status)
	switch {
	case r.ctx.Err() != nil:
		return nil, r.ctx.Err()
	case errors.As(err, new(*polite.GateError)), errors.Is(err, polite.ErrCount):
		return nil, err
	case errors.Is(err, errRefused): // what is left goes out without its page
	case errors.Is(err, polite.ErrRobots), status != nil && status.Code == http.StatusForbidden:
		return nil, err
	case status != nil && (status.Code == http.StatusTooManyRequests || !status.RetryAfter.IsZero()):
		return nil, err
	case errors.Is(err, polite.ErrBudget):
		r.gaveUp = err
	case status != nil && status.Code < 500, errors.Is(err, page.ErrLayout), errors.Is(err, polite.ErrHost), errors.Is(err, polite.ErrTooLarge):
		r.noteUnread(&s.Vacancy, func(u *unread) { u.failed++ })
		r.failures = 0 // the site does answer
		if r.odd++; r.odd >= pageFailures {
			r.gaveUp = fmt.Errorf("%w: %w", errPages, err)
		}
	default:
		r.noteUnread(&s.Vacancy, func(u *unread) { u.failed++ })
		if r.failures++; r.failures >= siteFailures {
			r.gaveUp = fmt.Errorf("read advert %s: %w", s.Vacancy.Reference, err)
		}
	}
	return err, nil
}

// unread is what is remembered of an advert whose page could not be had. It is
// forgotten with the process, which costs one more try.
type unread struct {
	// failed counts the tries: those that failed least come first, so that
	// pages that are broken for good never stand before the others.
	failed int
	// handed is set where the vacancy was handed on without its page. The
	// store asks for the page whenever the vacancy is listed; that would be a
	// request at each poll for a page that is broken for good.
	handed bool
	// facts and closing are what its listing said then.
	facts   vacancy.Facts
	closing vacancy.Day
}

// noteUnread remembers that the page of an advert could not be had.
func (r *run) noteUnread(v *vacancy.Vacancy, change func(*unread)) {
	if r.unread == nil || len(r.unread) >= maxUnread {
		r.Runner.unread = map[string]unread{}
	}
	u := r.unread[v.Reference]
	change(&u)
	r.unread[v.Reference] = u
}

// noteHanded remembers that a vacancy was handed on, as listed, with its page
// or without.
func (r *run) noteHanded(v *vacancy.Vacancy, read bool) {
	if read {
		delete(r.unread, v.Reference)
		return
	}
	r.noteUnread(v, func(u *unread) { u.handed, u.facts, u.closing = true, vacancy.ListedFacts(v), v.Closing })
}

// lacksPage reports whether all of a vacancy but its page was handed on, as it
// is listed now.
func (r *run) lacksPage(v *vacancy.Vacancy) bool {
	u, ok := r.unread[v.Reference]
	return ok && u.handed && u.closing == v.Closing && u.facts == vacancy.ListedFacts(v)
}

// rereads reports whether the run asks again for the pages of vacancies that
// were handed on without.
func (r *run) rereads() bool {
	return r.work.Tier != Hot && r.work.Tier != Trial && !r.st.HTMLForbidden
}
