package message

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// MaxSubject is the longest subject in characters: what a telephone shows of
// it is less, so the words that matter stand first.
const MaxSubject = 90

// Texts of an advert are cut at these lengths, in characters. An honest one
// is far shorter; a hostile one must not fill a mail.
const (
	maxTitle = 200
	maxFact  = 300
)

// Subject is the subject line of the mail, at most MaxSubject characters:
//
//	Barts Health NHS Trust is hiring: Medical Secretary – and 3 other new vacancies
//	Closing date now 8 July: Medical Secretary, Barts Health NHS Trust
//	Closed early: Medical Secretary, Barts Health NHS Trust
//
// It is a single line whatever the advert says.
func Subject(a Alert) string {
	if len(a.Items) == 0 {
		return cut("Your search: "+searchTitle(&a.Search), MaxSubject)
	}
	e := &a.Items[0].Event
	rest := othersText(&a)
	employer := cut(clean(e.Vacancy.Employer), 40)
	if employer == "" {
		employer = "An employer"
	}
	// The title gives way: an employer cut short is still known, and a reader
	// must see that there is more than one vacancy.
	fit := func(before, after string) string {
		room := MaxSubject - runes(before) - runes(after) - runes(rest)
		return before + cut(titleText(&e.Vacancy), room) + after + rest
	}
	if e.Kind == vacancy.New {
		return fit(employer+" is hiring: ", "")
	}
	return fit(kindSubject(e, vacancy.LondonDay(a.At))+": ", ", "+employer)
}

func kindSubject(e *vacancy.Event, today vacancy.Day) string {
	switch e.Kind {
	case vacancy.ClosingSoon:
		switch left := today.DaysUntil(e.Vacancy.Closing); {
		case e.Vacancy.Closing.IsZero() || left < 0:
			return "Closes soon"
		case left == 0:
			return "Closes today"
		case left == 1:
			return "Closes tomorrow"
		default:
			return fmt.Sprintf("Closes in %d days", left)
		}
	case vacancy.Amended:
		return "Changed"
	case vacancy.ClosingMoved:
		if c := e.Vacancy.Closing; !c.IsZero() {
			return fmt.Sprintf("Closing date now %d %s", c.Day, c.Month)
		}
		return "Closing date moved"
	case vacancy.Closed:
		switch e.Reason {
		case vacancy.Early:
			return "Closed early"
		case vacancy.Withdrawn:
			return "Withdrawn"
		}
		return "Closed"
	case vacancy.Reopened:
		return "Open again"
	case vacancy.Readvertised:
		return "Advertised again"
	}
	return "News"
}

// othersText says how many vacancies stand beside the first.
func othersText(a *Alert) string {
	n := len(a.Items) - 1 + a.More
	if n <= 0 {
		return ""
	}
	if allNew(a) {
		return fmt.Sprintf(" – and %s", count(n, "other new vacancy", "other new vacancies"))
	}
	if allClosing(a) {
		return fmt.Sprintf(" – and %s", count(n, "other that closes soon", "others that close soon"))
	}
	return fmt.Sprintf(" – and %s", count(n, "other", "others"))
}

func allNew(a *Alert) bool {
	for i := range a.Items {
		if k := a.Items[i].Event.Kind; k != vacancy.New && k != vacancy.Readvertised {
			return false
		}
	}
	return true
}

// heading is the first heading of the mail.
func heading(a *Alert) string {
	n := len(a.Items) + a.More
	switch {
	case n == 0:
		return "Nothing new"
	case n > 1 && allNew(a):
		return fmt.Sprintf("%d new vacancies", n)
	case n > 1 && allClosing(a):
		return fmt.Sprintf("%d vacancies close soon", n)
	case n > 1:
		return fmt.Sprintf("News of %d vacancies", n)
	}
	e := &a.Items[0].Event
	switch e.Kind {
	case vacancy.New:
		return "A new vacancy"
	case vacancy.Amended:
		return "A vacancy has changed"
	case vacancy.ClosingMoved:
		return "A closing date has moved"
	case vacancy.Closed:
		switch e.Reason {
		case vacancy.Early:
			return "A vacancy has closed early"
		case vacancy.Withdrawn:
			return "A vacancy was withdrawn"
		}
		return "A vacancy has closed"
	case vacancy.Reopened:
		return "A vacancy is open again"
	case vacancy.Readvertised:
		return "A vacancy is advertised again"
	case vacancy.ClosingSoon:
		return "A vacancy closes soon"
	}
	return "News of a vacancy"
}

