package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/web/preview"
)

// PublicOptions are what the pages for people need.
type PublicOptions struct {
	// Status is what the status page shows. It is called at most once a
	// second, however many people look.
	Status func(context.Context) (Status, error)
	// Tokens checks the tokens in links. Where it is nil no link is good.
	Tokens *Tokens
	// Lookup returns a search in words, for whoever holds its token, and
	// whether it has ended.
	Lookup func(ctx context.Context, search string) (description string, ended, found bool, err error)
	// Stop ends a search. It may be called for one that has ended, and reports
	// false where there is no such search.
	Stop func(ctx context.Context, search string) (found bool, err error)
	// Previews is where the vacancies come from on which a search is tried.
	// Where it is nil there is no page for that.
	Previews preview.Source
	// Places is where the places of such a search are looked up; nil is the
	// built-in gazetteer.
	Places *gazetteer.Gazetteer
	// Subscribe has people save searches themselves; nil where they cannot. It
	// needs Tokens and Previews.
	Subscribe *Subscribe
	// HTTPS says that people reach the pages by https alone: then browsers are
	// told to come by nothing else for a year.
	HTTPS bool
	// Records is what is remembered of vacancies. Where it is nil a vacancy has
	// no page of its own.
	Records Records
	// Feeds are private feeds of what a search finds; nil where there are none.
	// They need Tokens, Previews and Records.
	Feeds *Feeds
	// Contact says in the footer who runs the service: text, or an address
	// that begins with https://. May be empty.
	Contact string
	// Logger gets the errors that people are not shown. May be nil.
	Logger *slog.Logger
}

// keepStatus is for how long a status is shown again.
const keepStatus = time.Second

// Public is the handler for people:
//
//	GET  /           whether it works
//	GET  /u/{token}  a search in words, and a button that stops it
//	POST /u/{token}  stops it: the button, and one-click unsubscribing by RFC 8058
//	GET  /search     what a search would have found: a form, and below it the answer
//	POST /subscribe  signs an address up for it, where people may subscribe
//	GET  /s/{token}  a sign-up in words; POST confirms it
//	GET  /m/{token}  a person's own page, what it does is in its query; POST does it
//	GET  /manage     a form that asks for the link to that page; POST sends it
//	GET  /v/{source}/{reference}
//	                 a vacancy and its history; /e/{account}: what an employer advertises
//	GET  /f/{token}.atom, /f/{token}.json, /c/{token}.ics
//	                 what a search finds, and the closing dates of that
//	GET  /api/v1/preview
//	                 /search for programs, by the same parameters; errors by RFC 9457
func Public(o PublicOptions) http.Handler {
	p := &public{site: newSite(o.Logger, o.Contact), o: o, status: &recent{load: o.Status}, strict: http.NewCrossOriginProtection()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.statusPage)
	mux.HandleFunc("GET /u/{token}", p.stopPage)
	mux.HandleFunc("POST /u/{token}", p.stop)
	mux.HandleFunc("GET /"+p.stylePath, p.serveStyle)
	if o.Previews != nil {
		p.search, p.trial = true, newTrial(o.Previews, o.Places)
		mux.HandleFunc("GET /search", p.searchPage)
		mux.HandleFunc("GET /api/v1/preview", p.previewJSON)
	}
	if o.Subscribe != nil && o.Tokens != nil && o.Previews != nil {
		p.people = o.Subscribe
		p.routePeople(mux)
	}
	if o.Records != nil {
		p.routeVacancies(mux)
	}
	mux.HandleFunc("GET /", p.notFound)

	origin := http.NewCrossOriginProtection()
	// A mail program posts from anywhere: the token is the permission. Nothing
	// else may be let through here.
	origin.AddInsecureBypassPattern("POST /u/{token}")
	origin.SetDenyHandler(http.HandlerFunc(p.crossSite))
	return p.guard(secured(o.HTTPS, origin.Handler(mux)))
}

func (p *public) crossSite(w http.ResponseWriter, r *http.Request) {
	p.page(w, r, http.StatusForbidden, "message", "Not allowed", message{"This was sent from another website",
		[]string{"For your safety we do nothing that another website asks for.", "Nothing was changed."}})
}

