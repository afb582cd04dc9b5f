package simulator

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// facts is an advert as a crawl knows it that read everything right.
func facts(a *Advert) vacancy.Vacancy {
	day, _ := vacancy.ParseDay(string(a.Closing))
	v := vacancy.Vacancy{
		Source: "nhs-jobs", Reference: a.Reference, EmployerReference: a.Printed, Title: strings.TrimSpace(a.Title), Employer: a.Employer,
		PayScheme: a.PayScheme, Band: a.Band, Contract: vacancy.ParseContract(a.Contract), Duration: a.Duration, DBSRequired: a.DBS,
		WorkingPatterns: vacancy.ParsePatterns(strings.Join(a.Patterns, ",")), Posted: vacancy.AtTime(a.Posted), Closing: day,
		Sponsorship: vacancy.NotOffered,
		Salary:      vacancy.ParseSalary(fmt.Sprintf("£%.2f to £%.2f a %s %s", a.Salary.Min, a.Salary.Max, a.Salary.Unit, a.Salary.Text)),
	}
	if a.Salary.Max == 0 {
		v.Salary = vacancy.ParseSalary(a.Salary.Text)
	}
	if a.Band != "" {
		v.BandFrom = vacancy.FromPrinted
	}
	if a.Sponsorship {
		v.Sponsorship = vacancy.Offered
	}
	for _, s := range a.Sites {
		v.Locations = append(v.Locations, vacancy.Location{Site: s.Name, Town: s.Town, Postcode: s.Postcode})
	}
	x := a.Texts()
	v.Text = vacancy.Text{Summary: strings.Join(x.Summary, "\n"), Duties: strings.Join(x.Duties, "\n"), Description: strings.Join(x.Description, "\n")}
	for _, c := range x.Criteria {
		v.Text.Requirements += strings.Join(append(c.Essential, c.Desirable...), "\n")
	}
	v.Derive()
	return v
}

// tally counts the links of one kind against the truth. Open are adverts that
// advertise again one that was still open: such a pair is not tied.
type tally struct{ right, wrong, missed, open int }

func (c tally) precision() float64 { return float64(c.right) / float64(max(1, c.right+c.wrong)) }
func (c tally) recall() float64    { return float64(c.right) / float64(max(1, c.right+c.missed)) }

func (c tally) String() string {
	return fmt.Sprintf("%d right, %d wrong, %d missed, %d beside an open one: precision %.3f, recall %.3f",
		c.right, c.wrong, c.missed, c.open, c.precision(), c.recall())
}

// TestLinks lets a board run for weeks, ties each advert to its relatives as
// the program does when it first sees it, and compares with the truth.
func TestLinks(t *testing.T) {
	weeks, perWeekday := 9, 300.0
	if testing.Short() {
		weeks = 5
	}
	for _, seed := range []uint64{11, 12} {
		s, c := open(Options{Seed: seed, Start: at("2026-03-02T06:00:00Z"), Live: int(perWeekday * 12), PerWeekday: perWeekday})
		start := c.t
		c.pass(time.Duration(weeks) * 7 * 24 * time.Hour)
		got := (&links{known: map[string]*vacancy.Record{}, kin: map[string][]string{}, count: map[string]tally{}}).play(t, s.Truth(), start)
		for kind, want := range map[string]struct{ precision, recall float64 }{
			vacancy.LinkReadvert: {.98, .95},
			vacancy.LinkSibling:  {.98, .90},
			vacancy.LinkTwin:     {1, .95},
		} {
			t.Logf("seed %d, %s: %s", seed, kind, got[kind])
			if n := got[kind]; n.right < 20 || n.precision() < want.precision || n.recall() < want.recall {
				t.Errorf("seed %d, %s: %s; want at least 20 right, precision %.2f, recall %.2f", seed, kind, n, want.precision, want.recall)
			}
		}
	}
}

