package channel

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A relay is forty lines of TCP that do what no real server would.
type relay struct {
	t     *testing.T
	addr  string
	conns atomic.Int32
	gone  chan string  // what a connection ended with: "QUIT" or "cut"
	mail  atomic.Value // the last MAIL command, a string
}

// ended waits for a connection to end and says how it did.
func (r *relay) ended() string {
	r.t.Helper()
	select {
	case how := <-r.gone:
		return how
	case <-time.After(5 * time.Second):
		r.t.Fatal("the connection was left open")
		return ""
	}
}

// newRelay answers each command with answer(connection, command), where the
// whole of a mail is the command ".". An answer of "" is the usual one,
// "cut" hangs up, "hang" waits until the client has gone, "x; cut" answers x
// and hangs up. The greeting is the command "greet".
func newRelay(t *testing.T, config *tls.Config, answer func(conn int, cmd string) string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	t.Cleanup(func() { l.Close() })
	r := &relay{t: t, addr: l.Addr().String(), gone: make(chan string, 100)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n := int(r.conns.Add(1))
			go func() {
				defer c.Close()
				r.gone <- talk(c, func(cmd string) string { return answer(n, cmd) }, func(line string) { r.mail.Store(line) })
			}()
		}
	}()
	return r
}

func talk(c net.Conn, answer func(cmd string) string, mail func(line string)) string {
	in := textproto.NewReader(bufio.NewReader(c))
	cmd := "greet"
	for {
		usual := map[string]string{"greet": "220 relay", "EHLO": "250 relay", "DATA": "354 go on", "QUIT": "221 bye"}[cmd]
		if usual == "" {
			usual = "250 ok"
		}
		a := answer(cmd)
		say, cut := strings.CutSuffix(a, "; cut")
		switch {
		case a == "cut":
			return "cut"
		case a == "hang":
			for {
				if _, err := in.ReadLine(); err != nil {
					return "cut"
				}
			}
		case a == "":
			say = usual
		}
		fmt.Fprintf(c, "%s\r\n", say)
		if cut || cmd == "QUIT" {
			return cmd
		}
		if cmd == "DATA" && strings.HasPrefix(say, "354") {
			if _, err := in.ReadDotBytes(); err != nil {
				return "cut"
			}
			cmd = "."
			continue
		}
		line, err := in.ReadLine()
		if err != nil {
			return "cut"
		}
		if cmd = strings.ToUpper(strings.Fields(line + " ?")[0]); cmd == "MAIL" {
			mail(line)
		}
	}
}

