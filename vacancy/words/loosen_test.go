package words

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func query(t testing.TB, s string) *Query {
	t.Helper()
	q, err := Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestNever(t *testing.T) {
	for _, tt := range []struct{ query, want string }{
		{"nurse NOT nurse", "nurse"},
		{"nurse NOT Nurses", "Nurses"},
		{`"staff nurse" NOT nurse`, "nurse"},
		{"nurse NOT (bank OR nurse)", "nurse"},
		{"(nurse OR sister) NOT nurse NOT sister", "sister"},
		{"nurse (bank OR locum) NOT (bank OR locum)", "locum"},
		{"title:nurse NOT nurse", "nurse"},
		{"nurse NOT bank", ""},
		{`nurse NOT "staff nurse"`, ""},
		{"nurse NOT title:nurse", ""},
		{"(nurse OR sister) NOT nurse", ""},
		{"nurse NOT (bank nurse)", ""},
		{"NOT bank", ""},
	} {
		word, never := query(t, tt.query).Never()
		if word != tt.want || never != (tt.want != "") {
			t.Errorf("Never of %s = %q, %v, want %q", tt.query, word, never, tt.want)
		}
	}
}

func TestNearly(t *testing.T) {
	d := NewDoc(Field{Title, "Staff Nurse"}, Field{Summary, "A ward clerk helps the medical team; the secretary types."})
	for _, tt := range []struct{ query, want, change string }{
		{"title:secretary", "secretary", `"secretary" anywhere in the advert, not only in the title`},
		{`nurse "medical secretary"`, `nurse "medical" "secretary"`, `the words of "medical secretary" without standing side by side`},
		{`title:"ward clerk" NOT bank`, `"ward clerk" NOT bank`, `"ward clerk" anywhere in the advert, not only in the title`},
		{`title:"nurse staff"`, `title:"nurse" title:"staff"`, `the words of "nurse staff" without standing side by side`},
		{"nurse", "", ""},                           // met
		{"porter", "", ""},                          // not there at all
		{"title:secretary title:clerk", "", ""},     // two are missing
		{"title:secretary NOT ward", "", ""},        // excluded
		{"(title:secretary OR porter)", "", ""},     // no single term
		{`"medical porter"`, "", ""},                // one of the words is missing
		{`title:"medical secretary clerk"`, "", ""}, // neither in the title nor side by side
	} {
		q := query(t, tt.query)
		got, change, ok := q.Nearly(d)
		text := ""
		if ok {
			text = got.String()
			if met, why := got.Match(d); !met {
				t.Errorf("%s: eased to %s, which is not met: %s", tt.query, text, why)
			}
			if again := query(t, text).String(); again != text {
				t.Errorf("%s: eased to %s, which is read as %s", tt.query, text, again)
			}
		}
		if text != tt.want || change != tt.change {
			t.Errorf("%s: got %q, %q, want %q, %q", tt.query, text, change, tt.want, tt.change)
		}
	}
}

func TestRelax(t *testing.T) {
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"nurse", []string{"nothing without nurse"}},
		{"nurse oncology NOT bank", []string{"oncology NOT bank without nurse", "nurse NOT bank without oncology"}},
		{`(nurse OR sister) "day unit"`, []string{`"day unit" without nurse OR sister`, `nurse OR sister without "day unit"`}},
		{"NOT bank", nil},
	} {
		var got []string
		for _, r := range query(t, tt.query).Relax() {
			text := "nothing"
			if r.Query != nil {
				text = r.Query.String()
			}
			got = append(got, text+" without "+r.Dropped)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.query, diff)
		}
	}
}

func TestExcludes(t *testing.T) {
	for q, want := range map[string]bool{"nurse": false, "nurse NOT bank": true, "nurse OR (sister NOT bank)": true} {
		if got := query(t, q).Excludes(); got != want {
			t.Errorf("Excludes of %s is %v", q, got)
		}
	}
}

func TestPossible(t *testing.T) {
	for _, tt := range []struct {
		query, text string
		want        bool
	}{
		{"nurse", "Staff NURSES’ rota", true},
		{"nurse", "Ward clerk", false},
		{"study", "clinical studies", true},
		{"study", "clinical trials", false},
		{"nurse ward", "nurse", false},
		{"nurse OR ward", "ward", true},
		{"nurse OR ward", "clerk", false},
		{"NOT nurse", "nurse", true},         // left to Match
		{"midwife", "Band 6 midwives", true}, // a variant
		{"midwife", "nothing", true},
		{"A&E", "clinic", false},
		{"ward", "Wàrd", true}, // beyond ASCII
		{"oclock", "nine o'clock", true},
		{"ward", "the “ward” – £5", true},
	} {
		if got := query(t, tt.query).Possible("", tt.text); got != tt.want {
			t.Errorf("Possible(%q) of %s = %v", tt.text, tt.query, got)
		}
	}
}

// A query that can never be met is met by no document, and one that was
// relaxed or eased is met wherever the whole was.
func FuzzLoosen(f *testing.F) {
	f.Add("nurse NOT bank", "nurse bank")
	f.Add(`title:"ward nurse" (a OR b) NOT (c OR "d e")`, "nurse of the ward: a d e")
	f.Add(`"staff nurse" NOT nurse`, "staff nurse")
	f.Add(`"day unit" OR study OR midwife OR e-mail`, "Study day units: MIDWIVES' studies, in-patients and A&E’s e‐mails")
	f.Fuzz(func(t *testing.T, expression, text string) {
		q, err := Parse(expression)
		if err != nil {
			return
		}
		head, rest, _ := strings.Cut(text, " ")
		d := NewDoc(Field{Title, head}, Field{Summary, rest})
		met, _ := q.Match(d)
		if word, never := q.Never(); never && met {
			t.Errorf("%s is met by %q, and %q should prevent it", q, text, word)
		}
		if met && !q.Possible(head, rest) {
			t.Errorf("%s is met by %q and was said to be impossible", q, text)
		}
		for _, r := range q.Relax() {
			if r.Query == nil {
				continue
			}
			if ok, why := r.Query.Match(d); met && !ok {
				t.Errorf("%s is met by %q, and without %s it is not: %s", q, text, r.Dropped, why)
			}
		}
		if eased, _, ok := q.Nearly(d); ok {
			if now, why := eased.Match(d); met || !now {
				t.Errorf("%s (met: %v) was eased to %s: %s", q, met, eased, why)
			}
		}
	})
}
