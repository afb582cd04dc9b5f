package crawler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gocolly/colly/v2"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/polite"
)

// maxHops bounds the redirects of one request, all on the source's host.
const maxHops = 3

// tries is how often a listing page is asked for in a run.
const tries = 3

// A fetcher gets the pages of one run. It is the only place that knows colly.
//
// The collector is fresh for every run and synchronous: colly's own limits,
// queue, retry and storage are not used, for they sleep without heeding a
// context, cut bodies in silence and remember addresses for ever. What they
// would do is done by the transport.
type fetcher struct {
	collector *colly.Collector
	page      page.Page
	err       error
}

// newFetcher returns a fetcher whose requests end with ctx.
func newFetcher(ctx context.Context, src Source, transport http.RoundTripper) *fetcher {
	f := &fetcher{}
	c := colly.NewCollector(colly.StdlibContext(ctx))
	// Fields, and not options: COLLY_ variables of the environment beat options.
	c.UserAgent = src.UserAgent
	c.AllowURLRevisit = true
	c.IgnoreRobotsTxt = false
	c.MaxBodySize = 0 // the transport makes a large body an error
	c.MaxRequests = 0
	c.MaxDepth = 0
	c.AllowedDomains, c.DisallowedDomains = nil, nil // the transport knows its one host
	c.CacheDir = ""
	c.Async = false
	c.DetectCharset = false
	c.ParseHTTPErrorResponse = false
	c.TraceHTTP = false
	c.DisableCookies()
	c.SetRequestTimeout(0) // it would run while a request waits for its turn
	c.WithTransport(transport)
	c.SetRedirectHandler(func(req *http.Request, via []*http.Request) error {
		if len(via) > maxHops {
			return fmt.Errorf("more than %d redirects", maxHops)
		}
		if req.URL.Host != via[0].URL.Host || req.URL.Scheme != via[0].URL.Scheme {
			return polite.ErrHost
		}
		if src.Site.KindOf(via[0].URL) == KindXML && src.Site.KindOf(req.URL) != KindXML {
			// To a login, or to a notice: not worth a request.
			return page.Layoutf("the API leads to %s", req.URL.Path)
		}
		return nil
	})
	c.OnResponse(func(r *colly.Response) {
		f.page = page.Page{URL: r.Request.URL.String(), Status: r.StatusCode,
			ContentType: r.Headers.Get("Content-Type"), Body: r.Body}
	})
	c.OnError(func(_ *colly.Response, err error) { f.err = err })
	f.collector = c
	return f
}

// get returns the page at an address. An answer of 400 or above is a
// *polite.StatusError.
func (f *fetcher) get(address, accept string) (page.Page, error) {
	f.page, f.err = page.Page{}, nil
	err := f.collector.Request(http.MethodGet, address, nil, nil, http.Header{
		"Accept": {accept}, "Accept-Language": {"en-GB,en"},
	})
	if err == nil {
		err = f.err
	}
	if errors.Is(err, colly.ErrRobotsTxtBlocked) {
		err = polite.ErrRobots
	}
	// The address is that of a public page, but it stands in the caller's
	// message already.
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	if err != nil {
		return page.Page{}, err
	}
	if f.page.Status == 0 {
		return page.Page{}, errors.New("no answer was read")
	}
	return f.page, nil
}

// get fetches a page. What fails is the site's doing, and says so, unless the
// request was not made for a reason of our own.
func (r *run) get(address, accept string) (page.Page, error) {
	p, err := r.fetch.get(address, accept)
	if err != nil && !errors.Is(err, polite.ErrCount) && r.ctx.Err() == nil {
		err = siteError{err}
	}
	return p, err
}

// A siteError is a failure of the site, for which it is left in peace a while.
type siteError struct{ error }

func (e siteError) Unwrap() error { return e.error }

// getRetrying fetches a listing page and reads it, and asks again after a
// failure that may pass: at most twice, with a wait.
func (r *run) getRetrying(address, accept string, read func(page.Page, time.Time) error) error {
	for try := 1; ; try++ {
		fetched := r.Now()
		p, err := r.get(address, accept)
		if err == nil {
			if err = read(p, fetched); err == nil {
				return nil
			}
			err = siteError{err}
			r.Transport.Forget(address)
		}
		if try == r.tries() || !passing(err) || r.ctx.Err() != nil {
			return err
		}
		wait := 15 * time.Second
		if r.Source.loopback() {
			wait = min(wait, 8*r.Source.Spacing)
		}
		r.Metrics.retry(err)
		r.Logger.Warn("listing failed, will be asked for again", "source", r.Source.Name, "try", try, "wait", wait, "err", err)
		timer := time.NewTimer(wait)
		select {
		case <-r.ctx.Done():
			timer.Stop()
			return r.ctx.Err()
		case <-timer.C:
		}
		if err := r.renew(); err != nil {
			return err
		}
	}
}

// tries is how often a page is asked for. A feed that is known to fail is
// tried once.
func (r *run) tries() int {
	if r.work.Tier == Trial {
		return 1
	}
	return tries
}

// passing reports whether a failure may be gone in seconds.
func passing(err error) bool {
	var status *polite.StatusError
	if errors.As(err, &status) {
		return status.RetryAfter.IsZero() && (status.Code == http.StatusRequestTimeout || status.Code >= 500)
	}
	return errors.As(err, new(siteError)) && !errors.As(err, new(*polite.GateError)) && !errors.Is(err, page.ErrLayout) &&
		!errors.Is(err, polite.ErrRobots) && !errors.Is(err, polite.ErrBudget) && !errors.Is(err, polite.ErrHost) && !errors.Is(err, polite.ErrTooLarge)
}
