package index

import "github.com/vacancywatch/vacancywatch/vacancy"

// A Difference is a search of which the index and the definition say
// different things.
type Difference struct {
	ID string
	// Matches is what vacancy.Matches says; the index says the contrary.
	Matches bool
	// Held is whether the index holds a search of that id at all.
	Held bool
}

// Check compares, for one vacancy, the answer of the index with that of
// vacancy.Matches over some searches, and returns where they differ. It is for
// a sample in production: 10,000 searches take some milliseconds.
//
// A search that is changed while Check runs, or that the caller knows in
// another form than the index, may differ rightly. So whoever counts
// differences asks again, with the searches as they are then, before anybody
// is woken.
func (ix *Index) Check(v *vacancy.Vacancy, today vacancy.Day, searches []*vacancy.Search) []Difference {
	met := map[string]bool{}
	ix.Match(v, today, func(id string) bool {
		met[id] = true
		return true
	})
	var out []Difference
	for _, s := range searches {
		if want := vacancy.Matches(s, v, today); want != met[s.ID] {
			out = append(out, Difference{s.ID, want, ix.Holds(s.ID)})
		}
	}
	return out
}

// Holds reports whether there is a search of that id.
func (ix *Index) Holds(id string) bool {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	_, ok := ix.find(id)
	return ok
}
