package web

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/people"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// folk keeps one person, and notes every call that changes something.
type folk struct {
	mu       sync.Mutex
	changes  []string
	person   people.Subscriber
	wish     people.Wish
	limited  bool
	all      bool
	err      error
	lastUp   people.SignUp
	networks []string
}

func (f *folk) note(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes = append(f.changes, fmt.Sprintf(format, args...))
	return f.err
}

func (f *folk) Allow(_ context.Context, network string, _ time.Time) (bool, error) {
	f.networks = append(f.networks, network)
	if f.limited {
		return f.all, people.ErrLimited
	}
	return false, f.err
}

func (f *folk) SignUp(_ context.Context, up people.SignUp, _ time.Time) (bool, error) {
	f.lastUp = up
	return true, f.note("sign up")
}

func (f *folk) SendLink(context.Context, vacancy.Address, string, time.Time) (bool, error) {
	return false, f.note("link")
}
func (f *folk) Wish(_ context.Context, id string, _ time.Time) (people.Wish, error) {
	if id != f.wish.ID {
		return people.Wish{}, people.ErrGone
	}
	return f.wish, f.err
}
func (f *folk) Confirm(context.Context, string, time.Time) (people.Wish, error) {
	return f.wish, f.note("confirm")
}
func (f *folk) Person(_ context.Context, id string) (people.Subscriber, error) {
	if id != f.person.ID {
		return people.Subscriber{}, people.ErrGone
	}
	return f.person, f.err
}
func (f *folk) OwnerOf(context.Context, string) (string, error) { return f.person.ID, f.err }
func (f *folk) Suppressed(context.Context, vacancy.Address, time.Time) (*people.Suppressed, error) {
	return &people.Suppressed{Reason: "bounced", Since: noon, Until: noon.Add(24 * time.Hour)}, f.err
}
func (f *folk) Change(_ context.Context, _, search string, fn func(*vacancy.Search), _ time.Time) error {
	s := f.person.Searches[0].Clone()
	fn(&s)
	if err := s.Prepare(); err != nil {
		return err
	}
	if err := f.note("change %s: %s, %s", search, s.Describe(), often(s.Notify)); err != nil {
		return err
	}
	f.person.Searches[0] = s
	return nil
}
func (f *folk) Pause(_ context.Context, _ string, searches []string, until, _ time.Time) error {
	return f.note("pause %v until %s", searches, until.Format(time.RFC3339))
}
func (f *folk) Stop(_ context.Context, _ string, searches []string, _ time.Time) error {
	return f.note("stop %v", searches)
}
func (f *folk) Keep(context.Context, string, time.Time) error   { return f.note("keep") }
func (f *folk) Revoke(context.Context, string, time.Time) error { return f.note("revoke") }
func (f *folk) Export(context.Context, string, time.Time) (people.Export, error) {
	return people.Export{Subscriber: f.person}, f.err
}
func (f *folk) Erase(context.Context, string, time.Time) error { return f.note("erase") }

