package specialty

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

func TestFilesNameSourceAndLicence(t *testing.T) {
	for name, text := range map[string]string{
		"specialty-taxonomy.tsv": taxonomyFile, "specialty-synonyms.tsv": synonymsFile,
		"specialty-traps.tsv": trapsFile, "prose-words.tsv": proseFile, "employer-words.tsv": employersFile, "testdata/cases.tsv": casesFile,
	} {
		if !strings.HasPrefix(text, "# ") || !strings.Contains(text, "Source:") || !strings.Contains(text, "\n# Licence:") {
			t.Errorf("%s does not begin with its source and licence", name)
		}
	}
}

func TestSynonymsFile(t *testing.T) {
	seen := map[string]bool{}
	named := map[string]bool{}
	for _, row := range words.Rows(synonymsFile, 5) {
		if _, ok := Lookup(row[1]); !ok {
			t.Errorf("%q names the unknown specialty %q", row[0], row[1])
		}
		named[row[1]] = true
		if !slices.Contains([]string{"caps", "mixed", "word", "phrase"}, row[2]) {
			t.Errorf("%q has the unknown rule %q", row[0], row[2])
		}
		kind, rest, _ := strings.Cut(row[3], ",")
		if !slices.Contains([]string{"strong", "title", "weak"}, kind) || rest != "" && rest != "general" {
			t.Errorf("%q has the unknown strength %q", row[0], row[3])
		}
		if row[2] == "caps" && row[0] != strings.ToUpper(row[0]) {
			t.Errorf("%q is to be in capitals and is not", row[0])
		}
		if len(words.Split(row[0])) == 0 {
			t.Errorf("an alias of %s holds no word", row[1])
		}
		key := row[0] + "\t" + row[1]
		if seen[key] {
			t.Errorf("%q stands twice for %s", row[0], row[1])
		}
		seen[key] = true
	}
	for _, s := range All() {
		if !named[s.ID] {
			t.Errorf("nothing names %s", s.ID)
		}
	}
}

func TestProseFile(t *testing.T) {
	l := load()
	for name, set := range map[string]map[string]bool{
		"negation": l.negation, "rotation": l.rotation, "cue": l.cue, "unit": l.unit,
		"copula": l.copula, "home": l.home, "person": l.person, "clause": l.clause, "want": l.want, "article": l.article,
	} {
		if len(set) == 0 {
			t.Errorf("no words of kind %s", name)
		}
	}
}

func TestEmployersFile(t *testing.T) {
	for _, row := range words.Rows(employersFile, 2) {
		if _, ok := Lookup(row[1]); !ok {
			t.Errorf("%q names the unknown specialty %q", row[0], row[1])
		}
		got := Classify(Input{Title: "Cleaner", Employer: "The Elms " + row[0]})
		if len(got) != 1 || got[0].ID != row[1] || got[0].Confidence != Inferred {
			t.Errorf("employer %q yields %v, want %s inferred", row[0], got, row[1])
		}
	}
}

// seed retells the facts of a real advert in other words: the title names no
// specialty, the summary does, and the description is prose about the
// employer that names several others.
var seed = Input{
	Title: "Medical Secretary/Patient Care Co-ordinator",
	Summary: `Band 4 secretary, fixed term

You would join our Medical Oncology Service for a year and a half, full time.

The post is new. It looks after letters and clinics for the geriatric oncology work and for breast patients on oral chemotherapy, beside specialist nurses and doctors.

If you like to learn and want to know more of oncology, this is a good place: we are one of the largest cancer centres in the land.`,
	Duties: `You will type and send letters for oncology consultants and breast nurses, so that clinics run smoothly.

Speed and care matter in equal parts. Good English and sure typing are needed.

A close group of nurses and administrators will welcome you, and your work keeps our medical oncology clinics going.`,
	Description: "Northfield Hospitals are the second largest provider of cancer care in the city. Cancer and palliative care services are provided on all sites: 80 inpatient beds 12 palliative care beds in the Elm Centre A new radiotherapy department with five machines A bone marrow transplant unit with over a hundred transplants a year Four chemotherapy day units",
	StaffGroup:  "08",
}

