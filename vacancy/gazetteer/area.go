package gazetteer

import (
	_ "embed" // for the table of counties
	"slices"
	"strings"
	"sync"
)

//go:embed data/counties.tsv
var countiesTSV string

// England is the one nation that is no region of [Regions] by itself.
const England = "England"

// An Area is a named part of the United Kingdom that is looked for as a whole
// and not by distance: a region, a nation, an NHS region, a county or a
// council area.
type Area struct {
	// Name is the area in words; [FindArea] brings it back: "Kent",
	// "Midlands (NHS region)", "England".
	Name string

	regions []string // of Regions, that it is made of or, a county, lies in
	county  bool     // then outcodes alone tell what lies in it
	codes   []string // sorted outward codes of a county
	nhs     string   // the NHS region it is, or empty
}

// Regions returns the regions that the area touches, so that whoever files
// areas by region misses nothing of it.
func (a Area) Regions() []string { return slices.Clone(a.regions) }

// areaTable holds every area by its folded name.
type areaTable struct {
	byName map[string]Area
	// county tells which counties an outward code lies in.
	county map[string][]string
}

// nhsRegions are the seven regions of NHS England and the ONS regions that
// they are made of, but for north Cumbria and Milton Keynes: see nhsRegionOf.
var nhsRegions = []struct {
	name    string
	regions []string
}{
	{"East of England", []string{"East of England", "South East"}},
	{"London", []string{"London"}},
	{"Midlands", []string{"East Midlands", "West Midlands"}},
	{"North East and Yorkshire", []string{"North East", "Yorkshire and The Humber", "North West"}},
	{"North West", []string{"North West"}},
	{"South East", []string{"South East"}},
	{"South West", []string{"South West"}},
}

// nhsRegionOf returns the NHS region of an ONS region and an outward code.
// North Cumbria belongs with the North East, Milton Keynes with Bedfordshire.
func nhsRegionOf(region, outward string) string {
	switch region {
	case "North West":
		if letters(outward) == "CA" {
			return "North East and Yorkshire"
		}
	case "South East":
		// MK18 is Buckingham.
		if letters(outward) == "MK" && outward != "MK18" {
			return "East of England"
		}
	case "North East", "Yorkshire and The Humber":
		return "North East and Yorkshire"
	case "East Midlands", "West Midlands":
		return "Midlands"
	case "Wales", "Scotland", NorthernIreland:
		return ""
	}
	return region
}

// areaSpellings are other names of areas, folded.
var areaSpellings = map[string]string{
	"borders": "Scottish Borders", "highlands": "Highland", "the highlands": "Highland", "cleveland": "Teesside",
	"tees valley": "Teesside", "orkney islands": "Orkney", "shetland islands": "Shetland", "anglesey": "Isle of Anglesey",
	"ynys mon": "Isle of Anglesey", "outer hebrides": "Western Isles", "eilean siar": "Western Isles",
	"city of edinburgh": "Edinburgh", "glasgow city": "Glasgow", "dundee city": "Dundee", "aberdeen city": "Aberdeen",
	"city of bristol": "Bristol", "kingston on hull": "Hull", "city of kingston on hull": "Hull",
	"rhondda cynon taff": "Rhondda Cynon Taf", "rct": "Rhondda Cynon Taf", "the vale of glamorgan": "Vale of Glamorgan",
	"scilly": "Isles of Scilly", "durham": "County Durham",
	"greater bristol": "Avon", "humber": "Humberside", "east yorks": "East Yorkshire",
	"all england": England, "england only": England,
}

