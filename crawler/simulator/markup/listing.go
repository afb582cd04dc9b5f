package markup

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// A Param is one parameter of the address asked for, in its place.
type Param struct{ Name, Value string }

// Results is one page of a search.
type Results struct {
	Params      []Param // echoed into every link, in this order
	Subject     string  // what the heading names: the words searched for
	Sort        string  // value of the parameter sort
	Total       int
	Page, Pages int
	Cards       []Card
	OneJob      bool   // a single result is "1 job found", not "1 jobs found"
	Token       string // of the forms
	Drift       Drift
}

// A Card is one result.
type Card struct {
	Advert *world.Advert
	Welsh  bool
	// Lacks names a field that this card does not show, see Fields.
	Lacks string
}

// Sorts lists the values of the parameter sort with the words of the form.
var Sorts = []Param{{"", "Best Match"}, {"closingDate", "Closing Date"}, {"publicationDateDesc", "Date Posted (newest)"},
	{"salaryAsc", "Salary lowest to highest"}, {"salaryDesc", "Salary highest to lowest"}}

// HTML returns the page. Without results it is the page that says so.
func (r *Results) HTML() []byte {
	if r.Total == 0 {
		return r.nothing()
	}
	b := &buffer{drift: r.Drift}
	return b.frame(strings.TrimSpace(r.Subject+" jobs - NHS Jobs"), r.Token, func() {
		r.searchForm(b, r.heading())
		r.filterForm(b)
		b.line(`  <div class="nhsuk-grid-column-two-thirds ">`)
		r.sortForm(b)
		r.list(b)
		r.pagination(b)
		b.line(`  </div>`)
	})
}

// Silent returns a page with an empty list, and without the heading that
// would say that there is nothing.
func (r *Results) Silent() []byte {
	b := &buffer{drift: r.Drift}
	return b.frame("Search - NHS Jobs", r.Token, func() {
		r.filterForm(b)
		b.line("<ul class=\"nhsuk-list search-results\">\n</ul>")
	})
}

func (r *Results) nothing() []byte {
	b := &buffer{drift: r.Drift}
	return b.frame("No search results found - NHS Jobs", r.Token, func() {
		heading := "No result found"
		if r.Subject != "" {
			heading += " for " + r.Subject
		}
		r.searchForm(b, heading)
		r.filterForm(b)
		b.line(`  <div class="nhsuk-grid-column-one-half">`)
		b.line(`    <h3 class="nhsuk-heading-m nhsuk-u-margin-bottom-10" id="no-result-title">No result found</h3>`)
		b.line(`    <ul class="ad-job-info">`)
		b.line(`      <li data-test="bullet-one">try other words</li>`)
		b.line(`      <li data-test="bullet-two">look for a slip of the pen</li>`)
		b.line(`      <li data-test="bullet-three">search further afield</li>`)
		b.line(`    </ul>`)
		b.line(`  </div>`)
	})
}

// UnknownPlace returns the page for a location that the site does not know.
func (r *Results) UnknownPlace() []byte {
	b := &buffer{drift: r.Drift}
	return b.frame("Location not found - NHS Jobs", r.Token, func() {
		b.linef("<h2 %s>Location not found</h2>", b.hook("search-result-query"))
		r.filterForm(b)
	})
}

func (r *Results) heading() string {
	count, noun := fmt.Sprint(r.Total), "jobs"
	if r.Drift.Commas {
		count = commas(int64(r.Total))
	}
	if r.Total == 1 && r.OneJob {
		noun = "job"
	}
	h := count + " " + noun + " found"
	if r.Subject != "" {
		h += " for " + r.Subject
	}
	return h
}

