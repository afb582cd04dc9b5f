package preview

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

// formID is the id of a search that has none yet.
const formID = "my-search"

// Search makes a prepared search of the form. Where there are faults it says
// all of them, in the order of the form, and the search is good for nothing.
// Places are looked up in g as for the configuration file.
func (f *Form) Search(g *gazetteer.Gazetteer) (vacancy.Search, []Fault) {
	r := &reader{Form: f, faults: slices.Clone(f.faults)}
	s := vacancy.Search{ID: formID, StatedOnly: f.Value(FieldStatedOnly) != "", Sponsorship: f.Value(FieldSponsorship) != "", Internal: f.Value(FieldInternal) != ""}
	r.places(&s, g)
	r.list(FieldBand, &s.Bands, func(p *vacancy.Search) *[]string { return &p.Bands })
	r.list(FieldSpecialty, &s.Specialties, func(p *vacancy.Search) *[]string { return &p.Specialties })
	r.keywords(&s)
	r.list(FieldStaffGroup, &s.StaffGroups, func(p *vacancy.Search) *[]string { return &p.StaffGroups })
	s.Employers, s.NotEmployers = r.employers(FieldEmployers), r.employers(FieldNotEmployers)
	r.list(FieldContract, &s.Contracts, func(p *vacancy.Search) *[]string { return &p.Contracts })
	s.MinMonths = r.number(FieldMinMonths, "months", 1, 120)
	s.MaxMonths = r.number(FieldMaxMonths, "months", 1, 120)
	r.list(FieldPattern, &s.Patterns, func(p *vacancy.Search) *[]string { return &p.Patterns })
	s.MinSalary = r.number(FieldMinSalary, "pounds a year", 1, 1_000_000)
	s.DaysLeft = r.number(FieldDaysLeft, "days", 1, 365)
	r.turned(&s)
	if len(r.faults) == 0 {
		// What fails only together: a search that can never match.
		for _, err := range split(s.Prepare()) {
			r.together(err.Error())
		}
	}
	order := func(name string) int {
		for i, fd := range fields {
			if fd.name == name {
				return i
			}
		}
		return len(fields)
	}
	slices.SortStableFunc(r.faults, func(a, b Fault) int { return cmp.Compare(order(a.Field), order(b.Field)) })
	return s, r.faults
}

// A reader collects what is wrong with each field.
type reader struct {
	*Form
	faults []Fault
}

// fault notes the first fault of a field.
func (r *reader) fault(field, format string, args ...any) {
	if !slices.ContainsFunc(r.faults, func(f Fault) bool { return f.Field == field }) {
		r.faults = append(r.faults, Fault{field, sentence(fmt.Sprintf(format, args...))})
	}
}

