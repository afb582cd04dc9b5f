package channel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

const (
	// mailsPerConn is where Exim stops to deliver at once.
	mailsPerConn = 10
	// keepIdle is less than the half minute after which relays hang up.
	keepIdle = 25 * time.Second
	// dialTimeout bounds each of dialling and greeting.
	dialTimeout = 15 * time.Second
	// goodbye bounds RSET and QUIT: the mail's fate is known by then.
	goodbye = 2 * time.Second
)

// An opener makes connections to one relay.
type opener struct {
	host     string
	options  []mail.Option
	tls      *tls.Config
	implicit bool // TLS from the first byte
}

func newOpener(cfg EmailConfig) (opener, error) {
	o := opener{
		host: cfg.Host,
		tls:  &tls.Config{ServerName: cfg.Host, MinVersion: tls.VersionTLS12},
		// On port 465 there is no STARTTLS; the dial speaks TLS itself.
		implicit: cfg.Port == 465 && cfg.TLS != TLSNone,
	}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return opener{}, fmt.Errorf("read ca_file: %w", err)
		}
		o.tls.RootCAs = x509.NewCertPool()
		if !o.tls.RootCAs.AppendCertsFromPEM(pem) {
			return opener{}, fmt.Errorf("read ca_file: %s holds no certificate in PEM", cfg.CAFile)
		}
	}
	policy := mail.TLSMandatory
	switch {
	case cfg.TLS == TLSNone || o.implicit:
		policy = mail.NoTLS
	case cfg.TLS == TLSOpportunistic:
		policy = mail.TLSOpportunistic
	}
	o.options = []mail.Option{
		mail.WithPort(cfg.Port), mail.WithTLSPolicy(policy), mail.WithTLSConfig(o.tls),
		mail.WithTimeout(dialTimeout), mail.WithoutNoop(), mail.WithoutSMTPUTF8(),
	}
	if cfg.HelloName != "" {
		o.options = append(o.options, mail.WithHELO(cfg.HelloName))
	}
	if cfg.Username != "" {
		// PLAIN and LOGIN refuse to run without TLS; others are found by the
		// library where a relay has neither.
		o.options = append(o.options, mail.WithUsername(cfg.Username), mail.WithPassword(cfg.Password.Reveal()),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthPlain, mail.SMTPAuthLogin))
	}
	// The options are tried here, so that a fault shows at the start.
	if _, err := mail.NewClient(o.host, o.options...); err != nil {
		return opener{}, fmt.Errorf("set up the relay: %w", err)
	}
	return o, nil
}

// relayConn is a connection that has greeted and logged in.
type relayConn struct {
	*smtp.Client
	raw  net.Conn // below TLS: closing it ends any wait at once
	sent int
	used time.Time
}

// open dials, greets, starts TLS and logs in. The library heeds ctx in the
// dial only, and forgets to close what it has dialled when a later step fails.
func (o *opener) open(ctx context.Context) (*relayConn, error) {
	var raw net.Conn
	stop := func() bool { return true }
	dial := func(dctx context.Context, network, address string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(dctx, network, address)
		if err != nil {
			return nil, err
		}
		raw = c
		stop = context.AfterFunc(ctx, func() { c.Close() })
		if !o.implicit {
			return c, nil
		}
		t := tls.Client(c, o.tls)
		return t, t.HandshakeContext(dctx)
	}
	c, err := mail.NewClient(o.host, append(o.options[:len(o.options):len(o.options)], mail.WithDialContextFunc(dial))...)
	if err != nil {
		return nil, fmt.Errorf("set up the relay: %w", err)
	}
	sc, err := c.DialToSMTPClientWithContext(ctx)
	stop()
	if err != nil {
		if raw != nil {
			raw.Close()
		}
		return nil, err
	}
	return &relayConn{Client: sc, raw: raw, used: time.Now()}, nil
}

// connect makes sure that e.conn can take a mail. The caller has the turn.
func (e *Email) connect(ctx context.Context) error {
	e.stopIdle()
	if c := e.conn; c != nil && (c.sent >= mailsPerConn || time.Since(c.used) >= e.keep) {
		e.quit()
	}
	if e.conn != nil {
		return nil
	}
	c, err := e.opener.open(ctx)
	if err != nil {
		return err
	}
	e.conn = c
	return nil
}

// transact sends one mail over e.conn. It reports stale if nothing was sent
// because the connection, not the mail, was refused: try a new one.
func (e *Email) transact(ctx context.Context, m Message) (r Result, stale bool) {
	c := e.conn
	fresh := c.sent == 0
	stop := context.AfterFunc(ctx, func() { c.raw.Close() })
	defer func() {
		switch {
		case !stop() || e.conn == nil:
			e.drop()
		default:
			c.used = time.Now()
			e.startIdle()
		}
	}()
	// A command or an answer takes all of what is left at most; ctx ends
	// sooner than that by closing the connection.
	if err := c.UpdateDeadline(emailLimit); err != nil {
		e.drop()
		return fault(ctx, stageMail, err), true
	}
	c.sent++ // refused transactions count: relays count them too
	if err := c.Mail("<" + e.envelope(m) + ">"); err != nil {
		code, _ := reply(err)
		e.recover(code)
		return fault(ctx, stageMail, err), code == 421 || code == 0 && !fresh
	}
	if err := c.Rcpt("<" + m.To + ">"); err != nil {
		code, _ := reply(err)
		e.recover(code)
		return fault(ctx, stageRcpt, err), false
	}
	w, err := c.Data()
	if err != nil {
		code, _ := reply(err)
		e.recover(code)
		return fault(ctx, stageData, err), false
	}
	if _, err := w.Write(m.Body); err != nil {
		e.drop()
		return fault(ctx, stageDot, err), false
	}
	if err := w.Close(); err != nil {
		code, _ := reply(err)
		e.recover(code)
		return fault(ctx, stageDot, err), false
	}
	// Nothing that happens now, a cut or a refused RSET, makes it undelivered.
	return Result{Outcome: Done, Detail: "accepted"}, false
}

