package vacancy

import (
	"regexp"
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

// ParseLocation reads one place as a listing prints it: "Kilburn NW6 4JH",
// "London, NW1 2PG", "Brockworth GL34AW", "Remote LS1 3EX", "Worthing".
func ParseLocation(text string) Location {
	text = strings.Join(strings.Fields(areaText.ReplaceAllString(strings.Join(strings.Fields(text), " "), "")), " ")
	rest, postcode, ok := gazetteer.SplitPostcode(text)
	if !ok {
		rest, postcode = text, ""
	}
	return Location{
		Town:     strings.Trim(rest, " ,"),
		Postcode: postcode,
	}
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
}

// locate fills in what the built-in gazetteer knows of l.
func (l *Location) locate() { l.locateIn(gazetteer.Default()) }

func (l *Location) locateIn(g *gazetteer.Gazetteer) {
	if strings.EqualFold(l.Town, "remote") || strings.EqualFold(l.Site, "remote") {
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
