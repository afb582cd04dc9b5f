package channel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/message"
)

// EmailConfig is the relay that takes our mail, and the name we send under.
type EmailConfig struct {
	// Host is the relay's name, which its certificate must carry.
	Host string `yaml:"host" json:"host"`
	// Port is 587 by default. Port 465 speaks TLS from the first byte.
	Port int `yaml:"port" json:"port,omitempty"`
	// From is the sender: "Vacancy alerts <alerts@example.org>". Its domain
	// becomes that of Message-ID and List-Id.
	From string `yaml:"from" json:"from"`
	// BounceTo receives bounces, as b@example.org, in a mailbox that a person
	// reads; each message has its own envelope sender, b+<token>@example.org,
	// so that a bounce tells which message it is about. By default bounces go
	// to From. To have them read by the program, see ReturnTo.
	BounceTo string `yaml:"bounce_to" json:"bounce_to,omitempty"`
	// Username and PasswordFile are the login; without a username there is
	// none. The password is sent over TLS only, or to this machine.
	Username     string `yaml:"username" json:"username,omitempty"`
	PasswordFile string `yaml:"password_file" json:"password_file,omitempty"`
	// TLS is "mandatory" (the default), "opportunistic" (without TLS where the
	// relay offers none: anybody on the way can take the mail, so warn), or
	// "none", which is allowed for a relay on this machine only.
	TLS string `yaml:"tls" json:"tls,omitempty"`
	// CAFile holds the certificates (PEM) that sign the relay's, for a relay
	// with a private authority. By default the system's are trusted.
	CAFile string `yaml:"ca_file" json:"ca_file,omitempty"`
	// HelloName is the name we give the relay; by default that of the machine.
	HelloName string `yaml:"hello_name" json:"hello_name,omitempty"`
	// DKIM signs each mail. Most relays do that themselves, so it is off by
	// default.
	DKIM *DKIMConfig `yaml:"dkim" json:"dkim,omitempty"`

	// Password is the password itself, for callers that do not keep it in a
	// file.
	Password Secret `yaml:"-" json:"-"`
}

// Values of EmailConfig.TLS.
const (
	TLSMandatory     = "mandatory"
	TLSOpportunistic = "opportunistic"
	TLSNone          = "none"
)

// emailLimit bounds an attempt, the wait for the connection included.
const emailLimit = 60 * time.Second

// emailDelays are the waits after the first, second, … failed attempt. The
// last one repeats to the end of the second day, later than any mail expires.
var emailDelays = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour}

const emailTries = 13

// An Email is the channel to people, through one relay. It keeps at most one
// connection and sends one mail at a time, for a relay counts both.
type Email struct {
	relay  string        // host:port
	from   *mail.Address // behind a pointer, as a Secret is
	sender func(id string) string
	opener opener // holds the login inside functions, which print as nothing
	signer *dkimSigner
	// returns is told of what comes back; nil where nobody is.
	returns Returns

	turn chan struct{} // holds the right to use conn
	conn *relayConn
	keep time.Duration // how long conn may be idle

	mu   sync.Mutex
	idle *time.Timer // closes conn when nothing was sent for a while
}

var _ Channel = (*Email)(nil)

// NewEmail checks cfg and reads its files. It calls nobody.
func NewEmail(cfg EmailConfig) (*Email, error) {
	fail := func(err error) (*Email, error) { return nil, fmt.Errorf("email: %w", err) }
	if cfg.Host == "" || strings.ContainsAny(cfg.Host, " /:@\r\n") && !isIP(cfg.Host) {
		return fail(errors.New("host is not the name of a relay: give one such as smtp.example.org"))
	}
	if cfg.Port == 0 {
		cfg.Port = 587
	}
	if cfg.Port < 1 || cfg.Port > 65535 {
		return fail(fmt.Errorf("port %d: give one from 1 to 65535", cfg.Port))
	}
	switch cfg.TLS {
	case "":
		cfg.TLS = TLSMandatory
	case TLSMandatory, TLSOpportunistic:
	case TLSNone:
		if !loopback(cfg.Host) {
			return fail(errors.New("tls: none is for a relay on this machine (localhost, 127.0.0.1): use mandatory"))
		}
	default:
		return fail(fmt.Errorf("tls %q is unknown: use %s, %s or %s", cfg.TLS, TLSMandatory, TLSOpportunistic, TLSNone))
	}
	from, err := mail.ParseAddress(cfg.From)
	if err != nil || !sendable(from.Address) {
		return fail(errors.New("from is not a sender: give one such as Vacancy alerts <alerts@example.org>"))
	}
	if n := strings.ToLower(strings.TrimSpace(from.Name)); n == "nhs" || n == "nhs jobs" || n == "nhsjobs" {
		return fail(errors.New("from: the sender's name must not be that of the NHS, whose service this is not"))
	}
	if cfg.BounceTo != "" && !sendable(cfg.BounceTo) {
		return fail(errors.New("bounce_to is not a mail address: give one such as b@example.org"))
	}
	if cfg.Password, err = Pick("password", cfg.Password, cfg.PasswordFile); err != nil {
		return fail(err)
	}
	if (cfg.Username == "") != cfg.Password.IsZero() {
		return fail(errors.New("username and password_file belong together: give both or neither"))
	}
	e := &Email{
		relay: net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)), from: from, sender: envelope(from.Address, cfg.BounceTo),
		turn: make(chan struct{}, 1), keep: keepIdle,
	}
	if e.opener, err = newOpener(cfg); err != nil {
		return fail(err)
	}
	if cfg.DKIM != nil {
		if e.signer, err = newDKIMSigner(*cfg.DKIM, from.Address); err != nil {
			return fail(fmt.Errorf("dkim: %w", err))
		}
	}
	return e, nil
}

