package drift_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vacancywatch/vacancywatch/crawler/drift"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// cards are the entries as the HTML listing has them: another salary text,
// days for times.
func cards(vs []vacancy.Vacancy) []vacancy.Vacancy {
	return mutated(vs, func(_ int, v *vacancy.Vacancy) {
		v.Posted = vacancy.OnDay(v.Posted.Day())
		v.Title = strings.ToUpper(v.Title)
		if v.Salary != nil {
			v.Salary = vacancy.ParseSalary(strings.ReplaceAll(v.Salary.Text, ".00", "") + " a year")
		}
	})
}

func TestCompare(t *testing.T) {
	vs := entries(112)
	ten := func(change func(i int, v *vacancy.Vacancy)) []vacancy.Vacancy { return mutated(cards(vs[:10]), change) }
	up := func(n int) func(i int, v *vacancy.Vacancy) {
		return func(i int, v *vacancy.Vacancy) {
			if i < n {
				v.Closing = v.Closing.Add(1)
			}
		}
	}
	wrong := func(_ int, v *vacancy.Vacancy) { v.Reference = "C1111-26-" + v.Reference[len(v.Reference)-4:] }
	old := func(i int, v *vacancy.Vacancy) { wrong(i, v); v.Posted = shift(v.Posted, -3) }
	for _, tt := range []struct {
		name       string
		xml, html  []vacancy.Vacancy
		conclusive bool
		fields     string // that have defects
	}{
		{"the same", vs[:100], cards(vs[:10]), true, ""},
		{"three new in HTML", vs[3:103], cards(vs[:10]), true, ""},
		{"three new in XML", vs[:100], cards(vs[3:13]), true, ""},
		{"ten new in HTML", vs[10:110], cards(vs[:10]), false, ""},
		{"ten new in XML", vs[:10], cards(vs[10:20]), false, ""},
		{"two withdrawn from XML", slices.Delete(slices.Clone(vs), 4, 6)[:100], cards(vs[:10]), true, ""},
		{"two withdrawn from the end of the cards", slices.Delete(slices.Clone(vs), 8, 10)[:100], cards(vs[:10]), true, ""},
		{"three missing from XML", slices.Delete(slices.Clone(vs), 4, 7)[:100], cards(vs[:10]), true, "reference"},
		{"three missing from HTML", vs[:100], cards(slices.Delete(slices.Clone(vs), 4, 7)[:10]), true, "reference"},
		{"other references in HTML, of today", vs[:100], ten(wrong), false, ""},
		{"other references in HTML, of older days", vs[:100], ten(old), true, "reference"},
		{"titles", vs[:100], ten(func(_ int, v *vacancy.Vacancy) { v.Title += " band" }), true, "title"},
		{"title and employer swapped", vs[:100], ten(func(_ int, v *vacancy.Vacancy) { v.Title, v.Employer = v.Employer, v.Title }), true, "title employer"},
		{"all closing dates", vs[:100], ten(up(10)), true, "closing"},
		{"three closing dates", vs[:100], ten(up(3)), true, "closing"},
		{"two closing dates amended", vs[:100], ten(up(2)), true, ""},
		{"closing dates not on the cards", vs[:100], ten(func(_ int, v *vacancy.Vacancy) { v.Closing = vacancy.Day{} }), true, ""},
		{"posting dates", vs[:100], ten(func(_ int, v *vacancy.Vacancy) { v.Posted = shift(v.Posted, -1) }), true, "posted"},
		{"salaries", vs[:100], ten(func(_ int, v *vacancy.Vacancy) { v.Salary = vacancy.ParseSalary("£1 an hour") }), true, "salary"},
		{"no salaries on the cards", vs[:100], ten(func(_ int, v *vacancy.Vacancy) { v.Salary = nil }), true, ""},
		{"nothing", nil, nil, false, ""},
		{"nothing in XML", nil, cards(vs[:10]), false, ""},
		{"nothing in HTML", vs[:100], nil, false, ""},
	} {
		for _, c := range []drift.Comparison{drift.Compare(tt.xml, tt.html), drift.Compare(tt.html, tt.xml)} {
			var fields []string
			for _, d := range c.Defects() {
				field, _, _ := strings.Cut(d.Detail, ":")
				fields = append(fields, field)
				if d.Reason != drift.DefectCanary {
					t.Errorf("%s: reason %q", tt.name, d.Reason)
				}
			}
			if got := strings.Join(fields, " "); got != tt.fields || c.Conclusive() != tt.conclusive {
				t.Errorf("%s: got defects %q, conclusive %v; want %q, %v\n%q", tt.name, got, c.Conclusive(), tt.fields, tt.conclusive, c.Defects())
			}
		}
	}
}

func TestComparisonNamesReferences(t *testing.T) {
	vs := entries(100)
	html := mutated(cards(vs[:10]), func(i int, v *vacancy.Vacancy) {
		if i == 4 {
			v.Closing = v.Closing.Add(2)
		}
	})
	html = slices.Delete(html, 6, 7)
	want := drift.Comparison{Matched: 9, Missing: []string{vs[6].Reference},
		Differs: []drift.Difference{{Field: drift.FieldClosing, Reference: vs[4].Reference}}}
	if diff := cmp.Diff(want, drift.Compare(vs, html)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	all := mutated(cards(vs[:10]), func(_ int, v *vacancy.Vacancy) { v.Closing = v.Closing.Add(2) })
	got := drift.Compare(vs, all).Defects()
	detail := "closing: 10 of 10 differ: C9000-26-0000, C9001-26-0001, C9002-26-0002, C9003-26-0003, C9004-26-0004 and 5 more"
	if diff := cmp.Diff([]drift.Defect{{Reason: drift.DefectCanary, Detail: detail}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCompareTolerates: what may happen between two requests is no defect,
// however it falls together.
func TestCompareTolerates(t *testing.T) {
	vs := entries(140)
	rapid.Check(t, func(t *rapid.T) {
		first := vs[20:]
		second := slices.Clone(vs[20-rapid.IntRange(0, 7).Draw(t, "new"):])
		for range rapid.IntRange(0, 2).Draw(t, "withdrawn") {
			i := rapid.IntRange(0, 20).Draw(t, "which")
			second = slices.Delete(second, i, i+1)
		}
		second = clone(second)
		if rapid.Bool().Draw(t, "amended") {
			i := rapid.IntRange(0, 20).Draw(t, "amended one")
			second[i].Closing = second[i].Closing.Add(3)
		}
		x, y := first[:100], cards(second[:10])
		if rapid.Bool().Draw(t, "HTML first") {
			x, y = second[:100], cards(first[:10])
		}
		if ds := drift.Compare(x, y).Defects(); ds != nil {
			t.Fatalf("false alarm: %q", ds)
		}
	})
}
