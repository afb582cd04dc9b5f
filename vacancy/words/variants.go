package words

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

//go:embed variants.tsv
var variantsFile string

// A variant is another spelling, as a sequence of words, of what is written
// in the list as to.
type variant struct {
	from   []string
	to     []string
	hyphen bool // only where the words are joined by a hyphen
}

// exceptions are the words that keep their final s. They are needed while the
// variants are read, hence a table of its own.
var exceptions = sync.OnceValue(func() map[string]bool {
	keep := make(map[string]bool)
	for _, row := range Rows(variantsFile, 3) {
		if row[0] == "keep" {
			keep[row[1]] = true
		}
	}
	return keep
})

func keeps(word string) bool { return exceptions()[word] }

// variants are filed under their first word, longest first.
var variants = sync.OnceValue(func() map[string][]variant {
	list := make(map[string][]variant)
	for _, row := range Rows(variantsFile, 3) {
		if row[0] != "variant" {
			continue
		}
		v := variant{
			from:   rawWords(row[1]),
			to:     rawWords(row[2]),
			hyphen: strings.Contains(row[1], "-"),
		}
		at := list[v.from[0]]
		i := 0
		for i < len(at) && len(at[i].from) >= len(v.from) {
			i++
		}
		at = append(at, variant{})
		copy(at[i+1:], at[i:])
		at[i] = v
		list[v.from[0]] = at
	}
	return list
})

func rawWords(s string) []string {
	var list []string
	for _, t := range scan(s) {
		list = append(list, t.Word)
	}
	return list
}

// joinVariants replaces spelling variants. What it puts in is no part of any
// variant (a test holds the file to that), hence one pass is enough. A variant
// written with a space is found across a full stop too: normalised text has
// no stops, and normalising it again must change nothing.
func joinVariants(text string, in []Token) []Token {
	table := variants()
	out := in[:0]
	grown := false
	for i := 0; i < len(in); {
		v, ok := variantAt(text, table[in[i].Word], in, i)
		if !ok {
			out = append(out, in[i])
			i++
			continue
		}
		first, last := in[i], in[i+len(v.from)-1]
		if len(v.to) > len(v.from) && !grown {
			// The result may outgrow the words already read: leave the input alone.
			out = append(make([]Token, 0, len(in)+8), out...)
			grown = true
		}
		for k, w := range v.to {
			t := Token{Word: w, Cased: text[first.Start:last.End], Start: first.Start, End: last.End}
			if len(v.from) == 1 {
				t.Cased = first.Cased
			}
			if k == 0 {
				t.Break = first.Break
			}
			out = append(out, t)
		}
		i += len(v.from)
	}
	return out
}

func variantAt(text string, list []variant, in []Token, i int) (variant, bool) {
next:
	for _, v := range list {
		if i+len(v.from) > len(in) {
			continue
		}
		for k, w := range v.from {
			t := in[i+k]
			if t.Word != w {
				continue next
			}
			if k == 0 {
				continue
			}
			if v.hyphen && !joined(text[in[i+k-1].End:t.Start]) {
				continue next
			}
		}
		return v, true
	}
	return variant{}, false
}

// joined reports whether a gap between two words is one hyphen or dash.
func joined(gap string) bool {
	switch gap {
	case "-", "‐", "‑", "‒", "–", "−", "－":
		return true
	}
	return false
}

// Rows reads an embedded word list: lines of tab-separated columns, where
// lines that begin with # name source and licence, and missing columns at the
// end of a line are empty. A line with too many columns is a fault of the
// program and panics; the tests read every list.
func Rows(list string, columns int) [][]string {
	var rows [][]string
	for line := range strings.Lines(list) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		row := strings.Split(line, "\t")
		if len(row) > columns {
			panic(fmt.Sprintf("word list: %d columns, want at most %d: %q", len(row), columns, line))
		}
		for len(row) < columns {
			row = append(row, "")
		}
		rows = append(rows, row)
	}
	return rows
}
