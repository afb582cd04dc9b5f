package web

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A diary is what is remembered of vacancies and of what happened to them.
type diary struct {
	records []vacancy.Record
	events  []vacancy.Event
}

func (d *diary) History(_ context.Context, key vacancy.Key) (*vacancy.Record, []vacancy.Event, []vacancy.Record, error) {
	i := slices.IndexFunc(d.records, func(r vacancy.Record) bool { return r.Vacancy.Key() == key })
	if i < 0 {
		return nil, nil, nil, nil
	}
	events := slices.DeleteFunc(slices.Clone(d.events), func(e vacancy.Event) bool { return e.Vacancy.Key() != key })
	return &d.records[i], events, nil, nil
}

func (d *diary) Happened(_ context.Context, since time.Time, f func(vacancy.Event) error) error {
	for _, e := range d.events {
		if e.At.Before(since) {
			continue
		}
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

func (d *diary) Moves(_ context.Context, versions map[vacancy.Key]int) (map[vacancy.Key]int, error) {
	out := map[vacancy.Key]int{}
	for _, e := range d.events {
		if key := e.Vacancy.Key(); versions[key] >= e.Version && e.Kind != vacancy.New && e.Kind != vacancy.Amended {
			out[key]++
		}
	}
	return out, nil
}

// happens adds an event, as the store's log would.
func (d *diary) happens(i int, kind vacancy.Kind, at time.Time, changes ...vacancy.Change) {
	r := &d.records[i]
	if kind != vacancy.New {
		r.Version++
	}
	d.events = append(d.events, vacancy.Event{Kind: kind, Version: r.Version, At: at, Vacancy: r.Vacancy, Changes: changes})
}

// hostileAdvert is what an advert may hold to break out of a feed or a calendar.
const hostileAdvert = "Nurse ]]></title><script>alert(1)</script>\r\nATTENDEE:mailto:x@evil.example\x00\x0b & \"x\" \u2028; a, b\\n"

// newDiary holds two nurses of Leeds and a hostileAdvert advert.
func newDiary(now time.Time) *diary {
	d := &diary{records: nurses(3, now)}
	d.records[2].Vacancy.Title = hostileAdvert + strings.Repeat("long ", 2000)
	d.records[2].Vacancy.Employer = hostileAdvert
	d.records[2].Vacancy.URL = "javascript:alert(1)"
	for i := range d.records {
		d.records[i].Version = 1
		d.happens(i, vacancy.New, d.records[i].Vacancy.FirstSeen)
	}
	return d
}

// feeding is a public site with feeds of a search for Leeds, s1, of generation 1.
func feeding(t *testing.T, d *diary) (*fixture, FeedLinks) {
	t.Helper()
	f := newFixture(t, func(o *PublicOptions) {
		o.Previews, o.Records = &shelf{records: d.records}, d
		o.Feeds = &Feeds{URL: "https://alerts.example.org", Search: func(_ context.Context, id string) (vacancy.Search, uint32, bool, error) {
			s := vacancy.Search{ID: id, Bands: []string{"5"}, Created: noon}
			return s, 1, id == "s1", s.Prepare()
		}}
	})
	return f, f.tokens.Links("s1", 1)
}

type atomFeed struct {
	XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Author  []string `xml:"author>name"`
	Links   []struct {
		Href string `xml:"href,attr"`
		Rel  string `xml:"rel,attr"`
	} `xml:"link"`
	Entries []struct {
		ID      string `xml:"id"`
		Title   string `xml:"title"`
		Updated string `xml:"updated"`
		Links   []struct {
			Href string `xml:"href,attr"`
		} `xml:"link"`
		Content struct {
			Type string `xml:"type,attr"`
			Text string `xml:",chardata"`
		} `xml:"content"`
	} `xml:"entry"`
}

// What RFC 4287 asks of a feed, and what a reader's program leans on.
func TestAtom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		d := newDiary(time.Now())
		f, links := feeding(t, d)
		get := func() atomFeed {
			t.Helper()
			w := do(f.handler, "GET", "/"+string(links.Atom), "")
			if w.Code != 200 || w.Header().Get("Content-Type") != "application/atom+xml; charset=utf-8" {
				t.Fatalf("got %d, %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
			}
			var feed atomFeed
			if err := xml.Unmarshal(w.Body.Bytes(), &feed); err != nil {
				t.Fatalf("no XML: %v\n%s", err, w.Body)
			}
			return feed
		}
		feed := get()
		if feed.ID == "" || feed.Title == "" || len(feed.Author) == 0 || feed.Author[0] == "" {
			t.Errorf("id, title or author is missing: %+v", feed)
		}
		if len(feed.Links) != 1 || feed.Links[0].Rel != "self" || feed.Links[0].Href != "https://alerts.example.org/"+string(links.Atom) {
			t.Errorf("links: %+v", feed.Links)
		}
		if len(feed.Entries) != 3 {
			t.Fatalf("%d entries, want 3", len(feed.Entries))
		}
		before := map[string]bool{}
		for _, e := range feed.Entries {
			if _, err := time.Parse(time.RFC3339, e.Updated); err != nil || before[e.ID] || !strings.HasPrefix(e.ID, "tag:alerts.example.org,2026:event/") {
				t.Errorf("entry %q updated %q: %v", e.ID, e.Updated, err)
			}
			before[e.ID] = true
			if strings.Contains(e.Content.Text, "<script") || e.Content.Type != "html" || len(e.Title) > 2000 {
				t.Errorf("entry %.80q has content %q of type %q", e.Title, e.Content.Text, e.Content.Type)
			}
			for _, l := range e.Links {
				if !strings.HasPrefix(l.Href, "https://") {
					t.Errorf("entry %.80q leads to %q", e.Title, l.Href)
				}
			}
		}
		if feed.Updated != feed.Entries[0].Updated {
			t.Errorf("updated %s, want that of the newest entry, %s", feed.Updated, feed.Entries[0].Updated)
		}
		time.Sleep(2 * time.Minute) // a new board
		d.happens(0, vacancy.ClosingMoved, time.Now(), vacancy.Change{Field: "closing", Before: "2026-11-24", After: "2026-12-01"})
		get() // an old board is shown while the next one is read
		time.Sleep(time.Second)
		after := get()
		if len(after.Entries) != 4 {
			t.Fatalf("%d entries after an event, want 4", len(after.Entries))
		}
		if before[after.Entries[0].ID] {
			t.Error("the new entry has an old id")
		}
		for _, e := range after.Entries[1:] {
			if !before[e.ID] {
				t.Errorf("the id %q is another than before", e.ID)
			}
		}
		time.Sleep(time.Hour)
	})
}

