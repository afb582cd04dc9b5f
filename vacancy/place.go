package vacancy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

// A Place is what a search calls near: a point with a radius, a region or
// another area as a whole, or work from home alone.
type Place struct {
	Name string `json:"name"` // in words, for people: "E1 6"
	// Lat and Lon are the centre, WGS84; Miles the radius as the crow flies.
	Lat   float64 `json:"lat,omitempty"`
	Lon   float64 `json:"lon,omitempty"`
	Miles int     `json:"miles,omitempty"`
	// Region is set instead for a whole region or country, as in
	// gazetteer.Regions.
	Region string `json:"region,omitempty"`
	// Area is set instead for another area: a county, a council area, an NHS
	// region or England, named as by gazetteer.FindArea.
	Area string `json:"area,omitempty"`
	// Remote lets work from home pass wherever the employer sits. A place
	// that has nothing else asks for work from home alone.
	Remote bool `json:"remote,omitempty"`
}

// DefaultMiles is the radius of a place for which none is given.
const DefaultMiles = 10

// maxMiles is the widest radius; beyond it a region says better what is meant.
const maxMiles = 100

// fromHome is the name of the place that asks for work from home alone.
const fromHome = "Remote"

// NewPlace reads a place as a person names it, with a radius in whole miles
// (0 means DefaultMiles): a postcode or its beginning, a town, a region, a
// county, an NHS region, England, or "remote". A full postcode is kept as its
// sector only. An area is taken as a whole, and a radius about it is dropped.
func NewPlace(near string, miles int) (Place, error) {
	if miles == 0 {
		miles = DefaultMiles
	}
	if miles < 1 || miles > maxMiles {
		return Place{}, fmt.Errorf("%d miles: give a radius from 1 to %d miles", miles, maxMiles)
	}
	switch fold(near) {
	case "remote", "home", "fromhome", "workfromhome", "workingfromhome", "homeworking":
		return Place{Name: fromHome, Remote: true}, nil
	}
	p, err := gazetteer.Locate(near)
	if err != nil {
		if area, ok := gazetteer.FindArea(near); ok {
			return Place{Name: area.Name, Area: area.Name}, nil
		}
		return Place{}, err
	}
	if !p.HasPoint() {
		return Place{Name: p.Name, Region: p.Region}, nil
	}
	return Place{Name: p.Name, Lat: p.Point.Lat, Lon: p.Point.Lon, Miles: miles}, nil
}

// centre is the point of a place with a radius; the zero Point for others.
func (p *Place) centre() gazetteer.Point { return gazetteer.Point{Lat: p.Lat, Lon: p.Lon} }

// whole reports whether the place is an area and not a circle.
func (p *Place) whole() bool { return p.Region != "" || p.Area != "" }

// Regions returns the regions that the place lies in or touches, for whoever
// files searches by region; nil for a circle and for work from home.
func (p *Place) Regions() []string {
	if p.Region != "" {
		return []string{p.Region}
	}
	if a, ok := gazetteer.FindArea(p.Area); p.Area != "" && ok {
		return a.Regions()
	}
	return nil
}

func (p *Place) describe() string {
	var s string
	switch {
	case p.whole():
		s = "in " + p.areaName()
	case p.centre().IsZero():
		return "work from home"
	default:
		s = "within " + count(p.Miles, "mile") + " of " + p.Name
	}
	if p.Remote {
		s += " or from home"
	}
	return s
}

func (p *Place) areaName() string {
	if p.Area != "" {
		return p.Area
	}
	return p.Region
}

// prepare checks a place and brings it into its known spelling.
func (p *Place) prepare() error {
	p.Name = strings.TrimSpace(p.Name)
	kinds := 0
	for _, set := range []bool{!p.centre().IsZero(), p.Region != "", p.Area != ""} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds > 1:
		return fmt.Errorf("place %q: give either a point with miles, a region or an area", p.Name)
	case kinds == 0 && !p.Remote:
		return fmt.Errorf("place %q: name a town, the beginning of a postcode, a county or a region", p.Name)
	case kinds == 0 && p.Miles != 0:
		return fmt.Errorf("place %q: %s, but from where? Name a town or the beginning of a postcode", p.Name, count(p.Miles, "mile"))
	case kinds == 0:
		p.Name = fromHome
	case p.Region != "":
		region, ok := gazetteer.Region(p.Region)
		if !ok {
			return fmt.Errorf("region %q is unknown: use one of %s", p.Region, strings.Join(gazetteer.Regions(), ", "))
		}
		p.Region, p.Miles = region, 0
	case p.Area != "":
		area, ok := gazetteer.FindArea(p.Area)
		if !ok {
			return fmt.Errorf("area %q is unknown: name a county, an NHS region or England", p.Area)
		}
		p.Area, p.Miles = area.Name, 0
	default:
		if p.Miles == 0 {
			p.Miles = DefaultMiles
		}
		if p.Miles < 1 || p.Miles > maxMiles {
			return fmt.Errorf("place %q: %d miles: give a radius from 1 to %d miles", p.Name, p.Miles, maxMiles)
		}
		// Not a number compares with nothing, and so fails here too.
		if !(p.Lat > 49 && p.Lat < 61.5 && p.Lon > -9 && p.Lon < 2.5) {
			return fmt.Errorf("place %q does not lie in the United Kingdom", p.Name)
		}
	}
	if p.Name == "" {
		p.Name = p.areaName()
	}
	if p.Name == "" {
		return fmt.Errorf("a place has no name: write in words where it is")
	}
	// Where somebody lives is nobody's business: the sector will do.
	if rest, code, ok := gazetteer.SplitPostcode(p.Name); ok && strings.Contains(code, " ") {
		if at, err := gazetteer.Locate(code); err == nil {
			p.Name = strings.TrimSpace(rest + " " + at.Name)
		}
	}
	return nil
}

