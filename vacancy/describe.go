package vacancy

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vacancywatch/vacancywatch/vacancy/role"
	"github.com/vacancywatch/vacancywatch/vacancy/specialty"
)

// Describe is the search in words: "band 4, within 10 miles of E1 6,
// oncology".
func (s *Search) Describe() string {
	var parts []string
	if len(s.Bands) > 0 {
		parts = append(parts, bandWords(s.Bands))
	}
	if len(s.Places) > 0 {
		ps := make([]string, len(s.Places))
		for i := range s.Places {
			ps[i] = s.Places[i].describe()
		}
		parts = append(parts, strings.Join(ps, " or "))
	}
	if len(s.Specialties) > 0 {
		text := specialtyWords(s.Specialties)
		if s.StatedOnly {
			text += " (stated)"
		}
		parts = append(parts, text)
	}
	if len(s.StaffGroups) > 0 {
		parts = append(parts, staffGroupWords(s.StaffGroups))
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
	if s.MinMonths+s.MaxMonths > 0 {
		parts = append(parts, s.monthsWords())
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
		parts = append(parts, "at least "+count(s.DaysLeft, "day")+" left")
	}
	if s.Internal {
		parts = append(parts, "also for internal applicants")
	}
	return strings.Join(parts, ", ")
}

// count is a number with its noun: "1 day", "2 days".
func count(n int, noun string) string {
	if n == 1 || n == -1 {
		return fmt.Sprintf("%d %s", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// either joins as in "A, B or C".
func either(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " or " + list[last]
}

// most is how many names of a list are worth reading.
const most = 4

func (s *Search) monthsWords() string {
	switch {
	case s.MaxMonths == 0:
		return "for at least " + count(s.MinMonths, "month")
	case s.MinMonths == 0:
		return "for at most " + count(s.MaxMonths, "month")
	}
	return fmt.Sprintf("for %d to %s", s.MinMonths, count(s.MaxMonths, "month"))
}

// bandWords names bands as in "band 5 or 6, consultant or no band stated".
func bandWords(bands []string) string {
	var numbers, grades []string
	for _, b := range bands {
		if isDigit(b[0]) {
			numbers = append(numbers, b)
		} else {
			grades = append(grades, gradeWords(b))
		}
	}
	switch {
	case len(grades) == 0:
		return "band " + either(numbers)
	case len(numbers) == 0:
		return either(grades)
	}
	return "band " + strings.Join(numbers, ", ") + " or " + strings.Join(grades, " or ")
}

// gradeWords names what is no band of Agenda for Change.
func gradeWords(b string) string {
	switch b {
	case Foundation:
		return "foundation doctor"
	case SpecialtyDoctor:
		return "specialty doctor"
	case SpecialistGrade:
		return "specialist doctor"
	case DoctorOther:
		return "doctor of another grade"
	case VerySenior:
		return "very senior manager"
	case LocalPay:
		return "local pay"
	case BandUnstated:
		return "no band stated"
	}
	return b
}

func specialtyName(id string) string {
	if s, ok := specialty.Lookup(id); ok {
		return s.Name
	}
	return id
}

func specialtyWords(ids []string) string {
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		names = append(names, specialtyName(id))
	}
	if n := len(names) - most; n > 0 {
		more := fmt.Sprintf("%d more specialties", n)
		if n == 1 {
			more = "1 more specialty"
		}
		names = append(names[:most], more)
	}
	return strings.Join(names, " or ")
}

func staffGroupName(code string) string {
	for _, g := range role.StaffGroups() {
		if g.Code == code {
			return g.Name
		}
	}
	return code
}

func staffGroupWords(codes []string) string {
	names := make([]string, 0, len(codes))
	for _, c := range codes {
		names = append(names, staffGroupName(c))
	}
	return strings.Join(names, " or ")
}

// capital begins a sentence.
func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// placeWords names the places of a search, at most a few of them.
func placeWords(places []Place) string {
	var names []string
	for i := range places {
		names = append(names, places[i].describe())
	}
	names = slices.Compact(names)
	if n := len(names) - most; n > 0 {
		names = append(names[:most], count(n, "further place"))
	}
	return strings.Join(names, " or ")
}
