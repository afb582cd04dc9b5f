// Package config is the configuration file: its shape, its defaults, and what
// is wrong with it, said so that the one who wrote it can mend it.
//
// The file is YAML, read strictly: a key that is not known is an error, for it
// is a typo whenever it happens. Its gaps are filled with defaults, then come
// the checks. Secrets never stand in the file: they are read from a file of
// their own, or from the environment. Relative paths start at the folder of
// the configuration file. deploy/vacancywatch.yaml is the commented reference.
package config

import (
	"crypto/tls"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/store/engine"
)

// Config is the whole file.
type Config struct {
	// Contact says who runs this: it is sent with every request, so that the
	// site can reach a person instead of blocking an address. Without it only
	// a site on this machine is crawled.
	Contact Contact `yaml:"contact"`

	// Data is the folder for what must outlive a restart: the embedded state,
	// or with Redis the stamp that tells an emptied Redis from a new one.
	// Defaults to ./data.
	Data string `yaml:"data"`

	// Redis keeps the state in a Redis or Valkey server. Without it the state
	// is one file in the data folder, which one process can use at a time.
	Redis *Redis `yaml:"redis"`

	Listen Listen `yaml:"listen"`
	Log    Log    `yaml:"log"`

	// Sources are the crawls. Defaults to one of NHS Jobs.
	Sources []Source `yaml:"sources"`

	// Channels are the ways to tell somebody something. Searches name them.
	Channels []Channel `yaml:"channels"`

	// Bounces takes in what comes back of mails. Without it an address counts
	// as dead only where the relay refuses it while a mail is being sent.
	Bounces *Bounces `yaml:"bounces"`

	// Subscribe lets people save searches themselves, on the pages of
	// listen.public. Without it they cannot.
	Subscribe *SubscribeConfig `yaml:"subscribe"`

	// Searches are saved searches that live in this file. They are brought
	// into the state at every start: new ones are added, changed ones
	// replaced, removed ones forgotten. What people save themselves is left
	// alone.
	Searches []Search `yaml:"searches"`

	dir string // of the file
}

// Contact is who runs this crawler.
type Contact struct {
	// Page is the address of a page that says what this crawler does and why.
	Page string `yaml:"page"`
	// Mail is a mail address that a person reads.
	Mail string `yaml:"mail"`
}

// Redis is where the state is kept. Give one of url, url_file, sentinel or
// cluster, or the environment variable VACANCYWATCH_REDIS_URL.
type Redis struct {
	// URL is redis://host:6379/0, or rediss:// for TLS, without a password:
	// an address with one goes into a file.
	URL string `yaml:"url"`
	// URLFile names a file that holds the URL with its password.
	URLFile string `yaml:"url_file"`
	// Sentinel and Master find the current master through Sentinels.
	Sentinel []string `yaml:"sentinel"`
	Master   string   `yaml:"master"`
	// Cluster lists some nodes of a Redis Cluster.
	Cluster []string `yaml:"cluster"`
	// PasswordFile holds the password for sentinel and cluster.
	PasswordFile string `yaml:"password_file"`
	Username     string `yaml:"username"`
	// TLS speaks TLS to Sentinel and Cluster nodes; for url, use rediss://.
	TLS bool `yaml:"tls"`
}

// Listen is where pages, metrics and health are served.
type Listen struct {
	// Admin serves /metrics, /-/healthy, /-/ready, /-/fresh and /status, for
	// operators. Defaults to 127.0.0.1:9464. "off" serves nothing.
	Admin string `yaml:"admin"`
	// Public serves the pages for people, among them the one that stops a
	// search. Defaults to 127.0.0.1:8080. "off" serves nothing.
	Public string `yaml:"public"`
	// PublicURL is how people reach Public, https://alerts.example.org. Mails
	// link to it. Without it mails have no link that stops them, and no
	// one-click unsubscribing, which large receivers of mail ask for.
	PublicURL string `yaml:"public_url"`
}

// Log is what is written to standard error.
type Log struct {
	// Level is debug, info (the default), warn or error.
	Level string `yaml:"level"`
	// Format is text (the default) or json.
	Format string `yaml:"format"`
}

