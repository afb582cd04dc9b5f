package web

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/people"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web/preview"
)

// Subscribe is what the pages need on which people save searches themselves.
type Subscribe struct {
	People People
	// Channel is the name of the mail channel that tells them.
	Channel string
	// Proxies are those whose word for a client's address is taken.
	Proxies []netip.Prefix
	// Queued is called after a mail was queued. May be nil.
	Queued func()
	// Count is called with what came of each sign-up, one of SignUpOutcomes. May
	// be nil.
	Count func(outcome string)
	// Left is called with the reason that somebody gave for stopping a search,
	// one of LeaveReasons. May be nil.
	Left func(reason string)

	told atomic.Int64 // when it was last said that all sign-ups are too many
}

// People keeps those who subscribe themselves. Its errors are those of package
// people where there is one; after any other nothing may be concluded.
type People interface {
	// Allow lets a network through that asks for mail, or returns
	// people.ErrLimited; all says that it was the limit of all together.
	Allow(ctx context.Context, network string, now time.Time) (all bool, err error)
	// SignUp keeps a wish and queues the mail that asks to confirm it. It tells
	// only the metrics whether it did.
	SignUp(ctx context.Context, up people.SignUp, now time.Time) (queued bool, err error)
	// SendLink queues the mail with the link to the page of whoever has the
	// address, if somebody does.
	SendLink(ctx context.Context, a vacancy.Address, channel string, now time.Time) (queued bool, err error)
	// Wish returns a sign-up, Confirm makes a search of it.
	Wish(ctx context.Context, id string, now time.Time) (people.Wish, error)
	Confirm(ctx context.Context, id string, now time.Time) (people.Wish, error)
	Person(ctx context.Context, id string) (people.Subscriber, error)
	// OwnerOf returns who saved a search; "" where that was nobody.
	OwnerOf(ctx context.Context, search string) (id string, err error)
	Suppressed(ctx context.Context, a vacancy.Address, now time.Time) (*people.Suppressed, error)
	Change(ctx context.Context, id, search string, fn func(*vacancy.Search), now time.Time) error
	// Pause and Stop mean all searches where none is named.
	Pause(ctx context.Context, id string, searches []string, until, now time.Time) error
	Stop(ctx context.Context, id string, searches []string, now time.Time) error
	// Keep notes that a person still wants the searches.
	Keep(ctx context.Context, id string, now time.Time) error
	Revoke(ctx context.Context, id string, now time.Time) error
	Export(ctx context.Context, id string, now time.Time) (people.Export, error)
	Erase(ctx context.Context, id string, now time.Time) error
}

// What comes of a sign-up: a closed list.
const (
	SignUpQueued  = "queued"  // a mail asks to confirm
	SignUpSilent  = "silent"  // none does: the address got its three, or is suppressed
	SignUpInvalid = "invalid" // the form was filled in wrongly
	SignUpTrapped = "trapped" // by a program, into the field that people do not see
	SignUpNetwork = "network" // too many from that network
	SignUpAll     = "all"     // too many from everywhere
	SignUpFailed  = "failed"
)

// SignUpOutcomes returns all of them.
func SignUpOutcomes() []string {
	return []string{SignUpQueued, SignUpSilent, SignUpInvalid, SignUpTrapped, SignUpNetwork, SignUpAll, SignUpFailed}
}

// manageLife is how long a link to a person's page is good that a page shows.
const manageLife = 30 * 24 * time.Hour

func (p *public) routePeople(mux *http.ServeMux) {
	mux.HandleFunc("GET /subscribe", p.searchPage)
	mux.HandleFunc("POST /subscribe", p.signUp)
	mux.HandleFunc("GET /s/{token}", p.wishPage)
	mux.HandleFunc("POST /s/{token}", p.confirm)
	mux.HandleFunc("GET /m/{token}", p.managePage)
	mux.HandleFunc("POST /m/{token}", p.manage)
	mux.HandleFunc("GET /manage", p.linkPage)
	mux.HandleFunc("POST /manage", p.sendLink)
}

// An offerView is the form that signs an address up.
type offerView struct {
	// Action is where the form goes: the search is in its query, so that a page
	// with an error still has it.
	Action template.URL
	Email  input
	Often  choices
	Trap   input
}

// Fields of the form, which are no fields of a search.
const (
	fieldEmail = "email"
	fieldOften = "often"
	fieldTrap  = "website"
)

