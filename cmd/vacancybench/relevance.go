package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
)

// relevanceCmd measures what the program reads out of adverts whose truth is
// known: specialty, band, place and salary.
//
// The file is tab-separated. Lines that begin with # may stand before the
// header. Of these columns any may be missing, but for the title and at least
// one gold column; others are ignored:
//
//	title, employer   as printed
//	text              prose of the advert page; see labelledAdvert.html for its blocks
//	salary_text       as printed; a second line is free text, as on the page
//	place_text        as a card prints it: sites end in a comma and a new line
//	pay_scheme        as printed ("Agenda for change")
//	band_text         as printed under Band ("Band 5")
//	group             any word by which figures are divided
//	gold_specialty    ids of the taxonomy
//	also_ok           ids that are neither right nor wrong
//	gold_band         values of a vacancy's band
//	gold_postcode     a postcode, or its beginning ("EC1A")
//	gold_min, gold_max  pounds
//	gold_unit         year, month, week, day, hour, session or unknown
//
// In gold columns a|b wants both, a/b either, and none says that nothing may
// be found; a/none allows a and asks for nothing. An empty cell is no label,
// and its row does not count for that field. A line break inside a cell is
// written \n, a tab \t, a backslash \\; quotes mean nothing.
type relevanceCmd struct {
	Wrong bool   `help:"List every row that was read wrongly, with the evidence."`
	File  string `arg:"" help:"Labelled adverts, tab-separated with a header; - reads standard input."`
}

// Help is printed under the usage line.
func (*relevanceCmd) Help() string {
	return `The columns title, employer, text, salary_text, place_text, pay_scheme, band_text and group are read as an advert; ` +
		`gold_specialty, also_ok, gold_band, gold_postcode, gold_min, gold_max and gold_unit say what should come out. ` +
		`a|b wants both, a/b either, none nothing; an empty cell is no label. The last line is a JSON object of all figures.`
}

// Run prints the figures. Wrong readings are figures, not errors.
func (c *relevanceCmd) Run(e *env) error {
	in := io.Reader(os.Stdin)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	out := bufio.NewWriter(e.stdout)
	if err := relevance(in, out, c.File, c.Wrong); err != nil {
		return err
	}
	return out.Flush()
}

// relevance reads labelled adverts, has each of them read as the crawl does,
// and prints how well that went.
func relevance(in io.Reader, out io.Writer, name string, wrong bool) error {
	rows, err := readLabelled(in)
	if err != nil {
		return fmt.Errorf("read %s: %w", cmp.Or(name, "-"), err)
	}
	s := newScores(rows.fields)
	for _, row := range rows.list {
		v, err := row.advert.vacancy()
		if err != nil {
			return fmt.Errorf("read %s: line %d: %w", name, row.line, err)
		}
		s.add(row, &v)
	}
	return s.print(out, name, wrong)
}
