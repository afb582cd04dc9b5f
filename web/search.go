package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/web/preview"
)

const (
	// mostWaiting may wait for a preview to end, for waitPreview at most; who
	// comes beyond them is sent away at once.
	mostWaiting = 16
	waitPreview = 3 * time.Second
	// tryAgain is what those are told who were sent away, in seconds.
	tryAgain = 10
)

// mostPreviews is how many run at a time. Each keeps a processor busy, for some
// words in 12,000 adverts for two seconds; half of them are for other work.
func mostPreviews() int { return max(runtime.GOMAXPROCS(0)/2, 1) }

// errBusy says that too many previews are being made.
var errBusy = errors.New("too many previews are being made")

// A trial makes previews for people and programs. It keeps what they may cost
// small: one board of vacancies for all of them, and few previews at a time.
type trial struct {
	boards *preview.Boards
	places *gazetteer.Gazetteer
	running,
	waiting chan struct{}
}

func newTrial(src preview.Source, g *gazetteer.Gazetteer) *trial {
	if g == nil {
		g = gazetteer.Default()
	}
	return &trial{boards: &preview.Boards{Source: src, Now: time.Now}, places: g,
		running: make(chan struct{}, mostPreviews()), waiting: make(chan struct{}, mostWaiting)}
}

// preview asks what a search would have found.
func (t *trial) preview(ctx context.Context, s *vacancy.Search) (*preview.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	board, err := t.boards.Get(ctx)
	if err != nil {
		return nil, err
	}
	leave, err := t.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return board.Remembered(ctx, s)
}

// enter waits until there is room to look for matches. Whoever was let in says
// when it has done.
func (t *trial) enter(ctx context.Context) (leave func(), err error) {
	select {
	case t.waiting <- struct{}{}:
	default:
		return nil, errBusy
	}
	late := time.NewTimer(waitPreview)
	defer late.Stop()
	select {
	case t.running <- struct{}{}:
		<-t.waiting
	case <-late.C:
		<-t.waiting
		return nil, errBusy
	case <-ctx.Done():
		<-t.waiting
		return nil, ctx.Err()
	}
	return func() { <-t.running }, nil
}

