package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

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

// pagesAreSound opens every page in light and dark, wide and on a telephone, and fails on anything the browser complains
// of (a blocked style or script, an error) and on anything wider than the screen.
func pagesAreSound(t *testing.T, b browser) {
	paths := []string{
		"/", "/deliveries", "/conversations", "/conversations/3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77", "/conversations/3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77/calls/m-1", "/captured", "/captured/9a", "/sign-in", passwordPath, "/none",
		settingsPath, channelsPath, keysPath, peoplePath, logPath,
		automationsPath, automationPath("acme", "summary-mail"), automationPath("acme", "address-changed"), usagePath,
		bulkPath, bulkJobPath("b"), askPath, configPath, activationsPath, configDiffPath, rollbackPath("acme", "r1"), queuesPath,
	}
	for _, s := range []screen{{"light", 1280, true}, {"dark", 1280, true}, {"light", 375, true}} {
		b.fits(t, s, paths, func(tab *window, path string) {
			tab.run(chromedp.Navigate(b.url + path))
			// Unfold what is folded, so that frames load and tables show.
			evaluate[bool](tab, `document.querySelectorAll("details").forEach(d => { d.open = true }) ?? true`)
		})
	}
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
	tab.run(command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !s.script}))
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
	ctx context.Context
	url string
}

func newBrowser(t *testing.T) browser {
	t.Helper()
	server := httptest.NewServer(fixtureHandler(t))
	t.Cleanup(server.Close)
	ctx, cancel := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true)))
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the browser to end
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return browser{ctx, server.URL}
}

// chromium finds the browser. Its absence is a failure: what is not looked at is not tested.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const onAMac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
	if _, err := os.Stat(onAMac); err == nil {
		return onAMac
	}
	t.Fatal("no Chromium in PATH; install it with: apt-get install chromium (macOS: brew install --cask chromium)")
	return ""
}

// window is one page with what the browser said about it.
type window struct {
	t   *testing.T
	ctx context.Context

	mu           sync.Mutex
	said, loaded []string
}

func (b browser) open(t *testing.T, scheme string, width int64) *window {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	w := &window{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, w.listen); err != nil {
		t.Fatal(err)
	}
	w.run(command(log.Enable, cdp.Empty{}), command(network.Enable, network.EnableParams{}), command(runtime.Enable, cdp.Empty{}),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}),
		command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1, Mobile: width < 500}))
	return w
}

// passTo gives the window to a subtest, which has heard nothing yet.
func (w *window) passTo(t *testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t, w.said, w.loaded = t, nil, nil
}

// command makes a step of one command of the protocol.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, c, params)
		return err
	})
}

func (w *window) run(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, time.Minute)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.t.Fatal(err)
	}
}

func evaluate[T any](w *window, expression string) T {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, time.Minute)
	defer stop()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func (w *window) listen(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		notFound := strings.Contains(e.Entry.Text, "404") && strings.HasSuffix(e.Entry.URL, "/none") // that page is asked for
		if e.Entry.Level != log.EntryLevelVerbose && !notFound {
			w.said = append(w.said, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventConsoleAPICalled:
		w.said = append(w.said, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		w.said = append(w.said, e.ExceptionDetails.Text)
	case *network.EventResponseReceived:
		w.loaded = append(w.loaded, e.Response.URL)
	}
}

func (w *window) complaints() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.said...)
}

func (w *window) requests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.loaded...)
}

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
