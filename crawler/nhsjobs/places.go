package nhsjobs

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

// placeRE matches the ids of a place of work: employer_town for the first
// site, employer_town_1 and so on for further ones. The employer's seat has
// letters behind the name, employer_town_c, and is no place of work.
var placeRE = regexp.MustCompile(`^employer_(address_line_\d|town|county|postcode)(?:_(\d{1,2}))?$`)

// places reads the places of work: by ids, else from the lines under their
// heading.
func (o *outline) places() []vacancy.Location {
	var out []vacancy.Location
	var suffixes []string
	for _, id := range o.ids {
		m := placeRE.FindStringSubmatch(id)
		if m == nil {
			continue
		}
		i := slices.Index(suffixes, m[2])
		if i < 0 {
			i = len(out)
			suffixes, out = append(suffixes, m[2]), append(out, vacancy.Location{})
		}
		text := strike(textOf(o.byID[id]))
		if text == "" {
			continue
		}
		switch l := &out[i]; m[1] {
		case "town":
			l.Town = text
		case "county":
			l.County = text
		case "postcode":
			l.Postcode = postcode(text)
		default:
			l.Site = join(l.Site, text)
		}
	}
	out = slices.DeleteFunc(out, func(l vacancy.Location) bool { return l == vacancy.Location{} })
	if len(out) > 0 {
		return townsIn(out)
	}
	if i := o.under("job locations", "job location"); i >= 0 {
		return townsIn(placesIn(o.lines(i)))
	}
	return nil
}

// townsIn divides the places whose town names further ones, each with its
// postcode: some employers have written a list into the field.
func townsIn(places []vacancy.Location) []vacancy.Location {
	var out []vacancy.Location
	for _, l := range places {
		if len(gazetteer.FindPostcodes(l.Town)) == 0 {
			out = append(out, l)
			continue
		}
		several := vacancy.ParseLocations(l.Town + " " + l.Postcode)
		several[0].Site, several[0].County = l.Site, cmp.Or(several[0].County, l.County)
		out = append(out, several...)
	}
	return out
}

// seatRE matches the id of the postcode of the employer's seat.
var seatRE = regexp.MustCompile(`^employer_postcode_[a-z]$`)

// seat reads the postcode of the employer's registered address: by its id,
// else from the lines under Address among the employer's details; an address
// elsewhere may be somebody's. Street and town are left on the page, and what
// is no postcode is as well.
func (o *outline) seat() string {
	for _, id := range o.ids {
		if seatRE.MatchString(id) {
			if code, ok := gazetteer.NormalisePostcode(textOf(o.byID[id])); ok {
				return code
			}
		}
	}
	details, here := false, false
	for _, it := range o.items {
		switch {
		case it.cuts():
			switch label(it.text) {
			case "employer details":
				details, here = true, false
			case "address":
				here = details
			case "employer name":
				here = false
			default:
				details, here = false, false
			}
		case here:
			if codes := gazetteer.FindPostcodes(it.text); len(codes) == 1 {
				return codes[0]
			}
		}
	}
	return ""
}

// placesIn reads addresses, one line after the other: the site in one to
// three lines, town, county, postcode, country. The county may be an empty
// line. A postcode or a gap ends an address.
func placesIn(items []item) []vacancy.Location {
	var out []vacancy.Location
	var lines []string
	flush := func(code string) {
		if l, ok := address(lines, code); ok {
			out = append(out, l)
		}
		lines = nil
	}
	for _, it := range items {
		text := strike(it.text)
		rest, code, ok := gazetteer.SplitPostcode(text)
		switch {
		case it.kind == isGap:
			flush("")
		case isCountry(text) && len(lines) == 0: // what follows a postcode
		case !ok:
			lines = append(lines, text)
		default:
			if rest = strings.Trim(rest, " ,"); rest != "" {
				lines = append(lines, rest)
			}
			flush(code)
		}
	}
	flush("")
	return out
}

// address tells the lines above a postcode apart.
func address(lines []string, code string) (vacancy.Location, bool) {
	l := vacancy.Location{Postcode: code}
	if n := len(lines); n > 0 && isCountry(lines[n-1]) {
		lines = lines[:n-1]
	}
	// With three lines the last is the county, be it an empty one; with two
	// it can be told only where it is empty.
	n := len(lines)
	if n > 0 && (n >= 3 || lines[n-1] == "") {
		l.County, lines = lines[n-1], lines[:n-1]
	}
	if n := len(lines); n > 0 {
		l.Town, lines = lines[n-1], lines[:n-1]
	}
	for _, s := range lines {
		l.Site = join(l.Site, s)
	}
	return l, l != vacancy.Location{}
}

// postcode brings a printed postcode into its usual form, or leaves it.
func postcode(s string) string {
	if p, ok := gazetteer.NormalisePostcode(s); ok {
		return p
	}
	return s
}

func isCountry(s string) bool {
	switch strings.ToLower(s) {
	case "united kingdom", "uk", "great britain", "england", "scotland", "wales", "northern ireland":
		return true
	}
	return false
}

// join joins two parts of an address.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}
