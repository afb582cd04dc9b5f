package nhsjobs

import (
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", "You type letters. You have 37.5 hours a week, from £33,094 to £36,195 a year, until 01 September 2026.",
			"You type letters. You have 37.5 hours a week, from £33,094 to £36,195 a year, until 01 September 2026."},
		{"seed", "A fine post.\nFor further details of this role, please contact Jo Example jo.example@nhs.example", "A fine post."},
		{"name and number", "A fine post. Call Jo Planted on 0113 496 0000 for a visit. Nights are shared.", "A fine post. Nights are shared."},
		{"in touch", "To talk about this post please get in touch with Jo Planted, jo@norhaven.example 0113 496 0000", ""},
		{"clause", "We welcome questions about oncology, so please email Jo Planted at jo.planted@norhaven.example.", "We welcome questions about oncology, so"},
		{"clause with content", "To join our Medical Oncology team, call Jo Planted on 0113 496 0000.", "To join our Medical Oncology team"},
		{"without a cue", "Oncology ward.\nJo Planted, Service Manager, 020 7946 0000", "Oncology ward."},
		{"doctor", "Contact Dr. Ada Planted, Clinical Lead, on 0113 496 0123 ext 4567. Shifts rotate.", "Shifts rotate."},
		{"name without address", "For an informal discussion please contact Jo Planted, Ward Manager.\nWards are new.", "Wards are new."},
		{"doctor without address", "Please contact Dr Planted for a visit.", ""},
		{"duty to contact", "You will contact patients, families and General Practitioners.", "You will contact patients, families and General Practitioners."},
		{"lines of a block", "Good wards.\nFor details contact:\nJo Planted\nMatron\njo@norhaven.example\nNights are shared.", "Good wards.\nFor details contact:\nMatron\nNights are shared."},
		{"name below the address", "jo@norhaven.example\nJo Planted", ""},
		{"long way", "+44 (0)113 496 0000", ""},
		{"country code", "Ring +44 113 4960000 today", ""},
		{"double zero", "Ring 0044 113 496 0000 today", ""},
		{"brackets", "Good. Ring (0113) 496-0000", "Good."},
		{"mobile", "Good. Text 07700 900123", "Good."},
		{"extension alone", "Good. Ring ext. 4567", "Good."},
		{"bleep", "Good. Ask for bleep 1234", "Good."},
		{"written out", "Good. Write to jo.planted (at) norhaven.example", "Good."},
		{"spaced", "Good. Write to jo.planted @norhaven.example", "Good."},
		{"no domain", "Good. Write to jo.planted@norhaven", "Good."},
		{"account name", "Follow us @norhaven", "Follow us @norhaven"},
		{"sessions", "Two sessions @ 12.50", "Two sessions @ 12.50"},
		{"bullets", "• Oncology • Ring Jo Planted on 0113 496 0000 • Cardiology", "• Oncology • Cardiology"},
		{"services named like people", "We care.\nMedical Oncology\nPress: press.office@norhaven.example", "We care.\nMedical Oncology"},
		{"a long text without stops", strings.Repeat("you like oncology and ", 10) + "Jo Planted 0113 496 0000", strings.TrimSpace(strings.Repeat("you like oncology and ", 10))},
	}
	for _, tt := range tests {
		if got := redact(tt.text, nil); got != tt.want {
			t.Errorf("%s: redact(%q) = %q, want %q", tt.name, tt.text, got, tt.want)
		}
	}
}

func TestRedactNames(t *testing.T) {
	names := []string{"Jo Example", "Dr Ada Planted"}
	for text, want := range map[string]string{
		"Jo Example leads the team.":          "leads the team.",
		"You work with JO  EXAMPLE, and Ann.": "You work with , and Ann.",
		"Ada Planted and Jo Example":          "and",
		"Jo Examples":                         "Jo Examples",
		"Banjo Example":                       "Banjo Example",
	} {
		if got := redact(text, people(names...)); got != want {
			t.Errorf("redact(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestIsName(t *testing.T) {
	for _, s := range []string{"Jo Example", "Dr Planted", "Dr. Ada Planted", "Mary-Ann O'Neill", "José García López", "J. Example"} {
		if !isName(s) {
			t.Errorf("%q is no name", s)
		}
	}
	for _, s := range []string{"", "Jo", "Service Manager", "Medical Oncology", "Recruitment Team", "jo example", "A B C D E", "Ward 5", "Dr"} {
		if isName(s) {
			t.Errorf("%q is a name", s)
		}
	}
}

func FuzzRedact(f *testing.F) {
	for _, s := range []string{"Call Jo Planted on 0113 496 0000.", "a@b", "0 jo@x.example 1 134960000", "ext 123\nJo Planted", "• 0113 • 4960000", "ext\n123 Jo", "Call 0113\n496 0000 now", "ext Jo Planted 123"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := redact(text, people("Jo Planted"))
		if contactIn(got) || strings.Contains(" "+got+" ", " Jo Planted ") {
			t.Fatalf("redact(%q) = %q", text, got)
		}
	})
}
