package words

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t *testing.T, s string) *Query {
	t.Helper()
	q, err := Parse(s)
	if err != nil {
		t.Fatalf("Parse(%q): %v", s, err)
	}
	return q
}

func TestParse(t *testing.T) {
	for _, tc := range []struct{ in, printed, words string }{
		{"nurse", "nurse", "nurse"},
		{"nurse oncology -bank", "nurse oncology NOT bank", "all of: nurse, oncology; none of: bank"},
		{"nurse AND oncology and not bank", "nurse oncology NOT bank", "all of: nurse, oncology; none of: bank"},
		{"nurse or midwife", "nurse OR midwife", "any of: nurse, midwife"},
		{"nurse|midwife||sister", "nurse OR midwife OR sister", "any of: nurse, midwife, sister"},
		{"a b or c d", "a b OR c d", "any of: (all of: a, b), (all of: c, d)"},
		{"a (b or c)", "a (b OR c)", "all of: a, (any of: b, c)"},
		{"(a b) ((c)) or (d or e)", "a b c OR d OR e", "any of: (all of: a, b, c), d, e"},
		{`"ward clerk" -"bank staff"`, `"ward clerk" NOT "bank staff"`, `"ward clerk"; none of: "bank staff"`},
		{"“ward   clerk”", `"ward clerk"`, `"ward clerk"`},
		{"A&E nurse", "A&E nurse", "all of: A&E, nurse"},
		{"nurse & midwife", "nurse midwife", "all of: nurse, midwife"},
		{"title:secretary -title:bank", "title:secretary NOT title:bank", "secretary in the title; none of: bank in the title"},
		{`Title:"staff nurse"`, `title:"staff nurse"`, `"staff nurse" in the title`},
		{"co-ordinator", "co-ordinator", "co-ordinator"},
		{"nurse, midwife; sister", "nurse midwife sister", "all of: nurse, midwife, sister"},
		{"NOT bank", "NOT bank", "none of: bank"},
		{"-bank -agency", "NOT bank NOT agency", "none of: bank, agency"},
		{"not (a or b)", "NOT (a OR b)", "none of: (any of: a, b)"},
		{"not (not a)", "a", "a"},
		{`"and" "not"`, `"and" "not"`, "all of: and, not"},
		{"title:not", "title:not", "not in the title"},
	} {
		q := mustParse(t, tc.in)
		if got := q.String(); got != tc.printed {
			t.Errorf("Parse(%q).String() = %q, want %q", tc.in, got, tc.printed)
		}
		if got := q.Words(); got != tc.words {
			t.Errorf("Parse(%q).Words() = %q, want %q", tc.in, got, tc.words)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct {
		in  string
		pos int
		msg string
	}{
		{"", 0, "there is no word to look for: write at least one, or leave the keywords out"},
		{" , ", 0, "there is no word to look for: write at least one, or leave the keywords out"},
		{`nurse "ward clerk`, 6, `the quote before "ward" is never closed: add one at the end of the phrase, or take it out`},
		{`nurse ""`, 6, "there is no word between the quotes: write the phrase to look for, or take them out"},
		{`nurse "?!"`, 6, "there is no word between the quotes: write the phrase to look for, or take them out"},
		{"(nurse", 0, `"(" is never closed: put ")" at the end of its group`},
		{"nurse)", 5, `")" closes nothing: take it out, or put "(" where its group begins`},
		{")nurse", 0, `")" closes nothing: take it out, or put "(" where its group begins`},
		{"nurse ()", 6, `"()" holds no word: write one between the brackets, or take them out`},
		{"nurse AND", 6, `"AND" has no word behind it: put a word there, or write the operator in quotes to look for the word itself`},
		{"(nurse or) x", 7, `"or" has no word behind it: put a word there, or write the operator in quotes to look for the word itself`},
		{"or nurse", 0, `"or" has no word before it: put a word there, or write the operator in quotes to look for the word itself`},
		{"nurse and or x", 10, `"or" follows "and" without a word between them: put a word there, or write the operator in quotes to look for the word itself`},
		{"not not nurse", 4, `"not" follows "not": one is enough to exclude a word`},
		{"nurse - bank", 6, `"-" stands alone: put it right before the word to exclude, or take it out`},
		{"nurse / bank", 6, `"/" has neither letters nor digits: take it out`},
		{"title: nurse", 0, `"title:" has no word right behind it: write title:nurse or title:"staff nurse"`},
		{"title:(a or b)", 0, `"title:" does not take a group: put it before each word, as in (title:nurse OR title:sister)`},
		{strings.Repeat("(", 8) + "a" + strings.Repeat(")", 8), 7, "brackets stand more than 7 deep here: take some out, most change nothing"},
		{strings.Repeat("a ", 64) + "bank", 128, `"bank" is the 65th word or phrase, and 64 are allowed: make two searches of it`},
	} {
		_, err := Parse(tc.in)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("Parse(%q): got error %v, want a SyntaxError", tc.in, err)
			continue
		}
		if diff := cmp.Diff(SyntaxError{tc.pos, tc.msg}, *syntax); diff != "" {
			t.Errorf("Parse(%q) (-want +got)\n%s", tc.in, diff)
		}
	}
	_, err := Parse("nurse)")
	if want := `")" closes nothing: take it out, or put "(" where its group begins (at position 6)`; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestLimitsAreInclusive(t *testing.T) {
	mustParse(t, strings.Repeat("a ", MaxTerms))
	mustParse(t, strings.Repeat("(", MaxDepth-1)+"a"+strings.Repeat(")", MaxDepth-1))
}

func TestMatch(t *testing.T) {
	d := NewDoc(
		Field{Title, "Medical Secretary/Patient Care Co-ordinator"},
		Field{Summary, "Join our oncology service. No bank holidays."},
		Field{Duties, "Typing letters for the A&E team"},
		Field{PersonSpec, "Audio typing"},
	)
	for _, tc := range []struct {
		query    string
		ok       bool
		evidence string
	}{
		{"Secretaries", true, `"Secretaries" in the title`},
		{"secretary oncology", true, `"secretary" in the title, "oncology" in the summary`},
		{"secretary -bank", false, `"bank" in the summary, which is excluded`},
		{"secretary -agency", true, `"secretary" in the title`},
		{"-agency", true, `no "agency"`},
		{"-agency -locum", true, `no "agency", no "locum"`},
		{"-title:bank", true, `"bank" is not in the title`},
		{"nurse or midwife", false, `none of "nurse", "midwife" is there`},
		{"nurse or typing", true, `"typing" in the duties`},
		{"nurse or (typing bank -oncology)", false, `"nurse" is missing, and "oncology" in the summary, which is excluded`},
		{"secretary nurse", false, `"nurse" is missing`},
		{"title:oncology", false, `"oncology" is not in the title`},
		{`"audio typing"`, true, `"audio typing" in the person specification`},
		{`"typing audio"`, false, `"typing audio" is missing`},
		{"a&e", true, `"a&e" in the duties`},
		{"coordinator", true, `"coordinator" in the title`},
		{"secret", false, `"secret" is missing`},
		{"not (oncology typing)", false, `"oncology" in the summary, "typing" in the duties, which is excluded`},
		{"not (oncology nurse)", true, `"nurse" is missing`},
		{"bank or -agency", true, `"bank" in the summary`},
		{"-agency or nurse", true, `no "agency"`},
	} {
		ok, evidence := mustParse(t, tc.query).Match(d)
		if ok != tc.ok || evidence != tc.evidence {
			t.Errorf("Match(%q)\n got %v %s\nwant %v %s", tc.query, ok, evidence, tc.ok, tc.evidence)
		}
	}
}

func TestOnlyNot(t *testing.T) {
	for query, want := range map[string]bool{
		"nurse":                false,
		"nurse -bank":          false,
		"-bank":                true,
		"-bank -agency":        true,
		"nurse or -bank":       true,
		"nurse or (ward -x)":   false,
		"not (nurse or ward)":  true,
		"not (nurse -bank)":    true,
		"not (nurse or -bank)": false,
	} {
		if got := mustParse(t, query).OnlyNot(); got != want {
			t.Errorf("OnlyNot(%q) = %v, want %v", query, got, want)
		}
	}
}

func TestHints(t *testing.T) {
	for query, want := range map[string][]string{
		"nurse midwife":         nil,
		"nurse, or midwife":     nil,
		"nurse, midwife":        {"A comma separates words that must all be there. To accept any one of them, write OR between them."},
		"nurse band 5":          {"Band 5 as a keyword finds only adverts that print those words. The band criterion finds them all."},
		`nurse -"Band 8a post"`: {"Band 8a as a keyword finds only adverts that print those words. The band criterion finds them all."},
		"band music":            nil,
		"band":                  nil,
	} {
		if diff := cmp.Diff(want, mustParse(t, query).Hints()); diff != "" {
			t.Errorf("Hints(%q) (-want +got)\n%s", query, diff)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"nurse oncology -bank", `a or "b c" | (d -(e f))`, `title:"x" not title:y`, "“a” , ; --b", "A&E & -\"x\"", "((((((((", "not(not(a))", "\xff\"\x80\"", "title:title:and",
	} {
		f.Add(s)
	}
	d := NewDoc(Field{Title, "Staff Nurse A&E"}, Field{Summary, "a b c, d e f and x or y"})
	f.Fuzz(func(t *testing.T, s string) {
		q, err := Parse(s)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Pos < 0 || syntax.Pos > len(s) {
				t.Fatalf("Parse(%q): bad error %#v", s, err)
			}
			return
		}
		again, err := Parse(q.String())
		if err != nil {
			t.Fatalf("Parse(%q) prints %q, which is refused: %v", s, q, err)
		}
		if diff := cmp.Diff(q.Root(), again.Root()); diff != "" {
			t.Fatalf("Parse(%q) prints %q, another tree (-want +got)\n%s", s, q, diff)
		}
		if ok, evidence := q.Match(d); evidence == "" {
			t.Errorf("Match of %q is %v without evidence", s, ok)
		}
		if ok, _ := q.Match(NewDoc()); ok != q.OnlyNot() {
			t.Errorf("%q matches nothing: %v, but OnlyNot is %v", s, ok, q.OnlyNot())
		}
	})
}
