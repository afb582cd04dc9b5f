package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
	"github.com/vacancywatch/vacancywatch/crawler"
	"github.com/vacancywatch/vacancywatch/crawler/polite"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

// An Error lists everything that is wrong with a configuration.
type Error struct {
	File   string
	Faults []string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s", e.File, strings.Join(e.Faults, "\n"+e.File+": "))
}

// Load reads and checks a configuration file. The error of a bad one is an
// *Error that names every fault; the result is then not to be used.
func Load(file string) (*Config, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, &Error{file, []string{"cannot be read: " + pathless(err)}}
	}
	c, err := Parse(b, filepath.Dir(file))
	var faults *Error
	if errors.As(err, &faults) {
		faults.File = file
	}
	return c, err
}

// pathless is an error without the file's name, which the message begins with.
func pathless(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// Parse reads and checks a configuration; relative paths start at dir.
func Parse(b []byte, dir string) (*Config, error) {
	var c Config
	dec := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	if err := dec.Decode(&c); err != nil && err != io.EOF {
		return nil, &Error{"configuration", []string{yamlFault(err)}}
	}
	if err := dec.Decode(new(any)); err != io.EOF {
		return nil, &Error{"configuration", []string{"there is a second document after ---: it would be ignored, so put everything into one"}}
	}
	c.dir = dir
	c.defaults()
	if faults := c.check(); len(faults) > 0 {
		return nil, &Error{"configuration", faults}
	}
	return &c, nil
}

// yamlFault is an error of the YAML reader without the lines of the file that
// it would print around the fault: a neighbouring line may be anything.
func yamlFault(err error) string {
	return strings.TrimSpace(yaml.FormatError(err, false, false))
}

var (
	nameRE   = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
	nameRule = "use 1 to 40 lower-case letters, digits, - and _"
)

// faults gathers what is wrong.
type faults []string

func (f *faults) add(where, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	for line := range strings.SplitSeq(msg, "\n") { // joined errors, one fault a line
		*f = append(*f, where+": "+line)
	}
}

func (c *Config) check() faults {
	var f faults
	c.Data = c.path(c.Data)
	c.checkRedis(&f)
	c.checkListen(&f)
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		f.add("log.level", "%q is unknown: use debug, info, warn or error", c.Log.Level)
	}
	if !slices.Contains([]string{"text", "json"}, c.Log.Format) {
		f.add("log.format", "%q is unknown: use text or json", c.Log.Format)
	}
	c.checkContact(&f)
	names := map[string]bool{}
	for i := range c.Sources {
		c.Sources[i].check(c, fmt.Sprintf("sources[%d]", i), &f)
		if n := c.Sources[i].Name; names[n] {
			f.add(fmt.Sprintf("sources[%d]", i), "the name %q is used twice: vacancies are remembered under it, so give each source a name of its own, also where two crawl one site", n)
		} else {
			names[n] = true
		}
	}
	kinds := c.checkChannels(&f)
	c.checkBounces(&f)
	c.checkSubscribe(kinds, &f)
	ids := map[string]bool{}
	for i := range c.Searches {
		s := &c.Searches[i]
		where := fmt.Sprintf("searches[%d] (%s)", i, s.ID)
		if s.ID != "" && ids[s.ID] {
			f.add(where, "the id is used twice")
		}
		ids[s.ID] = true
		if _, err := s.search(kinds, gazetteer.Default()); err != nil {
			f.add(where, "%v", err)
		}
	}
	return f
}

func (c *Config) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

func (c *Config) checkContact(f *faults) {
	if c.Contact.Page != "" {
		if u, err := url.Parse(c.Contact.Page); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			f.add("contact.page", "is not the address of a page: give one such as https://example.org/vacancywatch")
		}
	}
	if c.Contact.Mail != "" {
		if a, err := mail.ParseAddress(c.Contact.Mail); err != nil || a.Address != c.Contact.Mail {
			f.add("contact.mail", "is not a mail address")
		}
	}
}

