package polite

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"sync"
)

// cachedPages bounds what is kept for conditional requests: the few pages
// that are asked for again and again.
const cachedPages = 16

// cache keeps answers that carry a validator, so that asking again costs the
// site nothing where nothing has changed.
type cache struct {
	mu    sync.Mutex
	pages map[string]cachedPage
	order []string
}

type cachedPage struct {
	etag, modified, kind string
	body                 []byte
}

// condition returns the request with the validators of the kept answer.
func (c *cache) condition(req *http.Request) *http.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept, ok := c.pages[req.URL.String()]
	if !ok {
		return req
	}
	req = req.Clone(req.Context()) // the caller's is not ours to change
	if kept.etag != "" {
		req.Header.Set("If-None-Match", kept.etag)
	}
	if kept.modified != "" {
		req.Header.Set("If-Modified-Since", kept.modified)
	}
	return req
}

// forget drops a kept answer.
func (c *cache) forget(url string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.pages[url]; ok {
		delete(c.pages, url)
		c.order = slices.DeleteFunc(c.order, func(u string) bool { return u == url })
	}
}

// keep turns "not modified" into the kept answer, and keeps a new one once it
// has been read to its end.
func (c *cache) keep(req *http.Request, res *http.Response) *http.Response {
	c.mu.Lock()
	defer c.mu.Unlock()
	url := req.URL.String()
	if kept, ok := c.pages[url]; ok && res.StatusCode == http.StatusNotModified {
		res.Body.Close()
		res.StatusCode, res.Status = http.StatusOK, "200 OK"
		res.Header.Set("Content-Type", kept.kind)
		res.Header.Del("Content-Encoding") // the kept body is the decoded one
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(kept.body)), int64(len(kept.body))
		return res
	}
	page := cachedPage{etag: res.Header.Get("ETag"), modified: res.Header.Get("Last-Modified"), kind: res.Header.Get("Content-Type")}
	if res.StatusCode == http.StatusOK && (page.etag != "" || page.modified != "") {
		res.Body = &recordedBody{ReadCloser: res.Body, whole: func(body []byte) { page.body = body; c.put(url, page) }}
	}
	return res
}

func (c *cache) put(url string, page cachedPage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pages == nil {
		c.pages = map[string]cachedPage{}
	}
	if _, ok := c.pages[url]; !ok {
		if c.order = append(c.order, url); len(c.order) > cachedPages {
			delete(c.pages, c.order[0])
			c.order = c.order[1:]
		}
	}
	c.pages[url] = page
}

// recordedBody remembers what was read, and hands it on at a clean end.
type recordedBody struct {
	io.ReadCloser
	buf   bytes.Buffer
	whole func([]byte)
}

func (r *recordedBody) Read(b []byte) (int, error) {
	n, err := r.ReadCloser.Read(b)
	r.buf.Write(b[:n])
	if err == io.EOF && r.whole != nil {
		r.whole(r.buf.Bytes())
		r.whole = nil
	}
	return n, err
}
