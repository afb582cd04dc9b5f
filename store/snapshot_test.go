package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// What is open comes with its text, what closed since a time comes without,
// and what closed before does not come.
func TestRecent(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng)
		for n, days := range []int{3, 10, 60} {
			v := vac(n)
			v.Closing = vacancy.LondonDay(noon).Add(days)
			v.Text.Summary = "Join the ward."
			r.see(v)
		}
		for _, day := range []int{4, 11} { // C9001-26-0000 expires, then 0001
			r.now = noon.AddDate(0, 0, day)
			if _, err := r.store.Expire(t.Context(), vacancy.LondonDay(r.now), r.now); err != nil {
				t.Fatal(err)
			}
		}
		recent := func(since time.Time) []string {
			var got []string
			err := r.store.Recent(t.Context(), since, func(rec vacancy.Record) error {
				got = append(got, strings.Join(strings.Fields(rec.Vacancy.Reference+" "+rec.Closed+" "+rec.Text.Summary), " "))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			return got
		}
		open, second, first := "C9001-26-0002 Join the ward.", "C9001-26-0001 expired", "C9001-26-0000 expired"
		for _, tt := range []struct {
			since time.Time
			want  []string
		}{
			{noon, []string{first, second, open}},
			{noon.AddDate(0, 0, 11), []string{second, open}},
			{noon.AddDate(0, 0, 12), []string{open}},
		} {
			if diff := cmp.Diff(tt.want, recent(tt.since)); diff != "" {
				t.Errorf("since %v (-want +got):\n%s", tt.since, diff)
			}
		}

		enough := errors.New("enough")
		if err := r.store.Recent(t.Context(), noon, func(vacancy.Record) error { return enough }); !errors.Is(err, enough) {
			t.Errorf("the error of f: got %v", err)
		}
	})
}
