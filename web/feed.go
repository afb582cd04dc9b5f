package web

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web/preview"
)

// Feeds is what private feeds of a search need.
type Feeds struct {
	// URL is how people reach the pages, https://alerts.example.org: what a feed
	// names must have a whole address.
	URL string
	// Search returns a saved search, prepared, and the generation of the links of
	// whoever saved it, 0 for one of the configuration. It reports false where
	// there is none, or it has ended.
	Search func(ctx context.Context, id string) (s vacancy.Search, generation uint32, found bool, err error)
}

const (
	// mostEntries of a feed, the newest.
	mostEntries = 100
	// keepFeed is for how long a reader may keep a feed, in seconds.
	keepFeed = "private, max-age=600"
	// mostMade bounds the feeds that are kept as they were made: some hundred
	// kilobytes each.
	mostMade = 64
)

// Feed returns the token of a search's feeds, for the paths /f/{token}.atom and
// /f/{token}.json, and Calendar that of its calendar, for /c/{token}.ics. They
// do not expire, and are worth nothing once the generation is another.
func (t *Tokens) Feed(search string, generation uint32) string {
	return t.sign(kindFeed, generationOf(generation)+search)
}

// Calendar is Feed for the calendar.
func (t *Tokens) Calendar(search string, generation uint32) string {
	return t.sign(kindCalendar, generationOf(generation)+search)
}