func (c *Config) checkListen(f *faults) {
	for _, l := range []struct{ name, addr string }{{"listen.admin", c.Listen.Admin}, {"listen.public", c.Listen.Public}} {
		if l.addr == "off" {
			continue
		}
		if _, _, err := net.SplitHostPort(l.addr); err != nil {
			f.add(l.name, "%q is not an address such as 127.0.0.1:8080, nor off", l.addr)
		}
	}
	if u := c.Listen.PublicURL; u != "" {
		p, err := url.Parse(u)
		switch {
		case err != nil || p.Host == "" || p.Scheme != "https" && p.Scheme != "http":
			f.add("listen.public_url", "is not an address such as https://alerts.example.org")
		case p.Scheme == "http" && !polite.IsLoopback(p.Hostname()):
			f.add("listen.public_url", "must be https: one-click unsubscribing asks for it")
		}
		c.Listen.PublicURL = strings.TrimRight(u, "/")
	}
}

func (s *Source) check(c *Config, where string, f *faults) {
	if s.Site == "" {
		s.Site = "nhs-jobs"
	}
	site, ok := crawler.SiteByName(s.Site)
	if !ok {
		f.add(where, "site %q is unknown: use %s", s.Site, siteWords())
		return
	}
	s.defaults(site.DefaultBase)
	where = fmt.Sprintf("%s (%s)", where, s.Name)
	if site.Experimental && !s.Experimental {
		f.add(where, "site %q is experimental: its reader was written from what others tell of the site and never compared with its real pages, so vacancies may be missed or misread; to crawl it all the same, say experimental: true", s.Site)
	}
	if !nameRE.MatchString(s.Name) {
		f.add(where, "name %q: %s", s.Name, nameRule)
	}
	u, err := url.Parse(s.Base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Path != "" && u.Path != "/" {
		f.add(where, "base %q is not a scheme and a host such as https://www.jobs.nhs.uk", s.Base)
		return
	}
	s.Base = strings.TrimRight(s.Base, "/")
	local := polite.IsLoopback(u.Hostname())
	if !local && (c.Contact.Page == "" || c.Contact.Mail == "") {
		f.add("contact", "page and mail are missing: a site that is not on this machine (%s) is only crawled by somebody whom it can reach", u.Host)
	}
	least := time.Minute
	if local {
		least = time.Second
	}
	if s.PollMin < least || s.PollMax < s.PollMin || s.PollMax > 24*time.Hour {
		f.add(where, "poll_min %s, poll_max %s: give %s or more, and poll_max not under poll_min", s.PollMin, s.PollMax, least)
	}
	if least = time.Second; local {
		least = time.Millisecond
	}
	if s.Spacing < least || s.Spacing > time.Minute {
		f.add(where, "spacing %s: give %s to 1m", s.Spacing, least)
	}
	if s.PollsPerDay < 1 || s.PollsPerDay > 1440 && !local {
		f.add(where, "polls_per_day %d: give 1 to 1440", s.PollsPerDay)
	}
	if s.SweepHour < 1 || s.SweepHour > 22 {
		f.add(where, "sweep_hour %d: give an hour from 1 to 22, away from midnight", s.SweepHour)
	}
	if most := 20000; s.RequestsPerDay < 1 || s.RequestsPerDay > most && !local {
		f.add(where, "requests_per_day %d: give 1 to %d", s.RequestsPerDay, most)
	}
	if s.FirstRun != "baseline" && s.FirstRun != "announce" {
		f.add(where, "first_run %q is unknown: use baseline or announce", s.FirstRun)
	}
}

// siteWords names the sites that can be read.
func siteWords() string {
	names := crawler.SiteNames()
	for i, n := range names {
		if site, _ := crawler.SiteByName(n); site.Experimental {
			names[i] += " (experimental)"
		}
	}
	return strings.Join(names, " or ")
}

func (c *Config) checkRedis(f *faults) {
	r := c.Redis
	env := os.Getenv("VACANCYWATCH_REDIS_URL")
	if r == nil {
		if env == "" {
			return
		}
		r = &Redis{}
		c.Redis = r
	}
	r.URLFile, r.PasswordFile = c.path(r.URLFile), c.path(r.PasswordFile)
	given := 0
	for _, set := range []bool{r.URL != "", r.URLFile != "", len(r.Sentinel) > 0, len(r.Cluster) > 0, env != ""} {
		if set {
			given++
		}
	}
	if given != 1 {
		f.add("redis", "give exactly one of url, url_file, sentinel, cluster, or VACANCYWATCH_REDIS_URL; %d are given", given)
	}
	if u, err := url.Parse(r.URL); err != nil || r.URL != "" && u.Scheme != "redis" && u.Scheme != "rediss" {
		f.add("redis.url", "is not an address such as redis://127.0.0.1:6379/0")
	} else if _, has := u.User.Password(); has {
		f.add("redis.url", "holds a password: put the whole address into a file and name it in url_file")
	}
	if (len(r.Sentinel) > 0) != (r.Master != "") {
		f.add("redis", "sentinel and master belong together: give both or neither")
	}
}

// checkChannels returns the kind of each channel by its name.
func (c *Config) checkChannels(f *faults) map[string]string {
	kinds := map[string]string{}
	for i := range c.Channels {
		ch := &c.Channels[i]
		where := fmt.Sprintf("channels[%d] (%s)", i, ch.Name)
		if !nameRE.MatchString(ch.Name) {
			f.add(where, "name %q: %s", ch.Name, nameRule)
		}
		if kinds[ch.Name] != "" {
			f.add(where, "the name is used twice")
		}
		if ch.Rate != 0 && (ch.Rate < 0.01 || ch.Rate > 1000) {
			f.add(where, "rate %v: give 0.01 to 1000 messages a second, or leave it out", ch.Rate)
		}
		made, err := ch.New(c)
		if err != nil {
			f.add(where, "%v", err)
		}
		switch {
		case made != nil:
			kinds[ch.Name] = made.Kind()
		default:
			kinds[ch.Name] = ch.kind()
		}
	}
	return kinds
}

// New makes the channel. It calls nobody.
func (ch *Channel) New(c *Config) (channel.Channel, error) {
	switch {
	case len(ch.given()) != 1:
		return nil, errors.New("give exactly one of " + kindWords())
	case ch.Email != nil:
		cfg := *ch.Email
		cfg.PasswordFile, cfg.CAFile = c.path(cfg.PasswordFile), c.path(cfg.CAFile)
		cfg.Password = secretFromEnv("PASSWORD", ch.Name)
		if cfg.DKIM != nil {
			signed := *cfg.DKIM
			signed.KeyFile = c.path(signed.KeyFile)
			cfg.DKIM = &signed
		}
		return nilOnError(channel.NewEmail(cfg))
	case ch.Webhook == nil:
		return ch.chat(c)
	default:
		cfg := *ch.Webhook
		cfg.SecretFile, cfg.OldSecretFile = c.path(cfg.SecretFile), c.path(cfg.OldSecretFile)
		cfg.Secret = secretFromEnv("SECRET", ch.Name)
		return nilOnError(channel.NewWebhook(cfg))
	}
}

// nilOnError keeps a nil pointer from becoming an interface that is not nil.
func nilOnError[C channel.Channel](c C, err error) (channel.Channel, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}

// secretFromEnv is VACANCYWATCH_PASSWORD_WARD for the channel "ward".
func secretFromEnv(what, name string) channel.Secret {
	return channel.NewSecret(os.Getenv("VACANCYWATCH_" + what + "_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))))
}

// VacancySearches returns the searches of the file, prepared. Their places are
// looked up in g, the built-in gazetteer or one with imported postcodes.
func (c *Config) VacancySearches(g *gazetteer.Gazetteer) []vacancy.Search {
	kinds := map[string]string{}
	for _, ch := range c.Channels {
		kinds[ch.Name] = ch.kind()
	}
	out := make([]vacancy.Search, 0, len(c.Searches))
	for i := range c.Searches {
		s, err := c.Searches[i].search(kinds, g)
		if err != nil {
			continue // Unreachable: check has refused the file.
		}
		out = append(out, s)
	}
	return out
}
