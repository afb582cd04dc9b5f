package vacancy

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Sighting is a vacancy as a crawl saw it, at a time, in a feed.
type Sighting struct {
	Vacancy Vacancy
	At      time.Time
	// Feed tells the listings of one site apart ("xml", "html"): they word
	// one salary and one place in different ways, so a listing is compared
	// only with an earlier one of its own feed. It is "" where the page alone
	// was read, and no listing.
	Feed string
	// Listed is what that listing said, before the advert page was merged in.
	Listed Facts
	// Baseline is set while a source is looked at for the first time, or
	// after its state was lost: what is found was there before us and is told
	// to nobody, unless it was posted after BaselineSince.
	Baseline      bool
	BaselineSince time.Time
	// Epoch names the life of the stored state in which the run began. A
	// store that has lost its state since refuses the sighting.
	Epoch string
	// Link ties an unknown vacancy to one known before, see Relate.
	Link Link
}

// silent reports whether an unknown vacancy was there before the source was
// first looked at. A posting known to the day only cannot show otherwise.
func (s *Sighting) silent() bool {
	p := s.Vacancy.Posted
	return s.Baseline && (p.IsZero() || p.DayOnly || !p.Time.After(s.BaselineSince))
}

// Facts are what one feed's listing states, in that feed's own words.
type Facts struct {
	Title    string `json:"title,omitempty"`
	Employer string `json:"employer,omitempty"`
	Salary   string `json:"salary,omitempty"`
	Places   string `json:"places,omitempty"`
	Contract string `json:"contract,omitempty"`
	Patterns string `json:"patterns,omitempty"`
}

// ListedFacts are the facts of a vacancy as a listing gave it.
func ListedFacts(v *Vacancy) Facts {
	f := Facts{
		Title: v.Title, Employer: v.Employer, Places: v.PlaceText(),
		Contract: fold(v.Contract), Patterns: strings.Join(v.WorkingPatterns, ","),
	}
	if v.Salary != nil {
		f.Salary = v.Salary.Text
	}
	return f
}

// differ names the fields, as Diff does, in which two listings of one feed
// differ.
func (f Facts) differ(o Facts) []string {
	var out []string
	for _, d := range []struct {
		field string
		same  bool
	}{
		{"title", f.Title == o.Title}, {"employer", f.Employer == o.Employer}, {"salary", f.Salary == o.Salary},
		{"locations", f.Places == o.Places}, {"contract", f.Contract == o.Contract}, {"working_patterns", f.Patterns == o.Patterns},
	} {
		if !d.same {
			out = append(out, d.field)
		}
	}
	return out
}

// take takes over the named fields of a listing whose page was not read. What
// the listing does not state stays.
func (v *Vacancy) take(listed *Vacancy, fields []string) {
	for _, field := range fields {
		switch {
		case field == "title" && listed.Title != "":
			v.Title = listed.Title
		case field == "employer" && listed.Employer != "":
			v.Employer = listed.Employer
		case field == "salary" && listed.Salary != nil:
			v.Salary = listed.Salary
		case field == "locations" && len(listed.Locations) > 0:
			v.Locations = listed.Locations
		case field == "contract" && listed.Contract != "":
			v.Contract = listed.Contract
		case field == "working_patterns" && len(listed.WorkingPatterns) > 0:
			v.WorkingPatterns = listed.WorkingPatterns
		}
	}
}

// A Record is what is remembered of a vacancy: as long as it is live, and 400
// days after.
type Record struct {
	Vacancy Vacancy `json:"vacancy"`
	Text    Text    `json:"text,omitzero"` // dropped when the vacancy closes
	// Version counts the versions of the vacancy; every event raises it.
	Version int `json:"version"`
	// Revision counts the writes of the record. A writer that decided on an
	// older revision decides again.
	Revision uint64 `json:"revision"`
	// Listed holds what each feed last said.
	Listed map[string]Facts `json:"listed,omitempty"`
	// Silent marks a vacancy that was there before us: nobody was told of it.
	Silent   bool      `json:"silent,omitempty"`
	Closed   string    `json:"closed,omitempty"` // reason, "" while open
	ClosedAt time.Time `json:"closed_at,omitzero"`
	// Relisted is when a vacancy that was closed early was listed again for
	// the first time: one listing may be an old page kept by a cache.
	Relisted time.Time `json:"relisted,omitzero"`
	// Link ties the vacancy to an earlier one: the same post again, twice, or
	// beside it. Zero where it stands alone.
	Link Link `json:"link,omitzero"`
}