// links is what a program knows that reads every advert, and how it did.
type links struct {
	known map[string]*vacancy.Record
	kin   map[string][]string // references by name, newest first
	truth map[string]*Record
	count map[string]tally // by kind of link
}

// play plays the truth in order of time and counts the links that are made of
// what appears after the start.
func (l *links) play(t *testing.T, truth []Record, start time.Time) map[string]tally {
	t.Helper()
	type moment struct {
		at time.Time
		do func()
	}
	var moments []moment
	then := func(at time.Time, do func()) { moments = append(moments, moment{at, do}) }
	l.truth = map[string]*Record{}
	for i := range truth {
		r := &truth[i]
		l.truth[r.Reference] = r
		then(r.Visible, func() {
			link := l.see(r)
			if !r.Visible.Before(start) {
				l.judge(t, r, link)
			}
		})
		for _, version := range r.Versions[1:] {
			then(version.At, func() {
				rec := l.known[r.Reference]
				v := facts(version.Advert)
				v.FirstSeen, v.Posted = rec.Vacancy.FirstSeen, rec.Vacancy.Posted
				rec.Vacancy, rec.Text, rec.Closed, rec.ClosedAt = v, v.Text, "", time.Time{}
			})
		}
		for _, left := range r.Left {
			at := left.At.Add(time.Minute)
			if left.Why == Early {
				at = left.At.Add(26 * time.Hour) // after two sweeps
			}
			then(at, func() {
				if after, _, ok := l.known[r.Reference].Close(left.Why, at); ok {
					*l.known[r.Reference] = after
				}
			})
		}
	}
	slices.SortStableFunc(moments, func(a, b moment) int { return a.at.Compare(b.at) })
	for _, m := range moments {
		m.do()
	}
	return l.count
}

// see takes an advert in, as it is when it becomes visible.
func (l *links) see(r *Record) vacancy.Link {
	v := facts(r.Versions[0].Advert)
	var others []vacancy.Record
	for _, name := range vacancy.KinNames(&v) {
		for _, ref := range l.kin[name] {
			if !slices.ContainsFunc(others, func(o vacancy.Record) bool { return o.Vacancy.Reference == ref }) {
				others = append(others, *l.known[ref])
			}
		}
		l.kin[name] = append([]string{r.Reference}, l.kin[name]...)
		l.kin[name] = l.kin[name][:min(len(l.kin[name]), 20)]
	}
	link := vacancy.Relate(&v, r.Visible, others)
	v.FirstSeen = r.Visible
	l.known[r.Reference] = &vacancy.Record{Vacancy: v, Text: v.Text, Version: 1, Link: link}
	return link
}

// post names the post that an advert is for: one that was posted twice is one.
func (l *links) post(ref string) string {
	if r := l.truth[ref]; r != nil && r.Relation == Twin {
		return r.Parent
	}
	return ref
}

// judge compares one link with the truth. An advert stands beside all others of
// its post, and again for the last run of it.
func (l *links) judge(t *testing.T, r *Record, link vacancy.Link) {
	t.Helper()
	want := map[string]string{Readvert: vacancy.LinkReadvert, Sibling: vacancy.LinkSibling, Twin: vacancy.LinkTwin}[r.Relation]
	right := link.Kind == want && l.post(link.Reference) == r.Parent
	if o := l.truth[link.Reference]; !right && want == link.Kind && want == vacancy.LinkSibling && o.Relation == Sibling {
		right = o.Parent == r.Parent
	}
	c := l.count[link.Kind]
	switch {
	case link.Kind == "":
	case right:
		c.right++
	default:
		c.wrong++
		t.Logf("%s is %q of %q, and taken for %+v", r.Reference, r.Relation, r.Parent, link)
	}
	l.count[link.Kind] = c
	if want != "" && !right {
		c := l.count[want]
		if want == vacancy.LinkReadvert && l.known[r.Parent].Closed == "" {
			c.open++
		} else {
			c.missed++
		}
		l.count[want] = c
	}
}
