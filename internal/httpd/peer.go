package httpd

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// peer is the address that a call comes from. X-Forwarded-For counts only
// behind a trusted proxy, and is read from its end: each trusted hop vouches
// for the one before it. An entry that is no address makes the peer unknown,
// which no address list takes.
func peer(r *http.Request, trusted []netip.Prefix) netip.Addr {
	direct, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	from := direct.Addr().Unmap().WithZone("")
	if !within(from, trusted) {
		return from
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		hop = strings.TrimSpace(hop)
		if hop == "" && len(hops) == 1 {
			return from // the proxy itself calls
		}
		if from = address(hop); !within(from, trusted) {
			return from
		}
	}
	return from
}

func within(a netip.Addr, list []netip.Prefix) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// address reads one hop: an address, bare or with a port.
func address(hop string) netip.Addr {
	if withPort, err := netip.ParseAddrPort(hop); err == nil {
		return withPort.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.Trim(hop, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
