package store_test

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/alerts/people"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/store/engine"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A subscribing rig has people who subscribe themselves, and sends notices.
type subscribing struct {
	*rig
	subs *store.Subscribers
}

func newSubscribing(t *testing.T, eng engine.Engine) *subscribing {
	t.Helper()
	r := &subscribing{rig: newRig(t, eng)}
	r.reopen()
	return r
}

// reopen is a restart.
func (r *subscribing) reopen() {
	r.t.Helper()
	r.open()
	var err error
	if r.subs, err = r.store.Subscribers(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	suppressing(r.rig)
	r.deliver.Channels["mail"] = noticing{r.far}
	r.deliver.Notices = r
}

// noticing is a far side that takes notices.
type noticing struct{ *far }

func (n noticing) RenderNotice(x message.Notice, to string) ([]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return fmt.Appendf(nil, "%d to %s for notice\n%s %s", len(n.bodies), to, x.Subject, x.Link), nil
}

// Notice has the id of what it is about as its link.
func (r *subscribing) Notice(ctx context.Context, m *alerts.Message, now time.Time) (message.Notice, vacancy.Address, string, error) {
	a, generation, ok, err := r.subs.Noticed(ctx, m, now)
	if err != nil || !ok {
		return message.Notice{}, "", alerts.DropEnded, err
	}
	return message.Notice{Subject: m.Notice, Link: fmt.Sprintf("%s.%d", m.Search, generation)}, a, "", nil
}

const jo vacancy.Address = "Jo.Canary@reader.example"

func signUp(a vacancy.Address, bands ...string) people.SignUp {
	return people.SignUp{Address: a, Search: vacancy.Search{ID: "form", Bands: bands}, Notify: vacancy.Notify{Channel: "mail", Rhythm: vacancy.Instant}}
}

func (r *subscribing) signUp(up people.SignUp) {
	r.t.Helper()
	if err := up.Search.Prepare(); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.subs.SignUp(r.t.Context(), up, r.now); err != nil {
		r.t.Fatal(err)
	}
	r.pass()
}

// links returns what the notices of a kind led to.
func (r *subscribing) links(kind string) []string {
	var out []string
	for _, line := range r.far.told() {
		if rest, ok := strings.CutPrefix(line, kind+" "); ok {
			link, _, _ := strings.Cut(rest, ".")
			out = append(out, link)
		}
	}
	return out
}

// join signs up and confirms, and returns the person's id and that of the search.
func (r *subscribing) join(up people.SignUp) (person, search string) {
	r.t.Helper()
	r.signUp(up)
	all := r.links(people.NoticeConfirm)
	w, err := r.subs.Confirm(r.t.Context(), all[len(all)-1], r.now)
	if err != nil {
		r.t.Fatal(err)
	}
	p, err := r.subs.Person(r.t.Context(), w.Subscriber)
	if err != nil {
		r.t.Fatal(err)
	}
	return p.ID, p.Searches[len(p.Searches)-1].ID
}

// alerts returns what was told of vacancies.
func (r *subscribing) alerts() []string {
	var out []string
	for _, line := range r.far.told() {
		if strings.Contains(line, " C9001-") {
			line, _, _ = strings.Cut(line, " for ")
			out = append(out, line)
		}
	}
	return out
}

func (r *subscribing) wantAlerts(want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(strings.Join(want, "\n"), strings.Join(r.alerts(), "\n")); diff != "" {
		r.t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

func (r *subscribing) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// A person signs up, confirms, is alerted, pauses, goes on, stops.
func TestSubscriberLife(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r, ctx := newSubscribing(t, eng), t.Context()
		r.signUp(signUp(jo, "5"))
		r.see(vac(1))
		r.pass()
		r.wantAlerts() // nobody has confirmed
		id := r.links(people.NoticeConfirm)[0]
		w, err := r.subs.Wish(ctx, id, r.now)
		r.must(err)
		if w.Search.Describe() != "band 5" || w.Done {
			t.Errorf("the wish is %q, done %t", w.Search.Describe(), w.Done)
		}
		for range 2 { // the second time is the same as the first
			_, err := r.subs.Confirm(ctx, id, r.now)
			r.must(err)
		}
		r.pass()
		r.wantAlerts() // what was there before is told to nobody
		r.reopen()
		r.see(vac(2))
		r.pass()
		r.wantAlerts("new C9001-26-0002 to Jo.Canary@reader.example")

		person, err := r.subs.Person(ctx, w.Subscriber)
		r.must(err)
		if person.State != people.Active || len(person.Searches) != 1 || person.Consent == nil || person.Consent.Wording != people.Wording || !person.Consent.At.Equal(r.now) {
			t.Errorf("got %+v", person)
		}
		search := person.Searches[0].ID
		until := r.now.Add(48 * time.Hour)
		r.see(vac(3)) // queued before the pause
		r.must(r.subs.Pause(ctx, person.ID, nil, until, r.now))
		r.see(vac(4))
		r.later(24 * time.Hour)
		r.see(vac(5))
		r.later(23 * time.Hour)
		r.wantAlerts("new C9001-26-0002 to Jo.Canary@reader.example")
		r.later(2 * time.Hour)
		r.wantAlerts("new C9001-26-0002 to Jo.Canary@reader.example", "new C9001-26-0003 to Jo.Canary@reader.example",
			"new C9001-26-0004 to Jo.Canary@reader.example", "new C9001-26-0005 to Jo.Canary@reader.example")
		if n := len(r.far.count); n != 3 {
			t.Errorf("%d messages were sent, want the notice, the alert and one for the pause", n)
		}

		r.see(vac(6)) // queued before the end
		if found, err := r.store.EndSearch(ctx, search, store.EndedByReader, r.now); err != nil || !found {
			t.Fatal(found, err)
		}
		r.see(vac(7))
		r.later(48 * time.Hour)
		if len(r.alerts()) != 4 {
			t.Errorf("after the end: %q", r.alerts())
		}
		person, err = r.subs.Person(ctx, person.ID)
		r.must(err)
		if person.State != people.Ended || len(person.Searches) != 0 {
			t.Errorf("got %+v", person)
		}
		// Remembered for four weeks, and then not.
		r.now = r.now.Add(25 * 24 * time.Hour)
		r.must(r.store.Prune(ctx, r.now))
		if _, _, found, _ := r.store.Saved(ctx, search); !found {
			t.Error("the ended search was forgotten too early")
		}
		r.now = r.now.Add(3 * 24 * time.Hour)
		r.must(r.store.Prune(ctx, r.now))
		if _, err := r.subs.Person(ctx, person.ID); !errors.Is(err, people.ErrGone) {
			t.Errorf("the person is still known: %v", err)
		}
	})
}

// Going on before the end of a pause brings what waited at once.
func TestResumeEarly(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r, ctx := newSubscribing(t, eng), t.Context()
		person, search := r.join(signUp(jo, "5"))
		r.must(r.subs.Pause(ctx, person, []string{search}, r.now.Add(10*24*time.Hour), r.now))
		r.see(vac(1), vac(2))
		r.later(time.Hour)
		r.wantAlerts()
		r.must(r.subs.Pause(ctx, person, nil, time.Time{}, r.now))
		r.later(time.Minute)
		r.wantAlerts("new C9001-26-0001 to Jo.Canary@reader.example", "new C9001-26-0002 to Jo.Canary@reader.example")
		if err := r.subs.Pause(ctx, person, []string{"other"}, time.Time{}, r.now); !errors.Is(err, people.ErrGone) {
			t.Errorf("pause of another's search: %v", err)
		}
	})
}

