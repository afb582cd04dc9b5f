package vacancy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSalary(t *testing.T) {
	const pounds = 100
	tests := []struct {
		text string
		want Salary // Text is filled in
	}{
		// As on cards and adverts.
		{"£33,094 to £36,195 a year per annum inc", Salary{Min: 33094 * pounds, Max: 36195 * pounds, Unit: PerYear}},
		{"£49,387 to £56,515 a year per annum, pro rata for part time", Salary{Min: 49387 * pounds, Max: 56515 * pounds, Unit: PerYear}},
		{"£48,987.04 to £54,663.24 a year", Salary{Min: 4898704, Max: 5466324, Unit: PerYear}},
		{"£32,648 to £39,177.60 a year", Salary{Min: 3264800, Max: 3917760, Unit: PerYear}},
		{"£25,559.16 a year", Salary{Min: 2555916, Max: 2555916, Unit: PerYear}},
		{"£16 to £18 an hour", Salary{Min: 1600, Max: 1800, Unit: PerHour}},
		{"£12.50 an hour", Salary{Min: 1250, Max: 1250, Unit: PerHour}},
		{"£1,850 a session", Salary{Min: 185000, Max: 185000, Unit: PerSession}},
		{"£3,000 a month", Salary{Min: 300000, Max: 300000, Unit: PerMonth}},
		{"£700 a week", Salary{Min: 70000, Max: 70000, Unit: PerWeek}},
		{"£400 a day", Salary{Min: 40000, Max: 40000, Unit: PerDay}},
		{"Depends on experience", Salary{Negotiable: true}},
		{"Negotiable", Salary{Negotiable: true}},
		{"Competitive", Salary{Negotiable: true}},
		// As in the XML answer.
		{"£37578.60 to £39709.50", Salary{Min: 3757860, Max: 3970950, Unit: PerYear, UnitInferred: true}},
		{"£10295.00", Salary{Min: 1029500, Max: 1029500}},
		{"£15000.00", Salary{Min: 15000 * pounds, Max: 15000 * pounds, Unit: PerYear, UnitInferred: true}},
		{"£14999.99", Salary{Min: 1499999, Max: 1499999}},
		{"£16.00 to £18.00", Salary{Min: 1600, Max: 1800, Unit: PerHour, UnitInferred: true}},
		{"£200.00", Salary{Min: 20000, Max: 20000}},
		{"£39,959 to £48,117 a year", Salary{Min: 39959 * pounds, Max: 48117 * pounds, Unit: PerYear}},
		// Employers' own hands.
		{"£16 - 18 an hour", Salary{Min: 1600, Max: 1800, Unit: PerHour}},
		{"£30k to £35.5k pa", Salary{Min: 30000 * pounds, Max: 35500 * pounds, Unit: PerYear}},
		{"£30-35k per annum", Salary{Min: 30000 * pounds, Max: 35000 * pounds, Unit: PerYear}},
		{"GBP 30,000 per annum", Salary{Min: 30000 * pounds, Max: 30000 * pounds, Unit: PerYear}},
		{"33,094 - 36,195 p.a.", Salary{Min: 33094 * pounds, Max: 36195 * pounds, Unit: PerYear}},
		{"Up to £45,000 a year", Salary{Max: 45000 * pounds, Unit: PerYear}},
		{"Band 5, £31,049 to £37,796 a year", Salary{Min: 31049 * pounds, Max: 37796 * pounds, Unit: PerYear}},
		{"£31,049 a year plus £500 a month allowance", Salary{Min: 31049 * pounds, Max: 31049 * pounds, Unit: PerYear}},
		{"Hourly rate £14.20", Salary{Min: 1420, Max: 1420, Unit: PerHour}},
		{"37.5 hours per week, £30,000 per annum", Salary{Min: 30000 * pounds, Max: 30000 * pounds, Unit: PerYear}},
		{"£20,000 pa to £25,000 pa", Salary{Min: 20000 * pounds, Max: 25000 * pounds, Unit: PerYear}},
		{"£25,000 to £20,000 a year", Salary{Min: 20000 * pounds, Max: 25000 * pounds, Unit: PerYear}},
		{"£28,000/year", Salary{Min: 28000 * pounds, Max: 28000 * pounds, Unit: PerYear}},
		{"£14.20ph", Salary{Min: 1420, Max: 1420, Unit: PerHour}},
		{"£14.20 - £15.80 p.h.", Salary{Min: 1420, Max: 1580, Unit: PerHour}},
		{"£14 per hr", Salary{Min: 1400, Max: 1400, Unit: PerHour}},
		{"£2,450pcm", Salary{Min: 245000, Max: 245000, Unit: PerMonth}},
		{"£2450 per calendar month", Salary{Min: 245000, Max: 245000, Unit: PerMonth}},
		{"£350pd", Salary{Min: 35000, Max: 35000, Unit: PerDay}},
		{"£30,000pa", Salary{Min: 30000 * pounds, Max: 30000 * pounds, Unit: PerYear}},
		{"£37,338.00-£44,962.00 p/a", Salary{Min: 37338 * pounds, Max: 44962 * pounds, Unit: PerYear}},
		{"£40-45,000 per annum", Salary{Min: 40000 * pounds, Max: 45000 * pounds, Unit: PerYear}},
		{"£29.970 - £36.483 a year", Salary{Min: 29970 * pounds, Max: 36483 * pounds, Unit: PerYear}},
		{"£20 000 - £25 000 per annum", Salary{Min: 20000 * pounds, Max: 25000 * pounds, Unit: PerYear}},
		{"Welcome bonus of £1,000. £30,000 - £35,000 a year", Salary{Min: 30000 * pounds, Max: 35000 * pounds, Unit: PerYear}},
		{"Depends on experience, up to £45,000 a year", Salary{Max: 45000 * pounds, Unit: PerYear}},
		{"£30,000 a year plus up to £2,000 a year", Salary{Min: 30000 * pounds, Max: 30000 * pounds, Unit: PerYear}},
		{"between £30,000 and £35,000 a year", Salary{Min: 30000 * pounds, Max: 35000 * pounds, Unit: PerYear}},
		{"£30,000 and 25 days of leave a year", Salary{Min: 30000 * pounds, Max: 30000 * pounds, Unit: PerYear}},
		// The hours a week are no pay a week.
		{"(37.50 hours a week) £30,000 per annum", Salary{Min: 30000 * pounds, Max: 30000 * pounds, Unit: PerYear}},
		{"£30,000 pro rata (based on 37.5 hours per week)", Salary{Min: 30000 * pounds, Max: 30000 * pounds, Unit: PerYear, UnitInferred: true}},
		{"£28,000 FTE, 30 hrs per week, 42 weeks a year", Salary{Min: 28000 * pounds, Max: 28000 * pounds, Unit: PerYear, UnitInferred: true}},
		{"£14.20 for 20 hours per week", Salary{Min: 1420, Max: 1420, Unit: PerHour, UnitInferred: true}},
		{"37.50 hours per week", Salary{Negotiable: true}},
		// No pay at all, or in no unit that we know.
		{"£150 per shift", Salary{Min: 15000, Max: 15000}},
		{"37.5 hours per week", Salary{Negotiable: true}},
		{"Band 5 pro rata", Salary{Negotiable: true}},
		{"£0", Salary{Negotiable: true}},
		{"£0.00 to £0.00", Salary{Negotiable: true}},
		{"£99999999 a year", Salary{Negotiable: true}},
		{"Voluntary", Salary{Negotiable: true}},
		// Longer in lower case than as printed.
		{"İİİİİİ £30,000 a year", Salary{Min: 30000 * pounds, Max: 30000 * pounds, Unit: PerYear}},
	}
	// Salary has an Equal, which go-cmp would heed and which forgives units.
	type whole Salary
	for _, tt := range tests {
		tt.want.Text = tt.text
		if diff := cmp.Diff(whole(tt.want), whole(*ParseSalary(tt.text))); diff != "" {
			t.Errorf("ParseSalary(%q) (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestParseSalaryText(t *testing.T) {
	for _, text := range []string{"", " \n\t\u00a0"} {
		if got := ParseSalary(text); got != nil {
			t.Errorf("ParseSalary(%q) = %v, want nil", text, got)
		}
	}
	// On the page the unit stands on a line of its own.
	got := ParseSalary("\n   £48,987.04 to £54,663.24\n\n      a year\n   ")
	if want := "£48,987.04 to £54,663.24 a year"; got.String() != want || got.Unit != PerYear {
		t.Errorf("got %q a %s, want %q a year", got, got.Unit, want)
	}
	if got := (*Salary)(nil).String(); got != "" {
		t.Errorf("no salary prints %q", got)
	}
}

func TestSalaryEqual(t *testing.T) {
	xml, card := ParseSalary("£37578.60 to £39709.50"), ParseSalary("£37,578.60 to £39,709.50 a year")
	tests := []struct {
		name string
		a, b *Salary
		want bool
	}{
		{"two feeds", xml, card, true},
		{"other amount", card, ParseSalary("£37,578.60 to £39,709.51 a year"), false},
		{"other unit", ParseSalary("£100 a day"), ParseSalary("£100 a session"), false},
		{"none", nil, nil, true},
		{"one", nil, card, false},
		{"worded otherwise", ParseSalary("Negotiable"), ParseSalary("Depends on experience"), true},
	}
	for _, tt := range tests {
		if got := tt.a.Equal(tt.b); got != tt.want {
			t.Errorf("%s: Equal = %t, want %t", tt.name, got, tt.want)
		}
		if got := tt.b.Equal(tt.a); got != tt.want {
			t.Errorf("%s, turned round: Equal = %t, want %t", tt.name, got, tt.want)
		}
	}
}

func TestMoney(t *testing.T) {
	tests := []struct {
		money      Money
		text, json string
	}{
		{0, "£0", "0"}, {1250, "£12.50", "12.50"}, {3309400, "£33,094", "33094"}, {123456789, "£1,234,567.89", "1234567.89"},
		{5, "£0.05", "0.05"}, {99900, "£999", "999"},
	}
	for _, tt := range tests {
		if got := tt.money.String(); got != tt.text {
			t.Errorf("%d pence print as %q, want %q", tt.money, got, tt.text)
		}
		b, err := json.Marshal(tt.money)
		if err != nil || string(b) != tt.json {
			t.Errorf("%d pence are %s in JSON, %v; want %s", tt.money, b, err, tt.json)
		}
		var back Money
		if err := json.Unmarshal(b, &back); err != nil || back != tt.money {
			t.Errorf("%s came back as %d, %v; want %d", b, back, err, tt.money)
		}
	}
	for _, bad := range []string{`"12"`, "-1", "1e12", "true"} {
		if err := new(Money).UnmarshalJSON([]byte(bad)); err == nil {
			t.Errorf("%s was taken for money", bad)
		}
	}
}

func FuzzParseSalary(f *testing.F) {
	for _, s := range []string{"£33,094 to £36,195 a year per annum inc", "£16 - 18 an hour", "£30-35k", "GBP 1", "Depends on experience", "İ£1k"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := ParseSalary(text)
		if s == nil {
			if strings.TrimSpace(text) != "" {
				t.Fatalf("ParseSalary(%q) is nil", text)
			}
			return
		}
		if s.Min < 0 || s.Max < s.Min {
			t.Fatalf("ParseSalary(%q) = %d to %d pence", text, s.Min, s.Max)
		}
		if s.Negotiable != (s.Max == 0) {
			t.Fatalf("ParseSalary(%q) = %+v: negotiable and an amount, or neither", text, s)
		}
		type whole Salary
		if diff := cmp.Diff(whole(*s), whole(*ParseSalary(s.Text))); diff != "" {
			t.Fatalf("ParseSalary(%q) read again (-first +again):\n%s", text, diff)
		}
	})
}
