package gazetteer

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// northernIrishTowns are known by name only, so that whoever writes one is
// told about the region instead of being taken for a bad speller.
var northernIrishTowns = [...]string{
	"Antrim", "Armagh", "Ballymena", "Ballymoney", "Banbridge", "Bangor", "Belfast", "Carrickfergus",
	"Coleraine", "Cookstown", "Craigavon", "Derry", "Downpatrick", "Dundonald", "Dungannon",
	"Enniskillen", "Holywood", "Larne", "Limavady", "Lisburn", "Londonderry", "Lurgan",
	"Magherafelt", "Newry", "Newtownabbey", "Newtownards", "Omagh", "Portadown", "Portrush", "Strabane",
}

// otherNames are further spellings, folded, of places in the table, which are
// given by name or by "name, qualifier": official long forms, everyday short
// forms, and the Welsh names, which adverts of the Welsh health boards carry.
var otherNames = map[string]string{
	"kingston on hull":       "Hull",
	"royal leamington spa":   "Leamington Spa",
	"leamington":             "Leamington Spa",
	"royal tunbridge wells":  "Tunbridge Wells",
	"letchworth garden city": "Letchworth",
	"brighton and hove":      "Brighton",
	"gt yarmouth":            "Great Yarmouth",
	"hemel":                  "Hemel Hempstead",
	"merthyr":                "Merthyr Tydfil",
	"haverford west":         "Haverfordwest",
	"central london":         "London",
	"greater london":         "London",
	"city of westminster":    "Westminster",
	"camden town":            "Camden",
	"abertawe":               "Swansea",
	"aberhonddu":             "Brecon",
	"caerdydd":               "Cardiff",
	"caerffili":              "Caerphilly",
	"caerfyrddin":            "Carmarthen",
	"casnewydd":              "Newport, Wales",
	"hwlffordd":              "Haverfordwest",
	"merthyr tudful":         "Merthyr Tydfil",
	"pen y bont ar ogwr":     "Bridgend",
	"wrecsam":                "Wrexham",
	"y barri":                "Barry",
	"y drenewydd":            "Newtown",
	"y fenni":                "Abergavenny",
	"y rhyl":                 "Rhyl",
}

// countySpellings are the short forms of counties, folded.
var countySpellings = map[string]string{
	"beds": "bedfordshire", "berks": "berkshire", "bucks": "buckinghamshire", "cambs": "cambridgeshire",
	"co durham": "county durham", "derbys": "derbyshire", "glos": "gloucestershire", "hants": "hampshire",
	"herts": "hertfordshire", "lancs": "lancashire", "leics": "leicestershire", "lincs": "lincolnshire",
	"middx": "middlesex", "n yorks": "north yorkshire", "n yorkshire": "north yorkshire",
	"north yorks": "north yorkshire", "northants": "northamptonshire", "notts": "nottinghamshire",
	"oxon": "oxfordshire", "s yorks": "south yorkshire", "s yorkshire": "south yorkshire",
	"salop": "shropshire", "south yorks": "south yorkshire", "staffs": "staffordshire",
	"w yorks": "west yorkshire", "w yorkshire": "west yorkshire", "west yorks": "west yorkshire",
	"wilts": "wiltshire", "worcs": "worcestershire",
}

// accents maps the marked letters of Welsh and Gaelic place names, and those
// that a keyboard may make of them, to plain ones.
var accents = strings.NewReplacer(
	"à", "a", "á", "a", "â", "a", "ä", "a", "è", "e", "é", "e", "ê", "e", "ë", "e",
	"ì", "i", "í", "i", "î", "i", "ï", "i", "ò", "o", "ó", "o", "ô", "o", "ö", "o",
	"ù", "u", "ú", "u", "û", "u", "ü", "u", "ŵ", "w", "ẁ", "w", "ŷ", "y", "ỳ", "y",
)