// One address is one person; equal searches and too many are refused, and a
// sign-up takes nothing away from who has confirmed.
func TestOneAddressOnePerson(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r, ctx := newSubscribing(t, eng), t.Context()
		first, _ := r.join(signUp(jo, "5"))
		second, _ := r.join(signUp(vacancy.Address(strings.ToUpper(string(jo))), "6"))
		if first != second {
			t.Error("one address in two spellings is two people")
		}
		r.now = r.now.Add(24 * time.Hour)
		r.signUp(signUp(jo, "6"))
		all := r.links(people.NoticeConfirm)
		if _, err := r.subs.Confirm(ctx, all[len(all)-1], r.now); !errors.Is(err, people.ErrSame) {
			t.Errorf("an equal search: %v", err)
		}
		p, err := r.subs.Person(ctx, first)
		r.must(err)
		if p.State != people.Active || len(p.Searches) != 2 || p.Address != jo {
			t.Errorf("got %s with %d searches", p.State, len(p.Searches))
		}
		err = r.subs.Change(ctx, first, p.Searches[0].ID, func(s *vacancy.Search) { s.Bands = []string{"6"} }, r.now)
		if !errors.Is(err, people.ErrSame) {
			t.Errorf("a change into an equal search: %v", err)
		}
		bands := []string{"2", "3", "4", "7", "8a", "8b", "8c", "8d", "9"}
		for n := len(p.Searches); n < people.MaxSearches; n++ {
			r.now = r.now.Add(24 * time.Hour)
			r.join(signUp(jo, bands[n%9], bands[(n+1+n/9)%9]))
		}
		r.now = r.now.Add(24 * time.Hour)
		r.signUp(signUp(jo, "2"))
		all = r.links(people.NoticeConfirm)
		if _, err := r.subs.Confirm(ctx, all[len(all)-1], r.now); !errors.Is(err, people.ErrFull) {
			t.Errorf("one search too many: %v", err)
		}
	})
}

