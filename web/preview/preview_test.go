package preview

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// noon is a Tuesday in winter: London keeps UTC.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// A shelf is a source of records. It counts how often it is read.
type shelf struct {
	records []vacancy.Record
	reads   int
	err     error
}

func (s *shelf) Recent(_ context.Context, since time.Time, f func(vacancy.Record) error) error {
	s.reads++
	for _, r := range s.records {
		if r.Closed != "" && r.ClosedAt.Before(since) {
			continue
		}
		if err := f(r); err != nil {
			return err
		}
	}
	return s.err
}

// record is a vacancy in Leeds that came up so many days before noon, and
// closes ten days after it.
func record(n, days int, edit ...func(*vacancy.Record)) vacancy.Record {
	at := noon.AddDate(0, 0, -days).Add(-time.Hour)
	r := vacancy.Record{Vacancy: vacancy.Vacancy{
		Source: "nhs-jobs", Reference: fmt.Sprintf("C9001-26-%04d", n), Title: fmt.Sprintf("Staff Nurse %d", n),
		URL:      fmt.Sprintf("https://www.jobs.nhs.uk/candidate/jobadvert/C9001-26-%04d", n),
		Employer: "Aire NHS Trust", Band: "5", BandFrom: vacancy.FromPrinted,
		Locations: []vacancy.Location{vacancy.ParseLocation("Leeds LS1 3EX")},
		Posted:    vacancy.AtTime(at), FirstSeen: at, Closing: vacancy.LondonDay(noon).Add(10),
	}, Text: vacancy.Text{Duties: "You look after the ward."}}
	r.Vacancy.Derive()
	for _, e := range edit {
		e(&r)
	}
	return r
}

func closed(days int) func(*vacancy.Record) {
	return func(r *vacancy.Record) {
		r.Closed, r.ClosedAt, r.Text = vacancy.Expired, noon.AddDate(0, 0, -days), vacancy.Text{}
		r.Vacancy.Closing = vacancy.LondonDay(r.ClosedAt)
	}
}

func band(b string) func(*vacancy.Record) { return func(r *vacancy.Record) { r.Vacancy.Band = b } }

