package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/people"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web/preview"
)

// The page of a person has one address, with a token in it. What is looked at
// or done is in its query: do is one of edit, when, pause, resume, delete, all,
// keep, revoke, data, export and erase, search the search that is meant. So no link of
// the page holds the token, and none leads out of it.

// A visit is a request to a person's own page, once the token has been checked.
type visit struct {
	person people.Subscriber
	do     string
	search *vacancy.Search // nil where none is named
	now    time.Time
}

// visit checks the token of a request. It answers, and is false, where it is
// not good.
func (p *public) visit(ctx context.Context, w http.ResponseWriter, r *http.Request) (visit, bool) {
	v := visit{do: r.URL.Query().Get("do"), now: time.Now()}
	id, generation, err := p.o.Tokens.Person(r.PathValue("token"), v.now)
	if err != nil || len(r.URL.RawQuery) > preview.MaxQuery+200 {
		p.goneLink(w, r)
		return v, false
	}
	if v.person, err = p.people.People.Person(ctx, id); err != nil {
		p.fail(w, r, "a person could not be looked up", err)
		return v, false
	}
	if v.person.Generation != generation {
		p.goneLink(w, r)
		return v, false
	}
	if named := r.URL.Query().Get("search"); named != "" {
		i := slices.IndexFunc(v.person.Searches, func(s vacancy.Search) bool { return s.ID == named })
		if i < 0 {
			p.page(w, r, http.StatusNotFound, "back", "Error: this search has ended", message{"This search has ended", []string{"It is not among your searches any more."}})
			return v, false
		}
		v.search = &v.person.Searches[i]
	}
	return v, true
}

// managePage shows and changes nothing.
func (p *public) managePage(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	v, ok := p.visit(ctx, w, r)
	if !ok {
		return
	}
	switch {
	case v.do == "edit" && v.search != nil:
		p.editPage(w, r, v)
	case v.do == "when" && v.search != nil:
		p.page(w, r, http.StatusOK, "when", "When you are told", newWhenView(v.search))
	case v.do == "pause":
		p.page(w, r, http.StatusOK, "pause", "Pause", newPauseView(v))
	case v.do == "resume":
		p.page(w, r, http.StatusOK, "resume", "Go on", newPauseView(v))
	case v.do == "delete" && v.search != nil:
		p.page(w, r, http.StatusOK, "delete", "Delete a search", stopping{Words: v.search.Describe()})
	case v.do == "all":
		p.page(w, r, http.StatusOK, "stop-all", "Stop all your searches", nil)
	case v.do == "keep":
		p.page(w, r, http.StatusOK, "keep", "Keep your alerts", nil)
	case v.do == "revoke":
		p.page(w, r, http.StatusOK, "revoke", "Make earlier links worthless", nil)
	case v.do == "data":
		p.page(w, r, http.StatusOK, "data", "Your data", newDataView(v.person))
	case v.do == "export":
		p.export(ctx, w, r, v)
	case v.do == "erase":
		p.page(w, r, http.StatusOK, "erase", "Erase everything about you", nil)
	default:
		p.overview(ctx, w, r, v)
	}
}

func (p *public) overview(ctx context.Context, w http.ResponseWriter, r *http.Request, v visit) {
	suppressed, err := p.people.People.Suppressed(ctx, v.person.Address, v.now)
	if err != nil {
		p.fail(w, r, "whether an address is suppressed could not be looked up", err)
		return
	}
	p.page(w, r, http.StatusOK, "manage", "Your vacancy alerts", newManageView(v, suppressed, r.URL.Query().Get("done")))
}

