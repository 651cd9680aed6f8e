package people

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks of the proxies before the pages, whose word on where a request comes from counts.
type Proxies []netip.Prefix

// ParseProxies reads networks and addresses, separated by commas or spaces.
func ParseProxies(s string) (Proxies, error) {
	var all Proxies
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		network, err := netip.ParsePrefix(part)
		if err != nil {
			ip, ipErr := netip.ParseAddr(part)
			if ipErr != nil {
				return nil, fmt.Errorf("want networks such as 10.0.0.0/8, or addresses, not %q", part)
			}
			network = netip.PrefixFrom(ip, ip.BitLen())
		}
		all = append(all, network.Masked())
	}
	return all, nil
}

// Address is where a request comes from: the peer or, behind proxies of ours, the last address before them in
// X-Forwarded-For. What stands further left is anybody's word.
func (ps Proxies) Address(r *http.Request) string {
	peer := r.RemoteAddr
	if host, _, err := net.SplitHostPort(peer); err == nil {
		peer = host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && ps.trust(peer); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		peer = hop.Unmap().String()
	}
	return peer
}

func (ps Proxies) trust(address string) bool {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for _, p := range ps {
		if p.Contains(ip.Unmap()) {
			return true
		}
	}
	return false
}
