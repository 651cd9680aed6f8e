package main

import (
	"strings"
	"testing"

	"aftercall/internal/chromium"
)

// side is how many pages are looked at side by side.
const side = 3

// everyPage looks at each page of the demo: without scripts on a telephone, then with them, in light and in dark.
func everyPage(t *testing.T, b *chromium.Browser, d *demonstration) {
	doors := doorsOf(t, d)
	if len(doors) < 30 {
		t.Fatalf("only %d pages", len(doors))
	}
	home := d.app.address("pages")
	for n := range side {
		t.Run("side", func(t *testing.T) {
			t.Parallel()
			tab := b.Open(t, "light", 375)
			for i := n; i < len(doors); i += side {
				lookAt(t, tab, home, doors[i])
			}
		})
	}
}

// lookAt looks at one page.
func lookAt(t *testing.T, tab *chromium.Page, home string, x door) {
	before := len(tab.Complaints())
	tab.Scheme("light")
	tab.Width(375)
	tab.Scripts(false)
	tab.Go(home + x.path)
	still := wordsOf(tab)
	wide(t, tab, x, "without scripts")
	tab.Scripts(true)
	tab.Go(home + x.path)
	if x.letter {
		return
	}
	unfold := `document.querySelectorAll("details").forEach(d => { d.open = true })`
	chromium.Evaluate[any](tab, unfold)
	wide(t, tab, x, "with everything unfolded")
	tab.Width(1280)
	for _, scheme := range []string{"light", "dark"} {
		tab.Scheme(scheme)
		var rules []string
		if scheme == "dark" {
			rules = []string{"color-contrast", "link-in-text-block"} // the rest is the same in any colour
		}
		for _, f := range tab.Barriers(rules...) {
			t.Errorf("%s in %s: %s", x.path, scheme, f)
		}
	}
	for w := range wordsOf(tab) {
		if !still[w] {
			t.Errorf("%s: without scripts it does not say %q", x.path, w)
		}
	}
	for _, c := range tab.Complaints()[before:] {
		if !(strings.Contains(c, "404") && x.path == "/none") {
			t.Errorf("%s: %s", x.path, c)
		}
	}
}

// wordsOf are the words that stand on a page to be read, folded or not: no buttons, times or editors, which scripts add to or change.
func wordsOf(tab *chromium.Page) map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.Fields(chromium.Evaluate[string](tab, `(() => {
		const all = [], texts = document.createTreeWalker(document.querySelector("main") ?? document.body, NodeFilter.SHOW_TEXT);
		while (texts.nextNode()) if (!texts.currentNode.parentElement.closest("button, script, style, dialog, time, .news, .cm-editor, [for=file-name]")) all.push(texts.currentNode.data);
		return all.join(" ");
	})()`)) {
		words[w] = true
	}
	return words
}

func wide(t *testing.T, tab *chromium.Page, x door, when string) {
	t.Helper()
	if n := chromium.Evaluate[int](tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); n > 0 {
		t.Errorf("%s is %d px wider than a telephone, %s", x.path, n, when)
	}
}
