package world

// A role is a kind of post. A title is made of one of its names, sometimes
// with the specialty and the band.
type role struct {
	names  []string
	group  string   // staffGroup of the search filter
	bands  []string // of Agenda for Change; none for grades
	grade  string   // payBand of the search filter for those without a band
	spec   []string // specialties it is found in; none: no specialty
	weight int
	reg    bool // needs a professional registration
	desk   bool // can be done in part from home
}

const (
	clinical = "CLINICAL_SERVICES"
	science  = "PROF_SCIENTIFIC_AND_TECHNICAL"
	admin    = "ADMINISTRATIVE_AND_CLERICAL"
	allied   = "ALLIED_HEALTH_PROF"
	estates  = "ESTATES_AND_ANCILLARY"
	labs     = "HEALTHCARE_SCIENTISTS"
	medical  = "MEDICAL_AND_DENTAL"
	nursing  = "NURSING_AND_MIDWIFERY_REGD"
	students = "STUDENTS"
)

var (
	wards = []string{"oncology", "haematology", "cardiology", "respiratory", "stroke", "general-surgery", "colorectal", "urology",
		"orthopaedics", "theatres", "endoscopy", "emergency", "acute", "critical-care", "geriatrics", "gastroenterology", "renal",
		"neurology", "gynaecology", "paediatrics", "neonatal", "adult-mental-health", "older-mental-health", "forensic",
		"community-nursing", "learning-disability", "ophthalmology"}
	clinics = []string{"oncology", "radiotherapy", "haematology", "palliative", "cardiology", "respiratory", "stroke", "urology",
		"colorectal", "orthopaedics", "ent", "ophthalmology", "endoscopy", "gastroenterology", "diabetes", "renal", "dermatology",
		"rheumatology", "neurology", "gynaecology", "paediatrics", "sexual-health"}
	minds = []string{"adult-mental-health", "camhs", "older-mental-health", "forensic", "addictions", "talking-therapies", "learning-disability"}
	all   = append(append([]string{"acute", "emergency", "geriatrics", "critical-care", "general-surgery", "radiology", "histopathology", "microbiology"}, clinics...), "adult-mental-health", "camhs", "forensic")
)

