package simulator

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/markup"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// A Fault is something that goes wrong, for a while or for ever. Of several
// that replace the answer, the first in order does; all others add up.
//
// Kinds that replace the answer:
//
//	400 ... 599    that status; Args "retry-after" is seconds ("120"), or
//	               "date:120" to say it as a date
//	html           a notice page in HTML with 200, whatever was due
//	soft404        the page of unknown addresses, with 200
//	silent         a listing without rows that does not say it found nothing
//	login          a redirect to the login page
//	elsewhere      a redirect to another host
//	loop           a redirect to where it came from
//	forbid         a robots.txt that forbids everything
//
// Kinds that make a listing lie:
//
//	nothing        a valid "nothing found"
//	total=104      the total is 104; "total=x0.1" is a tenth
//	few=104        the site seems to hold 104 adverts
//	depth=104      rows end after 104, though the totals count all
//	page-one       the first page, whatever page is asked for
//	short=1        rows are missing from the end of the page
//	duplicate=1    the last rows repeat the first
//	stale=6h       the rows of six hours ago, newest first
//	wrong=FIELD    a field of each row is that of the row below: closing,
//	               title, employer or salary
//
// Kinds of the wire:
//
//	refused        the connection breaks before any answer
//	slow=3s        nothing for three seconds
//	drip=1s        the body in 20 pieces, with a pause before each
//	cut            half of the body, then the connection breaks
//	cut-unsized    the same without a declared length
//	truncated      half of the body, well ended
//	huge=5         5 MiB of blanks after the body
//	skew=10m       the Date header is fast; negative: slow
//
// Drift, for ever after:
//
//	rename=HOOK    the data-test hook HOOK has another name
//	no-ids         advert pages without ids
//	missing=FIELD  a field is absent everywhere (markup.Fields)
//	swap=COLUMNS   two columns have changed places (markup.Swaps)
//	size=20        twenty rows a page of results
//	quotes         double quotes everywhere
//	commas         thousands commas in headings
//	root=NAME      the XML has another root element
//	element=NAME   every XML advert has another element
type Fault struct {
	Kind  string
	Value string // what stands after the = above
	// Match is the kind of request: xml, listing, advert, robots, any.
	// Listing is the HTML one.
	Match string
	// From and Until bound it in time; zero does not.
	From, Until time.Time
	// Begin and End bound it too, counted from Options.Start; zero does not.
	Begin, End time.Duration
	// After so many matching requests it begins; for Count times it happens.
	// Zero: at once, for ever.
	After, Count int
	// Rate is its probability, drawn for each request; zero is always.
	Rate float64
	Args map[string]string
}

// String writes the fault as a script does.
func (f Fault) String() string {
	s := f.Kind
	if f.Value != "" {
		s += "=" + f.Value
	}
	return s
}

// faultState is a fault with what became of it.
type faultState struct {
	Fault
	seen, applied int
}

// valueKind says what stands after the = of a kind.
type valueKind int

const (
	noValue valueKind = iota
	duration
	positive // a number of at least 1, or the default where none is given
	total
	field
	rowField
	columns
	name
)

var faultKinds = map[string]valueKind{
	"html": noValue, "soft404": noValue, "silent": noValue, "login": noValue, "elsewhere": noValue, "loop": noValue, "forbid": noValue,
	"nothing": noValue, "total": total, "few": positive, "depth": positive, "page-one": noValue, "wrong": rowField, "short": positive, "duplicate": positive, "stale": duration,
	"refused": noValue, "huge": positive, "slow": duration, "drip": duration, "cut": noValue, "cut-unsized": noValue, "truncated": noValue, "skew": duration,
	"rename": name, "no-ids": noValue, "missing": field, "swap": columns, "size": positive, "quotes": noValue, "commas": noValue,
	"root": name, "element": name,
}

// faultDefaults are the values of kinds that may go without.
var faultDefaults = map[string]string{"short": "1", "duplicate": "1", "stale": "6h", "size": "20", "rename": "search-result",
	"swap": "dates", "root": "nhsSearch", "element": "sponsored", "few": "104", "total": "104",
	"depth": "104", "wrong": "closing", "huge": "5"}

// rowFields are what the fault wrong can mix up.
var rowFields = []string{"closing", "title", "employer", "salary"}

