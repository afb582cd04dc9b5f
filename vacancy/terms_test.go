package vacancy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseContract(t *testing.T) {
	for text, want := range map[string]string{
		"Fixed-Term": "Fixed term", "Fixed term": "Fixed term", "fixed-term": "Fixed term", "FIXED TERM": "Fixed term",
		"\n  Permanent\n ": "Permanent", "nhs reservist": "NHS Reservist", "Bank": "Bank", "Apprenticeship": "Apprenticeship",
		"Zero  hours": "Zero hours", "": "",
	} {
		if got := ParseContract(text); got != want {
			t.Errorf("ParseContract(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestParsePatterns(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{"Full-time", []string{"Full time"}},
		{"full-time", []string{"Full time"}},
		{"Full time, Part time", []string{"Full time", "Part time"}},
		{"Full-time,\n Part-time, Job-share,\nFlexible working", []string{"Full time", "Part time", "Job share", "Flexible working"}},
		{"remote-working", []string{"Home or remote working"}},
		{"Home or remote working", []string{"Home or remote working"}},
		{"compressed-hours,term-time-hours,annualised-hours", []string{"Compressed hours", "Term time hours", "Annualised hours"}},
		{"Nights only", []string{"Nights only"}},
		{"Full time,,", []string{"Full time"}},
		{"", nil},
		{" , ", nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, ParsePatterns(tt.text)); diff != "" {
			t.Errorf("ParsePatterns(%q) (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestKnownTerms(t *testing.T) {
	for _, c := range Contracts() {
		for _, form := range []string{c, strings.ToLower(c), strings.ReplaceAll(c, " ", "-"), strings.ToUpper(c)} {
			if got := ParseContract(form); got != c {
				t.Errorf("ParseContract(%q) = %q, want %q", form, got, c)
			}
		}
	}
	for _, p := range WorkingPatterns() {
		for _, form := range []string{p, strings.ToLower(p), strings.ReplaceAll(p, " ", "-")} {
			if got := ParsePattern(form); got != p {
				t.Errorf("ParsePattern(%q) = %q, want %q", form, got, p)
			}
		}
	}
	if Fold("Fixed-Term") != Fold("fixed term") || Fold("Full time") == Fold("Part time") {
		t.Error("Fold does not tell terms apart, or not together")
	}
}
