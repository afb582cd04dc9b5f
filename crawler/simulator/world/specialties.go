package world

import "sync"

// A specialty as adverts speak of it. The first name is the plainest.
type specialty struct {
	id      string
	names   []string // as in titles
	service string   // "our ... service"
	unit    string   // a ward, unit or clinic of it
	work    string   // what its patients come for
}

var specialties = []specialty{
	{"oncology", []string{"Oncology", "Medical Oncology", "Clinical Oncology", "Acute Oncology"}, "Medical Oncology Service", "the Chemotherapy Day Unit", "systemic anti-cancer treatment"},
	{"radiotherapy", []string{"Radiotherapy"}, "Radiotherapy Department", "the Linear Accelerator Suite", "external beam treatment and brachytherapy"},
	{"haematology", []string{"Haematology", "Haemato-oncology"}, "Haematology Service", "the Haematology Day Unit", "blood disorders and transfusion"},
	{"palliative", []string{"Palliative Care", "End of Life Care"}, "Specialist Palliative Care Team", "the In-Patient Unit", "symptom control and support at the end of life"},
	{"cardiology", []string{"Cardiology", "Heart Failure", "Coronary Care"}, "Cardiology Service", "the Coronary Care Unit", "heart failure, arrhythmia and cath lab procedures"},
	{"respiratory", []string{"Respiratory", "Respiratory Medicine"}, "Respiratory Medicine Service", "the Respiratory Ward", "asthma, COPD and lung infection"},
	{"stroke", []string{"Stroke", "Stroke Rehabilitation"}, "Stroke Service", "the Hyper Acute Stroke Unit", "thrombolysis and early rehabilitation"},
	{"general-surgery", []string{"General Surgery", "Surgical Assessment"}, "General Surgery Division", "the Surgical Assessment Unit", "planned and emergency operations"},
	{"colorectal", []string{"Colorectal", "Colorectal Surgery"}, "Colorectal Service", "the Colorectal Ward", "bowel surgery and stoma care"},
	{"urology", []string{"Urology"}, "Urology Service", "the Urology Investigation Unit", "prostate and bladder conditions"},
	{"orthopaedics", []string{"Trauma and Orthopaedics", "Orthopaedics", "T&O"}, "Trauma and Orthopaedics Service", "the Elective Orthopaedic Unit", "fractures and joint replacement"},
	{"ent", []string{"ENT", "Ear, Nose and Throat"}, "ENT Service", "the ENT Clinic", "hearing, balance and throat conditions"},
	{"ophthalmology", []string{"Ophthalmology", "Glaucoma"}, "Ophthalmology Service", "the Eye Clinic", "cataract, glaucoma and retinal disease"},
	{"theatres", []string{"Theatres", "Recovery", "Anaesthetics and Theatres"}, "Theatres and Perioperative Service", "the Day Surgery Theatres", "scrub, anaesthetic and recovery care"},
	{"endoscopy", []string{"Endoscopy"}, "Endoscopy Service", "the Endoscopy Unit", "colonoscopy and gastroscopy lists"},
	{"emergency", []string{"Emergency Department", "Emergency Medicine", "A&E"}, "Emergency Department", "Majors and Resus", "injuries and sudden illness at all hours"},
	{"acute", []string{"Acute Medicine", "Acute Medical Unit"}, "Acute Medicine Service", "the Acute Medical Unit", "the first seventy-two hours of medical admission"},
	{"critical-care", []string{"Critical Care", "Intensive Care", "ITU"}, "Critical Care Service", "the Intensive Care Unit", "organ support and step-down"},
	{"ambulance", []string{"Urgent and Emergency Ambulance", "Ambulance Operations"}, "Ambulance Operations Directorate", "the Make Ready Station", "emergency calls and conveyance"},
	{"geriatrics", []string{"Care of the Elderly", "Elderly Medicine"}, "Elderly Medicine Service", "the Older Persons Assessment Unit", "frailty, falls and delirium"},
	{"gastroenterology", []string{"Gastroenterology"}, "Gastroenterology Service", "the Gastroenterology Ward", "inflammatory bowel disease and nutrition"},
	{"diabetes", []string{"Diabetes", "Diabetes and Endocrinology"}, "Diabetes Service", "the Diabetes Centre", "insulin therapy and foot protection"},
	{"renal", []string{"Renal", "Renal Medicine", "Dialysis"}, "Renal Service", "the Haemodialysis Unit", "dialysis and transplant follow-up"},
	{"dermatology", []string{"Dermatology"}, "Dermatology Service", "the Skin Clinic", "skin lesions and eczema"},
	{"rheumatology", []string{"Rheumatology"}, "Rheumatology Service", "the Rheumatology Day Unit", "inflammatory arthritis and biologic treatment"},
	{"neurology", []string{"Neurology", "Epilepsy"}, "Neurology Service", "the Neurology Ward", "epilepsy, Parkinson's and multiple sclerosis"},
	{"sexual-health", []string{"Sexual Health"}, "Sexual Health Service", "the Sexual Health Hub", "contraception and screening"},
	{"midwifery", []string{"Maternity", "Community Midwifery", "Labour Ward"}, "Maternity Service", "the Birth Centre", "antenatal, intrapartum and postnatal care"},
	{"gynaecology", []string{"Gynaecology"}, "Gynaecology Service", "the Early Pregnancy Unit", "colposcopy and pelvic surgery"},
	{"paediatrics", []string{"Paediatrics", "Children's Services"}, "Paediatric Service", "the Children's Assessment Unit", "sick children and their families"},
	{"neonatal", []string{"Neonatal", "NICU"}, "Neonatal Service", "the Neonatal Intensive Care Unit", "premature and poorly babies"},
	{"health-visiting", []string{"Health Visiting", "0-19 Service"}, "Health Visiting Service", "the Family Hub", "new parents and school-age children"},
	{"adult-mental-health", []string{"Community Mental Health", "Adult Acute Inpatient", "Adult Mental Health"}, "Adult Mental Health Service", "the Acute Admission Ward", "psychosis, mood disorder and recovery"},
	{"camhs", []string{"CAMHS", "Child and Adolescent Mental Health"}, "Child and Adolescent Mental Health Service", "the Young People's Unit", "anxiety, self-harm and family work"},
	{"older-mental-health", []string{"Older People's Mental Health", "Memory Service"}, "Older People's Mental Health Service", "the Memory Clinic", "dementia assessment and treatment"},
	{"forensic", []string{"Forensic", "Medium Secure"}, "Forensic Service", "the Medium Secure Unit", "risk, rehabilitation and recovery in secure care"},
	{"addictions", []string{"Drug and Alcohol", "Substance Misuse", "Recovery Services"}, "Drug and Alcohol Service", "the Recovery Hub", "opiate substitution and relapse prevention"},
	{"talking-therapies", []string{"Talking Therapies"}, "Talking Therapies Service", "the Wellbeing Centre", "depression and anxiety in primary care"},
	{"learning-disability", []string{"Learning Disability"}, "Learning Disability Service", "the Community Learning Disability Team", "health action plans and positive behaviour support"},
	{"community-nursing", []string{"District Nursing", "Community Nursing"}, "Community Nursing Service", "the Integrated Neighbourhood Team", "wound care and support at home"},
	{"radiology", []string{"Radiology", "MRI", "CT", "Ultrasound"}, "Radiology Department", "the Community Diagnostic Centre", "cross-sectional imaging and plain film"},
	{"pathology", []string{"Blood Sciences", "Pathology"}, "Pathology Service", "the Blood Sciences Laboratory", "biochemistry and blood transfusion testing"},
	{"microbiology", []string{"Microbiology"}, "Microbiology Department", "the Virology Laboratory", "cultures, PCR and infection advice"},
	{"histopathology", []string{"Histopathology", "Cellular Pathology"}, "Cellular Pathology Department", "the Cut-up Laboratory", "tissue diagnosis"},
	{"audiology", []string{"Audiology"}, "Audiology Service", "the Hearing Clinic", "hearing assessment and rehabilitation"},
	{"pharmacy", []string{"Pharmacy", "Medicines Management"}, "Pharmacy Service", "the Dispensary", "medicines reconciliation and safe supply"},
	{"physiotherapy", []string{"MSK Physiotherapy", "Musculoskeletal"}, "Musculoskeletal Service", "the Therapy Gym", "rehabilitation after injury and surgery"},
	{"primary-care", []string{"General Practice", "Primary Care"}, "practice team", "the surgery", "everything a neighbourhood brings to its doctor"},
	{"research", []string{"Research and Innovation", "Clinical Research"}, "Research and Innovation Department", "the Clinical Research Facility", "trials across the specialties"},
}

// bySpecialty finds a specialty by its id.
var bySpecialty = sync.OnceValue(func() map[string]*specialty {
	m := map[string]*specialty{}
	for i := range specialties {
		m[specialties[i].id] = &specialties[i]
	}
	return m
})
