package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// relevanceReport is the last line of the suite, as a program reads it.
type relevanceReport struct {
	Rows       int
	Fields     map[string]figureJSON
	Groups     map[string]map[string]figureJSON
	Confusions map[string][]confusion
}

func relevanceOf(t *testing.T, in string, wrong bool) (text string, r relevanceReport) {
	t.Helper()
	var out bytes.Buffer
	if err := relevance(strings.NewReader(in), &out, "test", wrong); err != nil {
		t.Fatal(err)
	}
	text = out.String()
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil {
		t.Fatalf("the last line is no JSON: %v\n%s", err, lines[len(lines)-1])
	}
	return text, r
}

// TestRelevance holds the readers to their targets over invented adverts. The
// held-out half is what counts; the other one may have shaped the rules.
func TestRelevance(t *testing.T) {
	rows := 0
	for _, half := range []string{"tune", "held"} {
		data, err := os.ReadFile("testdata/relevance-" + half + ".tsv")
		if err != nil {
			t.Fatal(err)
		}
		if text := string(data); !strings.HasPrefix(text, "# ") || !strings.Contains(text, "Source:") || !strings.Contains(text, "\n# Licence:") {
			t.Errorf("%s does not begin with its source and licence", half)
		}
		_, r := relevanceOf(t, string(data), false)
		rows += r.Rows
		for _, bar := range []struct {
			field             string
			precision, recall float64
		}{
			{"specialty_stated", 0.97, 0.85},
			{"specialty", 0.97, 0.90},
			{"band", 0.99, 0.99},
			{"postcode", 0.99, 0.99},
			{"salary_min", 0.99, 0.99},
			{"salary_max", 0.99, 0.99},
			{"salary_unit", 0.99, 0.99},
		} {
			f, ok := r.Fields[bar.field]
			if !ok || f.Precision == nil || f.Recall == nil || f.Rows < 200 {
				t.Errorf("%s half: nothing to say of %s: %+v", half, bar.field, f)
				continue
			}
			t.Logf("%s half: %s: precision %.3f, recall %.3f, coverage %.3f of %d", half, bar.field, *f.Precision, *f.Recall, *f.Coverage, f.Rows)
			if *f.Precision < bar.precision || *f.Recall < bar.recall {
				t.Errorf("%s half: %s has precision %.3f and recall %.3f, want at least %.2f and %.2f",
					half, bar.field, *f.Precision, *f.Recall, bar.precision, bar.recall)
			}
		}
	}
	if rows < 400 {
		t.Errorf("only %d adverts", rows)
	}
}

// Whatever stands about a postcode, the place is read as the crawl reads it.
func TestRelevancePlaces(t *testing.T) {
	for _, tc := range []struct{ places, gold string }{
		{"Ipswich IP4 5PD (and community sites)", "IP4 5PD"},
		{"Wolverhampton, WV10 0QP, UK", "WV10 0QP"},
		{"Norwich  NR4   7UY.", "NR4 7UY"},
		{"derby de223ne and Burton DE13 0RB, United Kingdom", "DE22 3NE|DE13 0RB"},
		{`Anchor Hospital,\nMill Road,\nMaidstone,\nME14 1XX`, "ME14 1XX"},
		{`Derby DE22 3NE\nBurton DE13 0RB`, "DE22 3NE|DE13 0RB"},
		{"Leeds LS9 7TF, West Yorkshire, England", "LS9 7TF"},
		{"EC1A 7BE / E1 1BB", "EC1A 7BE|E1 1BB"},
		{"Various locations", "none"},
		{"BFPO 61", "none"},
	} {
		_, r := relevanceOf(t, "title\tplace_text\tgold_postcode\nNurse\t"+tc.places+"\t"+tc.gold+"\n", false)
		if f := r.Fields["postcode"]; f.Found != f.Right || f.Missed != 0 {
			t.Errorf("%s: %+v", tc.places, f)
		}
	}
}

