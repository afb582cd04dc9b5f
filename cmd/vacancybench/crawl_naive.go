package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/score"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A strategy is one of the usual ways to watch a listing: every 15 minutes,
// from the first page on, until its rule says stop. It reads with the
// program's own readers, begins with all that is on the board known, and tells
// what it finds at once: no advert is read, nothing is stored, nothing fails.
type strategy struct {
	name string
	feed int // of the site's feeds: xml or html
	// enough is after how many known entries in a row it stops, 0 for never;
	// pages is after how many pages at the latest.
	enough, pages int
}

// strategies are the baselines.
var strategies = []strategy{
	{"page 1, HTML", html, 0, 1},
	{"until known, HTML", html, 1, 50},
	{"10 known, HTML", html, 10, 50},
	{"60 known, XML", xml, 60, 50},
}

// The feeds of the site, in its order.
const (
	xml = iota
	html
)

const (
	pollEvery = 15 * time.Minute
	// pageEvery lies between two pages of one poll.
	pageEvery = 2 * time.Second
)

// naive watches one world with each of the strategies. They poll at the same
// moments, so that a page that several of them ask for is made and read once.
func (c *crawlCmd) naive(ctx context.Context, seed uint64) (map[string]score.Figures, error) {
	begin := c.begin(seed)
	now := begin
	opts := c.options(seed)
	opts.Now, opts.MinGap = func() time.Time { return now }, -1
	reader, err := newNaiveReader(simulator.New(opts))
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, r := range reader.site.Truth() {
		there[r.Reference] = true
	}
	watchers := make([]*watcher, len(strategies))
	for i, s := range strategies {
		watchers[i] = &watcher{strategy: s, there: there, known: map[string]bool{}}
	}
	for poll := begin.Add(pollEvery); poll.Before(begin.AddDate(0, 0, c.Days)); poll = poll.Add(pollEvery) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for n, left := 1, watchers; len(left) > 0; n++ {
			now = poll.Add(time.Duration(n-1) * pageEvery)
			if left, err = reader.turn(left, n, now); err != nil {
				return nil, err
			}
		}
	}
	now = begin.AddDate(0, 0, c.Days)
	truth := reader.site.Truth()
	out := map[string]score.Figures{}
	for _, w := range watchers {
		out[w.name] = score.Score(score.Input{Truth: truth, Alerts: w.alerts, Requests: w.requests, From: begin, To: now})
	}
	return out, nil
}

// naiveReader gets pages without any transport.
type naiveReader struct {
	site *simulator.Site
	crawler.Site
}

func newNaiveReader(site *simulator.Site) (*naiveReader, error) {
	src, err := benchSource()
	return &naiveReader{site, src.Site}, err
}

// turn gives the n-th page to those who want it, and returns who wants another.
func (r *naiveReader) turn(watchers []*watcher, n int, now time.Time) (left []*watcher, err error) {
	type read struct {
		page.Listing
		request simulator.Request
	}
	pages := map[int]read{}
	for _, w := range watchers {
		got, ok := pages[w.feed]
		if !ok {
			if got.Listing, got.request, err = r.get(w.feed, n, now); err != nil {
				return nil, fmt.Errorf("read %s page %d at %s: %w", r.Feeds[w.feed].Name, n, now.UTC().Format(time.RFC3339), err)
			}
			pages[w.feed] = got
		}
		if n == 1 {
			w.inRow = 0
		}
		w.requests = append(w.requests, got.request)
		if !w.look(got.Listing, now) && n < w.pages && !got.Last && !got.Empty {
			left = append(left, w)
		}
	}
	return left, nil
}

func (r *naiveReader) get(feed, n int, now time.Time) (page.Listing, simulator.Request, error) {
	f := &r.Feeds[feed]
	address := f.URL(r.DefaultBase, n)
	u, err := url.Parse(address)
	if err != nil {
		return page.Listing{}, simulator.Request{}, err
	}
	a := &plainAnswer{header: http.Header{}, status: http.StatusOK}
	r.site.ServeHTTP(a, &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{"Accept": {f.Accept}},
		Body: http.NoBody, RequestURI: u.RequestURI()})
	p := page.Page{URL: address, Status: a.status, ContentType: a.header.Get("Content-Type"), Body: a.body.Bytes()}
	l, err := f.Read(p, n, now)
	return l, simulator.Request{Time: now, Manners: now, URL: u.RequestURI(), Bytes: len(p.Body)}, err
}

// watcher is a strategy at work.
type watcher struct {
	strategy
	there    map[string]bool // what was on the board, shared
	known    map[string]bool
	inRow    int
	alerts   []score.Alert
	requests []simulator.Request
}

// look takes in a page and reports whether the rule says stop.
func (w *watcher) look(l page.Listing, now time.Time) (stop bool) {
	for i := range l.Vacancies {
		ref := l.Vacancies[i].Reference
		if !w.there[ref] && !w.known[ref] {
			w.known[ref], w.inRow = true, 0
			w.alerts = append(w.alerts, score.Alert{ID: ref, Reference: ref, Kind: vacancy.New, Closing: l.Vacancies[i].Closing.String(), At: now})
			continue
		}
		if w.inRow++; w.enough > 0 && w.inRow >= w.enough {
			return true
		}
	}
	return false
}

// plainAnswer keeps an answer in memory.
type plainAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *plainAnswer) Header() http.Header         { return a.header }
func (a *plainAnswer) WriteHeader(status int)      { a.status = status }
func (a *plainAnswer) Write(b []byte) (int, error) { return a.body.Write(b) }
