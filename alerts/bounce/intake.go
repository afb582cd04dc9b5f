package bounce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/netutil"
)

// Limits of the intake. A relay that delivers bounces needs none of this much.
const (
	maxMail       = 1 << 20 // bytes
	maxConns      = 20      // at a time; more wait
	maxRecipients = 10
	maxLine       = 2000
	// idleTime bounds the wait for a command, and the whole of a mail.
	idleTime = 30 * time.Second
	// connTime bounds a connection, whatever it does.
	connTime = 5 * time.Minute
	// drainTime is how long a connection may go on after the end.
	drainTime = 5 * time.Second
)

// An Intake is a small SMTP or LMTP server that takes nothing but reports for
// recipients that the Desk's Signer made. It has no login and no TLS: it is for
// a relay on the same machine or network, and whoever else reaches it has no
// token that counts.
type Intake struct {
	Desk *Desk
	LMTP bool
	Now  func() time.Time
}

// Serve takes in reports until ctx ends.
func (i *Intake) Serve(ctx context.Context, l net.Listener) error {
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{intake: i, ctx: context.WithoutCancel(ctx)}, nil
	}))
	srv.Domain, srv.LMTP = i.Desk.Signer.Domain(), i.LMTP
	srv.MaxMessageBytes, srv.MaxRecipients, srv.MaxLineLength = maxMail, maxRecipients, maxLine
	srv.ReadTimeout, srv.WriteTimeout = idleTime, idleTime
	srv.ErrorLog = slog.NewLogLogger(i.Desk.Logger.With("server", "bounces").Handler(), slog.LevelWarn)
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		if srv.Shutdown(end) != nil {
			srv.Close()
		}
	})
	err := srv.Serve(shortLived{netutil.LimitListener(l, maxConns)})
	if stop() {
		return fmt.Errorf("take in bounces: %w", err)
	}
	<-ended
	return nil
}

// shortLived ends connections that last too long.
type shortLived struct{ net.Listener }

func (s shortLived) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &shortConn{Conn: c, timer: time.AfterFunc(connTime, func() { c.Close() })}, nil
}

type shortConn struct {
	net.Conn
	timer *time.Timer
}

func (c *shortConn) Close() error {
	c.timer.Stop()
	return c.Conn.Close()
}

// A session is one connection of a relay.
type session struct {
	intake *Intake
	ctx    context.Context
	rcpts  []Recipient
}

// Mail takes any sender: bounces have none, complaints may have one.
func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt takes recipients that we made, and tells nothing of others.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	d := s.intake.Desk
	rcpt, err := d.Signer.Parse(to, s.intake.Now())
	if err != nil {
		reason := refusedForeign
		if errors.Is(err, ErrExpired) {
			reason = refusedExpired
		}
		d.Metrics.refused.WithLabelValues(reason).Inc()
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such recipient here"}
	}
	s.rcpts = append(s.rcpts, rcpt)
	return nil
}

// Data reads a report and has it counted. It is taken over once it is: after a
// failure the relay tries again.
func (s *session) Data(r io.Reader) error {
	d, rcpts := s.intake.Desk, s.rcpts
	raw, err := io.ReadAll(r)
	if err != nil {
		if errors.Is(err, smtp.ErrDataTooLarge) {
			d.Metrics.refused.WithLabelValues(refusedSize).Inc()
		}
		return err
	}
	report, err := Read(raw)
	if err != nil {
		d.Logger.Info("a mail that came back is no report", "reason", err.Error())
	}
	for _, rcpt := range rcpts {
		if err := d.Take(s.ctx, rcpt, report, s.intake.Now()); err != nil {
			d.Logger.Warn("a report could not be taken, its relay will try again", "err", err)
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Try again later"}
		}
	}
	return nil
}

func (s *session) Reset()        { s.rcpts = nil }
func (s *session) Logout() error { return nil }
