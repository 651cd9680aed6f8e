package people

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestRolesGiveRights(t *testing.T) {
	t.Parallel()
	all := []Right{Look, Addresses, Operate, Try, Manage, Run}
	for _, c := range []struct {
		name  string
		roles map[string]Role
		here  []Right // in acme
		there []Right // in umbra
	}{
		{"nobody", nil, nil, nil},
		{"viewer in one", map[string]Role{"acme": Viewer}, []Right{Look}, nil},
		{"operator in one", map[string]Role{"acme": Operator}, []Right{Look, Addresses, Operate}, nil},
		{"author in one", map[string]Role{"acme": Author}, []Right{Look, Addresses, Try}, nil},
		{"admin in one does not run the installation", map[string]Role{"acme": Admin}, []Right{Look, Addresses, Operate, Try, Manage}, nil},
		{"viewer in every one", map[string]Role{"*": Viewer}, []Right{Look}, []Right{Look}},
		{"viewer in every one, operator in one", map[string]Role{"*": Viewer, "acme": Operator}, []Right{Look, Addresses, Operate}, []Right{Look}},
		{"admin", map[string]Role{"*": Admin}, all, all},
		{"a role nobody knows", map[string]Role{"*": "owner", "acme": ""}, nil, nil},
	} {
		p := Person{Name: "x", roles: c.roles}
		for _, r := range all {
			if p.May(r, "acme") != slices.Contains(c.here, r) || p.May(r, "umbra") != slices.Contains(c.there, r) {
				t.Errorf("%s: %s in acme %v, in umbra %v", c.name, r, p.May(r, "acme"), p.May(r, "umbra"))
			}
			if p.Accounts(r).All() != (slices.Contains(c.there, r) && c.roles["*"] != "") {
				t.Errorf("%s: %s in every account: %v", c.name, r, p.Accounts(r).All())
			}
		}
	}
	if got := Machine(); !got.Known() || !got.May(Run, "") || got.Session != "" {
		t.Errorf("a machine that signs in by itself: %+v", got)
	}
	if got := Of(context.Background()); got.Known() || got.May(Look, "acme") {
		t.Errorf("a request of nobody: %+v", got)
	}
	if _, err := ParseRole("owner"); err == nil {
		t.Error("a role nobody knows is one")
	}
}

func TestAPasswordIsKeptAsASlowHash(t *testing.T) {
	t.Parallel()
	const password = "correct horse battery"
	hashed, err := HashPassword(password)
	if err != nil || strings.Contains(hashed, "horse") || !strings.HasPrefix(hashed, "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Fatalf("%s, %v", hashed, err)
	}
	again, err := HashPassword(password)
	if err != nil || again == hashed {
		t.Errorf("two hashes of one password are alike, %v", err)
	}
	for given, want := range map[string]bool{password: true, "": false, "correct horse": false, password + " ": false, strings.Repeat("x", 2000): false} {
		if got, err := matches(hashed, given); got != want || err != nil {
			t.Errorf("%.30q: %v, %v", given, got, err)
		}
	}
	if got, err := matches(decoy(), password); got || err != nil {
		t.Errorf("the decoy: %v, %v", got, err)
	}
	for _, short := range []string{"", "elevenchars", strings.Repeat("x", 1025)} {
		if _, err := HashPassword(short); err == nil {
			t.Errorf("%.20q was taken", short)
		}
	}
	for _, broken := range []string{
		"", "x", "$2b$10$abc", "$argon2id$v=18$m=65536,t=3,p=4$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=99999999,t=3,p=4$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=65536,t=0,p=4$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=65536,t=3,p=4$!$AAAA", "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAA$AAAA",
	} {
		if got, err := matches(broken, password); got || err == nil {
			t.Errorf("%q: %v, %v", broken, got, err)
		}
	}
	if p := NewPassword(); len(p) < 26 || p == NewPassword() {
		t.Errorf("made up %q", p)
	}
}

func TestOnlyOurProxiesSayWhereARequestComesFrom(t *testing.T) {
	t.Parallel()
	ours, err := ParseProxies("10.0.0.0/8, 192.0.2.1 fd00::/8")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ peer, forwarded, want string }{
		{"203.0.113.9:1", "", "203.0.113.9"},
		{"203.0.113.9:1", "198.51.100.1", "203.0.113.9"}, // anybody can say so
		{"10.1.2.3:1", "198.51.100.1", "198.51.100.1"},
		{"10.1.2.3:1", "1.1.1.1, 198.51.100.1, 192.0.2.1", "198.51.100.1"}, // what stands before it is the visitor's word
		{"10.1.2.3:1", "10.9.9.9", "10.9.9.9"},
		{"10.1.2.3:1", "198.51.100.1, unknown", "10.1.2.3"},
		{"10.1.2.3:1", "", "10.1.2.3"},
		{"[fd00::1]:1", "2001:db8::5", "2001:db8::5"},
		{"[::ffff:10.1.2.3]:1", "198.51.100.1", "198.51.100.1"},
		{"pipe", "198.51.100.1", "pipe"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := ours.Address(r); got != c.want {
			t.Errorf("%s with %q: %s, want %s", c.peer, c.forwarded, got, c.want)
		}
		if got := (Proxies{}).Address(r); c.forwarded != "" && got == c.forwarded {
			t.Errorf("without proxies %q counts", c.forwarded)
		}
	}
	for _, wrong := range []string{"proxy", "10.0.0.0/40", "10.0.0"} {
		if _, err := ParseProxies(wrong); err == nil {
			t.Errorf("%q is a network", wrong)
		}
	}
}

func TestANetworkIsCountedAsOne(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "pipe": "pipe",
	} {
		if got := network(given); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
}

func TestAJourneyComesBackAsItLeft(t *testing.T) {
	t.Parallel()
	left := Journey{State: "s", Nonce: "n", Verifier: "v", Next: "/conversations?q=a b"}
	if got := DecodeJourney(left.Encode()); got != left {
		t.Errorf("%+v", got)
	}
	for _, broken := range []string{"", "!", "e30x", left.Encode() + "="} {
		if got := DecodeJourney(broken); got != (Journey{}) {
			t.Errorf("%q: %+v", broken, got)
		}
	}
}
