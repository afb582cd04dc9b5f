package scotland

import (
	"net/http"
	"strconv"
	"strings"
)

const htmlType = "text/html; charset=utf-8"

// answer is what a request gets.
type answer struct {
	status      int
	body        string
	contentType string
	location    string
}

// ServeHTTP implements http.Handler.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := s.handle(r)
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		// A client that has gone needs no answer.
		_, _ = w.Write([]byte(a.body))
	}
}

func (s *Site) handle(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.answer(r)
	s.log = append(s.log, Request{Time: s.now(), Method: r.Method, URL: r.URL.RequestURI(), Status: a.status})
	return a
}

func (s *Site) answer(r *http.Request) answer {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return page(http.StatusMethodNotAllowed, notice("Method not allowed"))
	}
	switch strings.ToLower(r.URL.Path) {
	case "/robots.txt":
		if s.quirks.Robots == "" {
			return page(http.StatusNotFound, notice("Page not found"))
		}
		return answer{status: http.StatusOK, body: s.quirks.Robots, contentType: "text/plain"}
	case "/home/_jobcard":
		return page(http.StatusOK, s.listing(r.FormValue("Skip")))
	case "/home/job", "/home/search":
		return page(http.StatusOK, searchPage())
	case "/job/jobdetail":
		return s.advert(r)
	}
	// An unknown address gets a notice with status 200: that a page came proves
	// nothing.
	return page(http.StatusOK, notice("Sorry, we could not find that page"))
}

func page(status int, body string) answer {
	return answer{status: status, body: body, contentType: htmlType}
}

// listing is the fragment of cards after so many. Whatever is not a number
// counts as none.
func (s *Site) listing(skip string) string {
	board := s.board()
	from, err := strconv.Atoi(skip)
	if err != nil || from < 0 {
		from = 0
	}
	if from >= len(board) && s.quirks.RepeatLast && len(board) > 0 {
		from = (len(board) - 1) / PageSize * PageSize
	}
	from = min(from, len(board))
	to := min(from+PageSize, len(board))
	current := to - from
	if s.quirks.Cumulative {
		current = to
	}
	return s.cards(board[from:to], current, len(board))
}

func (s *Site) advert(r *http.Request) answer {
	reference := ""
	for key, values := range r.URL.Query() {
		if strings.EqualFold(key, "JobId") && len(values) > 0 {
			reference = values[0]
		}
	}
	l := s.byRef[reference]
	if l != nil && (s.live(l) || s.quirks.Closed == Leftover) {
		return page(http.StatusOK, s.advertPage(l.advert()))
	}
	switch s.quirks.Closed {
	case Notice:
		return page(http.StatusOK, notice("This vacancy is no longer available"))
	case ToSearch:
		return answer{status: http.StatusFound, location: "/Home/Job", contentType: htmlType}
	}
	return page(http.StatusNotFound, notice("Page not found"))
}