// A real advert, where it stands beside the checkout: its title is silent,
// and its description names other specialties of the trust.
func TestRelevanceOfSeedAdvert(t *testing.T) {
	text, err := os.ReadFile("../../../shared/seed-advert.txt")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the seed advert is not beside the checkout")
	} else if err != nil {
		t.Fatal(err)
	}
	escape := strings.NewReplacer("\\", `\\`, "\n", `\n`, "\t", `\t`, "\r", "")
	_, r := relevanceOf(t, "title\temployer\ttext\tgold_specialty\tgold_band\tgold_postcode\tgold_min\tgold_max\tgold_unit\n"+
		"Medical Secretary/Patient Care Co-ordinator\tBarts Health NHS Trust\t"+escape.Replace(string(text))+
		"\toncology\t4\tEC1A\t33094\t36195\tyear\n", false)
	for name, f := range r.Fields {
		if f.Found != 1 || f.Right != 1 || f.Missed != 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestRelevanceFigures(t *testing.T) {
	in := strings.Join([]string{
		"# Comments stand before the header.",
		"Title\tText\tsalary_text\tplace_text\tgold_specialty\talso_ok\tgold_band\tgold_postcode\tgold_min\tgold_max\tgold_unit\tgroup\textra",
		"Oncology Nurse, Band 5\t\t£30,000 to £35,000 a year\tLeeds LS9 7TF\toncology\t\t5\tLS9\t30000\t£35,000\tyear\tnursing\tx",
		"",
		"Porter, Renal Unit\tClean.\t\t\tnone\t\tnone\t\tnone\t\t\testates\t",
		`Nurse - Stroke and Neurology\t\t\t\tstroke|oncology/renal\tneurology\t\t\t\t\t\tnursing\t`,
		"Radiographer\t\t£14 an hour\tLeeds LS9 7TF,\\nYork YO31 8HE\tradiology/oncology\t\t6\tLS9 7TF|YO1\t14\t15\tmonth\tahp\t",
	}, "\n")
	in = strings.ReplaceAll(in, `\t`, "\t")
	text, r := relevanceOf(t, in, true)
	num := func(f float64) *float64 { return &f }
	want := map[string]figureJSON{
		// Renal for a porter is wrong, neurology counts neither way.
		"specialty_stated": {Rows: 4, Precision: num(0.75), Recall: num(0.75), Coverage: num(1), Found: 4, Right: 3, Wanted: 4, Missed: 1},
		"specialty":        {Rows: 4, Precision: num(0.75), Recall: num(0.75), Coverage: num(1), Found: 4, Right: 3, Wanted: 4, Missed: 1},
		"band":             {Rows: 3, Precision: num(1), Recall: num(0.5), Coverage: num(0.3333), Found: 1, Right: 1, Wanted: 2, Missed: 1},
		"postcode":         {Rows: 2, Precision: num(0.6667), Recall: num(0.6667), Coverage: num(1), Found: 3, Right: 2, Wanted: 3, Missed: 1},
		"point":            {Rows: 2, Precision: num(0.6667), Recall: num(0.6667), Coverage: num(1), Found: 3, Right: 2, Wanted: 3, Missed: 1},
		"salary_min":       {Rows: 3, Precision: num(1), Recall: num(1), Coverage: num(0.6667), Found: 2, Right: 2, Wanted: 2},
		"salary_max":       {Rows: 2, Precision: num(0.5), Recall: num(0.5), Coverage: num(1), Found: 2, Right: 1, Wanted: 2, Missed: 1},
		"salary_unit":      {Rows: 2, Precision: num(0.5), Recall: num(0.5), Coverage: num(1), Found: 2, Right: 1, Wanted: 2, Missed: 1},
	}
	if diff := cmp.Diff(want, r.Fields); diff != "" {
		t.Errorf("figures (-want +got)\n%s", diff)
	}
	if g := r.Groups["estates"]["specialty"]; g.Rows != 1 || g.Right != 0 || g.Found != 1 || g.Recall != nil || *g.Precision != 0 {
		t.Errorf("estates: %+v", g)
	}
	if diff := cmp.Diff([]confusion{{"", "renal", 1}, {"oncology/renal", "", 1}}, r.Confusions["specialty"]); diff != "" {
		t.Errorf("confusions (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]confusion{{"month", "hour", 1}}, r.Confusions["salary_unit"]); diff != "" {
		t.Errorf("confusions of units (-want +got)\n%s", diff)
	}
	for _, part := range []string{
		"3 adverts with something wrong\n",
		"line 5: Porter, Renal Unit\n  specialty_stated: want none, found renal; renal stated by title: Renal\n",
		"  postcode: want LS9 7TF|YO1, found LS9 7TF, YO31 8HE\n",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the output lacks %q\n%s", part, text)
		}
	}
	if again, _ := relevanceOf(t, in, true); again != text {
		t.Error("a second run prints something else")
	}
	if short, _ := relevanceOf(t, in, false); strings.Contains(short, "line 5") {
		t.Error("wrong rows are listed unasked")
	}
}

// A text is divided into the blocks of an advert page, and read as these are.
func TestRelevanceBlocks(t *testing.T) {
	const lead = "Join our Renal Team. Renal care matters. Dialysis too."
	for _, tc := range []struct{ name, text, found string }{
		{"no heading is the summary", lead, "renal"},
		{"a heading on its line", `Kind people.\nAbout us\n` + lead, ""},
		{"whatever its case", `Kind people.\nABOUT US:\n` + lead, ""},
		{"a heading in a line", "Kind people. About us: " + lead, ""},
		{"the words in a sentence are none", "Tell us about us: no. " + lead, "renal"},
		{"a block behind it counts", `About us\nWe are old.\nMain duties of the job\nRenal.\nJob summary\n` + lead, "renal"},
		{"markup is text", "<h3>About us</h3> " + lead, "renal"},
	} {
		in := "title\ttext\tgold_specialty\nNurse\t" + tc.text + "\tnone\n"
		_, r := relevanceOf(t, in, false)
		want := 0
		if tc.found != "" {
			want = 1
		}
		if got := r.Fields["specialty_stated"].Found; got != want {
			t.Errorf("%s: found %d, want %d", tc.name, got, want)
		}
	}
}

// What the page prints goes before the title; where it prints nothing, the
// title speaks.
func TestRelevancePrinted(t *testing.T) {
	for _, tc := range []struct{ title, scheme, band, gold string }{
		{"Nurse", "Agenda for change", "Band 8A", "8a"},
		{"Nurse Band 7", "Agenda for change", "Band 6", "6"},
		{"Nurse Band 5/6", "Agenda for change", "Band 5", "5|6"},
		{"Nurse Band 7", "", "", "7"},
		{"Nurse", "Agenda for change", "", "none"},
		{"Nurse", "Other", "", "local"},
		{"Consultant in Renal Medicine", "Hospital medical and dental staff", "", "consultant"},
	} {
		in := "title\tpay_scheme\tband_text\tgold_band\n" + strings.Join([]string{tc.title, tc.scheme, tc.band, tc.gold}, "\t")
		_, r := relevanceOf(t, in, false)
		if f := r.Fields["band"]; f.Found != f.Right || f.Missed != 0 {
			t.Errorf("%+v: %+v", tc, f)
		}
	}
}

func TestRelevanceRefuses(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"nothing", "", "no header line"},
		{"comments alone", "# a\n# b\n", "no header line"},
		{"no title", "text\tgold_band\nx\t5\n", "the header names no column title"},
		{"no labels", "title\ttext\nx\ty\n", "the header names no gold column"},
		{"a column twice", "title\tgold_band\tTitle\n", `line 1: the header names "title" twice`},
		{"a cell too few", "# c\ntitle\tgold_band\nNurse\t5\nNurse\n", "line 4: 1 columns where the header names 2"},
		{"a cell too many", "title\tgold_band\nNurse\t5\tx\n", "line 2: 3 columns where the header names 2"},
		{"an empty title", "title\tgold_band\n \t5\n", "line 2: no title"},
		{"a title of a contact alone", "title\tgold_band\njo@example.org\t5\n", ""},
		{"not UTF-8", "title\tgold_band\nN\xfc\t5\n", "the file is not UTF-8"},
		{"an unknown specialty", "title\tgold_specialty\nNurse\toncolgy\n", `line 2: gold_specialty: unknown specialty "oncolgy", did you mean oncology`},
		{"a specialty like no other", "title\tgold_specialty\nNurse\txyzzyxyzzy\n", `line 2: gold_specialty: unknown specialty "xyzzyxyzzy"`},
		{"a group", "title\tgold_specialty\nNurse\tcancer\n", `line 2: gold_specialty: "cancer" is a group, name one of oncology,`},
		{"an empty part", "title\tgold_specialty\nNurse\toncology|\n", `line 2: gold_specialty: unknown specialty ""`},
		{"unknown in also_ok", "title\tgold_specialty\talso_ok\nNurse\toncology\tstrok\n", `line 2: also_ok: unknown specialty "strok", did you mean stroke`},
		{"an unknown band", "title\tgold_band\nNurse\t12\n", `line 2: gold_band: unknown band "12", want one of 2, 3,`},
		{"no postcode", "title\tgold_postcode\nNurse\tLeeds\n", `line 2: gold_postcode: "Leeds" is neither a postcode`},
		{"no pounds", "title\tgold_min\nNurse\tmuch\n", `line 2: gold_min: "much" is not a number of pounds`},
		{"an unknown unit", "title\tgold_unit\nNurse\tannum\n", `line 2: gold_unit: unknown unit "annum", want one of year,`},
	} {
		var out bytes.Buffer
		err := relevance(strings.NewReader(tc.in), &out, "f.tsv", false)
		if tc.want == "" {
			continue // read or refused, but without a panic
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "read f.tsv: ") {
			t.Errorf("%s: got %v, want read f.tsv: …%s", tc.name, err, tc.want)
		}
		if out.Len() > 0 {
			t.Errorf("%s: prints %q beside its error", tc.name, out.String())
		}
	}
	if err := (&relevanceCmd{File: "testdata/absent.tsv"}).Run(&env{stdout: new(bytes.Buffer)}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
}

