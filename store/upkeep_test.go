package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A night's closings have one time. Their told marks go all the same, however
// many they are.
func TestPruneManyOfOneTime(t *testing.T) {
	r := newRig(t, enginetest.OpenBolt(t), band5("a", "jo", mailTo("jo")))
	const n = 700 // more than a batch
	for i := range n {
		r.see(vac(i))
	}
	over := time.Date(2026, 7, 29, 12, 0, 0, 0, time.UTC)
	if events, err := r.store.Expire(t.Context(), vacancy.LondonDay(over), over); err != nil || len(events) != n {
		t.Fatalf("closed %d, %v, want %d", len(events), err, n)
	}
	if err := r.store.Prune(t.Context(), over.AddDate(0, 0, 31)); err != nil {
		t.Fatal(err)
	}
	left := 0
	for i := range n {
		v := vac(i)
		told, err := r.store.Told(t.Context(), v.Key())
		if err != nil {
			t.Fatal(err)
		}
		left += len(told)
	}
	if left != 0 {
		t.Errorf("%d told marks are left, want none", left)
	}
	if c := r.counts(); c.Known != n {
		t.Errorf("%d vacancies are remembered, want all %d", c.Known, n)
	}
}

// What could not be read and was never accepted is forgotten in the end; what
// could not be read a short while ago is not.
func TestPruneUnread(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		s := open(t, eng, "")
		unread := func(n int, at time.Time) time.Time {
			t.Helper()
			v := vac(n)
			since, err := s.Unread(t.Context(), v.Key(), at)
			if err != nil {
				t.Fatal(err)
			}
			return since
		}
		later := noon.AddDate(0, 0, 31)
		unread(1, noon)
		unread(2, later.Add(-time.Hour))
		if err := s.Prune(t.Context(), later); err != nil {
			t.Fatal(err)
		}
		if got := unread(1, later); !got.Equal(later) {
			t.Errorf("the old failure is remembered since %s", got)
		}
		if got := unread(2, later); !got.Equal(later.Add(-time.Hour)) {
			t.Errorf("the new failure counts since %s", got)
		}
	})
}

// Two holders of the crawl that began from one state gave their runs the same
// number. Whoever wakes up after the other has ended its run writes nothing.
func TestLateWriterOfTheSameRun(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		s, ctx := open(t, eng, ""), t.Context()
		st, err := s.Begin(ctx, "nhs-jobs", crawler.FirstRun, noon)
		if err != nil {
			t.Fatal(err)
		}
		run := func(started time.Time, total int) crawler.State {
			st := st
			st.Runs++
			st.Total = total
			st.Last = &crawler.Report{ID: fmt.Sprintf("nhs-jobs-%d", st.Runs), Started: started}
			return st
		}
		slow, fast := run(noon, 1), run(noon.Add(3*time.Minute), 2)
		bookmark := st
		bookmark.Runs++
		for range 2 { // a mark is repeated after a lost reply
			if err := s.Mark(ctx, "nhs-jobs", fast); err != nil {
				t.Fatal(err)
			}
		}
		for name, late := range map[string]crawler.State{"end": slow, "bookmark": bookmark} {
			if err := s.Mark(ctx, "nhs-jobs", late); err == nil {
				t.Errorf("the late %s could be marked", name)
			}
		}
		if got, err := s.State(ctx, "nhs-jobs"); err != nil || got.Total != 2 {
			t.Errorf("state %+v, %v: the late writer wrote over it", got, err)
		}
		next := fast
		next.Runs++
		if err := s.Mark(ctx, "nhs-jobs", next); err != nil {
			t.Errorf("the next run: %v", err)
		}
		if reports, err := s.Reports(ctx, "nhs-jobs", 10); err != nil || len(reports) != 1 {
			t.Errorf("reports %+v, %v, want one", reports, err)
		}
	})
}

// The end of a run is stored however much went wrong in it, for with it goes
// the quiet that the site asked for.
func TestLongReport(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		s, ctx := open(t, eng, ""), t.Context()
		st, err := s.Begin(ctx, "nhs-jobs", crawler.FirstRun, noon)
		if err != nil {
			t.Fatal(err)
		}
		st.Runs++
		st.Gate = noon.Add(time.Hour)
		st.Last = &crawler.Report{ID: "nhs-jobs-2", Started: noon, Err: strings.Repeat("é", engine.MaxName)}
		for range engine.MaxName {
			st.Last.Defects = append(st.Last.Defects, "layout")
		}
		if err := s.Mark(ctx, "nhs-jobs", st); err != nil {
			t.Fatal(err)
		}
		if got, err := s.State(ctx, "nhs-jobs"); err != nil || !got.Gate.Equal(st.Gate) {
			t.Errorf("gate %s, %v, want %s", got.Gate, err, st.Gate)
		}
		reports, err := s.Reports(ctx, "nhs-jobs", 1)
		if err != nil || len(reports) != 1 || reports[0].ID != "nhs-jobs-2" {
			t.Fatalf("reports %+v, %v", reports, err)
		}
		if got := reports[0].Defects; got[0] != "layout" || got[len(got)-1] != fmt.Sprintf("and %d more", engine.MaxName-20) {
			t.Errorf("defects %q", got)
		}
	})
}

