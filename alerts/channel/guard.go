package channel

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// ErrBlocked says that an address is not one that we call: it is private,
// local or reserved, on another port, or not https.
var ErrBlocked = errors.New("address is not allowed")

// PostLimit bounds a whole request, so that an endpoint that drips its answer
// byte by byte ends too.
const PostLimit = 15 * time.Second

// Client returns the only HTTP client that may call an address which somebody
// typed. It looks at the address that is really dialled, after the name was
// resolved, so a name that changes its mind between a check and the call gains
// nothing.
//
// It reaches public addresses on ports 443 and 8443, and port 80 if http is
// allowed; the prefixes of allow are reached on every port, for an operator's
// own receivers. It follows no redirect, uses no proxy (a proxy would dial
// past the guard), asks for no compression, and ends after 15 seconds.
func Client(allow []netip.Prefix, httpAllowed bool) *http.Client {
	return guardedClient(allow, httpAllowed, nil)
}

func guardedClient(allow []netip.Prefix, httpAllowed bool, resolver *net.Resolver) *http.Client {
	g := &guard{allow: slices.Clone(allow), http: httpAllowed}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: g.control, Resolver: resolver}
	g.next = &http.Transport{
		Proxy: nil,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, addr)
		},
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    1,
		MaxIdleConns:           32,
		IdleConnTimeout:        30 * time.Second,
	}
	return &http.Client{
		Transport:     g,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       PostLimit,
	}
}

type guard struct {
	allow []netip.Prefix
	http  bool
	next  *http.Transport
}

// RoundTrip refuses what no dial would show: the scheme and a user.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !(g.http && r.URL.Scheme == "http") || r.URL.User != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, ErrBlocked
	}
	return g.next.RoundTrip(r)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the transport.
func (g *guard) CloseIdleConnections() { g.next.CloseIdleConnections() }

// control is called with the address of every dial, just before it.
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrBlocked
	}
	a := ap.Addr().Unmap().WithZone("")
	for _, p := range g.allow {
		if p.Contains(a) {
			return nil
		}
	}
	if !a.IsGlobalUnicast() || blocked(a) {
		return ErrBlocked
	}
	if p := ap.Port(); p == 443 || p == 8443 || p == 80 && g.http {
		return nil
	}
	return ErrBlocked
}

// public6 is the only part of IPv6 that is given out.
var public6 = netip.MustParsePrefix("2000::/3")

// notPublic are the special ranges of the IANA registries. IsGlobalUnicast is
// true for many of them: private and carrier nets, documentation, benchmarks,
// and those of IPv6 that carry an IPv4 address inside.
var notPublic = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func blocked(a netip.Addr) bool {
	if a.Is6() && !public6.Contains(a) {
		return true
	}
	return slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(a) })
}
