// Package vacancy holds the nouns of vacancywatch: a vacancy with its band,
// salary, places and dates; the events in its life; a saved search, and what
// it means for a vacancy to match one.
//
// It is plain data and pure functions on the standard library alone. It never
// reads the clock, the network or a file, so that crawler, alerts, store and
// web can all share it, and a test can state any case as a literal.
//
// What a text on a page means is decided here once: ParseSalary, ParseDay,
// ParseBand, ParseLocation and their like are used for every feed and site.
// A value that is not stated stays absent; what is inferred says so.
package vacancy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Schema is the version of the JSON shape of a Vacancy. Additions keep it;
// a change of meaning raises it.
const Schema = 1

// A Vacancy is one advert as a site states it. The JSON shape is the same
// wherever a vacancy leaves the program: read, export, webhook and API.
//
// Names, addresses and telephone numbers of contacts are not part of it, by
// design: they are dropped where a page is read.
type Vacancy struct {
	Schema int `json:"schema"`
	// Source is the configured name of the crawl that found the advert.
	Source string `json:"source"`
	// Reference is the id in the advert's address, "C9259-26-0123". With
	// Source it is the identity of the vacancy. It is case-sensitive and is
	// never taken apart but for the account, see Account.
	Reference string `json:"reference"`
	// EmployerReference is the number printed on the advert where it differs
	// from Reference: the employer's own, "259-7758849SBH-A".
	EmployerReference string `json:"employer_reference,omitempty"`
	URL               string `json:"url,omitempty"`
	Title             string `json:"title"`
	Employer          string `json:"employer"`
	// PayScheme is printed on the advert page: "Agenda for change",
	// "Hospital medical and dental staff", "Other".
	PayScheme string `json:"pay_scheme,omitempty"`
	// Band is the band or grade, one of the values of Bands; absent where the
	// advert does not state one.
	Band string `json:"band,omitempty"`
	// AlsoBands are further bands of a development post ("Band 5/6").
	AlsoBands []string `json:"also_bands,omitempty"`
	// BandFrom tells where Band comes from: printed, title or filter.
	BandFrom string  `json:"band_from,omitempty"`
	Salary   *Salary `json:"salary,omitempty"`
	// Contract is a value of Contracts where it is a known one, else as printed.
	Contract string `json:"contract,omitempty"`
	// Duration is free text, "18 months", for contracts that end.
	Duration string `json:"duration,omitempty"`
	// WorkingPatterns are values of WorkingPatterns, or as printed.
	WorkingPatterns []string `json:"working_patterns,omitempty"`
	// StaffGroup is the NHS staff group code, 01 to 10; absent where neither
	// the crawl nor the title tells it.
	StaffGroup  string      `json:"staff_group,omitempty"`
	Specialties []Specialty `json:"specialties,omitempty"`
	// Sponsorship is "offered" or "not offered" once the advert page has been
	// read; absent means that nobody has looked.
	Sponsorship string `json:"sponsorship,omitempty"`
	// DBSRequired is true where the page asks for a Disclosure and Barring
	// Service check.
	DBSRequired bool       `json:"dbs_required,omitempty"`
	Locations   []Location `json:"locations,omitempty"`
	// EmployerPostcode is that of the employer's registered address, which is
	// no place of work. No more of the address is kept.
	EmployerPostcode string `json:"employer_postcode,omitempty"`
	// Seat is where EmployerPostcode lies. It is there only where no place of
	// the advert has a point, and lets a search by place find the vacancy all
	// the same, as a last resort that Explain names. That the seat lies
	// elsewhere says nothing: the place of work then counts as not stated.
	Seat *Location `json:"seat,omitempty"`
	// Posted is a time where the source gives one, else a day.
	Posted Moment `json:"posted,omitzero"`
	// Closing is the last day on which one can apply, in London.
	Closing Day `json:"closing,omitzero"`
	// FirstSeen is when this program first saw the advert, UTC.
	FirstSeen time.Time `json:"first_seen,omitzero"`
	// PageUnread marks a vacancy known from a listing alone: its band,
	// pattern and text are unknown rather than not stated.
	PageUnread bool `json:"page_unread,omitempty"`

	// Text is the advert's prose, for matching only. It is the employer's and
	// leaves the program in no message, feed or export.
	Text Text `json:"-"`
}

// Text is the prose of an advert by block. The block about the employer and
// the contact block are never kept: the one names every specialty of a trust,
// the other is personal data.
type Text struct {
	Summary      string `json:"summary,omitempty"`
	Duties       string `json:"duties,omitempty"`
	Description  string `json:"description,omitempty"`
	Requirements string `json:"requirements,omitempty"` // person specification
}

// Specialty is a medical or professional field that the advert is about.
type Specialty struct {
	ID         string `json:"id"`
	Confidence string `json:"confidence"` // stated or inferred
	Evidence   string `json:"evidence"`
}

// Values of Sponsorship.
const (
	Offered    = "offered"
	NotOffered = "not offered"
)

// Values of BandFrom.
const (
	FromPrinted = "printed"
	FromTitle   = "title"
	FromFilter  = "filter"
)

// Key is the identity of a vacancy across sources.
type Key struct{ Source, Reference string }

// Key returns the identity of v.
func (v *Vacancy) Key() Key { return Key{v.Source, v.Reference} }