// First is the event with which the vacancy was, or is, announced.
func (r *Record) First(at time.Time) Event {
	e := Event{Kind: New, Version: 1, At: at.UTC(), Vacancy: r.Vacancy}
	e.Vacancy.Text = r.Text
	if r.Link.First {
		e.Related, e.Relation = r.Link.Reference, r.Link.Kind
		if r.Link.Kind == LinkReadvert {
			e.Kind = Readvertised
		}
	}
	return e
}

// A Need is what a listed vacancy asks of the crawl.
type Need int

// The needs of a listed vacancy, from none to most.
const (
	NeedNothing Need = iota // known, and says what it said before
	NeedNote                // known, and to be noted: its first listing in this feed, or after it had closed
	NeedAccept              // its closing date is another: no page has to be read
	NeedPage                // its advert page was never read, or it is open again
	NeedChanged             // a field is another: its page has to be read
	NeedNew                 // unknown: it is new, and its page has to be read
)

// Needs tells what a listing's vacancy asks for at a time, given what is
// remembered of it (nil for nothing).
func (r *Record) Needs(feed string, listed *Vacancy, at time.Time) Need {
	switch {
	case r == nil:
		return NeedNew
	case r.Closed != "":
		switch r.relisting(listed, at) {
		case reopensNow:
			return NeedPage
		case reopensFirst:
			return NeedNote
		}
		return NeedNothing // an old page, kept by a cache
	case r.Vacancy.PageUnread && !r.Silent:
		return NeedPage
	}
	said, ok := r.Listed[feed]
	switch {
	case ok && said != ListedFacts(listed):
		return NeedChanged
	case !listed.Closing.IsZero() && listed.Closing != r.Vacancy.Closing:
		return NeedAccept
	case !ok:
		return NeedNote
	}
	return NeedNothing
}

func closingMoved(r *Record, v *Vacancy) bool {
	return !v.Closing.IsZero() && !r.Vacancy.Closing.IsZero() && v.Closing != r.Vacancy.Closing
}

const (
	// relistedAfter is the least time between the two listings that reopen a
	// vacancy which was closed early, relistedWithin the most: one sweep a
	// night meets it, and an old page kept by a cache is gone by then.
	relistedAfter, relistedWithin = 10 * time.Minute, 49 * time.Hour
)

// How a closed vacancy stands that is listed again.
const (
	staysClosed  = iota
	reopensFirst // its first listing: to be noted, for a second one to count
	reopensNow
)

// relisting tells what a listing of a closed vacancy means. With a closing date
// before the day on which it was closed it is an old page. One that was closed
// by its date and has a later one has been reopened; one that was closed
// early, with its date still ahead, has to be listed twice.
func (r *Record) relisting(v *Vacancy, at time.Time) int {
	if v.Closing.IsZero() || v.Closing.Before(LondonDay(r.ClosedAt)) || !v.Open(LondonDay(at)) {
		return staysClosed
	}
	if r.Closed != Early && r.Closed != Withdrawn {
		return reopensNow
	}
	since := at.Sub(r.Relisted)
	switch {
	case r.Relisted.IsZero() || since > relistedWithin:
		return reopensFirst
	case since >= relistedAfter:
		return reopensNow
	}
	return staysClosed
}

