package gazetteer

import (
	"regexp"
	"slices"
	"strings"
)

// NorthernIreland is the region that has no points in the built-in tables.
const NorthernIreland = "Northern Ireland"

// regionNames are the nine regions of England in the order of their GSS codes
// (E12000001 to E12000009), then the other countries, spelt as by the ONS.
var regionNames = [...]string{
	"North East", "North West", "Yorkshire and The Humber", "East Midlands", "West Midlands",
	"East of England", "London", "South East", "South West",
	"Wales", "Scotland", NorthernIreland,
}

const englishRegions = 9 // how many of regionNames lie in England

// Regions returns the nine regions of England, Wales, Scotland and Northern
// Ireland, in a fixed order. The caller may keep and change the slice.
func Regions() []string { return slices.Clone(regionNames[:]) }

// Region returns the canonical spelling of a region or country, as in
// [Regions], for the spellings in use: "yorkshire", "West Mids", "the South
// West of England". It is false for anything else: for "Midlands", which is
// two regions, for "England", which is nine, and for counties.
func Region(name string) (canonical string, ok bool) {
	canonical, ok = regionSpellings[regionKey(name)]
	return canonical, ok
}

func regionKey(name string) string {
	key := strings.TrimPrefix(fold(name), "the ")
	if _, ok := regionSpellings[key]; ok {
		return key
	}
	for _, tail := range []string{" region", " of england", " england", " uk"} {
		if short, ok := strings.CutSuffix(key, tail); ok {
			return short
		}
	}
	return key
}

// regionSpellings is keyed by folded text.
var regionSpellings = map[string]string{
	"north east": "North East", "northeast": "North East",
	"north west": "North West", "northwest": "North West",
	"yorkshire and the humber": "Yorkshire and The Humber", "yorkshire and humber": "Yorkshire and The Humber",
	"yorkshire the humber": "Yorkshire and The Humber", "yorkshire humber": "Yorkshire and The Humber",
	"yorkshire and humberside": "Yorkshire and The Humber", "yorks and humber": "Yorkshire and The Humber",
	"yorks and the humber": "Yorkshire and The Humber", "yorkshire": "Yorkshire and The Humber", "yorks": "Yorkshire and The Humber",
	"east midlands": "East Midlands", "east mids": "East Midlands", "e midlands": "East Midlands",
	"west midlands": "West Midlands", "west mids": "West Midlands", "w midlands": "West Midlands",
	"east of england": "East of England", "eastern": "East of England", "east anglia": "East of England",
	"london": "London", "greater london": "London",
	"south east": "South East", "southeast": "South East",
	"south west": "South West", "southwest": "South West",
	"wales": "Wales", "cymru": "Wales", "scotland": "Scotland", "alba": "Scotland",
	"northern ireland": NorthernIreland, "n ireland": NorthernIreland, "ni": NorthernIreland,
}

// RegionOf returns the region of a postcode, sector or outward code: that in
// which most of its outward code lies. Northern Ireland is known by the
// letters BT alone.
func RegionOf(postcode string) (string, bool) { return Default().RegionOf(postcode) }

// RegionOf is [RegionOf] with the tables of g.
func (g *Gazetteer) RegionOf(postcode string) (string, bool) {
	p, ok := g.parse(postcode)
	if !ok {
		return "", false
	}
	return g.regionOf(p.outward)
}

func (g *Gazetteer) regionOf(outward string) (string, bool) {
	if letters(outward) == "BT" {
		return NorthernIreland, true
	}
	if c, ok := find(g.outcodes, outward); ok {
		return c.region, true
	}
	if g.imported != nil {
		if _, region, ok := g.imported.Lookup(outward); ok {
			return region, true
		}
	}
	return "", false
}

var acrossRE = regexp.MustCompile(`(?i)^\s*(?:across|throughout)\s+(?:all\s+of\s+)?(.+)$`)

// Across returns the regions that an advert names instead of a site: "Across
// Wales" is Wales, "Across England" all nine. It is nil for other text.
func Across(text string) []string {
	m := acrossRE.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	switch strings.TrimPrefix(fold(m[1]), "the ") {
	case "england":
		return slices.Clone(regionNames[:englishRegions])
	case "uk", "united kingdom":
		return Regions()
	}
	if region, ok := Region(m[1]); ok {
		return []string{region}
	}
	return nil
}
