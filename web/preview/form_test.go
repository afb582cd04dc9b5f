package preview

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/role"
	"github.com/vacancywatch/vacancywatch/vacancy/specialty"
)

func formOf(t testing.TB, query string) *Form {
	t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return ReadForm(q)
}

func TestSearch(t *testing.T) {
	for query, want := range map[string]string{
		"near=leeds&miles=20&band=5":                                       "band 5, within 20 miles of Leeds",
		"near=E1+6AN&band=4":                                               "band 4, within 10 miles of E1 6",
		"near2=Kent&near7=York&miles7=5+miles&keywords=nurse":              "in Kent or within 5 miles of York, nurse",
		"near=Leeds&remote=1":                                              "within 10 miles of Leeds or from home",
		"remote=on&band=6":                                                 "band 6, work from home",
		"band=5&band=5&band=unstated":                                      "band 5 or no band stated",
		"specialty=pharmacy":                                               "Pharmacy and medicines",
		"specialty=A%26E&stated_only=1":                                    "Emergency medicine (stated)",
		"employers=C9259%0D%0A%0D%0AKyd+Health+%0D%0A":                     "at C9259 or Kyd Health",
		"near=Leeds&not_employers=Kyd+Health":                              "within 10 miles of Leeds, not at Kyd Health",
		"near=Leeds&min_salary=%C2%A330%2C000&days_left=3+days":            "within 10 miles of Leeds, from £30,000 a year, at least 3 days left",
		"near=Leeds&min_months=6+months&max_months=12&contract=fixed-term": "within 10 miles of Leeds, Fixed term, for 6 to 12 months",
		"sponsorship=1&internal=1&staff_group=08":                          "Administrative and Clerical, sponsorship offered, also for internal applicants",
		"working_pattern=Job+share&utm_source=x&near3=+":                   "Job share",
		"keywords=+nurse+%0A+OR+sister+":                                   "any of: nurse, sister",
	} {
		s, faults := formOf(t, query).Search(gazetteer.Default())
		if len(faults) > 0 {
			t.Errorf("%s: %v", query, faults)
			continue
		}
		if got := s.Describe(); got != want {
			t.Errorf("%s:\n got %q\nwant %q", query, got, want)
		}
	}
}

