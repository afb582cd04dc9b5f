package scotland

import (
	"bytes"
	"mime"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/vacancywatch/vacancywatch/crawler/page"
)

// parse parses a page that must be HTML and whole. A document that opens with
// <html> must close with </html>, for a connection that ends early is often no
// error to a client. The listing is a fragment and has neither: there the
// number of cards tells.
func parse(p page.Page) (*html.Node, error) {
	if p.ContentType != "" {
		declared, _, err := mime.ParseMediaType(p.ContentType)
		if err != nil || declared != "text/html" && declared != "application/xhtml+xml" {
			return nil, page.Layoutf("another type of content where HTML is due")
		}
	}
	body := bytes.TrimSpace(bytes.TrimPrefix(p.Body, []byte("\xef\xbb\xbf")))
	if len(body) == 0 || body[0] != '<' || bytes.HasPrefix(body, []byte("<?xml")) {
		return nil, page.Layoutf("no HTML where it is due")
	}
	lower := bytes.ToLower(body)
	if bytes.Contains(lower, []byte("<html")) && !bytes.Contains(lower, []byte("</html")) {
		return nil, page.Layoutf("the page is cut off: it does not reach </html>")
	}
	doc, err := html.Parse(bytes.NewReader(bytes.ToValidUTF8(body, []byte("\ufffd"))))
	if err != nil {
		return nil, page.Layoutf("parse the page: %v", err)
	}
	return doc, nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// first returns the first element below n, in document order, that match
// holds for; nil without one.
func first(n *html.Node, match func(*html.Node) bool) *html.Node {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && match(d) {
			return d
		}
	}
	return nil
}

// The ways in which elements are found.
func byID(id string) func(*html.Node) bool {
	return func(n *html.Node) bool { return attr(n, "id") == id }
}

func byHook(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return attr(n, "data-testid") == name }
}

func byTag(a atom.Atom) func(*html.Node) bool {
	return func(n *html.Node) bool { return n.DataAtom == a }
}

func byClass(class string) func(*html.Node) bool {
	return func(n *html.Node) bool { return hasClass(n, class) }
}

func hasClass(n *html.Node, class string) bool {
	for c := range strings.FieldsSeq(attr(n, "class")) {
		if c == class {
			return true
		}
	}
	return false
}

// textOf is the text of n in one line, without that of the elements that skip
// holds for; skip may be nil.
func textOf(n *html.Node, skip func(*html.Node) bool) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		for c := range n.ChildNodes() {
			switch {
			case c.Type == html.TextNode:
				b.WriteString(c.Data)
			case c.Type != html.ElementNode || c.DataAtom == atom.Script || c.DataAtom == atom.Style || skip != nil && skip(c):
			default:
				if c.DataAtom == atom.Br {
					b.WriteByte(' ')
				}
				walk(c)
			}
		}
	}
	walk(n)
	return squeeze(b.String())
}

// squeeze makes one line of a text, with single spaces.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }
