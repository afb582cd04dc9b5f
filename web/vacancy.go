package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Records is what is remembered of vacancies and of what happened to them.
type Records interface {
	// History returns a vacancy, nil where it is not known; its events, oldest
	// first; and the vacancies that are tied to it, either way.
	History(ctx context.Context, key vacancy.Key) (*vacancy.Record, []vacancy.Event, []vacancy.Record, error)
	// Happened calls f for every event at or after since, in any order.
	Happened(ctx context.Context, since time.Time, f func(vacancy.Event) error) error
	// Moves counts for each vacancy, up to its given version, how often its
	// closing date moved, or it closed or opened again.
	Moves(ctx context.Context, versions map[vacancy.Key]int) (map[vacancy.Key]int, error)
}

const (
	// maxKeyPart bounds the parts of a vacancy's address, in bytes.
	maxKeyPart = 128
	// keepVacancy is for how long a browser may show a vacancy's page again, in
	// seconds: nobody hurries who reads a history.
	keepVacancy = "public, max-age=300"
)

func (p *public) routeVacancies(mux *http.ServeMux) {
	mux.HandleFunc("GET /v/{source}/{reference}", p.vacancyPage)
	if p.trial == nil {
		return
	}
	p.news = newNews(p.o.Records)
	mux.HandleFunc("GET /e/{account}", p.employerPage)
	if p.o.Feeds != nil && p.o.Tokens != nil {
		mux.HandleFunc("GET /f/{file}", p.feed)
		mux.HandleFunc("GET /c/{file}", p.calendar)
	}
}

// vacancyPage shows the facts of a vacancy and its history.
func (p *public) vacancyPage(w http.ResponseWriter, r *http.Request) {
	key := vacancy.Key{Source: r.PathValue("source"), Reference: r.PathValue("reference")}
	if len(key.Source) > maxKeyPart || len(key.Reference) > maxKeyPart {
		p.unknownVacancy(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	rec, events, kin, err := p.o.Records.History(ctx, key)
	switch {
	case err != nil && r.Context().Err() != nil:
		// Nobody waits for the answer.
	case err != nil:
		p.log.Error("the history of a vacancy could not be read", "vacancy", key.String(), "err", err)
		p.sorry(w, r, "Sorry, we cannot show this vacancy just now")
	case rec == nil:
		p.unknownVacancy(w, r)
	default:
		v := newVacancyView(rec, events, kin, root(r), vacancy.LondonDay(time.Now()), p.trial != nil)
		p.keptPage(w, r, "vacancy", v.Title, v)
	}
}

func (p *public) unknownVacancy(w http.ResponseWriter, r *http.Request) {
	p.page(w, r, http.StatusNotFound, "message", "Vacancy not known", message{"We do not know this vacancy",
		[]string{"It may never have been on a website that we watch, or have closed more than 400 days ago: then we forget it.",
			"If you typed the address, check that it is right. If you copied it, make sure that you copied all of it."}})
}

// sorry answers where the store did not.
func (p *public) sorry(w http.ResponseWriter, r *http.Request, heading string) {
	w.Header().Set("Retry-After", "60")
	p.page(w, r, http.StatusServiceUnavailable, "message", "Error", message{heading, []string{"Please open the page again in a few minutes."}})
}

// keptPage answers with a page that everybody may see, and that caches may keep
// for a while. Its tag is made of its bytes.
func (p *public) keptPage(w http.ResponseWriter, r *http.Request, name, title string, body any) {
	b, ok := p.render(w, r, name, title, body)
	if !ok {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", keepVacancy)
	serveTagged(w, r, b)
}

// serveTagged answers with bytes and their tag, or that they are what the
// client has.
func serveTagged(w http.ResponseWriter, r *http.Request, b []byte) {
	sum := sha256.Sum256(b)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}
