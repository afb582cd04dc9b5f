package specialty

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

//go:embed specialty-taxonomy.tsv
var taxonomyFile string

// A Specialty is an entry of the taxonomy.
type Specialty struct {
	ID    string // such as "critical-care"; stable
	Name  string // for people
	Group string // such as "critical"; a search can name a whole group
	// Codes are NHS main specialty codes (m) and treatment function codes (t).
	Codes []string

	profession bool
}

type tree struct {
	list   []Specialty
	index  map[string]int
	groups map[string][]string
	order  []string // groups
}

var taxonomy = sync.OnceValue(func() *tree {
	t := &tree{index: map[string]int{}, groups: map[string][]string{}}
	for _, row := range words.Rows(taxonomyFile, 5) {
		s := Specialty{Group: row[0], ID: row[1], Name: row[2], Codes: strings.Fields(row[3]), profession: row[4] == "yes"}
		t.index[s.ID] = len(t.list)
		t.list = append(t.list, s)
		if t.groups[s.Group] == nil {
			t.order = append(t.order, s.Group)
		}
		t.groups[s.Group] = append(t.groups[s.Group], s.ID)
	}
	return t
})

// All returns the taxonomy in its order, group by group.
func All() []Specialty { return slices.Clone(taxonomy().list) }

// Groups returns the names of the groups in the order of the taxonomy.
func Groups() []string { return slices.Clone(taxonomy().order) }

// Lookup returns the specialty with an id.
func Lookup(id string) (Specialty, bool) {
	i, ok := taxonomy().index[id]
	if !ok {
		return Specialty{}, false
	}
	return taxonomy().list[i], true
}

// Expand returns the ids that an id or the name of a group stands for. A name
// that is both is the group.
func Expand(idOrGroup string) ([]string, bool) {
	t := taxonomy()
	if ids, ok := t.groups[idOrGroup]; ok {
		return slices.Clone(ids), true
	}
	if _, ok := t.index[idOrGroup]; ok {
		return []string{idOrGroup}, true
	}
	return nil, false
}

// Resolve returns the id that a person means by a specialty's id, name, or
// any alias of the word list ("A&E", "cancer"), whatever its case. It fails
// for an alias that names several specialties ("O&G") and for unknown words;
// Suggest helps there. A group is no specialty: ask Expand first.
func Resolve(s string) (id string, ok bool) {
	ids := meanings(words.Normalise(s))
	if len(ids) != 1 {
		return "", false
	}
	return ids[0], true
}

// meanings returns the ids for a normalised name; an id or a name goes before
// aliases.
func meanings(norm string) []string {
	n := names()
	if ids := n.exact[norm]; len(ids) > 0 {
		return ids
	}
	return n.alias[norm]
}

type nameList struct {
	exact, alias map[string][]string
	all          []string // sorted, for a stable order of suggestions
}

var names = sync.OnceValue(func() *nameList {
	n := &nameList{exact: map[string][]string{}, alias: map[string][]string{}}
	add := func(m map[string][]string, name, id string) {
		key := words.Normalise(name)
		if key != "" && !slices.Contains(m[key], id) {
			m[key] = append(m[key], id)
		}
	}
	t := taxonomy()
	for _, s := range t.list {
		add(n.exact, s.ID, s.ID)
		add(n.exact, s.Name, s.ID)
	}
	for _, a := range load().aliases {
		add(n.alias, a.text, t.list[a.specialty].ID)
	}
	for key := range n.exact {
		n.all = append(n.all, key)
	}
	for key := range n.alias {
		if n.exact[key] == nil {
			n.all = append(n.all, key)
		}
	}
	slices.Sort(n.all)
	return n
})

// Suggest returns at most three ids or group names that s may have been meant
// for, the nearest first, and nothing when none is near. It serves messages
// such as "did you mean oncology?".
func Suggest(s string) []string {
	norm := words.Normalise(s)
	if norm == "" {
		return nil
	}
	type near struct {
		id       string
		distance int
	}
	var found []near
	limit := max(1, len(norm)/4) * 2
	offer := func(name, id string) {
		// Edits count twice, so that a missing end is nearer than a fault.
		d := 2 * edits(norm, name)
		if len(norm) >= 3 && strings.HasPrefix(name, norm) {
			d = 1
		}
		if d > limit {
			return
		}
		for i := range found {
			if found[i].id == id {
				found[i].distance = min(found[i].distance, d)
				return
			}
		}
		found = append(found, near{id, d})
	}
	for _, group := range taxonomy().order {
		offer(words.Normalise(group), group)
	}
	for _, name := range names().all {
		for _, id := range meanings(name) {
			offer(name, id)
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.distance - b.distance })
	var ids []string
	for _, f := range found[:min(3, len(found))] {
		ids = append(ids, f.id)
	}
	return ids
}

// edits is the number of letters to insert, drop, replace or swap with a
// neighbour to make b of a, counted in bytes of normalised text.
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