// Every fault names its field, and the word at fault.
func TestFaults(t *testing.T) {
	long := strings.Repeat("nurse ", 100)
	for query, want := range map[string]string{
		"":                                      "near: Nothing is filled in that narrows the search: give at least a place, a band, a specialty, a word or an employer.",
		"near=+&miles=&band=":                   "near: Nothing is filled in that narrows the search: give at least a place, a band, a specialty, a word or an employer.",
		"keywords=NOT+bank":                     "near: Nothing is filled in that narrows the search: give at least a place, a band, a specialty, a word or an employer.",
		"near=Leedz":                            `near: "Leedz" is not a place we know; did you mean Leeds? A postcode always works.`,
		"near2=Bangor":                          `near2: "Bangor" could be Bangor, Northern Ireland or Bangor, Wales; write one`,
		"near=" + long:                          "near: The place has more than 80 characters: write a town or the beginning of a postcode.",
		"miles=5&band=4":                        "near: 5 miles, but from where? Write a town or the beginning of a postcode.",
		"near=Leeds&miles=101":                  `miles: "101" cannot be taken: write a whole number of miles from 1 to 100, or leave it empty.`,
		"near=Leeds&miles=-5":                   `miles: "-5" cannot be taken: write a whole number of miles from 1 to 100, or leave it empty.`,
		"near=Leeds&miles=2.5":                  `miles: "2.5" cannot be taken: write a whole number of miles from 1 to 100, or leave it empty.`,
		"near=Leeds&miles=%2B5":                 `miles: "+5" cannot be taken: write a whole number of miles from 1 to 100, or leave it empty.`,
		"near=Leeds&miles=1e2":                  `miles: "1e2" cannot be taken: write a whole number of miles from 1 to 100, or leave it empty.`,
		"near=Leeds&miles=99999999999999999999": `miles: "99999999999999999999" cannot be taken: write a whole number of miles from 1 to 100, or leave it empty.`,
		"band=10":                               `band: Band "10" is unknown: use one of 2, 3,`,
		"specialty=onkology":                    `specialty: Specialty "onkology" is unknown: did you mean oncology?`,
		"keywords=(nurse":                       `keywords: "(" is never closed: put ")" at the end of its group (at position 1).`,
		"keywords=nurse+NOT+nurse":              `keywords: This can never match: "nurse" is both asked for and excluded, so take it out of one of the two.`,
		"keywords=" + long:                      "keywords: The words have 599 characters, and 500 are allowed: make two searches of them.",
		"staff_group=99":                        `staff_group: Staff group "99" is unknown: use a code from 01 to 10 or its name.`,
		"employers=%2D%2D":                      `employers: Employer "--": give an account code such as C9259 or a name.`,
		"employers=" + strings.Repeat("x", 121): `employers: "` + strings.Repeat("x", 121) + `" is too long for an employer: write one a line.`,
		"not_employers=" + strings.Repeat("Kyd%0A", 21) + strings.Repeat("x%0A", 1): "not_employers: There are more than 20 employers: make two searches of them.",
		"employers=Kyd&not_employers=kyd":                                           "employers: This can never match: Kyd is both asked for and left out, so take it out of one of the two lists of employers.",
		"contract=Zero":                                                             `contract: Contract "Zero" is unknown: use one of Permanent,`,
		"min_months=12&max_months=6&near=Leeds":                                     "max_months: This can never match: no contract lasts at least 12 months and at most 6 months.",
		"contract=Permanent&max_months=6":                                           "max_months: This can never match: a permanent contract has no end, so none lasts at most 6 months; leave out the most months or add Fixed term.",
		"min_months=0&band=5":                                                       `min_months: "0" cannot be taken: write a whole number of months from 1 to 120, or leave it empty.`,
		"working_pattern=nights":                                                    `working_pattern: Working pattern "nights" is unknown: use one of Full time,`,
		"min_salary=lots":                                                           `min_salary: "lots" cannot be taken: write a whole number of pounds a year from 1 to 1,000,000, or leave it empty.`,
		"days_left=400":                                                             `days_left: "400" cannot be taken: write a whole number of days from 1 to 365, or leave it empty.`,
		"band=5&unstated=luck":                                                      `unstated: "luck" is not known here.`,
		"band=5&unstated=place&stated=place":                                        "unstated: Adverts that do not state place cannot both count and not count.",
		"keywords=a%FFb":                                                            "keywords: The text holds characters that cannot be read: type it anew.",
		"keywords=a%00b":                                                            "keywords: The text holds characters that cannot be read: type it anew.",
		"near=Leeds%E2%80%AEx":                                                      "near: The text holds characters that cannot be read: type it anew.",
		"near=Leeds&near=York":                                                      "near: This was given more than once, and differs: give it once.",
		"near=Leedz&miles=x&keywords=(": `near: "Leedz" is not a place we know; did you mean Leeds? A postcode always works. | ` +
			`miles: "x" cannot be taken: write a whole number of miles from 1 to 100, or leave it empty. | keywords: `,
	} {
		_, faults := formOf(t, query).Search(gazetteer.Default())
		var got []string
		for _, f := range faults {
			got = append(got, f.Field+": "+f.Text)
		}
		if g := strings.Join(got, " | "); !strings.HasPrefix(g, want) || want == "" {
			t.Errorf("%.60s:\n got %q\nwant %q", query, g, want)
		}
	}
}

