package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A figure counts what was read of one field. Values that may be found, but
// need not, are not counted.
type figure struct {
	rows, covered  int // labelled, and of these with anything found
	found, right   int // values
	wanted, missed int // values
}

// figureJSON is how a figure is told to programs. Precision is null where
// nothing was found, recall where nothing was wanted.
type figureJSON struct {
	Rows      int      `json:"n"`
	Precision *float64 `json:"precision"`
	Recall    *float64 `json:"recall"`
	Coverage  *float64 `json:"coverage"`
	Found     int      `json:"found"`
	Right     int      `json:"right"`
	Wanted    int      `json:"wanted"`
	Missed    int      `json:"missed"`
}

func (f *figure) precision() *float64 { return shareOf(f.right, f.found) }
func (f *figure) recall() *float64    { return shareOf(f.wanted-f.missed, f.wanted) }
func (f *figure) coverage() *float64  { return shareOf(f.covered, f.rows) }

// MarshalJSON writes a figureJSON.
func (f *figure) MarshalJSON() ([]byte, error) {
	return json.Marshal(figureJSON{f.rows, f.precision(), f.recall(), f.coverage(), f.found, f.right, f.wanted, f.missed})
}

// shareOf is a part of a whole in ten thousandths, nil of nothing.
func shareOf(part, whole int) *float64 {
	if whole == 0 {
		return nil
	}
	s := math.Round(float64(part)/float64(whole)*1e4) / 1e4
	return &s
}

func shareText(s *float64) string {
	if s == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f", *s)
}

// add counts a row, and returns what was missed and what was wrong. Of an item
// whose alternatives were all found, each is right.
func (f *figure) add(w goldWant, found []string, same func(wanted, found string) bool) (missed, wrong []string) {
	if same == nil {
		same = func(a, b string) bool { return a == b }
	}
	f.rows++
	if len(found) > 0 {
		f.covered++
	}
	f.wanted += len(w.items)
	right := map[string]bool{}
	for _, alternatives := range w.items {
		met := false
		for _, a := range alternatives {
			for _, v := range found {
				if same(a, v) {
					right[v], met = true, true
				}
			}
		}
		if !met {
			f.missed++
			missed = append(missed, strings.Join(alternatives, "/"))
		}
	}
	for _, v := range found {
		switch {
		case right[v]:
			f.found++
			f.right++
		case !slices.Contains(w.also, v):
			f.found++
			wrong = append(wrong, v)
		}
	}
	return missed, wrong
}

// A confusion is a value found in the place of another; either is empty where
// nothing was wanted, or found.
type confusion struct {
	Wanted string `json:"wanted"`
	Found  string `json:"found"`
	Count  int    `json:"count"`
}

// mostConfusions are shown of a field.
const mostConfusions = 10

// relevanceScores are the figures of a file.
type relevanceScores struct {
	fields     []labelField
	rows       int
	all        map[string]*figure            // by field
	groups     map[string]map[string]*figure // by group, then field
	confusions map[string]map[[2]string]int  // by field
	wrong      []string
}

func newScores(fields []labelField) *relevanceScores {
	s := &relevanceScores{fields: fields, all: map[string]*figure{}, groups: map[string]map[string]*figure{}, confusions: map[string]map[[2]string]int{}}
	for _, f := range labelFields {
		s.all[f.name] = new(figure)
		if f.confusable {
			s.confusions[f.name] = map[[2]string]int{}
		}
	}
	return s
}

// add compares what was read of a row with its labels.
func (s *relevanceScores) add(row labelledRow, v *vacancy.Vacancy) {
	s.rows++
	var faults []string
	for _, f := range s.fields {
		w, ok := row.gold[f.name]
		if !ok {
			continue
		}
		found := f.found(v)
		missed, wrong := s.all[f.name].add(w, found, f.same)
		if row.group != "" {
			if s.groups[row.group] == nil {
				s.groups[row.group] = map[string]*figure{}
			}
			g := s.groups[row.group][f.name]
			if g == nil {
				g = new(figure)
				s.groups[row.group][f.name] = g
			}
			g.add(w, found, f.same)
		}
		if len(missed)+len(wrong) == 0 {
			continue
		}
		fault := fmt.Sprintf("  %s: want %s, found %s", f.name, w, listOrNone(found, ", "))
		if f.column == "gold_specialty" {
			for _, sp := range v.Specialties {
				fault += fmt.Sprintf("; %s %s by %s", sp.ID, sp.Confidence, sp.Evidence)
			}
		}
		faults = append(faults, fault)
		if f.confusable {
			s.confuse(f.name, missed, wrong)
		}
	}
	if len(faults) > 0 {
		s.wrong = append(s.wrong, fmt.Sprintf("line %d: %s\n%s", row.line, strings.Join(strings.Fields(row.advert.title), " "), strings.Join(faults, "\n")))
	}
}

