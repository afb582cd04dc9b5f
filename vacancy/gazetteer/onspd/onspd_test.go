package onspd

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

// The columns of both editions that matter stand among others. All places are
// invented; no postcode lies where these say.
const (
	oldHeader = "pcd,pcd2,pcds,dointr,doterm,oscty,oslaua,ctry,rgn,latest,lat,long,imd"
	newHeader = "\ufeffPCD7,PCD8,PCDS,DOINTR,DOTERM,CTY25CD,LAD25CD,CTRY25CD,RGN25CD,LEP21CD1,LAT,LONG,IMD20IND"
)

var rows = []string{
	`"LS1 3EX","LS1  3EX","LS1 3EX","198001","","E1","E1","E92000001","E12000003","",53.79900,-1.55000,5`,
	`"LS1 3AA","LS1  3AA","LS1 3AA","198001","201512","E1","E1","E92000001","E12000003","",53.80100,-1.54000,5`,
	`"LS1 3AB","LS1  3AB","LS1 3AB","198001","","E1","E1","E92000001","E12000003","",53.80200,-1.53000,5`,
	`"LS101AA","LS10 1AA","LS10 1AA","198001","","E1","E1","E92000001","E12000003","",53.78,-1.53,5`,
	`"CF144XW","CF14 4XW","CF14 4XW","198001","","W1","W1","W92000004","W99999999","",51.507000,-3.190000,5`,
	`"EH1 1AA","EH1  1AA","EH1 1AA","198001","","S1","S1","S92000003","S99999999","",55.950000,-3.190000,5`,
	`"TR210AA","TR21 0AA","TR21 0AA","198001","","E1","E1","E92000001","E12000009","",49.91,-6.31,5`,
	`"ZE1 0AA","ZE1  0AA","ZE1 0AA","198001","","S1","S1","S92000003","","",60.15,-1.14,5`,
	`"BT9 6AY","BT9  6AY","BT9 6AY","198001","","N1","N1","N92000002","N99999999","",54.580000,-5.940000,5`,
	`"JE2 3QA","JE2  3QA","JE2 3QA","198001","","L1","L1","L93000001","L99999999","",99.999999,0.000000,5`,
	`"LS1 9ZZ","LS1  9ZZ","LS1 9ZZ","198001","","E1","E1","E92000001","E12000003","",,,5`,
	// Given twice; the one in use counts.
	`"W1A 0AX","W1A  0AX","W1A 0AX","198001","200001","E1","E1","E92000001","E12000007","",51.40000,-0.10000,5`,
	`"W1A 0AX","W1A  0AX","W1A 0AX","200101","","E1","E1","E92000001","E12000007","",51.51800,-0.14300,5`,
}

func imported(t testing.TB, header string, o Options) (*File, Report) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "postcodes")
	report, err := Import(name, strings.NewReader(header+"\n"+strings.Join(rows, "\r\n")+"\n\n"), o)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f, report
}

