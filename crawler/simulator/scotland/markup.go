package scotland

import (
	"encoding/json"
	"fmt"
	"html"
	"strings"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// cards is the fragment that the search page loads.
func (s *Site) cards(adverts []Advert, current, total int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<input type=\"hidden\" id=\"totalCurrentRecords\" value=\"%d\">\n", current)
	fmt.Fprintf(&b, "<input type=\"hidden\" id=\"totalMatchRecords\" value=\"%d\">\n", total)
	for i := range adverts {
		s.card(&b, &adverts[i])
	}
	return b.String()
}

func (s *Site) card(b *strings.Builder, a *Advert) {
	badge := ""
	if s.quirks.Badge && a.Live >= world.DayOf(s.now()).Add(-1) {
		badge = `<span class="badge">NEW</span> `
	}
	fmt.Fprintf(b, "<div class=\"card job-card\" data-jobId=\"%s\">\n", a.Reference)
	b.WriteString("  <div class=\"card-body p-20\">\n    <div class=\"job-row__details\">\n")
	fmt.Fprintf(b, "      <a href=\"%s\">%s%s</a>\n", s.link(a), badge, esc(a.heading()))
	b.WriteString("    </div>\n    <div class=\"job-card__description\">\n")
	for _, f := range []struct{ class, label, value string }{
		{"jobreference", "Job reference", a.Printed},
		{"salary", "Salary", a.Salary()},
		{"closingdate", "Closing date", ukDay(a.Closing)},
		{"department", "Job Family", a.Family},
		{"location", "Location", a.Location},
		{"employmenttype", "Employment type", a.Contract},
		{"hours", "Hours per week", a.Hours},
		{"livedate", "Live date", ukDay(a.Live)},
		{"school", "Employer (NHS Board)", a.Board},
		{"shift", "Department", a.Department},
	} {
		if f.value != "" {
			fmt.Fprintf(b, "      <p class=\"jobdetailsitem %s\"><strong>%s:</strong> %s</p>\n", f.class, f.label, esc(f.value))
		}
	}
	b.WriteString("    </div>\n  </div>\n</div>\n")
}

func (s *Site) link(a *Advert) string {
	key := "JobId"
	if s.quirks.LowerCase {
		key = "jobid"
	}
	return "/Job/JobDetail?" + key + "=" + a.Reference
}

// heading is the title as the site shows it.
func (a *Advert) heading() string {
	if a.InTitle && a.Printed != "" {
		return a.Printed + " - " + a.Title
	}
	return a.Title
}

func (s *Site) advertPage(a *Advert) string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>" + esc(a.heading()) + " | Vacancies</title>\n")
	if !s.quirks.NoStructured {
		b.WriteString("<script type=\"application/ld+json\">\n{\"@context\":\"https://schema.org\",\"@type\":\"BreadcrumbList\"}\n</script>\n")
		b.WriteString("<script type=\"application/ld+json\">\n" + s.structured(a) + "\n</script>\n")
	}
	b.WriteString("</head>\n<body>\n<div class=\"JT-container\">\n<h1>" + esc(a.heading()) + "</h1>\n")
	if !s.quirks.NoHooks {
		for _, f := range []struct{ hook, label, value string }{
			{"span-reference", "Job reference", a.Printed},
			{"span-salary", "Salary", a.Salary()},
			{"span-vacancies-department", "Job Family", a.Family},
			{"span-vacancies-location-name", "Location", a.Location},
			{"span-vacancies-employment-type", "Employment type", a.Contract},
			{"span-sub-vacancies-hours", "Hours per week", a.Hours},
			{"span-vacancies-school", "Employer (NHS Board)", a.Board},
			{"span-vacancies-shift-pattern", "Department", a.Department},
		} {
			if f.value != "" {
				fmt.Fprintf(&b, "<div class=\"col-md-12 mt-2\"><strong>%s:</strong> <span data-testid=\"%s\">%s</span></div>\n", f.label, f.hook, esc(f.value))
			}
		}
		for _, f := range []struct {
			hook, label string
			day         world.Day
		}{{"div-vacancies-close-date", "Closing date", a.Closing}, {"div-vacancies-live-date", "Live date", a.Live}} {
			if f.day != "" {
				fmt.Fprintf(&b, "<div class=\"col-md-12 mt-2\" data-testid=\"%s\"><strong>%s:</strong> <span>%s</span></div>\n", f.hook, f.label, ukDay(f.day))
			}
		}
	}
	b.WriteString("<div class=\"jt-opensans-regular\">\n" + a.text() + "</div>\n</div>\n</body>\n</html>\n")
	return b.String()
}