// confuse notes each pair of a missed and a wrong value.
func (s *relevanceScores) confuse(field string, missed, wrong []string) {
	if missed == nil {
		missed = []string{""}
	}
	if wrong == nil {
		wrong = []string{""}
	}
	for _, m := range missed {
		for _, w := range wrong {
			s.confusions[field][[2]string{m, w}]++
		}
	}
}

// worst returns the most frequent confusions of a field.
func (s *relevanceScores) worst(field string) []confusion {
	worst := []confusion{}
	for pair, n := range s.confusions[field] {
		worst = append(worst, confusion{pair[0], pair[1], n})
	}
	slices.SortFunc(worst, func(a, b confusion) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Wanted, b.Wanted), cmp.Compare(a.Found, b.Found))
	})
	return worst[:min(len(worst), mostConfusions)]
}

// String is the label as written in a file.
func (w goldWant) String() string {
	var items []string
	for _, i := range w.items {
		items = append(items, strings.Join(i, "/"))
	}
	return listOrNone(items, "|")
}

func listOrNone(values []string, sep string) string {
	if len(values) == 0 {
		return "none"
	}
	return strings.Join(values, sep)
}

// print writes the tables and, as the last line, their figures as JSON.
func (s *relevanceScores) print(out io.Writer, name string, wrong bool) error {
	fmt.Fprintf(out, "%d adverts of %s\n\n", s.rows, name)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	wide := 0
	for g := range s.groups {
		wide = max(wide, len(g))
	}
	for _, f := range s.fields {
		wide = max(wide, len(f.name))
	}
	line := func(first string, f *figure) {
		fmt.Fprintf(w, "%-*s\t%d\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t\n", wide, first, f.rows, shareText(f.precision()), shareText(f.recall()), shareText(f.coverage()),
			f.found, f.found-f.right, f.wanted, f.missed)
	}
	const columns = "%-*s\tn\tprecision\trecall\tcoverage\tfound\twrong\twanted\tmissed\t\n"
	fmt.Fprintf(w, columns, wide, "field")
	for _, f := range s.fields {
		line(f.name, s.all[f.name])
	}
	groups := make([]string, 0, len(s.groups))
	for g := range s.groups {
		groups = append(groups, g)
	}
	slices.Sort(groups)
	if len(groups) > 0 {
		for _, f := range s.fields {
			fmt.Fprintf(w, "\t\n"+columns, wide, f.name)
			for _, g := range groups {
				if n := s.groups[g][f.name]; n != nil {
					line(g, n)
				}
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	report := struct {
		Rows       int                           `json:"rows"`
		Fields     map[string]*figure            `json:"fields"`
		Groups     map[string]map[string]*figure `json:"groups,omitempty"`
		Confusions map[string][]confusion        `json:"confusions"`
	}{s.rows, s.all, s.groups, map[string][]confusion{}}
	for _, f := range s.fields {
		if !f.confusable {
			continue
		}
		worst := s.worst(f.name)
		report.Confusions[f.name] = worst
		if len(worst) > 0 {
			fmt.Fprintf(out, "\nworst confusions of %s (wanted, found)\n", f.name)
		}
		for _, c := range worst {
			fmt.Fprintf(out, "  %d  %s, %s\n", c.Count, cmp.Or(c.Wanted, "nothing"), cmp.Or(c.Found, "nothing"))
		}
	}
	if wrong {
		fmt.Fprintf(out, "\n%d adverts with something wrong\n", len(s.wrong))
		for _, fault := range s.wrong {
			fmt.Fprintln(out, fault)
		}
	}
	last, err := json.Marshal(report)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\n%s\n", last)
	return err
}
