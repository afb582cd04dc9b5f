package simulator

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// A row is an advert in a listing, in the version to be shown.
type row struct {
	e *entry
	a *Advert
}

// query is a search as the site understands it.
type query struct {
	Keyword, Location, Employer, Reference   string
	Distance                                 int
	Bands, Groups, Contracts, Patterns, Pays []string
	SalaryFrom, SalaryTo                     float64
	Since                                    Day
	Sort                                     string
}

// parseQuery reads the parameters that both listings have in common. What it
// does not know it ignores, as the site does.
func parseQuery(v url.Values) query {
	list := func(name string) []string {
		var out []string
		for _, s := range strings.Split(v.Get(name), ",") {
			if s = strings.TrimSpace(s); s != "" {
				out = append(out, s)
			}
		}
		return out
	}
	number := func(name string) float64 { f, _ := strconv.ParseFloat(v.Get(name), 64); return f }
	q := query{
		Keyword: strings.TrimSpace(v.Get("keyword")), Location: strings.TrimSpace(v.Get("location")),
		Employer: strings.TrimSpace(v.Get("employer")), Reference: strings.TrimSpace(v.Get("jobReference")),
		Bands: list("payBand"), Groups: list("staffGroup"), Contracts: list("contractType"),
		Patterns: list("workingPattern"), Pays: list("payRange"),
		SalaryFrom: number("salaryFrom"), SalaryTo: number("salaryTo"), Sort: v.Get("sort"),
	}
	if n := int(number("distance")); slices.Contains([]int{5, 10, 20, 30, 50, 100}, n) {
		q.Distance = n
	}
	return q
}

// search returns the rows of a query. Rows of the board's present version are
// remembered, for a reader turns pages.
func (s *Site) search(q query) []row {
	if s.at != s.board.version || s.found == nil || len(s.found) > 16 {
		s.at, s.found = s.board.version, map[string][]row{}
	}
	key := fmt.Sprintf("%+q", fmt.Sprintf("%+v", q))
	rows, ok := s.found[key]
	if !ok {
		index := s.board.ranked.entries
		if q.Sort == newestFirst {
			index = s.board.posted.entries
		}
		rows = make([]row, 0, len(index))
		for _, e := range index {
			rows = append(rows, row{e, e.now()})
		}
		if q.Sort == newestFirst {
			slices.Reverse(rows)
		}
		if !q.plain() {
			rows = s.narrow(q, rows)
		}
		s.found[key] = rows
	}
	return rows
}

// plain reports whether a query asks for everything there is, in an order in
// which it is kept.
func (q *query) plain() bool {
	return q.Keyword == "" && q.Location == "" && q.Employer == "" && q.Reference == "" && len(q.Bands)+len(q.Groups)+len(q.Contracts)+len(q.Patterns)+len(q.Pays) == 0 &&
		q.SalaryFrom == 0 && q.SalaryTo == 0 && q.Since == "" && (q.Sort == "" || q.Sort == newestFirst)
}

// newestFirst is the value of the parameter sort for what was posted last.
const newestFirst = "publicationDateDesc"

// narrow applies a query to rows, which it may reorder. It ranks more than it
// filters, and where nothing fits it returns much: that is how the site is.
func (s *Site) narrow(q query, rows []row) []row {
	if q.Reference != "" { // Exact, by either number; all else is ignored.
		return slices.DeleteFunc(rows, func(r row) bool { return r.a.Reference != q.Reference && r.a.Printed != q.Reference })
	}
	rows = slices.DeleteFunc(rows, func(r row) bool { return !q.admits(r.a) })
	if q.Keyword != "" {
		rows = s.byKeyword(q, rows)
	}
	if q.Employer != "" {
		rows = s.byEmployer(q, rows)
	}
	if q.Location != "" {
		if lat, lon, whole, ok := locate(q.Location); ok && !whole {
			rows = byDistance(q, rows, lat, lon)
		}
	}
	switch q.Sort {
	case "closingDate":
		slices.SortStableFunc(rows, func(x, y row) int { return cmp.Compare(x.a.Closing, y.a.Closing) })
	case "salaryAsc":
		slices.SortStableFunc(rows, func(x, y row) int { return cmp.Compare(x.a.Salary.Min, y.a.Salary.Min) })
	case "salaryDesc":
		slices.SortStableFunc(rows, func(x, y row) int { return cmp.Compare(y.a.Salary.Max, x.a.Salary.Max) })
	}
	return rows
}

