package message

import (
	"regexp"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// unitAgainRE is a unit of pay that an employer repeats behind the one that the
// site prints: "£33,094 to £36,195 a year per annum".
var unitAgainRE = regexp.MustCompile(`(?i)\b((?:a|an|per) (year|annum|month|week|day|hour|session))[,;]?\s+` +
	`(?:(?:a|an|per|each)\s+(year|annum|month|week|day|hour|session)|(p\.?\s?a|pcm|p\.?\s?h|p/h|annually|yearly|monthly|weekly|daily|hourly))\b\.?`)

// salaryText is the salary as printed, with its unit once.
func salaryText(s *vacancy.Salary) string {
	return unitAgainRE.ReplaceAllStringFunc(clean(s.String()), func(all string) string {
		m := unitAgainRE.FindStringSubmatch(all)
		if again := m[3] + m[4]; payUnit(m[2]) != payUnit(again) {
			return all // "a year per hour" is for the reader to make out
		}
		return m[1]
	})
}

func payUnit(s string) string {
	switch s = strings.ToLower(strings.NewReplacer(".", "", " ", "", "/", "").Replace(s)); s {
	case "annum", "pa", "annually", "yearly":
		return "year"
	case "pcm", "monthly":
		return "month"
	case "weekly":
		return "week"
	case "daily":
		return "day"
	case "ph", "hourly":
		return "hour"
	}
	return s
}
