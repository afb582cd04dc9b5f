package message

import (
	"bytes"
	_ "embed"
	"fmt"
	htmltemplate "html/template"
	texttemplate "text/template"
	"time"
)

// A Notice is a mail that is no alert: it asks a person to confirm, or brings a
// link that was asked for. All of its words are our own, so that nobody can
// have us send somebody else a text.
type Notice struct {
	// ID is the message's own name, the same over all attempts.
	ID string
	At time.Time
	// Subject is also the heading.
	Subject string
	// Before and After are paragraphs round the one link.
	Before []string
	Link   string
	Label  string // the words of the link
	After  []string
	// PageURL is the public page of this service, "" where there is none.
	PageURL string
}

var (
	//go:embed notice.html.tmpl
	noticeHTMLSource string
	//go:embed notice.txt.tmpl
	noticeTextSource string

	noticeHTML = htmltemplate.Must(htmltemplate.Must(htmlPart.Clone()).New("notice.html").Parse(noticeHTMLSource))
	noticeText = texttemplate.Must(texttemplate.New("notice.txt").Parse(noticeTextSource))
)

// HTML is the notice as a page.
func (n Notice) HTML() ([]byte, error) {
	n.Link, n.PageURL = link(n.Link), link(n.PageURL)
	var b bytes.Buffer
	if err := noticeHTML.Execute(&b, n); err != nil {
		return nil, fmt.Errorf("write the notice as HTML: %w", err)
	}
	return b.Bytes(), nil
}

// Text is the notice as plain text: the same words and link as HTML.
func (n Notice) Text() ([]byte, error) {
	n.Link, n.PageURL = link(n.Link), link(n.PageURL)
	var b bytes.Buffer
	if err := noticeText.Execute(&b, n); err != nil {
		return nil, fmt.Errorf("write the notice as text: %w", err)
	}
	return b.Bytes(), nil
}