func TestSeedAdvert(t *testing.T) {
	want := []Finding{{"oncology", Stated, "summary: Medical Oncology Service", 10}}
	for _, group := range []string{"08", ""} {
		in := seed
		in.StaffGroup = group
		if diff := cmp.Diff(want, Classify(in)); diff != "" {
			t.Errorf("staff group %q (-want +got)\n%s", group, diff)
		}
	}
	got, _, _ := strings.Cut(Explain(seed), "\n")
	line := `oncology, stated (10): lead "join our Medical Oncology Service" 5; summary oncology, chemotherapy 3; duties 2`
	if got != line {
		t.Errorf("got  %s\nwant %s", got, line)
	}
}

// Every trap is a fixture: its phrase must yield nothing in any place; and
// without the trap its specialty would be found.
func TestTraps(t *testing.T) {
	for _, row := range words.Rows(trapsFile, 2) {
		phrase, wouldFire := row[0], row[1]
		t.Run(phrase, func(t *testing.T) {
			for _, in := range []Input{
				{Title: "Officer, " + phrase},
				{Title: "Officer", Summary: "You will work in the " + phrase + " team."},
				{Title: "Officer", Department: phrase},
			} {
				if got := Classify(in); got != nil {
					t.Errorf("%+v yields %v", in, got)
				}
			}
			if wouldFire == "" {
				return
			}
			if got := untrapped(phrase); !slices.Contains(got, wouldFire) {
				t.Errorf("without the trap it names %v, not %s", got, wouldFire)
			}
		})
	}
}

// untrapped returns the specialties that a text names to the aliases alone.
func untrapped(text string) []string {
	l := load()
	tokens := words.Tokens(text)
	var ids []string
	for i := range tokens {
		_, values := l.trie.Longest(tokens, i, func(n, v int) bool {
			return l.aliases[v].written(tokens[i:i+n], words.Shouted(text))
		})
		for _, v := range values {
			ids = append(ids, taxonomy().list[l.aliases[v].specialty].ID)
		}
	}
	return ids
}

// The words between a negation and a name must be struck out for traps that
// are no names at all.
func TestTrapsThatOnlyLookLikeNegations(t *testing.T) {
	for _, phrase := range []string{"Not for profit", "Not only"} {
		in := Input{Title: phrase + " hospice nurse"}
		if got := Classify(in); len(got) != 1 || got[0].ID != "palliative" {
			t.Errorf("%q yields %v, want palliative", in.Title, got)
		}
	}
}

// verdicts shows what Explain says of each specialty, without the reasons.
var reasons = regexp.MustCompile(`: .*`)

func verdicts(in Input) []string {
	text := Explain(in)
	if text == "" {
		return nil
	}
	var list []string
	for line := range strings.SplitSeq(text, "\n") {
		list = append(list, reasons.ReplaceAllString(line, ""))
	}
	return list
}

