package vacancy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// month returns n vacancies over thirty days, the band, place and pay of which
// go round in different circles.
func month(n int) []*Vacancy {
	bands := []string{"", "4", "5", "6", "8a", Consultant}
	sites := []string{"London E1 1BB", "Croydon CR7 7YE", "Leeds LS1 3EX", "Remote LS1 3EX", "Nowhere in Particular", "Luton LU4 0DZ", "Bristol BS2 8HW"}
	pays := []string{"£35,000 a year", "£16 an hour", "£48,000 a year", "Negotiable", "£52,000 a year"}
	texts := []string{"A ward clerk for the oncology ward.", "We look for a nurse with an interest in bank work.", "Our team of physiotherapists grows."}
	out := make([]*Vacancy, n)
	for i := range out {
		v := seed()
		v.Reference = fmt.Sprintf("C%04d-26-%04d", 9000+i%40, i)
		v.Band, v.BandFrom = bands[i%len(bands)], FromPrinted
		v.Posted = OnDay(today.Add(-(i * 7 % 30)))
		v.Closing = v.Posted.Day().Add(14)
		placed(sites[i%len(sites)])(&v)
		paid(pays[i%len(pays)])(&v)
		v.Text.Summary = texts[i%len(texts)]
		out[i] = &v
	}
	return out
}

// TestPreview counts by hand: each vacancy and each loosening with Matches.
func TestPreview(t *testing.T) {
	all := month(2100)
	from := today.Add(-29)
	for _, s := range []Search{
		{Places: []Place{near(t, "E1 6AN", 5)}, Bands: []string{"5"}},
		{Places: []Place{near(t, "E1 6AN", 5), near(t, "Kent", 0)}, Bands: []string{"5"}, Keywords: "nurse NOT bank", DaysLeft: 20},
		{Bands: []string{"4", "6"}, MinSalary: 49000, Keywords: `title:clerk "ward clerk"`},
		{Keywords: "oncology", Specialties: []string{"oncology"}, StatedOnly: true, Contracts: []string{"Bank"}, Patterns: []string{"Job share"}, MinMonths: 20},
		{Sponsorship: true, Employers: []string{"C9001"}, StaffGroups: []string{"08"}},
	} {
		p := prepared(t, s)
		t.Run(p.Describe(), func(t *testing.T) {
			f := Preview(p, slices.Values(all), from, today)
			matches := 0
			for _, v := range all {
				if Matches(p, v, v.appeared()) {
					matches++
				}
			}
			if f.Matches != matches || f.Seen != len(all) || f.Days != 30 {
				t.Errorf("%d of %d in %d days, want %d of %d in 30", f.Matches, f.Seen, f.Days, matches, len(all))
			}
			if f.PerWeek < float64(f.Low)-1 || f.PerWeek > float64(f.High) {
				t.Errorf("%.1f a week lies not between %d and %d", f.PerWeek, f.Low, f.High)
			}
			if got := len(f.Newest); got != min(matches, newestShown) || !slices.IsSortedFunc(f.Newest, func(a, b *Vacancy) int { return b.Posted.Compare(a.Posted) }) {
				t.Errorf("%d newest, of %d, or out of order", got, matches)
			}
			for i, l := range f.Loosenings {
				with := 0
				for _, v := range all {
					if Matches(&l.Search, v, v.appeared()) {
						with++
					}
				}
				if with-matches != l.Adds || l.Adds == 0 {
					t.Errorf("%q adds %d, want %d", l.Change, l.Adds, with-matches)
				}
				if i > 0 && l.Adds > f.Loosenings[i-1].Adds {
					t.Errorf("%q adds more than what stands before it", l.Change)
				}
				if again := l.Search.Clone(); again.Prepare() != nil {
					t.Errorf("%q makes a search that cannot be saved: %v", l.Change, again.Prepare())
				}
			}
		})
	}
}

