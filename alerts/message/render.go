package message

import (
	"bytes"
	_ "embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"
)

var (
	//go:embed alert.html.tmpl
	htmlSource string
	//go:embed alert.txt.tmpl
	textSource string

	htmlPart = htmltemplate.Must(htmltemplate.New("alert.html").Funcs(htmltemplate.FuncMap{
		"join": strings.Join,
		// html/template drops comments, and Outlook for Windows, which knows
		// no max-width, reads its table from one.
		"openOutlook": func() htmltemplate.HTML {
			return `<!--[if mso]><table role="presentation" width="580" align="center" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->`
		},
		"closeOutlook": func() htmltemplate.HTML { return `<!--[if mso]></td></tr></table><![endif]-->` },
	}).Parse(htmlSource))
	textPart = texttemplate.Must(texttemplate.New("alert.txt").Funcs(texttemplate.FuncMap{
		"join": strings.Join,
	}).Parse(textSource))
)

// HTML is the mail as a page: no image, no script, no tracking, readable at a
// width of 320 pixels and in dark mode.
func HTML(a Alert) ([]byte, error) {
	var b bytes.Buffer
	if err := htmlPart.Execute(&b, newView(&a)); err != nil {
		return nil, fmt.Errorf("write the mail as HTML: %w", err)
	}
	return b.Bytes(), nil
}

// Text is the mail as plain text: the same facts and links as HTML.
func Text(a Alert) ([]byte, error) {
	var b bytes.Buffer
	if err := textPart.Execute(&b, newView(&a)); err != nil {
		return nil, fmt.Errorf("write the mail as text: %w", err)
	}
	return b.Bytes(), nil
}