// What is not confirmed within seven days is forgotten, and its link with it.
func TestUnconfirmedIsForgotten(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		rec := &thorough{Engine: eng}
		r, ctx := newSubscribing(t, rec), t.Context()
		r.signUp(signUp(jo, "5"))
		id := r.links(people.NoticeConfirm)[0]
		r.now = r.now.Add(people.KeepWish + time.Minute)
		if _, err := r.subs.Confirm(ctx, id, r.now); !errors.Is(err, people.ErrGone) {
			t.Errorf("a late confirmation: %v", err)
		}
		r.must(r.store.Prune(ctx, r.now))
		rec.wantNone(t, string(jo), "jo.canary", hashOf(r, jo))
	})
}

// Three mails a day go to an address, whatever is asked for; a suppressed
// address gets none. Nobody is told which it was.
func TestMailsPerDay(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r, ctx := newSubscribing(t, eng), t.Context()
		for i := range 6 {
			r.signUp(signUp(jo, fmt.Sprint(i+2)))
			r.now = r.now.Add(time.Hour)
			r.reopen() // a restart forgets nothing
		}
		if n := len(r.links(people.NoticeConfirm)); n != people.MailsPerDay {
			t.Errorf("%d mails, want %d", n, people.MailsPerDay)
		}
		if _, err := r.subs.SendLink(ctx, jo, "mail", r.now); err != nil {
			t.Fatal(err)
		}
		r.later(25 * time.Hour)
		r.signUp(signUp(jo, "9"))
		if n := len(r.links(people.NoticeConfirm)); n != people.MailsPerDay+1 {
			t.Errorf("%d mails after a day, want one more", n)
		}
		complained(t, suppressing(r.rig), "sam@reader.example", r.now)
		r.signUp(signUp("sam@reader.example", "5"))
		if n := len(r.links(people.NoticeConfirm)); n != people.MailsPerDay+1 {
			t.Error("a suppressed address got a mail")
		}
	})
}

// A link to the page is sent to who has confirmed, and to nobody else.
func TestSendLink(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r, ctx := newSubscribing(t, eng), t.Context()
		person, _ := r.join(signUp(jo, "5"))
		r.signUp(signUp("pending@reader.example", "5"))
		for _, a := range []vacancy.Address{jo, "pending@reader.example", "nobody@reader.example"} {
			_, err := r.subs.SendLink(ctx, a, "mail", r.now)
			r.must(err)
		}
		r.pass()
		if diff := cmp.Diff([]string{person}, r.links(people.NoticeManage)); diff != "" {
			t.Error(diff)
		}
		r.must(r.subs.Revoke(ctx, person, r.now))
		p, err := r.subs.Person(ctx, person)
		r.must(err)
		if p.Generation != 1 {
			t.Errorf("generation %d", p.Generation)
		}
	})
}

func TestLimits(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r, ctx := newSubscribing(t, eng), t.Context()
		allow := func(network string) (bool, error) { return r.subs.Allow(ctx, network, r.now) }
		for i := range people.PerNetwork {
			if _, err := allow("192.0.2.1"); err != nil {
				t.Fatalf("request %d: %v", i, err)
			}
			r.now = r.now.Add(time.Minute)
			r.reopen()
		}
		if all, err := allow("192.0.2.1"); !errors.Is(err, people.ErrLimited) || all {
			t.Errorf("one too many: %v, of all: %t", err, all)
		}
		r.now = r.now.Add(55 * time.Minute)
		if _, err := allow("192.0.2.1"); err != nil {
			t.Errorf("after an hour: %v", err)
		}
		var err error
		all, n := false, 0
		for ; err == nil && n < 300; n++ {
			all, err = allow(fmt.Sprint("network ", n))
		}
		if !errors.Is(err, people.ErrLimited) || !all || n < people.InAll-people.PerNetwork-1 || n > people.InAll {
			t.Errorf("from everywhere: %v after %d, of all: %t", err, n, all)
		}
	})
}

