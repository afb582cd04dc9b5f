package world

import (
	"fmt"
	"strings"
)

// Texts is the prose of an advert, in paragraphs.
type Texts struct {
	Summary, Duties, About, Description []string
	Criteria                            []Criteria
}

// Texts returns the advert's own texts or, where it has none, those of its
// TextSeed. The summary names the specialty early; the text about the
// employer names others, as real ones do.
func (a *Advert) Texts() Texts {
	t := Texts{a.Summary, a.Duties, a.About, a.Description, a.Criteria}
	if a.TextSeed == 0 {
		return t
	}
	w := &writer{d: NewDice(a.TextSeed), a: a, s: bySpecialty()[a.Specialty], role: roleName(a.Title)}
	// Each text has its own dice, so that amending one leaves the others.
	if t.Summary == nil {
		t.Summary = w.with(1).summary()
	}
	if t.Duties == nil {
		t.Duties = w.with(2).duties()
	}
	if t.About == nil {
		t.About = w.with(3).about()
	}
	if t.Description == nil {
		t.Description = w.with(4).description()
	}
	if t.Criteria == nil {
		t.Criteria = w.with(5).criteria()
	}
	return t
}

type writer struct {
	d    *Dice
	a    *Advert
	s    *specialty
	role string
}

func (w *writer) with(part uint64) *writer {
	c := *w
	c.d = NewDice(w.a.TextSeed, part)
	return &c
}

// roleName takes band, notes and spaces off a title, for use in a sentence.
func roleName(title string) string {
	t := strings.TrimSpace(title)
	if rest, ok := strings.CutPrefix(t, "Band "); ok {
		_, t, _ = strings.Cut(rest, " ")
	}
	for _, cut := range []string{" - ", " (", " Band ", ", "} {
		if i := strings.Index(t, cut); i > 0 {
			t = t[:i]
		}
	}
	return t
}

// fill replaces the slots of a sentence.
func (w *writer) fill(sentence string) string {
	service, unit, work := "our team", w.a.Sites[0].Name, "the people we serve"
	if w.s != nil {
		service, unit, work = "our "+w.s.service, w.s.unit, w.s.work
	}
	band := ""
	if w.a.Band != "" {
		band = "Band " + w.a.Band + " "
	}
	return strings.NewReplacer("{role}", w.role, "{service}", service, "{unit}", unit, "{work}", work,
		"{band}", band, "{town}", w.a.Sites[0].Town, "{employer}", w.a.Employer).Replace(sentence)
}

// some returns n different ones of the sentences, filled.
func (w *writer) some(n int, sentences []string) []string {
	start, step := w.d.Intn(len(sentences)), 1
	if len(sentences)%2 == 1 {
		step = 2
	}
	var out []string
	for i := range min(n, len(sentences)) {
		out = append(out, w.fill(sentences[(start+i*step)%len(sentences)]))
	}
	return out
}

func (w *writer) summary() []string {
	open := []string{
		"We are looking for a {band}{role} to join {service} in {town}.",
		"An opportunity has arisen for a motivated {band}{role} within {service}, based in {town}.",
		"{employer} would like to hear from you if you want to work as a {band}{role} in {service}.",
		"Come and be part of {service}: we need a {band}{role} who puts people first.",
	}
	more := []string{
		"You will work closely with colleagues in {unit} and be well supported from your first day.",
		"The team sees {work}, and no two days are alike.",
		"We welcome applicants who are returning to work as much as those who are starting out.",
		"There is a structured induction, regular supervision and protected time to learn.",
		"We can talk about flexible hours; please say in your application what would suit you.",
	}
	out := append(w.some(1, open), w.some(w.d.Between(1, 3), more)...)
	if w.d.Chance(.1) {
		out = append(out, "We may close this advert early if many people apply.")
	}
	return out
}

func (w *writer) duties() []string {
	return append([]string{"What you will be doing"}, w.some(w.d.Between(2, 4), []string{
		"Provide safe, kind and effective support for {work}.",
		"Plan the day with the senior member on duty and adapt when things change.",
		"Keep clear, timely records and hand over what others need to know.",
		"Answer questions from patients, relatives and colleagues with courtesy.",
		"Take part in audit and in making the service better.",
		"Help new starters and students to find their feet in {unit}.",
	})...)
}

func (w *writer) about() []string {
	var others []string
	start := w.d.Intn(len(specialties))
	for i := range w.d.Between(3, 5) {
		others = append(others, strings.ToLower(specialties[(start+i*7)%len(specialties)].service))
	}
	list := strings.Join(others[:len(others)-1], ", ") + " and " + others[len(others)-1]
	return append([]string{fmt.Sprintf("%s serves %s and the country around it. Among what we are known for are our %s.",
		w.a.Employer, w.a.Sites[0].Town, list)}, w.some(w.d.Between(1, 3), []string{
		"Our staff tell us that people look out for one another here.",
		"We are proud of our learning culture and of our apprentices.",
		"We offer generous leave, a pension scheme and a place in our nursery where there is room.",
		"We want our workforce to be like the communities we serve and welcome applications from everyone.",
	})...)
}

func (w *writer) description() []string {
	return append(w.some(1, []string{
		"This is a summary of the main responsibilities of the {role}; the attached documents say more.",
		"About the role",
	}), w.some(w.d.Between(3, 6), []string{
		"The post holder is responsible to the manager of {service} and works within agreed policies.",
		"Communicates sensitive information with tact, also where there are barriers to understanding.",
		"Uses equipment and stock with care and reports faults.",
		"Maintains confidentiality and the security of records at all times.",
		"Covers for colleagues in {unit} during leave and at busy times.",
		"Keeps up mandatory training and takes part in a yearly appraisal.",
		"May be asked to work at other sites of {employer}.",
	})...)
}

func (w *writer) criteria() []Criteria {
	qualifications := []string{"Good general education including English and mathematics"}
	if w.a.Registration {
		qualifications = []string{"Registration with the professional body", "Relevant degree or equivalent"}
	}
	experience := "Experience in a similar setting"
	if w.s != nil {
		experience = "Experience with " + w.s.work
	}
	out := []Criteria{
		{"Qualifications", qualifications, []string{"Evidence of further study"}},
		{"Experience", []string{"Working in a team under pressure", "Keeping accurate records"}, []string{experience}},
		{"Skills", []string{"Clear spoken and written English", "Calm and courteous manner", "Use of common software"}, nil},
	}
	if w.d.Chance(.5) {
		out = append(out, Criteria{"Knowledge", []string{"Understanding of safeguarding and confidentiality"}, []string{"Knowledge of the area"}})
	}
	if w.d.Chance(.3) {
		out = append(out, Criteria{"Other", []string{"Able to travel between sites"}, nil})
	}
	return out
}
