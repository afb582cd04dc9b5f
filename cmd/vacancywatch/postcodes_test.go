package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

// onePostcode is an import of one.
type onePostcode struct{}

func (onePostcode) Lookup(code string) (gazetteer.Point, string, bool) {
	return gazetteer.Point{Lat: 51.6, Lon: -0.08}, "London", code == "EC1A 7BE"
}

// fakeSink keeps what it is given.
type fakeSink struct {
	accepted []vacancy.Sighting
	closed   []vacancy.Key
	err      error
}

func (s *fakeSink) Accept(_ context.Context, sightings []vacancy.Sighting) ([]vacancy.Event, error) {
	s.accepted = sightings
	return []vacancy.Event{{Kind: vacancy.New}}, s.err
}

func (s *fakeSink) Close(_ context.Context, keys []vacancy.Key, _ string, _ time.Time, _ string) ([]vacancy.Event, error) {
	s.closed = keys
	return nil, s.err
}

// A locator changes the points alone, and not those of its caller. What the
// sink says comes back.
func TestLocator(t *testing.T) {
	v := vacancy.Vacancy{Source: "nhs-jobs", Reference: "C9001-26-0001", Locations: []vacancy.Location{{Postcode: "EC1A 7BE"}, {Postcode: "LS1 3EX"}}}
	v.Derive()
	in := []vacancy.Sighting{{Vacancy: v, Feed: "xml"}}
	before := v.Clone()
	behind := &fakeSink{err: errors.New("no")}
	l := locator{behind, gazetteer.Default().With(onePostcode{})}
	events, err := l.Accept(t.Context(), in)
	if !errors.Is(err, behind.err) || len(events) != 1 {
		t.Errorf("got %v, %v, want what the sink says", events, err)
	}
	got := behind.accepted[0].Vacancy.Locations
	if got[0].PointFrom != "postcode" || *got[0].Lat != 51.6 || got[1].PointFrom != "sector" {
		t.Errorf("the sink was given %+v", got)
	}
	if diff := cmp.Diff(before.Locations, in[0].Vacancy.Locations); diff != "" {
		t.Errorf("the crawl's own places have changed (-want +got):\n%s", diff)
	}
	behind.accepted[0].Vacancy.Locations = before.Locations
	if diff := cmp.Diff(in, behind.accepted); diff != "" {
		t.Errorf("something else than the points has changed (-want +got):\n%s", diff)
	}
	keys := []vacancy.Key{v.Key()}
	if _, err := l.Close(t.Context(), keys, vacancy.Withdrawn, time.Now(), "e"); !errors.Is(err, behind.err) || !cmp.Equal(behind.closed, keys) {
		t.Errorf("closing gave %v, %v", behind.closed, err)
	}
}

// A daemon says at its start what is unwise about its searches, and that its
// postcodes are damaged, and starts.
func TestStartSays(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "postcodes"), []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse([]byte(`
sources: [{base: "http://127.0.0.1:1"}]
channels: [{name: mail, email: {host: 127.0.0.1, tls: none, from: a@vacancywatch.example}}]
searches:
- {id: anywhere, bands: [5], notify: [{channel: mail, to: jo@reader.example}]}
- {id: fine, bands: [5], places: [{near: Leeds}], notify: [{channel: mail, to: jo@reader.example}]}
`), dir)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	a, err := newApp(t.Context(), cfg, newLogger(&log, cfg.Log))
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	for _, want := range []string{`level=INFO msg="a search of the configuration may not be what was meant" search=anywhere advice="No place and no employer is named`,
		`level=ERROR msg="the imported postcodes cannot be used`} {
		if strings.Count(log.String(), want) != 1 {
			t.Errorf("the log does not say %q once:\n%s", want, &log)
		}
	}
	if strings.Contains(log.String(), "search=fine") {
		t.Errorf("the log warns of a good search:\n%s", &log)
	}
	if _, ok := a.sink().(*alerts.Dispatcher); !ok {
		t.Error("vacancies are located with a damaged file")
	}
}
