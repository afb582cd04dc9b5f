package channel

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// TestGuardAddresses gives the guard addresses as a dial has them.
func TestGuardAddresses(t *testing.T) {
	blockedAddresses := []string{
		"127.0.0.1:443", "127.8.9.1:443", "0.0.0.0:443", "10.0.0.8:443", "100.64.0.1:443", "169.254.169.254:443",
		"172.16.0.1:443", "172.31.255.255:443", "192.0.0.8:443", "192.0.2.1:443", "192.88.99.1:443", "192.168.1.1:443",
		"198.18.0.1:443", "198.51.100.7:443", "203.0.113.7:443", "224.0.0.1:443", "240.0.0.1:443", "255.255.255.255:443",
		"[::1]:443", "[::]:443", "[::ffff:127.0.0.1]:443", "[::ffff:169.254.169.254]:443", "[::127.0.0.1]:443", "[fe80::1]:443", "[fe80::1%eth0]:443",
		"[fc00::1]:443", "[fd12:3456::1]:443", "[64:ff9b::7f00:1]:443", "[64:ff9b:1::7f00:1]:443", "[2001::1]:443", "[2001:db8::1]:443",
		"[2002:7f00:1::]:443", "[3fff::1]:443", "[100::1]:443", "[ff02::1]:443", "[5f00::1]:443",
		"93.184.215.14:25", "93.184.215.14:80", "93.184.215.14:6379", "[2606:2800:21f:cb07::1]:22", "rubbish", "93.184.215.14", ":443",
	}
	g := &guard{}
	for _, a := range blockedAddresses {
		if err := g.control("tcp", a, nil); !errors.Is(err, ErrBlocked) {
			t.Errorf("%s: got %v, want it blocked", a, err)
		}
	}
	for _, a := range []string{"93.184.215.14:443", "93.184.215.14:8443", "[2606:2800:21f:cb07::1]:443", "[::ffff:93.184.215.14]:443",
		"172.15.255.255:443", "172.32.0.1:443", "100.128.0.1:443", "9.255.255.255:443", "11.0.0.0:443", "223.255.255.255:443", "[2001:200::1]:443"} {
		if err := g.control("tcp", a, nil); err != nil {
			t.Errorf("%s: got %v, want it open", a, err)
		}
	}
	plain := &guard{http: true}
	if err := plain.control("tcp", "93.184.215.14:80", nil); err != nil {
		t.Errorf("port 80 where http is allowed: %v", err)
	}
	own := &guard{allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32"), netip.MustParsePrefix("fe80::/10")}}
	for _, a := range []string{"10.1.2.3:8080", "[fe80::1%eth0]:8080", "[::ffff:10.1.2.3]:8080", "[fd00:1::5]:9000"} {
		if err := own.control("tcp", a, nil); err != nil {
			t.Errorf("%s on the operator's list: %v", a, err)
		}
	}
	if err := own.control("tcp", "10.2.0.1:443", nil); !errors.Is(err, ErrBlocked) {
		t.Errorf("beside the operator's list: got %v", err)
	}
}

// dnsServer answers every question with the next of the answers, the last one
// again and again. An answer is an address, or several with commas between.
func dnsServer(t *testing.T, answers ...string) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	var asked atomic.Int32
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var q dnsmessage.Message
			if q.Unpack(buf[:n]) != nil || len(q.Questions) != 1 {
				continue
			}
			reply := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, RecursionAvailable: true}, Questions: q.Questions}
			if q.Questions[0].Type == dnsmessage.TypeA {
				i := min(int(asked.Add(1))-1, len(answers)-1)
				for a := range strings.SplitSeq(answers[i], ",") {
					reply.Answers = append(reply.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
						Body:   &dnsmessage.AResource{A: netip.MustParseAddr(a).As4()},
					})
				}
			}
			b, err := reply.Pack()
			if err != nil {
				continue
			}
			pc.WriteTo(b, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

// local is a server on loopback that must not be reached.
func local(t *testing.T, reached *atomic.Int32) (port string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestGuardSpellings asks for this machine and its neighbours in 34 spellings.
// Names are answered with 127.0.0.1 by a name server of the test.
func TestGuardSpellings(t *testing.T) {
	var reached atomic.Int32
	port := local(t, &reached)
	c := guardedClient(nil, true, dnsServer(t, "127.0.0.1"))
	hosts := []string{
		"127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.nip.example", "localhost", "LOCALHOST", "localhost.",
		"0.0.0.0", "0", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
		"[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[fe80::1%25lo]", "[::ffff:169.254.169.254]",
		// As a browser's user may paste them: net/http makes ASCII of them.
		"１２７.0.0.1", "127。0。0。1", "①②⑦.⓪.⓪.①", "ⓛocalhost",
		"127.0.0.1.", "017700000001", "0x7f.1", "0000127.0.0.1", "[0:0:0:0:0:ffff:7f00:0001]", "[::ffff:0:127.0.0.1]", "[::1%25lo]", "127.127.127.127",
	}
	if len(hosts) != 34 {
		t.Fatalf("%d spellings, want 34", len(hosts))
	}
	for _, h := range hosts {
		resp, err := c.Get("http://" + h + ":" + port + "/")
		if err == nil {
			resp.Body.Close()
			t.Errorf("%s answered", h)
		} else if h[0] == '[' && !errors.Is(err, ErrBlocked) {
			t.Errorf("%s: got %v, want it blocked", h, err)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the server on loopback was reached %d times", n)
	}
	// The same server is reached when the operator says so: the test above is
	// about the guard, not about a dead server.
	c = guardedClient([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, true, dnsServer(t, "127.0.0.1"))
	resp, err := c.Get("http://hook.example:" + port + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	c.CloseIdleConnections()
	if n := reached.Load(); n != 1 {
		t.Errorf("the allowed server was reached %d times, want once", n)
	}
}

// TestGuardRebinding lets a name pass a check as a public address and then
// turn to loopback.
func TestGuardRebinding(t *testing.T) {
	var reached atomic.Int32
	port := local(t, &reached)
	resolver := dnsServer(t, "93.184.215.14", "127.0.0.1")
	checked, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.example")
	if err != nil || len(checked) != 1 || blocked(checked[0]) {
		t.Fatalf("the check saw %v, %v: want one public address", checked, err)
	}
	_, err = guardedClient(nil, true, resolver).Get("http://rebind.example:" + port + "/")
	if !errors.Is(err, ErrBlocked) || reached.Load() != 0 {
		t.Errorf("got %v and %d calls, want it blocked", err, reached.Load())
	}
}

// TestGuardTwoAddresses has a name stand for two addresses at once, of which one
// is not allowed: whichever is dialled first, only the other is reached.
func TestGuardTwoAddresses(t *testing.T) {
	var forbidden, allowed atomic.Int32
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("this machine has one loopback address alone")
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	other, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Skipf("port %s is taken", port)
	}
	for l, count := range map[net.Listener]*atomic.Int32{l: &allowed, other: &forbidden} {
		s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { count.Add(1) })}}
		s.Start()
		t.Cleanup(s.Close)
	}
	for i, answer := range []string{"127.0.0.1,127.0.0.2", "127.0.0.2,127.0.0.1"} {
		c := guardedClient([]netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, true, dnsServer(t, answer))
		resp, err := c.Get("http://hook.example:" + port + "/")
		if err != nil {
			t.Fatalf("%s: %v", answer, err)
		}
		resp.Body.Close()
		c.CloseIdleConnections()
		if forbidden.Load() != 0 || allowed.Load() != int32(i+1) {
			t.Errorf("%s: the forbidden one was reached %d times, the other %d", answer, forbidden.Load(), allowed.Load())
		}
	}
}

// TestGuardBetweenAttempts has a name turn to a private address after an attempt
// that was let through: the next one is not.
func TestGuardBetweenAttempts(t *testing.T) {
	var reached atomic.Int32
	port := local(t, &reached)
	allow := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	c := guardedClient(allow, true, dnsServer(t, "127.0.0.1", "127.0.0.3"))
	w := &Webhook{client: c, sign: newSigner(func(time.Time) [][]byte { return nil })}
	var err error
	if w.url, err = ParseHookURL("http://turning.example:" + port + "/"); err != nil {
		t.Fatal(err)
	}
	if r := w.Test(t.Context(), time.Now()); r.Outcome != Done {
		t.Fatalf("got %+v", r)
	}
	c.CloseIdleConnections() // an open connection would lead to the same server again
	for name, send := range map[string]func() Result{
		"an alert":    func() Result { return w.Send(t.Context(), Message{ID: "a", Body: []byte("{}")}) },
		"a challenge": func() Result { return w.Verify(t.Context(), "c", time.Now()) },
		"a test":      func() Result { return w.Test(t.Context(), time.Now()) },
	} {
		if r := send(); r.Outcome != Retry || r.Reason != ReasonBlocked {
			t.Errorf("%s: got %+v, want it blocked", name, r)
		}
	}
	if n := reached.Load(); n != 1 {
		t.Errorf("the server was reached %d times, want once", n)
	}
}

func TestGuardRequests(t *testing.T) {
	var got atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got.Add(1)
		if r.Header.Get("Accept-Encoding") != "" {
			t.Error("compression was asked for")
		}
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/header":
			w.Header().Set("X-Long", strings.Repeat("x", 128<<10))
		}
	}))
	defer s.Close()
	loop := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	// A proxy would dial for us, past the guard. net/http reads the environment
	// once in the life of a process, so a variable set here would prove nothing.
	if Client(nil, true).Transport.(*guard).next.Proxy != nil {
		t.Error("the client may use a proxy")
	}
	for _, u := range []string{"ftp://127.0.0.1/", "http://user:pw@" + strings.TrimPrefix(s.URL, "http://") + "/"} {
		if _, err := Client(loop, true).Post(u, "text/plain", strings.NewReader("x")); !errors.Is(err, ErrBlocked) {
			t.Errorf("%s: got %v, want it blocked", u, err)
		}
	}
	if _, err := Client(loop, false).Get(s.URL); !errors.Is(err, ErrBlocked) {
		t.Errorf("http where it is not allowed: got %v", err)
	}
	if got.Load() != 0 {
		t.Fatalf("%d requests went out", got.Load())
	}
	c := Client(loop, true)
	defer c.CloseIdleConnections()
	if c.Timeout != 15*time.Second {
		t.Errorf("a request may take %v", c.Timeout)
	}
	resp, err := c.Get(s.URL + "/redirect")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusFound || got.Load() != 1 {
		t.Errorf("redirect: status %d after %d requests, want 302 after 1", resp.StatusCode, got.Load())
	}
	if resp, err := c.Get(s.URL + "/header"); err == nil {
		resp.Body.Close()
		t.Error("a header of 128 kB was taken")
	}
}

