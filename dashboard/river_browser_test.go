package dashboard

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// queueIsShown opens River's page and looks whether its policy lets it work.
func queueIsShown(t *testing.T, b browser) {
	url, d := wholeServer(t, false)
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	tab := b.open(t, "light", 1280)
	for _, path := range []string{"/jobs", "/queues", "/workflows"} {
		tab.run(chromedp.Navigate(url + queuePrefix + path))
		until(tab, `document.querySelector("#root main")`)
	}
	for _, c := range tab.complaints() {
		if c != `console.error "policy" "script-src" "eval"` { // a library of River's looks whether it may, and does without
			t.Error(c)
		}
	}
}
