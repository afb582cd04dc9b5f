package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/specialty"
)

// A goldWant is what a label asks for.
type goldWant struct {
	items [][]string // each must be found; of an item's alternatives one is enough
	also  []string   // may be found, and counts neither way
}

// A labelled row: an advert, and what should be read out of it by field. A
// field that the row does not label is absent.
type labelledRow struct {
	line   int
	group  string
	advert labelledAdvert
	gold   map[string]goldWant
}

// labelledRows are the rows of a file and the fields that it labels.
type labelledRows struct {
	fields []labelField
	list   []labelledRow
}

// A labelTable is a tab-separated file with a header.
type labelTable struct {
	columns []string
	lines   []int
	cells   [][]string
}

// readTable reads a tab-separated file: comments, a header, rows. Empty lines
// are skipped; a row must have as many cells as the header.
func readTable(in io.Reader) (*labelTable, error) {
	data, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(data) {
		return nil, errors.New("the file is not UTF-8")
	}
	t := new(labelTable)
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || t.columns == nil && strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "\t")
		if t.columns == nil {
			for _, c := range cells {
				c = strings.ToLower(strings.TrimSpace(c))
				if c != "" && slices.Contains(t.columns, c) {
					return nil, fmt.Errorf("line %d: the header names %q twice", n, c)
				}
				t.columns = append(t.columns, c)
			}
			continue
		}
		if len(cells) != len(t.columns) {
			return nil, fmt.Errorf("line %d: %d columns where the header names %d", n, len(cells), len(t.columns))
		}
		for i := range cells {
			cells[i] = unescape.Replace(cells[i])
		}
		t.lines, t.cells = append(t.lines, n), append(t.cells, cells)
	}
	if t.columns == nil {
		return nil, errors.New("no header line")
	}
	return t, nil
}

var unescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t")

// readLabelled reads the file of adverts and checks its labels.
func readLabelled(in io.Reader) (*labelledRows, error) {
	t, err := readTable(in)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for i, c := range t.columns {
		at[c] = i
	}
	if _, ok := at["title"]; !ok {
		return nil, errors.New("the header names no column title")
	}
	rows := new(labelledRows)
	for _, f := range labelFields {
		if _, ok := at[f.column]; ok {
			rows.fields = append(rows.fields, f)
		}
	}
	if len(rows.fields) == 0 {
		return nil, errors.New("the header names no gold column")
	}
	for i, cells := range t.cells {
		cell := func(column string) string {
			if i, ok := at[column]; ok {
				return strings.TrimSpace(cells[i])
			}
			return ""
		}
		row := labelledRow{line: t.lines[i], group: cell("group"), gold: map[string]goldWant{}, advert: labelledAdvert{
			title: cell("title"), employer: cell("employer"), text: cell("text"),
			salary: cell("salary_text"), places: cell("place_text"),
			scheme: cell("pay_scheme"), band: cell("band_text"),
		}}
		if row.advert.title == "" {
			return nil, fmt.Errorf("line %d: no title", row.line)
		}
		for _, f := range rows.fields {
			w, ok, err := f.label(cell)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", row.line, err)
			}
			if ok {
				row.gold[f.name] = w
			}
		}
		rows.list = append(rows.list, row)
	}
	return rows, nil
}

// A labelField is a fact that is read out of an advert.
type labelField struct {
	name   string // in the tables and in the JSON
	column string // of its labels
	// value brings a label into the form of what is found, or says what is
	// wrong with it.
	value func(string) (string, error)
	found func(*vacancy.Vacancy) []string
	// same tells whether a found value is the one wanted; nil compares them.
	same func(wanted, found string) bool
	// confusable is set where pairs of wanted and found tell something.
	confusable bool
}

// labelFields lists what is measured, in the order of the tables.
var labelFields = []labelField{
	{name: "specialty_stated", column: "gold_specialty", value: specialtyID, found: statedSpecialties},
	{name: "specialty", column: "gold_specialty", value: specialtyID, found: specialties, confusable: true},
	{name: "band", column: "gold_band", value: bandName, found: (*vacancy.Vacancy).AllBands, confusable: true},
	{name: "postcode", column: "gold_postcode", value: postcodeStart, found: postcodes, same: startsWith},
	{name: "point", column: "gold_postcode", value: postcodeStart, found: pointed, same: startsWith},
	{name: "salary_min", column: "gold_min", value: pounds, found: salaryMin},
	{name: "salary_max", column: "gold_max", value: pounds, found: salaryMax},
	{name: "salary_unit", column: "gold_unit", value: payUnit, found: salaryUnit, confusable: true},
}

