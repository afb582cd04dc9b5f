package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/crawler/nhsjobs"
	"github.com/vacancywatch/vacancywatch/crawler/page"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

type readCmd struct {
	Kind  string   `enum:"auto,listing,advert,api" default:"auto" help:"What the pages are: auto, listing, advert or api."`
	URL   string   `help:"The address that the page was saved from; it gives an advert its reference."`
	Files []string `arg:"" name:"file" help:"Saved pages; - is standard input."`
}

// Run reads saved pages to vacancies. A page that is not known fails; an empty
// result page is known, and yields nothing.
func (c *readCmd) Run(e *env) error {
	out := json.NewEncoder(e.stdout)
	out.SetEscapeHTML(false)
	var errs []error
	for _, file := range c.Files {
		vs, defects, err := c.read(file, e.stdin)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
			continue
		}
		if len(defects) > 0 {
			// A crawl that met this page would be quarantined.
			fmt.Fprintf(e.stderr, "%s: the page is not what it should be: %s\n", file, strings.Join(defects, ", "))
		}
		for i := range vs {
			vs[i].Source = "nhs-jobs"
			vs[i].Derive()
			if err := out.Encode(&vs[i]); err != nil {
				return err
			}
		}
	}
	return errors.Join(errs...)
}

func (c *readCmd) read(file string, stdin io.Reader) (vs []vacancy.Vacancy, defects []string, err error) {
	var body []byte
	if file == "-" {
		body, err = io.ReadAll(stdin)
	} else {
		body, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, nil, err
	}
	p := page.Page{URL: c.URL, Status: 200, Body: body}
	kind := nhsjobs.Kind(c.Kind)
	if c.Kind == "auto" {
		if kind, err = nhsjobs.Detect(p); err != nil {
			return nil, nil, err
		}
	}
	switch kind {
	case nhsjobs.KindAPI:
		l, err := nhsjobs.ReadAPI(p, 0, time.Now())
		return l.Vacancies, l.Defects, err
	case nhsjobs.KindListing:
		l, err := nhsjobs.ReadListing(p, 0)
		return l.Vacancies, l.Defects, err
	default:
		v, err := nhsjobs.ReadAdvert(p)
		if err != nil {
			return nil, nil, err
		}
		return []vacancy.Vacancy{v}, nil, nil
	}
}

type matchCmd struct {
	Searches string `required:"" type:"path" help:"A file with searches: a configuration, or its searches key alone. Vacancies as JSON carry no advert text, so keywords are looked for in the title."`
	Explain  bool   `help:"Print every search and criterion with its reason, not the matches alone."`
	File     string `arg:"" optional:"" default:"-" help:"Vacancies, one JSON a line; - is standard input."`
}

// A matchLine is one vacancy that meets one search, or with --explain whether
// it does.
type matchLine struct {
	Search    string            `json:"search"`
	Source    string            `json:"source"`
	Reference string            `json:"reference"`
	Title     string            `json:"title"`
	Match     bool              `json:"match"`
	Why       string            `json:"why,omitempty"`
	Outcomes  []vacancy.Outcome `json:"outcomes,omitempty"`
}

func (c *matchCmd) Run(e *env) error {
	searches, err := config.LoadSearches(c.Searches)
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
		for i := range searches {
			s := &searches[i]
			outcomes := vacancy.Explain(s, &v, today)
			line := matchLine{Search: s.ID, Source: v.Source, Reference: v.Reference, Title: v.Title,
				Match: vacancy.Matches(s, &v, today), Why: vacancy.Why(outcomes)}
			if c.Explain {
				line.Why, line.Outcomes = "", outcomes
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
