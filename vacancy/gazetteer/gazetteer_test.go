package gazetteer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const attribution = "Contains OS data © Crown copyright and database right 2025. " +
	"Contains Royal Mail data © Royal Mail copyright and database right 2025. " +
	"Source: Office for National Statistics licensed under the Open Government Licence v.3.0."

var tables = map[string]struct {
	text string
	rows int
}{
	"sectors.tsv":  {sectorsTSV, 12_015},
	"outcodes.tsv": {outcodesTSV, 2_996},
	"places.tsv":   {placesTSV, 363},
	"counties.tsv": {countiesTSV, 197},
}

// The licences ask for these lines, and none of them allows a row of Northern
// Ireland.
func TestTablesSayWhereTheyComeFrom(t *testing.T) {
	files, err := filepath.Glob("data/*")
	if err != nil || len(files) != len(tables) {
		t.Fatalf("data holds %q, %v, want the %d tables", files, err, len(tables))
	}
	size := 0
	for name, table := range tables {
		size += len(table.text)
		var head []string
		n := 0
		for line := range strings.Lines(table.text) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, "#") {
				if n > 0 {
					t.Errorf("%s: comment among the rows: %s", name, line)
				}
				head = append(head, line)
				continue
			}
			n++
			if c := column(t, name, line); letters(c) == "BT" {
				t.Errorf("%s: row of Northern Ireland: %s", name, line)
			}
		}
		if n != table.rows {
			t.Errorf("%s: %d rows, want %d", name, n, table.rows)
		}
		all := strings.Join(head, "\n")
		for _, want := range []string{"# Source", "# Licence: Open Government Licence v3.0", "# " + attribution, "# Columns: "} {
			if !strings.Contains(all, want) {
				t.Errorf("%s: its head has no %q", name, want)
			}
		}
	}
	if size > 600_000 {
		t.Errorf("the tables have %d bytes, want at most 600,000", size)
	}
}

// column returns the postcode, sector or outward code of a row.
func column(t *testing.T, table, line string) string {
	t.Helper()
	f := strings.Split(line, "\t")
	if table == "places.tsv" {
		if len(f) < 3 {
			t.Fatalf("%s: short row %q", table, line)
		}
		return f[2]
	}
	if table == "counties.tsv" {
		return strings.Fields(f[1])[0]
	}
	return f[0]
}

func TestNoticeHasAttribution(t *testing.T) {
	notice, err := os.ReadFile("../../NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(notice), attribution) {
		t.Errorf("NOTICE lacks the attribution %q", attribution)
	}
}