func generationOf(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

// shown returns the search, and the generation, that a token of Feed or
// Calendar is for, or ErrToken. The caller compares the generation.
func (t *Tokens) shown(kind byte, token string) (search string, generation uint32, err error) {
	s, err := t.read(kind, token)
	if err != nil {
		return "", 0, err
	}
	if len(s) <= 4 {
		return "", 0, ErrToken
	}
	return s[4:], binary.BigEndian.Uint32([]byte(s)), nil
}

// A happening is an event without its vacancy: that is on the board.
type happening struct {
	kind     vacancy.Kind
	version  int
	at       time.Time
	reason   string
	changes  []vacancy.Change
	key      vacancy.Key
	extended bool
}

// news is what happened in the last 30 days to the vacancies of a board. It is
// read anew with every board, and holds none: a board is large, and is forgotten
// when nobody asks.
type news struct {
	records Records

	turn chan struct{} // whoever has put something in may use what is below
	at   time.Time     // of the board
	by   map[vacancy.Key][]happening

	mu   sync.Mutex
	made map[madeKey][]byte
	of   time.Time // the board of what was made
}

// A madeKey names a feed as it was made: what kind of, for which search, as it
// is saved now.
type madeKey [sha256.Size]byte

func newNews(records Records) *news {
	return &news{records: records, turn: make(chan struct{}, 1), made: map[madeKey][]byte{}}
}

// of returns what happened to the vacancies of a board. Nobody changes it.
func (n *news) since(ctx context.Context, b *preview.Board) (map[vacancy.Key][]happening, error) {
	select {
	case n.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-n.turn }()
	if n.by != nil && !n.at.Before(b.AsOf()) {
		return n.by, nil
	}
	by := map[vacancy.Key][]happening{}
	err := n.records.Happened(ctx, b.AsOf().AddDate(0, 0, -preview.Days), func(e vacancy.Event) error {
		before, after := closingMove(e.Changes)
		key := e.Vacancy.Key()
		by[key] = append(by[key], happening{e.Kind, e.Version, e.At, e.Reason, e.Changes, key, e.Kind == vacancy.ClosingMoved && before.Before(after)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	n.by, n.at = by, b.AsOf()
	return by, nil
}

// feed answers with what a search found in the last 30 days.
func (p *public) feed(w http.ResponseWriter, r *http.Request) {
	token, atom := strings.CutSuffix(r.PathValue("file"), ".atom")
	if atom {
		p.show(w, r, kindFeed, token, "application/atom+xml; charset=utf-8", p.makeAtom)
		return
	}
	token, ok := strings.CutSuffix(r.PathValue("file"), ".json")
	if !ok {
		p.badFeed(w, r, http.StatusNotFound)
		return
	}
	p.show(w, r, kindFeed, token, "application/feed+json; charset=utf-8", p.makeJSON)
}

// calendar answers with the closing dates of what a search finds.
func (p *public) calendar(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutSuffix(r.PathValue("file"), ".ics")
	if !ok {
		p.badFeed(w, r, http.StatusNotFound)
		return
	}
	p.show(w, r, kindCalendar, token, "text/calendar; charset=utf-8", p.makeCalendar)
}

// A showing is what a feed is made of.
type showing struct {
	search *vacancy.Search
	self   string // its own address
	board  *preview.Board
}

// show answers with what is made of a search. The reader's program asks again
// and again, so what was made is kept until there is a new board.
func (p *public) show(w http.ResponseWriter, r *http.Request, kind byte, token, media string, make func(context.Context, *showing) ([]byte, error)) {
	id, generation, err := p.o.Tokens.shown(kind, token)
	if err != nil {
		p.badFeed(w, r, http.StatusNotFound)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	s, now, found, err := p.o.Feeds.Search(ctx, id)
	switch {
	case err != nil:
		p.noFeed(w, r, id, err)
		return
	case !found || now != generation:
		p.badFeed(w, r, http.StatusGone)
		return
	}
	board, err := p.trial.boards.Get(ctx)
	if err != nil {
		p.noFeed(w, r, id, err)
		return
	}
	key, err := keyOfFeed(media, token, &s)
	if err != nil {
		p.noFeed(w, r, id, err)
		return
	}
	b := p.news.kept(key, board.AsOf())
	if b == nil {
		leave, err := p.trial.enter(ctx)
		if err == nil {
			b, err = make(ctx, &showing{&s, p.o.Feeds.URL + r.URL.EscapedPath(), board})
			leave()
		}
		if err != nil {
			p.noFeed(w, r, id, err)
			return
		}
		p.news.keep(key, board.AsOf(), b)
	}
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Cache-Control", keepFeed)
	serveTagged(w, r, b)
}

func keyOfFeed(media, token string, s *vacancy.Search) (madeKey, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return madeKey{}, err
	}
	return sha256.Sum256(slices.Concat([]byte(media), []byte{0}, []byte(token), []byte{0}, b)), nil
}

// kept returns what was made on a board, nil where it was not.
func (n *news) kept(key madeKey, at time.Time) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.of.Equal(at) {
		return nil
	}
	return n.made[key]
}

func (n *news) keep(key madeKey, at time.Time, b []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.of.Equal(at) || len(n.made) >= mostMade {
		clear(n.made)
	}
	n.of, n.made[key] = at, b
}

// badFeed answers for a link that is not good: 404 where it never was, 410 where
// it is not any more, and a reader's program may stop to ask.
func (p *public) badFeed(w http.ResponseWriter, r *http.Request, code int) {
	p.page(w, r, code, "message", "This link does not work", message{"This link does not work",
		[]string{"The link to a feed or a calendar stops working when its search ends, or when you make earlier links worthless.", "Get a new one from the page of your searches."}})
}

func (p *public) noFeed(w http.ResponseWriter, r *http.Request, search string, err error) {
	if r.Context().Err() != nil {
		return // nobody waits for the answer
	}
	if errors.Is(err, errBusy) {
		w.Header().Set("Retry-After", strconv.Itoa(tryAgain))
		p.page(w, r, http.StatusServiceUnavailable, "message", "Error", message{"Sorry, many are asking just now", []string{"Please try again in some seconds."}})
		return
	}
	p.log.Error("a feed could not be made", "search", search, "err", err)
	p.sorry(w, r, "Sorry, we cannot look at the vacancies just now")
}

// A found is an entry of a feed: what happened to a vacancy that the search
// matches.
type found struct {
	vacancy *vacancy.Vacancy
	happening
}

// entries are what a search found in the last 30 days, newest first: events of
// the kinds that it asks for, of vacancies that it matched on the day of the
// event by what is known of them now. Who was told of them plays no part.
func (n *news) entries(ctx context.Context, sh *showing) ([]found, error) {
	by, err := n.since(ctx, sh.board)
	if err != nil {
		return nil, err
	}
	from := sh.board.AsOf().AddDate(0, 0, -preview.Days)
	var out []found
	i := 0
	for k := range sh.board.Known() {
		if i++; i%64 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		matched := map[vacancy.Day]bool{}
		for _, h := range by[k.Vacancy.Key()] {
			if !sh.search.Wants(h.kind) || h.at.Before(from) {
				continue
			}
			day := vacancy.LondonDay(h.at)
			if _, asked := matched[day]; !asked {
				matched[day] = vacancy.Matches(sh.search, k.Vacancy, day)
			}
			if matched[day] {
				out = append(out, found{k.Vacancy, h})
			}
		}
	}
	slices.SortFunc(out, func(a, b found) int {
		return cmp.Or(b.at.Compare(a.at), cmp.Compare(a.key.String(), b.key.String()), cmp.Compare(b.version, a.version))
	})
	return out[:min(len(out), mostEntries)], nil
}
