// Package nhsjobs reads the pages of NHS Jobs, www.jobs.nhs.uk: the answers of
// its XML API, its listing pages and its advert pages. It also knows their
// addresses.
//
// Reading is pure: a page goes in, vacancies come out. The package makes no
// request, reads no clock and writes no log. It never takes a page that it
// does not know for one without vacancies: such a page is page.ErrLayout, and
// only a page that says that nothing was found is empty. It never keeps the
// contact of an advert, nor the block about the employer.
//
// The layout is:
//
//	api.go      the XML answer, streamed
//	listing.go  a page of results, by its data-test hooks
//	defects.go  what both listings check of an entry
//	advert.go   an advert: by id first, then by the headings of its fields
//	places.go   the places of work on an advert
//	outline.go  the headings and lines of a page in document order
//	redact.go   addresses, numbers and names of contacts in prose
//	contact.go  how these are found, and found not to be there
//	content.go  what a page is made of, whatever its status says
package nhsjobs

import (
	"net/url"
	"path"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"github.com/vacancywatch/vacancywatch/crawler/page"
)

// DefaultBase is the address of NHS Jobs.
const DefaultBase = "https://www.jobs.nhs.uk"

// Full pages. The site has no larger ones, whatever is asked for.
const (
	APISize     = 100 // adverts in an answer of the XML API
	ListingSize = 10  // cards on a page of results
)

const newestFirst = "publicationDateDesc"

// APIURL is the address of a page of the XML API, newest adverts first. Pages
// count from 1. Adverts for a trust's own staff must not be shown to others,
// hence externalOnly.
func APIURL(base string, page int) string {
	return site(base) + "/api/v1/search_xml?" + url.Values{
		"sort":         {newestFirst},
		"limit":        {strconv.Itoa(APISize)},
		"page":         {strconv.Itoa(max(page, 1))},
		"externalOnly": {"true"},
	}.Encode()
}

// ListingURL is the address of a page of results over the whole board, newest
// adverts first. Pages count from 1.
func ListingURL(base string, page int) string {
	return site(base) + "/candidate/search/results?" + url.Values{
		"language": {"en"},
		"sort":     {newestFirst},
		"page":     {strconv.Itoa(max(page, 1))},
	}.Encode()
}

// AdvertURL is the address of the advert with a reference.
func AdvertURL(base, reference string) string {
	return site(base) + advertPath + url.PathEscape(reference)
}

func site(base string) string {
	if base == "" {
		base = DefaultBase
	}
	return strings.TrimRight(base, "/")
}

const (
	advertPath = "/candidate/jobadvert/"
	savePath   = "/candidate/search/save-job/"
)

// referenceIn returns the reference that an address under prefix ends with,
// absolute or not, and "" for another address. The query means nothing.
func referenceIn(address, prefix string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return ""
	}
	dir, last := path.Split(u.EscapedPath())
	if !strings.HasSuffix(dir, prefix) {
		return ""
	}
	ref, err := url.PathUnescape(last)
	if err != nil || !usable(ref) {
		return ""
	}
	return ref
}

// usable reports whether a reference can serve as one: a plain word that is
// safe in an address and in a key. Whether its shape is one of NHS Jobs is
// another question, see vacancy.ValidReference.
func usable(ref string) bool {
	if ref == "" || len(ref) > 64 || strings.Trim(ref, ".") == "" {
		return false
	}
	for _, c := range ref {
		if c <= ' ' || c > '~' || strings.ContainsRune(`/\?#%"'<>`, c) {
			return false
		}
	}
	return true
}

// A Kind says which of the three readers reads a page.
type Kind string

// Kinds of pages.
const (
	KindAPI     Kind = "api"
	KindListing Kind = "listing"
	KindAdvert  Kind = "advert"
)

// Detect tells what kind of page p is. It returns page.ErrLayout for all that
// no reader knows, such as the notice that NHS Jobs serves with status 200
// under unknown addresses. A page of a known kind may still be unreadable.
func Detect(p page.Page) (Kind, error) {
	if contentOf(p) == contentXML {
		return KindAPI, nil
	}
	doc, err := parseHTML(p)
	if err != nil {
		return "", err
	}
	if isListing(doc) {
		return KindListing, nil
	}
	if _, err := readAdvert(p, doc); err != nil {
		return "", err
	}
	return KindAdvert, nil
}

// isListing reports whether a document has what only a search's answer has.
func isListing(doc *html.Node) bool {
	return first(doc, func(n *html.Node) bool {
		switch attr(n, "data-test") {
		case hookCard, hookHeading:
			return true
		}
		return attr(n, "id") == idHeading || attr(n, "id") == idNothing
	}) != nil
}
