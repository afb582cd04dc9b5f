package specialty

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTaxonomy(t *testing.T) {
	all := All()
	if len(all) < 90 {
		t.Fatalf("only %d specialties", len(all))
	}
	seen := map[string]bool{}
	for _, s := range all {
		if s.ID == "" || s.Name == "" || s.Group == "" || seen[s.ID] {
			t.Errorf("%+v is incomplete or stands twice", s)
		}
		seen[s.ID] = true
	}
	all[0].ID = "changed"
	if All()[0].ID == "changed" {
		t.Error("a caller can change the taxonomy")
	}
	got, ok := Lookup("acute")
	want := Specialty{ID: "acute", Name: "Acute internal medicine", Group: "critical", Codes: []string{"m326", "t326"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Specialty{})); diff != "" || !ok {
		t.Errorf("Lookup(acute) (-want +got)\n%s", diff)
	}
	if _, ok := Lookup("astrology"); ok {
		t.Error("Lookup finds astrology")
	}
	if g := Groups(); len(g) == 0 || g[0] != "cancer" {
		t.Errorf("Groups() = %v", g)
	}
}

func TestExpand(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
	}{
		{"cancer", []string{"oncology", "radiotherapy", "haematology", "palliative", "breast"}},
		{"oncology", []string{"oncology"}},
		{"pharmacy", []string{"pharmacy"}},
		{"Oncology", nil},
		{"", nil},
	} {
		got, ok := Expand(tc.in)
		if diff := cmp.Diff(tc.want, got); diff != "" || ok != (tc.want != nil) {
			t.Errorf("Expand(%q), %v (-want +got)\n%s", tc.in, ok, diff)
		}
	}
	ids, _ := Expand("cancer")
	ids[0] = "changed"
	if again, _ := Expand("cancer"); again[0] == "changed" {
		t.Error("a caller can change a group")
	}
}

func TestResolve(t *testing.T) {
	for in, want := range map[string]string{
		"oncology":                        "oncology",
		"Oncology":                        "oncology",
		"A&E":                             "emergency",
		"a & e":                           "emergency",
		"cancer":                          "oncology",
		"Ear, nose and throat":            "ent",
		"critical-care":                   "critical-care",
		"Older people's medicine":         "geriatrics",
		"O&G":                             "", // two
		"obstetrics":                      "obstetrics",
		"PICU":                            "",
		"astrology":                       "",
		"":                                "",
		"Palliative and End of Life care": "palliative",
	} {
		got, ok := Resolve(in)
		if got != want || ok != (want != "") {
			t.Errorf("Resolve(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
}

func TestSuggest(t *testing.T) {
	for _, tc := range []struct {
		in    string
		first string
	}{
		{"oncolgy", "oncology"},
		{"onclogy", "oncology"},
		{"cardiolgy", "cardiology"},
		{"paediatircs", "paediatrics"},
		{"orthopedics", "orthopaedics"},
		{"mental-helth", "mental-health"},
		{"haemato", "haematology"},
		{"xyzzyxyzzy", ""},
		{"", ""},
	} {
		got := Suggest(tc.in)
		if len(got) > 3 {
			t.Errorf("Suggest(%q) gives %d", tc.in, len(got))
		}
		if tc.first == "" && got != nil || tc.first != "" && (len(got) == 0 || got[0] != tc.first) {
			t.Errorf("Suggest(%q) = %v, want %q first", tc.in, got, tc.first)
		}
	}
}
