package role

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

func TestFilesNameSourceAndLicence(t *testing.T) {
	for name, text := range map[string]string{
		"role-synonyms.tsv": rolesFile, "staff-groups.tsv": staffGroupsFile, "medical-grades.tsv": gradesFile,
	} {
		if !strings.HasPrefix(text, "# ") || !strings.Contains(text, "Source:") || !strings.Contains(text, "\n# Licence:") {
			t.Errorf("%s does not begin with its source and licence", name)
		}
	}
}

func TestStaffGroups(t *testing.T) {
	groups := StaffGroups()
	if len(groups) != 10 {
		t.Fatalf("got %d staff groups, want 10", len(groups))
	}
	for _, want := range []StaffGroup{
		{NursingMidwifery, "Nursing and Midwifery Registered", "NURSING_AND_MIDWIFERY_REGD"},
		{Supplementary, "Supplementary Roles", ""},
	} {
		if !slices.Contains(groups, want) {
			t.Errorf("%v is missing", want)
		}
	}
	groups[0].Name = "changed"
	if StaffGroups()[0].Name == "changed" {
		t.Error("a caller can change the list")
	}
}

func TestRolesFile(t *testing.T) {
	l := roles()
	codes := map[string]bool{}
	for _, g := range StaffGroups() {
		codes[g.Code] = true
	}
	for _, r := range l.roles {
		if !codes[r.StaffGroup] || r.Name == "" {
			t.Errorf("role %+v has no known staff group or no name", r)
		}
	}
	// An alias that two roles share, both without ~, would be decided by chance.
	owner := map[string]string{}
	for _, row := range words.Rows(rolesFile, 3) {
		for text := range strings.SplitSeq(row[2], ", ") {
			key := strings.Join(words.Split(text), " ")
			if key == "" {
				t.Errorf("%s has an empty alias", row[0])
			}
			if other, ok := owner[key]; ok && other != row[0] {
				t.Errorf("%q names both %s and %s", text, other, row[0])
			}
			owner[key] = row[0]
		}
	}
}

