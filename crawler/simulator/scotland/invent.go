package scotland

import (
	"fmt"
	"strings"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// Boards and hospitals are made up; towns and postcode sectors are real, so
// that places can be found on a map.
var (
	boards = []string{"NHS Glenmarl", "NHS Strathyarrow", "NHS Firth of Ember", "NHS Brackenshire", "Thistlemoor Ambulance Service"}
	towns  = []struct{ name, region, postcode string }{
		{"Elgin", "Moray", "IV30 1AA"}, {"Aberdeen", "", "AB25 2AA"}, {"Dundee", "", "DD1 9AA"}, {"Perth", "Perth and Kinross", "PH1 1AA"},
		{"Inverness", "Highland", "IV2 3AA"}, {"Paisley", "Renfrewshire", "PA2 9AA"}, {"Dumfries", "", "DG2 8AA"}, {"Lerwick", "Shetland", "ZE1 0AA"},
	}
	hospitals = []string{"Glenmarl Royal Infirmary", "Rookmoor Hospital", "Sable Bay Health Centre", "Emberness General Hospital"}
	posts     = []struct {
		title, family, grade string
		min, max             int
		departments          []string
	}{
		{"Staff Nurse", "Nursing and Midwifery", "Band 5", 33247, 41424, []string{"Haematology", "Stroke Unit", "General Surgery"}},
		{"Senior Charge Nurse", "Nursing and Midwifery", "Band 7", 50861, 59159, []string{"Intensive Care", "Renal"}},
		{"Healthcare Support Worker", "Nursing and Midwifery", "Band 3", 28010, 30230, []string{"Care of the Elderly", ""}},
		{"Consultant Anaesthetist", "Medical and Dental", "Consultant", 111430, 148064, []string{"Anaesthetics"}},
		{"Specialty Doctor in Psychiatry", "Medical and Dental", "Specialty Doctor", 67000, 99000, []string{"Adult Mental Health"}},
		{"Clinical Fellow", "Medical and Dental", "Clinical Dev Fellow (FHO2)", 0, 0, []string{"Emergency Medicine"}},
		{"Physiotherapist", "Allied Health Profession", "Band 6", 41608, 50702, []string{"Musculoskeletal", ""}},
		{"Medical Secretary", "Administrative Services", "Band 4", 30353, 33044, []string{"Ophthalmology", "Health Records"}},
		{"Head of Digital", "Administrative Services", "Band 8B", 74003, 78974, []string{"eHealth"}},
		{"Porter", "Support Services", "", 0, 0, []string{""}},
	}
	duties = []string{"You will plan and give care to the patients of the ward.", "You will keep records that others can read.",
		"You will work shifts over seven days.", "You will help to train new colleagues."}
	needs     = []string{"Registration with the regulator of the profession", "Experience of working in a team", "A driving licence"}
	forenames = []string{"Ailsa", "Callum", "Eilidh", "Fergus", "Isla", "Morven", "Rory", "Senga"}
	surnames  = []string{"Brackenridge", "Drumquhar", "Fairlochan", "Gillespindle", "Kilmarrow", "Strathpeel"}
)

// Invent returns n adverts that follow from the seed, live on the given day or
// up to three weeks before, and open on it. The newest come last.
func Invent(seed uint64, n int, today world.Day) []Advert {
	d := world.NewDice(seed, world.Hash("scotland adverts"))
	out := make([]Advert, 0, n)
	for i := range n {
		p, t := world.Pick(d, posts), world.Pick(d, towns)
		live := today.Add(-(n - 1 - i) * 21 / max(n, 21))
		a := Advert{
			Printed: fmt.Sprintf("%s%d", world.Pick(d, []string{"PS", "CI", "TV"}), 240_000+d.Intn(60_000)), InTitle: d.Chance(0.4),
			Title: p.title, Board: world.Pick(d, boards), Department: world.Pick(d, p.departments), Family: p.family,
			Grade: p.grade, Min: p.min, Max: p.max,
			Contract: world.Pick(d, []string{"Permanent", "Permanent", "Fixed-term", "Bank"}),
			Hours:    world.Pick(d, []string{"37", "36", "22.5", "Part time 15", "Full time"}),
			Location: t.name, Town: t.name, Region: t.region, Postcode: t.postcode,
			Live: live, Closing: today.Add(d.Between(0, 21)),
		}
		if d.Chance(0.3) {
			a.Location = world.Pick(d, hospitals)
		}
		if d.Chance(0.05) {
			a.Closing = ""
		}
		first, last := world.Pick(d, forenames), world.Pick(d, surnames)
		a.Contact = world.Contact{Name: first + " " + last, Role: world.Pick(d, []string{"Service Manager", "Senior Charge Nurse", "Clinical Lead"}),
			Email: strings.ToLower(first+"."+last) + "@" + strings.ToLower(strings.ReplaceAll(a.Board, " ", "")) + ".example",
			Phone: fmt.Sprintf("01632 960%03d", d.Intn(1000))}
		role := []string{"We are looking for a " + p.title + ".", world.Pick(d, duties), world.Pick(d, duties)}
		if d.Chance(0.3) {
			role = append(role, "For a visit, please call "+a.Contact.Name+", who leads the team. The ward is on the ground floor.")
		}
		a.Sections = []Section{
			{Heading: "The role", Lines: role},
			{Heading: "What we'll need you to bring", Lines: []string{world.Pick(d, needs), world.Pick(d, needs)}, Bullets: true},
			{Heading: "About " + a.Board, Lines: []string{a.Board + " runs hospitals with every service from oncology to dermatology."}},
		}
		out = append(out, a)
	}
	return out
}
