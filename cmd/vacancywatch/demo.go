package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/alerts/mailbox"
	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/crawler/simulator"
	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

type demoCmd struct {
	Once bool `help:"Run one whole cycle, print a summary and exit."`
}

const (
	demoSeed = 7
	demoLive = 250
	// demoPosts is how many adverts are posted in a cycle.
	demoPosts = 6
	// demoEvery is how often the site posts an advert when the demo runs on.
	demoEvery = 8 * time.Second
	// demoPatience bounds the waiting for the cycle's alerts.
	demoPatience = 30 * time.Second
)

// A demo is everything on loopback: a pretend NHS Jobs, the daemon with
// embedded state, and the far side of its alerts.
type demo struct {
	out     *narrator
	world   *world.World
	site    *simulator.Site
	mailbox *mailbox.Mailbox
	app     *app
	posted  int
	mails   string // address of the mailbox's pages
}

func (c *demoCmd) Run(e *env) (err error) {
	dir, err := os.MkdirTemp("", "vacancywatch-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo's state: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	d, err := newDemo(ctx, g, dir, e)
	if err != nil {
		cancel()
		return errors.Join(err, g.Wait())
	}
	if c.Once {
		err = d.once(ctx, e)
	} else {
		err = d.run(ctx, g)
	}
	cancel()
	if gerr := g.Wait(); !errors.Is(gerr, context.Canceled) {
		err = errors.Join(err, gerr)
	}
	return errors.Join(err, d.app.close())
}

// newDemo starts the far sides and puts the daemon together.
func newDemo(ctx context.Context, g *errgroup.Group, dir string, e *env) (*demo, error) {
	d := &demo{out: &narrator{w: e.stdout}, world: world.New(demoSeed)}
	siteListener, err := listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	base := "http://" + siteListener.Addr().String()
	d.site = simulator.New(simulator.Options{Seed: demoSeed, Now: time.Now, Live: demoLive, Quiet: true, MinGap: -1, BaseURL: base})
	secret := channel.NewSecret("whsec_ZGVtby1zZWNyZXQtZm9yLWxvb3BiYWNrLW9ubHktISE=")
	d.mailbox, err = mailbox.New(mailbox.Options{Secrets: map[string]channel.Secret{"ward": secret}})
	if err != nil {
		siteListener.Close()
		return nil, fmt.Errorf("open the mailbox: %w", err)
	}
	boxListener, err := listen("127.0.0.1:0")
	if err != nil {
		siteListener.Close()
		return nil, err
	}
	d.mails = "http://" + boxListener.Addr().String()
	g.Go(func() error { return serveHTTP(ctx, siteListener, d.site) })
	g.Go(func() error { return serveHTTP(ctx, boxListener, d.mailbox.Handler()) })
	g.Go(func() error { return d.mailbox.Run(ctx) })

	if err := os.WriteFile(filepath.Join(dir, "ward.secret"), []byte(secret.Reveal()), 0o600); err != nil {
		return nil, fmt.Errorf("write the demo's secret: %w", err)
	}
	public, admin := freePort("127.0.0.1:8080"), freePort("127.0.0.1:9464")
	cfg, err := config.Parse([]byte(demoConfig(base, d.mails, d.mailbox.SMTPAddr(), public, admin)), dir)
	if err != nil {
		return nil, fmt.Errorf("the demo's configuration: %w", err)
	}
	if d.app, err = newApp(ctx, cfg, newLogger(e.stderr, cfg.Log)); err != nil {
		return nil, err
	}
	d.watch()
	d.out.print("vacancywatch demo: all of it runs on this machine, ends with this command, and talks to nobody else.\n\n"+
		"  pretend NHS Jobs  %s/candidate/search/results?language=en\n"+
		"  mailbox           %s/\n"+
		"  status page       http://%s/\n"+
		"  try a search      http://%s/search (and sign up for it: the mail that asks you to confirm is in the mailbox)\n"+
		"  metrics           http://%s/metrics\n\n", base, d.mails, public, public, admin)
	for _, s := range cfg.VacancySearches(d.app.places) {
		d.out.print("  search %q: %s\n", s.Name, s.Describe())
	}
	d.out.print("\n")
	return d, nil
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("open a port on this machine: %w", err)
	}
	return l, nil
}

