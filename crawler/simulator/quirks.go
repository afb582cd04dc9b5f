package simulator

import (
	"fmt"
	"slices"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// Quirks settles what nobody knows of the real site. Each field takes one of
// the words in its comment; an empty one is chosen by the seed.
type Quirks struct {
	// Closed is what the address of a closed advert answers: soft404 (a notice
	// with 200), 404, page (the advert with a past date), redirect (to the
	// search).
	Closed string
	// Beyond is what a page of results beyond the last is: nothing, last,
	// soft404.
	Beyond string
	// Precision of postDate in the XML: 3, 6 or 9 digits, or java, which
	// leaves out what is zero.
	Precision string
	// WelshMonths on English pages: none, few, many.
	WelshMonths string
	// Nesting of places in the XML: flat (location), nested (locations).
	Nesting string
	// SalaryUnit in the XML: no, yes.
	SalaryUnit string
	// Reopened adverts: kept or new posting time.
	Reopened string
	// XMLReference is the parameter jobReference of the XML: exact, ignored.
	XMLReference string
	// PublishedFrom counts the day itself (from) or not (after).
	PublishedFrom string
	// Repeats of parameters other than payBand: refused, first.
	Repeats string
	// OneJob is the noun of a single result: job, jobs.
	OneJob string
	// Optional items of a card: shown, or missing now and then.
	Optional string
	// PageAlone is the parameter page without limit in the XML: heeded,
	// ignored.
	PageAlone string
	// URL in the XML: base (Options.BaseURL), www, mixed (now and then a third
	// party's).
	URL string
}

// settled fills in what is empty. It panics on a word that is none.
func (q Quirks) settled(seed uint64) Quirks {
	choose := func(field *string, name string, words ...string) {
		if *field == "" {
			*field = world.Pick(world.NewDice(seed, world.Hash("quirk "+name)), words)
		}
		if !slices.Contains(words, *field) {
			panic(fmt.Sprintf("simulator: the quirk %s cannot be %q, only %q", name, *field, slices.Compact(words)))
		}
	}
	// Words that stand more often are likelier: what several sources agree on.
	choose(&q.Closed, "Closed", "soft404", "404", "page", "redirect")
	choose(&q.Beyond, "Beyond", "nothing", "last", "soft404")
	choose(&q.Precision, "Precision", "3", "3", "6", "9", "java", "java")
	choose(&q.WelshMonths, "WelshMonths", "none", "few", "few", "many")
	choose(&q.Nesting, "Nesting", "flat", "flat", "flat", "nested")
	choose(&q.SalaryUnit, "SalaryUnit", "no", "no", "no", "yes")
	choose(&q.Reopened, "Reopened", "kept", "new")
	choose(&q.XMLReference, "XMLReference", "exact", "ignored")
	choose(&q.PublishedFrom, "PublishedFrom", "from", "after")
	choose(&q.Repeats, "Repeats", "refused", "first")
	choose(&q.OneJob, "OneJob", "job", "jobs")
	choose(&q.Optional, "Optional", "shown", "shown", "shown", "missing")
	choose(&q.PageAlone, "PageAlone", "heeded", "heeded", "ignored")
	choose(&q.URL, "URL", "base", "base", "www", "mixed")
	return q
}
