package main

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/vacancywatch/vacancywatch/alerts"
	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/alerts/people"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/web"
)

// manageLife is how long the link to a person's own page in a mail is good.
const manageLife = 30 * 24 * time.Hour

// wirePeople has the mails of people who subscribed themselves hold the link to
// their page, and the mails sent that are no alerts. It does so also where
// nobody can subscribe any more: those who did go on.
func (a *app) wirePeople(ctx context.Context) (err error) {
	if a.people, err = a.store.Subscribers(ctx); err != nil {
		return err
	}
	factory := promauto.With(a.registry)
	a.signUps = factory.NewCounterVec(prometheus.CounterOpts{Name: "vacancywatch_signups_total", Help: "Sign-ups on the page, by what came of them."}, []string{"outcome"})
	for _, o := range web.SignUpOutcomes() {
		a.signUps.WithLabelValues(o)
	}
	a.left = factory.NewCounterVec(prometheus.CounterOpts{Name: "vacancywatch_leave_reasons_total", Help: "Answers to the question why a search was stopped."}, []string{"reason"})
	for _, r := range web.LeaveReasons() {
		a.left.WithLabelValues(r)
	}
	a.registry.MustRegister(&peopleCollector{people: a.people})
	if a.cfg.Listen.PublicURL == "" {
		return nil
	}
	a.deliverer.Notices = noticeWriter{a}
	a.deliverer.ManageURL = func(ctx context.Context, s *vacancy.Search) (string, error) {
		id, generation, err := a.people.Owner(ctx, s)
		if err != nil || id == "" || a.cfg.Subscribe == nil {
			return "", err
		}
		return a.manageURL(id, generation), nil
	}
	return nil
}

func (a *app) manageURL(person string, generation uint32) string {
	return a.cfg.Listen.PublicURL + "/m/" + a.tokens.Manage(person, generation, time.Now().Add(manageLife))
}

// A noticeWriter words the mails that are no alerts.
type noticeWriter struct{ app *app }

func (n noticeWriter) Notice(ctx context.Context, m *alerts.Message, now time.Time) (message.Notice, vacancy.Address, string, error) {
	to, generation, ok, err := n.app.people.Noticed(ctx, m, now)
	if err != nil || !ok {
		return message.Notice{}, "", alerts.DropEnded, err
	}
	page := n.app.cfg.Listen.PublicURL
	switch m.Notice {
	case people.NoticeConfirm:
		link := page + "/s/" + n.app.tokens.Confirm(m.Search, m.Created.Add(people.KeepWish))
		return people.ConfirmNotice(link, page), to, "", nil
	case people.NoticeManage:
		return people.ManageNotice(n.app.manageURL(m.Subscriber, generation), page), to, "", nil
	}
	if m.Notice == people.NoticeKeep {
		return people.KeepNotice(n.app.manageURL(m.Subscriber, generation)+"?do=keep", page), to, "", nil
	}
	return message.Notice{}, "", alerts.DropEnded, nil
}

// subscribe is what the pages need on which people save searches; nil where
// they cannot.
func (a *app) subscribe() *web.Subscribe {
	if a.cfg.Subscribe == nil {
		return nil
	}
	return &web.Subscribe{
		People: a.people, Channel: a.cfg.Subscribe.Channel, Proxies: a.cfg.Subscribe.Prefixes(), Queued: a.deliverer.Wake,
		Count: func(outcome string) { a.signUps.WithLabelValues(outcome).Inc() },
		Left:  func(reason string) { a.left.WithLabelValues(reason).Inc() },
	}
}

var peopleDesc = prometheus.NewDesc("vacancywatch_subscribers",
	"People who subscribed themselves: pending (not confirmed), active, ended (no search in force, remembered for 28 days).", []string{"state"}, nil)

// A peopleCollector counts the subscribers when it is asked, at most once in a
// while, for it reads through all of them.
type peopleCollector struct {
	people *store.Subscribers

	mu sync.Mutex
	at time.Time
	n  map[people.State]int
}

const countPeopleEvery = 5 * time.Minute

func (c *peopleCollector) Describe(out chan<- *prometheus.Desc) { out <- peopleDesc }

func (c *peopleCollector) Collect(out chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.at) >= countPeopleEvery {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		n, err := c.people.People(ctx)
		if err != nil {
			return // as other numbers of a state that cannot be reached
		}
		c.n, c.at = n, now
	}
	for _, s := range people.States() {
		out <- prometheus.MustNewConstMetric(peopleDesc, prometheus.GaugeValue, float64(c.n[s]), string(s))
	}
}