func (r *relay) email(edit func(*EmailConfig)) *Email {
	r.t.Helper()
	host, port, err := net.SplitHostPort(r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	cfg := EmailConfig{Host: host, From: "alerts@example.org", TLS: TLSNone, HelloName: "client.example.org"}
	fmt.Sscan(port, &cfg.Port)
	if edit != nil {
		edit(&cfg)
	}
	e, err := NewEmail(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { e.Close() })
	return e
}

func note(id string) Message {
	return Message{ID: id, To: "reader@example.net", Body: []byte("Subject: x\r\n\r\nx\r\n"), Try: 1}
}

// at answers the command of the first connection only, or of all with n = 0.
func at(n int, cmd, say string) func(int, string) string {
	return func(conn int, c string) string {
		if c == cmd && (n == 0 || conn == n) {
			return say
		}
		return ""
	}
}

func TestRelayAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(int, string) string
		want   Result
		conns  int32
	}{
		{"plain", at(0, "", ""), Result{Outcome: Done, Detail: "accepted"}, 1},
		{"greets with 421", at(0, "greet", "421 4.7.0 later"), Result{Outcome: Release, Reason: ReasonRateLimited, Detail: "connect: 421 4.7.0"}, 1},
		{"greets with 554", at(0, "greet", "554 no"), Result{Outcome: Release, Reason: ReasonServer, Detail: "connect: 554"}, 1},
		{"greets with rubbish", at(0, "greet", "HTTP/1.1 400 Bad Request"), Result{Outcome: Release, Reason: ReasonNetwork, Detail: "connect: no answer"}, 1},
		{"cut before the greeting", at(0, "greet", "cut"), Result{Outcome: Release, Reason: ReasonNetwork, Detail: "connect: no answer"}, 1},
		{"cut at MAIL", at(0, "MAIL", "cut"), Result{Outcome: Release, Reason: ReasonNetwork, Detail: "MAIL: no answer"}, 1},
		{"421 at MAIL once", at(1, "MAIL", "421 too many messages in this connection; cut"), Result{Outcome: Done, Detail: "accepted"}, 2},
		{"421 at MAIL always", at(0, "MAIL", "421 too many messages in this connection; cut"), Result{Outcome: Release, Reason: ReasonRateLimited, Detail: "MAIL: 421"}, 2},
		{"cut at RCPT", at(0, "RCPT", "cut"), Result{Outcome: Release, Reason: ReasonNetwork, Detail: "RCPT: no answer"}, 1},
		{"several lines at RCPT", at(0, "RCPT", "550-5.1.1 nobody <reader@example.net>\r\n550 5.1.1 here"), Result{Outcome: Bury, Reason: ReasonRejected, Detail: "RCPT: 550 5.1.1"}, 1},
		// Exim's words where it is not to relay for us: they come for every address.
		{"relaying refused, no enhanced code", at(0, "RCPT", "550 relay not permitted"), Result{Outcome: Bury, Reason: ReasonPolicy, Detail: "RCPT: 550"}, 1},
		{"a relay that names itself", at(0, "RCPT", "550 5.1.1 relay is sorry: no such user"), Result{Outcome: Bury, Reason: ReasonRejected, Detail: "RCPT: 550 5.1.1"}, 1},
		{"554 at RCPT", at(0, "RCPT", "554 no"), Result{Outcome: Bury, Reason: ReasonContent, Detail: "RCPT: 554"}, 1},
		{"DATA refused", at(0, "DATA", "554 no valid recipients"), Result{Outcome: Bury, Reason: ReasonContent, Detail: "DATA: 554"}, 1},
		{"DATA later", at(0, "DATA", "451 later"), Result{Outcome: Retry, Reason: ReasonServer, Detail: "DATA: 451"}, 1},
		{"cut at DATA, before 354", at(0, "DATA", "cut"), Result{Outcome: Release, Reason: ReasonNetwork, Detail: "DATA: no answer"}, 1},
		{"cut after the dot", at(0, ".", "cut"), Result{Outcome: Unknown, Reason: ReasonNetwork, Detail: "end of DATA: no answer"}, 1},
		{"rubbish after the dot", at(0, ".", "maybe"), Result{Outcome: Unknown, Reason: ReasonNetwork, Detail: "end of DATA: no answer"}, 1},
		{"another word of agreement", at(0, ".", "251 ok"), Result{Outcome: Done, Detail: "end of DATA: 251"}, 1},
		{"250, then cut", at(0, ".", "250 ok; cut"), Result{Outcome: Done, Detail: "accepted"}, 1},
		{"RSET fails after a refusal", func(_ int, c string) string {
			return map[string]string{"RCPT": "450 later", "RSET": "cut"}[c]
		}, Result{Outcome: Retry, Reason: ReasonServer, Detail: "RCPT: 450"}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRelay(t, nil, tt.answer)
			got := r.email(nil).Send(t.Context(), note("answers"))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if n := r.conns.Load(); n != tt.conns {
				t.Errorf("%d connections, want %d", n, tt.conns)
			}
		})
	}
}

