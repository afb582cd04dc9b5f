package message

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestSubject(t *testing.T) {
	withTitle := func(title string, n int) Alert {
		a := digest(n, 0)
		a.Items[0].Event.Vacancy.Title = title
		return a
	}
	mixed := digest(3, 0)
	mixed.Items[2].Event.Kind = vacancy.Closed
	longEmployer := example()
	longEmployer.Items[0].Event.Vacancy.Employer = "Marlowe Vale and Upper Thornbrook Community Partnership NHS Foundation Trust"
	noEmployer := example()
	noEmployer.Items[0].Event.Vacancy.Employer = " "
	withdrawn := change(vacancy.Closed, func(e *vacancy.Event) { e.Reason = vacancy.Withdrawn })
	expired := change(vacancy.Closed, func(e *vacancy.Event) { e.Reason = vacancy.Expired })
	all := examples()

	for name, tt := range map[string]struct {
		alert Alert
		want  string
	}{
		"new":           {withTitle("Ward Clerk", 1), "Marlowe Vale NHS Foundation Trust is hiring: Ward Clerk"},
		"one more":      {withTitle("Ward Clerk", 2), "Marlowe Vale NHS Foundation Trust is hiring: Ward Clerk – and 1 other new vacancy"},
		"more":          {withTitle("Ward Clerk", 4), "Marlowe Vale NHS Foundation Trust is hiring: Ward Clerk – and 3 other new vacancies"},
		"left out too":  {digest(50, 12), "Marlowe Vale NHS Foundation Trust is hiring: Medical… – and 61 other new vacancies"},
		"mixed":         {mixed, "Marlowe Vale NHS Foundation Trust is hiring: Medical Secretary/Patient… – and 2 others"},
		"title cut":     {all["new"], "Marlowe Vale NHS Foundation Trust is hiring: Medical Secretary/Patient Pathway…"},
		"employer cut":  {longEmployer, "Marlowe Vale and Upper Thornbrook… is hiring: Medical Secretary/Patient Pathway…"},
		"no employer":   {noEmployer, "An employer is hiring: Medical Secretary/Patient Pathway Co-ordinator"},
		"amended":       {all["amended"], "Changed: Medical Secretary/Patient Pathway Co-ordinator, Marlowe Vale NHS Foundation Trust"},
		"closing moved": {all["moved"], "Closing date now 8 July: Medical Secretary/Patient…, Marlowe Vale NHS Foundation Trust"},
		"closed early":  {all["closed early"], "Closed early: Medical Secretary/Patient Pathway…, Marlowe Vale NHS Foundation Trust"},
		"withdrawn":     {withdrawn, "Withdrawn: Medical Secretary/Patient Pathway…, Marlowe Vale NHS Foundation Trust"},
		"expired":       {expired, "Closed: Medical Secretary/Patient Pathway Co-ordinator, Marlowe Vale NHS Foundation Trust"},
		"reopened":      {all["reopened"], "Open again: Medical Secretary/Patient Pathway…, Marlowe Vale NHS Foundation Trust"},
		"readvertised":  {all["readvertised"], "Advertised again: Medical Secretary/Patient Pathway…, Marlowe Vale NHS Foundation Trust"},
		"reminder":      {all["closing soon"], "Closes in 3 days: Medical Secretary/Patient Pathway…, Marlowe Vale NHS Foundation Trust"},
		"tomorrow":      {reminders(1, 1), "Closes tomorrow: Medical Secretary/Patient Pathway…, Marlowe Vale NHS Foundation Trust"},
		"today":         {reminders(0, 1), "Closes today: Medical Secretary/Patient Pathway…, Marlowe Vale NHS Foundation Trust"},
		"reminders":     {reminders(2, 3), "Closes in 2 days: Medic…, Marlowe Vale NHS Foundation Trust – and 2 others that close soon"},
		"no items":      {Alert{Search: vacancy.Search{Name: "Porter"}}, "Your search: Porter"},
	} {
		if got := Subject(tt.alert); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", name, got, tt.want)
		}
	}
	for name, a := range all {
		if s := Subject(a); runes(s) > MaxSubject || s == "" || s != clean(s) {
			t.Errorf("%s: subject %q: %d characters, want one clean line of at most %d", name, s, runes(s), MaxSubject)
		}
	}
}

// reminders is a digest of n reminders, of which the first closes in so many
// days.
func reminders(left, n int) Alert {
	a := digest(n, 0)
	for i := range a.Items {
		a.Items[i].Event.Kind = vacancy.ClosingSoon
		a.Items[i].Event.Vacancy.Closing = vacancy.LondonDay(a.At).Add(left + i)
	}
	return a
}

