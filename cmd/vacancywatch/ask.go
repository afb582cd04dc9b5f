package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/web"
)

// inUse reports whether a command failed for another process uses the state.
func inUse(err error) bool {
	if refusal, ok := errors.AsType[*web.Refusal](err); ok {
		return refusal.Code == http.StatusConflict
	}
	return errors.As(err, new(folderError))
}

// A question is what a command asks of the daemon that uses the state.
type question struct {
	method, path string
	form         url.Values
	// Header and Sign tell the answer from that of whatever else listens.
	header, sign string
	most         int64  // bytes of the answer
	used         error  // why the command did not do it itself
	patience     string // what the person is told of the wait
}

// ask asks the daemon at the admin address of the configuration.
func ask(e *env, cfg *config.Config, q question) ([]byte, error) {
	base := adminURL(cfg.Listen.Admin)
	if base == "" {
		return nil, fmt.Errorf("%w\nA running daemon can be asked by its admin address alone, and listen.admin is %q: name one and restart the daemon, or stop the daemon for this command",
			q.used, cfg.Listen.Admin)
	}
	fmt.Fprintf(e.stderr, "the state is in use: asking the daemon at %s%s\n", base, q.patience)
	address, body := base+q.path, q.form.Encode()
	if q.method == http.MethodGet {
		address, body = strings.TrimSuffix(address+"?"+body, "?"), ""
	}
	req, err := http.NewRequestWithContext(e.ctx, q.method, address, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	if q.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	// No proxy, and no redirect: it is our own daemon or nobody.
	client := &http.Client{
		Transport:     &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w\nNo daemon answers at listen.admin (%w): is its configuration this one, and is it whole started? Else stop it for this command", q.used, err)
	}
	defer answer.Body.Close()
	if answer.Header.Get(q.header) != q.sign {
		return nil, fmt.Errorf("%w\nAt listen.admin (%s) answers something that is no vacancywatch of this version: is the configuration that of the daemon?", q.used, base)
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, q.most))
	if err != nil {
		return nil, fmt.Errorf("read the answer of the daemon at %s: %w", base, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the daemon at %s answers: %s", base, strings.TrimSpace(string(b)))
	}
	return b, nil
}
