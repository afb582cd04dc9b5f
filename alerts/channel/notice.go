package channel

import (
	"bytes"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// A Noticer is a channel to people: it can send what is no alert.
type Noticer interface {
	Channel
	// RenderNotice makes the bytes of a notice, once, as Render does.
	RenderNotice(n message.Notice, to string) ([]byte, error)
}

var _ Noticer = (*Email)(nil)

// RenderNotice makes the whole mail, and signs it where that is configured. It
// belongs to no list, so it has no header to leave one.
func (e *Email) RenderNotice(n message.Notice, to string) ([]byte, error) {
	body, err := composeNotice(e.from, n, to)
	if err != nil || e.signer == nil {
		return body, err
	}
	return e.signer.sign(body)
}

func composeNotice(from *netmail.Address, n message.Notice, to string) ([]byte, error) {
	if !sendable(to) {
		return nil, errors.New("compose a notice: the address cannot be written in a mail")
	}
	text, err := n.Text()
	if err != nil {
		return nil, fmt.Errorf("compose a notice: %w", err)
	}
	page, err := n.HTML()
	if err != nil {
		return nil, fmt.Errorf("compose a notice: %w", err)
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	m := mail.NewMsg(mail.WithCharset(mail.CharsetUTF8), mail.WithEncoding(mail.EncodingQP), mail.WithNoDefaultUserAgent())
	if err := m.SetAddrHeader(mail.HeaderFrom, from.String()); err != nil {
		return nil, errors.New("compose a notice: the sender was refused")
	}
	if err := m.To(to); err != nil {
		return nil, errors.New("compose a notice: the address was refused")
	}
	m.Subject(n.Subject)
	m.SetDateWithValue(n.At.In(vacancy.London()))
	m.SetMessageIDWithValue(Token(n.ID) + "@" + domain)
	m.SetGenHeader(mail.Header("Auto-Submitted"), "auto-generated")
	m.SetBodyString(mail.TypeTextPlain, string(text))
	m.AddAlternativeString(mail.TypeTextHTML, string(page))
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return nil, errors.New("compose a notice: the parts could not be written")
	}
	return b.Bytes(), nil
}
