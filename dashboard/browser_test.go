package dashboard

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aftercall/internal/chromium"
	"aftercall/internal/store"
	"aftercall/people"
)

// TestInABrowser looks at the pages in a real browser, one for all of them.
func TestInABrowser(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	t.Run("pages", func(t *testing.T) { pagesAreSound(t, b) })
	t.Run("hostile message", func(t *testing.T) { messageCannotAct(t, b) })
	t.Run("message in its frame", func(t *testing.T) { messageIsShown(t, b) })
	t.Run("why not", func(t *testing.T) { whyNotIsSeenAtOnce(t, b) })
	t.Run("a quote leads to its turn", func(t *testing.T) { quoteLeadsToItsTurn(t, b) })
	t.Run("without scripts", func(t *testing.T) { readsWithoutScripts(t, b) })
	t.Run("putting right", func(t *testing.T) { putRightWalk(t, b) })
	t.Run("keys", func(t *testing.T) { keysMove(t, b) })
	t.Run("search", func(t *testing.T) { searchWalk(t, b) })
	t.Run("workbench", func(t *testing.T) { workbenchWalk(t, b) })
	t.Run("desk", func(t *testing.T) { deskWalk(t, b) })
	t.Run("bulk", func(t *testing.T) { bulkWalk(t, b) })
	t.Run("config", func(t *testing.T) { configWalk(t, b) })
	t.Run("queue", func(t *testing.T) { queueIsShown(t, b) })
}

// pagesAreSound opens every page on a telephone, and fails on anything the browser complains of (a blocked style or script, an error)
// and on anything wider than the screen. The demo's pages are looked at in every colour and width, and have less on them.
func pagesAreSound(t *testing.T, b browser) {
	paths := []string{
		"/", "/deliveries", "/conversations", "/conversations/3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77", "/conversations/3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77/calls/m-1", "/events/e-1", "/captured", "/captured/9a", "/sign-in", passwordPath, "/none",
		settingsPath, channelsPath, keysPath, peoplePath, logPath,
		automationsPath, automationPath("acme", "summary-mail"), automationPath("acme", "address-changed"), usagePath,
		bulkPath, bulkJobPath("b"), askPath, configPath, activationsPath, configDiffPath, rollbackPath("acme", "r1"), queuesPath,
	}
	b.fits(t, screen{"dark", 375, true}, paths, func(tab *window, path string) {
		tab.run(chromedp.Navigate(b.url + path))
		// Unfold what is folded, so that frames load and tables show.
		evaluate[bool](tab, `document.querySelectorAll("details").forEach(d => { d.open = true }) ?? true`)
	})
}

// screen is what a page is shown on.
type screen struct {
	scheme string
	width  int64
	script bool
}

// fits shows pages on a screen, one after the other in one tab, and fails on anything the browser complains of and on anything
// wider than the screen.
func (b browser) fits(t *testing.T, s screen, paths []string, show func(tab *window, path string)) {
	tab := b.open(t, s.scheme, s.width)
	tab.Scripts(s.script)
	for _, path := range paths {
		t.Run(fmt.Sprintf("%s %s %d script %v", path, s.scheme, s.width, s.script), func(t *testing.T) {
			tab.passTo(t)
			show(tab, path)
			if wide := evaluate[int](tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
				t.Errorf("the page is %d px wider than the screen", wide)
			}
			for _, c := range tab.complaints() {
				t.Error(c)
			}
		})
	}
}

// messageCannotAct shows a message that tries to run, to call home and to leave its frame.
func messageCannotAct(t *testing.T, b browser) {
	tab := b.open(t, "light", 1280)
	tab.run(chromedp.Navigate(b.url + "/hostile"))
	if got := evaluate[string](tab, `document.title + document.body.innerText`); strings.Contains(got, "ran") {
		t.Error("a message's script ran")
	}
	if got := strings.Join(tab.requests(), "\n"); strings.Contains(got, "tracker.example") {
		t.Errorf("a message called home: %s", got)
	}
	if len(tab.complaints()) == 0 {
		t.Error("the browser blocked nothing: was the message shown at all?")
	}
}

// messageIsShown unfolds a message on the conversation's page and waits for its frame to load from the
// frame's own address, which both policies must allow.
func messageIsShown(t *testing.T, b browser) {
	tab := b.open(t, "light", 1280)
	tab.run(chromedp.Navigate(b.url + "/conversations/3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77"))
	evaluate[bool](tab, `new Promise(done => {
		const frame = document.querySelector("iframe.mail");
		frame.addEventListener("load", () => done(true));
		frame.closest("details").open = true;
		frame.scrollIntoView();
	})`)
	if got := strings.Join(tab.requests(), "\n"); !strings.Contains(got, "/deliveries/d-0001") {
		t.Errorf("the frame loaded nothing: %s", got)
	}
	for _, c := range tab.complaints() {
		t.Error(c)
	}
}

// keysMove presses the keys that the foot of every page names.
func keysMove(t *testing.T, b browser) {
	tab := b.open(t, "light", 1280)
	focused := func(keys string) string {
		tab.run(chromedp.KeyEvent(keys))
		return evaluate[string](tab, `document.activeElement.id || document.activeElement.textContent`)
	}
	tab.run(chromedp.Navigate(b.url + "/conversations"))
	rows := conversationList(listed{}, fixtureRows(plain), "", func(string) names { return fixtureNames() }).Rows
	for _, step := range []struct{ key, want string }{
		{"j", rows[0].Customer}, {"j", rows[1].Customer}, {"j", rows[2].Customer}, {"k", rows[1].Customer}, {"/", "q"}, {"j", "q"},
	} {
		if got := focused(step.key); got != step.want {
			t.Errorf("after %q the focus is on %q, want %q", step.key, got, step.want)
		}
	}
}

