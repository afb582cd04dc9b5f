package vacancy

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	noon    = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	closing = Day{2026, time.March, 13}
)

// listed is a vacancy as its listing alone gives it.
func listed(edit ...func(*Vacancy)) Vacancy {
	v := Vacancy{
		Source: "nhs-jobs", Reference: "C9001-26-0123", Title: "Ward Clerk", Employer: "Marlowe Health NHS Trust",
		Salary: ParseSalary("£26,000 to £28,000 a year"), Contract: "Permanent", WorkingPatterns: []string{"Full time"},
		Locations: []Location{{Town: "London", Postcode: "E1 1BB"}}, Closing: closing, PageUnread: true,
	}
	for _, e := range edit {
		e(&v)
	}
	return v
}

// read is the same with its advert page.
func read(edit ...func(*Vacancy)) Vacancy {
	v := listed()
	v.PageUnread, v.Band, v.BandFrom, v.Text.Summary = false, "3", FromPrinted, "Keep the ward's papers in order."
	for _, e := range edit {
		e(&v)
	}
	return v
}

func sight(v Vacancy, edit ...func(*Sighting)) *Sighting {
	s := &Sighting{Vacancy: v, At: noon, Feed: "xml", Listed: ListedFacts(&v)}
	for _, e := range edit {
		e(s)
	}
	return s
}

func closes(d Day) func(*Vacancy)         { return func(v *Vacancy) { v.Closing = d } }
func in(feed string) func(*Sighting)      { return func(s *Sighting) { s.Feed = feed } }
func at(t time.Time) func(*Sighting)      { return func(s *Sighting) { s.At = t } }
func posted(m Moment) func(*Vacancy)      { return func(v *Vacancy) { v.Posted = m } }
func baseline(s *Sighting)                { s.Baseline, s.BaselineSince = true, noon }
func titled(title string) func(*Vacancy)  { return func(v *Vacancy) { v.Title = title } }
func paid(text string) func(*Vacancy)     { return func(v *Vacancy) { v.Salary = ParseSalary(text) } }
func sites(ls ...Location) func(*Vacancy) { return func(v *Vacancy) { v.Locations = ls } }

// told is what a test compares of an event.
type told struct {
	Kind    Kind
	Version int
	Changes []Change
}

func tell(events []Event) []told {
	var out []told
	for _, e := range events {
		out = append(out, told{e.Kind, e.Version, e.Changes})
	}
	return out
}

func TestSeeUnknown(t *testing.T) {
	isNew := []told{{New, 1, nil}}
	tests := []struct {
		name string
		s    *Sighting
		want []told
	}{
		{"read", sight(read()), isNew},
		{"page unread", sight(listed()), isNew},
		{"baseline", sight(listed(), baseline), nil},
		{"baseline, posted before it", sight(listed(posted(AtTime(noon.Add(-time.Minute)))), baseline), nil},
		{"baseline, posted as it began", sight(listed(posted(AtTime(noon))), baseline), nil},
		{"baseline, posted after it began", sight(listed(posted(AtTime(noon.Add(time.Minute)))), baseline), isNew},
		{"baseline, posted on a later day", sight(listed(posted(OnDay(closing))), baseline), nil},
		{"no baseline, posted on a day", sight(listed(posted(OnDay(Day{2026, time.March, 1})))), isNew},
	}
	for _, tt := range tests {
		after, events, again := (*Record)(nil).See(tt.s)
		if diff := cmp.Diff(tt.want, tell(events)); diff != "" || again {
			t.Errorf("%s: again %v, events (-want +got):\n%s", tt.name, again, diff)
		}
		if after.Version != 1 || after.Silent != (tt.want == nil) || !after.Vacancy.FirstSeen.Equal(noon) {
			t.Errorf("%s: version %d, silent %v, first seen %v", tt.name, after.Version, after.Silent, after.Vacancy.FirstSeen)
		}
		if after.Text != tt.s.Vacancy.Text || after.Listed["xml"] != tt.s.Listed {
			t.Errorf("%s: text %v, listed %v are not those of the sighting", tt.name, after.Text, after.Listed)
		}
	}
}