func TestForm(t *testing.T) {
	f := formOf(t, "near4=York&band=5&band=6&keywords=a%0Ab&employers=a%0D%0Ab")
	if f.Rows() != 6 || formOf(t, "").Rows() != 3 || formOf(t, "miles9=3").Rows() != MaxPlaces {
		t.Errorf("rows: got %d", f.Rows())
	}
	if !f.Has(FieldBand, "6") || f.Has(FieldBand, "7") || len(f.Values(FieldBand)) != 2 {
		t.Error("bands are not read")
	}
	if f.Value(FieldKeywords) != "a b" || f.Value(FieldEmployers) != "a\nb" {
		t.Errorf("got %q and %q", f.Value(FieldKeywords), f.Value(FieldEmployers))
	}
	q := url.Values{}
	for i := range maxChoices + 50 {
		q.Add(FieldSpecialty, fmt.Sprint(i))
	}
	f = ReadForm(q)
	if n := len(f.Values(FieldSpecialty)); n != maxChoices {
		t.Errorf("%d choices are kept", n)
	}
	if _, faults := f.Search(gazetteer.Default()); len(faults) != 1 || !strings.Contains(faults[0].Text, "Too many are chosen") {
		t.Errorf("got %v", faults)
	}
	if diff := cmp.Diff([]string{"Near", "utm"}, Unknown(url.Values{"utm": {""}, "near": {""}, "near10": {""}, "Near": {""}})); diff != "" {
		t.Errorf("unknown (-want +got):\n%s", diff)
	}
}

// No id is taken for a group, and no group of one for something else.
func TestGroupsAndIDs(t *testing.T) {
	for _, s := range specialty.All() {
		if ids, ok := specialty.Expand(s.ID); !ok || len(ids) != 1 || ids[0] != s.ID {
			t.Errorf("the box of %s would choose %v", s.ID, ids)
		}
	}
}

// Places of every kind, by the name that they are given.
var somePlaces = []string{"Leeds", "E1 6", "LS1", "Kent", "Wales", "England", "Midlands", "Newport, Wales (NP20)", "Stratford-upon-Avon", "London"}

// anySearch draws a prepared search, as a form can make it.
func anySearch(t *rapid.T) vacancy.Search {
	s := vacancy.Search{ID: formID}
	some := func(name string, of []string) []string {
		if !rapid.Bool().Draw(t, "any "+name) {
			return nil
		}
		return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, 4, rapid.ID).Draw(t, name)
	}
	for _, near := range some("places", somePlaces) {
		p, err := vacancy.NewPlace(near, rapid.IntRange(0, 100).Draw(t, "miles"))
		if err != nil {
			t.Fatalf("%s: %v", near, err)
		}
		s.Places = append(s.Places, p)
	}
	if rapid.Bool().Draw(t, "remote") {
		if len(s.Places) == 0 {
			s.Places = []vacancy.Place{{Remote: true}}
		}
		s.Places[0].Remote = true
	}
	s.Bands = some("bands", append(vacancy.Bands(), vacancy.BandUnstated))
	var groups []string
	for _, g := range role.StaffGroups() {
		groups = append(groups, g.Code)
	}
	s.StaffGroups = some("staff groups", groups)
	s.Specialties = some("specialties", append(specialty.Groups(), "oncology", "cardiology", "breast"))
	s.StatedOnly = rapid.Bool().Draw(t, "stated only")
	if words := some("keywords", []string{`"staff nurse" OR title:sister`, "nurse NOT (bank OR locum)", "A&E", `<script>"x y"</script>`, "R&D 'x'", "#1 : x", "ward: {a}"}); len(words) > 0 {
		s.Keywords = words[0]
	}
	s.Employers = some("employers", []string{"C9259", "Kyd Health", "O'Neil & Sons: care", `The "Ward"`, "yes", "# 1", "Æsk — Trust", "null", "12"})
	s.NotEmployers = some("other employers", []string{"C9001", "<b>Bold</b>", "[x]", "{y: z}", "- a", "\\n", "%41"})
	s.Contracts = some("contracts", vacancy.Contracts())
	s.Patterns = some("patterns", vacancy.WorkingPatterns())
	s.MinMonths, s.MaxMonths = rapid.IntRange(0, 120).Draw(t, "months"), rapid.IntRange(0, 120).Draw(t, "most months")
	s.MinSalary = rapid.IntRange(0, 1_000_000).Draw(t, "salary")
	s.Sponsorship, s.Internal = rapid.Bool().Draw(t, "sponsorship"), rapid.Bool().Draw(t, "internal")
	s.DaysLeft = rapid.IntRange(0, 365).Draw(t, "days")
	for _, c := range Turnable() {
		if rapid.IntRange(0, 3).Draw(t, c.Name) == 0 {
			if s.Unstated == nil {
				s.Unstated = map[string]bool{}
			}
			s.Unstated[c.Name] = !c.UnstatedPasses
		}
	}
	if err := s.Prepare(); err != nil {
		t.Skip(err.Error())
	}
	return s
}

