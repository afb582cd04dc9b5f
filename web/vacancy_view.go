package web

import (
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// vacancyView is a vacancy's page. Nothing in it tells the time at which it was
// made but the days left, so that the page is the same all day.
type vacancyView struct {
	Title        string
	Employer     string
	EmployerHref string // of the employer's page, "" where there is none
	Class        string // of the panel; its words say the same
	State        string
	URL          string
	Facts        []fact
	History      []momentView
	Ties         []tieView
}

// A momentView is one thing that happened.
type momentView struct {
	What    string
	ISO, At string
	Note    string
	Changes []changeView
}

type changeView struct{ Field, Before, After string }

// A tieView is another advert, and how it is tied to this one.
type tieView struct {
	How   string
	Title string
	Href  string // of its page, "" where it is not remembered
	Note  string
}

func newVacancyView(r *vacancy.Record, events []vacancy.Event, kin []vacancy.Record, root string, today vacancy.Day, employers bool) *vacancyView {
	v := &r.Vacancy
	out := &vacancyView{Title: titleOf(v), Employer: tidy(v.Employer, maxWords), URL: webAddress(v.URL), Facts: factsOf(v)}
	if account := v.Account(); employers && account != "" {
		out.EmployerHref = root + "e/" + account
	}
	switch {
	case r.Closed != "":
		out.Class, out.State = "notice", overWords(r.Closed, v.Closing, r.ClosedAt)
	case !v.Open(today):
		out.Class, out.State = "notice", closesWords(v.Closing, today)
	default:
		out.Class, out.State = "ok", closesWords(v.Closing, today)
	}
	out.History = historyOf(r, events)
	out.tie(r, kin, root)
	return out
}

// historyOf is what happened to a vacancy, oldest first. The first line is that
// it was seen, though there may be no event of it: the first look at a website
// announces nothing, and the log forgets what is older than 400 days.
func historyOf(r *vacancy.Record, events []vacancy.Event) []momentView {
	var out []momentView
	began := slices.ContainsFunc(events, func(e vacancy.Event) bool { return e.Version == 1 })
	if !began && !r.Vacancy.FirstSeen.IsZero() {
		m := momentOf("First seen", r.Vacancy.FirstSeen)
		if r.Silent {
			m.Note = "It was there already when we began to watch this website, so what happened before is not known."
		}
		out = append(out, m)
	}
	if first := events; len(first) > 0 && !began && first[0].Version > 2 {
		out = append(out, momentView{What: "Earlier changes are not remembered any more"})
	}
	for i := range events {
		e := &events[i]
		m := momentOf(happenedWords(e.Kind, e.Reason, e.Changes), e.At)
		if e.Version == 1 && !e.Vacancy.Posted.IsZero() && e.Vacancy.Posted.Day() != vacancy.LondonDay(e.At) {
			m.Note = "The website says that it was posted on " + e.Vacancy.Posted.Day().Human() + "."
		}
		for _, c := range e.Changes {
			m.Changes = append(m.Changes, changeView{fieldWords(c.Field), valueWords(c.Field, c.Before), valueWords(c.Field, c.After)})
		}
		out = append(out, m)
	}
	return out
}

func momentOf(what string, at time.Time) momentView {
	return momentView{What: what, ISO: at.UTC().Format(time.RFC3339), At: momentWords(at)}
}

// tie adds the adverts that this one is tied to.
func (out *vacancyView) tie(r *vacancy.Record, kin []vacancy.Record, root string) {
	v := &r.Vacancy
	add := func(how, reference, why string, o *vacancy.Record) {
		t := tieView{How: how, Title: "Vacancy " + tidy(reference, maxWords), Note: upper(tidy(why, maxWords))}
		if o != nil {
			t.Title = titleOf(&o.Vacancy) + " (" + tidy(reference, maxWords) + ")"
			t.Href = root + vacancyPath(o.Vacancy.Key())
		}
		out.Ties = append(out.Ties, t)
	}
	if r.Link.Reference != "" {
		how := map[string]string{vacancy.LinkReadvert: "Advertised before as", vacancy.LinkTwin: "The same vacancy, listed twice", vacancy.LinkSibling: "The same post at another place"}[r.Link.Kind]
		i := slices.IndexFunc(kin, func(o vacancy.Record) bool { return o.Vacancy.Reference == r.Link.Reference })
		if i >= 0 {
			add(how, r.Link.Reference, r.Link.Why, &kin[i])
		} else {
			add(how, r.Link.Reference, r.Link.Why, nil)
		}
	}
	for i := range kin {
		o := &kin[i]
		if o.Link.Reference != v.Reference {
			continue
		}
		how := map[string]string{vacancy.LinkReadvert: "Advertised again on " + vacancy.LondonDay(o.Vacancy.FirstSeen).Human() + " as",
			vacancy.LinkTwin: "The same vacancy, listed twice", vacancy.LinkSibling: "The same post at another place"}[o.Link.Kind]
		add(how, o.Vacancy.Reference, o.Link.Why, o)
	}
}
