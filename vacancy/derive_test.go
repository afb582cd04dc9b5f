package vacancy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDeriveBand(t *testing.T) {
	const afc, medical = "Agenda for change", "Hospital medical and dental staff"
	tests := []struct {
		name, title, scheme, printed string // printed under "Band"
		want, from                   string
	}{
		{"printed", "Staff Nurse", afc, "Band 5", "5", FromPrinted},
		{"printed against the title", "Staff Nurse Band 6", afc, "Band 5", "5", FromPrinted},
		{"development post", "Staff Nurse Band 5/6", afc, "Band 5", "5 6", FromPrinted},
		{"title", "Staff Nurse Band 6", "", "", "6", FromTitle},
		{"title lists", "Staff Nurse B5/6", "", "", "5 6", FromTitle},
		{"not stated", "Staff Nurse", "", "", "", ""},
		{"not printed", "Staff Nurse", afc, "", "", ""},
		{"ward", "Staff Nurse Ward B5", "", "", "", ""},
		{"postcode", "Staff Nurse Birmingham B5 4TD", "", "", "", ""},
		{"local pay", "Practice Nurse", "Other", "", LocalPay, FromPrinted},
		{"band 1", "Domestic Assistant", afc, "Band 1", LocalPay, FromPrinted},
		{"consultant", "Consultant in Medical Oncology", medical, "", Consultant, FromTitle},
		{"consultant by title alone", "Locum Consultant Anaesthetist", "", "", Consultant, FromTitle},
		{"consultant midwife", "Consultant Midwife", "", "", "", ""},
		{"consultant nurse", "Consultant Nurse Band 8b", "", "", "8b", FromTitle},
		{"foundation", "FY2 in Emergency Medicine", medical, "", Foundation, FromTitle},
		{"registrar", "ST3+ Registrar in Cardiology", medical, "", Registrar, FromTitle},
		{"saint", "Porter, St Helens", "", "", "", ""},
		{"specialty doctor", "Specialty Doctor in Psychiatry", medical, "", SpecialtyDoctor, FromTitle},
		{"director", "Director of Nursing", "", "", "", ""},
		{"vsm", "Director of Nursing (VSM)", "", "", VerySenior, FromTitle},
	}
	for _, tt := range tests {
		v := Vacancy{Title: tt.title, PayScheme: tt.scheme}
		if bands := ParseBand(tt.printed); bands != nil {
			v.Band, v.AlsoBands, v.BandFrom = bands[0], bands[1:], FromPrinted
		}
		v.Derive()
		if got := strings.Join(v.AllBands(), " "); got != tt.want || v.BandFrom != tt.from {
			t.Errorf("%s: %q under %q is band %q from %q, want %q from %q", tt.name, tt.title, tt.scheme, got, v.BandFrom, tt.want, tt.from)
		}
		again := v.Clone()
		again.Derive()
		if diff := cmp.Diff(v, again); diff != "" {
			t.Errorf("%s: derived again (-first +again):\n%s", tt.name, diff)
		}
	}
}

func TestDerivePlaces(t *testing.T) {
	v := Vacancy{Title: "Porter", Locations: []Location{ParseLocation("London EC1A 7BE"), ParseLocation("Remote LS1 3EX"), ParseLocation("Nowhere in Particular")}}
	v.Derive()
	if p, ok := v.Locations[0].Point(); !ok || p.Lat < 51.4 || p.Lat > 51.6 || v.Locations[0].Region != "London" {
		t.Errorf("EC1A 7BE lies at %v in %q", p, v.Locations[0].Region)
	}
	if !v.Locations[1].Remote || v.Locations[0].Remote {
		t.Error("remote work is not told from a place")
	}
	if _, ok := v.Locations[2].Point(); ok || v.Locations[2].PointFrom != "" {
		t.Errorf("a place that is none has a point: %+v", v.Locations[2])
	}
}
