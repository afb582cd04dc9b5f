// Package web is what people and machines see over HTTP: a status page, the
// page that stops a search, metrics, and health. It shows what it is handed
// and calls back to act; it never reads the store or the configuration.
//
//	admin.go   /metrics, /-/healthy, /-/ready, /-/fresh, /status: for operators
//	decide.go  /-/crawl/{action}/{source}: what they decide about a source
//	outbox.go  /-/outbox/{action}: what they want of the outbox
//	public.go  /, /u/{token}: for people
//	subscribe.go /subscribe, /s/{token}: for people who save a search; manage.go /m/{token}, /manage; leave.go more of /u/{token}
//	search.go  /search, /api/v1/preview: what a search would find; search_view.go its form; search_result.go its answer
//	vacancy.go /v/{source}/{reference}: a vacancy and its history; vacancy_employer.go /e/{account}; vacancy_words.go both in words
//	feed.go    /f/{token}: what a search finds as a feed; calendar.go /c/{token}: its closing dates
//	status.go  what the status page is told; judge.go what it concludes
//	view.go    the status in words; status_json.go the same for programs
//	token.go   the tokens in links
//
// The laws of every page: no GET changes anything, no script, no cookie, no
// inline style, nothing loaded from elsewhere. People are shown plain
// sentences; the error itself goes to the log, without token or path, for
// whoever has the path of a token may use it.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

var (
	//go:embed pages.html.tmpl search.html.tmpl people.html.tmpl vacancy.html.tmpl style.css
	files embed.FS

	pages = template.Must(template.ParseFS(files, "*.html.tmpl"))
)

// policy lets a page load our stylesheet, post to us, and nothing else.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const (
	// maxBody bounds the body of a request, in bytes.
	maxBody = 64 << 10
	// callTime bounds a call back for data; it ends well within WriteTimeout.
	callTime = 10 * time.Second
)

// NewServer returns a server with limits on how long a client may take and on
// what it may send. The caller starts it and shuts it down.
func NewServer(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    32 << 10,
	}
}

// A site is what both handlers share: templates, stylesheet, log.
type site struct {
	log       *slog.Logger
	contact   string
	style     []byte
	stylePath string // without the leading slash: links are relative
	search    bool   // there is a page to try a search on
}

func newSite(log *slog.Logger, contact string) *site {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	style, err := files.ReadFile("style.css")
	if err != nil {
		panic(err) // Unreachable: the file is embedded.
	}
	// An embedded file has no time and no ETag. Its content is in its path
	// instead, so that it may be kept for ever.
	sum := sha256.Sum256(style)
	return &site{log: log, contact: contact, style: style, stylePath: "static/" + hex.EncodeToString(sum[:8]) + ".css"}
}

func (s *site) serveStyle(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/css; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Del("X-Robots-Tag")
	w.Write(s.style)
}

// frame is what every page is made with.
type frame struct {
	Title   string
	Root    string // from the page to the top of the site: "./" or "../"
	Style   string
	Contact string
	Link    bool // Contact is a link
	Search  bool // there is a page to try a search on
	Body    any
}

// page answers with a page. It is made before the first byte is sent, so that
// a fault in a template never leaves half of one.
func (s *site) page(w http.ResponseWriter, r *http.Request, code int, name, title string, body any) {
	b, ok := s.render(w, r, name, title, body)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	w.Write(b)
}

// render makes a page. It has answered, and is false, where that fails.
func (s *site) render(w http.ResponseWriter, r *http.Request, name, title string, body any) ([]byte, bool) {
	f := frame{Title: title, Root: root(r), Contact: s.contact, Search: s.search, Body: body}
	f.Style = f.Root + s.stylePath
	f.Link = strings.HasPrefix(s.contact, "https://") || strings.HasPrefix(s.contact, "http://")
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, f); err != nil {
		s.log.Error("a page could not be made", "page", name, "err", err)
		text(w, http.StatusInternalServerError, "Sorry, this page cannot be shown.")
		return nil, false
	}
	return b.Bytes(), true
}

// root is the way from the page to the top. Links are relative so that the
// pages work below a prefix that a proxy strips.
func root(r *http.Request) string {
	if n := strings.Count(r.URL.EscapedPath(), "/"); n > 1 {
		return strings.Repeat("../", n-1)
	}
	return "./"
}

// text answers with a sentence, for machines and for the last resort.
func text(w http.ResponseWriter, code int, sentence string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	fmt.Fprintln(w, sentence)
}

// guard sets the headers that every answer has, and turns a panic into a plain
// sentence. The server itself would log the client's address with it.
func (s *site) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: that makes the Origin of our own form "null", which
		// the guard against cross-site requests must refuse.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Robots-Tag", "noindex")
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			// What was panicked with may hold anything, a runtime error may not.
			what := fmt.Sprintf("%T", v)
			if err, ok := v.(runtime.Error); ok {
				what = err.Error()
			}
			s.log.Error("a page panicked", "panic", what, "stack", string(debug.Stack()))
			text(w, http.StatusInternalServerError, "Sorry, this did not work. Please try again in a few minutes.")
		}()
		next.ServeHTTP(w, r)
	})
}
