package gazetteer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Precision says what a [Place]'s point stands for, and so how far the real
// one may lie from it.
type Precision string

// From fine to coarse. The distances are the median and the ninetieth
// percentile over all postcodes, in miles.
const (
	ByPostcode Precision = "postcode" // imported data only
	BySector   Precision = "sector"   // 0.4, 2.0
	ByOutcode  Precision = "outcode"  // 0.8, 3.5
	ByTown     Precision = "town"     // the centre of its central outward code
	ByRegion   Precision = "region"   // no point at all
)

// A Place is what a text about a place was taken to mean.
type Place struct {
	// Name is the place in words, to be shown and to be stored: [Locate]
	// brings it back to the same place. "Leeds", "Newport, Wales (NP20)",
	// "E1 6"; only an advert's site may be named by a whole postcode.
	Name string
	// Point is zero if Precision is ByRegion.
	Point     Point
	Precision Precision
	// Region is one of [Regions]: for a code, that in which most of its
	// outward code lies.
	Region string
}

// HasPoint reports whether a distance to p can be taken. A place without one
// is a region, and can only be looked for as a whole.
func (p Place) HasPoint() bool { return !p.Point.IsZero() }

// An AmbiguousError says that several places have the name.
type AmbiguousError struct {
	Text    string   // what was asked for
	Options []string // what to write instead; Locate takes each
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%s could be %s; write one of these, or a postcode", quote(e.Text), either(e.Options))
}

// An UnknownError says that a text is no place of the gazetteer. Its message
// is for whoever wrote the text. A text with digits may hold an address or a
// postcode and is therefore not repeated in it.
type UnknownError struct {
	Text   string   // what was asked for; may be personal, keep it out of logs
	Reason string   // goes on from the text: "is not a place we know"
	Near   []string // what may have been meant, best first; Locate takes each
}

func (e *UnknownError) Error() string {
	s := quote(e.Text) + " " + e.Reason
	if len(e.Near) > 0 {
		s += "; did you mean " + either(e.Near) + "? A postcode always works"
	}
	return s
}

// quote returns a text for a message: short, without control characters, and
// without what may be somebody's address.
func quote(text string) string {
	const longest = 40 // characters
	r := []rune(text)
	switch {
	case strings.TrimSpace(text) == "":
		return "an empty text"
	case strings.ContainsAny(text, "0123456789"):
		return "this text"
	case len(r) > longest:
		text = string(r[:longest]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

// either joins names as in "A, B or C", with "or" alone if one of them has a
// comma of its own.
func either(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	comma := ", "
	if slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, ",") }) {
		comma = " or "
	}
	last := len(names) - 1
	return strings.Join(names[:last], comma) + " or " + names[last]
}

// Locate turns what a person typed into a place: a postcode, sector or outward
// code with any spacing, alone or at the end of an address; a town or London
// district, qualified by region or county where several share the name; or a
// region, which has no point. A whole postcode is reduced to its sector.
//
// A postcode or town of Northern Ireland gives that region, without a point.
// The error is an [*AmbiguousError] or an [*UnknownError].
func Locate(text string) (Place, error) { return Default().Locate(text) }

// Locate is [Locate] with the tables of g.
func (g *Gazetteer) Locate(text string) (Place, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Place{}, &UnknownError{Reason: "names no place; write a town, a London district or the beginning of a postcode"}
	}
	if p, ok := g.parse(text); ok {
		return g.locateCode(text, p)
	}
	if _, code, ok := g.splitPostcode(text); ok {
		if p, ok := g.parse(code); ok {
			return g.locateCode(text, p)
		}
	}
	place, options := g.named(text)
	switch {
	case len(options) > 0:
		return Place{}, &AmbiguousError{Text: text, Options: options}
	case place.Name != "":
		return place, nil
	}
	return Place{}, g.unknown(text)
}

func (g *Gazetteer) locateCode(text string, p postcode) (Place, error) {
	p.unit = "" // A person's postcode is kept nowhere.
	if place, ok := g.site(p); ok {
		return place, nil
	}
	reason := "has a postcode of the Channel Islands or the Isle of Man, where we know no places; name one in the United Kingdom"
	if g.hasPoints(p.outward) {
		reason = "has a postcode whose first half, " + p.outward + ", is not one we know; check it, or name the nearest town"
	}
	return Place{}, &UnknownError{Text: text, Reason: reason}
}

