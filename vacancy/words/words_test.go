package words

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNormalise(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"Staff Nurses", "staff nurse"},
		{"A&E", "a and e"},
		{"Trauma & Orthopaedics", "trauma and orthopaedic"},
		{"Medical Secretary/Patient Care Co-ordinator", "medical secretary patient care coordinator"},
		{"Co ordinators", "coordinator"},
		{"Out-patients", "outpatient"},
		{"In-patient and in patient care", "inpatient and in patient care"},
		{"Healthcare Assistant", "health care assistant"},
		{"on-call oncall", "on call on call"},
		{"Children’s nurse's nurses'", "children nurse nurse"},
		{"O'Brien don't", "obrien dont"},
		{"Parkinson's", "parkinson"},
		{"GPs and OTs", "gp and ot"},
		{"ODPs", "odp"},
		{"bodies dies allergies", "body die allergy"},
		{"news virus analysis class bus", "news virus analysis class bus"},
		{"diabetes", "diabetes"},
		{"Ysbyty Glan Clwŷd Ẁẃ Café", "ysbyty glan clwyd ww cafe"},
		{"e\u0301lan", "elan"},
		{"ﬁrst ofﬁce Œdema", "first office oedema"},
		{"Ｎｕｒｓｅ １２", "nurse 12"},
		{"𝐍𝐮𝐫𝐬𝐞 𝟕", "nurse 7"},
		{"m² 10³", "m2 103"},
		{"Straße", "strasse"},
		{"0–19 service", "0 19 service"},
		{"soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"},
		{"hematology, pediatrics", "haematology paediatric"},
		{"b2s x1s", "b2s x1s"},
		{" – / ... ", ""},
		{"", ""},
	} {
		if got := Normalise(tc.in); got != tc.want {
			t.Errorf("Normalise(%q)\n got %q\nwant %q", tc.in, got, tc.want)
		}
	}
}

func TestTokensKeepTheOriginal(t *testing.T) {
	text := "The Children’s ward: ODPs & co-ordinators (healthcare)"
	var got []string
	for _, tok := range Tokens(text) {
		got = append(got, tok.Word+" <"+tok.Cased+"> "+text[tok.Start:tok.End])
	}
	want := []string{
		"the <The> The",
		"children <Children> Children’s",
		"ward <ward> ward",
		"odp <ODPs> ODPs",
		"and <&> &",
		"coordinator <co-ordinators> co-ordinators",
		"health <healthcare> healthcare",
		"care <healthcare> healthcare",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tokens (-want +got)\n%s", diff)
	}
}

// Sentences are shown with | before a sentence and ¶ before a paragraph.
func TestBreaks(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"stops", "One two. Three! Four? Five", "one two | three | four | five"},
		{"abbreviations", "e.g. this, i.e. that. Dr. Smith at 8.30 a.m. now", "e g this i e that | dr smith at 8 30 a m now"},
		{"decimals and addresses", "37.5 hours, see nhs.example", "37 5 hour see nhs example"},
		{"blank line", "One\n\nTwo", "one ¶ two"},
		{"line after a full stop", "One.\nTwo", "one ¶ two"},
		{"wrapped line", "our Medical\nteam of nurses", "our medical team of nurse"},
		{"heading", "Main duties\nThe nurse", "main duty | the nurse"},
		{"bullets", "We offer:\n• Cardiology.\n• Renal • Stroke", "we offer | cardiology | renal | stroke"},
		{"windows lines", "One.\r\n\r\nTwo", "one ¶ two"},
		{"closing quote", `said "stop". Then went`, "said stop | then went"},
	} {
		var b strings.Builder
		for i, tok := range Tokens(tc.in) {
			if i > 0 {
				b.WriteString(map[Break]string{NoBreak: " ", SentenceBreak: " | ", ParagraphBreak: " ¶ "}[tok.Break])
			}
			b.WriteString(tok.Word)
		}
		if b.String() != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, b.String(), tc.want)
		}
	}
}

func TestShouted(t *testing.T) {
	for text, want := range map[string]bool{
		"STAFF NURSE - RESPIRATORY": true,
		"ICU RN":                    false,
		"Staff Nurse ICU":           false,
		"":                          false,
	} {
		if got := Shouted(text); got != want {
			t.Errorf("Shouted(%q) = %v, want %v", text, got, want)
		}
	}
}

