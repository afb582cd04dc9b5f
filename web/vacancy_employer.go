package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web/preview"
)

// employerRows is how many vacancies a page of an employer lists.
const employerRows = 50

// employerView is what one employer advertises.
type employerView struct {
	Name, Account string
	Facts         []fact
	Tabs          []tabView
	Heading       string
	DayName       string
	Rows          []rowView
	Page, Pages   int
	Before, After string // addresses of the pages beside this one, "" at the ends
}

type tabView struct {
	Text, Href string
	Here       bool
}

type rowView struct {
	Title, Href, Where, Band, Day, Remarks string
}

// employerPage shows what an employer advertises now, or closed in the last 30
// days, by the same board that searches are tried on.
func (p *public) employerPage(w http.ResponseWriter, r *http.Request) {
	account := r.PathValue("account")
	if probe := (vacancy.Vacancy{Reference: account + "-0"}); probe.Account() != account {
		p.unknownEmployer(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	board, err := p.trial.boards.Get(ctx)
	var happened map[vacancy.Key][]happening
	if err == nil {
		happened, err = p.news.since(ctx, board)
	}
	switch {
	case err != nil && r.Context().Err() != nil:
		// Nobody waits for the answer.
	case err != nil:
		p.log.Error("what an employer advertises could not be read", "account", account, "err", err)
		p.sorry(w, r, "Sorry, we cannot look at the vacancies just now")
	default:
		q := r.URL.Query()
		page, err := strconv.Atoi(q.Get("page"))
		if err != nil {
			page = 1
		}
		v := newEmployerView(board, happened, account, q.Has("closed"), page, root(r))
		if v == nil {
			p.unknownEmployer(w, r)
			return
		}
		p.keptPage(w, r, "employer", v.Name, v)
	}
}

func (p *public) unknownEmployer(w http.ResponseWriter, r *http.Request) {
	p.page(w, r, http.StatusNotFound, "message", "Employer not known", message{"We know no advert of this employer",
		[]string{"It advertises nothing now, and has closed nothing in the last 30 days, on the websites that we watch.",
			"The address ends with the first five characters of a reference of the employer’s, a letter and four digits."}})
}

// newEmployerView is nil for an employer of whom the board has nothing.
func newEmployerView(b *preview.Board, happened map[vacancy.Key][]happening, account string, closed bool, page int, root string) *employerView {
	var open, over []*preview.Known
	for k := range b.Known() {
		switch {
		case !strings.HasPrefix(k.Vacancy.Reference, account) || k.Vacancy.Account() != account:
		case k.Open:
			open = append(open, k)
		default:
			over = append(over, k)
		}
	}
	if len(open)+len(over) == 0 {
		return nil
	}
	slices.SortFunc(open, func(x, y *preview.Known) int {
		return cmp.Or(compareClosing(x.Vacancy.Closing, y.Vacancy.Closing), cmp.Compare(x.Vacancy.Reference, y.Vacancy.Reference))
	})
	slices.SortFunc(over, func(x, y *preview.Known) int {
		return cmp.Or(endOf(y).Compare(endOf(x)), cmp.Compare(x.Vacancy.Reference, y.Vacancy.Reference))
	})
	extended := func(k *preview.Known) bool {
		return slices.ContainsFunc(happened[k.Vacancy.Key()], func(h happening) bool { return h.extended })
	}
	tally := func(all []*preview.Known, what func(*preview.Known) bool) string {
		n := 0
		for _, k := range all {
			if what(k) {
				n++
			}
		}
		return thousands(n)
	}
	again := func(k *preview.Known) bool { return k.Link.Kind == vacancy.LinkReadvert }
	newest := slices.MaxFunc(slices.Concat(open, over), func(x, y *preview.Known) int { return x.Vacancy.FirstSeen.Compare(y.Vacancy.FirstSeen) })
	v := &employerView{Account: account, Name: tidy(newest.Vacancy.Employer, maxWords)}
	if v.Name == "" {
		v.Name = "Employer " + account
	}
	v.Facts = []fact{
		{Name: "Open now", Value: thousands(len(open))},
		{Name: "Of them, advertised again", Value: tally(open, again)},
		{Name: "Of them, extended in the last 30 days", Value: tally(open, extended)},
		{Name: "Closed in the last 30 days", Value: thousands(len(over))},
		{Name: "Of them, before their closing date", Value: tally(over, func(k *preview.Known) bool { return k.Closed == vacancy.Early || k.Closed == vacancy.Withdrawn })},
	}
	v.Tabs = []tabView{{"Open now", "?", !closed}, {"Closed in the last 30 days", "?closed", closed}}
	v.Heading, v.DayName = "Open now", "Closes"
	all, query := open, "?page="
	if closed {
		v.Heading, v.DayName, all, query = "Closed in the last 30 days", "Closed", over, "?closed&page="
	}
	v.Pages = max((len(all)+employerRows-1)/employerRows, 1)
	v.Page = min(max(page, 1), v.Pages)
	if v.Page > 1 {
		v.Before = query + strconv.Itoa(v.Page-1)
	}
	if v.Page < v.Pages {
		v.After = query + strconv.Itoa(v.Page+1)
	}
	from := (v.Page - 1) * employerRows
	for _, k := range all[from:min(from+employerRows, len(all))] {
		v.Rows = append(v.Rows, rowOf(k, again(k), extended(k), root))
	}
	return v
}

func rowOf(k *preview.Known, again, extended bool, root string) rowView {
	v := k.Vacancy
	out := rowView{Title: titleOf(v), Href: root + vacancyPath(v.Key()), Where: orDash(tidy(v.PlaceText(), maxWords)), Band: bandWords(v)}
	out.Day = "not stated"
	switch {
	case !k.Open && !k.ClosedAt.IsZero():
		out.Day = vacancy.LondonDay(endOf(k)).Human()
	case !v.Closing.IsZero():
		out.Day = v.Closing.Human()
	}
	var remarks []string
	if again {
		remarks = append(remarks, "advertised again")
	}
	if extended {
		remarks = append(remarks, "extended")
	}
	switch k.Closed {
	case vacancy.Early:
		remarks = append(remarks, fmt.Sprintf("closed early, was to close %s", v.Closing.Human()))
	case vacancy.Withdrawn:
		remarks = append(remarks, "withdrawn")
	}
	out.Remarks = orDash(upper(strings.Join(remarks, ", ")))
	return out
}

// compareClosing puts those without a closing date last.
func compareClosing(a, b vacancy.Day) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return 1
		}
		return -1
	}
	return a.UTC().Compare(b.UTC())
}

// endOf is when one could not apply any more: that it has closed by its date is
// noticed the day after.
func endOf(k *preview.Known) time.Time {
	if k.Closed == vacancy.Early || k.Closed == vacancy.Withdrawn || k.Vacancy.Closing.IsZero() {
		return k.ClosedAt
	}
	return k.Vacancy.Closing.UTC()
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