// The mail that asks for confirmation is lost to no crash and sent under one ID.
func TestNoticeSurvivesCrash(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r, ctx := newSubscribing(t, eng), t.Context()
		up := signUp(jo, "5")
		r.must(up.Search.Prepare())
		_, err := r.subs.SignUp(ctx, up, r.now)
		r.must(err)
		claims, err := r.store.Claim(ctx, r.now, time.Minute, 10) // and the process dies
		if err != nil || len(claims) != 1 {
			t.Fatalf("%d claims, %v", len(claims), err)
		}
		r.reopen()
		if n, err := r.store.Reclaim(ctx, r.now); n != 1 || err != nil {
			t.Fatalf("reclaimed %d, %v", n, err)
		}
		r.pass()
		r.pass()
		if n := len(r.links(people.NoticeConfirm)); n != 1 {
			t.Errorf("%d mails", n)
		}
	})
}

// A notice that was given up is listed, and is let go again under its ID.
func TestNoticeReplay(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r, ctx := newSubscribing(t, eng), t.Context()
		r.far.answer = func(channel.Message) (channel.Result, bool) {
			return channel.Result{Outcome: channel.Bury, Reason: channel.ReasonContent}, true
		}
		r.signUp(signUp(jo, "5"))
		letters, _, err := r.store.Letters(ctx, store.LetterQuery{State: store.LetterBuried}, r.now)
		r.must(err)
		if len(letters) != 1 || letters[0].Message.Notice != people.NoticeConfirm {
			t.Fatalf("given up: %+v", letters)
		}
		r.far.answer = nil
		if _, how, err := r.store.Replay(ctx, letters[0].Message.ID, r.now); err != nil || how != store.MendDone {
			t.Fatalf("replayed: %s, %v", how, err)
		}
		r.pass()
		if n := len(r.links(people.NoticeConfirm)); n != 1 {
			t.Errorf("%d mails", n)
		}
		// Its end leaves nothing behind that a digest would be made of.
		stuck, err := r.store.Reconcile(ctx, r.now)
		r.must(err)
		if len(stuck.N) != 0 || r.counts().Queued != 0 {
			t.Errorf("left: %v, %+v", stuck.N, r.counts())
		}
	})
}

// Erasing leaves no trace of an address but the hash of one that is suppressed:
// not in what waits, not in rendered bytes, not in what was given up.
func TestErase(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		rec := &thorough{Engine: eng}
		r, ctx := newSubscribing(t, rec), t.Context()
		person, search := r.join(signUp(jo, "5"))
		_, past := r.join(signUp(jo, "6"))
		other, _ := r.join(signUp("sam@reader.example", "5"))
		r.must(r.subs.Stop(ctx, person, []string{past}, r.now))
		r.must(r.subs.Change(ctx, person, search, func(s *vacancy.Search) { s.Keywords = "canaryword" }, r.now))
		r.must(r.subs.Change(ctx, person, search, func(s *vacancy.Search) { s.Keywords = "" }, r.now))
		r.signUp(signUp(jo, "7")) // not confirmed
		r.see(vac(1))             // sent
		r.pass()
		r.must(r.subs.Pause(ctx, person, nil, r.now.Add(time.Hour), r.now))
		r.see(vac(2)) // in a digest
		r.must(r.subs.Pause(ctx, person, nil, time.Time{}, r.now))
		r.now = r.now.Add(time.Second)
		_, err := r.store.OpenDigests(ctx, r.now)
		r.must(err)
		r.see(vac(3)) // waits
		claims, err := r.store.Claim(ctx, r.now, time.Minute, 100)
		r.must(err)
		if len(claims) < 2 {
			t.Fatalf("%d claims", len(claims))
		}
		for i := range claims {
			if claims[i].Message.Subscriber != person && claims[i].Message.Search != search {
				continue
			}
			_, err := r.store.Keep(ctx, &claims[i], []byte("To: "+string(jo)+strings.Repeat(" rendered", 100)), nil)
			r.must(err)
		}
		if !rec.holds(t, string(jo)) {
			t.Fatal("the scan does not find what is there")
		}
		export, err := r.subs.Export(ctx, person, r.now)
		r.must(err)
		if len(export.Searches) != 1 || len(export.Past) != 1 || len(export.Waiting) != 1 || len(export.Messages) == 0 || export.Address != jo {
			t.Errorf("exported %d searches, %d past, %d waiting, %d messages", len(export.Searches), len(export.Past), len(export.Waiting), len(export.Messages))
		}
		for range 2 {
			r.must(r.subs.Erase(ctx, person, r.now))
		}
		for i := range claims { // who was sending stores nothing any more
			if owner := claims[i].Message.Search; owner == search {
				if held, err := r.store.Keep(ctx, &claims[i], []byte(jo), nil); held || err != nil {
					t.Errorf("a claim of the erased still holds: %v", err)
				}
			}
		}
		rec.wantNone(t, string(jo), strings.ToLower(string(jo)), "canary", hashOf(r, jo))
		r.later(time.Hour)
		r.must(r.store.Prune(ctx, r.now))
		rec.wantNone(t, string(jo), strings.ToLower(string(jo)), "canary", hashOf(r, jo))
		if _, err := r.subs.Person(ctx, other); err != nil {
			t.Errorf("the other person: %v", err)
		}
		if strings.Contains(strings.Join(r.alerts(), "\n"), "0003 to Jo") {
			t.Error("the erased was told of something")
		}
		// A suppression outlives it, and only as a hash.
		complained(t, suppressing(r.rig), jo, r.now)
		rec.wantNone(t, string(jo), "canary")
	})
}