// fold brings a name to the form in which names are compared: lower case,
// plain letters, single spaces for all punctuation, apostrophes left out.
// "upon" becomes "on" and "Saint" "st", for people mix them.
func fold(name string) string {
	name = strings.ReplaceAll(strings.ToLower(name), "&", " and ")
	words := strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			return r
		case r == '\'' || r == '’' || r == '‘':
			return -1
		}
		return ' '
	}, accents.Replace(name)))
	for i, w := range words {
		switch w {
		case "upon":
			words[i] = "on"
		case "saint":
			words[i] = "st"
		}
	}
	return strings.Join(words, " ")
}

// shortName returns what people call a place by when its name tells where it
// lies: "newcastle" for "newcastle on tyne".
func shortName(key string) (string, bool) {
	for _, link := range []string{" on ", " in ", " under ", " super "} {
		if short, _, ok := strings.Cut(key, link); ok {
			return short, true
		}
	}
	return "", false
}

// candidates returns the places that a folded text names as a whole, with or
// without a qualifier behind the name.
func (g *Gazetteer) candidates(key string) []int32 {
	if len(key) > longestName {
		return nil
	}
	key = strings.TrimPrefix(key, "the ")
	if same := g.names[key]; same != nil {
		return same
	}
	if rest, ok := strings.CutPrefix(key, "city of "); ok {
		if same := g.names[rest]; same != nil {
			return same
		}
	}
	for i := strings.LastIndexByte(key, ' '); i > 0; i = strings.LastIndexByte(key[:i], ' ') {
		var fitting []int32
		for _, c := range g.names[key[:i]] {
			if g.places[c].fits(key[i+1:]) {
				fitting = append(fitting, c)
			}
		}
		if fitting != nil {
			return fitting
		}
	}
	return nil
}

// fits reports whether a folded text says truly where p lies: its region or
// country, a county, both, or what tells it from its namesakes.
func (p *place) fits(qualifier string) bool {
	if p.fitsPlainly(qualifier) {
		return true
	}
	for _, country := range []string{" uk", " united kingdom", " england"} {
		if short, ok := strings.CutSuffix(qualifier, country); ok && p.fitsPlainly(short) {
			return true
		}
	}
	return false
}

func (p *place) fitsPlainly(qualifier string) bool {
	switch qualifier {
	case "uk", "gb", "united kingdom", "great britain":
		return true
	case "england":
		return slices.Contains(regionNames[:englishRegions], p.region)
	case fold(p.qualifier):
		return true
	}
	if region, ok := Region(qualifier); ok && region == p.region {
		return true
	}
	if county, ok := countySpellings[qualifier]; ok {
		qualifier = county
	}
	for county := range strings.SplitSeq(p.counties, ";") {
		if county != "" && fold(county) == qualifier {
			return true
		}
	}
	return false
}

const (
	longestName = 80 // bytes; names beyond it are not looked for
	mostNear    = 3  // spellings offered
)

// near returns the names spelt most like a folded text, at most mostNear, in
// a form that Locate takes: the nearest by one or two slips of the keyboard,
// else those that begin with the text.
func (g *Gazetteer) near(key string) []string {
	if len(key) < 3 || len(key) > longestName {
		return nil
	}
	type hit struct {
		slips int
		name  string
	}
	var hits []hit
	add := func(slips int, name string) {
		h := hit{slips, name}
		if !slices.Contains(hits, h) {
			hits = append(hits, h)
		}
	}
	most := 2
	if len(key) <= 4 {
		most = 1
	}
	typed := []rune(key)
	measure := func(other string) (int, bool) {
		if d := slips(typed, []rune(other), most); d <= most {
			return d, true
		}
		return most + 1, len(key) >= 4 && strings.HasPrefix(other, key)
	}
	for other, same := range g.names {
		if d, ok := measure(other); ok {
			for _, i := range same {
				add(d, g.places[i].option())
			}
		}
	}
	for other, region := range regionSpellings {
		if d, ok := measure(other); ok && region != "London" {
			add(d, region)
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.slips, b.slips), strings.Compare(a.name, b.name))
	})
	var names []string
	for _, h := range hits {
		if h.slips == hits[0].slips && len(names) < mostNear {
			names = append(names, h.name)
		}
	}
	return names
}

// slips counts the letters to add, drop, change or swap with their neighbour
// that turn a into b; any number over most may come back as most+1.
func slips(a, b []rune, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