func newOffer(search url.Values) *offerView {
	o := &offerView{Action: template.URL("subscribe?" + search.Encode())}
	o.Email = input{ID: fieldEmail, Label: "Your email address", Hint: "We send one mail to it, with a link to confirm. Without that you get nothing more.", Max: 254}
	o.Trap = input{ID: fieldTrap, Label: "Leave this empty"}
	o.Often = choices{ID: fieldOften, Legend: "How often"}
	for i, c := range []struct {
		rhythm vacancy.Rhythm
		label  string
	}{{vacancy.Instant, "As soon as we find something"}, {vacancy.Daily, "One mail a day, at 8 in the morning"}, {vacancy.Weekly, "One mail a week, on Monday at 8"}} {
		id := fieldOften
		if i > 0 {
			id += "-" + string(c.rhythm)
		}
		o.Often.Options = append(o.Often.Options, option{ID: id, Name: fieldOften, Value: string(c.rhythm), Label: c.label, Checked: i == 0})
	}
	return o
}

func (o *offerView) faults() []preview.Fault {
	var out []preview.Fault
	for _, f := range []preview.Fault{{Field: o.Email.ID, Text: o.Email.Error}, {Field: o.Often.ID, Text: o.Often.Error}} {
		if f.Text != "" {
			out = append(out, f)
		}
	}
	return out
}

// rhythm reads how often somebody wants mail.
func (o *offerView) rhythm(value string) (vacancy.Notify, bool) {
	for i := range o.Often.Options {
		o.Often.Options[i].Checked = o.Often.Options[i].Value == value
	}
	n := vacancy.Notify{Rhythm: vacancy.Rhythm(value)}
	switch n.Rhythm {
	case vacancy.Instant:
		n.DailyCap = dailyCap
	case vacancy.Daily:
		n.Hour = firstHour
	case vacancy.Weekly:
		n.Hour, n.Day = firstHour, vacancy.Weekdays()[0]
	default:
		o.Often.Options[0].Checked = true
		return n, false
	}
	return n, true
}

const (
	// dailyCap is how many single mails a day somebody gets who says nothing
	// else, firstHour the hour of a digest.
	dailyCap, firstHour = 10, 8
)

// form reads a small form. It answers, and is false, where it cannot.
func (p *public) form(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		code := http.StatusBadRequest
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			code = http.StatusRequestEntityTooLarge
		}
		p.page(w, r, code, "message", "Error", message{"Sorry, this request could not be read",
			[]string{"Nothing was changed.", "Please go back and use the button again."}})
		return false
	}
	return true
}

// count notes what came of a sign-up.
func (p *public) count(outcome string) {
	if p.people.Count != nil {
		p.people.Count(outcome)
	}
}

// signUp takes in an address and a search. The answer is the same for every
// address, known or not.
func (p *public) signUp(w http.ResponseWriter, r *http.Request) {
	q, ok := readQuery(r)
	if !ok || !p.form(w, r) {
		if !ok {
			p.badSearch(w, r)
		}
		return
	}
	t := trying{query: q, offer: newOffer(q), code: http.StatusBadRequest}
	search, faults := preview.ReadForm(q).Search(p.trial.places)
	n, known := t.offer.rhythm(r.PostForm.Get(fieldOften))
	if !known {
		t.offer.Often.Error = "Choose how often you want a mail."
	}
	typed := r.PostForm.Get(fieldEmail)
	address, fault := people.CheckAddress(typed)
	if fault != "" {
		t.offer.Email.Error = fault
		t.offer.Email.Value = shown(typed)
	}
	if len(faults) > 0 || fault != "" || !known {
		p.count(SignUpInvalid)
		p.try(w, r, t)
		return
	}
	if r.PostForm.Get(fieldTrap) != "" {
		p.count(SignUpTrapped)
		p.checkMail(w, r)
		return
	}
	if !p.allow(w, r) {
		return
	}
	n.Channel = p.people.Channel
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), callTime)
	defer cancel()
	queued, err := p.people.People.SignUp(ctx, people.SignUp{Address: address, Search: search, Notify: n}, time.Now())
	if err != nil {
		p.count(SignUpFailed)
		p.fail(w, r, "a sign-up could not be kept", err)
		return
	}
	if queued {
		p.count(SignUpQueued)
		p.queued()
	} else {
		p.count(SignUpSilent)
	}
	p.checkMail(w, r)
}

func (p *public) queued() {
	if p.people.Queued != nil {
		p.people.Queued()
	}
}

// shown is what somebody typed, fit to stand in a field again.
func shown(typed string) string {
	const most = 254
	out := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 {
			return '\ufffd'
		}
		return r
	}, strings.ToValidUTF8(typed, "\ufffd"))
	if rs := []rune(out); len(rs) > most {
		out = string(rs[:most])
	}
	return out
}

