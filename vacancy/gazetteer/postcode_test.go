package gazetteer

import (
	"strings"
	"testing"
)

func TestNormalisePostcode(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"GL3 4AW", "GL3 4AW"},
		{"GL34AW", "GL3 4AW"},
		{" gl3  4aw ", "GL3 4AW"},
		{"GL3\u00a04AW", "GL3 4AW"},
		{"g l 3 4 a w", "GL3 4AW"},
		{"EC1A7BE", "EC1A 7BE"},
		{"e16an", "E1 6AN"},
		{"E16 1AA", "E16 1AA"},
		{"M11AE", "M1 1AE"},
		{"W1A 0AX", "W1A 0AX"},
		{"NW1 OAA", "NW1 0AA"}, // the letter O
		{"BT9 6AY", "BT9 6AY"},
		{"JE2 3QA", "JE2 3QA"},
		{"LS1-3EX", "LS1 3EX"},
		{"", ""},
		{"NP20", ""},     // outward code
		{"EC1A 7", ""},   // sector
		{"ZZ1 1AA", ""},  // no such area
		{"A1 2BC", ""},   // no such area
		{"LS1 3CX", ""},  // C is never in the second half
		{"LS1 33X", ""},  // a digit too many
		{"LS1 3EXX", ""}, // a letter too many
		{"LS1 3EX Leeds", ""},
		{"LS1, 3EX", ""},
		{"ＬＳ１ ３ＥＸ", ""},
	} {
		got, ok := NormalisePostcode(tt.in)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("NormalisePostcode(%q) = %q, %v, want %q", tt.in, got, ok, tt.want)
		}
	}
}

// splits are sites as adverts print them, with other names where an
// employer's would show.
var splits = []struct {
	in, rest, postcode string
}{
	{"Kilburn NW6 4JH", "Kilburn", "NW6 4JH"},
	{"Brockworth GL34AW", "Brockworth", "GL3 4AW"},
	{"CRAWLEY RH10 8GN", "CRAWLEY", "RH10 8GN"},
	{"London, NW1 2PG", "London", "NW1 2PG"},
	{"London,NW1 2PG", "London", "NW1 2PG"},
	{"Nottinghamshire, NG17 4JL", "Nottinghamshire", "NG17 4JL"},
	{"Liverpool, Merseyside L11 4SJ", "Liverpool, Merseyside", "L11 4SJ"},
	{"Grimsby, Hull, Scunthorpe and Goole DN33 2BA", "Grimsby, Hull, Scunthorpe and Goole", "DN33 2BA"},
	{"Victoria Road, Macclesfield SK10 3BL", "Victoria Road, Macclesfield", "SK10 3BL"},
	{"Cardiff / Talbot Green / Parc Nantgarw CF15 7QZ", "Cardiff / Talbot Green / Parc Nantgarw", "CF15 7QZ"},
	{"Swansea or Cwmbran NP44 7HF", "Swansea or Cwmbran", "NP44 7HF"},
	{"317 01 Anchor Hospital, Newcastle upon Tyne, NE7 7DN", "317 01 Anchor Hospital, Newcastle upon Tyne", "NE7 7DN"},
	{"TBC SA31 3BT", "TBC", "SA31 3BT"},
	{"Remote LS1 3EX", "Remote", "LS1 3EX"},
	{"Across Wales NP44 7HF", "Across Wales", "NP44 7HF"},
	{"The area below is where the role is located: ST13 7AA", "", "ST13 7AA"},
	{"THE AREA BELOW IS WHERE THE ROLE IS LOCATED ST137AA", "", "ST13 7AA"},
	{"Chichester PO19 1XP, \n", "Chichester", "PO19 1XP"},
	{"Peterlee (SR8 2RU)", "Peterlee", "SR8 2RU"},
	{"Leeds (St Jude's) LS9 7TF", "Leeds (St Jude's)", "LS9 7TF"},
	{"Peterlee - sr8 2ru", "Peterlee", "SR8 2RU"},
	{"SR8 2RU", "", "SR8 2RU"},
	{"(sr82ru)", "", "SR8 2RU"},
	{"B5 4TD", "", "B5 4TD"}, // Birmingham, not a pay band
	{"Digbeth B5 4TD", "Digbeth", "B5 4TD"},
	{"b54td", "", "B5 4TD"},
	{"Belfast BT9 6AY", "Belfast", "BT9 6AY"},
	{"NP20", "", "NP20"},
	{"np20", "", "NP20"},

	{"Band B5", "Band B5", ""},
	{"Staff Nurse B6", "Staff Nurse B6", ""},
	{"Band 5", "Band 5", ""},
	{"Newport NP20", "Newport NP20", ""},
	{"London SE1", "London SE1", ""},
	{"EC1A 7", "EC1A 7", ""},
	{"Ward A1 2AB", "Ward A1 2AB", ""}, // there is no area A
	{"Floor B1 2nd", "Floor B1 2nd", ""},
	{"Block M1 4th", "Block M1 4th", ""},
	{"Block E1 Old", "Block E1 Old", ""}, // a letter O is no nought in the middle of prose
	{"Wing B5 4TD Birmingham", "Wing", "B5 4TD"},
	{"B5 4TD Birmingham", "Birmingham", "B5 4TD"},
	{"Leeds LS9 7TF, United Kingdom", "Leeds", "LS9 7TF"},
	{"LS9 7TF, England.", "", "LS9 7TF"},
	{"Leeds, Postcode: LS9 7TF", "Leeds", "LS9 7TF"},
	{"Leeds (St Jude's)", "Leeds (St Jude's)", ""},
	{"Leeds", "Leeds", ""},
	{"B99", "", "B99"},
	{"L99", "L99", ""}, // no such outward code
	{"The area below is where the role is located:", "", ""},
	{"", "", ""},
	{" , ", "", ""},
}

func TestSplitPostcode(t *testing.T) {
	for _, tt := range splits {
		rest, postcode, ok := SplitPostcode(tt.in)
		if rest != tt.rest || postcode != tt.postcode || ok != (tt.postcode != "") {
			t.Errorf("SplitPostcode(%q) = %q, %q, %v, want %q, %q", tt.in, rest, postcode, ok, tt.rest, tt.postcode)
		}
	}
}

func FuzzSplitPostcode(f *testing.F) {
	for _, tt := range splits {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rest, code, ok := SplitPostcode(s)
		if !strings.Contains(s, rest) {
			t.Errorf("SplitPostcode(%q): rest %q is not part of it", s, rest)
		}
		if ok != (code != "") {
			t.Errorf("SplitPostcode(%q) = %q, %v", s, code, ok)
		}
		if !ok {
			return
		}
		if again, whole, ok := SplitPostcode(code); again != "" || whole != code || !ok {
			t.Errorf("SplitPostcode(%q) = %q, %q, %v after %q", code, again, whole, ok, s)
		}
		if strings.Contains(code, " ") {
			if same, ok := NormalisePostcode(code); same != code || !ok {
				t.Errorf("NormalisePostcode(%q) = %q, %v", code, same, ok)
			}
			if r, c, ok := SplitPostcode("Leeds " + code); r != "Leeds" || c != code || !ok {
				t.Errorf("SplitPostcode(Leeds %s) = %q, %q, %v", code, r, c, ok)
			}
		}
	})
}
