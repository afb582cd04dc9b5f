package mailbox

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

var (
	//go:embed pages.html.tmpl style.css
	files embed.FS

	pages = template.Must(template.ParseFS(files, "pages.html.tmpl"))
)

// The pages hold no script and load nothing from elsewhere. A mail is foreign
// markup: it is shown in a frame that is a sandbox by attribute and by header,
// from which links may only open a new window.
const (
	pagePolicy = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	mailPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; " +
		"sandbox allow-popups allow-popups-to-escape-sandbox"
)

// Handler serves the pages and takes webhooks:
//
//	GET  /               mails and webhooks, newest first
//	GET  /mail/{n}       one mail; /html, /text, /raw below it
//	GET  /hooks/{n}      one webhook
//	POST /hook/{name}    takes a webhook
//
// All links are relative, so it can be mounted under a prefix with
// http.StripPrefix.
func (m *Mailbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hook/{name}", m.takeHook)
	mux.HandleFunc("GET /{$}", m.indexPage)
	mux.HandleFunc("GET /mail/{n}", m.mailPage)
	mux.HandleFunc("GET /mail/{n}/html", m.mailHTML)
	mux.HandleFunc("GET /mail/{n}/text", m.mailText)
	mux.HandleFunc("GET /mail/{n}/raw", m.mailText)
	mux.HandleFunc("GET /hooks/{n}", m.hookPage)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		b, err := files.ReadFile("style.css")
		if err != nil {
			// Unreachable: the file is embedded.
			http.NotFound(w, r)
			return
		}
		send(w, "text/css; charset=utf-8", pagePolicy, b)
	})
	return mux
}

func (m *Mailbox) indexPage(w http.ResponseWriter, _ *http.Request) {
	mails, hooks := m.Mails(), m.Hooks()
	slices.Reverse(mails)
	slices.Reverse(hooks)
	render(w, "index", struct {
		Mails []Mail
		Hooks []Hook
	}{mails, hooks})
}

func (m *Mailbox) mailPage(w http.ResponseWriter, r *http.Request) {
	if x, ok := m.mail(r); ok {
		render(w, "mail", x)
		return
	}
	http.NotFound(w, r)
}

func (m *Mailbox) mailHTML(w http.ResponseWriter, r *http.Request) {
	x, ok := m.mail(r)
	if !ok || x.HTML == "" {
		http.NotFound(w, r)
		return
	}
	// In a frame a link would replace the mail; a mail program opens a window.
	page := strings.Replace(x.HTML, "<head>", `<head><base target="_blank">`, 1)
	send(w, "text/html; charset=utf-8", mailPolicy, []byte(page))
}

func (m *Mailbox) mailText(w http.ResponseWriter, r *http.Request) {
	x, ok := m.mail(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	body := []byte(x.Text)
	if strings.HasSuffix(r.URL.Path, "/raw") {
		body = x.Raw
	}
	send(w, "text/plain; charset=utf-8", mailPolicy, body)
}

func (m *Mailbox) hookPage(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("n"))
	for _, x := range m.Hooks() {
		if err == nil && x.N == n {
			var pretty bytes.Buffer
			if json.Indent(&pretty, x.Body, "", "  ") == nil {
				x.Body = pretty.Bytes()
			}
			render(w, "hook", struct {
				Hook
				Shown string
			}{x, string(x.Body)})
			return
		}
	}
	http.NotFound(w, r)
}

func (m *Mailbox) mail(r *http.Request) (Mail, bool) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		return Mail{}, false
	}
	mails := m.Mails()
	i, ok := slices.BinarySearchFunc(mails, n, func(x Mail, n int) int { return cmp.Compare(x.N, n) })
	if !ok {
		return Mail{}, false
	}
	return mails[i], true
}

func render(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	send(w, "text/html; charset=utf-8", pagePolicy, b.Bytes())
}

func send(w http.ResponseWriter, contentType, policy string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.Write(body)
}