var areas = sync.OnceValue(func() *areaTable {
	t := &areaTable{byName: map[string]Area{}, county: map[string][]string{}}
	outcodes := Default().outcodes
	for _, line := range rows(countiesTSV) {
		name, list, _ := strings.Cut(line, "\t")
		a := Area{Name: name, county: true, codes: strings.Fields(list)}
		for _, code := range a.codes {
			t.county[code] = append(t.county[code], name)
			if c, ok := find(outcodes, code); ok && !slices.Contains(a.regions, c.region) {
				a.regions = append(a.regions, c.region)
			}
		}
		slices.Sort(a.codes)
		t.byName[fold(name)] = a
	}
	for _, r := range nhsRegions {
		a := Area{Name: r.name + " (NHS region)", regions: r.regions, nhs: r.name}
		t.byName[fold(a.Name)] = a
		t.byName["nhs "+fold(r.name)] = a
		t.byName["nhs england "+fold(r.name)] = a
		if _, ok := Region(r.name); !ok {
			t.byName[fold(r.name)] = a
		}
	}
	t.byName[fold(England)] = Area{Name: England, regions: regionNames[:englishRegions]}
	for _, r := range regionNames {
		t.byName[fold(r)] = Area{Name: r, regions: []string{r}}
	}
	for spelling, name := range areaSpellings {
		if a, ok := t.byName[fold(name)]; ok {
			t.byName[spelling] = a
		}
	}
	for short, county := range countySpellings {
		if a, ok := t.byName[county]; ok {
			t.byName[short] = a
		}
	}
	return t
})

// FindArea returns the area that a text names: "Kent", "herts", "Midlands",
// "NHS North West", "Greater Manchester", "England", "Yorkshire". A town's
// council area is asked for as "Leeds area" or "Leeds council". It is false
// for anything else; towns and postcodes are for [Locate].
func FindArea(text string) (Area, bool) {
	t := areas()
	key := strings.TrimPrefix(fold(text), "the ")
	for {
		if a, ok := t.byName[key]; ok {
			return a, true
		}
		if region, ok := Region(key); ok {
			return t.byName[fold(region)], true
		}
		short := key
		for _, tail := range []string{" area", " council", " district", " borough", " county"} {
			short = strings.TrimSuffix(short, tail)
		}
		if short == key || short == "" {
			return Area{}, false
		}
		key = short
	}
}

// Holds reports whether a site lies in the area, by what an advert says of it:
// its postcode, the region it was found to lie in, its county and its town as
// printed, each possibly empty. Known is false where that does not tell.
//
//	region, nation   by the region
//	NHS region       by the region and, where the two kinds differ, the outward code
//	county           by the outward code or the printed county, else by the town
//
// An outward code that straddles a border counts where most of it lies, unless
// the advert prints the other county.
func (a Area) Holds(postcode, region, county, town string) (in, known bool) {
	p, hasCode := Default().parse(postcode)
	switch {
	case a.county:
		return a.countyHolds(p.outward, county, town)
	case region == "":
		return false, false
	case a.nhs == "":
		return slices.Contains(a.regions, region), true
	}
	if !hasCode && (region == "North West" || region == "South East") {
		// Without a postcode the county is the only hint at the two exceptions.
		switch fold(county) {
		case "cumbria", "milton keynes":
			return false, false
		}
	}
	return nhsRegionOf(region, p.outward) == a.nhs, true
}

func (a Area) countyHolds(outward, county, town string) (in, known bool) {
	t := areas()
	if _, ok := slices.BinarySearch(a.codes, outward); ok {
		return true, true
	}
	printed, isArea := t.byName[fold(county)]
	if isArea && printed.county {
		if printed.Name == a.Name {
			return true, true
		}
		known = true
	}
	if outward != "" {
		return false, known || len(t.county[outward]) > 0
	}
	g := Default()
	found := g.candidates(fold(town))
	if len(found) != 1 {
		return false, known
	}
	p := g.places[found[0]]
	if _, ok := slices.BinarySearch(a.codes, p.outcode); ok {
		return true, true
	}
	for c := range strings.SplitSeq(p.counties, ";") {
		if other, ok := t.byName[fold(c)]; ok && other.Name == a.Name {
			return true, true
		}
	}
	return false, known || p.outcode != ""
}
