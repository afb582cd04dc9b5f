package vacancy

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBandsInTitle(t *testing.T) {
	tests := []struct{ title, want string }{
		// Forms.
		{"Staff Nurse Band 6", "6"},
		{"Staff Nurse - BAND 5", "5"},
		{"Staff Nurse (band5)", "5"},
		{"Staff Nurse Band: 6", "6"},
		{"Staff Nurse Band - 6", "6"},
		{"Leadership and Management Trainee, Band 6", "6"},
		{"Band 9 Director of Estates", "9"},
		{"Healthcare Support Workers Bands 2 and 3", "2 3"},
		{"Bands 5 and 6 Physiotherapist", "5 6"},
		{"Physiotherapist Band 5/6", "5 6"},
		{"Physiotherapist Band 6/5", "5 6"},
		{"Physiotherapist Band 5 / Band 6", "5 6"},
		{"Physiotherapist Band 5 or 6", "5 6"},
		{"Physiotherapist Band 5 & 6", "5 6"},
		{"Physiotherapist Band 5, 6 and 7", "5 6 7"},
		{"Physiotherapist Band 5 progressing to Band 6", "5 6"},
		{"Health Care Assistant Band 2-4", "2 3 4"},
		{"Health Care Assistant Band 2 – 4", "2 3 4"},
		{"Health Care Assistant Band 3 to 5", "3 4 5"},
		{"Health Care Assistant Band 3 to Band 5", "3 4 5"},
		{"Pharmacist AfC 7", "7"},
		{"Pharmacist AfC Band 7", "7"},
		{"Pharmacist AFC7", "7"},
		{"Pharmacist (Agenda for Change Band 8a)", "8a"},
		{"Matron Band 8a", "8a"},
		{"Matron Band 8A", "8a"},
		{"Matron Band 8 A", "8a"},
		{"Matron Band 8-A", "8a"},
		{"Matron Band 8 - All wards", "8a 8b 8c 8d"},
		{"Matron Band 8a-c", "8a 8b 8c"},
		{"Matron Band 8a - 8c", "8a 8b 8c"},
		{"Matron Band 8a/b", "8a 8b"},
		{"Matron Band 7/8a", "7 8a"},
		{"Matron Band 7-8b", "7 8a 8b"},
		{"Matron Band 8", "8a 8b 8c 8d"},
		{"Matron Band 8 a", "8a"},
		{"Matron Band 8 a new post", "8a 8b 8c 8d"},
		{"Matron Band 8d/9", "8d 9"},
		{"Enterprise Application Specialist - B5", "5"},
		{"Staff Nurse B6/7", "6 7"},
		{"Staff Nurse B6/B7", "6 7"},
		{"Staff Nurse (B5-B7)", "5 6 7"},
		{"Staff Nurse B 5", "5"},
		{"Lead Nurse B8a", "8a"},
		{"Staff Nurse B5 Ward Manager Development", ""}, // may be the ward's name
		// Numbers beside a band that are none.
		{"Staff Nurse Band 5, 37.5 hours", "5"},
		{"Staff Nurse Band 5 - 30 hours per week", "5"},
		{"Staff Nurse Band 5, 6 month fixed term", "5"},
		{"Staff Nurse Band 5 - 6-month secondment", "5"},
		{"Health Care Assistant Band 3 - 2 posts", "3"},
		{"Health Care Assistant Band 2 and 3 nights", "2"},
		{"Midwife Band 6 - 24/7 service", "6"},
		{"Midwife Band 6 - 3 Rivers Birth Centre", "6"},
		{"Midwife Band 6 7:30 start", "6"},
		{"Matron Band 8a - C Ward", "8a"},
		{"Matron Band 8 - Cardiology", "8a 8b 8c 8d"},
		{"Staff Nurse Band 5 Ward 7", "5"},
		// Traps.
		{"Staff Nurse, Birmingham B5 4TD", ""},
		{"Staff Nurse B5 4TD", ""},
		{"Staff Nurse B15 2TH", ""},
		{"Staff Nurse B31 2AP", ""},
		{"Staff Nurse, Birmingham, B5", ""},
		{"Staff Nurse Ward B5", ""},
		{"Staff Nurse - B5 ward", ""},
		{"Vitamin B6 Research Nurse", ""},
		{"B6 Deficiency Research Nurse", ""},
		{"Hepatitis B Nurse", ""},
		{"Vitamin B12 Clinic Nurse", ""},
		{"Dental Nurse Band A", ""},
		{"Dental Officer Band A/B/C", ""},
		{"Domestic Assistant Band 1", ""},
		{"Domestic Assistant Band 25", ""},
		{"Domestic Assistant Band 5.1", ""},
		{"Brass Band Conductor", ""},
		{"Bandage Clinic Nurse 5", ""},
		{"8th Floor Nurse", ""},
		{"Band 8th Floor", ""},
		{"Nurse b5", ""},
		{"Consultant 5 PAs", ""},
		{"Band B", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got := strings.Join(BandsInTitle(tt.title), " "); got != tt.want {
			t.Errorf("BandsInTitle(%q) = %q, want %q", tt.title, got, tt.want)
		}
	}
}

func TestParseBand(t *testing.T) {
	tests := []struct{ printed, want string }{
		{"Band 4", "4"}, {"Band 8A", "8a"}, {" Band\n 7 ", "7"}, {"4", "4"}, {"8b", "8b"}, {"8", "8a 8b 8c 8d"},
		{"5/6", "5 6"}, {"Band 5/6", "5 6"},
		{"8 - Range B", "8b"}, {"Band 8 - Range A", "8a"}, {"8 range d", "8d"},
		{"Consultant", "consultant"}, {"Specialty doctor", "specialty-doctor"}, {"Specialist", "specialist"},
		{"Foundation doctor", "foundation"}, {"Specialty registrar", "registrar"}, {"Very senior manager", "vsm"},
		{"Band 1", "local"}, {"1", "local"},
		{"Agenda for change", ""}, {"Other", ""}, {"", ""}, {"Hospital medical and dental staff", ""}, {"Band A", ""},
	}
	for _, tt := range tests {
		if got := strings.Join(ParseBand(tt.printed), " "); got != tt.want {
			t.Errorf("ParseBand(%q) = %q, want %q", tt.printed, got, tt.want)
		}
	}
}

func TestParseBandName(t *testing.T) {
	// The values of payBand in the filter of NHS Jobs.
	filter := map[string]string{
		"BAND_2": "2", "BAND_3": "3", "BAND_4": "4", "BAND_5": "5", "BAND_6": "6", "BAND_7": "7", "BAND_8A": "8a",
		"BAND_8B": "8b", "BAND_8C": "8c", "BAND_8D": "8d", "BAND_9": "9", "SPECIALTY_DOCTOR": SpecialtyDoctor,
		"FOUNDATION_DOCTOR": Foundation, "CONSULTANT": Consultant, "SPECIALTY_REGISTRAR": Registrar,
		"DOCTOR_OTHER": DoctorOther, "SPECIALIST": SpecialistGrade, "VERY_SENIOR_MANAGER": VerySenior,
	}
	for name, want := range filter {
		if got, ok := ParseBandName(name); !ok || got != want {
			t.Errorf("ParseBandName(%q) = %q, %t; want %q", name, got, ok, want)
		}
	}
	for name, want := range map[string]string{"band 5": "5", "AfC Band 8a": "8a", "afc 7": "7", "VSM": VerySenior, "Doctor - other": DoctorOther} {
		if got, ok := ParseBandName(name); !ok || got != want {
			t.Errorf("ParseBandName(%q) = %q, %t; want %q", name, got, ok, want)
		}
	}
	for _, b := range Bands() {
		if got, ok := ParseBandName(b); !ok || got != b {
			t.Errorf("ParseBandName(%q) = %q, %t; want itself", b, got, ok)
		}
	}
	for _, name := range []string{"", "1", "8", "10", "Band", "nurse", "8e"} {
		if got, ok := ParseBandName(name); ok {
			t.Errorf("ParseBandName(%q) = %q, want none", name, got)
		}
	}
}

func FuzzBandsInTitle(f *testing.F) {
	for _, s := range []string{"Band 8a-c", "B6/B7", "Bands 2 - 4 and 8", "B5 4TD", "Band 8 A", "Band 9/8d–9", "AfC B5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, title string) {
		got := BandsInTitle(title)
		for _, b := range got {
			if !slices.Contains(ladder, b) {
				t.Fatalf("BandsInTitle(%q) has %q", title, b)
			}
		}
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Fatalf("BandsInTitle(%q) = %v, not ascending", title, got)
		}
		if len(got) > 0 {
			title := "Band " + strings.Join(got, "/")
			if diff := cmp.Diff(got, BandsInTitle(title)); diff != "" {
				t.Fatalf("BandsInTitle(%q) (-want +got):\n%s", title, diff)
			}
		}
	})
}

func FuzzParseBand(f *testing.F) {
	for _, s := range []string{"Band 4", "8 - Range B", "5/6", "Consultant", "Band 1", "8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, printed string) {
		for _, b := range ParseBand(printed) {
			if !slices.Contains(Bands(), b) {
				t.Fatalf("ParseBand(%q) has %q", printed, b)
			}
		}
	})
}
