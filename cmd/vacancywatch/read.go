package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/crawler/drift"
	"github.com/vacancywatch/vacancywatch/crawler/nhsjobs"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/crawler/quarantine"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer/onspd"
)

type readCmd struct {
	Kind  string   `enum:"auto,listing,advert,api" default:"auto" help:"What the pages are: auto, listing, advert or api."`
	URL   string   `help:"The address that the page was saved from; it gives an advert its reference."`
	Files []string `arg:"" name:"file" help:"Saved pages; - is standard input."`
}

// A savedPage is a page out of a file: as it was saved, or as it was put into
// quarantine.
type savedPage struct {
	page.Page
	kind    nhsjobs.Kind // "" to be found out
	number  int          // among the pages of a listing; 0 if not known
	fetched time.Time
	entry   *quarantine.Entry // nil for a page that was just saved
}

// Run reads saved pages to vacancies. A page that is not known fails; an empty
// result page is known, and yields nothing. Of a page from quarantine it says
// as well what was wrong then and what is now.
func (c *readCmd) Run(e *env) error {
	out := json.NewEncoder(e.stdout)
	out.SetEscapeHTML(false)
	var errs []error
	for _, file := range c.Files {
		p, err := c.load(file, e.stdin)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
			continue
		}
		vs, defects, err := p.read()
		switch {
		case p.entry != nil:
			p.report(e.stderr, file, defects, err)
		case len(defects) > 0:
			// A crawl that met this page would be quarantined.
			fmt.Fprintf(e.stderr, "%s: the page is not what it should be: %s\n", file, strings.Join(defects, ", "))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
			continue
		}
		for i := range vs {
			vs[i].Source = "nhs-jobs"
			if p.entry != nil && p.entry.Source != "" {
				vs[i].Source = p.entry.Source
			}
			vs[i].Derive()
			if err := out.Encode(&vs[i]); err != nil {
				return err
			}
		}
	}
	return errors.Join(errs...)
}

// load reads a file, and tells by its content whether it is one of the
// quarantine: only those are gzip.
func (c *readCmd) load(file string, stdin io.Reader) (p savedPage, err error) {
	var body []byte
	if file == "-" {
		body, err = io.ReadAll(stdin)
	} else {
		body, err = os.ReadFile(file)
	}
	if err != nil {
		return savedPage{}, err
	}
	p = savedPage{Page: page.Page{URL: c.URL, Status: 200, Body: body}, fetched: time.Now()}
	if bytes.HasPrefix(body, []byte("\x1f\x8b")) {
		kept, entry, err := quarantine.Decode(bytes.NewReader(body))
		if err != nil {
			return savedPage{}, err
		}
		p.Page, p.entry, p.fetched = kept, &entry, entry.At
		if c.URL != "" {
			p.URL = c.URL
		}
		p.kind, p.number = askedFor(p.URL)
	}
	if c.Kind != "auto" {
		p.kind = nhsjobs.Kind(c.Kind)
	}
	return p, nil
}

// askedFor tells from an address what was asked for, whatever was answered:
// the kind of the page, "" where the address does not say, and its number.
func askedFor(address string) (nhsjobs.Kind, int) {
	u, err := url.Parse(address)
	if err != nil {
		return "", 0
	}
	kind := nhsjobs.Kind("")
	for base, k := range map[string]nhsjobs.Kind{nhsjobs.APIURL("", 1): nhsjobs.KindAPI,
		nhsjobs.ListingURL("", 1): nhsjobs.KindListing, nhsjobs.AdvertURL("", ""): nhsjobs.KindAdvert} {
		if known, err := url.Parse(base); err == nil && strings.HasPrefix(u.Path, known.Path) {
			kind = k
		}
	}
	n, err := strconv.Atoi(u.Query().Get("page"))
	if err != nil || kind == nhsjobs.KindAdvert {
		n = 0
	}
	return kind, n
}