// What JSON Feed 1.1 asks, in all of it.
func TestJSONFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		f, links := feeding(t, newDiary(time.Now()))
		w := do(f.handler, "GET", "/"+string(links.JSON), "")
		var feed struct {
			Version, Title string
			FeedURL        string `json:"feed_url"`
			Items          []struct {
				ID, URL string
				HTML    string `json:"content_html"`
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &feed); err != nil || w.Header().Get("Content-Type") != "application/feed+json; charset=utf-8" {
			t.Fatalf("%v, %s: %s", err, w.Header().Get("Content-Type"), w.Body)
		}
		if feed.Version != "https://jsonfeed.org/version/1.1" || feed.Title == "" || feed.FeedURL != "https://alerts.example.org/"+string(links.JSON) || len(feed.Items) != 3 {
			t.Errorf("got %+v", feed)
		}
		for _, it := range feed.Items {
			if it.ID == "" || it.HTML == "" || strings.Contains(it.HTML, "<script") || !strings.HasPrefix(it.URL, "https://") {
				t.Errorf("item %+v", it)
			}
		}
		time.Sleep(time.Hour)
	})
}

// The calendar by the rules of RFC 5545, and as a program reads it.
func TestCalendar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		d := newDiary(time.Now())
		f, links := feeding(t, d)
		get := func() map[string]*ics.VEvent {
			t.Helper()
			w := do(f.handler, "GET", "/"+string(links.Calendar), "")
			if w.Code != 200 || w.Header().Get("Content-Type") != "text/calendar; charset=utf-8" {
				t.Fatalf("got %d: %s", w.Code, w.Body)
			}
			body := w.Body.String()
			for _, line := range strings.Split(strings.TrimSuffix(body, "\r\n"), "\r\n") {
				if len(line) > 75 || strings.ContainsAny(line, "\r\n\x00\x0b") || strings.HasPrefix(line, "ATTENDEE") {
					t.Errorf("line of %d octets: %q", len(line), line)
				}
			}
			cal, err := ics.ParseCalendar(strings.NewReader(body))
			if err != nil {
				t.Fatalf("no calendar: %v\n%s", err, body)
			}
			out := map[string]*ics.VEvent{}
			for _, e := range cal.Events() {
				out[e.Id()] = e
			}
			return out
		}
		value := func(e *ics.VEvent, p ics.ComponentProperty) string {
			if got := e.GetProperty(p); got != nil {
				return got.Value
			}
			return ""
		}
		const uid = "C9001-26-0001@alerts.example.org"
		before := get()
		if len(before) != 3 || before[uid] == nil {
			t.Fatalf("events: %v", before)
		}
		if got := value(before[uid], ics.ComponentPropertyDtStart); got != vacancy.LondonDay(noon).Add(1).UTC().Format("20060102") {
			t.Errorf("it begins on %s", got)
		}
		if got := value(before[uid], ics.ComponentPropertySequence); got != "0" {
			t.Errorf("sequence %s, want 0", got)
		}
		time.Sleep(2 * time.Minute)
		d.records[1].Vacancy.Closing = vacancy.LondonDay(noon).Add(9)
		d.happens(1, vacancy.ClosingMoved, time.Now(), vacancy.Change{Field: "closing", Before: "2026-11-25", After: "2026-12-03"})
		d.records[0].Closed, d.records[0].ClosedAt = vacancy.Early, time.Now()
		d.happens(0, vacancy.Closed, time.Now())
		get() // an old board is shown while the next one is read
		time.Sleep(time.Second)
		after := get()
		if got := value(after[uid], ics.ComponentPropertySequence); got != "1" || len(after) != 3 {
			t.Errorf("sequence %s of %d events, want 1 of 3", got, len(after))
		}
		if got := value(after["C9001-26-0000@alerts.example.org"], ics.ComponentPropertyStatus); got != "CANCELLED" {
			t.Errorf("a vacancy that closed early is %s", got)
		}
		time.Sleep(time.Hour)
	})
}

