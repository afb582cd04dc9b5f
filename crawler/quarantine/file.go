package quarantine

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vacancywatch/vacancywatch/crawler/page"
)

// A file is gzip. In it is one line of JSON, the head, and then the body of
// the page, redacted, to the end. "zcat FILE | head -1" shows the one, "zcat
// FILE | tail -n +2" the other. The head begins with the version of this
// format, by which the file is known.
const (
	version  = 1
	headMark = `{"vacancywatch_quarantine":`
)

// Bounds of what is read and written, against pages and files that were made
// to do harm.
const (
	maxBody   = 8 << 20 // redacted; a page of the crawl has at most 4 MiB
	maxHead   = 64 << 10
	maxText   = 2000 // bytes of an address or an error
	maxHeader = 300  // bytes of a response header; two of each name
	maxName   = 200  // bytes of anything else in the head
	maxList   = 20   // defects
)

// ErrFormat means that a file is none of the quarantine.
var ErrFormat = errors.New("no quarantine file")

// An Entry says how a page came to be kept.
type Entry struct {
	// Source is the name of the source, Run that of the run.
	Source string `json:"source"`
	Run    string `json:"run,omitempty"`
	Tier   string `json:"tier,omitempty"`
	Feed   string `json:"feed,omitempty"`
	// Defects are what was wrong with the page, by the readers of then. The
	// first is the reason by which files are alike.
	Defects []string `json:"defects,omitempty"`
	// Err is why the page could not be read at all, "" if it could.
	Err string `json:"err,omitempty"`
	// Header holds headers of the response. Only a few are kept, and never one
	// that sets a cookie; the content type is the page's own.
	Header http.Header `json:"header,omitempty"`
	// Fingerprint is that of the markup as it was fetched.
	Fingerprint string `json:"fingerprint,omitempty"`
	// At is when the page was fetched. Defaults to the time of keeping.
	At time.Time `json:"at"`
}

// headers are those that tell of caches, limits and redirects.
var headers = []string{"Age", "Cache-Control", "Content-Encoding", "Content-Language", "Content-Length", "Date", "Etag",
	"Expires", "Last-Modified", "Location", "Retry-After", "Server", "Vary", "Via", "X-Cache"}

// A head is the first line of a file.
type head struct {
	Version int `json:"vacancywatch_quarantine"`
	Entry
	Page struct {
		URL         string `json:"url,omitempty"`
		Status      int    `json:"status,omitempty"`
		ContentType string `json:"content_type,omitempty"`
		Bytes       int    `json:"bytes"` // as fetched
		// Cut is set where the body was too long to be kept whole.
		Cut bool `json:"cut,omitempty"`
	} `json:"page"`
	// Removed counts what was taken out of the body.
	Removed counts `json:"removed"`
}

// encode makes a file of a page.
func encode(p page.Page, e Entry) ([]byte, error) {
	h := head{Version: version, Entry: e}
	h.Source, h.Err = clean(e.Source, maxName), clean(e.Err, maxText)
	// Made by us, and digits enough to be taken for a telephone number.
	h.Run, h.Tier, h.Feed, h.Fingerprint = plainWord(e.Run), plainWord(e.Tier), plainWord(e.Feed), plainWord(e.Fingerprint)
	h.Defects = nil
	for _, d := range e.Defects[:min(len(e.Defects), maxList)] {
		h.Defects = append(h.Defects, clean(d, maxName))
	}
	h.Header = nil
	for _, name := range headers {
		values := e.Header.Values(name)
		for _, v := range values[:min(len(values), 2)] {
			if h.Header == nil {
				h.Header = http.Header{}
			}
			h.Header.Add(name, clean(v, maxHeader))
		}
	}
	h.Page.URL, h.Page.Status, h.Page.ContentType = clean(p.URL, maxText), p.Status, clean(p.ContentType, maxName)
	h.Page.Bytes = len(p.Body)
	body := p.Body
	if len(body) > maxBody {
		body, h.Page.Cut = body[:maxBody], true
	}
	body, h.Removed = redact(body)
	if len(body) > maxBody {
		body, h.Page.Cut = body[:maxBody], true
	}

	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	// Encode ends the head with a line feed, which no JSON string holds.
	line := json.NewEncoder(z)
	line.SetEscapeHTML(false)
	if err := line.Encode(h); err != nil {
		return nil, fmt.Errorf("write the head: %w", err)
	}
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// clean redacts a text of the head, makes one line of it and bounds it.
func clean(s string, most int) string {
	b, _ := redact([]byte(s[:min(len(s), 4*maxText)]))
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(b), "\ufffd"))
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

// plainWord keeps of a word what an identifier or a time is made of.
func plainWord(s string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (isToken(byte(r)) || r == '.' || r == ':') {
			return r
		}
		return -1
	}, s[:min(len(s), maxName)])
}

// Read reads a file of the quarantine. The page is as it was fetched, but for
// what was taken out. It returns ErrFormat for any other file, and works no
// longer than a large page takes, whatever the file holds.
func Read(file string) (page.Page, Entry, error) {
	f, err := os.Open(file)
	if err != nil {
		return page.Page{}, Entry{}, err
	}
	defer f.Close()
	return Decode(f)
}

// Decode is Read for a file that is open already.
func Decode(r io.Reader) (page.Page, Entry, error) {
	in, h, err := decodeHead(r)
	if err != nil {
		return page.Page{}, Entry{}, err
	}
	body, err := io.ReadAll(io.LimitReader(in, maxBody+1))
	if err != nil {
		return page.Page{}, Entry{}, fmt.Errorf("read the quarantined page: %w", err)
	}
	if len(body) > maxBody {
		return page.Page{}, Entry{}, fmt.Errorf("%w: its page is larger than %d bytes", ErrFormat, maxBody)
	}
	return page.Page{URL: h.Page.URL, Status: h.Page.Status, ContentType: h.Page.ContentType, Body: body}, h.Entry, nil
}

// decodeHead reads a head and returns what follows it.
func decodeHead(r io.Reader) (io.Reader, head, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, head{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	z.Multistream(false)
	in := bufio.NewReaderSize(z, maxHead)
	if mark, err := in.Peek(len(headMark)); err != nil || string(mark) != headMark {
		return nil, head{}, fmt.Errorf("%w: it does not begin with a head", ErrFormat)
	}
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, head{}, fmt.Errorf("%w: its head does not end", ErrFormat)
	}
	var h head
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, head{}, fmt.Errorf("%w: its head is no JSON of the kind: %w", ErrFormat, err)
	}
	if h.Version != version {
		return nil, head{}, fmt.Errorf("%w that this version reads: its format is %d, not %d", ErrFormat, h.Version, version)
	}
	return in, h, nil
}

func readEntry(file string) (Entry, error) {
	f, err := os.Open(file)
	if err != nil {
		return Entry{}, err
	}
	defer f.Close()
	_, h, err := decodeHead(f)
	return h.Entry, err
}
