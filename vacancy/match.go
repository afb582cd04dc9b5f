package vacancy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

// An Outcome is what one criterion of a search says of one vacancy.
type Outcome struct {
	Criterion string `json:"criterion"`
	Pass      bool   `json:"pass"`
	// Stated is false where the advert does not state the fact, and the rule
	// for unstated facts decided.
	Stated bool `json:"stated"`
	// Reason is a sentence for a person, without the criterion's name.
	Reason string `json:"reason"`
	// Miles is the distance to the nearest place, for the place criterion.
	Miles float64 `json:"miles,omitempty"`
}

// Matches is the definition of a match: every outcome passes. Whatever is
// faster must agree with it. today is the London day.
func Matches(s *Search, v *Vacancy, today Day) bool {
	for _, o := range Explain(s, v, today) {
		if !o.Pass {
			return false
		}
	}
	return true
}

// Explain returns an outcome for each criterion that the search uses, in the
// order of Criteria.
func Explain(s *Search, v *Vacancy, today Day) []Outcome {
	checks := []struct {
		name  string
		used  bool
		check func(*Search, *Vacancy, Day) Outcome
	}{
		{"place", len(s.Places) > 0, checkPlace},
		{"band", len(s.Bands) > 0, checkBand},
		{"staff_group", len(s.StaffGroups) > 0, checkStaffGroup},
		{"specialty", len(s.Specialties) > 0, checkSpecialty},
		{"keywords", s.query != nil, checkKeywords},
		{"employer", len(s.Employers)+len(s.NotEmployers) > 0, checkEmployer},
		{"contract", len(s.Contracts) > 0, checkContract},
		{"working_pattern", len(s.Patterns) > 0, checkPattern},
		{"min_salary", s.MinSalary > 0, checkSalary},
		{"sponsorship", s.Sponsorship, checkSponsorship},
		{"days_left", s.DaysLeft > 0, checkDaysLeft},
		{"internal", !s.Internal, checkInternal},
	}
	var out []Outcome
	for i, c := range checks {
		if !c.used {
			continue
		}
		o := c.check(s, v, today)
		o.Criterion = c.name
		if !o.Stated {
			o.Pass = Criteria()[i].UnstatedPasses
			if flipped, ok := s.Unstated[c.name]; ok {
				o.Pass = flipped
			}
		}
		// "Open to external applicants" is worth a line only when it fails.
		if c.name == "internal" && o.Pass {
			continue
		}
		out = append(out, o)
	}
	return out
}

// Why is the line that an alert carries: the reasons of a match in one line.
func Why(outcomes []Outcome) string {
	parts := make([]string, 0, len(outcomes))
	for _, o := range outcomes {
		parts = append(parts, o.Reason)
	}
	return strings.Join(parts, " · ")
}

func unstated(reason string) Outcome { return Outcome{Reason: reason} }

func stated(pass bool, format string, args ...any) Outcome {
	return Outcome{Pass: pass, Stated: true, Reason: fmt.Sprintf(format, args...)}
}

func checkPlace(s *Search, v *Vacancy, _ Day) Outcome {
	type near struct {
		miles float64
		place Place
		at    Location
	}
	var within, best *near // the nearest inside its radius, and the least far outside
	known := false
	for _, l := range v.Locations {
		for _, p := range s.Places {
			if p.Remote && l.Remote {
				return stated(true, "work from home")
			}
			if p.Region != "" {
				if l.Region == "" {
					continue
				}
				known = true
				if l.Region == p.Region {
					return stated(true, "in %s (%s)", p.Region, l)
				}
				continue
			}
			at, ok := l.Point()
			if !ok {
				continue
			}
			known = true
			centre := gazetteer.Point{Lat: p.Lat, Lon: p.Lon}
			miles := gazetteer.Miles(centre, at)
			if gazetteer.Within(centre, at, p.Miles) {
				if within == nil || miles < within.miles {
					within = &near{miles, p, l}
				}
				continue
			}
			if over := miles - float64(p.Miles); best == nil || over < best.miles-float64(best.place.Miles) {
				best = &near{miles, p, l}
			}
		}
	}
	switch {
	case within != nil:
		o := stated(true, "%s from %s (%s)", milesText(within.miles), within.place.Name, within.at)
		o.Miles = within.miles
		return o
	case best != nil:
		o := stated(false, "%s from %s, %s too far (%s)", milesText(best.miles), best.place.Name,
			milesText(best.miles-float64(best.place.Miles)), best.at)
		o.Miles = best.miles
		return o
	case known:
		return stated(false, "in %s", v.PlaceText())
	case len(v.Locations) == 0:
		return unstated("no place stated")
	default:
		return unstated("we do not know where " + v.PlaceText() + " is")
	}
}

// milesText is a distance for people; the radius is compared in metres.
func milesText(m float64) string {
	if m < 0.05 {
		return "less than 0.1 miles"
	}
	return fmt.Sprintf("%.1f miles", m)
}

func checkBand(s *Search, v *Vacancy, _ Day) Outcome {
	bands := v.AllBands()
	if len(bands) == 0 {
		if v.PageUnread {
			return unstated("band not known, the advert page could not be read")
		}
		return unstated("no band stated")
	}
	for _, b := range bands {
		if slices.Contains(s.Bands, b) {
			return stated(true, "%s", bandText(b, v.BandFrom))
		}
	}
	return stated(false, "%s, not %s", bandText(strings.Join(bands, "/"), v.BandFrom), strings.Join(s.Bands, " or "))
}