// Files come from spreadsheets.
func TestRelevanceTolerates(t *testing.T) {
	_, r := relevanceOf(t, "\ufeffTITLE \tGold_Specialty\talso_ok\r\nRenal Nurse\t Renal \t\r\n\r\nStroke Nurse\tstroke/none\tRenal, Oncology\r\n", false)
	f := r.Fields["specialty"]
	if r.Rows != 2 || f.Right != 1 || f.Found != 1 || f.Wanted != 1 || f.Missed != 0 {
		t.Errorf("%d rows, %+v", r.Rows, f)
	}
	if len(r.Groups) != 0 {
		t.Errorf("groups where none are named: %v", r.Groups)
	}
}

// Ten thousand adverts take seconds, so a fault that makes reading slow in
// the length of the file shows.
func BenchmarkRelevance(b *testing.B) {
	data, err := os.ReadFile("testdata/relevance-tune.tsv")
	if err != nil {
		b.Fatal(err)
	}
	rows, err := readLabelled(bytes.NewReader(data))
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if _, err := rows.list[i%len(rows.list)].advert.vacancy(); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzReadLabelled(f *testing.F) {
	f.Add("title\ttext\tgold_specialty\tgold_band\nNurse\tAbout us: x\toncology|renal/stroke\t5\n")
	f.Add("# c\ntitle\tgold_postcode\tgold_min\nA\\n\\t\\\\\tEC1A\t£1,000\n")
	f.Add("title\tsalary_text\tplace_text\tgold_unit\n<b>&amp;\t£1\ta,\\nb\tnone\n")
	f.Fuzz(func(t *testing.T, in string) {
		rows, err := readLabelled(strings.NewReader(in))
		if err != nil {
			return
		}
		s := newScores(rows.fields)
		for _, row := range rows.list {
			for name, w := range row.gold {
				if slices.ContainsFunc(w.items, func(a []string) bool { return len(a) == 0 }) {
					t.Errorf("line %s: %s wants an item of nothing", strconv.Itoa(row.line), name)
				}
			}
			if v, err := row.advert.vacancy(); err == nil {
				s.add(row, &v)
			}
		}
		var out bytes.Buffer
		if err := s.print(&out, "fuzz", true); err != nil {
			t.Fatal(err)
		}
		last := out.Bytes()[bytes.LastIndexByte(bytes.TrimRight(out.Bytes(), "\n"), '\n')+1:]
		if !json.Valid(last) {
			t.Errorf("the last line is no JSON: %q", last)
		}
	})
}
