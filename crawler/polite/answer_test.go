package polite

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
)

var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	now := noon
	for _, test := range []struct {
		said, date string
		want       time.Duration // 0: nothing was said
	}{
		{"120", "", 2 * time.Minute},
		{" 120 ", "", 2 * time.Minute},
		{"86400", "", 24 * time.Hour},
		{"9999999", "", 7 * 24 * time.Hour},
		{"99999999999999999999999", "", 7 * 24 * time.Hour},
		{"-5", "", 0},
		{"1.5", "", 0},
		{"soon", "", 0},
		{"", "", 0},
		{"Tue, 01 Sep 2026 12:10:00 GMT", "", 10 * time.Minute},
		{"Tue, 01 Sep 2026 11:50:00 GMT", "", 0},
		// The site's clock is an hour behind ours: what it calls ten past is ours to add.
		{"Tue, 01 Sep 2026 11:10:00 GMT", "Tue, 01 Sep 2026 11:00:00 GMT", 10 * time.Minute},
		// It is an hour ahead: the later reading holds.
		{"Tue, 01 Sep 2026 13:10:00 GMT", "Tue, 01 Sep 2026 13:00:00 GMT", 70 * time.Minute},
		{"120", "Tue, 01 Sep 2026 11:00:00 GMT", 2 * time.Minute},
	} {
		h := http.Header{"Retry-After": {test.said}, "Date": {test.date}}
		got := retryAfter(h, now)
		if test.want == 0 && !got.IsZero() || test.want > 0 && got.Sub(now) != test.want {
			t.Errorf("%q at %q: %v, want %s from now", test.said, test.date, got, test.want)
		}
	}
	if got := retryAfter(http.Header{"Retry-After": {"0"}}, now); !got.Equal(now) {
		t.Errorf("0 seconds: %v", got)
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120", "")
	f.Add("Tue, 01 Sep 2026 12:10:00 GMT", "Tue, 01 Sep 2026 12:00:00 GMT")
	now := noon
	f.Fuzz(func(t *testing.T, said, date string) {
		if got := retryAfter(http.Header{"Retry-After": {said}, "Date": {date}}, now); !got.IsZero() && got.Before(now) {
			t.Errorf("%q: %v is over", said, got)
		}
	})
}

func TestClockDifference(t *testing.T) {
	for _, test := range []struct {
		date, age string
		want      time.Duration
		ok        bool
	}{
		{"Tue, 01 Sep 2026 12:00:00 GMT", "", 0, true},
		{"Tue, 01 Sep 2026 11:57:00 GMT", "", -3 * time.Minute, true},
		{"Tue, 01 Sep 2026 13:00:00 GMT", "", time.Hour, true},
		// A cache has kept the answer for an hour: its clock is right.
		{"Tue, 01 Sep 2026 11:00:00 GMT", "3600", 0, true},
		{"Tue, 01 Sep 2026 12:00:00 GMT", "-5", 0, true},
		{"Tue, 01 Sep 2026 12:00:00 GMT", "99999999999999999999", 0, true},
		{"yesterday", "", 0, false},
		{"", "60", 0, false},
	} {
		got, ok := clockDifference(http.Header{"Date": {test.date}, "Age": {test.age}}, noon)
		if got != test.want || ok != test.ok {
			t.Errorf("%q, aged %q: %s, %v, want %s, %v", test.date, test.age, got, ok, test.want, test.ok)
		}
	}
}

func TestCodeOf(t *testing.T) {
	for _, test := range []struct {
		status int
		err    error
		want   string
	}{
		{200, nil, "ok"}, {206, nil, "ok"}, {302, nil, "redirect"}, {304, nil, "not_modified"}, {400, nil, "client_error"}, {403, nil, "forbidden"},
		{404, nil, "not_found"}, {410, nil, "not_found"}, {429, nil, "rate_limited"}, {500, nil, "server_error"},
		{0, ErrTimeout, "timeout"}, {0, context.DeadlineExceeded, "timeout"}, {0, io.ErrUnexpectedEOF, "cut"}, {200, ErrTooLarge, "cut"},
		{0, errors.New("connection refused"), "network"},
	} {
		if got := codeOf(test.status, test.err); got != test.want {
			t.Errorf("%d, %v: %s, want %s", test.status, test.err, got, test.want)
		}
	}
}

// Each class that is told is one of the list: label values are a closed set.
func TestRequestCodes(t *testing.T) {
	known := map[string]bool{}
	for _, c := range RequestCodes() {
		known[c] = true
	}
	for status := 200; status < 600; status++ {
		if c := codeOf(status, nil); !known[c] {
			t.Errorf("%d is %q, which is not in the list", status, c)
		}
	}
}
