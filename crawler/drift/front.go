package drift

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

const (
	// frontSize is how many entries a front keeps.
	frontSize = 20
	// missedFor is how long a front keeps an entry that is not listed any
	// more, counted from its posting.
	missedFor = 48 * time.Hour
	// comparedFor is how long entries are compared with those of the front. A
	// new version of a reader may read names otherwise: its runs must not be
	// quarantined for ever.
	comparedFor = 6 * time.Hour
	// several is how many employers something must have befallen at once for
	// it not to be the doing of one: of that which posted twenty vacancies with
	// a wrong date, say, and withdrew or mended them all.
	several = 3
)

// A Front is what stood first in a listing, newest first, at a good run from
// the first page on.
type Front struct {
	At      time.Time `json:"at,omitzero"`
	Entries []Known   `json:"entries,omitempty"`
}

// Known is an entry of a front.
type Known struct {
	Reference string         `json:"r"`
	Posted    vacancy.Moment `json:"p,omitzero"`
	Closing   vacancy.Day    `json:"c,omitzero"`
	// Names is a hash of title and employer, neither of which can be changed
	// on the site.
	Names uint32 `json:"n,omitempty"`
}

func knownOf(v *vacancy.Vacancy) Known {
	h := fnv.New32a()
	h.Write([]byte(vacancy.Fold(v.Title) + "\x00" + vacancy.Fold(v.Employer)))
	return Known{Reference: v.Reference, Posted: v.Posted, Closing: v.Closing, Names: h.Sum32()}
}

func (k *Known) account() string { return k.Reference[:min(len(k.Reference), 5)] }

// closed reports whether an entry may have left by its closing date. The
// hour at which adverts leave on the last day is not known.
func (k *Known) closed(today vacancy.Day) bool {
	return !k.Closing.IsZero() && !today.Before(k.Closing)
}

func (f Front) clean() Front {
	out := Front{At: f.At}
	for _, k := range f.Entries {
		if k.Reference != "" && len(k.Reference) <= 64 && len(out.Entries) < frontSize {
			out.Entries = append(out.Entries, k)
		}
	}
	return out
}

// Stale reports whether a first page is older than the front: kept by a cache
// while newer vacancies have been seen. Newest first, such a page begins with
// what stood further down, and lacks all that stood above.
//
//   - A page with something newer than the front is none.
//   - That the newest vacancy is gone proves nothing, nor that an employer has
//     withdrawn all it had just posted: three employers must miss theirs.
//   - What may have left by its closing date is not missed. So the emptier
//     front after midnight is no old page.
//   - A page of the same age as the front, or older by less than three
//     employers' vacancies, is not told from a quiet hour. It hides little.
//   - Where only days are known, as on the HTML listing, an old page of the
//     same day shows by beginning in the middle of the front.
func (f Front) Stale(listed []vacancy.Vacancy, now time.Time) bool {
	accounts := map[string]bool{}
	for _, k := range f.missed(listed, vacancy.LondonDay(now)) {
		accounts[k.account()] = true
	}
	return len(accounts) >= several
}

// missed returns the entries of the front that are newer than the page, open,
// and not on it.
func (f Front) missed(listed []vacancy.Vacancy, today vacancy.Day) []Known {
	if len(listed) == 0 {
		return nil
	}
	at := make(map[string]int, len(f.Entries)) // places in the front
	for i, k := range f.Entries {
		at[k.Reference] = i
	}
	on := map[string]bool{}
	var newest vacancy.Moment
	common := 0
	for i := range listed {
		v := &listed[i]
		if _, ok := at[v.Reference]; ok && !on[v.Reference] {
			common++
		}
		on[v.Reference] = true
		if newest.IsZero() || after(v.Posted, newest) {
			newest = v.Posted
		}
	}
	// A single known card on top may have been sorted there anew.
	first, begins := at[listed[0].Reference]
	begins = begins && newest.DayOnly && common >= 3
	var out []Known
	for i, k := range f.Entries {
		switch {
		case on[k.Reference], k.closed(today):
		case after(k.Posted, newest), begins && i < first && !after(newest, k.Posted):
			out = append(out, k)
		}
	}
	return out
}

// after reports whether a is later than b, by days if either is known to the
// day only. Nothing is later than a moment that is not known.
func after(a, b vacancy.Moment) bool {
	if a.IsZero() || b.IsZero() {
		return false
	}
	if a.DayOnly || b.DayOnly {
		return b.Day().Before(a.Day())
	}
	return a.Time.After(b.Time)
}

// frontCheck compares the entries of a run with the front before it, and
// gathers the next one.
type frontCheck struct {
	before Front
	first  []Known         // of this run
	met    map[string]bool // references of either front
	listed []vacancy.Vacancy
	again  int // entries of the front before that were met again
	moved  [len(movable)]moved
}

// movable are what a known entry should still state.
var movable = [...]string{"posting date", "closing date", "title or employer"}

type moved struct {
	entries  int
	accounts map[string]bool
}

func (c *frontCheck) add(v *vacancy.Vacancy) {
	if v.Reference == "" || len(v.Reference) > 64 || c.met[v.Reference] {
		return
	}
	i := slices.IndexFunc(c.before.Entries, func(k Known) bool { return k.Reference == v.Reference })
	if i < 0 && len(c.first) >= frontSize {
		return
	}
	if c.met == nil {
		c.met = map[string]bool{}
	}
	c.met[v.Reference] = true
	c.listed = append(c.listed, vacancy.Vacancy{Reference: v.Reference, Posted: v.Posted})
	k := knownOf(v)
	if len(c.first) < frontSize {
		c.first = append(c.first, k)
	}
	if i < 0 {
		return
	}
	old := c.before.Entries[i]
	c.again++
	for what, differs := range [...]bool{
		k.Posted.Compare(old.Posted) != 0 || k.Posted.DayOnly != old.Posted.DayOnly,
		k.Closing != old.Closing,
		k.Names != old.Names,
	} {
		if m := &c.moved[what]; differs {
			if m.accounts == nil {
				m.accounts = map[string]bool{}
			}
			m.entries++
			m.accounts[k.account()] = true
		}
	}
}

// defect tells whether most of the known entries have become others. Single
// ones do: closing dates move, and a few adverts are sorted anew. So do all of
// one employer.
func (c *frontCheck) defect(now time.Time) (Defect, bool) {
	if age := now.Sub(c.before.At); age < 0 || age > comparedFor || c.again < 5 {
		return Defect{}, false
	}
	for what, m := range c.moved {
		if 2*m.entries > c.again && len(m.accounts) >= several {
			return Defect{DefectChanged, fmt.Sprintf("%d of %d entries of the last run have another %s", m.entries, c.again, movable[what])}, true
		}
	}
	return Defect{}, false
}

// next returns the front after this run. What the run misses of the front
// before is kept for a while: else an old page that passed for a good one
// would become the measure, and the next would pass as well.
func (c *frontCheck) next(now time.Time) Front {
	out := Front{At: now.UTC()}
	for _, k := range c.before.missed(c.listed, vacancy.LondonDay(now)) {
		if now.Sub(k.Posted.Time) < missedFor && len(out.Entries) < frontSize/2 {
			out.Entries = append(out.Entries, k)
		}
	}
	for _, k := range c.first {
		if len(out.Entries) < frontSize {
			out.Entries = append(out.Entries, k)
		}
	}
	return out
}
