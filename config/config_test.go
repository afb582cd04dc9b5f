package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

// The reference file is what people copy: it must load, and mean what it says.
func TestReferenceFile(t *testing.T) {
	c, err := Load("../deploy/vacancywatch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Data, filepath.Join("..", "deploy", "data"); got != want {
		t.Errorf("data folder %q, want %q, relative to the file", got, want)
	}
	src := c.Sources[0]
	if src.PollsPerDay != 180 || src.PollMin != 2*time.Minute || src.Spacing != 2*time.Second || src.RequestsPerDay != 4000 || src.FirstRun != "baseline" {
		t.Errorf("defaults of the source are not those that the file names: %+v", src)
	}
	got := c.VacancySearches(gazetteer.Default())
	if len(got) != 2 {
		t.Fatalf("got %d searches, want 2", len(got))
	}
	if want := "band 4, within 10 miles of E1 6, Oncology (medical and clinical)"; got[0].Describe() != want {
		t.Errorf("the first search is %q, want %q", got[0].Describe(), want)
	}
	want := []vacancy.Notify{{Channel: "mail", To: "sam@example.org", Rhythm: vacancy.Daily, Hour: 7}}
	if diff := cmp.Diff(want, got[1].Notify); diff != "" {
		t.Errorf("notify of the second search (-want +got):\n%s", diff)
	}
	if !got[1].Unstated["band"] || got[1].MinSalary != 30000 || !cmp.Equal(got[1].Bands, []string{"5", "6"}) {
		t.Errorf("the second search was not read whole: %+v", got[1])
	}
}

