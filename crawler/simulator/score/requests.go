package score

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator"
)

// Kinds of request in Figures.Requests.
const (
	KindListing = "listing xml"  // pages of the API: hot, deep and sweep
	KindHTML    = "listing html" // pages of results: canary and fallback
	KindProbe   = "probe"        // a search for one reference
	KindAdvert  = "advert"
	KindRobots  = "robots"
	KindOther   = "other" // a notice, a login: where redirects lead
)

// RequestKinds returns every kind of request.
func RequestKinds() []string {
	return []string{KindListing, KindHTML, KindProbe, KindAdvert, KindRobots, KindOther}
}

// kindOf tells what a request asked for from its address alone.
func kindOf(r *simulator.Request) string {
	path, query, _ := strings.Cut(r.URL, "?")
	v, _ := url.ParseQuery(query) // What cannot be read names no reference.
	switch {
	case path == "/robots.txt":
		return KindRobots
	case strings.HasPrefix(path, "/candidate/jobadvert/"):
		return KindAdvert
	case path != "/api/v1/search_xml" && path != "/candidate/search/results":
		return KindOther
	case v.Get("jobReference") != "":
		return KindProbe
	case path == "/api/v1/search_xml":
		return KindListing
	}
	return KindHTML
}

// asked counts the requests. Times are those of the client's pauses.
func (s *scorer) asked() {
	const day = 24 * time.Hour
	days := map[time.Time]int{}
	var window []time.Time // the requests of the last minute
	var last time.Time
	for i := range s.Requests {
		r := &s.Requests[i]
		at := r.Manners
		if i > 0 && (s.fig.ShortestGap == 0 || at.Sub(last) < s.fig.ShortestGap) {
			s.fig.ShortestGap = max(at.Sub(last), 1) // Two at once are not none.
		}
		last = at
		window = append(window, at)
		window = slices.DeleteFunc(window, func(t time.Time) bool { return at.Sub(t) >= time.Minute })
		s.fig.BusiestMinute = max(s.fig.BusiestMinute, len(window))
		days[at.UTC().Truncate(day)]++
		if !r.Time.Before(s.begins) {
			s.fig.Requests[kindOf(r)]++
			s.fig.Bytes += int64(r.Bytes)
		}
	}
	for d, n := range days {
		s.fig.BusiestDay = max(s.fig.BusiestDay, n)
		if s.Budget > 0 && n > s.Budget {
			s.fig.Overruns = append(s.fig.Overruns, d.Format(time.DateOnly))
		}
	}
	slices.Sort(s.fig.Overruns)
}
