package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// network is the network that a request comes from, as a limit counts it: an
// IPv4 address, or the /64 of an IPv6 one, which one person has all of. What a
// proxy says in X-Forwarded-For is believed of those proxies alone, from the
// last entry backwards: what stands before the first stranger anybody could
// have written.
func network(r *http.Request, proxies []netip.Prefix) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "unknown" // such ones share one limit
	}
	addr := plain(at.Addr())
	trusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && trusted(addr); i-- {
		hop, err := parseHop(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = plain(hop)
	}
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}

// parseHop reads an entry, which may have a port.
func parseHop(s string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a, nil
	}
	at, err := netip.ParseAddrPort(s)
	return at.Addr(), err
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
