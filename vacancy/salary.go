package vacancy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Money is an amount in pence sterling. In JSON it is a number of pounds.
type Money int64

// MarshalJSON writes pounds, with pence only where there are any.
func (m Money) MarshalJSON() ([]byte, error) { return []byte(m.plain("")), nil }

// UnmarshalJSON reads a number of pounds.
func (m *Money) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || f < 0 || f > 1e9 {
		return fmt.Errorf("%q is not a number of pounds", b)
	}
	*m = Money(f*100 + 0.5)
	return nil
}

// String is the amount as people write it, "£33,094" or "£12.50".
func (m Money) String() string { return "£" + m.plain(",") }

func (m Money) plain(sep string) string {
	pounds := strconv.FormatInt(int64(m)/100, 10)
	for i := len(pounds) - 3; i > 0 && sep != ""; i -= 3 {
		pounds = pounds[:i] + sep + pounds[i:]
	}
	if p := int64(m) % 100; p != 0 {
		pounds += fmt.Sprintf(".%02d", p)
	}
	return pounds
}

// Units of pay.
const (
	PerYear    = "year"
	PerMonth   = "month"
	PerWeek    = "week"
	PerDay     = "day"
	PerHour    = "hour"
	PerSession = "session"
)

// Salary is what an advert says about pay. It is never turned into another
// unit: an hourly rate says nothing about a year without the hours.
type Salary struct {
	Min  Money  `json:"min,omitempty"`
	Max  Money  `json:"max,omitempty"`
	Unit string `json:"unit,omitempty"` // one of the units above, or unknown
	// UnitInferred marks a unit that the text does not name: the XML answer
	// of NHS Jobs prints bare amounts.
	UnitInferred bool `json:"unit_inferred,omitempty"`
	// Negotiable is set where no amount is printed: "Depends on experience".
	Negotiable bool   `json:"negotiable,omitempty"`
	Text       string `json:"text"`
}

var (
	amountRE = regexp.MustCompile(`(?:£|gbp)?\s?(\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.(\d{1,2}))?(?:\s?(k)\b)?`)
	poundRE  = regexp.MustCompile(`(?:£|gbp)\s?\d`)
	// plainMoneyRE matches amounts that are money even without a sign.
	plainMoneyRE = regexp.MustCompile(`^(?:\d{1,3},\d{3}|\d{5,}|\d{2,3}k$|\d+\.\d{2}$)`)
	unitRE       = regexp.MustCompile(`(?i)\b(?:a|an|per|each|/)\s*(?:calendar\s+)?(year|annum|month|week|day|hour|hr|session|sitting|shift)\b|\b(hourly|monthly|annually|yearly|weekly|daily|sessional|p\.?a\.?|p/a|pcm|p/?h|p\.h\.?|pd|pw)(?:\b|\.|$)|/\s?(hour|hr|year|month|day|session)\b`)
	// countedRE is what stands before a unit that does not tell the pay: the
	// hours of "37.5 hours a week".
	countedRE = regexp.MustCompile(`\b(?:hours?|hrs?|days?|weeks?|months?|sessions?|shifts?|nights?|pas?|times?)\.?\s*$`)
	// hoursRE is what stands behind a number that is none of pounds.
	hoursRE = regexp.MustCompile(`^\s*(?:hours?|hrs?|wte|fte|%)`)
	// upToRE matches an upper end without a lower one.
	upToRE = regexp.MustCompile(`^[^£]*\b(?:up to|maximum of)\s*(?:£|gbp)?\s*\d`)
	// joinedRE is what stands between the ends of a range.
	joinedRE = regexp.MustCompile(`^\s*(?:to|rising to|up to|-|–|—)\s*$`)
	// How employers' own hands write amounts: a unit without a space before it,
	// thousands with a space or a stop.
	gluedRE     = regexp.MustCompile(`(\d)(pa|p\.a|pcm|ph|p\.h|pd|pw)\b`)
	thousandsRE = regexp.MustCompile(`((?:£|gbp)\s?\d{1,3})[ .](\d{3})\b`)
	// openRange is what follows a unit where a range goes on.
	openRange = regexp.MustCompile(`^\s*(?:to|-|–|—)\s*(?:£|gbp)\s?[\d,.]+k?`)
	unitName  = map[string]string{
		"year": PerYear, "annum": PerYear, "annually": PerYear, "yearly": PerYear, "pa": PerYear, "p.a": PerYear, "p.a.": PerYear, "pa.": PerYear, "p/a": PerYear,
		"month": PerMonth, "monthly": PerMonth, "pcm": PerMonth, "week": PerWeek, "weekly": PerWeek,
		"day": PerDay, "daily": PerDay, "hour": PerHour, "hourly": PerHour, "p/h": PerHour, "ph": PerHour, "p.h": PerHour, "p.h.": PerHour, "hr": PerHour, "pd": PerDay, "pw": PerWeek,
		"session": PerSession, "sessional": PerSession, "sitting": PerSession,
	}
)

// maxPounds is more than any pay; a larger number is something else.
const maxPounds = 10_000_000