// read reads the page as its kind.
func (p *savedPage) read() (vs []vacancy.Vacancy, defects []string, err error) {
	if p.kind == "" {
		if p.kind, err = nhsjobs.Detect(p.Page); err != nil {
			return nil, nil, err
		}
	}
	switch p.kind {
	case nhsjobs.KindAPI:
		l, err := nhsjobs.ReadAPI(p.Page, p.number, p.fetched)
		return l.Vacancies, l.Defects, err
	case nhsjobs.KindListing:
		l, err := nhsjobs.ReadListing(p.Page, p.number)
		return l.Vacancies, l.Defects, err
	default:
		v, err := nhsjobs.ReadAdvert(p.Page)
		if err != nil {
			return nil, nil, err
		}
		return []vacancy.Vacancy{v}, nil, nil
	}
}

// report says what is known of a page from quarantine, and how today's readers
// differ from those of then.
func (p *savedPage) report(w io.Writer, file string, defects []string, err error) {
	e := p.entry
	line := func(what, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s: %s: %s\n", file, what, value)
		}
	}
	line("quarantined", e.At.Format(time.RFC3339))
	for _, f := range []struct{ what, value string }{{"source", e.Source}, {"run", e.Run}, {"tier", e.Tier}, {"feed", e.Feed}} {
		line(f.what, printable(f.value))
	}
	line("page", printable(fmt.Sprintf("%d %s %s", p.Status, p.ContentType, p.URL)))
	for _, name := range slices.Sorted(maps.Keys(e.Header)) {
		line("header "+printable(name), printable(strings.Join(e.Header[name], ", ")))
	}
	line("error then", printable(e.Err))
	line("defects then", joined(e.Defects))
	if errors.Is(err, page.ErrLayout) {
		defects = append(defects, page.DefectLayout) // As a run counts it.
	}
	line("defects now", joined(defects))
	line("fingerprint then", printable(e.Fingerprint))
	line("fingerprint now", drift.Fingerprint(p.Body, p.ContentType))
}

func joined(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return printable(strings.Join(list, ", "))
}

// printable keeps what a file says from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

type matchCmd struct {
	Searches  string `required:"" type:"path" help:"A file with searches: a configuration, or its searches key alone. Vacancies as JSON carry no advert text, so keywords are looked for in the title."`
	Explain   bool   `help:"Print every search and criterion with its reason, not the matches alone."`
	Postcodes string `type:"path" help:"A file that import postcodes has made: places are found anew with whole postcodes."`
	File      string `arg:"" optional:"" default:"-" help:"Vacancies, one JSON a line; - is standard input."`
}

// A matchLine is one vacancy that meets one search, or with --explain whether
// it does.
type matchLine struct {
	Search    string `json:"search"`
	Source    string `json:"source"`
	Reference string `json:"reference"`
	Title     string `json:"title"`
	Match     bool   `json:"match"`
	Why       string `json:"why,omitempty"`
	// Near is with --explain how narrowly the one criterion fails that does,
	// and what would let the vacancy in.
	Near     string            `json:"near,omitempty"`
	Outcomes []vacancy.Outcome `json:"outcomes,omitempty"`
}

func (c *matchCmd) Run(e *env) error {
	places := gazetteer.Default()
	if c.Postcodes != "" {
		// Who names the file wants it, so here it has to be good.
		file, err := onspd.Open(c.Postcodes)
		if err != nil {
			return err
		}
		defer file.Close()
		places = places.With(file)
	}
	searches, err := config.LoadSearches(c.Searches, places)
	if err != nil {
		return err
	}
	in := e.stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	out := json.NewEncoder(e.stdout)
	out.SetEscapeHTML(false)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 4<<20)
	today := vacancy.LondonDay(time.Now())
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var v vacancy.Vacancy
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return fmt.Errorf("%s line %d is no vacancy: %w", c.File, n, err)
		}
		if c.Postcodes != "" {
			v.Locate(places)
		}
		for i := range searches {
			s := &searches[i]
			outcomes := vacancy.Explain(s, &v, today)
			line := matchLine{Search: s.ID, Source: v.Source, Reference: v.Reference, Title: v.Title,
				Match: vacancy.Matches(s, &v, today), Why: vacancy.Why(outcomes)}
			if c.Explain {
				line.Why, line.Outcomes = "", outcomes
				if miss, ok := vacancy.Near(s, &v, today); ok {
					line.Near = miss.Reason + ": " + miss.Change
				}
			} else if !line.Match {
				continue
			}
			if err := out.Encode(line); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", c.File, err)
	}
	return nil
}
