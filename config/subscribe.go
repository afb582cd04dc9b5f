package config

import (
	"net/netip"
	"strings"
)

// SubscribeConfig lets people save searches themselves. They give an address on
// the page, confirm it by a link in a mail, and see to their searches by a link
// in every mail.
type SubscribeConfig struct {
	// Channel is the name of the mail channel that tells them. It is part of the
	// identity of a message: another one tells again what waits to be told.
	Channel string `yaml:"channel"`
	// Proxies are the addresses or networks of the reverse proxies in front of
	// listen.public: 127.0.0.1, 10.0.0.0/8. Their X-Forwarded-For says whose
	// network counts towards the limits of sign-ups. Without them all who come
	// through a proxy share one limit of 5 an hour.
	Proxies []string `yaml:"proxies"`
}

func (c *Config) checkSubscribe(kinds map[string]string, f *faults) {
	s := c.Subscribe
	if s == nil {
		return
	}
	switch kind, ok := kinds[s.Channel]; {
	case s.Channel == "":
		f.add("subscribe.channel", "is missing: give the name of a mail channel")
	case !ok:
		f.add("subscribe.channel", "there is no channel %q", s.Channel)
	case kind != "email":
		f.add("subscribe.channel", "%q is of kind %s: people confirm by mail, so give a mail channel", s.Channel, kind)
	}
	if c.Listen.PublicURL == "" {
		f.add("subscribe", "listen.public_url is missing: the mails that ask people to confirm link to it")
	}
	if c.Listen.Public == "off" {
		f.add("subscribe", "listen.public is off: people subscribe on its pages")
	}
	for _, p := range s.Proxies {
		if _, err := proxy(p); err != nil {
			f.add("subscribe.proxies", "%q is neither an address nor a network such as 10.0.0.0/8", p)
		}
	}
}

// Prefixes returns the networks of the proxies.
func (s *SubscribeConfig) Prefixes() []netip.Prefix {
	var out []netip.Prefix
	for _, p := range s.Proxies {
		if net, err := proxy(p); err == nil {
			out = append(out, net)
		}
	}
	return out
}

func proxy(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Unmap().Prefix(a.Unmap().BitLen())
}
