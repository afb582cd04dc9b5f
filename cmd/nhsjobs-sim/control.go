package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/vacancywatch/vacancywatch/crawler/simulator"
)

// control is for tests in other processes. It answers loopback only, and what
// is asked here is no request to the site.
//
//	POST publish   an advert in JSON: answers {"reference": ...}
//	POST close     {"reference"}: closed by hand
//	POST move      {"reference", "closing"}: another closing date
//	POST reopen    {"reference", "closing"}
//	POST amend     {"reference", "change": {...}}: fields of an advert
//	POST faults    a script, which replaces all faults
//	POST resume    forgets Retry-After and 403
//	GET truth      JSON lines
//	GET broken     the laws that were broken, one a line
//	GET requests   JSON lines
func control(site *simulator.Site) http.Handler {
	mux := http.NewServeMux()
	post := func(name string, f func(body []byte) (any, error)) {
		mux.HandleFunc("POST /-/sim/"+name, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
			var out any
			if err == nil {
				out, err = f(body)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(out) // A client that has gone needs no answer.
		})
	}
	post("publish", func(body []byte) (any, error) {
		var a simulator.Advert
		if err := decode(body, &a); err != nil {
			return nil, err
		}
		ref, err := site.Add(a)
		return map[string]string{"reference": ref}, err
	})
	onOne := func(f func(o order) error) func([]byte) (any, error) {
		return func(body []byte) (any, error) {
			var o order
			if err := decode(body, &o); err != nil {
				return nil, err
			}
			return map[string]string{"reference": o.Reference}, f(o)
		}
	}
	post("close", onOne(func(o order) error { return site.CloseEarly(o.Reference) }))
	post("move", onOne(func(o order) error { return site.MoveClosing(o.Reference, o.Closing) }))
	post("reopen", onOne(func(o order) error { return site.Reopen(o.Reference, o.Closing) }))
	post("amend", onOne(func(o order) error {
		// Tried on a copy first, for a change in progress cannot be refused.
		if err := decode(o.Change, &simulator.Advert{}); err != nil {
			return err
		}
		return site.Amend(o.Reference, func(a *simulator.Advert) { _ = decode(o.Change, a) })
	}))
	post("faults", func(body []byte) (any, error) {
		faults, err := simulator.ParseFaults(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return map[string]int{"faults": len(faults)}, site.SetFaults(faults...)
	})
	post("resume", func([]byte) (any, error) {
		site.Resume()
		return map[string]bool{"resumed": true}, nil
	})
	mux.HandleFunc("GET /-/sim/truth", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		_ = site.WriteTruth(w) // Fails only where the client has gone.
	})
	mux.HandleFunc("GET /-/sim/broken", func(w http.ResponseWriter, _ *http.Request) {
		for _, b := range site.Broken() {
			fmt.Fprintln(w, b)
		}
	})
	mux.HandleFunc("GET /-/sim/requests", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		enc := json.NewEncoder(w)
		for _, r := range site.Requests() {
			if enc.Encode(r) != nil {
				return
			}
		}
	})
	return loopbackOnly(mux)
}

// order is the body of most requests.
type order struct {
	Reference string          `json:"reference"`
	Closing   simulator.Day   `json:"closing"`
	Change    json.RawMessage `json:"change"`
}

func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("read the JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("read the JSON: more than one value")
	}
	return nil
}

// loopbackOnly refuses callers from elsewhere, and pages that made a browser
// here call under another name.
func loopbackOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.RemoteAddr) || !isLoopback(r.Host) {
			http.Error(w, "for loopback only", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
