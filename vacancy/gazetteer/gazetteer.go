// Package gazetteer turns what adverts and people write about places in the
// United Kingdom into points and regions, and measures how far two points lie
// apart. It knows postcode sectors ("EC1A 7"), outward codes ("NP20"), some
// 360 towns and London districts, and the regions, all built in.
//
// It never asks the network, keeps no person's whole postcode, and does not
// guess: a name that several places share, or none that it knows, is an error
// that says what to write instead.
//
// The built-in tables stop at sectors and hold no point in Northern Ireland,
// whose postcodes (BT) have a licence of their own; these give the region
// alone. [Gazetteer.With] adds whole postcodes that were loaded at run time.
//
// From text to a place, the first step that works:
//
//	"GL3 4AW", "gl34aw"       sector GL3 4; whole only for an advert, with imported postcodes
//	"EC1A 7"                  sector
//	"NP20", "London SE1"      outward code
//	"Leeds", "Newport, Wales" town or London district
//	"BT9 6AY", "Yorkshire"    region, which has no point
package gazetteer

import (
	_ "embed" // for the tables under data
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed data/sectors.tsv
var sectorsTSV string

//go:embed data/outcodes.tsv
var outcodesTSV string

//go:embed data/places.tsv
var placesTSV string

// Postcodes answers for codes that were loaded at run time, such as a full
// ONS Postcode Directory. Lookup is given a postcode, sector or outward code
// in its canonical spelling ("GL3 4AW", "GL3 4", "GL3") and returns its point
// and its region as in [Regions], or false when it does not hold the code. It
// must be safe for concurrent use and must not change its answers.
type Postcodes interface {
	Lookup(code string) (p Point, region string, ok bool)
}

// A Gazetteer holds the tables. It is immutable and safe for concurrent use.
type Gazetteer struct {
	sectors  []code // sorted by text
	outcodes []code // sorted by text
	places   []place
	names    map[string][]int32  // folded name or other spelling, to places
	counties map[string][]int32  // folded county, to the places in it
	areas    map[string]struct{} // letters with which postcodes begin: "LS", "BT"
	imported Postcodes           // nil without an import
}

// A code is a sector or an outward code with its point, in units of 0.0001
// degrees as the tables print them. A sector leaves region empty: its outward
// code has it.
type code struct {
	text     string
	lat, lon int32
	region   string
}

func (c code) point() Point { return Point{Lat: float64(c.lat) / 1e4, Lon: float64(c.lon) / 1e4} }

// A place is a town or a London district. One in Northern Ireland has neither
// an outward code nor a point.
type place struct {
	name      string
	qualifier string // tells it from its namesakes: "Wales"
	outcode   string
	counties  string // "Medway;Kent"
	point     Point
	region    string
	shared    bool // whether another place answers to the name as well
}

var builtIn = sync.OnceValue(func() *Gazetteer {
	g, err := load(sectorsTSV, outcodesTSV, placesTSV)
	if err != nil {
		// Unreachable: the tables are part of the binary and a test loads them.
		panic("gazetteer: " + err.Error())
	}
	return g
})

// Default returns the built-in gazetteer. The first call reads the tables,
// which takes one or two milliseconds and a megabyte.
func Default() *Gazetteer { return builtIn() }

// With returns a copy of g that also asks imported: for the whole postcode of
// an advert's site, and for sectors and outward codes that g does not hold. A
// nil imported takes an earlier one away.
func (g *Gazetteer) With(imported Postcodes) *Gazetteer {
	with := *g
	with.imported = imported
	return &with
}

// load reads the three tables. They are checked, not trusted: a row out of
// order would make a postcode unfindable without any sign.
func load(sectors, outcodes, places string) (*Gazetteer, error) {
	g := &Gazetteer{
		names:    make(map[string][]int32, 700),
		counties: make(map[string][]int32, 200),
		areas:    make(map[string]struct{}, 128),
	}
	var err error
	if g.outcodes, err = readCodes(outcodes, true); err != nil {
		return nil, fmt.Errorf("read outward codes: %w", err)
	}
	if g.sectors, err = readCodes(sectors, false); err != nil {
		return nil, fmt.Errorf("read sectors: %w", err)
	}
	for _, c := range g.outcodes {
		g.areas[letters(c.text)] = struct{}{}
	}
	for _, area := range areasWithoutPoints {
		g.areas[area] = struct{}{}
	}
	if err := g.readPlaces(places); err != nil {
		return nil, fmt.Errorf("read places: %w", err)
	}
	return g, nil
}

// areasWithoutPoints are the areas that exist and are not in the tables:
// Northern Ireland and the islands outside the United Kingdom.
var areasWithoutPoints = [...]string{"BT", "GY", "IM", "JE"}

func readCodes(table string, regions bool) ([]code, error) {
	codes := make([]code, 0, strings.Count(table, "\n"))
	canonical := make(map[string]string, len(regionNames)) // one string a region instead of one a row
	for _, r := range regionNames {
		canonical[r] = r
	}
	for n, line := range rows(table) {
		text, rest, _ := strings.Cut(line, "\t")
		lat, rest, _ := strings.Cut(rest, "\t")
		lon, region, _ := strings.Cut(rest, "\t")
		c := code{text: text, region: canonical[region]}
		var ok1, ok2 bool
		c.lat, ok1 = tenThousandths(lat)
		c.lon, ok2 = tenThousandths(lon)
		switch {
		case !ok1 || !ok2:
			return nil, fmt.Errorf("line %d: %q is not a code with two coordinates", n, line)
		case regions && c.region == "":
			return nil, fmt.Errorf("line %d: %q is not a region", n, region)
		case len(codes) > 0 && codes[len(codes)-1].text >= text:
			return nil, fmt.Errorf("line %d: %q is out of order", n, text)
		}
		codes = append(codes, c)
	}
	return codes, nil
}

func (g *Gazetteer) readPlaces(table string) error {
	for n, line := range rows(table) {
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			return fmt.Errorf("line %d: %d columns, want 4", n, len(f))
		}
		c, ok := find(g.outcodes, f[2])
		if !ok {
			return fmt.Errorf("line %d: %q is not an outward code", n, f[2])
		}
		g.places = append(g.places, place{name: f[0], qualifier: f[1], outcode: f[2], counties: f[3], point: c.point(), region: c.region})
	}
	for _, name := range northernIrishTowns {
		g.places = append(g.places, place{name: name, qualifier: NorthernIreland, region: NorthernIreland})
	}
	byName := make(map[string]int32, len(g.places))
	for i, p := range g.places {
		i := int32(i)
		byName[p.name] = i
		byName[p.name+", "+p.qualifier] = i
		key := fold(p.name)
		g.addName(key, i)
		if short, ok := shortName(key); ok {
			g.addName(short, i)
		}
		for county := range strings.SplitSeq(p.counties, ";") {
			if county != "" {
				g.counties[fold(county)] = append(g.counties[fold(county)], i)
			}
		}
	}
	for spelling, name := range otherNames {
		i, ok := byName[name]
		if !ok {
			return fmt.Errorf("other name %q: no place %q", spelling, name)
		}
		g.addName(spelling, i)
	}
	for i := range g.places {
		g.places[i].shared = len(g.names[fold(g.places[i].name)]) > 1
	}
	return nil
}