func TestFind(t *testing.T) {
	for _, tc := range []struct{ title, group, name, quote string }{
		{"Staff Nurse - Oncology", "03", "registered nurse", "Staff Nurse"},
		{"STAFF NURSE", "03", "registered nurse", "STAFF NURSE"},
		{"Bank HCAs", "07", "healthcare assistant", "HCAs"},
		{"Health Care Assistant", "07", "healthcare assistant", "Health Care Assistant"},
		{"Healthcare Support Worker", "07", "healthcare assistant", "Healthcare Support Worker"},
		{"Medical Secretary/Patient Care Co-ordinator", "08", "medical secretary", "Medical Secretary"},
		{"Band 5 – RMN (Acute)", "03", "registered mental health nurse", "RMN"},
		{"RN(C) Children's Ward", "03", "registered children's nurse", "RN(C)"},
		{"Consultant Cardiologist", "01", "consultant (doctor)", "Cardiologist"},
		{"Locum Consultant in Stroke Medicine", "01", "consultant (doctor)", "Locum Consultant"},
		{"Consultant in Emergency Medicine", "01", "consultant (doctor)", "Consultant"},
		// Consultant gives way.
		{"Consultant Nurse", "03", "nurse consultant", "Consultant Nurse"},
		{"Nurse Consultant", "03", "nurse consultant", "Nurse Consultant"},
		{"Consultant Midwife", "03", "midwife", "Consultant Midwife"},
		{"Consultant Antimicrobial Pharmacist", "05", "pharmacist", "Pharmacist"},
		{"Consultant Clinical Psychologist", "05", "clinical psychologist", "Clinical Psychologist"},
		{"Consultant Respiratory Physiotherapist", "04", "physiotherapist", "Physiotherapist"},
		{"Consultant Radiographer", "04", "radiographer", "Consultant Radiographer"},
		{"Consultant Practitioner", "", "", ""},
		{"Digital Consultant", "", "", ""},
		{"Secretary to Consultant Surgeon", "08", "medical secretary", "Secretary"},
		// So do GP and advanced practitioner.
		{"GP Receptionist", "08", "administrator", "Receptionist"},
		{"Receptionist - GP Practice", "08", "administrator", "Receptionist"},
		{"GP", "01", "general practitioner", "GP"},
		{"Salaried GPs", "01", "general practitioner", "Salaried GPs"},
		{"ACP (Physiotherapist)", "04", "physiotherapist", "Physiotherapist"},
		{"Advanced Clinical Practitioner - Frailty", "03", "advanced nurse practitioner", "Advanced Clinical Practitioner"},
		{"Administrator to Lead Nurse", "08", "administrator", "Administrator"},
		{"PA to Director of Nursing", "08", "personal assistant", "PA to"},
		{"PA", "", "", ""},
		{"Physician Associate", "05", "physician associate or assistant", "Physician Associate"},
		// Short forms need capitals.
		{"Hit the ground running", "", "", ""},
		{"Ti na sn ap rm", "", "", ""},
		{"HIT - Talking Therapies", "05", "cognitive behavioural therapist", "HIT"},
		{"AP in Psychology", "05", "clinical psychologist", "AP"},
		{"Specialist Speech and Language Therapist", "04", "speech and language therapist", "Speech and Language Therapist"},
		{"ODP or Theatre Nurse", "04", "operating department practitioner", "ODP"},
		{"Junior Clinical Fellow, Surgery", "01", "senior house officer level", "Junior Clinical Fellow"},
		{"Domestic Assistant", "09", "domestic assistant", "Domestic Assistant"},
		{"Student Nurse Placement", "02", "student", "Student Nurse"},
		{"Trainee Nursing Associate", "07", "nursing associate", "Trainee Nursing Associate"},
		{"Pharmacy Technician - HMP", "05", "pharmacy technician", "Pharmacy Technician"},
		{"Senior EPR Support Analyst", "08", "analyst or developer", "Analyst"},
		{"Chief Happiness Lead", "", "", ""},
		{"", "", "", ""},
	} {
		want := Role{}
		if tc.group != "" {
			want = Role{tc.group, tc.name, `"` + tc.quote + `" in the title`}
		}
		got, ok := Find(tc.title)
		if ok != (tc.group != "") {
			t.Errorf("Find(%q) found: %v", tc.title, ok)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Find(%q) (-want +got)\n%s", tc.title, diff)
		}
	}
}

func TestGradesFile(t *testing.T) {
	known := []string{Foundation, Registrar, SpecialtyDoctor, Specialist, Consultant, DoctorOther}
	for _, a := range grades().aliases {
		if !slices.Contains(known, a.grade) || a.rank < 1 || a.rank > 5 {
			t.Errorf("unknown grade or rank: %+v", a)
		}
	}
	for _, row := range words.Rows(gradesFile, 4) {
		if !slices.Contains([]string{"word", "caps", "scheme"}, row[2]) {
			t.Errorf("unknown rule %q", row[2])
		}
	}
}

