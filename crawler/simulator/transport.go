package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Transport returns a transport that calls the site without a network, for
// synctest bubbles. It takes any host for the site, as a name server that
// leads here would, and heeds the context of the request: in the wait for an
// answer and while its body is read.
func (s *Site) Transport() http.RoundTripper { return transport{s} }

type transport struct{ handler http.Handler }

// errBroken is what a reader of a broken connection gets.
var errBroken = fmt.Errorf("simulator: connection reset: %w", io.ErrUnexpectedEOF)

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(r.Context())
	in := r.Clone(ctx)
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RequestURI = r.URL.RequestURI()
	pr, pw := io.Pipe()
	w := &pipeWriter{header: http.Header{}, body: pw, ready: make(chan struct{})}
	go func() {
		defer in.Body.Close()
		defer cancel()
		defer func() {
			// A handler that panics has broken the connection.
			switch p := recover(); {
			case p == nil:
				w.WriteHeader(http.StatusOK)
				pw.Close()
			case p == http.ErrAbortHandler:
				w.fail(errBroken)
			default:
				panic(p)
			}
		}()
		t.handler.ServeHTTP(w, in)
		if err := in.Context().Err(); err != nil {
			w.fail(err)
		}
	}()
	select {
	case <-ctx.Done():
		// The handler may have ended well in the same moment.
		select {
		case <-w.ready:
		default:
			if err := r.Context().Err(); err != nil {
				pr.CloseWithError(err)
				return nil, err
			}
			<-w.ready
		}
	case <-w.ready:
	}
	if w.err != nil {
		cancel()
		return nil, w.err
	}
	stop := context.AfterFunc(r.Context(), func() { pw.CloseWithError(r.Context().Err()) })
	res := &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.sent, ContentLength: -1, Request: r,
		Body: &pipeBody{PipeReader: pr, done: func() { stop(); cancel() }},
	}
	if n, err := fmt.Sscan(w.sent.Get("Content-Length"), &res.ContentLength); n != 1 || err != nil {
		res.ContentLength = -1
	}
	return res, nil
}

// pipeBody ends the handler when it is closed.
type pipeBody struct {
	*io.PipeReader
	done func()
}

func (b *pipeBody) Close() error {
	err := b.PipeReader.Close()
	b.done()
	return err
}

// pipeWriter is the http.ResponseWriter of a call without a network.
type pipeWriter struct {
	header http.Header
	body   *io.PipeWriter
	once   sync.Once
	ready  chan struct{} // closed once the fields below are set
	status int
	sent   http.Header
	err    error
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.ready)
	})
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	n, err := w.body.Write(p)
	if errors.Is(err, io.ErrClosedPipe) {
		return n, context.Canceled
	}
	return n, err
}

// Flush implements http.Flusher; a pipe holds nothing back.
func (w *pipeWriter) Flush() {}

// fail ends the answer with an error, before or within its body.
func (w *pipeWriter) fail(err error) {
	w.once.Do(func() {
		w.err = err
		close(w.ready)
	})
	w.body.CloseWithError(err)
}