// admits applies the filters that do filter.
func (q *query) admits(a *Advert) bool {
	in := func(asked []string, v string) bool { return len(asked) == 0 || slices.Contains(asked, v) }
	grade := a.Grade
	if a.Band != "" {
		grade = "BAND_" + strings.ToUpper(a.Band)
	}
	switch {
	case !in(q.Bands, grade), !in(q.Groups, a.StaffGroup), !in(q.Contracts, a.Contract):
		return false
	case len(q.Patterns) > 0 && !slices.ContainsFunc(a.Patterns, func(p string) bool { return slices.Contains(q.Patterns, p) }):
		return false
	case q.SalaryFrom > 0 && a.Salary.Max < q.SalaryFrom, q.SalaryTo > 0 && (a.Salary.Min == 0 || a.Salary.Min > q.SalaryTo):
		return false
	case q.Since != "" && world.DayOf(a.Posted) < q.Since:
		return false
	}
	if len(q.Pays) == 0 {
		return true
	}
	return a.Salary.Unit == "year" && slices.ContainsFunc(q.Pays, func(p string) bool {
		low, high, bounded := strings.Cut(p, "-")
		from, err1 := strconv.ParseFloat(low, 64)
		to, err2 := strconv.ParseFloat(high, 64)
		return err1 == nil && a.Salary.Max >= from*1000 && (!bounded || err2 == nil && a.Salary.Min < to*1000)
	})
}

// byKeyword keeps what has any of the words in title or text, the fuller
// matches first. Words that nobody uses are dropped, and if none remains so is
// the search; only where there is no word at all is nothing found.
func (s *Site) byKeyword(q query, rows []row) []row {
	words := terms(q.Keyword)
	if len(words) == 0 {
		return nil
	}
	score := make(map[*entry]int, len(rows))
	var found []row
	for _, r := range rows {
		title, n := terms(r.a.Title), 0
		all := r.e.textTerms()
		for _, w := range words {
			if _, ok := slices.BinarySearch(all, w); ok {
				n++
			}
			if slices.Contains(title, w) {
				n += 2
			}
		}
		if n > 0 {
			found, score[r.e] = append(found, r), n
		}
	}
	if len(found) == 0 {
		return rows
	}
	if q.Sort == "" {
		slices.SortStableFunc(found, func(x, y row) int { return cmp.Compare(score[y.e], score[x.e]) })
	}
	return found
}

// byEmployer ranks by the words of the name. It drifts: after the employer's
// own come some of others, and for a name nobody has, hundreds of others.
func (s *Site) byEmployer(q query, rows []row) []row {
	words := slices.DeleteFunc(terms(q.Employer), func(w uint32) bool { return slices.Contains(commonTerms(), w) })
	var whole, part, others []row
	for _, r := range rows {
		have, n := terms(r.a.Employer), 0
		for _, w := range words {
			if slices.Contains(have, w) {
				n++
			}
		}
		switch chance := world.Mix(r.e.rank, world.Hash(q.Employer)) % 1000; {
		case len(words) > 0 && n == len(words):
			whole = append(whole, r)
		case n > 0:
			part = append(part, r)
		case chance < 30:
			others = append(others, r)
		}
	}
	if len(whole)+len(part) > 0 {
		others = others[:min(len(others), 9)]
	}
	if q.Sort != "" {
		keep := map[*entry]bool{}
		for _, r := range slices.Concat(whole, part, others) {
			keep[r.e] = true
		}
		return slices.DeleteFunc(rows, func(r row) bool { return !keep[r.e] })
	}
	return slices.Concat(whole, part, others)
}

