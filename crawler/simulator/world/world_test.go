package world

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var day = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

func TestTownsHavePostcodes(t *testing.T) {
	towns := Towns()
	if len(towns) < 300 {
		t.Fatalf("got %d towns", len(towns))
	}
	for _, town := range towns {
		if town.Sectors == "" || town.Lat < 49 || town.Lat > 61 || strings.HasPrefix(town.Outcode, "BT") {
			t.Errorf("odd town %+v", town)
		}
	}
}

func TestEmployersAreDistinct(t *testing.T) {
	for seed := range uint64(5) {
		accounts, names := map[string]bool{}, map[string]bool{}
		es := New(seed).Employers()
		for _, e := range es {
			if accounts[e.Account] || names[e.Name] {
				t.Errorf("seed %d: %s %s stands twice", seed, e.Account, e.Name)
			}
			accounts[e.Account], names[e.Name] = true, true
			if !regexp.MustCompile(`^[A-Z]\d{4}$`).MatchString(e.Account) {
				t.Errorf("account %q", e.Account)
			}
			if !strings.HasSuffix(e.Website, ".example/") {
				t.Errorf("%s has the website %s", e.Name, e.Website)
			}
		}
		if len(es) < 380 || len(es) > 420 {
			t.Errorf("seed %d gives %d employers, want about 400", seed, len(es))
		}
	}
}

func TestPayIsAsPrinted(t *testing.T) {
	april := time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		band, town string
		posted     time.Time
		want       payRange
	}{
		{"4", "Euston", april.AddDate(0, -1, 0), payRange{33094, 36195}},
		{"5", "Leeds", april, payRange{32073, 39043}},
		{"5", "Harrow", april, payRange{36943, 44900}},
		{"5", "Hammersmith", april, payRange{38488, 46852}},
		{"5", "Guildford", april, payRange{33677, 40996}},
		{"6", "Cardiff", april, payRange{40559, 48841}},
	} {
		for _, town := range Towns() {
			if town.Name != c.town {
				continue
			}
			if got := bandPay(c.band, town, c.posted); got != c.want {
				t.Errorf("band %s in %s: got %v, want %v", c.band, c.town, got, c.want)
			}
		}
	}
}

func TestMakeIsPlausible(t *testing.T) {
	w := New(3)
	bandless, titled, siteless := 0, 0, 0
	const n = 4000
	groups := map[string]int{}
	for i := range uint64(n) {
		a := w.Make(i, day, 14)
		if err := a.Check(); err != nil {
			t.Fatalf("advert %d: %v: %+v", i, err, a)
		}
		if a.Band == "" {
			bandless++
		}
		if a.Salary.Min == 0 && a.Salary.Text == "" {
			t.Errorf("advert %d says nothing of pay: %+v", i, a)
		}
		if a.Band != "" && a.PayScheme != AgendaForChange {
			t.Errorf("a band without the scheme: %+v", a)
		}
		if strings.Contains(a.Title, "Band") || strings.Contains(a.Title, " - B") {
			titled++
		}
		if len(a.Sites) == 0 {
			siteless++
		}
		groups[a.StaffGroup]++
		if s := bySpecialty()[a.Specialty]; a.Specialty != "" && s == nil {
			t.Errorf("no texts for the specialty %q", a.Specialty)
		}
	}
	if share := float64(bandless) / n; share < .25 || share > .42 {
		t.Errorf("%.2f of the adverts have no band, want about a third", share)
	}
	if titled == 0 || titled == n || siteless > 0 {
		t.Errorf("%d titles with a band, %d adverts without a site", titled, siteless)
	}
	if len(groups) != 9 {
		t.Errorf("got the staff groups %v, want all nine", groups)
	}
}

func TestSameSeedSameAdvert(t *testing.T) {
	a, b := New(9).Make(77, day, 14), New(9).Make(77, day, 14)
	if d := cmp.Diff(a, b); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(a.Texts(), b.Texts()); d != "" {
		t.Error(d)
	}
	if c := New(10).Make(77, day, 14); cmp.Equal(a, c) {
		t.Error("another seed gives the same advert")
	}
}

func TestTextsNameTheSpecialty(t *testing.T) {
	w := New(1)
	for i := range uint64(500) {
		a := w.Make(i, day, 14)
		x := a.Texts()
		if s := bySpecialty()[a.Specialty]; s != nil && !strings.Contains(strings.Join(x.Summary, " ")+a.Title, s.service) {
			t.Errorf("%q (%s) does not name its service in %q", a.Title, a.Specialty, x.Summary)
		}
		for _, p := range append(append(x.Summary, x.Duties...), x.Description...) {
			if strings.ContainsAny(p, "{}") {
				t.Errorf("a slot is left open: %q", p)
			}
		}
		if len(x.About) < 2 || len(x.Criteria) < 3 {
			t.Errorf("thin texts: %+v", x)
		}
	}
}

func TestAmendingOneTextKeepsTheOthers(t *testing.T) {
	a := New(1).Make(5, day, 14)
	before := a.Texts()
	b := a.Clone()
	b.Summary = []string{"Changed."}
	after := b.Texts()
	after.Summary = before.Summary
	if d := cmp.Diff(before, after); d != "" {
		t.Error(d)
	}
	if a.Summary != nil {
		t.Error("the clone shares its summary")
	}
}

func TestDays(t *testing.T) {
	if got := DayOf(time.Date(2026, 7, 1, 23, 30, 0, 0, time.UTC)); got != "2026-07-02" {
		t.Errorf("half past midnight in London is the day %s", got)
	}
	if got := Day("2026-03-29").At(23, 59).UTC(); !got.Equal(time.Date(2026, 3, 29, 22, 59, 0, 0, time.UTC)) {
		t.Errorf("the evening of 29 March is %v", got)
	}
	if Day("2026-02-30").Valid() || Day("").Valid() || !Day("2026-02-28").Valid() {
		t.Error("days are not told from others")
	}
}

func TestCheckNamesTheFault(t *testing.T) {
	good := Advert{Title: "Nurse", Employer: "X", Closing: "2026-03-13"}
	for name, c := range map[string]struct {
		change func(*Advert)
		want   string
	}{
		"title":     {func(a *Advert) { a.Title = " " }, "the advert has no title"},
		"employer":  {func(a *Advert) { a.Employer = "" }, "the advert has no employer"},
		"closing":   {func(a *Advert) { a.Closing = "13 March" }, `the closing date "13 March" is not a day such as 2026-03-13`},
		"reference": {func(a *Advert) { a.Reference = "a/b" }, `the reference "a/b" cannot stand in an address`},
		"sites":     {func(a *Advert) { a.Sites = make([]Place, 11) }, "11 sites, and no advert has more than 10"},
		"salary":    {func(a *Advert) { a.Salary = Salary{Min: 2, Max: 1} }, "the salary ends at 1 and begins at 2"},
	} {
		a := good
		c.change(&a)
		if err := a.Check(); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
}
