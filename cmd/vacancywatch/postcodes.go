package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer/onspd"
)

type importCmd struct {
	Postcodes importPostcodesCmd `cmd:"" help:"Whole postcodes instead of the built-in centres of sectors, from the CSV file of an ONS Postcode Directory (ONSPD) or NSPL that you have fetched. Used from the next start."`
}

type importPostcodesCmd struct {
	Config          string `required:"" type:"path" help:"The configuration file: the postcodes go into its data folder."`
	Edition         string `help:"The name of the edition, such as \"ONSPD May 2026\", to be shown later."`
	NorthernIreland bool   `help:"Take in the postcodes of Northern Ireland (BT), too. Their commercial use needs a licence of Land & Property Services."`
	File            string `arg:"" name:"csv" help:"The CSV file; - is standard input."`
}

// postcodesFile is where imported postcodes are kept, beside the state.
func postcodesFile(cfg *config.Config) string { return filepath.Join(cfg.Data, "postcodes") }

// Run needs no daemon to stop: one that runs keeps the file that it has open.
func (c *importPostcodesCmd) Run(e *env) error {
	cfg, _, err := loadConfig(c.Config, e)
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
	// As private as the daemon makes it.
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	name := postcodesFile(cfg)
	r, err := onspd.Import(name, in, onspd.Options{Edition: c.Edition, NorthernIreland: c.NorthernIreland})
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	file, err := onspd.Open(name) // which checks what is now on the disk
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%d rows: %d postcodes kept, %d of them ended; left out %d of Northern Ireland, %d without a place, %d that cannot be read\n",
		r.Rows, r.Kept, r.Ended, r.NorthernIreland, r.NoPlace, r.Invalid)
	fmt.Fprintf(e.stdout, "%s: %s\n", name, infoWords(file.Info()))
	return file.Close()
}

// infoWords says what a file of postcodes holds.
func infoWords(i onspd.Info) string {
	s := fmt.Sprintf("%d postcodes, sectors and outward codes, %.1f MB, checksum %08x", i.Codes, float64(i.Bytes)/1e6, i.Checksum)
	if i.NorthernIreland {
		s = "with Northern Ireland, " + s
	}
	if i.Edition != "" {
		s = fmt.Sprintf("%q, ", i.Edition) + s
	}
	return s
}

// withPostcodes returns the gazetteer with the postcodes of the file, which is
// nil where there is none. With an error the gazetteer is the built-in one.
func withPostcodes(name string) (*onspd.File, *gazetteer.Gazetteer, error) {
	file, err := onspd.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, gazetteer.Default(), nil
	case err != nil:
		return nil, gazetteer.Default(), err
	}
	return file, gazetteer.Default().With(file), nil
}

// openPostcodes takes the imported postcodes into use. A file that is damaged
// makes distances coarser, and is no reason to tell nobody anything.
func (a *app) openPostcodes() {
	var err error
	a.postcodes, a.places, err = withPostcodes(postcodesFile(a.cfg))
	switch {
	case err != nil:
		a.log.Error("the imported postcodes cannot be used: places are known by their sector alone", "err", err)
	case a.postcodes != nil:
		a.log.Info("imported postcodes are in use", "postcodes", infoWords(a.postcodes.Info()))
	}
}

// sink is where the crawl hands its sightings to.
func (a *app) sink() crawler.Sink {
	if a.postcodes == nil {
		return a.dispatcher
	}
	return locator{a.dispatcher, a.places}
}

// A locator finds the places of vacancies with imported postcodes before the
// sink behind it matches and keeps them.
type locator struct {
	crawler.Sink
	places *gazetteer.Gazetteer
}

func (l locator) Accept(ctx context.Context, sightings []vacancy.Sighting) ([]vacancy.Event, error) {
	sightings = slices.Clone(sightings) // the crawl's own stay as they are
	for i := range sightings {
		v := &sightings[i].Vacancy
		v.Locations = slices.Clone(v.Locations)
		v.Locate(l.places)
	}
	return l.Sink.Accept(ctx, sightings)
}