func TestTablesAgree(t *testing.T) {
	g := Default()
	for _, codes := range [][]code{g.sectors, g.outcodes} {
		for _, c := range codes {
			if p, ok := g.parse(c.text); !ok || p.String() != c.text {
				t.Errorf("parse(%q) = %q, %v", c.text, p, ok)
			}
			if _, region, ok := g.lookup(c.text); !ok || !slices.Contains(Regions(), region) {
				t.Errorf("lookup(%q): region %q, %v", c.text, region, ok)
			}
			if p := c.point(); p.Lat < 49.8 || p.Lat > 60.9 || p.Lon < -8.7 || p.Lon > 1.8 {
				t.Errorf("%s lies at %v, outside Great Britain", c.text, p)
			}
		}
	}
	for spelling := range otherNames {
		if fold(spelling) != spelling {
			t.Errorf("other name %q is not folded", spelling)
		}
	}
	for spelling := range regionSpellings {
		if fold(spelling) != spelling {
			t.Errorf("region spelling %q is not folded", spelling)
		}
	}
	for short, county := range countySpellings {
		if fold(short) != short || g.counties[county] == nil {
			t.Errorf("county %q for %q: not folded, or no place lies in it", county, short)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	const sectors, outcodes, places = "LS1 3\t53.8009\t-1.5512\n", "LS1\t53.7966\t-1.5517\tYorkshire and The Humber\n", ""
	for _, tt := range []struct{ name, sectors, outcodes, places, want string }{
		{"cut off", "LS1 3\t53.8009\n", outcodes, places, `read sectors: line 1: "LS1 3\t53.8009" is not a code with two coordinates`},
		{"degrees without places", sectors, "LS1\t53\t-1.5517\tWales\n", places, `read outward codes: line 1: "LS1\t53\t-1.5517\tWales" is not a code with two coordinates`},
		{"letter in a number", "LS1 3\t53.80O9\t-1.5512\n", outcodes, places, `read sectors: line 1: "LS1 3\t53.80O9\t-1.5512" is not a code with two coordinates`},
		{"order", "#\n" + sectors + sectors, outcodes, places, `read sectors: line 3: "LS1 3" is out of order`},
		{"region", sectors, "LS1\t53.7966\t-1.5517\tMercia\n", places, `read outward codes: line 1: "Mercia" is not a region`},
		{"columns", sectors, outcodes, "Leeds\tLS1\n", `read places: line 1: 2 columns, want 4`},
		{"place nowhere", sectors, outcodes, "Leeds\tx\tLS2\t\n", `read places: line 1: "LS2" is not an outward code`},
	} {
		_, err := load(tt.sectors, tt.outcodes, tt.places)
		if err == nil {
			t.Errorf("%s: no error", tt.name)
		} else if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if _, err := load(sectors, outcodes, places); err == nil || !strings.Contains(err.Error(), `no place "`) {
		t.Errorf("load without the places of other names: %v", err)
	}
}

// imported is what an import of whole postcodes might hold.
type imported map[string]struct {
	point  Point
	region string
}

func (m imported) Lookup(code string) (Point, string, bool) {
	c, ok := m[code]
	return c.point, c.region, ok
}

func TestWith(t *testing.T) {
	data := imported{
		"LS1 3EX": {Point{53.7990, -1.5500}, "Yorkshire and The Humber"},
		"LS1 3":   {Point{1, 1}, "Wales"}, // the built-in sector comes first
		"BT9 6":   {Point{54.58, -5.94}, NorthernIreland},
		"LS90":    {Point{53.7, -1.5}, "Yorkshire and The Humber"},
	}
	g := Default().With(data)
	for _, tt := range []struct {
		postcode, name string
		precision      Precision
		point          Point
	}{
		{"LS1 3EX", "LS1 3EX", ByPostcode, Point{53.7990, -1.5500}},
		{"LS1 3EY", "LS1 3", BySector, codePoint(t, "LS1 3")},
		{"BT9 6AY", "BT9 6", BySector, Point{54.58, -5.94}},
		{"BT1 1AA", NorthernIreland, ByRegion, Point{}},
		{"LS90 1AA", "LS90", ByOutcode, Point{53.7, -1.5}},
	} {
		p, ok := g.Site(tt.postcode, "")
		if !ok || p.Name != tt.name || p.Precision != tt.precision || p.Point != tt.point {
			t.Errorf("Site(%q) = %v, %v, want %q %s %v", tt.postcode, p, ok, tt.name, tt.precision, tt.point)
		}
	}
	// A person's postcode is reduced to its sector all the same.
	if p, err := g.Locate("LS1 3EX"); err != nil || p.Name != "LS1 3" || p.Precision != BySector {
		t.Errorf("Locate(LS1 3EX) = %v, %v, want the sector", p, err)
	}
	if region, ok := g.RegionOf("LS90 1AA"); !ok || region != "Yorkshire and The Humber" {
		t.Errorf("RegionOf(LS90 1AA) = %q, %v", region, ok)
	}
	if p, ok := Site("LS1 3EX", ""); !ok || p.Precision != BySector {
		t.Errorf("Site(LS1 3EX) of the built-in gazetteer = %v, %v, changed by With", p, ok)
	}
	if p, _ := g.With(nil).Site("LS1 3EX", ""); p.Precision != BySector {
		t.Errorf("Site(LS1 3EX) after With(nil) = %v", p)
	}
}

// The tables are copies. Where the reference is at hand, nothing but what
// their heads say may differ from it.
func TestTablesAgainstReference(t *testing.T) {
	const dir = "../../../shared/reference/geo/"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the reference tables are not beside this checkout")
	}
	read := func(name string) (rows [][]string) {
		data, err := os.ReadFile(dir + name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if !strings.HasPrefix(line, "#") {
				rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
			}
		}
		return rows[1:]
	}
	has := func(table, row string) {
		t.Helper()
		if !strings.Contains(tables[table].text, "\n"+row+"\n") && !strings.HasSuffix(tables[table].text, "\n"+row+"\n") {
			t.Errorf("%s has no row %q", table, row)
		}
	}
	for _, r := range read("sectors.tsv") {
		if letters(r[0]) != "BT" {
			has("sectors.tsv", strings.Join(r[:3], "\t"))
		}
	}
	for _, r := range read("outcodes.tsv") {
		area := letters(r[0])
		switch {
		case area == "BT":
			continue
		case area == "NPT":
			r[4] = "Wales"
		case r[6] == "Lincolnshire" && (area != "DN" || r[0] == "DN21"):
			r[4] = "East Midlands"
		}
		has("outcodes.tsv", strings.Join([]string{r[0], r[1], r[2], r[4]}, "\t"))
	}
	for _, r := range read("places.tsv") {
		if letters(r[2]) == "BT" {
			continue
		}
		if !slices.ContainsFunc(Default().places, func(p place) bool { return p.name == r[0] && p.outcode == r[2] }) {
			t.Errorf("places.tsv has no %s in %s", r[0], r[2])
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := load(sectorsTSV, outcodesTSV, placesTSV); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSite(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Site("GL3 4AW", "Brockworth")
	}
}

func BenchmarkLocate(b *testing.B) {
	for _, text := range []string{"E1 6AN", "Newport, Wales", "Newprt"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = Locate(text)
			}
		})
	}
}
