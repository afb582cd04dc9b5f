package vacancy

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/role"
	"github.com/vacancywatch/vacancywatch/vacancy/specialty"
	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// A Search is a saved search. Criteria are joined by AND, values inside one
// by OR; a criterion left out means "any". What an advert that does not state
// a fact counts as is fixed for each criterion (see Criteria) and can be
// turned round with Unstated.
type Search struct {
	// ID is the search for good: renaming keeps it.
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Subscriber groups the searches of one person or team. A vacancy that
	// meets several of them is told once a destination.
	Subscriber string `json:"subscriber,omitempty"`

	Places      []Place  `json:"places,omitempty"`
	Bands       []string `json:"bands,omitempty"`
	StaffGroups []string `json:"staff_groups,omitempty"`
	// Specialties are ids of specialties; groups are expanded when the search
	// is made.
	Specialties []string `json:"specialties,omitempty"`
	// StatedOnly leaves out specialties that are only inferred.
	StatedOnly bool `json:"stated_only,omitempty"`
	// Keywords is an expression with AND, OR, NOT, "phrases", title: and
	// brackets; see package words.
	Keywords string `json:"keywords,omitempty"`
	// Employers and NotEmployers are account codes (C9259) or names.
	Employers    []string `json:"employers,omitempty"`
	NotEmployers []string `json:"not_employers,omitempty"`
	Contracts    []string `json:"contracts,omitempty"`
	Patterns     []string `json:"working_patterns,omitempty"`
	// MinSalary is in pounds a year and compared with the top of the printed
	// range. Other units are never turned into years.
	MinSalary int `json:"min_salary,omitempty"`
	// Sponsorship asks that sponsorship is offered.
	Sponsorship bool `json:"sponsorship,omitempty"`
	// DaysLeft asks that the advert closes at least so many days after today.
	DaysLeft int `json:"days_left,omitempty"`
	// Internal lets adverts for internal applicants only pass.
	Internal bool `json:"internal,omitempty"`
	// Unstated turns the rule for a criterion round: true lets an advert that
	// does not state the fact pass, false does not.
	Unstated map[string]bool `json:"unstated,omitempty"`

	// Kinds are the events wanted; none means DefaultKinds.
	Kinds  []Kind   `json:"events,omitempty"`
	Notify []Notify `json:"notify,omitempty"`
	// Created tells which of two searches of a subscriber is the older one.
	Created time.Time `json:"created,omitzero"`
	// Provisioned marks a search that lives in the configuration file.
	Provisioned bool `json:"provisioned,omitempty"`

	query *words.Query // Keywords, read by Prepare
}

// A Place is a point with a radius, or a region.
type Place struct {
	Name string `json:"name"` // in words, for people: "E1 6"
	// Lat and Lon are the centre, WGS84; Miles the radius as the crow flies.
	Lat   float64 `json:"lat,omitempty"`
	Lon   float64 `json:"lon,omitempty"`
	Miles int     `json:"miles,omitempty"`
	// Region is set instead for a whole region or country.
	Region string `json:"region,omitempty"`
	// Remote lets work from home pass wherever the employer sits.
	Remote bool `json:"remote,omitempty"`
}

// DefaultMiles is the radius of a place for which none is given.
const DefaultMiles = 10

// NewPlace reads a place as a person names it, with a radius in whole miles
// (0 means DefaultMiles). A full postcode is kept as its sector only.
func NewPlace(near string, miles int) (Place, error) {
	if miles == 0 {
		miles = DefaultMiles
	}
	if miles < 1 || miles > 100 {
		return Place{}, fmt.Errorf("%d miles: give a radius from 1 to 100 miles", miles)
	}
	p, err := gazetteer.Locate(near)
	if err != nil {
		return Place{}, err
	}
	if !p.HasPoint() {
		return Place{Name: p.Name, Region: p.Region}, nil
	}
	return Place{Name: p.Name, Lat: p.Point.Lat, Lon: p.Point.Lon, Miles: miles}, nil
}

// Rhythm is when the matches of a search are told.
type Rhythm string

// The rhythms. A webhook is always instant.
const (
	Instant Rhythm = "instant"
	Daily   Rhythm = "daily"
)

