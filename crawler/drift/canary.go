package drift

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Difference is a field in which two feeds disagree about one vacancy.
type Difference struct{ Field, Reference string }

func (d Difference) String() string { return d.Field + " of " + d.Reference }

// Fields of a Difference.
const (
	FieldTitle    = "title"
	FieldEmployer = "employer"
	FieldClosing  = "closing"
	FieldPosted   = "posted"
	FieldSalary   = "salary"
)

// Fields returns every field that Compare looks at.
func Fields() []string {
	return []string{FieldTitle, FieldEmployer, FieldClosing, FieldPosted, FieldSalary}
}

// Comparison is what Compare found.
type Comparison struct {
	// Matched is the number of vacancies that both pages list.
	Matched int
	// New is the number of entries at the top of either page which the other
	// lacks, though as new: posted between the two requests.
	New int
	// Missing are the references further down that one page lacks, although
	// its entries reach beyond them.
	Missing []string
	// Differs are the disagreements about vacancies that both list.
	Differs []Difference
}

const (
	// fewMatched is how many common vacancies say anything.
	fewMatched = 3
	// missingAllowed is how many vacancies may leave, or be sorted anew,
	// between two requests.
	missingAllowed = 2
)

// Conclusive reports whether the two pages can be compared: with too few
// vacancies in common, and nothing missing, so much was posted between the
// requests that the pages have to be asked for again. If that happens three
// times in a row it is no chance: the feeds list different boards.
func (c Comparison) Conclusive() bool {
	return c.Matched >= fewMatched || len(c.Missing) > missingAllowed
}

// Defects returns where the feeds disagree by more than what happens between
// two requests. Up to two vacancies may be missing, and of the common ones a
// fifth, but at least one, may differ in a field: adverts are amended. Nil if
// the feeds agree, and if the comparison is not conclusive.
func (c Comparison) Defects() []Defect {
	var out []Defect
	if len(c.Missing) > missingAllowed {
		out = append(out, Defect{DefectCanary, fmt.Sprintf("reference: one feed lacks %s", some(c.Missing))})
	}
	if c.Matched < fewMatched {
		return out
	}
	for _, field := range Fields() {
		var refs []string
		for _, d := range c.Differs {
			if d.Field == field {
				refs = append(refs, d.Reference)
			}
		}
		if len(refs) > max(1, c.Matched/5) {
			out = append(out, Defect{DefectCanary, fmt.Sprintf("%s: %d of %d differ: %s", field, len(refs), c.Matched, some(refs))})
		}
	}
	return out
}

// some names the first of a list.
func some(refs []string) string {
	const most = 5
	if len(refs) > most {
		return strings.Join(refs[:most], ", ") + fmt.Sprintf(" and %d more", len(refs)-most)
	}
	return strings.Join(refs, ", ")
}

// Compare holds page 1 of one feed beside page 1 of another, asked for one
// soon after the other, both newest first. It is the only means to see values
// that are plausible and wrong. The pages may be of different lengths: what
// lies below the end of the shorter one is not looked at. The order of the two
// does not matter.
//
// Closing dates, posting dates and amounts are compared where both state them,
// for a card may go without; amounts without their unit, which one feed has
// and the other has not.
func Compare(a, b []vacancy.Vacancy) Comparison {
	inA, inB := places(a), places(b)
	var c Comparison
	for i := range b {
		v := &b[i]
		j, ok := inA[v.Reference]
		if !ok || inB[v.Reference] != i {
			continue
		}
		c.Matched++
		c.differ(&a[j], v)
	}
	c.edges(a, b, inB)
	c.edges(b, a, inA)
	return c
}

// places returns where each reference stands first.
func places(vs []vacancy.Vacancy) map[string]int {
	m := make(map[string]int, len(vs))
	for i := range vs {
		if _, ok := m[vs[i].Reference]; !ok {
			m[vs[i].Reference] = i
		}
	}
	return m
}

func (c *Comparison) differ(a, b *vacancy.Vacancy) {
	note := func(field string, differs bool) {
		if differs {
			c.Differs = append(c.Differs, Difference{field, a.Reference})
		}
	}
	note(FieldTitle, vacancy.Fold(a.Title) != vacancy.Fold(b.Title))
	note(FieldEmployer, vacancy.Fold(a.Employer) != vacancy.Fold(b.Employer))
	note(FieldClosing, !a.Closing.IsZero() && !b.Closing.IsZero() && a.Closing != b.Closing)
	note(FieldPosted, !a.Posted.IsZero() && !b.Posted.IsZero() && a.Posted.Day() != b.Posted.Day())
	note(FieldSalary, a.Salary != nil && b.Salary != nil && a.Salary.Max > 0 && b.Salary.Max > 0 &&
		(a.Salary.Min != b.Salary.Min || a.Salary.Max != b.Salary.Max))
}

// edges sorts the entries of one page that the other lacks. Above the first
// common one they are new, between common ones missing. Below the last one
// they lie beyond the other page, unless that is the longer one; and so do
// those above the first that are older than all of the other page.
func (c *Comparison) edges(page, other []vacancy.Vacancy, inOther map[string]int) {
	last := -1
	for i := range page {
		if _, ok := inOther[page[i].Reference]; ok {
			last = i
		}
	}
	var newest vacancy.Moment
	for i := range other {
		if newest.IsZero() || after(other[i].Posted, newest) {
			newest = other[i].Posted
		}
	}
	longer := len(other) > len(page)
	common := false
	for i := range page {
		v := &page[i]
		_, ok := inOther[v.Reference]
		switch {
		case ok:
			common = true
		case !common && !after(newest, v.Posted):
			c.New++
		case longer || common && i < last:
			if !slices.Contains(c.Missing, v.Reference) {
				c.Missing = append(c.Missing, v.Reference)
			}
		}
	}
}
