package web

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web/preview"
)

// resultView is what a search finds.
type resultView struct {
	Words      string
	AsOf       stamp
	Facts      []fact
	Warnings   []string
	Hits       []hitView
	Loosenings []loosening
	YAML       string
}

type hitView struct {
	Title    string
	URL      string // "" for one that is no web address
	Employer string
	Closing  string
	Facts    []fact
	Why      string
	History  string // of the vacancy, the address of its page; "" where there is none
}

type loosening struct {
	Href template.URL // of this page, with the one change; "" where the form cannot say it
	What string
	More string
}

// show adds what the search finds. Before is what stands in the page's query
// before the search.
func (v *searchView) show(a *preview.Answer, s *vacancy.Search, before string) {
	r := &resultView{Words: a.Search, AsOf: stampOf(a.AsOf, a.AsOf), Warnings: a.Warnings}
	r.Facts = []fact{
		{Name: fmt.Sprintf("Matches in the last %d days", preview.Days), Value: fmt.Sprintf("%s of %s", thousands(a.Forecast.Matches), count(a.Forecast.Seen, "new vacancy", "new vacancies"))},
		{Name: "Matches open now", Value: fmt.Sprintf("%s of %s", thousands(a.OpenNow), count(a.Open, "open vacancy", "open vacancies"))},
		{Name: "Alerts to expect", Value: a.Forecast.Words},
	}
	if a.Forecast.Matches > 0 {
		r.Facts = append(r.Facts, fact{Name: "As one mail a day", Value: perWeek(a.Mails.Daily, "mail")})
	}
	today := vacancy.LondonDay(a.AsOf)
	for _, h := range a.Newest {
		r.Hits = append(r.Hits, hit(h, today))
	}
	for _, l := range a.Loosenings {
		lo := loosening{What: upper(l.Change), More: thousands(l.Adds) + " more"}
		if l.Query != "" {
			// A query that url.Values has encoded holds nothing that could end
			// the attribute or name another scheme.
			lo.Href = template.URL("?" + before + l.Query + "#results")
		}
		r.Loosenings = append(r.Loosenings, lo)
	}
	r.YAML, _ = preview.YAML(s)
	v.Result = r
}

// perWeek is a mean in words.
func perWeek(n float64, noun string) string {
	switch {
	case n < 0.75:
		return "less than one " + noun + " a week"
	case n < 1.5:
		return "about one " + noun + " a week"
	}
	return fmt.Sprintf("about %.0f %ss a week", n, noun)
}

func hit(h preview.Hit, today vacancy.Day) hitView {
	v := h.Vacancy
	out := hitView{Title: v.Title, Employer: v.Employer, Why: h.Why}
	if strings.TrimSpace(out.Title) == "" {
		out.Title = "Vacancy " + v.Reference
	}
	if u, err := url.Parse(v.URL); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		out.URL = u.String()
	}
	left := today.DaysUntil(v.Closing)
	switch {
	case !h.Open:
		out.Closing = "Closed"
	case v.Closing.IsZero():
		out.Closing = "No closing date stated"
	case left == 0:
		out.Closing = "Closes today"
	default:
		out.Closing = fmt.Sprintf("Closes %s (%s left)", v.Closing.Human(), count(left, "day", "days"))
	}
	add := func(name, value string) {
		if value != "" {
			out.Facts = append(out.Facts, fact{Name: name, Value: value})
		}
	}
	add("Place", v.PlaceText())
	add("Salary", v.Salary.String())
	contract := v.Contract
	if contract != "" && v.Duration != "" {
		contract += ", "
	}
	add("Contract", contract+v.Duration)
	add("Posted", v.Posted.Day().Human())
	return out
}

// linkHistories links the vacancies of which more happened than that they came
// up.
func (r *resultView) linkHistories(hits []preview.Hit, root string) {
	for i := range hits {
		if hits[i].Changed {
			r.Hits[i].History = root + vacancyPath(hits[i].Vacancy.Key())
		}
	}
}
