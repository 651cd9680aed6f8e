package push

import (
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"aftercall/internal/webaddress"
)

// longestEndpoint bounds the address that a browser names; real ones have a few hundred bytes.
const longestEndpoint = 1000

// Subscription is where a browser takes messages, as it says so itself.
type Subscription struct{ Endpoint, P256dh, Auth string }

// Check says why nothing can be sent there, or nil. It looks nothing up: whether a name leads to a public address is seen
// when it is called.
func (s Subscription) Check() error {
	u, ok := webaddress.Parse(s.Endpoint)
	host := ""
	if ok {
		host = strings.TrimSuffix(u.Hostname(), ".")
	}
	if _, err := netip.ParseAddr(host); !ok || u.Scheme != "https" || u.Port() != "" || u.User != nil || u.Fragment != "" ||
		len(s.Endpoint) > longestEndpoint || err == nil || !strings.Contains(host, ".") {
		return errors.New("the endpoint is not an https address of a push service")
	}
	key, err := base64.RawURLEncoding.DecodeString(s.P256dh)
	if err == nil {
		_, err = ecdh.P256().NewPublicKey(key)
	}
	if err != nil {
		return errors.New("p256dh is not the public key of a browser")
	}
	if secret, err := base64.RawURLEncoding.DecodeString(s.Auth); err != nil || len(secret) != 16 {
		return errors.New("auth is not a secret of 16 bytes")
	}
	return nil
}

// errNotPublic ends a connection to an address inside.
var errNotPublic = errors.New("not a public address")

// publicOnly is a client for addresses that somebody else chose. Each connection is checked by the address that the name led to,
// at the moment it is used; what a proxy would look up instead could not be, so none is used. A redirect is not followed. HTTP/1.1
// only: there a request that was written is never written again by itself.
func publicOnly() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: timeout, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !isPublic(to.Addr()) {
			return fmt.Errorf("connect: %w", errNotPublic)
		}
		return nil
	}}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout, MaxIdleConns: 32, MaxIdleConnsPerHost: 8,
			MaxConnsPerHost: 16, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 16 << 10, Protocols: protocols},
	}
}

// isPublic reports whether an address belongs to a host on the internet.
func isPublic(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, inside := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", // RFC 6890
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10", // and those that carry IPv4
	} {
		if netip.MustParsePrefix(inside).Contains(ip) {
			return false
		}
	}
	return true
}
