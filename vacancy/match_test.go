package vacancy

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var today = Day{2026, time.March, 2}

// prepared returns a search that is ready to match.
func prepared(t testing.TB, s Search) *Search {
	t.Helper()
	s.ID = "test"
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	return &s
}

// near is a place as a person names it.
func near(t testing.TB, name string, miles int) Place {
	t.Helper()
	p, err := NewPlace(name, miles)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// placed gives a vacancy its places as a crawl does.
func placed(texts ...string) func(*Vacancy) {
	return func(v *Vacancy) {
		v.Locations = nil
		for _, text := range texts {
			l := ParseLocation(text)
			l.locate()
			v.Locations = append(v.Locations, l)
		}
	}
}

// TestSeedSearch is the search that the project began with: band 4, within
// ten miles of E1 6AN, oncology.
func TestSeedSearch(t *testing.T) {
	s := prepared(t, Search{Bands: []string{"4"}, Places: []Place{near(t, "E1 6AN", 10)}, Specialties: []string{"oncology"}})
	v := seed()
	v.Locations[0].Lat, v.Locations[0].Lon = nil, nil
	v.Text.Summary = "We look for a secretary to join our Medical Oncology Service, where patients have chemotherapy."
	v.Derive()
	if !Matches(s, &v, today) {
		t.Error("the seed search does not match the seed vacancy")
	}
	const want = `1.1 miles from E1 6 (Marlowe General Hospital, London EC1A 7BE) · Band 4 · ` +
		`Oncology (medical and clinical): "Medical Oncology Service" in the summary`
	if diff := cmp.Diff(want, Why(Explain(s, &v, today))); diff != "" {
		t.Errorf("why (-want +got):\n%s", diff)
	}
}

func TestExplain(t *testing.T) {
	e1 := near(t, "E1 6AN", 10)
	london := Place{Name: "London", Region: "London"}
	remote := e1
	remote.Remote = true
	tests := []struct {
		name   string
		search Search
		edit   func(*Vacancy)
		want   string // criterion: pass or fail, unstated where it is, reason
	}{
		{"the only site", Search{Places: []Place{e1}}, placed("London E1 1BB"), "place: pass, 0.5 miles from E1 6 (London E1 1BB)"},
		{"the second of two sites", Search{Places: []Place{e1}}, placed("Leeds LS1 3EX", "London E1 1BB"), "place: pass, 0.5 miles from E1 6 (London E1 1BB)"},
		{"the nearest of two sites", Search{Places: []Place{e1}}, placed("Croydon CR7 7YE", "London E1 1BB"), "place: pass, 0.5 miles from E1 6 (London E1 1BB)"},
		{"the second of two places", Search{Places: []Place{near(t, "Leeds", 5), e1}}, placed("London E1 1BB"), "place: pass, 0.5 miles from E1 6 (London E1 1BB)"},
		{"too far", Search{Places: []Place{near(t, "E1 6AN", 5)}}, placed("Leeds LS1 3EX", "Croydon CR7 7YE"), "place: fail, 8.8 miles from E1 6, 3.8 miles too far (Croydon CR7 7YE)"},
		{"in the region", Search{Places: []Place{london}}, placed("Leeds LS1 3EX", "Croydon CR7 7YE"), "place: pass, in London (Croydon CR7 7YE)"},
		{"in another region", Search{Places: []Place{london}}, placed("Leeds LS1 3EX"), "place: fail, in Leeds LS1 3EX, you asked for London"},
		{"from home", Search{Places: []Place{remote}}, placed("Remote LS1 3EX"), "place: pass, work from home"},
		{"from home, not wanted", Search{Places: []Place{e1}}, placed("Remote LS1 3EX"), "place: fail, 169.4 miles from E1 6, 159.4 miles too far (Remote LS1 3EX)"},
		{"only from home", Search{Places: []Place{near(t, "work from home", 0)}}, placed("London E1 1BB"), "place: fail, in London E1 1BB, you asked for work from home"},
		{"only from home, and is", Search{Places: []Place{near(t, "remote", 0)}}, placed("Remote LS1 3EX"), "place: pass, work from home"},
		{"in the county", Search{Places: []Place{near(t, "Kent", 0)}}, placed("Canterbury CT1 3NG"), "place: pass, in Kent (Canterbury CT1 3NG)"},
		{"in another county", Search{Places: []Place{near(t, "Kent", 0), near(t, "Surrey", 0)}}, placed("Leeds LS1 3EX"), "place: fail, in Leeds LS1 3EX, you asked for Kent or in Surrey"},
		{"in the nation", Search{Places: []Place{near(t, "England", 0)}}, placed("Leeds LS1 3EX"), "place: pass, in England (Leeds LS1 3EX)"},
		{"in the NHS region", Search{Places: []Place{near(t, "Midlands", 0)}}, placed("Nottingham NG1 1AA"), "place: pass, in Midlands (NHS region) (Nottingham NG1 1AA)"},
		{"across the nation", Search{Places: []Place{near(t, "Wales", 0)}}, placed("Across Wales LS1 3EX"), "place: pass, in Wales (Across Wales LS1 3EX)"},
		{"across another", Search{Places: []Place{near(t, "England", 0)}}, placed("Across Wales LS1 3EX"), "place: fail, in Across Wales LS1 3EX, you asked for England"},
		{"a place that the text names", Search{Places: []Place{near(t, "Swansea", 5)}}, placed("Swansea or Cwmbran NP44 7HF"),
			"place: pass, less than 0.1 miles from Swansea (Swansea, named in Swansea or Cwmbran NP44 7HF)"},
		{"unknown place", Search{Places: []Place{e1}}, placed("Nowhere in Particular"), "place: fail unstated, we do not know where Nowhere in Particular is"},
		{"no place", Search{Places: []Place{e1}}, placed(), "place: fail unstated, no place stated"},

		{"band", Search{Bands: []string{"4"}}, nil, "band: pass, Band 4"},
		{"band of the title", Search{Bands: []string{"4"}}, func(v *Vacancy) { v.BandFrom = FromTitle }, "band: pass, Band 4 (from the title)"},
		{"second band of a development post", Search{Bands: []string{"6"}}, func(v *Vacancy) { v.Band, v.AlsoBands = "5", []string{"6"} }, "band: pass, Band 6"},
		{"no band of a development post", Search{Bands: []string{"4", "7"}}, func(v *Vacancy) { v.Band, v.AlsoBands = "5", []string{"6"} }, "band: fail, Band 5/6, you asked for band 4 or 7"},
		{"grade", Search{Bands: []string{"Consultant"}}, func(v *Vacancy) { v.Band = Consultant }, "band: pass, consultant"},
		{"no band", Search{Bands: []string{"4"}}, func(v *Vacancy) { v.Band = "" }, "band: fail unstated, no band stated"},
		{"no band, asked for", Search{Bands: []string{"4", "not stated"}}, func(v *Vacancy) { v.Band = "" }, "band: pass unstated, no band stated"},
		{"only adverts without a band", Search{Bands: []string{"unstated"}}, nil, "band: fail, Band 4, you asked for no band stated"},
		{"bands and grades", Search{Bands: []string{"consultant", "8b", "8a"}}, nil, "band: fail, Band 4, you asked for band 8a, 8b or consultant"},
		{"page unread", Search{Bands: []string{"4"}}, func(v *Vacancy) { v.Band, v.PageUnread = "", true }, "band: fail unstated, band not known, the advert page could not be read"},

		{"staff group", Search{StaffGroups: []string{"08"}}, func(v *Vacancy) { v.StaffGroup = "08" }, "staff_group: pass, Administrative and Clerical"},
		{"another staff group", Search{StaffGroups: []string{"01"}}, func(v *Vacancy) { v.StaffGroup = "08" }, "staff_group: fail, Administrative and Clerical, you asked for Medical and Dental"},
		{"no staff group", Search{StaffGroups: []string{"08"}}, nil, "staff_group: pass unstated, staff group not stated"},

		{"specialty", Search{Specialties: []string{"oncology"}}, nil, `specialty: pass, Oncology (medical and clinical): "Medical Oncology Service" in the summary`},
		{"another specialty", Search{Specialties: []string{"cardiology"}}, nil, "specialty: fail, about Oncology (medical and clinical), you asked for Cardiology"},
		{"inferred specialty", Search{Specialties: []string{"oncology"}, StatedOnly: true}, func(v *Vacancy) { v.Specialties[0].Confidence = "inferred" },
			"specialty: fail unstated, Oncology (medical and clinical) is only guessed from the text, you asked for adverts that state it"},
		{"no specialty", Search{Specialties: []string{"oncology"}}, func(v *Vacancy) { v.Specialties = nil }, "specialty: fail unstated, no specialty named"},

		{"keywords", Search{Keywords: "secretary NOT bank"}, nil, `keywords: pass, "secretary" in the title`},
		{"keyword missing", Search{Keywords: "porter"}, nil, `keywords: fail, "porter" is missing`},
		{"keyword excluded", Search{Keywords: "secretary NOT letters"}, nil, `keywords: fail, "letters" in the summary, which is excluded`},
		{"keyword on an unread page", Search{Keywords: "porter"}, func(v *Vacancy) { v.PageUnread = true },
			`keywords: fail unstated, "porter" is missing, but only the title is known, for the advert page could not be read`},

		{"account", Search{Employers: []string{"C9001"}}, nil, "employer: pass, Marlowe Health NHS Trust"},
		{"account in lower case", Search{Employers: []string{"c9001"}}, nil, "employer: pass, Marlowe Health NHS Trust"},
		{"employer's name", Search{Employers: []string{"marlowe health nhs trust"}}, nil, "employer: pass, Marlowe Health NHS Trust"},
		{"another employer", Search{Employers: []string{"C9002"}}, nil, "employer: fail, Marlowe Health NHS Trust is not an employer you asked for"},
		{"employer left out", Search{Bands: []string{"4"}, NotEmployers: []string{"C9001"}}, nil, "band: pass, Band 4; employer: fail, Marlowe Health NHS Trust is left out by your search"},
		{"no employer's name", Search{Bands: []string{"4"}, NotEmployers: []string{"C9002"}}, func(v *Vacancy) { v.Employer = "" }, "band: pass, Band 4; employer: pass, C9001"},
		{"no employer", Search{Employers: []string{"C9002"}}, func(v *Vacancy) { v.Employer = "" }, "employer: fail unstated, employer not stated"},

		{"contract", Search{Contracts: []string{"fixed-term"}}, nil, "contract: pass, Fixed term"},
		{"another contract", Search{Contracts: []string{"Bank"}}, nil, "contract: fail, Fixed term, you asked for Bank"},
		{"no contract", Search{Contracts: []string{"Bank"}}, func(v *Vacancy) { v.Contract = "" }, "contract: pass unstated, contract not stated"},
		{"long enough", Search{MinMonths: 18}, nil, "duration: pass, for 18 months"},
		{"too short", Search{MinMonths: 19}, nil, "duration: fail, for 18 months, you asked for at least 19 months"},
		{"too long", Search{MaxMonths: 17}, nil, "duration: fail, for 18 months, you asked for at most 17 months"},
		{"out of bounds", Search{MinMonths: 1, MaxMonths: 12}, nil, "duration: fail, for 18 months, you asked for 1 to 12 months"},
		{"permanent is long enough", Search{MinMonths: 100}, func(v *Vacancy) { v.Contract = "Permanent" }, "duration: pass, permanent, without an end"},
		{"permanent is too long", Search{MaxMonths: 12}, func(v *Vacancy) { v.Contract = "Permanent" }, "duration: fail, permanent, without an end, you asked for at most 12 months"},
		{"no duration", Search{MinMonths: 1}, func(v *Vacancy) { v.Duration = "" }, "duration: pass unstated, duration not stated"},
		{"no length", Search{MinMonths: 1}, func(v *Vacancy) { v.Duration = "maternity cover" }, `duration: pass unstated, the advert says "maternity cover", which gives no length of time`},

		{"pattern", Search{Patterns: []string{"full time"}}, nil, "working_pattern: pass, Full time"},
		{"another pattern", Search{Patterns: []string{"Job share"}}, nil, "working_pattern: fail, Full time, you asked for Job share"},
		{"no pattern", Search{Patterns: []string{"Job share"}}, func(v *Vacancy) { v.WorkingPatterns = nil }, "working_pattern: pass unstated, working pattern not stated"},

		{"top of the range", Search{MinSalary: 36195}, nil, "min_salary: pass, up to £36,195 a year"},
		{"a pound short", Search{MinSalary: 36196}, nil, "min_salary: fail, up to £36,195 a year, £1 short of the £36,196 you asked for"},
		{"by the month", Search{MinSalary: 90000}, paid("£3,000 a month"), "min_salary: pass unstated, salary not stated by the year (£3,000 a month)"},
		{"by the hour", Search{MinSalary: 90000}, paid("£16 to £18 an hour"), "min_salary: pass unstated, salary not stated by the year (£16 to £18 an hour)"},
		{"from the band", Search{MinSalary: 30162}, inEngland("Depends on experience"), "min_salary: pass, salary not stated, but the band pays up to £30,162 a year full time"},
		{"by the hour, from the band", Search{MinSalary: 30163}, inEngland("£16 to £18 an hour"),
			"min_salary: fail, £16 to £18 an hour, and the band pays up to £30,162 a year full time, £1 short of the £30,163 you asked for"},
		{"negotiable", Search{MinSalary: 90000}, paid("Depends on experience"), "min_salary: pass unstated, salary not stated"},
		{"no salary", Search{MinSalary: 90000}, func(v *Vacancy) { v.Salary = nil }, "min_salary: pass unstated, salary not stated"},

		{"sponsorship", Search{Sponsorship: true}, nil, "sponsorship: pass, sponsorship offered"},
		{"no sponsorship", Search{Sponsorship: true}, func(v *Vacancy) { v.Sponsorship = NotOffered }, "sponsorship: fail, sponsorship not offered"},
		{"sponsorship unknown", Search{Sponsorship: true}, func(v *Vacancy) { v.Sponsorship = "" }, "sponsorship: fail unstated, sponsorship not known, the advert page has not been read"},

		{"days left", Search{Bands: []string{"4"}, DaysLeft: 11}, nil, "band: pass, Band 4; days_left: pass, closes on 13 March 2026, 11 days left"},
		{"a day too few", Search{Bands: []string{"4"}, DaysLeft: 2}, closes(today.Add(1)), "band: pass, Band 4; days_left: fail, closes on 3 March 2026, 1 day left, you asked for at least 2"},
		{"no closing date", Search{Bands: []string{"4"}, DaysLeft: 11}, closes(Day{}), "band: pass, Band 4; days_left: pass unstated, closing date not stated"},

		{"closes today", Search{Bands: []string{"4"}, DaysLeft: 2}, closes(today), "band: pass, Band 4; days_left: fail, closes today, you asked for at least 2"},
		{"over", Search{Bands: []string{"4"}, DaysLeft: 2}, closes(today.Add(-1)), "band: pass, Band 4; days_left: fail, closed on 1 March 2026, you asked for at least 2"},

		{"internal", Search{Bands: []string{"4"}}, titled("Clerk - Internal Applicants Only"), "band: pass, Band 4; internal: fail, for internal applicants only"},
		{"internal wanted", Search{Bands: []string{"4"}, Internal: true}, titled("Clerk - Internal Applicants Only"), "band: pass, Band 4"},
		{"internal medicine", Search{Bands: []string{"4"}}, titled("Clerk, General Internal Medicine"), "band: pass, Band 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, v := prepared(t, tt.search), seed()
			if tt.edit != nil {
				tt.edit(&v)
			}
			var got string
			pass := true
			for i, o := range Explain(s, &v, today) {
				if i > 0 {
					got += "; "
				}
				word := "fail"
				if o.Pass {
					word = "pass"
				}
				if !o.Stated {
					word += " unstated"
				}
				got += fmt.Sprintf("%s: %s, %s", o.Criterion, word, o.Reason)
				pass = pass && o.Pass
				if o.Stated || slices.Contains(s.Bands, BandUnstated) {
					continue
				}
				// What is not stated is decided by the rule, and turned round.
				for _, flipped := range []bool{true, false} {
					s.Unstated = map[string]bool{o.Criterion: flipped}
					if got := Explain(s, &v, today)[i]; got.Pass != flipped || got.Stated {
						t.Errorf("%s with unstated %v: pass %v, stated %v", o.Criterion, flipped, got.Pass, got.Stated)
					}
				}
				s.Unstated = nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if Matches(s, &v, today) != pass {
				t.Errorf("Matches is %v, the outcomes say %v", !pass, pass)
			}
		})
	}
}

// TestUnstatedLeavesStatedAlone: only facts that are not stated are subject
// to the rule.
func TestUnstatedLeavesStatedAlone(t *testing.T) {
	s := prepared(t, Search{Bands: []string{"5"}, Unstated: map[string]bool{"band": true}})
	v := seed()
	if Matches(s, &v, today) {
		t.Error("a stated band 4 passes for band 5")
	}
}

// inEngland places a vacancy outside London, with pay as printed.
func inEngland(pay string) func(*Vacancy) {
	return func(v *Vacancy) {
		placed("Leeds LS1 3EX")(v)
		paid(pay)(v)
	}
}

func subset(t *rapid.T, label string, of ...string) []string {
	var out []string
	for _, x := range of {
		if rapid.Bool().Draw(t, label+" "+x) {
			out = append(out, x)
		}
	}
	return out
}

func drawSearch(t *rapid.T, places []Place) Search {
	s := Search{
		ID: "test", Bands: subset(t, "band", "4", "5", "8a", BandUnstated), StaffGroups: subset(t, "group", "01", "08"),
		Specialties: subset(t, "specialty", "oncology", "cardiology"), StatedOnly: rapid.Bool().Draw(t, "stated only"),
		Keywords:  rapid.SampledFrom([]string{"", "nurse", "clerk OR nurse", "nurse NOT bank", "title:ward", `"ward nurse" NOT bank`}).Draw(t, "keywords"),
		Employers: subset(t, "employer", "C9001"), NotEmployers: subset(t, "not employer", "Kyd Health"),
		Contracts: subset(t, "contract", "Permanent", "Bank"), Patterns: subset(t, "pattern", "Full time"),
		MinSalary: rapid.SampledFrom([]int{0, 30000, 60000}).Draw(t, "salary"), Sponsorship: rapid.Bool().Draw(t, "sponsorship"),
		MinMonths: rapid.IntRange(0, 12).Draw(t, "min months"), MaxMonths: rapid.SampledFrom([]int{0, 12, 15}).Draw(t, "max months"),
		DaysLeft: rapid.IntRange(0, 5).Draw(t, "days left"), Internal: rapid.Bool().Draw(t, "internal"), Unstated: map[string]bool{},
	}
	for i, p := range places {
		if rapid.Bool().Draw(t, fmt.Sprint("place ", i)) {
			s.Places = append(s.Places, p)
		}
	}
	for _, c := range Criteria() {
		if rapid.Bool().Draw(t, "turn "+c.Name) {
			s.Unstated[c.Name] = !c.UnstatedPasses
		}
	}
	return s
}

func drawVacancy(t *rapid.T) Vacancy {
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	v := Vacancy{
		Reference: pick("reference", "C9001-26-0001", "C9002-26-0001", "odd"),
		Title:     pick("title", "Nurse", "Bank Nurse", "Clerk", "Nurse (internal applicants only)", "Ward Nurse"),
		Employer:  pick("employer", "", "Kyd Health", "Marlowe Health"), Band: pick("band", "", "4", "5", "9"),
		StaffGroup: pick("group", "", "01", "08"), Contract: pick("contract", "", "Permanent", "Locum"),
		Duration:    pick("duration", "", "6 months", "9-12 months", "18 months", "until March"),
		Text:        Text{Summary: pick("summary", "", "A nurse on a ward.")},
		Sponsorship: pick("sponsorship", "", Offered, NotOffered),
		Salary:      ParseSalary(pick("salary", "", "£35,000 a year", "£65,000 a year", "£3,000 a month", "Negotiable")),
		PageUnread:  rapid.Bool().Draw(t, "page unread"),
	}
	if v.Band != "" {
		v.AlsoBands = subset(t, "also band", "8a")
	}
	v.WorkingPatterns = subset(t, "pattern", "Full time", "Part time")
	for _, id := range subset(t, "specialty", "oncology", "renal-medicine") {
		v.Specialties = append(v.Specialties, Specialty{ID: id, Confidence: pick("confidence", "stated", "inferred"), Evidence: "title: " + id})
	}
	placed(subset(t, "site", "London E1 1BB", "Remote LS1 3EX", "Nowhere in Particular")...)(&v)
	if n := rapid.IntRange(-1, 6).Draw(t, "days"); n >= 0 {
		v.Closing = today.Add(n)
	}
	return v
}

// TestMatchesIsExplain holds that a vacancy matches exactly when every outcome
// passes, that criteria are joined by AND and do not hear of each other, and
// that an explanation is complete and in order.
func TestMatchesIsExplain(t *testing.T) {
	leeds := near(t, "Leeds", 5)
	leeds.Remote = true
	places := []Place{near(t, "E1 6AN", 10), leeds, {Name: "London", Region: "London"}}
	rapid.Check(t, func(t *rapid.T) {
		s, v := drawSearch(t, places), drawVacancy(t)
		if err := s.Prepare(); err != nil {
			return // a search that narrows nothing
		}
		outcomes := Explain(&s, &v, today)
		pass := !slices.ContainsFunc(outcomes, func(o Outcome) bool { return !o.Pass })
		if got := Matches(&s, &v, today); got != pass {
			t.Fatalf("Matches is %v, the outcomes are %+v", got, outcomes)
		}
		next := 0
		for _, o := range outcomes {
			i := slices.IndexFunc(Criteria(), func(c Criterion) bool { return c.Name == o.Criterion })
			if i < next || o.Reason == "" {
				t.Fatalf("criterion %q is out of order, or has no reason in %q", o.Criterion, o.Reason)
			}
			next = i + 1
			rule := Criteria()[i].UnstatedPasses != hasKey(s.Unstated, o.Criterion) || o.Criterion == "band" && slices.Contains(s.Bands, BandUnstated)
			if !o.Stated && o.Pass != rule {
				t.Fatalf("%s is not stated and passes: %v, turned round: %v", o.Criterion, o.Pass, hasKey(s.Unstated, o.Criterion))
			}
		}
		alone := []Search{
			{Places: s.Places}, {Bands: s.Bands}, {StaffGroups: s.StaffGroups}, {Specialties: s.Specialties, StatedOnly: s.StatedOnly},
			{query: s.query}, {Employers: s.Employers, NotEmployers: s.NotEmployers}, {Contracts: s.Contracts}, {Patterns: s.Patterns},
			{MinSalary: s.MinSalary}, {Sponsorship: s.Sponsorship}, {DaysLeft: s.DaysLeft},
			{MinMonths: s.MinMonths, MaxMonths: s.MaxMonths},
		}
		all := s.Internal || Matches(&Search{}, &v, today)
		for _, one := range alone {
			one.Internal, one.Unstated = true, s.Unstated
			all = all && Matches(&one, &v, today)
		}
		if all != pass {
			t.Fatalf("one by one the criteria say %v, together %v: %+v", all, pass, outcomes)
		}
	})
}

func hasKey(m map[string]bool, k string) bool { _, ok := m[k]; return ok }
