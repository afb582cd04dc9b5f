package channel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// maxAnswer is how much of an answer is read, so that the connection can be
// used again. Nothing of it is kept.
const maxAnswer = 16 << 10

// maxRetryAfter bounds what an endpoint may ask us to wait.
const maxRetryAfter = 24 * time.Hour

// postDelays are the waits after the first, second, … failed attempt: eight
// attempts within 27 hours and 35 minutes.
var postDelays = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
	5 * time.Hour, 10 * time.Hour, 10 * time.Hour}

// PostDelay is the Delay of every channel that posts: 5 s, 5 m, 30 m, 2 h,
// 5 h, 10 h, 10 h.
func PostDelay(n int) (time.Duration, bool) {
	if n < 1 || n > len(postDelays) {
		return 0, false
	}
	return postDelays[n-1], true
}

// A Post is one attempt of a channel that sends by HTTP.
type Post struct {
	URL    HookURL
	Header http.Header // beside Content-Type and User-Agent
	Body   []byte      // JSON
	At     time.Time   // of the attempt
	// Final holds the statuses, beside 410, that are the far side's last word,
	// each with its Reason. Nil where a status may be the fault of a deploy.
	Final map[int]string
	// WaitInBody says that an answer 429 may tell in its JSON how many seconds
	// to wait, as retry_after or parameters.retry_after.
	WaitInBody bool
	// Echoed, where it is not nil, must be true of the body of an answer 2xx:
	// else that is one that does not take the post.
	Echoed func(body []byte) bool
}

// Send makes the request through client, which is one of Client.
//
//	2xx                    done
//	410, those of Final    bury: the endpoint is gone, or never takes this
//	429, 503               retry, after what the endpoint asks (1 s to 24 h)
//	other answers          retry: deploys cause 400, 401, 403 and 404 too,
//	                       and a redirect is not followed
//	not reached, blocked   retry
//	no or half an answer   unknown: the endpoint may have taken it
func (p Post) Send(ctx context.Context, client *http.Client) Result {
	// Whatever was written may have arrived. The flag is set from the
	// transport's own goroutine.
	var wrote atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }}
	inner, cancel := context.WithTimeout(httptrace.WithClientTrace(ctx, trace), PostLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(inner, http.MethodPost, p.URL.Reveal(), bytes.NewReader(p.Body))
	if err != nil {
		// Unreachable: the URL was parsed before. Its error would hold the URL.
		return Result{Outcome: Bury, Reason: ReasonRender, Detail: "the request cannot be made"}
	}
	for name, values := range p.Header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "vacancywatch")

	resp, err := client.Do(req)
	if err != nil {
		return postFailure(ctx, err, wrote.Load())
	}
	defer resp.Body.Close()
	// The status decides; a body that breaks off changes nothing.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return p.answer(resp, body)
}

func (p Post) answer(resp *http.Response, body []byte) Result {
	code := resp.StatusCode
	r := Result{Outcome: Retry, Reason: ReasonRefused, Detail: "status " + strconv.Itoa(code)}
	final, last := p.Final[code]
	switch {
	case code >= 200 && code <= 299 && p.Echoed != nil && !p.Echoed(body):
		r.Detail += " without the challenge"
	case code >= 200 && code <= 299:
		return Result{Outcome: Done, Detail: r.Detail}
	case last:
		r.Outcome, r.Reason = Bury, final
	case code == http.StatusGone:
		r.Outcome, r.Reason = Bury, ReasonRejected
	case code == http.StatusTooManyRequests:
		r.Reason, r.After = ReasonRateLimited, retryAfter(resp.Header.Get("Retry-After"), p.At)
		if p.WaitInBody {
			r.After = max(r.After, bodyWait(body))
		}
	case code == http.StatusServiceUnavailable:
		r.Reason, r.After = ReasonServer, retryAfter(resp.Header.Get("Retry-After"), p.At)
	case code >= 500:
		r.Reason = ReasonServer
	}
	return r
}

// retryAfter reads seconds or a date; 0 where the header says neither.
func retryAfter(s string, at time.Time) time.Duration {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0
	}
	var d time.Duration
	if t, err := http.ParseTime(s); err == nil {
		d = t.Sub(at)
	} else if digits := strings.Trim(s, "0123456789") == ""; digits {
		// A number too large for an int still asks for a long wait.
		n, err := strconv.Atoi(s)
		if err != nil || n > int(maxRetryAfter/time.Second) {
			n = int(maxRetryAfter / time.Second)
		}
		d = time.Duration(n) * time.Second
	} else {
		return 0
	}
	return min(max(d, time.Second), maxRetryAfter)
}

// bodyWait reads the seconds, possibly with a fraction, that the JSON of an
// answer asks to wait; 0 where it asks for nothing.
func bodyWait(body []byte) time.Duration {
	var a struct {
		RetryAfter float64 `json:"retry_after"` // Discord
		Parameters struct {
			RetryAfter float64 `json:"retry_after"` // Telegram
		} `json:"parameters"`
	}
	if json.Unmarshal(body, &a) != nil {
		return 0
	}
	seconds := max(a.RetryAfter, a.Parameters.RetryAfter)
	if seconds <= 0 {
		return 0
	}
	seconds = min(max(seconds, 1), maxRetryAfter.Seconds())
	return time.Duration(seconds * float64(time.Second))
}

// postFailure classes an attempt without an answer. ctx is the caller's: when
// that has ended, it was us who gave up.
func postFailure(ctx context.Context, err error, wrote bool) Result {
	// *url.Error prints the address; nothing of err goes into the result.
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	var ne net.Error
	timeout := errors.Is(err, context.DeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
	switch {
	case errors.Is(err, ErrBlocked):
		return Result{Outcome: Retry, Reason: ReasonBlocked, Detail: "the address is not one that we call"}
	case wrote && timeout:
		return Result{Outcome: Unknown, Reason: ReasonTimeout, Detail: "no answer in time"}
	case wrote:
		return Result{Outcome: Unknown, Reason: ReasonNetwork, Detail: "the answer was lost"}
	case ctx.Err() != nil:
		return Result{Outcome: Release, Reason: ReasonStopped, Detail: "stopped before the request was sent"}
	case timeout:
		return Result{Outcome: Retry, Reason: ReasonTimeout, Detail: "no connection in time"}
	}
	return Result{Outcome: Retry, Reason: ReasonNetwork, Detail: "no connection"}
}