// A state that has learned much is kept whole, and one that a newer program
// wrote is read; what this one does not know of it is gone once it is marked.
func TestLargeState(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		s, ctx := open(t, eng, ""), t.Context()
		st, err := s.Begin(ctx, "nhs-jobs", crawler.FirstRun, noon)
		if err != nil {
			t.Fatal(err)
		}
		st.Runs++
		for range 3000 { // more than 60 KB that hardly shrink
			st.Oldest = append(st.Oldest, rand.Text())
		}
		st.Last = &crawler.Report{ID: "nhs-jobs-2", Started: noon, FirstTotal: 12_001, Total: 12_000, Unique: 11_998, Expected: 121,
			Defects: []string{"layout"}}
		if err := s.Mark(ctx, "nhs-jobs", st); err != nil {
			t.Fatal(err)
		}
		got, err := s.State(ctx, "nhs-jobs")
		if err != nil {
			t.Fatal(err)
		}
		asJSON := func(st crawler.State) string {
			b, err := json.Marshal(st)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		if want, got := asJSON(st), asJSON(got); got != want || len(want) < 60_000 {
			t.Errorf("of a state of %d bytes, %d came back, or others", len(want), len(got))
		}
		reports, err := s.Reports(ctx, "nhs-jobs", 9)
		if diff := cmp.Diff([]crawler.Report{*st.Last}, reports); err != nil || diff != "" {
			t.Errorf("reports, %v (-want +got):\n%s", err, diff)
		}
		newer := fmt.Sprintf(`{"epoch":%q,"runs":%d,"total":12000,"tides":{"spring":[1,2]},"ended":%d}`, st.Epoch, st.Runs, st.Runs)
		if err := eng.Update(ctx, "vw:meta", func(tx engine.Tx) error {
			tx.HSet("{vw:meta}:sources", "nhs-jobs", []byte(newer))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if st, err = s.State(ctx, "nhs-jobs"); err != nil || st.Total != 12_000 || st.Lost {
			t.Errorf("a newer program's state: %+v, %v", st, err)
		}
		st.Runs++
		if err := s.Mark(ctx, "nhs-jobs", st); err != nil {
			t.Fatal(err)
		}
		r := &engine.HGet{Key: "{vw:meta}:sources", Field: "nhs-jobs"}
		if err := eng.Read(ctx, "vw:meta", r); err != nil || bytes.Contains(r.Val, []byte("tides")) || !bytes.Contains(r.Val, []byte(`"total":12000`)) {
			t.Errorf("stored %s, %v", r.Val, err)
		}
	})
}

// A report whose every text is long, and of letters that take much room, is
// stored all the same.
func TestWideReport(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		s, ctx := open(t, eng, ""), t.Context()
		st, err := s.Begin(ctx, "nhs-jobs", crawler.FirstRun, noon)
		if err != nil {
			t.Fatal(err)
		}
		wide := strings.Repeat("<", engine.MaxName) // six bytes each in JSON
		st.Runs++
		st.Last = &crawler.Report{ID: "nhs-jobs-2", Started: noon, Err: wide}
		for range 30 {
			st.Last.Defects = append(st.Last.Defects, wide)
		}
		if err := s.Mark(ctx, "nhs-jobs", st); err != nil {
			t.Fatal(err)
		}
		if reports, err := s.Reports(ctx, "nhs-jobs", 1); err != nil || len(reports) != 1 || len(reports[0].Defects) != 21 {
			t.Errorf("reports %+v, %v", reports, err)
		}
		if st.Last.Defects[0] != wide {
			t.Error("the caller's report was cut")
		}
	})
}

// A state that is begun anew keeps what the site asked of us.
func TestMannersOutliveTheState(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		s, ctx := open(t, eng, ""), t.Context()
		st, err := s.Begin(ctx, "nhs-jobs", crawler.FirstRun, noon)
		if err != nil {
			t.Fatal(err)
		}
		st.Gate, st.Backoff, st.Stopped, st.HTMLForbidden = noon.Add(time.Hour), time.Minute, crawler.StoppedRobots, true
		st.Paused, st.Failures = true, 3
		st.Watermark = noon
		if err := s.Mark(ctx, "nhs-jobs", st); err != nil {
			t.Fatal(err)
		}
		got, err := s.Begin(ctx, "nhs-jobs", crawler.LostState, noon)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Gate.Equal(st.Gate) || got.Backoff != st.Backoff || got.Stopped != st.Stopped || !got.HTMLForbidden ||
			!got.Paused || got.Failures != 3 {
			t.Errorf("begun anew: %+v, want the gate, the backoff, the pause and both stops of %+v", got, st)
		}
		if !got.Watermark.IsZero() || got.Epoch == st.Epoch || got.Runs <= st.Runs {
			t.Errorf("begun anew: %+v, want nothing else of %+v", got, st)
		}
	})
}

