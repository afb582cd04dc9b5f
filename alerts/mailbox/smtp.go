package mailbox

import (
	"bufio"
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// A session is one connection of a sender.
type session struct {
	box    *Mailbox
	conn   *smtp.Conn
	authed bool
	from   string
	to     []string
}

var _ smtp.AuthSession = (*session)(nil)

func (m *Mailbox) newSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{box: m, conn: c, authed: m.opt.Username == ""}, nil
}

func (s *session) AuthMechanisms() []string {
	if s.box.opt.Username == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		o := &s.box.opt
		if username != o.Username || subtle.ConstantTimeCompare([]byte(password), []byte(o.Password.Reveal())) != 1 {
			return smtp.ErrAuthFailed
		}
		s.authed = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.authed {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return s.fail(AtMail)
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := s.fail(AtRcpt); err != nil {
		return err
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	f := s.box.mailFault(AtDot)
	if f.Code != 0 {
		return s.play(f)
	}
	for _, to := range s.to {
		x := readMail(raw)
		x.From, x.To, x.At = s.from, to, s.box.opt.Now()
		if err := s.box.acceptMail(x, f.Cut); err != nil {
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "The journal cannot be written"}
		}
	}
	return s.play(f)
}

func (s *session) Reset()        { s.from, s.to = "", nil }
func (s *session) Logout() error { return nil }

func (s *session) fail(at Stage) error { return s.play(s.box.mailFault(at)) }

func (s *session) play(f MailFault) error {
	if f.Delay > 0 {
		time.Sleep(f.Delay)
	}
	if f.Cut {
		s.conn.Conn().Close()
		return smtp.ErrServerClosed
	}
	if f.Code == 0 {
		return nil
	}
	e := &smtp.SMTPError{Code: f.Code, EnhancedCode: smtp.NoEnhancedCode, Message: "Refused for a test"}
	if f.Enhanced != [3]int{} {
		e.EnhancedCode = smtp.EnhancedCode(f.Enhanced)
	}
	return e
}

// readMail reads what a reader of the mail sees. A mail that cannot be read is
// kept all the same, with its bytes alone: it did arrive.
func readMail(raw []byte) Mail {
	m := Mail{Raw: raw, Header: readHeader(raw)}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return m
	}
	// A Message-ID has no white space, so a bare line break inside one goes.
	m.MessageID = strings.Trim(strings.Join(strings.Fields(msg.Header.Get("Message-Id")), ""), "<>")
	m.Subject = msg.Header.Get("Subject")
	if s, err := new(mime.WordDecoder).DecodeHeader(m.Subject); err == nil {
		m.Subject = s
	}
	m.part(msg.Header.Get("Content-Type"), msg.Header.Get("Content-Transfer-Encoding"), msg.Body, 0)
	return m
}

// part reads one part, and the parts in it.
func (m *Mail) part(contentType, encoding string, r io.Reader, depth int) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") && depth < 5 {
		mr := multipart.NewReader(r, params["boundary"])
		for {
			p, err := mr.NextRawPart()
			if err != nil {
				return
			}
			m.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p, depth+1)
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	}
	b, err := io.ReadAll(r)
	if err != nil && len(b) == 0 {
		return
	}
	text := strings.ReplaceAll(string(b), "\r\n", "\n")
	switch {
	case kind == "text/html" && m.HTML == "":
		m.HTML = text
	case kind == "text/plain" && m.Text == "":
		m.Text = text
	}
}

// readHeader returns the fields in order, folded lines joined.
func readHeader(raw []byte) []Field {
	var out []Field
	sc := bufio.NewScanner(bytes.NewReader(raw))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		line := strings.TrimRight(sc.Text(), "\r")
		if line == "" {
			break
		}
		if (line[0] == ' ' || line[0] == '\t') && len(out) > 0 {
			out[len(out)-1].Value += " " + strings.TrimSpace(line)
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		out = append(out, Field{name, strings.TrimSpace(value)})
	}
	return out
}

// Get returns the first field of a header by name, "" where there is none.
func (m *Mail) Get(name string) string {
	for _, f := range m.Header {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}
