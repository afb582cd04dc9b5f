package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
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
func Public(o PublicOptions) http.Handler {
	p := &public{site: newSite(o.Logger, o.Contact), o: o, status: &recent{load: o.Status}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.statusPage)
	mux.HandleFunc("GET /u/{token}", p.stopPage)
	mux.HandleFunc("POST /u/{token}", p.stop)
	mux.HandleFunc("GET /"+p.stylePath, p.serveStyle)
	mux.HandleFunc("GET /", p.notFound)

	origin := http.NewCrossOriginProtection()
	// A mail program posts from anywhere: the token is the permission. Nothing
	// else may be let through here.
	origin.AddInsecureBypassPattern("POST /u/{token}")
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.page(w, r, http.StatusForbidden, "message", "Not allowed", message{"This was sent from another website",
			[]string{"For your safety we do nothing that another website asks for.", "Nothing was changed."}})
	}))
	return p.guard(origin.Handler(mux))
}

type public struct {
	*site
	o      PublicOptions
	status *recent
}

// message is the body of a page of plain sentences.
type message struct {
	Heading    string
	Paragraphs []string
}

// search is the body of the pages about one search.
type search struct {
	Words string // the search in words; "" where it is not known
}

func (p *public) statusPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Del("X-Robots-Tag")
	st, err := p.status.get(r.Context())
	p.showStatus(w, r, st, false, err)
}

// stopPage shows and changes nothing: of those who open a link in a mail, many
// are programs that look for malware.
func (p *public) stopPage(w http.ResponseWriter, r *http.Request) {
	id, ok := p.search(r)
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
	case !found || ended:
		p.page(w, r, http.StatusOK, "ended", "This search has ended", search{words})
	default:
		p.page(w, r, http.StatusOK, "stop", "Stop this search", search{words})
	}
}

func (p *public) stop(w http.ResponseWriter, r *http.Request) {
	id, ok := p.search(r)
	if !ok {
		p.badLink(w, r)
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
		p.page(w, r, http.StatusOK, "ended", "This search has ended", search{})
	default:
		p.log.Info("a search was stopped by its reader", "search", id)
		p.page(w, r, http.StatusOK, "stopped", "The search is stopped", search{})
	}
}

// search returns the id in the token of the path.
func (p *public) search(r *http.Request) (string, bool) {
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
