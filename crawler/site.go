package crawler

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/nhsjobs"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/polite"
	"github.com/vacancywatch/vacancywatch/crawler/scotland"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A Site is a website that can be read: its addresses, and pure readers of
// its pages. They make no request and read no clock.
type Site struct {
	// DefaultBase is the scheme and host where the site lives.
	DefaultBase string
	// Experimental sites are known from hearsay: nobody has compared their
	// readers with the real pages.
	Experimental bool
	// Feeds are the ways in which the site lists its vacancies: the best
	// first, then the one to fall back on.
	Feeds      []Feed
	AdvertURL  func(base, reference string) string
	ReadAdvert func(p page.Page) (vacancy.Vacancy, error)
	// ProbeURL is the listing of one vacancy, by its reference, and ReadProbe
	// its reader; nil where the site has no such search.
	ProbeURL  func(base, reference string) string
	ReadProbe func(p page.Page) (page.Listing, error)
}

// A Feed is one way of listing vacancies, newest first.
type Feed struct {
	Name string // FeedXML or FeedHTML
	Kind string // of its requests
	// Accept is the content type to ask for.
	Accept string
	// URL is the n-th page, from 1; Path its path, by which it is known.
	URL  func(base string, n int) string
	Path string
	Read func(p page.Page, n int, fetched time.Time) (page.Listing, error)
	// Size is how many entries a full page holds; InRow how many known ones
	// in a row show that the older ones are known as well.
	Size, InRow int
	// DayOnly feeds state the day of posting, and no time.
	DayOnly bool
	// DeepADay is how many runs a day go over the last 24 hours.
	DeepADay int
}

// sites lists every website we can read.
var sites = map[string]Site{
	"nhs-jobs": {
		DefaultBase: nhsjobs.DefaultBase,
		Feeds: []Feed{
			{Name: FeedXML, Kind: KindXML, Accept: "application/xml", URL: nhsjobs.APIURL, Path: "/api/v1/search_xml",
				Read: nhsjobs.ReadAPI, Size: nhsjobs.APISize, InRow: 60, DeepADay: 17},
			{Name: FeedHTML, Kind: KindHTML, Accept: "text/html", URL: nhsjobs.ListingURL, Path: "/candidate/search/results",
				Read: ignoringTime(nhsjobs.ReadListing), Size: nhsjobs.ListingSize, InRow: 10, DayOnly: true, DeepADay: 4},
		},
		AdvertURL: nhsjobs.AdvertURL, ReadAdvert: nhsjobs.ReadAdvert,
		ProbeURL: nhsjobs.ProbeURL, ReadProbe: nhsjobs.ReadProbe,
	},
	"nhs-scotland": {
		DefaultBase: scotland.DefaultBase, Experimental: true,
		Feeds: []Feed{
			{Name: FeedHTML, Kind: KindHTML, Accept: scotland.Accept, URL: scotland.ListingURL, Path: scotland.ListingPath,
				Read: scotland.ReadListing, Size: scotland.PageSize, InRow: scotland.PageSize, DayOnly: scotland.DayOnly, DeepADay: 4},
		},
		AdvertURL: scotland.AdvertURL, ReadAdvert: scotland.ReadAdvert,
	},
}

// ignoringTime makes a reader of a feed whose postings have no time.
func ignoringTime(read func(page.Page, int) (page.Listing, error)) func(page.Page, int, time.Time) (page.Listing, error) {
	return func(p page.Page, n int, _ time.Time) (page.Listing, error) { return read(p, n) }
}

// SiteByName returns a website that can be read.
func SiteByName(name string) (Site, bool) {
	s, ok := sites[name]
	return s, ok
}

// SiteNames returns the names of all websites that can be read.
func SiteNames() []string {
	names := make([]string, 0, len(sites))
	for n := range sites {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Kinds of request: label values.
const (
	KindXML    = "listing_xml"
	KindHTML   = "listing_html"
	KindAdvert = "advert"
	KindRobots = "robots"
)

// RequestKinds returns every kind of request.
func RequestKinds() []string { return []string{KindXML, KindHTML, KindAdvert, KindRobots} }

// KindOf tells what a request asks for, from its address alone, so that a
// redirect is counted as what it leads to.
func (s Site) KindOf(u *url.URL) string {
	if u.Path == "/robots.txt" {
		return KindRobots
	}
	for i := range s.Feeds {
		if strings.HasPrefix(u.Path, s.Feeds[i].Path) {
			return s.Feeds[i].Kind
		}
	}
	return KindAdvert
}

// DefaultPollsPerDay is how often the newest vacancies are asked for, on the
// average of a week: half of them are then told within two and a half minutes,
// for 0.6 requests a vacancy in all.
const DefaultPollsPerDay = 180

// A Source is a configured crawl of a site.
type Source struct {
	Name string
	Site Site
	// Base is the scheme and host to crawl, without a slash at the end.
	Base string
	// UserAgent names the program and who runs it. It is sent with every
	// request; a public host is not crawled without a contact in it.
	UserAgent string
	// PollsPerDay is how many hot runs a day brings, from which their spacing
	// follows within HotMin and HotMax.
	PollsPerDay    int
	HotMin, HotMax time.Duration
	// SweepHour is the London hour of the nightly sweep.
	SweepHour int
	// Spacing is the least time between two requests.
	Spacing time.Duration
	// Budget is how many requests a UTC day may bring.
	Budget int
	// Announce tells what the first run finds, instead of taking it silently
	// as a baseline. It never applies to a state that was lost.
	Announce bool
}

// Transport returns the transport of the source. Of the options it sets what
// follows from the source: whom to ask, in whose name, how often, and what
// each request is.
func (s Source) Transport(o polite.Options) (*polite.Transport, error) {
	o.Origin, o.UserAgent, o.Spacing, o.Kind = s.Base, s.UserAgent, s.Spacing, s.Site.KindOf
	// An advert is read once: keeping it would only push out a listing.
	o.Uncached = func(kind string) bool { return kind == KindAdvert }
	t, err := polite.New(o)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", s.Name, err)
	}
	return t, nil
}

// loopback reports whether the source is on this machine: a simulator.
func (s Source) loopback() bool {
	u, err := url.Parse(s.Base)
	return err == nil && polite.IsLoopback(u.Hostname())
}
