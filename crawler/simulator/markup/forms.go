package markup

import (
	"fmt"
	"strings"
)

// The values of the filters, as the form offers them. Labels are ours.
var filters = []struct {
	name   string
	values []string
}{
	{"workingPattern", []string{"full-time", "part-time", "job-share", "flexible-working", "remote-working", "compressed-hours", "term-time-hours", "annualised-hours"}},
	{"contractType", []string{"Permanent", "Fixed-Term", "Apprenticeship", "Voluntary", "Locum", "Training", "Secondment", "Honorary", "Bank", "NHS Reservist"}},
	{"staffGroup", []string{"CLINICAL_SERVICES", "PROF_SCIENTIFIC_AND_TECHNICAL", "ADMINISTRATIVE_AND_CLERICAL", "ALLIED_HEALTH_PROF",
		"ESTATES_AND_ANCILLARY", "HEALTHCARE_SCIENTISTS", "MEDICAL_AND_DENTAL", "NURSING_AND_MIDWIFERY_REGD", "STUDENTS"}},
	{"payRange", []string{"0-10", "10-20", "20-30", "30-40", "40-50", "50-60", "60-70", "70-80", "80-90", "90-100", "100"}},
	{"payBand", []string{"BAND_2", "BAND_3", "BAND_4", "BAND_5", "BAND_6", "BAND_7", "BAND_8A", "BAND_8B", "BAND_8C", "BAND_8D", "BAND_9",
		"SPECIALTY_DOCTOR", "FOUNDATION_DOCTOR", "CONSULTANT", "SPECIALTY_REGISTRAR", "DOCTOR_OTHER", "SPECIALIST", "VERY_SENIOR_MANAGER"}},
}

func (r *Results) asked(name string) string {
	for _, p := range r.Params {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

func (r *Results) hidden(b *buffer, names ...string) {
	b.linef(`        <input type="hidden" name="_csrf" value="%s">`, r.Token)
	for _, n := range names {
		b.linef(`        <input type="hidden" name="%s" value="%s">`, n, esc(r.asked(n)))
	}
}

// searchForm writes the ribbon with the heading, which is what proves a page.
func (r *Results) searchForm(b *buffer, heading string) {
	spoken := heading
	if r.Total > 0 {
		for _, s := range Sorts {
			if s.Name == r.Sort {
				spoken += ". Sorted by: " + s.Value
			}
		}
	}
	b.line(`<section class="nhsuk-hero" role="search">`)
	b.linef("        <h1 %s id=\"search-results-heading\" class=\"nhsuk-heading-xl nhsuk-u-padding-left-4 nhsuk-u-margin-bottom-4\" aria-label=\"%s\">\n          %s\n        </h1>",
		b.single("search-result-query"), esc(spoken), esc(heading))
	b.line(`      <form method="post" id="search_form">`)
	r.hidden(b, "distance", "internalOnly", "externalOnly")
	b.line(`        <input type="hidden" name="searchFormType" value="main">`)
	for _, f := range []struct{ name, hook string }{{"keyword", "search-jobTitle-input"}, {"location", "search-location-input"},
		{"jobReference", "search-jobReference-input"}, {"employer", "search-employer-input"}} {
		b.linef(`        <input name="%s" id="%s" value="%s" class="nhsuk-input" type="search" data-test="%s">`,
			f.name, f.name, esc(r.asked(f.name)), f.hook)
	}
	b.line(`        <input class="nhsuk-button" type="submit" id="search" value="Search" data-test="search-button">`)
	b.line(`      </form>`)
	b.line(`</section>`)
}

func (r *Results) filterForm(b *buffer) {
	b.line(`<form method="post">`)
	b.line(`    <fieldset class="nhsuk-fieldset">`)
	r.hidden(b, "keyword", "location", "country", "salaryFrom", "salaryTo", "sort", "jobReference", "employer",
		"internalOnly", "externalOnly", "employerCode")
	b.line(`        <input type="hidden" name="skipPhraseSuggester" value="true">`)
	disabled := " disabled"
	if r.asked("location") != "" {
		disabled = ""
	}
	b.linef(`        <select class="nhsuk-select" id="distance" name="distance" data-test="distance-input"%s>`, disabled)
	for _, d := range []string{"", "5", "10", "20", "30", "50", "100"} {
		selected := ""
		if d == r.asked("distance") {
			selected = " selected"
		}
		b.linef(`            <option value="%s"%s>%s miles</option>`, d, selected, d)
	}
	b.line(`        </select>`)
	b.line(`        <input class="nhsuk-checkboxes__input" name="covidJobsOnly" type="checkbox" value="true">`)
	for _, f := range filters {
		b.linef(`        <details class="nhsuk-details nhsuk-expander"><summary class="nhsuk-details__summary" data-test="filter-%s">%s</summary>`, f.name, f.name)
		asked := "," + r.asked(f.name) + ","
		for _, v := range f.values {
			checked := ""
			if strings.Contains(asked, ","+v+",") {
				checked = " checked"
			}
			b.linef(`            <input class="nhsuk-checkboxes__input" name="%s" type="checkbox" value="%s"%s>`, f.name, v, checked)
		}
		b.line(`        </details>`)
	}
	b.line(`    </fieldset>`)
	b.line(`    <input class="nhsuk-button" type="submit" id="refine-search" value="Apply filters" data-test="refine-search-button">`)
	b.line(`</form>`)
}

func (r *Results) sortForm(b *buffer) {
	b.line(`    <form method="post" name="sortform">`)
	r.hidden(b, "keyword", "location", "country", "distance", "salaryFrom", "salaryTo", "payBand", "workingPattern", "contractType",
		"staffGroup", "payRange", "jobReference", "employer", "employerCode")
	b.line(`        <input type="hidden" name="searchFormType" value="sortBy">`)
	b.line(`      <select class="nhsuk-select nhsuk-inline-select" id="sort" name="sort" data-test="sort-input">`)
	for _, s := range Sorts {
		selected := ""
		if s.Name == r.Sort {
			selected = "selected "
		}
		b.line(fmt.Sprintf(`        <option %svalue="%s">%s</option>`, selected, s.Name, s.Value))
	}
	b.line(`      </select>`)
	b.line(`    </form>`)
}
