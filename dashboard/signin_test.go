package dashboard_test

import (
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aftercall/dashboard"
	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/people/peopletest"
)

const password = "correct horse battery"

// lobby is a house in which ann may sign in.
func lobby(t *testing.T, change ...func(*dashboard.Config)) *house {
	t.Helper()
	h := newHouse(t, append([]func(*dashboard.Config){func(c *dashboard.Config) {
		c.Loopback = false
		c.SignIn = people.NewDesk(people.Config{Store: c.Store, Logger: slog.New(slog.DiscardHandler)})
	}}, change...)...)
	_, err := h.store.AddPerson(t.Context(), store.Person{Email: "ann@acme.example", Password: peopletest.Hash(password), Roles: map[string]string{"acme": "viewer"}}, store.Actor{})
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

// TestAPasswordIsChangedOnItsPage, which every page of somebody who is signed in leads to.
func TestAPasswordIsChangedOnItsPage(t *testing.T) {
	t.Parallel()
	const next = "wrong donkey capacitor"
	h := lobby(t)
	in, _ := h.submit("/sign-in", nil, url.Values{"email": {"ann@acme.example"}, "password": {password}})
	cookie := in.Cookies()[0]
	before := []string{"Cookie", cookie.Name + "=" + cookie.Value}
	if _, body := h.get("GET", "/conversations", before...); !strings.Contains(body, `href="/password"`) {
		t.Error("no page leads there")
	}
	if page, body := h.get("GET", "/password", before...); page.StatusCode != http.StatusOK || !strings.Contains(body, `autocomplete="current-password"`) || !strings.Contains(body, `value="ann@acme.example"`) {
		t.Errorf("%d %s", page.StatusCode, body)
	}
	for name, c := range map[string]struct{ current, next, again, says string }{
		"not the same twice": {password, next, password, "Type the new password twice"},
		"nothing":            {password, "", "", "Type the new password twice"},
		"too short":          {password, "donkey", "donkey", "at least 12 characters"},
		"not theirs":         {"wrong horse battery", next, next, "That is not the password you have now."},
	} {
		answer, body := h.submit("/password", in.Cookies(), url.Values{"current": {c.current}, "new": {c.next}, "again": {c.again}})
		if answer.StatusCode != http.StatusBadRequest || !strings.Contains(body, c.says) || strings.Contains(body, "donkey") || len(answer.Cookies()) > 0 {
			t.Errorf("%s: %d %s", name, answer.StatusCode, body)
		}
	}
	changed, body := h.submit("/password", in.Cookies(), url.Values{"current": {password}, "new": {next}, "again": {next}})
	if changed.StatusCode != http.StatusSeeOther || changed.Header.Get("Location") != "/password?changed=1" || len(changed.Cookies()) != 1 {
		t.Fatalf("%d to %s: %s", changed.StatusCode, changed.Header.Get("Location"), body)
	}
	after := []string{"Cookie", cookie.Name + "=" + changed.Cookies()[0].Value}
	if page, body := h.get("GET", "/password?changed=1", after...); page.StatusCode != http.StatusOK || !strings.Contains(body, "It is changed.") {
		t.Errorf("%d %s", page.StatusCode, body)
	}
	if page, _ := h.get("GET", "/conversations", before...); page.StatusCode != http.StatusFound {
		t.Errorf("the session before: %d", page.StatusCode)
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

// TestTheWayToAProviderAndBack: what the browser carries, and that nobody is let in without it. What the provider's word is
// worth is tested where it is checked.
func TestTheWayToAProviderAndBack(t *testing.T) {
	t.Parallel()
	callback := dashboard.CallbackURL("https://calls.acme.example/")
	provider := peopletest.New(t, callback)
	oidc, err := people.NewOIDC(people.OIDCConfig{Issuer: provider.URL, ClientID: peopletest.ClientID, ClientSecret: peopletest.ClientSecret, RedirectURL: callback})
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
	journey := away.Cookies()[0].Name + "=" + away.Cookies()[0].Value
	back := "/sign-in/callback?" + provider.SignIn(to.String(), nil).Encode()
	for name, c := range map[string]struct {
		path   string
		header []string
	}{
		"another browser": {back, nil}, "this browser, with a code that is none": {"/sign-in/callback?code=c&state=" + to.Query().Get("state"), []string{"Cookie", journey}},
	} {
		answer, body := h.get("GET", c.path, c.header...)
		if answer.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "did not let you in") {
			t.Errorf("%s: %d %s", name, answer.StatusCode, body)
		}
		for _, c := range answer.Cookies() {
			if c.MaxAge >= 0 {
				t.Errorf("%s gets %v", name, c)
			}
		}
	}
	in, _ := h.get("GET", back, "Cookie", journey)
	if in.StatusCode != http.StatusSeeOther || in.Header.Get("Location") != "/captured" || len(in.Cookies()) != 2 {
		t.Fatalf("%d to %s with %v", in.StatusCode, in.Header.Get("Location"), in.Cookies())
	}
	for _, c := range in.Cookies() {
		if gone := c.MaxAge < 0; gone != (c.Name == away.Cookies()[0].Name) {
			t.Errorf("%v: the journey ends, and the session begins", c)
		}
		if list, _ := h.get("GET", "/conversations", "Cookie", c.Name+"="+c.Value); c.MaxAge >= 0 && list.StatusCode != http.StatusOK {
			t.Errorf("signed in, and %d", list.StatusCode)
		}
	}
}

// TestOnlyAPersonKeepsASessionAlive: not a page that looks for news, nor one that listens for them.
func TestOnlyAPersonKeepsASessionAlive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := time.Now().Add(-11 * time.Hour)
	for name, c := range map[string]struct {
		method, path string
		header       []string
		alive        bool
	}{
		"a click": {"GET", "/conversations", nil, true}, "a look for news": {"HEAD", "/conversations", nil, false},
		"listening": {"GET", "/live", []string{"Accept", "text/event-stream"}, false},
	} {
		sum := sha256.Sum256([]byte(name))
		w.must(w.store.OpenSession(t.Context(), w.people["viewer"], sum[:], long, time.Now().Add(time.Hour), store.Act{What: store.ActSignedIn}))
		if got := w.ask(c.method, c.path, "", append(c.header, "Cookie", "aftercall="+name)...); got.status != http.StatusOK {
			t.Errorf("%s: %d", name, got.status)
		}
		_, err := w.store.FindSession(t.Context(), sum[:], time.Now(), time.Now().Add(-time.Hour))
		if alive := !errors.Is(err, store.ErrNotFound); alive != c.alive {
			t.Errorf("%s keeps the session alive: %v, %v", name, alive, err)
		}
	}
}

// TestAStreamEndsSoThatItsReaderIsAskedAgain who they are.
func TestAStreamEndsSoThatItsReaderIsAskedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pages.EndStreamsAfter(50 * time.Millisecond)
	r, err := http.NewRequestWithContext(t.Context(), "GET", w.url+"/live", nil)
	w.must(err)
	r.Header.Set("Accept", "text/event-stream")
	r.AddCookie(w.session("viewer"))
	answer, err := http.DefaultTransport.RoundTrip(r)
	w.must(err)
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(body), "event: active") {
		t.Errorf("%q, %v", body, err)
	}
	w.must(w.store.SetDisabled(t.Context(), w.people["viewer"], true, store.Actor{}))
	if again := w.ask("GET", "/live", "", "Accept", "text/event-stream", "Cookie", r.Header.Get("Cookie")); again.status == http.StatusOK {
		t.Error("a stream for somebody who is shut out")
	}
}
