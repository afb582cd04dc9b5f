package world

import (
	"fmt"
	"strings"
)

// A kind of employer decides its roles, its pay schemes and its account's
// letter.
type kind int

const (
	trust kind = iota
	surgery
	charity
	private
	board    // a Welsh health board
	national // a national body or a company of trusts
)

// An Employer advertises under one account.
type Employer struct {
	Name    string
	Account string // a letter and four digits
	Website string
	Sites   []Place
	// Trac says that its adverts come with a number of the employer's own.
	Trac bool
	// Shape is the form of its references: 0 is the common one.
	Shape int
	// HeadingsOnly says that its advert pages carry no ids.
	HeadingsOnly bool

	kind   kind
	towns  []Town // the towns of its sites
	weight int
	domain string
}

var (
	placeHeads = []string{"Aln", "Amber", "Beacon", "Birch", "Brock", "Cinder", "Copper", "Drake", "Ember", "Frost", "Gull", "Heron", "Ivory", "Juniper", "Kings", "Lind", "Marl", "Bracken", "Brim", "Corv", "Dunn", "Elder", "Fenn", "Garth", "Hollow", "Kestrel",
		"Lark", "Mallow", "Nether", "Orchard", "Pell", "Quarr", "Rook", "Sable", "Tarn", "Thistle", "Under", "Wend", "Whin", "Yarrow"}
	placeTails = []string{"bourne", "combe", "dale", "fold", "holt", "hurst", "leigh", "mere", "ness", "minster", "moor", "stead", "thwaite", "wick", "worth"}
	saints     = []string{"St Osmund's", "St Werburgh's", "St Petroc's", "St Hilda's", "St Alban's", "St Frideswide's", "St Neot's", "St Bega's"}
	welshHeads = []string{"Bryn", "Cwm", "Glan", "Llwyn", "Nant", "Pant", "Rhyd", "Tre"}
	welshTails = []string{"celyn", "derwen", "eira", "gwenith", "hebog", "onnen", "wern"}
	hospitals  = []string{"General Hospital", "Royal Infirmary", "District Hospital", "Community Hospital", "Memorial Hospital", "Health Centre", "House", "Clinic"}
	streets    = []string{"Station Road", "Infirmary Lane", "Victoria Road", "Park View", "Mill Street", "Chapel Hill", "Canal Walk", "London Road"}
)