// An empty file is a good one: NHS Jobs, embedded state, nobody to tell. It
// lacks the contact alone.
func TestEmptyFile(t *testing.T) {
	_, err := Parse(nil, ".")
	want := "configuration: contact: page and mail are missing: a site that is not on this machine (www.jobs.nhs.uk) is only crawled by somebody whom it can reach"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A section that is named and left empty has its defaults all the same.
func TestEmptySections(t *testing.T) {
	c, err := Parse([]byte("listen:\nlog:\ncontact:\nredis:\nsearches:\n"+local), "/x")
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen.Admin != "127.0.0.1:9464" || c.Log.Level != "info" || c.Data != "/x/data" || c.Redis != nil {
		t.Errorf("got %+v", c)
	}
}

const local = "sources: [{base: \"http://127.0.0.1:1\"}]\n"

// Each fault is named with its place and with what to do.
func TestFaults(t *testing.T) {
	mail := "channels: [{name: mail, email: {host: 127.0.0.1, tls: none, from: a@example.org}}]\n"
	search := func(s string) string {
		return local + mail + "searches:\n- {id: a, bands: [5], notify: [{channel: mail, to: a@example.org}]" + s + "}\n"
	}
	hook := "channels: [{name: hook, webhook: {url: \"https://hooks.example.org/x\", secret_file: \"" + secretFile(t) + "\"}}]\n"
	notify := func(s string) string {
		return local + mail + "searches: [{id: a, bands: [5], notify: [{channel: mail, to: a@example.org, " + s + "}]}]\n"
	}
	for name, tt := range map[string]struct{ in, want string }{
		"unknown key":            {local + "sorces: []\n", `unknown field "sorces"`},
		"unknown nested key":     {"sources: [{bse: x}]\n", `unknown field "bse"`},
		"plain password":         {local + "channels: [{name: m, email: {host: h, password: hunter2}}]\n", `unknown field "password"`},
		"second document":        {local + "---\ndata: x\n", "second document"},
		"site":                   {"sources: [{site: nhs}]\n", `sources[0]: site "nhs" is unknown: use nhs-jobs or nhs-scotland (experimental)`},
		"experimental site":      {"contact: {page: \"https://example.org\", mail: a@example.org}\nsources: [{site: nhs-scotland}]\n", `sources[0] (nhs-scotland): site "nhs-scotland" is experimental: its reader was written from what others tell of the site and never compared with its real pages, so vacancies may be missed or misread; to crawl it all the same, say experimental: true`},
		"public without contact": {"sources: [{base: \"https://example.org\"}]\n", "contact: page and mail are missing"},
		"source twice":           {"sources: [{base: \"http://127.0.0.1:1\"}, {base: \"http://127.0.0.1:2\"}]\n", `sources[1]: the name "nhs-jobs" is used twice: vacancies are remembered under it, so give each source a name of its own`},
		"poll too often":         {"contact: {page: \"https://example.org\", mail: a@example.org}\nsources: [{poll_min: 30s}]\n", "poll_min 30s"},
		"spacing too small":      {"contact: {page: \"https://example.org\", mail: a@example.org}\nsources: [{spacing: 900ms}]\n", "spacing 900ms: give 1s to 1m"},
		"base with a path":       {"sources: [{base: \"http://127.0.0.1:1/x\"}]\n", "is not a scheme and a host"},
		"log level":              {local + "log: {level: loud}\n", `log.level: "loud" is unknown: use debug, info, warn or error`},
		"redis twice":            {local + "redis: {url: \"redis://a\", cluster: [\"b:1\"]}\n", "redis: give exactly one of"},
		"redis password":         {local + "redis: {url: \"redis://:pw@a\"}\n", "redis.url: holds a password: put the whole address into a file"},
		"public url http":        {local + "listen: {public_url: \"http://example.org\"}\n", "listen.public_url: must be https"},
		"listen":                 {local + "listen: {admin: 9464}\n", `listen.admin: "9464" is not an address`},
		"channel rate":           {local + "channels: [{name: m, rate: 0.001, email: {host: 127.0.0.1, port: 25, tls: none, from: a@example.org}}]\n", "channels[0] (m): rate 0.001: give 0.01 to 1000 messages a second, or leave it out"},
		"channel kind":           {local + "channels: [{name: m}]\n", "channels[0] (m): give exactly one of email, webhook, slack, teams, discord, telegram and ntfy"},
		"channel name":           {local + "channels: [{name: My Mail, email: {host: 127.0.0.1, tls: none, from: a@example.org}}]\n", "use 1 to 40 lower-case letters"},
		"no such channel":        {local + "searches: [{id: a, bands: [5], notify: [{channel: fax}]}]\n", `searches[0] (a): notify[0]: there is no channel "fax"`},
		"id twice":               {search("") + "- {id: a, bands: [6], notify: [{channel: mail, to: a@example.org}]}\n", "searches[1] (a): the id is used twice"},
		"band":                   {search(", staff_groups: [12]"), `searches[0] (a): staff group "12" is unknown`},
		"place":                  {search(", places: [{near: Newprt}]"), `searches[0] (a): places:`},
		"radius":                 {search(", places: [{near: Leeds, miles: 200}]"), "200 miles: give a radius from 1 to 100 miles"},
		"specialty":              {search(", specialties: [oncologi]"), `specialty "oncologi" is unknown: did you mean oncology`},
		"keywords":               {search(`, keywords: "nurse AND ("`), "searches[0] (a): keywords:"},
		"nowhere":                {search(", places: [{miles: 3}]"), "names no place"},
		"home and miles":         {search(", places: [{remote: true, miles: 3}]"), "names no place"},
		"months":                 {search(", min_months: 12, max_months: 6"), "this can never match: no contract lasts at least 12 months and at most 6 months"},
		"event":                  {search(", events: [gone]"), `event "gone" is unknown`},
		"unstated":               {search(", unstated: {colour: true}"), `there is no criterion "colour"`},
		"no notify":              {local + mail + "searches: [{id: a, bands: [5]}]\n", "notify is missing: nobody would be told"},
		"no address":             {local + mail + "searches: [{id: a, bands: [5], notify: [{channel: mail}]}]\n", "to is not a mail address"},
		"asks for nothing":       {local + mail + "searches: [{id: a, notify: [{channel: mail, to: a@example.org}]}]\n", "asks for nothing that narrows it"},
		"rhythm":                 {local + mail + "searches: [{id: a, bands: [5], notify: [{channel: mail, to: a@example.org, rhythm: monthly}]}]\n", `rhythm "monthly" is unknown`},
		"day":                    {notify("rhythm: weekly, day: mon"), `searches[0] (a): notify[0]: day "mon": give one of monday, tuesday`},
		"day of a daily mail":    {notify("rhythm: daily, day: monday"), "day is for rhythm: weekly"},
		"hour of an hourly mail": {notify("rhythm: hourly, hour: 8"), "hour is for rhythm: daily or weekly"},
		"half of quiet":          {notify("quiet: {from: 22}"), "quiet: give both from and to"},
		"quiet that is none":     {notify("quiet: {from: 7, to: 7}"), "from and to are the same hour"},
		"quiet too long":         {notify("quiet: {from: 20, to: 9}"), "quiet: from 20 to 9: give at least an hour and at most 12"},
		"quiet at one":           {notify("quiet: {from: 22, to: 1}"), "quiet: to 1: give 0 to 23, but not 1"},
		"quiet of a daily mail":  {notify("rhythm: daily, quiet: {from: 22, to: 7}"), "quiet is for rhythm: instant or hourly"},
		"cap":                    {notify("daily_cap: -1"), "daily_cap -1: give 1 to 100, or 0 for no cap"},
		"cap of a daily mail":    {notify("rhythm: daily, daily_cap: 5"), "daily_cap is for rhythm: instant"},
		"reminder":               {notify("remind_days: 15"), "remind_days 15: give 1 to 14"},
		"quiet webhook":          {local + hook + "searches: [{id: a, bands: [5], notify: [{channel: hook, quiet: {from: 22, to: 7}}]}]\n", "quiet, daily_cap and remind_days are for mail"},
		"hour that is missing":   {local + mail + "searches: [{id: a, bands: [5], notify: [{channel: mail, to: a@example.org, rhythm: daily, hour: 1}]}]\n", "hour 1: give 0 to 23, but not 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(tt.in), t.TempDir())
			if err == nil {
				t.Fatalf("no error, want one with %q", tt.want)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want it to say %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "example.org]") {
				t.Errorf("the message prints what stands around the fault: %q", err)
			}
		})
	}
}

