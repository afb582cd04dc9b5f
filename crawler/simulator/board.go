package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// An entry is one advert over its whole life.
type entry struct {
	id       int64
	visible  time.Time
	versions []Version // never empty; an advert in it is never changed
	left     []Left
	live     bool
	story    bool   // published by hand: without a life of its own
	rank     uint64 // the order of Best Match where nothing decides
	parent   string // the reference it advertises again, or stands beside
	relation string // Readvert, Sibling or Twin, with parent
	terms    []uint32
	termsOf  int // the number of versions when terms was made

	summary    string // of summarised, kept because the API shows it again and again
	summarised *Advert
}

// now returns the version in force.
func (e *entry) now() *Advert { return e.versions[len(e.versions)-1].Advert }

// summaryOf returns the summary of one of the entry's versions in one line.
func (e *entry) summaryOf(a *Advert) string {
	if e.summarised != a {
		e.summary, e.summarised = strings.Join(a.Texts().Summary, " "), a
	}
	return e.summary
}

// board is what is and was on the site.
type board struct {
	seed    uint64
	world   *world.World
	all     []*entry // in the order of becoming visible
	byRef   map[string]*entry
	printed map[string][]*entry
	posted  index // live, oldest first
	ranked  index // live, best match first
	numbers map[string]int
	nextID  int64
	version uint64 // grows with every change that a page could show
}

func newBoard(seed uint64, w *world.World) *board {
	return &board{
		seed: seed, world: w, byRef: map[string]*entry{}, printed: map[string][]*entry{}, numbers: map[string]int{}, nextID: 5_300_000,
		posted: index{compare: func(a, b *entry) int {
			return cmp.Or(a.now().Posted.Compare(b.now().Posted), cmp.Compare(a.id, b.id))
		}},
		ranked: index{compare: func(a, b *entry) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id)) }},
	}
}

// index keeps entries in order. An entry must be taken out before what it is
// ordered by changes.
type index struct {
	entries []*entry
	compare func(a, b *entry) int
}

func (x *index) insert(e *entry) {
	i, _ := slices.BinarySearchFunc(x.entries, e, x.compare)
	x.entries = slices.Insert(x.entries, i, e)
}

func (x *index) remove(e *entry) {
	if i, ok := slices.BinarySearchFunc(x.entries, e, x.compare); ok {
		x.entries = slices.Delete(x.entries, i, i+1)
	}
}

// list and unlist keep the indexes of live adverts.
func (b *board) list(e *entry) {
	e.live = true
	b.posted.insert(e)
	b.ranked.insert(e)
	b.version++
}

func (b *board) unlist(e *entry) {
	e.live = false
	b.posted.remove(e)
	b.ranked.remove(e)
	b.version++
}

// post makes an advert visible. It takes a over and gives it a reference where
// it has none.
func (b *board) post(at time.Time, a *Advert, story bool) *entry {
	if a.Account == "" {
		a.Account = b.account(a.Employer)
	}
	if a.Reference == "" {
		a.Reference = b.reference(a.Account, a.Posted)
	}
	b.nextID += 1 + int64(world.Mix(b.seed, uint64(b.nextID))%3)
	e := &entry{id: b.nextID, visible: at, story: story, rank: world.Mix(b.seed, world.Hash(a.Reference))}
	e.versions = []Version{{At: at, Event: "new", Advert: a}}
	b.all = append(b.all, e)
	b.byRef[a.Reference] = e
	if a.Printed != "" {
		b.printed[a.Printed] = append(b.printed[a.Printed], e)
	}
	b.list(e)
	return e
}

// change puts a new version in force.
func (b *board) change(e *entry, at time.Time, event string, a *Advert) {
	wasLive := e.live
	if wasLive {
		b.unlist(e)
	}
	if old := e.now().Printed; a.Printed != old {
		b.printed[old] = slices.DeleteFunc(b.printed[old], func(x *entry) bool { return x == e })
		b.printed[a.Printed] = append(b.printed[a.Printed], e)
	}
	e.versions = append(e.versions, Version{At: at, Event: event, Advert: a})
	if wasLive {
		b.list(e)
	}
	b.version++
}

// leave takes an advert off the listings.
func (b *board) leave(e *entry, at time.Time, why string) {
	b.unlist(e)
	e.left = append(e.left, Left{At: at, Why: why})
}

// account returns the account of an employer's name; a strange name gets one
// of its own.
func (b *board) account(employer string) string {
	for _, e := range b.world.Employers() {
		if e.Name == employer {
			return e.Account
		}
	}
	return fmt.Sprintf("U9%03d", world.Hash(employer)%1000)
}

// reference returns the account's next reference. Most have one shape, some
// accounts have their own. Numbers are skipped now and then.
func (b *board) reference(account string, posted time.Time) string {
	t := posted.In(world.London())
	year, month := t.Year()%100, int(t.Month())
	shape := 0
	if e := b.world.Employer(account); e != nil {
		shape = e.Shape
	}
	counter := fmt.Sprint(account, " ", year)
	if shape != 0 {
		counter = account
	}
	if b.numbers[counter] == 0 {
		b.numbers[counter] = int(world.Mix(b.seed, world.Hash(counter)) % 40)
	}
	for {
		b.numbers[counter]++
		n := b.numbers[counter]
		ref := fmt.Sprintf("%s-%02d-%04d", account, year, n)
		switch shape {
		case 1:
			ref = fmt.Sprintf("%s-%02d%02d-NP-%d", account, year, year+1, 1000+n)
		case 2:
			ref = fmt.Sprintf("%s-%02d-%02d-%03da", account, year, month, n)
		case 3:
			ref = fmt.Sprintf("%s-%d", account, 2400+n)
		case 4:
			ref = fmt.Sprintf("%s-HC%02d-%03d", account, year, n)
		case 5:
			ref = fmt.Sprintf("%s-%d", account, 20000+n)
		}
		if b.byRef[ref] == nil {
			return ref
		}
	}
}

// skip leaves out one number of the account, as abandoned drafts do.
func (b *board) skip(account string, posted time.Time) { b.reference(account, posted) }

// asOf returns the rows of the listing at an earlier time, newest first.
func (b *board) asOf(t time.Time) []row {
	var rows []row
	for _, e := range b.all {
		if a := e.at(t); a != nil {
			rows = append(rows, row{e, a})
		}
	}
	slices.SortStableFunc(rows, func(x, y row) int {
		return cmp.Or(y.a.Posted.Compare(x.a.Posted), cmp.Compare(y.e.id, x.e.id))
	})
	return rows
}

// at returns the version that was listed at t, or nil.
func (e *entry) at(t time.Time) *Advert {
	if e.visible.After(t) {
		return nil
	}
	var in Version
	for _, v := range e.versions {
		if !v.At.After(t) {
			in = v
		}
	}
	for _, l := range e.left {
		// It had left and had not come back since.
		if !l.At.After(t) && !e.reopenedBetween(l.At, t) {
			return nil
		}
	}
	return in.Advert
}

func (e *entry) reopenedBetween(from, to time.Time) bool {
	return slices.ContainsFunc(e.versions, func(v Version) bool {
		return v.Event == "reopened" && !v.At.Before(from) && !v.At.After(to)
	})
}