func (g *Gazetteer) addName(key string, i int32) {
	if !slices.Contains(g.names[key], i) {
		g.names[key] = append(g.names[key], i)
	}
}

// rows yields the lines of a table that are not comments, with their numbers.
func rows(table string) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		n := 0
		for line := range strings.Lines(table) {
			n++
			line = strings.TrimSuffix(line, "\n")
			if line != "" && line[0] != '#' && !yield(n, line) {
				return
			}
		}
	}
}

// tenThousandths reads a decimal with exactly four places, as all coordinates
// of the tables have; much faster than reading a float and as exact.
func tenThousandths(s string) (int32, bool) {
	digits, negative := strings.CutPrefix(s, "-")
	dot := strings.IndexByte(digits, '.')
	if dot < 1 || dot > 3 || len(digits) != dot+5 {
		return 0, false
	}
	var v int32
	for i := range len(digits) {
		if i == dot {
			continue
		}
		d := digits[i] - '0'
		if d > 9 {
			return 0, false
		}
		v = v*10 + int32(d)
	}
	if negative {
		v = -v
	}
	return v, true
}

func find(codes []code, text string) (code, bool) {
	i, ok := slices.BinarySearchFunc(codes, text, func(c code, text string) int { return strings.Compare(c.text, text) })
	if !ok {
		return code{}, false
	}
	return codes[i], true
}
