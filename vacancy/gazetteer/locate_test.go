package gazetteer

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var typed = []struct {
	in, name  string
	precision Precision
	region    string
}{
	{"E1 6AN", "E1 6", BySector, "London"},
	{"e16an", "E1 6", BySector, "London"},
	{"E1 6", "E1 6", BySector, "London"},
	{"E16", "E16", ByOutcode, "London"},
	{"GL34", "GL3 4", BySector, "South West"}, // there is no GL34
	{"ec1a7", "EC1A 7", BySector, "London"},
	{"np20", "NP20", ByOutcode, "Wales"},
	{"LS2 1ZZ", "LS2", ByOutcode, "Yorkshire and The Humber"}, // there is no sector LS2 1
	{"1 Station Road, Leeds LS1 3EX", "LS1 3", BySector, "Yorkshire and The Humber"},
	{"London SE1", "SE1", ByOutcode, "London"},
	{"PE21", "PE21", ByOutcode, "East Midlands"},
	{"NPT", "NPT", ByOutcode, "Wales"},

	{"Leeds", "Leeds", ByTown, "Yorkshire and The Humber"},
	{" LEEDS ", "Leeds", ByTown, "Yorkshire and The Humber"},
	{"Leeds, West Yorkshire", "Leeds", ByTown, "Yorkshire and The Humber"},
	{"Leeds, W Yorks, UK", "Leeds", ByTown, "Yorkshire and The Humber"},
	{"leeds england", "Leeds", ByTown, "Yorkshire and The Humber"},
	{"Lincoln", "Lincoln", ByTown, "East Midlands"},
	{"London", "London", ByTown, "London"},
	{"Central London", "London", ByTown, "London"},
	{"Whitechapel", "Whitechapel", ByTown, "London"},
	{"Tooting, London", "Tooting", ByTown, "London"},
	{"Newcastle", "Newcastle upon Tyne", ByTown, "North East"},
	{"Newcastle-upon-Tyne", "Newcastle upon Tyne", ByTown, "North East"},
	{"Kingston upon Hull", "Hull", ByTown, "Yorkshire and The Humber"},
	{"City of Bristol", "Bristol", ByTown, "South West"},
	{"The Wirral", "Wirral", ByTown, "North West"},
	{"Kings Lynn", "King's Lynn", ByTown, "East of England"},
	{"King’s Lynn", "King's Lynn", ByTown, "East of England"},
	{"Saint Albans, Herts", "St Albans", ByTown, "East of England"},
	{"Southend on Sea", "Southend-on-Sea", ByTown, "East of England"},
	{"Chatham, Kent", "Chatham", ByTown, "South East"},
	{"Caerdydd", "Cardiff", ByTown, "Wales"},
	{"Cwmbrân", "Cwmbran", ByTown, "Wales"},
	{"Casnewydd", "Newport, Wales (NP20)", ByTown, "Wales"},
	{"Victoria Road, Macclesfield", "Macclesfield", ByTown, "North West"},

	{"Newport, Wales", "Newport, Wales (NP20)", ByTown, "Wales"},
	{"newport (wales)", "Newport, Wales (NP20)", ByTown, "Wales"},
	{"Newport, Gwent", "Newport, Wales (NP20)", ByTown, "Wales"},
	{"Newport NP20", "Newport, Wales (NP20)", ByTown, "Wales"},
	{"Newport, Isle of Wight", "Newport, Isle of Wight (PO30)", ByTown, "South East"},
	{"Newport, South East", "Newport, Isle of Wight (PO30)", ByTown, "South East"},
	{"Bangor, Gwynedd", "Bangor, Wales (LL57)", ByTown, "Wales"},
	{"Stratford, London", "Stratford, London (E15)", ByTown, "London"},
	{"Stratford-upon-Avon", "Stratford-upon-Avon", ByTown, "West Midlands"},
	{"Stratford, Warwickshire", "Stratford-upon-Avon", ByTown, "West Midlands"},

	{"Wales", "Wales", ByRegion, "Wales"},
	{"London region", "London region", ByRegion, "London"},
	{"yorkshire", "Yorkshire and The Humber", ByRegion, "Yorkshire and The Humber"},
	{"West Midlands", "West Midlands", ByRegion, "West Midlands"},
	{"BT9 6AY", NorthernIreland, ByRegion, NorthernIreland},
	{"bt9", NorthernIreland, ByRegion, NorthernIreland},
	{"Belfast", NorthernIreland, ByRegion, NorthernIreland},
	{"Bangor, Northern Ireland", NorthernIreland, ByRegion, NorthernIreland},
}