var trustRoles = []role{
	{[]string{"Staff Nurse", "Registered Nurse", "Registered Staff Nurse"}, nursing, []string{"5"}, "", wards, 150, true, false},
	{[]string{"Senior Staff Nurse", "Deputy Sister/Charge Nurse", "Junior Sister", "Junior Charge Nurse"}, nursing, []string{"6"}, "", wards, 50, true, false},
	{[]string{"Ward Manager", "Senior Sister/Charge Nurse"}, nursing, []string{"7"}, "", wards, 25, true, false},
	{[]string{"Matron"}, nursing, []string{"8a"}, "", wards, 10, true, false},
	{[]string{"Clinical Nurse Specialist", "CNS", "Specialist Nurse"}, nursing, []string{"6", "7"}, "", clinics, 60, true, false},
	{[]string{"Advanced Nurse Practitioner", "Advanced Clinical Practitioner"}, nursing, []string{"7", "8a"}, "", []string{"acute", "emergency", "geriatrics", "oncology", "critical-care", "community-nursing", "paediatrics"}, 25, true, false},
	{[]string{"Midwife", "Rotational Midwife"}, nursing, []string{"5", "6"}, "", []string{"midwifery"}, 25, true, false},
	{[]string{"Health Visitor", "School Nurse"}, nursing, []string{"6"}, "", []string{"health-visiting"}, 18, true, false},
	{[]string{"Community Nurse", "District Nurse"}, nursing, []string{"5", "6"}, "", []string{"community-nursing"}, 30, true, false},
	{[]string{"Community Psychiatric Nurse", "Registered Mental Health Nurse", "Mental Health Practitioner"}, nursing, []string{"5", "6"}, "", minds, 45, true, false},
	{[]string{"Research Nurse"}, nursing, []string{"6"}, "", []string{"research"}, 10, true, false},
	{[]string{"Healthcare Assistant", "Healthcare Support Worker", "Clinical Support Worker"}, clinical, []string{"2", "3"}, "", wards, 110, false, false},
	{[]string{"Maternity Support Worker"}, clinical, []string{"3"}, "", []string{"midwifery"}, 8, false, false},
	{[]string{"Assistant Practitioner", "Nursing Associate"}, clinical, []string{"4"}, "", wards, 20, false, false},
	{[]string{"Phlebotomist"}, clinical, []string{"2", "3"}, "", []string{"pathology"}, 12, false, false},
	{[]string{"Therapy Assistant", "Rehabilitation Assistant"}, clinical, []string{"3", "4"}, "", []string{"stroke", "orthopaedics", "geriatrics", "physiotherapy"}, 18, false, false},
	{[]string{"Assistant Psychologist"}, clinical, []string{"4", "5"}, "", minds, 14, false, false},
	{[]string{"Emergency Care Assistant"}, clinical, []string{"3", "4"}, "", []string{"ambulance"}, 8, false, false},
	{[]string{"Medical Secretary", "Medical Secretary/Patient Pathway Co-ordinator"}, admin, []string{"3", "4"}, "", clinics, 45, false, true},
	{[]string{"Ward Clerk", "Receptionist", "Outpatient Clerk"}, admin, []string{"2", "3"}, "", wards, 40, false, false},
	{[]string{"Administrator", "Team Administrator", "Booking Co-ordinator"}, admin, []string{"3", "4"}, "", all, 45, false, true},
	{[]string{"Assistant Service Manager", "Service Manager", "General Manager"}, admin, []string{"6", "7", "8a", "8b"}, "", all, 30, false, true},
	{[]string{"HR Advisor", "Recruitment Officer", "Finance Assistant", "Management Accountant", "Procurement Officer"}, admin, []string{"4", "5", "6"}, "", nil, 40, false, true},
	{[]string{"Information Analyst", "Digital Project Manager", "EPR Configuration Analyst", "IT Support Technician", "Data Engineer"}, admin, []string{"5", "6", "7"}, "", nil, 35, false, true},
	{[]string{"Head of Nursing Workforce", "Associate Director of Finance", "Deputy Director of Operations", "Head of Information Governance"}, admin, []string{"8b", "8c", "8d", "9"}, "", nil, 16, false, true},
	{[]string{"Chief People Officer", "Chief Digital Officer", "Managing Director"}, admin, nil, "VERY_SENIOR_MANAGER", nil, 3, false, true},
	{[]string{"Physiotherapist", "Rotational Physiotherapist", "Specialist Physiotherapist", "Advanced Physiotherapist"}, allied, []string{"5", "6", "7"}, "", []string{"physiotherapy", "respiratory", "stroke", "orthopaedics", "paediatrics"}, 40, true, false},
	{[]string{"Occupational Therapist", "Specialist Occupational Therapist"}, allied, []string{"5", "6", "7"}, "", []string{"stroke", "geriatrics", "adult-mental-health", "paediatrics", "forensic", "learning-disability"}, 40, true, false},
	{[]string{"Speech and Language Therapist", "Dietitian", "Podiatrist"}, allied, []string{"5", "6", "7"}, "", []string{"stroke", "paediatrics", "diabetes", "geriatrics"}, 30, true, false},
	{[]string{"Radiographer", "Diagnostic Radiographer", "Sonographer"}, allied, []string{"5", "6", "7"}, "", []string{"radiology"}, 32, true, false},
	{[]string{"Therapeutic Radiographer"}, allied, []string{"5", "6"}, "", []string{"radiotherapy"}, 8, true, false},
	{[]string{"Operating Department Practitioner", "Theatre Practitioner - Scrub"}, allied, []string{"5", "6"}, "", []string{"theatres"}, 28, true, false},
	{[]string{"Paramedic", "Specialist Paramedic"}, allied, []string{"6", "7"}, "", []string{"ambulance", "emergency"}, 14, true, false},
	{[]string{"Pharmacist", "Rotational Pharmacist", "Lead Pharmacist"}, science, []string{"6", "7", "8a", "8b"}, "", []string{"pharmacy", "oncology", "paediatrics", "critical-care"}, 22, true, false},
	{[]string{"Pharmacy Technician", "Pharmacy Assistant"}, science, []string{"3", "4", "5"}, "", []string{"pharmacy"}, 20, false, false},
	{[]string{"Clinical Psychologist", "Principal Clinical Psychologist"}, science, []string{"7", "8a", "8b", "8c"}, "", minds, 25, true, false},
	{[]string{"Psychological Wellbeing Practitioner", "High Intensity Therapist"}, science, []string{"5", "7"}, "", []string{"talking-therapies"}, 15, true, true},
	{[]string{"Social Worker", "Approved Mental Health Professional"}, science, []string{"6", "7"}, "", minds, 12, true, false},
	{[]string{"Biomedical Scientist", "Specialist Biomedical Scientist", "Medical Laboratory Assistant"}, labs, []string{"3", "5", "6", "7"}, "", []string{"pathology", "microbiology", "histopathology", "haematology"}, 28, true, false},
	{[]string{"Cardiac Physiologist", "Echocardiographer"}, labs, []string{"6", "7"}, "", []string{"cardiology"}, 8, true, false},
	{[]string{"Audiologist"}, labs, []string{"5", "6"}, "", []string{"audiology"}, 6, true, false},
	{[]string{"Domestic Assistant", "Porter", "Catering Assistant", "Housekeeper"}, estates, []string{"2"}, "", nil, 50, false, false},
	{[]string{"Electrician", "Estates Officer", "Maintenance Craftsperson", "Security Officer"}, estates, []string{"3", "4", "5"}, "", nil, 22, false, false},
	{[]string{"Consultant", "Locum Consultant"}, medical, nil, "CONSULTANT", all, 60, true, false},
	{[]string{"Specialty Doctor"}, medical, nil, "SPECIALTY_DOCTOR", all, 28, true, false},
	{[]string{"Specialist Grade Doctor"}, medical, nil, "SPECIALIST", all, 6, true, false},
	{[]string{"Senior Clinical Fellow", "Specialty Registrar (ST4+)"}, medical, nil, "SPECIALTY_REGISTRAR", all, 22, true, false},
	{[]string{"Junior Clinical Fellow", "Trust Grade Doctor (SHO)"}, medical, nil, "DOCTOR_OTHER", all, 26, true, false},
	{[]string{"Foundation Year 2 Locum (LAS)"}, medical, nil, "FOUNDATION_DOCTOR", []string{"acute", "emergency", "general-surgery"}, 4, true, false},
	{[]string{"Trainee Nursing Associate", "Student Placement Trainee"}, students, []string{"3"}, "", wards, 1, false, false},
}