// subscribing is the pages with people, and the paths to those of one person.
func subscribing(t *testing.T) (f *fixture, who *folk, confirm, manage string) {
	t.Helper()
	s := vacancy.Search{ID: "s1", Bands: []string{"5"}, Keywords: "canaryword", Notify: []vacancy.Notify{{Channel: "mail", Rhythm: vacancy.Instant, DailyCap: 10}}}
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	w := s.Clone()
	who = &folk{person: people.Subscriber{ID: "p1", Address: "canary@reader.example", State: people.Active, Generation: 3, Created: noon,
		Consent: &people.Consent{At: noon, Origin: "the page"}, Searches: []vacancy.Search{s}}, wish: people.Wish{ID: "w1", Search: w, Subscriber: "p1", Generation: 3}}
	f = newFixture(t, func(o *PublicOptions) {
		o.Previews = &shelf{records: nurses(3, time.Now())}
		o.Subscribe = &Subscribe{People: who, Channel: "mail", Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	})
	later := time.Now().Add(time.Hour)
	return f, who, "/s/" + f.tokens.Confirm("w1", later), "/m/" + f.tokens.Manage("p1", 3, later)
}

var formHeader = []string{"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"}

// Every page for people keeps the laws of pages, and is changed by no GET.
func TestPeoplePages(t *testing.T) {
	f, who, confirm, manage := subscribing(t)
	for path, says := range map[string]string{
		"/search":                            "Find vacancies, and get alerts",
		"/search?band=5":                     "Send me alerts",
		"/subscribe?band=5":                  "Send me alerts",
		confirm:                              "Start these alerts",
		manage:                               "Your vacancy alerts",
		manage + "?done=pause":               "Paused.",
		manage + "?done=%3Cscript%3E":        "You get no mail until",
		manage + "?do=edit&search=s1":        "Change a search",
		manage + "?do=edit&search=s1&band=6": "Save this search",
		manage + "?do=when&search=s1":        "One mail a week",
		manage + "?do=pause":                 "Pause all your searches",
		manage + "?do=pause&search=s1":       "Pause this search",
		manage + "?do=resume&search=s1":      "Go on with this search?",
		manage + "?do=delete&search=s1":      "Delete this search?",
		manage + "?do=all":                   "Stop all your searches?",
		manage + "?do=keep":                  "Keep my alerts",
		manage + "?do=revoke":                "Make earlier links worthless?",
		manage + "?do=data":                  "canary@reader.example",
		manage + "?do=erase":                 "Erase everything about you?",
		"/manage":                            "Mail me the link",
		f.path:                               "pause your searches",
		f.path + "?all":                      "Stop all your searches?",
		f.path + "?pause":                    "Pause all your searches",
		f.path + "?why":                      "You need not answer",
	} {
		w := do(f.handler, "GET", path, "")
		page := w.Body.String()
		if w.Code != 200 || !strings.Contains(page, says) {
			t.Errorf("%s: got %d, and it does not say %q:\n%s", path, w.Code, says, page)
		}
		checkHeaders(t, w.Header())
		checkPage(t, page)
		if _, token, ok := strings.Cut(path[1:], "/"); ok && strings.Contains(page, token[:30]) {
			t.Errorf("%s: the page holds its token", path)
		}
		if path != "/search" && w.Header().Get("X-Robots-Tag") != "noindex" {
			t.Errorf("%s may be indexed", path)
		}
		for _, method := range []string{"HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"} {
			do(f.handler, method, path, "email=x@reader.example&pause=7&often=instant", formHeader...)
		}
	}
	if len(who.changes) > 0 {
		t.Errorf("without a POST: %q", who.changes)
	}
	if w := do(f.handler, "GET", manage+"?do=export", ""); w.Header().Get("Content-Type") != "application/json" || !strings.Contains(w.Body.String(), "canaryword") {
		t.Errorf("the export: %d %s", w.Code, w.Body)
	}
}

// Each form does its one thing.
func TestPeopleForms(t *testing.T) {
	day := vacancy.LondonDay(time.Now())
	at := func(days int) string {
		d := day.Add(days)
		return time.Date(d.Year, d.Month, d.Day, 8, 0, 0, 0, vacancy.London()).UTC().Format(time.RFC3339)
	}
	chosen := day.Add(40)
	for _, tt := range []struct {
		path, body string
		code       int
		want       string
	}{
		{"S", "", 200, "confirm"},
		{"/subscribe?band=5", "email=Nurse%40reader.example&often=daily", 200, "sign up"},
		{"/manage", "email=nurse%40reader.example", 200, "link"},
		{"M?do=edit&search=s1&band=6", "", 303, "change s1: band 6, as soon as we find something, at most 10 a day and the rest in one"},
		{"M?do=when&search=s1", "rhythm=weekly&hour=7&day=friday&daily_cap=5&remind_days=3", 303, "change s1: band 5, canaryword, one a week, on Friday at 07:00; a reminder 3 days before a vacancy closes"},
		{"M?do=when&search=s1", "rhythm=hourly&quiet_from=22&quiet_to=7", 303, "change s1: band 5, canaryword, at most one an hour; none from 22:00 to 07:00"},
		{"M?do=pause&search=s1", "pause=14", 303, "pause [s1] until " + at(14)},
		{"M?do=pause", "pause=date&until=" + chosen.String(), 303, "pause [] until " + at(40)},
		{"M?do=pause", "pause=date&until=" + fmt.Sprintf("%d/%d/%d", chosen.Day, chosen.Month, chosen.Year), 303, "pause [] until " + at(40)},
		{"M?do=resume", "", 303, "pause [] until 0001-01-01T00:00:00Z"},
		{"M?do=delete&search=s1", "", 303, "stop [s1]"},
		{"M?do=all", "", 303, "stop []"},
		{"M?do=revoke", "", 200, "revoke"},
		{"M?do=keep", "", 303, "keep"},
		{"M?do=erase", "", 200, "erase"},
		{"U?all", "", 200, "stop []"},
		{"U?pause", "pause=7", 200, "pause [] until " + at(7)},
		{"U?why", "reason=found", 200, ""},
		// What is wrong changes nothing.
		{"M?do=when&search=s1", "rhythm=often", 400, ""},
		{"M?do=when&search=s1", "rhythm=instant&quiet_from=8", 400, ""},
		{"M?do=when&search=s1", "rhythm=instant&quiet_from=8&quiet_to=8", 400, ""},
		{"M?do=when&search=s1", "rhythm=instant&daily_cap=many&remind_days=99", 400, ""},
		{"M?do=when&search=s1", "rhythm=daily&hour=1", 400, ""},
		{"M?do=pause", "pause=date&until=yesterday", 400, ""},
		{"M?do=pause", "pause=date&until=2020-01-01", 400, ""},
		{"M?do=pause", "pause=date&until=2120-01-01", 400, ""},
		{"M?do=pause", "", 400, ""},
		{"M?do=edit&search=s1", "", 400, ""},
		{"M?do=edit&search=s1&near=Leedz", "", 400, ""},
		{"M?do=delete&search=other", "", 404, ""},
		{"M?do=delete", "", 404, ""},
		{"M?do=hostile", "", 404, ""},
		{"M", "", 404, ""},
		{"U?pause", "pause=x", 400, ""},
		{"U?utm_source=x", "", 200, ""}, // whatever a mail program adds, it stops
		{"/manage", "email=nobody", 400, ""},
		{"/subscribe?band=5", "email=nurse%40reader.example&often=often", 400, ""},
		{"/subscribe", "email=nurse%40reader.example&often=daily", 400, ""},
		{"/subscribe?band=99", "email=nurse%40reader.example&often=daily", 400, ""},
		{"/subscribe?band=5", "email=nurse%40reader.example&often=daily&website=http%3A%2F%2Fspam", 200, ""},
		{"/manage", "email=nurse%40reader.example&website=x", 200, ""},
	} {
		t.Run(tt.path+" "+tt.body, func(t *testing.T) {
			f, who, confirm, manage := subscribing(t)
			path := tt.path
			for short, long := range map[string]string{"S": confirm, "M": manage, "U": f.path} {
				if strings.HasPrefix(path, short) {
					path = long + path[1:]
				}
			}
			w := do(f.handler, "POST", path, tt.body, formHeader...)
			if got := strings.Join(who.changes, "; "); w.Code != tt.code || got != tt.want {
				t.Errorf("got %d and %q, want %d and %q\n%s", w.Code, got, tt.code, tt.want, w.Body)
			}
			checkHeaders(t, w.Header())
			if w.Code == 303 {
				if to := w.Header().Get("Location"); !strings.HasPrefix(to, "?done=") {
					t.Errorf("sent to %q", to)
				}
			} else {
				checkPage(t, w.Body.String())
			}
			if w.Code >= 400 && w.Code != 404 && !strings.Contains(w.Body.String(), "<title>Error") {
				t.Error("the title does not say that there is an error")
			}
			for _, secret := range []string{"canary", "nurse", strings.TrimPrefix(manage, "/m/")} {
				if strings.Contains(strings.ToLower(f.log.String()), secret) {
					t.Errorf("the log holds %q: %s", secret, f.log)
				}
			}
		})
	}
}

// Another website can have nothing done, but one click unsubscribes from
// anywhere.
func TestPeopleCrossSite(t *testing.T) {
	f, who, confirm, manage := subscribing(t)
	for _, path := range []string{"/subscribe?band=5", "/manage", confirm, manage + "?do=erase", manage + "?do=all", f.path + "?all", f.path + "?pause", f.path + "?why"} {
		for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			w := do(f.handler, "POST", path, "email=a%40reader.example&often=daily&pause=7", append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
			if w.Code != 403 {
				t.Errorf("%s with %q: got %d", path, header, w.Code)
			}
		}
	}
	if len(who.changes) > 0 {
		t.Errorf("another website had done: %q", who.changes)
	}
}

// Links that are not good: of another kind, key or generation, expired, cut.
func TestPeopleTokens(t *testing.T) {
	f, who, confirm, manage := subscribing(t)
	now := time.Now()
	others := newTokens(t, key("x"))
	for _, path := range []string{
		"/m/" + strings.TrimPrefix(confirm, "/s/"), "/s/" + strings.TrimPrefix(manage, "/m/"), "/m/" + strings.TrimPrefix(f.path, "/u/"),
		"/m/" + f.tokens.Manage("p1", 2, now.Add(time.Hour)), "/m/" + f.tokens.Manage("p1", 3, now.Add(-time.Second)),
		"/s/" + f.tokens.Confirm("w1", now.Add(-time.Second)), "/s/" + f.tokens.Confirm("w2", now.Add(time.Hour)),
		"/m/" + f.tokens.Manage("p2", 3, now.Add(time.Hour)), "/m/" + others.Manage("p1", 3, now.Add(time.Hour)),
		manage[:len(manage)-1], manage + "A", "/m/x", "/s/" + strings.Repeat("A", 5000),
	} {
		for _, method := range []string{"GET", "POST"} {
			if method == "POST" && strings.HasPrefix(path, "/s/") && strings.Contains(path, f.tokens.Confirm("w2", now.Add(time.Hour))[:30]) {
				continue // whether there is such a sign-up is not ours to know
			}
			w := do(f.handler, method, path+"?do=erase", "", formHeader...)
			if w.Code != 404 {
				t.Errorf("%s %s: got %d", method, path, w.Code)
			}
			checkPage(t, w.Body.String())
		}
	}
	if len(who.changes) > 0 {
		t.Errorf("bad links did: %q", who.changes)
	}
	// After a rotation the old links go on to work.
	old, err := NewTokens(key("n"), key("k"))
	if err != nil {
		t.Fatal(err)
	}
	token := newTokens(t, key("k")).Manage("p1", 3, now.Add(time.Hour))
	if id, generation, err := old.Person(token, now); id != "p1" || generation != 3 || err != nil {
		t.Errorf("an old link: %q, %d, %v", id, generation, err)
	}
}

// Whatever is typed is shown as text, and no address that mail could trip over
// is let through.
func TestPeopleHostile(t *testing.T) {
	hostiles := []string{hostile, "a@b", `"toni> ORCPT=admin@x"@test.com`, "a@x.example\r\nBcc: b@x.example", "a b@x.example", "a@x.example,b@x.example",
		"<a@x.example>", "Name <a@x.example>", "a@x.example ", "ä@x.example", "a@exämple.com", "a@-x.example", "a@x..example", "a@" + strings.Repeat("x", 250) + ".example",
		strings.Repeat("a", 65) + "@x.example", "a@[127.0.0.1]", "a@@x.example", "@x.example", "a@", "", "\x00", "a@x.example\x00", "a|b@x.example", "a@x.example#frag"}
	for _, typed := range hostiles {
		f, who, _, _ := subscribing(t)
		body := url.Values{"email": {typed}, "often": {"instant"}}.Encode()
		for _, path := range []string{"/subscribe?band=5&keywords=" + url.QueryEscape(`"`+"nurse"+`"`), "/manage"} {
			w := do(f.handler, "POST", path, body, formHeader...)
			if typed == "a@x.example " { // a slip of the thumb
				if w.Code != 200 || who.lastUp.Address != "" && who.lastUp.Address != "a@x.example" {
					t.Errorf("%s: %q: got %d", path, typed, w.Code)
				}
				continue
			}
			if w.Code != 400 || len(who.changes) > 0 {
				t.Errorf("%s: %q was taken: %d", path, typed, w.Code)
			}
			checkPage(t, w.Body.String())
			if strings.Contains(w.Body.String(), "<script>") || !strings.Contains(w.Body.String(), `aria-invalid="true"`) {
				t.Errorf("%s: %q: the page is not right", path, typed)
			}
		}
	}
	f, _, _, manage := subscribing(t)
	for _, path := range []string{manage + "?do=" + url.QueryEscape(hostile), manage + "?done=" + url.QueryEscape(hostile), manage + "?search=" + url.QueryEscape(hostile),
		manage + "?do=edit&search=s1&keywords=" + url.QueryEscape(hostile), "/subscribe?near=" + url.QueryEscape(hostile)} {
		checkPage(t, do(f.handler, "GET", path, "").Body.String())
	}
	if w := do(f.handler, "POST", "/manage", "email="+strings.Repeat("x", maxBody+1), formHeader...); w.Code != 413 {
		t.Errorf("a large form: got %d", w.Code)
	}
	if w := do(f.handler, "POST", manage+"?do=erase", "%zz", formHeader...); w.Code != 400 {
		t.Errorf("a form that is none: got %d", w.Code)
	}
	hostileSearch := url.Values{"band": {"5"}, "email": {"a@x.example"}}.Encode()
	if w := do(f.handler, "POST", "/subscribe?"+hostileSearch, "often=instant", formHeader...); w.Code != 400 {
		t.Error("an address in the query was taken: it would stand in logs")
	}
}

// Too many, and a state that cannot be reached, are said; nothing is concluded.
func TestPeopleFailures(t *testing.T) {
	f, who, confirm, manage := subscribing(t)
	who.limited = true
	for _, all := range []bool{false, true} {
		who.all = all
		w := do(f.handler, "POST", "/subscribe?band=5", "email=a%40x.example&often=instant", formHeader...)
		if w.Code != 429 || w.Header().Get("Retry-After") == "" {
			t.Errorf("got %d", w.Code)
		}
		checkPage(t, w.Body.String())
	}
	who.limited, who.err = false, errors.New("the state is away")
	for _, ask := range [][2]string{{"POST", "/subscribe?band=5"}, {"POST", "/manage"}, {"GET", confirm}, {"POST", confirm}, {"GET", manage}, {"POST", manage + "?do=all"}, {"POST", f.path + "?all"}} {
		w := do(f.handler, ask[0], ask[1], "email=a%40x.example&often=instant", formHeader...)
		if w.Code != 503 || strings.Contains(w.Body.String(), "state is away") {
			t.Errorf("%s %s: got %d", ask[0], ask[1], w.Code)
		}
		checkPage(t, w.Body.String())
	}
	if !strings.Contains(f.log.String(), "the state is away") {
		t.Error("the log does not say why")
	}
	who.err = people.ErrSame
	if w := do(f.handler, "POST", confirm, "", formHeader...); w.Code != 409 {
		t.Errorf("an equal search: got %d", w.Code)
	}
	who.err = people.ErrFull
	if w := do(f.handler, "POST", confirm, "", formHeader...); w.Code != 409 {
		t.Errorf("one too many: got %d", w.Code)
	}
}

func TestNetwork(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tt := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1:1", "", "192.0.2.1"},
		{"192.0.2.1:1", "198.51.100.7", "192.0.2.1"}, // no proxy of ours says so
		{"10.0.0.1:1", "198.51.100.7", "198.51.100.7"},
		{"10.0.0.1:1", "6.6.6.6, 198.51.100.7", "198.51.100.7"}, // what is before, anybody can write
		{"10.0.0.1:1", "6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"},
		{"10.0.0.1:1", "rubbish", "10.0.0.1"},
		{"10.0.0.1:1", "", "10.0.0.1"},
		{"10.0.0.1:1", "198.51.100.7:4711", "198.51.100.7"},
		{"[2001:db8:1:2:3:4:5:6]:1", "", "2001:db8:1:2::/64"},
		{"[::ffff:192.0.2.1]:1", "", "192.0.2.1"},
		{"[fd00::1]:1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"},
		{"[fe80::1%eth0]:1", "", "fe80::/64"},
		{"@", "198.51.100.7", "unknown"},
	} {
		r := httptest.NewRequest("POST", "/subscribe", nil)
		r.RemoteAddr = tt.remote
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		if got := network(r, proxies); got != tt.want {
			t.Errorf("%s for %q: got %q, want %q", tt.remote, tt.forwarded, got, tt.want)
		}
	}
}

