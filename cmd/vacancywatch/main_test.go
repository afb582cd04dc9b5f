package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/mailbox"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vacancywatch": main})
}

// The daemon as stories: the real main in a process of its own, a pretend NHS
// Jobs and the far sides of its alerts on loopback. A bug becomes a script. On
// real Redis, where one is found, each story has to end the same.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	engines := []string{"embedded", "redis"}
	if testing.Short() {
		engines = engines[:1] // under the race detector a story takes half a minute
	}
	for _, engine := range engines {
		for _, script := range scripts {
			name := strings.TrimSuffix(filepath.Base(script), ".txtar")
			if only := strings.TrimPrefix(filepath.Ext(name), "."); only != "" && only != engine {
				continue
			}
			t.Run(engine+"/"+name, func(t *testing.T) {
				redis := ""
				if engine == "redis" {
					redis = enginetest.Redis(t)
				}
				testscript.Run(t, params(script, redis))
			})
		}
	}
}

func params(script, redis string) testscript.Params {
	return testscript.Params{
		Files: []string{script},
		Setup: func(e *testscript.Env) error {
			s, err := newScene(e)
			if err != nil {
				return err
			}
			if redis != "" {
				s.redis = redis
				e.Setenv("VACANCYWATCH_REDIS_URL", redis)
			}
			e.Values[storyKey{}] = s
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"post":   post,
			"move":   move,
			"close":  closeAdvert,
			"fault":  fault,
			"inbox":  inbox,
			"hooks":  hookCount,
			"polite": polite,
			"absent": absent,
			"flush":  flush,
			"flood":  flood,
			"await":  await,

			"mailfault": mailFault,
			"hookfault": hookFault,
			"letter":    letter,
		},
	}
}

type storyKey struct{}

// A scene is the world around one script.
type scene struct {
	site  *simulator.Site
	box   *mailbox.Mailbox
	dice  int
	redis string // its address, "" for embedded state
	admin string // address of a daemon's admin pages
}