// A unit that stands twice is said once; what is not the same stays.
func TestSalary(t *testing.T) {
	for in, want := range map[string]string{
		"£33,094 to £36,195 a year per annum inc": "£33,094 to £36,195 a year inc",
		"£33,094 a year, pa pro rata":             "£33,094 a year pro rata",
		"£33,094 a year p.a. inc HCAS":            "£33,094 a year inc HCAS",
		"£25,559.16 per annum a year":             "£25,559.16 per annum",
		"£16 to £18 an hour per hour":             "£16 to £18 an hour",
		"£16 an hour hourly":                      "£16 an hour",
		"£3,000 a month pcm":                      "£3,000 a month",
		"£33,094 a year":                          "£33,094 a year",
		"£120 a day per session":                  "£120 a day per session",
		"£33,094 a year Per annum, pro rata":      "£33,094 a year, pro rata",
		"£33,094 a year pathology":                "£33,094 a year pathology",
		"Depends on experience":                   "Depends on experience",
		"":                                        "",
	} {
		if got := salaryText(vacancy.ParseSalary(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestPosted(t *testing.T) {
	at := time.Date(2026, 6, 24, 8, 22, 0, 0, time.UTC) // 09:22 in London
	for _, tt := range []struct {
		posted vacancy.Moment
		want   string
	}{
		{vacancy.AtTime(time.Date(2026, 6, 24, 8, 14, 0, 0, time.UTC)), "posted 09:14, alerted 09:22"},
		{vacancy.AtTime(time.Date(2026, 6, 23, 23, 30, 0, 0, time.UTC)), "posted 00:30, alerted 09:22"},
		{vacancy.AtTime(time.Date(2026, 6, 23, 8, 14, 0, 0, time.UTC)), "posted 23 June 09:14, alerted 09:22"},
		{vacancy.AtTime(time.Date(2025, 12, 31, 8, 14, 0, 0, time.UTC)), "posted 31 December 2025 08:14, alerted 09:22"},
		{vacancy.OnDay(vacancy.Day{Year: 2026, Month: 6, Day: 2}), "posted 2 June"},
		{vacancy.OnDay(vacancy.Day{Year: 2025, Month: 9, Day: 2}), "posted 2 September 2025"},
		{vacancy.Moment{}, ""},
	} {
		if got := postedText(tt.posted, at); got != tt.want {
			t.Errorf("posted %v: got %q, want %q", tt.posted, got, tt.want)
		}
	}
}

func TestClosing(t *testing.T) {
	today := vacancy.Day{Year: 2026, Month: 6, Day: 24}
	for _, tt := range []struct {
		kind    vacancy.Kind
		closing vacancy.Day
		want    string
	}{
		{vacancy.New, today.Add(14), "Closes 8 July 2026, 14 days left"},
		{vacancy.New, today.Add(1), "Closes tomorrow, 25 June 2026, 1 day left"},
		{vacancy.New, today, "Closes today, 24 June 2026"},
		{vacancy.New, today.Add(-1), "Closed on 23 June 2026"},
		{vacancy.New, vacancy.Day{}, "No closing date stated"},
		{vacancy.Closed, today.Add(3), "Closed, the closing date was 27 June 2026"},
		{vacancy.Closed, vacancy.Day{}, "Closed, no closing date stated"},
	} {
		e := vacancy.Event{Kind: tt.kind, Vacancy: vacancy.Vacancy{Closing: tt.closing}}
		if got := closingText(&e, today); got != tt.want {
			t.Errorf("%s, closing %v: got %q, want %q", tt.kind, tt.closing, got, tt.want)
		}
	}
}

func TestBand(t *testing.T) {
	for _, tt := range []struct {
		v    vacancy.Vacancy
		want string
	}{
		{vacancy.Vacancy{Band: "8a"}, "Band 8a"},
		{vacancy.Vacancy{Band: "5", AlsoBands: []string{"6"}, BandFrom: vacancy.FromTitle}, "Band 5/6 (from the title)"},
		{vacancy.Vacancy{}, "no band stated"},
		{vacancy.Vacancy{PageUnread: true}, "band not known: the advert page could not be read"},
		{vacancy.Vacancy{Band: vacancy.Consultant}, "Consultant"},
		{vacancy.Vacancy{Band: vacancy.LocalPay, PayScheme: "Other"}, "Local pay (Other)"},
	} {
		if got := bandText(&tt.v); got != tt.want {
			t.Errorf("band %q: got %q, want %q", tt.v.Band, got, tt.want)
		}
	}
	for _, b := range vacancy.Bands() {
		v := vacancy.Vacancy{Band: b}
		if got := bandText(&v); got == b || strings.Contains(got, "-") {
			t.Errorf("band %q has no words: %q", b, got)
		}
	}
}

func TestPlace(t *testing.T) {
	near := []vacancy.Outcome{{Criterion: "place", Pass: true, Stated: true, Miles: 1.24}}
	one := []vacancy.Location{{Town: "Marlowe", Postcode: "E1 4AA"}}
	many := make([]vacancy.Location, 7)
	for i := range many {
		many[i] = vacancy.Location{Town: "Site " + string(rune('A'+i))}
	}
	e1 := vacancy.Search{Places: []vacancy.Place{{Name: "E1 6", Miles: 10}}}
	two := vacancy.Search{Places: []vacancy.Place{{Name: "E1 6", Miles: 10}, {Name: "Leeds", Miles: 5}}}
	for _, tt := range []struct {
		places   []vacancy.Location
		search   vacancy.Search
		outcomes []vacancy.Outcome
		want     string
	}{
		{one, e1, near, "Marlowe E1 4AA, 1.2 miles from E1 6"},
		{one, two, near, "Marlowe E1 4AA, 1.2 miles away"},
		{one, e1, nil, "Marlowe E1 4AA"},
		{one, e1, []vacancy.Outcome{{Criterion: "place", Miles: 80}}, "Marlowe E1 4AA"},
		{many, e1, near, "Site A; Site B; Site C; Site D; Site E and 2 more, the nearest 1.2 miles from E1 6"},
		{nil, e1, near, ""},
	} {
		if got := placeText(&vacancy.Vacancy{Locations: tt.places}, &tt.search, tt.outcomes); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestLink(t *testing.T) {
	const advert = "https://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0123"
	for address, want := range map[string]string{
		advert: advert, advert + "?a=1&b=2": advert + "?a=1&b=2", "http://localhost:8080/x": "http://localhost:8080/x",
		"https://example.org/a b<c>": "https://example.org/a%20b%3Cc%3E",
		"":                           "", "/jobadvert/1": "", "javascript:alert(1)": "", "data:text/html,x": "", "https://": "",
		"https://user:pw@example.org/": "", "https://example.org/?a>\"<b": "", "https://example.org/\r\nx": "", "//example.org/": "",
	} {
		if got := link(address); got != want {
			t.Errorf("%q: got %q, want %q", address, got, want)
		}
	}
}

func TestRelatedURL(t *testing.T) {
	const advert = "https://www.jobs.nhs.uk/candidate/jobadvert/"
	for _, tt := range []struct{ url, reference, related, want string }{
		{advert + "C9000-26-0123", "C9000-26-0123", "C9000-26-0042", advert + "C9000-26-0042"},
		{advert + "C9000-26-0123", "C9000-26-0123", "../x?y#z", advert + "..%2Fx%3Fy%23z"},
		{advert + "C9000-26-0123", "C9000-26-0123", "", ""},
		{advert + "C9000-26-0123?a=1", "C9000-26-0123", "C9000-26-0042", ""},
		{advert + "XC9000-26-0123", "C9000-26-0123", "C9000-26-0042", ""}, // not the whole last part
		{"javascript:x/C9000-26-0123", "C9000-26-0123", "C9000-26-0042", ""},
		{advert, "", "C9000-26-0042", ""},
		{"", "C9000-26-0123", "C9000-26-0042", ""},
	} {
		if got := relatedURL(&vacancy.Vacancy{URL: tt.url, Reference: tt.reference}, tt.related); got != tt.want {
			t.Errorf("%s beside %s at %q: got %q, want %q", tt.related, tt.reference, tt.url, got, tt.want)
		}
	}
}

// TestGolden shows whole messages; run with -update to rewrite them, and read
// the difference.
func TestGolden(t *testing.T) {
	all := examples()
	for _, name := range []string{"new", "digest", "moved", "bare", "readvertised", "twin", "sibling", "sites", "closed early", "late", "last of day", "closing soon"} {
		for ext, render := range map[string]func(Alert) ([]byte, error){"html": HTML, "txt": Text, "json": WebhookBody} {
			a := all[name]
			if ext == "json" && len(a.Items)+a.More != 1 {
				continue
			}
			got, err := render(a)
			if err != nil {
				t.Fatal(err)
			}
			if ext == "json" {
				got = append(got, '\n')
			}
			file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_")+"."+ext)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s differs (-want +got):\n%s", file, diff)
			}
		}
	}
}