// A stamp that could not be written is written the next time, at the latest by
// the repetition of the same step.
func TestStampIsWrittenInTheEnd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	file := filepath.Join(dir, "stamp.json")
	s := open(t, enginetest.OpenBolt(t), file)
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	if _, err := s.Begin(t.Context(), "nhs-jobs", crawler.FirstRun, noon); err == nil {
		t.Fatal("no error")
	}
	st, err := s.State(t.Context(), "nhs-jobs")
	if err != nil || st.Lost || st.Epoch == "" {
		t.Fatalf("state %+v, %v, want the one begun", st, err)
	}
	for range 2 {
		if err := s.Mark(t.Context(), "nhs-jobs", st); err == nil {
			t.Error("a stamp that could not be written was not missed")
		}
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Mark(t.Context(), "nhs-jobs", st); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != fmt.Sprintf(`{"nhs-jobs":%d}`, st.Runs) {
		t.Errorf("stamp %s, %v", b, err)
	}
}

// Bytes are kept as they were rendered, whatever they begin with and however
// long they are.
func TestKeptBytes(t *testing.T) {
	for name, body := range map[string][]byte{
		"short": []byte("x"), "long": bytes.Repeat([]byte("alert "), 1000),
		"begins with zero": {0, 1, 2}, "long, begins with zero": append([]byte{0}, bytes.Repeat([]byte{7}, 1000)...),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, enginetest.OpenBolt(t), band5("a", "jo", mailTo("jo")))
			r.see(vac(1))
			claim := func() *alerts.Claim {
				t.Helper()
				cs, err := r.store.Claim(t.Context(), r.now, time.Minute, 10)
				if err != nil || len(cs) != 1 {
					t.Fatalf("claims %v, %v", cs, err)
				}
				return &cs[0]
			}
			c := claim()
			if c.Body != nil {
				t.Errorf("bytes %q before any were kept", c.Body)
			}
			if held, err := r.store.Keep(t.Context(), c, body, nil); !held || err != nil {
				t.Fatalf("keep: %v, %v", held, err)
			}
			if held, err := r.store.Settle(t.Context(), c, alerts.SettleRelease, "", "", r.now, r.now); !held || err != nil {
				t.Fatalf("release: %v, %v", held, err)
			}
			if got := claim(); !bytes.Equal(got.Body, body) || got.Message.Tries != 1 {
				t.Errorf("got %q at try %d, want %q at try 1", got.Body, got.Message.Tries, body)
			}
		})
	}
}

// A digest is counted once, though its items lie in many slots.
func TestCountDigests(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r := newRig(t, eng, band5("a", "jo", dailyTo("jo", 8)), band5("b", "sam", dailyTo("sam", 8)))
		for i := range 20 {
			r.see(vac(i))
		}
		if c := r.counts(); c.Digests != 2 {
			t.Errorf("%d digests, want 2", c.Digests)
		}
	})
}

// cutAfterStep fails every read once a step was made.
type cutAfterStep struct {
	engine.Engine
	armed, cut bool
}

func (c *cutAfterStep) Update(ctx context.Context, slot string, fn func(engine.Tx) error) error {
	err := c.Engine.Update(ctx, slot, fn)
	c.cut = c.armed
	return err
}

func (c *cutAfterStep) Read(ctx context.Context, slot string, reads ...engine.Read) error {
	if c.cut {
		return errBroken
	}
	return c.Engine.Read(ctx, slot, reads...)
}

// What was claimed before the store broke is handed out and not left to lapse.
func TestClaimBreaks(t *testing.T) {
	c := &cutAfterStep{Engine: enginetest.OpenMiniredis(t)}
	r := newRig(t, c, band5("a", "jo", mailTo("jo")))
	for i := range 40 { // in many slots
		r.see(vac(i))
	}
	c.armed = true
	claims, err := r.store.Claim(t.Context(), r.now, time.Minute, 100)
	if err != nil || len(claims) == 0 || len(claims) == 40 {
		t.Errorf("claimed %d, %v, want those of the first slot", len(claims), err)
	}
	if _, err := r.store.Claim(t.Context(), r.now, time.Minute, 100); err == nil {
		t.Error("the next claim does not tell what is wrong")
	}
}
