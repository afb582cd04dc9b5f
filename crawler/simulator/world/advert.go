package world

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Names of the two pay schemes that decide what an advert page shows.
const (
	AgendaForChange = "Agenda for change"
	MedicalStaff    = "Hospital medical and dental staff"
	VerySenior      = "Very senior manager"
	OtherScheme     = "Other"
)

// An Advert is all that one advert says. Its zero value is not an advert:
// Check names what is missing.
type Advert struct {
	// Reference is the id in the advert's address, such as C9259-26-0123.
	// Empty: the site gives the account's next one.
	Reference string `json:"reference,omitempty"`
	// Printed is the employer's own number, shown instead of the reference.
	Printed string `json:"printed,omitempty"`

	Title    string `json:"title"`
	Employer string `json:"employer"`
	// Account is the employer's account: a letter and four digits, the
	// beginning of its references.
	Account string `json:"account,omitempty"`

	// StaffGroup is a value of the search filter, such as
	// ADMINISTRATIVE_AND_CLERICAL. It is printed nowhere.
	StaffGroup string `json:"staff_group,omitempty"`
	// Specialty is the id of the specialty the advert is for, where it has
	// one. It is printed nowhere; the texts name the specialty.
	Specialty string `json:"specialty,omitempty"`
	PayScheme string `json:"pay_scheme,omitempty"`
	// Band is the Agenda for Change band, "4" or "8a".
	Band string `json:"band,omitempty"`
	// Grade is the value of the search filter payBand for those without a
	// band, such as CONSULTANT.
	Grade  string `json:"grade,omitempty"`
	Salary Salary `json:"salary"`

	// Contract is a value of the search filter: Permanent, Fixed-Term ...
	Contract string `json:"contract,omitempty"`
	// Duration is printed for contracts that end, such as "18 months".
	Duration string `json:"duration,omitempty"`
	// Patterns are values of the search filter: full-time, part-time ...
	Patterns []string `json:"patterns,omitempty"`

	// Sites are the places of work, one to ten.
	Sites []Place `json:"sites,omitempty"`
	// Area says that the listing gives no address but a sentence about the
	// area, followed by the postcode.
	Area bool `json:"area,omitempty"`
	// Seat is the employer's own address; the first site where it is empty.
	Seat    Place  `json:"seat,omitzero"`
	Website string `json:"website,omitempty"`

	// Posted is the posting time. Zero: the moment of publishing.
	Posted  time.Time `json:"posted,omitzero"`
	Closing Day       `json:"closing"`

	Sponsorship  bool `json:"sponsorship,omitempty"`
	DBS          bool `json:"dbs,omitempty"`
	Registration bool `json:"registration,omitempty"`

	// The texts, in paragraphs. An advert with none of them and a TextSeed
	// gets them from Texts.
	Summary     []string   `json:"summary,omitempty"`
	Duties      []string   `json:"duties,omitempty"`
	About       []string   `json:"about,omitempty"`
	Description []string   `json:"description,omitempty"`
	Criteria    []Criteria `json:"criteria,omitempty"`

	Contact Contact `json:"contact,omitzero"`
	// ContactInSummary repeats the contact in the last paragraph of the
	// summary, where real employers put it too.
	ContactInSummary bool `json:"contact_in_summary,omitempty"`

	// Welsh prints the months of the advert page in Welsh.
	Welsh bool `json:"welsh,omitempty"`
	// HeadingsOnly leaves every id off the advert page.
	HeadingsOnly bool `json:"headings_only,omitempty"`

	// TextSeed gives the texts of a generated advert; zero for none.
	TextSeed uint64 `json:"-"`
}

// A Salary is the pay as stated, in pounds.
type Salary struct {
	// Min and Max are equal for a fixed salary; both zero where only Text
	// says something ("Depends on experience").
	Min float64 `json:"min,omitempty"`
	Max float64 `json:"max,omitempty"`
	// Unit is year, month, day, hour or session.
	Unit string `json:"unit,omitempty"`
	// Text is the employer's free text: "per annum, pro rata".
	Text string `json:"text,omitempty"`
}

// A Place is an address.
type Place struct {
	Name     string `json:"name,omitempty"` // the hospital or surgery
	Line2    string `json:"line2,omitempty"`
	Town     string `json:"town"`
	County   string `json:"county,omitempty"`
	Postcode string `json:"postcode"`
}

// Criteria is one heading of a person specification.
type Criteria struct {
	Heading   string   `json:"heading"`
	Essential []string `json:"essential,omitempty"`
	Desirable []string `json:"desirable,omitempty"`
}

// A Contact is the person named for questions: personal data, planted so
// that tests can look for it where it must not be.
type Contact struct {
	Role  string `json:"role,omitempty"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Clone returns a copy that shares nothing with a.
func (a *Advert) Clone() *Advert {
	c := *a
	c.Patterns = slices.Clone(a.Patterns)
	c.Sites = slices.Clone(a.Sites)
	c.Summary = slices.Clone(a.Summary)
	c.Duties = slices.Clone(a.Duties)
	c.About = slices.Clone(a.About)
	c.Description = slices.Clone(a.Description)
	c.Criteria = slices.Clone(a.Criteria)
	for i := range c.Criteria {
		c.Criteria[i].Essential = slices.Clone(c.Criteria[i].Essential)
		c.Criteria[i].Desirable = slices.Clone(c.Criteria[i].Desirable)
	}
	return &c
}

// Check says what keeps a from being published.
func (a *Advert) Check() error {
	switch {
	case strings.TrimSpace(a.Title) == "":
		return errors.New("the advert has no title")
	case strings.TrimSpace(a.Employer) == "":
		return errors.New("the advert has no employer")
	case !a.Closing.Valid():
		return fmt.Errorf("the closing date %q is not a day such as 2026-03-13", a.Closing)
	case strings.ContainsAny(a.Reference, "/?#& \t\n"):
		return fmt.Errorf("the reference %q cannot stand in an address", a.Reference)
	case len(a.Sites) > 10:
		return fmt.Errorf("%d sites, and no advert has more than 10", len(a.Sites))
	case a.Salary.Max < a.Salary.Min:
		return fmt.Errorf("the salary ends at %v and begins at %v", a.Salary.Max, a.Salary.Min)
	}
	return nil
}

// A Day is a calendar day in London, written 2026-03-13, so that days compare
// as text does.
type Day string

// DayOf returns the London day of t.
func DayOf(t time.Time) Day { return Day(t.In(London()).Format(time.DateOnly)) }

// Valid reports whether d is a day.
func (d Day) Valid() bool {
	_, err := time.Parse(time.DateOnly, string(d))
	return err == nil
}

// At returns the given time of day in London. A day that is not valid gives
// the zero time.
func (d Day) At(hour, minute int) time.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return time.Time{}
	}
	return time.Date(t.Year(), t.Month(), t.Day(), hour, minute, 0, 0, London())
}

// Add returns the day n days later.
func (d Day) Add(n int) Day {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return d
	}
	return Day(t.AddDate(0, 0, n).Format(time.DateOnly))
}
