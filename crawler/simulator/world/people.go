package world

import (
	"fmt"
	"strings"
)

var (
	forenames = []string{"Abena", "Alex", "Anwen", "Beth", "Callum", "Chidi", "Dilys", "Elin", "Farida", "Gareth",
		"Hamza", "Imogen", "Jo", "Kemi", "Lewis", "Mina", "Niamh", "Owain", "Priya", "Rowan", "Sanjay", "Tamsin",
		"Uma", "Verity", "Wendy", "Yusuf", "Zofia"}
	surnames = []string{"Adebanjo", "Birchall", "Cadwallader", "Dunmore", "Eastwick", "Fairholm", "Garside",
		"Hollowell", "Iqbal-Reed", "Jarrold", "Kestrelman", "Larkhill", "Mossgrove", "Netherby", "Oakenfold",
		"Pennifold", "Quillfeather", "Ravensdale", "Sampleton", "Thistlewood", "Underhay", "Vantongeren",
		"Whinfell", "Yarrowby"}
	contactRoles = []string{"Service Manager", "Ward Manager", "Team Lead", "Matron", "Clinical Lead",
		"Recruiting Manager", "Head of Service", "Practice Manager"}
)

// contact invents a person at the employer. Telephone numbers are from the
// ranges that Ofcom keeps for drama.
func contact(d *Dice, domain string) Contact {
	first, last := Pick(d, forenames), Pick(d, surnames)
	return Contact{
		Role:  Pick(d, contactRoles),
		Name:  first + " " + last,
		Email: fmt.Sprintf("%s.%s@%s", strings.ToLower(first), strings.ToLower(last), domain),
		Phone: fmt.Sprintf("01632 960%03d", d.Intn(1000)),
	}
}