func TestRules(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   Input
		want []string
	}{
		{"a strong title", Input{Title: "Oncology Nurse"}, []string{"oncology, stated (10)"}},
		{"a weak title", Input{Title: "Nutrition Nurse"}, []string{"dietetics, none (4)"}},
		{"a weak title beside a strong one", Input{Title: "Nutrition and Dietetics Nutrition"}, []string{"dietetics, stated (10)"}},
		{"a department", Input{Title: "Nurse", Department: "Renal Unit"}, []string{"renal, stated (12)"}},
		{"department and title add up", Input{Title: "Renal Nurse", Department: "Renal"}, []string{"renal, stated (22)"}},
		{"a weak department", Input{Title: "Nurse", Department: "Nutrition"}, []string{"dietetics, none (4)"}},

		{"a lead alone is inferred", Input{Summary: "Come and join our Dermatology Clinic."}, []string{"dermatology, inferred (5)"}},
		{"a lead and the rest", Input{Summary: "Work in our Dermatology Clinic. Dermatology is fun. Phototherapy too."}, []string{"dermatology, stated (8)"}},
		{"the rest is at most four", Input{Summary: "Oncology. Chemotherapy. SACT. Oncologists. Chemo."}, []string{"oncology, none (4)"}},
		{"the same word again adds nothing", Input{Summary: "Oncology. Oncology. Oncology."}, []string{"oncology, none (2)"}},
		{"whom one leads", Input{Summary: "You will lead the Urology team."}, []string{"urology, inferred (5)"}},
		{"we are", Input{Summary: "We are a busy Urology ward."}, []string{"urology, inferred (5)"}},
		{"a ward is", Input{Summary: "Ward 4 is our new Urology unit."}, []string{"urology, inferred (5)"}},
		{"a hospital that is a centre", Input{Summary: "We are a Urology centre."}, []string{"urology, none (2)"}},
		{"what something else is", Input{Summary: "Next door is a Urology ward."}, []string{"urology, none (2)"}},
		{"for people with", Input{Summary: "Ours is a service for adults with diabetes."}, []string{"diabetes, inferred (5)"}},
		{"for no people", Input{Summary: "Ours is a service for those with diabetes."}, []string{"diabetes, none (2)"}},
		{"for people, and more", Input{Summary: "A service for adults and for diabetes."}, []string{"diabetes, none (2)"}},
		{"experience in a unit is no lead", Input{Summary: "You have experience in a stroke unit."}, []string{"stroke, none (2)"}},
		{"experience in ours is", Input{Summary: "Gain experience in our stroke unit."}, []string{"stroke, inferred (5)"}},
		{"part of", Input{Summary: "You will be part of the friendly Urology team."}, []string{"urology, inferred (5)"}},
		{"with a team is no lead", Input{Summary: "You will work with the Urology team."}, []string{"urology, none (2)"}},
		{"a far unit is no lead", Input{Summary: "In urology, like anywhere in this place, there is a team."}, []string{"urology, none (2)"}},
		{"a bare unit is no lead", Input{Summary: "You will teach staff in theatres."}, []string{"theatres, none (2)"}},
		{"a list is no lead", Input{Summary: "Write about care in maternity and the emergency department."}, []string{"emergency, none (2)", "midwifery, none (2)"}},

		{"duties count one a sentence, at most two", Input{Duties: "Oncology and chemotherapy. Oncology. Oncology."}, []string{"oncology, none (2)"}},
		{"duties and description share the limit", Input{Duties: "Oncology. Oncology.", Description: "Oncology."}, []string{"oncology, none (2)"}},

		{"two names keep their weight", Input{Summary: "Join our Endocrinology and Diabetes Unit."}, []string{"endocrinology, none (5)", "diabetes, none (5)"}},
		{"three names divide it", Input{Summary: "Join our Endocrinology, Diabetes and Dermatology Unit."},
			[]string{"endocrinology, none (2)", "diabetes, none (2)", "dermatology, none (2)"}},
		{"four names in a paragraph count nothing", Input{Duties: "Oncology. Cardiology. Urology. Dermatology."}, nil},
		{"four names in four paragraphs do", Input{Duties: "Oncology.\n\nCardiology.\n\nUrology.\n\nDermatology."},
			[]string{"oncology, none (1)", "cardiology, none (1)", "urology, none (1)", "dermatology, none (1)"}},
		{"prose about the employer counts nothing", Input{Summary: "Our trust has an oncology day unit. Oncology matters."}, nil},
		{"its neighbour paragraph does", Input{Summary: "Our trust is kind.\n\nOncology matters."}, []string{"oncology, none (2)"}},
		{"a lead beside such prose counts", Input{Summary: "Join our Renal Team. We are rated good."}, []string{"renal, inferred (5)"}},
		{"a lead inside such prose does not", Input{Summary: "In the renal unit of one of the largest hospitals."}, nil},

		{"negation", Input{Title: "Nurse, not oncology"}, nil},
		{"negation reaches four words", Input{Summary: "No one two three oncology."}, nil},
		{"and no further", Input{Summary: "No one two three four oncology."}, []string{"oncology, none (2)"}},
		{"two words of negation", Input{Summary: "Wards other than paediatrics."}, nil},
		{"a dash ends a negation", Input{Title: "No weekends - Oncology Nurse"}, []string{"oncology, stated (10)"}},
		{"a sentence ends a negation", Input{Title: "No weekends! Oncology Nurse"}, []string{"oncology, stated (10)"}},

		{"a letter left out", Input{Title: "Opthalmology Nurse"}, []string{"ophthalmology, stated (10)"}},
		{"letters that changed places", Input{Title: "Peadiatric Nurse"}, []string{"paediatrics, stated (10)"}},
		{"a fault in a phrase", Input{Title: "Occuaptional Therapist"}, []string{"occupational-therapy, stated (10)"}},
		{"two faults", Input{Title: "Opthalmolgy Nurse"}, nil},
		{"a fault at the begin", Input{Title: "Gardiology Nurse"}, nil},
		{"a fault in a short word", Input{Title: "Nurology Nurse"}, nil},
		{"a fault in prose", Input{Summary: "Join our Opthalmology team."}, nil},
		{"a word that is right", Input{Title: "Physiology Lead"}, []string{"physiology, stated (10)"}},
		{"a word near a weak name", Input{Title: "Injection Nurse"}, []string{"infectious, none (4)"}},

		{"an employer of one field", Input{Title: "Cleaner", Employer: "Elm Surgery"}, []string{"primary-care, inferred (5)"}},
		{"an employer of many", Input{Title: "Cleaner", Employer: "Northfield Mental Health NHS Trust"}, nil},
		{"an employer adds nothing to a title", Input{Title: "Practice Nurse", Employer: "Elm Surgery"}, []string{"primary-care, stated (10)"}},
		{"an employer beside a profession", Input{Title: "Physiotherapist", Employer: "Elm Surgery"}, []string{"physiotherapy, stated (10)", "primary-care, inferred (5)"}},
		{"an employer and its text", Input{Title: "Receptionist", Employer: "Elm Surgery", Summary: "Our GP practice is kind. General practice is fun.", StaffGroup: "08"},
			[]string{"primary-care, stated (8)"}},

		{"longest match", Input{Title: "Psychiatric Intensive Care Nurse"}, []string{"crisis, stated (10)"}},
		{"a name inside a word", Input{Title: "Neurosurgery"}, []string{"neurosurgery, stated (10)"}},
		{"capitals", Input{Title: "Ent nurse"}, nil},
		{"capitals in the plural", Input{Title: "Lead for ODPs"}, []string{"theatres, stated (10)"}},
		{"capitals that are words, in a shouted title", Input{Title: "HIT THE GROUND RUNNING"}, nil},
		{"capitals that are no words, in a shouted title", Input{Title: "STAFF NURSE RESPIRATORY ICU"}, []string{"respiratory, stated (10)", "critical-care, stated (10)"}},
		{"an alias of two specialties", Input{Title: "O&G"}, []string{"obstetrics, stated (10)", "gynaecology, stated (10)"}},
		{"a weak one of two is decided by its neighbour", Input{Title: "CCU Nurse", Summary: "Join our Cardiology Ward. Cardiology is fun."}, []string{"cardiology, stated (11)", "critical-care, none (4)"}},
		{"undecided", Input{Title: "CCU Nurse"}, []string{"cardiology, none (4)", "critical-care, none (4)"}},
		{"RMN on a PICU", Input{Title: "RMN - PICU"}, []string{"adult-mental-health, stated (10)", "critical-care, none (4)", "crisis, none (4)"}},
		{"weak words in the summary", Input{Summary: "Safeguarding, mental health and cancer matter to all."}, nil},
		{"weak beside strong", Input{Summary: "Cancer and chemotherapy."}, []string{"oncology, none (3)"}},
		{"a general word gives way", Input{Title: "Mental Health Nurse, CAMHS"}, []string{"adult-mental-health, gives way to a more exact one (10)", "camhs, stated (10)"}},
		{"but not to another group", Input{Title: "Mental Health Nurse, Oncology"}, []string{"oncology, stated (10)", "adult-mental-health, stated (10)"}},

		{"a rotation is inferred", Input{Title: "Rotational Nurse, Oncology and Renal"}, []string{"oncology, inferred (10)", "renal, inferred (10)"}},
		{"the profession on it is stated", Input{Title: "Rotational Physiotherapist"}, []string{"physiotherapy, stated (10)"}},
		{"a rotation is not divided", Input{Summary: "Rotation in our renal, cardiology and urology teams."},
			[]string{"cardiology, inferred (5)", "urology, inferred (5)", "renal, inferred (5)"}},
		{"profession and field", Input{Title: "Physiotherapist", Summary: "Join our Stroke Unit."}, []string{"physiotherapy, stated (10)", "stroke, inferred (5)"}},

		{"administration without an anchor", Input{Title: "Clerk", Summary: "Oncology. Chemotherapy.", StaffGroup: "08"}, []string{"oncology, none (0)"}},
		{"estates without an anchor", Input{Title: "Porter", Duties: "Oncology.", StaffGroup: "09"}, []string{"oncology, none (0)"}},
		{"administration with an anchor", Input{Title: "Clerk", Summary: "Join our Oncology Team. Oncology. Chemotherapy.", StaffGroup: "08"}, []string{"oncology, stated (8)"}},
		{"at most three", Input{Title: "Oncology, Urology, Renal, Stroke"},
			[]string{"oncology, stated (10)", "stroke, stated (10)", "urology, stated (10)", "renal, none (10)"}},
		{"six tenths of the best", Input{Title: "Renal", Department: "Renal", Summary: "Join our Stroke Unit. Stroke. HASU."},
			[]string{"renal, stated (22)", "stroke, none (8)"}},
		{"nothing", Input{}, nil},
	} {
		if diff := cmp.Diff(tc.want, verdicts(tc.in)); diff != "" {
			t.Errorf("%s (-want +got)\n%s\n%s", tc.name, diff, Explain(tc.in))
		}
	}
}