// secured tells browsers to come by https.
func secured(https bool, next http.Handler) http.Handler {
	if !https {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}

type public struct {
	*site
	o      PublicOptions
	status *recent
	trial  *trial     // nil where no search can be tried
	people *Subscribe // nil where nobody can subscribe
	news   *news      // nil where nothing is remembered
	// strict lets nothing through that another website asks for.
	strict *http.CrossOriginProtection
}

// message is the body of a page of plain sentences.
type message struct {
	Heading    string
	Paragraphs []string
}

// stopping is the body of the pages about one search.
type stopping struct {
	Words string // the search in words; "" where it is not known
	Own   bool   // a person saved it, who can do more with it
}

func (p *public) statusPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Del("X-Robots-Tag")
	st, err := p.status.get(r.Context())
	p.showStatus(w, r, st, false, err)
}

// stopPage shows and changes nothing: of those who open a link in a mail, many
// are programs that look for malware.
func (p *public) stopPage(w http.ResponseWriter, r *http.Request) {
	id, ok := p.searchOf(r)
	if !ok {
		p.badLink(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	words, ended, found, err := p.o.Lookup(ctx, id)
	switch {
	case err != nil:
		p.log.Error("a search could not be looked up for the page that stops it", "search", id, "err", err)
		w.Header().Set("Retry-After", "60")
		p.page(w, r, http.StatusServiceUnavailable, "message", "Error", message{"Sorry, we cannot show this search just now",
			[]string{"The search goes on. Nothing was changed.", "Please open the link again in a few minutes."}})
	case found && p.leaving(r):
		p.leavePage(w, r, id, words, ended)
	case !found || ended:
		p.page(w, r, http.StatusOK, "ended", "This search has ended", stopping{Words: words})
	default:
		p.page(w, r, http.StatusOK, "stop", "Stop this search", stopping{words, p.owner(ctx, id) != ""})
	}
}

func (p *public) stop(w http.ResponseWriter, r *http.Request) {
	id, ok := p.searchOf(r)
	if !ok {
		p.badLink(w, r)
		return
	}
	if p.leaving(r) {
		p.leave(w, r, id)
		return
	}
	// The token says all. The body, List-Unsubscribe=One-Click or the empty
	// form of our button, is only made sure to be small.
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		code := http.StatusBadRequest
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			code = http.StatusRequestEntityTooLarge
		}
		p.page(w, r, code, "message", "Error", message{"Sorry, this request could not be read",
			[]string{"The search goes on. Nothing was changed.", "Please open the link again and use the button."}})
		return
	}
	// Whoever hangs up after asking has asked all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), callTime)
	defer cancel()
	found, err := p.o.Stop(ctx, id)
	switch {
	case err != nil:
		p.log.Error("a search could not be stopped, its reader was asked to try again", "search", id, "err", err)
		w.Header().Set("Retry-After", "60")
		p.page(w, r, http.StatusServiceUnavailable, "message", "Error", message{"Sorry, this did not work",
			[]string{"We could not make sure that the search is stopped.", "Please open the link again in a few minutes and use the button once more."}})
	case !found:
		// What does not exist sends nothing: to a mail program that asks
		// again, that is success.
		p.page(w, r, http.StatusOK, "ended", "This search has ended", stopping{})
	default:
		p.log.Info("a search was stopped by its reader", "search", id)
		p.page(w, r, http.StatusOK, "stopped", "The search is stopped", stopping{Own: p.owner(ctx, id) != ""})
	}
}

// searchOf returns the id in the token of the path.
func (p *public) searchOf(r *http.Request) (string, bool) {
	if p.o.Tokens == nil {
		return "", false
	}
	id, err := p.o.Tokens.Search(r.PathValue("token"))
	return id, err == nil
}

func (p *public) badLink(w http.ResponseWriter, r *http.Request) {
	p.page(w, r, http.StatusNotFound, "message", "This link does not work", message{"This link does not work",
		[]string{"The link may have been cut off on its way to you. Copy the whole link from the mail and try again, or use the link in a newer mail.",
			"Nothing was changed."}})
}

func (p *public) notFound(w http.ResponseWriter, r *http.Request) {
	p.page(w, r, http.StatusNotFound, "message", "Page not found", message{"Page not found",
		[]string{"If you typed the address, check that it is right. If you copied it, make sure that you copied all of it."}})
}

// recent keeps a status for a moment, an error as well: whoever asks a hundred
// times a second asks the store once.
type recent struct {
	load func(context.Context) (Status, error)

	mu     sync.Mutex
	at     time.Time
	status Status
	err    error
}

func (m *recent) get(ctx context.Context) (Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.at.IsZero() && time.Since(m.at) < keepStatus {
		return m.status, m.err
	}
	// Others wait for this answer too: it does not end with the one who asked.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	m.status, m.err = m.load(ctx)
	m.at = time.Now()
	return m.status, m.err
}