// query returns the parameters as links carry them. A page is put in its
// place; zero leaves it as it was.
func (r *Results) query(page int) string {
	var parts []string
	language, paged := false, page == 0
	for _, p := range r.Params {
		v := p.Value
		if p.Name == "page" && page > 0 {
			v, paged = fmt.Sprint(page), true
		}
		language = language || p.Name == "language"
		parts = append(parts, escape(p.Name)+"="+escape(v))
	}
	if !language {
		parts = append(parts, "language=en")
	}
	if !paged {
		parts = append(parts, fmt.Sprint("page=", page))
	}
	return esc(strings.Join(parts, "&"))
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func (r *Results) list(b *buffer) {
	b.line(`<ul class="nhsuk-list search-results">`)
	for i, c := range r.Cards {
		r.card(b, i, c)
	}
	b.line("  \n</ul>\n\n")
}

func (r *Results) card(b *buffer, i int, c Card) {
	a := c.Advert
	title, employer := esc(a.Title), a.Employer
	posted, closing := world.DayOf(a.Posted), a.Closing
	switch r.Drift.Swap {
	case "dates":
		posted, closing = closing, posted
	case "names":
		title, employer = esc(employer), a.Title
	}
	shows := func(field string) bool { return c.Lacks != field && !b.missing(field) }
	b.linef("  \n    <li class=\"nhsuk-list-panel search-result nhsuk-u-padding-3\"\n        %s\n    >", b.hook("search-result"))
	b.line(`      <div class="nhsuk-grid-row">`)
	b.line(`        <div class="nhsuk-grid-column-two-thirds">`)
	b.linef("          <h2 class=\"nhsuk-heading-m nhsuk-u-margin-bottom-2\"\n              id=\"job-title-%d\"\n          >\n            ", i+1)
	if shows("title") {
		href, first := "/candidate/jobadvert/"+esc(a.Reference)+"?"+r.query(0), ""
		if b.missing("reference") {
			href = "/candidate/jobadvert/?" + r.query(0)
		}
		if i == 0 {
			first = `id="first-result-title"`
		}
		b.linef("            <a href=\"%s\"\n                %s\n                %s\n            >\n              %s\n            </a>",
			href, first, b.hook("search-result-job-title"), title)
	}
	b.line("          </h2>\n          \n        </div>\n")
	b.line("        <div class=\"save-job nhsuk-u-margin-right-3\">\n          \n          ")
	if shows("reference") {
		b.linef("            <a href=\"/candidate/search/save-job/%[1]s\" %[3]s aria-label=\"Save this job: %[2]s (Reference number: %[1]s)\">\n              Save this job\n            </a>",
			esc(a.Reference), title, b.hook("search-result-save-job"))
	}
	b.line("          \n        </div>\n      </div>\n")
	b.linef("      <div class=\"nhsuk-u-margin-bottom-4\" %s>\n        <h3 class=\"nhsuk-u-font-weight-bold\">", b.hook("search-result-location"))
	if shows("employer") {
		b.linef("          %s", esc(employer))
	}
	if shows("place") {
		b.line(`          <div class="location-font-size">`)
		for j, p := range a.Sites {
			comma := ""
			if j < len(a.Sites)-1 {
				comma = ", "
			}
			b.linef("            \n              %s%s", esc(cardPlace(a, p)), comma)
		}
		b.line("            \n          </div>")
	}
	b.line("        </h3>\n      </div>\n\n      <div class=\"nhsuk-grid-row\">")
	b.line("        <div class=\"nhsuk-grid-column-one-half\">\n          <ul class=\"ad-job-info nhsuk-list first-ad-job-info\">\n            ")
	if shows("salary") {
		figures, unit := amount(a.Salary)
		b.linef("              <li %s class=\"marginBt\">\n                Salary:\n                <strong class=\"nhsuk-u-font-weight-bold\">\n                  %s\n                  \n                    %s\n                  \n                </strong>\n              </li>\n            \n\n            \n",
			b.hook("search-result-salary"), esc(figures), unit)
	}
	const margin = `class="marginBt"`
	item := func(field, hook, label, value string, class ...string) {
		if shows(field) {
			b.linef("              <li %s>\n                %s\n                <strong class=\"nhsuk-u-font-weight-bold\">\n                  %s\n                </strong>\n              </li>",
				strings.Join(append([]string{b.hook(hook)}, class...), " "), label, esc(value))
		}
	}
	item("posted", "search-result-publicationDate", "Date posted:", date(posted, 1, c.Welsh))
	item("closing", "search-result-closingDate", "Closing date:", date(closing, 1, c.Welsh))
	b.line("            \n          </ul>\n        </div>\n\n        <div class=\"nhsuk-grid-column-one-half\">\n          <ul class=\"ad-job-info nhsuk-list\">")
	if a.Contract != "" {
		item("contract", "search-result-jobType", "Contract type:", a.Contract, margin)
	}
	if len(a.Patterns) > 0 {
		item("pattern", "search-result-workingPattern", "Working pattern:", words(onCard, a.Patterns), margin)
	}
	b.line("            \n          </ul>\n        </div>\n      </div>\n    </li>")
}

// cardPlace writes a place as cards do: the town, no comma, the postcode.
func cardPlace(a *world.Advert, p world.Place) string {
	if a.Area {
		return "The area below is where the role is located: " + p.Postcode
	}
	return strings.TrimSpace(p.Town + " " + p.Postcode)
}

// pagination writes nothing at all where there is one page.
func (r *Results) pagination(b *buffer) {
	if r.Pages < 2 {
		return
	}
	link := func(kind, word string, page int) {
		if page < 1 || page > r.Pages {
			return
		}
		lower := strings.ToLower(word)
		b.linef("      <a class=\"nhsuk-pagination__link nhsuk-pagination__link--%s\" href=\"/candidate/search/results?%s\"\n        %s>",
			lower, r.query(page), b.hook(kind))
		b.linef("        <span class=\"nhsuk-pagination__title\">%s</span>\n        <span class=\"nhsuk-pagination__page\">Page %d of %d</span>\n      </a>",
			word, page, r.Pages)
	}
	b.line(`<nav class="nhsuk-pagination" role="navigation" aria-label="Pagination">`)
	b.line("  <ul class=\"nhsuk-list nhsuk-pagination__list\">\n    <li class=\"nhsuk-pagination-item--previous\">\n      ")
	link("search-previous-page", "Previous", r.Page-1)
	b.line("    </li>\n    <li class=\"nhsuk-pagination-item--next\">\n      ")
	link("search-next-page", "Next", r.Page+1)
	b.line("      \n    </li>\n  </ul>\n</nav>")
}
