package crawler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gocolly/colly/v2"

	"github.com/vacancywatch/vacancywatch/crawler/page"
)

// maxHops bounds the redirects of one request, all on the source's host.
const maxHops = 3

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
	c.CacheDir = ""
	c.Async = false
	c.DetectCharset = false
	c.SetRequestTimeout(0) // it would run while a request waits for its turn
	c.WithTransport(transport)
	c.SetRedirectHandler(func(req *http.Request, via []*http.Request) error {
		if len(via) > maxHops {
			return fmt.Errorf("more than %d redirects", maxHops)
		}
		if req.URL.Host != via[0].URL.Host {
			return ErrHost
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
// *StatusError.
func (f *fetcher) get(address, accept string) (page.Page, error) {
	f.page, f.err = page.Page{}, nil
	err := f.collector.Request(http.MethodGet, address, nil, nil, http.Header{
		"Accept": {accept}, "Accept-Language": {"en-GB,en"},
	})
	if err == nil {
		err = f.err
	}
	if errors.Is(err, colly.ErrRobotsTxtBlocked) {
		err = ErrRobots
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