// A kept connection that the relay has closed is the relay's business: the
// mail goes over a new one, also after "250, then cut", and no RSET follows a
// mail that was accepted.
func TestRelayKeptConnection(t *testing.T) {
	r := newRelay(t, nil, func(_ int, cmd string) string {
		if cmd == "RSET" || cmd == "NOOP" {
			t.Errorf("%s was sent", cmd)
		}
		return at(0, ".", "250 ok; cut")(0, cmd)
	})
	e := r.email(nil)
	for i := range 3 {
		if got := e.Send(t.Context(), note(fmt.Sprint(i))); got.Outcome != Done {
			t.Errorf("mail %d: %+v", i, got)
		}
	}
	if n := r.conns.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
}

func TestRelayRenewal(t *testing.T) {
	r := newRelay(t, nil, at(0, "", ""))
	e := r.email(nil)
	for i := range 25 {
		if got := e.Send(t.Context(), note(fmt.Sprint(i))); got.Outcome != Done {
			t.Errorf("mail %d: %+v", i, got)
		}
	}
	if n := r.conns.Load(); n != 3 {
		t.Errorf("25 mails over %d connections, want 3", n)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	for range 3 {
		if how := r.ended(); how != "QUIT" {
			t.Errorf("a connection ended with %s, want QUIT", how)
		}
	}
}

// An idle connection is given up by itself, before the relay hangs up.
func TestRelayIdle(t *testing.T) {
	r := newRelay(t, nil, at(0, "", ""))
	e := r.email(nil)
	e.keep = 20 * time.Millisecond
	for range 2 {
		if got := e.Send(t.Context(), note("idle")); got.Outcome != Done {
			t.Fatalf("got %+v", got)
		}
		if how := r.ended(); how != "QUIT" {
			t.Errorf("the connection ended with %s, want QUIT", how)
		}
	}
	if keepIdle >= 30*time.Second {
		t.Errorf("a connection is kept for %v, want under 30 s", keepIdle)
	}
}

// TestRelayContext: the context ends every wait at once, and what it means
// depends on how far the mail was.
func TestRelayContext(t *testing.T) {
	for cmd, want := range map[string]Result{
		"greet": {Outcome: Release, Reason: ReasonStopped, Detail: "connect: stopped"},
		"EHLO":  {Outcome: Release, Reason: ReasonStopped, Detail: "connect: stopped"},
		"MAIL":  {Outcome: Release, Reason: ReasonStopped, Detail: "MAIL: stopped"},
		"RCPT":  {Outcome: Release, Reason: ReasonStopped, Detail: "RCPT: stopped"},
		"DATA":  {Outcome: Release, Reason: ReasonStopped, Detail: "DATA: stopped"},
		".":     {Outcome: Unknown, Reason: ReasonStopped, Detail: "end of DATA: stopped"},
	} {
		t.Run(cmd, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			r := newRelay(t, nil, func(_ int, c string) string {
				if c == cmd {
					cancel()
					return "hang"
				}
				return ""
			})
			start := time.Now()
			if diff := cmp.Diff(want, r.email(nil).Send(ctx, note("context"))); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			if how := r.ended(); how != "cut" {
				t.Errorf("the connection ended with %s, want it closed", how)
			}
		})
	}
	t.Run("waiting for the turn", func(t *testing.T) {
		hangs := make(chan bool)
		r := newRelay(t, nil, func(_ int, c string) string {
			if c == "MAIL" {
				close(hangs)
				return "hang"
			}
			return ""
		})
		e := r.email(nil)
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan Result)
		go func() { first <- e.Send(ctx, note("first")) }()
		<-hangs
		short, end := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer end()
		want := Result{Outcome: Release, Reason: ReasonTimeout, Detail: "connect: no answer in time"}
		if diff := cmp.Diff(want, e.Send(short, note("second"))); diff != "" {
			t.Errorf("second (-want +got):\n%s", diff)
		}
		cancel()
		if r := <-first; r.Outcome != Release {
			t.Errorf("first: %+v", r)
		}
	})
}

// Certificate returns a server's certificate for 127.0.0.1 and the file that
// a client trusts it by.
func Certificate(t *testing.T) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, file
}

