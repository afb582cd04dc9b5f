package nhsjobs

import (
	"bytes"
	"encoding/xml"
	"mime"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/vacancywatch/vacancywatch/crawler/page"
)

// What a body is, in the words of an error message.
const (
	contentXML   = "XML"
	contentHTML  = "HTML"
	contentJSON  = "JSON"
	contentNone  = "an empty body"
	contentOther = "neither XML nor HTML"
)

// contentOf tells what a page is made of: by its content type first, for the
// API answers errors in JSON and the site notices in HTML, both where XML is
// due and both possibly with status 200; then by its body, for a saved file
// has no content type and a type can be wrong.
func contentOf(p page.Page) string {
	body := sniff(p.Body)
	if p.ContentType == "" || body == contentNone {
		return body
	}
	declared, _, _ := strings.Cut(p.ContentType, ";")
	if t, _, err := mime.ParseMediaType(p.ContentType); err == nil {
		declared = t
	}
	switch declared = strings.ToLower(strings.TrimSpace(declared)); {
	case declared == "text/html", declared == "application/xhtml+xml":
		if body == contentJSON {
			return body
		}
		return contentHTML
	case strings.HasSuffix(declared, "/json"), strings.HasSuffix(declared, "+json"):
		return contentJSON
	case strings.HasSuffix(declared, "/xml"), strings.HasSuffix(declared, "+xml"):
		if body == contentHTML || body == contentJSON {
			return body
		}
		return contentXML
	}
	return body
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// sniff tells what a body is by its beginning.
func sniff(body []byte) string {
	b := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), byteOrderMark))
	if len(b) == 0 {
		return contentNone
	}
	declaration := false
	for {
		var end string
		switch {
		case bytes.HasPrefix(b, []byte("<?")):
			end, declaration = "?>", true
		case bytes.HasPrefix(b, []byte("<!--")):
			end = "-->"
		}
		if end == "" {
			break
		}
		_, rest, ok := bytes.Cut(b, []byte(end))
		if !ok {
			return contentOther
		}
		b = bytes.TrimSpace(rest)
	}
	switch {
	case len(b) == 0:
		return contentOther
	case b[0] == '{' || b[0] == '[':
		return contentJSON
	case b[0] != '<' || len(b) < 2:
		return contentOther
	}
	name := b[1:]
	if i := bytes.IndexAny(name, " \t\r\n/>"); i >= 0 {
		name = name[:i]
	}
	if _, local, ok := bytes.Cut(name, []byte(":")); ok {
		name = local
	}
	switch lower := strings.ToLower(string(name)); {
	case isRoot(string(name)):
		return contentXML
	case lower == "!doctype" || atom.Lookup([]byte(lower)) != 0:
		return contentHTML
	case declaration:
		return contentXML
	}
	return contentOther
}

// parseHTML parses a page that must be HTML and whole. A connection that ends
// early is often no error to a client, and a listing cut before its
// navigation would look like the last one: a document that opens with <html>
// must close with </html>. A fragment, as in a saved slice, has neither.
func parseHTML(p page.Page) (*html.Node, error) {
	if c := contentOf(p); c != contentHTML {
		return nil, page.Layoutf("%s where HTML is due", c)
	}
	lower := bytes.ToLower(p.Body)
	if bytes.Contains(lower, []byte("<html")) && !bytes.Contains(lower, []byte("</html")) {
		return nil, page.Layoutf("the page is cut off: it does not reach </html>")
	}
	doc, err := html.Parse(bytes.NewReader(bytes.ToValidUTF8(p.Body, []byte("\ufffd"))))
	if err != nil {
		return nil, page.Layoutf("parse the page: %v", err)
	}
	return doc, nil
}

var charRef = regexp.MustCompile(`&#(?:x[0-9a-fA-F]+|[0-9]+);`)

// legalXML replaces by spaces what XML forbids, raw or as a character
// reference. Employers paste their texts from word processors, and one stray
// control character must not hide the hundred adverts of an answer.
func legalXML(body []byte) []byte {
	legal := func(r rune) bool {
		return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= 0x10ffff
	}
	body = bytes.Map(func(r rune) rune {
		if !legal(r) {
			return ' '
		}
		return r
	}, bytes.ToValidUTF8(body, []byte("\ufffd")))
	return charRef.ReplaceAllFunc(body, func(ref []byte) []byte {
		digits, base := string(ref[2:len(ref)-1]), 10
		if digits[0] == 'x' {
			digits, base = digits[1:], 16
		}
		n, err := strconv.ParseInt(digits, base, 32)
		if err != nil || !legal(rune(n)) {
			return []byte(" ")
		}
		return ref
	})
}

// newDecoder returns a decoder over a body that must be XML.
func newDecoder(p page.Page) (*xml.Decoder, error) {
	if c := contentOf(p); c != contentXML {
		return nil, page.Layoutf("%s where XML is due", c)
	}
	body := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(p.Body), byteOrderMark))
	d := xml.NewDecoder(bytes.NewReader(legalXML(body)))
	d.Entity = xml.HTMLEntity
	return d, nil
}