// export hands a person all that is kept of him.
func (p *public) export(ctx context.Context, w http.ResponseWriter, r *http.Request, v visit) {
	all, err := p.people.People.Export(ctx, v.person.ID, v.now)
	if err != nil {
		p.fail(w, r, "what is kept of a person could not be put together", err)
		return
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		// Unreachable: there are no values that JSON cannot hold.
		p.fail(w, r, "what is kept of a person could not be written", err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="vacancywatch-my-data.json"`)
	w.Write(append(b, '\n'))
}

// editPage is the page that tries searches, filled in with one that is there.
func (p *public) editPage(w http.ResponseWriter, r *http.Request, v visit) {
	q := searchQuery(r.URL.Query())
	if len(q) == 0 {
		saved, ok := preview.Query(v.search)
		if parsed, err := url.ParseQuery(saved); ok && err == nil {
			q = parsed
		}
	}
	p.try(w, r, trying{query: q, edit: v.search.ID, before: editing(v.search.ID)})
}

// searchQuery is a query without what is not of a search.
func searchQuery(q url.Values) url.Values {
	q.Del("do")
	q.Del("search")
	return q
}

func editing(search string) string {
	return url.Values{"do": {"edit"}, "search": {search}}.Encode() + "&"
}

// manage does what a form of the page asks for, and shows the page again.
func (p *public) manage(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), callTime)
	defer cancel()
	v, ok := p.visit(ctx, w, r)
	if !ok || !p.form(w, r) {
		return
	}
	var err error
	done := v.do
	var one []string
	if v.search != nil {
		one = []string{v.search.ID}
	}
	pp := p.people.People
	switch {
	case v.do == "edit" && v.search != nil:
		q := searchQuery(r.URL.Query())
		asked, faults := preview.ReadForm(q).Search(p.trial.places)
		if len(faults) > 0 || len(q) == 0 {
			p.try(w, r, trying{query: q, edit: v.search.ID, before: editing(v.search.ID), code: http.StatusBadRequest})
			return
		}
		err = pp.Change(ctx, v.person.ID, v.search.ID, func(s *vacancy.Search) {
			kept := s.Clone()
			*s = asked.Clone()
			s.Name, s.Kinds, s.Notify = kept.Name, kept.Kinds, kept.Notify
		}, v.now)
	case v.do == "when" && v.search != nil:
		n, view := readWhen(r.PostForm, v.search)
		if view != nil {
			p.page(w, r, http.StatusBadRequest, "when", "Error: When you are told", view)
			return
		}
		err = pp.Change(ctx, v.person.ID, v.search.ID, func(s *vacancy.Search) {
			for i := range s.Notify {
				was := s.Notify[i]
				s.Notify[i] = n
				s.Notify[i].Channel, s.Notify[i].To, s.Notify[i].Key, s.Notify[i].Paused = was.Channel, was.To, was.Key, was.Paused
			}
		}, v.now)
	case v.do == "pause":
		until, fault := pauseUntil(r.PostForm, v.now)
		if fault != "" {
			view := newPauseView(v)
			view.Choices.Error = fault
			p.page(w, r, http.StatusBadRequest, "pause", "Error: Pause", view)
			return
		}
		err = pp.Pause(ctx, v.person.ID, one, until, v.now)
	case v.do == "resume":
		err = pp.Pause(ctx, v.person.ID, one, time.Time{}, v.now)
		p.queued()
	case v.do == "delete" && v.search != nil:
		err = pp.Stop(ctx, v.person.ID, one, v.now)
	case v.do == "keep":
		err = pp.Keep(ctx, v.person.ID, v.now)
	case v.do == "all":
		err = pp.Stop(ctx, v.person.ID, nil, v.now)
	case v.do == "revoke":
		if err = pp.Revoke(ctx, v.person.ID, v.now); err == nil {
			p.page(w, r, http.StatusOK, "revoked", "Earlier links are worthless now", nil)
			return
		}
	case v.do == "erase":
		if err = pp.Erase(ctx, v.person.ID, v.now); err == nil {
			p.log.Info("a person had himself erased", "subscriber", v.person.ID)
			p.page(w, r, http.StatusOK, "message", "Erased", message{"Everything about you is erased",
				[]string{"Your address, your searches and what was on its way to you are gone. A mail that was being sent at this moment may still arrive.",
					"If you want alerts again some day, sign up anew."}})
			return
		}
	default:
		p.goneLink(w, r)
		return
	}
	switch {
	case errors.Is(err, people.ErrSame):
		p.page(w, r, http.StatusConflict, "back", "Error: you have this search already", message{"You have this search already", []string{"An equal search of yours is on. Nothing was changed."}})
	case err != nil:
		p.fail(w, r, "a person's change could not be made", err)
	default:
		// To the page, relative, for it may lie below a prefix: so that loading it
		// anew does nothing again.
		w.Header().Set("Location", "?done="+url.QueryEscape(done))
		w.WriteHeader(http.StatusSeeOther)
	}
}

// linkView is the form that asks for the link to a person's page.
type linkView struct {
	Errors []preview.Fault
	Email  input
	Trap   input
}

func newLinkView() *linkView {
	return &linkView{Email: input{ID: fieldEmail, Label: "Your email address", Hint: "The one that your alerts come to.", Max: 254}, Trap: input{ID: fieldTrap, Label: "Leave this empty"}}
}

func (p *public) linkPage(w http.ResponseWriter, r *http.Request) {
	p.page(w, r, http.StatusOK, "link", "Get your link", newLinkView())
}

// sendLink answers the same for every address.
func (p *public) sendLink(w http.ResponseWriter, r *http.Request) {
	if !p.form(w, r) {
		return
	}
	typed := r.PostForm.Get(fieldEmail)
	address, fault := people.CheckAddress(typed)
	if fault != "" {
		v := newLinkView()
		v.Email.Error, v.Email.Value = fault, shown(typed)
		v.Errors = []preview.Fault{{Field: fieldEmail, Text: fault}}
		p.page(w, r, http.StatusBadRequest, "link", "Error: Get your link", v)
		return
	}
	if strings.TrimSpace(r.PostForm.Get(fieldTrap)) == "" {
		if !p.allow(w, r) {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), callTime)
		defer cancel()
		queued, err := p.people.People.SendLink(ctx, address, p.people.Channel, time.Now())
		if err != nil {
			p.fail(w, r, "a link could not be sent", err)
			return
		}
		if queued {
			p.queued()
		}
	}
	p.page(w, r, http.StatusOK, "link-sent", "Check your mail", nil)
}