func TestSeeAgain(t *testing.T) {
	earlier, later := closing.Add(-3), closing.Add(7)
	moved := func(version int, from, to Day) told {
		return told{ClosingMoved, version, []Change{{"closing", from.String(), to.String()}}}
	}
	amended := func(version int, field, before, after string) told {
		return told{Amended, version, []Change{{field, before, after}}}
	}
	hospital := Location{Town: "Leeds", Postcode: "LS1 3EX"}
	both := sites(Location{Town: "London", Postcode: "E1 1BB"}, hospital)
	tests := []struct {
		name  string
		seen  []*Sighting // the first makes the record
		want  []told      // of all that follow
		again bool        // of the last
	}{
		{"the same page", []*Sighting{sight(read()), sight(read())}, nil, false},
		{"closing later", []*Sighting{sight(read()), sight(listed(closes(later)))}, []told{moved(2, closing, later)}, false},
		{"closing earlier", []*Sighting{sight(read()), sight(listed(closes(earlier)))}, []told{moved(2, closing, earlier)}, false},
		{"closing moved twice", []*Sighting{sight(read()), sight(listed(closes(later))), sight(listed(closes(earlier)))},
			[]told{moved(2, closing, later), moved(3, later, earlier)}, false},
		{"closing moved there and back", []*Sighting{sight(read()), sight(listed(closes(later))), sight(listed())},
			[]told{moved(2, closing, later), moved(3, later, closing)}, false},
		{"closing moved in another feed", []*Sighting{sight(read()), sight(listed(closes(later)), in("html"))},
			[]told{moved(2, closing, later)}, false},
		{"closing not stated", []*Sighting{sight(read()), sight(listed(closes(Day{})))}, nil, false},
		{"closing stated for the first time", []*Sighting{sight(read(closes(Day{}))), sight(listed())}, nil, false},
		{"amended", []*Sighting{sight(read()), sight(read(titled("Senior Ward Clerk")))},
			[]told{amended(2, "title", "Ward Clerk", "Senior Ward Clerk")}, false},
		{"a page field amended", []*Sighting{sight(read()), sight(read(func(v *Vacancy) { v.Band = "4" }))},
			[]told{amended(2, "band", "3", "4")}, false},
		{"moved and amended", []*Sighting{sight(read()), sight(read(closes(later), paid("£30,000 a year")))},
			[]told{moved(2, closing, later), amended(3, "salary", "£26,000 to £28,000 a year", "£30,000 a year")}, false},
		{"a site more", []*Sighting{sight(read()), sight(read(both))},
			[]told{amended(2, "locations", "London E1 1BB", "London E1 1BB; Leeds LS1 3EX")}, false},
		{"a site less", []*Sighting{sight(read(both)), sight(read())},
			[]told{amended(2, "locations", "London E1 1BB; Leeds LS1 3EX", "London E1 1BB")}, false},
		{"a page that names fewer sites than its listing", []*Sighting{sight(read(both)),
			sight(read(), func(s *Sighting) { v := listed(both); s.Listed = ListedFacts(&v) })}, nil, false},
		{"fields absent later", []*Sighting{sight(read()), sight(read(func(v *Vacancy) {
			v.Band, v.Salary, v.Contract, v.WorkingPatterns, v.Locations = "", nil, "", nil, nil
		}))}, nil, false},
		{"fields absent earlier", []*Sighting{sight(read(func(v *Vacancy) { v.Band, v.Salary = "", nil })), sight(read())}, nil, false},
		{"another feed sets its baseline", []*Sighting{sight(read()),
			sight(listed(paid("26000 - 28000"), sites(Location{Town: "Whitechapel"})), in("html"))}, nil, false},
		{"unread, then read", []*Sighting{sight(listed()), sight(read())}, nil, true},
		{"unread, then unread", []*Sighting{sight(listed()), sight(listed())}, nil, false},
		{"unread, read, read", []*Sighting{sight(listed()), sight(read()), sight(read())}, nil, false},
		{"silent, then read", []*Sighting{sight(listed(), baseline), sight(read())}, nil, false},
		{"a new posting time", []*Sighting{sight(read()), sight(listed(posted(AtTime(noon))))}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, _, _ := (*Record)(nil).See(tt.seen[0])
			var got []told
			var again bool
			for _, s := range tt.seen[1:] {
				held := asJSON(t, r)
				before := r
				var events []Event
				r, events, again = before.See(s)
				got = append(got, tell(events)...)
				if diff := cmp.Diff(held, asJSON(t, before)); diff != "" {
					t.Errorf("See altered its receiver (-before +after):\n%s", diff)
				}
				if want := before.Version + len(events); r.Version != want {
					t.Errorf("version %d after %d events on version %d", r.Version, len(events), before.Version)
				}
				for _, e := range events {
					if e.Vacancy.Text != r.Text || !e.At.Equal(s.At) {
						t.Errorf("%s: text %v at %v, want %v at %v", e.ID(), e.Vacancy.Text, e.At, r.Text, s.At)
					}
				}
				repeated, more, twice := r.See(s)
				if len(more) > 0 || twice {
					t.Errorf("seen twice: %v, again %v", tell(more), twice)
				}
				if diff := cmp.Diff(asJSON(t, r), asJSON(t, repeated)); diff != "" {
					t.Errorf("seen twice (-once +twice):\n%s", diff)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || again != tt.again {
				t.Errorf("again %v, want %v; events (-want +got):\n%s", again, tt.again, diff)
			}
		})
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSeeKeepsWhatThePageSaid(t *testing.T) {
	r, _, _ := (*Record)(nil).See(sight(read()))
	r, _, _ = r.See(sight(listed(closes(closing.Add(1)))))
	if r.Vacancy.PageUnread || r.Vacancy.Band != "3" || r.Text != read().Text {
		t.Errorf("a listing took away what the page said: %+v, text %v", r.Vacancy, r.Text)
	}
}

func TestNeeds(t *testing.T) {
	known := sight(read())
	later := closing.Add(7)
	tests := []struct {
		name   string
		seen   *Sighting // nil: unknown
		closed bool      // on the day after the closing date
		feed   string
		listed Vacancy
		want   Need
	}{
		{"unknown", nil, false, "xml", listed(), NeedNew},
		{"as before", known, false, "xml", listed(), NeedNothing},
		{"closing moved", known, false, "xml", listed(closes(later)), NeedAccept},
		{"closing not stated", known, false, "xml", listed(closes(Day{})), NeedNothing},
		{"title changed", known, false, "xml", listed(titled("Clerk")), NeedChanged},
		{"first in another feed", known, false, "html", listed(paid("26000")), NeedNote},
		{"first in another feed, with another date", known, false, "html", listed(closes(later)), NeedAccept},
		{"page never read", sight(listed()), false, "xml", listed(), NeedPage},
		{"page never read of a silent one", sight(listed(), baseline), false, "xml", listed(), NeedNothing},
		{"silent one changed", sight(listed(), baseline), false, "xml", listed(titled("Clerk")), NeedChanged},
		{"closed, an old page", known, true, "xml", listed(), NeedNothing},
		{"closed, an old page of other words", known, true, "xml", listed(titled("Clerk")), NeedNothing},
		{"closed, no date", known, true, "xml", listed(closes(Day{})), NeedNothing},
		{"closed, a later date", known, true, "xml", listed(closes(later)), NeedPage},
	}
	for _, tt := range tests {
		var r *Record
		if tt.seen != nil {
			rec, _, _ := r.See(tt.seen)
			if tt.closed {
				rec, _, _ = rec.Expire(closing.Add(1), closing.Add(1).StartIn(London()))
			}
			r = &rec
		}
		if got := r.Needs(tt.feed, &tt.listed, closing.StartIn(London())); got != tt.want {
			t.Errorf("%s: needs %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestExpire(t *testing.T) {
	summer, winter := Day{2026, time.July, 10}, Day{2026, time.January, 10}
	tests := []struct {
		name    string
		closing Day
		at      time.Time
		want    bool
	}{
		{"summer, a second before London's midnight", summer, time.Date(2026, time.July, 10, 22, 59, 59, 0, time.UTC), false},
		{"summer, London's midnight", summer, time.Date(2026, time.July, 10, 23, 0, 0, 0, time.UTC), true},
		{"winter, a second before London's midnight", winter, time.Date(2026, time.January, 10, 23, 59, 59, 0, time.UTC), false},
		{"winter, London's midnight", winter, time.Date(2026, time.January, 11, 0, 0, 0, 0, time.UTC), true},
		{"no closing date", Day{}, noon.AddDate(5, 0, 0), false},
	}
	for _, tt := range tests {
		r, _, _ := (*Record)(nil).See(sight(read(closes(tt.closing)), at(tt.at.AddDate(0, 0, -5))))
		after, event, ok := r.Expire(LondonDay(tt.at), tt.at)
		if ok != tt.want {
			t.Errorf("%s: expired %v, want %v", tt.name, ok, tt.want)
		}
		if !ok {
			continue
		}
		if after.Closed != Expired || !after.ClosedAt.Equal(tt.at) || after.Version != 2 || after.Text != (Text{}) {
			t.Errorf("%s: closed %q at %v, version %d, text %v", tt.name, after.Closed, after.ClosedAt, after.Version, after.Text)
		}
		if event.Kind != Closed || event.Reason != Expired || event.Version != 2 || !event.At.Equal(tt.at) {
			t.Errorf("%s: event %s for reason %q at %v", tt.name, event.ID(), event.Reason, event.At)
		}
		if r.Closed != "" || r.Text == (Text{}) {
			t.Errorf("%s: Expire altered its receiver", tt.name)
		}
		if _, _, ok := after.Expire(LondonDay(tt.at).Add(1), tt.at.AddDate(0, 0, 1)); ok {
			t.Errorf("%s: closed twice", tt.name)
		}
	}
}

func TestSeeClosed(t *testing.T) {
	// Midnight in a London summer is still the closing day in UTC.
	last := Day{2026, time.July, 10}
	midnight := last.Add(1).StartIn(London())
	open, _, _ := (*Record)(nil).See(sight(read(closes(last)), at(midnight.AddDate(0, 0, -9))))
	closed, _, ok := open.Expire(last.Add(1), midnight)
	if !ok {
		t.Fatal("not expired")
	}
	morning := midnight.Add(9 * time.Hour)
	tests := []struct {
		name    string
		closing Day
		at      time.Time
		want    []told
	}{
		{"an old page", last, morning, nil},
		{"an old page of an earlier date", last.Add(-4), morning, nil},
		{"no date", Day{}, morning, nil},
		{"a later date", last.Add(7), morning, []told{{Reopened, 3, []Change{{"closing", "2026-07-10", "2026-07-17"}}}}},
		{"until today", last.Add(1), morning, []told{{Reopened, 3, []Change{{"closing", "2026-07-10", "2026-07-11"}}}}},
		{"a later date that has passed as well", last.Add(3), morning.AddDate(0, 0, 30), nil},
	}
	for _, tt := range tests {
		after, events, again := closed.See(sight(read(closes(tt.closing)), at(tt.at)))
		if diff := cmp.Diff(tt.want, tell(events)); diff != "" || again {
			t.Errorf("%s: again %v, events (-want +got):\n%s", tt.name, again, diff)
		}
		if reopened := tt.want != nil; (after.Closed == "") != reopened || after.ClosedAt.IsZero() != reopened || (after.Text != Text{}) != reopened {
			t.Errorf("%s: closed %q at %v, text %v", tt.name, after.Closed, after.ClosedAt, after.Text)
		}
		if _, more, _ := after.See(sight(read(closes(tt.closing)), at(tt.at))); len(more) > 0 {
			t.Errorf("%s: seen twice: %v", tt.name, tell(more))
		}
	}
	old := listed(closes(last))
	if got := closed.Needs("xml", &old, midnight); got != NeedNothing {
		t.Errorf("an old page needs %d, want nothing", got)
	}
	if closed.Closed != Expired {
		t.Error("See altered its receiver")
	}
}

func TestClosesBy(t *testing.T) {
	vs := []Vacancy{{Reference: "d"}, {Reference: "c", Closing: closing}, {Reference: "b", Closing: closing}, {Reference: "a", Closing: closing.Add(1)}}
	slices.SortFunc(vs, func(a, b Vacancy) int { return ClosesBy(&a, &b) })
	var got string
	for _, v := range vs {
		got += v.Reference
	}
	if got != "bcad" {
		t.Errorf("sorted %q, want %q", got, "bcad")
	}
}