// An erasure that was interrupted is ended by the upkeep.
func TestEraseInterrupted(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		rec := &thorough{Engine: eng}
		r, ctx := newSubscribing(t, rec), t.Context()
		person, _ := r.join(signUp(jo, "5"))
		r.see(vac(1))
		claims, err := r.store.Claim(ctx, r.now, time.Minute, 100)
		if err != nil || len(claims) != 1 {
			t.Fatal(len(claims), err)
		}
		_, err = r.store.Keep(ctx, &claims[0], []byte(jo), nil)
		r.must(err)
		rec.failAfter = 1 // the person is struck, and no more
		if err := r.subs.Erase(ctx, person, r.now); err == nil {
			t.Fatal("the erasure was not interrupted")
		}
		rec.failAfter = -1
		if !rec.holds(t, string(jo)) {
			t.Fatal("nothing was left to be done")
		}
		r.reopen()
		r.must(r.store.Prune(ctx, r.now.Add(time.Second)))
		rec.wantNone(t, string(jo), hashOf(r, jo))
	})
}

// Who is silent for a year is asked once; a sign of life keeps the searches, and
// a month without one ends them.
func TestKeepIt(t *testing.T) {
	onAll(t, func(t *testing.T, eng engine.Engine) {
		r, ctx := newSubscribing(t, eng), t.Context()
		person, _ := r.join(signUp(jo, "5"))
		wait := func(d time.Duration) {
			t.Helper()
			r.now = r.now.Add(d)
			for range 2 { // the upkeep is done every hour
				r.must(r.store.Prune(ctx, r.now))
				r.pass()
			}
		}
		asked := func() int { return len(r.links(people.NoticeKeep)) }
		state := func() people.State {
			p, err := r.subs.Person(ctx, person)
			r.must(err)
			return p.State
		}
		wait(people.AskAfter - time.Hour)
		if asked() != 0 {
			t.Error("asked too early")
		}
		wait(time.Hour)
		wait(people.EndAfter - time.Hour)
		if asked() != 1 || state() != people.Active {
			t.Errorf("asked %d times, %s", asked(), state())
		}
		r.must(r.subs.Keep(ctx, person, r.now))
		wait(people.AskAfter - time.Hour)
		if asked() != 1 || state() != people.Active {
			t.Errorf("after a sign of life: asked %d times, %s", asked(), state())
		}
		wait(time.Hour)
		wait(people.EndAfter)
		if asked() != 2 || state() != people.Ended {
			t.Errorf("without one: asked %d times, %s", asked(), state())
		}
		r.see(vac(1))
		r.pass()
		r.wantAlerts()
	})
}

// hashOf is the keyed hash of an address, as it stands in keys.
func hashOf(r *subscribing, a vacancy.Address) string {
	return suppressing(r.rig).ID(a).String()
}

var errInterrupted = errors.New("interrupted")

// A thorough notes every key that is written, so that all of what is stored can
// be read through, on any engine.
type thorough struct {
	engine.Engine
	mu        sync.Mutex
	keys      map[string]string // key → slot; a hash has a leading "h"
	failAfter int               // steps; 0 and less never
	steps     int
}

