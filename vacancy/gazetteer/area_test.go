package gazetteer

import (
	"slices"
	"strings"
	"testing"
)

func TestFindArea(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Kent", "Kent"},
		{"herts", "Hertfordshire"},
		{"the Highlands", "Highland"},
		{"Greater Manchester", "Greater Manchester"},
		{"west yorks", "West Yorkshire"},
		{"Yorkshire", "Yorkshire and The Humber"},
		{"North West", "North West"},
		{"North West England", "North West"},
		{"NHS North West", "North West (NHS region)"},
		{"north west (nhs region)", "North West (NHS region)"},
		{"Midlands", "Midlands (NHS region)"},
		{"North East and Yorkshire", "North East and Yorkshire (NHS region)"},
		{"West Midlands", "West Midlands"},
		{"England", England},
		{"Wales", "Wales"},
		{"Northern Ireland", NorthernIreland},
		{"Leeds area", "Leeds"},
		{"Leeds council area", "Leeds"},
		{"Co Durham", "County Durham"},
		{"United Kingdom", ""},
		{"LS1", ""},
		{"Nowhere", ""},
		{"area", ""},
		{"", ""},
	} {
		a, ok := FindArea(tt.in)
		if a.Name != tt.want || ok != (tt.want != "") {
			t.Errorf("FindArea(%q) = %q, %v, want %q", tt.in, a.Name, ok, tt.want)
		}
		if !ok {
			continue
		}
		if back, _ := FindArea(a.Name); back.Name != a.Name {
			t.Errorf("FindArea(%q) = %q, want itself", a.Name, back.Name)
		}
		if len(a.Regions()) == 0 {
			t.Errorf("%s lies in no region", a.Name)
		}
	}
}

func TestAreaHolds(t *testing.T) {
	const in, out, unknown = "in", "out", "unknown"
	for _, tt := range []struct{ area, postcode, region, county, town, want string }{
		{"Kent", "CT1 3NG", "South East", "", "", in},
		{"Kent", "ME7 5NY", "South East", "", "", in}, // Medway
		{"Kent", "LS1 3EX", "Yorkshire and The Humber", "", "", out},
		{"Kent", "BR8 7RE", "South East", "Kent", "Swanley", in},
		{"Kent", "", "", "KENT", "", in},
		{"Kent", "", "", "Surrey", "", out},
		{"Kent", "", "", "", "Maidstone", in},
		{"Kent", "", "", "", "Leeds", out},
		{"Kent", "", "", "", "Nowhere", unknown},
		{"Kent", "", "", "", "", unknown},
		{"Sussex", "BN1 1AA", "South East", "", "", in},
		{"Leeds area", "LS1 3EX", "", "", "", in},
		{"Leeds area", "BD1 1AA", "", "", "", out},
		{"England", "LS1 3EX", "Yorkshire and The Humber", "", "", in},
		{"England", "CF14 4XW", "Wales", "", "", out},
		{"England", "", "", "", "", unknown},
		{"London", "E1 1BB", "London", "", "", in},
		{"Midlands", "B5 4TD", "West Midlands", "", "", in},
		{"Midlands", "NG1 1AA", "East Midlands", "", "", in},
		{"Midlands", "OX1 1AA", "South East", "", "", out},
		{"NHS North West", "CA2 7HY", "North West", "", "", out}, // north Cumbria
		{"NHS North West", "LA9 7RG", "North West", "", "", in},  // south Cumbria
		{"NHS North West", "", "North West", "Cumbria", "", unknown},
		{"NHS North West", "", "North West", "Lancashire", "", in},
		{"North East and Yorkshire", "CA2 7HY", "North West", "", "", in},
		{"North East and Yorkshire", "LS1 3EX", "Yorkshire and The Humber", "", "", in},
		{"NHS South East", "MK6 5LD", "South East", "", "", out},
		{"NHS South East", "MK18 1NU", "South East", "", "", in},
		{"NHS East of England", "MK6 5LD", "South East", "", "", in},
		{"NHS South West", "CF14 4XW", "Wales", "", "", out},
	} {
		a, ok := FindArea(tt.area)
		if !ok {
			t.Fatalf("no area %q", tt.area)
		}
		got := unknown
		if in, known := a.Holds(tt.postcode, tt.region, tt.county, tt.town); in {
			got = "in"
		} else if known {
			got = out
		}
		if got != tt.want {
			t.Errorf("%s holds %q %q %q %q: %s, want %s", tt.area, tt.postcode, tt.region, tt.county, tt.town, got, tt.want)
		}
	}
}

// Every outward code of the county table is one of the gazetteer's, and every
// area says truly in which regions it lies, for whoever files it by these.
func TestCountiesAgree(t *testing.T) {
	table := areas()
	seen := 0
	for code, counties := range table.county {
		seen++
		c, ok := find(Default().outcodes, code)
		if !ok {
			t.Errorf("%s lies in %q but is no outward code", code, counties)
			continue
		}
		for _, name := range counties {
			if a := table.byName[fold(name)]; !slices.Contains(a.regions, c.region) {
				t.Errorf("%s lies in %s, %s; the area has the regions %q", code, name, c.region, a.regions)
			}
		}
	}
	if seen < 2_700 {
		t.Errorf("only %d outward codes lie in a county", seen)
	}
	for spelling, name := range areaSpellings {
		if fold(spelling) != spelling {
			t.Errorf("spelling %q is not folded", spelling)
		}
		if _, ok := table.byName[fold(name)]; !ok {
			t.Errorf("spelling %q: there is no area %q", spelling, name)
		}
	}
}

func FuzzFindArea(f *testing.F) {
	for _, s := range []string{"Kent", "the Leeds council area", "NHS Midlands", " area area", "É"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, ok := FindArea(s)
		if !ok {
			return
		}
		if back, again := FindArea(strings.ToUpper(a.Name)); !again || back.Name != a.Name {
			t.Errorf("FindArea(%q) = %q, which is read as %q", s, a.Name, back.Name)
		}
	})
}
