package push

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"aftercall/deliver"
	"aftercall/deliver/wire"
)

// some is a subscription that a browser might have.
func some() Subscription {
	return Subscription{Endpoint: "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA",
		P256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", Auth: "BTBZMqHH6r4Tts7J_aSIgg"}
}

func TestWhatIsNoSubscription(t *testing.T) {
	t.Parallel()
	if err := some().Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Subscription){
		"nothing": func(s *Subscription) { *s = Subscription{} },
		"http":    func(s *Subscription) { s.Endpoint = "http://push.example/x" }, "a port": func(s *Subscription) { s.Endpoint = "https://push.example:8443/x" },
		"an address": func(s *Subscription) { s.Endpoint = "https://93.184.216.34/x" }, "inside": func(s *Subscription) { s.Endpoint = "https://[::1]/x" },
		"a number": func(s *Subscription) { s.Endpoint = "https://2130706433/x" }, "one word": func(s *Subscription) { s.Endpoint = "https://localhost/x" },
		"one word and a dot": func(s *Subscription) { s.Endpoint = "https://localhost./x" },
		"a user":             func(s *Subscription) { s.Endpoint = "https://a:b@push.example/x" }, "long": func(s *Subscription) { s.Endpoint += strings.Repeat("x", 1000) },
		"a line": func(s *Subscription) { s.Endpoint += "\r\nX: y" }, "another scheme": func(s *Subscription) { s.Endpoint = "file:///etc/passwd" },
		"no point": func(s *Subscription) { s.P256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6" }, "a short secret": func(s *Subscription) { s.Auth = "BTBZ" },
	} {
		s := some()
		change(&s)
		if err := s.Check(); err == nil {
			t.Errorf("%s: %+v is taken", name, s)
		}
	}
}

func TestWhichAddressesArePublic(t *testing.T) {
	t.Parallel()
	for _, ip := range []string{"93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"} {
		if !isPublic(netip.MustParseAddr(ip)) {
			t.Errorf("%s is not public", ip)
		}
	}
	for _, ip := range []string{"127.0.0.1", "::1", "0.0.0.0", "::", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "fe80::1", "fc00::1", "fd00:ec2::254", "100.64.0.1",
		"224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "192.0.0.192", "198.18.0.1", "240.0.0.1"} {
		if isPublic(netip.MustParseAddr(ip)) {
			t.Errorf("%s is public", ip)
		}
	}
}

// TestNothingInsideIsCalled: the name may be public and lead inside; it is the connection that is refused, for good.
func TestNothingInsideIsCalled(t *testing.T) {
	t.Parallel()
	called := false
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer inside.Close()
	_, err := publicOnly().Get(inside.URL)
	if !errors.Is(err, errNotPublic) || called {
		t.Errorf("%v, called %v", err, called)
	}
	if e := verdict(t.Context(), new(wire.Progress), err); e.Verdict != deliver.Refused || e.Class != Gone {
		t.Errorf("%+v", e)
	}
}
