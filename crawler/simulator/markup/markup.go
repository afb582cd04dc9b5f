// Package markup writes the answers of NHS Jobs: the XML of its API, its pages
// of results, its advert pages and its notices, with the habits that matter to
// a reader. It decides nothing: what is said is handed in, and the same values
// give the same bytes. It shares no code with any reader of these pages.
//
//   - markup.go: the frame of every page, and how dates and money are written
//   - listing.go, forms.go: pages of results
//   - advert.go: the page of one advert
//   - xml.go: the API
//   - notice.go: pages that are neither
package markup

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// Drift is how the markup has changed since a reader was written. The zero
// value is the markup as known.
type Drift struct {
	Rename  string // this data-test hook has another name
	NoIDs   bool   // advert pages carry no ids; their headings remain
	Missing string // this field is absent everywhere, see Fields
	Swap    string // these two columns have changed places, see Swaps
	Double  bool   // hooks stand in double quotes everywhere
	Commas  bool   // counts have thousands commas
	Root    string // the XML has this root element
	Extra   string // every XML advert has this further element
}

// Fields lists what Drift.Missing may name.
var Fields = []string{"title", "reference", "employer", "place", "salary", "posted", "closing", "contract", "pattern"}

// Swaps lists what Drift.Swap may name.
var Swaps = []string{"dates", "names"}

// buffer is a page being written.
type buffer struct {
	bytes.Buffer
	drift Drift
}

func (b *buffer) line(s string)                 { b.WriteString(s); b.WriteByte('\n') }
func (b *buffer) linef(format string, a ...any) { fmt.Fprintf(b, format+"\n", a...) }
func (b *buffer) missing(field string) bool     { return field != "" && b.drift.Missing == field }
func (b *buffer) hook(name string) string       { return `data-test="` + b.name(name) + `"` }
func (b *buffer) single(name string) string     { return b.quoted("data-test", b.name(name)) }
func (b *buffer) quoted(attr, val string) string {
	if b.drift.Double {
		return attr + `="` + val + `"`
	}
	return attr + `='` + val + `'`
}

func (b *buffer) name(hook string) string {
	if b.drift.Rename == hook {
		return hook + "-v2"
	}
	return hook
}

// frame writes what stands around the content of every page: blank lines
// before the doctype, conditional comments, the cookie banner with the first
// p of the page and a form of its own, menus, footer.
func (b *buffer) frame(title, token string, content func()) []byte {
	b.WriteString(strings.Repeat("\n", 33))
	b.line(`<!DOCTYPE html>`)
	b.line(`<!--[if lt IE 9]><html lang="en" class="ie8"><![endif]-->`)
	b.line(`<!--[if gt IE 8]><!--><html lang="en"><!--<![endif]-->`)
	b.line(`<head>`)
	b.line(`    <meta charset="utf-8">`)
	b.line(`    <meta name="viewport" content="width=device-width, initial-scale=1, shrink-to-fit=no">`)
	b.linef("    <title>\n  %s\n    </title>", esc(title))
	b.line(`  <link href="/candidate/search/public/css/main.css" rel="stylesheet">`)
	b.line(`</head>`)
	b.line(`<body class="" id="main-body">`)
	b.line(`  <div id="heading-body">`)
	b.line(`<header class="nhsuk-header" role="banner" id="heading-body">`)
	b.line(`<div class="top-banner" id="cookie-banner">`)
	b.line(`  <div class="nhsuk-width-container">`)
	b.line(`    <h2>Cookies in this simulation</h2>`)
	b.line(`    <p>A banner stands here on every page, and this is the first paragraph of each.</p>`)
	b.line(`    <form class="form" method="POST" action="/candidate/save-seen-cookie">`)
	b.linef(`      <input type="hidden" name="_csrf" value="%s">`, token)
	b.line(`      <button class="nhsuk-button" type="submit" id="accept-cookies" name="accept-cookies" value="true">Accept</button>`)
	b.line(`    </form>`)
	b.line(`  </div>`)
	b.line(`</div>`)
	b.line(`  <nav class="gem-c-translation-nav hide-mobile" aria-label="Translations">`)
	b.line(`    <ul class="nhsuk-header__navigation-list-right">`)
	b.line(`      <li><a lang="en" href="/candidate/search/locale/en" data-test="english-language-link">English</a></li>`)
	b.line(`      <li><a lang="cy" href="/candidate/search/locale/cy" data-test="welsh-language-link">Cymraeg</a></li>`)
	b.line(`    </ul>`)
	b.line(`  </nav>`)
	b.line(`</header>`)
	b.line(`  </div>`)
	b.line(`<main class="nhsuk-main-wrapper" id="maincontent" role="main">`)
	content()
	b.line(`</main>`)
	b.line(`<footer role="contentinfo">`)
	b.line(`  <ul class="nhsuk-footer__list">`)
	b.line(`    <li class="nhsuk-footer__list-item"><a id="privacy" href="/candidate/privacy-policy">Privacy policy</a></li>`)
	b.line(`    <li class="nhsuk-footer__list-item"><a id="cookies" href="/candidate/cookies">Cookies</a></li>`)
	b.line(`  </ul>`)
	b.line(`  <p class="nhsuk-footer__copyright">A simulated site with invented adverts</p>`)
	b.line(`</footer>`)
	b.line(`</body>`)
	b.line(`</html>`)
	return b.Bytes()
}

func esc(s string) string { return html.EscapeString(s) }

var welshMonths = [...]string{"Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin",
	"Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"}

// date writes a day, 2 September 2026 or with two digits 02 September 2026.
func date(d world.Day, digits int, welsh bool) string {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return string(d)
	}
	month := t.Month().String()
	if welsh {
		month = welshMonths[t.Month()-1]
	}
	return fmt.Sprintf("%0*d %s %d", digits, t.Day(), month, t.Year())
}

// pounds writes £48,987.04, and pence only where there are some.
func pounds(v float64) string {
	whole := int64(v*100 + .5)
	s := commas(whole / 100)
	if pence := whole % 100; pence != 0 {
		s += fmt.Sprintf(".%02d", pence)
	}
	return "£" + s
}

// commas writes a number with thousands commas.
func commas(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// amount is the figures of a salary, unit the phrase that follows them. A
// salary without figures is its text.
func amount(s world.Salary) (figures, unit string) {
	if s.Min == 0 && s.Max == 0 {
		return s.Text, ""
	}
	unit = "a " + s.Unit
	if s.Unit == "hour" {
		unit = "an hour"
	}
	if s.Min == s.Max {
		return pounds(s.Min), unit
	}
	return pounds(s.Min) + " to " + pounds(s.Max), unit
}

// The three ways of writing contracts and patterns: the value of the filter
// is the key; these are the words of the card and of the advert.
var (
	onCard = map[string]string{"full-time": "Full time", "part-time": "Part time", "job-share": "Job-share",
		"flexible-working": "Flexible working", "remote-working": "Home or remote working", "compressed-hours": "Compressed hours",
		"term-time-hours": "Term time hours", "annualised-hours": "Annualised hours"}
	onAdvert = map[string]string{"full-time": "Full-time", "part-time": "Part-time", "job-share": "Job share",
		"flexible-working": "Flexible working", "remote-working": "Home or remote working", "compressed-hours": "Compressed hours",
		"term-time-hours": "Term time hours", "annualised-hours": "Annualised hours", "Fixed-Term": "Fixed term"}
)

func words(table map[string]string, values []string) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = v
		if w, ok := table[v]; ok {
			out[i] = w
		}
	}
	return strings.Join(out, ", ")
}