// FuzzForms posts whatever to the forms: no page panics, and no page breaks the
// laws.
func FuzzForms(f *testing.F) {
	f.Add("do=when&search=s1", "rhythm=daily&hour=8")
	f.Add("do=pause", "pause=date&until=2026-12-01")
	f.Add("do=edit&search=s1&near=Leeds", "")
	f.Add("band=5", "email=a@x.example&often=weekly")
	f.Fuzz(func(t *testing.T, query, body string) {
		if strings.ContainsAny(query, " \t\r\n#%") || strings.ContainsRune(query, 0) {
			return
		}
		fx, _, confirm, manage := subscribing(t)
		for _, path := range []string{manage, confirm, "/subscribe", "/manage", fx.path} {
			u := &url.URL{Path: path, RawQuery: query}
			if _, err := url.ParseRequestURI(u.String()); err != nil {
				return
			}
			for _, method := range []string{"GET", "POST"} {
				r := httptest.NewRequest("GET", path, strings.NewReader(body))
				r.Method, r.URL.RawQuery = method, query
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				w := httptest.NewRecorder()
				fx.handler.ServeHTTP(w, r)
				if w.Code >= 500 && w.Code != 503 {
					t.Fatalf("%s %s?%s: got %d", method, path, query, w.Code)
				}
				if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
					checkPage(t, w.Body.String())
				}
			}
		}
	})
}
