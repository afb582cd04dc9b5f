package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// silently hands over vacancies that were there before us.
func (r *rig) silently(vs ...vacancy.Vacancy) {
	r.t.Helper()
	for _, v := range vs {
		s := vacancy.Sighting{Vacancy: v, At: r.now, Feed: "xml", Listed: vacancy.ListedFacts(&v), Baseline: true, BaselineSince: r.now}
		if _, err := r.sink.Accept(r.t.Context(), []vacancy.Sighting{s}); err != nil {
			r.t.Fatal(err)
		}
	}
}

// posted is a vacancy posted some hours before noon.
func posted(n, hours int) vacancy.Vacancy {
	v := vac(n)
	v.Posted = vacancy.AtTime(noon.Add(-time.Duration(hours) * time.Hour))
	return v
}

// silent pages through the vacancies taken in silence.
func (r *rig) silent(since time.Time, limit int) []string {
	r.t.Helper()
	out, after := []string{}, ""
	for range 50 {
		recs, next, err := r.store.Silent(r.t.Context(), "nhs-jobs", since, limit, after)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(recs) > limit {
			r.t.Errorf("%d on a page of %d", len(recs), limit)
		}
		for _, rec := range recs {
			out = append(out, rec.Vacancy.Reference)
		}
		if after = next; after == "" {
			return out
		}
	}
	r.t.Fatal("the pages have no end")
	return nil
}

// What was taken in silence is listed page by page, what was posted last first,
// until it is told or closed. An older program kept no such list.
func TestSilent(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		other, undated := posted(9, 1), vac(8)
		other.Source = "nhs"
		undated.Posted = vacancy.Moment{}
		undated.PageUnread = true
		r.silently(posted(1, 30), posted(2, 10), posted(3, 20), other)
		r.inSlots(func(slot string, tx engine.Tx) { tx.Del("{" + slot + "}:silent") })
		r.see(vac(7)) // told to jo
		r.now = noon.Add(time.Hour)
		r.silently(posted(4, 5), posted(5, 20), posted(6, 40), undated)
		if got, err := r.counts(), error(nil); err != nil || got.Queued != 1 {
			t.Fatalf("counts %+v: somebody was told", got)
		}
		all := []string{ref(8), ref(4), ref(2), ref(5), ref(3), ref(1), ref(6)}
		late := []string{ref(8), ref(4), ref(5), ref(6)}
		for _, limit := range []int{1, 2, 3, 7, 100} {
			if diff := cmp.Diff(all, r.silent(time.Time{}, limit)); diff != "" {
				t.Errorf("by %d (-want +got):\n%s", limit, diff)
			}
			if diff := cmp.Diff(late, r.silent(noon.Add(time.Minute), limit)); diff != "" {
				t.Errorf("of the second hour, by %d (-want +got):\n%s", limit, diff)
			}
		}
		recs, _, err := r.store.Silent(t.Context(), "nhs-jobs", time.Time{}, 1, "")
		if err != nil || len(recs) != 1 || !recs[0].Vacancy.PageUnread || recs[0].Vacancy.Band != "5" {
			t.Errorf("records %+v, %v, want the one whose page is unread", recs, err)
		}
		// Its page is read in the night: it stays silent.
		undated.PageUnread = false
		r.silently(undated)
		keys := []vacancy.Key{{Source: "nhs-jobs", Reference: ref(4)}, {Source: "nhs-jobs", Reference: ref(1)}}
		if events, err := r.sink.Release(t.Context(), keys, r.now); err != nil || len(events) != 2 {
			t.Fatalf("released %v, %v", events, err)
		}
		if _, err := r.sink.Close(t.Context(), []vacancy.Key{{Source: "nhs-jobs", Reference: ref(5)}}, vacancy.Early, r.now, ""); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{ref(8), ref(2), ref(3), ref(6)}, r.silent(time.Time{}, 2)); diff != "" {
			t.Errorf("after a release and an end (-want +got):\n%s", diff)
		}
		if got := r.setOf("silent"); len(got) != 5 {
			t.Errorf("the list holds %v, want those and the other source's", got)
		}
		if got := r.setOf("reread"); got["nhs-jobs/"+ref(4)].IsZero() {
			t.Errorf("to be read again: %v, want what was released", got)
		}
	})
}

// A vacancy that is released between two pages does not shift the next one.
func TestSilentWhileReleasing(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng)
		var want, got []string
		for n := range 10 {
			r.silently(posted(n, 5)) // all at one time
			want = append(want, ref(n))
		}
		for after, more := "", true; more; more = after != "" {
			recs, next, err := r.store.Silent(t.Context(), "nhs-jobs", time.Time{}, 3, after)
			if err != nil {
				t.Fatal(err)
			}
			for _, rec := range recs {
				got = append(got, rec.Vacancy.Reference)
				if _, err := r.sink.Release(t.Context(), []vacancy.Key{rec.Vacancy.Key()}, r.now); err != nil {
					t.Fatal(err)
				}
			}
			after = next
		}
		if diff := cmp.Diff(want, got, cmpopts.SortSlices(strings.Compare)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if left := r.silent(time.Time{}, 5); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
		for _, after := range []string{"rubbish", "|", "NaN|nhs-jobs/x"} {
			if _, _, err := r.store.Silent(t.Context(), "nhs-jobs", time.Time{}, 3, after); err == nil {
				t.Errorf("after %q: a place that is none was taken", after)
			}
		}
	})
}

// What is left of a vacancy that an older program closed goes with the upkeep.
func TestPruneNotLive(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", mailTo("jo")))
		r.see(vac(1))
		r.silently(posted(2, 1))
		const many = 700 // more than a batch
		r.inSlots(func(slot string, tx engine.Tx) {
			for n := range many {
				for _, set := range []string{"seen", "reread", "silent"} {
					tx.ZAdd("{"+slot+"}:"+set, engine.Z{Member: fmt.Sprintf("nhs-jobs/gone-%d", n), Score: 1e12})
				}
			}
		})
		if err := r.store.Prune(t.Context(), noon); err != nil {
			t.Fatal(err)
		}
		for set, want := range map[string]int{"seen": 2, "reread": 1, "silent": 1, "live": 2} {
			if got := r.setOf(set); len(got) != want {
				t.Errorf("%s holds %d, want %d", set, len(got), want)
			}
		}
	})
}
