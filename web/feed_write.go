package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/feeds"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// host is the name under which ids are ours: that of the pages.
func (f *Feeds) host() string {
	u, err := url.Parse(f.URL)
	if err != nil || u.Hostname() == "" {
		return "vacancywatch.invalid"
	}
	return strings.ReplaceAll(u.Hostname(), ":", "-") // of an IPv6 address
}

// tag is an id by RFC 4151, the same for ever. Its year is when we began to
// make them, and stays.
func (f *Feeds) tag(parts ...string) string {
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "tag:" + f.host() + ",2026:" + strings.Join(parts, "/")
}

func feedTitle(s *vacancy.Search) string { return "Vacancies: " + tidy(s.Describe(), maxWords) }

// entryTitle begins with what a reader wants to know first.
func (e *found) title() string {
	title := titleOf(e.vacancy)
	if employer := tidy(e.vacancy.Employer, maxWords); employer != "" {
		title += ", " + employer
	}
	switch e.kind {
	case vacancy.New:
		return title
	case vacancy.Readvertised:
		return "Advertised again: " + title
	}
	return happenedWords(e.kind, e.reason, e.changes) + ": " + title
}

// entryView is what a feed says of an entry. It tells no days left: it is read
// on another day than it was made.
type entryView struct {
	Closing string
	Changes []changeView
	Facts   []fact
	Page    string
}

// content is the HTML of an entry.
func (f *Feeds) content(e *found) (string, error) {
	v := entryView{Closing: "No closing date stated", Facts: factsOf(e.vacancy), Page: f.page(e)}
	if c := e.vacancy.Closing; !c.IsZero() {
		v.Closing = "Closing date: " + c.Human()
	}
	for _, c := range e.changes {
		v.Changes = append(v.Changes, changeView{fieldWords(c.Field), valueWords(c.Field, c.Before), valueWords(c.Field, c.After)})
	}
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, "feed-entry", v); err != nil {
		return "", fmt.Errorf("make an entry of a feed: %w", err)
	}
	return b.String(), nil
}

// page is the address of the vacancy's own page.
func (f *Feeds) page(e *found) string { return f.URL + "/" + vacancyPath(e.key) }

// link is where an entry leads: to the advert, or to our page of it.
func (f *Feeds) link(e *found) string {
	if u := webAddress(e.vacancy.URL); u != "" {
		return u
	}
	return f.page(e)
}

func (f *Feeds) id(e *found) string {
	return f.tag("event", e.key.Source, e.key.Reference, string(e.kind), fmt.Sprint(e.version))
}

// updated is when the newest entry came; of an empty feed, when the search was
// saved.
func updated(s *vacancy.Search, entries []found) time.Time {
	if len(entries) > 0 {
		return entries[0].at.UTC()
	}
	return s.Created.UTC()
}

const feedAuthor = "vacancywatch"

// makeAtom writes a feed by RFC 4287. The library knows neither a link to the
// feed itself beside the one to its page, nor an author of a whole feed, unless
// its structs are filled in by hand.
func (p *public) makeAtom(ctx context.Context, sh *showing) ([]byte, error) {
	entries, err := p.news.entries(ctx, sh)
	if err != nil {
		return nil, err
	}
	f := p.o.Feeds
	feed := &feeds.AtomFeed{
		Xmlns: "http://www.w3.org/2005/Atom", Id: f.tag("search", sh.search.ID), Title: feedTitle(sh.search),
		Subtitle: "What this search found in the last 30 days. An independent service, not the NHS and not NHS Jobs.",
		Updated:  updated(sh.search, entries).Format(time.RFC3339),
		Link:     &feeds.AtomLink{Href: sh.self, Rel: "self", Type: "application/atom+xml"},
		Author:   &feeds.AtomAuthor{AtomPerson: feeds.AtomPerson{Name: feedAuthor, Uri: f.URL + "/"}},
	}
	for i := range entries {
		e := &entries[i]
		content, err := f.content(e)
		if err != nil {
			return nil, err
		}
		at := e.at.UTC().Format(time.RFC3339)
		feed.Entries = append(feed.Entries, &feeds.AtomEntry{Id: f.id(e), Title: e.title(), Updated: at, Published: at,
			Links:   []feeds.AtomLink{{Href: f.link(e), Rel: "alternate"}, {Href: f.page(e), Rel: "related", Type: "text/html"}},
			Content: &feeds.AtomContent{Content: content, Type: "html"}})
	}
	out, err := feeds.ToXML(feed)
	return []byte(out), err
}

// jsonFeed has a list of items even where it is empty: the format demands one,
// and the library leaves it out.
type jsonFeed struct {
	*feeds.JSONFeed
	Items []*feeds.JSONItem `json:"items"`
}

// makeJSON writes a JSON Feed 1.1.
func (p *public) makeJSON(ctx context.Context, sh *showing) ([]byte, error) {
	entries, err := p.news.entries(ctx, sh)
	if err != nil {
		return nil, err
	}
	f := p.o.Feeds
	feed := jsonFeed{Items: []*feeds.JSONItem{}, JSONFeed: &feeds.JSONFeed{
		Version: "https://jsonfeed.org/version/1.1", Title: feedTitle(sh.search), Language: "en-GB", HomePageUrl: f.URL + "/", FeedUrl: sh.self,
		Description: "What this search found in the last 30 days. An independent service, not the NHS and not NHS Jobs.",
		Authors:     []*feeds.JSONAuthor{{Name: feedAuthor, Url: f.URL + "/"}},
	}}
	for i := range entries {
		e := &entries[i]
		content, err := f.content(e)
		if err != nil {
			return nil, err
		}
		at := e.at.UTC()
		feed.Items = append(feed.Items, &feeds.JSONItem{Id: f.id(e), Url: f.link(e), Title: e.title(), ContentHTML: content,
			PublishedDate: &at, Tags: []string{string(e.kind)}})
	}
	return json.MarshalIndent(feed, "", "  ")
}

// FeedLinks are the addresses of a search's feeds and calendar, from the top of
// the site.
type FeedLinks struct{ Atom, JSON, Calendar template.URL }

// Links returns them.
func (t *Tokens) Links(search string, generation uint32) FeedLinks {
	feed := "f/" + t.Feed(search, generation)
	return FeedLinks{template.URL(feed + ".atom"), template.URL(feed + ".json"), template.URL("c/" + t.Calendar(search, generation) + ".ics")}
}
