package markup

import (
	"fmt"
	"strings"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// Page is the page of one advert.
type Page struct {
	Advert *world.Advert
	Texts  world.Texts
	Welsh  bool   // months are Welsh
	Habit  uint64 // picks among the ways employers' texts are put in
	Token  string // of the forms
	Drift  Drift
}

// advert is a page being written.
type advert struct {
	*buffer
	*Page
	bare bool // no ids
}

// HTML returns the page.
func (p *Page) HTML() []byte {
	w := advert{&buffer{drift: p.Drift}, p, p.Drift.NoIDs || p.Advert.HeadingsOnly}
	return w.frame("Job Advert", p.Token, func() {
		a := p.Advert
		title, employer := a.Title, a.Employer
		if w.drift.Swap == "names" {
			title, employer = employer, title
		}
		if !w.missing("employer") {
			w.linef("<span%s>%s</span>", w.id("employer_name"), esc(employer))
		}
		if !w.missing("title") {
			w.linef(`<h1 class="nhsuk-heading-xl"%s>%s</h1>`, w.id("heading"), esc(title))
		}
		if !w.missing("closing") {
			closing := a.Closing
			if w.drift.Swap == "dates" {
				closing = world.DayOf(a.Posted)
			}
			w.linef("<p%s><strong>The closing date is %s</strong></p>", w.id("closing_date"), date(closing, 2, p.Welsh))
		}
		w.linef(`<a class="nhsuk-button"%s href="%s" target="_blank">Apply for this job</a>`, w.id("apply-ats-direct"), esc(applyLink(a)))
		w.text("Job summary", "job_overview", w.summary())
		w.text("Main duties of the job", "job_description", p.Texts.Duties)
		w.text("About us", "about_organisation", p.Texts.About)
		w.twice("mobile", w.details)
		for _, device := range []string{"mobile", "desktop"} {
			w.twice(device, w.description)
			w.twice(device, w.specification)
		}
		w.twice("mobile", w.checks)
		w.twice("desktop", func() {
			if a.DBS || a.Sponsorship || a.Registration {
				w.line(`  <h2 class="nhsuk-heading-l">Additional information</h2>`)
			}
			w.checks()
		})
		w.twice("mobile", w.seat)
		w.twice("desktop", w.seat)
		w.contact()
		w.twice("desktop", w.details)
		w.documents()
	})
}

func (w advert) id(name string) string {
	if w.bare {
		return ""
	}
	return ` id="` + name + `"`
}

// twice wraps one of the two copies of a block.
func (w advert) twice(device string, block func()) {
	class := "show-mobile"
	if device == "desktop" {
		class = "hide-mobile"
	}
	w.linef(`<div class="%s">`, class)
	block()
	w.line(`</div>`)
}

func (w advert) heading(text, id string) {
	if id != "" {
		id = w.id(id)
	}
	w.linef(`  <h3 class="nhsuk-heading-s"%s>%s</h3>`, id, text)
}

// text writes an employer's text into a p, paragraphs and all: the nested p
// closes the outer one, as it does on the site.
func (w advert) text(heading, id string, paragraphs []string) {
	w.linef(`<h3 class="nhsuk-heading-xs">%s</h3>`, heading)
	w.paragraphs(id, "", paragraphs)
}

func (w advert) paragraphs(id, style string, paragraphs []string) {
	w.WriteString("<p" + w.id(id) + style + ">")
	for i, p := range paragraphs {
		if i == 0 && (w.Habit+uint64(len(id)))%2 == 0 {
			w.line(esc(p)) // Plain text first, as where an employer typed it in.
			continue
		}
		w.linef("<p>%s</p>", strings.ReplaceAll(esc(p), "\n", "<br>\n"))
	}
	w.line("</p>")
}

func (w advert) summary() []string {
	c := w.Advert.Contact
	if !w.Advert.ContactInSummary || c.Name == "" {
		return w.Texts.Summary
	}
	ask := strings.TrimSpace(fmt.Sprintf("To talk about this post please get in touch with %s, %s %s", c.Name, c.Email, c.Phone))
	return append(w.Texts.Summary[:len(w.Texts.Summary):len(w.Texts.Summary)], ask)
}

func (w advert) details() {
	a := w.Advert
	w.line(`  <h2 class="nhsuk-u-visually-hidden">Details</h2>`)
	value := func(heading, headingID, id, text string) {
		w.heading(heading, headingID)
		w.linef("  <p%s>%s</p>", w.id(id), esc(text))
	}
	if !w.missing("posted") {
		posted := world.DayOf(a.Posted)
		if w.drift.Swap == "dates" {
			posted = a.Closing
		}
		value("Date posted", "date_posted_heading", "date_posted", date(posted, 2, w.Welsh))
	}
	if a.PayScheme != "" {
		value("Pay scheme", "", "payscheme-type", a.PayScheme)
	}
	switch {
	case a.Band != "":
		value("Band", "", "payscheme-band", "Band "+a.Band)
	case w.Habit%4 == 0 && a.PayScheme != "":
		value("Band", "", "payscheme-band", "")
	}
	if !w.missing("salary") {
		w.salary()
	}
	if a.Contract != "" && !w.missing("contract") {
		value("Contract", "contract_type_heading", "contract_type", words(onAdvert, []string{a.Contract}))
	}
	if a.Duration != "" {
		value("Duration", "", "contract_duration", a.Duration)
	}
	if len(a.Patterns) > 0 && !w.missing("pattern") {
		w.heading("Working pattern", "working_pattern_heading")
		w.linef("  <p>%s</p>", esc(words(onAdvert, a.Patterns)))
	}
	if !w.missing("reference") {
		if a.Printed != "" {
			value("Reference number", "reference_number_heading", "trac-job-reference", a.Printed)
		} else {
			value("Reference number", "reference_number_heading", "job_reference_number", a.Reference)
		}
	}
	if len(a.Sites) > 0 && !w.missing("place") {
		w.heading("Job locations", "employer_location_heading")
		for i, p := range a.Sites {
			suffix := ""
			if i > 0 {
				suffix = fmt.Sprintf("_%d", i)
			}
			w.place(p, suffix)
		}
	}
}

func (w advert) salary() {
	s := w.Advert.Salary
	figures, unit := amount(s)
	id := "range_salary"
	switch {
	case unit == "":
		id = "negotiable_salary"
	case s.Min == s.Max:
		id = "fixed_salary"
	}
	w.heading("Salary", "")
	text := strings.ReplaceAll(esc(strings.TrimSpace(figures+" "+unit)), "£", "&pound;")
	if unit != "" && s.Text != "" {
		text += "\n    " + esc(s.Text)
	}
	w.linef("  <p%s>%s</p>", w.id(id), text)
}

// place writes an address in lines; the county may be an empty one.
func (w advert) place(p world.Place, suffix string) {
	for _, l := range []struct{ id, text string }{{"employer_address_line_1", p.Name}, {"employer_address_line_2", p.Line2},
		{"employer_town", p.Town}, {"employer_county", p.County}, {"employer_postcode", p.Postcode}} {
		if l.text != "" || l.id == "employer_county" {
			w.linef("  <p%s>%s</p>", w.id(l.id+suffix), esc(l.text))
		}
	}
	if !w.bare {
		w.linef("  <p%s>United Kingdom</p>", w.id("employer_country"+suffix))
	}
	w.line("  <br>")
}

func (w advert) description() {
	w.line(`  <h2 class="nhsuk-heading-l">Job description</h2>`)
	w.line(`  <h3 class="nhsuk-heading-xs">Job responsibilities</h3>`)
	w.paragraphs("job_description_large", ` style="white-space: pre-line"`, w.Texts.Description)
}

func (w advert) specification() {
	if len(w.Texts.Criteria) == 0 {
		return
	}
	w.line(`  <h2 class="nhsuk-heading-l">Person Specification</h2>`)
	for i, c := range w.Texts.Criteria {
		w.linef("  <h3%s>%s</h3>", w.id(fmt.Sprintf("skill_category_%d", i+1)), esc(c.Heading))
		for _, l := range []struct {
			word, id string
			items    []string
		}{{"Essential", "essential", c.Essential}, {"Desirable", "desirable", c.Desirable}} {
			if len(l.items) == 0 {
				continue
			}
			w.linef("  <h4>%s</h4>\n  <ul class=\"nhsuk-list\">", l.word)
			for j, item := range l.items {
				w.linef("    <li%s>%s</li>", w.id(fmt.Sprintf("%s_skill_%d_criteria_%d", l.id, i+1, j+1)), esc(item))
			}
			w.line("  </ul>")
		}
	}
}

// checks writes the blocks whose mere presence says something.
func (w advert) checks() {
	if w.Advert.DBS {
		w.linef("  <div%s>", w.id("dbs-container"))
		w.line(`  <h3 class="nhsuk-heading-s">Disclosure and Barring Service Check</h3>`)
		w.line(`  <p>A check of past convictions is part of the appointment to this post.</p>`)
		w.line(`  </div>`)
	}
	if w.Advert.Sponsorship {
		w.linef(`  <h3 class="nhsuk-heading-s"%s>Certificate of Sponsorship</h3>`, w.id("tier-two-sponsorship"))
		w.line(`  <p>People who need sponsorship as a Skilled worker may apply and are considered with all others.</p>`)
	}
	if w.Advert.Registration {
		w.linef(`  <h3 class="nhsuk-heading-s"%s>UK Registration</h3>`, w.id("uk-registration"))
		w.line(`  <p>Applicants need a current professional registration in the UK.</p>`)
	}
}

// seat writes the employer's own address, which need not be a place of work.
func (w advert) seat() {
	p := w.Advert.Seat
	if p == (world.Place{}) && len(w.Advert.Sites) > 0 {
		p = w.Advert.Sites[0]
	}
	w.line(`  <h2 class="nhsuk-heading-l">Employer details</h2>`)
	w.heading("Employer name", "")
	w.linef("  <p%s>%s</p>", w.id("employer_name_details"), esc(w.Advert.Employer))
	w.heading("Address", "")
	for _, l := range []struct{ id, text string }{{"employer_address_line_1_a", p.Name}, {"employer_address_line_2_b", p.Line2},
		{"employer_town_c", p.Town}, {"employer_county_d", p.County}, {"employer_postcode_e", p.Postcode}} {
		if l.text != "" {
			w.linef("  <p%s>%s</p>", w.id(l.id), esc(l.text))
		}
	}
	if site := w.Advert.Website; site != "" {
		w.heading("Employer's website", "employer_website_heading")
		w.linef("  <a%s href=\"%s\">\n  %s (Opens in a new tab)</a>", w.id("employer_website_url_link"), esc(site), esc(site))
	}
}

func (w advert) contact() {
	c := w.Advert.Contact
	if c.Name == "" && c.Email == "" {
		return
	}
	w.line(`<h2 class="nhsuk-heading-l">Employer contact details</h2>`)
	w.line(`<p>For questions about the job, contact:</p>`)
	for _, l := range []struct{ id, text string }{{"contact_details_job_title", c.Role}, {"contact_details_name", c.Name}} {
		if l.text != "" {
			w.linef("<p%s>%s</p>", w.id(l.id), esc(l.text))
		}
	}
	if c.Email != "" {
		w.linef("<p%s><a href=\"mailto:%s\">%s</a></p>", w.id("contact_details_email"), esc(c.Email), esc(c.Email))
	}
	if c.Phone != "" {
		w.linef("<p%s>%s</p>", w.id("contact_details_number"), esc(c.Phone))
	}
}

// documents writes forms, not links: the site gives files only to a POST.
func (w advert) documents() {
	w.heading("Supporting documents", "supporting_documents_heading")
	w.line(`<form method="post" action="/candidate/jobadvert/document">`)
	w.linef(`  <input type="hidden" name="_csrf" value="%s">`, w.Token)
	w.line(`  <button type="submit" class="nhsuk-button">Job description and person specification (PDF)</button>`)
	w.line(`</form>`)
	w.heading("Privacy notice", "")
	if w.Advert.Website != "" {
		w.linef(`<a href="%sprivacy">%s's privacy notice (opens in a new tab)</a>`, esc(w.Advert.Website), esc(w.Advert.Employer))
	}
}

func applyLink(a *world.Advert) string {
	site := a.Website
	if site == "" {
		site = "https://apply.example/"
	}
	return strings.TrimSuffix(site, "/") + "/apply/" + a.Reference
}