// noteText says what happened, for every kind but New.
func noteText(e *vacancy.Event) string {
	switch e.Kind {
	case vacancy.Amended:
		return "The advert has changed."
	case vacancy.ClosingMoved:
		return "The closing date has moved."
	case vacancy.Closed:
		switch e.Reason {
		case vacancy.Early:
			return "No longer listed by NHS Jobs since " + vacancy.LondonDay(e.At).Human() +
				", before its closing date: filled or withdrawn; from outside both look alike."
		case vacancy.Withdrawn:
			return "The site says that the vacancy was withdrawn."
		}
		return "The closing date has passed."
	case vacancy.Reopened:
		return "Open again after it had closed."
	case vacancy.ClosingSoon:
		return "A reminder: we told you of this vacancy before, and it closes soon."
	case vacancy.Readvertised:
		if e.Related == "" {
			return "Advertised again."
		}
	}
	return "" // What it looks like is said with a link, see relatedView.
}

// relatedView says to which other advert a vacancy is tied; nil where to none.
func relatedView(it *Item) *otherView {
	e := &it.Event
	o := &otherView{Reference: clip(e.Related), URL: relatedURL(&e.Vacancy, e.Related)}
	if o.Reference == "" {
		return nil
	}
	why := ""
	if w := clip(it.RelatedWhy); w != "" {
		why = " (" + w + ")"
	}
	switch {
	case e.Relation == vacancy.LinkTwin:
		o.Before, o.After = "Also listed as ", why
	case e.Relation == vacancy.LinkSibling:
		o.Before, o.After = "One of several sites: also ", why
	case e.Relation == vacancy.LinkReadvert, e.Kind == vacancy.Readvertised:
		o.Before, o.After = "Looks like ", " advertised again"+why
	default:
		o.Before, o.After = "Related to ", why
	}
	return o
}

// otherText says how a further advert is tied to the one that it is told with.
func otherText(o *Other) otherView {
	v := otherView{Before: "Also listed as ", Reference: clip(o.Vacancy.Reference), URL: link(o.Vacancy.URL)}
	if o.Relation == vacancy.LinkSibling {
		v.Before = "One of several sites: also "
		if p := clip(o.Vacancy.PlaceText()); p != "" {
			v.After = " (" + p + ")"
		}
	}
	return v
}

// relatedURL is the address of another advert of the same site, where the
// site's addresses end with the reference; "" where they do not.
func relatedURL(v *vacancy.Vacancy, reference string) string {
	base, ok := strings.CutSuffix(v.URL, "/"+v.Reference)
	if !ok || v.Reference == "" || reference == "" {
		return ""
	}
	return link(base + "/" + url.PathEscape(reference))
}

// closingText is the closing date with the days that are left of it.
func closingText(e *vacancy.Event, today vacancy.Day) string {
	closing := e.Vacancy.Closing
	if closing.IsZero() {
		if e.Kind == vacancy.Closed {
			return "Closed, no closing date stated"
		}
		return "No closing date stated"
	}
	left := today.DaysUntil(closing)
	switch {
	case e.Kind == vacancy.Closed && e.Reason == vacancy.Early:
		return "Closed early, the closing date was " + closing.Human()
	case e.Kind == vacancy.Closed:
		return "Closed, the closing date was " + closing.Human()
	case left < 0:
		return "Closed on " + closing.Human()
	case left == 0:
		return "Closes today, " + closing.Human()
	case left == 1:
		return "Closes tomorrow, " + closing.Human() + ", 1 day left"
	}
	return fmt.Sprintf("Closes %s, %d days left", closing.Human(), left)
}