// employers invents some 400 of them. Trusts and boards carry about three
// quarters of the weight, as on the real board.
func employers(seed uint64) []*Employer {
	d := NewDice(seed, Hash("employers"))
	english, welsh := townsOf("England"), townsOf("Wales")
	used := map[string]bool{}
	name := func() string { // an invented place, never twice
		for {
			n := Pick(d, placeHeads) + Pick(d, placeTails)
			if !used[n] {
				used[n] = true
				return n
			}
		}
	}
	var es []*Employer
	add := func(e *Employer, towns []Town, sites int) {
		e.domain = slug(e.Name) + ".example"
		e.Website = "https://www." + e.domain + "/"
		local := []Town{Pick(d, towns)}
		for len(local) < 3 {
			local = append(local, nearest(d, towns, local[0]))
		}
		for range sites {
			town := Pick(d, local)
			e.Sites = append(e.Sites, site(d, e, town))
			e.towns = append(e.towns, town)
		}
		es = append(es, e)
	}
	trustForms := []string{"%s NHS Foundation Trust", "%s University Hospitals NHS Foundation Trust", "%s Teaching Hospitals NHS Trust",
		"%s Partnership NHS Foundation Trust", "%s Community Health NHS Trust", "%s Healthcare NHS Trust", "%s and %s NHS Foundation Trust"}
	for i := range 150 {
		form := Pick(d, trustForms)
		var n string
		if strings.Count(form, "%s") == 2 {
			n = fmt.Sprintf(form, name(), name())
		} else {
			n = fmt.Sprintf(form, name())
		}
		shape := 0
		if i%25 == 24 {
			shape = 1 + d.Intn(4)
		}
		add(&Employer{Name: n, Account: fmt.Sprintf("C9%03d", 100+i*5+d.Intn(5)), kind: trust, Trac: d.Chance(.7), Shape: shape,
			HeadingsOnly: d.Chance(.03), weight: 30 + d.Intn(90)}, english, d.Between(2, 8))
	}
	for i := range 150 {
		forms := []string{"%s Surgery", "%s Medical Centre", "%s Primary Care Network", "The %s Practice", "%s Health Partnership"}
		add(&Employer{Name: fmt.Sprintf(Pick(d, forms), name()), Account: fmt.Sprintf("A%04d", 1000+i*31+d.Intn(30)), kind: surgery,
			weight: 6 + d.Intn(10)}, english, d.Between(1, 2))
	}
	for i := range 35 {
		forms := []string{"%[1]s Hospice, %[2]s", "%[2]s Recovery Trust", "%[2]s Together", "%[3]s and %[2]s Support"}
		town := Pick(d, english)
		add(&Employer{Name: fmt.Sprintf(Pick(d, forms), Pick(d, saints), name(), town.Name), Account: fmt.Sprintf("B0%03d", 10+i*7+d.Intn(7)),
			kind: charity, weight: 8 + d.Intn(20)}, english, d.Between(1, 4))
	}
	for i := range 30 {
		forms := []string{"%s Healthcare Ltd", "%s Hospitals Group", "%s Care Services", "%s Dental Ltd"}
		shape := 0
		if i%6 == 5 {
			shape = 5
		}
		add(&Employer{Name: fmt.Sprintf(Pick(d, forms), name()), Account: fmt.Sprintf("E0%03d", 20+i*11+d.Intn(11)), kind: private,
			Shape: shape, weight: 10 + d.Intn(30)}, english, d.Between(1, 6))
	}
	for i := range 9 {
		n := welshHeads[i%len(welshHeads)] + welshTails[(i*3+d.Intn(2))%len(welshTails)]
		add(&Employer{Name: n + " University Health Board", Account: fmt.Sprintf("H9%03d", i*11+d.Intn(11)), kind: board,
			weight: 60 + d.Intn(60)}, welsh, d.Between(2, 5))
	}
	for i := range 10 {
		forms := []string{"NHS %s Shared Services", "%s Facilities Management Ltd", "%s Commissioning Support Unit"}
		add(&Employer{Name: fmt.Sprintf(Pick(d, forms), name()), Account: fmt.Sprintf("M9%03d", i*17+d.Intn(17)), kind: national,
			Trac: d.Chance(.5), weight: 20 + d.Intn(30)}, english, d.Between(1, 3))
	}
	for i := range 16 {
		add(&Employer{Name: fmt.Sprintf("Change %s", name()), Account: fmt.Sprintf("U0%03d", 40+i*9+d.Intn(9)), kind: charity,
			Shape: i % 2 * 5, weight: 8 + d.Intn(16)}, english, d.Between(1, 8))
	}
	return es
}

// site invents one place of work in a town.
func site(d *Dice, e *Employer, town Town) Place {
	t, county := town.post()
	p := Place{Town: t, County: county, Postcode: town.postcode(d)}
	switch e.kind {
	case surgery:
		p.Name, p.Line2 = e.Name, Pick(d, streets)
	case board:
		p.Name = "Ysbyty " + Pick(d, welshHeads) + Pick(d, welshTails)
	default:
		head := Pick(d, saints)
		if d.Chance(.7) {
			head = Pick(d, placeHeads) + Pick(d, placeTails)
		}
		p.Name = head + " " + Pick(d, hospitals)
		if d.Chance(.4) {
			p.Line2 = fmt.Sprintf("%d %s", d.Between(1, 240), Pick(d, streets))
		}
	}
	if d.Chance(.25) {
		p.County = ""
	}
	return p
}

// nearest returns one of the towns within some twenty miles, or the town.
func nearest(d *Dice, towns []Town, home Town) Town {
	var near []Town
	for _, t := range towns {
		if Miles(home.Lat, home.Lon, t.Lat, t.Lon) < 20 {
			near = append(near, t)
		}
	}
	return Pick(d, near)
}

// slug makes a host name's label of an employer's name.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z':
			b.WriteRune(r)
		case r == ' ' && b.Len() > 0:
			b.WriteByte('-')
		}
	}
	return b.String()
}
