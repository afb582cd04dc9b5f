package vacancy

import (
	_ "embed" // for the pay bands
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/words"
)

//go:embed afc-pay.tsv
var afcPayFile string

// payKey names a row of the pay table: the year in which it begins on the
// first of April, the nation, the band.
type payKey struct {
	year         int
	nation, band string
}

// afcPay holds the top of each band in pence a year, full time and without
// supplements.
var afcPay = sync.OnceValue(func() map[payKey]Money {
	table := map[payKey]Money{}
	for _, row := range words.Rows(afcPayFile, 4) {
		year, err := strconv.Atoi(row[0][:4])
		top, err2 := strconv.Atoi(row[3])
		if err != nil || err2 != nil {
			// Unreachable: the table is part of the binary and a test reads it.
			panic("vacancy: the pay table is damaged at " + row[0] + " " + row[2])
		}
		table[payKey{year, row[1], row[2]}] = Money(top * 100)
	}
	return table
})

// londonTop is what pay in inner London may come to with the high cost area
// supplement: 20 % of basic pay, at most £8,746 a year (2026/27).
func londonTop(top Money) Money { return wholePounds(top + min(top/5, 8_746_00)) }

// fringeTop is the same for the fringe of London: 5 %, at most £2,270.
func fringeTop(top Money) Money { return wholePounds(top + min(top/20, 2_270_00)) }

func wholePounds(m Money) Money { return (m + 99) / 100 * 100 }

// payYear is the year in which the pay year of a day begins.
func payYear(d Day) int {
	if d.Month < time.April {
		return d.Year - 1
	}
	return d.Year
}

// YearlyTop returns the most that a vacancy pays in a year, as far as the
// advert says, and what that was taken from: "salary" for a printed yearly
// figure, "band" for the top of the national pay band where a band of Agenda
// for Change is stated and no yearly figure is. It is false where neither
// tells; pay by the hour, day or month is never turned into a year.
//
// From the band, the pay year is that of the day of the advert (today, if it
// has none) and the nation that of its sites. In London the supplement counts
// in full, so that nobody misses a vacancy for a few pounds. A pay year or a
// nation that the table does not hold gives no figure.
func (v *Vacancy) YearlyTop(today Day) (top Money, from string, ok bool) {
	if s := v.Salary; s != nil && !s.Negotiable && s.Max > 0 && s.Unit == PerYear {
		return s.Max, "salary", true
	}
	if v.PayScheme != "" && fold(v.PayScheme) != "agendaforchange" || v.Band == "" {
		return 0, "", false
	}
	day := v.appeared()
	if day.IsZero() {
		day = today
	}
	nations := []string{gazetteer.England}
	var london, fringe bool
	if len(v.Locations) > 0 {
		nations = nil
	}
	for i := range v.Locations {
		switch r := v.Locations[i].Region; r {
		case "":
			return 0, "", false
		case "Wales", "Scotland", gazetteer.NorthernIreland:
			nations = append(nations, r)
		default:
			london = london || r == "London"
			fringe = fringe || r == "South East" || r == "East of England"
			nations = append(nations, gazetteer.England)
		}
	}
	for _, b := range v.AllBands() {
		for _, nation := range nations {
			t, known := afcPay()[payKey{payYear(day), nation, b}]
			if !known {
				return 0, "", false
			}
			top = max(top, t)
		}
	}
	switch {
	case london:
		top = londonTop(top)
	case fringe:
		top = fringeTop(top)
	}
	return top, "band", top > 0
}

// appeared is the London day on which an advert came up: that of its posting,
// else that on which it was first seen.
func (v *Vacancy) appeared() Day {
	if d := v.Posted.Day(); !d.IsZero() {
		return d
	}
	if v.FirstSeen.IsZero() {
		return Day{}
	}
	return LondonDay(v.FirstSeen)
}

// bandsPayTop is the most that any of the bands pays anywhere in the last pay
// year of the table, with the London supplement; false if one of them is no
// band of Agenda for Change.
func bandsPayTop(bands []string) (Money, bool) {
	last := 0
	for k := range afcPay() {
		last = max(last, k.year)
	}
	var top Money
	for _, b := range bands {
		if !slices.Contains(ladder, b) {
			return 0, false
		}
		for k, t := range afcPay() {
			if k.year != last || k.band != b {
				continue
			}
			if k.nation == gazetteer.England {
				t = londonTop(t)
			}
			top = max(top, t)
		}
	}
	return top, top > 0
}
