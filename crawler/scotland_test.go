package crawler_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/scotland"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// inProcess calls a handler without a network.
type inProcess struct{ http.Handler }

func (h inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	in := req.Clone(req.Context())
	in.RequestURI, in.Host = req.URL.RequestURI(), req.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, in)
	res := w.Result()
	res.Request = req
	return res, nil
}

// A second site, with another markup and one listing for people, is crawled by
// the same code: a silent first look, what is new, what moved, and what is
// gone, which without a search by name takes a third night.
func TestScotland(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(morning))
		site, err := scotland.New(scotland.Options{Seed: 3, Now: time.Now, Quirks: &scotland.Quirks{Order: scotland.NewestFirst},
			Adverts: scotland.Invent(3, 150, world.DayOf(time.Now()))})
		if err != nil {
			t.Fatal(err)
		}
		r := newRig(t, 0, nil)
		there, ok := crawler.SiteByName("nhs-scotland")
		if !ok || !there.Experimental {
			t.Fatalf("nhs-scotland: there %v, experimental %v", ok, there.Experimental)
		}
		r.src.Name, r.src.Site, r.src.Base = "nhs-scotland", there, there.DefaultBase
		r.wire.next = inProcess{site}
		r.start("first")
		r.baseline()
		if st := r.state(); st.Total != 150 || len(r.mem.records) != 150 || len(r.mem.heard("all")) > 0 {
			t.Fatalf("total %d, %d known, told of %v", st.Total, len(r.mem.records), r.mem.heard("all"))
		}
		today := world.DayOf(time.Now())
		a := scotland.Invent(77, 1, today)[0]
		a.Reference = ""
		a.Live, a.Closing = today, today.Add(25)
		ref, err := site.Publish(a)
		if err != nil {
			t.Fatal(err)
		}
		r.pass(20 * time.Minute)
		if diff := cmp.Diff([]string{ref}, r.mem.heard("all")); diff != "" {
			t.Fatalf("told (-want +got)\n%s", diff)
		}
		if v := r.record(ref).Vacancy; v.PageUnread || v.Title == "" || v.Employer == "" || v.Closing.IsZero() || v.URL != there.AdvertURL(there.DefaultBase, ref) {
			t.Errorf("%+v", v)
		}
		if err := site.Amend(ref, func(a *scotland.Advert) { a.Closing = today.Add(28) }); err != nil {
			t.Fatal(err)
		}
		r.night()
		if diff := cmp.Diff([]vacancy.Kind{vacancy.New, vacancy.ClosingMoved}, r.mem.kinds(ref)); diff != "" {
			t.Errorf("events (-want +got)\n%s", diff)
		}
		if err := site.Withdraw(ref); err != nil {
			t.Fatal(err)
		}
		for night := range 4 {
			r.night()
			if closed := r.record(ref).Closed; (closed == vacancy.Early) != (night >= 2) {
				t.Errorf("after night %d: closed %q", night+1, closed)
			}
		}
		for _, e := range r.closed() {
			if e != ref+" "+vacancy.Early {
				t.Errorf("closed %s", e)
			}
		}
	})
}