// Outside trusts few posts follow a national pay scheme.
var surgeryRoles = []role{
	{[]string{"Salaried GP", "General Practitioner", "Salaried General Practitioner"}, medical, nil, "DOCTOR_OTHER", []string{"primary-care"}, 30, true, false},
	{[]string{"Practice Nurse", "General Practice Nurse", "Lead Practice Nurse"}, nursing, nil, "", []string{"primary-care"}, 30, true, false},
	{[]string{"Advanced Nurse Practitioner", "Paramedic Practitioner"}, nursing, nil, "", []string{"primary-care"}, 12, true, false},
	{[]string{"Healthcare Assistant", "Phlebotomist/HCA"}, clinical, nil, "", []string{"primary-care"}, 16, false, false},
	{[]string{"Receptionist", "Care Navigator", "Receptionist/Administrator", "Medical Secretary"}, admin, nil, "", nil, 50, false, false},
	{[]string{"Practice Manager", "Deputy Practice Manager", "Business Manager"}, admin, nil, "", nil, 12, false, true},
	{[]string{"Clinical Pharmacist", "PCN Pharmacy Technician"}, science, nil, "", []string{"pharmacy"}, 14, true, true},
	{[]string{"First Contact Physiotherapist"}, allied, nil, "", []string{"physiotherapy"}, 6, true, false},
	{[]string{"Social Prescribing Link Worker", "Care Co-ordinator"}, clinical, nil, "", nil, 12, false, false},
	{[]string{"Cleaner"}, estates, nil, "", nil, 3, false, false},
}

var charityRoles = []role{
	{[]string{"Registered Nurse", "Hospice Nurse"}, nursing, nil, "", []string{"palliative", "addictions"}, 25, true, false},
	{[]string{"Recovery Worker", "Support Worker", "Family Worker"}, clinical, nil, "", []string{"addictions", "learning-disability", "adult-mental-health"}, 35, false, false},
	{[]string{"Non-Medical Prescriber"}, nursing, nil, "", []string{"addictions"}, 10, true, false},
	{[]string{"Healthcare Assistant"}, clinical, nil, "", []string{"palliative"}, 14, false, false},
	{[]string{"Team Leader", "Service Manager", "Fundraising Officer", "Volunteer Co-ordinator"}, admin, nil, "", nil, 24, false, true},
	{[]string{"Counsellor", "Psychologist"}, science, nil, "", []string{"talking-therapies", "addictions"}, 10, true, false},
	{[]string{"Cook", "Gardener and Driver"}, estates, nil, "", nil, 4, false, false},
}

var privateRoles = []role{
	{[]string{"Staff Nurse", "Registered Mental Health Nurse", "Registered Staff Nurse"}, nursing, nil, "", []string{"theatres", "adult-mental-health", "forensic", "endoscopy"}, 35, true, false},
	{[]string{"Healthcare Worker", "Senior Support Worker"}, clinical, nil, "", []string{"adult-mental-health", "learning-disability"}, 25, false, false},
	{[]string{"Occupational Therapist", "Physiotherapist"}, allied, nil, "", []string{"adult-mental-health", "physiotherapy"}, 12, true, false},
	{[]string{"Pharmacy Technician", "Dispenser"}, science, nil, "", []string{"pharmacy"}, 8, false, false},
	{[]string{"Speciality Doctor", "Dentist"}, medical, nil, "DOCTOR_OTHER", []string{"forensic", "adult-mental-health"}, 8, true, false},
	{[]string{"Medical Receptionist", "Finance Officer", "E-learning Developer"}, admin, nil, "", nil, 14, false, true},
	{[]string{"Head Chef", "Housekeeper"}, estates, nil, "", nil, 6, false, false},
}
