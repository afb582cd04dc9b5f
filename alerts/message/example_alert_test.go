package message

import (
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// hostile is a title that tries every way out of a subject line, a header, a
// page and a chat message.
const hostile = "Nurse\r\nBcc: everybody@example.org\r\n\r\n<script>alert(1)</script> <!channel> \u2028@everyone \"quoted\" 'single' {{.Search}} \x00\u202eesrever"

// example is an alert of the kind that goes out most, with nothing invented
// but employer, place and post.
func example() Alert {
	v := vacancy.Vacancy{
		Schema: 1, Source: "nhs-jobs", Reference: "C9000-26-0123", EmployerReference: "900-7758849SBH-A",
		URL:   "https://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0123",
		Title: "Medical Secretary/Patient Pathway Co-ordinator", Employer: "Marlowe Vale NHS Foundation Trust",
		PayScheme: "Agenda for change", Band: "4", BandFrom: vacancy.FromPrinted,
		Salary:   vacancy.ParseSalary("£33,094 to £36,195 a year per annum inc"),
		Contract: "Fixed term", Duration: "18 months", WorkingPatterns: []string{"Full time", "Flexible working"},
		Locations: []vacancy.Location{{Site: "Marlowe General Hospital", Town: "London", Postcode: "E1 4AA"}},
		Posted:    vacancy.AtTime(time.Date(2026, 6, 24, 8, 14, 0, 0, time.UTC)),
		Closing:   vacancy.Day{Year: 2026, Month: 7, Day: 8},
		FirstSeen: time.Date(2026, 6, 24, 8, 21, 30, 0, time.UTC),
	}
	return Alert{
		ID: "oncology|nhs-jobs/C9000-26-0123|new|1|mail",
		Search: vacancy.Search{ID: "oncology", Name: "Secretary near E1", Bands: []string{"4"},
			Places: []vacancy.Place{{Name: "E1 6", Lat: 51.517, Lon: -0.071, Miles: 10}}},
		Also: []vacancy.Search{{ID: "any", Name: "Anything in London"}},
		Items: []Item{{
			Event: vacancy.Event{Kind: vacancy.New, Version: 1, At: time.Date(2026, 6, 24, 8, 21, 30, 0, time.UTC), Vacancy: v},
			Outcomes: []vacancy.Outcome{
				{Criterion: "place", Pass: true, Stated: true, Reason: "1.2 miles from E1 6 (Marlowe General Hospital, London E1 4AA)", Miles: 1.2},
				{Criterion: "band", Pass: true, Stated: true, Reason: "Band 4"},
				{Criterion: "sponsorship", Pass: true, Reason: "sponsorship not known, the advert page has not been read"},
			},
		}},
		At:      time.Date(2026, 6, 24, 8, 22, 0, 0, time.UTC),
		StopURL: "https://watch.example.org/u/c3RvcA",
		PageURL: "https://watch.example.org/",
	}
}

// change returns an alert about one vacancy to which something else happened.
func change(k vacancy.Kind, edit func(*vacancy.Event), why ...string) Alert {
	a := example()
	a.Items[0].RelatedWhy = strings.Join(why, "")
	e := &a.Items[0].Event
	e.Kind, e.Version = k, 2
	if edit != nil {
		edit(e)
	}
	return a
}

// digest returns an alert with n vacancies and more left out.
func digest(n, more int) Alert {
	a := example()
	a.Digest, a.More = true, more
	item := a.Items[0]
	a.Items = nil
	for i := range n {
		it := item
		it.Event.Vacancy = item.Event.Vacancy.Clone()
		it.Event.Vacancy.Closing = item.Event.Vacancy.Closing.Add(i)
		a.Items = append(a.Items, it)
	}
	return a
}

// examples are alerts of every shape, by name.
func examples() map[string]Alert {
	hostileAlert := example()
	e := &hostileAlert.Items[0].Event
	e.Vacancy.Title, e.Vacancy.Employer = hostile, hostile
	e.Vacancy.URL = "javascript:alert(1)"
	e.Vacancy.Contract, e.Vacancy.Duration = hostile, hostile
	e.Vacancy.Locations[0].Site = hostile
	e.Vacancy.Salary.Text = hostile
	e.Changes = []vacancy.Change{{Field: hostile, Before: hostile, After: hostile}}
	e.Related = hostile
	hostileAlert.Items[0].Outcomes[0].Reason = hostile
	hostileAlert.Items[0].RelatedWhy = hostile
	hostileAlert.Search.Name = hostile
	hostileAlert.StopURL = "https://watch.example.org/u/x> <script>"

	long := example()
	long.Items[0].Event.Vacancy.Title = strings.Repeat("Consultant ", 1000)
	long.Items[0].Event.Vacancy.Employer = strings.Repeat("x", 10_000)
	long.Items[0].Event.Vacancy.Locations = make([]vacancy.Location, 200)
	for i := range long.Items[0].Event.Vacancy.Locations {
		long.Items[0].Event.Vacancy.Locations[i] = vacancy.Location{Site: strings.Repeat("\u2028<", 100), Town: "Marlowe"}
	}

	bare := example()
	bare.Items[0] = Item{Event: vacancy.Event{Kind: vacancy.New, Version: 1, Vacancy: vacancy.Vacancy{Reference: "C9000-26-0124", Title: "Porter", PageUnread: true}}}
	bare.StopURL, bare.PageURL, bare.Also = "", "", nil

	// Two posts of a digest, each with further adverts: one listed twice, one
	// for several sites.
	sites := digest(2, 0)
	other := func(relation, ref string, places ...vacancy.Location) Other {
		return Other{relation, vacancy.Vacancy{Reference: ref, URL: "https://www.jobs.nhs.uk/candidate/jobadvert/" + ref, Locations: places}}
	}
	sites.Items[0].Others = []Other{other(vacancy.LinkTwin, "C9000-26-0125")}
	sites.Items[1].Others = []Other{
		other(vacancy.LinkSibling, "C9000-26-0126", vacancy.Location{Town: "Leeds", Postcode: "LS1 3EX"}),
		other(vacancy.LinkSibling, "C9000-26-0127"),
	}

	tied := func(relation, why string) Alert {
		return change(vacancy.New, func(e *vacancy.Event) { e.Version, e.Related, e.Relation = 1, "C9000-26-0042", relation }, why)
	}
	elsewhere := tied(vacancy.LinkTwin, "")
	elsewhere.Items[0].Event.Vacancy.URL = "https://careers.example.org/?advert=C9000-26-0123"

	late := digest(2, 0)
	late.Missed = Span{time.Date(2026, 3, 28, 8, 0, 0, 0, time.UTC), time.Date(2026, 3, 30, 11, 5, 0, 0, time.UTC)} // over the change of the clocks
	last := example()
	last.LastOf, last.NextMail = 10, time.Date(2026, 6, 25, 7, 0, 0, 0, time.UTC)
	reminder := digest(1, 0)
	reminder.Items[0].Event.Kind = vacancy.ClosingSoon
	reminder.Items[0].Event.Vacancy.Closing = vacancy.Day{Year: 2026, Month: 6, Day: 27}

	return map[string]Alert{
		"late":         late,
		"last of day":  last,
		"closing soon": reminder,

		"new":    example(),
		"bare":   bare,
		"sites":  sites,
		"digest": digest(3, 12),
		"amended": change(vacancy.Amended, func(e *vacancy.Event) {
			e.Changes = []vacancy.Change{{Field: "salary", Before: "£30,000 a year", After: "£33,094 to £36,195 a year"}, {Field: "working_patterns", Before: "Full time", After: "Full time, Flexible working"}}
		}),
		"moved": change(vacancy.ClosingMoved, func(e *vacancy.Event) {
			e.Changes = []vacancy.Change{{Field: "closing", Before: "2026-07-01", After: "2026-07-08"}}
		}),
		"closed early": change(vacancy.Closed, func(e *vacancy.Event) { e.Reason = vacancy.Early }),
		"reopened":     change(vacancy.Reopened, nil),
		"readvertised": change(vacancy.Readvertised, func(e *vacancy.Event) {
			e.Version, e.Related, e.Relation = 1, "C9000-26-0042", vacancy.LinkReadvert
		}, "same employer reference 900-7758849SBH-A"),
		"again, told late": tied(vacancy.LinkReadvert, "same title, place and terms"),
		"again, of what":   change(vacancy.Readvertised, nil),
		"twin":             tied(vacancy.LinkTwin, "same employer reference 900-7758849SBH-A"),
		"sibling":          tied(vacancy.LinkSibling, "same title and text, another place"),
		"elsewhere":        elsewhere,
		"hostile":          hostileAlert,
		"long":             long,
	}
}
