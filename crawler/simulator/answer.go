package simulator

import (
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/markup"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

const xmlType = "application/xml;charset=UTF-8"

// xml answers the API: XML on success, JSON on error.
func (s *Site) xml(r *http.Request, faults []*Fault) *answer {
	if !acceptsXML(r.Header.Get("Accept")) {
		return jsonError(http.StatusNotAcceptable, "Not Acceptable")
	}
	v := r.URL.Query()
	if refused := s.repeated(v); refused != "" {
		return jsonError(http.StatusBadRequest, refused+" is given more than once")
	}
	limit, ok1 := number(v, "limit", 10)
	page, ok2 := number(v, "page", 1)
	if !ok1 || !ok2 {
		return jsonError(http.StatusBadRequest, "page and limit are numbers from 1 on")
	}
	limit = min(limit, 100)
	if s.quirks.PageAlone == "ignored" && v.Get("limit") == "" {
		page = 1
	}
	if page > 50_000/limit-1 { // From page 500 on, at a limit of 100.
		return jsonError(http.StatusBadRequest, "the result window is too large")
	}
	q := parseQuery(v)
	if s.quirks.XMLReference == "ignored" {
		q.Reference = ""
	}
	if day := Day(v.Get("publishedFrom")); day != "" {
		if !day.Valid() {
			return jsonError(http.StatusBadRequest, "publishedFrom is a day")
		}
		q.Since = day
		if s.quirks.PublishedFrom == "after" {
			q.Since = day.Add(1)
		}
	}
	rows, total := s.rows(q, faults)
	if _, _, _, ok := locate(q.Location); q.Location != "" && !ok {
		rows, total = nil, 0
	}
	f := markup.Feed{Pages: pages(total, limit), Total: total, Precision: s.quirks.Precision, Unit: s.quirks.SalaryUnit == "yes",
		Nested: s.quirks.Nesting == "nested", Drift: drift(faults)}
	for _, x := range shown(rows, page, limit, faults) {
		f.Rows = append(f.Rows, markup.Row{ID: x.e.id, Advert: x.a, Summary: x.e.summaryOf(x.a),
			URL: s.address(x), Names: x.e.rank%12 == 0 && !x.e.story})
	}
	return &answer{status: 200, contentType: xmlType, body: f.XML()}
}

// acceptsXML reports whether an Accept header lets XML through.
func acceptsXML(accept string) bool {
	if accept == "" {
		return true
	}
	for part := range strings.SplitSeq(accept, ",") {
		switch t, _, _ := mime.ParseMediaType(part); t {
		case "application/xml", "text/xml", "application/*", "text/*", "*/*":
			return true
		}
	}
	return false
}

// address is the url of an advert in the XML.
func (s *Site) address(x row) string {
	base := s.opts.BaseURL
	switch {
	case s.quirks.URL == "www":
		base = "https://www.jobs.nhs.uk"
	case s.quirks.URL == "mixed" && x.e.rank%40 == 0:
		return "https://apply.example/vacancy/" + x.a.Reference
	case s.quirks.URL == "mixed" && x.e.rank%2 == 0:
		base = "https://www.jobs.nhs.uk"
	}
	return base + "/candidate/jobadvert/" + x.a.Reference
}

// repeated returns a parameter whose repetition is refused.
func (s *Site) repeated(v url.Values) string {
	for _, name := range []string{"payBand", "staffGroup", "contractType", "workingPattern", "payRange"} {
		if len(v[name]) > 1 && (name == "payBand" || s.quirks.Repeats == "refused") {
			return name
		}
	}
	return ""
}

// number reads a number from 1 on.
func number(v url.Values, name string, otherwise int) (int, bool) {
	if v.Get(name) == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(v.Get(name))
	return n, err == nil && n >= 1
}

func pages(total, size int) int { return (total + size - 1) / size }

// rows searches, and lets the faults lie about what there is.
func (s *Site) rows(q query, faults []*Fault) (rows []row, total int) {
	rows = s.search(q)
	total = -1
	for _, f := range faults {
		switch f.Kind {
		case "stale":
			rows = s.narrow(q, s.board.asOf(s.now.Add(-f.length())))
		case "few":
			rows = rows[:min(len(rows), f.number())]
		case "depth":
			if total < 0 {
				total = len(rows)
			}
			rows = rows[:min(len(rows), f.number())]
		case "nothing":
			return nil, 0
		case "total":
			factor, isFactor := strings.CutPrefix(f.Value, "x")
			x, _ := strconv.ParseFloat(factor, 64) // Checked.
			if isFactor {
				x = math.Round(x * float64(len(rows)))
			}
			total = int(x)
		}
	}
	if total < 0 {
		total = len(rows)
	}
	return rows, total
}

// shown cuts one page out of rows, less or more as the faults will.
func shown(rows []row, page, size int, faults []*Fault) []row {
	page = pageShown(page, faults)
	from := min((page-1)*size, len(rows))
	cut := slices.Clone(rows[from:min(from+size, len(rows))])
	for _, f := range faults {
		n := min(f.number(), len(cut))
		switch f.Kind {
		case "short":
			cut = cut[:len(cut)-n]
		case "duplicate":
			copy(cut[len(cut)-n:], cut[:n])
		case "wrong":
			cut = mixed(cut, f.Value)
		}
	}
	return cut
}

// pageShown is the number of the page that is shown for the one asked for.
func pageShown(page int, faults []*Fault) int {
	if slices.ContainsFunc(faults, func(f *Fault) bool { return f.Kind == "page-one" }) {
		return 1
	}
	return page
}

// mixed gives each row the field of the row below: values that may all be, and
// are another's.
func mixed(rows []row, field string) []row {
	out := slices.Clone(rows)
	for i := range out {
		a, below := *rows[i].a, rows[(i+1)%len(rows)].a
		switch field {
		case "closing":
			a.Closing = below.Closing
		case "title":
			a.Title = below.Title
		case "employer":
			a.Employer = below.Employer
		case "salary":
			a.Salary = below.Salary
		}
		out[i].a = &a
	}
	return out
}

// listing answers the HTML search.
func (s *Site) listing(r *http.Request, faults []*Fault) *answer {
	if r.Method == http.MethodPost {
		return s.posted(r)
	}
	v := r.URL.Query()
	if refused := s.repeated(v); refused != "" {
		return page(http.StatusBadRequest, markup.Refused("400 Bad Request"))
	}
	size := 10
	for _, f := range faults {
		if f.Kind == "size" {
			size = f.number()
		}
	}
	n, ok := number(v, "page", 1)
	if !ok {
		n = 1
	}
	q := parseQuery(v)
	results := markup.Results{Params: params(r.URL.RawQuery), Subject: subject(q), Sort: q.Sort, Page: n,
		OneJob: s.quirks.OneJob == "job", Token: s.token(), Drift: drift(faults)}
	if !slices.ContainsFunc(markup.Sorts, func(p markup.Param) bool { return p.Name == q.Sort }) {
		results.Sort = ""
	}
	if _, _, _, known := locate(q.Location); q.Location != "" && !known && q.Reference == "" {
		return page(200, results.UnknownPlace())
	}
	n = pageShown(n, faults)
	results.Page = n
	rows, total := s.rows(q, faults)
	results.Total, results.Pages = total, pages(total, size)
	if total > 0 && n > results.Pages {
		switch s.quirks.Beyond {
		case "soft404":
			return s.retired()
		case "last":
			n = results.Pages
			results.Page = n
		default:
			results.Total = 0
		}
	}
	for _, x := range shown(rows, n, size, faults) {
		results.Cards = append(results.Cards, markup.Card{Advert: x.a, Welsh: s.welsh(x), Lacks: s.lacks(x)})
	}
	return page(200, results.HTML())
}

// subject is what a heading names.
func subject(q query) string {
	for _, s := range []string{q.Keyword, q.Employer, q.Reference, q.Location} {
		if s != "" {
			return s
		}
	}
	return ""
}

// posted sends a form on to the address of its search.
func (s *Site) posted(r *http.Request) *answer {
	if err := r.ParseForm(); err != nil {
		return page(http.StatusBadRequest, markup.Refused("400 Bad Request"))
	}
	if r.PostForm.Get("internalOnly") != "" {
		s.laws.broke(r, s.opts.Manners(), "internalOnly asks for internal adverts")
	}
	v := url.Values{"language": {"en"}}
	for name, values := range r.PostForm {
		joined := strings.Join(slices.DeleteFunc(values, func(s string) bool { return s == "" }), ",")
		if name != "_csrf" && joined != "" {
			v.Set(name, joined)
		}
	}
	return redirect("/candidate/search/results?" + v.Encode())
}

// welsh reports whether the months of an advert are Welsh today: they come and
// go, on pages in English.
func (s *Site) welsh(x row) bool {
	if x.a.Welsh {
		return true
	}
	share := map[string]uint64{"few": 10, "many": 150}[s.quirks.WelshMonths]
	return !x.e.story && world.Mix(s.opts.Seed, x.e.rank, world.Hash(string(world.DayOf(s.now))))%1000 < share
}

// lacks names the item that an advert's card goes without, if any.
func (s *Site) lacks(x row) string {
	if s.quirks.Optional != "missing" || x.e.story {
		return ""
	}
	switch world.Mix(x.e.rank, world.Hash("lacks")) % 400 {
	case 0:
		return "closing"
	case 1:
		return "salary"
	case 2:
		return "pattern"
	}
	return ""
}

// advert answers an advert's own address.
func (s *Site) advert(ref string, faults []*Fault) *answer {
	e := s.board.byRef[ref]
	if e == nil || !e.live {
		switch {
		case s.quirks.Closed == "404":
			return page(http.StatusNotFound, markup.Refused("404 Not Found"))
		case s.quirks.Closed == "redirect":
			return redirect("/candidate/search/results?language=en")
		case s.quirks.Closed == "soft404", e == nil:
			return s.retired()
		}
	}
	a := e.now()
	if today := world.DayOf(s.now); !e.live && a.Closing >= today {
		past := *a
		past.Closing = today.Add(-1)
		a = &past
	}
	p := markup.Page{Advert: a, Texts: a.Texts(), Welsh: s.welsh(row{e, a}), Habit: world.Mix(e.rank), Token: s.token(), Drift: drift(faults)}
	return page(200, p.HTML())
}
