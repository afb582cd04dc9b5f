// Package drift notices that a site's pages have come to mean something else
// than their readers think: a selector that finds nothing, or the wrong
// thing; a listing kept by a cache; a site that lost half its vacancies. A
// page that no reader knows is not its business, for that page.ErrLayout is.
//
// It is pure: no request, no clock, no log, no randomness. It never decides
// what follows. It hands back defects, and the run that has one is
// quarantined: it moves no watermark, closes nothing, is no success, and
// teaches nothing.
//
// A false alarm costs as much as a missed one, for a run that is quarantined
// without need stops the closings and wakes a person. So each rule leaves
// room for what real boards do: an employer that posts forty vacancies at
// once, rolling adverts that close in a year, the oldest pages of a sweep.
//
//	check.go        the fields of a run's entries: rates, dates, columns
//	learned.go      what good runs have taught, as it is kept in the state
//	front.go        the newest entries of the last good run: old cached pages,
//	                and known vacancies that have become others
//	canary.go       the same page in two feeds, side by side
//	fingerprint.go  what a page is built of, in a word
package drift

// A Defect is a breach, with its reason and what was found. The detail is for
// people: fields and numbers, never the text of an advert.
type Defect struct {
	// Reason is one of the constants, or page.DefectReference, DefectTitle,
	// DefectEmployer, DefectPosted or DefectClosing.
	Reason string
	Detail string
}

func (d Defect) String() string { return d.Reason + ": " + d.Detail }

// Reasons of defects, beside those of package page: a closed list, for they
// are label values of a metric.
const (
	DefectRate     = "rate"      // an optional field that fewer entries have than was learned
	DefectDates    = "dates"     // dates where those of live adverts do not lie
	DefectOneValue = "one_value" // a column that says the same everywhere
	DefectSwapped  = "swapped"   // titles where employers belong, or one text in both
	DefectChanged  = "changed"   // known vacancies with other dates or names
	DefectStale    = "stale"     // an old page, out of a cache
	DefectZero     = "zero"      // nothing, where vacancies were expected
	DefectDrop     = "drop"      // far fewer than at the last sweep
	DefectCanary   = "canary"    // two feeds say different things of one vacancy
)

// Defects returns every reason that this package knows and package page does
// not.
func Defects() []string {
	return []string{DefectRate, DefectDates, DefectOneValue, DefectSwapped, DefectChanged, DefectStale, DefectZero,
		DefectDrop, DefectCanary}
}

// Reasons returns the reasons of defects, each once, in their order.
func Reasons(ds []Defect) []string {
	var out []string
	seen := map[string]bool{}
	for _, d := range ds {
		if !seen[d.Reason] {
			seen[d.Reason] = true
			out = append(out, d.Reason)
		}
	}
	return out
}

const (
	// expected is how many live vacancies there must be for none to be a fault.
	expected = 5
	// enough is how many entries a share is judged by at least.
	enough = 50
)

// Zero reports whether a first page, in so many words or not, says that there
// is nothing where more than five vacancies are known to be live. Total is
// what the page states, negative if it does not; listed is how many entries it
// holds. It is not for pages beyond the last, which are empty by right.
func Zero(total, listed, liveKnown int) bool {
	return liveKnown > expected && (listed <= 0 || total == 0)
}

// TotalDrop reports whether the total that a site states has fallen by more
// than a fifth from one sweep to the next. Totals that were not stated
// (negative) and boards of under 50 vacancies are not judged. Mass closings
// stay far below: over a bank holiday a board of 12,000 lost a tenth in a week.
func TotalDrop(before, now int) bool {
	return before >= enough && now >= 0 && float64(now) < 0.8*float64(before)
}
