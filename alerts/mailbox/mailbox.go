// Package mailbox is the far side of an alert on loopback: a mail server that
// keeps what it accepts, an endpoint that checks and keeps webhooks, and pages
// that show both. The demo reads its alerts there; tests ask it what really
// arrived, and make it fail in every way a far side can.
//
// It never sends anything on, listens on loopback only, and forgets the oldest
// mails when it holds too many.
//
// Layout: smtp.go takes mails, hook.go takes webhooks, fault.go makes them go
// wrong, pages.go shows them.
package mailbox

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/vacancywatch/vacancywatch/alerts/channel"
)

// Options say how a mailbox behaves. The zero value is a good one.
type Options struct {
	// SMTPAddr is where mails are taken, on loopback; 127.0.0.1:0 by default.
	SMTPAddr string
	// TLS lets senders use STARTTLS. Without it mails come in the clear.
	TLS *tls.Config
	// Username and Password are demanded before a mail if the name is set.
	Username string
	Password channel.Secret
	// Secrets are the signing secrets of webhooks, by the name in their path.
	Secrets map[string]channel.Secret
	// Journal gets one line of JSON (an Entry) for each accepted message, in
	// one Write, before the sender has its answer. What a sender was told is
	// accepted is in the journal, also after a crash.
	Journal io.Writer
	// Keep is how many mails, and how many webhooks, are kept: 1000 by
	// default. Counts are kept for all of them.
	Keep int
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// A Mail is a message that was accepted, and its parts as a reader sees them.
type Mail struct {
	N         int // counts the mails from 1
	From, To  string
	Subject   string
	MessageID string // without <>
	Text      string
	HTML      string
	Header    []Field // in order, as sent, unfolded
	Raw       []byte
	At        time.Time
}

// A Field is one line of a header.
type Field struct{ Name, Value string }

// A Hook is a webhook that was accepted.
type Hook struct {
	N    int    // counts the webhooks from 1
	Name string // of the endpoint, from the path
	ID   string // webhook-id
	Type string // of the body, "vacancy.new"
	Body []byte
	// Verified reports that the signature is right and not older than five
	// minutes. Without a secret for the name nothing is verified.
	Verified bool
	At       time.Time
}

// An Entry is a line of the journal.
type Entry struct {
	Kind string    `json:"kind"` // mail or hook
	ID   string    `json:"id"`   // Message-ID without <>, or webhook-id
	To   string    `json:"to"`   // address, or name of the endpoint
	At   time.Time `json:"at"`
	// Unanswered is set where a fault keeps the answer from the sender, who
	// cannot know that the message was accepted.
	Unanswered bool `json:"unanswered,omitempty"`
}

// A Mailbox is a far side. It is made by New and works while Run does.
type Mailbox struct {
	opt      Options
	listener net.Listener
	server   *smtp.Server

	mu         sync.Mutex
	mails      []Mail
	hooks      []Hook
	mailNumber int
	hookNumber int
	mailCounts map[string]int
	hookCounts map[string]int
	mailFaults []*MailFault
	hookFaults []*HookFault
}

// New opens the mail server's port, so that SMTPAddr is known; Run serves it.
func New(o Options) (*Mailbox, error) {
	if o.SMTPAddr == "" {
		o.SMTPAddr = "127.0.0.1:0"
	}
	if o.Keep <= 0 {
		o.Keep = 1000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	host, _, err := net.SplitHostPort(o.SMTPAddr)
	if err != nil {
		return nil, fmt.Errorf("open a mailbox: %w", err)
	}
	if a, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !a.IsLoopback()) {
		return nil, fmt.Errorf("open a mailbox: %s is not on loopback", o.SMTPAddr)
	}
	l, err := net.Listen("tcp", o.SMTPAddr)
	if err != nil {
		return nil, fmt.Errorf("open a mailbox: %w", err)
	}
	m := &Mailbox{opt: o, listener: l, mailCounts: map[string]int{}, hookCounts: map[string]int{}}
	s := smtp.NewServer(smtp.BackendFunc(m.newSession))
	s.Domain = "mailbox.localhost"
	s.TLSConfig = o.TLS
	s.AllowInsecureAuth = true
	s.MaxMessageBytes = 10 << 20
	s.MaxRecipients = 10
	s.ReadTimeout, s.WriteTimeout = time.Minute, time.Minute
	s.ErrorLog = log.New(io.Discard, "", 0) // a cut connection is no news here
	m.server = s
	return m, nil
}

// SMTPAddr is where mails are taken: "127.0.0.1:41237".
func (m *Mailbox) SMTPAddr() string { return m.listener.Addr().String() }

// Run serves the mail server until ctx ends, then hangs up on everybody.
func (m *Mailbox) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { m.server.Close() })
	defer stop()
	if ctx.Err() != nil {
		// Serve would not know the listener that Close has missed.
		return m.listener.Close()
	}
	err := m.server.Serve(m.listener)
	if ctx.Err() != nil || errors.Is(err, smtp.ErrServerClosed) {
		m.listener.Close()
		return nil
	}
	if err != nil {
		return fmt.Errorf("serve the mailbox: %w", err)
	}
	return nil
}

// Mails returns the mails that are kept, oldest first.
func (m *Mailbox) Mails() []Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Mail(nil), m.mails...)
}

// Hooks returns the webhooks that are kept, oldest first.
func (m *Mailbox) Hooks() []Hook {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Hook(nil), m.hooks...)
}

// MailCounts returns how often each Message-ID was accepted.
func (m *Mailbox) MailCounts() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return copied(m.mailCounts)
}

// HookCounts returns how often each webhook-id was accepted.
func (m *Mailbox) HookCounts() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return copied(m.hookCounts)
}

func copied(in map[string]int) map[string]int {
	out := make(map[string]int, len(in))
	for k, v := range in {
		out[k] = v
	}
	return out
}

// acceptMail keeps a mail. It is journalled first: a journal that cannot be
// written must refuse the mail, or the sender would know more than it.
func (m *Mailbox) acceptMail(x Mail, unanswered bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.journal(Entry{"mail", x.MessageID, x.To, x.At, unanswered}); err != nil {
		return err
	}
	m.mailNumber++
	x.N = m.mailNumber
	m.mailCounts[x.MessageID]++
	m.mails = append(m.mails, x)
	if n := len(m.mails) - m.opt.Keep; n > 0 {
		m.mails = append([]Mail(nil), m.mails[n:]...)
	}
	return nil
}

func (m *Mailbox) acceptHook(x Hook, unanswered bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.journal(Entry{"hook", x.ID, x.Name, x.At, unanswered}); err != nil {
		return err
	}
	m.hookNumber++
	x.N = m.hookNumber
	m.hookCounts[x.ID]++
	m.hooks = append(m.hooks, x)
	if n := len(m.hooks) - m.opt.Keep; n > 0 {
		m.hooks = append([]Hook(nil), m.hooks[n:]...)
	}
	return nil
}

func (m *Mailbox) journal(e Entry) error {
	if m.opt.Journal == nil {
		return nil
	}
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if _, err := m.opt.Journal.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}
