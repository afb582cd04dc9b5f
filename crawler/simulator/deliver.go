package simulator

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// answer is what is sent, and how.
type answer struct {
	status      int
	contentType string
	header      http.Header
	body        []byte

	retryAfter time.Duration // said in a header
	forbids    bool          // a robots.txt that forbids
	fault      string

	slow, drip time.Duration
	cut        string // "", refused, cut, cut-unsized, truncated
}

const dripPieces = 20

// deliver sends a. What takes time ends when the client has gone. Before the
// last piece it calls done: a client may ask again as soon as it has that, and
// that would be no second request at once.
func (s *Site) deliver(ctx context.Context, done func(), w http.ResponseWriter, a *answer) {
	if a.slow > 0 && s.opts.Sleep(ctx, a.slow) != nil {
		return
	}
	if a.cut == "refused" {
		panic(http.ErrAbortHandler) // As below.
	}
	for k, vs := range a.header {
		w.Header()[k] = vs
	}
	w.Header().Set("Content-Type", a.contentType)
	body, abort := a.body, false
	switch a.cut {
	case "cut":
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body, abort = body[:len(body)/2], true
	case "cut-unsized":
		body, abort = body[:len(body)/2], true
	case "truncated":
		body = body[:len(body)/2]
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	default:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	pieces := [][]byte{body}
	if a.drip > 0 {
		pieces = split(body, dripPieces)
	}
	flusher, _ := w.(http.Flusher)
	for i, p := range pieces {
		if a.drip > 0 && s.opts.Sleep(ctx, a.drip) != nil {
			return
		}
		if i == len(pieces)-1 {
			done()
		}
		if _, err := w.Write(p); err != nil {
			return // The client has gone.
		}
		if flusher != nil && (a.drip > 0 || abort) {
			flusher.Flush()
		}
	}
	if abort {
		// Not a bug: this is how a handler breaks the connection.
		panic(http.ErrAbortHandler)
	}
}

// split divides b into n pieces of about one length.
func split(b []byte, n int) [][]byte {
	var out [][]byte
	for i := range n {
		out = append(out, b[len(b)*i/n:len(b)*(i+1)/n])
	}
	return out
}
