package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/score"
)

// The promises that are held, as limits.
const (
	holdListing = 0.6 // listing requests for each new advert, sweeps included
	holdP50     = 3 * time.Minute
	holdP99     = 20 * time.Minute
	holdMinute  = 60 // requests in any minute: one a second
	holdGap     = time.Second
)

// A breach is a promise that was broken.
type breach struct {
	of   promise
	text string
}

// A promise is what a breach is of: not all of them hold while things go wrong.
type promise int

const (
	manners  promise = iota // to the site
	truthful                // nothing is told that is not so, and nothing twice
	complete                // everything is told
	frugal                  // in time, and for few requests
)

// holds prints the promises that a run broke, and returns an error if there
// are any.
func holds(w io.Writer, f score.Figures) error {
	broken := breaches(f)
	for _, b := range broken {
		fmt.Fprintln(w, "BROKEN  "+b.text)
	}
	if len(broken) > 0 {
		return errBroken
	}
	fmt.Fprintln(w, "every promise was held")
	return nil
}

var errBroken = errors.New("a promise was broken")

func breaches(f score.Figures) []breach {
	var out []breach
	say := func(of promise, bad bool, format string, a ...any) {
		if bad {
			out = append(out, breach{of, fmt.Sprintf(format, a...)})
		}
	}
	some := func(of promise, what string, refs []string) {
		say(of, len(refs) > 0, "%d %s: %s", len(refs), what, few(refs))
	}
	some(complete, "adverts not told within a day", f.Missed)
	some(truthful, "adverts told as new that were there before the watch", f.Old)
	some(truthful, "adverts told that were never on the site", f.Unknown)
	some(truthful, "adverts told to be closed while they were live", f.FalseClosed)
	some(truthful, "adverts written down as closed early while they were live", f.FalseStored)
	some(truthful, "adverts of which the same was told twice", f.Twice)
	say(truthful, f.Resent > 0, "%d messages came again under their id", f.Resent)
	for _, k := range []string{score.Moved, score.Amended, score.Reopened, score.ExpiredTold} {
		t := f.Events[k]
		say(truthful, t.Wrong > 0, "%d alerts %q of what did not happen: %s", t.Wrong, k, few(t.Examples))
	}
	some(manners, "days beyond the budget", f.Overruns)
	some(manners, "laws of the site broken", f.Broken)
	say(manners, f.BusiestMinute > holdMinute, "%d requests in a minute, not %d", f.BusiestMinute, holdMinute)
	say(manners, f.ShortestGap > 0 && f.ShortestGap < holdGap, "%s between two requests, not %s", f.ShortestGap, holdGap)
	say(frugal, f.ListingPerNew() > holdListing, "%.2f listing requests for each new advert, not %.2f", f.ListingPerNew(), holdListing)
	say(frugal, f.Wait.P50 > holdP50, "half of the adverts were told after more than %s, not %s", f.Wait.P50.Round(time.Second), holdP50)
	say(frugal, f.Wait.P99 > holdP99, "one in a hundred adverts was told after more than %s, not %s", f.Wait.P99.Round(time.Second), holdP99)
	return out
}

func few(refs []string) string {
	if len(refs) > 5 {
		return strings.Join(refs[:5], ", ") + ", ..."
	}
	return strings.Join(refs, ", ")
}

// column is one column of the table.
type column struct {
	name string
	f    score.Figures
}

// table prints the figures of all worlds, and of all of them together.
func (c *crawlCmd) table(w io.Writer, worlds []watched) {
	var columns []column
	var all []score.Figures
	naive := map[string][]score.Figures{}
	for _, x := range worlds {
		columns = append(columns, column{fmt.Sprint("seed ", x.Seed), x.Figures})
		all = append(all, x.Figures)
		for name, f := range x.Naive {
			naive[name] = append(naive[name], f)
		}
	}
	merged := column{"all", score.Merge(all...)}
	figures(w, append(columns, merged))
	if len(naive) > 0 {
		fmt.Fprintf(w, "\nThe same worlds, watched in the usual ways\n\n")
		columns = []column{{"vacancywatch", merged.f}}
		for _, s := range strategies {
			columns = append(columns, column{s.name, score.Merge(naive[s.name]...)})
		}
		figures(w, columns)
	}
	fmt.Fprintln(w)
}

