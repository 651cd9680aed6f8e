// Package chromium looks at pages with a real browser, in tests.
//
// It owns one headless Chromium for a test, its pages (each with everything the browser said about it), and the audit of a
// page by axe-core (axe.min.js, with its licence beside it), which is handed to the page as the tests' own and never served by the product.
//
// It promises that a blocked script or style, an error, a word on the console and a violation of the policy are complaints of the
// page, and that a browser that is missing is a failure: what is not looked at is not tested. It never reaches the network
// by itself.
package chromium

import (
	"context"
	"fmt"
	"net/http"
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
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// step is how long anything may take that a test does or waits for.
const step = time.Minute

// Browser is a running Chromium.
type Browser struct{ ctx context.Context }

// Start starts one that ends with the test.
func Start(t *testing.T) *Browser {
	t.Helper()
	ctx, cancel := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(
		chromedp.ExecPath(path(t)), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true)))
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the browser to end
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return &Browser{ctx}
}

// path finds the browser.
func path(t *testing.T) string {
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

// Page is one tab with what the browser said about it.
type Page struct {
	t   *testing.T
	ctx context.Context

	mu           sync.Mutex
	said, loaded []string
}

// watchPolicy tells of every violation of the page's policy, whoever caused it, on the console.
const watchPolicy = `addEventListener("securitypolicyviolation", e => console.error("policy", e.effectiveDirective, e.blockedURI))`

// Open opens a tab with a colour scheme ("light" or "dark") and a width.
func (b *Browser) Open(t *testing.T, scheme string, width int64) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	p := &Page{t: t, ctx: ctx}
	p.Listen(p.listen)
	p.Run(Command(log.Enable, cdp.Empty{}), Command(network.Enable, network.EnableParams{}), Command(runtime.Enable, cdp.Empty{}),
		Command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}), // else what is behind another tab stands still
		Command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watchPolicy}))
	p.Scheme(scheme)
	p.Width(width)
	return p
}

// PassTo gives the page to a subtest, which has heard nothing yet.
func (p *Page) PassTo(t *testing.T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.t, p.said, p.loaded = t, nil, nil
}

// Listen tells of every event of the page.
func (p *Page) Listen(hear func(event any)) {
	p.t.Helper()
	if err := chromedp.Listen(p.ctx, hear); err != nil {
		p.t.Fatal(err)
	}
}

// Scheme shows the page in light or dark from now on.
func (p *Page) Scheme(scheme string) {
	p.t.Helper()
	p.Run(Command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}))
}

// Width gives the page another width; below 500 it is a telephone.
func (p *Page) Width(width int64) {
	p.t.Helper()
	p.Run(Command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1, Mobile: width < 500}))
}

// Scripts lets the pages loaded from now on run their scripts, or not.
func (p *Page) Scripts(on bool) {
	p.t.Helper()
	p.Run(Command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}))
}

// Command makes a step of one command of the protocol.
func Command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, c, params)
		return err
	})
}

// Run takes steps, one after the other.
func (p *Page) Run(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, step)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// Go loads an address, and again while the answer is that the server is too busy, which is no complaint.
func (p *Page) Go(address string) {
	p.t.Helper()
	heard := len(p.Complaints())
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for range 30 {
		p.Run(chromedp.Navigate(address))
		if Evaluate[int](p, `performance.getEntriesByType("navigation")[0].responseStatus`) != http.StatusServiceUnavailable {
			return
		}
		p.mu.Lock()
		p.said = p.said[:heard]
		p.mu.Unlock()
		<-again.C
	}
	p.t.Fatalf("%s is not served", address)
}

// Press presses keys: a text, or one of package kb.
func (p *Page) Press(keys ...string) {
	p.t.Helper()
	for _, k := range keys {
		p.Run(chromedp.KeyEvent(k))
	}
}

// Evaluate gives the value of an expression on the page; of a promise, what it comes to.
func Evaluate[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, step)
	defer stop()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	return got
}

// Until waits for something on a page that may be on its way to another one. It asks from outside: where scripts are off, the
// page's own clock stands still.
func (p *Page) Until(expression string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, step)
	defer stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.readyState !== "loading" && Boolean(`+expression+`)`))
		switch {
		case err == nil && there:
			return
		case ctx.Err() != nil:
			p.t.Fatalf("%s: never came; the page says: %.2000s", expression, Evaluate[string](p, `location.href + " " + document.body.innerText`))
		case err != nil && !strings.Contains(err.Error(), "navigated") && !strings.Contains(err.Error(), "context"):
			p.t.Fatalf("%s: %v", expression, err)
		}
		<-again.C
	}
}

// TabTo presses Tab until the focus is on what a selector means, as somebody without a mouse does.
func (p *Page) TabTo(selector string) {
	p.t.Helper()
	for range 200 {
		p.Press(kb.Tab)
		if Evaluate[bool](p, `document.activeElement.matches(`+"`"+selector+"`"+`)`) {
			return
		}
	}
	p.t.Fatalf("Tab never comes to %s; it is on %s", selector, Evaluate[string](p, `document.activeElement.outerHTML.slice(0, 200)`))
}

func (p *Page) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelVerbose {
			p.said = append(p.said, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventConsoleAPICalled:
		p.said = append(p.said, fmt.Sprintf("console.%s %s", e.Type, args(e.Args)))
	case *runtime.EventExceptionThrown:
		p.said = append(p.said, e.ExceptionDetails.Text)
	case *network.EventResponseReceived:
		p.loaded = append(p.loaded, e.Response.URL)
	}
}

// args are the words that were said on the console.
func args(all []*runtime.RemoteObject) string {
	words := make([]string, len(all))
	for i, a := range all {
		words[i] = string(a.Value)
	}
	return strings.Join(words, " ")
}

// Complaints are what the browser had against what it was shown.
func (p *Page) Complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.said...)
}

// Requests are the addresses of everything that was loaded.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.loaded...)
}
