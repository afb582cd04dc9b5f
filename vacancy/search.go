package vacancy

import (
	"maps"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// A Search is a saved search. Criteria are joined by AND, values inside one
// by OR; a criterion left out means "any". What an advert that does not state
// a fact counts as is fixed for each criterion (see Criteria) and can be
// turned round with Unstated.
//
// A search is prepared once with Prepare, and after that not changed; a copy
// made with Clone may be changed and prepared anew.
type Search struct {
	// ID is the search for good: renaming keeps it.
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Subscriber groups the searches of one person or team. A vacancy that
	// meets several of them is told once a destination.
	Subscriber string `json:"subscriber,omitempty"`

	// Places are circles, areas and work from home; any site of a vacancy in
	// any of them will do.
	Places []Place `json:"places,omitempty"`
	// Bands are values of Bands, or BandUnstated for adverts without one.
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
	// MinMonths and MaxMonths bound how long a contract lasts. A permanent
	// one has no end: it meets the first and not the second.
	MinMonths int      `json:"min_months,omitempty"`
	MaxMonths int      `json:"max_months,omitempty"`
	Patterns  []string `json:"working_patterns,omitempty"`
	// MinSalary is in pounds a year and compared with the top of the printed
	// range, or where no yearly figure is printed with the top of the stated
	// band: see YearlyTop. Other units are never turned into years.
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

// Wants reports whether the search asks for events of the kind.
func (s *Search) Wants(k Kind) bool {
	if len(s.Kinds) == 0 {
		return slices.Contains(DefaultKinds(), k)
	}
	return slices.Contains(s.Kinds, k)
}

// Clone returns a deep copy, prepared if s is.
func (s *Search) Clone() Search {
	c := *s
	c.Places = slices.Clone(s.Places)
	c.Notify = slices.Clone(s.Notify)
	c.Kinds = slices.Clone(s.Kinds)
	c.Unstated = maps.Clone(s.Unstated)
	for _, list := range []*[]string{&c.Bands, &c.StaffGroups, &c.Specialties, &c.Employers, &c.NotEmployers, &c.Contracts, &c.Patterns} {
		*list = slices.Clone(*list)
	}
	return c
}
