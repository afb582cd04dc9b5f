package vacancy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

func TestSplitPlaces(t *testing.T) {
	tests := []struct {
		name, raw string
		want      []string
	}{
		{"one", "\n            \n              Kilburn NW6 4JH\n            \n          ", []string{"Kilburn NW6 4JH"}},
		{"three", "\n  \n    Chichester PO19 1XP, \n  \n    CRAWLEY RH10 8GN, \n  \n    Worthing BN11 1UG\n  ",
			[]string{"Chichester PO19 1XP", "CRAWLEY RH10 8GN", "Worthing BN11 1UG"}},
		{"carriage returns", "Chichester PO19 1XP,\r\nCRAWLEY RH10 8GN\r\n", []string{"Chichester PO19 1XP", "CRAWLEY RH10 8GN"}},
		{"commas in a name", "\n  Grimsby, Hull, Scunthorpe and Goole DN33 2BA\n", []string{"Grimsby, Hull, Scunthorpe and Goole DN33 2BA"}},
		{"commas in names", "Liverpool, Merseyside L11 4SJ,\nNottinghamshire, NG17 4JL",
			[]string{"Liverpool, Merseyside L11 4SJ", "Nottinghamshire, NG17 4JL"}},
		{"a name over two lines", "Cambridge Bio\n  Medical Campus CB2 0AY", []string{"Cambridge Bio Medical Campus CB2 0AY"}},
		{"nothing", " \n ", nil},
		{"only commas", ",\n,\n", nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, SplitPlaces(tt.raw)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestParseLocation(t *testing.T) {
	tests := []struct{ text, town, postcode string }{
		{"Kilburn NW6 4JH", "Kilburn", "NW6 4JH"},
		{"London, NW1 2PG", "London", "NW1 2PG"},
		{"Brockworth GL34AW", "Brockworth", "GL3 4AW"},
		{"Nottinghamshire, NG17 4JL", "Nottinghamshire", "NG17 4JL"},
		{"Grimsby, Hull, Scunthorpe and Goole DN33 2BA", "Grimsby, Hull, Scunthorpe and Goole", "DN33 2BA"},
		{"Cardiff / Talbot Green / Parc Nantgarw CF15 7QZ", "Cardiff / Talbot Green / Parc Nantgarw", "CF15 7QZ"},
		{"Victoria Road, Macclesfield SK10 3BL", "Victoria Road, Macclesfield", "SK10 3BL"},
		{"317 01 Freeman Hospital, Newcastle upon Tyne, NE7 7DN", "317 01 Freeman Hospital, Newcastle upon Tyne", "NE7 7DN"},
		{"Across Wales NP44 7HF", "Across Wales", "NP44 7HF"},
		{"Remote LS1 3EX", "Remote", "LS1 3EX"},
		{"TBC SA31 3BT", "TBC", "SA31 3BT"},
		{"The area below is where the role is located: ST13 7AA", "", "ST13 7AA"},
		{"THE AREA BELOW IS WHERE THE ROLE IS LOCATED: Leek ST13 7AA", "Leek", "ST13 7AA"},
		{"Worthing", "Worthing", ""},
		{"", "", ""},
		// A shift of columns in a scraper: no postcode, though it looks like one.
		{"Enterprise Application Specialist - B5", "Enterprise Application Specialist - B5", ""},
		// Longer in lower case than as printed.
		{"İİİ The area below is where the role is located: Leek", "İİİ Leek", ""},
	}
	for _, tt := range tests {
		got := ParseLocation(tt.text)
		if diff := cmp.Diff(Location{Town: tt.town, Postcode: tt.postcode}, got); diff != "" {
			t.Errorf("ParseLocation(%q) (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestParsePlaces(t *testing.T) {
	for _, tt := range []struct {
		name, raw string
		want      []string
	}{
		{"one site", "\n   Kilburn NW6 4JH\n ", []string{"Kilburn NW6 4JH"}},
		{"three sites", "Chichester PO19 1XP, \n CRAWLEY RH10 8GN, \n Worthing BN11 1UG", []string{"Chichester PO19 1XP", "CRAWLEY RH10 8GN", "Worthing BN11 1UG"}},
		{"lines without commas", "Chichester PO19 1XP\nCrawley RH10 8GN\nWorthing BN11 1UG", []string{"Chichester PO19 1XP", "Crawley RH10 8GN", "Worthing BN11 1UG"}},
		{"two in one", "Derby DE22 3NE and Burton DE13 0RB,\nLeek ST13 7AA", []string{"Derby DE22 3NE", "Burton DE13 0RB", "Leek ST13 7AA"}},
		{"an address over lines", "Anchor Hospital\nMill Road\nMaidstone\nME14 1XX", []string{"Anchor Hospital Mill Road Maidstone ME14 1XX"}},
		{"with commas", "Anchor Hospital,\nMill Road,\nMaidstone,\nME14 1XX", []string{"Anchor Hospital, Mill Road, Maidstone ME14 1XX"}},
		{"behind another site", "Leek ST13 7AA,\nMill Road,\nMaidstone,\nME14 1XX", []string{"Leek ST13 7AA", "Mill Road, Maidstone ME14 1XX"}},
		{"an area is a site of its own", "Worthing,\nThe area below is where the role is located: ST13 7AA", []string{"Worthing", "ST13 7AA"}},
		{"names without postcodes", "Worthing,\nCrawley", []string{"Worthing", "Crawley"}},
		{"nothing", " \n,\n", nil},
	} {
		var got []string
		for _, l := range ParsePlaces(tt.raw) {
			got = append(got, l.String())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestAtHome(t *testing.T) {
	for text, want := range map[string]bool{
		"Remote": true, "Home based": true, "Home-based": true, "HOMEWORKING": true, "Remote LS1 3EX": true, "Working from home": true,
		"TBC": false, "Leeds": false, "Care home, Leeds": false, "Remote and Rural Health": false, "": false,
	} {
		v := Vacancy{Locations: []Location{ParseLocation(text)}}
		v.Derive()
		if got := v.Locations[0].Remote; got != want {
			t.Errorf("%q is work from home: %t, want %t", text, got, want)
		}
	}
}

func TestLocationString(t *testing.T) {
	tests := []struct {
		place Location
		want  string
	}{
		{Location{Site: "St Bartholomew's Hospital", Town: "London", County: "London", Postcode: "EC1A 7BE"}, "St Bartholomew's Hospital, London EC1A 7BE"},
		{Location{Town: "Worthing"}, "Worthing"},
		{Location{Site: "Leeds", Town: "Leeds"}, "Leeds"},
		{Location{County: "Kent", Postcode: "DA11 0DG"}, "Kent DA11 0DG"},
		{Location{Postcode: "ST13 7AA"}, "ST13 7AA"},
		{Location{}, ""},
	}
	for _, tt := range tests {
		if got := tt.place.String(); got != tt.want {
			t.Errorf("%+v prints %q, want %q", tt.place, got, tt.want)
		}
	}
}

func FuzzSplitPlaces(f *testing.F) {
	f.Add("Chichester PO19 1XP, \n CRAWLEY RH10 8GN, \n Worthing BN11 1UG")
	f.Add("The area below is where the role is located: ST13 7AA")
	f.Add("Brockworth GL34AW")
	f.Add("İ,\n,,\n")
	f.Fuzz(func(t *testing.T, raw string) {
		for _, l := range ParsePlaces(raw) {
			if l == (Location{}) {
				t.Fatalf("ParsePlaces(%q) has an empty place", raw)
			}
		}
		for _, place := range SplitPlaces(raw) {
			if place != strings.Join(strings.Fields(place), " ") || place == "" {
				t.Fatalf("SplitPlaces(%q) has %q", raw, place)
			}
			l := ParseLocation(place)
			if l.Town != strings.TrimSpace(l.Town) || strings.Contains(l.Postcode, "  ") {
				t.Fatalf("ParseLocation(%q) = %+v", place, l)
			}
			if l.Postcode != "" {
				if again := ParseLocation(l.Town + " " + l.Postcode); again.Postcode != l.Postcode {
					t.Fatalf("ParseLocation(%q) = %+v, whose form gives %+v", place, l, again)
				}
			}
		}
	})
}

// whole is one imported postcode.
type whole struct{}

func (whole) Lookup(code string) (gazetteer.Point, string, bool) {
	return gazetteer.Point{Lat: 53.7, Lon: -1.5}, "Yorkshire and The Humber", code == "LS1 3EX"
}

func TestLocateWithPostcodes(t *testing.T) {
	lat, lon := 51.0, -1.0
	v := Vacancy{Locations: []Location{
		{Postcode: "ls13ex"},
		{Postcode: "BD1 1AA"},
		{Postcode: "LS1 3EX", Lat: &lat, Lon: &lon}, // as the source gives it
	}}
	v.Derive()
	v.Locate(gazetteer.Default().With(whole{}))
	v.Derive()
	for i, want := range []struct {
		from string
		lat  float64
	}{{"postcode", 53.7}, {"sector", *v.Locations[1].Lat}, {"", 51}} {
		if l := v.Locations[i]; l.PointFrom != want.from || *l.Lat != want.lat {
			t.Errorf("site %d lies at %v from %q, want %v from %q", i, *l.Lat, l.PointFrom, want.lat, want.from)
		}
	}
}
