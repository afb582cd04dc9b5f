package vacancy

import (
	"regexp"
	"slices"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

// A Location is one site where the work is done. A vacancy with several sites
// has several of them. The employer's seat is not one.
type Location struct {
	Site     string `json:"site,omitempty"`
	Town     string `json:"town,omitempty"`
	County   string `json:"county,omitempty"`
	Postcode string `json:"postcode,omitempty"`
	// Lat and Lon are WGS84 degrees; both absent where no step led to a point.
	Lat *float64 `json:"lat,omitempty"`
	Lon *float64 `json:"lon,omitempty"`
	// PointFrom is the step that gave the point: postcode, sector, outcode or town.
	PointFrom string `json:"point_from,omitempty"`
	// Region is an English region or a country of the United Kingdom.
	Region string `json:"region,omitempty"`
	// Remote marks a site that is the worker's home.
	Remote bool `json:"remote,omitempty"`
}

// String is the location in a line: "St Bartholomew's Hospital, London EC1A 7BE".
func (l Location) String() string {
	parts := make([]string, 0, 3)
	for _, p := range []string{l.Site, l.Town} {
		if p != "" && (len(parts) == 0 || parts[len(parts)-1] != p) {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 && l.County != "" {
		parts = append(parts, l.County)
	}
	s := strings.Join(parts, ", ")
	if l.Postcode != "" {
		s = strings.TrimSpace(s + " " + l.Postcode)
	}
	return s
}

// Point returns where the location is, if known.
func (l Location) Point() (gazetteer.Point, bool) {
	if l.Lat == nil || l.Lon == nil {
		return gazetteer.Point{}, false
	}
	return gazetteer.Point{Lat: *l.Lat, Lon: *l.Lon}, true
}

// areaText is a sentence that some adverts put before an area.
var areaText = regexp.MustCompile(`(?i)the area below is where the role is located:?`)

// SplitPlaces divides the place text of a card into one text a site. Sites
// are divided by a comma and a newline; a comma alone belongs to a name
// ("Grimsby, Hull, Scunthorpe and Goole DN33 2BA" is one place). So it must
// be given the text before white space is collapsed.
func SplitPlaces(raw string) []string {
	var out []string
	var part []string
	flush := func() {
		if s := strings.TrimSpace(strings.TrimSuffix(strings.Join(part, " "), ",")); s != "" {
			out = append(out, s)
		}
		part = nil
	}
	for line := range strings.SplitSeq(raw, "\n") {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" {
			continue
		}
		part = append(part, line)
		if strings.HasSuffix(line, ",") {
			flush()
		}
	}
	flush()
	return out
}

// ParsePlaces reads the place text of a card: see SplitPlaces for how sites are
// divided, and gazetteer.Addresses for a text that names several of them. An
// address over several lines, with a comma behind each and the postcode alone
// on the last, is one site.
func ParsePlaces(raw string) []Location {
	var out []Location
	var lines []string // of an address that may go on
	flush := func() {
		for _, l := range lines {
			out = append(out, ParseLocations(l)...)
		}
		lines = nil
	}
	for _, text := range SplitPlaces(raw) {
		_, bare := gazetteer.NormalisePostcode(text)
		switch {
		case bare && len(lines) > 0:
			out = append(out, ParseLocations(strings.Join(append(lines, text), ", "))...)
			lines = nil
		case len(gazetteer.FindPostcodes(text)) > 0:
			flush()
			out = append(out, ParseLocations(text)...)
		default:
			lines = append(lines, text)
		}
	}
	flush()
	return out
}

// ParseLocations reads the places that one text names, see
// gazetteer.Addresses: "Kilburn NW6 4JH", "London, NW1 2PG", "Worthing",
// "Derby DE22 3NE and Burton DE13 0RB".
func ParseLocations(text string) []Location {
	var out []Location
	for _, a := range gazetteer.Addresses(areaText.ReplaceAllString(strings.Join(strings.Fields(text), " "), "")) {
		out = append(out, Location{Town: a.Name, County: a.County, Postcode: a.Postcode})
	}
	return out
}

// ParseLocation reads the one place of a text, the first where it names more.
func ParseLocation(text string) Location {
	if all := ParseLocations(text); len(all) > 0 {
		return all[0]
	}
	return Location{}
}

// Locate finds the places of v anew with a gazetteer that knows more than the
// built-in one, such as whole postcodes. Derive leaves these points alone, and
// Locate those that the source itself gave.
func (v *Vacancy) Locate(g *gazetteer.Gazetteer) {
	for i := range v.Locations {
		l := &v.Locations[i]
		if l.PointFrom != "" {
			l.Lat, l.Lon, l.PointFrom = nil, nil, ""
		}
		l.locateIn(g)
	}
	v.Seat = nil
	v.locateSeat(g)
}

// locateSeat finds the employer's seat where no place of the advert has a
// point. Like a place, one that is known stays as it was found.
func (v *Vacancy) locateSeat(g *gazetteer.Gazetteer) {
	if p, ok := gazetteer.NormalisePostcode(v.EmployerPostcode); ok {
		v.EmployerPostcode = p
	}
	switch {
	case v.EmployerPostcode == "" || slices.ContainsFunc(v.Locations, func(l Location) bool { return l.Lat != nil }):
		v.Seat = nil
	case v.Seat == nil || v.Seat.Postcode != v.EmployerPostcode:
		seat := Location{Postcode: v.EmployerPostcode}
		seat.locateIn(g)
		v.Seat = nil
		if seat.Lat != nil || seat.Region != "" {
			v.Seat = &seat
		}
	}
}

// lastResort is the seat of the employer where it may stand for the places of
// the advert: none of them has a point, and none lies in a region, or on an
// island, where the seat does not. It is nil otherwise.
//
//	no place, "TBC", "Remote"  the seat
//	"Across Wales"             the seat, if it is in Wales
//	"Belfast BT9 7AB"          no seat in England: the place is known, though not its point
func (v *Vacancy) lastResort() *Location {
	if v.Seat == nil {
		return nil
	}
	for i := range v.Locations {
		l := &v.Locations[i]
		if l.Lat != nil || l.Region != "" && l.Region != v.Seat.Region || gazetteer.Offshore(l.Postcode) {
			return nil
		}
		if across := gazetteer.Across(l.Town); across != nil && !slices.Contains(across, v.Seat.Region) {
			return nil
		}
	}
	return v.Seat
}

// outward is the first half of a postcode: as much as a reason need say of an
// employer's address.
func outward(postcode string) string {
	first, _, _ := strings.Cut(postcode, " ")
	return first
}

// locate fills in what the built-in gazetteer knows of l.
func (l *Location) locate() { l.locateIn(gazetteer.Default()) }

// atHome are the texts, folded, of a site that is the worker's home.
var atHome = wordSet(`remote remoteworking remotely fullyremote remoteworker homebased home homeworking workfromhome
	workingfromhome fromhome homeorremoteworking homeorremote remotehomebased remotehomeworking`)

func (l *Location) locateIn(g *gazetteer.Gazetteer) {
	if atHome[fold(l.Town)] || atHome[fold(l.Site)] {
		l.Remote = true
	}
	if p, ok := gazetteer.NormalisePostcode(l.Postcode); ok {
		l.Postcode = p
	}
	if l.Lat == nil {
		place, ok := g.Site(l.Postcode, l.Town)
		if ok && place.HasPoint() {
			lat, lon := place.Point.Lat, place.Point.Lon
			l.Lat, l.Lon, l.PointFrom = &lat, &lon, string(place.Precision)
		}
		if ok && l.Region == "" {
			l.Region = place.Region
		}
	}
	if l.Region == "" {
		if r, ok := g.RegionOf(l.Postcode); ok {
			l.Region = r
		}
	}
}
