package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/vacancywatch/vacancywatch/web/preview"
)

// AdminOptions are what the pages for operators need.
type AdminOptions struct {
	// Gatherer is what /metrics shows.
	Gatherer prometheus.Gatherer
	// Alive is the last sign of life of the schedule. May be nil where there
	// is no schedule.
	Alive func() time.Time
	// Started is when the process began: until five minutes after it the
	// schedule need not have shown life.
	Started time.Time
	// Ready returns nil while the process can do its work: its configuration
	// is loaded and the store answers. ErrStopping says that it is about to
	// end. It has a second.
	Ready func(context.Context) error
	// Status is what /status and /-/fresh show.
	Status func(context.Context) (Status, error)
	// Decide carries out what a person has decided about a source, and says in
	// plain text what was done and what follows. Its error may be a *Refusal.
	// Where it is nil no decision is taken.
	Decide func(context.Context, Decision) (answer string, err error)
	// Outbox carries out what an operator wants of the outbox. Its error may be
	// a *Refusal. Where it is nil nothing is shown of it.
	Outbox func(context.Context, OutboxOrder) (OutboxAnswer, error)
	// Previews is where the vacancies come from on which the command line tries
	// searches. Where it is nil it cannot.
	Previews preview.Source
	// Contact and Logger are those of PublicOptions.
	Contact string
	Logger  *slog.Logger
}

// ErrStopping is returned by AdminOptions.Ready once the process was asked to
// end.
var ErrStopping = errors.New("the program is stopping")

const (
	// aliveWithin is how old the schedule's last sign of life may be.
	aliveWithin = 5 * time.Minute
	readyWithin = time.Second
)

// Admin is the handler for operators. It has no guard against strangers: it
// belongs on loopback or behind one.
//
//	GET /metrics    Prometheus and OpenMetrics
//	GET /-/healthy  liveness: 503 asks for a restart. Neither the store nor the site count, a restart heals neither
//	GET /-/ready    readiness: 503 asks for no work
//	GET /-/fresh    whether the promise of freshness is held, as JSON; for people and monitors, never for a probe
//	GET /status     the status page; / as well. As JSON where that is asked for, or at /status.json
//	POST /-/crawl/{action}/{source}
//	                a decision of Actions; the body, a form or JSON, may hold posted_since and dry_run. Answers text.
//	                For the command line alone: it is refused to browsers
//	GET /-/outbox/list, GET /-/outbox/show, POST /-/outbox/replay, POST /-/outbox/discard
//	                an OutboxOrder and an OutboxAnswer. For the command line alone
//	POST /-/preview what searches would have found: a PreviewRequest and a PreviewReply. For the command line alone
func Admin(o AdminOptions) http.Handler {
	a := &admin{site: newSite(o.Logger, o.Contact), o: o}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{
		EnableOpenMetrics: true,
		// A collector that cannot reach the store must not take the others
		// down: now is when they are needed.
		ErrorHandling: promhttp.ContinueOnError,
		ErrorLog:      gatherLog{a.log},
	}))
	mux.HandleFunc("GET /-/healthy", a.healthy)
	mux.HandleFunc("GET /-/ready", a.ready)
	mux.HandleFunc("GET /-/fresh", a.fresh)
	mux.HandleFunc("GET /status", a.statusPage)
	mux.HandleFunc("GET /status.json", a.statusJSON)
	if o.Decide != nil {
		mux.HandleFunc("POST /-/crawl/{action}/{source}", a.decide)
	}
	if o.Outbox != nil {
		mux.HandleFunc("GET /-/outbox/{action}", a.outbox)
		mux.HandleFunc("POST /-/outbox/{action}", a.outbox)
	}
	if o.Previews != nil {
		mux.HandleFunc("POST /-/preview", a.previews)
	}
	mux.HandleFunc("GET /{$}", a.statusPage)
	mux.HandleFunc("GET /"+a.stylePath, a.serveStyle)
	return a.guard(mux)
}

type admin struct {
	*site
	o AdminOptions
}

func (a *admin) healthy(w http.ResponseWriter, _ *http.Request) {
	if a.o.Alive == nil {
		text(w, http.StatusOK, "Healthy: the program answers.")
		return
	}
	now, last := time.Now(), a.o.Alive()
	if last.Before(a.o.Started) {
		last = a.o.Started
	}
	if silent := now.Sub(last); silent > aliveWithin {
		text(w, http.StatusServiceUnavailable, fmt.Sprintf("Not healthy: the schedule has shown no sign of life for %s.", span(silent)))
		return
	}
	text(w, http.StatusOK, "Healthy: the program answers and its schedule is alive.")
}

func (a *admin) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
	defer cancel()
	// Beside this goroutine, because a client of the store that waits for a
	// connection may heed its own timeouts only.
	answer := make(chan error, 1)
	go func() {
		defer func() {
			// The guard of the pages does not reach into this goroutine.
			if v := recover(); v != nil {
				answer <- fmt.Errorf("ask whether the process is ready: panic of type %T", v)
			}
		}()
		answer <- a.o.Ready(ctx)
	}()
	var err error
	select {
	case err = <-answer:
	case <-ctx.Done():
		err = ctx.Err()
	}
	switch {
	case err == nil:
		text(w, http.StatusOK, "Ready: the store answers.")
	case errors.Is(err, ErrStopping):
		text(w, http.StatusServiceUnavailable, "Not ready: the program is stopping.")
	case r.Context().Err() != nil:
		// Nobody waits for the answer.
	case errors.Is(err, context.DeadlineExceeded):
		a.log.Warn("not ready", "err", err)
		text(w, http.StatusServiceUnavailable, "Not ready: the store did not answer within a second.")
	default:
		a.log.Warn("not ready", "err", err)
		text(w, http.StatusServiceUnavailable, "Not ready: the store cannot be used. The log says why.")
	}
}

func (a *admin) fresh(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	var answer struct {
		Fresh   bool        `json:"fresh"`
		Error   string      `json:"error,omitempty"`
		Sources []freshness `json:"sources"`
	}
	answer.Sources = []freshness{}
	st, err := a.o.Status(ctx)
	if err != nil {
		a.log.Error("freshness could not be told", "err", err)
		answer.Error = "the state cannot be read, the log says why"
	} else {
		// To watch nothing is not to be up to date.
		answer.Fresh = len(st.Sources) > 0
		for i := range st.Sources {
			f := st.Sources[i].freshness(st.Now)
			answer.Fresh = answer.Fresh && f.Fresh
			answer.Sources = append(answer.Sources, f)
		}
	}
	b, err := json.MarshalIndent(answer, "", "  ")
	if err != nil {
		// Unreachable: there are no values that JSON cannot hold.
		text(w, http.StatusInternalServerError, "Freshness cannot be shown.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if !answer.Fresh {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	w.Write(append(b, '\n'))
}

func (a *admin) statusPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	if wantsJSON(r.Header.Get("Accept")) {
		a.statusJSON(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	st, err := a.o.Status(ctx)
	a.showStatus(w, r, st, true, err)
}

// gatherLog takes what promhttp says of a collector that failed.
type gatherLog struct{ log *slog.Logger }

func (l gatherLog) Println(v ...any) { l.log.Error("metrics are incomplete", "err", fmt.Sprint(v...)) }
