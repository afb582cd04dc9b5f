package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts/mailbox"
	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The demo is the first thing that a newcomer runs. It needs nothing, and it
// fails by itself where an alert is missing or came twice.
func TestDemoOnce(t *testing.T) {
	var out, diag bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--once"}, nil, &out, &diag); code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, &out, &diag)
	}
	for _, want := range []string{"baseline done: 250 vacancies", `match  "Oncology office work`, "2 mails and 1 webhooks arrived (1 with a good signature), 0 of them twice"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not say %q:\n%s", want, &out)
		}
	}
}

// crawled is a daemon that has crawled and told everything there was.
func crawled(t *testing.T, adverts []*world.Advert) (*app, *mailbox.Mailbox, *bytes.Buffer) {
	t.Helper()
	return crawledWith(t, adverts, "")
}

// crawledWith is crawled with faults of the site.
func crawledWith(t *testing.T, adverts []*world.Advert, script string) (*app, *mailbox.Mailbox, *bytes.Buffer) {
	t.Helper()
	faults, err := simulator.ParseFaults(strings.NewReader(script))
	if err != nil {
		t.Fatal(err)
	}
	box, err := mailbox.New(mailbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- box.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	server := httptest.NewUnstartedServer(nil)
	site := simulator.New(simulator.Options{Seed: 3, Now: time.Now, Live: -1, Quiet: true, MinGap: -1, Faults: faults,
		BaseURL: "http://" + server.Listener.Addr().String()})
	server.Config.Handler = site
	server.Start()
	t.Cleanup(server.Close)
	for _, a := range adverts {
		site.Publish(*a)
	}
	_, port, _ := strings.Cut(box.SMTPAddr(), ":")
	cfg, err := config.Parse(fmt.Appendf(nil, `
sources: [{site: nhs-jobs, base: %q, spacing: 1ms, poll_min: 1s, first_run: announce}]
channels: [{name: mail, email: {host: 127.0.0.1, port: %s, tls: none, from: "a@vacancywatch.example"}}]
searches:
- {id: all, bands: [%s], internal: true, unstated: {band: true}, notify: [{channel: mail, to: canary.reader@reader.example, daily_cap: 0}]}
`, server.URL, port, strings.Join(vacancy.Bands(), ", ")), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	log := new(bytes.Buffer)
	cfg.Log.Level = "debug"
	a, err := newApp(t.Context(), cfg, newLogger(log, cfg.Log))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.close() })
	if err := a.once(&env{ctx: t.Context(), stdout: log, stderr: log}); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	return a, box, log
}

// Nine adverts in ten name a person with an address and a telephone number.
// They are dropped while reading: no record, event, mail or log holds them.
// Readers' addresses are in no log.
func TestNobodyIsNamed(t *testing.T) {
	w := world.New(3)
	var adverts []*world.Advert
	var planted []string
	for i := range 60 {
		a := w.Make(uint64(100+i), time.Now(), 14+i%7)
		a.Posted = time.Time{}
		a.Contact = world.Contact{Role: "Ward Manager", Name: fmt.Sprintf("Wilhelmina Planted%d", i),
			Email: fmt.Sprintf("w.planted%d@trust.example", i), Phone: fmt.Sprintf("020 7946 0%03d", i)}
		a.ContactInSummary = i%2 == 0
		a.HeadingsOnly = i%3 == 0
		planted = append(planted, a.Contact.Name, a.Contact.Email, a.Contact.Phone)
		adverts = append(adverts, a)
	}
	a, box, log := crawled(t, adverts)

	holdings := map[string]string{"the log": log.String()}
	records := 0
	err := a.store.Vacancies(t.Context(), func(r vacancy.Record) error {
		records++
		b, err := json.Marshal(r)
		holdings["the record of "+r.Vacancy.Reference] = string(b)
		return err
	})
	if err != nil || records != len(adverts) {
		t.Fatalf("%d records, want %d: %v", records, len(adverts), err)
	}
	err = a.store.Events(t.Context(), time.Time{}, func(e vacancy.Event) error {
		b, err := json.Marshal(e)
		holdings["event "+e.ID()] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	mails := box.Mails()
	if len(mails) != len(adverts) {
		t.Errorf("%d mails, want one for each of %d adverts", len(mails), len(adverts))
	}
	for _, m := range mails {
		holdings["mail "+m.MessageID] = m.Text + m.HTML + string(m.Raw)
	}
	for where, text := range holdings {
		for _, p := range planted {
			if strings.Contains(text, p) {
				t.Errorf("%s holds %q", where, p)
			}
		}
	}
	if strings.Contains(log.String(), "canary.reader") {
		t.Errorf("the log holds a reader's address:\n%s", log)
	}
}

// One list holds the names of all metrics, so that a renamed one shows: rules
// and dashboards lean on them. Labels are closed lists, so that a heavy day
// cannot make them grow.
func TestMetricNames(t *testing.T) {
	a, _, _ := crawled(t, []*world.Advert{demoSecretary(0, time.Now())})
	families, err := a.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	series := 0
	for _, f := range families {
		series += len(f.Metric)
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if strings.Contains(l.GetValue(), "canary.reader") || strings.Contains(l.GetValue(), "http") {
					t.Errorf("%s has the label %s=%q", f.GetName(), l.GetName(), l.GetValue())
				}
			}
		}
		if !strings.HasPrefix(f.GetName(), "vacancywatch_") {
			continue
		}
		var labels []string
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		got = append(got, fmt.Sprintf("%s %s {%s}", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, ",")))
	}
	slices.Sort(got)
	text := strings.Join(got, "\n") + "\n"
	file := filepath.Join("testdata", "metrics.txt")
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("metrics changed (-want +got); if that is meant, run this test with -update:\n%s", diff)
	}
	if series > 1500 {
		t.Errorf("%d series, want at most 1,500", series)
	}
}

// A second daemon on the same data folder is refused with words, and does not
// disturb the first.
func TestTwoDaemons(t *testing.T) {
	a, _, _ := crawled(t, nil)
	cfg := *a.cfg
	second, err := newApp(t.Context(), &cfg, a.log)
	if err == nil {
		second.close()
		t.Fatal("a second daemon has opened the same folder")
	}
	if want := "is used by another vacancywatch"; !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want it to say %q", err, want)
	}
	if _, err := a.store.Counts(t.Context(), time.Now()); err != nil {
		t.Errorf("the first daemon was disturbed: %v", err)
	}
}