// String is the key as one word, "nhs-jobs/C9259-26-0123". A source's name
// holds no slash, so the parts can be told apart again.
func (k Key) String() string { return k.Source + "/" + k.Reference }

// ParseKey is the inverse of Key.String.
func ParseKey(s string) (Key, error) {
	source, ref, ok := strings.Cut(s, "/")
	if !ok || source == "" || ref == "" {
		return Key{}, fmt.Errorf("vacancy key %q is not source/reference", s)
	}
	return Key{source, ref}, nil
}

// AllBands returns every band that v counts under; nil when none is stated.
func (v *Vacancy) AllBands() []string {
	if v.Band == "" {
		return nil
	}
	return append([]string{v.Band}, v.AlsoBands...)
}

// Open reports whether one can still apply on the given London day. A vacancy
// without a closing date is open.
func (v *Vacancy) Open(today Day) bool {
	return v.Closing.IsZero() || !v.Closing.Before(today)
}

// Clone returns a deep copy.
func (v *Vacancy) Clone() Vacancy {
	c := *v
	c.AlsoBands = slices.Clone(v.AlsoBands)
	c.WorkingPatterns = slices.Clone(v.WorkingPatterns)
	c.Specialties = slices.Clone(v.Specialties)
	c.Locations = slices.Clone(v.Locations)
	if v.Salary != nil {
		s := *v.Salary
		c.Salary = &s
	}
	if v.Seat != nil {
		s := *v.Seat
		c.Seat = &s
	}
	return c
}

// PlaceText names the places of v in a line: "St Bartholomew's Hospital,
// London EC1A 7BE; Whipps Cross E11 1NR".
func (v *Vacancy) PlaceText() string {
	parts := make([]string, 0, len(v.Locations))
	for _, l := range v.Locations {
		parts = append(parts, l.String())
	}
	return strings.Join(parts, "; ")
}

// A Moment is a point in time that may be known to the day only.
type Moment struct {
	Time    time.Time
	DayOnly bool // Time is then midnight UTC of that day
}

// AtTime is a moment known to the second.
func AtTime(t time.Time) Moment { return Moment{Time: t.UTC()} }

// OnDay is a moment known to the day.
func OnDay(d Day) Moment {
	if d.IsZero() {
		return Moment{}
	}
	return Moment{Time: d.UTC(), DayOnly: true}
}

// IsZero reports whether the moment is absent.
func (m Moment) IsZero() bool { return m.Time.IsZero() }

// Day is the London day of the moment.
func (m Moment) Day() Day {
	if m.IsZero() {
		return Day{}
	}
	if m.DayOnly {
		return DayOf(m.Time, time.UTC)
	}
	return LondonDay(m.Time)
}

// Compare orders moments by time.
func (m Moment) Compare(o Moment) int {
	return cmp.Or(m.Time.Compare(o.Time), 0)
}

// MarshalJSON writes a day as "2026-02-27" and a time by RFC 3339 in UTC.
func (m Moment) MarshalJSON() ([]byte, error) {
	if m.IsZero() {
		return []byte("null"), nil
	}
	if m.DayOnly {
		return json.Marshal(m.Time.Format(time.DateOnly))
	}
	return json.Marshal(m.Time.UTC().Format(time.RFC3339Nano))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Moment) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("read a moment: %w", err)
	}
	if s == "" {
		*m = Moment{}
		return nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		*m = Moment{Time: t, DayOnly: true}
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("read a moment: %q is neither a day (2026-02-27) nor a time (2026-02-27T09:14:00Z)", s)
	}
	*m = AtTime(t)
	return nil
}

// Merge adds what an advert page states to what the listing states. The page
// is the better source of everything it names, but for three things: the
// listing's reference is the identity, its posting time may be exact where
// the page knows the day only, and its closing date is as fresh as the page's
// (both are the site's; the page wins, for it was read later).
func (v *Vacancy) Merge(page *Vacancy) {
	set := func(dst *string, src string) {
		if src != "" {
			*dst = src
		}
	}
	set(&v.Title, page.Title)
	set(&v.Employer, page.Employer)
	set(&v.PayScheme, page.PayScheme)
	set(&v.Contract, page.Contract)
	set(&v.Duration, page.Duration)
	set(&v.Sponsorship, page.Sponsorship)
	set(&v.StaffGroup, page.StaffGroup)
	set(&v.EmployerPostcode, page.EmployerPostcode)
	if page.Seat != nil {
		v.Seat = page.Seat
	}
	if page.EmployerReference != v.Reference {
		set(&v.EmployerReference, page.EmployerReference)
	}
	if page.Band != "" {
		v.Band, v.AlsoBands, v.BandFrom = page.Band, page.AlsoBands, page.BandFrom
	}
	if page.Salary != nil {
		v.Salary = page.Salary
	}
	if len(page.WorkingPatterns) > 0 {
		v.WorkingPatterns = page.WorkingPatterns
	}
	// A listing may know more sites than the page's first address block.
	if len(page.Locations) >= len(v.Locations) {
		v.Locations = page.Locations
	}
	if v.Posted.IsZero() {
		v.Posted = page.Posted
	}
	if !page.Closing.IsZero() {
		v.Closing = page.Closing
	}
	v.DBSRequired = v.DBSRequired || page.DBSRequired
	if page.Text != (Text{}) {
		v.Text = page.Text
	}
	v.PageUnread = false
}
