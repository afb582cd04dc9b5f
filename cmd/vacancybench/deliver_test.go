package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/alerts"
)

// TestDeliverSuite sends a few messages every way: all arrive, once, and none
// of the figures is missing.
func TestDeliverSuite(t *testing.T) {
	var out bytes.Buffer
	c := &deliverCmd{Messages: ofEach, Rounds: 1, Fanout: 120, State: "both", Answer: []time.Duration{time.Hour}, Dir: t.TempDir(), Quick: true, Seed: 7}
	if err := c.Run(&env{ctx: t.Context(), stdout: &out}); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	number := `\d+(\.\d+)?`
	for _, row := range []string{
		`mail, in the clear +embedded` + strings.Repeat(" +"+number, 9) + "\n",
		`mail, STARTTLS +embedded` + strings.Repeat(" +"+number, 9) + "\n",
		`webhook, 1 endpoint +embedded` + strings.Repeat(" +"+number, 9) + "\n",
		`webhook, 8 endpoints +embedded` + strings.Repeat(" +"+number, 9) + "\n",
		`120, mail +embedded` + strings.Repeat(" +"+number, 12) + " +0 +0\n",
		`120, webhook, 8 endpoints +embedded` + strings.Repeat(" +"+number, 12) + " +0 +0\n",
		"replicas are left out", "all was delivered, once",
	} {
		if !regexp.MustCompile(row).Match(out.Bytes()) {
			t.Errorf("the table has no %q:\n%s", row, &out)
		}
	}
	if strings.Contains(out.String(), " times ") {
		t.Errorf("something was settled otherwise than delivered:\n%s", &out)
	}
}

func TestDeliverRefuses(t *testing.T) {
	good := deliverCmd{Messages: ofEach, Rounds: 1, Fanout: 10, Answer: []time.Duration{0}}
	for name, spoil := range map[string]func(*deliverCmd){
		"messages": func(c *deliverCmd) { c.Messages = ofEach - 1 },
		"rounds":   func(c *deliverCmd) { c.Rounds = 0 },
		"fan-out":  func(c *deliverCmd) { c.Fanout = 9 },
		"answer":   func(c *deliverCmd) { c.Answer = nil },
	} {
		c := good
		spoil(&c)
		if err := c.Run(&env{ctx: t.Context(), stdout: &bytes.Buffer{}}); err == nil || !strings.HasPrefix(err.Error(), "give at least") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDeliverVerdict shows that a broken promise is said and fails the run, and
// that a quick run judges what arrived all the same.
func TestDeliverVerdict(t *testing.T) {
	for _, tt := range []struct {
		quick bool
		speed bool
		all   bool
		want  string
	}{
		{false, true, true, "every promise was held"},
		{true, false, true, "all was delivered, once; a quick run judges no speed"},
		{false, false, true, "BROKEN  0.10 is slow"},
		{false, true, false, "BROKEN  3 were lost"},
		{true, true, false, "BROKEN  3 were lost"},
	} {
		var out bytes.Buffer
		r := &deliverRun{deliverCmd: &deliverCmd{Quick: tt.quick}, out: &out}
		r.promiseSpeed(tt.speed, "%.2f is slow", 0.1)
		r.promise(tt.all, "%d were lost", 3)
		err := r.verdict()
		if diff := cmp.Diff(tt.want, strings.TrimSpace(out.String())); diff != "" || errors.Is(err, errBroken) != strings.HasPrefix(tt.want, "BROKEN") {
			t.Errorf("%+v: %v (-want +got):\n%s", tt, err, diff)
		}
	}
}

func TestDeliverRatio(t *testing.T) {
	// The second round fell into a slow minute of the machine.
	f := rate{ours: []float64{90, 40, 80}, bare: []float64{100, 45, 100}}
	if got := f.ratio(); fmt.Sprintf("%.3f", got) != "0.889" {
		t.Errorf("the ratio is %.3f, want 0.889, the middle one of 0.9, 0.889 and 0.8", got)
	}
}

// TestArrivals counts what comes again, for a mail by its envelope sender.
func TestArrivals(t *testing.T) {
	a := &arrivals{}
	a.expect(3, true)
	for _, from := range []string{"b+aaaabbbbccccddddeeeeffff@x.example", "b+aaaabbbbccccddddeeeegggg@x.example", "b+aaaabbbbccccddddeeeeffff@x.example"} {
		a.came(senderToken(from), sent{from: from})
	}
	if came, again := a.counts(); came != 2 || again != 1 {
		t.Errorf("%d came and %d again, want 2 and 1", came, again)
	}
	if len(a.kept) != 2 {
		t.Errorf("%d were kept for the bare library, want 2", len(a.kept))
	}
	if _, ok := a.at("aaaabbbbccccddddeeeegggg"); !ok {
		t.Error("a message that came is not found")
	}
	if _, ok := a.at("aaaabbbbccccddddeeeehhhh"); ok {
		t.Error("a message that did not come is found")
	}
}

// TestHookSinkChecks shows that the endpoint takes what the bare sender signs
// and nothing else.
func TestHookSinkChecks(t *testing.T) {
	a := &arrivals{}
	a.expect(1, false)
	secret := newHookSecret()
	s, err := newHookSink(a, 0, secret)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := sent{id: "msg_aaaabbbbccccddddeeeeffff", body: []byte(`{"type":"vacancy.new"}`)}
	if err := bareHook(t.Context(), http.DefaultClient, s, h); err != nil {
		t.Errorf("signed: %v", err)
	}
	wrong := *s
	wrong.key = append([]byte("x"), s.key...)
	if err := bareHook(t.Context(), http.DefaultClient, &wrong, h); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("signed with another key: %v", err)
	}
	if came, again := a.counts(); came != 1 || again != 0 {
		t.Errorf("%d came and %d again, want 1 and 0", came, again)
	}
	if _, err := newHookSink(a, 0, "no secret"); err == nil {
		t.Error("a sink was made of what is no secret")
	}
}

// TestDeliveryStalls shows that a suite whose messages do not go ends, and says
// what became of them.
func TestDeliveryStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDelivery(3)
		go func() {
			d.settled(&alerts.Message{}, alerts.SettleDone)
			time.Sleep(stallAfter / 2)
			d.settled(&alerts.Message{Reason: "network"}, alerts.SettleRetry)
		}()
		began := time.Now()
		err := d.wait(t.Context())
		if err == nil || !strings.Contains(err.Error(), "1 of 3 messages, other settlements map[retry network:1]") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took > 3*stallAfter {
			t.Errorf("it took %v to say so", took)
		}
		d = newDelivery(1)
		d.settled(&alerts.Message{}, alerts.SettleDone)
		if err := d.wait(t.Context()); err != nil {
			t.Errorf("all was delivered: %v", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := newDelivery(1).wait(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("stopped: %v", err)
		}
	})
}

func TestWatchHeap(t *testing.T) {
	stop := watchHeap(heap())
	held := make([]byte, 8<<20)
	heap() // two collections, in which it is in use
	g := stop()
	if g.heap < 8<<20 || g.live < 8<<20 || g.heap > 64<<20 {
		t.Errorf("the heap grew by %.1f MiB, %.1f of them in use, want 8 and a little more", mib(g.heap), mib(g.live))
	}
	runtime.KeepAlive(held)
}
