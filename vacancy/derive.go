package vacancy

import (
	"slices"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/role"
	"github.com/vacancywatch/vacancywatch/vacancy/specialty"
)

// Derive fills in what follows from the printed facts: points and regions of
// the places or, where none has a point, of the employer's seat; a band that
// only the title names; the staff group that the role in the title tells; the
// specialties of the text. It changes nothing that is printed, marks what it
// infers, and gives the same when repeated.
func (v *Vacancy) Derive() {
	v.Schema = Schema
	for i := range v.Locations {
		v.Locations[i].locate()
	}
	v.locateSeat(gazetteer.Default())
	if v.StaffGroup == "" {
		if r, ok := role.Find(v.Title); ok {
			v.StaffGroup = r.StaffGroup
		}
	}
	v.deriveBand()
	v.Specialties = nil
	for _, f := range specialty.Classify(specialty.Input{
		Title: v.Title, Employer: v.Employer, Summary: v.Text.Summary, Duties: v.Text.Duties,
		Description: v.Text.Description, StaffGroup: v.StaffGroup,
	}) {
		v.Specialties = append(v.Specialties, Specialty{ID: f.ID, Confidence: f.Confidence, Evidence: f.Evidence})
	}
}

func (v *Vacancy) deriveBand() {
	inTitle := BandsInTitle(v.Title)
	if v.Band != "" && v.BandFrom != FromTitle {
		// "Band 5/6" on a page that prints Band 5 is a development post: both
		// count. A title that contradicts the page is ignored.
		if v.BandFrom == FromPrinted && len(inTitle) > 1 && slices.Contains(inTitle, v.Band) {
			v.AlsoBands = slices.DeleteFunc(slices.Clone(inTitle), func(b string) bool { return b == v.Band })
		}
		return
	}
	scheme := strings.ToLower(v.PayScheme)
	medical := strings.Contains(scheme, "medical and dental") || scheme == "" && v.StaffGroup == role.MedicalAndDental
	if medical || scheme == "" && len(inTitle) == 0 {
		if grade, _, ok := role.MedicalGrade(v.Title, medical); ok {
			v.Band, v.AlsoBands, v.BandFrom = grade, nil, FromTitle
			return
		}
	}
	_, vsm := role.VSM(v.Title)
	switch {
	case len(inTitle) > 0:
		v.Band, v.AlsoBands, v.BandFrom = inTitle[0], inTitle[1:], FromTitle
	case vsm || strings.Contains(scheme, "very senior"):
		v.Band, v.BandFrom = VerySenior, FromTitle
	case scheme != "" && !strings.EqualFold(v.PayScheme, "Agenda for change") && !medical:
		v.Band, v.BandFrom = LocalPay, FromPrinted
	}
}