func TestImport(t *testing.T) {
	for name, header := range map[string]string{"old edition": oldHeader, "new edition": newHeader} {
		t.Run(name, func(t *testing.T) {
			f, report := imported(t, header, Options{Edition: "Test May 2026"})
			want := Report{Rows: 13, Kept: 9, Ended: 1, NorthernIreland: 1, NoPlace: 2, Sectors: 14}
			if diff := cmp.Diff(want, report); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
			for _, tt := range []struct {
				code     string
				lat, lon float64
				region   string
				ended    bool
			}{
				{"LS1 3EX", 53.799, -1.55, "Yorkshire and The Humber", false},
				{"LS1 3AA", 53.801, -1.54, "Yorkshire and The Humber", true},
				{"LS1 3", 53.801, -1.54, "Yorkshire and The Humber", false},
				{"LS1", 53.801, -1.54, "Yorkshire and The Humber", false},
				{"LS10", 53.78, -1.53, "Yorkshire and The Humber", false},
				{"CF14 4XW", 51.507, -3.19, "Wales", false},
				{"EH1 1AA", 55.95, -3.19, "Scotland", false},
				{"TR21 0AA", 49.91, -6.31, "South West", false},
				{"ZE1 0AA", 60.15, -1.14, "Scotland", false},
				{"W1A 0AX", 51.518, -0.143, "London", false},
			} {
				p, region, ok := f.Lookup(tt.code)
				if !ok || region != tt.region || math.Abs(p.Lat-tt.lat) > 1e-9 || math.Abs(p.Lon-tt.lon) > 1e-9 {
					t.Errorf("Lookup(%s) = %v, %q, %v, want %v %v %q", tt.code, p, region, ok, tt.lat, tt.lon, tt.region)
				}
				if got := f.Ended(tt.code); got != tt.ended {
					t.Errorf("Ended(%s) is %v", tt.code, got)
				}
			}
			for _, code := range []string{"BT9 6AY", "BT9", "JE2 3QA", "LS1 9ZZ", "LS1 3EZ", "AA1 1AA", "ZZ9 9ZZ", "", "LS1 3EXX", "ls1 3ex", "LS1  3EX"} {
				if p, _, ok := f.Lookup(code); ok {
					t.Errorf("Lookup(%q) = %v, want nothing", code, p)
				}
			}
			info := f.Info()
			if info.Edition != "Test May 2026" || info.Codes != 23 || info.NorthernIreland || info.Checksum == 0 || info.Bytes != 64+23*12 {
				t.Errorf("info %+v", info)
			}
		})
	}
}

func TestNorthernIrelandByFlag(t *testing.T) {
	f, report := imported(t, oldHeader, Options{NorthernIreland: true})
	if report.NorthernIreland != 0 || report.Kept != 10 || !f.Info().NorthernIreland {
		t.Errorf("report %+v, info %+v", report, f.Info())
	}
	g := gazetteer.Default().With(f)
	if p, ok := g.Site("BT9 6AY", ""); !ok || p.Precision != gazetteer.ByPostcode || p.Region != gazetteer.NorthernIreland {
		t.Errorf("Site(BT9 6AY) = %+v, %v", p, ok)
	}
	if p, err := g.Locate("BT9 6AY"); err != nil || p.Name != "BT9 6" || !p.HasPoint() {
		t.Errorf("Locate(BT9 6AY) = %+v, %v, want the sector", p, err)
	}
}

func TestImportRefuses(t *testing.T) {
	many := strings.Repeat("x,y\n", 30)
	for _, tt := range []struct{ name, csv, want string }{
		{"empty", "", "read postcodes: unknown layout: the file is empty"},
		{"another list", "postcode,latitude,longitude\n", "read postcodes: unknown layout: the first line names no column pcds, doterm, ctry, rgn, lat, long; give the CSV file of an ONSPD or NSPL"},
		{"quote", "\"pcds,doterm\n", "read postcodes: unknown layout: the first line is no CSV"},
		{"no rows", oldHeader + "\n", "read postcodes: unknown layout: of 0 rows 0 can be read and 0 make no sense"},
		{"rubbish", oldHeader + "\n" + rows[0] + "\n" + many, "read postcodes: unknown layout: of 31 rows 1 can be read and 30 make no sense"},
		{"long line", oldHeader + "\n" + strings.Repeat("x", maxLine+1), "read postcodes: after row 0: bufio.Scanner: token too long"},
	} {
		dst := filepath.Join(t.TempDir(), "postcodes")
		if err := os.WriteFile(dst, []byte("before"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Import(dst, strings.NewReader(tt.csv), Options{})
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: error %v, want %s", tt.name, err, tt.want)
		}
		if b, _ := os.ReadFile(dst); string(b) != "before" {
			t.Errorf("%s: the old file is changed to %q", tt.name, b)
		}
		if left, _ := filepath.Glob(filepath.Dir(dst) + "/*"); len(left) != 1 {
			t.Errorf("%s: files are left behind: %q", tt.name, left)
		}
	}
	if _, err := Import(filepath.Join(t.TempDir(), "none", "postcodes"), strings.NewReader(oldHeader+"\n"+rows[0]), Options{}); err == nil {
		t.Error("written into a folder that is not there")
	}
	broken := iotest.ErrReader(errors.New("disk on fire"))
	if _, err := Import(filepath.Join(t.TempDir(), "postcodes"), broken, Options{}); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("a reader that fails gives %v", err)
	}
}

