package message

import (
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A view is what both parts of a mail show: plain words and links, cleaned
// and cut. The templates add markup and nothing else, so a fact cannot be in
// one part only.
type view struct {
	Subject string
	Heading string
	Notices []string // what is to be said of the message itself
	Search  string   // its name
	Words   string   // the search in words, "" if that is its name already
	Also    []string
	Items   []itemView
	More    string
	MoreURL string
	StopURL string
	// ManageURL leads to the reader's own page.
	ManageURL string
	PageURL   string
}

type itemView struct {
	Closing string // the date and the days left: the first thing to read
	Title   string
	URL     string
	Note    string // what happened, "" for a new vacancy
	Facts   []fact
	Changes []changeView
	Why     []string
	Unknown []string // criteria that passed because the advert is silent
	Posted  string
	Related *otherView  // the advert that it is tied to
	Others  []otherView // further adverts of the same post
}

// A fact without a name speaks for itself: "Band 4", "no band stated".
type fact struct{ Name, Value string }

func (f fact) String() string {
	if f.Name == "" {
		return f.Value
	}
	return f.Name + ": " + f.Value
}

type changeView struct{ Field, Before, After string }

// An otherView is a sentence with the reference of another advert in it, and
// that advert's address.
type otherView struct{ Before, Reference, After, URL string }

func newView(a *Alert) view {
	items, more := a.Items, a.More
	if len(items) > MaxItems {
		items, more = items[:MaxItems], more+len(items)-MaxItems
	}
	v := view{
		Subject: Subject(*a),
		Heading: heading(a),
		Search:  searchTitle(&a.Search),
		StopURL: link(a.StopURL), ManageURL: link(a.ManageURL),
		PageURL: link(a.PageURL),
	}
	v.Notices = notices(a)
	if w := describe(&a.Search); w != v.Search {
		v.Words = w
	}
	for i := range a.Also {
		v.Also = append(v.Also, searchTitle(&a.Also[i]))
	}
	today := vacancy.LondonDay(a.At)
	for i := range items {
		v.Items = append(v.Items, newItem(a, &items[i], today))
	}
	if more > 0 {
		v.More = "And " + count(more, "more vacancy", "more vacancies") + "."
		v.MoreURL = v.PageURL
	}
	return v
}

func newItem(a *Alert, it *Item, today vacancy.Day) itemView {
	e := &it.Event
	v := &e.Vacancy
	out := itemView{
		Closing: closingText(e, today),
		Title:   titleText(v),
		URL:     link(v.URL),
		Note:    noteText(e),
		Related: relatedView(it),
		Posted:  postedText(v.Posted, a.At),
	}
	add := func(name, value string) {
		if value != "" {
			out.Facts = append(out.Facts, fact{name, value})
		}
	}
	add("Employer", clip(v.Employer))
	add("Where", placeText(v, &a.Search, it.Outcomes))
	add("", bandText(v))
	add("Salary", clip(salaryText(v.Salary)))
	contract := clip(v.Contract)
	if d := clip(v.Duration); d != "" && contract != "" {
		contract += ", " + d
	}
	add("Contract", contract)
	add("Working pattern", clip(joined(v.WorkingPatterns)))
	if a.Search.Sponsorship {
		add("Sponsorship", clip(v.Sponsorship))
	}
	ref := clip(v.EmployerReference)
	if ref == "" {
		ref = clip(v.Reference)
	}
	add("Reference", ref)
	for _, c := range e.Changes {
		out.Changes = append(out.Changes, changeView{fieldName(c.Field), changeValue(c.Field, c.Before), changeValue(c.Field, c.After)})
	}
	for _, o := range it.Outcomes {
		switch reason := clip(o.Reason); {
		case reason == "":
		case o.Pass && !o.Stated:
			out.Unknown = append(out.Unknown, reason)
		default:
			out.Why = append(out.Why, reason)
		}
	}
	for i := range it.Others {
		out.Others = append(out.Others, otherText(&it.Others[i]))
	}
	return out
}

func joined(list []string) string {
	out := ""
	for _, s := range list {
		if s = clean(s); s == "" {
			continue
		}
		if out != "" {
			out += ", "
		}
		out += s
	}
	return out
}
