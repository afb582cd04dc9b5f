package alerts

import (
	"testing"
	"time"
)

// An endpoint is disabled after five days without a success and ten attempts,
// whichever comes last, and warned of before.
func TestHealthFails(t *testing.T) {
	begin := time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC)
	hour := time.Hour
	for _, tt := range []struct {
		name     string
		fails    []time.Duration // after the beginning
		success  time.Duration   // 0: none
		state    EndpointState
		warned   int
		failures int
	}{
		{"once", []time.Duration{0}, 0, EndpointOn, 0, 1},
		{"often in a day", []time.Duration{0, hour, 2 * hour, 3 * hour, 4 * hour, 5 * hour, 6 * hour, 7 * hour, 8 * hour, 9 * hour, 24 * hour}, 0, EndpointOn, 0, 11},
		{"half the time", []time.Duration{0, 60 * hour}, 0, EndpointOn, 50, 2},
		{"just under it", []time.Duration{0, 60*hour - time.Minute}, 0, EndpointOn, 0, 2},
		{"70 percent", []time.Duration{0, 84 * hour}, 0, EndpointOn, 70, 2},
		{"90 percent", []time.Duration{0, 108 * hour}, 0, EndpointOn, 90, 2},
		{"long, few attempts", []time.Duration{0, 1, 2, 3, 4, 5, 6, 7, 400 * hour}, 0, EndpointOn, 90, 9},
		{"long and ten attempts", []time.Duration{0, 1, 2, 3, 4, 5, 6, 7, 8, 120 * hour}, 0, EndpointDisabled, 90, 10},
		{"ten attempts, a minute short", []time.Duration{0, 1, 2, 3, 4, 5, 6, 7, 8, 120*hour - time.Minute}, 0, EndpointOn, 90, 10},
		{"a success between", []time.Duration{0, 1, 2, 3, 4, 5, 6, 7, 8, 130 * hour}, 90 * hour, EndpointOn, 0, 1},
	} {
		h := Health{}.begin("hook-a", false, "", begin)
		for _, at := range tt.fails {
			if tt.success > 0 && at > tt.success {
				h, tt.success = h.succeeded(begin.Add(tt.success)), 0
			}
			h = h.failed(begin.Add(at))
		}
		if h.State != tt.state || h.Warned != tt.warned || h.Failures != tt.failures {
			t.Errorf("%s: %s, warned at %d, %d failures, want %s, %d, %d", tt.name, h.State, h.Warned, h.Failures, tt.state, tt.warned, tt.failures)
		}
		if tt.state == EndpointDisabled && h.Reason != DisabledFailing {
			t.Errorf("%s: disabled for %q", tt.name, h.Reason)
		}
	}
}

func TestHealthBegins(t *testing.T) {
	begin := time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC)
	later := begin.Add(time.Hour)
	on := Health{Destination: "a", State: EndpointOn, Since: begin, Failing: begin, Failures: 3}
	pending := Health{Destination: "a", State: EndpointPending, Since: begin, Challenge: "old"}
	unverified := pending.expired(later)
	gone := on.disabled(DisabledGone, begin)
	if unverified.State != EndpointDisabled || unverified.Reason != DisabledUnverified || unverified.Challenge != "" {
		t.Errorf("an hour without an answer: %+v", unverified)
	}
	if h := pending.expired(later.Add(-time.Second)); h != pending {
		t.Errorf("within the hour: %+v", h)
	}
	if h := on.expired(later.Add(1000 * time.Hour)); h != on {
		t.Errorf("one that is on expires: %+v", h)
	}
	for _, tt := range []struct {
		name        string
		before      Health
		destination string
		verify      bool
		want        Health
	}{
		{"new", Health{}, "a", true, Health{Destination: "a", State: EndpointPending, Since: later, Challenge: "new"}},
		{"new, taken for granted", Health{}, "a", false, Health{Destination: "a", State: EndpointOn, Since: later}},
		{"the same", on, "a", true, on},
		{"another address", on, "b", true, Health{Destination: "b", State: EndpointPending, Since: later, Challenge: "new"}},
		{"another address, taken for granted", gone, "b", false, Health{Destination: "b", State: EndpointOn, Since: later}},
		{"pending still", pending, "a", true, pending},
		{"pending, now taken for granted", pending, "a", false, Health{Destination: "a", State: EndpointOn, Since: later}},
		{"unverified, now taken for granted", unverified, "a", false, Health{Destination: "a", State: EndpointOn, Since: later}},
		{"gone stays gone", gone, "a", false, gone},
	} {
		if got := tt.before.begin(tt.destination, tt.verify, "new", later); got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
	after := gone.verified("a", later)
	if want := (Health{Destination: "a", State: EndpointOn, Since: later, Verified: later}); after != want {
		t.Errorf("verified:\n got %+v\nwant %+v", after, want)
	}
	if again := gone.disabled(DisabledFailing, later); again != gone {
		t.Errorf("disabled twice: %+v", again)
	}
}
