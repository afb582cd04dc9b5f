package world

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // London must be known wherever this runs
)

//go:embed towns.tsv
var townsTable string

// A Town is a real town or a district of London.
type Town struct {
	Name, County, Region, Nation string
	Outcode                      string // the outward code at its centre, "LS1"
	Sectors                      string // the digits that follow it in real postcodes
	Lat, Lon                     float64
}

// Towns returns all towns, in the order of their names.
var Towns = sync.OnceValue(func() []Town {
	var towns []Town
	for line := range strings.Lines(townsTable) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		lat, err1 := strconv.ParseFloat(f[6], 64)
		lon, err2 := strconv.ParseFloat(f[7], 64)
		if err1 != nil || err2 != nil {
			// Unreachable: the table is part of the program and tested.
			panic(fmt.Sprintf("towns.tsv: %q", line))
		}
		towns = append(towns, Town{f[0], f[1], f[2], f[3], f[4], f[5], lat, lon})
	}
	return towns
})

// London is the time zone of the whole service.
var London = sync.OnceValue(func() *time.Location {
	loc, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err) // Unreachable: time/tzdata is linked in.
	}
	return loc
})

// townsOf returns the towns of the nations in which NHS Jobs advertises.
func townsOf(nation string) []Town {
	var towns []Town
	for _, t := range Towns() {
		if t.Nation == nation {
			towns = append(towns, t)
		}
	}
	return towns
}

// postcode returns a plausible postcode in the middle of the town: the sector
// is real, the unit is not looked up.
func (t Town) postcode(d *Dice) string {
	const units = "ABDEFGHJLNPQRSTUWXYZ"
	return fmt.Sprintf("%s %c%c%c", t.Outcode, t.Sectors[d.Intn(len(t.Sectors))],
		units[d.Intn(len(units))], units[d.Intn(len(units))])
}

// post returns the town as it stands in an address: districts of London are
// London.
func (t Town) post() (town, county string) {
	if t.Region == "London" && isInner(t.Outcode) {
		return "London", "London"
	}
	return t.Name, t.County
}

// isInner reports whether the outward code has one of London's own letters.
func isInner(outcode string) bool {
	switch Letters(outcode) {
	case "E", "EC", "N", "NW", "SE", "SW", "W", "WC":
		return true
	}
	return false
}

// Letters returns the letters a postcode begins with: its area.
func Letters(postcode string) string {
	if i := strings.IndexAny(postcode, "0123456789"); i >= 0 {
		return postcode[:i]
	}
	return postcode
}

// Miles returns the distance of two points in miles, as the crow flies.
func Miles(lat1, lon1, lat2, lon2 float64) float64 {
	const radius, degree = 3958.8, math.Pi / 180
	x := (lon2 - lon1) * degree * math.Cos((lat1+lat2)/2*degree)
	y := (lat2 - lat1) * degree
	return radius * math.Hypot(x, y) // Flat enough: Britain is small.
}