// TestSwappedWhole: whoever has the file open goes on with the old one.
func TestSwappedWhole(t *testing.T) {
	name := filepath.Join(t.TempDir(), "postcodes")
	for i, edition := range []string{"first", "second"} {
		if _, err := Import(name, strings.NewReader(oldHeader+"\n"+rows[i]), Options{Edition: edition}); err != nil {
			t.Fatal(err)
		}
		f, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if _, _, ok := f.Lookup("LS1 3EX"); ok != (edition == "first") || f.Info().Edition != edition {
				t.Errorf("the %s file finds LS1 3EX: %v; info %+v", edition, ok, f.Info())
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "postcodes")
	if _, err := Open(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	if _, err := Import(name, strings.NewReader(oldHeader+"\n"+strings.Join(rows, "\n")), Options{}); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x40
		if _, err := newFile(bytes.NewReader(bad)); !errors.Is(err, ErrLayout) {
			t.Errorf("byte %d changed: %v, want ErrLayout", i, err)
		}
		if _, err := newFile(bytes.NewReader(good[:i])); !errors.Is(err, ErrLayout) {
			t.Errorf("cut off at byte %d: %v, want ErrLayout", i, err)
		}
	}
	if err := os.WriteFile(name, good[:100], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(name); !errors.Is(err, ErrLayout) {
		t.Errorf("half a file: %v, want ErrLayout", err)
	}
}

// TestManyBlocks looks up what stands first and last in each block.
func TestManyBlocks(t *testing.T) {
	var csv strings.Builder
	csv.WriteString(oldHeader + "\n")
	var codes []string
	for sector := range 10 {
		for _, a := range "ABDEFGH" {
			for _, b := range "ABDEFGHJLN" {
				code := fmt.Sprintf("M1 %d%c%c", sector, a, b)
				codes = append(codes, code)
				fmt.Fprintf(&csv, `,,%s,,,,,E92000001,E12000002,,%.5f,%.5f,`+"\n", code, 53+float64(len(codes))/1e4, -2.2)
			}
		}
	}
	name := filepath.Join(t.TempDir(), "postcodes")
	if _, err := Import(name, strings.NewReader(csv.String()), Options{}); err != nil {
		t.Fatal(err)
	}
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if len(f.blocks) != 3 {
		t.Errorf("%d blocks, want 3", len(f.blocks))
	}
	for i, code := range codes {
		p, _, ok := f.Lookup(code)
		if want := 53 + float64(i+1)/1e4; !ok || math.Abs(p.Lat-want) > 1e-9 {
			t.Errorf("Lookup(%s) = %v, %v, want latitude %f", code, p, ok, want)
		}
	}
}

func FuzzImport(f *testing.F) {
	f.Add(oldHeader + "\n" + strings.Join(rows, "\n"))
	f.Add(newHeader + "\r\n" + rows[3])
	f.Add("pcds,doterm,ctry,rgn,lat,long\n\"LS1 \"\"3EX\",,,E12000003,NaN,1e309\nLS1 3EX,,,,53.8,-1.5")
	f.Fuzz(func(t *testing.T, csv string) {
		records, report, err := read(strings.NewReader(csv), Options{})
		if err != nil {
			return
		}
		if report.Kept != len(records) || report.Kept+report.NoPlace+report.Invalid+report.NorthernIreland > report.Rows {
			t.Errorf("report %+v of %d records", report, len(records))
		}
		last := uint64(0)
		for p := range withCodes(records) {
			r := readRecord(p[:])
			if again := r.pack(); again != p {
				t.Errorf("record %x is read and written as %x", p, again)
			}
			if r.key <= last {
				t.Errorf("key %d comes behind %d", r.key, last)
			}
			last = r.key
			if gazetteer.Regions()[r.region&15] == gazetteer.NorthernIreland {
				t.Error("Northern Ireland came in unasked")
			}
		}
	})
}

func FuzzOpen(f *testing.F) {
	h := header(1, 0, Options{Edition: "x"})
	f.Add(append(h, make([]byte, recordSize)...))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := newFile(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrLayout) {
				t.Errorf("error %v is no ErrLayout", err)
			}
			return
		}
		file.Lookup("LS1 3EX")
	})
}
