package crawler

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/nhsjobs"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A Site is a website that can be read: its addresses, and pure readers of
// its pages. They make no request and read no clock.
type Site struct {
	// DefaultBase is the scheme and host where the site lives.
	DefaultBase string
	// APIURL and ListingURL are the n-th page, from 1, newest first.
	APIURL     func(base string, n int) string
	ListingURL func(base string, n int) string
	AdvertURL  func(base, reference string) string
	ReadAPI    func(p page.Page, n int, fetched time.Time) (page.Listing, error)
	ReadList   func(p page.Page, n int) (page.Listing, error)
	ReadAdvert func(p page.Page) (vacancy.Vacancy, error)
	// APIPage and ListPage are how many entries a full page holds.
	APIPage, ListPage int
	// APIPath is the path of the API: whatever else is asked is a page for
	// people, and may be forbidden on its own.
	APIPath string
	// ListPath is the path of the listing.
	ListPath string
}

// sites lists every website we can read.
var sites = map[string]Site{
	"nhs-jobs": {
		DefaultBase: nhsjobs.DefaultBase,
		APIURL:      nhsjobs.APIURL, ListingURL: nhsjobs.ListingURL, AdvertURL: nhsjobs.AdvertURL,
		ReadAPI: nhsjobs.ReadAPI, ReadList: nhsjobs.ReadListing, ReadAdvert: nhsjobs.ReadAdvert,
		APIPage: 100, ListPage: 10,
		APIPath: "/api/v1/search_xml", ListPath: "/candidate/search/results",
	},
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

// kindOf tells what a request asks for, from its address alone, so that a
// redirect is counted as what it leads to.
func (s Site) kindOf(u *url.URL) string {
	switch {
	case u.Path == "/robots.txt":
		return KindRobots
	case strings.HasPrefix(u.Path, s.APIPath):
		return KindXML
	case strings.HasPrefix(u.Path, s.ListPath):
		return KindHTML
	default:
		return KindAdvert
	}
}

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

// loopback reports whether the source is on this machine: a simulator.
func (s Source) loopback() bool {
	u, err := url.Parse(s.Base)
	return err == nil && IsLoopback(u.Hostname())
}