// Links work for as long as they should, and a reader that has the newest is
// told so.
func TestFeedLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		f, links := feeding(t, newDiary(time.Now()))
		revoked, ended := f.tokens.Links("s1", 0), f.tokens.Links("s2", 1)
		for path, want := range map[string]int{
			string(links.Atom): 200, string(links.JSON): 200, string(links.Calendar): 200,
			string(revoked.Atom): 410, string(ended.JSON): 410, string(revoked.Calendar): 410,
			"f/x.atom": 404, "c/x.ics": 404, strings.TrimSuffix(string(links.Atom), ".atom"): 404,
			"f/" + strings.TrimPrefix(strings.Replace(string(links.Calendar), ".ics", ".atom", 1), "c/"): 404, // of another kind
		} {
			if w := do(f.handler, "GET", "/"+path, ""); w.Code != want {
				t.Errorf("%s: got %d, want %d", path, w.Code, want)
			}
			if w := do(f.handler, "POST", "/"+path, ""); w.Code != http.StatusMethodNotAllowed {
				t.Errorf("POST %s: got %d", path, w.Code)
			}
		}
		w := do(f.handler, "GET", "/"+string(links.Atom), "")
		tag := w.Header().Get("ETag")
		if tag == "" || strings.HasPrefix(tag, "W/") || w.Header().Get("Cache-Control") != keepFeed {
			t.Errorf("ETag %s, Cache-Control %s", tag, w.Header().Get("Cache-Control"))
		}
		if w := do(f.handler, "GET", "/"+string(links.Atom), "", "If-None-Match", tag); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
			t.Errorf("the same again: %d with %d bytes", w.Code, w.Body.Len())
		}
		if strings.Contains(f.log.String(), "f/") {
			t.Errorf("the log holds a link: %s", f.log)
		}
		time.Sleep(time.Hour)
	})
}

