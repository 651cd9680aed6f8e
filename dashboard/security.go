package dashboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// What a page may load. Pages have no inline script or style; a message is framed from its own address.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// What River's page may load: as above, but it writes style attributes and draws from data: addresses.
const queuePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// What a message's HTML may do: look like a mail. No script, no remote image, no form, no way out of its frame.
const messagePolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; " +
	"frame-ancestors 'self'; base-uri 'none'; sandbox"

// refusal answers a request that is not let through.
type refusal func(w http.ResponseWriter, r *http.Request, status int, sentence, remedy string)

// guard wraps every route: headers on every answer, known host names only, and no change asked for by another site.
func guard(next http.Handler, refuse refusal, hosts []string) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, http.StatusForbidden, "The request came from another site.", "Open the page here and try again.")
	}))
	inner := origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		if !knownHost(r.Host, hosts) {
			refuse(w, r, http.StatusMisdirectedRequest, "These pages are not served under this host name.",
				"Open them by the address they were set up for.")
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// whole answers with a page what panicked before it was written. Left alone, net/http would log the panic's value, which
// could quote a call, and cut the connection.
func whole(next http.Handler, ps *pages, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				log.ErrorContext(r.Context(), "panic in a page", "route", r.Pattern, "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
				ps.problem(w, r, problemOf(errPanic))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// errPanic stands for a panic, whose value nobody is told.
var errPanic = errors.New("panic")

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// writeMessage serves a message's HTML as it was sent, for the sandboxed frame beside its text.
func writeMessage(w http.ResponseWriter, html string) {
	h := w.Header()
	h.Set("Content-Security-Policy", messagePolicy)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(html)) // the reader has gone; there is nobody to tell
}

// knownHost reports whether the Host header names this machine's loopback, or one of the names that were configured. A
// page on another name that resolves to loopback (DNS rebinding) would otherwise be same-origin with ours.
func knownHost(header string, hosts []string) bool {
	host := strings.ToLower(strings.TrimSuffix(hostOnly(header), "."))
	if host == "localhost" {
		return true
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return host != "" && slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}

// RefuseUnlessLoopback says why pages without sign-in must not listen on addr (host:port), or nil if every address it stands
// for is a loopback address.
func RefuseUnlessLoopback(addr string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return refuseUnlessLoopback(ctx, addr, net.DefaultResolver.LookupNetIP)
}

type lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

func refuseUnlessLoopback(ctx context.Context, addr string, resolve lookup) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("admin address is not host:port: %w", err)
	}
	if host == "" {
		return errors.New("admin address without a host listens on every interface; use 127.0.0.1")
	}
	ips := []netip.Addr{}
	if ip, err := netip.ParseAddr(host); err == nil {
		ips = append(ips, ip)
	} else if ips, err = resolve(ctx, "ip", host); err != nil {
		return fmt.Errorf("resolve admin address: %w", err)
	}
	for _, ip := range ips {
		if !ip.Unmap().IsLoopback() {
			return fmt.Errorf("admin address %s is not loopback; use 127.0.0.1", ip)
		}
	}
	if len(ips) == 0 {
		return fmt.Errorf("admin address %s stands for no address", host)
	}
	return nil
}
