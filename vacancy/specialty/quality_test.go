package specialty

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

//go:embed testdata/cases.tsv
var casesFile string

// A labelled case: a title and a summary, and the specialties that a reader
// would give them.
type labelled struct {
	input Input
	want  []string
}

func cases(t *testing.T) []labelled {
	t.Helper()
	var list []labelled
	for _, row := range words.Rows(casesFile, 4) {
		c := labelled{input: Input{Title: row[0], StaffGroup: row[1], Summary: row[2]}}
		if row[3] != "-" {
			c.want = strings.Split(row[3], ",")
		}
		for _, id := range c.want {
			if _, ok := Lookup(id); !ok {
				t.Fatalf("case %q: unknown specialty %q", row[0], id)
			}
		}
		list = append(list, c)
	}
	return list
}

// A tallyOf counts findings against labels.
type tallyOf struct{ found, right, labelled, recalled int }

func (c tallyOf) precision() float64 { return float64(c.right) / float64(max(c.found, 1)) }
func (c tallyOf) recall() float64    { return float64(c.recalled) / float64(max(c.labelled, 1)) }

// TestQuality holds the classifier to its targets over labelled cases:
// precision of what is stated, recall of what is stated or inferred, and no
// false alarm on titles that name nothing clinical.
func TestQuality(t *testing.T) {
	list := cases(t)
	if len(list) < 80 {
		t.Fatalf("only %d cases", len(list))
	}
	var all tallyOf
	groups := map[string]*tallyOf{}
	silent, alarms := 0, 0
	var wrong []string
	for _, c := range list {
		g := groups[c.input.StaffGroup]
		if g == nil {
			g = new(tallyOf)
			groups[c.input.StaffGroup] = g
		}
		findings := Classify(c.input)
		var ids []string
		for _, f := range findings {
			ids = append(ids, f.ID)
			if f.Confidence != Stated {
				continue
			}
			g.found++
			if slices.Contains(c.want, f.ID) {
				g.right++
			}
		}
		g.labelled += len(c.want)
		for _, id := range c.want {
			if slices.Contains(ids, id) {
				g.recalled++
			}
		}
		if len(c.want) == 0 {
			silent++
			if len(ids) > 0 {
				alarms++
			}
		}
		slices.Sort(ids)
		want := slices.Sorted(slices.Values(c.want))
		if !slices.Equal(ids, want) {
			wrong = append(wrong, fmt.Sprintf("%q: got %v, want %v\n\t%s", c.input.Title, ids, want, strings.ReplaceAll(Explain(c.input), "\n", "\n\t")))
		}
	}
	for _, g := range groups {
		all.found += g.found
		all.right += g.right
		all.labelled += g.labelled
		all.recalled += g.recalled
	}
	for _, code := range slices.Sorted(func(yield func(string) bool) {
		for code := range groups {
			if !yield(code) {
				return
			}
		}
	}) {
		g := groups[code]
		t.Logf("staff group %s: precision of stated %d/%d, recall %d/%d", code, g.right, g.found, g.recalled, g.labelled)
	}
	t.Logf("%d cases, %d without specialty: precision of stated %.3f, recall %.3f, false alarms %d", len(list), silent, all.precision(), all.recall(), alarms)
	for _, w := range wrong {
		t.Logf("differs: %s", w)
	}
	if all.precision() < 0.97 {
		t.Errorf("precision of stated is %.3f, want at least 0.97", all.precision())
	}
	if all.recall() < 0.90 {
		t.Errorf("recall is %.3f, want at least 0.90", all.recall())
	}
	if silent*4 < len(list) {
		t.Errorf("%d of %d cases are without specialty, want a quarter", silent, len(list))
	}
	if alarms*50 >= max(silent, 50) {
		t.Errorf("%d of %d cases without specialty were given one, want fewer than 2 %%", alarms, silent)
	}
}