// browser is a running Chromium with a server of fixture pages behind the guard.
type browser struct {
	*chromium.Browser
	url string
}

func newBrowser(t *testing.T) browser {
	t.Helper()
	server := httptest.NewServer(fixtureHandler(t))
	t.Cleanup(server.Close)
	return browser{chromium.Start(t), server.URL}
}

// window is a page of the browser.
type window struct {
	*chromium.Page
	t *testing.T
}

func (b browser) open(t *testing.T, scheme string, width int64) *window {
	t.Helper()
	return &window{b.Open(t, scheme, width), t}
}

// passTo gives the window to a subtest, which has heard nothing yet.
func (w *window) passTo(t *testing.T) {
	w.t = t
	w.PassTo(t)
}

func (w *window) run(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	w.Run(steps...)
}

func evaluate[T any](w *window, expression string) T {
	w.t.Helper()
	return chromium.Evaluate[T](w.Page, expression)
}

// complaints are those of the browser, but for a page that is not there and is asked for.
func (w *window) complaints() []string {
	return slices.DeleteFunc(w.Complaints(), func(c string) bool { return strings.Contains(c, "404") && strings.HasSuffix(c, "/none") })
}

func (w *window) requests() []string { return w.Requests() }

const harmlessHTML = `<!doctype html><html><head><style>body{font-family:sans-serif;margin:24px;color:#222}</style></head><body><h1>Call back Dana Whitfield</h1><p>When: today, after five</p></body></html>`

// fixtureHandler serves the fixture pages under the addresses they have in life.
func fixtureHandler(t *testing.T) http.Handler {
	t.Helper()
	ps, err := newPages(site{Release: "v0.1.0", Simulated: true})
	if err != nil {
		t.Fatal(err)
	}
	of := func(string) names { return fixtureNames() }
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+livePath, func(_ http.ResponseWriter, r *http.Request) { // nothing ever changes here
		select {
		case <-r.Context().Done():
		case <-t.Context().Done():
		}
	})
	page := func(pattern string, a answer) {
		mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := ps.write(w, r, a); err != nil {
				t.Errorf("%s: %v", pattern, err)
			}
		})
	}
	story, kept := fixtureStory(plain), fixtureCaptured(plain)
	page("/{$}", answer{Template: "overview", Title: "Overview", Section: "overview", View: overviewView(fixtureSituation(plain), of)})
	page("/deliveries", answer{Template: "deliveries", Title: "Deliveries", Section: "deliveries", View: deliveryList(fixtureDeliveriesAsked("", ""), fixtureDeliveryRows(plain), "x", of)})
	page("/conversations", answer{Template: "conversations", Title: "Conversations", Section: "conversations",
		View: conversationList(fixtureListed("", "", ""), fixtureRows(plain), "", of)})
	page("/conversations/{id}", answer{Template: "conversation", Title: "Dana Whitfield", Section: "conversations", View: fixturePage(story, fixtureNames(), plain)})
	page("/conversations/{id}/deliveries/{delivery}", answer{Message: harmlessHTML})
	page("/conversations/{id}/calls/{call}", fixtureCall(story))
	page("/events/{id}", fixtureEvent(plain, fixtureNames()))
	page("/captured", answer{Template: "captured_list", Title: "Captured", Section: "captured", View: capturedRows("", "", "", kept, "next", of)})
	for _, m := range kept {
		page("/captured/"+m.ID, answer{Template: "captured", Title: "Captured", Section: "captured", View: capturedMessage(m, fixtureNames())})
	}
	page("/captured/{id}/html", answer{Message: harmlessHTML})
	for name, a := range settingsPages(plain, of) {
		if path, ok := map[string]string{"sources": settingsPath, "channels": channelsPath, "keys": keysPath, "people": peoplePath, "log": logPath}[strings.TrimPrefix(name, "settings ")]; ok {
			page(path, a)
		}
	}
	watched := automationPages("Robin", fixtureNames())
	for path, name := range map[string]string{automationsPath: "automations", automationPath("acme", "summary-mail"): "automation",
		automationPath("acme", "address-changed"): "automation, muted", usagePath: "usage"} {
		page(path, watched[name])
	}
	for path, a := range runPages() {
		page(path, a)
	}
	page("/sign-in", answer{Template: "sign_in", Title: "Sign in", View: signInPage{Said: "That did not let you in.", OIDC: oidcPath}, Draft: true})
	page(passwordPath, passwordAnswer(passwordPage{Email: "ann@acme.example", Said: "That is not the password you have now."}, 0))
	page("/hostile", answer{Message: strings.Replace(fixtureHTML, "<body>", `<body><script>document.title="ran"</script><img src=x onerror="document.title='ran'">`, 1)})
	mux.Handle("GET /assets/{name}", ps.assets)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { ps.problem(w, r, problemOf(store.ErrNotFound)) })
	known := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r.WithContext(people.With(r.Context(), people.Machine())))
	})
	return guard(known, ps.refuse, nil)
}
