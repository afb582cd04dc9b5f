package chat_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vacancywatch/vacancywatch/alerts/channel/channeltest"
	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// digest is an alert about n vacancies with the facts that an honest advert has.
func digest(n int) message.Alert {
	a := channeltest.Alert("digest")
	first := a.Items[0]
	first.Event.Vacancy.Salary = &vacancy.Salary{Text: "£27,485 to £30,162 a year"}
	first.Event.Vacancy.Contract = "Permanent"
	first.Event.Vacancy.Locations = []vacancy.Location{{Site: "Marlowe General Hospital", Town: "Marlowe", Postcode: "E1 4AA"}}
	a.Digest, a.PageURL, a.Items = n != 1, "https://watch.example.org/", nil
	for i := range n {
		it := first
		it.Event.Vacancy.Reference = fmt.Sprintf("C9000-26-%04d", i)
		it.Event.Vacancy.URL = "https://www.jobs.nhs.uk/candidate/jobadvert/" + it.Event.Vacancy.Reference
		it.Event.Vacancy.Title = fmt.Sprintf("Medical Secretary no %d", i)
		a.Items = append(a.Items, it)
	}
	return a
}

// render makes a message and lets the service read it.
func render(t testing.TB, kind string, a message.Alert) (shown, []byte) {
	t.Helper()
	body, err := newChat(t, kind, "http://127.0.0.1:1").Render(a, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := readers[kind](body)
	if err != nil {
		t.Fatalf("%s refuses %s\n%v", kind, body, err)
	}
	s.text = strings.ReplaceAll(s.text, "\u200b", "")
	return s, body
}

// An instant alert says everything, the closing date first, then the title
// with its link, then why; and how to stop.
func TestInstant(t *testing.T) {
	for _, kind := range kinds {
		s, _ := render(t, kind, digest(1))
		at := -1
		for _, want := range []string{"A new vacancy", "For your search: Secretary near E1", "Closes 8 July 2026, 14 days left", "Medical Secretary no 0", "Why: Band 4",
			"Marlowe Vale NHS Foundation Trust · Marlowe General Hospital", "Band 4 · Salary: £27,485 to £30,162 a year · Contract: Permanent", "Stop this search",
			"not part of the NHS"} {
			i := strings.Index(s.text, want)
			if i <= at {
				t.Errorf("%s: %q is missing or out of order in\n%s", kind, want, s.text)
			}
			at = i
		}
		for _, want := range []string{"https://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0000", "https://watch.example.org/u/c3RvcA", "https://watch.example.org/"} {
			if !slices.Contains(s.links, want) {
				t.Errorf("%s: no link %s in %q", kind, want, s.links)
			}
		}
	}
}

// A digest that is too long tells of fewer vacancies, whole ones, and how many
// more there are.
func TestDigest(t *testing.T) {
	moreRE := regexp.MustCompile(`And (\d+) more vacanc`)
	for _, kind := range kinds {
		last := 0
		for _, n := range []int{0, 1, 2, 9, 10, 11, 20, 50} {
			a := digest(n)
			a.More = 3
			s, body := render(t, kind, a)
			told := strings.Count(s.text, "Medical Secretary no ")
			more := 0
			if m := moreRE.FindStringSubmatch(s.text); m != nil {
				fmt.Sscan(m[1], &more)
			}
			if told+more != n+3 || told < min(n, last) || n > 0 && told == 0 {
				t.Errorf("%s: told of %d and %d more, want %d in all", kind, told, more, n+3)
			}
			for _, whole := range []string{"Closes 8 July 2026, 14 days left", "Why: Band 4", "Marlowe Vale NHS Foundation Trust"} {
				if got := strings.Count(s.text, whole); got != told {
					t.Errorf("%s: %d vacancies and %d times %q", kind, told, got, whole)
				}
			}
			if !slices.Contains(s.links, a.StopURL) {
				t.Errorf("%s: %d vacancies and no link to stop", kind, n)
			}
			for i := range told {
				if want := a.Items[i].Event.Vacancy.URL; !slices.Contains(s.links, want) {
					t.Errorf("%s: no link %s", kind, want)
				}
			}
			last = told
			t.Logf("%s: %d vacancies: told %d, %d bytes", kind, n, told, len(body))
		}
	}
}

// One hostile advert takes no room from its neighbours.
func TestHostileNeighbour(t *testing.T) {
	for _, kind := range kinds {
		a := digest(5)
		v := &a.Items[0].Event.Vacancy
		v.Employer, v.Contract = strings.Repeat("& ", 500), strings.Repeat("*_`", 500)
		v.Title = strings.Repeat("<&", 5000)
		for range 30 {
			a.Items[0].Outcomes = append(a.Items[0].Outcomes, vacancy.Outcome{Pass: true, Stated: true, Reason: strings.Repeat("😀", 300)})
		}
		s, _ := render(t, kind, a)
		for _, want := range []string{"Medical Secretary no 1", "Medical Secretary no 4"} {
			if !strings.Contains(s.text, want) {
				t.Errorf("%s: %q is missing in\n%s", kind, want, s.text)
			}
		}
		if n := strings.Count(s.text, "Why: Band 4\n"); n != 4 {
			t.Errorf("%s: %d of 4 neighbours say why:\n%s", kind, n, s.text)
		}
	}
}

// Rendering twice gives the same bytes, and sending sends them.
func TestSameBytes(t *testing.T) {
	for _, kind := range kinds {
		_, a := render(t, kind, digest(7))
		_, b := render(t, kind, digest(7))
		if !bytes.Equal(a, b) {
			t.Errorf("%s: two renders differ", kind)
		}
	}
}
