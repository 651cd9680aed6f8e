package dashboard_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"aftercall/dashboard"
	"aftercall/internal/store"
	"aftercall/people"
)

const password = "correct horse battery"

// lobby is a house in which ann may sign in.
func lobby(t *testing.T, change ...func(*dashboard.Config)) *house {
	t.Helper()
	h := newHouse(t, append([]func(*dashboard.Config){func(c *dashboard.Config) {
		c.Loopback = false
		c.SignIn = people.NewDesk(people.Config{Store: c.Store, Logger: slog.New(slog.DiscardHandler)})
	}}, change...)...)
	hashed, err := people.HashPassword(password)
	h.must(err)
	_, err = h.store.AddPerson(t.Context(), store.Person{Email: "ann@acme.example", Password: hashed, Roles: map[string]string{"acme": "viewer"}}, store.Actor{})
	h.must(err)
	return h
}

// submit posts a form as a browser does, with the cookies it has.
func (h *house) submit(path string, cookies []*http.Cookie, fields url.Values) (*http.Response, string) {
	h.t.Helper()
	header := []string{"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"}
	for _, c := range cookies {
		header = append(header, "Cookie", c.Name+"="+c.Value)
	}
	return h.getWith("POST", path, fields.Encode(), header...)
}

func TestSignInByPassword(t *testing.T) {
	t.Parallel()
	h := lobby(t)
	answer, _ := h.get("GET", "/conversations?q=a%20b")
	where, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || answer.StatusCode != http.StatusFound || where.Path != "/sign-in" || where.Query().Get("next") != "/conversations?q=a%20b" {
		t.Fatalf("%d to %s", answer.StatusCode, where)
	}
	page, body := h.get("GET", where.String())
	if page.StatusCode != http.StatusOK || !strings.Contains(body, `name="next" value="/conversations?q=a%20b"`) || !strings.Contains(body, `type="password"`) {
		t.Fatalf("%d %s", page.StatusCode, body)
	}
	form := url.Values{"email": {"ann@acme.example"}, "password": {"wrong horse battery"}, "next": {"/conversations?q=a%20b"}}
	wrong, wrongBody := h.submit("/sign-in", nil, form)
	form.Set("email", "bob@acme.example")
	unknown, unknownBody := h.submit("/sign-in", nil, form)
	if wrong.StatusCode != http.StatusUnauthorized || unknown.StatusCode != http.StatusUnauthorized || len(wrong.Cookies())+len(unknown.Cookies()) > 0 ||
		strings.ReplaceAll(unknownBody, "bob@", "ann@") != wrongBody || strings.Contains(wrongBody, "wrong horse") {
		t.Errorf("%d and %d:\n%s\n%s", wrong.StatusCode, unknown.StatusCode, wrongBody, unknownBody)
	}
	form.Set("email", "ann@acme.example")
	form.Set("password", password)
	in, _ := h.submit("/sign-in", nil, form)
	if in.StatusCode != http.StatusSeeOther || in.Header.Get("Location") != "/conversations?q=a%20b" || len(in.Cookies()) != 1 {
		t.Fatalf("%d to %s with %v", in.StatusCode, in.Header.Get("Location"), in.Cookies())
	}
	cookie := in.Cookies()[0]
	if cookie.Name != "aftercall" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Secure || cookie.Domain != "" {
		t.Errorf("%+v", cookie)
	}
	list, body := h.get("GET", "/conversations", "Cookie", cookie.Name+"="+cookie.Value)
	if list.StatusCode != http.StatusOK || !strings.Contains(body, "ann@acme.example") || !strings.Contains(body, "Sign out") || strings.Contains(body, "/workbench") {
		t.Errorf("%d %s", list.StatusCode, body)
	}
	out, _ := h.submit("/sign-out", in.Cookies(), nil)
	if out.StatusCode != http.StatusSeeOther || len(out.Cookies()) != 1 || out.Cookies()[0].MaxAge >= 0 {
		t.Errorf("%d, %v", out.StatusCode, out.Cookies())
	}
	if after, _ := h.get("GET", "/conversations", "Cookie", cookie.Name+"="+cookie.Value); after.StatusCode != http.StatusFound {
		t.Errorf("signed out, and still %d", after.StatusCode)
	}
}

func TestSignInLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	h := lobby(t)
	for _, next := range []string{
		"https://evil.example/", "//evil.example", `/\evil.example`, `\\evil.example`, "javascript:alert(1)", "/sign-out", "/sign-in?next=/", "evil", "/\t/evil.example",
		"/" + strings.Repeat("x", 2000), "https:evil.example", "",
	} {
		_, body := h.get("GET", "/sign-in?next="+url.QueryEscape(next))
		if !strings.Contains(body, `name="next" value=""`) {
			t.Errorf("%q is kept: %s", next, body)
		}
	}
	in, _ := h.submit("/sign-in", nil, url.Values{"email": {"ann@acme.example"}, "password": {password}, "next": {"//evil.example"}})
	if in.Header.Get("Location") != "/conversations" {
		t.Errorf("leads to %s", in.Header.Get("Location"))
	}
}