func (r *thorough) Update(ctx context.Context, slot string, fn func(engine.Tx) error) error {
	r.mu.Lock()
	if r.failAfter > 0 {
		if r.steps++; r.steps > r.failAfter {
			r.mu.Unlock()
			return errInterrupted
		}
	} else {
		r.steps = 0
	}
	r.mu.Unlock()
	return r.Engine.Update(ctx, slot, func(tx engine.Tx) error { return fn(thoroughTx{tx, r, slot}) })
}

type thoroughTx struct {
	engine.Tx
	r    *thorough
	slot string
}

func (t thoroughTx) note(kind, key string) {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if t.r.keys == nil {
		t.r.keys = map[string]string{}
	}
	t.r.keys[kind+key] = t.slot
}

func (t thoroughTx) HSet(key, field string, val []byte) {
	t.note("h", key)
	t.Tx.HSet(key, field, val)
}

func (t thoroughTx) ZAdd(key string, zs ...engine.Z) {
	t.note("z", key)
	t.Tx.ZAdd(key, zs...)
}

// all calls f with each text that is stored: keys, fields, members, values and
// what compressed values hold.
func (r *thorough) all(t *testing.T, f func(where, text string)) {
	t.Helper()
	for name, slot := range r.keys {
		kind, key := name[:1], name[1:]
		if kind == "z" {
			z := &engine.ZRange{Key: key, Min: -1e300, Max: 1e300}
			if err := r.Engine.Read(t.Context(), slot, z); err != nil {
				t.Fatal(err)
			}
			for _, m := range z.Zs {
				f(key, key+" "+m.Member)
			}
			continue
		}
		for h := (&engine.HScan{Key: key, Count: 1000}); ; h.Cursor = h.Next {
			if err := r.Engine.Read(t.Context(), slot, h); err != nil {
				t.Fatal(err)
			}
			for _, p := range h.Pairs {
				f(key, key+" "+p.Field+" "+string(p.Val))
				// Keys to sign with are no text: one may begin as what is compressed.
				if len(p.Val) > 0 && p.Val[0] == 0 && !strings.HasSuffix(key, ":keys") {
					plain, err := io.ReadAll(flate.NewReader(bytes.NewReader(p.Val[1:])))
					if err != nil {
						t.Fatalf("%s %s: %v", key, p.Field, err)
					}
					f(key, string(plain))
				}
			}
			if h.Next == "" {
				break
			}
		}
	}
}

func (r *thorough) holds(t *testing.T, text string) (found bool) {
	t.Helper()
	r.all(t, func(_, s string) { found = found || strings.Contains(s, text) })
	return found
}

func (r *thorough) wantNone(t *testing.T, texts ...string) {
	t.Helper()
	r.all(t, func(where, s string) {
		for _, text := range texts {
			if strings.Contains(strings.ToLower(s), strings.ToLower(text)) || strings.Contains(s, hex.EncodeToString([]byte(text))) {
				t.Errorf("%s still holds %q: %.300s", where, text, s)
			}
		}
	})
}

// The steps of people under faults: failed, and failed but done. Whoever asks
// again gets one person, one search, and no more mails than are allowed.
func TestSubscribeFaults(t *testing.T) {
	enginetest.All(t, func(t *testing.T, open enginetest.Open) {
		r, ctx := newSubscribing(t, open(t)), t.Context()
		up := signUp(jo, "5")
		r.must(up.Search.Prepare())
		for range 3 { // the reply was lost twice
			_, err := r.subs.SignUp(ctx, up, r.now)
			r.must(err)
		}
		r.pass()
		for i, id := range r.links(people.NoticeConfirm) {
			_, err := r.subs.Confirm(ctx, id, r.now)
			if i == 0 && err != nil || i > 0 && !errors.Is(err, people.ErrSame) {
				t.Errorf("confirmation %d: %v", i, err)
			}
		}
		counts, err := r.subs.People(ctx)
		r.must(err)
		if diff := cmp.Diff(map[people.State]int{people.Active: 1}, counts); diff != "" {
			t.Error(diff)
		}
	})
}

// What belongs to a person lies in one slot, however many there are.
func TestIDNear(t *testing.T) {
	seen := map[string]bool{}
	for i := range 200 {
		name := fmt.Sprint("name ", i)
		id := store.IDNear("s", name)
		for _, slots := range []uint32{1, 16, 256, 1024} {
			if crc32.ChecksumIEEE([]byte(id))%slots != crc32.ChecksumIEEE([]byte(name))%slots {
				t.Fatalf("of %d slots %q lies in another than %q", slots, id, name)
			}
		}
		if seen[id] || len(id) > 24 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			t.Errorf("id %q", id)
		}
		seen[id] = true
	}
}