// figures prints one column for each of them.
func figures(w io.Writer, columns []column) {
	rows := [][]string{{""}}
	for _, c := range columns {
		rows[0] = append(rows[0], c.name)
	}
	row := func(name string, value func(f *score.Figures) string) {
		cells := []string{name}
		for i := range columns {
			cells = append(cells, value(&columns[i].f))
		}
		rows = append(rows, cells)
	}
	count := func(name string, n func(f *score.Figures) int) {
		row(name, func(f *score.Figures) string { return fmt.Sprint(n(f)) })
	}
	wait := func(name string, q func(f *score.Figures) score.Quantiles) {
		row(name, func(f *score.Figures) string {
			x := q(f)
			return fmt.Sprintf("%s / %s / %s", minutes(x.P50), minutes(x.P95), minutes(x.P99))
		})
	}
	count("new adverts", func(f *score.Figures) int { return f.Adverts })
	count("not told within a day", func(f *score.Figures) int { return len(f.Missed) })
	count("told later than 3 h", func(f *score.Figures) int { return f.Late })
	count("  of those, not back-dated", func(f *score.Figures) int { return f.LateFresh })
	row("fleeting, pending, in silence", func(f *score.Figures) string { return fmt.Sprintf("%d, %d, %d", f.Fleeting, f.Pending, f.Silent) })
	count("old ones told as new", func(f *score.Figures) int { return len(f.Old) + len(f.Unknown) })
	count("falsely closed", func(f *score.Figures) int { return len(f.FalseClosed) + len(f.FalseStored) })
	count("  expired though moved, unseen", func(f *score.Figures) int { return f.DateMoved })
	count("told twice", func(f *score.Figures) int { return len(f.Twice) + f.Resent })
	wait("visible to told, min p50/95/99", func(f *score.Figures) score.Quantiles { return f.Wait })
	wait("  not back-dated", func(f *score.Figures) score.Quantiles { return f.WaitFresh })
	wait("  back-dated", func(f *score.Figures) score.Quantiles { return f.WaitBackdated })
	for _, k := range score.EventKinds() {
		row(k+": due right missed wrong", func(f *score.Figures) string {
			t := f.Events[k]
			if t.Early > 0 {
				return fmt.Sprintf("%d %d (+%d) %d %d", t.Due, t.Right, t.Early, t.Missed, t.Wrong)
			}
			return fmt.Sprintf("%d %d %d %d", t.Due, t.Right, t.Missed, t.Wrong)
		})
	}
	for _, k := range score.RequestKinds() {
		if slices.ContainsFunc(columns, func(c column) bool { return c.f.Requests[k] > 0 }) {
			row(k+" a day, for each new", func(f *score.Figures) string { return fmt.Sprintf("%.0f, %.3f", f.PerDay(k), f.PerNew(k)) })
		}
	}
	row("listing with sweep for each new", func(f *score.Figures) string { return fmt.Sprintf("%.3f", f.ListingPerNew()) })
	row("most in a minute, in a day", func(f *score.Figures) string { return fmt.Sprintf("%d, %d", f.BusiestMinute, f.BusiestDay) })
	row("shortest gap", func(f *score.Figures) string { return f.ShortestGap.Round(time.Millisecond).String() })
	count("days beyond the budget", func(f *score.Figures) int { return len(f.Overruns) })
	count("laws broken", func(f *score.Figures) int { return len(f.Broken) })
	row("MB a day", func(f *score.Figures) string { return fmt.Sprintf("%.0f", float64(f.Bytes)/1e6/max(f.Days, 1)) })
	align(w, rows)
}

func minutes(d time.Duration) string { return fmt.Sprintf("%.1f", d.Minutes()) }

// align prints rows in columns, the first flush left.
func align(w io.Writer, rows [][]string) {
	var widths []int
	for _, r := range rows {
		for i, cell := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, cell := range r {
			if i == 0 {
				fmt.Fprintf(&b, "%-*s", widths[0], cell)
				continue
			}
			fmt.Fprintf(&b, "  %*s", widths[i], cell)
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}