// TestVariantsFile holds the list to what makes Normalise idempotent.
func TestVariantsFile(t *testing.T) {
	if !strings.HasPrefix(variantsFile, "# ") || !strings.Contains(variantsFile, "Source:") || !strings.Contains(variantsFile, "\n# Licence:") {
		t.Error("variants.tsv does not begin with its source and licence")
	}
	parts := map[string]string{} // word of a from that needs no hyphen
	for _, row := range Rows(variantsFile, 3) {
		switch row[0] {
		case "keep":
			if got := Normalise(row[1]); got != row[1] {
				t.Errorf("kept word %q normalises to %q", row[1], got)
			}
		case "variant":
			if !strings.Contains(row[1], "-") {
				for _, w := range rawWords(row[1]) {
					parts[w] = row[1]
				}
			}
		default:
			t.Errorf("unknown kind %q", row[0])
		}
	}
	for _, row := range Rows(variantsFile, 3) {
		if row[0] != "variant" {
			continue
		}
		if got := Normalise(row[1]); got != row[2] {
			t.Errorf("Normalise(%q) = %q, want %q", row[1], got, row[2])
		}
		for _, w := range rawWords(row[2]) {
			if from, ok := parts[w]; ok {
				t.Errorf("%q in the result of %q is part of the variant %q", w, row[1], from)
			}
		}
	}
}

func TestRowsRefusesTooManyColumns(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("three columns of two did not panic")
		}
	}()
	Rows("a\tb\tc\n", 2)
}

func TestTrieLongest(t *testing.T) {
	var trie Trie
	phrases := []string{"critical care", "psychiatric intensive care", "intensive care", "care", "ICU", "care"}
	for i, p := range phrases {
		trie.Add(Split(p), i)
	}
	trie.Add(nil, 9)
	for _, tc := range []struct {
		name, text string
		refuse     int
		length     int
		values     []int
	}{
		{"longest", "psychiatric intensive care unit", -1, 3, []int{1}},
		{"shared", "care", -1, 1, []int{3, 5}},
		{"one of two refused", "care", 3, 1, []int{5}},
		{"refused", "icu", 4, 0, nil},
		{"not across a sentence", "Intensive. Care", -1, 0, nil},
		{"nothing", "ward", -1, 0, nil},
	} {
		n, values := trie.Longest(Tokens(tc.text), 0, func(_, v int) bool { return v != tc.refuse })
		if n != tc.length || !slices.Equal(values, tc.values) {
			t.Errorf("%s: got %d %v, want %d %v", tc.name, n, values, tc.length, tc.values)
		}
	}
}

func TestDoc(t *testing.T) {
	d := NewDoc(
		Field{Title, "Staff Nurse"},
		Field{Summary, " "},
		Field{Duties, "Lead the shift. Nurse patients; staff rotas"},
	)
	if len(d.Blocks) != 2 || d.Blocks[1].Name != Duties {
		t.Fatalf("got blocks %v, want title and duties", d.Blocks)
	}
	for _, tc := range []struct {
		phrase, in  string
		block, word int
		ok          bool
	}{
		{"nurse", "", 0, 1, true},
		{"nurse", Duties, 1, 3, true},
		{"nurse patient staff", "", 1, 3, true},
		{"nurse lead", "", 0, 0, false}, // not across blocks
		{"staff rota", Title, 0, 0, false},
		{"", "", 0, 0, false},
	} {
		block, word, ok := d.Find(Split(tc.phrase), tc.in)
		if block != tc.block || word != tc.word || ok != tc.ok {
			t.Errorf("Find(%q, %q) = %d, %d, %v, want %d, %d, %v", tc.phrase, tc.in, block, word, ok, tc.block, tc.word, tc.ok)
		}
	}
	if !d.Has("rota") || d.Has("rotas") {
		t.Error("Has does not speak of normalised words")
	}
	n := 0
	d.Words(func(string) bool { n++; return n < 3 })
	if n != 3 {
		t.Errorf("Words went on after false: %d words", n)
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"Staff Nurses' co-ordinator", "A&E’s", "İstanbul ŉ", "x'ss's", "out pat\nients", "co co ordinator", "Co*ordinAtor", "oncallhealthcare", "𝐍ª²", "\xff’s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Normalise(s)
		if twice := Normalise(once); twice != once {
			t.Errorf("Normalise(%q) = %q, and again %q", s, once, twice)
		}
		last := 0
		for _, tok := range Tokens(s) {
			if tok.Word == "" || tok.Start < 0 || tok.End <= tok.Start || tok.End > len(s) || tok.Start < last {
				t.Fatalf("token %+v of %q is out of order", tok, s)
			}
			last = tok.Start
		}
	})
}
