package nhsjobs

import (
	"net/url"

	"github.com/vacancywatch/vacancywatch/crawler/page"
)

// ProbeURL is the address of the listing of one vacancy, by its reference:
// the only search of the site that is exact.
func ProbeURL(base, reference string) string {
	return site(base) + "/candidate/search/results?" + url.Values{
		"language":     {"en"},
		"jobReference": {reference},
	}.Encode()
}

// ReadProbe reads the listing of one vacancy. It is Empty only where the page
// says so: a page without entries that does not is page.ErrLayout.
func ReadProbe(p page.Page) (page.Listing, error) { return ReadListing(p, 0) }
