package alerts

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// entry is an item of a digest that is tied to another, "" for none.
func entry(ref, kind, to string) DigestItem {
	v := vacancy.Vacancy{Source: "s", Reference: ref}
	return DigestItem{
		Event:  vacancy.Event{Kind: vacancy.New, Version: 1, Vacancy: v},
		Record: vacancy.Record{Vacancy: v, Link: vacancy.Link{Kind: kind, Reference: to, Why: "why"}},
	}
}

// Twins and siblings in one digest are one entry, whichever comes first, and no
// item is ever left out.
func TestEntries(t *testing.T) {
	moved := entry("b", vacancy.LinkTwin, "a")
	moved.Event.Kind = vacancy.ClosingMoved
	elsewhere := entry("a", "", "")
	elsewhere.Event.Vacancy.Source, elsewhere.Record.Vacancy.Source = "other", "other"
	for name, tt := range map[string]struct {
		items []DigestItem
		want  string
	}{
		"none":               {nil, ""},
		"alone":              {[]DigestItem{entry("a", "", ""), entry("b", "", "")}, "a b"},
		"twin":               {[]DigestItem{entry("a", "", ""), entry("x", "", ""), entry("b", vacancy.LinkTwin, "a")}, "a(twin b) x"},
		"twin comes first":   {[]DigestItem{entry("b", vacancy.LinkTwin, "a"), entry("x", "", ""), entry("a", "", "")}, "x a(twin b)"},
		"siblings":           {[]DigestItem{entry("c", vacancy.LinkSibling, "b"), entry("a", "", ""), entry("b", vacancy.LinkSibling, "a")}, "a(sibling c)(sibling b)"},
		"the other is not":   {[]DigestItem{entry("b", vacancy.LinkTwin, "a")}, "b[twin a]"},
		"advertised again":   {[]DigestItem{entry("a", "", ""), entry("b", vacancy.LinkReadvert, "a")}, "a b[readvertised a]"},
		"news of a twin":     {[]DigestItem{entry("a", "", ""), moved}, "a b"},
		"another source":     {[]DigestItem{elsewhere, entry("b", vacancy.LinkTwin, "a")}, "a b[twin a]"},
		"a ring":             {[]DigestItem{entry("a", vacancy.LinkTwin, "b"), entry("b", vacancy.LinkTwin, "a"), entry("x", "", "")}, "a[twin b] b[twin a] x"},
		"into a ring":        {[]DigestItem{entry("a", vacancy.LinkTwin, "b"), entry("b", vacancy.LinkTwin, "a"), entry("c", vacancy.LinkTwin, "a")}, "a[twin b] b[twin a] c[twin a]"},
		"to itself":          {[]DigestItem{entry("a", vacancy.LinkTwin, "a")}, "a[twin a]"},
		"two of one vacancy": {[]DigestItem{entry("a", "", ""), func() DigestItem { m := entry("a", "", ""); m.Event.Kind = vacancy.ClosingMoved; return m }()}, "a a"},
	} {
		var got []string
		for _, it := range entries(&vacancy.Search{}, tt.items, vacancy.Day{}) {
			e := it.Event.Vacancy.Reference
			if it.Event.Related != "" {
				e += fmt.Sprintf("[%s %s]", it.Event.Relation, it.Event.Related)
			}
			if it.Event.Related != "" && it.RelatedWhy == "" {
				t.Errorf("%s: %s does not say why", name, e)
			}
			for _, o := range it.Others {
				e += fmt.Sprintf("(%s %s)", o.Relation, o.Vacancy.Reference)
			}
			got = append(got, e)
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// An event that was stored before a relative was known says so all the same
// when it is told, and keeps the one that it was made with.
func TestItemRelation(t *testing.T) {
	link := vacancy.Link{Kind: vacancy.LinkTwin, Reference: "a", Why: "why"}
	for name, tt := range map[string]struct {
		event vacancy.Event
		want  string
	}{
		"learnt later":   {vacancy.Event{Kind: vacancy.New}, "twin a why"},
		"known before":   {vacancy.Event{Kind: vacancy.New, Related: "a", Relation: vacancy.LinkTwin}, "twin a why"},
		"another before": {vacancy.Event{Kind: vacancy.Readvertised, Related: "z", Relation: vacancy.LinkReadvert}, "readvertised z "},
		"other news":     {vacancy.Event{Kind: vacancy.Amended}, "  "},
	} {
		it := item(&vacancy.Search{}, tt.event, vacancy.Record{Link: link}, vacancy.Day{})
		if got := it.Event.Relation + " " + it.Event.Related + " " + it.RelatedWhy; got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}
