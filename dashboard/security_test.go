package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func guarded(t *testing.T, hosts ...string) http.Handler {
	t.Helper()
	ps, err := newPages(site{})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{name}", ps.assets)
	mux.HandleFunc("GET /message", func(w http.ResponseWriter, _ *http.Request) { writeMessage(w, fixtureHTML) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("reached")) })
	return guard(mux, ps.refuse, hosts)
}

func ask(h http.Handler, method, host, path string, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host = host
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestForeignHostNamesAreRefused(t *testing.T) {
	t.Parallel()
	h := guarded(t, "ops.acme.example")
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8081": 200, "LOCALHOST.": 200, "127.0.0.1:8081": 200, "127.0.0.9": 200, "[::1]:8081": 200, "[::1]": 200,
		"[::ffff:127.0.0.1]:80": 200, "ops.acme.example": 200, "OPS.acme.example:443": 200,
		"evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example:8081": 421, "192.168.1.4": 421, "0.0.0.0": 421, "": 421, "[::]": 421,
	} {
		if got := ask(h, "GET", host, "/x", nil).Code; got != want {
			t.Errorf("host %q: got %d, want %d", host, got, want)
		}
	}
}

func TestChangesFromOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	h := guarded(t)
	for name, c := range map[string]struct {
		method string
		header map[string]string
		want   int
	}{
		"cross-site post":          {"POST", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"same-site post":           {"POST", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"another origin":           {"POST", map[string]string{"Origin": "https://evil.example"}, 403},
		"no origin at all":         {"POST", map[string]string{"Origin": "null"}, 403},
		"cross-site delete":        {"DELETE", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"our own page":             {"POST", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		"our own origin":           {"POST", map[string]string{"Origin": "http://localhost"}, 200},
		"a link from another site": {"GET", map[string]string{"Sec-Fetch-Site": "cross-site"}, 200},
	} {
		if got := ask(h, c.method, "localhost", queuePrefix+"/api/jobs/retry", c.header).Code; got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestEveryAnswerHasItsHeaders(t *testing.T) {
	t.Parallel()
	h := guarded(t)
	for name, w := range map[string]*httptest.ResponseRecorder{
		"page":    ask(h, "GET", "localhost", "/x", nil),
		"refusal": ask(h, "GET", "evil.example", "/x", nil),
		"forged":  ask(h, "POST", "localhost", "/x", map[string]string{"Sec-Fetch-Site": "cross-site"}),
	} {
		for header, want := range map[string]string{
			"Content-Security-Policy": pagePolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"X-Frame-Options": "DENY", "Cache-Control": "no-store",
		} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
	}
}

func TestAMessageHasAPolicyOfItsOwn(t *testing.T) {
	t.Parallel()
	w := ask(guarded(t), "GET", "localhost", "/message", nil)
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "sandbox", "frame-ancestors 'self'", "form-action 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s: %s", want, policy)
		}
	}
	for _, never := range []string{"script-src", "allow-", "http"} {
		if strings.Contains(policy, never) {
			t.Errorf("the policy has %s: %s", never, policy)
		}
	}
}

func TestAssetsAreKeptByTheirContent(t *testing.T) {
	t.Parallel()
	as, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	h := guarded(t)
	for name, kind := range map[string]string{"app.css": "text/css", "app.js": "text/javascript", "icon.svg": "image/svg+xml"} {
		path, err := as.url(name)
		if err != nil {
			t.Fatal(err)
		}
		w := ask(h, "GET", "localhost", path, nil)
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	if w := ask(h, "GET", "localhost", "/assets/app.000000000000.css", nil); w.Code != 404 || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("an old name: %d %v", w.Code, w.Header())
	}
	if _, err := as.url("none.css"); err == nil {
		t.Error("an unknown asset has an address")
	}
}

func TestRefuseUnlessLoopback(t *testing.T) {
	t.Parallel()
	names := func(_ context.Context, _, host string) ([]netip.Addr, error) {
		switch host {
		case "localhost":
			return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}, nil
		case "half.example":
			return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("10.0.0.5")}, nil
		case "none.example":
			return nil, nil
		}
		return nil, errors.New("no such host")
	}
	for addr, ok := range map[string]bool{
		"127.0.0.1:8081": true, "127.8.0.1:0": true, "[::1]:8081": true, "[::ffff:127.0.0.1]:80": true, "localhost:8081": true,
		":8081": false, "0.0.0.0:8081": false, "[::]:8081": false, "10.0.0.5:8081": false, "half.example:80": false, "none.example:80": false,
		"gone.example:80": false, "127.0.0.1": false, "": false,
	} {
		if err := refuseUnlessLoopback(t.Context(), addr, names); (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
	}
	if err := RefuseUnlessLoopback("127.0.0.1:0"); err != nil {
		t.Error(err)
	}
}