// mergePlaces leaves one of several equal places, the widest.
func mergePlaces(in []Place) []Place {
	var out []Place
next:
	for _, p := range in {
		for i := range out {
			o := &out[i]
			if o.Region == p.Region && o.Area == p.Area && o.centre() == p.centre() {
				o.Miles, o.Remote = max(o.Miles, p.Miles), o.Remote || p.Remote
				continue next
			}
		}
		out = append(out, p)
	}
	return out
}

// A fit is how the sites of a vacancy lie to the places of a search.
type fit struct {
	home   bool      // a site is the worker's home, and that is wanted
	area   *Place    // an area that a site lies in
	areaAt *Location // the site
	in     distance  // the nearest inside its radius
	off    distance  // the least far outside
	known  bool      // something could be compared
	remote bool      // a site is the worker's home, wanted or not
	seat   bool      // area or in is that of the employer's seat, for want of a place
	seatAt distance  // how far that seat lies outside
}

// A distance is how far a site lies from the centre of a place.
type distance struct {
	metres2 int64
	place   *Place // nil: there is none
	at      *Location
	named   string // a further site that the text of the place names
}

func (d *distance) miles() float64 { return gazetteer.MilesOf(d.metres2) }

// over is by how much the site lies outside the circle.
func (d *distance) over() float64 { return d.miles() - float64(d.place.Miles) }

// where names the site.
func (d *distance) where() string {
	if d.named != "" {
		return d.named + ", named in " + d.at.String()
	}
	return d.at.String()
}

// fitPlaces compares every site with every place, and the employer's seat with
// every place of which the sites tell nothing.
func fitPlaces(places []Place, v *Vacancy) fit {
	var f fit
	for i := range v.Locations {
		l := &v.Locations[i]
		f.remote = f.remote || l.Remote
		at, hasPoint := l.Point()
		for k := range places {
			p := &places[k]
			if p.Remote && l.Remote {
				f.home = true
			}
			switch {
			case p.whole():
				in, known := p.holds(l)
				f.known = f.known || known
				if in && f.area == nil {
					f.area, f.areaAt = p, l
				}
			case p.centre().IsZero():
				// Only work from home: where a site lies decides, if it is said.
				f.known = f.known || l.Remote || hasPoint || l.Region != ""
			default:
				if hasPoint {
					f.add(distance{gazetteer.Metres2(p.centre(), at), p, l, ""})
				}
				for _, n := range l.named() {
					f.add(distance{gazetteer.Metres2(p.centre(), n.Point), p, l, n.Name})
				}
			}
		}
	}
	f.addSeat(places, v)
	return f
}

// addSeat lets the employer's seat stand for the places that the advert does
// not name. It only ever lets a vacancy in: where the seat lies elsewhere, the
// place of work is still not known.
func (f *fit) addSeat(places []Place, v *Vacancy) {
	seat := v.lastResort()
	if seat == nil || f.home || f.area != nil || f.in.place != nil {
		return
	}
	at, hasPoint := seat.Point()
	var from fit
	for k := range places {
		p := &places[k]
		switch {
		case p.whole():
			told := slices.ContainsFunc(v.Locations, func(l Location) bool { _, known := p.holds(&l); return known })
			if in, _ := p.holds(seat); in && !told && from.area == nil {
				from.area, from.areaAt = p, seat
			}
		case !p.centre().IsZero() && hasPoint && !slices.ContainsFunc(v.Locations, func(l Location) bool { return len(l.named()) > 0 }):
			from.add(distance{gazetteer.Metres2(p.centre(), at), p, seat, ""})
		}
	}
	f.area, f.areaAt, f.in, f.seatAt = from.area, from.areaAt, from.in, from.off
	f.seat = f.area != nil || f.in.place != nil
}

// add takes in a distance from the centre of a circle.
func (f *fit) add(d distance) {
	f.known = true
	r := gazetteer.Radius(d.place.Miles)
	switch {
	case d.metres2 <= r*r:
		if f.in.place == nil || d.metres2 < f.in.metres2 {
			f.in = d
		}
	case f.off.place == nil || d.over() < f.off.over():
		f.off = d
	}
}

// named returns the further sites that the text of a place offers: "Swansea or
// Cwmbran NP44 7HF" is two.
func (l *Location) named() []gazetteer.Place {
	if !strings.ContainsRune(l.Town, '/') && !strings.Contains(l.Town, " or ") {
		return nil
	}
	var out []gazetteer.Place
	for _, name := range gazetteer.NamedPlaces(l.Town + " " + l.Postcode) {
		if at, err := gazetteer.Locate(name); err == nil && at.HasPoint() {
			out = append(out, at)
		}
	}
	return out
}

// holds reports whether a site lies in the region or area of p, and whether
// that can be told. An advert "Across Wales" lies in Wales, wherever its
// employer sits.
func (p *Place) holds(l *Location) (in, known bool) {
	across := gazetteer.Across(l.Town)
	if across == nil {
		if p.Area == "" {
			return l.Region == p.Region, l.Region != ""
		}
		area, _ := gazetteer.FindArea(p.Area)
		return area.Holds(l.Postcode, l.Region, l.County, l.Town)
	}
	for _, region := range across {
		if region == p.Region {
			return true, true
		}
		if p.Area != "" {
			area, _ := gazetteer.FindArea(p.Area)
			if in, _ := area.Holds("", region, "", ""); in {
				return true, true
			}
		}
	}
	return false, true
}