// Notify is one way in which a search tells its matches.
type Notify struct {
	// Channel is the configured name of a channel.
	Channel string `json:"channel"`
	// To is the mail address for a channel that sends to people.
	To Address `json:"to,omitempty"`
	// Rhythm is Instant where empty.
	Rhythm Rhythm `json:"rhythm,omitempty"`
	// Hour is the London hour of a daily digest.
	Hour int `json:"hour,omitempty"`
}

// An Address is a mail address. It prints as <address> so that no log and no
// error can carry it; the channel that sends reads it with Reveal.
type Address string

func (a Address) String() string { return "<address>" }

// Format prints <address> for every verb, also for one that is no verb of a
// string.
func (a Address) Format(f fmt.State, _ rune) { fmt.Fprint(f, "<address>") }

// LogValue keeps the address out of structured logs.
func (a Address) LogValue() slog.Value { return slog.StringValue("<address>") }

// Reveal returns the address itself, for the envelope of a message.
func (a Address) Reveal() string { return string(a) }

// Criteria names the criteria of a search in the order of an explanation, and
// whether an advert that does not state the fact passes by default.
func Criteria() []Criterion {
	return []Criterion{
		{"place", false}, {"band", false}, {"staff_group", true}, {"specialty", false}, {"keywords", false},
		{"employer", false}, {"contract", true}, {"working_pattern", true}, {"min_salary", true},
		{"sponsorship", false}, {"days_left", true}, {"internal", true},
	}
}

// A Criterion is one thing a search can ask for.
type Criterion struct {
	Name           string
	UnstatedPasses bool
}

// Wants reports whether the search asks for events of the kind.
func (s *Search) Wants(k Kind) bool {
	if len(s.Kinds) == 0 {
		return slices.Contains(DefaultKinds(), k)
	}
	return slices.Contains(s.Kinds, k)
}

// Prepare checks the search and brings its values into their known spelling.
// The error names every fault and what to do about it. A search must be
// prepared before Matches is called.
func (s *Search) Prepare() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.ID == "" || strings.ContainsAny(s.ID, "|/# \t\n") {
		bad("id %q: give an id without spaces and without | / #", s.ID)
	}
	for i, b := range s.Bands {
		name, ok := ParseBandName(b)
		if !ok {
			bad("band %q is unknown: use one of %s", b, strings.Join(Bands(), ", "))
			continue
		}
		s.Bands[i] = name
	}
	s.StaffGroups = prepareStaffGroups(s.StaffGroups, bad)
	var ids []string
	for _, sp := range s.Specialties {
		got, ok := specialty.Expand(sp)
		if id, known := specialty.Resolve(sp); !ok && known {
			got, ok = []string{id}, true
		}
		if !ok {
			hint := ""
			if near := specialty.Suggest(sp); len(near) > 0 {
				hint = ": did you mean " + strings.Join(near, " or ") + "?"
			}
			bad("specialty %q is unknown%s", sp, hint)
			continue
		}
		ids = append(ids, got...)
	}
	if len(ids) > 0 {
		slices.Sort(ids)
		s.Specialties = slices.Compact(ids)
	}
	for _, list := range [][]string{s.Employers, s.NotEmployers} {
		for i, e := range list {
			if fold(e) == "" {
				bad("employer %q: give an account code such as C9259 or a name", e)
			}
			// An account is the beginning of a reference, in capitals there.
			if code := strings.ToUpper(strings.TrimSpace(e)); ValidReference(code+"-0") && len(code) == 5 {
				list[i] = code
			}
		}
	}
	for i, c := range s.Contracts {
		if s.Contracts[i] = ParseContract(c); !isKnown(c, Contracts()) {
			bad("contract %q is unknown: use one of %s", c, strings.Join(Contracts(), ", "))
		}
	}
	for i, p := range s.Patterns {
		if s.Patterns[i] = ParsePattern(p); !isKnown(s.Patterns[i], WorkingPatterns()) {
			bad("working pattern %q is unknown: use one of %s", p, strings.Join(WorkingPatterns(), ", "))
		}
	}
	for _, k := range s.Kinds {
		if !slices.Contains(Kinds(), k) {
			bad("event %q is unknown: use one of %v", k, Kinds())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Unstated)) {
		if !slices.ContainsFunc(Criteria(), func(c Criterion) bool { return c.Name == name }) {
			bad("unstated: there is no criterion %q", name)
		}
	}
	if s.MinSalary < 0 || s.MinSalary > 1_000_000 {
		bad("min_salary %d: give pounds a year", s.MinSalary)
	}
	if s.DaysLeft < 0 || s.DaysLeft > 365 {
		bad("days_left %d: give 0 to 365 days", s.DaysLeft)
	}
	if len(s.Places) > 10 {
		bad("%d places: at most 10 make sense in one search", len(s.Places))
	}
	s.query = nil
	if strings.TrimSpace(s.Keywords) != "" {
		q, err := words.Parse(s.Keywords)
		if err != nil {
			bad("keywords: %w", err)
		}
		s.query = q
	}
	if len(errs) == 0 && !s.narrow() {
		bad("the search asks for nothing that narrows it: give at least one of places, bands, specialties, keywords, employers")
	}
	return errors.Join(errs...)
}

