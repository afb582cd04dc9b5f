package config

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/vacancywatch/vacancywatch/alerts/bounce"
	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// Bounces takes in what comes back of our mails: delivery reports and
// complaints. With it each mail gets an envelope sender of its own at Domain,
// and an address that is dead, or whose reader complains, gets no more mail.
type Bounces struct {
	// Domain is that of the envelope senders: bounces.example.org. Its MX, or
	// a transport of the relay, must bring the mail for it to Listen.
	Domain string `yaml:"domain"`
	// SecretFile holds 16 characters or more at random. With them the envelope
	// senders are made, so that nobody else can make one; with others, bounces
	// of what was sent before change nothing. Or give the environment variable
	// VACANCYWATCH_BOUNCES_SECRET.
	SecretFile string `yaml:"secret_file"`
	// Listen is where SMTP is spoken, without login and TLS, for the relay that
	// brings the bounces. Defaults to 127.0.0.1:2526.
	Listen string `yaml:"listen"`
	// LMTP speaks LMTP there instead.
	LMTP bool `yaml:"lmtp"`
}

// bouncesSecret is the environment variable in place of secret_file.
const bouncesSecret = "VACANCYWATCH_BOUNCES_SECRET"

func (c *Config) checkBounces(f *faults) {
	b := c.Bounces
	if b == nil {
		return
	}
	if b.Listen == "" {
		b.Listen = "127.0.0.1:2526"
	}
	b.SecretFile = c.path(b.SecretFile)
	if _, _, err := net.SplitHostPort(b.Listen); err != nil {
		f.add("bounces.listen", "%q is not an address such as 127.0.0.1:2526", b.Listen)
	}
	if _, err := b.Signer(); err != nil {
		f.add("bounces", "%v", err)
	}
	for i := range c.Channels {
		if e := c.Channels[i].Email; e != nil && e.BounceTo != "" {
			f.add(fmt.Sprintf("channels[%d] (%s)", i, c.Channels[i].Name), "bounce_to and the section bounces exclude each other: bounces go to one place")
		}
	}
}

// Signer makes the envelope senders.
func (b *Bounces) Signer() (*bounce.Signer, error) {
	secret := channel.NewSecret(os.Getenv(bouncesSecret))
	switch {
	case !secret.IsZero() && b.SecretFile != "":
		return nil, fmt.Errorf("secret is given twice: give secret_file or %s, not both", bouncesSecret)
	case secret.IsZero() && b.SecretFile == "":
		return nil, errors.New("secret_file is missing: it holds 16 characters or more at random, with which envelope senders are made")
	case secret.IsZero():
		var err error
		if secret, err = channel.ReadSecret(b.SecretFile); err != nil {
			return nil, err
		}
	}
	return bounce.NewSigner(b.Domain, secret)
}