// label reads the field's label out of a row; ok is false where there is none.
func (f *labelField) label(cell func(string) string) (w goldWant, ok bool, err error) {
	text := cell(f.column)
	if text == "" {
		return goldWant{}, false, nil
	}
	for item := range strings.SplitSeq(text, "|") {
		var alternatives []string
		optional := false
		for part := range strings.SplitSeq(item, "/") {
			part = strings.TrimSpace(part)
			if strings.EqualFold(part, "none") {
				optional = true
				continue
			}
			value, err := f.value(part)
			if err != nil {
				return goldWant{}, false, fmt.Errorf("%s: %w", f.column, err)
			}
			alternatives = append(alternatives, value)
		}
		if optional {
			w.also = append(w.also, alternatives...)
		} else {
			w.items = append(w.items, alternatives)
		}
	}
	if f.column == "gold_specialty" {
		for _, id := range strings.FieldsFunc(cell("also_ok"), func(r rune) bool { return strings.ContainsRune("|/, ", r) }) {
			value, err := f.value(id)
			if err != nil {
				return goldWant{}, false, fmt.Errorf("also_ok: %w", err)
			}
			w.also = append(w.also, value)
		}
	}
	return w, true, nil
}

func specialtyID(s string) (string, error) {
	id := strings.ToLower(s)
	if _, ok := specialty.Lookup(id); ok {
		return id, nil
	}
	if ids, ok := specialty.Expand(id); ok {
		return "", fmt.Errorf("%q is a group, name one of %s", s, strings.Join(ids, ", "))
	}
	if near := specialty.Suggest(s); len(near) > 0 {
		return "", fmt.Errorf("unknown specialty %q, did you mean %s?", s, strings.Join(near, " or "))
	}
	return "", fmt.Errorf("unknown specialty %q", s)
}

func bandName(s string) (string, error) {
	if b, ok := vacancy.ParseBandName(s); ok {
		return b, nil
	}
	return "", fmt.Errorf("unknown band %q, want one of %s", s, strings.Join(vacancy.Bands(), ", "))
}

// partPostcode is an outward code or a sector.
var partPostcode = regexp.MustCompile(`^[A-Z]{1,2}\d[A-Z\d]?( \d)?$`)

func postcodeStart(s string) (string, error) {
	if p, ok := gazetteer.NormalisePostcode(s); ok {
		return p, nil
	}
	if p := strings.ToUpper(strings.Join(strings.Fields(s), " ")); partPostcode.MatchString(p) {
		return p, nil
	}
	return "", fmt.Errorf("%q is neither a postcode (EC1A 7BE) nor the beginning of one (EC1A)", s)
}

// startsWith compares postcodes. A sector is wanted with its space, so that
// what begins with it is in it; an outward code ends at the space.
func startsWith(wanted, found string) bool {
	if strings.Contains(wanted, " ") {
		return strings.HasPrefix(found, wanted)
	}
	return found == wanted || strings.HasPrefix(found, wanted+" ")
}

func pounds(s string) (string, error) {
	var m vacancy.Money
	if err := m.UnmarshalJSON([]byte(strings.NewReplacer("£", "", ",", "").Replace(s))); err != nil {
		return "", fmt.Errorf("%q is not a number of pounds", s)
	}
	return m.String(), nil
}

var payUnits = []string{vacancy.PerYear, vacancy.PerMonth, vacancy.PerWeek, vacancy.PerDay, vacancy.PerHour, vacancy.PerSession, unknownUnit}

// unknownUnit is the label of amounts whose unit nobody can tell.
const unknownUnit = "unknown"

func payUnit(s string) (string, error) {
	if u := strings.ToLower(s); slices.Contains(payUnits, u) {
		return u, nil
	}
	return "", fmt.Errorf("unknown unit %q, want one of %s", s, strings.Join(payUnits, ", "))
}
