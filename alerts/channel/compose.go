package channel

import (
	"bytes"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// compose writes an alert as one multipart/alternative mail to one person.
//
// Text of an advert goes into the subject and the two parts only, which the
// library encodes. The setters that write a value as it stands get constants
// and our own tokens, and the link to stop a search after a check. No error
// holds the address or that link.
func compose(from *netmail.Address, a message.Alert, to string) ([]byte, error) {
	if !sendable(to) {
		return nil, errors.New("compose a mail: the address cannot be written in a mail")
	}
	text, err := message.Text(a)
	if err != nil {
		return nil, fmt.Errorf("compose a mail: %w", err)
	}
	page, err := message.HTML(a)
	if err != nil {
		return nil, fmt.Errorf("compose a mail: %w", err)
	}
	_, domain, _ := strings.Cut(from.Address, "@")

	m := mail.NewMsg(mail.WithCharset(mail.CharsetUTF8), mail.WithEncoding(mail.EncodingQP), mail.WithNoDefaultUserAgent())
	if err := m.SetAddrHeader(mail.HeaderFrom, from.String()); err != nil {
		return nil, errors.New("compose a mail: the sender was refused")
	}
	if err := m.To(to); err != nil {
		return nil, errors.New("compose a mail: the address was refused")
	}
	m.Subject(message.Subject(a))
	m.SetDateWithValue(a.At.In(vacancy.London()))
	m.SetMessageIDWithValue(Token(a.ID) + "@" + domain)
	// The id of a search may be its name, and a name is the subscriber's own.
	m.SetGenHeader(mail.Header("List-Id"), "<s-"+Token(a.Search.ID)[:12]+"."+domain+">")
	m.SetGenHeader(mail.Header("Auto-Submitted"), "auto-generated")
	if oneClick(a.StopURL) {
		if err := m.SetListUnsubscribeOneClick(a.StopURL); err != nil {
			return nil, errors.New("compose a mail: the link to stop the search was refused")
		}
	}
	m.SetBodyString(mail.TypeTextPlain, string(text))
	m.AddAlternativeString(mail.TypeTextHTML, string(page))

	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return nil, errors.New("compose a mail: the parts could not be written")
	}
	return b.Bytes(), nil
}

// oneClick reports whether mail programs may POST to s to end a search, as
// RFC 8058 wants it: https, and nothing in it that would end the header's <>.
func oneClick(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == '<' || c == '>' || c == '"' {
			return false
		}
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil
}
