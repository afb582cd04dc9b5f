package markup

import (
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

func TestMoney(t *testing.T) {
	for want, v := range map[string]float64{"£0": 0, "£16.50": 16.5, "£1,850": 1850, "£48,987.04": 48987.04, "£102,689": 102689, "£1,000,000.10": 1000000.1} {
		if got := pounds(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for want, s := range map[string]world.Salary{
		"£16 to £18|an hour": {Min: 16, Max: 18, Unit: "hour", Text: "x"}, "£1,850|a session": {Min: 1850, Max: 1850, Unit: "session"},
		"Negotiable|": {Text: "Negotiable"},
	} {
		if figures, unit := amount(s); figures+"|"+unit != want {
			t.Errorf("got %s|%s, want %s", figures, unit, want)
		}
	}
}

func TestDates(t *testing.T) {
	for want, c := range map[string]struct {
		day    world.Day
		digits int
		welsh  bool
	}{"2 September 2026": {"2026-09-02", 1, false}, "02 September 2026": {"2026-09-02", 2, false}, "06 Awst 2026": {"2026-08-06", 2, true}, "soon": {"soon", 2, true}} {
		if got := date(c.day, c.digits, c.welsh); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTimesOfTheFeed(t *testing.T) {
	base := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		precision string
		plus      time.Duration
		want      string
	}{
		{"3", 1, "2026-07-01T09:00:00.000"}, {"6", 1000, "2026-07-01T09:00:00.000001"}, {"9", 1, "2026-07-01T09:00:00.000000001"},
		{"java", 0, "2026-07-01T09:00"}, {"java", time.Second, "2026-07-01T09:00:01"}, {"java", time.Millisecond, "2026-07-01T09:00:00.001"},
		{"java", time.Microsecond, "2026-07-01T09:00:00.000001"}, {"java", 1, "2026-07-01T09:00:00.000000001"},
	} {
		f := Feed{Precision: c.precision}
		if got := f.time(base.Add(c.plus)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.precision, got, c.want)
		}
	}
}

func TestTextOfTheFeed(t *testing.T) {
	if got := cut(strings.Repeat("é", 151)); got != strings.Repeat("é", 150)+"..." {
		t.Errorf("cut gives %q", got)
	}
	if got := cut(strings.Repeat("é", 150)); got != strings.Repeat("é", 150) {
		t.Errorf("cut gives %q", got)
	}
	if got, want := xmlText("a<b>&\x00\xff\n'"), "a&lt;b&gt;&amp;\n'"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTextsAreEscaped(t *testing.T) {
	evil := `"><script>alert('x')</script>`
	a := &world.Advert{Reference: "A1", Title: evil, Employer: evil, Closing: "2026-09-02", Website: `https://x.example/"`, Salary: world.Salary{Text: evil},
		Contract: evil, Patterns: []string{evil}, Sites: []world.Place{{Town: evil, Name: evil}}, Printed: evil, Duration: evil, PayScheme: evil, Band: evil,
		Contact: world.Contact{Name: evil, Email: evil, Role: evil, Phone: evil}}
	texts := world.Texts{Summary: []string{evil}, Duties: []string{evil}, About: []string{evil}, Description: []string{evil},
		Criteria: []world.Criteria{{Heading: evil, Essential: []string{evil}}}}
	page := (&Page{Advert: a, Texts: texts}).HTML()
	list := (&Results{Params: []Param{{"keyword", evil}, {evil, evil}}, Subject: evil, Total: 30, Page: 1, Pages: 3, Cards: []Card{{Advert: a}}}).HTML()
	for _, p := range [][]byte{page, list} {
		if strings.Contains(string(p), "<script>") || strings.Contains(string(p), `example/"`+`"`) {
			t.Errorf("not escaped:\n%s", p)
		}
	}
}

func TestOneJob(t *testing.T) {
	for noun, one := range map[string]bool{"1 job found": true, "1 jobs found": false} {
		r := Results{Total: 1, OneJob: one}
		if got := r.heading(); got != noun {
			t.Errorf("got %s, want %s", got, noun)
		}
	}
}
