package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

type exportCmd struct {
	Config string `required:"" type:"path" help:"The configuration file."`
	What   string `arg:"" enum:"vacancies,events,searches" help:"vacancies, events or searches."`
	Since  string `help:"Only what was first seen, or happened, since then: 2026-11-01 (midnight in London) or 2026-11-01T09:00:00Z."`
	Format string `enum:"ndjson,csv" default:"ndjson" help:"ndjson (one JSON a line) or csv."`
}

// Run writes what is remembered. Mail addresses are left out of searches: an
// export is passed on.
func (c *exportCmd) Run(e *env) error {
	since, err := parseSince("since", c.Since)
	if err != nil {
		return usageError{err}
	}
	cfg, log, err := loadConfig(c.Config, e)
	if err != nil {
		return err
	}
	a := &app{cfg: cfg, log: log}
	err = a.openStore(e.ctx)
	if err == nil {
		err = c.export(e, a, since)
	}
	return errors.Join(err, a.close())
}

// parseSince reads a day or a time, the value of a flag.
func parseSince(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	var d vacancy.Day
	if err := d.UnmarshalText([]byte(s)); err != nil {
		return time.Time{}, fmt.Errorf("--%s %q: give a day such as 2026-11-01 or a time such as 2026-11-01T09:00:00Z", flag, s)
	}
	return d.StartIn(vacancy.London()), nil
}

func (c *exportCmd) export(e *env, a *app, since time.Time) error {
	w := newRowWriter(c.Format, e.stdout)
	var err error
	switch c.What {
	case "vacancies":
		w.header("source", "reference", "employer_reference", "title", "employer", "band", "salary", "contract",
			"places", "posted", "closing", "first_seen", "closed", "url")
		err = a.store.Vacancies(e.ctx, func(r vacancy.Record) error {
			v := &r.Vacancy
			if v.FirstSeen.Before(since) {
				return nil
			}
			return w.row(struct {
				*vacancy.Vacancy
				Closed   string    `json:"closed,omitempty"`
				ClosedAt time.Time `json:"closed_at,omitzero"`
			}{v, r.Closed, r.ClosedAt},
				v.Source, v.Reference, v.EmployerReference, v.Title, v.Employer, strings.Join(v.AllBands(), "/"), v.Salary.String(),
				v.Contract, v.PlaceText(), momentText(v.Posted), v.Closing.String(), timeText(v.FirstSeen), r.Closed, v.URL)
		})
	case "events":
		w.header("at", "kind", "source", "reference", "version", "reason", "changes", "title", "employer", "closing")
		err = a.store.Events(e.ctx, since, func(ev vacancy.Event) error {
			changes := make([]string, len(ev.Changes))
			for i, ch := range ev.Changes {
				changes[i] = fmt.Sprintf("%s: %s → %s", ch.Field, ch.Before, ch.After)
			}
			v := &ev.Vacancy
			return w.row(ev, timeText(ev.At), string(ev.Kind), v.Source, v.Reference, fmt.Sprint(ev.Version), ev.Reason,
				strings.Join(changes, "; "), v.Title, v.Employer, v.Closing.String())
		})
	case "searches":
		w.header("id", "name", "subscriber", "search", "ended", "created")
		err = a.store.Searches(e.ctx, func(s vacancy.Search, ended string) error {
			if s.Created.Before(since) {
				return nil
			}
			if perr := s.Prepare(); perr != nil {
				a.log.Warn("a stored search is not valid any more", "search", s.ID, "err", perr)
			}
			for i := range s.Notify {
				s.Notify[i].To = ""
			}
			return w.row(struct {
				vacancy.Search
				Ended string `json:"ended,omitempty"`
			}{s, ended}, s.ID, s.Name, s.Subscriber, s.Describe(), ended, timeText(s.Created))
		})
	}
	return errors.Join(err, w.flush())
}

func momentText(m vacancy.Moment) string {
	if m.IsZero() || m.DayOnly {
		return m.Day().String()
	}
	return timeText(m.Time)
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// A rowWriter writes the same rows as JSON lines or as CSV.
type rowWriter struct {
	json *json.Encoder
	csv  *csv.Writer
}

func newRowWriter(format string, w io.Writer) *rowWriter {
	if format == "csv" {
		return &rowWriter{csv: csv.NewWriter(w)}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &rowWriter{json: enc}
}

func (w *rowWriter) header(names ...string) {
	if w.csv != nil {
		w.csv.Write(names)
	}
}

func (w *rowWriter) row(v any, fields ...string) error {
	if w.json != nil {
		return w.json.Encode(v)
	}
	for i, f := range fields {
		fields[i] = harmless(f)
	}
	return w.csv.Write(fields)
}

// harmless keeps a spreadsheet from taking the text of an advert for a
// formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func (w *rowWriter) flush() error {
	if w.csv == nil {
		return nil
	}
	w.csv.Flush()
	return w.csv.Error()
}
