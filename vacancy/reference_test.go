package vacancy

import "testing"

func TestValidReference(t *testing.T) {
	for _, ref := range []string{
		"A4134-26-0005", "U0080-26-0000", "U0080-26-20807", "E0023-26155", "U0080-20402", "U0080-2026-20442-2",
		"C9439-2627-NP-1228", "C9798-2418", "C9165-26-05-052a", "C9835-HC26-001", "M9439-24-0020",
	} {
		if !ValidReference(ref) {
			t.Errorf("%q is not valid", ref)
		}
		v := Vacancy{Reference: ref}
		if got := v.Account(); got != ref[:5] {
			t.Errorf("the account of %q is %q", ref, got)
		}
	}
	for _, ref := range []string{
		"", "C9259", "C9259-", "c9259-26-0123", "C925-26-0123", "C92599-26-0123", "C9259_26_0123", "C9259-26/0123",
		"259-7758849SBH-A", "847-RM-26-V945", "C9259-26-0123 ", "É9259-26-01", "C9259-26-é",
		"C9259-000000000000000000000000000000000000000000000000000000000000",
	} {
		if ValidReference(ref) {
			t.Errorf("%q is valid", ref)
		}
		v := Vacancy{Reference: ref}
		if got := v.Account(); got != "" {
			t.Errorf("the account of %q is %q", ref, got)
		}
	}
}

func TestSplitRun(t *testing.T) {
	tests := []struct {
		ref, stem string
		run       byte
	}{
		{"259-7758849SBH-A", "259-7758849SBH", 'A'}, {"259-7758849SBH-B", "259-7758849SBH", 'B'},
		{"259-7758849SBH", "259-7758849SBH", 0}, {"847-RM-26-V945", "847-RM-26-V945", 0}, {"914-JOBREF-a", "914-JOBREF-a", 0},
		{"-A", "-A", 0}, {"", "", 0},
	}
	for _, tt := range tests {
		if stem, run := SplitRun(tt.ref); stem != tt.stem || run != tt.run {
			t.Errorf("SplitRun(%q) = %q, %q; want %q, %q", tt.ref, stem, run, tt.stem, tt.run)
		}
	}
}

func TestSameListingAndReadvertises(t *testing.T) {
	vac := func(ref, printed string) *Vacancy { return &Vacancy{Reference: ref, EmployerReference: printed} }
	first := vac("C9259-26-0123", "259-7758849SBH-A")
	tests := []struct {
		name               string
		other              *Vacancy
		same, readvertised bool
	}{
		{"itself", first, false, false},
		{"listed twice", vac("C9259-26-0124", "259-7758849SBH-A"), true, true},
		{"the next run", vac("C9259-26-0200", "259-7758849SBH-B"), false, true},
		{"another number", vac("C9259-26-0200", "259-7758850SBH-A"), false, false},
		{"another account", vac("C9260-26-0200", "259-7758849SBH-A"), false, false},
		{"no number", vac("C9259-26-0200", ""), false, false},
		{"no account", vac("259-7758849SBH", "259-7758849SBH-A"), false, false},
	}
	for _, tt := range tests {
		if got := SameListing(first, tt.other); got != tt.same {
			t.Errorf("%s: SameListing = %t, want %t", tt.name, got, tt.same)
		}
		if got := Readvertises(tt.other, first); got != tt.readvertised {
			t.Errorf("%s: Readvertises = %t, want %t", tt.name, got, tt.readvertised)
		}
	}
	if Readvertises(first, vac("C9259-26-0200", "259-7758849SBH-B")) {
		t.Error("an earlier run advertises a later one again")
	}
}

func TestAdjacent(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"C9259-26-0123", "C9259-26-0124", true}, {"C9259-26-0124", "C9259-26-0123", true}, {"C9259-26-0123", "C9259-26-0133", true},
		{"C9259-26-0123", "C9259-26-0134", false}, {"C9259-26-0134", "C9259-26-0123", false}, {"C9259-26-0123", "C9259-26-0123", false},
		{"C9259-26-0999", "C9259-26-1000", true}, {"C9259-26-0123", "C9260-26-0124", false}, {"C9259-26-0123", "C9259-25-0124", false},
		{"C9165-26-05-052a", "C9165-26-05-053a", true}, {"C9165-26-05-052a", "C9165-26-05-053b", false},
		{"U0080-20402", "U0080-20403", true}, {"", "", false}, {"a", "b", false},
		{"C9259-99999999999999999999", "C9259-99999999999999999998", false}, // no number that we can count with
	} {
		if got := Adjacent(tt.a, tt.b); got != tt.want {
			t.Errorf("Adjacent(%q, %q) = %t, want %t", tt.a, tt.b, got, tt.want)
		}
	}
}
