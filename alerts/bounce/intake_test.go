package bounce

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A report counts for the address whose token it was sent to, and for none
// that it names.
func TestIntake(t *testing.T) {
	for _, lmtp := range []bool{false, true} {
		t.Run(fmt.Sprintf("lmtp %v", lmtp), func(t *testing.T) {
			s := newScene(t, lmtp)
			jo := s.list.ID("jo@reader.example")
			sender := s.desk.Sender("Jo@reader.example", noon.Add(-2*day))
			complaint := func(from string) []byte {
				return wrap(words, strings.ReplaceAll(abuse, "b+token@bounces.example.org", from), original)
			}
			for _, tt := range []struct {
				name    string
				to      string
				raw     []byte
				want    []string
				metrics string
			}{
				{"hard", sender, fixture(t, "exim-unknown-user"), []string{jo.String() + " bounced, sent 2026-07-12"}, "mails_returned hard report"},
				{"hard, capital letters", strings.ToUpper(sender), wrap(status(failed)), []string{jo.String() + " bounced, sent 2026-07-12"}, "mails_returned hard report"},
				{"policy", sender, fixture(t, "exim-policy"), nil, "mails_returned policy report"},
				{"554", sender, fixture(t, "exim-554-at-dot"), nil, "mails_returned policy report"},
				{"delayed", sender, wrap(status("Action: delayed")), nil, "mails_returned delayed report"},
				{"delivered", sender, wrap(status(arrived)), nil, "mails_returned delivered report"},
				{"holiday", sender, []byte("Subject: Away\r\n\r\nBack in May. canary.reader@example.net\r\n"), nil, "mails_returned other report"},
				{"no mail", sender, []byte("canary.reader@example.net\r\n"), nil, "mails_returned other report"},
				{"complaint to its sender", sender, complaint("nobody@example.org"), []string{jo.String() + " complained"}, "mails_returned complaint report"},
				{"complaint from a feedback loop", s.desk.Signer.Reports(), complaint(sender), []string{jo.String() + " complained"}, "mails_returned complaint report"},
				{"complaint, forged", s.desk.Signer.Reports(), complaint("b+" + strings.Repeat("a", 45) + "@bounces.example.org"), nil, "mails_returned other report"},
				{"complaint about a complaint", s.desk.Signer.Reports(), complaint(s.desk.Signer.Reports()), nil, "mails_returned other report"},
				{"bounce to the address for complaints", s.desk.Signer.Reports(), fixture(t, "exim-unknown-user"), nil, "mails_returned other report"},
			} {
				before := s.metrics()[tt.metrics]
				if err := s.deliver(tt.to, tt.raw); err != nil {
					t.Errorf("%s: %v", tt.name, err)
				}
				if diff := cmp.Diff(tt.want, s.list.take()); diff != "" {
					t.Errorf("%s: noted (-want +got):\n%s", tt.name, diff)
				}
				if got := s.metrics()[tt.metrics] - before; got != 1 {
					t.Errorf("%s: %s went up by %v", tt.name, tt.metrics, got)
				}
			}
			if got := s.metrics()["bounce_intake_refused foreign"]; got != 0 {
				t.Errorf("%v recipients were refused", got)
			}
		})
	}
}