// A search becomes a query, and the query the same search.
func TestQueryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySearch(t)
		query, ok := Query(&s)
		if !ok {
			t.Fatalf("there is no query for %s: %s", s.Describe(), query)
		}
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		back, faults := ReadForm(q).Search(gazetteer.Default())
		if len(faults) > 0 {
			t.Fatalf("%s: %v", query, faults)
		}
		if s.Describe() != back.Describe() {
			t.Fatalf("%s:\n got %s\nwant %s", query, back.Describe(), s.Describe())
		}
	})
}

// What a query cannot say is not said by a wrong one.
func TestQueryRefuses(t *testing.T) {
	far := vacancy.Search{ID: "far", Places: []vacancy.Place{{Name: "The old mill", Lat: 53.8, Lon: -1.5, Miles: 4}}}
	many := vacancy.Search{ID: "many"}
	for range MaxPlaces {
		many.Employers = append(many.Employers, strings.Repeat(string(rune('a'+len(many.Employers))), maxEmployer+1))
	}
	for _, s := range []vacancy.Search{far, many} {
		if err := s.Prepare(); err != nil {
			t.Fatal(err)
		}
		if query, ok := Query(&s); ok {
			t.Errorf("%s: got %q", s.ID, query)
		}
	}
	if err := far.Prepare(); err != nil {
		t.Fatal(err)
	}
	if y, ok := YAML(&far); ok {
		t.Errorf("a place that the file cannot name: got %s", y)
	}
	band := vacancy.Search{ID: "band", Bands: []string{"5"}, Unstated: map[string]bool{"band": true}}
	if err := band.Prepare(); err != nil {
		t.Fatal(err)
	}
	if query, ok := Query(&band); !ok || query != "band=5&band=unstated" {
		t.Errorf("adverts without a band: got %q, %v", query, ok)
	}
}

func FuzzForm(f *testing.F) {
	f.Add("near=Leeds&miles=20&band=5&specialty=cancer&keywords=nurse+NOT+bank&employers=a%0Ab&unstated=place&stated=contract")
	f.Add("near=%FF%00&keywords=((((&miles=1e9&band=&band=5;6&near10=x&miles10=0")
	f.Add("keywords=%22%E2%80%AE%22+OR+-&min_salary=%C2%A3&employers=%0A%0A,")
	f.Fuzz(func(t *testing.T, query string) {
		q, _ := url.ParseQuery(query)
		form := ReadForm(q)
		for _, fd := range fields {
			for _, v := range form.Values(fd.name) {
				if !utf8.ValidString(v) || strings.ContainsAny(v, "\x00\u202e") {
					t.Fatalf("%s holds %q", fd.name, v)
				}
			}
		}
		s, faults := form.Search(gazetteer.Default())
		for _, fault := range faults {
			if fault.Text == "" || !slices.ContainsFunc(fields, func(fd field) bool {
				return fd.name == fault.Field
			}) {
				t.Fatalf("the fault %+v is none of a field", fault)
			}
		}
		if len(faults) > 0 {
			return
		}
		// Whatever the form makes, it can say again.
		if again, ok := Query(&s); !ok && len(query) < MaxQuery/4 {
			t.Fatalf("%q: %s has no query: %q", query, s.Describe(), again)
		}
	})
}