// allow answers, and is false, where too much mail was asked for.
func (p *public) allow(w http.ResponseWriter, r *http.Request) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), callTime)
	defer cancel()
	all, err := p.people.People.Allow(ctx, network(r, p.people.Proxies), time.Now())
	switch {
	case err == nil:
		return true
	case !errors.Is(err, people.ErrLimited):
		p.count(SignUpFailed)
		p.fail(w, r, "whether a sign-up may be let through could not be learned", err)
		return false
	case all:
		p.count(SignUpAll)
		if told := p.people.told.Load(); time.Now().Unix()-told >= 3600 && p.people.told.CompareAndSwap(told, time.Now().Unix()) {
			p.log.Error("more people sign up than are let through in an hour: the others are asked to come back; see whether somebody has us send mail to strangers", "most", people.InAll)
		}
	default:
		p.count(SignUpNetwork)
	}
	w.Header().Set("Retry-After", "3600")
	p.page(w, r, http.StatusTooManyRequests, "message", "Error: try again later", message{"Please try again in an hour",
		[]string{"We were asked for too many mails, from your network or from everywhere together. To keep others from being sent mail that they did not ask for, we send no more for a while.",
			"Nothing was saved or sent."}})
	return false
}

// fail answers where the state did not.
func (p *public) fail(w http.ResponseWriter, r *http.Request, what string, err error) {
	if errors.Is(err, people.ErrGone) {
		p.goneLink(w, r)
		return
	}
	p.log.Error(what, "err", err)
	w.Header().Set("Retry-After", "60")
	p.page(w, r, http.StatusServiceUnavailable, "message", "Error", message{"Sorry, this did not work",
		[]string{"We could not make sure that it was done.", "Please go back and try again in a few minutes."}})
}

func (p *public) badSearch(w http.ResponseWriter, r *http.Request) {
	p.page(w, r, http.StatusBadRequest, "message", "Error: this search cannot be read", message{"This search cannot be read",
		[]string{"The address of the page is too long, or was cut off or changed on its way.", "Open the page without what follows the question mark, and fill in the form anew."}})
}

// checkMail is the answer to every sign-up.
func (p *public) checkMail(w http.ResponseWriter, r *http.Request) {
	p.page(w, r, http.StatusOK, "check-mail", "Check your mail", nil)
}

// A wishView is a search that waits for its confirmation, or has it.
type wishView struct {
	Words  string
	Often  string
	Result *resultView
	// Manage is the link to the person's own page.
	Manage string
}

// wishPage shows and changes nothing.
func (p *public) wishPage(w http.ResponseWriter, r *http.Request) {
	id, err := p.o.Tokens.Wish(r.PathValue("token"), time.Now())
	if err != nil {
		p.goneLink(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	wish, err := p.people.People.Wish(ctx, id, time.Now())
	if err != nil {
		p.fail(w, r, "a sign-up could not be looked up", err)
		return
	}
	v := wishView{Words: wish.Search.Describe(), Often: often(wish.Search.Notify)}
	if wish.Done {
		p.page(w, r, http.StatusOK, "confirmed", "Your alerts are on", v)
		return
	}
	v.Result = p.found(ctx, &wish.Search)
	p.page(w, r, http.StatusOK, "confirm", "Confirm your alerts", v)
}

// found is what a search finds now; nil where that cannot be said just now.
func (p *public) found(ctx context.Context, s *vacancy.Search) *resultView {
	a, err := p.trial.preview(ctx, s)
	if err != nil {
		if !errors.Is(err, errBusy) {
			p.log.Error("a preview could not be made", "err", err)
		}
		return nil
	}
	var v searchView
	v.show(a, s, "")
	return v.Result
}

// confirm starts the search.
func (p *public) confirm(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	id, err := p.o.Tokens.Wish(r.PathValue("token"), now)
	if err != nil {
		p.goneLink(w, r)
		return
	}
	if !p.form(w, r) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), callTime)
	defer cancel()
	wish, err := p.people.People.Confirm(ctx, id, now)
	switch {
	case errors.Is(err, people.ErrSame):
		p.page(w, r, http.StatusConflict, "refused", "You have this search already", message{"You have this search already",
			[]string{"An equal search of yours is on. You need do nothing."}})
	case errors.Is(err, people.ErrFull):
		p.page(w, r, http.StatusConflict, "refused", "Error: too many searches", message{"You have as many searches as we can keep",
			[]string{"Delete one that you no longer need, then use the link in the mail once more."}})
	case err != nil:
		p.fail(w, r, "a sign-up could not be confirmed", err)
	default:
		p.log.Info("a sign-up was confirmed", "search", wish.Search.ID)
		p.page(w, r, http.StatusOK, "confirmed", "Your alerts are on", wishView{Words: wish.Search.Describe(), Often: often(wish.Search.Notify),
			Manage: "../m/" + p.o.Tokens.Manage(wish.Subscriber, wish.Generation, now.Add(manageLife))})
	}
}

// goneLink is the answer to a link that has been of use, or never was.
func (p *public) goneLink(w http.ResponseWriter, r *http.Request) {
	p.page(w, r, http.StatusNotFound, "gone", "This link does not work", nil)
}