func bandText(b, from string) string {
	text := "Band " + b
	if b != "" && !isDigit(b[0]) {
		text = "grade " + b
	}
	if from == FromTitle {
		text += " (from the title)"
	}
	return text
}

func checkStaffGroup(s *Search, v *Vacancy, _ Day) Outcome {
	if v.StaffGroup == "" {
		return unstated("staff group not stated")
	}
	return stated(slices.Contains(s.StaffGroups, v.StaffGroup), "%s", staffGroupName(v.StaffGroup))
}

func checkSpecialty(s *Search, v *Vacancy, _ Day) Outcome {
	var names []string
	for _, sp := range v.Specialties {
		if s.StatedOnly && sp.Confidence != "stated" {
			continue
		}
		if slices.Contains(s.Specialties, sp.ID) {
			return stated(true, "%s: %s", specialtyName(sp.ID), evidenceText(sp.Evidence))
		}
		names = append(names, specialtyName(sp.ID))
	}
	if len(names) == 0 {
		return unstated("no specialty named")
	}
	return stated(false, "the advert is about %s", strings.Join(names, ", "))
}

// evidenceText turns "summary: Medical Oncology Service" into what stands in a
// sentence: "Medical Oncology Service" in the summary.
func evidenceText(e string) string {
	block, quote, ok := strings.Cut(e, ": ")
	if !ok {
		return e
	}
	return fmt.Sprintf("%q in the %s", quote, block)
}

func checkKeywords(s *Search, v *Vacancy, _ Day) Outcome {
	ok, why := s.query.Match(v.doc())
	if !ok && v.PageUnread {
		// The words may stand on the page that could not be read.
		return unstated(why + " in the title (the advert page could not be read)")
	}
	return stated(ok, "%s", why)
}

func (v *Vacancy) doc() *words.Doc {
	return words.NewDoc(
		words.Field{Name: words.Title, Text: v.Title},
		words.Field{Name: words.Summary, Text: v.Text.Summary},
		words.Field{Name: words.Duties, Text: v.Text.Duties},
		words.Field{Name: words.Description, Text: v.Text.Description},
		words.Field{Name: words.PersonSpec, Text: v.Text.Requirements},
	)
}

func checkEmployer(s *Search, v *Vacancy, _ Day) Outcome {
	is := func(list []string) bool {
		for _, e := range list {
			if e != "" && (e == v.Account() || fold(e) == fold(v.Employer)) {
				return true
			}
		}
		return false
	}
	name := cmp.Or(v.Employer, v.Account(), "employer not stated")
	if is(s.NotEmployers) {
		return stated(false, "%s is left out by your search", name)
	}
	if v.Employer == "" && len(s.Employers) > 0 && !is(s.Employers) {
		return unstated("employer not stated")
	}
	return stated(len(s.Employers) == 0 || is(s.Employers), "%s", name)
}

func checkContract(s *Search, v *Vacancy, _ Day) Outcome {
	if v.Contract == "" {
		return unstated("contract not stated")
	}
	return stated(slices.ContainsFunc(s.Contracts, func(c string) bool { return fold(c) == fold(v.Contract) }), "%s", v.Contract)
}

func checkPattern(s *Search, v *Vacancy, _ Day) Outcome {
	if len(v.WorkingPatterns) == 0 {
		return unstated("working pattern not stated")
	}
	for _, p := range v.WorkingPatterns {
		if slices.Contains(s.Patterns, p) {
			return stated(true, "%s", p)
		}
	}
	return stated(false, "%s", strings.Join(v.WorkingPatterns, ", "))
}

func checkSalary(s *Search, v *Vacancy, _ Day) Outcome {
	if v.Salary == nil || v.Salary.Negotiable || v.Salary.Max == 0 {
		return unstated("salary not stated")
	}
	if v.Salary.Unit != PerYear {
		return unstated("salary not stated by the year (" + v.Salary.Text + ")")
	}
	want := Money(s.MinSalary * 100)
	if v.Salary.Max >= want {
		return stated(true, "up to %s a year", v.Salary.Max)
	}
	return stated(false, "up to %s a year, %s short of %s", v.Salary.Max, want-v.Salary.Max, want)
}

func checkSponsorship(_ *Search, v *Vacancy, _ Day) Outcome {
	switch v.Sponsorship {
	case Offered:
		return stated(true, "sponsorship offered")
	case NotOffered:
		return stated(false, "sponsorship not offered")
	}
	return unstated("sponsorship not known, the advert page has not been read")
}

func checkDaysLeft(s *Search, v *Vacancy, today Day) Outcome {
	if v.Closing.IsZero() {
		return unstated("closing date not stated")
	}
	left := today.DaysUntil(v.Closing)
	days := "days"
	if left == 1 {
		days = "day"
	}
	return stated(left >= s.DaysLeft, "closes on %s, %d %s left", v.Closing.Human(), left, days)
}

func checkInternal(_ *Search, v *Vacancy, _ Day) Outcome {
	title := strings.ToLower(v.Title)
	internal := strings.Contains(title, "internal applicant") || strings.Contains(title, "internal only") ||
		strings.Contains(title, "internal candidates")
	if internal {
		return stated(false, "for internal applicants only")
	}
	return stated(true, "open to everybody")
}
