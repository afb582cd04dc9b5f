package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// What is kept of a record tells the same needs as the record, and goes with
// it: each state here follows on the one before, under one key.
func TestGlances(t *testing.T) {
	at := time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC)
	day := vacancy.LondonDay(at)
	k := vacancy.Key{Source: "nhs-jobs", Reference: "C9101-26-0001"}
	v := vacancy.Vacancy{Source: k.Source, Reference: k.Reference, Title: "Nurse", Closing: day.Add(9)}
	said := map[string]vacancy.Facts{"xml": vacancy.ListedFacts(&v)}
	moved, unread := v, v
	moved.Closing, unread.PageUnread = day.Add(20), true
	records := []vacancy.Record{
		{Vacancy: v, Listed: said, Version: 1},
		{Vacancy: v, Listed: said, Version: 2, Text: vacancy.Text{Duties: "Care."}},
		{Vacancy: moved, Listed: said, Version: 3},
		{Vacancy: unread, Listed: said, Version: 4},
		{Vacancy: unread, Listed: said, Version: 4, Silent: true},
		{Vacancy: v, Version: 5},
		{Vacancy: v, Listed: said, Closed: vacancy.Early, ClosedAt: at.Add(-time.Hour), Version: 6},
		{Vacancy: v, Listed: said, Closed: vacancy.Early, ClosedAt: at.Add(-time.Hour), Relisted: at.Add(-20 * time.Minute), Version: 7},
		{Vacancy: v, Listed: said, Closed: vacancy.Expired, ClosedAt: at.Add(-time.Hour), Version: 8},
	}
	g := newGlances()
	for i := range records {
		b := encode(&records[i])
		for range 2 { // taken apart, and kept
			got, err := g.of(k, b)
			if err != nil {
				t.Fatal(err)
			}
			for feed, listed := range map[string]*vacancy.Vacancy{"xml": &v, "html": &moved} {
				if got, want := got.Needs(feed, listed, at), records[i].Needs(feed, listed, at); got != want {
					t.Errorf("record %d, %s: needs %d, want %d", i, feed, got, want)
				}
			}
		}
	}
	if rec, err := g.of(k, nil); rec != nil || err != nil {
		t.Errorf("of no record: %v, %v", rec, err)
	}
	if _, err := g.of(k, []byte("damaged")); err == nil {
		t.Error("a damaged record is no error")
	}
	for i := range 3 * mostGlances {
		if _, err := g.of(vacancy.Key{Source: "nhs-jobs", Reference: fmt.Sprint(i)}, encode(&records[0])); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(g.kept); n > mostGlances {
		t.Errorf("%d are kept, want %d at most", n, mostGlances)
	}
}
