package message

import (
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Plain words are those of the mail: every one of them stands in its text.
func TestPlain(t *testing.T) {
	at := time.Date(2026, 6, 24, 8, 22, 0, 0, time.UTC)
	v := vacancy.Vacancy{Reference: "C9000-26-0123", URL: "https://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0123", Title: "Medical\r\nSecretary \u202e",
		Employer: "Marlowe Vale NHS Foundation Trust", Band: "4", Contract: "Permanent", Closing: vacancy.Day{Year: 2026, Month: 7, Day: 8},
		Locations: []vacancy.Location{{Town: "Marlowe"}}}
	twin := v
	twin.Reference, twin.URL = "C9000-26-0124", "https://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0124"
	a := Alert{
		Search: vacancy.Search{Name: "Near E1", Bands: []string{"4"}}, Also: []vacancy.Search{{Name: "Second"}}, At: at, More: 2,
		StopURL: "https://watch.example.org/u/x", PageURL: "https://watch.example.org/",
		Items: []Item{{
			Event: vacancy.Event{Kind: vacancy.ClosingMoved, At: at, Vacancy: v, Related: "C9000-26-0042", Relation: vacancy.LinkTwin,
				Changes: []vacancy.Change{{Field: "closing", Before: "2026-07-01", After: "2026-07-08"}}},
			Outcomes: []vacancy.Outcome{{Pass: true, Stated: true, Reason: "Band 4"}, {Pass: true, Reason: "no salary stated"}},
			Others:   []Other{{Relation: vacancy.LinkTwin, Vacancy: twin}},
		}},
	}
	text, err := Text(a)
	if err != nil {
		t.Fatal(err)
	}
	p := NewPlain(a)
	it := p.Items[0]
	words := []string{p.Heading, p.Search, p.Words, p.Also[0], p.StopURL, p.PageURL, it.Closing, it.Title, it.URL, it.Employer, it.Place, it.Why[0], it.Note,
		it.Changes[0], it.Unknown[0]}
	words = append(words, it.Facts...)
	for _, l := range it.Tied {
		words = append(words, l.Before+l.Text+l.After, l.URL)
	}
	if len(it.Facts) < 2 || len(it.Tied) != 2 || p.More != 2 {
		t.Errorf("got %+v", p)
	}
	for _, w := range words {
		if w == "" || !strings.Contains(string(text), w) {
			t.Errorf("%q is not in the mail:\n%s", w, text)
		}
	}
	a.Items = make([]Item, MaxItems+5)
	if p := NewPlain(a); len(p.Items) != MaxItems || p.More != 7 {
		t.Errorf("%d items and %d more, want %d and 7", len(p.Items), p.More, MaxItems)
	}
}