// check fills in defaults and says what is wrong.
func (f *Fault) check() error {
	if f.Match == "" {
		f.Match = "any"
	}
	if !slices.Contains([]string{kindXML, kindListing, kindAdvert, kindRobots, "any"}, f.Match) {
		return fmt.Errorf("%q is no kind of request: xml, listing, advert, robots or any", f.Match)
	}
	if f.Value == "" {
		f.Value = faultDefaults[f.Kind]
	}
	if f.Rate < 0 || f.Rate > 1 {
		return fmt.Errorf("the rate %v is not between 0 and 1", f.Rate)
	}
	if f.After < 0 || f.Count < 0 {
		return fmt.Errorf("after and count cannot be negative")
	}
	if f.status() != 0 {
		if _, err := f.retryAfter(); err != nil {
			return err
		}
		return nil
	}
	kind, ok := faultKinds[f.Kind]
	if !ok {
		return fmt.Errorf("there is no fault %q: a status, %s", f.Kind, strings.Join(slices.Sorted(maps.Keys(faultKinds)), ", "))
	}
	bad := func(want string) error { return fmt.Errorf("%s needs %s, not %q", f.Kind, want, f.Value) }
	switch kind {
	case noValue:
		if f.Value != "" {
			return fmt.Errorf("%s takes no value", f.Kind)
		}
	case duration:
		if d, err := time.ParseDuration(f.Value); err != nil || d <= 0 && f.Kind != "skew" {
			return bad("a duration such as 3s")
		}
	case positive:
		if n, err := strconv.Atoi(f.Value); err != nil || n < 1 {
			return bad("a number from 1 on")
		}
	case total:
		if _, err := strconv.ParseFloat(strings.TrimPrefix(f.Value, "x"), 64); err != nil {
			return bad("a number or a factor such as x0.1")
		}
	case field:
		if !slices.Contains(markup.Fields, f.Value) {
			return bad("one of " + strings.Join(markup.Fields, ", "))
		}
	case rowField:
		if !slices.Contains(rowFields, f.Value) {
			return bad("one of " + strings.Join(rowFields, ", "))
		}
	case columns:
		if !slices.Contains(markup.Swaps, f.Value) {
			return bad("one of " + strings.Join(markup.Swaps, ", "))
		}
	case name:
		if f.Value == "" || strings.ContainsAny(f.Value, "<>&\"' ") {
			return bad("a name")
		}
	}
	return nil
}

// status is the status a fault of that kind answers with, or 0.
func (f *Fault) status() int {
	if n, err := strconv.Atoi(f.Kind); err == nil && n >= 400 && n < 600 {
		return n
	}
	return 0
}

// retryAfter returns how long to stay away; 0 where nothing is said.
func (f *Fault) retryAfter() (time.Duration, error) {
	v := strings.TrimPrefix(f.Args["retry-after"], "date:")
	if v == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("retry-after needs seconds, or date: and seconds, not %q", f.Args["retry-after"])
	}
	return time.Duration(n) * time.Second, nil
}

// length is the value as a duration, number as a number. Both were checked.
func (f *Fault) length() time.Duration { d, _ := time.ParseDuration(f.Value); return d }
func (f *Fault) number() int           { n, _ := strconv.Atoi(f.Value); return n }

// SetFaults replaces all faults from the next request on. Their counts begin
// anew.
func (s *Site) SetFaults(faults ...Fault) error {
	states := make([]*faultState, len(faults))
	for i, f := range faults {
		if err := f.check(); err != nil {
			return fmt.Errorf("fault %d: %w", i+1, err)
		}
		states[i] = &faultState{Fault: f}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = states
	return nil
}

// replaces reports whether the fault takes the answer's place.
func (f *Fault) replaces() bool {
	switch f.Kind {
	case "html", "soft404", "silent", "login", "elsewhere", "loop", "forbid":
		return true
	}
	return f.status() != 0
}

// strike returns the faults that befall a request.
func (s *Site) strike(kind string) []*Fault {
	var out []*Fault
	replaced := false
	for i, f := range s.faults {
		if f.Match != "any" && f.Match != kind {
			continue
		}
		f.seen++
		since := s.now.Sub(s.opts.Start)
		switch {
		case s.now.Before(f.From), !f.Until.IsZero() && !s.now.Before(f.Until),
			since < f.Begin, f.End > 0 && since >= f.End,
			f.seen <= f.After, f.Count > 0 && f.applied >= f.Count,
			replaced && f.replaces(),
			f.Rate > 0 && !world.NewDice(s.opts.Seed, world.Hash(f.String()), uint64(i), uint64(f.seen)).Chance(f.Rate):
			continue
		}
		f.applied++
		replaced = replaced || f.replaces()
		out = append(out, &f.Fault)
	}
	return out
}

// drift gathers what the faults do to the markup.
func drift(faults []*Fault) markup.Drift {
	var d markup.Drift
	for _, f := range faults {
		switch f.Kind {
		case "rename":
			d.Rename = f.Value
		case "no-ids":
			d.NoIDs = true
		case "missing":
			d.Missing = f.Value
		case "swap":
			d.Swap = f.Value
		case "quotes":
			d.Double = true
		case "commas":
			d.Commas = true
		case "root":
			d.Root = f.Value
		case "element":
			d.Extra = f.Value
		}
	}
	return d
}