// Source is a crawl of a site.
type Source struct {
	// Name is the source for good: vacancies are remembered under it.
	// Defaults to the name of the site.
	Name string `yaml:"name"`
	// Site is the website: nhs-jobs (the default), or one that is experimental,
	// nhs-scotland.
	Site string `yaml:"site"`
	// Experimental says that you know what an experimental site is: its reader
	// was written from what others tell of the site, and never compared with
	// its real pages. It may miss vacancies and misread what it finds. Without
	// it such a site is refused.
	Experimental bool `yaml:"experimental"`
	// Base is the scheme and host. Defaults to the site's own; a simulator
	// has another.
	Base string `yaml:"base"`
	// PollsPerDay is how many times a day the newest adverts are asked for;
	// they are placed where most adverts are posted. Defaults to 180.
	PollsPerDay int `yaml:"polls_per_day"`
	// PollMin and PollMax bound the time between two polls. Default to 2m and
	// 30m; a minute is the least for a site that is not on this machine.
	PollMin time.Duration `yaml:"poll_min"`
	PollMax time.Duration `yaml:"poll_max"`
	// SweepHour is the London hour of the nightly reading of the whole board.
	// Defaults to 3.
	SweepHour int `yaml:"sweep_hour"`
	// Spacing is the least time between two requests. Defaults to 2s; a
	// second is the least for a site that is not on this machine.
	Spacing time.Duration `yaml:"spacing"`
	// RequestsPerDay is the most requests of a UTC day. Defaults to 4000.
	RequestsPerDay int `yaml:"requests_per_day"`
	// FirstRun is "baseline" (the default): what the first run finds was
	// there before and is told to nobody; or "announce": it is told.
	FirstRun string `yaml:"first_run"`
}

// Channel is one way to tell somebody something: exactly one kind.
type Channel struct {
	// Name is what searches call it. It is part of the identity of a message:
	// a renamed channel tells again what was told before.
	Name string `yaml:"name"`
	// Rate is the most messages a second that each process sends through the
	// channel; 0.5 is one every two seconds. By default as many as the far side
	// takes, one at a time.
	Rate    float64                `yaml:"rate"`
	Email   *channel.EmailConfig   `yaml:"email"`
	Webhook *channel.WebhookConfig `yaml:"webhook"`
	Chats   `yaml:",inline"`
}

// Search is a saved search. What a criterion means, and what it makes of an
// advert that does not state the fact, is in the reference file.
type Search struct {
	// ID is the search for good; the name may change.
	ID         string `yaml:"id"`
	Name       string `yaml:"name"`
	Subscriber string `yaml:"subscriber"`

	Places       []Place         `yaml:"places"`
	Bands        []word          `yaml:"bands"`
	StaffGroups  []word          `yaml:"staff_groups"`
	Specialties  []word          `yaml:"specialties"`
	StatedOnly   bool            `yaml:"stated_only"`
	Keywords     string          `yaml:"keywords"`
	Employers    []word          `yaml:"employers"`
	NotEmployers []word          `yaml:"not_employers"`
	Contracts    []word          `yaml:"contracts"`
	MinMonths    int             `yaml:"min_months"`
	MaxMonths    int             `yaml:"max_months"`
	Patterns     []word          `yaml:"working_patterns"`
	MinSalary    int             `yaml:"min_salary"`
	Sponsorship  bool            `yaml:"sponsorship"`
	DaysLeft     int             `yaml:"days_left"`
	Internal     bool            `yaml:"internal"`
	Unstated     map[string]bool `yaml:"unstated"`

	Events []word   `yaml:"events"`
	Notify []Notify `yaml:"notify"`
}

// Place is a place with a radius, a whole area, or work from home.
type Place struct {
	// Near is a postcode, a town, a region, a county, an NHS region, a nation
	// or "remote": E1 6AN, Leeds, Wales, Kent, Midlands, England.
	Near string `yaml:"near"`
	// Miles is the radius as the crow flies, 1 to 100. Defaults to 10; an
	// area has none.
	Miles int `yaml:"miles"`
	// Remote lets work from home pass wherever the employer sits. Without
	// Near it asks for work from home alone.
	Remote bool `yaml:"remote"`
}

