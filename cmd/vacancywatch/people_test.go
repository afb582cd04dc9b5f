package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/mailbox"
	"github.com/vacancywatch/vacancywatch/alerts/people"
	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
)

// A service is the daemon's pages over HTTP, a pretend NHS Jobs, and a mailbox
// that takes its mail over SMTP.
type service struct {
	t    *testing.T
	app  *app
	site *simulator.Site
	box  *mailbox.Mailbox
	url  string
	log  *bytes.Buffer
	env  *env
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{t: t, log: &bytes.Buffer{}}
	var err error
	if s.box, err = mailbox.New(mailbox.Options{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.box.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	far := httptest.NewUnstartedServer(nil)
	s.site = simulator.New(simulator.Options{Seed: 3, Now: time.Now, Live: 20, Quiet: true, MinGap: -1, BaseURL: "http://" + far.Listener.Addr().String()})
	far.Config.Handler = s.site
	far.Start()
	t.Cleanup(far.Close)
	pages := httptest.NewUnstartedServer(nil)
	s.url = "http://" + pages.Listener.Addr().String()
	_, port, _ := strings.Cut(s.box.SMTPAddr(), ":")
	cfg, err := config.Parse(fmt.Appendf(nil, `
listen: {public_url: %q}
sources: [{site: nhs-jobs, base: %q, spacing: 1ms, poll_min: 1s}]
channels: [{name: mail, email: {host: 127.0.0.1, port: %s, tls: none, from: "a@vacancywatch.example"}}]
subscribe: {channel: mail}
`, s.url, far.URL, port), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Log.Level = "debug"
	if s.app, err = newApp(t.Context(), cfg, newLogger(s.log, cfg.Log)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.app.close() })
	pages.Config.Handler = s.app.public()
	pages.Start()
	t.Cleanup(pages.Close)
	s.env = &env{ctx: t.Context(), stdout: io.Discard, stderr: io.Discard}
	s.pass() // the baseline
	return s
}

// pass crawls and delivers.
func (s *service) pass() {
	s.t.Helper()
	if err := s.app.once(s.env); err != nil {
		s.t.Fatal(err)
	}
}

// do asks for a page as a browser does, and returns its text.
func (s *service) do(method, link string, form url.Values, want int) string {
	s.t.Helper()
	var body io.Reader
	if method == "POST" {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, link, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != want {
		s.t.Fatalf("%s %s: got %d, want %d\n%s", method, link, resp.StatusCode, want, b)
	}
	return string(b)
}

var linkRE = regexp.MustCompile(`https?://[^\s"<>]+`)

// links returns the links of a mail to our own pages, from its text.
func (s *service) links(m *mailbox.Mail) map[string]string {
	out := map[string]string{}
	for _, l := range linkRE.FindAllString(m.Text, -1) {
		rest, ok := strings.CutPrefix(l, s.url)
		if ok && len(rest) > 3 && rest[2] == '/' {
			out[rest[1:2]] = l
		}
	}
	return out
}

// mails returns the mails to an address.
func (s *service) mails(to string) []mailbox.Mail {
	var out []mailbox.Mail
	for _, m := range s.box.Mails() {
		if m.To == to {
			out = append(out, m)
		}
	}
	return out
}

func (s *service) wantMails(to string, n int) []mailbox.Mail {
	s.t.Helper()
	got := s.mails(to)
	if len(got) != n {
		s.t.Fatalf("%d mails to the reader, want %d: %v", len(got), n, subjects(got))
	}
	return got
}

func subjects(all []mailbox.Mail) (out []string) {
	for _, m := range all {
		out = append(out, m.Subject)
	}
	return out
}

const (
	nurseQuery = "near=Leeds&miles=20&band=5&staff_group=03"
	reader     = "canary.reader@reader.example"
)

func (s *service) signUp(query, email string) string {
	s.t.Helper()
	return s.do("POST", s.url+"/subscribe?"+query, url.Values{"email": {email}, "often": {"instant"}, "website": {""}}, 200)
}

// The whole life of a subscriber, over HTTP and SMTP: sign up, confirm, a new
// advert, pause, go on, change, stop, and then nothing more.
func TestSubscriberStory(t *testing.T) {
	s := newService(t)
	now := time.Now()
	page := s.do("GET", s.url+"/search?"+nurseQuery, nil, 200)
	if !strings.Contains(page, "Send me alerts") {
		t.Fatal("the page does not offer alerts")
	}
	s.signUp(nurseQuery+"&keywords=nurse", reader)
	s.site.Publish(*demoNurse(0, now)) // before the confirmation
	s.pass()
	mail := s.wantMails(reader, 1)[0]
	if mail.Subject != "Please confirm your vacancy alerts" || strings.Contains(mail.Text+mail.HTML, "Leeds") || strings.Contains(mail.Text+mail.HTML, "nurse") {
		t.Errorf("the mail that asks for confirmation: %s\n%s", mail.Subject, mail.Text)
	}
	confirm := s.links(&mail)["s"]
	page = s.do("GET", confirm, nil, 200)
	if !strings.Contains(page, "Leeds") || !strings.Contains(page, "Open now") {
		t.Error("the page that confirms shows neither the search nor what is open")
	}
	page = s.do("POST", confirm, nil, 200)
	if !strings.Contains(page, "Your alerts are on") {
		t.Error(page)
	}
	s.pass()
	s.wantMails(reader, 1) // what was open before is not mailed

	s.site.Publish(*demoNurse(1, now))
	s.pass()
	alert := s.wantMails(reader, 2)[1]
	if !strings.Contains(alert.Subject, "Staff Nurse - Emergency Department") {
		t.Errorf("the alert is %q", alert.Subject)
	}
	links := s.links(&alert)
	if links["m"] == "" || links["u"] == "" {
		t.Fatalf("the alert has no links to change and stop:\n%s", alert.Text)
	}
	page = s.do("GET", links["m"], nil, 200)
	search := regexp.MustCompile(`\?do=pause&amp;(search=[a-z0-9]+)`).FindStringSubmatch(page)
	if search == nil {
		t.Fatalf("the page has no link to pause:\n%s", page)
	}
	page = s.do("POST", links["m"]+"?do=pause&"+search[1], url.Values{"pause": {"7"}}, 200)
	if !strings.Contains(page, "Paused") {
		t.Error("the page does not say that the search is paused")
	}
	s.site.Publish(*demoNurse(2, now))
	s.pass()
	s.wantMails(reader, 2)
	s.do("POST", links["m"]+"?do=resume&"+search[1], nil, 200)
	s.pass()
	s.wantMails(reader, 3)

	page = s.do("GET", links["m"]+"?do=edit&"+search[1], nil, 200)
	if !strings.Contains(page, `value="Leeds"`) {
		t.Error("the form is not filled in with the search")
	}
	s.do("POST", links["m"]+"?do=edit&"+search[1]+"&"+nurseQuery, nil, 200)
	s.do("POST", links["m"]+"?do=when&"+search[1], url.Values{"rhythm": {"instant"}, "daily_cap": {"5"}, "quiet_from": {""}, "quiet_to": {""}}, 200)
	export := s.do("GET", links["m"]+"?do=export", nil, 200)
	if !strings.Contains(export, reader) || !strings.Contains(export, `"daily_cap": 5`) {
		t.Errorf("the export: %s", export)
	}

	s.do("POST", links["u"], url.Values{"List-Unsubscribe": {"One-Click"}}, 200)
	s.site.Publish(*demoNurse(3, now))
	s.pass()
	s.wantMails(reader, 3)
	page = s.do("GET", links["m"], nil, 200)
	if !strings.Contains(page, "no searches in force") {
		t.Error("the page still lists what was stopped")
	}
	s.do("POST", links["m"]+"?do=erase", nil, 200)
	s.do("GET", links["m"], nil, 404)
	if counts, err := s.app.people.People(t.Context()); err != nil || len(counts) != 0 {
		t.Errorf("after the erasure: %v, %v", counts, err)
	}
	for _, secret := range []string{reader, "canary", confirm[strings.LastIndex(confirm, "/")+1:], links["m"][strings.LastIndex(links["m"], "/")+1:], links["u"][strings.LastIndex(links["u"], "/")+1:]} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// The link to stop a search also stops all, and asks why; the link to a page is
// sent again, and earlier ones can be made worthless.
func TestStopAllAndLinks(t *testing.T) {
	s := newService(t)
	for _, query := range []string{nurseQuery, "near=Leeds&band=6"} {
		s.signUp(query, reader)
		s.pass()
		all := s.mails(reader)
		s.do("POST", s.links(&all[len(all)-1])["s"], nil, 200)
	}
	s.site.Publish(*demoNurse(0, time.Now()))
	s.pass()
	alert := s.wantMails(reader, 3)[2]
	links := s.links(&alert)
	if page := s.do("GET", links["u"], nil, 200); !strings.Contains(page, `href="?all"`) || !strings.Contains(page, `href="?pause"`) {
		t.Error("the page offers neither to stop all nor to pause")
	}
	s.do("POST", links["u"]+"?pause", url.Values{"pause": {"date"}, "until": {time.Now().AddDate(0, 0, 20).Format("02/01/2006")}}, 200)
	if page := s.do("GET", links["m"], nil, 200); strings.Count(page, "<dt>Paused</dt>") != 2 {
		t.Error("not both searches are paused")
	}
	s.do("POST", s.url+"/manage", url.Values{"email": {reader}}, 200)
	s.do("POST", s.url+"/manage", url.Values{"email": {"nobody@reader.example"}}, 200)
	s.pass()
	sent := s.wantMails(reader, 4)[3]
	s.wantMails("nobody@reader.example", 0)
	again := s.links(&sent)["m"]
	s.do("POST", again+"?do=revoke", nil, 200)
	s.do("GET", again, nil, 404)
	s.do("GET", links["m"], nil, 404)
	s.do("POST", links["u"], nil, 200)
	for query, says := range map[string]string{"?all": "Stop all your searches?", "?why": "You need not answer"} {
		if page := s.do("GET", links["u"]+query, nil, 200); !strings.Contains(page, says) {
			t.Errorf("after the end of one search %s does not say %q", query, says)
		}
	}
	s.do("POST", links["u"]+"?all", nil, 200)
	s.do("POST", links["u"]+"?why", url.Values{"reason": {"too_many"}}, 200)
	counts, err := s.app.people.People(t.Context())
	if err != nil || counts[people.Ended] != 1 || counts[people.Active] != 0 {
		t.Errorf("%v, %v", counts, err)
	}
}

// A program that opens every link of every mail, as scanners do, changes
// nothing: by no method that is not POST.
func TestScanner(t *testing.T) {
	s := newService(t)
	s.signUp(nurseQuery, reader)
	s.pass()
	first := s.wantMails(reader, 1)[0]
	before := s.state()
	s.scan()
	if after := s.state(); after != before {
		t.Errorf("the links of the first mail changed the state:\n%s\n%s", before, after)
	}
	s.do("POST", s.links(&first)["s"], nil, 200)
	s.site.Publish(*demoNurse(0, time.Now()))
	s.do("POST", s.url+"/manage", url.Values{"email": {reader}}, 200)
	s.pass()
	s.wantMails(reader, 3)
	before = s.state()
	if n := s.scan(); n < 60 {
		t.Errorf("only %d requests were made", n)
	}
	if after := s.state(); after != before {
		t.Errorf("the links changed the state:\n%s\n%s", before, after)
	}
	s.pass()
	s.wantMails(reader, 3)
}

// scan asks for every link of every mail, and for those of the pages behind
// them, and returns how many requests that were.
func (s *service) scan() (n int) {
	s.t.Helper()
	seen := map[string]bool{}
	var todo []string
	add := func(link string) {
		if strings.HasPrefix(link, s.url) && !seen[link] {
			seen[link] = true
			todo = append(todo, link)
		}
	}
	for _, m := range s.box.Mails() {
		for _, l := range linkRE.FindAllString(m.Text+" "+strings.ReplaceAll(m.HTML, "&amp;", "&"), -1) {
			add(l)
		}
		for _, f := range m.Header {
			for _, l := range linkRE.FindAllString(f.Value, -1) {
				add(l)
			}
		}
	}
	href := regexp.MustCompile(`(?:href|action)="([^"#]+)`)
	for len(todo) > 0 && n < 500 {
		link := todo[0]
		todo = todo[1:]
		for _, method := range []string{"HEAD", "OPTIONS", "PUT", "DELETE", "GET"} {
			r, err := http.NewRequestWithContext(s.t.Context(), method, link, nil)
			if err != nil {
				s.t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				s.t.Fatal(err)
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode >= 500 {
				s.t.Fatalf("%s: %d, %v", method, resp.StatusCode, err)
			}
			n++
			base, _ := url.Parse(link)
			for _, h := range href.FindAllStringSubmatch(string(b), -1) {
				if u, err := base.Parse(strings.ReplaceAll(h[1], "&amp;", "&")); err == nil {
					add(u.String())
				}
			}
		}
	}
	return n
}

// state is all that is stored, byte for byte.
func (s *service) state() string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "copy")
	if err := s.app.embedded.Copy(file); err != nil {
		s.t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("%d bytes, %x", len(b), sha256.Sum256(b))
}

// The answer to a sign-up is the same, byte for byte, for an address that is
// known, unknown, suppressed, and one that was asked too often.
func TestSameAnswer(t *testing.T) {
	s := newService(t)
	s.signUp(nurseQuery, reader)
	s.pass()
	first := s.wantMails(reader, 1)[0]
	s.do("POST", s.links(&first)["s"], nil, 200)
	list, err := s.app.store.Suppressions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := list.Complained(t.Context(), list.ID("spam@reader.example"), time.Now()); err != nil {
		t.Fatal(err)
	}
	want := s.signUp(nurseQuery, "unknown@reader.example")
	for _, a := range []string{reader, "spam@reader.example", reader} {
		if got := s.signUp(nurseQuery, a); got != want {
			t.Errorf("another answer:\n%s", got)
		}
	}
	// The sixth of an hour from one network is refused, whoever it is for.
	page := s.do("POST", s.url+"/subscribe?"+nurseQuery, url.Values{"email": {"new@reader.example"}, "often": {"daily"}}, 429)
	if !strings.Contains(page, "try again in an hour") {
		t.Error(page)
	}
}