func prepareStaffGroups(in []string, bad func(string, ...any)) []string {
	var out []string
	for _, g := range in {
		found := false
		for _, k := range role.StaffGroups() {
			// Code 10 has no filter, and an empty text must not be taken for it.
			if k.Code == g || fold(k.Name) == fold(g) || k.Filter != "" && fold(k.Filter) == fold(g) {
				out, found = append(out, k.Code), true
			}
		}
		if !found {
			bad("staff group %q is unknown: use a code from 01 to 10 or its name", g)
		}
	}
	return out
}

// narrow reports whether the search leaves anything out beyond a NOT.
func (s *Search) narrow() bool {
	return len(s.Places)+len(s.Bands)+len(s.StaffGroups)+len(s.Specialties)+len(s.Employers)+len(s.Contracts)+len(s.Patterns) > 0 ||
		s.MinSalary > 0 || s.Sponsorship || s.query != nil && !s.query.OnlyNot()
}

// Describe is the search in words: "band 4, within 10 miles of E1 6,
// oncology".
func (s *Search) Describe() string {
	var parts []string
	if len(s.Bands) > 0 {
		parts = append(parts, bandWords(s.Bands))
	}
	if len(s.Places) > 0 {
		ps := make([]string, len(s.Places))
		for i, p := range s.Places {
			ps[i] = p.describe()
		}
		parts = append(parts, strings.Join(ps, " or "))
	}
	if len(s.Specialties) > 0 {
		names := make([]string, 0, len(s.Specialties))
		for _, id := range s.Specialties {
			names = append(names, specialtyName(id))
		}
		if len(names) > 4 {
			names = append(names[:4], fmt.Sprintf("%d more specialties", len(names)-4))
		}
		parts = append(parts, strings.Join(names, " or "))
	}
	for _, g := range s.StaffGroups {
		parts = append(parts, staffGroupName(g))
	}
	if s.query != nil {
		parts = append(parts, s.query.Words())
	}
	if len(s.Employers) > 0 {
		parts = append(parts, "at "+strings.Join(s.Employers, " or "))
	}
	if len(s.NotEmployers) > 0 {
		parts = append(parts, "not at "+strings.Join(s.NotEmployers, " or "))
	}
	if len(s.Contracts) > 0 {
		parts = append(parts, strings.Join(s.Contracts, " or "))
	}
	if len(s.Patterns) > 0 {
		parts = append(parts, strings.Join(s.Patterns, " or "))
	}
	if s.MinSalary > 0 {
		parts = append(parts, "from "+Money(s.MinSalary*100).String()+" a year")
	}
	if s.Sponsorship {
		parts = append(parts, "sponsorship offered")
	}
	if s.DaysLeft > 0 {
		days := "days"
		if s.DaysLeft == 1 {
			days = "day"
		}
		parts = append(parts, fmt.Sprintf("at least %d %s left", s.DaysLeft, days))
	}
	return strings.Join(parts, ", ")
}

func (p Place) describe() string {
	if p.Region != "" {
		return "in " + p.Region
	}
	if p.Miles == 1 {
		return "within 1 mile of " + p.Name
	}
	return fmt.Sprintf("within %d miles of %s", p.Miles, p.Name)
}

func bandWords(bands []string) string {
	return "band " + strings.Join(bands, " or ")
}

func specialtyName(id string) string {
	if s, ok := specialty.Lookup(id); ok {
		return s.Name
	}
	return id
}

func staffGroupName(code string) string {
	for _, g := range role.StaffGroups() {
		if g.Code == code {
			return g.Name
		}
	}
	return code
}
