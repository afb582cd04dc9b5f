package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// What a decision has done, in words. Each says what happens next, too.

func resumeWords(r *crawler.Runner, before *crawler.State, changes bool) string {
	name := r.Source.Name
	if !changes {
		said := name + " is not stopped and not paused: there is nothing to resume."
		if now := r.Now(); before.Gate.After(now) {
			said += fmt.Sprintf(" It asks nothing before %s, for the site wants it so or did not answer well, and goes on by itself.", londonTime(before.Gate))
		}
		return said
	}
	var was []string
	if before.Stopped != "" {
		was = append(was, "stopped ("+before.Stopped+")")
	}
	if before.HTMLForbidden {
		was = append(was, "kept from the pages of its adverts")
	}
	if before.Paused {
		was = append(was, "paused")
	}
	when := "at the next tick"
	if before.NextHot.After(r.Now()) {
		when = "with the next look, due on " + londonTime(before.NextHot)
	}
	said := fmt.Sprintf("%s goes on %s: it was %s.", name, when, strings.Join(was, ", "))
	if before.Stopped != "" || before.HTMLForbidden {
		said += " If the site refuses again, it stops again."
	}
	return said
}

func pauseWords(r *crawler.Runner, before *crawler.State, changes bool) string {
	name := r.Source.Name
	if !changes {
		return name + " is paused already: there is nothing to do."
	}
	return fmt.Sprintf("%s is paused: from now on nothing is asked of the site, until `vacancywatch crawl resume %s`. What is queued is delivered all the same.", name, name)
}

func acceptWords(r *crawler.Runner, before *crawler.State, changes bool, silent int) string {
	name := r.Source.Name
	if !changes {
		return fmt.Sprintf("Nothing is known of %s that could be taken for granted: there is nothing to accept.", name)
	}
	var said []string
	if b := before.Baseline; b != nil {
		switch b.Reason {
		case crawler.Flood:
			said = append(said, fmt.Sprintf("The flood of %s, since %s, is over. Nobody is told of what came in it: %s. What is found from now on is told as usual.",
				name, londonTime(b.Since), count(silent, "vacancy", "vacancies")))
		default:
			said = append(said, fmt.Sprintf("The first look at %s, since %s, is ended before it was complete: what it has not come to counts as new when it is found, and is told, unless it is so much that it is taken for a flood.",
				name, londonTime(b.Since)))
		}
	}
	if n := len(before.Suspects); n > 0 {
		said = append(said, fmt.Sprintf("That %s lists %d vacancies, and not %d as before, is taken for the truth: the next readings of the whole board are measured by that, and what is missing is closed once two of them and the site itself have said so.",
			name, before.Suspects[n-1].Unique, usual(before.Sweeps)))
	}
	if len(said) == 0 {
		// Nothing else is left: what was learned of its lists is forgotten.
		said = append(said, fmt.Sprintf("%s is in no flood, and its whole board was as large as usual.", name))
	}
	if len(before.Drift.Feeds) > 0 {
		said = append(said, "How its lists are filled in is learned anew from the next good run on: one that differs from what was usual is no defect for that alone.")
	}
	return strings.Join(said, "\n")
}

// usual is what the last good sweep has listed.
func usual(sweeps []crawler.SweepRecord) int {
	if len(sweeps) == 0 {
		return 0
	}
	return sweeps[len(sweeps)-1].Unique
}

func noFloodWords(r *crawler.Runner, st *crawler.State) string {
	if st.Baseline != nil {
		return fmt.Sprintf("%s is in its first look, and not in a flood: there is nothing to release. It ends by itself.", r.Source.Name)
	}
	return r.Source.Name + " is in no flood: there is nothing to release."
}

func releaseWords(r *crawler.Runner, flood time.Time, t *tally) string {
	readers := ""
	if !t.unsure {
		readers = fmt.Sprintf(", for %s whose searches match", count(len(t.readers), "reader", "readers"))
	}
	said := []string{fmt.Sprintf("Released %s of %s%s.", count(t.told, "vacancy", "vacancies"), r.Source.Name, readers)}
	if t.unread > 0 {
		said = append(said, fmt.Sprintf("Adverts of these not read yet: %d. Searches by band or specialty do not match them so far; they are read as they are listed, within the day's requests, and matched again then.", t.unread))
	}
	if t.left > 0 {
		said = append(said, fmt.Sprintf("Left untold, posted before %s or at a time that is not known: %s.", londonTime(t.since), count(t.left, "vacancy", "vacancies")))
	}
	said = append(said, fmt.Sprintf("The flood of %s, since %s, is over: what is found from now on is told as usual.", r.Source.Name, londonTime(flood)))
	return strings.Join(said, "\n")
}

// dryWords turns what would be said into what is said of a dry run.
func dryWords(said string) string {
	return "Nothing was changed; without --dry-run it would say:\n" + said
}

// londonTime is a time for people.
func londonTime(t time.Time) string {
	return t.In(vacancy.London()).Format("2 January 2006, 15:04")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
