package drift

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"io"
	"mime"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const (
	// A body is looked at up to this size, to this depth, and for so many
	// different paths. Saved pages of NHS Jobs have 85 KB and 258 paths.
	mostBody  = 4 << 20
	mostDepth = 128
	mostPaths = 8192
	// mostName bounds a name or an id.
	mostName = 64
)

// Fingerprint tells pages apart by what they are built of: it is a hash of the
// set of paths of a page's elements, each with its id and its data-test hook.
// Texts, addresses, classes, order and counts do not matter, nor the numbers
// in an id, so that two full pages of one listing have one fingerprint. The
// first and the last page of a listing have their own, for a link is missing;
// and so has each advert whose employer writes in other elements than most.
//
// It is information for people, beside another defect, and never a defect
// itself. It is "" for a body without any element, such as JSON. The work is
// bounded by the size of the body, of which no more than 4 MiB are looked at.
func Fingerprint(body []byte, contentType string) string {
	body = body[:min(len(body), mostBody)]
	p := paths{set: map[uint64]bool{}}
	kind := "html-"
	if isXML(body, contentType) {
		kind = "xml-"
	}
	p.read(body, kind == "xml-")
	if len(p.set) == 0 {
		return ""
	}
	all := make([]uint64, 0, len(p.set))
	for h := range p.set {
		all = append(all, h)
	}
	slices.Sort(all)
	sum := sha256.New()
	for _, h := range all {
		sum.Write(binary.BigEndian.AppendUint64(nil, h))
	}
	return kind + hex.EncodeToString(sum.Sum(nil)[:8])
}

// isXML tells by the content type how a body is read, or else by its first
// element.
func isXML(body []byte, contentType string) bool {
	switch t, _, _ := mime.ParseMediaType(contentType); {
	case t == "text/html", t == "application/xhtml+xml":
		return false
	case strings.HasSuffix(t, "/xml"), strings.HasSuffix(t, "+xml"):
		return true
	}
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if bytes.HasPrefix(body, []byte("<?xml")) {
		return true
	}
	name, ok := bytes.CutPrefix(body, []byte("<"))
	if !ok {
		return false
	}
	end := bytes.IndexAny(name[:min(len(name), mostName)], " \t\r\n/>")
	return end > 0 && name[0] != '!' && atom.Lookup(bytes.ToLower(name[:end])) == 0
}

// paths gathers the hashes of the paths of elements. A path's hash is made of
// that of its parent, so none is ever written out.
type paths struct {
	set   map[uint64]bool
	stack []element
	// deeper counts the open elements beyond the depth that is kept.
	deeper int
}

type element struct {
	name string
	path uint64
}

func (p *paths) open(name, id, hook string) {
	if len(p.stack) >= mostDepth {
		p.deeper++
		return
	}
	parent := uint64(0)
	if n := len(p.stack); n > 0 {
		parent = p.stack[n-1].path
	}
	h := fnv.New64a()
	h.Write(binary.BigEndian.AppendUint64(nil, parent))
	for _, s := range []string{name, numberless(id), numberless(hook)} {
		io.WriteString(h, s)
		h.Write([]byte{0})
	}
	path := h.Sum64()
	if len(p.set) < mostPaths {
		p.set[path] = true
	}
	p.stack = append(p.stack, element{name, path})
}

// close ends the innermost open element of that name, and with it what was
// left open inside. An end without a beginning ends nothing.
func (p *paths) close(name string) {
	if p.deeper > 0 {
		p.deeper--
		return
	}
	for i := len(p.stack) - 1; i >= 0; i-- {
		if p.stack[i].name == name {
			p.stack = p.stack[:i]
			return
		}
	}
}

// siblings reports whether an element ends one of its own name that is open:
// paragraphs and the like need no end of their own, and without this rule
// each would seem to lie inside the one before.
func (p *paths) siblings(name string) bool {
	if len(p.stack) == 0 || p.deeper > 0 || p.stack[len(p.stack)-1].name != name {
		return false
	}
	switch name {
	case "p", "li", "dt", "dd", "tr", "td", "th", "option":
		return true
	}
	return false
}

// read reads a body. XML is read as HTML is, but for the elements that HTML
// treats in its own way: encoding/xml would end at the first character that
// XML cannot hold, and what a text holds must not matter.
func (p *paths) read(body []byte, isXML bool) {
	z := html.NewTokenizer(bytes.NewReader(body))
	z.AllowCDATA(isXML)
	for {
		switch t := z.Next(); t {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			if isXML {
				z.NextIsNotRawText()
			}
			tag, more := z.TagName()
			name := clip(tag)
			var id, hook string
			for more {
				var key, value []byte
				key, value, more = z.TagAttr()
				switch string(key) {
				case "id":
					id = clip(value)
				case "data-test":
					hook = clip(value)
				}
			}
			if !isXML && p.siblings(name) {
				p.close(name)
			}
			p.open(name, id, hook)
			if t == html.SelfClosingTagToken || !isXML && void(name) {
				p.close(name)
			}
		case html.EndTagToken:
			tag, _ := z.TagName()
			p.close(clip(tag))
		}
	}
}

// void reports whether an HTML element has no content.
func void(name string) bool {
	switch atom.Lookup([]byte(name)) {
	case atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link, atom.Meta,
		atom.Source, atom.Track, atom.Wbr:
		return true
	}
	return false
}

func clip(b []byte) string { return string(b[:min(len(b), mostName)]) }

// numberless writes one sign for each number: job-title-7 is job-title-#.
func numberless(s string) string {
	if !strings.ContainsAny(s, "0123456789") {
		return s
	}
	var b strings.Builder
	number := false
	for _, r := range s {
		digit := r >= '0' && r <= '9'
		if digit && !number {
			b.WriteByte('#')
		} else if !digit {
			b.WriteRune(r)
		}
		number = digit
	}
	return b.String()
}