// newScene starts the scene, and writes vw.yaml, a configuration with one
// search, told by mail and webhook, unless the script brings its own. The one in
// daemon.yaml has an admin address, $ADMIN.
func newScene(e *testscript.Env) (*scene, error) {
	secret := "whsec_c3Rvcnktc2VjcmV0LW9uLWxvb3BiYWNrLW9ubHkhISE="
	box, err := mailbox.New(mailbox.Options{Secrets: map[string]channel.Secret{"ward": channel.NewSecret(secret)}})
	if err != nil {
		return nil, err
	}
	s := &scene{box: box}
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	s.site = simulator.New(simulator.Options{Seed: 5, Now: time.Now, Live: 130, Quiet: true, MinGap: -1, BaseURL: base})
	server.Config.Handler = s.site
	server.Start()
	hooks := httptest.NewServer(box.Handler())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- box.Run(ctx) }()
	e.Defer(func() {
		cancel()
		<-ended
		hooks.Close()
		server.Close()
	})
	_, port, _ := strings.Cut(box.SMTPAddr(), ":")
	fixtures, err := filepath.Abs("../../crawler/nhsjobs/testdata")
	if err != nil {
		return nil, err
	}
	e.Setenv("FIXTURES", fixtures)
	e.Setenv("SITE", base)
	config := fmt.Sprintf(`listen: {admin: "off", public: "off", public_url: "https://alerts.example.org"}
sources: [{site: nhs-jobs, base: %q, spacing: 2ms, poll_min: 1s}]
channels:
  - {name: mail, email: {host: 127.0.0.1, port: %s, tls: none, from: "Vacancy alerts <alerts@vacancywatch.example>"}}
  - {name: ward, webhook: {url: "%s/hook/ward", secret_file: ward.secret, verify: true, allow: ["127.0.0.0/8"], allow_http: true}}
searches:
  - id: oncology-office
    name: Oncology office work
    subscriber: jo
    bands: [4]
    places: [{near: E1 6AN, miles: 10}]
    specialties: [oncology]
    notify: [{channel: mail, to: jo@reader.example}, {channel: ward}]
`, base, port, hooks.URL)
	s.admin = freePort("127.0.0.1:0")
	files := map[string]string{
		"ward.secret": secret,
		"vw.yaml":     config,
		// The same with an admin address, for a daemon beside the commands.
		"daemon.yaml": strings.NewReplacer(`admin: "off"`, fmt.Sprintf("admin: %q", s.admin), "poll_min: 1s", "poll_min: 1s, poll_max: 1s").Replace(config),
	}
	e.Setenv("ADMIN", s.admin)
	// The same on another machine: it shares the Redis alone.
	files["elsewhere.yaml"] = "data: elsewhere\n" + files["daemon.yaml"]
	files["elsewhere_off.yaml"] = "data: elsewhere\n" + config
	for name, text := range files {
		file := filepath.Join(e.WorkDir, name)
		if _, err := os.Stat(file); err == nil {
			continue
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func sceneOf(ts *testscript.TestScript) *scene { return ts.Value(storyKey{}).(*scene) }

// post secretary|nurse|any [VARIABLE] posts an advert and sets the variable to
// its reference.
func post(ts *testscript.TestScript, _ bool, args []string) {
	s := sceneOf(ts)
	if len(args) < 1 {
		ts.Fatalf("usage: post secretary|nurse|any [VARIABLE]")
	}
	var a *world.Advert
	switch args[0] {
	case "secretary":
		a = demoSecretary(s.dice, time.Now())
		a.ContactInSummary = true
	case "headings":
		a = demoSecretary(s.dice, time.Now())
		a.HeadingsOnly = true
	case "nurse":
		a = demoNurse(s.dice, time.Now())
	default:
		a = world.New(5).Make(uint64(7000+s.dice), time.Now(), 14)
		a.Posted = time.Time{}
	}
	s.dice++
	ref := s.site.Publish(*a)
	if len(args) > 1 {
		ts.Setenv(args[1], ref)
	}
}

// flood N posts N adverts at once.
func flood(ts *testscript.TestScript, _ bool, args []string) {
	s := sceneOf(ts)
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	w := world.New(5)
	for range n {
		a := w.Make(uint64(7000+s.dice), time.Now(), 14)
		a.Posted = time.Time{}
		s.dice++
		s.site.Publish(*a)
	}
}

// await PATH TEXT waits until an admin page of the daemon says the text.
func await(ts *testscript.TestScript, _ bool, args []string) {
	const patience = 90 * time.Second // a race detector on a busy machine is slow
	last := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		r, err := http.Get("http://" + sceneOf(ts).admin + args[0])
		if err != nil {
			last = err.Error()
			continue
		}
		b, err := io.ReadAll(r.Body)
		ts.Check(errors.Join(err, r.Body.Close()))
		if last = string(b); strings.Contains(last, args[1]) {
			return
		}
	}
	ts.Fatalf("%s did not say %q within %s:\n%s", args[0], args[1], patience, last[:min(len(last), 4000)])
}

// move REFERENCE DAYS moves a closing date to so many days from today.
func move(ts *testscript.TestScript, _ bool, args []string) {
	days, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(sceneOf(ts).site.MoveClosing(args[0], world.DayOf(time.Now().AddDate(0, 0, days))))
}

// close REFERENCE closes an advert early.
func closeAdvert(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(sceneOf(ts).site.CloseEarly(args[0]))
}

// fault LINE… makes the site fail as the lines say; without one it is well.
func fault(ts *testscript.TestScript, _ bool, args []string) {
	faults, err := simulator.ParseFaults(strings.NewReader(strings.Join(args, "\n")))
	ts.Check(err)
	ts.Check(sceneOf(ts).site.SetFaults(faults...))
}

// inbox N [TEXT…] expects N mails, the last of which says each text.
func inbox(ts *testscript.TestScript, _ bool, args []string) {
	mails := sceneOf(ts).box.Mails()
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if len(mails) != want {
		ts.Fatalf("the inbox holds %d mails, want %d", len(mails), want)
	}
	for _, text := range args[1:] {
		m := mails[len(mails)-1]
		if !strings.Contains(string(m.Raw)+m.Subject+m.Text, text) {
			ts.Fatalf("the last mail does not say %q:\nSubject: %s\n%s", text, m.Subject, m.Text)
		}
	}
}

// hooks N [TEXT…] expects N webhooks, all with a good signature, the last of
// which says each text.
func hookCount(ts *testscript.TestScript, _ bool, args []string) {
	hooks := sceneOf(ts).box.Hooks()
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if len(hooks) != want {
		ts.Fatalf("%d webhooks came, want %d", len(hooks), want)
	}
	for _, h := range hooks {
		if !h.Verified {
			ts.Fatalf("webhook %s has a bad signature", h.ID)
		}
	}
	for _, text := range args[1:] {
		if body := string(hooks[len(hooks)-1].Body); !strings.Contains(body, text) {
			ts.Fatalf("the last webhook does not say %q:\n%s", text, body)
		}
	}
}

// polite expects that no law of manners was broken.
func polite(ts *testscript.TestScript, _ bool, _ []string) {
	if broken := sceneOf(ts).site.Broken(); len(broken) > 0 {
		ts.Fatalf("laws of manners were broken: %v", broken)
	}
}

// absent TEXT FOLDER expects that no file below the folder holds the text.
func absent(ts *testscript.TestScript, _ bool, args []string) {
	looked := 0
	err := filepath.WalkDir(ts.MkAbs(args[1]), func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		looked++
		if strings.Contains(string(b), args[0]) {
			ts.Fatalf("%s holds %q", file, args[0])
		}
		return nil
	})
	ts.Check(err)
	if looked == 0 {
		ts.Fatalf("there is no file in %s", args[1])
	}
}

// flush empties the Redis, behind the daemon's back.
func flush(ts *testscript.TestScript, _ bool, _ []string) {
	u, err := url.Parse(sceneOf(ts).redis)
	ts.Check(err)
	c, err := net.Dial("tcp", u.Host)
	ts.Check(err)
	defer c.Close()
	_, err = fmt.Fprintf(c, "SELECT %s\r\nFLUSHDB\r\nQUIT\r\n", strings.TrimPrefix(u.Path, "/"))
	ts.Check(err)
	answer, err := io.ReadAll(c)
	ts.Check(err)
	if string(answer) != "+OK\r\n+OK\r\n+OK\r\n" {
		ts.Fatalf("redis answers %q", answer)
	}
}