// A vacancy's page tells its facts and what happened to it, and no more.
func TestVacancyPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(noon))
		d := newDiary(time.Now())
		d.records[0].Text.Summary, d.records[0].Text.Duties = "SECRETTEXT", "SECRETTEXT"
		d.happens(0, vacancy.ClosingMoved, time.Now(), vacancy.Change{Field: "closing", Before: "2026-11-24", After: "2026-12-01"})
		f, _ := feeding(t, d)
		for path, tt := range map[string]struct {
			code int
			says []string
		}{
			"/v/nhs-jobs/C9001-26-0000":               {200, []string{"Staff Nurse 0", "Aire NHS Trust", "Leeds", "24 November 2026", "1 December 2026", "https://www.jobs.nhs.uk/candidate/jobadvert/C9001-26-0000"}},
			"/v/nhs-jobs/C9001-26-0002":               {200, []string{"&lt;script&gt;"}},
			"/v/nhs-jobs/none":                        {404, nil},
			"/v/other/C9001-26-0000":                  {404, nil},
			"/v/nhs-jobs/" + strings.Repeat("x", 300): {404, nil},
			"/e/C9001":                           {200, []string{"Staff Nurse 0", "Staff Nurse 1"}},
			"/e/none":                            {404, nil},
			"/e/C9001?page=99999999999999999999": {200, nil},
		} {
			w := do(f.handler, "GET", path, "")
			page := w.Body.String()
			if w.Code != tt.code {
				t.Errorf("%.60s: got %d, want %d", path, w.Code, tt.code)
			}
			checkPage(t, page)
			if tt.code == 200 && w.Header().Get("Cache-Control") == "no-store" || w.Header().Get("Content-Security-Policy") == "" {
				t.Errorf("%s: headers %v", path, w.Header())
			}
			for _, says := range tt.says {
				if !strings.Contains(page, says) {
					t.Errorf("%s does not say %q:\n%s", path, says, page)
				}
			}
			for _, no := range []string{"SECRETTEXT", "<script", `href="javascript:`} {
				if strings.Contains(page, no) {
					t.Errorf("%s holds %q", path, no)
				}
			}
		}
		time.Sleep(time.Hour)
	})
}

// Whatever an advert says, the three writers make what their readers read.
func FuzzFeeds(f *testing.F) {
	f.Add(hostileAdvert, "Leeds LS1 3EX", "https://www.jobs.nhs.uk/x")
	f.Add("\xff\xfe", "\r\n", "javascript:x")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, title, employer, url string) {
		d := &diary{records: nurses(1, noon)}
		r := &d.records[0]
		r.Version, r.Vacancy.Title, r.Vacancy.Employer, r.Vacancy.URL = 1, title, employer, url
		r.Vacancy.Closing = vacancy.LondonDay(time.Now()).Add(7)
		r.Vacancy.FirstSeen, r.Vacancy.Posted = time.Now().Add(-time.Hour), vacancy.AtTime(time.Now().Add(-time.Hour))
		d.happens(0, vacancy.New, r.Vacancy.FirstSeen)
		fx, links := feeding(&testing.T{}, d)
		var feed atomFeed
		if w := do(fx.handler, "GET", "/"+string(links.Atom), ""); xml.Unmarshal(w.Body.Bytes(), &feed) != nil || len(feed.Entries) != 1 {
			t.Errorf("Atom, %d: %s", w.Code, w.Body)
		}
		if w := do(fx.handler, "GET", "/"+string(links.JSON), ""); !json.Valid(w.Body.Bytes()) {
			t.Errorf("JSON: %s", w.Body)
		}
		w := do(fx.handler, "GET", "/"+string(links.Calendar), "")
		cal, err := ics.ParseCalendar(strings.NewReader(w.Body.String()))
		if err != nil || len(cal.Events()) != 1 {
			t.Errorf("calendar: %v\n%s", err, w.Body)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(w.Body.String(), "\r\n"), "\r\n") {
			if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
				t.Errorf("a line of %d octets: %q", len(line), line)
			}
		}
	})
}