// readQuery reads the query of a request. It is false for one that is too long
// or cannot be read.
func readQuery(r *http.Request) (url.Values, bool) {
	if len(r.URL.RawQuery) > preview.MaxQuery {
		return nil, false
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	return q, err == nil
}

// searchPage shows the form, and what a filled one would have found. It
// changes and marks nothing.
func (p *public) searchPage(w http.ResponseWriter, r *http.Request) {
	q, ok := readQuery(r)
	if !ok {
		p.badSearch(w, r)
		return
	}
	t := trying{query: q}
	if p.people != nil {
		t.offer = newOffer(q)
	}
	p.try(w, r, t)
}

// trying is a search that is tried, and what can be done with it.
type trying struct {
	query url.Values // the search alone
	// edit is the id of the search that is changed by it; then Before is what
	// stands in the page's query before the search.
	edit, before string
	offer        *offerView // nil where nobody can be signed up for it
	code         int        // 0 is 200
	sorry        string
}

// try shows the form and what the search in it finds.
func (p *public) try(w http.ResponseWriter, r *http.Request, t trying) {
	f := preview.ReadForm(t.query)
	title, found, code := "Try a search", "What this search finds", http.StatusOK
	switch {
	case t.edit != "":
		title = "Change a search"
	case t.offer != nil:
		title = "Find vacancies, and get alerts"
	}
	if len(t.query) == 0 && t.code == 0 {
		if t.edit == "" {
			w.Header().Del("X-Robots-Tag")
		}
		v := newSearchView(f, nil)
		v.Edit, v.Offer = t.edit, t.offer
		p.page(w, r, http.StatusOK, "search", title, v)
		return
	}
	s, faults := f.Search(p.trial.places)
	v := newSearchView(f, faults)
	v.Edit, v.Offer, v.Sorry = t.edit, t.offer, t.sorry
	if t.code != 0 {
		code, found = t.code, "Error: "+title
	}
	if len(faults) > 0 {
		p.page(w, r, http.StatusBadRequest, "search", "Error: "+title, v)
		return
	}
	a, err := p.trial.preview(r.Context(), &s)
	switch {
	case err == nil:
		v.show(a, &s, t.before)
		if p.o.Records != nil {
			v.Result.linkHistories(a.Newest, root(r))
		}
		if t.offer != nil { // whose form stands below the result
			v.Errors = t.offer.faults()
		}
		p.page(w, r, code, "search", found, v)
	case r.Context().Err() != nil:
		// Nobody waits for the answer.
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", strconv.Itoa(tryAgain))
		v.Sorry = "Sorry, many people are trying searches just now. Use the button again in some seconds: what you have filled in is still here."
		p.page(w, r, http.StatusServiceUnavailable, "search", "Error: "+title, v)
	default:
		p.log.Error("a preview could not be made", "err", err)
		w.Header().Set("Retry-After", "60")
		v.Sorry = "Sorry, we cannot look at the vacancies just now. Use the button again in a few minutes: what you have filled in is still here."
		p.page(w, r, http.StatusServiceUnavailable, "search", "Error: "+title, v)
	}
}

// A problem is an error for programs, by RFC 9457.
type problem struct {
	Title  string          `json:"title"`
	Status int             `json:"status"`
	Detail string          `json:"detail,omitempty"`
	Errors []preview.Fault `json:"errors,omitempty"`
}

// previewAnswer is an answer for programs.
type previewAnswer struct {
	*preview.Answer
	// Config is the search for the configuration file; "" where it cannot be
	// told in one.
	Config string `json:"config,omitempty"`
}

// previewJSON is the page for programs. A parameter that it does not know is
// an error here: a search with a typo in it would answer another question.
func (p *public) previewJSON(w http.ResponseWriter, r *http.Request) {
	q, ok := readQuery(r)
	if !ok {
		writeProblem(w, problem{Title: "The query cannot be read", Status: http.StatusBadRequest,
			Detail: fmt.Sprintf("It is no query of a form, or longer than %d bytes.", preview.MaxQuery)})
		return
	}
	s, faults := preview.ReadForm(q).Search(p.trial.places)
	for _, name := range preview.Unknown(q) {
		name = strings.ToValidUTF8(name, "\ufffd")
		faults = append(faults, preview.Fault{Field: name[:min(len(name), 100)], Text: "There is no such parameter."})
	}
	if len(faults) > 0 {
		writeProblem(w, problem{Title: "The search has faults", Status: http.StatusBadRequest, Errors: faults})
		return
	}
	a, err := p.trial.preview(r.Context(), &s)
	switch {
	case err == nil:
		config, _ := preview.YAML(&s)
		writeJSON(w, http.StatusOK, "application/json", previewAnswer{a, config})
	case r.Context().Err() != nil:
		// Nobody waits for the answer.
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", strconv.Itoa(tryAgain))
		writeProblem(w, problem{Title: "Too many previews are being made", Status: http.StatusServiceUnavailable, Detail: "Try again in some seconds."})
	default:
		p.log.Error("a preview could not be made", "err", err)
		w.Header().Set("Retry-After", "60")
		writeProblem(w, problem{Title: "The vacancies cannot be read", Status: http.StatusServiceUnavailable, Detail: "Try again in a few minutes."})
	}
}

func writeProblem(w http.ResponseWriter, p problem) {
	writeJSON(w, p.Status, "application/problem+json", p)
}

// writeJSON answers with a value. Texts of adverts are in it, so whatever
// could be taken for markup stays escaped.
func writeJSON(w http.ResponseWriter, code int, kind string, v any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		// Unreachable: there are no values that JSON cannot hold.
		text(w, http.StatusInternalServerError, "The answer cannot be shown.")
		return
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(code)
	w.Write(append(b, '\n'))
}

// PreviewRequest asks a daemon, at its admin address, what searches would have
// found: POST /-/preview. The answer is a PreviewReply.
type PreviewRequest struct {
	// Searches need no channels; whom they tell does not leave the command.
	Searches []vacancy.Search `json:"searches"`
}

// PreviewReply has an answer for each search, in their order.
type PreviewReply struct {
	Answers []*preview.Answer `json:"answers"`
}

// PreviewHeader is set on every answer to a PreviewRequest, to "1".
const PreviewHeader = "Vacancywatch-Preview"

// maxSearches bounds a PreviewRequest, in bytes.
const maxSearches = 8 << 20

// previews answers the command line of the same machine, while this process
// has the state to itself.
func (a *admin) previews(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(PreviewHeader, "1")
	if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
		text(w, http.StatusForbidden, "This is for the command line: vacancywatch preview.")
		return
	}
	var req PreviewRequest
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSearches))
	if err == nil {
		err = json.Unmarshal(b, &req)
	}
	if err != nil {
		text(w, http.StatusBadRequest, "The request cannot be read: it is no JSON with searches, or too long.")
		return
	}
	// Many searches take longer than a page may.
	ctl, until := http.NewResponseController(w), time.Now().Add(decideTime)
	if err := ctl.SetWriteDeadline(until); err != nil && !errors.Is(err, http.ErrNotSupported) {
		a.log.Warn("the time for an answer cannot be set", "err", err)
	}
	ctx, cancel := context.WithDeadline(r.Context(), until)
	defer cancel()
	board, err := preview.Read(ctx, a.o.Previews, time.Now())
	if err != nil {
		a.log.Error("a preview could not be made", "err", err)
		text(w, http.StatusServiceUnavailable, "The vacancies cannot be read. The log says why.")
		return
	}
	reply := PreviewReply{Answers: []*preview.Answer{}}
	for i := range req.Searches {
		s := &req.Searches[i]
		if err := s.Prepare(); err != nil {
			text(w, http.StatusBadRequest, fmt.Sprintf("search %s: %v", s.ID, err))
			return
		}
		answer, err := board.Preview(ctx, s)
		if err != nil {
			text(w, http.StatusServiceUnavailable, "The preview took too long, or the program is stopping.")
			return
		}
		reply.Answers = append(reply.Answers, answer)
	}
	writeJSON(w, http.StatusOK, "application/json", reply)
}