func TestLocate(t *testing.T) {
	for _, tt := range typed {
		p, err := Locate(tt.in)
		if err != nil {
			t.Errorf("Locate(%q): %v", tt.in, err)
			continue
		}
		if p.Name != tt.name || p.Precision != tt.precision || p.Region != tt.region {
			t.Errorf("Locate(%q) = %q, %s, %s, want %q, %s, %s", tt.in, p.Name, p.Precision, p.Region, tt.name, tt.precision, tt.region)
		}
		if p.HasPoint() != (tt.precision != ByRegion) {
			t.Errorf("Locate(%q): point %v with precision %s", tt.in, p.Point, p.Precision)
		}
	}
}

var mistyped = []struct{ in, want string }{
	{"Newprt", `"Newprt" is not a place we know; did you mean Newport, Isle of Wight or Newport, Wales? A postcode always works`},
	{"Londn", `"Londn" is not a place we know; did you mean London? A postcode always works`},
	{"Bimringham", `"Bimringham" is not a place we know; did you mean Birmingham? A postcode always works`},
	{"Manch", `"Manch" is not a place we know; did you mean Manchester? A postcode always works`},
	{"Yorkshre", `"Yorkshre" is not a place we know; did you mean Yorkshire and The Humber? A postcode always works`},
	{"Newport", `"Newport" could be Newport, Isle of Wight or Newport, Wales; write one of these, or a postcode`},
	{"Bangor", `"Bangor" could be Bangor, Northern Ireland or Bangor, Wales; write one of these, or a postcode`},
	{"stratford", `"stratford" could be Stratford, London or Stratford-upon-Avon; write one of these, or a postcode`},
	{"Richmond, North Yorkshire", `"Richmond, North Yorkshire" is not a place we know; did you mean Richmond, London? A postcode always works`},
	{"Perth, Australia", `"Perth, Australia" is not a place we know; did you mean Perth, Scotland? A postcode always works`},
	{"Leeds B5", `this text is not a place we know; did you mean Leeds, Yorkshire and The Humber? A postcode always works`},
	{"Kent", `"Kent" is a county, too wide for a distance; choose the region South East, or name a town such as Ashford, Canterbury or Chatham`},
	{"middx", `"middx" is a county, too wide for a distance; choose the region London, or name a town such as Barnet, Enfield or Harrow`},
	{"Xyzzy", `"Xyzzy" is not a place we know; name a larger town nearby, or write a postcode`},
	{"Midlands", `"Midlands" is not a place we know; did you mean East Midlands or West Midlands? A postcode always works`},
	{"", `an empty text names no place; write a town, a London district or the beginning of a postcode`},
	{" \t", `an empty text names no place; write a town, a London district or the beginning of a postcode`},
	{"ZZ1 1AA", `this text is not a place we know; check the postcode, or name a larger town nearby`},
	{"LS90 1AA", `this text has a postcode whose first half, LS90, is not one we know; check it, or name the nearest town`},
	{"St Helier JE2 3QA", `this text has a postcode of the Channel Islands or the Isle of Man, where we know no places; name one in the United Kingdom`},
	{"a\nb", `"a\nb" is not a place we know; name a larger town nearby, or write a postcode`},
}

func TestLocateErrors(t *testing.T) {
	for _, tt := range mistyped {
		p, err := Locate(tt.in)
		if err == nil {
			t.Errorf("Locate(%q) = %v, want an error", tt.in, p)
			continue
		}
		if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
			t.Errorf("Locate(%q) (-want +got):\n%s", tt.in, diff)
		}
		for _, option := range offered(t, err) {
			if _, err := Locate(option); err != nil {
				t.Errorf("Locate(%q) offers %q, but: %v", tt.in, option, err)
			}
		}
	}
}

// offered returns what an error of Locate says to write instead.
func offered(t *testing.T, err error) []string {
	t.Helper()
	var ambiguous *AmbiguousError
	var unknown *UnknownError
	switch {
	case errors.As(err, &ambiguous):
		if len(ambiguous.Options) < 2 {
			t.Errorf("ambiguous between %q", ambiguous.Options)
		}
		return ambiguous.Options
	case errors.As(err, &unknown):
		return unknown.Near
	}
	t.Errorf("error of type %T", err)
	return nil
}

