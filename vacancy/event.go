package vacancy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Kind is what happened in the life of a vacancy.
type Kind string

// The kinds of event.
const (
	New          Kind = "new"           // a reference not seen before
	Amended      Kind = "amended"       // a field changed, see Event.Changes
	ClosingMoved Kind = "closing_moved" // the closing date is another
	Closed       Kind = "closed"        // over, see Event.Reason
	Reopened     Kind = "reopened"      // closed before, open again
	Readvertised Kind = "readvertised"  // a new reference for an old vacancy, see Event.Related
)

// Kinds returns every kind of event.
func Kinds() []Kind { return []Kind{New, Amended, ClosingMoved, Closed, Reopened, Readvertised} }

// DefaultKinds are the events that a search asks for when it says nothing.
// Of the closing date only those hear who were told of the vacancy.
func DefaultKinds() []Kind { return []Kind{New, Readvertised, ClosingMoved} }

// Reasons of a Closed event.
const (
	Expired   = "expired"   // the closing date has passed
	Early     = "early"     // gone from the site before its closing date
	Withdrawn = "withdrawn" // the site says that it was withdrawn
)

// A Change is one field of a vacancy before and after. Field is the name of
// the field in the JSON shape; Before and After are as people read them.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// An Event is a thing that happened to a vacancy, once. It is identified by
// vacancy, kind and version.
type Event struct {
	// Seq orders the events of one slot of the store; it is given when the
	// event is appended. Slots are independent of each other.
	Seq  uint64 `json:"seq,omitempty"`
	Kind Kind   `json:"kind"`
	// Version counts the versions of the vacancy from 1. Every event raises it.
	Version int       `json:"version"`
	At      time.Time `json:"at"`
	Reason  string    `json:"reason,omitempty"`
	Changes []Change  `json:"changes,omitempty"`
	// Related is the reference of the vacancy that this one is tied to, and
	// Relation how: one of the Link constants.
	Related  string `json:"related,omitempty"`
	Relation string `json:"relation,omitempty"`
	// Vacancy is the vacancy after the event.
	Vacancy Vacancy `json:"vacancy"`
}

// ID names the event for ever: "nhs-jobs/C9259-26-0123|new|1".
func (e *Event) ID() string {
	return fmt.Sprintf("%s|%s|%d", e.Vacancy.Key(), e.Kind, e.Version)
}

// Diff returns the fields in which after differs from before, as a listing or
// a page states them. A field that one of the two does not state is no
// difference: feeds state different fields, and absence is not a change.
func Diff(before, after *Vacancy) []Change {
	var out []Change
	add := func(field, b, a string) {
		if b != "" && a != "" && b != a {
			out = append(out, Change{field, b, a})
		}
	}
	add("title", before.Title, after.Title)
	add("employer", before.Employer, after.Employer)
	add("closing", before.Closing.String(), after.Closing.String())
	if !sameSet(before.AllBands(), after.AllBands()) {
		add("band", strings.Join(before.AllBands(), "/"), strings.Join(after.AllBands(), "/"))
	}
	if before.Salary != nil && after.Salary != nil && !before.Salary.Equal(after.Salary) {
		add("salary", before.Salary.Text, after.Salary.Text)
	}
	if fold(before.Contract) != fold(after.Contract) {
		add("contract", before.Contract, after.Contract)
	}
	add("duration", before.Duration, after.Duration)
	if !sameSet(before.WorkingPatterns, after.WorkingPatterns) {
		add("working_patterns", strings.Join(before.WorkingPatterns, ", "), strings.Join(after.WorkingPatterns, ", "))
	}
	if !samePlaces(before.Locations, after.Locations) {
		add("locations", before.PlaceText(), after.PlaceText())
	}
	return out
}

// samePlaces compares by postcode where every place of both has one, else by
// town: a listing names the town, the page the site, and both mean the same
// place. The order is the feed's own, and a side without a name for a place
// shows no difference.
func samePlaces(a, b []Location) bool {
	code := func(l Location) string { return strings.ToUpper(strings.ReplaceAll(l.Postcode, " ", "")) }
	town := func(l Location) string { return strings.ToLower(l.Town) }
	for _, name := range []func(Location) string{code, town} {
		as, bs := namesOf(a, name), namesOf(b, name)
		if as != nil && bs != nil {
			return slices.Equal(as, bs)
		}
	}
	return true
}

// namesOf returns the names of places in order, each once; nil where a place
// has none.
func namesOf(ls []Location, name func(Location) string) []string {
	var out []string
	for _, l := range ls {
		n := name(l)
		if n == "" {
			return nil
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sameSet reports whether two lists hold the same, in any order.
func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}
