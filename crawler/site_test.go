package crawler

import (
	"net/url"
	"testing"
)

func TestKindOf(t *testing.T) {
	for path, want := range map[string]string{
		"/robots.txt":                       KindRobots,
		"/api/v1/search_xml?page=1":         KindXML,
		"/candidate/search/results?page=1":  KindHTML,
		"/candidate/jobadvert/C9259-26-012": KindAdvert,
		"/candidate/auth/login":             KindAdvert, // of what may be forbidden on its own
	} {
		u, err := url.Parse("https://www.jobs.nhs.uk" + path)
		if err != nil {
			t.Fatal(err)
		}
		if got := sites["nhs-jobs"].KindOf(u); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}
