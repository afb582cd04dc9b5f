package preview

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Bounds of what a form may hold.
const (
	// MaxQuery is the longest query, in bytes. The widest search that the form
	// can make takes less than half of it.
	MaxQuery = 12 << 10
	// MaxPlaces is the number of rows for places.
	MaxPlaces = 10
	// maxNear, maxKeywords and maxEmployer are lengths in characters.
	maxNear, maxKeywords, maxEmployer = 80, 500, 120
	maxEmployers                      = 20
	// maxChoices bounds the values of one list.
	maxChoices = 150
)

// Fields of the form, which are the parameters of its query. A row for a place
// has the fields of Near and Miles.
const (
	FieldRemote       = "remote"
	FieldBand         = "band"
	FieldSpecialty    = "specialty" // an id or a group
	FieldStatedOnly   = "stated_only"
	FieldKeywords     = "keywords"
	FieldStaffGroup   = "staff_group"
	FieldEmployers    = "employers" // one a line
	FieldNotEmployers = "not_employers"
	FieldContract     = "contract"
	FieldMinMonths    = "min_months"
	FieldMaxMonths    = "max_months"
	FieldPattern      = "working_pattern"
	FieldMinSalary    = "min_salary"
	FieldSponsorship  = "sponsorship"
	FieldDaysLeft     = "days_left"
	FieldInternal     = "internal"
	FieldUnstated     = "unstated" // a criterion: adverts that do not state it pass
	FieldStated       = "stated"   // a criterion: adverts that do not state it do not pass
)

// Near is the field that names the place of a row, from 1.
func Near(row int) string { return numbered("near", row) }

// Miles is the field for the radius of a row, from 1.
func Miles(row int) string { return numbered("miles", row) }

func numbered(name string, row int) string {
	if row == 1 {
		return name
	}
	return name + strconv.Itoa(row)
}

// A kind of field says how many values it takes.
type fieldKind int

const (
	text fieldKind = iota
	lines
	number
	check
	list
)

type field struct {
	name string
	kind fieldKind
}

// fields are all fields in the order of the form.
var fields = func() []field {
	var out []field
	for row := range MaxPlaces {
		out = append(out, field{Near(row + 1), text}, field{Miles(row + 1), number})
	}
	return append(out, field{FieldRemote, check}, field{FieldBand, list}, field{FieldSpecialty, list}, field{FieldStatedOnly, check},
		field{FieldKeywords, text}, field{FieldStaffGroup, list}, field{FieldEmployers, lines}, field{FieldNotEmployers, lines},
		field{FieldContract, list}, field{FieldMinMonths, number}, field{FieldMaxMonths, number}, field{FieldPattern, list},
		field{FieldMinSalary, number}, field{FieldSponsorship, check}, field{FieldDaysLeft, number}, field{FieldInternal, check},
		field{FieldUnstated, list}, field{FieldStated, list})
}()

// A Fault is what is wrong with a field, in a sentence for whoever filled it.
type Fault struct {
	Field string `json:"field"`
	Text  string `json:"detail"`
}

// A Form is what somebody filled in, as it came: cleaned of what no page may
// show, and not yet understood.
type Form struct {
	values map[string][]string
	faults []Fault
}

// ReadForm reads a query. Parameters that are no fields are passed over; they
// are named by Unknown.
func ReadForm(q url.Values) *Form {
	f := &Form{values: map[string][]string{}}
	for _, fd := range fields {
		var got []string
		for _, raw := range q[fd.name] {
			v, ok := clean(raw, fd.kind == lines)
			if !ok {
				f.fault(fd.name, "The text holds characters that cannot be read: type it anew.")
			}
			if v != "" && !slices.Contains(got, v) {
				got = append(got, v)
			}
		}
		switch {
		case fd.kind == list && len(got) > maxChoices:
			f.fault(fd.name, "Too many are chosen: choose at most "+strconv.Itoa(maxChoices)+", or none.")
			got = got[:maxChoices]
		case fd.kind != list && len(got) > 1:
			f.fault(fd.name, "This was given more than once, and differs: give it once.")
			got = got[:1]
		}
		if len(got) > 0 {
			f.values[fd.name] = got
		}
	}
	return f
}

// Unknown names the parameters of a query that are no fields, sorted.
func Unknown(q url.Values) []string {
	var out []string
	for name := range q {
		known := false
		for _, fd := range fields {
			known = known || fd.name == name
		}
		if !known {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// clean trims a value and replaces what cannot be shown: broken UTF-8,
// controls, and marks that turn the direction of what follows. It is false
// where it had to.
func clean(s string, manyLines bool) (string, bool) {
	ok := utf8.ValidString(s)
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && manyLines:
			return r
		case r == '\t' || r == '\n' || r == '\u00a0':
			return ' '
		case unicode.IsControl(r), r == '\ufffd', '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
			ok = false
			return '\ufffd'
		}
		return r
	}, s)
	return strings.TrimSpace(s), ok
}

func (f *Form) fault(field, text string) { f.faults = append(f.faults, Fault{field, text}) }

// Value is what a field holds, "" for nothing.
func (f *Form) Value(field string) string {
	if v := f.values[field]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Values are what a list holds.
func (f *Form) Values(field string) []string { return f.values[field] }

// Has reports whether a value of a list is chosen.
func (f *Form) Has(field, value string) bool { return slices.Contains(f.values[field], value) }

// Rows is how many rows for places the form shows: those that are filled and
// two more, at least three.
func (f *Form) Rows() int {
	last := 0
	for row := range MaxPlaces {
		if f.Value(Near(row+1))+f.Value(Miles(row+1)) != "" {
			last = row + 1
		}
	}
	return min(max(last+2, 3), MaxPlaces)
}

// Turnable are the criteria whose rule for adverts that do not state the fact
// the form can turn round. That of the band is a choice among the bands.
func Turnable() []vacancy.Criterion {
	return slices.DeleteFunc(vacancy.Criteria(), func(c vacancy.Criterion) bool { return c.Name == "band" || c.Name == "internal" })
}