// A Returns has to do with mails that come back.
type Returns interface {
	// Sender is the envelope sender of a mail to an address, to which its
	// bounces come; "" leaves it to the channel.
	Sender(to string, at time.Time) string
	// Rejected is told that the relay refused a mail because of its address.
	Rejected(ctx context.Context, to string, at time.Time)
}

// ReturnTo has r give the envelope senders and hear of refused addresses. It
// must be called before the first mail is sent.
func (e *Email) ReturnTo(r Returns) { e.returns = r }

// Format prints the relay's name for every verb, and nothing of the login.
func (e *Email) Format(f fmt.State, _ rune) { fmt.Fprint(f, "email ", e.Destination("")) }

// Kind is "email".
func (e *Email) Kind() string { return "email" }

// Destination is the relay: it fails for everybody together.
func (e *Email) Destination(string) string { return "relay-" + e.relay }

// Limit is a minute.
func (e *Email) Limit() time.Duration { return emailLimit }

// Delay is 1 m, 5 m, 15 m, 1 h, 3 h, 6 h, then 6 h again to the end of the
// second day.
func (e *Email) Delay(n int) (time.Duration, bool) {
	if n < 1 || n >= emailTries {
		return 0, false
	}
	return emailDelays[min(n, len(emailDelays))-1], true
}

// Send hands the stored mail to the relay, once:
//
//	accepted                            done
//	4xx                                 retry
//	421 to MAIL                         reconnect at once; again: release
//	5xx to MAIL                         release: it is about us, not the mail
//	550 to 553 to RCPT                  bury: the address
//	another 5xx to RCPT, 5xx to DATA    bury: the content
//	5xx with 5.7.x to either            bury: our policy standing
//	no or wrong login                   release
//	not reached, TLS, cut before DATA   release: the relay's fault
//	cut after DATA                      unknown: it may have arrived
func (e *Email) Send(ctx context.Context, m Message) Result {
	ctx, cancel := context.WithTimeout(ctx, emailLimit)
	defer cancel()
	if !sendable(m.To) {
		return Result{Outcome: Bury, Reason: ReasonRender, Detail: "the address cannot be written in a mail"}
	}
	if len(bytes.TrimSpace(m.Body)) == 0 {
		return Result{Outcome: Bury, Reason: ReasonRender, Detail: "the mail is empty"}
	}
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return fault(ctx, stageConnect, ctx.Err())
	}
	// A kept connection may have died, and a relay may have had enough of it.
	// Neither is the mail's fault, so a new connection is tried at once; but
	// only one, or we would run in circles.
	for first := true; ; first = false {
		if err := e.connect(ctx); err != nil {
			return fault(ctx, stageConnect, err)
		}
		r, stale := e.transact(ctx, m)
		if e.returns != nil && r.Outcome == Bury && r.Reason == ReasonRejected {
			// Now, for the settling of the message forgets its address.
			e.returns.Rejected(context.WithoutCancel(ctx), m.To, m.At)
		}
		if !stale || !first || ctx.Err() != nil {
			return r
		}
	}
}

// Close ends the kept connection, after the mail that is being sent.
func (e *Email) Close() error {
	e.turn <- struct{}{}
	defer func() { <-e.turn }()
	e.stopIdle()
	e.quit()
	return nil
}

// envelope returns the envelope sender of a message.
func (e *Email) envelope(m Message) string {
	if e.returns != nil {
		if s := e.returns.Sender(m.To, m.At); s != "" {
			return s
		}
	}
	return e.sender(m.ID)
}

// envelope returns the envelope sender for the ID of a message.
func envelope(from, bounce string) func(id string) string {
	local, domain, ok := strings.Cut(bounce, "@")
	if !ok {
		return func(string) string { return from }
	}
	return func(id string) string { return local + "+" + Token(id) + "@" + domain }
}

// sendable reports whether a is a plain address that can stand in an envelope
// and a header as it is: ASCII, no quoted local part (nobody needs one, and
// some have carried commands into SMTP), no name, one @.
func sendable(a string) bool {
	if len(a) < 3 || len(a) > 254 {
		return false
	}
	for _, c := range []byte(a) {
		if c <= ' ' || c > '~' || strings.IndexByte("\"<>()[],;:\\", c) >= 0 {
			return false
		}
	}
	p, err := mail.ParseAddress(a)
	return err == nil && p.Address == a && strings.Count(a, "@") == 1
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// Render makes the whole mail, and signs it where that is configured. Its bytes
// are to be stored: another render of the same alert has other boundaries.
func (e *Email) Render(a message.Alert, to string) ([]byte, error) {
	body, err := compose(e.from, a, to)
	if err != nil || e.signer == nil {
		return body, err
	}
	return e.signer.sign(body)
}