func secretFile(t *testing.T) string {
	t.Helper()
	f := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(f, []byte("whsec_"+strings.Repeat("A", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

// What a notify leaves out has its default, by its rhythm.
func TestNotifyDefaults(t *testing.T) {
	const head = local + "channels: [{name: mail, email: {host: 127.0.0.1, tls: none, from: a@example.org}}]\n" +
		"searches: [{id: a, bands: [5], notify: [{channel: mail, to: a@example.org"
	for in, want := range map[string]vacancy.Notify{
		"":                              {Rhythm: vacancy.Instant},
		", daily_cap: 0":                {Rhythm: vacancy.Instant},
		", quiet: {from: 0, to: 7}":     {Rhythm: vacancy.Instant, Quiet: vacancy.Quiet{To: 7}},
		", rhythm: hourly":              {Rhythm: vacancy.Hourly},
		", rhythm: daily":               {Rhythm: vacancy.Daily, Hour: 8},
		", rhythm: daily, hour: 0":      {Rhythm: vacancy.Daily},
		", rhythm: weekly":              {Rhythm: vacancy.Weekly, Hour: 8, Day: "monday"},
		", rhythm: weekly, day: Sunday": {Rhythm: vacancy.Weekly, Hour: 8, Day: "sunday"},
		", remind_days: 3":              {Rhythm: vacancy.Instant, RemindDays: 3},
	} {
		c, err := Parse([]byte(head+in+"}]}]\n"), ".")
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		want.Channel, want.To = "mail", "a@example.org"
		if diff := cmp.Diff([]vacancy.Notify{want}, c.VacancySearches(gazetteer.Default())[0].Notify); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
}

// An experimental site is crawled where somebody says so, and one site twice
// where each source has a name of its own.
func TestExperimentalSite(t *testing.T) {
	c, err := Parse([]byte("contact: {page: \"https://example.org\", mail: a@example.org}\n"+
		"sources: [{}, {name: again}, {site: nhs-scotland, experimental: true}]\n"), ".")
	if err != nil {
		t.Fatal(err)
	}
	got := c.Sources[2].Source("vacancywatch/test")
	if got.Name != "nhs-scotland" || !got.Site.Experimental || got.Base != "https://apply.jobs.scot.nhs.uk" {
		t.Errorf("got %+v", got)
	}
	if c.Sources[0].Name != "nhs-jobs" || c.Sources[1].Name != "again" || c.Sources[1].Site != "nhs-jobs" {
		t.Errorf("got %+v", c.Sources)
	}
}

// The reference file shows the experimental site as a comment. Uncommented and
// with a contact, it loads.
func TestReferenceExperimental(t *testing.T) {
	b, err := os.ReadFile("../deploy/vacancywatch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for comment, line := range map[string]string{"#  - site: nhs-scotland": "  - site: nhs-scotland", "#    experimental: true": "    experimental: true",
		"  page: \"\"": "  page: https://example.org", "  mail: \"\"": "  mail: a@example.org"} {
		if strings.Count(text, comment) != 1 {
			t.Fatalf("the file holds %q %d times, want once", comment, strings.Count(text, comment))
		}
		text = strings.Replace(text, comment, line, 1)
	}
	c, err := Parse([]byte(text), ".")
	if err != nil || len(c.Sources) != 2 || c.Sources[1].Site != "nhs-scotland" {
		t.Errorf("got %v", err)
	}
}

// What the reference file shows as a comment about places, bands and durations
// means what it says.
func TestReferenceComments(t *testing.T) {
	b, err := os.ReadFile("../deploy/vacancywatch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, line := range []string{"  - {near: Kent}", "  - {near: East Midlands}", "  - {near: remote}", "  - {near: Hull, miles: 5, remote: true}",
		"bands: [4, unstated]", "min_months: 6", "max_months: 24"} {
		comment := "    # " + line
		if strings.HasPrefix(line, "  ") {
			comment = "      # " + line[2:]
		}
		if strings.Count(text, comment) != 1 {
			t.Fatalf("the file holds %q %d times, want once", comment, strings.Count(text, comment))
		}
		text = strings.Replace(text, comment, "    "+line, 1)
	}
	text = strings.Replace(text, "    bands: [4]\n", "", 1)
	c, err := Parse([]byte(text), ".")
	if err != nil {
		t.Fatal(err)
	}
	got := c.VacancySearches(gazetteer.Default())
	want := []string{
		"band 4 or no band stated, within 10 miles of E1 6 or in Kent or in East Midlands or work from home or within 5 miles of Hull or from home, Oncology (medical and clinical)",
		"for 6 to 24 months",
	}
	if got[0].Describe() != want[0] {
		t.Errorf("the first search is %q,\nwant %q", got[0].Describe(), want[0])
	}
	if !strings.Contains(got[1].Describe(), want[1]) {
		t.Errorf("the second search is %q, want it to say %q", got[1].Describe(), want[1])
	}
}

// imports are postcodes as an import may hold them.
type imports map[string]gazetteer.Point

func (m imports) Lookup(code string) (gazetteer.Point, string, bool) {
	p, ok := m[code]
	return p, gazetteer.NorthernIreland, ok
}

// Imported postcodes refine a place where the built-in tables have no point,
// and change no other.
func TestPlaces(t *testing.T) {
	with := gazetteer.Default().With(imports{"BT9 6": {Lat: 54.58, Lon: -5.94}, "E1 6": {Lat: 50, Lon: -5}})
	for _, tt := range []struct {
		in                Place
		builtIn, imported string
	}{
		{Place{Near: "E1 6AN"}, "within 10 miles of E1 6", "within 10 miles of E1 6"},
		{Place{Near: "Leeds", Miles: 3}, "within 3 miles of Leeds", "within 3 miles of Leeds"},
		{Place{Near: "BT9 6AY"}, "in Northern Ireland", "within 10 miles of BT9 6"},
		{Place{Near: "BT9 6AY", Miles: 4, Remote: true}, "in Northern Ireland or from home", "within 4 miles of BT9 6 or from home"},
		{Place{Near: "Belfast"}, "in Northern Ireland", "in Northern Ireland"},
		{Place{Near: "Kent"}, "in Kent", "in Kent"},
		{Place{Near: "remote"}, "work from home", "work from home"},
		{Place{Remote: true}, "work from home", "work from home"},
	} {
		var got []vacancy.Search
		for _, g := range []*gazetteer.Gazetteer{gazetteer.Default(), with} {
			s, err := (&Search{ID: "a", Places: []Place{tt.in}}).search(nil, g)
			if err != nil {
				t.Fatalf("%+v: %v", tt.in, err)
			}
			got = append(got, s)
		}
		if got[0].Describe() != tt.builtIn || got[1].Describe() != tt.imported {
			t.Errorf("%+v is %q, with an import %q; want %q and %q", tt.in, got[0].Describe(), got[1].Describe(), tt.builtIn, tt.imported)
		}
		if tt.builtIn == tt.imported && !cmp.Equal(got[0].Places, got[1].Places) {
			t.Errorf("%+v is %+v, with an import %+v", tt.in, got[0].Places, got[1].Places)
		}
	}
}

// Every fault is told at once, each on a line of its own that names the file.
func TestAllFaultsAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(file, []byte("log: {level: loud, format: xml}\n"+local), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(file)
	want := file + ": log.level: \"loud\" is unknown: use debug, info, warn or error\n" +
		file + ": log.format: \"xml\" is unknown: use text or json"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestSecretsFromTheEnvironment(t *testing.T) {
	in := local + "channels: [{name: ward-board, webhook: {url: \"https://example.org/h\"}}]\n"
	if _, err := Parse([]byte(in), "."); err == nil || !strings.Contains(err.Error(), "secret_file") {
		t.Errorf("a webhook without a secret: got %v", err)
	}
	t.Setenv("VACANCYWATCH_SECRET_WARD_BOARD", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if _, err := Parse([]byte(in), "."); err != nil {
		t.Errorf("with the secret in the environment: %v", err)
	}
	t.Setenv("VACANCYWATCH_REDIS_URL", "redis://127.0.0.1:6379/0")
	c, err := Parse([]byte(local), ".")
	if err != nil || c.Redis == nil {
		t.Fatalf("redis from the environment: %+v, %v", c, err)
	}
	if opts, err := c.Redis.Options(); err != nil || opts.URL != "redis://127.0.0.1:6379/0" {
		t.Errorf("got %+v, %v", opts, err)
	}
}

// Whatever stands in the file, reading it ends with a configuration or a
// message, never with a panic.
func FuzzParse(f *testing.F) {
	b, err := os.ReadFile("../deploy/vacancywatch.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(local))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := Parse(b, "."); err == nil {
			c.VacancySearches(gazetteer.Default())
		}
	})
}
