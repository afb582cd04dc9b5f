package nhsjobs

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// contacts are written in every form that the expressions know, and cues.
var contacts = []string{
	"jo@norhaven.example", "jo.planted @norhaven.example", "jo (at) norhaven.example", "jo[AT]norhaven.example", "jo@norhaven", "é@ñ",
	"0113 496 0000", "01134960000", "(0113) 496-0000", "0 113 496 0000", "0113\n496\n0000", "020 7946 0000", "+44 (0)113 496 0000",
	"+441134960000", "0044 113 496 000", "07700 900123", "0113.496.0000 ext 4567", "0113 496 0000, x 12", "ext 4567", "EXT.4567",
	"extn: 4567", "extenſion 4567", "Extension number: 123", "bleep 1234", "tel 496000", "Tel. no. 123", "mob:\t07700", "mobile no 123",
	"Telephone Number 123", "phone 123",
	"please contact", "get in touch", "CALL", "to ring", "do not hesitate to telephone", "phone", "e-mail", "email", "speak to",
	"ſpeak with", "xſpeak to", "spea\u212a to", "tal\u212a to", "reach", "liaise with", "liaiſe with", "enquiries to", "queries to", "addressed to", "tel", "mob", "mobile",
}

// checkLooks holds the looks at the bytes against the expressions that they
// stand in for.
func checkLooks(t *testing.T, s string) {
	t.Helper()
	if !mayMail(s) && mailRE.MatchString(s) {
		t.Errorf("mayMail overlooks %q in %q", mailRE.FindString(s), s)
	}
	if !mayPhone(s) && phoneRE.MatchString(s) {
		t.Errorf("mayPhone overlooks %q in %q", phoneRE.FindString(s), s)
	}
	if !mayCue(s) && cueRE.MatchString(s) {
		t.Errorf("mayCue overlooks %q in %q", cueRE.FindString(s), s)
	}
}

// TestLooks plants contacts in the texts of simulated pages. The texts alone
// must hardly ever need an expression, or reading is slow again.
func TestLooks(t *testing.T) {
	for _, s := range contacts {
		checkLooks(t, s)
	}
	_, ads := simulated(t, 3, 1, 20)
	dice := rand.New(rand.NewPCG(1, 2))
	lines, asked := 0, 0
	for _, p := range ads {
		doc, err := parseHTML(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range outlineOf(doc).items {
			checkLooks(t, it.text)
			if len(it.text) > 40 {
				lines++
				if mayMail(it.text) || mayPhone(it.text) {
					asked++
				}
			}
			for range 5 {
				at := dice.IntN(len(it.text) + 1)
				checkLooks(t, it.text[:at]+contacts[dice.IntN(len(contacts))]+contacts[dice.IntN(len(contacts))]+it.text[at:])
			}
		}
	}
	if lines < 200 || asked*20 > lines {
		t.Errorf("an expression was needed for %d of %d lines", asked, lines)
	}
}

func FuzzLooks(f *testing.F) {
	for _, s := range contacts {
		f.Add(s)
		f.Add("x" + s + " (at")
	}
	f.Fuzz(func(t *testing.T, s string) { checkLooks(t, s) })
}

// FuzzContainsFold holds containsFold against (?i).
func FuzzContainsFold(f *testing.F) {
	for _, s := range [][2]string{{"Jo Example", "jo"}, {"JOſÉ", "josé"}, {"\u212aemi", "Kemi"}, {"Σίσυφος", "ΣΊΣΥΦΟΣ"}, {"a\xffb", "\ufffd"}, {"@[", "`{"}, {"ß", "SS"}, {"", "a"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, text, word string) {
		re, err := regexp.Compile("(?i)" + regexp.QuoteMeta(word))
		if err != nil {
			return
		}
		if got, want := containsFold(text, word), re.MatchString(text); got != want {
			t.Fatalf("containsFold(%q, %q) = %t, want %t", text, word, got, want)
		}
	})
}

// TestPersonKept uses one name on several texts: what was made for the first
// serves the others.
func TestPersonKept(t *testing.T) {
	names := people("Dr Jo Planted")
	for range 2 {
		if got := redact("Wards are led by JO\nPlanted now.", names); strings.Contains(strings.ToLower(got), "planted") {
			t.Errorf("the name is left in %q", got)
		}
		if got, want := redact("Jo is not planted here.", names), "Jo is not planted here."; got != want {
			t.Errorf("redact = %q, want %q", got, want)
		}
	}
}
