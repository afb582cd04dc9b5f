package web

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// leave.go is what the link to stop a search offers besides: to stop all, to
// pause, to say why. What is asked for is in the query, so that the mail
// program's one click, which has none, goes on to do one thing only.

// LeaveReasons are why people stop a search, as they are asked afterwards: a
// closed list.
func LeaveReasons() []string {
	out := make([]string, len(leaveReasons))
	for i, r := range leaveReasons {
		out[i] = r.name
	}
	return out
}

var leaveReasons = []struct{ name, label string }{
	{"found", "I have found a job"},
	{"too_many", "Too many alerts"},
	{"too_few", "Too few alerts"},
	{"wrong", "The vacancies were not right for me"},
	{"late", "The alerts came too late"},
	{"other", "Something else"},
}

// leaving reports whether more is asked for than to stop the one search. What
// mail programs and others put behind a link makes no difference to it.
func (p *public) leaving(r *http.Request) bool {
	q := r.URL.Query()
	return p.people != nil && (q.Has("all") || q.Has("pause") || q.Has("why"))
}

// owner returns the person who saved a search, "" where that was nobody or
// cannot be learned: then less is offered.
func (p *public) owner(ctx context.Context, search string) string {
	if p.people == nil {
		return ""
	}
	id, err := p.people.People.OwnerOf(ctx, search)
	if err != nil {
		p.log.Warn("whose search it is could not be looked up", "search", search, "err", err)
	}
	return id
}

// A leaveView is a page of the link that stops a search.
type leaveView struct {
	Words   string
	Choices choices
}

func (p *public) leavePage(w http.ResponseWriter, r *http.Request, search, words string, ended bool) {
	q := r.URL.Query()
	if p.owner(r.Context(), search) == "" && !q.Has("why") {
		if ended {
			p.page(w, r, http.StatusOK, "ended", "This search has ended", stopping{Words: words})
			return
		}
		p.page(w, r, http.StatusOK, "stop", "Stop this search", stopping{Words: words})
		return
	}
	switch {
	case q.Has("all"):
		p.page(w, r, http.StatusOK, "stop-all", "Stop all your searches", nil)
	case q.Has("pause"):
		p.page(w, r, http.StatusOK, "pause-all", "Pause your searches", leaveView{Choices: pauseChoices("")})
	default:
		p.page(w, r, http.StatusOK, "why", "Why did you stop?", leaveView{Choices: whyChoices()})
	}
}

func whyChoices() choices {
	c := choices{ID: "reason", Legend: "Why did you stop?"}
	for i, r := range leaveReasons {
		id := "reason"
		if i > 0 {
			id += "-" + r.name
		}
		c.Options = append(c.Options, option{ID: id, Name: "reason", Value: r.name, Label: r.label})
	}
	return c
}

// leave does what a page of the link offers. It is asked for by our own pages
// alone.
func (p *public) leave(w http.ResponseWriter, r *http.Request, search string) {
	if err := p.strict.Check(r); err != nil {
		p.crossSite(w, r)
		return
	}
	if !p.form(w, r) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), callTime)
	defer cancel()
	q, now := r.URL.Query(), time.Now()
	if q.Has("why") {
		if reason := r.PostForm.Get("reason"); slices.Contains(LeaveReasons(), reason) && p.people.Left != nil {
			p.people.Left(reason)
		}
		p.page(w, r, http.StatusOK, "message", "Thank you", message{"Thank you", []string{"It helps us to make the alerts better. You can close this page."}})
		return
	}
	id, err := p.people.People.OwnerOf(ctx, search)
	if err != nil || id == "" {
		p.fail(w, r, "whose search it is could not be looked up", err)
		return
	}
	switch {
	case q.Has("all"):
		if err := p.people.People.Stop(ctx, id, nil, now); err != nil {
			p.fail(w, r, "the searches of a person could not be stopped", err)
			return
		}
		p.log.Info("all searches of a person were stopped by their reader", "subscriber", id)
		p.page(w, r, http.StatusOK, "stopped-all", "All your searches are stopped", nil)
	default:
		until, fault := pauseUntil(r.PostForm, now)
		if fault != "" {
			c := pauseChoices("")
			c.Error = fault
			p.page(w, r, http.StatusBadRequest, "pause-all", "Error: Pause your searches", leaveView{Choices: c})
			return
		}
		if err := p.people.People.Pause(ctx, id, nil, until, now); err != nil {
			p.fail(w, r, "the searches of a person could not be paused", err)
			return
		}
		p.page(w, r, http.StatusOK, "message", "Your searches are paused", message{"Your searches are paused", []string{
			"You get nothing until " + dayWords(until) + ". Then they go on by themselves, and what is still open of what we found meanwhile comes in one mail a search.",
			"You can close this page."}})
	}
}