func TestSigningInTooOftenWaits(t *testing.T) {
	t.Parallel()
	h := lobby(t)
	last := 0
	for range 7 {
		answer, _ := h.submit("/sign-in", nil, url.Values{"email": {"ann@acme.example"}, "password": {"guess guess guess"}})
		if last = answer.StatusCode; last == http.StatusTooManyRequests && answer.Header.Get("Retry-After") == "" {
			t.Error("nobody is told how long")
		}
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the seventh guess: %d", last)
	}
}

// TestOverHTTPSCookiesTravelNowhereElse: the pages behind a proxy, under their own name.
func TestOverHTTPSCookiesTravelNowhereElse(t *testing.T) {
	t.Parallel()
	proxies, err := people.ParseProxies("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	h := lobby(t, func(c *dashboard.Config) { c.URL, c.Proxies = "https://calls.acme.example", proxies })
	form := url.Values{"email": {"ann@acme.example"}, "password": {password}}
	in, _ := h.getWith("POST", "/sign-in", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin",
		"Host", "calls.acme.example", "X-Forwarded-For", "192.0.2.7")
	if in.StatusCode != http.StatusSeeOther || len(in.Cookies()) != 1 || in.Cookies()[0].Name != "__Host-aftercall" || !in.Cookies()[0].Secure {
		t.Fatalf("%d, %v", in.StatusCode, in.Cookies())
	}
	acts, _, err := h.store.Acts(t.Context(), "", "", 1)
	if err != nil || acts[0].What != store.ActSignedIn || acts[0].By.Address != "192.0.2.7" {
		t.Errorf("%+v, %v", acts, err)
	}
	if answer, _ := h.getWith("GET", "/sign-in", "", "Host", "evil.example"); answer.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("under another name: %d", answer.StatusCode)
	}
}

// TestTheWayToAProviderAndBack: what the browser carries, and that it is not let in without it. What the provider's word is
// worth is tested where it is checked.
func TestTheWayToAProviderAndBack(t *testing.T) {
	t.Parallel()
	var provider *httptest.Server
	provider = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/openid-configuration" {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": provider.URL, "authorization_endpoint": provider.URL + "/authorize",
			"token_endpoint": provider.URL + "/token", "jwks_uri": provider.URL + "/keys"})
	}))
	t.Cleanup(provider.Close)
	oidc, err := people.NewOIDC(people.OIDCConfig{Issuer: provider.URL, ClientID: "a", ClientSecret: "b", RedirectURL: dashboard.CallbackURL("https://calls.acme.example/")})
	if err != nil {
		t.Fatal(err)
	}
	h := lobby(t, func(c *dashboard.Config) {
		c.SignIn = people.NewDesk(people.Config{Store: c.Store, Logger: slog.New(slog.DiscardHandler), OIDC: oidc})
	})
	if _, body := h.get("GET", "/sign-in?next=/captured"); !strings.Contains(body, `href="/sign-in/oidc?next=%2Fcaptured"`) {
		t.Errorf("the page shows no way: %s", body)
	}
	away, _ := h.get("GET", "/sign-in/oidc?next=%2Fcaptured")
	to, err := url.Parse(away.Header.Get("Location"))
	if err != nil || away.StatusCode != http.StatusFound || to.Path != "/authorize" || to.Query().Get("redirect_uri") != "https://calls.acme.example/sign-in/callback" {
		t.Fatalf("%d to %s", away.StatusCode, to)
	}
	if len(away.Cookies()) != 1 || !away.Cookies()[0].HttpOnly || away.Cookies()[0].Path != "/" || away.Cookies()[0].SameSite != http.SameSiteLaxMode {
		t.Fatalf("%v", away.Cookies())
	}
	back := "/sign-in/callback?code=c&state=" + to.Query().Get("state")
	for name, header := range map[string][]string{
		"another browser": nil, "this browser, with a code that is none": {"Cookie", away.Cookies()[0].Name + "=" + away.Cookies()[0].Value},
	} {
		answer, body := h.get("GET", back, header...)
		if answer.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "did not let you in") {
			t.Errorf("%s: %d %s", name, answer.StatusCode, body)
		}
		for _, c := range answer.Cookies() {
			if c.MaxAge >= 0 {
				t.Errorf("%s gets %v", name, c)
			}
		}
	}
}