// unknown explains why a text is no place.
func (g *Gazetteer) unknown(text string) *UnknownError {
	key := strings.TrimPrefix(fold(text), "the ")
	if county, ok := countySpellings[key]; ok {
		key = county
	}
	if in := g.counties[key]; in != nil {
		return &UnknownError{Text: text, Reason: "is a county, too wide for a distance; " + g.insteadOf(in)}
	}
	const reason = "is not a place we know"
	if near := g.near(key); near != nil {
		return &UnknownError{Text: text, Reason: reason, Near: near}
	}
	// A name that we know, with a county in which it does not lie.
	for i := strings.LastIndexByte(key, ' '); i > 0 && len(key) <= longestName; i = strings.LastIndexByte(key[:i], ' ') {
		if same := g.names[key[:i]]; same != nil {
			e := &UnknownError{Text: text, Reason: reason}
			for _, i := range same {
				e.Near = append(e.Near, g.places[i].name+", "+g.places[i].qualifier)
			}
			return e
		}
	}
	advice := "; name a larger town nearby, or write a postcode"
	if strings.ContainsAny(text, "0123456789") {
		advice = "; check the postcode, or name a larger town nearby"
	}
	return &UnknownError{Text: text, Reason: reason + advice}
}

// insteadOf advises what to choose instead of the county that these places
// share. London has taken parts of several counties: its districts are named
// only if there is nothing else.
func (g *Gazetteer) insteadOf(places []int32) string {
	outside := slices.DeleteFunc(slices.Clone(places), func(i int32) bool { return g.places[i].region == "London" })
	if len(outside) > 0 {
		places = outside
	}
	return "choose the region " + g.places[places[0]].region +
		", or name a town such as " + either(g.optionsOf(places[:min(len(places), mostNear)]))
}

func (g *Gazetteer) optionsOf(places []int32) []string {
	var options []string
	for _, i := range places {
		options = append(options, g.places[i].option())
	}
	slices.Sort(options)
	return options
}

// Site returns the place of an advert's site from its postcode and town, as
// the advert prints them; either may be empty. The finest step that works
// counts and is the place's Precision: the whole postcode if postcodes were
// imported, its sector, its outward code, the town. A postcode at the end of
// the town is found there. A site in Northern Ireland has only its region.
//
// It is false if nothing is known of the site. A town whose name several
// places share is not guessed at.
func Site(postcode, town string) (Place, bool) { return Default().Site(postcode, town) }

// Site is [Site] with the tables of g.
func (g *Gazetteer) Site(postcode, town string) (Place, bool) {
	code, ok := g.parse(postcode)
	if !ok {
		if rest, found, split := g.splitPostcode(town); split {
			town = rest
			code, ok = g.parse(found)
		}
	}
	if ok {
		if p, known := g.site(code); known {
			return p, true
		}
		if !g.hasPoints(code.outward) {
			return Place{}, false // An island's Newport is not that of Wales.
		}
	}
	p, options := g.named(town)
	return p, len(options) == 0 && p.Name != ""
}

// site returns the place of a code by the finest part of it that is known.
func (g *Gazetteer) site(p postcode) (Place, bool) {
	if p.unit != "" && g.imported != nil {
		if point, region, ok := g.imported.Lookup(p.String()); ok {
			return Place{Name: p.String(), Point: point, Precision: ByPostcode, Region: region}, true
		}
	}
	p.unit = ""
	if p.sector != "" {
		if point, region, ok := g.lookup(p.String()); ok {
			return Place{Name: p.String(), Point: point, Precision: BySector, Region: region}, true
		}
	}
	if point, region, ok := g.lookup(p.outward); ok {
		return Place{Name: p.outward, Point: point, Precision: ByOutcode, Region: region}, true
	}
	if letters(p.outward) == "BT" {
		return regionPlace(NorthernIreland), true
	}
	return Place{}, false
}

