package vacancy

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestParseDay(t *testing.T) {
	tests := []struct{ text, want string }{
		{"2 September 2026", "2026-09-02"},
		{"02 September 2026", "2026-09-02"},
		{"The closing date is 01 September 2026", "2026-09-01"},
		{"\n      27 February 2026\n   ", "2026-02-27"},
		{"13\u00a0March\u00a02026", "2026-03-13"},
		{"2026-09-02", "2026-09-02"},
		{"1st May 2026", "2026-05-01"},
		{"2nd May 2026", "2026-05-02"},
		{"23rd May, 2026", "2026-05-23"},
		{"4th Sept. 2026", "2026-09-04"},
		{"29 February 2028", "2028-02-29"},
		{"Friday 13 March 2026 at 23:59", "2026-03-13"},
		{"31 DECEMBER 2026.", "2026-12-31"},
		// Welsh names, which leak onto English pages.
		{"06 Awst 2026", "2026-08-06"},
		{"1 Ionawr 2027", "2027-01-01"}, {"1 Chwefror 2027", "2027-02-01"}, {"1 Mawrth 2027", "2027-03-01"},
		{"1 Ebrill 2027", "2027-04-01"}, {"1 Mai 2027", "2027-05-01"}, {"1 Mehefin 2027", "2027-06-01"},
		{"1 Gorffennaf 2027", "2027-07-01"}, {"1 Medi 2027", "2027-09-01"}, {"1 Hydref 2027", "2027-10-01"},
		{"1 Tachwedd 2027", "2027-11-01"}, {"1 Rhagfyr 2027", "2027-12-01"},
	}
	for _, tt := range tests {
		got, err := ParseDay(tt.text)
		if err != nil || got.String() != tt.want {
			t.Errorf("ParseDay(%q) = %q, %v; want %q", tt.text, got, err, tt.want)
		}
	}
}

func TestParseDayErrors(t *testing.T) {
	for _, text := range []string{
		"", "Depends on experience", "September 2026", "2 September", "31 June 2026", "29 February 2027", "0 May 2026",
		"32 May 2026", "2 Septembre 2026", "2026-13-01", "0001-01-01", "2 May 26", "02/09/2026", "yesterday",
	} {
		if got, err := ParseDay(text); err == nil {
			t.Errorf("ParseDay(%q) = %v, want an error", text, got)
		}
	}
	// An error names the text, but not all of it.
	_, err := ParseDay(strings.Repeat("long ", 100))
	if err == nil || len(err.Error()) > 150 {
		t.Errorf("error of a long text has %d bytes: %v", len(err.Error()), err)
	}
}

func TestDay(t *testing.T) {
	d := Day{2026, time.February, 27}
	if got, want := d.Human(), "27 February 2026"; got != want {
		t.Errorf("Human() = %q, want %q", got, want)
	}
	if got, want := d.Add(2).String(), "2026-03-01"; got != want {
		t.Errorf("Add(2) = %q, want %q", got, want)
	}
	if got := d.DaysUntil(Day{2026, time.March, 31}); got != 32 {
		t.Errorf("DaysUntil over the change of clocks = %d, want 32", got)
	}
	if !d.Before(d.Add(1)) || d.Before(d) || d.Add(1).Before(d) {
		t.Error("Before does not order days")
	}
	// 23:30 UTC in summer is the next day in London.
	if got, want := LondonDay(time.Date(2026, 7, 1, 23, 30, 0, 0, time.UTC)).String(), "2026-07-02"; got != want {
		t.Errorf("LondonDay = %q, want %q", got, want)
	}
	var zero Day
	if !zero.IsZero() || zero.String() != "" || zero.Human() != "" {
		t.Error("the zero day is not blank")
	}
	for _, d := range []Day{d, {}} {
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var back Day
		if err := json.Unmarshal(b, &back); err != nil || back != d {
			t.Errorf("%s came back as %v, %v", b, back, err)
		}
	}
	var bad Day
	if err := bad.UnmarshalText([]byte("27 February 2026")); err == nil {
		t.Error("UnmarshalText took a day that is not ISO")
	}
}

func FuzzParseDay(f *testing.F) {
	for _, s := range []string{"2 September 2026", "The closing date is 06 Awst 2026", "2026-09-02", "31 June 2026", "1st Sept. 2026", "0001-01-01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDay(s)
		if err != nil {
			if !d.IsZero() {
				t.Fatalf("ParseDay(%q) = %v and an error", s, d)
			}
			return
		}
		for _, form := range []string{d.String(), d.Human()} {
			if back, err := ParseDay(form); err != nil || back != d {
				t.Fatalf("ParseDay(%q) = %v, whose form %q gives %v, %v", s, d, form, back, err)
			}
		}
		if OnDay(d).IsZero() {
			t.Fatalf("ParseDay(%q) = %v, which is an absent moment", s, d)
		}
	})
}
