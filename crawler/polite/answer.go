package polite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody is the largest answer that is read. Beyond it the answer is an
// error: a body cut in silence looks like a page with less on it.
const maxBody = 4 << 20

// ErrTooLarge means that an answer was larger than what is read.
var ErrTooLarge = fmt.Errorf("answer is larger than %d MiB", maxBody>>20)

// A StatusError is an answer that is no page.
type StatusError struct {
	Code int
	// RetryAfter is the time the site asks to wait for, zero if it does not.
	RetryAfter time.Time
}

func (e *StatusError) Error() string { return fmt.Sprintf("the site answered %d", e.Code) }

// longestRetryAfter bounds the seconds that are believed. Whoever was asked
// for so much quiet should not come back by itself anyway.
const longestRetryAfter = 7 * 24 * 3600

// retryAfter reads the header in both of its forms: seconds, or a date. A date
// is the site's: where its clock and ours differ, the later reading holds.
func retryAfter(h http.Header, now time.Time) time.Time {
	said := strings.TrimSpace(h.Get("Retry-After"))
	if said != "" && strings.Trim(said, "0123456789") == "" {
		n, err := strconv.Atoi(said)
		if err != nil {
			n = longestRetryAfter // more than a number holds
		}
		return now.Add(time.Duration(min(n, longestRetryAfter)) * time.Second)
	}
	t, err := http.ParseTime(said)
	if err != nil {
		return time.Time{}
	}
	if theirs, err := http.ParseTime(h.Get("Date")); err == nil && theirs.Before(now) {
		t = t.Add(now.Sub(theirs))
	}
	if !t.After(now) {
		return time.Time{}
	}
	return t
}

// clockDifference is the site's clock minus ours, by the Date of an answer. A
// cache on the way hands on an old Date, and says in Age how old it is.
func clockDifference(h http.Header, now time.Time) (time.Duration, bool) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0, false
	}
	if age, err := strconv.ParseUint(h.Get("Age"), 10, 31); err == nil {
		date = date.Add(time.Duration(age) * time.Second)
	}
	return date.Sub(now), true
}

// boundedBody is the body of an answer: too much of it is an error, and
// closing it ends the attempt and counts it.
type boundedBody struct {
	io.ReadCloser
	left            int
	end             func()
	attempt, caller context.Context
	count           func(int)
	closed          func(error) // told how reading ended, once
	err             error
}

func (b *boundedBody) Read(buf []byte) (int, error) {
	n, err := b.ReadCloser.Read(buf)
	b.count(n)
	if b.left -= n; b.left < 0 {
		n, err = 0, ErrTooLarge
	}
	if err != nil && err != io.EOF {
		if err != ErrTooLarge && b.attempt.Err() != nil && b.caller.Err() == nil {
			err = ErrTimeout
		}
		b.err = err
	}
	return n, err
}

func (b *boundedBody) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	if b.closed != nil {
		b.closed(b.err)
		b.closed = nil
	}
	return err
}

// codeOf is the class of an answer: a label value.
func codeOf(status int, err error) string {
	switch {
	case errors.Is(err, ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, ErrTooLarge):
		return "cut" // by the site, or by us
	case err != nil:
		return "network"
	case status == http.StatusNotModified:
		return "not_modified"
	case status < 300:
		return "ok"
	case status < 400:
		return "redirect"
	case status == http.StatusForbidden:
		return "forbidden"
	case status == http.StatusNotFound, status == http.StatusGone:
		return "not_found"
	case status == http.StatusTooManyRequests:
		return "rate_limited"
	case status < 500:
		return "client_error"
	default:
		return "server_error"
	}
}

// RequestCodes returns every class of an answer, as an Observer is told it.
func RequestCodes() []string {
	return []string{"ok", "not_modified", "redirect", "forbidden", "not_found", "client_error", "rate_limited",
		"server_error", "timeout", "cut", "network"}
}