func FuzzGuard(f *testing.F) {
	f.Add("127.0.0.1:443")
	f.Add("[::ffff:10.0.0.1%eth0]:443")
	f.Add("[2606:2800:21f:cb07::1]:443")
	g := &guard{}
	f.Fuzz(func(t *testing.T, address string) {
		if g.control("tcp", address, nil) != nil {
			return
		}
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			t.Fatalf("%q passed and is no address", address)
		}
		a := ap.Addr().Unmap()
		if a.IsPrivate() || a.IsLoopback() || a.IsMulticast() || a.IsUnspecified() || a.IsLinkLocalUnicast() || ap.Port() != 443 && ap.Port() != 8443 {
			t.Errorf("%q passed", address)
		}
	})
}

// The library's errors quote the address: what is logged must be ours.
func TestURLErrorQuotesTheAddress(t *testing.T) {
	_, err := Client(nil, false).Get("https://127.0.0.1/canary")
	var ue *url.Error
	if !errors.As(err, &ue) || !strings.Contains(err.Error(), "canary") {
		t.Skip("net/http does not quote addresses any more")
	}
	r := postFailure(t.Context(), err, false)
	if r.Outcome != Retry || r.Reason != ReasonBlocked || strings.Contains(r.Detail, "canary") {
		t.Errorf("got %+v", r)
	}
}
