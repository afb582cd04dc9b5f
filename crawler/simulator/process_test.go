package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

func TestSameSeedSameBytes(t *testing.T) {
	walk := func(o Options, steps int) string {
		s, c := open(o)
		var b bytes.Buffer
		for i := range 12 {
			for range steps { // How often time passes does not matter.
				c.pass(6 * time.Hour / time.Duration(steps))
				s.Advance(c.t)
			}
			for _, path := range []string{"/api/v1/search_xml?sort=publicationDateDesc&limit=20&page=1", "/candidate/search/results?page=2",
				"/candidate/jobadvert/" + s.board.posted.entries[i].now().Reference, "/nowhere"} {
				w := get(s, path)
				fmt.Fprintln(&b, path, w.Code, w.Header(), w.Body)
			}
		}
		if err := s.WriteTruth(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	rates := []Fault{{Kind: "503", Match: "xml", Rate: .3}, {Kind: "skew", Value: "5m", Match: "any", Rate: .5}}
	one := walk(Options{Seed: 7, Faults: rates}, 1)
	if one != walk(Options{Seed: 7, Faults: rates}, 9) {
		t.Error("the same seed and requests gave other bytes")
	}
	if one == walk(Options{Seed: 8, Faults: rates}, 1) {
		t.Error("another seed gave the same bytes")
	}
}

func TestAWeekPassesQuickly(t *testing.T) {
	begin := time.Now()
	s, c := open(Options{Live: 12000})
	c.pass(7 * 24 * time.Hour)
	s.Advance(c.t)
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("took %v; well under 2 s are promised on an idle machine", took)
	}
	if n := len(s.board.posted.entries); n < 10000 || n > 14000 {
		t.Errorf("%d adverts are live after a week, want some 12,000", n)
	}
}

// TestTruthHolds checks what must be true of any truth over the turns of the
// clock, and that each process happens about as often as it should.
func TestTruthHolds(t *testing.T) {
	for _, start := range []string{"2026-03-20T09:00:00Z", "2026-10-12T09:00:00Z"} {
		s, c := open(Options{Start: at(start), Live: 1000, PerWeekday: 400, Seed: 5})
		begin := c.t
		c.pass(28 * 24 * time.Hour)
		count := map[string]int{}
		refs := map[string]bool{}
		for _, r := range s.Truth() {
			if refs[r.Reference] {
				t.Errorf("%s twice", r.Reference)
			}
			refs[r.Reference] = true
			if err := r.Now().Check(); err != nil {
				t.Errorf("%s: %v", r.Reference, err)
			}
			first := r.Versions[0]
			if !first.At.Equal(r.Visible) || first.Event != "new" || first.Advert.Posted.After(r.Visible) {
				t.Errorf("%s became visible at %v, first version %v, posted %v", r.Reference, r.Visible, first.At, first.Advert.Posted)
			}
			if r.Live == (len(r.Left) == reopenings(r)+1) {
				t.Errorf("%s: live %v, left %v, came back %d times", r.Reference, r.Live, r.Left, reopenings(r))
			}
			for _, l := range r.Left {
				local := l.At.In(world.London())
				if l.Why == Expired && (local.Hour() != 23 || local.Minute() != 59) {
					t.Errorf("%s expired at %v", r.Reference, local)
				}
				if l.At.After(begin) {
					count[l.Why]++
				}
			}
			if r.Visible.Before(begin) {
				continue
			}
			count["new"]++
			count[r.Relation]++
			a := first.Advert
			if r.Visible.Sub(a.Posted) > time.Minute {
				count["back-dated"]++
			}
			if world.DayOf(a.Posted) == a.Closing {
				count["zero-day"]++
			}
			if len(a.Sites) > 1 {
				count["several sites"]++
			}
			for i, v := range r.Versions[1:] {
				count[v.Event]++
				b := r.Versions[i].Advert
				if v.Advert.Title != b.Title || v.Advert.Band != b.Band || v.Advert.Salary != b.Salary || v.Advert.Reference != b.Reference {
					t.Errorf("%s: %s changed what cannot change", r.Reference, v.Event)
				}
				if v.Event == "closing moved" && v.Advert.Closing < b.Closing {
					count["earlier"]++
				}
			}
		}
		if n := count["new"]; n < 7000 || n > 9500 {
			t.Errorf("%d new adverts in four weeks of 400 a weekday", n)
		}
		// Of new adverts, in thousands; the late ones have part of their life ahead.
		for event, want := range map[string][2]int{"back-dated": {12, 28}, "zero-day": {4, 20}, "several sites": {20, 80}, "closing moved": {25, 70},
			"earlier": {8, 35}, "amended": {20, 60}, "re-sorted": {4, 14}, "reopened": {4, 20}, Early: {30, 80}, Readvert: {3, 40}, Sibling: {15, 60}, Twin: {2, 15}} {
			if n := count[event] * 1000 / count["new"]; n < want[0] || n > want[1] {
				t.Errorf("%s: %d in a thousand, want %v", event, n, want)
			}
		}
	}
}

func reopenings(r Record) (n int) {
	for _, v := range r.Versions {
		if v.Event == "reopened" {
			n++
		}
	}
	return n
}

func TestRelatedAdverts(t *testing.T) {
	s, c := open(Options{Live: 3000, PerWeekday: 800, Seed: 2})
	c.pass(14 * 24 * time.Hour)
	byRef := map[string]Record{}
	numbers, again, twins := 0, 0, 0
	for _, r := range s.Truth() {
		byRef[r.Reference] = r
		parent, ok := byRef[r.Parent]
		if r.Parent == "" {
			continue
		}
		if !ok {
			t.Errorf("%s comes before its parent %s", r.Reference, r.Parent)
			continue
		}
		a, b := parent.Versions[0].Advert, r.Versions[0].Advert
		if a.Title != b.Title || a.Employer != b.Employer || a.Account != b.Account {
			t.Errorf("%s is not the vacancy of %s", r.Reference, r.Parent)
		}
		switch r.Relation {
		case Sibling:
			if !cmp.Equal(a.Texts(), b.Texts()) || cmp.Equal(a.Sites, b.Sites) {
				t.Errorf("%s: other texts, or the same site", r.Reference)
			}
			if consecutive(a.Reference, b.Reference) {
				numbers++
			}
		case Twin:
			twins++
			switch was := s.board.byRef[r.Parent].at(r.Visible); {
			case was == nil:
				t.Errorf("%s appeared when %s had left", r.Reference, r.Parent)
			case b.Printed == "" || b.Printed != was.Printed || !cmp.Equal(b.Texts(), was.Texts()):
				t.Errorf("%s, printed %q, is no twin of %s", r.Reference, b.Printed, r.Parent)
			}
		case Readvert:
			if strings.HasPrefix(b.Texts().Summary[0], "Previous applicants need not apply") {
				again++
			}
			if a.Printed != "" && b.Printed == a.Printed {
				t.Errorf("%s is printed as %s again", r.Reference, b.Printed)
			}
		}
	}
	if numbers == 0 || again == 0 || twins == 0 {
		t.Errorf("%d consecutive siblings, %d words to previous applicants, %d twins", numbers, again, twins)
	}
	for old, want := range map[string]string{"": "", "259-77SBH-A": "259-77SBH-B", "147-WCH63338": "147-WCH63338-A"} {
		if got := nextPrinted(old); got != want {
			t.Errorf("after %q comes %q, want %q", old, got, want)
		}
	}
}

var lastNumber = regexp.MustCompile(`\d+$`)

func consecutive(a, b string) bool {
	var x, y int
	fmt.Sscan(strings.TrimLeft(lastNumber.FindString(a), "0"), &x)
	fmt.Sscan(strings.TrimLeft(lastNumber.FindString(b), "0"), &y)
	return y == x+1
}

func TestRhythm(t *testing.T) {
	s, _ := open(Options{})
	week := map[time.Weekday]int{}
	for h := range 14 * 24 {
		hour := at("2026-06-01T00:00:00Z").Add(time.Duration(h) * time.Hour)
		week[hour.In(world.London()).Weekday()] += len(s.arrivals(hour, 1000))
	}
	if m, sat := week[time.Monday]/2, week[time.Saturday]/2; m < 1000 || m > 1300 || sat < 40 || sat > 130 {
		t.Errorf("a Monday brings %d, a Saturday %d", m, sat)
	}
	for day, want := range map[string]bool{"2026-12-25": true, "2026-12-28": true, "2026-04-03": true, "2026-04-06": true, "2026-05-04": true,
		"2026-05-25": true, "2026-08-31": true, "2027-01-01": true, "2026-12-29": false, "2026-05-11": false, "2026-04-13": false, "2026-08-24": false, "2026-01-02": false} {
		if got := bankHoliday(Day(day).At(9, 0)); got != want {
			t.Errorf("%s is a bank holiday: %v", day, got)
		}
	}
	shapes := map[string]int{}
	common := regexp.MustCompile(`^[A-Z]\d{4}-\d{2}-\d{4}$`)
	any := regexp.MustCompile(`^[A-Z]\d{4}-[A-Za-z0-9-]+$`)
	big, _ := open(Options{Live: 4000})
	for _, e := range big.board.all {
		ref := e.now().Reference
		if !any.MatchString(ref) {
			t.Errorf("reference %s", ref)
		}
		shapes[fmt.Sprint(common.MatchString(ref))]++
	}
	if share := float64(shapes["true"]) / float64(shapes["true"]+shapes["false"]); math.Abs(share-.96) > .035 {
		t.Errorf("%.3f of the references have the common shape, want about .97", share)
	}
}

func TestAStory(t *testing.T) {
	s, c := open(Options{Quiet: true, Live: 50, Quirks: Quirks{Reopened: "new"}})
	total := func() string { return apiFeed(t, s, "limit=100").TotalResults }
	c.pass(time.Hour)
	old := nurse()
	old.Posted = c.t.Add(-48 * time.Hour)
	deep := s.Publish(old)
	ref := s.Publish(nurse())
	if f := apiFeed(t, s, "sort=publicationDateDesc&limit=100"); f.Rows[0].Reference != ref || f.Rows[1].Reference == deep {
		t.Errorf("newest first are %v; %s is new, %s is back-dated", f.refs()[:2], ref, deep)
	}
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	check("amend", s.Amend(ref, func(a *Advert) { a.Patterns[0] = "job-share" }))
	check("move", s.MoveClosing(ref, "2026-09-03"))
	c.t = date("2026-09-03", 23)
	if total() != "52" {
		t.Errorf("%s adverts before the end of the day", total())
	}
	c.pass(59 * time.Minute)
	if total() != "51" {
		t.Errorf("%s adverts at 23:59 of the closing date", total())
	}
	check("reopen", s.Reopen(ref, "2026-09-20"))
	if f := apiFeed(t, s, "sort=publicationDateDesc&limit=100"); f.Rows[0].Reference != ref || f.Rows[0].CloseDate != "2026-09-20" {
		t.Errorf("the reopened advert is not first: %+v", f.Rows[0])
	}
	check("close", s.CloseEarly(ref))
	if err := s.CloseEarly(ref); err == nil {
		t.Error("closed twice")
	}
	c.pass(100 * 24 * time.Hour)
	if total() != "50" {
		t.Errorf("a quiet site went from 50 to %s by itself", total())
	}
	var got []string
	for _, r := range s.Truth() {
		if r.Reference != ref {
			continue
		}
		for _, v := range r.Versions {
			got = append(got, v.Event)
		}
		for _, l := range r.Left {
			got = append(got, l.Why)
		}
		if !r.Story || r.Versions[0].Advert.Patterns[0] != "full-time" {
			t.Errorf("the first version has been written over: %+v", r.Versions[0].Advert)
		}
	}
	if d := cmp.Diff([]string{"new", "amended", "closing moved", "reopened", "expired", "early"}, got); d != "" {
		t.Error(d)
	}
}

func TestOrdersThatCannotBe(t *testing.T) {
	s, _ := open(Options{Quiet: true, Live: -1})
	ref := s.Publish(nurse())
	double := nurse()
	double.Reference = ref
	_, err := s.Add(double)
	for want, err := range map[string]error{
		"the reference " + ref + " is taken":                   err,
		"X: no such advert":                                    s.Amend("X", func(*Advert) {}),
		"amend " + ref + ": the advert has no title":           s.Amend(ref, func(a *Advert) { a.Title = "" }),
		"move " + ref + `: "" is not a day such as 2026-03-13`: s.MoveClosing(ref, ""),
		ref + " is still open":                                 s.Reopen(ref, "2026-10-01"),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if got := s.Truth()[0].Now().Title; got != "Staff Nurse" {
		t.Errorf("a refused change left the title %q", got)
	}
	for name, f := range map[string]func(){
		"no clock":  func() { New(Options{}) },
		"quirk":     func() { New(Options{Now: time.Now, Live: -1, Quirks: Quirks{Closed: "gone"}}) },
		"fault":     func() { New(Options{Now: time.Now, Live: -1, Faults: []Fault{{Kind: "flood"}}}) },
		"published": func() { s.Publish(Advert{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestTruthAsLines(t *testing.T) {
	s, _ := open(Options{Live: 20})
	var b bytes.Buffer
	if err := s.WriteTruth(&b); err != nil {
		t.Fatal(err)
	}
	lines, live := 0, 0
	for d := json.NewDecoder(&b); d.More(); lines++ {
		var r Record
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		if r.Live {
			live++
		}
	}
	if live != 20 || lines <= live {
		t.Errorf("%d lines, %d of them live", lines, live)
	}
	if err := s.WriteTruth(full{}); err == nil || !strings.Contains(err.Error(), "write the truth about ") {
		t.Errorf("a full disk gives %v", err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("HEAD", "https://www.jobs.nhs.uk/robots.txt", nil))
	if w.Body.Len() != 0 {
		t.Error("HEAD has a body")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("no space") }
