package people

import (
	"net/mail"
	"strings"
	"testing"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

func TestCheckAddress(t *testing.T) {
	for _, good := range []string{"a@b.example", "Jo.Nurse+alerts@ward-7.nhs.example", " a@b.example ", "o'neil@b.example", strings.Repeat("a", 64) + "@b.example"} {
		if a, fault := CheckAddress(good); fault != "" || a.Reveal() != strings.TrimSpace(good) {
			t.Errorf("%q: %s", good, fault)
		}
	}
	for _, bad := range []string{"", "a", "a@", "@b.example", "a@b", "a@b..example", "a@b.example.", ".a@b.example", "a..b@b.example", `"a"@b.example`, `"toni> ORCPT=admin@x"@test.com`,
		"a@b.example\r\nX: y", "a\n@b.example", "a@b@c.example", "a b@c.example", "A <a@b.example>", "a@b.example,c@d.example", "a(c)@b.example", "ä@b.example", "a@bü.example",
		"a@[192.0.2.1]", "a@b_c.example", "a@-b.example", strings.Repeat("a", 65) + "@b.example", "a@" + strings.Repeat("b.", 130) + "example", "a@" + strings.Repeat("b", 64) + ".example"} {
		a, fault := CheckAddress(bad)
		if fault == "" || a != "" {
			t.Errorf("%q was taken", bad)
		}
		if len(bad) > 8 && strings.Contains(fault, bad) {
			t.Errorf("the fault repeats %q", bad)
		}
	}
}

// FuzzCheckAddress: what is taken is one plain address, and stays the same.
func FuzzCheckAddress(f *testing.F) {
	f.Add("a@b.example")
	f.Add("\"a\"@b.example")
	f.Fuzz(func(t *testing.T, typed string) {
		a, fault := CheckAddress(typed)
		if fault != "" {
			return
		}
		s := a.Reveal()
		p, err := mail.ParseAddress(s)
		if err != nil || p.Address != s || len(s) > 254 || strings.Count(s, "@") != 1 || strings.ContainsAny(s, "\r\n \t\"<>,;") {
			t.Errorf("%q was taken", typed)
		}
		if again, fault := CheckAddress(s); fault != "" || again != a {
			t.Errorf("%q is not taken twice", typed)
		}
	})
}

func TestSame(t *testing.T) {
	search := func(change func(*vacancy.Search)) *vacancy.Search {
		leeds, err := vacancy.NewPlace("Leeds", 10)
		if err != nil {
			t.Fatal(err)
		}
		york, err := vacancy.NewPlace("York", 5)
		if err != nil {
			t.Fatal(err)
		}
		s := vacancy.Search{ID: "a", Bands: []string{"5", "6"}, Places: []vacancy.Place{leeds, york}, Keywords: "nurse"}
		if change != nil {
			change(&s)
		}
		if err := s.Prepare(); err != nil {
			t.Fatal(err)
		}
		return &s
	}
	base := search(nil)
	for name, tt := range map[string]struct {
		change func(*vacancy.Search)
		same   bool
	}{
		"itself":        {nil, true},
		"another name":  {func(s *vacancy.Search) { s.ID, s.Name, s.Subscriber = "b", "B", "jo" }, true},
		"tells another": {func(s *vacancy.Search) { s.Notify = []vacancy.Notify{{Channel: "x"}} }, true},
		"another order": {func(s *vacancy.Search) {
			s.Bands = []string{"6", "5"}
			s.Places[0], s.Places[1] = s.Places[1], s.Places[0]
		}, true},
		"another band":      {func(s *vacancy.Search) { s.Bands = []string{"5", "7"} }, false},
		"another radius":    {func(s *vacancy.Search) { s.Places[1].Miles = 6 }, false},
		"other words":       {func(s *vacancy.Search) { s.Keywords = "midwife" }, false},
		"unstated the same": {func(s *vacancy.Search) { s.Sponsorship = true }, false},
	} {
		if got := Same(base, search(tt.change)); got != tt.same {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// A notice has the same words and the same one link in both parts, and nothing
// of anybody else.
func TestNotices(t *testing.T) {
	const link, page = "https://watch.example/s/TOKEN-abc_1", "https://watch.example"
	for name, n := range map[string]interface {
		HTML() ([]byte, error)
		Text() ([]byte, error)
	}{"confirm": ConfirmNotice(link, page), "manage": ManageNotice(link, page), "keep": KeepNotice(link, page)} {
		html, err := n.HTML()
		if err != nil {
			t.Fatal(err)
		}
		text, err := n.Text()
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{string(html), string(text)} {
			if strings.Count(part, link) != 1 || strings.Contains(part, "ZgotmplZ") || !strings.Contains(part, "not part of the NHS") {
				t.Errorf("%s:\n%s", name, part)
			}
		}
		if strings.Contains(string(html), "<img") || strings.Contains(string(html), "http://") {
			t.Errorf("%s loads something", name)
		}
	}
}