// sentence begins with a capital and ends with a stop.
func sentence(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if !strings.HasSuffix(s, "?") && !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// split takes joined errors apart.
func split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// places reads the rows.
func (r *reader) places(s *vacancy.Search, g *gazetteer.Gazetteer) {
	for row := range MaxPlaces {
		near, milesField := r.Value(Near(row+1)), Miles(row+1)
		miles := r.number(milesField, "miles", 1, 100)
		switch {
		case near == "" && r.Value(milesField) != "":
			r.fault(Near(row+1), "%s miles, but from where? Write a town or the beginning of a postcode", clip(r.Value(milesField)))
		case near == "":
		case utf8.RuneCountInString(near) > maxNear:
			r.fault(Near(row+1), "The place has more than %d characters: write a town or the beginning of a postcode", maxNear)
		default:
			p, err := place(near, miles, g)
			if err != nil {
				r.fault(Near(row+1), "%s", err.Error())
				continue
			}
			s.Places = append(s.Places, p)
		}
	}
	switch {
	case r.Value(FieldRemote) == "":
	case len(s.Places) > 0:
		s.Places[0].Remote = true
	default:
		p, err := vacancy.NewPlace("remote", 0)
		if err != nil {
			r.fault(FieldRemote, "%s", err.Error()) // Unreachable: the name is known.
			return
		}
		s.Places = append(s.Places, p)
	}
}

// place reads one place as the configuration file does: it has to be in the
// built-in gazetteer, and where g knows more of its postcode, that counts.
func place(near string, miles int, g *gazetteer.Gazetteer) (vacancy.Place, error) {
	p, err := vacancy.NewPlace(near, miles)
	if err != nil {
		return p, err
	}
	if at, err := g.Locate(near); err == nil && (at.Precision == gazetteer.BySector || at.Precision == gazetteer.ByOutcode) {
		p = vacancy.Place{Name: at.Name, Lat: at.Point.Lat, Lon: at.Point.Lon, Miles: cmp.Or(miles, vacancy.DefaultMiles)}
	}
	return p, nil
}

// list reads the values of a list, and has one probe checked for its field
// alone.
func (r *reader) list(field string, out *[]string, of func(*vacancy.Search) *[]string) {
	*out = slices.Clone(r.Values(field))
	probe := vacancy.Search{ID: formID, Sponsorship: true}
	*of(&probe) = slices.Clone(*out)
	for _, err := range split(probe.Prepare()) {
		r.fault(field, "%s", clip(err.Error()))
	}
}

func (r *reader) keywords(s *vacancy.Search) {
	s.Keywords = r.Value(FieldKeywords)
	if n := utf8.RuneCountInString(s.Keywords); n > maxKeywords {
		r.fault(FieldKeywords, "The words have %d characters, and %d are allowed: make two searches of them", n, maxKeywords)
		return
	}
	probe := vacancy.Search{ID: formID, Sponsorship: true, Keywords: s.Keywords}
	for _, err := range split(probe.Prepare()) {
		r.fault(FieldKeywords, "%s", strings.TrimPrefix(err.Error(), "keywords: "))
	}
}

// employers reads one employer a line.
func (r *reader) employers(field string) []string {
	var out []string
	for line := range strings.SplitSeq(r.Value(field), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			continue
		case utf8.RuneCountInString(line) > maxEmployer:
			r.fault(field, "%q is too long for an employer: write one a line", clip(line))
			return nil
		case len(out) == maxEmployers:
			r.fault(field, "There are more than %d employers: make two searches of them", maxEmployers)
			return nil
		}
		out = append(out, line)
	}
	probe := vacancy.Search{ID: formID, Sponsorship: true, Employers: slices.Clone(out)}
	for _, err := range split(probe.Prepare()) {
		r.fault(field, "%s", clip(err.Error()))
	}
	return out
}

// number reads a whole number, 0 for none. "£30,000" and "10 miles" are
// numbers as people write them.
func (r *reader) number(field, unit string, least, most int) int {
	written := r.Value(field)
	if written == "" {
		return 0
	}
	first, _, _ := strings.Cut(unit, " ")
	digits := strings.TrimSpace(strings.TrimSuffix(strings.ToLower(written), first))
	digits = strings.NewReplacer(",", "", " ", "").Replace(strings.TrimPrefix(digits, "£"))
	n, err := strconv.Atoi(digits)
	if err != nil || n < least || n > most || strings.HasPrefix(digits, "+") {
		r.fault(field, "%q cannot be taken: write a whole number of %s from %s to %s, or leave it empty", clip(written), unit, thousands(least), thousands(most))
		return 0
	}
	return n
}

// turned reads how adverts count that do not state a fact.
func (r *reader) turned(s *vacancy.Search) {
	for _, f := range []struct {
		field string
		pass  bool
	}{{FieldUnstated, true}, {FieldStated, false}} {
		for _, name := range r.Values(f.field) {
			i := slices.IndexFunc(Turnable(), func(c vacancy.Criterion) bool { return c.Name == name })
			switch {
			case i < 0:
				r.fault(f.field, "%q is not known here", clip(name))
			case f.pass && r.Has(FieldStated, name):
				r.fault(f.field, "Adverts that do not state %s cannot both count and not count", strings.ReplaceAll(name, "_", " "))
			case Turnable()[i].UnstatedPasses != f.pass:
				if s.Unstated == nil {
					s.Unstated = map[string]bool{}
				}
				s.Unstated[name] = f.pass
			}
		}
	}
}

// together files a fault of the whole search under the field where it is
// mended best.
func (r *reader) together(text string) {
	for _, t := range []struct{ says, field string }{
		{"employers", FieldEmployers}, {"keywords:", FieldKeywords}, {"months", FieldMaxMonths}, {"the bands", FieldBand},
	} {
		if strings.Contains(text, t.says) && !strings.Contains(text, "narrows") {
			text = strings.NewReplacer("keywords: ", "", "max_months", "the most months").Replace(text)
			r.fault(t.field, "%s", text)
			return
		}
	}
	if strings.Contains(text, "narrows") {
		text = "nothing is filled in that narrows the search: give at least a place, a band, a specialty, a word or an employer"
	}
	r.fault(Near(1), "%s", text)
}

// clip keeps a message short that repeats what was typed.
func clip(s string) string {
	const longest = 200
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