// Notify is where the matches of a search go.
type Notify struct {
	Channel string `yaml:"channel"`
	// To is the mail address, for an email channel.
	To string `yaml:"to"`
	// Rhythm is instant (the default), hourly, daily or weekly; a webhook is
	// always instant. An empty digest is not sent.
	Rhythm string `yaml:"rhythm"`
	// Hour is the London hour of a daily or weekly mail. Defaults to 8; 1 is
	// not offered, for one night a year has none and another has two.
	Hour *int `yaml:"hour"`
	// Day is the day of a weekly mail. Defaults to monday.
	Day string `yaml:"day"`
	// Quiet are hours in London, at most 12, in which an instant or hourly
	// mail waits; what was matched comes at their end, in one mail a search.
	// By default there are none.
	Quiet *Quiet `yaml:"quiet"`
	// DailyCap is how many single mails one reader gets in a day; the last of
	// them says so, and what is over comes in one mail, at the end of the
	// quiet hours or at 8. By default there is none: an operator asks for
	// what he writes. Searches that people save themselves have one of 10.
	DailyCap *int `yaml:"daily_cap"`
	// RemindDays is how many days before its closing date the reader is
	// reminded, once, of each vacancy that he was told of and that is still
	// open. By default he is not.
	RemindDays int `yaml:"remind_days"`
}

// Quiet is from one full hour in London to another: {from: 22, to: 7}.
type Quiet struct {
	From *int `yaml:"from"`
	To   *int `yaml:"to"`
}

// defaults fills in what the file leaves out. It comes after the decoding, for
// a section that is named and left empty wipes out what was there before.
func (c *Config) defaults() {
	for _, d := range []struct {
		value *string
		or    string
	}{
		{&c.Data, "data"}, {&c.Listen.Admin, "127.0.0.1:9464"}, {&c.Listen.Public, "127.0.0.1:8080"},
		{&c.Log.Level, "info"}, {&c.Log.Format, "text"},
	} {
		if *d.value == "" {
			*d.value = d.or
		}
	}
	if len(c.Sources) == 0 {
		c.Sources = []Source{{}}
	}
}

// defaults fills in what a source leaves out.
func (s *Source) defaults(base string) {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if s.Name == "" {
		s.Name = s.Site
	}
	if s.Base == "" {
		s.Base = base
	}
	if s.PollsPerDay == 0 {
		s.PollsPerDay = crawler.DefaultPollsPerDay
	}
	set(&s.PollMin, 2*time.Minute)
	set(&s.PollMax, max(30*time.Minute, s.PollMin))
	set(&s.Spacing, 2*time.Second)
	if s.SweepHour == 0 {
		s.SweepHour = 3
	}
	if s.RequestsPerDay == 0 {
		s.RequestsPerDay = 4000
	}
	if s.FirstRun == "" {
		s.FirstRun = "baseline"
	}
}

// UserAgent names the program and who runs it, for every request.
func (c Contact) UserAgent(version string) string {
	who := []string{}
	if c.Page != "" {
		who = append(who, "+"+c.Page)
	}
	if c.Mail != "" {
		who = append(who, c.Mail)
	}
	if len(who) == 0 {
		return "vacancywatch/" + version
	}
	return "vacancywatch/" + version + " (" + strings.Join(who, "; ") + ")"
}

// Source returns the crawl as the crawler knows it.
func (s *Source) Source(userAgent string) crawler.Source {
	site, _ := crawler.SiteByName(s.Site)
	return crawler.Source{
		Name: s.Name, Site: site, Base: s.Base, UserAgent: userAgent, PollsPerDay: s.PollsPerDay,
		HotMin: s.PollMin, HotMax: s.PollMax, SweepHour: s.SweepHour, Spacing: s.Spacing, Budget: s.RequestsPerDay,
		Announce: s.FirstRun == "announce",
	}
}

// Options returns how to connect.
func (r *Redis) Options() (engine.RedisOptions, error) {
	opts := engine.RedisOptions{URL: r.URL, SentinelAddrs: r.Sentinel, MasterName: r.Master, ClusterAddrs: r.Cluster, Username: r.Username}
	if env := os.Getenv("VACANCYWATCH_REDIS_URL"); env != "" {
		opts.URL = env
	}
	if r.URLFile != "" {
		u, err := channel.ReadSecret(r.URLFile)
		if err != nil {
			return opts, fmt.Errorf("redis.url_file: %w", err)
		}
		opts.URL = u.Reveal()
	}
	if r.PasswordFile != "" {
		p, err := channel.ReadSecret(r.PasswordFile)
		if err != nil {
			return opts, fmt.Errorf("redis.password_file: %w", err)
		}
		opts.Password = p.Reveal()
	}
	if r.TLS {
		opts.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return opts, nil
}