// TLS from the first byte is tried on a port of the test, in place of 465.
func TestRelayImplicitTLS(t *testing.T) {
	config, ca := Certificate(t)
	// LOGIN would be refused without TLS: the library must know it has it.
	r := newRelay(t, config, func(_ int, cmd string) string {
		return map[string]string{"EHLO": "250-relay\r\n250 AUTH PLAIN", "AUTH": "235 welcome"}[cmd]
	})
	for name, tt := range map[string]struct {
		ca   string
		want Result
	}{
		"trusted": {ca, Result{Outcome: Done, Detail: "accepted"}},
		"unknown": {"", Result{Outcome: Release, Reason: ReasonNetwork, Detail: "connect: no answer"}},
	} {
		e := r.email(func(c *EmailConfig) {
			c.CAFile, c.Username, c.Password = tt.ca, "alerts", NewSecret("password")
		})
		e.opener.implicit = true
		if diff := cmp.Diff(tt.want, e.Send(t.Context(), note("implicit"))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if e, err := NewEmail(EmailConfig{Host: "smtp.example.org", Port: 465, From: "alerts@example.org"}); err != nil || !e.opener.implicit {
		t.Errorf("port 465: implicit TLS is off, %v", err)
	}
}

// Without STARTTLS nothing is sent where TLS is mandatory, which it is unless
// the configuration says otherwise.
func TestRelayMandatoryTLS(t *testing.T) {
	r := newRelay(t, nil, func(_ int, cmd string) string {
		if cmd == "MAIL" || cmd == "AUTH" {
			t.Errorf("%s was sent in the clear", cmd)
		}
		return map[string]string{"EHLO": "250-relay\r\n250 AUTH PLAIN LOGIN"}[cmd]
	})
	e := r.email(func(c *EmailConfig) { c.TLS, c.Username, c.Password = "", "alerts", NewSecret("password") })
	got := e.Send(t.Context(), note("mandatory"))
	if diff := cmp.Diff(Result{Outcome: Release, Reason: ReasonNetwork, Detail: "connect: no answer"}, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	// The library forgets the connection when a step after the dial fails.
	if how := r.ended(); how != "cut" {
		t.Errorf("the connection ended with %s, want it closed", how)
	}
}

// SMTPUTF8 is not used though it is offered: bounces then have the classic form.
func TestRelayMailCommand(t *testing.T) {
	r := newRelay(t, nil, at(0, "EHLO", "250-relay\r\n250-8BITMIME\r\n250 SMTPUTF8"))
	if got := r.email(nil).Send(t.Context(), note("utf8")); got.Outcome != Done {
		t.Fatalf("got %+v", got)
	}
	if got, want := r.mail.Load(), "MAIL FROM:<alerts@example.org> BODY=8BITMIME"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSendable(t *testing.T) {
	for a, want := range map[string]bool{
		"reader@example.org": true, "first.last+tag@mail.example.org": true, "o'neil@example.org": true,
		"": false, "@": false, "reader": false, "reader@": false, "@example.org": false, "Reader <reader@example.org>": false,
		`"quoted local"@example.org`: false, `"toni> ORCPT=admin@x"@test.com`: false, "a@b@example.org": false,
		"a b@example.org": false, "a@example.org\r\nRCPT TO:<b@example.org>": false, "jürgen@example.org": false,
		"a@[127.0.0.1]": false, "a,b@example.org": false, strings.Repeat("a", 250) + "@example.org": false,
	} {
		if got := sendable(a); got != want {
			t.Errorf("%q: got %v, want %v", a, got, want)
		}
	}
}

func FuzzSendable(f *testing.F) {
	f.Add("reader@example.org")
	f.Add("\"x\"@y")
	f.Fuzz(func(t *testing.T, a string) {
		if sendable(a) && (strings.ContainsAny(a, " \r\n<>\"\x00") || strings.Count(a, "@") != 1) {
			t.Errorf("%q can be sent", a)
		}
	})
}
