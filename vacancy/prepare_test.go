package vacancy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestPrepareImpossible(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    Search
		want string
	}{
		{"employers", Search{Employers: []string{"c9001", "Kyd Health"}, NotEmployers: []string{"KYD-HEALTH", "C9001"}},
			"this can never match: C9001 or Kyd Health is both asked for and left out, so take it out of one of the two lists of employers"},
		{"one employer is left", Search{Employers: []string{"C9001", "C9002"}, NotEmployers: []string{"C9001"}}, ""},
		{"words", Search{Keywords: `"staff nurse" NOT nurses`}, `keywords: this can never match: "nurses" is both asked for and excluded, so take it out of one of the two`},
		{"band", Search{Bands: []string{"4", "unstated"}, Unstated: map[string]bool{"band": false}},
			`this contradicts itself: the bands include "unstated", and unstated says that adverts without a band do not pass`},
		{"months", Search{MinMonths: 12, MaxMonths: 1}, "this can never match: no contract lasts at least 12 months and at most 1 month"},
		{"permanent", Search{Contracts: []string{"permanent"}, MaxMonths: 6},
			"this can never match: a permanent contract has no end, so none lasts at most 6 months; leave out max_months or add Fixed term"},
		{"months out of bounds", Search{MinMonths: -1, MaxMonths: 121}, "min_months -1, max_months 121: give 0 to 120 months"},

		{"nowhere", Search{Places: []Place{{Name: "Here", Miles: 0}}}, `place "Here": name a town, the beginning of a postcode, a county or a region`},
		{"miles from nowhere", Search{Places: []Place{{Name: "Here", Miles: 3, Remote: true}}}, `place "Here": 3 miles, but from where? Name a town or the beginning of a postcode`},
		{"both", Search{Places: []Place{{Name: "Here", Lat: 51, Lon: -1, Area: "Kent"}}}, `place "Here": give either a point with miles, a region or an area`},
		{"region", Search{Places: []Place{{Name: "Mercia", Region: "Mercia"}}}, `region "Mercia" is unknown: use one of North East, North West, Yorkshire and The Humber, East Midlands, ` +
			`West Midlands, East of England, London, South East, South West, Wales, Scotland, Northern Ireland`},
		{"area", Search{Places: []Place{{Name: "Mercia", Area: "Mercia"}}}, `area "Mercia" is unknown: name a county, an NHS region or England`},
		{"too wide", Search{Places: []Place{{Name: "Here", Lat: 51, Lon: -1, Miles: 101}}}, `place "Here": 101 miles: give a radius from 1 to 100 miles`},
		{"abroad", Search{Places: []Place{{Name: "Paris", Lat: 48.8, Lon: 2.3, Miles: 5}}}, `place "Paris" does not lie in the United Kingdom`},
		{"no name", Search{Places: []Place{{Lat: 51, Lon: -1, Miles: 5}}}, `a place has no name: write in words where it is`},

		{"no channel", Search{Bands: []string{"4"}, Notify: []Notify{{}}}, "notify 1: name the channel that tells the matches"},
		{"rhythm", Search{Bands: []string{"4"}, Notify: []Notify{{Channel: "mail", Rhythm: "monthly"}}}, `notify 1: rhythm "monthly" is unknown: use instant, hourly, daily or weekly`},
		{"hour", Search{Bands: []string{"4"}, Notify: []Notify{{Channel: "mail"}, {Channel: "mail", Rhythm: Daily, Hour: 24}}},
			"notify 2: hour 24: give 0 to 23, but not 1, which comes twice one night a year and not at all another"},
		{"one o'clock", Search{Bands: []string{"4"}, Notify: []Notify{{Channel: "mail", Rhythm: Daily, Hour: 1}}},
			"notify 1: hour 1: give 0 to 23, but not 1, which comes twice one night a year and not at all another"},
		{"lines in an address", Search{Bands: []string{"4"}, Notify: []Notify{{Channel: "mail", To: "jo@ward.example\r\nBcc: x"}}}, "notify 1: the address goes over more than one line"},
	} {
		tt.s.ID = "test"
		got := ""
		if err := tt.s.Prepare(); err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestPrepareOnce(t *testing.T) {
	e1 := near(t, "E1 6AN", 5)
	wider := e1
	wider.Miles, wider.Remote = 10, true
	given := Search{
		ID: "test", Bands: []string{"8A", "No band", "band 4", "8a", "4"}, StaffGroups: []string{"08", "Administrative and Clerical"},
		Specialties: []string{"Oncology", "oncology"}, Employers: []string{"c9001", " C9001 ", "Kyd  Health", "kyd-health"},
		Contracts: []string{"Fixed-Term", "bank", "fixed term"}, Patterns: []string{"remote working", "home working"},
		Kinds: []Kind{New, New}, Notify: []Notify{{Channel: "mail"}, {Channel: "mail"}},
		Places: []Place{e1, {Region: "yorkshire", Miles: 5}, wider, {Name: "Jo's flat, E1 6AN", Lat: 51.5, Lon: -0.1}, {Name: "anywhere", Remote: true}, {Area: "herts"}},
	}
	want := Search{
		ID: "test", Bands: []string{"4", "8a", BandUnstated}, StaffGroups: []string{"08"}, Specialties: []string{"oncology"},
		Employers: []string{"C9001", "Kyd Health"}, Contracts: []string{"Fixed term", "Bank"}, Patterns: []string{"Home or remote working"},
		Kinds: []Kind{New}, Notify: []Notify{{Channel: "mail"}},
		Places: []Place{wider, {Name: "Yorkshire and The Humber", Region: "Yorkshire and The Humber"},
			{Name: "Jo's flat E1 6", Lat: 51.5, Lon: -0.1, Miles: DefaultMiles}, {Name: "Remote", Remote: true}, {Name: "Hertfordshire", Area: "Hertfordshire"}},
	}
	bands := given.Bands[0]
	got := given
	for range 2 {
		if err := got.Prepare(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Search{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if given.Bands[0] != bands || given.Places[1].Miles != 5 {
		t.Error("the lists that were given are changed")
	}
}

func TestAdvise(t *testing.T) {
	e1 := near(t, "E1 6AN", 10)
	const nowhere = "No place and no employer is named, so vacancies from all over the country will match: add a place."
	for _, tt := range []struct {
		name string
		s    Search
		want []string
	}{
		{"place and band", Search{Places: []Place{e1}, Bands: []string{"4"}}, nil},
		{"employer and word", Search{Employers: []string{"C9001"}, Keywords: "nurse"}, nil},
		{"no place", Search{Bands: []string{"4"}}, []string{nowhere}},
		{"only a place", Search{Places: []Place{e1}, Keywords: "NOT bank"},
			[]string{"Only a place is named, so every vacancy there will match, whatever the work: add a band, a specialty or a word."}},
		{"only an employer", Search{Employers: []string{"C9001"}},
			[]string{"Only an employer is named, so all its vacancies will match, whatever the work: add a band, a specialty or a word."}},
		{"every band", Search{Places: []Place{e1}, Bands: Bands()}, []string{"Every band is chosen, which narrows nothing: choose those you want, or none."}},
		{"pay", Search{Places: []Place{e1}, Bands: []string{"2", "4"}, MinSalary: 60000},
			[]string{"Band 2 or 4 pays at most £37,389 a year, so with at least £60,000 a year hardly anything can match."}},
		{"pay of a grade", Search{Places: []Place{e1}, Bands: []string{"2", "consultant"}, MinSalary: 60000}, nil},
		{"nurse on band consultant", Search{Places: []Place{e1}, Bands: []string{"consultant"}, StaffGroups: []string{"03"}},
			[]string{"Only doctors and dentists have the grades asked for, so in another staff group hardly anything can match."}},
		{"doctor on band 5", Search{Places: []Place{e1}, Bands: []string{"5"}, StaffGroups: []string{"01"}},
			[]string{"Doctors and dentists are not paid by bands 2 to 9, so in that staff group hardly anything can match."}},
		{"days left", Search{Places: []Place{e1}, Bands: []string{"4"}, DaysLeft: 29},
			[]string{"Most adverts are open for two or three weeks, so with at least 29 days left hardly anything can match."}},
		{"events", Search{Places: []Place{e1}, Bands: []string{"4"}, Kinds: []Kind{Closed, ClosingMoved}},
			[]string{"New closing dates and early ends are told only to those who heard of the vacancy before; this search tells of no new vacancy."}},
		{"a comma", Search{Places: []Place{e1}, Keywords: "nurse, midwife"},
			[]string{"A comma separates words that must all be there. To accept any one of them, write OR between them."}},
	} {
		if diff := cmp.Diff(tt.want, prepared(t, tt.s).Advise()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestYearlyTop(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*Vacancy)
		want string
	}{
		{"printed", paid("£33,094 to £36,195 a year"), "£36,195 salary"},
		{"band 4 of 2025/26", inEngland("Negotiable"), "£30,162 band"},
		{"band 4 of 2026/27", both(inEngland("Negotiable"), func(v *Vacancy) { v.Posted = OnDay(Day{2026, 4, 1}) }), "£31,157 band"},
		{"the higher of two bands", both(inEngland("Negotiable"), func(v *Vacancy) { v.AlsoBands = []string{"5"} }), "£37,796 band"},
		{"London", both(inEngland("£16 an hour"), placed("London E1 1BB")), "£36,195 band"},
		{"London, at most so much", both(both(inEngland("£16 an hour"), placed("London E1 1BB")), func(v *Vacancy) { v.Band = "9" }), "£134,383 band"},
		{"the fringe", both(inEngland("£16 an hour"), placed("Slough SL1 1AA")), "£31,671 band"},
		{"Wales has no figure", both(inEngland("£16 an hour"), placed("Cardiff CF14 4XW")), ""},
		{"Wales has one", both(both(inEngland("£16 an hour"), placed("Cardiff CF14 4XW")), func(v *Vacancy) {
			v.Band, v.Posted = "5", OnDay(Day{2026, 5, 1})
		}), "£39,631 band"},
		{"a year without figures", both(inEngland("Negotiable"), func(v *Vacancy) { v.Posted = OnDay(Day{2029, 5, 1}) }), ""},
		{"without a day of its own", both(inEngland("Negotiable"), func(v *Vacancy) { v.Posted, v.FirstSeen = Moment{}, v.FirstSeen.AddDate(-60, 0, 0) }), ""},
		{"other pay", both(inEngland("Negotiable"), func(v *Vacancy) { v.PayScheme = "Other" }), ""},
		{"a grade", both(inEngland("Negotiable"), func(v *Vacancy) { v.Band = Consultant }), ""},
		{"place unknown", both(inEngland("Negotiable"), placed("Nowhere in Particular")), ""},
	} {
		v := seed()
		tt.edit(&v)
		got := ""
		if top, from, ok := v.YearlyTop(today); ok {
			got = top.String() + " " + from
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if len(afcPay()) != 28 {
		t.Errorf("the pay table has %d rows, want 28", len(afcPay()))
	}
	if !strings.Contains(afcPayFile, "# Licence: ") || !strings.Contains(afcPayFile, "# Source: ") {
		t.Error("the pay table does not say where it comes from")
	}
}

func both(a, b func(*Vacancy)) func(*Vacancy) { return func(v *Vacancy) { a(v); b(v) } }

func TestParseLength(t *testing.T) {
	for _, tt := range []struct {
		text     string
		from, to int
	}{
		{"18 months", 546, 546},
		{"12 months", 364, 364},
		{"1 year", 364, 364},
		{"52 weeks", 364, 364},
		{"6 month fixed term", 182, 182},
		{"12-month", 364, 364},
		{"six months", 182, 182},
		{"Twenty-four months", 728, 728},
		{"6-12 months", 182, 364},
		{"6 to 12 months", 182, 364},
		{"12 or 6 months", 182, 364},
		{"1 year 6 months", 546, 546},
		{"2 years and 6 months", 910, 910},
		{"12 months (1 year)", 364, 364},
		{"up to 12 months", 0, 364},
		{"Up to two years", 0, 728},
		{"minimum 6 months", 182, openEnded},
		{"Maternity cover, approx. 9 months", 273, 273},
		{"90 days", 90, 90},
		{"1 x 12 months", 364, 364},
		{"", 0, 0},
		{"until 31 March 2027", 0, 0},
		{"maternity cover", 0, 0},
		{"37.5 hours", 0, 0},
		{"1.5 years", 0, 0},
		{"0 months", 0, 0},
		{"1000 months", 0, 0},
	} {
		got, ok := ParseLength(tt.text)
		if got != (Length{tt.from, tt.to}) || ok != (tt.to > 0) {
			t.Errorf("ParseLength(%q) = %v, %v, want %d to %d", tt.text, got, ok, tt.from, tt.to)
		}
	}
}

func FuzzParseLength(f *testing.F) {
	for _, s := range []string{"18 months", "1 year 6 months", "up to 2-3 wks", "İ 1 yr"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if l, ok := ParseLength(s); ok != (l.To > 0) || l.From < 0 || l.From > l.To || l.To > 1200*daysPerYear {
			t.Errorf("ParseLength(%q) = %v, %v", s, l, ok)
		}
	})
}