// A text that may be somebody's address is not repeated, nor is a long one.
func TestErrorsAreDiscreet(t *testing.T) {
	for _, in := range []string{"12 Acacia Avenue, Nowhere", "LS90 1AA", "somewhere LS90 1AA", strings.Repeat("very long ", 50)} {
		_, err := Locate(in)
		if err == nil || strings.Contains(err.Error(), in) || strings.Contains(err.Error(), "1AA") || len(err.Error()) > 250 {
			t.Errorf("Locate(%q): %v", in, err)
		}
	}
}

// The name of every place that Locate can return leads back to it.
func TestNamesLeadBack(t *testing.T) {
	g := Default()
	names := Regions()
	for i := range g.places {
		names = append(names, g.places[i].option(), g.places[i].name+", "+g.places[i].qualifier)
	}
	for _, codes := range [][]code{g.outcodes, g.sectors} {
		for i := 0; i < len(codes); i += 7 {
			names = append(names, codes[i].text)
		}
	}
	for _, name := range names {
		p, err := Locate(name)
		if err != nil {
			t.Errorf("Locate(%q): %v", name, err)
			continue
		}
		again, err := Locate(p.Name)
		if err != nil || again != p {
			t.Errorf("Locate(%q) = %v, %v, want %v as from %q", p.Name, again, err, p, name)
		}
	}
}

func TestSite(t *testing.T) {
	for _, tt := range []struct {
		postcode, town string
		name           string
		precision      Precision
	}{
		{"PO19 1XP", "Chichester", "PO19 1", BySector},
		{"RH108GN", "CRAWLEY", "RH10 8", BySector},
		{"", "Brockworth GL34AW", "GL3 4", BySector},
		{"", "London, NW1 2PG", "NW1 2", BySector},
		{"see advert", "Digbeth B5 4TD", "B5 4", BySector},
		{"LS2 1ZZ", "Leeds", "LS2", ByOutcode},
		{"LS1", "Leeds", "LS1", ByOutcode},
		{"", "London SE1", "SE1", ByOutcode},
		{"LS90 1AA", "Leeds", "Leeds", ByTown},
		{"", "LEEDS", "Leeds", ByTown},
		{"", "Liverpool, Merseyside", "Liverpool", ByTown},
		{"", "317 01 Anchor Hospital, Newcastle upon Tyne", "Newcastle upon Tyne", ByTown},
		{"", "Newport, Gwent", "Newport, Wales (NP20)", ByTown},
		{"BT9 6AY", "Belfast", NorthernIreland, ByRegion},
		{"", "Belfast", NorthernIreland, ByRegion},
		{"", "Yorkshire", "Yorkshire and The Humber", ByRegion},

		{"", "Newport", "", ""}, // whose?
		{"IM1 1AA", "Newport, Wales", "", ""},
		{"", "Perth, Australia", "", ""},
		{"", "TBC", "", ""},
		{"", "Remote", "", ""},
		{"", "Band B5", "", ""},
		{"", "Kent", "", ""},
		{"", "Grimsby, Hull, Scunthorpe and Goole", "", ""},
		{"", "", "", ""},
	} {
		p, ok := Site(tt.postcode, tt.town)
		if ok != (tt.name != "") || p.Name != tt.name || p.Precision != tt.precision {
			t.Errorf("Site(%q, %q) = %q, %s, %v, want %q, %s", tt.postcode, tt.town, p.Name, p.Precision, ok, tt.name, tt.precision)
		}
	}
}

func TestNamedPlaces(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"Swansea or Cwmbran NP44 7HF", []string{"Swansea", "Cwmbran"}},
		{"SWANSEA OR CWMBRAN", []string{"Swansea", "Cwmbran"}},
		{"Cardiff / Talbot Green / Parc Nantgarw CF15 7QZ", []string{"Cardiff"}},
		{"Cardiff / Talbot Green", []string{"Cardiff"}},
		{"Newport/Cardiff", []string{"Newport, Wales (NP20)", "Cardiff"}},
		{"Newport or Cowes PO30 5TG", []string{"Newport, Isle of Wight (PO30)"}},
		{"Newport or Bristol", []string{"Bristol"}},
		{"Leeds / Leeds, West Yorkshire", []string{"Leeds"}},
		{"Belfast or Rhyl", []string{"Rhyl"}}, // Belfast has no point
		{"Leeds LS17 6QW", nil},               // no alternative: its postcode says more
		{"Grimsby, Hull, Scunthorpe and Goole DN33 2BA", nil},
		{"Oxford", nil}, // "or" inside a word
		{"Remote or Hybrid", nil},
		{" / ", nil},
		{"", nil},
	} {
		if diff := cmp.Diff(tt.want, NamedPlaces(tt.in)); diff != "" {
			t.Errorf("NamedPlaces(%q) (-want +got):\n%s", tt.in, diff)
		}
	}
}