// recover makes the connection ready for the next mail after a refusal, or
// gives it up. The caller's result is fixed already.
func (e *Email) recover(code int) {
	if code == 0 || code == 421 || e.conn.UpdateDeadline(goodbye) != nil || e.conn.Reset() != nil {
		e.drop()
	}
}

// drop closes the connection without a word.
func (e *Email) drop() {
	if e.conn != nil {
		e.conn.raw.Close()
		e.conn = nil
	}
}

// quit says goodbye and closes the connection.
func (e *Email) quit() {
	if e.conn == nil {
		return
	}
	if e.conn.UpdateDeadline(goodbye) == nil {
		_ = e.conn.Quit() // the relay's opinion of our leaving does not matter
	}
	e.drop()
}

func (e *Email) startIdle() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle = time.AfterFunc(e.keep, func() {
		select {
		case e.turn <- struct{}{}:
			defer func() { <-e.turn }()
		default:
			return // in use again
		}
		if e.conn != nil && time.Since(e.conn.used) >= e.keep {
			e.quit()
		}
	})
}

func (e *Email) stopIdle() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.idle != nil {
		e.idle.Stop()
	}
}

// A stage is where an attempt failed.
type stage string

const (
	stageConnect stage = "connect"
	stageMail    stage = "MAIL"
	stageRcpt    stage = "RCPT"
	stageData    stage = "DATA"
	stageDot     stage = "end of DATA" // the mail, or part of it, was sent
)

var enhancedRE = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// reply returns the code of an answer and its enhanced code, 0 and "" where
// there was no answer. The library's own enhanced code is empty when a relay
// does not announce them, which Exim does not.
func reply(err error) (code int, enhanced string) {
	var te *textproto.Error
	if !errors.As(err, &te) {
		return 0, ""
	}
	return te.Code, enhancedRE.FindString(te.Msg)
}

// fault classes a failed attempt by stage and code alone: libraries call a
// cut permanent and a timeout temporary. The answer's words may hold the
// address and stay out of the result.
func fault(ctx context.Context, at stage, err error) Result {
	code, enhanced := reply(err)
	if code < 200 || code > 599 {
		return lost(ctx, at, err)
	}
	r := Result{Outcome: Retry, Detail: strings.TrimSpace(fmt.Sprintf("%s: %d %s", at, code, enhanced))}
	// Exim says "550 relay not permitted", without 5.7.1, of every address
	// where it is not to relay for us.
	policy := strings.HasPrefix(enhanced, "5.7.") || at == stageRcpt && enhanced == "" && refusesToRelay(err)
	switch {
	case at == stageDot && code < 300:
		// An unusual word of agreement is one all the same.
		r.Outcome = Done
	case code == 530 || code == 534 || code == 535 || code == 538 || at == stageConnect && code == 454:
		r.Outcome, r.Reason = Release, ReasonAuth
	case at == stageConnect && code == 421, at == stageMail && code == 421:
		r.Outcome, r.Reason = Release, ReasonRateLimited
	case at == stageConnect:
		r.Outcome, r.Reason = Release, ReasonServer
	case code == 421:
		r.Reason = ReasonRateLimited
	case code < 500:
		r.Reason = ReasonServer
	case at == stageMail:
		// MAIL names nobody but us: every mail would be refused like this one.
		r.Outcome, r.Reason = Release, ReasonPolicy
	case policy:
		r.Outcome, r.Reason = Bury, ReasonPolicy
	case at == stageRcpt && code >= 550 && code <= 553:
		r.Outcome, r.Reason = Bury, ReasonRejected
	default:
		// Also 554 and the like to RCPT: it says nothing of the address.
		r.Outcome, r.Reason = Bury, ReasonContent
	}
	return r
}

var relayRE = regexp.MustCompile(`(?i)\brelay(ing)? (access|is|not|denied|prohibited)\b`)

// refusesToRelay reports whether the words of an answer are about relaying.
func refusesToRelay(err error) bool {
	var te *textproto.Error
	return errors.As(err, &te) && relayRE.MatchString(te.Msg)
}

// lost classes an attempt that ended without an answer.
func lost(ctx context.Context, at stage, err error) Result {
	r := Result{Outcome: Release, Reason: ReasonNetwork, Detail: string(at) + ": no answer"}
	var ne net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		r.Reason, r.Detail = ReasonStopped, string(at)+": stopped"
	case ctx.Err() != nil || errors.As(err, &ne) && ne.Timeout():
		r.Reason, r.Detail = ReasonTimeout, string(at)+": no answer in time"
	case at == stageConnect && noLogin(err):
		r.Reason, r.Detail = ReasonAuth, "connect: the relay offers no login that we can use"
	}
	if at == stageDot {
		r.Outcome = Unknown
	}
	return r
}

// noLogin tells a relay that offers no usable login from one that is not
// reached. The library has no error to compare with for all of these cases.
func noLogin(err error) bool {
	return errors.Is(err, mail.ErrNoSupportedAuthDiscovered) || errors.Is(err, smtp.ErrUnencrypted) ||
		strings.Contains(err.Error(), "SMTP AUTH")
}
