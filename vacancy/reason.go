package vacancy

import (
	"cmp"
	"fmt"
	"strings"
)

// The sentences of an explanation. They say what the advert states and, where
// it fails, what was asked for; they stand behind each other in an alert and
// so begin small, but for names. None of them decides anything.

// nearestMiles is the distance behind the words of sayPlace; 0 for none, and
// where it would be that of the employer's seat, which is no place of work.
func nearestMiles(s *Search, v *Vacancy) float64 {
	f := fitPlaces(s.Places, v)
	switch {
	case f.home, f.area != nil, f.seat:
		return 0
	case f.in.place != nil:
		return f.in.miles()
	case f.off.place != nil:
		return f.off.miles()
	}
	return 0
}

func sayPlace(s *Search, v *Vacancy, _ Day, _ verdict) string {
	f := fitPlaces(s.Places, v)
	switch {
	case f.home:
		return "work from home"
	case f.seat && f.area != nil:
		return fmt.Sprintf("%s, in %s", seatWords(v), f.area.areaName())
	case f.seat:
		return fmt.Sprintf("%s, %s from %s", seatWords(v), milesText(f.in.miles()), f.in.place.Name)
	case f.area != nil:
		return fmt.Sprintf("in %s (%s)", f.area.areaName(), f.areaAt)
	case f.in.place != nil:
		return fmt.Sprintf("%s from %s (%s)", milesText(f.in.miles()), f.in.place.Name, f.in.where())
	case f.off.place != nil:
		return fmt.Sprintf("%s from %s, %s too far (%s)", milesText(f.off.miles()), f.off.place.Name, milesText(f.off.over()), f.off.where())
	case f.known:
		return fmt.Sprintf("in %s, you asked for %s", placesOf(v), strings.TrimPrefix(placeWords(s.Places), "in "))
	case f.seatAt.place != nil:
		return fmt.Sprintf("%s, %s from %s", seatWords(v), milesText(f.seatAt.miles()), f.seatAt.place.Name)
	case len(v.Locations) == 0:
		return "no place stated"
	}
	return "we do not know where " + placesOf(v) + " is"
}

// seatWords says that the employer's seat stands for a place, and why.
func seatWords(v *Vacancy) string {
	what := "the advert names no place"
	if said := v.PlaceText(); said != "" {
		what = fmt.Sprintf("the advert says no more of the place than %q", clip(said, 60))
	}
	return what + "; its employer is at " + outward(v.Seat.Postcode)
}

// placesOf names the sites of a vacancy, at most a few of them.
func placesOf(v *Vacancy) string {
	if n := len(v.Locations) - most; n > 0 {
		few := Vacancy{Locations: v.Locations[:most]}
		return few.PlaceText() + " and " + count(n, "further place")
	}
	return cmp.Or(v.PlaceText(), "a place without a name")
}

// milesText is a distance for people; the radius is compared in metres.
func milesText(m float64) string {
	if m < 0.05 {
		return "less than 0.1 miles"
	}
	return fmt.Sprintf("%.1f miles", m)
}

func sayBand(s *Search, v *Vacancy, _ Day, r verdict) string {
	bands := v.AllBands()
	switch {
	case !r.stated && v.PageUnread:
		return "band not known, the advert page could not be read"
	case !r.stated:
		return "no band stated"
	case !r.pass:
		return fmt.Sprintf("%s, you asked for %s", bandText(bands, v.BandFrom), bandWords(s.Bands))
	}
	for _, b := range bands {
		if testBand(s, &Vacancy{Band: b}, Day{}).pass {
			return bandText([]string{b}, v.BandFrom)
		}
	}
	return bandText(bands, v.BandFrom)
}

// bandText is what an advert states: "Band 5/6 (from the title)".
func bandText(bands []string, from string) string {
	text := gradeWords(bands[0])
	if isDigit(bands[0][0]) {
		text = "Band " + strings.Join(bands, "/")
	}
	if from == FromTitle {
		text += " (from the title)"
	}
	return text
}

func sayStaffGroup(s *Search, v *Vacancy, _ Day, r verdict) string {
	switch {
	case !r.stated:
		return "staff group not stated"
	case !r.pass:
		return fmt.Sprintf("%s, you asked for %s", staffGroupName(v.StaffGroup), staffGroupWords(s.StaffGroups))
	}
	return staffGroupName(v.StaffGroup)
}

