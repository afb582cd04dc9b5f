package crawler_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
)

// A day of a living site on which something goes wrong all the time, with
// the night's sweep, the closing at midnight and a change of the clocks in
// it, and a restart at noon or midnight. Whatever could be seen for a few hours
// was told; what was there before us was not.
func TestDay(t *testing.T) {
	t.Parallel()
	// What appears above is found within a poll or two, what is back-dated by
	// the next deep run, and a page may stay unread for an hour.
	const visible = 4 * time.Hour
	for seed, start := range map[uint64]string{3: "2026-03-28T12:00:00Z", 4: "2026-10-24T12:00:00Z", 5: "2026-09-01T08:00:00Z"} {
		if testing.Short() && seed != 4 {
			continue // the race detector makes a day take minutes: one will do
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin, err := time.Parse(time.RFC3339, start)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Until(begin))
				r := newRig(t, 700, func(o *simulator.Options) {
					o.Seed, o.Quiet, o.PerWeekday, o.Quirks = seed, false, 500, simulator.Quirks{}
				})
				for range 2 {
					stop := scheduled(t, &crawler.Schedule{Runners: []*crawler.Runner{r.runner}, Metrics: r.metrics})
					time.Sleep(time.Hour)
					r.faults("xml 503 rate=0.03\nxml cut rate=0.02\nxml html rate=0.005\nxml slow=25s rate=0.01\n" +
						"advert 500 rate=0.1\nadvert soft404 rate=0.05\nadvert drip=3s rate=0.02\nxml 429 retry-after=600 rate=0.002")
					time.Sleep(11 * time.Hour)
					r.faults("")
					stop()
					r.start("the same machine")
				}
				st := r.state()
				told := map[string]bool{}
				for _, ref := range r.mem.heard("all") {
					told[ref] = true
				}
				old, fresh := 0, 0
				for _, rec := range r.site.Truth() {
					until := time.Now()
					if len(rec.Left) > 0 {
						until = rec.Left[0].At
					}
					before := !rec.Visible.After(begin) && until.After(begin) // and not one that came back
					switch {
					case before && told[rec.Reference]:
						t.Errorf("%s was there before us and was told", rec.Reference)
					case !before && rec.Visible.After(begin) && until.Sub(rec.Visible) > visible && !told[rec.Reference]:
						t.Errorf("%s, posted %v, could be seen from %v to %v, and was not told", rec.Reference,
							rec.Now().Posted, rec.Visible, until)
					case before:
						old++
					case rec.Visible.After(begin):
						fresh++
					}
				}
				if old < 700 || fresh < 20 {
					t.Errorf("%d old and %d new adverts are too few", old, fresh)
				}
				for tier, within := range map[crawler.Tier]time.Duration{crawler.Hot: time.Hour, crawler.Deep: 3 * time.Hour, crawler.Sweep: 12 * time.Hour} {
					if age := time.Since(st.LastGood[tier]); age > within {
						t.Errorf("the last good %s run is %s old", tier, age)
					}
				}
				for day, classes := range r.mem.spent {
					if n := total(classes); n > 1500 {
						t.Errorf("%d requests on %s", n, day)
					}
				}
			})
		})
	}
}