// postedText is the honest clock: when the advert appeared and when we told.
func postedText(posted vacancy.Moment, at time.Time) string {
	if posted.IsZero() {
		return ""
	}
	now := at.In(vacancy.London())
	day := func(d vacancy.Day) string {
		s := fmt.Sprintf("%d %s", d.Day, d.Month)
		if d.Year != now.Year() {
			s += fmt.Sprintf(" %d", d.Year)
		}
		return s
	}
	if posted.DayOnly {
		return "posted " + day(posted.Day())
	}
	clock := posted.Time.In(vacancy.London()).Format("15:04")
	if posted.Day() != vacancy.LondonDay(at) {
		clock = day(posted.Day()) + " " + clock
	}
	return "posted " + clock + ", alerted " + now.Format("15:04")
}

// bandText is the band, or what is known of its absence.
func bandText(v *vacancy.Vacancy) string {
	bands := v.AllBands()
	if len(bands) == 0 {
		if v.PageUnread {
			return "band not known: the advert page could not be read"
		}
		return "no band stated"
	}
	text := "Band " + strings.Join(bands, "/")
	if c := bands[0]; c[0] < '0' || c[0] > '9' {
		names := make([]string, len(bands))
		for i, b := range bands {
			names[i] = gradeName(b)
		}
		text = strings.Join(names, "/")
		if scheme := clip(v.PayScheme); bands[0] == vacancy.LocalPay && scheme != "" {
			text += " (" + scheme + ")"
		}
	}
	if v.BandFrom == vacancy.FromTitle {
		text += " (from the title)"
	}
	return text
}

func gradeName(b string) string {
	switch b {
	case vacancy.Foundation:
		return "Foundation doctor"
	case vacancy.Registrar:
		return "Registrar"
	case vacancy.SpecialtyDoctor:
		return "Specialty doctor"
	case vacancy.SpecialistGrade:
		return "Specialist doctor"
	case vacancy.Consultant:
		return "Consultant"
	case vacancy.DoctorOther:
		return "Doctor, grade not stated"
	case vacancy.VerySenior:
		return "Very senior manager"
	case vacancy.LocalPay:
		return "Local pay"
	}
	return clip(b)
}

// placeText names the places, with the distance that the match found.
func placeText(v *vacancy.Vacancy, s *vacancy.Search, outcomes []vacancy.Outcome) string {
	const most = 5
	var places []string
	for _, l := range v.Locations {
		if p := clip(l.String()); p != "" {
			places = append(places, p)
		}
	}
	if len(places) == 0 {
		return ""
	}
	shown := places[:min(len(places), most)]
	text := strings.Join(shown, "; ")
	if n := len(places) - len(shown); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	for _, o := range outcomes {
		if o.Criterion != "place" || !o.Pass || o.Miles <= 0 {
			continue
		}
		d := milesText(o.Miles)
		if len(places) > 1 {
			d = "the nearest " + d
		}
		if len(s.Places) == 1 && s.Places[0].Name != "" {
			return text + ", " + d + " from " + clip(s.Places[0].Name)
		}
		return text + ", " + d + " away"
	}
	return text
}

func milesText(m float64) string {
	if m < 0.05 {
		return "less than 0.1 miles"
	}
	return fmt.Sprintf("%.1f miles", m)
}

// fieldName is a field of the vacancy's JSON in words.
func fieldName(field string) string {
	switch field {
	case "closing":
		return "Closing date"
	case "working_patterns":
		return "Working pattern"
	case "locations":
		return "Where"
	}
	s := strings.ReplaceAll(clean(field), "_", " ")
	if s == "" {
		return "Field"
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// changeValue is one side of a change as people write it.
func changeValue(field, value string) string {
	if field == "closing" {
		if d, err := vacancy.ParseDay(value); err == nil {
			return d.Human()
		}
	}
	if value = clip(value); value == "" {
		return "not stated"
	}
	return value
}

func titleText(v *vacancy.Vacancy) string {
	if t := cut(clean(v.Title), maxTitle); t != "" {
		return t
	}
	return "Vacancy " + v.Reference
}

// searchTitle is the name that the subscriber gave a search, or the search in
// words where it has none.
func searchTitle(s *vacancy.Search) string {
	if n := clip(s.Name); n != "" {
		return n
	}
	return describe(s)
}

// describe is the search in words.
func describe(s *vacancy.Search) string { return clip(s.Describe()) }
