package nhsjobs

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
)

// simulated returns pages of a pretend NHS Jobs: full answers of the API and
// the adverts in them.
func simulated(t testing.TB, seed uint64, pages, adverts int) (apis, ads []page.Page) {
	t.Helper()
	site := simulator.New(simulator.Options{Seed: seed, Now: func() time.Time { return fetched }, Live: pages*APISize + 7, Quiet: true, MinGap: -1})
	get := func(address string) page.Page {
		r := httptest.NewRequest(http.MethodGet, address, nil)
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("%s answers %d", address, w.Code)
		}
		return page.Page{URL: address, Status: w.Code, ContentType: w.Header().Get("Content-Type"), Body: w.Body.Bytes()}
	}
	for n := 1; n <= pages; n++ {
		p := get(APIURL("", n))
		l, err := ReadAPI(p, n, fetched)
		if err != nil || len(l.Vacancies) != APISize {
			t.Fatalf("page %d of the simulator has %d vacancies, %v", n, len(l.Vacancies), err)
		}
		apis = append(apis, p)
		for _, v := range l.Vacancies {
			if len(ads) < adverts {
				ads = append(ads, get(v.URL))
			}
		}
	}
	return apis, ads
}

// against runs base and then ours on the same pages, and reports what an item
// costs and how many times the cost of base that is.
func against(b *testing.B, items int, name string, base, ours func() error) {
	var least float64
	for _, run := range []struct {
		name string
		do   func() error
	}{{name, base}, {"read", ours}} {
		b.Run(run.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := run.do(); err != nil {
					b.Fatal(err)
				}
			}
			each := float64(b.Elapsed().Nanoseconds()) / float64(b.N*items)
			b.ReportMetric(each, "ns/item")
			if run.name == name {
				least = each
			} else if least > 0 {
				b.ReportMetric(each/least, "x-"+name)
			}
		})
	}
}

// BenchmarkReadAPI reads a full answer of the API, beside the bare decoding of
// the same bytes. An item is an entry.
func BenchmarkReadAPI(b *testing.B) {
	apis, _ := simulated(b, 1, 1, 0)
	against(b, APISize, "decode", func() error {
		var answer struct {
			Entries []entry `xml:"vacancyDetails"`
		}
		return xml.NewDecoder(bytes.NewReader(apis[0].Body)).Decode(&answer)
	}, func() error {
		_, err := ReadAPI(apis[0], 1, fetched)
		return err
	})
}

// BenchmarkReadAdvert reads adverts, beside the bare parsing of the same
// pages. An item is an advert.
func BenchmarkReadAdvert(b *testing.B) {
	_, ads := simulated(b, 1, 1, 20)
	each := func(do func(page.Page) error) func() error {
		return func() error {
			for _, p := range ads {
				if err := do(p); err != nil {
					return err
				}
			}
			return nil
		}
	}
	against(b, len(ads), "parse", each(func(p page.Page) error {
		_, err := html.Parse(bytes.NewReader(p.Body))
		return err
	}), each(func(p page.Page) error {
		_, err := ReadAdvert(p)
		return err
	}))
}