func saySpecialty(s *Search, v *Vacancy, _ Day, r verdict) string {
	var others []string
	inferred := ""
	for _, sp := range v.Specialties {
		wanted := testSpecialty(&Search{Specialties: s.Specialties}, &Vacancy{Specialties: []Specialty{sp}}, Day{}).pass
		switch {
		case s.StatedOnly && sp.Confidence != "stated":
			if wanted && inferred == "" {
				inferred = specialtyName(sp.ID) + " is only guessed from the text"
			}
		case wanted:
			return fmt.Sprintf("%s: %s", specialtyName(sp.ID), evidenceText(sp.Evidence))
		default:
			others = append(others, specialtyName(sp.ID))
		}
	}
	switch {
	case inferred != "":
		return inferred + ", you asked for adverts that state it"
	case !r.stated:
		return "no specialty named"
	}
	return fmt.Sprintf("about %s, you asked for %s", strings.Join(others, ", "), specialtyWords(s.Specialties))
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

func sayKeywords(s *Search, v *Vacancy, _ Day, _ verdict) string {
	ok, why := s.query.Match(v.doc())
	if v.PageUnread && (!ok || s.query.Excludes()) {
		// An excluded word may stand on the page as well as a wanted one.
		return why + ", but only the title is known, for the advert page could not be read"
	}
	return why
}

func sayEmployer(s *Search, v *Vacancy, _ Day, r verdict) string {
	name := cmp.Or(v.Employer, v.Account(), "employer not stated")
	switch {
	case v.employedBy(s.NotEmployers):
		return name + " is left out by your search"
	case !r.stated:
		return "employer not stated"
	case !r.pass:
		return name + " is not an employer you asked for"
	}
	return name
}

func sayContract(s *Search, v *Vacancy, _ Day, r verdict) string {
	switch {
	case !r.stated:
		return "contract not stated"
	case !r.pass:
		return fmt.Sprintf("%s, you asked for %s", v.Contract, either(s.Contracts))
	}
	return v.Contract
}

func sayDuration(s *Search, v *Vacancy, _ Day, r verdict) string {
	text := "for " + clip(v.Duration, 60)
	switch {
	case r.stated && fold(v.Contract) == "permanent":
		text = "permanent, without an end"
	case !r.stated && v.Duration == "":
		return "duration not stated"
	case !r.stated:
		return fmt.Sprintf("the advert says %q, which gives no length of time", clip(v.Duration, 60))
	}
	if !r.pass {
		text += ", you asked " + s.monthsWords()
	}
	return text
}

func sayPattern(s *Search, v *Vacancy, _ Day, r verdict) string {
	switch {
	case !r.stated:
		return "working pattern not stated"
	case !r.pass:
		return fmt.Sprintf("%s, you asked for %s", strings.Join(v.WorkingPatterns, ", "), either(s.Patterns))
	}
	for _, p := range v.WorkingPatterns {
		if testPattern(s, &Vacancy{WorkingPatterns: []string{p}}, Day{}).pass {
			return p
		}
	}
	return strings.Join(v.WorkingPatterns, ", ")
}

func saySalary(s *Search, v *Vacancy, today Day, r verdict) string {
	top, from, _ := v.YearlyTop(today)
	unfit := v.Salary == nil || v.Salary.Negotiable || v.Salary.Max == 0
	var text string
	switch {
	case !r.stated && unfit:
		return "salary not stated"
	case !r.stated:
		return "salary not stated by the year (" + clip(v.Salary.Text, 60) + ")"
	case from == "salary":
		text = fmt.Sprintf("up to %s a year", top)
	case unfit:
		text = fmt.Sprintf("salary not stated, but the band pays up to %s a year full time", top)
	default:
		text = fmt.Sprintf("%s, and the band pays up to %s a year full time", clip(v.Salary.Text, 60), top)
	}
	if want := Money(s.MinSalary) * 100; !r.pass {
		text += fmt.Sprintf(", %s short of the %s you asked for", want-top, want)
	}
	return text
}

func saySponsorship(_ *Search, _ *Vacancy, _ Day, r verdict) string {
	switch {
	case !r.stated:
		return "sponsorship not known, the advert page has not been read"
	case !r.pass:
		return "sponsorship not offered"
	}
	return "sponsorship offered"
}

func sayDaysLeft(s *Search, v *Vacancy, today Day, r verdict) string {
	if !r.stated {
		return "closing date not stated"
	}
	var text string
	switch left := today.DaysUntil(v.Closing); {
	case left < 0:
		text = "closed on " + v.Closing.Human()
	case left == 0:
		text = "closes today"
	default:
		text = fmt.Sprintf("closes on %s, %s left", v.Closing.Human(), count(left, "day"))
	}
	if !r.pass {
		text += fmt.Sprintf(", you asked for at least %d", s.DaysLeft)
	}
	return text
}

func sayInternal(_ *Search, _ *Vacancy, _ Day, r verdict) string {
	if !r.pass {
		return "for internal applicants only"
	}
	return "open to everybody"
}
