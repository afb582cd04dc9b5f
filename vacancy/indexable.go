package vacancy

import (
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// What package index reads of searches and vacancies beside their fields.

// Query returns the keywords as Prepare has read them; nil for a search
// without keywords. It must not be changed.
func (s *Search) Query() *words.Query { return s.query }

// Doc returns the text of v as keyword searches see it: every block but the
// prose about the employer.
func (v *Vacancy) Doc() *words.Doc { return v.doc() }

// Points returns the points that circles are compared with: those of the
// sites, and those of further sites that the text of a place names; where
// there is none, that of the employer's seat.
func (v *Vacancy) Points() []gazetteer.Point {
	var out []gazetteer.Point
	for i := range v.Locations {
		l := &v.Locations[i]
		if at, ok := l.Point(); ok && !at.IsZero() {
			out = append(out, at)
		}
		if !strings.ContainsRune(l.Town, '/') && !strings.Contains(l.Town, " or ") {
			continue
		}
		for _, name := range gazetteer.NamedPlaces(l.Town + " " + l.Postcode) {
			if at, err := gazetteer.Locate(name); err == nil && at.HasPoint() {
				out = append(out, at.Point)
			}
		}
	}
	// The employer's seat stands for sites of which nothing is known.
	if seat := v.lastResort(); seat != nil && len(out) == 0 {
		if at, ok := seat.Point(); ok {
			out = append(out, at)
		}
	}
	return out
}