// See returns the record after a sighting and the events that it makes. The
// receiver may be nil: the vacancy is unknown. See is the only place that
// decides what is new. It is pure, so deciding twice is harmless; a store
// that writes its result once per Revision makes each event happen once.
//
// Again is set where a vacancy that was announced on its listing alone has
// now been read: its first event is matched once more under its old version,
// and who has been told already is not told again.
func (r *Record) See(s *Sighting) (after Record, events []Event, again bool) {
	v := s.Vacancy.Clone()
	v.Text = s.Vacancy.Text
	if r == nil {
		v.FirstSeen = s.At.UTC()
		after = Record{Vacancy: v, Text: v.Text, Version: 1, Silent: s.silent(), Link: s.Link,
			Listed: map[string]Facts{s.Feed: s.Listed}}
		if after.Silent {
			return after, nil, false
		}
		after.Link.First = after.Link.Reference != ""
		return after, []Event{after.First(s.At)}, false
	}

	after = *r
	after.Listed = maps.Clone(r.Listed)
	if after.Listed == nil {
		after.Listed = map[string]Facts{}
	}
	if s.Feed != "" {
		after.Listed[s.Feed] = s.Listed
	}
	if r.Closed != "" {
		switch r.relisting(&v, s.At) {
		case reopensFirst:
			after.Relisted = s.At.UTC()
			return after, nil, false
		case staysClosed:
			return after, nil, false // an old page, kept by a cache: nothing happened
		}
	}
	var changed []string // fields that this feed words in another way than before
	if said, ok := r.Listed[s.Feed]; ok {
		changed = said.differ(s.Listed)
	}
	before := r.Vacancy
	after.Vacancy = before.Clone()
	read := !v.PageUnread
	if read {
		again = before.PageUnread && !r.Silent
		after.Vacancy.Merge(&v)
		// Merge keeps the longer list of places, for a listing may know more
		// than a page. Where the feed itself now names others, they count.
		if slices.Contains(changed, "locations") && len(v.Locations) > 0 {
			after.Vacancy.Locations = v.Locations
		}
		after.Text = v.Text
		after.Vacancy.Specialties = v.Specialties
	} else {
		if !v.Closing.IsZero() {
			after.Vacancy.Closing = v.Closing
		}
		after.Vacancy.take(&v, changed)
		if slices.Contains(changed, "title") {
			// What the old title told is not to outlive it.
			after.Vacancy.Text = after.Text
			after.Vacancy.Derive()
			after.Vacancy.Text = Text{}
		}
	}
	if after.Link.Reference == "" {
		after.Link = s.Link // an employer's reference stands on the page alone
	}
	event := func(k Kind, changes []Change) {
		after.Version++
		events = append(events, Event{Kind: k, Version: after.Version, At: s.At.UTC(), Changes: changes})
	}
	switch {
	case r.Closed != "":
		after.Closed, after.ClosedAt, after.Relisted = "", time.Time{}, time.Time{}
		event(Reopened, closingChange(&before, &after.Vacancy))
	case closingMoved(r, &v):
		event(ClosingMoved, closingChange(&before, &after.Vacancy))
	}
	// A page read again is compared whole, for fields that only it states
	// change without the listing's notice. Else only what the listing words
	// anew is a change: a page and a listing name one place differently.
	changes := Diff(&before, &after.Vacancy)
	changes = slices.DeleteFunc(changes, func(c Change) bool {
		again := read && !before.PageUnread
		return c.Field == "closing" || !again && !slices.Contains(changed, c.Field)
	})
	if len(changes) > 0 {
		event(Amended, changes)
	}
	for i := range events {
		events[i].Vacancy = after.Vacancy
		events[i].Vacancy.Text = after.Text
	}
	return after, events, again
}

func closingChange(before, after *Vacancy) []Change {
	if before.Closing == after.Closing {
		return nil
	}
	return []Change{{Field: "closing", Before: before.Closing.String(), After: after.Closing.String()}}
}

// Expire closes an open record whose closing date has passed by the given
// London day; it reports false where there is nothing to close.
func (r *Record) Expire(today Day, at time.Time) (after Record, event Event, ok bool) {
	if r.Vacancy.Open(today) {
		return Record{}, Event{}, false
	}
	return r.Close(Expired, at)
}

// Close closes an open record for a reason; it reports false where it is
// closed already.
func (r *Record) Close(reason string, at time.Time) (after Record, event Event, ok bool) {
	if r.Closed != "" {
		return Record{}, Event{}, false
	}
	after = *r
	after.Closed, after.ClosedAt, after.Relisted = reason, at.UTC(), time.Time{}
	after.Version++
	after.Text = Text{} // the employer's prose is not kept beyond the advert
	return after, Event{Kind: Closed, Version: after.Version, At: at.UTC(), Reason: reason, Vacancy: after.Vacancy}, true
}

// Release makes a vacancy that was taken in silence new to everybody; it
// reports false where there is nothing to tell: it was told of, or is over.
func (r *Record) Release(at time.Time) (after Record, event Event, ok bool) {
	if !r.Silent || r.Closed != "" {
		return Record{}, Event{}, false
	}
	after = *r
	after.Silent = false
	if after.Version > 1 {
		// Something was told of it since, to those who ask for changes.
		after.Version++
	}
	after.Link.First = after.Link.Reference != ""
	e := after.First(at)
	e.Version = after.Version
	return after, e, true
}

// ClosesBy orders vacancies by closing date, soonest first, those without one
// last.
func ClosesBy(a, b *Vacancy) int {
	if a.Closing.IsZero() != b.Closing.IsZero() {
		if a.Closing.IsZero() {
			return 1
		}
		return -1
	}
	return cmp.Or(a.Closing.UTC().Compare(b.Closing.UTC()), strings.Compare(a.Reference, b.Reference))
}
