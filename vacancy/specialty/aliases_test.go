package specialty

import (
	"strings"
	"testing"
)

// TestAliases holds names of posts to what nurses, therapists, scientists and
// pharmacists understand by them.
func TestAliases(t *testing.T) {
	for title, want := range map[string]string{
		"Ambulatory Care Nurse":              "acute",
		"Consultant Orthogeriatrician":       "geriatrics",
		"Cytogeneticist":                     "genetics",
		"MS Specialist Nurse":                "neurology",
		"Prostate Nurse":                     "urology",
		"Mammographer":                       "breast radiology",
		"Ultrasonographer":                   "radiology",
		"Radiopharmacist":                    "nuclear-medicine pharmacy",
		"Medication Safety Officer":          "pharmacy",
		"Evening Nursing Service Nurse":      "community-nursing",
		"Health and Wellbeing Coach":         "primary-care",
		"MCA and DoLS Lead":                  "safeguarding",
		"Domestic Abuse Advocate":            "safeguarding",
		"Nurse, Home Ventilation":            "respiratory",
		"Clozapine Clinic Nurse":             "adult-mental-health",
		"Counselling Psychologist":           "psychology",
		"CYP Mental Health Practitioner":     "camhs",
		"Older Adult CMHT Nurse":             "older-mental-health",
		"Infant Mental Health Therapist":     "perinatal-mh",
		"Place of Safety Nurse":              "crisis",
		"Needle Exchange Worker":             "addictions",
		"Tobacco Dependency Advisor":         "public-health",
		"Wheelchair Technician":              "rehabilitation",
		"Rehabilitation Engineer":            "medical-physics rehabilitation",
		"TAVI Nurse":                         "cardiology",
		"VTE Nurse":                          "haematology",
		"CAR-T Nurse":                        "haematology",
		"Laryngectomy SLT":                   "ent speech-therapy",
		"Toxicology Scientist":               "pathology",
		"Hernia Nurse":                       "general-surgery",
		"Termination of Pregnancy Nurse":     "gynaecology",
		"Psychosexual Therapist":             "sexual-health",
		"Tissue Donation Nurse":              "transplant",
		"Liaison and Diversion Practitioner": "prison",
		"Gypsy and Traveller Health Nurse":   "homeless",
		"Nurse Lecturer":                     "education",
		"MS Office Trainer":                  "",
		"Voice and Data Engineer":            "",
		"Tissue Stores Assistant":            "",
		"Safety Officer":                     "",
		"Travel and Parking Officer":         "",
	} {
		got := map[string]bool{}
		for _, f := range Classify(Input{Title: title}) {
			if f.Confidence == Stated {
				got[f.ID] = true
			}
		}
		wanted := strings.Fields(want)
		ok := len(got) == len(wanted)
		for _, id := range wanted {
			ok = ok && got[id]
		}
		if !ok {
			t.Errorf("%s: got %v, want %q", title, got, want)
		}
	}
}

// What stands in a title alone is no specialty in prose, where every ward
// speaks of it.
func TestAliasesInProse(t *testing.T) {
	for _, summary := range []string{
		"You will complete VTE assessments and Mental Capacity Act records in our team.",
		"Domestic abuse and DoLS training is part of the induction of our service.",
		"The building has wheelchair access to every department.",
	} {
		if got := Classify(Input{Title: "Staff Nurse", Summary: summary}); len(got) > 0 {
			t.Errorf("%q yields %+v", summary, got)
		}
	}
	got := Classify(Input{Title: "Medical Secretary", StaffGroup: "08", Summary: "You will type letters for the cardiology consultants."})
	if len(got) != 1 || got[0].ID != "cardiology" {
		t.Errorf("a secretary to consultants: %+v", got)
	}
}