// freePort returns the address, or one with any free port if it is taken.
func freePort(addr string) string {
	for _, a := range []string{addr, "127.0.0.1:0"} {
		if l, err := net.Listen("tcp", a); err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	return addr
}

// watch tells what happens as it happens.
func (d *demo) watch() {
	for _, r := range d.app.schedule.Runners {
		r.Progress = d.progress
	}
	d.app.dispatcher.Told = d.told
	d.app.deliverer.Sent = d.sent
}

func (d *demo) progress(p crawler.Progress) {
	switch {
	case p.Step == "listing" && (p.Baseline || p.Tier != crawler.Hot || p.Page > 1):
		d.out.say("crawl", "page %d of %d, %d listed", p.Page, p.Pages, p.Listed)
	case p.Step == "advert":
		d.out.say("crawl", "reads advert %s: %s, %s", p.Vacancy.Reference, p.Vacancy.Title, p.Vacancy.Employer)
	}
}

func (d *demo) told(ev *vacancy.Event, matches []alerts.Match) {
	v := &ev.Vacancy
	what := fmt.Sprintf("%s %s: %s", ev.Kind, v.Reference, v.Title)
	if v.Band != "" {
		what += ", band " + v.Band
	}
	if len(matches) == 0 {
		d.out.say("event", "%s (no search wants it)", what)
		return
	}
	d.out.say("event", "%s", what)
	for _, m := range matches {
		d.out.say("match", "%q because: %s", m.Search.Name, vacancy.Why(m.Outcomes))
	}
}

func (d *demo) sent(m *alerts.Message, s alerts.Settlement) {
	if m.Notice != "" {
		d.out.say("mail", "%s: a %s mail to a person who subscribed: look at it on %s/", s, m.Notice, d.mails)
		return
	}
	if s != alerts.SettleDone {
		d.out.say("alert", "%s by %s for search %q", s, m.Channel(), m.Search)
		return
	}
	d.out.say("alert", "delivered by %s for search %q: look at it on %s/", m.Channel(), m.Search, d.mails)
}

// post makes the site post an advert: the first of each cycle is one that the
// oncology search waits for.
func (d *demo) post() {
	now := time.Now()
	var a *world.Advert
	switch d.posted % demoPosts {
	case 0:
		a = demoSecretary(d.posted/demoPosts, now)
	case 2:
		a = demoNurse(d.posted/demoPosts, now)
	default:
		a = d.world.Make(uint64(1000+d.posted), now, 14)
		a.Posted = time.Time{} // the moment of publishing
	}
	d.posted++
	ref := d.site.Publish(*a)
	d.out.say("site", "NHS Jobs posts %s: %s, %s", ref, a.Title, a.Employer)
}

// once is one whole cycle: a baseline, some new adverts, a pass, the alerts.
func (d *demo) once(ctx context.Context, e *env) error {
	quiet := *e
	quiet.stdout = io.Discard
	if err := d.app.once(&quiet); err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	d.baselineDone(ctx)
	for range demoPosts {
		d.post()
	}
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	quiet.ctx = ctx
	if err := d.app.once(&quiet); err != nil {
		return fmt.Errorf("pass: %w", err)
	}
	return d.summary(ctx)
}

func (d *demo) baselineDone(ctx context.Context) {
	if counts, err := d.app.store.Counts(ctx, time.Now()); err == nil {
		d.out.say("crawl", "baseline done: %d vacancies are known, and nobody is told of what was there before", counts.Live)
	}
}

// summary says what came of the cycle, and fails where an alert is missing.
func (d *demo) summary(ctx context.Context) error {
	counts, err := d.app.store.Counts(ctx, time.Now())
	if err != nil {
		return err
	}
	mails, hooks, signed := d.mailbox.Mails(), d.mailbox.Hooks(), 0
	for i := range hooks {
		if hooks[i].Verified {
			signed++
		}
	}
	repeated := 0
	for _, counts := range []map[string]int{d.mailbox.MailCounts(), d.mailbox.HookCounts()} {
		for _, n := range counts {
			repeated += n - 1
		}
	}
	d.out.print("\n%d adverts posted after the baseline, %d live, %d requests to the site.\n"+
		"%d mails and %d webhooks arrived (%d with a good signature), %d of them twice; %d still queued, %d given up.\n",
		d.posted, counts.Live, len(d.site.Requests()), len(mails), len(hooks), signed, repeated, counts.Queued, counts.Buried)
	if len(mails) > 0 {
		m := &mails[0]
		d.out.print("\nThe first mail, as text:\n\nSubject: %s\n\n%s\n", m.Subject, m.Text)
	}
	if broken := d.site.Broken(); len(broken) > 0 {
		return fmt.Errorf("the crawl broke a law of manners: %v", broken)
	}
	if len(mails) == 0 || len(hooks) == 0 || signed != len(hooks) || repeated > 0 || counts.Queued+counts.Buried > 0 {
		return errors.New("not every alert arrived once and in order")
	}
	return nil
}

// run goes on until it is interrupted.
func (d *demo) run(ctx context.Context, g *errgroup.Group) error {
	g.Go(func() error { return d.app.serve(ctx) })
	g.Go(func() error {
		baseline := true
		tick := time.NewTicker(demoEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			st, err := d.app.store.State(ctx, "nhs-jobs")
			if err != nil || st.Baseline != nil || st.Epoch == "" {
				continue
			}
			if baseline {
				baseline = false
				d.baselineDone(ctx)
				d.out.say("site", "from now on an advert is posted every %s; stop with Ctrl-C", demoEvery)
			}
			d.post()
		}
	})
	<-ctx.Done()
	return nil
}

// A narrator prints lines that do not mix.
type narrator struct {
	mu sync.Mutex
	w  io.Writer
}

func (n *narrator) print(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.w, format, args...)
}

func (n *narrator) say(who, format string, args ...any) {
	n.print("%s %-6s %s\n", time.Now().Format(time.TimeOnly), who, fmt.Sprintf(format, args...))
}
