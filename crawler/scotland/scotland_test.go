package scotland

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/crawler/page"
	sim "github.com/vacancywatch/vacancywatch/crawler/simulator/scotland"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// fetched is when the pages are fetched, as far as a reader is concerned.
var fetched = time.Date(2026, 10, 6, 11, 0, 0, 0, time.UTC)

func newSite(t testing.TB, o sim.Options) *sim.Site {
	t.Helper()
	o.Now = func() time.Time { return fetched }
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get asks the pretend site for an address of the real one.
func get(t testing.TB, s *sim.Site, address string) page.Page {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", u.RequestURI(), nil))
	return page.Page{URL: address, Status: w.Code, ContentType: w.Header().Get("Content-Type"), Body: w.Body.Bytes()}
}

// anaesthetist says something in every field.
var anaesthetist = sim.Advert{
	Reference: "256437", Printed: "PS246039", InTitle: true, Title: "Consultant Anaesthetist", Board: "NHS Glenmarl",
	Department: "Anaesthetics", Family: "Medical and Dental", Grade: "Consultant", Min: 111430, Max: 148064,
	Contract: "Fixed-term", Hours: "Part time 20", Location: "Rookmoor Hospital", Town: "Elgin", Region: "Moray", Postcode: "IV30 1AA",
	Live: "2026-10-05", Closing: "2026-10-20",
	Sections: []sim.Section{
		{Heading: "About the role", Lines: []string{"You will join a department of nine.", "Lists run on six days."}},
		{Heading: "What we'll need you to bring", Lines: []string{"Full registration with a licence to practise"}, Bullets: true},
		{Heading: "About NHS Glenmarl", Lines: []string{"Oncology and dermatology are next door."}},
	},
	Contact: world.Contact{Role: "Clinical Lead", Name: "Ailsa Drumquhar", Email: "ailsa.drumquhar@glenmarl.example", Phone: "01632 960123"},
}

func anaesthetistRead() vacancy.Vacancy {
	return vacancy.Vacancy{
		Schema: vacancy.Schema, Reference: "256437", EmployerReference: "PS246039", URL: "https://apply.jobs.scot.nhs.uk/Job/JobDetail?JobId=256437",
		Title: "Consultant Anaesthetist", Employer: "NHS Glenmarl", Band: vacancy.Consultant, BandFrom: vacancy.FromPrinted,
		Salary:   &vacancy.Salary{Min: 11143000, Max: 14806400, Unit: vacancy.PerYear, UnitInferred: true, Text: "Consultant (£111,430 - £148,064)"},
		Contract: "Fixed term", WorkingPatterns: []string{"Part time"}, StaffGroup: "01",
		Locations: []vacancy.Location{{Site: "Rookmoor Hospital", Town: "Elgin", County: "Moray", Postcode: "IV30 1AA"}},
		Posted:    vacancy.OnDay(vacancy.Day{Year: 2026, Month: 10, Day: 5}), Closing: vacancy.Day{Year: 2026, Month: 10, Day: 20},
		Text: vacancy.Text{
			Summary: "Department: Anaesthetics", Description: "You will join a department of nine.\nLists run on six days.",
			Requirements: "Full registration with a licence to practise",
		},
	}
}

func TestEveryFieldOfACard(t *testing.T) {
	s := newSite(t, sim.Options{Adverts: []sim.Advert{anaesthetist}})
	got, err := ReadListing(get(t, s, ListingURL("", 1)), 1, fetched)
	if err != nil {
		t.Fatal(err)
	}
	v := anaesthetistRead()
	v.PageUnread = true
	v.Locations = []vacancy.Location{{Town: "Rookmoor Hospital"}}
	v.Text = vacancy.Text{Summary: v.Text.Summary}
	want := page.Listing{Vacancies: []vacancy.Vacancy{v}, Total: 1, Pages: 1, Last: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a card (-want +got):\n%s", diff)
	}
}

func TestEveryFieldOfAnAdvert(t *testing.T) {
	for _, tt := range []struct {
		name   string
		quirks sim.Quirks
		change func(*vacancy.Vacancy)
	}{
		{"whole", sim.Quirks{}, nil},
		{"raw breaks in strings", sim.Quirks{RawBreaks: true}, nil},
		{"other case", sim.Quirks{LowerCase: true}, nil},
		{"structured data alone", sim.Quirks{NoHooks: true}, func(v *vacancy.Vacancy) {
			// The site's own name is no employer: the card has the board.
			v.Employer, v.StaffGroup, v.WorkingPatterns, v.Text.Summary, v.Locations[0].Site = "", "", nil, "", ""
		}},
		{"hooks alone", sim.Quirks{NoStructured: true}, func(v *vacancy.Vacancy) {
			v.Locations = []vacancy.Location{{Town: "Rookmoor Hospital"}}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, sim.Options{Quirks: &tt.quirks, Adverts: []sim.Advert{anaesthetist}})
			got, err := ReadAdvert(get(t, s, AdvertURL("", "256437")))
			if err != nil {
				t.Fatal(err)
			}
			want := anaesthetistRead()
			if tt.change != nil {
				tt.change(&want)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("an advert (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMerge joins a card and its advert as the crawl does.
func TestMerge(t *testing.T) {
	for name, q := range map[string]sim.Quirks{"whole": {}, "structured data alone": {NoHooks: true}} {
		s := newSite(t, sim.Options{Quirks: &q, Adverts: []sim.Advert{anaesthetist}})
		l, err := ReadListing(get(t, s, ListingURL("", 1)), 1, fetched)
		if err != nil {
			t.Fatal(err)
		}
		advert, err := ReadAdvert(get(t, s, AdvertURL("", "256437")))
		if err != nil {
			t.Fatal(err)
		}
		v := l.Vacancies[0]
		v.Merge(&advert)
		v.Derive()
		var ids []string
		for _, s := range v.Specialties {
			ids = append(ids, s.ID)
		}
		if v.Employer != "NHS Glenmarl" || v.PageUnread || v.Locations[0].Region != "Scotland" || v.Locations[0].Lat == nil ||
			!slices.Equal(ids, []string{"anaesthetics"}) || v.StaffGroup != "01" {
			t.Errorf("%s: merged to %+v, specialties %v", name, v, ids)
		}
	}
}

// TestSeeds reads whole boards of many seeds, through http, and compares what
// was read with the truth.
func TestSeeds(t *testing.T) {
	for seed := range uint64(14) {
		s := newSite(t, sim.Options{Seed: seed, Adverts: sim.Invent(seed, 30+int(seed), "2026-10-06")})
		server := httptest.NewServer(s)
		fetch := func(address string) page.Page {
			t.Helper()
			res, err := server.Client().Get(address)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			return page.Page{URL: address, Status: res.StatusCode, ContentType: res.Header.Get("Content-Type"), Body: body}
		}
		board := s.Board()
		var refs []string
		for n := 1; ; n++ {
			l, err := ReadListing(fetch(ListingURL(server.URL, n)), n, fetched)
			if err != nil || len(l.Defects) > 0 || l.Total != len(board) || l.Pages != (len(board)+11)/12 || l.Last != (n == l.Pages) || l.Clamped != 0 {
				t.Fatalf("seed %d, page %d: %v, %+v", seed, n, err, l)
			}
			for _, v := range l.Vacancies {
				a := board[len(refs)]
				refs = append(refs, v.Reference)
				if v.Reference != a.Reference || v.Title != a.Title || v.Employer != a.Board || v.EmployerReference != a.Printed ||
					v.Closing.String() != string(a.Closing) || v.Posted.Day().String() != string(a.Live) || v.Salary.String() != a.Salary() {
					t.Fatalf("seed %d: read %+v from %+v", seed, v, a)
				}
				got, err := ReadAdvert(fetch(AdvertURL(server.URL, v.Reference)))
				if err != nil {
					t.Fatalf("seed %d, advert %s: %v", seed, v.Reference, err)
				}
				if got.Reference != v.Reference || got.Title != v.Title || got.Closing != v.Closing || got.Posted != v.Posted ||
					got.Band != v.Band && !s.Quirks().NoHooks { // without the job family some grades say nothing
					t.Fatalf("seed %d: the advert says %+v, the card %+v", seed, got, v)
				}
				checkPersonal(t, a, v)
				checkPersonal(t, a, got)
				if got.Text.Description == "" || got.Text.Requirements == "" || strings.Contains(got.Text.Description, "dermatology") {
					t.Fatalf("seed %d: the text is %+v", seed, got.Text)
				}
			}
			if l.Last {
				break
			}
		}
		if len(refs) != len(board) {
			t.Errorf("seed %d: read %d of %d", seed, len(refs), len(board))
		}
		server.Close()
	}
}

// checkPersonal fails the test if anything of the contact is left.
func checkPersonal(t *testing.T, a sim.Advert, v vacancy.Vacancy) {
	t.Helper()
	whole, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.ToLower(string(whole) + v.Text.Summary + v.Text.Duties + v.Text.Description + v.Text.Requirements)
	first, last, _ := strings.Cut(strings.ToLower(a.Contact.Name), " ")
	for _, s := range []string{first, last, "@", a.Contact.Phone, "01632"} {
		if s != "" && strings.Contains(all, s) {
			t.Fatalf("%q is left in %s", s, all)
		}
	}
}

func TestAddresses(t *testing.T) {
	if got := ListingURL("", 1); !strings.HasPrefix(got, "https://apply.jobs.scot.nhs.uk/Home/_JobCard?Skip=0&what=&") {
		t.Errorf("the first page is at %s", got)
	}
	if got := ListingURL("http://127.0.0.1:8080/", 3); !strings.HasPrefix(got, "http://127.0.0.1:8080"+ListingPath+"?Skip=24&") {
		t.Errorf("the third page is at %s", got)
	}
	if got := ListingURL("", 0); got != ListingURL("", 1) {
		t.Errorf("page 0 is at %s", got)
	}
	for address, want := range map[string]string{
		AdvertURL("", "256437"):                     "256437",
		"/Job/JobDetail?jobid=256437&Source=X":      "256437",
		"/nhs/Job/JobDetail/?JOBID=1":               "1",
		"/Job/JobDetail":                            "",
		"/Job/JobDetail?JobId=":                     "",
		"/Job/JobDetail?JobId=1&JobId=2":            "",
		"/Job/JobDetail?JobId=../x":                 "",
		"/Apply?JobId=256437":                       "",
		"%zz":                                       "",
		"https://other.example/a/JobDetail?JobId=7": "7",
	} {
		if got := referenceIn(address); got != want {
			t.Errorf("referenceIn(%q) = %q, want %q", address, got, want)
		}
	}
	for ref, want := range map[string]bool{"256437": true, "14496": true, "": false, "123": false, "0123456": false, "1234567890": false, "PS246039": false, "25643७": false} {
		if got := ValidReference(ref); got != want {
			t.Errorf("ValidReference(%q) = %v", ref, got)
		}
	}
}

func TestPay(t *testing.T) {
	for _, tt := range []struct{ salary, family, band, also, group string }{
		{"Band 5 (£33,247 - £41,424)", "Nursing and Midwifery", "5", "", ""},
		{"Band 8A (£65,125)", "", "8a", "", ""},
		{"Band 2-3 (£26,000 - £30,000)", "", "2", "3", ""},
		{"Consultant (£111,430 - £148,064)", "Medical and Dental", vacancy.Consultant, "", "01"},
		{"Locum Consultant (£111,430 - £148,064)", "Medical & Dental", vacancy.Consultant, "", ""},
		{"Clinical Dev Fellow (FHO2)", "Medical and dental", vacancy.DoctorOther, "", "01"},
		{"£12.60 an hour", "Support Services", "", "", ""},
		{"", "", "", "", ""},
	} {
		var v vacancy.Vacancy
		setPay(&v, tt.salary, tt.family)
		if v.Band != tt.band || strings.Join(v.AlsoBands, ",") != tt.also || v.StaffGroup != tt.group || v.Salary.String() != tt.salary {
			t.Errorf("%q in %q: band %q, also %v, group %q, salary %q", tt.salary, tt.family, v.Band, v.AlsoBands, v.StaffGroup, v.Salary)
		}
		if (tt.band != "") != (v.BandFrom == vacancy.FromPrinted) {
			t.Errorf("%q: the band is from %q", tt.salary, v.BandFrom)
		}
	}
}

func TestDays(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		ok         bool
	}{
		{"20/10/2026", "2026-10-20", true}, {" 1/2/2026 ", "2026-02-01", true}, {"20/10/2026 23:59", "2026-10-20", true},
		{"2026-10-20T00:00", "2026-10-20", true}, {"2026-10-20", "2026-10-20", true}, {"20 October 2026", "2026-10-20", true},
		{"0001-01-01T00:00", "", true}, {"01/01/0001", "", true},
		{"10/20/2026", "", false}, {"31/06/2026", "", false}, {"", "", false}, {"soon", "", false},
	} {
		if got, ok := day(tt.text); got.String() != tt.want || ok != tt.ok {
			t.Errorf("day(%q) = %v, %v", tt.text, got, ok)
		}
	}
}

func TestTitles(t *testing.T) {
	for _, tt := range []struct{ text, printed, title, own string }{
		{"PS246039 - Consultant Anaesthetist ", "PS246039", "Consultant Anaesthetist", "PS246039"},
		{"PS246039 - Consultant Anaesthetist", "", "Consultant Anaesthetist", "PS246039"},
		{"CI248883: Staff Nurse", "", "Staff Nurse", "CI248883"},
		{"Staff Nurse", "TV240001", "Staff Nurse", "TV240001"},
		{"PS246039 - Staff Nurse", "PS240000", "PS246039 - Staff Nurse", "PS240000"}, // contradictory: left alone
		{"B6 - Staff Nurse", "", "B6 - Staff Nurse", ""},
		{"PS246039 - ", "", "PS246039", ""},
		{"", "", "", ""},
	} {
		if got, own := title(tt.text, tt.printed); got != tt.title || own != tt.own {
			t.Errorf("title(%q, %q) = %q, %q, want %q, %q", tt.text, tt.printed, got, own, tt.title, tt.own)
		}
	}
}

func TestPlaces(t *testing.T) {
	at := func(locality, region, postcode string) (p posting) {
		p.JobLocation.Address.Locality, p.JobLocation.Address.Region, p.JobLocation.Address.Postcode = locality, region, postcode
		return p
	}
	for _, tt := range []struct {
		post posting
		name string
		want []vacancy.Location
	}{
		{posting{}, "", nil},
		{posting{}, "Aberdeen", []vacancy.Location{{Town: "Aberdeen"}}},
		{posting{}, "Aberdeen AB25 2AA", []vacancy.Location{{Town: "Aberdeen", Postcode: "AB25 2AA"}}},
		{at("Elgin", "", "iv301aa"), "Elgin", []vacancy.Location{{Town: "Elgin", Postcode: "IV30 1AA"}}},
		{at("Elgin", "Moray", ""), "Rookmoor Hospital", []vacancy.Location{{Site: "Rookmoor Hospital", Town: "Elgin", County: "Moray"}}},
		{at("Scotland", "Dundee", "DD1 9AA"), "", []vacancy.Location{{Town: "Dundee", Postcode: "DD1 9AA"}}},
		{at("", "", "DD1 9AA"), "Dundee", []vacancy.Location{{Town: "Dundee", Postcode: "DD1 9AA"}}},
	} {
		if diff := cmp.Diff(tt.want, place(tt.post, tt.name)); diff != "" {
			t.Errorf("place(%v, %q) (-want +got):\n%s", tt.post.JobLocation, tt.name, diff)
		}
	}
}