func TestRegion(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Yorkshire and the Humber", "Yorkshire and The Humber"},
		{"Yorkshire & Humber", "Yorkshire and The Humber"},
		{"yorkshire", "Yorkshire and The Humber"},
		{"east of england", "East of England"},
		{"The East of England", "East of England"},
		{"East Anglia", "East of England"},
		{"West Mids", "West Midlands"},
		{"London", "London"},
		{"Greater London", "London"},
		{"south-east england", "South East"},
		{"the North West of England", "North West"},
		{"North East region", "North East"},
		{"Cymru", "Wales"},
		{"N. Ireland", NorthernIreland},
		{"", ""},
		{"England", ""},
		{"Midlands", ""},
		{"the", ""},
		{"North East and Yorkshire", ""}, // of the NHS: two of these
		{"West Yorkshire", ""},
		{"Kent", ""},
	} {
		got, ok := Region(tt.in)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Region(%q) = %q, %v, want %q", tt.in, got, ok, tt.want)
		}
	}
	for _, want := range Regions() {
		if got, _ := Region(strings.ToUpper(want)); got != want {
			t.Errorf("Region(%q in capitals) = %q", want, got)
		}
	}
	changed := Regions()
	changed[0] = "Mercia"
	if got := Regions()[0]; got != "North East" {
		t.Errorf("Regions()[0] = %q after a caller changed its copy", got)
	}
}

func TestRegionOf(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"LS1 3EX", "Yorkshire and The Humber"},
		{"ec1a7be", "London"},
		{"EC1A 7", "London"},
		{"CH1", "North West"},
		{"CH5 3AA", "Wales"},
		{"TD15 1AA", "North East"},
		{"LN2 5QY", "East Midlands"},
		{"DN33 2BA", "Yorkshire and The Humber"},
		{"BT9 6AY", NorthernIreland},
		{"JE2 3QA", ""},
		{"LS90 1AA", ""},
		{"Leeds", ""},
		{"", ""},
	} {
		got, ok := RegionOf(tt.in)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("RegionOf(%q) = %q, %v, want %q", tt.in, got, ok, tt.want)
		}
	}
}

func TestAcross(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"Across Wales", []string{"Wales"}},
		{"across the North-West", []string{"North West"}},
		{"Throughout all of Yorkshire", []string{"Yorkshire and The Humber"}},
		{"Across England", Regions()[:9]},
		{"Across the UK", Regions()},
		{"Across Kent", nil},
		{"Acrossville", nil},
		{"Wales", nil},
		{"", nil},
	} {
		if diff := cmp.Diff(tt.want, Across(tt.in)); diff != "" {
			t.Errorf("Across(%q) (-want +got):\n%s", tt.in, diff)
		}
	}
}

func FuzzLocate(f *testing.F) {
	for _, tt := range typed {
		f.Add(tt.in)
	}
	for _, tt := range mistyped {
		f.Add(tt.in)
	}
	for _, tt := range splits {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if once := fold(s); fold(once) != once {
			t.Errorf("fold(%q) = %q, and again %q", s, once, fold(once))
		}
		p, err := Locate(s)
		if err != nil {
			for _, option := range offered(t, err) {
				if _, err := Locate(option); err != nil {
					t.Errorf("Locate(%q) offers %q, but: %v", s, option, err)
				}
			}
			if err.Error() == "" || p != (Place{}) {
				t.Errorf("Locate(%q) = %v, %v", s, p, err)
			}
		} else {
			if _, whole := NormalisePostcode(p.Name); whole {
				t.Errorf("Locate(%q) keeps the whole postcode %q", s, p.Name)
			}
			if !slices.Contains(Regions(), p.Region) || p.HasPoint() == (p.Precision == ByRegion) {
				t.Errorf("Locate(%q) = %v", s, p)
			}
			if again, err := Locate(p.Name); err != nil || again != p {
				t.Errorf("Locate(%q) = %v, %v, want %v as from %q", p.Name, again, err, p, s)
			}
		}
		for _, name := range NamedPlaces(s) {
			if p, err := Locate(name); err != nil || !p.HasPoint() {
				t.Errorf("NamedPlaces(%q) has %q, but Locate = %v, %v", s, name, p, err)
			}
		}
		Site(s, s)
		Across(s)
	})
}
