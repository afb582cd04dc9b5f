package vacancy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestPrepareFaults(t *testing.T) {
	const known = "2, 3, 4, 5, 6, 7, 8a, 8b, 8c, 8d, 9, foundation, registrar, specialty-doctor, specialist, consultant, doctor-other, vsm, local, unstated"
	s := Search{
		ID: "my search", Bands: []string{"4", "12"}, StaffGroups: []string{"77", ""}, Specialties: []string{"oncolgy"},
		Employers: []string{" "}, Contracts: []string{"for ever"}, Patterns: []string{"never"}, Kinds: []Kind{New, "gone"},
		Unstated: map[string]bool{"colour": true}, MinSalary: -1, DaysLeft: 366, Places: make([]Place, 11), Keywords: `"ward`,
	}
	want := []string{
		`id "my search": give an id without spaces and without | / #`,
		`band "12" is unknown: use one of ` + known,
		`staff group "77" is unknown: use a code from 01 to 10 or its name`,
		`staff group "" is unknown: use a code from 01 to 10 or its name`,
		`specialty "oncolgy" is unknown: did you mean oncology?`,
		`employer " ": give an account code such as C9259 or a name`,
		`contract "for ever" is unknown: use one of ` + strings.Join(Contracts(), ", "),
		`working pattern "never" is unknown: use one of ` + strings.Join(WorkingPatterns(), ", "),
		`event "gone" is unknown: use one of [new amended closing_moved closed reopened readvertised]`,
		`unstated: there is no criterion "colour"`,
		`min_salary -1: give pounds a year`,
		`days_left 366: give 0 to 365 days`,
		`11 places: at most 10 make sense in one search`,
		`keywords: the quote before "ward" is never closed: add one at the end of the phrase, or take it out (at position 1)`,
	}
	err := s.Prepare()
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPrepareNarrows(t *testing.T) {
	wide := "the search asks for nothing that narrows it: give at least one of places, bands, specialties, keywords, employers"
	for _, tt := range []struct {
		name string
		s    Search
		want string
	}{
		{"nothing", Search{}, wide},
		{"only excluded words", Search{Keywords: "NOT bank"}, wide},
		{"only excluded employers", Search{NotEmployers: []string{"C9001"}}, wide},
		{"only days left", Search{DaysLeft: 3}, wide},
		{"a word", Search{Keywords: "nurse NOT bank"}, ""},
		{"sponsorship", Search{Sponsorship: true}, ""},
	} {
		tt.s.ID = "test"
		got := ""
		if err := tt.s.Prepare(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestPrepareSpelling(t *testing.T) {
	got := Search{
		ID: "test", Bands: []string{"Band 8A", "Consultant"}, StaffGroups: []string{"administrative and clerical"},
		Specialties: []string{"oncology", "Oncology (medical and clinical)"}, Contracts: []string{"FIXED-TERM"}, Patterns: []string{"remote working"},
	}
	want := Search{
		ID: "test", Bands: []string{"8a", "consultant"}, StaffGroups: []string{"08"},
		Specialties: []string{"oncology"}, Contracts: []string{"Fixed term"}, Patterns: []string{"Home or remote working"},
	}
	for range 2 { // preparing again changes nothing
		if err := got.Prepare(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Search{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestWants(t *testing.T) {
	for _, k := range Kinds() {
		if got, want := (&Search{}).Wants(k), k == New || k == Readvertised || k == ClosingMoved; got != want {
			t.Errorf("by default, %s is wanted: %v, want %v", k, got, want)
		}
		if got, want := (&Search{Kinds: []Kind{Closed}}).Wants(k), k == Closed; got != want {
			t.Errorf("when only closed is asked for, %s is wanted: %v", k, got)
		}
	}
}

func TestDescribe(t *testing.T) {
	e1 := near(t, "E1 6AN", 10)
	mile := near(t, "E1 6AN", 1)
	for _, tt := range []struct {
		s    Search
		want string
	}{
		{Search{Bands: []string{"4"}, Places: []Place{e1}, Specialties: []string{"oncology"}},
			"band 4, within 10 miles of E1 6, Oncology (medical and clinical)"},
		{Search{Bands: []string{"5", "8a"}, Places: []Place{mile, {Name: "London", Region: "London"}}},
			"band 5 or 8a, within 1 mile of E1 6 or in London"},
		{Search{StaffGroups: []string{"08"}, Keywords: "secretary NOT bank", Employers: []string{"C9001"}, NotEmployers: []string{"C9002"},
			Contracts: []string{"bank"}, Patterns: []string{"full time"}},
			"Administrative and Clerical, secretary; none of: bank, at C9001, not at C9002, Bank, Full time"},
		{Search{MinSalary: 30000, Sponsorship: true, DaysLeft: 3}, "from £30,000 a year, sponsorship offered, at least 3 days left"},
		{Search{Sponsorship: true, DaysLeft: 1}, "sponsorship offered, at least 1 day left"},
	} {
		if diff := cmp.Diff(tt.want, prepared(t, tt.s).Describe()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestNewPlace(t *testing.T) {
	for _, tt := range []struct {
		near          string
		miles         int
		name, region  string
		wantMiles     int
		wantErrorText string
	}{
		{"E1 6AN", 0, "E1 6", "", DefaultMiles, ""},
		{"flat 3, 12 High Street, e16an", 1, "E1 6", "", 1, ""},
		{"Leeds", 100, "Leeds", "", 100, ""},
		{"Northern Ireland", 5, "Northern Ireland", "Northern Ireland", 0, ""},
		{"E1 6AN", -1, "", "", 0, "-1 miles: give a radius from 1 to 100 miles"},
		{"E1 6AN", 101, "", "", 0, "101 miles: give a radius from 1 to 100 miles"},
		{"Nowhereville", 5, "", "", 0, `"Nowhereville" is not a place we know; name a larger town nearby, or write a postcode`},
	} {
		p, err := NewPlace(tt.near, tt.miles)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if p.Name != tt.name || p.Region != tt.region || p.Miles != tt.wantMiles || text != tt.wantErrorText {
			t.Errorf("%q, %d miles: got %+v, %q", tt.near, tt.miles, p, text)
		}
		if strings.Contains(strings.ToUpper(fmt.Sprint(p)), "6AN") {
			t.Errorf("%q: the whole postcode is kept in %+v", tt.near, p)
		}
		if hasPoint := p.Lat != 0; err == nil && hasPoint == (p.Region != "") {
			t.Errorf("%q: want either a point or a region, got %+v", tt.near, p)
		}
	}
}

func TestAddressIsRedacted(t *testing.T) {
	const secret = "jo@ward.example"
	a := Address(secret)
	s := Search{ID: "test", Notify: []Notify{{Channel: "mail", To: a}}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%40s"} {
		if got := fmt.Sprintf(verb, a); got != "<address>" {
			t.Errorf("%s prints %q", verb, got)
		}
		for _, x := range []any{&a, s, &s, s.Notify, []Address{a}, map[Address]int{a: 1}} {
			if got := fmt.Sprintf(verb, x); strings.Contains(got, "jo@") || strings.Contains(got, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s of a %T prints %q", verb, x, got)
			}
		}
	}
	if got := fmt.Sprint(a.String(), errors.New(a.String()), fmt.Errorf("send to %s", a)); strings.Contains(got, secret) {
		t.Errorf("printed as %q", got)
	}
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		out.Reset()
		slog.New(h).Info("sent", "to", a, slog.Group("message", "to", a))
		if got := out.String(); strings.Contains(got, secret) || strings.Count(got, "<address>") != 2 {
			t.Errorf("%T logs %q", h, got)
		}
	}
	if a.Reveal() != secret {
		t.Errorf("Reveal is %q", a.Reveal())
	}
	// The store has to keep it.
	b, err := json.Marshal(&s)
	if err != nil {
		t.Fatal(err)
	}
	var back Search
	if err := json.Unmarshal(b, &back); err != nil || back.Notify[0].To.Reveal() != secret {
		t.Errorf("%s is read as %q, %v", b, back.Notify[0].To.Reveal(), err)
	}
}