// ParseSalary reads a printed salary: "£33,094 to £36,195 a year per annum
// inc", "£16 to £18 an hour", "£25,559.16 a year", "£37578.60 to £39709.50",
// "Depends on experience". It returns nil for empty text. Amounts are read
// only up to the unit: what follows ("pro rata, 37.5 hours") is free text.
//
// Without a unit in the text, as in the XML answer, an amount from 15,000 is
// taken for a year and one under 200 for an hour, and UnitInferred is set;
// in between the unit stays unknown.
func ParseSalary(text string) *Salary {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return nil
	}
	s := &Salary{Text: text}
	// Lower case may take more bytes than the text, so all reading is of it.
	lower := thousandsRE.ReplaceAllString(gluedRE.ReplaceAllString(strings.ToLower(text), "$1 $2"), "$1,$2")
	found, unit, stated := amountsWithUnit(lower)
	s.Unit = unit
	switch {
	case len(found) == 0 || slices.Max(found) == 0:
		s.Negotiable, s.Unit = true, ""
		return s
	case len(found) == 1:
		s.Min, s.Max = found[0], found[0]
		if upToRE.MatchString(lower) {
			s.Min = 0
		}
	default:
		s.Min, s.Max = min(found[0], found[1]), max(found[0], found[1])
	}
	if !stated {
		switch {
		case s.Max >= 15_000_00:
			s.Unit, s.UnitInferred = PerYear, true
		case s.Max < 200_00:
			s.Unit, s.UnitInferred = PerHour, true
		}
	}
	return s
}

// amountsWithUnit finds the one or two amounts of a lower-case text and the
// unit behind them. Stated is true where the text names a unit, even one that
// is none of ours, such as a shift.
func amountsWithUnit(text string) (found []Money, unit string, stated bool) {
	from := 0
	for _, m := range unitRE.FindAllStringSubmatchIndex(text, -1) {
		if countedRE.MatchString(text[max(from, m[0]-20):m[0]]) {
			continue
		}
		unit, stated = "", true
		for g := 2; g < len(m); g += 2 {
			if m[g] >= 0 {
				unit = unitName[text[m[g]:m[g+1]]]
			}
		}
		// What stands behind the unit is an allowance or a note, but for the
		// other end of a range: "£20,000 pa to £25,000 pa".
		if found = amountsIn(text[from:m[0]]); len(found) > 0 {
			if rest := openRange.FindString(text[m[1]:]); len(found) == 1 && rest != "" {
				found = append(found, amountsIn(rest)...)
			}
			return found, unit, stated
		}
		from = m[1]
	}
	return amountsIn(text[from:]), unit, stated // "Hourly rate £14.20", or no unit
}

// amountsIn returns an amount or the two ends of a range: the first range of
// the text, else its first amounts.
func amountsIn(text string) []Money {
	var found []Money
	end := 0 // of the amount before
	signed := poundRE.MatchString(text)
	for _, m := range amountRE.FindAllStringSubmatchIndex(text, -1) {
		whole := text[m[0]:m[1]]
		// In "Band 5, £31,049" the 5 is no pay; the second end of a range may
		// drop its sign ("£16 - 18 an hour"). Without any sign only what is
		// written as money counts: "33,094", not "37.5 hours per week".
		switch {
		case strings.HasPrefix(whole, "£"), strings.HasPrefix(whole, "gbp"):
		case signed && len(found) > 0 && isJoint(text[end:m[0]]):
		case !signed && plainMoneyRE.MatchString(strings.TrimSpace(whole)) && !hoursRE.MatchString(text[m[1]:min(len(text), m[1]+12)]):
		default:
			continue
		}
		n, err := strconv.ParseInt(strings.ReplaceAll(text[m[2]:m[3]], ",", ""), 10, 64)
		if err != nil || n > maxPounds {
			continue
		}
		pence := int64(0)
		if m[4] >= 0 {
			pence, _ = strconv.ParseInt((text[m[4]:m[5]] + "0")[:2], 10, 64)
		}
		if m[6] >= 0 {
			n, pence = n*1000+pence*10, 0
		}
		last := len(found) - 1
		joined := last >= 0 && isJoint(text[end:m[0]])
		found, end = append(found, Money(n*100+pence)), m[1]
		if !joined {
			continue
		}
		// "£30-35k" and "£30-35,000" leave the thousands of the first out.
		if low := found[last]; low >= 10_00 && low < 1000_00 && (m[6] >= 0 || low*1000 <= found[last+1]) {
			found[last] *= 1000
		}
		return found[last:]
	}
	return found[:min(len(found), 2)]
}

// isJoint reports whether a text is all that stands between the ends of a
// range.
func isJoint(between string) bool { return len(between) < 20 && joinedRE.MatchString(between) }

// String is the salary in a line, as printed.
func (s *Salary) String() string {
	if s == nil {
		return ""
	}
	return s.Text
}

// Equal reports whether two salaries state the same amounts, however they
// are worded: feeds print one salary in different ways.
func (s *Salary) Equal(o *Salary) bool {
	if s == nil || o == nil {
		return s == o
	}
	return s.Min == o.Min && s.Max == o.Max && s.Negotiable == o.Negotiable &&
		(s.Unit == o.Unit || s.UnitInferred || o.UnitInferred)
}