func TestPreviewOffers(t *testing.T) {
	s := prepared(t, Search{Places: []Place{near(t, "E1 6AN", 5)}, Bands: []string{"5"}})
	f := Preview(s, slices.Values(month(2100)), today.Add(-29), today)
	var got []string
	for _, l := range f.Loosenings {
		got = append(got, fmt.Sprintf("%s: %d more", l.Change, l.Adds))
	}
	want := []string{
		"search 5 miles further: 50 more", "search 10 miles further: 50 more", "also search band 4: 50 more", "also search band 6: 50 more",
		"accept work from home as well: 50 more", "accept adverts whose place is not known: 50 more", "accept adverts that do not state a band: 50 more",
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPreviewWords(t *testing.T) {
	everything := prepared(t, Search{Bands: append(Bands(), BandUnstated)})
	none := prepared(t, Search{Bands: []string{"9"}})
	few := month(7)
	for _, tt := range []struct {
		name      string
		search    *Search
		vacancies []*Vacancy
		from      Day
		words     string
		warnings  []string
	}{
		{"nothing to compare", none, nil, today.Add(-29), "We have no vacancies of the last 30 days to compare with, so we cannot say how many alerts to expect.", nil},
		{"nothing", none, month(300), today.Add(-29), "None of the last 30 days matched: expect few alerts, in most weeks none.", []string{"Nothing matched in the last 30 days."}},
		{"everything", everything, month(300), today.Add(-29), "300 vacancies matched in the last 30 days: expect about 70 alerts a week, in most weeks 58 to 82.",
			[]string{"The search matches 100 % of all vacancies: many alerts, few of them for you."}},
		{"a few", everything, few, today.Add(-29), "7 vacancies matched in the last 30 days: expect about 2 alerts a week, in most weeks 0 to 4.", nil},
		{"one", everything, few[:1], today.Add(-29), "1 vacancy matched in the last 30 days: expect less than one alert a week, at most 1 in one.", nil},
		{"few days", everything, few[:1], today.Add(-6), "1 vacancy matched in the last 7 days: expect about 1 alert a week, in most weeks 0 to 4. That is a guess from few days.", nil},
	} {
		f := Preview(tt.search, slices.Values(tt.vacancies), tt.from, today)
		if diff := cmp.Diff(tt.words, f.Words); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if diff := cmp.Diff(tt.warnings, f.Warnings); diff != "" {
			t.Errorf("%s: warnings (-want +got):\n%s", tt.name, diff)
		}
	}
	kinds := *everything
	kinds.Kinds = []Kind{Closed}
	if f := Preview(&kinds, slices.Values(few), today.Add(-29), today); len(f.Warnings) != 1 {
		t.Errorf("a search that wants no new vacancies: warnings %q", f.Warnings)
	}
}

func TestWeekRange(t *testing.T) {
	for _, tt := range []struct {
		n         int
		weeks     float64
		low, high int
	}{
		{0, 4, 0, 1}, {4, 4, 0, 3}, {40, 4, 6, 15}, {500, 4, 109, 141}, {501, 4, 109, 142}, {20000, 4, 4898, 5102},
	} {
		if low, high := weekRange(tt.n, tt.weeks); low != tt.low || high != tt.high {
			t.Errorf("%d in %.0f weeks: %d to %d, want %d to %d", tt.n, tt.weeks, low, high, tt.low, tt.high)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n, weeks := rapid.IntRange(0, 5000).Draw(t, "n"), rapid.Float64Range(0.14, 60).Draw(t, "weeks")
		low, high := weekRange(n, weeks)
		if low < 0 || high < low || float64(high)+1 < float64(n)/weeks {
			t.Fatalf("%d in %f weeks: %d to %d", n, weeks, low, high)
		}
	})
}

// BenchmarkPreview measures a vacancy of the month: without words, and with
// words of which every vacancy has to be cut into its own.
func BenchmarkPreview(b *testing.B) {
	all := month(2000)
	for _, v := range all {
		v.Text.Description = strings.Repeat("The post holder will plan, carry out and evaluate care for patients on the ward. ", 35) // 2.8 kB
	}
	for name, s := range map[string]Search{
		"place and band": {Places: []Place{near(b, "E1 6AN", 10)}, Bands: []string{"5", "6"}},
		"with keywords":  {Places: []Place{near(b, "E1 6AN", 10)}, Bands: []string{"5", "6"}, Keywords: "oncology NOT bank"},
		"keywords alone": {Keywords: "oncology NOT bank"},
	} {
		p := prepared(b, s)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Preview(p, slices.Values(all), today.Add(-29), today)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/vacancy")
		})
	}
}
