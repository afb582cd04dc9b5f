package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Decision is what a person decides about a source.
type Decision struct {
	Action string // one of Actions
	Source string
	// PostedSince is what the person wrote: of a flood, only what was posted
	// since then is released.
	PostedSince string
	// DryRun asks what would be done.
	DryRun bool
}

// Actions.
const (
	ActionResume  = "resume"  // go on with a source that was stopped or paused
	ActionPause   = "pause"   // ask nothing of the site
	ActionAccept  = "accept"  // take for granted what looked like damage, in silence
	ActionRelease = "release" // end a flood, and tell what came in it
)

// Actions returns every action.
func Actions() []string { return []string{ActionResume, ActionPause, ActionAccept, ActionRelease} }

// A Refusal is an error of AdminOptions.Decide that whoever decided is told in
// its own words. It holds nothing that they may not see.
type Refusal struct {
	Code int // of the answer
	Text string
}

func (e *Refusal) Error() string { return e.Text }

// DecideHeader is set on every answer to a decision, to the action, so that a
// program can tell it from that of whatever else listens at an address.
const DecideHeader = "Vacancywatch-Decision"

// decideTime bounds a decision: the release of a flood of ten thousand takes
// minutes.
const decideTime = 15 * time.Minute

// decide takes a decision from the command line of the same machine.
func (a *admin) decide(w http.ResponseWriter, r *http.Request) {
	d := Decision{Action: r.PathValue("action"), Source: r.PathValue("source")}
	if !slices.Contains(Actions(), d.Action) {
		text(w, http.StatusNotFound, "There is no such action: use "+strings.Join(Actions(), ", ")+".")
		return
	}
	w.Header().Set(DecideHeader, d.Action)
	if refusedToBrowser(w, r, "crawl "+d.Action) {
		return
	}
	if err := d.readBody(w, r); err != nil {
		unreadable(w, err)
		return
	}
	// It waits for the end of a run, which is longer than a page may take.
	ctx, cancel := a.takeTime(w, r)
	defer cancel()
	answer, err := a.o.Decide(ctx, d)
	if err != nil {
		a.notDone(w, err, "action", d.Action, "source", d.Source)
		return
	}
	text(w, http.StatusOK, strings.TrimRight(answer, "\n"))
}

// refusedToBrowser refuses what is for the command line alone. A browser says
// so on every POST, whoever made it send one. There is no login, so nothing is
// taken from any: not from a page of ours, for there is none, and not from
// another that has found out the address.
func refusedToBrowser(w http.ResponseWriter, r *http.Request, command string) bool {
	if r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == "" {
		return false
	}
	text(w, http.StatusForbidden, "This is for the command line: vacancywatch "+command+". Nothing was changed.")
	return true
}

// unreadable answers a request that is not understood.
func unreadable(w http.ResponseWriter, err error) {
	code := http.StatusBadRequest
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		code = http.StatusRequestEntityTooLarge
	}
	text(w, code, "The request cannot be read: "+err.Error()+". Nothing was changed.")
}

// takeTime gives an order of an operator more time than a page has.
func (a *admin) takeTime(w http.ResponseWriter, r *http.Request) (context.Context, context.CancelFunc) {
	ctl, until := http.NewResponseController(w), time.Now().Add(decideTime+callTime)
	if err := errors.Join(ctl.SetReadDeadline(until), ctl.SetWriteDeadline(until)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		a.log.Error("a decision may take longer than its answer has time", "err", err)
	}
	return context.WithTimeout(r.Context(), decideTime)
}

// notDone answers an order that failed: a refusal in its own words, anything
// else in the log.
func (a *admin) notDone(w http.ResponseWriter, err error, what ...any) {
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		text(w, refusal.Code, refusal.Text)
		return
	}
	a.log.Error("a decision could not be carried out to the end", append(what, "err", err)...)
	text(w, http.StatusInternalServerError, "It could not be done to the end, the log of the daemon says why. It may be tried again: what was done stays done.")
}

// readBody reads the details of a decision: a form, or JSON. What is not known
// is refused, for a misspelt limit would lift it.
func (d *Decision) readBody(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	kind := r.Header.Get("Content-Type")
	if kind != "" {
		var err error
		if kind, _, err = mime.ParseMediaType(kind); err != nil {
			return errors.New("its content type is none")
		}
	}
	switch kind {
	case "application/json":
		var body struct {
			PostedSince string `json:"posted_since"`
			DryRun      bool   `json:"dry_run"`
		}
		in := json.NewDecoder(r.Body)
		in.DisallowUnknownFields()
		if err := in.Decode(&body); err != nil {
			return err
		}
		d.PostedSince, d.DryRun = body.PostedSince, body.DryRun
	case "application/x-www-form-urlencoded", "":
		if err := r.ParseForm(); err != nil {
			return err
		}
		return d.readForm(r.Form)
	default:
		return errors.New("give a form or JSON")
	}
	return nil
}

func (d *Decision) readForm(form url.Values) error {
	for key, values := range form {
		v := values[len(values)-1]
		switch {
		case len(values) > 1:
			return fmt.Errorf("%q is given twice", key)
		case key == "posted_since":
			d.PostedSince = v
		case key == "dry_run" && (v == "true" || v == "false"):
			d.DryRun = v == "true"
		case key == "dry_run":
			return errors.New("dry_run is true or false")
		default:
			return fmt.Errorf("%q is not known: use posted_since and dry_run", key)
		}
	}
	return nil
}