func TestEvidence(t *testing.T) {
	for _, tc := range []struct {
		in   Input
		want string
	}{
		{Input{Title: "Nurse - Parkinson’s"}, "title: Parkinson’s"},
		{Input{Title: "Opthalmic Nurse"}, "title: Opthalmic"},
		{Input{Title: "Nurse", Employer: "Elm\tSurgery"}, "employer: Elm Surgery"},
		{Input{Title: "Nurse", Department: "Renal  Unit"}, "department: Renal"},
		{Input{Summary: "Join our friendly, busy Renal\tUnit. Renal."}, "summary: friendly, busy Renal Unit"},
		{Input{Title: "Endo nurse", Summary: "Endocrinology, thyroid.", Duties: "Endocrine. Endocrine."}, "title: Endo"},
	} {
		got := Classify(tc.in)
		if len(got) != 1 || got[0].Evidence != tc.want {
			t.Errorf("%+v yields %v, want evidence %q", tc.in, got, tc.want)
		}
	}
	want := `oncology, none (3): summary oncologist 0.7; duties 2` + "\n" + `cardiology, none (1): summary cardiology 0.7` + "\n" + `urology, none (1): summary urology 0.7`
	if got := Explain(Input{Summary: "Oncologists, cardiology, urology.", Duties: "Oncology. Oncology."}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func FuzzClassify(f *testing.F) {
	f.Add("RMN - PICU", "Join our Medical Oncology Service.", "Not in theatres.\n\nOur trust", "08")
	f.Add("A&E \xff", "in our x team", "•", "")
	f.Add("ROTATIONAL O&G", "out-patient co-ordinator healthcare ward", "no", "09")
	f.Fuzz(func(t *testing.T, title, summary, duties, group string) {
		in := Input{Title: title, Employer: summary, Department: duties, Summary: summary, Duties: duties, Description: summary, StaffGroup: group}
		got := Classify(in)
		if len(got) > 3 {
			t.Errorf("%d findings", len(got))
		}
		for i, f := range got {
			if _, ok := Lookup(f.ID); !ok || f.Evidence == "" || f.Score < 5 || f.Confidence != Stated && f.Confidence != Inferred {
				t.Errorf("bad finding %+v", f)
			}
			if i > 0 && f.Score > got[i-1].Score {
				t.Errorf("findings are not in order: %v", got)
			}
		}
		if diff := cmp.Diff(got, Classify(in)); diff != "" {
			t.Errorf("a second look differs\n%s", diff)
		}
	})
}
