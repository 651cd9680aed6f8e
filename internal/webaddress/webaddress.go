// Package webaddress says whether a text is a web address that we call, or that somebody may be shown, and where it leads.
//
// It owns one function. net/url takes hosts that browsers, mail readers and resolvers read otherwise or not at all
// (http://999999999 is 59.154.201.255 to a browser), and whatever was judged to be the host must be the host.
//
// It promises that an address that passes is http or https, and that its host is the one the WHATWG URL standard finds:
// a name in lower case and ASCII, or an IP address in its usual form. Where the two could differ, it refuses. It never
// looks anything up.
package webaddress

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Parse reads an absolute http or https address. The host of what it returns is lower-case ASCII. ok is false if the text
// is none, or one that another reader might take for another host.
func Parse(s string) (u *url.URL, ok bool) {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return r == '\\' || unicode.IsSpace(r) || unicode.IsControl(r)
	}) {
		return nil, false
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, false
	}
	host, ok := hostOf(u)
	if _, err := strconv.ParseUint(u.Port(), 10, 16); !ok || u.Port() != "" && (err != nil || u.Port()[0] == '0') || strings.HasSuffix(u.Host, ":") {
		return nil, false
	}
	if u.Port() != "" {
		host += ":" + u.Port()
	}
	u.Host = host
	return u, true
}

// hostOf is the host as it stands in an address, in the one form that all readers share.
func hostOf(u *url.URL) (host string, ok bool) {
	if strings.HasPrefix(u.Host, "[") {
		ip, err := netip.ParseAddr(u.Hostname())
		return "[" + ip.String() + "]", err == nil && ip.Is6() && ip.Zone() == ""
	}
	host, err := names().ToASCII(u.Hostname())
	if err != nil || !utf8.ValidString(u.Hostname()) || host == "" || strings.ContainsFunc(host, forbidden) {
		return "", false
	}
	host = strings.ToLower(host)
	if numeric(host) {
		ip, err := netip.ParseAddr(host)
		return host, err == nil && ip.Is4()
	}
	return host, true
}

// names reads host names as browsers do: in any script, and with underscores, which names inside a network have.
func names() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckHyphens(false), idna.StrictDomainName(false))
}

// forbidden are the characters of which the standard says that a host has none, in what is ASCII already.
func forbidden(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune("#%/:<>?@[\\]^|", r)
}

// numeric reports whether a host ends in a number: then readers take all of it for an IP address, or for nothing.
func numeric(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}