// Who has no token is turned away before he can send anything.
func TestForgedBounce(t *testing.T) {
	s := newScene(t, false)
	sender := s.desk.Sender("jo@reader.example", noon)
	last := sender[strings.Index(sender, "@")-5]
	other := byte('a')
	if last == other {
		other = 'b'
	}
	at := strings.Index(sender, "@") - 5
	for _, to := range []string{"postmaster@bounces.example.org", "canary.reader@example.net", "b@bounces.example.org",
		"b+" + strings.Repeat("q", 45) + "@bounces.example.org", sender[:at] + string(other) + sender[at+1:], strings.Replace(sender, "bounces", "other", 1)} {
		if err := s.deliver(to, wrap(status(failed))); code(err) != 550 {
			t.Errorf("%s: got %v, want 550", to, err)
		}
	}
	if err := s.deliver(s.desk.Sender("jo@reader.example", noon.Add(-62*day)), wrap(status(failed))); code(err) != 550 {
		t.Errorf("an old token: got %v, want 550", err)
	}
	want := map[string]float64{"bounce_intake_refused foreign": 6, "bounce_intake_refused expired": 1}
	if diff := cmp.Diff(want, s.metrics()); diff != "" || s.list.take() != nil {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// A mail of a megabyte is too much, and does no harm to the next.
func TestTooBig(t *testing.T) {
	s := newScene(t, false)
	sender := s.desk.Sender("jo@reader.example", noon)
	big := append(wrap(status(failed)), bytes.Repeat([]byte("All work and no play.\r\n"), 1<<20/23+1)...)
	if err := s.deliver(sender, big); code(err) != 552 {
		t.Errorf("got %v, want 552", err)
	}
	if got := s.list.take(); got != nil {
		t.Errorf("noted %v", got)
	}
	if err := s.deliver(sender, big[:1<<20-4096]); err != nil {
		t.Errorf("just under it: %v", err)
	}
	if got := s.list.take(); len(got) != 1 {
		t.Errorf("noted %v, want one bounce", got)
	}
	if got := s.metrics()["bounce_intake_refused size"]; got != 1 {
		t.Errorf("refused for its size: %v, want 1", got)
	}
}

// A report that cannot be put on the list comes again.
func TestListBroken(t *testing.T) {
	s := newScene(t, false)
	sender := s.desk.Sender("jo@reader.example", noon)
	for _, raw := range [][]byte{wrap(status(failed)), wrap(words, abuse)} {
		s.list.fail = 1
		if err := s.deliver(sender, raw); code(err) != 451 {
			t.Errorf("got %v, want 451", err)
		}
		if err := s.deliver(sender, raw); err != nil {
			t.Errorf("the second time: %v", err)
		}
		if got := s.list.take(); len(got) != 1 {
			t.Errorf("noted %v, want it once", got)
		}
	}
	want := map[string]float64{"mails_returned hard report": 1, "mails_returned complaint report": 1}
	if diff := cmp.Diff(want, s.metrics()); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// Connections are counted, and the one too many waits for another to end.
func TestConnectionsBounded(t *testing.T) {
	s := newScene(t, false)
	greeted := make(chan net.Conn, maxConns+1)
	for range maxConns + 1 {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		go func() {
			if n, err := conn.Read(make([]byte, 100)); n > 0 && err == nil {
				greeted <- conn
			}
		}()
	}
	var last net.Conn
	for range maxConns {
		last = <-greeted
	}
	select {
	case <-greeted:
		t.Fatalf("connection %d was served beside %d others", maxConns+1, maxConns)
	case <-time.After(200 * time.Millisecond): // a greeting takes far less
	}
	last.Close()
	select {
	case <-greeted:
	case <-time.After(10 * time.Second):
		t.Error("the connection that waited was never served")
	}
}

// At the end the port is given back, and a mail that is being brought is
// taken first.
func TestIntakeEnds(t *testing.T) {
	s := newScene(t, false)
	c := s.client()
	if err := errors.Join(c.Mail("", nil), c.Rcpt(s.desk.Sender("jo@reader.example", noon), nil)); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.stop() }()
	for { // until nobody is let in any more
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			break
		}
		conn.Close()
	}
	if _, err := w.Write(wrap(status(failed))); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), c.Quit()); err != nil {
		t.Errorf("the mail that was under way: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("serve: %v", err)
	}
	if got := s.list.take(); len(got) != 1 {
		t.Errorf("noted %v, want the bounce", got)
	}
}

// A listener that breaks ends the daemon: without it bounces are lost.
func TestListenerBreaks(t *testing.T) {
	s := newScene(t, false)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	in := &Intake{Desk: s.desk, Now: time.Now}
	if err := in.Serve(t.Context(), l); err == nil || !strings.HasPrefix(err.Error(), "take in bounces: ") {
		t.Errorf("got %v, want an error", err)
	}
}

// What the relay refuses at once counts for the day; a list that cannot be
// written is said, without the address.
func TestRejected(t *testing.T) {
	s := newScene(t, false)
	const reader = "canary.reader@example.net"
	id := s.list.ID(reader).String()
	s.desk.Rejected(t.Context(), reader, noon)
	if diff := cmp.Diff([]string{id + " bounced, sent 2026-07-14"}, s.list.take()); diff != "" {
		t.Errorf("noted (-want +got):\n%s", diff)
	}
	s.list.fail = 1
	s.desk.Rejected(t.Context(), reader, noon)
	if log := s.log.String(); !strings.Contains(log, "could not be counted") || !strings.Contains(log, id) {
		t.Errorf("the log does not say that it could not be counted:\n%s", log)
	}
	unsigned := &Desk{List: s.list, Logger: s.desk.Logger, Metrics: s.desk.Metrics}
	if got := unsigned.Sender(reader, noon); got != "" {
		t.Errorf("sender %q where no reports are taken in, want none", got)
	}
}