func regionPlace(region string) Place {
	name := region
	if name == "London" {
		name = "London region" // London alone is the middle of the town.
	}
	return Place{Name: name, Precision: ByRegion, Region: region}
}

// place returns the town in words: with its region and outward code if other
// places share the name.
func (p *place) place() Place {
	if p.outcode == "" {
		return regionPlace(p.region)
	}
	name := p.name
	if p.shared {
		name = p.option() + " (" + p.outcode + ")"
	}
	return Place{Name: name, Point: p.point, Precision: ByTown, Region: p.region}
}

// option returns the shortest form in which the place can be asked for.
func (p *place) option() string {
	if p.shared {
		return p.name + ", " + p.qualifier
	}
	return p.name
}

// named finds the place that a text without a postcode names. It returns the
// options instead when there are several, and neither when there is none.
func (g *Gazetteer) named(text string) (Place, []string) {
	key := fold(text)
	found := g.candidates(key)
	if found == nil {
		if p, ok := g.withOutcode(text); ok {
			return p, nil
		}
		if region, ok := Region(text); ok {
			return regionPlace(region), nil
		}
		// "Victoria Road, Macclesfield": the last part says the town. The first
		// part says nothing, for "Perth, Australia" is not Perth.
		if i := strings.LastIndexByte(text, ','); i >= 0 {
			found = g.candidates(fold(text[i+1:]))
		}
	}
	switch len(found) {
	case 0:
		return Place{}, nil
	case 1:
		return g.places[found[0]].place(), nil
	}
	return Place{}, g.optionsOf(found)
}

// withOutcode reads a town followed by an outward code of its region: "London
// SE1", which is a finer place, and "Newport, Wales (NP20)", which is the town
// in its own words. "Leeds B5" is neither.
func (g *Gazetteer) withOutcode(text string) (Place, bool) {
	before, last := lastWord(trimSite(text))
	code, ok := g.parse(last)
	if !ok || code.sector != "" {
		return Place{}, false
	}
	p, ok := g.site(code)
	if !ok {
		return Place{}, false
	}
	same := false
	for _, i := range g.candidates(fold(before)) {
		if g.places[i].outcode == code.outward && g.places[i].shared {
			return g.places[i].place(), true
		}
		same = same || g.places[i].region == p.Region
	}
	return p, same
}

var alternativesRE = regexp.MustCompile(`(?i)\s*/\s*|\s+or\s+`)

// NamedPlaces returns the further sites that an advert names in one text:
// "Swansea or Cwmbran NP44 7HF" names Swansea and Cwmbran, and "Cardiff /
// Talbot Green" names Cardiff, for Talbot Green is not in the gazetteer. Names
// are parted by "/" and "or", and each must stand whole in the gazetteer. One
// that several places share is taken for that in the region of the postcode,
// or else of the other names, and left out if that does not decide.
//
// The names are those of [Place], in the order of the text. A text that does
// not offer alternatives names no further site.
func NamedPlaces(text string) []string { return Default().NamedPlaces(text) }

// NamedPlaces is [NamedPlaces] with the tables of g.
func (g *Gazetteer) NamedPlaces(text string) []string {
	rest, code, _ := g.splitPostcode(text)
	parts := alternativesRE.Split(rest, -1)
	if len(parts) < 2 {
		return nil
	}
	found := make([][]int32, len(parts))
	for i, part := range parts {
		found[i] = g.candidates(fold(part))
	}
	var regions []string
	if p, ok := g.parse(code); ok {
		if region, ok := g.regionOf(p.outward); ok {
			regions = []string{region}
		}
	}
	if regions == nil {
		for _, same := range found {
			if len(same) == 1 {
				regions = append(regions, g.places[same[0]].region)
			}
		}
	}
	var names []string
	for _, same := range found {
		if len(same) > 1 {
			same = slices.DeleteFunc(slices.Clone(same), func(i int32) bool {
				return !slices.Contains(regions, g.places[i].region)
			})
		}
		if len(same) != 1 || g.places[same[0]].outcode == "" {
			continue
		}
		if name := g.places[same[0]].place().Name; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