func TestMedicalGrade(t *testing.T) {
	const either, only = "either", "only" // with or without the scheme; with it only
	for _, tc := range []struct{ title, when, want, quote string }{
		{"FY1 in Surgery", either, Foundation, "FY1"},
		{"Foundation Year 2 Doctor", either, Foundation, "Foundation Year 2"},
		{"F2 - Paediatrics", only, Foundation, "F2"},
		{"CT1/CT2 in Anaesthetics", either, Registrar, "CT1"},
		{"ST3+ Obstetrics", either, Registrar, "ST3"},
		{"ST 4 Radiology", only, Registrar, "ST 4"},
		{"IMT3", either, Registrar, "IMT3"},
		{"IMT", either, "", ""},
		{"StR in Public Health", only, Registrar, "StR"},
		{"SpR Cardiology", either, Registrar, "SpR"},
		{"Specialty Registrar in Renal Medicine", either, Registrar, "Specialty Registrar"},
		{"SHO - Trauma", either, Registrar, "SHO"},
		{"Trust Doctor (FY2 level)", either, DoctorOther, "Trust Doctor"},
		{"Senior Clinical Fellow (ST3+)", either, DoctorOther, "Senior Clinical Fellow"},
		{"Research Fellow", only, DoctorOther, "Fellow"},
		{"Salaried GP", either, DoctorOther, "Salaried GP"},
		{"GP with a special interest", either, DoctorOther, "GP"},
		{"GP Registrar", either, Registrar, "GP Registrar"},
		{"Specialist Dentist", either, DoctorOther, "Specialist Dentist"},
		{"Specialty Doctor in Emergency Medicine", either, SpecialtyDoctor, "Specialty Doctor"},
		{"Staff Grade - Ophthalmology", only, SpecialtyDoctor, "Staff Grade"},
		{"Associate Specialist", either, Specialist, "Associate Specialist"},
		{"Specialist in Palliative Medicine", only, Specialist, "Specialist"},
		{"Locum Consultant Psychiatrist", either, Consultant, "Consultant"},
		{"Consultant or Specialty Doctor", either, Consultant, "Consultant"},
		// Traps.
		{"Consultant Midwife", either, "", ""},
		{"Consultant Nurse", either, "", ""},
		{"Consultant Clinical Biochemist", either, "", ""},
		{"Consultant Pharmacist", either, "", ""},
		{"Consultant Clinical Psychologist", either, "", ""},
		{"Consultant Music Therapist", either, "", ""},
		{"Consultant Physiotherapist", either, "", ""},
		{"Consultant Radiographer", either, "", ""},
		{"Trainee Consultant Practitioner", either, "", ""},
		{"Digital Consultant", either, "", ""},
		{"IT Consultant", either, "", ""},
		{"Make it happen: Consultant Urologist", either, Consultant, "Consultant"},
		{"Specialist Nurse", either, "", ""},
		{"GP Receptionist", "without", "", ""},
		{"Clinical Fellow for Pharmacists", "without", "", ""},
		{"St Mary's Hospital, Domestic", either, "", ""},
		{"Porter, St 4 Floor", either, "", ""},
		{"Cook, Canterbury CT1 2AB", either, "", ""},
		{"Driver ST4 6QG", either, "", ""},
		{"CT Superintendent", either, "", ""},
		{"Housekeeper, Ward F2", either, "", ""},
		{"Housekeeper, F1 ward", either, "", ""},
		{"Clinical Director", either, "", ""},
		{"", either, "", ""},
	} {
		for _, scheme := range []bool{false, true} {
			if tc.when == "without" && scheme {
				continue
			}
			want, quote := tc.want, tc.quote
			if tc.when == only && !scheme {
				want = ""
			}
			got, why, ok := MedicalGrade(tc.title, scheme)
			if got != want || ok != (want != "") {
				t.Errorf("MedicalGrade(%q, %v) = %q, %v, want %q", tc.title, scheme, got, ok, want)
			}
			if ok && why != `"`+quote+`" in the title` {
				t.Errorf("MedicalGrade(%q, %v) gives the reason %s, want %q", tc.title, scheme, why, quote)
			}
		}
	}
}

func TestVSM(t *testing.T) {
	for title, want := range map[string]string{
		"Chief Nurse (VSM)":              `"VSM" in the title`,
		"Very Senior Manager, Estates":   `"Very Senior Manager" in the title`,
		"Director of Finance":            "",
		"vsm":                            "",
		"Very Senior":                    "",
		"A very senior nurse or manager": "",
	} {
		why, ok := VSM(title)
		if why != want || ok != (want != "") {
			t.Errorf("VSM(%q) = %q, %v, want %q", title, why, ok, want)
		}
	}
}

func FuzzTitles(f *testing.F) {
	for _, s := range []string{"Consultant Midwife", "ST3+ (GP) - CT1 2AB", "PA to, VSM", "RN(C\xff", "＆ healthcare"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, ok := Find(s); ok && (r.StaffGroup == "" || r.Evidence == "") {
			t.Errorf("Find(%q) = %+v", s, r)
		}
		for _, scheme := range []bool{false, true} {
			if grade, why, ok := MedicalGrade(s, scheme); ok && (grade == "" || why == "") {
				t.Errorf("MedicalGrade(%q) = %q, %q", s, grade, why)
			}
		}
		VSM(s)
	})
}
