package scotland

import (
	"errors"
	"slices"
	"testing"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	sim "github.com/vacancywatch/vacancywatch/crawler/simulator/scotland"
)

// addPages adds pages of every kind and quirk to the seeds of a fuzz target.
func addPages(f *testing.F) {
	for seed := range uint64(8) {
		s := newSite(f, sim.Options{Seed: seed, Adverts: sim.Invent(seed, 13, "2026-10-06")})
		for _, address := range []string{ListingURL("", 2), AdvertURL("", "250001"), DefaultBase + "/sitemap.xml", DefaultBase + "/Home/Job"} {
			f.Add(get(f, s, address).Body)
		}
	}
	f.Add(get(f, newSite(f, sim.Options{}), ListingURL("", 1)).Body)
	f.Add([]byte(`{"status":406}`))
}

func FuzzReadListing(f *testing.F) {
	addPages(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, n := range []int{0, 1, 2} {
			l, err := ReadListing(page.Page{URL: ListingURL("", n), Body: body}, n, fetched)
			if err != nil {
				if !errors.Is(err, page.ErrLayout) || len(l.Vacancies) > 0 {
					t.Fatalf("%d vacancies and the error %v", len(l.Vacancies), err)
				}
				continue
			}
			if l.Empty && (len(l.Vacancies) > 0 || l.Total != 0) {
				t.Fatalf("an empty page with %d vacancies, total %d", len(l.Vacancies), l.Total)
			}
			for _, d := range l.Defects {
				if !slices.Contains(page.Defects(), d) {
					t.Fatalf("unknown defect %q", d)
				}
			}
			for _, v := range l.Vacancies {
				if !usable(v.Reference) || v.URL != AdvertURL("", v.Reference) || len(l.Defects) == 0 && (v.Title == "" || v.Employer == "" || v.Posted.IsZero()) {
					t.Fatalf("%+v, defects %v", v, l.Defects)
				}
				contactsLeft(t, v)
			}
		}
	})
}

func FuzzReadAdvert(f *testing.F) {
	addPages(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, address := range []string{"", AdvertURL("", "250001")} {
			v, err := ReadAdvert(page.Page{URL: address, Body: body})
			if err != nil {
				if !errors.Is(err, page.ErrLayout) {
					t.Fatal(err)
				}
				continue
			}
			if !usable(v.Reference) || v.Title == "" || v.URL != AdvertURL("", v.Reference) || address != "" && v.Reference != "250001" {
				t.Fatalf("%+v from %q", v, address)
			}
			contactsLeft(t, v)
		}
	})
}