var commonTerms = sync.OnceValue(func() []uint32 {
	return terms("NHS trust foundation the of and university hospitals healthcare services health care partnership group limited ltd")
})

// byDistance keeps what has a site near enough.
func byDistance(q query, rows []row, lat, lon float64) []row {
	miles := make(map[*entry]float64, len(rows))
	for _, r := range rows {
		best := math.Inf(1)
		for _, p := range r.a.Sites {
			if t, ok := townAt(p.Postcode); ok {
				best = min(best, world.Miles(lat, lon, t.Lat, t.Lon))
			}
		}
		miles[r.e] = best
	}
	if q.Distance > 0 {
		rows = slices.DeleteFunc(rows, func(r row) bool { return miles[r.e] > float64(q.Distance) })
	}
	if q.Sort == "" && q.Keyword == "" || q.Sort == "distance" {
		slices.SortStableFunc(rows, func(x, y row) int { return cmp.Compare(miles[x.e], miles[y.e]) })
	}
	return rows
}

var postcodeForm = regexp.MustCompile(`^([A-Z]{1,2})[0-9][A-Z0-9]?( ?[0-9][A-Z]{2})?$`)

// locate finds a place: a town, a postcode or its first half, or one of the
// names of the whole country.
func locate(place string) (lat, lon float64, whole, ok bool) {
	switch strings.ToLower(place) {
	case "england", "wales", "scotland", "uk", "united kingdom", "great britain":
		return 0, 0, true, true
	}
	for _, t := range world.Towns() {
		if strings.EqualFold(t.Name, place) {
			return t.Lat, t.Lon, false, true
		}
	}
	if code := strings.ToUpper(place); postcodeForm.MatchString(code) {
		if t, ok := townAt(code); ok {
			return t.Lat, t.Lon, false, true
		}
	}
	return 0, 0, false, false
}

var townsByCode = sync.OnceValue(func() map[string]world.Town {
	m := map[string]world.Town{}
	for _, t := range world.Towns() {
		for _, code := range []string{t.Outcode, world.Letters(t.Outcode)} {
			if _, ok := m[code]; !ok {
				m[code] = t
			}
		}
	}
	return m
})

// townAt returns the town of a postcode, or one with the same letters.
func townAt(postcode string) (world.Town, bool) {
	outward, _, spaced := strings.Cut(postcode, " ")
	if !spaced && len(postcode) > 4 {
		outward = postcode[:len(postcode)-3]
	}
	t, ok := townsByCode()[outward]
	if !ok {
		t, ok = townsByCode()[world.Letters(postcode)]
	}
	return t, ok
}

// textTerms returns the terms of title and texts, sorted. They are made when
// first needed, for each version.
func (e *entry) textTerms() []uint32 {
	if e.termsOf != len(e.versions) {
		a := e.now()
		x := a.Texts()
		all := terms(a.Title)
		for _, paragraphs := range [][]string{x.Summary, x.Duties, x.Description} {
			for _, p := range paragraphs {
				all = append(all, terms(p)...)
			}
		}
		slices.Sort(all)
		e.terms, e.termsOf = slices.Clip(slices.Compact(all)), len(e.versions)
	}
	return e.terms
}

// terms returns the stemmed words of a text as numbers.
func terms(text string) []uint32 {
	var out []uint32
	for w := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9')
	}) {
		out = append(out, uint32(world.Hash(stem(w))))
	}
	return out
}

// stem cuts the commonest endings, roughly.
func stem(w string) string {
	for _, end := range []string{"ing", "ies", "es", "ed", "s"} {
		if len(w) > len(end)+3 && strings.HasSuffix(w, end) {
			return strings.TrimSuffix(w, end)
		}
	}
	return w
}