// text is the advert's prose as HTML, with the contact at its end.
func (a *Advert) text() string {
	var b strings.Builder
	for _, sec := range a.Sections {
		if sec.Heading != "" {
			b.WriteString("<h3>" + esc(sec.Heading) + "</h3>\n")
		}
		if sec.Bullets {
			b.WriteString("<ul>\n")
		}
		for _, l := range sec.Lines {
			if sec.Bullets {
				b.WriteString("<li>" + esc(l) + "</li>\n")
			} else {
				b.WriteString("<p>" + esc(l) + "</p>\n")
			}
		}
		if sec.Bullets {
			b.WriteString("</ul>\n")
		}
	}
	if c := a.Contact; c.Name != "" {
		b.WriteString("<p><strong>Looking to find out more?</strong></p>\n")
		fmt.Fprintf(&b, "<p>Please contact %s, %s, on %s or %s</p>\n", esc(c.Name), esc(c.Role), c.Phone, c.Email)
	}
	return b.String()
}

// structured is the JobPosting that the site keeps for search engines. Its
// texts are escaped as HTML within JSON, its employer is always the same, and
// a closing date that is not there is the first day of the year 1.
func (s *Site) structured(a *Advert) string {
	closing := a.Closing
	if closing == "" {
		closing = "0001-01-01"
	}
	post := map[string]any{
		"@context": "https://schema.org", "@type": "JobPosting",
		"title": html.EscapeString(a.heading()) + " ", "datePosted": string(a.Live), "validThrough": string(closing) + "T00:00",
		"employmentType": a.Contract, "baseSalary": strings.ReplaceAll(a.Salary(), "£", "&#xA3;"),
		"url":                "https://apply.jobs.scot.nhs.uk" + s.link(a) + "&Source=JobPosting",
		"hiringOrganization": map[string]any{"@type": "Organization", "name": "NHS Scotland"},
		"jobLocation": map[string]any{"@type": "Place", "address": map[string]any{"@type": "PostalAddress",
			"addressLocality": a.Town, "addressRegion": a.Region, "postalCode": a.Postcode, "addressCountry": "GB"}},
		"description": a.text(),
	}
	var body strings.Builder
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	if err := e.Encode(post); err != nil {
		panic(err) // Unreachable: texts and maps of them.
	}
	out := body.String()
	if s.quirks.RawBreaks {
		out = strings.ReplaceAll(out, `\n`, "\n")
	}
	return out
}

func notice(text string) string {
	return "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>" + esc(text) + "</title></head>\n<body><div class=\"JT-container\"><h1>" +
		esc(text) + "</h1></div></body>\n</html>\n"
}

// searchPage is the page for people, without any card: its script loads them.
func searchPage() string {
	return "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>Vacancies</title></head>\n<body><h1>Search vacancies</h1>\n" +
		"<div id=\"requestUrl\" data-request-url=\"/Home/_JobCard\"></div>\n<div class=\"job-search__results-items\"></div></body>\n</html>\n"
}

func ukDay(d world.Day) string {
	if len(d) != len("2026-10-20") {
		return ""
	}
	return string(d[8:] + "/" + d[5:7] + "/" + d[:4])
}

func esc(s string) string { return html.EscapeString(s) }