func read(t testing.TB, records ...vacancy.Record) *Board {
	t.Helper()
	b, err := Read(t.Context(), &shelf{records: records}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ask(t testing.TB, b *Board, s vacancy.Search) *Answer {
	t.Helper()
	s.ID = "test"
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	a, err := b.Preview(t.Context(), &s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPreview(t *testing.T) {
	old := record(90, 200) // since then we have been watching
	for _, tt := range []struct {
		name    string
		search  vacancy.Search
		records []vacancy.Record
		want    string // matches of seen, open now of open, mails a day
		newest  string
	}{
		{"nothing is known", vacancy.Search{Bands: []string{"5"}}, nil, "0 of 0, 0 of 0, daily 0.0", ""},
		{"open and new", vacancy.Search{Bands: []string{"5"}}, []vacancy.Record{record(1, 0), record(2, 1, band("6"))}, "1 of 2, 1 of 2, daily 0.2", "0001"},
		{"open and old", vacancy.Search{Bands: []string{"5"}}, []vacancy.Record{record(1, 30), record(2, 29)}, "1 of 1, 2 of 2, daily 0.2", "0002"},
		{"new and closed since", vacancy.Search{Bands: []string{"5"}}, []vacancy.Record{record(1, 12, closed(2))}, "1 of 1, 0 of 0, daily 0.2", "0001 closed"},
		{"old and closed", vacancy.Search{Bands: []string{"5"}}, []vacancy.Record{record(1, 40, closed(2)), record(2, 60, closed(35))}, "0 of 0, 0 of 0, daily 0.0", ""},
		{"closed by its date, not yet noticed", vacancy.Search{Bands: []string{"5"}},
			[]vacancy.Record{record(1, 12, func(r *vacancy.Record) { r.Vacancy.Closing = vacancy.LondonDay(noon).Add(-1) })}, "1 of 1, 0 of 0, daily 0.2", "0001 closed"},
		{"closes today", vacancy.Search{Bands: []string{"5"}},
			[]vacancy.Record{record(1, 12, func(r *vacancy.Record) { r.Vacancy.Closing = vacancy.LondonDay(noon) })}, "1 of 1, 1 of 1, daily 0.2", "0001"},
		{"listed twice at a time", vacancy.Search{Bands: []string{"5"}},
			[]vacancy.Record{record(1, 3), record(2, 2, func(r *vacancy.Record) {
				r.Link = vacancy.Link{Kind: vacancy.LinkTwin, Reference: "C9001-26-0001", First: true}
			})},
			"1 of 1, 1 of 1, daily 0.2", "0001"},
		{"days with a mail", vacancy.Search{Bands: []string{"5"}}, []vacancy.Record{record(1, 3), record(2, 3), record(3, 9)}, "3 of 3, 3 of 3, daily 0.5", "0001 0002 0003"},
		{"the day it came up and today", vacancy.Search{Bands: []string{"5"}, DaysLeft: 12}, []vacancy.Record{record(1, 3), record(2, 0)}, "1 of 2, 0 of 2, daily 0.2", "0001"},
		{"words of a text that is kept", vacancy.Search{Keywords: "ward"}, []vacancy.Record{record(1, 3), record(2, 3, closed(1))}, "1 of 2, 1 of 1, daily 0.2", "0001"},
		{"ten at most", vacancy.Search{Bands: []string{"5"}}, func() (out []vacancy.Record) {
			for n := range 12 {
				out = append(out, record(n, 11-n))
			}
			return out
		}(), "12 of 12, 12 of 12, daily 2.8", "0011 0010 0009 0008 0007 0006 0005 0004 0003 0002"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := ask(t, read(t, append(tt.records, func() vacancy.Record { r := old; closed(0)(&r); return r }())...), tt.search)
			got := fmt.Sprintf("%d of %d, %d of %d, daily %.1f", a.Forecast.Matches, a.Forecast.Seen, a.OpenNow, a.Open, a.Mails.Daily)
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			var newest []string
			for _, h := range a.Newest {
				text := strings.TrimPrefix(h.Vacancy.Reference, "C9001-26-")
				if !h.Open {
					text += " closed"
				}
				if h.Why == "" {
					t.Errorf("%s does not say why it matches", text)
				}
				newest = append(newest, text)
			}
			if got := strings.Join(newest, " "); got != tt.newest {
				t.Errorf("newest: got %q, want %q", got, tt.newest)
			}
		})
	}
}

// The hours, days and weeks with a mail are counted.
func TestMails(t *testing.T) {
	hour := func(h int) func(*vacancy.Record) {
		return func(r *vacancy.Record) {
			r.Vacancy.Posted = vacancy.AtTime(r.Vacancy.Posted.Time.Add(time.Duration(h) * time.Hour))
		}
	}
	a := ask(t, read(t, record(1, 3), record(2, 3), record(3, 3, hour(-2)), record(4, 4), record(5, 25)), vacancy.Search{Bands: []string{"5"}})
	got := fmt.Sprintf("%.2f", []float64{a.Mails.At(""), a.Mails.At(vacancy.Hourly), a.Mails.At(vacancy.Daily), a.Mails.At(vacancy.Weekly)})
	if want := "[1.17 0.93 0.70 0.47]"; got != want { // 5, 4, 3 and 2 of 30 days
		t.Errorf("got %s, want %s", got, want)
	}
	var all []vacancy.Record
	for day := range Days {
		all = append(all, record(day, day))
	}
	if m := ask(t, read(t, all...), vacancy.Search{Bands: []string{"5"}}).Mails; m.Daily != 7 || m.Weekly != 1 {
		t.Errorf("one each day: got %+v", m)
	}
}

// What makes the count too low is said.
func TestWarnings(t *testing.T) {
	since := "We have been watching since 14 November 2026 only."
	text := "The text of an advert is not kept once it has closed"
	long := record(9, 300, closed(0))
	for _, tt := range []struct {
		name    string
		search  vacancy.Search
		records []vacancy.Record
		want    map[string]bool
	}{
		{"watched for ten days", vacancy.Search{Bands: []string{"5"}}, []vacancy.Record{record(1, 10)}, map[string]bool{since: true, text: false}},
		{"watched for long", vacancy.Search{Bands: []string{"5"}}, []vacancy.Record{record(1, 10), long}, map[string]bool{since: false}},
		{"nothing is known", vacancy.Search{Bands: []string{"5"}}, nil, map[string]bool{since: false}},
		{"words and a closed advert", vacancy.Search{Keywords: "ward"}, []vacancy.Record{record(1, 10, closed(1)), long}, map[string]bool{text: true, since: false}},
		{"words and open adverts", vacancy.Search{Keywords: "ward"}, []vacancy.Record{record(1, 10), long}, map[string]bool{text: false}},
		{"a closed advert without words", vacancy.Search{Bands: []string{"5"}}, []vacancy.Record{record(1, 10, closed(1)), long}, map[string]bool{text: false}},
		{"advice", vacancy.Search{Bands: []string{"5"}}, nil, map[string]bool{"No place and no employer is named": true}},
		{"nothing matched", vacancy.Search{Bands: []string{"9"}}, []vacancy.Record{record(1, 1)}, map[string]bool{"Nothing matched in the last 30 days.": true}},
	} {
		all := strings.Join(ask(t, read(t, tt.records...), tt.search).Warnings, "\n")
		for says, want := range tt.want {
			if got := strings.Contains(all, says); got != want {
				t.Errorf("%s: %q is said: %v, want %v, in:\n%s", tt.name, says, got, want, all)
			}
		}
	}
}

func TestLoosenings(t *testing.T) {
	near, err := vacancy.NewPlace("York", 20)
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, record(1, 3), record(2, 4), record(3, 5, band("6")))
	a := ask(t, b, vacancy.Search{Places: []vacancy.Place{near}, Bands: []string{"5"}})
	want := []Loosening{
		{Criterion: "place", Change: "search 5 miles further", Adds: 2, Query: "band=5&miles=25&near=York"},
		{Criterion: "place", Change: "search 10 miles further", Adds: 2, Query: "band=5&miles=30&near=York"},
	}
	if diff := cmp.Diff(want, a.Loosenings); diff != "" {
		t.Errorf("loosenings (-want +got):\n%s", diff)
	}
}

func TestRemembered(t *testing.T) {
	b := read(t, record(1, 3))
	prepared := func(n int) *vacancy.Search {
		s := vacancy.Search{ID: "test", MinSalary: n, Bands: []string{"5"}}
		if err := s.Prepare(); err != nil {
			t.Fatal(err)
		}
		return &s
	}
	first, err := b.Remembered(t.Context(), prepared(100))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 * mostAnswers {
		if _, err := b.Remembered(t.Context(), prepared(1000+n)); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			if again, err := b.Remembered(t.Context(), prepared(100)); err != nil || again != first {
				t.Error("the answer was worked out again")
			}
		}
		if len(b.answers) > mostAnswers {
			t.Fatalf("%d answers are kept", len(b.answers))
		}
	}
	// What no query can ask for is answered, and not remembered.
	odd := prepared(0)
	odd.Keywords = "nurse\nward"
	if err := odd.Prepare(); err != nil {
		t.Fatal(err)
	}
	before := len(b.answers)
	if _, err := b.Remembered(t.Context(), odd); err != nil || len(b.answers) != before {
		t.Errorf("got %v, and %d answers instead of %d", err, len(b.answers), before)
	}

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Remembered(ended, prepared(7)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the visitor has gone: got %v", err)
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("no such store")
	if _, err := Read(t.Context(), &shelf{err: broken}, noon); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
